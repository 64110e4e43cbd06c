//! The story of `merge`: read the reports of all shards, join them, report the whole.

use crate::cli::{Format, Global, Merge};
use crate::judge::{Status, Verdict};
use crate::report::{self, Detail};

use super::Failure;
use super::output::{Stream, deliver, detail, palette};

pub(super) fn merge(call: &Merge, global: &Global) -> Result<Status, Failure> {
    let mut texts = Vec::with_capacity(call.reports.len());
    for file in &call.reports {
        let text = std::fs::read(file).map_err(|source| Failure::Report { path: file.clone(), source })?;
        texts.push((file.display().to_string(), text));
    }
    let merged = report::merge(&texts)?;
    let status = merged.status();
    let least = match detail(global) {
        Detail::Quiet => Verdict::Block,
        Detail::Normal => Verdict::Warn,
        Detail::Verbose => Verdict::Allow,
    };
    let mut text = Vec::new();
    let written = match global.format {
        Format::Human => merged.human(&palette(global, Stream::Out, global.output.is_some()), least, &mut text),
        Format::Json => merged.json(&mut text),
        Format::Jsonl => merged.json_lines(&mut text),
    };
    written.map_err(|source| Failure::Output { to: "memory".to_owned(), source })?;
    deliver(global, &String::from_utf8_lossy(&text))?;
    Ok(status)
}
