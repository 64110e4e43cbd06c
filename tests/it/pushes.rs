//! Pushes to a bare repository with the installed hook: a refusal is told on `remote:` lines and leaves nothing behind.

use std::fs;
use std::process::Stdio;

use crate::support::{LEAKSTOP, Repo, assert_redacted, ended, token};

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

fn prose() -> String {
    (0..40).map(|line| format!("line {line} of a text that stays as it is\n")).collect()
}

/// A guarded server that has accepted `main` with one file, and a work tree that pushes to it without hooks of its own.
fn started() -> (Repo, Repo) {
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    repo.accept("README", "hello\n");
    repo.push_passes(&["main"]);
    (server, repo)
}

/// As [`started`], with a secret on the server from before it was guarded.
fn started_with_old_secret() -> (Repo, Repo) {
    let server = Repo::bare();
    let repo = Repo::with_remote(&server);
    repo.accept("a.txt", format!("{}{}{}", prose(), key(1), prose()));
    repo.git(&["push", "-q", "origin", "main"]).expect(0);
    server.leakstop(&["install", "--server", "."]).expect(0);
    (server, repo)
}

/// A ref that is written past everything.
fn point(repo: &Repo, name: &str, id: &str) {
    repo.git(&["update-ref", name, id]).expect(0);
}

/// An object with this content.
fn object(repo: &Repo, kind: &str, text: &[u8]) -> String {
    let mut command = repo.command("git");
    crate::support::ended_with(command.args(["hash-object", "-w", "--literally", "-t", kind, "--stdin"]), text).expect(0).out.trim().to_owned()
}

mod refused {
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
}

mod accepted {
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
}

mod input {
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
}

mod other_hooks {
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
}
