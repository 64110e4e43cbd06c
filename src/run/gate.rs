//! The stories of the hooks and of `scan`: open, read the policy, list what is new, examine it, judge, report.

use std::ffi::OsStr;
use std::io::{IsTerminal, Read};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::change::{self, Backend, ChangeSet, HiddenRefs, NewText, ObjectId, Part, PrePush, RefUpdate, Store, Trust};
use crate::cli::Global;
use crate::config::{self, Baseline, Policy};
use crate::judge::{Gate, Status, Unseen, judge};
use crate::rules::Rules;
use crate::scan::Scanner;

use super::disk;
use super::examine::{Found, examine};
use super::history::OfWhole;
use super::output::{Stream, report};
use super::packed::limits;
use super::settings::Settings;
use super::time::{self, Side};
use super::weakened::{Effect, OwnFiles};
use super::{Failure, recorded, settings};

/// One run.
pub(super) struct Session<'a> {
    pub(super) global: &'a Global,
    pub(super) started: Instant,
}

/// The built-in rules, never to be dropped: the process ends with its answer, and to give thousands of small pieces of memory
/// back would take a tenth of the time of a small commit.
pub(super) fn rules() -> Result<ManuallyDrop<Rules>, Failure> {
    Ok(ManuallyDrop::new(Rules::built_in()?))
}

impl Session<'_> {
    /// `pre-commit`, `pre-merge-commit` and `scan --staged`.
    pub(super) fn index(&self, command: &str) -> Result<Status, Failure> {
        let (trust, stream) = if command.starts_with("hook") { (Trust::GitAccepted, Stream::Error) } else { (Trust::CheckOwner, Stream::Out) };
        let store = change::open(trust)?;
        let mut rules = rules()?;
        let mut settings = settings::of_commit(self.global, &store, &mut rules)?;
        self.begin(command, &settings, Some(&store), &[], &rules)?;
        let others = change::merge_parents(&store, std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
        let change = change::staged(&store, &others)?;
        let mut own_files = OwnFiles::default();
        own_files.see(&change);
        settings.notes.extend(own_files.weakenings(&store, &[], Effect::Here)?);
        let found = self.examine(&store, &change, &rules, &settings.policy)?;
        self.finish(command, Gate::Commit, found, &settings, &rules, stream)
    }

    /// `commit-msg`.
    pub(super) fn message(&self, file: &Path) -> Result<Status, Failure> {
        let store = change::open(Trust::GitAccepted)?;
        let mut rules = rules()?;
        let settings = settings::of_commit(self.global, &store, &mut rules)?;
        self.begin("hook commit-msg", &settings, Some(&store), &[], &rules)?;
        let text = std::fs::read(file).map_err(|source| change::ChangeError::File { path: file.to_owned(), source })?;
        let editor = std::env::var("GIT_EDITOR").ok();
        let overrides: String = std::env::vars_os()
            .filter(|(name, _)| name.to_string_lossy().starts_with("GIT_CONFIG_"))
            .map(|(_, value)| value.to_string_lossy().into_owned() + "\n")
            .collect();
        let bytes = change::message_as_stored(&store, &text, editor.as_deref(), &overrides)?.concat();
        let text = NewText { part: Part::Message, bytes, commit: None, reference: None };
        let change = ChangeSet { texts: vec![text], ..ChangeSet::default() };
        let found = self.examine(&store, &change, &rules, &settings.policy)?;
        self.finish("hook commit-msg", Gate::Commit, found, &settings, &rules, Stream::Error)
    }

    /// `pre-push`: what no ref that we know of the remote reaches.
    pub(super) fn pre_push(&self, remote: &OsStr, url: &OsStr) -> Result<Status, Failure> {
        let updates: Vec<_> = PrePush::parse(&read_stdin()?)?.into_iter().map(|line| line.update).collect();
        let store = change::open(Trust::GitAccepted)?;
        let mut rules = rules()?;
        let mut settings = settings::of_commit(self.global, &store, &mut rules)?;
        self.begin("hook pre-push", &settings, Some(&store), &updates, &rules)?;
        let mut known = change::known_to(&store, remote.as_encoded_bytes(), url.as_encoded_bytes())?;
        // What the remote says that it has.
        known.extend(updates.iter().filter_map(|update| update.old));
        let found = examine_push(&store, &updates, &known, &rules, &mut settings, Effect::Here)?;
        self.finish("hook pre-push", Gate::Push, found, &settings, &rules, Stream::Error)
    }

    /// `pre-receive`.
    pub(super) fn pre_receive(&self, backend: Option<Backend>) -> Result<Status, Failure> {
        let updates = RefUpdate::parse(&read_stdin()?)?;
        self.received("hook pre-receive", &updates, backend)
    }

    /// `update`.
    pub(super) fn update(&self, reference: &OsStr, old: &str, new: &str) -> Result<Status, Failure> {
        let update = RefUpdate::from_arguments(reference.as_encoded_bytes(), old, new)?;
        self.received("hook update", &[update], None)
    }

    fn received(&self, command: &str, updates: &[RefUpdate], backend: Option<Backend>) -> Result<Status, Failure> {
        time::keep(&[], Side::Server)?;
        let store = change::open_by(Trust::Receiving, backend)?;
        let mut rules = rules()?;
        let trusted = settings::of_server(self.global, &store.git_dir())?;
        let audit = config::audit(&trusted)?;
        let server = settings::policy_of_server(&trusted, &mut rules);
        // Before anything of the push is read, and with the rules of the server's own, which may know a secret in a name: whatever
        // happens from here on leaves a trace.
        recorded::begin(audit.as_ref(), command, Some(&store), updates, &rules)?;
        let mut settings = settings::of_push(trusted, &server?, &store, updates, &mut rules)?;
        let hidden = match settings.policy.baseline {
            Baseline::Visible => HiddenRefs::Ignored,
            Baseline::All => HiddenRefs::Counted,
        };
        let known = change::accepted(&store, hidden)?;
        let effect = Effect::Server(settings.policy.repository_config);
        let found = examine_push(&store, updates, &known, &rules, &mut settings, effect)?;
        self.finish(command, Gate::Push, found, &settings, &rules, Stream::Error)
    }

    /// `scan --range`.
    pub(super) fn range(&self, range: &str) -> Result<Status, Failure> {
        let store = change::open(Trust::CheckOwner)?;
        let mut rules = rules()?;
        let settings = settings::of_commit(self.global, &store, &mut rules)?;
        self.begin("scan --range", &settings, Some(&store), &[], &rules)?;
        let Some((from, to)) = range.split_once("..").filter(|(_, to)| !to.starts_with('.')) else {
            return Err(Failure::Usage { why: format!("`{}` is no range", range.escape_debug()), hint: "write it as A..B, for example main..HEAD" });
        };
        let end = |name: &str| store.revision(if name.is_empty() { "HEAD" } else { name });
        let scanner = Scanner::new(&rules).within(limits(&settings.policy));
        let mut found = Found::default();
        let mut take = |part: &mut ChangeSet| examine(&store, part, &scanner, &settings.policy, None, &mut found);
        let mut rest = change::range(&store, &[end(from)?], end(to)?, &mut take)?;
        take(&mut rest)?;
        self.finish("scan --range", Gate::Commit, found, &settings, &rules, Stream::Out)
    }

    /// `scan PATH…`.
    pub(super) fn files(&self, paths: &[PathBuf], everything: bool) -> Result<Status, Failure> {
        let here = [PathBuf::from(".")];
        let paths = if paths.is_empty() { &here[..] } else { paths };
        let mut rules = rules()?;
        let root = change::hooks_dir(&paths[0]).ok().and_then(|place| place.work_tree);
        let settings = settings::of_files(self.global, root.as_deref(), &mut rules)?;
        self.begin("scan", &settings, None, &[], &rules)?;
        let found = disk::examine_files(paths, everything, root.as_deref(), &rules, &settings.policy)?;
        self.finish("scan", Gate::Commit, found, &settings, &rules, Stream::Out)
    }

    /// `scan --stdin`.
    pub(super) fn standard_input(&self, path: Option<&Path>) -> Result<Status, Failure> {
        let mut rules = rules()?;
        let root = change::hooks_dir(Path::new(".")).ok().and_then(|place| place.work_tree);
        let settings = settings::of_files(self.global, root.as_deref(), &mut rules)?;
        self.begin("scan --stdin", &settings, None, &[], &rules)?;
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|e| Failure::Input { why: e.to_string() })?;
        refuse_closed(&bytes)?;
        let found = disk::examine_text(path, &bytes, &rules, &settings.policy)?;
        self.finish("scan --stdin", Gate::Commit, found, &settings, &rules, Stream::Out)
    }

    /// Outside of a server decisions are recorded only where that is asked for.
    pub(super) fn begin(
        &self,
        command: &str,
        settings: &Settings,
        store: Option<&dyn Store>,
        updates: &[RefUpdate],
        rules: &Rules,
    ) -> Result<(), Failure> {
        recorded::begin(settings.audit.as_ref().filter(|place| place.local), command, store, updates, rules)
    }

    fn examine(&self, store: &dyn Store, change: &ChangeSet, rules: &Rules, policy: &Policy) -> Result<Found, Failure> {
        let mut found = Found::default();
        examine(store, change, &Scanner::new(rules).within(limits(policy)), policy, None, &mut found)?;
        Ok(found)
    }

    fn finish(&self, command: &str, gate: Gate, found: Found, settings: &Settings, rules: &Rules, stream: Stream) -> Result<Status, Failure> {
        self.finish_part(command, gate, found, settings, rules, stream, &OfWhole::default())
    }

    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own that the story has brought along")]
    pub(super) fn finish_part(
        &self,
        command: &str,
        gate: Gate,
        found: Found,
        settings: &Settings,
        rules: &Rules,
        stream: Stream,
        of_whole: &OfWhole,
    ) -> Result<Status, Failure> {
        let beyond = found.coverage.beyond.iter().map(|file| file.path.as_slice()).collect();
        let unseen = Unseen { unread: found.coverage.unread.len(), beyond, lfs: found.coverage.lfs.len() };
        let judgement = judge(found.findings, unseen, gate, &settings.policy, settings::today()?);
        // Nobody is told a verdict that is not written down.
        recorded::decided(&judgement, &found.coverage, settings, rules, &of_whole.in_names, self.started)?;
        report(self, command, &judgement, &found.coverage, &settings.notes, rules.all().len(), stream, of_whole)?;
        Ok(judgement.status())
    }
}

/// Lists what a push brings and examines it, part by part.
fn examine_push(
    store: &dyn Store,
    updates: &[RefUpdate],
    known: &[ObjectId],
    rules: &Rules,
    settings: &mut Settings,
    effect: Effect,
) -> Result<Found, Failure> {
    let scanner = Scanner::new(rules).within(limits(&settings.policy));
    let (mut found, mut own_files) = (Found::default(), OwnFiles::default());
    let mut take = |part: &mut ChangeSet| {
        own_files.see(part);
        examine(store, part, &scanner, &settings.policy, None, &mut found)
    };
    let mut rest = change::pushed(store, updates, known, &mut take)?;
    take(&mut rest)?;
    settings.notes.extend(own_files.weakenings(store, updates, effect)?);
    Ok(found)
}

/// Reads what git writes to a hook. A terminal or nothing at all is not git.
fn read_stdin() -> Result<Vec<u8>, Failure> {
    let mut stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        return Err(Failure::Input { why: "it is a terminal".to_owned() });
    }
    let mut input = Vec::new();
    stdin.read_to_end(&mut input).map_err(|e| Failure::Input { why: e.to_string() })?;
    refuse_closed(&input)?;
    Ok(input)
}

/// The standard library replaces a closed input by the null device; git gives a pipe, and so does whoever has something to
/// scan.
fn refuse_closed(input: &[u8]) -> Result<(), Failure> {
    #[cfg(unix)]
    if input.is_empty() {
        use std::os::unix::fs::FileTypeExt;
        let kind = std::fs::metadata("/dev/stdin").map_err(|e| Failure::Input { why: e.to_string() })?.file_type();
        if kind.is_char_device() {
            return Err(Failure::Input { why: "it is closed".to_owned() });
        }
    }
    #[cfg(not(unix))]
    let _ = input;
    Ok(())
}
