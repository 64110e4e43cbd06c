//! Is this line a value of a Kubernetes Secret? A regex sees the line; kind and section stand in lines around it.

use std::ops::Range;

use super::{decode, plausible};

/// Names of members that hold no credential, whole or as the last part.
const HARMLESS: [&str; 22] = [
    "user",
    "username",
    "host",
    "hostname",
    "port",
    "url",
    "uri",
    "endpoint",
    "name",
    "namespace",
    "database",
    "db",
    "dbname",
    "region",
    "email",
    "ca.crt",
    "tls.crt",
    "crt",
    "cert",
    "pub",
    "type",
    "id",
];

/// What was found out about a text on the way to a line, for the lines behind it.
#[derive(Default)]
pub(super) struct Manifest {
    /// Where the first line begins that was not read.
    at: usize,
    /// The lines that something further down may stand under, each with its indentation, which rises.
    open: Vec<(usize, Section)>,
    /// The document found last, and whether it is a Secret.
    document: Option<(Range<usize>, bool)>,
}

#[derive(Clone, Copy)]
enum Section {
    Data,
    StringData,
    Other,
}

impl Manifest {
    /// True when the value belongs to a Secret and could be a credential. `line` is the whole line, without what precedes it.
    pub(super) fn is_secret_value(&mut self, text: &[u8], line: Range<usize>, value: Range<usize>) -> bool {
        let section = self.section(text, line.start);
        if matches!(section, Section::Other) || is_harmless(name(&text[line.start..value.start])) || !self.is_secret(text, line.start) {
            return false;
        }
        let value = &text[value];
        match section {
            Section::Data => decode::base64(value).is_some_and(|decoded| could_be_credential(&decoded)),
            Section::StringData | Section::Other => could_be_credential(value),
        }
    }

    /// The member of the document that the line stands under: the nearest line above with less indentation.
    fn section(&mut self, text: &[u8], line_start: usize) -> Section {
        if line_start < self.at {
            *self = Self::default();
        }
        while self.at < line_start {
            let end = memchr::memchr(b'\n', &text[self.at..]).map_or(text.len(), |newline| self.at + newline);
            let line = &text[self.at..end];
            self.at = end + 1;
            if !line.trim_ascii().is_empty() {
                let depth = indent(line);
                self.open.truncate(self.open.partition_point(|&(outer, _)| outer < depth));
                let section = match line.trim_ascii() {
                    b"data:" => Section::Data,
                    b"stringData:" => Section::StringData,
                    _ => Section::Other,
                };
                self.open.push((depth, section));
            }
        }
        let inner = indent(&text[line_start..]);
        self.open[..self.open.partition_point(|&(outer, _)| outer < inner)].last().map_or(Section::Other, |&(_, section)| section)
    }

    /// Is the YAML document around the place a Secret?
    fn is_secret(&mut self, text: &[u8], at: usize) -> bool {
        const BREAK: &[u8] = b"\n---";
        if let Some((_, is)) = self.document.as_ref().filter(|(range, _)| range.contains(&at)) {
            return *is;
        }
        let start = memchr::memmem::rfind(&text[..at], BREAK).map_or(0, |found| found + 1);
        let end = memchr::memmem::find(&text[at..], BREAK).map_or(text.len(), |found| at + found);
        let is = is_of_kind_secret(&text[start..end]);
        self.document = Some((start..end, is));
        is
    }
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|&&b| b == b' ' || b == b'\t').count()
}

fn is_of_kind_secret(document: &[u8]) -> bool {
    document.split(|&b| b == b'\n').any(|line| {
        let line = line.trim_ascii();
        let line = line.strip_prefix(b"- ").unwrap_or(line);
        line.strip_prefix(b"kind:").is_some_and(|kind| {
            let kind = kind.trim_ascii();
            // Kubernetes takes no other spelling, but who writes `secret` means one.
            [&b"Secret"[..], b"\"Secret\"", b"'Secret'"].iter().any(|secret| kind.eq_ignore_ascii_case(secret))
        })
    })
}

fn name(before: &[u8]) -> &[u8] {
    let end = before.iter().position(|&b| b == b':').unwrap_or(before.len());
    before[..end].trim_ascii().trim_ascii_start()
}

fn is_harmless(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let lower: &[u8] = lower.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(&lower);
    HARMLESS
        .iter()
        .any(|harmless| lower.strip_suffix(harmless.as_bytes()).is_some_and(|rest| rest.last().is_none_or(|b| matches!(b, b'_' | b'-' | b'.'))))
}

fn could_be_credential(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let public = [&b"-----BEGIN CERTIFICATE"[..], b"-----BEGIN PUBLIC", b"ssh-", b"http://", b"https://"];
    let text = value.iter().all(|b| !b.is_ascii_control() || matches!(b, b'\n' | b'\r' | b'\t'));
    let says_nothing = matches!(value.to_ascii_lowercase().as_slice(), b"true" | b"false" | b"yes" | b"no");
    value.len() >= 4
        && text
        && !says_nothing
        && !public.iter().any(|start| value.starts_with(start))
        && !plausible::is_placeholder_password(b"", value)
}
