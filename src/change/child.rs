//! git run as a child: what environment it gets, and how its answers and its complaints come back.
//!
//! Only plumbing commands are run that neither write to the repository nor run a hook, a filter or a diff driver. What of
//! the user's configuration could still change an answer, or start a program, is switched off in [`Git::command`].

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use git2::{ErrorClass, ErrorCode};

use super::watch::Guard;

/// Which repository a child works on.
#[derive(Clone, Debug)]
pub(super) enum Git {
    /// The one that git's environment names, or else the one around the current folder.
    FromEnvironment,
    /// The one at or around this folder, whatever the environment names.
    At(PathBuf),
}

/// Variables that bind a child to one repository. They are what a hook needs, and what must go for another repository.
/// `git rev-parse --local-env-vars` lists them.
pub(super) const LOCAL_VARIABLES: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// No protocol has this name, so that git refuses every transport.
const NO_PROTOCOL: &str = "none-is-allowed";

/// How a child ended.
pub(super) struct Ended {
    command: String,
    status: ExitStatus,
    pub(super) out: Vec<u8>,
    pub(super) complaint: Vec<u8>,
}

impl Git {
    /// A git command that cannot be led astray.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        if let Self::At(folder) = self {
            LOCAL_VARIABLES.iter().for_each(|name| {
                command.env_remove(name);
            });
            command.current_dir(folder);
        }
        // Without these a pushed `refs/replace/…` shows another object than the one asked for, and a missing object of a
        // partial clone is fetched in the middle of a hook. Older versions do not know the second one: no protocol at
        // all works everywhere.
        command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", NO_PROTOCOL);
        // Nor do grafts: they show other parents than the commits themselves name.
        command.env("GIT_GRAFT_FILE", if cfg!(windows) { "NUL" } else { "/dev/null" });
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        // An attribute source that does not resolve ends every command; none of ours reads attributes.
        command.env_remove("GIT_ATTR_SOURCE").env_remove("GIT_EXTERNAL_DIFF");
        // `core.fsmonitor` names a program to run. `--no-pager` guards against `pager.<command>`.
        command.args(["--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false"]).args(arguments);
        command
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Ended, git2::Error> {
        let mut words = arguments;
        while let ["-c", _, after @ ..] = words {
            words = after;
        }
        let name = words.first().copied().unwrap_or_default().to_owned();
        let mut command = self.command(arguments);
        command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() }).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| cannot_start(&e))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) else { return Err(failed("the child has no pipes".to_owned())) };
        let watched = Guard::new(&name, child).map_err(|e| failed(no_watch(&e)))?;
        // Input and complaints are handled beside the reading, so that no side waits for another.
        let (mut out, mut complaint) = (Vec::new(), Vec::new());
        let (written, read) = std::thread::scope(|scope| {
            let writer = stdin.map(|mut stdin| scope.spawn(move || stdin.write_all(input)));
            let complaints = scope.spawn(|| stderr.read_to_end(&mut complaint));
            let read = stdout.read_to_end(&mut out).map(|_| ());
            let complained = complaints.join().unwrap_or_else(|_| Err(std::io::Error::other("a thread broke off"))).map(|_| ());
            (writer.is_none_or(|writer| writer.join().is_ok_and(|written| written.is_ok())), read.and(complained))
        });
        let status = read.and_then(|()| watched.wait()).map_err(|e| failed(format!("`git {name}` cannot be read: {e}")))?;
        let ended = Ended { command: name, status, out, complaint };
        if !written && ended.status.success() {
            return Err(failed(format!("`git {}` ended before it had read everything", ended.command)));
        }
        Ok(ended)
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub(super) fn ask(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, git2::Error> {
        let ended = self.run(arguments, input)?;
        if ended.succeeded() { Ok(ended.out) } else { Err(ended.error()) }
    }

    /// The one line that a command prints.
    pub(super) fn line(&self, arguments: &[&str]) -> Result<Vec<u8>, git2::Error> {
        let mut out = self.ask(arguments, b"")?;
        match out.pop() {
            Some(b'\n') => Ok(out),
            _ => Err(failed(format!("`git {}` printed no line", arguments.join(" ")))),
        }
    }
}

impl Ended {
    pub(super) fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// The code it ended with, which for some commands says no; a signal gives none.
    pub(super) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub(super) fn error(&self) -> git2::Error {
        failed(format!("`git {}` ended with {}{}", self.command, self.status, said(&self.complaint)))
    }
}

/// The telling line of what a child wrote to standard error, fit to be printed.
pub(super) fn said(complaint: &[u8]) -> String {
    let mut lines = complaint.split(|&b| b == b'\n').filter(|line| !line.is_empty()).peekable();
    let first = lines.peek().copied();
    let Some(line) = lines.find(|line| line.starts_with(b"fatal: ")).or(first) else { return String::new() };
    // git names an extension it does not know on the next line.
    let more = if line.ends_with(b":") { lines.next().unwrap_or_default().trim_ascii() } else { b"" };
    let text = [line, more].join(&b' ');
    format!(": {}", String::from_utf8_lossy(text.trim_ascii_end()).escape_debug())
}

pub(super) fn cannot_start(error: &std::io::Error) -> git2::Error {
    failed(format!("`git` cannot be started: {error}"))
}

/// A child that nobody watches could be waited for without end.
pub(super) fn no_watch(error: &std::io::Error) -> String {
    format!("the system gives no thread to watch the clock while git answers: {error}")
}

/// An error in the words of this module. git2's type is used for both ways to read git, so that callers need not know
/// which one failed.
pub(super) fn failed(why: String) -> git2::Error {
    git2::Error::new(ErrorCode::GenericError, ErrorClass::None, why)
}

/// An answer that git does not give as we know it.
pub(super) fn unexpected(command: &str) -> git2::Error {
    failed(format!("`{command}` printed something unexpected"))
}

/// A path as git printed it.
pub(super) fn path_from(bytes: Vec<u8>) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        std::ffi::OsString::from_vec(bytes).into()
    }
    #[cfg(not(unix))]
    {
        String::from_utf8_lossy(&bytes).into_owned().into()
    }
}

/// The folder that a child's relative answers start from.
pub(super) fn folder_of(git: &Git) -> &Path {
    match git {
        Git::FromEnvironment => Path::new("."),
        Git::At(folder) => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_line_of_a_complaint_is_shown_escaped() {
        assert_eq!(said(b"warning: x\nfatal: no \x1b[31mred\nmore\n"), r": fatal: no \u{1b}[31mred");
        assert_eq!(said(b"\nerror: x\n"), ": error: x");
        assert_eq!(said(b"fatal: unknown:\n\n\tthis\n"), ": fatal: unknown: this");
        assert_eq!(said(b""), "");
    }
}
