//! Where a repository keeps its hooks.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository};

use super::child::{Git, path_from};
use super::error::{BothReasons, ChangeError};

/// A repository into which hooks are installed.
#[derive(Debug)]
pub struct GitPlace {
    /// The folder that git runs hooks from: `core.hooksPath` where it is set.
    pub hooks: PathBuf,
    /// True when `core.hooksPath` decides.
    pub hooks_path_is_set: bool,
    /// The repository's own git folder.
    pub git_dir: PathBuf,
    /// The root of the work tree; `None` in a bare repository.
    pub work_tree: Option<PathBuf>,
    /// True when the repository's ids are SHA-256.
    pub(super) sha256: bool,
}

/// Finds the hooks folder of the repository at `path`, or of the one around it.
///
/// # Errors
/// No repository there, or one that does not open.
pub fn hooks_dir(path: &Path) -> Result<GitPlace, ChangeError> {
    let libgit = match by_libgit(path) {
        Ok(place) => return Ok(place),
        // git would say the same, and a second answer would only take time.
        Err(source) if matches!(source.code(), ErrorCode::NotFound | ErrorCode::Owner) => return Err(ChangeError::Open { source }),
        Err(source) => source,
    };
    by_git(path).map_err(|git| ChangeError::Neither { source: BothReasons { in_process: libgit, git } })
}

/// The folder that git itself runs hooks from at this moment, in absolute form: variables of git's environment may name another
/// one than the repository does. `None` where there is no git to ask.
pub fn hooks_as_git_says(place: &GitPlace) -> Option<PathBuf> {
    // git starts hooks in this folder, and a relative path counts from it.
    let folder = place.work_tree.as_deref().unwrap_or(&place.git_dir);
    let mut command = Git::FromEnvironment.command(&["rev-parse", "--git-path", "hooks"]);
    let output = command.current_dir(folder).env("GIT_DIR", std::path::absolute(&place.git_dir).ok()?).output().ok()?;
    let answer = output.status.success().then(|| output.stdout.strip_suffix(b"\n").map(<[u8]>::to_vec))??;
    std::path::absolute(folder.join(path_from(answer))).ok()
}

fn by_libgit(path: &Path) -> Result<GitPlace, git2::Error> {
    let repo = Repository::discover(path)?;
    let config = repo.config()?.snapshot()?;
    let configured = config.get_path("core.hooksPath").ok();
    let (git_dir, work_tree) = (repo.path().to_owned(), repo.workdir().map(ToOwned::to_owned));
    Ok(place(git_dir, repo.commondir(), work_tree, configured, false))
}

fn by_git(path: &Path) -> Result<GitPlace, git2::Error> {
    let folder = if path.is_dir() { path } else { path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")) };
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let git = Git::At(folder.clone());
    let answer = |arguments: &[&str]| git.line(arguments).map(path_from);
    let git_dir = answer(&["rev-parse", "--absolute-git-dir"])?;
    let common_dir = folder.join(answer(&["rev-parse", "--git-common-dir"])?);
    let work_tree =
        if git.line(&["rev-parse", "--is-inside-work-tree"])? == b"true" { Some(answer(&["rev-parse", "--show-toplevel"])?) } else { None };
    let configured = git.run(&["config", "--type=path", "--get", "core.hooksPath"], b"")?;
    let configured = configured.succeeded().then(|| path_from(configured.out.trim_ascii_end().to_vec()));
    // A git that does not know the option knows one hash only.
    let sha256 = git.line(&["rev-parse", "--show-object-format"]).is_ok_and(|format| format == b"sha256");
    Ok(place(git_dir, &common_dir, work_tree, configured, sha256))
}

fn place(git_dir: PathBuf, common_dir: &Path, work_tree: Option<PathBuf>, configured: Option<PathBuf>, sha256: bool) -> GitPlace {
    let configured = configured.filter(|path| !path.as_os_str().is_empty());
    let hooks_path_is_set = configured.is_some();
    // git takes a relative path from the folder in which it runs hooks: the top of the work tree, or a bare repository.
    let hooks = match configured {
        Some(path) => work_tree.as_deref().unwrap_or(&git_dir).join(path),
        None => common_dir.join("hooks"),
    };
    GitPlace { hooks, hooks_path_is_set, git_dir, work_tree, sha256 }
}
