//! Trees as a walk over many commits needs them: read once, and compared entry by entry with the version before.

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
    /// Where each entry begins, in the order of names: of a million entries four megabytes.
    table: Option<Vec<u32>>,
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
            let table = self.table.as_deref().unwrap_or_default();
            let after = table.partition_point(|&at| self.name(at) <= name);
            if let Some(&at) = after.checked_sub(1).and_then(|last| table.get(last)).filter(|&&at| self.name(at) == name) {
                entry = self.at(at as usize)?;
            }
        }
        Ok(entry.map(|(entry, end)| {
            self.next = end;
            entry
        }))
    }

    fn table(&self) -> Result<Vec<u32>, ChangeError> {
        let mut table = Vec::new();
        let mut at = 0;
        while let Some((_, end)) = self.at(at)? {
            table.push(at as u32);
            at = end;
        }
        // They are nearly in this order: git takes the name of a folder for one that ends with a slash.
        table.sort_by(|&a, &b| self.name(a).cmp(self.name(b)));
        Ok(table)
    }

    /// The name of the entry that begins there.
    fn name(&self, at: u32) -> &'a [u8] {
        let rest = &self.raw[at as usize..];
        let end = memchr::memchr(0, rest).unwrap_or(rest.len());
        memchr::memchr(b' ', &rest[..end]).map_or(&[][..], |space| &rest[space + 1..end])
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
