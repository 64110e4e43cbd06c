//! A value that stood there before is old, unless it was let through only because of how or where it stood: a word that nothing
//! called a password is new once a line does, and what is allowed under `tests/**`, or is no finding in a sample, is new once
//! the file lies under `src`.

use jiff::civil::Date;

use crate::change::{Earlier, Part};
use crate::config::Policy;
use crate::finding::Where;
use crate::judge::verdict_on;
use crate::rules::Check;
use crate::scan::{Hit, Scanner, Text};

use super::Failure;
use super::finding_maker::{FindingMaker, Place};

/// Answers for one file at a time, and remembers what was found in its earlier versions.
pub(super) struct Moves<'a, 'r> {
    scanner: &'a Scanner<'r>,
    policy: &'a Policy,
    current: Option<usize>,
    known: Vec<Known<'r>>,
}

/// What was found in an earlier version.
struct Known<'r> {
    /// Which: it stays where it is while the file is asked about.
    version: *const Earlier,
    hits: Vec<Hit<'r>>,
    /// How often it was asked about.
    asked: usize,
    /// True where all of it was searched, not only where one value stands.
    is_whole: bool,
}

/// So often an earlier version is searched around one value alone; then all of it is, once.
const ASKED_ONE_BY_ONE: usize = 32;
/// A value that stands at more places is looked at where it stands first.
const MOST_PLACES: usize = 256;

impl<'a, 'r> Moves<'a, 'r> {
    pub(super) fn new(scanner: &'a Scanner<'r>, policy: &'a Policy) -> Self {
        Self { scanner, policy, current: None, known: Vec::new() }
    }

    /// True where `hit`, which now stands at `path` as `value`, was found in one of the earlier versions and weighed as much there.
    pub(super) fn weighed_as_much(
        &mut self,
        from: &[&Earlier],
        file: usize,
        path: &[u8],
        (hit, value): (&Hit<'r>, &[u8]),
        maker: &mut FindingMaker<'_>,
    ) -> Result<bool, Failure> {
        if self.current != Some(file) {
            self.current = Some(file);
            self.known.clear();
        }
        if hit.rule.check() == Some(Check::OwnValue) {
            // It was compared with a file of today, not found by a search.
            return Ok(from.iter().any(|earlier| earlier.moved_from.is_none()));
        }
        let policy = self.policy;
        let mut verdict = |day, hit: &Hit<'r>, path| {
            let finding = maker.make(hit.clone(), &Place { place: Where::Content, path, commit: None, reference: None });
            verdict_on(day, &finding, policy)
        };
        for earlier in from {
            // An exception that ran out since let it through all the same, so there the first day of all counts; and here the last,
            // since an exception may run out. In the same file it is one exception, which stands on neither side.
            let (there, day) = earlier.moved_from.as_deref().map_or((path, Date::MIN), |there| (there, Date::MAX));
            let now = verdict(day, hit, path);
            let hits = self.hits_in(earlier, there, (hit.inside.is_none() && earlier.moved_from.is_none()).then_some(value))?;
            if hits.iter().filter(|old| is_the_same(old, hit)).any(|old| verdict(Date::MIN, old, there) >= now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is found in an earlier version that stood at `path`: all, or what stands where `value` does. What cannot be read there
    /// counts as not having been there: the value is then new.
    fn hits_in(&mut self, earlier: &Earlier, path: &[u8], value: Option<&[u8]>) -> Result<&[Hit<'r>], Failure> {
        let version = std::ptr::from_ref(earlier);
        let at = match self.known.iter().position(|known| known.version == version) {
            Some(at) => at,
            None => {
                self.known.push(Known { version, hits: Vec::new(), asked: 0, is_whole: false });
                self.known.len() - 1
            }
        };
        let known = &mut self.known[at];
        if !known.is_whole {
            known.asked += 1;
            let text = Text { path, part: Part::Content, bytes: &earlier.text };
            known.hits = match value {
                Some(value) if known.asked <= ASKED_ONE_BY_ONE => {
                    let places = memchr::memmem::find_iter(&earlier.text, value).take(MOST_PLACES).map(|at| at..at + value.len());
                    self.scanner.scan_new(text, &places.collect::<Vec<_>>())?.hits
                }
                _ => {
                    known.is_whole = true;
                    self.scanner.scan(text)?
                }
            };
        }
        Ok(&known.hits)
    }
}

/// The same value, under whichever rule, or an unsafe line under the same rule: that it is the same line the caller knows.
fn is_the_same(old: &Hit<'_>, new: &Hit<'_>) -> bool {
    if new.secret.is_some() { old.secret == new.secret } else { old.rule.id() == new.rule.id() }
}
