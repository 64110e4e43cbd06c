//! The bytes of a credential. Nothing in the type lets them reach a log, an error or a report.

use sha1::{Digest, Sha1};

/// A credential value. It has no `Debug`, `Display`, `Serialize` or `Deref` on purpose: the only way to its bytes is
/// `Secret::expose`, whose uses are few enough to be read one by one. The memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret(Box<[u8]>);

/// At most so many bytes of a vendor's prefix (`ghp_`, `AKIA`, `sk-a`) are shown, and only of values five times as long.
const SHOWN: usize = 4;

impl Secret {
    /// Takes a copy of the bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no byte in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes themselves: for fingerprints, checks and the question whether the value was there before, never for output.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// True when the pattern matches the bytes: an exception may say what kind of value it covers.
    pub fn is_match(&self, pattern: &regex::bytes::Regex) -> bool {
        pattern.is_match(&self.0)
    }

    /// True when this is the SHA-1 of the bytes, in hexadecimal: so another scanner's baseline names a value.
    pub fn has_sha1(&self, hexadecimal: &str) -> bool {
        let sum: String = Sha1::digest(&self.0).iter().map(|b| format!("{b:02x}")).collect();
        sum == hexadecimal
    }

    /// A mask that says which kind of value it is and nothing more: of the first `public` bytes, which the rule itself
    /// names, at most four.
    pub fn redacted(&self, public: usize) -> String {
        let shown = public.min(SHOWN);
        let shown = if self.0.len() >= 5 * SHOWN { &self.0[..shown] } else { &[] };
        if shown.iter().all(|b| b.is_ascii_graphic()) {
            let mut mask: String = shown.iter().map(|&b| char::from(b)).collect();
            mask.push_str("****");
            mask
        } else {
            "****".to_owned()
        }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // A plain overwrite may be optimised away; `black_box` asks the compiler to keep it.
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_a_short_or_private_value_shows_nothing() {
        assert_eq!(Secret::new(b"hunter2").redacted(4), "****");
        assert_eq!(Secret::new(b"correct-horse-battery-staple").redacted(0), "****");
        assert_eq!(Secret::new(b"abcd0123456789012345").redacted(9), "abcd****");
        assert_eq!(Secret::new(b"abcd0123456789012345").redacted(2), "ab****");
        assert_eq!(Secret::new(b"a\x1b[1m0123456789012345").redacted(4), "****");
    }
}
