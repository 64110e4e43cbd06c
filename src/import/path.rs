//! A regular expression of paths as globs, where it is simple enough to mean the same.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// Anything, across folders.
    Any,
    /// Anything within a name.
    Name,
    /// The path's beginning.
    Start,
    /// The path's end.
    End,
    /// The beginning of a name: that of the path, or after a `/`.
    NameStart,
}

/// More globs than this are no list that anyone reads.
const MOST: usize = 48;

/// Globs that match the paths that the expression finds something in. `None` where no globs say the same.
pub(super) fn globs(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).ok()?;
    let mut globs = Vec::new();
    for pieces in ways(&hir)? {
        globs.extend(written(pieces)?);
    }
    globs.sort();
    globs.dedup();
    (globs.len() <= MOST && !globs.iter().any(|glob| glob == "**" || glob == "**/*")).then_some(globs)
}

/// All ways through the expression.
fn ways(hir: &Hir) -> Option<Vec<Vec<Piece>>> {
    let one = |piece: Piece| Some(vec![vec![piece]]);
    match hir.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => one(Piece::Text(String::from_utf8(literal.0.to_vec()).ok()?)),
        HirKind::Look(Look::Start) => one(Piece::Start),
        HirKind::Look(Look::End) => one(Piece::End),
        HirKind::Look(_) => None,
        HirKind::Class(class) => one(Piece::Text(letter(class)?)),
        HirKind::Capture(capture) => ways(&capture.sub),
        HirKind::Repetition(Repetition { min: 0, max: Some(1), sub, .. }) => {
            let mut ways = ways(sub)?;
            ways.push(Vec::new());
            Some(ways)
        }
        // `.*` and `.+` of paths are both written as anything: a name is never empty.
        HirKind::Repetition(Repetition { min: 0 | 1, max: None, sub, .. }) => match sub.kind() {
            HirKind::Class(class) if takes_all_but(class, b"\n") || takes_all_but(class, b"") => one(Piece::Any),
            HirKind::Class(class) if takes_all_but(class, b"/") || takes_all_but(class, b"/\\") => one(Piece::Name),
            _ => None,
        },
        HirKind::Repetition(_) => None,
        HirKind::Alternation(branches) if is_name_start(branches) => one(Piece::NameStart),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(ways(branch)?);
            }
            (all.len() <= MOST).then_some(all)
        }
        HirKind::Concat(parts) => {
            let mut all = vec![Vec::new()];
            for part in parts {
                let next = ways(part)?;
                if all.len() * next.len() > MOST {
                    return None;
                }
                all = all.iter().flat_map(|start: &Vec<Piece>| next.iter().map(move |end| [start.as_slice(), end].concat())).collect();
            }
            Some(all)
        }
    }
}

/// `(^|/)`
fn is_name_start(branches: &[Hir]) -> bool {
    let start = branches.iter().any(|branch| matches!(branch.kind(), HirKind::Look(Look::Start)));
    let slash = branches.iter().any(|branch| matches!(branch.kind(), HirKind::Literal(literal) if &*literal.0 == b"/"));
    branches.len() == 2 && start && slash
}

/// A class that stands for one letter in both cases, or for the separators of all platforms. Globs take no notice of case.
fn letter(class: &Class) -> Option<String> {
    let Class::Bytes(class) = class else { return None };
    let mut bytes: Vec<u8> = class.iter().flat_map(|range| range.start()..=range.end()).map(|b| b.to_ascii_lowercase()).collect();
    bytes.sort_unstable();
    bytes.dedup();
    match bytes[..] {
        [b] if b.is_ascii() => Some(char::from(b).to_string()),
        [b'/', b'\\'] => Some("/".to_owned()),
        _ => None,
    }
}

fn takes_all_but(class: &Class, bytes: &[u8]) -> bool {
    let Class::Bytes(class) = class else { return false };
    (0..=255u8).all(|b| class.iter().any(|range| (range.start()..=range.end()).contains(&b)) != bytes.contains(&b))
}

fn written(mut pieces: Vec<Piece>) -> Option<Vec<String>> {
    match pieces.first() {
        Some(Piece::Start) => {
            pieces.remove(0);
            // A glob without a slash would be compared with the last name only.
            let slash = pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains('/')));
            if !slash && !matches!(pieces.first(), Some(Piece::Any)) {
                return None;
            }
        }
        Some(Piece::NameStart) => {}
        _ => pieces.insert(0, Piece::Any),
    }
    match pieces.last() {
        Some(Piece::End) => {
            pieces.pop();
        }
        _ => pieces.push(Piece::Any),
    }
    pieces.dedup_by(|later, earlier| *later == Piece::Any && *earlier == Piece::Any);
    let mut globs = vec![String::new()];
    let last = pieces.len().saturating_sub(1);
    for (at, piece) in pieces.iter().enumerate() {
        let add =
            |endings: &[&str]| -> Vec<String> { globs.iter().flat_map(|glob| endings.iter().map(move |ending| format!("{glob}{ending}"))).collect() };
        globs = match piece {
            Piece::Text(text) if text.contains(['*', '?', '[', ']', '{', '}', '\\']) => return None,
            Piece::Text(text) => add(&[text.as_str()]),
            Piece::Name => add(&["*"]),
            Piece::NameStart if at == 0 => add(&["**/"]),
            Piece::NameStart | Piece::Start | Piece::End => return None,
            Piece::Any if at == 0 => add(&["**/*"]),
            // After a folder's slash anything below it; else the rest of the name, and anything below that.
            Piece::Any if at == last => globs
                .iter()
                .flat_map(|glob| if glob.ends_with('/') { vec![format!("{glob}**")] } else { vec![format!("{glob}*"), format!("{glob}*/**")] })
                .collect(),
            Piece::Any => add(&["*", "*/**/*"]),
        };
        if globs.len() > MOST {
            return None;
        }
    }
    Some(globs.into_iter().map(|glob| glob.replace("**/***", "**/*").replace("***", "**")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::glob_set;

    const PATHS: [&str; 16] = [
        "vendor/a.go",
        "x/vendor/a.go",
        "x/myvendor/b/a.go",
        "vendor",
        "go.sum",
        "x/go.sum",
        "x/go.sum.bak",
        "a/b.lock",
        "a/B.LOCK",
        "package-lock.json",
        "x/package-lock.json",
        "src/test/x.py",
        "test/x.py",
        "src/contest/x.py",
        "docs/a/b/c.md",
        "docs/c.md.txt",
    ];

    #[test]
    fn globs_find_what_the_expression_finds() {
        for pattern in [
            r"vendor/",
            r"(^|/)vendor/",
            r"(?:^|/)go\.sum$",
            r"go\.sum",
            r"\.lock$",
            r"(?i)\.lock$",
            r"package-lock\.json",
            r".*package-lock\.json$",
            r"(go\.sum|package-lock\.json)$",
            r"^docs/.*\.md$",
            r"^docs/[^/]*\.md\.txt$",
            r"(^|/)test/.*",
            r"x/.*a\.go",
        ] {
            let globs = globs(pattern).unwrap_or_else(|| panic!("{pattern}"));
            let regex = regex::bytes::RegexBuilder::new(pattern).unicode(false).build().unwrap();
            let set = glob_set(&globs.iter().map(|glob| glob.as_str().into()).collect::<Vec<_>>()).unwrap();
            for path in PATHS {
                // Globs take no notice of case.
                let found = regex.is_match(path.as_bytes()) || regex.is_match(path.to_lowercase().as_bytes());
                assert_eq!(set.is_match(path), found, "{pattern} as {globs:?} on {path}");
            }
        }
    }

    #[test]
    fn what_globs_cannot_say_is_left() {
        for pattern in [r"[0-9]+\.txt$", r"^go\.sum$", r".*", r"a{3}", r"\bfoo", r"("] {
            assert_eq!(globs(pattern), None, "{pattern}");
        }
    }
}
