//! What text do these bytes hold? UTF-16 and UTF-32 become UTF-8, a byte order mark goes, and a text whose lines end with a
//! lone carriage return gets ends that everything else knows.
//!
//! Lines and columns of a report are those of this text: the same file in another encoding gives the same report. Both sides
//! of a comparison with an earlier version pass here, so that writing a file in another encoding introduces nothing.
//!
//! Nothing is lost where the encoding is mixed, cut or wrong: stretches of single bytes inside of wide text stay as they are,
//! a unit that is no character becomes a mark, and bytes that are not surely wide are left alone ([`super::decode`] still
//! looks for wide letters in them).

use super::archive;

/// As many printable bytes in a row are text in single bytes, whatever stands around them.
const NARROW: usize = 16;
/// Without a byte order mark, wide text has a zero in this share of its units: what is not in Latin script has fewer, and is
/// then left to the decoder of wide letters.
const LEAST_ZEROS: f32 = 0.4;
/// Fewer units show no pattern.
const LEAST_UNITS: usize = 4;
/// So many zeros say that units begin elsewhere than they should.
const CLEAR: u32 = 4;
/// A letter's own byte is zero at most once for so many zeros beside letters.
const ZEROS_TO_A_STRAY_ONE: u32 = 8;

/// The text that `bytes` hold; the bytes themselves where they are no wide text.
pub fn plain(bytes: Vec<u8>) -> Vec<u8> {
    plain_of(&bytes).unwrap_or(bytes)
}

/// The text that `bytes` hold; `None` where that is these bytes themselves.
pub fn plain_of(bytes: &[u8]) -> Option<Vec<u8>> {
    if archive::Kind::of(bytes).is_some() {
        return None;
    }
    let mut decoded = match Wide::of(bytes) {
        Some((wide, mark)) => Some(wide.to_utf8(&bytes[mark..])),
        None => bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec),
    };
    let text = decoded.as_deref().unwrap_or(bytes);
    // An old end of line; bytes with a zero among them are no text, and must stay what they are.
    if memchr::memchr(b'\n', text).is_none() && memchr::memchr(b'\r', text).is_some() && memchr::memchr(0, text).is_none() {
        decoded = Some(text.iter().map(|&b| if b == b'\r' { b'\n' } else { b }).collect());
    }
    decoded
}

/// How many bytes a unit has, and which comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wide {
    width: usize,
    little: bool,
}

impl Wide {
    /// The encoding and the length of the byte order mark.
    fn of(bytes: &[u8]) -> Option<(Self, usize)> {
        let wide = |width, little| Self { width, little };
        let marked = match bytes {
            // As UTF-16 it would begin with a zero, which no text does.
            [0xff, 0xfe, 0, 0, ..] => Some((wide(4, true), 4)),
            [0, 0, 0xfe, 0xff, ..] => Some((wide(4, false), 4)),
            [0xff, 0xfe, ..] => Some((wide(2, true), 2)),
            [0xfe, 0xff, ..] => Some((wide(2, false), 2)),
            _ => None,
        };
        if marked.is_some() {
            return marked;
        }
        memchr::memchr(0, bytes)?;
        [wide(4, true), wide(4, false), wide(2, true), wide(2, false)].into_iter().find(|wide| wide.fits(bytes)).map(|wide| (wide, 0))
    }

    /// True where the zeros stand as they do in text of this encoding.
    fn fits(self, bytes: &[u8]) -> bool {
        let mut zeros = [0u32; 4];
        let chunks = bytes.chunks_exact(self.width);
        let units = chunks.len();
        for unit in chunks {
            unit.iter().zip(&mut zeros).for_each(|(byte, zeros)| *zeros += u32::from(*byte == 0));
        }
        let letter = if self.little { 0 } else { self.width - 1 };
        let beside = |place: usize| zeros[place] as f32 >= LEAST_ZEROS * units as f32 && zeros[place] >= zeros[letter] * ZEROS_TO_A_STRAY_ONE;
        units >= LEAST_UNITS && (0..self.width).all(|place| place == letter || beside(place))
    }

    fn to_utf8(self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() / self.width + bytes.len() / 8);
        let mut at = 0;
        let mut probe = NARROW / 2;
        // Every stretch of NARROW bytes covers a multiple of NARROW / 2.
        while probe < bytes.len() {
            let narrow = self.narrow_around(bytes, at, probe);
            if narrow.len() >= NARROW {
                self.decode(&bytes[at..narrow.start], at, &mut out);
                out.extend_from_slice(&bytes[narrow.clone()]);
                at = narrow.end;
            }
            probe = narrow.end.max(probe) + NARROW / 2;
        }
        self.decode(&bytes[at..], at, &mut out);
        out
    }

    /// The printable bytes around `probe` that belong to no wide unit, from `low` on.
    fn narrow_around(self, bytes: &[u8], low: usize, probe: usize) -> std::ops::Range<usize> {
        let printable = |b: &u8| matches!(b, 0x20..=0x7e | b'\t' | b'\r' | b'\n');
        let before = bytes[low..probe].iter().rev().take_while(|b| printable(b)).count();
        let after = bytes[probe..].iter().take_while(|b| printable(b)).count();
        let (mut start, mut end) = (probe - before, probe + after);
        // The neighbour of a zero is the letter of its unit.
        if self.little && bytes.get(end) == Some(&0) {
            end = end.saturating_sub(1).max(start);
        } else if !self.little && start > 0 && bytes[start - 1] == 0 {
            start = (start + 1).min(end);
        }
        start..end
    }

    /// Appends a stretch of wide text that begins at the place `from` of the file. Files were put together: where there is a
    /// mark, it says how the text goes on.
    fn decode(self, bytes: &[u8], from: usize, out: &mut Vec<u8>) {
        let marks =
            memchr::memchr2_iter(0xfe, 0xff, bytes).filter(|&at| self.width == 2 && matches!(bytes[at..], [0xfe, 0xff, ..] | [0xff, 0xfe, ..]));
        let (mut wide, mut at) = (self, 0);
        for next in marks.chain([bytes.len()]) {
            if next < at || next < bytes.len() && (next - at) % self.width != 0 {
                continue; // parts of two letters
            }
            wide.decode_piece(&bytes[at..next], from + at, out);
            if let Some(first) = bytes.get(next) {
                wide.little = *first == 0xff;
                at = next + 2;
            }
        }
    }

    fn decode_piece(self, bytes: &[u8], from: usize, out: &mut Vec<u8>) {
        let skipped = self.shift(bytes, from).min(bytes.len());
        out.extend_from_slice(&bytes[..skipped]);
        let units = bytes[skipped..].chunks_exact(self.width);
        let rest = units.remainder();
        let units = units.map(|unit| {
            let place = |at: usize| if self.little { at } else { self.width - 1 - at };
            unit.iter().enumerate().fold(0u32, |sum, (at, &b)| sum | u32::from(b) << (8 * place(at)))
        });
        let mut letter = [0; 4];
        let mut push = |c: char| out.extend_from_slice(c.encode_utf8(&mut letter).as_bytes());
        if self.width == 2 {
            char::decode_utf16(units.map(|unit| unit as u16)).for_each(|c| push(c.unwrap_or(char::REPLACEMENT_CHARACTER)));
        } else {
            units.for_each(|unit| push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        out.extend_from_slice(rest);
    }

    /// How many bytes stand before the first whole unit: most zeros are then where they belong.
    fn shift(self, bytes: &[u8], from: usize) -> usize {
        let mut zeros = [0u32; 4];
        for at in memchr::memchr_iter(0, bytes) {
            let end_of_unit = if self.little { (at + 1) % self.width } else { at % self.width };
            zeros[end_of_unit] += 1;
        }
        let usual = (self.width - from % self.width) % self.width;
        let best = (0..self.width).max_by_key(|&shift| zeros[shift]).unwrap_or(usual);
        if zeros[best] >= CLEAR && zeros[best] > 2 * zeros[usual] { best } else { usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &str, wide: Wide) -> Vec<u8> {
        let bytes = |value: u32| {
            let all = value.to_le_bytes();
            let mut unit = all[..wide.width].to_vec();
            if !wide.little {
                unit.reverse();
            }
            unit
        };
        if wide.width == 2 {
            text.encode_utf16().flat_map(|unit| bytes(u32::from(unit))).collect()
        } else {
            text.chars().flat_map(|c| bytes(c as u32)).collect()
        }
    }

    const ALL: [Wide; 4] =
        [Wide { width: 2, little: true }, Wide { width: 2, little: false }, Wide { width: 4, little: true }, Wide { width: 4, little: false }];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn wide_text_becomes_what_it_was(text in "[a-zA-Z0-9 =\"\n]{8,60}\\PC{0,5}[ -~]{8,40}\n") {
            for wide in ALL {
                let marked = encoded(&format!("\u{feff}{text}"), wide);
                prop_assert_eq!(String::from_utf8(plain(marked)).unwrap(), text.clone(), "{:?}", wide);
                prop_assert_eq!(String::from_utf8(plain(encoded(&text, wide))).unwrap(), text.clone(), "{:?} without a mark", wide);
            }
        }

        #[test]
        fn any_script_becomes_what_it_was_behind_a_mark(text in "\\PC{0,60}") {
            prop_assume!(!text.contains('\u{feff}'));
            for wide in ALL {
                // Bytes that look like text in single bytes stay as they are.
                let bytes = encoded(&format!("\u{feff}{text}"), wide);
                let looks_narrow = bytes.windows(NARROW).any(|window| window.iter().all(|b| matches!(b, 0x20..=0x7e | b'\t' | b'\r' | b'\n')));
                prop_assert!(looks_narrow || plain(bytes) == text.as_bytes());
            }
        }

        #[test]
        fn what_stands_in_single_bytes_is_kept(wide_text in "[ -~]{20,40}", narrow in "[a-z0-9]{24,40}", odd in any::<bool>()) {
            for wide in ALL {
                let mut bytes = encoded(&format!("\u{feff}{wide_text}\n"), wide);
                bytes.extend_from_slice(narrow.as_bytes());
                bytes.extend_from_slice(&encoded(&format!("\n{wide_text}\n"), wide));
                bytes.extend(odd.then_some(b'x'));
                let found = plain(bytes);
                for part in [narrow.as_str(), &format!("{wide_text}\n")] {
                    prop_assert!(memchr::memmem::find(&found, part.as_bytes()).is_some(), "{wide:?} {part}\n{}", String::from_utf8_lossy(&found));
                }
            }
        }

        #[test]
        fn bytes_of_any_kind_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            plain(bytes);
        }
    }

    #[test]
    fn what_is_not_wide_stays() {
        for bytes in [&b"caf\xe9 = 1\n"[..], b"a\0b\0\n", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0", b"one\rtwo\n", b"a\0\rb"] {
            assert_eq!(plain(bytes.to_vec()), bytes);
        }
        assert_eq!(plain(b"one\rtwo\r".to_vec()), b"one\ntwo\n");
        assert_eq!(plain(b"\xef\xbb\xbfone".to_vec()), b"one");
    }

    #[test]
    fn a_wrong_surrogate_and_a_cut_unit_hide_nothing() {
        let wide = ALL[0];
        let bytes = [encoded("\u{feff}a = 1\n", wide), vec![0x00, 0xd8], encoded("b = 2\n", wide), vec![b'z']].concat();
        assert_eq!(String::from_utf8(plain(bytes)).unwrap(), "a = 1\n\u{fffd}b = 2\nz");
    }

    #[test]
    fn files_put_together_are_read_each_in_its_order() {
        let bytes = [encoded("\u{feff}one two\n", ALL[0]), encoded("\u{feff}three four\n", ALL[1])].concat();
        assert_eq!(String::from_utf8(plain(bytes)).unwrap(), "one two\nthree four\n");
    }
}
