//! The story of `doctor`: would the gate stop a secret right now? Each hook has to refuse a canary; what applies and what gets
//! round it is said. It is shut only if nothing is in the way.

use std::ffi::OsString;
use std::path::Path;

use serde_json::json;

use crate::change::{self, GitPlace, Store, Trust};
use crate::cli::{Doctor, Format, Global};
use crate::install::{self, CLIENT_HOOKS, SERVER_HOOKS, Standing};
use crate::judge::Status;
use crate::rules::{Rules, shape};

use super::failure::sieved;
use super::output::{self, shown};
use super::setup::{CANARY, fresh_seed, own_program, prove};
use super::{Failure, recorded, settings};

/// One answer.
struct Answer {
    /// False where a secret would get through; `None` for what is only worth knowing.
    good: Option<bool>,
    what: String,
    says: String,
}

pub(super) fn doctor(asked: &Doctor, global: &Global) -> Result<Status, Failure> {
    let mut place = change::hooks_dir(asked.server.as_deref().unwrap_or(Path::new(".")))?;
    if let Ok(full) = std::path::absolute(&place.hooks) {
        place.hooks = full;
    }
    let is_server = asked.server.is_some() || place.work_tree.is_none();
    let mut answers = Vec::new();
    what_applies(&place, is_server, global, &mut answers)?;
    where_hooks_are(&place, &mut answers);
    the_audit(&place, is_server, global, &mut answers)?;
    let hooks: &[&str] = if is_server { &SERVER_HOOKS } else { &CLIENT_HOOKS };
    for hook in hooks {
        answers.push(of_hook(&place, hook, is_server)?);
    }
    if !is_server {
        ways_round(&mut answers);
    }
    let shut = answers.iter().all(|answer| answer.good != Some(false));
    let text = match global.format {
        Format::Human => for_people(&answers, shut, is_server),
        _ => for_programs(&answers, shut),
    };
    output::deliver(global, &text)?;
    Ok(if shut { Status::Clean } else { Status::Blocked })
}

/// Which policy, and who reads git. What cannot be read refuses every commit and push, and `doctor` says the same.
fn what_applies(place: &GitPlace, is_server: bool, global: &Global, answers: &mut Vec<Answer>) -> Result<(), Failure> {
    let mut note = |what: &str, says: String| answers.push(Answer { good: None, what: what.to_owned(), says });
    let mut rules = Rules::built_in()?;
    if is_server {
        // The repository is found from the current folder, as in a hook.
        std::env::set_current_dir(&place.git_dir).map_err(|source| change::ChangeError::File { path: place.git_dir.clone(), source })?;
    }
    let store = if is_server { change::open_by(Trust::CheckOwner, None)? } else { change::open(Trust::CheckOwner)? };
    let settings = if is_server {
        let trusted = settings::of_server(global, &place.git_dir)?;
        let server = settings::policy_of_server(&trusted, &mut rules)?;
        settings::of_push(trusted, &server, &store, &[], &mut rules)?
    } else {
        settings::of_commit(global, &store, &mut rules)?
    };
    let files = if settings.files.is_empty() { "the defaults".to_owned() } else { format!("the defaults, then {}", settings.files.join(", ")) };
    note("policy", files);
    settings.notes.into_iter().for_each(|says| note("policy", says));
    note("reads git", store.how().to_owned());
    if !is_server {
        for alias in store.settings(r"^alias\..*$")?.iter().filter(|alias| memchr::memmem::find(alias, b"--no-verify").is_some()) {
            note("alias", format!("goes round the hooks: `{}`", String::from_utf8_lossy(alias)));
        }
    }
    Ok(())
}

fn where_hooks_are(place: &GitPlace, answers: &mut Vec<Answer>) {
    let set = if place.hooks_path_is_set { " (core.hooksPath)" } else { "" };
    let (good, says) = match change::hooks_as_git_says(place) {
        Some(folder) if !is_the_same_folder(&folder, &place.hooks) => {
            (Some(false), format!("git's environment moves them from {} to {}; look for GIT_CONFIG_ variables", shown(&place.hooks), shown(&folder)))
        }
        Some(_) => (None, format!("{}{set}", shown(&place.hooks))),
        None => (None, format!("{}{set}; git is not there to confirm it", shown(&place.hooks))),
    };
    answers.push(Answer { good, what: "hooks".to_owned(), says });
    if anybody_writes(&place.hooks) {
        let says = format!("anybody may write to {}", shown(&place.hooks));
        answers.push(Answer { good: Some(false), what: "hooks".to_owned(), says });
    }
}

/// Where decisions are recorded. If they cannot be, the gate is shut to everybody, which is no danger and no state to stay in.
fn the_audit(place: &GitPlace, is_server: bool, global: &Global, answers: &mut Vec<Answer>) -> Result<(), Failure> {
    let configured = settings::audit_place(global, is_server.then_some(place.git_dir.as_path()))?;
    let Some(audit) = configured.filter(|audit| is_server || audit.local) else { return Ok(()) };
    let file = shown(&audit.file);
    let says = match recorded::open(&audit, Some(&place.git_dir)).and_then(|audit| Ok(audit.try_out()?)) {
        Ok(last) => format!("{file} can be written by this user, and its last entry (number {last}) holds"),
        Err(failure) => format!("{file} cannot be written, so that nothing passes: {}", causes(&failure)),
    };
    answers.push(Answer { good: None, what: "audit".to_owned(), says });
    Ok(())
}

fn is_the_same_folder(a: &Path, b: &Path) -> bool {
    a == b || std::fs::canonicalize(a).is_ok_and(|a| std::fs::canonicalize(b).is_ok_and(|b| a == b))
}

fn of_hook(place: &GitPlace, hook: &str, is_server: bool) -> Result<Answer, Failure> {
    let (standing, runs) = install::inspect(&place.hooks, hook, &own_program()?)?;
    let file = place.hooks.join(hook);
    let install = if is_server { "`leakstop install --server DIR`" } else { "`leakstop install`" };
    let (good, says) = match standing {
        Standing::Missing => (false, format!("is not there: {install} puts it in place")),
        _ if !runs => (false, format!("is not executable, so git ignores it: {install} mends ours; `chmod +x` another")),
        _ if anybody_writes(&file) => (false, "may be written by anybody".to_owned()),
        Standing::Current | Standing::Older => match (prove(place, hook), standing) {
            (Err(failure), _) => (false, causes(&failure)),
            (Ok(()), Standing::Older) => (true, format!("refused a canary; another version or copy of leakstop put it there, {install} renews it")),
            (Ok(()), _) => (true, "refused a canary".to_owned()),
        },
        // It may ask the server's own programs, which know nothing of a canary.
        Standing::Strangers if is_server => (false, "is not ours and was not run; if it calls leakstop, run `doctor` as that hook would".to_owned()),
        Standing::Strangers => through_a_stranger(place, hook)?,
    };
    Ok(Answer { good: Some(good), what: hook.to_owned(), says })
}

/// A hook manager's hook, or another that may call leakstop: tried where it can do no harm.
fn through_a_stranger(place: &GitPlace, hook: &str) -> Result<(bool, String), Failure> {
    let attempt = change::attempt(place, hook, &shape::fill(CANARY, fresh_seed()))?;
    let stopped = memchr::memmem::find(&attempt.said, b"leakstop: blocked").is_some();
    Ok(match (attempt.recorded, stopped) {
        (false, true) => (true, "refused a canary, through a hook that is not ours".to_owned()),
        (true, _) => (false, "is not ours and let a canary pass: `leakstop install` puts ours before it".to_owned()),
        (false, false) => {
            let said = String::from_utf8_lossy(&attempt.said).lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
            (false, format!("is not ours and failed before leakstop could say anything: {said}"))
        }
    })
}

fn causes(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Variables by which hooks or hook managers are switched off or told something else.
const SWITCHES: [(&str, &str); 9] = [
    ("LEAKSTOP_CONFIG", "this file counts alone, instead of all configuration"),
    ("LEAKSTOP_BACKEND", "it forces a way to read git"),
    ("HUSKY", "0 switches husky off"),
    ("LEFTHOOK", "0 or false switches lefthook off"),
    ("SKIP", "pre-commit leaves out the hooks that it names"),
    ("PREK_SKIP", "prek leaves out the hooks that it names"),
    ("OVERCOMMIT_DISABLE", "1 switches overcommit off"),
    ("SKIP_SIMPLE_GIT_HOOKS", "1 switches simple-git-hooks off"),
    ("GIT_CONFIG_PARAMETERS", "it changes git's configuration"),
];

/// What is set right now and may get round a hook. Where it does, the canary above got through.
fn ways_round(answers: &mut Vec<Answer>) {
    for (name, does) in SWITCHES {
        if std::env::var_os(name).is_some_and(|value: OsString| !value.is_empty()) {
            answers.push(Answer { good: None, what: "variable".to_owned(), says: format!("{name} is set: {does}") });
        }
    }
    answers.push(Answer {
        good: None,
        what: "beyond us".to_owned(),
        says: "`git commit --no-verify` and `git push --no-verify` go round every hook of a work tree, not round a server's".to_owned(),
    });
}

fn anybody_writes(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(file).is_ok_and(|data| data.permissions().mode() & 0o002 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}

fn for_people(answers: &[Answer], shut: bool, is_server: bool) -> String {
    let mut text = String::new();
    for answer in answers {
        let word = match answer.good {
            Some(true) => "good",
            Some(false) => "OPEN",
            None => "",
        };
        text.push_str(&format!("{word:<5} {:<17} {}\n", sieved(&answer.what), sieved(&answer.says)));
    }
    let what = if is_server { "a push" } else { "a commit, a merge, a message or a push" };
    text.push_str(&if shut {
        format!("leakstop: the gate is shut: {what} with a secret is refused\n")
    } else {
        format!("leakstop: the gate is open: a secret may get through in {what}, as said above\n")
    });
    text
}

fn for_programs(answers: &[Answer], shut: bool) -> String {
    let rows: Vec<_> =
        answers.iter().map(|answer| json!({"what": sieved(&answer.what), "good": answer.good, "says": sieved(&answer.says)})).collect();
    let tool = json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")});
    let status = if shut { "shut" } else { "open" };
    format!("{}\n", json!({"schema": 1, "tool": tool, "command": "doctor", "status": status, "answers": rows}))
}
