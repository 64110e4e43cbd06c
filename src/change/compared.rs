//! Where the index differs from a tree. A folder that git knows to be the same tree is stepped over: what did not change costs
//! nothing.
//!
//! git commits the tree that it has noted for a folder without another look at the entries there. So that tree is what counts
//! here too: an index made by hand may note one that its entries do not make.

use std::collections::HashMap;

use super::error::ChangeError;
use super::index::{Entry, Index};
use super::objects::{EntryKind, ObjectId, TreeEntry, tree_entries};
use super::store::{Kind, LARGEST_TREE, StagedEntry, Store};

/// git itself goes no deeper (`core.maxTreeDepth`).
const DEEPEST: usize = 2048;
/// So many paths of a noted tree are listed whatever the index holds, and twice as many as that.
const LISTED_AT_LEAST: usize = 1_000_000;

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
        if self.is_noted(tree, noted)? {
            return Ok(());
        }
        if depth > DEEPEST {
            return Err(ChangeError::TooDeep { most: DEEPEST });
        }
        let inner = self.path.len();
        let mut raw = Vec::new();
        let index = self.index;
        let mut noted: HashMap<&[u8], usize> = noted.into_iter().flat_map(|folder| index.folders_in(folder)).collect();
        if let Some(tree) = tree {
            for old in self.entries(tree, &mut raw)? {
                self.path.extend_from_slice(old.name);
                if old.kind == EntryKind::Tree {
                    self.path.push(b'/');
                }
                while let Some(length) = self.added(inner, true, &noted) {
                    let current = self.path.split_off(inner);
                    self.new_folder(length, &mut noted, depth)?;
                    self.path.extend(current);
                }
                if old.kind == EntryKind::Tree {
                    self.folder(Some(old.id), noted.remove(old.name), depth + 1)?;
                } else {
                    self.file((old.mode, old.id));
                }
                self.path.truncate(inner);
            }
        }
        while let Some(length) = self.added(inner, false, &noted) {
            self.new_folder(length, &mut noted, depth)?;
        }
        Ok(())
    }

    /// Takes the folder of the next entry, whose path has so many bytes, as new.
    fn new_folder(&mut self, length: usize, noted: &mut HashMap<&[u8], usize>, depth: usize) -> Result<(), ChangeError> {
        let inner = self.path.len();
        let path = self.index.path(self.at).unwrap_or_default();
        self.path.extend_from_slice(&path[inner..=length]);
        let folder = noted.remove(&path[inner..length]);
        self.folder(None, folder, depth + 1)?;
        self.path.truncate(inner);
        Ok(())
    }

    /// True where git has noted which tree the folder is, and its entries are stepped over.
    fn is_noted(&mut self, tree: Option<ObjectId>, noted: Option<usize>) -> Result<bool, ChangeError> {
        let Some(known) = noted.and_then(|folder| self.index.known(folder)) else { return Ok(false) };
        if Some(known.id) != tree {
            // Without the tree git makes it anew.
            if !self.store.holds(known.id) {
                return Ok(false);
            }
            self.trees(tree, known.id)?;
        }
        // What it is said to stand for are just the entries of the folder, and if not, these are looked at too.
        let is_inside = |at: usize| self.index.path(at).is_some_and(|path| path.starts_with(&self.path));
        let after = self.at.checked_add(known.entries).filter(|&after| after > self.at && is_inside(after - 1));
        let fits = after.filter(|&after| !(after < self.index.len() && is_inside(after)));
        self.at = fits.unwrap_or(self.at);
        Ok(fits.is_some())
    }

    /// Compares the current folder with the tree that git has noted for it.
    fn trees(&mut self, old: Option<ObjectId>, new: ObjectId) -> Result<(), ChangeError> {
        let found = self.found.len();
        let mut listed = 0;
        let mut folders = vec![(self.path.clone(), old, Some(new), 0)];
        while let Some((path, old, new, depth)) = folders.pop() {
            if depth > DEEPEST {
                return Err(ChangeError::TooDeep { most: DEEPEST });
            }
            let [mut old_raw, mut new_raw] = [Vec::new(), Vec::new()];
            let before = old.map(|old| self.entries(old, &mut old_raw)).transpose()?.unwrap_or_default();
            let after = new.map(|new| self.entries(new, &mut new_raw)).transpose()?.unwrap_or_default();
            listed += after.len();
            if listed > LISTED_AT_LEAST + 2 * self.index.len() {
                let tree = new.unwrap_or_else(ObjectId::null);
                return Err(ChangeError::Bomb { tree, listed: listed as u64, stored: self.index.len() as u64 });
            }
            let mut before: HashMap<&[u8], TreeEntry<'_>> = before.into_iter().map(|entry| (entry.name, entry)).collect();
            let mut pairs: Vec<_> = after.into_iter().map(|entry| (entry.name, before.remove(entry.name), Some(entry))).collect();
            pairs.extend(before.into_iter().map(|(name, entry)| (name, Some(entry), None)));
            for (name, old, new) in pairs {
                let path = [&path, name].concat();
                let is_folder = |entry: &TreeEntry<'_>| entry.kind == EntryKind::Tree;
                let file = |entry: Option<TreeEntry<'_>>| entry.filter(|entry| !is_folder(entry)).map(|entry| (entry.mode, entry.id));
                let folder = |entry: Option<TreeEntry<'_>>| entry.filter(is_folder).map(|entry| entry.id);
                if folder(old) != folder(new) {
                    folders.push(([&path, &b"/"[..]].concat(), folder(old), folder(new), depth + 1));
                }
                if !is_same_content(file(old), file(new)) {
                    self.found.push(StagedEntry { path, old: file(old), new: file(new) });
                }
            }
        }
        self.found[found..].sort_by(|a, b| a.path.cmp(&b.path));
        Ok(())
    }

    fn entries<'r>(&self, tree: ObjectId, raw: &'r mut Vec<u8>) -> Result<Vec<TreeEntry<'r>>, ChangeError> {
        match self.store.read_small(tree, LARGEST_TREE, raw)? {
            Kind::Tree => tree_entries(tree, raw),
            _ => Err(ChangeError::WrongKind { id: tree, wanted: "tree" }),
        }
    }

    /// Takes the entries in the folder, whose path has `inner` bytes, as new; with `before` only those before the current path.
    /// It ends at the first one in a folder that git has noted and this one did not hold: gives the length of its path.
    fn added(&mut self, inner: usize, before: bool, noted: &HashMap<&[u8], usize>) -> Option<usize> {
        loop {
            let entry = self.next(|path, current| path.starts_with(&current[..inner]) && !(before && path >= current))?;
            let below = &entry.path[inner..];
            if let Some(slash) = memchr::memchr(b'/', below).filter(|&slash| noted.contains_key(&below[..slash])) {
                self.at -= 1; // it is in there
                return Some(inner + slash);
            }
            self.found.push(StagedEntry { path: entry.path.to_vec(), old: None, new: Some((entry.mode, entry.id)) });
        }
    }

    /// Compares the file or submodule at the current path.
    fn file(&mut self, old: (u32, ObjectId)) {
        let new = self.next(|path, current| path == current).map(|entry| (entry.mode, entry.id));
        if !is_same_content(Some(old), new) {
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

/// A change of the executable bit alone brings no content.
fn is_same_content(old: Option<(u32, ObjectId)>, new: Option<(u32, ObjectId)>) -> bool {
    let kind = |(mode, id): (u32, ObjectId)| (mode & 0o170_000, id);
    old.map(kind) == new.map(kind)
}

#[cfg(test)]
mod tests;
