//! What was decided, provably unaltered? A file of JSON lines, each of which names the hash of the line before.
//!
//! A run writes one entry when it begins ([`Event::Received`]) and another with its verdict before its exit code is returned.
//! So a hook that is killed in between leaves an entry without an answer, which is what happened. A line that was only half
//! written is no entry: it stays, and the next entry names its hash.
//!
//! What a chain can show: that an entry was changed, removed, put in or moved. With a key (HMAC) nobody without it can write an
//! entry at all. What it cannot show by itself is that its end was cut off: for that a head that was noted elsewhere is needed.

mod chain;
mod entry;
mod error;
mod stats;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use chain::Key;
pub use entry::{Actor, Continued, Coverage, Decided, Entry, Event, Failed, Found, Received, RefMove, Row};
pub use error::AuditError;
pub use stats::{Exception, Stats};
pub use verify::{Altered, Noted, Verified, verify};
pub use writer::{Audit, Written};
