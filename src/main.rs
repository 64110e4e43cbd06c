//! The only place that exits: 0 nothing blocks, 1 findings block, 2 leakstop could not do its job.

use std::io::Write;
use std::process::exit;
use std::time::{Duration, Instant};

use clap::Parser;
use leakstop::change::{GaveUp, PROGRESS, arm};
use leakstop::cli::{Cli, as_hook};
use leakstop::judge::Status;
use leakstop::run::{Failure, clear_progress, failed, run};
use leakstop::terminal::escape;

const BLOCKED: i32 = 1;
const FAILED: i32 = 2;

fn main() {
    let started = Instant::now();
    std::panic::set_hook(Box::new(|info| {
        // The payload may hold bytes of what was scanned: only the place is told.
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        say(&format!("leakstop: internal error{place}; nothing passes. Please report it with the output of `leakstop --version`."));
        failed(|| format!("internal error{place}"));
        exit(FAILED);
    }));
    let arguments = as_hook(std::env::args_os()).unwrap_or_else(|| std::env::args_os().collect());
    let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| {
        // Help and version are answers; the rest is a mistake in the call.
        if !error.use_stderr() {
            let told = error.print();
            exit(if told.is_ok() { 0 } else { FAILED });
        }
        // It quotes what was given, which may come from a ref or an address.
        for line in error.to_string().lines() {
            say(&escape(line.as_bytes()));
        }
        exit(FAILED);
    });
    arm(started, give_up);
    match run(&cli, started) {
        Ok(Status::Clean | Status::Warned) => exit(0),
        Ok(Status::Blocked) => exit(BLOCKED),
        Err(failure) => {
            tell(&failure);
            exit(FAILED);
        }
    }
}

/// Nobody is waited for any more, not even the reader of standard error, which may be a pipe that is full.
fn give_up(why: &GaveUp, end_children: &dyn Fn()) -> ! {
    const READER: Duration = Duration::from_millis(40);
    let hint = why.hint();
    let text = format!("leakstop: error: {why}\n  {PROGRESS}\n  try: {hint}\nleakstop: not everything was checked, so nothing passes");
    let entry = text.clone();
    let told = [std::thread::spawn(move || say(&text)), std::thread::spawn(move || failed(|| entry))];
    let since = Instant::now();
    while !told.iter().all(std::thread::JoinHandle::is_finished) && since.elapsed() < READER {
        std::thread::sleep(Duration::from_millis(1));
    }
    end_children();
    exit(FAILED);
}

fn tell(failure: &Failure) {
    say(&format!("{}\nleakstop: nothing was checked, so nothing passes", failure.told()));
}

/// Writes to standard error, which may be closed: the exit code tells the verdict all the same.
fn say(text: &str) {
    clear_progress();
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
