//! The entries of a tar file.

use std::io::Read;

use super::{DAMAGED, Unpacking};

/// A header fills one block.
const BLOCK: usize = 512;

/// True when the file begins with a header whose checksum is right, or which at least says what it is.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    let Some(block) = bytes.get(..BLOCK) else { return false };
    if block[257..].starts_with(b"ustar") {
        return true;
    }
    // Before that mark there was only the sum of the bytes, with the sum itself as blanks.
    let written = block[148..156].iter().filter(|b| (b'0'..=b'7').contains(b)).fold(0u32, |sum, b| sum << 3 | u32::from(b - b'0'));
    let sum: u32 = block.iter().enumerate().map(|(at, &b)| if (148..156).contains(&at) { 32 } else { u32::from(b) }).sum();
    block[0] != 0 && block[148..156].iter().all(|b| matches!(b, b'0'..=b'7' | b' ' | 0)) && written == sum
}

pub(super) fn entries(from: impl Read, unpacking: &mut Unpacking<'_>, path: &[u8], depth: u8) {
    let mut archive = tar::Archive::new(from);
    let Ok(entries) = archive.entries() else { return unpacking.skip(path, DAMAGED.to_owned()) };
    for entry in entries {
        let Ok(mut entry) = entry else { return unpacking.skip(path, DAMAGED.to_owned()) };
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_symlink() || kind.is_hard_link() {
            continue;
        }
        let name = entry.path_bytes().into_owned();
        if !unpacking.entry(path, &name, &mut entry, depth) {
            return;
        }
    }
}
