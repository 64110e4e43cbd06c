//! What the hook is given to read, sound or not.

use super::*;

const ZERO: &str = "0000000000000000000000000000000000000000";

#[test]
fn a_malformed_line_ends_in_2_and_says_which() {
    let (server, repo) = started();
    let id = repo.head();
    let good = format!("{ZERO} {id} refs/heads/x\n");
    for bad in [
        "\n".to_owned(),
        "hello\n".to_owned(),
        format!("{ZERO} {id}\n"),
        format!("{ZERO} {id} \n"),
        format!("{ZERO}  {id} refs/heads/y\n"),
        format!("{ZERO} {} refs/heads/y\n", &id[1..]),
        format!("{ZERO} {}g refs/heads/y\n", &id[1..]),
        format!("{ZERO} {id} refs/heads/y\r\n"),
        format!("{ZERO} {}{} refs/heads/y\n", id, &id[..24]),
        "\0\u{1}\u{2}".to_owned(),
    ] {
        let ended = server.leakstop_with(&["hook", "pre-receive"], format!("{good}{bad}").as_bytes()).expect(2);
        assert!(ended.err.contains("line 2 on standard input is not `<old id> <new id> <ref name>`"), "{bad:?} {}", ended.err);
    }
    server.leakstop_with(&["hook", "pre-receive"], good.as_bytes()).expect(0);
    server.leakstop_with(&["hook", "pre-receive"], good.trim_end().as_bytes()).expect(0);
}

#[test]
fn an_id_that_is_not_there_ends_in_2() {
    let (server, _repo) = started();
    let line = format!("{ZERO} {} refs/heads/x\n", "1".repeat(40));
    let ended = server.leakstop_with(&["hook", "pre-receive"], line.as_bytes()).expect(2);
    assert!(ended.err.contains("nothing passes"), "{}", ended.err);
}

#[test]
fn empty_input_is_a_push_of_nothing_and_a_closed_one_is_an_error() {
    let (server, _repo) = started();
    for hook in [&["hook", "pre-receive"][..], &["hook", "pre-push", "origin", "x"]] {
        server.leakstop_with(hook, b"").expect(0);
        let closed = ended(server.command(LEAKSTOP).args(hook).stdin(Stdio::null())).expect(2);
        assert!(closed.err.contains("cannot read standard input: it is closed"), "{}", closed.err);
        let line = format!("'{LEAKSTOP}' {} <&-", hook.join(" "));
        ended(server.command("sh").args(["-c", &line])).expect(2);
    }
}

#[test]
fn outside_a_repository_nothing_passes() {
    let repo = Repo::new();
    let folder = tempfile::tempdir().unwrap();
    for hook in ["pre-commit", "pre-merge-commit"] {
        let ended = ended(repo.command(LEAKSTOP).current_dir(folder.path()).args(["hook", hook])).expect(2);
        assert!(ended.err.contains("cannot open the git repository"), "{}", ended.err);
    }
}

#[test]
fn the_words_being_unread_changes_no_verdict() {
    let (server, repo) = started();
    repo.accept("a.txt", key(1));
    repo.git(&["push", "-q", server.path().to_str().unwrap(), "main:refs/heads/x", "--receive-pack=git -c core.hooksPath=/nowhere receive-pack"])
        .expect(0);
    server.git(&["update-ref", "-d", "refs/heads/x"]).expect(0);
    let line = format!("{ZERO} {} refs/heads/x", repo.head());
    for redirect in ["2>&-", "2>/dev/full", "2>&1 | true"] {
        let script = format!("echo '{line}' | {{ '{LEAKSTOP}' hook pre-receive; echo $? >code; }} {redirect}");
        ended(server.command("sh").args(["-c", &script]));
        assert_eq!(fs::read_to_string(server.path().join("code")).unwrap(), "1\n", "{redirect}");
    }
}
