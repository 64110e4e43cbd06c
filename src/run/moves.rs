//! A value that moves with its file is old, unless it was let through only because of where it stood: what is allowed under
//! `tests/**`, or is no finding in a sample, is new once the file lies under `src`.

use jiff::civil::Date;

use crate::change::{Earlier, Part};
use crate::config::Policy;
use crate::finding::Where;
use crate::judge::verdict_on;
use crate::scan::{Hit, Scanner, Text};

use super::Failure;
use super::finding_maker::{FindingMaker, Place};

/// Answers for moved files; of the file asked about last it remembers what was found in it where it was.
pub(super) struct Moves<'a, 'r> {
    scanner: &'a Scanner<'r>,
    policy: &'a Policy,
    current: Option<usize>,
    /// By the earlier path.
    found: Vec<(Box<[u8]>, Vec<Hit<'r>>)>,
}

impl<'a, 'r> Moves<'a, 'r> {
    pub(super) fn new(scanner: &'a Scanner<'r>, policy: &'a Policy) -> Self {
        Self { scanner, policy, current: None, found: Vec::new() }
    }

    /// True where `hit`, which now stands at `path`, was found in one of the earlier files and weighed as much there.
    pub(super) fn weighed_as_much(
        &mut self,
        from: &[&Earlier],
        file: usize,
        path: &[u8],
        hit: &Hit<'r>,
        maker: &mut FindingMaker<'_>,
    ) -> Result<bool, Failure> {
        if self.current != Some(file) {
            self.current = Some(file);
            self.found.clear();
        }
        let mut verdict = |day, hit: &Hit<'r>, path| {
            let finding = maker.make(hit.clone(), &Place { place: Where::Content, path, commit: None, reference: None });
            verdict_on(day, &finding, self.policy)
        };
        // An exception that ran out since let it through all the same, so there the first day of all counts; and here, where
        // an exception may run out, the last.
        let now = verdict(Date::MAX, hit, path);
        for earlier in from {
            let Some(path) = earlier.moved_from.as_deref() else { continue };
            let at = match self.found.iter().position(|(known, _)| **known == *path) {
                Some(at) => at,
                None => {
                    // What cannot be read there counts as not having been there: the value is then new.
                    let hits = self.scanner.scan(Text { path, part: Part::Content, bytes: &earlier.text })?;
                    self.found.push((path.into(), hits));
                    self.found.len() - 1
                }
            };
            let there = self.found.get(at).into_iter().flat_map(|(_, hits)| hits).filter(|old| is_the_same(old, hit));
            if there.into_iter().any(|old| verdict(Date::MIN, old, path) >= now) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The same value, under whichever rule, or an unsafe line under the same rule: that it is the same line the caller knows.
fn is_the_same(old: &Hit<'_>, new: &Hit<'_>) -> bool {
    if new.secret.is_some() { old.secret == new.secret } else { old.rule.id() == new.rule.id() }
}
