//! The stories of `audit verify`, `audit stats` and `audit rotate`: what was decided, and is that what was written?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::audit::{Altered, Key, Noted, Stats, Verified, verify};
use crate::change;
use crate::cli::{AuditCommand, AuditFiles, Format, Global};
use crate::config::AuditPlace;
use crate::judge::Status;
use crate::terminal::escape;

use super::exceptions::usage;
use super::output::{deliver, shown};
use super::{Failure, recorded, settings};

pub(super) fn audit(command: &AuditCommand, global: &Global) -> Result<Status, Failure> {
    match command {
        AuditCommand::Verify { from, head, count } => {
            let head = head.as_deref().map(str::to_ascii_lowercase);
            told(&read(from, global, Noted { head: head.as_deref(), count: *count })?, Tell::Chain, global)
        }
        AuditCommand::Stats { from } => told(&read(from, global, Noted::default())?, Tell::Counts, global),
        AuditCommand::Rotate { to } => {
            let place = configured(global)?.ok_or_else(nowhere)?;
            let git_dir = change::hooks_dir(Path::new(".")).ok().map(|here| here.git_dir);
            let (entries, head) = recorded::open(&place, git_dir.as_deref())?.rotate(to)?;
            deliver(global, &format!("moved entries up to number {entries} to {}; the next file goes on from\nhead {head}\n", shown(to)))?;
            Ok(Status::Clean)
        }
    }
}

/// What was read.
struct Read {
    files: Vec<PathBuf>,
    verified: Verified,
    stats: Stats,
    /// What was noted elsewhere and is missing.
    missing: Option<String>,
}

fn read(from: &AuditFiles, global: &Global, noted: Noted<'_>) -> Result<Read, Failure> {
    let place = if from.files.is_empty() || from.key_file.is_none() { configured(global)? } else { None };
    let key = from.key_file.clone().or_else(|| place.as_ref()?.key_file.clone());
    let key = key.as_deref().map_or_else(|| Ok(Key::none()), Key::read)?;
    let files = if from.files.is_empty() { vec![place.ok_or_else(nowhere)?.file] } else { from.files.clone() };
    let (mut stats, mut had_head) = (Stats::default(), false);
    let paths: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let verified = verify(&paths, &key, |entry, hash| {
        had_head |= noted.head == Some(hash);
        stats.add(entry);
    })?;
    had_head |= verified.entries > 0 && noted.head == Some(verified.begins_after.as_str());
    let missing = noted.missing(&verified, had_head);
    Ok(Read { files, verified, stats, missing })
}

/// Where the configuration that applies here puts the audit: in a bare repository that of its hooks.
fn configured(global: &Global) -> Result<Option<AuditPlace>, Failure> {
    let server = change::hooks_dir(Path::new(".")).ok().filter(|here| here.work_tree.is_none());
    settings::audit_place(global, server.map(|here| here.git_dir).as_deref())
}

fn nowhere() -> Failure {
    usage("no audit is configured here".to_owned(), "name its file, or set `audit.file` in a configuration of the machine or the server")
}

/// What somebody wants to know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tell {
    Chain,
    Counts,
}

fn told(read: &Read, tell: Tell, global: &Global) -> Result<Status, Failure> {
    let whole = read.verified.altered.is_none() && read.missing.is_none();
    let text = match global.format {
        Format::Human => for_people(read, tell),
        Format::Json | Format::Jsonl => for_programs(read, tell),
    };
    deliver(global, &text)?;
    Ok(if whole { Status::Clean } else { Status::Blocked })
}

/// An entry that somebody forged may say anything, and must neither steer a terminal nor look like a line of ours.
fn safe(text: &str) -> String {
    escape(text.as_bytes())
}

fn for_people(Read { files, verified, stats, missing }: &Read, tell: Tell) -> String {
    let mut text = String::new();
    let last_file = files.last().map(|file| shown(file)).unwrap_or_default();
    // Writing to a string cannot fail.
    if tell == Tell::Counts {
        let runs: u64 = stats.runs.values().sum();
        let _ = writeln!(
            text,
            "runs        {runs}: {} allowed, {} blocked, {} failed, {} unfinished",
            stats.allowed, stats.blocked, stats.failed, stats.unfinished
        );
        for (command, count) in &stats.runs {
            let _ = writeln!(text, "            {count} {}", safe(command));
        }
        for (rule, verdicts) in &stats.findings {
            let told: Vec<_> = verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
            let _ = writeln!(text, "found       {}: {}", safe(rule), told.join(", "));
        }
        if stats.findings_left_out > 0 {
            let _ = writeln!(text, "found       {} more, too many to be listed", stats.findings_left_out);
        }
        for (owner, exception) in &stats.exceptions {
            let _ = writeln!(text, "excepted    {}: {} times, last {}", safe(owner), exception.used, safe(&exception.last));
        }
        let _ = writeln!(text, "unread      {}", stats.unread);
    }
    if let Some((first, last)) = &verified.times {
        let _ = writeln!(text, "entries     {} to {}, from {} to {}", verified.first.unwrap_or_default(), verified.last, safe(first), safe(last));
    }
    if verified.first.is_some_and(|first| first > 1) {
        let _ = writeln!(text, "begins      after {}, in an earlier file", safe(&verified.begins_after));
    }
    let _ = writeln!(text, "head        {}", verified.head);
    if verified.torn > 0 {
        let _ = writeln!(text, "torn        {} line(s) torn by a crash: what they would have said is not known", verified.torn);
    }
    if verified.is_torn_at_end {
        text.push_str("torn        the last line is torn by a crash, or was cut: what it would have said is not known\n");
    }
    if let Some(Altered { line, why }) = &verified.altered {
        let _ = writeln!(text, "ALTERED     line {line} of {last_file}: {why}");
    }
    if let Some(missing) = missing {
        let _ = writeln!(text, "ALTERED     {missing}");
    }
    text.push_str(match (&verified.altered, missing) {
        (None, None) => "leakstop: the audit is whole\n",
        _ => "leakstop: the audit is not what was written\n",
    });
    text
}

fn for_programs(Read { verified, stats, missing, .. }: &Read, tell: Tell) -> String {
    let (first, last) = verified.times.clone().unzip();
    let altered = verified.altered.as_ref().map(|altered| json!({"line": altered.line, "why": altered.why}));
    let mut document = json!({
        "schema": 1,
        "tool": {"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")},
        "command": if tell == Tell::Chain { "audit verify" } else { "audit stats" },
        "status": if altered.is_none() && missing.is_none() { "whole" } else { "altered" },
        "entries": verified.entries, "first": verified.first, "last": verified.last, "from": first, "to": last,
        "begins_after": verified.begins_after, "head": verified.head,
        "torn": verified.torn, "torn_at_end": verified.is_torn_at_end, "altered": altered, "missing": missing,
    });
    if tell == Tell::Counts {
        document["stats"] = json!(stats);
    }
    format!("{document}\n")
}
