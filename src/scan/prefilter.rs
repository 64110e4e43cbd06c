//! Where could a rule match? One pass over the bytes for the keywords of all rules that look at such a file.
//!
//! Each keyword is found by the rarest three bytes in it. A table of bits says of any three bytes whether they are one of
//! those, which for most places of a text is the end of it; only then is the keyword compared. The tables cost some ten
//! microseconds to build, where an automaton costs a millisecond.
//!
//! Where only parts of a text are new, a rule is looked for around them: one whose match stays on a line, on the lines of the
//! part; another within its reach; one without a bound, everywhere.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::features;
use super::language::Language;
use super::parts::Parts;
use crate::finding::Family;
use crate::rules::{Check, Rule, Rules};

/// Finds the keywords of rules. The tables for one kind of text are made when the first text of that kind comes.
pub(super) struct Prefilter {
    /// One for each language, and the last for what is no file.
    sets: [OnceLock<Keywords>; Language::COUNT + 1],
}

/// A stretch of the text in which a rule's pattern must be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) rule: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// How far from a new part a rule's keyword may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Zone {
    /// On the lines of the part.
    Own,
    /// On these and [`LINES`] beside them.
    Lines,
    /// [`NEAR`] bytes.
    Near,
    /// [`FAR`] bytes.
    Far,
    /// Anywhere.
    Everywhere,
}

const ZONES: [Zone; 5] = [Zone::Own, Zone::Lines, Zone::Near, Zone::Far, Zone::Everywhere];

/// A match that crosses at most so many line ends is looked for by lines.
const LINES: usize = 2;
/// Holds the matches of most rules that cross more, and the beginning of most calls whose arguments fill many lines.
const NEAR: usize = 512;
/// Few rules can match more.
const FAR: usize = 4200;

impl Prefilter {
    pub(super) fn new() -> Self {
        Self { sets: std::array::from_fn(|_| OnceLock::new()) }
    }

    /// The windows in which to try each rule so that no match that touches one of the `parts` is missed: merged where they
    /// meet, by rule and then by place. A rule whose pattern has no bound gets the whole text once. `file` is the language
    /// of a file, `None` for what is none.
    pub(super) fn windows(&self, rules: &Rules, file: Option<Language>, text: &[u8], parts: Parts<'_>) -> Vec<Window> {
        let kind = file.map_or(Language::COUNT, |language| language as usize);
        let Some(set) = self.sets.get(kind) else { return Vec::new() };
        let keywords = set.get_or_init(|| Keywords::new(rules, file));
        let around = Around::new(text, parts, keywords.longest);
        let own = around.places(Zone::Own);
        let mut windows =
            Windows { rules: rules.all(), length: text.len(), parts, own: &own, list: Vec::new(), newest: vec![u32::MAX; rules.all().len()] };
        let mut searched = Vec::new();
        for zone in ZONES {
            let places = if zone == Zone::Own { own.clone() } else { around.places(zone) };
            for piece in without(&places, &searched) {
                keywords.find(text, piece, zone, &mut windows);
            }
            searched = places;
            if searched.len() == 1 && searched[0] == (0..text.len()) {
                break;
            }
        }
        let mut list = windows.list;
        let is_bound = |rule: u32| rules.all()[rule as usize].check() == Some(Check::Assignment);
        list.sort_unstable_by_key(|window| (window.rule, window.start));
        list.dedup_by(|later, earlier| {
            // What is bound to each word is read by itself.
            let meet = later.rule == earlier.rule && later.start <= earlier.end && !is_bound(later.rule);
            if meet {
                earlier.end = earlier.end.max(later.end);
            }
            meet || later == earlier
        });
        list
    }
}

impl Zone {
    /// Where the keyword of a match that touches a new part stands.
    fn of(rule: &Rule) -> Self {
        match (rule.check(), rule.reach()) {
            // The body of a key may be longer than what the pattern says.
            (Some(Check::PrivateKey), _) | (_, None) => Self::Everywhere,
            (_, Some(reach)) if reach > FAR => Self::Everywhere,
            // The arguments of a call may fill many lines.
            (Some(Check::Logged), _) => Self::Near,
            (Some(Check::Assignment), _) => Self::Lines,
            _ if rule.line_ends() == 0 => Self::Own,
            _ if rule.line_ends() <= LINES => Self::Lines,
            (_, Some(reach)) if reach <= NEAR => Self::Near,
            _ => Self::Far,
        }
    }
}

/// Where to look for keywords around the parts of a text.
struct Around<'a> {
    text: &'a [u8],
    parts: Parts<'a>,
    /// Length of the longest keyword.
    longest: usize,
    /// Where text in triple quotes of each kind may begin, in order.
    triple_quotes: [Vec<usize>; 3],
}

impl<'a> Around<'a> {
    fn new(text: &'a [u8], parts: Parts<'a>, longest: usize) -> Self {
        let triple_quotes = [b"\"\"\"", b"'''", b"```"].map(|quotes| memchr::memmem::find_iter(text, quotes).collect());
        Self { text, parts, longest, triple_quotes }
    }

    /// The places of the text that a zone covers, and all narrower zones, with room for the longest keyword.
    fn places(&self, zone: Zone) -> Vec<Range<usize>> {
        match zone {
            Zone::Everywhere => std::iter::once(0..self.text.len()).collect(),
            Zone::Far => self.parts.zones(|part| self.within(part, FAR)),
            Zone::Near => self.parts.zones(|part| {
                let (near, lines) = (self.within(part, NEAR), self.lines(part));
                near.start.min(lines.start)..near.end.max(lines.end)
            }),
            Zone::Lines => self.parts.zones(|part| self.lines(part)),
            Zone::Own => self.parts.zones(|part| self.own_lines(part)),
        }
    }

    fn within(&self, part: &Range<usize>, reach: usize) -> Range<usize> {
        part.start.saturating_sub(reach + self.longest)..(part.end + reach + self.longest).min(self.text.len())
    }

    /// The lines of the part, with the ends of the one before and of the last, within [`FAR`].
    fn own_lines(&self, part: &Range<usize>) -> Range<usize> {
        let most = self.within(part, FAR);
        let start = memchr::memrchr(b'\n', &self.text[most.start..part.start]).map_or(most.start, |newline| most.start + newline);
        let end = memchr::memchr(b'\n', &self.text[part.end..most.end]).map_or(most.end, |newline| part.end + newline + 1);
        start..end
    }

    /// The lines of the part and those beside it, within [`FAR`]. A text in triple quotes, which may span many lines, is
    /// bound to the name before it: where one may be open, it begins there.
    fn lines(&self, part: &Range<usize>) -> Range<usize> {
        let most = self.within(part, FAR);
        let line_before = |at: usize| memchr::memrchr(b'\n', &self.text[most.start..at]).map_or(most.start, |newline| most.start + newline);
        let mut start = part.start;
        for _ in 0..=LINES {
            start = line_before(start);
        }
        let mut end = part.end;
        for _ in 0..=LINES {
            end = memchr::memchr(b'\n', &self.text[end..most.end]).map_or(most.end, |newline| end + newline + 1);
        }
        for places in &self.triple_quotes {
            let before = places.partition_point(|&at| at < part.start);
            if let Some(&quotes) = before.checked_sub(1).and_then(|last| places.get(last)).filter(|&&at| at >= most.start) {
                start = start.min(line_before(quotes));
            }
        }
        start..end
    }
}

/// The ranges of `places` without those of `taken`; both in order, and each of `taken` lies within one of `places`.
fn without(places: &[Range<usize>], taken: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut rest = Vec::new();
    let mut taken = taken.iter().peekable();
    for place in places {
        let mut at = place.start;
        while let Some(hole) = taken.next_if(|hole| hole.start < place.end) {
            if at < hole.start {
                rest.push(at..hole.start);
            }
            at = at.max(hole.end);
        }
        if at < place.end {
            rest.push(at..place.end);
        }
    }
    rest
}

/// Slots in the table of bits: 8 KiB of it stay close to the processor.
const SLOTS: usize = 1 << 16;
/// Lists of three bytes that a slot leads to.
const HEADS: usize = 1 << 12;
/// Ends a list.
const NONE: u32 = u32::MAX;

/// The keywords of the rules that look at one kind of text.
struct Keywords {
    /// For each zone: which three bytes occur in a keyword of it or of a wider one.
    bits: [Box<[u64]>; ZONES.len()],
    heads: Box<[u32]>,
    entries: Vec<Entry>,
    keywords: Vec<Keyword>,
    /// Length of the longest keyword.
    longest: usize,
}

/// Three bytes by which a keyword is found.
struct Entry {
    three: u32,
    /// Index of the keyword.
    keyword: u32,
    /// Where in it they stand.
    offset: u32,
    next: u32,
}

struct Keyword {
    text: Box<[u8]>,
    /// The rules that have it, each with its zone.
    rules: Vec<(u32, Zone)>,
    widest: Zone,
}

impl Keywords {
    fn new(rules: &Rules, file: Option<Language>) -> Self {
        let mut keywords: Vec<Keyword> = Vec::new();
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        for (at, rule) in rules.all().iter().enumerate().filter(|(_, rule)| looks_at(rule, file)) {
            let zone = Zone::of(rule);
            for text in rule.keywords() {
                let text = text.as_bytes().to_ascii_lowercase();
                let place = *known.entry(text).or_insert_with_key(|text| {
                    keywords.push(Keyword { text: text.as_slice().into(), rules: Vec::new(), widest: zone });
                    keywords.len() - 1
                });
                let keyword = &mut keywords[place];
                keyword.widest = keyword.widest.max(zone);
                if keyword.rules.last().is_none_or(|&(last, _)| last != at as u32) {
                    keyword.rules.push((at as u32, zone));
                }
            }
        }
        let longest = keywords.iter().map(|keyword| keyword.text.len()).max().unwrap_or(0);
        let mut set = Self {
            bits: std::array::from_fn(|_| vec![0; SLOTS / 64].into()),
            heads: vec![NONE; HEADS].into(),
            entries: Vec::with_capacity(keywords.len()),
            keywords,
            longest,
        };
        for at in 0..set.keywords.len() {
            set.enter(at);
        }
        set
    }

    fn enter(&mut self, at: usize) {
        let (text, widest) = (&self.keywords[at].text, self.keywords[at].widest);
        let (offset, last): (usize, std::ops::RangeInclusive<u8>) = match text.len() {
            0 | 1 => return, // refused where rules are loaded
            2 => (0, 0..=u8::MAX),
            _ => {
                let offset = (0..=text.len() - 3).max_by_key(|&at| rarity(&text[at..at + 3])).unwrap_or(0);
                (offset, text[offset + 2]..=text[offset + 2])
            }
        };
        let (first, second) = (text[offset], text[offset + 1]);
        for third in last {
            let three = fold(u32::from_le_bytes([first, second, third, 0]));
            let slot = slot(three);
            for zone in ZONES.into_iter().filter(|&zone| zone <= widest) {
                self.bits[zone as usize][slot / 64] |= 1 << (slot % 64);
            }
            let head = &mut self.heads[slot % HEADS];
            let entry = Entry { three, keyword: at as u32, offset: offset as u32, next: *head };
            // Two bytes stand with each third one, of which half are folded into the other half.
            if text.len() > 2 || third | 0x20 == third {
                *head = self.entries.len() as u32;
                self.entries.push(entry);
            }
        }
    }

    /// Finds the keywords whose three bytes begin within `piece` and that belong to `zone` or a wider one.
    fn find(&self, text: &[u8], piece: Range<usize>, zone: Zone, windows: &mut Windows<'_>) {
        let bits = &self.bits[zone as usize];
        let hit = |three: u32| {
            let slot = slot(three);
            bits[slot / 64] >> (slot % 64) & 1 != 0
        };
        let mut at = piece.start;
        // Six places at a time, as eight bytes hold them.
        while at + 6 <= piece.end
            && let Some(eight) = text[at..].first_chunk::<8>()
        {
            let eight = u64::from_le_bytes(*eight);
            for place in 0..6 {
                let three = fold((eight >> (8 * place)) as u32);
                if hit(three) {
                    self.compare(text, at + place, three, zone, windows);
                }
            }
            at += 6;
        }
        for at in at..piece.end {
            // Behind the text stands a line's end, so that the last two bytes are looked at too.
            let byte = |at: usize| text.get(at).copied().unwrap_or(b'\n');
            let three = fold(u32::from_le_bytes([byte(at), byte(at + 1), byte(at + 2), 0]));
            if hit(three) {
                self.compare(text, at, three, zone, windows);
            }
        }
    }

    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, three: u32, zone: Zone, windows: &mut Windows<'_>) {
        let mut next = self.heads[slot(three) % HEADS];
        while let Some(entry) = self.entries.get(next as usize) {
            next = entry.next;
            let keyword = &self.keywords[entry.keyword as usize];
            if entry.three != three || keyword.widest < zone {
                continue;
            }
            let Some(start) = at.checked_sub(entry.offset as usize) else { continue };
            let found = start..start + keyword.text.len();
            if text.get(found.clone()).is_some_and(|found| found.eq_ignore_ascii_case(&keyword.text)) {
                for &(rule, of) in keyword.rules.iter().filter(|(_, of)| *of >= zone) {
                    windows.add(rule, of, &found);
                }
            }
        }
    }
}

/// Does the rule look at such a text at all? A rule bound to a language or a path looks at files only, and so does one for
/// code.
fn looks_at(rule: &Rule, file: Option<Language>) -> bool {
    match file {
        Some(language) => rule.languages().is_empty() || rule.languages().iter().any(|name| name == language.name()),
        None => rule.family() == Family::Secret && rule.languages().is_empty() && !rule.is_bound_to_paths(),
    }
}

/// How surprising three bytes are in a text.
fn rarity(three: &[u8]) -> u32 {
    three.windows(2).map(|two| u32::from(features::surprise(two[0], two[1]))).sum()
}

/// The three low bytes, letters in small. Other signs are changed too, the same way everywhere.
fn fold(three: u32) -> u32 {
    (three | 0x20_2020) & 0xFF_FFFF
}

fn slot(three: u32) -> usize {
    (three.wrapping_mul(0x9E37_79B1) >> 16) as usize % SLOTS
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
    /// Index of each rule's newest window.
    newest: Vec<u32>,
}

impl Windows<'_> {
    fn add(&mut self, rule: u32, zone: Zone, found: &Range<usize>) {
        let Some(Range { start, end }) = self.around(&self.rules[rule as usize], zone, found) else { return };
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
        let Some(reach) = rule.reach() else { return Some(0..self.length) };
        let start = found.end.saturating_sub(reach).min(found.start);
        let end = found.start.saturating_add(reach).clamp(found.end, self.length);
        match (rule.check(), zone) {
            // What is bound to a name stands behind it, and so does the body of a key.
            (Some(Check::Assignment | Check::PrivateKey), _) => Some(start..end),
            (Some(Check::Logged), _) => self.parts.touch(&(start..end + NEAR)).then_some(start..end),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_without_the_taken_ones() {
        assert_eq!(without(&[0..10, 20..30], &[0..3, 5..6, 29..30]), [3..5, 6..10, 20..29]);
        assert_eq!(without(&[2..4], &[]), [2..4]);
        assert!(without(&[2..4], &[2..4]).is_empty());
    }
}
