//! What does a variable hold at a place? Only what its last assignment before it says plainly is read: a fixed text, or what
//! a function made that hides what it is given.

use super::name;

/// An assignment that stands further back is not looked for.
const FARTHEST: usize = 4 << 10;

/// What functions that hide their argument are called by.
const HIDING: &str = "hash hashed crypt encrypt bcrypt scrypt argon2 pbkdf2 md5 sha1 sha256 sha512 digest fingerprint mask redact sanitize obfuscate";

/// True when the variable that is used at `at` was last given a literal, or something hidden.
pub(super) fn holds_nothing_secret(text: &[u8], at: usize, variable: &[u8]) -> bool {
    let before = &text[at.saturating_sub(FARTHEST)..at];
    let given = memchr::memmem::rfind_iter(before, variable).find_map(|found| {
        let is_inside = found.checked_sub(1).is_some_and(|left| is_word(before[left]) || before[left] == b'.');
        if is_inside { None } else { value_after(&before[found + variable.len()..]) }
    });
    given.is_some_and(|value| is_text(value) || is_hidden(value))
}

/// What is assigned to a name that stands before `rest`, to the end of its line.
fn value_after(rest: &[u8]) -> Option<&[u8]> {
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b":=").or_else(|| rest.strip_prefix(b"="))?;
    if rest.first().is_some_and(|b| matches!(b, b'=' | b'>' | b'~')) {
        return None; // a comparison
    }
    let line = rest.split(|&b| b == b'\n').next()?.trim_ascii();
    (!line.is_empty()).then_some(line)
}

/// One literal and nothing else.
fn is_text(value: &[u8]) -> bool {
    let value = value.strip_suffix(b";").unwrap_or(value);
    let Some(&quote) = value.first().filter(|b| matches!(b, b'"' | b'\'')) else { return false };
    let inner = value[1..].strip_suffix(&[quote]);
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(&quote))
}

fn is_hidden(value: &[u8]) -> bool {
    let function = value.split(|&b| b == b'(').next().filter(|function| function.len() < value.len()).unwrap_or_default();
    let last = function.rsplit(|&b| b == b'.' || b == b':').next().unwrap_or_default();
    last.iter().all(|&b| is_word(b)) && name::parts(last).iter().any(|part| HIDING.split(' ').any(|word| word.as_bytes() == part.as_slice()))
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds_nothing(text: &str) -> bool {
        holds_nothing_secret(text.as_bytes(), text.rfind("password").unwrap(), b"password")
    }

    #[test]
    fn what_is_fixed_or_hidden_is_told_from_what_may_be_a_credential() {
        for text in
            ["var password = \"123\";\nlog(password)", "password := hash(input)\nlog(password)", "password = util.mask_secret(p)\nlog(password)"]
        {
            assert!(holds_nothing(text), "{text}");
        }
        for text in [
            "password = read()\nlog(password)",
            "password = ''\nlog(password)",
            "password = \"a\" + b\nlog(password)",
            "password = hash(a)\npassword = read()\nlog(password)",
            "password = decrypt(a)\nlog(password)",
            "my_password = \"123\"\nlog(password)",
            "if password == \"123\" { log(password) }",
            "log(password)",
        ] {
            assert!(!holds_nothing(text), "{text}");
        }
    }
}
