//! Where an archive lies that is too large to be held, while it is unpacked: in a file without a name, for this account alone,
//! which is gone when the process is, however that ends. Where no file can be made (an empty chroot), it lies in memory
//! as long as it is not too large for that.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Cursor, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::scan::Seekable;

/// A larger archive is not unpacked: by default no archive may unpack to more.
const LARGEST: u64 = 256 << 20;
/// And without a file no larger one than this.
const LARGEST_HELD: u64 = 40 << 20;
/// So many names are tried; each is taken only by chance.
const NAMES: u32 = 16;

/// The bytes of one archive.
pub(super) enum Spool {
    /// On the disk, under no name.
    File(BufReader<File>, PathBuf),
    /// In memory.
    Held(Cursor<Vec<u8>>),
}

/// Whether an archive of so many bytes can lie anywhere.
pub(super) fn has_room(size: u64) -> Result<(), String> {
    if size > LARGEST {
        return Err(format!("it is an archive of {size} bytes, and at most {LARGEST} are unpacked"));
    }
    if size > LARGEST_HELD && without_name(&std::env::temp_dir()).is_none() {
        return Err(format!("it is an archive of {size} bytes, and there is no folder for temporary files to unpack more than {LARGEST_HELD}"));
    }
    Ok(())
}

impl Spool {
    /// For so many bytes.
    pub(super) fn new(size: u64) -> Result<Self, Failure> {
        let folder = std::env::temp_dir();
        Ok(match without_name(&folder) {
            Some(file) => Self::File(BufReader::new(file), folder),
            None => Self::Held(Cursor::new(Vec::with_capacity(usize::try_from(size.min(LARGEST_HELD)).unwrap_or_default()))),
        })
    }

    /// Adds bytes.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::File(file, folder) => {
                file.get_mut().write_all(bytes).map_err(|source| Failure::Write { path: folder.join("(a temporary file)"), source })
            }
            Self::Held(held) if held.get_ref().len() as u64 + bytes.len() as u64 <= LARGEST_HELD => {
                held.get_mut().extend_from_slice(bytes);
                Ok(())
            }
            Self::Held(_) => Err(Failure::Write { path: std::env::temp_dir(), source: std::io::ErrorKind::StorageFull.into() }),
        }
    }

    /// All of it, to be read.
    pub(super) fn file(&mut self) -> &mut dyn Seekable {
        match self {
            Self::File(file, _) => file,
            Self::Held(held) => held,
        }
    }
}

/// A new file for this account alone whose name is taken away at once.
fn without_name(folder: &Path) -> Option<File> {
    use std::hash::{BuildHasher, RandomState};
    for at in 0..NAMES {
        let path = folder.join(format!("leakstop-{:016x}", RandomState::new().hash_one((std::process::id(), at))));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let Ok(file) = options.open(&path) else { continue };
        if std::fs::remove_file(&path).is_ok() {
            return Some(file);
        }
        // Where an open file keeps its name (Windows), memory has to do.
        drop(file);
        let _ = std::fs::remove_file(&path);
        return None;
    }
    None
}
