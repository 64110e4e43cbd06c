//! What archives add to the story: their limits, names of what is in them, and whether it was there before.

use crate::change::{Before, Novelty, Part, Unread};
use crate::config::Policy;
use crate::scan::{Hit, Limits, Scanner, Text, is_packed};

use super::Failure;

/// How much may be unpacked.
pub(super) fn limits(policy: &Policy) -> Limits {
    Limits { entries: policy.archive_entries, bytes: policy.archive_bytes, ratio: policy.archive_ratio, file: policy.max_file_bytes }
}

/// What was not read of the file at `path`, with its whole path.
pub(super) fn below(path: &[u8], unread: Vec<Unread>) -> impl Iterator<Item = Unread> {
    unread.into_iter().map(move |unread| Unread { path: [path, &unread.path].concat(), ..unread })
}

/// First and last bytes of what is read in parts: they tell an archive.
#[derive(Default)]
pub(super) struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// A tar file is known by so many bytes.
const HEAD: usize = 512;
/// The end of a zip file is shorter, where nobody wrote a comment into it.
const TAIL: usize = 64;

impl Ends {
    pub(super) fn see(&mut self, part: &[u8]) {
        self.head.extend_from_slice(&part[..part.len().min(HEAD - self.head.len())]);
        self.tail.extend_from_slice(&part[part.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }

    pub(super) fn are_of_an_archive(&self) -> bool {
        is_packed(&self.head, &self.tail)
    }
}

/// What earlier versions of an archive hold, for one file at a time.
#[derive(Default)]
pub(super) struct PackedBefore<'r> {
    file: Option<usize>,
    hits: Vec<Hit<'r>>,
}

impl<'r> PackedBefore<'r> {
    /// Where an earlier version holds the same value, or the same inner file where that is what was found. Packed bytes cannot
    /// be compared, so the earlier version is unpacked and searched as this one was.
    pub(super) fn before<'n>(
        &mut self,
        hit: &Hit<'_>,
        file: usize,
        path: &[u8],
        scanner: &Scanner<'r>,
        novelty: &'n mut Novelty<'_>,
    ) -> Result<Before<'n>, Failure> {
        let earlier = novelty.earlier(file)?;
        if self.file != Some(file) {
            self.file = None;
            self.hits.clear();
            for before in earlier.iter().filter(|before| before.moved_from.is_none()) {
                // What cannot be read there counts as not having been there: the value is then new.
                self.hits.extend(scanner.scan(Text { path, part: Part::Content, bytes: &before.text })?);
            }
            self.file = Some(file);
        }
        let same = |before: &&Hit<'_>| before.rule.id() == hit.rule.id() && before.secret == hit.secret;
        if self.hits.iter().filter(same).any(|before| hit.secret.is_some() || before.inside == hit.inside && before.raw == hit.raw) {
            return Ok(Before::Here);
        }
        // Whether a file that was moved holds the value is asked when its weight there is.
        Ok(Before::In(if hit.secret.is_some() { earlier.iter().collect() } else { Vec::new() }))
    }
}
