//! Was it there before? Asked only for items in which something was found.
//!
//! A value is new in a file when no parent has it in that file, or, where a parent has no such file, in a file that the
//! same change removes (that is how a rename with an edit looks). Moving or re-indenting a line introduces nothing.

use super::error::ChangeError;
use super::objects::{EntryKind, ObjectId, tree_entries};
use super::promised::unless_promised;
use super::staged::{find, find_folder};
use super::store::{LARGEST_TREE, Store};
use super::{ChangeSet, NewFile};

/// Answers for one file at a time; asks git only when the file changes.
pub struct Novelty<'a> {
    store: &'a dyn Store,
    change: &'a ChangeSet,
    /// Gives the text that the bytes of a file hold, as whoever looks for something read it.
    text: fn(Vec<u8>) -> Vec<u8>,
    /// The file whose earlier versions are at hand.
    current: Option<usize>,
    earlier: Vec<Earlier>,
    /// Bytes that may still be read in the search for renamed files of the current commit.
    rename_budget: u64,
    /// Bytes that may still be searched in all.
    search_budget: u64,
    removed_of: Option<(Option<u32>, Vec<Removed>)>,
}

/// Where something stood before the change.
pub enum Before<'n> {
    /// In an earlier version of the same file, as it stands now.
    Here,
    /// In these versions, of the same file or of files that the same change removes; in none where the list is empty.
    In(Vec<&'n Earlier>),
}

/// An earlier version.
pub struct Earlier {
    /// The path of a file that the change removes; `None` for the same file.
    pub moved_from: Option<Box<[u8]>>,
    /// Its bytes.
    pub text: Vec<u8>,
}

/// A file that a commit removes: path, blob, and which parent had it.
type Removed = (Box<[u8]>, ObjectId);

/// A commit that removes more than this is no rename of one file with an edit; what is not compared counts as new.
const RENAME_BYTES: u64 = 32 << 20;

/// Thousands of findings in a file of megabytes would be looked up for minutes. What is not looked up any more counts as new.
const SEARCHED_BYTES: u64 = 16 << 30;

/// A larger earlier version is not held for comparison: what stands in the new one counts as new.
const LARGEST_EARLIER: u64 = 32 << 20;
/// Nor are more bytes of all earlier versions of one file: a merge may have hundreds of parents.
const EARLIER_BYTES: u64 = 48 << 20;

impl<'a> Novelty<'a> {
    /// For the files of `change`, whose bytes were put through `text` before anything was looked for.
    pub fn new(store: &'a dyn Store, change: &'a ChangeSet, text: fn(Vec<u8>) -> Vec<u8>) -> Self {
        Self { store, change, text, current: None, earlier: Vec::new(), rename_budget: RENAME_BYTES, search_budget: SEARCHED_BYTES, removed_of: None }
    }

    /// Goes on after so many bytes were searched in other parts of the same change.
    #[must_use]
    pub fn after(self, searched: u64) -> Self {
        Self { search_budget: self.search_budget.saturating_sub(searched), ..self }
    }

    /// How many bytes were searched so far, with those of other parts.
    pub fn searched(&self) -> u64 {
        SEARCHED_BYTES - self.search_budget
    }

    /// The earlier versions of the file with index `file` that hold `value` as a whole word.
    ///
    /// # Errors
    /// An earlier version that cannot be read.
    pub fn value(&mut self, file: usize, value: &[u8]) -> Result<Before<'_>, ChangeError> {
        Ok(Before::In(self.before(file, |text| holds_word(text, value))?))
    }

    /// The earlier versions of the file that hold every line of `text` (whole lines or parts), indented as it may be.
    ///
    /// # Errors
    /// An earlier version that cannot be read.
    pub fn lines(&mut self, file: usize, text: &[u8]) -> Result<Before<'_>, ChangeError> {
        let found = self.before(file, |before| holds_lines(before, text))?;
        Ok(if found.iter().any(|before| before.moved_from.is_none()) { Before::Here } else { Before::In(found) })
    }

    fn before(&mut self, file: usize, holds: impl Fn(&[u8]) -> bool) -> Result<Vec<&Earlier>, ChangeError> {
        self.look_up(file)?;
        let searched: u64 = self.earlier.iter().map(|before| before.text.len() as u64).sum();
        let Some(left) = self.search_budget.checked_sub(searched) else { return Ok(Vec::new()) };
        self.search_budget = left;
        Ok(self.earlier.iter().filter(|before| holds(&before.text)).collect())
    }

    /// True unless an earlier folder holds `part` of this file's name, or a file that the same change removes does.
    ///
    /// # Errors
    /// An earlier folder that cannot be read.
    pub fn name_is_new(&mut self, file: usize, part: &[u8]) -> Result<bool, ChangeError> {
        let file = &self.change.files[file];
        let end = memchr::memmem::find(&file.path, part).map_or(file.path.len(), |at| at + part.len());
        if let Some(folder_end) = memchr::memchr(b'/', &file.path[end..]).map(|slash| end + slash) {
            for &tree in self.base_trees(file) {
                if unless_promised(self.store, find_folder(self.store, tree, &file.path[..folder_end]))? == Some(true) {
                    return Ok(false);
                }
            }
        }
        Ok(!self.removed(file.commit)?.iter().any(|(path, _)| holds_word(path, part)))
    }

    /// The earlier versions of the file with index `file`, and where there is none, those of files that it may have been.
    ///
    /// # Errors
    /// An earlier version that cannot be read.
    pub fn earlier(&mut self, file: usize) -> Result<&[Earlier], ChangeError> {
        self.look_up(file)?;
        Ok(&self.earlier)
    }

    fn look_up(&mut self, index: usize) -> Result<(), ChangeError> {
        if self.current == Some(index) {
            return Ok(());
        }
        self.current = None;
        self.earlier.clear();
        let file = &self.change.files[index];
        for tree in self.base_trees(file).to_vec() {
            // What a partial clone lacks is no earlier version: what cannot be compared counts as new.
            match unless_promised(self.store, find(self.store, tree, &file.path))?.flatten() {
                Some(id) => {
                    let mut before = Vec::new();
                    // A submodule's id is a commit of another repository: there is no earlier version here.
                    if !self.store.holds(id) {
                        continue;
                    }
                    let held: u64 = self.earlier.iter().map(|earlier| earlier.text.len() as u64).sum();
                    let size = self.store.header(id)?.1;
                    if size <= LARGEST_EARLIER && held + size <= EARLIER_BYTES {
                        self.store.read(id, &mut before)?;
                        self.earlier.push(Earlier { moved_from: None, text: (self.text)(before) });
                    }
                }
                None => self.read_removed(file)?,
            }
        }
        self.current = Some(index);
        Ok(())
    }

    fn base_trees(&self, file: &NewFile) -> &'a [ObjectId] {
        match file.commit {
            Some(at) => &self.change.commits[at as usize].parent_trees,
            None => &self.change.base_trees,
        }
    }

    /// The files that the same change removes.
    fn removed(&mut self, commit: Option<u32>) -> Result<&[Removed], ChangeError> {
        if self.removed_of.as_ref().is_none_or(|(of, _)| *of != commit) {
            let removed = match commit {
                None => self.change.removed.clone(),
                Some(at) => {
                    let commit = &self.change.commits[at as usize];
                    let mut removed = Vec::new();
                    for &parent in &commit.parent_trees {
                        removed_between(self.store, parent, Some(commit.tree), &mut Vec::new(), &mut removed)?;
                    }
                    removed
                }
            };
            self.removed_of = Some((commit, removed));
            self.rename_budget = RENAME_BYTES;
        }
        Ok(self.removed_of.as_ref().map_or(&[], |(_, removed)| removed))
    }

    /// Reads the files that the same change removes: the likeliest first, within the budget.
    fn read_removed(&mut self, file: &NewFile) -> Result<(), ChangeError> {
        let mut candidates = self.removed(file.commit)?.to_vec();
        candidates.sort_by_key(|(path, id)| (Some(*id) != file.blob, name(path) != name(&file.path), extension(path) != extension(&file.path)));
        for (path, id) in candidates {
            if !self.store.holds(id) {
                continue; // a partial clone lacks it: what is not compared counts as new
            }
            let size = self.store.header(id)?.1;
            let Some(left) = self.rename_budget.checked_sub(size) else { break };
            self.rename_budget = left;
            let mut before = Vec::new();
            self.store.read(id, &mut before)?;
            self.earlier.push(Earlier { moved_from: Some(path), text: (self.text)(before) });
            if Some(id) == file.blob {
                break; // the very same bytes: a plain rename
            }
        }
        Ok(())
    }
}

/// Lists the files below `before` whose path `after` does not have.
fn removed_between(
    store: &dyn Store,
    before: ObjectId,
    after: Option<ObjectId>,
    path: &mut Vec<u8>,
    out: &mut Vec<Removed>,
) -> Result<(), ChangeError> {
    if Some(before) == after {
        return Ok(());
    }
    let (mut old, mut new) = (Vec::new(), Vec::new());
    if unless_promised(store, store.read_small(before, LARGEST_TREE, &mut old))?.is_none() {
        return Ok(());
    }
    let mut kept = std::collections::HashMap::new();
    if let Some(after) = after {
        if unless_promised(store, store.read_small(after, LARGEST_TREE, &mut new))?.is_none() {
            return Ok(()); // what it keeps is not known, so nothing counts as removed
        }
        kept.extend(tree_entries(after, &new)?.into_iter().map(|entry| (entry.name, entry)));
    }
    for entry in tree_entries(before, &old)? {
        let length = path.len();
        path.extend_from_slice(entry.name);
        let now = kept.get(entry.name).filter(|now| (now.kind == EntryKind::Tree) == (entry.kind == EntryKind::Tree));
        match entry.kind {
            EntryKind::Tree => {
                path.push(b'/');
                removed_between(store, entry.id, now.map(|now| now.id), path, out)?;
            }
            EntryKind::Blob if now.is_none() => out.push((path.as_slice().into(), entry.id)),
            EntryKind::Blob | EntryKind::Submodule => {}
        }
        path.truncate(length);
    }
    Ok(())
}

fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}

fn extension(path: &[u8]) -> &[u8] {
    name(path).rsplit(|&b| b == b'.').next().unwrap_or(path)
}

/// True when each line of `lines` stands in `text`, wherever and however indented.
fn holds_lines(text: &[u8], lines: &[u8]) -> bool {
    lines.split(|&b| b == b'\n').all(|line| holds_word(text, line.trim_ascii()))
}

/// True when `value` stands in `text` and is not part of a longer word there.
fn holds_word(text: &[u8], value: &[u8]) -> bool {
    let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let (first, last) = (word(value.first()), word(value.last()));
    memchr::memmem::find_iter(text, value).any(|at| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        !(first && word(before) || last && word(text.get(at + value.len())))
    })
}

#[cfg(test)]
mod tests {
    use super::{holds_lines, holds_word};

    #[test]
    fn a_part_of_a_line_is_old_where_it_stands_in_an_old_line() {
        let before = b"if debug:\n    print(\"key\", key)  # why\n    done()\n";
        assert!(holds_lines(before, b"print(\"key\", key)"));
        assert!(holds_lines(before, b"if debug:\r\n\tprint(\"key\", key)"));
        assert!(!holds_lines(before, b"print(\"key\", keys)"));
        assert!(!holds_lines(before, b"if debug:\n    print(token)"));
    }

    #[test]
    fn a_longer_value_does_not_hide_a_shorter_one() {
        assert!(holds_word(b"x = 'abc'", b"abc"));
        assert!(holds_word(b"abcd abc", b"abc"));
        assert!(!holds_word(b"abcd xabc abc_", b"abc"));
        assert!(holds_word(b"a+abc=b", b"+abc="));
    }
}
