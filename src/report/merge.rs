//! Several reports about the parts of one scan become the report about all of it, or none at all: a part that is missing, is there
//! twice or tells of something else would make the answer wrong.

use std::io::{self, Write};

use serde::Deserialize;

use super::document::{Document, Split, sort};
use super::human::{count, size};
use crate::judge::{Status, Verdict};
use crate::terminal::{Palette, escape};

/// Why reports do not make a whole.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// It is no report, or one of another version.
    #[error("`{file}` is no JSON report that this leakstop can read")]
    Form {
        /// Which.
        file: String,
        /// Why.
        source: serde_json::Error,
    },
    /// It tells of a whole scan.
    #[error("`{file}` tells of a whole scan, so there is nothing to join it with")]
    Whole {
        /// Which.
        file: String,
    },
    /// Two do not belong together.
    #[error("`{file}` and `{other}` do not belong together: their {what} is not the same")]
    Other {
        /// The first of them.
        file: String,
        /// The second of them.
        other: String,
        /// What tells them apart.
        what: &'static str,
    },
    /// Two tell of one shard.
    #[error("`{file}` and `{other}` both tell of shard {index}")]
    Twice {
        /// The first of them.
        file: String,
        /// The second of them.
        other: String,
        /// Which shard.
        index: u32,
    },
    /// Not all are there.
    #[error("of {of} shards these are missing: {missing}")]
    Missing {
        /// How many there should be.
        of: u32,
        /// Which are not there.
        missing: String,
    },
}

impl MergeError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Form { .. } => {
                "each report comes from `leakstop scan --history --shard K/N --format json --output FILE` of this version, run to its end"
            }
            Self::Whole { .. } => "name the reports of `scan --history --shard K/N`",
            Self::Other { .. } => "scan all shards with one leakstop, one configuration and one state of the repository",
            Self::Twice { .. } => "name each shard's report once",
            Self::Missing { .. } => "run the missing shards again, then merge all",
        }
    }
}

/// The reports joined.
pub struct Merged {
    document: Document,
}

/// Joins the reports, each with the name of its file.
///
/// # Errors
/// They do not make a whole.
pub fn merge(texts: &[(String, Vec<u8>)]) -> Result<Merged, MergeError> {
    let mut parts: Vec<(&String, Split, Document)> = Vec::with_capacity(texts.len());
    for (file, text) in texts {
        let form = |source| MergeError::Form { file: file.clone(), source };
        let mut document: Document = serde_json::from_slice(text).map_err(form)?;
        if document.schema != 1 {
            return Err(form(serde::de::Error::custom(format!("its schema is {}", document.schema))));
        }
        // A row of another form is told with its file.
        sort(&mut document.findings).map_err(form)?;
        let split = document.shard.clone().ok_or_else(|| MergeError::Whole { file: file.clone() })?;
        if let Some((first, first_split, first_document)) = parts.first()
            && let Some(what) = difference((first_split, first_document), (&split, &document))
        {
            return Err(MergeError::Other { file: (*first).clone(), other: file.clone(), what });
        }
        parts.push((file, split, document));
    }
    parts.sort_by_key(|(_, split, _)| split.index);
    if let Some([(file, split, _), (other, ..)]) = parts.array_windows().find(|[one, two]| one.1.index == two.1.index) {
        return Err(MergeError::Twice { file: (*file).clone(), other: (*other).clone(), index: split.index });
    }
    let of = parts.first().map_or(1, |(_, split, _)| split.of);
    let missing: Vec<_> = (1..=of).filter(|index| !parts.iter().any(|(_, split, _)| split.index == *index)).map(|index| index.to_string()).collect();
    if !missing.is_empty() || parts.len() as u64 != u64::from(of) {
        return Err(MergeError::Missing { of, missing: missing.join(", ") });
    }
    join(parts.into_iter().map(|(.., document)| document).collect()).map_err(|source| MergeError::Form { file: "the whole".to_owned(), source })
}

/// What keeps two reports from being about one scan.
fn difference((one_split, one): (&Split, &Document), (two_split, two): (&Split, &Document)) -> Option<&'static str> {
    let checks = [
        (one.tool == two.tool, "version of leakstop"),
        (one.command == two.command, "command"),
        (one.actor == two.actor, "actor"),
        (one_split.of == two_split.of, "number of shards"),
        (one_split.rules == two_split.rules && one.stats.rules == two.stats.rules, "set of rules"),
        (one_split.configuration == two_split.configuration, "configuration"),
        (one_split.revision == two_split.revision, "state of the repository"),
    ];
    checks.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
}

/// `parts` are all shards in their order.
fn join(parts: Vec<Document>) -> Result<Merged, serde_json::Error> {
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else { return Err(serde::de::Error::custom("there is none")) };
    for part in parts {
        whole.status = whole.status.max(part.status);
        whole.findings.extend(part.findings);
        whole.unread.extend(part.unread);
        for note in part.notes {
            if !whole.notes.contains(&note) {
                whole.notes.push(note);
            }
        }
        whole.stats.add(&part.stats);
    }
    whole.shard = None;
    whole.unread.sort_unstable();
    sort(&mut whole.findings)?;
    Ok(Merged { document: whole })
}

/// What of a row is shown to people.
#[derive(Deserialize)]
struct Shown {
    rule: String,
    title: String,
    severity: String,
    verdict: Verdict,
    path: String,
    line: Option<u32>,
    column: Option<u32>,
    commit: Option<String>,
    r#where: String,
    redacted: Option<String>,
    fingerprint: String,
}

impl Merged {
    /// How it ends.
    pub fn status(&self) -> Status {
        self.document.status
    }

    /// Writes it as `json` writes the report of a whole scan.
    ///
    /// # Errors
    /// The stream cannot be written.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, &self.document)?;
        out.write_all(b"\n")
    }

    /// Writes it as `json_lines` does.
    ///
    /// # Errors
    /// The stream cannot be written.
    pub fn json_lines(mut self, out: &mut dyn Write) -> io::Result<()> {
        for row in std::mem::take(&mut self.document.findings) {
            writeln!(out, "{row}")?;
        }
        self.json(out)
    }

    /// Writes a line or two a finding, and what it comes to.
    ///
    /// # Errors
    /// The stream cannot be written.
    pub fn human(&self, palette: &Palette, least: Verdict, out: &mut dyn Write) -> io::Result<()> {
        let mut counts = [0_usize; 3];
        for row in &self.document.findings {
            let row: Shown = serde_json::from_str(row.get())?;
            let (word, style, at) = match row.verdict {
                Verdict::Block => ("blocked", palette.block, 0),
                Verdict::Warn => ("warning", palette.warn, 1),
                Verdict::Allow => ("allowed", palette.good, 2),
            };
            counts[at] += 1;
            if row.verdict < least {
                continue;
            }
            let shown = |text: &str| escape(text.as_bytes());
            let strong = palette.strong;
            writeln!(out, "{style}{word}{style:#}  {strong}{}{strong:#}  ({}, {})", shown(&row.title), shown(&row.rule), shown(&row.severity))?;
            let place = if row.path.is_empty() { shown(&row.r#where) } else { shown(&row.path) };
            let line = row.line.zip(row.column).map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
            let commit = row.commit.map(|id| format!(" in {}", shown(id.get(..12).unwrap_or(&id)))).unwrap_or_default();
            let mask = row.redacted.map(|mask| format!("  {}", shown(&mask))).unwrap_or_default();
            writeln!(out, "         {place}{line}{commit}{mask}  {}", shown(&row.fingerprint))?;
        }
        for unread in &self.document.unread {
            writeln!(out, "unread   {}: {}", escape(unread.path.as_bytes()), escape(unread.why.as_bytes()))?;
        }
        for note in &self.document.notes {
            writeln!(out, "note: {}", escape(note.as_bytes()))?;
        }
        let (word, style) = match self.document.status {
            Status::Blocked => ("blocked", palette.block),
            Status::Warned => ("passed with warnings", palette.warn),
            Status::Clean => ("passed", palette.good),
        };
        let [block, warn, allow] = counts;
        let stats = &self.document.stats;
        let read = format!("{}, {}, {}", count(stats.commits, "commit", "commits"), count(stats.files, "file", "files"), size(stats.bytes));
        writeln!(
            out,
            "leakstop: {style}{word}{style:#}: {block} blocking, {warn} warning, {allow} allowed, {} unread (read {read})",
            self.document.unread.len()
        )
    }
}
