//! Where could a rule match? One pass over the bytes for the keywords of all rules.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

use crate::rules::{Check, Rule, Rules};

/// Finds the keywords of all rules. What can only match close to its keyword is looked for close to the new part of a text,
/// the rest in the whole text.
pub(super) struct Prefilter {
    near: Keywords,
    far: Keywords,
}

/// The keywords of some rules, found in one pass.
struct Keywords {
    automaton: AhoCorasick,
    /// For each keyword the rules that have it.
    rules_of: Vec<Vec<u32>>,
}

/// A stretch of the text in which a rule's pattern must be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) rule: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// From this many bytes on a table of all states pays for the time to build it (measured: about 4 ms for 300 keywords).
const LARGE: u64 = 8 << 20;

/// Most matches are shorter than this, and few rules can match more.
pub(super) const NEAR: usize = 2 << 10;

impl Prefilter {
    /// For `expected` bytes of text in all.
    pub(super) fn new(rules: &Rules, expected: u64) -> Result<Self, BuildError> {
        let (near, far): (Vec<u32>, Vec<u32>) = (0..rules.all().len() as u32).partition(|&at| is_near(&rules.all()[at as usize]));
        Ok(Self { near: Keywords::new(rules, &near, expected)?, far: Keywords::new(rules, &far, expected)? })
    }

    /// The windows in which to try each rule so that no match that touches `new` is missed: merged where they meet, by rule
    /// and then by place. A rule whose pattern has no bound gets the whole text once.
    pub(super) fn windows(&self, rules: &[Rule], text: &[u8], new: &Range<usize>) -> Vec<Window> {
        let mut windows = Windows { list: Vec::new(), newest: vec![usize::MAX; rules.len()] };
        let around = new.start.saturating_sub(NEAR)..new.end.saturating_add(NEAR).min(text.len());
        self.near.find(rules, text, around, &mut windows);
        self.far.find(rules, text, 0..text.len(), &mut windows);
        // A bound value may stand far from its name; every other match lies within its window.
        let is_bound = |rule: u32| rules[rule as usize].text().check == Some(Check::Assignment);
        let grows = |rule: u32| matches!(rules[rule as usize].text().check, Some(Check::PrivateKey | Check::Logged));
        windows.list.retain(|w| w.start <= new.end && w.end >= new.start || is_bound(w.rule) || grows(w.rule));
        windows.list.sort_unstable_by_key(|window| (window.rule, window.start));
        windows.list
    }
}

/// True for a rule whose keyword stands less than [`NEAR`] bytes from each end of its match. The body of a private key and a
/// bound value may be longer.
fn is_near(rule: &Rule) -> bool {
    rule.reach().is_some_and(|reach| reach <= NEAR) && rule.text().check != Some(Check::PrivateKey)
}

impl Keywords {
    fn new(rules: &Rules, chosen: &[u32], expected: u64) -> Result<Self, BuildError> {
        let mut keywords: Vec<String> = Vec::new();
        let mut rules_of: Vec<Vec<u32>> = Vec::new();
        let mut known = HashMap::new();
        for &rule in chosen {
            for keyword in &rules.all()[rule as usize].text().keywords {
                let keyword = keyword.to_ascii_lowercase();
                let at = *known.entry(keyword.clone()).or_insert_with(|| {
                    keywords.push(keyword);
                    rules_of.push(Vec::new());
                    rules_of.len() - 1
                });
                if rules_of[at].last() != Some(&rule) {
                    rules_of[at].push(rule);
                }
            }
        }
        let kind = if expected >= LARGE { AhoCorasickKind::DFA } else { AhoCorasickKind::NoncontiguousNFA };
        // The text is put in lower case instead of every keyword in both: that halves the time to build and to search. Rows for
        // the first letters alone are the best trade for texts of the size of a commit (measured for 1,075 keywords).
        let automaton = AhoCorasick::builder().kind(Some(kind)).match_kind(MatchKind::Standard).prefilter(false).dense_depth(1).build(&keywords)?;
        Ok(Self { automaton, rules_of })
    }

    fn find(&self, rules: &[Rule], text: &[u8], within: Range<usize>, windows: &mut Windows) {
        let lower = text[within.clone()].to_ascii_lowercase();
        for hit in self.automaton.find_overlapping_iter(&lower) {
            let found = hit.start() + within.start..hit.end() + within.start;
            for &rule in &self.rules_of[hit.pattern()] {
                let (start, end) = match rules[rule as usize].reach() {
                    Some(reach) => (found.end.saturating_sub(reach).min(found.start), found.start.saturating_add(reach).clamp(found.end, text.len())),
                    None => (0, text.len()),
                };
                windows.add(Window { rule, start, end });
            }
        }
    }
}

/// Windows as they are found: neighbours merge as they come, so that the list stays short.
struct Windows {
    list: Vec<Window>,
    /// Index of each rule's newest window.
    newest: Vec<usize>,
}

impl Windows {
    fn add(&mut self, window: Window) {
        let newest = &mut self.newest[window.rule as usize];
        match self.list.get_mut(*newest) {
            Some(last) if last.end >= window.start => {
                last.start = last.start.min(window.start);
                last.end = last.end.max(window.end);
            }
            _ => {
                *newest = self.list.len();
                self.list.push(window);
            }
        }
    }
}
