//! The report for people: one compact block a secret, the verdict last. It reads the same as `remote:` lines of a push.

use std::collections::HashMap;
use std::io::{self, Write};

use anstyle::Style;

use super::Report;
use super::redact::Redactor;
use crate::finding::{Finding, Secret, Where};
use crate::judge::{Judged, Reason, Status, Verdict};
use crate::terminal::Palette;

/// With git's `remote: ` in front a line stays within 100 columns.
const WIDTH: usize = 92;
/// Everything below a block's first line starts here: under the title.
const INDENT: &str = "         ";
/// More places of one secret are counted, not listed.
const PLACES: usize = 5;
/// So many unread names are listed.
const UNREAD: usize = 10;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What blocks, and the verdict.
    Quiet,
    /// Also what warns.
    Normal,
    /// Also what was allowed, and why.
    Verbose,
}

/// Writes the report.
///
/// # Errors
/// The stream cannot be written.
pub fn human(report: &Report<'_>, detail: Detail, palette: &Palette, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { report, palette, redactor: report.redactor() };
    let least = match detail {
        Detail::Quiet => Verdict::Block,
        Detail::Normal => Verdict::Warn,
        Detail::Verbose => Verdict::Allow,
    };
    for group in groups(&report.judgement.judged, least) {
        page.group(&group, out)?;
    }
    page.unread(out)?;
    page.beyond(least, out)?;
    page.lfs(least, out)?;
    for note in report.notes {
        page.paragraph("note: ", &page.redactor.show(note.as_bytes()), out)?;
    }
    if detail == Detail::Quiet && report.judgement.status() != Status::Blocked {
        return Ok(());
    }
    page.verdict(out)
}

/// Findings of one value with one verdict, under whichever rules, in the order of their first places; where a rule holds no
/// value, those of one fingerprint.
fn groups(judged: &[Judged], least: Verdict) -> Vec<Vec<&Judged>> {
    let mut groups: Vec<Vec<&Judged>> = Vec::new();
    let mut known: HashMap<(Option<&Secret>, &str, Verdict), usize> = HashMap::new();
    for one in judged.iter().filter(|one| one.verdict >= least) {
        let secret = one.finding.secret.as_ref();
        let fingerprint = if secret.is_some() { "" } else { one.finding.fingerprint.as_str() };
        let at = *known.entry((secret, fingerprint, one.verdict)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    // What blocks stands last, next to the verdict: that is where a terminal ends.
    groups.sort_by_key(|group| group.first().map(|one| one.verdict));
    groups
}

struct Page<'a> {
    report: &'a Report<'a>,
    palette: &'a Palette,
    redactor: Redactor,
}

impl Page<'_> {
    fn group(&self, group: &[&Judged], out: &mut dyn Write) -> io::Result<()> {
        let Some(first) = group.first() else { return Ok(()) };
        let finding = &first.finding;
        let (word, style) = self.word(first.verdict);
        let strong = self.palette.strong;
        let kind = format!("{}, {}", finding.facts.rule, finding.facts.severity.as_str());
        writeln!(out, "{style}{word}{style:#}  {strong}{}{strong:#}  ({kind})", finding.facts.title)?;
        self.places(group, out)?;
        if first.verdict == Verdict::Allow {
            return self.labelled("because", &self.reason(first), out);
        }
        self.wrapped(&finding.facts.message, out)?;
        if matches!(first.reason, Reason::LowConfidence(_) | Reason::Expired { .. }) {
            self.labelled("because", &self.reason(first), out)?;
        }
        self.labelled("fix", &finding.facts.fix, out)?;
        if let Some(page) = &finding.facts.rotate {
            self.line("revoke", page, out)?;
        }
        if first.verdict == Verdict::Block {
            let mut fingerprints: Vec<_> = group.iter().map(|one| &one.finding.fingerprint).collect();
            fingerprints.sort_unstable_by_key(|other| (*other != &finding.fingerprint, *other));
            fingerprints.dedup();
            for fingerprint in fingerprints {
                let allow = format!("leakstop allow {fingerprint} --owner YOU --reason WHY --expires {}", self.report.suggested_expiry);
                self.line("if safe", &allow, out)?;
            }
        }
        writeln!(out)
    }

    fn word(&self, verdict: Verdict) -> (&'static str, Style) {
        match verdict {
            Verdict::Block => ("blocked", self.palette.block),
            Verdict::Warn => ("warning", self.palette.warn),
            Verdict::Allow => ("allowed", self.palette.good),
        }
    }

    /// Names of people and files stand in it.
    fn reason(&self, judged: &Judged) -> String {
        self.redactor.show(judged.reason.to_string().as_bytes())
    }

    fn places(&self, group: &[&Judged], out: &mut dyn Write) -> io::Result<()> {
        for one in group.iter().take(PLACES) {
            let other = group.first().filter(|first| first.finding.facts.rule != one.finding.facts.rule);
            self.place(&one.finding, other.is_some(), out)?;
        }
        if group.len() > PLACES {
            writeln!(out, "{INDENT}and {} more places", group.len() - PLACES)?;
        }
        Ok(())
    }

    /// Name, commit and mask, on as many lines as they need.
    fn place(&self, finding: &Finding, by_another_rule: bool, out: &mut dyn Write) -> io::Result<()> {
        let name = self.name(finding);
        let commit = finding.commit.as_deref().map(|id| format!(" in {}", id.get(..12).unwrap_or(id)));
        let reference = finding.reference.as_deref().map(|name| format!(" ({})", self.redactor.show(name)));
        let rule = by_another_rule.then(|| format!("  as {}", finding.facts.rule));
        let mut width = INDENT.len() + name.chars().count();
        let strong = self.palette.strong;
        write!(out, "{INDENT}{strong}{name}{strong:#}")?;
        let cell = finding.cell.map(|cell| format!(" ({cell})"));
        let id = finding.id_line.map(|line| format!(" (its id on line {line})"));
        for part in [cell, id, commit, reference, mask(finding), rule].into_iter().flatten() {
            let wide = part.chars().count();
            if width + wide > WIDTH {
                width = INDENT.len();
                write!(out, "\n{INDENT}")?;
            }
            write!(out, "{part}")?;
            width += wide;
        }
        writeln!(out)
    }

    fn name(&self, finding: &Finding) -> String {
        let at = finding.span.map(|span| format!("{}:{}", span.line, span.column)).unwrap_or_default();
        let path = self.redactor.show(&finding.full_path());
        match finding.place {
            Where::Content if at.is_empty() => path,
            Where::Content => format!("{path}:{at}"),
            Where::Path => format!("{path} (the name itself)"),
            Where::Message => format!("commit message, line {at}"),
            Where::Author => "author or committer of the commit".to_owned(),
            Where::Tag => format!("annotated tag, line {at}"),
            Where::Ref => "the name of the ref".to_owned(),
        }
    }

    fn unread(&self, out: &mut dyn Write) -> io::Result<()> {
        let unread = &self.report.coverage.unread;
        let Some(verdict) = self.report.judgement.unread.filter(|_| !unread.is_empty()) else { return Ok(()) };
        let (word, style) = self.word(verdict);
        writeln!(out, "{style}{word}{style:#}  {} not read, so nobody knows what is in there", count(unread.len() as u64, "file was", "files were"))?;
        for one in unread.iter().take(UNREAD) {
            writeln!(out, "{INDENT}{}: {}", self.redactor.show(&one.path), self.redactor.show(one.why.as_bytes()))?;
        }
        if unread.len() > UNREAD {
            writeln!(out, "{INDENT}and {} more", unread.len() - UNREAD)?;
        }
        writeln!(out)
    }

    fn beyond(&self, least: Verdict, out: &mut dyn Write) -> io::Result<()> {
        let Some(verdict) = self.report.judgement.beyond.filter(|verdict| *verdict >= least) else { return Ok(()) };
        let (word, style) = self.word(verdict);
        let beyond = &self.report.coverage.beyond;
        writeln!(out, "{style}{word}{style:#}  in {} more was found than is listed", count(beyond.len() as u64, "file", "files"))?;
        for one in beyond.iter().take(UNREAD) {
            writeln!(out, "{INDENT}{}: {}", self.redactor.show(&one.path), self.redactor.show(one.why.as_bytes()))?;
        }
        if beyond.len() > UNREAD {
            writeln!(out, "{INDENT}and {} more", beyond.len() - UNREAD)?;
        }
        writeln!(out, "{INDENT}If nothing in it counts, name it in `paths.allow` of the configuration\n")
    }

    /// One line: those who use Git LFS see it often.
    fn lfs(&self, least: Verdict, out: &mut dyn Write) -> io::Result<()> {
        let Some(verdict) = self.report.judgement.lfs.filter(|verdict| *verdict >= least) else { return Ok(()) };
        let (word, style) = self.word(verdict);
        let pointers = count(self.report.coverage.lfs.len() as u64, "file is a Git LFS pointer", "files are Git LFS pointers");
        writeln!(out, "{style}{word}{style:#}  {pointers}: the content is not in git and was not read")
    }

    fn verdict(&self, out: &mut dyn Write) -> io::Result<()> {
        let (judgement, coverage) = (self.report.judgement, self.report.coverage);
        let (word, style) = match judgement.status() {
            Status::Blocked => ("blocked", self.palette.block),
            Status::Warned => ("passed with warnings", self.palette.warn),
            Status::Clean => ("passed", self.palette.good),
        };
        let mut findings = Vec::new();
        for (verdict, word) in [(Verdict::Block, "blocking"), (Verdict::Warn, "warning"), (Verdict::Allow, "allowed")] {
            let number = judgement.count(verdict);
            if number > 0 {
                findings.push(format!("{number} {word}"));
            }
        }
        let findings = if findings.is_empty() { "nothing found".to_owned() } else { findings.join(", ") };
        let mut read = Vec::new();
        if coverage.commits > 0 {
            read.push(count(coverage.commits, "commit", "commits"));
        }
        read.push(count(coverage.files, "file", "files"));
        read.push(size(coverage.bytes));
        if coverage.remembered > 0 {
            read.push(format!("of which {} by an earlier run", count(coverage.remembered, "blob", "blobs")));
        }
        if !coverage.unread.is_empty() {
            read.push(format!("{} unread", coverage.unread.len()));
        }
        let faint = self.palette.faint;
        let elapsed = self.report.elapsed.as_millis();
        writeln!(out, "leakstop: {style}{word}{style:#}: {findings} {faint}(read {}; {elapsed} ms){faint:#}", read.join(", "))
    }

    fn wrapped(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        for line in wrap(text, WIDTH - INDENT.len()) {
            writeln!(out, "{INDENT}{line}")?;
        }
        Ok(())
    }

    /// What is copied stays on one line: a command, an address.
    fn line(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let faint = self.palette.faint;
        writeln!(out, "{INDENT}{faint}{label:<8}{faint:#}{text}")
    }

    fn labelled(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let faint = self.palette.faint;
        let first = format!("{label:<8}");
        for (at, line) in wrap(text, WIDTH - INDENT.len() - first.len()).iter().enumerate() {
            let style = if at == 0 { faint } else { Style::new() };
            let label = if at == 0 { first.as_str() } else { "        " };
            writeln!(out, "{INDENT}{style}{label}{style:#}{line}")?;
        }
        Ok(())
    }

    fn paragraph(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        for (at, line) in wrap(text, WIDTH - label.len()).iter().enumerate() {
            writeln!(out, "{:<width$}{line}", if at == 0 { label } else { "" }, width = label.len())?;
        }
        Ok(())
    }
}

/// A snippet of code up to this length is not broken over lines: it is there to be copied.
const SNIPPET: usize = 72;

/// Breaks at spaces only: a path or an address stays whole.
fn wrap(text: &str, width: usize) -> Vec<std::borrow::Cow<'_, str>> {
    let options = textwrap::Options::new(width).break_words(false).word_separator(textwrap::WordSeparator::Custom(words));
    textwrap::wrap(text, options.word_splitter(textwrap::WordSplitter::NoHyphenation))
}

fn words(line: &str) -> Box<dyn Iterator<Item = textwrap::core::Word<'_>> + '_> {
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        let mut end = 0;
        while let Some(found) = rest[end..].find([' ', '`']).map(|found| end + found) {
            let close = if rest[found..].starts_with('`') { rest[found + 1..].find('`').map(|close| found + close + 2) } else { None };
            end = match close.filter(|close| close - found <= SNIPPET) {
                Some(close) => close,
                None if rest[found..].starts_with('`') => found + 1,
                None => {
                    let blanks = rest[found..].len() - rest[found..].trim_start_matches(' ').len();
                    let (word, after) = rest.split_at(found + blanks);
                    rest = after;
                    return Some(textwrap::core::Word::from(word));
                }
            };
        }
        let word = std::mem::take(&mut rest);
        (!word.is_empty()).then(|| textwrap::core::Word::from(word))
    }))
}

fn mask(finding: &Finding) -> Option<String> {
    let secret = finding.secret.as_ref()?;
    let layers: Vec<&str> = finding.decoded.iter().rev().copied().collect();
    let decoded = if layers.is_empty() { String::new() } else { format!(", encoded as {}", layers.join(" in ")) };
    Some(format!("  {}  ({} characters{decoded})", secret.redacted(finding.public_prefix), secret.len()))
}

pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
