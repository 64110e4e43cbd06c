//! Taking over another scanner's exceptions and rules: what can be said works, what cannot is told with its reason.

use std::fs;

use leakstop::rules::shape::fill;
use sha1::{Digest, Sha1};

use crate::support::{Repo, token};

const OWNED: [&str; 6] = ["--owner", "ann", "--reason", "taken over", "--expires", "2999-12-31"];

fn import(repo: &Repo, file: &str, code: i32) -> String {
    let ended = repo.leakstop(&[&["import", file][..], &OWNED].concat()).expect(code);
    ended.out + &ended.err
}

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

#[test]
fn places_of_an_ignore_file_become_lines_of_the_baseline() {
    let repo = Repo::new();
    let first = repo.accept("a.txt", format!("x\n{}", key(1)));
    repo.accept("a.txt", "x\n");
    repo.accept("src/b.txt", key(2) + &key(3));
    let lines = format!(
        "# old\n{first}:a.txt:github-pat:2\nsrc/b.txt:github-pat:1\nsrc/b.txt:generic:9\ngone.txt:x:1\n{}:a.txt:x:1\nnonsense\n",
        "ab".repeat(20)
    );
    repo.write(".gitleaksignore", lines);
    let told = import(&repo, ".gitleaksignore", 0);
    for expected in [
        "accepted 2 findings in ",
        "left     src/b.txt:generic:9: leakstop finds nothing there, so it needs no exception",
        "left     gone.txt:x:1: there is no such file in the commit",
        "a.txt:x:1: its commit is not in this repository",
        "left     nonsense: it is no `[commit:]file:rule:line`",
        "leakstop: 0 rules and 2 exceptions taken over from .gitleaksignore, 4 left out",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let report = repo.report(&["scan", "src", "--verbose"], 1);
    let verdicts: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|one| (one["line"].as_u64().unwrap(), one["verdict"].as_str().unwrap())).collect();
    assert_eq!(verdicts, [(1, "allow"), (2, "block")]);
}

#[test]
fn a_baseline_of_detect_secrets_is_found_by_value_before_line() {
    let repo = Repo::new();
    repo.accept("a.txt", format!("moved\ndown\n{}", key(1)));
    repo.accept("b.txt", key(2));
    repo.accept("c.txt", key(3));
    let sha1 = |seed| Sha1::digest(token(seed)).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let entry = |file: &str, sum: &str, line: u32, more: &str| {
        format!("\"{file}\": [{{\"type\": \"GitHub Token\", \"filename\": \"{file}\", \"hashed_secret\": \"{sum}\", \"line_number\": {line}{more}}}]")
    };
    let results = [
        entry("a.txt", &sha1(1), 1, ""),
        entry("b.txt", &"0".repeat(40), 1, ", \"is_secret\": false"),
        entry("c.txt", &sha1(3), 1, ", \"is_secret\": true"),
    ];
    let filters = "[{\"path\": \"detect_secrets.filters.heuristic.is_uuid\"}, {\"path\": \"detect_secrets.filters.regex.should_exclude_line\", \"pattern\": [\"x\"]}]";
    let text = format!(
        "{{\"version\": \"1.5.0\", \"plugins_used\": [{{\"name\": \"Mine\", \"path\": \"file://mine.py\"}}], \"filters_used\": {filters}, \"results\": {{{}}}}}",
        results.join(", ")
    );
    repo.write(".secrets.baseline", text);
    let told = import(&repo, ".secrets.baseline", 0);
    for expected in [
        "accepted 2 findings in ",
        "left     c.txt:1 (GitHub Token): it was audited as a real secret; take it out instead",
        "left     plugin Mine: it is a program of your own (file://mine.py)",
        "left     filter should_exclude_line: leakstop judges values, not lines",
        ", 3 left out",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let report = repo.report(&["scan", "a.txt", "b.txt", "c.txt", "--verbose"], 1);
    let verdicts: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["allow", "allow", "block"]);
}

/// A configuration with most of what one may hold.
const GITLEAKS: &str = r#"
title = "ours"
colour = "red"
[extend]
useDefault = true
disabledRules = ["aws-access-token"]
[[rules]]
id = "Acme_Key"
description = "An Acme key deploys."
regex = '''(?i)(deploy|ship)\(['"]?(acme_[0-9a-z]{24})\b'''
secretGroup = 2
keywords = ["acme_"]
tags = ["key"]
[[rules.allowlists]]
stopwords = ["harmless"]
[[rules]]
id = "acme-random"
regex = '''acmer_[0-9a-zA-Z]{20}'''
entropy = 3.5
path = '''(^|/)deploy/'''
[[rules]]
id = "no-word"
regex = '''[0-9a-f]{32}'''
[[rules]]
id = "go-only"
regex = '''(?!x)acme'''
[[rules]]
id = "keystore"
path = '''\.acmekeys$'''
[allowlist]
paths = ['''(^|/)vendor/''', '''[0-9]+\.txt$''']
regexes = ['''^ghp_A''', '''x*''']
stopwords = ["acmedemo", "abc"]
commits = ["0123456789"]
[[allowlists]]
condition = "AND"
paths = ['''docs/''']
regexes = ['''^ghp_''']
[[allowlists]]
condition = "AND"
paths = ['''docs/''']
regexes = ['''print''']
regexTarget = "line"
[[allowlists]]
targetRules = ["acme-random", "aws-access-token"]
regexes = ['''zz$''']
"#;

#[test]
fn rules_and_lists_of_gitleaks_work_here() {
    let repo = Repo::new();
    repo.write("mine.toml", GITLEAKS);
    let told = import(&repo, "mine.toml", 0);
    for expected in [
        "changed  rule Acme_Key: it is called `acme-key` here",
        "changed  rule acme-random: it had no keywords; it has `acmer_` here",
        "changed  rule acme-random: the least entropy of 3.5 became the check `random`",
        "left     rule no-word: its pattern needs no fixed word",
        "left     rule go-only: it is no regular expression here",
        "left     rule Acme_Key: tags: leakstop has none",
        "left     colour: leakstop has nothing like it",
        "left     disabled rule aws-access-token: the rules have other names here",
        "left     allowlist: path [0-9]+\\.txt$: no globs say the same",
        "left     allowlist: regex x*: it matches every value",
        "left     allowlist: stopword abc: it has fewer than 4 characters",
        "left     allowlist: commit 0123456789: leakstop excuses findings, not commits",
        "left     allowlist: regex print: it is about the line",
        "left     allowlist: all of its conditions have to hold, and one could not be taken over",
        "left     allowlist for aws-access-token: leakstop has no rule of that name",
        "leakstop: 3 rules and 5 exceptions taken over from mine.toml, ",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    // What was written is used.
    let acme = |seed| fill("acme_{loweralnum:24}", seed);
    for (path, text, expected) in [
        ("a.txt", format!("deploy({})\n", acme(1)), "acme-key block"),
        ("b.txt", format!("deploy(acme_harmless{})\n", fill("{loweralnum:16}", 2)), "acme-key allow"),
        ("c.txt", format!("other({})\n", acme(3)), ""),
        ("vendor/d.txt", format!("deploy({})\n", acme(4)), "acme-key allow"),
        ("docs/e.txt", key(5), "github-pat-classic allow"),
        ("f.txt", key(6), "github-pat-classic block"),
        ("x/deploy/g.txt", fill("acmer_{alnum:20}\n", 7), "acme-random block"),
        ("x/h.txt", fill("acmer_{alnum:20}\n", 7), ""),
        ("prod.acmekeys", "x\n".to_owned(), "keystore block"),
        ("i.yaml", fill("password: acmedemo-{alnum:14}\n", 8), "hardcoded-credential allow"),
    ] {
        repo.write(path, text);
        let file = repo.beside("report.json");
        repo.leakstop(&["scan", path, "--verbose", "--format", "json", "--output", file.to_str().unwrap()]);
        let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let found: Vec<_> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{} {}", one["rule"].as_str().unwrap(), one["verdict"].as_str().unwrap()))
            .collect();
        assert_eq!(found.join(", "), expected, "{path}");
    }
    // A second time nothing is written: the rules are there.
    let before = fs::read(repo.path().join(".leakstop.toml")).unwrap();
    assert!(import(&repo, "mine.toml", 2).contains("the id `acme-key` is taken by a rule of"));
    assert_eq!(fs::read(repo.path().join(".leakstop.toml")).unwrap(), before);
}

#[test]
fn a_dry_run_writes_nothing() {
    let repo = Repo::new();
    repo.accept("a.txt", key(1));
    repo.write("mine.toml", GITLEAKS);
    repo.write("ignored", "a.txt:x:1\n");
    for file in ["mine.toml", "ignored"] {
        let told = repo.leakstop(&[&["import", file, "--dry-run"][..], &OWNED].concat()).expect(0).out;
        assert!(told.starts_with("would "), "{told}");
    }
    assert!(!repo.path().join(".leakstop.toml").exists() && !repo.path().join(".leakstop-baseline").exists());
}

#[test]
fn what_is_none_of_them_is_refused() {
    let repo = Repo::new();
    for (text, expected) in [("{\"a\": 1}", "it has no `results`"), ("[rules]\nx = ", "it is no configuration of gitleaks"), ("{", "it is no JSON")] {
        repo.write("other", text);
        let told = import(&repo, "other", 2);
        assert!(told.contains("cannot take over `other`") && told.contains(expected), "{told}");
    }
    repo.leakstop(&["import", "other", "--owner", "ann", "--reason", "x", "--expires", "2001-01-01"]).expect(2);
}
