//! Change to findings: each blob is read once and scanned, and what is found is asked whether it is new.
//!
//! It is long because reading, handing over and scanning share one bounded store of versions, which is all of it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use crate::change::{
    Before, ChangeSet, Coverage, Kind, NewFile, Novelty, Object, ObjectId, PROGRESS, Part, Progress, Store, Unread, UpTo, changed_parts,
    is_lfs_pointer, is_promised,
};
use crate::config::Policy;
use crate::finding::{Finding, Where};
use crate::scan::{Hit, PathKind, Scanned, Scanner, Text, plain, plain_of};

use super::Failure;
use super::across::{self, InGit, LostIgnore};
use super::finding_maker::{FindingMaker, Place};
use super::large::{LARGE, Large};
use super::moves::Moves;
use super::packed::{PackedBefore, below};

/// What was found and what was looked at.
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
    pub(super) coverage: Coverage,
}

/// Reads and scans all of `change`.
pub(super) fn examine(store: &dyn Store, change: &ChangeSet, scanner: &Scanner<'_>, policy: &Policy) -> Result<Found, Failure> {
    let mut maker = FindingMaker::new(policy, change);
    let mut coverage = Coverage { commits: change.commits.len() as u64, refs: change.refs.len() as u64, ..Coverage::default() };
    coverage.unread.extend(change.unread.iter().cloned());
    for text in &change.texts {
        coverage.bytes += text.bytes.len() as u64;
        let scanned = scanner.look_into(Text { path: b"", part: text.part, bytes: &plain(text.bytes.clone()) })?;
        coverage.unread.extend(below(b"a message, a tag or a name", scanned.unread));
        for hit in scanned.hits {
            maker.add(hit, &Place { place: place_of(text.part), path: b"", commit: text.commit, reference: text.reference.as_deref() });
        }
    }
    let mut novelty = Novelty::new(store, change, plain);
    for (at, file) in change.files.iter().enumerate().filter(|(_, file)| file.path_is_new) {
        let place = Place { place: Where::Path, path: &file.path, commit: file.commit, reference: name_of(change, file) };
        let mut hits = scanner.scan(Text { path: b"", part: Part::Path, bytes: &file.path })?;
        hits.extend(scanner.scan_path(&file.path));
        for hit in hits {
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
    let mut hits_of = scan_files(store, change, scanner, policy, &mut coverage)?;
    let own = across::own_values(store, change, scanner, policy, &mut coverage.unread)?;
    // What was found beside another file says more than what a rule saw in the same line.
    for (file, scanned) in &mut hits_of {
        if scanned.hits.len() > MOST_HITS {
            scanned.hits.truncate(MOST_HITS);
            let why = format!("it holds more than {MOST_HITS} findings; the others are not listed");
            coverage.unread.push(Unread { path: change.files[*file].path.to_vec(), why });
        }
        let told = |hit: &Hit<'_>| own.iter().any(|(at, own)| at == file && own.span.map(|span| span.line) == hit.span.map(|span| span.line));
        scanned.hits.retain(|hit| hit.inside.is_some() || !(told(hit) || lists.contains(file) && hit.rule.text().yields));
    }
    hits_of.extend(own.into_iter().map(|(file, hit)| (file, Scanned { hits: vec![hit], unread: Vec::new() })));
    for (file, scanned) in hits_of {
        let new_file = &change.files[file];
        coverage.unread.extend(below(&new_file.path, scanned.unread));
        let place = Place { place: Where::Content, path: &new_file.path, commit: new_file.commit, reference: name_of(change, new_file) };
        for hit in scanned.hits {
            let before = match (&hit.raw, &hit.secret) {
                _ if hit.inside.is_some() => packed.before(&hit, file, place.path, scanner, &mut novelty)?,
                (Some(raw), Some(_)) => novelty.value(file, raw.expose())?,
                (Some(raw), None) => novelty.lines(file, raw.expose())?,
                (None, _) => Before::Moved(Vec::new()),
            };
            let new = match before {
                Before::Here => false,
                Before::Moved(from) => !moves.weighed_as_much(&from, file, place.path, &hit, &mut maker)?,
            };
            let beside = InGit { store, change, file: new_file };
            if new && let Some(severity) = across::severity(&hit, place.path, &beside)? {
                maker.add_as(severity, hit, &place);
            }
        }
    }
    Ok(Found { findings: maker.into_findings(), coverage })
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
/// At most so many batches wait: with the two being filled and scanned that bounds the memory.
const WAITING_BATCHES: usize = 4;

/// More findings in one file are not listed: nobody reads them, and whoever makes them wants to fill the memory.
pub(super) const MOST_HITS: usize = 10_000;

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
    object: Arc<Object>,
    new: Vec<Range<usize>>,
}

/// Reads every unique blob once and scans it. Reading and scanning overlap where there is much to do.
fn scan_files<'r>(
    store: &dyn Store,
    change: &ChangeSet,
    scanner: &Scanner<'r>,
    policy: &Policy,
    coverage: &mut Coverage,
) -> Result<Vec<FileHits<'r>>, Failure> {
    let blobs = Blobs::of(change);
    coverage.blobs = blobs.len() as u64;
    Progress::add(&PROGRESS.blobs, coverage.blobs);
    let work = Work { change, scanner, blobs: &blobs };
    let mut reader = Reader { work, large: Vec::new(), store, change, blobs: &blobs, limit: policy.max_file_bytes, coverage };
    let mut out = Vec::new();
    if blobs.len() < FILES_WORTH_A_THREAD {
        reader.read_all(|version| work.scan(&version, &mut out))?;
    } else {
        store.expect_many();
        std::thread::scope(|scope| -> Result<(), Failure> {
            let (send, receive) = sync_channel(WAITING_BATCHES);
            let worker = scope.spawn(move || work.scan_all(receive));
            read_all(&mut reader, &work, &send, &mut out)?;
            drop(send);
            out.extend(worker.join().map_err(|_| Failure::Thread)??);
            Ok(())
        })?;
    }
    out.append(&mut reader.large);
    // Which thread scanned a file must not show.
    out.sort_by_key(|(file, _)| *file);
    Ok(out)
}

/// The blobs of the change, each with the files that hold it. A million files are no more than a few megabytes here.
struct Blobs<'a> {
    change: &'a ChangeSet,
    /// Files that have a blob, those of one blob side by side.
    files: Vec<u32>,
    /// For each blob its part of `files`.
    parts: Vec<Range<u32>>,
}

impl<'a> Blobs<'a> {
    /// In the order in which they are read fastest: git keeps the versions of a file as differences from the newest, so that
    /// one comes first and the older ones find their base in memory.
    fn of(change: &'a ChangeSet) -> Self {
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

    fn len(&self) -> usize {
        self.parts.len()
    }

    /// The files that hold a blob, the oldest first; there is at least one.
    fn files(&self, at: usize) -> &[u32] {
        let part = &self.parts[at];
        &self.files[part.start as usize..part.end as usize]
    }

    fn id(&self, at: usize) -> ObjectId {
        self.change.files[self.files(at)[0] as usize].blob.unwrap_or_else(ObjectId::null)
    }
}

fn read_all<'r>(reader: &mut Reader<'_, 'r>, work: &Work<'_, 'r>, send: &SyncSender<Batch>, own: &mut Vec<FileHits<'r>>) -> Result<(), Failure> {
    let (mut batch, mut size) = (Batch::new(), 0);
    reader.read_all(|version| {
        if version.object.bytes.len() > BATCH_BYTES {
            return work.scan(&version, own);
        }
        size += version.object.bytes.len();
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
        let mut waiting: Option<(usize, Arc<Object>)> = None;
        for at in 0..self.blobs.len() {
            let next = self.read(at)?.map(|object| (at, object));
            if let Some((earlier, object)) = waiting.take() {
                let new = self.new_parts(earlier, &object.bytes, next.as_ref())?;
                hand_on(Version { at: earlier, object, new })?;
            }
            waiting = next;
        }
        if let Some((at, object)) = waiting {
            let new = self.new_parts(at, &object.bytes, None)?;
            hand_on(Version { at, object, new })?;
        }
        Ok(())
    }

    /// The parts of a blob that its parent's version of the file does not have; all of a blob that stands at several paths.
    fn new_parts(&self, at: usize, bytes: &[u8], next: Option<&(usize, Arc<Object>)>) -> Result<Vec<Range<usize>>, Failure> {
        let whole = std::iter::once(0..bytes.len()).collect();
        let [file] = *self.blobs.files(at) else { return Ok(whole) };
        let Some(before) = self.change.files[file as usize].before else { return Ok(whole) };
        if let Some((_, earlier)) = next.filter(|(next, _)| self.blobs.id(*next) == before) {
            return Ok(changed_parts(bytes, &earlier.bytes));
        }
        // A small file is scanned faster than its earlier version is read.
        if bytes.len() < WORTH_COMPARING || !self.store.holds(before) {
            return Ok(whole);
        }
        match self.store.read_up_to(before, LARGE.min(self.limit))? {
            UpTo::Whole(earlier) => Ok(changed_parts(bytes, &as_plain(earlier).bytes)),
            UpTo::Larger(..) => Ok(whole),
        }
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
        let mut by_kind: HashMap<PathKind, Scanned<'r>> = HashMap::new();
        for &file in self.blobs.files(at) {
            let path = &self.change.files[file as usize].path;
            let kind = work.scanner.kind(path, b"");
            if !by_kind.contains_key(&kind) {
                let mut large = Large::new(work.scanner, path);
                let mut outcome = Ok(());
                let mut read = 0;
                let is_read = self.store.read_in_parts(id, &mut |bytes| {
                    read += bytes.len() as u64;
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
                by_kind.insert(kind.clone(), large.finish()?);
            }
            let scanned = by_kind.get(&kind).cloned().unwrap_or_default();
            if !(scanned.hits.is_empty() && scanned.unread.is_empty()) {
                self.large.push((file as usize, scanned));
            }
        }
        Progress::add(&PROGRESS.scanned, 1);
        Progress::add(&PROGRESS.bytes, size);
        self.coverage.files += self.blobs.files(at).len() as u64;
        self.coverage.bytes += size;
        Ok(())
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
}

impl<'r> Work<'_, 'r> {
    fn scan_all(self, batches: Receiver<Batch>) -> Result<Vec<FileHits<'r>>, Failure> {
        let mut out = Vec::new();
        for batch in batches {
            self.scan_batch(&batch, &mut out)?;
        }
        Ok(out)
    }

    fn scan_batch(&self, batch: &Batch, out: &mut Vec<FileHits<'r>>) -> Result<(), Failure> {
        batch.iter().try_for_each(|version| self.scan(version, out))
    }

    /// Scans a blob once for each kind of path that it stands at: the path decides which rules apply.
    fn scan(&self, version: &Version, out: &mut Vec<FileHits<'r>>) -> Result<(), Failure> {
        let bytes = version.object.bytes.as_slice();
        let mut by_kind: HashMap<PathKind, Scanned<'r>> = HashMap::new();
        let files = self.blobs.files(version.at);
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
            if !(scanned.hits.is_empty() && scanned.unread.is_empty()) {
                // One more than are listed says that there are more.
                scanned.hits.truncate(MOST_HITS + 1);
                scanned.hits.shrink_to_fit();
                out.push((file as usize, scanned));
            }
        }
        Progress::add(&PROGRESS.scanned, 1);
        Progress::add(&PROGRESS.bytes, bytes.len() as u64);
        Ok(())
    }
}
