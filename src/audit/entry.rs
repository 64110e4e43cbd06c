//! What an entry holds: never a credential's bytes, nor a mask of them. Names arrive here escaped and masked.

use serde::{Deserialize, Serialize};

use crate::finding::Where;
use crate::judge::{Status, Verdict};

/// The version of this form; keys are only ever added.
pub(super) const SCHEMA: u32 = 1;

/// How each entry begins; what happened follows.
#[derive(Debug, Serialize)]
pub(super) struct Head {
    pub(super) schema: u32,
    pub(super) seq: u64,
    /// When it was written, in UTC.
    pub(super) time: String,
    /// Which leakstop wrote it.
    pub(super) version: &'static str,
    /// Hash of the entry before; zeros for the first.
    pub(super) previous: String,
    /// What stands between it and the entry before: a line that a crash tore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) torn: Option<Torn>,
    pub(super) event: &'static str,
}

/// An entry as it is read: what readers need of all kinds of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The form of the entry.
    pub schema: u32,
    /// Its number in the chain, from 1.
    pub seq: u64,
    /// When it was written, in UTC.
    pub time: String,
    /// Hash of the entry before; zeros for the first.
    pub previous: String,
    /// What stands between it and the entry before: a line that a crash tore.
    pub torn: Option<Torn>,
    /// What happened: `received`, `decided`, `failed` or `continued`.
    pub event: String,
    /// The command, where a run began.
    #[serde(default)]
    pub command: String,
    /// Number of the entry with which the run began.
    #[serde(default)]
    pub of: u64,
    /// The verdict.
    pub status: Option<Status>,
    /// The verdict that does not hold.
    pub instead_of: Option<Status>,
    /// What was found.
    #[serde(default)]
    pub findings: Vec<Found>,
    /// How much more was.
    #[serde(default)]
    pub findings_left_out: u64,
    /// What was looked at.
    #[serde(default)]
    pub coverage: Coverage,
}

/// A finding as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Found {
    /// Its rule.
    pub rule: String,
    /// What it does.
    pub verdict: Verdict,
    /// Who answers for the exception that lets it pass.
    pub owner: Option<String>,
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Event {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Received(_) => "received",
            Self::Decided(_) => "decided",
            Self::Failed(_) => "failed",
            Self::Continued(_) => "continued",
        }
    }

    /// The rest of its entry, as an object.
    pub(super) fn rest(&self) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::Received(received) => serde_json::to_vec(received),
            Self::Decided(decided) => serde_json::to_vec(decided),
            Self::Failed(failed) => serde_json::to_vec(failed),
            Self::Continued(continued) => serde_json::to_vec(continued),
        }
    }
}

/// A run begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The name.
    pub name: String,
    /// The variable that names it.
    pub evidence: String,
}

/// What becomes of a ref if the push passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefMove {
    /// Its name.
    pub name: String,
    /// The object before; nothing for a new ref.
    pub old: Option<String>,
    /// The object after; nothing for a deletion.
    pub new: Option<String>,
}

/// A verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its rule.
    pub rule: String,
    /// What it does.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Who answers for the exception that lets it pass.
    #[serde(skip_serializing_if = "Option::is_none")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Number of the entry with which the run began.
    pub of: u64,
    /// The exit code.
    pub exit: u8,
    /// What kept it.
    pub why: String,
    /// The verdict that was written before and does not hold, since it could not be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Status>,
}

/// The file before was moved away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Continued {
    /// Where it was moved to.
    pub from: String,
}
