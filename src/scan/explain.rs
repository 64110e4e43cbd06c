//! Why is a line found, or why not? The slow way through the same steps: each rule whose keyword stands in the text is tried
//! on all of it, and every stop is told. Nothing of this is part of a scan.

use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::confirm::{self, Attempt, Memory, ScanError, Stop};
use super::decode::{self, Work};
use super::features::Scene;
use super::language::Language;
use super::parts::Parts;
use super::paths::PathRules;
use super::prefilter::Window;
use super::{Cursor, FileKind, Scanner, Text, generic, plausible, published};
use crate::finding::{Confidence, Family, Secret, Span};
use crate::rules::{Check, Rule};

/// What became of a rule at one place.
pub struct Trace<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// The place in the text; `None` where the rule looks at the path alone.
    pub span: Option<Span>,
    /// What stands there, so that it can be masked.
    pub raw: Option<Secret>,
    /// What was undone to see it, outermost first.
    pub decoded: Vec<&'static str>,
    /// What happened.
    pub story: Story,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Story {
    /// It passed all checks, with this confidence.
    Passed(Confidence),
    /// A keyword stands here, and the pattern does not match.
    NoMatch,
    /// The rule does not look at such a file.
    NotSubject(&'static str),
    /// The pattern matches, and something else speaks against it.
    Stopped(String),
    /// A sensitive word stands here, and no value is bound to it, or one that is none.
    NothingBound(&'static str),
    /// A value was weighed and found too light.
    Unlikely {
        /// How likely it is a credential, from 0 to 1.
        probability: f32,
        /// From where on it would be told.
        needed: f32,
        /// Features with their value and what they add, the weightiest first.
        weights: Vec<(&'static str, f32, f32)>,
    },
}

/// A trace with its place in bytes.
struct Raw {
    rule: u32,
    range: Option<Range<usize>>,
    decoded: Vec<&'static str>,
    story: Story,
}

impl<'r> Scanner<'r> {
    /// What became of every rule that could have found something in the text, by place.
    ///
    /// # Errors
    /// A rule that does not compile.
    pub fn explain(&self, text: Text<'_>) -> Result<Vec<Trace<'r>>, ScanError> {
        let bound = self.bound(text);
        let file = FileKind { path: text.path, language: Language::of(text.path, text.bytes), bound: bound.as_deref() };
        let rules = self.rules.all();
        let words = self.rules.keywords().flat_map(|(word, having)| having.iter().map(move |&at| (at, word)));
        let (owners, words): (Vec<u32>, Vec<&str>) = words.unzip();
        let Ok(finder) = AhoCorasick::builder().ascii_case_insensitive(true).build(words) else { return Ok(Vec::new()) };
        let mut raw = Vec::new();
        self.trace(text.bytes, file, 0, &mut Work::of(text.bytes.len()), &(owners, finder), &mut raw)?;
        for &at in file.bound.map_or(&[][..], PathRules::applying) {
            let rule = &rules[at as usize];
            if rule.has_keywords() || !rule.has_pattern() && rule.check().is_some() {
                continue;
            }
            let before = raw.len();
            if rule.text().pattern.is_some() {
                trace_pattern(rule, at, text.bytes, file, &mut raw)?;
            } else {
                raw.push(Raw { rule: at, range: None, decoded: Vec::new(), story: Story::Passed(rule.text().confidence) });
            }
            if raw.len() == before {
                raw.push(Raw { rule: at, range: None, decoded: Vec::new(), story: Story::NoMatch });
            }
        }
        Ok(self.placed(text.bytes, raw))
    }

    fn trace(
        &self,
        text: &[u8],
        file: FileKind<'_>,
        depth: u8,
        work: &mut Work,
        keywords: &(Vec<u32>, AhoCorasick),
        out: &mut Vec<Raw>,
    ) -> Result<(), ScanError> {
        let (owners, finder) = keywords;
        let mut hits: Vec<(u32, Range<usize>)> =
            finder.find_overlapping_iter(text).map(|hit| (owners[hit.pattern().as_usize()], hit.range())).collect();
        hits.sort_by_key(|(rule, range)| (*rule, range.start, range.end));
        let raw = |rule, range: &Range<usize>, story| Raw { rule, range: Some(range.clone()), decoded: Vec::new(), story };
        for hits in hits.chunk_by(|a, b| a.0 == b.0) {
            let at = hits[0].0;
            let rule = &self.rules.all()[at as usize];
            if !file.is_subject_to(at, rule, depth) {
                out.extend(hits.iter().map(|(_, range)| raw(at, range, Story::NotSubject(why_not_subject(rule, file, depth)))));
                continue;
            }
            if rule.check() == Some(Check::Assignment) {
                let scene = Scene { text, path: file.path, language: file.language };
                trace_bindings(at, hits, &scene, self.rules.names(), out);
                continue;
            }
            let mut matches = Vec::new();
            trace_pattern(rule, at, text, file, &mut matches)?;
            // A match says more than a keyword in it, or in the name before it.
            let covered = |found: &Range<usize>| {
                let line = memchr::memrchr(b'\n', &text[..found.start]).map_or(0, |newline| newline + 1);
                line.max(found.start.saturating_sub(NEAR))..found.end
            };
            let covered: Vec<_> = matches.iter().filter_map(|raw| raw.range.as_ref()).map(covered).collect();
            let inside = |range: &Range<usize>| covered.iter().any(|found| range.start < found.end && found.start < range.end);
            out.extend(hits.iter().filter(|(_, range)| !inside(range)).map(|(_, range)| raw(at, range, Story::NoMatch)));
            out.append(&mut matches);
        }
        if depth == decode::MAX_DEPTH {
            return Ok(());
        }
        let whole = std::iter::once(0..text.len()).collect::<Vec<_>>();
        let mut ended = Ok(());
        decode::runs_around(text, Parts(&whole), file.language, depth, work, &mut |encoded, work| {
            let mut inner = Vec::new();
            if ended.is_ok() {
                ended = self.trace(&encoded.bytes, file, depth + 1, work, keywords, &mut inner);
            }
            for mut one in inner {
                let bound = self.rules.all()[one.rule as usize].check() == Some(Check::Assignment);
                let place = one.range.as_ref().and_then(|range| encoded.place(range, bound));
                if place.is_some() {
                    one.range = place;
                    one.decoded.insert(0, encoded.how);
                    out.push(one);
                }
            }
        });
        ended
    }

    /// Turns places in bytes into lines and columns.
    fn placed(&self, text: &[u8], mut raw: Vec<Raw>) -> Vec<Trace<'r>> {
        raw.sort_by_key(|one| (one.range.as_ref().map(|range| (range.start, range.end)), one.rule));
        let mut cursor = Cursor::default();
        raw.into_iter()
            .map(|one| {
                let span = one.range.as_ref().map(|range| {
                    let (line, column) = cursor.advance(text, range.start);
                    let (end_line, end_column) = cursor.clone().advance(text, range.end);
                    Span { line, column, end_line, end_column }
                });
                let raw = one.range.map(|range| Secret::new(&text[range]));
                Trace { rule: &self.rules.all()[one.rule as usize], span, raw, decoded: one.decoded, story: one.story }
            })
            .collect()
    }
}

/// A keyword this close before a value on its line belongs to it: name and value of one assignment.
const NEAR: usize = 64;

fn trace_pattern(rule: &Rule, at: u32, text: &[u8], file: FileKind<'_>, out: &mut Vec<Raw>) -> Result<(), ScanError> {
    let whole = Window { rule: at, start: 0, end: text.len() };
    confirm::attempts(rule, whole, text, file.language, &mut Memory::default(), |attempt| {
        let (range, story) = match attempt {
            Attempt::Passed(candidate) => (candidate.range, Story::Passed(candidate.confidence)),
            Attempt::Stopped(value, stop) => {
                let why = why_stopped(rule, stop, &text[value.clone()]);
                (value, Story::Stopped(why))
            }
        };
        out.push(Raw { rule: at, range: Some(range), decoded: Vec::new(), story });
    })
}

fn why_stopped(rule: &Rule, stop: Stop, value: &[u8]) -> String {
    match stop {
        Stop::Name => "its name does not say that the value is a credential".to_owned(),
        Stop::Under => format!("none of the keys {} stands above it", rule.text().under.join(", ")),
        Stop::NoContext => "what the rule wants around it (`context`) is not there".to_owned(),
        Stop::UnwantedContext => "something around it (`not_context`) says that it is harmless".to_owned(),
        Stop::Check if rule.family() == Family::Secret && published::is_published(value) => "the value is published for everyone".to_owned(),
        Stop::Check if rule.family() == Family::Secret && plausible::is_made_up(value) => {
            "the value looks made up: a placeholder's word, a sequence, or few characters repeated".to_owned()
        }
        Stop::Check => match rule.check() {
            Some(check) => format!("the check `{}` dropped it: {}", kebab(check), what_is_missing(check)),
            None => "it was dropped".to_owned(),
        },
    }
}

/// The name of a check as rules write it.
fn kebab(check: Check) -> String {
    let mut name = String::new();
    for c in format!("{check:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

fn what_is_missing(check: Check) -> &'static str {
    match check {
        Check::Jwt => "header or payload are no JSON, or it is public or a sample",
        Check::AwsKeyId => "it is too short",
        Check::BasicAuth => "it does not decode to a user with a plausible password",
        Check::UrlPassword => "the password is a variable, a placeholder or the user's name",
        Check::PrivateKey => "no body of a key follows",
        Check::KubernetesSecret => "it is no value of a document of kind Secret, or a harmless one",
        Check::Random => "it does not look drawn at random",
        Check::Plausible => "it is a placeholder, a reference, a place or prose, or the name is harmless",
        Check::Literal | Check::RealLiteral => "it is empty, no literal, or only stands for a credential",
        Check::Logged => "nothing that is printed holds a credential",
        Check::Code => "it stands in a comment",
        _ => "it does not fit",
    }
}

fn why_not_subject(rule: &Rule, file: FileKind<'_>, depth: u8) -> &'static str {
    let text = rule.text();
    if rule.family() != Family::Secret && depth > 0 {
        "they look at code, and this stands encoded"
    } else if file.bound.is_none() {
        "they look at files only"
    } else if !text.languages.is_empty() && !text.languages.iter().any(|language| language == file.language.name()) {
        "they look at other languages"
    } else {
        "they do not look at files with this path"
    }
}

/// Features worth telling.
const WEIGHTIEST: usize = 6;

fn trace_bindings(at: u32, hits: &[(u32, Range<usize>)], scene: &Scene<'_>, names: &[String], out: &mut Vec<Raw>) {
    let mut seen: Vec<Range<usize>> = Vec::new();
    for (_, word) in hits {
        let (range, story) = match generic::explain(word.clone(), scene, names) {
            None => (word.clone(), Story::NothingBound("no value is bound to the word")),
            Some(found) if seen.contains(&found.value) => continue,
            Some(found) => {
                seen.push(found.value.clone());
                let story = match found.weighed {
                    Err(why) => Story::NothingBound(why),
                    Ok((probability, mut weights)) => {
                        weights.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
                        weights.truncate(WEIGHTIEST);
                        let sure = probability >= generic::SURE && !plausible::is_made_up(&scene.text[found.value.clone()]);
                        match probability {
                            p if p < generic::LIKELY => Story::Unlikely { probability, needed: generic::LIKELY, weights },
                            _ => Story::Passed(if sure { Confidence::Medium } else { Confidence::Low }),
                        }
                    }
                };
                (found.value, story)
            }
        };
        out.push(Raw { rule: at, range: Some(range), decoded: Vec::new(), story });
    }
}
