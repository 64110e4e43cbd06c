//! The generic tier: a value bound to a sensitive name, whatever the vendor.

use std::ops::Range;

use super::assignment::{self, Assignment, Bind};
use super::confirm::Candidate;
use super::features::{self, Scene};
use super::holds::Words;
use super::language::Language;
use super::model;
use super::name;
use super::parts::Parts;
use super::plausible;
use super::prefilter::Window;
use super::published;
use super::sample;
use super::yaml;
use crate::finding::{Confidence, Secret};

/// One binding with all that is known of it, for training and for explanations.
pub struct Binding {
    /// Place of the name in the text.
    pub name: Range<usize>,
    /// Place of the value in the text.
    pub value: Range<usize>,
    /// Features, named by [`features::NAMES`].
    pub features: Vec<f32>,
}

/// From this probability on a binding is as sure as a rule by shape: it blocks.
pub(super) const SURE: f32 = 0.7;
/// From this probability on it is worth a warning.
pub(super) const LIKELY: f32 = 0.5;

/// Bindings whose values end at one place (`a_key=b_key=…`) are weighed up to this many times. Nobody writes more; what
/// does is told as a whole instead of being passed over.
const NESTED: u32 = 8;
/// So many names are looked at to find those bindings.
const NAMES: u32 = 64;

/// What was done for the bindings whose values end at one place.
#[derive(Default)]
pub(super) struct Weighed {
    bare: assignment::Bare,
    above: yaml::Above,
    /// The value looked at last.
    value: Range<usize>,
    names: u32,
    times: u32,
    told: bool,
}

/// Adds the value that is bound to the name around the window's word, if it is likely a credential.
/// `names` are those that the user calls sensitive beside the usual ones.
pub(super) fn confirm(window: Window, scene: &Scene<'_>, names: &[String], new: Parts<'_>, weighed: &mut Weighed, out: &mut Vec<Candidate>) {
    let Scene { text, language, .. } = *scene;
    let Some(found) = assignment::at(text, window.start..window.end, &mut weighed.bare) else { return };
    if !new.touch(&found.value) {
        return; // it stood there before
    }
    if weighed.value.end != found.value.end {
        *weighed = Weighed { bare: weighed.bare, above: std::mem::take(&mut weighed.above), ..Weighed::default() };
    }
    if weighed.told || weighed.value == found.value {
        return; // another word of the same name
    }
    weighed.value = found.value.clone();
    weighed.names += 1;
    let too_many = weighed.names > NAMES || weighed.times > NESTED;
    let is_own = is_own_name(names, &text[found.name.clone()]);
    if !too_many {
        if !worth_weighing(text, &found, language, is_own) {
            return;
        }
        weighed.times += 1;
    }
    let value = &text[found.value.clone()];
    let confidence = if too_many || weighed.times > NESTED {
        weighed.told = true;
        // In source code a bare value is an expression.
        if found.quote.is_none() && language.quotes_text() { Confidence::Low } else { Confidence::Medium }
    } else {
        let probability = if is_own { as_password(scene, &found) } else { model::probability(&features::of(scene, &found), LIKELY) };
        if probability < LIKELY && !is_evident(scene, &found) {
            return;
        }
        // A sealed secret is encrypted to its cluster; it is made to be committed.
        if language == Language::Yaml && weighed.above.keys(text, found.value.start).contains(&&b"encryptedData"[..]) {
            return;
        }
        if published::is_published(value) || plausible::is_made_up_inside(value) {
            return;
        }
        let made_up = plausible::is_made_up(value) || plausible::is_pasted(value);
        // A made-up password may be the one in use; a made-up token opens nothing.
        if made_up && !is_own && !names_password(&text[found.name.clone()]) {
            return;
        }
        let doubtful = probability < SURE || made_up || plausible::is_publishable(value);
        if doubtful { Confidence::Low } else { Confidence::Medium }
    };
    let secret = Secret::new(&text[found.value.clone()]);
    out.push(Candidate {
        rule: window.rule,
        range: found.value,
        secret: Some(secret),
        confidence,
        lapses: None,
        id: None,
        decoded: Vec::new(),
        file: None,
    });
}

/// The model learned what source code holds. What it never saw much of is evident all the same: a password as people make them
/// behind a name that says so, and a value drawn at random behind any name of a credential. Both are worth a warning, but not
/// in tests and samples, which are full of them.
fn is_evident(scene: &Scene<'_>, found: &Assignment) -> bool {
    const LENGTHS: std::ops::RangeInclusive<usize> = 24..=128;
    let value = &scene.text[found.value.clone()];
    let is_text = found.quote.is_some() || scene.language.is_configuration();
    let is_scramble = !scene.language.quotes_text() && plausible::is_scramble(value);
    // `PASSWORD=value` is text wherever a bare word is one; a dollar in it may be the shell's.
    let is_line = found.bind == Bind::Assign && !scene.language.quotes_text() && !value.contains(&b'$');
    let kind = name::is_sensitive(&scene.text[found.name.clone()]);
    let is_line = is_line && kind == Some(name::Kind::Password);
    if !(is_text || is_scramble || is_line) {
        return false;
    }
    let hexadecimal = value.iter().all(u8::is_ascii_hexdigit) && value.len() > 32;
    // `vault.getSecret('sql-admin')` names what it asks for.
    let is_argument = found.quote.is_some() && found.value.start.checked_sub(2).is_some_and(|before| scene.text[before] == b'(');
    let looks_like_one = match kind {
        Some(name::Kind::Password) if found.bind != Bind::Comma && plausible::is_human_password(value) => true,
        Some(name::Kind::Password) if !is_argument && matches!(found.bind, Bind::Assign | Bind::Entry) && plausible::is_phrase(value) => true,
        Some(_) if plausible::is_scramble(value) => true,
        // Longer ones in hexadecimal are checksums more often than not.
        Some(_) => {
            LENGTHS.contains(&value.len())
                && !hexadecimal
                && value.iter().all(is_of_token)
                && plausible::looks_drawn(value)
                && features::is_wordless(value)
        }
        None => false,
    };
    looks_like_one && !sample::is_sample(scene.path)
}

fn is_of_token(b: &u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/' | b'=')
}

/// Shorter values are no credentials that anyone could name.
const SHORTEST: usize = 4;

/// What is surely no credential need not be weighed: most bindings end here.
fn worth_weighing(text: &[u8], found: &Assignment, language: Language, is_own: bool) -> bool {
    let value = &text[found.value.clone()];
    let bare_number = found.quote.is_none() && language.quotes_text() && value.iter().all(|b| b.is_ascii_digit() || *b == b'_');
    // Where text stands in quotes, letters without them are the name of something. In the left out ones files of other forms
    // stand in strings of many lines.
    let names_bare = language.quotes_text() && !matches!(language, Language::Go | Language::Groovy | Language::Php);
    let bare_name = found.quote.is_none() && names_bare && value.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'));
    let label = value.ends_with(b":") && value[..value.len() - 1].iter().all(|&b| b.is_ascii_alphabetic() || b == b' ');
    value.len() >= SHORTEST
        && plausible::distinct(value) > 1
        && value.iter().any(|b| b.is_ascii_alphanumeric() || !b.is_ascii())
        && !(bare_number || bare_name || label)
        && !plausible::is_reference(value)
        && !plausible::is_password_word(value)
        && (is_own || has_sensitive_part(&text[found.name.clone()]))
        && !plausible::says_it_is_none(&text[found.name.clone()])
        && !plausible::is_time_uuid(value)
        && !plausible::is_password_hash(value)
        && !plausible::is_checksum(value)
        && !plausible::is_made_public(value)
        && !plausible::is_misshapen(&text[found.name.clone()], value)
        && (names_password(&text[found.name.clone()]) || !plausible::is_broken_token(value))
        && !is_odd_key(text, found)
        // `token=sha256~<token>`: the rest is for the reader to fill in.
        && !(found.quote.is_none() && text.get(found.value.end) == Some(&b'<') && text.get(found.value.end + 1).is_some_and(u8::is_ascii_alphabetic))
}

/// `key=` alone says little of its value, which has to look like a key of its own: machines draw those in usual lengths.
fn is_odd_key(text: &[u8], found: &Assignment) -> bool {
    const LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;
    let value = &text[found.value.clone()];
    text[found.name.clone()].eq_ignore_ascii_case(b"key")
        && found.quote.is_none()
        && LENGTHS.contains(&value.len())
        && value.iter().all(u8::is_ascii_alphanumeric)
        && !plausible::has_usual_length(value)
}

fn names_password(name: &[u8]) -> bool {
    static PASSWORDS: Words<6> = Words::new(["pass", "psw", "pssw", "pasw", "pw", "phrase"]);
    PASSWORDS.are_in(name)
}

/// True for a name that holds one of the user's, part by part: `user_pin` holds `pin`, `shipping` does not.
fn is_own_name(names: &[String], name: &[u8]) -> bool {
    if names.is_empty() {
        return false;
    }
    let parts = name::parts(name);
    names.iter().any(|own| {
        let own = name::parts(own.as_bytes());
        parts.windows(own.len()).any(|window| window == own)
    })
}

/// The probability as if the name were the plainest of all: the model has learned nothing of the user's own names.
fn as_password(scene: &Scene<'_>, found: &Assignment) -> f32 {
    /// The features look no farther along a line.
    const FAR: usize = 400;
    const NAME: &[u8] = b"password";
    if found.value.start < found.name.end {
        return model::probability(&features::of(scene, found), LIKELY);
    }
    let start = found.name.start.saturating_sub(FAR);
    let end = found.value.end.saturating_add(FAR).min(scene.text.len());
    let text = [&scene.text[start..found.name.start], NAME, &scene.text[found.name.end..end]].concat();
    let name = found.name.start - start..found.name.start - start + NAME.len();
    let moved = |at: usize| at - found.name.end + name.end;
    let value = moved(found.value.start)..moved(found.value.end);
    let renamed = Assignment { name, value, ..found.clone() };
    model::probability(&features::of(&Scene { text: &text, ..*scene }, &renamed), LIKELY)
}

/// A name in which a sensitive word is only the beginning of another one (`keywords`, `passthrough`, `authority`) says nothing.
fn has_sensitive_part(name: &[u8]) -> bool {
    static SENSITIVE: Words<13> =
        Words::new(["pass", "pwd", "psw", "pssw", "pasw", "secret", "token", "cred", "auth", "key", "bearer", "identified", "sig"]);
    static LONGER_WORDS: Words<24> = Words::new([
        "keyword",
        "keyboard",
        "keyframe",
        "keyup",
        "keydown",
        "keypress",
        "keyring",
        "keymap",
        "keyspace",
        "monkey",
        "passthr",
        "passive",
        "passing",
        "bypass",
        "compass",
        "onepass",
        "passport",
        "author",
        "tokeniz",
        "tokenis",
        "signal",
        "design",
        "assign",
        "signature",
    ]);
    name::parts(name).iter().any(|part| part == b"pw" || SENSITIVE.are_in(part) && !LONGER_WORDS.are_in(part))
}

/// What is bound to the name around a word, and what it comes to.
pub(super) struct Explained {
    pub(super) value: Range<usize>,
    /// The probability that it is a credential, with the weights; or why it was not weighed.
    pub(super) weighed: Result<(f32, Weights), &'static str>,
}

/// Each feature with its value and what it adds.
pub(super) type Weights = Vec<(&'static str, f32, f32)>;

/// The same as [`confirm`], for somebody who asks why; `None` where nothing is bound.
pub(super) fn explain(word: Range<usize>, scene: &Scene<'_>, names: &[String]) -> Option<Explained> {
    let found = assignment::at(scene.text, word, &mut assignment::Bare::default())?;
    let (name, value) = (&scene.text[found.name.clone()], &scene.text[found.value.clone()]);
    let is_own = is_own_name(names, name);
    let why = if worth_weighing(scene.text, &found, scene.language, is_own) {
        None
    } else if value.len() < SHORTEST {
        Some("the value is too short")
    } else if plausible::is_reference(value) {
        Some("the value refers to a variable, a template or a store")
    } else if plausible::is_password_word(value) {
        Some("the value only stands for a password")
    } else if !has_sensitive_part(name) {
        Some("the word in the name is the beginning of another one")
    } else {
        Some("the value is a bare number")
    };
    if let Some(why) = why {
        return Some(Explained { value: found.value, weighed: Err(why) });
    }
    let features = features::of(scene, &found);
    // Without a least probability no part of the trees is left out.
    let probability = if is_own { as_password(scene, &found) } else { model::probability(&features, f32::MIN_POSITIVE) };
    let weights = model::weights(&features);
    let each = features::NAMES.iter().zip(features).zip(weights).map(|((name, value), weight)| (*name, value, weight));
    Some(Explained { value: found.value, weighed: Ok((probability, each.collect())) })
}

/// All bindings of a text whose name holds one of `words`, by place: what the training learns from.
pub fn bindings(words: &[&str], path: &[u8], text: &[u8]) -> Vec<Binding> {
    let scene = Scene { text, path, language: Language::of(path, text) };
    let finder = aho_corasick::AhoCorasick::builder().ascii_case_insensitive(true).build(words);
    let Ok(finder) = finder else { return Vec::new() };
    let mut found: Vec<Binding> = Vec::new();
    let mut bare = assignment::Bare::default();
    for hit in finder.find_iter(text) {
        let Some(assignment) = assignment::at(text, hit.range(), &mut bare) else { continue };
        if !worth_weighing(text, &assignment, scene.language, false) || found.iter().rev().take(8).any(|other| other.value == assignment.value) {
            continue;
        }
        let features = features::of(&scene, &assignment).to_vec();
        found.push(Binding { name: assignment.name, value: assignment.value, features });
    }
    found
}
