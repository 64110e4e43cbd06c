//! One compressed file, or a tar file in it.

use std::io::{self, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::{DAMAGED, Kind, Unpacking, tar};

/// A tar file is known by so many bytes.
const HEAD: u64 = 512;
/// Memory for unpacking xz, in kilobytes: what `xz -9` asks for.
const XZ_MEMORY: u32 = 66 << 10;

pub(super) fn contents(bytes: &[u8], kind: Kind, unpacking: &mut Unpacking<'_>, path: &[u8], name: &[u8], depth: u8) {
    let mut from: Box<dyn Read + '_> = match kind {
        Kind::Bzip2 => Box::new(MultiBzDecoder::new(bytes)),
        Kind::Xz => Box::new(XzReader::new_mem_limit(bytes, true, XZ_MEMORY)),
        _ => Box::new(MultiGzDecoder::new(bytes)),
    };
    let mut head = Vec::new();
    let begun = from.by_ref().take(HEAD).read_to_end(&mut head);
    if tar::is_header(&head) {
        // Headers and padding count too: a bomb may consist of nothing else.
        let most = unpacking.bytes_left.saturating_add(HEAD);
        let mut counted = Counted { from: io::Cursor::new(head).chain(from), left: most, is_over: false };
        tar::entries(&mut counted, unpacking, path, depth);
        if counted.is_over {
            unpacking.skip(path, format!("it unpacks to more than `limits.{}` lets through; the rest was not read", unpacking.bound));
        }
        return;
    }
    if begun.is_err() && head.is_empty() {
        return unpacking.skip(path, DAMAGED.to_owned());
    }
    unpacking.entry(path, &unpacked_name(name), &mut io::Cursor::new(head).chain(from), depth);
}

/// The name without what the compression added to it.
fn unpacked_name(name: &[u8]) -> Vec<u8> {
    let name = name.rsplit(|&b| b == b'/').next().unwrap_or(name);
    let shorter = [&b".gz"[..], b".bz2", b".xz", b".z"].iter().find_map(|end| name.strip_suffix(*end));
    shorter.unwrap_or(name).to_vec()
}

/// Ends a stream at a limit, and knows that it did.
struct Counted<R> {
    from: R,
    left: u64,
    is_over: bool,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            self.is_over = true;
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let count = self.from.read(&mut into[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}
