//! The one small trait through which git is read.

use std::sync::Arc;

use super::error::ChangeError;
use super::objects::ObjectId;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes of a file.
    Blob,
    /// A folder.
    Tree,
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Blob => "file",
            Self::Tree => "folder",
            Self::Commit => "commit",
            Self::Tag => "tag",
        }
    }
}

/// A folder of a million files is smaller. One and the versions before it are held at once.
pub(super) const LARGEST_TREE: u64 = 48 << 20;
/// The longest message of a commit or tag; a novel is shorter.
pub(super) const LARGEST_MESSAGE: u64 = 8 << 20;

/// An object that was read.
#[derive(Debug)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// What reading up to a limit gives.
#[derive(Debug)]
pub enum UpTo {
    /// The object. It is shared with the cache of those read lately, as it is most often the base of the next one.
    Whole(Arc<Object>),
    /// It has so many bytes, which is over the limit.
    Larger(Kind, u64),
}

/// Whether the owner of the repository's folder is checked before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// git itself runs us as a hook, so it has accepted the repository.
    GitAccepted,
    /// git runs us as a hook of a server: it has accepted the repository, and the environment may be the pusher's.
    Receiving,
    /// A person names the repository: refuse another user's, as git does.
    CheckOwner,
}

/// One path on which the index and `HEAD` differ.
#[derive(Clone, Debug)]
pub struct StagedEntry {
    /// Path from the root.
    pub path: Vec<u8>,
    /// Mode and id in `HEAD`.
    pub old: Option<(u32, ObjectId)>,
    /// Mode and id in the index.
    pub new: Option<(u32, ObjectId)>,
}

/// What leakstop needs of git. Everything else (tree walks, attribution) is built on it, so that two ways to read a
/// repository cannot differ in what they find.
pub trait Store {
    /// Type and size in bytes, without reading the content.
    fn header(&self, id: ObjectId) -> Result<(Kind, u64), ChangeError>;
    /// Reads an object into `into`, which is overwritten.
    fn read(&self, id: ObjectId, into: &mut Vec<u8>) -> Result<Kind, ChangeError>;
    /// Reads an object unless it has more than `limit` bytes.
    fn read_up_to(&self, id: ObjectId, limit: u64) -> Result<UpTo, ChangeError> {
        match self.header(id)? {
            (kind, size) if size > limit => Ok(UpTo::Larger(kind, size)),
            _ => {
                let mut bytes = Vec::new();
                let kind = self.read(id, &mut bytes)?;
                Ok(UpTo::Whole(Arc::new(Object { kind, bytes })))
            }
        }
    }
    /// Reads an object that is no blob of a user's, so that it is small, into `into`, which is overwritten.
    fn read_small(&self, id: ObjectId, most: u64, into: &mut Vec<u8>) -> Result<Kind, ChangeError> {
        match self.read_up_to(id, most)? {
            UpTo::Whole(object) => {
                into.clear();
                into.extend_from_slice(&object.bytes);
                Ok(object.kind)
            }
            UpTo::Larger(kind, size) => Err(ChangeError::TooLarge { kind: kind.name(), id, size, most }),
        }
    }
    /// Many objects will be read from now on: what makes each of them faster may now take some time.
    fn expect_many(&self) {}
    /// Reads a blob that may be too large to be held: hands its bytes on in parts, in order. What `take` says no to ends it
    /// early. False where only the whole could be read.
    fn read_in_parts(&self, id: ObjectId, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, ChangeError>;
    /// True when the object is there.
    fn holds(&self, id: ObjectId) -> bool;
    /// All refs with the id they hold (not peeled), in the order of their names.
    fn references(&self) -> Result<Vec<(Vec<u8>, ObjectId)>, ChangeError>;
    /// The commit at `HEAD`; `None` before the first commit.
    fn head(&self) -> Result<Option<ObjectId>, ChangeError>;
    /// The commits reachable from `tips` and not from `known`, parents before children. Ids in `known` that are no
    /// commits or are not here count for nothing.
    fn new_commits(&self, tips: &[ObjectId], known: &[ObjectId]) -> Result<Vec<ObjectId>, ChangeError>;
    /// The commits of a shallow repository or push whose parents are cut off: they count as first commits.
    fn cut_off(&self) -> Result<Vec<ObjectId>, ChangeError>;
    /// The paths on which the index named by git's environment differs from the tree `base`, in path order.
    fn staged(&self, base: Option<ObjectId>) -> Result<Vec<StagedEntry>, ChangeError>;
    /// The blob that the index holds at `path`, if any.
    fn staged_blob(&self, path: &[u8]) -> Result<Option<ObjectId>, ChangeError>;
    /// Resolves what a person writes for a commit.
    fn revision(&self, name: &str) -> Result<ObjectId, ChangeError>;
    /// A value of git's configuration, as text; `None` where it is not set. That it cannot be read is no "not set".
    fn setting(&self, key: &str) -> Result<Option<String>, ChangeError>;
    /// The values of all settings whose name the regular expression fits, in the order in which git reads them. In names
    /// all but the middle part is in small letters.
    fn settings(&self, names: &str) -> Result<Vec<Vec<u8>>, ChangeError>;
    /// The private git folder of this work tree (where `MERGE_HEAD` lies).
    fn git_dir(&self) -> std::path::PathBuf;
    /// The root of the work tree, where there is one.
    fn work_tree(&self) -> Option<std::path::PathBuf>;
}
