//! How far around a match does a rule look? The whole file, the document or block that holds it, or the innermost braces.

use std::ops::Range;

use super::language::Language;
use super::yaml;
use crate::rules::Scope;

/// No policy statement and no call is longer.
const FARTHEST: usize = 16 << 10;

/// The bytes that a rule's `context` is looked for in, for a match at this place.
pub(super) fn around(text: &[u8], matched: &Range<usize>, language: Language, scope: Scope) -> Range<usize> {
    // A match may begin with the bracket that it stands in.
    let opens = matches!(text.get(matched.start), Some(b'(' | b'[' | b'{'));
    let inside = matched.start + usize::from(opens);
    match scope {
        Scope::File => 0..text.len(),
        Scope::Line => lines(text, matched),
        Scope::Document => match language {
            Language::Yaml => yaml::document(text, matched.start),
            Language::Terraform => terraform_block(text, matched.start),
            _ => 0..text.len(),
        },
        Scope::Block if language == Language::Yaml => braces(text, inside).unwrap_or_else(|| yaml::mapping(text, matched.start)),
        Scope::Block => braces(text, inside).unwrap_or_else(|| lines(text, matched)),
    }
}

/// The lines of the match, with those that a backslash joins to them.
fn lines(text: &[u8], matched: &Range<usize>) -> Range<usize> {
    let mut start = start_of_line(text, matched.start);
    while start > 0 && matched.start - start < FARTHEST && continues(&text[..start - 1]) {
        start = start_of_line(text, start - 1);
    }
    let mut end = end_of_line(text, matched.end);
    while end < text.len() && end - matched.end < FARTHEST && continues(&text[..end]) {
        end = end_of_line(text, end + 1);
    }
    start..end
}

fn continues(line: &[u8]) -> bool {
    line.trim_ascii_end().ends_with(b"\\")
}

fn start_of_line(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1)
}

fn end_of_line(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline)
}

/// What begins a block at the top of an HCL file.
const BLOCKS: [&[u8]; 8] = [b"resource", b"data", b"provider", b"variable", b"module", b"output", b"locals", b"terraform"];

/// From the line that begins the block to the line that begins the next: braces in here-documents do not matter to it.
fn terraform_block(text: &[u8], at: usize) -> Range<usize> {
    let begins = |start: usize| {
        let line = text[start..].trim_ascii_start();
        let label = |rest: &[u8]| {
            rest.trim_ascii_start().first().is_some_and(|&b| rest.starts_with(b" ") && b.is_ascii_alphabetic() || matches!(b, b'"' | b'{'))
        };
        BLOCKS.iter().any(|word| line.strip_prefix(*word).is_some_and(label))
    };
    let mut start = start_of_line(text, at);
    while start > 0 && at - start < FARTHEST && !begins(start) {
        start = start_of_line(text, start - 1);
    }
    let next =
        memchr::memchr_iter(b'\n', &text[at..]).map(|newline| at + newline + 1).take_while(|next| next - at < FARTHEST).find(|&next| begins(next));
    start..next.unwrap_or(text.len().min(at + FARTHEST))
}

/// The innermost braces or parentheses around the place, with what stands before them on their line; square brackets are lists and do not count. Braces in text are
/// taken for braces: they come in pairs there too.
fn braces(text: &[u8], at: usize) -> Option<Range<usize>> {
    let mut depth = 0usize;
    let floor = at.saturating_sub(FARTHEST);
    let start = (floor..at).rev().find(|&place| match text[place] {
        b'}' | b')' => {
            depth += 1;
            false
        }
        b'{' | b'(' if depth == 0 => true,
        b'{' | b'(' => {
            depth -= 1;
            false
        }
        _ => false,
    })?;
    let mut depth = 0usize;
    let ceiling = text.len().min(at + FARTHEST);
    let end = (at..ceiling).find(|&place| match text[place] {
        b'{' | b'(' => {
            depth += 1;
            false
        }
        b'}' | b')' if depth == 0 => true,
        b'}' | b')' => {
            depth -= 1;
            false
        }
        _ => false,
    });
    Some(start_of_line(text, start)..end.map_or(ceiling, |end| end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope<'a>(text: &'a str, needle: &str, language: Language, scope: Scope) -> &'a str {
        let at = text.find(needle).unwrap();
        &text[around(text.as_bytes(), &(at..at + needle.len()), language, scope)]
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
}
