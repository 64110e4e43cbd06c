//! Names of files: odd ones are shown escaped, and a token in one is refused.

use super::*;

#[test]
fn odd_names_are_read_and_shown_escaped() {
    let mut names = vec![
        ("with space.txt".to_owned(), "with space.txt:1:8"),
        ("-leading-dash".to_owned(), "-leading-dash:1:8"),
        ("\"quoted\" 'name'".to_owned(), "\"quoted\" 'name':1:8"),
        ("tab\there".to_owned(), "tab\\there:1:8"),
        ("new\nline".to_owned(), "new\\nline:1:8"),
        ("caf\u{e9}.txt".to_owned(), "caf\u{e9}.txt:1:8"),
        ("turned\u{202e}txt".to_owned(), "turned\\u{202e}txt:1:8"),
        ("esc\u{1b}[2J".to_owned(), "esc\\u{1b}[2J:1:8"),
        (":(top)magic".to_owned(), ":(top)magic:1:8"),
        ("x".repeat(200) + "/" + &"y".repeat(200), "yyy:1:8"),
    ];
    if cfg!(windows) {
        names.retain(|(name, _)| !name.contains(['"', '\t', '\n', ':', '\u{1b}']));
    }
    let repo = Repo::started();
    for (name, shown) in names {
        repo.write(&name, key(1));
        repo.git(&["--literal-pathspecs", "add", "-f", "--", &name]).expect(0);
        let told = repo.refuses(&COMMIT);
        assert!(told.contains(shown), "{name:?}\n{told}");
        assert!(!told.contains(['\u{1b}', '\t', '\u{202e}']), "{name:?}\n{told}");
        repo.git(&["reset", "-q", "--hard"]).expect(0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_utf8_is_read_and_shown_escaped() {
    use std::os::unix::ffi::OsStrExt as _;
    let repo = Repo::started();
    fs::write(repo.path().join(std::ffi::OsStr::from_bytes(b"latin-\xe9.txt")), key(1)).unwrap();
    repo.git(&["add", "-A"]).expect(0);
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("latin-\\xe9.txt:1:8"), "{told}");
}

#[test]
fn a_name_that_is_a_token_is_refused_and_not_told() {
    let repo = Repo::started();
    for name in [token(1), format!("src/{}/a.txt", token(1)), format!("{}.txt", STANDARD.encode(token(1)))] {
        repo.stage(&name, "hello\n");
        let told = repo.refuses(&COMMIT);
        assert!(told.contains("(the name itself)"), "{told}");
        assert_redacted(&told, &token(1));
        assert_redacted(&told, &STANDARD.encode(token(1)));
        repo.git(&["reset", "-q", "--hard"]).expect(0);
    }
}

#[test]
fn a_new_file_in_a_folder_whose_name_is_an_old_token_passes() {
    let repo = Repo::started();
    repo.accept(&format!("{}/a.txt", token(1)), "hello\n");
    repo.stage(&format!("{}/b.txt", token(1)), "hello\n");
    repo.takes(&COMMIT);
}
