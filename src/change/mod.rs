//! What is new? The only room that knows git. It imports nothing of ours.
//!
//! A change source ([`staged`], [`pushed`], `message`, `tree`) makes a [`ChangeSet`]: the list of what is new, without
//! its bytes. [`Store`] reads the bytes, each object once. [`Novelty`] answers, for the few items in which something was
//! found, whether it was there before.

mod batch;
mod canary;
mod changed;
mod child;
mod compared;
mod delta;
mod diff;
mod error;
mod git_index;
mod hidden;
mod id_map;
mod in_parts;
mod index;
mod lfs;
mod libgit;
mod message;
mod new_commits;
mod objects;
mod open;
mod order;
mod overrides;
mod pack_file;
mod packs;
mod parts;
mod place;
mod plumbing;
mod promised;
mod pushed;
mod remote;
mod scratch;
mod shallow;
mod shard;
mod signature;
mod staged;
mod store;
mod tracked;
mod tree;
mod trees;
mod updates;
mod watch;

pub use canary::{CanaryPush, CanaryStage};
pub use changed::{changed_parts, with_neighbours};
pub use diff::{Before, Earlier, Novelty};
pub use error::ChangeError;
pub use git_index::differences;
pub use hidden::{HiddenRefs, accepted, head_of_push};
pub use in_parts::Take;
pub use index::index_paths;
pub use lfs::is_lfs_pointer;
pub use message::message_as_stored;
pub use objects::ObjectId;
pub use open::{Backend, Repository, open, open_by};
pub use place::{GitPlace, hooks_as_git_says, hooks_dir};
pub use promised::is_promised;
pub use pushed::{history, pushed, range};
pub use remote::known_to;
pub use scratch::{Attempt, attempt};
pub use shard::{ListHash, Shard, Share};
pub use staged::{commit_of, file_in_commit, merge_parents, staged};
pub use store::{Kind, Object, StagedEntry, Store, Trust, UpTo};
pub use tracked::tracked;
pub use tree::{Files, files};
pub use updates::{PrePush, RefUpdate};
pub use watch::{GaveUp, PROGRESS, Progress, arm, set_deadline, set_git_seconds};

use std::path::PathBuf;

/// Which part of a repository a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A file's bytes, or a symbolic link's target.
    Content,
    /// A commit's message.
    Message,
    /// A commit's author or committer line.
    Author,
    /// An annotated tag: its tagger and message.
    Tag,
    /// The name of a ref.
    Ref,
    /// The name of a file.
    Path,
}

/// Index of a commit in [`ChangeSet::commits`].
pub type CommitIndex = u32;

/// A file's version that is not in the parents at the same path.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Path from the repository's root.
    pub path: Box<[u8]>,
    /// The blob; `None` for a submodule, of which only the name is ours, and for an empty folder.
    pub blob: Option<ObjectId>,
    /// The version at the same path in one of the parents: what both share is not new.
    pub before: Option<ObjectId>,
    /// True when no parent has this path, so that the name itself is new.
    pub path_is_new: bool,
    /// The commit that brings it, in a push.
    pub commit: Option<CommitIndex>,
    /// Index in [`ChangeSet::refs`] of the ref that names it where no commit does: a tag of a file or folder.
    pub reference: Option<u32>,
}

/// A text that is not a file.
#[derive(Clone, Debug)]
pub struct NewText {
    /// What it is.
    pub part: Part,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The commit it belongs to.
    pub commit: Option<CommitIndex>,
    /// The ref it belongs to, where no commit says it.
    pub reference: Option<Vec<u8>>,
}

/// A commit of a push.
#[derive(Clone, Debug)]
pub struct NewCommit {
    /// Its id.
    pub id: ObjectId,
    /// Trees of its parents: what was there before.
    pub parent_trees: Vec<ObjectId>,
    /// Its own tree.
    pub tree: ObjectId,
    /// Index in [`ChangeSet::refs`] of the first pushed ref that reaches it.
    pub reference: Option<u32>,
}

/// All that is new, without the bytes of the files.
#[derive(Debug, Default)]
pub struct ChangeSet {
    /// New versions of files, those of older commits first.
    pub files: Vec<NewFile>,
    /// New messages, author lines, tags and ref names.
    pub texts: Vec<NewText>,
    /// The commits of a push, parents before children.
    pub commits: Vec<NewCommit>,
    /// Names of the pushed refs.
    pub refs: Vec<Vec<u8>>,
    /// For a change that is no commit yet: the trees it is compared with (`HEAD`, and the other parents of a merge).
    pub base_trees: Vec<ObjectId>,
    /// For a change that is no commit yet: files that it removes, as (path, blob).
    pub removed: Vec<(Box<[u8]>, ObjectId)>,
    /// For the commits of a push: ignore lists that one of them removes, as (path, blob, commit).
    pub removed_lists: Vec<(Box<[u8]>, ObjectId, CommitIndex)>,
    /// New folders that cannot be listed: a partial clone lacks them.
    pub unread: Vec<Unread>,
}

/// Something that was not read, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Path in the repository, or what else names it.
    pub path: Vec<u8>,
    /// The reason, in words for the user.
    pub why: String,
}

/// What was looked at.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Versions of files.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Commits.
    pub commits: u64,
    /// Unique blobs.
    pub blobs: u64,
    /// Refs of a push.
    pub refs: u64,
    /// Blobs that were not read again: an earlier run read them and found nothing.
    pub remembered: u64,
    /// What was not read.
    pub unread: Vec<Unread>,
    /// Files in which more was found than is listed: nobody can say that the rest of it is harmless.
    pub beyond: Vec<Unread>,
    /// Pointers of Git LFS: they were read, what they stand for is not in git.
    pub lfs: Vec<Unread>,
}

/// A file of the work tree or elsewhere on disk, found by [`files`].
#[derive(Clone, Debug)]
pub struct DiskFile {
    /// Where it is read from.
    pub file: PathBuf,
    /// Path for the report: relative to the repository's root, or to the current folder outside one.
    pub path: Vec<u8>,
}
