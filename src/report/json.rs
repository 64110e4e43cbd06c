//! The JSON report, schema 1. Keys are only ever added.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::Report;
use super::redact::Redactor;
use crate::finding::{Confidence, Family, Severity, Where};
use crate::judge::{Judged, Status, Verdict};

#[derive(Serialize)]
struct Document<'a> {
    schema: u8,
    tool: Tool,
    command: &'a str,
    status: Status,
    actor: Actor,
    findings: Vec<Row<'a>>,
    unread: Vec<UnreadRow>,
    notes: Vec<String>,
    stats: Stats,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Who made the change. Nothing looks for that yet, so it says so.
#[derive(Serialize)]
struct Actor {
    kind: &'static str,
    name: Option<String>,
    evidence: Vec<String>,
}

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

#[derive(Serialize)]
struct UnreadRow {
    path: String,
    why: String,
}

#[derive(Serialize)]
struct Stats {
    files: u64,
    bytes: u64,
    commits: u64,
    blobs: u64,
    refs: u64,
    rules: usize,
    elapsed_ms: u128,
}

/// Writes one document.
///
/// # Errors
/// The stream cannot be written.
pub fn json(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let redactor = Redactor::of(&report.judgement.judged);
    let findings = report.judgement.judged.iter().map(|judged| row(judged, &redactor)).collect();
    serde_json::to_writer(&mut *out, &document(report, findings, &redactor))?;
    out.write_all(b"\n")
}

/// Writes one line a finding, then one line with all the rest.
///
/// # Errors
/// The stream cannot be written.
pub fn json_lines(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let redactor = Redactor::of(&report.judgement.judged);
    for judged in &report.judgement.judged {
        serde_json::to_writer(&mut *out, &row(judged, &redactor))?;
        out.write_all(b"\n")?;
    }
    serde_json::to_writer(&mut *out, &document(report, Vec::new(), &redactor))?;
    out.write_all(b"\n")
}

fn document<'a>(report: &Report<'a>, findings: Vec<Row<'a>>, redactor: &Redactor) -> Document<'a> {
    let coverage = report.coverage;
    Document {
        schema: 1,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        command: report.command,
        status: report.judgement.status(),
        actor: Actor { kind: "unknown", name: None, evidence: Vec::new() },
        findings,
        unread: coverage
            .unread
            .iter()
            .chain(&coverage.lfs)
            .map(|unread| UnreadRow { path: redactor.show(&unread.path), why: redactor.show(unread.why.as_bytes()) })
            .collect(),
        notes: report.notes.iter().map(|note| redactor.show(note.as_bytes())).collect(),
        stats: Stats {
            files: coverage.files,
            bytes: coverage.bytes,
            commits: coverage.commits,
            blobs: coverage.blobs,
            refs: coverage.refs,
            rules: report.rules,
            elapsed_ms: report.elapsed.as_millis(),
        },
    }
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
