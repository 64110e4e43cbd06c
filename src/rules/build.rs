//! Turns `src/rules/*.toml` into bytes that the binary embeds, and refuses a file that does not parse.

#![allow(unreachable_pub, reason = "it shares files with the library, whose items are public there")]

use std::path::{Path, PathBuf};

#[path = "../finding/level.rs"]
#[expect(dead_code, reason = "the build script uses a part of the vocabulary")]
mod finding;
#[expect(dead_code, reason = "what is written for people only the program reads")]
mod format;
mod reach;

use format::{RuleData, RuleFile};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = Path::new("src/rules");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let texts: Vec<String> = files.iter().map(std::fs::read_to_string).collect::<Result<_, _>>()?;
    let mut rules = Vec::new();
    let mut sources = String::from("&[\n");
    for (path, text) in files.iter().zip(&texts) {
        rules.extend(read(text).map_err(|e| format!("{}: {e}", path.display()))?);
        let full = path.canonicalize()?;
        sources.push_str(&format!("    ({:?}, include_str!({full:?})),\n", path.file_name().unwrap_or_default()));
    }
    sources.push_str("]\n");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("rules.bin"), postcard::to_stdvec(&rules)?)?;
    std::fs::write(out.join("sources.rs"), sources)?;
    Ok(())
}

fn read(text: &str) -> Result<Vec<RuleData<'_>>, Failure> {
    let file: RuleFile<'_> = toml::from_str(text)?;
    file.rule
        .iter()
        .map(|rule| {
            let mut data = format::ready(rule.clone(), &file)?;
            data.text.after = None;
            data.text.examples.clear();
            data.text.counterexamples.clear();
            Ok(data)
        })
        .collect()
}
