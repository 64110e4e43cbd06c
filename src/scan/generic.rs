//! The generic tier: a value bound to a sensitive name, whatever the vendor.

use std::ops::Range;

use super::assignment::{self, Assignment};
use super::confirm::Candidate;
use super::features::{self, Scene};
use super::language::Language;
use super::model;
use super::plausible;
use super::prefilter::Window;
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
const SURE: f32 = 0.7;
/// From this probability on it is worth a warning.
const LIKELY: f32 = 0.4;

/// Adds the value that is bound to the name around the window's word, if it is likely a credential.
pub(super) fn confirm(window: Window, text: &[u8], path: &[u8], language: Language, out: &mut Vec<Candidate>) {
    let Some(found) = assignment::at(text, window.start..window.end) else { return };
    if !worth_weighing(text, &found) || out.last().is_some_and(|last| last.rule == window.rule && last.range == found.value) {
        return;
    }
    let probability = model::probability(&features::of(&Scene { text, path, language }, &found));
    if probability < LIKELY {
        return;
    }
    let confidence = if probability < SURE { Confidence::Low } else { Confidence::Medium };
    let secret = Secret::new(&text[found.value.clone()]);
    out.push(Candidate { rule: window.rule, range: found.value, secret: Some(secret), confidence, decoded: Vec::new() });
}

/// Shorter values are no credentials that anyone could name.
const SHORTEST: usize = 4;

/// What is surely no credential need not be weighed: most bindings end here.
fn worth_weighing(text: &[u8], found: &Assignment) -> bool {
    let value = &text[found.value.clone()];
    value.len() >= SHORTEST && !plausible::is_reference(value) && !plausible::is_password_word(value)
}

/// All bindings of a text whose name holds one of `words`, by place: what the training learns from.
pub fn bindings(words: &[&str], path: &[u8], text: &[u8]) -> Vec<Binding> {
    let scene = Scene { text, path, language: Language::of(path, text) };
    let finder = aho_corasick::AhoCorasick::builder().ascii_case_insensitive(true).build(words);
    let Ok(finder) = finder else { return Vec::new() };
    let mut found: Vec<Binding> = Vec::new();
    for hit in finder.find_iter(text) {
        let Some(assignment) = assignment::at(text, hit.range()) else { continue };
        if !worth_weighing(text, &assignment) || found.iter().rev().take(8).any(|other| other.value == assignment.value) {
            continue;
        }
        let features = features::of(&scene, &assignment).to_vec();
        found.push(Binding { name: assignment.name, value: assignment.value, features });
    }
    found
}
