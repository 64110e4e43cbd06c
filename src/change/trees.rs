//! Trees as a walk over many commits needs them: read once, and compared entry by entry with the version before.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use super::changed::shared_start;
use super::error::ChangeError;
use super::id_map::IdMap;
use super::objects::{ObjectId, TreeEntry, first_entry, first_entry_bytes};
use super::store::{Kind, LARGEST_TREE, Object, Store, UpTo};

/// A tree that was read.
pub(super) struct Tree {
    id: ObjectId,
    object: Arc<Object>,
    /// Where each entry begins.
    starts: OnceCell<Vec<u32>>,
    names_ignore_list: OnceCell<bool>,
}

impl Tree {
    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.object.bytes
    }

    /// True where one of its entries has this name, or ends with it. Asked for each version both as the new and as the old one.
    pub(super) fn names_ignore_list(&self) -> bool {
        *self.names_ignore_list.get_or_init(|| memchr::memmem::find(self.bytes(), b" .gitignore\0").is_some())
    }

    /// Where each entry begins, found out unless it is known.
    fn starts(&self) -> Result<&[u32], ChangeError> {
        if let Some(starts) = self.starts.get() {
            return Ok(starts);
        }
        let (mut starts, mut at) = (Vec::new(), 0);
        while at < self.bytes().len() {
            starts.push(at as u32);
            at += first_entry_bytes(self.id, &self.bytes()[at..])?.len();
        }
        Ok(self.starts.get_or_init(|| starts))
    }

    /// Takes over where each entry begins.
    pub(super) fn starts_are(&self, starts: Vec<u32>) {
        // They may be known.
        let _ = self.starts.set(starts);
    }
}

/// Entries of a tree, found by name. Two versions of a folder are sorted alike and hold mostly the same entries, so the next
/// one asked for is mostly the next one here; only when it is not, a table is made.
pub(super) struct ByName<'a> {
    of: &'a Tree,
    tree: ObjectId,
    raw: &'a [u8],
    /// Where the next entry begins.
    next: usize,
    /// Where each entry begins, in the order of names: of a million entries four megabytes.
    table: Option<Vec<u32>>,
}

impl<'a> ByName<'a> {
    pub(super) fn new(of: &'a Tree) -> Self {
        Self { of, tree: of.id, raw: of.bytes(), next: 0, table: None }
    }

    /// Steps over the next entries as far as `rest` begins with the same ones; gives how many bytes of it. Where these entries
    /// begin is added to `starts`, for a tree in which they begin at `at`.
    pub(super) fn skip_same(&mut self, rest: &[u8], at: usize, starts: &mut Vec<u32>) -> usize {
        // One that is malformed is read entry by entry, as far as that is needed.
        let Ok(known) = self.of.starts() else { return 0 };
        let from = known.partition_point(|&start| (start as usize) < self.next);
        let end = self.next + shared_start(&self.raw[self.next..], rest);
        // Where it ends alike an entry ends too.
        let to = if end == self.raw.len() { known.len() } else { known.partition_point(|&start| start as usize <= end).max(1) - 1 };
        if to <= from {
            return 0;
        }
        let (before, shift) = (self.next, at.wrapping_sub(self.next));
        starts.extend(known[from..to].iter().map(|&start| (start as usize).wrapping_add(shift) as u32));
        self.next = known.get(to).map_or(self.raw.len(), |&start| start as usize);
        self.next - before
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
    read: IdMap<Rc<Tree>>,
    bytes: usize,
}

/// Holds the folders of a large repository; when full it starts anew.
const TREE_CACHE_BYTES: usize = 16 << 20;

impl<'s> TreeCache<'s> {
    pub(super) fn new(store: &'s dyn Store) -> Self {
        Self { store, read: IdMap::default(), bytes: 0 }
    }

    pub(super) fn read(&mut self, id: ObjectId) -> Result<Rc<Tree>, ChangeError> {
        if let Some(tree) = self.read.get(&id) {
            return Ok(tree.clone());
        }
        let object = match self.store.read_up_to(id, LARGEST_TREE)? {
            UpTo::Whole(object) if object.kind == Kind::Tree => object,
            UpTo::Larger(kind, size) => return Err(ChangeError::TooLarge { kind: kind.name(), id, size, most: LARGEST_TREE }),
            UpTo::Whole(_) => return Err(ChangeError::WrongKind { id, wanted: "tree" }),
        };
        if self.bytes > TREE_CACHE_BYTES {
            self.read.clear();
            self.bytes = 0;
        }
        self.bytes += object.bytes.len();
        let tree = Rc::new(Tree { id, object, starts: OnceCell::new(), names_ignore_list: OnceCell::new() });
        self.read.insert(id, tree.clone());
        Ok(tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: u8) -> ObjectId {
        ObjectId::from_bytes(&[digit; 20]).unwrap()
    }

    fn tree(entries: &[(String, u8)]) -> Tree {
        let bytes = entries.iter().flat_map(|(name, digit)| [b"100644 ", name.as_bytes(), b"\0", id(*digit).as_bytes()].concat()).collect();
        Tree { id: id(9), object: Arc::new(Object { kind: Kind::Tree, bytes }), starts: OnceCell::new(), names_ignore_list: OnceCell::new() }
    }

    proptest::proptest! {
        #[test]
        fn what_two_versions_share_is_stepped_over_entry_by_entry(
            old in proptest::collection::btree_map("[ab]{1,3}", 1u8..3, 0..12),
            new in proptest::collection::btree_map("[ab]{1,3}", 1u8..3, 0..12),
        ) {
            let (old, new): (Vec<_>, Vec<_>) = (old.into_iter().collect(), new.into_iter().collect());
            let (old_tree, new_tree) = (tree(&old), tree(&new));
            let mut before = ByName::new(&old_tree);
            let (mut starts, mut rest, mut differ) = (Vec::new(), new_tree.bytes(), Vec::new());
            while !rest.is_empty() {
                let at = new_tree.bytes().len() - rest.len();
                rest = &rest[before.skip_same(rest, at, &mut starts)..];
                if rest.is_empty() {
                    break;
                }
                starts.push((new_tree.bytes().len() - rest.len()) as u32);
                let (entry, after) = first_entry(id(9), rest).unwrap();
                if before.get(entry.name).unwrap().is_none_or(|old| old.id != entry.id) {
                    differ.push(entry.name.to_vec());
                }
                rest = after;
            }
            let expected: Vec<_> = new.iter().filter(|entry| !old.contains(entry)).map(|(name, _)| name.clone().into_bytes()).collect();
            proptest::prop_assert_eq!(differ, expected);
            proptest::prop_assert_eq!(starts.as_slice(), new_tree.starts().unwrap());
        }
    }
}
