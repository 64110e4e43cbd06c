//! Commits in a work tree with installed hooks: each is made by git itself, and either stands or does not.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Repo, assert_redacted, ended, ended_with, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];

/// A configuration file line with a token in it.
fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// So much text that a rename with an edit is still seen as one.
fn prose() -> String {
    (0..40).map(|line| format!("line {line} of a text that stays as it is\n")).collect()
}

mod what_is_committed {
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
}

mod what_is_new {
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
}

mod content {
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
        assert!(is_refused(format!("one\rtwo\r{}", token(1))).contains("a.txt:1:9"));
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
}

mod names {
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
}

mod settings_of_git {
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
}

mod messages {
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
}

mod merges {
    use super::*;

    /// Makes a branch one that was pushed: what a purely local one brings is new, which `merges.rs` shows.
    fn a_remote_has(repo: &Repo, branch: &str) {
        repo.git(&["update-ref", &format!("refs/remotes/origin/{branch}"), branch]).expect(0);
    }

    /// Two branches that changed the same line: `main` is checked out.
    fn in_conflict() -> Repo {
        let repo = Repo::started();
        repo.accept("a.txt", "old\n");
        repo.git(&["switch", "-q", "-c", "side"]).expect(0);
        repo.accept("a.txt", "theirs\n");
        repo.accept("theirs.txt", key(1));
        a_remote_has(&repo, "side");
        repo.git(&["switch", "-q", "main"]).expect(0);
        repo.accept("a.txt", "ours\n");
        assert_ne!(repo.git(&["merge", "-q", "side"]).code, 0);
        repo
    }

    #[test]
    fn an_unresolved_conflict_is_an_error() {
        let repo = in_conflict();
        let ended = repo.leakstop(&["hook", "pre-commit"]).expect(2);
        assert!(ended.err.contains("unresolved conflict: `a.txt`"), "{}", ended.err);
    }

    #[test]
    fn a_resolution_brings_what_neither_side_has() {
        let repo = in_conflict();
        repo.stage("a.txt", key(2));
        let told = repo.refuses(&COMMIT);
        assert!(told.contains("a.txt:1:8") && told.contains("1 blocking"), "{told}");
        repo.stage("a.txt", "both\n");
        repo.takes(&COMMIT);
    }

    /// Two branches that merge by themselves; the other one holds an accepted secret.
    fn side_by_side() -> Repo {
        let repo = Repo::started();
        repo.accept("a.txt", prose());
        repo.git(&["switch", "-q", "-c", "side"]).expect(0);
        repo.accept("theirs.txt", key(1));
        repo.accept("a.txt", format!("{}{}", prose(), key(3)));
        a_remote_has(&repo, "side");
        repo.git(&["switch", "-q", "main"]).expect(0);
        repo.accept("a.txt", format!("ours\n{}", prose()));
        repo
    }

    #[test]
    fn a_clean_merge_of_accepted_content_introduces_nothing() {
        side_by_side().takes(&["merge", "-q", "-m", "merge", "side"]);
    }

    #[test]
    fn a_merge_that_waits_and_is_committed_introduces_nothing() {
        let repo = side_by_side();
        repo.git(&["merge", "-q", "--no-commit", "side"]).expect(0);
        repo.takes(&COMMIT);
    }

    #[test]
    fn what_is_slipped_into_a_merge_is_found() {
        let repo = side_by_side();
        repo.git(&["merge", "-q", "--no-commit", "side"]).expect(0);
        repo.stage("evil.txt", key(2));
        let told = repo.refuses(&COMMIT);
        assert!(told.contains("evil.txt:1:8") && told.contains("1 blocking"), "{told}");
    }

    #[test]
    fn an_octopus_merge_introduces_nothing() {
        let repo = side_by_side();
        repo.git(&["switch", "-q", "-c", "third", "HEAD~1"]).expect(0);
        repo.accept("third.txt", key(2));
        a_remote_has(&repo, "third");
        repo.git(&["switch", "-q", "main"]).expect(0);
        repo.takes(&["merge", "-q", "-m", "merge", "side", "third"]);
    }

    #[test]
    fn a_merge_that_renames_what_the_other_side_edited_introduces_nothing() {
        let repo = Repo::started();
        repo.accept("a.txt", format!("{}{}", prose(), key(1)));
        repo.git(&["switch", "-q", "-c", "side"]).expect(0);
        repo.accept("a.txt", format!("{}{}edited\n", prose(), key(1)));
        repo.git(&["switch", "-q", "main"]).expect(0);
        repo.git(&["mv", "a.txt", "b.txt"]).expect(0);
        repo.git(&["commit", "-q", "--no-verify", "-m", "rename"]).expect(0);
        repo.takes(&["merge", "-q", "-m", "merge", "side"]);
    }

    #[test]
    fn the_message_of_a_merge_is_read() {
        let repo = side_by_side();
        let ended = repo.git(&["merge", "-q", "-m", &format!("merge {}", token(2)), "side"]);
        assert!(ended.code != 0 && ended.err.contains("commit message, line 1:7"), "{}", ended.err);
    }
}
