//! What stands in the files that a file packs?

use std::sync::Arc;

use super::archive::{Kind, Unpacking};
use super::{Part, ScanError, Scanned, Scanner, Text, plain};
use crate::change::Unread;

impl<'r> Scanner<'r> {
    /// Adds what is found in the entries of an archive, and what of it could not be read.
    pub(super) fn scan_packed(&self, text: Text<'_>, scanned: &mut Scanned<'r>) -> Result<(), ScanError> {
        let Some(kind) = Kind::of(text.bytes) else { return Ok(()) };
        let mut inner = Scanned::default();
        let mut end = Ok(());
        let mut visit = |inside: &[u8], bytes: Vec<u8>| {
            if end.is_ok() && !inner.is_cut {
                end = self.scan_entry(text.path, inside, bytes, &mut inner);
            }
        };
        let name = text.path.rsplit(|&b| b == b'/').next().unwrap_or_default();
        let unread = Unpacking::new(text.bytes.len(), self.limits, &mut visit).unpack(text.bytes, kind, name);
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

    fn scan_entry(&self, outer: &[u8], inside: &[u8], bytes: Vec<u8>, out: &mut Scanned<'r>) -> Result<(), ScanError> {
        // Rules that are bound to paths see the entry as a file in a folder.
        let mut path = outer.to_vec();
        path.extend(inside.iter().map(|&b| if b == b'!' { b'/' } else { b }));
        let bytes = plain(bytes);
        let whole = 0..bytes.len();
        let found = self.scan_text(Text { path: &path, part: Part::Content, bytes: &bytes }, &bytes, std::slice::from_ref(&whole))?;
        let inside: Arc<[u8]> = inside.into();
        let hits = found.hits.into_iter().chain(self.scan_path(&path));
        out.hits.extend(hits.map(|hit| super::Hit { inside: Some(inside.clone()), ..hit }));
        out.is_cut |= found.is_cut;
        out.cut();
        out.unread.extend(found.unread.into_iter().map(|unread| Unread { path: inside.to_vec(), ..unread }));
        Ok(())
    }
}
