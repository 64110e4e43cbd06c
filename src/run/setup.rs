//! The stories of `install` and `uninstall`: find the hooks folder, write, prove with a canary, say what was done.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::change::{self, CanaryPush, CanaryStage, GitPlace};
use crate::cli::{Global, Install};
use crate::install::{self, CLIENT_HOOKS, Change, FURTHER_CLIENT_HOOKS, InstallError, SERVER_HOOKS};
use crate::judge::Status;
use crate::rules::shape;

use super::Failure;
use super::output::{self, shown};

/// A GitHub token with a right checksum, drawn anew each time: what every version of leakstop refuses.
pub(super) const CANARY: &str = "leakstop canary ghp_{crc32:30}\n";

pub(super) fn install(install: &Install, _global: &Global) -> Result<Status, Failure> {
    let (place, hooks) = target(install)?;
    // The usual mistake of those who run a server; whoever names hooks knows what they want.
    if place.work_tree.is_none() && install.server.is_none() && install.hooks.is_empty() {
        return Err(InstallError::Bare { git_dir: place.git_dir }.into());
    }
    let program = own_program()?;
    let mut said = String::new();
    for hook in &hooks {
        let change = install::install(&place.hooks, hook, &program)?;
        let file = place.hooks.join(hook);
        said.push_str(&match change {
            Change::Installed => format!("installed  {}\n", shown(&file)),
            Change::Kept => format!("in place   {}\n", shown(&file)),
            Change::Renewed => format!("renewed    {}\n", shown(&file)),
            Change::Chained(aside) => format!("installed  {}; the hook that was there runs after it ({})\n", shown(&file), shown(&aside)),
            Change::Removed | Change::Restored | Change::Absent => String::new(),
        });
        prove(&place, hook)?;
    }
    said.push_str("proved     each hook refused a planted canary\n");
    if place.hooks_path_is_set {
        said.push_str("note: core.hooksPath decides where the hooks are; every repository that shares it is guarded now,\n");
        said.push_str("      and a hook manager that owns the folder may write it anew\n");
    }
    output::print(&said)?;
    Ok(Status::Clean)
}

pub(super) fn uninstall(install: &Install, _global: &Global) -> Result<Status, Failure> {
    let (place, hooks) = target(install)?;
    let program = own_program()?;
    let mut said = String::new();
    for hook in &hooks {
        let change = install::uninstall(&place.hooks, hook, &program)?;
        let file = place.hooks.join(hook);
        said.push_str(&match change {
            Change::Removed => format!("removed    {}\n", shown(&file)),
            Change::Restored => format!("restored   {}: the hook that was there before leakstop\n", shown(&file)),
            _ if std::fs::symlink_metadata(&file).is_err() => format!("not there  {}\n", shown(&file)),
            _ => format!("not ours   {}\n", shown(&file)),
        });
    }
    output::print(&said)?;
    Ok(Status::Clean)
}

pub(super) fn own_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|source| Failure::Write { path: PathBuf::from("leakstop"), source })
}

fn target(install: &Install) -> Result<(GitPlace, Vec<String>), Failure> {
    let (folder, usual, further): (&Path, &[&str], &[&str]) = match &install.server {
        Some(folder) => (folder, &SERVER_HOOKS, &["update"]),
        None => (Path::new("."), &CLIENT_HOOKS, &FURTHER_CLIENT_HOOKS),
    };
    if let Some(name) = install.hooks.iter().find(|name| !usual.contains(&name.as_str()) && !further.contains(&name.as_str())) {
        return Err(InstallError::UnknownHook { name: name.escape_debug().to_string() }.into());
    }
    let hooks = if install.hooks.is_empty() { usual.iter().map(ToString::to_string).collect() } else { install.hooks.clone() };
    let mut place = change::hooks_dir(folder)?;
    // The shim and git may start from other folders than this one.
    if let Ok(full) = std::path::absolute(&place.hooks) {
        place.hooks = full;
    }
    Ok((place, hooks))
}

pub(super) fn prove(place: &GitPlace, hook: &str) -> Result<(), Failure> {
    let canary = shape::fill(CANARY, fresh_seed());
    let file = place.hooks.join(hook);
    let folder = place.work_tree.as_deref().unwrap_or(&place.git_dir);
    let none: [OsString; 0] = [];
    match hook {
        "commit-msg" => {
            let message = tempfile::NamedTempFile::new().and_then(|file| std::fs::write(file.path(), &canary).map(|()| file));
            let message = message.map_err(|source| Failure::Write { path: std::env::temp_dir(), source })?;
            let environment = [("GIT_DIR".into(), place.git_dir.clone().into()), ("GIT_EDITOR".into(), ":".into())];
            install::prove(&file, folder, &environment, &[message.path().into()], "")?;
        }
        "pre-push" => {
            let push = CanaryPush::new(canary.as_bytes(), place)?;
            let remote = ["leakstop-canary".into(), "leakstop-canary".into()];
            install::prove(&file, folder, &push.environment(&place.git_dir), &remote, &push.to_push())?;
        }
        "pre-receive" => {
            let push = CanaryPush::new(canary.as_bytes(), place)?;
            install::prove(&file, folder, &push.environment(&place.git_dir), &none, &push.received())?;
        }
        "update" => {
            let push = CanaryPush::new(canary.as_bytes(), place)?;
            let line = push.received();
            let mut parts = line.split_whitespace();
            let (old, new, name) = (parts.next(), parts.next(), parts.next());
            let arguments: Vec<OsString> = [name, old, new].into_iter().flatten().map(OsString::from).collect();
            install::prove(&file, folder, &push.environment(&place.git_dir), &arguments, "")?;
        }
        _ => {
            let stage = CanaryStage::new(canary.as_bytes(), place)?;
            install::prove(&file, folder, &stage.environment(&place.git_dir), &none, "")?;
        }
    }
    Ok(())
}

/// No canary is like another, so that none can be allowed for good.
pub(super) fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |now| now.as_nanos() as u64) ^ u64::from(std::process::id()) << 32
}
