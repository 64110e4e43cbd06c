//! What shows only beside another file or version: an ignore list that ignores less than before, and an example file that
//! holds a value of the developer's own. Pure like the rest of the room: the caller brings both texts.

use std::collections::HashSet;
use std::ops::Range;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{name, plausible};

/// Names that ignore lists are kept for.
const CREDENTIAL_FILES: [&str; 12] = [
    ".env",
    ".env.local",
    ".env.production",
    "prod.env",
    "server.pem",
    "server.key",
    "id_rsa",
    "terraform.tfstate",
    "prod.tfvars",
    "credentials.json",
    "release.keystore",
    "cert.p12",
];
/// Endings and beginnings of further ones, for the paths that an ignore list names itself.
const ENDINGS: [&str; 12] =
    [".env", ".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".tfstate", ".tfvars", "credentials.json", "credentials", ".kdbx"];
const BEGINNINGS: [&str; 4] = [".env", "id_rsa", "id_ed25519", "service-account"];
/// Shorter values are words, ports and switches.
const SHORTEST: usize = 6;
/// What every example may share with a developer's own file.
const SHARED: [&str; 12] = [
    "localhost",
    "127.0.0.1",
    "development",
    "production",
    "password",
    "postgres",
    "changeme",
    "example",
    "secret",
    "http://localhost",
    "disabled",
    "default",
];

/// True when `before` ignores a credential file that none of the lists in `after` ignores.
pub(super) fn ignores_less(before: &[u8], after: &[&[u8]]) -> bool {
    let kept: HashSet<&[u8]> = after.iter().flat_map(|list| lines(list)).collect();
    let named = lines(before).filter(|line| !kept.contains(line)).filter_map(example_of);
    let probes: Vec<String> = CREDENTIAL_FILES.iter().map(|&name| name.to_owned()).chain(named).collect();
    let old = list(before);
    let new: Vec<Gitignore> = after.iter().map(|text| list(text)).collect();
    let ignored = |list: &Gitignore, path: &str| list.matched_path_or_any_parents(path, false).is_ignore();
    probes.iter().any(|path| ignored(&old, path) && !new.iter().any(|list| ignored(list, path)))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty() && !line.starts_with(b"#"))
}

/// A path that this line is there for, when it is that of a credential file.
fn example_of(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok().filter(|line| !line.starts_with('!') && !line.contains(".."))?;
    let path = line.trim_start_matches('/').replace("**/", "").replace('*', "x");
    let name = path.rsplit('/').next()?;
    let told = ENDINGS.iter().any(|ending| name.ends_with(ending)) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
    (told && !path.contains(['[', '?', '\\'])).then_some(path)
}

/// A line that is no glob ignores nothing, in git too.
fn list(text: &[u8]) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    for line in lines(text).filter_map(|line| std::str::from_utf8(line).ok()) {
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// The places of values in `example` that `own` holds too and that could be credentials.
pub(super) fn shared_values(example: &[u8], own: &[u8]) -> Vec<Range<usize>> {
    let own: HashSet<&[u8]> = settings(own).map(|(_, value)| &own[value]).collect();
    settings(example)
        .filter(|(name, value)| own.contains(&example[value.clone()]) && could_be_credential(name, &example[value.clone()]))
        .map(|(_, value)| value)
        .collect()
}

fn could_be_credential(name: &[u8], value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let shared = SHARED.iter().any(|word| word.as_bytes() == lower) || plausible::is_reference(value) || plausible::is_made_up(value);
    let user_in_address = memchr::memmem::find(value, b"://").is_some_and(|at| value[at..].contains(&b'@'));
    value.len() >= SHORTEST && !shared && (name::is_sensitive(name).is_some() || user_in_address || plausible::looks_drawn(value))
}

/// Names and places of values in `NAME=value` lines.
fn settings(text: &[u8]) -> impl Iterator<Item = (&[u8], Range<usize>)> {
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|newline| newline + 1));
    starts.filter_map(move |start| {
        let line = text[start..].split(|&b| b == b'\n').next()?;
        let equals = memchr::memchr(b'=', line)?;
        let name = line[..equals].trim_ascii();
        let name = name.strip_prefix(b"export ").unwrap_or(name);
        let value = line[equals + 1..].trim_ascii();
        let value = match value.first() {
            Some(quote @ (b'"' | b'\'')) => value[1..].split(|b| b == quote).next()?,
            _ => value.split(|&b| b == b'#').next()?.trim_ascii(),
        };
        let at = value.as_ptr() as usize - text.as_ptr() as usize;
        (!name.starts_with(b"#") && !value.is_empty()).then_some((name, at..at + value.len()))
    })
}

/// The paths that a name in code can mean: from its own folder, or from the root.
pub fn files_meant(name: &[u8], file: &[u8]) -> Vec<Vec<u8>> {
    let folder = memchr::memrchr(b'/', file).map_or(&b""[..], |slash| &file[..slash]);
    [folder, b""].iter().filter_map(|base| join(base, name)).collect()
}

/// The path of what `base` calls `name`; `None` where the name leads out of the repository.
pub fn join(base: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in base.split(|&b| b == b'/').chain(name.split(|&b| b == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignore_list_that_loses_a_credential_file_is_told_from_one_that_is_reordered() {
        let less = |before: &str, after: &[&str]| {
            let after: Vec<&[u8]> = after.iter().map(|list| list.as_bytes()).collect();
            ignores_less(before.as_bytes(), &after)
        };
        assert!(less("target/\n.env\n", &["target/\n"]));
        assert!(less(".env*\n", &[".env*\n!.env\n"]));
        assert!(less("*.pem\n.env\n", &[".env\n"]));
        assert!(less("/config/prod.env\n", &["x\n"]));
        assert!(less(".env\n", &[]));
        assert!(!less("target/\n.env\n", &["# all\n.env*\n!.env.example\n"]));
        assert!(!less("target/\nnode_modules\n", &[""]));
        assert!(!less(".env\n", &["", ".env\n"]));
        assert!(!less("docs/*.md\n[", &["x"]));
    }

    #[test]
    fn a_value_of_ones_own_is_told_from_what_everyone_shares() {
        let own = "DB_PASSWORD=kX9-plover-2\nHOST=localhost\nDATABASE_URL='postgres://a:b7plover@db/x'\nAPP_NAME=my-application\nTOKEN=changeme\n";
        let example = "# copy me\nexport DB_PASSWORD=\"kX9-plover-2\"\nHOST=localhost\nDATABASE_URL=postgres://a:b7plover@db/x\nAPP_NAME=my-application\nTOKEN=changeme\nAPI_KEY=\n";
        let values: Vec<_> = shared_values(example.as_bytes(), own.as_bytes()).into_iter().map(|range| &example[range]).collect();
        assert_eq!(values, ["kX9-plover-2", "postgres://a:b7plover@db/x"]);
        assert!(shared_values(example.as_bytes(), b"").is_empty());
        assert!(shared_values(b"=\n==\n\"'\nA=\"", b"A=\"").is_empty());
    }

    #[test]
    fn a_name_in_code_is_meant_from_its_folder_or_from_the_root() {
        let told = |name: &str, file: &str| {
            let paths = files_meant(name.as_bytes(), file.as_bytes());
            paths.into_iter().map(|path| String::from_utf8(path).unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told("./.env.prod", "app/main.py"), "app/.env.prod .env.prod");
        assert_eq!(told("../conf/a.env", "app/x/main.py"), "app/conf/a.env");
        assert_eq!(told("../../..", "a.py"), "");
    }
}
