//! Lists of bytes as numbers, `{ 0x2d, 0x2d, … }`: that is how `xxd -i` puts a key into a program.

use super::{Finds, Rewriter, skip};

/// A shorter list is a constant.
const FEWEST: usize = 16;

pub(super) fn find(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(start) = memchr::memmem::find(&text[at..], b"0x").map(|first| at + first) {
        let mut list = Rewriter::new(text, start);
        let mut end = start;
        while let Some((number, byte)) = number(&text[end..]) {
            let next = skip(text, end + number, |b| b == b',' || b.is_ascii_whitespace());
            list.replace(end..next, &[byte]);
            end = next;
        }
        at = end.max(start + 2);
        // Most lists are tables and pictures.
        let holds_text = list.out.windows(FEWEST).any(|window| window.iter().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n')));
        if holds_text && finds.wants(&(start..end)) {
            finds.add(list.finish(end, "numbers"));
        }
    }
}

/// May a list go on in the line below this one?
pub(super) fn goes_on(line: &[u8]) -> bool {
    /// ` 0x2d`
    const LONGEST: usize = 5;
    let line = line.trim_ascii_end();
    let line = line.strip_suffix(b",").unwrap_or(line).trim_ascii_end();
    let end = &line[line.len().saturating_sub(LONGEST)..];
    memchr::memmem::rfind(end, b"0x").and_then(|at| number(&end[at..]).filter(|(length, _)| at + length == end.len())).is_some()
}

/// The number of one byte that stands here, and how many characters it takes.
fn number(text: &[u8]) -> Option<(usize, u8)> {
    let digits = text.strip_prefix(b"0x")?;
    let length = digits.iter().take(3).take_while(|b| b.is_ascii_hexdigit()).count();
    let value = std::str::from_utf8(digits.get(..length)?).ok()?;
    (length < 3).then(|| u8::from_str_radix(value, 16).ok()).flatten().map(|byte| (length + 2, byte))
}
