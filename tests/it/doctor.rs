//! `doctor`: shut only where each hook refuses a canary right now, and open with the reason and the way out where one does not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{Ended, LEAKSTOP, Repo, ended, token};

const HOOKS: [&str; 4] = ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"];

fn script(file: &Path, body: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What is said of one thing.
fn says(told: &str, what: &str) -> String {
    let rest = |line: &str| line.get(6..).map(|line| line.trim().to_owned()).filter(|line| line.starts_with(what));
    told.lines().filter_map(rest).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn is_open(ended: Ended, words: &str) {
    let told = ended.expect(1).out;
    assert!(told.contains("leakstop: the gate is open: ") && told.lines().any(|line| line.starts_with("OPEN ") && line.contains(words)), "{told}");
}

#[test]
fn a_guarded_work_tree_is_shut_and_stays_as_it_was() {
    let repo = Repo::started();
    repo.accept(".leakstop.toml", "[level]\nlow = \"block\"\n");
    repo.stage("a.txt", "staged\n");
    let before = repo.git(&["status", "--porcelain=v2", "--branch"]).out + &repo.ask(&["count-objects", "-v"]);
    let told = repo.leakstop(&["doctor"]).expect(0).out;
    for hook in HOOKS {
        assert_eq!(says(&told, hook), format!("{hook:<17} refused a canary"), "{told}");
    }
    assert!(says(&told, "policy").contains("the defaults, then .leakstop.toml of "), "{told}");
    assert!(says(&told, "hooks").ends_with("/.git/hooks") && says(&told, "reads git").ends_with(" libgit2"), "{told}");
    assert!(told.ends_with("leakstop: the gate is shut: a commit, a merge, a message or a push with a secret is refused\n"), "{told}");
    assert_eq!(repo.git(&["status", "--porcelain=v2", "--branch"]).out + &repo.ask(&["count-objects", "-v"]), before);
}

#[test]
fn without_hooks_it_is_open() {
    let repo = Repo::new();
    is_open(repo.leakstop(&["doctor"]), "is not there: `leakstop install`");
    repo.leakstop(&["install", "--hook", "pre-commit"]).expect(0);
    let told = repo.leakstop(&["doctor"]).expect(1).out;
    assert!(says(&told, "pre-commit").contains("refused a canary") && says(&told, "pre-push").contains("is not there"), "{told}");
}

#[test]
fn a_hook_that_git_ignores_is_open() {
    let repo = Repo::guarded();
    fs::set_permissions(repo.path().join(".git/hooks/pre-push"), fs::Permissions::from_mode(0o644)).unwrap();
    is_open(repo.leakstop(&["doctor"]), "is not executable, so git ignores it");
}

#[test]
fn a_hook_that_anybody_may_write_is_open() {
    let repo = Repo::guarded();
    fs::set_permissions(repo.path().join(".git/hooks/pre-push"), fs::Permissions::from_mode(0o777)).unwrap();
    is_open(repo.leakstop(&["doctor"]), "may be written by anybody");
    repo.leakstop(&["install"]).expect(0);
    let _ = fs::remove_file(repo.path().join(".git/hooks/pre-push"));
    repo.leakstop(&["install"]).expect(0);
    fs::set_permissions(repo.path().join(".git/hooks"), fs::Permissions::from_mode(0o777)).unwrap();
    is_open(repo.leakstop(&["doctor"]), "anybody may write to ");
}

#[test]
fn a_hook_whose_program_is_gone_is_open_and_says_why() {
    let repo = Repo::new();
    let copy = repo.beside("leakstop");
    fs::copy(LEAKSTOP, &copy).unwrap();
    ended(repo.command(&copy).arg("install")).expect(0);
    let told = repo.leakstop(&["doctor"]).expect(0).out;
    assert!(says(&told, "pre-commit").contains("another version or copy of leakstop put it there"), "{told}");
    fs::remove_file(copy).unwrap();
    let mut command = repo.command(LEAKSTOP);
    is_open(ended(command.arg("doctor").env("PATH", "/usr/local/bin:/usr/bin:/bin")), "the program is gone");
}

#[test]
fn a_policy_that_only_warns_is_open() {
    let repo = Repo::started();
    repo.accept(".leakstop.toml", "[level]\ncritical = \"warn\"\n");
    is_open(repo.leakstop(&["doctor"]), "did not refuse a planted canary");
}

#[test]
fn another_hooks_folder_is_open() {
    let repo = Repo::guarded();
    repo.git(&["config", "core.hooksPath", "elsewhere"]).expect(0);
    let told = repo.leakstop(&["doctor"]);
    assert!(says(&told.out, "hooks").ends_with("/elsewhere (core.hooksPath)"), "{}", told.out);
    is_open(told, "is not there");
    repo.git(&["config", "--unset", "core.hooksPath"]).expect(0);
    // A variable of git's does the same for the commands that see it.
    let mut command = repo.command(LEAKSTOP);
    command.arg("doctor").env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "core.hooksPath").env("GIT_CONFIG_VALUE_0", "/nowhere");
    is_open(ended(&mut command), "git's environment moves them from ");
}

#[test]
fn a_strangers_hook_is_tried_where_it_does_no_harm() {
    let repo = Repo::new();
    repo.accept("README", "hello\n");
    repo.write("README", "changed and not staged\n");
    let hooks = repo.path().join(".git/hooks");
    // As a hook manager does it: the file is its own, and calls leakstop among other things.
    for hook in HOOKS {
        script(&hooks.join(hook), &format!("git checkout -q -- . 2>/dev/null\nexec '{LEAKSTOP}' hook {hook} \"$@\""));
    }
    let told = repo.leakstop(&["doctor"]).expect(0).out;
    for hook in HOOKS {
        assert_eq!(says(&told, hook), format!("{hook:<17} refused a canary, through a hook that is not ours"), "{told}");
    }
    assert_eq!(fs::read(repo.path().join("README")).unwrap(), b"changed and not staged\n");
    for (hook, body, words) in [
        ("pre-commit", "exit 0", "is not ours and let a canary pass"),
        ("pre-push", "cat >/dev/null; exit 0", "is not ours and let a canary pass"),
        ("commit-msg", "echo 'no such program'; exit 127", "failed before leakstop could say anything: no such program"),
        ("pre-merge-commit", "exit 0", "is not ours and let a canary pass"),
    ] {
        let before = fs::read(hooks.join(hook)).unwrap();
        script(&hooks.join(hook), body);
        let ended = repo.leakstop(&["doctor"]);
        assert!(says(&ended.out, hook).contains(words), "{}", ended.out);
        is_open(ended, words);
        fs::write(hooks.join(hook), before).unwrap();
    }
}

#[test]
fn a_strangers_hook_in_an_empty_and_in_a_sha256_repository() {
    for options in [&[][..], &["--object-format=sha256"]] {
        let repo = Repo::init(options);
        for hook in HOOKS {
            script(&repo.path().join(".git/hooks").join(hook), &format!("exec '{LEAKSTOP}' hook {hook} \"$@\""));
        }
        let told = repo.leakstop(&["doctor"]).expect(0).out;
        assert_eq!(told.matches("refused a canary").count(), 4, "{told}");
    }
}

#[test]
fn what_may_get_round_it_is_named() {
    let repo = Repo::guarded();
    repo.git(&["config", "alias.quick", "commit --no-verify"]).expect(0);
    let config = repo.beside("own.toml");
    fs::write(&config, "").unwrap();
    let mut command = repo.command(LEAKSTOP);
    command.arg("doctor").env("HUSKY", "0").env("LEAKSTOP_CONFIG", &config).env("LEAKSTOP_BACKEND", "git");
    let told = ended(&mut command).expect(0).out;
    for words in [
        "HUSKY is set: ",
        "LEAKSTOP_CONFIG is set: ",
        "goes round the hooks: `commit --no-verify`",
        "git, as it was told to",
        "--no-verify` go round",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(says(&told, "policy").contains("own.toml"), "{told}");
}

#[test]
fn who_reads_git_and_why() {
    let repo = Repo::init(&["--object-format=sha256"]);
    repo.leakstop(&["install"]).expect(0);
    let told = repo.leakstop(&["doctor"]).expect(0).out;
    assert!(says(&told, "reads git").contains("git, since libgit2 does not: "), "{told}");
    let split = Repo::guarded();
    split.git(&["config", "core.splitIndex", "true"]).expect(0);
    split.stage("a.txt", "hello\n");
    let told = split.leakstop(&["doctor"]).expect(0).out;
    assert!(says(&told, "reads git").contains("libgit2, and the index by git, since its index cannot be read: it is split"), "{told}");
}

#[test]
fn what_refuses_everything_is_no_answer() {
    let repo = Repo::guarded();
    fs::remove_dir_all(repo.path().join(".git")).unwrap();
    let told = repo.leakstop(&["doctor"]).expect(2).err;
    assert!(told.contains("cannot open the git repository"), "{told}");
}

mod of_a_server {
    use super::*;

    #[test]
    fn a_guarded_one_is_shut_and_stays_as_it_was() {
        let server = Repo::server();
        server.write("leakstop.toml", "[level]\nlow = \"block\"\n");
        let beside = Repo::new();
        let before = server.contents();
        for (folder, arguments) in [(&beside, &["doctor", "--server", server.path().to_str().unwrap()][..]), (&server, &["doctor"])] {
            let told = folder.leakstop(arguments).expect(0).out;
            assert!(says(&told, "pre-receive").ends_with("refused a canary") && says(&told, "policy").ends_with("leakstop.toml"), "{told}");
            assert!(told.ends_with("leakstop: the gate is shut: a push with a secret is refused\n"), "{told}");
        }
        assert_eq!(server.contents(), before);
    }

    #[test]
    fn a_link_named_after_the_hook_is_ours() {
        let server = Repo::bare();
        fs::create_dir_all(server.path().join("hooks")).unwrap();
        std::os::unix::fs::symlink(LEAKSTOP, server.path().join("hooks/pre-receive")).unwrap();
        let told = server.leakstop(&["doctor"]).expect(0).out;
        assert!(says(&told, "pre-receive").ends_with("refused a canary"), "{told}");
    }

    #[test]
    fn one_that_is_open_says_why() {
        let server = Repo::bare();
        is_open(server.leakstop(&["doctor", "--server", "."]), "is not there: `leakstop install --server DIR`");
        script(&server.path().join("hooks/pre-receive"), "touch ran");
        is_open(server.leakstop(&["doctor", "--server", "."]), "is not ours and was not run");
        assert!(!server.path().join("ran").exists());
        let weak = Repo::server();
        weak.write("leakstop.toml", "[rules.level]\nsecret = \"warn\"\n");
        is_open(weak.leakstop(&["doctor", "--server", "."]), "did not refuse a planted canary");
        let lost = Repo::server();
        fs::set_permissions(lost.path().join("hooks/pre-receive"), fs::Permissions::from_mode(0o644)).unwrap();
        is_open(lost.leakstop(&["doctor", "--server", "."]), "git ignores it");
    }
}

#[test]
fn for_programs_it_is_one_document() {
    let repo = Repo::guarded();
    for (open, code, status) in [(false, 0, "shut"), (true, 1, "open")] {
        if open {
            fs::remove_file(repo.path().join(".git/hooks/pre-push")).unwrap();
        }
        let file = repo.beside("doctor.json");
        repo.leakstop(&["doctor", "--format", "json", "--output", file.to_str().unwrap()]).expect(code);
        let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!((&report["schema"], &report["command"], &report["status"]), (&1.into(), &"doctor".into(), &status.into()));
        let answers = report["answers"].as_array().unwrap();
        let push = answers.iter().find(|answer| answer["what"] == "pre-push").unwrap();
        assert_eq!(push["good"], !open);
        assert!(answers.iter().all(|answer| answer["says"].is_string() && (answer["good"].is_boolean() || answer["good"].is_null())));
    }
}

#[test]
fn what_it_says_holds_no_secret_and_steers_no_terminal() {
    let repo = Repo::guarded();
    script(&repo.path().join(".git/hooks/pre-push"), &format!("cat >/dev/null; printf '\\033[2J{} broke\\n'; exit 3", token(1)));
    let told = repo.leakstop(&["doctor"]).expect(1).out;
    assert!(!told.contains('\u{1b}') && !told.contains(&token(1)[..12]), "{told}");
}
