//! Merges of branches that a remote has; those of local ones are in `merges.rs` beside this folder.

use super::*;

/// Makes a branch one that was pushed: what a purely local one brings is new, which `merges.rs` shows.
fn a_remote_has(repo: &Repo, branch: &str) {
    repo.git(&["update-ref", &format!("refs/remotes/origin/{branch}"), branch]).expect(0);
}

/// Two branches that changed the same line: `main` is checked out.
fn in_conflict() -> Repo {
    let repo = Repo::started();
    repo.accept("a.txt", "old\n");
    repo.git(&["switch", "-q", "-c", "side"]).expect(0);
    repo.accept("a.txt", "theirs\n");
    repo.accept("theirs.txt", key(1));
    a_remote_has(&repo, "side");
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.accept("a.txt", "ours\n");
    assert_ne!(repo.git(&["merge", "-q", "side"]).code, 0);
    repo
}

#[test]
fn an_unresolved_conflict_is_an_error() {
    let repo = in_conflict();
    let ended = repo.leakstop(&["hook", "pre-commit"]).expect(2);
    assert!(ended.err.contains("unresolved conflict: `a.txt`"), "{}", ended.err);
}

#[test]
fn a_resolution_brings_what_neither_side_has() {
    let repo = in_conflict();
    repo.stage("a.txt", key(2));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("a.txt:1:8") && told.contains("1 blocking"), "{told}");
    repo.stage("a.txt", "both\n");
    repo.takes(&COMMIT);
}

/// Two branches that merge by themselves; the other one holds an accepted secret.
fn side_by_side() -> Repo {
    let repo = Repo::started();
    repo.accept("a.txt", prose());
    repo.git(&["switch", "-q", "-c", "side"]).expect(0);
    repo.accept("theirs.txt", key(1));
    repo.accept("a.txt", format!("{}{}", prose(), key(3)));
    a_remote_has(&repo, "side");
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.accept("a.txt", format!("ours\n{}", prose()));
    repo
}

#[test]
fn a_clean_merge_of_accepted_content_introduces_nothing() {
    side_by_side().takes(&["merge", "-q", "-m", "merge", "side"]);
}

#[test]
fn a_merge_that_waits_and_is_committed_introduces_nothing() {
    let repo = side_by_side();
    repo.git(&["merge", "-q", "--no-commit", "side"]).expect(0);
    repo.takes(&COMMIT);
}

#[test]
fn what_is_slipped_into_a_merge_is_found() {
    let repo = side_by_side();
    repo.git(&["merge", "-q", "--no-commit", "side"]).expect(0);
    repo.stage("evil.txt", key(2));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("evil.txt:1:8") && told.contains("1 blocking"), "{told}");
}

#[test]
fn an_octopus_merge_introduces_nothing() {
    let repo = side_by_side();
    repo.git(&["switch", "-q", "-c", "third", "HEAD~1"]).expect(0);
    repo.accept("third.txt", key(2));
    a_remote_has(&repo, "third");
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.takes(&["merge", "-q", "-m", "merge", "side", "third"]);
}

#[test]
fn a_merge_that_renames_what_the_other_side_edited_introduces_nothing() {
    let repo = Repo::started();
    repo.accept("a.txt", format!("{}{}", prose(), key(1)));
    repo.git(&["switch", "-q", "-c", "side"]).expect(0);
    repo.accept("a.txt", format!("{}{}edited\n", prose(), key(1)));
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.git(&["mv", "a.txt", "b.txt"]).expect(0);
    repo.git(&["commit", "-q", "--no-verify", "-m", "rename"]).expect(0);
    repo.takes(&["merge", "-q", "-m", "merge", "side"]);
}

#[test]
fn the_message_of_a_merge_is_read() {
    let repo = side_by_side();
    let ended = repo.git(&["merge", "-q", "-m", &format!("merge {}", token(2)), "side"]);
    assert!(ended.code != 0 && ended.err.contains("commit message, line 1:7"), "{}", ended.err);
}
