//! Which parts of a text can hold something new? Everything else stood in the version before and was judged there.

use std::ops::Range;

/// Parts of a text, in order and apart from each other. An empty one is a seam, at which what was apart meets.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a>(pub(super) &'a [Range<usize>]);

impl Parts<'_> {
    /// True when the range meets one of the parts, if only at its edge.
    pub(super) fn touch(self, range: &Range<usize>) -> bool {
        let first = self.0.partition_point(|part| part.end < range.start);
        self.0.get(first).is_some_and(|part| part.start <= range.end)
    }

    /// What `around` makes of each part, in order, with those that meet made one.
    pub(super) fn zones(self, around: impl Fn(&Range<usize>) -> Range<usize>) -> Vec<Range<usize>> {
        let mut zones: Vec<Range<usize>> = Vec::with_capacity(self.0.len());
        for part in self.0 {
            let zone = around(part);
            match zones.last_mut() {
                Some(last) if last.end >= zone.start => *last = last.start.min(zone.start)..last.end.max(zone.end),
                _ => zones.push(zone),
            }
        }
        zones
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_touches_a_part_at_its_edge() {
        let parts = [2..4, 9..9, 12..20];
        let touched: Vec<_> = [0..1, 0..2, 4..6, 5..8, 5..9, 9..10, 10..11, 21..22].into_iter().filter(|range| Parts(&parts).touch(range)).collect();
        assert_eq!(touched, [0..2, 4..6, 5..9, 9..10]);
    }

    #[test]
    fn zones_that_meet_are_one() {
        let parts = [2..4, 9..9, 30..31];
        assert_eq!(Parts(&parts).zones(|part| part.start.saturating_sub(3)..part.end + 3), [0..12, 27..34]);
    }
}
