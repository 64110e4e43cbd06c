//! Files that name places: `.gitleaksignore` (`[commit:]file:rule:line` a line) and `.secrets.baseline` of detect-secrets.

use serde_json::Value;

use super::{Imported, Place};

/// A `.gitleaksignore`.
pub(super) fn of_ignore_file(text: &str) -> Imported {
    let mut imported = Imported::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match place(line) {
            Some(place) => imported.places.push(place),
            None => imported.left(line, "it is no `[commit:]file:rule:line`"),
        }
    }
    imported
}

fn place(line: &str) -> Option<Place> {
    let (rest, number) = line.rsplit_once(':')?;
    let (rest, _rule) = rest.rsplit_once(':')?;
    let is_commit = |text: &str| text.len() >= 7 && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let (commit, path) = match rest.split_once(':') {
        Some((commit, path)) if is_commit(commit) => (Some(commit.to_owned()), path),
        _ => (None, rest),
    };
    let number = number.parse().ok().filter(|number| *number > 0)?;
    // An archive's inner path follows a `!`; nobody can say which of our findings that is.
    (!path.is_empty() && !path.contains('!')).then(|| Place { what: line.to_owned(), commit, path: path.to_owned(), line: Some(number), sha1: None })
}

/// A `.secrets.baseline`.
pub(super) fn of_detect_secrets(text: &str) -> Result<Imported, String> {
    let document: Value = serde_json::from_str(text).map_err(|e| format!("it is no JSON: {e}"))?;
    let Some(results) = document.get("results").and_then(Value::as_object) else {
        return Err("it has no `results`, so it is no baseline of detect-secrets".to_owned());
    };
    let mut imported = Imported::default();
    for (path, entries) in results {
        for entry in entries.as_array().into_iter().flatten() {
            let kind = entry.get("type").and_then(Value::as_str).unwrap_or("entry");
            let line = entry.get("line_number").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
            let at = line.map(|line| format!(":{line}")).unwrap_or_default();
            let what = format!("{path}{at} ({kind})");
            if entry.get("is_secret").and_then(Value::as_bool) == Some(true) {
                imported.left(what, "it was audited as a real secret; take it out instead");
                continue;
            }
            let sha1 = entry.get("hashed_secret").and_then(Value::as_str).map(str::to_ascii_lowercase);
            imported.places.push(Place { what, commit: None, path: path.replace('\\', "/"), line, sha1 });
        }
    }
    for plugin in document.get("plugins_used").and_then(Value::as_array).into_iter().flatten() {
        let name = plugin.get("name").and_then(Value::as_str).unwrap_or_default();
        if let Some(file) = plugin.get("path").and_then(Value::as_str) {
            imported.left(format!("plugin {name}"), format!("it is a program of your own ({file}); write it as a `[[rule]]`"));
        }
    }
    for filter in document.get("filters_used").and_then(Value::as_array).into_iter().flatten() {
        let path = filter.get("path").and_then(Value::as_str).unwrap_or_default();
        let name = path.rsplit('.').next().unwrap_or(path);
        let why = match name {
            "should_exclude_file" => "regular expressions of paths; write them as globs in `[paths] allow`",
            "should_exclude_line" => "leakstop judges values, not lines; write an `[[allow]]` with a `value`",
            "should_exclude_secret" => "write an `[[allow]]` with a `value`",
            "is_invalid_file" | "is_non_text_file" => "leakstop reads every file",
            _ if path.starts_with("detect_secrets.") => continue, // its own heuristics: leakstop has others
            _ => "it is a program of your own",
        };
        imported.left(format!("filter {name}"), why);
    }
    Ok(imported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_an_ignore_file_are_places() {
        let commit = "a".repeat(40);
        let text = format!("# why\n\nsrc/a.py:aws-key:12\n{commit}:b c.py:x:3\nc:d.py:x:4\nz.zip!a.py:x:4\nnonsense\na.py:x:0\n");
        let imported = of_ignore_file(&text);
        let places: Vec<_> = imported.places.iter().map(|place| (place.commit.is_some(), place.path.as_str(), place.line)).collect();
        assert_eq!(places, [(false, "src/a.py", Some(12)), (true, "b c.py", Some(3)), (false, "c:d.py", Some(4))]);
        assert_eq!(imported.left.iter().map(|told| told.what.as_str()).collect::<Vec<_>>(), ["z.zip!a.py:x:4", "nonsense", "a.py:x:0"]);
    }
}
