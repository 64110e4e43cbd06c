//! Commands of git that make commits in rows: which hook runs in each, and that a push stops what no hook saw.

use std::fs;
use std::process::Command;

use crate::support::{Ended, Repo, ended, token};

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// A guarded repository that has pushed `main` with `a.txt`.
fn started() -> (Repo, Repo) {
    let server = Repo::bare();
    let repo = Repo::guarded();
    repo.leakstop(&["install", "--hook", "pre-applypatch"]).expect(0);
    repo.has_remote(&server);
    repo.accept("a.txt", "one\n");
    repo.git(&["push", "-q", "--no-verify", "-u", "origin", "main"]).expect(0);
    (server, repo)
}

/// A commit with a secret on the branch `side`, which no remote has; `main` is checked out again.
fn with_side(repo: &Repo, path: &str, text: &str) -> String {
    repo.git(&["switch", "-q", "-c", "side", "main"]).expect(0);
    let id = repo.accept(path, text);
    repo.git(&["switch", "-q", "main"]).expect(0);
    id
}

/// Which of our hooks git runs in this command.
#[track_caller]
fn traced(repo: &Repo, command: &mut Command) -> (Ended, Vec<String>) {
    let trace = repo.beside("trace");
    let _ = fs::remove_file(&trace);
    let ended = ended(command.env("GIT_TRACE", &trace));
    let text = fs::read_to_string(trace).unwrap();
    let hooks = text.lines().filter_map(|line| line.split_once("run_command: ").map(|(_, run)| run)).filter_map(|run| run.split_once(".git/hooks/"));
    (ended, hooks.map(|(_, rest)| rest.split([' ', '\'']).next().unwrap().to_owned()).collect())
}

/// The command succeeds, these hooks ran, and a push of what it made is refused with the secret's place.
#[track_caller]
fn passes_and_is_stopped_at_the_push(server: &Repo, repo: &Repo, command: &mut Command, hooks: &[&str], place: &str) {
    let before = repo.head();
    let (ended, ran) = traced(repo, command);
    ended.expect(0);
    assert_eq!(ran, hooks);
    assert_ne!(repo.head(), before, "nothing was committed");
    let kept = server.contents();
    let refused = repo.git(&["push", "-q", "origin", "HEAD:refs/heads/main"]);
    assert!(refused.code != 0 && refused.err.contains("leakstop: blocked: ") && refused.err.contains(place), "{}", refused.err);
    assert_eq!(server.contents(), kept);
}

/// The command is refused, and the last hook that ran is this one.
#[track_caller]
fn is_refused_by(repo: &Repo, command: &mut Command, hook: &str, place: &str) {
    let before = repo.head();
    let (ended, ran) = traced(repo, command);
    assert!(ended.code != 0 && ended.err.contains("leakstop: blocked: ") && ended.err.contains(place), "{} {}{}", ended.code, ended.out, ended.err);
    assert_eq!(ran.last().map(String::as_str), Some(hook), "{ran:?}");
    assert_eq!(repo.head(), before);
}

fn git(repo: &Repo, arguments: &[&str]) -> Command {
    let mut command = repo.command("git");
    command.args(arguments);
    command
}

mod merge {
    use super::*;

    #[test]
    fn a_clean_one_runs_pre_merge_commit() {
        let (_server, repo) = started();
        with_side(&repo, "b.txt", &key(1));
        repo.accept("a.txt", "two\n");
        is_refused_by(&repo, &mut git(&repo, &["merge", "-q", "--no-edit", "side"]), "pre-merge-commit", "b.txt:1:8");
    }

    #[test]
    fn one_that_is_continued_after_a_conflict_runs_pre_commit() {
        let (_server, repo) = started();
        with_side(&repo, "a.txt", "theirs\n");
        repo.accept("a.txt", "ours\n");
        repo.git(&["merge", "-q", "side"]).expect(1);
        repo.stage("a.txt", key(2));
        is_refused_by(&repo, &mut git(&repo, &["merge", "--continue"]), "pre-commit", "a.txt:1:8");
        repo.stage("a.txt", "both\n");
        repo.takes(&["merge", "--continue"]);
        assert_eq!(repo.ask(&["rev-list", "--parents", "-1", "HEAD"]).split(' ').count(), 3, "it is a merge");
    }

    #[test]
    fn an_octopus_that_waits_has_every_parent_in_merge_head() {
        let (_server, repo) = started();
        let base = repo.head();
        for (branch, seed) in [("one", 3), ("two", 4)] {
            repo.git(&["switch", "-q", "-c", branch, &base]).expect(0);
            repo.accept(&format!("{branch}.txt"), key(seed));
            repo.git(&["update-ref", &format!("refs/remotes/origin/{branch}"), branch]).expect(0);
        }
        repo.git(&["switch", "-q", "main"]).expect(0);
        repo.accept("a.txt", "ours\n");
        repo.git(&["merge", "-q", "--no-commit", "one", "two"]).expect(0);
        repo.stage("evil.txt", key(5));
        let told = repo.refuses(&["commit", "-q", "-m", "merge"]);
        assert!(told.contains("evil.txt:1:8") && told.contains("1 blocking"), "{told}");
        repo.git(&["rm", "-q", "-f", "evil.txt"]).expect(0);
        repo.takes(&["commit", "-q", "-m", "merge"]);
        assert_eq!(repo.ask(&["rev-list", "--parents", "-1", "HEAD"]).split(' ').count(), 4, "it has three parents");
    }

    #[test]
    fn a_fast_forward_runs_none_and_is_stopped_at_the_push() {
        let (server, repo) = started();
        with_side(&repo, "b.txt", &key(1));
        passes_and_is_stopped_at_the_push(&server, &repo, &mut git(&repo, &["merge", "-q", "side"]), &[], "b.txt:1:8");
    }
}

mod cherry_pick {
    use super::*;

    #[test]
    fn a_clean_one_runs_none_and_is_stopped_at_the_push() {
        let (server, repo) = started();
        let id = with_side(&repo, "b.txt", &key(1));
        passes_and_is_stopped_at_the_push(&server, &repo, &mut git(&repo, &["cherry-pick", &id]), &[], "b.txt:1:8");
    }

    #[test]
    fn one_that_is_continued_runs_pre_commit() {
        let (_server, repo) = started();
        let id = with_side(&repo, "a.txt", &key(1));
        repo.accept("a.txt", "ours\n");
        repo.git(&["cherry-pick", &id]).expect(1);
        repo.stage("a.txt", key(1));
        is_refused_by(&repo, &mut git(&repo, &["cherry-pick", "--continue"]), "pre-commit", "a.txt:1:8");
        repo.stage("a.txt", "clean\n");
        repo.takes(&["cherry-pick", "--continue"]);
    }
}

mod revert {
    use super::*;

    /// The secret was pushed once and taken out again, so a revert brings it back.
    fn taken_out(repo: &Repo) -> String {
        repo.accept("b.txt", key(1));
        repo.accept("b.txt", "nothing\n")
    }

    #[test]
    fn a_clean_one_runs_none_and_is_stopped_at_the_push() {
        let (server, repo) = started();
        let id = taken_out(&repo);
        passes_and_is_stopped_at_the_push(&server, &repo, &mut git(&repo, &["revert", "--no-edit", &id]), &[], "b.txt:1:8");
    }

    #[test]
    fn one_that_brings_back_what_was_pushed_and_taken_out_is_stopped_at_the_push() {
        let (server, repo) = started();
        let id = taken_out(&repo);
        repo.git(&["push", "-q", "--no-verify", "origin", "main"]).expect(0);
        passes_and_is_stopped_at_the_push(&server, &repo, &mut git(&repo, &["revert", "--no-edit", &id]), &[], "b.txt:1:8");
    }

    #[test]
    fn one_that_is_continued_runs_pre_commit() {
        let (_server, repo) = started();
        let id = taken_out(&repo);
        repo.accept("b.txt", "something else\n");
        repo.git(&["revert", "--no-edit", &id]).expect(1);
        repo.stage("b.txt", key(1));
        is_refused_by(&repo, &mut git(&repo, &["revert", "--continue"]), "pre-commit", "b.txt:1:8");
    }
}

mod rebase {
    use super::*;

    /// `side` has a commit with a secret beside a newer `main`, and is checked out.
    fn beside_main(repo: &Repo, path: &str, text: &str) {
        with_side(repo, path, text);
        repo.accept("a.txt", "two\n");
        repo.git(&["switch", "-q", "side"]).expect(0);
    }

    #[test]
    fn its_picks_run_none_and_are_stopped_at_the_push() {
        let (server, repo) = started();
        beside_main(&repo, "b.txt", &key(1));
        passes_and_is_stopped_at_the_push(&server, &repo, &mut git(&repo, &["rebase", "-q", "main"]), &[], "b.txt:1:8");
    }

    #[test]
    fn one_that_is_continued_runs_none_and_is_stopped_at_the_push() {
        let (server, repo) = started();
        beside_main(&repo, "a.txt", "theirs\n");
        repo.git(&["rebase", "-q", "main"]).expect(1);
        repo.stage("a.txt", key(1));
        let (ended, ran) = traced(&repo, &mut git(&repo, &["rebase", "--continue"]));
        ended.expect(0);
        // Older versions of git show the message to commit-msg here, newer ones to nobody.
        assert!(ran.iter().all(|hook| hook == "commit-msg"), "{ran:?}");
        let refused = repo.git(&["push", "-q", "origin", "HEAD:refs/heads/main"]);
        assert!(refused.code != 0 && refused.err.contains("a.txt:1:8"), "{}", refused.err);
        drop(server);
    }

    #[test]
    fn an_amendment_within_one_runs_pre_commit() {
        let (_server, repo) = started();
        beside_main(&repo, "b.txt", "clean\n");
        let mut rebase = git(&repo, &["rebase", "-q", "-i", "main"]);
        ended(rebase.env("GIT_SEQUENCE_EDITOR", "sed -i -e s/^pick/edit/")).expect(0);
        repo.stage("b.txt", key(1));
        is_refused_by(&repo, &mut git(&repo, &["commit", "-q", "--amend", "--no-edit"]), "pre-commit", "b.txt:1:8");
    }

    #[test]
    fn a_new_message_within_one_runs_pre_commit_and_commit_msg() {
        let (_server, repo) = started();
        beside_main(&repo, "b.txt", "clean\n");
        let editor = repo.beside("editor");
        fs::write(&editor, format!("echo 'now {}' > \"$1\"\n", token(2))).unwrap();
        let mut rebase = git(&repo, &["rebase", "-q", "-i", "main"]);
        rebase.env("GIT_SEQUENCE_EDITOR", "sed -i -e s/^pick/reword/").env("GIT_EDITOR", format!("sh '{}'", editor.display()));
        let (ended, ran) = traced(&repo, &mut rebase);
        assert!(ended.code != 0 && ended.err.contains("commit message, line 1:5"), "{}", ended.err);
        assert_eq!(ran, ["pre-commit", "commit-msg"]);
    }

    #[test]
    fn one_by_patches_runs_pre_applypatch() {
        let (_server, repo) = started();
        beside_main(&repo, "b.txt", &key(1));
        let (ended, ran) = traced(&repo, &mut git(&repo, &["rebase", "-q", "--apply", "main"]));
        assert!(ended.code != 0 && ended.err.contains("b.txt:1:8"), "{}{}", ended.out, ended.err);
        assert_eq!(ran.last().map(String::as_str), Some("pre-applypatch"), "{ran:?}");
    }
}

mod am {
    use super::*;

    fn patch(repo: &Repo) -> String {
        with_side(repo, "b.txt", &key(1));
        let file = repo.beside("a.patch");
        fs::write(&file, repo.git(&["format-patch", "--stdout", "-1", "side"]).expect(0).out).unwrap();
        file.to_str().unwrap().to_owned()
    }

    #[test]
    fn it_runs_pre_applypatch() {
        let (_server, repo) = started();
        let patch = patch(&repo);
        is_refused_by(&repo, &mut git(&repo, &["am", "-q", &patch]), "pre-applypatch", "b.txt:1:8");
    }

    #[test]
    fn without_that_hook_it_is_stopped_at_the_push() {
        let (server, repo) = started();
        repo.leakstop(&["uninstall", "--hook", "pre-applypatch"]).expect(0);
        let patch = patch(&repo);
        passes_and_is_stopped_at_the_push(&server, &repo, &mut git(&repo, &["am", "-q", &patch]), &[], "b.txt:1:8");
    }
}

mod others {
    use super::*;

    #[test]
    fn notes_and_tags_run_none_and_are_stopped_at_the_push() {
        let (server, repo) = started();
        for (make, reference) in [(["notes", "add", "-m"], "refs/notes/commits"), (["tag", "v1", "-m"], "refs/tags/v1")] {
            let (ended, ran) = traced(&repo, &mut git(&repo, &[&make[..], &[&token(1)]].concat()));
            ended.expect(0);
            assert!(ran.is_empty(), "{ran:?}");
            let kept = server.contents();
            let refused = repo.git(&["push", "-q", "origin", reference]);
            assert!(refused.code != 0 && refused.err.contains(&format!("({reference})")), "{}", refused.err);
            assert_eq!(server.contents(), kept);
        }
    }

    #[test]
    fn a_commit_that_no_porcelain_made_is_stopped_at_the_push() {
        let (server, repo) = started();
        repo.stage("b.txt", key(1));
        let tree = repo.ask(&["write-tree"]);
        let id = repo.ask(&["commit-tree", "-p", "HEAD", "-m", "made by hand", &tree]);
        repo.git(&["reset", "-q", "--hard"]).expect(0);
        passes_and_is_stopped_at_the_push(&server, &repo, &mut git(&repo, &["merge", "-q", "--ff-only", &id]), &[], "b.txt:1:8");
    }

    #[test]
    fn a_bare_address_counts_what_is_known_of_its_remote_and_of_no_other() {
        let (server, repo) = started();
        repo.accept("b.txt", key(1));
        repo.git(&["push", "-q", "--no-verify", "origin", "main"]).expect(0);
        repo.accept("c.txt", "clean\n");
        let address = server.path().to_str().unwrap().to_owned();
        for same in [address.clone(), format!("{address}/"), format!("file://{address}")] {
            repo.git(&["push", "-q", &same, "main:refs/heads/topic"]).expect(0);
            server.git(&["update-ref", "-d", "refs/heads/topic"]).expect(0);
        }
        let other = Repo::bare();
        let refused = repo.git(&["push", "-q", other.path().to_str().unwrap(), "main"]);
        assert!(refused.code != 0 && refused.err.contains("b.txt:1:8"), "nobody knows what the other one has: {}", refused.err);
    }

    #[test]
    fn a_push_of_nothing_passes_and_input_that_is_no_pipe_is_an_error() {
        let (_server, repo) = started();
        repo.git(&["push", "-q", "origin", "main"]).expect(0);
        let hook = ["hook", "pre-push", "origin", "address"];
        repo.leakstop_with(&hook, b"").expect(0);
        let ended = repo.leakstop(&hook).expect(2);
        assert!(ended.err.contains("cannot read standard input: it is closed"), "{}", ended.err);
    }
}
