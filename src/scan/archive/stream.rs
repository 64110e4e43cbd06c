//! One compressed file, or a tar file in it.

use std::io::{self, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::{DAMAGED, Kind, Unpacking, tar};

/// A tar file is known by so many bytes.
const HEAD: u64 = 512;
/// Memory for unpacking xz, in kilobytes: what `xz -9` asks for,
const XZ_MEMORY: u32 = 66 << 10;
/// and in an archive, where there may be three of them in one another, what `xz` asks for when it is told nothing.
const XZ_MEMORY_INSIDE: u32 = 10 << 10;

pub(super) fn contents(bytes: &mut dyn Read, kind: Kind, unpacking: &mut Unpacking<'_>, path: &[u8], name: &[u8], depth: u8) {
    let memory = if depth == 1 { XZ_MEMORY } else { XZ_MEMORY_INSIDE };
    let mut from: Box<dyn Read + '_> = match kind {
        Kind::Bzip2 => Box::new(MultiBzDecoder::new(bytes)),
        Kind::Xz => Box::new(XzReader::new_mem_limit(BufReader::new(bytes), true, memory)),
        _ => Box::new(MultiGzDecoder::new(bytes)),
    };
    let mut head = Vec::new();
    let begun = from.by_ref().take(HEAD).read_to_end(&mut head);
    if tar::is_header(&head) {
        // Headers and padding count too: a bomb may consist of nothing else.
        let most = unpacking.bytes_left.saturating_add(HEAD);
        let mut counted = Counted::new(io::Cursor::new(head).chain(from), most);
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
pub(super) struct Counted<R> {
    from: R,
    pub(super) left: u64,
    pub(super) is_over: bool,
    /// The stream itself broke off.
    pub(super) is_damaged: bool,
}

impl<R> Counted<R> {
    pub(super) fn new(from: R, most: u64) -> Self {
        Self { from, left: most, is_over: false, is_damaged: false }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        // One byte more shows whether there is more.
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len()).max(1);
        let read = self.from.read(&mut into[..most]);
        self.is_damaged |= read.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        let count = read?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                self.is_over = true;
                return Ok(0);
            }
        }
        Ok(count)
    }
}
