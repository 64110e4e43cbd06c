//! Two ways to read git, one answer: on generated histories, and in the forms of a repository that only one of them reads.
//!
//! Longer than other files: each form of a repository is one scene, and they share what makes a scene.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leakstop::change::{self, ChangeError, ChangeSet, ObjectId, RefUpdate, Store, Trust};

use crate::histories::{History, feed};
use crate::support::{LEAKSTOP, Repo, token};

/// The file into which [`shows_all_that_it_reads`] writes.
const SHOW: &str = "LEAKSTOP_TEST_SHOW";
const BACKENDS: [&str; 2] = ["git2", "git"];
/// Makes [`shows_all_that_it_reads`] prepare for many objects, as it pays only for more than these histories hold.
const MANY: &str = "LEAKSTOP_TEST_MANY";

#[test]
fn both_ways_see_the_same_in_generated_histories() {
    for seed in 1..=6 {
        let repo = History::generate(seed);
        let [libgit, git] = BACKENDS.map(|backend| seen(&repo, backend));
        assert!(libgit.lines().count() > 8 && libgit.contains("Tag"), "the history of seed {seed} is poor:\n{libgit}");
        for (libgit, git) in libgit.lines().zip(git.lines()) {
            assert_eq!(libgit, git, "seed {seed}");
        }
        assert_eq!(libgit.lines().count(), git.lines().count());
        assert_eq!(libgit, seen_in(&repo, "git2", true), "seed {seed}, by its packs");
    }
}

/// Not a test of its own: the others run it in a process whose environment names the repository.
#[test]
#[ignore = "run by the other tests of this module"]
fn shows_all_that_it_reads() {
    let mut file = fs::File::create(std::env::var_os(SHOW).unwrap()).unwrap();
    let store = change::open(Trust::GitAccepted).unwrap();
    if std::env::var_os(MANY).is_some() {
        store.expect_many();
    }
    let refs = store.references().unwrap();
    writeln!(file, "refs {refs:?}").unwrap();
    writeln!(file, "head {:?}", store.head().unwrap()).unwrap();
    for path in [&b"a"[..], b"d/x", b"nowhere"] {
        writeln!(file, "staged blob {:?}", store.staged_blob(path).unwrap()).unwrap();
    }
    let environment = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let others = change::merge_parents(&store, environment).unwrap();
    writeln!(file, "staged {:?}", change::staged(&store, &others).unwrap()).unwrap();
    writeln!(file, "history {:?}", change::history(&store, &mut no_parts).unwrap()).unwrap();
    // Each ref in turn is new, known by all others, by a tag of them only, by none; an id that is not here is known too.
    let stranger = ObjectId::from_bytes(&[7; 20]).unwrap();
    for (at, (name, id)) in refs.iter().enumerate() {
        let update = RefUpdate { old: None, new: Some(*id), name: name.clone() };
        let mut known: Vec<_> = refs.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, (_, id))| *id).collect();
        known.push(stranger);
        writeln!(file, "pushed {:?}", change::pushed(&store, std::slice::from_ref(&update), &known, &mut no_parts).unwrap()).unwrap();
        let forced = RefUpdate { old: Some(known[0]), ..update };
        writeln!(file, "forced {:?}", change::pushed(&store, &[forced], &[], &mut no_parts).unwrap()).unwrap();
    }
}

/// What these repositories hold is one part.
fn no_parts(_: &mut ChangeSet) -> Result<(), ChangeError> {
    panic!("a small change in parts")
}

fn seen(repo: &Repo, backend: &str) -> String {
    seen_in(repo, backend, false)
}

fn seen_in(repo: &Repo, backend: &str, many: bool) -> String {
    let file = repo.beside(&format!("seen-{backend}"));
    let mut command = repo.command(std::env::current_exe().unwrap());
    command.args(["backends::shows_all_that_it_reads", "--exact", "--ignored"]).env(SHOW, &file).env("LEAKSTOP_BACKEND", backend);
    if many {
        command.env(MANY, "1");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{backend}: {}", String::from_utf8_lossy(&output.stdout));
    fs::read_to_string(file).unwrap()
}

#[test]
fn a_damaged_pack_lets_nothing_pass() {
    let repo = Repo::new();
    let mut stream = Vec::new();
    for at in 0..100 {
        write!(stream, "commit refs/heads/main\ncommitter C <c@example.org> {} +0000\ndata 3\nc{}\n", 1_700_000_000 + at, at % 10).unwrap();
        let text: String = (0..200).map(|line| format!("line {line} {}\n", if line == at { "changed" } else { "as it was" })).collect();
        write!(stream, "M 100644 inline file\ndata {}\n{text}\nM 100644 inline many/{at}\ndata 3\n{at:03}\n\n", text.len()).unwrap();
    }
    feed(&repo, &["fast-import", "--quiet"], &stream);
    repo.git(&["repack", "-q", "-a", "-d", "-f"]).expect(0);
    let folder = repo.path().join(".git/objects/pack");
    let pack = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap();
    let index = pack.with_extension("idx");
    let (sound, sound_index) = (fs::read(&pack).unwrap(), fs::read(&index).unwrap());
    let scan = || {
        let mut command = repo.command(LEAKSTOP);
        command.args(["scan", "--history"]).env("LEAKSTOP_BACKEND", "git2");
        crate::support::ended(&mut command)
    };
    assert!(scan().expect(0).err.is_empty());
    let content = || repo.git(&["cat-file", "--batch-all-objects", "--batch"]).out;
    let sound_content = content();
    let put = |file: &Path, bytes: &[u8]| {
        fs::remove_file(file).unwrap();
        fs::write(file, bytes).unwrap();
    };
    // Every object is needed, so a damaged byte is met wherever it is; the head and the check sum at the end are not read.
    for part in 1..12 {
        let mut damaged = sound.clone();
        damaged[12 + (sound.len() - 40) * part / 12] ^= 1 << (part % 8);
        put(&pack, &damaged);
        // Some bits only fill up the last byte of what is deflated: with those everything still reads as it was.
        let scanned = scan();
        if scanned.code != 0 || content() != sound_content {
            assert!(scanned.expect(2).err.contains("nothing passes"), "part {part}");
        }
    }
    put(&pack, &sound[..sound.len() / 2]);
    scan().expect(2);
    put(&pack, &sound);
    put(&index, &sound_index[..sound_index.len() / 2]);
    scan().expect(2);
    put(&index, &sound_index);
    scan().expect(0);
}

/// True for a git from this version on: what older ones cannot make cannot be tested with them.
fn git_is_at_least(major: u32, minor: u32) -> bool {
    let version = Repo::new().ask(&["--version"]);
    let mut numbers = version.trim_start_matches("git version ").split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (major, minor)
}

/// A commit with a secret is refused, one without passes; what got past the hook is refused by a server of this form.
#[track_caller]
fn guards(repo: &Repo, server: &Repo) {
    repo.leakstop(&["install"]).expect(0);
    repo.stage("secret.txt", token(1));
    let refused = repo.git(&["commit", "-qm", "secret"]);
    assert!(refused.code == 1 && refused.err.contains("github"), "{}{}", refused.out, refused.err);
    repo.git(&["rm", "-q", "--cached", "secret.txt"]).expect(0);
    repo.stage("clean.txt", "hello");
    let passed = repo.git(&["commit", "-qm", "clean"]).expect(0);
    assert!(passed.err.contains("leakstop: passed: nothing found (read 1 file"), "{}", passed.err);
    repo.git(&["push", "-q", server.path().to_str().unwrap(), "HEAD:refs/heads/main"]).expect(0);
    repo.accept("secret.txt", token(2));
    repo.accept("secret.txt", "taken out");
    let before = server.ask(&["for-each-ref"]);
    let refused = repo.git(&["push", "-q", "--no-verify", server.path().to_str().unwrap(), "HEAD:refs/heads/main", "HEAD:refs/for/x"]).expect(1);
    assert!(refused.err.contains("secret.txt:1:1") && refused.err.contains("pre-receive hook declined"), "{}", refused.err);
    assert_eq!(server.ask(&["for-each-ref"]), before);
    assert_eq!(repo.git(&["push", "-q", server.path().to_str().unwrap(), "HEAD:refs/heads/other"]).code, 1, "pre-push refuses too");
}

#[track_caller]
fn server(options: &[&str]) -> Repo {
    let mut all = vec!["--bare"];
    all.extend(options);
    let server = Repo::init(&all);
    server.leakstop(&["install", "--server", "."]).expect(0);
    server
}

/// libgit2 alone must not read this repository: else the scene does not test the other way.
#[track_caller]
fn only_git_reads(repo: &Repo, arguments: &[&str]) {
    let mut command = repo.command(LEAKSTOP);
    let ended = command.args(arguments).env("LEAKSTOP_BACKEND", "git2").output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn a_repository_with_reftable_is_guarded() {
    if !git_is_at_least(2, 45) {
        return; // it can neither make nor read one
    }
    let repo = Repo::init(&["--ref-format=reftable"]);
    only_git_reads(&repo, &["scan", "--staged"]);
    guards(&repo, &server(&["--ref-format=reftable"]));
}

#[test]
fn a_repository_with_sha256_is_guarded() {
    let repo = Repo::init(&["--object-format=sha256"]);
    only_git_reads(&repo, &["scan", "--staged"]);
    guards(&repo, &server(&["--object-format=sha256"]));
}

#[test]
fn a_split_index_is_read() {
    let repo = Repo::new();
    repo.git(&["config", "core.splitIndex", "true"]).expect(0);
    repo.git(&["config", "splitIndex.maxPercentChange", "100"]).expect(0);
    (0..20).for_each(|at| repo.write(&format!("{at}"), "hello"));
    repo.git(&["add", "-A"]).expect(0);
    repo.git(&["commit", "-qm", "many"]).expect(0);
    repo.stage("more", "hello");
    only_git_reads(&repo, &["scan", "--staged"]);
    repo.git(&["commit", "-qm", "more"]).expect(0);
    guards(&repo, &server(&[]));
}

#[test]
fn a_sparse_index_is_read() {
    let repo = Repo::new();
    for path in ["in/a", "out/b", "out/deep/c"] {
        repo.accept(path, "hello");
    }
    repo.git(&["sparse-checkout", "init", "--cone", "--sparse-index"]).expect(0);
    repo.git(&["sparse-checkout", "set", "in"]).expect(0);
    only_git_reads(&repo, &["scan", "--staged"]);
    guards(&repo, &server(&[]));
}

#[test]
fn an_index_of_version_4_is_read() {
    let repo = Repo::new();
    repo.git(&["config", "index.version", "4"]).expect(0);
    guards(&repo, &server(&[]));
}

#[test]
fn a_partial_clone_in_the_older_form_is_guarded() {
    let origin = Repo::new();
    origin.git(&["config", "uploadpack.allowFilter", "true"]).expect(0);
    origin.accept("old", "hello");
    let repo = Repo::new();
    let url = format!("file://{}", origin.path().display());
    repo.git(&["remote", "add", "origin", &url]).expect(0);
    repo.git(&["config", "core.repositoryFormatVersion", "1"]).expect(0);
    repo.git(&["config", "extensions.partialClone", "origin"]).expect(0);
    repo.git(&["fetch", "-q", "--filter=blob:none", "origin"]).expect(0);
    repo.git(&["reset", "-q", "--hard", "origin/main"]).expect(0);
    only_git_reads(&repo, &["scan", "--staged"]);
    guards(&repo, &server(&[]));
}

#[test]
fn a_shallow_clone_is_guarded_and_may_move_the_boundary() {
    let origin = Repo::new();
    origin.accept("first", "hello");
    origin.accept("second", "hello");
    let target = origin.beside("shallow");
    origin.git(&["clone", "-q", "--depth=1", &format!("file://{}", origin.path().display()), target.to_str().unwrap()]).expect(0);
    let repo = Repo::at(target);
    for backend in BACKENDS {
        let ended = repo.command(LEAKSTOP).args(["scan", "--history"]).env("LEAKSTOP_BACKEND", backend).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{backend}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    let server = server(&[]);
    server.git(&["config", "receive.shallowUpdate", "true"]).expect(0);
    guards(&repo, &server);
}

#[test]
fn a_linked_worktree_is_guarded() {
    for backend_wants_git in [false, true] {
        let main = Repo::new();
        if backend_wants_git {
            main.git(&["config", "core.splitIndex", "true"]).expect(0);
        }
        main.accept("first", "hello");
        let target = main.beside("linked");
        main.git(&["worktree", "add", "-q", "-b", "linked", target.to_str().unwrap()]).expect(0);
        guards(&Repo::at(target), &server(&[]));
    }
}

#[test]
fn a_server_that_borrows_objects_reads_them_and_knows_only_its_own_refs() {
    for backend in BACKENDS {
        let lender = Repo::new();
        lender.accept("secret.txt", token(3));
        let server = server(&[]);
        fs::write(server.path().join("objects/info/alternates"), format!("{}\n", lender.path().join(".git/objects").display())).unwrap();
        let mut push = lender.command("git");
        server.is_read_by(backend);
        let refused = push.args(["push", "-q", server.path().to_str().unwrap(), "main"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{backend}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("secret.txt:1:1"), "{backend}");
    }
}

#[test]
fn an_unknown_extension_is_refused_with_both_reasons() {
    let repo = Repo::new();
    repo.git(&["config", "core.repositoryFormatVersion", "1"]).expect(0);
    repo.git(&["config", "extensions.frobnicate", "true"]).expect(0);
    for hook in [&["hook", "pre-commit"][..], &["scan", "--staged"], &["scan", "--history"]] {
        let ended = repo.leakstop(hook).expect(2);
        assert!(ended.err.contains("in process: unsupported extension name extensions.frobnicate"), "{}", ended.err);
        assert!(ended.err.contains("fatal: unknown repository extension found: frobnicate"), "{}", ended.err);
    }
}

#[test]
fn without_git_an_ordinary_repository_is_read_and_another_one_is_refused() {
    let without_git = |repo: &Repo| {
        repo.stage("secret.txt", token(4));
        let mut command = repo.command(LEAKSTOP);
        command.args(["hook", "pre-commit"]).env("PATH", repo.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(without_git(&Repo::new()).0, Some(1));
    let (code, said) = without_git(&Repo::init(&["--object-format=sha256"]));
    assert_eq!(code, Some(2));
    assert!(said.contains("`git` cannot be started") && said.contains("sha256"), "{said}");
    let split = Repo::new();
    split.git(&["config", "core.splitIndex", "true"]).expect(0);
    let (code, said) = without_git(&split);
    assert_eq!(code, Some(2));
    assert!(said.contains("`git` cannot be started") && said.contains("its index cannot be read: it is split"), "{said}");
}

#[test]
fn outside_a_repository_the_error_says_what_to_do() {
    let repo = Repo::new();
    fs::remove_dir_all(repo.path().join(".git")).unwrap();
    let ended = repo.leakstop(&["scan", "--staged"]).expect(2);
    assert!(ended.err.contains("try: run it inside a git repository"), "{}", ended.err);
}

#[test]
fn another_word_for_the_way_to_read_is_refused() {
    let repo = Repo::new();
    let ended = repo.command(LEAKSTOP).args(["scan", "--staged"]).env("LEAKSTOP_BACKEND", "none").output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("`none` is neither `git2` nor `git`"));
}

#[test]
fn a_git_that_dies_or_answers_short_is_no_empty_answer() {
    let repo = Repo::new();
    repo.accept("first", "hello");
    repo.accept("secret.txt", token(5));
    repo.stage("other.txt", token(6));
    for (command, failures) in [
        ("cat-file --batch-check", &["exit 0", "exit 1", "kill -9 $$", "cut"][..]),
        ("cat-file --batch", &["exit 0", "exit 1", "kill -9 $$", "cut"]),
        ("diff-index", &["exit 1", "kill -9 $$", "cut", "echo : nonsense"]),
        ("for-each-ref", &["exit 1", "kill -9 $$", "cut", "echo nonsense"]),
        ("rev-list", &["exit 1", "kill -9 $$", "cut", "echo nonsense"]),
        ("rev-parse", &["exit 0", "exit 1", "kill -9 $$", "cut"]),
    ] {
        for failure in failures {
            let arguments: &[&str] = if command == "diff-index" { &["scan", "--staged"] } else { &["scan", "--history"] };
            let ended = with_broken_git(&repo, command, failure, arguments);
            assert_eq!(ended.0, Some(2), "{command}: {failure}: {}", ended.1);
        }
    }
    assert_eq!(with_broken_git(&repo, "no such command", "exit 1", &["scan", "--history"]).0, Some(1), "the wrapper itself works");
}

/// Runs leakstop with a git that does `failure` instead of `command`; `cut` is the right answer without its last bytes.
fn with_broken_git(repo: &Repo, command: &str, failure: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = repo.beside("broken");
    fs::create_dir_all(&folder).unwrap();
    let real = which_git();
    let run = match failure {
        // A child that goes on living would be waited for.
        "cut" if command.starts_with("cat-file") => format!("read question; echo \"$question\" | \"{}\" \"$@\" | head -c 20", real.display()),
        "cut" => format!("\"{}\" \"$@\" | head -c 20", real.display()),
        _ => failure.to_owned(),
    };
    let script = format!("#!/bin/sh\ncase \" $* \" in\n*\" {command} \"*) {run};;\n*) exec \"{}\" \"$@\";;\nesac\n", real.display());
    fs::write(folder.join("git"), script).unwrap();
    fs::set_permissions(folder.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = repo.command(LEAKSTOP).args(arguments).env("PATH", path).env("LEAKSTOP_BACKEND", "git").output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn which_git() -> PathBuf {
    std::env::split_paths(&std::env::var_os("PATH").unwrap()).map(|folder| folder.join("git")).find(|git| git.is_file()).unwrap()
}

#[test]
fn neither_configuration_nor_replace_refs_nor_attributes_change_what_git_shows_us() {
    let repo = Repo::new();
    repo.accept("sub/first", "hello");
    let marker = repo.beside("program-ran");
    let program = repo.beside("program");
    fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", marker.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap();
    repo.write("order", "sub/*\n");
    for (key, value) in [
        ("diff.relative", "true"),
        ("diff.orderFile", "order"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.external", program),
        ("diff.t.textconv", program),
        ("diff.renames", "copies"),
        ("diff.noprefix", "true"),
        ("core.fsmonitor", program),
        ("core.pager", program),
        ("pager.diff-index", "true"),
        ("pager.for-each-ref", "true"),
        ("core.quotePath", "false"),
        ("color.ui", "always"),
        ("core.abbrev", "4"),
        ("log.showSignature", "true"),
    ] {
        repo.git(&["config", key, value]).expect(0);
    }
    repo.stage(".gitattributes", "* -diff diff=t binary\n");
    repo.stage("top.txt", token(7));
    let evil = repo.ask(&["rev-parse", ":top.txt"]);
    let benign = feed(&repo, &["hash-object", "-w", "--stdin"], b"hello");
    repo.git(&["update-ref", &format!("refs/replace/{evil}"), &benign]).expect(0);
    let _ = fs::remove_file(&marker);
    for backend in BACKENDS {
        let mut command = repo.command(LEAKSTOP);
        let ended = command.args(["scan", "--staged"]).current_dir(repo.path().join("sub")).env("LEAKSTOP_BACKEND", backend).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{backend}: {}", String::from_utf8_lossy(&ended.stderr));
        assert!(String::from_utf8_lossy(&ended.stdout).contains("top.txt:1:1"), "{backend}");
        assert!(!marker.exists(), "{backend} ran a program that the configuration names");
    }
}

#[test]
fn an_unresolved_conflict_is_an_error_both_ways_and_does_not_hinder_a_push() {
    let repo = Repo::new();
    let base = repo.accept("a", "one\n");
    repo.accept("a", "two\n");
    repo.git(&["checkout", "-q", "-b", "side", &base]).expect(0);
    repo.accept("a", "three\n");
    repo.git(&["merge", "main"]).expect(1);
    for backend in BACKENDS {
        let run = |arguments: &[&str]| {
            let output = repo.command(LEAKSTOP).args(arguments).env("LEAKSTOP_BACKEND", backend).output().unwrap();
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (code, said) = run(&["scan", "--staged"]);
        assert!(code == Some(2) && said.contains("unresolved conflict: `a`"), "{backend}: {said}");
        assert_eq!(run(&["scan", "--range", "main..side"]).0, Some(0), "{backend}");
    }
}

#[test]
fn a_broken_head_is_no_unborn_branch() {
    for backend in BACKENDS {
        let repo = Repo::new();
        let run = || repo.command(LEAKSTOP).args(["scan", "--staged"]).env("LEAKSTOP_BACKEND", backend).output().unwrap().status.code();
        repo.stage("a", "hello");
        assert_eq!(run(), Some(0), "{backend}: unborn");
        repo.git(&["commit", "-qm", "a"]).expect(0);
        for broken in ["", "nonsense\n", "1234567890123456789012345678901234567890\n"] {
            fs::write(repo.path().join(".git/refs/heads/main"), broken).unwrap();
            assert_eq!(run(), Some(2), "{backend}: `{broken}`");
        }
    }
}

#[test]
fn a_person_is_refused_another_users_repository_both_ways() {
    let repo = Repo::new();
    repo.accept("a", "hello");
    let run = |backend: &str, variable: (&str, &Path)| {
        let mut command = repo.command(LEAKSTOP);
        let output = command.args(["scan", "--history"]).env("LEAKSTOP_BACKEND", backend).env(variable.0, variable.1).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let git_dir = repo.path().join(".git");
    let (code, said) = run("git", ("GIT_TEST_ASSUME_DIFFERENT_OWNER", Path::new("1")));
    assert!(code == Some(2) && said.contains("dubious ownership"), "{said}");
    // Only root can give a folder away.
    if std::os::unix::fs::chown(repo.path(), Some(12345), None).is_ok() && std::os::unix::fs::chown(&git_dir, Some(12345), None).is_ok() {
        for backend in ["git2", "git", ""] {
            for variable in [("UNRELATED", Path::new("1")), ("GIT_DIR", &git_dir)] {
                let (code, said) = run(backend, variable);
                assert!(code == Some(2) && said.contains("own"), "`{backend}` {variable:?}: {said}");
            }
        }
    }
}

#[test]
fn names_that_are_no_text_are_read_both_ways() {
    let repo = Repo::new();
    repo.accept("a", "hello");
    let name = OsString::from_vec(b"caf\xe9 \"\n.txt".to_vec());
    fs::write(repo.path().join(&name), token(8)).unwrap();
    assert!(repo.command("git").arg("add").arg(&name).status().unwrap().success());
    for backend in BACKENDS {
        let output = repo.command(LEAKSTOP).args(["scan", "--staged"]).env("LEAKSTOP_BACKEND", backend).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{backend}");
    }
}

#[test]
fn an_index_of_many_files_needs_no_git() {
    let repo = Repo::new();
    let blob = feed(&repo, &["hash-object", "-w", "--stdin"], b"hello");
    let lines: String = (0..6000).map(|at| format!("100644 {blob}\td{}/f{at}\n", at / 100)).collect();
    feed(&repo, &["update-index", "--index-info"], lines.as_bytes());
    repo.git(&["commit", "-qm", "many"]).expect(0);
    repo.stage("d7/secret.txt", token(9));
    let mut command = Command::new(LEAKSTOP);
    command.args(["scan", "--staged"]).env("PATH", "").env("HOME", repo.path()).current_dir(repo.path());
    assert_eq!(command.output().unwrap().status.code(), Some(1));
}

#[test]
fn the_tree_that_an_index_notes_is_what_git_commits() {
    // Of the whole, of a folder that was there, and of a new one.
    for folder in ["", "old/", "new/"] {
        let repo = Repo::guarded();
        repo.stage("old/a.txt", "one\n");
        repo.git(&["commit", "-qm", "first"]).expect(0);
        repo.stage("old/b.txt", "two\n");
        repo.stage("new/c.txt", "three\n");
        let whole = repo.ask(&["write-tree"]);
        let noted = repo.ask(&["rev-parse", &format!("{whole}:{}", folder.trim_end_matches('/'))]);
        let blob = feed(&repo, &["hash-object", "-w", "--stdin"], format!("key = \"{}\"\n", token(12)).as_bytes());
        let hidden = feed(&repo, &["mktree"], format!("100644 blob {blob}\thidden.py\n").as_bytes());
        let mut index = std::fs::read(repo.path().join(".git/index")).unwrap();
        let at = memchr::memmem::rfind(&index, &bytes(&noted)).unwrap();
        index[at..at + 20].copy_from_slice(&bytes(&hidden));
        std::fs::write(repo.path().join(".git/index"), index).unwrap();
        if !folder.is_empty() {
            // git looks below what it has not noted.
            repo.stage("d.txt", "four\n");
        }
        let refused = repo.git(&["commit", "-qm", "second"]).expect(1);
        assert!(refused.err.contains(&format!("{folder}hidden.py:1:8")), "{folder:?}: {}", refused.err);
        repo.git(&["commit", "-qnm", "second"]).expect(0);
        let committed = repo.ask(&["show", &format!("HEAD:{folder}hidden.py")]);
        assert!(committed.contains(&token(12)), "without the hook git commits what is noted");
    }
}

/// The bytes of an id.
fn bytes(id: &str) -> Vec<u8> {
    (0..20).map(|at| u8::from_str_radix(&id[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

#[test]
fn what_only_a_hidden_ref_reaches_is_new_unless_the_server_says_otherwise() {
    for backend in BACKENDS {
        let client = Repo::new();
        client.accept("secret.txt", token(10));
        let server = Repo::bare();
        let url = server.path().to_str().unwrap();
        client.git(&["push", "-q", url, "main:refs/hidden/1"]).expect(0);
        server.git(&["config", "transfer.hideRefs", "refs/hidden"]).expect(0);
        server.git(&["config", "--add", "receive.hideRefs", "refs/elsewhere"]).expect(0);
        server.leakstop(&["install", "--server", "."]).expect(0);
        server.is_read_by(backend);
        let push = || client.git(&["push", "-q", url, "main"]);
        let refused = push().expect(1);
        assert!(refused.err.contains("secret.txt:1:1"), "{backend}: {}", refused.err);
        server.write("leakstop.toml", "[server]\nbaseline = \"all\"\n");
        push().expect(0);
    }
}

#[test]
fn refs_that_a_server_hides_for_one_command_are_hidden() {
    for backend in BACKENDS {
        let client = Repo::new();
        client.accept("secret.txt", token(11));
        let server = Repo::bare();
        let url = server.path().to_str().unwrap();
        client.git(&["push", "-q", url, "main:refs/hidden/1"]).expect(0);
        server.is_read_by(backend);
        for receive in ["git -c receive.hideRefs=refs/hidden receive-pack", "git -c transfer.hiderefs=refs/hidden receive-pack"] {
            let refused = client.git(&["push", "-q", &format!("--receive-pack={receive}"), url, "main"]).expect(1);
            assert!(refused.err.contains("secret.txt:1:1"), "{backend}: {}", refused.err);
        }
        for (key, value) in [("receive.hideRefs", "refs/hidden"), ("transfer.hideRefs", "refs/hidden")] {
            let receive = format!("env GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0={key} GIT_CONFIG_VALUE_0={value} git receive-pack");
            let refused = client.git(&["push", "-q", &format!("--receive-pack={receive}"), url, "main"]).expect(1);
            assert!(refused.err.contains("secret.txt:1:1"), "{backend}: {}", refused.err);
        }
        client.git(&["push", "-q", url, "main"]).expect(0);
    }
}

/// A clone without the blobs of `missing.txt` and `gone.txt`, whose remote is out of reach.
fn partial() -> Repo {
    let origin = Repo::new();
    origin.git(&["config", "uploadpack.allowFilter", "true"]).expect(0);
    let base = origin.accept("here.txt", "hello");
    origin.accept("gone.txt", token(11));
    origin.accept("missing.txt", token(12));
    origin.git(&["branch", "base", &base]).expect(0);
    let repo = Repo::new();
    repo.git(&["remote", "add", "origin", &format!("file://{}", origin.path().display())]).expect(0);
    repo.git(&["fetch", "-q", "--filter=blob:none", "origin"]).expect(0);
    assert_eq!(repo.ask(&["config", "remote.origin.promisor"]), "true");
    repo.git(&["reset", "-q", "--hard", "origin/base"]).expect(0);
    repo
}

#[test]
fn what_a_partial_clone_lacks_is_told_as_unread_and_never_fetched() {
    for backend in BACKENDS {
        let repo = partial();
        repo.git(&["read-tree", "origin/main"]).expect(0);
        let lacking = || repo.ask(&["rev-list", "--objects", "--all", "--missing=print"]).lines().filter(|line| line.starts_with('?')).count();
        let before = lacking();
        let run = |arguments: &[&str]| {
            let output = repo.command(LEAKSTOP).args(arguments).env("LEAKSTOP_BACKEND", backend).output().unwrap();
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (code, said) = run(&["hook", "pre-commit"]);
        assert_eq!(code, Some(0), "{backend}: {said}");
        assert!(said.contains("2 files were not read") && said.contains("missing.txt: it is not in this partial clone"), "{backend}: {said}");
        // The same is refused in a push, and without a promise it is damage.
        let root = repo.ask(&["commit-tree", "-m", "root", "origin/main^{tree}"]);
        let zero = "0".repeat(40);
        let push = |arguments: &[&str]| {
            let mut command = repo.command(LEAKSTOP);
            command.args(arguments).env("LEAKSTOP_BACKEND", backend).stdin(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(format!("{zero} {root} refs/heads/x\n").as_bytes()).unwrap();
            child.wait_with_output().unwrap().status.code()
        };
        assert_eq!(push(&["hook", "pre-receive"]), Some(1), "{backend}");
        assert_eq!(lacking(), before, "{backend} fetched what was missing");
        repo.git(&["config", "remote.origin.promisor", "false"]).expect(0);
        let (code, said) = run(&["hook", "pre-commit"]);
        assert!(code == Some(2) && said.contains("cannot read the git object"), "{backend}: {said}");
    }
}

#[test]
fn a_missing_earlier_version_makes_nothing_known() {
    for backend in BACKENDS {
        let repo = partial();
        repo.git(&["update-ref", "refs/heads/main", "origin/main"]).expect(0);
        repo.git(&["read-tree", "origin/main"]).expect(0);
        repo.git(&["rm", "-q", "--cached", "gone.txt"]).expect(0);
        repo.stage("new.txt", format!("moved\n{}\n", token(11)));
        let output = repo.command(LEAKSTOP).args(["hook", "pre-commit"]).env("LEAKSTOP_BACKEND", backend).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{backend}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
