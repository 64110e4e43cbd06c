//! Undoes what hides a text in a text: encodings, escapes, compression, and literals put together from pieces.
//!
//! Each decoder gives stretches of the text as they read when its encoding is undone, and where each byte came from. What is
//! decoded is searched and decoded again, up to [`MAX_DEPTH`] layers. [`Work`] bounds the bytes made in all.

mod bases;
mod calls;
mod dump;
mod escapes;
mod inflate;
mod joined;
mod numbers;
mod wide;

pub(super) use bases::base64;
pub(super) use escapes::strings;
pub(super) use joined::JOINED;

use std::ops::Range;

use super::language::Language;
use super::parts::Parts;

/// Five layers cover every nesting seen in leaks.
pub const MAX_DEPTH: u8 = 5;

/// A run that is longer than this on one side of the new part began long before it and is cut there.
const FAR: usize = 16 << 10;

/// Bytes that stood encoded.
pub(super) struct Encoded {
    /// Where they stand, encoded.
    pub(super) range: Range<usize>,
    /// What they are.
    pub(super) bytes: Vec<u8>,
    /// Name of the encoding, for the report.
    pub(super) how: &'static str,
    places: Places,
}

/// Where in the text a decoded byte came from.
enum Places {
    /// Only the whole is known: every byte depends on its neighbours.
    Whole,
    /// Stretches, by place.
    Units(Vec<Unit>),
    /// What crosses one of these places in the decoded bytes is the whole; all else stands in the text as it is, and is
    /// found there. All pieces together are the `literal`.
    Seams { at: Vec<usize>, literal: Range<usize> },
}

/// A stretch of equal units: `inner` decoded bytes each stand as `outer` bytes.
struct Unit {
    at: usize,
    from: usize,
    inner: usize,
    outer: usize,
}

impl Encoded {
    fn whole(range: Range<usize>, bytes: Vec<u8>, how: &'static str) -> Self {
        Self { range, bytes, how, places: Places::Whole }
    }

    /// The place in the text of a stretch of the decoded bytes; `None` where the text shows it undecoded, and where a value
    /// that is `bound` to a name is less than the literal that was put together: then that is a text with a value in it.
    pub(super) fn place(&self, inner: &Range<usize>, bound: bool) -> Option<Range<usize>> {
        match &self.places {
            Places::Whole => Some(self.range.clone()),
            Places::Seams { literal, .. } if bound => (inner == literal).then(|| self.range.clone()),
            Places::Seams { at, .. } => at.iter().any(|&seam| inner.start < seam && seam < inner.end).then(|| self.range.clone()),
            Places::Units(units) => {
                let first = &units[units.partition_point(|unit| unit.at <= inner.start).checked_sub(1)?];
                let last = &units[units.partition_point(|unit| unit.at < inner.end.max(inner.start + 1)).checked_sub(1)?];
                let start = first.from + (inner.start - first.at) / first.inner * first.outer;
                let end = last.from + (inner.end - last.at).div_ceil(last.inner) * last.outer;
                Some(start..end.clamp(start, self.range.end))
            }
        }
    }

    fn moved(mut self, by: usize) -> Self {
        self.range = self.range.start + by..self.range.end + by;
        if let Places::Units(units) = &mut self.places {
            units.iter_mut().for_each(|unit| unit.from += by);
        }
        self
    }
}

/// Writes a stretch of text anew and keeps in mind where each part came from.
struct Rewriter<'t> {
    text: &'t [u8],
    from: usize,
    out: Vec<u8>,
    units: Vec<Unit>,
}

impl<'t> Rewriter<'t> {
    /// Begins at the place `from` of the text.
    fn new(text: &'t [u8], from: usize) -> Self {
        Self { text, from, out: Vec::new(), units: Vec::new() }
    }

    /// Takes what stands in this range as it is.
    fn copy(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.unit(range.start, 1, 1);
            self.out.extend_from_slice(&self.text[range]);
        }
    }

    /// Takes these bytes for what stands in this range.
    fn replace(&mut self, range: Range<usize>, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.unit(range.start, bytes.len(), range.len());
            self.out.extend_from_slice(bytes);
        }
    }

    fn unit(&mut self, from: usize, inner: usize, outer: usize) {
        let at = self.out.len();
        let goes_on = |last: &Unit| {
            last.inner == inner && last.outer == outer && last.from + (at - last.at) / inner * outer == from && (at - last.at).is_multiple_of(inner)
        };
        if !self.units.last().is_some_and(goes_on) {
            self.units.push(Unit { at, from, inner, outer });
        }
    }

    fn finish(self, end: usize, how: &'static str) -> Encoded {
        Encoded { range: self.from..end, bytes: self.out, how, places: Places::Units(self.units) }
    }
}

/// How much may still be decoded, so that hostile layers cost no more than a few times the text.
pub(super) struct Work {
    left: usize,
    /// True when something was not decoded for its size.
    pub(super) is_spent: bool,
}

/// All layers together may hold so many times the bytes of the text,
const TIMES: usize = 8;
/// and this much in any case: a kilobyte may well unpack to a hundred.
const FREE: usize = 1 << 20;

impl Work {
    /// For a text of so many bytes.
    pub(super) fn of(length: usize) -> Self {
        Self { left: length.saturating_mul(TIMES).saturating_add(FREE), is_spent: false }
    }

    /// Takes what is decoded into the account; false when it is too much.
    fn takes(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.is_spent = true,
        }
        !self.is_spent
    }
}

/// What a text holds encoded, with the account that pays for it.
struct Finds<'w> {
    touches: &'w dyn Fn(&Range<usize>) -> bool,
    work: &'w mut Work,
    /// Where in the whole text the one that is looked through begins.
    from: usize,
    hand_on: &'w mut Take<'w>,
}

/// Takes what stood encoded, as it is found: a text may hold millions of short runs, each with its places.
type Take<'t> = dyn FnMut(Encoded, &mut Work) + 't;

impl Finds<'_> {
    /// Is there a reason to decode what stands here?
    fn wants(&self, range: &Range<usize>) -> bool {
        (self.touches)(range)
    }

    fn add(&mut self, encoded: Encoded) {
        if self.work.takes(encoded.bytes.len()) {
            self.hand_on(encoded);
        }
    }

    /// The same for what was taken into the account already.
    fn hand_on(&mut self, encoded: Encoded) {
        (self.hand_on)(encoded.moved(self.from), self.work);
    }
}

/// Hands on the encoded runs of the text that touch one of the parts; `depth` layers were undone before.
pub(super) fn runs_around(
    text: &[u8],
    parts: Parts<'_>,
    language: Language,
    depth: u8,
    work: &mut Work,
    hand_on: &mut impl FnMut(Encoded, &mut Work),
) {
    for zone in zones(text, parts) {
        let touches = |range: &Range<usize>| parts.touch(&(range.start + zone.start..range.end + zone.start));
        runs(&text[zone.clone()], language, depth, &mut Finds { touches: &touches, work: &mut *work, from: zone.start, hand_on: &mut *hand_on });
    }
}

/// The lines of the parts with those beside them, each looked at once however many parts there are.
fn zones(text: &[u8], parts: Parts<'_>) -> Vec<Range<usize>> {
    let mut zones: Vec<Range<usize>> = Vec::with_capacity(parts.0.len());
    for part in parts.0 {
        let zone = lines_of_run(text, part, zones.last().map_or(0, |last| last.end));
        match zones.last_mut() {
            Some(last) if last.end >= zone.start => last.end = last.end.max(zone.end),
            _ => zones.push(zone),
        }
    }
    zones
}

/// The lines of the part, and those beside it that may be one wrapped text or one expression with them. Up to `known` that was
/// found out for the part before.
fn lines_of_run(text: &[u8], part: &Range<usize>, known: usize) -> Range<usize> {
    let low = part.start.saturating_sub(FAR).max(known.min(part.start));
    let high = part.end.saturating_add(FAR).min(text.len());
    let goes_on = |line: &[u8]| {
        bases::is_wrapped(line)
            || bases::announces(line)
            || joined::goes_on(line)
            || calls::goes_on(line)
            || numbers::goes_on(line)
            || dump::goes_on(line)
    };
    let start_of_line = |at: usize| memchr::memrchr(b'\n', &text[low..at]).map_or(low, |newline| low + newline + 1);
    let mut start = start_of_line(part.start);
    while start > low {
        let line = start_of_line(start - 1);
        if !goes_on(&text[line..start]) {
            break;
        }
        start = line;
    }
    let end_of_line = |at: usize| memchr::memchr(b'\n', &text[at..high]).map_or(high, |newline| at + newline + 1);
    let mut end = end_of_line(part.end).max(known.min(high));
    let mut line = start_of_line(end.saturating_sub(1).max(low));
    while end < high && goes_on(&text[line..end]) {
        line = end;
        end = end_of_line(end);
    }
    start..end
}

/// Finds the encoded runs of the text.
fn runs(text: &[u8], language: Language, depth: u8, finds: &mut Finds<'_>) {
    // A file that is compressed is an archive; what was encoded may be compressed.
    if depth > 0 && inflate::find(text, finds) {
        return;
    }
    bases::find(text, language, finds);
    escapes::find(text, finds);
    joined::find(text, language, finds);
    numbers::find(text, finds);
    dump::find(text, finds);
    wide::find(text, finds);
}

fn skip(text: &[u8], from: usize, what: impl Fn(u8) -> bool) -> usize {
    text[from..].iter().position(|&b| !what(b)).map_or(text.len(), |length| from + length)
}

#[cfg(test)]
mod tests;
