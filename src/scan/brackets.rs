//! Which braces or parentheses does a place stand in? All those of a stretch of text, found in one pass. Square brackets are
//! lists and do not count. Braces in text are taken for braces: they come in pairs there too.

use std::ops::Range;

/// What stands before a bracket on its line and names it (`resource "a" "b" {`, `x = call(`) is shorter.
const LONGEST_HEAD: usize = 256;

/// The brackets of a stretch of text.
pub(super) struct Brackets {
    /// All brackets, by place.
    brackets: Vec<Bracket>,
}

struct Bracket {
    at: usize,
    /// Index of the innermost bracket that is open behind this one.
    open: Option<usize>,
    /// For an opening one: its block, with what stands before it on its line.
    block: Range<usize>,
}

impl Brackets {
    /// Of the part `window` of the text: what is still open at its end, ends there.
    pub(super) fn of(text: &[u8], window: Range<usize>) -> Self {
        let mut brackets: Vec<Bracket> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut line_start = window.start;
        for at in window.clone() {
            match text[at] {
                b'\n' => line_start = at + 1,
                b'{' | b'(' => {
                    open.push(brackets.len());
                    let start = line_start.max(at.saturating_sub(LONGEST_HEAD));
                    brackets.push(Bracket { at, open: open.last().copied(), block: start..window.end });
                }
                b'}' | b')' => {
                    if let Some(closed) = open.pop().and_then(|opening| brackets.get_mut(opening)) {
                        closed.block.end = at + 1;
                    }
                    brackets.push(Bracket { at, open: open.last().copied(), block: at..at });
                }
                _ => {}
            }
        }
        Self { brackets }
    }

    /// The innermost block that holds the place.
    pub(super) fn around(&self, at: usize) -> Option<Range<usize>> {
        let before = self.brackets.partition_point(|bracket| bracket.at < at).checked_sub(1)?;
        let opening = self.brackets.get(self.brackets.get(before)?.open?)?;
        Some(opening.block.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(text: &str, needle: &str) -> Option<String> {
        let found = Brackets::of(text.as_bytes(), 0..text.len()).around(text.find(needle).unwrap())?;
        Some(text[found].to_owned())
    }

    #[test]
    fn the_innermost_brackets_that_are_still_open_count() {
        let text = "a (1) {\n b ( 2, {3} ) c }\n) d ( { e";
        assert_eq!(around(text, "1").as_deref(), Some("a (1)"));
        assert_eq!(around(text, "2").as_deref(), Some(" b ( 2, {3} )"));
        assert_eq!(around(text, "3").as_deref(), Some(" b ( 2, {3}"));
        assert_eq!(around(text, "c }").as_deref(), Some("a (1) {\n b ( 2, {3} ) c }"));
        assert_eq!(around(text, "d ("), None);
        assert_eq!(around(text, "e").as_deref(), Some(") d ( { e"));
    }
}
