//! No number and no size makes something pass unseen.

use crate::limits::{imported, received};
use crate::support::{Repo, ended_with, token};

const BACKENDS: [&str; 2] = ["git2", "git"];

/// Tokens with a wrong checksum, of which each only warns.
fn doubtful(count: u64) -> String {
    let shape = |seed| {
        let right = token(seed);
        let last = if right.ends_with('a') { 'b' } else { 'a' };
        format!("{}{last}\n", &right[..right.len() - 1])
    };
    (0..count).map(shape).collect()
}

#[test]
fn a_new_secret_behind_ten_thousand_old_findings_blocks() {
    let many = doubtful(10_050);
    for backend in BACKENDS {
        let repo = Repo::new();
        repo.accept("old.txt", &many);
        repo.git(&["mv", "old.txt", "new.txt"]).expect(0);
        repo.stage("new.txt", format!("{many}key = {}\n", token(1)));

        let mut hook = repo.command(crate::support::LEAKSTOP);
        let ended = ended_with(hook.args(["hook", "pre-commit"]).env("LEAKSTOP_BACKEND", backend), b"").expect(1);

        assert!(ended.err.contains("blocked  in 1 file more was found than is listed\n         new.txt: it holds more"), "{}", ended.err);
        assert!(ended.err.contains("name it in `paths.allow`"), "{}", ended.err);
    }
}

#[test]
fn a_secret_behind_ten_thousand_doubtful_values_in_a_message_blocks() {
    let message = format!("{}{}\n", doubtful(10_050), token(1));
    for backend in BACKENDS {
        let server = Repo::bare();
        let stream = format!("commit refs/heads/x\ncommitter A <a@example.org> 1700000000 +0000\ndata {}\n{message}\n", message.len());
        let commit = imported(&server, stream.as_bytes());
        let ended = received(&server, &commit, &[("backend", backend)]).expect(1);
        assert!(ended.err.contains("blocked  in 1 file more was found than is listed"), "{}", ended.err);
        assert!(!ended.err.contains(&token(1)));
    }
}

#[test]
fn a_path_that_no_system_opens_is_refused() {
    let name = doubtful(1).trim().repeat(120);
    for backend in BACKENDS {
        let server = Repo::bare();
        let commit_of = |name: &str| {
            let stream = format!("commit refs/heads/x\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nm\nM 100644 inline {name}\ndata 1\nx\n");
            imported(&server, stream.as_bytes())
        };
        let long = commit_of(&format!("folder/{name}"));
        let ended = received(&server, &long, &[("backend", backend)]).expect(2);
        assert!(ended.err.contains("a path has 4807 bytes, and at most 4096 are read"), "{}", ended.err);
        let allowed = commit_of(&format!("{}{}", "folder/".repeat(580), "f".repeat(36)));
        received(&server, &allowed, &[("backend", backend)]).expect(0);
    }
}

#[test]
fn a_path_in_which_nothing_blocks_may_hold_any_number_of_findings() {
    let repo = Repo::new();
    repo.accept(".leakstop.toml", "[paths]\nallow = [\"seeds.txt\"]\n");
    repo.stage("seeds.txt", doubtful(10_050));

    let ended = repo.leakstop(&["hook", "pre-commit"]).expect(0);

    assert!(ended.err.contains("in 1 file more was found than is listed"), "{}", ended.err);
}

#[test]
fn fifty_thousand_findings_in_all_are_enough_to_block() {
    let repo = Repo::new();
    for at in 0..6 {
        repo.stage(&format!("{at}.txt"), doubtful(9_000));
    }

    let ended = repo.leakstop(&["hook", "pre-commit"]).expect(1);

    assert!(ended.err.contains("in 1 file more was found than is listed"), "{}", ended.err);
}

#[test]
fn what_is_too_large_to_be_held_is_read_in_the_language_that_its_first_line_names() {
    let repo = Repo::new();
    let line = "echo \"$DB_PASSWORD\"\n";
    let small = format!("#!/bin/sh\n{line}");
    repo.write("small/deploy", &small);
    repo.write("large/deploy", format!("#!/bin/sh\n{}{line}", "echo the quick brown fox jumps over the lazy dog\n".repeat(400_000)));

    let report = repo.report(&["scan"], 1);

    let rules = |path: &str| -> Vec<String> {
        let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["path"] == path);
        findings.map(|finding| finding["rule"].to_string()).collect()
    };
    assert!(!rules("small/deploy").is_empty(), "{report}");
    assert_eq!(rules("large/deploy"), rules("small/deploy"));
}

#[test]
fn a_commit_a_tag_or_a_folder_beyond_measure_is_refused() {
    let text = "the quick brown fox jumps over the lazy dog\n";
    let long = text.repeat((9 << 20) / text.len());
    for backend in BACKENDS {
        let server = Repo::bare();
        let mut stream = format!("commit refs/heads/x\ncommitter A <a@example.org> 1700000000 +0000\ndata {}\n", long.len()).into_bytes();
        stream.extend(long.as_bytes());
        let commit = imported(&server, &stream);
        let ended = received(&server, &commit, &[("backend", backend)]).expect(2);
        assert!(ended.err.contains("of a commit at most 8388608 are read"), "{}", ended.err);

        let server = Repo::bare();
        let mut stream = b"commit refs/heads/x\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nm\n".to_vec();
        stream.extend(format!("tag t\nfrom refs/heads/x\ntagger A <a@example.org> 1700000000 +0000\ndata {}\n", long.len()).as_bytes());
        stream.extend(long.as_bytes());
        imported(&server, &stream);
        let tag = server.ask(&["rev-parse", "refs/tags/t"]);
        server.git(&["update-ref", "-d", "refs/tags/t"]).expect(0);
        let ended = received(&server, &tag, &[("backend", backend)]).expect(2);
        assert!(ended.err.contains("of a tag at most 8388608 are read"), "{}", ended.err);

        let server = Repo::bare();
        let name = "n".repeat(4000);
        let blob = ended_with(server.command("git").args(["hash-object", "-w", "--stdin"]), b"x\n").expect(0).out;
        let entries: String = (0..13_000).map(|at| format!("100644 blob {}\t{name}{at:05}\n", blob.trim())).collect();
        let tree = ended_with(server.command("git").arg("mktree"), entries.as_bytes()).expect(0).out;
        let commit = server.ask(&["commit-tree", "-m", "x", tree.trim()]);
        let ended = received(&server, &commit, &[("backend", backend)]).expect(2);
        assert!(ended.err.contains("of a folder at most 50331648 are read"), "{}", ended.err);
    }
}

#[test]
fn messages_without_measure_are_refused() {
    let server = Repo::bare();
    let text = "the quick brown fox jumps over the lazy dog\n";
    let long = text.repeat((7 << 20) / text.len());
    let mut stream = Vec::new();
    for at in 0..6 {
        stream.extend(
            format!("commit refs/heads/x\ncommitter A <a@example.org> {} +0000\ndata {}\n{long}\n", 1_700_000_000 + at, long.len()).as_bytes(),
        );
    }
    let commit = imported(&server, &stream);

    let ended = received(&server, &commit, &[]).expect(2);

    assert!(ended.err.contains("the messages of 5 commits and tags have more than"), "{}", ended.err);
    assert!(ended.err.ends_with("so nothing passes\n"), "{}", ended.err);
}

/// A commit as `git fast-import` reads it.
fn commit(time: u32, message: &str, files: impl Iterator<Item = (String, String)>) -> String {
    let head = format!("commit refs/heads/x\ncommitter A <a@example.org> {time} +0000\ndata {}\n{message}\n", message.len());
    head + &files.map(|(path, text)| format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len())).collect::<String>()
}

#[test]
fn a_push_that_is_examined_in_parts_is_found_out_like_any_other() {
    // In tests a part is so small that this push has a dozen.
    let path = |at: u64| format!("folder{:02}/file{at:04}.py", at % 50);
    let has_key = |at: u64| at % 700 == 5;
    let text = |at: u64| format!("number = {at}\n{}", if has_key(at) { format!("key = \"{}\"\n", token(at)) } else { String::new() });
    let first = commit(1_700_000_000, "m", (0..2000).map(|at| (path(at), text(at))));
    // All change, one of them gets a second key, and a name comes last that says enough.
    let changed =
        |at: u64| (path(at), format!("{}changed = {at}\n{}", text(at), if at == 705 { format!("new = \"{}\"\n", token(9)) } else { String::new() }));
    let last = ("zzz/id_rsa".to_owned(), "x\n".to_owned());
    let second = commit(1_700_000_100, &format!("see {}", token(8)), (0..2000).map(changed).chain([last]));
    for backend in BACKENDS {
        let server = Repo::bare();
        let tip = imported(&server, (first.clone() + &second).as_bytes());
        let parent = server.ask(&["rev-parse", &format!("{tip}^")]);
        let file = server.beside("report.json");
        let arguments = ["--format", "json", "--output", file.to_str().unwrap(), "hook", "pre-receive", "--backend", backend];
        let mut hook = server.command(crate::support::LEAKSTOP);
        let line = format!("{} {tip} refs/heads/main\n", "0".repeat(40));

        ended_with(hook.args(arguments).env("GIT_DIR", "."), line.as_bytes()).expect(1);

        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let of = |finding: &serde_json::Value| {
            let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            (text("where"), text("path"), finding["line"].as_u64().unwrap_or_default(), text("commit"), text("ref"))
        };
        let mut found: Vec<_> = report["findings"].as_array().unwrap().iter().map(of).collect();
        found.sort();
        let place = |place: &str, path: String, line, commit: &String| (place.to_owned(), path, line, commit.clone(), "refs/heads/main".to_owned());
        let mut expected =
            vec![place("content", path(5), 2, &parent), place("content", path(705), 2, &parent), place("content", path(1405), 2, &parent)];
        expected.extend([
            place("content", path(705), 4, &tip),
            place("message", String::new(), 1, &tip),
            place("path", "zzz/id_rsa".to_owned(), 0, &tip),
        ]);
        expected.sort();
        assert_eq!(found, expected, "{backend}");
        let stats = &report["stats"];
        let counts = ["files", "commits", "blobs"].map(|name| stats[name].as_u64().unwrap());
        assert_eq!(counts, [4001, 2, 4001], "{backend}");
        assert_eq!(report["unread"], serde_json::json!([]));
    }
}

#[test]
fn the_parts_of_a_large_history_are_split_between_shards_without_loss() {
    let path = |at: u64| format!("folder{:02}/file{at:04}.py", at % 50);
    let text = |at: u64| if at % 100 == 5 { format!("key = \"{}\"\n", token(at)) } else { format!("number = {at}\n") };
    let server = Repo::bare();
    let tip = imported(&server, commit(1_700_000_000, "m", (0..2000).map(|at| (path(at), text(at)))).as_bytes());
    server.git(&["update-ref", "refs/heads/main", &tip]).expect(0);
    let scan = |more: &[&str]| server.report(&[&["scan", "--history"], more].concat(), 1);
    let places = |report: &serde_json::Value| {
        let place = |finding: &serde_json::Value| finding["path"].as_str().unwrap().to_owned();
        report["findings"].as_array().unwrap().iter().map(place).collect::<std::collections::BTreeSet<_>>()
    };

    let (whole, one, two) = (scan(&[]), scan(&["--shard", "1/2"]), scan(&["--shard", "2/2"]));

    assert_eq!(places(&whole).len(), 20);
    assert_eq!(places(&one).union(&places(&two)).cloned().collect::<std::collections::BTreeSet<_>>(), places(&whole));
    assert!(places(&one).is_disjoint(&places(&two)));
    assert_eq!(one["shard"]["revision"], two["shard"]["revision"]);
    for count in ["files", "blobs"] {
        let of = |report: &serde_json::Value| report["stats"][count].as_u64().unwrap();
        assert_eq!((of(&one) + of(&two), of(&whole)), (2000, 2000), "{count}");
    }
}
