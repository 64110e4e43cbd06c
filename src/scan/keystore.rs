//! Do these bytes hold private keys or passwords, whatever the file is called? Key stores and bare keys are known by their first
//! bytes and by a structure that runs to the file's end, so that no picture or program is taken for one.

/// What such a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// Of Java: JKS and JCEKS, with a private or a secret key among their entries.
    Java,
    /// PKCS#12.
    Pkcs12,
    /// A database of KeePass.
    KeePass,
    /// A keychain of macOS.
    Keychain,
    /// Of Bouncy Castle, with a key among its entries.
    BouncyCastle,
    /// Secret keys of OpenPGP: an old key ring, or a key as `gpg-agent` keeps it.
    OpenPgp,
    /// A private key in DER: PKCS#8, PKCS#1 or SEC 1.
    Der,
}

impl Store {
    /// What the file is, if it is one.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes.get(..4)? {
            [0xfe, 0xed, 0xfe, 0xed] | [0xce, 0xce, 0xce, 0xce] => holds_key(bytes).unwrap_or(false).then_some(Self::Java),
            [0x03, 0xd9, 0xa2, 0x9a] => matches!(bytes.get(4..8)?, [0x65..=0x67, 0xfb, 0x4b, 0xb5]).then_some(Self::KeePass),
            [0x30, ..] => of_der(bytes),
            [0, 0, 0, 1 | 2] => holds_bouncy_key(bytes).unwrap_or(false).then_some(Self::BouncyCastle),
            [0x94 | 0x95 | 0xc5, ..] => is_secret_ring(bytes).unwrap_or(false).then_some(Self::OpenPgp),
            b"(21:" | b"(11:" | b"Key:" => is_agent_key(bytes).then_some(Self::OpenPgp),
            b"kych" => (bytes.get(4..8)? == [0, 1, 0, 0]).then_some(Self::Keychain),
            _ => None,
        }
    }
}

/// A store of certificates to trust holds no secret: one entry at least must be a key.
fn holds_key(bytes: &[u8]) -> Option<bool> {
    /// Stores hold a few; a thousand is already a list of all authorities of the world.
    const MOST: u32 = 1000;
    let mut at = Reader(bytes.get(4..)?);
    let (version, entries) = (at.number(4)?, at.number(4)?);
    if !(1..=2).contains(&version) || entries > MOST {
        return None;
    }
    for _ in 0..entries {
        // 1 is a private key, 2 a certificate, 3 a secret key.
        let tag = at.number(4)?;
        let alias = at.number(2)?;
        at.skip(alias)?;
        at.skip(8)?; // the date
        if tag != 2 {
            return Some(tag == 1 || tag == 3);
        }
        let kind = at.number(2)?;
        at.skip(kind)?;
        let length = at.number(4)?;
        at.skip(length)?;
    }
    Some(false)
}

/// Of a store of Bouncy Castle: version, salt, rounds, and then the entries, each with its type, alias, date and certificates.
fn holds_bouncy_key(bytes: &[u8]) -> Option<bool> {
    /// Stores hold a few.
    const MOST: u32 = 1000;
    const SALT: u32 = 20;
    let mut at = Reader(bytes.get(4..)?);
    let salt = at.number(4)?;
    at.skip(salt)?;
    let rounds = at.number(4)?;
    if salt != SALT || !(1..=1 << 24).contains(&rounds) {
        return None;
    }
    for _ in 0..MOST {
        // 0 ends the list, 1 is a certificate; keys are 2 to 4: plain, secret and sealed.
        let kind = at.number(1)?;
        if kind == 0 || kind > 4 {
            return Some(false);
        }
        let alias = at.number(2)?;
        at.skip(alias)?;
        let date = at.number(4)?;
        at.skip(4)?;
        let chain = at.number(4)?;
        // Milliseconds since 1970 keep their upper half small for some thousand years.
        if date > 0x1000 || chain > MOST {
            return None;
        }
        if kind != 1 {
            return Some(true);
        }
        for _ in 0..=chain {
            let kind = at.number(2)?;
            at.skip(kind)?;
            let length = at.number(4)?;
            at.skip(length)?;
        }
    }
    Some(false)
}

/// A packet with a secret key of version 4, and behind it one with a user or a subkey.
fn is_secret_ring(bytes: &[u8]) -> Option<bool> {
    let mut at = Reader(bytes.get(1..)?);
    let length = match bytes[0] {
        0x94 => at.number(1)?,
        0x95 => at.number(2)?,
        _ => match at.number(1)? {
            short @ 0..192 => short,
            first @ 192..224 => ((first - 192) << 8) + at.number(1)? + 192,
            255 => at.number(4)?,
            _ => return None,
        },
    };
    let [4, _, _, _, _, algorithm, ..] = *at.0 else { return None };
    at.skip(length)?;
    // Of RSA, ElGamal, DSA, and the curves.
    let is_known = matches!(algorithm, 1..=3 | 16..=19 | 22 | 25..=28);
    // User, subkey, signature and trust, with a length of one byte or two, or in the newer form.
    let follows = matches!(at.0.first(), Some(0xb4 | 0xb5 | 0x9c | 0x9d | 0x88 | 0x89 | 0xb0 | 0xcd | 0xc7 | 0xc2));
    Some(is_known && length > 40 && follows)
}

/// `(21:protected-private-key…`, `Key: (private-key (rsa …`
fn is_agent_key(bytes: &[u8]) -> bool {
    [&b"(21:protected-private-key("[..], b"(11:private-key(", b"Key: (protected-private-key (", b"Key: (private-key ("]
        .iter()
        .any(|head| bytes.starts_with(head))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self, bytes: usize) -> Option<u32> {
        let (number, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(number.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
    }

    fn skip(&mut self, bytes: u32) -> Option<()> {
        self.0 = self.0.get(bytes as usize..)?;
        Some(())
    }
}

/// A sequence that is the whole file and begins as one of these does.
fn of_der(bytes: &[u8]) -> Option<Store> {
    /// `1.2.840.113549.1.7`, with the length of what goes before: the envelope of PKCS#7, of data or signed data.
    const ENVELOPE: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
    let content = whole_sequence(bytes)?;
    if let Some(rest) = content.strip_prefix(b"\x02\x01\x03") {
        // Between the version and the envelope stands the head of a sequence: 2 to 5 bytes.
        let is = (2..=5).any(|head| rest.get(head..).is_some_and(|rest| rest.starts_with(ENVELOPE)));
        return (rest.first() == Some(&0x30) && is).then_some(Store::Pkcs12);
    }
    let is_key = match content.strip_prefix(b"\x02\x01\x00") {
        // PKCS#8 goes on with the algorithm, PKCS#1 with a modulus of 1,024 bits or more.
        Some([0x30, length, 0x06, ..]) => *length < 0x40,
        Some([0x02, 0x81, length, ..]) => *length >= 0x80,
        Some([0x02, 0x82, high, _, 0x00, ..]) => (1..=8).contains(high),
        Some(_) => false,
        // SEC 1: version 1, and a number of the curve's length.
        None => matches!(content, [0x02, 0x01, 0x01, 0x04, 0x1c | 0x20 | 0x30 | 0x42, ..]),
    };
    is_key.then_some(Store::Der)
}

/// The content of a DER sequence that ends where the bytes end, or of one without a length.
fn whole_sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (head, length) = match bytes.get(1)? {
        0x80 => return bytes.get(2..), // the end is marked; only stores are written so
        short @ 0..0x80 => (2, usize::from(*short)),
        long => {
            let bytes_of_length = usize::from(long & 0x7f);
            let length = bytes.get(2..2 + bytes_of_length).filter(|length| length.len() <= 4)?;
            (2 + bytes_of_length, length.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
        }
    };
    // An editor may have added an end of line.
    let content = bytes.get(head..)?;
    (content.len() == length || content.len() == length + 1).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn java(tags: &[u32]) -> Vec<u8> {
        let mut out = b"\xfe\xed\xfe\xed\0\0\0\x02".to_vec();
        out.extend((tags.len() as u32).to_be_bytes());
        for tag in tags {
            out.extend(tag.to_be_bytes());
            out.extend(b"\0\x01a\0\0\0\0\0\0\0\0");
            // Of a certificate its type goes before it, of a key nothing.
            out.extend(if *tag == 2 { &b"\0\x05X.509\0\0\0\x03abc"[..] } else { b"\0\0\0\x03abc\0\0\0\0" });
        }
        out
    }

    /// A store of Bouncy Castle with entries of these kinds.
    fn bouncy(kinds: &[u8]) -> Vec<u8> {
        let mut out = [&b"\0\0\0\x02\0\0\0\x14"[..], &[7; 20], b"\0\0\x04\0"].concat();
        for kind in kinds {
            out.push(*kind);
            out.extend(b"\0\x01a\0\0\x01\x80\0\0\0\0\0\0\0\0");
            out.extend(if *kind == 1 { &b"\0\x05X.509\0\0\0\x03abc"[..] } else { b"\0\0\0\x03abc" });
        }
        out.push(0);
        [out, vec![9; 20]].concat()
    }

    /// A packet of 256 bytes with a key of version 4, and what follows it.
    fn ring(head: &[u8], behind: &[u8]) -> Vec<u8> {
        [head, b"\x04\x5f\x5f\x5f\x5f\x01", &[7; 250], behind].concat()
    }

    /// A sequence around the content, with the length in two bytes.
    fn sequence(content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16).to_be_bytes();
        [b"\x30\x82", &length[..], content].concat()
    }

    #[test]
    fn stores_are_known_by_what_they_hold() {
        let pkcs12 = sequence(&[b"\x02\x01\x03\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", &[7; 250][..]].concat());
        let pkcs8 = sequence(&[b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", &[7; 300][..]].concat());
        let pkcs1 = sequence(&[b"\x02\x01\x00\x02\x82\x01\x01\x00", &[7; 500][..]].concat());
        let sec1 = [b"\x30\x25\x02\x01\x01\x04\x20".to_vec(), vec![7; 32]].concat();
        let table = [
            (java(&[2, 1]), Some(Store::Java)),
            (java(&[3]), Some(Store::Java)),
            (java(&[2, 2]), None),
            (java(&[]), None),
            (b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01\0\x03\0".to_vec(), Some(Store::KeePass)),
            (b"kych\0\x01\0\0\0\0\0\x10".to_vec(), Some(Store::Keychain)),
            (pkcs12.clone(), Some(Store::Pkcs12)),
            (pkcs8.clone(), Some(Store::Der)),
            (pkcs1, Some(Store::Der)),
            (sec1, Some(Store::Der)),
            (bouncy(&[1, 4]), Some(Store::BouncyCastle)),
            (bouncy(&[2]), Some(Store::BouncyCastle)),
            (bouncy(&[1, 1]), None),
            (bouncy(&[]), None),
            (ring(b"\x95\x01\x00", b"\xb4\x03abc"), Some(Store::OpenPgp)),
            (ring(b"\xc5\xc0\x40", b"\xcd\x03abc"), Some(Store::OpenPgp)),
            // A public key, a signature, and bytes that begin alike.
            (ring(b"\x99\x01\x00", b"\xb4\x03abc"), None),
            (ring(b"\x95\x01\x00", b""), None),
            (ring(b"\x95\x01\x00", b"text"), None),
            (b"(21:protected-private-key(3:rsa".to_vec(), Some(Store::OpenPgp)),
            (b"Key: (private-key (ecc".to_vec(), Some(Store::OpenPgp)),
            (b"(20:shadowed-private-key(3:rsa".to_vec(), None),
            (b"Key: value".to_vec(), None),
            // The beginning of an icon, of a film and of a font.
            (b"\0\0\0\x01\0\x02\0\x20".to_vec(), None),
            (b"\0\0\0\x02\0\0\0\x14ftypqt  ".to_vec(), None),
            ([pkcs8.clone(), vec![0; 9]].concat(), None),
            (pkcs8[..100].to_vec(), None),
            // A certificate, a class of Java, a program, a picture.
            (sequence(&[b"\x30\x82\x02\x00\xa0\x03\x02\x01\x02", &[7; 500][..]].concat()), None),
            (b"\xca\xfe\xba\xbe\0\0\0\x34".to_vec(), None),
            (b"\x7fELF\x02\x01\x01\0".to_vec(), None),
            (b"0 text that begins with a digit".to_vec(), None),
        ];
        for (bytes, expected) in table {
            assert_eq!(Store::of(&bytes), expected, "{:x?}", &bytes[..bytes.len().min(16)]);
        }
    }

    #[test]
    fn cut_and_lying_bytes_are_no_store() {
        let whole = java(&[2, 1]);
        for whole in [whole, bouncy(&[1, 4]), ring(b"\x95\x01\x00", b"\xb4\x03abc"), ring(b"\xc5\xc0\x40", b"\xcd\x03abc")] {
            for end in 0..whole.len() {
                let _ = Store::of(&whole[..end]); // must not end the program
            }
        }
        assert_eq!(Store::of(b"\xfe\xed\xfe\xed\0\0\0\x02\xff\xff\xff\xff"), None);
        assert_eq!(Store::of(b"\x30\xff\xff\xff\xff"), None);
        assert_eq!(Store::of(b""), None);
    }
}
