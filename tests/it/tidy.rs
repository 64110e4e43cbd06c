//! Keeps the promises of the architecture: who imports whom, how long files are, what a secret can do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// For each room the rooms that it may import. `main`, `cli` and `run` may import all.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("change", &[]),
    ("finding", &[]),
    ("terminal", &[]),
    ("rules", &["finding"]),
    ("scan", &["rules", "finding", "change"]),
    ("config", &["rules", "finding"]),
    ("judge", &["finding", "rules", "config"]),
    ("report", &["finding", "judge", "change", "terminal"]),
    ("host", &["terminal"]),
    ("install", &["terminal"]),
    ("import", &["rules"]),
    ("audit", &["finding", "judge"]),
];
/// Rooms that tell what the others do.
const FREE: [&str; 4] = ["main", "lib", "cli", "run"];
/// Of `change` these rooms know the types that describe content, and none that reads git.
const TYPES_OF_CHANGE: [&str; 3] = ["Part", "Coverage", "Unread"];
/// A longer file says at its top why.
const LONG: usize = 400;

/// The files of `src` with the part before their unit tests.
fn sources() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
                found.insert(path.strip_prefix(&root).unwrap().to_owned(), code);
            }
        }
    }
    assert!(found.len() > 40, "the sources were not found");
    found
}

/// The first folder or file name of a path: its room.
fn room(path: &Path) -> String {
    path.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Every `crate::room` in a text, with the names taken from the room itself.
fn imports(text: &str) -> Vec<(String, Vec<String>)> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_owned() + "\n").collect();
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        // `$crate::`, `leakstop_crate::` do not occur; `use crate::{a, b}` does not either, see the test below.
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
        let (room, rest) = part.split_at(end);
        let rest = rest.strip_prefix("::").unwrap_or_default();
        let taken = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        let name = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        found.push((room.to_owned(), taken.into_iter().map(name).filter(|name| !name.is_empty()).collect()));
    }
    found
}

#[test]
fn rooms_import_only_what_the_architecture_says() {
    let table: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let own = room(&path);
        if text.contains("use crate::{") {
            wrong.push(format!("{}: one line a room, please", path.display()));
        }
        if FREE.contains(&own.as_str()) || path == Path::new("rules/build.rs") {
            continue;
        }
        let Some(allowed) = table.get(own.as_str()) else {
            wrong.push(format!("{}: the room `{own}` is not in the table", path.display()));
            continue;
        };
        for (used, names) in imports(&text) {
            if used != own && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: `{own}` must not import `{used}`", path.display()));
            }
            for name in names.iter().filter(|name| used == "change" && own != "change" && !TYPES_OF_CHANGE.contains(&name.as_str())) {
                wrong.push(format!("{}: `{own}` must not know `change::{name}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_reader_of_imports_reads_them() {
    let text = "use crate::change::{Coverage, Unread};\n// crate::run\nlet x = crate::terminal::escape(b);\nuse crate::scan::decode::MAX;\n";
    let found: Vec<_> = imports(text).into_iter().map(|(room, names)| format!("{room} {}", names.join(" "))).collect();
    assert_eq!(found, ["change Coverage Unread", "terminal escape", "scan decode"]);
}

#[test]
fn a_long_file_says_why() {
    for (path, _) in sources() {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&path)).unwrap();
        let lines = text.lines().count();
        let top: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(lines <= LONG || top.contains("long because"), "{} has {lines} lines and does not say `long because …`", path.display());
        assert!(text.starts_with("//!"), "{} does not say what it answers", path.display());
    }
}

#[test]
fn git_is_known_to_one_room() {
    for (path, text) in sources() {
        assert!(room(&path) == "change" || !text.contains("git2"), "{} names git2", path.display());
    }
}

#[test]
fn only_main_ends_the_process_and_nothing_prints_by_the_way() {
    for (path, text) in sources() {
        assert!(room(&path) == "main" || !text.contains("process::exit"), "{} exits", path.display());
        // A build script talks to cargo.
        let talks = path == Path::new("rules/build.rs");
        assert!(talks || !["println!", "eprintln!", "dbg!"].iter().any(|print| text.contains(print)), "{} prints", path.display());
    }
}

#[test]
fn scan_and_judge_see_no_clock_no_file_and_no_environment() {
    for (path, text) in sources() {
        if ["scan", "judge"].contains(&room(&path).as_str()) {
            for outside in ["std::fs", "std::env", "std::time", "std::process", "std::net", "Timestamp::now"] {
                assert!(!text.contains(outside), "{} uses {outside}", path.display());
            }
        }
    }
}

#[test]
fn a_secret_cannot_be_shown() {
    let sources = sources();
    let text = &sources[Path::new("finding/secret.rs")];
    let derived = text.lines().find(|line| line.starts_with("#[derive(")).unwrap();
    for shown in ["Debug", "Display", "Serialize", "Deref", "AsRef", "Borrow", "Index"] {
        assert!(!derived.contains(shown), "{derived}");
        for (path, text) in &sources {
            let implemented =
                text.lines().any(|line| line.contains(&format!("{shown} for Secret")) || line.contains(&format!("{shown}<[u8]> for Secret")));
            assert!(!implemented, "{} implements {shown}", path.display());
        }
    }
    assert!(text.contains("pub(crate) fn expose") && !text.contains("pub fn expose"));
    // What holds one must not be shown either.
    for (path, text) in &sources {
        for (at, _) in text.match_indices("Option<Secret>,\n") {
            let declared = text[..at].rfind("struct ").unwrap();
            let attributes = text[..declared].rsplit("\n\n").next().unwrap();
            assert!(!attributes.contains("Debug") && !attributes.contains("Serialize"), "{}: {attributes}", path.display());
        }
    }
}

#[test]
fn the_bytes_of_a_secret_are_taken_in_few_places() {
    // Fingerprints, the question whether it was there before, the mask of names, and how much of a prefix is public.
    let known = [
        ("report", "redact.rs"),
        ("run", "examine.rs"),
        ("run", "finding_maker.rs"),
        ("scan", "large.rs"),
        ("scan", "mod.rs"),
        ("finding", "secret.rs"),
    ];
    for (path, text) in sources() {
        let of = (room(&path), path.file_name().unwrap().to_str().unwrap().to_owned());
        let listed = known.iter().any(|(room, file)| *room == of.0 && *file == of.1);
        assert!(listed || !(text.contains(".expose()") || text.contains("Secret::expose")), "{} takes a secret's bytes", path.display());
    }
}
