//! Indexes that git made, compared by git and by us, and damaged ones.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::child::Git;
use super::super::git_index::GitIndex;
use super::super::plumbing::Plumbing;
use super::super::staged::root_tree;
use super::super::store::Trust;
use super::*;

const NAMES: [&str; 6] = ["a", "a-b", "a.txt", "b", "a0", "zz"];

/// Draws numbers, always the same ones.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn path(&mut self) -> String {
        let names: Vec<_> = (0..=self.below(4)).map(|_| NAMES[self.below(NAMES.len())]).collect();
        names.join("/")
    }
}

#[test]
fn an_index_differs_from_head_as_git_says() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    git(here, &["init", "-q", "-b", "main"], "");
    let blobs: Vec<_> = (0..4).map(|at| git(here, &["hash-object", "-w", "--stdin"], &format!("text {at}\n"))).collect();
    let mut draw = Draw(3);
    let (mut trees, mut seen) = (Vec::new(), [0; 3]);
    for step in 0..160 {
        match draw.below(12) {
            0 => drop(git(here, &["update-index", "--index-version", ["2", "3", "4"][draw.below(3)]], "")),
            1 | 2 => trees.push(git(here, &["write-tree"], "")),
            3 if !trees.is_empty() => {
                let commit = git(here, &["commit-tree", "-m", "c", &trees[draw.below(trees.len())]], "");
                git(here, &["update-ref", "HEAD", &commit], "");
            }
            4 if !trees.is_empty() && draw.below(3) == 0 => drop(git(here, &["read-tree", &trees[draw.below(trees.len())]], "")),
            5 => {
                let name = format!("intended{}", draw.below(3));
                fs::write(here.join(&name), "").unwrap();
                git(here, &["add", "-N", &name], "");
            }
            6 if step % 40 == 6 => fs::remove_file(here.join(".git/index")).unwrap(),
            _ => {
                let path = draw.path();
                let path = if draw.below(20) == 0 { path + &"/long".repeat(1000) } else { path };
                match draw.below(8) {
                    0 => drop(git(here, &["update-index", "--force-remove", &path], "")),
                    1 => add(here, "160000", &blobs[0], &path),
                    2 => add(here, "100755", &blobs[draw.below(4)], &path),
                    _ => add(here, "100644", &blobs[draw.below(4)], &path),
                }
            }
        }
        let store = Plumbing::open(Git::At(here.to_owned()), Trust::GitAccepted).unwrap();
        let head = store.head().unwrap();
        let index = Index::read(&here.join(".git/index")).unwrap();
        let ours = compared(&index, &store, head.map(|head| root_tree(&store, head).unwrap())).unwrap();
        let theirs = GitIndex::new(Git::At(here.to_owned())).staged(head).unwrap();
        assert_eq!(shown(&ours), shown(&theirs), "step {step}");
        let steps_over = index.root().is_some_and(|root| index.folders_in(root).any(|(_, folder)| index.known(folder).is_some()));
        [head.is_some(), steps_over, !ours.is_empty()].iter().zip(&mut seen).for_each(|(is, count)| *count += usize::from(*is));
    }
    assert!(seen.iter().all(|&count| count > 25), "each kind of step was met: {seen:?}");
}

#[test]
fn an_index_with_a_conflict_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    git(here, &["init", "-q"], "");
    let blob = git(here, &["hash-object", "-w", "--stdin"], "text\n");
    git(here, &["update-index", "--index-info"], &format!("100644 {blob} 1\tb/c\n100644 {blob} 2\tb/c\n100644 {blob} 0\ta\n"));
    let store = Plumbing::open(Git::At(here.to_owned()), Trust::GitAccepted).unwrap();
    let index = Index::read(&here.join(".git/index")).unwrap();
    let told = compared(&index, &store, None).unwrap_err();
    assert!(matches!(told, ChangeError::Conflict { path } if path == "b/c"));
    assert!(index.find(b"a").is_some() && index.find(b"b/c").is_none());
}

#[test]
fn a_damaged_index_is_refused_or_names_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    git(here, &["init", "-q"], "");
    let blob = git(here, &["hash-object", "-w", "--stdin"], "text\n");
    let lines: String = ["a", "d/e", "d/f/g", "h"].iter().map(|path| format!("100644 {blob}\t{path}\n")).collect();
    git(here, &["update-index", "--index-info"], &lines);
    git(here, &["write-tree"], "");
    for version in ["2", "4"] {
        git(here, &["update-index", "--index-version", version], "");
        let bytes = fs::read(here.join(".git/index")).unwrap();
        assert_eq!(Index::from_bytes(bytes.clone()).unwrap().len(), 4);
        for cut in 0..bytes.len() {
            // Without its last extension it is whole still.
            let read = Index::from_bytes(bytes[..cut].to_vec());
            assert!(read.is_err() || read.is_ok_and(|index| index.len() == 4 && index.root().is_none()), "version {version}, cut at {cut}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                if let Ok(index) = Index::from_bytes(bytes) {
                    assert_eq!(index.len(), 4, "version {version}, byte {at}");
                    let store = Plumbing::open(Git::At(here.to_owned()), Trust::GitAccepted).unwrap();
                    assert!(index.conflict().is_some() || compared(&index, &store, None).unwrap().len() >= 3);
                }
            }
        }
    }
}

#[test]
fn what_git_alone_understands_is_left_to_git() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    git(here, &["init", "-q"], "");
    git(here, &["update-index", "--split-index"], "");
    assert!(Index::read(&here.join(".git/index")).is_err_and(|error| error.message().ends_with("it is split")));
    assert!(Index::read(Path::new("/dev/zero")).is_err() || cfg!(windows));
    assert_eq!(Index::read(&here.join("none")).unwrap().len(), 0);
}

/// Both without the executable bit, of which we say nothing.
fn shown(entries: &[StagedEntry]) -> Vec<String> {
    let side = |side: Option<(u32, ObjectId)>| side.map(|(mode, id)| (mode & 0o170_000, id));
    entries.iter().map(|entry| format!("{} {:?} {:?}", entry.path.escape_ascii(), side(entry.old), side(entry.new))).collect()
}

fn add(here: &Path, mode: &str, id: &str, path: &str) {
    git(here, &["update-index", "--add", "--replace", "--cacheinfo", &format!("{mode},{id},{path}")], "");
}

fn git(here: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    for (role, value) in [("NAME", "C"), ("EMAIL", "c@d.example")] {
        command.env(format!("GIT_AUTHOR_{role}"), value).env(format!("GIT_COMMITTER_{role}"), value);
    }
    command.args(arguments).current_dir(here).env("HOME", here).env("GIT_CONFIG_NOSYSTEM", "1").env_remove("XDG_CONFIG_HOME");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
