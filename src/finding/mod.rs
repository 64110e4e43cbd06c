//! The vocabulary: what a finding is made of. Imports nothing of ours.

mod fingerprint;
mod level;
mod secret;

pub use fingerprint::{BadFingerprint, Fingerprint};
pub use level::{Confidence, Doubt, Family, Severity};
pub use secret::Secret;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// In which part of a repository a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Where {
    /// In a file's bytes, or in a symbolic link's target.
    Content,
    /// In the name of a file or folder, or the path alone is the finding.
    Path,
    /// In a commit's message.
    Message,
    /// In an annotated tag's message or tagger.
    Tag,
    /// In the name of a ref.
    Ref,
    /// In a commit's author or committer field.
    Author,
}

/// A place in a text; line and column count from 1, columns in bytes of the text in UTF-8 without its byte order mark,
/// whatever encoding the file has. The end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First line.
    pub line: u32,
    /// First column on the first line.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last byte, on the last line.
    pub end_column: u32,
}

/// What all findings of one rule have in common.
#[derive(Debug)]
pub struct Facts {
    /// The rule's id.
    pub rule: String,
    /// Family of the rule.
    pub family: Family,
    /// Class of the rule, a part of its family; empty where it has none.
    pub class: String,
    /// The rule's title.
    pub title: String,
    /// Severity of the rule.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do now.
    pub fix: String,
    /// Page on which the vendor says how to revoke or rotate.
    pub rotate: Option<String>,
    /// Identifiers such as `CWE-798`.
    pub standards: Vec<String>,
}

/// One thing found, before anyone decided about it.
#[derive(Clone)]
pub struct Finding {
    /// What its rule says.
    pub facts: Arc<Facts>,
    /// Confidence after all checks.
    pub confidence: Confidence,
    /// What lowered the confidence, where something did.
    pub doubt: Option<Doubt>,
    /// The second of Unix time up to which it opens something, where it says so itself.
    pub lapses: Option<i64>,
    /// The line of the public half that belongs to it and has no finding of its own.
    pub id_line: Option<u32>,
    /// Path relative to the repository's root; empty for a message, a tag or a ref.
    pub path: Arc<[u8]>,
    /// The place in the text, where there is one.
    pub span: Option<Span>,
    /// The commit that introduced it first, in hexadecimal.
    pub commit: Option<Arc<str>>,
    /// A ref of the push that brings the commit in.
    pub reference: Option<Arc<[u8]>>,
    /// Which part of the repository it stands in.
    pub place: Where,
    /// The credential, where the finding holds one.
    pub secret: Option<Secret>,
    /// How many of its first bytes the rule itself names (`ghp_`), so that they may be shown.
    pub public_prefix: usize,
    /// The bytes as they stand in the repository: the credential as it is encoded there, or the unsafe line.
    pub raw: Option<Secret>,
    /// Stable name of the finding.
    pub fingerprint: Fingerprint,
    /// Encodings that were undone to see it, outermost first.
    pub decoded: Vec<&'static str>,
    /// Where it stands inside of the file, which is an archive: `!` and the path there.
    pub inside: Option<Arc<[u8]>>,
    /// The cell in which it stands, where the file is a notebook.
    pub cell: Option<Cell>,
}

impl Finding {
    /// The path with what it names inside of an archive.
    pub fn full_path(&self) -> Cow<'_, [u8]> {
        match &self.inside {
            Some(inside) => [&*self.path, inside].concat().into(),
            None => (&*self.path).into(),
        }
    }
}

/// A cell of a notebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Its place among all cells, from 1.
    pub number: u32,
    /// True for what it put out, false for its source.
    pub is_output: bool,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let output = if self.is_output { "output of " } else { "" };
        write!(f, "{output}cell {}", self.number)
    }
}
