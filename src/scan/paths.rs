//! Which rules look at files with this path? Globs are asked once for a path, however many versions of the file there are.

use std::sync::{Arc, Mutex};

use crate::rules::{Rule, Rules};

/// The answers for the paths asked for last.
pub(super) struct Paths {
    /// The rules that apply to some paths only.
    bound: Vec<u32>,
    recent: Mutex<Vec<Answer>>,
}

/// A path and the rules that look at it.
type Answer = (Box<[u8]>, Arc<PathRules>);

/// Enough for the files that the threads are at.
const RECENT: usize = 8;

/// The rules bound to paths that look at one path, by index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PathRules {
    applying: Vec<u32>,
    have_keywords: bool,
}

impl Paths {
    pub(super) fn new(rules: &Rules) -> Self {
        let bound = rules.all().iter().enumerate().filter(|(_, rule)| rule.has_globs());
        Self { bound: bound.map(|(at, _)| at as u32).collect(), recent: Mutex::default() }
    }

    pub(super) fn of(&self, rules: &[Rule], path: &[u8]) -> Arc<PathRules> {
        // What a thread that panicked left behind are answers as good as any.
        let mut recent = self.recent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, known)) = recent.iter().find(|(known, _)| **known == *path) {
            return known.clone();
        }
        let applying: Vec<u32> = self.bound.iter().copied().filter(|&at| rules[at as usize].applies_to(path)).collect();
        let has_keywords = |&at: &u32| rules[at as usize].is_bound_to_paths() && rules[at as usize].has_keywords();
        let have_keywords = applying.iter().any(has_keywords);
        let answer = Arc::new(PathRules { applying, have_keywords });
        if recent.len() == RECENT {
            recent.remove(0);
        }
        recent.push((path.into(), answer.clone()));
        answer
    }
}

impl PathRules {
    /// True unless the globs of the rule with this index keep it from the path.
    pub(super) fn admit(&self, at: u32, rule: &Rule) -> bool {
        !rule.has_globs() || self.applying.binary_search(&at).is_ok()
    }

    /// True when one of them, bound to paths like this one, has to be found by a keyword.
    pub(super) fn have_keywords(&self) -> bool {
        self.have_keywords
    }

    /// The rules bound to paths that look at this one.
    pub(super) fn applying(&self) -> &[u32] {
        &self.applying
    }
}
