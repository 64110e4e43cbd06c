//! How far around a match does a rule look? The whole file, the document or joined lines that hold it, or the innermost
//! braces or mapping. Matches are asked about from the first to the last, and what was found for one is kept for the next:
//! a text full of matches is read a few times, not once for each.

use std::collections::HashMap;
use std::ops::Range;

use super::brackets::Brackets;
use super::confirm::Stop;
use super::language::Language;
use super::yaml::{Above, Mappings};
use crate::rules::Scope;

/// No policy statement and no call is longer: a block is looked for in the stretch of so many bytes that holds the match,
/// and in the ones before and behind it.
const FARTHEST: usize = 16 << 10;

/// Blocks of one stretch are looked at until they add up to so many times its length. Nothing that people write nests so
/// much; what does is hostile, and then the whole stretch is looked at, once.
const LOOKS: usize = 8;

/// What a rule's `context` is looked for in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sight {
    /// The bytes.
    pub(super) range: Range<usize>,
    /// True where blocks nest so much that this is their whole neighbourhood instead: what stands in it may speak for a
    /// finding, but not against one.
    pub(super) crowded: bool,
}

/// What was found out for the matches of one rule so far.
#[derive(Default)]
pub(super) struct Surroundings {
    /// The document, or the joined lines, found last.
    part: Option<Range<usize>>,
    near: Option<Near>,
    above: Above,
    /// Whether the conditions hold there. Answers about what lies behind are forgotten.
    pub(super) answers: HashMap<Sight, Option<Stop>>,
}

/// A stretch of text in which blocks are looked for.
struct Near {
    window: Range<usize>,
    brackets: Brackets,
    mappings: Option<Mappings>,
    /// The line found last.
    line: Range<usize>,
    /// Bytes of all blocks that were looked at.
    spent: usize,
}

impl Surroundings {
    /// The bytes that a rule's `context` is looked for in, for a match at this place.
    pub(super) fn around(&mut self, text: &[u8], matched: &Range<usize>, language: Language, scope: Scope) -> Sight {
        let range = match (scope, language) {
            (Scope::File, _) => 0..text.len(),
            (Scope::Line, _) => self.part(text, matched, joined_lines),
            (Scope::Document, Language::Yaml) => self.part(text, &(matched.start..matched.start), yaml_document),
            (Scope::Document, Language::Terraform) => self.part(text, &(matched.start..matched.start), terraform_block),
            (Scope::Document, _) => 0..text.len(),
            (Scope::Block, _) => return self.block(text, matched, language),
        };
        Sight { range, crowded: false }
    }

    /// The keys that this place of a YAML text stands under, the nearest first.
    pub(super) fn keys_above<'t>(&mut self, text: &'t [u8], at: usize) -> Vec<&'t [u8]> {
        self.above.keys(text, at)
    }

    /// The part of the text that holds the match, where texts fall into such parts.
    fn part(&mut self, text: &[u8], matched: &Range<usize>, find: fn(&[u8], &Range<usize>) -> Range<usize>) -> Range<usize> {
        match &self.part {
            Some(part) if part.start <= matched.start && matched.start < part.end && matched.end <= part.end => part.clone(),
            _ => {
                let part = find(text, matched);
                self.answers.retain(|sight, _| sight.range == part);
                self.part = Some(part.clone());
                part
            }
        }
    }

    fn block(&mut self, text: &[u8], matched: &Range<usize>, language: Language) -> Sight {
        // A match may begin with the bracket that it stands in.
        let opens = matches!(text.get(matched.start), Some(b'(' | b'[' | b'{'));
        let inside = matched.start + usize::from(opens);
        let window = window_of(text, inside);
        let near = match &mut self.near {
            Some(near) if near.window == window => near,
            near => {
                self.answers.clear();
                near.insert(Near { brackets: Brackets::of(text, window.clone()), window, mappings: None, line: 0..0, spent: 0 })
            }
        };
        let range = near.brackets.around(inside).unwrap_or_else(|| match language {
            Language::Yaml => near.mappings.get_or_insert_with(|| Mappings::of(text, near.window.clone())).around(matched.start),
            _ => {
                if matched.start < near.line.start || matched.end > near.line.end {
                    near.line = line_in(text, &near.window, matched);
                }
                near.line.clone()
            }
        });
        let sight = Sight { range, crowded: false };
        if !self.answers.contains_key(&sight) {
            near.spent += sight.range.len();
        }
        if near.spent <= near.window.len() * LOOKS { sight } else { Sight { range: near.window.clone(), crowded: true } }
    }
}

/// The stretch that holds the place, with its neighbours.
fn window_of(text: &[u8], at: usize) -> Range<usize> {
    let stretch = at / FARTHEST;
    stretch.saturating_sub(1) * FARTHEST..text.len().min((stretch + 2) * FARTHEST)
}

fn line_in(text: &[u8], window: &Range<usize>, matched: &Range<usize>) -> Range<usize> {
    let end = matched.end.clamp(matched.start, window.end);
    let before = memchr::memrchr(b'\n', &text[window.start..matched.start]).map_or(window.start, |newline| window.start + newline + 1);
    before..memchr::memchr(b'\n', &text[end..window.end]).map_or(window.end, |newline| end + newline)
}

/// The lines of the match, with those that a backslash joins to them.
fn joined_lines(text: &[u8], matched: &Range<usize>) -> Range<usize> {
    let mut start = start_of_line(text, matched.start);
    while start > 0 && continues(&text[..start - 1]) {
        start = start_of_line(text, start - 1);
    }
    let mut end = end_of_line(text, matched.end);
    while end < text.len() && continues(&text[..end]) {
        end = end_of_line(text, end + 1);
    }
    start..end
}

/// Blank lines, which a shell skips, are few here; more end the statement for us.
fn continues(before: &[u8]) -> bool {
    const BLANKS: usize = 64;
    before.iter().rev().take(BLANKS).find(|b| !b.is_ascii_whitespace()) == Some(&b'\\')
}

fn start_of_line(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1)
}

fn end_of_line(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline)
}

/// Between two lines of `---`.
fn yaml_document(text: &[u8], matched: &Range<usize>) -> Range<usize> {
    let at = matched.start;
    let start = memchr::memmem::rfind(&text[..at], b"\n---").map_or(0, |found| found + 1);
    let end = memchr::memmem::find(&text[at..], b"\n---").map_or(text.len(), |found| at + found + 1);
    start..end
}

/// What begins a block at the top of an HCL file.
const BLOCKS: [&[u8]; 8] = [b"resource", b"data", b"provider", b"variable", b"module", b"output", b"locals", b"terraform"];

/// From the line that begins the block to the line that begins the next: braces in here-documents do not matter to it.
fn terraform_block(text: &[u8], matched: &Range<usize>) -> Range<usize> {
    let at = matched.start;
    let mut start = start_of_line(text, at);
    while start > 0 && !begins_block(text, start) {
        start = start_of_line(text, start - 1);
    }
    let next = memchr::memchr_iter(b'\n', &text[at..]).map(|newline| at + newline + 1).find(|&next| begins_block(text, next));
    start..next.unwrap_or(text.len())
}

fn begins_block(text: &[u8], line_start: usize) -> bool {
    /// Nobody indents what stands at the top by more.
    const INDENT: usize = 16;
    let indent = text[line_start..].iter().take(INDENT).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let line = &text[line_start + indent..];
    let label = |rest: &[u8]| {
        let gap = rest.iter().take(INDENT).take_while(|&&b| b == b' ').count();
        rest.get(gap).is_some_and(|&b| gap > 0 && b.is_ascii_alphabetic() || matches!(b, b'"' | b'{'))
    };
    BLOCKS.iter().any(|word| line.strip_prefix(*word).is_some_and(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope<'a>(text: &'a str, needle: &str, language: Language, scope: Scope) -> &'a str {
        let at = text.find(needle).unwrap();
        &text[Surroundings::default().around(text.as_bytes(), &(at..at + needle.len()), language, scope).range]
    }

    #[test]
    fn a_block_is_the_innermost_braces() {
        let text = "a {\n b { x = [\"*\"]\n c { } y = 1 }\n d {}\n}";
        assert_eq!(scope(text, "x =", Language::Terraform, Scope::Block), " b { x = [\"*\"]\n c { } y = 1 }");
        assert_eq!(scope("f(a=[1], b=2)", "b=", Language::Python, Scope::Block), "f(a=[1], b=2)");
    }

    #[test]
    fn a_backslash_joins_lines() {
        let text = "a\nENV A=1 \\\n  B=2 \\\n  C=3\nD=4\n";
        assert_eq!(scope(text, "B=2", Language::Dockerfile, Scope::Line), "ENV A=1 \\\n  B=2 \\\n  C=3");
        assert_eq!(scope(text, "D=4", Language::Dockerfile, Scope::Line), "D=4");
    }

    #[test]
    fn a_terraform_document_is_a_block_at_the_top() {
        let text = "resource \"a\" \"b\" {\n  x = <<E\n}\nE\n  y = 1\n}\n\ndata \"c\" \"d\" {\n  z = 1\n}\n";
        assert!(scope(text, "y =", Language::Terraform, Scope::Document).starts_with("resource"));
        assert!(!scope(text, "y =", Language::Terraform, Scope::Document).contains("data"));
        assert!(scope(text, "z =", Language::Terraform, Scope::Document).starts_with("data"));
    }

    #[test]
    fn a_yaml_document_stands_between_its_marks() {
        let text = "a: 1\n---\nb: 2\nc: 3\n---\nd: 4\n";
        assert_eq!(scope(text, "c:", Language::Yaml, Scope::Document), "---\nb: 2\nc: 3\n");
        assert_eq!(scope(text, "a:", Language::Yaml, Scope::Document), "a: 1\n");
        assert_eq!(scope(text, "d:", Language::Yaml, Scope::Document), "---\nd: 4\n");
    }

    /// For every match of a text of many the answer is that of one asked for alone.
    #[test]
    fn what_was_found_before_changes_no_answer() {
        let inner = "x = [\"*\"] { y(1, \"*\") } \\\n- z: \"*\"\n---\n";
        let text = format!("resource \"a\" {{\n{}}}\n", inner.repeat(900)).repeat(2);
        for language in [Language::Terraform, Language::Yaml, Language::Python] {
            for scope in [Scope::File, Scope::Line, Scope::Document, Scope::Block] {
                let mut all = Surroundings::default();
                for (at, found) in text.match_indices("\"*\"").step_by(7) {
                    let matched = at..at + found.len();
                    let together = all.around(text.as_bytes(), &matched, language, scope);
                    let alone = Surroundings::default().around(text.as_bytes(), &matched, language, scope);
                    assert_eq!(together, alone, "{language:?} {scope:?} {at}");
                    all.answers.insert(together, None);
                }
            }
        }
    }

    #[test]
    fn where_blocks_nest_without_end_the_neighbourhood_is_looked_at_whole() {
        let text = "{x".repeat(20_000);
        let mut surroundings = Surroundings::default();
        let mut looked_at = 0;
        let mut answered = std::collections::HashSet::new();
        for at in (1..text.len()).step_by(2) {
            let sight = surroundings.around(text.as_bytes(), &(at..at + 1), Language::JavaScript, Scope::Block);
            if answered.insert(sight.clone()) {
                looked_at += sight.range.len();
                surroundings.answers.insert(sight, None);
            }
        }
        assert!(looked_at < text.len() * 3 * (LOOKS + 3), "{looked_at}");
    }
}
