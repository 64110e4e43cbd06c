//! What is known of the remote that a push goes to: its remote-tracking refs. What another remote has is new to this one,
//! which may be open to more people.

use std::collections::BTreeSet;

use super::error::ChangeError;
use super::objects::ObjectId;
use super::store::Store;

/// The remote-tracking refs of a remote, by its name or its address; none for an address that no remote has.
///
/// # Errors
/// The refs or the configuration cannot be read.
pub fn known_to(store: &dyn Store, remote: &[u8], address: &[u8]) -> Result<Vec<ObjectId>, ChangeError> {
    let refs: Vec<_> = store.references()?.into_iter().filter(|(name, _)| name.starts_with(REMOTES)).collect();
    let of = |remote: &[u8]| {
        let prefix = [REMOTES, remote, b"/"].concat();
        refs.iter().filter(move |(name, _)| name.starts_with(&prefix)).map(|(_, id)| *id).collect::<Vec<_>>()
    };
    let named = of(remote);
    if !named.is_empty() || !addresses(store, remote)?.is_empty() {
        return Ok(named);
    }
    let wanted = [plain(remote), plain(address)];
    // A remote's name may hold slashes: each beginning of a ref's name may be one.
    let names: BTreeSet<&[u8]> = refs.iter().flat_map(|(name, _)| beginnings(&name[REMOTES.len()..])).collect();
    let mut known = Vec::new();
    for name in names {
        if addresses(store, name)?.iter().any(|address| wanted.contains(&plain(address))) {
            known.extend(of(name));
        }
    }
    Ok(known)
}

const REMOTES: &[u8] = b"refs/remotes/";

fn beginnings(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'/', name).map(|at| &name[..at])
}

/// The addresses that are set for a remote of this name.
fn addresses(store: &dyn Store, name: &[u8]) -> Result<Vec<Vec<u8>>, ChangeError> {
    let Ok(name) = std::str::from_utf8(name) else { return Ok(Vec::new()) };
    if name.contains(['\0', '\n']) {
        return Ok(Vec::new());
    }
    let mut pattern = String::from(r"^remote\.");
    for c in name.chars() {
        if ".[]()*+?{}|^$\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    store.settings(&(pattern + r"\.(url|pushurl)$"))
}

/// What of an address says which repository it is: host and path, however they are reached.
fn plain(address: &[u8]) -> Vec<u8> {
    let with_scheme = memchr::memmem::find(address, b"://").map(|at| &address[at + 3..]);
    let mut rest = with_scheme.unwrap_or(address);
    while let Some(shorter) = rest.strip_suffix(b"/").or_else(|| rest.strip_suffix(b".git")) {
        rest = shorter;
    }
    let host_end = rest.iter().position(|b| b"/:".contains(b)).unwrap_or(rest.len());
    let (mut host, path) = rest.split_at(host_end);
    if let Some(at) = memchr::memrchr(b'@', host) {
        host = &host[at + 1..];
    }
    // `host:path` without a scheme, or a port.
    let path = match path.strip_prefix(b":") {
        Some(path) if with_scheme.is_none() => path,
        Some(path) => &path[path.iter().take_while(|b| b.is_ascii_digit()).count()..],
        None => path,
    };
    let path = if host.is_empty() { path } else { path.strip_prefix(b"/").unwrap_or(path) };
    [&host.to_ascii_lowercase(), &b"/"[..], path].concat()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn one_repository_is_reached_in_several_ways() {
        let same = [
            "git@example.org:a/b.git",
            "ssh://git@Example.org:22/a/b",
            "https://example.org/a/b.git/",
            "https://me@example.org/a/b",
            "example.org:/a/b",
        ];
        for address in same {
            assert_eq!(String::from_utf8(plain(address.as_bytes())).unwrap(), "example.org/a/b");
        }
        for other in ["https://example.org/a/c", "https://example.com/a/b", "/a/b", "a/b", "https://example.org/A/b"] {
            assert_ne!(plain(other.as_bytes()), plain(same[0].as_bytes()), "{other}");
        }
        assert_eq!(plain(b"/srv/x.git"), plain(b"file:///srv/x"));
    }
}
