//! A part of a large scan: which of it belongs to one of several processes. Each object belongs to exactly one, by its id alone,
//! so that nobody has to agree with anybody.

use std::fmt;
use std::num::NonZeroU32;

use sha2::{Digest, Sha256};

use super::objects::ObjectId;
use super::{ChangeSet, NewFile, NewText};

/// One of so many parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    index: u32,
    of: NonZeroU32,
}

/// More processes than this do nothing but list the history.
const MOST: u32 = 10_000;

impl Shard {
    /// Part `index`, from 1, of `of`; `None` where there is no such part.
    pub fn new(index: u32, of: u32) -> Option<Self> {
        let of = NonZeroU32::new(of).filter(|of| of.get() <= MOST)?;
        (1..=of.get()).contains(&index).then_some(Self { index, of })
    }

    /// Which part it is, from 1.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// How many parts there are.
    pub fn of(&self) -> u32 {
        self.of.get()
    }

    fn takes(self, number: u64) -> bool {
        number % u64::from(self.of.get()) == u64::from(self.index - 1)
    }

    fn takes_object(self, id: ObjectId) -> bool {
        self.takes(id.as_bytes().first_chunk().map_or(0, |start| u64::from_be_bytes(*start)))
    }

    /// What has no id goes by its bytes.
    fn takes_bytes(self, bytes: &[u8]) -> bool {
        self.takes(u64::from(crc32fast::hash(bytes)))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// How many commits and refs a shard has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Commits.
    pub commits: u64,
    /// Refs.
    pub refs: u64,
}

impl ChangeSet {
    /// Leaves what belongs to `shard`: a file goes with its blob, a text with its commit. The list of commits stays whole, since
    /// what is found names them and is compared with their parents.
    pub fn keep(&mut self, shard: Shard) {
        let commits = &self.commits;
        let by_commit = |at: u32, else_by: &[u8]| match commits.get(at as usize) {
            Some(commit) => shard.takes_object(commit.id),
            None => shard.takes_bytes(else_by),
        };
        let has_file = |file: &NewFile| match file.blob {
            Some(blob) => shard.takes_object(blob),
            None => shard.takes_bytes(&file.path),
        };
        let has_text = |text: &NewText| match text.commit {
            Some(at) => by_commit(at, &text.bytes),
            None => shard.takes_bytes(&text.bytes),
        };
        self.files.retain(has_file);
        self.texts.retain(has_text);
        self.unread.retain(|unread| shard.takes_bytes(&unread.path));
    }

    /// How many of its commits and refs belong to `shard`.
    pub fn share(&self, shard: Shard) -> Share {
        Share {
            commits: self.commits.iter().filter(|commit| shard.takes_object(commit.id)).count() as u64,
            refs: self.refs.iter().filter(|name| shard.takes_bytes(name)).count() as u64,
        }
    }
}

/// What was listed, part by part: those who split a list between them have to have the same one.
#[derive(Default)]
pub struct ListHash {
    parts: Sha256,
}

impl ListHash {
    /// Takes in a part.
    pub fn add(&mut self, part: &ChangeSet) {
        for file in &part.files {
            put(&mut self.parts, &file.path);
            put(&mut self.parts, file.blob.as_ref().map_or(b"", ObjectId::as_bytes));
            put(&mut self.parts, &file.commit.unwrap_or(u32::MAX).to_le_bytes());
        }
        // The commit of a text says what is in it.
        for text in part.texts.iter().filter(|text| text.commit.is_none()) {
            put(&mut self.parts, &text.bytes);
        }
        for unread in &part.unread {
            put(&mut self.parts, &unread.path);
        }
    }

    /// Of all parts, the last of which is `last`: that one has all commits and refs.
    pub fn of(self, last: &ChangeSet) -> [u8; 32] {
        let mut hash = Sha256::new();
        put(&mut hash, &self.parts.finalize());
        for commit in &last.commits {
            put(&mut hash, commit.id.as_bytes());
            put(&mut hash, &commit.reference.unwrap_or(u32::MAX).to_le_bytes());
        }
        for name in &last.refs {
            put(&mut hash, name);
        }
        hash.finalize().into()
    }
}

fn put(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_is_in_exactly_one_shard() {
        for of in 1..9 {
            let shards: Vec<_> = (1..=of).map(|index| Shard::new(index, of).unwrap()).collect();
            for seed in 0..=255u8 {
                let id = ObjectId::from_bytes(&[seed.wrapping_mul(37); 20]).unwrap();
                assert_eq!(shards.iter().filter(|shard| shard.takes_object(id)).count(), 1);
                assert_eq!(shards.iter().filter(|shard| shard.takes_bytes(&[seed])).count(), 1);
            }
        }
    }

    #[test]
    fn there_is_no_part_beyond_the_last() {
        for (index, of) in [(0, 4), (5, 4), (0, 0), (1, 0), (1, MOST + 1)] {
            assert_eq!(Shard::new(index, of), None, "{index}/{of}");
        }
    }
}
