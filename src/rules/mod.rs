//! What do we look for? Rules are data with their own proof; this room loads them.

mod expand;
mod format;
mod glob;
mod lead;
mod loose;
#[cfg_attr(not(test), expect(dead_code, reason = "the build script makes outlines"))]
mod outline;
mod own;
pub mod proof;
mod reach;
mod row;
mod rule;
pub mod shape;
mod signs;
mod walk;

pub use format::{Check, RuleFile, RuleText, Scope, Text};
pub use glob::Globs;
pub use own::{Mistake, OwnRule, read};
pub use rule::Rule;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;
use std::sync::LazyLock;

use bzip2::read::BzDecoder;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use format::ReadyRules;

/// The rules as TOML, each file with its name: for `rules show` and for the tests that run their examples. They are packed, as
/// hardly any run reads them.
pub static SOURCES: LazyLock<Vec<(String, String)>> = LazyLock::new(unpacked);
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sources.bz2"));

#[expect(clippy::panic, reason = "the build script wrote these bytes; if they are damaged, so is the program, which ends with 2")]
fn unpacked() -> Vec<(String, String)> {
    let mut bytes = Vec::new();
    let is_read = BzDecoder::new(PACKED).read_to_end(&mut bytes).is_ok();
    match postcard::from_bytes(&bytes) {
        Ok(sources) if is_read => sources,
        _ => panic!("the texts of the built-in rules are damaged"),
    }
}

/// SHA-256 of these texts, in hexadecimal.
pub static DIGEST: &str = include_str!(concat!(env!("OUT_DIR"), "/sources.sha256"));

/// The same rules as the build script made them ready.
static READY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));

/// All rules that apply.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Each with a line's end behind it.
    keywords: Cow<'static, str>,
    /// For each keyword how many rules have it,
    counts: Vec<u32>,
    /// and which, by index: those of the first keyword first.
    having: Vec<u32>,
    /// The user's own: id and the file that holds the rule.
    own: Vec<(String, String)>,
    /// Ids of all rules, once one of the user's own is added.
    taken: HashSet<String>,
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
        let ReadyRules { rules, keywords, counts, having, texts } = postcard::from_bytes(READY).map_err(RuleError::BuiltIn)?;
        let rules = rules.into_iter().zip(texts).map(|(data, packed)| Rule::new(data, packed)).collect();
        Ok(Self { rules, keywords, counts, having, own: Vec::new(), taken: HashSet::new(), names: Vec::new() })
    }

    /// Adds a rule of the user's own, which stands in `file`.
    ///
    /// # Errors
    /// A rule that is wrong in itself, or an id that is taken.
    pub fn add(&mut self, file: &str, own: &OwnRule) -> Result<(), Mistake> {
        let id = &own.text().id;
        if self.taken.is_empty() {
            self.taken.extend(self.rules.iter().map(|rule| rule.id().to_owned()));
        }
        if self.taken.contains(id.as_ref()) {
            let by = self.file_of(id).map_or("a built-in rule".to_owned(), |file| format!("a rule of `{file}`"));
            return Err(own.mistake("id", format!("the id `{id}` is taken by {by}; choose another one, with your own name in front")));
        }
        let (at, rule) = (self.rules.len() as u32, own.ready()?);
        for keyword in rule.keywords() {
            self.keyword(keyword, at);
        }
        self.rules.push(rule);
        self.taken.insert(id.to_string());
        self.own.push((id.to_string(), file.to_owned()));
        Ok(())
    }

    /// Makes the generic rule weigh what is bound to a further name as a password is weighed.
    pub fn add_name(&mut self, name: &str) {
        // Another spelling of the name (`acmePin` for `acme_pin`) has the same parts.
        let longest = name.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|part| part.len());
        let generic = self.rules.iter().position(|rule| rule.check() == Some(Check::Assignment));
        if let (Some(generic), Some(keyword)) = (generic, longest) {
            self.keyword(keyword, generic as u32);
            self.names.push(name.to_ascii_lowercase());
        }
    }

    fn keyword(&mut self, keyword: &str, rule: u32) {
        let keywords = self.keywords.to_mut();
        keywords.push_str(&keyword.to_ascii_lowercase());
        keywords.push('\n');
        self.counts.push(1);
        self.having.push(rule);
    }

    /// Each keyword, in small letters, with the rules that have it. One may come more than once.
    pub fn keywords(&self) -> impl Iterator<Item = (&str, &[u32])> {
        let mut having = self.having.as_slice();
        self.keywords.split_terminator('\n').zip(&self.counts).map(move |(keyword, &count)| {
            let (rules, rest) = having.split_at(count as usize);
            having = rest;
            (keyword, rules)
        })
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
    pub fn retain(&mut self, mut keep: impl FnMut(&Rule) -> bool) {
        let (mut places, mut kept) = (Vec::with_capacity(self.rules.len()), 0);
        self.rules.retain(|rule| {
            let is_kept = keep(rule);
            places.push(is_kept.then_some(kept));
            kept += u32::from(is_kept);
            is_kept
        });
        let of_rule = |&rule: &u32| places[rule as usize];
        let having: Vec<Vec<u32>> = self.keywords().map(|(_, rules)| rules.iter().filter_map(of_rule).collect()).collect();
        self.counts = having.iter().map(|rules| rules.len() as u32).collect();
        self.having = having.concat();
        self.taken.clear();
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
