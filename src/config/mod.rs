//! TOML text to [`Config`] (as written) to [`Policy`] (as it applies). Unknown keys are errors, with their place.

mod accepted;
mod audit;
mod exception;
mod policy;
mod weaker;

pub use accepted::{Accepted, parse_accepted};
pub use audit::{AuditPlace, audit};
pub use exception::Allowance;
pub use policy::{Layer, Origin, Policy};
pub use weaker::weaker;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::finding::Fingerprint;
use crate::rules::{self, Mistake, OwnRule};

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It blocks.
    Block,
    /// It is shown and blocks nothing.
    Warn,
    /// It is counted, and shown only to those who ask for all.
    #[serde(alias = "off")]
    Allow,
}

/// How far a repository's own configuration counts on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepositoryConfig {
    /// Not at all.
    Ignore,
    /// As it stands at the tip of the default branch before the push.
    Reviewed,
    /// As it is being pushed: whoever may push decides.
    Pushed,
}

/// Which refs of a server count as accepted, so that what they reach is not new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Baseline {
    /// Those that a pusher sees: not the ones that `receive.hideRefs` or `transfer.hideRefs` hides.
    Visible,
    /// All.
    All,
}

/// A configuration file as it is written. Every key may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Key of the fingerprints.
    pub fingerprint_key: Option<String>,
    /// What each severity does.
    #[serde(default)]
    pub level: Levels,
    /// About single rules and families.
    #[serde(default)]
    pub rules: RuleSettings,
    /// Rules of the user's own.
    #[serde(default)]
    rule: Vec<IgnoredAny>,
    /// The same rules, read with their places.
    #[serde(skip)]
    pub own: Vec<OwnRule>,
    /// About names.
    #[serde(default)]
    pub names: NameSettings,
    /// About values.
    #[serde(default)]
    pub values: ValueSettings,
    /// About paths.
    #[serde(default)]
    pub paths: PathSettings,
    /// How much is read.
    #[serde(default)]
    pub limits: Limits,
    /// What becomes of content that could not be read.
    #[serde(default)]
    pub unread: UnreadSettings,
    /// What holds on a server.
    #[serde(default)]
    pub server: ServerSettings,
    /// Where decisions are recorded.
    #[serde(default)]
    pub audit: AuditSettings,
    /// Exceptions, each with an owner.
    #[serde(default)]
    pub allow: Vec<Spanned<AllowEntry>>,
    /// Where the lines of the text begin, to tell the place of a mistake that shows later.
    #[serde(skip)]
    line_starts: Vec<usize>,
    /// SHA-256 of the text: those who scan one thing together have to be told the same.
    #[serde(skip)]
    pub digest: [u8; 32],
}

/// `[level]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Findings of critical severity.
    pub critical: Option<Level>,
    /// Findings of high severity.
    pub high: Option<Level>,
    /// Findings of medium severity.
    pub medium: Option<Level>,
    /// Findings of low severity.
    pub low: Option<Level>,
    /// The most that a finding of low confidence does, whatever its severity.
    pub low_confidence: Option<Level>,
}

/// `[rules]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// Levels by rule id, class or family, which go before those by severity.
    #[serde(default)]
    pub level: std::collections::BTreeMap<Spanned<String>, Level>,
    /// Levels in some paths, which go before those; of several that hold the last one counts.
    #[serde(default)]
    pub at: Vec<LevelAt>,
}

/// One `[[rules.at]]`: what rules do in some paths.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelAt {
    /// Globs of the paths.
    pub paths: Spanned<Vec<Spanned<String>>>,
    /// Ids and families; all rules, where none is named.
    #[serde(default)]
    pub rules: Vec<Spanned<String>>,
    /// What their findings do there.
    pub level: Level,
}

/// `[names]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameSettings {
    /// Names, beside the usual ones, whose values are weighed as passwords are.
    pub sensitive: Option<Vec<Spanned<String>>>,
}

/// `[values]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueSettings {
    /// Words that no real credential holds: a value with one of them does nothing.
    pub stopwords: Option<Vec<Spanned<String>>>,
}

/// `[paths]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathSettings {
    /// Globs of paths in which nothing blocks; the findings are counted as allowed.
    pub allow: Option<Vec<Spanned<String>>>,
}

/// `[limits]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// A larger file is not read but listed as unread. In bytes.
    pub max_file_bytes: Option<u64>,
    /// The most entries that are read of an archive, with those of archives in it.
    pub archive_entries: Option<u64>,
    /// The most bytes that an archive may unpack to.
    pub archive_bytes: Option<u64>,
    /// The most bytes that an archive may unpack to for each of its own.
    pub archive_ratio: Option<u64>,
    /// The whole check ends after this time. In milliseconds; 0 leaves it to the platform.
    pub deadline_ms: Option<u64>,
    /// So long an answer of git is waited for.
    pub git_seconds: Option<u64>,
}

/// `[unread]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnreadSettings {
    /// In hooks of a work tree, and in `scan`.
    pub commit: Option<Level>,
    /// In hooks that see a push.
    pub push: Option<Level>,
    /// What a pointer of Git LFS does, in both: its content is never in git.
    pub lfs: Option<Level>,
}

/// `[server]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Whether `.leakstop.toml` of the repository counts.
    pub repository_config: Option<RepositoryConfig>,
    /// Which refs count as accepted.
    pub baseline: Option<Baseline>,
}

/// `[audit]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSettings {
    /// The file of entries; empty for none.
    pub file: Option<Spanned<String>>,
    /// The file of the key that entries are hashed with; empty for none.
    pub key_file: Option<Spanned<String>>,
    /// Whether hooks of a work tree and scans write entries too.
    pub local: Option<bool>,
}

/// One `[[allow]]`: an exception that somebody answers for. It says at least one of which finding, rule, value or path; of
/// those that it says all have to fit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowEntry {
    /// Which finding.
    pub fingerprint: Option<Fingerprint>,
    /// Findings of this rule or family.
    pub rule: Option<String>,
    /// Findings whose value this regular expression matches.
    pub value: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why it is no danger.
    pub reason: String,
    /// Last day on which it holds, `YYYY-MM-DD`.
    pub expires: String,
    /// Findings in paths that match this glob.
    pub path: Option<String>,
}

/// Two letters stand everywhere.
const SHORTEST_NAME: usize = 3;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{file}`")]
    Read {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a configuration.
    #[error("cannot use the configuration `{file}`, line {line}, column {column}: {why}")]
    Text {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is wrong there.
        why: String,
    },
}

impl ConfigError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "make the file readable, or name another one with `--config`",
            Self::Text { .. } => "mend the file; `config.example.toml` shows every key. Until then nothing passes",
        }
    }
}

/// Reads the text of a configuration; `file` names it in errors.
///
/// # Errors
/// Text that is no TOML, an unknown key, a value of the wrong kind: always with its place.
pub fn parse(file: &str, text: &[u8]) -> Result<Config, ConfigError> {
    let text = std::str::from_utf8(text).map_err(|e| {
        let (line, column) = position(text, e.valid_up_to());
        ConfigError::Text { file: file.to_owned(), line, column, why: "this is not UTF-8".to_owned() }
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let mut config: Config = toml::from_str(text).map_err(|e| {
        let (line, column) = position(text.as_bytes(), e.span().map_or(0, |span| span.start));
        ConfigError::Text { file: file.to_owned(), line, column, why: e.message().replace('\n', " ") }
    })?;
    if !config.rule.is_empty() {
        config.own = rules::read(text).map_err(|mistake| Config::mistake_in_text(file, text, mistake))?;
    }
    config.digest = Sha256::digest(text).into();
    config.line_starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
    Ok(config)
}

impl Config {
    /// The names that it calls sensitive.
    ///
    /// # Errors
    /// A name that would be looked for everywhere, or nowhere.
    pub fn sensitive_names(&self, file: &str) -> Result<Vec<&str>, ConfigError> {
        let names = self.names.sensitive.as_deref().unwrap_or_default();
        for name in names {
            let text = name.get_ref().as_str();
            let parts: Vec<_> = text.split(['_', '-']).collect();
            let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
            if !parts.iter().all(is_word) || parts.iter().all(|part| part.len() < SHORTEST_NAME) {
                let why = format!("`{text}` is no name to look for: write words with `_` between them, one of {SHORTEST_NAME} letters at least");
                return Err(self.mistake(file, name, why));
            }
        }
        Ok(names.iter().map(|name| name.get_ref().as_str()).collect())
    }

    /// A mistake in what stands at `at`.
    fn mistake<T>(&self, file: &str, at: &Spanned<T>, why: String) -> ConfigError {
        self.mistake_at(file, at.span().start, why)
    }

    /// A mistake in one of its rules.
    pub fn mistake_in_rule(&self, file: &str, mistake: Mistake) -> ConfigError {
        self.mistake_at(file, mistake.at, mistake.why)
    }

    /// A mistake in a text of rules that is no configuration.
    pub fn mistake_in_text(file: &str, text: &str, mistake: Mistake) -> ConfigError {
        let (line, column) = position(text.as_bytes(), mistake.at);
        ConfigError::Text { file: file.to_owned(), line, column, why: mistake.why }
    }

    fn mistake_at(&self, file: &str, start: usize, why: String) -> ConfigError {
        let line = self.line_starts.partition_point(|&begin| begin <= start);
        let begin = line.checked_sub(1).and_then(|line| self.line_starts.get(line)).copied().unwrap_or(0);
        ConfigError::Text { file: file.to_owned(), line: line.max(1), column: start - begin + 1, why }
    }
}

fn position(text: &[u8], at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    (memchr::memchr_iter(b'\n', before).count() + 1, at - line_start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let error = parse("x.toml", b"[level]\nhihg = \"block\"\n").unwrap_err().to_string();
        assert!(error.starts_with("cannot use the configuration `x.toml`, line 2, column 1: unknown field `hihg`"), "{error}");
        assert!(parse("x.toml", b"a = \xff").unwrap_err().to_string().contains("line 1, column 5"));
        assert!(parse("x.toml", b"").is_ok());
    }
}
