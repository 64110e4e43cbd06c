//! The JSON report, schema 1, as it is written and read again. Keys are only ever added; a report with a key that this version
//! does not know is not read, since what is not understood would be lost.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::finding::Where;
use crate::judge::Status;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) schema: u8,
    pub(super) tool: Tool,
    pub(super) command: String,
    pub(super) status: Status,
    pub(super) actor: Actor,
    /// Each is a row as `json.rs` writes it.
    pub(super) findings: Vec<Box<RawValue>>,
    pub(super) unread: Vec<UnreadRow>,
    pub(super) notes: Vec<String>,
    pub(super) stats: Stats,
    /// Which part of a larger scan it tells of; nothing where it tells of all.
    pub(super) shard: Option<Split>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) version: String,
}

/// Who made the change. Nothing looks for that yet, so it says so.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Actor {
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) evidence: Vec<String>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnreadRow {
    pub(super) path: String,
    pub(super) why: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stats {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) commits: u64,
    pub(super) blobs: u64,
    pub(super) refs: u64,
    pub(super) remembered: u64,
    pub(super) rules: usize,
    pub(super) elapsed_ms: u64,
}

impl Stats {
    /// Takes in those of another part, which was scanned meanwhile.
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.files, other.files),
            (&mut self.bytes, other.bytes),
            (&mut self.commits, other.commits),
            (&mut self.blobs, other.blobs),
            (&mut self.refs, other.refs),
            (&mut self.remembered, other.remembered),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.elapsed_ms = self.elapsed_ms.max(other.elapsed_ms);
    }
}

/// One of several parts of a scan, and what all parts have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// From 1.
    pub index: u32,
    /// How many there are.
    pub of: u32,
    /// Fingerprint of the rules.
    pub rules: String,
    /// Fingerprint of the configuration.
    pub configuration: String,
    /// Fingerprint of all that was to be scanned.
    pub revision: String,
}

/// What decides about a row's place.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Key<'a> {
    #[serde(borrow)]
    path: std::borrow::Cow<'a, str>,
    r#where: Where,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    commit: Option<String>,
    #[serde(borrow)]
    rule: std::borrow::Cow<'a, str>,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

/// Puts rows into an order that depends on nothing but what they say.
pub(super) fn sort(rows: &mut Vec<Box<RawValue>>) -> serde_json::Result<()> {
    let mut keyed = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        keyed.push((serde_json::from_str::<Key<'_>>(row.get())?, row.get()));
    }
    keyed.sort_unstable();
    let sorted = keyed.into_iter().map(|(_, text)| RawValue::from_string(text.to_owned())).collect::<Result<_, _>>()?;
    *rows = sorted;
    Ok(())
}
