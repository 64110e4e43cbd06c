//! How a repository is set up changes nothing: which index git names, what attributes and filters do, how objects are
//! packed, what of them is missing.
//!
//! Longer than other files: each set-up is one scene.

use std::fs;

use crate::histories::feed;
use crate::support::{LEAKSTOP, Repo, ended, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

mod the_index {
    use super::*;

    #[test]
    fn one_of_another_name_is_read() {
        for (name, folder) in [("other", "."), ("other", "sub"), (".git/other", "sub")] {
            let repo = Repo::started();
            repo.write("sub/x", "");
            repo.write("a.txt", key(1));
            let git = |arguments: &[&str]| {
                let mut command = repo.command("git");
                command.env("GIT_INDEX_FILE", name).current_dir(repo.path().join(folder)).args(arguments);
                command
            };
            ended(&mut git(&["read-tree", "HEAD"])).expect(0);
            ended(&mut git(&["add", ":/a.txt"])).expect(0);
            let staged = ended(&mut git(&["diff", "--cached", "--name-only"])).expect(0).out;
            assert_eq!(staged, "a.txt\n");
            let mut scan = repo.command(LEAKSTOP);
            scan.args(["scan", "--staged"]).env("GIT_INDEX_FILE", name).current_dir(repo.path().join(folder));
            assert!(ended(&mut scan).expect(1).out.contains("a.txt:1:8"), "{name} in {folder}");
            assert!(repo.refuses_command(&mut git(&COMMIT)).contains("a.txt:1:8"), "{name} in {folder}");
            let absolute = repo.path().join(name);
            assert!(repo.refuses_command(git(&COMMIT).env("GIT_INDEX_FILE", absolute)).contains("a.txt:1:8"));
        }
    }

    #[test]
    fn extensions_that_speed_up_git_change_nothing() {
        for option in ["--untracked-cache", "--fsmonitor-valid", "--fsmonitor", "--split-index", "--index-version=4"] {
            let repo = Repo::started();
            (0..20).for_each(|at| repo.write(&format!("many/{at}"), "hello\n"));
            repo.git(&["add", "-A"]).expect(0);
            repo.git(&["commit", "-q", "--no-verify", "-m", "many"]).expect(0);
            if option == "--fsmonitor" {
                // A program that says that nothing changed: git then trusts the index.
                let program = repo.beside("monitor");
                fs::write(&program, "#!/bin/sh\nprintf 'token\\0'\n").unwrap();
                #[cfg(unix)]
                fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
                repo.git(&["config", "core.fsmonitor", program.to_str().unwrap()]).expect(0);
            }
            let arguments = if option == "--fsmonitor-valid" { vec!["update-index", option, "README"] } else { vec!["update-index", option] };
            repo.git(&arguments).expect(0);
            repo.stage("a.txt", key(1));
            repo.git(&["status"]).expect(0);
            assert!(repo.refuses(&COMMIT).contains("a.txt:1:8"), "{option}");
            repo.git(&["reset", "-q"]).expect(0);
            repo.stage("b.txt", "hello\n");
            repo.takes(&COMMIT);
        }
    }

    #[test]
    fn files_that_are_not_checked_out_are_read() {
        for option in ["--sparse-index", "--no-sparse-index"] {
            let repo = Repo::started();
            for path in ["in/a", "out/b", "out/deep/c"] {
                repo.accept(path, "hello\n");
            }
            repo.git(&["sparse-checkout", "set", "--cone", option, "in"]).expect(0);
            assert!(!repo.path().join("out").exists());
            let blob = feed(&repo, &["hash-object", "-w", "--stdin"], key(1).as_bytes());
            repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},out/deep/c")]).expect(0);
            assert!(repo.refuses(&COMMIT).contains("out/deep/c:1:8"), "{option}");
        }
    }

    #[test]
    fn what_git_is_told_not_to_look_at_is_read() {
        for flag in ["--assume-unchanged", "--skip-worktree"] {
            let repo = Repo::started();
            repo.stage("a.txt", key(1));
            repo.git(&["update-index", flag, "a.txt"]).expect(0);
            assert!(repo.refuses(&COMMIT).contains("a.txt:1:8"), "{flag}");
        }
    }
}

mod attributes_and_filters {
    use super::*;

    #[test]
    fn attributes_from_anywhere_hide_nothing() {
        let repo = Repo::started();
        repo.accept(".gitattributes", "* -diff binary\n");
        repo.git(&["config", "attr.tree", "HEAD"]).expect(0);
        repo.write(".git/info/attributes", "* -diff diff=none\n");
        repo.write("global", "* -diff\n");
        repo.git(&["config", "core.attributesFile", repo.path().join("global").to_str().unwrap()]).expect(0);
        repo.git(&["config", "diff.none.textconv", "true"]).expect(0);
        repo.git(&["config", "diff.none.command", "true"]).expect(0);
        repo.stage("a.py", key(1));
        for source in ["HEAD", "refs/heads/none"] {
            let mut scan = repo.command(LEAKSTOP);
            assert!(ended(scan.args(["scan", "--staged"]).env("GIT_ATTR_SOURCE", source)).expect(1).out.contains("a.py:1:8"), "{source}");
        }
        assert!(repo.refuses(&COMMIT).contains("a.py:1:8"));
    }

    #[test]
    fn line_ends_are_those_that_git_stores() {
        for (setting, stored) in [("true", "one\nkey = "), ("input", "one\nkey = "), ("false", "one\r\nkey = ")] {
            let repo = Repo::started();
            repo.git(&["config", "core.autocrlf", setting]).expect(0);
            repo.stage("a.txt", format!("one\r\nkey = \"{}\"\r\n", token(1)));
            assert!(repo.ask(&["cat-file", "blob", ":a.txt"]).starts_with(stored), "{setting}");
            assert!(repo.refuses(&COMMIT).contains("a.txt:2:8"), "{setting}");
        }
    }

    #[test]
    fn an_encoding_of_the_work_tree_is_undone_by_git() {
        let repo = Repo::started();
        repo.accept(".gitattributes", "*.txt working-tree-encoding=UTF-16LE-BOM\n");
        let utf16: Vec<u8> = format!("\u{feff}one\n{}", key(1)).encode_utf16().flat_map(u16::to_le_bytes).collect();
        repo.stage("a.txt", utf16);
        assert_eq!(repo.ask(&["cat-file", "blob", ":a.txt"]), format!("one\n{}", key(1).trim_end()));
        assert!(repo.refuses(&COMMIT).contains("a.txt:2:8"));
    }
}

mod stored_history {
    use super::*;

    /// A guarded server and a repository that has pushed ten commits to it.
    fn started() -> (Repo, Repo) {
        let server = Repo::server();
        let repo = Repo::with_remote(&server);
        (0..10).for_each(|at| drop(repo.accept(&format!("f{at}"), format!("text {at}\n"))));
        repo.push_passes(&["main"]);
        (server, repo)
    }

    #[test]
    fn a_graft_hides_no_commit() {
        let (server, repo) = started();
        let secret = repo.accept("a.txt", key(1));
        repo.accept("a.txt", "gone\n");
        let tip = repo.head();
        let base = server.ask(&["rev-parse", "main"]);
        // To git it looks as if the tip followed the base at once.
        server.write("info/grafts", format!("{tip} {base}\n"));
        let told = repo.push_is_refused(&server, &["main"]);
        assert!(told.contains(&format!("a.txt:1:8 in {}", &secret[..12])), "{told}");
    }

    #[test]
    fn however_the_server_packs_its_objects_they_are_read() {
        let ways: [&[&[&str]]; 5] = [
            &[&["repack", "-q", "-a", "-d", "--write-bitmap-index"]],
            &[&["repack", "-q", "-d"], &["multi-pack-index", "write"]],
            &[&["commit-graph", "write", "--reachable"]],
            &[&["commit-graph", "write", "--reachable", "--split"], &["pack-refs", "--all"]],
            &[&["gc", "-q", "--prune=now"]],
        ];
        for way in ways {
            let (server, repo) = started();
            way.iter().for_each(|command| drop(server.git(command).expect(0)));
            repo.accept("clean", "clean\n");
            repo.push_passes(&["main"]);
            repo.accept("a.txt", key(1));
            assert!(repo.push_is_refused(&server, &["main"]).contains("a.txt:1:8"), "{way:?}");
        }
    }

    /// Every file below `folder`.
    fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn a_damaged_aid_to_reading_never_lets_a_secret_pass() {
        type Damage = fn(&mut Vec<u8>);
        let damages: [Damage; 4] = [
            Vec::clear,
            |bytes| bytes.truncate(bytes.len() / 2),
            |bytes| bytes.fill(0),
            |bytes| {
                let at = bytes.len() / 2;
                bytes[at..].iter_mut().for_each(|byte| *byte ^= 0x55);
            },
        ];
        for damage in damages {
            let (server, repo) = started();
            server.git(&["repack", "-q", "-a", "-d", "--write-bitmap-index"]).expect(0);
            server.git(&["multi-pack-index", "write"]).expect(0);
            server.git(&["commit-graph", "write", "--reachable"]).expect(0);
            for file in files(&server.path().join("objects")) {
                let name = file.file_name().unwrap().to_str().unwrap();
                if name == "multi-pack-index" || name == "commit-graph" || name.ends_with(".bitmap") {
                    let mut bytes = fs::read(&file).unwrap();
                    damage(&mut bytes);
                    fs::remove_file(&file).unwrap();
                    fs::write(&file, bytes).unwrap();
                }
            }
            repo.accept("a.txt", key(1));
            let pushed = repo.git(&["push", "-q", "--no-verify", "origin", "main"]);
            assert_ne!(pushed.code, 0, "{}", pushed.err);
            let line = format!("{} {} refs/heads/x\n", "0".repeat(40), repo.head());
            let mut hook = server.command(LEAKSTOP);
            hook.args(["hook", "pre-receive"]).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", repo.path().join(".git/objects"));
            let ended = crate::support::ended_with(&mut hook, line.as_bytes());
            assert!(matches!(ended.code, 1 | 2), "{} {}", ended.code, ended.err);
        }
    }

    #[test]
    fn a_commit_graph_that_names_what_is_gone_does_no_harm() {
        let (server, repo) = started();
        repo.accept("later", "later\n");
        repo.push_passes(&["main:topic"]);
        server.git(&["commit-graph", "write", "--reachable"]).expect(0);
        server.git(&["update-ref", "-d", "refs/heads/topic"]).expect(0);
        server.git(&["-c", "gc.writeCommitGraph=false", "gc", "-q", "--prune=now"]).expect(0);
        repo.accept("a.txt", key(1));
        assert!(repo.push_is_refused(&server, &["main"]).contains("a.txt:1:8"));
    }

    #[test]
    fn a_relative_alternate_is_followed_and_its_refs_count_for_nothing() {
        let (parent, repo) = (Repo::bare(), Repo::new());
        repo.has_remote(&parent);
        repo.accept("a.txt", key(1));
        repo.git(&["push", "-q", "origin", "main"]).expect(0);
        let fork = parent.beside("fork.git");
        parent.git(&["clone", "-q", "--bare", "--shared", ".", fork.to_str().unwrap()]).expect(0);
        fs::write(fork.join("objects/info/alternates"), "../../repo/objects\n").unwrap();
        let fork = Repo::at(fork);
        fork.leakstop(&["install", "--server", "."]).expect(0);
        repo.git(&["remote", "set-url", "origin", fork.path().to_str().unwrap()]).expect(0);
        repo.push_passes(&["main:again"]);
        // What the parent took in later is not the fork's.
        repo.accept("b.txt", key(2));
        repo.git(&["push", "-q", parent.path().to_str().unwrap(), "main:refs/pull/1/head"]).expect(0);
        let told = repo.push_is_refused(&fork, &["main"]);
        assert!(told.contains("b.txt:1:8") && !told.contains("a.txt:1:8"), "{told}");
    }

    #[test]
    fn what_another_namespace_holds_is_not_accepted_in_this_one() {
        let server = Repo::server();
        let repo = Repo::with_remote(&server);
        let base = repo.accept("README", "hello\n");
        repo.accept("a.txt", key(1));
        let theirs = repo.head();
        let push = |namespace: &str, refspec: &str| {
            let program = format!("git --namespace={namespace} receive-pack");
            repo.git(&["push", "-q", "--no-verify", &format!("--receive-pack={program}"), "origin", refspec])
        };
        // The other one took the secret in before it was guarded.
        server.git(&["fetch", "-q", repo.path().to_str().unwrap(), &format!("{theirs}:refs/namespaces/theirs/refs/heads/main")]).expect(0);
        push("ours", &format!("{base}:refs/heads/main")).expect(0);
        assert_eq!(server.ask(&["rev-parse", "refs/namespaces/ours/refs/heads/main"]), base);
        let refused = push("ours", "main:refs/heads/main");
        assert!(refused.code != 0 && refused.err.contains("a.txt:1:8"), "{}", refused.err);
        push("theirs", "main:refs/heads/same").expect(0);
        server.write("leakstop.toml", "[server]\nbaseline = \"all\"\n");
        push("ours", "main:refs/heads/main").expect(0);
    }

    #[test]
    fn folders_within_folders_that_make_up_billions_of_paths_are_refused_at_once() {
        let (server, repo) = started();
        let mut inside = feed(&repo, &["hash-object", "-w", "--stdin"], b"small\n");
        for level in 0..10 {
            let (mode, kind) = if level == 0 { ("100644", "blob") } else { ("040000", "tree") };
            let lines: String = (0..10).map(|at| format!("{mode} {kind} {inside}\tn{at}\n")).collect();
            inside = feed(&repo, &["mktree"], lines.as_bytes());
        }
        let bomb = repo.ask(&["commit-tree", "-m", "bomb", &inside]);
        let before = server.contents();
        let refused = repo.git(&["push", "-q", "--no-verify", "origin", &format!("{bomb}:refs/heads/bomb")]);
        assert!(refused.code != 0 && refused.err.contains("is part of a bomb: "), "{}", refused.err);
        assert_eq!(server.contents(), before);
    }
}

mod partial_clones {
    use super::*;

    /// A clone without any folder or file that a checkout did not need, whose origin is then out of reach.
    fn treeless(sparse: bool) -> (Repo, Repo) {
        let origin = Repo::new();
        origin.git(&["config", "uploadpack.allowFilter", "true"]).expect(0);
        origin.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]).expect(0);
        origin.accept("in/first", "hello\n");
        origin.accept("out/deep/second", "hello\n");
        origin.accept("in/third", "hello\n");
        let target = origin.beside("clone");
        let address = format!("file://{}", origin.path().display());
        let mut options = vec!["clone", "-q", "--filter=tree:0"];
        options.extend(sparse.then_some("--sparse"));
        origin.git(&[&options[..], &[&address, target.to_str().unwrap()]].concat()).expect(0);
        let repo = Repo::at(target);
        if sparse {
            repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]).expect(0);
        }
        repo.leakstop(&["install"]).expect(0);
        repo.git(&["remote", "set-url", "origin", "file:///nowhere"]).expect(0);
        (origin, repo)
    }

    #[test]
    fn a_commit_in_one_without_folders_is_read() {
        for sparse in [false, true] {
            let (_origin, repo) = treeless(sparse);
            repo.stage("in/a.txt", key(1));
            assert!(repo.refuses(&COMMIT).contains("in/a.txt:1:8"), "sparse: {sparse}");
            repo.stage("in/a.txt", "hello\n");
            repo.takes(&COMMIT);
        }
    }

    #[test]
    fn a_push_from_one_without_folders_reads_what_is_there_and_tells_the_rest() {
        let (_origin, repo) = treeless(false);
        let server = Repo::bare();
        let line = |repo: &Repo| format!("refs/heads/main {} refs/heads/main {}\n", repo.head(), "0".repeat(40));
        let hook = ["hook", "pre-push", "origin", "file:///nowhere"];
        // The first commit after the clone: its parent was checked out, so its folders are here.
        repo.accept("in/clean.txt", "hello\n");
        assert!(repo.leakstop_with(&hook, line(&repo).as_bytes()).expect(0).err.contains("passed: nothing found"));
        // One on an older commit, whose folders were never fetched, on which everything counts as new.
        let tree = repo.ask(&["rev-parse", "HEAD^{tree}"]);
        let id = repo.ask(&["commit-tree", "-p", "HEAD~3", "-m", "on an old one", &tree]);
        repo.git(&["reset", "-q", "--soft", &id]).expect(0);
        assert!(repo.leakstop_with(&hook, line(&repo).as_bytes()).expect(0).err.contains("passed: nothing found"));
        repo.stage("in/a.txt", key(1));
        let id = repo.ask(&["commit-tree", "-p", "HEAD~1", "-m", "with a secret", &repo.ask(&["write-tree"])]);
        repo.git(&["reset", "-q", "--soft", &id]).expect(0);
        assert!(repo.leakstop_with(&hook, line(&repo).as_bytes()).expect(1).err.contains("in/a.txt:1:8"));
        drop(server);
    }

    #[test]
    fn a_pushed_folder_that_is_promised_and_missing_is_told_as_unread() {
        let (origin, repo) = treeless(false);
        let missing = origin.ask(&["rev-parse", "HEAD~2:in"]);
        let listing = format!("040000 tree {missing}\tin\n");
        let tree = feed(&repo, &["mktree", "--missing"], listing.as_bytes());
        let id = repo.ask(&["commit-tree", "-m", "made of what is not here", &tree]);
        let line = format!("refs/heads/x {id} refs/heads/x {}\n", "0".repeat(40));
        let ended = repo.leakstop_with(&["hook", "pre-push", "origin", "file:///nowhere"], line.as_bytes()).expect(1);
        assert!(ended.err.contains("in/: this folder is not in this partial clone"), "{}", ended.err);
        repo.git(&["config", "remote.origin.promisor", "false"]).expect(0);
        let ended = repo.leakstop_with(&["hook", "pre-push", "origin", "file:///nowhere"], line.as_bytes()).expect(2);
        assert!(ended.err.contains("cannot read the git object"), "{}", ended.err);
    }
}
