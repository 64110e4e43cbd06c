//! Adds entries to the file: under its lock, after its last entry was checked, and on the disk before a verdict is told.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::chain::{self, Key, LONGEST, NOTHING};
use super::entry::{Continued, Event, Head, SCHEMA, Torn};
use super::error::AuditError;

/// Who holds the lock reads and writes a few kilobytes: this is a thousand times what that takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// The end of the file is read in steps, since most entries are short.
const FIRST_STEP: u64 = 8 << 10;
/// What follows the last entry was torn in a crash, by a few writers at most.
const LONGEST_END: u64 = 4 * LONGEST as u64;

/// An audit that entries are added to.
#[derive(Clone)]
pub struct Audit {
    path: PathBuf,
    key: Key,
}

/// An entry that stands in the file, and on the disk with the next one that has to.
#[derive(Debug)]
pub struct Written {
    /// Its number.
    pub seq: u64,
    file: File,
    path: PathBuf,
}

impl Written {
    /// Waits for the disk, before anybody is told what the entry says.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn to_disk(self) -> Result<(), AuditError> {
        self.file.sync_data().map_err(|source| AuditError::File { what: "write to the disk", path: self.path, source })
    }
}

/// Where the chain stands.
struct End {
    seq: u64,
    head: String,
    torn: Option<Torn>,
    /// The last byte is no end of a line.
    is_open: bool,
}

impl Audit {
    /// The audit in this file, which need not be there yet. It must not lie in `kept_out`, which git calls its own.
    ///
    /// # Errors
    /// A folder that is not there, or is git's.
    pub fn new(path: &Path, key: Key, kept_out: &[PathBuf]) -> Result<Self, AuditError> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let source = |source| AuditError::File { what: "find the folder of", path: path.to_owned(), source };
        let folder = fs::canonicalize(folder).map_err(source)?;
        if kept_out.iter().filter_map(|kept| fs::canonicalize(kept).ok()).any(|kept| folder.starts_with(kept)) {
            return Err(AuditError::Place { path: path.to_owned(), why: "git keeps objects or refs in that folder" });
        }
        Ok(Self { path: path.to_owned(), key })
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// A file that is no plain file, cannot be locked or written, or whose last entry does not hold.
    pub fn append(&self, event: Event) -> Result<Written, AuditError> {
        let mut file = self.open(Missing::Made)?;
        let end = self.end(&mut file)?;
        let is_open = end.is_open;
        let (seq, line) = self.next(end, event)?;
        // One call, so that a process that is killed has written all of it or nothing.
        let bytes = if is_open { [b"\n", line.as_slice()].concat() } else { line };
        file.write_all(&bytes).map_err(self.failed("write"))?;
        // Others need not wait for the disk: the order is fixed, and what they add makes this durable too.
        file.unlock().map_err(self.failed("unlock"))?;
        Ok(Written { seq, file, path: self.path.clone() })
    }

    /// Moves the file away and begins another one with its head. Gives the number and the head of its last entry.
    ///
    /// # Errors
    /// As for an entry; a file in the way; a file system without hard links.
    pub fn rotate(&self, to: &Path) -> Result<(u64, String), AuditError> {
        let mut file = self.open(Missing::Error)?;
        let End { seq, head, .. } = self.end(&mut file)?;
        let about = file.metadata().map_err(self.failed("read"))?;
        let end = End { seq, head: head.clone(), torn: None, is_open: false };
        let (_, line) = self.next(end, Event::Continued(Continued { from: to.display().to_string() }))?;
        let mut name = self.path.clone().into_os_string();
        name.push(".next");
        let fresh = PathBuf::from(name);
        let mut next = made(&fresh).map_err(self.failed("begin the next file of"))?;
        let done = (|| {
            next.write_all(&line)?;
            like(&next, &about)?;
            next.sync_all()?;
            // Never a moment without the file, in which a hook would begin a chain of its own.
            fs::hard_link(&self.path, to)?;
            fs::rename(&fresh, &self.path)
        })();
        if let Err(source) = done {
            let _ = fs::remove_file(&fresh);
            return Err(AuditError::File { what: "move away", path: self.path.clone(), source });
        }
        Ok((seq, head))
    }

    /// Whether an entry could be written now; nothing is. Gives the number of the last one.
    ///
    /// # Errors
    /// As for an entry.
    pub fn try_out(&self) -> Result<u64, AuditError> {
        match self.open(Missing::Error) {
            Ok(mut file) => self.end(&mut file).map(|end| end.seq),
            Err(AuditError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                // Made here it would belong to whoever asks.
                let folder = self.path.parent().unwrap_or(Path::new("/"));
                tempfile::tempfile_in(folder).map_err(self.failed("make"))?;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// The file, locked.
    fn open(&self, missing: Missing) -> Result<File, AuditError> {
        let started = Instant::now();
        loop {
            let file = match fs::symlink_metadata(&self.path) {
                Ok(about) => {
                    self.is_fit(&about)?;
                    OpenOptions::new().read(true).append(true).open(&self.path)
                }
                Err(e) if e.kind() == ErrorKind::NotFound && missing == Missing::Made => made(&self.path),
                Err(e) => Err(e),
            };
            let file = match file {
                Ok(file) => file,
                // Another one was faster to make it, or to move it away.
                Err(e)
                    if missing == Missing::Made
                        && matches!(e.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound)
                        && started.elapsed() < PATIENCE =>
                {
                    self.is_a_folder_there()?;
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                Err(source) => return Err(self.failed("open")(source)),
            };
            lock(started, || file.try_lock()).map_err(|source| match source {
                None => AuditError::Held { path: self.path.clone(), seconds: PATIENCE.as_secs() },
                Some(source) => self.failed("lock")(source),
            })?;
            let (own, there) = (file.metadata().map_err(self.failed("read"))?, fs::symlink_metadata(&self.path));
            // It may have been moved away, or be a link by now.
            if there.is_ok_and(|there| is_same(&own, &there)) {
                self.is_fit(&own)?;
                return Ok(file);
            }
            if started.elapsed() > PATIENCE {
                return Err(AuditError::Place { path: self.path.clone(), why: "another file comes in its place again and again" });
            }
        }
    }

    fn is_a_folder_there(&self) -> Result<(), AuditError> {
        fs::metadata(self.path.parent().unwrap_or(Path::new("/"))).map(|_| ()).map_err(self.failed("open"))
    }

    fn is_fit(&self, about: &Metadata) -> Result<(), AuditError> {
        let unfit = |why| Err(AuditError::Place { path: self.path.clone(), why });
        if !about.is_file() {
            return unfit("it is a link or no plain file");
        }
        #[cfg(unix)]
        if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o002 != 0 {
            return unfit("anybody may write to it");
        }
        Ok(())
    }

    /// The last entry, and what a crash left after it.
    fn end(&self, file: &mut File) -> Result<End, AuditError> {
        let length = file.metadata().map_err(self.failed("read"))?.len();
        let mut step = FIRST_STEP;
        loop {
            let start = length.saturating_sub(step);
            file.seek(SeekFrom::Start(start)).map_err(self.failed("read"))?;
            let mut bytes = Vec::new();
            file.take(length - start).read_to_end(&mut bytes).map_err(self.failed("read"))?;
            if let Some(end) = self.end_in(&bytes, start == 0)? {
                return Ok(end);
            }
            if step >= LONGEST_END {
                return Err(self.broken(format!("there is no entry within its last {LONGEST_END} bytes")));
            }
            step *= 8;
        }
    }

    /// The same in the last bytes of the file; nothing where they do not hold the last entry whole.
    fn end_in(&self, bytes: &[u8], is_all: bool) -> Result<Option<End>, AuditError> {
        let is_open = bytes.last().is_some_and(|&b| b != b'\n');
        let mut lines: Vec<&[u8]> = bytes.split(|&b| b == b'\n').collect();
        if !is_open {
            lines.pop();
        }
        let whole = lines.iter().rposition(|line| chain::looks_whole(line));
        let after = whole.map_or(0, |at| at + 1);
        // The first line may be the rest of one.
        if !is_all && after < 2 {
            return Ok(None);
        }
        let torn = (after < lines.len()).then(|| lines[after..].join(&b'\n'));
        if torn.as_ref().is_some_and(|bytes| bytes.is_empty() || !chain::is_beginning(bytes)) {
            return Err(self.broken("what follows its last entry is no entry, nor the beginning of one".to_owned()));
        }
        let torn = torn.map(|bytes| Torn { bytes: bytes.len() as u64, hash: self.key.hash(&bytes) });
        let (seq, head) = match whole {
            Some(at) => {
                let read = chain::read(lines[at], &self.key);
                let (entry, head) = read.map_err(|why| self.broken(format!("of its last entry, {why}")))?;
                (entry.seq, head)
            }
            None => (0, NOTHING.to_owned()),
        };
        Ok(Some(End { seq, head, torn, is_open }))
    }

    fn next(&self, End { seq, head, torn, .. }: End, event: Event) -> Result<(u64, Vec<u8>), AuditError> {
        let now = jiff::Timestamp::try_from(SystemTime::now());
        let head = Head {
            schema: SCHEMA,
            seq: seq + 1,
            time: now.map_or_else(|_| "beyond all calendars".to_owned(), |now| now.to_string()),
            version: env!("CARGO_PKG_VERSION"),
            previous: head,
            torn,
            event: event.name(),
        };
        let line = chain::line(&head, &event, &self.key).map_err(|e| self.broken(e.to_string()))?;
        if line.len() > LONGEST {
            return Err(self.broken(format!("the next entry has {} bytes, and {LONGEST} are the most", line.len())));
        }
        Ok((seq + 1, line))
    }

    fn failed(&self, what: &'static str) -> impl Fn(io::Error) -> AuditError {
        move |source| AuditError::File { what, path: self.path.clone(), source }
    }

    fn broken(&self, why: String) -> AuditError {
        AuditError::Broken { path: self.path.clone(), why }
    }
}

/// What is done where there is no file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Made,
    Error,
}

/// Waits for a lock: `None` when it does not come, otherwise what is wrong with it.
pub(super) fn lock(started: Instant, attempt: impl Fn() -> Result<(), TryLockError>) -> Result<(), Option<io::Error>> {
    let mut pause = Duration::from_micros(200);
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(Some(error)),
            Err(TryLockError::WouldBlock) if started.elapsed() >= PATIENCE => return Err(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// A new file for its owner alone; an error where there is something of that name, a link to nowhere included.
fn made(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Elsewhere an open file cannot be moved away.
#[cfg(not(unix))]
fn is_same(_: &Metadata, there: &Metadata) -> bool {
    there.is_file()
}

/// Whoever moves the file away may be another user than the one who runs the hooks.
fn like(file: &File, about: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (about.uid(), about.gid()) {
            fchown(file, Some(about.uid()), Some(about.gid()))?;
        }
    }
    file.set_permissions(about.permissions())
}
