//! The examples of the README: its fenced blocks, each with the heading it stands under.

use std::fs;
use std::path::Path;

/// A fenced block.
pub struct Block {
    /// The nearest heading above, without its marks.
    pub heading: String,
    /// The word after the fence.
    pub language: String,
    /// What stands between the fences.
    pub text: String,
}

/// The README.
pub fn text() -> String {
    file("README.md")
}

/// A file of the project.
#[track_caller]
pub fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// All blocks in order.
pub fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut heading, mut open) = (String::new(), false);
    for line in text().lines() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push(Block { heading: heading.clone(), language: language.to_owned(), text: String::new() });
            }
            None if open => blocks.last_mut().unwrap().text.extend([line, "\n"]),
            None if line.starts_with('#') => heading = line.trim_start_matches('#').trim().to_owned(),
            None => {}
        }
    }
    assert!(!open, "a fence of the README is never closed");
    blocks
}

/// The blocks under a heading; there is at least one.
#[track_caller]
pub fn under(heading: &str) -> Vec<Block> {
    let found: Vec<_> = blocks().into_iter().filter(|block| block.heading == heading).collect();
    assert!(!found.is_empty(), "the README has no examples under `{heading}`");
    found
}

/// The first cells of the rows of the table whose head begins with this cell, without backticks.
#[track_caller]
pub fn rows(head: &str) -> Vec<Vec<String>> {
    let text = text();
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("| {head} |"))).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    let rows: Vec<Vec<String>> = lines.by_ref().take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "the README has no table `{head}`");
    rows
}
