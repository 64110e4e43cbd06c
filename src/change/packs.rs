//! Many objects, read from packs: what libgit2 takes a second for, a push of thousands of commits, takes a tenth of it here.
//! libgit2 decodes the chain of differences on which an object rests nearly anew for each; here what was decoded last is
//! kept, and the next version of a file mostly rests on it.
//!
//! Only what is read well is read here. Whatever else there is (loose objects, packs of another form, damage) is `None`, and
//! libgit2 answers instead: it reads the object elsewhere, or says what is wrong.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zlib_rs::Inflate;

use super::delta;
use super::id_map::IdHasher;
use super::objects::ObjectId;
use super::pack_file::{Entry, Form, PackFile};
use super::store::{Kind, Object, UpTo};

/// More packs are left to libgit2: each one is looked through for each object.
const MOST_PACKS: usize = 64;
/// Decoded objects are kept up to about this many bytes: the versions of one file follow each other.
const CACHE_BYTES: usize = 24 << 20;
/// A larger object is not kept: two of them are all that the cache may hold.
const LARGEST_KEPT: usize = 16 << 20;
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
        let state = State { inflate: Inflate::new(true, 15), cache: Cache::default(), last: 0, delta: Vec::new(), first_delta: Vec::new() };
        Self { packs, state: RefCell::new(state) }
    }

    /// Type and size of an object; `None` where it cannot be read here.
    pub(super) fn header(&self, id: ObjectId) -> Option<(Kind, u64)> {
        let mut state = self.state.borrow_mut();
        let place = self.find(id.as_bytes().try_into().ok()?, &mut state)?;
        self.header_at(place, &mut state)
    }

    /// Reads an object, unless it has more than `limit` bytes; `None` where it cannot be read here.
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
            if let Form::Whole(kind) = entry.form {
                let mut bytes = Vec::new();
                pack.inflate(&entry, &mut state.inflate, &mut bytes)?;
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
        let size = object.bytes.len() + 100; // with its place in the table
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
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// Each object of a repository as git itself reads it.
    type Objects = BTreeMap<String, (Kind, Vec<u8>)>;

    #[test]
    fn every_packed_object_is_read_as_git_reads_it() {
        for (delta_base_offset, by_id) in [("true", false), ("false", true)] {
            let folder = tempfile::tempdir().unwrap();
            let objects = history(folder.path(), delta_base_offset);
            let packs = Packs::open(&object_folders(&folder.path().join("objects")));
            let mut forms = [0, 0, 0];
            for (at, (hex, (kind, bytes))) in objects.iter().enumerate() {
                let id = ObjectId::from_hex(hex.as_bytes()).unwrap();
                let place = packs.find(id.as_bytes().try_into().unwrap(), &mut packs.state.borrow_mut()).unwrap();
                match packs.entry(place).unwrap().form {
                    Form::Whole(_) => forms[0] += 1,
                    Form::From(_) => forms[1] += 1,
                    Form::FromId(_) => forms[2] += 1,
                }
                let size = bytes.len() as u64;
                assert_eq!(packs.header(id), Some((*kind, size)), "{hex}");
                assert_eq!(whole(&packs, id, size), Some((*kind, bytes.clone())), "{hex}");
                let below = |packs: &Packs| packs.read(id, size.checked_sub(1)?);
                assert!(matches!(below(&packs), Some(UpTo::Larger(..))) || size == 0, "{hex}");
                if at % 8 > 0 {
                    continue;
                }
                // Nothing is at hand here.
                let fresh = || Packs::open(&object_folders(&folder.path().join("objects")));
                assert_eq!(whole(&fresh(), id, size), Some((*kind, bytes.clone())), "{hex}");
                let larger = below(&fresh());
                assert!(larger.map_or(size == 0, |read| matches!(read, UpTo::Larger(k, s) if (k, s) == (*kind, size))), "{hex}");
            }
            assert!(forms[0] > 50 && forms[1 + usize::from(by_id)] > 300 && forms[2 - usize::from(by_id)] == 0, "{forms:?}");
            assert!(packs.read(ObjectId::from_bytes(&[7; 20]).unwrap(), u64::MAX).is_none());
        }
    }

    #[test]
    fn the_packs_of_alternates_are_read_too() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.git"), folder.path().join("new.git"));
        let accepted = history(&old, "true");
        fs::create_dir_all(new.join("objects/info")).unwrap();
        fs::write(new.join("objects/info/alternates"), "# where the rest is\n../../old.git/objects\n").unwrap();
        let objects = history(&new, "true");
        assert!(objects.len() > accepted.len(), "git sees both");
        let packs = Packs::open(&object_folders(&new.join("objects")));
        assert_eq!(packs.packs.len(), 2);
        for (hex, (kind, bytes)) in objects {
            let id = ObjectId::from_hex(hex.as_bytes()).unwrap();
            assert!(packs.holds(id));
            assert_eq!(whole(&packs, id, u64::MAX), Some((kind, bytes)), "{hex}");
        }
    }

    #[test]
    fn of_damaged_data_nothing_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let objects = history(folder.path(), "true");
        let objects_folder = folder.path().join("objects");
        let packs = Packs::open(&object_folders(&objects_folder));
        let mut entries: Vec<_> = objects
            .iter()
            .map(|(hex, object)| {
                let id = ObjectId::from_hex(hex.as_bytes()).unwrap();
                (packs.find(id.as_bytes().try_into().unwrap(), &mut packs.state.borrow_mut()).unwrap().1, id, object)
            })
            .collect();
        entries.sort_unstable_by_key(|(offset, ..)| *offset);
        let file = list(&objects_folder.join("pack")).find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap();
        let sound = fs::read(&file).unwrap();
        let ends = entries.iter().skip(1).map(|(offset, ..)| *offset).chain([sound.len() - 20]);
        let mut shared = 0;
        for (at, ((offset, id, _), end)) in entries.iter().zip(ends).enumerate().filter(|(at, _)| at % 7 == 0) {
            // The last bytes of an entry are its check sum; those before it are the compressed data.
            let place = if at % 2 == 0 { end - 1 - at % 4 } else { offset.midpoint(end).max(end - 8) };
            let mut damaged = sound.clone();
            damaged[place] ^= 1 << (at % 8);
            fs::remove_file(&file).unwrap();
            fs::write(&file, damaged).unwrap();
            let packs = Packs::open(&object_folders(&objects_folder));
            assert!(packs.read(*id, u64::MAX).is_none(), "{id} was read though the byte at {place} is damaged");
            // Another object is read right, or, where it rests on the damaged one, not at all.
            for (_, other, (kind, bytes)) in entries.iter().skip(at % 5).step_by(5) {
                match whole(&packs, *other, u64::MAX) {
                    Some(read) => assert_eq!(read, (*kind, bytes.clone()), "{other}"),
                    None => shared += 1,
                }
            }
        }
        assert!(shared > 50, "hardly an object rests on another one");
        for damaged in [&sound[..sound.len() / 2], &sound[..0], b"PACK\0\0\0\x02"] {
            fs::remove_file(&file).unwrap();
            fs::write(&file, damaged).unwrap();
            assert_eq!(Packs::open(&object_folders(&objects_folder)).packs.len(), 0);
        }
    }

    #[test]
    fn the_cache_holds_no_more_than_it_may() {
        let mut cache = Cache::default();
        for at in 0..2000 {
            let object = Arc::new(Object { kind: Kind::Blob, bytes: vec![0; 100_000] });
            cache.put((0, at), &object);
            assert!(cache.get((0, at)).is_some());
            assert!((cache.young.len() + cache.old.len()) * 100_000 <= CACHE_BYTES);
            // What is asked for stays.
            assert!(cache.get((0, 0)).is_some());
        }
    }

    fn whole(packs: &Packs, id: ObjectId, limit: u64) -> Option<(Kind, Vec<u8>)> {
        match packs.read(id, limit)? {
            UpTo::Whole(object) => Some((object.kind, object.bytes.clone())),
            UpTo::Larger(..) => None,
        }
    }

    /// A bare repository with one pack: files that change in many commits, so that long chains of differences arise.
    fn history(folder: &Path, delta_base_offset: &str) -> Objects {
        git(folder, &["init", "-q", "--bare", "."], b"");
        let mut stream = Vec::new();
        let mut lines: Vec<String> = (0..300).map(|at| format!("line {at} of {}, {}", folder.display(), "x".repeat(at % 50))).collect();
        for at in 0..250 {
            write!(stream, "commit refs/heads/main\ncommitter C <c@d> {} +0000\ndata 3\nc{}\n", 1_700_000_000 + at, at % 10).unwrap();
            lines[at * 7 % 300] = format!("changed in {at} {}", "y".repeat(at % 30));
            for (path, text) in [("long", lines.join("\n")), ("folder/short", format!("{at}\n")), ("empty", String::new())] {
                write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
            }
            write!(stream, "M 100644 inline many/{at}\ndata 5\nmany\n\n").unwrap();
        }
        write!(stream, "tag v1\nfrom refs/heads/main\ntagger T <t@e> 1700000000 +0000\ndata 4\nv 1\n\n").unwrap();
        git(folder, &["fast-import", "--quiet"], &stream);
        let delta_base_offset = format!("repack.useDeltaBaseOffset={delta_base_offset}");
        git(folder, &["-c", &delta_base_offset, "repack", "-q", "-a", "-d", "-f", "-l", "--depth=200", "--window=20"], b"");
        let all = git(folder, &["cat-file", "--batch", "--batch-all-objects"], b"");
        let (mut objects, mut rest) = (Objects::new(), all.as_slice());
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let head: Vec<_> = std::str::from_utf8(&rest[..end]).unwrap().split(' ').collect();
            let kind = match head[1] {
                "blob" => Kind::Blob,
                "tree" => Kind::Tree,
                "commit" => Kind::Commit,
                _ => Kind::Tag,
            };
            let size: usize = head[2].parse().unwrap();
            objects.insert(head[0].to_owned(), (kind, rest[end + 1..end + 1 + size].to_vec()));
            rest = &rest[end + 1 + size + 1..];
        }
        objects
    }

    fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        fs::create_dir_all(folder).unwrap();
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(folder).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1").env_remove("XDG_CONFIG_HOME");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        output.stdout
    }
}
