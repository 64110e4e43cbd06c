//! Which configuration applies. Hooks read the repository's file from git, never from the work
//! tree: the accepted version says what holds, the version that is being committed may only add exceptions.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use jiff::{ToSpan, civil::Date};
use sha2::{Digest, Sha256};

use crate::change::{self, ObjectId, RefUpdate, Store};
use crate::cli::Global;
use crate::config::{self, Accepted, AuditPlace, ConfigError, Layer, Origin, Policy, RepositoryConfig};
use crate::rules::{OwnRule, Rules};

use super::Failure;
use super::layers::{BASELINE, FILE, baseline_in_blob, baseline_in_commit, baseline_on_disk, in_blob, in_commit, name_in, named, on_disk};
use super::time::{self, Side};

/// The administrator's file inside a server's repository; nobody can push to it.
const SERVER_FILE: &str = "leakstop.toml";

/// What applies, and what the user should know about it.
pub(super) struct Settings {
    pub(super) policy: Policy,
    pub(super) notes: Vec<String>,
    /// The files it was read from, in the order in which they apply.
    pub(super) files: Vec<String>,
    /// Where decisions are recorded.
    pub(super) audit: Option<AuditPlace>,
    /// SHA-256 of what these files say.
    layers: Vec<[u8; 32]>,
}

impl Settings {
    /// SHA-256 of all that applies, wherever it stands.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        self.layers.iter().for_each(|layer| digest.update(layer));
        for accepted in &self.policy.accepted {
            digest.update(format!("{} {} {} {:?}", accepted.owner, accepted.expires, accepted.history, accepted.entries));
        }
        digest.finalize().into()
    }
}

/// For hooks of a work tree and for `scan` of what git holds. The user's own rules join `rules`.
pub(super) fn of_commit(global: &Global, store: &dyn Store, rules: &mut Rules) -> Result<Settings, Failure> {
    let mut layers = own_layers(global)?;
    time::keep(&layers, Side::Client)?;
    if alone(global) {
        add_rules(&layers, rules)?;
        return settings(layers, Vec::new(), rules);
    }
    let head = store.head()?;
    let accepted = head.map(|head| change::file_in_commit(store, head, FILE.as_bytes())).transpose()?.flatten();
    let staged = store.staged_blob(FILE.as_bytes())?;
    let mut notes = Vec::new();
    if let (Some(head), Some(blob)) = (head, accepted) {
        match usable(in_blob(store, blob, &name_in(FILE, head), Origin::Repository)) {
            Ok(layer) => layers.push(layer),
            // Whoever mends the file must be able to commit that.
            Err(Failure::Config(_)) if staged != accepted => {
                notes.push(format!("the accepted {FILE} is broken; this change mends it, and until then the defaults hold"));
            }
            Err(failure) => return Err(failure),
        }
    }
    if let Some(blob) = staged.filter(|_| staged != accepted) {
        layers.push(usable(in_blob(store, blob, &format!("{FILE} (as staged)"), Origin::Change))?);
    }
    let mut accepted = Vec::new();
    if let Some(head) = head {
        accepted.extend(baseline_in_commit(store, head)?);
    }
    if let Some(blob) = store.staged_blob(BASELINE.as_bytes())? {
        accepted.push(baseline_in_blob(store, blob, &format!("{BASELINE} (as staged)"))?);
    }
    if layers.iter().any(|layer| layer.origin == Origin::Change && layer.config.allow.iter().any(|entry| entry.get_ref().fingerprint.is_none())) {
        notes.push(format!("exceptions for a rule, a value or a path in {FILE} (as staged) count once they are committed"));
    }
    add_rules(&layers, rules)?;
    let mut settings = settings(layers, accepted, rules)?;
    settings.notes.append(&mut notes);
    Ok(settings)
}

/// A layer that says nothing impossible. What is being committed is held to that as a whole, though little of it counts
/// yet: tomorrow it is the accepted file, for everyone, so that it may name no rule of this user's alone.
pub(super) fn usable(layer: Result<Layer, Failure>) -> Result<Layer, Failure> {
    let layer = layer?;
    let mut rules = Rules::built_in()?;
    let layers = [Layer { origin: Origin::Repository, ..layer.clone() }];
    add_rules(&layers, &mut rules)?;
    Policy::new(&layers, &rules)?;
    Ok(layer)
}

/// More rules in one repository are a catalogue, which belongs into the machine's file: on a server everybody pays for them.
const MOST_RULES: usize = 200;

/// Adds the rules of the layers, and the names that they call sensitive.
fn add_rules(layers: &[Layer], rules: &mut Rules) -> Result<(), Failure> {
    for layer in layers.iter().filter(|layer| layer.origin != Origin::Change) {
        for (at, own) in layer.config.own.iter().enumerate() {
            add_rule(layer, at, own, rules)?;
        }
        layer.config.sensitive_names(&layer.file)?.into_iter().for_each(|name| rules.add_name(name));
    }
    Ok(())
}

fn add_rule(layer: &Layer, at: usize, own: &OwnRule, rules: &mut Rules) -> Result<(), ConfigError> {
    let told = |mistake| layer.config.mistake_in_rule(&layer.file, mistake);
    if layer.origin == Origin::Repository && at >= MOST_RULES {
        let why = format!("a repository has at most {MOST_RULES} rules of its own; keep more in the machine's file");
        return Err(told(own.mistake("", why)));
    }
    rules.add(&layer.file, own).map_err(told)
}

/// For `scan PATH`: the files at the root of the work tree. The user's own rules join `rules`.
pub(super) fn of_files(global: &Global, root: Option<&Path>, rules: &mut Rules) -> Result<Settings, Failure> {
    let mut layers = own_layers(global)?;
    let mut accepted = Vec::new();
    time::keep(&layers, Side::Client)?;
    if !alone(global)
        && let Some(root) = root
    {
        layers.extend(on_disk(&root.join(FILE), Origin::Repository)?);
        accepted.extend(baseline_on_disk(&root.join(BASELINE))?);
    }
    add_rules(&layers, rules)?;
    settings(layers, accepted, rules)
}

/// The root of the work tree around the current folder, if any.
pub(super) fn root() -> Option<PathBuf> {
    change::hooks_dir(Path::new(".")).ok().and_then(|place| place.work_tree)
}

/// The configuration files on disk that apply in the current folder.
pub(super) fn files_here(global: &Global) -> Vec<PathBuf> {
    if let Some(file) = global.config.clone().or_else(from_environment) {
        return vec![file];
    }
    let users = etcetera::choose_base_strategy().ok().map(|strategy| strategy.config_dir().join("leakstop").join("config.toml"));
    let repositorys = root().map(|root| root.join(FILE));
    [Some(machine_file()), users, repositorys].into_iter().flatten().filter(|file| file.exists()).collect()
}

/// The repository's file as it stands in the work tree, where there is one and it says nothing impossible.
pub(super) fn in_work_tree(global: &Global) -> Result<Option<String>, Failure> {
    let Some(root) = root().filter(|_| !alone(global)) else { return Ok(None) };
    baseline_on_disk(&root.join(BASELINE))?;
    let layer = on_disk(&root.join(FILE), Origin::Repository)?;
    layer.map(|layer| usable(Ok(layer)).map(|layer| layer.file)).transpose()
}

/// What those who run a server say: in the machine's file and in the one in the repository's git folder. The account's own
/// configuration and environment count for nothing.
pub(super) fn of_server(global: &Global, git_dir: &Path) -> Result<Vec<Layer>, Failure> {
    if let Some(file) = &global.config {
        return Ok(vec![named(file)?]);
    }
    let mut layers = Vec::new();
    layers.extend(on_disk(&machine_file(), Origin::Trusted)?);
    layers.extend(on_disk(&git_dir.join(SERVER_FILE), Origin::Trusted)?);
    Ok(layers)
}

/// Where decisions are recorded: those of the hooks of a server, where its git folder is named, or those here.
pub(super) fn audit_place(global: &Global, server: Option<&Path>) -> Result<Option<AuditPlace>, Failure> {
    let layers = match server {
        Some(git_dir) => of_server(global, git_dir)?,
        None => own_layers(global)?,
    };
    Ok(config::audit(&layers)?)
}

/// What those who run a server want, by their own layers alone. Their rules join `rules`.
pub(super) fn policy_of_server(trusted: &[Layer], rules: &mut Rules) -> Result<Policy, Failure> {
    add_rules(trusted, rules)?;
    Ok(Policy::new(trusted, rules)?)
}

/// For hooks of a server: its own layers come last, so that nothing in the repository weakens them. Their rules are in `rules` by
/// then, and those of the repository join them.
pub(super) fn of_push(
    trusted: Vec<Layer>,
    server: &Policy,
    store: &dyn Store,
    updates: &[RefUpdate],
    rules: &mut Rules,
) -> Result<Settings, Failure> {
    time::keep(&trusted, Side::Server)?;
    let head = change::head_of_push(store)?;
    let from = match server.repository_config {
        RepositoryConfig::Ignore => None,
        RepositoryConfig::Reviewed => head,
        RepositoryConfig::Pushed => pushed_commits(store, updates.iter())?.first().copied(),
    };
    let of_repository = from.map(|commit| in_commit(store, commit, Origin::Repository)).transpose()?.flatten();
    let accepted = from.map(|commit| baseline_in_commit(store, commit)).transpose()?.flatten();
    let reviewed = server.repository_config == RepositoryConfig::Reviewed;
    let (mut notes, taken) = match &of_repository {
        Some(layer) => add_rules_of_repository(layer, rules)?,
        None => (Vec::new(), Vec::new()),
    };
    let layers: Vec<Layer> = of_repository.into_iter().chain(trusted).collect();
    let mut settings = settings(layers, accepted.into_iter().collect(), rules)?;
    if !reviewed && !taken.is_empty() {
        rules.retain(|rule| !taken.iter().any(|id| id == rule.id()));
        notes.push(format!("the rules of {FILE} as pushed do not apply on a server, which would run patterns that nobody reviewed"));
    }
    settings.notes.append(&mut notes);
    refuse_broken(store, updates, head, server)?;
    Ok(settings)
}

/// Adds the rules of a repository on a server. They can only add findings, and what a pattern costs is bounded, so reviewed
/// ones apply. An id that is taken there by a later version's rule or by the server's own does not stop everybody's pushes: that
/// rule stands, and it is said. Gives the notes and the ids that were added.
fn add_rules_of_repository(layer: &Layer, rules: &mut Rules) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (mut notes, mut added) = (Vec::new(), Vec::new());
    for (at, own) in layer.config.own.iter().enumerate() {
        let id = &own.text().id;
        if rules.get(id).is_some() && !added.iter().any(|known| known == id.as_ref()) {
            notes.push(format!("the rule `{id}` of {} does not apply: the server has a rule of that name", layer.file));
            continue;
        }
        add_rule(layer, at, own, rules)?;
        added.push(id.to_string());
    }
    layer.config.sensitive_names(&layer.file)?.into_iter().for_each(|name| rules.add_name(name));
    Ok((notes, added))
}

/// A broken file on the default branch would close the gate for everyone after this push: refuse it now.
fn refuse_broken(store: &dyn Store, updates: &[RefUpdate], head: Option<ObjectId>, server: &Policy) -> Result<(), Failure> {
    if server.repository_config == RepositoryConfig::Ignore {
        return Ok(());
    }
    let default_branch = updates.iter().filter(|update| update.old == head || head.is_none());
    for tip in pushed_commits(store, default_branch)? {
        if let Some(layer) = in_commit(store, tip, Origin::Repository)? {
            usable(Ok(layer))?;
        }
        baseline_in_commit(store, tip)?;
    }
    Ok(())
}

/// The commits that the updates lead to; a ref may as well name a tag, a folder or a file.
fn pushed_commits<'a>(store: &dyn Store, updates: impl Iterator<Item = &'a RefUpdate>) -> Result<Vec<ObjectId>, Failure> {
    let mut commits = Vec::new();
    for tip in updates.filter_map(|update| update.new) {
        commits.extend(change::commit_of(store, tip)?);
    }
    Ok(commits)
}

/// What the layers say together. Their rules are in `rules` by then.
fn settings(layers: Vec<Layer>, accepted: Vec<Accepted>, rules: &Rules) -> Result<Settings, Failure> {
    let mut policy = Policy::new(&layers, rules)?;
    policy.accepted = accepted;
    let today = today()?;
    if today < NO_EARLIER && !(policy.allow.is_empty() && policy.accepted.is_empty()) {
        return Err(Failure::Clock { day: today.to_string() });
    }
    let mut notes = Vec::new();
    for allowance in policy.allow.iter().filter(|allowance| allowance.expires < today) {
        notes.push(format!(
            "the exception {} of {} in {} ran out on {}",
            allowance.entry.what(),
            allowance.entry.owner,
            allowance.file,
            allowance.expires
        ));
    }
    for accepted in policy.accepted.iter().filter(|accepted| accepted.expires < today && !accepted.entries.is_empty()) {
        notes.push(format!("the baseline {} of {} ran out on {}", accepted.file, accepted.owner, accepted.expires));
    }
    let audit = config::audit(&layers)?;
    let digests =
        layers.iter().map(|layer| Sha256::new().chain_update(format!("{:?}", layer.origin)).chain_update(layer.config.digest).finalize().into());
    let digests = digests.collect();
    let files = layers.into_iter().map(|layer| layer.file).chain(policy.accepted.iter().map(|accepted| accepted.file.clone())).collect();
    Ok(Settings { policy, notes, files, audit, layers: digests })
}

/// True when one file was named that counts alone.
fn alone(global: &Global) -> bool {
    global.config.is_some() || from_environment().is_some()
}

fn from_environment() -> Option<PathBuf> {
    std::env::var_os("LEAKSTOP_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The file that was named, or else the machine's and the user's.
fn own_layers(global: &Global) -> Result<Vec<Layer>, Failure> {
    if let Some(file) = global.config.clone().or_else(from_environment) {
        return Ok(vec![named(&file)?]);
    }
    let mut layers = Vec::new();
    layers.extend(on_disk(&machine_file(), Origin::Trusted)?);
    // Without a home there is no user's configuration: the defaults hold.
    if let Ok(strategy) = etcetera::choose_base_strategy() {
        layers.extend(on_disk(&strategy.config_dir().join("leakstop").join("config.toml"), Origin::Trusted)?);
    }
    Ok(layers)
}

fn machine_file() -> PathBuf {
    if cfg!(windows) { PathBuf::from(r"C:\ProgramData\leakstop\config.toml") } else { PathBuf::from("/etc/leakstop/config.toml") }
}

/// No leakstop is older: a clock that says so stands at its beginning, and an exception that ran out would hold again.
const NO_EARLIER: Date = jiff::civil::date(2025, 1, 1);

/// The day, in UTC, so that an exception runs out everywhere at once.
pub(super) fn today() -> Result<Date, Failure> {
    let now = jiff::Timestamp::try_from(std::time::SystemTime::now());
    let now = now.map_err(|_| Failure::Clock { day: "a day beyond all calendars".to_owned() })?;
    Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// Ninety days are long enough to rotate anything and short enough to be remembered.
pub(super) fn suggested_expiry() -> Result<String, Failure> {
    Ok(today()?.saturating_add(90.days()).to_string())
}
