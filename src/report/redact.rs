//! Names may hold a secret themselves: a path, a ref. They are shown with the secret's bytes masked.

use std::borrow::Cow;

use aho_corasick::AhoCorasick;

use crate::judge::Judged;
use crate::terminal::escape;

/// Masks every known secret in names.
pub(super) struct Redactor {
    secrets: Option<AhoCorasick>,
}

/// Shorter values are words, and masking them would tear names apart without hiding anything.
const SHORTEST: usize = 6;

impl Redactor {
    pub(super) fn new(judged: &[Judged]) -> Self {
        let mut values: Vec<&[u8]> = Vec::new();
        for finding in judged.iter().map(|judged| &judged.finding) {
            values.extend(finding.secret.iter().chain(&finding.raw).map(|secret| secret.expose()).filter(|value| value.len() >= SHORTEST));
        }
        values.sort_unstable();
        values.dedup();
        let build = |values: &[&[u8]]| AhoCorasick::builder().match_kind(aho_corasick::MatchKind::LeftmostLongest).build(values).ok();
        Self { secrets: if values.is_empty() { None } else { build(&values) } }
    }

    /// The name for people, escaped and masked.
    pub(super) fn show(&self, name: &[u8]) -> String {
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
