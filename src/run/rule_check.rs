//! The story of `rules check`: does each rule of the user's own prove itself? It has to be usable, to find its examples and
//! none of its counterexamples, and to cost no more than ours do.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::change::Part;
use crate::cli::Global;
use crate::config::{self, Config, ConfigError};
use crate::judge::Status;
use crate::rules::proof::{self, Soundness};
use crate::rules::{self, Mistake, OwnRule, RuleFile, RuleText, Rules, SOURCES, shape};
use crate::scan::{Scanner, Text};

use super::output::print;
use super::{Failure, layers, settings};

/// Each example is filled in so often, each time with other characters.
const SEEDS: u64 = 6;
/// Where an example stands that asks for no path. Its ending belongs to no language.
const NEUTRAL_PATH: &str = "notes/example";

/// Checks the rules of one file, or of all files that apply here.
pub(super) fn check(file: Option<&Path>, global: &Global) -> Result<Status, Failure> {
    let files = match file {
        Some(file) => vec![Source::read(file)?],
        None => settings::files_here(global).iter().map(|file| Source::read(file)).collect::<Result<_, _>>()?,
    };
    let mut sheet = Sheet { text: String::new(), wrong: 0, rules: 0 };
    let mut all = Rules::built_in()?;
    let languages: BTreeSet<String> = all.all().iter().flat_map(|rule| rule.text().languages.iter().map(ToString::to_string)).collect();
    let mut usable = Vec::new();
    for source in &files {
        for own in &source.rules {
            sheet.rules += 1;
            match all.add(&source.name, own) {
                Ok(()) => usable.push((source, own)),
                Err(mistake) => sheet.wrong(source, own, &[mistake], &[]),
            }
        }
    }
    let yardstick = if usable.is_empty() { None } else { Some(Yardstick::new()?) };
    for (source, own) in usable {
        let proof = Proof { own, all: &all, languages: &languages };
        let (wrong, mut doubts, mut said) = proof.examples()?;
        doubts.extend(proof.keywords()?);
        if let Some(yardstick) = &yardstick {
            let (cost, dear) = yardstick.measure(own)?;
            said.push_str(&cost);
            doubts.extend(dear);
        }
        if wrong.is_empty() {
            sheet.good(source, own, &doubts, &said);
        } else {
            sheet.wrong(source, own, &wrong, &doubts);
        }
    }
    let status = if sheet.wrong > 0 { Status::Blocked } else { Status::Clean };
    let verdict = match (sheet.rules, sheet.wrong) {
        (0, _) => "no rules of your own here; `config.example.toml` shows how one looks".to_owned(),
        (rules, 0) => format!("{rules} of {rules} rules hold"),
        (rules, wrong) => format!("{} of {rules} rules hold, {wrong} do not", rules - wrong),
    };
    print(&format!("{}leakstop: {verdict}\n", sheet.text))?;
    Ok(status)
}

/// A file with rules.
struct Source {
    name: String,
    text: String,
    rules: Vec<OwnRule>,
}

impl Source {
    /// Reads a configuration, or a file of rules like ours, which begins with a family.
    fn read(file: &Path) -> Result<Self, Failure> {
        let name = file.display().to_string();
        let bytes = layers::read(file).map_err(|source| ConfigError::Read { file: name.clone(), source })?;
        let text = String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned();
        let is_configuration = !text.lines().take_while(|line| !line.starts_with('[')).any(|line| line.starts_with("family"));
        let rules = if is_configuration {
            config::parse(&name, &bytes)?.own
        } else {
            // Unknown keys beside the rules are a mistake there, too.
            let read = toml::from_str::<RuleFile<'_>>(&text);
            let read = read.map_err(|e| Mistake { at: e.span().map_or(0, |span| span.start), why: e.message().replace('\n', " ") });
            read.and_then(|_| rules::read(&text)).map_err(|mistake| Config::mistake_in_text(&name, &text, mistake))?
        };
        Ok(Self { name, text, rules })
    }

    fn place(&self, at: usize) -> String {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        format!("{}:{}:{}", self.name, memchr::memchr_iter(b'\n', before).count() + 1, before.len() - line_start + 1)
    }
}

/// What is told.
struct Sheet {
    text: String,
    wrong: usize,
    rules: usize,
}

impl Sheet {
    fn good(&mut self, source: &Source, own: &OwnRule, doubts: &[Mistake], said: &str) {
        let word = if doubts.is_empty() { "good" } else { "weak" };
        let place = source.place(own.mistake("", String::new()).at);
        self.text.push_str(&format!("{word:<8} {}  {place}\n         {said}\n", own.text().id));
        self.lines(source, doubts);
    }

    fn wrong(&mut self, source: &Source, own: &OwnRule, wrong: &[Mistake], doubts: &[Mistake]) {
        self.wrong += 1;
        let place = source.place(own.mistake("", String::new()).at);
        self.text.push_str(&format!("{:<8} {}  {place}\n", "wrong", own.text().id));
        self.lines(source, wrong);
        self.lines(source, doubts);
    }

    fn lines(&mut self, source: &Source, mistakes: &[Mistake]) {
        for mistake in mistakes {
            self.text.push_str(&format!("         {}: {}\n", source.place(mistake.at), mistake.why));
        }
    }
}

/// The proof of one rule.
struct Proof<'a> {
    own: &'a OwnRule,
    all: &'a Rules,
    languages: &'a BTreeSet<String>,
}

impl Proof<'_> {
    /// What is wrong, what is doubtful, and what holds.
    fn examples(&self) -> Result<(Vec<Mistake>, Vec<Mistake>, String), Failure> {
        let text = self.own.text();
        let alone = alone(self.own)?;
        let alone = Scanner::new(&alone);
        let among_all = Scanner::new(self.all);
        let (mut wrong, mut doubts) = (Vec::new(), Vec::new());
        for (at, example) in text.examples.iter().enumerate() {
            for filled in (0..SEEDS).map(|seed| shape::fill(example, seed)) {
                if found(&alone, text, &filled)?.is_empty() {
                    wrong.push(self.own.mistake("examples", format!("example {} is not found", at + 1)));
                    break;
                }
                let others = found(&among_all, text, &filled)?;
                if !others.iter().any(|id| id == text.id.as_ref()) {
                    let by = others.into_iter().next().unwrap_or_else(|| "nobody".to_owned());
                    doubts.push(self.own.mistake("examples", format!("example {} is reported by `{by}` instead, which knows it too", at + 1)));
                    break;
                }
            }
        }
        for (at, counterexample) in text.counterexamples.iter().enumerate() {
            let hit = (0..SEEDS).map(|seed| shape::fill(counterexample, seed)).map(|filled| found(&alone, text, &filled));
            if hit.collect::<Result<Vec<_>, _>>()?.iter().any(|ids| !ids.is_empty()) {
                wrong.push(self.own.mistake("counterexamples", format!("counterexample {} is found", at + 1)));
            }
        }
        if text.examples.is_empty() {
            doubts.push(self.own.mistake("", "it has no `examples`: nothing shows that it finds anything".to_owned()));
        }
        for language in text.languages.iter().filter(|language| !self.languages.contains(language.as_ref())) {
            doubts.push(self.own.mistake("languages", format!("no rule of ours knows the language `{language}`; perhaps nothing is in it")));
        }
        let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let said = format!("{}, {}", count(text.examples.len(), "example"), count(text.counterexamples.len(), "counterexample"));
        Ok((wrong, doubts, said))
    }

    /// What speaks against its keywords and its pattern, read from them.
    fn keywords(&self) -> Result<Vec<Mistake>, Failure> {
        let text = self.own.text();
        let mut doubts = Vec::new();
        for short in text.keywords.iter().filter(|keyword| keyword.len() < 3) {
            doubts.push(self.own.mistake("keywords", format!("the keyword `{short}` has fewer than 3 bytes and stands everywhere")));
        }
        let Some(rule) = self.all.get(&text.id) else { return Ok(doubts) };
        let Some(pattern) = rule.text().pattern.as_deref().filter(|_| !text.keywords.is_empty()) else { return Ok(doubts) };
        if let Ok(Soundness::Tried(times)) = proof::keywords(pattern, &text.keywords) {
            let why = format!("it could not be shown that every match holds a keyword; none of {times} made from `pattern` lacked one");
            doubts.push(self.own.mistake("keywords", why));
        }
        if rule.reach().is_none() {
            let why = "`pattern` has a repetition without a most (`*`, `+`, `{3,}`): each file with a keyword is read from its start to its end";
            doubts.push(self.own.mistake("pattern", why.to_owned()));
        }
        Ok(doubts)
    }
}

/// A set with this rule alone.
fn alone(own: &OwnRule) -> Result<Rules, Failure> {
    let mut rules = Rules::built_in()?;
    rules.retain(|_| false);
    // It could be added to all others, so it can be added to none.
    rules.add("", own).map_err(|mistake| Failure::Usage { why: mistake.why, hint: "mend the rule" })?;
    Ok(rules)
}

/// The rules that find something in an example: a text, or the path where the rule has no pattern.
fn found(scanner: &Scanner<'_>, rule: &RuleText<'_>, example: &str) -> Result<BTreeSet<String>, Failure> {
    let hits = if rule.pattern.is_none() && rule.keywords.is_empty() {
        scanner.scan_path(example.as_bytes())
    } else {
        let path = rule.example_path.as_deref().unwrap_or(NEUTRAL_PATH).as_bytes();
        scanner.scan(Text { path, part: Part::Content, bytes: example.as_bytes() })?
    };
    Ok(hits.iter().map(|hit| hit.rule.id().to_owned()).collect())
}

/// How long rules take, beside each other, on two texts: ordinary source, and one made to keep this very rule busy.
struct Yardstick {
    ordinary: Vec<u8>,
    /// What it takes when nothing is looked for.
    nothing: Duration,
    /// The dearest of ours, for each megabyte.
    ours: Duration,
}

/// So many of our rules are measured, evenly spread: enough to know what is usual.
const MEASURED: usize = 12;
/// A text is scanned until this much time went by: some ticks of the scheduler, which is as exact as its time is.
const LONG_ENOUGH: Duration = Duration::from_millis(30);
/// More runs make nothing more exact.
const MOST_RUNS: u32 = 200;
/// A rule may take so many times what the dearest of ours takes before it is called slow.
const DEAR: u32 = 4;
/// Below this for each megabyte nobody notices.
const CHEAP: Duration = Duration::from_millis(2);
/// What takes less for the busy text does not grow with its square.
const HEAVY: Duration = Duration::from_millis(50);
/// Bytes of the busy text.
const BUSY: usize = 64 << 10;

impl Yardstick {
    fn new() -> Result<Self, Failure> {
        // Our own rules are text about credentials in fifty languages: no text holds more keywords. A part of it is enough.
        let lines = SOURCES.iter().flat_map(|(_, text)| text.lines()).step_by(6);
        let ordinary: Vec<u8> = lines.flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
        let mut yardstick = Self { nothing: nothing(&ordinary)?, ordinary, ours: Duration::ZERO };
        let ids: Vec<String> =
            Rules::built_in()?.all().iter().filter(|rule| rule.text().pattern.is_some()).map(|rule| rule.id().to_owned()).collect();
        for id in ids.iter().step_by((ids.len() / MEASURED).max(1)) {
            let mut rules = Rules::built_in()?;
            rules.retain(|rule| rule.id() == id);
            yardstick.ours = yardstick.ours.max(yardstick.for_each_megabyte(&rules)?);
        }
        Ok(yardstick)
    }

    /// What the rule costs in words, and whether that is too much.
    fn measure(&self, own: &OwnRule) -> Result<(String, Vec<Mistake>), Failure> {
        let rules = alone(own)?;
        let cost = self.for_each_megabyte(&rules)?;
        let busy = busy_text(own, &rules);
        let times = [4, 2, 1].map(|part| &busy[..busy.len() / part]).map(|text| once(&rules, text, nothing(text)?));
        let [quarter, half, whole] = times;
        let (quarter, half, whole) = (quarter?, half?, whole?);
        let told = |cost: Duration| format!("{:.1} ms", cost.as_secs_f64() * 1e3);
        let said = format!("; {} for a megabyte of text (the dearest of ours: {})", told(cost), told(self.ours));
        let mut dear = Vec::new();
        if cost > CHEAP && cost > self.ours * DEAR {
            dear.push(self.own_keywords(own, format!("it takes {} for a megabyte of text, {DEAR} times the dearest of ours and more", told(cost))));
        }
        // What doubles with the text is fair; what grows with its square takes four times as long.
        if whole > HEAVY && whole > half * 3 && half > quarter * 3 {
            let why = format!(
                "a text of beginnings of matches takes {} for {} kB, {} for the double and {} for that doubled",
                told(quarter),
                BUSY >> 12,
                told(half),
                told(whole)
            );
            dear.push(own.mistake("pattern", why));
        }
        Ok((said, dear))
    }

    fn for_each_megabyte(&self, rules: &Rules) -> Result<Duration, Failure> {
        Ok(once(rules, &self.ordinary, self.nothing)?.mul_f64(f64::from(1 << 20) / self.ordinary.len().max(1) as f64))
    }

    fn own_keywords(&self, own: &OwnRule, why: String) -> Mistake {
        let lower = self.ordinary.to_ascii_lowercase();
        let count = |keyword: &str| memchr::memmem::find_iter(&lower, keyword.to_ascii_lowercase().as_bytes()).count();
        let commonest = own.text().keywords.iter().map(|keyword| (count(keyword), keyword)).max();
        match commonest {
            Some((times, keyword)) if times > 0 => own.mistake("keywords", format!("{why}; the keyword `{keyword}` stands {times} times in it")),
            _ => own.mistake("pattern", why),
        }
    }
}

/// What hardly matches: the beginnings of matches, over and over.
fn busy_text(own: &OwnRule, rules: &Rules) -> Vec<u8> {
    let pattern = rules.get(&own.text().id).and_then(|rule| rule.text().pattern.as_deref());
    let mut text = Vec::with_capacity(BUSY);
    if let Some(hir) = pattern.and_then(|pattern| proof::parse(pattern).ok()) {
        let samples: Vec<Vec<u8>> = proof::samples(&hir, 16).collect();
        if samples.iter().any(|sample| sample.len() > 1) {
            for sample in samples.iter().cycle() {
                text.extend_from_slice(&sample[..sample.len() - sample.len().min(2)]);
                if text.len() >= BUSY {
                    break;
                }
                // A sample of two bytes adds nothing; the next one does.
                text.push(b' ');
            }
        }
    }
    text
}

/// What the rules take for a text, beyond what it takes when nothing is looked for in it.
fn once(rules: &Rules, bytes: &[u8], nothing: Duration) -> Result<Duration, Failure> {
    Ok(time(rules, bytes)?.saturating_sub(nothing))
}

/// What a text takes in which nothing is looked for.
fn nothing(bytes: &[u8]) -> Result<Duration, Failure> {
    let mut none = Rules::built_in()?;
    none.retain(|_| false);
    time(&none, bytes)
}

fn time(rules: &Rules, bytes: &[u8]) -> Result<Duration, Failure> {
    let path = rules.all().first().and_then(|rule| rule.text().example_path.as_deref()).unwrap_or(NEUTRAL_PATH).as_bytes();
    let scanner = Scanner::new(rules);
    let text = Text { path, part: Part::Content, bytes };
    scanner.scan(text)?; // what is made at the first use is no part of it
    let clock = Clock::new();
    for runs in 1..=MOST_RUNS {
        scanner.scan(text)?;
        let elapsed = clock.elapsed();
        if elapsed > LONG_ENOUGH || runs == MOST_RUNS {
            return Ok(elapsed / runs);
        }
    }
    Ok(Duration::ZERO)
}

/// Time that this thread computed, where the system tells it, so that other work on the machine slows no rule down; else time
/// that passed.
struct Clock {
    started: Instant,
    computed: Option<Duration>,
}

impl Clock {
    fn new() -> Self {
        Self { started: Instant::now(), computed: Self::computed() }
    }

    /// The first number is in nanoseconds, and a tick of the scheduler old at most.
    fn computed() -> Option<Duration> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }

    fn elapsed(&self) -> Duration {
        let computed = self.computed.zip(Self::computed()).map(|(before, now)| now.saturating_sub(before));
        computed.unwrap_or_else(|| self.started.elapsed())
    }
}
