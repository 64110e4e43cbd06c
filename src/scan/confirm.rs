//! Is it really a match? The regex in a window around a keyword, then the rule's check.

use std::ops::Range;

use regex::bytes::Regex;

use super::MOST_CANDIDATES;
use super::check::{self, Outcome};
use super::decode::{self, Encoded};
use super::language::Language;
use super::name;
use super::nesting::{self, Nesting};
use super::prefilter::Window;
use super::scope::Surroundings;
use crate::finding::{Confidence, Secret};
use crate::rules::{Check, Rule, RuleError, Rules, Scope};

/// A scan that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A rule does not work.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// A match that passed its rule's check.
pub(super) struct Candidate {
    pub(super) rule: u32,
    /// Bytes of the text that it covers: the credential where there is one, else the whole match.
    pub(super) range: Range<usize>,
    pub(super) secret: Option<Secret>,
    pub(super) confidence: Confidence,
    /// The second of Unix time up to which it opens something, where it says so itself.
    pub(super) lapses: Option<i64>,
    /// Where the public half that belongs to it stands.
    pub(super) id: Option<Range<usize>>,
    pub(super) decoded: Vec<&'static str>,
    /// The file that the match names, where the rule asks for it.
    pub(super) file: Option<Box<[u8]>>,
}

impl Candidate {
    /// The same candidate, found inside decoded bytes; `None` where the text shows it undecoded.
    pub(super) fn inside(mut self, encoded: &Encoded, rules: &Rules) -> Option<Self> {
        self.range = encoded.place(&self.range, self.is_bound(rules))?;
        self.id = self.id.and_then(|id| encoded.place(&id, false));
        self.decoded.insert(0, encoded.how);
        Some(self)
    }

    fn is_bound(&self, rules: &Rules) -> bool {
        rules.all()[self.rule as usize].check() == Some(Check::Assignment)
    }

    /// How many layers were undone. A value that is bound to a name is the whole literal rather than its first piece.
    pub(super) fn layers(&self, rules: &Rules) -> usize {
        let is_bound = self.is_bound(rules);
        self.decoded.iter().filter(|how| !is_bound || **how != decode::JOINED).count()
    }
}

/// What is known of a rule in this text, so that it is found out once.
#[derive(Default)]
pub(super) struct Memory {
    rule: Option<u32>,
    /// Does the rule look at this file at all?
    pub(super) is_subject: bool,
    /// See [`is_elsewhere`].
    is_elsewhere: Option<bool>,
    /// The brackets of the text, whatever the rule.
    nesting: Option<Nesting>,
    /// What stands around its matches.
    surroundings: Surroundings,
    progress: check::Progress,
}

impl Memory {
    /// True when the rule is another than last time, of which everything is then forgotten.
    pub(super) fn is_new(&mut self, rule: u32) -> bool {
        let new = self.rule != Some(rule);
        if new {
            *self = Self { rule: Some(rule), nesting: self.nesting.take(), ..Self::default() };
        }
        new
    }
}

/// What keeps a match from being a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The group `name` is no name of a credential.
    Name,
    /// None of the keys of `under` stands above it.
    Under,
    /// `context` matches nowhere around it.
    NoContext,
    /// `not_context` matches around it.
    UnwantedContext,
    /// The check dropped it.
    Check,
}

/// What a match comes to.
pub(super) enum Attempt {
    /// It is a candidate.
    Passed(Candidate),
    /// It is none: where its value stands, and why.
    Stopped(Range<usize>, Stop),
}

/// What of the rule's conditions does not hold around the match?
fn stops(rule: &Rule, matched: &Range<usize>, text: &[u8], language: Language, memory: &mut Memory) -> Result<Option<Stop>, ScanError> {
    let under = &rule.text().under;
    if !under.is_empty() {
        let above = keys_above(text, matched.end.saturating_sub(1), language, memory);
        if !above.iter().any(|key| under.iter().any(|one| one.as_bytes() == *key)) {
            return Ok(Some(Stop::Under));
        }
    }
    let (wanted, unwanted) = rule.context()?;
    if wanted.is_none() && unwanted.is_none() {
        return Ok(None);
    }
    let surroundings = &mut memory.surroundings;
    let sight = surroundings.around(text, matched, language, rule.text().scope);
    if let Some(&stop) = surroundings.answers.get(&sight) {
        return Ok(stop);
    }
    let around = &text[sight.range.clone()];
    let stop = if wanted.is_some_and(|regex| !regex.is_match(around)) {
        Some(Stop::NoContext)
    } else {
        (!sight.crowded && unwanted.is_some_and(|regex| regex.is_match(around))).then_some(Stop::UnwantedContext)
    };
    surroundings.answers.insert(sight, stop);
    Ok(stop)
}

/// The keys, blocks or tables that a place stands under.
pub(super) fn keys_above<'t>(text: &'t [u8], at: usize, language: Language, memory: &mut Memory) -> Vec<&'t [u8]> {
    if nesting::reads(language) {
        return memory.nesting.get_or_insert_with(|| Nesting::of(text, language)).above(text, at);
    }
    if language == Language::Toml { nesting::tables_above(text, at) } else { memory.surroundings.keys_above(text, at) }
}

/// Adds the matches of `rule` that begin in the window and pass its check.
pub(super) fn confirm(
    rule: &Rule,
    window: Window,
    text: &[u8],
    language: Language,
    memory: &mut Memory,
    out: &mut Vec<Candidate>,
) -> Result<(), ScanError> {
    // Asked first: most windows end here, and the pattern of a rule that never gets further is never compiled.
    let visible = visible(&window, text);
    let may_match = rule.may_match(&visible[window.start..]) && rule.may_match_from(visible, window.start);
    if !may_match || is_elsewhere(rule, text, memory)? {
        return Ok(());
    }
    attempts(rule, window, text, language, memory, |attempt| {
        if let Attempt::Passed(candidate) = attempt
            && out.len() < MOST_CANDIDATES
        {
            out.push(candidate);
        }
    })
}

/// The text up to the window's end, and one byte more than the longest match, so that an assertion at its end sees what follows.
fn visible<'t>(window: &Window, text: &'t [u8]) -> &'t [u8] {
    &text[..window.end.saturating_add(1).min(text.len())]
}

/// True where nothing in the whole text is what the rule wants there, which is found out once. The answer of a smaller scope may
/// be another one: an end of it counts as an end of the text.
fn is_elsewhere(rule: &Rule, text: &[u8], memory: &mut Memory) -> Result<bool, ScanError> {
    if let Some(known) = memory.is_elsewhere {
        return Ok(known);
    }
    let is_elsewhere = rule.text().scope == Scope::File && rule.context()?.0.is_some_and(|context| !context.is_match(text));
    Ok(*memory.is_elsewhere.insert(is_elsewhere))
}

/// The match nearest to the value, apart from it.
fn nearest(id: &Regex, text: &[u8], value: &Range<usize>) -> Option<Range<usize>> {
    /// Both halves stand in one entry of a file.
    const FAR: usize = 400;
    let start = value.start.saturating_sub(FAR);
    let end = value.end.saturating_add(FAR).min(text.len());
    let apart = |found: &Range<usize>| found.end <= value.start || value.end <= found.start;
    let distance = |found: &Range<usize>| if found.end <= value.start { value.start - found.end } else { found.start - value.end };
    id.find_iter(&text[start..end]).map(|found| start + found.start()..start + found.end()).filter(apart).min_by_key(distance)
}

/// Tells every match of `rule` that begins in the window, and what it comes to.
pub(super) fn attempts(
    rule: &Rule,
    window: Window,
    text: &[u8],
    language: Language,
    memory: &mut Memory,
    mut tell: impl FnMut(Attempt),
) -> Result<(), ScanError> {
    let visible = visible(&window, text);
    let Some(regex) = rule.regex()? else { return Ok(()) };
    let mut at = window.start;
    while at <= visible.len() {
        let Some(captures) = regex.captures_at(visible, at) else { break };
        let Some(whole) = captures.get(0) else { break };
        let secret = captures.name("secret");
        let part = secret.or_else(|| captures.name("part")).unwrap_or(whole);
        // What follows the value may hold another match that began inside this one.
        at = part.end().max(whole.start() + 1);
        if let Some(name) = captures.name("name").filter(|name| name::is_sensitive(name.as_bytes()).is_none()) {
            // A longer match may have begun with a name that is none; go on behind it.
            at = name.end().max(whole.start() + 1);
            tell(Attempt::Stopped(part.range(), Stop::Name));
            continue;
        }
        if let Some(stop) = stops(rule, &whole.range(), text, language, memory)? {
            tell(Attempt::Stopped(part.range(), stop));
            continue;
        }
        let context = check::Context { text, value: part.range(), matched: whole.range(), language };
        let mut range = part.range();
        let mut lapses = None;
        let mut confidence = match check::judge(rule, &context, &mut memory.progress) {
            Outcome::Drop => {
                tell(Attempt::Stopped(part.range(), Stop::Check));
                continue;
            }
            Outcome::Keep => rule.text().confidence,
            Outcome::KeepTo(end) => {
                range.end = end;
                at = at.max(end);
                rule.text().confidence
            }
            Outcome::Proven => Confidence::High,
            Outcome::ProvenUntil(second) => {
                lapses = Some(second);
                Confidence::High
            }
            Outcome::Doubtful => Confidence::Low,
        };
        let id = rule.id_beside()?.and_then(|id| nearest(id, text, &range));
        if id.is_some() && confidence == Confidence::Medium {
            confidence = Confidence::High;
        }
        let secret = secret.is_some().then(|| Secret::new(&text[range.clone()]));
        let file = captures.name("file").map(|file| file.as_bytes().into());
        tell(Attempt::Passed(Candidate { rule: window.rule, range, secret, confidence, lapses, id, decoded: Vec::new(), file }));
    }
    Ok(())
}
