//! Names may hold a secret themselves: a path, a ref. They are shown with the secret's bytes masked.

use std::collections::HashSet;

use crate::finding::Secret;
use crate::terminal::escape;

/// Masks every known secret in names. There may be many secrets and long ones, so that they are searched for as they are: an
/// automaton takes twenty times their bytes.
pub struct Redactor {
    /// In order, each once.
    secrets: Vec<Box<[u8]>>,
    /// How they begin.
    starts: HashSet<[u8; SHORTEST]>,
}

/// Shorter values are words, and masking them would tear names apart without hiding anything.
const SHORTEST: usize = 8;

impl Redactor {
    /// For these values.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut values: Vec<&[u8]> = secrets.map(Secret::expose).filter(|value| value.len() >= SHORTEST).collect();
        values.sort_unstable();
        values.dedup();
        let starts = values.iter().filter_map(|value| value.first_chunk().copied()).collect();
        Self { secrets: values.into_iter().map(Box::from).collect(), starts }
    }

    /// The name for people, escaped and masked.
    pub fn show(&self, name: &[u8]) -> String {
        if self.secrets.is_empty() {
            return escape(name);
        }
        let mut masked = Vec::with_capacity(name.len());
        let mut at = 0;
        while let Some(&byte) = name.get(at) {
            match self.longest(&name[at..]) {
                Some(length) => {
                    masked.extend_from_slice(b"****");
                    at += length;
                }
                None => {
                    masked.push(byte);
                    at += 1;
                }
            }
        }
        escape(&masked)
    }

    /// How long the longest secret is with which the text begins.
    fn longest(&self, mut text: &[u8]) -> Option<usize> {
        if !self.starts.contains(text.first_chunk::<SHORTEST>()?) {
            return None;
        }
        while text.len() >= SHORTEST {
            // The last secret that stands before the text in the order of bytes: where the text begins with a secret, so does that
            // one, or it is it.
            let after = self.secrets.partition_point(|secret| **secret <= *text);
            let before = self.secrets.get(after.checked_sub(1)?)?;
            let common = before.iter().zip(text).take_while(|(a, b)| a == b).count();
            if common == before.len() {
                return Some(common);
            }
            text = &text[..common];
        }
        None
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

    #[test]
    fn of_several_secrets_the_longest_is_masked() {
        let secrets = ["abcdefgh", "abcdefghij", "abcdefghijkl", "abcdefghxx", "cdefghijklmnop", "zzzzzzzzz"];
        let redactor = Redactor::new(secrets.map(|secret| Secret::new(secret.as_bytes())).iter());
        for (name, shown) in [
            ("abcdefgh", "****"),
            ("abcdefghi", "****i"),
            ("abcdefghijk", "****k"),
            ("abcdefghijklmnop", "****mnop"),
            ("abcdefgh/abcdefghxy/cdefghijklmnopq", "****/****xy/****q"),
            ("abcdefgzzzzzzzzz", "abcdefg****"),
            ("abcdefg", "abcdefg"),
        ] {
            assert_eq!(redactor.show(name.as_bytes()), shown, "{name}");
        }
    }
}
