//! What is packed in this file? Zip (and what is one: jar, docx, xlsx, whl, apk), tar, gzip, bzip2 and xz, the strings of
//! compiled Python modules, and texts that stand compressed in a PDF, a PNG or a pack of git, known by their first bytes, whatever the file is called. What is not read, for a limit, a password
//! or damage, is said with its reason.

mod python;
mod stream;
mod streams;
mod tar;
mod zip;

use std::io::{Cursor, Read, Seek};

use crate::change::Unread;
use stream::Counted;

/// How much is unpacked of one file of the repository, all archives in archives together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most entries.
    pub entries: u64,
    /// The most bytes, unpacked.
    pub bytes: u64,
    /// The most bytes unpacked for one byte packed.
    pub ratio: u64,
    /// The most bytes of one entry.
    pub file: u64,
}

/// The defaults of the configuration.
impl Default for Limits {
    fn default() -> Self {
        Self { entries: 20_000, bytes: 256 << 20, ratio: 200, file: 100 << 20 }
    }
}

/// An archive in an archive in an archive; more is a bomb.
pub(super) const MAX_DEPTH: u8 = 3;
/// Small archives of zeros are no bombs: so much is unpacked whatever the ratio.
const FREE: u64 = 4 << 20;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
    Gzip,
    Bzip2,
    Xz,
    /// Not packed, but it holds strings that nothing ends.
    Python,
    /// Some texts in it are.
    Streams,
    /// By a program of this name, which nothing here reads.
    Foreign(&'static str),
}

impl Kind {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        // A zip may stand behind a program that unpacks it; its directory is at the end.
        let ends_as_zip = || bytes.len() > zip::END && bytes[bytes.len() - zip::END..].starts_with(b"PK\x05\x06");
        Some(match bytes.first()? {
            b'P' if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") || starts(b"PK\x07\x08PK") => Self::Zip,
            0x1f if starts(b"\x1f\x8b\x08") => Self::Gzip,
            b'B' if starts(b"BZh") && bytes.get(4..10) == Some(b"1AY&SY") => Self::Bzip2,
            0xfd if starts(b"\xfd7zXZ\0") => Self::Xz,
            0x28 if starts(b"\x28\xb5\x2f\xfd") => Self::Foreign("zstd"),
            b'7' if starts(b"7z\xbc\xaf\x27\x1c") => Self::Foreign("7-Zip"),
            b'R' if starts(b"Rar!\x1a\x07") => Self::Foreign("RAR"),
            0x04 if starts(b"\x04\x22\x4d\x18") => Self::Foreign("LZ4"),
            b'L' if starts(b"LZIP\x01") => Self::Foreign("lzip"),
            0x1f if starts(b"\x1f\x9d") => Self::Foreign("compress"),
            // Properties, the size of the dictionary, and a size that is not known, as every program writes them.
            0x5d if starts(b"\x5d\0\0") && bytes.get(5..13) == Some(&[0xff; 8]) => Self::Foreign("LZMA"),
            b'M' if starts(b"MSCF\0\0\0\0") => Self::Foreign("Cabinet"),
            0xed if starts(b"\xed\xab\xee\xdb") => Self::Foreign("RPM"),
            b'!' if starts(b"!<arch>\ndebian-binary") => Self::Foreign("Debian package"),
            _ if python::is_module(bytes) => Self::Python,
            b'%' | b'#' | b'P' | b'x' | 0x89 if streams::is_one(bytes) => Self::Streams,
            _ if tar::is_header(bytes) => Self::Tar,
            _ if ends_as_zip() => Self::Zip,
            _ => return None,
        })
    }
}

/// The bytes of an entry.
pub(super) enum Content<'e> {
    /// All of them.
    Held(Vec<u8>),
    /// Too many to be held, to be read once.
    Large(&'e mut dyn Read),
}

/// What can be read from any place on.
pub trait Seekable: Read + Seek {}
impl<T: Read + Seek> Seekable for T {}

/// An archive: in memory or in a file, or what comes out of another one.
enum Source<'a> {
    File(&'a mut dyn Seekable),
    Stream(&'a mut dyn Read),
}

/// A larger entry is read in parts.
const HELD: u64 = 8 << 20;
/// A zip file has its directory at the end, so that one within another archive is held.
const HELD_ZIP: u64 = 24 << 20;

/// What an archive gave, and what of it was not read.
pub(super) struct Unpacking<'v> {
    /// Is told each entry: its path inside of the file, and its bytes.
    visit: &'v mut dyn FnMut(&[u8], Content<'_>),
    unread: Vec<Unread>,
    limits: Limits,
    entries_left: u64,
    bytes_left: u64,
    /// The name of the limit that bounds the bytes.
    bound: &'static str,
}

impl<'v> Unpacking<'v> {
    /// For a file of so many bytes.
    pub(super) fn new(length: u64, limits: Limits, visit: &'v mut dyn FnMut(&[u8], Content<'_>)) -> Self {
        let by_ratio = length.saturating_mul(limits.ratio).max(FREE);
        let bound = if by_ratio < limits.bytes { "archive_ratio" } else { "archive_bytes" };
        Self { visit, unread: Vec::new(), limits, entries_left: limits.entries, bytes_left: by_ratio.min(limits.bytes), bound }
    }

    /// Unpacks the file, and archives in it; gives what was not read, each with its path inside of the file.
    pub(super) fn unpack(mut self, file: &mut dyn Seekable, kind: Kind, name: &[u8]) -> Vec<Unread> {
        self.archive(Source::File(file), kind, b"", name, 1);
        self.unread
    }

    /// One archive, whose path inside of the file is `path`, and its last name `name`.
    fn archive(&mut self, source: Source<'_>, kind: Kind, path: &[u8], name: &[u8], depth: u8) {
        let stream: &mut dyn Read = match source {
            Source::File(file) if kind == Kind::Zip => return zip::entries(file, self, path, depth),
            Source::File(file) => match file.rewind() {
                Ok(()) => file,
                Err(_) => return self.skip(path, DAMAGED.to_owned()),
            },
            Source::Stream(stream) => stream,
        };
        match kind {
            Kind::Zip => self.zip_in_another(stream, path, depth),
            Kind::Tar => tar::entries(stream, self, path, depth),
            Kind::Gzip | Kind::Bzip2 | Kind::Xz => stream::contents(stream, kind, self, path, name, depth),
            Kind::Python => python::contents(stream, self, path, depth),
            Kind::Streams => streams::contents(stream, self, path, depth),
            Kind::Foreign(program) => self.skip(path, format!("it is packed by {program}, which leakstop does not read")),
        }
    }

    fn zip_in_another(&mut self, stream: &mut dyn Read, path: &[u8], depth: u8) {
        let mut bytes = Vec::new();
        match stream.take(HELD_ZIP + 1).read_to_end(&mut bytes) {
            Ok(length) if length as u64 <= HELD_ZIP => zip::entries(&mut Cursor::new(bytes), self, path, depth),
            Ok(_) => self.skip(path, format!("it is a zip file of more than {HELD_ZIP} bytes in another archive")),
            Err(_) => self.skip(path, DAMAGED.to_owned()),
        }
    }

    /// Takes one entry of the archive at `path`; false when nothing more may be read.
    fn entry(&mut self, path: &[u8], name: &[u8], from: &mut dyn Read, depth: u8) -> bool {
        let inner = inside(path, name);
        let Some(left) = self.entries_left.checked_sub(1) else {
            self.skip(path, format!("it holds more than {} entries (`limits.archive_entries`); the others were not read", self.limits.entries));
            return false;
        };
        self.entries_left = left;
        let most = self.bytes_left.min(self.limits.file);
        let mut from = Counted::new(from, most);
        let mut bytes = Vec::new();
        let _ = from.by_ref().take(HELD).read_to_end(&mut bytes); // whether it broke off `from` knows
        if (bytes.len() as u64) < HELD {
            self.account(&from, most, &inner);
            self.look_into(bytes, inner, name, depth);
        } else {
            self.look_into_large(&bytes, &mut from, &inner, name, depth);
            self.account(&from, most, &inner);
        }
        self.bytes_left > 0
    }

    /// Counts what was read of an entry that may have so many bytes, and says what was not.
    fn account<R>(&mut self, from: &Counted<R>, most: u64, inner: &[u8]) {
        self.bytes_left = self.bytes_left.saturating_sub(most - from.left);
        if from.is_over {
            self.bytes_left = if most < self.limits.file { 0 } else { self.bytes_left };
            if most < self.limits.file {
                self.skip(inner, format!("it unpacks to more than `limits.{}` lets through; the rest was not read", self.bound));
            } else {
                self.skip(inner, format!("it unpacks to more than {} bytes (`limits.max_file_bytes`)", self.limits.file));
            }
        } else if from.is_damaged {
            self.skip(inner, DAMAGED.to_owned());
        }
    }

    /// Looks into what begins with `head` and goes on with `rest`.
    fn look_into_large(&mut self, head: &[u8], rest: &mut dyn Read, path: &[u8], name: &[u8], depth: u8) {
        let mut whole = Cursor::new(head).chain(rest);
        match Kind::of(head) {
            Some(_) if depth >= MAX_DEPTH => self.skip(path, too_deep()),
            Some(kind) => self.archive(Source::Stream(&mut whole), kind, path, name, depth + 1),
            None => (self.visit)(path, Content::Large(&mut whole)),
        }
    }

    /// Hands on what was read, which may be an archive again.
    fn look_into(&mut self, bytes: Vec<u8>, path: Vec<u8>, name: &[u8], depth: u8) {
        if let Some(kind) = Kind::of(&bytes) {
            if depth < MAX_DEPTH {
                self.archive(Source::File(&mut Cursor::new(&bytes)), kind, &path, name, depth + 1);
            } else {
                self.skip(&path, too_deep());
            }
        }
        (self.visit)(&path, Content::Held(bytes));
    }

    fn skip(&mut self, path: &[u8], why: String) {
        self.unread.push(Unread { path: path.to_vec(), why });
    }
}

const DAMAGED: &str = "it cannot be unpacked: it is damaged or cut";

fn too_deep() -> String {
    format!("it is an archive below {MAX_DEPTH} others")
}

/// The path of an entry of the archive at `path`.
fn inside(path: &[u8], name: &[u8]) -> Vec<u8> {
    [path, b"!", name].concat()
}
