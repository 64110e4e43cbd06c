//! Texts that stand compressed within a file of another form: pages of a PDF, comments of a PNG, objects of git in a pack, in a
//! bundle or alone. Each is a stream of zlib, found by its first bytes; what such a stream begins with tells pictures from texts.
//! Of what cannot be read nothing is said: most of such a file is no text.

use std::io::{self, BufRead, Read};

use flate2::bufread::ZlibDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::Unpacking;

/// So many bytes are held of the file, mostly.
const HELD: usize = 256 << 10;
/// So many bytes of a stream are unpacked to see whether it is a text.
const SAMPLE: usize = 512;
/// Of one that does not end there at least so many.
const ENOUGH: usize = 32;
/// They lie in as many bytes of the file, and in less than this.
const AHEAD: usize = 4 << 10;

/// True where such a file begins.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let begins: [&[u8]; 5] = [b"%PDF-", b"\x89PNG\r\n\x1a\n", b"PACK\0\0\0\x02", b"# v2 git bundle\n", b"# v3 git bundle\n"];
    begins.iter().any(|begin| bytes.starts_with(begin)) || begins_stream(bytes) && is_text(bytes, &mut Decompress::new(true))
}

pub(super) fn contents(from: &mut dyn Read, unpacking: &mut Unpacking<'_>, path: &[u8], depth: u8) {
    let mut window = Window { from, held: Vec::new(), at: 0, has_ended: false };
    let (mut number, mut decompress) = (0, Decompress::new(true));
    loop {
        window.hold(AHEAD);
        let rest = window.rest();
        let Some(at) = memchr::memchr_iter(b'x', rest).find(|&at| begins_stream(&rest[at..])) else {
            // The first byte of a stream may be the last one at hand.
            window.consume(rest.len().saturating_sub(usize::from(!window.has_ended)));
            if window.has_ended && window.rest().is_empty() {
                return;
            }
            continue;
        };
        window.consume(at);
        window.hold(AHEAD);
        if !is_text(window.rest(), &mut decompress) {
            window.consume(1);
            continue;
        }
        number += 1;
        let mut stream = Lenient(ZlibDecoder::new(&mut window));
        if !unpacking.entry(path, format!("stream {number}").as_bytes(), &mut stream, depth) {
            return;
        }
    }
}

/// The two bytes with which zlib begins: how it compressed, and a check of both.
fn begins_stream(bytes: &[u8]) -> bool {
    matches!(bytes, [b'x', 0x01 | 0x5e | 0x9c | 0xda, ..])
}

/// True for a stream that begins with a text: most of it can be read. `decompress` is used again, as some files hold little else
/// than what looks like a stream.
fn is_text(stream: &[u8], decompress: &mut Decompress) -> bool {
    decompress.reset(true);
    let mut sample = [0; SAMPLE];
    let status = decompress.decompress(stream, &mut sample, FlushDecompress::None);
    let sample = &sample[..usize::try_from(decompress.total_out()).map_or(SAMPLE, |out| out.min(SAMPLE))];
    let readable = sample.iter().filter(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n')).count();
    // A few bytes come out of anything before it breaks off.
    let is_enough = if status.is_ok_and(|status| status == Status::StreamEnd) { !sample.is_empty() } else { sample.len() >= ENOUGH };
    is_enough && readable * 4 >= sample.len() * 3
}

/// The part of the file that is looked at.
struct Window<'a> {
    from: &'a mut dyn Read,
    held: Vec<u8>,
    /// Where in it what was not looked at begins.
    at: usize,
    has_ended: bool,
}

impl Window<'_> {
    fn rest(&self) -> &[u8] {
        &self.held[self.at..]
    }

    /// Reads on until so many bytes are at hand, or the file ends.
    fn hold(&mut self, least: usize) {
        if self.rest().len() >= least || self.has_ended {
            return;
        }
        self.held.drain(..self.at);
        self.at = 0;
        let missing = (HELD - self.held.len()) as u64;
        let read = (&mut *self.from).take(missing).read_to_end(&mut self.held);
        // A file that breaks off ends there.
        self.has_ended = !read.is_ok_and(|read| read as u64 == missing);
    }
}

impl Read for Window<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Window<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.hold(1);
        Ok(self.rest())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

/// A stream that ends where it breaks off.
struct Lenient<R>(R);

impl<R: Read> Read for Lenient<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.read(into).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::super::{Content, Kind, Limits};
    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// The texts in a file.
    fn texts(file: &[u8]) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        let mut visit = |_: &[u8], content: Content<'_>| match content {
            Content::Held(bytes) => texts.push(bytes),
            Content::Large(_) => texts.push(Vec::new()),
        };
        let unread = Unpacking::new(file.len() as u64, Limits::default(), &mut visit).unpack(&mut Cursor::new(file), Kind::Streams, b"x");
        assert!(unread.is_empty(), "{}", unread[0].why);
        texts
    }

    #[test]
    fn texts_are_told_from_pictures() {
        let drawn: Vec<u8> = (0u32..600_000).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let file = [b"%PDF-1.7\n", &packed(b"one page")[..], b"x\x9cno stream", &packed(&drawn), b"between", &packed(&b"two ".repeat(9000))].concat();
        assert!(is_one(&file));
        assert_eq!(texts(&file), [b"one page".to_vec(), b"two ".repeat(9000)]);
    }

    #[test]
    fn an_object_of_git_is_one_and_other_files_are_not() {
        assert!(is_one(&packed(b"blob 5\0hello")));
        for other in [&b""[..], b"x", b"x\x01", b"x^2 + y^2 = z^2", &packed(&[0xff; 300])] {
            assert!(!is_one(other), "{}", other.escape_ascii());
        }
    }

    #[test]
    fn a_stream_that_breaks_off_is_read_so_far() {
        let whole = packed(&b"a line of text\n".repeat(3000));
        let text = texts(&whole[..whole.len() - 30]).concat();
        assert!(text.starts_with(b"a line") && text.len() > 1000, "{}", text.len());
    }

    proptest::proptest! {
        #[test]
        fn a_stream_is_found_wherever_it_begins(before in 0usize..3, away in 0usize..9) {
            // On the edges of what is held.
            let gap = vec![b'.'; (before * HELD + HELD).saturating_sub(away + 2)];
            let file = [&gap[..], &packed(b"the text"), b"x"].concat();
            proptest::prop_assert_eq!(texts(&file), [b"the text".to_vec()]);
        }
    }
}
