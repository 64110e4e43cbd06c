//! Hooks are put in place and taken away again; a stranger's hook is never lost, and a missing program lets nothing pass.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::support::{LEAKSTOP, Repo, ended, token};

const CLIENT_HOOKS: [&str; 4] = ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"];
const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];

fn key() -> String {
    format!("key = \"{}\"\n", token(1))
}

fn hook(repo: &Repo, name: &str) -> PathBuf {
    let folder = repo.path().join(".git/hooks");
    if folder.exists() { folder.join(name) } else { repo.path().join("hooks").join(name) }
}

/// A stranger's hook, executable.
fn script(file: &Path, body: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn install_says_what_it_did_and_doing_it_again_changes_nothing() {
    let repo = Repo::new();
    let first = repo.leakstop(&["install"]).expect(0);
    assert_eq!(first.out.matches("installed  ").count(), 4, "{}", first.out);
    assert!(first.out.contains("proved     each hook refused a planted canary"), "{}", first.out);
    let texts = CLIENT_HOOKS.map(|name| fs::read(hook(&repo, name)).unwrap());
    let second = repo.leakstop(&["install"]).expect(0);
    assert_eq!(second.out.matches("in place   ").count(), 4, "{}", second.out);
    assert_eq!(texts, CLIENT_HOOKS.map(|name| fs::read(hook(&repo, name)).unwrap()));
    assert!(CLIENT_HOOKS.iter().all(|name| mode(&hook(&repo, name)) == 0o755));
    // The proof leaves nothing in the repository.
    assert_eq!(repo.ask(&["count-objects"]), "0 objects, 0 kilobytes");
    assert!(!repo.path().join(".git/index").exists());
}

#[test]
fn a_lost_run_bit_and_an_old_shim_are_renewed() {
    let repo = Repo::guarded();
    fs::set_permissions(hook(&repo, "pre-commit"), fs::Permissions::from_mode(0o644)).unwrap();
    script(&hook(&repo, "pre-push"), "# leakstop shim 0. An older one.\nexit 0");
    let said = repo.leakstop(&["install"]).expect(0).out;
    assert_eq!((said.matches("renewed    ").count(), said.matches("in place   ").count()), (2, 2), "{said}");
    assert_eq!(mode(&hook(&repo, "pre-commit")), 0o755);
    repo.stage("a.txt", key());
    repo.refuses(&COMMIT);
}

#[test]
fn a_single_hook_can_be_named() {
    let repo = Repo::new();
    repo.leakstop(&["install", "--hook", "pre-push"]).expect(0);
    assert!(hook(&repo, "pre-push").exists() && !hook(&repo, "pre-commit").exists());
    let wrong = repo.leakstop(&["install", "--hook", "post-commit"]).expect(2);
    assert!(wrong.err.contains("`post-commit` is no hook"), "{}", wrong.err);
    repo.leakstop(&["install", "--hook", "pre-receive"]).expect(2);
}

mod strangers {
    use super::*;

    #[test]
    fn a_strangers_hook_runs_after_ours_and_may_refuse_too() {
        let repo = Repo::new();
        repo.accept("README", "hello\n");
        script(&hook(&repo, "pre-commit"), "echo ran >>.git/ran; test ! -e .git/refuse");
        let said = repo.leakstop(&["install"]).expect(0).out;
        assert!(said.contains("the hook that was there runs after it"), "{said}");
        assert!(!repo.path().join(".git/ran").exists(), "the proof ran a stranger's hook");
        repo.stage("a.txt", key());
        repo.refuses(&COMMIT);
        assert!(!repo.path().join(".git/ran").exists());
        repo.stage("a.txt", "hello\n");
        repo.takes(&COMMIT);
        assert_eq!(fs::read_to_string(repo.path().join(".git/ran")).unwrap(), "ran\n");
        repo.write(".git/refuse", "");
        repo.stage("a.txt", "hello again\n");
        let before = repo.head();
        assert_ne!(repo.git(&COMMIT).code, 0);
        assert_eq!(repo.head(), before);
    }

    #[test]
    fn a_strangers_hook_that_git_would_not_run_is_kept_and_not_run() {
        let repo = Repo::new();
        fs::write(hook(&repo, "pre-commit"), "exit 1\n").unwrap();
        repo.leakstop(&["install"]).expect(0);
        repo.stage("a.txt", "hello\n");
        repo.takes(&COMMIT);
        assert_eq!(fs::read(hook(&repo, "pre-commit.before-leakstop")).unwrap(), b"exit 1\n");
    }

    #[test]
    fn arguments_and_input_reach_both() {
        let server = Repo::bare();
        script(&hook(&server, "pre-receive"), "cat >received");
        server.leakstop(&["install", "--server", "."]).expect(0);
        let repo = Repo::new();
        repo.has_remote(&server);
        script(&hook(&repo, "commit-msg"), "cp \"$1\" .git/message");
        script(&hook(&repo, "pre-push"), "{ echo \"$1\"; cat; } >.git/pushed");
        repo.leakstop(&["install"]).expect(0);
        repo.stage("a.txt", "hello\n");
        repo.git(&COMMIT).expect(0);
        repo.git(&["push", "-q", "origin", "main"]).expect(0);
        let (id, zero) = (repo.head(), "0".repeat(40));
        let read = |file: PathBuf| fs::read_to_string(file).unwrap();
        assert_eq!(read(repo.path().join(".git/message")), "work\n");
        assert_eq!(read(repo.path().join(".git/pushed")), format!("origin\nrefs/heads/main {id} refs/heads/main {zero}\n"));
        assert_eq!(read(server.path().join("received")), format!("{zero} {id} refs/heads/main\n"));
        repo.accept("b.txt", key());
        repo.push_is_refused(&server, &["main"]);
    }

    #[test]
    fn uninstall_puts_everything_back_as_it_was() {
        let repo = Repo::new();
        let text = "#!/bin/sh\n# no final newline, a \0 and \u{e9}\nexit 0";
        fs::write(hook(&repo, "pre-commit"), text).unwrap();
        fs::set_permissions(hook(&repo, "pre-commit"), fs::Permissions::from_mode(0o711)).unwrap();
        symlink("../elsewhere", hook(&repo, "pre-push")).unwrap();
        let list = || {
            let mut names: Vec<_> = fs::read_dir(repo.path().join(".git/hooks")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let before = list();
        repo.leakstop(&["install"]).expect(0);
        let said = repo.leakstop(&["uninstall"]).expect(0).out;
        assert_eq!((said.matches("restored   ").count(), said.matches("removed    ").count()), (2, 2), "{said}");
        assert_eq!(list(), before);
        assert_eq!(fs::read(hook(&repo, "pre-commit")).unwrap(), text.as_bytes());
        assert_eq!(mode(&hook(&repo, "pre-commit")), 0o711);
        assert_eq!(fs::read_link(hook(&repo, "pre-push")).unwrap(), Path::new("../elsewhere"));
        let again = repo.leakstop(&["uninstall"]).expect(0).out;
        assert_eq!((again.matches("not ours   ").count(), again.matches("not there  ").count()), (2, 2), "{again}");
        assert_eq!(fs::read(hook(&repo, "pre-commit")).unwrap(), text.as_bytes());
    }

    #[test]
    fn two_strangers_are_an_error_that_loses_nothing() {
        let repo = Repo::new();
        script(&hook(&repo, "pre-commit"), "echo new");
        script(&hook(&repo, "pre-commit.before-leakstop"), "echo old");
        let ended = repo.leakstop(&["install"]).expect(2);
        assert!(ended.err.contains("two hooks stand in the way"), "{}", ended.err);
        assert_eq!(fs::read_to_string(hook(&repo, "pre-commit")).unwrap(), "#!/bin/sh\necho new\n");
        assert_eq!(fs::read_to_string(hook(&repo, "pre-commit.before-leakstop")).unwrap(), "#!/bin/sh\necho old\n");
    }

    #[test]
    fn a_hook_manager_that_moves_our_shim_aside_still_calls_it() {
        for aside in ["pre-commit.legacy", "pre-commit.old"] {
            let repo = Repo::started();
            fs::rename(hook(&repo, "pre-commit"), hook(&repo, aside)).unwrap();
            script(&hook(&repo, "pre-commit"), &format!("exec \"${{0%/*}}/{aside}\" \"$@\""));
            repo.stage("a.txt", key());
            repo.refuses(&COMMIT);
            // Installed once more, our shim calls the manager, which calls our older shim: that is no circle.
            repo.leakstop(&["install"]).expect(0);
            repo.refuses(&COMMIT);
            repo.stage("a.txt", "hello\n");
            repo.takes(&COMMIT);
        }
    }
}

mod places {
    use super::*;

    #[test]
    fn hooks_path_is_honoured_absolute_and_relative() {
        for relative in [true, false] {
            let repo = Repo::new();
            let folder = if relative { repo.path().join("my hooks") } else { repo.beside("hooks elsewhere") };
            fs::create_dir(&folder).unwrap();
            let value = if relative { "my hooks" } else { folder.to_str().unwrap() };
            repo.git(&["config", "core.hooksPath", value]).expect(0);
            repo.write("sub/x", "");
            let said = ended(repo.command(LEAKSTOP).current_dir(repo.path().join("sub")).arg("install")).expect(0).out;
            assert!(said.contains("note: core.hooksPath decides where the hooks are"), "{said}");
            assert!(folder.join("pre-commit").exists() && !hook(&repo, "pre-commit").exists());
            repo.stage("a.txt", key());
            repo.refuses(&COMMIT);
        }
    }

    #[test]
    fn a_hooks_folder_that_is_missing_is_made() {
        let repo = Repo::new();
        repo.git(&["config", "core.hooksPath", ".githooks/deep"]).expect(0);
        repo.leakstop(&["install"]).expect(0);
        repo.stage("a.txt", key());
        repo.refuses(&COMMIT);
        let bare = Repo::new();
        fs::remove_dir_all(bare.path().join(".git/hooks")).unwrap();
        bare.leakstop(&["install"]).expect(0);
    }

    #[test]
    fn a_linked_worktree_shares_the_hooks() {
        let repo = Repo::new();
        repo.accept("README", "hello\n");
        let linked = repo.beside("linked");
        repo.git(&["worktree", "add", "-q", linked.to_str().unwrap()]).expect(0);
        ended(repo.command(LEAKSTOP).current_dir(&linked).arg("install")).expect(0);
        repo.stage("a.txt", key());
        repo.refuses(&COMMIT);
        fs::write(linked.join("a.txt"), key()).unwrap();
        let git = |arguments: &[&str]| ended(repo.command("git").current_dir(&linked).args(arguments));
        git(&["add", "a.txt"]).expect(0);
        assert!(git(&COMMIT).err.contains("leakstop: blocked: "));
    }

    #[test]
    fn a_submodule_has_hooks_of_its_own() {
        let module = Repo::new();
        module.accept("README", "hello\n");
        let repo = Repo::new();
        let address = module.path().to_str().unwrap().to_owned();
        repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &address, "module"]).expect(0);
        let inside = repo.path().join("module");
        ended(repo.command(LEAKSTOP).current_dir(&inside).arg("install")).expect(0);
        assert!(repo.path().join(".git/modules/module/hooks/pre-commit").exists() && !hook(&repo, "pre-commit").exists());
        fs::write(inside.join("a.txt"), key()).unwrap();
        let git = |arguments: &[&str]| ended(repo.command("git").current_dir(&inside).args(arguments));
        git(&["add", "a.txt"]).expect(0);
        assert!(git(&COMMIT).err.contains("leakstop: blocked: "));
    }

    #[test]
    fn a_path_with_quotes_and_spaces() {
        let outer = Repo::new();
        let folder = outer.beside("it's a \"path\" with $HOME `and` more");
        fs::create_dir(&folder).unwrap();
        let program = folder.join("leakstop");
        fs::copy(LEAKSTOP, &program).unwrap();
        let root = folder.join("repo");
        ended(outer.command("git").args(["init", "-q"]).arg(&root)).expect(0);
        ended(outer.command(&program).current_dir(&root).arg("install")).expect(0);
        fs::write(root.join("a.txt"), key()).unwrap();
        let git = |arguments: &[&str]| ended(outer.command("git").current_dir(&root).args(arguments));
        git(&["add", "a.txt"]).expect(0);
        assert!(git(&COMMIT).err.contains("leakstop: blocked: "));
    }

    #[test]
    fn a_bare_repository_gets_no_hooks_of_commits() {
        let server = Repo::bare();
        let told = server.leakstop(&["install"]).expect(2).err;
        assert!(told.contains("is a bare repository") && told.contains("leakstop install --server ."), "{told}");
        assert!(!hook(&server, "pre-commit").exists());
        server.leakstop(&["install", "--server", "."]).expect(0);
        server.leakstop(&["doctor"]).expect(0);
    }

    #[test]
    fn a_server_gets_pre_receive_alone() {
        let server = Repo::bare();
        let outer = Repo::new();
        outer.leakstop(&["install", "--server", server.path().to_str().unwrap()]).expect(0);
        let mut ours: Vec<_> = fs::read_dir(server.path().join("hooks")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        ours.retain(|name| !name.to_string_lossy().ends_with(".sample"));
        assert_eq!(ours, ["pre-receive"]);
        outer.leakstop(&["uninstall", "--server", server.path().to_str().unwrap()]).expect(0);
        assert!(!server.path().join("hooks/pre-receive").exists());
    }

    #[test]
    fn outside_a_repository_install_fails() {
        let repo = Repo::new();
        let folder = tempfile::tempdir().unwrap();
        ended(repo.command(LEAKSTOP).current_dir(folder.path()).arg("install")).expect(2);
        ended(repo.command(LEAKSTOP).args(["install", "--server", "nowhere"])).expect(2);
    }

    #[test]
    fn a_hook_that_lets_the_canary_pass_is_told() {
        let repo = Repo::new();
        repo.accept(".leakstop.toml", "[level]\ncritical = \"warn\"\n");
        let ended = repo.leakstop(&["install"]).expect(2);
        assert!(ended.err.contains("did not refuse a planted canary"), "{}", ended.err);
    }
}

mod programs {
    use super::*;

    /// A repository guarded by a copy of the program, and where that copy is.
    fn guarded_by_a_copy(repo: &Repo, arguments: &[&str]) -> PathBuf {
        let program = repo.beside("bin/leakstop");
        fs::create_dir(repo.beside("bin")).unwrap();
        fs::copy(LEAKSTOP, &program).unwrap();
        ended(repo.command(&program).args(arguments)).expect(0);
        program
    }

    #[test]
    fn without_the_program_nothing_is_committed() {
        let repo = Repo::new();
        let program = guarded_by_a_copy(&repo, &["install"]);
        fs::remove_file(&program).unwrap();
        repo.stage("a.txt", "hello\n");
        let ended = repo.git(&COMMIT);
        assert!(ended.code != 0 && ended.err.contains("leakstop: error: the program is gone"), "{}", ended.err);
        assert_eq!(repo.head(), "");
    }

    #[test]
    fn a_program_on_the_path_steps_in_for_a_commit() {
        let repo = Repo::new();
        let program = guarded_by_a_copy(&repo, &["install"]);
        fs::create_dir(repo.beside("other")).unwrap();
        fs::rename(&program, repo.beside("other/leakstop")).unwrap();
        repo.stage("a.txt", key());
        let path = format!("{}:{}", repo.beside("other").display(), std::env::var("PATH").unwrap());
        repo.refuses_command(repo.command("git").env("PATH", path).args(COMMIT));
    }

    #[test]
    fn without_the_program_a_server_takes_nothing() {
        let server = Repo::bare();
        let program = guarded_by_a_copy(&server, &["install", "--server", "."]);
        fs::create_dir(server.beside("other")).unwrap();
        script(&server.beside("other/leakstop"), "exit 0");
        fs::remove_file(&program).unwrap();
        let repo = Repo::with_remote(&server);
        repo.accept("a.txt", "hello\n");
        let path = format!("{}:{}", server.beside("other").display(), std::env::var("PATH").unwrap());
        let ended = ended(repo.command("git").env("PATH", path).args(["push", "-q", "origin", "main"]));
        assert!(ended.code != 0 && ended.err.contains("remote: leakstop: error: the program is gone"), "{}", ended.err);
        assert_eq!(server.ask(&["for-each-ref"]), "");
    }

    #[test]
    fn a_link_named_after_a_hook_is_that_hook() {
        let repo = Repo::new();
        symlink(LEAKSTOP, hook(&repo, "pre-commit")).unwrap();
        symlink(LEAKSTOP, hook(&repo, "commit-msg")).unwrap();
        repo.stage("a.txt", key());
        repo.refuses(&COMMIT);
        repo.stage("a.txt", "hello\n");
        repo.refuses(&["commit", "-q", "-m", &token(1)]);
        repo.takes(&COMMIT);
    }

    #[test]
    fn a_copy_named_after_a_hook_is_that_hook() {
        let server = Repo::bare();
        fs::copy(LEAKSTOP, hook(&server, "pre-receive")).unwrap();
        let repo = Repo::with_remote(&server);
        repo.accept("a.txt", "hello\n");
        repo.push_passes(&["main"]);
        repo.accept("a.txt", key());
        repo.push_is_refused(&server, &["main"]);
    }

    #[test]
    fn a_link_or_a_copy_is_ours_when_the_shim_comes() {
        for copied in [false, true] {
            let repo = Repo::new();
            if copied {
                fs::copy(LEAKSTOP, hook(&repo, "pre-commit")).unwrap();
            } else {
                symlink(LEAKSTOP, hook(&repo, "pre-commit")).unwrap();
            }
            let said = repo.leakstop(&["install"]).expect(0).out;
            assert!(said.contains("renewed    "), "{said}");
            repo.stage("a.txt", "hello\n");
            repo.takes(&COMMIT);
            repo.stage("a.txt", key());
            repo.refuses(&COMMIT);
        }
        let repo = Repo::new();
        symlink(LEAKSTOP, hook(&repo, "pre-commit")).unwrap();
        repo.leakstop(&["uninstall"]).expect(0);
        assert!(fs::symlink_metadata(hook(&repo, "pre-commit")).is_err());
    }
}
