//! Turns `src/rules/*.toml` into bytes that the binary embeds, and refuses a file that does not parse.

#![allow(unreachable_pub, reason = "it shares files with the library, whose items are public there")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

mod expand;
#[path = "../finding/level.rs"]
#[expect(dead_code, reason = "the build script uses a part of the vocabulary")]
mod finding;
#[expect(dead_code, reason = "what is written for people only the program reads")]
mod format;
mod lead;
mod outline;
mod reach;
#[expect(dead_code, reason = "only the program looks for rows in texts")]
mod row;

use bzip2::Compression;
use bzip2::write::BzEncoder;
use format::{Cold, Packed, ReadyRules, RuleData, RuleFile};
use outline::Outline;
use regex_syntax::ParserBuilder;
use sha2::{Digest, Sha256};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = Path::new("src/rules");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let texts: Vec<String> = files.iter().map(std::fs::read_to_string).collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    let mut sources = Vec::new();
    for (path, text) in files.iter().zip(&texts) {
        all.extend(read(text).map_err(|e| format!("{}: {e}", path.display()))?);
        sources.push((path.file_name().unwrap_or_default().to_string_lossy(), text));
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut common = Vec::new();
    std::fs::write(out.join("rules.bin"), ready(all, &mut common)?)?;
    std::fs::write(out.join("common.bin"), postcard::to_stdvec(&common)?)?;
    let sources = postcard::to_stdvec(&sources)?;
    let mut packed = BzEncoder::new(std::fs::File::create(out.join("sources.bz2"))?, Compression::best());
    packed.write_all(&sources)?;
    packed.finish()?;
    let digest: String = Sha256::digest(&sources).iter().map(|b| format!("{b:02x}")).collect();
    std::fs::write(out.join("sources.sha256"), digest)?;
    Ok(())
}

fn read(text: &str) -> Result<Vec<(RuleData<'_>, Cold<'_>)>, Failure> {
    let file: RuleFile<'_> = toml::from_str(text)?;
    file.rule.iter().map(|rule| with_outline(format::ready(rule.clone(), &file)?)).collect()
}

fn with_outline<'a>((data, mut cold): (RuleData<'a>, Cold<'a>)) -> Result<(RuleData<'a>, Cold<'a>), Failure> {
    if let Some(pattern) = &cold.text.pattern {
        cold.outline = Outline::of(&ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(pattern)?);
    }
    Ok((data, cold))
}

fn ready(all: Vec<(RuleData<'_>, Cold<'_>)>, common: &mut Vec<String>) -> Result<Vec<u8>, Failure> {
    let mut having: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (at, (_, cold)) in all.iter().enumerate() {
        for keyword in &cold.text.keywords {
            let rules = having.entry(keyword.to_ascii_lowercase()).or_default();
            if rules.last() != Some(&(at as u32)) {
                rules.push(at as u32);
            }
        }
    }
    let (rules, texts): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let texts: Vec<Vec<u8>> = texts.into_iter().map(|cold| postcard::to_stdvec(&packed(cold, common))).collect::<Result<_, _>>()?;
    let ready = ReadyRules {
        rules,
        keywords: having.keys().map(|keyword| format!("{keyword}\n")).collect(),
        counts: having.values().map(|rules| rules.len() as u32).collect(),
        having: having.values().flatten().copied().collect(),
        texts: texts.iter().map(Vec::as_slice).collect(),
    };
    Ok(postcard::to_stdvec(&ready)?)
}

fn packed<'a>(mut cold: Cold<'a>, common: &mut Vec<String>) -> Packed<'a> {
    let mut place = |text: &str| {
        let at = common.iter().position(|known| known == text).unwrap_or(common.len());
        if at == common.len() {
            common.push(text.to_owned());
        }
        at as u32
    };
    let fix = place(&std::mem::take(&mut cold.text.fix));
    let standards = std::mem::take(&mut cold.text.standards).iter().map(|text| place(text)).collect();
    Packed { cold, fix, standards }
}
