//! How does it look? Decides nothing, the exit code least of all. Shows path, line, column and a mask, never a source line.

mod document;
mod human;
mod json;
mod merge;
mod redact;

pub use document::Split;
pub use human::{Detail, human};
pub use json::{json, json_lines};
pub use merge::{MergeError, Merged, merge};
pub use redact::Redactor;

use std::time::Duration;

use crate::change::Coverage;
use crate::finding::Secret;
use crate::judge::Judgement;

/// Everything a report tells.
pub struct Report<'a> {
    /// The command as the user knows it: `hook pre-commit`, `scan`.
    pub command: &'a str,
    /// What was decided.
    pub judgement: &'a Judgement,
    /// What was looked at.
    pub coverage: &'a Coverage,
    /// Number of rules that applied.
    pub rules: usize,
    /// Time from the start of the process.
    pub elapsed: Duration,
    /// What the user should know beside the findings.
    pub notes: &'a [String],
    /// The day on which an exception written now could run out.
    pub suggested_expiry: String,
    /// Which part of a larger scan this is.
    pub split: Option<&'a Split>,
    /// Secrets in names that another part tells of.
    pub in_names: &'a [Secret],
}

impl Report<'_> {
    fn redactor(&self) -> Redactor {
        let found = self.judgement.judged.iter().flat_map(|judged| judged.finding.secret.iter().chain(&judged.finding.raw));
        Redactor::new(found.chain(self.in_names))
    }
}
