//! Lists of bytes as numbers or as characters: `{ 0x2d, 0x2d, … }`, as `xxd -i` puts a key into a program, `[103, 104, …]`,
//! `'g', 'h', …` and `chr(103) + chr(104)`.
//!
//! A list is read as a literal behind the name that it is bound to. A short one is read only where that name is sensitive.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Finds, Rewriter, skip};
use crate::scan::holds::Words;

/// A shorter list is a constant, unless its name says what it holds,
const FEWEST: usize = 16;
/// and then a shorter one is nothing that anyone would write so.
const FEWEST_NAMED: usize = 8;
/// The line in front of a list is looked at so far.
const BEFORE: usize = 200;

static HEXADECIMAL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("0x"));
/// The rarer letters of `chr(`, in either case.
static CALL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("hr("));

pub(super) fn find(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(start) = HEXADECIMAL.find(&text[at..]).map(|first| at + first) {
        at = read(text, start, finds).max(start + 2);
    }
    let mut at = 0;
    while let Some(call) = CALL.find(&text[at..]).map(|first| at + first) {
        at = call + 3;
        if call > 0 && matches!(text[call - 1], b'c' | b'C') {
            at = read(text, call - 1, finds).max(at);
        }
    }
    decimals(text, finds);
}

/// Only places so far apart are looked at: a list of [`FEWEST_NAMED`] letters covers one, and as much as [`AHEAD`] behind it.
const PROBE: usize = 20;
/// Two numbers with a comma between them.
const AHEAD: usize = 6;

const DECIMAL: [bool; 256] = {
    let mut table = [false; 256];
    let signs = b"0123456789, \t\r\n";
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
};

fn decimals(text: &[u8], finds: &mut Finds<'_>) {
    let (mut at, mut probe) = (0, PROBE);
    while probe + AHEAD <= text.len() {
        let ahead = &text[probe..probe + AHEAD];
        let is_list = DECIMAL[usize::from(ahead[0])] && ahead.iter().rev().all(|&b| DECIMAL[usize::from(b)]) && ahead.contains(&b',');
        if !is_list {
            probe += PROBE;
            continue;
        }
        let first = text[at..probe].iter().rposition(|&b| !DECIMAL[usize::from(b)]).map_or(at, |before| at + before + 1);
        let mut start = skip(text, first, |b| b.is_ascii_whitespace() || b == b',');
        // The end of a number or of a word.
        if start.checked_sub(1).is_some_and(|before| text[before].is_ascii_alphanumeric() || matches!(text[before], b'_' | b'.' | b'-')) {
            start = skip(text, skip(text, start, |b| b.is_ascii_digit()), |b| b.is_ascii_whitespace() || b == b',');
        }
        at = read(text, start, finds).max(probe);
        probe = at + PROBE;
    }
}

/// Reads the list that begins at `start`; gives the place where it ends.
pub(super) fn read(text: &[u8], start: usize, finds: &mut Finds<'_>) -> usize {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    let (mut end, mut last) = (start, start);
    while let Some((length, byte)) = element(&text[end..]) {
        last = end + length;
        end = skip(text, last, |b| b.is_ascii_whitespace() || matches!(b, b',' | b'+' | b'&' | b'|'));
        bytes.push(byte);
        ends.push(end);
    }
    if bytes.len() < FEWEST_NAMED || !finds.wants(&(start..end)) {
        return end;
    }
    let head = Head::of(text, start);
    // Most lists are tables and pictures.
    if holds_text(&bytes) || head.as_ref().is_some_and(|head| head.is_sensitive(text)) && is_word(&bytes) {
        let from = head.as_ref().map_or(start, |head| head.copied.start);
        let mut list = Rewriter::new(text, from);
        if let Some(head) = &head {
            list.copy(head.copied.clone());
            list.replace(head.copied.end..start, head.binds);
        }
        // C ends a text with a zero.
        let text_length = bytes.strip_suffix(b"\0").unwrap_or(&bytes).len();
        let mut at = start;
        for (byte, end) in bytes[..text_length].iter().zip(ends) {
            list.replace(at..end.min(last), std::slice::from_ref(byte));
            at = end;
        }
        if head.is_some() {
            list.replace(last..last, b"\"\n");
        }
        finds.add(list.finish(last, "numbers"));
    }
    end
}

fn holds_text(bytes: &[u8]) -> bool {
    let mut row = 0;
    bytes.iter().any(|b| {
        row = if matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n') { row + 1 } else { 0 };
        row == FEWEST
    })
}

/// Characters as a password has them, with the end that C wants.
fn is_word(bytes: &[u8]) -> bool {
    bytes.strip_suffix(b"\0").unwrap_or(bytes).iter().all(u8::is_ascii_graphic)
}

/// What stands in front of a list: the name that it is bound to.
struct Head {
    /// From the beginning of the line up to the end of the name.
    copied: Range<usize>,
    /// What binds it, with a quote.
    binds: &'static [u8],
}

impl Head {
    fn of(text: &[u8], start: usize) -> Option<Self> {
        let low = start.saturating_sub(BEFORE);
        let start_of_line = |at: usize| memchr::memrchr(b'\n', &text[low..at]).map_or(low, |newline| low + newline + 1);
        let mut line = start_of_line(start)..start;
        if text[line.clone()].trim_ascii().is_empty() && line.start > low {
            line = start_of_line(line.start - 1)..line.start;
        }
        let before = &text[line.clone()];
        let last = |sign: u8, is: &dyn Fn(u8, u8) -> bool| {
            let at = |at: usize| before.get(at).copied().unwrap_or(b' ');
            memchr::memrchr_iter(sign, before).find(|&found| is(if found == 0 { b' ' } else { at(found - 1) }, at(found + 1)))
        };
        let assigned = last(b'=', &|left, right| !matches!(left, b'=' | b'!' | b'<' | b'>') && right != b'=');
        let entry = || last(b':', &|left, right| left != b':' && matches!(right, b' ' | b'[' | b'{' | b'\r' | b'\n'));
        let (end, binds): (_, &[u8]) = match assigned.or_else(entry) {
            Some(sign) => (end_of_name(&before[..sign]), b" = \""),
            None => (memchr::memchr(b'(', before)?, b"(\""),
        };
        (end > 0).then_some(Self { copied: line.start..line.start + end, binds })
    }

    fn is_sensitive(&self, text: &[u8]) -> bool {
        static SENSITIVE: Words<9> = Words::new(["pass", "pwd", "psw", "secret", "token", "cred", "auth", "key", "pw"]);
        SENSITIVE.are_in(&text[self.copied.clone()])
    }
}

/// Without the `:` of `:=`, and without brackets that say how many: `key[16]`, `key: [u8; 16]`.
fn end_of_name(before: &[u8]) -> usize {
    let mut name = before.trim_ascii_end();
    name = name.strip_suffix(b":").unwrap_or(name).trim_ascii_end();
    if name.ends_with(b"]")
        && let Some(open) = memchr::memrchr(b'[', name)
    {
        name = name[..open].trim_ascii_end();
        name = name.strip_suffix(b":").unwrap_or(name);
    }
    name.len()
}

/// May a list go on in the line below this one?
pub(super) fn goes_on(line: &[u8]) -> bool {
    /// ` 0x2d`
    const LONGEST: usize = 5;
    let line = line.trim_ascii_end();
    let open = matches!(line.last(), Some(b'{' | b'['));
    let line = line.strip_suffix(b",").unwrap_or(line).trim_ascii_end();
    let end = &line[line.len().saturating_sub(LONGEST)..];
    let hexadecimal = || memchr::memmem::rfind(end, b"0x").and_then(|at| number(&end[at..]).filter(|(length, _)| at + length == end.len())).is_some();
    let decimal = || {
        end.last().is_some_and(u8::is_ascii_digit)
            && end.iter().all(|&b| DECIMAL[usize::from(b)])
            && end.iter().any(|b| !b.is_ascii_digit() || end.len() < LONGEST)
    };
    open || hexadecimal() || decimal()
}

/// One byte of a list, and how many characters it takes.
fn element(text: &[u8]) -> Option<(usize, u8)> {
    let call = [&b"chr("[..], b"Chr(", b"CHR("].iter().find(|call| text.starts_with(call)).map_or(0, |call| call.len());
    let (length, byte) = plain(&text[call..])?;
    let close = usize::from(call > 0);
    (call == 0 || text.get(call + length) == Some(&b')')).then_some((call + length + close, byte))
}

fn plain(text: &[u8]) -> Option<(usize, u8)> {
    match *text.first()? {
        b'0' if text.get(1) == Some(&b'x') => number(text),
        b'0'..=b'9' => {
            let length = text.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
            let value = text[..length].iter().fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
            let ended = text.get(length).is_none_or(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'.' | b'%'));
            (length <= 3 && ended).then(|| u8::try_from(value).ok()).flatten().map(|byte| (length, byte))
        }
        b'b' => character(&text[1..]).map(|(length, byte)| (length + 1, byte)),
        b'\'' => character(text),
        _ => None,
    }
}

/// `'g'`, `'\0'`
fn character(text: &[u8]) -> Option<(usize, u8)> {
    match text.get(..4).unwrap_or(text) {
        [b'\'', b'\\', b'0', b'\''] => Some((4, 0)),
        [b'\'', b'\\', sign @ (b'\\' | b'\'' | b'"'), b'\''] => Some((4, *sign)),
        [b'\'', sign @ b' '..=b'~', b'\'', ..] if !matches!(sign, b'\\' | b'\'') => Some((3, *sign)),
        _ => None,
    }
}

/// The number of one byte that stands here, and how many characters it takes.
fn number(text: &[u8]) -> Option<(usize, u8)> {
    let digits = text.strip_prefix(b"0x")?;
    let length = digits.iter().take(3).take_while(|b| b.is_ascii_hexdigit()).count();
    let value = std::str::from_utf8(digits.get(..length)?).ok()?;
    (length < 3).then(|| u8::from_str_radix(value, 16).ok()).flatten().map(|byte| (length + 2, byte))
}
