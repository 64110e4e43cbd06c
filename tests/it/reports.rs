//! How reports look. The parts that change from run to run are replaced before a report is compared.

use std::fs;

use serde_json::Value;

use crate::support::{LEAKSTOP, Repo, ended, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// A report without times, days and ids.
fn steady(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut words: Vec<String> = Vec::new();
        for word in line.split(' ') {
            let bare = word.trim_end_matches([';', ')', ',']);
            let is_hex = |length: usize| bare.len() == length && bare.bytes().all(|b| b.is_ascii_hexdigit());
            let is_day = bare.len() == 10 && bare.as_bytes()[4] == b'-' && bare.as_bytes()[7] == b'-';
            words.push(match () {
                () if is_hex(12) => "<commit>".to_owned(),
                () if is_hex(16) => "<fingerprint>".to_owned(),
                () if is_day => "<day>".to_owned(),
                () => word.to_owned(),
            });
        }
        for at in 1..words.len() {
            if words[at].starts_with("ms)") {
                words[at - 1] = "<n>".to_owned();
            }
        }
        out.push_str(words.join(" ").trim_end());
        out.push('\n');
    }
    out
}

#[track_caller]
fn assert_looks(told: &str, expected: &str) {
    let told = steady(told);
    assert!(told == expected, "it looks like this:\n{told}\nand not like this:\n{expected}");
}

const ABOUT: &str = "         Whoever holds it acts as its owner on every repository the token reaches.
         fix     Take it out of the commit and read it from the environment or a secret
                 store. If it ever left this machine, revoke it first.
         revoke  https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens
";
const ALLOW: &str = "         if safe leakstop allow <fingerprint> --owner YOU --reason WHY --expires <day>\n";

mod for_people {
    use super::*;

    #[test]
    fn one_finding() {
        let repo = Repo::started();
        repo.stage("src/deploy.py", key(1));
        let expected = format!(
            "blocked  GitHub personal access token  (github-pat-classic, critical)
         src/deploy.py:1:8  ghp_****  (40 characters)
{ABOUT}{ALLOW}
leakstop: blocked: 1 blocking (read 1 file, 49 B; <n> ms)
"
        );
        assert_looks(&repo.refuses(&COMMIT), &expected);
    }

    #[test]
    fn places_of_one_secret_are_grouped() {
        let repo = Repo::new();
        for at in 0..8 {
            repo.write(&format!("{at}.txt"), key(1));
        }
        let expected = format!(
            "blocked  GitHub personal access token  (github-pat-classic, critical)
         0.txt:1:8  ghp_****  (40 characters)
         1.txt:1:8  ghp_****  (40 characters)
         2.txt:1:8  ghp_****  (40 characters)
         3.txt:1:8  ghp_****  (40 characters)
         4.txt:1:8  ghp_****  (40 characters)
         and 3 more places
{ABOUT}{ALLOW}
leakstop: blocked: 8 blocking (read 8 files, 392 B; <n> ms)
"
        );
        assert_looks(&repo.leakstop(&["scan"]).expect(1).out, &expected);
    }

    #[test]
    fn a_warning_an_unread_file_and_a_block_in_this_order() {
        let repo = Repo::new();
        let doubtful = leakstop::rules::shape::fill("ghp_{alnum:36}", 3);
        repo.write("a.txt", format!("key = \"{doubtful}\"\n"));
        repo.write("b.txt", key(1));
        repo.write("large.bin", "x".repeat(200));
        repo.write(".leakstop.toml", "[limits]\nmax_file_bytes = 100\n");
        let expected = format!(
            "warning  GitHub personal access token  (github-pat-classic, critical)
         a.txt:1:8  ghp_****  (40 characters)
         Whoever holds it acts as its owner on every repository the token reaches.
         because low confidence: its checksum is wrong
{}
blocked  GitHub personal access token  (github-pat-classic, critical)
         b.txt:1:8  ghp_****  (40 characters)
{ABOUT}{ALLOW}
warning  1 file was not read, so nobody knows what is in there
         large.bin: it has 200 bytes; `limits.max_file_bytes` is 100

leakstop: blocked: 1 blocking, 1 warning (read 3 files, 128 B, 1 unread; <n> ms)
",
            ABOUT.split_once('\n').unwrap().1
        );
        assert_looks(&repo.leakstop(&["scan"]).expect(1).out, &expected);
        let quiet = repo.leakstop(&["scan", "--quiet"]).expect(1).out;
        assert!(!quiet.contains("a.txt") && quiet.contains("b.txt:1:8") && quiet.contains("large.bin"), "{quiet}");
    }

    #[test]
    fn what_is_allowed_is_told_to_who_asks() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        repo.write(".leakstop.toml", "[paths]\nallow = [\"*.txt\"]\n");
        assert_looks(&repo.leakstop(&["scan"]).expect(0).out, "leakstop: passed: 1 allowed (read 2 files, 75 B; <n> ms)\n");
        let root = fs::canonicalize(repo.path()).unwrap();
        let expected = format!(
            "allowed  GitHub personal access token  (github-pat-classic, critical)
         a.txt:1:8  ghp_****  (40 characters)
         because {}/.leakstop.toml allows findings in this path
leakstop: passed: 1 allowed (read 2 files, 75 B; <n> ms)
",
            root.display()
        );
        assert_looks(&repo.leakstop(&["scan", "--verbose"]).expect(0).out, &expected);
        assert_eq!(repo.leakstop(&["scan", "--quiet"]).expect(0).out, "");
    }

    #[test]
    fn a_refused_push() {
        let server = Repo::server();
        let repo = Repo::with_remote(&server);
        repo.accept("src/deploy.py", key(1));
        let expected = format!(
            "blocked  GitHub personal access token  (github-pat-classic, critical)
         src/deploy.py:1:8 in <commit> (refs/heads/main)  ghp_****  (40 characters)
{ABOUT}{ALLOW}
leakstop: blocked: 1 blocking (read 1 commit, 1 file, 103 B; <n> ms)
"
        );
        assert_looks(&repo.push_is_refused(&server, &["main"]), &expected);
    }

    #[test]
    fn a_clean_commit_is_one_line() {
        let repo = Repo::started();
        repo.stage("a.txt", "hello\n");
        assert_looks(&repo.leakstop(&["hook", "pre-commit"]).expect(0).err, "leakstop: passed: nothing found (read 1 file, 6 B; <n> ms)\n");
    }

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        let repo = Repo::new();
        let expected = "leakstop: error: cannot resolve the revision `nowhere`
  because: revspec 'nowhere' not found; class=Reference (4); code=NotFound (-3)
  try: `git rev-parse --verify NAME` tells what git makes of it
leakstop: nothing was checked, so nothing passes
";
        assert_looks(&repo.leakstop(&["scan", "--range", "nowhere..HEAD"]).expect(2).err, expected);
    }

    #[test]
    fn lines_keep_to_100_columns() {
        let repo = Repo::started();
        repo.stage("a/path/of/an/ordinary/length/that/people/really/have/settings.py", key(1));
        repo.stage("b.txt", key(2));
        let told = repo.refuses(&COMMIT);
        let place = "a/path/of/an/ordinary/length/that/people/really/have/settings.py:1:8\n           ghp_****  (40 characters)\n";
        assert!(told.contains(place), "{told}");
        // An address is copied, so it stays on one line.
        let long: Vec<_> = told.lines().filter(|line| line.chars().count() > 100 && !line.contains("https://")).collect();
        assert!(long.is_empty(), "{long:#?}");
    }

    #[test]
    fn colour_is_for_terminals_and_who_asks() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        let scan = |more: &[&str], variable: (&str, &str)| {
            let mut command = repo.command(LEAKSTOP);
            ended(command.env(variable.0, variable.1).arg("scan").args(more)).expect(1).out
        };
        let none = ("LC_ALL", "C");
        assert!(!scan(&[], none).contains('\u{1b}'));
        assert!(!scan(&["--color", "never"], none).contains('\u{1b}'));
        let coloured = scan(&["--color", "always"], none);
        assert!(coloured.starts_with("\u{1b}[1m\u{1b}[31mblocked\u{1b}[0m  "), "{coloured:?}");
        assert!(scan(&["--color", "always"], ("NO_COLOR", "1")).contains('\u{1b}'), "who asks, gets");
        assert_eq!(strip(&coloured), steady(&scan(&[], none)));
        scan(&["--color", "always", "--output", "../report.txt"], none);
        assert!(!fs::read_to_string(repo.beside("report.txt")).unwrap().contains('\u{1b}'));
    }

    /// The text without colours, made steady.
    fn strip(text: &str) -> String {
        let mut out = String::new();
        for (at, part) in text.split('\u{1b}').enumerate() {
            out.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        steady(&out)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_terminal_gets_colour_unless_it_is_told_not_to() {
        let repo = Repo::new();
        repo.write("a.txt", key(1));
        for (setting, coloured) in [("TERM=xterm", true), ("TERM=dumb", false), ("TERM=xterm NO_COLOR=1", false), ("TERM=xterm NO_COLOR=", true)] {
            let line = format!("{setting} '{LEAKSTOP}' scan");
            let told = ended(repo.command("script").args(["-qec", &line, "/dev/null"])).out;
            assert!(told.contains("leakstop: ") && told.contains('\u{1b}') == coloured, "{setting} {told:?}");
        }
    }
}

mod for_programs {
    use super::*;

    /// Each key with the kinds of value it may have.
    const FINDING: [(&str, &str); 23] = [
        ("rule", "string"),
        ("family", "string"),
        ("title", "string"),
        ("severity", "string"),
        ("confidence", "string"),
        ("verdict", "string"),
        ("reason", "string"),
        ("path", "string"),
        ("line", "number null"),
        ("column", "number null"),
        ("end_line", "number null"),
        ("end_column", "number null"),
        ("commit", "string null"),
        ("ref", "string null"),
        ("where", "string"),
        ("redacted", "string null"),
        ("length", "number null"),
        ("fingerprint", "string"),
        ("decoded", "array"),
        ("message", "string"),
        ("fix", "string"),
        ("rotate", "string null"),
        ("standards", "array"),
    ];
    const DOCUMENT: [(&str, &str); 9] = [
        ("schema", "number"),
        ("tool", "object"),
        ("command", "string"),
        ("status", "string"),
        ("actor", "object"),
        ("findings", "array"),
        ("unread", "array"),
        ("stats", "object"),
        ("shard", "object null"),
    ];
    const STATS: [(&str, &str); 8] = [
        ("files", "number"),
        ("bytes", "number"),
        ("commits", "number"),
        ("blobs", "number"),
        ("refs", "number"),
        ("remembered", "number"),
        ("rules", "number"),
        ("elapsed_ms", "number"),
    ];

    #[track_caller]
    fn has(value: &Value, keys: &[(&str, &str)]) {
        for (key, kinds) in keys {
            let kind = match value.get(key).unwrap_or_else(|| panic!("`{key}` is missing: {value}")) {
                Value::Null => "null",
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
            };
            assert!(kinds.split(' ').any(|wanted| wanted == kind), "`{key}` is a {kind}: {value}");
        }
    }

    /// A report in which every kind of place occurs.
    fn rich() -> (Repo, Value) {
        let repo = Repo::new();
        repo.accept("a.txt", key(1));
        repo.accept(&format!("{}.txt", token(2)), "hello\n");
        repo.git(&["commit", "-q", "--allow-empty", "-m", &token(3)]).expect(0);
        repo.git(&["tag", "-a", "v1", "-m", &token(4)]).expect(0);
        repo.git(&["branch", &token(5)]).expect(0);
        ended(repo.command("git").env("GIT_AUTHOR_NAME", token(6)).args(["commit", "-q", "--allow-empty", "-m", "work"])).expect(0);
        repo.accept("large.txt", "x".repeat(200));
        fs::write(repo.beside("c.toml"), "[limits]\nmax_file_bytes = 100\n").unwrap();
        let report = repo.report(&["--config", "../c.toml", "scan", "--history"], 1);
        (repo, report)
    }

    #[test]
    fn a_report_follows_schema_1() {
        let (_repo, report) = rich();
        has(&report, &DOCUMENT);
        has(&report["stats"], &STATS);
        has(&report["tool"], &[("name", "string"), ("version", "string")]);
        has(&report["actor"], &[("kind", "string"), ("name", "string null"), ("evidence", "array")]);
        has(&report["unread"][0], &[("path", "string"), ("why", "string")]);
        assert_eq!((&report["schema"], &report["status"], &report["tool"]["name"]), (&1.into(), &"blocked".into(), &"leakstop".into()));
        let findings = report["findings"].as_array().unwrap();
        let mut places: Vec<_> = findings.iter().map(|one| one["where"].as_str().unwrap()).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places, ["author", "content", "message", "path", "ref", "tag"]);
        for finding in findings {
            has(finding, &FINDING);
            assert_eq!((&finding["family"], &finding["verdict"], &finding["redacted"]), (&"secret".into(), &"block".into(), &"ghp_****".into()));
            assert_eq!(finding["length"], 40);
        }
    }

    #[test]
    fn line_and_column_count_from_1_and_the_end_is_past_the_value() {
        let repo = Repo::new();
        repo.write("a.txt", format!("one\n  {}\n", token(1)));
        let one = &repo.report(&["scan"], 1)["findings"][0];
        let place = ["line", "column", "end_line", "end_column"].map(|key| one[key].as_u64().unwrap());
        assert_eq!(place, [2, 3, 2, 43]);
    }

    #[test]
    fn one_line_a_finding_and_one_for_the_rest() {
        let repo = Repo::new();
        repo.write("a.txt", format!("{}{}", key(1), key(2)));
        let told = repo.leakstop(&["scan", "--format", "jsonl"]).expect(1).out;
        let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        lines[..2].iter().for_each(|line| has(line, &FINDING));
        has(&lines[2], &DOCUMENT);
        assert_eq!(lines[2]["findings"], Value::Array(Vec::new()));
    }

    #[test]
    fn a_name_that_is_no_text_is_escaped() {
        let repo = Repo::new();
        repo.write("caf\u{e9}\u{202e}\u{1b}.txt", key(1));
        let one = &repo.report(&["scan"], 1)["findings"][0];
        assert_eq!(one["path"], "caf\u{e9}\\u{202e}\\u{1b}.txt");
    }
}
