//! The story of `scan PATH` and `scan --stdin`: everything in them counts as new.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::change::{self, Coverage, DiskFile, Part, Unread};
use crate::config::Policy;
use crate::finding::Where;
use crate::rules::Rules;
use crate::scan::{LARGE, Large, Scanned, Scanner, Text, plain};

use super::Failure;
use super::across;
use super::examine::{Found, beyond, bound};
use super::finding_maker::{FindingMaker, Place};
use super::packed::{Ends, below, limits};

/// Fewer files are not worth a second thread.
const FILES_WORTH_A_THREAD: usize = 64;
/// So many threads take files; more wait for the disk rather than for the processor.
const MOST_THREADS: usize = 8;

/// Scans files and folders.
pub(super) fn examine_files(paths: &[PathBuf], everything: bool, root: Option<&Path>, rules: &Rules, policy: &Policy) -> Result<Found, Failure> {
    let listed = change::files(paths, everything, root)?;
    let scanner = Scanner::new(rules).within(limits(policy));
    let (next, found) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = Work { files: &listed.files, next: &next, found: &found, scanner: &scanner, limit: policy.max_file_bytes };
    let threads =
        if listed.files.len() < FILES_WORTH_A_THREAD { 1 } else { std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS) };
    let mut results = std::thread::scope(|scope| -> Result<Vec<Examined<'_>>, Failure> {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| work.run())).collect();
        let mut results = work.run()?;
        for other in others {
            results.extend(other.join().map_err(|_| Failure::Thread)??);
        }
        Ok(results)
    })?;
    results.sort_by_key(|scanned| scanned.file);
    let mut coverage = Coverage::default();
    let mut maker = FindingMaker::without_git(policy);
    let listed_paths: HashSet<&[u8]> = listed.files.iter().map(|file| file.path.as_slice()).collect();
    let in_name = |path| Place { place: Where::Path, path, commit: None, reference: None };
    for scanned in results {
        let path = &listed.files[scanned.file].path;
        coverage.beyond.extend(scanned.in_name.is_cut.then(|| beyond(path)));
        coverage.unread.extend(below(path, scanned.in_name.unread));
        scanned.in_name.hits.into_iter().for_each(|hit| maker.add(hit, &in_name(path)));
        match scanned.outcome {
            Outcome::Read { bytes, in_text } => {
                coverage.beyond.extend(in_text.is_cut.then(|| beyond(path)));
                coverage.files += 1;
                coverage.bytes += bytes;
                coverage.unread.extend(below(path, in_text.unread));
                for hit in in_text.hits {
                    if let Some(severity) = across::severity(&hit, path, &listed_paths)? {
                        maker.add_as(severity, hit, &Place { place: Where::Content, path, commit: None, reference: None });
                    }
                }
            }
            Outcome::Unread(why) => coverage.unread.push(Unread { path: path.clone(), why }),
        }
    }
    for unread in &listed.unread {
        scan_name(&scanner, &unread.path)?.hits.into_iter().for_each(|hit| maker.add(hit, &in_name(&unread.path)));
    }
    coverage.unread.extend(listed.unread);
    coverage.unread.sort();
    Ok(Found::of(maker.into_findings(), coverage))
}

/// Scans one text; `path` decides which rules apply.
pub(super) fn examine_text(path: Option<&Path>, bytes: &[u8], rules: &Rules, policy: &Policy) -> Result<Found, Failure> {
    let scanner = Scanner::new(rules).within(limits(policy));
    let path = path.map(|path| path.as_os_str().as_encoded_bytes()).unwrap_or_default();
    let mut maker = FindingMaker::without_git(policy);
    let scanned = scanner.look_into(Text { path, part: Part::Content, bytes: &plain(bytes.to_vec()) })?;
    for hit in scanned.hits {
        // Nothing is known of files beside it.
        if let Some(severity) = across::severity(&hit, path, &HashSet::new())? {
            maker.add_as(severity, hit, &Place { place: Where::Content, path, commit: None, reference: None });
        }
    }
    let beyond = scanned.is_cut.then(|| beyond(path)).into_iter().collect();
    let unread = below(path, scanned.unread).collect();
    let coverage = Coverage { files: 1, bytes: bytes.len() as u64, unread, beyond, ..Coverage::default() };
    Ok(Found::of(maker.into_findings(), coverage))
}

/// A file and what became of it.
struct Examined<'r> {
    file: usize,
    in_name: Scanned<'r>,
    outcome: Outcome<'r>,
}

enum Outcome<'r> {
    Read { bytes: u64, in_text: Scanned<'r> },
    Unread(String),
}

#[derive(Clone, Copy)]
struct Work<'a, 'r> {
    files: &'a [DiskFile],
    next: &'a AtomicUsize,
    found: &'a AtomicUsize,
    scanner: &'a Scanner<'r>,
    limit: u64,
}

impl<'r> Work<'_, 'r> {
    /// Takes files until none is left.
    fn run(&self) -> Result<Vec<Examined<'r>>, Failure> {
        let mut results = Vec::new();
        loop {
            let file = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = self.files.get(file) else { return Ok(results) };
            results.push(Examined { file, in_name: scan_name(self.scanner, &entry.path)?, outcome: self.scan(entry)? });
        }
    }

    fn scan(&self, entry: &DiskFile) -> Result<Outcome<'r>, Failure> {
        let bytes = match read(&entry.file, self.limit) {
            Ok(Content::Held(bytes)) => bytes,
            Ok(Content::Large(file)) => return self.scan_large(entry, file),
            Err(why) => return Ok(Outcome::Unread(why)),
        };
        let size = bytes.len() as u64;
        let mut in_text = self.scanner.look_into(Text { path: &entry.path, part: Part::Content, bytes: &plain(bytes) })?;
        bound(&mut in_text, self.found);
        Ok(Outcome::Read { bytes: size, in_text })
    }
}

impl<'r> Work<'_, 'r> {
    /// Scans a file while it is read.
    fn scan_large(&self, entry: &DiskFile, mut file: fs::File) -> Result<Outcome<'r>, Failure> {
        let mut large = Large::new(self.scanner, &entry.path);
        let (mut part, mut bytes, mut ends) = (vec![0; 64 << 10], 0, Ends::default());
        loop {
            match file.read(&mut part) {
                Ok(0) => {
                    let mut in_text = large.finish()?;
                    if ends.are_of_an_archive() {
                        self.scanner.look_into_packed(&entry.path, &mut std::io::BufReader::new(file), bytes, &mut in_text)?;
                    }
                    bound(&mut in_text, self.found);
                    return Ok(Outcome::Read { bytes, in_text });
                }
                Ok(size) => {
                    bytes += size as u64;
                    ends.see(&part[..size]);
                    large.push(&part[..size])?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Outcome::Unread(error.to_string())),
            }
        }
    }
}

/// What a file holds.
enum Content {
    Held(Vec<u8>),
    /// Too much to be held.
    Large(fs::File),
}

fn scan_name<'r>(scanner: &Scanner<'r>, path: &[u8]) -> Result<Scanned<'r>, Failure> {
    let mut scanned = scanner.look_into(Text { path: b"", part: Part::Path, bytes: path })?;
    scanned.hits.extend(scanner.scan_path(path));
    Ok(scanned)
}

/// The bytes of a file, or the target of a symbolic link: that is what git would record.
fn read(file: &Path, limit: u64) -> Result<Content, String> {
    let kind = fs::symlink_metadata(file).map_err(|e| e.to_string())?;
    if kind.is_symlink() {
        let target = fs::read_link(file).map_err(|e| e.to_string())?;
        return Ok(Content::Held(target.as_os_str().as_encoded_bytes().to_vec()));
    }
    if !kind.is_file() {
        return Err("it is neither a file nor a symbolic link".to_owned());
    }
    if kind.len() > limit {
        return Err(format!("it has {} bytes; `limits.max_file_bytes` is {limit}", kind.len()));
    }
    if kind.len() > LARGE {
        return fs::File::open(file).map(Content::Large).map_err(|e| e.to_string());
    }
    fs::read(file).map(Content::Held).map_err(|e| e.to_string())
}
