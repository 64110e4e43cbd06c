//! Who wants something past the gate: what a pusher writes, names or sets changes nothing on a server beyond its policy, and
//! what a change does to the gate is said.

use std::fs;

use crate::support::{LEAKSTOP, Repo, ended, started, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];
const FILE: &str = ".leakstop.toml";
/// As weak as a configuration can be.
const OFF: &str = "[level]\ncritical = \"allow\"\n[paths]\nallow = [\"**\"]\n[rules.level]\nsecret = \"allow\"\n[unread]\npush = \"allow\"\n";

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

mod on_a_server {
    use super::*;

    #[test]
    fn comments_attributes_and_ignore_files_of_the_pusher_hide_nothing() {
        let (server, repo) = started();
        let marks = [
            "gitleaks:allow",
            "betterleaks:allow",
            "kingfisher:ignore",
            "trufflehog:ignore",
            "ggignore",
            "pragma: allowlist secret",
            "secretlint-disable-line",
            "nosemgrep",
            "noqa: S105",
            "leakstop:allow",
            "leakstop: allow",
            "leakstop:ignore",
        ];
        for (at, mark) in marks.iter().enumerate() {
            repo.git(&["reset", "-q", "--hard", "origin/main"]).expect(0);
            repo.accept("a.py", format!("key = \"{}\" # {mark}\n", token(at as u64)));
            repo.push_is_refused(&server, &["main"]);
        }
        repo.git(&["reset", "-q", "--hard", "origin/main"]).expect(0);
        for (file, text) in [
            (".gitattributes", "* binary -diff -text linguist-generated export-ignore\n"),
            (".gitignore", "*\n"),
            (".ignore", "*\n"),
            (".leakstopignore", "*\n"),
            (".gitleaksignore", "a.py\n"),
            (".secretsignore", "*\n"),
            (".gitleaks.toml", "[allowlist]\npaths = ['.*']\n"),
        ] {
            repo.accept(file, text);
        }
        repo.accept("a.py", key(50));
        repo.push_is_refused(&server, &["main"]);
    }

    #[test]
    fn options_of_the_push_count_for_nothing() {
        let (server, repo) = started();
        server.git(&["config", "receive.advertisePushOptions", "true"]).expect(0);
        repo.accept("a.py", key(1));
        repo.push_is_refused(&server, &["-o", "leakstop.skip", "-o", "leakstop=off", "-o", "ci.skip", "-o", "skip-secret-scanning", "main"]);
    }

    #[test]
    fn no_variable_of_ours_and_no_home_weakens_it() {
        let (server, repo) = started();
        let off = repo.beside("off.toml");
        fs::write(&off, OFF).unwrap();
        let home = repo.beside("home");
        fs::create_dir_all(home.join(".config/leakstop")).unwrap();
        fs::write(home.join(".config/leakstop/config.toml"), OFF).unwrap();
        repo.accept("a.py", key(1));
        let off = off.to_str().unwrap();
        for (name, value) in [
            ("LEAKSTOP_CONFIG", off),
            ("LEAKSTOP_BACKEND", "none"),
            ("LEAKSTOP_BACKEND", "git"),
            ("LEAKSTOP_CHAINED", "1"),
            ("LEAKSTOP_SKIP", "1"),
            ("LEAKSTOP_DISABLE", "1"),
            ("SKIP", "leakstop"),
            ("XDG_CONFIG_HOME", home.join(".config").to_str().unwrap()),
            ("NO_COLOR", "1"),
        ] {
            let before = server.contents();
            let ended = repo.git_with((name, value), &["push", "-q", "--no-verify", "origin", "main"]);
            assert!(ended.code != 0 && ended.err.contains("remote: leakstop: blocked: "), "{name}={value}: {}", ended.err);
            assert_eq!(server.contents(), before, "{name}={value}");
        }
        // A word that is none would be an error at home: the server did not so much as look at it.
        repo.stage("b.py", "hello\n");
        ended(repo.command(LEAKSTOP).args(["hook", "pre-commit"]).env("LEAKSTOP_BACKEND", "none")).expect(2);
    }

    #[cfg(unix)]
    #[test]
    fn the_hook_that_was_there_is_run_whatever_the_pusher_says() {
        use std::os::unix::fs::PermissionsExt;
        let server = Repo::bare();
        let hook = server.path().join("hooks/pre-receive");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, "#!/bin/sh\ngrep -q refused && { echo 'not on this ref' >&2; exit 1; } || exit 0\n").unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        server.leakstop(&["install", "--server", "."]).expect(0);
        let repo = Repo::with_remote(&server);
        repo.accept("README", "hello\n");
        let aside = format!("{}.before-leakstop", hook.display());
        for value in ["", "1", "hooks/pre-receive.before-leakstop", "./hooks/pre-receive.before-leakstop", &aside] {
            let ended = repo.git_with(("LEAKSTOP_CHAINED", value), &["push", "-q", "--no-verify", "origin", "main:refused"]);
            assert!(ended.code != 0, "{value:?} let it through");
            let told = ["not on this ref", "nothing passes"].iter().any(|words| ended.err.contains(words));
            assert!(told, "{value:?}: {}", ended.err);
        }
        repo.push_passes(&["main"]);
    }

    #[test]
    fn a_weaker_configuration_is_named_and_not_applied() {
        let (server, repo) = started();
        repo.accept(FILE, OFF);
        repo.accept("a.py", key(1));
        let told = repo.push_is_refused(&server, &["main"]).replace("\n      ", " ");
        assert!(told.contains("note: this change weakens the gate (here only once the default branch has it): in .leakstop.toml"), "{told}");
        for part in ["level.critical is \"allow\" instead of \"block\"", "unread.push is \"allow\"", "rules.level.secret is \"allow\"", "in `**`"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        server.write("leakstop.toml", "[server]\nrepository_config = \"ignore\"\n");
        let told = repo.push_is_refused(&server, &["main"]).replace("\n      ", " ");
        assert!(told.contains("(not on this server, which ignores it)"), "{told}");
        server.write("leakstop.toml", "[server]\nrepository_config = \"pushed\"\n");
        let ended = repo.git(&["push", "-q", "origin", "main"]).expect(0);
        assert!(ended.err.replace("\nremote:       ", " ").contains("(this server takes it from whoever pushes)"), "{}", ended.err);
    }

    #[test]
    fn a_stricter_file_that_goes_is_named() {
        let (_server, repo) = started();
        repo.accept(FILE, "[level]\nlow = \"block\"\n");
        repo.push_passes(&["main"]);
        repo.git(&["rm", "-q", FILE]).expect(0);
        repo.git(&["commit", "-q", "--no-verify", "-m", "gone"]).expect(0);
        let told = repo.push_passes(&["main"]).replace("\n      ", " ");
        assert!(told.contains("level.low is \"warn\" instead of \"block\""), "{told}");
    }
}

mod at_home {
    use super::*;

    #[test]
    fn a_weaker_configuration_is_named_by_the_commit_and_by_the_push() {
        let server = Repo::bare();
        let repo = Repo::started();
        repo.has_remote(&server);
        repo.stage(FILE, "[level]\nhigh = \"warn\"\n");
        let told = repo.git(&COMMIT).expect(0).err;
        assert_eq!(told.matches("note: this change weakens the gate: in .leakstop.toml level.high is \"warn\"").count(), 1, "{told}");
        let told = repo.git(&["push", "-q", "origin", "main"]).expect(0).err;
        assert_eq!(told.matches("this change weakens the gate").count(), 1, "{told}");
        // What is there already is not named again, and what is stricter never.
        repo.stage(FILE, "[level]\nhigh = \"warn\"\nlow = \"block\"\n");
        let told = repo.git(&COMMIT).expect(0).err;
        assert!(!told.contains("weakens"), "{told}");
        repo.git(&["rm", "-q", FILE]).expect(0);
        let told = repo.git(&COMMIT).expect(0).err;
        assert!(told.contains("level.low is \"warn\" instead of \"block\""), "{told}");
    }
}

mod a_value_that_moves {
    use super::*;

    fn policy() -> &'static str {
        "[paths]\nallow = [\"tests/**\"]\n"
    }

    #[test]
    fn out_of_an_allowed_folder_is_new() {
        let repo = Repo::started();
        repo.accept(FILE, policy());
        repo.stage("tests/a.py", key(1));
        repo.git(&COMMIT).expect(0);
        repo.git(&["mv", "tests/a.py", "tests/b.py"]).expect(0);
        repo.git(&COMMIT).expect(0);
        fs::create_dir(repo.path().join("src")).unwrap();
        repo.git(&["mv", "tests/b.py", "src/b.py"]).expect(0);
        repo.refuses(&COMMIT);
    }

    #[test]
    fn out_of_the_path_of_an_exception_is_new() {
        let repo = Repo::started();
        repo.write("a.txt", key(1));
        let id = repo.report(&["scan"], 1)["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
        fs::remove_file(repo.path().join("a.txt")).unwrap();
        let entry = "owner = \"ann\"\nreason = \"a test key\"\nexpires = \"2999-12-31\"\npath = \"tests/**\"\n";
        repo.accept(FILE, format!("[[allow]]\nfingerprint = \"{id}\"\n{entry}"));
        repo.stage("tests/a.py", key(1));
        repo.git(&COMMIT).expect(0);
        repo.git(&["mv", "tests/a.py", "a.py"]).expect(0);
        repo.refuses(&COMMIT);
    }

    #[test]
    fn out_of_where_its_rule_warns_is_new() {
        let repo = Repo::started();
        repo.accept(FILE, "[[rules.at]]\npaths = [\"tests/**\"]\nlevel = \"warn\"\n");
        repo.stage("tests/a.py", key(1));
        repo.git(&COMMIT).expect(0);
        repo.git(&["mv", "tests/a.py", "a.py"]).expect(0);
        repo.refuses(&COMMIT);
    }

    #[test]
    fn on_a_server_too() {
        let (server, repo) = started();
        server.write("leakstop.toml", policy());
        repo.accept("tests/a.py", key(1));
        repo.git(&["push", "-q", "origin", "main"]).expect(0);
        repo.git(&["mv", "tests/a.py", "a.py"]).expect(0);
        repo.git(&["commit", "-q", "--no-verify", "-m", "moved"]).expect(0);
        repo.push_is_refused(&server, &["main"]);
    }

    #[test]
    fn between_like_places_stays_old() {
        let repo = Repo::started();
        repo.accept(FILE, policy());
        repo.accept("lib/a.py", key(1));
        fs::create_dir(repo.path().join("src")).unwrap();
        repo.git(&["mv", "lib/a.py", "src/b.py"]).expect(0);
        repo.takes(&COMMIT);
        // From where it was a finding into the allowed folder: nothing to say either.
        fs::create_dir(repo.path().join("tests")).unwrap();
        repo.git(&["mv", "src/b.py", "tests/b.py"]).expect(0);
        repo.takes(&COMMIT);
    }
}
