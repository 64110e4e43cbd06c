//! What a push brings in: everything reachable from the new values and from no existing ref.

use std::collections::HashSet;

use super::error::ChangeError;
use super::id_map::{IdMap, IdSet, Marks};
use super::new_commits::MANY_COMMITS;
use super::objects::{self, EntryKind, ObjectId, first_entry, first_entry_bytes};
use super::promised::unless_promised;
use super::store::{Kind, LARGEST_MESSAGE, Store};
use super::trees::{ByName, TreeCache};
use super::updates::RefUpdate;
use super::watch::{PROGRESS, Progress};
use super::{ChangeSet, CommitIndex, NewCommit, NewFile, NewText, Part, Unread};

/// What `updates` bring in that none of the objects in `known` reaches.
///
/// # Errors
/// An object that cannot be read.
pub fn pushed(store: &dyn Store, updates: &[RefUpdate], known: &[ObjectId]) -> Result<ChangeSet, ChangeError> {
    let mut known = known.to_vec();
    known.extend(updates.iter().filter_map(|update| update.old));
    let mut walk = Walk::new(store, &known)?;
    for update in updates {
        let index = walk.change.refs.len() as u32;
        walk.change.refs.push(update.name.clone());
        let Some(new) = update.new else { continue };
        if update.old.is_none() {
            walk.text(Part::Ref, update.name.clone(), None, Some(&update.name));
        }
        walk.tip(new, index)?;
    }
    walk.finish(&known)
}

/// What the commits reachable from `to` and not from `from` bring in.
///
/// # Errors
/// An object that cannot be read.
pub fn range(store: &dyn Store, from: &[ObjectId], to: ObjectId) -> Result<ChangeSet, ChangeError> {
    let mut walk = Walk::new(store, from)?;
    walk.tip(to, NO_REF)?;
    walk.finish(from)
}

/// Everything that any ref reaches.
///
/// # Errors
/// An object that cannot be read.
pub fn history(store: &dyn Store) -> Result<ChangeSet, ChangeError> {
    let mut walk = Walk::new(store, &[])?;
    for (name, id) in store.references()? {
        let index = walk.change.refs.len() as u32;
        walk.text(Part::Ref, name.clone(), None, Some(&name));
        walk.change.refs.push(name);
        walk.tip(id, index)?;
    }
    if let Some(head) = store.head()? {
        walk.tip(head, NO_REF)?;
    }
    walk.finish(&[])
}

/// Index of a tip that no ref of the change names.
const NO_REF: u32 = u32::MAX;

/// So many paths are always listed: that takes a second or two.
const LISTED_AT_LEAST: u64 = 1_000_000;
/// And so many for each entry that is really stored. In repositories of people the same folder stands at a few places.
const LISTED_PER_STORED: u64 = 256;

/// So many bytes of messages are always read,
const TEXT_AT_LEAST: u64 = 32 << 20;
/// and so many for each commit or tag: in repositories of people it is one kilobyte.
const TEXT_PER_OBJECT: u64 = 8 << 10;

/// A path has at most so many bytes: Linux opens none that is longer, other systems not even these. Each finding in a longer
/// one would carry all of it.
const LONGEST_PATH: usize = 4096;

/// The name of the lists that keep files out of git: the one kind of file of which it matters that it goes.
const IGNORE_LIST: &[u8] = b".gitignore";

struct Walk<'s> {
    store: &'s dyn Store,
    change: ChangeSet,
    /// Ids that need no look: what `known` names, directly or through tags.
    known: IdSet,
    /// Commits to walk from, each with the index of the ref that brings it.
    tips: Vec<(ObjectId, u32)>,
    /// Blobs met so far, with the path they were met at: the path decides which rules apply.
    seen: Marks,
    /// The same of trees. They stand apart: a hostile tree names a folder where it means a file.
    seen_trees: Marks,
    /// Trees listed so far, at whatever paths.
    met: IdSet,
    /// Entries of all trees, each tree counted once.
    stored: u64,
    /// Entries of all trees, counted at each path.
    listed: u64,
    /// Commits and tags read so far, and the bytes of them.
    texts: u64,
    text_bytes: u64,
    trees: TreeCache<'s>,
    authors: HashSet<Vec<u8>>,
    /// Commits whose parents are not here because the history is shallow.
    cut_off: IdSet,
}

impl<'s> Walk<'s> {
    fn new(store: &'s dyn Store, known: &[ObjectId]) -> Result<Self, ChangeError> {
        let mut walk = Self {
            store,
            change: ChangeSet::default(),
            known: known.iter().copied().collect(),
            tips: Vec::new(),
            seen: Marks::default(),
            seen_trees: Marks::default(),
            met: IdSet::default(),
            stored: 0,
            listed: 0,
            texts: 0,
            text_bytes: 0,
            trees: TreeCache::new(store),
            authors: HashSet::new(),
            cut_off: store.cut_off()?.into_iter().collect(),
        };
        for &id in known {
            walk.know_through_tags(id)?;
        }
        Ok(walk)
    }

    /// An annotated tag makes the object it names known too.
    fn know_through_tags(&mut self, mut id: ObjectId) -> Result<(), ChangeError> {
        let mut raw = Vec::new();
        // An id that is not here (the remote's value before a fetch) makes nothing known.
        while self.store.holds(id) && self.store.header(id)?.0 == Kind::Tag {
            self.store.read_small(id, LARGEST_MESSAGE, &mut raw)?;
            id = objects::tag(id, &raw)?.target;
            if !self.known.insert(id) {
                break;
            }
        }
        Ok(())
    }

    /// Counts a commit or tag, whose text is kept until it is scanned.
    fn holds_text(&mut self, bytes: usize) -> Result<(), ChangeError> {
        self.texts += 1;
        self.text_bytes += bytes as u64;
        if self.text_bytes > TEXT_AT_LEAST + TEXT_PER_OBJECT * self.texts {
            return Err(ChangeError::Messages { objects: self.texts, bytes: self.text_bytes });
        }
        Ok(())
    }

    fn text(&mut self, part: Part, bytes: Vec<u8>, commit: Option<CommitIndex>, reference: Option<&[u8]>) {
        self.change.texts.push(NewText { part, bytes, commit, reference: reference.map(<[u8]>::to_vec) });
    }

    /// Takes in the new value of a ref: tags on the way are texts, and at the end is a commit, a tree or a blob.
    fn tip(&mut self, mut id: ObjectId, reference: u32) -> Result<(), ChangeError> {
        let name = self.change.refs.get(reference as usize).cloned();
        let mut raw = Vec::new();
        loop {
            if self.known.contains(&id) {
                return Ok(());
            }
            match self.store.header(id)?.0 {
                Kind::Commit => {
                    self.tips.push((id, reference));
                    return Ok(());
                }
                Kind::Tree => {
                    let accepted = self.accepted_trees()?;
                    return self.without_commit(reference, |walk| walk.tree(id, &mut Vec::new(), &accepted, None));
                }
                Kind::Blob => {
                    let path = name.as_deref().unwrap_or_default();
                    return self.without_commit(reference, |walk| {
                        walk.file(id, path, None, false, None);
                        Ok(())
                    });
                }
                Kind::Tag => {
                    self.store.read_small(id, LARGEST_MESSAGE, &mut raw)?;
                    self.holds_text(raw.len())?;
                    let tag = objects::tag(id, &raw)?;
                    for part in [tag.headers, tag.message] {
                        self.text(Part::Tag, part.to_vec(), None, name.as_deref());
                    }
                    self.known.insert(id);
                    id = tag.target;
                }
            }
        }
    }

    /// The trees of the commits that known refs name: what a pushed tree holds of theirs is not new.
    fn accepted_trees(&self) -> Result<Vec<ObjectId>, ChangeError> {
        let mut cache = IdMap::default();
        let mut trees = IdSet::default();
        for &id in &self.known {
            if self.store.holds(id) && self.store.header(id)?.0 == Kind::Commit {
                trees.insert(self.root_tree(id, &mut cache)?);
            }
        }
        Ok(trees.into_iter().collect())
    }

    /// Lists files that no commit brings: they name the ref themselves.
    fn without_commit(&mut self, reference: u32, list: impl FnOnce(&mut Self) -> Result<(), ChangeError>) -> Result<(), ChangeError> {
        let before = self.change.files.len();
        list(self)?;
        for file in &mut self.change.files[before..] {
            file.reference = (reference != NO_REF).then_some(reference);
        }
        Ok(())
    }

    /// Walks the new commits, parents first, so that what is found names the commit that brought it.
    fn finish(mut self, known: &[ObjectId]) -> Result<ChangeSet, ChangeError> {
        if self.tips.is_empty() {
            return Ok(self.change);
        }
        let tips: Vec<_> = self.tips.iter().map(|&(id, _)| id).collect();
        let ids = self.store.new_commits(&tips, known)?;
        if ids.len() >= MANY_COMMITS {
            self.store.expect_many();
        }
        let index: IdMap<_> = ids.iter().enumerate().map(|(at, &id)| (id, at)).collect();
        let mut parents = Vec::with_capacity(ids.len());
        let mut root_trees: IdMap<ObjectId> = IdMap::default();
        for (at, &id) in ids.iter().enumerate() {
            parents.push(self.commit(id, at as CommitIndex, &mut root_trees)?);
        }
        self.name_refs(&index, &parents);
        Ok(self.change)
    }

    fn commit(&mut self, id: ObjectId, at: CommitIndex, root_trees: &mut IdMap<ObjectId>) -> Result<Vec<ObjectId>, ChangeError> {
        let mut raw = Vec::new();
        if self.store.read_small(id, LARGEST_MESSAGE, &mut raw)? != Kind::Commit {
            return Err(ChangeError::WrongKind { id, wanted: "commit" });
        }
        self.holds_text(raw.len())?;
        Progress::add(&PROGRESS.commits, 1);
        let mut commit = objects::commit(id, &raw)?;
        if self.cut_off.contains(&id) {
            commit.parents.clear();
        }
        root_trees.insert(id, commit.tree);
        let mut parent_trees = Vec::with_capacity(commit.parents.len());
        for &parent in &commit.parents {
            parent_trees.push(self.root_tree(parent, root_trees)?);
        }
        self.text(Part::Message, commit.message.to_vec(), Some(at), None);
        for line in objects::text_headers(commit.headers) {
            if !self.authors.contains(line) {
                self.authors.insert(line.to_vec());
                self.text(Part::Author, line.to_vec(), Some(at), None);
            }
        }
        self.tree(commit.tree, &mut Vec::new(), &parent_trees, Some(at))?;
        self.change.commits.push(NewCommit { id, parent_trees, tree: commit.tree, reference: None });
        Ok(commit.parents)
    }

    fn root_tree(&self, commit: ObjectId, cache: &mut IdMap<ObjectId>) -> Result<ObjectId, ChangeError> {
        if let Some(&tree) = cache.get(&commit) {
            return Ok(tree);
        }
        let mut raw = Vec::new();
        self.store.read_small(commit, LARGEST_MESSAGE, &mut raw)?;
        let tree = objects::commit(commit, &raw)?.tree;
        cache.insert(commit, tree);
        Ok(tree)
    }

    /// Lists what `tree` holds and no tree of `parents` (the parents' versions of the same folder) holds under that name.
    fn tree(&mut self, tree: ObjectId, path: &mut Vec<u8>, parents: &[ObjectId], commit: Option<CommitIndex>) -> Result<(), ChangeError> {
        if parents.contains(&tree) || !self.seen_trees.insert(tree, path) {
            return Ok(());
        }
        let Some(read) = unless_promised(self.store, self.trees.read(tree))? else {
            self.change
                .unread
                .push(Unread { path: path.clone(), why: "this folder is not in this partial clone, and hooks fetch nothing".to_owned() });
            return Ok(());
        };
        // A parent's folder that a partial clone lacks makes nothing known: more is read, never less.
        let mut before = Vec::with_capacity(parents.len());
        for &id in parents {
            before.extend(unless_promised(self.store, self.trees.read(id))?.map(|read| (id, read)));
        }
        let names_list = |bytes: &[u8]| memchr::memmem::find(bytes, b" .gitignore\0").is_some();
        let loses_list = !before.is_empty() && before.iter().all(|(_, before)| names_list(&before.bytes)) && !names_list(&read.bytes);
        if let (true, Some(commit), Some((id, first))) = (loses_list, commit, before.first())
            && let Some(list) = ByName::new(*id, &first.bytes).get(IGNORE_LIST)?.filter(|list| list.kind == EntryKind::Blob)
        {
            self.change.removed_lists.push(([path.as_slice(), IGNORE_LIST].concat().into(), list.id, commit));
        }
        let mut before: Vec<_> = before.iter().map(|(id, before)| ByName::new(*id, &before.bytes)).collect();
        // A few folders that stand within each other over and over make up billions of paths.
        if self.listed > LISTED_AT_LEAST + LISTED_PER_STORED * self.stored {
            return Err(ChangeError::Bomb { tree, listed: self.listed, stored: self.stored });
        }
        Progress::add(&PROGRESS.folders, 1);
        let is_first = u64::from(self.met.insert(tree));
        let mut rest = &read.bytes[..];
        while !rest.is_empty() {
            self.listed += 1;
            self.stored += is_first;
            let bytes = first_entry_bytes(tree, rest)?;
            let mut same = false;
            for before in &mut before {
                same |= before.next_is(bytes);
            }
            if same {
                rest = &rest[bytes.len()..];
                continue;
            }
            let (entry, after) = first_entry(tree, rest)?;
            rest = after;
            let mut old = Vec::with_capacity(before.len());
            for before in &mut before {
                old.extend(before.get(entry.name)?);
            }
            if old.iter().any(|old| old.id == entry.id && old.kind == entry.kind) {
                continue;
            }
            let length = path.len();
            path.extend_from_slice(entry.name);
            if path.len() > LONGEST_PATH {
                return Err(ChangeError::LongPath { tree, bytes: path.len(), most: LONGEST_PATH });
            }
            match entry.kind {
                EntryKind::Tree => {
                    path.push(b'/');
                    let folders: Vec<_> = old.iter().filter(|old| old.kind == EntryKind::Tree).map(|old| old.id).collect();
                    self.tree(entry.id, path, &folders, commit)?;
                }
                EntryKind::Blob => {
                    let before = old.iter().find(|old| old.kind == EntryKind::Blob).map(|old| old.id);
                    self.file(entry.id, path, before, old.is_empty(), commit);
                }
                EntryKind::Submodule if old.is_empty() => {
                    self.change.files.push(NewFile {
                        path: path.as_slice().into(),
                        blob: None,
                        before: None,
                        path_is_new: true,
                        commit,
                        reference: None,
                    });
                }
                EntryKind::Submodule => {}
            }
            path.truncate(length);
        }
        Ok(())
    }

    fn file(&mut self, blob: ObjectId, path: &[u8], before: Option<ObjectId>, path_is_new: bool, commit: Option<CommitIndex>) {
        if self.seen.insert(blob, path) {
            self.change.files.push(NewFile { path: path.into(), blob: Some(blob), before, path_is_new, commit, reference: None });
        }
    }

    /// Gives every commit the first ref that reaches it: from children to parents, as the list is in reverse order.
    fn name_refs(&mut self, index: &IdMap<usize>, parents: &[Vec<ObjectId>]) {
        let mut first = vec![NO_REF; parents.len()];
        for (tip, reference) in &self.tips {
            if let Some(&at) = index.get(tip) {
                first[at] = first[at].min(*reference);
            }
        }
        for at in (0..parents.len()).rev() {
            for parent in &parents[at] {
                if let Some(&above) = index.get(parent) {
                    first[above] = first[above].min(first[at]);
                }
            }
        }
        for (commit, reference) in self.change.commits.iter_mut().zip(first) {
            commit.reference = (reference != NO_REF).then_some(reference);
        }
    }
}
