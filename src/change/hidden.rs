//! Which refs of a server count as accepted. A server may hide refs from those who push (`receive.hideRefs`): heads of pull
//! requests, kept objects. Nobody has reviewed what only such a ref reaches.

use super::error::ChangeError;
use super::objects::ObjectId;
use super::overrides;
use super::store::Store;

/// Names of the settings that hide refs from a push.
const HIDE_REFS: &str = r"^(transfer|receive)\.hiderefs$";

/// The values of all refs, or of those only that a pusher sees.
///
/// # Errors
/// The refs or the configuration cannot be read.
pub fn accepted(store: &dyn Store, hidden: HiddenRefs) -> Result<Vec<ObjectId>, ChangeError> {
    let refs = store.references()?.into_iter();
    if hidden == HiddenRefs::Counted {
        return Ok(refs.map(|(_, id)| id).collect());
    }
    let (mut patterns, namespace) = (store.settings(HIDE_REFS)?, namespace());
    // Some servers hide refs by `git -c`, for one command. Nobody shows one in that way: it may be the pusher.
    let given = overrides::values(&["receive.hiderefs", "transfer.hiderefs"]);
    patterns.extend(given.into_iter().filter(|pattern| !pattern.starts_with(b"!")));
    let is_seen = |full: &[u8]| full.strip_prefix(namespace.as_slice()).is_some_and(|name| !is_hidden(name, full, &patterns));
    Ok(refs.filter(|(name, _)| is_seen(name)).map(|(_, id)| id).collect())
}

/// The commit at the `HEAD` that a pusher sees; `None` where there is none yet.
///
/// # Errors
/// A `HEAD` that cannot be read.
pub fn head_of_push(store: &dyn Store) -> Result<Option<ObjectId>, ChangeError> {
    let namespace = namespace();
    if namespace.is_empty() {
        return store.head();
    }
    // Few namespaces have one: git makes none by itself.
    let name = [namespace.as_slice(), b"HEAD"].concat();
    Ok(std::str::from_utf8(&name).ok().and_then(|name| store.revision(name).ok()))
}

/// How the refs begin that belong to the repository pushed to. git keeps several repositories in one by namespaces: what
/// stands in another one was accepted elsewhere.
fn namespace() -> Vec<u8> {
    let named = std::env::var_os("GIT_NAMESPACE").unwrap_or_default();
    prefix(named.as_encoded_bytes())
}

fn prefix(namespace: &[u8]) -> Vec<u8> {
    let parts = namespace.split(|&b| b == b'/').filter(|part| !part.is_empty());
    parts.flat_map(|part| [b"refs/namespaces/", part, b"/"].concat()).collect()
}

/// Whether hidden refs count as accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiddenRefs {
    /// What only they reach is new.
    Ignored,
    /// What they reach is known.
    Counted,
}

/// As git decides it: the last pattern that fits wins, `!` shows again, and a pattern fits whole parts of a name.
fn is_hidden(name: &[u8], full: &[u8], patterns: &[Vec<u8>]) -> bool {
    for pattern in patterns.iter().rev() {
        let (shown, pattern) = match pattern.strip_prefix(b"!") {
            Some(pattern) => (true, pattern),
            None => (false, pattern.as_slice()),
        };
        // `^` stands for the name with its namespace.
        let (name, mut pattern) = match pattern.strip_prefix(b"^") {
            Some(pattern) => (full, pattern),
            None => (name, pattern),
        };
        while let Some(shorter) = pattern.strip_suffix(b"/") {
            pattern = shorter;
        }
        if name.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")) {
            return !shown;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{is_hidden, prefix};

    #[test]
    fn a_namespace_stands_before_its_refs() {
        assert_eq!(prefix(b"a/b"), b"refs/namespaces/a/refs/namespaces/b/");
        assert_eq!((prefix(b""), prefix(b"/a/")), (Vec::new(), b"refs/namespaces/a/".to_vec()));
        let patterns = [b"refs/x".to_vec(), b"^refs/namespaces/a/refs/y".to_vec()];
        let hidden = |name: &[u8]| is_hidden(name, &[b"refs/namespaces/a/", name].concat(), &patterns);
        assert_eq!([&b"refs/x/1"[..], b"refs/y/1", b"refs/z"].map(hidden), [true, true, false]);
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
        let cases: [(&[&str], &str, bool); 8] = [
            (&[], "refs/heads/a", false),
            (&["refs/pull"], "refs/pull/1/head", true),
            (&["refs/pull/"], "refs/pull/1/head", true),
            (&["refs/pull"], "refs/pullers/1", false),
            (&["refs/pull", "!refs/pull/1"], "refs/pull/1/head", false),
            (&["!refs/pull/1", "refs/pull"], "refs/pull/1/head", true),
            (&["^refs/pull"], "refs/pull/1/head", true),
            (&["!^refs/pull"], "refs/pull/1/head", false),
        ];
        for (texts, name, hidden) in cases {
            assert_eq!(is_hidden(name.as_bytes(), name.as_bytes(), &patterns(texts)), hidden, "{texts:?} {name}");
        }
    }
}
