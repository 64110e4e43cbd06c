//! What git is about to commit, however the command is put, is what is read.

use super::*;

#[test]
fn a_staged_secret_is_refused_and_its_place_is_told() {
    let repo = Repo::started();
    repo.stage("src/deploy.py", format!("import os\n\nTOKEN = \"{}\"\n", token(1)));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("src/deploy.py:3:10  ghp_****  (40 characters)"), "{told}");
    assert!(told.contains("github-pat-classic"), "{told}");
    assert_redacted(&told, &token(1));
}

#[test]
fn a_clean_commit_passes() {
    let repo = Repo::started();
    repo.stage("a.txt", "hello\n");
    repo.takes(&COMMIT);
}

#[test]
fn commit_a_is_read_from_its_own_index() {
    let repo = Repo::started();
    repo.write("README", key(1));
    repo.refuses(&["commit", "-q", "-a", "-m", "work"]);
}

#[test]
fn commit_p_reads_the_chosen_hunks_alone() {
    let repo = Repo::started();
    repo.accept("a.txt", prose());
    repo.write("a.txt", format!("a clean line\n{}{}", prose(), key(1)));
    let command = || {
        let mut command = repo.command("git");
        command.args(["commit", "-q", "-p", "-m", "work"]);
        command
    };
    let before = repo.head();
    let refused = ended_with(&mut command(), b"n\ny\n");
    assert!(refused.code != 0 && refused.err.contains("leakstop: blocked: "), "{}", refused.err);
    assert_eq!(repo.head(), before);
    repo.git(&["reset", "-q"]).expect(0);
    let taken = ended_with(&mut command(), b"y\nn\n").expect(0);
    assert!(taken.err.contains("leakstop: passed: nothing found"), "{}", taken.err);
    assert_ne!(repo.head(), before);
}

#[test]
fn a_partial_commit_is_read_from_its_own_index() {
    let repo = Repo::started();
    repo.stage("clean.txt", "hello\n");
    repo.stage("secret.txt", key(1));
    repo.takes(&["commit", "-q", "-m", "work", "--", "clean.txt"]);
    repo.stage("other.txt", "hello\n");
    let told = repo.refuses(&["commit", "-q", "-m", "work", "--", "secret.txt"]);
    assert!(told.contains("secret.txt:1:8"), "{told}");
}

#[test]
fn commit_i_reads_the_index_and_the_named_path() {
    let repo = Repo::started();
    repo.write("README", key(1));
    repo.stage("clean.txt", "hello\n");
    repo.refuses(&["commit", "-q", "-m", "work", "-i", "README"]);
}

#[test]
fn the_index_counts_and_not_the_work_tree() {
    let repo = Repo::started();
    repo.stage("a.txt", key(1));
    repo.write("a.txt", "clean again\n");
    repo.refuses(&COMMIT);
    repo.stage("a.txt", "hello\n");
    repo.write("a.txt", key(1));
    repo.takes(&COMMIT);
}

#[test]
fn the_first_commit_is_read_whole() {
    let repo = Repo::guarded();
    repo.stage("a.txt", key(1));
    repo.refuses(&COMMIT);
    repo.stage("a.txt", "hello\n");
    repo.takes(&COMMIT);
}

#[test]
fn an_amendment_is_read() {
    let repo = Repo::started();
    repo.stage("a.txt", key(1));
    repo.refuses(&["commit", "-q", "--amend", "--no-edit"]);
    repo.git(&["rm", "-q", "-f", "a.txt"]).expect(0);
    repo.takes(&["commit", "-q", "--amend", "-m", "another message"]);
}

#[test]
fn an_empty_commit_passes() {
    Repo::started().takes(&["commit", "-q", "--allow-empty", "-m", "work"]);
}

#[test]
fn a_linked_worktree_has_its_own_index() {
    let repo = Repo::started();
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "-q", linked.to_str().unwrap()]).expect(0);
    fs::write(linked.join("a.txt"), key(1)).unwrap();
    let git = |arguments: &[&str]| ended(repo.command("git").current_dir(&linked).args(arguments));
    git(&["add", "a.txt"]).expect(0);
    let before = git(&["rev-parse", "HEAD"]).out;
    let refused = git(&COMMIT);
    assert!(refused.code != 0 && refused.err.contains("a.txt:1:8"), "{}", refused.err);
    assert_eq!(git(&["rev-parse", "HEAD"]).out, before);
}

#[test]
fn a_commit_from_a_subdirectory_is_read_whole() {
    let repo = Repo::started();
    repo.stage("top.txt", key(1));
    repo.write("sub/a.txt", "hello\n");
    let told = repo.refuses_command(repo.command("git").current_dir(repo.path().join("sub")).args(COMMIT));
    assert!(told.contains(" top.txt:1:8"), "{told}");
}

#[test]
fn a_git_folder_away_from_the_work_tree_is_read() {
    let repo = Repo::started();
    let away = repo.beside("away.git");
    fs::rename(repo.path().join(".git"), &away).unwrap();
    let git = |arguments: &[&str]| {
        let mut command = repo.command("git");
        command.args(["--git-dir", away.to_str().unwrap(), "--work-tree", "."]).args(arguments);
        command
    };
    repo.write("a.txt", key(1));
    ended(&mut git(&["add", "a.txt"])).expect(0);
    let refused = ended(&mut git(&COMMIT));
    assert!(refused.code != 0 && refused.err.contains("leakstop: blocked: "), "{}", refused.err);
}

#[test]
fn a_squashed_merge_is_a_commit_like_any_other() {
    let repo = Repo::started();
    repo.git(&["switch", "-q", "-c", "side"]).expect(0);
    repo.accept("a.txt", key(1));
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.git(&["merge", "-q", "--squash", "side"]).expect(0);
    repo.refuses(&COMMIT);
}

#[test]
fn a_cherry_pick_without_commit_is_read_when_it_is_committed() {
    let repo = Repo::started();
    repo.git(&["switch", "-q", "-c", "side"]).expect(0);
    let picked = repo.accept("a.txt", key(1));
    repo.git(&["switch", "-q", "main"]).expect(0);
    repo.git(&["cherry-pick", "-n", &picked]).expect(0);
    repo.refuses(&COMMIT);
}

#[test]
fn an_intent_to_add_has_no_content_yet() {
    let repo = Repo::started();
    repo.write("later.txt", key(1));
    repo.git(&["add", "-N", "later.txt"]).expect(0);
    repo.stage("a.txt", "hello\n");
    repo.takes(&COMMIT);
    repo.refuses(&["commit", "-q", "-a", "-m", "work"]);
}

#[test]
fn every_secret_is_told_and_places_of_one_are_grouped() {
    let repo = Repo::started();
    repo.stage("a.txt", format!("{}{}", key(1), key(2)));
    repo.stage("b.txt", key(1));
    let told = repo.refuses(&COMMIT);
    for place in ["a.txt:1:8", "a.txt:2:8", "b.txt:1:8"] {
        assert!(told.contains(place), "{place}\n{told}");
    }
    assert_eq!(told.matches("GitHub personal access token").count(), 2, "{told}");
    assert!(told.contains("3 blocking"), "{told}");
}
