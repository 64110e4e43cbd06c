//! What a change says only together with other files: what code loads, what an ignore list lost, what an example shares with
//! the developer's own file, one value in several places.

use leakstop::rules::shape;
use serde_json::Value;

use crate::support::{Repo, assert_redacted, token};

/// Verdict, rule and path of each finding of the rules whose name begins like that.
fn told(report: &Value, rule: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    findings
        .iter()
        .filter(|one| one["rule"].as_str().unwrap().starts_with(rule))
        .map(|one| format!("{} {} {}:{}", word(one, "verdict"), word(one, "rule"), word(one, "path"), one["line"]))
        .collect()
}

fn staged(repo: &Repo) -> Value {
    let ended = repo.leakstop(&["scan", "--staged", "--format", "json"]);
    serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}\n{}\n{}", ended.out, ended.err))
}

mod loaded_files {
    use super::*;

    const LOADS: &str = "from dotenv import load_dotenv\nload_dotenv(\".env.production\")\n";

    #[test]
    fn a_file_that_code_loads_blocks_when_it_is_staged_beside_it() {
        let repo = Repo::new();
        repo.write("app/settings.py", LOADS);
        repo.write("app/.env.production", "LOG_LEVEL=info\n");
        repo.git(&["add", "."]).expect(0);
        assert_eq!(told(&staged(&repo), "dotenv-"), ["block dotenv-committed app/settings.py:2"]);
    }

    #[test]
    fn a_file_that_code_loads_blocks_when_it_is_tracked_already() {
        let repo = Repo::new();
        repo.write(".env.production", "LOG_LEVEL=info\n");
        repo.git(&["add", "."]).expect(0);
        repo.git(&["commit", "-q", "-m", "one"]).expect(0);
        repo.write("app/settings.py", LOADS);
        repo.git(&["add", "."]).expect(0);
        assert_eq!(told(&staged(&repo), "dotenv-"), ["block dotenv-committed app/settings.py:2"]);
        repo.git(&["commit", "-q", "-m", "two"]).expect(0);
        assert_eq!(told(&repo.report(&["scan", "--history"], 1), "dotenv-"), ["block dotenv-committed app/settings.py:2"]);
    }

    #[test]
    fn a_file_that_git_does_not_know_is_no_finding() {
        let repo = Repo::new();
        repo.write(".gitignore", ".env*\n");
        repo.write("settings.py", LOADS);
        repo.write(".env.production", "LOG_LEVEL=info\n");
        repo.git(&["add", "."]).expect(0);
        assert_eq!(told(&staged(&repo), "dotenv-"), [""; 0]);
    }

    #[test]
    fn a_credential_written_into_a_tracked_file_blocks_and_into_another_warns() {
        let repo = Repo::new();
        repo.write("config.json", "{}\n");
        repo.write("a.js", "fs.writeFileSync('./config.json', apiToken)\n");
        repo.write("b.js", "fs.writeFileSync('./session.json', apiToken)\n");
        repo.git(&["add", "."]).expect(0);
        assert_eq!(told(&staged(&repo), "write-"), ["block write-secret-from-code a.js:1", "warn write-secret-from-code b.js:1"]);
    }
}

mod ignore_lists {
    use super::*;

    fn changed(before: &str, after: Option<&str>) -> (Repo, Value) {
        let repo = Repo::new();
        repo.write(".gitignore", before);
        repo.git(&["add", "."]).expect(0);
        repo.git(&["commit", "-q", "-m", "one"]).expect(0);
        match after {
            Some(after) => repo.write(".gitignore", after),
            None => drop(repo.git(&["rm", "-q", ".gitignore"]).expect(0)),
        }
        repo.git(&["add", "."]).expect(0);
        let report = staged(&repo);
        (repo, report)
    }

    #[test]
    fn a_list_that_loses_the_environment_file_blocks() {
        for after in [Some("target/\n"), Some("target/\n.env\n!.env\n"), None] {
            let (_repo, report) = changed("target/\n.env\n", after);
            assert_eq!(told(&report, "file-"), ["block file-ignore-lost .gitignore:null"], "{after:?}");
        }
    }

    #[test]
    fn a_list_that_says_it_in_other_words_passes() {
        let (_repo, report) = changed("target/\n.env\n", Some("# all of them\n.env*\n!.env.example\n"));
        assert_eq!(told(&report, "file-"), [""; 0]);
        let (_repo, report) = changed("target/\n", Some("node_modules/\n"));
        assert_eq!(told(&report, "file-"), [""; 0]);
    }

    #[test]
    fn a_history_that_loses_a_line_or_the_list_is_told_with_its_commit() {
        for after in [Some("x\n"), None] {
            let (repo, _) = changed("*.pem\n", after);
            repo.git(&["commit", "-q", "-m", "two"]).expect(0);
            let report = repo.report(&["scan", "--history"], 1);
            assert_eq!(told(&report, "file-"), ["block file-ignore-lost .gitignore:null"], "{after:?}");
            let commit = repo.git(&["rev-parse", "HEAD"]).expect(0).out;
            assert_eq!(report["findings"][0]["commit"].as_str(), Some(commit.trim()), "{after:?}");
        }
    }

    #[test]
    fn a_list_in_a_folder_that_goes_is_told_unless_the_root_keeps_its_lines() {
        for (root, expected) in [("target/\n", vec!["block file-ignore-lost app/.gitignore:null"]), ("target/\n.env\n", vec![])] {
            let repo = Repo::new();
            repo.write(".gitignore", root);
            repo.write("app/.gitignore", ".env\n");
            repo.write("app/a.txt", "a\n");
            repo.git(&["add", "."]).expect(0);
            repo.git(&["commit", "-q", "-m", "one"]).expect(0);
            repo.git(&["rm", "-q", "app/.gitignore"]).expect(0);
            assert_eq!(told(&staged(&repo), "file-"), expected);
            repo.git(&["commit", "-q", "-m", "two"]).expect(0);
            assert_eq!(told(&repo.report(&["scan", "--range", "HEAD~1..HEAD"], i32::from(!expected.is_empty())), "file-"), expected);
        }
    }

    #[test]
    fn a_push_that_loses_a_line_or_the_list_is_refused() {
        for after in [Some("target/\n"), None] {
            let server = Repo::server();
            let repo = Repo::with_remote(&server);
            repo.accept("a.txt", "a\n");
            repo.accept(".gitignore", "target/\n.env\n");
            repo.push_passes(&["main"]);
            match after {
                Some(after) => drop(repo.accept(".gitignore", after)),
                None => {
                    repo.git(&["rm", "-q", ".gitignore"]).expect(0);
                    repo.git(&["commit", "-q", "--no-verify", "-m", "two"]).expect(0);
                }
            }
            let told = repo.push_is_refused(&server, &["main"]);
            assert!(told.contains("file-ignore-lost") && told.contains(&repo.head()[..12]), "{told}");
        }
    }
}

mod own_values {
    use super::*;

    #[test]
    fn an_example_that_holds_a_value_of_ones_own_file_blocks_and_shows_nothing_of_it() {
        let repo = Repo::new();
        let password = shape::fill("plover-{alnum:14}", 7);
        repo.write(".gitignore", ".env\n");
        repo.write("api/.env", format!("DB_PASSWORD={password}\nHOST=localhost\n"));
        repo.write("api/.env.example", format!("HOST=localhost\nDB_PASSWORD={password}\n"));
        repo.git(&["add", "."]).expect(0);
        let ended = repo.leakstop(&["hook", "pre-commit"]).expect(1);
        assert!(ended.err.contains("file-example-real-value"), "{}", ended.err);
        assert_redacted(&ended.err, &password);
        let report = staged(&repo);
        assert_redacted(&report.to_string(), &password);
        // One cause, one finding.
        assert_eq!(told(&report, ""), ["block file-example-real-value api/.env.example:2"]);
    }

    #[test]
    fn an_example_with_values_of_its_own_passes() {
        let repo = Repo::new();
        repo.write(".gitignore", ".env\n");
        repo.write(".env", shape::fill("DB_PASSWORD={alnum:18}\nHOST=localhost\nAPP=my-application\n", 3));
        repo.write(".env.example", "DB_PASSWORD=\nHOST=localhost\nAPP=my-application\n");
        repo.git(&["add", "."]).expect(0);
        assert_eq!(told(&staged(&repo), ""), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_the_own_file_is_not_waited_for() {
        let repo = Repo::new();
        let made = std::process::Command::new("mkfifo").arg(repo.path().join(".env")).status().unwrap();
        assert!(made.success());
        repo.write(".env.example", "DB_PASSWORD=\n");
        repo.git(&["add", ".env.example"]).expect(0);
        repo.leakstop(&["hook", "pre-commit"]).expect(0);
    }
}

#[test]
fn one_value_in_two_files_is_told_once_with_both_places() {
    let repo = Repo::new();
    let secret = token(5);
    repo.write("a.py", format!("first = \"{secret}\"\n"));
    repo.write("b/c.py", format!("\nsecond = \"{secret}\"\n"));
    repo.git(&["add", "."]).expect(0);
    let told = repo.leakstop(&["hook", "pre-commit"]).expect(1).err;
    assert_eq!(told.matches("GitHub personal access token").count(), 1, "{told}");
    assert!(told.contains("a.py:1:") && told.contains("b/c.py:2:"), "{told}");
}

#[test]
fn one_value_under_two_rules_is_told_once_and_can_be_allowed_in_both_places() {
    let repo = Repo::new();
    let value = shape::fill("{alnum:20}", 9);
    repo.write("app.py", format!("api_token = \"{value}\"\n"));
    repo.write("prod.env", format!("API_TOKEN={value}\n"));
    repo.git(&["add", "."]).expect(0);
    let told = repo.leakstop(&["hook", "pre-commit"]).expect(1).err;
    assert_eq!((told.matches("blocked  ").count(), told.matches("if safe").count()), (1, 2), "{told}");
    assert!(told.contains("app.py:1:") && told.contains("prod.env:1:") && told.contains("as file-dotenv"), "{told}");
}
