//! Does an outline match anywhere in a text? All places of it at which a match may have arrived are bits, and each byte of the text
//! moves them on. Nothing has to be made ahead but a table of the places of each byte, so that this is the cheapest way for little
//! text.

use super::outline::{FEW_PLACES, MOST_PLACES, Outline, either_case};

/// Places of an outline, a bit for each, in so many words.
type Places<const WORDS: usize> = [u64; WORDS];

const BITS: usize = u64::BITS as usize;

/// An outline ready to be tried; most are short.
#[derive(Debug)]
pub(super) enum Walk {
    Short(Box<Wide<{ FEW_PLACES / BITS }>>),
    Long(Box<Wide<{ MOST_PLACES / BITS }>>),
}

impl Walk {
    /// `None` for what is no outline: it is too long, or matches everywhere.
    pub(super) fn of(outline: &Outline) -> Option<Self> {
        match outline.places() {
            places if places <= FEW_PLACES => Wide::of(outline).map(|wide| Self::Short(Box::new(wide))),
            places if places <= MOST_PLACES => Wide::of(outline).map(|wide| Self::Long(Box::new(wide))),
            _ => None,
        }
    }

    pub(super) fn matches_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Short(walk) => walk.matches_in(text),
            Self::Long(walk) => walk.matches_in(text),
        }
    }
}

#[derive(Debug)]
pub(super) struct Wide<const WORDS: usize> {
    /// At which places each byte may stand.
    of_byte: Box<[Places<WORDS>; 256]>,
    /// Where a match begins, and where it ends.
    first: Places<WORDS>,
    last: Places<WORDS>,
    /// Places after which the next one may come, and those that may come again.
    onward: Places<WORDS>,
    again: Places<WORDS>,
    /// Places after which others may come, and for each place which.
    jumping: Places<WORDS>,
    jumps: Vec<Places<WORDS>>,
    /// The bytes that a match may begin with.
    begins: Vec<u8>,
}

impl<const WORDS: usize> Wide<WORDS> {
    fn of(outline: &Outline) -> Option<Self> {
        let mut made = Made { of_byte: Box::new([[0; WORDS]; 256]), after: Vec::new() };
        let whole = made.part(outline);
        if whole.may_be_empty {
            return None;
        }
        let Made { of_byte, after: mut jumps } = made;
        let [mut onward, mut again, mut jumping] = [[0; WORDS]; 3];
        for (at, after) in jumps.iter_mut().enumerate() {
            let mut take = |to: usize, of: &mut Places<WORDS>| {
                if to < WORDS * BITS && has(after, to) {
                    after[to / BITS] &= !(1 << (to % BITS));
                    of[at / BITS] |= 1 << (at % BITS);
                }
            };
            take(at, &mut again);
            take(at + 1, &mut onward);
            jumping[at / BITS] |= u64::from(*after != [0; WORDS]) << (at % BITS);
        }
        let begins = (0..=u8::MAX).filter(|&b| meet(&of_byte[usize::from(b)], &whole.first)).collect();
        Some(Self { of_byte, first: whole.first, last: whole.last, onward, again, jumping, jumps, begins })
    }

    fn matches_in(&self, text: &[u8]) -> bool {
        // A line ends before the text, and at its end.
        let mut places = self.step(&[0; WORDS], b'\n');
        let mut at = 0;
        loop {
            while let Some(&b) = text.get(at)
                && places != [0; WORDS]
            {
                if meet(&places, &self.last) {
                    return true;
                }
                places = self.step(&places, b);
                at += 1;
            }
            if places != [0; WORDS] || at == text.len() {
                return meet(&places, &self.last) || meet(&self.step(&places, b'\n'), &self.last);
            }
            at += self.begin(&text[at..]).unwrap_or(text.len() - at);
            if let Some(&b) = text.get(at) {
                places = self.step(&places, b);
                at += 1;
            }
        }
    }

    /// Where a match may begin.
    fn begin(&self, text: &[u8]) -> Option<usize> {
        match self.begins[..] {
            [a] => memchr::memchr(a, text),
            [a, b] => memchr::memchr2(a, b, text),
            [a, b, c] => memchr::memchr3(a, b, c, text),
            _ => text.iter().position(|&b| meet(&self.of_byte[usize::from(b)], &self.first)),
        }
    }

    /// Where matches that were at these places are after this byte, and one that begins with it.
    #[inline(always)]
    fn step(&self, places: &Places<WORDS>, b: u8) -> Places<WORDS> {
        let of_byte = &self.of_byte[usize::from(b)];
        let mut after = self.first;
        if meet(places, &self.jumping) {
            self.jump(places, &mut after);
        }
        let mut carried = 0;
        for word in 0..WORDS {
            let onward = places[word] & self.onward[word];
            after[word] = (after[word] | onward << 1 | carried | places[word] & self.again[word]) & of_byte[word];
            carried = onward >> (BITS - 1);
        }
        after
    }

    #[inline(never)]
    fn jump(&self, places: &Places<WORDS>, after: &mut Places<WORDS>) {
        for (word, (places, jumping)) in places.iter().zip(&self.jumping).enumerate() {
            let mut jumping = places & jumping;
            while jumping != 0 {
                join(after, &self.jumps[word * BITS + jumping.trailing_zeros() as usize]);
                jumping &= jumping - 1;
            }
        }
    }
}

fn has<const WORDS: usize>(places: &Places<WORDS>, at: usize) -> bool {
    places[at / BITS] >> (at % BITS) & 1 != 0
}

fn meet<const WORDS: usize>(a: &Places<WORDS>, b: &Places<WORDS>) -> bool {
    let mut met = 0;
    for word in 0..WORDS {
        met |= a[word] & b[word];
    }
    met != 0
}

fn join<const WORDS: usize>(to: &mut Places<WORDS>, more: &Places<WORDS>) {
    for word in 0..WORDS {
        to[word] |= more[word];
    }
}

/// One that is being made.
struct Made<const WORDS: usize> {
    of_byte: Box<[Places<WORDS>; 256]>,
    /// For each place those that may follow.
    after: Vec<Places<WORDS>>,
}

/// Where a part of an outline begins and ends.
#[derive(Clone, Copy)]
struct Ends<const WORDS: usize> {
    first: Places<WORDS>,
    last: Places<WORDS>,
    may_be_empty: bool,
}

impl<const WORDS: usize> Ends<WORDS> {
    const EMPTY: Self = Self { first: [0; WORDS], last: [0; WORDS], may_be_empty: true };

    fn or(mut self, other: Self) -> Self {
        join(&mut self.first, &other.first);
        join(&mut self.last, &other.last);
        Self { may_be_empty: self.may_be_empty || other.may_be_empty, ..self }
    }
}

impl<const WORDS: usize> Made<WORDS> {
    fn part(&mut self, outline: &Outline) -> Ends<WORDS> {
        match outline {
            Outline::Bytes(text) => self.in_order(text, |made, &b| made.place(&[(b, b)])),
            Outline::Letters(text) => self.in_order(text, |made, &b| made.place(&either_case(b))),
            Outline::One(ranges) => self.place(ranges),
            Outline::All(parts) => self.in_order(parts, Self::part),
            Outline::Any(parts) => parts.iter().map(|part| self.part(part)).reduce(Ends::or).unwrap_or(Ends::EMPTY),
            Outline::Times(count, part) => self.in_order(0..*count, |made, _| made.part(part)),
            Outline::Maybe(part) => Ends { may_be_empty: true, ..self.part(part) },
            Outline::Again(part) => {
                let ends = self.part(part);
                self.follow(&ends.last, &ends.first);
                ends
            }
        }
    }

    fn in_order<Part>(&mut self, parts: impl IntoIterator<Item = Part>, make: impl Fn(&mut Self, Part) -> Ends<WORDS>) -> Ends<WORDS> {
        parts.into_iter().fold(Ends::EMPTY, |before, part| {
            let next = make(self, part);
            self.follow(&before.last, &next.first);
            let both = before.or(next);
            Ends {
                first: if before.may_be_empty { both.first } else { before.first },
                last: if next.may_be_empty { both.last } else { next.last },
                may_be_empty: before.may_be_empty && next.may_be_empty,
            }
        })
    }

    /// A further place, for a byte of these ranges.
    fn place(&mut self, ranges: &[(u8, u8)]) -> Ends<WORDS> {
        let (word, bit) = (self.after.len() / BITS, 1 << (self.after.len() % BITS));
        self.after.push([0; WORDS]);
        for &(first, last) in ranges {
            self.of_byte[usize::from(first)..=usize::from(last)].iter_mut().for_each(|places| places[word] |= bit);
        }
        let mut own = [0; WORDS];
        own[word] = bit;
        Ends { first: own, last: own, may_be_empty: false }
    }

    /// Lets the places `next` come after each of `places`.
    fn follow(&mut self, places: &Places<WORDS>, next: &Places<WORDS>) {
        for (word, mut left) in places.iter().copied().enumerate() {
            while left != 0 {
                join(&mut self.after[word * BITS + left.trailing_zeros() as usize], next);
                left &= left - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::Strategy;
    use proptest::sample::select;
    use regex::bytes::Regex;

    use super::*;
    use crate::rules::{Rules, proof};

    /// The walk of a pattern, which may be one for characters beyond ASCII.
    fn walk(pattern: &str) -> Option<Walk> {
        Outline::of(&regex_syntax::Parser::new().parse(pattern).unwrap()).as_ref().and_then(Walk::of)
    }

    #[test]
    fn the_outline_of_every_rule_matches_what_the_rule_does() {
        let rules = Rules::built_in().unwrap();
        for rule in rules.all() {
            let (Some(pattern), Some(own)) = (rule.text().pattern.as_deref(), rule.regex().unwrap()) else { continue };
            let Some(walk) = rule.outline().and_then(Walk::of) else { continue };
            for sample in proof::samples(&proof::parse(pattern).unwrap(), 24) {
                let text = [b" x", sample.as_slice()].concat();
                assert!(!own.is_match(&text) || walk.matches_in(&text), "{}: {}", rule.id(), text.escape_ascii());
            }
        }
    }

    /// Patterns of some pieces, each repeated in one of these ways.
    fn patterns(pieces: &'static [&'static str], counts: &'static [&'static str]) -> impl Strategy<Value = String> {
        let piece = (select(pieces), select(counts)).prop_map(|(piece, count)| format!("(?:{piece}){count}"));
        proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
    }

    proptest::proptest! {
        #[test]
        fn without_bounds_it_matches_just_where_the_pattern_does(
            pattern in patterns(&["a", "bc", "[ab]", "a|bc|d", "ab|", "(?:ca)+|b*d", "[abd_]", "(?i:b_A)"], &["", "", "?", "*", "+", "{1,}"]),
            text in "[a-dAB_]{0,24}",
        ) {
            let regex = Regex::new(&pattern).unwrap();
            match walk(&pattern) {
                Some(walk) => proptest::prop_assert_eq!(walk.matches_in(text.as_bytes()), regex.is_match(text.as_bytes())),
                None => proptest::prop_assert!(regex.is_match(b"")),
            }
        }

        #[test]
        fn it_matches_wherever_a_pattern_with_bounds_does(
            pattern in patterns(
                &["a", "[ab]", "a|bc$|d", "ab|", "(?:ca){2}|b{1,3}d", "[^c]", "(?i:b_A)", "^|a", "é|[à-ü]"],
                &["", "?", "*", "{2}", "{1,3}", "{0,2}", "{2,}", "{3,40}"],
            ),
            text in "[a-dABéà_ ]{0,40}",
        ) {
            let regex = Regex::new(&pattern).unwrap();
            let walk = walk(&pattern);
            proptest::prop_assert!(!regex.is_match(text.as_bytes()) || walk.is_none_or(|walk| walk.matches_in(text.as_bytes())));
        }
    }
}
