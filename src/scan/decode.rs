//! Undoes base64, hexadecimal and percent encoding. Every layer shrinks what it decodes, so the work is bounded.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::parts::Parts;

/// Five layers cover every nesting seen in leaks.
pub const MAX_DEPTH: u8 = 5;

/// The shortest encoded text looked into: 24 characters of base64 hold 18 bytes, hexadecimal digits 16.
const SHORTEST: usize = 24;
const SHORTEST_HEX: usize = 32;
/// A line this long, full of base64, may go on in the next line.
const WRAPPED: usize = 40;
/// Fewer escapes than this are punctuation in an address, not an encoded text.
const FEWEST_ESCAPES: usize = 4;

/// Bytes that stood encoded.
pub(super) struct Encoded {
    /// Where they stand, encoded.
    pub(super) range: Range<usize>,
    /// What they are.
    pub(super) bytes: Vec<u8>,
    /// Name of the encoding, for the report.
    pub(super) how: &'static str,
}

/// A run that is longer than this on one side of the new part began long before it and is cut there.
const FAR: usize = 16 << 10;

/// The encoded runs of the text that touch one of the parts.
pub(super) fn runs_around(text: &[u8], parts: Parts<'_>) -> Vec<Encoded> {
    let mut found = Vec::new();
    for zone in parts.zones(|part| lines_of_run(text, part)) {
        let touches = |range: &Range<usize>| parts.touch(&(range.start + zone.start..range.end + zone.start));
        for mut encoded in runs(&text[zone.clone()], touches) {
            encoded.range = encoded.range.start + zone.start..encoded.range.end + zone.start;
            found.push(encoded);
        }
    }
    found
}

/// The lines of the part, and those beside it that may be one wrapped text with them.
fn lines_of_run(text: &[u8], part: &Range<usize>) -> Range<usize> {
    let (low, high) = (part.start.saturating_sub(FAR), part.end.saturating_add(FAR).min(text.len()));
    let wrapped = |line: &[u8]| line.iter().rev().skip_while(|b| b.is_ascii_whitespace()).take_while(|b| is_base64(**b)).count() >= WRAPPED;
    let start_of_line = |at: usize| memchr::memrchr(b'\n', &text[low..at]).map_or(low, |newline| low + newline + 1);
    let mut start = start_of_line(part.start);
    while start > low {
        let line = start_of_line(start - 1);
        if !wrapped(&text[line..start]) {
            break;
        }
        start = line;
    }
    let end_of_line = |at: usize| memchr::memchr(b'\n', &text[at..high]).map_or(high, |newline| at + newline + 1);
    let mut line = start_of_line(part.end);
    let mut end = end_of_line(part.end);
    while end < high && wrapped(&text[line..end]) {
        line = end;
        end = end_of_line(end);
    }
    start..end
}

/// The encoded runs of the text that `touches` wants.
fn runs(text: &[u8], touches: impl Fn(&Range<usize>) -> bool) -> Vec<Encoded> {
    let mut found = Vec::new();
    let mut at = 0;
    // Every run of SHORTEST bytes covers a multiple of SHORTEST/2, so only those places are looked at.
    let mut probe = SHORTEST / 2;
    while probe < text.len() {
        if !is_base64(text[probe]) {
            probe += SHORTEST / 2;
            continue;
        }
        let start = text[at..probe].iter().rposition(|&b| !is_base64(b)).map_or(at, |before| at + before + 1);
        let end = run_end(text, probe);
        if end - start >= SHORTEST && touches(&(start..end)) {
            decode_run(text, start..end, &mut found);
        }
        at = end;
        probe = end.max(probe) + SHORTEST / 2;
    }
    percent(text, touches, &mut found);
    found
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
        let line_start = memchr::memrchr(b'\n', &text[..end]).map_or(0, |at| at + 1);
        if end - line_start < WRAPPED {
            return end;
        }
        let further = skip(text, next, is_base64);
        let stops_at_line_end = text.get(further).is_none_or(|&b| matches!(b, b'\r' | b'\n' | b'='));
        if further == next || !stops_at_line_end {
            return end;
        }
        end = further;
    }
}

fn skip(text: &[u8], from: usize, what: impl Fn(u8) -> bool) -> usize {
    text[from..].iter().position(|&b| !what(b)).map_or(text.len(), |length| from + length)
}

fn decode_run(text: &[u8], range: Range<usize>, found: &mut Vec<Encoded>) {
    let run: Vec<u8> = text[range.clone()].iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    if run.len() >= SHORTEST_HEX
        && run.len().is_multiple_of(2)
        && let Some(bytes) = hex(&run)
    {
        found.push(Encoded { range, bytes, how: "hex" });
        return;
    }
    if let Some(bytes) = base64(&run) {
        found.push(Encoded { range, bytes, how: "base64" });
    }
}

fn hex(run: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    run.chunks_exact(2).map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8)).collect()
}

/// Decodes either alphabet, padded or not; a last character that cannot be whole is left out.
pub(super) fn base64(run: &[u8]) -> Option<Vec<u8>> {
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

/// Words with many percent escapes.
fn percent(text: &[u8], touches: impl Fn(&Range<usize>) -> bool, found: &mut Vec<Encoded>) {
    let mut at = 0;
    while let Some(sign) = memchr::memchr(b'%', &text[at..]).map(|sign| at + sign) {
        let belongs = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`');
        let start = text[at..sign].iter().rposition(|&b| !belongs(b)).map_or(at, |before| at + before + 1);
        let end = skip(text, sign, belongs);
        let word = &text[start..end];
        let escapes = word.windows(3).filter(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit()).count();
        if escapes >= FEWEST_ESCAPES && touches(&(start..end)) {
            let bytes = percent_encoding::percent_decode(word).collect();
            found.push(Encoded { range: start..end, bytes, how: "percent" });
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<(String, &'static str)> {
        runs(text.as_bytes(), |_| true).into_iter().map(|e| (String::from_utf8_lossy(&e.bytes).into_owned(), e.how)).collect()
    }

    #[test]
    fn each_encoding_is_found_inside_other_text() {
        let inner = "user:correct horse battery";
        let plain = base64::engine::general_purpose::STANDARD.encode(inner);
        assert_eq!(decoded(&format!("a = '{plain}';")), [(inner.to_owned(), "base64")]);
        let hexed: String = inner.bytes().map(|b| format!("{b:02x}")).collect();
        assert_eq!(decoded(&format!("x {hexed} y")), [(inner.to_owned(), "hex")]);
        let escaped: String = inner.bytes().map(|b| format!("%{b:02X}")).collect();
        assert_eq!(decoded(&format!("x {escaped} y")), [(inner.to_owned(), "percent")]);
    }

    #[test]
    fn a_wrapped_text_is_one_run() {
        let long = "0123456789 the quick brown fox jumps over the lazy dog ".repeat(3);
        let one = base64::engine::general_purpose::STANDARD.encode(&long);
        for newline in ["\n", "\r\n", "\n    "] {
            let wrapped: Vec<_> = one.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
            let found = decoded(&format!("data:\n{}\n\nend of it\n", wrapped.join(newline)));
            assert_eq!(found[0].0, long, "{newline:?}");
        }
    }

    #[test]
    fn a_run_at_any_place_of_the_text_is_seen() {
        let run = base64::engine::general_purpose::STANDARD.encode("eighteen bytes txt");
        for before in 0..40 {
            let text = format!("{}{run}", " ".repeat(before));
            assert_eq!(decoded(&text).len(), 1, "{before}");
        }
    }
}
