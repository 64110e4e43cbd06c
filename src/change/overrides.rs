//! What `git -c` and its relatives set for one command. git hands it on by the environment, and libgit2 does not look there.

/// The values of the settings with one of these names (in small letters), in the order in which they were given.
pub(super) fn values(names: &[&str]) -> Vec<Vec<u8>> {
    let variable = |name: &str| std::env::var_os(name).map(std::ffi::OsString::into_encoded_bytes).unwrap_or_default();
    let wanted = |key: &[u8]| names.iter().any(|name| key.eq_ignore_ascii_case(name.as_bytes()));
    let mut found: Vec<Vec<u8>> =
        parameters(&variable("GIT_CONFIG_PARAMETERS")).into_iter().filter_map(|(key, value)| wanted(&key).then_some(value)).collect();
    let count = String::from_utf8_lossy(&variable("GIT_CONFIG_COUNT")).parse().unwrap_or(0_u32);
    let pairs = (0..count).map(|at| (variable(&format!("GIT_CONFIG_KEY_{at}")), variable(&format!("GIT_CONFIG_VALUE_{at}"))));
    found.extend(pairs.filter_map(|(key, value)| wanted(&key).then_some(value)));
    found
}

/// Reads `'key'='value' 'key=value' …`, quoted as for a shell.
fn parameters(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut words, mut word, mut quoted, mut rest) = (Vec::new(), Vec::new(), false, text.iter());
    while let Some(&b) = rest.next() {
        match b {
            b'\'' => quoted = !quoted,
            b'\\' if !quoted => word.extend(rest.next()),
            b' ' if !quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(b),
        }
    }
    words.push(word);
    let pair = |word: Vec<u8>| memchr::memchr(b'=', &word).map(|at| (word[..at].to_vec(), word[at + 1..].to_vec()));
    words.into_iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn both_forms_that_git_writes_are_read() {
        let read = |text: &str| {
            let show = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            parameters(text.as_bytes()).into_iter().map(|(key, value)| format!("{}|{}", show(key), show(value))).collect::<Vec<_>>()
        };
        assert_eq!(read("'receive.hideRefs'='refs/a b' 'x.y=it'\\''s' 'z.on'"), ["receive.hideRefs|refs/a b", "x.y|it's"]);
        assert!(read("").is_empty());
    }
}
