//! Reads a chain from its beginning, line by line, up to what does not fit.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Instant;

use super::chain::{self, Key, LONGEST, NOTHING};
use super::entry::Entry;
use super::error::AuditError;
use super::writer::lock;

/// What a chain showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many entries hold.
    pub entries: u64,
    /// Number of the first one.
    pub first: Option<u64>,
    /// Number of the last one.
    pub last: u64,
    /// Hash of the entry before the first one: that of a file that was moved away, or zeros.
    pub begins_after: String,
    /// Hash of the last one.
    pub head: String,
    /// Times of the first and the last one.
    pub times: Option<(String, String)>,
    /// How many entries follow a line that a crash tore.
    pub torn: u64,
    /// True when the last line is torn and nobody has written since.
    pub is_torn_at_end: bool,
    /// What does not fit. Nothing after that was read.
    pub altered: Option<Altered>,
}

/// What does not fit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// The line, from 1.
    pub line: u64,
    /// Why.
    pub why: String,
}

/// What was noted elsewhere about a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted<'a> {
    /// The hash of an entry.
    pub head: Option<&'a str>,
    /// How many entries there were.
    pub count: Option<u64>,
}

impl Noted<'_> {
    /// What is missing of it. `had_head` says whether the chain holds the entry.
    pub fn missing(&self, verified: &Verified, had_head: bool) -> Option<String> {
        if let Some(head) = self.head.filter(|_| !had_head) {
            return Some(format!("no entry has the noted hash {head}: the end was cut off, or it is another chain"));
        }
        let count = self.count.filter(|&count| verified.last < count)?;
        Some(format!("its last entry is number {}, and {count} were noted: the end was cut off", verified.last))
    }
}

/// Reads the files as one chain, the oldest first, and hands on each entry that holds with its hash.
///
/// # Errors
/// A file that cannot be read.
pub fn verify(files: &[&Path], key: &Key, mut each: impl FnMut(&Entry, &str)) -> Result<Verified, AuditError> {
    let mut verified = Verified {
        entries: 0,
        first: None,
        last: 0,
        begins_after: NOTHING.to_owned(),
        head: NOTHING.to_owned(),
        times: None,
        torn: 0,
        is_torn_at_end: false,
        altered: None,
    };
    for path in files {
        let failed = |source| AuditError::File { what: "read", path: (*path).to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() {
            return Err(AuditError::Place { path: (*path).to_owned(), why: "it is no plain file" });
        }
        // While nobody writes, the length is the end of a line. A copy may lie where nothing can be locked.
        let _ = lock(Instant::now(), || file.try_lock_shared());
        let length = file.metadata().map_err(failed)?.len();
        let _ = file.unlock();
        verified.read(BufReader::new(file.take(length)), key, &mut each).map_err(failed)?;
        if verified.altered.is_some() {
            break;
        }
    }
    Ok(verified)
}

impl Verified {
    fn read(&mut self, mut lines: impl BufRead, key: &Key, each: &mut impl FnMut(&Entry, &str)) -> std::io::Result<()> {
        let (mut line, mut number) = (Vec::new(), 0);
        // What stands since the last entry and is none.
        let mut torn: Option<(u64, Vec<u8>)> = None;
        loop {
            line.clear();
            (&mut lines).take(LONGEST as u64 + 1).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                break;
            }
            number += 1;
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            if !chain::looks_whole(text) {
                let (_, bytes) = match &mut torn {
                    None => torn.insert((number, text.to_owned())),
                    Some(torn) => {
                        torn.1.push(b'\n');
                        torn.1.extend(text);
                        torn
                    }
                };
                if bytes.len() > 4 * LONGEST {
                    break;
                }
                continue;
            }
            if let Err(why) = self.take(text, torn.take(), key, each) {
                let (line, why) = match why {
                    Wrong::Here(why) => (number, why),
                    Wrong::At(line, why) => (line, why),
                };
                self.altered = Some(Altered { line, why });
                return Ok(());
            }
        }
        self.is_torn_at_end = false;
        if let Some((line, bytes)) = torn {
            // A crash leaves the beginning of an entry.
            if bytes.len() > 4 * LONGEST || !chain::is_beginning(&bytes) {
                self.altered = Some(Altered { line, why: "it is no entry, nor the beginning of one".to_owned() });
            } else {
                self.is_torn_at_end = true;
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &[u8], torn: Option<(u64, Vec<u8>)>, key: &Key, each: &mut impl FnMut(&Entry, &str)) -> Result<(), Wrong> {
        let (entry, hash) = chain::read(line, key).map_err(Wrong::Here)?;
        match (&entry.torn, torn) {
            (None, None) => {}
            (Some(told), Some((_, bytes))) if told.bytes == bytes.len() as u64 && told.hash == key.hash(&bytes) => self.torn += 1,
            (_, Some((at, _))) => return Err(Wrong::At(at, "it is no entry, and the next one does not say that a crash tore it".to_owned())),
            (Some(_), None) => return Err(Wrong::Here("the torn line before it is gone".to_owned())),
        }
        if self.first.is_none() {
            self.first = Some(entry.seq);
            self.begins_after.clone_from(&entry.previous);
            let is_first = entry.seq == 1 && entry.previous == NOTHING;
            if !is_first && entry.event != "continued" {
                return Err(Wrong::Here(format!("it is entry {}, and no file begins with it", entry.seq)));
            }
        } else if entry.seq != self.last + 1 {
            return Err(Wrong::Here(format!("it is entry {}, and the one before it is {}", entry.seq, self.last)));
        } else if entry.previous != self.head {
            return Err(Wrong::Here("it was not written after the entry that stands before it".to_owned()));
        }
        let began = self.times.take().map_or_else(|| entry.time.clone(), |(began, _)| began);
        self.times = Some((began, entry.time.clone()));
        (self.last, self.entries) = (entry.seq, self.entries + 1);
        each(&entry, &hash);
        self.head = hash;
        Ok(())
    }
}

/// Where something does not fit.
enum Wrong {
    Here(String),
    At(u64, String),
}
