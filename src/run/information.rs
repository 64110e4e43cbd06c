//! The stories of the commands that only tell: rules, configuration, completions, the man page.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory;

use crate::change::{self, Trust};
use crate::cli::{Cli, ConfigCommand, Global, RulesCommand};
use crate::config::{Level, Policy};
use crate::finding::Confidence;
use crate::judge::Status;
use crate::rules::{Rule, RuleFile, RuleText, Rules, SOURCES, shape};
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
        if value.is_empty() {
            return;
        }
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
    let written = written(rule.id());
    if let Some(written) = &written {
        row("about", &written.about);
    }
    row("level", &level(text));
    for (label, code) in
        written.iter().flat_map(|written| [("before", &written.before), ("after", &written.after)]).filter(|(_, code)| !code.is_empty())
    {
        let _ = writeln!(page, "\n{label}");
        for line in code.lines() {
            let _ = writeln!(page, "    {}", escape(line.as_bytes()));
        }
    }
    page
}

/// What only the text of our rules says: the binary's own form of them leaves it out.
struct Written {
    about: String,
    before: String,
    after: String,
}

fn written(id: &str) -> Option<Written> {
    // One file in forty holds the rule, and only that one is parsed.
    let named = format!("id = \"{id}\"");
    let (_, text) = SOURCES.iter().find(|(_, text)| text.lines().any(|line| line == named))?;
    let file: RuleFile<'_> = toml::from_str(text).ok()?;
    let rule = file.rule.iter().find(|rule| rule.id == id)?;
    // A shape stands for a value; here nobody needs one that looks alive.
    let before = rule.after.as_ref().and(rule.examples.first()).map(|example| shape::hide(example)).unwrap_or_default();
    Some(Written { about: file.about.to_string(), before, after: rule.after.as_deref().unwrap_or_default().to_owned() })
}

/// What a finding of the rule does where no configuration says otherwise.
fn level(rule: &RuleText<'_>) -> String {
    let policy = Policy::default();
    let told = |severity| match policy.of_severity(severity) {
        Level::Block => "blocks",
        Level::Warn => "warns",
        Level::Allow => "is allowed",
    };
    let mut text = format!("by default it {}", told(rule.severity));
    if rule.confidence == Confidence::Low {
        text = "by default it warns: it is a hint".to_owned();
    }
    if let Some(severity) = rule.severity_if_tracked {
        let _ = write!(text, ", and {} where the file that it names is in the repository", told(severity));
    }
    if rule.only_if_tracked {
        text.push_str(", and only where the file that it names is in the repository");
    }
    text + "; `[rules.level]` of the configuration sets another level"
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
