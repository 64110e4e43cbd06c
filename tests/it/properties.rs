//! What must hold for any input.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use leakstop::finding::Fingerprint;
use leakstop::rules::{RuleFile, SOURCES, shape};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::Value;

use crate::support::{Repo, ended_with, token};

/// The same cases every time, so that a failure is found again, and no file of past failures is kept.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_algorithm: prop::test_runner::RngAlgorithm::ChaCha,
        rng_seed: prop::test_runner::RngSeed::Fixed(7),
        ..ProptestConfig::default()
    }
}

mod redaction {
    use super::*;

    /// How a secret is written down.
    const WRITTEN: [fn(&str) -> String; 7] = [
        |secret| secret.to_owned(),
        |secret| STANDARD.encode(secret),
        |secret| URL_SAFE_NO_PAD.encode(format!("user:{secret}")),
        |secret| secret.bytes().map(|b| format!("{b:02x}")).collect(),
        |secret| secret.bytes().map(|b| format!("%{b:02X}")).collect(),
        |secret| STANDARD.encode(STANDARD.encode(secret)),
        |secret| format!("https://x:{secret}@example.org/{secret}"),
    ];
    const FORMATS: [&[&str]; 5] = [&["--verbose"], &["--quiet"], &["--color", "always"], &["--format", "json"], &["--format", "jsonl"]];

    fn check(told: &str, secret: &str, written: &str) -> TestCaseResult {
        for hidden in [secret, written].iter().filter(|hidden| !hidden.contains("://")) {
            for window in hidden.as_bytes().windows(8) {
                prop_assert!(memchr::memmem::find(told.as_bytes(), window).is_none(), "{:?}\n{told}", String::from_utf8_lossy(window));
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(cases(20))]
        #[test]
        fn no_report_holds_a_part_of_a_secret(
            seed in 1..1000u64, sound in any::<bool>(), how in 0..WRITTEN.len(),
            before in "[a-z =:'\"\n]{0,12}[ =:'\"\n]", in_path in any::<bool>(), in_ref in any::<bool>(), in_message in any::<bool>(),
        ) {
            let secret = if sound { token(seed) } else { shape::fill("ghp_{alnum:36}", seed) };
            let written = WRITTEN[how](&secret);
            let repo = Repo::new();
            repo.stage("a.txt", format!("{before}{written}\n"));
            if in_path {
                repo.stage(&format!("some {}/{secret}.txt", written.replace(['/', ':'], "_")), "hello\n");
            }
            let message = if in_message { format!("work\n\n{before}{written}") } else { "work".to_owned() };
            repo.git(&["commit", "-q", "-m", &message]).expect(0);
            if in_ref {
                repo.git(&["branch", &secret]).expect(0);
                repo.git(&["tag", "-a", &format!("v-{secret}"), "-m", &written]).expect(0);
            }
            for format in FORMATS {
                let ended = repo.leakstop(&[&["scan", "--history"], format].concat());
                prop_assert!(ended.code == if sound { 1 } else { 0 }, "{}{}", ended.out, ended.err);
                check(&(ended.out + &ended.err), &secret, &written)?;
            }
        }
    }

    /// Every rule's own examples: what a report marks is nowhere in it.
    #[test]
    fn no_report_holds_a_part_of_what_any_rule_finds() {
        let repo = Repo::new();
        let mut told_anyway = String::new();
        let mut files = Vec::new();
        for (_, source) in SOURCES.iter() {
            let file: RuleFile<'_> = toml::from_str(source).unwrap();
            told_anyway.push_str(&file.fix);
            for rule in &file.rule {
                let rotate = rule.rotate.as_deref().unwrap_or_default();
                told_anyway.push_str(&format!("{} {} {} {} {rotate}\n", rule.id, rule.title, rule.risk, rule.fix));
                for (at, example) in rule.examples.iter().enumerate() {
                    let name = rule.example_path.as_deref().unwrap_or("example.txt");
                    files.push(format!("{}/{name}", files.len()));
                    repo.write(&files[files.len() - 1], shape::fill(example, at as u64 + 1));
                }
            }
        }
        let human = repo.leakstop(&["scan", "--verbose", "--no-ignore"]).expect(1).out;
        let json = repo.leakstop(&["scan", "--no-ignore", "--format", "json"]).expect(1).out;
        let report: Value = serde_json::from_str(&json).unwrap();
        let mut checked = 0;
        for one in report["findings"].as_array().unwrap() {
            let place = ["line", "column", "end_line", "end_column"].map(|key| one[key].as_u64().map(|n| n as usize));
            let ([Some(line), Some(column), Some(end_line), Some(end_column)], false) = (place, one["length"].is_null()) else { continue };
            // The rest of the path may be masked.
            let file: usize = one["path"].as_str().unwrap().split('/').next().unwrap().parse().unwrap();
            let text = fs::read(repo.path().join(&files[file])).unwrap();
            let starts: Vec<usize> = std::iter::once(0).chain(memchr::memchr_iter(b'\n', &text).map(|at| at + 1)).collect();
            let secret = &text[starts[line - 1] + column - 1..starts[end_line - 1] + end_column - 1];
            checked += 1;
            for window in secret.windows(8).filter(|window| memchr::memmem::find(told_anyway.as_bytes(), window).is_none()) {
                for told in [&human, &json] {
                    assert!(memchr::memmem::find(told.as_bytes(), window).is_none(), "{one}\n{:?}", String::from_utf8_lossy(window));
                }
            }
        }
        assert!(checked >= SOURCES.len(), "only {checked} findings hold a secret");
    }
}

mod fingerprints {
    use super::*;

    proptest! {
        #![proptest_config(cases(24))]
        #[test]
        fn lines_above_a_secret_and_its_path_move_no_fingerprint(
            seed in 1..1000u64, above in "([ -~]{0,30}\n){0,6}", indent in "[ \t]{0,6}", path in "[a-z]{1,8}\\.(py|txt|md)",
        ) {
            let repo = Repo::new();
            let text = format!("{above}{indent}x = '{}'\n", token(seed));
            let arguments = ["scan", "--stdin", "--path", &path, "--format", "json"];
            let report: Value = serde_json::from_str(&repo.leakstop_with(&arguments, text.as_bytes()).expect(1).out).unwrap();
            let found: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| one["fingerprint"].as_str().unwrap().to_owned()).collect();
            prop_assert_eq!(found, [fingerprint(seed)]);
        }
    }
}

fn fingerprint(seed: u64) -> String {
    Fingerprint::new("leakstop", "github-pat-classic", token(seed).as_bytes()).to_string()
}

mod agreement_with_git {
    use super::*;

    const PATHS: [&str; 4] = ["a", "b", "d/c", "d/e/f"];

    /// A commit: which earlier commits are its parents (counted back), and what it does to the first one's tree.
    #[derive(Clone, Debug)]
    struct Step {
        parents: Vec<usize>,
        edits: Vec<Edit>,
    }

    #[derive(Clone, Debug)]
    enum Edit {
        Write(usize, u64),
        Delete(usize),
        Move(usize, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let path = 0..PATHS.len();
        let edit = prop_oneof![
            4 => (path.clone(), 1..9u64).prop_map(|(path, seed)| Edit::Write(path, seed)),
            1 => path.clone().prop_map(Edit::Delete),
            2 => (path.clone(), path).prop_map(|(from, to)| Edit::Move(from, to)),
        ];
        (prop::collection::vec(1..4usize, 0..3), prop::collection::vec(edit, 0..4)).prop_map(|(parents, edits)| Step { parents, edits })
    }

    type Tree = BTreeMap<&'static str, u64>;

    /// The history as git's fast-import reads it, and each commit's parents and tree.
    fn history(steps: &[Step]) -> (String, Vec<(Vec<usize>, Tree)>) {
        let mut commits: Vec<(Vec<usize>, Tree)> = Vec::new();
        let mut stream = String::new();
        for (at, step) in steps.iter().enumerate() {
            let mut parents: Vec<usize> = step.parents.iter().filter_map(|back| at.checked_sub(*back)).collect();
            parents.dedup();
            let mut tree = parents.first().map(|&parent| commits[parent].1.clone()).unwrap_or_default();
            for edit in &step.edits {
                match *edit {
                    Edit::Write(path, seed) => drop(tree.insert(PATHS[path], seed)),
                    Edit::Delete(path) => drop(tree.remove(PATHS[path])),
                    Edit::Move(from, to) => {
                        if let Some(seed) = tree.remove(PATHS[from]) {
                            tree.insert(PATHS[to], seed);
                        }
                    }
                }
            }
            // Each commit is another one, even when it changes nothing.
            let message = format!("step {at}");
            write!(
                stream,
                "commit refs/made/{at}\nmark :{}\ncommitter A <a@b> {} +0000\ndata {}\n{message}\n",
                at + 1,
                1_700_000_000 + at,
                message.len()
            )
            .unwrap();
            for (first, parent) in parents.iter().enumerate().map(|(n, parent)| (n == 0, parent)) {
                writeln!(stream, "{} :{}", if first { "from" } else { "merge" }, parent + 1).unwrap();
            }
            stream.push_str("deleteall\n");
            for (path, &seed) in &tree {
                let text = content(seed);
                write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
            }
            stream.push('\n');
            commits.push((parents, tree));
        }
        (stream, commits)
    }

    /// Two of the contents hold no secret.
    fn content(seed: u64) -> String {
        if seed < 3 { format!("clean {seed}") } else { token(seed) }
    }

    fn ancestors(commits: &[(Vec<usize>, Tree)], tips: &[usize]) -> BTreeSet<usize> {
        let mut found: BTreeSet<usize> = BTreeSet::new();
        let mut open = tips.to_vec();
        while let Some(at) = open.pop() {
            if found.insert(at) {
                open.extend(&commits[at].0);
            }
        }
        found
    }

    proptest! {
        #![proptest_config(cases(40))]
        #[test]
        fn a_push_is_read_as_git_tells_it(steps in prop::collection::vec(step(), 3..12), cut in 0..8usize, more in 0..3usize) {
            let (stream, commits) = history(&steps);
            let repo = Repo::bare();
            ended_with(repo.command("git").args(["fast-import", "--quiet"]), stream.as_bytes()).expect(0);
            let ids: Vec<String> =
                (0..commits.len()).map(|at| repo.path().join("refs/made").join(at.to_string())).map(|file| fs::read_to_string(file).unwrap().trim().to_owned()).collect();
            fs::remove_dir_all(repo.path().join("refs/made")).unwrap();
            let last = commits.len() - 1;
            let base = cut.min(last);
            let tips: Vec<usize> = (last.saturating_sub(more)..=last).collect();
            repo.git(&["update-ref", "refs/heads/main", &ids[base]]).expect(0);
            let input: String = tips.iter().map(|&tip| format!("{} {} refs/heads/t{tip}\n", "0".repeat(40), ids[tip])).collect();
            let file = repo.beside("report.json");
            let ended = repo.leakstop_with(&["hook", "pre-receive", "--format", "json", "--output", file.to_str().unwrap()], input.as_bytes());
            let report: Value = serde_json::from_slice(&fs::read(&file).unwrap_or_default()).map_err(|_| TestCaseError::fail(ended.err.clone()))?;

            // What git says: a version is new where it differs from every parent's.
            let tip_ids: Vec<&str> = tips.iter().map(|&tip| ids[tip].as_str()).collect();
            let mut arguments = vec!["log", "-m", "--raw", "--no-renames", "--no-abbrev", "--root", "--format=%x01%H %P"];
            arguments.extend(&tip_ids);
            arguments.extend(["--not", "--all"]);
            let log = repo.ask(&arguments);
            let mut differs: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
            let mut parents: BTreeMap<&str, usize> = BTreeMap::new();
            for part in log.split('\u{1}').skip(1) {
                let mut lines = part.lines();
                let mut words = lines.next().unwrap().split_whitespace();
                let commit = words.next().unwrap();
                parents.insert(commit, words.count().max(1));
                for line in lines.filter(|line| line.starts_with(':')) {
                    let (about, path) = line.split_once('\t').unwrap();
                    let about: Vec<&str> = about.split(' ').collect();
                    if about[4] != "D" {
                        *differs.entry((commit, path, about[3])).or_default() += 1;
                    }
                }
            }
            let new: BTreeSet<(&str, &str)> =
                differs.iter().filter(|((commit, ..), times)| **times == parents[commit]).map(|((_, path, blob), _)| (*path, *blob)).collect();
            let blobs: BTreeSet<&str> = new.iter().map(|(_, blob)| *blob).collect();
            let count = |name: &str| report["stats"][name].as_u64().unwrap() as usize;
            let counted = repo.ask(&[&["rev-list", "--count"], &tip_ids[..], &["--not", "--all"]].concat());
            prop_assert_eq!(count("commits").to_string(), counted);
            prop_assert_eq!((count("files"), count("blobs")), (new.len(), blobs.len()), "{}", log);
            let listed = repo.ask(&[&["rev-list", "--objects", "--no-object-names", "--filter=object:type=blob", "--filter-provided-objects"], &tip_ids[..], &["--not", "--all"]].concat());
            for blob in listed.lines().filter(|line| !line.is_empty()) {
                prop_assert!(blobs.contains(blob), "git lists {blob}");
            }

            // What is found: every secret that no accepted commit holds, and nothing that a parent has at that path.
            let accepted = ancestors(&commits, &[base]);
            let old: BTreeSet<u64> = accepted.iter().flat_map(|&at| commits[at].1.values().copied()).collect();
            let pushed = ancestors(&commits, &tips);
            let mut missing: BTreeSet<String> =
                pushed.iter().flat_map(|&at| commits[at].1.values()).filter(|seed| **seed > 2 && !old.contains(seed)).map(|&seed| fingerprint(seed)).collect();
            for one in report["findings"].as_array().unwrap() {
                let print = one["fingerprint"].as_str().unwrap();
                missing.remove(print);
                let at = ids.iter().position(|id| *id == one["commit"].as_str().unwrap()).unwrap();
                let path = one["path"].as_str().unwrap();
                prop_assert!(pushed.contains(&at) && !accepted.contains(&at));
                let there = commits[at].1.get(path).map(|&seed| fingerprint(seed));
                prop_assert_eq!(there.as_deref(), Some(print));
                for &parent in &commits[at].0 {
                    prop_assert!(commits[parent].1.get(path).is_none_or(|&seed| fingerprint(seed) != print), "{path} is old in {at}");
                }
            }
            prop_assert!(missing.is_empty(), "{missing:?}");
            prop_assert_eq!(ended.code, i32::from(!report["findings"].as_array().unwrap().is_empty()));
        }
    }
}
