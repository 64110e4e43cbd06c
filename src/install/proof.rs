//! Proves an installed hook: it is run as git runs it, on a planted canary, and must refuse.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::InstallError;

/// Variables of git's that would point the hook at another repository than the one meant.
const GIT_VARIABLES: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Runs the hook file with these variables, arguments and input; it must end with 1, "findings block".
///
/// # Errors
/// A hook that does not run or does not refuse.
pub fn prove(hook: &Path, folder: &Path, environment: &[(OsString, OsString)], arguments: &[OsString], input: &str) -> Result<(), InstallError> {
    let not_proven = |outcome: String| InstallError::NotProven { hook: hook.to_owned(), outcome };
    let mut command = if cfg!(windows) { Command::new("sh") } else { Command::new(hook) };
    if cfg!(windows) {
        command.arg(hook);
    }
    for name in GIT_VARIABLES {
        command.env_remove(name);
    }
    command.args(arguments).envs(environment.iter().cloned()).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| not_proven(format!("it does not start: {e}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook that reads nothing closes its end: not a failure of the proof.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|e| not_proven(e.to_string()))?;
    if output.status.code() == Some(1) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = crate::terminal::escape(said.lines().next().unwrap_or("it said nothing").as_bytes());
    Err(not_proven(format!("it ended with {} ({first})", output.status)))
}
