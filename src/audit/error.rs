//! What keeps an audit from being written or read, in the user's words.

use std::path::PathBuf;

/// The audit cannot be kept, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file system refuses.
    #[error("cannot {what} the audit `{path}`")]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no place for an audit.
    #[error("cannot keep the audit in `{path}`: {why}")]
    Place {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// Others do not let go of it.
    #[error("cannot lock the audit `{path}`: another process has held it for {seconds} s")]
    Held {
        /// Which.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Its last entry does not hold.
    #[error("cannot go on with the audit `{path}`: {why}")]
    Broken {
        /// Which.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The key cannot be used.
    #[error("cannot use the key of the audit `{path}`: {why}")]
    Key {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

impl AuditError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => {
                "let the account that runs the hook read and write the file and make it in its folder, or name another one as `audit.file`. \
                 Until then nothing passes"
            }
            Self::Place { .. } => "name a plain file outside of git's own folders as `audit.file`. Until then nothing passes",
            Self::Held { .. } => "look for a process that hangs with the file open. Until it lets go nothing passes",
            Self::Broken { .. } => {
                "`leakstop audit verify` says what was altered. Move the file to where it is kept as evidence: the next run begins a new one"
            }
            Self::Key { .. } => "let `audit.key_file` name a file of at least 16 bytes that only those who write the audit can read",
        }
    }
}
