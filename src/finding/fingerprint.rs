//! The name of a finding that survives edits: it does not depend on line, commit or path.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Identifies one value under one rule: 16 hexadecimal digits of an HMAC-SHA-256, so that a weak password cannot be read
/// from it without the key, and lines added above or a new commit do not change it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// Eight bytes: enough that no two findings of one repository meet, short enough to be typed.
const BYTES: usize = 8;

impl Fingerprint {
    /// The fingerprint of `value` as found by the rule `rule`; `key` is the repository's `fingerprint_key`.
    pub fn new(key: &str, rule: &str, value: &[u8]) -> Self {
        // HMAC takes keys of any length, so the error cannot occur; an empty MAC would still block, never allow.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return Self(String::new()) };
        mac.update(rule.as_bytes());
        mac.update(b"\0");
        mac.update(value);
        Self(mac.finalize().into_bytes()[..BYTES].iter().map(|b| format!("{b:02x}")).collect())
    }

    /// Reads a fingerprint as a person gives it.
    ///
    /// # Errors
    /// Anything but 16 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, BadFingerprint> {
        if text.len() == 2 * BYTES && text.bytes().all(|b| b.is_ascii_hexdigit()) { Ok(Self(text.to_ascii_lowercase())) } else { Err(BadFingerprint) }
    }

    /// The 16 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = BadFingerprint;

    fn try_from(text: String) -> Result<Self, BadFingerprint> {
        Self::parse(&text)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

/// A text that is no fingerprint.
#[derive(Debug, thiserror::Error)]
#[error("a fingerprint has 16 hexadecimal digits, as the report shows it")]
pub struct BadFingerprint;

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
