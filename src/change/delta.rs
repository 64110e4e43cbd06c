//! An object told as its difference from another one, as packs keep it: copy these bytes of the base, insert those.

/// Bytes of the base and of the result, and the instructions.
pub(super) fn sizes(delta: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (base, rest) = size(delta)?;
    let (result, rest) = size(rest)?;
    Some((base, result, rest))
}

/// Makes the object; `None` where the instructions do not fit the base or the sizes that the delta itself names.
pub(super) fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let (base_size, size, mut rest) = sizes(delta)?;
    let size = usize::try_from(size).ok()?;
    if base.len() as u64 != base_size {
        return None;
    }
    let mut out = Vec::new();
    out.try_reserve_exact(size).ok()?;
    while let Some((&instruction, after)) = rest.split_first() {
        let part = match instruction {
            0 => return None,
            1..=0x7f => {
                let (part, after) = after.split_at_checked(usize::from(instruction))?;
                rest = after;
                part
            }
            0x80.. => {
                // Its lower bits say which bytes follow: four of the place, three of the length, the lowest first.
                let mut numbers = [0u8; 8];
                rest = after;
                for (bit, place) in [0, 1, 2, 3, 4, 5, 6].into_iter().zip(&mut numbers) {
                    if instruction & 1 << bit != 0 {
                        let (&byte, after) = rest.split_first()?;
                        *place = byte;
                        rest = after;
                    }
                }
                let [a, b, c, d, e, f, g, _] = numbers;
                let (at, length) = (u32::from_le_bytes([a, b, c, d]) as usize, u32::from_le_bytes([e, f, g, 0]) as usize);
                let length = if length == 0 { 0x1_0000 } else { length };
                base.get(at..at.checked_add(length)?)?
            }
        };
        if part.len() > size - out.len() {
            return None;
        }
        out.extend_from_slice(part);
    }
    (out.len() == size).then_some(out)
}

/// A number in groups of seven bits, the lowest first.
fn size(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut size = 0;
    for (at, &byte) in bytes.iter().enumerate().take(9) {
        size |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((size, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn copies_and_insertions_make_the_object() {
        let base = b"0123456789";
        assert_eq!(apply(base, b"\x0a\x06\x91\x02\x03\x03abc").unwrap(), b"234abc");
        assert_eq!(apply(base, b"\x0a\x02\x90\x02").unwrap(), b"01");
        assert_eq!(apply(base, b"\x0a\x00").unwrap(), b"");
        let long = vec![7; 0x1_0001];
        assert_eq!(apply(&long, b"\x81\x80\x04\x80\x80\x04\x80").unwrap(), vec![7; 0x1_0000], "no length means 64 KiB");
    }

    #[test]
    fn instructions_that_do_not_fit_make_nothing() {
        let base = b"0123456789";
        for delta in [
            &b""[..],
            b"\x0a",
            b"\x09\x02\x90\x02",                             // another base
            b"\x0a\x03\x90\x02",                             // less than it says
            b"\x0a\x01\x90\x02",                             // more than it says
            b"\x0a\x02\x91\x09\x02",                         // past the base
            b"\x0a\x02\x91\x09",                             // cut off
            b"\x0a\x02\x02a",                                // cut off
            b"\x0a\x02\x00\x90\x02",                         // no instruction
            b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", // a size past all bounds
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\x7f\x90\x02", // a size past all memory
        ] {
            assert_eq!(apply(base, delta), None, "{delta:02x?}");
        }
    }
}
