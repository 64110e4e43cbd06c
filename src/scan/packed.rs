//! What stands in the files that a file packs?

use std::io::{Cursor, Read};
use std::sync::Arc;

use super::archive::{Content, Kind, Seekable, Unpacking};
use super::{Large, Part, ScanError, Scanned, Scanner, Text, plain};
use crate::change::Unread;

/// The kind shows in so many bytes.
const HEAD: u64 = 512;

/// True where a file with this beginning and this end is an archive that [`Scanner::look_into_packed`] reads.
pub fn is_packed(head: &[u8], tail: &[u8]) -> bool {
    Kind::of(head).is_some() || Kind::of(tail).is_some_and(|kind| kind == Kind::Zip)
}

impl<'r> Scanner<'r> {
    /// What is found in the entries of an archive alone, and what of it could not be read: for one that is too large to be read
    /// as a text at once.
    ///
    /// # Errors
    /// A rule that does not compile.
    pub fn look_into_packed(&self, path: &[u8], file: &mut dyn Seekable, length: u64, scanned: &mut Scanned<'r>) -> Result<(), ScanError> {
        let mut head = Vec::new();
        let begun = file.rewind().and_then(|()| (&mut *file).take(HEAD).read_to_end(&mut head));
        // What is known by its end only is a zip file.
        let kind = begun.map_or(Kind::Zip, |_| Kind::of(&head).unwrap_or(Kind::Zip));
        self.scan_entries(path, file, kind, length, scanned)
    }

    /// Adds what is found in the entries of an archive, and what of it could not be read.
    pub(super) fn scan_packed(&self, text: Text<'_>, scanned: &mut Scanned<'r>) -> Result<(), ScanError> {
        match Kind::of(text.bytes) {
            Some(kind) => self.scan_entries(text.path, &mut Cursor::new(text.bytes), kind, text.bytes.len() as u64, scanned),
            None => Ok(()),
        }
    }

    fn scan_entries(&self, path: &[u8], file: &mut dyn Seekable, kind: Kind, length: u64, scanned: &mut Scanned<'r>) -> Result<(), ScanError> {
        let mut inner = Scanned::default();
        let mut end = Ok(());
        let mut visit = |inside: &[u8], content: Content<'_>| {
            if end.is_ok() && !inner.is_cut {
                end = self.scan_entry(path, inside, content, &mut inner);
            }
        };
        let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
        let unread = Unpacking::new(length, self.limits, &mut visit).unpack(file, kind, name);
        end?;
        // What is packed without compression shows twice; the place in the inner file says more.
        let is_known = |hit: &super::Hit<'_>| inner.hits.iter().any(|other| other.rule.id() == hit.rule.id() && other.secret == hit.secret);
        scanned.hits.retain(|hit| hit.secret.is_none() || !is_known(hit));
        scanned.hits.append(&mut inner.hits);
        scanned.unread.append(&mut inner.unread);
        scanned.unread.extend(unread);
        scanned.is_cut |= inner.is_cut;
        scanned.cut();
        Ok(())
    }

    fn scan_entry(&self, outer: &[u8], inside: &[u8], content: Content<'_>, out: &mut Scanned<'r>) -> Result<(), ScanError> {
        // Rules that are bound to paths see the entry as a file in a folder.
        let mut path = outer.to_vec();
        path.extend(inside.iter().map(|&b| if b == b'!' { b'/' } else { b }));
        let found = match content {
            Content::Held(bytes) => {
                let bytes = plain(bytes);
                let whole = 0..bytes.len();
                self.scan_text(Text { path: &path, part: Part::Content, bytes: &bytes }, &bytes, std::slice::from_ref(&whole))?
            }
            Content::Large(from) => {
                let mut large = Large::new(self, &path);
                let mut part = vec![0; 64 << 10];
                loop {
                    match from.read(&mut part) {
                        Ok(0) => break,
                        Ok(size) => large.push(&part[..size])?,
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Err(_) => break, // the archive says that it is damaged
                    }
                }
                large.finish()?
            }
        };
        // The name of an entry is as much a place for a secret as that of a file.
        let whole = 0..inside.len();
        let named = self.scan_text(Text { path: b"", part: Part::Path, bytes: inside }, &[], std::slice::from_ref(&whole))?;
        let inside: Arc<[u8]> = inside.into();
        let hits = found.hits.into_iter().chain(self.scan_path(&path)).chain(named.hits);
        out.hits.extend(hits.map(|hit| super::Hit { inside: Some(inside.clone()), ..hit }));
        out.is_cut |= found.is_cut;
        out.cut();
        out.unread.extend(found.unread.into_iter().map(|unread| Unread { path: inside.to_vec(), ..unread }));
        Ok(())
    }
}
