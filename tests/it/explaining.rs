//! `explain` says what fired, what nearly did, and what stopped it; it shows no more of a value than a report does.

use leakstop::rules::shape::fill;

use crate::support::{Repo, assert_redacted, token};

/// What is told of a line, or of the whole file where the line is 0.
fn told(repo: &Repo, file: &str, line: usize) -> String {
    let place = if line == 0 { file.to_owned() } else { format!("{file}:{line}") };
    repo.leakstop(&["explain", &place]).expect(0).out
}

#[test]
fn each_stop_is_told_in_its_words() {
    let repo = Repo::new();
    let wrong = fill("ghp_{alnum:36}", 3);
    let value = fill("{alnum:14}!", 5);
    let text = [
        format!("key = '{}'", token(1)),
        format!("key = '{wrong}'"),
        "key = 'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'".to_owned(),
        "x = 'ghp_short'".to_owned(),
        "password = 'your description of it'".to_owned(),
        "password = os.environ['PASSWORD']".to_owned(),
        "url = 'postgres://user:user@db.example.org/x'".to_owned(),
        "keyboard = 'qwerty-layout'".to_owned(),
        "x = 1".to_owned(),
        format!("password = '{value}'"),
        "token = '${TOKEN}'".to_owned(),
    ];
    repo.write("a.py", text.join("\n") + "\n");
    for (line, expected) in [
        (1, "blocked  github-pat-classic  a.py:1:8  ghp_****  (40 characters)\n         because  critical severity; high confidence, fingerprint "),
        (
            2,
            "warning  github-pat-classic  a.py:2:8  ghp_****  (40 characters)\n         because  low confidence: its checksum is wrong; low confidence",
        ),
        (3, "not so   github-pat-classic  a.py:3:8  (40 characters)\n         because  the value looks made up"),
        (4, "silent   github-pat-classic\n         because  a keyword of theirs stands here, and their pattern does not match"),
        (5, "not so   hardcoded-credential  a.py:5:13  (22 characters)\n         because  plausibility 0.0"),
        (7, "not so   url-password  a.py:7:24  (4 characters)\n         because  the check `url-password` dropped it: the password is a variable"),
        (8, "silent   hardcoded-credential\n         because  the word in the name is the beginning of another one"),
        (9, "no keyword of any rule stands here\n"),
        (10, "blocked  hardcoded-credential  a.py:10:13  ****  (15 characters)"),
        (11, "because  the value refers to a variable, a template or a store"),
    ] {
        let told = told(&repo, "a.py", line);
        assert!(told.contains(expected), "line {line}\n{told}");
    }
    let five = told(&repo, "a.py", 5);
    assert!(five.contains("\n         against  ") && five.contains("spaces") || five.contains("sentence") || five.contains("words"), "{five}");
    let whole = told(&repo, "a.py", 0);
    assert!(whole.contains("a.py:1:8") && whole.contains("a.py:7:24") && whole.contains("keywords stand in it without more"), "{whole}");
    for secret in [token(1), wrong, value] {
        (0..=text.len()).for_each(|line| assert_redacted(&self::told(&repo, "a.py", line), &secret));
    }
}

#[test]
fn conditions_paths_languages_and_other_rules_are_named() {
    let repo = Repo::new();
    let rule = |id: &str, more: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\ntitle = \"Acme\"\nrisk = \"It opens.\"\nseverity = \"high\"\nkeywords = [\"acme_\"]\npattern = '(?<secret>acme_[0-9a-z]{{24}})@end'\n{more}\n"
        )
    };
    let key = fill("acme_{loweralnum:24}", 1);
    for (more, expected) in [
        (
            "context = 'deploy'\nscope = \"line\"",
            "not so   acme-key  a.txt:1:3  (29 characters)\n         because  what the rule wants around it (`context`) is not there",
        ),
        ("not_context = 'x'\nscope = \"line\"", "because  something around it (`not_context`) says that it is harmless"),
        ("paths = [\"*.py\"]", "silent   acme-key\n         because  they do not look at files with this path"),
        ("languages = [\"python\"]", "silent   acme-key\n         because  they look at other languages"),
        ("yields = true", "not so   acme-key  a.txt:1:3  (29 characters)\n         because  `acme-other` covers the same place and says more"),
    ] {
        let other = if more.starts_with("yields") { rule("acme-other", "") } else { String::new() };
        repo.write(".leakstop.toml", rule("acme-key", more) + &other);
        repo.write("a.txt", format!("x {key}\n"));
        let told = told(&repo, "a.txt", 1);
        assert!(told.contains(expected), "{more}\n{told}");
        assert_redacted(&told, &key);
    }
}

#[test]
fn what_was_allowed_says_by_whom_and_what_is_encoded_says_how() {
    let repo = Repo::new();
    repo.write("tests/a.txt", fill("x {base64:user:ghp_{crc32:30} and more} y\n", 2));
    let before = told(&repo, "tests/a.txt", 1);
    assert!(before.contains("blocked  github-pat-classic  tests/a.txt:1:") && before.contains(", encoded as base64\n"), "{before}");
    repo.write(".leakstop.toml", "[paths]\nallow = [\"tests/**\"]\n");
    let after = told(&repo, "tests/a.txt", 1);
    assert!(after.contains("allowed  github-pat-classic") && after.contains("allows findings in this path; high confidence"), "{after}");
}

#[test]
fn a_file_by_its_name_and_a_place_that_is_none() {
    let repo = Repo::new();
    repo.write("x/id_rsa", "nothing\n");
    let found = told(&repo, "x/id_rsa", 0);
    assert!(found.contains("  x/id_rsa (the name itself)"), "{found}");
    repo.leakstop(&["explain", "nowhere.txt"]).expect(2);
    repo.leakstop(&["explain", "x"]).expect(2);
    assert!(repo.leakstop(&["explain", "x/id_rsa:2"]).expect(2).err.contains("ends with line 1"));
    repo.write("odd:3", "x\n");
    assert_eq!(told(&repo, "odd:3", 0), "no keyword of any rule stands here\n");
}

#[test]
fn what_stands_in_an_archive_is_told_with_its_place_there() {
    let repo = Repo::new();
    repo.accept("settings.ini", format!("[main]\nkey = {}\n", token(4)));
    repo.git(&["archive", "-o", "a.zip", "HEAD"]).expect(0);
    let told = told(&repo, "a.zip", 0);
    assert!(told.starts_with("blocked  github-pat-classic  a.zip!settings.ini:2:7  ghp_****"), "{told}");
}

#[test]
fn what_could_not_be_read_is_told() {
    let repo = Repo::new();
    repo.write("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04");
    let told = told(&repo, "a.7z", 0);
    assert!(told.contains("unread   a.7z\n         because  "), "{told}");
}
