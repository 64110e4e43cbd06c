//! Attributes, the user's configuration and filters hide nothing.

use super::*;

#[test]
fn attributes_hide_nothing() {
    for attributes in ["* -diff\n", "* binary\n", "* diff=none filter=none\n", "* export-ignore -text\n"] {
        let repo = Repo::started();
        repo.stage(".gitattributes", attributes);
        repo.stage("a.py", key(1));
        repo.refuses(&COMMIT);
    }
    let repo = Repo::started();
    repo.write(".git/info/attributes", "* -diff\n");
    repo.stage("a.py", key(1));
    repo.refuses(&COMMIT);
}

#[test]
fn the_users_configuration_hides_nothing() {
    let repo = Repo::started();
    repo.write("sub/x", "");
    for (name, value) in [
        ("color.ui", "always"),
        ("diff.external", "true"),
        ("diff.noprefix", "true"),
        ("diff.relative", "true"),
        ("diff.renames", "copies"),
        ("diff.ignoreSubmodules", "all"),
        ("core.quotePath", "false"),
        ("core.bigFileThreshold", "1"),
        ("core.fsmonitor", "true"),
        ("core.pager", "false"),
    ] {
        repo.git(&["config", name, value]).expect(0);
    }
    repo.stage("a.py", key(1));
    repo.refuses_command(repo.command("git").current_dir(repo.path().join("sub")).args(COMMIT));
}

#[test]
fn what_a_filter_makes_of_a_file_is_read() {
    let repo = Repo::started();
    repo.git(&["config", "filter.plain.clean", "tr a-zA-Z n-za-mN-ZA-M"]).expect(0);
    let turned: String = key(1).chars().map(rot13).collect();
    repo.write(".git/info/attributes", "*.enc filter=plain\n");
    repo.stage("a.enc", turned);
    repo.refuses(&COMMIT);
}

fn rot13(c: char) -> char {
    match c {
        'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
        'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
        _ => c,
    }
}
