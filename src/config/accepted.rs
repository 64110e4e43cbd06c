//! Old findings that somebody accepted together: the baseline of a repository, one a line, so that it merges line by line.
//!
//! A head says who answers for all of them, why, and until when; then each line holds a fingerprint and, for people, the rule
//! and the path. Lines are sorted, and one that stands there twice after a merge does no harm.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;

use super::ConfigError;
use crate::finding::Fingerprint;

/// A baseline, read.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Where it stands.
    pub file: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is accepted.
    pub reason: String,
    /// Last day on which it holds.
    pub expires: Date,
    /// True when it also covers what only older commits hold.
    pub history: bool,
    /// The findings: fingerprint, then rule and path for people.
    pub entries: BTreeMap<Fingerprint, String>,
}

const OPENING: &str = "\
# Old findings that somebody answers for, one a line: fingerprint, rule, path. Only the fingerprint counts.
# `leakstop baseline write` adds, `leakstop baseline prune` takes away what is gone. On a conflict keep the lines of both sides.
";

/// Reads the text of a baseline; `file` names it in errors.
///
/// # Errors
/// A line of another form, a head that lacks something: always with its place.
pub fn parse_accepted(file: &str, text: &[u8]) -> Result<Accepted, ConfigError> {
    let wrong = |line: usize, column: usize, why: String| ConfigError::Text { file: file.to_owned(), line, column, why };
    let text = String::from_utf8(text.to_vec()).map_err(|_| wrong(1, 1, "this is not UTF-8".to_owned()))?;
    let (mut owner, mut reason, mut expires, mut covers) = (None, None, None, None);
    let mut entries = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
            return Err(wrong(at + 1, 1, "a merge conflict is left; keep the lines of both sides".to_owned()));
        }
        if let Some((name, value)) = line.split_once(": ") {
            let slot = match name {
                "owner" => &mut owner,
                "reason" => &mut reason,
                "expires" => &mut expires,
                "covers" => &mut covers,
                _ => return Err(wrong(at + 1, 1, format!("unknown field `{name}`, expected `owner`, `reason`, `expires` or `covers`"))),
            };
            if slot.replace((at + 1, value.trim().to_owned())).is_some() {
                return Err(wrong(at + 1, 1, format!("`{name}` is said twice; keep one")));
            }
            continue;
        }
        let (fingerprint, rest) = line.split_once(' ').unwrap_or((line, ""));
        let fingerprint = Fingerprint::parse(fingerprint).map_err(|e| wrong(at + 1, 1, e.to_string()))?;
        entries.entry(fingerprint).or_insert_with(|| rest.trim().to_owned());
    }
    let said = |name: &str, slot: &Option<(usize, String)>| match slot {
        Some((_, value)) if !value.is_empty() => Ok(value.clone()),
        _ => Err(wrong(1, 1, format!("the head lacks `{name}: …`: somebody has to answer for what is accepted"))),
    };
    let (line, date) = (expires.as_ref().map_or(1, |(line, _)| *line), said("expires", &expires)?);
    let history = match covers.as_ref().map(|(line, value)| (*line, value.as_str())) {
        None | Some((_, "files")) => false,
        Some((_, "history")) => true,
        Some((line, _)) => return Err(wrong(line, 9, "`covers` is `files` or `history`".to_owned())),
    };
    Ok(Accepted {
        file: file.to_owned(),
        owner: said("owner", &owner)?,
        reason: said("reason", &reason)?,
        expires: date.parse().map_err(|_| wrong(line, 10, format!("`{date}` is no date like 2027-03-31")))?,
        history,
        entries,
    })
}

impl Accepted {
    /// Its text, sorted.
    pub fn text(&self) -> String {
        let covers = if self.history { "history" } else { "files" };
        let mut text =
            format!("{OPENING}owner: {}\nreason: {}\nexpires: {}\ncovers: {covers}\n\n", one_line(&self.owner), one_line(&self.reason), self.expires);
        for (fingerprint, rest) in &self.entries {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", format!("{fingerprint} {rest}").trim_end());
        }
        text
    }
}

/// What stands in one line cannot end it.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "owner: ann\nreason: found when leakstop came\nexpires: 2030-12-31\n";

    #[test]
    fn what_is_written_is_read_back() {
        let text = format!("{HEAD}covers: history\n\nfedcba9876543210 b x y.py\n0123456789abcdef a x.py\n0123456789abcdef a other.py\n");
        let accepted = parse_accepted("b", text.as_bytes()).unwrap();
        assert_eq!((accepted.entries.len(), accepted.history), (2, true));
        let written = accepted.text();
        assert!(written.ends_with("\n\n0123456789abcdef a x.py\nfedcba9876543210 b x y.py\n"), "{written}");
        assert_eq!(parse_accepted("b", written.as_bytes()).unwrap().text(), written);
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        for (text, expected) in [
            ("0123456789abcdef\n".to_owned(), "line 1, column 1: the head lacks `expires"),
            ("owner: ann\nexpires: 2030-12-31\n".to_owned(), "line 1, column 1: the head lacks `reason"),
            (format!("{HEAD}0123\n"), "line 4, column 1: a fingerprint has 16"),
            (format!("{HEAD}who: ann\n"), "line 4, column 1: unknown field `who`"),
            (format!("{HEAD}owner: bob\n"), "line 4, column 1: `owner` is said twice"),
            (format!("{HEAD}<<<<<<< ours\n"), "line 4, column 1: a merge conflict is left"),
            (HEAD.replace("2030", "soon"), "line 3, column 10: `soon-12-31` is no date"),
            (format!("{HEAD}covers: all\n"), "line 4, column 9: `covers` is"),
        ] {
            let error = parse_accepted("b", text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
