//! What can go wrong when git is read. Every one of these ends in exit code 2.

use std::path::PathBuf;

use super::objects::ObjectId;

/// A change could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The repository does not open.
    #[error("cannot open the git repository")]
    Open {
        /// Why.
        source: git2::Error,
    },
    /// Neither way to read git reads this repository.
    #[error("cannot read the git repository: neither in process nor by the program `git`")]
    Neither {
        /// Why not in process, and why not by git.
        source: BothReasons,
    },
    /// `LEAKSTOP_BACKEND` holds something else than it may.
    #[error("cannot read git as `LEAKSTOP_BACKEND` says: `{value}` is neither `git2` nor `git`")]
    Backend {
        /// As given, escaped.
        value: String,
    },
    /// An object is missing or damaged.
    #[error("cannot read the git object `{id}`")]
    Object {
        /// Which.
        id: ObjectId,
        /// Why.
        source: git2::Error,
    },
    /// An object is not what git's format says.
    #[error("the git {kind} `{id}` is malformed")]
    Malformed {
        /// Its type.
        kind: &'static str,
        /// Its id.
        id: ObjectId,
    },
    /// An object has another type than its place asks for.
    #[error("the git object `{id}` should be a {wanted}")]
    WrongKind {
        /// Its id.
        id: ObjectId,
        /// The type its place asks for.
        wanted: &'static str,
    },
    /// An object that nobody makes so large by hand.
    #[error("the git object `{id}` has {size} bytes, or is kept as its difference from a larger one; of a {kind} at most {most} are read")]
    TooLarge {
        /// What it is.
        kind: &'static str,
        /// Its id.
        id: ObjectId,
        /// Its size.
        size: u64,
        /// The limit.
        most: u64,
    },
    /// A path that no file system holds.
    #[error("in the folder `{tree}` a path has {bytes} bytes, and at most {most} are read")]
    LongPath {
        /// The folder that names it last.
        tree: ObjectId,
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// Messages of commits and tags without measure.
    #[error("the messages of {objects} commits and tags have more than {bytes} bytes")]
    Messages {
        /// How many were read.
        objects: u64,
        /// How much they hold.
        bytes: u64,
    },
    /// A few folders that stand within each other over and over.
    #[error("the folder `{tree}` is part of a bomb: {stored} entries of folders make up more than {listed} paths")]
    Bomb {
        /// The folder at which it was seen.
        tree: ObjectId,
        /// Paths listed so far.
        listed: u64,
        /// Entries they come from.
        stored: u64,
    },
    /// The system gives no thread that keeps the time.
    #[error("cannot keep the time: the system gives no thread to watch the clock")]
    NoWatch {
        /// Why.
        source: std::io::Error,
    },
    /// Something of git beside a single object did not work.
    #[error("cannot read {what}")]
    Git {
        /// What was tried.
        what: &'static str,
        /// Why.
        source: git2::Error,
    },
    /// The index holds unmerged entries.
    #[error("the index holds a path with an unresolved conflict: `{path}`")]
    Conflict {
        /// Escaped path.
        path: String,
    },
    /// Folders lie in folders without an end.
    #[error("a folder of the commit at HEAD lies in more than {most} others")]
    TooDeep {
        /// So many are read.
        most: usize,
    },
    /// A line on standard input is not what the hook protocol says.
    #[error("line {line} on standard input is not `{format}`")]
    Input {
        /// Number of the line, from 1.
        line: usize,
        /// What git's hook protocol says.
        format: &'static str,
    },
    /// A revision does not exist.
    #[error("cannot resolve the revision `{name}`")]
    Revision {
        /// As given.
        name: String,
        /// Why.
        source: git2::Error,
    },
    /// A file outside git.
    #[error("cannot read `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder walk broke off.
    #[error("cannot list the files to scan")]
    Walk {
        /// Why.
        source: ignore::Error,
    },
}

/// Why neither way to read git works.
#[derive(Debug, thiserror::Error)]
#[error("in process: {in_process}; by git: {git}")]
pub struct BothReasons {
    /// Of libgit2, or of the reader of the index.
    pub in_process: git2::Error,
    /// Of the program.
    pub git: git2::Error,
}

impl ChangeError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Open { source } if source.code() == git2::ErrorCode::NotFound => {
                Some("run it inside a git repository, or name what to read: `leakstop scan PATH`")
            }
            Self::Open { source } if source.code() == git2::ErrorCode::Owner => {
                Some("the repository belongs to another user; if you trust it: `git config --global --add safe.directory PATH`")
            }
            Self::Neither { .. } => Some("if `git status` does not work here either, mend that first; else install a newer git where leakstop runs"),
            Self::Backend { .. } => Some("unset the variable: leakstop then finds out what reads the repository"),
            Self::Open { .. } => Some("if `git status` works here, the repository uses a feature that leakstop cannot read yet; please report it"),
            Self::Object { .. } | Self::Malformed { .. } | Self::WrongKind { .. } => Some("`git fsck` tells whether the repository is damaged"),
            Self::Conflict { .. } => Some("resolve the conflict and add the file"),
            Self::Input { .. } => Some("this command is a git hook; git writes its input. By hand, use `leakstop scan --range A..B`"),
            Self::NoWatch { .. } => Some("let this account have more processes and memory (`ulimit -u`, `ulimit -v`)"),
            Self::TooLarge { .. } | Self::TooDeep { .. } | Self::LongPath { .. } | Self::Messages { .. } => {
                Some("no tool of git writes such a thing by itself; take it out of what you push")
            }
            Self::Bomb { .. } => Some("such a push fills a disk when it is checked out; take the folders out of its history"),
            Self::Git { .. } => Some("if `git status` works here, please report it; else mend that first"),
            Self::Revision { .. } => Some("`git rev-parse --verify NAME` tells what git makes of it"),
            Self::File { .. } | Self::Walk { .. } => Some("make it readable for this account, or name something else"),
        }
    }
}
