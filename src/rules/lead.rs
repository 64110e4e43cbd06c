//! From one sign of a match to the next only certain bytes lie between: `= "` of an assignment of a text, with blanks. What
//! lacks that is no match, which is seen long before a regex is compiled or run.

use regex_syntax::hir::{Hir, HirKind};
use serde::{Deserialize, Serialize};

use super::reach::{Bytes, bytes_of, set_of, signs};

/// In every match one of the signs `from` is followed by one of the signs `to`, with nothing but bytes of `through` between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lead {
    pub(super) from: Bytes,
    /// A bit for each byte.
    pub(super) through: [u64; 4],
    pub(super) to: Bytes,
}

pub(super) fn holds(set: &[u64; 4], b: u8) -> bool {
    set[usize::from(b / 64)] >> (b % 64) & 1 != 0
}

/// The way that the least of other texts has.
pub(super) fn lead(pattern: &Hir) -> Option<Lead> {
    let mut parts = Vec::new();
    flatten(pattern, &mut parts);
    let mut best: Option<(f64, Lead)> = None;
    for (at, first) in parts.iter().enumerate() {
        let Some(from) = first.end else { continue };
        let mut through = [0; 4];
        for next in &parts[at + 1..] {
            if let Some(to) = next.start {
                let lead = Lead { from, through, to };
                let share = share(&lead);
                if share < MOST_USEFUL && best.as_ref().is_none_or(|(least, _)| share < *least) {
                    best = Some((share, lead));
                }
            }
            through = join(through, next.set);
        }
    }
    best.map(|(_, lead)| lead)
}

/// Where more of all lines have it, asking is not worth it.
const MOST_USEFUL: f64 = 0.02;

/// What one part of a pattern can match: its bytes, and the few signs that it always begins or ends with.
struct Part {
    set: [u64; 4],
    start: Option<Bytes>,
    end: Option<Bytes>,
}

fn flatten(pattern: &Hir, out: &mut Vec<Part>) {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Capture(capture) => flatten(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| flatten(part, out)),
        HirKind::Literal(literal) => {
            for &b in &literal.0 {
                let sign = set_of(std::iter::once((b, b)));
                out.push(Part { set: set(std::iter::once((b, b))), start: sign, end: sign });
            }
        }
        _ => out.push(Part { set: all(pattern), start: start(pattern), end: end(pattern) }),
    }
}

/// All bytes that a match can hold.
fn all(pattern: &Hir) -> [u64; 4] {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => [0; 4],
        HirKind::Literal(literal) => set(literal.0.iter().map(|&b| (b, b))),
        HirKind::Class(class) => set(bytes_of(class)),
        HirKind::Repetition(repetition) => all(&repetition.sub),
        HirKind::Capture(capture) => all(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(all).fold([0; 4], join),
    }
}

/// The few signs, one of which every match begins with.
fn start(pattern: &Hir) -> Option<Bytes> {
    edge(pattern, start, |bytes| bytes.first(), |parts| parts.first())
}

/// The few signs, one of which every match ends with.
fn end(pattern: &Hir) -> Option<Bytes> {
    edge(pattern, end, |bytes| bytes.last(), |parts| parts.last())
}

fn edge(pattern: &Hir, of: fn(&Hir) -> Option<Bytes>, byte: fn(&[u8]) -> Option<&u8>, part: fn(&[Hir]) -> Option<&Hir>) -> Option<Bytes> {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(literal) => byte(&literal.0).and_then(|&b| set_of(std::iter::once((b, b)))),
        HirKind::Class(class) => set_of(bytes_of(class)),
        HirKind::Repetition(repetition) if repetition.min == 0 => None,
        HirKind::Repetition(repetition) => of(&repetition.sub),
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Concat(parts) => of(part(parts)?),
        HirKind::Alternation(parts) => {
            let both = |a: Option<Bytes>, b: Option<Bytes>| set_of(signs(a?).chain(signs(b?)).map(|b| (b, b)));
            parts.iter().map(of).reduce(both).flatten()
        }
    }
}

fn set(ranges: impl Iterator<Item = (u8, u8)>) -> [u64; 4] {
    let mut set = [0; 4];
    for b in ranges.flat_map(|(first, last)| first..=last) {
        set[usize::from(b / 64)] |= 1 << (b % 64);
    }
    set
}

fn join(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    std::array::from_fn(|at| a[at] | b[at])
}

/// About how often it stands at a byte of code by chance.
fn share(lead: &Lead) -> f64 {
    let of = |signs_of: Bytes| signs(signs_of).map(chance).sum::<f64>();
    let through: f64 = (0..=u8::MAX).filter(|&b| holds(&lead.through, b) && !lead.to.contains(&b)).map(chance).sum();
    of(lead.from) * of(lead.to) / (1.0 - through).max(0.01)
}

/// About how often a byte of code is this one.
fn chance(b: u8) -> f64 {
    match b {
        b'a'..=b'z' => 0.021,
        b'A'..=b'Z' => 0.003,
        b'0'..=b'9' => 0.005,
        b' ' => 0.15,
        b'\n' => 0.03,
        b'.' | b',' | b'(' | b')' | b'"' | b'\'' | b'=' | b'_' => 0.025,
        b':' | b'/' | b'-' | b';' | b'*' => 0.012,
        b'{' | b'}' | b'[' | b']' | b'<' | b'>' => 0.007,
        _ => 0.001,
    }
}
