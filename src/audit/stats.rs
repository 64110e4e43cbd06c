//! Counts what the entries of a chain tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::entry::{Entry, Event};
use crate::judge::{Status, Verdict};

/// What happened, in numbers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    /// Runs that began, by command.
    pub runs: BTreeMap<String, u64>,
    /// Runs that let pass what they saw.
    pub allowed: u64,
    /// Runs that refused it.
    pub blocked: u64,
    /// Runs that could not do their job, so that nothing passed.
    pub failed: u64,
    /// Runs without a verdict: killed before it, or still under way.
    pub unfinished: u64,
    /// Findings by rule, then by verdict.
    pub findings: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// Findings that were too many to be listed.
    pub findings_left_out: u64,
    /// What was not read.
    pub unread: u64,
    /// Exceptions that were used, by their owner.
    pub exceptions: BTreeMap<String, Exception>,
    /// Numbers of the entries of runs that are open.
    #[serde(skip)]
    open: BTreeSet<u64>,
}

/// What one owner's exceptions let pass.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Exception {
    /// How often.
    pub used: u64,
    /// The last time.
    pub last: String,
}

impl Stats {
    /// Takes in the next entry.
    pub fn add(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Received(received) => {
                *self.runs.entry(received.command.clone()).or_default() += 1;
                self.open.insert(entry.seq);
            }
            Event::Decided(decided) => {
                self.open.remove(&decided.of);
                *self.of(decided.status) += 1;
                self.findings_left_out += decided.findings_left_out;
                self.unread += decided.coverage.unread;
                for row in &decided.findings {
                    *self.findings.entry(row.rule.clone()).or_default().entry(name(row.verdict)).or_default() += 1;
                    if let Some(owner) = &row.owner {
                        let exception = self.exceptions.entry(owner.clone()).or_default();
                        exception.used += 1;
                        exception.last.clone_from(&entry.time);
                    }
                }
            }
            Event::Failed(failed) => {
                self.open.remove(&failed.of);
                if let Some(status) = failed.instead_of {
                    let counted = self.of(status);
                    *counted = counted.saturating_sub(1);
                }
                self.failed += 1;
            }
            Event::Continued(_) => {}
        }
        self.unfinished = self.open.len() as u64;
    }

    fn of(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Clean | Status::Warned => &mut self.allowed,
            Status::Blocked => &mut self.blocked,
        }
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "allow",
        Verdict::Warn => "warn",
        Verdict::Block => "block",
    }
}
