//! git read through its plumbing commands, for repositories that libgit2 does not understand: reftable, SHA-256, split and
//! sparse indexes, extensions of a newer git, and pushes that move a shallow boundary.
//!
//! The commands and options used are all in git 2.25; 2.39 and 2.47 are tested. Answers are read strictly: a child that
//! dies, answers short or says something unexpected is an error and never an empty answer.

use std::collections::HashSet;
use std::path::PathBuf;

use git2::{ErrorClass, ErrorCode};

use super::batch::{Batch, Talk};
use super::child::{Git, failed, folder_of, path_from, unexpected};
use super::error::ChangeError;
use super::git_index::GitIndex;
use super::objects::{self, ObjectId};
use super::order::parents_first;
use super::parts::blob_in_parts_of;
use super::shallow;
use super::store::{Kind, StagedEntry, Store, Trust};

/// A repository read by children of this process.
pub(super) struct Plumbing {
    git: Git,
    git_dir: PathBuf,
    headers: Batch,
    contents: Batch,
    index: GitIndex,
}

/// So many questions are asked at once: 50 ids of 64 digits fit into the 4,096 bytes that the smallest pipe takes, so
/// that writing never waits for a child that waits for us.
const QUESTIONS: usize = 50;

/// Name and value; a name alone sets nothing.
type Setting = (Vec<u8>, Option<Vec<u8>>);

/// git's answer to a question about an object.
type Header = Option<(Kind, u64)>;

impl Plumbing {
    /// Asks git whether it reads the repository.
    pub(super) fn open(git: Git, trust: Trust) -> Result<Self, git2::Error> {
        let git_dir = path_from(git.line(&["rev-parse", "--absolute-git-dir"])?);
        if !git_dir.is_dir() {
            return Err(unexpected("git rev-parse"));
        }
        // git takes an explicit GIT_DIR for trust. A person who names a repository has not said that much.
        if trust == Trust::CheckOwner && std::env::var_os("GIT_DIR").is_some() {
            Git::At(git_dir.clone()).line(&["rev-parse", "--absolute-git-dir"])?;
        }
        let (headers, contents) = (Batch::new(git.clone(), "--batch-check"), Batch::new(git.clone(), "--batch"));
        let index = GitIndex::new(git.clone());
        Ok(Self { git, git_dir, headers, contents, index })
    }

    /// Types and sizes of many objects; `None` for one that is not here.
    fn headers(&self, ids: &[ObjectId]) -> Result<Vec<Header>, git2::Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(QUESTIONS) {
            let question: String = ids.iter().map(|id| format!("{id}\n")).collect();
            self.headers.talk(|child| {
                child.write(question.as_bytes())?;
                ids.iter().try_for_each(|&id| {
                    found.push(header(child, id)?);
                    Ok(())
                })
            })?;
        }
        Ok(found)
    }

    /// The commit that an id stands for: itself, or what a chain of tags ends at. What is no commit or not here gives none.
    fn commits_at(&self, ids: &[ObjectId]) -> Result<Vec<ObjectId>, ChangeError> {
        let failed = |source| ChangeError::Git { what: "the known objects", source };
        let mut commits = Vec::with_capacity(ids.len());
        let mut raw = Vec::new();
        for (&id, header) in ids.iter().zip(self.headers(ids).map_err(failed)?) {
            let (mut id, mut header) = (id, header);
            while let Some((Kind::Tag, _)) = header {
                self.read(id, &mut raw)?;
                id = objects::tag(id, &raw)?.target;
                header = self.headers(&[id]).map_err(failed)?.pop().flatten();
            }
            if let Some((Kind::Commit, _)) = header {
                commits.push(id);
            }
        }
        Ok(commits)
    }

    /// All settings. The last one is ours, so that an answer that is cut short, or none at all, is not taken for "not set".
    fn configuration(&self) -> Result<Vec<Setting>, ChangeError> {
        let listed = self.git.ask(&["-c", "leakstop.end=reached", "config", "--null", "--list"], b"").map_err(not_configuration)?;
        if listed == b"leakstop.end\nreached\0" {
            return Ok(Vec::new());
        }
        let Some(entries) = listed.strip_suffix(b"\0leakstop.end\nreached\0") else { return Err(not_configuration(unexpected("git config"))) };
        let entry = |entry: &[u8]| match memchr::memchr(b'\n', entry) {
            Some(at) => (entry[..at].to_vec(), Some(entry[at + 1..].to_vec())),
            None => (entry.to_vec(), None),
        };
        Ok(entries.split(|&b| b == 0).map(entry).collect())
    }

    /// `HEAD` gives no commit: is there none yet, or is it broken?
    fn unborn(&self) -> Result<Option<ObjectId>, git2::Error> {
        let verified = self.git.run(&["rev-parse", "--verify", "--quiet", "HEAD"], b"")?;
        if verified.succeeded() {
            return Err(failed("the object that HEAD names is missing or no commit".to_owned()));
        }
        let branch = self.git.line(&["symbolic-ref", "--quiet", "HEAD"])?;
        let branch = String::from_utf8(branch).map_err(|_| failed("the name of the branch at HEAD is not UTF-8".to_owned()))?;
        let there = self.git.run(&["for-each-ref", "--format=%(refname)", &branch], b"")?;
        // A broken ref is left out with a complaint: that is no unborn branch.
        if there.succeeded() && there.out.is_empty() && there.complaint.is_empty() { Ok(None) } else { Err(there.error()) }
    }
}

impl Store for Plumbing {
    fn header(&self, id: ObjectId) -> Result<(Kind, u64), ChangeError> {
        let failed = |source| ChangeError::Object { id, source };
        self.headers(&[id]).map_err(failed)?.pop().flatten().ok_or_else(|| failed(missing()))
    }

    fn read(&self, id: ObjectId, into: &mut Vec<u8>) -> Result<Kind, ChangeError> {
        let failed = |source| ChangeError::Object { id, source };
        let kind = self.contents.talk(|child| {
            child.write(format!("{id}\n").as_bytes())?;
            let Some((kind, size)) = header(child, id)? else { return Ok(None) };
            child.read_bytes(size, into)?;
            Ok(Some(kind))
        });
        kind.map_err(failed)?.ok_or_else(|| failed(missing()))
    }

    fn read_in_parts(&self, id: ObjectId, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, ChangeError> {
        // A child of its own: whoever has seen enough ends it, which the one that answers questions must not be.
        blob_in_parts_of(&self.git, id, take)
    }

    fn holds(&self, id: ObjectId) -> bool {
        // A child that failed says so again at the next question that must be answered.
        self.headers(&[id]).is_ok_and(|headers| headers.iter().any(Option::is_some))
    }

    fn references(&self) -> Result<Vec<(Vec<u8>, ObjectId)>, ChangeError> {
        let failed = |source| ChangeError::Git { what: "the refs", source };
        let ended = self.git.run(&["for-each-ref", "--format=%(objectname)%00%(symref)%00%(refname)"], b"").map_err(failed)?;
        // A broken ref is left out with a complaint and no more.
        if !ended.succeeded() || memchr::memmem::find(&ended.complaint, b"ignoring ").is_some() {
            return Err(failed(ended.error()));
        }
        let mut refs = Vec::new();
        for line in ended.out.split_inclusive(|&b| b == b'\n') {
            let mut parts = line.strip_suffix(b"\n").unwrap_or_default().splitn(3, |&b| b == 0);
            let (id, symbolic, name) = (parts.next().and_then(ObjectId::from_hex), parts.next(), parts.next());
            let (Some(id), Some(symbolic), Some(name)) = (id, symbolic, name) else {
                return Err(failed(unexpected("git for-each-ref")));
            };
            // A symbolic ref points at another one, which is listed itself.
            if symbolic.is_empty() {
                refs.push((name.to_vec(), id));
            }
        }
        refs.sort_unstable();
        Ok(refs)
    }

    fn head(&self) -> Result<Option<ObjectId>, ChangeError> {
        let failed = |source| ChangeError::Git { what: "HEAD", source };
        let answer = self.headers.talk(|child| {
            let mut line = Vec::new();
            child.write(b"HEAD\n")?;
            child.read_line(&mut line)?;
            Ok(line)
        });
        let answer = answer.map_err(failed)?;
        match answer.strip_suffix(b" missing") {
            Some(_) => self.unborn().map_err(failed),
            None => {
                let mut parts = answer.split(|&b| b == b' ');
                let id = parts.next().and_then(ObjectId::from_hex).ok_or_else(|| failed(unexpected("git cat-file")))?;
                if parts.next() == Some(b"commit") { Ok(Some(id)) } else { Err(ChangeError::WrongKind { id, wanted: "commit" }) }
            }
        }
    }

    fn new_commits(&self, tips: &[ObjectId], known: &[ObjectId]) -> Result<Vec<ObjectId>, ChangeError> {
        let failed = |source| ChangeError::Git { what: "the list of new commits", source };
        if tips.is_empty() {
            return Ok(Vec::new());
        }
        let mut input: String = tips.iter().map(|id| format!("{id}\n")).collect();
        // `^` and not `--not`: the latter is read from standard input only since git 2.42.
        input.extend(self.commits_at(known)?.iter().map(|id| format!("^{id}\n")));
        let listed = self.git.ask(&["rev-list", "--topo-order", "--reverse", "--parents", "--stdin"], input.as_bytes()).map_err(failed)?;
        let mut commits = Vec::new();
        for line in listed.split_inclusive(|&b| b == b'\n') {
            let ids = line.strip_suffix(b"\n").unwrap_or_default().split(|&b| b == b' ').map(ObjectId::from_hex).collect::<Option<Vec<_>>>();
            match ids.as_deref() {
                Some([id, parents @ ..]) => commits.push((*id, parents.to_vec())),
                _ => return Err(failed(unexpected("git rev-list"))),
            }
        }
        // Where all is listed, the tips are: without one, either known refs reach it or the end of the answer is missing.
        let listed_ids: HashSet<_> = commits.iter().map(|(id, _)| id).collect();
        if !tips.iter().all(|tip| listed_ids.contains(tip)) {
            let count = self.git.ask(&["rev-list", "--count", "--stdin"], input.as_bytes()).map_err(failed)?;
            if count.trim_ascii_end() != commits.len().to_string().as_bytes() {
                return Err(failed(unexpected("git rev-list")));
            }
        }
        Ok(parents_first(tips, &commits))
    }

    fn cut_off(&self) -> Result<Vec<ObjectId>, ChangeError> {
        let common = self.git.line(&["rev-parse", "--git-common-dir"]);
        let common = common.map_err(|source| ChangeError::Git { what: "the shallow boundary", source })?;
        shallow::boundary(&folder_of(&self.git).join(path_from(common)))
    }

    fn staged(&self, base: Option<ObjectId>) -> Result<Vec<StagedEntry>, ChangeError> {
        self.index.staged(base)
    }

    fn staged_blob(&self, path: &[u8]) -> Result<Option<ObjectId>, ChangeError> {
        self.index.blob(self, path)
    }

    fn revision(&self, name: &str) -> Result<ObjectId, ChangeError> {
        let failed = |source| ChangeError::Revision { name: name.escape_debug().to_string(), source };
        if name.starts_with('-') {
            return Err(failed(super::child::failed("it would be an option".to_owned())));
        }
        let id = self.git.line(&["rev-parse", "--verify", name]).map_err(failed)?;
        let id = ObjectId::from_hex(&id).ok_or_else(|| failed(unexpected("git rev-parse")))?;
        self.commits_at(&[id])?.pop().ok_or_else(|| failed(super::child::failed("it names no commit".to_owned())))
    }

    fn setting(&self, key: &str) -> Result<Option<String>, ChangeError> {
        // git shows section and name in small letters, and what stands between them as it is.
        let mut parts: Vec<String> = key.split('.').map(str::to_owned).collect();
        let last = parts.len() - 1;
        for at in [0, last] {
            parts[at].make_ascii_lowercase();
        }
        let key = parts.join(".");
        let found = self.configuration()?.into_iter().rev().find_map(|(known, value)| (known == key.as_bytes()).then_some(value)).flatten();
        let text = |value| String::from_utf8(value).map_err(|_| not_configuration(unexpected("git config")));
        found.map(text).transpose()
    }

    fn settings(&self, names: &str) -> Result<Vec<Vec<u8>>, ChangeError> {
        let names = regex::bytes::Regex::new(names).map_err(|e| not_configuration(failed(e.to_string())))?;
        Ok(self.configuration()?.into_iter().filter(|(key, _)| names.is_match(key)).filter_map(|(_, value)| value).collect())
    }

    fn git_dir(&self) -> PathBuf {
        self.git_dir.clone()
    }

    fn work_tree(&self) -> Option<PathBuf> {
        // It fails where there is none, and prints nothing for a bare repository of some versions.
        let top = self.git.line(&["rev-parse", "--show-toplevel"]).ok().filter(|top| !top.is_empty())?;
        Some(folder_of(&self.git).join(path_from(top)))
    }
}

fn not_configuration(source: git2::Error) -> ChangeError {
    ChangeError::Git { what: "git's configuration", source }
}

/// Reads one answer of `cat-file`: `<id> <type> <size>` or `<id> missing`.
fn header(child: &mut Talk, id: ObjectId) -> std::io::Result<Header> {
    let mut line = Vec::new();
    child.read_line(&mut line)?;
    parse_header(&line, id).ok_or_else(|| std::io::Error::other(format!("unexpected answer `{}`", line.escape_ascii())))
}

fn parse_header(line: &[u8], id: ObjectId) -> Option<Header> {
    let mut parts = line.split(|&b| b == b' ');
    // An id of the other hash is taken for the beginning of a longer one: what was asked for must come back.
    if parts.next().and_then(ObjectId::from_hex)? != id {
        return None;
    }
    let kind = match parts.next()? {
        b"blob" => Kind::Blob,
        b"tree" => Kind::Tree,
        b"commit" => Kind::Commit,
        b"tag" => Kind::Tag,
        b"missing" => return Some(None),
        _ => return None,
    };
    let size = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    parts.next().is_none().then_some(Some((kind, size)))
}

fn missing() -> git2::Error {
    git2::Error::new(ErrorCode::NotFound, ErrorClass::Odb, "git says it is missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ObjectId {
        ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_about_another_object_is_no_answer() {
        let line = |text: &str| parse_header(text.as_bytes(), id('a'));
        let a = id('a');
        assert_eq!(line(&format!("{a} blob 12")), Some(Some((Kind::Blob, 12))));
        assert_eq!(line(&format!("{a} missing")), Some(None));
        for bad in
            [format!("{} blob 12", id('b')), format!("{a}"), format!("{a} blob"), format!("{a} blob x"), format!("{a} ambiguous"), String::new()]
        {
            assert_eq!(line(&bad), None, "{bad}");
        }
    }
}
