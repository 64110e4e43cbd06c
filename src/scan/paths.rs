//! Which rules look at files with this path? Globs are asked once for a path, however many versions of the file there are.

use std::sync::{Arc, Mutex};

use crate::rules::{Globs, Rule};

/// The answers for the paths asked for last.
pub(super) struct Paths<'r> {
    rules: &'r [Rule],
    /// The rules that apply to some paths only.
    bound: Vec<u32>,
    globs: Globs<'r>,
    /// Globs of paths that they do not apply to.
    not_globs: Globs<'r>,
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

impl<'r> Paths<'r> {
    pub(super) fn new(rules: &'r [Rule]) -> Self {
        let all = || (0u32..).zip(rules);
        let bound = all().filter(|(_, rule)| rule.has_globs()).map(|(at, _)| at).collect();
        let globs = Globs::new(all().flat_map(|(at, rule)| rule.paths().map(move |glob| (at, glob))));
        let not_globs = Globs::new(all().flat_map(|(at, rule)| rule.not_paths().map(move |glob| (at, glob))));
        Self { rules, bound, globs, not_globs, recent: Mutex::default() }
    }

    pub(super) fn of(&self, path: &[u8]) -> Arc<PathRules> {
        // What a thread that panicked left behind are answers as good as any.
        let recent = || self.recent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, known)) = recent().iter().find(|(known, _)| **known == *path) {
            return known.clone();
        }
        let matching: Vec<u32> = self.globs.matching(path).collect();
        let not_matching: Vec<u32> = self.not_globs.matching(path).collect();
        let applies = |at: &u32| (matching.contains(at) || !self.rules[*at as usize].is_bound_to_paths()) && !not_matching.contains(at);
        let applying: Vec<u32> = self.bound.iter().copied().filter(applies).collect();
        let has_keywords = |&at: &u32| self.rules[at as usize].is_bound_to_paths() && self.rules[at as usize].has_keywords();
        let have_keywords = applying.iter().any(has_keywords);
        let answer = Arc::new(PathRules { applying, have_keywords });
        let mut recent = recent();
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
