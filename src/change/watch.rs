//! Whoever waits must be able to give up: at the deadline of the whole run, and for every child that does not answer.
//!
//! One thread sleeps until the first of these times. It then tells what was done so far, ends the children and the process:
//! whatever the other threads do at that moment, be it in libgit2 or in a regex, cannot keep it from that. Without a deadline
//! and without a child there is no such thread.

use std::fmt;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::ChangeError;

/// Why the run ends before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// Its time is over.
    Deadline {
        /// How long that was, in milliseconds.
        milliseconds: u64,
    },
    /// A git command does not answer.
    Child {
        /// Which.
        command: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

/// How far a run has come.
#[derive(Debug)]
pub struct Progress {
    /// New commits that were listed.
    pub commits: AtomicU64,
    /// Folders that were read to list what is new.
    pub folders: AtomicU64,
    /// Blobs to be scanned, once they are listed.
    pub blobs: AtomicU64,
    /// Not all of them are listed: the change is examined in parts.
    pub unlisted: AtomicBool,
    /// Blobs that were scanned.
    pub scanned: AtomicU64,
    /// Bytes of them.
    pub bytes: AtomicU64,
}

/// Of this process.
pub static PROGRESS: Progress = Progress {
    commits: AtomicU64::new(0),
    folders: AtomicU64::new(0),
    blobs: AtomicU64::new(0),
    unlisted: AtomicBool::new(false),
    scanned: AtomicU64::new(0),
    bytes: AtomicU64::new(0),
};

impl Progress {
    /// Counts one more, or so many more.
    pub fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (blobs, scanned) = (count(&self.blobs), count(&self.scanned));
        write!(
            f,
            "covered: {scanned} blobs ({} bytes), {} commits and {} folders listed\n  not covered: ",
            count(&self.bytes),
            count(&self.commits),
            count(&self.folders)
        )?;
        match blobs.checked_sub(scanned).filter(|_| blobs > 0) {
            Some(left) => {
                let rest = if self.unlisted.load(Ordering::Relaxed) { ", and what was not yet listed" } else { "" };
                write!(f, "{left} of {blobs} blobs{rest}")
            }
            None => write!(f, "all else: what is new was not yet listed to its end"),
        }
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline { milliseconds } => write!(f, "the time for this check is over after {milliseconds} ms"),
            Self::Child { command, seconds } => write!(f, "`git {command}` did not answer within {seconds} s"),
        }
    }
}

impl GaveUp {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Deadline { .. } => "push fewer commits at a time; who runs the server may set `limits.deadline_ms`",
            Self::Child { .. } => "run that command by hand to see what it waits for; `limits.git_seconds` says how long leakstop waits",
        }
    }
}

/// How long a child is waited for unless the configuration says otherwise: longer than any honest answer takes.
const GIT_SECONDS: u64 = 300;
/// A limit that changed, or a child that was asked, is noticed after at most this time.
const GLANCE: Duration = Duration::from_millis(500);

struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

/// Tells why, after it was told how to stop the children, and ends the process.
type End = fn(&GaveUp, &dyn Fn()) -> !;

struct State {
    /// What ends the process.
    end: Option<End>,
    started: Option<Instant>,
    deadline: Option<(Instant, u64)>,
    git_seconds: u64,
    children: Vec<(u64, Arc<Watched>)>,
    next: u64,
    is_watched: bool,
}

static WATCH: Watch = Watch {
    state: Mutex::new(State { end: None, started: None, deadline: None, git_seconds: GIT_SECONDS, children: Vec::new(), next: 0, is_watched: false }),
    changed: Condvar::new(),
};

/// Says how the process ends when somebody waits too long: `end` tells it, calls what it is given to end the children, and
/// exits. Without this call children are ended and their answers become errors.
pub fn arm(started: Instant, end: fn(&GaveUp, &dyn Fn()) -> !) {
    let mut state = state();
    state.started = Some(started);
    state.end = Some(end);
}

/// Sets the deadline, counted from the start of the process. `None` for none.
///
/// # Errors
/// Nobody can be set to watch the time.
pub fn set_deadline(milliseconds: Option<u64>) -> Result<(), ChangeError> {
    let mut state = state();
    let started = *state.started.get_or_insert_with(Instant::now);
    state.deadline = milliseconds.map(|milliseconds| (started + Duration::from_millis(milliseconds), milliseconds));
    let needed = state.deadline.is_some();
    watched(state, needed).map_err(|source| ChangeError::NoWatch { source })
}

/// Sets how long a child is waited for.
pub fn set_git_seconds(seconds: u64) {
    state().git_seconds = seconds;
}

fn state() -> MutexGuard<'static, State> {
    WATCH.state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes sure that somebody watches, and lets them look.
///
/// # Errors
/// A system that gives no thread: then no time would be kept, however long somebody waits.
fn watched(mut state: MutexGuard<'static, State>, needed: bool) -> std::io::Result<()> {
    if needed && !state.is_watched {
        std::thread::Builder::new().name("watch".to_owned()).stack_size(256 << 10).spawn(watch)?;
        state.is_watched = true;
    }
    drop(state);
    WATCH.changed.notify_all();
    Ok(())
}

fn watch() {
    let mut state = state();
    loop {
        let now = Instant::now();
        if let Some(why) = state.overdue(now) {
            let children: Vec<_> = state.children.iter().map(|(_, child)| child.clone()).collect();
            let end = state.end;
            // Who is told to end, is told to leave: the others may go on meanwhile.
            drop(state);
            let kill = move || children.iter().for_each(|child| child.kill());
            match end {
                Some(end) => end(&why, &kill),
                None => kill(),
            }
            state = self::state();
            state.deadline = None;
        }
        let rest = state.deadline.map_or(GLANCE, |(deadline, _)| deadline.saturating_duration_since(Instant::now()));
        state = WATCH.changed.wait_timeout(state, rest.min(GLANCE)).unwrap_or_else(PoisonError::into_inner).0;
    }
}

impl State {
    fn overdue(&self, now: Instant) -> Option<GaveUp> {
        if let Some((deadline, milliseconds)) = self.deadline
            && deadline <= now
        {
            return Some(GaveUp::Deadline { milliseconds });
        }
        let patience = Duration::from_secs(self.git_seconds);
        let late = self.children.iter().find(|(_, child)| child.waited(now).is_some_and(|waited| waited > patience));
        late.map(|(_, child)| GaveUp::Child { command: child.command.clone(), seconds: self.git_seconds })
    }
}

/// A child that somebody may be waiting for.
pub(super) struct Watched {
    command: String,
    child: Mutex<Child>,
    born: Instant,
    /// Since when its answer is waited for, in milliseconds after its birth, plus one; 0 while nobody waits.
    asked: AtomicU64,
}

/// Keeps a child under watch, and ends it when dropped.
pub(super) struct Guard {
    key: u64,
    watched: Arc<Watched>,
}

impl std::ops::Deref for Guard {
    type Target = Watched;

    fn deref(&self) -> &Watched {
        &self.watched
    }
}

impl Guard {
    /// Watches a child, whose answer is waited for from now on.
    ///
    /// # Errors
    /// Nobody can be set to watch it. It is ended then.
    pub(super) fn new(command: &str, child: Child) -> std::io::Result<Self> {
        let new = Arc::new(Watched { command: command.to_owned(), child: Mutex::new(child), born: Instant::now(), asked: AtomicU64::new(1) });
        let mut state = state();
        state.next += 1;
        let key = state.next;
        state.children.push((key, new.clone()));
        let guard = Self { key, watched: new };
        watched(state, true).map(|()| guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        state().children.retain(|(key, _)| *key != self.key);
        // It only reads, so it may be ended at any time; it is waited for, so that none is left behind.
        self.kill();
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.wait();
    }
}

impl Watched {
    /// From now on an answer is waited for.
    pub(super) fn is_asked(&self) {
        self.asked.store(self.born.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    /// It has answered.
    pub(super) fn has_answered(&self) {
        self.asked.store(0, Ordering::Relaxed);
    }

    fn waited(&self, now: Instant) -> Option<Duration> {
        let asked = self.asked.load(Ordering::Relaxed).checked_sub(1)?;
        now.checked_duration_since(self.born + Duration::from_millis(asked))
    }

    pub(super) fn kill(&self) {
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    /// Waits for its end. The lock is never held for long, so that it can be killed meanwhile.
    pub(super) fn wait(&self) -> std::io::Result<std::process::ExitStatus> {
        let mut pause = Duration::from_micros(20);
        loop {
            if let Some(status) = self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_is_overdue_only_while_its_answer_is_waited_for() {
        let guard = Guard::new("sleep", Command::new("sleep").arg("60").spawn().unwrap()).unwrap();
        let later = Instant::now() + Duration::from_secs(40);
        assert!(guard.waited(later).is_some_and(|waited| waited >= Duration::from_secs(39)));
        guard.has_answered();
        assert_eq!(guard.waited(later), None);
        let child = guard.watched.clone();
        drop(guard);
        assert!(!child.wait().unwrap().success(), "it was ended");
    }
}
