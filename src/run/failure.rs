//! Everything that ends in exit code 2, in the user's words.

use std::path::PathBuf;

use crate::change::ChangeError;
use crate::config::ConfigError;
use crate::install::InstallError;
use crate::rules::RuleError;
use crate::scan::ScanError;

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
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Change(e) => e.hint(),
            Self::Config(e) => Some(e.hint()),
            Self::Install(e) => e.hint(),
            Self::Usage { hint, .. } => Some(hint),
            Self::Input { .. } => Some("this command is a git hook; git writes its input. By hand, use `leakstop scan`"),
            Self::Rule(_) | Self::Scan(_) | Self::Thread => Some("nothing passes while this lasts; please report it with `leakstop --version`"),
            Self::Output { .. } | Self::Write { .. } => None,
        }
    }
}
