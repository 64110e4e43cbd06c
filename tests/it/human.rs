//! Passwords as people make them are found where name and place prove the intent: `tests/corpus/human.toml` holds the recipes.

use std::collections::BTreeMap;

use leakstop::change::Part;
use leakstop::finding::Confidence;
use leakstop::rules::Rules;
use leakstop::scan::{Scanner, Text};
use serde::Deserialize;

#[derive(Deserialize)]
struct Corpus {
    lists: BTreeMap<String, Vec<String>>,
    recipe: Vec<Recipe>,
    place: Vec<Place>,
    none: Vec<Value>,
}

#[derive(Deserialize)]
struct Recipe {
    what: String,
    make: Vec<String>,
}

#[derive(Deserialize)]
struct Place {
    path: String,
    line: String,
}

#[derive(Deserialize)]
struct Value {
    value: String,
}

/// Passwords made of each recipe for each place.
const DRAWN: usize = 12;

impl Corpus {
    fn read() -> Self {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/human.toml");
        toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    /// The recipe filled in; `at` says which words are taken, so that each run makes the same.
    fn make(&self, recipe: &str, mut at: usize) -> String {
        let mut out = String::new();
        let mut rest = recipe;
        while let Some((before, after)) = rest.split_once('{') {
            let (list, after) = after.split_once('}').unwrap();
            let words = &self.lists[&list.to_lowercase()];
            let word = &words[at % words.len()];
            at = at / 3 + at * 7 + 5;
            out += before;
            match list.chars().next().filter(|first| first.is_uppercase()) {
                Some(_) => out += &(word[..1].to_uppercase() + &word[1..]),
                None => out += word,
            }
            rest = after;
        }
        out + rest
    }
}

/// The line with the word that says what its value is, in the case of the place, and the value.
fn filled(place: &Place, value: &str) -> String {
    let name = ["pass", "word"].concat();
    let capital = ["Pass", "word"].concat();
    let line = place.line.replace("WORD", &name).replace("Word", &capital);
    let shouting = line.contains("DB_") || line.contains("MYSQL_") || line.contains("ADMIN_") || line.contains("String ");
    let line = if shouting { line.replace(&name, &name.to_uppercase()) } else { line };
    format!("# settings\n{}\n", line.replace('*', value))
}

/// How sure the scanner is that the text holds a credential.
fn confidence(scanner: &Scanner<'_>, path: &str, text: &str) -> Option<Confidence> {
    let hits = scanner.scan(Text { path: path.as_bytes(), part: Part::Content, bytes: text.as_bytes() }).unwrap();
    hits.iter().map(|hit| hit.confidence).max()
}

#[test]
fn passwords_as_people_make_them_are_found_in_code_and_configuration() {
    let corpus = Corpus::read();
    let rules = Rules::built_in().unwrap();
    let scanner = Scanner::new(&rules);
    let (mut blocked, mut told, mut all) = (0, 0, 0);
    let mut missed = Vec::new();
    for recipe in &corpus.recipe {
        for (at, place) in corpus.place.iter().enumerate() {
            for drawn in 0..DRAWN {
                let made = corpus.make(&recipe.make[drawn % recipe.make.len()], drawn * 31 + at * 17);
                let found = confidence(&scanner, &place.path, &filled(place, &made));
                all += 1;
                blocked += usize::from(found >= Some(Confidence::Medium));
                told += usize::from(found.is_some());
                if found.is_none() {
                    missed.push(format!("{} in {}", recipe.what, place.path));
                }
            }
        }
    }
    let figures = format!("of {all} passwords {blocked} are blocked and {told} are told; not told: {missed:#?}");
    // Measured: 92 % and 99 %. Less is a step back.
    assert!(blocked * 100 >= all * 88 && told * 100 >= all * 96, "{figures}");
}

#[test]
fn what_only_stands_for_a_password_is_quiet() {
    let corpus = Corpus::read();
    let rules = Rules::built_in().unwrap();
    let scanner = Scanner::new(&rules);
    let mut wrong = Vec::new();
    // A tracked `.env` is a finding by itself.
    for place in corpus.place.iter().filter(|place| !place.path.ends_with(".env")) {
        for none in &corpus.none {
            if confidence(&scanner, &place.path, &filled(place, &none.value)) >= Some(Confidence::Medium) {
                wrong.push(format!("{} in {}", none.value, place.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
