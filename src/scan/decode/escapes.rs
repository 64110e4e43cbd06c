//! Escapes: `%41`, `\x41`, `\u0041`, `\101`, `\/`, `\"`, `&#65;`, `&quot;`, `=41`, the soft line breaks of quoted-printable, and
//! characters that nobody sees, which come along when a text is copied from a page or a chat.
//!
//! Percent escapes are undone word by word, the others line by line; lines that follow each other are one text.

use std::ops::Range;

use super::{Encoded, Finds, Rewriter, skip};

/// Fewer percent escapes are punctuation in an address, unless they stand for what needs no escape.
const FEWEST_PERCENT: usize = 4;
/// So many escaped quotes in a line are JSON in a string.
const FEWEST_QUOTES: usize = 4;
/// Of a longer line as much is taken on each side of an escape.
const LONGEST_LINE: usize = 4 << 10;
/// Quoted-printable breaks lines no earlier, and never later than at 76 characters.
const SOFT_LINE: usize = 40;

pub(super) fn find(text: &[u8], finds: &mut Finds<'_>) {
    percent(text, finds);
    lines(text, b'\\', "escapes", backslash, finds);
    lines(text, b'&', "html", entity, finds);
    quoted_printable(text, finds);
    if !text.is_ascii() {
        for first in [0xe2, 0xc2, 0xef] {
            lines(text, first, "invisible", invisible, finds);
        }
    }
}

/// Words with many percent escapes, or with one that hides a letter.
fn percent(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(sign) = memchr::memchr(b'%', &text[at..]).map(|sign| at + sign) {
        let belongs = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`');
        let start = text[at..sign].iter().rposition(|&b| !belongs(b)).map_or(at, |before| at + before + 1);
        let end = skip(text, sign, belongs);
        let word = &text[start..end];
        let mut escapes = 0;
        let mut hides = false;
        for value in word.windows(3).filter(|w| w[0] == b'%').filter_map(|w| digits(&w[1..], 16)) {
            escapes += 1;
            hides |= char::from_u32(value).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '/' | '='));
        }
        if (escapes >= FEWEST_PERCENT || hides) && finds.wants(&(start..end)) {
            finds.add(Encoded::whole(start..end, percent_encoding::percent_decode(word).collect(), "percent"));
        }
        at = end;
    }
}

/// What an escape stands for.
struct Escape {
    length: usize,
    bytes: [u8; 4],
    used: usize,
    /// How much it says that something is hidden, out of [`FEWEST_QUOTES`].
    weight: usize,
}

impl Escape {
    fn of(c: char, length: usize, weight: usize) -> Self {
        let mut bytes = [0; 4];
        let used = c.encode_utf8(&mut bytes).len();
        Self { length, bytes, used, weight }
    }

    fn byte(b: u8, length: usize, weight: usize) -> Self {
        Self { length, bytes: [b, 0, 0, 0], used: 1, weight }
    }
}

/// Rewrites the lines in which `escape`, asked at each `sign`, sees enough.
fn lines(text: &[u8], sign: u8, how: &'static str, escape: fn(&[u8]) -> Option<Escape>, finds: &mut Finds<'_>) {
    let mut at = 0;
    let mut open: Option<Rewriter<'_>> = None;
    let mut end = 0;
    let mut signs = memchr::memchr_iter(sign, text).peekable();
    while let Some(&first) = signs.peek() {
        let line = line_around(text, first, at);
        at = line.end;
        let mut found = Vec::new();
        let mut weight = 0;
        let mut from = line.start;
        while let Some(place) = signs.next_if(|&place| place < line.end) {
            if place < from {
                continue; // the second of two backslashes
            }
            if let Some(one) = escape(&text[place..line.end]) {
                weight += one.weight;
                from = place + one.length;
                found.push((place, one));
            }
        }
        if weight < FEWEST_QUOTES || !finds.wants(&line) {
            continue;
        }
        // A line right behind the last one goes on in the same text.
        let mut rewriter = match open.take() {
            Some(last) if end == line.start => last,
            last => {
                last.into_iter().for_each(|last| finds.add(last.finish(end, how)));
                Rewriter::new(text, line.start)
            }
        };
        let mut from = line.start;
        for (place, one) in found {
            rewriter.copy(from..place);
            from = place + one.length;
            rewriter.replace(place..from, &one.bytes[..one.used]);
        }
        rewriter.copy(from..line.end);
        end = line.end;
        open = Some(rewriter);
    }
    open.into_iter().for_each(|last| finds.add(last.finish(end, how)));
}

/// The line that holds a place, with its end; a long one is cut. What is before `low` is taken already.
fn line_around(text: &[u8], place: usize, low: usize) -> Range<usize> {
    let low = place.saturating_sub(LONGEST_LINE).max(low);
    let high = text.len().min(place + LONGEST_LINE);
    let start = memchr::memrchr(b'\n', &text[low..place]).map_or(low, |at| low + at + 1);
    let end = memchr::memchr(b'\n', &text[place..high]).map_or(high, |at| place + at + 1);
    start..end
}

/// An escape of C, of JSON and of most languages between.
fn backslash(text: &[u8]) -> Option<Escape> {
    const ENOUGH: usize = FEWEST_QUOTES;
    let kind = *text.get(1)?;
    let glued = text.get(2).is_some_and(u8::is_ascii_alphanumeric);
    // A line end in a string matters where it hides where a word begins.
    let control = |b| Some(Escape::byte(b, 2, if glued { ENOUGH } else { 0 }));
    match kind {
        b'n' => control(b'\n'),
        b'r' => control(b'\r'),
        b't' => control(b'\t'),
        b'b' | b'f' | b'v' | b'a' | b'e' => Some(Escape::byte(b' ', 2, 0)),
        b'"' | b'\'' | b'`' => Some(Escape::byte(kind, 2, 1)),
        b'\\' => Some(Escape::byte(kind, 2, 0)),
        b'/' => Some(Escape::byte(kind, 2, ENOUGH)),
        // Markdown and TeX write these so within words.
        b'_' | b'-' if glued => Some(Escape::byte(kind, 2, ENOUGH)),
        b'x' => match text.get(2)? {
            b'{' => braced(text),
            _ => Some(Escape::byte(digits(text.get(2..4)?, 16)? as u8, 4, ENOUGH)),
        },
        b'u' if text.get(2) == Some(&b'{') => braced(text),
        b'u' => {
            let first = digits(text.get(2..6)?, 16)?;
            let second = || text.get(6..8).filter(|sign| *sign == b"\\u").and_then(|_| digits(text.get(8..12)?, 16));
            if let Some(c) = char::from_u32(first) {
                return Some(Escape::of(c, 6, ENOUGH));
            }
            let pair = [first as u16, second().unwrap_or(0) as u16];
            let c = char::decode_utf16(pair).next()?.ok();
            Some(Escape::of(c.unwrap_or(char::REPLACEMENT_CHARACTER), if c.is_some() { 12 } else { 6 }, ENOUGH))
        }
        b'U' => Some(Escape::of(char::from_u32(digits(text.get(2..10)?, 16)?)?, 10, ENOUGH)),
        b'0'..=b'7' => Some(Escape::byte(u8::try_from(digits(text.get(1..4)?, 8)?).ok()?, 4, ENOUGH)),
        _ => None,
    }
}

/// `\u{41}`, `\x{41}`
fn braced(text: &[u8]) -> Option<Escape> {
    let length = text[3..].iter().take(7).position(|&b| b == b'}')?;
    Some(Escape::of(char::from_u32(digits(&text[3..3 + length], 16)?)?, length + 4, FEWEST_QUOTES))
}

/// The strings of a piece of JSON as one text, each from a new line on. Pictures are left out: they are base64, and looked
/// into where they stand.
pub(in crate::scan) fn strings(text: &[u8], json: Range<usize>) -> Encoded {
    let mut rewriter = Rewriter::new(text, json.start);
    let mut at = json.start;
    let mut is_picture = false;
    while let Some(quote) = memchr::memchr(b'"', &text[at..json.end]).map(|quote| at + quote) {
        let Some(string) = json_string(text, quote, json.end) else { break };
        at = string.end + 1;
        if skip(text, at, |b| b.is_ascii_whitespace()) < json.end && text[skip(text, at, |b| b.is_ascii_whitespace())] == b':' {
            is_picture = text[string.clone()].starts_with(b"image/");
        } else if is_picture {
            continue;
        }
        if rewriter.out.last().is_some_and(|b| *b != b'\n') {
            rewriter.replace(quote..quote + 1, b"\n");
        }
        let mut from = string.start;
        while let Some(sign) = memchr::memchr(b'\\', &text[from..string.end]).map(|sign| from + sign) {
            rewriter.copy(from..sign);
            from = match backslash(&text[sign..string.end]) {
                Some(one) => {
                    rewriter.replace(sign..sign + one.length, &one.bytes[..one.used]);
                    sign + one.length
                }
                None => sign + 1,
            };
        }
        rewriter.copy(from..string.end);
    }
    rewriter.finish(json.end, "json")
}

/// What stands in the quotes of which the one at `quote` is the first.
fn json_string(text: &[u8], quote: usize, end: usize) -> Option<Range<usize>> {
    let mut at = quote + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..end)?)?;
        if text[at] == b'"' {
            return Some(quote + 1..at);
        }
        at += 2;
    }
}

/// An entity of HTML or XML: by number, or one of the names that stand for what programs write.
fn entity(text: &[u8]) -> Option<Escape> {
    /// Names that hide something, then those that only go with them.
    const NAMES: [(&str, char, usize); 30] = [
        ("quot", '"', FEWEST_QUOTES),
        ("apos", '\'', FEWEST_QUOTES),
        ("lt", '<', FEWEST_QUOTES),
        ("gt", '>', FEWEST_QUOTES),
        ("amp", '&', FEWEST_QUOTES),
        ("sol", '/', FEWEST_QUOTES),
        ("bsol", '\\', FEWEST_QUOTES),
        ("equals", '=', FEWEST_QUOTES),
        ("colon", ':', FEWEST_QUOTES),
        ("semi", ';', FEWEST_QUOTES),
        ("period", '.', FEWEST_QUOTES),
        ("comma", ',', FEWEST_QUOTES),
        ("lowbar", '_', FEWEST_QUOTES),
        ("hyphen", '-', FEWEST_QUOTES),
        ("dash", '-', FEWEST_QUOTES),
        ("plus", '+', FEWEST_QUOTES),
        ("num", '#', FEWEST_QUOTES),
        ("dollar", '$', FEWEST_QUOTES),
        ("percnt", '%', FEWEST_QUOTES),
        ("commat", '@', FEWEST_QUOTES),
        ("excl", '!', FEWEST_QUOTES),
        ("ast", '*', FEWEST_QUOTES),
        ("lpar", '(', FEWEST_QUOTES),
        ("rpar", ')', FEWEST_QUOTES),
        ("grave", '`', FEWEST_QUOTES),
        ("vert", '|', FEWEST_QUOTES),
        ("lcub", '{', FEWEST_QUOTES),
        ("rcub", '}', FEWEST_QUOTES),
        ("nbsp", ' ', 0),
        ("NewLine", '\n', FEWEST_QUOTES),
    ];
    /// `&#x0000041;` is long enough.
    const LONGEST: usize = 12;
    let length = text[1..].iter().take(LONGEST).position(|&b| b == b';')?;
    let name = &text[1..=length];
    if let Some(number) = name.strip_prefix(b"#") {
        let value = match number {
            [b'x' | b'X', hex @ ..] => digits(hex, 16)?,
            decimal => digits(decimal, 10)?,
        };
        return Some(Escape::of(char::from_u32(value)?, length + 2, FEWEST_QUOTES));
    }
    let (_, c, weight) = NAMES.iter().find(|(known, ..)| known.as_bytes() == name)?;
    Some(Escape::of(*c, length + 2, *weight))
}

/// The number that these digits write, all of them.
fn digits(text: &[u8], base: u32) -> Option<u32> {
    let fits = (1..=8).contains(&text.len());
    fits.then(|| text.iter().try_fold(0u32, |sum, &b| sum.checked_mul(base)?.checked_add(char::from(b).to_digit(base)?))).flatten()
}

/// A character without width, within a word: a soft hyphen, joiners and breaks, marks of direction and of byte order.
fn invisible(text: &[u8]) -> Option<Escape> {
    let length = match text {
        [0xc2, 0xad, ..] => 2,
        [0xe2, 0x80, 0x8b..=0x8f | 0xaa..=0xae, ..] | [0xe2, 0x81, 0xa0..=0xa9, ..] | [0xef, 0xbb, 0xbf, ..] => 3,
        _ => return None,
    };
    // Between pictures and in other scripts they mean something.
    let in_word = text.get(length).is_some_and(u8::is_ascii_graphic);
    Some(Escape { length, bytes: [0; 4], used: 0, weight: if in_word { FEWEST_QUOTES } else { 0 } })
}

/// Lines with `=3D`, and lines that end with a soft break.
fn quoted_printable(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    for place in memchr::memchr_iter(b'=', text) {
        let is_sign = match text[place + 1..] {
            [b'3', b'D', ..] => true,
            [b'\n', ..] | [b'\r', b'\n', ..] => is_soft(text, place),
            _ => false,
        };
        if place < at || !is_sign {
            continue;
        }
        let mut lines = line_around(text, place, at);
        // The lines above and below that a soft break joins to this one.
        while lines.start > at {
            let above = line_around(text, lines.start - 1, at);
            if !soft_break(text, &above).is_some_and(|sign| is_soft(text, sign)) {
                break;
            }
            lines.start = above.start;
        }
        while lines.end < text.len() && soft_break(text, &lines).is_some() {
            lines.end = line_around(text, lines.end, lines.end).end;
        }
        at = lines.end;
        if finds.wants(&lines) {
            finds.add(unquoted(text, lines));
        }
    }
}

/// The place of the `=` that ends the last line of this range.
fn soft_break(text: &[u8], lines: &Range<usize>) -> Option<usize> {
    let line = text[lines.clone()].strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.ends_with(b"=").then(|| lines.start + line.len() - 1)
}

/// Is the `=` at the end of a line a soft break? Code has a blank before it, and base64 is padded on short lines.
fn is_soft(text: &[u8], sign: usize) -> bool {
    let low = sign.saturating_sub(SOFT_LINE);
    let near = &text[low..sign];
    near.len() == SOFT_LINE && memchr::memchr(b'\n', near).is_none() && !near.ends_with(b"=")
}

fn unquoted(text: &[u8], lines: Range<usize>) -> Encoded {
    let mut rewriter = Rewriter::new(text, lines.start);
    let mut from = lines.start;
    for sign in memchr::memchr_iter(b'=', &text[lines.clone()]).map(|at| lines.start + at) {
        let rest = &text[sign + 1..lines.end];
        let (length, byte) = match rest {
            [b'\n', ..] => (2, None),
            [b'\r', b'\n', ..] => (3, None),
            [a, b, ..] if !a.is_ascii_lowercase() && !b.is_ascii_lowercase() => match digits(&[*a, *b], 16) {
                Some(value) => (3, Some([value as u8])),
                None => continue,
            },
            _ => continue,
        };
        rewriter.copy(from..sign);
        from = sign + length;
        if let Some(byte) = byte {
            rewriter.replace(sign..from, &byte);
        }
    }
    rewriter.copy(from..lines.end);
    rewriter.finish(lines.end, "quoted-printable")
}
