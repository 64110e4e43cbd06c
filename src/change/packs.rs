//! Many objects, read from packs: what libgit2 takes a second for, a push of thousands of commits, takes a tenth of it here.
//! libgit2 decodes the chain of differences on which an object rests nearly anew for each; here what was decoded last is
//! kept, and the next version of a file mostly rests on it.
//!
//! Only what is read well is read here. Whatever else there is (loose objects, packs of another form, damage) is `None`, and
//! libgit2 answers instead: it reads the object elsewhere, or says what is wrong.
//!
//! No object is hashed again here. Whatever comes in by a push or a fetch passes `git index-pack` or `git unpack-objects` before
//! any hook runs; both name each object by the hash of the bytes that they unpacked, and make the index themselves, so that no
//! sender chooses which bytes an id stands for. What breaks on the disk later shows as a wrong check sum of zlib, a size that
//! does not fit or an object that is missing, each of which is an error. Whoever may write to the object folder itself is past
//! every hook.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::delta;
use super::id_map::IdHasher;
use super::objects::ObjectId;
use super::pack_file::{Entry, Form, Inflate, PackFile};
use super::store::{Kind, LARGEST_TREE, Object, UpTo};

/// More packs are left to libgit2: each one is looked through for each object.
const MOST_PACKS: usize = 64;
/// Decoded objects are kept up to about this many bytes: the versions of one file follow each other.
const CACHE_BYTES: usize = 24 << 20;
/// A larger object is not kept: two of them are all that the cache may hold.
const LARGEST_KEPT: usize = 16 << 20;
/// A small object may rest on a huge one, of which all would have to be held: git itself is asked for that object, which needed the
/// room already to take the push in.
const LARGEST_BASE: u64 = LARGEST_TREE;
/// git makes chains of 50, and of 4095 at most when told to.
const LONGEST_CHAIN: usize = 10_000;
/// An alternate may name alternates; git follows them so far.
const ALTERNATES_DEPTH: usize = 5;

/// The packs of a repository.
pub(super) struct Packs {
    packs: Vec<PackFile>,
    state: RefCell<State>,
}

struct State {
    inflate: Inflate,
    cache: Cache,
    /// Where the last object was found: the next one is mostly there too.
    last: usize,
    /// Used again and again.
    delta: Vec<u8>,
    first_delta: Vec<u8>,
}

/// Where an object lies: index of the pack, and offset in it.
type Place = (usize, usize);

impl Packs {
    /// Opens the packs of these object folders.
    pub(super) fn open(folders: &[PathBuf]) -> Self {
        let mut packs = Vec::new();
        for folder in folders {
            let mut indexes: Vec<_> = list(&folder.join("pack")).filter(|path| path.extension().is_some_and(|e| e == "idx")).collect();
            indexes.sort_unstable();
            packs.extend(indexes.iter().take(MOST_PACKS.saturating_sub(packs.len())).filter_map(|index| PackFile::open(index)));
        }
        let state = State { inflate: Inflate::new(), cache: Cache::default(), last: 0, delta: Vec::new(), first_delta: Vec::new() };
        Self { packs, state: RefCell::new(state) }
    }

    /// Type and size of an object; `None` where it cannot be read here.
    pub(super) fn header(&self, id: ObjectId) -> Option<(Kind, u64)> {
        let mut state = self.state.borrow_mut();
        let place = self.find(id.as_bytes().try_into().ok()?, &mut state)?;
        self.header_at(place, &mut state)
    }

    /// Reads an object, unless it has more than `limit` bytes or rests on one that is too large to be held; `None` where it cannot
    /// be read here.
    pub(super) fn read(&self, id: ObjectId, limit: u64) -> Option<UpTo> {
        let mut state = self.state.borrow_mut();
        let place = self.find(id.as_bytes().try_into().ok()?, &mut state)?;
        self.read_at(place, limit, &mut state)
    }

    /// True when a pack lists the object.
    pub(super) fn holds(&self, id: ObjectId) -> bool {
        id.as_bytes().try_into().is_ok_and(|id| self.find(id, &mut self.state.borrow_mut()).is_some())
    }

    fn find(&self, id: &[u8; 20], state: &mut State) -> Option<Place> {
        let last = state.last;
        let order = [last].into_iter().chain((0..self.packs.len()).filter(|&at| at != last));
        let place = order.filter_map(|at| Some((at, self.packs.get(at)?.find(id)?))).next()?;
        state.last = place.0;
        Some(place)
    }

    fn entry(&self, (pack, offset): Place) -> Option<Entry> {
        self.packs.get(pack)?.entry(offset)
    }

    /// Where the base of an entry lies; `None` too for one that is kept whole.
    fn base(&self, entry: &Entry, (pack, _): Place, state: &mut State) -> Option<Place> {
        match entry.form {
            Form::Whole(_) => None,
            Form::From(offset) => Some((pack, offset)),
            Form::FromId(id) => self.find(&id, state),
        }
    }

    fn header_at(&self, place: Place, state: &mut State) -> Option<(Kind, u64)> {
        let first = self.entry(place)?;
        let size = match first.form {
            Form::Whole(_) => first.size,
            _ => {
                // Two numbers of at most ten bytes each stand at the beginning.
                let mut start = [0; 20];
                let length = self.packs.get(place.0)?.inflate_start(&first, &mut state.inflate, &mut start)?;
                delta::sizes(&start[..length])?.1
            }
        };
        let (mut entry, mut place) = (first, place);
        for _ in 0..LONGEST_CHAIN {
            if let Form::Whole(kind) = entry.form {
                return Some((kind, size));
            }
            place = self.base(&entry, place, state)?;
            entry = self.entry(place)?;
        }
        None
    }

    fn read_at(&self, wanted: Place, limit: u64, state: &mut State) -> Option<UpTo> {
        let larger = |state: &mut State| self.header_at(wanted, state).map(|(kind, size)| UpTo::Larger(kind, size));
        // Down the chain of bases, to one that is kept whole or at hand.
        let (mut place, mut chain) = (wanted, Vec::new());
        let mut object = loop {
            if let Some(object) = state.cache.get(place) {
                if place == wanted && object.bytes.len() as u64 > limit {
                    return Some(UpTo::Larger(object.kind, object.bytes.len() as u64));
                }
                break object;
            }
            let (pack, entry) = (self.packs.get(place.0)?, self.entry(place)?);
            if place == wanted && entry.size > limit {
                match self.header_at(wanted, state)? {
                    (kind, size) if size > limit => return Some(UpTo::Larger(kind, size)),
                    _ => {}
                }
            }
            // Also a difference can be many times as large as what it makes.
            let is_wanted_whole = place == wanted && matches!(entry.form, Form::Whole(_));
            if entry.size > LARGEST_BASE && !is_wanted_whole {
                return larger(state);
            }
            if let Form::Whole(kind) = entry.form {
                let mut bytes = Vec::new();
                pack.inflate(&entry, &mut state.inflate, &mut bytes)?;
                // A hundred thousand tiny objects would otherwise hold more room than bytes.
                bytes.shrink_to_fit();
                let object = Arc::new(Object { kind, bytes });
                state.cache.put(place, &object);
                break object;
            }
            if place == wanted {
                pack.inflate(&entry, &mut state.inflate, &mut state.first_delta)?;
                if delta::sizes(&state.first_delta)?.1 > limit {
                    return larger(state);
                }
            }
            if chain.len() == LONGEST_CHAIN {
                return None;
            }
            chain.push((place, entry));
            place = self.base(&entry, place, state)?;
        };
        // Up again: each one is made from the one below it.
        while let Some((place, entry)) = chain.pop() {
            let bytes = if chain.is_empty() {
                delta::apply(&object.bytes, &state.first_delta)?
            } else {
                self.packs.get(place.0)?.inflate(&entry, &mut state.inflate, &mut state.delta)?;
                if delta::sizes(&state.delta)?.1 > LARGEST_BASE {
                    return larger(state);
                }
                delta::apply(&object.bytes, &state.delta)?
            };
            object = Arc::new(Object { kind: object.kind, bytes });
            state.cache.put(place, &object);
        }
        Some(UpTo::Whole(object))
    }
}

/// Objects decoded lately, in two halves: when the younger one is full, the older one is dropped and it takes its place.
#[derive(Default)]
struct Cache {
    young: HashMap<Place, Arc<Object>, IdHasher>,
    old: HashMap<Place, Arc<Object>, IdHasher>,
    /// Bytes in the younger half.
    bytes: usize,
}

impl Cache {
    fn get(&mut self, place: Place) -> Option<Arc<Object>> {
        if let Some(object) = self.young.get(&place) {
            return Some(object.clone());
        }
        let object = self.old.remove(&place)?;
        self.put(place, &object);
        Some(object)
    }

    fn put(&mut self, place: Place, object: &Arc<Object>) {
        let size = object.bytes.len() + 160; // with its place in the table and in the heap
        if size > LARGEST_KEPT {
            return;
        }
        if self.bytes + size > CACHE_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += size;
        self.young.insert(place, object.clone());
    }
}

/// The object folders that git's environment names, or else `objects`, and their alternates: the quarantine of a push comes
/// first, and most of what is new lies there. A folder in quotes, as names with odd characters are written, is left to libgit2.
pub(super) fn object_folders(objects: &Path) -> Vec<PathBuf> {
    let own = std::env::var_os("GIT_OBJECT_DIRECTORY").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let mut found = vec![own.unwrap_or_else(|| objects.to_owned())];
    let others = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
    found.extend(std::env::split_paths(&others).filter(|folder| !folder.as_os_str().is_empty()));
    let mut from = 0;
    for _ in 0..ALTERNATES_DEPTH {
        let named: Vec<_> = found[from..].iter().flat_map(|folder| alternates(folder)).collect();
        from = found.len();
        for folder in named {
            if !found.contains(&folder) {
                found.push(folder);
            }
        }
    }
    found
}

/// The folders that an object folder's own list names; a relative one starts from that folder.
fn alternates(folder: &Path) -> Vec<PathBuf> {
    let text = std::fs::read(folder.join("info/alternates")).unwrap_or_default();
    let lines = text.split(|&b| b == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    lines.map(|line| folder.join(super::child::path_from(line.to_vec()))).collect()
}

fn list(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

#[cfg(test)]
mod tests;
