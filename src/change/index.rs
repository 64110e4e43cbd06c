//! git's index, read from its file: what would be committed, and which folders git knows to be a tree that it has.
//!
//! git's `Documentation/gitformat-index.txt` describes the file. Whatever it does not, or what this reader leaves to git (an index
//! that is split or sparse), is an error and never an empty index. Like git this does not check the hash at its end, which takes as
//! long as all the rest: an id that a broken disk has changed names no object.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::child::failed;
use super::objects::ObjectId;

/// An index in memory.
#[derive(Default)]
pub(super) struct Index {
    bytes: Vec<u8>,
    /// The paths, where the file holds each only as its difference from the one before.
    paths: Option<Vec<u8>>,
    entries: Vec<Place>,
    /// The first entry that is a side of a conflict.
    unmerged: Option<usize>,
    folders: Vec<Folder>,
}

/// Where an entry stands: its path, and the facts about it in the file.
struct Place {
    path: Range<u32>,
    facts: u32,
}

/// One entry.
pub(super) struct Entry<'a> {
    pub(super) path: &'a [u8],
    pub(super) mode: u32,
    pub(super) id: ObjectId,
    /// A commit would take it: it is no side of a conflict, and more of it is there than the intent to add it.
    pub(super) is_committed: bool,
}

/// A folder of which git may know that its entries are those of a tree.
struct Folder {
    name: Range<usize>,
    known: Option<KnownTree>,
    /// Behind its own folders.
    next: usize,
}

/// A tree, and how many entries of the index it stands for.
#[derive(Clone, Copy)]
pub(super) struct KnownTree {
    pub(super) id: ObjectId,
    pub(super) entries: usize,
}

const ID: usize = 20;
/// Times, device, inode, mode, owner, group and size stand before the id, and flags behind it.
const MODE_AT: usize = 24;
const ID_AT: usize = 40;
const FLAGS_AT: usize = ID_AT + ID;
const FIXED: usize = FLAGS_AT + 2;
/// More flags follow.
const EXTENDED: u16 = 1 << 14;
const STAGE: u16 = 0b11 << 12;
/// `git add --intent-to-add`, among the further flags.
const INTENT_TO_ADD: u16 = 1 << 13;
/// The flags hold the length of the path up to here.
const LONG_PATH: usize = 0xfff;
/// All paths together, where they have to be put together first: a million long ones are less.
const MOST_PATHS: usize = 256 << 20;

/// Where the index lies that git's environment names. git takes a relative name from the top of the work tree.
pub(super) fn index_file(git_dir: &Path, work_tree: impl FnOnce() -> Option<PathBuf>) -> PathBuf {
    let Some(named) = std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from) else { return git_dir.join("index") };
    let inside = |top: &PathBuf| std::env::current_dir().is_ok_and(|here| here.starts_with(top) && here != *top);
    match named.is_relative().then(work_tree).flatten().filter(inside) {
        Some(top) => top.join(named),
        None => named,
    }
}

/// The paths in the bytes of an index and the folders that it notes, as a reader of its own for the fuzz targets; `None` where
/// they are no index, or one that is left to git.
pub fn index_paths(bytes: Vec<u8>) -> Option<(Vec<Vec<u8>>, usize)> {
    let index = Index::from_bytes(bytes).ok()?;
    let mut folders: Vec<_> = index.root().into_iter().collect();
    let mut at = 0;
    while let Some(&folder) = folders.get(at) {
        folders.extend(index.folders_in(folder).map(|(_, folder)| folder));
        at += 1;
    }
    let paths = (0..index.len()).filter_map(|at| index.get(at).map(|entry| entry.path.to_vec())).collect();
    Some((paths, folders.len()))
}

impl Index {
    /// Reads the file. One that does not exist is an empty index, as it is for git.
    pub(super) fn read(file: &Path) -> Result<Self, git2::Error> {
        let told = |error: io::Error| failed(format!("cannot read `{}`: {error}", file.display()));
        match std::fs::metadata(file) {
            Ok(about) if about.is_file() && about.len() <= u64::from(u32::MAX) => {}
            Ok(_) => return Err(failed(format!("`{}` is no file of less than 4 GiB", file.display()))),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(told(error)),
        }
        let mut bytes = Vec::new();
        File::open(file).and_then(|file| file.take(u64::from(u32::MAX)).read_to_end(&mut bytes)).map_err(told)?;
        Self::from_bytes(bytes).map_err(|why| failed(format!("its index cannot be read: {why}")))
    }

    /// Reads the bytes of an index.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Result<Self, &'static str> {
        let [b'D', b'I', b'R', b'C', 0, 0, 0, version @ 2..=4, a, b, c, d, ..] = bytes[..] else {
            return Err("it does not begin as an index of version 2, 3 or 4 does");
        };
        let count = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = bytes.len().checked_sub(ID).filter(|end| count <= end / FIXED).ok_or(CUT)?;
        let mut index = Self { entries: Vec::with_capacity(count), paths: (version == 4).then(Vec::new), bytes, ..Self::default() };
        let mut at = 12;
        for _ in 0..count {
            at = index.read_entry(at, end)?;
        }
        while at < end {
            at = index.read_extension(at, end)?;
        }
        if at == end { Ok(index) } else { Err(CUT) }
    }

    /// The path of the first conflict that is not resolved.
    pub(super) fn conflict(&self) -> Option<&[u8]> {
        self.unmerged.and_then(|at| self.path(at))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn path(&self, at: usize) -> Option<&[u8]> {
        self.entries.get(at).map(|place| self.path_at(place))
    }

    pub(super) fn get(&self, at: usize) -> Option<Entry<'_>> {
        let place = self.entries.get(at)?;
        let facts = self.bytes.get(place.facts as usize..)?;
        let (flags, further) = (short(facts, FLAGS_AT)?, short(facts, FIXED)?);
        Some(Entry {
            path: self.path_at(place),
            mode: long(facts, MODE_AT)?,
            id: ObjectId::from_bytes(facts.get(ID_AT..FLAGS_AT)?)?,
            is_committed: flags & STAGE == 0 && (flags & EXTENDED == 0 || further & INTENT_TO_ADD == 0),
        })
    }

    /// The entry of that path which a commit would take.
    pub(super) fn find(&self, path: &[u8]) -> Option<Entry<'_>> {
        let at = self.entries.partition_point(|place| self.path_at(place) < path);
        self.get(at).filter(|entry| entry.path == path && entry.is_committed)
    }

    /// The folder of the whole index, where git has noted folders.
    pub(super) fn root(&self) -> Option<usize> {
        (!self.folders.is_empty()).then_some(0)
    }

    /// The tree that this folder is known to be.
    pub(super) fn known(&self, folder: usize) -> Option<KnownTree> {
        self.folders.get(folder)?.known
    }

    /// The folders in this one by name.
    pub(super) fn folders_in(&self, folder: usize) -> impl Iterator<Item = (&[u8], usize)> {
        let end = self.folders.get(folder).map_or(0, |folder| folder.next);
        let next = |&at: &usize| self.folders.get(at).map(|folder| folder.next);
        std::iter::successors(Some(folder + 1), next).take_while(move |&at| at < end).map(|at| (&self.bytes[self.folders[at].name.clone()], at))
    }

    fn path_at(&self, place: &Place) -> &[u8] {
        &self.paths.as_deref().unwrap_or(&self.bytes)[place.path.start as usize..place.path.end as usize]
    }

    /// Reads the entry that begins there, and gives where it ends.
    fn read_entry(&mut self, at: usize, end: usize) -> Result<usize, &'static str> {
        let facts = self.bytes.get(at..end).ok_or(CUT)?;
        let flags = short(facts, FLAGS_AT).ok_or(CUT)?;
        let mut path_at = at + FIXED + if flags & EXTENDED == 0 { 0 } else { 2 };
        let mut kept = None;
        if self.paths.is_some() {
            let (dropped, after) = number(self.bytes.get(..end).ok_or(CUT)?, path_at).ok_or(CUT)?;
            path_at = after;
            let before = self.entries.last().map(|place| place.path.clone()).unwrap_or_default();
            kept = Some(before.start as usize..(before.end as usize).checked_sub(dropped).filter(|end| *end >= before.start as usize).ok_or(CUT)?);
        }
        let rest = self.bytes.get(path_at..end).ok_or(CUT)?;
        let length = memchr::memchr(0, rest).ok_or(CUT)?;
        let (path, after) = match (&mut self.paths, kept) {
            (Some(paths), Some(kept)) => {
                let start = paths.len();
                paths.extend_from_within(kept);
                paths.extend_from_slice(&rest[..length]);
                if paths.len() > MOST_PATHS {
                    return Err("its paths are too long together");
                }
                (start..paths.len(), path_at + length + 1)
            }
            // At least one zero stands behind it, and so many that the next entry begins at a multiple of eight bytes.
            _ => (path_at..path_at + length, at + ((path_at + length - at) / 8 + 1) * 8),
        };
        if path.is_empty() || path.len().min(LONG_PATH) != usize::from(flags) & LONG_PATH {
            return Err("a path does not have the length it is said to have");
        }
        let place = Place { path: path.start as u32..path.end as u32, facts: at as u32 };
        if let Some(before) = self.entries.last() {
            let stage = |place: &Place| short(&self.bytes, place.facts as usize + FLAGS_AT).unwrap_or(0) & STAGE;
            if (self.path_at(before), stage(before)) >= (self.path_at(&place), stage(&place)) {
                return Err("its entries are not in order");
            }
        }
        if flags & STAGE != 0 {
            self.unmerged.get_or_insert(self.entries.len());
        }
        self.entries.push(place);
        Ok(after)
    }

    /// Reads the extension that begins there, and gives where it ends. One whose name begins with a capital may be left out.
    fn read_extension(&mut self, at: usize, end: usize) -> Result<usize, &'static str> {
        let head = self.bytes.get(at..end).ok_or(CUT)?;
        let (name, length) = (head.get(..4).ok_or(CUT)?, long(head, 4).ok_or(CUT)? as usize);
        let data = at + 8..(at + 8).checked_add(length).filter(|after| *after <= end).ok_or(CUT)?;
        match name {
            b"TREE" => self.read_folders(data.clone())?,
            b"link" => return Err("it is split"),
            b"sdir" => return Err("it is sparse"),
            [b'A'..=b'Z', ..] => {}
            _ => return Err("it has an extension that is not known"),
        }
        Ok(data.end)
    }

    /// Reads `<name> NUL <number of entries> SP <number of folders> LF <id>` of each folder, the outer before the inner ones. The
    /// number of entries is negative, and there is no id, where git knows no tree.
    fn read_folders(&mut self, data: Range<usize>) -> Result<(), &'static str> {
        // The folders that are not complete, and how many more they hold.
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut at = data.start;
        while at < data.end {
            let rest = &self.bytes[at..data.end];
            let name = memchr::memchr(0, rest).ok_or(CUT)?;
            let space = name + 1 + memchr::memchr(b' ', &rest[name + 1..]).ok_or(CUT)?;
            let line = space + 1 + memchr::memchr(b'\n', &rest[space + 1..]).ok_or(CUT)?;
            let inner = digits(&rest[space + 1..line]).ok_or(CUT)?;
            let mut after = line + 1;
            let known = match digits(&rest[name + 1..space]) {
                Some(entries) => {
                    let id = rest.get(after..after + ID).and_then(ObjectId::from_bytes).ok_or(CUT)?;
                    after += ID;
                    Some(KnownTree { id, entries })
                }
                None => None,
            };
            match open.last_mut() {
                Some((_, left)) => *left -= 1,
                None if self.folders.is_empty() => {}
                None => return Err("it notes more than one root"),
            }
            self.folders.push(Folder { name: at..at + name, known, next: self.folders.len() + 1 });
            open.push((self.folders.len() - 1, inner));
            while let Some((folder, _)) = open.pop_if(|(_, left)| *left == 0) {
                self.folders[folder].next = self.folders.len();
            }
            at += after;
        }
        if open.is_empty() { Ok(()) } else { Err(CUT) }
    }
}

const CUT: &str = "it is cut off or damaged";

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn digits(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?.parse().ok()
}

/// A number as packs write offsets: seven bits a byte, the highest first, and each further byte counts from one on.
fn number(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *bytes.get(at)?;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *bytes.get(at)?;
        value = value.checked_add(1)?.checked_mul(128)? | usize::from(byte & 0x7f);
    }
    Some((value, at + 1))
}
