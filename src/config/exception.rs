//! An exception: what may pass although a rule found it, who answers for that, why, and until when.

use globset::GlobSet;
use jiff::civil::Date;
use regex::bytes::{Regex, RegexBuilder};

use super::AllowEntry;
use super::policy::is_rule_or_family;
use crate::finding::Finding;
use crate::rules::{Rules, glob_set};

/// An exception, read.
#[derive(Debug)]
pub struct Allowance {
    /// As written.
    pub entry: AllowEntry,
    /// Last day on which it holds.
    pub expires: Date,
    /// Where it holds; `None` for everywhere.
    path: Option<GlobSet>,
    /// Which values it covers; `None` for all.
    value: Option<Regex>,
    /// The file it stands in.
    pub file: String,
}

/// No value that an exception describes needs a larger pattern.
const MOST_COMPILED: usize = 1 << 20;

/// Reads an entry.
///
/// # Errors
/// What is wrong with it.
pub(super) fn allowance(entry: &AllowEntry, file: &str, rules: &Rules) -> Result<Allowance, String> {
    let wrong = |why: String| format!("the exception {}: {why}", entry.what());
    if entry.fingerprint.is_none() && entry.rule.is_none() && entry.value.is_none() && entry.path.is_none() {
        return Err("the exception covers everything: say which `fingerprint`, `rule`, `value` or `path`".to_owned());
    }
    if entry.owner.trim().is_empty() || entry.reason.trim().is_empty() {
        return Err(wrong("it needs an owner and a reason".to_owned()));
    }
    if let Some(name) = entry.rule.as_deref().filter(|name| !is_rule_or_family(name, rules)) {
        return Err(wrong(format!("there is no rule or family `{name}`; `leakstop rules list` shows them")));
    }
    let expires = entry.expires.parse().map_err(|_| wrong(format!("`{}` is no date like 2027-03-31", entry.expires)))?;
    let path = entry.path.as_deref().map(|glob| glob_set(&[glob.into()])).transpose().map_err(|e| wrong(e.to_string()))?;
    let value = entry.value.as_deref().map(|pattern| RegexBuilder::new(pattern).unicode(false).size_limit(MOST_COMPILED).build());
    let value = value.transpose().map_err(|e| wrong(format!("`value` is no regular expression: {}", e.to_string().replace('\n', " "))))?;
    if value.as_ref().is_some_and(|value| value.is_match(b"")) {
        return Err(wrong("`value` matches the empty text, so it would cover every value".to_owned()));
    }
    Ok(Allowance { entry: entry.clone(), expires, path, value, file: file.to_owned() })
}

impl AllowEntry {
    /// What it covers, for messages.
    pub fn what(&self) -> String {
        let named = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} `{value}`"));
        match &self.fingerprint {
            Some(fingerprint) => fingerprint.to_string(),
            None => [named("rule", &self.rule), named("value", &self.value), named("path", &self.path)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

impl Allowance {
    /// True when it speaks of this finding, whether or not it still holds.
    pub fn covers(&self, finding: &Finding) -> bool {
        let entry = &self.entry;
        entry.fingerprint.as_ref().is_none_or(|fingerprint| *fingerprint == finding.fingerprint)
            && entry.rule.as_deref().is_none_or(|name| name == finding.facts.rule || name == finding.facts.family.as_str())
            // What is no file has no path, so that nothing said about paths holds for it.
            && self.path.as_ref().is_none_or(|globs| !finding.path.is_empty() && globs.is_match(&*String::from_utf8_lossy(&finding.path)))
            && self.value.as_ref().is_none_or(|regex| finding.secret.as_ref().is_some_and(|secret| secret.is_match(regex)))
    }
}
