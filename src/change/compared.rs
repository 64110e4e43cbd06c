//! Where the index differs from a tree. A folder that git knows to be the same tree is stepped over: what did not change costs
//! nothing.

use std::collections::HashMap;

use super::error::ChangeError;
use super::index::{Entry, Index};
use super::objects::{EntryKind, ObjectId, tree_entries};
use super::store::{Kind, LARGEST_TREE, StagedEntry, Store};

/// git itself goes no deeper (`core.maxTreeDepth`).
const DEEPEST: usize = 2048;

/// The paths on which the index differs from `tree`, or from nothing, in path order.
pub(super) fn compared(index: &Index, store: &dyn Store, tree: Option<ObjectId>) -> Result<Vec<StagedEntry>, ChangeError> {
    if let Some(path) = index.conflict() {
        return Err(ChangeError::Conflict { path: path.escape_ascii().to_string() });
    }
    let mut walk = Walk { index, store, at: 0, path: Vec::new(), found: Vec::new() };
    walk.folder(tree, index.root(), 0)?;
    Ok(walk.found)
}

struct Walk<'a> {
    index: &'a Index,
    store: &'a dyn Store,
    /// The next entry of the index.
    at: usize,
    /// The folder, with a slash behind it unless it is the root; while entries of its tree are looked at, with their names.
    path: Vec<u8>,
    found: Vec<StagedEntry>,
}

impl<'a> Walk<'a> {
    /// Compares what the folder holds. Both lists are in the byte order of full paths, as if the name of a folder ended with a
    /// slash, so one pass joins them.
    fn folder(&mut self, tree: Option<ObjectId>, noted: Option<usize>, depth: usize) -> Result<(), ChangeError> {
        if self.is_same(tree, noted) {
            return Ok(());
        }
        if depth > DEEPEST {
            return Err(ChangeError::TooDeep { most: DEEPEST });
        }
        let inner = self.path.len();
        let mut raw = Vec::new();
        if let Some(tree) = tree {
            if self.store.read_small(tree, LARGEST_TREE, &mut raw)? != Kind::Tree {
                return Err(ChangeError::WrongKind { id: tree, wanted: "tree" });
            }
            let index = self.index;
            let noted: HashMap<&[u8], usize> = noted.into_iter().flat_map(|folder| index.folders_in(folder)).collect();
            for old in tree_entries(tree, &raw)? {
                self.path.extend_from_slice(old.name);
                if old.kind == EntryKind::Tree {
                    self.path.push(b'/');
                }
                self.added(inner, true);
                if old.kind == EntryKind::Tree {
                    self.folder(Some(old.id), noted.get(old.name).copied(), depth + 1)?;
                } else {
                    self.file((old.mode, old.id));
                }
                self.path.truncate(inner);
            }
        }
        self.added(inner, false);
        Ok(())
    }

    /// Steps over the folder where git knows that it is this tree.
    fn is_same(&mut self, tree: Option<ObjectId>, noted: Option<usize>) -> bool {
        let known = noted.and_then(|folder| self.index.known(folder)).filter(|known| Some(known.id) == tree && known.entries > 0);
        let Some(after) = known.and_then(|known| self.at.checked_add(known.entries)) else { return false };
        let is_inside = |at: usize| self.index.path(at).is_some_and(|path| path.starts_with(&self.path));
        // What it is said to stand for are just the entries of the folder.
        let fits = is_inside(after - 1) && !(after < self.index.len() && is_inside(after));
        if fits {
            self.at = after;
        }
        fits
    }

    /// Takes the entries in the folder, whose path has `inner` bytes, as new; with `before` only those before the current path.
    fn added(&mut self, inner: usize, before: bool) {
        while let Some(entry) = self.next(|path, current| path.starts_with(&current[..inner]) && !(before && path >= current)) {
            self.found.push(StagedEntry { path: entry.path.to_vec(), old: None, new: Some((entry.mode, entry.id)) });
        }
    }

    /// Compares the file or submodule at the current path.
    fn file(&mut self, old: (u32, ObjectId)) {
        let new = self.next(|path, current| path == current).map(|entry| (entry.mode, entry.id));
        // A change of the executable bit alone brings no content.
        if new.map(|(mode, id)| (mode & 0o170_000, id)) != Some((old.0 & 0o170_000, old.1)) {
            self.found.push(StagedEntry { path: self.path.clone(), old: Some(old), new });
        }
    }

    /// The next entry, if its path is as wanted. What a commit leaves out is not there.
    fn next(&mut self, wanted: impl Fn(&[u8], &[u8]) -> bool) -> Option<Entry<'a>> {
        loop {
            let entry = self.index.get(self.at).filter(|entry| wanted(entry.path, &self.path))?;
            self.at += 1;
            if entry.is_committed {
                return Some(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests;
