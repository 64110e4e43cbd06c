//! Tells the audit, where one is configured, that a run began and how it ended. There is one run in a process, and whoever ends the
//! process early (the deadline, a panic) has to reach it: so it stands in one place for all.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use crate::audit::{self, Audit, Event, Key};
use crate::change::{Coverage, Part, RefUpdate, Store};
use crate::config::AuditPlace;
use crate::finding::Secret;
use crate::judge::{Judged, Judgement, Reason, Status, Verdict};
use crate::report::Redactor;
use crate::rules::{DIGEST, Rules};
use crate::scan::{Scanner, Text};

use super::Failure;
use super::settings::Settings;

/// A run that has begun.
struct Run {
    audit: Audit,
    of: u64,
    /// The verdict that was written.
    decided: Option<Status>,
}

static RUN: Mutex<Option<Run>> = Mutex::new(None);

/// More findings or refs are counted and not listed, and so is what is left when the list has so many bytes.
const MOST_LISTED: usize = 1000;
const MOST_BYTES: usize = 256 << 10;
/// So many bytes of a hash name one version of rules or configuration.
const SHORT: usize = 16;
/// A longer text is cut.
const LONGEST_TEXT: usize = 2000;

/// Variables in which platforms name the pusher, the surest first; the last two name the account that the hook runs under.
const ACTORS: [&str; 7] = ["GL_USERNAME", "GL_USER", "GITEA_PUSHER_NAME", "GITHUB_USER_LOGIN", "REMOTE_USER", "LOGNAME", "USER"];

/// The audit at this place, which must not lie where git keeps its own.
pub(super) fn open(place: &AuditPlace, git_dir: Option<&Path>) -> Result<Audit, Failure> {
    let key = place.key_file.as_deref().map_or_else(|| Ok(Key::none()), Key::read)?;
    let kept_out: Vec<PathBuf> = git_dir.into_iter().flat_map(|folder| [folder.join("objects"), folder.join("refs")]).collect();
    Ok(Audit::new(&place.file, key, &kept_out)?)
}

/// The run begins. Whatever keeps that from being written ends it.
pub(super) fn begin(
    place: Option<&AuditPlace>,
    command: &str,
    store: Option<&dyn Store>,
    updates: &[RefUpdate],
    rules: &Rules,
) -> Result<(), Failure> {
    let Some(place) = place else { return Ok(()) };
    let git_dir = store.map(Store::git_dir);
    let audit = open(place, git_dir.as_deref())?;
    let here = std::path::absolute(git_dir.unwrap_or_default().join(".")).unwrap_or_default();
    let here = here.as_os_str().as_encoded_bytes();
    let actor = ACTORS.iter().find_map(|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(|value| (*name, value)));
    let listed = &updates[..updates.len().min(MOST_LISTED)];
    let names = listed.iter().map(|update| (Part::Ref, &*update.name)).chain([(Part::Path, here)]);
    let names = names.chain(actor.iter().map(|(_, value)| (Part::Author, value.as_encoded_bytes())));
    let mask = mask(&Scanner::new(rules), names, &[])?;
    let id = |id: &crate::change::ObjectId| id.to_string();
    let refs = listed.iter().map(|update| audit::RefMove {
        name: mask.show(&update.name),
        old: update.old.as_ref().map(id),
        new: update.new.as_ref().map(id),
    });
    let refs = bounded(refs, |of| of.name.len() + 200);
    let event = Event::Received(audit::Received {
        command: command.to_owned(),
        place: mask.show(here),
        rules: DIGEST.chars().take(2 * SHORT).collect(),
        actor: actor.map(|(name, value)| audit::Actor { name: cut(mask.show(value.as_encoded_bytes())), evidence: name.to_owned() }),
        refs_left_out: (updates.len() - refs.len()) as u64,
        refs,
    });
    let of = audit.append(event)?.seq;
    if let Ok(mut run) = RUN.lock() {
        *run = Some(Run { audit, of, decided: None });
    }
    Ok(())
}

/// The run came to a verdict, which nobody was told yet.
pub(super) fn decided(
    judgement: &Judgement,
    coverage: &Coverage,
    settings: &Settings,
    rules: &Rules,
    in_names: &[Secret],
    started: Instant,
) -> Result<(), Failure> {
    let Ok(mut run) = RUN.lock() else { return Err(Failure::Thread) };
    let Some(run) = run.as_mut() else { return Ok(()) };
    // What blocks comes first, so that it is not what is left out.
    let by = |verdict: Verdict| judgement.judged.iter().filter(move |judged| judged.verdict == verdict);
    let listed: Vec<&Judged> = by(Verdict::Block).chain(by(Verdict::Warn)).chain(by(Verdict::Allow)).take(MOST_LISTED).collect();
    let names = listed.iter().map(|judged| (Part::Path, &*judged.finding.path));
    let secrets = judgement.judged.iter().flat_map(|judged| judged.finding.secret.iter().chain(&judged.finding.raw)).chain(in_names);
    let mask = mask(&Scanner::new(rules), names, &secrets.collect::<Vec<_>>())?;
    let findings = bounded(listed.iter().map(|judged| row(judged, &mask)), |row| row.path.len() + row.reason.len() + 400);
    let status = judgement.status();
    let event = Event::Decided(audit::Decided {
        of: run.of,
        status,
        exit: u8::from(status == Status::Blocked),
        configuration: short(&settings.digest()),
        findings_left_out: (judgement.judged.len() - findings.len()) as u64,
        findings,
        coverage: audit::Coverage {
            commits: coverage.commits,
            files: coverage.files,
            bytes: coverage.bytes,
            unread: (coverage.unread.len() + coverage.beyond.len()) as u64,
            lfs: coverage.lfs.len() as u64,
        },
        elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    let written = run.audit.append(event)?;
    run.decided = Some(status);
    Ok(written.to_disk()?)
}

/// The run could not do its job. That nothing passes is certain with or without this entry, so that nothing waits for it, and a
/// run of which it is missing stands as unfinished.
pub fn failed(why: impl FnOnce() -> String) {
    let Ok(mut run) = RUN.try_lock() else { return };
    if let Some(Run { audit, of, decided }) = run.take() {
        let event = Event::Failed(audit::Failed { of, exit: 2, why: cut(why()), instead_of: decided });
        let _ = audit.append(event);
    }
}

fn row(judged: &Judged, mask: &Redactor) -> audit::Row {
    let finding = &judged.finding;
    audit::Row {
        rule: finding.facts.rule.clone(),
        verdict: judged.verdict,
        reason: cut(mask.show(judged.reason.to_string().as_bytes())),
        owner: match &judged.reason {
            Reason::Exception { owner, .. } | Reason::Accepted { owner, .. } => Some(cut(mask.show(owner.as_bytes()))),
            _ => None,
        },
        r#where: finding.place,
        path: mask.show(&finding.full_path()),
        commit: finding.commit.as_deref().map(str::to_owned),
        fingerprint: finding.fingerprint.as_str().to_owned(),
    }
}

/// Masks what was found, and what the rules find in the names themselves: an entry is read for years, by others than the pusher.
fn mask<'a>(scanner: &Scanner<'_>, names: impl Iterator<Item = (Part, &'a [u8])>, known: &[&Secret]) -> Result<Redactor, Failure> {
    let mut secrets = Vec::new();
    let mut names: Vec<_> = names.collect();
    names.dedup_by(|a, b| a.1 == b.1);
    for (part, bytes) in names {
        let scanned = scanner.look_into(Text { path: b"", part, bytes })?;
        secrets.extend(scanned.hits.into_iter().flat_map(|hit| [hit.secret, hit.raw]).flatten());
        // Of more than can be listed nobody knows where it stands.
        secrets.extend(scanned.is_cut.then(|| Secret::new(bytes)));
    }
    Ok(Redactor::new(secrets.iter().chain(known.iter().copied())))
}

/// As many as fit.
fn bounded<T>(all: impl Iterator<Item = T>, size: impl Fn(&T) -> usize) -> Vec<T> {
    let mut bytes = 0;
    let fits = |one: &T| {
        bytes += size(one);
        bytes <= MOST_BYTES
    };
    all.take_while(fits).collect()
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        text.truncate((0..=LONGEST_TEXT).rfind(|&at| text.is_char_boundary(at)).unwrap_or(0));
        text.push('…');
    }
    text
}

fn short(digest: &[u8]) -> String {
    digest.iter().take(SHORT).map(|b| format!("{b:02x}")).collect()
}
