//! What each fuzz target does with bytes from anywhere. Beside not crashing and not hanging, each holds what it reads to
//! something that must be true of it.

#![allow(dead_code, reason = "each target runs one of them")]

mod handling;
mod repository;

use std::ops::Range;
use std::sync::LazyLock;

use leakstop::change::{self, ObjectId, Part, PrePush, RefUpdate};
use leakstop::config::{self, Layer, Origin, Policy};
use leakstop::finding::{Confidence, Secret};
use leakstop::report::Redactor;
use leakstop::rules::{Rules, shape};
use leakstop::scan::{self, Scanner, Text, generic};
use leakstop::terminal;

pub use handling::{across, handling, nesting};
pub use repository::repository;

/// Its name and what it does.
type Target = (&'static str, fn(&[u8]));

/// All targets by name, for the test that replays their corpora.
pub const ALL: [Target; 13] = [
    ("pre_receive", pre_receive),
    ("configuration", configuration),
    ("decoders", decoders),
    ("utf16", utf16),
    ("repository", repository),
    ("index", index),
    ("terminal", terminal),
    ("assignment", assignment),
    ("scanner", scanner),
    ("comments", comments),
    ("nesting", nesting),
    ("across", across),
    ("handling", handling),
];

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::built_in().unwrap());
static SCANNER: LazyLock<Scanner<'static>> = LazyLock::new(|| Scanner::new(&RULES));

/// Reads the input as what stands in an index behind its head: the first byte is the version, the second the number of entries.
pub fn index(data: &[u8]) {
    let [version, count, rest @ ..] = data else { return };
    let mut bytes = b"DIRC\0\0\0".to_vec();
    bytes.extend([2 + version % 3, 0, 0, 0, *count]);
    bytes.extend_from_slice(rest);
    bytes.extend([0; 20]);
    let length = bytes.len();
    let Some((paths, folders)) = change::index_paths(bytes) else { return };
    assert_eq!(paths.len(), usize::from(*count), "no entry is left out");
    assert!(paths.windows(2).all(|pair| pair[0] <= pair[1]), "they are sorted");
    assert!(folders <= length, "each folder is met once");
}

/// The input of the hooks: what is accepted, says the same when it is written again. No line is lost or made up.
pub fn pre_receive(data: &[u8]) {
    let id = |id: Option<ObjectId>, like: Option<ObjectId>| match (id, like) {
        (Some(id), _) => id.to_string(),
        (None, Some(like)) => "0".repeat(2 * like.as_bytes().len()),
        (None, None) => String::new(),
    };
    let same = |text: &[u8], update: &RefUpdate, order: [usize; 3]| {
        let parts = [id(update.old, update.new).into_bytes(), id(update.new, update.old).into_bytes(), update.name.clone()];
        if update.old.is_none() && update.new.is_none() {
            return text.ends_with(&parts[2]); // of two null ids the length is not kept
        }
        let written = order.map(|at| parts[at].as_slice()).join(&b' ');
        text.len() >= written.len() && text[text.len() - written.len()..].eq_ignore_ascii_case(&written)
    };
    let lines: Vec<_> = data.strip_suffix(b"\n").unwrap_or(data).split(|&b| b == b'\n').filter(|_| !data.is_empty() && data != b"\n").collect();
    if let Ok(updates) = RefUpdate::parse(data) {
        assert_eq!(updates.len(), lines.len());
        for (line, update) in lines.iter().zip(&updates) {
            assert!(same(line, update, [0, 1, 2]), "{update:?}");
        }
    }
    if let Ok(updates) = PrePush::parse(data) {
        assert_eq!(updates.len(), lines.len());
        for (line, PrePush { update }) in lines.iter().zip(&updates) {
            // The null ids are not kept, so a deletion is not written again.
            let tail = [update.name.as_slice(), b" ", id(update.old, update.new).as_bytes()].concat();
            let is_deletion_of_nothing = update.old.is_none() && update.new.is_none();
            assert!(is_deletion_of_nothing || line.len() > tail.len() && line[line.len() - tail.len()..].eq_ignore_ascii_case(&tail), "{update:?}");
        }
    }
    let mut words = data.splitn(3, |&b| b == b' ').map(String::from_utf8_lossy);
    if let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) {
        let _ = RefUpdate::from_arguments(name.as_bytes(), &old, &new);
    }
}

/// A configuration: a mistake is told with a place inside the text, and nobody's own file can do more than the layers allow.
pub fn configuration(data: &[u8]) {
    let Ok(config) = config::parse("fuzz.toml", data) else { return };
    let layer = |origin| Layer { file: "fuzz.toml".to_owned(), origin, config: config.clone() };
    let _ = Policy::new(&[layer(Origin::Trusted), layer(Origin::Repository)], &RULES);
    if let Ok(pushed) = Policy::new(&[layer(Origin::Change)], &RULES) {
        let default = Policy::default();
        assert_eq!(pushed.max_file_bytes, default.max_file_bytes);
        assert_eq!(pushed.allowed_paths.len(), default.allowed_paths.len());
    }
}

/// Decoding: each run lies inside the text, and all of them together do not outgrow it.
pub fn decoders(data: &[u8]) {
    let mut size = 0;
    for (range, bytes) in scan::decoded(data) {
        assert!(range.start < range.end && range.end <= data.len());
        size += bytes.len();
    }
    assert!(size <= 2 * (8 * data.len() + (1 << 20)), "{size}");
    scanned(b"a.txt", data);
}

/// UTF-16 and UTF-32 with and without a mark, cut anywhere, and bytes of any kind: marked text comes back as it was.
pub fn utf16(data: &[u8]) {
    let Some((&form, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let mark = if form & 2 == 0 { "" } else { "\u{feff}" };
    let mut bytes = Vec::with_capacity(4 * text.len() + 4);
    let mut put = |unit: u32, width: usize| match form & 1 {
        0 => bytes.extend_from_slice(&unit.to_le_bytes()[..width]),
        _ => bytes.extend_from_slice(&unit.to_be_bytes()[4 - width..]),
    };
    for c in mark.chars().chain(text.chars()) {
        match form & 8 {
            0 => c.encode_utf16(&mut [0; 2]).iter().for_each(|&unit| put(u32::from(unit), 2)),
            _ => put(u32::from(c), 4),
        }
    }
    // Letters, digits and spaces alone: other units may look like a stretch of single bytes in between.
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '\n');
    if form & 6 == 2 && is_plain {
        assert_eq!(String::from_utf8_lossy(&scan::plain(bytes.clone())), text);
    }
    if form & 4 != 0 {
        bytes.truncate(bytes.len() - usize::from(form >> 4).min(bytes.len()));
    }
    scanned(b"a.txt", &scan::plain(bytes));
    scan::plain(data.to_vec());
}

/// Names: nothing that steers a terminal comes out, and no secret that is in them.
pub fn terminal(data: &[u8]) {
    let steers = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let shown = terminal::escape(data);
    assert!(!shown.contains(steers));
    let secret = shape::fill("{alnum:20}", u64::from(data.first().copied().unwrap_or_default()));
    let at = data.get(1).map_or(0, |&at| usize::from(at).min(data.len()));
    let name = [&data[..at], secret.as_bytes(), &data[at..]].concat();
    let shown = Redactor::new([Secret::new(secret.as_bytes())].iter()).show(&name);
    assert!(!shown.contains(steers) && !shown.contains(&secret));
}

/// The reader of assignments: both sides lie inside the text.
pub fn assignment(data: &[u8]) {
    const WORDS: [&str; 6] = ["pass", "secret", "token", "key", "auth", "pwd"];
    let (path, text) = path_and_text(data);
    for binding in generic::bindings(&WORDS, path, text) {
        assert!(binding.name.end <= text.len() && binding.value.start <= binding.value.end && binding.value.end <= text.len());
        assert_eq!(binding.features.len(), scan::FEATURES.len());
    }
}

/// The whole scanner, by language.
pub fn scanner(data: &[u8]) {
    let (path, text) = path_and_text(data);
    scanned(path, text);
    let _ = SCANNER.scan_path(text);
}

/// Comments in a line, and lines around it: whatever they say, in the words of other scanners or in ours, the token in the line
/// is found and blocks. The first byte chooses the language and where the comment stands.
pub fn comments(data: &[u8]) {
    const LINES: [(&str, &str, &str); 6] =
        [("a.py", "#", ""), ("a.js", "//", ""), ("a.c", "/*", "*/"), ("a.xml", "<!--", "-->"), ("a.sql", "--", ""), ("a.ini", ";", "")];
    let Some((&first, said)) = data.split_first() else { return };
    let (path, open, close) = LINES[usize::from(first) % LINES.len()];
    // What could make the token longer, or end the comment, is no comment.
    let said: Vec<u8> = said.iter().copied().filter(|&b| b != b'\n' && b != b'\r' && b != 0).take(200).collect();
    let comment = [open.as_bytes(), b" ", &said, b" ", close.as_bytes(), b"\n"].concat();
    let line = format!("token = \"{}\" ", shape::fill("ghp_{crc32:30}", u64::from(first)));
    let text = match first / 6 % 3 {
        0 => [line.as_bytes(), &comment].concat(),
        1 => [&comment, line.as_bytes(), b"\n"].concat(),
        _ => [&comment, line.as_bytes(), &comment, &comment].concat(),
    };
    let hits = SCANNER.scan(Text { path: path.as_bytes(), part: Part::Content, bytes: &text }).unwrap();
    assert!(hits.iter().any(|hit| hit.rule.id() == "github-pat-classic" && hit.confidence == Confidence::High), "a comment hides a token");
}

/// A text without secrets is as hostile as any other: places lie inside the text, and a second look shows the same.
fn scanned(path: &[u8], bytes: &[u8]) {
    let look = |part, new: Range<usize>| {
        let hits = SCANNER.scan_new(Text { path, part, bytes }, std::slice::from_ref(&new)).unwrap().hits;
        let lines = 1 + bytes.iter().filter(|&&b| b == b'\n').count();
        // What lies in an archive has lines of its own.
        for hit in hits.iter().filter(|hit| hit.inside.is_none()) {
            if let Some(span) = hit.span {
                assert!(span.line >= 1 && span.line <= span.end_line && span.end_line as usize <= lines, "{span:?}");
                assert!(span.column >= 1 && span.end_column >= 1, "{span:?}");
            }
        }
        hits.iter().map(|hit| (hit.rule.id().to_owned(), hit.span.map(|span| (span.line, span.column)))).collect::<Vec<_>>()
    };
    assert_eq!(look(Part::Content, 0..bytes.len()), look(Part::Content, 0..bytes.len()));
    look(Part::Message, 0..bytes.len());
    look(Part::Content, bytes.len() / 3..bytes.len() / 2);
}

/// The first byte chooses the file's name, which decides on the language.
fn path_and_text(data: &[u8]) -> (&'static [u8], &[u8]) {
    const PATHS: [&str; 29] = [
        "a.txt",
        "a.py",
        "a.js",
        "a.go",
        "a.java",
        "a.kt",
        "a.scala",
        "a.cs",
        "a.rb",
        "a.php",
        "a.rs",
        "a.swift",
        "a.c",
        "a.sh",
        "a.ps1",
        "a.sql",
        "Dockerfile",
        "a.yaml",
        "a.json",
        "a.toml",
        "a.ini",
        "a.xml",
        "a.tf",
        "a.md",
        "Makefile",
        ".env",
        ".github/workflows/a.yml",
        "docker-compose.yml",
        "a.ipynb",
    ];
    let (&first, text) = data.split_first().unwrap_or((&0, b""));
    (PATHS[usize::from(first) % PATHS.len()].as_bytes(), text)
}
