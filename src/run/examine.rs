//! Change to findings: each blob is read once and scanned, and what is found is asked whether it is new.
//!
//! It is long because reading, handing over and scanning share one bounded store of versions, which is all of it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use crate::change::{
    Before, ChangeSet, Coverage, Kind, NewFile, Novelty, Object, ObjectId, PROGRESS, Part, Progress, Store, Unread, UpTo, changed_parts,
    is_lfs_pointer, is_promised, with_neighbours,
};
use crate::config::Policy;
use crate::finding::{Finding, Secret, Where};
use crate::scan::{Hit, LARGE, Large, MOST_HITS, PathKind, Scanned, Scanner, Text, plain, plain_of};

use super::Failure;
use super::across::{self, InGit, LostIgnore};
use super::blobs::Blobs;
use super::finding_maker::{FindingMaker, Place};
use super::moves::Moves;
use super::packed::{Ends, PackedBefore, below};
use super::remembered::{Remembered, name_of_version};
use super::spool::{self, Spool};

/// What was found and what was looked at.
#[derive(Default)]
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
    pub(super) coverage: Coverage,
    /// Matches kept so far.
    hits: usize,
    /// Bytes searched so far for what was there before.
    searched: u64,
}

impl Found {
    pub(super) fn of(findings: Vec<Finding>, coverage: Coverage) -> Self {
        Self { findings, coverage, ..Self::default() }
    }
}

/// Reads and scans all of `change`, which may be a part of a larger one: what was found in the parts before stands in `all`.
/// What `remembered` knows to hold nothing is not read.
pub(super) fn examine(
    store: &dyn Store,
    change: &ChangeSet,
    scanner: &Scanner<'_>,
    policy: &Policy,
    remembered: Option<&Remembered>,
    all: &mut Found,
) -> Result<(), Failure> {
    let mut maker = FindingMaker::new(policy, change);
    let coverage = &mut all.coverage;
    (coverage.commits, coverage.refs) = (change.commits.len() as u64, change.refs.len() as u64);
    coverage.unread.extend(change.unread.iter().cloned());
    coverage.bytes += change.texts.iter().map(|text| text.bytes.len() as u64).sum::<u64>();
    let found = AtomicUsize::new(all.hits);
    let (words, mut hits_of) = scan_all(store, change, scanner, policy, remembered, &found, coverage)?;
    all.hits = found.into_inner();
    for (text, scanned) in words.texts {
        let text = &change.texts[text];
        coverage.unread.extend(below(NO_FILE, scanned.unread));
        coverage.beyond.extend(scanned.is_cut.then(|| beyond(NO_FILE)));
        for hit in scanned.hits {
            maker.add(hit, &Place { place: place_of(text.part), path: b"", commit: text.commit, reference: text.reference.as_deref() });
        }
    }
    let mut novelty = Novelty::new(store, change, plain).after(all.searched);
    for (at, scanned) in words.names {
        let file = &change.files[at];
        let place = Place { place: Where::Path, path: &file.path, commit: file.commit, reference: name_of(change, file) };
        coverage.unread.extend(below(NO_FILE, scanned.unread));
        coverage.beyond.extend(scanned.is_cut.then(|| beyond(NO_FILE)));
        for hit in scanned.hits {
            let new = match &hit.raw {
                Some(raw) => novelty.name_is_new(at, raw.expose())?,
                None => true,
            };
            if new {
                maker.add(hit, &place);
            }
        }
    }
    let mut moves = Moves::new(scanner, policy);
    let mut packed = PackedBefore::default();
    let lost = across::lost_ignores(store, change, scanner)?;
    let lists: Vec<usize> = lost.iter().filter_map(|lost| lost.file).collect();
    for LostIgnore { path, file, commit, hit } in lost {
        let file = file.map(|at| &change.files[at]);
        let reference = file.and_then(|file| name_of(change, file));
        maker.add(hit, &Place { place: Where::Content, path: &path, commit, reference });
    }
    let own = across::own_values(store, change, scanner, policy, &mut coverage.unread)?;
    // What was found beside another file says more than what a rule saw in the same line.
    for (file, scanned) in &mut hits_of {
        // What is not listed was not asked whether it is new, so that it blocks.
        coverage.beyond.extend(scanned.is_cut.then(|| beyond(&change.files[*file].path)));
        let told = |hit: &Hit<'_>| own.iter().any(|(at, own)| at == file && own.span.map(|span| span.line) == hit.span.map(|span| span.line));
        scanned.hits.retain(|hit| hit.inside.is_some() || !(told(hit) || lists.contains(file) && hit.rule.text().yields));
    }
    hits_of.extend(own.into_iter().map(|(file, hit)| (file, Scanned { hits: vec![hit], ..Scanned::default() })));
    for (file, scanned) in hits_of {
        let new_file = &change.files[file];
        coverage.unread.extend(below(&new_file.path, scanned.unread));
        let place = Place { place: Where::Content, path: &new_file.path, commit: new_file.commit, reference: name_of(change, new_file) };
        for hit in scanned.hits {
            let before = match (&hit.raw, &hit.secret) {
                _ if hit.inside.is_some() => packed.before(&hit, file, place.path, scanner, &mut novelty)?,
                (Some(raw), Some(_)) => novelty.value(file, raw.expose())?,
                (Some(raw), None) => novelty.lines(file, raw.expose())?,
                (None, _) => Before::In(Vec::new()),
            };
            let new = match before {
                Before::Here => false,
                Before::In(from) => {
                    let value = hit.raw.as_ref().map_or(&b""[..], Secret::expose);
                    !moves.weighed_as_much(&from, file, place.path, (&hit, value), &mut maker)?
                }
            };
            let beside = InGit { store, change, file: new_file };
            if new && let Some(severity) = across::severity(&hit, place.path, &beside)? {
                maker.add_as(severity, hit, &place);
            }
        }
    }
    all.searched = novelty.searched();
    all.findings.extend(maker.into_findings());
    Ok(())
}

/// The ref that names the file itself.
fn name_of<'a>(change: &'a ChangeSet, file: &NewFile) -> Option<&'a [u8]> {
    change.refs.get(file.reference? as usize).map(Vec::as_slice)
}

fn place_of(part: Part) -> Where {
    match part {
        Part::Content => Where::Content,
        Part::Message => Where::Message,
        Part::Author => Where::Author,
        Part::Tag => Where::Tag,
        Part::Ref => Where::Ref,
        Part::Path => Where::Path,
    }
}

/// Fewer new files are scanned where they are read: a thread costs more than it saves.
const FILES_WORTH_A_THREAD: usize = 64;
/// Blobs are handed over in batches of about this many bytes, so that the hand-over costs nothing; a larger blob is
/// scanned by the thread that reads it.
const BATCH_BYTES: usize = 1 << 20;
/// So much memory a blob takes beside its bytes: a megabyte of tiny ones would otherwise be fifteen.
const BESIDE: usize = 200;
/// At most so many batches wait: with the two being filled and scanned that bounds the memory.
const WAITING_BATCHES: usize = 4;

/// In all files together not many more are listed either. What each takes, with its finding and its line in the report, is
/// about a kilobyte.
const MOST_HITS_IN_ALL: usize = 50_000;

/// A match of so many bytes counts for two, and so on.
const LONG_HIT: usize = 512;

/// Why the content behind a pointer is unread.
const LFS: &str = "it is a Git LFS pointer; what it stands for is not in git";

/// Smaller files are scanned whole unless the version before is at hand anyway.
const WORTH_COMPARING: usize = 4 << 10;

/// Matches of one file version, by its index in the change.
type FileHits<'r> = (usize, Scanned<'r>);
/// Blobs that were read.
type Batch = Vec<Version>;

/// A blob that was read: its index among the unique ones, its bytes, and the parts of them that can be new.
struct Version {
    at: usize,
    /// Bytes in the repository, which are not always those that are scanned.
    size: u64,
    object: Arc<Object>,
    new: Vec<Range<usize>>,
}

/// What was found outside of files, each with its index in the change.
struct Words<'r> {
    texts: Vec<(usize, Scanned<'r>)>,
    /// Names of files that no parent has.
    names: Vec<(usize, Scanned<'r>)>,
}

/// What stands for the path of what is no file.
const NO_FILE: &[u8] = b"a message, a tag or a name";

fn words<'r>(Work { change, scanner, found, .. }: Work<'_, 'r>) -> Result<Words<'r>, Failure> {
    let mut words = Words { texts: Vec::new(), names: Vec::new() };
    for (at, text) in change.texts.iter().enumerate() {
        let mut scanned = scanner.look_into(Text { path: b"", part: text.part, bytes: &plain(text.bytes.clone()) })?;
        if !scanned.says_nothing() {
            bound(&mut scanned, found);
            words.texts.push((at, scanned));
        }
    }
    for (at, file) in change.files.iter().enumerate().filter(|(_, file)| file.path_is_new) {
        let mut scanned = scanner.look_into(Text { path: b"", part: Part::Path, bytes: &file.path })?;
        scanned.hits.extend(scanner.scan_path(&file.path));
        if !scanned.says_nothing() {
            bound(&mut scanned, found);
            words.names.push((at, scanned));
        }
    }
    Ok(words)
}

/// Scans all texts and names, and reads every unique blob once and scans it. Reading and scanning overlap where there is much
/// to do.
fn scan_all<'r>(
    store: &dyn Store,
    change: &ChangeSet,
    scanner: &Scanner<'r>,
    policy: &Policy,
    remembered: Option<&Remembered>,
    found: &AtomicUsize,
    coverage: &mut Coverage,
) -> Result<(Words<'r>, Vec<FileHits<'r>>), Failure> {
    let blobs = Blobs::of(change);
    coverage.blobs += blobs.len() as u64;
    Progress::add(&PROGRESS.blobs, blobs.len() as u64);
    let work = Work { change, scanner, blobs: &blobs, found, remembered };
    let mut reader = Reader { work, large: Vec::new(), store, change, blobs: &blobs, limit: policy.max_file_bytes, coverage };
    let mut out = Vec::new();
    let words = if blobs.len() < FILES_WORTH_A_THREAD {
        reader.read_all(|version| work.scan(&version, &mut out))?;
        words(work)?
    } else {
        store.expect_many();
        std::thread::scope(|scope| -> Result<_, Failure> {
            let (send, receive) = sync_channel(WAITING_BATCHES);
            let worker = scope.spawn(move || Ok::<_, Failure>((words(work)?, work.scan_batches(receive)?)));
            read_all(&mut reader, &work, &send, &mut out)?;
            drop(send);
            let (words, scanned) = worker.join().map_err(|_| Failure::Thread)??;
            out.extend(scanned);
            Ok(words)
        })?
    };
    out.append(&mut reader.large);
    // Which thread scanned a file must not show.
    out.sort_by_key(|(file, _)| *file);
    Ok((words, out))
}

fn read_all<'r>(reader: &mut Reader<'_, 'r>, work: &Work<'_, 'r>, send: &SyncSender<Batch>, own: &mut Vec<FileHits<'r>>) -> Result<(), Failure> {
    let (mut batch, mut size) = (Batch::new(), 0);
    reader.read_all(|version| {
        if version.object.bytes.len() > BATCH_BYTES {
            return work.scan(&version, own);
        }
        size += version.object.bytes.len() + BESIDE;
        batch.push(version);
        if size < BATCH_BYTES {
            return Ok(());
        }
        size = 0;
        match send.try_send(std::mem::take(&mut batch)) {
            Ok(()) => Ok(()),
            // The other thread has enough to do: lend a hand instead of waiting.
            Err(TrySendError::Full(batch)) => work.scan_batch(&batch, own),
            Err(TrySendError::Disconnected(_)) => Err(Failure::Thread),
        }
    })?;
    work.scan_batch(&batch, own)
}

struct Reader<'a, 'r> {
    work: Work<'a, 'r>,
    /// Matches of what was scanned while it was read.
    large: Vec<FileHits<'r>>,
    store: &'a dyn Store,
    change: &'a ChangeSet,
    blobs: &'a Blobs<'a>,
    limit: u64,
    coverage: &'a mut Coverage,
}

impl<'r> Reader<'_, 'r> {
    /// Reads every blob once and hands it on with the part that can be new. The versions of one file follow each other, the
    /// newest first, so the version before is most often the next one.
    fn read_all(&mut self, mut hand_on: impl FnMut(Version) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut waiting: Option<(usize, Arc<Object>, u64)> = None;
        for at in 0..self.blobs.len() {
            if self.is_remembered(at) {
                continue;
            }
            let read = self.coverage.bytes;
            let next = self.read(at)?;
            let size = self.coverage.bytes - read;
            let next = next.map(|object| (at, object, size));
            if let Some((earlier, object, size)) = waiting.take() {
                let new = self.new_parts(earlier, &object.bytes, next.as_ref().map(|(at, object, _)| (*at, object)))?;
                hand_on(Version { at: earlier, size, object, new })?;
            }
            waiting = next;
        }
        if let Some((at, object, size)) = waiting {
            let new = self.new_parts(at, &object.bytes, None)?;
            hand_on(Version { at, size, object, new })?;
        }
        Ok(())
    }

    /// The parts of a blob that its parent's version of the file does not have; all of a blob that stands at several paths.
    fn new_parts(&self, at: usize, bytes: &[u8], next: Option<(usize, &Arc<Object>)>) -> Result<Vec<Range<usize>>, Failure> {
        let whole = std::iter::once(0..bytes.len()).collect();
        let [file] = *self.blobs.files(at) else { return Ok(whole) };
        let Some(before) = self.change.files[file as usize].before else { return Ok(whole) };
        if let Some((_, earlier)) = next.filter(|(next, _)| self.blobs.id(*next) == before) {
            return Ok(with_neighbours(bytes, changed_parts(bytes, &earlier.bytes)));
        }
        // A small file is scanned faster than its earlier version is read.
        if bytes.len() < WORTH_COMPARING || !self.store.holds(before) {
            return Ok(whole);
        }
        match self.store.read_up_to(before, LARGE.min(self.limit))? {
            UpTo::Whole(earlier) => Ok(with_neighbours(bytes, changed_parts(bytes, &as_plain(earlier).bytes))),
            UpTo::Larger(..) => Ok(whole),
        }
    }

    /// True for a blob that an earlier run read and found nothing in.
    fn is_remembered(&mut self, at: usize) -> bool {
        let known = self.work.remembered.and_then(|remembered| remembered.size(&self.work.name(at)));
        let Some(size) = known else { return false };
        Progress::add(&PROGRESS.scanned, 1);
        self.coverage.remembered += 1;
        self.coverage.files += self.blobs.files(at).len() as u64;
        self.coverage.bytes += size;
        true
    }

    /// Reads a blob; `None` when it is scanned already, over the limit, or not here on purpose: the coverage says which.
    fn read(&mut self, at: usize) -> Result<Option<Arc<Object>>, Failure> {
        let (id, files) = (self.blobs.id(at), self.blobs.files(at));
        let read = match self.store.read_up_to(id, LARGE.min(self.limit)) {
            Ok(read) => read,
            Err(error) if is_promised(self.store, &error)? => {
                self.unread(at, "it is not in this partial clone, and hooks fetch nothing");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let object = match read {
            UpTo::Whole(object) if object.kind == Kind::Blob => object,
            UpTo::Larger(Kind::Blob, size) if size > self.limit => {
                self.unread(at, &format!("it has {size} bytes; `limits.max_file_bytes` is {}", self.limit));
                return Ok(None);
            }
            UpTo::Larger(Kind::Blob, size) => {
                self.read_large(at, size)?;
                return Ok(None);
            }
            _ => return Err(crate::change::ChangeError::WrongKind { id, wanted: "blob" }.into()),
        };
        if is_lfs_pointer(&object.bytes) {
            let pointer = |&file: &u32| Unread { path: self.change.files[file as usize].path.to_vec(), why: LFS.to_owned() };
            self.coverage.lfs.extend(files.iter().map(pointer));
        }
        self.coverage.files += files.len() as u64;
        self.coverage.bytes += object.bytes.len() as u64;
        Ok(Some(as_plain(object)))
    }

    /// Scans a blob while it is read, once for each kind of path that it stands at.
    fn read_large(&mut self, at: usize, size: u64) -> Result<(), Failure> {
        let (id, work) = (self.blobs.id(at), self.work);
        let mut is_clean = true;
        let mut by_kind: HashMap<PathKind, Scanned<'r>> = HashMap::new();
        for &file in self.blobs.files(at) {
            let path = &self.change.files[file as usize].path;
            let kind = work.scanner.kind(path, b"");
            if !by_kind.contains_key(&kind) {
                let mut large = Large::new(work.scanner, path);
                let mut outcome = Ok(());
                let (mut read, mut ends) = (0, Ends::default());
                let is_read = self.store.read_in_parts(id, &mut |bytes| {
                    read += bytes.len() as u64;
                    ends.see(bytes);
                    outcome = large.push(bytes);
                    outcome.is_ok()
                })?;
                outcome?;
                if !is_read {
                    self.unread(at, &format!("it has {size} bytes, and without a `git` beside leakstop more than {LARGE} cannot be read in parts"));
                    return Ok(());
                }
                if read != size {
                    return Err(crate::change::ChangeError::Malformed { kind: "blob", id }.into());
                }
                let mut scanned = large.finish()?;
                if ends.are_of_an_archive() {
                    self.unpack_large(id, size, path, &mut scanned)?;
                }
                by_kind.insert(kind.clone(), scanned);
            }
            let mut scanned = by_kind.get(&kind).cloned().unwrap_or_default();
            if !scanned.says_nothing() {
                bound(&mut scanned, work.found);
                self.large.push((file as usize, scanned));
                is_clean = false;
            }
        }
        if is_clean {
            work.remember(at, size);
        }
        Progress::add(&PROGRESS.scanned, 1);
        Progress::add(&PROGRESS.bytes, size);
        self.coverage.files += self.blobs.files(at).len() as u64;
        self.coverage.bytes += size;
        Ok(())
    }

    /// Looks into an archive that is too large to be held.
    fn unpack_large(&self, id: ObjectId, size: u64, path: &[u8], scanned: &mut Scanned<'r>) -> Result<(), Failure> {
        if let Err(why) = spool::has_room(size) {
            scanned.unread.push(Unread { path: Vec::new(), why });
            return Ok(());
        }
        let mut spool = Spool::new(size)?;
        let (mut outcome, mut read) = (Ok(()), 0);
        self.store.read_in_parts(id, &mut |bytes| {
            read += bytes.len() as u64;
            outcome = spool.put(bytes);
            outcome.is_ok()
        })?;
        outcome?;
        // The beginning of an archive may look like a whole one.
        if read != size {
            return Err(crate::change::ChangeError::Malformed { kind: "blob", id }.into());
        }
        Ok(self.work.scanner.look_into_packed(path, spool.file(), size, scanned)?)
    }

    fn unread(&mut self, at: usize, why: &str) {
        let paths = self.blobs.files(at).iter().map(|&file| self.change.files[file as usize].path.to_vec());
        self.coverage.unread.extend(paths.map(|path| Unread { path, why: why.to_owned() }));
    }
}

/// The object with its text as it is scanned.
fn as_plain(object: Arc<Object>) -> Arc<Object> {
    match plain_of(&object.bytes) {
        Some(bytes) => Arc::new(Object { kind: object.kind, bytes }),
        None => object,
    }
}

#[derive(Clone, Copy)]
struct Work<'a, 'r> {
    change: &'a ChangeSet,
    scanner: &'a Scanner<'r>,
    blobs: &'a Blobs<'a>,
    remembered: Option<&'a Remembered>,
    /// Matches kept so far.
    found: &'a AtomicUsize,
}

/// Keeps no more matches in all than fit into the memory.
pub(super) fn bound(scanned: &mut Scanned<'_>, found: &AtomicUsize) {
    let bytes = |value: &Option<Secret>| value.as_ref().map_or(0, |value| value.expose().len());
    let counts_for = |hit: &Hit<'_>| 1 + (bytes(&hit.secret) + bytes(&hit.raw)) / LONG_HIT;
    let weight = scanned.hits.iter().map(counts_for).sum();
    let mut room = MOST_HITS_IN_ALL.saturating_sub(found.fetch_add(weight, Ordering::Relaxed));
    let fits = |hit: &&Hit<'_>| {
        let left = room.checked_sub(counts_for(hit));
        room = left.unwrap_or_default();
        left.is_some()
    };
    let kept = scanned.hits.iter().take_while(fits).count();
    scanned.is_cut |= scanned.hits.len() > kept;
    scanned.hits.truncate(kept);
    scanned.hits.shrink_to_fit();
}

/// Says that a file holds more than is listed.
pub(super) fn beyond(path: &[u8]) -> Unread {
    let why = format!("it holds more than {MOST_HITS} findings, or the last of more than {MOST_HITS_IN_ALL} in all; the others are not listed");
    Unread { path: path.to_vec(), why }
}

impl<'r> Work<'_, 'r> {
    fn scan_batches(self, batches: Receiver<Batch>) -> Result<Vec<FileHits<'r>>, Failure> {
        let mut out = Vec::new();
        for batch in batches {
            self.scan_batch(&batch, &mut out)?;
        }
        Ok(out)
    }

    fn scan_batch(&self, batch: &Batch, out: &mut Vec<FileHits<'r>>) -> Result<(), Failure> {
        batch.iter().try_for_each(|version| self.scan(version, out))
    }

    /// What a later run knows a blob by.
    fn name(&self, at: usize) -> [u8; 16] {
        name_of_version(self.blobs.id(at), self.blobs.files(at).iter().map(|&file| &self.change.files[file as usize]))
    }

    /// Nothing was found in it, nothing of it was left out.
    fn remember(&self, at: usize, size: u64) {
        if let Some(remembered) = self.remembered {
            remembered.is_clean(self.name(at), size);
        }
    }

    /// Scans a blob once for each kind of path that it stands at: the path decides which rules apply.
    fn scan(&self, version: &Version, out: &mut Vec<FileHits<'r>>) -> Result<(), Failure> {
        let bytes = version.object.bytes.as_slice();
        let mut by_kind: HashMap<PathKind, Scanned<'r>> = HashMap::new();
        let files = self.blobs.files(version.at);
        // Every run tells of pointers.
        let mut is_clean = !is_lfs_pointer(bytes);
        for &file in files {
            let path = &self.change.files[file as usize].path;
            let text = Text { path, part: Part::Content, bytes };
            let mut scanned = if files.len() == 1 {
                self.scanner.scan_new(text, &version.new)?
            } else {
                let kind = self.scanner.kind(path, bytes);
                match by_kind.get(&kind) {
                    Some(scanned) => scanned.clone(),
                    None => by_kind.entry(kind).or_insert(self.scanner.look_into(text)?).clone(),
                }
            };
            if !scanned.says_nothing() {
                bound(&mut scanned, self.found);
                out.push((file as usize, scanned));
                is_clean = false;
            }
        }
        if is_clean {
            self.remember(version.at, version.size);
        }
        Progress::add(&PROGRESS.scanned, 1);
        Progress::add(&PROGRESS.bytes, bytes.len() as u64);
        Ok(())
    }
}
