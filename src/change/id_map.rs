//! Tables whose keys begin with an object id. Ids are spread evenly already, so a quick hash does where the usual one,
//! made for keys of all kinds, took a tenth of the time of a walk. It has a secret of its own all the same: who pushes can
//! choose ids, and must not be able to choose many that fall together.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use super::objects::ObjectId;

/// A table of ids.
pub(super) type IdMap<V> = HashMap<ObjectId, V, IdHasher>;
/// A set of ids.
pub(super) type IdSet = HashSet<ObjectId, IdHasher>;

/// Which objects were met at which paths. Of each pair only a mark of 128 bits is kept: a million files would take a hundred
/// megabytes otherwise. The marks depend on secrets of this process, so that nobody can make two pairs with the same one.
#[derive(Default)]
pub(super) struct Marks {
    secrets: [RandomState; 2],
    marks: HashSet<u128>,
}

impl Marks {
    /// False where the pair was met before.
    pub(super) fn insert(&mut self, id: ObjectId, path: &[u8]) -> bool {
        let [high, low] = &self.secrets;
        let half = |secret: &RandomState| u128::from(secret.hash_one((id.as_bytes(), path)));
        self.marks.insert(half(high) << 64 | half(low))
    }
}

/// Makes the hash, with the secret of one table.
#[derive(Clone)]
pub(super) struct IdHasher {
    secret: u64,
}

impl Default for IdHasher {
    fn default() -> Self {
        Self { secret: RandomState::new().hash_one(0) }
    }
}

impl BuildHasher for IdHasher {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded { state: self.secret, secret: self.secret | 1 }
    }
}

/// A hash on its way.
pub(super) struct Folded {
    state: u64,
    secret: u64,
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        /// Half of its bits are set, in no order.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(self.state ^ word ^ SPREAD) * u128::from(self.secret ^ SPREAD.rotate_left(23));
        self.state = product as u64 ^ (product >> 64) as u64;
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
