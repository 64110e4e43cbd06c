//! The stories of `baseline`: accept what the last commit holds already, take away what is gone, say what is stale.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;

use crate::change::{self, ChangeSet, Store, Trust};
use crate::cli::{BaselineCommand, BaselineWrite, Global};
use crate::config::Accepted;
use crate::finding::{Finding, Fingerprint};
use crate::judge::{Gate, Status, Unseen, Verdict, judge};
use crate::report::Redactor;
use crate::rules::Rules;
use crate::scan::Scanner;
use crate::terminal::escape;

use super::Failure;
use super::examine::{Found, examine};
use super::exceptions::{day_to_come, replace, usage};
use super::layers::{self, BASELINE};
use super::output::print;
use super::settings::{self, today};

pub(super) fn baseline(command: &BaselineCommand, global: &Global) -> Result<Status, Failure> {
    if global.config.is_some() {
        return Err(usage("a configuration that counts alone has no baseline".to_owned(), "call it without `--config`"));
    }
    let root = settings::root().ok_or_else(|| usage("there is no work tree here".to_owned(), "go into one"))?;
    let file = root.join(BASELINE);
    let before = layers::baseline_on_disk(&file)?;
    match command {
        BaselineCommand::Write(write) => self::write(write, &file, before, global),
        BaselineCommand::Prune => prune(&file, before, global),
        BaselineCommand::Check => check(before, global),
    }
}

/// Adds what is found and nobody answers for yet.
fn write(write: &BaselineWrite, file: &Path, before: Option<Accepted>, global: &Global) -> Result<Status, Failure> {
    let mut accepted = head(write, file, before)?;
    accepted.history |= write.history;
    let found = found(accepted.history, global)?;
    let (known, total) = (accepted.entries.len(), found.entries.len());
    for (fingerprint, entry) in found.entries {
        accepted.entries.entry(fingerprint).or_insert(entry);
    }
    let added = accepted.entries.len() - known;
    if accepted.entries.is_empty() {
        print("nothing is found, so there is nothing to accept\n")?;
        return Ok(Status::Clean);
    }
    save(&accepted, file)?;
    print(&format!(
        "{total} found in {}, {added} of them new to {}; {} answers for all {} until {}\n{}Commit that file, so that others see who answers for it.\n",
        if accepted.history { "the history" } else { "the last commit" },
        file.display(),
        escape(accepted.owner.as_bytes()),
        accepted.entries.len(),
        accepted.expires,
        found.note,
    ))?;
    Ok(Status::Clean)
}

/// The head: as it was, unless the call says something else.
pub(super) fn head(write: &BaselineWrite, file: &Path, before: Option<Accepted>) -> Result<Accepted, Failure> {
    let said = |new: &Option<String>, old: Option<&String>, name: &str| {
        new.as_ref().or(old).filter(|text| !text.trim().is_empty()).cloned().ok_or_else(|| {
            usage(format!("nobody says `--{name}`"), "somebody has to answer for what is accepted: give --owner, --reason and --expires")
        })
    };
    let owner = said(&write.owner, before.as_ref().map(|before| &before.owner), "owner")?;
    let reason = said(&write.reason, before.as_ref().map(|before| &before.reason), "reason")?;
    let expires: Date = match (&write.expires, &before) {
        (Some(day), _) => day_to_come(day)?,
        (None, Some(before)) => before.expires,
        (None, None) => return Err(usage("nobody says `--expires`".to_owned(), "name the last day on which it holds, like 2027-03-31")),
    };
    let (history, entries) = before.map_or((false, BTreeMap::new()), |before| (before.history, before.entries));
    Ok(Accepted { file: file.display().to_string(), owner, reason, expires, history, entries })
}

pub(super) fn save(accepted: &Accepted, file: &Path) -> Result<(), Failure> {
    let text = accepted.text();
    // What cannot be read back would close the gate.
    crate::config::parse_accepted(&accepted.file, text.as_bytes())?;
    replace(file, text.as_bytes()).map_err(|source| Failure::Write { path: file.to_owned(), source })
}

/// Takes away what is not found any more.
fn prune(file: &Path, before: Option<Accepted>, global: &Global) -> Result<Status, Failure> {
    let Some(mut accepted) = before else { return nothing() };
    let found = found(accepted.history, global)?;
    let stale = stale(&accepted, &found);
    if found.incomplete && !stale.is_empty() {
        return Err(usage(
            format!("not all could be read, so nobody knows what is gone. {}", found.note),
            "raise `limits.max_file_bytes` for this call",
        ));
    }
    stale.iter().for_each(|fingerprint| {
        accepted.entries.remove(fingerprint);
    });
    if !stale.is_empty() {
        save(&accepted, file)?;
    }
    print(&format!(
        "took away {} of {}; {} are left in {}\n",
        stale.len(),
        stale.len() + accepted.entries.len(),
        accepted.entries.len(),
        file.display()
    ))?;
    Ok(Status::Clean)
}

/// Says what is stale, and whether it still holds.
fn check(before: Option<Accepted>, global: &Global) -> Result<Status, Failure> {
    let Some(accepted) = before else { return nothing() };
    let found = found(accepted.history, global)?;
    let stale = stale(&accepted, &found);
    let mut text = String::new();
    for fingerprint in &stale {
        let entry = accepted.entries.get(fingerprint).map(String::as_str).unwrap_or_default();
        text.push_str(&format!("stale    {fingerprint} {}\n", escape(entry.as_bytes())));
    }
    let over = accepted.expires < today()?;
    if over {
        text.push_str(&format!("over     it ran out on {}, so it covers nothing\n", accepted.expires));
    }
    text.push_str(&found.note);
    let verdict =
        format!("{} accepted by {} until {}, {} stale", accepted.entries.len(), escape(accepted.owner.as_bytes()), accepted.expires, stale.len());
    let hint = if stale.is_empty() { "" } else { "; `leakstop baseline prune` takes those away" };
    print(&format!("{text}leakstop: {verdict}{hint}\n"))?;
    Ok(if over || !stale.is_empty() { Status::Blocked } else { Status::Clean })
}

fn nothing() -> Result<Status, Failure> {
    print("there is no baseline here; `leakstop baseline write` makes one\n")?;
    Ok(Status::Clean)
}

fn stale(accepted: &Accepted, found: &Old) -> Vec<Fingerprint> {
    accepted.entries.keys().filter(|fingerprint| !found.entries.contains_key(fingerprint)).cloned().collect()
}

/// What is there already.
struct Old {
    /// What would be said of it if there were no baseline.
    entries: BTreeMap<Fingerprint, String>,
    /// What was not read.
    note: String,
    incomplete: bool,
}

/// Looks at what is committed, never at the work tree: what somebody is about to add is not old.
fn found(history: bool, global: &Global) -> Result<Old, Failure> {
    let store = change::open(Trust::CheckOwner)?;
    let mut rules = Rules::built_in()?;
    let mut settings = settings::of_commit(global, &store, &mut rules)?;
    settings.policy.accepted.clear();
    let head = store.head()?.ok_or_else(|| usage("there is no commit yet, so nothing is old".to_owned(), "mend what is found instead"))?;
    let scanner = Scanner::new(&rules);
    let mut found = Found::default();
    let mut take = |part: &mut ChangeSet| examine(&store, part, &scanner, &settings.policy, None, &mut found);
    let mut rest = if history { change::history(&store, &mut take)? } else { change::tracked(&store, head)? };
    take(&mut rest)?;
    let judgement = judge(found.findings, Unseen::default(), Gate::Commit, &settings.policy, today()?);
    let said: Vec<&Finding> = judgement.judged.iter().filter(|judged| judged.verdict > Verdict::Allow).map(|judged| &judged.finding).collect();
    let redactor = Redactor::new(said.iter().flat_map(|finding| finding.secret.iter().chain(&finding.raw)));
    let mut entries = BTreeMap::new();
    for finding in said {
        entries.entry(finding.fingerprint.clone()).or_insert_with(|| entry(finding, &redactor));
    }
    let unread = found.coverage.unread.len() + found.coverage.beyond.len();
    let note = if unread > 0 {
        format!("note: {unread} files were not read, or not to their end; `leakstop scan --history` names them\n")
    } else {
        String::new()
    };
    Ok(Old { entries, note, incomplete: unread > 0 })
}

/// Rule and path, for people.
pub(super) fn entry(finding: &Finding, redactor: &Redactor) -> String {
    // A colon and a blank would make a head of the line.
    format!("{} {}", finding.facts.rule, redactor.show(&finding.path)).replace(": ", ":_").trim_end().to_owned()
}
