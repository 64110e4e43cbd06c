//! The message as git will store it.

use super::*;

/// Commits with an editor that puts `text` before what git wrote.
fn edited(repo: &Repo, text: &str, options: &[&str]) -> std::process::Command {
    repo.write(".git/typed", text);
    let script = repo.path().join(".git/editor");
    fs::write(&script, "cat .git/typed \"$1\" > .git/both && mv .git/both \"$1\"\n").unwrap();
    let mut command = repo.command("git");
    command.env("GIT_EDITOR", format!("sh '{}'", script.display())).args(["commit", "-q"]).args(options);
    command
}

#[test]
fn a_secret_in_the_message_is_refused() {
    let repo = Repo::started();
    repo.stage("a.txt", "hello\n");
    let told = repo.refuses(&["commit", "-q", "-m", "work", "-m", &format!("use {}", token(1))]);
    assert!(told.contains("commit message, line 3:5"), "{told}");
    assert_redacted(&told, &token(1));
    repo.refuses_command(&mut edited(&repo, &format!("use {}\n", token(1)), &[]));
    repo.refuses(&["commit", "-q", "--amend", "-m", &token(1)]);
}

#[test]
fn a_comment_that_git_takes_out_is_no_message() {
    let repo = Repo::started();
    repo.stage("a.txt", "hello\n");
    repo.takes_command(&mut edited(&repo, &format!("good\n# {}\n", token(1)), &[]));
}

#[test]
fn a_comment_that_git_keeps_is_read() {
    let repo = Repo::started();
    repo.stage("a.txt", "hello\n");
    repo.refuses(&["commit", "-q", "-m", &format!("good\n# {}", token(1))]);
    repo.git(&["config", "core.commentChar", ";"]).expect(0);
    repo.refuses_command(&mut edited(&repo, &format!("good\n# {}\n", token(1)), &[]));
    repo.takes_command(&mut edited(&repo, &format!("good\n; {}\n", token(1)), &[]));
    repo.git(&["config", "commit.cleanup", "whitespace"]).expect(0);
    repo.stage("a.txt", "hello again\n");
    repo.refuses_command(&mut edited(&repo, &format!("good\n; {}\n", token(1)), &[]));
}

#[test]
fn a_comment_that_git_keeps_by_an_option_of_this_command_is_read() {
    let repo = Repo::started();
    repo.stage("a.txt", "hello\n");
    let text = format!("good\n# {}\n", token(1));
    for option in ["verbatim", "whitespace"] {
        let cleanup = format!("--cleanup={option}");
        repo.refuses_command(&mut edited(&repo, &text, &[&cleanup]));
        repo.refuses_command(&mut edited(&repo, &text, &[&cleanup, "-v"]));
    }
    // Without git's own words about comments nobody can tell.
    repo.refuses_command(&mut edited(&repo, &text, &["--no-status"]));
    repo.takes_command(&mut edited(&repo, &text, &["--cleanup=strip", "-v"]));
}

#[test]
fn a_comment_that_git_keeps_by_a_setting_of_this_command_is_read() {
    let repo = Repo::started();
    repo.stage("a.txt", "hello\n");
    let text = format!("good\n# {}\n", token(1));
    let mut command = edited(&repo, &text, &[]);
    for (name, value) in [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "commit.Cleanup"), ("GIT_CONFIG_VALUE_0", "whitespace")] {
        command.env(name, value);
    }
    repo.refuses_command(&mut command);
    let mut command = edited(&repo, &text, &[]);
    repo.refuses_command(command.env("GIT_CONFIG_PARAMETERS", "'core.commentchar'=';'"));
}

#[test]
fn the_diff_below_the_scissors_is_no_message() {
    let repo = Repo::started();
    repo.accept("a.txt", key(1));
    repo.stage("a.txt", "gone\n");
    repo.takes_command(&mut edited(&repo, "good\n", &["-v"]));
}

#[test]
fn scissors_that_git_does_not_heed_hide_nothing() {
    let repo = Repo::started();
    repo.stage("a.txt", "hello\n");
    let text = format!("good\n# ------------------------ >8 ------------------------\n{}\n", token(1));
    repo.refuses_command(&mut edited(&repo, &text, &[]));
}
