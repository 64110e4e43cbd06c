//! The index file itself, as far as its first bytes tell: libgit2 takes an index that it cannot look at for an empty one, and
//! nobody would notice that nothing was read.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Where the index lies that git's environment names. git takes a relative name from the top of the work tree.
pub(super) fn index_file(git_dir: &Path, work_tree: impl FnOnce() -> Option<PathBuf>) -> PathBuf {
    let Some(named) = std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from) else { return git_dir.join("index") };
    let inside = |top: &PathBuf| std::env::current_dir().is_ok_and(|here| here.starts_with(top) && here != *top);
    match named.is_relative().then(work_tree).flatten().filter(inside) {
        Some(top) => top.join(named),
        None => named,
    }
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
