//! One pack and its index, as `git help gitformat-pack` describes them.
//!
//! All of it is bytes that somebody sent, so every place is looked up with its bounds. What does not fit is `None`: libgit2
//! is asked then, and says what is wrong.

use std::cell::OnceCell;
use std::fs::File;
use std::path::{Path, PathBuf};

use flate2::{Decompress, FlushDecompress};
use libdeflater::Decompressor;
use memmap2::Mmap;

use super::store::Kind;

/// Length of an id here: packs of SHA-256 repositories are git's own business.
const ID: usize = 20;
/// An index begins with its mark, the version and 256 numbers of ids up to each first byte.
const INDEX_HEAD: usize = 8 + 256 * 4;
/// It ends with the check sums of the pack and of itself.
const INDEX_END: usize = 2 * ID;

/// A pack with its index open.
pub(super) struct PackFile {
    index: Mmap,
    path: PathBuf,
    /// Opened for the first object that it holds: of most packs of a server a push wants none. `None` where it does not belong to
    /// the index or is not of the usual form.
    pack: OnceCell<Option<Mmap>>,
    /// Number of objects.
    count: usize,
}

/// An object in a pack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) form: Form,
    /// Bytes of what is compressed: the object itself, or its difference from the base.
    pub(super) size: u64,
    /// Where that begins.
    data: usize,
}

/// How an object is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// As it is.
    Whole(Kind),
    /// As the difference from the object at this offset of the same pack.
    From(usize),
    /// As the difference from the object with this id.
    FromId([u8; ID]),
}

/// Decompresses entries, one after the other.
pub(super) struct Inflate {
    /// Takes an entry at once, in half the time.
    whole: Decompressor,
    /// Stops anywhere.
    start: Decompress,
}

impl Inflate {
    pub(super) fn new() -> Self {
        Self { whole: Decompressor::new(), start: Decompress::new(true) }
    }
}

impl PackFile {
    /// Opens the index of a pack; `None` where it is not of the usual form.
    pub(super) fn open(index: &Path) -> Option<Self> {
        let path = index.with_extension("pack");
        let index = map(index)?;
        let count = number(&index, INDEX_HEAD - 4)?;
        index.starts_with(b"\xfftOc\0\0\0\x02").then_some(Self { index, path, pack: OnceCell::new(), count })
    }

    fn pack(&self) -> Option<&Mmap> {
        let open = || {
            let pack = map(&self.path)?;
            // The index names the check sum with which the pack ends: the two belong together.
            let sum = self.index.len().checked_sub(INDEX_END).and_then(|at| self.index.get(at..at + ID))?;
            (pack.starts_with(b"PACK\0\0\0\x02") && pack.ends_with(sum)).then_some(pack)
        };
        self.pack.get_or_init(open).as_ref()
    }

    /// The offset of an object.
    pub(super) fn find(&self, id: &[u8; ID]) -> Option<usize> {
        let first = usize::from(id[0]);
        let from = if first == 0 { 0 } else { number(&self.index, 8 + (first - 1) * 4)? };
        let to = number(&self.index, 8 + first * 4)?;
        let ids = self.index.get(INDEX_HEAD..INDEX_HEAD.checked_add(self.count.checked_mul(ID)?)?)?;
        let ids = ids.as_chunks::<ID>().0.get(from..to)?;
        let at = from + position(ids, id)?;
        // After the ids stand four bytes of check sum for each object, then four of offset, then the offsets of eight bytes.
        let offsets = INDEX_HEAD + self.count * (ID + 4);
        let offset = number(&self.index, offsets + at * 4)?;
        if offset < LARGE_OFFSET {
            return Some(offset);
        }
        let large = offsets + self.count * 4 + (offset - LARGE_OFFSET) * 8;
        usize::try_from(u64::from_be_bytes(self.index.get(large..large + 8)?.try_into().ok()?)).ok()
    }

    /// Reads the head of the entry at `offset`.
    pub(super) fn entry(&self, offset: usize) -> Option<Entry> {
        let pack = self.pack()?;
        let mut rest = pack.get(offset..)?.iter();
        let mut next = || rest.next().copied();
        let mut byte = next()?;
        let kind = byte >> 4 & 0b111;
        let (mut size, mut shift) = (u64::from(byte & 0b1111), 4);
        while byte & MORE != 0 {
            byte = next()?;
            size |= u64::from(byte & !MORE).checked_shl(shift).filter(|_| shift < 57)?;
            shift += 7;
        }
        let form = match kind {
            1 => Form::Whole(Kind::Commit),
            2 => Form::Whole(Kind::Tree),
            3 => Form::Whole(Kind::Blob),
            4 => Form::Whole(Kind::Tag),
            6 => {
                byte = next()?;
                let mut distance = usize::from(byte & !MORE);
                while byte & MORE != 0 {
                    byte = next()?;
                    distance = distance.checked_add(1)?.checked_mul(128)? + usize::from(byte & !MORE);
                }
                // A base stands before what is made from it, so that a chain of them ends.
                Form::From(offset.checked_sub(distance).filter(|_| distance > 0)?)
            }
            7 => {
                let mut id = [0; ID];
                for place in &mut id {
                    *place = next()?;
                }
                Form::FromId(id)
            }
            _ => return None,
        };
        Some(Entry { form, size, data: pack.len() - rest.len() })
    }

    /// Decompresses all of an entry into `out`, which is overwritten. There must be as much as the head of the entry says.
    pub(super) fn inflate(&self, entry: &Entry, inflate: &mut Inflate, out: &mut Vec<u8>) -> Option<()> {
        let size = usize::try_from(entry.size).ok()?;
        out.clear();
        out.try_reserve_exact(size).ok()?;
        out.resize(size, 0);
        (inflate.whole.zlib_decompress(self.pack()?.get(entry.data..)?, out).ok()? == size).then_some(())
    }

    /// Decompresses the first bytes of an entry; gives how many these are.
    pub(super) fn inflate_start(&self, entry: &Entry, inflate: &mut Inflate, out: &mut [u8]) -> Option<usize> {
        let inflate = &mut inflate.start;
        inflate.reset(true);
        inflate.decompress(self.pack()?.get(entry.data..)?, out, FlushDecompress::Sync).ok()?;
        usize::try_from(inflate.total_out()).ok()
    }
}

/// From this number on an offset is one in the table of long ones.
const LARGE_OFFSET: usize = 1 << 31;
/// Set in each byte of a number but the last.
const MORE: u8 = 0x80;

/// Maps a file that git never changes once it is there.
#[expect(unsafe_code, reason = "a mapped file must not be cut short meanwhile: git writes packs once, and removing one leaves the mapping")]
fn map(path: &Path) -> Option<Mmap> {
    let file = File::open(path).ok()?;
    unsafe { Mmap::map(&file) }.ok()
}

/// Finds an id among sorted ones. Their first eight bytes, as one number, are compared much faster than all of them.
fn position(ids: &[[u8; ID]], id: &[u8; ID]) -> Option<usize> {
    let start = |[a, b, c, d, e, f, g, h, ..]: &[u8; ID]| u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
    let wanted = start(id);
    let first = ids.partition_point(|id| start(id) < wanted);
    let mut alike = ids[first..].iter().take_while(|id| start(id) == wanted);
    Some(first + alike.position(|other| other == id)?)
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
}
