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

/// What was met lately, and at which paths. Of each only a mark of 128 bits is kept, and only so many: who pushes millions of files
/// must not fill the memory, and what was forgotten is looked at once more. The marks depend on secrets of this process, so that
/// nobody can make two things with the same one.
#[derive(Default)]
pub(super) struct Marks {
    secrets: [RandomState; 2],
    /// When the younger half is full, the older one is dropped and it takes its place.
    young: HashSet<u128, IdHasher>,
    old: HashSet<u128, IdHasher>,
}

/// What can be met. A hostile tree names a folder where it means a file: these are two things.
pub(super) enum What {
    File(ObjectId),
    Folder(ObjectId),
    /// A line of a commit, in the place of a path.
    Author,
}

/// As many as a table of 2^20 places takes before it grows.
const MARKS_IN_HALF: usize = (1 << 20) / 8 * 7;

impl Marks {
    /// False where it was met before.
    pub(super) fn insert(&mut self, what: What, path: &[u8]) -> bool {
        // All of the id: half of one can be made to be that of another.
        let (kind, id) = match &what {
            What::File(id) => (0_u8, id.as_bytes()),
            What::Folder(id) => (1, id.as_bytes()),
            What::Author => (2, &[][..]),
        };
        let [high, low] = &self.secrets;
        let half = |secret: &RandomState| u128::from(secret.hash_one((kind, id, path)));
        let mark = half(high) << 64 | half(low);
        if self.young.contains(&mark) {
            return false;
        }
        if self.young.len() == MARKS_IN_HALF {
            self.old = std::mem::take(&mut self.young);
        }
        let is_new = !self.old.contains(&mark);
        self.young.insert(mark);
        is_new
    }

    /// A number for an object, which only this process knows.
    pub(super) fn number(&self, id: ObjectId) -> u64 {
        self.secrets[0].hash_one(id.as_bytes())
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
