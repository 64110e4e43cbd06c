//! How far from the new parts of a text must a rule's keyword be looked for? Where a match stays on its line, on the lines
//! of the parts; elsewhere within its reach.

use std::ops::Range;

use super::parts::Parts;
use crate::rules::{Check, Rule};

/// How far from a new part a rule's keyword may stand. Each zone covers the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Zone {
    /// On the lines of the part.
    Own,
    /// On these and [`LINES`] beside them.
    Lines,
    /// On these and [`PARAGRAPH`] beside them.
    Paragraph,
    /// [`NEAR`] bytes.
    Near,
    /// [`FAR`] bytes.
    Far,
    /// Anywhere.
    Everywhere,
}

/// All zones, the narrowest first.
pub(super) const ZONES: [Zone; 6] = [Zone::Own, Zone::Lines, Zone::Paragraph, Zone::Near, Zone::Far, Zone::Everywhere];

/// A match that crosses at most so many line ends is looked for by lines.
const LINES: usize = 2;
/// And one that crosses at most so many, by more lines: a call with an argument on each.
const PARAGRAPH: usize = 6;
/// Holds the matches of most rules that cross more, and the beginning of most calls whose arguments fill many lines.
pub(super) const NEAR: usize = 700;
/// Few rules can match more.
const FAR: usize = 4200;

impl Zone {
    /// Where the keyword of a match that touches a new part stands.
    pub(super) fn of(rule: &Rule) -> Self {
        match (rule.check(), rule.reach()) {
            // The body of a key may be longer than what the pattern says.
            (Some(Check::PrivateKey), _) => Self::Everywhere,
            // The arguments of a call may stand on a line each.
            (Some(Check::Logged), _) => Self::Paragraph,
            // A value may stand on the line below its name.
            (Some(Check::Assignment), _) => Self::Lines,
            _ if rule.line_ends() == 0 => Self::Own,
            (_, Some(reach)) if rule.line_ends() <= LINES && reach <= FAR => Self::Lines,
            (_, Some(reach)) if rule.line_ends() <= PARAGRAPH && reach <= FAR => Self::Paragraph,
            (_, Some(reach)) if reach <= NEAR => Self::Near,
            (_, Some(reach)) if reach <= FAR => Self::Far,
            _ => Self::Everywhere,
        }
    }

    /// The places of the text that the zone covers, `narrower` being those of the zone before it. They have room for a
    /// keyword of `longest` bytes.
    pub(super) fn places(self, text: &[u8], parts: Parts<'_>, narrower: &[Range<usize>], longest: usize) -> Vec<Range<usize>> {
        let within = |range: &Range<usize>, reach: usize| {
            let reach = reach + longest;
            range.start.saturating_sub(reach)..range.end.saturating_add(reach).min(text.len())
        };
        match self {
            Self::Own => own_lines(text, parts),
            Self::Lines => Parts(narrower).zones(|lines| lines_beside(text, lines, LINES, within(lines, FAR))),
            Self::Paragraph => Parts(narrower).zones(|lines| lines_beside(text, lines, PARAGRAPH - LINES, within(lines, FAR))),
            Self::Near => joined(narrower, &parts.zones(|part| within(part, NEAR))),
            Self::Far => joined(narrower, &parts.zones(|part| within(part, FAR))),
            Self::Everywhere => std::iter::once(0..text.len()).collect(),
        }
    }
}

/// The lines of the parts, with the end of the line before: each byte is looked at once, however long the lines are.
fn own_lines(text: &[u8], parts: Parts<'_>) -> Vec<Range<usize>> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    for part in parts.0 {
        let end_of_line = |at: usize| memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline + 1);
        match lines.last_mut() {
            Some(last) if part.end < last.end => {}
            Some(last) if part.start <= last.end => last.end = end_of_line(part.end),
            last => {
                let low = last.map_or(0, |last| last.end);
                let start = memchr::memrchr(b'\n', &text[low..part.start]).map_or(low, |newline| low + newline);
                lines.push(start..end_of_line(part.end));
            }
        }
    }
    lines
}

/// These lines and so many beside them, not beyond `most`.
fn lines_beside(text: &[u8], lines: &Range<usize>, beside: usize, most: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (lines.start, lines.end);
    for _ in 0..beside {
        start = memchr::memrchr(b'\n', &text[most.start..start]).map_or(most.start, |newline| most.start + newline);
        end = memchr::memchr(b'\n', &text[end..most.end]).map_or(most.end, |newline| end + newline + 1);
    }
    start..end
}

/// What either list covers; both are in order.
fn joined(a: &[Range<usize>], b: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all = [a, b].concat();
    all.sort_unstable_by_key(|range| range.start);
    Parts(&all).zones(Range::clone)
}

/// The ranges of `places` without those of `taken`; both in order, and each of `taken` lies within one of `places`.
pub(super) fn without(places: &[Range<usize>], taken: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut rest = Vec::new();
    let mut taken = taken.iter().peekable();
    for place in places {
        let mut at = place.start;
        while let Some(hole) = taken.next_if(|hole| hole.start < place.end) {
            if at < hole.start {
                rest.push(at..hole.start);
            }
            at = at.max(hole.end);
        }
        if at < place.end {
            rest.push(at..place.end);
        }
    }
    rest
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "a list of ranges may have one")]
mod tests {
    use super::*;

    #[test]
    fn places_without_the_taken_ones() {
        assert_eq!(without(&[0..10, 20..30], &[0..3, 5..6, 29..30]), [3..5, 6..10, 20..29]);
        assert_eq!(without(&[2..4, 6..8], &[2..4]), [6..8]);
    }

    #[test]
    fn zones_grow_by_lines_and_by_bytes() {
        let text = "0123456789\n".repeat(1000);
        let parts = [105..107, 109..109, 5000..5000];
        let own = Zone::Own.places(text.as_bytes(), Parts(&parts), &[], 9);
        assert_eq!(own, [98..110, 4993..5005]);
        let lines = Zone::Lines.places(text.as_bytes(), Parts(&parts), &own, 9);
        assert_eq!(lines, [76..132, 4971..5027]);
        let paragraph = Zone::Paragraph.places(text.as_bytes(), Parts(&parts), &lines, 9);
        assert_eq!(paragraph, [32..176, 4927..5071]);
        let near = Zone::Near.places(text.as_bytes(), Parts(&parts), &paragraph, 8);
        assert_eq!(near, [0..817, 4292..5708]);
    }
}
