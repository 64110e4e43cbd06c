//! Tree, commit and tag walking over a repository that the input describes, with damaged objects among the sound ones.
//!
//! What is sound is walked a second time in the plainest way, without any shortcut: nothing that this finds may be missing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use leakstop::change::{self, ChangeError, ChangeSet, Kind, Novelty, ObjectId, RefUpdate, StagedEntry, Store};

/// More objects than this make no new case, only a slower one: folders within folders multiply.
const OBJECTS: usize = 10;
const NAMES: [&[u8]; 8] = [b"a", b"b", b"a.txt", b"a0", b"x y", b"\xff\n", b"", b"refs/remotes/origin/main"];
const MODES: [u32; 7] = [0o100_644, 0o040_000, 0o120_000, 0o160_000, 0o100_755, 0o040_000, 0];

/// Reads the input as a repository, a push to it and an index.
pub fn repository(data: &[u8]) {
    if let Some(entries) = change::differences(data) {
        assert!(entries.windows(2).all(|pair| pair[0].path < pair[1].path), "sorted, each path once");
    }
    let mut script = Script(data);
    let store = Made::from(&mut script);
    let known: Vec<_> = (0..script.below(4)).map(|_| store.any(&mut script)).collect();
    let updates: Vec<_> = (0..script.below(4)).map(|_| store.update(&mut script)).collect();
    let mut earlier = ChangeSet::default();
    let listed = change::pushed(&store, &updates, &known, &mut |part: &mut ChangeSet| -> Result<(), ChangeError> {
        join(&mut earlier, part);
        Ok(())
    });
    if let Ok(mut change) = listed {
        join(&mut earlier, &mut change);
        join(&mut change, &mut earlier);
        let tips: Vec<_> = updates.iter().filter_map(|update| update.new).collect();
        store.nothing_is_missing(&change, &tips, &known);
        store.asks_what_is_new(&change);
    }
    let others: Vec<_> = (0..script.below(3)).map(|_| store.any(&mut script)).collect();
    if let Ok(change) = change::staged(&store, &others) {
        store.asks_what_is_new(&change);
    }
}

/// Moves what a part of a change lists behind what is listed already.
fn join(all: &mut ChangeSet, part: &mut ChangeSet) {
    all.files.append(&mut part.files);
    all.texts.append(&mut part.texts);
    all.unread.append(&mut part.unread);
    all.removed_lists.append(&mut part.removed_lists);
}

/// The input, read byte by byte; at its end it reads as zero.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn below(&mut self, end: usize) -> usize {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(first) % end
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken.to_vec()
    }
}

/// An object, with what it points at where it is sound.
struct Object {
    kind: Kind,
    raw: Vec<u8>,
    /// Mode and place of each entry of a tree; the tree and the parents of a commit; the target of a tag.
    links: Vec<(u32, usize)>,
}

struct Made {
    objects: Vec<Object>,
    cut_off: Vec<ObjectId>,
    head: Option<ObjectId>,
    staged: Vec<StagedEntry>,
    /// False when an object holds bytes that nobody made on purpose.
    sound: bool,
}

fn id(at: usize) -> ObjectId {
    ObjectId::from_bytes(&[at as u8 + 1; 20]).unwrap()
}

impl Made {
    fn from(script: &mut Script<'_>) -> Self {
        let mut made = Self { objects: Vec::new(), cut_off: Vec::new(), head: None, staged: Vec::new(), sound: true };
        for at in 0..1 + script.below(OBJECTS) {
            let object = made.object(script, at);
            made.objects.push(object);
        }
        if script.below(4) == 1 {
            made.cut_off.push(made.any(script));
        }
        made.head = (script.below(2) == 1).then(|| made.any(script));
        let mut paths = BTreeSet::new();
        for _ in 0..script.below(4) {
            let path = [NAMES[script.below(6)], NAMES[script.below(6)]].join(&b'/');
            let side = |script: &mut Script<'_>| (script.below(3) > 0).then(|| (MODES[script.below(6)], made.any(script)));
            let (old, new) = (side(script), side(script));
            if paths.insert(path.clone()) {
                made.staged.push(StagedEntry { path, old, new });
            }
        }
        made
    }

    fn object(&mut self, script: &mut Script<'_>, at: usize) -> Object {
        let link = |script: &mut Script<'_>| script.below(at.max(1));
        let people = "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n";
        match (script.below(5), at) {
            (1, 1..) => {
                let (mut raw, mut links) = (Vec::new(), Vec::new());
                for _ in 0..script.below(4) {
                    let (mode, name, to) = (MODES[script.below(MODES.len())], NAMES[script.below(NAMES.len())], link(script));
                    raw.extend([format!("{mode:o} ").as_bytes(), name, b"\0", id(to).as_bytes()].concat());
                    links.push((mode, to));
                }
                Object { kind: Kind::Tree, raw, links }
            }
            (2, 1..) => {
                let links: Vec<_> = (0..1 + script.below(3)).map(|_| (0, link(script))).collect();
                let parents: String = links[1..].iter().map(|(_, to)| format!("parent {}\n", id(*to))).collect();
                let raw = format!("tree {}\n{parents}{people}\nmessage {at}\n", id(links[0].1)).into_bytes();
                Object { kind: Kind::Commit, raw, links }
            }
            (3, 1..) => {
                let to = link(script);
                Object { kind: Kind::Tag, raw: format!("object {}\ntype commit\ntag x\n\ntext\n", id(to)).into_bytes(), links: vec![(0, to)] }
            }
            (4, _) => {
                let kind = [Kind::Blob, Kind::Tree, Kind::Commit, Kind::Tag][script.below(4)];
                self.sound &= kind == Kind::Blob;
                Object { kind, raw: script.bytes(120), links: Vec::new() }
            }
            _ => Object { kind: Kind::Blob, raw: script.bytes(40), links: Vec::new() },
        }
    }

    /// Mostly an object that is there.
    fn any(&self, script: &mut Script<'_>) -> ObjectId {
        id(script.below(self.objects.len() + 1))
    }

    fn update(&self, script: &mut Script<'_>) -> RefUpdate {
        let side = |script: &mut Script<'_>| (script.below(4) > 0).then(|| self.any(script));
        RefUpdate { old: side(script), new: side(script), name: NAMES[script.below(6)].to_vec() }
    }

    fn get(&self, wanted: ObjectId) -> Result<(usize, &Object), ChangeError> {
        let found = self.objects.iter().enumerate().find(|(at, _)| id(*at) == wanted);
        found.ok_or(ChangeError::Malformed { kind: "missing object", id: wanted })
    }

    /// Commits and blobs that any of `tips` reaches. Blobs are what a tree calls so.
    fn reached(&self, tips: &[ObjectId]) -> (BTreeSet<ObjectId>, BTreeSet<ObjectId>) {
        let (mut commits, mut blobs) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<ObjectId> = tips.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            let Ok((_, object)) = self.get(next) else { continue };
            if !seen.insert(next) {
                continue;
            }
            match object.kind {
                Kind::Blob => drop(blobs.insert(next)),
                Kind::Tree => {
                    for &(mode, to) in &object.links {
                        match mode & 0o170_000 {
                            0o040_000 => open.push(id(to)),
                            0o160_000 => {}
                            _ => drop(blobs.insert(id(to))),
                        }
                    }
                }
                Kind::Commit => {
                    commits.insert(next);
                    let parents = if self.cut_off.contains(&next) { 1 } else { object.links.len() };
                    open.extend(object.links[..parents].iter().map(|(_, to)| id(*to)));
                }
                Kind::Tag => open.push(id(object.links[0].1)),
            }
        }
        (commits, blobs)
    }

    fn nothing_is_missing(&self, change: &change::ChangeSet, tips: &[ObjectId], known: &[ObjectId]) {
        if !self.sound {
            return;
        }
        let ((commits, blobs), (old_commits, old_blobs)) = (self.reached(tips), self.reached(known));
        let listed: Vec<_> = change.commits.iter().map(|commit| commit.id).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), commits.difference(&old_commits).copied().collect(), "commits");
        assert!(change.commits.iter().all(|commit| commit.reference.is_some()), "each is reached from a ref");
        let listed: BTreeSet<_> = change.files.iter().filter_map(|file| file.blob).collect();
        for blob in blobs.difference(&old_blobs) {
            assert!(listed.contains(blob), "{blob} is missing");
        }
        assert!(listed.is_subset(&blobs), "what no ref reaches is not read");
    }

    fn asks_what_is_new(&self, change: &change::ChangeSet) {
        let mut novelty = Novelty::new(self, change, leakstop::scan::plain);
        for (at, file) in change.files.iter().enumerate() {
            let _ = novelty.value(at, b"a");
            let _ = novelty.lines(at, b"a\n b");
            let _ = novelty.name_is_new(at, file.path.get(..2).unwrap_or(b"a"));
        }
    }
}

impl Store for Made {
    fn header(&self, id: ObjectId) -> Result<(Kind, u64), ChangeError> {
        self.get(id).map(|(_, object)| (object.kind, object.raw.len() as u64))
    }

    fn read(&self, id: ObjectId, into: &mut Vec<u8>) -> Result<Kind, ChangeError> {
        let (_, object) = self.get(id)?;
        into.clear();
        into.extend_from_slice(&object.raw);
        Ok(object.kind)
    }

    fn read_in_parts(&self, id: ObjectId, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, ChangeError> {
        Ok(self.get(id)?.1.raw.chunks(7).all(take))
    }

    fn holds(&self, id: ObjectId) -> bool {
        self.get(id).is_ok()
    }

    fn references(&self) -> Result<Vec<(Vec<u8>, ObjectId)>, ChangeError> {
        Ok(vec![(NAMES[7].to_vec(), id(0)), (b"refs/heads/main".to_vec(), id(1))])
    }

    fn head(&self) -> Result<Option<ObjectId>, ChangeError> {
        Ok(self.head)
    }

    fn new_commits(&self, tips: &[ObjectId], known: &[ObjectId]) -> Result<Vec<ObjectId>, ChangeError> {
        if !self.sound {
            // Then a tip is the only commit that is surely one.
            return Ok(tips.iter().copied().filter(|tip| !known.contains(tip)).collect());
        }
        let (commits, old) = (self.reached(tips).0, self.reached(known).0);
        // An object points at earlier ones only, and the ids count up: parents come first.
        Ok(commits.difference(&old).copied().collect())
    }

    fn cut_off(&self) -> Result<Vec<ObjectId>, ChangeError> {
        Ok(self.cut_off.clone())
    }

    fn staged(&self, _: Option<ObjectId>) -> Result<Vec<StagedEntry>, ChangeError> {
        Ok(self.staged.clone())
    }

    fn staged_blob(&self, _: &[u8]) -> Result<Option<ObjectId>, ChangeError> {
        Ok(None)
    }

    fn revision(&self, _: &str) -> Result<ObjectId, ChangeError> {
        Ok(id(0))
    }

    fn setting(&self, _: &str) -> Result<Option<String>, ChangeError> {
        Ok(None)
    }

    fn settings(&self, _: &str) -> Result<Vec<Vec<u8>>, ChangeError> {
        Ok(Vec::new())
    }

    fn git_dir(&self) -> PathBuf {
        PathBuf::new()
    }

    fn work_tree(&self) -> Option<PathBuf> {
        None
    }
}
