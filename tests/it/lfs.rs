//! Git LFS: the report says what no hook can read.

use crate::support::Repo;

#[test]
fn what_a_git_lfs_pointer_stands_for_is_told_in_one_line_and_blocks_only_on_demand() {
    let pointer = |size: u32| format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {size}\n", "5e".repeat(32));
    let (server, repo) = (Repo::server(), Repo::guarded());
    repo.stage("a.bin", pointer(1));
    repo.stage("b.bin", pointer(2));
    repo.stage("text.txt", format!("{}more", pointer(3).repeat(20)));
    let line = "warning  2 files are Git LFS pointers: the content is not in git and was not read";
    let report = repo.report(&["scan", "--staged"], 0);
    let unread: Vec<_> = report["unread"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!((unread, report["status"].as_str().unwrap()), (vec!["a.bin", "b.bin"], "warned"));
    let commit = repo.git(&["commit", "-qm", "pointers"]).expect(0);
    assert!(commit.err.contains(line), "{}", commit.err);
    repo.has_remote(&server);
    let push = repo.git(&["push", "-q", "origin", "main"]).expect(0);
    assert!(push.err.contains(line), "{}", push.err);
    server.write("leakstop.toml", "[unread]\nlfs = \"block\"\n");
    let refused = repo.git(&["push", "-q", "--no-verify", "origin", "main:refs/heads/other"]).expect(0);
    assert!(!refused.err.contains("blocked"), "what is on the server already is not new: {}", refused.err);
    repo.accept("c.bin", pointer(4));
    let refused = repo.git(&["push", "-q", "--no-verify", "origin", "main"]).expect(1);
    assert!(refused.err.contains("blocked  1 file is a Git LFS pointer"), "{}", refused.err);
}
