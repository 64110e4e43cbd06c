//! What does one version of a configuration let through that the version before did not? Compared as written, with the
//! defaults for what is not written: what a reviewer has to know about a change of the file.

use toml::Spanned;

use super::{AllowEntry, Config, Level, LevelAt};

/// Everything by which `after` is weaker than `before`, in words. Empty where it is as strict or stricter.
pub fn weaker(before: &Config, after: &Config) -> Vec<String> {
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
    if let Some(bytes) = after.limits.max_file_bytes
        && before.limits.max_file_bytes.unwrap_or(super::policy::MAX_FILE_BYTES) > bytes
    {
        found.push(format!("files over {bytes} bytes are not read"));
    }
    let known: Vec<_> = before.allow.iter().map(key_of).collect();
    for entry in after.allow.iter().filter(|entry| !known.contains(&key_of(entry))) {
        let entry = entry.get_ref();
        let place = entry.path.as_ref().filter(|_| entry.fingerprint.is_some()).map(|glob| format!(" in `{glob}`")).unwrap_or_default();
        found.push(format!("{} is allowed{place} by {} until {}", entry.what(), entry.owner, entry.expires));
    }
    found
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
            ("", "[limits]\nmax_file_bytes = 10", "files over 10 bytes are not read"),
            ("", allow, "0123456789abcdef is allowed by ann until 2030-01-01"),
            (allow, &allow.replace("2030", "2031"), "0123456789abcdef is allowed by ann until 2031-01-01"),
        ] {
            assert_eq!(told(before, after), expected, "{before} -> {after}");
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
            ("", &rule("acme_")),
            (&rule("acme_"), &(rule("acme_") + "examples = ['x']\n")),
        ] {
            assert_eq!(told(before, after), "", "{before} -> {after}");
        }
    }
}
