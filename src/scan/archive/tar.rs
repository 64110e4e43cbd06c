//! The entries of a tar file.

use std::io::{self, Read};

use tar::{Entry, EntryType};

use super::{DAMAGED, Unpacking};

/// A header fills one block.
const BLOCK: usize = 512;
/// A name in entries of its own is shorter: no system takes a longer path.
const LONGEST_NAME: u64 = 64 << 10;

/// True when the file begins with a header whose checksum is right, or which at least says what it is.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    let Some(block) = bytes.get(..BLOCK) else { return false };
    if block[257..].starts_with(b"ustar") {
        return true;
    }
    // Before that mark there was only the sum of the bytes, with the sum itself as blanks.
    if block[0] == 0 || !block[148..156].iter().all(|b| matches!(b, b'0'..=b'7' | b' ' | 0)) {
        return false;
    }
    let written = block[148..156].iter().filter(|b| (b'0'..=b'7').contains(b)).fold(0u32, |sum, b| sum << 3 | u32::from(b - b'0'));
    let sum: u32 = block.iter().enumerate().map(|(at, &b)| if (148..156).contains(&at) { 32 } else { u32::from(b) }).sum();
    written == sum
}

pub(super) fn entries(from: &mut dyn Read, unpacking: &mut Unpacking<'_>, path: &[u8], depth: u8) {
    let mut archive = tar::Archive::new(from);
    // What follows the blocks of zeros at the end is read by whoever asks for it: it may be a second tar file.
    archive.set_ignore_zeros(true);
    let Ok(entries) = archive.entries() else { return unpacking.skip(path, DAMAGED.to_owned()) };
    // Long names stand in entries before the one that they belong to. The crate would hold them whatever their length.
    let mut long_name: Option<Vec<u8>> = None;
    for entry in entries.raw(true) {
        let Ok(mut entry) = entry else { return unpacking.skip(path, DAMAGED.to_owned()) };
        match entry.header().entry_type() {
            kind @ (EntryType::GNULongName | EntryType::XHeader) => match start(&mut entry) {
                Ok(text) if kind == EntryType::XHeader => long_name = path_of(&text).or(long_name),
                Ok(text) => long_name = Some(text.split(|&b| b == 0).next().unwrap_or_default().to_vec()),
                Err(_) => return unpacking.skip(path, DAMAGED.to_owned()),
            },
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            kind => {
                let name = long_name.take().unwrap_or_else(|| entry.header().path_bytes().into_owned());
                let has_content = !(kind.is_dir() || kind.is_symlink() || kind.is_hard_link());
                if has_content && !unpacking.entry(path, &name, &mut entry, depth) {
                    return;
                }
            }
        }
    }
}

fn start(entry: &mut Entry<'_, impl Read>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    entry.take(LONGEST_NAME).read_to_end(&mut text)?;
    Ok(text)
}

/// The path among the records of a POSIX header, each of which is its length, a blank, the key, `=`, the value and a newline.
fn path_of(mut records: &[u8]) -> Option<Vec<u8>> {
    loop {
        let blank = memchr::memchr(b' ', records)?;
        let length: usize = std::str::from_utf8(&records[..blank]).ok()?.parse().ok()?;
        let record = records.get(blank + 1..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(path.strip_suffix(b"\n").unwrap_or(path).to_vec());
        }
        records = &records[length..];
    }
}
