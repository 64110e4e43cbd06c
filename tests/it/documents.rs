//! The documents say what is so: the README's examples run as shown, its tables are complete, and the example configuration
//! holds every key at its default.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use leakstop::cli::Cli;
use leakstop::config::{self, Config, Layer, Origin, Policy};
use leakstop::rules::Rules;

use crate::managers::MANAGERS;
use crate::readme::{self, blocks, file, rows};
use crate::support::{LEAKSTOP, Repo, token};

/// What the README writes for output left out.
const LEFT_OUT: char = '…';
/// The README's placeholders: a token, the fingerprint of a report, a day to come.
const TOKEN: &str = "ghp_…";
const FINGERPRINT: &str = "FINGERPRINT";
const DATE: (&str, &str) = ("DATE", "2099-12-31");

/// The heading of what `audit_chain.rs` runs.
pub const AUDIT: &str = "What was decided";

#[test]
fn the_path_of_a_new_user_works_as_the_readme_shows_it() {
    let mut user = User::new();
    let steps: Vec<_> = blocks().iter().filter(|block| block.language == "console").flat_map(|block| steps(&block.text)).collect();
    assert!(steps.len() > 20, "only {} commands are left of the user's path", steps.len());
    for step in steps {
        user.does(&step);
    }
}

#[test]
fn every_example_of_the_readme_is_run_by_somebody() {
    for block in blocks() {
        let run_by_us = block.language == "console";
        let run_by_the_managers = MANAGERS.contains(&block.heading.as_str());
        let run_by_ci = block.heading == "leakstop" && block.language == "sh";
        let run_by_audits = block.heading == crate::audits::HEADING;
        let run_by_audit_chain = block.heading == AUDIT;
        assert!(
            run_by_us || run_by_the_managers || run_by_ci || run_by_audits || run_by_audit_chain,
            "nobody runs the `{}` under `{}`",
            block.language,
            block.heading
        );
    }
}

#[test]
fn ci_runs_the_two_commands_of_the_readme() {
    let commands = &readme::under("leakstop")[0].text;
    assert_eq!(commands.lines().count(), 2, "{commands}");
    let printed = Command::new("bash").arg(".ci/run").arg("--show").current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    for command in commands.lines() {
        assert!(printed.lines().any(|line| line == command), "`.ci/run` does not run `{command}` but\n{printed}");
    }
}

#[test]
fn the_readme_names_every_command() {
    let told: BTreeSet<_> = rows("command").into_iter().map(|row| row[0].split(' ').nth(1).unwrap().to_owned()).collect();
    let declared: BTreeSet<_> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(told, declared);
    let hooks = &rows("command")[0][1];
    let cli = Cli::command();
    for hook in cli.find_subcommand("hook").unwrap().get_subcommands() {
        assert!(hooks.contains(hook.get_name()), "the README does not name the hook `{}`", hook.get_name());
    }
}

#[test]
fn the_readme_gives_a_reason_and_the_licence_of_every_crate() {
    let cargo = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--depth", "1", "--prefix", "none", "--edges", "normal,build,dev", "--format", "{p} | {l}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let mut used = BTreeSet::new();
    for line in String::from_utf8(cargo.stdout).unwrap().lines().skip(1).filter(|line| !line.is_empty()) {
        let (package, licence) = line.split_once(" | ").unwrap();
        used.insert((package.split(' ').next().unwrap().to_owned(), licence.trim_end_matches(" (*)").to_owned()));
    }
    let told: BTreeSet<_> = rows("crate").into_iter().map(|row| (row[0].clone(), row[2].clone())).collect();
    assert_eq!(told, used);
    assert!(rows("crate").iter().all(|row| !row[1].is_empty()));
}

#[test]
fn the_example_configuration_is_the_default() {
    let rules = Rules::built_in().unwrap();
    let config = config::parse("config.example.toml", file("config.example.toml").as_bytes()).unwrap();
    let mut policy = Policy::new(&[Layer { file: String::new(), origin: Origin::Trusted, config }], &rules).unwrap();
    assert!(policy.allowed_paths.iter().all(|(_, globs)| globs.is_empty()));
    policy.allowed_paths.clear();
    assert!(policy.stopwords.is_empty());
    assert_eq!(format!("{policy:#?}"), format!("{:#?}", Policy::default()));
}

#[test]
fn the_example_configuration_has_every_key_and_no_other() {
    let text = file("config.example.toml");
    let written = keys_of(&toml::from_str(&text).unwrap());
    // Keys of what is empty by default stand behind a bare `#`; prose stands behind `# `.
    let all = text.lines().map(uncommented).collect::<Vec<_>>().join("\n");
    let parsed = config::parse("all", all.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    // What it shows of rules and exceptions works as shown.
    let mut rules = Rules::built_in().unwrap();
    parsed.own.iter().for_each(|own| rules.add("all", own).unwrap_or_else(|mistake| panic!("{mistake:?}")));
    Policy::new(&[Layer { file: "all".to_owned(), origin: Origin::Trusted, config: parsed }], &rules).unwrap();
    let told: BTreeSet<_> = keys_of(&toml::from_str(&all).unwrap()).into_iter().map(|key| general(&key)).collect();
    // These two ask for a pattern that names a file.
    let special = ["rule.only_if_tracked", "rule.severity_if_tracked"];
    assert_eq!(told, known_keys(&[]).into_iter().filter(|key| !special.contains(&key.as_str())).collect());
    let empty = ["allow.", "rule.", "rules.at.", "rules.level."];
    let defaults: BTreeSet<_> = known_keys(&[]).into_iter().filter(|key| !empty.iter().any(|start| key.starts_with(start))).collect();
    assert_eq!(written, defaults, "only what is empty by default may be commented out");
}

#[test]
fn the_example_configuration_explains_every_key() {
    let text = file("config.example.toml");
    let mut before = "";
    for line in text.lines() {
        let is_key = uncommented(line).contains(" = ") && !line.starts_with("# ");
        assert!(!is_key || before.starts_with("# ") || before.starts_with("[rules"), "nothing explains `{line}`");
        before = line;
    }
}

#[test]
fn the_readme_names_every_table_of_the_configuration() {
    let told: BTreeSet<_> = rows("key").into_iter().map(|row| row[0].clone()).collect();
    let known: BTreeSet<_> = known_keys(&[]).iter().map(|key| key.split('.').next().unwrap().to_owned()).collect();
    assert_eq!(told, known);
}

/// A command that the README shows, with what it shows of its output.
struct Step {
    command: String,
    shown: Vec<String>,
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
            None => steps.last_mut().expect("a block begins with a command").shown.push(line.to_owned()),
        }
    }
    // An empty line before the next command belongs to nobody.
    for step in &mut steps {
        while step.shown.last().is_some_and(String::is_empty) {
            step.shown.pop();
        }
    }
    steps
}

/// Somebody who follows the README with an empty home and leakstop on the `PATH`.
struct User {
    world: Repo,
    folder: PathBuf,
    fingerprint: Option<String>,
}

impl User {
    fn new() -> Self {
        let world = Repo::new();
        let folder = world.beside("work");
        fs::create_dir(&folder).unwrap();
        Self { world, folder, fingerprint: None }
    }

    fn does(&mut self, step: &Step) {
        let command = self.filled(&step.command).replace(TOKEN, &token(7));
        let shown: Vec<_> = step.shown.iter().map(|line| self.filled(line)).collect();
        // The shell tells where it ended, so that a `cd` lasts.
        let ends_in = self.world.beside("ends-in");
        let script = format!("exec 2>&1\n{command}\ncode=$?\npwd > '{}'\nexit $code", ends_in.display());
        let path = with_before(&[Path::new(LEAKSTOP).parent().unwrap()]);
        let output = self.world.command("sh").args(["-c", &script]).current_dir(&self.folder).env("PATH", path).output().unwrap();
        self.folder = fs::read_to_string(ends_in).unwrap().trim_end().into();
        let said = String::from_utf8(output.stdout).unwrap();
        if let Some((_, rest)) = said.split_once("leakstop allow ") {
            self.fingerprint = rest.get(..16).map(ToOwned::to_owned);
        }
        let said: Vec<_> = self.forgot(&said).lines().map(|line| line.trim_end().to_owned()).collect();
        let shown: Vec<_> = shown.iter().map(|line| self.forgot(line)).collect();
        assert!(matches(&shown, &said), "\n$ {}\n--- the README shows\n{}\n--- it says\n{}\n", step.command, shown.join("\n"), said.join("\n"));
        let refused = said.iter().any(|line| line.starts_with("leakstop: blocked") || line.starts_with("error: "));
        assert_eq!(output.status.success(), !refused, "`{}` ended with {}", step.command, output.status);
    }

    fn filled(&self, text: &str) -> String {
        let text = text.replace(DATE.0, DATE.1);
        match &self.fingerprint {
            Some(fingerprint) => text.replace(FINGERPRINT, fingerprint),
            None => text,
        }
    }

    /// The fingerprint as the README writes it.
    fn forgot(&self, text: &str) -> String {
        match &self.fingerprint {
            Some(fingerprint) => text.replace(fingerprint.as_str(), FINGERPRINT),
            None => text.to_owned(),
        }
    }
}

/// The `PATH` with these folders before all others.
pub fn with_before(folders: &[&Path]) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    std::env::join_paths(folders.iter().map(|&folder| folder.to_owned()).chain(std::env::split_paths(&path))).unwrap()
}

/// True when `said` is what is shown; a line of its own `…` stands for any lines, one within a line for anything.
fn matches(shown: &[String], said: &[String]) -> bool {
    match shown.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first.chars().eq([LEFT_OUT]) => (0..=said.len()).any(|skipped| matches(rest, &said[skipped..])),
        Some((first, rest)) => said.split_first().is_some_and(|(line, more)| line_matches(first, line) && matches(rest, more)),
    }
}

fn line_matches(shown: &str, said: &str) -> bool {
    match shown.split_once(LEFT_OUT) {
        None => shown == said,
        Some((start, rest)) => said
            .strip_prefix(start)
            .is_some_and(|tail| tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| line_matches(rest, &tail[at..]))),
    }
}

#[test]
fn what_is_left_out_is_all_that_may_differ() {
    let lines = |text: &str| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
    for (shown, said, same) in [
        ("a", "a", true),
        ("a", "b", false),
        ("a", "", false),
        ("", "a", false),
        ("x … z", "x y z", true),
        ("x … z", "x y", false),
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("a\n…\nd", "a\nb\nc", false),
        ("…", "", true),
        ("a\n…", "b\nc", false),
    ] {
        assert_eq!(matches(&lines(shown), &lines(said)), same, "{shown:?} {said:?}");
    }
}

/// A line of the example with its key behind a bare `#` brought back.
fn uncommented(line: &str) -> &str {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c == '[' || c.is_ascii_lowercase())).unwrap_or(line)
}

/// Dotted names of all values in a document.
fn keys_of(table: &toml::Table) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (name, value) in table {
        let inner: BTreeSet<_> = match value {
            toml::Value::Table(table) => keys_of(table),
            toml::Value::Array(entries) => entries.iter().filter_map(toml::Value::as_table).flat_map(keys_of).collect(),
            _ => BTreeSet::new(),
        };
        let is_value = !matches!(value, toml::Value::Table(_)) && inner.is_empty();
        keys.extend(is_value.then(|| name.clone()));
        keys.extend(inner.iter().map(|key| format!("{name}.{key}")));
    }
    keys
}

/// Rules have names of their own; as a key they count as one.
fn general(key: &str) -> String {
    if key.starts_with("rules.level.") { "rules.level.*".to_owned() } else { key.to_owned() }
}

/// Dotted names of all keys below `path` that the configuration knows, asked of the program's own types: they refuse a key
/// that does not exist and name those that do.
fn known_keys(path: &[&str]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for name in fields(path) {
        let mut inner = path.to_vec();
        inner.push(&name);
        let below = known_keys(&inner);
        if below.is_empty() {
            let key = inner.join(".");
            keys.insert(if key == "rules.level" { "rules.level.*".to_owned() } else { key });
        }
        keys.extend(below);
    }
    keys
}

/// The fields of the table at `path`; none where it is a value.
fn fields(path: &[&str]) -> Vec<String> {
    let header = path.join(".");
    let forms = if header.is_empty() { vec![String::new()] } else { vec![format!("[{header}]\n"), format!("[[{header}]]\n")] };
    for form in forms {
        // `parse` reads the user's own rules in a second step.
        let refusal = match toml::from_str::<Config>(&format!("{form}nonsense = 1\n")) {
            Err(refusal) => refusal,
            Ok(_) if path == ["rule"] => toml::from_str::<leakstop::rules::RuleText<'_>>("nonsense = 1\n").unwrap_err(),
            Ok(_) => continue,
        };
        if let Some(known) = refusal.message().strip_prefix("unknown field `nonsense`, expected ") {
            return known.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect();
        }
    }
    Vec::new()
}
