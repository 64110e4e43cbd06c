//! Writes the report. A stream that breaks changes no verdict.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::change::Coverage;
use crate::cli::{Format, Global};
use crate::judge::{Judgement, Status};
use crate::report::{Detail, Report, human, json, json_lines};
use crate::terminal::{Palette, escape};

use super::Failure;
use super::gate::Session;
use super::history::OfWhole;
use super::settings::suggested_expiry;

/// Where a report goes unless a file is named: hooks must not write to what git reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Error,
}

#[expect(clippy::too_many_arguments, reason = "each is a thing of its own that a report tells")]
pub(super) fn report(
    session: &Session<'_>,
    command: &str,
    judgement: &Judgement,
    coverage: &Coverage,
    notes: &[String],
    rules: usize,
    stream: Stream,
    of_whole: &OfWhole,
) -> Result<(), Failure> {
    let global = session.global;
    let report = Report {
        command,
        judgement,
        coverage,
        rules,
        elapsed: session.started.elapsed(),
        notes,
        suggested_expiry: suggested_expiry()?,
        split: of_whole.split.as_ref(),
        in_names: &of_whole.in_names,
    };
    let mut text = Vec::new();
    let to_file = global.output.is_some();
    let written = match global.format {
        Format::Human => human(&report, detail(global), &palette(global, stream, to_file), &mut text),
        Format::Json => json(&report, &mut text),
        Format::Jsonl => json_lines(&report, &mut text),
    };
    written.map_err(|source| Failure::Output { to: "memory".to_owned(), source })?;
    if let Some(file) = &global.output {
        return write_private(file, &text).map_err(|source| Failure::Write { path: file.clone(), source });
    }
    let result = match stream {
        Stream::Out => write_all(&mut io::stdout().lock(), &text),
        Stream::Error => write_all(&mut io::stderr().lock(), &text),
    };
    match result {
        // A reader that went away has seen enough, and a refusal stands whether or not it can be told.
        Err(e) if e.kind() != ErrorKind::BrokenPipe && judgement.status() != Status::Blocked => {
            Err(Failure::Output { to: "its stream".to_owned(), source: e })
        }
        _ => Ok(()),
    }
}

/// A report names where secrets stand: a new file is for its owner alone, whatever the umask.
fn write_private(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    write_all(&mut options.open(file)?, text)
}

fn write_all(out: &mut dyn Write, text: &[u8]) -> io::Result<()> {
    out.write_all(text)?;
    out.flush()
}

pub(super) fn detail(global: &Global) -> Detail {
    if global.quiet {
        Detail::Quiet
    } else if global.verbose {
        Detail::Verbose
    } else {
        Detail::Normal
    }
}

pub(super) fn palette(global: &Global, stream: Stream, to_file: bool) -> Palette {
    match stream {
        _ if to_file => Palette::plain(),
        Stream::Out => Palette::new(global.color, &io::stdout()),
        Stream::Error => Palette::new(global.color, &io::stderr()),
    }
}

/// Hands over what was asked for: to the file that was named, or to standard output.
///
/// # Errors
/// Either cannot be written.
pub(super) fn deliver(global: &Global, text: &str) -> Result<(), Failure> {
    match &global.output {
        Some(file) => write_private(file, text.as_bytes()).map_err(|source| Failure::Write { path: file.clone(), source }),
        None => print(text),
    }
}

/// A path for people, on one line whatever it holds.
pub(super) fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

/// Prints a line that somebody asked for.
///
/// # Errors
/// Standard output cannot be written, unless its reader went away.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match write_all(&mut io::stdout().lock(), text.as_bytes()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(Failure::Output { to: "standard output".to_owned(), source }),
        _ => Ok(()),
    }
}
