//! The baseline: old findings that somebody accepted together, in commits, pushes and scans.

use std::fs;

use crate::support::{Repo, assert_redacted, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];
const FILE: &str = ".leakstop-baseline";
const WRITE: [&str; 8] = ["baseline", "write", "--owner", "ann", "--reason", "found when leakstop came", "--expires", "2999-12-31"];

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// A guarded repository with two old findings.
fn old() -> Repo {
    let repo = Repo::started();
    repo.accept("a.txt", key(1));
    repo.accept("src/b.txt", key(2));
    repo
}

/// The lines below the head.
fn lines(repo: &Repo) -> Vec<String> {
    let text = fs::read_to_string(repo.path().join(FILE)).unwrap();
    text.split_once("\n\n").unwrap().1.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn it_holds_what_the_last_commit_has_and_nothing_that_is_about_to_come() {
    let repo = old();
    repo.stage("c.txt", key(3));
    repo.write("d.txt", key(4));
    let told = repo.leakstop(&WRITE).expect(0).out;
    assert!(told.starts_with("2 found in the last commit, 2 of them new to ") && told.contains("ann answers for all 2 until 2999-12-31"), "{told}");
    let written = lines(&repo);
    let mut sorted = written.clone();
    sorted.sort();
    assert_eq!(written, sorted);
    let named: Vec<_> = written.iter().map(|line| &line[17..]).collect();
    assert!(named.contains(&"github-pat-classic a.txt") && named.contains(&"github-pat-classic src/b.txt"), "{named:?}");
    (1..5).for_each(|seed| assert_redacted(&fs::read_to_string(repo.path().join(FILE)).unwrap(), &token(seed)));
    // Old ones are silent, new ones are not.
    let report = repo.report(&["scan", "--verbose"], 1);
    let verdicts: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["allow", "block", "block", "allow"]);
    assert_eq!(report["findings"][0]["reason"], "an old finding, accepted by ann until 2999-12-31");
}

#[test]
fn it_counts_in_a_commit_once_it_is_staged() {
    let repo = old();
    repo.leakstop(&WRITE).expect(0);
    // The same value in another file is the same finding; the file with its owner comes along.
    repo.stage("copy.txt", key(1));
    repo.refuses(&COMMIT);
    repo.git(&["add", FILE]).expect(0);
    assert!(repo.git(&COMMIT).expect(0).err.contains("leakstop: passed: 1 allowed"));
    repo.stage("c.txt", key(3));
    repo.refuses(&COMMIT);
}

#[test]
fn a_server_reads_the_reviewed_one() {
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    repo.accept("README", "hello\n");
    repo.push_passes(&["main"]);
    repo.accept("a.txt", key(1));
    repo.leakstop(&WRITE).expect(0);
    repo.git(&["add", FILE]).expect(0);
    repo.git(&COMMIT).expect(0);
    repo.push_is_refused(&server, &["main"]);
    let text = fs::read(repo.path().join(FILE)).unwrap();
    repo.git(&["switch", "-q", "-c", "review", "main~2"]).expect(0);
    repo.accept(FILE, text);
    repo.push_passes(&["review:main"]);
    repo.accept("a.txt", key(1));
    let told = repo.git(&["push", "-q", "--no-verify", "origin", "review:main"]).expect(0).err;
    assert!(told.contains("remote: leakstop: passed: 1 allowed"), "{told}");
    // One that is broken does not get there.
    repo.accept(FILE, "nonsense\n");
    let before = server.contents();
    let ended = repo.git(&["push", "-q", "--no-verify", "origin", "review:main"]);
    assert!(ended.code != 0 && ended.err.contains("`.leakstop-baseline of "), "{}", ended.err);
    assert_eq!(server.contents(), before);
}

#[test]
fn what_is_gone_is_stale_until_it_is_pruned() {
    let repo = old();
    repo.leakstop(&WRITE).expect(0);
    repo.leakstop(&["baseline", "check"]).expect(0);
    repo.git(&["rm", "-q", "a.txt"]).expect(0);
    repo.leakstop(&["baseline", "check"]).expect(0); // it is still in the last commit
    repo.git(&["commit", "-q", "-m", "gone"]).expect(0);
    let told = repo.leakstop(&["baseline", "check"]).expect(1).out;
    assert!(
        told.starts_with("stale    ") && told.contains(" github-pat-classic a.txt\n") && told.contains("2 accepted by ann until 2999-12-31, 1 stale"),
        "{told}"
    );
    assert!(repo.leakstop(&["baseline", "prune"]).expect(0).out.starts_with("took away 1 of 2; 1 are left in "));
    assert_eq!(lines(&repo).len(), 1);
    repo.leakstop(&["baseline", "check"]).expect(0);
    // Writing again adds and keeps the head.
    repo.accept("c.txt", key(3));
    assert!(repo.leakstop(&["baseline", "write"]).expect(0).out.starts_with("2 found in the last commit, 1 of them new"));
    assert_eq!(lines(&repo).len(), 2);
}

#[test]
fn one_over_the_history_keeps_what_only_old_commits_hold() {
    let repo = old();
    repo.git(&["rm", "-q", "a.txt"]).expect(0);
    repo.git(&["commit", "-q", "-m", "gone"]).expect(0);
    repo.leakstop(&["scan", "--history"]).expect(1);
    repo.leakstop(&[&WRITE[..], &["--history"]].concat()).expect(0);
    repo.leakstop(&["baseline", "check"]).expect(0);
    repo.git(&["add", FILE]).expect(0);
    repo.git(&["commit", "-q", "-m", "baseline"]).expect(0);
    repo.leakstop(&["scan", "--history"]).expect(0);
}

#[test]
fn somebody_has_to_answer_and_not_for_ever() {
    let repo = old();
    assert!(repo.leakstop(&["baseline", "write"]).expect(2).err.contains("nobody says `--owner`"));
    repo.leakstop(&["baseline", "write", "--owner", "ann", "--reason", " ", "--expires", "2999-12-31"]).expect(2);
    repo.leakstop(&["baseline", "write", "--owner", "ann", "--reason", "x", "--expires", "2001-01-01"]).expect(2);
    assert!(!repo.path().join(FILE).exists());
    repo.leakstop(&WRITE).expect(0);
    let text = fs::read_to_string(repo.path().join(FILE)).unwrap();
    repo.write(FILE, text.replace("2999-12-31", "2024-02-29"));
    let told = repo.leakstop(&["scan"]).expect(1).out;
    assert!(told.contains("because the exception of ann ran out on 2024-02-29") && told.contains("note: the baseline "), "{told}");
    assert!(repo.leakstop(&["baseline", "check"]).expect(1).out.contains("over     it ran out on 2024-02-29"));
    repo.leakstop(&["baseline", "write", "--expires", "2999-12-31"]).expect(0);
    repo.leakstop(&["scan"]).expect(0);
}

#[test]
fn branches_that_both_add_merge_by_lines() {
    let repo = old();
    repo.write(".gitattributes", ".leakstop-baseline merge=union\n");
    repo.git(&["add", ".gitattributes"]).expect(0);
    repo.leakstop(&WRITE).expect(0);
    repo.git(&["add", FILE]).expect(0);
    repo.git(&["commit", "-q", "--no-verify", "-m", "baseline"]).expect(0);
    for (branch, seed) in [("one", 11), ("two", 12)] {
        repo.git(&["switch", "-q", "-c", branch, "main"]).expect(0);
        repo.accept(&format!("{branch}.txt"), key(seed));
        repo.leakstop(&["baseline", "write"]).expect(0);
        repo.git(&["add", FILE]).expect(0);
        repo.git(&["commit", "-q", "--no-verify", "-m", branch]).expect(0);
    }
    repo.git(&["merge", "-q", "--no-verify", "--no-edit", "one"]).expect(0);
    let told = repo.leakstop(&["baseline", "check"]).expect(0).out;
    assert!(told.contains("4 accepted by ann"), "{told}");
    repo.leakstop(&["scan"]).expect(0);
}

#[test]
fn a_broken_one_closes_the_gate() {
    let repo = old();
    repo.stage(FILE, "owner: ann\nreason: x\nexpires: 2999-12-31\n\n<<<<<<< HEAD\n");
    let ended = repo.git(&COMMIT);
    assert!(ended.code != 0 && ended.err.contains("`.leakstop-baseline (as staged)`, line 5, column 1: a merge conflict is left"), "{}", ended.err);
    repo.leakstop(&["scan"]).expect(2);
    repo.leakstop(&["baseline", "check"]).expect(2);
}
