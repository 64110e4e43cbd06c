//! Configuration as it applies: layers laid over each other, every key with a value.

use std::collections::BTreeMap;

use globset::GlobSet;
use regex::bytes::{Regex, RegexBuilder};
use toml::Spanned;

use super::exception::allowance;
use super::{Accepted, Allowance, Baseline, Config, ConfigError, Level, RepositoryConfig};
use crate::finding::{Finding, Severity};
use crate::rules::{Rules, glob_set};

/// Whose configuration a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Of this machine, this user or this server: it says what holds.
    Trusted,
    /// Of the repository, from a place that only reviewed content reaches.
    Repository,
    /// Of the repository, from the very change that is judged: only its exceptions for single findings count, each of which
    /// has an owner.
    Change,
}

/// One configuration file.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Name for messages.
    pub file: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it says.
    pub config: Config,
}

/// What applies.
#[derive(Debug)]
pub struct Policy {
    /// Key of the fingerprints.
    pub fingerprint_key: String,
    /// Level by severity, from low to critical.
    levels: [Level; 4],
    /// The most a finding of low confidence does.
    pub low_confidence: Level,
    /// Levels of rules and families, one entry a file; the later goes before the earlier.
    rule_levels: Vec<RuleLevels>,
    /// Values that do nothing, with the file that says so.
    pub stopwords: Vec<(String, Regex)>,
    /// Paths in which nothing blocks, with the file that says so.
    pub allowed_paths: Vec<(String, GlobSet)>,
    /// A larger file is not read.
    pub max_file_bytes: u64,
    /// The most entries that are read of an archive.
    pub archive_entries: u64,
    /// The most bytes that an archive may unpack to.
    pub archive_bytes: u64,
    /// The most bytes that an archive may unpack to for each of its own.
    pub archive_ratio: u64,
    /// The whole check ends after so many milliseconds; 0 leaves it to the platform.
    pub deadline_ms: u64,
    /// So many seconds an answer of git is waited for.
    pub git_seconds: u64,
    /// What unread content does in a commit.
    pub unread_commit: Level,
    /// What unread content does in a push.
    pub unread_push: Level,
    /// What a pointer of Git LFS does.
    pub unread_lfs: Level,
    /// How far the repository's own file counts on a server.
    pub repository_config: RepositoryConfig,
    /// Which refs of a server count as accepted.
    pub baseline: Baseline,
    /// All exceptions.
    pub allow: Vec<Allowance>,
    /// Old findings that somebody accepted together.
    pub accepted: Vec<Accepted>,
}

/// What one file says of rules.
#[derive(Debug)]
struct RuleLevels {
    /// By rule id, class or family.
    by_name: BTreeMap<String, Level>,
    /// In some paths.
    at: Vec<At>,
}

/// What rules do in some paths.
#[derive(Debug)]
struct At {
    paths: GlobSet,
    /// Ids and families; empty for all.
    rules: Vec<String>,
    level: Level,
}

/// Large files are read in parts, at any size in the same memory: this is a bound on time, of about half a minute.
pub(super) const MAX_FILE_BYTES: u64 = 2 << 30;
/// The jar of a whole application has fewer entries,
pub(super) const ARCHIVE_ENTRIES: u64 = 20_000;
/// unpacks to less,
pub(super) const ARCHIVE_BYTES: u64 = 256 << 20;
/// and text shrinks to a twentieth at best; only a bomb gets near what deflate can do, a thousandth.
pub(super) const ARCHIVE_RATIO: u64 = 200;
/// Longer than any honest answer of git takes.
const GIT_SECONDS: u64 = 300;

/// Used where a repository sets no key of its own: fingerprints are then the same everywhere.
const FINGERPRINT_KEY: &str = "leakstop";

impl Default for Policy {
    fn default() -> Self {
        Self {
            fingerprint_key: FINGERPRINT_KEY.to_owned(),
            levels: [Level::Warn, Level::Block, Level::Block, Level::Block],
            low_confidence: Level::Warn,
            rule_levels: Vec::new(),
            stopwords: Vec::new(),
            allowed_paths: Vec::new(),
            max_file_bytes: MAX_FILE_BYTES,
            archive_entries: ARCHIVE_ENTRIES,
            archive_bytes: ARCHIVE_BYTES,
            archive_ratio: ARCHIVE_RATIO,
            deadline_ms: 0,
            git_seconds: GIT_SECONDS,
            unread_commit: Level::Warn,
            unread_push: Level::Block,
            // Whoever uses LFS has such files in every other commit, and no hook can ever read them: one line says so.
            unread_lfs: Level::Warn,
            repository_config: RepositoryConfig::Reviewed,
            baseline: Baseline::Visible,
            allow: Vec::new(),
            accepted: Vec::new(),
        }
    }
}

impl Policy {
    /// Lays the layers over the defaults, the later over the earlier. Exceptions add up.
    ///
    /// # Errors
    /// A rule or family that does not exist, a glob or a date that does not parse, an exception without owner or reason.
    pub fn new(layers: &[Layer], rules: &Rules) -> Result<Self, ConfigError> {
        let mut policy = Self::default();
        for layer in layers {
            if layer.origin != Origin::Change {
                policy.take_settings(layer, rules)?;
            }
            for entry in &layer.config.allow {
                let mistake = |why| layer.config.mistake(&layer.file, entry, why);
                let allowance = allowance(entry.get_ref(), &layer.file, rules).map_err(mistake)?;
                if layer.origin != Origin::Change || allowance.entry.fingerprint.is_some() {
                    policy.allow.push(allowance);
                }
            }
        }
        Ok(policy)
    }

    /// The level of a severity.
    pub fn of_severity(&self, severity: Severity) -> Level {
        self.levels[severity as usize]
    }

    /// The level that the configuration sets for the finding's rule, and whether it does so for the path. The last file that
    /// says something counts; in it paths go before rules, rules before
    /// classes, and classes before families.
    pub fn of_rule(&self, finding: &Finding) -> Option<(Level, bool)> {
        let facts = &finding.facts;
        let (rule, class, family) = (facts.rule.as_str(), facts.class.as_str(), facts.family.as_str());
        // What is no file has no path, so that nothing said about paths holds for it.
        let path = (!finding.path.is_empty()).then(|| String::from_utf8_lossy(&finding.path));
        self.rule_levels.iter().rev().find_map(|levels| {
            let about = |at: &&At| at.rules.is_empty() || at.rules.iter().any(|name| [rule, class, family].contains(&name.as_str()));
            let at = levels.at.iter().rev().filter(about).find(|at| path.as_deref().is_some_and(|path| at.paths.is_match(path)));
            let by_name = || [rule, class, family].iter().find_map(|name| levels.by_name.get(*name)).map(|level| (*level, false));
            at.map(|at| (at.level, true)).or_else(by_name)
        })
    }

    fn take_settings(&mut self, layer: &Layer, rules: &Rules) -> Result<(), ConfigError> {
        let config = &layer.config;
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(value) = from {
                *to = value.clone();
            }
        }
        set(&mut self.fingerprint_key, &config.fingerprint_key);
        let level = &config.level;
        for (to, from) in self.levels.iter_mut().zip([level.low, level.medium, level.high, level.critical]) {
            set(to, &from);
        }
        set(&mut self.low_confidence, &level.low_confidence);
        set(&mut self.max_file_bytes, &config.limits.max_file_bytes);
        set(&mut self.archive_entries, &config.limits.archive_entries);
        set(&mut self.archive_bytes, &config.limits.archive_bytes);
        set(&mut self.archive_ratio, &config.limits.archive_ratio);
        set(&mut self.unread_commit, &config.unread.commit);
        set(&mut self.unread_push, &config.unread.push);
        set(&mut self.unread_lfs, &config.unread.lfs);
        // A repository cannot say how far it is to be trusted itself, nor how long others wait for it.
        if layer.origin == Origin::Trusted {
            set(&mut self.baseline, &config.server.baseline);
            set(&mut self.deadline_ms, &config.limits.deadline_ms);
            set(&mut self.git_seconds, &config.limits.git_seconds);
            set(&mut self.repository_config, &config.server.repository_config);
        }
        self.take_rule_levels(layer, rules)?;
        if let Some(words) = config.values.stopwords.as_ref().filter(|words| !words.is_empty()) {
            self.stopwords.push((layer.file.clone(), stopwords(layer, words)?));
        }
        if let Some(globs) = &config.paths.allow {
            let set = globs_of(layer, globs)?;
            self.allowed_paths.push((layer.file.clone(), set));
        }
        Ok(())
    }

    fn take_rule_levels(&mut self, layer: &Layer, rules: &Rules) -> Result<(), ConfigError> {
        let settings = &layer.config.rules;
        let mut levels = RuleLevels { by_name: BTreeMap::new(), at: Vec::new() };
        for (name, level) in &settings.level {
            known(layer, name, rules)?;
            levels.by_name.insert(name.get_ref().clone(), *level);
        }
        for at in &settings.at {
            if at.paths.get_ref().is_empty() {
                return Err(layer.config.mistake(&layer.file, &at.paths, "name a glob of paths, or set the level in `[rules.level]`".to_owned()));
            }
            at.rules.iter().try_for_each(|name| known(layer, name, rules))?;
            let names = at.rules.iter().map(|name| name.get_ref().clone()).collect();
            levels.at.push(At { paths: globs_of(layer, at.paths.get_ref())?, rules: names, level: at.level });
        }
        if !levels.by_name.is_empty() || !levels.at.is_empty() {
            self.rule_levels.push(levels);
        }
        Ok(())
    }
}

/// True for what levels and exceptions can be set for.
pub(super) fn is_rule_or_family(name: &str, rules: &Rules) -> bool {
    let class = || !name.is_empty() && rules.all().iter().any(|rule| rule.class() == name);
    ["secret", "handling", "file", "access"].contains(&name) || rules.get(name).is_some() || class()
}

fn known(layer: &Layer, name: &Spanned<String>, rules: &Rules) -> Result<(), ConfigError> {
    let text = name.get_ref();
    if is_rule_or_family(text, rules) {
        return Ok(());
    }
    Err(layer.config.mistake(&layer.file, name, format!("there is no rule or family `{text}`; `leakstop rules list` shows them")))
}

fn globs_of(layer: &Layer, globs: &[Spanned<String>]) -> Result<GlobSet, ConfigError> {
    let mut texts = Vec::with_capacity(globs.len());
    for glob in globs {
        let text: crate::rules::Text<'_> = glob.get_ref().as_str().into();
        // One by one, so that the mistake has its place.
        glob_set(std::slice::from_ref(&text)).map_err(|e| layer.config.mistake(&layer.file, glob, e.to_string()))?;
        texts.push(text);
    }
    glob_set(&texts).map_err(|e| ConfigError::Text { file: layer.file.clone(), line: 1, column: 1, why: e.to_string() })
}

/// A shorter word stands in half of all credentials by chance.
const SHORTEST_STOPWORD: usize = 4;

fn stopwords(layer: &Layer, words: &[Spanned<String>]) -> Result<Regex, ConfigError> {
    if let Some(word) = words.iter().find(|word| word.get_ref().trim().len() < SHORTEST_STOPWORD) {
        let why = format!("a stopword has at least {SHORTEST_STOPWORD} characters: a shorter one stands in real credentials by chance");
        return Err(layer.config.mistake(&layer.file, word, why));
    }
    let any = words.iter().map(|word| regex::escape(word.get_ref())).collect::<Vec<_>>().join("|");
    let built = RegexBuilder::new(&any).unicode(false).case_insensitive(true).build();
    built.map_err(|e| ConfigError::Text { file: layer.file.clone(), line: 1, column: 1, why: format!("the stopwords are too many: {e}") })
}
