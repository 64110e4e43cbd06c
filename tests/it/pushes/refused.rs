//! What must not get onto the server.

use super::*;

#[test]
fn a_secret_on_an_existing_branch_is_told_with_commit_path_and_ref() {
    let (server, repo) = started();
    let id = repo.accept("src/a.py", key(1));
    repo.accept("b.txt", "later\n");
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(told.contains(&format!("src/a.py:1:8 in {} (refs/heads/main)  ghp_****  (40 characters)", &id[..12])), "{told}");
    assert!(told.contains("if safe leakstop allow "), "{told}");
    assert_redacted(&told, &token(1));
    assert!(told.lines().all(|line| line.starts_with("         revoke") || line.chars().count() <= 100), "{told}");
}

#[test]
fn a_new_branch() {
    let (server, repo) = started();
    repo.git(&["switch", "-q", "-c", "topic"]).expect(0);
    repo.accept("a.txt", key(1));
    assert!(repo.push_is_refused(&server, &["topic"]).contains("(refs/heads/topic)"));
}

#[test]
fn the_first_push_of_all() {
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    repo.accept("a.txt", key(1));
    repo.push_is_refused(&server, &["main"]);
}

#[test]
fn the_second_of_several_refs() {
    let (server, repo) = started();
    repo.git(&["branch", "aaa"]).expect(0);
    repo.git(&["switch", "-q", "-c", "bbb"]).expect(0);
    repo.accept("a.txt", key(1));
    assert!(repo.push_is_refused(&server, &["aaa", "bbb", "main"]).contains("(refs/heads/bbb)"));
}

#[test]
fn a_secret_that_was_added_and_removed_again() {
    let (server, repo) = started();
    let id = repo.accept("a.txt", key(1));
    repo.accept("a.txt", "gone\n");
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(told.contains(&format!("a.txt:1:8 in {}", &id[..12])) && told.contains("1 blocking"), "{told}");
}

#[test]
fn a_forced_push() {
    let (server, repo) = started();
    repo.accept("b.txt", "hello\n");
    repo.push_passes(&["main"]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]).expect(0);
    repo.accept("c.txt", key(1));
    repo.push_is_refused(&server, &["+main"]);
}

#[test]
fn a_deletion_beside_a_secret() {
    let (server, repo) = started();
    repo.push_passes(&["main:refs/heads/old"]);
    repo.accept("a.txt", key(1));
    repo.push_is_refused(&server, &[":old", "main"]);
}

#[test]
fn an_atomic_push() {
    let (server, repo) = started();
    repo.git(&["branch", "clean"]).expect(0);
    repo.accept("a.txt", key(1));
    repo.push_is_refused(&server, &["--atomic", "clean", "main"]);
}

#[test]
fn the_message_of_a_commit() {
    let (server, repo) = started();
    repo.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", &format!("use\n\nit is {}", token(1))]).expect(0);
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(told.contains("commit message, line 3:7 in ") && told.contains("(refs/heads/main)"), "{told}");
    assert_redacted(&told, &token(1));
}

#[test]
fn names_of_people() {
    for variable in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL"] {
        let (server, repo) = started();
        ended(repo.command("git").env(variable, token(1)).args(["commit", "-q", "--no-verify", "--allow-empty", "-m", "work"])).expect(0);
        let told = repo.push_is_refused(&server, &["main"]);
        assert!(told.contains("author or committer of the commit in "), "{told}");
        assert_redacted(&told, &token(1));
    }
}

#[test]
fn any_other_header_of_a_commit() {
    let (server, repo) = started();
    let mut text = repo.ask(&["cat-file", "commit", "HEAD"]);
    let end = text.find("\n\n").unwrap();
    text.insert_str(end, &format!("\nparent-key {}", token(1)));
    point(&repo, "refs/heads/odd", &object(&repo, "commit", text.as_bytes()));
    repo.push_is_refused(&server, &["odd"]);
}

#[test]
fn the_message_of_a_tag() {
    let (server, repo) = started();
    repo.git(&["tag", "-a", "v1", "-m", "first", "-m", &token(1)]).expect(0);
    let told = repo.push_is_refused(&server, &["v1"]);
    assert!(told.contains("annotated tag, line 3:1 (refs/tags/v1)"), "{told}");
    assert_redacted(&told, &token(1));
}

#[test]
fn the_tagger_of_a_tag() {
    let (server, repo) = started();
    ended(repo.command("git").env("GIT_COMMITTER_NAME", token(1)).args(["tag", "-a", "v1", "-m", "first"])).expect(0);
    let told = repo.push_is_refused(&server, &["v1"]);
    assert!(told.contains("annotated tag"), "{told}");
    assert_redacted(&told, &token(1));
}

#[test]
fn a_tag_of_a_tag() {
    let (server, repo) = started();
    repo.git(&["tag", "-a", "inner", "-m", &token(1)]).expect(0);
    repo.git(&["tag", "-a", "outer", "-m", "clean", "inner"]).expect(0);
    assert!(repo.push_is_refused(&server, &["outer"]).contains("annotated tag, line 1:1 (refs/tags/outer)"));
}

#[test]
fn a_tag_of_a_blob_and_of_a_tree() {
    let (server, repo) = started();
    let blob = object(&repo, "blob", key(1).as_bytes());
    repo.git(&["tag", "of-blob", &blob]).expect(0);
    let told = repo.push_is_refused(&server, &["of-blob"]);
    assert!(told.contains("refs/tags/of-blob:1:8"), "{told}");
    repo.git(&["tag", "-a", "-m", "clean", "annotated", &blob]).expect(0);
    repo.push_is_refused(&server, &["annotated"]);
    repo.stage("folder/a.txt", key(1));
    let tree = repo.ask(&["write-tree"]);
    repo.git(&["tag", "of-tree", &tree]).expect(0);
    let told = repo.push_is_refused(&server, &["of-tree"]);
    assert!(told.contains("folder/a.txt:1:8 (refs/tags/of-tree)"), "{told}");
}

#[test]
fn notes_and_any_other_ref() {
    let (server, repo) = started();
    repo.git(&["notes", "add", "-m", &token(1)]).expect(0);
    assert!(repo.push_is_refused(&server, &["refs/notes/commits"]).contains("(refs/notes/commits)"));
    repo.accept("a.txt", key(1));
    for name in ["refs/for/main", "refs/meta/config", "refs/x/y/z", "refs/pull/1/head"] {
        assert!(repo.push_is_refused(&server, &[&format!("HEAD:{name}")]).contains(&format!("({name})")));
    }
}

#[test]
fn a_ref_whose_name_is_a_token() {
    let (server, repo) = started();
    let told = repo.push_is_refused(&server, &[&format!("main:refs/heads/{}", token(1))]);
    assert!(told.contains("the name of the ref (refs/heads/****)"), "{told}");
    assert_redacted(&told, &token(1));
}

#[test]
fn a_file_whose_name_is_a_token() {
    let (server, repo) = started();
    repo.accept(&format!("src/{}/a", token(1)), "hello\n");
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(told.contains("src/****/a (the name itself) in "), "{told}");
    assert_redacted(&told, &token(1));
}

#[cfg(unix)]
#[test]
fn the_target_of_a_symbolic_link() {
    let (server, repo) = started();
    std::os::unix::fs::symlink(token(1), repo.path().join("link")).unwrap();
    repo.git(&["add", "link"]).expect(0);
    repo.git(&["commit", "-q", "-m", "work"]).expect(0);
    assert!(repo.push_is_refused(&server, &["main"]).contains("link:1:1 in "));
}

#[test]
fn what_exists_in_the_merge_commit_alone() {
    let (server, repo) = started();
    repo.git(&["switch", "-q", "-c", "side"]).expect(0);
    repo.accept("b.txt", "hello\n");
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.accept("c.txt", "hello\n");
    repo.push_passes(&["main", "side"]);
    repo.git(&["merge", "-q", "--no-commit", "side"]).expect(0);
    repo.stage("c.txt", key(1));
    repo.git(&["commit", "-q", "-m", "merge"]).expect(0);
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(told.contains(&format!("c.txt:1:8 in {}", &repo.head()[..12])) && told.contains("1 blocking"), "{told}");
}

#[test]
fn attributes_of_the_pusher_and_of_the_server_hide_nothing() {
    let (server, repo) = started();
    server.git(&["config", "color.ui", "always"]).expect(0);
    server.git(&["config", "diff.external", "true"]).expect(0);
    server.git(&["config", "attr.tree", "HEAD"]).expect(0);
    server.write("info/attributes", "* -diff\n");
    repo.accept(".gitattributes", "* -diff\n");
    repo.accept("a.py", key(1));
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[test]
fn an_object_that_lies_on_the_server_unreachable() {
    let server = Repo::bare();
    let repo = Repo::with_remote(&server);
    repo.accept("README", "hello\n");
    repo.git(&["push", "-q", "origin", "main"]).expect(0);
    repo.git(&["switch", "-q", "-c", "x"]).expect(0);
    repo.accept("a.txt", key(1));
    repo.git(&["push", "-q", "origin", "x"]).expect(0);
    repo.git(&["push", "-q", "origin", ":x"]).expect(0);
    server.leakstop(&["install", "--server", "."]).expect(0);
    repo.push_is_refused(&server, &["x:refs/heads/y"]);
}

#[test]
fn what_a_replace_ref_covers_up() {
    let (server, repo) = started();
    let evil = object(&repo, "blob", key(1).as_bytes());
    let benign = object(&repo, "blob", b"benign\n");
    repo.push_passes(&[&format!("{benign}:refs/replace/{evil}")]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{evil},a.txt")]).expect(0);
    repo.git(&["commit", "-q", "-m", "work"]).expect(0);
    assert!(repo.push_is_refused(&server, &["main"]).contains("a.txt:1:8"));
}

#[test]
fn a_pack_and_loose_objects_alike() {
    let (server, repo) = started();
    for at in 0..150 {
        repo.write(&format!("many/{at}.txt"), format!("file {at}\n"));
    }
    repo.git(&["add", "-A"]).expect(0);
    repo.accept("many/last.txt", key(1));
    assert!(repo.push_is_refused(&server, &["main"]).contains("many/last.txt:1:8"));
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]).expect(0);
    repo.accept("one.txt", key(1));
    assert!(repo.push_is_refused(&server, &["main"]).contains("one.txt:1:8"));
}

#[test]
fn what_is_too_large_to_be_read() {
    let (server, repo) = started();
    server.write("leakstop.toml", "[limits]\nmax_file_bytes = 1000\n");
    repo.accept("large.bin", "x".repeat(2000));
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(told.contains("blocked  1 file was not read") && told.contains("large.bin: it has 2000 bytes"), "{told}");
    server.write("leakstop.toml", "[limits]\nmax_file_bytes = 1000\n[unread]\npush = \"warn\"\n");
    assert!(repo.git(&["push", "-q", "origin", "main"]).expect(0).err.contains("passed with warnings"));
}

#[test]
fn a_secret_in_the_last_of_3000_refs() {
    let (server, repo) = started();
    let base = repo.head();
    let secret = repo.accept("a.txt", key(1));
    let id = |at: u32| if at == 2999 { &secret } else { &base };
    let refs: String = (0..3000).map(|at| format!("create refs/many/b{at:04} {}\n", id(at))).collect();
    crate::histories::feed(&repo, &["update-ref", "--stdin"], refs.as_bytes());
    let told = repo.push_is_refused(&server, &["refs/many/*:refs/heads/*"]);
    assert!(told.contains("(refs/heads/b2999)") && told.contains("1 blocking"), "{told}");
    repo.git(&["update-ref", "-d", "refs/many/b2999"]).expect(0);
    repo.push_passes(&["refs/many/*:refs/heads/*"]);
}

#[test]
fn several_refs_in_any_order_hold_the_same() {
    let server = Repo::bare();
    let repo = Repo::with_remote(&server);
    let base = repo.accept("README", "hello\n");
    let lines: Vec<String> = ["one", "two", "three"]
        .into_iter()
        .enumerate()
        .map(|(at, branch)| {
            repo.git(&["switch", "-q", "-c", branch, &base]).expect(0);
            repo.accept("shared.txt", key(7));
            repo.accept(&format!("{branch}.txt"), key(at as u64 + 1));
            format!("{} {} refs/heads/{branch}\n", "0".repeat(40), repo.head())
        })
        .collect();
    let mut seen = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let input: String = order.map(|at| lines[at].as_str()).concat();
        let file = repo.beside("report.json");
        let mut hook = server.command(LEAKSTOP);
        hook.args(["hook", "pre-receive", "--format", "json", "--output", file.to_str().unwrap()]);
        hook.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", repo.path().join(".git/objects"));
        crate::support::ended_with(&mut hook, input.as_bytes()).expect(1);
        let report: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let mut found: Vec<String> =
            report["findings"].as_array().unwrap().iter().map(|one| format!("{} {} {}", one["path"], one["line"], one["fingerprint"])).collect();
        found.sort();
        found.dedup();
        seen.push(found);
    }
    assert_eq!(seen[0].len(), 4, "{seen:?}");
    assert!(seen.iter().all(|found| *found == seen[0]), "{seen:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_secret_behind_names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let (server, repo) = started();
    fs::write(repo.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9\n.txt")), key(1)).unwrap();
    repo.git(&["add", "-A"]).expect(0);
    repo.git(&["commit", "-q", "--no-verify", "-m", "work"]).expect(0);
    let mut push = repo.command("git");
    push.args(["push", "-q", "--no-verify", "origin"]).arg(std::ffi::OsStr::from_bytes(b"main:refs/heads/latin-\xe9"));
    let refused = ended(&mut push);
    assert!(
        refused.code != 0 && refused.err.contains("caf\\xe9\\n.txt:1:8 in ") && refused.err.contains("(refs/heads/latin-\\xe9)"),
        "{}",
        refused.err
    );
    assert_eq!(server.ask(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
}

#[test]
fn an_octopus_that_brings_what_none_of_its_parents_has() {
    let (server, repo) = started();
    let base = repo.head();
    for branch in ["one", "two"] {
        repo.git(&["switch", "-q", "-c", branch, &base]).expect(0);
        repo.accept(&format!("{branch}.txt"), key(u64::try_from(branch.len()).unwrap()));
    }
    // Both branches were taken in before the server was guarded.
    let (hook, aside) = (server.path().join("hooks/pre-receive"), server.path().join("hooks/aside"));
    fs::rename(&hook, &aside).unwrap();
    repo.git(&["push", "-q", "--no-verify", "origin", "one", "two"]).expect(0);
    fs::rename(&aside, &hook).unwrap();
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.git(&["merge", "-q", "--no-ff", "-m", "merge", "one", "two"]).expect(0);
    repo.push_passes(&["main:refs/heads/clean"]);
    repo.stage("one.txt", key(5));
    repo.git(&["commit", "-q", "--no-verify", "--amend", "--no-edit"]).expect(0);
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(told.contains("one.txt:1:8 in ") && told.contains("1 blocking"), "{told}");
}

#[test]
fn a_blob_at_many_places_is_read_once() {
    let (server, repo) = started();
    for at in 0..20 {
        repo.write(&format!("{at}.txt"), key(1));
    }
    repo.git(&["add", "-A"]).expect(0);
    repo.git(&["commit", "-q", "-m", "work"]).expect(0);
    // The hook's own words, as JSON, on the same push.
    let hook = server.path().join("hooks/pre-receive");
    let file = server.beside("report.json");
    fs::write(&hook, format!("#!/bin/sh\nexec '{LEAKSTOP}' --format json --output '{}' hook pre-receive\n", file.display())).unwrap();
    assert_ne!(repo.git(&["push", "-q", "origin", "main"]).code, 0);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!((&report["stats"]["blobs"], &report["stats"]["files"]), (&1.into(), &20.into()), "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 20);
    assert!(report["findings"].as_array().unwrap().iter().all(|one| one["ref"] == "refs/heads/main"), "{report}");
}
