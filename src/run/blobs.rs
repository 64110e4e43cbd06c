//! In which order are the blobs of a change read, and which files hold each of them?

use std::ops::Range;

use crate::change::{ChangeSet, ObjectId};

/// The blobs of the change, each with the files that hold it. A million files are no more than a few megabytes here.
pub(super) struct Blobs<'a> {
    change: &'a ChangeSet,
    /// Files that have a blob, those of one blob side by side.
    files: Vec<u32>,
    /// For each blob its part of `files`.
    parts: Vec<Range<u32>>,
}

impl<'a> Blobs<'a> {
    /// In the order in which they are read fastest: git keeps the versions of a file as differences from the newest, so that
    /// one comes first and the older ones find their base in memory.
    pub(super) fn of(change: &'a ChangeSet) -> Self {
        let file = |at: u32| &change.files[at as usize];
        let mut files: Vec<u32> = (0..change.files.len() as u32).filter(|&at| file(at).blob.is_some()).collect();
        files.sort_unstable_by(|&a, &b| file(a).blob.cmp(&file(b).blob).then(a.cmp(&b)));
        let mut parts: Vec<Range<u32>> = Vec::new();
        for (at, of) in files.iter().enumerate() {
            match parts.last_mut().filter(|part| file(files[part.start as usize]).blob == file(*of).blob) {
                Some(part) => part.end += 1,
                None => parts.push(at as u32..at as u32 + 1),
            }
        }
        // The files stand in the order of history.
        let first = |part: &Range<u32>| files[part.start as usize];
        parts.sort_unstable_by(|a, b| file(first(a)).path.cmp(&file(first(b)).path).then(first(b).cmp(&first(a))));
        Self { change, files, parts }
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// The files that hold a blob, the oldest first; there is at least one.
    pub(super) fn files(&self, at: usize) -> &[u32] {
        let part = &self.parts[at];
        &self.files[part.start as usize..part.end as usize]
    }

    pub(super) fn id(&self, at: usize) -> ObjectId {
        self.change.files[self.files(at)[0] as usize].blob.unwrap_or_else(ObjectId::null)
    }
}
