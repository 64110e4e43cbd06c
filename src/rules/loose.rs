//! A looser pattern that matches wherever a rule's own one does, and costs much less to make and to try.
//!
//! What repeats up to a bound costs an automaton a state for each count, and many more where matches could begin side by side.
//! Without the bounds few states are left, and most windows show with them that they hold no match.
//!
//! An automaton costs a quarter of a millisecond. Up to some text the outline of the pattern is walked along instead: that needs next
//! to no preparation, and takes longer for each byte.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use regex_automata::Input;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, Compiler, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::outline::Outline;
use super::walk::Walk;

/// Fewer repetitions are left as they are.
const FEW: u32 = 3;
/// More are so many or more.
const MANY: u32 = 2;
/// So often the looser pattern is tried before it is asked what it is good for.
const TRIES: u32 = 64;
/// So many bytes are worth an automaton.
const MUCH: u32 = 8 << 10;
/// In a longer text a pattern without bounds is faster itself: it jumps to the letters that a match begins with.
const LONG: usize = 4 << 10;
/// What an automaton may fill with its states; it begins anew when that is full,
const CACHE: usize = 256 << 10;
/// and gives up when it does so again and again,
const CLEARS: usize = 2;
/// for less than so many bytes of text a state.
const WORTH: usize = 8;

/// The looser pattern of a rule, made at the first question, and what it was good for.
#[derive(Debug, Default)]
pub(super) struct Loose {
    walk: OnceLock<Option<Walk>>,
    automaton: OnceLock<Option<Box<Automaton>>>,
    /// Bytes that the outline was tried on.
    walked: AtomicU32,
    tries: AtomicU32,
    matches: AtomicU32,
}

#[derive(Debug)]
struct Automaton {
    dfa: DFA,
    caches: Pool<Cache, NewCache>,
}

type NewCache = Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>;

impl Loose {
    /// False when the pattern surely matches nowhere from `start` on. Where that is seldom so, it is asked no more.
    pub(super) fn may_match(&self, pattern: &str, outline: Option<&Outline>, is_bounded: bool, text: &[u8], start: usize) -> bool {
        let (tries, matches) = (self.tries.load(Ordering::Relaxed), self.matches.load(Ordering::Relaxed));
        if !is_bounded && text.len().saturating_sub(start) > LONG || tries >= TRIES && matches > tries / 2 {
            return true;
        }
        let walked = u32::try_from(text.len().saturating_sub(start)).unwrap_or(MUCH).saturating_add(self.walked.load(Ordering::Relaxed));
        let walk = if walked < MUCH { self.walk.get_or_init(|| outline.and_then(Walk::of)).as_ref() } else { None };
        let may = if let Some(walk) = walk {
            self.walked.store(walked, Ordering::Relaxed);
            walk.matches_in(&text[start.min(text.len())..])
        } else {
            let Some(automaton) = self.automaton.get_or_init(|| Automaton::of(pattern).map(Box::new)) else { return true };
            automaton.may_match(text, start)
        };
        // What is forgotten of it by two threads at once changes the cost and no answer.
        self.tries.store(tries.saturating_add(1), Ordering::Relaxed);
        self.matches.store(matches.saturating_add(u32::from(may)), Ordering::Relaxed);
        may
    }
}

impl Automaton {
    /// `None` where the pattern is as loose as it gets.
    fn of(pattern: &str) -> Option<Self> {
        let hir = super::proof::parse(pattern).ok()?;
        let mut is_looser = false;
        let loose = loosen(&hir, &mut is_looser);
        if !is_looser {
            return None;
        }
        let config = thompson::Config::new().utf8(false).which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(config).build_from_hir(&loose).ok()?;
        let config = Config::new()
            .cache_capacity(CACHE)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(CLEARS))
            .minimum_bytes_per_state(Some(WORTH));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let of = dfa.clone();
        Some(Self { dfa, caches: Pool::new(Box::new(move || of.create_cache())) })
    }

    /// True where it matches, and where it gave up.
    fn may_match(&self, text: &[u8], start: usize) -> bool {
        let input = Input::new(text).range(start.min(text.len())..).earliest(true);
        !matches!(self.dfa.try_search_fwd(&mut self.caches.get(), &input), Ok(None))
    }
}

fn loosen(pattern: &Hir, is_looser: &mut bool) -> Hir {
    let mut all = |parts: &[Hir]| parts.iter().map(|part| loosen(part, is_looser)).collect();
    match pattern.kind() {
        HirKind::Capture(capture) => loosen(&capture.sub, is_looser),
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min);
            let is_long = most > FEW;
            *is_looser |= is_long;
            let sub = Box::new(loosen(&repetition.sub, is_looser));
            let (min, max) = if is_long { (repetition.min.min(MANY), None) } else { (repetition.min, repetition.max) };
            Hir::repetition(Repetition { min, max, sub, greedy: repetition.greedy })
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => pattern.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Rules, proof};

    #[test]
    fn the_looser_pattern_of_every_rule_matches_what_its_own_one_does() {
        let rules = Rules::built_in().unwrap();
        let mut looser = 0;
        for rule in rules.all() {
            let (Some(pattern), Some(own)) = (rule.text().pattern.as_deref(), rule.regex().unwrap()) else { continue };
            let Some(loose) = Automaton::of(pattern) else { continue };
            looser += 1;
            for text in proof::samples(&proof::parse(pattern).unwrap(), 24) {
                assert!(!own.is_match(&text) || loose.may_match(&text, 0), "{}: {}", rule.id(), text.escape_ascii());
            }
        }
        assert!(looser > 300, "{looser}");
    }

    #[test]
    fn bounds_go_and_all_else_stays() {
        let mut is_looser = false;
        let hir = proof::parse("(a){4,9}(?<x>b{1,3})c{0,40}\\b").unwrap();
        assert_eq!(loosen(&hir, &mut is_looser), proof::parse("a{2,}b{1,3}c*\\b").unwrap());
        assert!(is_looser);
    }
}
