//! What the index adds to `HEAD`, and to the other parents of a merge that is being concluded.

use std::collections::HashSet;

use super::error::ChangeError;
use super::objects::{self, EntryKind, ObjectId, tree_entries};
use super::promised::unless_promised;
use super::store::{Kind, LARGEST_MESSAGE, LARGEST_TREE, Store};
use super::{ChangeSet, NewFile};

/// What a commit of the index named by git's environment would add. `others` are the further parents of a merge: what they
/// hold counts as known only as far as a remote has it. A purely local branch may have got past the hooks.
///
/// # Errors
/// An unreadable index or object, or an unresolved conflict.
pub fn staged(store: &dyn Store, others: &[ObjectId]) -> Result<ChangeSet, ChangeError> {
    let head = store.head()?;
    let mut change = ChangeSet::default();
    for &parent in head.iter().chain(&on_remotes(store, head, others)?) {
        change.base_trees.push(root_tree(store, parent)?);
    }
    let merged = change.base_trees.get(1..).unwrap_or_default().to_vec();
    for entry in store.staged(head)? {
        let (Some((mode, id)), old) = (entry.new, entry.old) else {
            if let Some((mode, id)) = entry.old
                && EntryKind::from_mode(mode) == EntryKind::Blob
            {
                change.removed.push((entry.path.into(), id));
            }
            continue;
        };
        let mut elsewhere = Vec::new();
        for &tree in &merged {
            elsewhere.extend(unless_promised(store, find(store, tree, &entry.path))?.flatten());
        }
        if elsewhere.contains(&id) {
            continue; // another side of the merge has this very file, and a remote has it too
        }
        let blob = (EntryKind::from_mode(mode) == EntryKind::Blob).then_some(id);
        let path_is_new = old.is_none() && elsewhere.is_empty();
        if blob.is_some() || path_is_new {
            let before = old.filter(|(mode, _)| EntryKind::from_mode(*mode) == EntryKind::Blob).map(|(_, id)| id);
            change.files.push(NewFile { path: entry.path.into(), blob, before, path_is_new, commit: None, reference: None });
        }
    }
    Ok(change)
}

/// Of each parent: itself where a remote-tracking ref reaches it, else the last commits before it that one reaches.
fn on_remotes(store: &dyn Store, head: Option<ObjectId>, parents: &[ObjectId]) -> Result<Vec<ObjectId>, ChangeError> {
    if parents.is_empty() {
        return Ok(Vec::new()); // no merge: the refs need not be read
    }
    let refs = store.references()?;
    let remote: Vec<_> = refs.into_iter().filter(|(name, _)| name.starts_with(b"refs/remotes/")).map(|(_, id)| id).collect();
    // What HEAD reaches is not walked again: without a remote that would be the whole history.
    let known: Vec<_> = remote.iter().copied().chain(head).collect();
    let local: HashSet<_> = store.new_commits(parents, &known)?.into_iter().collect();
    let mut candidates = parents.to_vec();
    let mut raw = Vec::new();
    for &id in &local {
        store.read_small(id, LARGEST_MESSAGE, &mut raw)?;
        candidates.extend(objects::commit(id, &raw)?.parents);
    }
    candidates.sort_unstable();
    candidates.dedup();
    let mut found = Vec::new();
    for id in candidates {
        if !local.contains(&id) && store.holds(id) && store.new_commits(&[id], &remote)?.is_empty() {
            found.push(id);
        }
    }
    Ok(found)
}

/// The further parents of the merge that is about to be committed. `MERGE_HEAD` holds them after a conflict; in
/// `pre-merge-commit` it does not exist yet, and git names them by variables `GITHEAD_<id>`.
///
/// # Errors
/// A `MERGE_HEAD` that is there and cannot be read or understood.
pub fn merge_parents(store: &dyn Store, environment: impl Iterator<Item = String>) -> Result<Vec<ObjectId>, ChangeError> {
    let mut parents: Vec<_> = environment.filter_map(|name| ObjectId::from_hex(name.strip_prefix("GITHEAD_")?.as_bytes())).collect();
    let file = store.git_dir().join("MERGE_HEAD");
    match std::fs::read(&file) {
        Ok(text) => {
            for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
                parents.push(ObjectId::from_hex(line).ok_or(ChangeError::Input { line: 1, format: "<id> in MERGE_HEAD" })?);
            }
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(ChangeError::File { path: file, source }),
    }
    parents.sort_unstable();
    parents.dedup();
    Ok(parents)
}

/// The blob at `path` in a commit, if there is one.
///
/// # Errors
/// An object that cannot be read, or an id that is no commit's.
pub fn file_in_commit(store: &dyn Store, commit: ObjectId, path: &[u8]) -> Result<Option<ObjectId>, ChangeError> {
    find(store, root_tree(store, commit)?, path)
}

/// The commit that `id` is or that it leads to through tags; `None` for a tree, a blob or a tag of one.
///
/// # Errors
/// An object that cannot be read.
pub fn commit_of(store: &dyn Store, mut id: ObjectId) -> Result<Option<ObjectId>, ChangeError> {
    let mut raw = Vec::new();
    loop {
        match store.header(id)?.0 {
            Kind::Commit => return Ok(Some(id)),
            Kind::Tree | Kind::Blob => return Ok(None),
            Kind::Tag => {
                store.read_small(id, LARGEST_MESSAGE, &mut raw)?;
                id = objects::tag(id, &raw)?.target;
            }
        }
    }
}

/// The root folder of a commit.
pub(super) fn root_tree(store: &dyn Store, commit: ObjectId) -> Result<ObjectId, ChangeError> {
    let mut raw = Vec::new();
    if store.read_small(commit, LARGEST_MESSAGE, &mut raw)? != Kind::Commit {
        return Err(ChangeError::WrongKind { id: commit, wanted: "commit" });
    }
    Ok(objects::commit(commit, &raw)?.tree)
}

/// The file, link or submodule at `path` below `tree`, if any.
pub(super) fn find(store: &dyn Store, tree: ObjectId, path: &[u8]) -> Result<Option<ObjectId>, ChangeError> {
    Ok(entry(store, tree, path)?.and_then(|(kind, id)| (kind != EntryKind::Tree).then_some(id)))
}

/// True when `path` below `tree` is a folder.
pub(super) fn find_folder(store: &dyn Store, tree: ObjectId, path: &[u8]) -> Result<bool, ChangeError> {
    Ok(entry(store, tree, path)?.is_some_and(|(kind, _)| kind == EntryKind::Tree))
}

fn entry(store: &dyn Store, tree: ObjectId, path: &[u8]) -> Result<Option<(EntryKind, ObjectId)>, ChangeError> {
    let mut at = (EntryKind::Tree, tree);
    let mut raw = Vec::new();
    for name in path.split(|&b| b == b'/') {
        if at.0 != EntryKind::Tree {
            return Ok(None);
        }
        if store.read_small(at.1, LARGEST_TREE, &mut raw)? != Kind::Tree {
            return Err(ChangeError::WrongKind { id: at.1, wanted: "tree" });
        }
        let Some(found) = tree_entries(at.1, &raw)?.into_iter().find(|entry| entry.name == name) else { return Ok(None) };
        at = (found.kind, found.id);
    }
    Ok(Some(at))
}
