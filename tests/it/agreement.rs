//! What leakstop takes for new is what git shows as added, over generated changes and histories with merges, renames and
//! encodings, and with both readers.
//!
//! Each line holds another token, so that what is found tells which lines were seen. git tells the added and the removed
//! lines; a value that was only moved, or written in another encoding, is not new.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use leakstop::finding::Fingerprint;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::Value;

use crate::support::{LEAKSTOP, Repo, ended, ended_with, token};

const PATHS: [&str; 4] = ["a.txt", "b.txt", "d/c.txt", "d/e/f.txt"];
const READERS: [&str; 2] = ["git2", "git"];
/// Lines with a lower number hold no token.
const TOKENS: u64 = 3;

/// How a file is written down.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    Plain,
    CarriageReturns,
    Latin1,
    Nul,
    Utf16,
    NoFinalNewline,
}
use Written::{CarriageReturns, Latin1, NoFinalNewline, Nul, Plain, Utf16};

#[derive(Clone, Debug, PartialEq)]
struct File {
    lines: Vec<u64>,
    written: Written,
}

type Tree = BTreeMap<&'static str, File>;

#[derive(Clone, Debug)]
enum Edit {
    Insert { path: usize, at: usize, line: u64 },
    Remove { path: usize, at: usize },
    Move { path: usize, from: usize, to: usize },
    Write { path: usize, written: Written },
    Rename { from: usize, to: usize },
    Delete { path: usize },
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = || 0..PATHS.len();
    let at = || 0..6usize;
    let written = prop::sample::select(vec![Plain, CarriageReturns, Latin1, Nul, Utf16, NoFinalNewline]);
    prop_oneof![
        8 => (path(), at(), 0..24u64).prop_map(|(path, at, line)| Edit::Insert { path, at, line }),
        2 => (path(), at()).prop_map(|(path, at)| Edit::Remove { path, at }),
        2 => (path(), at(), at()).prop_map(|(path, from, to)| Edit::Move { path, from, to }),
        2 => (path(), written).prop_map(|(path, written)| Edit::Write { path, written }),
        2 => (path(), path()).prop_map(|(from, to)| Edit::Rename { from, to }),
        1 => path().prop_map(|path| Edit::Delete { path }),
    ]
}

fn apply(tree: &mut Tree, edit: &Edit) {
    match *edit {
        Edit::Insert { path, at, line } => {
            let file = tree.entry(PATHS[path]).or_insert(File { lines: Vec::new(), written: Plain });
            // A line stands once in a file: then a difference shows whether it was there before.
            if !file.lines.contains(&line) {
                file.lines.insert(at.min(file.lines.len()), line);
            }
        }
        Edit::Remove { path, at } => {
            if let Some(file) = tree.get_mut(PATHS[path]).filter(|file| at < file.lines.len()) {
                file.lines.remove(at);
            }
        }
        Edit::Move { path, from, to } => {
            if let Some(file) = tree.get_mut(PATHS[path]).filter(|file| from < file.lines.len()) {
                let line = file.lines.remove(from);
                file.lines.insert(to.min(file.lines.len()), line);
            }
        }
        Edit::Write { path, written } => {
            if let Some(file) = tree.get_mut(PATHS[path]) {
                file.written = written;
            }
        }
        Edit::Rename { from, to } => {
            if let Some(file) = tree.remove(PATHS[from]) {
                tree.insert(PATHS[to], file);
            }
        }
        Edit::Delete { path } => drop(tree.remove(PATHS[path])),
    }
}

fn bytes(file: &File) -> Vec<u8> {
    let line = |&line: &u64| if line < TOKENS { format!("clean {line}\n") } else { format!("x = \"{}\"\n", token(line)) };
    let text: String = file.lines.iter().map(line).collect();
    match file.written {
        Plain => text.into_bytes(),
        CarriageReturns => text.replace('\n', "\r\n").into_bytes(),
        Latin1 => [b"# caf\xe9\n", text.as_bytes()].concat(),
        Nul => [b"# \0\n", text.as_bytes()].concat(),
        Utf16 => format!("\u{feff}# marked\n{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        NoFinalNewline => text.strip_suffix('\n').unwrap_or_default().to_owned().into_bytes(),
    }
}

/// The tokens of the added and of the removed lines.
#[derive(Debug, Default)]
struct Lines {
    added: BTreeSet<u64>,
    removed: BTreeSet<u64>,
    is_new: bool,
    is_gone: bool,
}

/// Reads what git prints with `-p -U0 --text`.
fn differences(patch: &[u8]) -> BTreeMap<String, Lines> {
    let tokens: BTreeMap<String, u64> = (TOKENS..24).map(|line| (token(line), line)).collect();
    let mut files: BTreeMap<String, Lines> = BTreeMap::new();
    let mut current = None;
    for line in patch.split(|&b| b == b'\n') {
        // As UTF-16 a token has a zero behind each letter.
        let text: String = line.iter().filter(|&&b| b != 0).map(|&b| char::from(b)).collect();
        if let Some(names) = text.strip_prefix("diff --git a/") {
            current = Some(files.entry(names.split(" b/").next().unwrap().to_owned()).or_default());
        }
        let Some(file) = &mut current else { continue };
        let found = || text.find("ghp_").and_then(|at| tokens.get(text.get(at..at + 40)?)).copied();
        match text.chars().next() {
            Some('+') => file.added.extend(found()),
            Some('-') => file.removed.extend(found()),
            _ => {
                file.is_new |= text.starts_with("new file mode");
                file.is_gone |= text.starts_with("deleted file mode");
            }
        }
    }
    files
}

fn fingerprints() -> BTreeMap<String, u64> {
    let print = |line: u64| Fingerprint::new("leakstop", "github-pat-classic", token(line).as_bytes()).to_string();
    (TOKENS..24).map(|line| (print(line), line)).collect()
}

/// Runs leakstop and gives what it found: commit, path and line.
fn found(command: &mut std::process::Command, repo: &Repo, input: &[u8]) -> Result<BTreeSet<(String, String, u64)>, TestCaseError> {
    let file = repo.beside("report.json");
    let _ = fs::remove_file(&file);
    let ended = ended_with(command.args(["--format", "json", "--output"]).arg(&file), input);
    let report: Value = serde_json::from_slice(&fs::read(&file).unwrap_or_default()).map_err(|_| TestCaseError::fail(ended.err.clone()))?;
    let known = fingerprints();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = BTreeSet::new();
    for one in report["findings"].as_array().unwrap() {
        let line = known.get(one["fingerprint"].as_str().unwrap());
        prop_assert!(line.is_some(), "{one}");
        all.insert((text(&one["commit"]), text(&one["path"]), *line.unwrap()));
    }
    prop_assert_eq!(ended.code, i32::from(!all.is_empty()), "{}", ended.err);
    Ok(all)
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_algorithm: prop::test_runner::RngAlgorithm::ChaCha,
        rng_seed: prop::test_runner::RngSeed::Fixed(11),
        ..ProptestConfig::default()
    }
}

/// A history as `git fast-import` reads it.
fn stream(commits: &[(Vec<usize>, Tree)]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (at, (parents, tree)) in commits.iter().enumerate() {
        let header = format!("commit refs/made/{at}\nmark :{}\ncommitter A <a@b> {} +0000\ndata 1\n{}\n", at + 1, 1_700_000_000 + at, at % 10);
        stream.extend(header.into_bytes());
        for (order, parent) in parents.iter().enumerate() {
            stream.extend(format!("{} :{}\n", if order == 0 { "from" } else { "merge" }, parent + 1).into_bytes());
        }
        stream.extend(b"deleteall\n");
        for (path, file) in tree {
            let text = bytes(file);
            stream.extend(format!("M 100644 inline {path}\ndata {}\n", text.len()).into_bytes());
            stream.extend(text);
            stream.push(b'\n');
        }
        stream.push(b'\n');
    }
    stream
}

fn imported(repo: &Repo, commits: &[(Vec<usize>, Tree)]) -> Vec<String> {
    ended_with(repo.command("git").args(["fast-import", "--quiet"]), &stream(commits)).expect(0);
    let ids = (0..commits.len()).map(|at| repo.ask(&["rev-parse", &format!("refs/made/{at}")])).collect();
    for at in 0..commits.len() {
        repo.git(&["update-ref", "-d", &format!("refs/made/{at}")]).expect(0);
    }
    ids
}

fn printed(repo: &Repo, arguments: &[&str]) -> Vec<u8> {
    let output = repo.command("git").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn staged_is_what_git_shows(before: &[Edit], edits: &[Edit]) -> TestCaseResult {
    let mut old = Tree::new();
    before.iter().for_each(|edit| apply(&mut old, edit));
    let mut new = old.clone();
    edits.iter().for_each(|edit| apply(&mut new, edit));
    let repo = Repo::new();
    let ids = imported(&repo, &[(Vec::new(), old), (Vec::new(), new)]);
    repo.git(&["update-ref", "refs/heads/main", &ids[0]]).expect(0);
    repo.git(&["read-tree", &ids[1]]).expect(0);
    let shown = differences(&printed(&repo, &["diff-index", "--cached", "-p", "-U0", "--text", "--no-renames", "HEAD"]));
    let gone: BTreeSet<u64> = shown.values().filter(|file| file.is_gone).flat_map(|file| file.removed.clone()).collect();
    let mut expected = BTreeSet::new();
    for (path, file) in &shown {
        for &line in file.added.difference(&file.removed) {
            if !(file.is_new && gone.contains(&line)) {
                expected.insert((String::new(), path.clone(), line));
            }
        }
    }
    for reader in READERS {
        let mut scan = repo.command(LEAKSTOP);
        let seen = found(scan.args(["scan", "--staged"]).env("LEAKSTOP_BACKEND", reader), &repo, b"")?;
        prop_assert_eq!(&seen, &expected, "{}: {:?}", reader, shown);
    }
    Ok(())
}

/// A commit: which earlier ones are its parents (counted back), and what it does to the first one's tree.
type Step = (Vec<usize>, Vec<Edit>);

fn pushed_is_what_git_shows(steps: &[Step], base: usize, tips: usize) -> TestCaseResult {
    let mut commits: Vec<(Vec<usize>, Tree)> = Vec::new();
    for (at, (back, edits)) in steps.iter().enumerate() {
        let mut parents: Vec<usize> = back.iter().filter_map(|back| at.checked_sub(*back)).collect();
        parents.dedup();
        let mut tree = parents.first().map(|&parent| commits[parent].1.clone()).unwrap_or_default();
        // A merge takes files of the other side, too.
        for &other in parents.iter().skip(1) {
            let theirs = commits[other].1.clone();
            tree.extend(theirs.into_iter().filter(|(path, _)| path.len() % 2 == at % 2));
        }
        edits.iter().for_each(|edit| apply(&mut tree, edit));
        commits.push((parents, tree));
    }
    let repo = Repo::bare();
    let ids = imported(&repo, &commits);
    let last = commits.len() - 1;
    let (base, tips) = (base.min(last), last.saturating_sub(tips)..=last);
    repo.git(&["update-ref", "refs/heads/main", &ids[base]]).expect(0);
    let tip_ids: Vec<&str> = tips.clone().map(|tip| ids[tip].as_str()).collect();

    let mut log = vec!["log", "-m", "-p", "-U0", "--text", "--no-renames", "--root", "--format=%x01%H %P"];
    log.extend(&tip_ids);
    log.extend(["--not", "--all"]);
    let log = printed(&repo, &log);
    // For each new commit: its number of parents, and one difference from each parent that differs.
    let mut shown: BTreeMap<String, (usize, Vec<BTreeMap<String, Lines>>)> = BTreeMap::new();
    for part in log.split(|&b| b == 1).skip(1) {
        let end = memchr::memchr(b'\n', part).unwrap_or(part.len());
        let words: Vec<&str> = std::str::from_utf8(&part[..end]).unwrap().split_whitespace().collect();
        let entry = shown.entry(words[0].to_owned()).or_insert((words.len().max(2) - 1, Vec::new()));
        entry.1.push(differences(&part[end..]));
    }
    let added_to_all = |commit: &str, path: &str, line: u64| {
        shown
            .get(commit)
            .is_some_and(|(parents, all)| all.iter().filter(|one| one.get(path).is_some_and(|file| file.added.contains(&line))).count() == *parents)
    };
    let ancestors = printed(&repo, &["rev-list", "--objects", &ids[base]]);
    let accepted: BTreeSet<u64> = commits
        .iter()
        .zip(&ids)
        .filter(|(_, id)| memchr::memmem::find(&ancestors, id.as_bytes()).is_some())
        .flat_map(|((_, tree), _)| tree.values().flat_map(|file| file.lines.clone()))
        .collect();
    let in_any: BTreeSet<u64> =
        shown.values().flat_map(|(_, all)| all.iter().flat_map(|one| one.values().flat_map(|file| file.added.clone()))).collect();

    let mut lines: Vec<String> = tips.map(|tip| format!("{} {} refs/heads/t{tip}\n", "0".repeat(40), ids[tip])).collect();
    let mut values = BTreeSet::new();
    for (reader, turned) in [("git2", false), ("git", false), ("git2", true)] {
        if turned {
            lines.reverse();
        }
        let mut hook = repo.command(LEAKSTOP);
        let seen = found(hook.args(["hook", "pre-receive", "--backend", reader]), &repo, lines.concat().as_bytes())?;
        for (commit, path, line) in &seen {
            prop_assert!(added_to_all(commit, path, *line), "{}: {} is not added to {} of {}: {:?}", reader, line, path, commit, shown);
        }
        let told: BTreeSet<u64> = seen.iter().map(|(_, _, line)| *line).collect();
        // What is in no accepted commit must be told.
        for line in in_any.difference(&accepted) {
            prop_assert!(told.contains(line), "{}: {} is missing: {:?}", reader, line, shown);
        }
        values.insert(told);
    }
    prop_assert_eq!(values.len(), 1, "readers and orders agree: {:?}", values);
    Ok(())
}

fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 0..most)
}

proptest! {
    #![proptest_config(cases(32))]
    #[test]
    fn what_is_staged_is_read_as_git_shows_it(before in edits(24), after in edits(10)) {
        staged_is_what_git_shows(&before, &after)?;
    }
}

proptest! {
    #![proptest_config(cases(24))]
    #[test]
    fn what_is_pushed_is_read_as_git_shows_it(
        steps in prop::collection::vec((prop::collection::vec(1..4usize, 0..4), edits(8)), 3..10), base in 0..6usize, tips in 0..3usize,
    ) {
        pushed_is_what_git_shows(&steps, base, tips)?;
    }
}

#[test]
fn the_reader_of_gits_own_words_sees_both_sides() {
    let repo = Repo::new();
    let utf16: Vec<u8> = format!("\u{feff}one\n{}\n", token(5)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    repo.accept("a.txt", format!("{}\n{}\n", token(3), token(4)));
    repo.stage("a.txt", utf16);
    ended(repo.command("git").args(["diff", "--cached", "--quiet"])).expect(1);
    let shown = differences(&printed(&repo, &["diff-index", "--cached", "-p", "-U0", "--text", "HEAD"]));
    assert_eq!((&shown["a.txt"].added, &shown["a.txt"].removed), (&BTreeSet::from([5]), &BTreeSet::from([3, 4])));
}
