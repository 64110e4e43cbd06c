//! Fills in the shapes of examples (`ghp_{crc32:30}`), so that no live-looking token stands in a repository.
//!
//! A shape is `{name:argument}` with a name of `CLASSES` or `shape`; other braces are text. Shapes nest:
//! `{base64:user:{alnum:20}}`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Character classes: `{hex:32}` is 32 characters drawn from `hex`.
const CLASSES: &[(&str, &[u8])] = &[
    ("alnum", b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("alpha", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("upper", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("lower", b"abcdefghijklmnopqrstuvwxyz"),
    ("digits", b"0123456789"),
    ("hex", b"0123456789abcdef"),
    ("upperhex", b"0123456789ABCDEF"),
    ("upperalnum", b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("loweralnum", b"0123456789abcdefghijklmnopqrstuvwxyz"),
    ("base32", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    ("lowerbase32", b"abcdefghijklmnopqrstuvwxyz234567"),
    ("base58", b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
    ("b64", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
    ("b64url", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
];

const BASE62: &[u8] = CLASSES[0].1;
const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Fills in all shapes of `text`. The same seed gives the same text.
pub fn fill(text: &str, seed: u64) -> String {
    let mut random = Random::new(seed);
    fill_with(text, &mut random)
}

/// The text with dots in place of its shapes: for pages that people read.
pub fn hide(text: &str) -> String {
    let mut random = Random(1);
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (shown, length) = filled(rest, &mut random).map_or(("{", 1), |(_, length)| ("…", length));
        out.push_str(shown);
        rest = &rest[length..];
    }
    out + rest
}

fn fill_with(text: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match filled(rest, random) {
            Some((value, length)) => {
                out.push_str(&value);
                rest = &rest[length..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The value of the shape at the start of `text` and its length there; `None` where the brace is text.
fn filled(text: &str, random: &mut Random) -> Option<(String, usize)> {
    let mut depth = 0usize;
    let mut end = None;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            end = Some(at);
            break;
        }
    }
    let end = end?;
    let inner = &text[1..end];
    let (name, argument) = inner.split_once(':').unwrap_or((inner, ""));
    shape(name, argument, random).map(|value| (value, end + 1))
}

fn shape(name: &str, argument: &str, random: &mut Random) -> Option<String> {
    if let Some((_, class)) = CLASSES.iter().find(|(class, _)| *class == name) {
        return argument.parse().ok().map(|length| random.text(class, length));
    }
    let value = match name {
        "uuid" => {
            let parts = [8, 4, 4, 4, 12].map(|length| random.text(b"0123456789abcdef", length));
            parts.join("-")
        }
        "crc32" => {
            let body = random.text(BASE62, argument.parse().ok()?);
            let sum = in_base(crc32fast::hash(body.as_bytes()), 62, 6);
            body + &sum
        }
        "sum-hex" => with_sum(argument, random, |text| format!("{:08X}", crc32fast::hash(text))),
        "sum-36" => with_sum(argument, random, |text| in_base(crc32fast::hash(text), 36, 7).to_ascii_lowercase()),
        "sum-sha" => with_sum(argument, random, base32_of_sha256) + &random.text(BASE62, 8),
        "base64" => STANDARD.encode(fill_with(argument, random)),
        "base64url" => URL_SAFE_NO_PAD.encode(fill_with(argument, random)),
        "hexof" => fill_with(argument, random).bytes().map(|b| format!("{b:02x}")).collect(),
        "percent" => fill_with(argument, random).bytes().map(|b| format!("%{b:02X}")).collect(),
        "jwt" => {
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
            let payload = URL_SAFE_NO_PAD.encode(fill_with(argument, random));
            format!("{header}.{payload}.{}", random.text(CLASSES[13].1, 43))
        }
        "pem" => pem(argument, "\n", random),
        "pemline" => pem(argument, "\\n", random),
        "bech32" => bech32(argument, random),
        "nkey" => nkey(argument, random),
        _ => return None,
    };
    Some(value)
}

fn with_sum(argument: &str, random: &mut Random, sum: impl Fn(&[u8]) -> String) -> String {
    let text = fill_with(argument, random);
    let sum = sum(text.as_bytes());
    text + &sum
}

/// `value` in the base, with leading zeros up to `width`; digits as in base 62: `0-9A-Za-z`.
pub fn in_base(mut value: u32, base: u32, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(value % base) as usize];
        value /= base;
    }
    digits.into_iter().map(char::from).collect()
}

/// The first 8 characters of the base32 of the SHA-256 of `text`, as GitHub's fine-grained tokens carry them.
pub fn base32_of_sha256(text: &[u8]) -> String {
    let hash = Sha256::digest(text);
    let first = hash[..5].iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
    (0..8).rev().map(|place| char::from(CLASSES[9].1[(first >> (5 * place) & 31) as usize])).collect()
}

fn pem(label: &str, newline: &str, random: &mut Random) -> String {
    // A body as long as that of an RSA key of 2,048 bits, with the bytes every PKCS#8 and PKCS#1 body begins with, or OpenSSH's.
    let first = if label.starts_with("OPENSSH") { "b3BlbnNzaC1rZXktdjEA" } else { "MIIE" };
    let mut lines = vec![format!("-----BEGIN {label}-----"), format!("{first}{}", random.text(CLASSES[12].1, 64 - first.len()))];
    lines.extend((0..24).map(|_| random.text(CLASSES[12].1, 64)));
    lines.push(format!("{}==", random.text(CLASSES[12].1, 22)));
    lines.push(format!("-----END {label}-----"));
    lines.join(newline)
}

/// A Bech32 string with 32 random bytes under the human-readable part `prefix`, in upper case, as age writes it.
fn bech32(prefix: &str, random: &mut Random) -> String {
    // 32 bytes are 51.2 groups of five bits: the last group has one bit and four zeros.
    let mut data: Vec<u8> = (0..51).map(|_| random.below(32) as u8).collect();
    data.push((random.below(2) as u8) << 4);
    let mut check = bech32_prefix(prefix);
    check.extend(&data);
    check.extend([0; 6]);
    let sum = bech32_polymod(&check) ^ 1;
    data.extend((0..6).rev().map(|place| (sum >> (5 * place) & 31) as u8));
    let body: String = data.iter().map(|&value| char::from(BECH32[usize::from(value)]).to_ascii_uppercase()).collect();
    format!("{prefix}1{body}")
}

/// The values that a Bech32 checksum starts from for a human-readable part (BIP 173).
fn bech32_prefix(prefix: &str) -> Vec<u8> {
    let lower = prefix.to_ascii_lowercase();
    lower.bytes().map(|b| b >> 5).chain([0]).chain(lower.bytes().map(|b| b & 31)).collect()
}

/// True when `text` (prefix, `1`, data) carries a right Bech32 checksum (BIP 173).
pub fn bech32_is_right(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let Some((prefix, data)) = lower.rsplit_once('1') else { return false };
    let mut values = bech32_prefix(prefix);
    for byte in data.bytes() {
        let Some(value) = BECH32.iter().position(|&b| b == byte) else { return false };
        values.push(value as u8);
    }
    bech32_polymod(&values) == 1
}

fn bech32_polymod(values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.iter().fold(1u32, |sum, &value| {
        let top = sum >> 25;
        let sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        GENERATOR.iter().enumerate().fold(sum, |sum, (bit, generator)| if top >> bit & 1 == 1 { sum ^ generator } else { sum })
    })
}

/// A NATS seed of a kind: `U` for a user, `A` for an account. Five bits a letter: `S`, the kind, an `A`, 32 bytes at random,
/// and the CRC-16 of all before, low byte first.
fn nkey(kind: &str, random: &mut Random) -> String {
    let base32 = CLASSES[9].1;
    let kind = base32.iter().position(|letter| kind.as_bytes().first() == Some(letter)).unwrap_or(0) as u8;
    // The letters hold the bits 10010 kkkkk 000000: two bytes, of which the second has three bits of the kind at most.
    let mut bytes = vec![0x90 | kind >> 2, kind << 6];
    bytes.extend((0..32).map(|_| random.below(256) as u8));
    bytes.extend(crc16(&bytes).to_le_bytes());
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect::<Vec<_>>();
    bits.chunks(5).map(|five| char::from(base32[usize::from(five.iter().fold(0, |sum, bit| sum << 1 | bit) << (5 - five.len()))])).collect()
}

/// True when the last two bytes of a base32 text are the CRC-16 of those before: the keys and seeds of NATS.
pub fn nkey_is_right(text: &[u8]) -> bool {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for letter in text {
        let Some(value) = CLASSES[9].1.iter().position(|b| b == letter) else { return false };
        held = held << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes.split_last_chunk::<2>().is_some_and(|(body, sum)| crc16(body).to_le_bytes() == *sum)
}

/// CRC-16 as in XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes
        .iter()
        .fold(0u16, |sum, &byte| (0..8).fold(sum ^ u16::from(byte) << 8, |sum, _| if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 }))
}

/// xorshift64*: examples need variety, not secrecy.
pub(super) struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`, which must not be 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn text(&mut self, class: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(class[self.below(class.len())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_filled_and_other_braces_kept() {
        assert_eq!(fill("{hex:8}", 1).len(), 8);
        assert_eq!(fill("{hex:8}", 1), fill("{hex:8}", 1));
        assert_ne!(fill("{hex:8}", 1), fill("{hex:8}", 2));
        assert_eq!(fill("{\"a\": {}} ${X} {unknown:3}", 1), "{\"a\": {}} ${X} {unknown:3}");
        assert_eq!(fill("{base64:a:{digits:3}}", 1).len(), 8);
    }

    #[test]
    fn a_nats_seed_made_here_is_right_and_a_changed_one_is_wrong() {
        // The check value of CRC-16/XMODEM proves that the sum follows the standard.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for seed in 0..9 {
            let made = fill("{nkey:U}", seed);
            assert!(made.len() == 58 && made.starts_with("SUA") && nkey_is_right(made.as_bytes()), "{made}");
            assert!(!nkey_is_right(made.replacen(&made[9..10], if &made[9..10] == "Q" { "P" } else { "Q" }, 1).as_bytes()));
        }
    }

    #[test]
    fn a_bech32_text_made_here_is_right_and_a_changed_one_is_wrong() {
        // The example of BIP 173 proves that both directions follow the standard.
        assert!(bech32_is_right("A12UEL5L"));
        let made = fill("{bech32:AGE-SECRET-KEY-}", 5);
        assert_eq!(made.len(), 74);
        assert!(bech32_is_right(&made));
        assert!(!bech32_is_right(&made.replace(&made[20..21], if &made[20..21] == "Q" { "P" } else { "Q" })));
    }
}
