//! A change may be larger than what memory should hold: whoever lists it hands it on in parts, each of which is examined and
//! dropped before the next is listed.

use std::sync::atomic::Ordering;

use super::watch::PROGRESS;
use super::{ChangeSet, NewFile, NewText};

/// Examines a part of a change.
pub type Take<'t, E> = dyn FnMut(&mut ChangeSet) -> Result<(), E> + 't;

/// A part is handed on when it takes so many bytes: some hundred thousand files, which is more than nearly all changes have.
/// Tests see what becomes of parts with less.
const PART_BYTES: usize = if cfg!(debug_assertions) { 64 << 10 } else { 20 << 20 };
/// What a file takes beside its path: with its place in the lists of whoever reads the blobs, and in the heap.
const BESIDE: usize = size_of::<NewFile>() + 32;

/// In repositories of people an entry is listed once or twice. Where it is so many times, all is counted before anything is
/// examined: a few folders may make up billions of paths, and that is refused at once.
const REPEATED: u64 = if cfg!(debug_assertions) { 2 } else { 16 };

/// A change that is being listed.
pub(super) struct InParts<'t, E> {
    pub(super) change: ChangeSet,
    /// Bytes of what waits to be handed on.
    held: usize,
    handing: Handing,
    take: &'t mut Take<'t, E>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Handing {
    /// Nothing was handed on yet.
    First,
    On,
    /// What is listed is only counted.
    Counting,
}

/// Lists a change by `list`, and hands on what does not fit into one part; gives the last one.
pub(super) fn in_parts<E>(take: &mut Take<'_, E>, list: impl for<'p> Fn(InParts<'p, E>) -> Result<InParts<'p, E>, E>) -> Result<ChangeSet, E> {
    let mut listed = list(InParts::new(Handing::First, &mut *take))?;
    if listed.handing == Handing::Counting {
        PROGRESS.commits.store(0, Ordering::Relaxed);
        PROGRESS.folders.store(0, Ordering::Relaxed);
        listed = list(InParts::new(Handing::On, take))?;
    }
    PROGRESS.unlisted.store(false, Ordering::Relaxed);
    Ok(listed.change)
}

impl<'t, E> InParts<'t, E> {
    fn new(handing: Handing, take: &'t mut Take<'t, E>) -> Self {
        Self { change: ChangeSet::default(), held: 0, handing, take }
    }

    /// Takes in a file of a change of which so many entries were listed, and so many are stored.
    pub(super) fn file(&mut self, file: NewFile, listed: u64, stored: u64) -> Result<(), E> {
        self.held += file.path.len() + BESIDE;
        self.change.files.push(file);
        if self.is_full() && self.handing == Handing::First && listed > REPEATED * stored {
            self.handing = Handing::Counting;
        }
        self.hand_on()
    }

    /// Texts are handed on with files, or by [`InParts::hand_on`]: some are listed before their commits have the names of refs.
    pub(super) fn text(&mut self, text: NewText) {
        self.held += text.bytes.len() + size_of::<NewText>();
        self.change.texts.push(text);
    }

    /// True when what waits is enough for a part.
    pub(super) fn is_full(&self) -> bool {
        self.held > PART_BYTES
    }

    /// Hands on what waits if it is enough for a part.
    pub(super) fn hand_on(&mut self) -> Result<(), E> {
        if !self.is_full() {
            return Ok(());
        }
        if self.handing != Handing::Counting {
            self.handing = Handing::On;
            PROGRESS.unlisted.store(true, Ordering::Relaxed);
            (self.take)(&mut self.change)?;
        }
        self.change.files.clear();
        self.change.texts.clear();
        self.change.removed_lists.clear();
        self.change.unread.clear();
        self.held = 0;
        Ok(())
    }
}
