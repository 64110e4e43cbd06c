//! What a guarded server takes in.

use super::*;

#[test]
fn a_clean_push_a_new_branch_on_old_history_and_a_deletion() {
    let (server, repo) = started_with_old_secret();
    repo.accept("b.txt", "hello\n");
    repo.push_passes(&["main"]);
    repo.push_passes(&["main~1:refs/heads/older", "main:refs/heads/newer"]);
    repo.git(&["tag", "-a", "v1", "-m", "first", "main~1"]).expect(0);
    repo.push_passes(&["v1"]);
    repo.push_passes(&[":older"]);
    assert_eq!(server.ask(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main\nrefs/heads/newer\nrefs/tags/v1");
}

#[test]
fn another_line_of_a_file_with_an_old_secret() {
    let (_server, repo) = started_with_old_secret();
    repo.accept("a.txt", format!("changed\n{}{}", key(1), prose()));
    repo.push_passes(&["main"]);
}

#[test]
fn a_rename_with_and_without_an_edit() {
    let (_server, repo) = started_with_old_secret();
    repo.git(&["mv", "a.txt", "b.txt"]).expect(0);
    repo.git(&["commit", "-q", "-m", "rename"]).expect(0);
    repo.push_passes(&["main"]);
    repo.git(&["mv", "b.txt", "c.md"]).expect(0);
    repo.accept("c.md", format!("{}{}edited\n", prose(), key(1)));
    repo.push_passes(&["main"]);
}

#[test]
fn a_merge_of_accepted_branches() {
    let (_server, repo) = started_with_old_secret();
    repo.git(&["switch", "-q", "-c", "side"]).expect(0);
    repo.accept("b.txt", "hello\n");
    repo.accept("a.txt", format!("{}{}{}side\n", prose(), key(1), prose()));
    repo.push_passes(&["side"]);
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.accept("a.txt", format!("main\n{}{}{}", prose(), key(1), prose()));
    repo.push_passes(&["main"]);
    repo.git(&["merge", "-q", "-m", "merge", "side"]).expect(0);
    repo.push_passes(&["main"]);
}

#[test]
fn an_older_value_that_is_forced_back() {
    let (_server, repo) = started_with_old_secret();
    repo.accept("b.txt", "hello\n");
    repo.push_passes(&["main"]);
    repo.push_passes(&["+main~1:main"]);
}

#[test]
fn the_first_push_of_branches_and_annotated_tags() {
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    repo.accept("README", "hello\n");
    repo.git(&["tag", "-a", "v1", "-m", "first"]).expect(0);
    repo.git(&["tag", "blob", "HEAD:README"]).expect(0);
    repo.push_passes(&["main", "v1", "blob"]);
}

#[cfg(target_os = "linux")]
#[test]
fn odd_names_of_refs_and_every_push_after_them() {
    use std::os::unix::ffi::OsStrExt as _;
    let (server, repo) = started();
    let names: [&[u8]; 7] = [
        b"refs/heads/caf\xc3\xa9",
        b"refs/heads/latin-\xe9",
        b"refs/heads/-dash",
        b"refs/heads/a'b\"c$d;e",
        b"refs/heads/turned-\xe2\x80\xaetxt",
        b"refs/x/@",
        b"refs/heads/HEAD",
    ];
    for name in names {
        let spec = [b"main:".as_slice(), name].concat();
        let pushed = ended(repo.command("git").args(["push", "-q", "origin"]).arg(std::ffi::OsStr::from_bytes(&spec))).expect(0);
        assert!(pushed.err.contains("remote: leakstop: passed: nothing found"), "{}", pushed.err);
    }
    repo.accept("a.txt", key(1));
    let told = repo.push_is_refused(&server, &["main:refs/heads/turned-again\u{202e}"]);
    assert!(told.contains("(refs/heads/turned-again\\u{202e})"), "{told}");
}

#[test]
fn a_commit_whose_date_is_no_date_is_read_or_refused() {
    let (server, repo) = started();
    repo.stage("a.txt", key(1));
    let tree = repo.ask(&["write-tree"]);
    for people in ["author A <a@b> 1 +0000\ncommitter A <a@b> soon +0000", "author A\ncommitter A", "author A <a@b> -5 +0000\ncommitter <> -5"] {
        let id = object(&repo, "commit", format!("tree {tree}\n{people}\n\nwork\n").as_bytes());
        let line = format!("{} {id} refs/heads/x\n", "0".repeat(40));
        let ended = crate::support::ended_with(
            server.command(LEAKSTOP).args(["hook", "pre-receive"]).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", repo.path().join(".git/objects")),
            line.as_bytes(),
        );
        assert!(ended.code == 1 || ended.code == 2 && ended.err.contains("nothing passes"), "{people} {} {}", ended.code, ended.err);
    }
}

#[test]
fn a_tag_of_an_accepted_tree() {
    let (_server, repo) = started_with_old_secret();
    repo.git(&["tag", "tree", "HEAD^{tree}"]).expect(0);
    repo.push_passes(&["tree"]);
}

#[test]
fn a_shallow_clones_push() {
    let (server, repo) = started_with_old_secret();
    repo.accept("b.txt", "hello\n");
    repo.push_passes(&["main"]);
    let shallow = repo.beside("shallow");
    let address = format!("file://{}", server.path().display());
    repo.git(&["clone", "-q", "--depth", "1", &address, shallow.to_str().unwrap()]).expect(0);
    let git = |arguments: &[&str]| ended(repo.command("git").current_dir(&shallow).args(arguments)).expect(0);
    fs::write(shallow.join("c.txt"), "hello\n").unwrap();
    git(&["add", "c.txt"]);
    git(&["commit", "-q", "-m", "work"]);
    assert!(git(&["push", "-q"]).err.contains("remote: leakstop: passed"));
    let report = ended(repo.command(LEAKSTOP).current_dir(&shallow).args(["scan", "--history"]));
    // A shallow history begins in the middle: what its first commit holds counts as new.
    assert!(report.expect(1).out.contains("a.txt:41:8"));
}
