//! A child that answers many questions about objects, one after the other.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::thread::JoinHandle;

use super::child::{Git, cannot_start, failed, no_watch, said};
use super::watch::Guard;

/// Of a child's complaints so many bytes are kept; the rest is read and dropped, so that the child never waits.
const COMPLAINT_BYTES: usize = 4096;

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
    child: Guard,
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
            State::Running(talk) => {
                talk.child.is_asked();
                let answer = question(talk);
                talk.child.has_answered();
                match answer {
                    Ok(answer) => return Ok(answer),
                    Err(error) => (error, talk.end()),
                }
            }
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
        let child = Guard::new("cat-file", child).map_err(|e| failed(no_watch(&e)))?;
        child.has_answered();
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
        self.child.kill();
        let _ = self.child.wait();
        self.complaints.take().and_then(|complaints| complaints.join().ok()).unwrap_or_default()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_complaint_is_read_to_its_end_and_kept_in_part() {
        assert_eq!(keep_first([b'x'; 100_000].as_slice()).len(), COMPLAINT_BYTES);
    }
}
