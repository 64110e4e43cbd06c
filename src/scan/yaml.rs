//! Where in a YAML text does a line stand? The keys above it, read from the indentation, and its document.
//!
//! It reads lines, not YAML: anchors, flow collections and folded keys are beyond it. That is enough for workflows,
//! manifests and compose files as people write them, and it never takes more than one look at a line.

use std::ops::Range;

/// No script of a step and no list is longer; what lies farther is not looked at.
const FARTHEST: usize = 16 << 10;
/// A document that goes on for longer is data.
const LONGEST_DOCUMENT: usize = 64 << 10;

/// The document that holds the place: between two lines of `---`.
pub(super) fn document(text: &[u8], at: usize) -> Range<usize> {
    let floor = at.saturating_sub(LONGEST_DOCUMENT);
    let ceiling = text.len().min(at + LONGEST_DOCUMENT);
    let start = memchr::memmem::rfind(&text[floor..at], b"\n---").map_or(floor, |found| floor + found + 1);
    let end = memchr::memmem::find(&text[at..ceiling], b"\n---").map_or(ceiling, |found| at + found + 1);
    start..end
}

/// The keys that this place stands under, the nearest first.
pub(super) fn keys_above(text: &[u8], at: usize) -> Vec<&[u8]> {
    let mut keys = Vec::new();
    let line_start = start_of_line(text, at);
    let own = line(text, line_start);
    let mut depth = depth_of(own);
    // What stands behind a key on its own line stands under it too.
    keys.extend(entry(own).and_then(|entry| entry.key).filter(|key| key.as_ptr() as usize - own.as_ptr() as usize + key.len() < at - line_start));
    let first = document(text, at).start.max(at.saturating_sub(FARTHEST));
    let mut start = line_start;
    while start > first && depth > 0 {
        start = start_of_line(text, start - 1);
        let line = line(text, start);
        let Some(entry) = entry(line) else { continue };
        if entry.depth < depth {
            keys.extend(entry.key);
            depth = entry.dash.unwrap_or(entry.depth);
        }
    }
    keys
}

/// The mapping that the line at this place belongs to: the lines around it that are no shallower, from the list item that
/// begins it.
pub(super) fn mapping(text: &[u8], at: usize) -> Range<usize> {
    let floor = at.saturating_sub(FARTHEST);
    let mut line_start = start_of_line(text, at);
    // A bare item of a list belongs to the mapping that the list is a value of.
    let item = entry(line(text, line_start)).filter(|entry| entry.key.is_none()).and_then(|entry| entry.dash);
    while let Some(dash) = item {
        if line_start <= floor || entry(line(text, line_start)).is_some_and(|entry| entry.key.is_some() && entry.depth <= dash) {
            break;
        }
        line_start = start_of_line(text, line_start - 1);
    }
    let depth = entry(line(text, line_start)).map_or(0, |entry| entry.depth);
    let mut start = line_start;
    while start > floor && entry(line(text, start)).is_none_or(|entry| entry.dash.is_none() || entry.depth > depth) {
        let before = start_of_line(text, start - 1);
        if entry(line(text, before)).is_some_and(|entry| entry.depth < depth) {
            break;
        }
        start = before;
    }
    let mut end = line_end(text, at);
    while end < text.len() && end < at + FARTHEST {
        let next = line(text, end);
        if entry(next).is_some_and(|entry| entry.dash.unwrap_or(entry.depth) < depth) {
            break;
        }
        end = line_end(text, end);
    }
    start..end
}

struct Entry<'a> {
    /// Column of the key, or of the first word.
    depth: usize,
    /// Column of the first dash, where the line begins a list item.
    dash: Option<usize>,
    key: Option<&'a [u8]>,
}

/// What a line says of its place; `None` for blank lines and comments.
fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let mut depth = line.iter().position(|&b| b != b' ')?;
    let mut dash = None;
    while line[depth..].starts_with(b"- ") {
        dash = dash.or(Some(depth));
        depth += 2 + line[depth + 2..].iter().take_while(|&&b| b == b' ').count();
    }
    let rest = line.get(depth..)?;
    if rest.is_empty() || rest.starts_with(b"#") || rest.starts_with(b"\r") {
        return None;
    }
    let key = memchr::memchr(b':', rest).filter(|&colon| rest.get(colon + 1).is_none_or(|b| b.is_ascii_whitespace()));
    let key = key.map(|colon| rest[..colon].trim_ascii()).map(|key| key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")).unwrap_or(key));
    Some(Entry { depth, dash, key })
}

fn depth_of(line: &[u8]) -> usize {
    entry(line).map_or(0, |entry| entry.depth)
}

fn start_of_line(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1)
}

fn line_end(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline + 1)
}

fn line(text: &[u8], start: usize) -> &[u8] {
    let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |newline| start + newline);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKFLOW: &str = "\
on: push
jobs:
  build:
    # a comment
    steps:
      - name: x
        env:
          TOKEN: a

        run: |
          echo hello
            more
      - run: b
---
kind: Secret
data:
  a: b
";

    fn keys(needle: &str) -> String {
        let at = WORKFLOW.find(needle).unwrap();
        let keys: Vec<String> = keys_above(WORKFLOW.as_bytes(), at).into_iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect();
        keys.join(" ")
    }

    #[test]
    fn the_keys_above_a_line_are_read_from_its_indentation() {
        assert_eq!(keys("TOKEN: a"), "env steps build jobs");
        assert_eq!(keys("echo hello"), "run steps build jobs");
        assert_eq!(keys("more"), "run steps build jobs");
        assert_eq!(keys("on: push"), "");
        assert_eq!(keys("b\n---"), "run steps build jobs");
        assert_eq!(keys("a: b"), "data");
    }

    #[test]
    fn a_document_and_a_mapping_end_where_they_end() {
        let at = WORKFLOW.find("a: b").unwrap();
        assert!(WORKFLOW[document(WORKFLOW.as_bytes(), at)].starts_with("---\nkind: Secret"));
        let at = WORKFLOW.find("name: x").unwrap();
        let item = &WORKFLOW[mapping(WORKFLOW.as_bytes(), at)];
        assert!(item.starts_with("      - name: x") && item.ends_with("more\n"), "{item}");
        let policy = "Statement:\n  - Effect: Allow\n    Action:\n      - a:b\n      - c:d\n    Resource: x\n  - Effect: Deny\n";
        let at = policy.find("c:d").unwrap();
        assert_eq!(&policy[mapping(policy.as_bytes(), at)], "  - Effect: Allow\n    Action:\n      - a:b\n      - c:d\n    Resource: x\n");
        let at = WORKFLOW.find("run: |").unwrap();
        assert!(WORKFLOW[mapping(WORKFLOW.as_bytes(), at)].starts_with("      - name: x"));
    }
}
