//! `scan --history --since-last`: what was read once is not read again, and the report is that of the whole all the same.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::histories::{History, feed};
use crate::support::{LEAKSTOP, Repo, token};

const RESUMED: [&str; 3] = ["scan", "--history", "--since-last"];

/// A report without what differs from run to run, and how much of it was remembered.
fn told(repo: &Repo, arguments: &[&str]) -> (Value, u64) {
    let mut report = repo.report(arguments, 1);
    let stats = report["stats"].as_object_mut().unwrap();
    stats.remove("elapsed_ms").unwrap();
    let remembered = stats.remove("remembered").unwrap().as_u64().unwrap();
    (report, remembered)
}

/// Files of the state, without the locks.
fn states(repo: &Repo) -> Vec<PathBuf> {
    let folder = repo.beside("home").join(".local/state/leakstop");
    let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "state")).collect()
}

fn state(repo: &Repo) -> PathBuf {
    let [file] = &states(repo)[..] else { panic!("{:?}", states(repo)) };
    file.clone()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A line that is told where it is read as settings.
fn password() -> String {
    format!("DB_PASSWORD={}\n", &token(2)[4..18])
}

fn generated(seed: u64) -> Repo {
    let repo = History::of_texts(seed, |blob| match blob % 4 {
        0 => format!("line\nkey = \"{}\"\n", token(blob + 100 * seed)),
        1 => format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {blob}\n", format!("{blob:02x}").repeat(32)),
        _ => format!("line\nblob {blob} of {seed}\n"),
    });
    repo.git(&["reset", "-q", "--hard"]).expect(0);
    repo
}

#[test]
fn a_second_run_reads_little_and_says_the_same() {
    for seed in [1, 2, 3] {
        let repo = generated(seed);
        let (whole, _) = told(&repo, &["scan", "--history"]);
        assert!(states(&repo).is_empty(), "nobody asked to remember");
        assert_eq!(told(&repo, &RESUMED), (whole.clone(), 0));

        let (again, remembered) = told(&repo, &RESUMED);

        assert_eq!(again, whole, "{seed}");
        assert!(remembered > 5, "{seed}: {remembered}");
        let git = fs::read_dir(repo.path().join(".git")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        assert!(!git.iter().any(|name| name.to_string_lossy().contains("leakstop")), "{git:?}");
    }
}

#[test]
fn what_came_in_since_is_found() {
    let repo = generated(4);
    told(&repo, &RESUMED);
    repo.accept("new.txt", format!("key = \"{}\"\n", token(1)));
    // A text that was clean where it stood.
    repo.accept("config/.env.production", format!("line\nblob 2 of 4\n{}", password()));

    let (resumed, remembered) = told(&repo, &RESUMED);

    assert_eq!(resumed, told(&repo, &["scan", "--history"]).0);
    assert!(remembered > 5 && resumed.to_string().contains("\"path\":\"new.txt\""), "{remembered}");
}

#[test]
fn a_clean_text_is_read_again_where_it_appears_under_another_name() {
    let repo = Repo::new();
    let text = &format!("# a list of words\nimport os\nos.system('ls')\n{}", password());
    repo.accept("key.txt", format!("key = \"{}\"\n", token(1)));
    repo.accept("words.lock", text);
    told(&repo, &RESUMED);
    for path in [".env", "a.py", "tests/a.sh", "id_rsa"] {
        repo.accept(path, text);
        assert_eq!(told(&repo, &RESUMED).0, told(&repo, &["scan", "--history"]).0, "{path}");
    }
}

#[test]
fn each_shard_remembers_for_itself() {
    let repo = generated(5);
    for _ in 0..2 {
        for shard in ["1/2", "2/2"] {
            let arguments = ["scan", "--history", "--since-last", "--shard", shard];
            assert_eq!(told(&repo, &arguments).0, told(&repo, &["scan", "--history", "--shard", shard]).0);
        }
    }
    assert_eq!(states(&repo).len(), 2);
}

#[test]
fn nobody_else_can_read_what_is_remembered() {
    let repo = generated(6);
    let mut command = repo.command("sh");
    command.args(["-c", "umask 0 && exec \"$0\" scan --history --since-last", LEAKSTOP]);
    crate::support::ended(&mut command).expect(1);
    let file = state(&repo);
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let bytes = fs::read(&file).unwrap();
    for text in [&b"blob"[..], b"ghp_", b"d/x"] {
        assert!(memchr::memmem::find(&bytes, text).is_none(), "it holds digests alone");
    }
}

/// What is wrong with the state, and what is said of it.
type Spoilt = (&'static str, &'static str, fn(&Path));

#[test]
fn a_state_that_is_not_ours_or_not_whole_counts_for_nothing() {
    let repo = generated(7);
    let (whole, _) = told(&repo, &RESUMED);
    let spoilt: [Spoilt; 9] = [
        ("empty", "is damaged", |file| fs::write(file, b"").unwrap()),
        ("cut", "is damaged", |file| {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() - 24]).unwrap();
        }),
        ("an entry more", "is damaged", |file| {
            let mut bytes = fs::read(file).unwrap();
            let at = bytes.len() - 32;
            bytes.splice(at..at, [7; 24]);
            fs::write(file, bytes).unwrap();
        }),
        ("a bit in an entry", "is damaged", |file| flipped(file, 70)),
        ("a bit in the key", "is damaged", |file| flipped(file, 30)),
        ("a bit in the kind", "is damaged", |file| flipped(file, 3)),
        ("read by others", "is not a file of this user alone", |file| fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap()),
        ("a link", "is not a file of this user alone", |file| {
            let aside = file.with_extension("aside");
            fs::rename(file, &aside).unwrap();
            std::os::unix::fs::symlink(aside, file).unwrap();
        }),
        ("a folder", "remember", |file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }),
    ];
    for (what, said, spoil) in spoilt {
        let file = state(&repo);
        spoil(&file);

        let (mut report, remembered) = told(&repo, &RESUMED);

        let notes = std::mem::replace(&mut report["notes"], serde_json::json!([]));
        assert_eq!((&report, remembered), (&whole, 0), "{what}");
        assert!(notes.to_string().contains(said), "{what}: {notes}");
        if file.is_dir() {
            fs::remove_dir(&file).unwrap();
        }
        told(&repo, &RESUMED);
        assert!(told(&repo, &RESUMED).1 > 5, "{what}: it is whole again");
    }
}

fn flipped(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn another_configuration_reads_everything() {
    let repo = generated(8);
    told(&repo, &RESUMED);
    let own = repo.beside("own.toml");
    let rule = "[[rule]]\nid = \"acme-line\"\ntitle = \"A line\"\nrisk = \"It is a line.\"\nfix = \"Leave it.\"\nseverity = \"high\"\n\
                keywords = [\"blob \"]\npattern = '''blob [0-9]+ of 8'''\nexamples = [\"blob 2 of 8\"]\n";
    fs::write(&own, rule).unwrap();
    let with = ["--config", own.to_str().unwrap()];

    let (mut report, remembered) = told(&repo, &[&RESUMED[..], &with].concat());

    let notes = std::mem::replace(&mut report["notes"], serde_json::json!([]));
    assert_eq!((&report, remembered), (&told(&repo, &[&["scan", "--history"][..], &with].concat()).0, 0));
    assert!(notes.to_string().contains("another configuration") && report.to_string().contains("acme-line"), "{notes}");
}

#[test]
fn a_folder_that_cannot_be_written_is_no_answer() {
    let repo = generated(9);
    fs::write(repo.beside("home").join(".local"), "in the way").unwrap();
    let ended = repo.leakstop(&RESUMED).expect(2);
    assert!(ended.err.contains("cannot remember in") && ended.err.contains("XDG_STATE_HOME"), "{}", ended.err);
}

/// A history that takes some seconds to scan: each commit brings a file.
fn long(commits: u64) -> Repo {
    let repo = Repo::new();
    let mut stream = Vec::new();
    for at in 0..commits {
        let key = if at % 50 == 0 { format!("key = \"{}\"\n", token(at)) } else { String::new() };
        let lines: String = (0..400).map(|line| format!("value_{line} = table.get(index, {at}) + password_of(user) # {at} {line}\n")).collect();
        let text = format!("{key}{lines}");
        stream.extend(b"commit refs/heads/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 1\nc\n");
        stream.extend(format!("M 100644 inline d{}/f{at}.py\ndata {}\n{text}\n", at % 20, text.len()).bytes());
    }
    feed(&repo, &["fast-import", "--quiet"], &stream);
    repo
}

#[test]
fn a_scan_that_was_killed_goes_on_where_it_was() {
    let repo = long(300);
    let (whole, _) = told(&repo, &["scan", "--history"]);
    let mut known = 0;
    for _ in 0..3 {
        let mut command = repo.command(LEAKSTOP);
        let mut child = command.args(RESUMED).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        let size = || states(&repo).first().map_or(0, |file| fs::metadata(file).map_or(0, |about| about.len()));
        while size() <= known && child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(60), "nothing is remembered");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        known = size();
    }

    let (resumed, remembered) = told(&repo, &RESUMED);

    assert_eq!(resumed, whole);
    assert!(remembered > 0, "it began anew");
    assert_eq!(told(&repo, &RESUMED).1, 300 - 6, "all but what holds a finding");
}
