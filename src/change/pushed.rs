//! What a push brings in: everything reachable from the new values and from no existing ref. What of it does not fit into one
//! part is handed to `take`, part by part, and the last part is returned.
//!
//! It is long because one walk lists commits, texts, folders and files, and keeps the measure of all of them.

use std::collections::HashSet;

use super::error::ChangeError;
use super::id_map::{IdMap, IdSet, Marks, What};
use super::in_parts::{InParts, Take, in_parts};
use super::objects::{self, Commit, EntryKind, ObjectId, first_entry, first_entry_bytes};
use super::promised::unless_promised;
use super::store::{Kind, LARGEST_MESSAGE, Store};
use super::trees::{ByName, TreeCache};
use super::updates::RefUpdate;
use super::watch::{PROGRESS, Progress};
use super::{ChangeSet, CommitIndex, NewCommit, NewFile, NewText, Part, Unread};

/// What `updates` bring in that none of the objects in `known` reaches. The earlier values that they name count for nothing: on
/// a server they are the pusher's word, which git compares with its refs only after the hook.
///
/// # Errors
/// An object that cannot be read, and what `take` says.
pub fn pushed<E: From<ChangeError>>(store: &dyn Store, updates: &[RefUpdate], known: &[ObjectId], take: &mut Take<'_, E>) -> Result<ChangeSet, E> {
    in_parts(take, |parts| {
        let mut walk = Walk::new(store, known, parts)?;
        for update in updates {
            let index = walk.parts.change.refs.len() as u32;
            walk.parts.change.refs.push(update.name.clone());
            let Some(new) = update.new else { continue };
            if update.old.is_none() {
                walk.text(Part::Ref, update.name.clone(), None, Some(&update.name));
            }
            walk.tip(new, index)?;
        }
        walk.finish(known)
    })
}

/// What the commits reachable from `to` and not from `from` bring in.
///
/// # Errors
/// An object that cannot be read, and what `take` says.
pub fn range<E: From<ChangeError>>(store: &dyn Store, from: &[ObjectId], to: ObjectId, take: &mut Take<'_, E>) -> Result<ChangeSet, E> {
    in_parts(take, |parts| {
        let mut walk = Walk::new(store, from, parts)?;
        walk.tip(to, NO_REF)?;
        walk.finish(from)
    })
}

/// Everything that any ref reaches.
///
/// # Errors
/// An object that cannot be read, and what `take` says.
pub fn history<E: From<ChangeError>>(store: &dyn Store, take: &mut Take<'_, E>) -> Result<ChangeSet, E> {
    in_parts(take, |parts| {
        let mut walk = Walk::new(store, &[], parts)?;
        for (name, id) in store.references()? {
            let index = walk.parts.change.refs.len() as u32;
            walk.text(Part::Ref, name.clone(), None, Some(&name));
            walk.parts.change.refs.push(name);
            walk.tip(id, index)?;
        }
        if let Some(head) = store.head()? {
            walk.tip(head, NO_REF)?;
        }
        walk.finish(&[])
    })
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

struct Walk<'s, 'p, E> {
    store: &'s dyn Store,
    parts: InParts<'p, E>,
    /// Ids that need no look: what `known` names, directly or through tags.
    known: IdSet,
    /// Commits to walk from, each with the index of the ref that brings it.
    tips: Vec<(ObjectId, u32)>,
    /// Blobs and trees met lately, with the path they were met at: the path decides which rules apply.
    seen: Marks,
    /// Trees listed so far, at whatever paths.
    met: HashSet<u64>,
    /// Entries of all trees, each tree counted once.
    stored: u64,
    /// Entries of all trees, counted at each path.
    listed: u64,
    /// Commits and tags read so far, and the bytes of them.
    texts: u64,
    text_bytes: u64,
    trees: TreeCache<'s>,
    /// The ref that names the files being listed, where no commit does.
    reference: Option<u32>,
    /// Commits whose parents are not here because the history is shallow.
    cut_off: IdSet,
}

impl<'s, 'p, E: From<ChangeError>> Walk<'s, 'p, E> {
    fn new(store: &'s dyn Store, known: &[ObjectId], parts: InParts<'p, E>) -> Result<Self, ChangeError> {
        // Also where there are few objects: one of them may rest on what is too large to be held.
        store.expect_many();
        let mut walk = Self {
            store,
            parts,
            known: known.iter().copied().collect(),
            tips: Vec::new(),
            seen: Marks::default(),
            met: HashSet::new(),
            stored: 0,
            listed: 0,
            texts: 0,
            text_bytes: 0,
            trees: TreeCache::new(store),
            reference: None,
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

    /// Counts a commit or tag.
    fn holds_text(&mut self, bytes: usize) -> Result<(), ChangeError> {
        self.texts += 1;
        self.text_bytes += bytes as u64;
        if self.text_bytes > TEXT_AT_LEAST + TEXT_PER_OBJECT * self.texts {
            return Err(ChangeError::Messages { objects: self.texts, bytes: self.text_bytes });
        }
        Ok(())
    }

    fn text(&mut self, part: Part, bytes: Vec<u8>, commit: Option<CommitIndex>, reference: Option<&[u8]>) {
        self.parts.text(NewText { part, bytes, commit, reference: reference.map(<[u8]>::to_vec) });
    }

    /// Takes in the new value of a ref: tags on the way are texts, and at the end is a commit, a tree or a blob.
    fn tip(&mut self, mut id: ObjectId, reference: u32) -> Result<(), E> {
        self.reference = (reference != NO_REF).then_some(reference);
        let name = self.parts.change.refs.get(reference as usize).cloned();
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
                    return self.tree(id, &mut Vec::new(), &accepted, None);
                }
                Kind::Blob => return self.file(id, name.as_deref().unwrap_or_default(), None, false, None),
                Kind::Tag => {
                    self.store.read_small(id, LARGEST_MESSAGE, &mut raw)?;
                    self.holds_text(raw.len())?;
                    let tag = objects::tag(id, &raw)?;
                    for part in [tag.headers, tag.message] {
                        self.text(Part::Tag, part.to_vec(), None, name.as_deref());
                    }
                    self.known.insert(id);
                    id = tag.target;
                    self.parts.hand_on()?;
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

    /// Walks the new commits, parents first, so that what is found names the commit that brought it.
    fn finish(mut self, known: &[ObjectId]) -> Result<InParts<'p, E>, E> {
        self.reference = None;
        if self.tips.is_empty() {
            return Ok(self.parts);
        }
        let tips: Vec<_> = self.tips.iter().map(|&(id, _)| id).collect();
        let ids = self.store.new_commits(&tips, known)?;
        let listed = self.commits(&ids)?;
        let (mut raw, mut parents) = (Vec::new(), Vec::new());
        for (at, &id) in ids.iter().enumerate() {
            if at >= listed {
                self.store.read_small(id, LARGEST_MESSAGE, &mut raw)?;
                self.texts(&objects::commit(id, &raw)?, at as CommitIndex);
                self.parts.hand_on()?;
            }
            let commit = &self.parts.change.commits[at];
            parents.clone_from(&commit.parent_trees);
            self.tree(commit.tree, &mut Vec::new(), &parents, Some(at as CommitIndex))?;
        }
        Ok(self.parts)
    }

    /// Lists all commits, and with them what they say until that fills a part; gives the first whose texts are not listed.
    fn commits(&mut self, ids: &[ObjectId]) -> Result<usize, ChangeError> {
        let index: IdMap<CommitIndex> = ids.iter().zip(0..).map(|(&id, at)| (id, at)).collect();
        // Pairs of a new commit and a new parent of it.
        let mut links = Vec::new();
        let mut known_trees = IdMap::default();
        let mut listed = 0;
        let mut raw = Vec::new();
        for (at, &id) in (0..).zip(ids) {
            if self.store.read_small(id, LARGEST_MESSAGE, &mut raw)? != Kind::Commit {
                return Err(ChangeError::WrongKind { id, wanted: "commit" });
            }
            self.holds_text(raw.len())?;
            Progress::add(&PROGRESS.commits, 1);
            let mut commit = objects::commit(id, &raw)?;
            if self.cut_off.contains(&id) {
                commit.parents.clear();
            }
            let mut parent_trees = Vec::with_capacity(commit.parents.len());
            for &parent in &commit.parents {
                let new = index.get(&parent).copied();
                links.extend(new.map(|parent| (at, parent)));
                // Parents stand before children.
                parent_trees.push(match new.and_then(|parent| self.parts.change.commits.get(parent as usize)) {
                    Some(parent) => parent.tree,
                    None => self.root_tree(parent, &mut known_trees)?,
                });
            }
            if !self.parts.is_full() {
                self.texts(&commit, at);
                listed += 1;
            }
            self.parts.change.commits.push(NewCommit { id, parent_trees, tree: commit.tree, reference: None });
        }
        self.name_refs(&index, &links);
        Ok(listed)
    }

    /// Lists what a commit says.
    fn texts(&mut self, commit: &Commit<'_>, at: CommitIndex) {
        self.text(Part::Message, commit.message.to_vec(), Some(at), None);
        for line in objects::text_headers(commit.headers) {
            if self.seen.insert(What::Author, line) {
                self.text(Part::Author, line.to_vec(), Some(at), None);
            }
        }
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
    fn tree(&mut self, tree: ObjectId, path: &mut Vec<u8>, parents: &[ObjectId], commit: Option<CommitIndex>) -> Result<(), E> {
        if parents.contains(&tree) || !self.seen.insert(What::Folder(tree), path) {
            return Ok(());
        }
        let Some(read) = unless_promised(self.store, self.trees.read(tree))? else {
            let why = "this folder is not in this partial clone, and hooks fetch nothing".to_owned();
            self.parts.change.unread.push(Unread { path: path.clone(), why });
            return Ok(());
        };
        if read.bytes().is_empty() && parents.is_empty() && !path.is_empty() {
            // git makes no empty folder, but takes one in, and its name is all that it holds.
            let path = path[..path.len() - 1].into();
            let folder = NewFile { path, blob: None, before: None, path_is_new: true, commit, reference: self.reference };
            self.parts.file(folder, self.listed, self.stored)?;
        }
        // A parent's folder that a partial clone lacks makes nothing known: more is read, never less.
        let mut before = Vec::with_capacity(parents.len());
        for &id in parents {
            before.extend(unless_promised(self.store, self.trees.read(id))?);
        }
        let loses_list = !before.is_empty() && before.iter().all(|before| before.names_ignore_list()) && !read.names_ignore_list();
        if let (true, Some(commit), Some(first)) = (loses_list, commit, before.first())
            && let Some(list) = ByName::new(first).get(IGNORE_LIST)?.filter(|list| list.kind == EntryKind::Blob)
        {
            self.parts.change.removed_lists.push(([path.as_slice(), IGNORE_LIST].concat().into(), list.id, commit));
        }
        let mut before: Vec<_> = before.iter().map(|before| ByName::new(before)).collect();
        // A few folders that stand within each other over and over make up billions of paths.
        if self.listed > LISTED_AT_LEAST + LISTED_PER_STORED * self.stored {
            return Err(ChangeError::Bomb { tree, listed: self.listed, stored: self.stored }.into());
        }
        Progress::add(&PROGRESS.folders, 1);
        let is_first = u64::from(self.met.insert(self.seen.number(tree)));
        let mut rest = read.bytes();
        let mut starts = Vec::new();
        while !rest.is_empty() {
            // Mostly there is one version before, and nearly all of it is the same.
            if let [before] = &mut before[..] {
                let (at, count) = (read.bytes().len() - rest.len(), starts.len());
                rest = &rest[before.skip_same(rest, at, &mut starts)..];
                let same = (starts.len() - count) as u64;
                self.listed += same;
                self.stored += same * is_first;
                if rest.is_empty() {
                    break;
                }
            }
            self.listed += 1;
            self.stored += is_first;
            starts.push((read.bytes().len() - rest.len()) as u32);
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
                return Err(ChangeError::LongPath { tree, bytes: path.len(), most: LONGEST_PATH }.into());
            }
            match entry.kind {
                EntryKind::Tree => {
                    path.push(b'/');
                    let folders: Vec<_> = old.iter().filter(|old| old.kind == EntryKind::Tree).map(|old| old.id).collect();
                    self.tree(entry.id, path, &folders, commit)?;
                }
                EntryKind::Blob => {
                    let before = old.iter().find(|old| old.kind == EntryKind::Blob).map(|old| old.id);
                    self.file(entry.id, path, before, old.is_empty(), commit)?;
                }
                EntryKind::Submodule if old.is_empty() => {
                    let path = path.as_slice().into();
                    self.parts.file(
                        NewFile { path, blob: None, before: None, path_is_new: true, commit, reference: self.reference },
                        self.listed,
                        self.stored,
                    )?;
                }
                EntryKind::Submodule => {}
            }
            path.truncate(length);
        }
        read.starts_are(starts);
        Ok(())
    }

    fn file(&mut self, blob: ObjectId, path: &[u8], before: Option<ObjectId>, path_is_new: bool, commit: Option<CommitIndex>) -> Result<(), E> {
        if !self.seen.insert(What::File(blob), path) {
            return Ok(());
        }
        self.parts.file(
            NewFile { path: path.into(), blob: Some(blob), before, path_is_new, commit, reference: self.reference },
            self.listed,
            self.stored,
        )
    }

    /// Gives every commit the first ref that reaches it: from children to parents, as these stand in reverse order.
    fn name_refs(&mut self, index: &IdMap<CommitIndex>, links: &[(CommitIndex, CommitIndex)]) {
        let mut first = vec![NO_REF; self.parts.change.commits.len()];
        for (tip, reference) in &self.tips {
            if let Some(&at) = index.get(tip) {
                first[at as usize] = first[at as usize].min(*reference);
            }
        }
        for &(commit, parent) in links.iter().rev() {
            first[parent as usize] = first[parent as usize].min(first[commit as usize]);
        }
        for (commit, reference) in self.parts.change.commits.iter_mut().zip(first) {
            commit.reference = (reference != NO_REF).then_some(reference);
        }
    }
}
