//! Which parts of a file's version are not in the version before? No smallest difference is sought, but a safe one in linear
//! time: whatever lies outside the parts stands in the old version as one piece.

use std::ops::Range;

/// A shorter piece that both share is not worth a gap between two parts.
const SHORTEST_SHARED: usize = 64;
/// After an edit the versions are looked at so many lines far for a line that both have, before all lines are.
const NEAR_LINES: usize = 12;
/// A part as short as this is not searched for shared pieces.
const SHORT: usize = 256;

/// The parts of `new` that do not stand in `old`, in order. Where something was taken out or moved, an empty part marks the
/// seam: what was apart meets there. Equal versions have none.
pub fn changed_parts(new: &[u8], old: &[u8]) -> Vec<Range<usize>> {
    let start = shared_start(new, old);
    let end = shared_end(&new[start..], &old[start..]);
    let (new_end, old_end) = (new.len() - end, old.len() - end);
    if start == new_end && start == old_end {
        return Vec::new();
    }
    if new_end - start <= SHORT || start == old_end || u32::try_from(old.len()).is_err() {
        return std::iter::once(start..new_end).collect();
    }
    between(new, start..new_end, old, start..old_end)
}

/// The parts with the lines that they stand in and one line on each side, in order and apart: what stood there before may be
/// something else beside what is new. Of long lines as much is taken as a name and its value have.
pub fn with_neighbours(text: &[u8], parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut wider: Vec<Range<usize>> = Vec::with_capacity(parts.len());
    for part in parts {
        let (low, high) = (part.start.saturating_sub(NEIGHBOUR), part.end.saturating_add(NEIGHBOUR).min(text.len()));
        // The second line end before the part, and behind it.
        let start = memchr::memrchr_iter(b'\n', &text[low..part.start]).nth(1).map_or(low, |at| low + at + 1);
        let end = memchr::memchr_iter(b'\n', &text[part.end..high]).nth(1).map_or(high, |at| part.end + at);
        match wider.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ => wider.push(start..end),
        }
    }
    wider
}

/// So far apart stand a name and its value at most, mostly.
const NEIGHBOUR: usize = 256;

/// The changed parts between the shared start and the shared end. Lines are looked up by their hash, and from an equal
/// line on the two versions are compared as far as they are the same.
fn between(new: &[u8], within: Range<usize>, old: &[u8], old_within: Range<usize>) -> Vec<Range<usize>> {
    let mut table = None;
    let mut parts = Vec::new();
    let mut part = within.start;
    let mut at = within.start;
    // Where the old version goes on after the last shared piece: mostly the new one comes back to it after a few lines.
    let mut next_old = old_within.start;
    let mut behind_shared = at;
    // What both share at the end is not within: a short rest has nothing more to find.
    while at + SHORT < within.end {
        let (mut from, mut length) = (next_old, shared_start(&new[at..within.end], &old[next_old..]));
        if length < SHORTEST_SHARED
            && at == behind_shared
            && let Some(near) = near(new, at..within.end, old, next_old..old.len())
        {
            (at, from, length) = near;
        }
        if length < SHORTEST_SHARED {
            let line_end = end_of_line(new, at, within.end);
            let lines = table.get_or_insert_with(|| Lines::new(old, old_within.clone()));
            if let Some(found) = lines.find(&new[at..line_end]) {
                (from, length) = (found, shared_start(&new[at..within.end], &old[found..]));
            }
            if length < SHORTEST_SHARED {
                at = line_end;
                continue;
            }
        }
        parts.push(part..at);
        at += length;
        part = at;
        next_old = from + length;
        if at < within.end && new[at - 1] != b'\n' {
            at = end_of_line(new, at, within.end);
            next_old = end_of_line(old, next_old, old.len());
        }
        behind_shared = at;
    }
    parts.push(part..within.end);
    parts
}

/// Where the two versions come together again within a few lines, as they do after most edits, and for how many bytes: as
/// (place in the new one, place in the old one, length). It saves the table.
fn near(new: &[u8], new_within: Range<usize>, old: &[u8], old_within: Range<usize>) -> Option<(usize, usize, usize)> {
    let mut old_lines = [(0, &old[..0]); NEAR_LINES];
    let mut from = old_within.start;
    for line in &mut old_lines {
        let end = end_of_line(old, from, old_within.end);
        *line = (from, &old[from..end]);
        from = end;
    }
    let mut at = new_within.start;
    for _ in 0..NEAR_LINES {
        let end = end_of_line(new, at, new_within.end);
        for (from, _) in old_lines.iter().filter(|(_, line)| *line == &new[at..end]) {
            let length = shared_start(&new[at..new_within.end], &old[*from..]);
            if length >= SHORTEST_SHARED {
                return Some((at, *from, length));
            }
        }
        at = end;
    }
    None
}

/// The place behind the line's end.
fn end_of_line(text: &[u8], at: usize, most: usize) -> usize {
    memchr::memchr(b'\n', &text[at..most]).map_or(most, |newline| at + newline + 1)
}

/// Where lines of the old version begin, by their hash. A line that comes again takes the place of the one before it, and so
/// does another line of the same hash: whoever looks one up compares.
struct Lines {
    /// Place in the old version plus one; zero is empty.
    places: Vec<u32>,
}

impl Lines {
    fn new(old: &[u8], within: Range<usize>) -> Self {
        // Lines of programs have some 30 bytes; a table that is too small forgets lines, which only makes the parts longer.
        let mut lines = Self { places: vec![0; (within.len() / 16).next_power_of_two().max(16)] };
        let mut at = within.start;
        while at < within.end {
            let end = end_of_line(old, at, within.end);
            let slot = lines.slot(&old[at..end]);
            lines.places[slot] = u32::try_from(at + 1).unwrap_or(0);
            at = end;
        }
        lines
    }

    fn find(&self, line: &[u8]) -> Option<usize> {
        (self.places[self.slot(line)] as usize).checked_sub(1)
    }

    fn slot(&self, line: &[u8]) -> usize {
        const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut hash = line.len() as u64;
        let (words, rest) = line.as_chunks::<8>();
        for word in words {
            hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
        (hash >> 32) as usize & (self.places.len() - 1)
    }
}

/// Compared at once, at the speed of memory.
const STRIDE: usize = 32;

/// Number of bytes that are the same at the start.
pub(super) fn shared_start(a: &[u8], b: &[u8]) -> usize {
    let most = a.len().min(b.len());
    let (a_strides, _) = a[..most].as_chunks::<STRIDE>();
    let (b_strides, _) = b[..most].as_chunks::<STRIDE>();
    let strides = a_strides.iter().zip(b_strides).take_while(|(a, b)| a == b).count();
    let at = strides * STRIDE;
    at + a[at..most].iter().zip(&b[at..most]).take_while(|(a, b)| a == b).count()
}

/// Number of bytes that are the same at the end.
fn shared_end(a: &[u8], b: &[u8]) -> usize {
    let most = a.len().min(b.len());
    let (a, b) = (&a[a.len() - most..], &b[b.len() - most..]);
    let (_, a_strides) = a.as_rchunks::<STRIDE>();
    let (_, b_strides) = b.as_rchunks::<STRIDE>();
    let strides = a_strides.iter().rev().zip(b_strides.iter().rev()).take_while(|(a, b)| a == b).count();
    let left = most - strides * STRIDE;
    strides * STRIDE + a[..left].iter().rev().zip(b[..left].iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "a list of ranges may have one")]
mod tests {
    use super::*;

    #[test]
    fn short_versions_are_compared_from_both_ends() {
        let long = "0123456789".repeat(100);
        for (old, new, parts) in [
            ("abc", "abc", &[][..]),
            ("abc", "abXc", &[2..3]),
            ("abc", "ac", &[1..1]),
            ("", "x", &[0..1]),
            ("aa", "aaa", &[2..3]),
            ("x", "", &[0..0]),
        ] {
            assert_eq!(changed_parts(new.as_bytes(), old.as_bytes()), parts, "{old} {new}");
        }
        let new = format!("{long}secret{long}");
        assert_eq!(changed_parts(new.as_bytes(), format!("{long}{long}").as_bytes()), [1000..1006]);
    }

    #[test]
    fn neighbours_are_the_lines_beside_and_never_too_much() {
        let text = b"one\ntwo\nthree\nfour\nfive\nsix\n";
        let of = |parts: &[Range<usize>]| -> Vec<String> {
            let wider = with_neighbours(text, parts.to_vec());
            wider.iter().map(|part| String::from_utf8_lossy(&text[part.clone()]).into_owned()).collect()
        };
        assert_eq!(of(&[9..10]), ["two\nthree\nfour"]);
        assert_eq!(of(&[0..0, 24..26]), ["one\ntwo", "five\nsix\n"]);
        assert_eq!(of(&[5..6, 15..16]), ["one\ntwo\nthree\nfour\nfive"]);
        assert_eq!(with_neighbours(&[b'x'; 2000], vec![1000..1001]), [744..1257]);
        assert!(with_neighbours(text, Vec::new()).is_empty());
    }

    #[test]
    fn lines_between_two_changes_are_old() {
        let line = |at: usize| format!("{at}: what this line says is its own affair\n");
        let old: String = (0..100).map(line).collect();
        let new = old.replacen("10: what", "10: how", 1).replacen("50: what", "50: new\n50: what", 1).replacen(&line(80), "", 1);
        let parts = changed_parts(new.as_bytes(), old.as_bytes());
        let changed: Vec<&str> = parts.iter().map(|part| &new[part.clone()]).collect();
        assert!(changed.iter().map(|part| part.len()).sum::<usize>() < 150, "{changed:?}");
        assert!(changed.iter().any(|part| part.contains("how")) && changed.iter().any(|part| part.contains("new\n")), "{changed:?}");
    }

    proptest::proptest! {
        #[test]
        fn what_lies_outside_the_parts_stands_in_the_old_version(
            old in proptest::collection::vec("[a-c]{0,90}\n?", 0..40),
            edits in proptest::collection::vec((0..40usize, 0..4usize, "[a-d]{0,9}\n?"), 0..6),
        ) {
            let mut lines = old.clone();
            for (at, what, text) in edits {
                let at = at.min(lines.len());
                match what {
                    0 => lines.insert(at, text),
                    1 if at < lines.len() => { lines.remove(at); }
                    2 if at < lines.len() => lines[at].push_str(&text),
                    _ => lines[..at].reverse(),
                }
            }
            let (old, new) = (old.concat(), lines.concat());
            let parts = changed_parts(new.as_bytes(), old.as_bytes());
            let mut at = 0;
            for part in &parts {
                proptest::prop_assert!(at <= part.start && part.start <= part.end && part.end <= new.len());
                proptest::prop_assert!(old.contains(&new[at..part.start]));
                at = part.end;
            }
            proptest::prop_assert!(old.contains(&new[at..]));
            proptest::prop_assert!(!parts.is_empty() || old == new);
        }
    }
}
