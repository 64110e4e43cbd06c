//! A change with a planted canary, made beside a repository without touching it, to prove that an installed hook blocks.
//! The objects lie in a temporary store that git's environment adds to the repository's own, so they have its hash: libgit2
//! makes those of SHA-1, and git those of SHA-256.

use std::ffi::OsString;
use std::path::Path;

use git2::{Index, IndexEntry, IndexTime, Repository, Signature};
use tempfile::TempDir;

use super::child::Git;
use super::error::ChangeError;
use super::objects::ObjectId;
use super::place::GitPlace;

/// A staged file with a canary: for `pre-commit` and `pre-merge-commit`.
pub struct CanaryStage {
    folder: TempDir,
}

/// A commit with a canary: for `pre-push` and `pre-receive`.
pub struct CanaryPush {
    folder: TempDir,
    commit: ObjectId,
}

/// Name of the canary's file; long enough that nobody has it.
const FILE: &str = "leakstop-canary-7c1f.txt";

impl CanaryStage {
    /// An index that holds one file with `text`, for the repository at `place`.
    ///
    /// # Errors
    /// The temporary folder or the objects cannot be written.
    pub fn new(text: &[u8], place: &GitPlace) -> Result<Self, ChangeError> {
        let folder = temporary()?;
        let made = if place.sha256 { stage_sha256(folder.path(), text) } else { stage(folder.path(), text) };
        made.map_err(failed)?;
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
    /// A commit without parents that holds one file with `text`, for the repository at `place`.
    ///
    /// # Errors
    /// The temporary folder or the objects cannot be written.
    pub fn new(text: &[u8], place: &GitPlace) -> Result<Self, ChangeError> {
        let folder = temporary()?;
        let commit = if place.sha256 { commit_sha256(folder.path(), text) } else { commit(folder.path(), text) };
        Ok(Self { commit: commit.map_err(failed)?, folder })
    }

    /// Variables that make a hook of the repository at `git_dir` see the commit.
    pub fn environment(&self, git_dir: &Path) -> Vec<(OsString, OsString)> {
        objects(self.folder.path(), git_dir)
    }

    /// What git would write to `pre-receive` for a new branch.
    pub fn received(&self) -> String {
        format!("{} {} refs/heads/leakstop-canary\n", self.nothing(), self.commit)
    }

    /// What git would write to `pre-push` for a new branch.
    pub fn to_push(&self) -> String {
        format!("refs/heads/leakstop-canary {} refs/heads/leakstop-canary {}\n", self.commit, self.nothing())
    }

    /// The id that git writes for a branch that does not exist yet.
    fn nothing(&self) -> String {
        "0".repeat(2 * self.commit.as_bytes().len())
    }
}

pub(super) fn temporary() -> Result<TempDir, ChangeError> {
    let folder = tempfile::Builder::new().prefix("leakstop-canary").tempdir();
    folder.map_err(|source| ChangeError::File { path: std::env::temp_dir(), source })
}

fn stage(folder: &Path, text: &[u8]) -> Result<(), git2::Error> {
    let blob = Repository::init_bare(folder)?.blob(text)?;
    let mut index = Index::open(&folder.join("index"))?;
    index.add(&entry(blob, text.len()))?;
    index.write()
}

fn stage_sha256(folder: &Path, text: &[u8]) -> Result<(), git2::Error> {
    let git = init_sha256(folder)?;
    let blob = made(git.ask(&["hash-object", "-w", "--stdin"], text)?)?;
    git.ask(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{FILE}")], b"").map(|_| ())
}

fn commit(folder: &Path, text: &[u8]) -> Result<ObjectId, git2::Error> {
    let repo = Repository::init_bare(folder)?;
    let mut tree = repo.treebuilder(None)?;
    tree.insert(FILE, repo.blob(text)?, 0o100_644)?;
    let tree = repo.find_tree(tree.write()?)?;
    let who = Signature::now("leakstop", "leakstop@localhost")?;
    made(repo.commit(None, &who, &who, "canary", &tree, &[])?.to_string().into_bytes())
}

fn commit_sha256(folder: &Path, text: &[u8]) -> Result<ObjectId, git2::Error> {
    let git = init_sha256(folder)?;
    let blob = made(git.ask(&["hash-object", "-w", "--stdin"], text)?)?;
    let tree = made(git.ask(&["mktree"], format!("100644 blob {blob}\t{FILE}\n").as_bytes())?)?;
    let who = "leakstop <leakstop@localhost> 1 +0000";
    let commit = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\ncanary\n");
    made(git.ask(&["hash-object", "-w", "-t", "commit", "--stdin"], commit.as_bytes())?)
}

fn init_sha256(folder: &Path) -> Result<Git, git2::Error> {
    let git = Git::At(folder.to_owned());
    git.ask(&["init", "--quiet", "--bare", "--template=", "--object-format=sha256"], b"")?;
    Ok(git)
}

/// The id of what was made.
fn made(printed: Vec<u8>) -> Result<ObjectId, git2::Error> {
    ObjectId::from_hex(printed.trim_ascii_end()).ok_or_else(|| super::child::unexpected("git"))
}

fn objects(folder: &Path, git_dir: &Path) -> Vec<(OsString, OsString)> {
    vec![("GIT_DIR".into(), git_dir.into()), ("GIT_ALTERNATE_OBJECT_DIRECTORIES".into(), folder.join("objects").into())]
}

fn entry(blob: git2::Oid, size: usize) -> IndexEntry {
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
