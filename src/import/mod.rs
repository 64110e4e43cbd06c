//! What do other scanners' files say in our words? Whatever cannot be said is told with its reason, never dropped.

mod gitleaks;
mod path;
mod pattern;
mod places;

use std::fmt::Write as _;

/// Who answers for what is taken over.
pub struct Owner<'a> {
    /// Who.
    pub owner: &'a str,
    /// Why it is no danger.
    pub reason: &'a str,
    /// Until when.
    pub expires: &'a str,
}

/// What a file says in our words.
#[derive(Debug, Default)]
pub struct Imported {
    /// `[[rule]]` and `[[allow]]` tables.
    pub config: String,
    /// Words for `[values] stopwords`.
    pub stopwords: Vec<String>,
    /// Places whose findings are accepted.
    pub places: Vec<Place>,
    /// What means the same but is not the same: what, and how it differs.
    pub changed: Vec<Told>,
    /// What was left out: what, and why.
    pub left: Vec<Told>,
}

/// Something told of a part of the file.
#[derive(Debug)]
pub struct Told {
    /// Which part.
    pub what: String,
    /// What is to be said of it.
    pub why: String,
}

/// A place that another scanner was told to pass over.
#[derive(Debug)]
pub struct Place {
    /// As it is written there, for the report.
    pub what: String,
    /// The commit that holds it, where one is named.
    pub commit: Option<String>,
    /// Path from the root.
    pub path: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// SHA-1 of the value, in hexadecimal.
    pub sha1: Option<String>,
}

/// A file that is none of those that can be taken over.
#[derive(Debug, thiserror::Error)]
#[error("cannot take over `{file}`: {why}")]
pub struct ImportError {
    /// Which.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// Reads a file of another scanner; its content says which one's.
///
/// # Errors
/// A text that is none of those known.
pub fn read(file: &str, text: &[u8], owner: &Owner<'_>) -> Result<Imported, ImportError> {
    let wrong = |why: String| ImportError { file: file.to_owned(), why };
    let text = std::str::from_utf8(text).map_err(|_| wrong("it is not UTF-8".to_owned()))?.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        return places::of_detect_secrets(text).map_err(wrong);
    }
    let is_table = text.lines().any(|line| line.trim_start().starts_with('[') || line.contains(" = "));
    if is_table || file.ends_with(".toml") { gitleaks::of_toml(text, owner).map_err(wrong) } else { Ok(places::of_ignore_file(text)) }
}

impl Imported {
    fn left(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.left.push(Told { what: what.into(), why: why.into() });
    }

    fn changed(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.changed.push(Told { what: what.into(), why: why.into() });
    }

    /// Adds an exception for what `says` names, each a key with its value.
    fn allow(&mut self, says: &[(&str, &str)], owner: &Owner<'_>) {
        self.config.push_str("[[allow]]\n");
        for (key, value) in says.iter().chain(&[("owner", owner.owner), ("reason", owner.reason), ("expires", owner.expires)]) {
            // Writing to a string cannot fail.
            let _ = writeln!(self.config, "{key} = {}", quoted(value));
        }
        self.config.push('\n');
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let simple = !text.contains('\'') && !text.chars().any(char::is_control);
    if simple && text.contains(['\\', '"']) { format!("'{text}'") } else { toml::Value::String(text.to_owned()).to_string() }
}
