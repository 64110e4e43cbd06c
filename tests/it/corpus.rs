//! Files as an assistant would write them, with what is expected of every line: `tests/corpus/GROUP/PATH`.
//!
//! A line that ends in `«block rule»` or `«warn rule»` must be found by that rule and nothing else; a line without it must
//! not be found. The marks are taken off and the shapes filled in before the program sees the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use leakstop::rules::shape;

use crate::support::Repo;

/// What is said of a line: verdict and rule.
type Said = BTreeSet<String>;

/// The groups that must be there: the languages and formats of which assistants write most.
const GROUPS: &str = "ansible arm assistants azure-pipelines bicep circleci cloudformation compose config csharp dockerfile files github gitlab go helm \
    java javascript jenkins kotlin kubernetes kustomize make notebooks packages php powershell pulumi python ruby rust scala shell sql swift terraform";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// All files of the corpus by their path in it.
fn files() -> BTreeMap<String, String> {
    let root = folder();
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.parent() != Some(&root) {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The text without its marks, and what they say, by line.
fn read(marked: &str) -> (String, BTreeMap<u64, Said>) {
    let mut text = String::new();
    let mut expected: BTreeMap<u64, Said> = BTreeMap::new();
    for (at, line) in marked.lines().enumerate() {
        let mut parts = line.split('«');
        text.push_str(parts.next().unwrap_or_default().trim_end());
        text.push('\n');
        let said = parts.map(|mark| mark.trim_end().strip_suffix('»').expect("a mark ends with »").to_owned());
        expected.entry(at as u64 + 1).or_default().extend(said);
    }
    expected.retain(|_, said| !said.is_empty());
    (text, expected)
}

#[test]
fn every_line_of_the_corpus_is_judged_as_it_is_marked() {
    let repo = Repo::new();
    let mut expected: BTreeMap<(String, u64), Said> = BTreeMap::new();
    for (seed, (path, marked)) in files().into_iter().enumerate() {
        let (text, said) = read(&marked);
        repo.write(&path, shape::fill(&text, seed as u64 + 1));
        expected.extend(said.into_iter().map(|(line, said)| ((path.clone(), line), said)));
    }
    let report = repo.report(&["scan", "--no-ignore", "."], 1);
    let mut found: BTreeMap<(String, u64), Said> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let path = finding["path"].as_str().unwrap().to_owned();
        let said = format!("{} {}", finding["verdict"].as_str().unwrap(), finding["rule"].as_str().unwrap());
        // A whole file is told at its first line.
        found.entry((path, finding["line"].as_u64().unwrap_or(1))).or_default().insert(said);
    }
    found.retain(|(path, _), _| !path.starts_with(".git/"));
    let places: BTreeSet<_> = expected.keys().chain(found.keys()).cloned().collect();
    let none = Said::new();
    let mut wrong = Vec::new();
    for place in places {
        let (wanted, told) = (expected.get(&place).unwrap_or(&none), found.get(&place).unwrap_or(&none));
        if wanted != told {
            wrong.push(format!("{}:{}: marked {wanted:?}, found {told:?}", place.0, place.1));
        }
    }
    assert!(wrong.is_empty(), "{} lines are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_group_of_the_corpus_has_two_files_with_found_and_with_clean_lines() {
    let mut groups: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (path, marked) in files() {
        let (text, said) = read(&marked);
        groups.entry(path.split('/').next().unwrap().to_owned()).or_default().push((said.len(), text.lines().count() - said.len()));
    }
    for name in GROUPS.split_ascii_whitespace() {
        let files = groups.get(name).unwrap_or_else(|| panic!("no file for {name}"));
        assert!(files.len() >= 2, "{name}: one file only");
        let (found, clean) = files.iter().fold((0, 0), |sum, file| (sum.0 + file.0, sum.1 + file.1));
        assert!(found >= 2 && clean >= 5, "{name}: {found} marked and {clean} clean lines");
    }
    assert_eq!(groups.len(), GROUPS.split_ascii_whitespace().count(), "a group is not in the list");
}
