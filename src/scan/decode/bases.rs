//! Base64, base32 and hexadecimal digits: runs of one alphabet.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Encoded, Finds, Rewriter, inflate, skip};
use crate::scan::language::Language;

/// The shortest encoded text looked into: 24 characters of base64 hold 18 bytes, hexadecimal digits 16.
const SHORTEST: usize = 24;
const SHORTEST_HEX: usize = 32;
/// A line this long, full of base64, may go on in the next line,
const WRAPPED: usize = 40;
/// and a shorter one where it and the next hold nothing else and are equally long.
const NARROW: usize = 16;
/// So many bytes of text in a row, of which only one in twenty runs of drawn bytes has as many by chance.
const TEXT: usize = 6;

pub(super) fn find(text: &[u8], language: Language, finds: &mut Finds<'_>) {
    if language == Language::Yaml {
        tagged(text, finds);
    }
    let mut at = 0;
    // Every run of SHORTEST bytes covers a multiple of PROBE and as many bytes behind it, so only those places are looked at.
    let mut probe = PROBE;
    while probe < text.len() {
        if !is_base64(text[probe]) {
            probe += PROBE;
            continue;
        }
        let ahead = &text[probe..text.len().min(probe + PROBE)];
        let length = ahead.iter().position(|&b| !is_base64(b));
        if length.is_some_and(|length| !may_go_on(&text[probe + length..])) {
            probe += PROBE; // a word
            continue;
        }
        let start = text[at..probe].iter().rposition(|&b| !is_base64(b)).map_or(at, |before| at + before + 1);
        let end = run_end(text, probe);
        if end - start >= SHORTEST && finds.wants(&(start..end)) {
            decode_run(text, start..end, finds);
        }
        at = end;
        probe = end.max(probe) + PROBE;
    }
}

/// Only places so far apart are looked at.
const PROBE: usize = SHORTEST / 2;

/// May a run that ends here go on in the next line?
fn may_go_on(rest: &[u8]) -> bool {
    matches!(rest.iter().find(|b| !matches!(b, b' ' | b'\t')), Some(b'\r' | b'\n'))
}

/// Every byte of every text is asked this: a table answers fastest.
const BASE64: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < table.len() {
        table[b] = (b as u8).is_ascii_alphanumeric() || matches!(b as u8, b'+' | b'/' | b'-' | b'_');
        b += 1;
    }
    table
};

fn is_base64(b: u8) -> bool {
    BASE64[usize::from(b)]
}

/// End of the run of base64 characters around `from`, across line ends where the text is wrapped.
fn run_end(text: &[u8], from: usize) -> usize {
    let mut end = skip(text, from, is_base64);
    loop {
        let next = skip(text, end, |b| matches!(b, b'\r' | b'\n' | b' ' | b'\t'));
        let crosses_one_line = text[end..next].iter().filter(|&&b| b == b'\n').count() == 1;
        if !crosses_one_line || next == text.len() {
            return end;
        }
        let further = skip(text, next, is_base64);
        let stops_at_line_end = text.get(further).is_none_or(|&b| matches!(b, b'\r' | b'\n' | b'='));
        if further == next || !stops_at_line_end {
            return end;
        }
        let line_start = memchr::memrchr(b'\n', &text[..end]).map_or(0, |at| at + 1);
        let letters_start = skip(text, line_start, |b| matches!(b, b' ' | b'\t'));
        let full_line = letters_start < end && text[letters_start..end].iter().all(|&b| is_base64(b));
        let narrow = end - letters_start >= NARROW && full_line && further - next <= end - letters_start;
        if end - line_start < WRAPPED && !narrow {
            return end;
        }
        end = further;
    }
}

/// May a text in base64 go on in the line below this one?
pub(super) fn is_wrapped(line: &[u8]) -> bool {
    line.iter().rev().skip_while(|b| b.is_ascii_whitespace()).take_while(|b| is_base64(**b)).count() >= NARROW
}

/// How YAML marks what it holds in base64.
const TAG: &[u8] = b"!!binary";

/// May the text in base64 that the line announces stand on the line below it?
pub(super) fn announces(line: &[u8]) -> bool {
    matches!(line.trim_ascii_end().last(), Some(b'|' | b'-' | b'>' | b'y')) && memchr::memmem::find(line, TAG).is_some()
}

/// `password: !!binary aHVudGVy…`: a value of any length, read behind its name.
fn tagged(text: &[u8], finds: &mut Finds<'_>) {
    /// Longer lines are not written by hand.
    const BEFORE: usize = 200;
    for tag in memchr::memmem::find_iter(text, TAG) {
        let low = tag.saturating_sub(BEFORE);
        let line = memchr::memrchr(b'\n', &text[low..tag]).map_or(low, |newline| low + newline + 1);
        let start = skip(text, tag + TAG.len(), |b| b.is_ascii_whitespace() || matches!(b, b'|' | b'>' | b'-' | b'"' | b'\''));
        let end = skip(text, run_end(text, start), |b| b == b'=');
        if start == end || !finds.wants(&(line..end)) {
            continue;
        }
        let run: Vec<u8> = text[start..end].iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        if let Some(bytes) = base64(&run).filter(|bytes| !bytes.is_empty() && bytes.iter().all(|b| matches!(b, b' '..=b'~'))) {
            let mut value = Rewriter::new(text, line);
            value.copy(line..tag);
            value.replace(start..end, &bytes);
            finds.add(value.finish(end, "base64"));
        }
    }
}

fn decode_run(text: &[u8], range: Range<usize>, finds: &mut Finds<'_>) {
    let written = &text[range.clone()];
    let run: Cow<'_, [u8]> = if written.iter().any(u8::is_ascii_whitespace) {
        written.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect()
    } else {
        Cow::Borrowed(written)
    };
    if run.len() >= SHORTEST_HEX
        && run.len().is_multiple_of(2)
        && let Some(bytes) = hex(&run)
    {
        if may_say_something(&bytes) {
            finds.add(Encoded::whole(range, bytes, "hex"));
        }
        return;
    }
    if run.len() >= SHORTEST_HEX
        && let Some(bytes) = base32(&run)
    {
        finds.add(Encoded::whole(range, bytes, "base32"));
        return;
    }
    if let Some(bytes) = base64(&run).filter(|bytes| may_say_something(bytes)) {
        finds.add(Encoded::whole(range, bytes, "base64"));
    }
}

/// Drawn bytes, and words that happen to be made of digits of base64, hold nothing that any rule or decoder looks for. Letters
/// may stand with zeros between them.
pub(super) fn may_say_something(bytes: &[u8]) -> bool {
    let mut row = 0;
    inflate::how(bytes).is_some()
        || bytes.iter().any(|b| {
            row = if matches!(b, 0x20..=0x7e | b'\t' | b'\r' | b'\n' | 0) { row + 1 } else { 0 };
            row == TEXT
        })
}

fn hex(run: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    if !run.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    run.chunks_exact(2).map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8)).collect()
}

/// A text in base32; drawn capitals and digits decode to no text.
fn base32(run: &[u8]) -> Option<Vec<u8>> {
    if !run.iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7')) {
        return None;
    }
    let mut bytes = Vec::with_capacity(run.len() * 5 / 8);
    let (mut bits, mut count) = (0u32, 0);
    for b in run {
        bits = bits << 5 | u32::from(if b.is_ascii_digit() { b - b'2' + 26 } else { b - b'A' });
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n')).then_some(bytes)
}

/// Decodes either alphabet, padded or not; a last character that cannot be whole is left out.
pub(in crate::scan) fn base64(run: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    let run = run.strip_suffix(b"==").or_else(|| run.strip_suffix(b"=")).unwrap_or(run);
    let run = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
    let url_safe = run.iter().any(|b| matches!(b, b'-' | b'_'));
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    engine.decode(run).ok()
}
