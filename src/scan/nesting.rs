//! What stands above a place in JSON, HCL and TOML: the keys, blocks and tables around it, the nearest first.
//!
//! One pass over the text, made when the first rule asks: it knows quotes, comments and here-documents, and keeps for each
//! bracket what stands before it. It reads broken text too: a bracket without its partner ends with the text.

use std::ops::Range;

use super::language::Language;

/// A text with more brackets is data that nobody wrote; what stands behind them has nothing above it.
const MOST: usize = 1 << 20;
/// Documents that people write are not nested deeper.
const DEEPEST: usize = 64;
/// A key or the head of a block is not longer.
const LONGEST_HEAD: usize = 256;
/// A table of TOML that goes on for longer is data.
const FARTHEST: usize = 16 << 10;

/// The brackets of a text.
pub(super) struct Nesting {
    nodes: Vec<Node>,
}

struct Node {
    /// The bracket and what closes it.
    place: Range<usize>,
    /// Where its key or the head of the block begins.
    head: usize,
    parent: Option<u32>,
}

/// True for languages in which a place has keys above it that this reads.
pub(super) fn reads(language: Language) -> bool {
    matches!(language, Language::Json | Language::Terraform)
}

impl Nesting {
    pub(super) fn of(text: &[u8], language: Language) -> Self {
        let mut reader = Reader { text, at: 0, hashes: language == Language::Terraform, nodes: Vec::new() };
        reader.read();
        Self { nodes: reader.nodes }
    }

    /// The words above the place: keys, block types and labels.
    pub(super) fn above<'t>(&self, text: &'t [u8], at: usize) -> Vec<&'t [u8]> {
        let mut names = Vec::new();
        let last = self.nodes.partition_point(|node| node.place.start < at);
        let mut node = last.checked_sub(1).map(|last| last as u32);
        let mut own = true;
        for _ in 0..2 * DEEPEST {
            let Some(current) = node.and_then(|at| self.nodes.get(at as usize)) else { break };
            node = current.parent;
            if current.place.end <= at {
                continue; // it ended before
            }
            if std::mem::take(&mut own) {
                names.extend(words(own_head(text, current.place.start + 1, at)));
            }
            names.extend(words(&text[current.head..current.place.start]));
        }
        names
    }
}

/// The tables of TOML that the line at this place belongs to, and its own key.
pub(super) fn tables_above(text: &[u8], at: usize) -> Vec<&[u8]> {
    let line_start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    let mut names: Vec<_> = words(text[line_start..at].split(|&b| b == b'=').next().unwrap_or_default()).collect();
    let floor = at.saturating_sub(FARTHEST);
    let table = memchr::memmem::rfind(&text[floor..at], b"\n[")
        .map(|found| floor + found + 1)
        .or_else(|| (floor == 0 && text.starts_with(b"[")).then_some(0));
    if let Some(start) = table {
        let line = text[start..].split(|&b| b == b'\n').next().unwrap_or_default();
        names.extend(line.split(|&b| b == b'.').flat_map(words));
    }
    names
}

/// What stands before a value on its line, after the bracket or the comma before it.
fn own_head(text: &[u8], inside: usize, at: usize) -> &[u8] {
    let from = inside.max(at.saturating_sub(LONGEST_HEAD));
    let start = text[from..at].iter().rposition(|&b| b == b'\n' || b == b',').map_or(from, |found| from + found + 1);
    &text[start..at]
}

fn words(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'-' | b'.' | b'$')).filter(|word| !word.is_empty())
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Comments begin with `#` too, and here-documents occur.
    hashes: bool,
    nodes: Vec<Node>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut open: Vec<u32> = Vec::new();
        let mut head = 0;
        while self.at < self.text.len() && self.nodes.len() < MOST {
            match self.text[self.at] {
                b'"' => self.string(),
                b'/' if self.rest().starts_with(b"//") => self.comment(&mut head, Self::line),
                b'/' if self.rest().starts_with(b"/*") => self.comment(&mut head, |reader| reader.skip_to(b"*/")),
                b'#' if self.hashes => self.comment(&mut head, Self::line),
                b'<' if self.hashes && self.rest().starts_with(b"<<") => self.here_document(),
                b'{' | b'[' | b'(' => {
                    let from = head.max(self.at.saturating_sub(LONGEST_HEAD));
                    self.nodes.push(Node { place: self.at..self.text.len(), head: from, parent: open.last().copied() });
                    open.push(self.nodes.len() as u32 - 1);
                    self.at += 1;
                    head = self.at;
                }
                b'}' | b']' | b')' => {
                    self.at += 1;
                    if let Some(node) = open.pop().and_then(|at| self.nodes.get_mut(at as usize)) {
                        node.place.end = self.at;
                    }
                    head = self.at;
                }
                b',' | b'\n' if self.text[self.at] == b',' || self.hashes => {
                    self.at += 1;
                    head = self.at;
                }
                _ => self.at += 1,
            }
        }
    }

    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    /// What a comment before a key says is no key.
    fn comment(&mut self, head: &mut usize, skip: impl Fn(&mut Self)) {
        let is_before_key = self.text[(*head).max(self.at.saturating_sub(LONGEST_HEAD))..self.at].trim_ascii().is_empty();
        skip(self);
        if is_before_key {
            *head = self.at;
        }
    }

    fn line(&mut self) {
        self.at = memchr::memchr(b'\n', self.rest()).map_or(self.text.len(), |newline| self.at + newline);
    }

    fn skip_to(&mut self, end: &[u8]) {
        self.at = memchr::memmem::find(self.rest(), end).map_or(self.text.len(), |found| self.at + found + end.len());
    }

    /// To the closing quote, or to the end of the line: text in quotes stays on its line in all three.
    fn string(&mut self) {
        self.at += 1;
        while let Some(&b) = self.text.get(self.at) {
            self.at += if b == b'\\' { 2 } else { 1 };
            if b == b'"' || b == b'\n' {
                return;
            }
        }
    }

    /// `<<EOF`, `<<-EOF`: up to a line with the word alone.
    fn here_document(&mut self) {
        let rest = &self.text[self.at + 2..];
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let word = &rest[..length];
        self.at += 2;
        if word.is_empty() {
            return;
        }
        loop {
            self.line();
            if self.at >= self.text.len() {
                return;
            }
            self.at += 1;
            let line = self.rest().split(|&b| b == b'\n').next().unwrap_or_default();
            if line.trim_ascii() == word {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn above(text: &str, needle: &str, language: Language) -> String {
        let at = text.find(needle).unwrap();
        let nesting = Nesting::of(text.as_bytes(), language);
        let names: Vec<_> = nesting.above(text.as_bytes(), at).into_iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        names.join(" ")
    }

    #[test]
    fn keys_of_json_are_read_through_text_and_comments() {
        let noted = "{ // note env\n /* x */ \"a\": {\n // vars\n \"K\": \"v\" } }";
        assert_eq!(above(noted, "\"v\"", Language::Json), "K a");
        let text = r#"{ "a": { "text": "} \" {", /* { */ "env": { "KEY": "v1", "L": ["x", {"n": "v2"}] } }, "b": "v3" } // {"#;
        assert_eq!(above(text, "v1", Language::Json), "KEY env a");
        assert_eq!(above(text, "v2", Language::Json), "n L env a");
        assert_eq!(above(text, "v3", Language::Json), "b");
        assert_eq!(above("v0", "v0", Language::Json), "");
    }

    #[test]
    fn blocks_of_hcl_are_read_past_here_documents() {
        let text = "resource \"aws_lambda_function\" \"f\" {\n  x = <<-EOF\n  } {\n  EOF\n  # }\n  environment {\n    variables = {\n      K = \"v\"\n    }\n  }\n  y = 1\n}\nz = 2\n";
        assert_eq!(above(text, "\"v\"", Language::Terraform), "K variables environment resource aws_lambda_function f");
        assert_eq!(above(text, "y = ", Language::Terraform), "resource aws_lambda_function f");
        assert_eq!(above(text, "z = ", Language::Terraform), "");
    }

    #[test]
    fn tables_of_toml_are_found() {
        let text = "a = 1\n[mcp_servers.github.env]\nTOKEN = \"v\"\n";
        let names = tables_above(text.as_bytes(), text.find("\"v\"").unwrap());
        assert_eq!(names, [&b"TOKEN"[..], b"mcp_servers", b"github", b"env"]);
    }

    #[test]
    fn hostile_text_ends() {
        for text in
            ["{".repeat(3000), "\"\\".to_owned(), "<<".repeat(50), "<<E\n".repeat(50), "[{(".repeat(200) + &"}])".repeat(400), "/*".to_owned()]
        {
            for language in [Language::Json, Language::Terraform] {
                let nesting = Nesting::of(text.as_bytes(), language);
                for at in 0..text.len() {
                    nesting.above(text.as_bytes(), at);
                }
            }
        }
    }
}
