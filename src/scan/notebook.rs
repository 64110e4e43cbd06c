//! What do the cells of a notebook hold? Source and output stand in it as JSON strings, line by line; here they are texts
//! again, each byte with its place in the file.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::confirm::Candidate;
use super::decode::{Encoded, Work, strings};
use super::language::Language;
use super::parts::Parts;
use super::{FileKind, ScanError, Scanner};
use crate::finding::Cell;

/// A cell's source, or all its outputs.
pub(super) struct Part {
    pub(super) cell: Cell,
    /// Where it stands in the file.
    pub(super) range: Range<usize>,
    /// The text.
    pub(super) text: Encoded,
    /// What the text is written in.
    pub(super) language: Language,
}

impl Scanner<'_> {
    /// Looks into the cells of a notebook that hold something new, as the texts that they are.
    pub(super) fn search_cells(
        &self,
        cells: &[Part],
        new: Parts<'_>,
        file: FileKind<'_>,
        work: &mut Work,
        out: &mut Vec<Candidate>,
    ) -> Result<(), ScanError> {
        for cell in cells.iter().filter(|cell| new.touch(&cell.range)) {
            let mut inner = Vec::new();
            let text = &cell.text.bytes;
            let whole = 0..text.len();
            let file = FileKind { language: cell.language, ..file };
            self.search(text, Parts(std::slice::from_ref(&whole)), file, 0, work, &mut inner)?;
            out.extend(inner.into_iter().filter_map(|candidate| candidate.inside(&cell.text, self.rules)));
        }
        Ok(())
    }
}

pub(super) fn is_notebook(path: &[u8]) -> bool {
    path.ends_with(b".ipynb")
}

/// The cells, in order; none where the file is no notebook after all.
pub(super) fn parts(text: &[u8]) -> Vec<Part> {
    let Ok(book) = serde_json::from_slice::<Notebook<'_>>(text) else { return Vec::new() };
    let language = book.metadata.language();
    let mut parts = Vec::new();
    let sheets = book.worksheets.into_iter().flat_map(|sheet| sheet.cells);
    for (at, cell) in book.cells.into_iter().chain(sheets).enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let is_code = cell.cell_type == "code";
        let mut add = |json: Option<&RawValue>, is_output, language| {
            // Both are slices of the same text.
            let Some(json) = json.map(RawValue::get) else { return };
            let start = json.as_ptr() as usize - text.as_ptr() as usize;
            let range = start..start + json.len();
            parts.push(Part { cell: Cell { number, is_output }, text: strings(text, range.clone()), range, language });
        };
        add(cell.source, false, if is_code { language } else { Language::Markdown });
        add(cell.outputs, true, Language::Other);
    }
    parts
}

#[derive(Deserialize)]
struct Notebook<'a> {
    #[serde(borrow, default)]
    cells: Vec<RawCell<'a>>,
    /// Where the third version of the format keeps the cells.
    #[serde(borrow, default)]
    worksheets: Vec<Sheet<'a>>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Sheet<'a> {
    #[serde(borrow, default)]
    cells: Vec<RawCell<'a>>,
}

#[derive(Deserialize)]
struct RawCell<'a> {
    #[serde(default)]
    cell_type: String,
    #[serde(borrow, alias = "input")]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    outputs: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    kernelspec: Named,
    #[serde(default)]
    language_info: Named,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
    #[serde(default)]
    language: String,
}

impl Metadata {
    /// The language of the code; most notebooks that do not say it hold Python.
    fn language(&self) -> Language {
        let said = [&self.language_info.name, &self.kernelspec.language].into_iter().find(|name| !name.is_empty());
        let extension = match said.map(|name| name.to_ascii_lowercase()).as_deref() {
            None | Some("python" | "ipython") => "py",
            Some("javascript" | "typescript") => "js",
            Some("ruby") => "rb",
            Some("c#" | "csharp" | "f#" | "fsharp") => "cs",
            Some("rust") => "rs",
            Some("bash" | "sh" | "zsh") => "sh",
            Some("powershell") => "ps1",
            Some("go") => "go",
            Some("java") => "java",
            Some("kotlin") => "kt",
            Some("scala") => "scala",
            Some("php") => "php",
            Some("sql") => "sql",
            Some(_) => "none",
        };
        Language::of(format!("cell.{extension}").as_bytes(), b"")
    }
}
