//! Object ids and the three object formats that hold other objects, read from raw bytes.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::error::ChangeError;
use super::signature;

/// The id of an object: 20 bytes for SHA-1, 32 for SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId {
    bytes: [u8; 32],
    len: u8,
}

impl ObjectId {
    /// From raw bytes; `None` unless there are 20 or 32.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { bytes, len: raw.len() as u8 })
    }

    /// The id that stands for no object, in its SHA-1 form.
    pub fn null() -> Self {
        Self { bytes: [0; 32], len: 20 }
    }

    /// From 40 or 64 hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        if hex.len() != 40 && hex.len() != 64 {
            return None;
        }
        let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
        let mut raw = [0u8; 32];
        for (out, pair) in raw.iter_mut().zip(hex.chunks_exact(2)) {
            *out = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Self::from_bytes(&raw[..hex.len() / 2])
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The id that git writes where there is no object: all zero, of either length.
    pub fn is_null(&self) -> bool {
        self.bytes == [0; 32]
    }
}

impl Hash for ObjectId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Ids are hashes themselves: these bytes tell them apart.
        let [a, b, c, d, e, f, g, h, ..] = self.bytes;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a tree entry is, read from its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A folder.
    Tree,
    /// A file or a symbolic link: its blob is content either way.
    Blob,
    /// A submodule: the id is a commit of another repository.
    Submodule,
}

impl EntryKind {
    pub(super) fn from_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o040_000 => Self::Tree,
            0o160_000 => Self::Submodule,
            _ => Self::Blob,
        }
    }
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct TreeEntry<'a> {
    pub(super) name: &'a [u8],
    pub(super) mode: u32,
    pub(super) kind: EntryKind,
    pub(super) id: ObjectId,
}

/// The entries of a raw tree object, in stored order.
pub(super) fn tree_entries(tree: ObjectId, raw: &[u8]) -> Result<Vec<TreeEntry<'_>>, ChangeError> {
    let mut rest = raw;
    let mut entries = Vec::with_capacity(raw.len() / 40);
    while !rest.is_empty() {
        let (entry, after) = first_entry(tree, rest)?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// The first entry of the rest of the raw tree object `tree`, and what follows it.
pub(super) fn first_entry(tree: ObjectId, rest: &[u8]) -> Result<(TreeEntry<'_>, &[u8]), ChangeError> {
    tree_entry(rest, tree.as_bytes().len()).ok_or(ChangeError::Malformed { kind: "tree", id: tree })
}

/// The bytes of that entry, unread: entries that are the same in two trees need no look.
pub(super) fn first_entry_bytes(tree: ObjectId, rest: &[u8]) -> Result<&[u8], ChangeError> {
    let end = memchr::memchr(0, rest).map(|nul| nul + 1 + tree.as_bytes().len());
    end.and_then(|end| rest.get(..end)).ok_or(ChangeError::Malformed { kind: "tree", id: tree })
}

fn tree_entry(raw: &[u8], hash_len: usize) -> Option<(TreeEntry<'_>, &[u8])> {
    let space = memchr::memchr(b' ', raw)?;
    let mode = raw[..space].iter().try_fold(0u32, |mode, &b| match b {
        b'0'..=b'7' => mode.checked_mul(8)?.checked_add(u32::from(b - b'0')),
        _ => None,
    })?;
    let rest = &raw[space + 1..];
    let nul = memchr::memchr(0, rest)?;
    let id = rest.get(nul + 1..nul + 1 + hash_len)?;
    let entry = TreeEntry { name: &rest[..nul], mode, kind: EntryKind::from_mode(mode), id: ObjectId::from_bytes(id)? };
    Some((entry, &rest[nul + 1 + hash_len..]))
}

/// The fields of a raw commit that we use.
#[derive(Debug)]
pub(super) struct Commit<'a> {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    /// Author, committer and every further header (encoding, signatures, `mergetag` with another tag's text).
    pub(super) headers: &'a [u8],
    pub(super) message: &'a [u8],
}

/// Reads a raw commit as git does: one tree, then its parents. What looks like another of them further on is none.
pub(super) fn commit(id: ObjectId, raw: &[u8]) -> Result<Commit<'_>, ChangeError> {
    let malformed = || ChangeError::Malformed { kind: "commit", id };
    let (tree, mut rest) = id_line(raw, b"tree ").ok_or_else(malformed)?;
    let mut parents = Vec::new();
    while rest.starts_with(b"parent ") {
        let (parent, after) = id_line(rest, b"parent ").ok_or_else(malformed)?;
        parents.push(parent);
        rest = after;
    }
    let (headers, message) = headers_and_message(rest);
    Ok(Commit { tree, parents, headers, message })
}

/// Reads a line of this name and an id, and gives what follows it.
fn id_line<'a>(raw: &'a [u8], name: &[u8]) -> Option<(ObjectId, &'a [u8])> {
    let rest = raw.strip_prefix(name)?;
    let end = memchr::memchr(b'\n', rest)?;
    Some((ObjectId::from_hex(&rest[..end])?, &rest[end + 1..]))
}

/// The headers: author, committer, signatures, tags that a merge carries along, and whatever else somebody put there.
pub(super) fn text_headers(headers: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = headers;
    while !rest.is_empty() {
        // A line that begins with a space goes on with the header above it.
        let ends = memchr::memchr_iter(b'\n', rest).find(|&at| rest.get(at + 1) != Some(&b' '));
        let (header, after) = ends.map_or((rest, &[][..]), |at| (&rest[..at], &rest[at + 1..]));
        rest = after;
        match header.strip_prefix(b"author ").or_else(|| header.strip_prefix(b"committer ")) {
            // Without the time, so that one person is one text.
            Some(name) => found.push(without_time(name)),
            None => match header.starts_with(b"gpgsig").then(|| signature::body(header)).flatten() {
                Some(body) => found.extend([&header[..body.start], &header[body.end..]]),
                None => found.push(header),
            },
        }
    }
    found
}

/// A person's line up to the time behind it; all of it where something else stands there.
fn without_time(name: &[u8]) -> &[u8] {
    let (person, time) = name.split_at(memchr::memrchr(b'>', name).map_or(name.len(), |at| at + 1));
    if time.iter().all(|b| b.is_ascii_digit() || b" +-".contains(b)) { person } else { name }
}

/// The fields of a raw tag that we use.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    pub(super) target: ObjectId,
    /// Type, name and tagger.
    pub(super) headers: &'a [u8],
    pub(super) message: &'a [u8],
}

/// Reads a raw tag object.
pub(super) fn tag(id: ObjectId, raw: &[u8]) -> Result<Tag<'_>, ChangeError> {
    let malformed = || ChangeError::Malformed { kind: "tag", id };
    let end = memchr::memchr(b'\n', raw).ok_or_else(malformed)?;
    let hex = raw[..end].strip_prefix(b"object ").ok_or_else(malformed)?;
    let (headers, message) = headers_and_message(&raw[end + 1..]);
    Ok(Tag { target: ObjectId::from_hex(hex).ok_or_else(malformed)?, headers, message })
}

fn headers_and_message(rest: &[u8]) -> (&[u8], &[u8]) {
    if let Some(message) = rest.strip_prefix(b"\n") {
        return (&[], message);
    }
    match memchr::memmem::find(rest, b"\n\n") {
        Some(at) => (&rest[..at], &rest[at + 2..]),
        None => (rest, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_both_lengths_are_read_and_written() {
        for hex in ["0123456789abcdef0123456789abcdef01234567".to_owned(), "ab".repeat(32)] {
            assert_eq!(ObjectId::from_hex(hex.as_bytes()).unwrap().to_string(), hex);
        }
        assert!(ObjectId::from_hex(&[b'0'; 64]).unwrap().is_null());
        assert!(ObjectId::from_hex(b"0123").is_none());
        assert!(ObjectId::from_hex(&[b'g'; 40]).is_none());
    }

    #[test]
    fn a_broken_tree_is_an_error_and_not_an_empty_one() {
        let id = ObjectId::from_bytes(&[1; 20]).unwrap();
        let mut raw = b"100644 a\0".to_vec();
        raw.extend([7; 20]);
        assert_eq!(tree_entries(id, &raw).unwrap().len(), 1);
        assert!(tree_entries(id, &raw[..raw.len() - 1]).is_err());
        assert!(tree_entries(id, b"10x644 a\0").is_err());
    }

    #[test]
    fn a_commit_gives_parents_headers_and_message() {
        let id = ObjectId::from_bytes(&[1; 20]).unwrap();
        let (t, p) = ("a".repeat(40), "b".repeat(40));
        let raw = format!("tree {t}\nparent {p}\nauthor A <a@b> 1 +0\ncommitter C <c@d> 1 +0\n\nsubject\n\nbody\n");
        let commit = commit(id, raw.as_bytes()).unwrap();
        assert_eq!(commit.parents.len(), 1);
        assert_eq!(commit.message, b"subject\n\nbody\n");
        assert!(commit.headers.starts_with(b"author A") && commit.headers.ends_with(b"+0"));
    }

    #[test]
    fn a_second_tree_and_a_late_parent_are_text_as_they_are_for_git() {
        let id = ObjectId::from_bytes(&[1; 20]).unwrap();
        let (t, p, other) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        for late in [format!("tree {other}\n"), format!("tree {other}\nparent {other}\n")] {
            for parents in ["", &format!("parent {p}\n")] {
                let raw = format!("tree {t}\n{parents}{late}author A <a@b> 1 +0\n\nsubject\n");
                let commit = commit(id, raw.as_bytes()).unwrap();
                assert_eq!((commit.tree.to_string(), commit.parents.len()), (t.clone(), parents.lines().count()));
                assert!(commit.headers.starts_with(late.as_bytes()));
            }
        }
        assert!(commit(id, format!("parent {p}\ntree {t}\n\nsubject\n").as_bytes()).is_err());
    }

    #[test]
    fn of_a_person_only_a_time_is_left_out() {
        let of = |line: &str| text_headers(line.as_bytes()).concat();
        assert_eq!(of("author A <a@b> 1700000000 +0000"), b"A <a@b>");
        assert_eq!(of("committer A <a@b> 1700000000 +0000 x"), b"A <a@b> 1700000000 +0000 x");
        assert_eq!(of("author A"), b"A");
    }
}
