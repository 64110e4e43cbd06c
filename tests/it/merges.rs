//! A merge brings in what its parents hold: known is what a remote has, new is all else.

use crate::support::{Repo, token};

const BACKENDS: [&str; 2] = ["git2", "git"];

/// A guarded repository with a remote: `theirs.txt` with a secret stands on the remote's branch `theirs` only.
fn cloned() -> (Repo, Repo) {
    let server = Repo::bare();
    let repo = Repo::guarded();
    repo.has_remote(&server);
    let base = repo.accept("a", "one\n");
    repo.git(&["push", "-q", "--no-verify", "origin", "main"]).expect(0);
    repo.git(&["checkout", "-q", "-b", "theirs", &base]).expect(0);
    repo.accept("theirs.txt", token(1));
    repo.accept("a", "two\n");
    repo.git(&["push", "-q", "--no-verify", "origin", "theirs"]).expect(0);
    repo.git(&["checkout", "-q", "main"]).expect(0);
    repo.git(&["fetch", "-q", "origin"]).expect(0);
    (repo, server)
}

#[test]
fn what_a_remote_has_is_not_new_in_a_merge() {
    for backend in BACKENDS {
        let (repo, _server) = cloned();
        let merged = repo.git_with(("LEAKSTOP_BACKEND", backend), &["merge", "--no-ff", "-q", "origin/theirs"]).expect(0);
        assert!(merged.err.contains("passed"), "{}", merged.err);
    }
}

#[test]
fn what_a_purely_local_branch_brings_is_new_in_a_merge() {
    for backend in BACKENDS {
        let (repo, _server) = cloned();
        repo.git(&["checkout", "-q", "-b", "mine", "origin/theirs"]).expect(0);
        repo.accept("deep/mine.txt", token(2));
        repo.git(&["checkout", "-q", "main"]).expect(0);
        let refused = repo.git_with(("LEAKSTOP_BACKEND", backend), &["merge", "--no-ff", "-q", "mine"]).expect(1);
        assert!(refused.err.contains("deep/mine.txt:1:1"), "{}", refused.err);
        assert!(!refused.err.contains("theirs.txt"), "a remote has this one: {}", refused.err);
    }
}

#[test]
fn without_a_remote_every_parent_is_local() {
    for backend in BACKENDS {
        let repo = Repo::guarded();
        let base = repo.accept("a", "one\n");
        repo.git(&["checkout", "-q", "-b", "mine", &base]).expect(0);
        repo.accept("mine.txt", token(3));
        repo.git(&["checkout", "-q", "main"]).expect(0);
        let refused = repo.git_with(("LEAKSTOP_BACKEND", backend), &["merge", "--no-ff", "-q", "mine"]).expect(1);
        assert!(refused.err.contains("mine.txt:1:1"), "{}", refused.err);
    }
}

#[test]
fn a_resolution_holds_what_no_parent_does() {
    for backend in BACKENDS {
        let (repo, _server) = cloned();
        repo.accept("a", "three\n");
        repo.git(&["merge", "-q", "origin/theirs"]).expect(1);
        repo.stage("a", format!("three\n{}\n", token(4)));
        let refused = repo.git_with(("LEAKSTOP_BACKEND", backend), &["commit", "-qm", "merged"]).expect(1);
        assert!(refused.err.contains("a:2:1") && !refused.err.contains("theirs.txt"), "{}", refused.err);
        repo.stage("a", "three\ntwo\n");
        let merged = repo.git_with(("LEAKSTOP_BACKEND", backend), &["commit", "-qm", "merged"]).expect(0);
        assert!(merged.err.contains("passed"), "{}", merged.err);
    }
}

#[test]
fn of_an_octopus_each_parent_is_judged_by_itself() {
    for backend in BACKENDS {
        let (repo, _server) = cloned();
        repo.git(&["checkout", "-q", "-b", "mine", "main"]).expect(0);
        repo.accept("mine.txt", token(5));
        repo.git(&["checkout", "-q", "-b", "work", "main"]).expect(0);
        repo.accept("work.txt", "hello");
        let refused = repo.git_with(("LEAKSTOP_BACKEND", backend), &["merge", "--no-ff", "-q", "origin/theirs", "mine"]);
        assert!(refused.code != 0 && refused.err.contains("mine.txt:1:1") && !refused.err.contains("theirs.txt"), "{}", refused.err);
    }
}
