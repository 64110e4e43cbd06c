//! Whatever the bytes of a file are, a secret in them is seen.

use super::*;

#[track_caller]
fn is_refused(bytes: impl AsRef<[u8]>) -> String {
    let repo = Repo::started();
    repo.stage("a.txt", bytes);
    let told = repo.refuses(&COMMIT);
    assert_redacted(&told, &token(1));
    told
}

#[test]
fn bytes_that_are_no_text_hide_nothing() {
    is_refused(format!("\0binary\0 {}", key(1)));
    is_refused([b"\xff\xfe\x80 caf\xe9 ".as_slice(), key(1).as_bytes()].concat());
    is_refused(format!("{}\0{}", "x".repeat(9000), key(1)));
    is_refused(format!("\u{feff}{}", key(1)));
}

#[test]
fn line_ends_hide_nothing_and_columns_are_right() {
    assert!(is_refused(format!("one\r\ntwo\r\n{}\r\n", key(1).trim_end())).contains("a.txt:3:8"));
    assert!(is_refused(format!("one\n{}", key(1).trim_end())).contains("a.txt:2:8"));
    assert!(is_refused(format!("one\rtwo\r{}", token(1))).contains("a.txt:3:1"));
    assert!(is_refused(token(1)).contains("a.txt:1:1"));
}

#[test]
fn a_line_that_looks_like_a_diff_header_is_read() {
    is_refused(format!("++ b/{}\n-- a/x\n@@ -1 +1 @@\n", token(1)));
}

#[test]
fn a_line_of_two_megabytes_is_read() {
    let told = is_refused(format!("{}{}{}", "var a=1;".repeat(1 << 17), key(1), "var b=2;".repeat(1 << 17)));
    assert!(told.contains("a.txt:1:1048584"), "{told}");
}

#[test]
fn encoded_secrets_are_seen() {
    let hex: String = token(1).bytes().map(|b| format!("{b:02x}")).collect();
    let percent: String = token(1).bytes().map(|b| format!("%{b:02X}")).collect();
    assert!(is_refused(format!("data: {}\n", STANDARD.encode(key(1)))).contains("encoded as base64"));
    assert!(is_refused(format!("data: {}\n", STANDARD.encode(STANDARD.encode(key(1))))).contains("encoded as base64 in base64"));
    assert!(is_refused(format!("data: {hex}\n")).contains("encoded as hex"));
    assert!(is_refused(format!("https://example.org/?q={percent}\n")).contains("encoded as percent"));
}

#[test]
fn an_encoded_secret_is_old_where_it_was_before() {
    let repo = Repo::started();
    let line = format!("data: {}\n", STANDARD.encode(key(1)));
    repo.accept("a.txt", format!("{}{line}", prose()));
    repo.stage("a.txt", format!("{line}{}", prose()));
    repo.takes(&COMMIT);
}

#[cfg(unix)]
#[test]
fn the_target_of_a_symbolic_link_is_content() {
    let repo = Repo::started();
    repo.accept("a", "hello\n");
    fs::remove_file(repo.path().join("a")).unwrap();
    std::os::unix::fs::symlink(format!("https://{}@example.org/", token(1)), repo.path().join("a")).unwrap();
    repo.git(&["add", "a"]).expect(0);
    assert!(repo.refuses(&COMMIT).contains(" a:1:9"));
}

#[test]
fn a_submodule_passes_and_its_address_is_read() {
    let repo = Repo::started();
    let module = Repo::new();
    module.accept("a.txt", key(2));
    let address = module.path().to_str().unwrap().to_owned();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &address, "module"]).expect(0);
    repo.takes(&COMMIT);
    repo.git(&["config", "-f", ".gitmodules", "submodule.module.url", &format!("https://{}@example.org/x.git", token(1))]).expect(0);
    assert!(repo.refuses(&["commit", "-q", "-a", "-m", "work"]).contains(".gitmodules:3:"));
}

#[test]
fn an_object_that_cannot_be_read_stops_the_commit() {
    let repo = Repo::started();
    repo.stage("a.txt", "hello again\n");
    let id = repo.ask(&["rev-parse", ":a.txt"]);
    let object = repo.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(&object).unwrap();
    fs::write(&object, b"no object").unwrap();
    let before = repo.head();
    let ended = repo.git(&COMMIT);
    assert!(ended.code != 0 && ended.err.contains("leakstop: error: cannot read the git object"), "{}", ended.err);
    assert!(ended.err.contains("leakstop: nothing was checked, so nothing passes"), "{}", ended.err);
    assert_eq!(repo.head(), before);
}

#[test]
fn a_repository_of_another_format_is_read_or_refused() {
    for options in [["--object-format=sha256"], ["--ref-format=reftable"]] {
        let repo = Repo::init(&options);
        repo.stage("a.txt", key(1));
        let ended = repo.leakstop(&["hook", "pre-commit"]);
        assert!(ended.code != 0 && ended.err.contains("leakstop: "), "{options:?} {}", ended.err);
    }
}

#[test]
fn a_split_index_is_read_or_refused() {
    let repo = Repo::started();
    repo.stage("a.txt", key(1));
    repo.git(&["update-index", "--split-index"]).expect(0);
    let before = repo.head();
    let ended = repo.git(&COMMIT);
    assert!(ended.code != 0 && ended.err.contains("leakstop: "), "{}", ended.err);
    assert_eq!(repo.head(), before);
}
