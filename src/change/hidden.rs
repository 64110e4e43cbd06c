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
    let patterns = match hidden {
        HiddenRefs::Ignored => {
            let mut patterns = store.settings(HIDE_REFS)?;
            // Some servers hide refs by `git -c`, for one command. Nobody shows one in that way: it may be the pusher.
            let given = overrides::values(&["receive.hiderefs", "transfer.hiderefs"]);
            patterns.extend(given.into_iter().filter(|pattern| !pattern.starts_with(b"!")));
            patterns
        }
        HiddenRefs::Counted => Vec::new(),
    };
    let refs = store.references()?.into_iter();
    Ok(refs.filter(|(name, _)| !is_hidden(name, &patterns)).map(|(_, id)| id).collect())
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
fn is_hidden(name: &[u8], patterns: &[Vec<u8>]) -> bool {
    for pattern in patterns.iter().rev() {
        let (shown, pattern) = match pattern.strip_prefix(b"!") {
            Some(pattern) => (true, pattern),
            None => (false, pattern.as_slice()),
        };
        // `^` stands for the name with its namespace, which is the name that we have.
        let mut pattern = pattern.strip_prefix(b"^").unwrap_or(pattern);
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
    use super::is_hidden;

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
            assert_eq!(is_hidden(name.as_bytes(), &patterns(texts)), hidden, "{texts:?} {name}");
        }
    }
}
