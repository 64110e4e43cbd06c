//! Which of several candidates for one cause is told?

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::confirm::Candidate;
use crate::finding::{Confidence, Family, Severity};
use crate::rules::{Check, Rules};

/// Unsafe code in tests, documentation and samples does less harm: it is told, with little weight.
pub(super) fn discount(candidates: &mut [Candidate], rules: &Rules) {
    for candidate in candidates {
        if matches!(rules.all()[candidate.rule as usize].family(), Family::Handling | Family::Access) {
            candidate.confidence = Confidence::Low;
        }
    }
}

/// One finding for one cause.
pub(super) fn one_a_cause(candidates: Vec<Candidate>, rules: &Rules) -> Vec<Candidate> {
    join_ids(without_overlaps(candidates, rules), rules)
}

/// Where two candidates overlap, the more specific rule stays.
fn without_overlaps(mut candidates: Vec<Candidate>, rules: &Rules) -> Vec<Candidate> {
    // Specific rules first; among equals the surer, then the longer, then the earlier.
    candidates.sort_by_key(|c| {
        let rule = &rules.all()[c.rule as usize];
        // Among those that yield, one that says what is wrong goes before the one for any literal.
        let says_more = rule.check() != Some(Check::Assignment) && rule.text().severity >= Severity::High && c.confidence > Confidence::Low;
        (rule.text().yields, rule.text().yields && !says_more, Reverse(c.confidence), c.layers(rules), Reverse(c.range.len()), c.range.start, c.rule)
    });
    let mut kept: Vec<Candidate> = Vec::new();
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for candidate in candidates {
        let overlaps = taken.range(..candidate.range.end.max(1)).next_back().is_some_and(|(_, &end)| end > candidate.range.start);
        if overlaps {
            continue;
        }
        taken.insert(candidate.range.start, candidate.range.end.max(candidate.range.start + 1));
        kept.push(candidate);
    }
    kept
}

/// One finding for a credential and the public half that belongs to it.
fn join_ids(mut kept: Vec<Candidate>, rules: &Rules) -> Vec<Candidate> {
    let ids: BTreeMap<usize, usize> = kept.iter().filter_map(|one| one.id.clone()).map(|id| (id.start, id.end)).collect();
    if !ids.is_empty() {
        let is_id = |one: &Candidate| ids.range(..=one.range.start).next_back().is_some_and(|(_, &end)| one.range.end <= end);
        kept.retain(|one| one.id.is_some() || rules.all()[one.rule as usize].family() != Family::Secret || !is_id(one));
    }
    kept
}
