//! Commits in a work tree with installed hooks: each is made by git itself, and either stands or does not.

mod content;
mod merges;
mod messages;
mod names;
mod settings_of_git;
mod what_is_committed;
mod what_is_new;

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Repo, assert_redacted, ended, ended_with, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];

/// A configuration file line with a token in it.
fn key(seed: u64) -> String {
    format!("key = \"{}\"\n", token(seed))
}

/// So much text that a rename with an edit is still seen as one.
fn prose() -> String {
    (0..40).map(|line| format!("line {line} of a text that stays as it is\n")).collect()
}
