//! Which of the two ways to read git is taken. It is decided once, when the repository opens, so that one run sees one
//! repository: libgit2 where it can, because it needs no `git` beside it and starts at once; git where libgit2 cannot;
//! and git for the index alone where its form is git's own business.

use std::path::PathBuf;

use git2::ErrorCode;

use super::child::{Git, failed};
use super::error::{BothReasons, ChangeError};
use super::git_index::GitIndex;
use super::libgit::LibGit;
use super::objects::ObjectId;
use super::plumbing::Plumbing;
use super::promised::is_promised;
use super::shallow;
use super::store::{Kind, StagedEntry, Store, Trust, UpTo};

/// Forces one way, for tests. Both are equally strict, so nothing is weakened: what the named one cannot read is an error.
/// On a server it counts for nothing, since nothing of the pusher's environment does.
const VARIABLE: &str = "LEAKSTOP_BACKEND";

/// A way to read git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// libgit2, in process.
    Git2,
    /// The plumbing commands of git.
    Git,
}

/// A repository, with the way to read it that was found.
pub struct Repository {
    store: Box<dyn Store>,
    /// Reads the index instead of `store`, where that is needed.
    index: Option<GitIndex>,
    /// True where libgit2 reads, and git may be asked what libgit2 cannot answer.
    may_ask_git: bool,
    how: String,
}

impl Repository {
    fn whole(store: impl Store + 'static, how: &str) -> Self {
        Self { store: Box::new(store), index: None, may_ask_git: false, how: how.to_owned() }
    }

    /// Who reads it, and why not another.
    pub fn how(&self) -> &str {
        &self.how
    }
}

const FORCED: &str = ", as it was told to";

/// Opens what git's environment names, or else the repository around the current folder.
///
/// # Errors
/// No repository, another user's, or one that neither libgit2 nor git reads.
pub fn open(trust: Trust) -> Result<Repository, ChangeError> {
    let forced = if trust == Trust::Receiving { None } else { from_environment()? };
    open_by(trust, forced)
}

/// As [`open`], by a way that may be forced on the command line, whatever the environment says.
///
/// # Errors
/// As [`open`].
pub fn open_by(trust: Trust, forced: Option<Backend>) -> Result<Repository, ChangeError> {
    let git = || Plumbing::open(Git::FromEnvironment, trust);
    match forced {
        None => {}
        Some(Backend::Git2) => return LibGit::open(trust).map(|store| Repository::whole(store, &format!("libgit2{FORCED}"))),
        Some(Backend::Git) => {
            return git().map(|store| Repository::whole(store, &format!("git{FORCED}"))).map_err(|source| ChangeError::Open { source });
        }
    }
    let libgit = match LibGit::open(trust) {
        Ok(_) if shallow::file_of_push().is_some() => failed("it does not know GIT_SHALLOW_FILE, which a shallow push sets".to_owned()),
        Ok(store) => return with_index(store),
        // Outside a repository git would say the same.
        Err(ChangeError::Open { source }) if source.code() == ErrorCode::NotFound => return Err(ChangeError::Open { source }),
        // Another user's repository stays refused: the second way is no way around the first one's answer.
        Err(ChangeError::Open { source }) if source.code() == ErrorCode::Owner && trust == Trust::CheckOwner => {
            return Err(ChangeError::Open { source });
        }
        Err(ChangeError::Open { source }) => source,
        Err(error) => return Err(error),
    };
    match git() {
        Ok(store) => Ok(Repository::whole(store, &format!("git, since libgit2 does not: {}", libgit.message()))),
        Err(git) => Err(ChangeError::Neither { source: BothReasons { in_process: libgit, git } }),
    }
}

fn from_environment() -> Result<Option<Backend>, ChangeError> {
    match std::env::var_os(VARIABLE).map(|value| value.into_encoded_bytes()).as_deref() {
        None | Some(b"") => Ok(None),
        Some(b"git2") => Ok(Some(Backend::Git2)),
        Some(b"git") => Ok(Some(Backend::Git)),
        Some(value) => Err(ChangeError::Backend { value: value.escape_ascii().to_string() }),
    }
}

/// Finds out who reads the index. What was read of it is kept, by either: the question costs nothing, as every hook of a work
/// tree needs the index.
fn with_index(store: LibGit) -> Result<Repository, ChangeError> {
    let Err(refused) = store.index().map(|_| ()) else {
        return Ok(Repository { may_ask_git: true, ..Repository::whole(store, "libgit2") });
    };
    let index = GitIndex::new(Git::FromEnvironment);
    match index.probe(store.head()?) {
        Ok(()) => {
            let how = format!("libgit2, and the index by git, since {}", refused.message());
            Ok(Repository { index: Some(index), ..Repository::whole(store, &how) })
        }
        Err(git) => Err(ChangeError::Neither { source: BothReasons { in_process: refused, git } }),
    }
}

impl Store for Repository {
    fn staged(&self, base: Option<ObjectId>) -> Result<Vec<StagedEntry>, ChangeError> {
        match &self.index {
            Some(index) => index.staged(base),
            None => match self.store.staged(base) {
                // Of a partial clone folders may be missing that git need not read.
                Err(error) if self.may_ask_git && is_promised(self, &error)? => GitIndex::new(Git::FromEnvironment).staged(base),
                staged => staged,
            },
        }
    }

    fn staged_blob(&self, path: &[u8]) -> Result<Option<ObjectId>, ChangeError> {
        match &self.index {
            Some(index) => index.blob(&*self.store, path),
            None => self.store.staged_blob(path),
        }
    }

    fn header(&self, id: ObjectId) -> Result<(Kind, u64), ChangeError> {
        self.store.header(id)
    }

    fn read(&self, id: ObjectId, into: &mut Vec<u8>) -> Result<Kind, ChangeError> {
        self.store.read(id, into)
    }

    fn read_up_to(&self, id: ObjectId, limit: u64) -> Result<UpTo, ChangeError> {
        self.store.read_up_to(id, limit)
    }

    fn expect_many(&self) {
        self.store.expect_many();
    }

    fn read_in_parts(&self, id: ObjectId, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, ChangeError> {
        self.store.read_in_parts(id, take)
    }

    fn holds(&self, id: ObjectId) -> bool {
        self.store.holds(id)
    }

    fn references(&self) -> Result<Vec<(Vec<u8>, ObjectId)>, ChangeError> {
        self.store.references()
    }

    fn head(&self) -> Result<Option<ObjectId>, ChangeError> {
        self.store.head()
    }

    fn new_commits(&self, tips: &[ObjectId], known: &[ObjectId]) -> Result<Vec<ObjectId>, ChangeError> {
        self.store.new_commits(tips, known)
    }

    fn cut_off(&self) -> Result<Vec<ObjectId>, ChangeError> {
        self.store.cut_off()
    }

    fn revision(&self, name: &str) -> Result<ObjectId, ChangeError> {
        self.store.revision(name)
    }

    fn setting(&self, key: &str) -> Result<Option<String>, ChangeError> {
        self.store.setting(key)
    }

    fn settings(&self, names: &str) -> Result<Vec<Vec<u8>>, ChangeError> {
        self.store.settings(names)
    }

    fn git_dir(&self) -> PathBuf {
        self.store.git_dir()
    }

    fn work_tree(&self) -> Option<PathBuf> {
        self.store.work_tree()
    }
}
