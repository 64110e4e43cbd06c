//! Does a path match a glob? Without preparation: a commit of one small file asks hundreds of globs once each, and making
//! automata of them would take longer than all the rest.

/// Some globs side by side, each with what most paths are ruled out by.
pub struct Globs<'g> {
    list: Vec<Glob<'g>>,
}

struct Glob<'g> {
    text: &'g [u8],
    /// Whose it is.
    of: u32,
    /// The byte in small that one of the path's names begins with; zero where it may be any.
    first: u8,
    /// What the path ends with, in either case.
    ending: &'g [u8],
}

impl<'g> Globs<'g> {
    /// These globs, each with a number of whose it is.
    pub fn new(globs: impl Iterator<Item = (u32, &'g str)>) -> Self {
        let is_sign = |b: &u8| matches!(b, b'*' | b'?' | b'[' | b']');
        let glob = |(of, text): (u32, &'g str)| {
            let text = text.as_bytes();
            let first = text.strip_prefix(b"**/").unwrap_or(text).first().filter(|b| !is_sign(b)).map_or(0, u8::to_ascii_lowercase);
            Glob { text, of, first, ending: &text[text.iter().rposition(is_sign).map_or(0, |sign| sign + 1)..] }
        };
        Self { list: globs.map(glob).collect() }
    }

    /// Whose globs match the path, once for each glob that does. `*` stays within a name, `**` crosses folders, `?` is one
    /// character, `[a-z]` one of a class. A glob without a slash is compared with the last name of the path. Case does not
    /// matter.
    pub fn matching<'p>(&'p self, path: &'p [u8]) -> impl Iterator<Item = u32> + 'p {
        let name = memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..]);
        let mut begins = [false; 256];
        begins[0] = true;
        path.split(|&b| b == b'/').filter_map(<[u8]>::first).for_each(|b| begins[usize::from(b.to_ascii_lowercase())] = true);
        let may_match =
            move |glob: &&Glob<'_>| begins[usize::from(glob.first)] && ends_in(path, glob.ending.strip_prefix(b"/").unwrap_or(glob.ending));
        let matches_it = move |glob: &&Glob<'_>| matches(glob.text, if glob.text.contains(&b'/') { path } else { name });
        self.list.iter().filter(may_match).filter(matches_it).map(|glob| glob.of)
    }
}

fn ends_in(path: &[u8], ending: &[u8]) -> bool {
    path.len().checked_sub(ending.len()).is_some_and(|before| path[before..].eq_ignore_ascii_case(ending))
}

/// Most globs are a name, or a star and an ending.
fn matches(glob: &[u8], path: &[u8]) -> bool {
    let is_plain = |text: &[u8]| !text.iter().any(|b| matches!(b, b'*' | b'?' | b'['));
    match glob {
        [b'*', ending @ ..] if is_plain(ending) => {
            let before = path.len().checked_sub(ending.len());
            before.is_some_and(|before| path[before..].eq_ignore_ascii_case(ending) && !path[..before].contains(&b'/'))
        }
        name if is_plain(name) => path.eq_ignore_ascii_case(name),
        _ => walk(glob, path),
    }
}

/// Walks both texts once; where a star may take more, it comes back to the last one.
fn walk(glob: &[u8], path: &[u8]) -> bool {
    let (mut g, mut p) = (0, 0);
    // Where to go on when the rest fails: after the last star, and how far it reached. Folders have a star of their own.
    let mut star: Option<(usize, usize)> = None;
    let mut folders: Option<(usize, usize)> = None;
    loop {
        let rest = &glob[g..];
        match rest {
            [b'*', b'*', b'/', ..] => {
                folders = Some((g + 3, p));
                star = None;
                g += 3;
                continue;
            }
            b"**" => return true,
            [b'*', ..] => {
                star = Some((g + 1, p));
                g += 1;
                continue;
            }
            _ => {}
        }
        if p == path.len() && g == glob.len() {
            return true;
        }
        if let Some(length) = path.get(p).and_then(|&b| one(rest, b)) {
            g += length;
            p += 1;
            continue;
        }
        if let Some((after, reached)) = star.filter(|&(_, reached)| path.get(reached).is_some_and(|&b| b != b'/')) {
            star = Some((after, reached + 1));
            (g, p) = (after, reached + 1);
            continue;
        }
        let next = folders.and_then(|(after, reached)| Some((after, reached + memchr::memchr(b'/', &path[reached..])? + 1)));
        let Some((after, reached)) = next else { return false };
        folders = Some((after, reached));
        star = None;
        (g, p) = (after, reached);
    }
}

/// How long the first element of the glob is, when it takes this byte.
fn one(glob: &[u8], b: u8) -> Option<usize> {
    match *glob.first()? {
        b'?' => (b != b'/').then_some(1),
        b'[' => {
            let close = memchr::memchr(b']', glob)?;
            let class = &glob[1..close];
            let lower = b.to_ascii_lowercase();
            let ranges = class.windows(3).filter(|window| window[1] == b'-').any(|range| (range[0]..=range[2]).contains(&lower));
            (ranges || class.contains(&lower) && lower != b'-').then_some(close + 1)
        }
        own => own.eq_ignore_ascii_case(&b).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_the_set_of_the_configuration_does() {
        let globs = [
            ".env",
            ".env.*",
            "*.env",
            "**/.aws/credentials",
            "**/.github/workflows/*.y*ml",
            "*compose*.y*ml",
            "**/tests/**",
            "a/*.rs",
            "core.[0-9]*",
            "**/config/credentials/*.key",
            "id_rsa",
            "**/.docker/config.json",
            "?.txt",
            "src/**/b.rs",
            "**/a/**/c",
        ];
        let paths = [
            ".env",
            "x/.ENV",
            ".env.local",
            "prod.env",
            ".aws/credentials",
            "home/.aws/credentials",
            "home/x.aws/credentials",
            ".github/workflows/ci.yaml",
            "x/.github/workflows/sub/ci.yml",
            "docker-compose.override.yml",
            "src/tests/a/b.rs",
            "tests/a",
            "tests",
            "a/b.rs",
            "a/b/c.rs",
            "core.123",
            "core.rs",
            "config/credentials/prod.key",
            "id_rsa.pub",
            ".docker/config.json",
            "a.txt",
            "ab.txt",
            "src/b.rs",
            "src/x/y/b.rs",
            "src/xb.rs",
            "a/c",
            "z/a/b/a/c",
            "",
        ];
        for glob in globs {
            let set = super::super::glob_set(&[glob.into()]).unwrap();
            for path in paths {
                let globs = Globs::new([(7, glob)].into_iter());
                assert_eq!(globs.matching(path.as_bytes()).next().is_some(), set.is_match(path), "{glob} on {path}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_glob_matches_as_in_the_set(
            names in proptest::collection::vec(proptest::sample::select(vec!["a", "*b", "a*", "**", "?", "[a-b]c", "*", "b.a*c"]), 1..4),
            path in "([abcA.]{1,3}/){0,3}[abcB.]{1,4}",
        ) {
            let glob = names.join("/");
            let set = super::super::glob_set(&[glob.as_str().into()]).unwrap();
            let globs = Globs::new([(7, glob.as_str())].into_iter());
            proptest::prop_assert_eq!(globs.matching(path.as_bytes()).next().is_some(), set.is_match(&path), "{}", glob);
        }
    }
}
