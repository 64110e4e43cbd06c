//! The story of `allow`: one exception more in the repository's file, written so that it is surely read back.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::change;
use crate::cli::{Allow, Global};
use crate::config::{self, Layer, Origin, Policy};
use crate::finding::Fingerprint;
use crate::judge::Status;
use crate::rules::Rules;

use super::layers::FILE;
use super::settings::today;
use super::{Failure, output};

pub(super) fn allow(allow: &Allow, global: &Global) -> Result<Status, Failure> {
    let fingerprint = Fingerprint::parse(&allow.fingerprint).map_err(|e| usage(e.to_string(), "copy it from the report"))?;
    let expires = day_to_come(&allow.expires)?;
    let file = match &global.config {
        Some(file) => file.clone(),
        None => root()?.join(FILE),
    };
    let name = file.display().to_string();
    let before = match fs::read(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(config::ConfigError::Read { file: name, source }.into()),
    };
    let known = config::parse(&name, &before)?;
    // It parsed, so it is UTF-8 and this changes nothing.
    let before = String::from_utf8_lossy(&before).into_owned();
    if let Some(entry) =
        known.allow.iter().map(toml::Spanned::get_ref).find(|entry| entry.fingerprint.as_ref() == Some(&fingerprint) && entry.path == allow.path)
    {
        return Err(usage(format!("{fingerprint} is allowed already, by {} until {}", entry.owner.escape_debug(), entry.expires), "edit that entry"));
    }
    let after = before.clone() + &entry_text(&before, allow, &fingerprint, expires);
    let config = config::parse(&name, after.as_bytes())?;
    Policy::new(&[Layer { file: name, origin: Origin::Repository, config }], &Rules::built_in()?)?;
    replace(&file, after.as_bytes()).map_err(|source| Failure::Write { path: file.clone(), source })?;
    output::print(&format!(
        "allowed {fingerprint} until {expires}, in {}\nStage that file (`git add`) and commit it with the change: hooks read it from git, and others see who answers for it.\n",
        output::shown(&file)
    ))?;
    Ok(Status::Clean)
}

/// Reads a day on which something may still hold.
pub(super) fn day_to_come(text: &str) -> Result<Date, Failure> {
    let day: Date = text.parse().map_err(|_| usage(format!("`{}` is no date", text.escape_debug()), "write it like 2027-03-31"))?;
    if day < today()? { Err(usage(format!("{day} is over"), "name a day to come")) } else { Ok(day) }
}

pub(super) fn usage(why: String, hint: &'static str) -> Failure {
    Failure::Usage { why, hint }
}

fn root() -> Result<PathBuf, Failure> {
    let place = change::hooks_dir(Path::new("."))?;
    place.work_tree.ok_or_else(|| usage("there is no work tree here".to_owned(), "name the file: `leakstop --config FILE allow …`"))
}

fn entry_text(before: &str, allow: &Allow, fingerprint: &Fingerprint, expires: Date) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut text = String::new();
    if !before.is_empty() {
        text.push_str(if before.ends_with('\n') { "\n" } else { "\n\n" });
    }
    text.push_str(&format!("[[allow]]\nfingerprint = \"{fingerprint}\"\n"));
    text.push_str(&format!("owner = {}\nreason = {}\nexpires = \"{expires}\"\n", quoted(&allow.owner), quoted(&allow.reason)));
    if let Some(path) = &allow.path {
        text.push_str(&format!("path = {}\n", quoted(path)));
    }
    text
}

/// Writes beside the file and renames, so that a full disk loses nothing.
pub(super) fn replace(file: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".leakstop").tempfile_in(folder)?;
    new.write_all(text)?;
    // A shared file is read by others; the temporary one is private.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(file).map_or(0o644, |old| old.permissions().mode());
        new.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    }
    new.persist(file).map_err(|e| e.error)?;
    Ok(())
}
