//! What can be seen of a value bound to a name, as numbers for [`super::model`].
//!
//! Two tables stand behind it, made from public source code: the words that are common in it (`words.txt`) and how likely one
//! character follows another in its identifiers (`bigrams.bin`, sixteenths of a bit). It is long because the features are many.

use std::sync::OnceLock;

use super::assignment::{Assignment, Bind};
use super::holds::{Words, holds};
use super::language::Language;
use super::plausible;

/// Number of features.
pub(super) const COUNT: usize = NAMES.len();

/// What each feature is, in the order of the vector.
pub const NAMES: [&str; 93] = [
    "length",
    "log length",
    "entropy",
    "entropy of longest",
    "distinct",
    "digits",
    "upper",
    "lower",
    "punctuation",
    "letters only",
    "digits only",
    "hex only",
    "kinds",
    "transitions",
    "spaces",
    "not ascii",
    "slashes",
    "dots",
    "underscores",
    "dashes",
    "colons",
    "parentheses",
    "angles",
    "template signs",
    "braces",
    "reference",
    "made up",
    "password word",
    "is the name",
    "in the name",
    "bigrams",
    "worst bigrams",
    "words",
    "longest word",
    "humps",
    "repeat",
    "sequence",
    "uuid",
    "round length",
    "starts upper",
    "ends with =",
    "no quote",
    "double quote",
    "other quote",
    "escaped quote",
    "assign",
    "entry",
    "compare",
    "call",
    "comma",
    "element",
    "space",
    "next line",
    "name quoted",
    "pass",
    "secret",
    "token",
    "key",
    "auth",
    "credential",
    "qualified key",
    "id",
    "public",
    "hash",
    "place",
    "kind of",
    "harmless",
    "name length",
    "name parts",
    "name upper",
    "word last",
    "word first",
    "bare name",
    "code",
    "config",
    "shell",
    "prose",
    "other language",
    "test path",
    "doc path",
    "generated path",
    "locale path",
    "comment",
    "hash on line",
    "line length",
    "next is call",
    "expression",
    "sentence",
    "colour or size",
    "name word",
    "value has test word",
    "same as user",
    "further argument",
];

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) text: &'a [u8],
    pub(super) path: &'a [u8],
    pub(super) language: Language,
}

/// All features of an assignment.
pub(super) fn of(scene: &Scene<'_>, found: &Assignment) -> [f32; COUNT] {
    let mut out = Vector { values: [0.0; COUNT], at: 0 };
    let value = &scene.text[found.value.clone()];
    let name = &scene.text[found.name.clone()];
    of_value(value, name, &mut out);
    of_binding(found, &mut out);
    of_name(name, &mut out);
    of_place(scene, found, &mut out);
    of_sense(scene, found, value, &mut out);
    out.values
}

struct Vector {
    values: [f32; COUNT],
    at: usize,
}

impl Vector {
    fn put(&mut self, value: f32) {
        if let Some(slot) = self.values.get_mut(self.at) {
            *slot = value;
        }
        self.at += 1;
    }

    fn flag(&mut self, value: bool) {
        self.put(f32::from(u8::from(value)));
    }
}

fn of_value(value: &[u8], name: &[u8], out: &mut Vector) {
    let length = value.len().max(1) as f32;
    let count = |what: fn(&u8) -> bool| value.iter().filter(|b| what(b)).count() as f32;
    let has = |what: &[u8]| value.iter().filter(|b| what.contains(b)).count() as f32;
    let (digits, upper, lower) = (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let punctuation = count(u8::is_ascii_punctuation);
    let entropy = plausible::entropy(value) as f32;
    out.put(length.min(100.0));
    out.put(length.log2());
    out.put(entropy);
    out.put(entropy / length.min(64.0).log2().max(1.0));
    out.put(plausible::distinct(value) as f32 / length);
    for share in [digits, upper, lower, punctuation] {
        out.put(share / length);
    }
    out.flag(digits == 0.0 && upper + lower == length);
    out.flag(digits == length);
    out.flag(value.iter().all(u8::is_ascii_hexdigit) && length >= 8.0);
    out.put([digits, upper, lower, punctuation].iter().filter(|&&n| n > 0.0).count() as f32);
    let kind = |b: u8| {
        if b.is_ascii_digit() {
            0
        } else if b.is_ascii_alphabetic() {
            1
        } else {
            2
        }
    };
    out.put(value.windows(2).filter(|w| kind(w[0]) != kind(w[1])).count() as f32 / length);
    out.put(has(b" \t"));
    out.flag(!value.is_ascii());
    for signs in [&b"/"[..], b".", b"_", b"-", b":", b"()[]", b"<>", b"$%#@", b"{}"] {
        out.put(has(signs).min(9.0));
    }
    out.flag(plausible::is_reference(value));
    out.flag(plausible::is_made_up(value));
    out.flag(plausible::is_password_word(value));
    let (low_value, low_name) = (letters(value), letters(name));
    out.flag(low_value == low_name || low_name.ends_with(&low_value) && low_value.len() >= 3);
    out.flag(low_value.len() >= 4 && holds(&low_name, &low_value) || low_name.len() >= 4 && holds(&low_value, &low_name));
    let (mean, worst) = bigrams(value);
    out.put(mean);
    out.put(worst);
    let (covered, longest) = words(value);
    out.put(covered);
    out.put(longest);
    out.put(value.windows(2).filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase()).count().min(9) as f32);
    out.put(longest_run(value, |a, b| a == b));
    out.put(longest_run(value, |a, b| b == a.wrapping_add(1)));
    out.flag(value.len() == 36 && [8, 13, 18, 23].iter().all(|&at| value[at] == b'-'));
    out.flag(matches!(value.len(), 16 | 20 | 24 | 32 | 36 | 40 | 43 | 44 | 48 | 64 | 86 | 88 | 96 | 128));
    out.flag(value.first().is_some_and(u8::is_ascii_uppercase));
    out.flag(value.ends_with(b"="));
}

fn of_binding(found: &Assignment, out: &mut Vector) {
    out.flag(found.quote.is_none());
    out.flag(found.quote == Some(b'"'));
    out.flag(matches!(found.quote, Some(b'\'' | b'`')));
    out.flag(found.escaped);
    for bind in [Bind::Assign, Bind::Entry, Bind::Compare, Bind::Call, Bind::Comma, Bind::Element, Bind::Space, Bind::NextLine] {
        out.flag(found.bind == bind);
    }
    out.flag(found.name_quoted);
}

/// Words in a name, in the order of the bits below.
static NAMED: Words<25> = Words::new([
    "pass", "pwd", "psw", "pssw", "pasw", "secret", "token", "key", "auth", "bearer", "cred", "pub", "api", "access", "priv", "encr", "sign",
    "client", "app", "master", "account", "session", "aes", "hmac", "license",
]);

fn of_name(name: &[u8], out: &mut Vector) {
    let parts = super::name::parts(name);
    let has = |is_one: fn(&[u8]) -> bool| parts.iter().any(|part| is_one(part));
    let named = NAMED.of(name);
    let names = |bits: u32| named & bits != 0;
    let (secret, key, auth) = (1 << 5, 1 << 7, 1 << 8);
    out.flag(names(0b1_1111) || has(|part| part == b"pw"));
    out.flag(names(secret));
    out.flag(names(1 << 6));
    out.flag(names(key));
    out.flag(names(auth | 1 << 9));
    out.flag(names(1 << 10));
    out.flag(names(key) && names(secret | auth | !0 << 12));
    out.flag(has(|part| matches!(part, b"id" | b"ids" | b"uuid" | b"guid")));
    out.flag(names(1 << 11));
    out.flag(has(is_of_hash));
    out.flag(has(is_of_place));
    out.flag(has(is_of_kind));
    out.put(parts.iter().filter(|part| plausible::is_harmless_part(part)).count() as f32);
    out.put(name.len().min(60) as f32);
    out.put(parts.len().min(9) as f32);
    out.flag(!name.iter().any(u8::is_ascii_lowercase));
    let sensitive = |part: &Vec<u8>| SENSITIVE.are_in(part) || part == b"pw";
    out.flag(parts.last().is_some_and(sensitive));
    out.flag(parts.first().is_some_and(sensitive));
    out.flag(parts.len() == 1);
}

static SENSITIVE: Words<7> = Words::new(["pass", "pwd", "secret", "token", "key", "auth", "cred"]);

fn is_of_hash(part: &[u8]) -> bool {
    matches!(
        part,
        b"hash"
            | b"md5"
            | b"sha"
            | b"sha1"
            | b"sha256"
            | b"digest"
            | b"checksum"
            | b"fingerprint"
            | b"crypt"
            | b"encrypted"
            | b"hashed"
            | b"salt"
            | b"nonce"
    )
}

fn is_of_place(part: &[u8]) -> bool {
    matches!(
        part,
        b"url"
            | b"uri"
            | b"path"
            | b"file"
            | b"dir"
            | b"endpoint"
            | b"host"
            | b"name"
            | b"filename"
            | b"folder"
            | b"location"
            | b"page"
            | b"route"
            | b"arn"
            | b"ref"
    )
}

fn is_of_kind(part: &[u8]) -> bool {
    matches!(
        part,
        b"type"
            | b"format"
            | b"policy"
            | b"field"
            | b"label"
            | b"title"
            | b"message"
            | b"msg"
            | b"error"
            | b"text"
            | b"placeholder"
            | b"prompt"
            | b"hint"
            | b"header"
            | b"regex"
            | b"pattern"
            | b"algorithm"
            | b"alg"
            | b"kind"
            | b"mode"
            | b"class"
            | b"scope"
            | b"status"
            | b"state"
            | b"description"
            | b"help"
            | b"button"
            | b"link"
            | b"column"
            | b"prefix"
            | b"suffix"
    )
}

/// Words in a path: of tests, of documentation, of what was generated or taken from elsewhere, of translations.
static IN_PATH: Words<29> = Words::new([
    "test",
    "spec",
    "mock",
    "fixture",
    "fake",
    "stub",
    "doc",
    "readme",
    "example",
    "sample",
    "demo",
    "tutorial",
    "template",
    ".md",
    ".rst",
    "lock",
    "vendor",
    "node_modules",
    ".min.",
    "dist/",
    "generated",
    "third_party",
    "locale",
    "i18n",
    "lang",
    "translation",
    "messages",
    ".po",
    "l10n",
]);

fn of_place(scene: &Scene<'_>, found: &Assignment, out: &mut Vector) {
    use Language as L;
    let language = scene.language;
    out.flag(language.quotes_text());
    out.flag(matches!(language, L::Yaml | L::Json | L::Toml | L::Ini | L::Xml));
    out.flag(matches!(language, L::Shell | L::PowerShell | L::Dockerfile | L::Make | L::Sql));
    out.flag(language == L::Markdown);
    out.flag(language == L::Other);
    let in_path = IN_PATH.of(scene.path);
    for (from, count) in [(0, 6), (6, 9), (15, 7), (22, 7)] {
        out.flag(in_path >> from & ((1 << count) - 1) != 0);
    }
    let line = line_around(scene.text, found);
    let start = line.trim_ascii_start();
    out.flag([&b"#"[..], b"//", b"*", b"/*", b"--", b";", b"<!--", b"%"].iter().any(|sign| start.starts_with(sign)));
    static OF_HASH: Words<6> = Words::new(["hash", "sha", "md5", "checksum", "integrity", "digest"]);
    out.flag(OF_HASH.are_in(line));
    out.put((line.len().max(1) as f32).log2());
}

fn of_sense(scene: &Scene<'_>, found: &Assignment, value: &[u8], out: &mut Vector) {
    let next = scene.text.get(found.value.end).copied();
    let unquoted = found.quote.is_none();
    out.flag(unquoted && matches!(next, Some(b'(' | b'[' | b'{')));
    out.flag(unquoted && (value.iter().any(|b| matches!(b, b'(' | b'[' | b'{')) || scene.language.quotes_text()));
    out.flag(value.iter().filter(|b| **b == b' ').count() >= 2);
    out.flag(value.starts_with(b"#") && value.len() <= 9);
    let (covered, _) = words(&scene.text[found.name.clone()]);
    out.put(covered);
    static OF_TEST: Words<6> = Words::new(["test", "fake", "mock", "demo", "sample", "dummy"]);
    out.flag(OF_TEST.are_in(value));
    let line = line_around(scene.text, found);
    let twice = value.len() >= 3 && memchr::memmem::find_iter(line, value).nth(1).is_some();
    out.flag(twice);
    // `setPassword("anna", …)`: the first of several arguments is whom it concerns.
    let behind = scene.text.get(found.value.end + 1..).unwrap_or_default();
    out.flag(found.bind == Bind::Call && found.quote.is_some() && behind.iter().find(|b| !b.is_ascii_whitespace() && **b != b')') == Some(&b','));
}

fn letters(text: &[u8]) -> Vec<u8> {
    text.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// The line of the value, cut to what a reader would look at.
fn line_around<'a>(text: &'a [u8], found: &Assignment) -> &'a [u8] {
    const FAR: usize = 300;
    let low = found.name.start.min(found.value.start).saturating_sub(FAR);
    let high = (found.value.end + FAR).min(text.len());
    let start = memchr::memrchr(b'\n', &text[low..found.value.start]).map_or(low, |at| low + at + 1);
    let end = memchr::memchr(b'\n', &text[found.value.end..high]).map_or(high, |at| found.value.end + at);
    &text[start..end]
}

fn longest_run(value: &[u8], follows: impl Fn(u8, u8) -> bool) -> f32 {
    let (mut best, mut current) = (1u32, 1u32);
    for pair in value.windows(2) {
        current = if follows(pair[0], pair[1]) { current + 1 } else { 1 };
        best = best.max(current);
    }
    best.min(32) as f32
}

const BIGRAMS: &[u8; 38 * 38] = include_bytes!("bigrams.bin");

/// How surprising the second character is after the first in the source of programs, in sixteenths of a bit.
pub(super) fn surprise(first: u8, second: u8) -> u8 {
    BIGRAMS[symbol(first) * 38 + symbol(second)]
}

fn symbol(b: u8) -> usize {
    match b.to_ascii_lowercase() {
        b @ b'a'..=b'z' => usize::from(b - b'a'),
        b @ b'0'..=b'9' => 26 + usize::from(b - b'0'),
        b'_' | b'-' | b'.' | b'/' | b' ' => 36,
        _ => 37,
    }
}

/// Mean surprise of a character after the one before it, in bits, and the mean over the most surprising half.
fn bigrams(value: &[u8]) -> (f32, f32) {
    let mut costs: Vec<u8> = value.windows(2).map(|w| surprise(w[0], w[1])).collect();
    if costs.is_empty() {
        return (0.0, 0.0);
    }
    costs.sort_unstable();
    let mean = |costs: &[u8]| costs.iter().map(|&cost| f32::from(cost)).sum::<f32>() / costs.len() as f32 / 16.0;
    (mean(&costs), mean(&costs[costs.len() / 2..]))
}

/// True where common words cover less than half, as of what was drawn at random.
pub(super) fn is_wordless(value: &[u8]) -> bool {
    matches!(words(value), (covered, longest) if covered < 0.5 && longest < 0.3)
}

/// Common words, sorted, with the place of the first one of each beginning.
struct Dictionary {
    words: Vec<&'static [u8]>,
    places: Box<[u16]>,
}

/// Every word has at least so many letters.
const BEGINNING: usize = 3;
/// So many beginnings there are.
const BEGINNINGS: usize = 26 * 26 * 26;

impl Dictionary {
    fn of(text: &'static [u8]) -> Self {
        let words: Vec<&[u8]> = text.split(|&b| b == b'\n').filter(|word| !word.is_empty()).collect();
        let mut places = Vec::with_capacity(BEGINNINGS + 1);
        for (at, word) in words.iter().enumerate() {
            let next = Self::place(word).map_or(0, |place| place + 1);
            places.resize(next.max(places.len()), at as u16);
        }
        places.resize(BEGINNINGS + 1, words.len() as u16);
        Self { words, places: places.into() }
    }

    /// The number of a beginning of three small letters.
    fn place(text: &[u8]) -> Option<usize> {
        text.first_chunk::<BEGINNING>()?.iter().try_fold(0, |place, b| b.is_ascii_lowercase().then(|| place * 26 + usize::from(b - b'a')))
    }

    /// Length of the longest word that the text begins with.
    fn longest(&self, text: &[u8]) -> Option<usize> {
        let place = Self::place(text)?;
        let words = &self.words[usize::from(self.places[place])..usize::from(self.places[place + 1])];
        words.iter().filter(|word| text.starts_with(word)).map(|word| word.len()).max()
    }
}

/// Share of the value that common words cover, and the share of the longest one.
fn words(value: &[u8]) -> (f32, f32) {
    static WORDS: OnceLock<Dictionary> = OnceLock::new();
    let known = WORDS.get_or_init(|| Dictionary::of(include_bytes!("words.txt")));
    /// Longer values are judged by their beginning.
    const LOOKED_AT: usize = 200;
    let lower: Vec<u8> = value.iter().take(LOOKED_AT).map(u8::to_ascii_lowercase).collect();
    let (mut at, mut covered, mut longest) = (0, 0, 0);
    while at < lower.len() {
        let word = known.longest(&lower[at..]);
        covered += word.unwrap_or(0);
        longest = longest.max(word.unwrap_or(0));
        at += word.unwrap_or(1);
    }
    let length = lower.len().max(1) as f32;
    (covered as f32 / length, longest as f32 / length)
}
