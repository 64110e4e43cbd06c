//! What an entry holds: never a credential's bytes, nor a mask of them. Names arrive here escaped and masked.

use serde::{Deserialize, Serialize};

use crate::finding::Where;
use crate::judge::{Status, Verdict};

/// The version of this form; keys are only ever added.
pub(super) const SCHEMA: u32 = 1;

/// One line of the file, without its own hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The form of the entry.
    pub schema: u32,
    /// Its number in the chain, from 1.
    pub seq: u64,
    /// When it was written, in UTC.
    pub time: String,
    /// Which leakstop wrote it.
    pub version: String,
    /// Hash of the entry before; zeros for the first.
    pub previous: String,
    /// What stands between it and the entry before: a line that a crash tore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<Torn>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A line that was only half written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torn {
    /// How much of it is there.
    pub bytes: u64,
    /// Hash of that.
    pub hash: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// A run began.
    Received(Received),
    /// It came to a verdict.
    Decided(Decided),
    /// It could not do its job, so that nothing passed.
    Failed(Failed),
    /// The file before was moved away, and this one goes on where it ended.
    Continued(Continued),
}

/// A run begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The command as the user knows it: `hook pre-receive`.
    pub command: String,
    /// Where: the repository's git folder, or the current folder.
    pub place: String,
    /// Hash of the built-in rules.
    pub rules: String,
    /// Who, as far as the platform says.
    pub actor: Option<Actor>,
    /// The refs that are offered.
    pub refs: Vec<RefMove>,
    /// How many more there were.
    pub refs_left_out: u64,
}

/// Who pushes, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name.
    pub name: String,
    /// The variable that names it.
    pub evidence: String,
}

/// What becomes of a ref if the push passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefMove {
    /// Its name.
    pub name: String,
    /// The object before; nothing for a new ref.
    pub old: Option<String>,
    /// The object after; nothing for a deletion.
    pub new: Option<String>,
}

/// A verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Number of the entry with which the run began.
    pub of: u64,
    /// How it ends.
    pub status: Status,
    /// The exit code.
    pub exit: u8,
    /// Hash of the configuration that applied.
    pub configuration: String,
    /// What was found, what blocks first.
    pub findings: Vec<Row>,
    /// How many more there were.
    pub findings_left_out: u64,
    /// What was looked at.
    pub coverage: Coverage,
    /// Time from the start of the process.
    pub elapsed_ms: u64,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its rule.
    pub rule: String,
    /// What it does.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Who answers for the exception that lets it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// In which part of the repository.
    pub r#where: Where,
    /// Its path.
    pub path: String,
    /// The commit that brings it.
    pub commit: Option<String>,
    /// Its stable name.
    pub fingerprint: String,
}

/// What was looked at, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Commits.
    pub commits: u64,
    /// Versions of files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
    /// What was not read, and files with more findings than are listed.
    pub unread: u64,
    /// Pointers of Git LFS.
    pub lfs: u64,
}

/// A run that could not do its job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Number of the entry with which the run began.
    pub of: u64,
    /// The exit code.
    pub exit: u8,
    /// What kept it.
    pub why: String,
    /// The verdict that was written before and does not hold, since it could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Status>,
}

/// The file before was moved away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continued {
    /// Where it was moved to.
    pub from: String,
}
