//! One link: a line is an entry and the hash of its bytes, which begin with the hash of the line before.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::entry::{Entry, Event, Head, SCHEMA};
use super::error::AuditError;

/// No line is longer; an entry leaves out findings and refs before it comes near, and says how many.
pub(super) const LONGEST: usize = 1 << 20;
/// Stands before the first entry.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What stands between an entry and its hash, and after it.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
const AFTER_HASH: &[u8] = b"\"}";
const DIGITS: usize = 64;
/// How each entry begins.
const BEGINNING: &[u8] = b"{\"schema\":";

/// With what entries are hashed. It has no `Debug`, as it may be secret.
#[derive(Clone)]
pub struct Key(Option<Vec<u8>>);

/// A shorter key can be guessed.
const SHORTEST_KEY: usize = 16;
/// A larger file is no key.
const LONGEST_KEY: u64 = 4096;

impl Key {
    /// None: SHA-256, which anybody can compute.
    pub fn none() -> Self {
        Self(None)
    }

    /// The content of a file, without blanks at either end: HMAC-SHA-256.
    ///
    /// # Errors
    /// A file that cannot be read, is too short, or that anybody may read.
    pub fn read(path: &Path) -> Result<Self, AuditError> {
        let wrong = |why: String| AuditError::Key { path: path.to_owned(), why };
        let file = File::open(path).map_err(|e| wrong(e.to_string()))?;
        let about = file.metadata().map_err(|e| wrong(e.to_string()))?;
        if !about.is_file() {
            return Err(wrong("it is no plain file".to_owned()));
        }
        #[cfg(unix)]
        if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o007 != 0 {
            return Err(wrong("others than its owner and group may open it, so that it proves nothing".to_owned()));
        }
        let mut bytes = Vec::new();
        file.take(LONGEST_KEY + 1).read_to_end(&mut bytes).map_err(|e| wrong(e.to_string()))?;
        let key = bytes.trim_ascii();
        if key.len() < SHORTEST_KEY || bytes.len() as u64 > LONGEST_KEY {
            return Err(wrong(format!("it has {} bytes, and a key has {SHORTEST_KEY} to {LONGEST_KEY}", bytes.len())));
        }
        Ok(Self(Some(key.to_owned())))
    }

    /// The hash of the bytes, in hexadecimal.
    pub(super) fn hash(&self, bytes: &[u8]) -> String {
        let digest: [u8; 32] = match self.0.as_deref().map(Hmac::<Sha256>::new_from_slice) {
            None => Sha256::digest(bytes).into(),
            Some(Ok(mac)) => mac.chain_update(bytes).finalize().into_bytes().into(),
            // HMAC takes keys of any length; a hash that never fits would shut the gate, and let nothing through.
            Some(Err(_)) => [0; 32],
        };
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// The line of an entry, with its end.
pub(super) fn line(head: &Head, event: &Event, key: &Key) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(head)?;
    // Two objects become one: spliced here, as what derives it for all kinds of events takes a hundred kilobytes.
    line.pop();
    let rest = event.rest()?;
    line.push(b',');
    line.extend(&rest[1..rest.len() - 1]);
    let hash = key.hash(&line);
    line.extend(BEFORE_HASH);
    line.extend(hash.as_bytes());
    line.extend(AFTER_HASH);
    line.push(b'\n');
    Ok(line)
}

/// True for what has the end of an entry. What has it not was torn by a crash, or is none of ours.
pub(super) fn looks_whole(line: &[u8]) -> bool {
    halves(line).is_some()
}

/// True for what a crash may have left: the beginning of an entry.
pub(super) fn is_beginning(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGINNING) || BEGINNING.starts_with(bytes)
}

/// The bytes that are hashed, and their hash.
fn halves(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_suffix(AFTER_HASH)?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let is_hash = hash.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    Some((rest.strip_suffix(BEFORE_HASH)?, hash)).filter(|_| is_hash && line.len() <= LONGEST)
}

/// A line without its end, read back: the entry and its hash, or what does not fit.
pub(super) fn read(line: &[u8], key: &Key) -> Result<(Entry, String), String> {
    let (body, hash) = halves(line).ok_or_else(|| "it is no entry of an audit".to_owned())?;
    if key.hash(body).as_bytes() != hash {
        let with = if key.0.is_some() { "under this key" } else { "(with a key it was written with, give that)" };
        return Err(format!("its hash does not fit its content {with}"));
    }
    let whole = [body, b"}"].concat();
    let entry: Entry = serde_json::from_slice(&whole).map_err(|_| "it is an entry of another form; a newer leakstop may read it".to_owned())?;
    if entry.schema != SCHEMA {
        return Err(format!("it is of schema {}, and this leakstop reads {SCHEMA}", entry.schema));
    }
    Ok((entry, String::from_utf8_lossy(hash).into_owned()))
}
