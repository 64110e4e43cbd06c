//! Which configuration applies, and where it is read from. Hooks read the repository's file from git, never from the work
//! tree: the accepted version says what holds, the version that is being committed may only add exceptions.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use jiff::{ToSpan, civil::Date};

use crate::change::{self, ObjectId, RefUpdate, Store};
use crate::cli::Global;
use crate::config::{self, ConfigError, Layer, Origin, Policy, RepositoryConfig};
use crate::rules::Rules;

use super::Failure;

/// The repository's own file.
pub(super) const FILE: &str = ".leakstop.toml";
/// The administrator's file inside a server's repository; nobody can push to it.
const SERVER_FILE: &str = "leakstop.toml";

/// What applies, and what the user should know about it.
pub(super) struct Settings {
    pub(super) policy: Policy,
    pub(super) notes: Vec<String>,
    /// The files it was read from, in the order in which they apply.
    pub(super) files: Vec<String>,
}

/// For hooks of a work tree and for `scan` of what git holds.
pub(super) fn of_commit(global: &Global, store: &dyn Store, rules: &Rules) -> Result<Settings, Failure> {
    let mut layers = own_layers(global)?;
    if alone(global) {
        return settings(layers, rules);
    }
    let head = store.head()?;
    let accepted = head.map(|head| change::file_in_commit(store, head, FILE.as_bytes())).transpose()?.flatten();
    let staged = store.staged_blob(FILE.as_bytes())?;
    let mut notes = Vec::new();
    if let (Some(head), Some(blob)) = (head, accepted) {
        match usable(in_blob(store, blob, &name_in(head), Origin::Repository), rules) {
            Ok(layer) => layers.push(layer),
            // Whoever mends the file must be able to commit that.
            Err(Failure::Config(_)) if staged != accepted => {
                notes.push(format!("the accepted {FILE} is broken; this change mends it, and until then the defaults hold"));
            }
            Err(failure) => return Err(failure),
        }
    }
    if let Some(blob) = staged.filter(|_| staged != accepted) {
        layers.push(usable(in_blob(store, blob, &format!("{FILE} (as staged)"), Origin::Change), rules)?);
    }
    let mut settings = settings(layers, rules)?;
    settings.notes.append(&mut notes);
    Ok(settings)
}

/// A layer that says nothing impossible. What is being committed is held to that as a whole, though little of it counts
/// yet: tomorrow it is the accepted file.
fn usable(layer: Result<Layer, Failure>, rules: &Rules) -> Result<Layer, Failure> {
    let layer = layer?;
    Policy::new(&[Layer { origin: Origin::Repository, ..layer.clone() }], rules)?;
    Ok(layer)
}

/// For `scan PATH`: the file at the root of the work tree.
pub(super) fn of_files(global: &Global, root: Option<&Path>, rules: &Rules) -> Result<Settings, Failure> {
    let mut layers = own_layers(global)?;
    if !alone(global)
        && let Some(root) = root
    {
        layers.extend(on_disk(&root.join(FILE), Origin::Repository)?);
    }
    settings(layers, rules)
}

/// For hooks of a server: the machine's file and the one in the repository's git folder come last, so that nothing in the
/// repository weakens them. The account's own configuration and environment count for nothing.
pub(super) fn of_push(global: &Global, store: &dyn Store, updates: &[RefUpdate], rules: &Rules) -> Result<Settings, Failure> {
    let trusted = match &global.config {
        Some(file) => vec![named(file)?],
        None => {
            let mut layers = Vec::new();
            layers.extend(on_disk(&machine_file(), Origin::Trusted)?);
            layers.extend(on_disk(&store.git_dir().join(SERVER_FILE), Origin::Trusted)?);
            layers
        }
    };
    let server = Policy::new(&trusted, rules)?;
    let head = store.head()?;
    let mut layers = match server.repository_config {
        RepositoryConfig::Ignore => Vec::new(),
        RepositoryConfig::Reviewed => head.map(|head| in_commit(store, head, Origin::Repository)).transpose()?.flatten().into_iter().collect(),
        RepositoryConfig::Pushed => match pushed_commits(store, updates.iter())?.first() {
            Some(&tip) => in_commit(store, tip, Origin::Repository)?.into_iter().collect(),
            None => Vec::new(),
        },
    };
    layers.extend(trusted);
    let settings = settings(layers, rules)?;
    refuse_broken(store, updates, head, &server, rules)?;
    Ok(settings)
}

/// A broken file on the default branch would close the gate for everyone after this push: refuse it now.
fn refuse_broken(store: &dyn Store, updates: &[RefUpdate], head: Option<ObjectId>, server: &Policy, rules: &Rules) -> Result<(), Failure> {
    if server.repository_config == RepositoryConfig::Ignore {
        return Ok(());
    }
    let default_branch = updates.iter().filter(|update| update.old == head || head.is_none());
    for tip in pushed_commits(store, default_branch)? {
        if let Some(layer) = in_commit(store, tip, Origin::Repository)? {
            Policy::new(&[layer], rules)?;
        }
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

fn settings(layers: Vec<Layer>, rules: &Rules) -> Result<Settings, Failure> {
    let policy = Policy::new(&layers, rules)?;
    let today = today();
    let mut notes = Vec::new();
    for allowance in policy.allow.iter().filter(|allowance| allowance.expires < today) {
        notes.push(format!(
            "the exception {} of {} in {} ran out on {}",
            allowance.entry.fingerprint, allowance.entry.owner, allowance.file, allowance.expires
        ));
    }
    Ok(Settings { policy, notes, files: layers.into_iter().map(|layer| layer.file).collect() })
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

/// A file that was named must be there.
fn named(file: &Path) -> Result<Layer, Failure> {
    let name = file.display().to_string();
    let text = std::fs::read(file).map_err(|source| ConfigError::Read { file: name.clone(), source })?;
    Ok(Layer { config: config::parse(&name, &text)?, file: name, origin: Origin::Trusted })
}

/// A file that may be missing; anything else that keeps it from being read is an error.
fn on_disk(file: &Path, origin: Origin) -> Result<Option<Layer>, Failure> {
    let name = file.display().to_string();
    match std::fs::read(file) {
        Ok(text) => Ok(Some(Layer { config: config::parse(&name, &text)?, file: name, origin })),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(ConfigError::Read { file: name, source }.into()),
    }
}

fn in_commit(store: &dyn Store, commit: ObjectId, origin: Origin) -> Result<Option<Layer>, Failure> {
    match change::file_in_commit(store, commit, FILE.as_bytes())? {
        Some(blob) => Ok(Some(in_blob(store, blob, &name_in(commit), origin)?)),
        None => Ok(None),
    }
}

fn name_in(commit: ObjectId) -> String {
    format!("{FILE} of {}", &commit.to_string()[..12])
}

fn in_blob(store: &dyn Store, blob: ObjectId, name: &str, origin: Origin) -> Result<Layer, Failure> {
    let mut text = Vec::new();
    store.read(blob, &mut text)?;
    Ok(Layer { config: config::parse(name, &text)?, file: name.to_owned(), origin })
}

/// The day, in UTC, so that an exception runs out everywhere at once.
pub(super) fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Ninety days are long enough to rotate anything and short enough to be remembered.
pub(super) fn suggested_expiry() -> String {
    today().saturating_add(90.days()).to_string()
}
