//! What a change says together with other files: whether a file that code loads is in the repository, whether an ignore
//! list lost a line, whether an example holds a value of the developer's own file.

use std::collections::HashSet;
use std::path::Path;

use crate::change::{self, ChangeSet, CommitIndex, NewFile, ObjectId, Store, Unread};
use crate::config::Policy;
use crate::finding::Severity;
use crate::rules::Check;
use crate::scan::{Hit, LARGE, Scanner, Text, files_meant, join};

use super::Failure;

/// Which files are there beside those that are scanned?
pub(super) trait Beside {
    /// True when the repository holds a file at this path, as seen from `file`'s version.
    fn holds(&self, path: &[u8]) -> Result<bool, Failure>;
}

/// The repository as a version of a file stands in it: the commit that brings it, or the index.
pub(super) struct InGit<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) change: &'a ChangeSet,
    pub(super) file: &'a NewFile,
}

impl InGit<'_> {
    fn blob(&self, path: &[u8]) -> Result<Option<ObjectId>, Failure> {
        let commit = self.file.commit.and_then(|at| self.change.commits.get(at as usize));
        Ok(match commit {
            Some(commit) => change::file_in_commit(self.store, commit.id, path)?,
            None => self.store.staged_blob(path)?,
        })
    }
}

impl Beside for InGit<'_> {
    fn holds(&self, path: &[u8]) -> Result<bool, Failure> {
        Ok(self.blob(path)?.is_some())
    }
}

/// Files on disk: those that are scanned together.
impl Beside for HashSet<&[u8]> {
    fn holds(&self, path: &[u8]) -> Result<bool, Failure> {
        Ok(self.contains(path))
    }
}

/// The severity that a hit has beside the other files; `None` where it is no finding. `path` is that of its file.
pub(super) fn severity(hit: &Hit<'_>, path: &[u8], beside: &dyn Beside) -> Result<Option<Severity>, Failure> {
    let text = hit.rule.text();
    if !text.only_if_tracked && text.severity_if_tracked.is_none() {
        return Ok(Some(text.severity));
    }
    for named in hit.file.iter().flat_map(|name| files_meant(name, path)) {
        if beside.holds(&named)? {
            return Ok(Some(text.severity_if_tracked.unwrap_or(text.severity)));
        }
    }
    Ok((!text.only_if_tracked).then_some(text.severity))
}

/// The list of a large repository is a thousand times smaller.
const LARGEST_LIST: u64 = 4 << 20;
/// The root's own ignore list.
const IGNORE_LIST: &[u8] = b".gitignore";

/// An ignore list that ignores a credential file no longer.
pub(super) struct LostIgnore<'r> {
    pub(super) path: Vec<u8>,
    /// Its index among the files of the change; `None` where the list is removed.
    pub(super) file: Option<usize>,
    /// The commit that does it.
    pub(super) commit: Option<CommitIndex>,
    pub(super) hit: Hit<'r>,
}

/// Ignore lists that ignore credential files no longer.
pub(super) fn lost_ignores<'r>(store: &dyn Store, change: &ChangeSet, scanner: &Scanner<'r>) -> Result<Vec<LostIgnore<'r>>, Failure> {
    let is_list = |path: &[u8]| path == IGNORE_LIST || path.ends_with(b"/.gitignore");
    let mut lost = Vec::new();
    let (mut before, mut after, mut root) = (Vec::new(), Vec::new(), Vec::new());
    for (at, file) in change.files.iter().enumerate().filter(|(_, file)| is_list(&file.path)) {
        let (Some(new), Some(old)) = (file.blob, file.before) else { continue };
        if !store.holds(old) {
            continue; // a partial clone: what it ignored is not known here, and the hook fetches nothing
        }
        store.read_small(old, LARGEST_LIST, &mut before)?;
        store.read_small(new, LARGEST_LIST, &mut after)?;
        root.clear();
        if *file.path != *IGNORE_LIST
            && let Some(list) = (InGit { store, change, file }).blob(IGNORE_LIST)?
        {
            store.read_small(list, LARGEST_LIST, &mut root)?;
        }
        lost.extend(scanner.lost_ignore(&before, &[&after, &root]).map(|hit| LostIgnore {
            path: file.path.to_vec(),
            file: Some(at),
            commit: file.commit,
            hit,
        }));
    }
    let staged = change.removed.iter().filter(|(path, _)| is_list(path)).map(|(path, id)| (path, *id, None));
    let pushed = change.removed_lists.iter().map(|(path, id, commit)| (path, *id, Some(*commit)));
    for (path, id, commit) in staged.chain(pushed) {
        if !store.holds(id) {
            continue; // a partial clone: what it ignored is not known here
        }
        store.read_small(id, LARGEST_LIST, &mut before)?;
        root.clear();
        let of_root = match commit.and_then(|at| change.commits.get(at as usize)) {
            Some(commit) => change::file_in_commit(store, commit.id, IGNORE_LIST)?,
            None => store.staged_blob(IGNORE_LIST)?,
        };
        if let Some(list) = of_root {
            store.read_small(list, LARGEST_LIST, &mut root)?;
        }
        lost.extend(scanner.lost_ignore(&before, &[&root]).map(|hit| LostIgnore { path: path.to_vec(), file: None, commit, hit }));
    }
    Ok(lost)
}

/// Names under which developers keep values of their own, beside the example.
const OWN: [&str; 6] = [".env", ".env.local", ".env.development", ".env.development.local", ".env.production", ".env.production.local"];

/// Values in staged example files that the developer's own files hold too. This reads the work tree, the one time that a
/// hook does: only files that git does not know, only to compare, and it can only add a finding.
pub(super) fn own_values<'r>(
    store: &dyn Store,
    change: &ChangeSet,
    scanner: &Scanner<'r>,
    policy: &Policy,
    unread: &mut Vec<Unread>,
) -> Result<Vec<(usize, Hit<'r>)>, Failure> {
    let Some(rule) = scanner.rule_with(Check::OwnValue).filter(|_| change.commits.is_empty()) else { return Ok(Vec::new()) };
    let mut hits = Vec::new();
    for (at, file) in change.files.iter().enumerate().filter(|(_, file)| rule.applies_to(&file.path)) {
        let (Some(blob), Some(root)) = (file.blob, store.work_tree()) else { continue };
        let mut example = Vec::new();
        let size = store.header(blob)?.1;
        if size > policy.max_file_bytes {
            continue; // the coverage says already that it was not read
        }
        if size > LARGE {
            unread.push(Unread { path: file.path.to_vec(), why: format!("it has {size} bytes, too many to be compared with the files beside it") });
            continue;
        }
        store.read(blob, &mut example)?;
        for name in OWN {
            let Some(path) = join(memchr::memrchr(b'/', &file.path).map_or(&b""[..], |slash| &file.path[..slash]), name.as_bytes()) else { continue };
            if store.staged_blob(&path)?.is_some() {
                continue; // git has it: it is scanned like any other file
            }
            match own_file(&root.join(String::from_utf8_lossy(&path).as_ref()), policy.max_file_bytes.min(LARGE)) {
                Ok(Some(own)) => hits.extend(
                    scanner
                        .own_values(Text { path: &file.path, part: change::Part::Content, bytes: &example }, &own)
                        .into_iter()
                        .map(|hit| (at, hit)),
                ),
                Ok(None) => {}
                Err(e) => unread.push(Unread { path, why: format!("it could not be compared with the example beside it: {e}") }),
            }
        }
    }
    Ok(hits)
}

/// A file's bytes; `None` where there is none. Password managers put a pipe there, which must not be waited for.
fn own_file(file: &Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    match std::fs::metadata(file) {
        Ok(kind) if kind.is_file() && kind.len() <= limit => std::fs::read(file).map(Some),
        Ok(_) => Ok(None),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}
