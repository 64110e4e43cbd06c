//! Hex dumps, as `xxd`, `hexdump -C` and `od -A x -t x1z` print them: the text beside the bytes is wrapped at 16 characters.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Finds, Rewriter, bases};

/// A dump begins at the beginning of what it shows, and that is long ago only in large ones.
static FIRST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("000000"));
/// The offset in front of a line has so many digits.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=16;
/// A line of a dump is shorter.
const LONGEST_LINE: usize = 200;
/// As many bytes stand on a line.
const WIDTH: usize = 16;

/// The bytes of one line.
struct Line {
    offset: u64,
    bytes: Vec<u8>,
    /// Where the line ends, without the end of line.
    end: usize,
}

pub(super) fn find(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(start) = FIRST.find(&text[at..]).map(|found| at + found) {
        at = start + FIRST.needle().len();
        let begins = start.checked_sub(1).is_none_or(|before| text[before].is_ascii_whitespace());
        if let Some(first) = begins.then(|| line(text, start)).flatten() {
            at = dump(text, start, first, finds);
        }
    }
}

/// Reads the lines from this one on; gives the place where they end.
fn dump(text: &[u8], start: usize, first: Line, finds: &mut Finds<'_>) -> usize {
    let mut lines: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    let (mut from, mut next) = (start, Some(first));
    while let Some(Line { offset, bytes, end }) = next {
        let following = offset.checked_add(bytes.len() as u64);
        let newline = end + usize::from(text.get(end) == Some(&b'\r'));
        lines.push((from..end, bytes));
        from = (newline + 1).min(text.len());
        from += text[from..].iter().take(LONGEST_LINE).take_while(|b| matches!(b, b' ' | b'\t')).count();
        next = line(text, from).filter(|line| Some(line.offset) == following);
    }
    let end = lines.last().map_or(start, |(range, _)| range.end);
    let all: Vec<u8> = lines.iter().flat_map(|(_, bytes)| bytes).copied().collect();
    if all.len() > WIDTH && bases::may_say_something(&all) && finds.wants(&(start..end)) {
        let mut out = Rewriter::new(text, start);
        lines.into_iter().for_each(|(range, bytes)| out.replace(range, &bytes));
        finds.add(out.finish(end, "hex dump"));
    }
    end.max(start + FIRST.needle().len())
}

/// May a dump go on in the line below this one?
pub(super) fn goes_on(text: &[u8]) -> bool {
    let start = text.len() - text.trim_ascii_start().len();
    text[start..].first().is_some_and(u8::is_ascii_hexdigit) && line(text, start).is_some()
}

/// The line of a dump that begins here: `00000010: 6768 705f  ghp_`, `00000010  67 68 70 5f  |ghp_|`
fn line(text: &[u8], start: usize) -> Option<Line> {
    let high = text.len().min(start + LONGEST_LINE);
    let end = memchr::memchr(b'\n', text.get(start..high)?).map_or(high, |newline| start + newline);
    let rest = text[start..end].strip_suffix(b"\r").unwrap_or(&text[start..end]);
    let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if !DIGITS.contains(&digits) {
        return None;
    }
    let offset = u64::from_str_radix(std::str::from_utf8(&rest[..digits]).ok()?, 16).ok()?;
    let has_colon = rest.get(digits) == Some(&b':');
    let mut at = digits + usize::from(has_colon);
    let mut bytes = Vec::new();
    while bytes.len() < WIDTH {
        let blanks = rest[at..].iter().take_while(|b| **b == b' ').count();
        let group = rest[at + blanks..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let ended = rest.get(at + blanks + group).is_none_or(|b| *b == b' ');
        // `hexdump` leaves a gap in the middle, and behind its offset; what stands behind any other gap is the text.
        let gap = blanks > 1 && !bytes.is_empty() && (has_colon || bytes.len() != WIDTH / 2 || blanks > 2);
        if blanks == 0 || gap || !ended || group == 0 || group % 2 != 0 || group > 2 * WIDTH {
            break;
        }
        let group = &rest[at + blanks..at + blanks + group];
        bytes.extend(group.chunks_exact(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()));
        at += blanks + group.len();
    }
    (!bytes.is_empty()).then_some(Line { offset, bytes, end: start + rest.len() })
}
