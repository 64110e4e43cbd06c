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
        for end in 0..whole.len() {
            let _ = Store::of(&whole[..end]); // must not end the program
        }
        assert_eq!(Store::of(b"\xfe\xed\xfe\xed\0\0\0\x02\xff\xff\xff\xff"), None);
        assert_eq!(Store::of(b"\x30\xff\xff\xff\xff"), None);
        assert_eq!(Store::of(b""), None);
    }
}
