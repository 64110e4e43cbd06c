//! Counts what the entries of a chain tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::entry::Entry;
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
        match (entry.event.as_str(), entry.status) {
            ("received", _) => {
                *self.runs.entry(entry.command.clone()).or_default() += 1;
                self.open.insert(entry.seq);
            }
            ("decided", Some(status)) => {
                self.open.remove(&entry.of);
                *self.of(status) += 1;
                self.findings_left_out += entry.findings_left_out;
                self.unread += entry.coverage.unread;
                for found in &entry.findings {
                    *self.findings.entry(found.rule.clone()).or_default().entry(name(found.verdict)).or_default() += 1;
                    if let Some(owner) = &found.owner {
                        let exception = self.exceptions.entry(owner.clone()).or_default();
                        exception.used += 1;
                        exception.last.clone_from(&entry.time);
                    }
                }
            }
            ("failed", _) => {
                self.open.remove(&entry.of);
                if let Some(status) = entry.instead_of {
                    let counted = self.of(status);
                    *counted = counted.saturating_sub(1);
                }
                self.failed += 1;
            }
            _ => {}
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
