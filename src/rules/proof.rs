//! Is a rule sound? Every match of its pattern has to hold a keyword: a keyword decides what is looked at, so one that a match
//! lacks would hide it.
//!
//! A pattern is first read: where all ways through it pass a keyword, that is a proof. Where reading does not tell, texts are
//! made that the pattern matches, the shortest first, and one without a keyword refutes it.

use regex::bytes::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::shape::Random;

/// What is known of a rule's keywords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// No match lacks a keyword.
    Shown,
    /// This text matches and holds none.
    Refuted(String),
    /// Neither could be shown; so many texts were tried.
    Tried(usize),
}

/// Texts made from a pattern.
const SAMPLES: usize = 120;
/// A pattern with more ways through a part than this is not followed further: reading must not cost more than trying.
const WAYS: usize = 512;
/// Without a most, a repetition is tried up to so many times more than its least.
const MORE: u32 = 8;

/// Asks whether every match of the pattern holds one of the keywords.
///
/// # Errors
/// A pattern that is no regex.
pub fn keywords(pattern: &str, keywords: &[impl AsRef<str>]) -> Result<Soundness, String> {
    let hir = parse(pattern)?;
    let keywords: Vec<String> = keywords.iter().map(|keyword| keyword.as_ref().to_ascii_lowercase()).collect();
    if always_holds(&hir, &keywords) {
        return Ok(Soundness::Shown);
    }
    let regex = super::rule::compile(Some(pattern)).map_err(|e| e.to_string())?;
    let mut tried = 0;
    for sample in samples(&hir, SAMPLES) {
        // Look-arounds count as empty where texts are made, so not every one matches.
        if !regex.as_ref().is_some_and(|regex: &Regex| regex.is_match(&sample)) {
            continue;
        }
        tried += 1;
        if !holds(&sample.to_ascii_lowercase(), &keywords) {
            return Ok(Soundness::Refuted(String::from_utf8_lossy(&sample).into_owned()));
        }
    }
    Ok(Soundness::Tried(tried))
}

/// The pattern as rules read it.
///
/// # Errors
/// A pattern that is no regex.
pub fn parse(pattern: &str) -> Result<Hir, String> {
    regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(pattern).map_err(|e| e.to_string())
}

/// Texts made from the pattern. The same pattern gives the same texts.
pub fn samples(hir: &Hir, count: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut random = Random::new(0x5bd1_e995);
    (0..count).map(move |_| {
        let mut sample = Vec::new();
        generate(hir, &mut random, &mut sample);
        sample
    })
}

/// Appends a text that the pattern matches, but for its look-arounds.
fn generate(hir: &Hir, random: &mut Random, out: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => out.extend(one_of(class, random)),
        HirKind::Repetition(repetition) => {
            // Often the least number: the shortest match is the one that lacks a keyword.
            let least = repetition.min;
            let most = repetition.max.unwrap_or(least + MORE).min(least + MORE);
            let count = if random.below(2) == 0 { least } else { least + random.below((most - least) as usize + 1) as u32 };
            (0..count).for_each(|_| generate(&repetition.sub, random, out));
        }
        HirKind::Capture(capture) => generate(&capture.sub, random, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| generate(part, random, out)),
        HirKind::Alternation(branches) => {
            if let Some(branch) = branches.get(random.below(branches.len().max(1))) {
                generate(branch, random, out);
            }
        }
    }
}

fn one_of(class: &Class, random: &mut Random) -> Option<u8> {
    let bytes = bytes_of(class);
    // A character that a person can read makes the better counterexample.
    let plain: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_graphic).collect();
    let from = if plain.is_empty() || random.below(8) == 0 { &bytes } else { &plain };
    from.get(random.below(from.len().max(1))).copied()
}

/// All bytes of a class; patterns are without Unicode.
fn bytes_of(class: &Class) -> Vec<u8> {
    match class {
        Class::Bytes(class) => class.iter().flat_map(|range| range.start()..=range.end()).collect(),
        Class::Unicode(class) => {
            let last = |end: char| u8::try_from(u32::from(end)).unwrap_or(0x7f);
            class.iter().filter(|range| range.start().is_ascii()).flat_map(|range| last(range.start())..=last(range.end())).collect()
        }
    }
}

fn holds(text: &[u8], keywords: &[String]) -> bool {
    keywords.iter().any(|keyword| memchr::memmem::find(text, keyword.as_bytes()).is_some())
}

/// True when every way through the pattern passes a keyword. False where that cannot be read from it.
fn always_holds(hir: &Hir, keywords: &[String]) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => false,
        HirKind::Literal(literal) => holds(&literal.0.to_ascii_lowercase(), keywords),
        HirKind::Repetition(Repetition { min, sub, .. }) => *min > 0 && always_holds(sub, keywords),
        HirKind::Capture(capture) => always_holds(&capture.sub, keywords),
        HirKind::Alternation(branches) => branches.iter().all(|branch| always_holds(branch, keywords)),
        HirKind::Concat(_) => {
            let mut parts = Vec::new();
            flatten(hir, &mut parts);
            // A keyword may be spread over neighbours (`(?i:key)` is three classes), so those with few texts are joined.
            let mut joined = vec![Vec::new()];
            for part in parts {
                match texts(part) {
                    Some(texts) if texts.len() * joined.len() <= WAYS => {
                        joined = joined.iter().flat_map(|start: &Vec<u8>| texts.iter().map(move |end| [start.as_slice(), end].concat())).collect();
                    }
                    _ => joined = vec![Vec::new()],
                }
                if always_holds(part, keywords) || joined.iter().all(|text| holds(text, keywords)) {
                    return true;
                }
            }
            false
        }
    }
}

/// The parts of a sequence, those of sequences and groups inside of it too.
fn flatten<'a>(hir: &'a Hir, parts: &mut Vec<&'a Hir>) {
    match hir.kind() {
        HirKind::Concat(inner) => inner.iter().for_each(|part| flatten(part, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir),
    }
}

/// All texts of a part in lower case, where they are few.
fn texts(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let mut texts = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Vec::new()],
        HirKind::Literal(literal) => vec![literal.0.to_ascii_lowercase()],
        HirKind::Class(class) => bytes_of(class).into_iter().map(|b| vec![b.to_ascii_lowercase()]).collect(),
        HirKind::Capture(capture) => return self::texts(&capture.sub),
        HirKind::Repetition(Repetition { min: 0, max: Some(1), sub, .. }) => {
            let mut texts = self::texts(sub)?;
            texts.push(Vec::new());
            texts
        }
        HirKind::Repetition(_) => return None,
        HirKind::Concat(parts) => {
            let mut joined = vec![Vec::new()];
            for part in parts {
                let texts = self::texts(part)?;
                if texts.len() * joined.len() > WAYS {
                    return None;
                }
                joined = joined.iter().flat_map(|start: &Vec<u8>| texts.iter().map(move |end| [start.as_slice(), end].concat())).collect();
            }
            joined
        }
        HirKind::Alternation(branches) => {
            let mut texts = Vec::new();
            for branch in branches {
                texts.extend(self::texts(branch)?);
            }
            texts
        }
    };
    texts.sort_unstable();
    texts.dedup();
    (texts.len() <= WAYS).then_some(texts)
}

/// Words that every match of the pattern holds one of: keywords for a rule that has none. The rarest such set that can be
/// read from the pattern; `None` where there is none of at least `least` bytes each.
pub fn keywords_of(pattern: &str, least: usize) -> Option<Vec<String>> {
    let words = needed(&parse(pattern).ok()?, least)?;
    words.into_iter().map(|word| String::from_utf8(word).ok().filter(|word| word.bytes().all(|b| b.is_ascii_graphic() || b == b' '))).collect()
}

/// More alternatives than this are no keywords but a dictionary.
const MOST_WORDS: usize = 40;

fn needed(hir: &Hir, least: usize) -> Option<Vec<Vec<u8>>> {
    let good = |texts: &Vec<Vec<u8>>| texts.len() <= MOST_WORDS && texts.iter().all(|text| text.len() >= least);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => None,
        HirKind::Literal(_) => texts(hir).filter(good),
        HirKind::Repetition(Repetition { min, sub, .. }) => needed(sub, least).filter(|_| *min > 0),
        HirKind::Capture(capture) => needed(&capture.sub, least),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(needed(branch, least)?);
            }
            all.sort_unstable();
            all.dedup();
            Some(all).filter(good)
        }
        HirKind::Concat(_) => {
            let mut parts = Vec::new();
            flatten(hir, &mut parts);
            let mut best: Option<Vec<Vec<u8>>> = None;
            let mut offer = |texts: Option<Vec<Vec<u8>>>| {
                let Some(texts) = texts.filter(good) else { return };
                let rank = |texts: &Vec<Vec<u8>>| (texts.iter().map(Vec::len).min(), std::cmp::Reverse(texts.len()));
                if best.as_ref().is_none_or(|best| rank(&texts) > rank(best)) {
                    best = Some(texts);
                }
            };
            let mut joined = vec![Vec::new()];
            for part in parts {
                offer(needed(part, least));
                match texts(part).filter(|texts| texts.len() * joined.len() <= MOST_WORDS) {
                    Some(texts) => {
                        joined = joined.iter().flat_map(|start: &Vec<u8>| texts.iter().map(move |end| [start.as_slice(), end].concat())).collect();
                        offer(Some(joined.clone()));
                    }
                    None => joined = vec![Vec::new()],
                }
            }
            best
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_shown_or_refuted() {
        let table: [(&str, &[&str], &str); 12] = [
            ("acme_[0-9a-f]{32}", &["acme_"], "shown"),
            ("(?i:acme)[_-]key[0-9]{4}", &["acme"], "shown"),
            ("(?i:acme)[_-]key[0-9]{4}", &["key"], "shown"),
            ("(?:foo|bar)_[0-9]{4}", &["foo"], "refuted"),
            ("(?:foo|bar)_[0-9]{4}", &["foo", "bar"], "shown"),
            ("(?:acme_)?[0-9a-f]{32}", &["acme_"], "refuted"),
            ("a(?:b|c)d", &["abd", "acd"], "shown"),
            ("ab?c[0-9]", &["ac", "abc"], "shown"),
            ("ab?c[0-9]", &["abc"], "refuted"),
            ("(?:ab)+", &["ab"], "shown"),
            ("(?:ab)*x", &["ab"], "refuted"),
            ("x(?<secret>(?:y|z)w)", &["xyw", "xzw"], "shown"),
        ];
        for (pattern, words, expected) in table {
            let told = match keywords(pattern, words).unwrap() {
                Soundness::Shown => "shown",
                Soundness::Refuted(text) => {
                    assert!(words.iter().all(|word| !text.contains(word)), "{text}");
                    "refuted"
                }
                Soundness::Tried(_) => "tried",
            };
            assert_eq!(told, expected, "{pattern} {words:?}");
        }
    }

    #[test]
    fn keywords_are_found_for_a_pattern_that_has_none() {
        for (pattern, expected) in [
            (r"\b(acme_[0-9a-f]{32})\b", Some("acme_")),
            (r"(?i)[\w.-]{0,50}?(?:beamer)(?:[ \t\w.-]{0,20})=(b_[a-z0-9=_\-]{44})", Some("beamer")),
            (r"(?:one|two)[0-9]{4}", Some("one two")),
            (r"[0-9a-f]{32}", None),
            (r"(?:longest|x)[0-9]{4}", None),
        ] {
            assert_eq!(keywords_of(pattern, 3).map(|words| words.join(" ")).as_deref(), expected, "{pattern}");
            if let Some(words) = keywords_of(pattern, 3) {
                assert_eq!(keywords(pattern, &words), Ok(Soundness::Shown), "{pattern}");
            }
        }
    }

    #[test]
    fn samples_match_their_pattern() {
        let pattern = r"(?i:key|token)[ \t]{0,3}[:=][^\s]{4,9}(?:z|\z)";
        let regex = crate::rules::rule::compile(Some(pattern)).unwrap().unwrap();
        for sample in samples(&parse(pattern).unwrap(), 200) {
            assert!(regex.is_match(&sample), "{:?}", String::from_utf8_lossy(&sample));
        }
    }
}
