//! Compressed bytes behind another encoding: gzip and zlib.

use std::io::Read as _;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::{Encoded, Finds};

/// Shorter than this nothing is compressed.
const SHORTEST: usize = 18;

const GZIP: &str = "gzip";

/// How the text begins to be compressed, where it does.
pub(super) fn how(text: &[u8]) -> Option<&'static str> {
    if text.len() < SHORTEST {
        return None;
    }
    let is_zlib = text[0] == 0x78 && u16::from_be_bytes([text[0], text[1]]).is_multiple_of(31);
    if text.starts_with(b"\x1f\x8b\x08") { Some(GZIP) } else { is_zlib.then_some("zlib") }
}

/// Unpacks the text if it is compressed as a whole; true when that was so.
pub(super) fn find(text: &[u8], finds: &mut Finds<'_>) -> bool {
    let Some(how) = how(text) else { return false };
    let limit = finds.work.left as u64;
    let mut bytes = Vec::new();
    let end = match how {
        GZIP => MultiGzDecoder::new(text).take(limit.saturating_add(1)).read_to_end(&mut bytes),
        _ => ZlibDecoder::new(text).take(limit.saturating_add(1)).read_to_end(&mut bytes),
    };
    // What came out before the stream broke, or before it became too much, is looked into all the same.
    if end.is_err() && bytes.is_empty() {
        return false;
    }
    if bytes.len() as u64 > limit {
        bytes.truncate(limit as usize);
        finds.work.is_spent = true;
        finds.work.left = 0;
        finds.hand_on(Encoded::whole(0..text.len(), bytes, how));
    } else {
        finds.add(Encoded::whole(0..text.len(), bytes, how));
    }
    true
}
