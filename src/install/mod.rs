//! Puts hooks in place and takes them away. A stranger's hook is never lost: it is moved aside and runs after ours.

mod proof;

pub use proof::prove;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The hooks of a work tree.
pub const CLIENT_HOOKS: [&str; 4] = ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"];
/// One that is put in place when it is named. Patches come by `git am`, and what it lets through `pre-push` sees.
pub const FURTHER_CLIENT_HOOKS: [&str; 1] = ["pre-applypatch"];
/// The hook of a server's repository. (`update` runs after the objects were taken in, too late to keep them out.)
pub const SERVER_HOOKS: [&str; 1] = ["pre-receive"];

const SHIM: &str = include_str!("../../hooks/shim.sh");
/// How a shim of any version is recognised.
const MARK: &[u8] = b"# leakstop shim ";
/// A stranger's hook is kept under its name with this behind.
const ASIDE: &str = ".before-leakstop";

/// What became of one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was none; now ours is there.
    Installed,
    /// Ours was there and is as it should be.
    Kept,
    /// Ours was there, of another version or for another program, and was renewed.
    Renewed,
    /// A stranger's was there; it stands aside and runs after ours.
    Chained(PathBuf),
    /// Ours was there and is gone.
    Removed,
    /// Ours is gone and the stranger's is back.
    Restored,
    /// Ours was not there.
    Absent,
}

/// Hooks could not be put in place or taken away.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A file of the hooks folder.
    #[error("cannot {what} `{path}`")]
    File {
        /// What was tried.
        what: &'static str,
        /// On which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is a hook of somebody's, and already another one aside.
    #[error("two hooks stand in the way: `{hook}` is not ours, and `{aside}` is kept from before")]
    TwoStrangers {
        /// The hook.
        hook: PathBuf,
        /// The older one.
        aside: PathBuf,
    },
    /// The name is none of a hook that leakstop knows.
    #[error("`{name}` is no hook that leakstop can be installed as")]
    UnknownHook {
        /// As given.
        name: String,
    },
    /// Hooks of commits were asked for where nobody commits.
    #[error("`{git_dir}` is a bare repository: nobody commits in it, and what is pushed to it would not be checked")]
    Bare {
        /// Which.
        git_dir: PathBuf,
    },
    /// The hook is in place but let a canary pass, or did not run.
    #[error("the hook `{hook}` is in place but did not refuse a planted canary: {outcome}")]
    NotProven {
        /// Which.
        hook: PathBuf,
        /// How it ended.
        outcome: String,
    },
}

impl InstallError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::TwoStrangers { .. } => Some("merge the two into one file, leave that as the hook, remove the other, and install again"),
            Self::UnknownHook { .. } => {
                Some("in a work tree: pre-commit, pre-merge-commit, pre-applypatch, commit-msg, pre-push; on a server: pre-receive, update")
            }
            Self::Bare { .. } => {
                Some("`leakstop install --server .` checks what is pushed to it; for work trees that share it, install in one of them")
            }
            Self::NotProven { .. } => Some("see what it says when run by git; a configuration that only warns lets a canary pass, too"),
            Self::File { .. } => None,
        }
    }
}

/// Puts the shim for `hook` into the folder, for the program `program`.
///
/// # Errors
/// A file that cannot be written, or two strangers' hooks in the way. Nothing is lost in either case.
pub fn install(folder: &Path, hook: &str, program: &Path) -> Result<Change, InstallError> {
    create_folder(folder).map_err(|source| InstallError::File { what: "create the folder", path: folder.to_owned(), source })?;
    let file = folder.join(hook);
    let shim = shim(program);
    let change = match state(&file, program)? {
        State::Missing => Change::Installed,
        State::Ours(text) if text == shim.as_bytes() && is_executable(&file) => return Ok(Change::Kept),
        State::Ours(_) => Change::Renewed,
        State::Strangers => {
            let aside = aside(&file);
            if fs::symlink_metadata(&aside).is_ok() {
                return Err(InstallError::TwoStrangers { hook: file, aside });
            }
            rename(&file, &aside)?;
            Change::Chained(aside)
        }
    };
    if let Err(error) = write_executable(folder, &file, shim.as_bytes()) {
        if let Change::Chained(aside) = &change {
            rename(aside, &file)?;
        }
        return Err(InstallError::File { what: "write the hook", path: file, source: error });
    }
    Ok(change)
}

/// Takes our shim for `hook` away and puts back what was there before.
///
/// # Errors
/// A file that cannot be moved or removed.
pub fn uninstall(folder: &Path, hook: &str, program: &Path) -> Result<Change, InstallError> {
    let file = folder.join(hook);
    let State::Ours(_) = state(&file, program)? else { return Ok(Change::Absent) };
    let aside = aside(&file);
    if fs::symlink_metadata(&aside).is_ok() {
        rename(&aside, &file)?;
        return Ok(Change::Restored);
    }
    fs::remove_file(&file).map_err(|source| InstallError::File { what: "remove the hook", path: file, source })?;
    Ok(Change::Removed)
}

/// What stands where a hook should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Missing,
    /// Ours, as this program would write it, or this program itself.
    Current,
    /// Ours, of another version or for another program.
    Older,
    /// Somebody's.
    Strangers,
}

/// Looks at the hook in the folder; `program` is this program. The second answer says whether git would run it.
///
/// # Errors
/// A file that cannot be read.
pub fn inspect(folder: &Path, hook: &str, program: &Path) -> Result<(Standing, bool), InstallError> {
    let file = folder.join(hook);
    let standing = match state(&file, program)? {
        State::Missing => Standing::Missing,
        State::Ours(text) if text == shim(program).as_bytes() || !text.starts_with(b"#!") => Standing::Current,
        State::Ours(_) => Standing::Older,
        State::Strangers => Standing::Strangers,
    };
    Ok((standing, is_executable(&file)))
}

enum State {
    Missing,
    Ours(Vec<u8>),
    Strangers,
}

fn state(file: &Path, program: &Path) -> Result<State, InstallError> {
    if let Err(e) = fs::symlink_metadata(file)
        && e.kind() == io::ErrorKind::NotFound
    {
        return Ok(State::Missing);
    }
    match fs::read(file) {
        Ok(text) if memchr::memmem::find(&text, MARK).is_some() && text.starts_with(b"#!") => Ok(State::Ours(text)),
        // A link to the program, or a copy of it, acts as a hook by its name; moved aside it would act as nothing.
        Ok(text) if fs::canonicalize(file).ok() == fs::canonicalize(program).ok() || fs::read(program).is_ok_and(|own| own == text) => {
            Ok(State::Ours(text))
        }
        Ok(_) => Ok(State::Strangers),
        // A link to nowhere is somebody's, too.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(State::Strangers),
        Err(source) => Err(InstallError::File { what: "read the hook", path: file.to_owned(), source }),
    }
}

fn shim(program: &Path) -> String {
    // A shell's single quotes take everything but a single quote; Windows' shell wants slashes.
    let path = program.display().to_string();
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path };
    SHIM.replace("@LEAKSTOP@", &path.replace('\'', r"'\''"))
}

fn aside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ASIDE);
    name.into()
}

fn rename(from: &Path, to: &Path) -> Result<(), InstallError> {
    fs::rename(from, to).map_err(|source| InstallError::File { what: "move the hook", path: from.to_owned(), source })
}

/// Whoever can write to the folder decides what git runs: so nobody but its owner can, whatever the umask.
fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o755);
    }
    builder.create(folder)
}

/// Writes beside the file and renames: a hook is never half there.
fn write_executable(folder: &Path, file: &Path, text: &[u8]) -> io::Result<()> {
    let mut new = tempfile::Builder::new().prefix(".leakstop").tempfile_in(folder)?;
    new.write_all(text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        new.as_file().set_permissions(fs::Permissions::from_mode(0o755))?;
    }
    new.persist(file).map(|_| ()).map_err(|e| e.error)
}

/// git ignores a hook that is not executable, with nothing but a hint.
fn is_executable(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(file).is_ok_and(|data| data.permissions().mode() & 0o111 == 0o111)
    }
    #[cfg(not(unix))]
    {
        file.exists()
    }
}
