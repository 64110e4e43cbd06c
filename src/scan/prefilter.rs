//! Where could a rule match? One pass over the bytes for the keywords of all rules that look at such a text, around what is
//! new in it.

use std::ops::Range;
use std::sync::OnceLock;

use super::keywords::Keywords;
use super::language::Language;
use super::parts::Parts;
use super::zone::{self, ZONES, Zone, without};
use crate::rules::{Check, Rule, Rules};

/// Finds the keywords of rules. The tables for one kind of text are made when the first text of that kind comes.
pub(super) struct Prefilter<'r> {
    /// One for each language: the keywords of rules that look at files of any path.
    sets: [OnceLock<Keywords<'r>>; Language::COUNT],
    /// And those of rules that look at some paths only: most files need none of them.
    bound_sets: [OnceLock<Keywords<'r>>; Language::COUNT],
}

/// A stretch of the text in which a rule's pattern must be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) rule: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'r> Prefilter<'r> {
    pub(super) fn new() -> Self {
        Self { sets: std::array::from_fn(|_| OnceLock::new()), bound_sets: std::array::from_fn(|_| OnceLock::new()) }
    }

    /// The windows in which to try each rule so that no match that touches one of the `parts` is missed: merged where they
    /// meet, by rule and then by place. A rule whose pattern has no bound gets the whole text once. Rules that
    /// look at other languages are left out, and those bound to paths unless `bound`; no others.
    pub(super) fn windows(&self, rules: &'r Rules, language: Language, text: &[u8], parts: Parts<'_>, bound: bool) -> Vec<Window> {
        let at = language as usize;
        let mut list = around(self.sets[at].get_or_init(|| keywords(rules, language, false)), rules, text, parts);
        if bound {
            list.append(&mut around(self.bound_sets[at].get_or_init(|| keywords(rules, language, true)), rules, text, parts));
            list.sort_unstable_by_key(|window| (window.rule, window.start));
        }
        list
    }
}

/// The windows around these keywords.
fn around(keywords: &Keywords<'_>, rules: &Rules, text: &[u8], parts: Parts<'_>) -> Vec<Window> {
    // Most texts are new as a whole.
    if let [whole] = parts.0
        && *whole == (0..text.len())
    {
        let mut windows = Windows::new(rules.all(), text, parts, parts.0);
        keywords.find(text, 0..text.len(), Zone::Own, &mut |rule, of, found| windows.add(rule, of, &found));
        return windows.finish();
    }
    let own = Zone::Own.places(text, parts, &[], keywords.longest);
    let mut windows = Windows::new(rules.all(), text, parts, &own);
    let mut searched = Vec::new();
    for zone in ZONES {
        let places = zone.places(text, parts, &searched, keywords.longest);
        for piece in without(&places, &searched) {
            keywords.find(text, piece, zone, &mut |rule, of, found| windows.add(rule, of, &found));
        }
        searched = places;
        if searched.len() == 1 && searched[0] == (0..text.len()) {
            break;
        }
    }
    windows.finish()
}

/// The keywords of the rules that look at this language, either of those bound to paths or of the others.
fn keywords(rules: &Rules, language: Language, bound: bool) -> Keywords<'_> {
    let speaks = |rule: &Rule| rule.is_bound_to_paths() == bound && rule.speaks(language.name());
    let zones: Vec<Option<Zone>> = rules.all().iter().map(|rule| speaks(rule).then(|| Zone::of(rule))).collect();
    let zones = zones.as_slice();
    Keywords::new(rules.keywords().map(|(keyword, having)| (keyword, having.iter().filter_map(|&rule| Some((rule, zones[rule as usize]?))))))
}

/// Windows as they are found: neighbours merge as they come, so that the list stays short.
struct Windows<'a> {
    rules: &'a [Rule],
    text: &'a [u8],
    parts: Parts<'a>,
    /// The lines of the parts.
    own: &'a [Range<usize>],
    list: Vec<Window>,
    /// Index of each rule's newest window; nothing before the first one.
    newest: Vec<u32>,
}

/// Ends of lines are looked for no farther away than this: a text may be one line.
const FAR_AWAY: usize = 4 << 10;
/// Nor where a match can hardly cross more of them than it may.
const LINE: usize = 40;

/// What of the range a match can fill that holds the keyword and at most so many ends of lines, but for its first and last byte.
fn by_lines(text: &[u8], range: Range<usize>, keyword: &Range<usize>, line_ends: usize) -> Range<usize> {
    let Range { mut start, mut end } = range;
    let enough = LINE * (line_ends + 1);
    let low = keyword.start.saturating_sub(FAR_AWAY).max(start);
    if low + enough < keyword.start
        && let Some(at) = memchr::memrchr_iter(b'\n', &text[low..keyword.start]).nth(line_ends)
    {
        start = low + at;
    }
    let high = keyword.end.saturating_add(FAR_AWAY).min(end);
    if keyword.end + enough < high
        && let Some(at) = memchr::memchr_iter(b'\n', &text[keyword.end..high]).nth(line_ends)
    {
        end = keyword.end + at + 1;
    }
    start..end
}

impl<'a> Windows<'a> {
    fn new(rules: &'a [Rule], text: &'a [u8], parts: Parts<'a>, own: &'a [Range<usize>]) -> Self {
        Self { rules, text, parts, own, list: Vec::new(), newest: Vec::new() }
    }

    fn add(&mut self, rule: u32, zone: Zone, found: &Range<usize>) {
        let Some(Range { start, end }) = self.around(&self.rules[rule as usize], zone, found) else { return };
        if self.newest.is_empty() {
            self.newest = vec![u32::MAX; self.rules.len()];
        }
        let newest = &mut self.newest[rule as usize];
        match self.list.get_mut(*newest as usize) {
            Some(last) if last.end >= start && last.start <= end => {
                last.start = last.start.min(start);
                last.end = last.end.max(end);
            }
            _ => {
                *newest = self.list.len() as u32;
                self.list.push(Window { rule, start, end });
            }
        }
    }

    /// Where a match that touches a part can lie, when one of its keywords stands at `found`.
    fn around(&self, rule: &Rule, zone: Zone, found: &Range<usize>) -> Option<Range<usize>> {
        let reach = rule.reach().unwrap_or(self.text.len());
        let start = found.end.saturating_sub(rule.keyword_within().unwrap_or(reach)).min(found.start);
        let end = found.start.saturating_add(reach).clamp(found.end, self.text.len());
        match (rule.check(), zone) {
            // What is bound to a name stands behind it, and so does the body of a key.
            (Some(Check::Assignment | Check::PrivateKey), _) => Some(start..end),
            (Some(Check::Logged), _) => self.parts.touch(&(start..end + zone::NEAR)).then_some(start..end),
            (_, Zone::Own) => {
                let lines = self.own.get(self.own.partition_point(|lines| lines.end < found.start))?;
                let around = by_lines(self.text, start.max(lines.start)..end.min(lines.end), found, 0);
                Some(around).filter(|around| !around.is_empty())
            }
            (_, Zone::Lines | Zone::Paragraph) => {
                let around = by_lines(self.text, start..end, found, rule.line_ends());
                self.parts.touch(&around).then_some(around)
            }
            _ => {
                let Parts(parts) = self.parts;
                let first = parts.get(parts.partition_point(|part| part.end < start)).filter(|part| part.start <= end)?;
                let last = parts.get(parts.partition_point(|part| part.start <= end).checked_sub(1)?)?;
                Some(start.max(first.start.saturating_sub(reach))..end.min(last.end.saturating_add(reach)))
            }
        }
    }

    fn finish(self) -> Vec<Window> {
        let Self { rules, mut list, .. } = self;
        list.sort_unstable_by_key(|window| (window.rule, window.start));
        list.dedup_by(|later, earlier| {
            // What is bound to each word is read by itself.
            let is_bound = rules[later.rule as usize].check() == Some(Check::Assignment);
            let meet = later.rule == earlier.rule && later.start <= earlier.end && !is_bound;
            if meet {
                earlier.end = earlier.end.max(later.end);
            }
            meet || later == earlier
        });
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::proof;

    /// Lines around a match, so that a window that is cut at ends of lines has something to lose.
    const LINES: &str = "one line\ntwo\n\n\nfive lines and more of it\nsix\nseven\neight\n\nten\n";

    #[test]
    #[allow(clippy::single_range_in_vec_init, reason = "a list of parts may have one")]
    fn a_window_holds_every_match_that_touches_a_part() {
        use Language as L;
        let spoken = [L::Python, L::JavaScript, L::Go, L::Java, L::Php, L::Shell, L::Sql, L::Dockerfile, L::Yaml, L::Terraform, L::CSharp, L::Ruby];
        let rules = Rules::built_in().unwrap();
        let prefilter = Prefilter::new();
        let mut tried = 0;
        for (at, rule) in rules.all().iter().enumerate().filter(|(_, rule)| rule.has_keywords() && rule.check().is_none()) {
            let Some(language) = spoken.into_iter().find(|language| rule.speaks(language.name())) else { continue };
            let (Some(pattern), Some(regex)) = (rule.text().pattern.as_deref(), rule.regex().unwrap()) else { continue };
            for sample in proof::samples(&proof::parse(pattern).unwrap(), 16) {
                let text = [LINES.as_bytes(), &sample, b"\n", LINES.as_bytes()].concat();
                let Some(found) = regex.find(&text).map(|found| found.range()) else { continue };
                for part in [0..text.len(), found.start..found.start + 1, found.end - 1..found.end] {
                    let windows = prefilter.windows(&rules, language, &text, Parts(std::slice::from_ref(&part)), true);
                    let holds = windows.iter().any(|window| window.rule == at as u32 && window.start <= found.start && found.end <= window.end);
                    assert!(holds, "{} in {part:?}: {found:?} of {}", rule.id(), text.escape_ascii());
                    tried += 1;
                }
            }
        }
        assert!(tried > 8_000, "{tried}");
    }
}
