//! Where a repository keeps its hooks.

use std::path::{Path, PathBuf};

use git2::Repository;

use super::error::ChangeError;

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
}

/// Finds the hooks folder of the repository at `path`, or of the one around it.
///
/// # Errors
/// No repository there, or one that does not open.
pub fn hooks_dir(path: &Path) -> Result<GitPlace, ChangeError> {
    let open = |source| ChangeError::Open { source };
    let repo = Repository::discover(path).map_err(open)?;
    let config = repo.config().and_then(|mut config| config.snapshot()).map_err(open)?;
    let work_tree = repo.workdir().map(ToOwned::to_owned);
    let configured = config.get_path("core.hooksPath").ok().filter(|path| !path.as_os_str().is_empty());
    let hooks_path_is_set = configured.is_some();
    // git takes a relative path from the folder in which it runs hooks: the top of the work tree, or a bare repository.
    let hooks = match configured {
        Some(path) => work_tree.as_deref().unwrap_or(repo.path()).join(path),
        None => repo.commondir().join("hooks"),
    };
    Ok(GitPlace { hooks, hooks_path_is_set, git_dir: repo.path().to_owned(), work_tree })
}
