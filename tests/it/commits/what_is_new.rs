//! What a commit introduces, and what stood there before.

use super::*;

/// A started repository in which `a.txt` holds an old secret in the middle of other lines.
fn with_old_secret() -> Repo {
    let repo = Repo::started();
    repo.accept("a.txt", format!("{}{}{}", prose(), key(1), prose()));
    repo
}

#[test]
fn another_line_of_a_file_with_an_old_secret_may_change() {
    let repo = with_old_secret();
    repo.stage("a.txt", format!("changed\n{}{}{}", prose(), key(1), prose()));
    repo.takes(&COMMIT);
}

#[test]
fn a_moved_or_indented_or_requoted_line_introduces_nothing() {
    let repo = with_old_secret();
    repo.stage("a.txt", format!("{}{}    {}", prose(), prose(), key(1)));
    repo.takes(&COMMIT);
    repo.stage("a.txt", format!("{}{}export KEY='{}'\r\n", prose(), prose(), token(1)));
    repo.takes(&COMMIT);
}

#[test]
fn a_changed_value_is_new() {
    let repo = with_old_secret();
    repo.stage("a.txt", format!("{}{}{}", prose(), key(2), prose()));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("a.txt:41:8") && told.contains("1 blocking"), "{told}");
}

#[test]
fn a_secret_beside_an_old_one_on_the_same_line_is_new() {
    let repo = with_old_secret();
    repo.stage("a.txt", format!("{}{} {}{}", prose(), key(1).trim_end(), key(2), prose()));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("1 blocking"), "{told}");
}

#[test]
fn an_old_secret_in_a_copy_is_new_there() {
    let repo = with_old_secret();
    repo.stage("copy.txt", key(1));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("copy.txt:1:8") && told.contains("1 blocking"), "{told}");
}

#[test]
fn a_secret_may_be_deleted() {
    let repo = with_old_secret();
    repo.stage("a.txt", prose());
    repo.takes(&COMMIT);
    let repo = with_old_secret();
    repo.git(&["rm", "-q", "a.txt"]).expect(0);
    repo.takes(&COMMIT);
}

#[test]
fn a_rename_introduces_nothing() {
    let repo = with_old_secret();
    repo.write("folder/x", "");
    repo.git(&["mv", "a.txt", "folder/b.md"]).expect(0);
    repo.takes(&COMMIT);
}

#[test]
fn a_rename_with_an_edit_brings_what_the_edit_brings() {
    let repo = with_old_secret();
    repo.git(&["mv", "a.txt", "b.txt"]).expect(0);
    repo.stage("b.txt", format!("{}{}changed\n", prose(), key(1)));
    repo.takes(&COMMIT);
    repo.git(&["mv", "b.txt", "c.txt"]).expect(0);
    repo.stage("c.txt", format!("{}{}{}", prose(), key(1), key(2)));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("c.txt:42:8") && told.contains("1 blocking"), "{told}");
}

#[test]
fn a_change_of_the_mode_introduces_nothing() {
    let repo = with_old_secret();
    repo.git(&["update-index", "--chmod=+x", "a.txt"]).expect(0);
    repo.takes(&COMMIT);
}

#[test]
fn a_file_that_becomes_a_folder_is_read() {
    let repo = with_old_secret();
    repo.git(&["rm", "-q", "a.txt"]).expect(0);
    repo.stage("a.txt/inside", key(2));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("a.txt/inside:1:8"), "{told}");
}

#[test]
fn a_folder_that_becomes_a_file_is_read() {
    let repo = Repo::started();
    repo.accept("a/inside", "hello\n");
    repo.git(&["rm", "-q", "a/inside"]).expect(0);
    repo.stage("a", key(2));
    repo.refuses(&COMMIT);
}

#[test]
fn a_secret_that_comes_back_is_new_again() {
    let repo = with_old_secret();
    repo.accept("a.txt", prose());
    repo.stage("a.txt", format!("{}{}", prose(), key(1)));
    repo.refuses(&COMMIT);
}

#[test]
fn a_part_of_an_old_value_does_not_hide_a_new_one() {
    let repo = Repo::started();
    // The old text holds the new token, but inside a longer word.
    repo.accept("a.txt", format!("x{}x\n", token(1)));
    repo.stage("a.txt", format!("x{}x\n{}", token(1), key(1)));
    repo.refuses(&COMMIT);
}
