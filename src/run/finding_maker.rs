//! Hit to finding: the rule's words, the fingerprint, and the commit and ref that brought it in.

use std::collections::HashMap;
use std::sync::Arc;

use crate::change::{ChangeSet, CommitIndex};
use crate::config::Policy;
use crate::finding::{Facts, Finding, Fingerprint, Severity, Where};
use crate::rules::Rule;
use crate::scan::{Hit, doubt};

/// Where a hit stands.
pub(super) struct Place<'a> {
    pub(super) place: Where,
    pub(super) path: &'a [u8],
    pub(super) commit: Option<CommitIndex>,
    pub(super) reference: Option<&'a [u8]>,
}

/// Makes findings; what many of them have in common is kept once.
pub(super) struct FindingMaker<'a> {
    key: &'a str,
    change: Option<&'a ChangeSet>,
    facts: HashMap<(String, Severity), Arc<Facts>>,
    commits: HashMap<CommitIndex, Arc<str>>,
    path: Arc<[u8]>,
    findings: Vec<Finding>,
}

impl<'a> FindingMaker<'a> {
    pub(super) fn new(policy: &'a Policy, change: &'a ChangeSet) -> Self {
        Self { change: Some(change), ..Self::without_git(policy) }
    }

    /// For texts that belong to no commit.
    pub(super) fn without_git(policy: &'a Policy) -> Self {
        Self {
            key: &policy.fingerprint_key,
            change: None,
            facts: HashMap::new(),
            commits: HashMap::new(),
            path: Arc::from(&b""[..]),
            findings: Vec::new(),
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    pub(super) fn add(&mut self, hit: Hit<'_>, place: &Place<'_>) {
        let finding = self.make(hit, place);
        self.findings.push(finding);
    }

    /// Adds a hit whose severity is another than that of its rule.
    pub(super) fn add_as(&mut self, severity: Severity, hit: Hit<'_>, place: &Place<'_>) {
        let finding = self.make_as(severity, hit, place);
        self.findings.push(finding);
    }

    pub(super) fn make(&mut self, hit: Hit<'_>, place: &Place<'_>) -> Finding {
        let severity = hit.rule.text().severity;
        self.make_as(severity, hit, place)
    }

    fn make_as(&mut self, severity: Severity, hit: Hit<'_>, place: &Place<'_>) -> Finding {
        if *self.path != *place.path {
            self.path = place.path.into();
        }
        let commit = place.commit.map(|at| self.commit(at));
        let of_commit = || {
            let change = self.change?;
            let commit = change.commits.get(place.commit? as usize)?;
            change.refs.get(commit.reference? as usize).map(Vec::as_slice)
        };
        let reference = place.reference.or_else(of_commit).map(Arc::from);
        Finding {
            fingerprint: self.fingerprint(&hit, place.path),
            public_prefix: public_prefix(&hit),
            facts: self.facts(hit.rule, severity),
            confidence: hit.confidence,
            doubt: doubt(&hit, place.path),
            lapses: hit.lapses,
            id_line: hit.id_line,
            path: self.path.clone(),
            span: hit.span,
            commit,
            reference,
            place: place.place,
            secret: hit.secret,
            raw: hit.raw,
            decoded: hit.decoded,
            inside: hit.inside,
            cell: hit.cell,
        }
    }

    /// A credential is the same wherever it stands. An unsafe line is that of its file, however it is indented; a file is
    /// its path.
    fn fingerprint(&self, hit: &Hit<'_>, path: &[u8]) -> Fingerprint {
        let rule = hit.rule.id();
        match (&hit.secret, &hit.raw) {
            (Some(secret), _) => Fingerprint::new(self.key, rule, secret.expose()),
            (None, raw) => {
                let mut value = path.to_vec();
                value.extend(hit.inside.iter().flat_map(|inside| inside.iter()));
                for word in raw.iter().flat_map(|raw| raw.expose().split(u8::is_ascii_whitespace)).filter(|word| !word.is_empty()) {
                    value.push(0);
                    value.extend_from_slice(word);
                }
                Fingerprint::new(self.key, rule, &value)
            }
        }
    }

    fn commit(&mut self, at: CommitIndex) -> Arc<str> {
        let change = self.change;
        let id = || change.and_then(|change| change.commits.get(at as usize)).map(|commit| commit.id.to_string()).unwrap_or_default();
        self.commits.entry(at).or_insert_with(|| id().into()).clone()
    }

    fn facts(&mut self, rule: &Rule, severity: Severity) -> Arc<Facts> {
        let text = rule.text();
        let make = || Facts {
            rule: text.id.to_string(),
            family: rule.family(),
            class: rule.class().to_owned(),
            title: text.title.to_string(),
            severity,
            message: text.risk.to_string(),
            fix: text.fix.to_string(),
            rotate: text.rotate.as_deref().map(ToOwned::to_owned),
            standards: text.standards.iter().map(ToString::to_string).collect(),
        };
        self.facts.entry((text.id.to_string(), severity)).or_insert_with(|| Arc::new(make())).clone()
    }
}

/// How much of the credential's beginning the rule itself names in a keyword.
fn public_prefix(hit: &Hit<'_>) -> usize {
    let Some(secret) = &hit.secret else { return 0 };
    let value = secret.expose();
    let named = |keyword: &str| value.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword.as_bytes()));
    hit.rule.text().keywords.iter().filter(|keyword| named(keyword)).map(|keyword| keyword.len()).max().unwrap_or(0)
}
