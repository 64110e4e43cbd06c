//! Configuration: mistakes close the gate and are told with their place; what is being committed or pushed cannot open it.
//!
//! It is long because each key has its mistakes.

use std::fs;

use crate::support::{Repo, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];
const FILE: &str = ".leakstop.toml";

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// The fingerprint that a report names.
fn fingerprint(told: &str) -> String {
    told.split("leakstop allow ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

fn exception(fingerprint: &str, expires: &str, more: &str) -> String {
    format!("[[allow]]\nfingerprint = \"{fingerprint}\"\nowner = \"ann\"\nreason = \"a test key\"\nexpires = \"{expires}\"\n{more}")
}

mod mistakes {
    use super::*;

    #[test]
    fn each_is_told_with_its_place() {
        let repo = Repo::new();
        let entry = |line: &str| {
            let mut text = exception("0123456789abcdef", "2030-01-01", "");
            let name = line.split(' ').next().unwrap();
            let old = text.lines().find(|old| old.starts_with(name)).unwrap_or_default().to_owned();
            text = if old.is_empty() { text + line + "\n" } else { text.replace(&old, line) };
            text.into_bytes()
        };
        let table: Vec<(Vec<u8>, &str)> = vec![
            (b"nonsense".to_vec(), "line 1, column "),
            (b"\n[level]\nhihg = \"block\"\n".to_vec(), "line 3, column 1: unknown field `hihg`, expected one of `critical`, `high`"),
            (b"[levels]\n".to_vec(), "line 1, column 2: unknown field `levels`"),
            (b"[level]\nhigh = \"blok\"\n".to_vec(), "line 2, column 8: unknown variant `blok`, expected one of `block`, `warn`, `allow`"),
            (b"[level]\nhigh = true\n".to_vec(), "line 2, column 8: "),
            (b"[limits]\nmax_file_bytes = -1\n".to_vec(), "line 2, column 18: "),
            (b"[paths]\nallow = \"x\"\n".to_vec(), "line 2, column 9: "),
            (b"[paths]\nallow = [\"ok\", \"a{b\"]\n".to_vec(), "line 2, column 16: "),
            (b"[rules.level]\nghp = \"warn\"\n".to_vec(), "line 2, column 1: there is no rule or family `ghp`"),
            (b"[server]\nrepository_config = \"all\"\n".to_vec(), "line 2, column 21: unknown variant"),
            (b"[[rules.at]]\npaths = [\"a{b\"]\nlevel = \"warn\"\n".to_vec(), "line 2, column 10: "),
            (b"[[rules.at]]\npaths = []\nlevel = \"warn\"\n".to_vec(), "line 2, column 9: name a glob"),
            (b"[[rules.at]]\npaths = [\"a\"]\nrules = [\"ghp\"]\nlevel = \"off\"\n".to_vec(), "line 3, column 10: there is no rule or family `ghp`"),
            (b"[[rules.at]]\npaths = [\"a\"]\n".to_vec(), "line 1, column 1: missing field `level`"),
            (b"[values]\nstopwords = [\"acme-dev\", \"dev\"]\n".to_vec(), "line 2, column 26: a stopword has at least 4"),
            (b"[names]\nsensitive = [\"kennwort\", \"a_b\"]\n".to_vec(), "line 2, column 26: `a_b` is no name"),
            (b"[names]\nsensitive = [\"x y\"]\n".to_vec(), "line 2, column 14: `x y` is no name"),
            (entry("rule = \"ghp\""), "line 1, column 1: the exception 0123456789abcdef: there is no rule or family `ghp`"),
            (entry("value = \"(\""), "line 1, column 1: the exception 0123456789abcdef: `value` is no regular expression"),
            (entry("value = \"a*\""), "line 1, column 1: the exception 0123456789abcdef: `value` matches the empty text"),
            (
                b"[[allow]]\nowner = \"ann\"\nreason = \"why\"\nexpires = \"2030-01-01\"\n".to_vec(),
                "line 1, column 1: the exception covers everything",
            ),
            (b"a = \"caf\xe9\"\n".to_vec(), "line 1, column 9: this is not UTF-8"),
            (b"\xef\xbb\xbfx = 1\n".to_vec(), "line 1, column 1: unknown field `x`"),
            (b"[level]\nhigh = \"warn\"\n[level]\nlow = \"warn\"\n".to_vec(), "line 3, column "),
            (b"[[allow]]\nfingerprint = \"0123456789abcdef\"\n".to_vec(), "line 1, column 1: missing field `owner`"),
            (entry("fingerprint = \"0123\""), "line 2, column 15: a fingerprint has 16 hexadecimal digits"),
            (entry("owner = \" \""), "line 1, column 1: the exception 0123456789abcdef: it needs an owner and a reason"),
            (entry("reason = \"\""), "line 1, column 1: the exception 0123456789abcdef: it needs an owner and a reason"),
            (entry("expires = \"soon\""), "line 1, column 1: the exception 0123456789abcdef: `soon` is no date like 2027-03-31"),
            (entry("path = \"a{b\""), "line 1, column 1: the exception 0123456789abcdef: "),
            (entry("who = \"ann\""), "line 6, column 1: unknown field `who`"),
        ];
        repo.stage("a.txt", "hello\n");
        for (text, expected) in table {
            let file = repo.beside("config.toml");
            fs::write(&file, &text).unwrap();
            let ended = repo.leakstop(&["--config", file.to_str().unwrap(), "hook", "pre-commit"]).expect(2);
            let shown = String::from_utf8_lossy(&text).into_owned();
            assert!(ended.err.contains("config.toml`, ") && ended.err.contains(expected), "{shown}\n{}", ended.err);
            assert!(ended.err.contains("nothing passes"), "{}", ended.err);
        }
    }

    #[test]
    fn a_broken_file_refuses_the_commit() {
        for staged in [true, false] {
            let repo = Repo::started();
            if staged {
                repo.stage(FILE, "[rules.level]\nghp = \"warn\"\n");
                assert!(repo.git(&COMMIT).err.contains("line 2, column 1: there is no rule or family `ghp`"));
                repo.stage(FILE, "[level]\nhihg = \"block\"\n");
            } else {
                repo.accept(FILE, "[level]\nhihg = \"block\"\n");
                repo.stage("a.txt", "hello\n");
            }
            let before = repo.head();
            let ended = repo.git(&COMMIT);
            assert!(ended.code != 0 && ended.err.contains("line 2, column 1: unknown field `hihg`"), "{}", ended.err);
            assert_eq!(repo.head(), before);
        }
    }

    #[test]
    fn a_commit_may_mend_a_broken_file_and_the_defaults_hold_for_it() {
        let repo = Repo::started();
        repo.accept(FILE, "[level]\nhihg = \"block\"\n");
        repo.stage(FILE, "[level]\nhigh = \"block\"\n");
        repo.stage("a.txt", key(1));
        repo.refuses(&COMMIT);
        repo.git(&["rm", "-q", "-f", "a.txt"]).expect(0);
        repo.takes(&COMMIT);
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let repo = Repo::new();
        repo.leakstop(&["--config", "nowhere.toml", "scan"]).expect(2);
        let mut command = repo.command(crate::support::LEAKSTOP);
        crate::support::ended(command.env("LEAKSTOP_CONFIG", "nowhere.toml").arg("scan")).expect(2);
    }

    #[test]
    fn a_message_holds_no_secret_and_steers_no_terminal() {
        let repo = Repo::new();
        for text in [
            format!("[level]\nhigh = \"{}\"\n", token(1)),
            format!("{} = 1\n", token(1)),
            exception("0123456789abcdef", &token(1), ""),
            "\"\\u001b[2J\\u202e\" = 1\n".to_owned(),
        ] {
            fs::write(repo.beside("config.toml"), &text).unwrap();
            let ended = repo.leakstop(&["--config", "../config.toml", "scan"]).expect(2);
            crate::support::assert_redacted(&ended.err, &token(1));
            assert!(!ended.err.contains(['\u{1b}', '\u{202e}']), "{}", ended.err);
        }
    }

    #[test]
    fn config_check_reads_what_applies() {
        let repo = Repo::new();
        assert!(repo.leakstop(&["config", "check"]).expect(0).out.contains("the defaults hold"));
        repo.accept(FILE, "[level]\nhigh = \"warn\"\n");
        assert!(repo.leakstop(&["config", "check"]).expect(0).out.contains("good: .leakstop.toml of "));
        repo.stage(FILE, "x = 1\n");
        repo.leakstop(&["config", "check"]).expect(2);
    }
}

mod levels {
    use super::*;

    #[test]
    fn by_severity_rule_and_family() {
        for (config, code, status) in [
            ("", 1, "blocked"),
            ("[level]\ncritical = \"warn\"\n", 0, "warned"),
            ("[level]\ncritical = \"allow\"\n", 0, "clean"),
            ("[level]\nhigh = \"allow\"\n", 1, "blocked"),
            ("[rules.level]\ngithub-pat-classic = \"warn\"\n", 0, "warned"),
            ("[rules.level]\nsecret = \"allow\"\n", 0, "clean"),
            ("[rules.level]\nsecret = \"allow\"\ngithub-pat-classic = \"block\"\n", 1, "blocked"),
            ("[rules.level]\nhandling = \"allow\"\n", 1, "blocked"),
        ] {
            let repo = Repo::new();
            repo.write(FILE, config);
            repo.write("a.txt", key(1));
            assert_eq!(repo.report(&["scan"], code)["status"], status, "{config}");
        }
    }

    #[test]
    fn by_path_before_rule_and_family_and_the_last_counts() {
        let tests = |more: &str| format!("[[rules.at]]\npaths = [\"tests/**\"]\n{more}\n");
        for (config, verdicts) in [
            (tests("level = \"warn\""), ["block", "warn"]),
            (tests("rules = [\"github-pat-classic\"]\nlevel = \"off\""), ["block", "allow"]),
            (tests("rules = [\"secret\"]\nlevel = \"warn\""), ["block", "warn"]),
            (tests("rules = [\"handling\", \"file\"]\nlevel = \"warn\""), ["block", "block"]),
            (tests("level = \"warn\"") + &tests("level = \"block\""), ["block", "block"]),
            (tests("level = \"block\"") + "[rules.level]\ngithub-pat-classic = \"off\"\n", ["allow", "block"]),
        ] {
            let repo = Repo::new();
            repo.write(FILE, &config);
            repo.write("src/a.txt", key(1));
            repo.write("tests/a.txt", key(2));
            let report = repo.report(&["scan"], i32::from(verdicts.contains(&"block")));
            let found: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap()).collect();
            assert_eq!(found, verdicts, "{config}");
        }
    }

    #[test]
    fn of_several_files_the_last_that_says_something_counts() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        repo.write("../home/.config/leakstop/config.toml", "[rules.level]\ngithub-pat-classic = \"off\"\n");
        repo.write(FILE, "[rules.level]\nsecret = \"warn\"\n");
        assert_eq!(repo.report(&["scan"], 0)["status"], "warned");
        repo.write(FILE, "[rules.level]\nhandling = \"warn\"\n");
        assert_eq!(repo.report(&["scan"], 0)["status"], "clean");
    }

    #[test]
    fn a_value_with_a_stopword_does_nothing_and_is_counted() {
        let repo = Repo::new();
        repo.write("a.py", format!("password = \"{}\"\n", leakstop::rules::shape::fill("AcmeDev-{alnum:12}", 1)));
        repo.write("b.py", format!("password = \"{}\"\n", leakstop::rules::shape::fill("{alnum:16}!", 2)));
        repo.report(&["scan"], 1);
        repo.write(FILE, "[values]\nstopwords = [\"acmedev\"]\n");
        let report = repo.report(&["scan", "--verbose"], 1);
        let told: Vec<_> =
            report["findings"].as_array().unwrap().iter().map(|one| (one["path"].as_str().unwrap(), one["verdict"].as_str().unwrap())).collect();
        assert_eq!(told, [("a.py", "allow"), ("b.py", "block")]);
        assert!(report["findings"][0]["reason"].as_str().unwrap().starts_with("a stopword of "), "{report}");
    }

    #[test]
    fn a_further_name_is_weighed_as_a_password_in_every_spelling() {
        let repo = Repo::new();
        let value = |seed| leakstop::rules::shape::fill("{alnum:14}!", seed);
        let names = ["kennwort", "DbKennwort", "acme_pin", "acmePin", "ACME-PIN"];
        let found = || {
            let report = repo.report(&["scan"], i32::from(repo.path().join(FILE).exists()));
            report["findings"].as_array().unwrap().len()
        };
        for (at, name) in names.iter().enumerate() {
            repo.write(&format!("{at}.yaml"), format!("{name}: {}\n", value(at as u64)));
        }
        repo.write("other.yaml", format!("kennwortlos: {}\nacme_pinned: {}\nkennwort: ${{KENNWORT}}\n", value(8), value(9)));
        assert_eq!(found(), 0);
        repo.write(FILE, "[names]\nsensitive = [\"kennwort\", \"acme_pin\"]\n");
        assert_eq!(found(), names.len());
    }

    #[test]
    fn low_confidence_says_what_lowered_it() {
        let repo = Repo::new();
        let fill = leakstop::rules::shape::fill;
        let table = [
            ("a.txt", format!("key = \"{}\"\n", fill("ghp_{alnum:36}", 3)), "its checksum is wrong"),
            (
                "tests/test_a.py",
                "import requests\nrequests.get(url, headers={\"Authorization\": token}, verify=False)\n".to_owned(),
                "it stands in a test",
            ),
        ];
        for (path, text, why) in table {
            repo.write(path, text);
            let told = repo.leakstop(&["scan", path]).expect(0).out;
            assert!(told.contains(&format!("because low confidence: {why}")), "{told}");
        }
    }

    #[test]
    fn low_confidence_does_no_more_than_its_level() {
        let repo = Repo::new();
        let wrong = leakstop::rules::shape::fill("ghp_{alnum:36}", 3);
        repo.write("a.txt", format!("key = \"{wrong}\"\n"));
        let report = repo.report(&["scan"], 0);
        assert_eq!((&report["status"], &report["findings"][0]["confidence"]), (&"warned".into(), &"low".into()));
        repo.write(FILE, "[level]\nlow_confidence = \"block\"\n");
        repo.report(&["scan"], 1);
    }

    #[test]
    fn paths_that_are_allowed_are_counted_and_say_nothing_of_messages() {
        let repo = Repo::started();
        repo.accept(FILE, "[paths]\nallow = [\"tests/**\", \"*\"]\n");
        repo.stage("tests/a.txt", key(1));
        repo.stage("src/deep/a.txt", key(2));
        let report = repo.report(&["scan", "--staged", "--verbose"], 0);
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 2);
        assert!(findings.iter().all(|one| one["verdict"] == "allow" && one["reason"].as_str().unwrap().contains("allows findings in this path")));
        // A message has no path, so that no path is allowed for it.
        repo.refuses(&["commit", "-q", "-m", &token(3)]);
    }

    #[test]
    fn the_users_file_comes_before_the_repositorys() {
        let repo = Repo::new();
        repo.write("../home/.config/leakstop/config.toml", "[level]\ncritical = \"allow\"\n");
        repo.write("a.txt", key(1));
        assert_eq!(repo.report(&["scan"], 0)["status"], "clean");
        repo.write(FILE, "[level]\ncritical = \"warn\"\n");
        assert_eq!(repo.report(&["scan"], 0)["status"], "warned");
        fs::write(repo.beside("alone.toml"), "[limits]\n").unwrap();
        repo.report(&["--config", "../alone.toml", "scan"], 1);
    }
}

mod exceptions {
    use super::*;

    #[test]
    fn a_finding_that_somebody_answers_for_may_be_committed() {
        let repo = Repo::started();
        repo.stage("a.txt", key(1));
        let id = fingerprint(&repo.refuses(&COMMIT));
        repo.leakstop(&["allow", &id, "--owner", "Ann \"A\"", "--reason", "a test key\nof two lines", "--expires", "2999-12-31"]).expect(0);
        repo.refuses(&COMMIT); // the file must come along
        repo.git(&["add", FILE]).expect(0);
        let before = repo.head();
        let told = repo.git(&COMMIT).expect(0).err;
        assert!(told.contains("leakstop: passed: 1 allowed"), "{told}");
        assert_ne!(repo.head(), before);
        // Another value is another finding.
        repo.stage("b.txt", key(2));
        repo.refuses(&COMMIT);
    }

    #[test]
    fn the_command_keeps_what_stands_in_the_file_and_refuses_nonsense() {
        let repo = Repo::new();
        repo.write(FILE, "# a comment\n[level]\nlow = \"warn\" # another\n");
        let allow = |fingerprint: &str, owner: &str, expires: &str| {
            repo.leakstop(&["allow", fingerprint, "--owner", owner, "--reason", "why", "--expires", expires])
        };
        allow("0123456789ABCDEF", "ann", "2999-12-31").expect(0);
        let text = fs::read_to_string(repo.path().join(FILE)).unwrap();
        assert!(text.starts_with("# a comment\n[level]\nlow = \"warn\" # another\n\n[[allow]]\nfingerprint = \"0123456789abcdef\"\n"), "{text}");
        assert!(allow("0123456789abcdef", "bob", "2999-12-31").expect(2).err.contains("is allowed already, by ann until 2999-12-31"));
        allow("0123456789abcdee", " ", "2999-12-31").expect(2);
        allow("0123456789abcdee", "ann", "soon").expect(2);
        allow("0123456789abcdee", "ann", "2001-01-01").expect(2);
        let wrong = allow(&token(1), "ann", "2999-12-31").expect(2);
        crate::support::assert_redacted(&wrong.err, &token(1));
        assert_eq!(fs::read_to_string(repo.path().join(FILE)).unwrap(), text);
    }

    #[test]
    fn one_that_ran_out_counts_no_more_and_is_named_once() {
        let repo = Repo::started();
        repo.stage("a.txt", key(1));
        let id = fingerprint(&repo.refuses(&COMMIT));
        repo.git(&["reset", "-q"]).expect(0);
        repo.accept(FILE, exception(&id, "2024-02-29", ""));
        repo.stage("a.txt", key(1));
        let told = repo.git(&COMMIT).expect(1).err;
        assert_eq!(told.matches(&format!("note: the exception {id} of ann in .leakstop.toml")).count(), 1, "{told}");
        assert!(told.contains("because the exception of ann ran out on 2024-02-29"), "{told}");
    }

    #[test]
    fn one_for_another_path_does_not_count() {
        for (glob, code) in [("tests/**", 1), ("src/*.py", 0), ("*.py", 0), ("a.py", 0), ("/src/a.py", 1), ("SRC/A.py", 0)] {
            let repo = Repo::started();
            repo.stage("src/a.py", key(1));
            let id = fingerprint(&repo.refuses(&COMMIT));
            repo.leakstop(&["allow", &id, "--owner", "ann", "--reason", "why", "--expires", "2999-12-31", "--path", glob]).expect(0);
            repo.git(&["add", FILE]).expect(0);
            assert_eq!(repo.git(&COMMIT).code, code, "{glob}");
        }
    }

    #[test]
    fn one_may_name_a_rule_a_value_and_a_path_and_covers_what_fits_them_all() {
        let owned = "owner = \"ann\"\nreason = \"test keys\"\nexpires = \"2999-12-31\"\n";
        for (says, covers) in [
            ("path = \"tests/**\"", true),
            ("path = \"src/**\"", false),
            ("value = \"^ghp_\"", true),
            ("value = \"^glpat-\"", false),
            ("rule = \"github-pat-classic\"", true),
            ("rule = \"secret\"", true),
            ("rule = \"handling\"", false),
            ("rule = \"secret\"\nvalue = \"^ghp_\"\npath = \"*.txt\"", true),
            ("rule = \"secret\"\nvalue = \"^ghp_\"\npath = \"*.py\"", false),
        ] {
            let repo = Repo::new();
            repo.write("tests/a.txt", key(1));
            repo.write(FILE, format!("[[allow]]\n{says}\n{owned}"));
            let report = repo.report(&["scan", "--verbose"], i32::from(!covers));
            let reason = if covers { "allowed by ann until 2999-12-31" } else { "critical severity" };
            assert_eq!(report["findings"][0]["reason"], reason, "{says}");
        }
    }

    #[test]
    fn one_without_a_fingerprint_cannot_excuse_the_commit_that_brings_it() {
        let repo = Repo::started();
        let text = "[[allow]]\npath = \"**\"\nowner = \"ann\"\nreason = \"why\"\nexpires = \"2999-12-31\"\n";
        repo.stage(FILE, text);
        repo.stage("a.txt", key(1));
        let told = repo.refuses(&COMMIT);
        assert!(told.contains("note: exceptions for a rule, a value or a path in .leakstop.toml (as staged) count once they"), "{told}");
        repo.git(&["reset", "-q"]).expect(0);
        repo.accept(FILE, text);
        repo.stage("a.txt", key(1));
        repo.git(&COMMIT).expect(0);
    }

    #[test]
    fn what_the_owner_wrote_steers_no_terminal() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        let id = repo.report(&["scan"], 1)["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
        let entry = exception(&id, "2999-12-31", "").replace("\"ann\"", "\"\\u001b[2J\\u202eann\"");
        repo.write(FILE, entry);
        let told = repo.leakstop(&["scan", "--verbose"]).expect(0).out;
        assert!(told.contains("allowed by \\u{1b}[2J\\u{202e}ann until 2999-12-31"), "{told}");
    }
}

mod trust {
    use super::*;

    const OFF: &str = "[level]\ncritical = \"allow\"\n[paths]\nallow = [\"**\"]\n[rules.level]\nsecret = \"allow\"\n";

    #[test]
    fn a_commit_cannot_switch_itself_off() {
        let repo = Repo::started();
        repo.stage(FILE, OFF);
        repo.stage("a.txt", key(1));
        repo.refuses(&COMMIT);
        repo.write(FILE, "");
        repo.refuses(&COMMIT);
        // In the work tree alone it counts neither.
        repo.git(&["reset", "-q", "--", FILE]).expect(0);
        repo.write(FILE, OFF);
        repo.refuses(&COMMIT);
        // Once it is accepted, it counts.
        repo.accept(FILE, OFF);
        repo.stage("a.txt", key(2));
        repo.git(&COMMIT).expect(0);
    }

    /// A guarded server with one commit on `main`.
    fn server(its_own: &str) -> (Repo, Repo) {
        let server = Repo::server();
        server.write("leakstop.toml", its_own);
        let repo = Repo::with_remote(&server);
        repo.accept("README", "hello\n");
        repo.push_passes(&["main"]);
        (server, repo)
    }

    #[test]
    fn a_push_cannot_switch_itself_off() {
        let (server, repo) = server("");
        repo.accept(FILE, OFF);
        repo.accept("a.txt", key(1));
        repo.push_is_refused(&server, &["main"]);
        repo.push_is_refused(&server, &["main:refs/heads/other"]);
        repo.push_is_refused(&server, &["main~1:main", "main:refs/heads/other"]);
        // Reviewed and accepted, it counts from the next push on.
        repo.push_passes(&["main~1:main"]);
        repo.git(&["push", "-q", "origin", "main"]).expect(0);
    }

    #[test]
    fn the_server_says_how_far_the_repositorys_file_counts() {
        let (server, repo) = server("[server]\nrepository_config = \"ignore\"\n");
        repo.accept(FILE, OFF);
        repo.push_passes(&["main"]);
        repo.accept("a.txt", key(1));
        repo.push_is_refused(&server, &["main"]);
        server.write("leakstop.toml", "[server]\nrepository_config = \"reviewed\"\n");
        repo.git(&["push", "-q", "origin", "main"]).expect(0);
    }

    #[test]
    fn a_server_may_trust_what_is_pushed() {
        let (server, repo) = server("[server]\nrepository_config = \"pushed\"\n");
        repo.accept("a.txt", key(1));
        repo.push_is_refused(&server, &["main"]);
        repo.accept(FILE, OFF);
        repo.git(&["tag", "-a", "v1", "-m", "first"]).expect(0);
        repo.git(&["push", "-q", "origin", "v1", "main"]).expect(0);
    }

    #[test]
    fn the_servers_file_goes_before_the_repositorys() {
        let (server, repo) = server("[rules.level]\ngithub-pat-classic = \"block\"\n");
        repo.accept(FILE, "[level]\ncritical = \"allow\"\n[rules.level]\ngithub-pat-classic = \"allow\"\n[server]\nrepository_config = \"pushed\"\n");
        repo.push_passes(&["main"]);
        repo.accept("a.txt", key(1));
        repo.push_is_refused(&server, &["main"]);
    }

    #[test]
    fn a_broken_file_of_the_server_refuses_every_push() {
        let (server, repo) = server("");
        server.write("leakstop.toml", "[servr]\n");
        repo.accept("b.txt", "hello\n");
        let ended = repo.git(&["push", "-q", "origin", "main"]);
        assert!(ended.code != 0 && ended.err.contains("line 1, column 2: unknown field `servr`"), "{}", ended.err);
    }

    #[test]
    fn a_broken_file_does_not_reach_the_default_branch() {
        let (server, repo) = server("");
        repo.accept(FILE, "[levels]\n");
        let before = server.contents();
        let ended = repo.git(&["push", "-q", "origin", "main"]);
        assert!(ended.code != 0 && ended.err.contains("line 1, column 2: unknown field `levels`"), "{}", ended.err);
        assert_eq!(server.contents(), before);
    }

    #[test]
    fn the_environment_and_the_account_count_for_nothing_on_a_server() {
        let (server, repo) = server("");
        let off = repo.beside("off.toml");
        fs::write(&off, OFF).unwrap();
        repo.write("../home/.config/leakstop/config.toml", OFF);
        repo.accept("a.txt", key(1));
        let mut command = repo.command("git");
        let ended = crate::support::ended(command.env("LEAKSTOP_CONFIG", &off).args(["push", "-q", "origin", "main"]));
        assert!(ended.code != 0 && ended.err.contains("remote: leakstop: blocked: "), "{}", ended.err);
        assert_ne!(server.ask(&["rev-parse", "main"]), repo.head());
        // At home both do count.
        let mut command = repo.command(crate::support::LEAKSTOP);
        crate::support::ended(command.env("LEAKSTOP_CONFIG", &off).arg("scan")).expect(0);
    }

    #[test]
    fn an_exception_counts_on_a_server_once_it_is_reviewed() {
        let (server, repo) = server("");
        repo.accept("a.txt", key(1));
        let id = fingerprint(&repo.push_is_refused(&server, &["main"]));
        repo.accept(FILE, exception(&id, "2999-12-31", ""));
        repo.push_is_refused(&server, &["main"]);
        repo.git(&["switch", "-q", "-c", "review", "main~2"]).expect(0);
        repo.accept(FILE, exception(&id, "2999-12-31", ""));
        repo.push_passes(&["review:main"]);
        repo.accept("a.txt", key(1));
        repo.git(&["push", "-q", "origin", "review:main"]).expect(0);
    }
}

#[test]
fn a_class_of_handling_has_a_level_below_that_of_a_rule_and_above_that_of_its_family() {
    let repo = Repo::new();
    repo.write("a.py", "print(api_key)\nkey = os.getenv(\"API_KEY\", \"changeme\")\n");
    let verdicts = |config: &str| {
        repo.write(".leakstop.toml", config);
        repo.git(&["add", ".leakstop.toml"]).expect(0);
        repo.git(&["commit", "-q", "--allow-empty", "-m", "config"]).expect(0);
        let out = repo.leakstop(&["scan", "--format", "json", "a.py"]).out;
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        findings.iter().map(|one| format!("{} {}", one["rule"].as_str().unwrap(), one["verdict"].as_str().unwrap())).collect::<Vec<_>>()
    };
    let class = verdicts("[rules.level]\nlog = \"warn\"\nhandling = \"allow\"\n");
    assert_eq!(class, ["log-secret-python warn", "env-fallback-python allow"]);
    let rule = verdicts("[rules.level]\nlog = \"warn\"\nlog-secret-python = \"block\"\n");
    assert_eq!(rule, ["log-secret-python block", "env-fallback-python block"]);
}
