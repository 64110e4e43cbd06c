//! Trees as a walk over many commits needs them: read once, and compared entry by entry with the version before.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::ChangeError;
use super::id_map::IdMap;
use super::objects::{ObjectId, TreeEntry, first_entry};
use super::store::{Kind, LARGEST_TREE, Object, Store, UpTo};

/// Entries of a tree, found by name. Two versions of a folder are sorted alike and hold mostly the same entries, so the next
/// one asked for is mostly the next one here; only when it is not, a table is made.
pub(super) struct ByName<'a> {
    tree: ObjectId,
    raw: &'a [u8],
    /// Where the next entry begins.
    next: usize,
    /// Where the entry of each name begins.
    table: Option<HashMap<&'a [u8], usize>>,
}

impl<'a> ByName<'a> {
    pub(super) fn new(tree: ObjectId, raw: &'a [u8]) -> Self {
        Self { tree, raw, next: 0, table: None }
    }

    /// Steps over the next entry if its bytes are these: its mode, name and id.
    pub(super) fn next_is(&mut self, entry: &[u8]) -> bool {
        let same = self.raw[self.next..].starts_with(entry);
        self.next += if same { entry.len() } else { 0 };
        same
    }

    pub(super) fn get(&mut self, name: &[u8]) -> Result<Option<TreeEntry<'a>>, ChangeError> {
        let mut entry = self.at(self.next)?.filter(|(entry, _)| entry.name == name);
        if entry.is_none() {
            if self.table.is_none() {
                self.table = Some(self.table()?);
            }
            if let Some(&at) = self.table.as_ref().and_then(|table| table.get(name)) {
                entry = self.at(at)?;
            }
        }
        Ok(entry.map(|(entry, end)| {
            self.next = end;
            entry
        }))
    }

    fn table(&self) -> Result<HashMap<&'a [u8], usize>, ChangeError> {
        let mut table = HashMap::new();
        let mut at = 0;
        while let Some((entry, end)) = self.at(at)? {
            table.insert(entry.name, at);
            at = end;
        }
        Ok(table)
    }

    /// The entry that begins there, and where it ends.
    fn at(&self, at: usize) -> Result<Option<(TreeEntry<'a>, usize)>, ChangeError> {
        let rest = &self.raw[at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let (entry, after) = first_entry(self.tree, rest)?;
        Ok(Some((entry, self.raw.len() - after.len())))
    }
}

/// Trees read lately: the tree of one commit is the parent's tree of the next.
pub(super) struct TreeCache<'s> {
    store: &'s dyn Store,
    read: IdMap<Arc<Object>>,
    bytes: usize,
}

/// Holds the folders of a large repository; when full it starts anew.
const TREE_CACHE_BYTES: usize = 16 << 20;

impl<'s> TreeCache<'s> {
    pub(super) fn new(store: &'s dyn Store) -> Self {
        Self { store, read: IdMap::default(), bytes: 0 }
    }

    pub(super) fn read(&mut self, id: ObjectId) -> Result<Arc<Object>, ChangeError> {
        if let Some(tree) = self.read.get(&id) {
            return Ok(tree.clone());
        }
        let tree = match self.store.read_up_to(id, LARGEST_TREE)? {
            UpTo::Whole(object) if object.kind == Kind::Tree => object,
            UpTo::Larger(kind, size) => return Err(ChangeError::TooLarge { kind: kind.name(), id, size, most: LARGEST_TREE }),
            UpTo::Whole(_) => return Err(ChangeError::WrongKind { id, wanted: "tree" }),
        };
        if self.bytes > TREE_CACHE_BYTES {
            self.read.clear();
            self.bytes = 0;
        }
        self.bytes += tree.bytes.len();
        self.read.insert(id, tree.clone());
        Ok(tree)
    }
}
