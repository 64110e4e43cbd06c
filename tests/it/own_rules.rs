//! Rules of one's own: they run beside ours, mistakes in them are told with their place, and on a server only reviewed ones run.

use std::fs;

use leakstop::rules::shape::fill;

use crate::support::{Repo, assert_redacted};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];
const FILE: &str = ".leakstop.toml";

/// A rule for keys of Acme; `more` is added to it.
fn rule(more: &str) -> String {
    format!(
        "[[rule]]\nid = \"acme-key\"\ntitle = \"Acme key\"\nrisk = \"Whoever holds it deploys.\"\nseverity = \"high\"\nkeywords = [\"acme_\"]\n\
         pattern = '(?<secret>acme_[0-9a-z]{{24}})@end'\n{more}\n"
    )
}

fn key(seed: u64) -> String {
    fill("acme_{loweralnum:24}", seed)
}

/// A line that none of our own rules finds anything in.
fn line(seed: u64) -> String {
    format!("deploy({})\n", key(seed))
}

#[test]
fn one_that_is_accepted_blocks_and_shows_a_mask() {
    let repo = Repo::started();
    repo.stage("a.txt", line(1));
    repo.takes(&COMMIT);
    repo.stage(FILE, rule(""));
    repo.stage("b.txt", line(2));
    // What is being committed does not judge itself.
    repo.takes(&COMMIT);
    repo.stage("c.txt", line(3));
    let told = repo.refuses(&COMMIT);
    assert!(told.contains("blocked  Acme key  (acme-key, high)") && told.contains("c.txt:1:8  acme****  (29 characters)"), "{told}");
    assert_redacted(&told, &key(3));
}

#[test]
fn the_users_file_and_a_named_one_hold_rules_too() {
    let repo = Repo::new();
    repo.write("a.txt", line(1));
    repo.write("../home/.config/leakstop/config.toml", rule(""));
    assert_eq!(repo.report(&["scan"], 1)["findings"][0]["rule"], "acme-key");
    fs::write(repo.beside("alone.toml"), rule("confidence = \"low\"")).unwrap();
    assert_eq!(repo.report(&["--config", "../alone.toml", "scan"], 0)["status"], "warned");
    // The same id in two files cannot both be meant.
    repo.write(FILE, rule(""));
    let told = repo.leakstop(&["scan"]).expect(2).err;
    assert!(told.contains("line 2, column 6: rule `acme-key`: the id `acme-key` is taken by a rule of `"), "{told}");
}

#[test]
fn it_has_all_that_ours_have() {
    let repo = Repo::new();
    let body = fill("{crc32:30}", 4);
    let table = [
        (rule("check = \"crc32-base62\"").replace("[0-9a-z]{24}", "[0-9A-Za-z]{36}"), format!("x acme_{body}\n"), "high"),
        (rule("check = \"crc32-base62\"").replace("[0-9a-z]{24}", "[0-9A-Za-z]{36}"), format!("x acme_{}\n", fill("{alnum:36}", 5)), "low"),
        (rule("context = 'deploy'\nscope = \"line\""), format!("x\n{}", line(1)), "high"),
        (rule("not_context = 'deploy'\nscope = \"line\""), line(1), ""),
        (rule("paths = [\"*.txt\"]"), line(1), "high"),
        (rule("not_paths = [\"*.txt\"]"), line(1), ""),
        (rule("languages = [\"python\"]"), line(1), ""),
    ];
    for (rule, text, confidence) in table {
        repo.write(FILE, &rule);
        repo.write("a.txt", text);
        let report = repo.report(&["scan", "a.txt"], i32::from(confidence == "high"));
        let found = report["findings"].as_array().unwrap();
        assert_eq!(found.first().map_or("", |one| one["confidence"].as_str().unwrap()), confidence, "{rule}");
    }
}

#[test]
fn a_mistake_closes_the_gate_and_is_told_with_its_place() {
    let repo = Repo::started();
    repo.stage(FILE, rule("").replace("{24}", "{24"));
    let ended = repo.git(&COMMIT);
    assert!(
        ended.code != 0 && ended.err.contains(".leakstop.toml (as staged)`, line 7, column 35: rule `acme-key`: `pattern` is no"),
        "{}",
        ended.err
    );
    repo.accept(FILE, rule("keyword = \"x\""));
    repo.stage("a.txt", "hello\n");
    let ended = repo.git(&COMMIT);
    assert!(ended.code != 0 && ended.err.contains("line 8, column 1: unknown field `keyword`"), "{}", ended.err);
    // Whoever mends it may commit that.
    repo.stage(FILE, rule(""));
    repo.git(&COMMIT).expect(0);
}

#[test]
fn a_catalogue_does_not_belong_into_a_repository() {
    let repo = Repo::new();
    let rules: String = (0..201).map(|at| rule("").replace("acme-key", &format!("acme-{at}"))).collect();
    repo.write(FILE, &rules);
    assert!(repo.leakstop(&["scan"]).expect(2).err.contains("a repository has at most 200 rules of its own"));
    fs::write(repo.beside("alone.toml"), rules).unwrap();
    repo.leakstop_with(&["--config", "../alone.toml", "scan", "--stdin"], b"").expect(0);
}

mod on_a_server {
    use super::*;

    fn server(its_own: &str) -> (Repo, Repo) {
        let server = Repo::server();
        server.write("leakstop.toml", its_own);
        let repo = Repo::with_remote(&server);
        repo.accept("README", "hello\n");
        repo.push_passes(&["main"]);
        (server, repo)
    }

    #[test]
    fn reviewed_rules_run_and_pushed_ones_do_not() {
        let (server, repo) = server("");
        repo.accept(FILE, rule(""));
        repo.accept("a.txt", line(1));
        repo.push_passes(&["main"]); // the rule was not there before
        repo.accept("b.txt", line(2));
        let told = repo.push_is_refused(&server, &["main"]);
        assert!(told.contains("acme-key"), "{told}");
        server.write("leakstop.toml", "[server]\nrepository_config = \"pushed\"\n");
        let told = repo.push_passes(&["main"]);
        assert!(told.contains("note: the rules of .leakstop.toml as pushed do not apply"), "{told}");
    }

    #[test]
    fn the_servers_own_rules_run_and_cannot_be_taken_over() {
        let (server, repo) = server(&rule(""));
        repo.accept("a.txt", line(1));
        repo.push_is_refused(&server, &["main"]);
        repo.git(&["reset", "-q", "--hard", "HEAD~1"]).expect(0);
        // A rule of the same name that finds nothing, once it is reviewed.
        repo.accept(FILE, rule("").replace("acme_", "ecma_"));
        repo.push_passes(&["main"]);
        repo.accept("a.txt", line(1));
        let told = repo.push_is_refused(&server, &["main"]);
        assert!(told.contains("note: the rule `acme-key` of .leakstop.toml of") && told.contains("acme-key, high"), "{told}");
    }

    #[test]
    fn a_broken_rule_does_not_reach_the_default_branch() {
        let (server, repo) = server("");
        for broken in [rule("").replace("acme_\"", "emca_\""), rule("").replace("acme-key", "github-pat-classic")] {
            repo.accept(FILE, broken);
            let before = server.contents();
            let ended = repo.git(&["push", "-q", "origin", "main"]);
            assert!(ended.code != 0 && ended.err.contains("remote: leakstop: error: cannot use the configuration"), "{}", ended.err);
            assert_eq!(server.contents(), before);
        }
    }
}

mod checking {
    use super::*;

    #[test]
    fn rules_that_hold_are_said_to() {
        let repo = Repo::new();
        assert!(repo.leakstop(&["rules", "check"]).expect(0).out.contains("no rules of your own here"));
        repo.write(FILE, rule("examples = ['x acme_{loweralnum:24}']\ncounterexamples = ['acme_{loweralnum:20}']"));
        let told = repo.leakstop(&["rules", "check"]).expect(0).out;
        assert!(told.starts_with("good     acme-key  ") && told.contains(".leakstop.toml:1:1\n         1 example, 1 counterexample; "), "{told}");
        assert!(told.ends_with("leakstop: 1 of 1 rules hold\n"), "{told}");
        let shown = repo.leakstop(&["rules", "show", "acme-key"]).expect(0).out;
        assert!(
            shown.starts_with("Acme key\nacme-key, family secret, severity high\n\nown rule  /") && shown.contains("risk      Whoever"),
            "{shown}"
        );
        assert!(repo.leakstop(&["rules", "list"]).expect(0).out.lines().last().unwrap().starts_with("acme-key  "));
    }

    #[test]
    fn one_that_fails_is_told_with_its_place() {
        let repo = Repo::new();
        let table = [
            (rule("examples = ['acme_{loweralnum:20}']"), ":8:12: rule `acme-key`: example 1 is not found"),
            (rule("counterexamples = ['x', 'acme_{loweralnum:24}']"), ":8:19: rule `acme-key`: counterexample 2 is found"),
            (
                rule("").replace("[\"acme_\"]", "[\"emca\"]"),
                ":6:12: rule `acme-key`: a match without a keyword would never be looked at: `pattern` matches `acme_",
            ),
            (rule("").replace("{24}", "{24"), ":7:35: rule `acme-key`: `pattern` is no regular expression: unclosed counted"),
        ];
        for (text, expected) in table {
            // Beside one that holds.
            repo.write(
                "mine.toml",
                text + &rule("examples = ['other_{loweralnum:24}']").replace("acme-key", "acme-other").replace("acme_", "other_"),
            );
            let told = repo.leakstop(&["rules", "check", "mine.toml"]).expect(1).out;
            assert!(told.contains(&format!("mine.toml{expected}")), "{told}");
            assert!(told.contains("good     acme-other") && told.ends_with("leakstop: 1 of 2 rules hold, 1 do not\n"), "{told}");
        }
        repo.write("mine.toml", "[[rule]]\nid = 3\n");
        assert!(repo.leakstop(&["rules", "check", "mine.toml"]).expect(2).err.contains("`mine.toml`, line 2, column 6: "));
        repo.leakstop(&["rules", "check", "nowhere.toml"]).expect(2);
    }

    #[test]
    fn what_is_weak_is_told_and_passes() {
        let repo = Repo::new();
        let example = "examples = ['acme_{loweralnum:24}']";
        let table = [
            (rule(""), "1:1: rule `acme-key`: it has no `examples`"),
            (rule(example).replace("{24}", "{24,}"), "7:11: rule `acme-key`: `pattern` has a repetition without a most"),
            (rule(example).replace("[\"acme_\"]", "[\"ac\"]"), "6:12: rule `acme-key`: the keyword `ac` has fewer than 3 bytes"),
            (
                rule(example)
                    .replace("examples = ['", "examples = ['ghp_")
                    .replace("acme_", "ghp_")
                    .replace("['ghp_ghp_{loweralnum:24}", "['token = ghp_{crc32:30}")
                    .replace("[0-9a-z]{24}", "[0-9a-zA-Z]{36}"),
                "is reported by `github-pat-classic` instead",
            ),
            (
                // Without its counts it matches nearly everywhere, and so each count is followed.
                rule(&format!("examples = ['key{0}e{0}e{0}e{0}e{0}e{0}e{0}e{0}q']", "some words of it ".repeat(11)))
                    .replace("[\"acme_\"]", "[\"key\"]")
                    .replace("(?<secret>acme_[0-9a-z]{24})@end", "(?s:.{0,190}key(?:.{180,189}[eai]){7}.{180,189}q)"),
                "times the dearest of ours and more; the keyword `key` stands",
            ),
        ];
        for (text, expected) in table {
            repo.write("mine.toml", &text);
            let told = repo.leakstop(&["rules", "check", "mine.toml"]).expect(0).out;
            assert!(told.starts_with("weak     acme-key") && told.contains(expected), "{text}\n{told}");
        }
    }

    #[test]
    fn a_file_of_rules_like_ours_is_checked_too() {
        let repo = Repo::new();
        let file = format!("family = \"handling\"\nstandards = [\"CWE-798\"]\nfix = \"Do not.\"\n\n{}", rule("examples = ['acme_{loweralnum:24}']"));
        repo.write("mine.toml", &file);
        repo.leakstop(&["rules", "check", "mine.toml"]).expect(0);
        repo.write("mine.toml", file.replace("standards", "standard"));
        assert!(repo.leakstop(&["rules", "check", "mine.toml"]).expect(2).err.contains("line 2, column 1: unknown field `standard`"));
    }
}
