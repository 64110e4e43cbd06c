//! Everything that ends in exit code 2, in the user's words.

use std::path::PathBuf;

use crate::audit::AuditError;
use crate::change::{ChangeError, Part};
use crate::config::ConfigError;
use crate::finding::Secret;
use crate::install::InstallError;
use crate::report::{MergeError, Redactor};
use crate::rules::{RuleError, Rules};
use crate::scan::{ScanError, Scanner, Text};

use super::recorded;

/// leakstop could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// git or a file could not be read.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A configuration is unusable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A rule is unusable.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The scan itself failed.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Hooks could not be put in place or taken away.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The audit cannot be kept or read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A thread ended without a result.
    #[error("a scanning thread broke off")]
    Thread,
    /// Standard input cannot be read, or is not what the command needs.
    #[error("cannot read standard input: {why}")]
    Input {
        /// What is wrong with it.
        why: String,
    },
    /// The report cannot be written.
    #[error("cannot write the report to {to}")]
    Output {
        /// Where to.
        to: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the user's cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What was scanned cannot be remembered.
    #[error("cannot remember in `{path}` what was scanned")]
    State {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A report that is to be joined with others cannot be read.
    #[error("cannot read the report `{path}`")]
    Report {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Reports do not make a whole.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The clock cannot be right, and something depends on the day.
    #[error("cannot tell which exceptions still hold: the clock says {day}")]
    Clock {
        /// What it says.
        day: String,
    },
    /// What was asked for makes no sense.
    #[error("{why}")]
    Usage {
        /// What and why not.
        why: String,
        /// What to do instead.
        hint: &'static str,
    },
}

impl Failure {
    /// All of it for the user, cause by cause. A message may quote a name or a value from a file, and that may be a secret:
    /// so messages pass the same rules as everything else.
    pub fn told(&self) -> String {
        let mut text = format!("leakstop: error: {}", sieved(&self.to_string()));
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&format!("\n  because: {}", sieved(&error.to_string())));
            cause = error.source();
        }
        if let Some(hint) = self.hint() {
            text.push_str(&format!("\n  try: {hint}"));
        }
        text
    }

    /// Tells the audit of it, unless that is what cannot be reached.
    pub(super) fn is_recorded(&self) {
        if !matches!(self, Self::Audit(AuditError::Held { .. })) {
            recorded::failed(|| self.told());
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Change(e) => e.hint(),
            Self::Config(e) => Some(e.hint()),
            Self::Install(e) => e.hint(),
            Self::Audit(e) => Some(e.hint()),
            Self::Report { .. } => Some("name the files that `scan --history --shard K/N --format json --output FILE` wrote"),
            Self::Merge(e) => Some(e.hint()),
            Self::State { .. } => Some("let XDG_STATE_HOME name a folder that can be written, or scan without `--since-last`"),
            Self::Usage { hint, .. } => Some(hint),
            Self::Input { .. } => Some("this command is a git hook; git writes its input. By hand, use `leakstop scan`"),
            Self::Rule(_) | Self::Scan(_) | Self::Thread => Some("nothing passes while this lasts; please report it with `leakstop --version`"),
            Self::Clock { .. } => Some("set the clock of this machine; without `[[allow]]` entries no clock is needed"),
            Self::Output { .. } | Self::Write { .. } => Some("make room or make it writable, or name another place with `--output`"),
        }
    }
}

/// A text of other programs' making, fit to be shown.
pub(super) fn sieved(message: &str) -> String {
    let secrets = || -> Result<Option<Vec<Secret>>, Failure> {
        let rules = Rules::built_in()?;
        let scanned = Scanner::new(&rules).look_into(Text { path: b"", part: Part::Message, bytes: message.as_bytes() })?;
        Ok((!scanned.is_cut).then(|| scanned.hits.into_iter().filter_map(|hit| hit.raw).collect()))
    };
    match secrets() {
        Ok(None) => "the message cannot be shown, since it holds more secrets than can be masked".to_owned(),
        Ok(Some(secrets)) => Redactor::new(secrets.iter()).show(message.as_bytes()),
        Err(_) => "the message cannot be shown, since the rules that would mask it do not load".to_owned(),
    }
}
