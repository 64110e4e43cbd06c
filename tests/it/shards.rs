//! `scan --history` in parts: what all shards find together is what one scan finds, and less than all is no answer.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::histories::{History, feed};
use crate::support::{Repo, assert_redacted, token};

/// A history with secrets in texts, messages, tags, authors and names, and with what is not read.
fn generated(seed: u64) -> Repo {
    let repo = History::of_texts(seed, |blob| match blob % 4 {
        0 => format!("line\nkey = \"{}\"\n", token(blob + 100 * seed)),
        1 => format!("line\nrequests.get(url, verify={})\nblob {blob}\n", "False"),
        2 => format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {blob}\n", format!("{blob:02x}").repeat(32)),
        _ => format!("line\nblob {blob}\n"),
    });
    repo.git(&["reset", "-q", "--hard"]).expect(0);
    for (path, text) in [("notes/one.txt", "one\n"), ("notes/two.txt", "two\n")] {
        // The name tells a secret, the text none: they may be told by different shards.
        let path = format!("{}/{path}", token(7 + seed));
        repo.accept(&path, text);
    }
    repo.accept("notes/three.txt", format!("key = \"{}\"\n", token(8 + seed)));
    repo.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", &format!("the key is {}", token(9 + seed))]).expect(0);
    repo.git(&["tag", "-a", "-m", &format!("the key is {}", token(10 + seed)), "told"]).expect(0);
    repo.git(&["branch", &format!("try-{}", token(11 + seed))]).expect(0);
    repo
}

/// The report of the whole history, without what differs from run to run.
fn whole(repo: &Repo) -> Value {
    timeless(repo.report(&["scan", "--history"], 1))
}

fn timeless(mut report: Value) -> Value {
    report["stats"].as_object_mut().unwrap().remove("elapsed_ms").unwrap();
    report
}

/// Scans one shard; gives the file of its report.
fn scanned(repo: &Repo, shard: &str) -> PathBuf {
    let file = repo.beside(&format!("shard-{}.json", shard.replace('/', "-")));
    let ended = repo.leakstop(&["scan", "--history", "--shard", shard, "--format", "json", "--output", file.to_str().unwrap()]);
    assert!([0, 1].contains(&ended.code), "{}", ended.err);
    file
}

fn merge(repo: &Repo, reports: &[PathBuf]) -> crate::support::Ended {
    let mut arguments = vec!["merge", "--format", "json"];
    arguments.extend(reports.iter().map(|file| file.to_str().unwrap()));
    repo.leakstop(&arguments)
}

#[test]
fn the_shards_together_say_what_one_scan_says() {
    for (seed, of) in [(1, 1), (2, 2), (3, 3), (4, 7), (5, 16)] {
        let repo = generated(seed);
        let whole = whole(&repo);
        assert!(whole["findings"].as_array().unwrap().len() > 12, "{seed}");
        let shards: Vec<_> = (1..=of).map(|index| scanned(&repo, &format!("{index}/{of}"))).collect();

        // In any order.
        let merged = merge(&repo, &shards.into_iter().rev().collect::<Vec<_>>()).expect(1);

        let merged = timeless(serde_json::from_str(&merged.out).unwrap());
        assert_eq!(merged, whole, "seed {seed}, {of} shards");
        assert_eq!(merged.to_string(), whole.to_string(), "the order too");
    }
}

#[test]
fn no_shard_tells_a_secret_in_a_name() {
    let repo = generated(6);
    for index in 1..=4 {
        let text = fs::read_to_string(scanned(&repo, &format!("{index}/4"))).unwrap();
        for seed in 7..=11 {
            assert_redacted(&text, &token(seed + 6));
        }
    }
}

#[test]
fn each_blob_commit_and_ref_is_in_one_shard() {
    let repo = generated(7);
    let whole = whole(&repo);
    let shards: Vec<Value> =
        (1..=5).map(|index| serde_json::from_slice(&fs::read(scanned(&repo, &format!("{index}/5"))).unwrap()).unwrap()).collect();
    for what in ["files", "bytes", "commits", "blobs", "refs"] {
        let counts: Vec<_> = shards.iter().map(|shard| shard["stats"][what].as_u64().unwrap()).collect();
        assert_eq!(counts.iter().sum::<u64>(), whole["stats"][what], "{what}");
        assert!(counts.iter().filter(|count| **count > 0).count() > 1, "{what}: all is in one shard");
    }
}

#[test]
fn what_does_not_make_a_whole_is_refused() {
    let repo = generated(8);
    let shards: Vec<_> = (1..=3).map(|index| scanned(&repo, &format!("{index}/3"))).collect();
    let all = repo.beside("all.json");
    repo.leakstop(&["scan", "--history", "--format", "json", "--output", all.to_str().unwrap()]).expect(1);
    let of_two = scanned(&repo, "1/2");
    let cut = repo.beside("cut.json");
    fs::write(&cut, &fs::read(&shards[2]).unwrap()[..200]).unwrap();
    let unknown = repo.beside("unknown.json");
    fs::write(&unknown, fs::read_to_string(&shards[2]).unwrap().replacen("{\"schema\":1", "{\"else\":1,\"schema\":1", 1)).unwrap();
    let configured = repo.beside("configured.json");
    let own = repo.beside("own.toml");
    fs::write(&own, "[level]\nlow = \"block\"\n").unwrap();
    let arguments = ["scan", "--history", "--shard", "3/3", "--format", "json", "--output", configured.to_str().unwrap(), "--config"];
    repo.leakstop(&[&arguments[..], &[own.to_str().unwrap()]].concat());
    let ruled = repo.beside("ruled.json");
    fs::write(&own, "[names]\nsensitive = [\"acme_pin\"]\n").unwrap();
    fs::write(&ruled, fs::read_to_string(&shards[2]).unwrap().replacen("\"rules\":\"", "\"rules\":\"0", 1)).unwrap();
    repo.accept("later.txt", "later\n");
    let later = scanned(&repo, "3/3");
    let later = (later.clone(), fs::read(&later).unwrap());
    let with = |third: &PathBuf| vec![shards[0].clone(), shards[1].clone(), third.clone()];
    for (reports, told) in [
        (shards[..2].to_vec(), "of 3 shards these are missing: 3"),
        (vec![shards[1].clone()], "of 3 shards these are missing: 1, 3"),
        (with(&shards[0]), "both tell of shard 1"),
        (with(&all), "tells of a whole scan"),
        (with(&of_two), "their number of shards is not the same"),
        (with(&cut), "is no JSON report"),
        (with(&unknown), "is no JSON report"),
        (with(&configured), "their configuration is not the same"),
        (with(&ruled), "their set of rules is not the same"),
        (with(&later.0), "their state of the repository is not the same"),
        (with(&repo.beside("none.json")), "cannot read the report"),
    ] {
        let ended = merge(&repo, &reports).expect(2);
        assert!(ended.err.contains(told), "{told}:\n{}", ended.err);
        assert!(ended.out.is_empty(), "{}", ended.out);
    }
}

#[test]
fn the_merged_report_reads_well_and_ends_as_it_should() {
    let repo = Repo::new();
    repo.accept("a.txt", "clean\n");
    let clean: Vec<_> = (1..=2).map(|index| scanned(&repo, &format!("{index}/2"))).collect();
    let names: Vec<_> = clean.iter().map(|file| file.to_str().unwrap()).collect();
    let told = repo.leakstop(&["merge", names[0], names[1]]).expect(0);
    assert_eq!(told.out, "leakstop: passed: 0 blocking, 0 warning, 0 allowed, 0 unread (read 1 commit, 1 file, 52 B)\n");
    let secret = token(1);
    repo.accept("b.txt", format!("key = \"{secret}\"\n"));
    (1..=2).for_each(|index| drop(scanned(&repo, &format!("{index}/2"))));

    let told = repo.leakstop(&["merge", names[0], names[1]]).expect(1);

    assert!(told.out.starts_with("blocked  GitHub"), "{}", told.out);
    assert!(told.out.contains("b.txt:1:8 in ") && told.out.contains("leakstop: blocked: 1 blocking"), "{}", told.out);
    assert_redacted(&told.out, &secret);
}

#[test]
fn a_scheduler_is_asked_only_when_somebody_says_so() {
    let repo = generated(9);
    let whole = whole(&repo);
    let of_job = |arguments: &[&str], index: &str| {
        let file = repo.beside("report.json");
        let mut command = repo.command(crate::support::LEAKSTOP);
        command.args(arguments).args(["--format", "json", "--output", file.to_str().unwrap()]);
        let ended = crate::support::ended(command.env("CI_NODE_INDEX", index).env("CI_NODE_TOTAL", "2"));
        assert!(ended.code < 2, "{}", ended.err);
        let report: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        report
    };
    assert_eq!(timeless(of_job(&["scan", "--history"], "1")), whole);
    let second = of_job(&["scan", "--history", "--shard", "auto"], "2");
    assert_eq!((&second["shard"]["index"], &second["shard"]["of"]), (&2.into(), &2.into()));
    repo.leakstop(&["scan", "--history", "--shard", "auto"]).expect(2);
    repo.leakstop(&["scan", "--history", "--shard", "3/2"]).expect(2);
    repo.leakstop(&["scan", "--staged", "--shard", "1/2"]).expect(2);
}

#[test]
fn a_repository_without_a_commit_has_shards_too() {
    let repo = Repo::new();
    feed(&repo, &["hash-object", "-w", "--stdin"], b"no ref holds it");
    let shards: Vec<_> = (1..=2).map(|index| scanned(&repo, &format!("{index}/2"))).collect();
    merge(&repo, &shards).expect(0);
}
