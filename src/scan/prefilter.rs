//! Where could a rule match? One pass over the bytes for the keywords of all rules.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::rules::{Rule, Rules};

/// Finds the keywords of all rules in one pass.
pub(super) struct Prefilter {
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

impl Prefilter {
    /// For `expected` bytes of text in all.
    pub(super) fn new(rules: &Rules, expected: u64) -> Result<Self, aho_corasick::BuildError> {
        let mut keywords: Vec<String> = Vec::new();
        let mut rules_of: Vec<Vec<u32>> = Vec::new();
        let mut known = std::collections::HashMap::new();
        for (rule, data) in rules.all().iter().enumerate() {
            for keyword in &data.text().keywords {
                let keyword = keyword.to_ascii_lowercase();
                let at = *known.entry(keyword.clone()).or_insert_with(|| {
                    keywords.push(keyword);
                    rules_of.push(Vec::new());
                    rules_of.len() - 1
                });
                if rules_of[at].last() != Some(&(rule as u32)) {
                    rules_of[at].push(rule as u32);
                }
            }
        }
        let kind = if expected >= LARGE { AhoCorasickKind::DFA } else { AhoCorasickKind::NoncontiguousNFA };
        let automaton = AhoCorasick::builder().kind(Some(kind)).match_kind(MatchKind::Standard).ascii_case_insensitive(true).build(&keywords)?;
        Ok(Self { automaton, rules_of })
    }

    /// The windows in which to try each rule, merged where they meet, by rule and then by place. A rule whose pattern has
    /// no bound gets the whole text once.
    pub(super) fn windows(&self, rules: &[Rule], text: &[u8]) -> Vec<Window> {
        let mut windows: Vec<Window> = Vec::new();
        // Index of each rule's newest window, so that neighbours merge as they come and the list stays short.
        let mut newest: std::collections::HashMap<u32, usize> = std::collections::HashMap::new();
        for hit in self.automaton.find_overlapping_iter(text) {
            for &rule in &self.rules_of[hit.pattern()] {
                let (start, end) = match rules[rule as usize].reach() {
                    Some(reach) => (hit.end().saturating_sub(reach).min(hit.start()), hit.start().saturating_add(reach).clamp(hit.end(), text.len())),
                    None => (0, text.len()),
                };
                match newest.get(&rule) {
                    Some(&at) if windows[at].end >= start => {
                        let window = &mut windows[at];
                        window.start = window.start.min(start);
                        window.end = window.end.max(end);
                    }
                    _ => {
                        newest.insert(rule, windows.len());
                        windows.push(Window { rule, start, end });
                    }
                }
            }
        }
        windows.sort_unstable_by_key(|window| (window.rule, window.start));
        windows
    }
}
