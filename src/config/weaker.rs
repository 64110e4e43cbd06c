//! What does one version of a configuration let through that the version before did not? Compared as written, with the
//! defaults for what is not written: what a reviewer has to know about a change of the file.

use toml::Spanned;

use super::policy::{ARCHIVE_BYTES, ARCHIVE_ENTRIES, ARCHIVE_RATIO, MAX_FILE_BYTES};
use super::{
    AllowEntry, AuditSettings, Config, Level, LevelAt, Levels, Limits, NameSettings, PathSettings, RuleSettings, ServerSettings, UnreadSettings,
    ValueSettings,
};

/// Everything by which `after` is weaker than `before`, in words. Empty where it is as strict or stricter.
pub fn weaker(before: &Config, after: &Config) -> Vec<String> {
    every_key_is_weighed(after);
    let mut found = Vec::new();
    for (key, default, old, new) in levels(before, after) {
        let (old, new) = (old.unwrap_or(default), new.unwrap_or(default));
        if strength(new) < strength(old) {
            found.push(format!("{key} is \"{}\" instead of \"{}\"", name(new), name(old)));
        }
    }
    found.extend(rules(before, after));
    found.extend(added(after.paths.allow.as_ref(), before.paths.allow.as_ref()).iter().map(|glob| format!("nothing blocks in `{glob}`")));
    let words = added(after.values.stopwords.as_ref(), before.values.stopwords.as_ref());
    found.extend(words.iter().map(|word| format!("no value with `{word}` blocks")));
    let names = added(before.names.sensitive.as_ref(), after.names.sensitive.as_ref());
    found.extend(names.iter().map(|name| format!("`{name}` is no sensitive name any more")));
    for own in &before.own {
        let id = &own.text().id;
        match after.own.iter().find(|other| other.text().id == *id) {
            None => found.push(format!("the rule `{id}` is gone")),
            // What a changed rule no longer finds nobody can tell from its text.
            Some(other) if !own.finds_the_same(other) => found.push(format!("the rule `{id}` is another")),
            Some(_) => {}
        }
    }
    for ((key, default, old), (_, _, new)) in limits(before).into_iter().zip(limits(after)) {
        let (old, new) = (old.unwrap_or(default), new.unwrap_or(default));
        if new < old {
            found.push(format!("limits.{key} is {new} instead of {old}, so less is read"));
        }
    }
    let known: Vec<_> = before.allow.iter().map(key_of).collect();
    for entry in after.allow.iter().filter(|entry| !known.contains(&key_of(entry))) {
        let entry = entry.get_ref();
        let place = entry.path.as_ref().filter(|_| entry.fingerprint.is_some()).map(|glob| format!(" in `{glob}`")).unwrap_or_default();
        found.push(format!("{} is allowed{place} by {} until {}", entry.what(), entry.owner, entry.expires));
    }
    found
}

/// Every key is named here once, so that none is added without being weighed.
const fn every_key_is_weighed(config: &Config) {
    let Config {
        fingerprint_key: _, // with another key exceptions for single findings hold no more
        level: Levels { critical: _, high: _, medium: _, low: _, low_confidence: _ },
        rules: RuleSettings { level: _, at: _ },
        rule: _, // the same as `own`
        own: _,
        names: NameSettings { sensitive: _ },
        values: ValueSettings { stopwords: _ },
        paths: PathSettings { allow: _ },
        limits:
            Limits {
                max_file_bytes: _,
                archive_entries: _,
                archive_bytes: _,
                archive_ratio: _,
                deadline_ms: _, // a repository's own file cannot set these two, and at their end nothing passes
                git_seconds: _,
            },
        unread: UnreadSettings { commit: _, push: _, lfs: _ },
        server: ServerSettings { repository_config: _, baseline: _ }, // a repository's own file cannot set these
        audit: AuditSettings { file: _, key_file: _, local: _ },      // nor these
        allow: _,
        line_starts: _,
        digest: _, // of the whole file
    } = config;
}

/// The limits on what is read: name, default and value.
fn limits(config: &Config) -> [(&'static str, u64, Option<u64>); 4] {
    let limits = &config.limits;
    [
        ("max_file_bytes", MAX_FILE_BYTES, limits.max_file_bytes),
        ("archive_entries", ARCHIVE_ENTRIES, limits.archive_entries),
        ("archive_bytes", ARCHIVE_BYTES, limits.archive_bytes),
        ("archive_ratio", ARCHIVE_RATIO, limits.archive_ratio),
    ]
}

/// All keys that hold a level: name, default, before and after.
type LevelKey = (&'static str, Level, Option<Level>, Option<Level>);

fn levels(before: &Config, after: &Config) -> [LevelKey; 8] {
    let (old, new) = (&before.level, &after.level);
    let (old_unread, new_unread) = (&before.unread, &after.unread);
    [
        ("level.critical", Level::Block, old.critical, new.critical),
        ("level.high", Level::Block, old.high, new.high),
        ("level.medium", Level::Block, old.medium, new.medium),
        ("level.low", Level::Warn, old.low, new.low),
        ("level.low_confidence", Level::Warn, old.low_confidence, new.low_confidence),
        ("unread.commit", Level::Warn, old_unread.commit, new_unread.commit),
        ("unread.push", Level::Block, old_unread.push, new_unread.push),
        ("unread.lfs", Level::Warn, old_unread.lfs, new_unread.lfs),
    ]
}

/// Without a level of its own a rule does what its severity says, which may be anything: then only "block" is sure to be no
/// weaker, and a "block" that goes may be.
fn rules(before: &Config, after: &Config) -> Vec<String> {
    let mut found = Vec::new();
    for (rule, level) in &after.rules.level {
        let old = before.rules.level.get(rule).copied().unwrap_or(Level::Block);
        if strength(*level) < strength(old) {
            found.push(format!("rules.level.{} is \"{}\"", rule.get_ref(), name(*level)));
        }
    }
    for at in after.rules.at.iter().filter(|at| at.level != Level::Block && !before.rules.at.iter().any(|known| is_the_same(known, at))) {
        let (rules, paths) = (at.rules.iter().map(Spanned::get_ref), at.paths.get_ref().iter().map(Spanned::get_ref));
        let rules: Vec<_> = rules.map(String::as_str).collect();
        let rules = if rules.is_empty() { "all rules".to_owned() } else { rules.join(", ") };
        let paths: Vec<_> = paths.map(|glob| format!("`{glob}`")).collect();
        found.push(format!("in {} the level of {rules} is \"{}\"", paths.join(", "), name(at.level)));
    }
    for (rule, level) in &before.rules.level {
        if *level != Level::Allow && !after.rules.level.contains_key(rule) {
            found.push(format!("rules.level.{} is \"{}\" no more", rule.get_ref(), name(*level)));
        }
    }
    found
}

fn is_the_same(a: &LevelAt, b: &LevelAt) -> bool {
    let of = |at: &LevelAt| {
        let texts = at.paths.get_ref().iter().chain(&at.rules).map(|text| text.get_ref().clone());
        (texts.collect::<Vec<_>>(), at.level)
    };
    of(a) == of(b)
}

/// What tells one exception from another: which findings it covers, and until when.
fn key_of(entry: &Spanned<AllowEntry>) -> (String, Option<&str>, &str) {
    let entry = entry.get_ref();
    (entry.what(), entry.path.as_deref(), entry.expires.as_str())
}

fn texts(list: Option<&Vec<Spanned<String>>>) -> Vec<&str> {
    list.into_iter().flatten().map(|text| text.get_ref().as_str()).collect()
}

/// The entries of a list of which `known` has none.
fn added<'a>(list: Option<&'a Vec<Spanned<String>>>, known: Option<&Vec<Spanned<String>>>) -> Vec<&'a str> {
    let known = texts(known);
    texts(list).into_iter().filter(|text| !known.contains(text)).collect()
}

fn strength(level: Level) -> u8 {
    match level {
        Level::Allow => 0,
        Level::Warn => 1,
        Level::Block => 2,
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Allow => "allow",
        Level::Warn => "warn",
        Level::Block => "block",
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::weaker;

    fn told(before: &str, after: &str) -> String {
        weaker(&parse("a", before.as_bytes()).unwrap(), &parse("b", after.as_bytes()).unwrap()).join("; ")
    }

    fn rule(keyword: &str) -> String {
        let start = "[[rule]]\nid = \"acme-key\"\ntitle = \"Acme\"\nrisk = \"It opens.\"\nseverity = \"high\"\n";
        format!("{start}keywords = [\"{keyword}\"]\npattern = '{keyword}[0-9]{{9}}'\n")
    }

    #[test]
    fn what_is_weaker_is_named() {
        let allow = "[[allow]]\nfingerprint = \"0123456789abcdef\"\nowner = \"ann\"\nreason = \"r\"\nexpires = \"2030-01-01\"\n";
        for (before, after, expected) in [
            ("", "[level]\nhigh = \"warn\"", "level.high is \"warn\" instead of \"block\""),
            ("[level]\nlow = \"block\"", "", "level.low is \"warn\" instead of \"block\""),
            ("", "[unread]\npush = \"allow\"", "unread.push is \"allow\" instead of \"block\""),
            ("", "[rules.level]\nsecret = \"warn\"", "rules.level.secret is \"warn\""),
            ("[rules.level]\nfile = \"block\"", "", "rules.level.file is \"block\" no more"),
            ("[paths]\nallow = [\"a\"]", "[paths]\nallow = [\"a\", \"**\"]", "nothing blocks in `**`"),
            ("", "[values]\nstopwords = [\"dummy\"]", "no value with `dummy` blocks"),
            ("[names]\nsensitive = [\"kennwort\"]", "", "`kennwort` is no sensitive name any more"),
            ("", "[[rules.at]]\npaths = [\"t/**\"]\nrules = [\"secret\"]\nlevel = \"warn\"", "in `t/**` the level of secret is \"warn\""),
            (&rule("acme_"), "", "the rule `acme-key` is gone"),
            (&rule("acme_"), &rule("ecma_"), "the rule `acme-key` is another"),
            ("", "[limits]\nmax_file_bytes = 10", "limits.max_file_bytes is 10 instead of 2147483648, so less is read"),
            ("[limits]\nmax_file_bytes = 4294967296", "", "limits.max_file_bytes is 2147483648 instead of 4294967296, so less is read"),
            ("", "[limits]\narchive_entries = 5", "limits.archive_entries is 5 instead of 20000, so less is read"),
            ("", "[limits]\narchive_bytes = 6", "limits.archive_bytes is 6 instead of 268435456, so less is read"),
            ("[limits]\narchive_ratio = 900", "[limits]\narchive_ratio = 7", "limits.archive_ratio is 7 instead of 900, so less is read"),
            ("", allow, "0123456789abcdef is allowed by ann until 2030-01-01"),
            (allow, &allow.replace("2030", "2031"), "0123456789abcdef is allowed by ann until 2031-01-01"),
        ] {
            assert_eq!(told(before, after), expected, "{before} -> {after}");
        }
    }

    /// Each key of the example, changed to what lets most through, is named; those that are not say here why.
    #[test]
    fn no_key_is_overlooked() {
        const OTHERWISE: [&str; 9] = [
            "fingerprint_key",    // exceptions for single findings hold no more
            "limits.deadline_ms", // a repository's own file cannot set these, and at their end nothing passes
            "limits.git_seconds",
            "server.repository_config", // nor these
            "server.baseline",
            "audit.file",
            "audit.key_file",
            "audit.local",
            "names.sensitive", // one name more is stricter; fewer are tried above
        ];
        let example: toml::Table = include_str!("../../config.example.toml").parse().unwrap();
        let mut keys = Vec::new();
        for (name, value) in &example {
            match value.as_table() {
                Some(table) => keys.extend(table.iter().map(|(key, value)| (format!("{name}.{key}"), value.clone()))),
                None => keys.push((name.clone(), value.clone())),
            }
        }
        assert!(keys.len() >= 20, "{keys:?}");
        for (key, value) in keys.iter().filter(|(key, _)| !OTHERWISE.contains(&key.as_str())) {
            let weak = match value {
                toml::Value::Integer(_) => "1",
                toml::Value::Table(_) => "{ secret = \"allow\" }",
                toml::Value::Array(_) => "[\"word\"]",
                _ => "\"allow\"",
            };
            assert_ne!(told("", &format!("{key} = {weak}")), "", "{key} = {weak}");
        }
    }

    #[test]
    fn what_is_stricter_or_the_same_is_not() {
        for (before, after) in [
            ("", ""),
            ("[level]\nhigh = \"warn\"", ""),
            ("", "[level]\nlow = \"block\""),
            ("[paths]\nallow = [\"a\"]", ""),
            ("[rules.level]\nsecret = \"warn\"", "[rules.level]\nsecret = \"block\""),
            ("", "fingerprint_key = \"x\""),
            ("", "[limits]\nmax_file_bytes = 4294967296\narchive_entries = 30000\narchive_ratio = 201"),
            ("", "[limits]\ndeadline_ms = 1\ngit_seconds = 1"),
            ("", "[server]\nrepository_config = \"pushed\"\nbaseline = \"all\""),
            ("", &rule("acme_")),
            (&rule("acme_"), &(rule("acme_") + "examples = ['x']\n")),
        ] {
            assert_eq!(told(before, after), "", "{before} -> {after}");
        }
    }
}
