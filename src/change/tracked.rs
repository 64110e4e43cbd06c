//! Everything that the last commit holds, as if all of it were new: what there was before leakstop came.

use super::error::ChangeError;
use super::objects::{EntryKind, ObjectId, tree_entries};
use super::staged::root_tree;
use super::store::{Kind, LARGEST_TREE, Store};
use super::{ChangeSet, NewFile};

/// The files of a commit. Of a submodule only the name is ours.
///
/// # Errors
/// An object that cannot be read.
pub fn tracked(store: &dyn Store, commit: ObjectId) -> Result<ChangeSet, ChangeError> {
    let mut change = ChangeSet::default();
    let mut folders = vec![(Vec::new(), root_tree(store, commit)?)];
    let mut raw = Vec::new();
    while let Some((path, tree)) = folders.pop() {
        if store.read_small(tree, LARGEST_TREE, &mut raw)? != Kind::Tree {
            return Err(ChangeError::WrongKind { id: tree, wanted: "tree" });
        }
        for entry in tree_entries(tree, &raw)? {
            let mut inner = path.clone();
            if !inner.is_empty() {
                inner.push(b'/');
            }
            inner.extend_from_slice(entry.name);
            if entry.kind == EntryKind::Tree {
                folders.push((inner, entry.id));
                continue;
            }
            let blob = (entry.kind == EntryKind::Blob).then_some(entry.id);
            change.files.push(NewFile { path: inner.into(), blob, before: None, path_is_new: true, commit: None, reference: None });
        }
    }
    change.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(change)
}
