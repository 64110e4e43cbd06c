//! How many bytes of one kind stand in a row in every match: the 40 hexadecimal digits of a key stand in few texts.

use regex_syntax::hir::{Hir, HirKind};
use serde::{Deserialize, Serialize};

use super::reach::bytes_of;

/// So many bytes of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    kind: Kind,
    length: u32,
}

/// Kinds of bytes, each with all of those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    /// What stands between blanks, quotes and brackets.
    Token,
    /// What names are made of, with hyphens.
    Word,
    Alphanumeric,
    Hexadecimal,
}

const KINDS: [Kind; 4] = [Kind::Token, Kind::Word, Kind::Alphanumeric, Kind::Hexadecimal];

/// A row that surprises less stands in every line: one of 14 bytes of tokens.
const LEAST: u32 = 56;

impl Kind {
    const fn has(self, b: u8) -> bool {
        match self {
            Self::Hexadecimal => b.is_ascii_hexdigit(),
            Self::Alphanumeric => b.is_ascii_alphanumeric(),
            Self::Word => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'),
            Self::Token => {
                Self::Word.has(b) || matches!(b, b'.' | b'+' | b'/' | b'=' | b'~' | b'%' | b':' | b'@' | b'$' | b'!' | b'*' | b'#' | b'?' | b'&')
            }
        }
    }

    /// How much each byte of a row surprises in code: about the logarithm of how often the kind is met, so that rows of several
    /// kinds compare.
    fn surprise(self) -> u32 {
        match self {
            Self::Token => 4,
            Self::Word => 5,
            Self::Alphanumeric => 6,
            Self::Hexadecimal => 10,
        }
    }

    const fn table(self) -> [bool; 256] {
        let mut table = [false; 256];
        let mut b = 0;
        while b < 256 {
            table[b] = self.has(b as u8);
            b += 1;
        }
        table
    }
}

/// Which bytes are of each kind.
static TABLES: [[bool; 256]; 4] = [KINDS[0].table(), KINDS[1].table(), KINDS[2].table(), KINDS[3].table()];

impl Row {
    /// The most surprising row of every match, if one is worth to be looked for.
    pub(super) fn of(pattern: &Hir) -> Option<Self> {
        let rows = KINDS.map(|kind| Self { kind, length: u32::try_from(run(pattern, kind).best).unwrap_or(u32::MAX) });
        rows.into_iter().filter(|row| row.surprise() >= LEAST).max_by_key(Self::surprise)
    }

    fn surprise(&self) -> u32 {
        self.length.saturating_mul(self.kind.surprise())
    }

    /// True when the text has such a row. Of any row so long a byte stands at a multiple of its length, so that most bytes are not
    /// looked at.
    pub(super) fn stands_in(&self, text: &[u8]) -> bool {
        let (table, length) = (&TABLES[self.kind as usize], self.length as usize);
        let is_one = |b: &u8| table[usize::from(*b)];
        let mut at = length - 1;
        while let Some(b) = text.get(at) {
            if !is_one(b) {
                at += length;
                continue;
            }
            let before = text[..at].iter().rev().take(length - 1).take_while(|b| is_one(b)).count();
            let missing = length - 1 - before;
            let after = text[at + 1..].iter().take(missing).take_while(|b| is_one(b)).count();
            if after == missing {
                return true;
            }
            at += after + 1 + length;
        }
        false
    }
}

/// Bytes of the kind in a row that every match of a pattern has: at its start, at its end, and somewhere.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    best: usize,
    /// It matches nothing but bytes of the kind.
    only: bool,
}

impl Run {
    const EMPTY: Self = Self::of(0);
    const NONE: Self = Self { start: 0, end: 0, best: 0, only: false };

    const fn of(length: usize) -> Self {
        Self { start: length, end: length, best: length, only: true }
    }

    fn then(self, next: Self) -> Self {
        Self {
            start: if self.only { self.start.saturating_add(next.start) } else { self.start },
            end: if next.only { self.end.saturating_add(next.end) } else { next.end },
            best: self.best.max(next.best).max(self.end.saturating_add(next.start)),
            only: self.only && next.only,
        }
    }

    fn or(self, other: Self) -> Self {
        let only = self.only && other.only;
        Self { start: self.start.min(other.start), end: self.end.min(other.end), best: self.best.min(other.best), only }
    }
}

fn run(pattern: &Hir, kind: Kind) -> Run {
    let one_if = |is: bool| if is { Run::of(1) } else { Run::NONE };
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Run::EMPTY,
        HirKind::Literal(literal) => literal.0.iter().map(|&b| one_if(kind.has(b))).fold(Run::EMPTY, Run::then),
        HirKind::Class(class) => one_if(bytes_of(class).all(|(first, last)| (first..=last).all(|b| kind.has(b)))),
        HirKind::Capture(capture) => run(&capture.sub, kind),
        HirKind::Concat(parts) => parts.iter().map(|part| run(part, kind)).fold(Run::EMPTY, Run::then),
        HirKind::Alternation(parts) => parts.iter().map(|part| run(part, kind)).reduce(Run::or).unwrap_or(Run::EMPTY),
        HirKind::Repetition(repetition) => {
            let one = run(&repetition.sub, kind);
            match repetition.min as usize {
                times if one.only => Run::of(one.best.saturating_mul(times)),
                0 => Run::NONE,
                _ => Run { only: false, ..one },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Rules, proof};

    fn parse(pattern: &str) -> Hir {
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(pattern).unwrap()
    }

    #[test]
    fn the_most_surprising_row_is_known() {
        for (pattern, expected) in [
            (r#"key["'= ]{1,3}(?<secret>[MN][a-z]{23,27}\.[a-z]{6})(?:[^a-z]|\z)"#, Some((Kind::Alphanumeric, 24))),
            ("ghp_[0-9a-z]{36}", Some((Kind::Alphanumeric, 36))),
            ("ab_[0-9a-z]{3}-[a-z]{8}", Some((Kind::Word, 15))),
            ("[0-9a-f]{32}", Some((Kind::Hexadecimal, 32))),
            ("(?:[0-9a-f]{8}-[0-9a-f]{4}|[0-9A-F]{9})", Some((Kind::Hexadecimal, 8))),
            ("(?:sk|pk)_[a-z]{0,9}[0-9]{5}", None),
            ("(?:ab|c d)e", None),
            ("(?:uvwxyz ){2,3}", None),
            ("https://[a-z]{3,9}[.]example[.]org", Some((Kind::Token, 23))),
            ("[^ ]{40}", None),
        ] {
            assert_eq!(Row::of(&parse(pattern)), expected.map(|(kind, length)| Row { kind, length }), "{pattern}");
        }
    }

    #[test]
    fn every_match_of_a_rule_has_its_row() {
        let rules = Rules::built_in().unwrap();
        let mut having = 0;
        for rule in rules.all() {
            let Some(hir) = rule.text().pattern.as_deref().map(|pattern| proof::parse(pattern).unwrap()) else { continue };
            let Some(row) = Row::of(&hir) else { continue };
            having += 1;
            for sample in proof::samples(&hir, 24) {
                assert!(row.stands_in(&[b"x ", sample.as_slice()].concat()), "{}: {}", rule.id(), sample.escape_ascii());
            }
        }
        assert!(having > 400, "{having}");
    }

    proptest::proptest! {
        #[test]
        fn a_row_is_found_wherever_it_stands(text in "[a-hx ]{0,60}", length in 3u32..9) {
            let longest = text.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max();
            let row = Row { kind: Kind::Hexadecimal, length };
            proptest::prop_assert_eq!(row.stands_in(text.as_bytes()), longest >= Some(length as usize));
        }
    }
}
