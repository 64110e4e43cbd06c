//! Is this literal a credential? That depends on where it stands.
//!
//! In a fallback or a default a program runs with it: `changeme` there is as bad as a real password, and worse for being
//! known. Where it is only written down, a placeholder is harmless.

use super::{name, plausible};

/// True for a literal that a program would run with. Only what is empty, says "none" or points elsewhere is fine.
pub(super) fn is_used(value: &[u8]) -> bool {
    value.len() >= 2 && !says_nothing(value) && !plausible::is_reference(value) && !is_place(value) && !asks_for_one(value) && !is_name(value)
}

/// True for a literal that could be a credential where a placeholder would be harmless.
pub(super) fn is_real(value: &[u8]) -> bool {
    is_used(value)
        && value.len() >= 4
        && !value.iter().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'/'))
        && !is_word(value)
        && !plausible::is_made_up(value)
        && !plausible::is_placeholder_password(b"", value)
        && !is_prose(value)
}

/// True for text that documentation puts where a credential goes. A program runs with it all the same, but nobody deploys it.
pub(super) fn is_documentation(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    ["example", "sample", "placeholder", "dummy"].iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
}

fn says_nothing(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    matches!(
        lower.as_slice(),
        b"none" | b"null" | b"nil" | b"undefined" | b"true" | b"false" | b"yes" | b"no" | b"unset" | b"n/a" | b"na" | b"disabled"
    ) || value.len() < 5 && value.iter().all(u8::is_ascii_digit)
        || value.iter().all(|b| !b.is_ascii_alphanumeric())
}

/// A URL without credentials, a path, a host with its port, a MIME type.
fn is_place(value: &[u8]) -> bool {
    let has = |what: &[u8]| memchr::memmem::find(value, what).is_some();
    let relative = value.starts_with(b"./") || value.starts_with(b"../") || value.starts_with(b"~/");
    // Base64 may begin with a slash, but it does not hold names between slashes.
    let absolute = value.starts_with(b"/")
        && value.len() > 1
        && value[1..].iter().all(|&b| b.is_ascii_lowercase() || matches!(b, b'/' | b'.' | b'-' | b'_' | b':'));
    relative
        || absolute
        || has(b"://") && !has(b"@")
        || [&b".json"[..], b".pem", b".key", b".txt", b".yml", b".yaml"].iter().any(|end| value.ends_with(end))
}

/// `<your key>`, `YOUR_TOKEN_HERE`, `please set`: text that no program takes for a credential, but a person fills in.
fn asks_for_one(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let starts = |what: &[u8]| lower.starts_with(what);
    starts(b"<")
        || starts(b"your_")
        || starts(b"your-")
        || starts(b"please ")
        || starts(b"enter ")
        || lower.ends_with(b"_here")
        || lower.ends_with(b" here")
}

/// One word in small letters: `required`, `string`.
fn is_word(value: &[u8]) -> bool {
    value.len() < 16 && value.iter().all(u8::is_ascii_lowercase)
}

/// The name of a variable that holds the credential: `AWS_SECRET_ACCESS_KEY`.
fn is_name(value: &[u8]) -> bool {
    // `SECRET`, `JWT_SECRET_KEY`: a constant that is called like its own text.
    let name = value.iter().all(|&b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        || value.starts_with(b"aws_") && value.iter().all(|&b| b.is_ascii_lowercase() || b == b'_');
    name && name::is_sensitive(value).is_some()
}

/// A sentence has words between spaces; a passphrase has them too, but no small words.
fn is_prose(value: &[u8]) -> bool {
    let words = value.split(|&b| b == b' ').count();
    words > 3 || words > 1 && value.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b' ' | b',' | b'.' | b':' | b'?' | b'!'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_counts_where_a_program_runs_with_it() {
        for value in ["changeme", "dev", "secret", "admin", "hunter2x", "keyboard cat", "django-insecure-1", "Azerty123", "/Kq3+9Bx0Lz1Aa=="] {
            assert!(is_used(value.as_bytes()), "{value}");
        }
        for value in [
            "",
            "None",
            "null",
            "false",
            "${X}",
            "{{ x }}",
            "/run/secrets/x",
            "https://a.example",
            "1",
            "1234",
            "***",
            "<key>",
            "your-key",
            "a.pem",
            "DB_PASSWORD",
        ] {
            assert!(!is_used(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn a_placeholder_is_harmless_where_it_is_only_written_down() {
        for value in ["Azerty123", "Kq3x9Bx0Lz1Aa", "correct-horse7", "S3cr3t pass"] {
            assert!(is_real(value.as_bytes()), "{value}");
        }
        for value in ["changeme", "password", "example-key", "xxxxxxxx", "Enter the password", "required", "the password is wrong again"] {
            assert!(!is_real(value.as_bytes()), "{value}");
        }
    }
}
