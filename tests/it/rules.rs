//! Every rule proves itself: its words, its examples, its counterexamples, its keywords.

use std::collections::{BTreeMap, BTreeSet};

use leakstop::change::Part;
use leakstop::finding::{Confidence, Family, Severity};
use leakstop::rules::{Check, RuleFile, RuleText, Rules, SOURCES, shape};
use leakstop::scan::{Scanner, Text};
use regex_syntax::hir::{Class, Hir, HirKind};

/// An example is filled in this often, each time with other characters.
const SEEDS: u64 = 6;
/// Strings made from each pattern for the proof of its keywords.
const SAMPLES: usize = 60;
/// Where an example stands that asks for no path. Its ending belongs to no language.
const NEUTRAL_PATH: &str = "notes/example";

/// Patterns without a longest match, each with its reason: such a rule reads the whole text once.
const WITHOUT_BOUND: &[(&str, &str)] = &[("jwt", "the payload of a token may hold any number of claims, and one cut short would not decode")];

/// Every rule of the folder with the name of its file.
fn all() -> Vec<(&'static str, &'static str, RuleText<'static>, Vec<String>)> {
    let mut all = Vec::new();
    for (file, text) in SOURCES.iter() {
        let parsed: RuleFile<'static> = toml::from_str(text).unwrap_or_else(|e| panic!("{file}: {e}"));
        let fix: &'static str = String::leak(parsed.fix.to_string());
        let shared: Vec<String> = parsed.standards.iter().map(ToString::to_string).collect();
        all.extend(parsed.rule.into_iter().map(|rule| (file.as_str(), fix, rule, shared.clone())));
    }
    all
}

/// Fails with all complaints at once, so that one run shows the whole work.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn is_sentence(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('.') && text.starts_with(|c: char| c.is_uppercase() || c == '`') && !text.contains('\n')
}

#[test]
fn every_rule_says_what_it_is_and_what_to_do() {
    let mut complaints = Vec::new();
    let mut ids = BTreeMap::new();
    for (file, fix, rule, shared) in all() {
        let mut wrong = |what: &str| complaints.push(format!("{file}: {}: {what}", rule.id));
        let kebab = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !rule.id.split('-').all(kebab) {
            wrong("the id is not kebab case");
        }
        if rule.title.len() < 8 || rule.title.ends_with('.') || !rule.title.starts_with(|c: char| c.is_alphanumeric() || c == '`' || c == '.') {
            wrong("the title is no short phrase");
        }
        if !is_sentence(&rule.risk) {
            wrong("the risk is no sentence");
        }
        if !is_sentence(if rule.fix.is_empty() { fix } else { &rule.fix }) {
            wrong("the fix is no sentence");
        }
        if rule.rotate.as_deref().is_some_and(|page| !page.starts_with("https://") || page.contains(' ')) {
            wrong("the page to rotate is no https address");
        }
        let standards: BTreeSet<&str> = shared.iter().map(String::as_str).chain(rule.standards.iter().map(AsRef::as_ref)).collect();
        if !standards.iter().any(|standard| standard.starts_with("CWE-")) {
            wrong("no CWE among its standards");
        }
        if rule.examples.is_empty() {
            wrong("no example");
        }
        if rule.counterexamples.is_empty() {
            wrong("no counterexample");
        }
        if let Some(before) = ids.insert(rule.id.clone(), file) {
            wrong(&format!("the id is taken in {before}"));
        }
    }
    none(complaints);
}

#[test]
fn every_example_is_found_by_its_rule_and_never_lost_among_all_others() {
    let rules = Rules::built_in().unwrap();
    let scanner = Scanner::new(&rules);
    let mut complaints = Vec::new();
    for (file, _, rule, _) in all() {
        let alone = alone(&rule.id);
        let scanner_alone = Scanner::new(&alone);
        for example in &rule.examples {
            for seed in 0..SEEDS {
                let filled = shape::fill(example, seed);
                let by_itself = found_in(&scanner_alone, &rule, &filled);
                // Among all rules one that knows more of the same place may speak for it.
                let among_all = found_in(&scanner, &rule, &filled);
                if by_itself.is_empty() || among_all.is_empty() {
                    complaints.push(format!("{file}: {}: seed {seed} of `{example}`: alone {by_itself:?}, among all {among_all:?}", rule.id));
                    break;
                }
            }
        }
    }
    none(complaints);
}

#[test]
fn every_rule_for_handling_files_and_access_shows_a_safe_form_that_it_does_not_find() {
    let mut complaints = Vec::new();
    for (file, text) in SOURCES.iter() {
        let parsed: RuleFile<'static> = toml::from_str(text).unwrap();
        if parsed.family == Family::Secret {
            continue;
        }
        if parsed.about.len() < 150 {
            complaints.push(format!("{file}: it does not say what its rules have in common"));
        }
        for rule in parsed.rule {
            let Some(after) = rule.after.as_deref() else {
                complaints.push(format!("{file}: {}: no safe form", rule.id));
                continue;
            };
            let path_alone = rule.pattern.is_none();
            let rules = alone(&rule.id);
            if !path_alone && !found_in(&Scanner::new(&rules), &rule, &shape::fill(after, 1)).is_empty() {
                complaints.push(format!("{file}: {}: it finds its own safe form `{after}`", rule.id));
            }
        }
    }
    none(complaints);
}

#[test]
fn no_counterexample_is_found_by_its_rule() {
    let rules = Rules::built_in().unwrap();
    let mut complaints = Vec::new();
    for (file, _, rule, _) in all() {
        // Alone, so that no other rule takes the finding and hides the mistake.
        let alone = alone(&rule.id);
        let scanner = Scanner::new(&alone);
        for counterexample in &rule.counterexamples {
            for seed in 0..SEEDS {
                if !found_in(&scanner, &rule, &shape::fill(counterexample, seed)).is_empty() {
                    complaints.push(format!("{file}: {}: found in seed {seed} of `{counterexample}`", rule.id));
                    break;
                }
            }
        }
    }
    assert!(!rules.all().is_empty());
    none(complaints);
}

/// One rule without the others.
fn alone(id: &str) -> Rules {
    let mut rules = Rules::built_in().unwrap();
    rules.retain(|other| other.id() == id);
    rules
}

/// The ids of the rules that find something in an example of `rule`: a text, or the path where the rule has no pattern.
fn found_in<'r>(scanner: &Scanner<'r>, rule: &RuleText<'_>, example: &str) -> BTreeSet<&'r str> {
    // These compare two files or look at one whole; their scenes stand in `across.rs` and `forms.rs`, their examples are the paths they look at.
    if matches!(rule.check, Some(Check::IgnoreLost | Check::OwnValue | Check::KeyStore)) {
        return scanner.rule_with(rule.check.unwrap()).filter(|rule| rule.applies_to(example.as_bytes())).map(|rule| rule.id()).into_iter().collect();
    }
    let path_alone = rule.pattern.is_none() && rule.keywords.is_empty();
    let hits = if path_alone {
        scanner.scan_path(example.as_bytes())
    } else {
        let path = rule.example_path.as_deref().unwrap_or(NEUTRAL_PATH).as_bytes();
        scanner.scan(Text { path, part: Part::Content, bytes: example.as_bytes() }).unwrap()
    };
    hits.iter().map(|hit| hit.rule.id()).collect()
}

#[test]
fn every_match_of_a_pattern_holds_a_keyword_and_the_signs_that_are_asked_for_first() {
    let rules = Rules::built_in().unwrap();
    let mut complaints = Vec::new();
    for rule in rules.all() {
        let (Some(pattern), false) = (&rule.text().pattern, rule.text().keywords.is_empty()) else { continue };
        let hir = hir_of(pattern);
        let keywords: Vec<String> = rule.text().keywords.iter().map(|keyword| keyword.to_ascii_lowercase()).collect();
        let mut random = Random(rule.id().bytes().fold(0x9e37_79b9_7f4a_7c15, |seed, b| (seed ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)));
        for _ in 0..SAMPLES {
            let mut sample = Vec::new();
            generate(&hir, &mut random, &mut sample);
            if !rule.may_match(&sample) {
                complaints.push(format!("{}: given up before its pattern is tried: {:?}", rule.id(), String::from_utf8_lossy(&sample)));
                break;
            }
            let text = String::from_utf8_lossy(&sample).to_ascii_lowercase();
            if !keywords.iter().any(|keyword| text.contains(keyword)) {
                complaints.push(format!("{}: no keyword in {:?}", rule.id(), String::from_utf8_lossy(&sample)));
                break;
            }
        }
    }
    none(complaints);
}

#[test]
fn every_pattern_compiles_and_has_a_longest_match_or_a_reason() {
    let rules = Rules::built_in().unwrap();
    let mut complaints = Vec::new();
    for rule in rules.all() {
        if let Err(e) = rule.regex() {
            complaints.push(e.to_string());
        }
        let excused = WITHOUT_BOUND.iter().any(|(id, _)| *id == rule.id());
        let needs_bound = rule.text().pattern.is_some() && !rule.text().keywords.is_empty();
        if needs_bound && rule.reach().is_none() && !excused {
            complaints.push(format!("{}: its matches have no bound", rule.id()));
        }
        if excused && rule.reach().is_some() {
            complaints.push(format!("{}: it has a bound and needs no reason", rule.id()));
        }
    }
    none(complaints);
}

#[test]
fn the_files_of_the_rules_hold_nothing_that_they_would_block() {
    let rules = Rules::built_in().unwrap();
    let scanner = Scanner::new(&rules);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut complaints = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for hit in scanner.scan(Text { path: name.as_bytes(), part: Part::Content, bytes: &bytes }).unwrap() {
            let line = hit.span.map_or(0, |span| span.line);
            // Examples of unsafe code are unsafe code; `.leakstop.toml` allows them here.
            if hit.rule.text().severity > Severity::Low
                && hit.rule.family() == Family::Secret
                && !hit.rule.text().yields
                && hit.confidence > Confidence::Low
            {
                complaints.push(format!("{name}:{line}: {}", hit.rule.id()));
            }
        }
    }
    none(complaints);
}

fn hir_of(pattern: &str) -> Hir {
    regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(pattern).unwrap()
}

/// Appends a text that the pattern matches. Look-arounds count as empty: that makes more texts than match, never fewer.
fn generate(hir: &Hir, random: &mut Random, out: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => out.extend(one_of(class, random)),
        HirKind::Repetition(repetition) => {
            // Often the least number: the shortest match is the one that lacks a keyword.
            let least = repetition.min;
            let most = repetition.max.unwrap_or(least + 8).min(least + 8);
            let count = if random.below(2) == 0 { least } else { least + random.below(u64::from(most - least) + 1) as u32 };
            (0..count).for_each(|_| generate(&repetition.sub, random, out));
        }
        HirKind::Capture(capture) => generate(&capture.sub, random, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| generate(part, random, out)),
        HirKind::Alternation(branches) => generate(&branches[random.below(branches.len() as u64) as usize], random, out),
    }
}

fn one_of(class: &Class, random: &mut Random) -> Option<u8> {
    let ranges: Vec<(u8, u8)> = match class {
        Class::Bytes(bytes) => bytes.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Unicode(_) => panic!("patterns are without Unicode"),
    };
    let size: u64 = ranges.iter().map(|(start, end)| u64::from(end - start) + 1).sum();
    let mut at = random.below(size.max(1));
    for (start, end) in ranges {
        let length = u64::from(end - start) + 1;
        if at < length {
            return Some(start + at as u8);
        }
        at -= length;
    }
    None
}

#[test]
fn the_generator_of_samples_makes_texts_that_match() {
    let pattern = r"(?i:key|token)[ \t]{0,3}[:=][^\s]{4,9}(?:z|\z)";
    let regex = regex::bytes::RegexBuilder::new(pattern).unicode(false).build().unwrap();
    let mut random = Random(7);
    for _ in 0..200 {
        let mut sample = Vec::new();
        generate(&hir_of(pattern), &mut random, &mut sample);
        assert!(regex.is_match(&sample), "{:?}", String::from_utf8_lossy(&sample));
    }
}

/// xorshift64*: samples need variety, not secrecy.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

#[test]
fn a_rule_is_shown_with_what_its_class_looks_for_a_before_and_an_after() {
    let page = crate::support::Repo::new().leakstop(&["rules", "show", "ci-echo-secret"]).expect(0).out;
    for part in ["\nabout     These rules look at pipelines", "\nlevel     by default it blocks", "\nbefore\n", "\nafter\n", "CSF-2.0:PR.PS-06"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (before, after) = page.split_once("\nafter\n").unwrap();
    assert!(before.contains("echo \"token ${{ secrets.API_TOKEN }}\"") && !after.contains("echo"), "{page}");
    // A rule for a vendor's credential says how to be rid of it; its examples are shapes, which say nothing.
    let page = crate::support::Repo::new().leakstop(&["rules", "show", "github-pat-classic"]).expect(0).out;
    assert!(page.contains("\nrevoke ") && !page.contains("before"), "{page}");
}
