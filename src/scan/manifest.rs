//! Is this line a value of a Kubernetes Secret? A regex sees the line; kind and section stand in lines around it.

use std::ops::Range;

use super::{decode, plausible};

/// A manifest longer than this on either side of the value is not searched for its kind.
const FARTHEST: usize = 64 << 10;

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

/// True when the value belongs to a Secret and could be a credential. `line` is the whole line, without what precedes it.
pub(super) fn is_secret_value(text: &[u8], line: Range<usize>, value: Range<usize>) -> bool {
    let indent = indent(&text[line.start..]);
    let Some(section) = section(text, line.start, indent) else { return false };
    if !is_of_kind_secret(document(text, line.start)) || is_harmless(name(&text[line.start..value.start])) {
        return false;
    }
    let value = &text[value];
    match section {
        Section::Data => decode::base64(value).is_some_and(|decoded| could_be_credential(&decoded)),
        Section::StringData => could_be_credential(value),
    }
}

enum Section {
    Data,
    StringData,
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|&&b| b == b' ' || b == b'\t').count()
}

/// The member of the document that the line stands under: the nearest line above with less indentation.
fn section(text: &[u8], line_start: usize, inner: usize) -> Option<Section> {
    let from = line_start.saturating_sub(FARTHEST);
    let above = text[from..line_start].rsplit(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let parent = above.into_iter().find(|line| indent(line) < inner)?.trim_ascii();
    match parent {
        b"data:" => Some(Section::Data),
        b"stringData:" => Some(Section::StringData),
        _ => None,
    }
}

/// The YAML document around a place.
fn document(text: &[u8], at: usize) -> &[u8] {
    const BREAK: &[u8] = b"\n---";
    let (first, last) = (at.saturating_sub(FARTHEST), text.len().min(at + FARTHEST));
    let start = memchr::memmem::rfind(&text[first..at], BREAK).map_or(first, |found| first + found + 1);
    let end = memchr::memmem::find(&text[at..last], BREAK).map_or(last, |found| at + found);
    &text[start..end]
}

fn is_of_kind_secret(document: &[u8]) -> bool {
    document.split(|&b| b == b'\n').any(|line| {
        let line = line.trim_ascii();
        let line = line.strip_prefix(b"- ").unwrap_or(line);
        line.strip_prefix(b"kind:").is_some_and(|kind| matches!(kind.trim_ascii(), b"Secret" | b"\"Secret\"" | b"'Secret'"))
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
