//! How far a long scan is: told on a terminal, gone at the end, and nowhere else.

use std::process::Command;

use crate::histories::feed;
use crate::support::{LEAKSTOP, Repo, ended, token};

/// What stands for "back to the beginning of the line, and away with it".
const GONE: &str = "\r\u{1b}[K";

/// A history that takes some time to scan.
fn long(files: usize, lines: usize) -> Repo {
    let repo = Repo::new();
    let mut stream = "commit refs/heads/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 1\nc\n".to_owned();
    for at in 0..files {
        let lines: String = (0..lines).map(|line| format!("value_{line} = table.get(index, {at}) + password_of(user) # {at} {line}\n")).collect();
        stream.push_str(&format!("M 100644 inline f{at}.py\ndata {}\n{lines}\n", lines.len()));
    }
    let key = format!("key = \"{}\"\n", token(1));
    stream.push_str(&format!("M 100644 inline key.py\ndata {}\n{key}\n", key.len()));
    feed(&repo, &["fast-import", "--quiet"], stream.as_bytes());
    repo
}

/// Runs a command at a terminal of its own.
fn at_a_terminal(repo: &Repo, arguments: &[&str]) -> Command {
    let mut command = repo.command("python3");
    command.args(["-c", "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))", LEAKSTOP]);
    command.args(arguments).env("TERM", "xterm").env("NO_COLOR", "1");
    command
}

#[test]
fn a_terminal_shows_how_far_it_is_and_in_the_end_the_report_alone() {
    let repo = long(150, 2000);

    let told = ended(&mut at_a_terminal(&repo, &["scan", "--history"])).expect(1).out;

    let (shown, report) = told.rsplit_once(GONE).unwrap_or_else(|| panic!("{told:?}"));
    assert!(shown.contains("%: ") && shown.contains(" of 151 blobs, "), "{shown:?}");
    assert!(shown.split(GONE).all(|line| line.chars().count() < 80 && !line.contains('\n')), "{shown:?}");
    assert!(report.starts_with("blocked  GitHub") && report.contains("leakstop: blocked: 1 blocking"), "{report:?}");
}

#[test]
fn an_error_stands_alone_too() {
    let repo = long(600, 400);
    let own = repo.beside("own.toml");
    std::fs::write(&own, "[limits]\ndeadline_ms = 900\n").unwrap();

    let told = ended(&mut at_a_terminal(&repo, &["scan", "--history", "--config", own.to_str().unwrap()])).expect(2).out;

    let (_, told) = told.rsplit_once(GONE).unwrap_or_else(|| panic!("{told:?}"));
    assert!(told.starts_with("leakstop: error: the time for this check is over"), "{told:?}");
}

#[test]
fn nobody_else_sees_it() {
    let repo = long(150, 2000);
    let told = ended(repo.command(LEAKSTOP).args(["scan", "--history"]).env("TERM", "xterm")).expect(1);
    assert_eq!(told.err, "");
    for (arguments, terminal) in [(["scan", "--history", "--quiet"], "xterm"), (["scan", "--history", "--verbose"], "dumb")] {
        let told = ended(at_a_terminal(&repo, &arguments).env("TERM", terminal)).expect(1).out;
        assert!(!told.contains(" of 151 blobs") && told.starts_with("blocked  "), "{told:?}");
    }
}
