//! The story of `scan --history`: the whole, or a part of it that others complete; from the beginning, or from where it was.

use sha2::{Digest, Sha256};

use crate::change::{self, ChangeSet, Coverage, ListHash, Part, Trust};
use crate::cli::Scan;
use crate::finding::{Finding, Secret};
use crate::judge::{Gate, Status};
use crate::report::Split;
use crate::rules::{Rules, SOURCES};
use crate::scan::{Scanner, Text};

use super::examine::{Found, examine};
use super::gate::{Session, rules};
use super::output::Stream;
use super::packed::limits;
use super::remembered::Remembered;
use super::settings::Settings;
use super::{Failure, progress, scheduler, settings};

/// Which part of a scan a report tells of, and what stands in names that another part tells of.
#[derive(Default)]
pub(super) struct OfWhole {
    pub(super) split: Option<Split>,
    pub(super) in_names: Vec<Secret>,
}

impl Session<'_> {
    /// `scan --history`.
    pub(super) fn history(&self, asked: &Scan) -> Result<Status, Failure> {
        let shard = asked.shard.as_deref().map(|shard| scheduler::shard(shard, |name| std::env::var_os(name))).transpose()?;
        let store = change::open(Trust::CheckOwner)?;
        let mut rules = rules()?;
        let mut settings = settings::of_commit(self.global, &store, &mut rules)?;
        self.begin("scan --history", &settings, Some(&store), &[], &rules)?;
        let remembered = asked.since_last.then(|| Remembered::open(&store, &settings, shard)).transpose()?;
        settings.notes.extend(remembered.as_ref().and_then(|remembered| remembered.note.clone()));
        let shown = progress::shown(self.global);
        let scanner = Scanner::new(&rules).within(limits(&settings.policy));
        let (mut found, mut listed) = (Found::default(), ListHash::default());
        let mut take = |part: &mut ChangeSet| {
            if let Some(shard) = shard {
                listed.add(part);
                part.keep(shard);
            }
            examine(&store, part, &scanner, &settings.policy, remembered.as_ref(), &mut found)
        };
        let mut rest = change::history(&store, &mut take)?;
        take(&mut rest)?;
        let mut of_whole = OfWhole::default();
        if let Some(shard) = shard {
            let share = rest.share(shard);
            of_whole.split = Some(split(shard, listed.of(&rest), &rules, &settings));
            (found.coverage.commits, found.coverage.refs) = (share.commits, share.refs);
            of_whole.in_names = in_names(&scanner, &found.findings, &found.coverage)?;
        }
        settings.notes.extend(remembered.and_then(Remembered::finish));
        drop(shown);
        self.finish_part("scan --history", Gate::Commit, found, &settings, &rules, Stream::Out, &of_whole)
    }
}

/// What all parts have to have in common.
fn split(shard: change::Shard, listed: [u8; 32], rules: &Rules, settings: &Settings) -> Split {
    let mut all = Sha256::new();
    for (_, text) in SOURCES.iter() {
        all.update(text);
    }
    for rule in rules.all() {
        all.update(rule.id());
        all.update("\n");
    }
    let short = |digest: &[u8]| digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    Split { index: shard.index(), of: shard.of(), rules: short(&all.finalize()), configuration: short(&settings.digest()), revision: short(&listed) }
}

/// A name that holds a secret is told by one part, and shown by all that tell of what bears it.
fn in_names(scanner: &Scanner<'_>, findings: &[Finding], coverage: &Coverage) -> Result<Vec<Secret>, Failure> {
    let paths = findings.iter().map(|finding| (Part::Path, &*finding.path));
    let refs = findings.iter().filter_map(|finding| Some((Part::Ref, finding.reference.as_deref()?)));
    let unread = coverage.unread.iter().chain(&coverage.beyond).chain(&coverage.lfs).map(|unread| (Part::Path, &*unread.path));
    let mut names: Vec<(Part, &[u8])> = paths.chain(refs).chain(unread).collect();
    names.sort_unstable_by_key(|(part, name)| (*part == Part::Ref, *name));
    names.dedup();
    let mut secrets = Vec::new();
    for (part, bytes) in names {
        let hits = scanner.scan(Text { path: b"", part, bytes })?;
        secrets.extend(hits.into_iter().flat_map(|hit| [hit.secret, hit.raw]).flatten());
    }
    Ok(secrets)
}
