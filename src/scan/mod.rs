//! Where does it occur? Pure: no files, no environment, no clock.
//!
//! A text passes the prefilter (one pass for the keywords of all rules), then the regexes of the rules whose keyword hit,
//! in windows around the hits, then the checks. What is encoded in it is decoded and passes the same way.
//!
//! It is long because what a scanner takes and gives is declared here, beside the search that all of it is for.

mod across;
mod archive;
mod assignment;
mod brackets;
mod check;
mod code;
mod confirm;
mod cursor;
mod decode;
mod element;
mod explain;
mod features;
mod flow;
pub mod generic;
mod holds;
mod jwt;
mod keystore;
mod keywords;
mod language;
mod large;
mod literal;
mod logged;
mod manifest;
mod model;
mod name;
mod nesting;
mod notebook;
mod packed;
mod parts;
mod paths;
mod plain;
mod plausible;
mod prefilter;
mod published;
mod quoting;
mod resolve;
mod sample;
mod scope;
mod state;
mod yaml;
mod zone;

pub use across::{files_meant, join};
pub use archive::{Limits, Seekable};
pub use confirm::ScanError;
pub use decode::MAX_DEPTH;
pub use explain::{Story, Trace};
pub use features::NAMES as FEATURES;
pub use large::{LARGE, Large};
pub use packed::is_packed;
pub use plain::{plain, plain_of};

use std::ops::Range;
use std::sync::Arc;

use crate::change::{Part, Unread};
use crate::finding::{Cell, Confidence, Doubt, Family, Secret, Span};
use crate::rules::{Check, Rule, Rules};
use confirm::{Candidate, Memory};
use cursor::Cursor;
use decode::Work;
use language::Language;
use parts::Parts;
use paths::{PathRules, Paths};
use prefilter::Prefilter;

/// Looks for the matches of a set of rules.
pub struct Scanner<'r> {
    rules: &'r Rules,
    prefilter: Prefilter<'r>,
    paths: Paths<'r>,
    limits: Limits,
}

/// A text and where it comes from.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// Path for rules that are bound to paths; empty for what is no file.
    pub path: &'a [u8],
    /// What kind of text.
    pub part: Part,
    /// The text itself, which may be anything.
    pub bytes: &'a [u8],
}

/// A match that passed all checks.
#[derive(Clone)]
pub struct Hit<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// The credential, decoded; `None` where the rule holds none.
    pub secret: Option<Secret>,
    /// The bytes as they stand in the text: what to look for in an earlier version. `None` where the path is the finding.
    pub raw: Option<Secret>,
    /// The place; `None` where the path is the finding.
    pub span: Option<Span>,
    /// Confidence after the checks.
    pub confidence: Confidence,
    /// The second of Unix time up to which it opens something, where it says so itself.
    pub lapses: Option<i64>,
    /// The line of the public half that belongs to it, which has no finding of its own.
    pub id_line: Option<u32>,
    /// What was undone to see it, outermost first.
    pub decoded: Vec<&'static str>,
    /// The file that the code names, where the rule asks for it.
    pub file: Option<Box<[u8]>>,
    /// Where it stands inside of an archive: `!` and the path there. Lines are those of that inner file.
    pub inside: Option<Arc<[u8]>>,
    /// The cell of a notebook in which it stands.
    pub cell: Option<Cell>,
}

impl<'r> Hit<'r> {
    /// The finding is the file itself.
    fn of_file(rule: &'r Rule) -> Self {
        let confidence = rule.text().confidence;
        Self {
            rule,
            secret: None,
            raw: None,
            span: None,
            confidence,
            lapses: None,
            id_line: None,
            decoded: Vec::new(),
            file: None,
            inside: None,
            cell: None,
        }
    }
}

/// What was found in a text, and what in it could not be looked into.
#[derive(Clone, Default)]
pub struct Scanned<'r> {
    /// The matches, by place.
    pub hits: Vec<Hit<'r>>,
    /// What was not read, each with its path inside of the text's file: nothing for the file itself.
    pub unread: Vec<Unread>,
    /// True when there are more matches than these.
    pub is_cut: bool,
}

/// More matches of one file are not listed: nobody reads them, and whoever makes them wants to fill the memory.
pub const MOST_HITS: usize = 10_000;
/// So many places are weighed for them: one place may be seen by several rules, of which one finding is made.
const MOST_CANDIDATES: usize = 4 * MOST_HITS;

impl Scanned<'_> {
    /// True where nothing was found and nothing was left out.
    pub fn says_nothing(&self) -> bool {
        self.hits.is_empty() && self.unread.is_empty() && !self.is_cut
    }

    /// Lets go of what is too much.
    fn cut(&mut self) {
        self.is_cut |= self.hits.len() > MOST_HITS;
        self.hits.truncate(MOST_HITS);
    }
}

/// The encoded runs of a text, each with its place and what it stands for: a reader of its own for the fuzz targets.
pub fn decoded(text: &[u8]) -> Vec<(Range<usize>, Vec<u8>)> {
    // The second layer undoes compression too.
    let whole = 0..text.len();
    let mut all = Vec::new();
    for depth in 0..2 {
        let parts = Parts(std::slice::from_ref(&whole));
        decode::runs_around(text, parts, Language::Other, depth, &mut Work::of(text.len()), &mut |run, _| all.push((run.range, run.bytes)));
    }
    all
}

/// The keys, blocks or tables that each of the places of a file stands under, the nearest first: a reader of its own for the
/// fuzz targets.
pub fn keys_above<'t>(path: &[u8], text: &'t [u8], places: &[usize]) -> Vec<Vec<&'t [u8]>> {
    let (language, mut memory) = (Language::of(path, text), Memory::default());
    places.iter().map(|&at| confirm::keys_above(text, at.min(text.len()), language, &mut memory)).collect()
}

/// See [`Scanner::kind`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathKind {
    language: &'static str,
    is_sample: bool,
    bound: Arc<PathRules>,
}

impl<'r> Scanner<'r> {
    /// A scanner for these rules. It prepares for a kind of text when the first of that kind comes.
    pub fn new(rules: &'r Rules) -> Self {
        Self { rules, prefilter: Prefilter::new(), paths: Paths::new(rules.all()), limits: Limits::default() }
    }

    /// The same scanner with other limits on what it unpacks.
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// All matches in the text, by place.
    ///
    /// # Errors
    /// A rule that does not compile.
    pub fn scan(&self, text: Text<'_>) -> Result<Vec<Hit<'r>>, ScanError> {
        Ok(self.look_into(text)?.hits)
    }

    /// All matches in the text, and what in it could not be read: what a gate has to know.
    ///
    /// # Errors
    /// A rule that does not compile.
    pub fn look_into(&self, text: Text<'_>) -> Result<Scanned<'r>, ScanError> {
        self.scan_new(text, std::slice::from_ref(&(0..text.bytes.len())))
    }

    /// All matches that touch one of the parts `new` of the text, by place. The parts are in order and apart.
    ///
    /// # Errors
    /// A rule that does not compile.
    pub fn scan_new(&self, text: Text<'_>, new: &[Range<usize>]) -> Result<Scanned<'r>, ScanError> {
        let mut scanned = self.scan_text(text, text.bytes, new)?;
        if text.part == Part::Content {
            self.scan_packed(text, &mut scanned)?;
        }
        Ok(scanned)
    }

    /// The same for a piece of a file that begins with `head`, which may say what language it is in.
    ///
    /// # Errors
    /// A rule that does not compile.
    pub fn scan_piece(&self, piece: Text<'_>, head: &[u8], new: &[Range<usize>]) -> Result<Scanned<'r>, ScanError> {
        self.scan_text(piece, head, new)
    }

    fn scan_text(&self, text: Text<'_>, head: &[u8], new: &[Range<usize>]) -> Result<Scanned<'r>, ScanError> {
        let bound = self.bound(text);
        let language = match text.part {
            // Its file will be asked about next, with the same tables.
            Part::Path => Language::of(text.bytes, b""),
            _ => Language::of(text.path, head),
        };
        let file = FileKind { path: text.path, language, bound: bound.as_deref() };
        let new = Parts(new);
        let mut candidates = Vec::new();
        let mut work = Work::of(text.bytes.len());
        self.search(text.bytes, new, file, 0, &mut work, &mut candidates)?;
        self.search_by_path(text.bytes, file, &mut candidates)?;
        let mut cells = Vec::new();
        if file.bound.is_some() && notebook::is_notebook(text.path) {
            cells = notebook::parts(text.bytes);
            self.search_cells(&cells, new, file, &mut work, &mut candidates)?;
        }
        let is_cut = candidates.len() >= MOST_CANDIDATES;
        // What stands apart from the new part stood there before.
        candidates.retain(|candidate| new.touch(&candidate.range));
        if !candidates.is_empty() && file.bound.is_some() && sample::is_sample(text.path) {
            resolve::discount(&mut candidates, self.rules);
        }
        let kept = resolve::one_a_cause(candidates, self.rules);
        let why = || "more stands encoded in it than is decoded for a file of its size; the rest was not".to_owned();
        let unread = work.is_spent.then(|| Unread { path: Vec::new(), why: why() });
        let mut hits = self.locate(text.bytes, kept, &cells);
        if !new.0.is_empty() && text.part == Part::Content && keystore::Store::of(text.bytes).is_some() {
            hits.extend(self.rule_with(Check::KeyStore).filter(|rule| rule.applies_to(text.path)).map(Hit::of_file));
        }
        let mut scanned = Scanned { hits, unread: unread.into_iter().collect(), is_cut };
        scanned.cut();
        Ok(scanned)
    }

    /// The matches of the rules for which the path alone is the finding.
    pub fn scan_path(&self, path: &[u8]) -> Vec<Hit<'r>> {
        let mut hits = Vec::new();
        for &at in self.paths.of(path).applying() {
            let rule = &self.rules.all()[at as usize];
            if !rule.has_keywords() && !rule.has_pattern() && rule.check().is_none() {
                hits.push(Hit::of_file(rule));
            }
        }
        hits
    }

    /// The rule with this check.
    pub fn rule_with(&self, check: Check) -> Option<&'r Rule> {
        self.rules.all().iter().find(|rule| rule.check() == Some(check))
    }

    /// The finding that the list `before` ignored a credential file that none of the lists `after` ignores.
    pub fn lost_ignore(&self, before: &[u8], after: &[&[u8]]) -> Option<Hit<'r>> {
        let rule = self.rule_with(Check::IgnoreLost).filter(|_| across::ignores_less(before, after))?;
        Some(Hit::of_file(rule))
    }

    /// The values of an example file that the developer's own file holds too.
    pub fn own_values(&self, example: Text<'_>, own: &[u8]) -> Vec<Hit<'r>> {
        let Some(at) = self.rules.all().iter().position(|rule| rule.check() == Some(Check::OwnValue)) else { return Vec::new() };
        let candidate = |range: Range<usize>| Candidate {
            rule: at as u32,
            secret: Some(Secret::new(&example.bytes[range.clone()])),
            range,
            confidence: Confidence::High,
            lapses: None,
            id: None,
            decoded: Vec::new(),
            file: None,
        };
        self.locate(example.bytes, across::shared_values(example.bytes, own).into_iter().map(candidate).collect(), &[])
    }

    /// What of a path decides which rules apply: two paths of one kind give the same matches for the same bytes.
    pub fn kind(&self, path: &[u8], bytes: &[u8]) -> PathKind {
        let bound = self.paths.of(path);
        PathKind { language: Language::of(path, bytes).name(), is_sample: sample::is_sample(path), bound }
    }

    fn bound(&self, text: Text<'_>) -> Option<Arc<PathRules>> {
        (text.part == Part::Content).then(|| self.paths.of(text.path))
    }

    fn search(&self, text: &[u8], new: Parts<'_>, file: FileKind<'_>, depth: u8, work: &mut Work, out: &mut Vec<Candidate>) -> Result<(), ScanError> {
        let rules = self.rules.all();
        let mut memory = Memory::default();
        let mut weighed = generic::Weighed::default();
        let bound = file.bound.is_some_and(PathRules::have_keywords);
        for window in self.prefilter.windows(self.rules, file.language, text, new, bound) {
            let rule = &rules[window.rule as usize];
            // Windows come rule by rule.
            if memory.is_new(window.rule) {
                memory.is_subject = file.is_subject_to(window.rule, rule, depth);
            }
            if !memory.is_subject {
                continue;
            }
            if out.len() >= MOST_CANDIDATES {
                break;
            }
            if rule.check() == Some(Check::Assignment) {
                let scene = features::Scene { text, path: file.path, language: file.language };
                generic::confirm(window, &scene, self.rules.names(), new, &mut weighed, out);
            } else {
                confirm::confirm(rule, window, text, file.language, &mut memory, out)?;
            }
        }
        if depth == decode::MAX_DEPTH {
            return Ok(());
        }
        let mut ended = Ok(());
        decode::runs_around(text, new, file.language, depth, work, &mut |encoded, work| {
            if ended.is_ok() && out.len() < MOST_CANDIDATES {
                let mut inner = Vec::new();
                let whole = 0..encoded.bytes.len();
                ended = self.search(&encoded.bytes, Parts(std::slice::from_ref(&whole)), file, depth + 1, work, &mut inner);
                out.extend(inner.into_iter().filter_map(|candidate| candidate.inside(&encoded, self.rules)));
            }
        });
        ended
    }

    /// Rules without keywords look through all of a file.
    fn search_by_path(&self, text: &[u8], file: FileKind<'_>, out: &mut Vec<Candidate>) -> Result<(), ScanError> {
        let mut memory = Memory::default();
        for &at in file.bound.map_or(&[][..], PathRules::applying) {
            let rule = &self.rules.all()[at as usize];
            if !rule.has_keywords() && rule.has_pattern() {
                let whole = prefilter::Window { rule: at, start: 0, end: text.len() };
                memory.is_new(at);
                confirm::confirm(rule, whole, text, file.language, &mut memory, out)?;
            }
        }
        Ok(())
    }

    /// Turns places in bytes into lines and columns, in one pass over the text.
    fn locate(&self, text: &[u8], mut candidates: Vec<Candidate>, cells: &[notebook::Part]) -> Vec<Hit<'r>> {
        candidates.sort_by_key(|candidate| (candidate.range.start, candidate.range.end, candidate.rule));
        let mut cursor = Cursor::default();
        let mut hits = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let (line, column) = cursor.advance(text, candidate.range.start);
            let (end_line, end_column) = cursor.clone().advance(text, candidate.range.end);
            hits.push(Hit {
                rule: &self.rules.all()[candidate.rule as usize],
                raw: Some(Secret::new(&text[candidate.range.clone()])),
                secret: candidate.secret,
                span: Some(Span { line, column, end_line, end_column }),
                confidence: candidate.confidence,
                lapses: candidate.lapses,
                id_line: candidate.id.map(|id| line_near(text, line, candidate.range.start, id.start)),
                decoded: candidate.decoded,
                file: candidate.file,
                inside: None,
                cell: cells.iter().find(|cell| cell.range.contains(&candidate.range.start)).map(|cell| cell.cell),
            });
        }
        hits
    }
}

/// What decides which rules apply to a text.
#[derive(Clone, Copy)]
struct FileKind<'a> {
    path: &'a [u8],
    language: Language,
    /// The rules bound to its path; `None` for what is no file.
    bound: Option<&'a PathRules>,
}

impl FileKind<'_> {
    fn is_subject_to(self, at: u32, rule: &Rule, depth: u8) -> bool {
        let Some(bound) = self.bound else {
            return rule.family() == Family::Secret && rule.speaks_all() && !rule.is_bound_to_paths();
        };
        if rule.family() != Family::Secret && depth > 0 {
            return false; // code is not looked for in what is encoded
        }
        rule.speaks(self.language.name()) && bound.admit(at, rule)
    }
}

/// What lowered the confidence in a hit of the file at `path`.
pub fn doubt(hit: &Hit<'_>, path: &[u8]) -> Option<Doubt> {
    let text = hit.rule.text();
    if hit.confidence > Confidence::Low {
        return None;
    }
    match text.check {
        _ if text.confidence == Confidence::Low => Some(Doubt::Hint),
        _ if matches!(hit.rule.family(), Family::Handling | Family::Access) && sample::is_sample(path) => Some(Doubt::Sample),
        check => check::doubt(check?),
    }
}

/// The line of a place close to another one whose line is known.
fn line_near(text: &[u8], line: u32, known: usize, at: usize) -> u32 {
    let between = &text[known.min(at)..known.max(at)];
    let ends = memchr::memchr_iter(b'\n', between).count() as u32;
    if at < known { line - ends.min(line - 1) } else { line + ends }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::changed_parts;
    use crate::rules::shape::fill;

    /// What was found, without the bytes.
    fn places(hits: &[Hit<'_>]) -> Vec<(String, Option<Span>)> {
        hits.iter().map(|hit| (hit.rule.id().to_owned(), hit.span)).collect()
    }

    /// A text with things to find in many places, among much that is none.
    fn text(seed: u64) -> String {
        let filler = "fn handle(request: &Request) -> Response { respond(request) }\n".repeat(60);
        let shapes = [
            "token = \"ghp_{crc32:30}\"\n",
            "{pem:RSA PRIVATE KEY}\n",
            "db_password = \"{alnum:14}\"\n",
            "x {base64:user:ghp_{crc32:30} and more} y\n",
            "{jwt:{\"sub\":\"{hex:900}\"}}\n",
            "let x = concat(\"ghp_\" +\n    \"{alnum:20}\" +\n    \"{alnum:16}\");\n",
            "s = \"\\u0067hp_{alnum:36}\";\n",
        ];
        let parts: Vec<_> = shapes.iter().enumerate().map(|(at, shape)| format!("{filler}{}", fill(shape, seed + at as u64))).collect();
        parts.concat() + &filler
    }

    #[test]
    fn the_changed_parts_give_what_the_whole_text_gives_there() {
        let rules = Rules::built_in().unwrap();
        let scanner = Scanner::new(&rules);
        for seed in 0..6u64 {
            let new = text(seed * 10);
            let text_of = |bytes| Text { path: b"a.rs", part: Part::Content, bytes };
            let whole = scanner.scan(text_of(new.as_bytes())).unwrap();
            assert!(whole.len() >= 5, "{:?}", places(&whole));
            // Take a stretch out here and there: the version before lacked it.
            for cut in (0..new.len()).step_by(997) {
                let length = (seed as usize * 37 + cut) % 400;
                let old = format!("{}{}", &new[..cut], &new[(cut + length).min(new.len())..]);
                let parts = changed_parts(new.as_bytes(), old.as_bytes());
                let found = scanner.scan_new(text_of(new.as_bytes()), &parts).unwrap().hits;
                let touches = |hit: &&Hit<'_>| {
                    let raw = hit.raw.as_ref().map(Secret::expose).unwrap_or_default();
                    let at = memchr::memmem::find(new.as_bytes(), raw).unwrap_or_default();
                    Parts(&parts).touch(&(at..at + raw.len()))
                };
                let expected: Vec<_> = whole.iter().filter(touches).cloned().collect();
                assert_eq!(places(&found), places(&expected), "cut {cut} {length}");
            }
        }
    }

    #[test]
    fn a_list_of_bytes_is_read_whole_where_one_of_its_lines_is_new() {
        let rules = Rules::built_in().unwrap();
        let scanner = Scanner::new(&rules);
        let bytes: Vec<_> = fill("key = ghp_{crc32:30}", 7).bytes().map(|b| format!("{b:#04x}")).collect();
        let mut lines: Vec<_> = bytes.chunks(12).map(|line| format!("  {},\n", line.join(", "))).collect();
        lines.insert(0, "unsigned char key[] = {\n".to_owned());
        lines.push("};\n".to_owned());
        let new = lines.concat();
        for at in 1..lines.len() - 1 {
            let old = [&lines[..at], &lines[at + 1..]].concat().concat();
            let parts = changed_parts(new.as_bytes(), old.as_bytes());
            let found = scanner.scan_new(Text { path: b"a.c", part: Part::Content, bytes: new.as_bytes() }, &parts).unwrap().hits;
            assert_eq!(found.len(), 1, "line {at}: {:?}", places(&found));
        }
    }
}
