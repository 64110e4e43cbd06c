//! git run as a child: what environment it gets, and how its answers and its complaints come back.
//!
//! Only plumbing commands are run that neither write to the repository nor run a hook, a filter or a diff driver. What of
//! the user's configuration could still change an answer, or start a program, is switched off in [`Git::command`].

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use git2::{ErrorClass, ErrorCode};

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
const LOCAL_VARIABLES: [&str; 16] = [
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

/// Of a child's complaints so many bytes are kept; the rest is read and dropped, so that the child never waits.
const COMPLAINT_BYTES: usize = 4096;

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
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        // An attribute source that does not resolve ends every command; none of ours reads attributes.
        command.env_remove("GIT_ATTR_SOURCE").env_remove("GIT_EXTERNAL_DIFF");
        // `core.fsmonitor` names a program to run. `--no-pager` guards against `pager.<command>`.
        command.args(["--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false"]).args(arguments);
        command
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Ended, git2::Error> {
        let name = arguments.first().copied().unwrap_or_default().to_owned();
        let mut command = self.command(arguments);
        command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() }).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| cannot_start(&e))?;
        let stdin = child.stdin.take();
        // The input is written beside the reading, so that neither side waits for the other.
        let (written, output) = std::thread::scope(|scope| {
            let writer = stdin.map(|mut stdin| scope.spawn(move || stdin.write_all(input)));
            let output = child.wait_with_output();
            (writer.is_none_or(|writer| writer.join().is_ok_and(|written| written.is_ok())), output)
        });
        let output = output.map_err(|e| failed(format!("`git {name}` cannot be read: {e}")))?;
        let ended = Ended { command: name, status: output.status, out: output.stdout, complaint: output.stderr };
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

/// A `git cat-file --batch` or `--batch-check` that answers line by line. It starts with the first question.
pub(super) struct Batch {
    git: Git,
    mode: &'static str,
    state: RefCell<State>,
}

enum State {
    Resting,
    Running(Talk),
    /// After one wrong answer nothing it says can be trusted: every further question gets this error.
    Broken(String),
}

/// A child between two questions.
pub(super) struct Talk {
    child: Child,
    /// Taken when the talk ends.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    complaints: Option<JoinHandle<Vec<u8>>>,
}

impl Batch {
    pub(super) fn new(git: Git, mode: &'static str) -> Self {
        Self { git, mode, state: RefCell::new(State::Resting) }
    }

    /// Lets `question` write to the child and read its answer. An error ends the child.
    pub(super) fn talk<T>(&self, question: impl FnOnce(&mut Talk) -> std::io::Result<T>) -> Result<T, git2::Error> {
        let mut state = self.state.borrow_mut();
        if matches!(*state, State::Resting) {
            *state = State::Running(Talk::start(&self.git, self.mode)?);
        }
        let (error, complaint) = match &mut *state {
            State::Running(talk) => match question(talk) {
                Ok(answer) => return Ok(answer),
                Err(error) => (error, talk.end()),
            },
            State::Broken(why) => return Err(failed(why.clone())),
            State::Resting => return Err(failed("the child did not start".to_owned())),
        };
        let why = format!("`git cat-file {}` broke off: {error}{}", self.mode, said(&complaint));
        *state = State::Broken(why.clone());
        Err(failed(why))
    }
}

impl Talk {
    fn start(git: &Git, mode: &str) -> Result<Self, git2::Error> {
        let mut command = git.command(&["cat-file", mode]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| cannot_start(&e))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(failed("the child has no pipes".to_owned()));
        };
        let complaints = std::thread::spawn(move || keep_first(stderr));
        Ok(Self { child, stdin: Some(stdin), stdout: BufReader::with_capacity(64 << 10, stdout), complaints: Some(complaints) })
    }

    /// Writes a question.
    pub(super) fn write(&mut self, text: &[u8]) -> std::io::Result<()> {
        match &mut self.stdin {
            Some(stdin) => stdin.write_all(text),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Reads a line of the answer, without its end.
    pub(super) fn read_line(&mut self, into: &mut Vec<u8>) -> std::io::Result<()> {
        into.clear();
        self.stdout.read_until(b'\n', into)?;
        match into.pop() {
            Some(b'\n') => Ok(()),
            _ => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Reads so many bytes of the answer and the newline that ends them.
    pub(super) fn read_bytes(&mut self, size: u64, into: &mut Vec<u8>) -> std::io::Result<()> {
        into.clear();
        into.try_reserve(usize::try_from(size).map_err(|_| std::io::ErrorKind::OutOfMemory)?)?;
        if self.stdout.by_ref().take(size).read_to_end(into)? as u64 != size {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let mut end = [0];
        self.stdout.read_exact(&mut end)?;
        if end == *b"\n" { Ok(()) } else { Err(std::io::ErrorKind::InvalidData.into()) }
    }

    fn end(&mut self) -> Vec<u8> {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.complaints.take().and_then(|complaints| complaints.join().ok()).unwrap_or_default()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It only reads, so it may be ended at any time; it is waited for, so that none is left behind.
        self.end();
    }
}

/// Reads a stream to its end and keeps the beginning.
fn keep_first(mut stream: impl Read) -> Vec<u8> {
    let (mut kept, mut part) = (Vec::new(), [0; 1024]);
    while let Ok(size @ 1..) = stream.read(&mut part) {
        let room = COMPLAINT_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&part[..size.min(room)]);
    }
    kept
}

/// The telling line of what a child wrote to standard error, fit to be printed.
fn said(complaint: &[u8]) -> String {
    let mut lines = complaint.split(|&b| b == b'\n').filter(|line| !line.is_empty()).peekable();
    let first = lines.peek().copied();
    let Some(line) = lines.find(|line| line.starts_with(b"fatal: ")).or(first) else { return String::new() };
    // git names an extension it does not know on the next line.
    let more = if line.ends_with(b":") { lines.next().unwrap_or_default().trim_ascii() } else { b"" };
    let text = [line, more].join(&b' ');
    format!(": {}", String::from_utf8_lossy(text.trim_ascii_end()).escape_debug())
}

fn cannot_start(error: &std::io::Error) -> git2::Error {
    failed(format!("`git` cannot be started: {error}"))
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

    #[test]
    fn a_long_complaint_is_read_to_its_end_and_kept_in_part() {
        assert_eq!(keep_first([b'x'; 100_000].as_slice()).len(), COMPLAINT_BYTES);
    }
}
