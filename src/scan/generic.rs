//! The generic tier: a value bound to a sensitive name, whatever the vendor.

use std::ops::Range;

use super::assignment;
use super::features::{self, Scene};
use super::language::Language;

/// One binding with all that is known of it, for training and for `explain`.
pub struct Binding {
    /// Place of the name in the text.
    pub name: Range<usize>,
    /// Place of the value in the text.
    pub value: Range<usize>,
    /// Features, named by [`features::NAMES`].
    pub features: Vec<f32>,
}

/// The words that make a name worth a look.
pub const WORDS: [&str; 12] = ["pass", "pwd", "psw", "pw", "secret", "token", "cred", "auth", "key", "bearer", "identified", "sig"];

/// All bindings of a text, by place.
pub fn bindings(path: &[u8], text: &[u8]) -> Vec<Binding> {
    let scene = Scene { text, path, language: Language::of(path, text) };
    let finder = aho_corasick::AhoCorasick::builder().ascii_case_insensitive(true).build(WORDS);
    let Ok(finder) = finder else { return Vec::new() };
    let mut found: Vec<Binding> = Vec::new();
    for hit in finder.find_iter(text) {
        let Some(assignment) = assignment::at(text, hit.range()) else { continue };
        if found.iter().rev().take(8).any(|other| other.value == assignment.value) {
            continue;
        }
        let features = features::of(&scene, &assignment).to_vec();
        found.push(Binding { name: assignment.name, value: assignment.value, features });
    }
    found
}
