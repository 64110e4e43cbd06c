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
        let mut windows = Windows::new(rules.all(), text.len(), parts, parts.0);
        keywords.find(text, 0..text.len(), Zone::Own, &mut |rule, of, found| windows.add(rule, of, &found));
        return windows.finish();
    }
    let own = Zone::Own.places(text, parts, &[], keywords.longest);
    let mut windows = Windows::new(rules.all(), text.len(), parts, &own);
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
    /// Of the text.
    length: usize,
    parts: Parts<'a>,
    /// The lines of the parts.
    own: &'a [Range<usize>],
    list: Vec<Window>,
    /// Index of each rule's newest window; nothing before the first one.
    newest: Vec<u32>,
}

impl<'a> Windows<'a> {
    fn new(rules: &'a [Rule], length: usize, parts: Parts<'a>, own: &'a [Range<usize>]) -> Self {
        Self { rules, length, parts, own, list: Vec::new(), newest: Vec::new() }
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
        let reach = rule.reach().unwrap_or(self.length);
        let start = found.end.saturating_sub(rule.keyword_within().unwrap_or(reach)).min(found.start);
        let end = found.start.saturating_add(reach).clamp(found.end, self.length);
        match (rule.check(), zone) {
            // What is bound to a name stands behind it, and so does the body of a key.
            (Some(Check::Assignment | Check::PrivateKey), _) => Some(start..end),
            (Some(Check::Logged), _) => self.parts.touch(&(start..end + zone::NEAR)).then_some(start..end),
            (_, Zone::Own) => {
                let lines = self.own.get(self.own.partition_point(|lines| lines.end < found.start))?;
                Some(start.max(lines.start)..end.min(lines.end)).filter(|around| !around.is_empty())
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
