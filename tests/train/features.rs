//! Prints every binding below a folder with its features, one JSON object a line: what `train.py` learns from.

// A tool for whoever trains the model, no part of leakstop: what goes wrong may end it on the spot.
#![allow(clippy::expect_used)]

use std::io::Write;
use std::path::{Path, PathBuf};

/// The rule whose keywords make a name worth a look.
const RULE: &str = "hardcoded-credential";

fn main() {
    let rules = leakstop::rules::Rules::built_in().expect("the rules load");
    let words: Vec<&str> = rules.get(RULE).expect("the rule is there").text().keywords.iter().map(AsRef::as_ref).collect();
    let root = PathBuf::from(std::env::args().nth(1).expect("usage: features FOLDER"));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for entry in ignore::WalkBuilder::new(&root).standard_filters(false).build() {
        let entry = entry.expect("the folder can be listed");
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            print(&words, &root, entry.path(), &mut out);
        }
    }
}

fn print(words: &[&str], root: &Path, file: &Path, out: &mut dyn Write) {
    let text = std::fs::read(file).expect("the file can be read");
    let path = file.strip_prefix(root).expect("it lies below the root");
    for binding in leakstop::scan::generic::bindings(words, path.as_os_str().as_encoded_bytes(), &text) {
        let line = text[..binding.value.start].iter().filter(|&&b| b == b'\n').count() + 1;
        let row = serde_json::json!({
            "path": path.display().to_string(),
            "line": line,
            "name": String::from_utf8_lossy(&text[binding.name.clone()]),
            "value": String::from_utf8_lossy(&text[binding.value.clone()]),
            "features": binding.features,
        });
        writeln!(out, "{row}").expect("standard output can be written");
    }
}
