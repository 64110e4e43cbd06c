//! What is too large to be held is scanned piece by piece, as it is read. Each piece is seen with a margin on both sides, and
//! what begins in the piece itself counts: so nothing is lost at a seam, and nothing is found twice.
//!
//! Conditions on a whole file see a piece and its margins. That is the only difference to a file that is held.

use super::{Hit, MOST_HITS, Part, ScanError, Scanned, Scanner, Text, plain_of};

/// From this size on a blob or file is not held: what reads it holds it twice, and the version before it may be held too.
pub const LARGE: u64 = 16 << 20;

/// Decoding makes a few copies of a piece. (Tests want many seams in little text.)
const PIECE: usize = if cfg!(test) { 256 << 10 } else { 4 << 20 };
/// So many bytes become text at once: a multiple of what a letter takes in any encoding.
const RAW: usize = 64 << 10;
/// A first line that says which program runs the file is shorter.
const HEAD: usize = 256;
/// Longer than any match, any private key and any call.
const MARGIN: usize = 64 << 10;

/// A text that is read and scanned at once.
pub struct Large<'a, 'r> {
    scanner: &'a Scanner<'r>,
    path: &'a [u8],
    /// Bytes of the file that are not yet text.
    raw: Vec<u8>,
    /// The byte order mark that it begins with, once that is known.
    mark: Option<Vec<u8>>,
    /// The beginning of the text: its first line may say what it is.
    head: Vec<u8>,
    /// What is held of the text.
    buffer: Vec<u8>,
    /// Where in it begins what was not scanned yet.
    next: usize,
    /// Lines before the buffer, and bytes of its first line before it.
    lines: u32,
    columns: u32,
    found: Scanned<'r>,
}

impl<'a, 'r> Large<'a, 'r> {
    /// For the file at `path`.
    pub fn new(scanner: &'a Scanner<'r>, path: &'a [u8]) -> Self {
        Self {
            scanner,
            path,
            raw: Vec::with_capacity(RAW + 4),
            mark: None,
            head: Vec::with_capacity(HEAD),
            buffer: Vec::with_capacity(PIECE + 4 * MARGIN),
            next: 0,
            lines: 0,
            columns: 0,
            found: Scanned::default(),
        }
    }

    /// Takes the next bytes of the file. Its text is made of them part by part: wide letters become narrow ones.
    ///
    /// # Errors
    /// A rule that does not compile.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), ScanError> {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(RAW - self.raw.len()));
            self.raw.extend_from_slice(now);
            bytes = rest;
            if self.raw.len() == RAW {
                self.push_raw()?;
            }
        }
        Ok(())
    }

    fn push_raw(&mut self) -> Result<(), ScanError> {
        let mut raw = std::mem::take(&mut self.raw);
        if self.mark.is_none() {
            self.mark = Some(match raw[..] {
                [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => raw[..4].to_vec(),
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => raw[..2].to_vec(),
                _ => Vec::new(),
            });
        } else if let Some(mark) = self.mark.as_ref().filter(|mark| !mark.is_empty()) {
            raw.splice(..0, mark.iter().copied());
        }
        match plain_of(&raw) {
            Some(text) => self.push_text(&text)?,
            None => self.push_text(&raw)?,
        }
        raw.clear();
        self.raw = raw;
        Ok(())
    }

    fn push_text(&mut self, mut bytes: &[u8]) -> Result<(), ScanError> {
        self.head.extend_from_slice(&bytes[..bytes.len().min(HEAD - self.head.len())]);
        while !bytes.is_empty() {
            let room = (self.next + PIECE + MARGIN).saturating_sub(self.buffer.len());
            let (now, rest) = bytes.split_at(bytes.len().min(room));
            self.buffer.extend_from_slice(now);
            bytes = rest;
            if now.len() == room {
                self.scan(self.next + PIECE)?;
                self.forget();
            }
        }
        Ok(())
    }

    /// All matches, by place.
    ///
    /// # Errors
    /// A rule that does not compile.
    pub fn finish(mut self) -> Result<Scanned<'r>, ScanError> {
        self.push_raw()?;
        // What begins at the very end counts too.
        self.scan(self.buffer.len() + 1)?;
        Ok(self.found)
    }

    /// Scans what stands before `to`.
    fn scan(&mut self, to: usize) -> Result<(), ScanError> {
        let end = to.min(self.buffer.len());
        let text = Text { path: self.path, part: Part::Content, bytes: &self.buffer };
        let new = std::iter::once(self.next..end).collect::<Vec<_>>();
        let Scanned { hits, unread, is_cut } = self.scanner.scan_piece(text, &self.head, &new)?;
        self.found.unread.extend(unread);
        self.found.is_cut |= is_cut;
        if !hits.is_empty() {
            let first = place(&self.buffer, self.next);
            let behind = if to > end { (u32::MAX, u32::MAX) } else { place(&self.buffer, to) };
            for mut hit in hits {
                let Some(span) = hit.span else { continue };
                // What is encoded in a text of megabytes stands where that begins: before this piece, maybe.
                let goes_on = !hit.decoded.is_empty() && (span.line, span.column) < first && (span.end_line, span.end_column) > first;
                let found = || self.found.hits.iter().rev().take(KNOWN).any(|other| same(other, &hit));
                if (first..behind).contains(&(span.line, span.column)) || goes_on && !found() {
                    let Some(span) = &mut hit.span else { continue };
                    for (line, column) in [(&mut span.line, &mut span.column), (&mut span.end_line, &mut span.end_column)] {
                        *column = column.saturating_add(if *line == 1 { self.columns } else { 0 });
                        *line = line.saturating_add(self.lines);
                    }
                    self.found.hits.push(hit);
                }
            }
        }
        self.found.is_cut |= self.found.hits.len() > MOST_HITS;
        self.found.hits.truncate(MOST_HITS);
        self.next = end;
        Ok(())
    }

    /// Drops what lies behind the margin.
    fn forget(&mut self) {
        let most = self.next.saturating_sub(MARGIN);
        let line = memchr::memrchr(b'\n', &self.buffer[most.saturating_sub(MARGIN)..most]);
        let start = match line {
            Some(newline) => most.saturating_sub(MARGIN) + newline + 1,
            // Without lines this may be an encoded text, which can only be read from a multiple of four characters on.
            None => {
                let encoded = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
                let begins = self.buffer[..most].iter().rposition(|b| !encoded(b)).map_or(0, |at| at + 1);
                most - (most - begins) % 4
            }
        };
        let (line, column) = place(&self.buffer, start);
        self.columns = if line == 1 { self.columns.saturating_add(column - 1) } else { column - 1 };
        self.lines = self.lines.saturating_add(line - 1);
        self.buffer.drain(..start);
        self.next -= start;
    }
}

/// Of one piece and its margins no more than these are remembered to tell what was found already.
const KNOWN: usize = 1000;

fn same(one: &Hit<'_>, other: &Hit<'_>) -> bool {
    let secret = |hit: &Hit<'_>| hit.secret.as_ref().map(|secret| secret.expose().to_vec());
    one.rule.id() == other.rule.id() && secret(one) == secret(other)
}

/// Line and column of a place, from 1.
fn place(text: &[u8], at: usize) -> (u32, u32) {
    let before = &text[..at];
    let lines = memchr::memchr_iter(b'\n', before).count();
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX - 1) + 1;
    (number(lines), number(at - start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Span;
    use crate::rules::Rules;
    use crate::rules::shape::fill;

    type Places = Vec<(String, Option<Span>)>;

    fn places(hits: &[Hit<'_>]) -> Places {
        hits.iter().map(|hit| (hit.rule.id().to_owned(), hit.span)).collect()
    }

    fn whole_and_in_pieces(text: &[u8]) -> (Places, Places) {
        let rules = Rules::built_in().unwrap();
        let scanner = Scanner::new(&rules);
        let whole = scanner.scan(Text { path: b"a.txt", part: Part::Content, bytes: text }).unwrap();
        let mut large = Large::new(&scanner, b"a.txt");
        for bytes in text.chunks(100_003) {
            large.push(bytes).unwrap();
        }
        (places(&whole), places(&large.finish().unwrap().hits))
    }

    /// Things to find stand right before, at and behind each seam.
    fn planted(filler: u8, newline: bool) -> Vec<u8> {
        let mut text = vec![filler; 2 * PIECE + 5 * MARGIN];
        if newline {
            text.iter_mut().skip(70).step_by(71).for_each(|b| *b = b'\n');
        }
        for seam in [PIECE, 2 * PIECE] {
            for (seed, offset) in [(1, -50_000), (2, -50), (3, 300), (4, 70_000)] {
                let token = format!(" {} ", fill("ghp_{crc32:30}", seed + seam as u64));
                let at = seam.checked_add_signed(offset).unwrap();
                text[at..at + token.len()].copy_from_slice(token.as_bytes());
            }
            let key = format!("\n{}\n", fill("{pem:RSA PRIVATE KEY}", seam as u64));
            text[seam - 400..seam - 400 + key.len()].copy_from_slice(key.as_bytes());
        }
        text
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        for (filler, newline) in [(b'.', false), (b'.', true)] {
            let (whole, pieces) = whole_and_in_pieces(&planted(filler, newline));
            assert!(whole.len() >= 6, "{}", whole.len());
            assert_eq!(pieces, whole, "newlines: {newline}");
        }
    }

    #[test]
    fn wide_text_gives_what_narrow_text_gives() {
        let narrow = planted(b'.', true);
        let narrow = &narrow[..3 * PIECE / 2];
        let (_, expected) = whole_and_in_pieces(narrow);
        for mark in [&[0xff, 0xfe][..], &[]] {
            let wide: Vec<u8> = mark.iter().copied().chain(narrow.iter().flat_map(|&b| [b, 0])).collect();
            let (_, pieces) = whole_and_in_pieces(&wide);
            assert_eq!(pieces, expected);
        }
    }

    #[test]
    fn an_encoded_text_of_megabytes_is_read_across_seams() {
        use base64::Engine as _;
        let mut inner = vec![b'.'; 2 * PIECE];
        for at in [10, PIECE * 3 / 4 - 20, PIECE * 3 / 4 + MARGIN] {
            let token = format!(" {} ", fill("ghp_{crc32:30}", at as u64));
            inner[at..at + token.len()].copy_from_slice(token.as_bytes());
        }
        let text = format!("abc {}", base64::engine::general_purpose::STANDARD.encode(&inner));

        let (_, pieces) = whole_and_in_pieces(text.as_bytes());

        // A piece of the encoded text is one place, however much stands in it.
        assert!(pieces.len() >= 2 && pieces.iter().all(|(rule, _)| rule == "github-pat-classic"), "{pieces:?}");
    }
}
