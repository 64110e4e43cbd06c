//! Where in a YAML text does a line stand? The keys above it, read from the indentation, and the mapping it belongs to.
//!
//! It reads lines, not YAML: anchors, flow collections and folded keys are beyond it. That is enough for workflows,
//! manifests and compose files as people write them, and no line is looked at more than once for all questions.

use std::ops::Range;

/// The keys above places that are asked for from the first to the last: each line is read once.
#[derive(Default)]
pub(super) struct Above {
    /// Where the first line begins that was not read.
    at: usize,
    /// The lines that something further down may stand under: each is indented deeper than the one before it.
    open: Vec<Open>,
    /// The line that was asked for last, and what it says: a long one may be asked for again and again.
    own: (Range<usize>, Option<Own>),
}

/// What a line says.
struct Own {
    depth: usize,
    key: Option<Range<usize>>,
}

struct Open {
    depth: usize,
    /// What stands above this line is indented less than this.
    next: usize,
    key: Option<Range<usize>>,
}

impl Above {
    /// The keys that this place stands under, the nearest first.
    pub(super) fn keys<'t>(&mut self, text: &'t [u8], at: usize) -> Vec<&'t [u8]> {
        if !self.own.0.contains(&at) {
            let line_start = start_of_line(text, at);
            self.read_to(text, line_start);
            let own = |entry: Entry<'_>| Own { depth: entry.depth, key: entry.key.map(|key| place(text, key)) };
            self.own = (line_start..line_end(text, line_start), entry(line(text, line_start)).map(own));
        }
        let mut keys = Vec::new();
        let (_, Some(own)) = &self.own else { return keys };
        // What stands behind a key on its own line stands under it too.
        keys.extend(own.key.clone().filter(|key| key.end < at).map(|key| &text[key]));
        let mut depth = own.depth;
        let mut open = self.open.as_slice();
        while let Some((line, shallower)) = open[..open.partition_point(|line| line.depth < depth)].split_last() {
            keys.extend(line.key.clone().map(|key| &text[key]));
            depth = line.next;
            open = shallower;
        }
        keys
    }

    fn read_to(&mut self, text: &[u8], line_start: usize) {
        if line_start < self.at {
            *self = Self::default();
        }
        while self.at < line_start {
            let end = line_end(text, self.at);
            if let Some(entry) = entry(line(text, self.at)) {
                self.open.truncate(self.open.partition_point(|line| line.depth < entry.depth));
                let key = entry.key.map(|key| place(text, key));
                self.open.push(Open { depth: entry.depth, next: entry.dash.unwrap_or(entry.depth), key });
            }
            self.at = end;
        }
    }
}

/// Where a part of the text stands in it.
fn place(text: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}

/// The mappings of a stretch of text, found in one pass over its lines.
pub(super) struct Mappings {
    /// For each line its beginning, and the mapping that it belongs to.
    lines: Vec<(usize, Range<usize>)>,
}

/// Deeper than any line.
const NEVER: usize = usize::MAX;

impl Mappings {
    /// Of the part `window` of the text: beyond it nothing is looked at.
    pub(super) fn of(text: &[u8], window: Range<usize>) -> Self {
        let mut starts = vec![window.start];
        starts.extend(memchr::memchr_iter(b'\n', &text[window.clone()]).map(|at| window.start + at + 1));
        starts.retain(|&start| start < window.end);
        let entries: Vec<_> = starts.iter().map(|&start| entry(line(&text[..window.end], start))).collect();
        let ends = ends(&entries);
        // A mapping goes up to the item that begins it, or to the line below a shallower one.
        let (mut begins, mut keys) = (Rising::default(), Rising::default());
        let mut lines = Vec::with_capacity(starts.len());
        let mut first_line = Vec::with_capacity(starts.len());
        for (at, now) in entries.iter().enumerate() {
            let item = now.as_ref().filter(|entry| entry.dash.is_some()).map_or(NEVER, |entry| entry.depth);
            let below = at.checked_sub(1).and_then(|above| entries[above].as_ref()).map_or(NEVER, |above| above.depth + 1);
            begins.push(at, if at == 0 { 0 } else { item.min(below) });
            if let Some(entry) = now.as_ref().filter(|entry| entry.key.is_some()) {
                keys.push(at, entry.depth);
            }
            // A bare item of a list belongs to the mapping that the list is a value of.
            let dash = now.as_ref().filter(|entry| entry.key.is_none()).and_then(|entry| entry.dash);
            let owner = dash.map_or(at, |dash| keys.last(dash).unwrap_or(0));
            let depth = entries[owner].as_ref().map_or(0, |entry| entry.depth);
            first_line.push(if owner == at { begins.last(depth).unwrap_or(0) } else { first_line.get(owner).copied().unwrap_or(0) });
            let end = ends.after(at, depth).map_or(window.end, |line| starts[line]);
            lines.push((starts[at], starts[first_line[at]]..end));
        }
        Self { lines }
    }

    /// The mapping that the line at this place belongs to: the lines around it that are no shallower, from the list item
    /// that begins it.
    pub(super) fn around(&self, at: usize) -> Range<usize> {
        let line = self.lines.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.lines.get(line).map_or(at..at, |(_, mapping)| mapping.clone())
    }
}

/// Lines with a value each, kept as far as a later question can lead to them: the values rise.
#[derive(Default)]
struct Rising {
    kept: Vec<(usize, usize)>,
}

impl Rising {
    fn push(&mut self, line: usize, value: usize) {
        self.kept.truncate(self.kept.partition_point(|&(_, kept)| kept < value));
        self.kept.push((line, value));
    }

    /// The last line whose value is at most `most`.
    fn last(&self, most: usize) -> Option<usize> {
        self.kept[..self.kept.partition_point(|&(_, kept)| kept <= most)].last().map(|&(line, _)| line)
    }
}

/// For each line the next one that is shallower, as links from line to line.
struct Ends {
    depths: Vec<usize>,
    shallower: Vec<usize>,
}

fn ends(entries: &[Option<Entry<'_>>]) -> Ends {
    let depths: Vec<usize> = entries.iter().map(|entry| entry.as_ref().map_or(NEVER, |entry| entry.dash.unwrap_or(entry.depth))).collect();
    let mut shallower = vec![depths.len(); depths.len()];
    for at in (0..depths.len()).rev() {
        let mut next = at + 1;
        while next < depths.len() && depths[next] >= depths[at] {
            next = shallower[next];
        }
        shallower[at] = next;
    }
    Ends { depths, shallower }
}

impl Ends {
    /// The first line after `at` that is less than `depth` deep.
    fn after(&self, at: usize, depth: usize) -> Option<usize> {
        let mut next = at + 1;
        while next < self.depths.len() && self.depths[next] >= depth {
            next = self.shallower[next];
        }
        (next < self.depths.len()).then_some(next)
    }
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
        let keys: Vec<String> =
            Above::default().keys(WORKFLOW.as_bytes(), at).into_iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect();
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
    fn keys_are_the_same_whether_asked_for_one_place_or_for_all() {
        let mut above = Above::default();
        for (at, _) in WORKFLOW.match_indices('\n') {
            let alone = Above::default().keys(WORKFLOW.as_bytes(), at);
            assert_eq!(above.keys(WORKFLOW.as_bytes(), at), alone, "{at}");
        }
    }

    #[test]
    fn a_mapping_ends_where_it_ends() {
        let mapping = |text: &str, at| Mappings::of(text.as_bytes(), 0..text.len()).around(at);
        let at = WORKFLOW.find("name: x").unwrap();
        let item = &WORKFLOW[mapping(WORKFLOW, at)];
        assert!(item.starts_with("      - name: x") && item.ends_with("more\n"), "{item}");
        let policy = "Statement:\n  - Effect: Allow\n    Action:\n      - a:b\n      - c:d\n    Resource: x\n  - Effect: Deny\n";
        let at = policy.find("c:d").unwrap();
        assert_eq!(&policy[mapping(policy, at)], "  - Effect: Allow\n    Action:\n      - a:b\n      - c:d\n    Resource: x\n");
        let at = WORKFLOW.find("run: |").unwrap();
        assert!(WORKFLOW[mapping(WORKFLOW, at)].starts_with("      - name: x"));
    }
}
