//! The chain itself: each way to alter a file is found, and what a crash leaves is told from it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

/// A file of four entries in a folder of its own.
fn four(key: &Key) -> (TempDir, PathBuf, Audit) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::new(&path, key.clone(), &[]).unwrap();
    for at in 1..=4 {
        assert_eq!(audit.append(received(&format!("run {at}"))).unwrap().seq, at);
    }
    (folder, path, audit)
}

fn received(command: &str) -> Event {
    Event::Received(Received {
        command: command.to_owned(),
        place: "/srv/x.git".to_owned(),
        rules: String::new(),
        actor: None,
        refs: Vec::new(),
        refs_left_out: 0,
    })
}

fn check(path: &Path, key: &Key) -> Verified {
    verify(&[path], key, |_, _| {}).unwrap()
}

fn key_of(folder: &TempDir, name: &str, fill: char) -> Key {
    let file = folder.path().join(name);
    fs::write(&file, fill.to_string().repeat(20)).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    Key::read(&file).unwrap()
}

#[test]
fn each_way_to_alter_a_chain_is_found_at_its_line() {
    /// Takes lines and gives others.
    type Alter = fn(Vec<String>) -> Vec<String>;
    /// The line that is named, and what is said of it.
    type Found = Option<(u64, &'static str)>;
    let table: [(&str, Alter, Found); 13] = [
        ("nothing", |l| l, None),
        (
            "a word",
            |mut l| {
                l[1] = l[1].replace("run 2", "run 9");
                l
            },
            Some((2, "its hash does not fit")),
        ),
        (
            "a word of the last",
            |mut l| {
                l[3] = l[3].replace("run 4", "run 9");
                l
            },
            Some((4, "its hash does not fit")),
        ),
        (
            "a blank",
            |mut l| {
                l[2].insert(1, ' ');
                l
            },
            Some((3, "its hash does not fit")),
        ),
        (
            "a hash",
            |mut l| {
                let at = l[2].len() - 4;
                l[2].replace_range(at..=at, "x");
                l
            },
            Some((3, "it is no entry, and the next one")),
        ),
        (
            "the first is gone",
            |mut l| {
                l.remove(0);
                l
            },
            Some((1, "it is entry 2, and no file begins with it")),
        ),
        (
            "one is gone",
            |mut l| {
                l.remove(1);
                l
            },
            Some((2, "it is entry 3, and the one before it is 1")),
        ),
        (
            "one twice",
            |mut l| {
                l.insert(1, l[1].clone());
                l
            },
            Some((3, "it is entry 2, and the one before it is 2")),
        ),
        (
            "two swapped",
            |mut l| {
                l.swap(1, 2);
                l
            },
            Some((2, "it is entry 3, and the one before it is 1")),
        ),
        (
            "a line put in",
            |mut l| {
                l.insert(2, "{\"schema\":1}".to_owned());
                l
            },
            Some((3, "it is no entry, and the next one")),
        ),
        (
            "an empty line",
            |mut l| {
                l.insert(2, String::new());
                l
            },
            Some((3, "it is no entry, and the next one")),
        ),
        (
            "a stranger at the end",
            |mut l| {
                l.push("hello".to_owned());
                l
            },
            Some((5, "nor the beginning of one")),
        ),
        (
            "a torn one",
            |mut l| {
                l[1].truncate(40);
                l
            },
            Some((2, "it is no entry, and the next one")),
        ),
    ];
    for (what, alter, expected) in table {
        let (_folder, path, _) = four(&Key::none());
        let text = fs::read_to_string(&path).unwrap();
        let altered = alter(text.lines().map(str::to_owned).collect());
        fs::write(&path, altered.join("\n") + "\n").unwrap();
        let told = check(&path, &Key::none());
        match (told.altered, expected) {
            (None, None) => {}
            (Some(told), Some((line, why))) => assert!(told.line == line && told.why.contains(why), "{what}: {told:?}"),
            (told, _) => panic!("{what}: {told:?}"),
        }
    }
}

#[test]
fn a_chain_made_anew_is_found_with_a_key_or_a_noted_head() {
    let (folder, path, audit) = four(&Key::none());
    let noted = check(&path, &Key::none()).head;
    fs::remove_file(&path).unwrap();
    for at in 1..=4 {
        audit.append(received(&format!("other {at}"))).unwrap();
    }
    let forged = check(&path, &Key::none());
    assert_eq!(forged.altered, None, "without a key anybody can write a chain");
    assert!(Noted { head: Some(&noted), count: None }.missing(&forged, false).unwrap().contains("no entry has the noted hash"));
    let key = key_of(&folder, "key", 'k');
    assert_eq!(check(&path, &key).altered.unwrap().line, 1);
    // With the key entries hold under this one alone, and nobody goes on with a chain of another.
    let (_folder, path, _) = four(&key);
    assert_eq!(check(&path, &key).altered, None);
    assert_eq!(check(&path, &key_of(&folder, "other", 'o')).altered.unwrap().line, 1);
    let without = Audit::new(&path, Key::none(), &[]).unwrap();
    assert!(matches!(without.append(received("x")), Err(AuditError::Broken { .. })));
}

#[test]
fn a_cut_end_shows_only_against_what_was_noted() {
    let (_folder, path, _) = four(&Key::none());
    let text = fs::read_to_string(&path).unwrap();
    let kept: String = text.lines().take(3).map(|line| format!("{line}\n")).collect();
    fs::write(&path, kept).unwrap();
    let told = check(&path, &Key::none());
    assert_eq!((told.altered.clone(), told.last), (None, 3));
    assert!(Noted { head: None, count: Some(4) }.missing(&told, false).is_some());
    assert_eq!(Noted { head: None, count: Some(3) }.missing(&told, false), None);
}

#[test]
fn a_line_torn_anywhere_stays_and_is_told_and_the_chain_goes_on() {
    let (_folder, path, audit) = four(&Key::none());
    let bytes = fs::read(&path).unwrap();
    let last = bytes[..bytes.len() - 1].iter().rposition(|&b| b == b'\n').unwrap() + 1;
    for cut in last + 1..bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        let told = check(&path, &Key::none());
        // Without its newline the entry is whole all the same.
        let is_whole = cut + 1 == bytes.len();
        assert_eq!((told.altered, told.is_torn_at_end, told.last), (None, !is_whole, if is_whole { 4 } else { 3 }), "cut at {cut}");
        audit.append(received("next")).unwrap();
        let told = check(&path, &Key::none());
        assert_eq!((told.altered, told.torn, told.is_torn_at_end), (None, u64::from(!is_whole), false), "cut at {cut}");
        assert!(fs::read(&path).unwrap().starts_with(&bytes[..cut]), "what was torn is gone");
        // What was torn is a part of the chain from then on.
        let mut altered = fs::read(&path).unwrap();
        altered[cut - 1] ^= 1;
        fs::write(&path, altered).unwrap();
        assert!(check(&path, &Key::none()).altered.is_some(), "cut at {cut}");
    }
}

#[test]
fn a_writer_refuses_to_go_on_after_an_entry_that_does_not_hold() {
    let alter: [fn(String) -> String; 3] = [|text| text.replace("run 4", "run 9"), |text| text + "hello\n", |text| text + "\n"];
    for alter in alter {
        let (_folder, path, audit) = four(&Key::none());
        let text = alter(fs::read_to_string(&path).unwrap());
        fs::write(&path, &text).unwrap();
        let refused = audit.append(received("x"));
        assert!(matches!(refused, Err(AuditError::Broken { .. })), "{refused:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "what was altered is no evidence any more");
    }
}

#[test]
fn a_file_that_is_moved_away_is_gone_on_with() {
    let (folder, path, audit) = four(&Key::none());
    let old = folder.path().join("old.jsonl");
    let (last, head) = audit.rotate(&old).unwrap();
    assert_eq!((last, &head), (4, &check(&old, &Key::none()).head));
    assert_eq!(audit.append(received("next")).unwrap().seq, 6);
    let told = check(&path, &Key::none());
    assert_eq!((told.altered, told.first, told.begins_after), (None, Some(5), head));
    let both = verify(&[&old, &path], &Key::none(), |_, _| {}).unwrap();
    assert_eq!((both.altered, both.entries), (None, 6));
    assert!(verify(&[&path, &old], &Key::none(), |_, _| {}).unwrap().altered.is_some());
    assert!(audit.rotate(&old).is_err(), "a file in the way is lost");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "something is left behind");
}

#[test]
fn a_line_without_end_costs_no_memory_and_is_no_entry() {
    let (_folder, path, audit) = four(&Key::none());
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(std::iter::repeat_n(b'x', 9 << 20));
    fs::write(&path, bytes).unwrap();
    assert_eq!(check(&path, &Key::none()).altered.unwrap().line, 5);
    assert!(matches!(audit.append(received("x")), Err(AuditError::Broken { .. })));
}
