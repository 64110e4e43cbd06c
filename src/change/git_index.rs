//! The index as git itself compares it with `HEAD`. git knows every form of the index and skips the folders that did not
//! change, which libgit2 does not: on 100,000 files it is several times faster.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::child::{Git, unexpected};
use super::error::ChangeError;
use super::index::index_file;
use super::objects::ObjectId;
use super::staged::{find, root_tree};
use super::store::{StagedEntry, Store};

/// The index that git's environment names.
pub(super) struct GitIndex {
    git: Git,
    /// The differences from the tree they were last asked for.
    known: RefCell<Option<Compared>>,
}

/// A commit, or none before the first, and the differences from it.
type Compared = (Option<ObjectId>, Rc<[IndexChange]>);

/// A path on which the index differs from a tree.
struct IndexChange {
    entry: StagedEntry,
    unmerged: bool,
}

/// Every option that decides what is shown stands here, so that no configuration does. Submodules count by the id that
/// the index holds: with `none` git does not leave out those that `.gitmodules` says to ignore, and with `--cached` it
/// does not look into them.
const DIFF_INDEX: [&str; 12] = [
    "-c",
    "diff.relative=false",
    "diff-index",
    "--cached",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--ita-invisible-in-index",
    "--exit-code",
    "--ignore-submodules=none",
];

impl GitIndex {
    pub(super) fn new(git: Git) -> Self {
        Self { git, known: RefCell::new(None) }
    }

    /// The paths on which it differs from the commit `base`, in path order.
    pub(super) fn staged(&self, base: Option<ObjectId>) -> Result<Vec<StagedEntry>, ChangeError> {
        let changes = self.changes(base).map_err(unreadable)?;
        if let Some(change) = changes.iter().find(|change| change.unmerged) {
            return Err(ChangeError::Conflict { path: change.entry.path.escape_ascii().to_string() });
        }
        Ok(changes.iter().map(|change| &change.entry).filter(|entry| differs(entry)).cloned().collect())
    }

    /// The blob at `path`: what `HEAD` holds there but for the differences, which a commit needs anyway.
    pub(super) fn blob(&self, store: &dyn Store, path: &[u8]) -> Result<Option<ObjectId>, ChangeError> {
        if !index_file(&store.git_dir(), || store.work_tree()).exists() {
            return Ok(None); // a server's repository has no index, and all of HEAD would differ from it
        }
        let head = store.head()?;
        match self.changes(head).map_err(unreadable)?.iter().find(|change| change.entry.path == path) {
            Some(change) if change.unmerged => Ok(None),
            Some(change) => Ok(change.entry.new.map(|(_, id)| id)),
            None => head.map(|head| find(store, root_tree(store, head)?, path)).transpose().map(Option::flatten),
        }
    }

    /// Reads it once for the commit `base`, to see whether git can.
    pub(super) fn probe(&self, base: Option<ObjectId>) -> Result<(), git2::Error> {
        self.changes(base).map(|_| ())
    }

    fn changes(&self, base: Option<ObjectId>) -> Result<Rc<[IndexChange]>, git2::Error> {
        if let Some((of, changes)) = &*self.known.borrow()
            && *of == base
        {
            return Ok(changes.clone());
        }
        let tree = match base {
            Some(commit) => commit.to_string(),
            // The id of the empty tree depends on the repository's hash; git knows the object without storing it.
            None => String::from_utf8_lossy(&self.git.line(&["hash-object", "-t", "tree", "--stdin"])?).into_owned(),
        };
        let ended = self.git.run(&[&DIFF_INDEX[..], &[&tree, "--"]].concat(), b"")?;
        // git says twice whether there are differences, so that an answer that was lost is not taken for none.
        if ended.code() != Some(i32::from(!ended.out.is_empty())) {
            return Err(ended.error());
        }
        let raw = ended.out;
        let changes: Rc<[_]> = index_changes(&raw).ok_or_else(|| unexpected("git diff-index"))?.into();
        *self.known.borrow_mut() = Some((base, changes.clone()));
        Ok(changes)
    }
}

fn unreadable(source: git2::Error) -> ChangeError {
    ChangeError::Git { what: "the index", source }
}

/// What `git diff-index --raw -z` printed, as a reader of its own for the fuzz targets; `None` where git prints no such thing.
pub fn differences(raw: &[u8]) -> Option<Vec<StagedEntry>> {
    Some(index_changes(raw)?.into_iter().map(|change| change.entry).collect())
}

/// Reads `:<old mode> <new mode> <old id> <new id> <status>`, NUL, path, NUL, and so on. A path in conflict has several
/// entries, which are joined.
fn index_changes(raw: &[u8]) -> Option<Vec<IndexChange>> {
    let mut changes: Vec<IndexChange> = Vec::new();
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut fields = match raw {
        [] => return Some(changes),
        [text @ .., 0] => text.split(|&b| b == 0),
        _ => return None,
    };
    while let Some(facts) = fields.next() {
        let path = fields.next().filter(|path| !path.is_empty())?.to_vec();
        let mut facts = facts.strip_prefix(b":")?.split(|&b| b == b' ');
        let (old_mode, new_mode) = (mode(facts.next()?)?, mode(facts.next()?)?);
        let (old_id, new_id) = (ObjectId::from_hex(facts.next()?)?, ObjectId::from_hex(facts.next()?)?);
        let unmerged = facts.next()? == b"U";
        let (old, new) = (side(old_mode, old_id)?, side(new_mode, new_id)?);
        match places.get(&path).and_then(|&at| changes.get_mut(at)) {
            Some(other) => other.unmerged |= unmerged,
            None => {
                places.insert(path.clone(), changes.len());
                changes.push(IndexChange { entry: StagedEntry { path, old, new }, unmerged });
            }
        }
    }
    changes.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
    Some(changes)
}

fn mode(text: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

/// One side of a difference. A mode without an id would be a file that git has not read: that does not happen with
/// `--cached`, and must not pass for a file without content.
fn side(mode: u32, id: ObjectId) -> Option<Option<(u32, ObjectId)>> {
    match (mode, id.is_null()) {
        (0, _) => Some(None),
        (_, false) => Some(Some((mode, id))),
        (_, true) => None,
    }
}

/// A change of the executable bit alone brings no content.
fn differs(entry: &StagedEntry) -> bool {
    let kind = |side: Option<(u32, ObjectId)>| side.map(|(mode, id)| (mode & 0o170_000, id));
    kind(entry.old) != kind(entry.new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ObjectId {
        ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    #[test]
    fn a_raw_difference_is_read_whole_or_not_at_all() {
        let (a, b, z) = (id('a'), id('b'), id('0'));
        let raw = format!(":100644 120000 {a} {b} T\0x\0:000000 100644 {z} {b} A\0d/\u{1f}\n y\0:100644 000000 {a} {z} U\0u\0");
        let changes = index_changes(raw.as_bytes()).unwrap();
        let paths: Vec<_> = changes.iter().map(|change| change.entry.path.as_slice()).collect();
        assert_eq!(paths, [b"d/\x1f\n y".as_slice(), b"u", b"x"]);
        assert!(changes[1].unmerged && !changes[2].unmerged);
        assert_eq!(changes[2].entry.new, Some((0o120_000, b)));
        assert_eq!(index_changes(b"").unwrap().len(), 0);
        for cut in 1..raw.len() {
            let part = index_changes(&raw.as_bytes()[..cut]);
            assert!(part.is_none_or(|part| raw.as_bytes()[cut - 1] == 0 && part.len() < 3), "cut at {cut}");
        }
        assert!(index_changes(format!(":000000 100644 {z} {z} A\0x\0").as_bytes()).is_none());
    }
}
