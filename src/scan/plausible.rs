//! Could this value be a credential? What made-up text, references and prose look like.

use super::language::Language;
use super::name;

/// Words that people put where a real value would stand.
const PLACEHOLDER_WORDS: [&str; 22] = [
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "your_",
    "your-",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "yourapi",
    "dummy",
    "redacted",
    "replace",
    "insert",
    "xxxx",
    "****",
    "....",
    "foobar",
    "sample",
    "removed",
];

/// Runs of characters in the order of the keyboard, the alphabet or the digits.
const SEQUENCES: [&str; 8] = ["0123456789", "1234567890", "abcdefghij", "abcd1234", "deadbeef", "aaaaaaaa", "00000000", "qwertyuiop"];

/// Passwords that stand for "a password" in documentation.
const PASSWORD_WORDS: [&str; 24] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "pw",
    "secret",
    "token",
    "user",
    "username",
    "root",
    "admin",
    "test",
    "guest",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "empty",
    "string",
    "default",
    "foo",
    "bar",
];

/// True for text that nobody draws at random: a placeholder word, a sequence, or few characters repeated.
pub(super) fn is_made_up(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let has = |word: &str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    PLACEHOLDER_WORDS.iter().chain(&SEQUENCES).any(|word| has(word)) || value.len() >= 8 && distinct(value) <= 3
}

/// Number of different bytes.
pub(super) fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().filter(|&&b| !std::mem::replace(&mut seen[usize::from(b)], true)).count()
}

/// True when the value refers to another place instead of holding the credential: a variable, a template, a format verb.
pub(super) fn is_reference(value: &[u8]) -> bool {
    let starts = |what: &[u8]| value.starts_with(what);
    starts(b"$") && !value[1..].iter().any(|b| matches!(b, b'/' | b'$' | b'.')) && value.get(1).is_some_and(|b| !b.is_ascii_digit())
        || starts(b"${")
        || starts(b"$(")
        || starts(b"%(")
        || starts(b"#{")
        || holds_interpolation(value)
        || starts(b"<") && value.ends_with(b">")
        || starts(b"[") && value.ends_with(b"]")
        || starts(b"((") && value.ends_with(b"))")
        || starts(b"%") && value.ends_with(b"%")
        || starts(b"@") && value.ends_with(b"@")
        || starts(b"__") && value.ends_with(b"__")
        || value.len() == 2 && starts(b"%")
        || [&b"{{"[..], b"${", b"<%", b"#{", b"%{", b"{%"].iter().any(|open| memchr::memmem::find(value, open).is_some())
        || [&b"env:"[..], b"vault:", b"op://", b"arn:", b"ssm:", b"secretsmanager:", b"projects/", b"file://", b"!ref", b"!vault", b"enc[", b"enc("]
            .iter()
            .any(|scheme| value.len() >= scheme.len() && value[..scheme.len()].eq_ignore_ascii_case(scheme))
}

/// `{name}`, `{user.token}`, `{value:08x}`: a place that a template or a format fills in. JSON in braces is none.
fn holds_interpolation(value: &[u8]) -> bool {
    let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-' | b'[' | b']' | b'(' | b')' | b' ' | b',');
    memchr::memchr_iter(b'{', value).any(|open| {
        let rest = &value[open + 1..];
        let length = rest.iter().take_while(|b| inside(b)).count();
        rest.get(length) == Some(&b'}') && (length <= 2 || rest.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_'))
    })
}

/// True for a password that only stands for one: the word itself, the user's name, a placeholder.
pub(super) fn is_placeholder_password(user: &[u8], password: &[u8]) -> bool {
    let lower = password.to_ascii_lowercase();
    password.is_empty()
        || is_reference(password)
        || is_made_up(password)
        || PASSWORD_WORDS.iter().any(|word| word.as_bytes() == lower)
        || password.eq_ignore_ascii_case(user) && distinct(password) < 8 && user != b"postgres"
        || distinct(password) == 1
        || password.iter().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-' | b'_' | b'#' | b'?'))
}

/// A URL without credentials, a path or a host name.
fn looks_like_place(value: &[u8]) -> bool {
    value.starts_with(b"/")
        || value.starts_with(b"./")
        || value.starts_with(b"~/")
        || value.starts_with(b"http://")
        || value.starts_with(b"https://") && !value.contains(&b'@')
}

/// True when the characters could come from a random generator: varied, of several kinds, and no word after word.
pub(super) fn looks_drawn(value: &[u8]) -> bool {
    if value.len() < 8 || is_made_up(value) {
        return false;
    }
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let all_of_one_kind = digits == 0 && letters < 32 || letters == 0;
    !all_of_one_kind && entropy(value) >= least_entropy(value.len())
}

/// Shannon entropy in bits a character.
pub(super) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &b in value {
        counts[usize::from(b)] += 1;
    }
    let length = value.len() as f64;
    counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / length).map(|p| -p * p.log2()).sum()
}

/// What nearly all random hexadecimal strings of this length exceed, the poorest common alphabet.
fn least_entropy(length: usize) -> f64 {
    match length {
        0..=11 => 2.2,
        12..=19 => 2.6,
        20..=31 => 2.9,
        _ => 3.1,
    }
}

/// The generic tier: a value bound to a sensitive name. `before` is the name with operator and quote, `next` the byte
/// after the value.
pub(super) fn is_credential(before: &[u8], value: &[u8], next: Option<u8>, language: Language) -> bool {
    let quote = before.last().copied().filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    if is_placeholder_password(b"", value) || looks_like_place(value) || before_is_harmless(before) {
        return false;
    }
    match quote {
        Some(quote) if next != Some(quote) && next != Some(b'\\') => return false,
        None if language.quotes_text() => return false,
        None if next.is_some_and(|b| matches!(b, b'(' | b'[' | b'.' | b'{')) => return false,
        _ => {}
    }
    if value.iter().any(|&b| b <= b' ') {
        return false; // prose
    }
    let drawn = looks_drawn(value);
    drawn || human_password(value) && names_password(before)
}

/// Parts that take the sense out of a sensitive name: `token_url`, `password_length`, `secret_name`.
const HARMLESS_PARTS: [&str; 40] = [
    "url",
    "uri",
    "endpoint",
    "host",
    "path",
    "file",
    "dir",
    "name",
    "id",
    "field",
    "header",
    "label",
    "type",
    "length",
    "len",
    "min",
    "max",
    "ttl",
    "expir",
    "count",
    "limit",
    "policy",
    "regex",
    "pattern",
    "error",
    "message",
    "title",
    "placeholder",
    "prompt",
    "tokens",
    "hash",
    "md5",
    "sha",
    "crypt",
    "encod",
    "redact",
    "mask",
    "csrf",
    "arn",
    "public",
];

/// True for a part that takes the sense out of a sensitive name.
pub(super) fn is_harmless_part(part: &[u8]) -> bool {
    HARMLESS_PARTS.iter().any(|harmless| part.starts_with(harmless.as_bytes()) && part.len() <= harmless.len() + 3)
}

/// True for a word that stands for a password in documentation.
pub(super) fn is_password_word(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    PASSWORD_WORDS.iter().any(|word| word.as_bytes() == lower)
}

fn before_is_harmless(before: &[u8]) -> bool {
    let name_end = before.iter().position(|b| matches!(b, b'=' | b':' | b' ' | b'\t' | b',' | b'(' | b'>')).unwrap_or(before.len());
    name::parts(&before[..name_end])
        .iter()
        .any(|part| HARMLESS_PARTS.iter().any(|harmless| part.starts_with(harmless.as_bytes()) && part.len() <= harmless.len() + 3))
}

fn names_password(before: &[u8]) -> bool {
    let lower = before.to_ascii_lowercase();
    ["pass", "pwd", "pw"].iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
}

/// Two kinds of characters and some length: what a person types when asked for a password.
fn human_password(value: &[u8]) -> bool {
    let kinds = [u8::is_ascii_lowercase as fn(&u8) -> bool, u8::is_ascii_uppercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
    let kinds = kinds.iter().filter(|kind| value.iter().any(kind)).count();
    value.len() >= 6 && kinds >= 2 && !value.iter().any(|b| matches!(b, b'(' | b')' | b'{' | b'}' | b'<' | b'>' | b';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_placeholders_are_no_credentials() {
        for reference in ["${DB_PASSWORD}", "$DB_PASSWORD", "{{ password }}", "<password>", "%(pw)s", "%s", "#{pw}", "@PW@", "env:PW", "((pw))"] {
            assert!(is_reference(reference.as_bytes()), "{reference}");
        }
        for real in ["$2y$10$abc", "p4ss{word", "a%b", "<3youall"] {
            assert!(!is_reference(real.as_bytes()), "{real}");
        }
        for made_up in ["AKIAIOSFODNN7EXAMPLE", "your-api-key-here", "xxxxxxxxxxxx", "abcdefghijklmnop", "0000000000000000"] {
            assert!(is_made_up(made_up.as_bytes()), "{made_up}");
        }
    }

    #[test]
    fn a_harmless_part_takes_the_sense_out_of_a_name() {
        assert!(before_is_harmless(b"tokenUrl = \""));
        assert!(!before_is_harmless(b"api_token = \""));
    }
}
