//! Could this value be a credential? What made-up text, references and prose look like.
//!
//! It is long because every look of a value that speaks for or against it stands here, each in a few lines.

use super::holds::{Words, holds};
use super::language::Language;
use super::name;

/// Words that people put where a real value would stand; then runs of characters in the order of the keyboard, the alphabet or
/// the digits.
static PLACEHOLDERS: Words<30> = Words::new([
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
    "0123456789",
    "1234567890",
    "abcdefghij",
    "abcd1234",
    "deadbeef",
    "aaaaaaaa",
    "00000000",
    "qwertyuiop",
]);

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
    PLACEHOLDERS.are_in(value) || value.len() >= 8 && distinct(value) <= 3 || is_cut_off(value)
}

/// `eyJzaWdu...`, `xoxp-5723-####`: somebody took the rest away before writing it down.
fn is_cut_off(value: &[u8]) -> bool {
    let struck = value.windows(6).any(|w| matches!(w[0], b'#' | b'*' | b'.' | b'?') && w.iter().all(|&b| b == w[0]));
    value.ends_with(b"...") || value.ends_with("…".as_bytes()) || struck || repeats(value) || counts_up(value)
}

/// `klmnopqr`: letters in the order of the alphabet, more of them than chance brings together.
fn counts_up(value: &[u8]) -> bool {
    const LONGEST_BY_CHANCE: usize = 6;
    let mut run = 0;
    value.windows(2).any(|pair| {
        run = if pair[0].is_ascii_alphabetic() && pair[1] == pair[0].wrapping_add(1) { run + 1 } else { 0 };
        run >= LONGEST_BY_CHANCE
    })
}

/// `k3Jd82hGs0…k3Jd82hGs0…`: the same ten characters twice. Nobody draws that; somebody pasted to fill the length.
pub(super) fn is_pasted(value: &[u8]) -> bool {
    /// Longer values are data, which may well repeat.
    const LONGEST: usize = 128;
    const PIECE: usize = 10;
    value.len() <= LONGEST && (PIECE..value.len()).any(|at| memchr::memmem::find(&value[at..], &value[at - PIECE..at]).is_some())
}

/// `abababababababab`, `ZZZZZZZZZ`: a stretch in which the same one to four characters follow each other again and again.
fn repeats(value: &[u8]) -> bool {
    /// Chance repeats of base64 are shorter: one in 64 to the twelfth.
    const LONGEST_BY_CHANCE: usize = 12;
    (1..=4).any(|period| {
        let mut run = 0;
        value[period.min(value.len())..].iter().zip(value).any(|(later, earlier)| {
            run = if later == earlier { run + 1 } else { 0 };
            run >= LONGEST_BY_CHANCE
        })
    })
}

/// True for the text of a base64 value that is a placeholder once decoded.
pub(super) fn is_made_up_inside(value: &[u8]) -> bool {
    value.len() >= 8
        && super::decode::base64(value)
            .is_some_and(|text| text.iter().all(|b| b.is_ascii_graphic() || *b == b' ') && is_placeholder_password(b"", &text))
}

/// `…-11ec-…`: a UUID of the first version is the time and the machine's address; nothing in it is secret. Without its dashes it
/// is told by the years from 2004 to 2033, which a random one hits once in 5,000 times.
pub(super) fn is_time_uuid(value: &[u8]) -> bool {
    let is_variant = |b: u8| matches!(b, b'8' | b'9' | b'a' | b'b' | b'A' | b'B');
    match value.len() {
        36 => {
            value.iter().enumerate().all(|(at, b)| if matches!(at, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
                && value[14] == b'1'
                && is_variant(value[19])
        }
        32 => {
            value.iter().all(u8::is_ascii_hexdigit)
                && value[12..14] == *b"11"
                && matches!(value[14], b'd' | b'e' | b'f' | b'D' | b'E' | b'F')
                && is_variant(value[16])
        }
        _ => false,
    }
}

/// `$6$rounds=…`, `$2b$12$…`, `$argon2id$…`: what a login compares with. Whoever reads it has to guess yet; a rule of its own warns.
pub(super) fn is_password_hash(value: &[u8]) -> bool {
    const METHODS: [&[u8]; 10] = [b"1", b"5", b"6", b"7", b"y", b"2a", b"2b", b"2x", b"2y", b"apr1"];
    let Some(rest) = value.strip_prefix(b"$") else { return false };
    let method = memchr::memchr(b'$', rest).map_or(rest, |end| &rest[..end]);
    rest.len() > method.len() && rest.len() >= 24 && (METHODS.contains(&method) || method.starts_with(b"argon2") || method.starts_with(b"pbkdf2"))
}

/// `SHA256:…`, `sha512-…`: the checksum of something, by its own word.
pub(super) fn is_checksum(value: &[u8]) -> bool {
    const METHODS: [&[u8]; 5] = [b"sha1", b"sha256", b"sha384", b"sha512", b"md5"];
    let end = value.iter().position(|b| matches!(b, b':' | b'-'));
    end.is_some_and(|end| value.len() - end >= 16 && METHODS.iter().any(|method| value[..end].eq_ignore_ascii_case(method)))
}

/// A public key or a signature in the form that ASN.1 gives them: base64 of a public key of RSA, of a curve or of Ed25519, or a
/// signature by a curve in hexadecimal. A private key has a number in front of the name of its method.
pub(super) fn is_made_public(value: &[u8]) -> bool {
    const METHODS: [&[u8]; 3] = [b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", b"\x06\x03\x2b\x65\x70"];
    /// What stands before the method: two headings with their lengths.
    const FAR: usize = 8;
    let is_key = value.len() >= 40
        && value.starts_with(b"M")
        && super::decode::base64(&value[..36]).is_some_and(|head| {
            METHODS
                .iter()
                .any(|method| memchr::memmem::find(&head, method).is_some_and(|at| at <= FAR && !head[..at].windows(2).any(|w| w == b"\x02\x01")))
        });
    let is_signature = matches!(value.len(), 136..=146)
        && matches!(&value[..4], b"3043" | b"3044" | b"3045" | b"3046")
        && value[4..6] == *b"02"
        && value.iter().all(u8::is_ascii_hexdigit);
    is_key || is_signature
}

/// Keys that their vendors hand to every browser: who builds a page cannot hide them.
const PUBLISHABLE: [&[u8]; 8] = [b"pk_live_", b"pk_test_", b"pk.eyJ", b"phc_", b"sb_publishable_", b"live_pub_", b"test_pub_", b"FLWPUBK"];

/// True for a key that is made to be seen.
pub(super) fn is_publishable(value: &[u8]) -> bool {
    PUBLISHABLE.iter().any(|prefix| value.starts_with(prefix))
}

/// Signs that stand in no alphabet which tokens are written in: those of base64, URLs, UUIDs and their separators.
fn is_foreign(b: u8) -> bool {
    matches!(b, b'?' | b'%' | b'$' | b'*' | b';' | b'!' | b'@' | b'&' | b'#' | b'^' | b',' | b'(' | b')' | b'<' | b'>' | b'[' | b']')
}

/// True for a token in which one or two signs stand that no token has, among letters and digits: it was broken on the way or
/// made up by hand. Passwords may hold any sign, and so do keys that are drawn from all signs, which hold many. A dollar in
/// front is the shell's or the template's.
pub(super) fn is_broken_token(value: &[u8]) -> bool {
    let escaped = value.windows(3).filter(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit()).count();
    let is_escaped = escaped > 0 && escaped == value.iter().filter(|b| **b == b'%').count();
    let foreign = value.iter().filter(|b| is_foreign(**b)).count();
    if foreign == 1 && value.starts_with(b"$") {
        return false;
    }
    let plain = value.iter().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
    // A short one might be a password yet, but none that stands under the name of a token asks a question.
    let asks = value.len() >= 8 && value.contains(&b'?') && foreign <= 2 && plain * 10 >= value.len() * 7;
    value.len() >= 20 && !is_escaped && matches!(foreign, 1..=2) && plain * 100 >= value.len() * 85 || asks
}

/// True for `nonMatchingToken`, `NOT_A_KEY`: the name itself says that the value is none. A `fake` or a `mock` says less: real
/// values are often put under such names.
pub(super) fn says_it_is_none(name: &[u8]) -> bool {
    // A token against forged requests lives as long as one form; the id of a key is told to everyone.
    const SAYING: [&[&[u8]]; 7] = [&[b"keyid"], &[b"non", b"matching"], &[b"nonmatching"], &[b"not", b"a"], &[b"bogus"], &[b"csrf"], &[b"xsrf"]];
    let parts = name::parts(name);
    SAYING.iter().any(|words| parts.windows(words.len()).any(|part| part == *words))
}

/// Number of different bytes.
pub(super) fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().filter(|&&b| !std::mem::replace(&mut seen[usize::from(b)], true)).count()
}

/// True when the value refers to another place instead of holding the credential: a variable, a template, a format verb.
pub(super) fn is_reference(value: &[u8]) -> bool {
    let starts = |what: &[u8]| value.starts_with(what);
    starts(b"$") && is_variable(&value[1..])
        || starts(b"$(")
        || starts(b"%(")
        || starts(b"#{")
        || holds_interpolation(value)
        || starts(b"<") && value.ends_with(b">")
        || starts(b"[") && value.ends_with(b"]")
        || starts(b"((") && value.ends_with(b"))")
        || starts(b"%") && value.ends_with(b"%")
        || starts(b"@") && value.ends_with(b"@")
        || starts(b"@{")
        || starts(b"@") && value.ends_with(b")") && value[1..].iter().take_while(|b| b.is_ascii_alphabetic()).count() >= 3
        || starts(b"__") && value.ends_with(b"__")
        || value.len() == 2 && starts(b"%")
        || memchr::memchr2(b'{', b'%', value).is_some() && is_template(value)
        || [
            &b"env:"[..],
            b"vault:",
            b"op://",
            b"arn:",
            b"ssm:",
            b"secretsmanager:",
            b"projects/",
            b"file://",
            b"!ref",
            b"!vault",
            b"enc[",
            b"enc(",
            b"encrypted:",
            b"@microsoft.keyvault(",
        ]
        .iter()
        .any(|scheme| value.len() >= scheme.len() && value[..scheme.len()].eq_ignore_ascii_case(scheme))
}

/// Anywhere in the value a place that a template fills in.
fn is_template(value: &[u8]) -> bool {
    [&b"#{"[..], b"%{", b"{%"].iter().any(|open| memchr::memmem::find(value, open).is_some())
        || memchr::memmem::find(value, b"<%").is_some_and(|at| memchr::memmem::find(&value[at..], b"%>").is_some())
        || memchr::memmem::find(value, b"{{").is_some_and(|at| !is_closed_by_one(&value[at + 2..]))
        || memchr::memmem::find(value, b"${").is_some_and(|at| names_variable(&value[at + 2..]))
}

/// What may follow the `$` of a variable: its name, members and indices. Other signs make it a password, and so do many
/// digits among many letters.
fn is_variable(name: &[u8]) -> bool {
    let of_name = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'>' | b'[' | b']' | b'\'' | b'"' | b'(' | b')' | b'{' | b'}' | b':' | b' ' | b',')
    };
    let drawn = name.len() >= 24 && name.iter().filter(|b| b.is_ascii_digit()).count() >= 6;
    name.first().is_some_and(|b| !b.is_ascii_digit()) && name.iter().all(of_name) && !drawn
}

/// A template's `{{` ends with two braces; where one follows alone, they are signs of a password.
fn is_closed_by_one(rest: &[u8]) -> bool {
    rest.iter().position(|&b| b == b'}').is_some_and(|at| rest.get(at + 1) != Some(&b'}'))
}

/// `${NAME}`, `${name:-default}`, `${call(x)}`: what opens with `${` and goes on as no variable does are signs of a password.
fn names_variable(rest: &[u8]) -> bool {
    let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b' ' | b'!' | b'#' | b'$' | b'@')).count();
    rest.get(name)
        .is_none_or(|b| matches!(b, b'}' | b':' | b'[' | b'(' | b'?' | b'+' | b'=' | b'%' | b'/' | b',' | b'|' | b'"' | b'\'' | b'{' | b'`' | b'&'))
}

/// True where each bracket is closed by its like; what is still open at the end may have been cut off.
fn brackets_match(value: &[u8]) -> bool {
    let mut open = Vec::new();
    value.iter().all(|b| match b {
        b'(' | b'[' | b'{' => {
            open.push(*b);
            true
        }
        b')' => open.pop() == Some(b'('),
        b']' => open.pop() == Some(b'['),
        b'}' => open.pop() == Some(b'{'),
        _ => true,
    })
}

/// `{name}`, `{user.token}`, `{value:08x}`: a place that a template or a format fills in. JSON in braces is none.
fn holds_interpolation(value: &[u8]) -> bool {
    if memchr::memchr(b'{', value).is_none() || !brackets_match(value) {
        return false; // no language writes a template so, but a password may hold any sign
    }
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
    if value.len() < 8 || is_made_up(value) || is_time_uuid(value) || is_identifier(value) {
        return false;
    }
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let all_of_one_kind = digits == 0 && letters < 32 || letters == 0;
    !all_of_one_kind && entropy(value) >= least_entropy(value.len())
}

/// `WINBIO_PRESENCE_0`, `Win32_Security_Authorization`: words with a number or two behind them, joined as in the names of constants.
fn is_identifier(value: &[u8]) -> bool {
    let is_word = |part: &[u8]| {
        let letters = part.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let digits = &part[letters..];
        // `Humps`, `UPPER` or `lower`: after a small letter one large one begins the next word.
        let mixed = part[..letters].windows(3).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase() && w[2].is_ascii_uppercase());
        digits.len() <= 2 && digits.iter().all(u8::is_ascii_digit) && !part.is_empty() && !mixed
    };
    value.contains(&b'_') && value.split(|b| *b == b'_').all(is_word) && !super::features::is_wordless(value)
}

/// Machines draw tokens of round lengths; one character more or less is another thing, or a token cut by hand.
pub(super) fn has_usual_length(value: &[u8]) -> bool {
    value.len().is_multiple_of(4) || matches!(value.len(), 22 | 25 | 30 | 34 | 35 | 37 | 43 | 45 | 46 | 50 | 86)
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
    let is_beginning = |harmless: &&str| part.len() <= harmless.len() + 3 && part.starts_with(harmless.as_bytes());
    HARMLESS_PARTS.iter().any(|harmless| part.first() == harmless.as_bytes().first() && is_beginning(harmless))
}

/// True for a word that stands for a password in documentation.
pub(super) fn is_password_word(value: &[u8]) -> bool {
    PASSWORD_WORDS.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(value))
}

fn before_is_harmless(before: &[u8]) -> bool {
    let name_end = before.iter().position(|b| matches!(b, b'=' | b':' | b' ' | b'\t' | b',' | b'(' | b'>')).unwrap_or(before.len());
    name::parts(&before[..name_end]).iter().any(|part| is_harmless_part(part))
}

fn names_password(before: &[u8]) -> bool {
    static PASSWORDS: Words<2> = Words::new(["pass", "pw"]);
    PASSWORDS.are_in(before)
}

/// Beginnings of tokens that have one form, which the vendors' rules know. What begins so and is none of theirs was cut, or
/// changed so that it opens nothing.
const ONE_FORM: [&[u8]; 6] = [b"AIzaSy", b"cfut_", b"cfat_", b"sk-admin-", b"sqco_", b"ucat_"];

/// True for a value that a vendor's name or its own beginning announces as a token of that vendor, but that has another form: it
/// was cut, or changed so that it opens nothing. Only for vendors whose tokens have one form.
pub(super) fn is_misshapen(name: &[u8], value: &[u8]) -> bool {
    if ONE_FORM.iter().any(|beginning| value.starts_with(beginning)) {
        return true; // a rule of the vendor's own tells the whole ones
    }
    static VENDOR: Words<1> = Words::new(["telegram"]);
    if !VENDOR.are_in(name) {
        return false;
    }
    // The number of the bot, a colon, 35 characters.
    let Some(colon) = memchr::memchr(b':', value).filter(|&at| value[..at].iter().all(u8::is_ascii_digit)) else { return false };
    colon > 0 && !((5..=16).contains(&colon) && value.len() - colon == 36)
}

/// Signs of many kinds in an order that no language writes: brackets that close what was never opened.
pub(super) fn is_scramble(value: &[u8]) -> bool {
    let signs: Vec<u8> = value.iter().copied().filter(u8::is_ascii_punctuation).collect();
    value.len() >= 12
        && value.iter().all(|b| b.is_ascii_graphic() && *b != b'\\')
        && distinct(&signs) >= 6
        && !brackets_match(value)
        && !is_made_up(value)
}

/// Words that people put into passwords that are none.
const WEAK_WORDS: [&str; 14] =
    ["pass", "pwd", "secret", "test", "demo", "token", "string", "wrong", "invalid", "hash", "encrypt", "required", "field", "label"];

/// `guitar7Shadow`, `coffee!master`: letters with digits or with a sign that stands in no name, and none of the words that
/// people put where a password would stand.
pub(super) fn is_human_password(value: &[u8]) -> bool {
    /// A longer one is a phrase or was drawn, and is weighed as such.
    const LENGTHS: std::ops::RangeInclusive<usize> = 8..=40;
    let lower = value.to_ascii_lowercase();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let signs = value.iter().filter(|b| matches!(b, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'?' | b'+' | b'=' | b'~')).count();
    let plain = |b: &u8| {
        b.is_ascii_graphic() && !matches!(b, b'/' | b'\\' | b'<' | b'>' | b'(' | b')' | b'{' | b'}' | b'[' | b']' | b';' | b',' | b':' | b'"' | b'\'')
    };
    LENGTHS.contains(&value.len())
        && letters >= 3
        && digits + signs >= 1
        && !lower.starts_with(b"user")
        && !lower.starts_with(b"admin")
        && value.iter().all(plain)
        && distinct(value) >= 5
        && !WEAK_WORDS.iter().any(|word| holds(&lower, word.as_bytes()))
        && !is_made_up(value)
        && !is_reference(value)
}

/// `whiteduke`, `open sesame`, `thisismypassword`: two words that nobody would put there but as a password.
pub(super) fn is_phrase(value: &[u8]) -> bool {
    const LENGTHS: std::ops::RangeInclusive<usize> = 8..=24;
    let joints = value.iter().filter(|b| matches!(b, b' ' | b'-' | b'_')).count();
    let has = |word: &&str| holds(value, word.as_bytes());
    LENGTHS.contains(&value.len())
        && joints <= 1
        && value.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b' ' | b'-' | b'_'))
        // `new_password` is the name of a field.
        && !WEAK_WORDS.iter().chain(&["user"]).filter(|word| joints > 0 || !word.starts_with('p')).any(has)
        && !is_made_up(value)
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
        for real in ["$2y$10$abc", "p4ss{word", "a%b", "<3youall", "m{{h}o)p${e]nob", "super$ecret"] {
            assert!(!is_reference(real.as_bytes()), "{real}");
        }
        for made_up in ["AKIAIOSFODNN7EXAMPLE", "your-api-key-here", "xxxxxxxxxxxx", "abcdefghijklmnop", "0000000000000000"] {
            assert!(is_made_up(made_up.as_bytes()), "{made_up}");
        }
    }

    #[test]
    fn a_token_with_a_stray_sign_is_broken() {
        for broken in ["k3Jd82h?s0", "k3Jd82hGs0?dkW92hfKq0Zx", "@dkW92hfKq0Zxk3Jd82hGs0"] {
            assert!(is_broken_token(broken.as_bytes()), "{broken}");
        }
        for whole in [
            "$k3Jd82hGs0dkW92hfKq0Zx",
            "k3Jd82hGs0-dkW92hf_Kq0Zx",
            "ab+c/dE4kW92hfKq0Zx==",
            "dkW92hfKq0%2Bk3Jd82hGs0",
            "#k$3J!d8&2h@Gs0(dk)W92",
            "short?1",
            "{ab+c/dE4kW92hfKq0Zx}",
        ] {
            assert!(!is_broken_token(whole.as_bytes()), "{whole}");
        }
    }

    #[test]
    fn a_harmless_part_takes_the_sense_out_of_a_name() {
        assert!(before_is_harmless(b"tokenUrl = \""));
        assert!(!before_is_harmless(b"api_token = \""));
    }

    #[test]
    fn names_of_constants_checksums_and_hashes_of_passwords_are_told_from_tokens() {
        for name in ["WINBIO_PRESENCE_0", "Win32_Security_Authorization", "user_access_token_v2"] {
            assert!(is_identifier(name.as_bytes()) && !looks_drawn(name.as_bytes()), "{name}");
        }
        for drawn in ["kW92hfKq_0Zxk3Jd82", "xqzjvkwp_hgtrmnbd_3"] {
            assert!(!is_identifier(drawn.as_bytes()), "{drawn}");
        }
        assert!(
            is_checksum(b"SHA256:kW92hfKq0Zxk3Jd82hGs0") && is_checksum(b"sha512-kW92hfKq0Zxk3Jd82") && !is_checksum(b"sha256~kW92hfKq0Zxk3Jd82")
        );
        let public = b"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkW92hfKq0Zxk3Jd8"; // the head of each key on that curve
        assert!(is_made_public(public) && !is_made_public(b"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"));
        assert!(is_made_public(["3045022100", &"c9".repeat(64)].concat().as_bytes()) && !is_made_public("c9".repeat(69).as_bytes()));
        assert!(is_password_hash(b"$6$rounds=500000$kW92hfKq0Zxk3Jd8") && is_password_hash(b"$2b$12$kW92hfKq0Zxk3Jd82hGs0"));
        assert!(!is_password_hash(b"$ecret$kW92hfKq0Zxk3Jd82hGs0"));
    }
}
