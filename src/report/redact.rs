//! Names may hold a secret themselves: a path, a ref. They are shown with the secret's bytes masked.

use std::borrow::Cow;

use aho_corasick::AhoCorasick;

use crate::finding::Secret;
use crate::judge::Judged;
use crate::terminal::escape;

/// Masks every known secret in names.
pub struct Redactor {
    secrets: Option<AhoCorasick>,
}

/// Shorter values are words, and masking them would tear names apart without hiding anything.
const SHORTEST: usize = 6;

impl Redactor {
    /// For everything that was found.
    pub(super) fn of(judged: &[Judged]) -> Self {
        Self::new(judged.iter().flat_map(|judged| judged.finding.secret.iter().chain(&judged.finding.raw)))
    }

    /// For these values.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut values: Vec<&[u8]> = secrets.map(Secret::expose).filter(|value| value.len() >= SHORTEST).collect();
        values.sort_unstable();
        values.dedup();
        let build = |values: &[&[u8]]| AhoCorasick::builder().match_kind(aho_corasick::MatchKind::LeftmostLongest).build(values).ok();
        Self { secrets: if values.is_empty() { None } else { build(&values) } }
    }

    /// The name for people, escaped and masked.
    pub fn show(&self, name: &[u8]) -> String {
        let masked: Cow<'_, [u8]> = match &self.secrets {
            Some(secrets) if secrets.is_match(name) => {
                let mut out = Vec::new();
                secrets.replace_all_with_bytes(name, &mut out, |_, _, out| {
                    out.extend_from_slice(b"****");
                    true
                });
                out.into()
            }
            _ => name.into(),
        };
        escape(&masked)
    }
}
