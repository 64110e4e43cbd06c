//! Files on disk, for `scan PATH`: the only source that reads a work tree, and no hook uses it.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::error::ChangeError;
use super::{DiskFile, Unread};

/// What [`files`] found.
#[derive(Debug, Default)]
pub struct Files {
    /// Regular files and symbolic links, sorted by path.
    pub files: Vec<DiskFile>,
    /// What could not be listed.
    pub unread: Vec<Unread>,
}

/// Lists the files below `paths`. Ignore files count unless `everything` is set; hidden files are always listed, since
/// `.env` is one; git's own folder is listed only with `everything`.
///
/// # Errors
/// A path of `paths` that does not exist.
pub fn files(paths: &[PathBuf], everything: bool, root: Option<&Path>) -> Result<Files, ChangeError> {
    let mut found = Files::default();
    for path in paths {
        std::fs::symlink_metadata(path).map_err(|source| ChangeError::File { path: path.clone(), source })?;
        let mut walk = WalkBuilder::new(path);
        walk.hidden(false).follow_links(false);
        if everything {
            walk.standard_filters(false);
        } else {
            walk.filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
        }
        for entry in walk.build() {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| !kind.is_dir()) => {
                    found.files.push(DiskFile { path: shown(entry.path(), root), file: entry.into_path() });
                }
                Ok(_) => {}
                Err(error) => {
                    let (path, why) = told(&error, path);
                    found.unread.push(Unread { path: shown(path, root), why });
                }
            }
        }
    }
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    found.files.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

/// Path and cause apart, so that the report can mask and escape the path.
fn told<'a>(error: &'a ignore::Error, path: &'a Path) -> (&'a Path, String) {
    match error {
        ignore::Error::WithPath { path, err } => told(err, path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => told(err, path),
        // Its own words name the path, too; those of the kind do not.
        error => (path, error.io_error().map_or_else(|| "it cannot be listed".to_owned(), |error| error.kind().to_string())),
    }
}

/// The path as the report names it: from the repository's root where the file lies in one, else as it was given.
fn shown(path: &Path, root: Option<&Path>) -> Vec<u8> {
    let bytes = |path: &Path| {
        let bytes = path.as_os_str().as_encoded_bytes().to_vec();
        if std::path::MAIN_SEPARATOR == '\\' { bytes.iter().map(|&b| if b == b'\\' { b'/' } else { b }).collect() } else { bytes }
    };
    let inside = root.and_then(|root| {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let full = folder.canonicalize().ok()?.join(path.file_name()?);
        full.strip_prefix(root).ok().map(bytes)
    });
    inside.unwrap_or_else(|| bytes(path.strip_prefix("./").unwrap_or(path)))
}
