//! Names may hold a secret themselves: a path, a ref. They are shown with the secret's bytes masked.

use std::borrow::Cow;

use aho_corasick::AhoCorasick;

use crate::finding::Secret;
use crate::terminal::escape;

/// Masks every known secret in names.
pub struct Redactor {
    secrets: Secrets,
}

enum Secrets {
    None,
    Known(AhoCorasick),
    /// They could not be made searchable: then no name is shown.
    Unsearchable,
}

/// Shorter values are words, and masking them would tear names apart without hiding anything.
const SHORTEST: usize = 8;

impl Redactor {
    /// For these values.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut values: Vec<&[u8]> = secrets.map(Secret::expose).filter(|value| value.len() >= SHORTEST).collect();
        values.sort_unstable();
        values.dedup();
        if values.is_empty() {
            return Self { secrets: Secrets::None };
        }
        let built = AhoCorasick::builder().match_kind(aho_corasick::MatchKind::LeftmostLongest).build(values);
        Self { secrets: built.map_or(Secrets::Unsearchable, Secrets::Known) }
    }

    /// The name for people, escaped and masked.
    pub fn show(&self, name: &[u8]) -> String {
        let masked: Cow<'_, [u8]> = match &self.secrets {
            Secrets::Unsearchable => b"****"[..].into(),
            Secrets::Known(secrets) if secrets.is_match(name) => {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, secret: &str) -> String {
        Redactor::new([Secret::new(secret.as_bytes())].iter()).show(name.as_bytes())
    }

    #[test]
    fn a_secret_in_a_name_is_masked() {
        for secret in ["x7Kq92mZ", "12345678", "passWord", "pass-word", "correcthorse", "supersecret"] {
            assert_eq!(shown(&format!("a/{secret}.txt"), secret), "a/****.txt");
        }
    }

    #[test]
    fn a_word_does_not_tear_names_apart() {
        for word in ["secret", "x7Kq92m", "admin"] {
            let name = format!("a/{word}s.txt");
            assert_eq!(shown(&name, word), name);
        }
    }
}
