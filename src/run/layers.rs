//! One file of configuration or of accepted findings, from the disk or from git. Each has its bound.

use std::io::Read as _;
use std::path::Path;

use crate::change::{self, ObjectId, Store};
use crate::config::{self, Accepted, ConfigError, Layer, Origin};

use super::Failure;

/// The repository's own file.
pub(super) const FILE: &str = ".leakstop.toml";
/// The repository's old findings that somebody accepted.
pub(super) const BASELINE: &str = ".leakstop-baseline";
/// A baseline of a hundred thousand findings is smaller.
pub(super) const LARGEST_BASELINE: u64 = 16 << 20;
/// A configuration of ten thousand exceptions is smaller.
pub(super) const LARGEST: u64 = 4 << 20;

/// A file that was named must be there.
pub(super) fn named(file: &Path) -> Result<Layer, Failure> {
    let name = file.display().to_string();
    let text = read(file).map_err(|source| ConfigError::Read { file: name.clone(), source })?;
    Ok(Layer { config: config::parse(&name, &text)?, file: name, origin: Origin::Trusted })
}

/// A file that may be missing; anything else that keeps it from being read is an error.
pub(super) fn on_disk(file: &Path, origin: Origin) -> Result<Option<Layer>, Failure> {
    let name = file.display().to_string();
    match read(file) {
        Ok(text) => Ok(Some(Layer { config: config::parse(&name, &text)?, file: name, origin })),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(ConfigError::Read { file: name, source }.into()),
    }
}

pub(super) fn in_commit(store: &dyn Store, commit: ObjectId, origin: Origin) -> Result<Option<Layer>, Failure> {
    match change::file_in_commit(store, commit, FILE.as_bytes())? {
        Some(blob) => Ok(Some(in_blob(store, blob, &name_in(FILE, commit), origin)?)),
        None => Ok(None),
    }
}

pub(super) fn in_blob(store: &dyn Store, blob: ObjectId, name: &str, origin: Origin) -> Result<Layer, Failure> {
    let size = store.header(blob)?.1;
    if size > LARGEST {
        let why = format!("it has {size} bytes, and at most {LARGEST} are read");
        return Err(ConfigError::Text { file: name.to_owned(), line: 1, column: 1, why }.into());
    }
    let mut text = Vec::new();
    store.read(blob, &mut text)?;
    Ok(Layer { config: config::parse(name, &text)?, file: name.to_owned(), origin })
}

/// The baseline at a place on disk, where there is one.
pub(super) fn baseline_on_disk(file: &Path) -> Result<Option<Accepted>, Failure> {
    let name = file.display().to_string();
    match read(file) {
        Ok(text) => Ok(Some(config::parse_accepted(&name, &text)?)),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(ConfigError::Read { file: name, source }.into()),
    }
}

pub(super) fn baseline_in_commit(store: &dyn Store, commit: ObjectId) -> Result<Option<Accepted>, Failure> {
    let blob = change::file_in_commit(store, commit, BASELINE.as_bytes())?;
    blob.map(|blob| baseline_in_blob(store, blob, &name_in(BASELINE, commit))).transpose()
}

pub(super) fn baseline_in_blob(store: &dyn Store, blob: ObjectId, name: &str) -> Result<Accepted, Failure> {
    let mut text = Vec::new();
    store.read_small(blob, LARGEST_BASELINE, &mut text)?;
    Ok(config::parse_accepted(name, &text)?)
}

pub(super) fn name_in(file: &str, commit: ObjectId) -> String {
    format!("{file} of {}", &commit.to_string()[..12])
}

/// The bytes of a file that somebody named: a device may have no end.
pub(super) fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(LARGEST_BASELINE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_BASELINE {
        return Err(std::io::Error::other(format!("it has more than {LARGEST_BASELINE} bytes")));
    }
    Ok(bytes)
}
