//! What git tells a hook about a push: one line a ref on standard input, or the arguments of `update`.

use super::error::ChangeError;
use super::objects::ObjectId;

/// One line of a pre-receive hook's standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// Value before; `None` for a new ref. In a hook of a server it is what the pusher says.
    pub old: Option<ObjectId>,
    /// Value after; `None` for a deletion.
    pub new: Option<ObjectId>,
    /// Full name, as bytes.
    pub name: Vec<u8>,
}

impl RefUpdate {
    const FORMAT: &'static str = "<old id> <new id> <ref name>";

    /// Reads the input of `pre-receive`. Empty input is a push that changes no ref.
    ///
    /// # Errors
    /// Any line that is not two ids of equal length and a name.
    pub fn parse(input: &[u8]) -> Result<Vec<Self>, ChangeError> {
        lines(input)
            .enumerate()
            .map(|(at, line)| {
                let mut parts = line.splitn(3, |&b| b == b' ');
                let update = (|| Self::from_parts(parts.next()?, parts.next()?, parts.next()?))();
                update.ok_or(ChangeError::Input { line: at + 1, format: Self::FORMAT })
            })
            .collect()
    }

    /// Reads the three arguments of an `update` hook.
    ///
    /// # Errors
    /// Ids that are none, or an empty name.
    pub fn from_arguments(name: &[u8], old: &str, new: &str) -> Result<Self, ChangeError> {
        Self::from_parts(old.as_bytes(), new.as_bytes(), name).ok_or(ChangeError::Input { line: 1, format: "REF OLD NEW" })
    }

    fn from_parts(old: &[u8], new: &[u8], name: &[u8]) -> Option<Self> {
        let (old, new) = (ObjectId::from_hex(old)?, ObjectId::from_hex(new)?);
        // git allows no control characters in ref names; one here (a carriage return, say) means the input is not git's.
        let sound = old.as_bytes().len() == new.as_bytes().len() && !name.is_empty() && !name.iter().any(u8::is_ascii_control);
        let there = |id: ObjectId| (!id.is_null()).then_some(id);
        sound.then(|| Self { old: there(old), new: there(new), name: name.to_vec() })
    }
}

/// One line of a pre-push hook's standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrePush {
    /// The ref as the remote will have it.
    pub update: RefUpdate,
}

impl PrePush {
    const FORMAT: &'static str = "<local ref> <local id> <remote ref> <remote id>";

    /// Reads the input of `pre-push`. It is empty when everything is up to date.
    ///
    /// # Errors
    /// Any line of another form.
    pub fn parse(input: &[u8]) -> Result<Vec<Self>, ChangeError> {
        lines(input)
            .enumerate()
            .map(|(at, line)| {
                // The local name is what the user typed and may hold spaces (`HEAD@{1 day ago}`): read from the right.
                let mut parts = line.rsplitn(4, |&b| b == b' ');
                let update = (|| {
                    let (old, name, new) = (parts.next()?, parts.next()?, parts.next()?);
                    parts.next()?;
                    RefUpdate::from_parts(old, new, name)
                })();
                update.map(|update| Self { update }).ok_or(ChangeError::Input { line: at + 1, format: Self::FORMAT })
            })
            .collect()
    }
}

fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    let count = if input.is_empty() { 0 } else { usize::MAX };
    input.split(|&b| b == b'\n').take(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const Z: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn updates_are_read_with_and_without_a_final_newline() {
        for end in ["", "\n"] {
            let input = format!("{Z} {A} refs/heads/a b{end}");
            let updates = RefUpdate::parse(input.as_bytes()).unwrap();
            assert_eq!(updates.len(), 1);
            assert_eq!((updates[0].old, updates[0].name.as_slice()), (None, b"refs/heads/a b".as_slice()));
        }
        assert_eq!(RefUpdate::parse(b"").unwrap(), []);
    }

    #[test]
    fn a_malformed_line_is_an_error_that_names_it() {
        let good = format!("{Z} {A} refs/heads/a\n");
        for bad in [
            "\n",
            "x\n",
            &format!("{A}\n"),
            &format!("{A} {A}\n"),
            &format!("{A} {A} \n"),
            &format!("{A} {A} r\r\n"),
            &format!("{A} {} r", "1".repeat(64)),
        ] {
            let input = format!("{good}{bad}");
            assert!(matches!(RefUpdate::parse(input.as_bytes()), Err(ChangeError::Input { line: 2, .. })), "{bad:?}");
        }
    }

    #[test]
    fn a_pre_push_line_may_have_spaces_in_the_local_name() {
        let lines = PrePush::parse(format!("HEAD@{{1 day ago}} {A} refs/heads/x {Z}\n(delete) {Z} refs/heads/y {A}").as_bytes()).unwrap();
        assert_eq!(lines[0].update.name, b"refs/heads/x");
        assert_eq!(lines[1].update.new, None);
    }
}
