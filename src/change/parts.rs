//! A large blob, read in parts by a child of its own. git holds a packed blob that is no delta in a few megabytes.

use std::io::Read;
use std::process::Stdio;

use super::child::{Git, failed, no_watch};
use super::error::ChangeError;
use super::objects::ObjectId;
use super::watch::Guard;

/// So many bytes are handed on at once.
const PART: usize = 64 << 10;

/// Of the repository that git's environment names. False where there is no git to read it.
pub(super) fn blob_in_parts(id: ObjectId, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, ChangeError> {
    blob_in_parts_of(&Git::FromEnvironment, id, take)
}

/// The same for a named one.
pub(super) fn blob_in_parts_of(git: &Git, id: ObjectId, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, ChangeError> {
    let broken = |why: String| ChangeError::Object { id, source: failed(why) };
    // Above this size git reads a packed blob in parts; and what is stored as a difference it does not.
    let arguments = ["-c", "core.bigFileThreshold=8m", "cat-file", "blob", &id.to_string()];
    let mut command = git.command(&arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(broken(format!("`git` cannot be started: {error}"))),
    };
    let Some(mut stdout) = child.stdout.take() else { return Err(broken("the child has no pipes".to_owned())) };
    let child = Guard::new("cat-file blob", child).map_err(|e| broken(no_watch(&e)))?;
    let mut part = vec![0; PART];
    loop {
        child.is_asked();
        let size = stdout.read(&mut part).map_err(|e| broken(format!("`git cat-file` cannot be read: {e}")))?;
        child.has_answered();
        if size > 0 && !take(&part[..size]) {
            return Ok(true);
        }
        if size == 0 {
            child.is_asked();
            let status = child.wait().map_err(|e| broken(format!("`git cat-file` cannot be waited for: {e}")))?;
            return if status.success() { Ok(true) } else { Err(broken(format!("`git cat-file` ended with {status}"))) };
        }
    }
}

/// Hands on what a reader gives, which must be exactly so many bytes.
pub(super) fn hand_on(reader: &mut dyn Read, size: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> std::io::Result<()> {
    let mut part = vec![0; PART];
    let mut left = size;
    loop {
        match reader.read(&mut part)? {
            0 if left == 0 => return Ok(()),
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => {
                left = left.checked_sub(read as u64).ok_or(std::io::ErrorKind::InvalidData)?;
                if !take(&part[..read]) {
                    return Ok(());
                }
            }
        }
    }
}
