//! May it pass? The only room that decides, and it always says why. A function of its inputs: today's date is one of them.

use std::fmt;

use jiff::civil::Date;

use crate::config::{Level, Policy};
use crate::finding::{Confidence, Doubt, Finding, Severity};

/// What happens because of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing: somebody allowed it.
    Allow,
    /// It is shown.
    Warn,
    /// The commit or push is refused.
    Block,
}

/// Why a verdict is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The level of its severity.
    Severity(Severity),
    /// The configuration sets a level for the rule or its family.
    RuleLevel,
    /// The configuration sets a level for the rule in this path.
    RuleLevelInPath,
    /// Something speaks against it, so it does no more than the level for low confidence.
    LowConfidence(Option<Doubt>),
    /// An exception covers it.
    Exception {
        /// Who answers for it.
        owner: String,
        /// Until when.
        expires: Date,
    },
    /// It is among the old findings that somebody accepted together.
    Accepted {
        /// Who answers for it.
        owner: String,
        /// Until when.
        expires: Date,
    },
    /// An exception would cover it but has run out.
    Expired {
        /// Who answered for it.
        owner: String,
        /// Since when it no longer holds.
        expired: Date,
    },
    /// The configuration allows findings in this path.
    AllowedPath {
        /// The file that says so.
        file: String,
    },
    /// The configuration says that no credential holds a word of the value.
    Stopword {
        /// The file that says so.
        file: String,
    },
}

/// A finding with its verdict.
#[derive(Clone)]
pub struct Judged {
    /// What was found.
    pub finding: Finding,
    /// What happens.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

/// At which gate the change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// In a work tree, before a commit; also `scan`.
    Commit,
    /// Before or while commits reach another repository.
    Push,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing to say.
    Clean,
    /// Something to say, nothing that blocks.
    Warned,
    /// Refused.
    Blocked,
}

/// All decisions about a change.
pub struct Judgement {
    /// The findings, those of the first file first.
    pub judged: Vec<Judged>,
    /// What unread content does, where there is any.
    pub unread: Option<Verdict>,
    /// What files do in which more was found than is listed, where there are any.
    pub beyond: Option<Verdict>,
    /// What pointers of Git LFS do, where there are any.
    pub lfs: Option<Verdict>,
}

/// How much of the change nobody could look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unseen<'a> {
    /// Files that were not read.
    pub unread: usize,
    /// Paths of the files in which more was found than is listed.
    pub beyond: Vec<&'a [u8]>,
    /// Pointers of Git LFS, whose content is not in git.
    pub lfs: usize,
}

impl Judgement {
    /// How it ends.
    pub fn status(&self) -> Status {
        let worst = self.judged.iter().map(|judged| judged.verdict).chain(self.unread).chain(self.beyond).chain(self.lfs).max();
        match worst {
            Some(Verdict::Block) => Status::Blocked,
            Some(Verdict::Warn) => Status::Warned,
            Some(Verdict::Allow) | None => Status::Clean,
        }
    }

    /// Number of findings with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.judged.iter().filter(|judged| judged.verdict == verdict).count()
    }
}

/// Decides about everything that was found, and about what was not read.
pub fn judge(findings: Vec<Finding>, unseen: Unseen<'_>, gate: Gate, policy: &Policy, today: Date) -> Judgement {
    let unread_level = match gate {
        Gate::Commit => policy.unread_commit,
        Gate::Push => policy.unread_push,
    };
    let mut judged: Vec<_> = findings.into_iter().map(|finding| judge_one(finding, policy, today)).collect();
    judged.sort_by(|a, b| place(&a.finding).cmp(&place(&b.finding)));
    let unread = (unseen.unread > 0).then(|| verdict(unread_level));
    // What is not listed may be anything: only a path in which nothing blocks excuses it.
    let weight = |path: &&[u8]| if allowed_path(path, policy).is_some() { Verdict::Warn } else { Verdict::Block };
    let beyond = unseen.beyond.iter().map(weight).max();
    let lfs = (unseen.lfs > 0).then(|| verdict(policy.unread_lfs));
    Judgement { judged, unread, beyond, lfs }
}

/// The order of findings does not depend on how they were found.
fn place(finding: &Finding) -> impl Ord {
    (
        finding.path.clone(),
        finding.inside.clone(),
        finding.place,
        finding.span,
        finding.commit.clone(),
        finding.facts.rule.clone(),
        finding.reference.clone(),
    )
}

fn judge_one(mut finding: Finding, policy: &Policy, today: Date) -> Judged {
    if finding.lapses.is_some_and(|second| is_over(second, today)) {
        finding.confidence = Confidence::Low;
        finding.doubt = Some(Doubt::Lapsed);
    }
    let (verdict, reason) = decide(&finding, policy, today);
    Judged { finding, verdict, reason }
}

/// True when the second lies before the day.
fn is_over(second: i64, today: Date) -> bool {
    let midnight = today.to_zoned(jiff::tz::TimeZone::UTC).map(|midnight| midnight.timestamp().as_second());
    midnight.is_ok_and(|midnight| second < midnight)
}

fn decide(finding: &Finding, policy: &Policy, today: Date) -> (Verdict, Reason) {
    let mut expired = None;
    for allowance in policy.allow.iter().filter(|allowance| allowance.covers(finding)) {
        let owner = allowance.entry.owner.clone();
        if allowance.expires >= today {
            return (Verdict::Allow, Reason::Exception { owner, expires: allowance.expires });
        }
        expired = Some(Reason::Expired { owner, expired: allowance.expires });
    }
    for accepted in policy.accepted.iter().filter(|accepted| accepted.entries.contains_key(&finding.fingerprint)) {
        let owner = accepted.owner.clone();
        if accepted.expires >= today {
            return (Verdict::Allow, Reason::Accepted { owner, expires: accepted.expires });
        }
        expired = Some(Reason::Expired { owner, expired: accepted.expires });
    }
    if let Some(file) = allowed_path(&finding.path, policy) {
        return (Verdict::Allow, Reason::AllowedPath { file: file.to_owned() });
    }
    if let Some((file, _)) = policy.stopwords.iter().find(|(_, words)| finding.secret.as_ref().is_some_and(|secret| secret.is_match(words))) {
        return (Verdict::Allow, Reason::Stopword { file: file.clone() });
    }
    let (level, reason) = level(finding, policy);
    (verdict(level), if level == Level::Block { expired.unwrap_or(reason) } else { reason })
}

/// The configuration that lets all pass in this path. What is no file has no path, so that nothing said about paths holds for it.
fn allowed_path<'p>(path: &[u8], policy: &'p Policy) -> Option<&'p str> {
    let path = (!path.is_empty()).then(|| String::from_utf8_lossy(path))?;
    policy.allowed_paths.iter().find(|(_, globs)| globs.is_match(&*path)).map(|(file, _)| file.as_str())
}

/// What happens because of a finding, when the clock stands at `day`.
pub fn verdict_on(day: Date, finding: &Finding, policy: &Policy) -> Verdict {
    decide(finding, policy, day).0
}

fn level(finding: &Finding, policy: &Policy) -> (Level, Reason) {
    if let Some((level, in_path)) = policy.of_rule(finding) {
        return (level, if in_path { Reason::RuleLevelInPath } else { Reason::RuleLevel });
    }
    let level = policy.of_severity(finding.facts.severity);
    if finding.confidence == Confidence::Low && verdict(policy.low_confidence) < verdict(level) {
        return (policy.low_confidence, Reason::LowConfidence(finding.doubt));
    }
    (level, Reason::Severity(finding.facts.severity))
}

fn verdict(level: Level) -> Verdict {
    match level {
        Level::Block => Verdict::Block,
        Level::Warn => Verdict::Warn,
        Level::Allow => Verdict::Allow,
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Severity(severity) => write!(f, "{} severity", severity.as_str()),
            Self::RuleLevel => f.write_str("the configuration sets a level for this rule"),
            Self::RuleLevelInPath => f.write_str("the configuration sets a level for this rule in this path"),
            Self::LowConfidence(doubt) => write!(f, "low confidence: {}", doubt.map_or("something speaks against it", Doubt::as_str)),
            Self::Exception { owner, expires } => write!(f, "allowed by {owner} until {expires}"),
            Self::Accepted { owner, expires } => write!(f, "an old finding, accepted by {owner} until {expires}"),
            Self::Expired { owner, expired } => write!(f, "the exception of {owner} ran out on {expired}"),
            Self::AllowedPath { file } => write!(f, "{file} allows findings in this path"),
            Self::Stopword { file } => write!(f, "a stopword of {file} stands in the value"),
        }
    }
}
