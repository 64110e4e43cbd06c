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
const SHORTEST: usize = 8;
/// So are longer ones up to here, when they are letters of one case: `password`, `CHANGEME`.
const LONGEST_WORD: usize = 11;

impl Redactor {
    /// For everything that was found.
    pub(super) fn of(judged: &[Judged]) -> Self {
        Self::new(judged.iter().flat_map(|judged| judged.finding.secret.iter().chain(&judged.finding.raw)))
    }

    /// For these values.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut values: Vec<&[u8]> = secrets.map(Secret::expose).filter(|value| !is_word(value)).collect();
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

fn is_word(value: &[u8]) -> bool {
    let one_case = value.iter().all(u8::is_ascii_lowercase) || value.iter().all(u8::is_ascii_uppercase);
    value.len() < SHORTEST || one_case && value.len() <= LONGEST_WORD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, secret: &str) -> String {
        Redactor::new([Secret::new(secret.as_bytes())].iter()).show(name.as_bytes())
    }

    #[test]
    fn a_secret_in_a_name_is_masked() {
        for secret in ["x7Kq92mZ", "12345678", "passWord", "pass-word", "correcthorse", "CORRECTHORSE"] {
            assert_eq!(shown(&format!("a/{secret}.txt"), secret), "a/****.txt");
        }
    }

    #[test]
    fn a_word_does_not_tear_names_apart() {
        for word in ["secret", "x7Kq92m", "changeme", "PASSWORD", "supersecret"] {
            let name = format!("a/{word}s.txt");
            assert_eq!(shown(&name, word), name);
        }
    }
}
