//! Configuration as it applies: layers laid over each other, every key with a value.

use globset::GlobSet;
use jiff::civil::Date;

use super::{AllowEntry, Baseline, Config, ConfigError, Level, RepositoryConfig};
use crate::finding::Severity;
use crate::rules::{Rules, glob_set};

/// Whose configuration a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Of this machine, this user or this server: it says what holds.
    Trusted,
    /// Of the repository, from a place that only reviewed content reaches.
    Repository,
    /// Of the repository, from the very change that is judged: only its exceptions count, each of which has an owner.
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
    /// Level by rule id or family.
    rule_levels: std::collections::BTreeMap<String, Level>,
    /// Paths in which nothing blocks, with the file that says so.
    pub allowed_paths: Vec<(String, GlobSet)>,
    /// A larger file is not read.
    pub max_file_bytes: u64,
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
}

/// An exception, read.
#[derive(Debug)]
pub struct Allowance {
    /// As written.
    pub entry: AllowEntry,
    /// Last day on which it holds.
    pub expires: Date,
    /// Where it holds; `None` for everywhere.
    pub path: Option<GlobSet>,
    /// The file it stands in.
    pub file: String,
}

/// Everything a build of a large project puts into one file stays below; above it is rather a disk image.
const MAX_FILE_BYTES: u64 = 100 << 20;

/// Used where a repository sets no key of its own: fingerprints are then the same everywhere.
const FINGERPRINT_KEY: &str = "leakstop";

impl Default for Policy {
    fn default() -> Self {
        Self {
            fingerprint_key: FINGERPRINT_KEY.to_owned(),
            levels: [Level::Warn, Level::Block, Level::Block, Level::Block],
            low_confidence: Level::Warn,
            rule_levels: std::collections::BTreeMap::new(),
            allowed_paths: Vec::new(),
            max_file_bytes: MAX_FILE_BYTES,
            unread_commit: Level::Warn,
            unread_push: Level::Block,
            // Whoever uses LFS has such files in every other commit, and no hook can ever read them: one line says so.
            unread_lfs: Level::Warn,
            repository_config: RepositoryConfig::Reviewed,
            baseline: Baseline::Visible,
            allow: Vec::new(),
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
                policy.allow.push(allowance(entry.get_ref(), &layer.file).map_err(mistake)?);
            }
        }
        Ok(policy)
    }

    /// The level of a severity.
    pub fn of_severity(&self, severity: Severity) -> Level {
        self.levels[severity as usize]
    }

    /// The level set for a rule, or else for its family.
    pub fn of_rule(&self, rule: &str, family: &str) -> Option<Level> {
        self.rule_levels.get(rule).or_else(|| self.rule_levels.get(family)).copied()
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
        set(&mut self.unread_commit, &config.unread.commit);
        set(&mut self.unread_push, &config.unread.push);
        set(&mut self.unread_lfs, &config.unread.lfs);
        // A repository cannot say how far it is to be trusted itself.
        if layer.origin == Origin::Trusted {
            set(&mut self.baseline, &config.server.baseline);
            set(&mut self.repository_config, &config.server.repository_config);
        }
        for (name, level) in &config.rules.level {
            let text = name.get_ref();
            if rules.get(text).is_none() && !["secret", "handling", "file", "access"].contains(&text.as_str()) {
                let why = format!("there is no rule or family `{text}`; `leakstop rules list` shows them");
                return Err(config.mistake(&layer.file, name, why));
            }
            self.rule_levels.insert(text.clone(), *level);
        }
        if let Some(globs) = &config.paths.allow {
            for glob in globs {
                glob_set(&[glob.get_ref().as_str().into()]).map_err(|e| config.mistake(&layer.file, glob, e.to_string()))?;
            }
            let texts: Vec<_> = globs.iter().map(|glob| glob.get_ref().as_str().into()).collect();
            let set = glob_set(&texts).map_err(|e| ConfigError::Text { file: layer.file.clone(), line: 1, column: 1, why: e.to_string() })?;
            self.allowed_paths.push((layer.file.clone(), set));
        }
        Ok(())
    }
}

fn allowance(entry: &AllowEntry, file: &str) -> Result<Allowance, String> {
    let wrong = |why: String| format!("the exception {}: {why}", entry.fingerprint);
    if entry.owner.trim().is_empty() || entry.reason.trim().is_empty() {
        return Err(wrong("it needs an owner and a reason".to_owned()));
    }
    let expires = entry.expires.parse().map_err(|_| wrong(format!("`{}` is no date like 2027-03-31", entry.expires)))?;
    let path = entry.path.as_deref().map(|glob| glob_set(&[glob.into()])).transpose().map_err(|e| wrong(e.to_string()))?;
    Ok(Allowance { entry: entry.clone(), expires, path, file: file.to_owned() })
}
