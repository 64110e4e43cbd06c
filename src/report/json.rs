//! The JSON report.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::Report;
use super::document::{Actor, Document, Stats, Tool, UnreadRow, sort};
use super::redact::Redactor;
use crate::finding::{Confidence, Family, Severity, Where};
use crate::judge::{Judged, Verdict};

#[derive(Serialize)]
struct Row<'a> {
    rule: &'a str,
    family: Family,
    title: &'a str,
    severity: Severity,
    confidence: Confidence,
    verdict: Verdict,
    reason: String,
    path: String,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    commit: Option<&'a str>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    r#where: Where,
    redacted: Option<String>,
    length: Option<usize>,
    fingerprint: &'a str,
    decoded: &'a [&'static str],
    message: Cow<'a, str>,
    fix: &'a str,
    rotate: Option<&'a str>,
    standards: &'a [String],
}

/// Writes one document.
///
/// # Errors
/// The stream cannot be written.
pub fn json(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let redactor = report.redactor();
    let findings = rows(report, &redactor)?;
    serde_json::to_writer(&mut *out, &document(report, findings, &redactor))?;
    out.write_all(b"\n")
}

/// Writes one line a finding, then one line with all the rest.
///
/// # Errors
/// The stream cannot be written.
pub fn json_lines(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let redactor = report.redactor();
    for row in rows(report, &redactor)? {
        writeln!(out, "{row}")?;
    }
    serde_json::to_writer(&mut *out, &document(report, Vec::new(), &redactor))?;
    out.write_all(b"\n")
}

fn document(report: &Report<'_>, findings: Vec<Box<RawValue>>, redactor: &Redactor) -> Document {
    let coverage = report.coverage;
    let unread = coverage.unread.iter().chain(&coverage.beyond).chain(&coverage.lfs);
    let mut unread: Vec<_> =
        unread.map(|unread| UnreadRow { path: redactor.show(&unread.path), why: redactor.show(unread.why.as_bytes()) }).collect();
    unread.sort_unstable();
    Document {
        schema: 1,
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        command: report.command.to_owned(),
        status: report.judgement.status(),
        actor: Actor { kind: "unknown".to_owned(), name: None, evidence: Vec::new() },
        findings,
        unread,
        notes: report.notes.iter().map(|note| redactor.show(note.as_bytes())).collect(),
        stats: Stats {
            files: coverage.files,
            bytes: coverage.bytes,
            commits: coverage.commits,
            blobs: coverage.blobs,
            refs: coverage.refs,
            remembered: coverage.remembered,
            rules: report.rules,
            elapsed_ms: u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
        },
        shard: report.split.cloned(),
    }
}

fn rows(report: &Report<'_>, redactor: &Redactor) -> io::Result<Vec<Box<RawValue>>> {
    let rows = report.judgement.judged.iter().map(|judged| to_raw_value(&row(judged, redactor)));
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    sort(&mut rows)?;
    Ok(rows)
}

fn row<'a>(judged: &'a Judged, redactor: &Redactor) -> Row<'a> {
    let finding = &judged.finding;
    let facts = &finding.facts;
    Row {
        rule: &facts.rule,
        family: facts.family,
        title: &facts.title,
        severity: facts.severity,
        confidence: finding.confidence,
        verdict: judged.verdict,
        reason: redactor.show(judged.reason.to_string().as_bytes()),
        path: redactor.show(&finding.full_path()),
        line: finding.span.map(|span| span.line),
        column: finding.span.map(|span| span.column),
        end_line: finding.span.map(|span| span.end_line),
        end_column: finding.span.map(|span| span.end_column),
        commit: finding.commit.as_deref(),
        reference: finding.reference.as_deref().map(|name| redactor.show(name)),
        r#where: finding.place,
        redacted: finding.secret.as_ref().map(|secret| secret.redacted(finding.public_prefix)),
        length: finding.secret.as_ref().map(crate::finding::Secret::len),
        fingerprint: finding.fingerprint.as_str(),
        decoded: &finding.decoded,
        message: match (finding.cell, finding.id_line) {
            (Some(cell), _) => format!("{} It stands in {}{cell}.", facts.message, if cell.is_output { "the " } else { "" }).into(),
            (None, Some(line)) => format!("{} Its id stands beside it on line {line}.", facts.message).into(),
            (None, None) => facts.message.as_str().into(),
        },
        fix: &facts.fix,
        rotate: facts.rotate.as_deref(),
        standards: &facts.standards,
    }
}
