//! `scan`: files, the index, ranges, the whole history, standard input.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{LEAKSTOP, Repo, assert_redacted, ended, token};

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// The places of a report's findings, as `path:line`.
fn places(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|one| format!("{}:{}", one["path"].as_str().unwrap(), one["line"])).collect()
}

mod of_files {
    use super::*;

    #[test]
    fn paths_are_told_from_the_root_wherever_one_stands() {
        let repo = Repo::new();
        repo.write("sub/deep/a.txt", key(1));
        repo.write("b.txt", key(2));
        assert_eq!(places(&repo.report(&["scan", "."], 1)), ["b.txt:1", "sub/deep/a.txt:1"]);
        assert_eq!(places(&repo.report(&["scan", "sub/deep/a.txt"], 1)), ["sub/deep/a.txt:1"]);
        let here = ended(repo.command(LEAKSTOP).current_dir(repo.path().join("sub")).arg("scan")).expect(1);
        assert!(here.out.contains(" sub/deep/a.txt:1:8"), "{}", here.out);
        assert_eq!(here.err, "");
    }

    #[test]
    fn outside_a_repository_paths_are_told_from_the_current_folder() {
        let repo = Repo::new();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/a.txt"), key(1)).unwrap();
        let told = ended(repo.command(LEAKSTOP).current_dir(folder.path()).args(["scan", "./sub"])).expect(1).out;
        assert!(told.contains(" sub/a.txt:1:8"), "{told}");
    }

    #[test]
    fn ignored_files_are_left_out_and_hidden_ones_read() {
        let repo = Repo::new();
        repo.write(".gitignore", "target/\n*.log\n");
        repo.write("target/a.txt", key(1));
        repo.write("b.log", key(2));
        repo.write(".env", key(3));
        repo.write(".config/c.txt", key(4));
        repo.write(".git/d.txt", key(5));
        assert_eq!(places(&repo.report(&["scan"], 1)), [".config/c.txt:1", ".env:1"]);
        let all = [".config/c.txt:1", ".env:1", ".git/d.txt:1", "b.log:1", "target/a.txt:1"];
        assert_eq!(places(&repo.report(&["scan", "--no-ignore"], 1)), all);
        assert_eq!(places(&repo.report(&["scan", "b.log"], 1)), ["b.log:1"]);
    }

    #[test]
    fn a_path_that_is_missing_is_an_error_whatever_else_is_named() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        let ended = repo.leakstop(&["scan", "a.txt", "nowhere"]).expect(2);
        assert!(ended.err.contains("cannot read `nowhere`"), "{}", ended.err);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_read_as_git_reads_them() {
        use std::os::unix::fs::symlink;
        let repo = Repo::new();
        repo.write("real/a.txt", key(1));
        symlink(token(2), repo.path().join("to-nowhere")).unwrap();
        symlink("real", repo.path().join("to-folder")).unwrap();
        assert_eq!(places(&repo.report(&["scan"], 1)), ["real/a.txt:1", "to-nowhere:1"]);
        // Named itself, a link to a folder is the folder.
        assert_eq!(repo.report(&["scan", "to-folder"], 1)["findings"].as_array().unwrap().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_listed() {
        use std::os::unix::fs::PermissionsExt as _;
        use std::os::unix::process::CommandExt as _;
        let repo = Repo::new();
        repo.write("locked.txt", key(1));
        repo.write(&format!("{}/x", token(2)), "hello\n");
        repo.write("open.txt", "hello\n");
        let program = repo.beside("leakstop");
        fs::copy(LEAKSTOP, &program).unwrap();
        fs::set_permissions(repo.beside(""), fs::Permissions::from_mode(0o755)).unwrap();
        for locked in ["locked.txt".to_owned(), token(2)] {
            fs::set_permissions(repo.path().join(locked), fs::Permissions::from_mode(0o000)).unwrap();
        }
        let mut command = repo.command(&program);
        if fs::read(repo.path().join("locked.txt")).is_ok() {
            command.uid(65534); // the superuser reads everything
        }
        // The name of the folder alone is a finding.
        let told = ended(command.args(["scan", "."])).expect(1);
        fs::set_permissions(repo.path().join(token(2)), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(told.out.contains("warning  2 files were not read, so nobody knows what is in there"), "{}", told.out);
        assert!(told.out.contains("locked.txt: Permission denied") && told.out.contains("****: permission denied"), "{}", told.out);
        assert!(told.out.contains("**** (the name itself)") && told.out.contains("2 unread"), "{}", told.out);
        assert_redacted(&told.out, &token(2));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_or_too_large_is_listed() {
        let repo = Repo::new();
        ended(repo.command("mkfifo").arg("pipe")).expect(0);
        repo.write("large.txt", "x".repeat(2000));
        repo.write(".leakstop.toml", "[limits]\nmax_file_bytes = 1000\n");
        let report = repo.report(&["scan"], 0);
        assert_eq!(report["unread"][0]["path"], "large.txt");
        assert_eq!(report["unread"][0]["why"], "it has 2000 bytes; `limits.max_file_bytes` is 1000");
        assert_eq!(report["unread"][1]["path"], "pipe");
        assert_eq!(report["status"], "warned");
        repo.write(".leakstop.toml", "[limits]\nmax_file_bytes = 1000\n[unread]\ncommit = \"block\"\n");
        assert_eq!(repo.report(&["scan"], 1)["status"], "blocked");
    }

    #[test]
    fn the_order_of_paths_and_the_number_of_files_change_nothing() {
        let repo = Repo::new();
        let mut paths: Vec<String> = (0..300).map(|at| format!("d{}/f{at}.txt", at % 7)).collect();
        for (at, path) in paths.iter().enumerate() {
            repo.write(path, if at % 3 == 0 { key(at as u64 + 1) } else { "hello\n".repeat(at) });
        }
        let mut plain = repo.report(&["scan", "."], 1);
        plain["stats"]["elapsed_ms"] = 0.into();
        assert_eq!(plain["findings"].as_array().unwrap().len(), 100);
        for seed in [7, 13, 101] {
            paths.sort_by_key(|path| crc32fast::hash(format!("{seed}{path}").as_bytes()));
            let mut arguments = vec!["scan"];
            arguments.extend(paths.iter().map(String::as_str));
            let mut shuffled = repo.report(&arguments, 1);
            shuffled["stats"]["elapsed_ms"] = 0.into();
            assert_eq!(shuffled, plain);
        }
    }
}

mod of_git {
    use super::*;

    #[test]
    fn staged_tells_what_a_commit_would_be_told() {
        let repo = Repo::new();
        repo.accept("a.txt", key(1));
        repo.stage("a.txt", format!("{}{}", key(1), key(2)));
        repo.write("b.txt", key(3));
        let report = repo.report(&["scan", "--staged"], 1);
        assert_eq!((places(&report), &report["command"]), (vec!["a.txt:2".to_owned()], &"scan --staged".into()));
    }

    #[test]
    fn a_range_brings_what_its_commits_bring() {
        let repo = Repo::new();
        repo.accept("a.txt", key(1));
        let second = repo.accept("b.txt", key(2));
        repo.accept("b.txt", "gone\n");
        let report = repo.report(&["scan", "--range", "HEAD~2..HEAD"], 1);
        assert_eq!(places(&report), ["b.txt:1"]);
        assert_eq!(report["findings"][0]["commit"], second);
        assert_eq!(report["stats"]["commits"], 2);
        assert_eq!(places(&repo.report(&["scan", "--range", "HEAD~2.."], 1)), ["b.txt:1"]);
        repo.report(&["scan", "--range", "HEAD..HEAD"], 0);
        for wrong in ["HEAD", "HEAD...HEAD~1", "nowhere..HEAD", "HEAD..nowhere", ""] {
            repo.leakstop(&["scan", "--range", wrong]).expect(2);
        }
    }

    #[test]
    fn the_history_is_everything_that_any_ref_reaches() {
        let repo = Repo::new();
        repo.accept("a.txt", key(1));
        repo.accept("a.txt", "gone\n");
        repo.git(&["tag", "-a", "v1", "-m", &token(2)]).expect(0);
        repo.git(&["switch", "-q", "-c", "side"]).expect(0);
        repo.accept("b.txt", key(3));
        repo.git(&["switch", "-q", "--detach", "main"]).expect(0);
        repo.accept("c.txt", key(4));
        let report = repo.report(&["scan", "--history"], 1);
        assert_eq!(places(&report), [":1", "a.txt:1", "b.txt:1", "c.txt:1"]);
        assert_eq!(report["findings"][0]["where"], "tag");
    }

    #[test]
    fn a_repository_without_commits_is_clean() {
        let repo = Repo::new();
        repo.report(&["scan", "--history"], 0);
        repo.report(&["scan", "--staged"], 0);
        repo.report(&["scan"], 0);
    }

    #[test]
    fn outside_a_repository_git_sources_are_an_error() {
        let repo = Repo::new();
        let folder = tempfile::tempdir().unwrap();
        for source in [&["--staged"][..], &["--history"], &["--range", "a..b"]] {
            ended(repo.command(LEAKSTOP).current_dir(folder.path()).arg("scan").args(source)).expect(2);
        }
    }

    #[test]
    fn sources_exclude_each_other() {
        let repo = Repo::new();
        for wrong in [&["--staged", "--history"][..], &["--stdin", "."], &["--staged", "."], &["--path", "x"], &["--range", "a..b", "--stdin"]] {
            repo.leakstop(&[&["scan"], wrong].concat()).expect(2);
        }
    }
}

mod of_standard_input {
    use super::*;

    #[test]
    fn a_text_is_read_under_the_name_it_is_given() {
        let repo = Repo::new();
        let told = repo.leakstop_with(&["scan", "--stdin", "--path", "src/a.py"], key(1).as_bytes()).expect(1).out;
        assert!(told.contains(" src/a.py:1:8"), "{told}");
        repo.leakstop_with(&["scan", "--stdin"], key(1).as_bytes()).expect(1);
        repo.leakstop_with(&["scan", "--stdin"], b"hello\n").expect(0);
        repo.leakstop_with(&["scan", "--stdin"], b"").expect(0);
    }

    #[test]
    fn a_configured_path_applies_to_the_name() {
        let repo = Repo::new();
        repo.write(".leakstop.toml", "[paths]\nallow = [\"tests/**\"]\n");
        repo.leakstop_with(&["scan", "--stdin", "--path", "tests/a.py"], key(1).as_bytes()).expect(0);
        repo.leakstop_with(&["scan", "--stdin", "--path", "src/a.py"], key(1).as_bytes()).expect(1);
    }

    #[test]
    fn bytes_at_random_break_nothing() {
        let repo = Repo::new();
        for seed in 1..5u64 {
            let mut state = seed;
            let mut bytes = Vec::with_capacity(1 << 20);
            while bytes.len() < 1 << 20 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                match state >> 60 {
                    // Between the noise stands what leakstop looks at closely.
                    0 => bytes.extend(b"ghp_"),
                    1 => bytes.extend(b"%41%42%43%44"),
                    2 => bytes.extend(b"Z2hwX0FBQUFBQUFBQUFBQUFBQUFBQQ==\n"),
                    3 => bytes.extend(token(state).bytes().take((state >> 8) as usize % 41)),
                    _ => bytes.extend(state.to_be_bytes()),
                }
            }
            let ended = repo.leakstop_with(&["scan", "--stdin", "--path", "a.py"], &bytes);
            assert!(matches!(ended.code, 0 | 1) && ended.out.contains("leakstop: "), "{} {}", ended.code, ended.err);
        }
    }
}

mod output {
    use super::*;

    #[test]
    fn a_file_takes_the_report_and_the_exit_code_stays() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        let ended = repo.leakstop(&["scan", "--output", "../report.txt"]).expect(1);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
        assert!(fs::read_to_string(repo.beside("report.txt")).unwrap().contains("leakstop: blocked: 1 blocking"));
        repo.leakstop(&["scan", "--output", "no/such/folder/report.txt"]).expect(2);
    }

    #[test]
    fn the_exit_code_does_not_depend_on_the_format() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        repo.write("b.txt", "hello\n");
        for format in ["human", "json", "jsonl"] {
            repo.leakstop(&["scan", "a.txt", "--format", format]).expect(1);
            repo.leakstop(&["scan", "b.txt", "--format", format]).expect(0);
            repo.leakstop(&["scan", "nowhere", "--format", format]).expect(2);
        }
    }

    #[test]
    fn a_reader_that_goes_away_changes_no_verdict() {
        let repo = Repo::new();
        for at in 0..1500 {
            repo.write(&format!("many/{at}.txt"), key(at + 1));
        }
        repo.write("clean.txt", "hello\n");
        for (path, code) in [("many", 1), ("clean.txt", 0)] {
            let mut command = repo.command(LEAKSTOP);
            let mut child = command.args(["scan", path]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            drop(child.stdout.take());
            assert_eq!(child.wait().unwrap().code(), Some(code), "{path}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_hides_no_refusal_and_is_no_pass() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        repo.write("b.txt", "hello\n");
        let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        ended_to(repo.command(LEAKSTOP).args(["scan", "a.txt"]).stdout(full()), 1);
        ended_to(repo.command(LEAKSTOP).args(["scan", "b.txt"]).stdout(full()), 2);
    }

    fn ended_to(command: &mut std::process::Command, code: i32) {
        assert_eq!(command.status().unwrap().code(), Some(code));
    }
}
