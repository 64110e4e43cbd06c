//! Which commits does one set of commits reach that another does not? Walked as git walks it: by date, both sides at once, so
//! that of a long history only what lies above the new commits is read.
//!
//! libgit2 answers the same, in ten times the time: it inflates each commit anew, where [`Store::read`] has the packs at hand.

use std::collections::BinaryHeap;

use super::error::ChangeError;
use super::id_map::{IdMap, IdSet};
use super::objects::{self, ObjectId};
use super::order::parents_first;
use super::store::{Kind, LARGEST_MESSAGE, Store};

/// From so many commits on it pays to prepare for reading many objects.
const MANY_COMMITS: usize = 64;
/// After the last new commit so many known ones are looked at: where clocks went wrong, one of them may lead to a commit that
/// was taken for new. git has the same number.
const SLOP: usize = 5;

/// A commit that was met.
struct Met {
    parents: Vec<ObjectId>,
    is_known: bool,
    /// Its parents were not met yet.
    is_waiting: bool,
}

struct Walk<'s> {
    store: &'s dyn Store,
    cut_off: IdSet,
    met: IdMap<Met>,
    /// Commits that wait, by date.
    waiting: BinaryHeap<(u64, ObjectId)>,
    /// How many of them are new.
    new_waiting: usize,
}

/// See [`Store::new_commits`].
pub(super) fn new_commits(store: &dyn Store, tips: &[ObjectId], known: &[ObjectId]) -> Result<Vec<ObjectId>, ChangeError> {
    let cut_off = store.cut_off()?.into_iter().collect();
    let mut walk = Walk { store, cut_off, met: IdMap::default(), waiting: BinaryHeap::new(), new_waiting: 0 };
    for &id in known {
        // What is no commit, or not here, makes nothing known: more is read, never less.
        if let Some(id) = commit_behind(store, id) {
            walk.meet_known(id);
        }
    }
    for &id in tips {
        walk.meet_new(id)?;
    }
    let mut listed = Vec::new();
    let mut oldest = u64::MAX;
    let mut slop = SLOP;
    while let Some((date, id)) = walk.waiting.pop() {
        let Some(met) = walk.met.get_mut(&id) else { continue };
        met.is_waiting = false;
        let parents = met.parents.clone();
        if !met.is_known {
            walk.new_waiting -= 1;
            for parent in parents {
                walk.meet_new(parent)?;
            }
            oldest = date;
            listed.push(id);
            continue;
        }
        for parent in parents {
            walk.meet_known(parent);
        }
        let goes_on = walk.new_waiting > 0 || walk.waiting.peek().is_some_and(|&(next, _)| next >= oldest);
        slop = if goes_on { SLOP } else { slop - 1 };
        if slop == 0 {
            break;
        }
    }
    let mut commits = Vec::with_capacity(listed.len());
    for id in listed {
        if let Some(met) = walk.met.remove(&id).filter(|met| !met.is_known) {
            commits.push((id, met.parents));
        }
    }
    Ok(parents_first(tips, &commits))
}

/// The commit that an id names, directly or through tags.
fn commit_behind(store: &dyn Store, mut id: ObjectId) -> Option<ObjectId> {
    let (mut raw, mut seen) = (Vec::new(), IdSet::default());
    loop {
        match store.holds(id).then(|| store.header(id).ok())??.0 {
            Kind::Commit => return Some(id),
            Kind::Tag if seen.insert(id) => {
                store.read_small(id, LARGEST_MESSAGE, &mut raw).ok()?;
                id = objects::tag(id, &raw).ok()?.target;
            }
            _ => return None,
        }
    }
}

impl Walk<'_> {
    /// A commit that only new ones lead to so far.
    fn meet_new(&mut self, id: ObjectId) -> Result<(), ChangeError> {
        if !self.met.contains_key(&id) {
            self.new_waiting += 1;
            self.read(id, false)?;
        }
        Ok(())
    }

    /// Makes a commit known, and all that was met behind it.
    fn meet_known(&mut self, id: ObjectId) {
        let mut rest = vec![id];
        while let Some(id) = rest.pop() {
            match self.met.get_mut(&id) {
                Some(met) if met.is_known => {}
                Some(met) => {
                    met.is_known = true;
                    if met.is_waiting {
                        self.new_waiting -= 1;
                    } else {
                        rest.extend_from_slice(&met.parents);
                    }
                }
                // Where it cannot be read, what lies behind it counts as new.
                None => drop(self.read(id, true)),
            }
        }
    }

    fn read(&mut self, id: ObjectId, is_known: bool) -> Result<(), ChangeError> {
        if self.met.len() == MANY_COMMITS {
            self.store.expect_many();
        }
        let mut raw = Vec::new();
        if self.store.read_small(id, LARGEST_MESSAGE, &mut raw)? != Kind::Commit {
            return Err(ChangeError::WrongKind { id, wanted: "commit" });
        }
        let commit = objects::commit(id, &raw)?;
        let date = date(commit.headers);
        let parents = if self.cut_off.contains(&id) { Vec::new() } else { commit.parents };
        self.met.insert(id, Met { parents, is_known, is_waiting: true });
        self.waiting.push((date, id));
        Ok(())
    }
}

/// When it was committed, in seconds since 1970; zero where it does not say.
fn date(headers: &[u8]) -> u64 {
    let committer = headers.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(b"committer "));
    let after_name = committer.and_then(|line| line.get(memchr::memrchr(b'>', line)? + 1..)).unwrap_or_default();
    let digits = after_name.trim_ascii_start().iter().take_while(|b| b.is_ascii_digit());
    digits.fold(0u64, |date, b| date.saturating_mul(10).saturating_add(u64::from(b - b'0')))
}
