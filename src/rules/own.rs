//! A user's own rules: the same tables as ours, read with their places, so that every mistake is told where it stands.
//!
//! What is wrong here would hide something or slow every commit down, so it is refused before the first use: nothing of a
//! rule is left to be found out when its keyword hits.

use std::collections::BTreeMap;

use regex_syntax::hir::{Class, Hir, HirKind};
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::expand::expand;
use super::format::{self, Check, RuleFile, RuleText, Text};
use super::proof::{self, Soundness};
use super::{Rule, owned};
use crate::finding::Family;

/// What is wrong, and where in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Offset in bytes.
    pub at: usize,
    /// What is wrong there, and what to do about it.
    pub why: String,
}

/// A rule as it is written, with its places.
#[derive(Clone, Debug)]
pub struct OwnRule {
    text: RuleText<'static>,
    /// Family and standards of its file, which it falls back on.
    family: Family,
    standards: Vec<Text<'static>>,
    /// Where the rule begins.
    start: usize,
    /// Where the value of each key begins, and whether it is in simple quotes, so that an offset in it is one in the text.
    keys: BTreeMap<String, (usize, bool)>,
}

/// A text with rules: a configuration, or a file of rules with a family.
#[derive(Deserialize)]
struct Document<'a> {
    family: Option<Family>,
    #[serde(default, borrow)]
    standards: Vec<Text<'a>>,
    #[serde(default, borrow)]
    fix: Text<'a>,
    #[serde(default, borrow)]
    rule: Vec<RuleText<'a>>,
}

/// What to do, where a rule does not say it.
const FIX: &str = "Take it out and read it at run time from the environment or a secret store; if it ever left this machine, revoke it.";
/// Families are named like rules where levels are set.
const FAMILIES: [&str; 4] = ["secret", "handling", "file", "access"];
/// A compiled pattern of ours takes a few kilobytes; what takes a megabyte is a counted repetition in another one.
pub(super) const MOST_COMPILED: usize = 1 << 20;

/// Reads the `[[rule]]` tables of a text; what else stands in it is for others to judge.
///
/// # Errors
/// Text of another form, with its place.
pub fn read(text: &str) -> Result<Vec<OwnRule>, Mistake> {
    let document: Document<'_> =
        toml::from_str(text).map_err(|e| Mistake { at: e.span().map_or(0, |span| span.start), why: e.message().replace('\n', " ") })?;
    let mut places = places(text).into_iter();
    let mut rules = Vec::new();
    for rule in document.rule {
        let mut text = owned(rule);
        if text.fix.is_empty() {
            text.fix = if document.fix.is_empty() { FIX.into() } else { document.fix.clone().into_owned().into() };
        }
        let (start, keys) = places.next().unwrap_or_default();
        let standards = document.standards.iter().map(|standard| standard.clone().into_owned().into()).collect();
        rules.push(OwnRule { text, family: document.family.unwrap_or(Family::Secret), standards, start, keys });
    }
    Ok(rules)
}

/// Where a rule begins, and where each of its values does.
type Places = (usize, BTreeMap<String, (usize, bool)>);

fn places(text: &str) -> Vec<Places> {
    let Ok(document) = DeTable::parse(text) else { return Vec::new() };
    let rules = document.get_ref().iter().find(|(name, _)| name.get_ref() == "rule").map(|(_, value)| value.get_ref());
    let Some(DeValue::Array(rules)) = rules else { return Vec::new() };
    let place = |rule: &toml::Spanned<DeValue<'_>>| {
        let DeValue::Table(table) = rule.get_ref() else { return (rule.span().start, BTreeMap::new()) };
        let keys = table.iter().map(|(name, value)| {
            let at = value.span().start;
            let rest = &text[at.min(text.len())..];
            (name.get_ref().to_string(), (at, rest.starts_with('\'') && !rest.starts_with("'''")))
        });
        (rule.span().start, keys.collect())
    };
    rules.iter().map(place).collect()
}

impl OwnRule {
    /// The rule as it is written.
    pub fn text(&self) -> &RuleText<'static> {
        &self.text
    }

    /// True when both find the same and say that it is as bad: they may differ in their words and their proof.
    pub fn finds_the_same(&self, other: &Self) -> bool {
        let of = |rule: &Self| {
            let silent = RuleText {
                title: "".into(),
                risk: "".into(),
                fix: "".into(),
                rotate: None,
                standards: Vec::new(),
                example_path: None,
                examples: Vec::new(),
                counterexamples: Vec::new(),
                ..rule.text.clone()
            };
            format!("{silent:?}")
        };
        of(self) == of(other)
    }

    /// A mistake in the value of this key, or in the rule where it has none.
    pub fn mistake(&self, key: &str, why: String) -> Mistake {
        let at = self.keys.get(key).map_or(self.start, |(at, _)| *at);
        Mistake { at, why: format!("rule `{}`: {why}", self.text.id) }
    }

    /// The rule made ready to run.
    ///
    /// # Errors
    /// A pattern that does not compile or is too large, a keyword that a match can lack, a rule that could find nothing.
    pub(super) fn ready(&self) -> Result<Rule, Mistake> {
        let text = &self.text;
        let kebab = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !text.id.split('-').all(kebab) || FAMILIES.contains(&text.id.as_ref()) {
            return Err(self.mistake("id", "the id has to be words of small letters and digits with `-` between them, and no family".to_owned()));
        }
        for (key, value) in [("title", &text.title), ("risk", &text.risk)] {
            if value.trim().is_empty() {
                return Err(self.mistake(key, format!("`{key}` is empty; whoever is refused reads it")));
            }
        }
        if text.keywords.is_empty() && text.paths.is_empty() {
            return Err(self.mistake("", "it needs `keywords`, of which every match holds one, or `paths`".to_owned()));
        }
        if text.pattern.is_none() && !text.keywords.is_empty() && text.check != Some(Check::Assignment) {
            return Err(self.mistake("keywords", "`keywords` without a `pattern` find nothing".to_owned()));
        }
        if let Some(short) = text.keywords.iter().find(|keyword| keyword.len() < 2 || !keyword.is_ascii()) {
            let why = format!("the keyword `{short}` has to be ASCII and of two bytes at least, better four: it decides how often the rule is tried");
            return Err(self.mistake("keywords", why));
        }
        for (key, globs) in [("paths", &text.paths), ("not_paths", &text.not_paths)] {
            if let Some(glob) = globs
                .iter()
                .find(|glob| glob.is_empty() || glob.contains(['{', '}', '\\', '!']) || glob.matches('[').count() != glob.matches(']').count())
            {
                return Err(self.mistake(key, format!("`{glob}` is no glob that rules know: they have `*`, `**`, `?` and `[a-z]`")));
            }
        }
        for (key, pattern) in
            [("pattern", &text.pattern), ("context", &text.context), ("not_context", &text.not_context), ("id_beside", &text.id_beside)]
        {
            if let Some(pattern) = pattern {
                self.compiles(key, pattern)?;
            }
        }
        let file = RuleFile {
            family: self.family,
            standards: self.standards.clone(),
            fix: FIX.into(),
            about: "".into(),
            class: "".into(),
            rule: Vec::new(),
        };
        let (data, cold) = format::ready(text.clone(), &file).map_err(|why| Mistake { at: self.start, why })?;
        let rule = Rule::own(data, cold);
        self.keywords_are_sound(&rule)?;
        Ok(rule)
    }

    fn compiles(&self, key: &str, pattern: &str) -> Result<(), Mistake> {
        let expanded = if key == "pattern" { expand(pattern).map_err(|why| self.mistake(key, why))? } else { pattern.to_owned() };
        let parsed = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(&expanded);
        if let Ok(hir) = &parsed
            && compiled_at_most(hir) <= MOST_COMPILED as u64
        {
            return Ok(());
        }
        if let Err(error) = parsed {
            let (offset, why) = match &error {
                regex_syntax::Error::Parse(e) => (e.span().start.offset, e.kind().to_string()),
                regex_syntax::Error::Translate(e) => (e.span().start.offset, e.kind().to_string()),
                other => (0, other.to_string()),
            };
            let mut mistake = self.mistake(key, format!("`{key}` is no regular expression: {}", why.replace('\n', " ")));
            // In simple quotes an offset in the pattern is one in the text, up to the first shorthand.
            if expanded.get(..offset) == pattern.get(..offset) && self.keys.get(key).is_some_and(|(_, simple)| *simple) {
                mistake.at += 1 + offset;
            }
            return Err(mistake);
        }
        let built = regex::bytes::RegexBuilder::new(&expanded).unicode(false).multi_line(true).size_limit(MOST_COMPILED).build();
        built
            .map(|_| ())
            .map_err(|_| self.mistake(key, format!("`{key}` takes more than {MOST_COMPILED} bytes when compiled; make its repetitions shorter")))
    }

    fn keywords_are_sound(&self, rule: &Rule) -> Result<(), Mistake> {
        let (Some(pattern), false) = (&rule.text().pattern, rule.text().keywords.is_empty()) else { return Ok(()) };
        match proof::keywords(pattern, &rule.text().keywords).map_err(|why| self.mistake("pattern", why))? {
            Soundness::Refuted(text) => {
                let shown = text.escape_debug().to_string();
                let shown: String = shown.chars().take(80).collect();
                Err(self.mistake(
                    "keywords",
                    format!("a match without a keyword would never be looked at: `pattern` matches `{shown}`, which holds none of them"),
                ))
            }
            Soundness::Shown | Soundness::Tried(_) => Ok(()),
        }
    }
}

/// A pattern never takes more bytes than this when compiled: so most need not be compiled to see that they are not too large.
fn compiled_at_most(hir: &Hir) -> u64 {
    /// Of one state of the automaton. It takes a fourth of it.
    const STATE: u64 = 128;
    /// Of one range of a class.
    const RANGE: u64 = 32;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => STATE.saturating_mul(literal.0.len() as u64),
        HirKind::Class(Class::Bytes(class)) => STATE + RANGE * class.ranges().len() as u64,
        // A range of characters becomes several sequences of bytes.
        HirKind::Class(Class::Unicode(class)) => STATE * 16 * (1 + class.ranges().len() as u64),
        HirKind::Capture(capture) => compiled_at_most(&capture.sub).saturating_add(2 * STATE),
        HirKind::Repetition(repetition) => {
            let times = u64::from(repetition.max.unwrap_or(repetition.min).max(repetition.min)) + 1;
            compiled_at_most(&repetition.sub).saturating_add(2 * STATE).saturating_mul(times)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(2 * STATE, |sum, part| sum.saturating_add(compiled_at_most(part)).saturating_add(STATE))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    /// Line, column and words of the first mistake.
    fn told(text: &str) -> String {
        let mut rules = Rules::built_in().unwrap();
        let mistake = match read(text) {
            Ok(own) => own.iter().find_map(|rule| rules.add("x.toml", rule).err()),
            Err(mistake) => Some(mistake),
        };
        let Some(mistake) = mistake else { return "fine".to_owned() };
        let before = &text[..mistake.at];
        let column = mistake.at - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
        format!("{}:{column} {}", before.matches('\n').count() + 1, mistake.why)
    }

    fn rule(more: &str) -> String {
        let mut text = String::from("[[rule]]\nid = \"acme-key\"\ntitle = \"Acme key\"\nrisk = \"It opens all.\"\nseverity = \"high\"\n");
        for line in more.lines() {
            let name = line.split(' ').next().unwrap().to_owned() + " ";
            text = text.lines().filter(|old| !old.starts_with(&name)).map(|old| old.to_owned() + "\n").collect();
            text += line;
            text += "\n";
        }
        text
    }

    #[test]
    fn each_mistake_is_told_with_its_place() {
        let good = "keywords = [\"acme_\"]\npattern = 'acme_(?<secret>[0-9a-f]{32})@end'\n";
        for (more, expected) in [
            (good.to_owned(), "fine"),
            ("paths = [\"*.acme\"]".to_owned(), "fine"),
            (format!("{good}id = \"github-pat-classic\""), "7:6 rule `github-pat-classic`: the id `github-pat-classic` is taken by a built-in rule"),
            (format!("{good}id = \"Acme\""), "7:6 rule `Acme`: the id has to be"),
            (format!("{good}id = \"secret\""), "7:6 rule `secret`: the id has to be"),
            (format!("{good}title = \" \""), "7:9 rule `acme-key`: `title` is empty"),
            (format!("{good}serverity = \"high\""), "8:1 unknown field `serverity`, expected one of"),
            (format!("{good}check = \"crc33\""), "8:9 unknown variant `crc33`, expected one of `crc32-base62`"),
            (format!("{good}severity = 3"), "7:12 "),
            ("pattern = 'acme_[0-9]{4}'".to_owned(), "1:1 rule `acme-key`: it needs `keywords`"),
            ("keywords = [\"acme\"]".to_owned(), "6:12 rule `acme-key`: `keywords` without a `pattern`"),
            ("keywords = [\"a\"]\npattern = 'a'".to_owned(), "6:12 rule `acme-key`: the keyword `a` has to be"),
            (
                "keywords = [\"acme_\"]\npattern = 'acme_[0-9{4}'".to_owned(),
                "7:17 rule `acme-key`: `pattern` is no regular expression: unclosed character class",
            ),
            ("keywords = [\"acme_\"]\npattern = \"acme_(\"".to_owned(), "7:11 rule `acme-key`: `pattern` is no regular expression: unclosed group"),
            ("keywords = [\"acme_\"]\npattern = 'acme_(?:(?:[0-9a-f]{900}){90}){9}'".to_owned(), "7:11 rule `acme-key`: `pattern` takes more than"),
            ("keywords = [\"acme_\"]\npattern = '(?:acme|ecma)_[0-9]{4}'".to_owned(), "6:12 rule `acme-key`: a match without a keyword"),
            (format!("{good}context = '('"), "8:12 rule `acme-key`: `context` is no regular expression"),
            (format!("{good}paths = [\"a{{b,c}}\"]"), "8:9 rule `acme-key`: `a{b,c}` is no glob"),
        ] {
            let told = told(&rule(&more));
            assert!(told.starts_with(expected), "{more}\n{told}");
        }
        assert!(told(&(rule(good) + &rule(good))).starts_with("9:6 rule `acme-key`: the id `acme-key` is taken by a rule of `x.toml`"));
    }

    #[test]
    fn what_a_pattern_takes_at_most_is_never_too_little() {
        let patterns = [
            r"acme_(?<secret>[0-9a-f]{32})",
            r"(?i)(?:key|token|pass(?:word)?)\s{0,9}[:=]+\s*['\x22]?(?<secret>[^\s'\x22]{8,200})",
            r"(?:(?:[0-9a-f]{90}){9}){9}",
            r"(?:a|b|c|d|[e-z\xff]){0,300}\b(?:x{0,9}){9}",
            r"(?i:acme){200,}|[^\x00-\x20]{1000}$",
            r"(?u:\w){50}",
        ];
        for pattern in patterns {
            let most = compiled_at_most(&proof::parse(pattern).unwrap()) as usize;
            let build = |limit: usize| regex::bytes::RegexBuilder::new(pattern).unicode(false).multi_line(true).size_limit(limit).build();
            assert!(build(most / 2).is_ok(), "{pattern}: {most}");
        }
    }

    #[test]
    fn a_rule_of_ones_own_is_ready_like_ours() {
        let text = rule("family = \"handling\"\nkeywords = [\"acme_\"]\npattern = 'acme_(?<secret>[0-9a-f]{32})@end'\n");
        let mut rules = Rules::built_in().unwrap();
        rules.add("x.toml", &read(&text).unwrap()[0]).unwrap();
        let rule = rules.get("acme-key").unwrap();
        assert_eq!((rule.family(), rule.reach(), rules.file_of("acme-key")), (Family::Handling, Some(38), Some("x.toml")));
        assert_eq!(rule.text().fix, FIX);
    }
}
