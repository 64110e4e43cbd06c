//! The body of a signature, which is random by nature and not worth a search: 600 bytes with each signed commit.
//!
//! Only what surely is such a body counts: full lines of base64 which stand for bytes without any text, and begin as signatures of
//! PGP and SSH do. Whatever else calls itself a signature is read, such as a key; those of X.509 begin as keys do.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Programs write lines of 64, 70 or 76 characters; a token alone in a line has fewer.
const FULL_LINE: usize = 60;
/// Random bytes hold so many printable ones in a row once in a hundred thousand signatures.
const TEXT: usize = 12;

/// The packet of a signature, of old and of new form, and what one by SSH begins with.
const BEGINNINGS: [&[u8]; 5] = [b"\x88", b"\x89", b"\x8a", b"\xc2", b"SSHSIG"];

/// The stretch of a header that is the body of a signature, without its last line. A header goes on in lines that begin with a
/// space.
pub(super) fn body(header: &[u8]) -> Option<Range<usize>> {
    let mut at = 0;
    let (mut range, mut width, mut digits) = (0..0, 0, Vec::new());
    for line in header.split_inclusive(|&b| b == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        let full = text.strip_prefix(b" ").filter(|text| text.len() >= FULL_LINE && text.iter().all(is_digit));
        match full {
            Some(text) if range.is_empty() => {
                (range, width) = (at..at + line.len(), text.len());
                digits.extend_from_slice(text);
            }
            Some(text) if text.len() == width => {
                range.end += line.len();
                digits.extend_from_slice(text);
            }
            _ if range.is_empty() => {}
            _ => break,
        }
        at += line.len();
    }
    digits.truncate(digits.len() / 4 * 4);
    let bytes = STANDARD.decode(&digits).ok()?;
    let holds_text = bytes.windows(TEXT).any(|window| window.iter().all(|b| matches!(b, b' '..=b'~')));
    let is_signature = BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning));
    (is_signature && !holds_text).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(bytes: &[u8], width: usize) -> String {
        let digits = STANDARD.encode(bytes);
        let lines: Vec<_> = digits.as_bytes().chunks(width).map(|line| format!(" {}\n", String::from_utf8_lossy(line))).collect();
        format!("gpgsig -----BEGIN PGP SIGNATURE-----\n \n{} -----END PGP SIGNATURE-----\n", lines.concat())
    }

    fn noise() -> Vec<u8> {
        let drawn = (0..400u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8 | u8::from(at % 5 == 0) << 7);
        std::iter::once(0x89).chain(drawn).collect()
    }

    #[test]
    fn full_lines_of_random_bytes_are_left_out() {
        for width in [64, 70, 76] {
            let header = signature(&noise(), width);
            let found = body(header.as_bytes()).unwrap();
            let rest = header[..found.start].to_owned() + &header[found.end..];
            assert!(header[found.clone()].lines().all(|line| line.len() == width + 1));
            assert!(rest.starts_with("gpgsig -----BEGIN PGP SIGNATURE-----\n \n") && rest.len() < 90 + width, "{rest}");
        }
    }

    #[test]
    fn text_short_lines_keys_and_what_is_no_base64_are_read() {
        let mut bytes = noise();
        // A private key in DER, and one of PGP.
        for beginning in [0x30, 0x95, 0xc5] {
            bytes[0] = beginning;
            assert_eq!(body(signature(&bytes, 64).as_bytes()), None);
        }
        bytes[0] = 0x89;
        bytes[100..120].copy_from_slice(b"token = abcdefghijkl");
        assert_eq!(body(signature(&bytes, 64).as_bytes()), None);
        assert_eq!(body(signature(&noise(), 40).as_bytes()), None);
        assert_eq!(body(signature(&noise(), 64).replace("\n ", "\n _").as_bytes()), None);
        assert_eq!(body(b"gpgsig"), None);
    }
}
