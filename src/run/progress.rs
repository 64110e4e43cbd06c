//! How far a long scan is, for whoever waits at a terminal: one line of standard error that is written over and over, and gone
//! when the scan ends, however it ends.

use std::io::{IsTerminal, Write};
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::change::PROGRESS;
use crate::cli::Global;

/// Whoever gets an answer sooner needs no consolation.
const FIRST: Duration = Duration::from_millis(500);
/// Often enough to look alive.
const AGAIN: Duration = Duration::from_millis(200);
/// Back to the line's beginning, and away with it.
const GONE: &[u8] = b"\r\x1b[K";

/// The line is shown while this lives.
pub(super) struct Shown {
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Not written yet, or gone.
    Away,
    There,
    /// Gone for good.
    Over,
}

static LINE: Mutex<Line> = Mutex::new(Line::Away);
static OVER: Condvar = Condvar::new();

/// Shows it from now on, unless nobody would see it.
pub(super) fn shown(global: &Global) -> Shown {
    let error = std::io::stderr();
    let steerable = error.is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
    let wanted = steerable && !global.quiet;
    // Without a thread there is no line, and nothing else is lost.
    let thread = wanted.then(|| std::thread::Builder::new().name("progress".to_owned()).stack_size(128 << 10).spawn(show).ok());
    Shown { thread: thread.flatten() }
}

/// Takes the line away for good: what is written next stands where it stood.
pub fn clear_progress() {
    let mut line = line();
    if *line == Line::There {
        let _ = std::io::stderr().lock().write_all(GONE);
    }
    *line = Line::Over;
    drop(line);
    OVER.notify_all();
}

impl Drop for Shown {
    fn drop(&mut self) {
        clear_progress();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn line() -> MutexGuard<'static, Line> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn show() {
    let mut line = line();
    let mut pause = FIRST;
    while *line != Line::Over {
        line = OVER.wait_timeout(line, pause).unwrap_or_else(PoisonError::into_inner).0;
        pause = AGAIN;
        if *line != Line::Over {
            let mut text = GONE.to_vec();
            text.extend(told().into_bytes());
            let _ = std::io::stderr().lock().write_all(&text);
            *line = Line::There;
        }
    }
}

/// Shorter than 80 columns, so that it never wraps.
fn told() -> String {
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let (blobs, scanned) = (count(&PROGRESS.blobs), count(&PROGRESS.scanned));
    if blobs == 0 {
        return format!("leakstop: listing: {} commits, {} folders", count(&PROGRESS.commits), count(&PROGRESS.folders));
    }
    if PROGRESS.unlisted.load(Ordering::Relaxed) {
        return format!("leakstop: {scanned} of the first {blobs} blobs, {} MB", count(&PROGRESS.bytes) / 1_000_000);
    }
    let percent = scanned.saturating_mul(100) / blobs;
    format!("leakstop: {percent} %: {scanned} of {blobs} blobs, {} MB", count(&PROGRESS.bytes) / 1_000_000)
}
