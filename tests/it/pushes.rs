//! Pushes to a bare repository with the installed hook: a refusal is told on `remote:` lines and leaves nothing behind.

mod accepted;
mod input;
mod other_hooks;
mod refused;

use std::fs;
use std::process::Stdio;

use crate::support::{LEAKSTOP, Repo, assert_redacted, ended, started, token};

fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

fn prose() -> String {
    (0..40).map(|line| format!("line {line} of a text that stays as it is\n")).collect()
}

/// As [`started`], with a secret on the server from before it was guarded.
fn started_with_old_secret() -> (Repo, Repo) {
    let server = Repo::bare();
    let repo = Repo::with_remote(&server);
    repo.accept("a.txt", format!("{}{}{}", prose(), key(1), prose()));
    repo.git(&["push", "-q", "origin", "main"]).expect(0);
    server.leakstop(&["install", "--server", "."]).expect(0);
    (server, repo)
}

/// A ref that is written past everything.
fn point(repo: &Repo, name: &str, id: &str) {
    repo.git(&["update-ref", name, id]).expect(0);
}

/// An object with this content.
fn object(repo: &Repo, kind: &str, text: &[u8]) -> String {
    let mut command = repo.command("git");
    crate::support::ended_with(command.args(["hash-object", "-w", "--literally", "-t", kind, "--stdin"]), text).expect(0).out.trim().to_owned()
}
