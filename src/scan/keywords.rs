//! Finds the keywords of many rules in one pass.
//!
//! Each keyword is found by the rarest three bytes in it. A table of bits says of any three bytes whether they are one of
//! those, which for most places of a text is the end of it; only then is the keyword compared. Where all keywords are long,
//! only every few bytes are looked at. A zone's table is built when the first text is searched there, in some ten microseconds,
//! where an automaton costs a millisecond: a new file needs the table of one zone.

use std::ops::Range;
use std::sync::OnceLock;

use super::features;
use super::zone::{ZONES, Zone};

/// Slots in a table of bits: 8 KiB of it stay close to the processor.
const SLOTS: usize = 1 << 16;
/// Lists of entries that a slot leads to.
const HEADS: usize = 1 << 12;
/// Puts letters into small.
const FOLD: u64 = 0x2020_2020_2020_2020;
/// So many bytes are looked at in one go: a multiple of the shorter steps.
const BLOCK: usize = 24;
/// Ends a list.
const NONE: u32 = u32::MAX;
/// Farther apart no two places are looked at.
const LONGEST_STEP: usize = 8;

/// Keywords with what they stand for in each zone.
pub(super) struct Keywords<'r> {
    tables: [OnceLock<Table>; ZONES.len()],
    keywords: Vec<Keyword<'r>>,
    /// The rules of all keywords, each with its zone.
    rules: Vec<(u32, Zone)>,
    /// Length of the longest keyword.
    pub(super) longest: usize,
}

/// What is looked for in one zone: the keywords of it and of all wider ones.
struct Table {
    /// Which three bytes lead to an entry.
    bits: Box<[u8; SLOTS / 8]>,
    /// Every so many bytes a place is looked at.
    step: usize,
    heads: Box<[u32]>,
    entries: Vec<Entry>,
}

/// Three bytes by which a keyword is found.
struct Entry {
    three: u32,
    /// Index of the keyword.
    keyword: u32,
    /// Where in it they stand.
    offset: u32,
    next: u32,
    /// The first eight bytes of the keyword, folded, and which of them there are: mostly enough to tell.
    beginning: u64,
    mask: u64,
}

struct Keyword<'r> {
    text: &'r [u8],
    /// Where in the list the rules stand that have it.
    rules: Range<usize>,
    widest: Zone,
}

impl<'r> Keywords<'r> {
    /// Takes keywords in small letters, each with the rules that have it and their zones. One that no rule has is left out.
    pub(super) fn new<Of: Iterator<Item = (u32, Zone)>>(all: impl Iterator<Item = (&'r str, Of)>) -> Self {
        let most = all.size_hint().1.unwrap_or(0);
        let (mut keywords, mut rules, mut longest) = (Vec::with_capacity(most), Vec::with_capacity(most), 0);
        for (text, having) in all {
            let start = rules.len();
            rules.extend(having);
            if let Some(widest) = rules[start..].iter().map(|&(_, zone)| zone).max() {
                longest = longest.max(text.len());
                keywords.push(Keyword { text: text.as_bytes(), rules: start..rules.len(), widest });
            }
        }
        Self { tables: std::array::from_fn(|_| OnceLock::new()), keywords, rules, longest }
    }

    fn table(&self, zone: Zone) -> &Table {
        self.tables[zone as usize].get_or_init(|| Table::new(&self.keywords, zone))
    }

    /// Hands on every keyword of the zone or a wider one that lies within `piece`, with each rule that has it, that rule's
    /// zone, and the place. One at the edge may be handed on too.
    pub(super) fn find(&self, text: &[u8], piece: Range<usize>, zone: Zone, found: &mut impl FnMut(u32, Zone, Range<usize>)) {
        let table = self.table(zone);
        // Zones of unlike steps know a keyword by unlike bytes: on the edge of two it is looked for from both sides.
        let edge = if table.step == 1 { 0 } else { self.longest };
        let piece = piece.start.saturating_sub(edge)..(piece.end + edge).min(text.len());
        let mut hit = |at: usize, three: u32| self.compare(table, text, at, three, zone, found);
        match table.step {
            1 => table.find_blocks::<1>(text, &piece, &mut hit),
            2 => table.find_blocks::<2>(text, &piece, &mut hit),
            3 => table.find_blocks::<3>(text, &piece, &mut hit),
            _ => table.find_one(text, &piece, &mut hit),
        }
    }

    #[inline(never)]
    fn compare(&self, table: &Table, text: &[u8], at: usize, three: u32, zone: Zone, found: &mut impl FnMut(u32, Zone, Range<usize>)) {
        let mut next = table.heads[slot(three) % HEADS];
        while let Some(entry) = table.entries.get(next as usize) {
            next = entry.next;
            if entry.three != three {
                continue;
            }
            let Some(start) = at.checked_sub(entry.offset as usize) else { continue };
            if let Some(eight) = text[start..].first_chunk::<8>()
                && (u64::from_le_bytes(*eight) | FOLD) & entry.mask != entry.beginning
            {
                continue;
            }
            let keyword = &self.keywords[entry.keyword as usize];
            let place = start..start + keyword.text.len();
            if text.get(place.clone()).is_some_and(|place| place.eq_ignore_ascii_case(keyword.text)) {
                for &(rule, of) in self.rules[keyword.rules.clone()].iter().filter(|(_, of)| *of >= zone) {
                    found(rule, of, place.clone());
                }
            }
        }
    }
}

impl Table {
    fn new(keywords: &[Keyword<'_>], zone: Zone) -> Self {
        let here = || keywords.iter().enumerate().filter(|(_, keyword)| keyword.widest >= zone);
        let shortest = here().map(|(_, keyword)| keyword.text.len()).min();
        let step = shortest.unwrap_or(LONGEST_STEP).saturating_sub(2).clamp(1, LONGEST_STEP);
        let entries = Vec::with_capacity(here().count() * step);
        let mut table = Self { bits: Box::new([0; SLOTS / 8]), step, heads: vec![NONE; HEADS].into(), entries };
        for (at, keyword) in here() {
            table.enter(at as u32, keyword.text);
        }
        table
    }

    /// May three bytes lead to an entry, whatever stands behind them? Where few do, it is enough to ask for eight slots at once.
    fn is_hit<const STEP: usize>(&self, three: u32) -> bool {
        let slot = slot(three);
        let eight = self.bits[slot / 8];
        if STEP == 1 { eight >> (slot % 8) & 1 != 0 } else { eight != 0 }
    }

    /// Looks at every STEPth place, [`BLOCK`] bytes at a time.
    fn find_blocks<const STEP: usize>(&self, text: &[u8], piece: &Range<usize>, hit: &mut impl FnMut(usize, u32)) {
        let mut at = piece.start;
        while at + BLOCK <= piece.end
            && let Some(block) = text[at..].first_chunk()
        {
            self.look_at::<STEP>(block, |place, three| hit(at + place, three));
            at += BLOCK;
        }
        let rest = piece.end.saturating_sub(at);
        if rest > 0 {
            // Behind the text stand ends of lines, so that its last two bytes are looked at too.
            let mut block = [b'\n'; BLOCK + 2];
            block.iter_mut().zip(&text[at..]).for_each(|(to, from)| *to = *from);
            self.look_at::<STEP>(&block, |place, three| {
                if place < rest {
                    hit(at + place, three);
                }
            });
        }
    }

    /// Spelled out, since a loop is not always unrolled, and then takes half as much time again.
    #[inline(always)]
    fn look_at<const STEP: usize>(&self, block: &[u8; BLOCK + 2], mut hit: impl FnMut(usize, u32)) {
        self.look_at_six::<STEP, 0>(block, &mut hit);
        self.look_at_six::<STEP, 6>(block, &mut hit);
        self.look_at_six::<STEP, 12>(block, &mut hit);
        self.look_at_six::<STEP, 18>(block, &mut hit);
    }

    /// Looks at six places, as eight bytes hold them.
    #[inline(always)]
    fn look_at_six<const STEP: usize, const FROM: usize>(&self, block: &[u8; BLOCK + 2], hit: &mut impl FnMut(usize, u32)) {
        let eight = u64::from_le_bytes(*block[FROM..].first_chunk().unwrap_or(&[0; 8])) | FOLD;
        for place in (0..6).step_by(STEP) {
            let four = (eight >> (8 * place)) as u32;
            if self.is_hit::<STEP>(four) {
                hit(FROM + place, four & 0xFF_FFFF);
            }
        }
    }

    /// The same where places lie farther apart.
    fn find_one(&self, text: &[u8], piece: &Range<usize>, hit: &mut impl FnMut(usize, u32)) {
        let mut at = piece.start;
        while at < piece.end {
            let four = text[at..].first_chunk().copied().unwrap_or_else(|| std::array::from_fn(|byte| text.get(at + byte).copied().unwrap_or(b'\n')));
            let four = u32::from_le_bytes(four) | FOLD as u32;
            if self.is_hit::<LONGEST_STEP>(four) {
                hit(at, four & 0xFF_FFFF);
            }
            at += self.step;
        }
    }

    fn enter(&mut self, at: u32, text: &[u8]) {
        if let [first, second] = *text {
            // Two bytes stand with each third one, of which half are folded into the other half.
            for third in (0..=u8::MAX).filter(|third| third | 0x20 == *third) {
                self.enter_at(at, text, 0, [first, second, third]);
            }
            return;
        }
        // As many neighbours as a step is long: one of them stands where a place is looked at.
        let starts = 0..=text.len().saturating_sub(2 + self.step);
        let from = if self.step == 1 {
            rarest(text)
        } else {
            let rarity = |from: usize| text[from..].windows(3).take(self.step).map(rarity).min();
            starts.max_by_key(|&from| rarity(from)).unwrap_or(0)
        };
        for (offset, three) in text.windows(3).enumerate().skip(from).take(self.step) {
            self.enter_at(at, text, offset, [three[0], three[1], three[2]]);
        }
    }

    fn enter_at(&mut self, keyword: u32, text: &[u8], offset: usize, three: [u8; 3]) {
        let three = fold(u32::from_le_bytes([three[0], three[1], three[2], 0]));
        let slot = slot(three);
        self.bits[slot / 8] |= 1 << (slot % 8);
        let (mut first, mut there) = ([0; 8], [0; 8]);
        for (at, &b) in text.iter().take(8).enumerate() {
            (first[at], there[at]) = (b | 0x20, u8::MAX);
        }
        let (beginning, mask) = (u64::from_le_bytes(first), u64::from_le_bytes(there));
        let head = &mut self.heads[slot % HEADS];
        let entry = Entry { three, keyword, offset: offset as u32, next: *head, beginning, mask };
        *head = self.entries.len() as u32;
        self.entries.push(entry);
    }
}

/// Where the most surprising three bytes begin: each pair is asked for once, since this is done for every keyword at each
/// start.
fn rarest(text: &[u8]) -> usize {
    let (mut best, mut most, mut before) = (0, 0, None);
    for (at, two) in text.windows(2).enumerate() {
        let surprise = u32::from(features::surprise(two[0], two[1]));
        if let Some(before) = before.replace(surprise)
            && before + surprise >= most
        {
            (best, most) = (at - 1, before + surprise);
        }
    }
    best
}

/// How surprising three bytes are in a text.
fn rarity(three: &[u8]) -> u32 {
    three.windows(2).map(|two| u32::from(features::surprise(two[0], two[1]))).sum()
}

/// The three low bytes, letters in small. Other signs are changed too, the same way everywhere.
fn fold(three: u32) -> u32 {
    (three | 0x20_2020) & 0xFF_FFFF
}

/// The slot of the three low bytes: the fourth one falls out at the top.
fn slot(three: u32) -> usize {
    (three.wrapping_mul(0x9E37_7900) >> 16) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_keyword_is_found_wherever_it_stands(
            words in proptest::collection::vec("[a-cA-C_]{2,9}", 1..6),
            text in "[a-cA-C_ \n]{0,80}",
            wide in proptest::bool::ANY,
        ) {
            // With long words alone the wide zone steps over bytes.
            let zone = if wide { Zone::Everywhere } else { Zone::Own };
            let words: Vec<_> = words.into_iter().filter(|word| !wide || word.len() > 5).map(|word| word.to_lowercase()).collect();
            let keywords = Keywords::new(words.iter().enumerate().map(|(at, word)| (word.as_str(), std::iter::once((at as u32, zone)))));
            let mut found = std::collections::BTreeSet::new();
            keywords.find(text.as_bytes(), 0..text.len(), zone, &mut |rule, _, place| {
                found.insert((words[rule as usize].clone(), place.start));
            });
            let lower = text.to_lowercase();
            let mut expected = std::collections::BTreeSet::new();
            for word in words.iter() {
                expected.extend((0..lower.len()).filter(|&at| lower[at..].starts_with(word.as_str())).map(|at| (word.clone(), at)));
            }
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
