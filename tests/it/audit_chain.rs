//! The audit (`leakstop audit`): what a gate decided stands in a chain of entries that shows each alteration, and a gate that
//! cannot write there lets nothing pass. (`audits.rs` is about audits of a whole history.)
//!
//! It is long because each way to alter the chain is a scene of its own, and they share what reads and forges one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Ended, LEAKSTOP, Repo, assert_redacted, ended, token};

/// A guarded server that records, and a work tree that pushes to it.
fn recorded() -> (Repo, Repo, PathBuf) {
    recorded_with("")
}

fn recorded_with(more: &str) -> (Repo, Repo, PathBuf) {
    let server = Repo::server();
    let file = server.beside("audit.jsonl");
    fs::write(server.path().join("leakstop.toml"), format!("[audit]\nfile = \"{}\"\n{more}", file.display())).unwrap();
    let repo = Repo::with_remote(&server);
    repo.accept("README", "hello\n");
    (server, repo, file)
}

fn push(repo: &Repo, refspecs: &[&str]) -> Ended {
    repo.git(&[&["push", "-q", "--no-verify", "origin"], refspecs].concat())
}

fn entries(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Event and status of each entry.
fn events(file: &Path) -> Vec<String> {
    entries(file).iter().map(|entry| format!("{} {}", entry["event"].as_str().unwrap(), entry["status"].as_str().unwrap_or_default())).collect()
}

#[track_caller]
fn stats(server: &Repo) -> Value {
    serde_json::from_str(&server.leakstop(&["audit", "stats", "--format", "json"]).expect(0).out).unwrap()
}

mod entries_of_pushes {
    use super::*;

    #[test]
    fn what_was_offered_and_what_was_decided() {
        let (server, repo, file) = recorded();
        let first = repo.head();
        push(&repo, &["main"]).expect(0);
        let second = repo.accept("a.txt", format!("key = {}\n", token(1)));
        push(&repo, &["main", "main:refs/heads/other"]).expect(1);
        assert_eq!(events(&file), ["received ", "decided clean", "received ", "decided blocked"]);
        let all = entries(&file);
        assert_eq!(all[0]["refs"], serde_json::json!([{"name": "refs/heads/main", "old": null, "new": first}]));
        assert_eq!((&all[2]["refs"][0]["old"], &all[2]["refs"][0]["new"]), (&Value::from(first), &Value::from(second.clone())));
        assert_eq!((&all[1]["of"], &all[1]["exit"], &all[3]["of"], &all[3]["exit"]), (&1.into(), &0.into(), &3.into(), &1.into()));
        let found = &all[3]["findings"][0];
        assert_eq!(
            (&found["rule"], &found["verdict"], &found["path"], &found["commit"]),
            (&"github-pat-classic".into(), &"block".into(), &"a.txt".into(), &second.into())
        );
        assert_eq!((found["fingerprint"].as_str().unwrap().len(), &all[3]["coverage"]["commits"]), (16, &1.into()));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let told = server.leakstop(&["audit", "verify"]).expect(0).out;
        assert!(told.contains("entries     1 to 4, ") && told.ends_with("leakstop: the audit is whole\n"), "{told}");
        let told = stats(&server);
        assert_eq!((&told["stats"]["allowed"], &told["stats"]["blocked"], &told["stats"]["unfinished"]), (&1.into(), &1.into(), &0.into()));
        assert_eq!((&told["stats"]["findings"]["github-pat-classic"]["block"], &told["head"]), (&1.into(), &all[3]["hash"]));
    }

    #[test]
    fn a_gate_that_could_not_do_its_job_says_why() {
        let (server, repo, file) = recorded();
        repo.accept(".leakstop.toml", "[level]\nhihg = \"block\"\n");
        push(&repo, &["main"]).expect(1);
        assert_eq!(events(&file), ["received ", "failed "]);
        let last = &entries(&file)[1];
        assert!(last["exit"] == 2 && last["why"].as_str().unwrap().contains("unknown field"), "{last}");
        assert_eq!(stats(&server)["stats"]["failed"], 1);
    }

    #[test]
    fn one_that_runs_out_of_time_is_no_verdict() {
        let (_server, repo, file) = recorded_with("[limits]\ndeadline_ms = 1\n");
        repo.accept("a.txt", "word and word\n".repeat(500_000));
        push(&repo, &["main"]).expect(1);
        // The entry that says so may miss the few milliseconds that are left for it.
        let events = events(&file);
        assert!(events == ["received ", "failed "] || events == ["received "], "{events:?}");
    }

    #[test]
    fn each_ref_of_an_update_hook() {
        let (server, repo, file) = recorded();
        fs::remove_file(server.path().join("hooks/pre-receive")).unwrap();
        symlink(LEAKSTOP, server.path().join("hooks/update")).unwrap();
        repo.git(&["branch", "clean"]).expect(0);
        repo.accept("a.txt", format!("key = {}\n", token(1)));
        push(&repo, &["clean", "main"]).expect(1);
        assert_eq!(events(&file), ["received ", "decided clean", "received ", "decided blocked"]);
        assert!(entries(&file).iter().step_by(2).all(|entry| entry["command"] == "hook update"));
    }

    #[test]
    fn an_exception_that_was_used_and_its_owner() {
        let (server, repo, file) = recorded();
        let text = |fingerprint: &str| {
            format!("[[allow]]\nfingerprint = \"{fingerprint}\"\nowner = \"ann@example.org\"\nreason = \"a test\"\nexpires = \"2099-01-01\"\n")
        };
        repo.write("a.txt", format!("key = {}\n", token(1)));
        let fingerprint = repo.report(&["scan", "a.txt"], 1)["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
        repo.accept(".leakstop.toml", text(&fingerprint));
        push(&repo, &["main"]).expect(0);
        repo.accept("a.txt", format!("key = {}\n", token(1)));
        push(&repo, &["main"]).expect(0);
        let found = &entries(&file)[3]["findings"][0];
        assert_eq!((&found["verdict"], &found["owner"]), (&"allow".into(), &"ann@example.org".into()));
        assert_eq!(stats(&server)["stats"]["exceptions"]["ann@example.org"]["used"], 1);
        assert!(server.leakstop(&["audit", "stats"]).expect(0).out.contains("excepted    ann@example.org: 1 times, last 20"));
    }

    #[test]
    fn nothing_of_a_secret_wherever_it_stands() {
        let (_server, repo, file) = recorded();
        repo.accept(&format!("{}/a.txt", token(1)), format!("key = {}\n", token(2)));
        repo.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", &format!("key {}", token(3))]).expect(0);
        let author = format!("--author={} <a@example.org>", token(4));
        repo.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", "x", &author]).expect(0);
        let name = format!("HEAD:refs/heads/{}", token(5));
        let command = &mut repo.command("git");
        ended(command.env("GL_USERNAME", token(6)).args(["push", "-q", "origin", "main", &name])).expect(1);
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.contains("refs/heads/****") && text.contains("\"evidence\":\"GL_USERNAME\"") && text.matches("github-pat-classic").count() >= 5,
            "{text}"
        );
        (1..=6).for_each(|seed| assert_redacted(&text, &token(seed)));
        // Who could not be answered is recorded with what was tried, and that may quote a file.
        repo.accept(".leakstop.toml", format!("{} = 1\n", token(7)));
        push(&repo, &["main~3:main", "+main:main"]);
        push(&repo, &["+main:main"]).expect(1);
        assert_redacted(&fs::read_to_string(&file).unwrap(), &token(7));
    }

    #[test]
    fn nothing_that_only_a_rule_of_the_servers_own_knows() {
        let rule = "[[rule]]\nid = \"acme-key\"\ntitle = \"Acme key\"\nrisk = \"It deploys.\"\nseverity = \"high\"\nkeywords = [\"acme_\"]\n\
                    pattern = '(?<secret>acme_[0-9a-z]{24})'\n";
        let (_server, repo, file) = recorded_with(rule);
        let secret = leakstop::rules::shape::fill("acme_{loweralnum:24}", 1);
        push(&repo, &[&format!("main:refs/heads/{secret}")]).expect(1);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("refs/heads/****"), "{text}");
        assert_redacted(&text, &secret);
    }

    #[test]
    fn four_at_once() {
        let (server, repo, file) = recorded();
        let clients: Vec<_> = (0..4)
            .map(|at| {
                let client = Repo::with_remote(&server);
                client.accept("a.txt", if at == 3 { format!("key = {}\n", token(1)) } else { format!("{at}\n") });
                client
            })
            .collect();
        let branch = |at: usize, round: usize| format!("main:refs/heads/c{at}-{round}");
        std::thread::scope(|scope| {
            for (at, client) in clients.iter().enumerate() {
                scope.spawn(move || (0..5).for_each(|round| drop(push(client, &[&branch(at, round)]).expect(i32::from(at == 3)))));
            }
        });
        drop(repo);
        assert_eq!(entries(&file).len(), 40);
        let told = stats(&server);
        assert_eq!((&told["status"], &told["stats"]["allowed"], &told["stats"]["blocked"]), (&"whole".into(), &15.into(), &5.into()));
    }

    #[test]
    fn a_hook_that_is_killed_stands_as_unfinished_and_the_chain_goes_on() {
        let (server, repo, file) = recorded();
        let hook = server.path().join("hooks/pre-receive");
        let pid = server.beside("pid");
        fs::write(&hook, format!("#!/bin/sh\necho $$ >'{}'\nexec '{LEAKSTOP}' hook pre-receive\n", pid.display())).unwrap();
        repo.accept("a.txt", "word and word\n".repeat(2_000_000));
        let mut client = repo.command("git");
        let mut client = client.args(["push", "-q", "origin", "main"]).stderr(Stdio::null()).spawn().unwrap();
        let since = Instant::now();
        while !fs::read(&file).is_ok_and(|bytes| bytes.ends_with(b"\n")) {
            assert!(since.elapsed() < Duration::from_secs(60), "no entry comes");
            std::thread::sleep(Duration::from_millis(1));
        }
        let pid = fs::read_to_string(pid).unwrap();
        ended(repo.command("kill").args(["-9", pid.trim()])).expect(0);
        assert!(!client.wait().unwrap().success());
        assert_eq!(events(&file), ["received "], "it was done before it was killed");
        assert_eq!(server.ask(&["for-each-ref"]), "");
        assert_eq!(stats(&server)["stats"]["unfinished"], 1);
        push(&repo, &["main"]).expect(0);
        assert_eq!((&stats(&server)["stats"]["unfinished"], &stats(&server)["stats"]["allowed"]), (&1.into(), &1.into()));
    }
}

mod alterations {
    use super::*;

    #[test]
    fn of_a_line_an_order_or_an_end_are_found() {
        let (server, repo, file) = recorded();
        push(&repo, &["main"]).expect(0);
        push(&repo, &["main:other"]).expect(0);
        let text = fs::read_to_string(&file).unwrap();
        let head = stats(&server)["head"].as_str().unwrap().to_owned();
        let lines: Vec<&str> = text.lines().collect();
        let joined = |order: &[usize]| order.iter().map(|at| format!("{}\n", lines[*at])).collect::<String>();
        for (what, altered, told) in [
            ("a word", text.replacen("\"status\":\"clean\"", "\"status\":\"blocked\"", 1), "line 2 of "),
            ("one is gone", joined(&[0, 2, 3]), "line 2 of "),
            ("one twice", joined(&[0, 1, 1, 2, 3]), "line 3 of "),
            ("swapped", joined(&[0, 2, 1, 3]), "line 2 of "),
        ] {
            fs::write(&file, altered).unwrap();
            let said = server.leakstop(&["audit", "verify"]).expect(1).out;
            assert!(said.contains(&format!("ALTERED     {told}")) && said.contains("is not what was written"), "{what}: {said}");
            server.leakstop(&["audit", "stats"]).expect(1);
        }
        // A cut end does not show by itself.
        fs::write(&file, joined(&[0, 1])).unwrap();
        server.leakstop(&["audit", "verify"]).expect(0);
        server.leakstop(&["audit", "verify", "--head", &head]).expect(1);
        server.leakstop(&["audit", "verify", "--count", "4"]).expect(1);
        fs::write(&file, text).unwrap();
        server.leakstop(&["audit", "verify", "--head", &head, "--count", "4"]).expect(0);
    }

    #[test]
    fn of_the_last_entry_shut_the_gate() {
        let (server, repo, file) = recorded();
        push(&repo, &["main"]).expect(0);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("\"exit\":0", "\"exit\":1")).unwrap();
        let said = push(&repo, &["main:other"]).expect(1).err;
        assert!(said.contains("cannot go on with the audit") && said.contains("try: `leakstop audit verify`"), "{said}");
        // The way out keeps the evidence.
        fs::rename(&file, server.beside("evidence.jsonl")).unwrap();
        push(&repo, &["main:other"]).expect(0);
    }

    #[test]
    fn by_whoever_has_no_key_are_found_whatever_they_write() {
        let (server, repo, file) = recorded();
        push(&repo, &["main"]).expect(0);
        let forged = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let key = server.beside("key");
        fs::write(&key, leakstop::rules::shape::fill("{hex:40}", 1)).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let config = format!("[audit]\nfile = \"{}\"\nkey_file = \"{}\"\n", file.display(), key.display());
        fs::write(server.path().join("leakstop.toml"), config).unwrap();
        push(&repo, &["main:one"]).expect(0);
        server.leakstop(&["audit", "verify"]).expect(0);
        server.leakstop(&["audit", "verify", file.to_str().unwrap(), "--key-file", key.to_str().unwrap()]).expect(0);
        fs::write(&file, forged).unwrap();
        server.leakstop(&["audit", "verify"]).expect(1);
        push(&repo, &["main:two"]).expect(1);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let said = push(&repo, &["main:two"]).expect(1).err;
        assert!(said.contains("cannot use the key of the audit"), "{said}");
    }

    #[test]
    fn a_line_that_a_crash_tore_is_none() {
        let (server, repo, file) = recorded();
        push(&repo, &["main"]).expect(0);
        let mut text = fs::read_to_string(&file).unwrap();
        text.push_str("{\"schema\":1,\"seq\":3,\"ti");
        fs::write(&file, &text).unwrap();
        assert!(server.leakstop(&["audit", "verify"]).expect(0).out.contains("torn        the last line is torn by a crash, or was cut"));
        push(&repo, &["main:other"]).expect(0);
        assert!(server.leakstop(&["audit", "verify"]).expect(0).out.contains("torn        1 line(s) torn by a crash"));
        assert!(fs::read_to_string(&file).unwrap().starts_with(&text));
    }
}

mod the_gate {
    use super::*;

    /// Fails the test unless the push is refused with all that somebody needs, and the ref does not move.
    #[track_caller]
    fn is_shut(server: &Repo, repo: &Repo, why: &str) {
        let said = push(repo, &["main"]).expect(1).err;
        for part in ["remote: leakstop: error: cannot ", why, "remote:   try: ", "nothing passes"] {
            assert!(said.contains(part), "{part:?} is missing in:\n{said}");
        }
        assert_eq!(server.ask(&["for-each-ref"]), "");
    }

    #[test]
    fn is_shut_where_nothing_can_be_written() {
        let (server, repo, file) = recorded();
        fs::create_dir(&file).unwrap();
        is_shut(&server, &repo, "it is a link or no plain file");
        fs::remove_dir(&file).unwrap();
        symlink(server.beside("elsewhere"), &file).unwrap();
        is_shut(&server, &repo, "it is a link or no plain file");
        fs::remove_file(&file).unwrap();
        ended(repo.command("mkfifo").arg(&file)).expect(0);
        is_shut(&server, &repo, "it is a link or no plain file");
        fs::remove_file(&file).unwrap();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        is_shut(&server, &repo, "anybody may write to it");
        for (place, why) in
            [("/nowhere/audit.jsonl", "No such file"), ("/dev/full", "it is a link or no plain file"), ("audit.jsonl", "is no full path of a file")]
        {
            fs::write(server.path().join("leakstop.toml"), format!("[audit]\nfile = \"{place}\"\n")).unwrap();
            is_shut(&server, &repo, why);
        }
        for folder in ["objects", "refs/heads"] {
            let inside = server.path().join(folder).join("audit.jsonl");
            fs::write(server.path().join("leakstop.toml"), format!("[audit]\nfile = \"{}\"\n", inside.display())).unwrap();
            is_shut(&server, &repo, "git keeps objects or refs in that folder");
        }
    }

    #[test]
    fn is_shut_while_somebody_else_holds_the_lock() {
        let (server, repo, file) = recorded();
        let held = fs::File::create(&file).unwrap();
        held.lock().unwrap();
        is_shut(&server, &repo, "another process has held it for 10 s");
        held.unlock().unwrap();
        push(&repo, &["main"]).expect(0);
    }

    #[test]
    fn writes_though_the_pushed_configuration_says_otherwise() {
        for whose in ["reviewed", "pushed"] {
            let (server, repo, file) = recorded_with(&format!("[server]\nrepository_config = \"{whose}\"\n"));
            let elsewhere = server.beside("elsewhere.jsonl");
            for text in ["file = \"\"".to_owned(), format!("file = \"{}\"", elsewhere.display())] {
                repo.accept(".leakstop.toml", format!("[audit]\n{text}\n"));
                push(&repo, &["main"]).expect(0);
                repo.accept("a.txt", format!("hello {text}\n"));
                push(&repo, &["main"]).expect(0);
            }
            assert_eq!((entries(&file).len(), elsewhere.exists()), (8, false), "{whose}");
        }
    }

    #[test]
    fn of_a_work_tree_writes_only_where_that_is_asked_for() {
        let repo = Repo::started();
        let file = repo.beside("audit.jsonl");
        let of_user = repo.beside("home/.config/leakstop/config.toml");
        fs::create_dir_all(of_user.parent().unwrap()).unwrap();
        fs::write(&of_user, format!("[audit]\nfile = \"{}\"\n", file.display())).unwrap();
        repo.stage("a.txt", "hello\n");
        repo.takes(&["commit", "-q", "-m", "one"]);
        assert!(!file.exists());
        fs::write(&of_user, format!("[audit]\nfile = \"{}\"\nlocal = true\n", file.display())).unwrap();
        repo.stage("a.txt", format!("key = {}\n", token(1)));
        repo.refuses(&["commit", "-q", "-m", "two"]);
        for (arguments, code) in
            [(&["scan"][..], 1), (&["scan", "--staged"], 1), (&["scan", "--history"], 0), (&["scan", "--range", "HEAD~1..HEAD"], 0)]
        {
            repo.leakstop(arguments).expect(code);
        }
        let commands: Vec<_> = entries(&file).iter().filter_map(|entry| Some(entry["command"].as_str()?.to_owned())).collect();
        assert_eq!(commands, ["hook pre-commit", "scan", "scan --staged", "scan --history", "scan --range"]);
        repo.leakstop(&["audit", "verify"]).expect(0);
    }

    #[test]
    fn is_looked_at_by_doctor() {
        let (server, repo, file) = recorded();
        push(&repo, &["main"]).expect(0);
        let told = server.leakstop(&["doctor"]).expect(0).out;
        assert!(told.contains("can be written by this user, and its last entry (number 2) holds"), "{told}");
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let told = server.leakstop(&["doctor"]).expect(1).out;
        assert!(told.contains("cannot be written, so that nothing passes: "), "{told}");
    }
}

#[test]
fn the_configuration_of_the_readme_records_with_a_key() {
    let (server, repo, file) = recorded();
    let key = server.beside("audit.key");
    fs::write(&key, leakstop::rules::shape::fill("{hex:40}", 1)).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let [block] = &crate::readme::under(crate::documents::AUDIT)[..] else { panic!("one block is run here") };
    let shown = block.text.replace("/var/log/leakstop/audit.jsonl", file.to_str().unwrap()).replace("/etc/leakstop/audit.key", key.to_str().unwrap());
    assert!(!shown.contains("/var/log") && !shown.contains("/etc/"), "{shown}");
    fs::write(server.path().join("leakstop.toml"), shown).unwrap();
    push(&repo, &["main"]).expect(0);
    server.leakstop(&["audit", "verify"]).expect(0);
    // The entries hold under the key alone.
    fs::write(server.path().join("leakstop.toml"), "").unwrap();
    server.leakstop(&["audit", "verify", file.to_str().unwrap()]).expect(1);
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_answer() {
    let repo = Repo::new();
    for arguments in [&["audit", "verify"][..], &["audit", "verify", "nowhere.jsonl"], &["audit", "stats", "."], &["audit", "rotate", "--to", "x"]] {
        repo.leakstop(arguments).expect(2);
    }
}

#[test]
fn what_a_forged_entry_says_neither_steers_a_terminal_nor_looks_like_an_answer() {
    use leakstop::audit::{Audit, Continued, Event, Key, Received};
    let repo = Repo::new();
    let file = repo.beside("audit.jsonl");
    let evil = "x\u{1b}[2J\nleakstop: the audit is whole\u{202e}";
    let audit = Audit::new(&file, Key::none(), &[]).unwrap();
    audit.append(Event::Continued(Continued { from: evil.to_owned() })).unwrap();
    let received =
        Received { command: evil.to_owned(), place: evil.to_owned(), rules: evil.to_owned(), actor: None, refs: Vec::new(), refs_left_out: 0 };
    audit.append(Event::Received(received)).unwrap();
    let told = repo.leakstop(&["audit", "stats", file.to_str().unwrap()]).expect(0).out;
    assert!(!told.contains(['\u{1b}', '\u{202e}']) && told.matches("\nleakstop: ").count() == 1, "{told}");
}

#[test]
fn a_verdict_that_could_not_be_told_does_not_hold() {
    let (server, repo, file) = recorded();
    push(&repo, &["main"]).expect(0);
    let zero = "0".repeat(40);
    let call = format!("'{LEAKSTOP}' hook update refs/heads/x {zero} {} 2>/dev/full", repo.head());
    ended(server.command("sh").args(["-c", &call])).expect(2);
    assert_eq!(events(&file)[2..], ["received ", "decided clean", "failed "]);
    assert_eq!(entries(&file)[4]["instead_of"], "clean");
    let told = &stats(&server)["stats"];
    assert_eq!((&told["allowed"], &told["failed"], &told["unfinished"]), (&1.into(), &1.into(), &0.into()));
}

#[test]
fn a_file_that_is_moved_away_is_gone_on_with() {
    let (server, repo, file) = recorded();
    push(&repo, &["main"]).expect(0);
    let old = server.beside("old.jsonl");
    let (old, new) = (old.to_str().unwrap(), file.to_str().unwrap());
    let head = stats(&server)["head"].as_str().unwrap().to_owned();
    assert!(server.leakstop(&["audit", "rotate", "--to", old]).expect(0).out.contains(&head));
    push(&repo, &["main:other"]).expect(0);
    assert_eq!(fs::metadata(new).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(server.leakstop(&["audit", "verify"]).expect(0).out.contains(&format!("begins      after {head}")));
    server.leakstop(&["audit", "verify", old, new, "--head", &head]).expect(0);
    server.leakstop(&["audit", "verify", new, old]).expect(1);
    server.leakstop(&["audit", "rotate", "--to", old]).expect(2);
}
