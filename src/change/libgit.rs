//! git read in process, through git2.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;

use git2::{ErrorCode, ObjectType, Oid, Repository};

use super::child::failed;
use super::compared::compared;
use super::error::ChangeError;
use super::index::{Index, index_file};
use super::new_commits::new_commits;
use super::objects::ObjectId;
use super::packs::{Packs, object_folders};
use super::parts::{self, blob_in_parts};
use super::shallow;
use super::store::{Kind, Object, StagedEntry, Store, Trust, UpTo};

/// A repository opened from git's environment (`GIT_DIR`, `GIT_INDEX_FILE`, the quarantine's object folders).
pub(super) struct LibGit {
    repo: Repository,
    /// Reads most objects instead of libgit2 once many are to be read.
    packs: OnceCell<Packs>,
    index: OnceCell<Index>,
}

impl LibGit {
    /// Opens what git's environment names, or else the repository around the current folder.
    ///
    /// # Errors
    /// No repository, another user's, or one with a feature libgit2 does not know.
    pub(super) fn open(trust: Trust) -> Result<Self, ChangeError> {
        // The object database of a hook was just written by git itself, which checks every hash: a second check would
        // double the time of reading (measured 0.57 s against 1.22 s on 347 MB) and find nothing.
        git2::opts::strict_hash_verification(false);
        if trust != Trust::CheckOwner {
            skip_owner_check().map_err(|source| ChangeError::Open { source })?;
        }
        let repo = Repository::open_from_env().map_err(|source| ChangeError::Open { source })?;
        if repo.commondir().join("info/grafts").exists() {
            let source = failed("it follows `info/grafts`, which shows other parents than commits name".to_owned());
            return Err(ChangeError::Open { source });
        }
        // With a namespace it would show some refs under shorter names, and others not at all.
        repo.remove_namespace().map_err(|source| ChangeError::Open { source })?;
        Ok(Self { repo, packs: OnceCell::new(), index: OnceCell::new() })
    }

    /// The index, read once. One that is split or sparse is refused only here.
    pub(super) fn index(&self) -> Result<&Index, git2::Error> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let index = Index::read(&index_file(self.repo.path(), || self.work_tree()))?;
        Ok(self.index.get_or_init(|| index))
    }

    /// git's configuration. libgit2 overlooks a file that it cannot look at: so the repository's own is read again, where
    /// that is an error.
    fn config(&self) -> Result<git2::Config, git2::Error> {
        let config = self.repo.config()?.snapshot()?;
        let mut own = git2::Config::new()?;
        own.add_file(&self.repo.commondir().join("config"), git2::ConfigLevel::Local, false)?;
        let count = |config: &git2::Config| -> Result<usize, git2::Error> {
            let (mut entries, mut count) = (config.entries(None)?, 0);
            while let Some(entry) = entries.next() {
                count += usize::from(entry?.level() == git2::ConfigLevel::Local);
            }
            Ok(count)
        };
        // A conditional include counts for the repository's alone.
        if count(&config)? >= count(&own)? { Ok(config) } else { Err(failed("libgit2 did not read all of it".to_owned())) }
    }

    fn header_by_libgit(&self, id: ObjectId) -> Result<(Kind, u64), ChangeError> {
        let failed = |source| ChangeError::Object { id, source };
        let odb = self.repo.odb().map_err(failed)?;
        let (size, kind) = odb.read_header(theirs(id)?).map_err(failed)?;
        Ok((kind_of(id, kind)?, size as u64))
    }

    fn read_by_libgit(&self, id: ObjectId, into: &mut Vec<u8>) -> Result<Kind, ChangeError> {
        let failed = |source| ChangeError::Object { id, source };
        let odb = self.repo.odb().map_err(failed)?;
        let object = odb.read(theirs(id)?).map_err(failed)?;
        into.clear();
        into.extend_from_slice(object.data());
        kind_of(id, object.kind())
    }

    fn tree_of(&self, commit: Oid) -> Result<ObjectId, ChangeError> {
        let failed = |source| ChangeError::Object { id: ours(commit), source };
        Ok(ours(self.repo.find_commit(commit).map_err(failed)?.tree_id()))
    }
}

/// git has accepted the repository before it runs a hook, and skips its own check where `GIT_DIR` is set; libgit2 does not.
#[expect(unsafe_code, reason = "git2 marks the option unsafe because it is global: it is set once, before the first repository opens")]
fn skip_owner_check() -> Result<(), git2::Error> {
    unsafe { git2::opts::set_verify_owner_validation(false) }
}

impl Store for LibGit {
    fn header(&self, id: ObjectId) -> Result<(Kind, u64), ChangeError> {
        match self.packs.get().and_then(|packs| packs.header(id)) {
            Some(header) => Ok(header),
            None => self.header_by_libgit(id),
        }
    }

    fn read(&self, id: ObjectId, into: &mut Vec<u8>) -> Result<Kind, ChangeError> {
        match self.packs.get().and_then(|packs| packs.read(id, u64::MAX)) {
            Some(UpTo::Whole(object)) => {
                into.clear();
                into.extend_from_slice(&object.bytes);
                Ok(object.kind)
            }
            _ => self.read_by_libgit(id, into),
        }
    }

    fn read_up_to(&self, id: ObjectId, limit: u64) -> Result<UpTo, ChangeError> {
        match self.packs.get().and_then(|packs| packs.read(id, limit)) {
            Some(UpTo::Larger(Kind::Blob, size)) if size <= limit => return self.read_by_git(id, size),
            Some(read) => return Ok(read),
            None => {}
        }
        let (kind, size) = self.header_by_libgit(id)?;
        if size > limit {
            return Ok(UpTo::Larger(kind, size));
        }
        let mut bytes = Vec::new();
        let kind = self.read_by_libgit(id, &mut bytes)?;
        Ok(UpTo::Whole(Arc::new(Object { kind, bytes })))
    }

    fn expect_many(&self) {
        self.packs.get_or_init(|| Packs::open(&object_folders(&self.repo.commondir().join("objects"))));
    }

    fn read_in_parts(&self, id: ObjectId, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, ChangeError> {
        let failed = |why: std::io::Error| ChangeError::Object { id, source: super::child::failed(why.to_string()) };
        // libgit2 reads a loose object in parts, and a packed one only as a whole: git itself does better there.
        let odb = self.repo.odb().map_err(|source| ChangeError::Object { id, source })?;
        let Ok((mut reader, size, _)) = odb.reader(theirs(id)?) else { return blob_in_parts(id, take) };
        parts::hand_on(&mut reader, size as u64, take).map_err(failed)?;
        Ok(true)
    }

    fn holds(&self, id: ObjectId) -> bool {
        self.packs.get().is_some_and(|packs| packs.holds(id)) || theirs(id).is_ok_and(|oid| self.repo.odb().is_ok_and(|odb| odb.exists(oid)))
    }

    fn references(&self) -> Result<Vec<(Vec<u8>, ObjectId)>, ChangeError> {
        let failed = |source| ChangeError::Git { what: "the refs", source };
        let mut refs = Vec::new();
        for reference in self.repo.references().map_err(failed)? {
            let reference = reference.map_err(failed)?;
            // A symbolic ref points at another one, which is listed itself.
            if let Some(target) = reference.target() {
                refs.push((reference.name_bytes().to_vec(), ours(target)));
            }
        }
        refs.sort_unstable();
        Ok(refs)
    }

    fn head(&self) -> Result<Option<ObjectId>, ChangeError> {
        match self.repo.head() {
            Ok(head) => {
                let commit = head.peel_to_commit().map_err(|source| ChangeError::Git { what: "the commit at HEAD", source })?;
                Ok(Some(ours(commit.id())))
            }
            Err(e) if matches!(e.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => Ok(None),
            Err(source) => Err(ChangeError::Git { what: "HEAD", source }),
        }
    }

    fn new_commits(&self, tips: &[ObjectId], known: &[ObjectId]) -> Result<Vec<ObjectId>, ChangeError> {
        new_commits(self, tips, known)
    }

    fn cut_off(&self) -> Result<Vec<ObjectId>, ChangeError> {
        shallow::boundary(self.repo.commondir())
    }

    fn staged(&self, base: Option<ObjectId>) -> Result<Vec<StagedEntry>, ChangeError> {
        let index = self.index().map_err(|source| ChangeError::Git { what: "the index", source })?;
        compared(index, self, base.map(|commit| self.tree_of(theirs(commit)?)).transpose()?)
    }

    fn staged_blob(&self, path: &[u8]) -> Result<Option<ObjectId>, ChangeError> {
        let index = self.index().map_err(|source| ChangeError::Git { what: "the index", source })?;
        Ok(index.find(path).map(|entry| entry.id))
    }

    fn revision(&self, name: &str) -> Result<ObjectId, ChangeError> {
        let found = self.repo.revparse_single(name).and_then(|object| object.peel_to_commit());
        found.map(|commit| ours(commit.id())).map_err(|source| ChangeError::Revision { name: name.escape_debug().to_string(), source })
    }

    fn setting(&self, key: &str) -> Result<Option<String>, ChangeError> {
        match self.config().and_then(|config| config.get_string(key)) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(ChangeError::Git { what: "git's configuration", source }),
        }
    }

    fn settings(&self, names: &str) -> Result<Vec<Vec<u8>>, ChangeError> {
        let failed = |source| ChangeError::Git { what: "git's configuration", source };
        let config = self.config().map_err(failed)?;
        let mut entries = config.entries(Some(names)).map_err(failed)?;
        let mut values = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(failed)?;
            if entry.has_value() {
                values.push(entry.value_bytes().to_vec());
            }
        }
        Ok(values)
    }

    fn git_dir(&self) -> PathBuf {
        self.repo.path().to_owned()
    }

    fn work_tree(&self) -> Option<PathBuf> {
        self.repo.workdir().map(ToOwned::to_owned)
    }
}

impl LibGit {
    /// Reads a small blob that rests on a huge one: as a whole, since what is read in parts is not looked at as closely.
    fn read_by_git(&self, id: ObjectId, size: u64) -> Result<UpTo, ChangeError> {
        let mut bytes = Vec::new();
        let is_read = self.read_in_parts(id, &mut |part| {
            bytes.extend_from_slice(part);
            bytes.len() as u64 <= size
        })?;
        if is_read && bytes.len() as u64 != size {
            return Err(ChangeError::Malformed { kind: "blob", id });
        }
        Ok(if is_read { UpTo::Whole(Arc::new(Object { kind: Kind::Blob, bytes })) } else { UpTo::Larger(Kind::Blob, size) })
    }
}

fn ours(oid: Oid) -> ObjectId {
    // git2 hands out 20 bytes, or 32 in a SHA-256 build: both are ids. The null id stands for what cannot be.
    ObjectId::from_bytes(oid.as_bytes()).unwrap_or_else(ObjectId::null)
}

fn theirs(id: ObjectId) -> Result<Oid, ChangeError> {
    Oid::from_bytes(id.as_bytes()).map_err(|source| ChangeError::Object { id, source })
}

fn kind_of(id: ObjectId, kind: ObjectType) -> Result<Kind, ChangeError> {
    match kind {
        ObjectType::Blob => Ok(Kind::Blob),
        ObjectType::Tree => Ok(Kind::Tree),
        ObjectType::Commit => Ok(Kind::Commit),
        ObjectType::Tag => Ok(Kind::Tag),
        ObjectType::Any => Err(ChangeError::Malformed { kind: "object", id }),
    }
}
