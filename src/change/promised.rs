//! A partial clone lacks objects on purpose: a remote has promised to have them.

use super::error::ChangeError;
use super::store::Store;

/// A remote that promises objects, as newer and older versions of git say it.
const PROMISE: &str = r"^(remote\..*\.promisor|extensions\.partialclone)$";

/// What was read, or nothing where the repository is a partial clone that lacks it.
pub(super) fn unless_promised<T>(store: &dyn Store, read: Result<T, ChangeError>) -> Result<Option<T>, ChangeError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if is_promised(store, &error)? => Ok(None),
        Err(error) => Err(error),
    }
}

/// True where `error` says that an object is missing and the repository is a partial clone. Anywhere else a missing object
/// is damage. It is not fetched: a hook that waits for the network, or for a password, is no hook.
///
/// # Errors
/// The configuration cannot be read.
pub fn is_promised(store: &dyn Store, error: &ChangeError) -> Result<bool, ChangeError> {
    let missing = matches!(error, ChangeError::Object { source, .. } if source.code() == git2::ErrorCode::NotFound);
    if !missing {
        return Ok(false);
    }
    let no: [&[u8]; 4] = [b"false", b"no", b"off", b"0"];
    Ok(store.settings(PROMISE)?.iter().any(|value| !no.contains(&value.to_ascii_lowercase().as_slice())))
}
