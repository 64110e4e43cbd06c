//! The story of `explain`: what fired in a file or on a line, what nearly did, and what stopped it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::change::{self, Part, Unread};
use crate::cli::{Explain, Global};
use crate::finding::{Confidence, Secret, Span, Where};
use crate::judge::{Gate, Judged, Status, Unseen, Verdict, judge};
use crate::report::Redactor;
use crate::rules::Rules;
use crate::scan::{Scanner, Story, Text, Trace, plain};

use super::finding_maker::{FindingMaker, Place};
use super::output::print;
use super::{Failure, packed, settings};

pub(super) fn explain(explain: &Explain, global: &Global) -> Result<Status, Failure> {
    let (file, line) = place(&explain.place);
    let mut rules = Rules::built_in()?;
    let root = change::hooks_dir(file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))).ok();
    let root = root.and_then(|place| place.work_tree);
    let settings = settings::of_files(global, root.as_deref(), &mut rules)?;
    let listed = change::files(std::slice::from_ref(&file), true, root.as_deref())?;
    let Some(entry) = listed.files.first().filter(|_| !file.is_dir()) else {
        return Err(Failure::Usage { why: format!("`{}` is no file", file.display()), hint: "name one file, as FILE or FILE:LINE" });
    };
    let bytes = std::fs::read(&entry.file).map_err(|source| change::ChangeError::File { path: entry.file.clone(), source })?;
    let bytes = plain(bytes);
    let lines = memchr::memchr_iter(b'\n', bytes.strip_suffix(b"\n").unwrap_or(&bytes)).count() + 1;
    if line.is_some_and(|line| line as usize > lines) {
        return Err(Failure::Usage { why: format!("`{}` ends with line {lines}", file.display()), hint: "name a line of it" });
    }
    let scanner = Scanner::new(&rules).within(packed::limits(&settings.policy));
    let text = Text { path: &entry.path, part: Part::Content, bytes: &bytes };
    let mut maker = FindingMaker::without_git(&settings.policy);
    let mut add =
        |hits: Vec<_>, place| hits.into_iter().for_each(|hit| maker.add(hit, &Place { place, path: &entry.path, commit: None, reference: None }));
    let scanned = scanner.look_into(text)?;
    add(scanned.hits, Where::Content);
    add(scanner.scan_path(&entry.path), Where::Path);
    let judged = judge(maker.into_findings(), Unseen::default(), Gate::Commit, &settings.policy, settings::today()?).judged;
    let traces = scanner.explain(text)?;
    let secrets = judged
        .iter()
        .flat_map(|one| one.finding.secret.iter().chain(&one.finding.raw))
        .chain(traces.iter().filter(|trace| holds_value(trace)).filter_map(|trace| trace.raw.as_ref()));
    let redactor = Redactor::new(secrets);
    let page = Page { path: redactor.show(&entry.path), line, redactor };
    print(&(page.told(&judged, &traces) + &page.unread(packed::below(&entry.path, scanned.unread))))?;
    Ok(Status::Clean)
}

/// The file, and the line where one is named. A file may itself end in `:3`.
fn place(text: &OsStr) -> (PathBuf, Option<u32>) {
    let whole = PathBuf::from(text);
    let split = text.to_str().and_then(|text| text.rsplit_once(':')).and_then(|(file, line)| Some((file, line.parse::<u32>().ok()?)));
    match split {
        Some((file, line)) if line > 0 && !whole.exists() => (PathBuf::from(file), Some(line)),
        _ => (whole, None),
    }
}

/// A keyword alone is no value, and masking it would tear names apart.
fn holds_value(trace: &Trace<'_>) -> bool {
    matches!(trace.story, Story::Passed(_) | Story::Stopped(_) | Story::Unlikely { .. })
}

/// Where something stands in the file of this path.
fn at_path(path: &str, span: Option<Span>) -> String {
    match span {
        Some(span) => format!("{path}:{}:{}", span.line, span.column),
        None => format!("{path} (the name itself)"),
    }
}

struct Page {
    path: String,
    line: Option<u32>,
    redactor: Redactor,
}

impl Page {
    fn told(&self, judged: &[Judged], traces: &[Trace<'_>]) -> String {
        let mut text = String::new();
        for one in judged.iter().filter(|one| self.shows(one.finding.span)) {
            self.fired(one, &mut text);
        }
        // What hardly ever leads anywhere is told in short of a line, and counted of a file.
        let mut faint: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for trace in traces.iter().filter(|trace| self.shows(trace.span)) {
            match &trace.story {
                Story::Passed(confidence) => self.passed(trace, *confidence, judged, &mut text),
                Story::Stopped(why) => self.missed(trace, why, &mut text),
                Story::Unlikely { probability, needed, weights } => {
                    let why = format!("plausibility {probability:.2}, and {needed:.2} would be told");
                    self.missed(trace, &why, &mut text);
                    for (sign, word) in [(1.0, "for"), (-1.0, "against")] {
                        let list = weights.iter().filter(|(_, _, weight)| weight * sign > 0.0);
                        let list: Vec<_> = list.map(|(name, value, weight)| format!("{name} {} ({weight:+.1})", short(*value))).collect();
                        if !list.is_empty() {
                            let _ = writeln!(text, "         {word:<8} {}", list.join(", "));
                        }
                    }
                }
                Story::NoMatch => faint.entry("a keyword of theirs stands here, and their pattern does not match").or_default().push(trace.rule.id()),
                Story::NotSubject(why) | Story::NothingBound(why) => faint.entry(why).or_default().push(trace.rule.id()),
            }
        }
        let number: usize = faint.values().map(Vec::len).sum();
        if self.line.is_none() && number > 0 {
            let _ = writeln!(text, "{number} keywords stand in it without more; FILE:LINE tells of those on a line");
        } else if text.is_empty() && number == 0 {
            let _ = writeln!(text, "no keyword of any rule stands here");
        }
        for (why, mut rules) in faint.into_iter().filter(|_| self.line.is_some()) {
            rules.dedup();
            let _ = writeln!(text, "silent   {}\n         because  {why}", rules.join(", "));
        }
        text
    }

    /// What could not be looked into, whichever line is asked about: what it holds is not in the story.
    fn unread(&self, unread: impl Iterator<Item = Unread>) -> String {
        unread
            .map(|one| format!("unread   {}\n         because  {}\n", self.redactor.show(&one.path), self.redactor.show(one.why.as_bytes())))
            .collect()
    }

    fn shows(&self, span: Option<Span>) -> bool {
        match (self.line, span) {
            (Some(line), Some(span)) => (span.line..=span.end_line).contains(&line),
            // What concerns the file as a whole belongs to no line.
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    fn at(&self, span: Option<Span>) -> String {
        at_path(&self.path, span)
    }

    fn fired(&self, judged: &Judged, text: &mut String) {
        let finding = &judged.finding;
        let word = match judged.verdict {
            Verdict::Block => "blocked",
            Verdict::Warn => "warning",
            Verdict::Allow => "allowed",
        };
        let mask = finding.secret.as_ref().map(|secret| format!("  {}  ({} characters)", secret.redacted(finding.public_prefix), secret.len()));
        let decoded = if finding.decoded.is_empty() { String::new() } else { format!(", encoded as {}", finding.decoded.join(" in ")) };
        let at = at_path(&self.redactor.show(&finding.full_path()), finding.span);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{word}  {}  {}{}{decoded}", finding.facts.rule, at, mask.unwrap_or_default());
        let _ = writeln!(
            text,
            "         because  {}; {} confidence, fingerprint {}",
            self.redactor.show(judged.reason.to_string().as_bytes()),
            sure(finding.confidence),
            finding.fingerprint
        );
    }

    /// What passed and is no finding gave way to another rule.
    fn passed(&self, trace: &Trace<'_>, confidence: Confidence, judged: &[Judged], text: &mut String) {
        let same = |one: &&Judged| one.finding.facts.rule == trace.rule.id() && one.finding.span == trace.span;
        if judged.iter().any(|one| same(&one)) {
            return;
        }
        let covers = |one: &&Judged| match (one.finding.span, trace.span) {
            (Some(a), Some(b)) => (a.line, a.column) < (b.end_line, b.end_column) && (b.line, b.column) < (a.end_line, a.end_column),
            _ => false,
        };
        let why = match judged.iter().find(covers) {
            Some(other) => format!("`{}` covers the same place and says more", other.finding.facts.rule),
            None => format!("it fits with {} confidence, but another layer of the text shows it", sure(confidence)),
        };
        self.missed(trace, &why, text);
    }

    fn missed(&self, trace: &Trace<'_>, why: &str, text: &mut String) {
        let length = trace.raw.as_ref().map(Secret::len).unwrap_or_default();
        let decoded = if trace.decoded.is_empty() { String::new() } else { format!(", encoded as {}", trace.decoded.join(" in ")) };
        let length = if length > 0 { format!("  ({length} characters{decoded})") } else { String::new() };
        let _ = writeln!(text, "not so   {}  {}{length}\n         because  {}", trace.rule.id(), self.at(trace.span), why);
    }
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

/// A number as short as it can be read.
fn short(value: f32) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
