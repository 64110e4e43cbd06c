//! What stands in a repository is shown to people, to terminals and to build servers: none of it steers them, and nothing of
//! the environment and no readable file of ours is left behind.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::support::{Ended, LEAKSTOP, Repo, assert_redacted, ended, ended_with, token};

/// Everything that a terminal, a log viewer or a build server acts upon.
const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\r\n::error::x\n ::add-mask::y ##vso[task.z]##[group]\u{202e}\u{200b}\u{9b}31m";

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// Fails the test if anything in `text` steers a reader.
#[track_caller]
fn assert_harmless(text: &str) {
    let control = text.chars().find(|c| c.is_control() && *c != '\n' || ('\u{200b}'..='\u{202e}').contains(c));
    assert!(control.is_none(), "{control:?} in {text:?}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    assert!(!text.contains("##vso[") && !text.contains("##[group]"), "{text}");
}

#[track_caller]
fn harmless(ended: Ended, code: i32) -> Ended {
    assert_harmless(&ended.out);
    assert_harmless(&ended.err);
    ended.expect(code)
}

#[test]
fn a_path_steers_nobody_in_any_format() {
    let repo = Repo::started();
    let path = format!("dir/{}", HOSTILE.replace('/', "_"));
    for name in [path.as_str(), "::error::x/::warning file=a::b", "##vso[task.setvariable]x"] {
        repo.write(name, key(1));
        repo.git(&["add", "-A"]).expect(0);
        for format in ["human", "json", "jsonl"] {
            for more in [&[][..], &["--verbose"]] {
                let call = [&["hook", "pre-commit", "--format", format][..], more].concat();
                let told = harmless(repo.leakstop(&call), 1);
                assert!(told.err.contains("github-pat-classic"), "{}", told.err);
                harmless(repo.leakstop(&[&["scan", "--format", format][..], more].concat()), 1);
            }
        }
        harmless(repo.git(&["commit", "-qm", "work"]), 1);
        // An unread file is named, too.
        fs::write(repo.beside("limit.toml"), "[limits]\nmax_file_bytes = 1\n").unwrap();
        let limit = repo.beside("limit.toml");
        harmless(repo.leakstop(&["--config", limit.to_str().unwrap(), "scan", "--staged"]), 0);
        repo.git(&["reset", "-q", "--hard"]).expect(0);
    }
}

#[test]
fn refs_messages_and_authors_steer_nobody() {
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    let bidi = "refs/heads/a\u{202e}b\u{200b}";
    repo.accept("a.txt", key(1));
    let commit = |name: &str, message: &str| {
        let mut command = repo.command("git");
        command.args(["commit", "-q", "--allow-empty", "--no-verify", "-m", message]).env("GIT_AUTHOR_NAME", name);
        ended(&mut command).expect(0);
    };
    commit(&format!("{}{}", HOSTILE.replace('\n', " "), token(2)), &format!("{HOSTILE}\n{}\n", token(3)));
    repo.git(&["tag", "-a", "v1", "-m", &format!("{HOSTILE} {}", token(4))]).expect(0);
    let push = repo.git(&["push", "-q", "--no-verify", "origin", &format!("main:{bidi}"), "v1"]);
    assert!(push.err.contains("remote: leakstop: blocked"), "{}", push.err);
    let told: String = push.err.lines().filter_map(|line| line.strip_prefix("remote: ")).map(|line| line.trim_end().to_owned() + "\n").collect();
    assert_harmless(&told);
    for seed in 1..=4 {
        assert_redacted(&told, &token(seed));
    }
    repo.git(&["update-ref", bidi, "main"]).expect(0);
    for format in ["human", "json", "jsonl"] {
        let told = harmless(repo.leakstop(&["scan", "--history", "--format", format]), 1);
        (1..=4).for_each(|seed| assert_redacted(&told.out, &token(seed)));
    }
}

#[test]
fn content_is_never_shown() {
    let repo = Repo::started();
    repo.stage("a.txt", format!("{HOSTILE}{}{HOSTILE} another line", key(1)));
    for format in ["human", "json", "jsonl"] {
        let told = harmless(repo.leakstop(&["hook", "pre-commit", "--verbose", "--format", format]), 1);
        assert!(!told.err.contains("another line") && !told.err.contains("add-mask"), "{}", told.err);
    }
}

#[test]
fn errors_steer_nobody_and_tell_no_secret() {
    let repo = Repo::started();
    let hostile = format!("{HOSTILE}{}", token(1)).replace('/', "_");
    let quoted = toml::Value::String(hostile.clone()).to_string();
    let broken = repo.beside("broken.toml");
    let broken = broken.to_str().unwrap();
    let calls: [&[&str]; 11] = [
        &["scan", &hostile],
        &["--config", &hostile, "scan"],
        &["scan", "--range", &hostile],
        &["scan", "--range", &format!("{hostile}..HEAD")],
        &["rules", "show", &hostile],
        &["--output", &format!("/nowhere/{hostile}"), "scan", "README"],
        &["install", "--hook", &hostile],
        &["install", "--server", &hostile],
        &["allow", &hostile, "--owner", "a", "--reason", "b", "--expires", &hostile],
        &["hook", "commit-msg", &hostile],
        &["hook", "update", &hostile, &hostile, &hostile],
    ];
    for call in calls {
        let told = repo.leakstop(call);
        assert!(told.code != 0 || call[0] == "scan", "{call:?}");
        assert_harmless(&told.out);
        assert_harmless(&told.err);
        assert_redacted(&told.err, &token(1));
    }
    for text in [format!("{quoted} = 1\n"), format!("[rules.level]\n{quoted} = \"warn\"\n"), format!("[paths]\nallow = [{quoted}, \"{{\"]\n")] {
        fs::write(broken, text).unwrap();
        let told = harmless(repo.leakstop(&["--config", broken, "scan"]), 2);
        assert_redacted(&told.err, &token(1));
    }
    harmless(ended(repo.command(LEAKSTOP).args(["scan", "--staged"]).env("LEAKSTOP_BACKEND", &hostile)), 2);
    // A call that cannot be read quotes what was given.
    for call in [&["--no-such\u{1b}[2J::x"][..], &["scan", "--format", HOSTILE], &["::error::\u{7}"]] {
        harmless(repo.leakstop(call), 2);
    }
    harmless(repo.leakstop_with(&["hook", "pre-receive"], HOSTILE.as_bytes()), 2);
}

#[test]
fn the_place_of_a_repository_steers_nobody() {
    let repo = Repo::new();
    let folder = repo.path().join(std::ffi::OsStr::from_bytes(HOSTILE.replace('/', "_").as_bytes()));
    fs::create_dir(&folder).unwrap();
    let run = |program: &str, arguments: &[&str]| ended(repo.command(program).current_dir(&folder).args(arguments));
    run("git", &["init", "-q"]).expect(0);
    for call in [&["install"][..], &["install"], &["config", "check"], &["uninstall"], &["uninstall"]] {
        harmless(run(LEAKSTOP, call), 0);
    }
    fs::write(folder.join("a.txt"), key(1)).unwrap();
    run("git", &["add", "a.txt"]).expect(0);
    harmless(run(LEAKSTOP, &["scan"]), 1);
    harmless(run(LEAKSTOP, &["allow", "0123456789abcdef", "--owner", "a", "--reason", "b", "--expires", "2999-01-01"]), 0);
    harmless(run(LEAKSTOP, &["allow", "0123456789abcdef", "--owner", "a", "--reason", "b", "--expires", "2999-01-01"]), 2);
}

/// What the hook's environment may hold on a server: a web server hands the pusher's password on.
#[test]
fn nothing_of_the_environment_is_told() {
    let (password, secret) = ("Basic eW91IHNob3VsZCBub3Qgc2VlIHRoaXM=", token(9));
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    repo.accept("a.txt", key(1));
    let line = format!("{} {} refs/heads/x\n", "0".repeat(40), repo.head());
    repo.git(&["push", "-q", "--no-verify", "--receive-pack=git -c core.hooksPath=/nowhere receive-pack", "origin", "main:refs/heads/x"]).expect(0);
    server.git(&["update-ref", "-d", "refs/heads/x"]).expect(0);
    for (input, config, code) in [(line.as_str(), "", 1), ("nonsense\n", "", 2), (line.as_str(), "[servr]\n", 2)] {
        server.write("leakstop.toml", config);
        for format in ["human", "json"] {
            let mut command = server.command(LEAKSTOP);
            command.args(["hook", "pre-receive", "--verbose", "--format", format]);
            command.env("HTTP_AUTHORIZATION", password).env("PASSWORD", &secret).env("GIT_TRACE", "0").env("RUST_BACKTRACE", "full");
            let told = ended_with(&mut command, input.as_bytes()).expect(code);
            for text in [&told.out, &told.err] {
                assert!(!text.contains("eW91IHNo") && !text.contains("HTTP_AUTH") && !text.contains("PASSWORD"), "{text}");
                assert_redacted(text, &secret);
            }
        }
    }
}

mod files {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    /// Every file below a folder, by its path, with its bytes.
    fn all(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push((path.clone(), fs::read(&path).unwrap())) }
            }
        }
        found.sort();
        found
    }

    /// Runs leakstop with the umask that forbids nothing, and a folder of its own for temporary files.
    fn open_handed(repo: &Repo, arguments: &str, input: &[u8]) -> Ended {
        let temporary = repo.beside("temporary");
        fs::create_dir_all(&temporary).unwrap();
        let mut command = repo.command("sh");
        command.args(["-c", &format!("umask 000 && exec '{LEAKSTOP}' {arguments}")]).env("TMPDIR", &temporary);
        let ended = ended_with(&mut command, input);
        assert_eq!(all(&temporary), [], "left behind by {arguments}");
        ended
    }

    #[test]
    fn of_ours_are_for_their_owner_whatever_the_umask() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        fs::remove_dir_all(repo.path().join(".git/hooks")).unwrap();
        open_handed(&repo, "install", b"").expect(0);
        for hook in ["pre-commit", "pre-push", "commit-msg", "pre-merge-commit"] {
            assert_eq!(mode(&repo.path().join(".git/hooks").join(hook)), 0o755, "others run it and none but the owner writes it");
        }
        assert_eq!(mode(&repo.path().join(".git/hooks")), 0o755);
        let report = repo.beside("report.json");
        open_handed(&repo, &format!("scan --format json --output '{}'", report.display()), b"").expect(1);
        assert_eq!(mode(&report), 0o600);
        open_handed(&repo, "allow 0123456789abcdef --owner a --reason b --expires 2999-01-01", b"").expect(0);
        assert_eq!(mode(&repo.path().join(".leakstop.toml")) & 0o022, 0, "a shared file, that others read and do not write");
    }

    #[test]
    fn no_hook_writes_into_the_repository() {
        let server = Repo::server();
        let repo = Repo::guarded();
        repo.has_remote(&server);
        repo.accept("README", "hello\n");
        repo.git(&["push", "-q", "origin", "main"]).expect(0);
        repo.stage("a.txt", key(1));
        repo.write(".git/COMMIT_EDITMSG", key(2));
        let commit = repo.ask(&["commit-tree", "-p", "HEAD", "-m", "x", &repo.ask(&["write-tree"])]);
        let zero = "0".repeat(40);
        let before = all(&repo.path().join(".git"));
        for backend in ["git2", "git"] {
            let run = |arguments: &str, input: &str| {
                let temporary = repo.beside("temporary");
                fs::create_dir_all(&temporary).unwrap();
                let mut command = repo.command("sh");
                command.args(["-c", &format!("umask 000 && exec '{LEAKSTOP}' {arguments}")]);
                command.env("TMPDIR", &temporary).env("LEAKSTOP_BACKEND", backend);
                ended_with(&mut command, input.as_bytes()).expect(1);
                assert_eq!(all(&temporary), [], "left behind by {arguments}");
            };
            run("hook pre-commit", "");
            run("hook pre-merge-commit", "");
            run("hook commit-msg .git/COMMIT_EDITMSG", "");
            run("hook pre-push origin x", &format!("x {commit} refs/heads/x {zero}\n"));
            run(&format!("hook pre-receive --backend {backend}"), &format!("{zero} {commit} refs/heads/x\n"));
            run(&format!("hook update refs/heads/x {zero} {commit}"), "");
            run("scan --staged", "");
        }
        assert!(all(&repo.path().join(".git")) == before, "a hook changed the repository");
    }
}
