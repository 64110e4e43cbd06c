//! What do we look for? Rules are data with their own proof; this room loads them.

mod format;
mod glob;
mod loose;
mod own;
pub mod proof;
mod reach;
pub mod shape;

pub use format::{Check, RuleData, RuleFile, RuleText, Scope, Text};
pub use own::{Mistake, OwnRule, read};

use std::borrow::Cow;
use std::sync::OnceLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::bytes::{Regex, RegexBuilder};

use crate::finding::Family;

/// The rules as TOML, each file with its name: for `rules show` and for the tests that run their examples.
pub const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// The same rules as the build script made them ready.
static READY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));

/// Names have rows of token bytes as long as this.
const SHORT_RUN: usize = 14;

/// True when the text has `length` bytes of tokens in a row. Of any row so long a byte stands at a multiple of its length, so
/// that most bytes are not looked at.
fn has_run(text: &[u8], length: usize) -> bool {
    let mut at = length - 1;
    while let Some(&b) = text.get(at) {
        if !reach::is_token(b) {
            at += length;
            continue;
        }
        let before = text[..at].iter().rev().take(length - 1).take_while(|b| reach::is_token(**b)).count();
        let missing = length - 1 - before;
        let after = text[at + 1..].iter().take(missing).take_while(|b| reach::is_token(**b)).count();
        if after == missing {
            return true;
        }
        at += after + 1 + length;
    }
    false
}

/// A rule with the parts that are made when it is first needed.
#[derive(Debug)]
pub struct Rule {
    data: RuleData<'static>,
    regex: OnceLock<Regex>,
    loose: loose::Loose,
    context: OnceLock<(Option<Regex>, Option<Regex>)>,
    id_beside: OnceLock<Option<Regex>>,
}

/// All rules that apply.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// The user's own: id and the file that holds the rule.
    own: Vec<(String, String)>,
    /// Names that the user calls sensitive.
    names: Vec<String>,
}

/// A rule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A rule is wrong in itself.
    #[error("cannot use a rule of {file}: {why}")]
    Rule {
        /// Which file.
        file: String,
        /// Which rule and why.
        why: String,
    },
    /// The rules inside the binary do not load.
    #[error("the built-in rules are damaged")]
    BuiltIn(#[source] postcard::Error),
}

impl Rules {
    /// The rules inside the binary.
    ///
    /// # Errors
    /// A damaged binary.
    pub fn built_in() -> Result<Self, RuleError> {
        let data: Vec<RuleData<'static>> = postcard::from_bytes(READY).map_err(RuleError::BuiltIn)?;
        Ok(Self { rules: data.into_iter().map(Rule::new).collect(), own: Vec::new(), names: Vec::new() })
    }

    /// Adds a rule of the user's own, which stands in `file`.
    ///
    /// # Errors
    /// A rule that is wrong in itself, or an id that is taken.
    pub fn add(&mut self, file: &str, own: &OwnRule) -> Result<(), Mistake> {
        let id = &own.text().id;
        if self.get(id).is_some() {
            let by = self.file_of(id).map_or("a built-in rule".to_owned(), |file| format!("a rule of `{file}`"));
            return Err(own.mistake("id", format!("the id `{id}` is taken by {by}; choose another one, with your own name in front")));
        }
        self.rules.push(own.ready()?);
        self.own.push((id.to_string(), file.to_owned()));
        Ok(())
    }

    /// Makes the generic rule weigh what is bound to a further name as a password is weighed.
    pub fn add_name(&mut self, name: &str) {
        // Another spelling of the name (`acmePin` for `acme_pin`) has the same parts.
        let longest = name.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|part| part.len());
        let generic = self.rules.iter_mut().find(|rule| rule.data.text.check == Some(Check::Assignment));
        if let (Some(rule), Some(keyword)) = (generic, longest) {
            rule.data.text.keywords.push(keyword.to_ascii_lowercase().into());
            self.names.push(name.to_ascii_lowercase());
        }
    }

    /// Names that the user calls sensitive, beside the usual ones.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The file that holds this rule, where it is one of the user's own.
    pub fn file_of(&self, id: &str) -> Option<&str> {
        self.own.iter().find(|(own, _)| own == id).map(|(_, file)| file.as_str())
    }

    /// Keeps the rules that `keep` wants.
    pub fn retain(&mut self, keep: impl FnMut(&Rule) -> bool) {
        self.rules.retain(keep);
    }

    /// All rules, in a fixed order.
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id() == id)
    }
}

impl Rule {
    fn new(data: RuleData<'static>) -> Self {
        Self { data, regex: OnceLock::new(), loose: loose::Loose::default(), context: OnceLock::new(), id_beside: OnceLock::new() }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.data.text.id
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.data.family
    }

    /// Its class, a part of its family; empty where it has none.
    pub fn class(&self) -> &str {
        &self.data.class
    }

    /// All that is written about it.
    pub fn text(&self) -> &RuleText<'static> {
        &self.data.text
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
        let run = self.data.token_run as usize;
        let has_one = |&[a, b, c, d]: &[u8; 4]| match (a, b, c, d) {
            (0, ..) => true,
            (a, 0, ..) => memchr::memchr(a, text).is_some(),
            (a, b, 0, _) => memchr::memchr2(a, b, text).is_some(),
            (a, b, c, 0) => memchr::memchr3(a, b, c, text).is_some(),
            (a, b, c, d) => memchr::memchr3(a, b, c, text).or_else(|| memchr::memchr(d, text)).is_some(),
        };
        // Shorter rows stand in every line.
        self.data.needed.iter().all(has_one) && (run < SHORT_RUN || has_run(text, run))
    }

    /// False when the pattern surely matches nowhere from `start` on. Costs less than the pattern itself.
    pub fn may_match_from(&self, text: &[u8], start: usize) -> bool {
        self.data.text.pattern.as_deref().is_none_or(|pattern| self.loose.may_match(pattern, text, start))
    }

    /// The most line ends that a match can hold, but for its first and last byte.
    pub fn line_ends(&self) -> usize {
        self.data.line_ends as usize
    }

    /// Its keywords.
    pub fn keywords(&self) -> &[Text<'static>] {
        &self.data.text.keywords
    }

    /// The languages it applies to; empty means all.
    pub fn languages(&self) -> &[Text<'static>] {
        &self.data.text.languages
    }

    /// Its check.
    pub fn check(&self) -> Option<Check> {
        self.data.text.check
    }

    /// True when globs say which paths it applies to.
    pub fn has_globs(&self) -> bool {
        !(self.data.text.paths.is_empty() && self.data.text.not_paths.is_empty())
    }

    /// True when it applies to some paths only.
    pub fn is_bound_to_paths(&self) -> bool {
        !self.data.text.paths.is_empty()
    }

    /// Its regex, compiled at the first call.
    ///
    /// # Errors
    /// A pattern that does not compile.
    pub fn regex(&self) -> Result<Option<&Regex>, RuleError> {
        if self.data.text.pattern.is_none() {
            return Ok(None);
        }
        if let Some(regex) = self.regex.get() {
            return Ok(Some(regex));
        }
        let regex = self.compile().map_err(|e| self.wrong(&e))?;
        Ok(regex.map(|regex| self.regex.get_or_init(|| regex)))
    }

    fn compile(&self) -> Result<Option<Regex>, regex::Error> {
        compile(self.data.text.pattern.as_deref())
    }

    /// What must and what must not match around a match, compiled at the first call.
    ///
    /// # Errors
    /// A pattern that does not compile.
    pub fn context(&self) -> Result<(Option<&Regex>, Option<&Regex>), RuleError> {
        let (wanted, unwanted) = match self.context.get() {
            Some(patterns) => patterns,
            None => {
                let patterns = self.compile_context().map_err(|e| self.wrong(&e))?;
                self.context.get_or_init(|| patterns)
            }
        };
        Ok((wanted.as_ref(), unwanted.as_ref()))
    }

    fn compile_context(&self) -> Result<(Option<Regex>, Option<Regex>), regex::Error> {
        Ok((compile(self.data.text.context.as_deref())?, compile(self.data.text.not_context.as_deref())?))
    }

    /// What the public half of the credential looks like, compiled at the first call.
    ///
    /// # Errors
    /// A pattern that does not compile.
    pub fn id_beside(&self) -> Result<Option<&Regex>, RuleError> {
        if self.id_beside.get().is_none() {
            let regex = compile(self.data.text.id_beside.as_deref()).map_err(|e| self.wrong(&e))?;
            return Ok(self.id_beside.get_or_init(|| regex).as_ref());
        }
        Ok(self.id_beside.get().and_then(Option::as_ref))
    }

    /// True when the rule looks at files with this path at all.
    pub fn applies_to(&self, path: &[u8]) -> bool {
        let text = &self.data.text;
        (text.paths.is_empty() || glob::matches_any(&text.paths, path)) && !glob::matches_any(&text.not_paths, path)
    }

    fn wrong(&self, why: &dyn std::fmt::Display) -> RuleError {
        RuleError::Rule { file: "the loaded set".to_owned(), why: format!("rule `{}`: {why}", self.id()) }
    }
}

fn compile(pattern: Option<&str>) -> Result<Option<Regex>, regex::Error> {
    pattern.map(|pattern| RegexBuilder::new(pattern).unicode(false).multi_line(true).build()).transpose()
}

/// Globs as rules and configuration write them: `*` stays within a name, `**` crosses folders, and a glob without a slash
/// is compared with the last name of a path. Case does not matter: neither does it on two of our three platforms.
///
/// # Errors
/// A glob that does not parse.
pub fn glob_set(globs: &[Text<'_>]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let full: Cow<'_, str> = if glob.contains('/') { glob.as_ref().into() } else { format!("**/{glob}").into() };
        set.add(GlobBuilder::new(&full).literal_separator(true).case_insensitive(true).build()?);
    }
    set.build()
}

fn owned(text: RuleText<'_>) -> RuleText<'static> {
    fn one(text: Text<'_>) -> Text<'static> {
        Cow::Owned(text.into_owned())
    }
    fn all(texts: Vec<Text<'_>>) -> Vec<Text<'static>> {
        texts.into_iter().map(one).collect()
    }
    RuleText {
        id: one(text.id),
        family: text.family,
        title: one(text.title),
        risk: one(text.risk),
        fix: one(text.fix),
        rotate: text.rotate.map(one),
        severity: text.severity,
        confidence: text.confidence,
        keywords: all(text.keywords),
        pattern: text.pattern.map(one),
        check: text.check,
        languages: all(text.languages),
        paths: all(text.paths),
        not_paths: all(text.not_paths),
        context: text.context.map(one),
        not_context: text.not_context.map(one),
        id_beside: text.id_beside.map(one),
        scope: text.scope,
        under: all(text.under),
        only_if_tracked: text.only_if_tracked,
        severity_if_tracked: text.severity_if_tracked,
        yields: text.yields,
        standards: all(text.standards),
        example_path: text.example_path.map(one),
        after: text.after.map(one),
        examples: all(text.examples),
        counterexamples: all(text.counterexamples),
    }
}
