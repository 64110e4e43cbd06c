//! Says by what a change would weaken the gate: whoever reviews it, or pushes it by mistake, should know.

use crate::change::{ChangeSet, ObjectId, RefUpdate, Store, commit_of, file_in_commit};
use crate::config::{self, Config, RepositoryConfig, weaker};
use crate::finding::Fingerprint;

use super::Failure;
use super::layers::{BASELINE, FILE, LARGEST, LARGEST_BASELINE};

/// The blob of the file before and after a change; `None` where there is no such file.
type Version = (Option<ObjectId>, Option<ObjectId>);

/// What becomes of the change of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// In a work tree: it holds from the next commit on, its exceptions at once.
    Here,
    /// On a server, as its policy says.
    Server(RepositoryConfig),
}

/// The versions of what the repository says about the gate that a change holds.
#[derive(Default)]
pub(super) struct OwnFiles {
    configurations: Vec<Version>,
    baselines: Vec<Version>,
}

impl OwnFiles {
    /// Looks for them in a part of the change.
    pub(super) fn see(&mut self, change: &ChangeSet) {
        let versions = |of: &'static str| change.files.iter().filter(move |file| *file.path == *of.as_bytes()).map(|file| (file.before, file.blob));
        self.configurations.extend(versions(FILE));
        self.configurations.extend(change.removed.iter().filter(|(path, _)| **path == *FILE.as_bytes()).map(|(_, blob)| (Some(*blob), None)));
        self.baselines.extend(versions(BASELINE));
    }

    /// One line for each version that is weaker than the one before it.
    pub(super) fn weakenings(mut self, store: &dyn Store, updates: &[RefUpdate], effect: Effect) -> Result<Vec<String>, Failure> {
        self.configurations.extend(taken_away(store, updates)?);
        let mut lines: Vec<String> = Vec::new();
        for (before, after) in self.baselines {
            let (before, after) = (accepted(store, before)?, accepted(store, after)?);
            let number = after.iter().filter(|entry| !before.contains(entry)).count();
            if number > 0 {
                lines.push(format!("this change weakens the gate{}: {BASELINE} accepts {number} findings more", told(effect)));
            }
        }
        for (before, after) in self.configurations {
            let found = weaker(&read(store, before)?, &read(store, after)?);
            let line = format!("this change weakens the gate{}: in {FILE} {}", told(effect), found.join("; "));
            if !found.is_empty() && !lines.contains(&line) {
                lines.push(line);
            }
        }
        Ok(lines)
    }
}

fn told(effect: Effect) -> &'static str {
    match effect {
        Effect::Here => "",
        Effect::Server(RepositoryConfig::Ignore) => " (not on this server, which ignores it)",
        Effect::Server(RepositoryConfig::Reviewed) => " (here only once the default branch has it)",
        Effect::Server(RepositoryConfig::Pushed) => " (this server takes it from whoever pushes)",
    }
}

/// Where a pushed ref loses the file that it had.
fn taken_away(store: &dyn Store, updates: &[RefUpdate]) -> Result<Vec<Version>, Failure> {
    let mut found = Vec::new();
    for (old, new) in updates.iter().filter_map(|update| Some((update.old?, update.new?))) {
        // The remote's value may not be here before a fetch.
        let (Some(old), Some(new)) = (store.holds(old).then(|| commit_of(store, old)).transpose()?.flatten(), commit_of(store, new)?) else {
            continue;
        };
        let before = file_in_commit(store, old, FILE.as_bytes())?;
        if before.is_some() && file_in_commit(store, new, FILE.as_bytes())?.is_none() {
            found.push((before, None));
        }
    }
    Ok(found)
}

/// The findings that a version of the baseline accepts.
fn accepted(store: &dyn Store, blob: Option<ObjectId>) -> Result<Vec<Fingerprint>, Failure> {
    let Some(blob) = blob.filter(|&blob| store.holds(blob)) else { return Ok(Vec::new()) };
    let mut text = Vec::new();
    store.read_small(blob, LARGEST_BASELINE, &mut text)?;
    Ok(config::parse_accepted(BASELINE, &text).map(|accepted| accepted.entries.into_keys().collect()).unwrap_or_default())
}

/// A version of the file. One that is missing, or that nobody can use, says nothing: whoever reads it as the accepted one
/// ends with an error.
fn read(store: &dyn Store, blob: Option<ObjectId>) -> Result<Config, Failure> {
    let Some(blob) = blob.filter(|&blob| store.holds(blob)) else { return Ok(Config::default()) };
    let mut text = Vec::new();
    store.read_small(blob, LARGEST, &mut text)?;
    Ok(config::parse(FILE, &text).unwrap_or_default())
}
