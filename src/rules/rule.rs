//! One rule as a run asks it: what is dear to make is made when it is first needed.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use super::format::{Check, Cold, Packed, RuleData, RuleText, Text, Word};
use super::glob::Globs;
use super::outline::Outline;
use super::{RuleError, loose, signs};
use crate::finding::Family;

/// A rule with the parts that are made when it is first needed.
#[derive(Debug)]
pub struct Rule {
    data: RuleData<'static>,
    /// The rest of one of ours, as the build script wrote it.
    packed: &'static [u8],
    cold: OnceLock<Box<Cold<'static>>>,
    regex: OnceLock<Box<Regex>>,
    loose: loose::Loose,
    context: OnceLock<Box<(Option<Regex>, Option<Regex>)>>,
    id_beside: OnceLock<Box<Option<Regex>>>,
}

impl Rule {
    pub(super) fn new(data: RuleData<'static>, packed: &'static [u8]) -> Self {
        Self {
            data,
            packed,
            cold: OnceLock::new(),
            regex: OnceLock::new(),
            loose: loose::Loose::default(),
            context: OnceLock::new(),
            id_beside: OnceLock::new(),
        }
    }

    pub(super) fn own(data: RuleData<'static>, cold: Cold<'static>) -> Self {
        Self { cold: OnceLock::from(Box::new(cold)), ..Self::new(data, &[]) }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.data.id
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.data.family
    }

    /// Its class, a part of its family; empty where it has none.
    pub fn class(&self) -> &str {
        &self.cold().class
    }

    /// All that is written about it.
    pub fn text(&self) -> &RuleText<'static> {
        &self.cold().text
    }

    #[expect(clippy::panic, reason = "the build script wrote these bytes; if they are damaged, so is the program, which ends with 2")]
    fn cold(&self) -> &Cold<'static> {
        self.cold.get_or_init(|| match unpacked(self.packed) {
            Some(cold) => Box::new(cold),
            None => panic!("the built-in rule `{}` is damaged", self.id()),
        })
    }

    /// Longest match in bytes, where the pattern has a bound.
    pub fn reach(&self) -> Option<usize> {
        self.data.reach.map(|reach| reach as usize)
    }

    /// In every match a keyword ends within so many bytes of the beginning.
    pub fn keyword_within(&self) -> Option<usize> {
        self.data.keyword_within.map(|within| within as usize)
    }

    /// False when no match can lie in the text: every match has so many bytes of tokens in a row, or certain signs, and the
    /// text has not.
    pub fn may_match(&self, text: &[u8]) -> bool {
        signs::may_match(&self.data, text)
    }

    /// False when the pattern surely matches nowhere from `start` on. Costs less than the pattern itself.
    pub fn may_match_from(&self, text: &[u8], start: usize) -> bool {
        let may_match = |pattern| self.loose.may_match(pattern, self.outline(), self.reach().is_some(), text, start);
        self.text().pattern.as_deref().is_none_or(may_match)
    }

    pub(super) fn outline(&self) -> Option<&Outline> {
        self.cold().outline.as_ref()
    }

    /// The most line ends that a match can hold, but for its first and last byte.
    pub fn line_ends(&self) -> usize {
        self.data.line_ends as usize
    }

    /// Its keywords.
    pub fn keywords(&self) -> &[Text<'static>] {
        &self.text().keywords
    }

    /// True where it has keywords.
    pub fn has_keywords(&self) -> bool {
        self.data.has_keywords
    }

    /// True where it has a pattern.
    pub fn has_pattern(&self) -> bool {
        self.data.has_pattern
    }

    /// True when it looks at texts in the language of this name.
    pub fn speaks(&self, language: &str) -> bool {
        self.data.languages.is_empty() || self.data.languages.iter().any(|Word(name)| name == language)
    }

    /// True when it looks at texts in any language.
    pub fn speaks_all(&self) -> bool {
        self.data.languages.is_empty()
    }

    /// Its check.
    pub fn check(&self) -> Option<Check> {
        self.data.check
    }

    /// True when globs say which paths it applies to.
    pub fn has_globs(&self) -> bool {
        !(self.data.paths.is_empty() && self.data.not_paths.is_empty())
    }

    /// True when it applies to some paths only.
    pub fn is_bound_to_paths(&self) -> bool {
        !self.data.paths.is_empty()
    }

    /// Its regex, compiled at the first call.
    ///
    /// # Errors
    /// A pattern that does not compile.
    pub fn regex(&self) -> Result<Option<&Regex>, RuleError> {
        if !self.data.has_pattern {
            return Ok(None);
        }
        if let Some(regex) = self.regex.get() {
            return Ok(Some(regex));
        }
        let regex = self.compile().map_err(|e| self.wrong(&e))?;
        Ok(regex.map(|regex| &**self.regex.get_or_init(|| Box::new(regex))))
    }

    fn compile(&self) -> Result<Option<Regex>, regex::Error> {
        compile(self.text().pattern.as_deref())
    }

    /// What must and what must not match around a match, compiled at the first call.
    ///
    /// # Errors
    /// A pattern that does not compile.
    pub fn context(&self) -> Result<(Option<&Regex>, Option<&Regex>), RuleError> {
        let (wanted, unwanted) = match self.context.get() {
            Some(patterns) => &**patterns,
            None => {
                let patterns = self.compile_context().map_err(|e| self.wrong(&e))?;
                &**self.context.get_or_init(|| Box::new(patterns))
            }
        };
        Ok((wanted.as_ref(), unwanted.as_ref()))
    }

    fn compile_context(&self) -> Result<(Option<Regex>, Option<Regex>), regex::Error> {
        Ok((compile(self.text().context.as_deref())?, compile(self.text().not_context.as_deref())?))
    }

    /// What the public half of the credential looks like, compiled at the first call.
    ///
    /// # Errors
    /// A pattern that does not compile.
    pub fn id_beside(&self) -> Result<Option<&Regex>, RuleError> {
        if self.id_beside.get().is_none() {
            let regex = compile(self.text().id_beside.as_deref()).map_err(|e| self.wrong(&e))?;
            return Ok(self.id_beside.get_or_init(|| Box::new(regex)).as_ref().as_ref());
        }
        Ok(self.id_beside.get().and_then(|regex| regex.as_ref().as_ref()))
    }

    /// Globs of the paths it applies to; none where it applies to all.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.data.paths.iter().map(|Word(glob)| glob.as_ref())
    }

    /// Globs of the paths it does not apply to.
    pub fn not_paths(&self) -> impl Iterator<Item = &str> {
        self.data.not_paths.iter().map(|Word(glob)| glob.as_ref())
    }

    /// True when the rule looks at files with this path at all.
    pub fn applies_to(&self, path: &[u8]) -> bool {
        let [paths, not_paths] = [&self.data.paths, &self.data.not_paths]
            .map(|globs| Globs::new(globs.iter().map(|Word(glob)| (0, glob.as_ref()))).matching(path).next().is_some());
        (paths || !self.is_bound_to_paths()) && !not_paths
    }

    fn wrong(&self, why: &dyn std::fmt::Display) -> RuleError {
        RuleError::Rule { file: "the loaded set".to_owned(), why: format!("rule `{}`: {why}", self.id()) }
    }
}

/// The texts that rules have in common.
static COMMON: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| postcard::from_bytes(include_bytes!(concat!(env!("OUT_DIR"), "/common.bin"))).unwrap_or_default());

fn unpacked(packed: &'static [u8]) -> Option<Cold<'static>> {
    let Packed { mut cold, fix, standards } = postcard::from_bytes(packed).ok()?;
    let text = |at: u32| COMMON.get(at as usize).map(|text| Text::Borrowed(*text));
    cold.text.fix = text(fix)?;
    cold.text.standards = standards.into_iter().map(text).collect::<Option<_>>()?;
    Some(cold)
}

pub(super) fn compile(pattern: Option<&str>) -> Result<Option<Regex>, regex::Error> {
    pattern.map(|pattern| RegexBuilder::new(pattern).unicode(false).multi_line(true).build()).transpose()
}
