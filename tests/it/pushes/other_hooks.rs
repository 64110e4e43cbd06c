//! `update` on the server and `pre-push` before it.

use super::*;

#[test]
fn the_update_hook_refuses_one_ref_and_lets_the_other_through() {
    let server = Repo::bare();
    server.leakstop(&["install", "--server", ".", "--hook", "update"]).expect(0);
    let repo = Repo::with_remote(&server);
    repo.accept("README", "hello\n");
    repo.git(&["branch", "clean"]).expect(0);
    repo.accept("a.txt", key(1));
    let ended = repo.git(&["push", "-q", "origin", "clean", "main"]);
    assert!(ended.code != 0 && ended.err.contains("remote: leakstop: blocked: "), "{}", ended.err);
    assert_eq!(server.ask(&["for-each-ref", "--format=%(refname)"]), "refs/heads/clean");
    for wrong in [["refs/heads/x", "1", "2"], ["", &"0".repeat(40), &"1".repeat(40)]] {
        server.leakstop(&[&["hook", "update"][..], &wrong].concat()).expect(2);
    }
}

#[test]
fn pre_push_stops_what_was_committed_past_the_hooks() {
    let server = Repo::bare();
    let repo = Repo::started();
    repo.has_remote(&server);
    repo.git(&["push", "-q", "origin", "main"]).expect(0);
    repo.accept("a.txt", key(1));
    let before = server.contents();
    let ended = repo.git(&["push", "-q", "origin", "main"]);
    assert!(ended.code != 0 && ended.err.contains("a.txt:1:8"), "{}", ended.err);
    assert_redacted(&ended.err, &token(1));
    assert_eq!(server.contents(), before);
}

#[test]
fn pre_push_reads_only_what_the_remote_does_not_have() {
    let server = Repo::bare();
    let repo = Repo::started();
    repo.has_remote(&server);
    repo.accept("a.txt", key(1));
    repo.git(&["push", "-q", "--no-verify", "origin", "main"]).expect(0);
    repo.accept("b.txt", "hello\n");
    repo.git(&["push", "-q", "origin", "main"]).expect(0);
    repo.git(&["push", "-q", "origin", "main:other", "HEAD:refs/heads/third"]).expect(0);
    repo.git(&["push", "-q", "origin", ":other"]).expect(0);
    repo.git(&["push", "-q", "origin", "main"]).expect(0);
    // Another remote has nothing of it.
    let other = Repo::bare();
    repo.git(&["remote", "add", "other", other.path().to_str().unwrap()]).expect(0);
    assert_ne!(repo.git(&["push", "-q", "other", "main"]).code, 0);
}
