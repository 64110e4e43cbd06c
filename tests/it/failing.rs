//! Failing shut: whatever keeps leakstop from its job, the answer is 2, with what was tried, on what, why, and the way out; and
//! a secret that was found stays a refusal. Each call of the system that fails is in `faults.rs`.
//!
//! It is long because each thing that may be missing or broken is a scene.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Ended, LEAKSTOP, Repo, assert_redacted, ended, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];
const ZERO: &str = "0000000000000000000000000000000000000000";

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// Fails the test unless it ended with 2 and told everything that somebody needs.
#[track_caller]
fn assert_told(ended: &Ended, what: &str) {
    assert_eq!(ended.code, 2, "{}\n{}", ended.out, ended.err);
    for part in ["leakstop: error: ", what, "\n  try: ", "nothing passes"] {
        assert!(ended.err.contains(part), "{part:?} is missing in:\n{}", ended.err);
    }
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

mod streams {
    use super::*;

    /// Runs a shell line that ends by writing the exit code of leakstop to a file, as its streams may be closed.
    fn code(repo: &Repo, arguments: &str, redirect: &str) -> String {
        let file = repo.beside("code");
        let line = format!("{{ '{LEAKSTOP}' {arguments}; echo $? >'{}'; }} {redirect}", file.display());
        ended(repo.command("sh").args(["-c", &line]));
        fs::read_to_string(file).unwrap().trim().to_owned()
    }

    #[test]
    fn a_secret_is_refused_though_nobody_can_be_told() {
        let repo = Repo::started();
        repo.stage("a.txt", key(1));
        repo.write(".git/COMMIT_EDITMSG", key(2));
        let commit = repo.ask(&["commit-tree", "-p", "HEAD", "-m", "x", &repo.ask(&["write-tree"])]);
        let push = format!("hook pre-push origin x <<'.'\nx {commit} refs/heads/x {ZERO}\n.\n");
        for call in
            ["hook pre-commit", "hook pre-merge-commit", "hook commit-msg .git/COMMIT_EDITMSG", "scan", "scan --staged", "scan --history a", &push]
        {
            let call = if call == "scan --history a" { "scan a.txt" } else { call };
            for redirect in ["2>&- >&-", "2>/dev/full >/dev/full", "2>&1 | true", ">&- 2>&- <&-"] {
                if redirect.contains('<') && call.contains("pre-push") {
                    continue; // its input is there
                }
                assert_eq!(code(&repo, call, redirect), "1", "{call} {redirect}");
            }
        }
    }

    #[test]
    fn a_clean_answer_that_cannot_be_written_is_no_answer() {
        let repo = Repo::started();
        for call in ["scan", "scan --format json", "hook pre-commit", "rules list", "config check", "completions bash", "man"] {
            assert_eq!(code(&repo, call, ">/dev/full 2>/dev/full"), "2", "{call}");
            // A reader that has seen enough is no failure.
            assert_eq!(code(&repo, call, "2>&1 | true"), "0", "{call}");
        }
        let full = repo.leakstop(&["--output", "/dev/full", "scan"]);
        assert_told(&full, "cannot write `/dev/full`");
    }

    #[test]
    fn a_closed_input_is_not_an_empty_one() {
        let repo = Repo::started();
        for call in ["hook pre-push origin x", "hook pre-receive", "scan --stdin"] {
            assert_eq!(code(&repo, call, "<&-"), "2", "{call}");
            assert_eq!(code(&repo, call, "</dev/null"), "2", "{call}");
            assert_eq!(code(&repo, &format!("{call} <."), ""), "2", "{call}: a folder cannot be read");
        }
        assert_told(&ended(repo.command(LEAKSTOP).args(["scan", "--stdin"])), "cannot read standard input: it is closed");
    }
}

mod disk {
    use super::*;

    /// A disk without room, which only root may make.
    #[test]
    fn a_full_one_loses_nothing_and_lets_nothing_pass() {
        if !is_root() {
            return;
        }
        let repo = Repo::started();
        let small = repo.beside("small");
        fs::create_dir(&small).unwrap();
        let script = format!(
            "set -e; mount -t tmpfs -o size=64k none '{0}'; cd '{0}'; git init -q --template= .; mkdir .git/hooks; cp '{1}/secret' '{1}/.leakstop.toml' .
            git add secret; dd if=/dev/zero of=filler bs=1k 2>/dev/null || true
            code() {{ set +e; \"$@\" >said 2>'{1}/said'; echo $?; set -e; }}
            code '{LEAKSTOP}' allow 0123456789abcdef --owner a --reason b --expires 2999-01-01; cat '{1}/said'
            cat .leakstop.toml; code '{LEAKSTOP}' install; cat '{1}/said'; ls -A .git/hooks
            code '{LEAKSTOP}' --output report scan secret; cat '{1}/said'
            TMPDIR='{0}' code '{LEAKSTOP}' hook pre-commit; cat '{1}/said'",
            small.display(),
            repo.path().display()
        );
        repo.write("secret", key(1));
        repo.write(".leakstop.toml", "[level]\nlow = \"block\"\n");
        let told = ended(repo.command("unshare").args(["-m", "sh", "-c", &script])).expect(0).out;
        assert!(told.starts_with("2\nleakstop: error: cannot write `"), "{told}");
        assert!(told.contains("because: No space left on device") && told.contains("\n[level]\nlow = \"block\"\n2\n"), "{told}");
        assert_eq!(told.matches("nothing passes").count(), 3, "{told}");
        assert!(told.contains("\n1\nblocked "), "the hook writes nothing and does its work: {told}");
    }

    #[test]
    fn a_message_that_is_not_there_or_no_file() {
        let repo = Repo::started();
        for file in ["nowhere", ".", "README/x"] {
            assert_told(&repo.leakstop(&["hook", "commit-msg", file]), &format!("cannot read `{file}`"));
        }
    }

    #[test]
    fn a_damaged_repository() {
        let repo = Repo::started();
        repo.stage("a.txt", key(1));
        for (file, text) in [(".git/index", "DIRC\0\0\0\u{2}\0\0\0\u{9}nonsense"), (".git/HEAD", "nonsense"), (".git/MERGE_HEAD", "nonsense\n")] {
            let before = fs::read(repo.path().join(file));
            repo.write(file, text);
            let ended = repo.leakstop(&["hook", "pre-commit"]);
            assert_eq!(ended.code, 2, "{file}: {}", ended.err);
            assert!(ended.err.contains("try: "), "{file}: {}", ended.err);
            match before {
                Ok(bytes) => repo.write(file, bytes),
                Err(_) => fs::remove_file(repo.path().join(file)).unwrap(),
            }
        }
        repo.refuses(&COMMIT);
    }
}

mod account {
    use super::*;

    /// Runs as somebody whom permissions bind: root may read everything.
    fn bound(repo: &Repo, program: &str) -> Command {
        let mut command = repo.command(program);
        if is_root() {
            let given = ended(repo.command("chown").args(["-R", "65534:65534", repo.beside("").to_str().unwrap()]));
            given.expect(0);
            command.uid(65534).gid(65534);
        }
        command
    }

    #[test]
    fn without_a_home_the_gate_stands() {
        let repo = Repo::started();
        for (seed, home) in [None, Some(""), Some("/nowhere/at/all"), Some("/dev/null")].into_iter().enumerate() {
            repo.stage("a.txt", key(seed as u64));
            let run = || {
                let mut command = repo.command(LEAKSTOP);
                command.args(["hook", "pre-commit"]);
                match home {
                    Some(home) => command.env("HOME", home),
                    None => command.env_remove("HOME"),
                };
                ended(&mut command)
            };
            run().expect(1);
            repo.stage("a.txt", "hello\n");
            run().expect(0);
        }
    }

    #[test]
    fn a_configuration_that_may_not_be_read_is_an_error() {
        let repo = Repo::started();
        let folder = repo.beside("config/leakstop");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("config.toml");
        fs::write(&file, "[level]\nlow = \"block\"\n").unwrap();
        for (locked, mode) in [(file.as_path(), 0o000), (folder.as_path(), 0o000)] {
            let before = fs::metadata(locked).unwrap().permissions();
            fs::set_permissions(locked, fs::Permissions::from_mode(mode)).unwrap();
            let mut command = bound(&repo, LEAKSTOP);
            let ended = ended(command.args(["hook", "pre-commit"]).env("XDG_CONFIG_HOME", repo.beside("config")));
            fs::set_permissions(locked, before).unwrap();
            assert_told(&ended, "cannot read the configuration `");
            assert!(ended.err.contains("because: Permission denied"), "{}", ended.err);
        }
        // A folder in its place is no missing file either.
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let mut command = repo.command(LEAKSTOP);
        assert_told(&ended(command.args(["hook", "pre-commit"]).env("XDG_CONFIG_HOME", repo.beside("config"))), "cannot read the configuration `");
    }

    #[test]
    fn folders_that_cannot_be_written_hinder_no_hook() {
        let repo = Repo::started();
        repo.stage("a.txt", key(1));
        let home = repo.beside("locked");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o555)).unwrap();
        let mut command = bound(&repo, LEAKSTOP);
        command.args(["hook", "pre-commit"]);
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR"] {
            command.env(name, &home);
        }
        let told = ended(&mut command).expect(1);
        assert!(told.err.contains("github-pat-classic"), "{}", told.err);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod clock {
    use super::*;
    use crate::faults::process_faults;

    /// The answer when the clock shows so many seconds since 1970.
    fn at(repo: &Repo, seconds: i64) -> Ended {
        let mut command = repo.command(LEAKSTOP);
        ended(command.args(["hook", "pre-commit"]).env("LD_PRELOAD", process_faults()).env("FAULT_CLOCK", seconds.to_string()))
    }

    const YEAR: i64 = 31_556_952;

    #[test]
    fn one_that_is_wrong_makes_no_exception_hold_again() {
        let repo = Repo::started();
        repo.write("a.txt", key(1));
        let id = repo.report(&["scan"], 1)["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
        let entry = format!("[[allow]]\nfingerprint = \"{id}\"\nowner = \"ann\"\nreason = \"r\"\nexpires = \"2025-12-31\"\n");
        repo.accept(".leakstop.toml", entry);
        repo.stage("a.txt", key(1));
        at(&repo, 55 * YEAR + 100 * 86_400).expect(0);
        at(&repo, 56 * YEAR + 100 * 86_400).expect(1);
        for seconds in [0, 86_400, -86_400, -100 * YEAR, 50 * YEAR] {
            assert_told(&at(&repo, seconds), "cannot tell which exceptions still hold: the clock says ");
        }
        // Far in the future all have run out, and after the last day of the calendar nobody can tell.
        at(&repo, 1_000 * YEAR).expect(1);
        assert_told(&at(&repo, 20_000 * YEAR), "a day beyond all calendars");
    }

    #[test]
    fn without_exceptions_it_decides_nothing() {
        let repo = Repo::started();
        for seconds in [0, -86_400, 1_000 * YEAR] {
            repo.stage("a.txt", key(1));
            at(&repo, seconds).expect(1);
            repo.stage("a.txt", "hello\n");
            at(&repo, seconds).expect(0);
        }
    }
}

mod configuration {
    use super::*;

    /// What may be wrong with any of them, and what is said of it.
    const BROKEN: [(&str, &str); 5] = [
        ("[levels]\n", "line 1, column 2: unknown field `levels`"),
        ("[level]\nhigh = \"blok\"\n", "line 2, column 8: unknown variant `blok`"),
        ("[paths]\nallow = [\"{\"]\n", "line 2, column 10"),
        ("[[rule]]\nid = \"own\"\ntitle = \"t\"\nkeywords = [\"abc\"]\npattern = '(?<secret>abc'\n", "line "),
        ("\u{0}", "line 1, column "),
    ];

    #[track_caller]
    fn refused(ended: &Ended, file: &str, says: &str) {
        assert_told(ended, "cannot use the configuration `");
        assert!(ended.err.contains(file) && ended.err.contains(says), "{file}: {says}: {}", ended.err);
    }

    #[cfg(unix)]
    #[test]
    fn one_without_an_end() {
        let repo = Repo::started();
        repo.stage("a.txt", format!("{}\n", token(1)));
        let mut by_variable = repo.command(LEAKSTOP);
        let by_variable = ended(by_variable.args(["hook", "pre-commit"]).env("LEAKSTOP_CONFIG", "/dev/zero"));
        for told in [repo.leakstop(&["--config", "/dev/zero", "hook", "pre-commit"]), by_variable, repo.leakstop(&["rules", "check", "/dev/zero"])] {
            let told = told.expect(2).err;
            assert!(told.contains("cannot read the configuration `/dev/zero`\n  because: it has more than 16777216 bytes"), "{told}");
        }
    }

    #[test]
    fn a_broken_one_of_the_user_or_by_name() {
        for (text, says) in BROKEN {
            let repo = Repo::started();
            let file = repo.beside("home/.config/leakstop/config.toml");
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            for hook in [&["hook", "pre-commit"][..], &["hook", "commit-msg", "README"], &["scan"], &["doctor"]] {
                refused(&repo.leakstop(hook), "leakstop/config.toml", says);
            }
            let named = file.to_str().unwrap();
            refused(&repo.leakstop(&["--config", named, "hook", "pre-commit"]), named, says);
            let mut command = repo.command(LEAKSTOP);
            refused(&ended(command.args(["hook", "pre-commit"]).env("LEAKSTOP_CONFIG", named)), named, says);
        }
    }

    #[test]
    fn a_broken_one_of_the_repository_accepted_or_staged() {
        for (text, says) in BROKEN {
            let repo = Repo::started();
            repo.stage(".leakstop.toml", text);
            refused(&repo.leakstop(&["hook", "pre-commit"]), ".leakstop.toml (as staged)", says);
            repo.accept(".leakstop.toml", text);
            refused(&repo.leakstop(&["hook", "pre-commit"]), ".leakstop.toml of ", says);
            let line = format!("x {} refs/heads/x {ZERO}\n", repo.head());
            refused(&repo.leakstop_with(&["hook", "pre-push", "origin", "x"], line.as_bytes()), ".leakstop.toml of ", says);
        }
    }

    #[test]
    fn a_broken_one_of_a_server() {
        for (text, says) in BROKEN {
            let server = Repo::server();
            let repo = Repo::with_remote(&server);
            repo.accept("README", "hello\n");
            server.write("leakstop.toml", text);
            let before = server.contents();
            let told = repo.git(&["push", "-q", "origin", "main"]);
            assert!(told.code != 0 && told.err.contains(says) && told.err.contains("remote:   try: "), "{}", told.err);
            assert_eq!(server.contents(), before);
        }
    }

    /// The machine's file is the one of a machine of its own, which only root may make.
    #[test]
    fn a_broken_one_of_the_machine() {
        if !is_root() {
            return;
        }
        let (text, says) = BROKEN[0];
        let repo = Repo::started();
        repo.write("../broken.toml", text);
        let line = format!("{ZERO} {} refs/heads/x", repo.head());
        for call in ["hook pre-commit".to_owned(), format!("hook pre-receive <<'.'\n{line}\n.\n")] {
            let script =
                format!("mount -t tmpfs none /etc && mkdir /etc/leakstop && cp ../broken.toml /etc/leakstop/config.toml && '{LEAKSTOP}' {call}");
            refused(&ended(repo.command("unshare").args(["-m", "sh", "-c", &script])), "/etc/leakstop/config.toml", says);
        }
    }

    #[test]
    fn a_broken_baseline() {
        let repo = Repo::started();
        repo.stage(".leakstop-baseline", "nonsense\n");
        let told = repo.leakstop(&["hook", "pre-commit"]);
        assert_told(&told, ".leakstop-baseline (as staged)");
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod ends {
    use super::*;
    use crate::faults::process_faults;

    #[test]
    fn a_panic_refuses_and_tells_nothing_of_the_content() {
        let repo = Repo::started();
        repo.stage(&format!("{}.txt", token(2)), format!("{}more text\n", key(1)));
        for backtrace in ["0", "full"] {
            // A thread that the system does not give makes the standard library panic. The first keeps the time, and is an error.
            let mut command = repo.command("git");
            command.args(COMMIT).env("LD_PRELOAD", process_faults()).env("FAULT_KIND", "thread").env("FAULT_AT", "2");
            command.env("FAULT_ON", "forever").env("LEAKSTOP_BACKEND", "git").env("RUST_BACKTRACE", backtrace);
            let before = repo.head();
            let told = ended(&mut command);
            assert!(told.code != 0 && told.err.contains("leakstop: internal error at ") && told.err.contains("nothing passes"), "{}", told.err);
            assert!(!told.err.contains("more text") && !told.err.contains("panicked"), "{}", told.err);
            assert_redacted(&told.err, &token(1));
            assert_redacted(&told.err, &token(2));
            assert_eq!(repo.head(), before);
        }
    }

    #[test]
    fn git_refuses_when_the_hook_is_killed() {
        let server = Repo::server();
        let repo = Repo::started();
        repo.has_remote(&server);
        repo.stage("a.txt", "hello\n");
        let (head, contents) = (repo.head(), server.contents());
        for signal in ["9", "4", "6", "15"] {
            for call in [&COMMIT[..], &["push", "-q", "--no-verify", "origin", "main"]] {
                let mut command = repo.command("git");
                command.args(call).env("LD_PRELOAD", process_faults()).env("FAULT_KIND", "kill").env("FAULT_AT", "2").env("FAULT_ERRNO", signal);
                let told = ended(&mut command);
                assert_ne!(told.code, 0, "{call:?} by {signal}: {}", told.err);
                assert_eq!((repo.head(), server.contents()), (head.clone(), contents.clone()), "{call:?} by {signal}");
            }
        }
        // Nothing of it stays in the way.
        repo.takes(&COMMIT);
        repo.push_passes(&["main"]);
    }
}

#[test]
fn a_hook_that_cannot_start_refuses() {
    let repo = Repo::started();
    let copy = repo.beside("leakstop");
    fs::copy(LEAKSTOP, &copy).unwrap();
    ended(repo.command(&copy).arg("install")).expect(0);
    repo.stage("a.txt", "hello\n");
    for spoil in
        [|file: &Path| fs::write(file, "nonsense").unwrap(), |file: &Path| fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap()]
    {
        spoil(&copy);
        // Another leakstop on the PATH would step in.
        let told = ended(repo.command("git").args(COMMIT).env("PATH", "/usr/local/bin:/usr/bin:/bin"));
        assert_ne!(told.code, 0, "{}", told.err);
        assert_eq!(repo.ask(&["log", "--format=%s"]), "add README");
    }
}
