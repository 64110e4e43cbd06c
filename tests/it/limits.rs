//! Nothing is waited for without end, and no shape of a push costs more than it should.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Repo, ended, ended_with};

/// How long a command takes.
fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let since = Instant::now();
    (act(), since.elapsed())
}

/// A folder with a `git` that answers everything but the commands that `pattern` fits: those it keeps waiting.
fn hanging_git(repo: &Repo, pattern: &str) -> String {
    let folder = repo.beside("bin");
    fs::create_dir(&folder).unwrap();
    let real = ended(Command::new("sh").args(["-c", "command -v git"])).expect(0).out;
    let file = folder.join("git");
    fs::write(&file, format!("#!/bin/sh\ncase \"$*\" in *{pattern}*) sleep 20;; esac\nexec {} \"$@\"\n", real.trim())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// What a hook of a server says of a first push of `commit`, with further variables and options.
pub fn received(server: &Repo, commit: &str, variables: &[(&str, &str)]) -> crate::support::Ended {
    let mut command = server.command(crate::support::LEAKSTOP);
    command.args(["hook", "pre-receive"]).env("GIT_DIR", ".");
    for (name, value) in variables {
        match *name {
            "backend" => command.args(["--backend", value]),
            name => command.env(name, value),
        };
    }
    ended_with(&mut command, format!("{} {commit} refs/heads/main\n", "0".repeat(40)).as_bytes())
}

/// A bare repository that holds one commit of `text`, which no ref reaches, and the commit.
fn server_with(text: &str, configuration: &str) -> (Repo, String) {
    let repo = Repo::new();
    let commit = repo.accept("a.py", text);
    let server = Repo::bare();
    server.git(&["fetch", "-q", repo.path().to_str().unwrap(), &commit]).expect(0);
    server.write("leakstop.toml", configuration);
    (server, commit)
}

/// The same with a text that takes long to scan.
fn slow_server(deadline: &str) -> (Repo, String) {
    server_with(&"key='".repeat(2_000_000), &format!("[limits]\n{deadline}\n"))
}

/// A deadline is kept whatever is being done; the machine that tests run on may be busy, so that this is generous.
const SLACK: Duration = Duration::from_millis(1500);

#[test]
fn at_the_deadline_the_check_ends_in_the_middle_of_a_blob() {
    let (server, commit) = slow_server("deadline_ms = 700");

    let (ended, time) = timed(|| received(&server, &commit, &[]));

    let ended = ended.expect(2);
    assert!(ended.err.contains("leakstop: error: the time for this check is over after 700 ms"), "{}", ended.err);
    assert!(ended.err.contains("covered: 0 blobs (0 bytes), 1 commits") && ended.err.contains("not covered: 1 of 1 blobs"), "{}", ended.err);
    assert!(ended.err.ends_with("not everything was checked, so nothing passes\n"), "{}", ended.err);
    assert!(time >= Duration::from_millis(700) && time < Duration::from_millis(700) + SLACK, "{time:?}");
}

#[test]
fn github_enterprise_gets_its_answer_before_its_own_limit() {
    let (server, commit) = slow_server("");

    let (ended, time) = timed(|| received(&server, &commit, &[("GITHUB_VIA", "git push")]));

    assert!(ended.expect(2).err.contains("over after 4000 ms"));
    assert!(time < Duration::from_millis(4000) + SLACK, "{time:?}");
}

#[test]
fn what_is_pushed_cannot_move_the_deadline() {
    let (server, commit) = slow_server("deadline_ms = 700\n[server]\nrepository_config = \"pushed\"");
    let tree = server.ask(&["rev-parse", &format!("{commit}^{{tree}}")]);
    let mut hash = server.command("git");
    let blob = ended_with(hash.args(["hash-object", "-w", "--stdin"]), b"[limits]\ndeadline_ms = 600000\ngit_seconds = 1\n").expect(0).out;
    let listed = server.ask(&["ls-tree", &tree]);
    let mut make = server.command("git");
    let tree = ended_with(make.arg("mktree"), format!("100644 blob {}\t.leakstop.toml\n{listed}\n", blob.trim()).as_bytes()).expect(0).out;
    let commit = server.ask(&["commit-tree", "-m", "x", tree.trim()]);

    let ended = received(&server, &commit, &[]);

    assert!(ended.expect(2).err.contains("over after 700 ms"));
}

#[test]
fn a_git_that_hangs_is_ended_at_the_deadline() {
    let (server, commit) = server_with("x = 1\n", "[limits]\ndeadline_ms = 700\n");
    let path = hanging_git(&server, "rev-list");

    let (ended, time) = timed(|| received(&server, &commit, &[("PATH", &path), ("backend", "git")]));

    assert!(ended.expect(2).err.contains("over after 700 ms"));
    assert!(time < Duration::from_millis(700) + SLACK, "{time:?}");
}

/// Without the thread that keeps the time neither the deadline nor the patience with git would hold.
#[test]
fn where_nobody_can_keep_the_time_nothing_passes() {
    let no_threads = [("LD_PRELOAD", crate::faults::process_faults().to_str().unwrap()), ("FAULT_KIND", "thread"), ("FAULT_AT", "1")];
    let no_threads = no_threads.into_iter().chain([("FAULT_ON", "forever"), ("FAULT_ERRNO", "11")]);
    let (server, commit) = server_with("x = 1\n", "");
    received(&server, &commit, &[("backend", "git2")]).expect(0);
    for (backend, configuration, while_what) in [("git2", "[limits]\ndeadline_ms = 60000\n", ""), ("git", "", " while git answers")] {
        server.write("leakstop.toml", configuration);
        let variables: Vec<_> = no_threads.clone().chain([("backend", backend)]).collect();

        let ended = received(&server, &commit, &variables).expect(2);

        let why = format!("the system gives no thread to watch the clock{while_what}");
        assert!(ended.err.contains(&why) && ended.err.ends_with("so nothing passes\n"), "{}", ended.err);
    }
}

#[test]
fn a_git_that_hangs_is_not_waited_for_without_end() {
    for pattern in ["rev-list", "\"cat-file --batch\""] {
        let (server, commit) = server_with("x = 1\n", "[limits]\ngit_seconds = 1\n");
        let path = hanging_git(&server, pattern);

        let (ended, time) = timed(|| received(&server, &commit, &[("PATH", &path), ("backend", "git")]));

        let ended = ended.expect(2);
        assert!(ended.err.contains("did not answer within 1 s") && ended.err.contains("limits.git_seconds"), "{}", ended.err);
        assert!(time < Duration::from_secs(1) + SLACK, "{time:?}");
    }
}

#[test]
fn a_reader_that_does_not_read_delays_no_deadline() {
    let (server, commit) = slow_server("deadline_ms = 700");
    let pipe = server.beside("full");
    ended(Command::new("mkfifo").arg(&pipe)).expect(0);
    // The pipe is open for reading too, and full: whoever writes to it waits.
    let script = format!(
        "exec 3<>{0}; dd if=/dev/zero bs=65536 count=1 of={0} 2>/dev/null; echo {1} {commit} refs/heads/main | {2} hook pre-receive 2>&3",
        pipe.display(),
        "0".repeat(40),
        crate::support::LEAKSTOP
    );

    let (ended, time) = timed(|| ended(server.command("sh").env("GIT_DIR", Path::new(".")).args(["-c", &script])));

    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(time < Duration::from_millis(700) + SLACK, "{time:?}");
}

/// Runs `git fast-import` on what `write` says, in a bare repository, and leaves no ref; gives the commit.
pub fn imported(server: &Repo, stream: &[u8]) -> String {
    ended_with(server.command("git").args(["fast-import", "--quiet"]), stream).expect(0);
    let commit = server.ask(&["rev-parse", "refs/heads/x"]);
    server.git(&["update-ref", "-d", "refs/heads/x"]).expect(0);
    commit
}

#[test]
fn a_tree_that_repeats_itself_without_measure_is_refused_soon() {
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    let mut tree = repo.accept("f", "x = 1\n");
    tree = repo.ask(&["rev-parse", &format!("{tree}^{{tree}}")]);
    for _ in 0..10 {
        let entries: String = (0..10).map(|at| format!("040000 tree {tree}\td{at}\n")).collect();
        tree = ended_with(repo.command("git").arg("mktree"), entries.as_bytes()).expect(0).out.trim().to_owned();
    }
    let commit = repo.ask(&["commit-tree", "-m", "bomb", &tree]);

    let refspec = format!("{commit}:refs/heads/bomb");
    let (ended, time) = timed(|| repo.git(&["push", "-q", "--no-verify", "origin", &refspec]));

    assert!(ended.code != 0 && ended.err.contains("is part of a bomb"), "{}", ended.err);
    assert!(ended.err.contains("nothing passes"), "{}", ended.err);
    assert_eq!(server.ask(&["for-each-ref"]), "");
    assert!(time < Duration::from_secs(120), "ten thousand million paths would take days; this took {time:?}");
}

#[test]
fn a_folder_at_many_paths_is_no_attack() {
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    for at in 0..300 {
        repo.write(&format!("a/{at}/package/__init__.py"), "x = 1\n");
    }
    repo.stage("a/7/package/key.py", format!("key = \"{}\"\n", crate::support::token(1)));
    repo.git(&["add", "."]).expect(0);
    repo.git(&["commit", "-q", "--no-verify", "-m", "x"]).expect(0);

    let said = repo.push_is_refused(&server, &["main"]);

    assert!(said.contains("a/7/package/key.py:1:8"), "{said}");
}

/// A text of `lines` lines, with a token in the last but one.
fn long_text(lines: usize, token: &str) -> Vec<u8> {
    let mut text = b"the quick brown fox jumps over the lazy dog, and so on and on and on\n".repeat(lines);
    text.extend(format!("  token = \"{token}\"\nend\n").as_bytes());
    text
}

#[test]
fn a_blob_that_is_too_large_to_be_held_is_read_in_parts() {
    let token = crate::support::token(3);
    let text = long_text(250_000, &token);
    for (backend, packed) in [("git2", false), ("git2", true), ("git", true)] {
        {
            let server = Repo::bare();
            let mut stream = format!("blob\nmark :1\ndata {}\n", text.len()).into_bytes();
            stream.extend(&text);
            stream.extend(b"\ncommit refs/heads/x\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nm\nM 100644 :1 big.txt\n");
            let commit = imported(&server, &stream);
            if packed {
                server.git(&["update-ref", "refs/heads/y", &commit]).expect(0);
                server.git(&["repack", "-adq"]).expect(0);
                server.git(&["update-ref", "-d", "refs/heads/y"]).expect(0);
            }

            let ended = received(&server, &commit, &[("backend", backend)]).expect(1);

            assert!(ended.err.contains("big.txt:250001:12"), "{backend} {packed}: {}", ended.err);
            assert!(ended.err.contains("17.3 MB"), "{}", ended.err);
        }
    }
}

#[test]
fn a_file_that_is_too_large_to_be_held_is_read_in_parts() {
    let repo = Repo::new();
    repo.write("big.txt", long_text(250_000, &crate::support::token(4)));

    let report = repo.report(&["scan"], 1);

    let finding = &report["findings"][0];
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(250_001), Some(12)), "{finding}");
    assert_eq!(report["unread"].as_array().unwrap().len(), 0);
}

#[test]
fn findings_without_number_are_counted_and_not_all_listed() {
    let repo = Repo::new();
    let shapes: String = (0..10_050).map(|at| format!("{}\n", crate::support::token(at))).collect();
    repo.write("a.txt", shapes);

    let report = repo.report(&["scan"], 1);

    assert_eq!(report["findings"].as_array().unwrap().len(), 10_000);
    let why = "it holds more than 10000 findings, or the last of more than 50000 in all; the others are not listed";
    assert_eq!(report["unread"][0]["why"], why);
}
