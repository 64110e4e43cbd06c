//! The outline of a pattern: a looser one that matches somewhere in each text in which the pattern does, of so few places that
//! it can be tried without preparation. The build script makes those of our own rules.
//!
//! What repeats up to a bound repeats without one, look-arounds within are left out, and so is what may be missing at either end.
//! Where that is not short enough, a choice between many words becomes any row of their letters.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};
use serde::{Deserialize, Serialize};

use super::reach::bytes_of;

/// With so few places an outline is tried at its fastest,
pub(super) const FEW_PLACES: usize = 128;
/// and none has more than these.
pub(super) const MOST_PLACES: usize = 512;
/// So many of what repeats are told apart, where there is room: the longer the row, the fewer texts have it.
const COPIES: [u32; 4] = [64, 16, 4, 2];

/// Ranges of bytes, each from its first to its last.
type Ranges = Vec<(u8, u8)>;

/// A pattern without bounds. Before and behind the text stands a line's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outline {
    /// These bytes, one after the other.
    Bytes(Vec<u8>),
    /// These bytes, of which the letters are small and stand for either case.
    Letters(Vec<u8>),
    /// One byte of these ranges.
    One(Ranges),
    /// One after the other.
    All(Vec<Self>),
    /// Any one of them.
    Any(Vec<Self>),
    /// So many times.
    Times(u32, Box<Self>),
    /// It may be missing.
    Maybe(Box<Self>),
    /// It may come again and again.
    Again(Box<Self>),
}

/// Which ends of the whole pattern a part stands at.
#[derive(Clone, Copy)]
struct At {
    start: bool,
    end: bool,
}

impl Outline {
    const EMPTY: Self = Self::All(Vec::new());

    /// The outline of a pattern; `None` where it would match everywhere.
    pub(super) fn of(pattern: &Hir) -> Option<Self> {
        const WHOLE: At = At { start: true, end: true };
        let with = |most| loosen(pattern, most, WHOLE).trimmed(WHOLE);
        let is_short = |outline: &Self| outline.places() <= FEW_PLACES;
        let mut outline = COPIES.into_iter().map(with).find(is_short).unwrap_or_else(|| with(1));
        while outline.places() > MOST_PLACES {
            outline.shorten()?;
        }
        (!outline.may_be_empty()).then_some(outline)
    }

    /// How many bytes it spells out or asks for.
    pub(super) fn places(&self) -> usize {
        match self {
            Self::Bytes(text) | Self::Letters(text) => text.len(),
            Self::One(_) => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::places).sum(),
            Self::Times(count, part) => *count as usize * part.places(),
            Self::Maybe(part) | Self::Again(part) => part.places(),
        }
    }

    fn may_be_empty(&self) -> bool {
        match self {
            Self::Bytes(text) | Self::Letters(text) => text.is_empty(),
            Self::One(_) => false,
            Self::All(parts) => parts.iter().all(Self::may_be_empty),
            Self::Any(parts) => parts.iter().any(Self::may_be_empty),
            Self::Times(count, part) => *count == 0 || part.may_be_empty(),
            Self::Maybe(_) => true,
            Self::Again(part) => part.may_be_empty(),
        }
    }

    /// Leaves out what a text need not have to hold a match, as that may begin and end anywhere.
    fn trimmed(self, at: At) -> Self {
        match self {
            // One of them is enough.
            Self::Again(part) if at.start || at.end => part.trimmed(at),
            Self::Any(parts) => Self::Any(parts.into_iter().map(|part| part.trimmed(at)).collect()),
            Self::All(mut parts) => {
                let is_needed = |part: &Self| !part.may_be_empty();
                if at.end {
                    parts.truncate(parts.iter().rposition(is_needed).map_or(0, |last| last + 1));
                }
                if at.start {
                    parts.drain(..parts.iter().position(is_needed).unwrap_or(parts.len()));
                }
                let count = parts.len();
                Self::All(parts.into_iter().enumerate().map(|(place, part)| part.trimmed(at.of(place, count))).collect())
            }
            part => part,
        }
    }

    /// Makes any row of their bytes of the choice that has the most places; `None` where there is nothing to choose.
    fn shorten(&mut self) -> Option<()> {
        let largest = self.largest_choice()?;
        let row = Self::Again(Box::new(Self::One(largest.bytes())));
        *largest = if largest.may_be_empty() { Self::Maybe(Box::new(row)) } else { row };
        Some(())
    }

    fn largest_choice(&mut self) -> Option<&mut Self> {
        match self {
            Self::Any(_) => Some(self),
            Self::All(parts) => parts.iter_mut().filter_map(Self::largest_choice).max_by_key(|choice| choice.places()),
            Self::Times(_, part) | Self::Maybe(part) | Self::Again(part) => part.largest_choice(),
            Self::Bytes(_) | Self::Letters(_) | Self::One(_) => None,
        }
    }

    /// All bytes that it may hold.
    fn bytes(&self) -> Ranges {
        let mut ranges = match self {
            Self::Bytes(text) => text.iter().map(|&b| (b, b)).collect(),
            Self::Letters(text) => text.iter().flat_map(|&b| either_case(b)).collect(),
            Self::One(ranges) => ranges.clone(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::bytes).collect(),
            Self::Times(_, part) | Self::Maybe(part) | Self::Again(part) => part.bytes(),
        };
        ranges.sort_unstable();
        ranges.dedup();
        ranges
    }

    /// True when it begins with a byte of words, or ends with one, whatever it matches.
    fn has_word_at(&self, start: bool) -> bool {
        let is_word = |&b: &u8| b.is_ascii_alphanumeric() || b == b'_';
        match self {
            Self::Bytes(text) | Self::Letters(text) => if start { text.first() } else { text.last() }.is_some_and(is_word),
            Self::One(ranges) => ranges.iter().all(|&(first, last)| (first..=last).all(|b| is_word(&b))),
            Self::All(parts) if start => word_in_front(parts.iter(), start),
            Self::All(parts) => word_in_front(parts.iter().rev(), start),
            Self::Any(parts) => parts.iter().all(|part| part.has_word_at(start)),
            Self::Times(_, part) | Self::Maybe(part) | Self::Again(part) => part.has_word_at(start),
        }
    }
}

impl At {
    /// The ends that one of so many parts of it stands at.
    fn of(self, place: usize, count: usize) -> Self {
        Self { start: self.start && place == 0, end: self.end && place + 1 == count }
    }
}

/// Do all of them begin with a byte of words, up to one that cannot be missing?
fn word_in_front<'o>(mut parts: impl Iterator<Item = &'o Outline>, start: bool) -> bool {
    let is_ruled_out = |part: &Outline| (!part.may_be_empty() || !part.has_word_at(start)).then(|| part.has_word_at(start));
    parts.find_map(is_ruled_out) == Some(true)
}

pub(super) fn either_case(b: u8) -> [(u8, u8); 2] {
    [b, b.to_ascii_uppercase()].map(|b| (b, b))
}

fn loosen(pattern: &Hir, most: u32, at: At) -> Outline {
    match pattern.kind() {
        HirKind::Empty => Outline::EMPTY,
        HirKind::Look(Look::Start | Look::StartLF | Look::StartCRLF) if at.start && !at.end => Outline::One(vec![(b'\n', b'\n'), (b'\r', b'\r')]),
        HirKind::Look(Look::End | Look::EndLF | Look::EndCRLF) if at.end && !at.start => Outline::One(vec![(b'\n', b'\n'), (b'\r', b'\r')]),
        HirKind::Look(_) => Outline::EMPTY,
        HirKind::Literal(literal) => Outline::Bytes(literal.0.to_vec()),
        HirKind::Class(class) => one_of(class),
        HirKind::Capture(capture) => loosen(&capture.sub, most, at),
        HirKind::Concat(parts) => in_order(parts, most, at),
        HirKind::Alternation(parts) => Outline::Any(parts.iter().map(|part| loosen(part, most, at)).collect()),
        HirKind::Repetition(repetition) => repeated(repetition, most),
    }
}

/// One byte of a class. A character beyond ASCII is some bytes beyond it.
fn one_of(class: &Class) -> Outline {
    let ranges: Ranges = match class {
        Class::Unicode(unicode) if !unicode.is_ascii() => {
            let ascii = bytes_of(class).filter(|(first, _)| first.is_ascii()).map(|(first, last)| (first, last.min(0x7f)));
            return Outline::Again(Box::new(Outline::One(ascii.chain([(0x80, 0xff)]).collect())));
        }
        _ => bytes_of(class).collect(),
    };
    match ranges[..] {
        [(capital, b), (small, c)] if capital == b && small == c && capital.is_ascii_uppercase() && small == capital.to_ascii_lowercase() => {
            Outline::Letters(vec![small])
        }
        _ => Outline::One(ranges),
    }
}

/// The parts one after the other.
fn in_order(parts: &[Hir], most: u32, at: At) -> Outline {
    /// What stands beside a word.
    const BESIDE_WORDS: [(u8, u8); 5] = [(0, b'0' - 1), (b'9' + 1, b'A' - 1), (b'Z' + 1, b'_' - 1), (b'_' + 1, b'a' - 1), (b'z' + 1, 0xff)];
    let is_edge = |part: &Hir| *part.kind() == HirKind::Look(Look::WordAscii);
    let mut all: Vec<Outline> = parts.iter().enumerate().map(|(place, part)| loosen(part, most, at.of(place, parts.len()))).collect();
    // Within a pattern the byte beside a word is asked for by the next part too.
    if at.start && parts.first().is_some_and(is_edge) && word_in_front(all[1..].iter(), true) {
        all[0] = Outline::One(BESIDE_WORDS.to_vec());
    }
    if at.end && parts.last().is_some_and(is_edge) && word_in_front(all.iter().rev().skip(1), false) {
        all.pop();
        all.push(Outline::One(BESIDE_WORDS.to_vec()));
    }
    joined(all.into_iter())
}

/// Makes one of neighbours that are spelled out.
fn joined(parts: impl Iterator<Item = Outline>) -> Outline {
    let mut all: Vec<Outline> = Vec::new();
    for part in parts {
        match (all.last_mut(), part) {
            (_, Outline::All(inner)) => all.extend(inner),
            (Some(Outline::Bytes(text)), Outline::Bytes(more)) | (Some(Outline::Letters(text)), Outline::Letters(more)) => text.extend(more),
            (Some(Outline::Letters(text)), Outline::Bytes(more)) if !more.iter().any(u8::is_ascii_alphabetic) => text.extend(more),
            (_, part) => all.push(part),
        }
    }
    Outline::All(all)
}

fn repeated(repetition: &Repetition, most: u32) -> Outline {
    const WITHIN: At = At { start: false, end: false };
    let one = loosen(&repetition.sub, most, WITHIN);
    // Of longer ones there would soon be too many.
    let least = repetition.min.min(if one.places() <= 1 { most } else { 1 });
    let is_exact = repetition.max == Some(least);
    let again = |one: Outline| Outline::Again(Box::new(one));
    let times = |count: u32, one: Outline| if count == 1 { one } else { Outline::Times(count, Box::new(one)) };
    match (least, repetition.max) {
        _ if is_exact => times(least, one),
        (0, Some(1)) => Outline::Maybe(Box::new(one)),
        (0, _) => Outline::Maybe(Box::new(again(one))),
        (1, _) => again(one),
        _ => joined([times(least - 1, one.clone()), again(one)].into_iter()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Rules, proof};

    fn outline(pattern: &str) -> Option<Outline> {
        Outline::of(&proof::parse(pattern).unwrap())
    }

    #[test]
    fn bounds_and_ends_go_and_all_else_stays() {
        let bytes = |text: &str| Outline::Bytes(text.as_bytes().to_vec());
        let digit = || Box::new(Outline::One(vec![(b'0', b'9')]));
        let parts = vec![
            bytes("key"),
            Outline::Maybe(Box::new(Outline::Again(Box::new(bytes(" "))))),
            Outline::Letters(b"a_b".to_vec()),
            Outline::Times(2, digit()),
            Outline::Again(digit()),
            Outline::Any(vec![bytes("xy"), bytes("z")]),
        ];
        assert_eq!(outline(r"[a-z]{0,9}key[ ]{0,4}(?i:a_b)(?<secret>[0-9]{3,5})(?:xy|z)\w{0,8}(?:\s|\b)"), Some(Outline::All(parts)));
        assert_eq!(outline("a+b+"), Some(Outline::All(vec![bytes("a"), bytes("b")])));
        assert_eq!(outline("[ab]{0,9}(?:x|)"), None);
    }

    #[test]
    fn what_stands_at_an_end_is_a_byte_there() {
        let end = Outline::One(vec![(b'\n', b'\n'), (b'\r', b'\r')]);
        let beside = |part: &Outline| matches!(part, Outline::One(ranges) if ranges.contains(&(b'z' + 1, 0xff)));
        let Some(Outline::All(parts)) = outline(r"\b(?:a|b)\bc[0-9]{40}(?:[^0-9]|\z)") else { panic!("it has one") };
        assert!(parts.len() == 5 && beside(&parts[0]), "{parts:?}");
        assert_eq!(parts[4], Outline::Any(vec![Outline::One(vec![(0, b'/'), (b':', 0xff)]), end.clone()]));
        let Some(Outline::All(parts)) = outline(r"^ab\w+\b") else { panic!("it has one") };
        assert!(parts.len() == 4 && parts[0] == end && beside(&parts[3]), "{parts:?}");
        assert_eq!(outline(r"\b-a"), Some(Outline::All(vec![Outline::Bytes(b"-a".to_vec())])));
    }

    #[test]
    fn what_is_too_long_is_shortened() {
        let words: Vec<_> = (100..300).map(|word| format!("w{word}")).collect();
        let choice = Outline::Again(Box::new(Outline::One((b'0'..=b'9').chain([b'w']).map(|b| (b, b)).collect())));
        let parts = vec![Outline::Bytes(b"a".to_vec()), choice, Outline::Bytes(b"=".to_vec())];
        assert_eq!(outline(&format!("a(?:{}|x)=", words.join("|"))).map(|outline| outline.places()), Some(3));
        assert_eq!(outline(&format!("a(?:{})=", words.join("|"))), Some(Outline::All(parts)));
    }

    #[test]
    fn nearly_every_rule_has_one_that_fits() {
        let rules = Rules::built_in().unwrap();
        let patterns: Vec<_> = rules.all().iter().filter_map(|rule| rule.text().pattern.as_deref()).collect();
        let outlines: Vec<_> = patterns.iter().filter_map(|pattern| outline(pattern)).collect();
        assert!(outlines.iter().all(|outline| outline.places() <= MOST_PLACES));
        assert!(outlines.len() * 100 > patterns.len() * 98, "{} of {}", outlines.len(), patterns.len());
    }
}
