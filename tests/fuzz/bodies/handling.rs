//! What the rules for handling read texts with: the nesting of brackets, lines and tables, comments and strings of each
//! language, the arguments of calls, and two files beside each other.

use leakstop::change::Part;
use leakstop::scan::{self, Text};

use super::{SCANNER, scanned};

/// What stands above a place. In any text each word is a part of it that stands before the place's line ends; in JSON
/// made of keys, lists and hostile neighbours, it is the keys that lead there and nothing else.
pub fn nesting(data: &[u8]) {
    const PATHS: [&str; 5] = ["a.json", "a.tf", "a.toml", "a.yaml", "a.ipynb"];
    let (&first, text) = data.split_first().unwrap_or((&0, b""));
    let path = PATHS[usize::from(first) % PATHS.len()].as_bytes();
    // Up and down, as rules ask: the reader of lines begins anew where it has to go back.
    let step = (text.len() / 16).max(1);
    let places: Vec<usize> = (0..=text.len()).step_by(step).chain((0..text.len()).rev().step_by(step * 3)).collect();
    let all = text.as_ptr_range();
    let told = scan::keys_above(path, text, &places);
    for (words, &at) in told.iter().zip(&places) {
        // A key may be empty, and then stand at the end.
        assert!(words.iter().all(|word| all.start <= word.as_ptr() && word.as_ptr_range().end <= all.end), "{at}");
        // What one reader says of a place, it says whichever place was asked for before.
        assert_eq!(*words, scan::keys_above(path, text, &[at])[0], "{at}");
    }
    let (made, at, keys) = document(data);
    let told = scan::keys_above(b"a.json", made.as_bytes(), &[at]);
    let told: Vec<_> = told[0].iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    assert_eq!(told, keys.into_iter().rev().collect::<Vec<_>>(), "{made}");
}

/// A JSON document, a place in it, and the keys that lead there, with neighbours of the text on the way.
fn document(data: &[u8]) -> (String, usize, Vec<String>) {
    let (mut before, mut after, mut keys) = (String::new(), String::new(), Vec::new());
    for chunk in data.chunks(6).take(20) {
        let hostile = quoted(&String::from_utf8_lossy(chunk));
        let key = format!("k{}", chunk.first().copied().unwrap_or_default() % 7);
        match chunk.get(1).copied().unwrap_or_default() % 4 {
            0 => before += &format!("{{{hostile}:{hostile},\"{key}\":"),
            1 => before += &format!("{{\"x\":[{hostile},{{\"y\":{hostile}}}],\"{key}\":"),
            2 => before += &format!("{{\n  // {} \n  \"{key}\" : ", hostile.replace(['\n', '\r'], " ")),
            _ => before += &format!("{{ /* }} ] */ \"{key}\":"),
        }
        after.insert_str(0, &format!(",{hostile}:1}}"));
        keys.push(key);
    }
    (format!("{before}\"x\"{after}"), before.len(), keys)
}

/// Text as JSON writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Two files beside each other. A list that stays loses nothing; what an example shares with a file stands in both; a name
/// in code never leads out of the repository.
pub fn across(data: &[u8]) {
    let mut parts = data.splitn(3, |&b| b == 0);
    let (one, two, three) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    assert!(SCANNER.lost_ignore(one, &[one]).is_none());
    assert!(SCANNER.lost_ignore(one, &[two, one]).is_none());
    assert!(SCANNER.lost_ignore(b"", &[one]).is_none());
    if SCANNER.lost_ignore(one, &[two, three]).is_some() {
        // Fewer lists ignore no more.
        assert!(
            SCANNER.lost_ignore(one, &[two]).is_some() && SCANNER.lost_ignore(one, &[three]).is_some() && SCANNER.lost_ignore(one, &[]).is_some()
        );
    }
    let text = |bytes| Text { path: b".env.example", part: Part::Content, bytes };
    assert!(SCANNER.own_values(text(one), b"").is_empty());
    for hit in SCANNER.own_values(text(one), two) {
        let span = hit.span.unwrap();
        let line = one.split(|&b| b == b'\n').nth(span.line as usize - 1).unwrap_or_default();
        assert!(span.line == span.end_line && line.contains(&b'=') && !two.is_empty());
    }
    for path in scan::files_meant(one, two) {
        let is_plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
        assert!(path.split(|&b| b == b'/').all(is_plain), "{}", String::from_utf8_lossy(&path));
    }
}

/// The whole scanner on texts of what its rules for handling look at: each byte chooses a piece.
pub fn handling(data: &[u8]) {
    const PATHS: [&str; 26] = [
        "a.py",
        "a.ts",
        "a.go",
        "a.java",
        "a.kt",
        "a.scala",
        "a.cs",
        "a.rb",
        "a.php",
        "a.rs",
        "a.swift",
        "a.sh",
        "a.ps1",
        "a.sql",
        "Dockerfile",
        "Makefile",
        "Jenkinsfile",
        ".github/workflows/a.yml",
        ".gitlab-ci.yml",
        "docker-compose.yml",
        "deploy/a.yaml",
        "main.tf",
        "a.ipynb",
        ".mcp.json",
        ".codex/config.toml",
        "main.bicep",
    ];
    const PIECES: [&str; 96] = [
        "\n",
        "\n  ",
        "\n    ",
        "\n        ",
        "\n\t",
        "\r\n",
        " ",
        "\"",
        "'",
        "`",
        "\"\"\"",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "#{",
        "${",
        "${{ ",
        " }}",
        ",",
        ":",
        ": ",
        " = ",
        ": |\n    ",
        "- ",
        "#",
        "//",
        "/*",
        "*/",
        "\\",
        "\\\n",
        "--",
        ";",
        "|",
        ">",
        ">>",
        "<<EOF\n",
        "EOF\n",
        "password",
        "api_key",
        "token",
        "secret",
        "x",
        "hunter2x",
        "changeme",
        "$TOKEN",
        "$DB_PASSWORD",
        "{{ secret }}",
        "secrets.TOKEN",
        "os.getenv",
        "os.environ.get",
        "process.env.API_KEY",
        "||",
        "??",
        "?:",
        "print",
        "console.log",
        "logger.info",
        "fmt.Println",
        "echo ",
        "println!",
        "Write-Host ",
        "puts ",
        "set -x",
        "run: ",
        "env:",
        "script:",
        "permissions:",
        "secrets: inherit",
        "kind: Secret",
        "data:",
        "stringData:",
        "name: DB_PASSWORD",
        "value: ",
        "environment:",
        "Effect\": \"Allow",
        "\"Action\": ",
        "\"*\"",
        "resource \"a\" \"b\" ",
        "provider \"aws\" ",
        "variable \"db_password\" ",
        "default = ",
        "verify=False",
        "curl -k ",
        "ARG ",
        "ENV ",
        "RUN ",
        "COPY .env .",
        "jwt.sign",
        "\"outputs\": [",
        "\"source\": [",
        "\"cell_type\": \"code\"",
        "---\n",
        "true",
    ];
    let (&first, rest) = data.split_first().unwrap_or((&0, b""));
    let path = PATHS[usize::from(first) % PATHS.len()].as_bytes();
    let text: String = rest.iter().take(4096).map(|&b| PIECES[usize::from(b) % PIECES.len()]).collect();
    scanned(path, text.as_bytes());
}
