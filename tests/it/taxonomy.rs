//! Which of our rules covers which kind of unsafe handling, in every language it occurs in: `tests/corpus/taxonomy.toml`.
//!
//! Each case of the table is a text that must be found, by the rules it names and no others, and the text nearest to it that
//! must not be found by any.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use leakstop::finding::Family;
use leakstop::rules::{Rules, shape};
use serde::Deserialize;

use crate::support::Repo;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
    /// Rules beyond the kinds of the table, one text each that is found and one that is not.
    beyond: Vec<Case>,
}

/// One kind of unsafe handling.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    /// What is unsafe, in a few words.
    what: String,
    /// `block` or `warn`: what it does where nothing else is said.
    level: String,
    cases: Vec<Case>,
    /// Modules of these tests that show what takes more than one file or version.
    #[serde(default)]
    also: Vec<String>,
}

/// Language or format, path (and another one for what is not found), verdicts and rules, what is found, what is not.
#[derive(Clone, Deserialize)]
struct Case(String, String, String, String, String);

impl Case {
    /// Verdict and rule of each finding that is asked for; the row's level where it names none.
    fn said(&self, level: &str) -> BTreeSet<String> {
        let one = |word: &str| match word.split_once(':') {
            Some((level, rule)) => format!("{level} {rule}"),
            None => format!("{level} {word}"),
        };
        self.2.split_ascii_whitespace().map(one).collect()
    }
}

/// All kinds: leaving one out of the table is a mistake.
const KINDS: &str = "L-ENV-FALLBACK L-DOTENV-COMMITTED L-HOME-FILE L-KEY-FILE-RELATIVE \
    D-PROVIDER-TOKEN D-HARDCODED D-HARDCODED-ARG D-DEFAULT-ARG D-CONFIG-DEFAULT D-CONFIG-FILE D-FRAMEWORK-KEY D-JWT-SECRET D-CONN-STRING \
    D-STATIC-CLOUD-KEY G-LOG-SECRET G-DUMP-ENV G-LOG-HEADERS G-SET-X S-LOCALSTORAGE S-WRITE-REPO S-WORLD-READABLE \
    T-URL-TOKEN T-URL-USERINFO T-TLS-OFF T-SSH-HOSTKEY T-JWT-UNVERIFIED P-CLI-SECRET P-PUBLIC-ENV P-K8S-ENV \
    B-ARG-SECRET B-ENV-SECRET B-COPY-SECRET-FILE B-RUN-SECRET B-COMPOSE-LITERAL B-PKG-AUTH \
    C-ECHO-SECRET C-SECRET-IN-RUN C-TOJSON-SECRETS C-SECRETS-INHERIT C-WRITE-ALL C-STATIC-CLOUD-KEY C-PRT-CHECKOUT C-CONTAINER-CREDS \
    I-K8S-SECRET I-CONFIGMAP-SECRET I-VAR-DEFAULT I-PROVIDER-STATIC I-RESOURCE-PASSWORD I-OUTPUT-SENSITIVE I-ENV-CREDS \
    I-ACCESS-KEY-RESOURCE I-IAM-WILDCARD I-ADMIN-POLICY I-GCP-BROAD I-AZURE-OWNER I-K8S-RBAC I-OIDC-TRUST \
    A-MCP-INLINE A-PROMPT-SECRET A-PROMPT-READ-CREDS A-AGENT-PERMS A-NOTEBOOK-OUTPUT A-TRANSCRIPT \
    F-DOTENV F-PRIVATE-KEY F-TFSTATE F-CLOUD-CRED F-TOOL-CRED F-KEYSTORE F-UNIGNORE";

/// What shows only beside another version or the developer's own file is shown in `across.rs`, key stores by their bytes in
/// `forms.rs`.
const ELSEWHERE: [&str; 4] = ["dotenv-committed", "file-ignore-lost", "file-example-real-value", "file-key-store-content"];

/// All languages and formats in which handling is looked at: each has a case.
const LANGUAGES: &str = "python javascript typescript jsx vue svelte go java kotlin scala csharp ruby php rust swift shell powershell sql \
    dockerfile compose github action gitlab azure jenkins circleci kubernetes helm kustomize terraform cloudformation bicep arm ansible \
    pulumi package notebook assistant";

fn table() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/taxonomy.toml");
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_kind_is_found_in_every_language_and_its_nearest_look_alike_is_not() {
    let table = table();
    let rows = table.row.iter().flat_map(|row| row.cases.iter().map(|case| (row.id.as_str(), row.level.as_str(), case)));
    let cases: Vec<_> = rows.chain(table.beyond.iter().map(|case| ("beyond", "block", case))).collect();
    let repo = Repo::new();
    for (at, (_, _, case)) in cases.iter().enumerate() {
        let (path, other) = case.1.split_once(' ').unwrap_or((&case.1, &case.1));
        for (kind, path, text) in [("a", path, &case.3), ("b", other, &case.4)] {
            repo.write(&format!("{kind}/{at}/{path}"), shape::fill(text, at as u64 + 1));
        }
    }
    repo.git(&["add", "--force", "."]).expect(0);
    let report = repo.report(&["scan", "--staged"], 1);
    let mut found: BTreeMap<(String, usize), BTreeSet<String>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let word = |key: &str| finding[key].as_str().unwrap();
        let mut parts = word("path").splitn(3, '/');
        let place = (parts.next().unwrap().to_owned(), parts.next().unwrap().parse().unwrap());
        found.entry(place).or_default().insert(format!("{} {}", word("verdict"), word("rule")));
    }
    let none = BTreeSet::new();
    let mut wrong = Vec::new();
    for (at, (id, level, case)) in cases.iter().enumerate() {
        let of = |kind: &str| found.get(&(kind.to_owned(), at)).unwrap_or(&none);
        if *of("a") != case.said(level) {
            wrong.push(format!("{id} {} {} #{at}: asked for {:?}, found {:?}", case.0, case.1, case.said(level), of("a")));
        }
        if !of("b").is_empty() {
            wrong.push(format!("{id} {} {} #{at}: the look-alike is found: {:?}", case.0, case.1, of("b")));
        }
    }
    assert!(wrong.is_empty(), "{} cases of {} are judged otherwise:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_kind_and_every_language_stands_in_the_table() {
    let table = table();
    let kinds: Vec<_> = table.row.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(kinds, KINDS.split_ascii_whitespace().collect::<Vec<_>>());
    for row in &table.row {
        assert!(!row.what.is_empty() && matches!(row.level.as_str(), "block" | "warn"), "{}", row.id);
        assert!(row.cases.len() + row.also.len() > 0, "{}: neither a case nor a module", row.id);
        for module in &row.also {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(format!("{module}.rs"));
            assert!(file.exists(), "{}: {}", row.id, file.display());
        }
    }
    let known: BTreeSet<_> = LANGUAGES.split_ascii_whitespace().collect();
    let told: BTreeSet<_> = table.row.iter().flat_map(|row| &row.cases).map(|case| case.0.as_str()).collect();
    assert_eq!(known.difference(&told).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn every_rule_for_handling_stands_in_the_table() {
    let table = table();
    let cases = table.row.iter().flat_map(|row| &row.cases).chain(&table.beyond);
    let told: BTreeSet<String> = cases.flat_map(|case| case.said("").into_iter()).map(|said| said.rsplit(' ').next().unwrap().to_owned()).collect();
    let rules = Rules::built_in().unwrap();
    let of_handling = rules.all().iter().filter(|rule| rule.family() != Family::Secret).map(|rule| rule.id());
    let missing: Vec<_> = of_handling.filter(|id| !told.contains(*id) && !ELSEWHERE.contains(id)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
