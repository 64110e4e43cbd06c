//! Where history was cut off on purpose. The commits named here have parents in their text that are not in the repository.

use std::path::{Path, PathBuf};

use super::error::ChangeError;
use super::objects::ObjectId;

/// The file that git names while it receives a push from a shallow clone: it holds the boundary as it would become.
pub(super) fn file_of_push() -> Option<PathBuf> {
    std::env::var_os("GIT_SHALLOW_FILE").filter(|file| !file.is_empty()).map(PathBuf::from)
}

/// The commits at the boundary of the repository whose shared folder is `common_dir`.
pub(super) fn boundary(common_dir: &Path) -> Result<Vec<ObjectId>, ChangeError> {
    let file = file_of_push().unwrap_or_else(|| common_dir.join("shallow"));
    let text = match std::fs::read(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ChangeError::File { path: file, source }),
    };
    let ids: Option<_> = text.split(|&b| b == b'\n').filter(|line| !line.is_empty()).map(ObjectId::from_hex).collect();
    ids.ok_or_else(|| ChangeError::File { path: file, source: std::io::ErrorKind::InvalidData.into() })
}
