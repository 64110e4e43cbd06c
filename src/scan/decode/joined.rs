//! Literals put together from pieces: `"ab" + "cd"`, adjacent strings, `ab${"cd"}`, a string that a backslash carries into the
//! next line, and what [`calls`] put together. Lists of characters are met on the way.
//!
//! The pieces are read as one literal in the place of the whole expression, with the line in front of it, so that a name that
//! it is bound to is seen. Only what crosses from one piece into the next counts: the rest stands in the text as it is.

use std::ops::Range;

use super::{Encoded, Finds, Places, Rewriter, calls, numbers};
use crate::scan::language::Language;

/// Name of what this file undoes.
pub(in crate::scan) const JOINED: &str = "pieces";

/// Longer literals are texts.
const LONGEST_PIECE: usize = 4 << 10;
/// More than this between two pieces is no operator.
const LONGEST_GAP: usize = 160;
/// A credential of fewer characters is nothing that anyone would take apart.
const SHORTEST: usize = 8;
/// More pieces are a table, not a value.
pub(super) const MOST_PIECES: usize = 512;
/// A literal with more escaped quotes in it is a text.
const MOST_ESCAPED: usize = 32;
/// As much of the line in front of the expression is kept.
const BEFORE: usize = 200;

/// May a literal go on in the line below this one?
pub(super) fn goes_on(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let quoted = |line: &[u8]| matches!(line.last(), Some(b'"' | b'\'' | b'`'));
    quoted(line.strip_suffix(b",").unwrap_or(line))
        || matches!(line.last(), Some(b'+' | b'.' | b'&' | b'|' | b'~' | b'^' | b'\\' | b'_' | b'=' | b'[' | b'('))
}

pub(super) fn find(text: &[u8], language: Language, finds: &mut Finds<'_>) {
    if memchr::memchr3(b'"', b'\'', b'`', text).is_some() {
        operators(text, language.joins_neighbours(), finds);
        templates(text, finds);
    }
    if memchr::memchr(b'\\', text).is_some() {
        continued(text, finds);
    }
}

/// Literals with an operator, a blank or nothing between them.
fn operators(text: &[u8], neighbours: bool, finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(quote) = memchr::memchr3(b'"', b'\'', b'`', &text[at..]).map(|quote| at + quote) {
        at = quote + 1;
        let before = quote.checked_sub(1).map_or(b' ', |before| text[before]);
        if matches!(before, b'(' | b'[' | b'{') || before.is_ascii_whitespace() && quote > 1 && text[quote - 2].is_ascii_whitespace() {
            at = calls::at(text, quote, finds).max(at);
        } else if text[quote..].starts_with(b"',") && quote > 1 && text[quote - 2] == b'\'' {
            at = numbers::read(text, quote - 2, finds).max(at);
        }
        // Most quotes are followed by what is no operator.
        if !text.get(at).is_some_and(|&next| MAY_FOLLOW[usize::from(next)]) {
            continue;
        }
        let is_escaped = text[..quote].iter().rev().take(MOST_ESCAPED).take_while(|&&b| b == b'\\').count() % 2 == 1;
        let Some(mut seam) = seam(text, quote, neighbours).filter(|_| !is_escaped) else { continue };
        let Some(first) = literal_before(text, quote) else { continue };
        let expression = first.start - 1;
        let mut pieces = vec![first];
        let mut end = at;
        while pieces.len() < MOST_PIECES {
            let Some(piece) = literal_at(text, seam) else { break };
            end = piece.end + 1;
            pieces.push(piece);
            match self::seam(text, end - 1, neighbours) {
                Some(next) => seam = next,
                None => break,
            }
        }
        if pieces.len() > 1 {
            at = end;
            join(text, expression..end, &pieces, finds);
        }
    }
}

/// Bytes that may stand right behind a literal which another one follows.
const MAY_FOLLOW: [bool; 256] = {
    let mut table = [false; 256];
    let signs = b" \t\r\n+.&|<~^\\\"'`";
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
};

/// The place of the quote that opens the next piece, if only an operator stands between it and the closing quote at `quote`,
/// or blanks where `neighbours` belong together.
fn seam(text: &[u8], quote: usize, neighbours: bool) -> Option<usize> {
    let high = text.len().min(quote + LONGEST_GAP);
    let text = &text[..high];
    let before = blanks(text, quote + 1);
    let sign = match text[before..] {
        [b'.', b'.', ..] | [b'|', b'|', ..] | [b'<', b'>' | b'<', ..] | [b'+', b'+', ..] => 2,
        [b'+' | b'.' | b'&' | b'~' | b'^', ..] => 1,
        _ => 0,
    };
    let first = blanks(text, before + sign);
    let mut at = first;
    if sign == 0 && before > quote + 1 && !neighbours {
        return None; // two arguments, or two entries of a list
    }
    // `b"…"`, `f'…'`, `@"…"`
    while at < text.len() && at < before + sign + LONGEST_GAP && (text[at].is_ascii_alphabetic() || matches!(text[at], b'@' | b'$')) {
        at += 1;
        if at > first + 2 {
            return None;
        }
    }
    let opens = matches!(text.get(at)?, b'"' | b'\'' | b'`');
    // A doubled quote is one quote in many languages, and a tripled one opens a text.
    let tripled = text[at..].starts_with(&[text[at]; 3]) || quote + 1 == at && text[at] == text[quote] && quote > 0 && text[quote - 1] == text[at];
    (opens && !tripled).then_some(at)
}

/// Passes blanks, line ends, comments, and the marks that carry a line on: `\`, `_` and `` ` ``.
fn blanks(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&b) = text.get(at) {
        let rest = &text[at..];
        let ends_line = || matches!(text.get(at + 1), Some(b'\n' | b'\r'));
        at += match b {
            b' ' | b'\t' | b'\r' | b'\n' => 1,
            b'\\' | b'_' | b'`' if ends_line() => 1,
            b'/' if rest.starts_with(b"/*") => match memchr::memmem::find(&rest[2..], b"*/") {
                Some(length) => length + 4,
                None => break,
            },
            b'#' | b'/' | b'-' if at > from && (b == b'#' || rest.starts_with(b"//") || rest.starts_with(b"--")) => {
                match memchr::memchr(b'\n', rest) {
                    Some(length) => length + 1,
                    None => break,
                }
            }
            _ => break,
        };
    }
    at
}

/// What stands in the quotes of which the one at `quote` is the last.
pub(super) fn literal_before(text: &[u8], quote: usize) -> Option<Range<usize>> {
    let low = quote.saturating_sub(LONGEST_PIECE);
    let mut end = quote;
    for _ in 0..MOST_ESCAPED {
        let start = memchr::memrchr(text[quote], &text[low..end])? + low;
        let slashes = text[low..start].iter().rev().take_while(|&&b| b == b'\\').count();
        if slashes % 2 == 0 {
            let inside = start + 1..quote;
            return (memchr::memchr(b'\n', &text[inside.clone()]).is_none()).then_some(inside);
        }
        end = start;
    }
    None
}

/// What stands in the quotes of which the one at `quote` is the first.
pub(super) fn literal_at(text: &[u8], quote: usize) -> Option<Range<usize>> {
    let sign = text[quote];
    let high = text.len().min(quote + LONGEST_PIECE);
    let mut at = quote + 1;
    while at < high {
        match text[at] {
            b'\\' => at += 2,
            b'\n' => return None,
            b if b == sign => return Some(quote + 1..at),
            _ => at += 1,
        }
    }
    None
}

/// Reads the pieces as one literal.
pub(super) fn join(text: &[u8], range: Range<usize>, pieces: &[Range<usize>], finds: &mut Finds<'_>) {
    let length: usize = pieces.iter().map(ExactSizeIterator::len).sum();
    let glued = |pair: &[Range<usize>]| {
        let letter = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_graphic());
        letter(text[pair[0].clone()].last()) && letter(text[pair[1].clone()].first())
    };
    // Sentences and statements are taken apart between words; a credential has none.
    let full: Vec<Range<usize>> = pieces.iter().filter(|piece| !piece.is_empty()).cloned().collect();
    if length < SHORTEST || !finds.wants(&range) || !full.windows(2).any(glued) {
        return;
    }
    let quote = text[range.end - 1];
    let mut bytes = before(text, range.start).to_vec();
    bytes.push(quote);
    let start = bytes.len();
    let mut seams = Vec::new();
    for (at, piece) in full.iter().enumerate() {
        if at > 0 {
            seams.push(bytes.len());
        }
        bytes.extend_from_slice(&text[piece.clone()]);
    }
    let literal = start..bytes.len();
    bytes.push(quote);
    bytes.push(b'\n');
    finds.add(Encoded { range, bytes, how: JOINED, places: Places::Seams { at: seams, literal } });
}

/// What stands on the line in front of an expression, or on the last line before it.
fn before(text: &[u8], expression: usize) -> &[u8] {
    let low = expression.saturating_sub(BEFORE);
    let own = memchr::memrchr(b'\n', &text[low..expression]).map_or(low, |at| low + at + 1);
    if !text[own..expression].trim_ascii().is_empty() || own == low {
        return &text[own..expression];
    }
    let above = text[low..own].trim_ascii_end();
    let above = above.strip_suffix(b"\\").unwrap_or(above);
    &above[memchr::memrchr(b'\n', above).map_or(0, |at| at + 1)..]
}

/// `ab${"cd"}ef`, `ab#{'cd'}ef`
fn templates(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    for sign in memchr::memchr2_iter(b'$', b'#', text) {
        if sign < at || text.get(sign + 1) != Some(&b'{') {
            continue;
        }
        let Some(piece) = template_literal(text, sign) else { continue };
        let letters = |b: &&u8| b.is_ascii_graphic() && !matches!(**b, b'"' | b'\'' | b'`');
        let low = sign.saturating_sub(BEFORE).max(at);
        let line = memchr::memrchr(b'\n', &text[low..sign]).map_or(low, |newline| low + newline + 1);
        let mut rewriter = Rewriter::new(text, line);
        rewriter.copy(line..sign);
        rewriter.copy(piece.clone());
        let mut from = piece.end + 2;
        // Further pieces may follow, with letters between them.
        loop {
            let next = from + text[from.min(text.len())..].iter().take(LONGEST_PIECE).take_while(letters).count();
            let inner = memchr::memmem::find(&text[from.min(next)..next], b"{").map(|open| (from + open).saturating_sub(1));
            match inner.and_then(|sign| Some((sign, template_literal(text, sign)?))) {
                Some((sign, piece)) if sign >= from => {
                    rewriter.copy(from..sign);
                    rewriter.copy(piece.clone());
                    from = piece.end + 2;
                }
                _ => {
                    let end = text.len().min(next + 1);
                    rewriter.copy(from.min(end)..end);
                    at = end;
                    break;
                }
            }
        }
        if finds.wants(&(line..at)) {
            finds.add(rewriter.finish(at, JOINED));
        }
    }
}

/// The literal of `${"…"}` at `sign`.
fn template_literal(text: &[u8], sign: usize) -> Option<Range<usize>> {
    let quote = sign + 2;
    matches!(text.get(sign), Some(b'$' | b'#')).then_some(())?;
    matches!(text.get(quote), Some(b'"' | b'\'' | b'`')).then_some(())?;
    let piece = literal_at(text, quote)?;
    (text.get(piece.end + 1) == Some(&b'}')).then_some(piece)
}

/// A backslash at the end of a line, with letters right before it and first in the next line.
fn continued(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    for slash in memchr::memchr_iter(b'\\', text) {
        let is_letter = |b: &u8| b.is_ascii_graphic();
        if !matches!(text[slash + 1..], [b'\n', ..] | [b'\r', b'\n', ..])
            || slash < at
            || slash == 0
            || !is_letter(&text[slash - 1])
            || text[slash - 1] == b'\\'
        {
            continue;
        }
        let low = slash.saturating_sub(BEFORE).max(at);
        let line = memchr::memrchr(b'\n', &text[low..slash]).map_or(low, |newline| low + newline + 1);
        let mut rewriter = Rewriter::new(text, line);
        let (mut from, mut sign) = (line, slash);
        let mut joined = false;
        loop {
            rewriter.copy(from..sign);
            let next = super::skip(text, sign + 1, |b| matches!(b, b'\r' | b'\n' | b' ' | b'\t'));
            joined |= text.get(next).is_some_and(is_letter);
            from = next;
            let high = text.len().min(next + LONGEST_PIECE);
            let end = memchr::memchr(b'\n', &text[next..high]).map_or(high, |length| next + length);
            let line = text[next..end].strip_suffix(b"\r").unwrap_or(&text[next..end]);
            match line.strip_suffix(b"\\").filter(|line| line.last().is_some_and(is_letter)) {
                Some(line) => sign = next + line.len(),
                None => {
                    rewriter.copy(next..end);
                    at = end;
                    break;
                }
            }
        }
        if joined && finds.wants(&(line..at)) {
            finds.add(rewriter.finish(at, JOINED));
        }
    }
}
