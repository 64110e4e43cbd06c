//! What an earlier scan of the history read and found nothing in, so that it need not be read again (`--since-last`): after an
//! interruption the scan goes on where it was.
//!
//! Only versions in which nothing at all was found are remembered, each by a digest of its blob and of the paths under which it
//! was read. So the file holds no finding and no path, a later run's report is that of the whole, and whatever is wrong with the
//! file costs time and no more: it counts only if its checksum holds, it belongs to this user alone, and it was written by
//! this very program under this very configuration.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};

use crate::change::{NewFile, ObjectId, Shard, Store};

use super::Failure;
use super::exceptions::usage;
use super::settings::Settings;

/// Names one version of a blob, as it was scanned.
type Name = [u8; 16];

const MAGIC: &[u8; 24] = b"leakstop scan state 1\n\0\0";
const HEAD: usize = MAGIC.len() + 32;
/// A name and the size of its blob.
const ENTRY: usize = 16 + 8;
const CHECKSUM: usize = 32;
/// Ten million versions.
const LARGEST: u64 = 10_000_000 * ENTRY as u64;

/// So much is lost at most when the process is killed, as long as writing takes a twentieth of the time.
const BETWEEN_WRITES: Duration = Duration::from_millis(250);
const SHARE_OF_TIME: u32 = 20;

/// What is known, and what this run adds.
pub(super) struct Remembered {
    file: PathBuf,
    /// Held to the end, so that two runs do not write one file.
    lock: Option<File>,
    key: [u8; 32],
    old: HashMap<Name, u64>,
    gained: Mutex<Gained>,
    /// Why what was there does not count.
    pub(super) note: Option<String>,
}

struct Gained {
    clean: Vec<(Name, u64)>,
    written: usize,
    last: Instant,
    pause: Duration,
}

impl Remembered {
    /// Reads what is remembered of this repository, which is nothing the first time.
    pub(super) fn open(store: &dyn Store, settings: &Settings, shard: Option<Shard>) -> Result<Self, Failure> {
        let folder = folder()?;
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Failure::State { path, source }
        };
        make(&folder).map_err(failed(&folder))?;
        let file = folder.join(name(store, shard));
        let key = key(settings).map_err(failed(Path::new("leakstop")))?;
        let gained = Gained { clean: Vec::new(), written: 0, last: Instant::now(), pause: BETWEEN_WRITES };
        let mut remembered = Self { lock: None, key, old: HashMap::new(), gained: Mutex::new(gained), note: None, file };
        let lock_file = remembered.file.with_extension("lock");
        let lock = private(OpenOptions::new().create(true).truncate(false)).open(&lock_file).map_err(failed(&lock_file))?;
        if lock.try_lock().is_err() {
            remembered.note = Some("another scan of this repository is under way and keeps what it read; this one reads everything".to_owned());
            return Ok(remembered);
        }
        remembered.lock = Some(lock);
        match remembered.read() {
            Ok(old) => remembered.old = old,
            Err(why) => remembered.note = Some(format!("what an earlier run read does not count, and everything is read: {why}")),
        }
        Ok(remembered)
    }

    /// The size of a blob that was read under the same paths and held nothing; `None` if it has to be read.
    pub(super) fn size(&self, name: &Name) -> Option<u64> {
        let size = self.old.get(name).copied()?;
        // What is of use goes into the next file, and what is not is forgotten.
        self.gained().clean.push((*name, size));
        Some(size)
    }

    /// Takes note of a blob that holds nothing.
    pub(super) fn is_clean(&self, name: Name, size: u64) {
        let mut gained = self.gained();
        gained.clean.push((name, size));
        if gained.last.elapsed() >= gained.pause {
            let started = Instant::now();
            // What cannot be kept now is tried again at the end, and told there.
            let _ = self.write(&mut gained, Keep::Old);
            gained.last = Instant::now();
            gained.pause = BETWEEN_WRITES.max(started.elapsed() * SHARE_OF_TIME);
        }
    }

    /// Keeps all of this run. What cannot be kept makes the next run slower and this one's answer no worse.
    pub(super) fn finish(self) -> Option<String> {
        let mut gained = self.gained();
        let failed = self.write(&mut gained, Keep::Current).err()?;
        Some(format!("what was read cannot be remembered: {failed}"))
    }

    fn gained(&self) -> MutexGuard<'_, Gained> {
        self.gained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Result<HashMap<Name, u64>, String> {
        let own = match self.probe() {
            Ok(own) => own,
            Err(error) => return Err(format!("nothing can be written beside it: {error}")),
        };
        let mut file = match File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
            Err(error) => return Err(error.to_string()),
        };
        let told = |error: io::Error| error.to_string();
        let about = file.metadata().map_err(told)?;
        let is_link = fs::symlink_metadata(&self.file).map_err(told)?.is_symlink();
        if is_link || !about.is_file() || !is_private(&about, &own) {
            return Err(format!("`{}` is not a file of this user alone", self.file.display()));
        }
        if about.len() > LARGEST {
            return Err("it is too large".to_owned());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(told)?;
        let damaged = || format!("`{}` is damaged", self.file.display());
        let (head, rest) = bytes.split_at_checked(HEAD).ok_or_else(damaged)?;
        let (entries, checksum) = rest.split_at_checked(rest.len().saturating_sub(CHECKSUM)).ok_or_else(damaged)?;
        let expected = Sha256::new().chain_update(head).chain_update(entries).finalize();
        if !head.starts_with(MAGIC) || entries.len() % ENTRY != 0 || checksum != &expected[..] {
            return Err(damaged());
        }
        if head[MAGIC.len()..] != self.key {
            return Err("it is of another version of leakstop or of another configuration".to_owned());
        }
        let entry = |entry: &[u8]| {
            let (name, size) = entry.split_first_chunk::<16>()?;
            Some((*name, u64::from_le_bytes(*size.first_chunk()?)))
        };
        Ok(entries.chunks_exact(ENTRY).filter_map(entry).collect())
    }

    /// What a file of this user looks like there.
    fn probe(&self) -> io::Result<fs::Metadata> {
        let (path, file) = self.fresh()?;
        let about = file.metadata();
        fs::remove_file(path)?;
        about
    }

    /// A new file, in place of one that a killed run left.
    fn fresh(&self) -> io::Result<(PathBuf, File)> {
        let path = self.file.with_extension("new");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = private(OpenOptions::new().create_new(true)).open(&path)?;
        Ok((path, file))
    }

    fn write(&self, gained: &mut Gained, keep: Keep) -> io::Result<()> {
        if self.lock.is_none() || (gained.written == gained.clean.len() && keep == Keep::Old) {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(HEAD + (self.old.len() + gained.clean.len()) * ENTRY + CHECKSUM);
        bytes.extend(MAGIC);
        bytes.extend(self.key);
        let old = self.old.iter().map(|(name, size)| (*name, *size)).filter(|_| keep == Keep::Old);
        for (name, size) in gained.clean.iter().copied().chain(old) {
            bytes.extend(name);
            bytes.extend(size.to_le_bytes());
        }
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        let (path, mut file) = self.fresh()?;
        file.write_all(&bytes)?;
        // The name must not be there before the bytes are.
        file.sync_all()?;
        fs::rename(&path, &self.file)?;
        gained.written = gained.clean.len();
        Ok(())
    }
}

/// What of the earlier runs is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// All: this run is not done.
    Old,
    /// What this run met again.
    Current,
}

/// The name of a blob as these files hold it.
pub(super) fn name_of_version<'a>(blob: ObjectId, files: impl Iterator<Item = &'a NewFile>) -> Name {
    let mut hash = Sha256::new();
    hash.update(blob.as_bytes());
    for file in files {
        hash.update((file.path.len() as u64).to_le_bytes());
        hash.update(&file.path);
        // What the version before holds is not looked at.
        hash.update(file.before.as_ref().map_or(&[][..], ObjectId::as_bytes));
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut name = [0; 16];
    name.copy_from_slice(&digest[..16]);
    name
}

/// Where this user's programs keep what lasts but matters to nobody else.
fn folder() -> Result<PathBuf, Failure> {
    let none = || usage("there is no folder to remember in".to_owned(), "set HOME or XDG_STATE_HOME, or scan without `--since-last`");
    let strategy = etcetera::choose_base_strategy().map_err(|_| none())?;
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.cache_dir()).join("leakstop"))
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// One file for each repository, and for each part of it that is scanned apart.
fn name(store: &dyn Store, shard: Option<Shard>) -> String {
    let place = store.git_dir();
    let place = fs::canonicalize(&place).unwrap_or(place);
    let digest = Sha256::digest(place.as_os_str().as_encoded_bytes());
    let digits: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
    match shard {
        Some(shard) => format!("history-{digits}-{}-of-{}.state", shard.index(), shard.of()),
        None => format!("history-{digits}.state"),
    }
}

/// What decides whether something is found: this program, and what it is told.
fn key(settings: &Settings) -> io::Result<[u8; 32]> {
    let mut program = File::open(std::env::current_exe()?)?;
    let mut check = crc32fast::Hasher::new();
    let (mut part, mut size) = (vec![0; 1 << 16], 0_u64);
    loop {
        match program.read(&mut part)? {
            0 => break,
            read => {
                check.update(&part[..read]);
                size += read as u64;
            }
        }
    }
    // Nobody makes a program to have the checksum of another; that two builds differ is what has to show.
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(check.finalize().to_le_bytes());
    hash.update(size.to_le_bytes());
    hash.update(settings.digest());
    Ok(hash.finalize().into())
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.write(true)
}

/// True for a file that nobody else owns, reads or writes.
#[cfg(unix)]
fn is_private(about: &fs::Metadata, own: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    about.uid() == own.uid() && about.mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}
