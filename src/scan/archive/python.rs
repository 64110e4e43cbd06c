//! The strings of a compiled Python module (`.pyc`). In the file each stands right before the next object, whose first byte is
//! mostly a letter, so that a token in it has no end.

use std::io::{Cursor, Read};

use super::{DAMAGED, HELD, Unpacking};

/// What stands before the module: a version, flags, and a time and a size or a hash.
const HEADER: usize = 16;
/// The versions of Python 3: its numbers end with the year, roughly.
const VERSIONS: std::ops::Range<u16> = 3000..4000;
/// A shorter string is no credential.
const SHORTEST: usize = 4;

/// True where a module of Python 3.7 or later begins.
pub(super) fn is_module(bytes: &[u8]) -> bool {
    let Some(&[low, high, b'\r', b'\n', flags, 0, 0, 0]) = bytes.first_chunk() else { return false };
    VERSIONS.contains(&u16::from_le_bytes([low, high])) && flags < 4 && bytes.get(HEADER).is_some_and(|kind| kind & 0x7f == b'c')
}

pub(super) fn contents(from: &mut dyn Read, unpacking: &mut Unpacking<'_>, path: &[u8], depth: u8) {
    let mut bytes = Vec::new();
    match from.take(HELD + 1).read_to_end(&mut bytes) {
        Ok(length) if length as u64 <= HELD => {
            unpacking.entry(path, b"constants", &mut Cursor::new(strings(&bytes)), depth);
        }
        Ok(_) => unpacking.skip(path, format!("it is a compiled Python module of more than {HELD} bytes")),
        Err(_) => unpacking.skip(path, DAMAGED.to_owned()),
    }
}

/// Each string in a line of its own.
fn strings(bytes: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut at = HEADER;
    while at < bytes.len() {
        let string = string(&bytes[at..]);
        if let Some((_, text)) = string {
            lines.extend_from_slice(text);
            lines.push(b'\n');
        }
        at += string.map_or(1, |(length, _)| length);
    }
    lines
}

/// The string that begins here, with the bytes that it takes. A byte of the program may look like the beginning of one: what is
/// no text is none.
fn string(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (head, length) = match bytes {
        // Short and long texts in ASCII, others, and bytes. The highest bit says that the object is referred to again.
        [kind, length, ..] if matches!(kind & 0x7f, b'z' | b'Z') => (2, usize::from(*length)),
        [kind, a, b, c, d, ..] if matches!(kind & 0x7f, b'a' | b'A' | b'u' | b't' | b's') => (5, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => return None,
    };
    let end = length.saturating_add(head);
    let text = bytes.get(head..end).filter(|text| text.len() >= SHORTEST)?;
    let is_text = |b: &u8| *b >= b' ' && *b != 0x7f || matches!(b, b'\t' | b'\r' | b'\n');
    text.iter().all(is_text).then_some((end, text))
}

#[cfg(test)]
mod tests {
    use super::{is_module, strings};

    #[test]
    fn a_string_ends_where_it_says() {
        let mut module = b"\xa7\x0d\r\n\0\0\0\0TTTTSSSS\xe3\0\0\0".to_vec();
        module.extend(b"s\x04\0\0\0\x97\0d\0\xfa\x05firstN\xda\x06secondu\x05\0\0\0third)z\x01x");
        assert!(is_module(&module));
        assert_eq!(String::from_utf8(strings(&module)).unwrap(), "first\nsecond\nthird\n");
        for other in [&b""[..], b"\xa7\x0d\r\n\0\0\0\0TTTTSSSSx", b"ab\r\ncd\r\nef\r\ngh\r\nc"] {
            assert!(!is_module(other));
        }
    }
}
