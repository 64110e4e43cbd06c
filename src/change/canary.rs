//! A change with a planted canary, made beside a repository without touching it, to prove that an installed hook blocks.
//! The objects lie in a temporary store that git's environment adds to the repository's own.

use std::ffi::OsString;
use std::path::Path;

use git2::{Index, IndexEntry, IndexTime, Oid, Repository, Signature};
use tempfile::TempDir;

use super::error::ChangeError;

/// A staged file with a canary: for `pre-commit` and `pre-merge-commit`.
pub struct CanaryStage {
    folder: TempDir,
}

/// A commit with a canary: for `pre-push` and `pre-receive`.
pub struct CanaryPush {
    folder: TempDir,
    commit: Oid,
}

/// Name of the canary's file; long enough that nobody has it.
const FILE: &str = "leakstop-canary-7c1f.txt";

impl CanaryStage {
    /// An index that holds one file with `text`.
    ///
    /// # Errors
    /// The temporary folder or the objects cannot be written.
    pub fn new(text: &[u8]) -> Result<Self, ChangeError> {
        let (folder, repo) = temporary()?;
        let blob = repo.blob(text).map_err(failed)?;
        let mut index = Index::open(&folder.path().join("index")).map_err(failed)?;
        index.add(&entry(blob, text.len())).and_then(|()| index.write()).map_err(failed)?;
        Ok(Self { folder })
    }

    /// Variables that make a hook of the repository at `git_dir` see this index.
    pub fn environment(&self, git_dir: &Path) -> Vec<(OsString, OsString)> {
        let mut env = objects(self.folder.path(), git_dir);
        env.push(("GIT_INDEX_FILE".into(), self.folder.path().join("index").into()));
        env
    }
}

impl CanaryPush {
    /// A commit without parents that holds one file with `text`.
    ///
    /// # Errors
    /// The temporary folder or the objects cannot be written.
    pub fn new(text: &[u8]) -> Result<Self, ChangeError> {
        let (folder, repo) = temporary()?;
        let commit = (|| {
            let mut tree = repo.treebuilder(None)?;
            tree.insert(FILE, repo.blob(text)?, 0o100_644)?;
            let tree = repo.find_tree(tree.write()?)?;
            let who = Signature::now("leakstop", "leakstop@localhost")?;
            repo.commit(None, &who, &who, "canary", &tree, &[])
        })();
        Ok(Self { commit: commit.map_err(failed)?, folder })
    }

    /// Variables that make a hook of the repository at `git_dir` see the commit.
    pub fn environment(&self, git_dir: &Path) -> Vec<(OsString, OsString)> {
        objects(self.folder.path(), git_dir)
    }

    /// What git would write to `pre-receive` for a new branch.
    pub fn received(&self) -> String {
        format!("{} {} refs/heads/leakstop-canary\n", Oid::ZERO_SHA1, self.commit)
    }

    /// What git would write to `pre-push` for a new branch.
    pub fn to_push(&self) -> String {
        format!("refs/heads/leakstop-canary {} refs/heads/leakstop-canary {}\n", self.commit, Oid::ZERO_SHA1)
    }
}

fn temporary() -> Result<(TempDir, Repository), ChangeError> {
    let folder = tempfile::Builder::new().prefix("leakstop-canary").tempdir();
    let folder = folder.map_err(|source| ChangeError::File { path: std::env::temp_dir(), source })?;
    let repo = Repository::init_bare(folder.path()).map_err(failed)?;
    Ok((folder, repo))
}

fn objects(folder: &Path, git_dir: &Path) -> Vec<(OsString, OsString)> {
    vec![("GIT_DIR".into(), git_dir.into()), ("GIT_ALTERNATE_OBJECT_DIRECTORIES".into(), folder.join("objects").into())]
}

fn entry(blob: Oid, size: usize) -> IndexEntry {
    let never = IndexTime::new(0, 0);
    IndexEntry {
        ctime: never,
        mtime: never,
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: size as u32,
        id: blob,
        flags: FILE.len() as u16,
        flags_extended: 0,
        path: FILE.into(),
    }
}

fn failed(source: git2::Error) -> ChangeError {
    ChangeError::Git { what: "the canary's temporary repository", source }
}
