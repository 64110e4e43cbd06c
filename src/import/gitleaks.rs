//! A `.gitleaks.toml`: its rules, and its lists of what is allowed.

use serde::Deserialize;
use toml::{Table, Value};

use super::{Imported, Owner, path, pattern, quoted};
use crate::rules::{self, proof};

/// What a file may hold. What stands in `rest` is told, since nobody took it over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    extend: Option<Table>,
    #[serde(default)]
    rules: Vec<Rule>,
    allowlist: Option<Allowlist>,
    #[serde(default)]
    allowlists: Vec<Allowlist>,
    title: Option<Value>,
    description: Option<Value>,
    min_version: Option<Value>,
    #[serde(flatten)]
    rest: Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    #[serde(default)]
    description: String,
    regex: Option<String>,
    secret_group: Option<usize>,
    entropy: Option<f64>,
    path: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    tags: Option<Value>,
    allowlist: Option<Allowlist>,
    #[serde(default)]
    allowlists: Vec<Allowlist>,
    #[serde(flatten)]
    rest: Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allowlist {
    description: Option<Value>,
    condition: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    regexes: Vec<String>,
    regex_target: Option<String>,
    #[serde(default)]
    stopwords: Vec<String>,
    #[serde(default)]
    commits: Vec<String>,
    #[serde(default)]
    target_rules: Vec<String>,
    #[serde(flatten)]
    rest: Table,
}

/// A keyword of ours has at least so many bytes; a shorter one would slow every scan down.
const SHORTEST_KEYWORD: usize = 3;
/// A shorter stopword stands in real credentials by chance.
const SHORTEST_STOPWORD: usize = 4;

/// Takes over what can be said.
pub(super) fn of_toml(text: &str, owner: &Owner<'_>) -> Result<Imported, String> {
    let file: File = toml::from_str(text).map_err(|e| format!("it is no configuration of gitleaks: {}", e.message().replace('\n', " ")))?;
    let mut imported = Imported::default();
    // Titles and the least version say nothing that could be judged.
    let _ = (file.title, file.description, file.min_version);
    if let Some(extend) = file.extend {
        extended(&extend, &mut imported);
    }
    let mut known = Vec::new();
    for rule in file.rules {
        let id = rule.id.clone();
        match self::rule(rule, owner, &mut imported) {
            Ok(ours) => known.push((id, ours)),
            Err(why) => imported.left(format!("rule {id}"), why),
        }
    }
    for list in file.allowlist.into_iter().chain(file.allowlists) {
        let targets = list.target_rules.clone();
        if targets.is_empty() {
            allowlist("allowlist", list, None, owner, &mut imported);
            continue;
        }
        for target in targets {
            match known.iter().find(|(id, _)| *id == target) {
                Some((_, ours)) => allowlist(&format!("allowlist for {target}"), list.copy(), Some(ours), owner, &mut imported),
                None => imported.left(format!("allowlist for {target}"), "leakstop has no rule of that name; `leakstop rules list` shows ours"),
            }
        }
    }
    for key in file.rest.keys() {
        imported.left(key.clone(), "leakstop has nothing like it");
    }
    Ok(imported)
}

fn extended(extend: &Table, imported: &mut Imported) {
    for (key, value) in extend {
        match (key.as_str(), value) {
            ("useDefault", _) => imported.changed("extend.useDefault", "leakstop's own rules always run beside yours"),
            ("disabledRules", Value::Array(rules)) => {
                for rule in rules {
                    let why = "the rules have other names here; set a level in `[rules.level]` (`leakstop rules list` shows them)";
                    imported.left(format!("disabled rule {}", rule.as_str().unwrap_or_default()), why);
                }
            }
            (key, _) => imported.left(format!("extend.{key}"), "take over the file that it names by itself"),
        }
    }
}

/// Adds a rule; gives the name it has here.
fn rule(rule: Rule, owner: &Owner<'_>, imported: &mut Imported) -> Result<String, String> {
    let what = format!("rule {}", rule.id);
    let id = kebab(&rule.id);
    let id = if rules::Rules::built_in().map_err(|e| e.to_string())?.get(&id).is_some() { format!("own-{id}") } else { id };
    if id != rule.id {
        imported.changed(&*what, format!("it is called `{id}` here"));
    }
    let paths = match rule.path.as_deref().map(path::globs) {
        Some(None) => return Err("its `path` is no expression that globs can say".to_owned()),
        Some(Some(globs)) => globs,
        None => Vec::new(),
    };
    let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let title = rule.id.replace(['-', '_'], " ");
    let risk = if rule.description.trim().is_empty() { "Whoever reads it can use it.".to_owned() } else { rule.description.clone() };
    let mut text = format!("[[rule]]\nid = {}\ntitle = {}\nrisk = {}\nseverity = \"high\"\n", quoted(&id), quoted(&title), quoted(&risk));
    if let Some(regex) = &rule.regex {
        let (regex, choice) = pattern::with_secret(regex, rule.secret_group)?;
        if choice {
            imported.changed(&*what, "it has several groups; the first one is the credential");
        }
        let keywords = keywords(&regex, &rule.keywords, &what, imported)?;
        text.push_str(&format!("keywords = [{}]\npattern = {}\n", list(&keywords), quoted(&regex)));
        if let Some(entropy) = rule.entropy {
            text.push_str("check = \"random\"\n");
            imported.changed(&*what, format!("the least entropy of {entropy} became the check `random`"));
        }
    } else if paths.is_empty() {
        return Err("it has neither `regex` nor `path`".to_owned());
    }
    if !paths.is_empty() {
        text.push_str(&format!("paths = [{}]\n", list(&paths)));
    }
    // The same proof as for any rule: what would be refused must not be written.
    let read = rules::read(&text).map_err(|mistake| mistake.why)?;
    let mut all = rules::Rules::built_in().map_err(|e| e.to_string())?;
    read.iter().try_for_each(|own| all.add("", own)).map_err(|mistake| mistake.why)?;
    imported.config.push_str(&text);
    imported.config.push('\n');
    if rule.tags.is_some() {
        imported.left(format!("{what}: tags"), "leakstop has none");
    }
    for key in rule.rest.keys() {
        imported.left(format!("{what}: {key}"), "leakstop has nothing like it");
    }
    for list in rule.allowlist.into_iter().chain(rule.allowlists) {
        allowlist(&format!("{what}: allowlist"), list, Some(&id), owner, imported);
    }
    Ok(id)
}

/// Keywords of which every match holds one: the rule's own where they are that, else some that are read from the pattern.
fn keywords(regex: &str, own: &[String], what: &str, imported: &mut Imported) -> Result<Vec<String>, String> {
    let sound = |words: &[String]| !words.is_empty() && !matches!(proof::keywords(regex, words), Ok(proof::Soundness::Refuted(_)) | Err(_));
    if own.iter().all(|word| word.len() >= SHORTEST_KEYWORD) && sound(own) {
        return Ok(own.to_vec());
    }
    let Some(words) = proof::keywords_of(regex, SHORTEST_KEYWORD).filter(|words| sound(words)) else {
        return Err("its pattern needs no fixed word, so it would have to be tried everywhere".to_owned());
    };
    let why = if own.is_empty() { "it had no keywords" } else { "not every match holds one of its keywords" };
    imported.changed(what, format!("{why}; it has {} here", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")));
    Ok(words)
}

impl Allowlist {
    fn copy(&self) -> Self {
        Self {
            description: None,
            condition: self.condition.clone(),
            paths: self.paths.clone(),
            regexes: self.regexes.clone(),
            regex_target: self.regex_target.clone(),
            stopwords: self.stopwords.clone(),
            commits: self.commits.clone(),
            target_rules: Vec::new(),
            rest: self.rest.clone(),
        }
    }
}

/// Takes over what is allowed, for one rule or for all.
fn allowlist(what: &str, list: Allowlist, rule: Option<&str>, owner: &Owner<'_>, imported: &mut Imported) {
    let _ = list.description;
    for key in list.rest.keys() {
        imported.left(format!("{what}: {key}"), "leakstop has nothing like it");
    }
    let together = list.condition.as_deref().is_some_and(|condition| condition.eq_ignore_ascii_case("and"));
    let mut missing = !list.commits.is_empty();
    for commit in &list.commits {
        imported.left(
            format!("{what}: commit {commit}"),
            "leakstop excuses findings, not commits; `leakstop baseline write --history` accepts what is there",
        );
    }
    let mut globs = Vec::new();
    for path in &list.paths {
        match path::globs(path) {
            Some(found) => globs.extend(found),
            None => {
                missing = true;
                imported.left(format!("{what}: path {path}"), "no globs say the same; write an `[[allow]]` with a `path`");
            }
        }
    }
    let target = list.regex_target.as_deref().unwrap_or("secret");
    let mut values = Vec::new();
    for regex in &list.regexes {
        let usable = regex::bytes::RegexBuilder::new(regex).unicode(false).build();
        let why = match &usable {
            _ if target != "secret" => Some(format!("it is about the {target}; leakstop judges values")),
            Err(_) => Some("it is no regular expression here".to_owned()),
            Ok(regex) if regex.is_match(b"") => Some("it matches every value".to_owned()),
            Ok(_) => None,
        };
        match why {
            Some(why) => {
                missing = true;
                imported.left(format!("{what}: regex {regex}"), why);
            }
            None => values.push(regex.clone()),
        }
    }
    let (words, short): (Vec<String>, Vec<String>) = list.stopwords.iter().cloned().partition(|word| word.trim().len() >= SHORTEST_STOPWORD);
    for word in short {
        imported.left(
            format!("{what}: stopword {word}"),
            format!("it has fewer than {SHORTEST_STOPWORD} characters and stands in real credentials by chance"),
        );
    }
    let of_rule: Vec<(&str, &str)> = rule.map(|rule| ("rule", rule)).into_iter().collect();
    if together {
        // All have to hold: what lacks a part would allow more than was meant.
        if missing {
            imported.left(what, "all of its conditions have to hold, and one could not be taken over");
            return;
        }
        let words = (!words.is_empty()).then(|| any_of(&words));
        let alternatives: Vec<&str> = values.iter().map(String::as_str).collect();
        let value = match (alternatives.is_empty(), words) {
            (true, words) => words,
            (false, None) => Some(alternatives.iter().map(|value| format!("(?:{value})")).collect::<Vec<_>>().join("|")),
            (false, Some(_)) => {
                imported.left(what, "stopwords and expressions that have to hold together cannot be said in one `value`");
                return;
            }
        };
        let places: Vec<Option<&str>> = if globs.is_empty() { vec![None] } else { globs.iter().map(|glob| Some(glob.as_str())).collect() };
        for place in places {
            let mut says = of_rule.clone();
            says.extend(value.as_deref().map(|value| ("value", value)));
            says.extend(place.map(|place| ("path", place)));
            if says.len() > of_rule.len() {
                imported.allow(&says, owner);
            }
        }
        return;
    }
    for glob in &globs {
        imported.allow(&[of_rule.as_slice(), &[("path", glob)]].concat(), owner);
    }
    for value in &values {
        imported.allow(&[of_rule.as_slice(), &[("value", value)]].concat(), owner);
    }
    match rule {
        Some(rule) if !words.is_empty() => imported.allow(&[("rule", rule), ("value", &any_of(&words))], owner),
        _ => imported.stopwords.extend(words),
    }
}

fn any_of(words: &[String]) -> String {
    format!("(?i:{})", words.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|"))
}

/// A name as ours are: words of small letters and digits.
fn kebab(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "own-rule".to_owned() } else { words.join("-") }
}
