//! The story of `import`: read another scanner's file, look its places up, write what can be said, tell what cannot.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::change::{self, ObjectId, Part, Store, Trust};
use crate::cli::{BaselineWrite, Global, Import};
use crate::config::{self, Accepted, Layer, Origin, Policy};
use crate::finding::{Fingerprint, Where};
use crate::import::{self, Imported, Owner, Place};
use crate::judge::Status;
use crate::report::Redactor;
use crate::rules::Rules;
use crate::scan::{Scanner, Text, plain};
use crate::terminal::escape;

use super::exceptions::{day_to_come, replace, usage};
use super::finding_maker::{self, FindingMaker};
use super::layers::{self, BASELINE, FILE};
use super::output::print;
use super::settings;
use super::{Failure, baseline, packed};

pub(super) fn import(import: &Import, global: &Global) -> Result<Status, Failure> {
    let expires = day_to_come(&import.expires)?.to_string();
    if import.owner.trim().is_empty() || import.reason.trim().is_empty() {
        return Err(usage("an exception needs an owner and a reason".to_owned(), "give both"));
    }
    if global.config.is_some() {
        return Err(usage("what is taken over goes into the repository's own files".to_owned(), "call it without `--config`"));
    }
    let name = import.file.display().to_string();
    let text = fs::read(&import.file).map_err(|source| change::ChangeError::File { path: import.file.clone(), source })?;
    let owner = Owner { owner: &import.owner, reason: &import.reason, expires: &expires };
    let mut imported =
        import::read(&name, &text, &owner).map_err(|e| usage(e.to_string(), "it takes `.gitleaksignore`, `.gitleaks.toml`, `.secrets.baseline`"))?;
    let root = settings::root().ok_or_else(|| usage("there is no work tree here".to_owned(), "go into one"))?;
    let found = if imported.places.is_empty() { BTreeMap::new() } else { look_up(&mut imported, global)? };
    let mut told = String::new();
    let config = root.join(FILE);
    let addition = addition(&mut imported, &config)?;
    if !addition.is_empty() {
        let wrote = append(&config, &addition, import.dry_run)?;
        told.push_str(&if import.dry_run { format!("would be added to {FILE}:\n\n{wrote}\n") } else { format!("wrote    {}\n", config.display()) });
    }
    let accepted = found.len();
    if !found.is_empty() {
        told.push_str(&accept(import, &root.join(BASELINE), found)?);
    }
    for (word, list) in [("changed", &imported.changed), ("left", &imported.left)] {
        for one in list {
            told.push_str(&format!("{word:<8} {}: {}\n", escape(one.what.as_bytes()), escape(one.why.as_bytes())));
        }
    }
    let (rules, exceptions) = (addition.matches("[[rule]]").count(), addition.matches("[[allow]]").count() + accepted);
    told.push_str(&format!("leakstop: {rules} rules and {exceptions} exceptions taken over from {name}, {} left out\n", imported.left.len()));
    print(&told)?;
    Ok(Status::Clean)
}

/// The findings of ours that stand where the other scanner was told to pass over something.
fn look_up(imported: &mut Imported, global: &Global) -> Result<BTreeMap<Fingerprint, String>, Failure> {
    let store = change::open(Trust::CheckOwner)?;
    let mut rules = Rules::built_in()?;
    let settings = settings::of_commit(global, &store, &mut rules)?;
    let scanner = Scanner::new(&rules).within(packed::limits(&settings.policy));
    let head = store.head()?;
    let mut found = BTreeMap::new();
    for place in std::mem::take(&mut imported.places) {
        match at(&place, &store, head, &scanner, &settings.policy)? {
            Ok(entries) => found.extend(entries),
            Err(why) => imported.left.push(import::Told { what: place.what, why: why.to_owned() }),
        }
    }
    Ok(found)
}

type Entries = Vec<(Fingerprint, String)>;

fn at(
    place: &Place,
    store: &dyn Store,
    head: Option<ObjectId>,
    scanner: &Scanner<'_>,
    policy: &Policy,
) -> Result<Result<Entries, &'static str>, Failure> {
    let commit = match &place.commit {
        Some(name) => match store.revision(name) {
            Ok(commit) => commit,
            Err(_) => return Ok(Err("its commit is not in this repository")),
        },
        None => match head {
            Some(head) => head,
            None => return Ok(Err("there is no commit yet")),
        },
    };
    let Some(blob) = change::file_in_commit(store, commit, place.path.as_bytes())? else {
        return Ok(Err("there is no such file in the commit"));
    };
    let mut bytes = Vec::new();
    store.read(blob, &mut bytes)?;
    let path = place.path.as_bytes();
    let mut maker = FindingMaker::without_git(policy);
    let scanned = scanner.look_into(Text { path, part: Part::Content, bytes: &plain(bytes) })?;
    for hit in scanned.hits {
        maker.add(hit, &finding_maker::Place { place: Where::Content, path, commit: None, reference: None });
    }
    let findings = maker.into_findings();
    let of_value = |finding: &&crate::finding::Finding| {
        place.sha1.as_deref().is_some_and(|sha1| finding.secret.as_ref().is_some_and(|secret| secret.has_sha1(sha1)))
    };
    let on_line = |finding: &&crate::finding::Finding| {
        place.line.is_some_and(|line| finding.span.is_some_and(|span| (span.line..=span.end_line).contains(&line)))
    };
    // The value is surer than the line, which moves with every edit above it.
    let mut meant: Vec<_> = findings.iter().filter(of_value).collect();
    if meant.is_empty() {
        meant = findings.iter().filter(on_line).collect();
    }
    if meant.is_empty() {
        return Ok(Err(if scanned.unread.is_empty() {
            "leakstop finds nothing there, so it needs no exception"
        } else {
            "leakstop cannot read all of that file, and finds nothing in what it reads"
        }));
    }
    let redactor = Redactor::new(findings.iter().flat_map(|finding| finding.secret.iter().chain(&finding.raw)));
    Ok(Ok(meant.into_iter().map(|finding| (finding.fingerprint.clone(), baseline::entry(finding, &redactor))).collect()))
}

/// The text that joins the configuration.
fn addition(imported: &mut Imported, config: &Path) -> Result<String, Failure> {
    let mut text = imported.config.clone();
    if !imported.stopwords.is_empty() {
        imported.stopwords.sort();
        imported.stopwords.dedup();
        let words = imported.stopwords.iter().map(|word| toml::Value::String(word.clone()).to_string()).collect::<Vec<_>>().join(", ");
        let before = fs::read_to_string(config).unwrap_or_default();
        if before.lines().any(|line| line.trim_start().starts_with("[values]")) {
            let what = format!("stopwords = [{words}]");
            imported.left.push(import::Told { what, why: format!("{FILE} has a `[values]` table already; add them there") });
        } else {
            text.push_str(&format!("[values]\nstopwords = [{words}]\n\n"));
        }
    }
    Ok(text)
}

/// Appends to the configuration, if the whole is surely read back.
fn append(file: &Path, addition: &str, dry_run: bool) -> Result<String, Failure> {
    let name = file.display().to_string();
    let before = match fs::read(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(config::ConfigError::Read { file: name, source }.into()),
    };
    let gap: &[u8] = if before.is_empty() { b"" } else { b"\n" };
    let after = [&before[..], gap, addition.trim_end().as_bytes(), b"\n"].concat();
    let layer = Layer { config: config::parse(&name, &after)?, file: name, origin: Origin::Repository };
    settings::usable(Ok(layer))?;
    if !dry_run {
        replace(file, &after).map_err(|source| Failure::Write { path: file.to_owned(), source })?;
    }
    Ok(addition.trim_end().to_owned())
}

fn accept(import: &Import, file: &Path, found: BTreeMap<Fingerprint, String>) -> Result<String, Failure> {
    let before = layers::baseline_on_disk(file)?;
    let write = BaselineWrite {
        owner: Some(import.owner.clone()),
        reason: Some(import.reason.clone()),
        expires: Some(import.expires.clone()),
        history: false,
    };
    // Who answered for what stands there already goes on to answer for all of it.
    let mut accepted: Accepted = match before {
        Some(before) => before,
        None => baseline::head(&write, file, None)?,
    };
    let number = found.len();
    for (fingerprint, entry) in found {
        accepted.entries.entry(fingerprint).or_insert(entry);
    }
    // A place in an older commit is no longer in the last one.
    accepted.history = true;
    if import.dry_run {
        return Ok(format!("would accept {number} findings in {BASELINE}\n"));
    }
    baseline::save(&accepted, file)?;
    Ok(format!(
        "accepted {number} findings in {}, for which {} answers until {}\n",
        file.display(),
        escape(accepted.owner.as_bytes()),
        accepted.expires
    ))
}
