//! Every scene of a commit and of a push a second time, with git as the reader instead of libgit2: the same must hold.

use std::process::Command;

use crate::support::READER;

/// The modules whose scenes do not choose the reader themselves. Where one does, its own choice counts.
const MODULES: [&str; 8] = ["commits::", "crafted::", "merges::", "pushes::", "sequences::", "kinds::", "places::", "properties::agreement_with_git"];

#[test]
fn every_scene_holds_with_git_as_the_reader() {
    let mut scenes = Command::new(std::env::current_exe().unwrap());
    let output = scenes.args(MODULES).env(READER, "git").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("running 0 tests"), "{said}");
}
