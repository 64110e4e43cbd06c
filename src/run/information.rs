//! The stories of the commands that only tell: rules, configuration, completions, the man page.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory;

use crate::change::{self, Trust};
use crate::cli::{Cli, ConfigCommand, Global, RulesCommand};
use crate::judge::Status;
use crate::rules::{Rule, Rules};
use crate::terminal::escape;

use super::output::print;
use super::{Failure, settings};

pub(super) fn rules(command: &RulesCommand, global: &Global) -> Result<Status, Failure> {
    let mut rules = Rules::built_in()?;
    settings::of_files(global, settings::root().as_deref(), &mut rules)?;
    let mut text = String::new();
    match command {
        RulesCommand::List => rules.all().iter().for_each(|rule| text.push_str(&line(rule))),
        RulesCommand::Show { id } => match rules.get(id) {
            Some(rule) => text.push_str(&page(rule, rules.file_of(id))),
            None => {
                return Err(Failure::Usage { why: format!("there is no rule `{}`", id.escape_debug()), hint: "`leakstop rules list` shows all" });
            }
        },
        // See `rule_check`.
        RulesCommand::Check { .. } => {}
    }
    print(&text)?;
    Ok(Status::Clean)
}

fn line(rule: &Rule) -> String {
    let title = escape(rule.text().title.as_bytes());
    format!("{:<40} {:<9} {:<9} {title}\n", rule.id(), rule.family().as_str(), rule.text().severity.as_str())
}

fn page(rule: &Rule, own: Option<&str>) -> String {
    let text = rule.text();
    let mut page =
        format!("{}\n{}, family {}, severity {}\n\n", escape(text.title.as_bytes()), text.id, rule.family().as_str(), text.severity.as_str());
    let mut row = |label: &str, value: &str| {
        for (at, line) in textwrap::wrap(&escape(value.as_bytes()), 88).iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = writeln!(page, "{:<10}{line}", if at == 0 { label } else { "" });
        }
    };
    row("own rule", own.unwrap_or_default());
    row("risk", &text.risk);
    row("fix", &text.fix);
    row("revoke", text.rotate.as_deref().unwrap_or_default());
    row("standards", &text.standards.join(", "));
    row("files", &text.languages.iter().chain(&text.paths).cloned().collect::<Vec<_>>().join(", "));
    page
}

pub(super) fn config(command: &ConfigCommand, global: &Global) -> Result<Status, Failure> {
    let ConfigCommand::Check = command;
    let mut rules = Rules::built_in()?;
    let settings = if change::hooks_dir(Path::new(".")).is_ok() {
        settings::of_commit(global, &change::open(Trust::CheckOwner)?, &mut rules)?
    } else {
        settings::of_files(global, None, &mut rules)?
    };
    let mut text = String::new();
    if settings.files.is_empty() {
        text.push_str("no configuration file applies here: the defaults hold\n");
    }
    for file in &settings.files {
        text.push_str(&format!("good: {}\n", escape(file.as_bytes())));
    }
    // What stands in the work tree counts once it is committed; whoever edits it wants to know now.
    if let Some(file) = settings::in_work_tree(global)? {
        text.push_str(&format!("good: {file}, in the work tree; hooks read the committed one\n"));
    }
    for note in &settings.notes {
        text.push_str(&format!("note: {}\n", escape(note.as_bytes())));
    }
    print(&text)?;
    Ok(Status::Clean)
}

pub(super) fn completions(shell: clap_complete::Shell) -> Result<Status, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "leakstop", &mut text);
    print(&String::from_utf8_lossy(&text))?;
    Ok(Status::Clean)
}

pub(super) fn man() -> Result<Status, Failure> {
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(Cli::command()).render(&mut text);
    page.map_err(|source| Failure::Output { to: "memory".to_owned(), source })?;
    print(&String::from_utf8_lossy(&text))?;
    Ok(Status::Clean)
}
