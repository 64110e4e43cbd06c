//! The index file itself, as far as its first bytes tell: libgit2 takes an index that it cannot look at for an empty one, and
//! nobody would notice that nothing was read.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Where the index lies that git's environment names.
pub(super) fn index_file(git_dir: &Path) -> PathBuf {
    std::env::var_os("GIT_INDEX_FILE").map_or_else(|| git_dir.join("index"), PathBuf::from)
}

/// The number of entries: the index begins with `DIRC`, a version and that number, four bytes each. `None` where there is no
/// index yet.
pub(super) fn entries(file: &Path) -> io::Result<Option<u32>> {
    let mut head = [0; 12];
    match File::open(file) {
        Ok(mut file) => file.read_exact(&mut head)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let [b'D', b'I', b'R', b'C', _, _, _, _, a, b, c, d] = head else { return Err(ErrorKind::InvalidData.into()) };
    Ok(Some(u32::from_be_bytes([a, b, c, d])))
}
