//! A rule as it is written in TOML. The build script reads this file too: it turns the rules of this folder into bytes
//! that a run takes up in microseconds, where TOML would cost milliseconds. Of each rule a run reads a few numbers; its text
//! only when something of it is found.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::expand::expand;
use super::lead::{self, Lead};
use super::outline::Outline;
use super::reach;
use super::row::Row;
use crate::finding::{Confidence, Family, Severity};

/// Text that is borrowed from the binary for our own rules and owned for a user's.
pub type Text<'a> = Cow<'a, str>;

/// One file of rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile<'a> {
    /// Family of all rules in it.
    pub family: Family,
    /// Standards that every rule of the file falls under, beside its own.
    #[serde(default, borrow)]
    pub standards: Vec<Text<'a>>,
    /// What to do, for rules that do not say it themselves.
    #[serde(default, borrow)]
    pub fix: Text<'a>,
    /// Class of all rules in it, a part of its family (`log`, `ci`): a level can be set for it too.
    #[serde(default, borrow)]
    pub class: Text<'a>,
    /// What the rules of the file have in common: what they look for, and what they leave alone. For `rules show`.
    #[serde(default, borrow)]
    pub about: Text<'a>,
    /// The rules.
    #[serde(default, borrow)]
    pub rule: Vec<RuleText<'a>>,
}

/// One rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText<'a> {
    /// Unique name, in kebab case.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// Its family, where that is not the file's.
    #[serde(default)]
    pub family: Option<Family>,
    /// What is found, in a few words.
    #[serde(borrow)]
    pub title: Text<'a>,
    /// Why it matters, in one sentence.
    #[serde(borrow)]
    pub risk: Text<'a>,
    /// What to do now, in one sentence.
    #[serde(default, borrow)]
    pub fix: Text<'a>,
    /// Page on which the vendor says how to revoke it.
    #[serde(default, borrow)]
    pub rotate: Option<Text<'a>>,
    /// How much harm it does.
    pub severity: Severity,
    /// How sure a match is before any check.
    #[serde(default = "high")]
    pub confidence: Confidence,
    /// Sound: every match holds one of these, in any case. They never change an answer, only its cost. A rule without
    /// keywords must have `paths`.
    #[serde(default, borrow)]
    pub keywords: Vec<Text<'a>>,
    /// A bytes regex without Unicode; `^` and `$` are those of a line. The group `secret` is the credential; without it a
    /// finding holds none. The group `name` is a name that must say that its value is a credential (`scan/name.rs`).
    /// The group `part` is what is told as the place, where the match has to see more than that.
    /// `@name(…)` is a shorthand, see `expand`. Without a pattern the path alone is the finding.
    #[serde(default, borrow)]
    pub pattern: Option<Text<'a>>,
    /// What a regex cannot say.
    #[serde(default)]
    pub check: Option<Check>,
    /// Languages it applies to (`python`, `dockerfile`, …); empty means all.
    #[serde(default, borrow)]
    pub languages: Vec<Text<'a>>,
    /// Globs of paths it applies to; empty means all.
    #[serde(default, borrow)]
    pub paths: Vec<Text<'a>>,
    /// Globs of paths it does not apply to.
    #[serde(default, borrow)]
    pub not_paths: Vec<Text<'a>>,
    /// A bytes regex that must match around the match, see `scope`.
    #[serde(default, borrow)]
    pub context: Option<Text<'a>>,
    /// A bytes regex that must not match around the match, see `scope`.
    #[serde(default, borrow)]
    pub not_context: Option<Text<'a>>,
    /// A bytes regex of the public half that belongs to the credential: close to the match it makes it surer, and is no
    /// finding of its own.
    #[serde(default, borrow)]
    pub id_beside: Option<Text<'a>>,
    /// How far around a match `context` and `not_context` look.
    #[serde(default)]
    pub scope: Scope,
    /// Names, one of which must stand above the match: keys of YAML and JSON (`run`, `env`), blocks and labels of HCL, tables
    /// of TOML.
    #[serde(default, borrow)]
    pub under: Vec<Text<'a>>,
    /// The group `file` names a file, relative to the repository's root or to the file of the match: without that file in
    /// the repository there is no finding.
    #[serde(default)]
    pub only_if_tracked: bool,
    /// Severity where the file that the group `file` names is in the repository.
    #[serde(default)]
    pub severity_if_tracked: Option<Severity>,
    /// Gives way to any other rule that covers the same bytes.
    #[serde(default)]
    pub yields: bool,
    /// Identifiers such as `CWE-798`.
    #[serde(default, borrow)]
    pub standards: Vec<Text<'a>>,
    /// Path under which the examples stand, for rules bound to paths or languages.
    #[serde(default, borrow)]
    pub example_path: Option<Text<'a>>,
    /// The safe form of the first example, for `rules show`.
    #[serde(default, borrow)]
    pub after: Option<Text<'a>>,
    /// Texts that must be found; shapes in braces are filled in at test time. Paths, where the path alone is the finding.
    #[serde(default, borrow)]
    pub examples: Vec<Text<'a>>,
    /// Texts in which this rule must find nothing.
    #[serde(default, borrow)]
    pub counterexamples: Vec<Text<'a>>,
}

fn high() -> Confidence {
    Confidence::High
}

/// All rules made ready to run: what the build script writes and a run reads.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ReadyRules<'a> {
    /// What every run asks of every rule.
    #[serde(borrow)]
    pub rules: Vec<RuleData<'a>>,
    /// The keywords of all rules, in small letters, each with a line's end behind it.
    #[serde(borrow)]
    pub keywords: Cow<'a, str>,
    /// For each keyword how many rules have it,
    pub counts: Vec<u32>,
    /// and which, by index: those of the first keyword first.
    pub having: Vec<u32>,
    /// Of each rule a [`Cold`] as bytes of its own.
    #[serde(borrow)]
    pub texts: Vec<&'a [u8]>,
}

/// A text that is borrowed where it stands in a list too. The name `Cow` has to stand here: serde does not borrow what
/// another name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Word<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// What is read of a rule when something of it is found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cold<'a> {
    /// Its class, from the file; empty where the file names none.
    #[serde(borrow)]
    pub class: Cow<'a, str>,
    /// A looser pattern, of one of our own.
    pub outline: Option<Outline>,
    /// The rule with the file's defaults and without examples; the pattern is expanded.
    #[serde(borrow)]
    pub text: RuleText<'a>,
}

/// The same as the build script writes it: many rules have texts in common, which it writes once.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Packed<'a> {
    /// The rule without these texts.
    #[serde(borrow)]
    pub cold: Cold<'a>,
    /// Where in the list of common texts stands what to do.
    pub fix: u32,
    /// And where its standards.
    pub standards: Vec<u32>,
}

/// What has to be known of a rule before anything of it is found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RuleData<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Its family, from the file.
    pub family: Family,
    /// See [`RuleText`], as are the next three.
    pub check: Option<Check>,
    /// Languages.
    #[serde(borrow)]
    pub languages: Vec<Word<'a>>,
    /// Globs of paths it applies to.
    #[serde(borrow)]
    pub paths: Vec<Word<'a>>,
    /// Globs of paths it does not apply to.
    #[serde(borrow)]
    pub not_paths: Vec<Word<'a>>,
    /// It has keywords.
    pub has_keywords: bool,
    /// It has a pattern.
    pub has_pattern: bool,
    /// Longest match in bytes, where the pattern has a bound: a keyword's hit needs to be looked at only that far around.
    pub reach: Option<u32>,
    /// The most line ends that a match can hold, but for its first and last byte.
    pub line_ends: u32,
    /// In every match a keyword ends within so many bytes of the beginning, where the pattern shows it.
    pub keyword_within: Option<u32>,
    /// Bytes of one kind that stand in a row in every match.
    pub row: Option<Row>,
    /// Two sets of at most four signs, of each of which one stands in every match; zeros are none.
    pub needed: [[u8; 4]; 2],
    /// The way from one sign to another one that every match has.
    pub lead: Option<Lead>,
}

/// How far around a match a rule looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The whole file.
    #[default]
    File,
    /// The YAML document or the top block of HCL that holds the match; elsewhere the file.
    Document,
    /// The innermost braces or parentheses around the match; in YAML its mapping.
    Block,
    /// The lines of the match.
    Line,
}

/// A named check, for what a regex cannot say. The function of each stands in `scan/check.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The last 6 characters are the CRC-32 of the body before them (after the prefix), in base 62: GitHub, npm.
    Crc32Base62,
    /// After the `_`, 43 characters, then 8 that begin the base32 of a SHA-256 of all before: GitHub fine-grained.
    Sha256Base32,
    /// The last 7 characters are the CRC-32 of all before in base 36: GitLab routable tokens.
    Crc32Base36,
    /// The last 8 characters are the CRC-32 of all before in upper-case hexadecimal: Atlassian.
    Crc32Hex,
    /// The account number inside an AWS key id can be read.
    AwsKeyId,
    /// Header and payload decode to JSON objects; an anonymous or expired token is worth less.
    Jwt,
    /// The part after the last prefix character decodes from base64 to a JSON object.
    Base64Json,
    /// Bech32 with a right checksum: age.
    Bech32,
    /// Base32 that ends with a CRC-16 of all before: the seeds of NATS.
    NatsSeed,
    /// Decodes from base64 to `user:password` with a plausible password.
    BasicAuth,
    /// The password of a URL: not a variable, a placeholder or the user's name.
    UrlPassword,
    /// Armour with a real body.
    PrivateKey,
    /// A member of `data` or `stringData` in a document of kind `Secret`, other than a name, a place or a certificate.
    KubernetesSecret,
    /// The value of an attribute that a state of Terraform marks as sensitive, and that says something.
    StateMark,
    /// Looks drawn at random: neither words nor a sequence nor one character repeated.
    Random,
    /// Looks drawn at random and holds next to no words: for names that say little of themselves.
    Token,
    /// Could be a credential that a person or a program chose: no placeholder, no reference, no prose.
    Plausible,
    /// A literal bound to a name that holds a keyword, weighed by all that can be seen of it. It needs no pattern.
    Assignment,
    /// A value in a place where even a placeholder is used for real (a fallback): only an empty or non-literal value is fine.
    Literal,
    /// A literal that could be a credential, in a place where a placeholder would be harmless.
    RealLiteral,
    /// The match is a sink's name; an argument that follows prints a credential.
    Logged,
    /// The match does not stand in a comment.
    Code,
    /// A call that writes a file: an argument that follows, or the group `name`, is a credential.
    WritesSecret,
    /// A file that holds private keys or passwords, known by its bytes. It needs no pattern.
    KeyStore,
    /// An ignore list that ignores credential files no longer. It compares two versions and needs no pattern.
    IgnoreLost,
    /// A value of the developer's own environment file. It compares two files and needs no pattern.
    OwnValue,
}

/// Makes a written rule ready: the file's defaults filled in, the pattern expanded and measured, the examples left out.
///
/// # Errors
/// A pattern that is no regex, or a rule that could never find anything.
pub(super) fn ready<'a>(mut text: RuleText<'a>, file: &RuleFile<'a>) -> Result<(RuleData<'a>, Cold<'a>), String> {
    let of = |what: String| format!("rule `{}`: {what}", text.id);
    let (mut reach, mut line_ends, mut keyword_within, mut row, mut needed, mut lead) = (None, 0, None, None, [[0; 4]; 2], None);
    let expanded = text.pattern.as_deref().map(expand).transpose().map_err(of)?;
    if let Some(pattern) = &expanded {
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(pattern);
        let hir = hir.map_err(|e| of(e.to_string()))?;
        reach = hir.properties().maximum_len().and_then(|length| u32::try_from(length).ok());
        line_ends = reach::inner_line_ends(&hir);
        keyword_within = reach::keyword_within(&hir, &text.keywords);
        row = Row::of(&hir);
        needed = reach::needed(&hir);
        lead = lead::lead(&hir);
    }
    if (text.only_if_tracked || text.severity_if_tracked.is_some()) && !expanded.as_deref().is_some_and(|pattern| pattern.contains("(?<file>")) {
        return Err(of("what depends on a tracked file needs a group `file` that names it".to_owned()));
    }
    if text.keywords.is_empty() && text.paths.is_empty() {
        return Err(of("it needs `keywords` or `paths`".to_owned()));
    }
    if let Some(short) = text.keywords.iter().find(|keyword| keyword.len() < 2) {
        return Err(of(format!("the keyword `{short}` is too short to save any work")));
    }
    if let Some(keyword) = text.keywords.iter().find(|keyword| keyword.contains('\n')) {
        return Err(of(format!("the keyword `{}` goes over a line's end", keyword.escape_debug())));
    }
    for part in [&text.context, &text.not_context, &text.id_beside].into_iter().flatten() {
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(part).map_err(|e| of(e.to_string()))?;
    }
    let is_assignment = text.check == Some(Check::Assignment);
    if is_assignment {
        reach = Some(0); // the keyword itself is all there is to look around
    }
    if expanded.is_none() && !text.keywords.is_empty() && !is_assignment {
        return Err(of("`keywords` without a `pattern` find nothing".to_owned()));
    }
    text.pattern = expanded.map(Cow::Owned);
    if text.fix.is_empty() {
        text.fix = file.fix.clone();
    }
    let family = text.family.unwrap_or(file.family);
    let own = std::mem::take(&mut text.standards);
    text.standards = own.into_iter().chain(file.standards.iter().cloned()).collect();
    text.after = None;
    text.examples.clear();
    text.counterexamples.clear();
    let words = |texts: &[Text<'a>]| texts.iter().cloned().map(Word).collect();
    let data = RuleData {
        id: text.id.clone(),
        family,
        check: text.check,
        languages: words(&text.languages),
        paths: words(&text.paths),
        not_paths: words(&text.not_paths),
        has_keywords: !text.keywords.is_empty(),
        has_pattern: text.pattern.is_some(),
        reach,
        line_ends,
        keyword_within,
        row,
        needed,
        lead,
    };
    Ok((data, Cold { class: file.class.clone(), outline: None, text }))
}
