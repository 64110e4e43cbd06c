//! Ways in which a value is written beside its name: each is found whole, also where only a line of the value is new.

use leakstop::change::{Part, changed_parts};
use leakstop::finding::Confidence;
use leakstop::rules::Rules;
use leakstop::rules::shape::fill;
use leakstop::scan::{Hit, Scanner, Text};
use regex::bytes::Regex;

use crate::support::{Repo, token};

/// What a scan of these new parts finds of what blocks.
fn hits<'r>(scanner: &Scanner<'r>, path: &str, text: &str, old: &str) -> Vec<Hit<'r>> {
    let parts = changed_parts(text.as_bytes(), old.as_bytes());
    let text = Text { path: path.as_bytes(), part: Part::Content, bytes: text.as_bytes() };
    let mut hits = scanner.scan_new(text, &parts).unwrap().hits;
    hits.retain(|hit| hit.confidence > Confidence::Low && hit.span.is_some());
    hits
}

/// Fails the test unless the value is all that is found, in the whole text and with any one of its lines new.
#[track_caller]
fn is_found(path: &str, text: &str, value: &str) {
    let rules = Rules::built_in().unwrap();
    let scanner = Scanner::new(&rules);
    let whole = hits(&scanner, path, text, "");
    assert_eq!(whole.len(), 1, "{path}\n{text}{:?}", whole.iter().map(|hit| hit.rule.id()).collect::<Vec<_>>());
    let exactly = Regex::new(&format!("^{}$", regex::escape(value))).unwrap();
    assert!(whole[0].secret.as_ref().is_some_and(|secret| secret.is_match(&exactly)), "{path}\n{text}another value");
    let span = whole[0].span.unwrap();
    for new in span.line..=span.end_line {
        let old: String = text.split_inclusive('\n').enumerate().filter(|(at, _)| at + 1 != new as usize).map(|(_, line)| line).collect();
        assert_eq!(hits(&scanner, path, text, &old).len(), 1, "{path}, line {new}\n{text}");
    }
}

/// Fails the test if anything is found that blocks.
#[track_caller]
fn is_quiet(path: &str, text: &str) {
    let rules = Rules::built_in().unwrap();
    let found = hits(&Scanner::new(&rules), path, text, "");
    assert!(found.is_empty(), "{path}\n{text}{:?}", found.iter().map(|hit| hit.rule.id()).collect::<Vec<_>>());
}

/// Values as machines draw them and as people make them.
const VALUES: [&str; 3] = ["{alnum:16}", "{alpha:6}{digits:4}!", "{hex:40}"];

/// Each way of writing with each value in the place of `VALUE`, and its base64 in that of `BASE64`.
fn written(ways: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for (path, way) in ways {
        for (seed, shape) in VALUES.iter().enumerate() {
            let value = fill(shape, seed as u64 + 3);
            let encoded = fill(&format!("{{base64:{value}}}"), 1);
            all.push(((*path).to_owned(), way.replace("VALUE", &value).replace("BASE64", &encoded), value));
        }
    }
    all
}

const YAML: [(&str, &str); 9] = [
    ("a.yaml", "db:\n  host: x\n  password: >-\n    VALUE\n  port: 1\n"),
    ("a.yaml", "items:\n- api_key: |-\n    VALUE\n  b: 2\n"),
    ("a.yaml", "password: |2+ # mine\n  VALUE\n\nport: 1\n"),
    ("a.yaml", "password:\n  \"VALUE\"\nport: 1\n"),
    ("a.yaml", "password: &own !!str VALUE\nport: 1\n"),
    ("a.yaml", "password: !!binary BASE64\nport: 1\n"),
    ("a.yaml", "password: !!binary \"BASE64\"\n"),
    ("a.yaml", "password: !!binary |\n  BASE64\nport: 1\n"),
    ("a.yaml", "db: !!map\n  password: !!binary >-\n    BASE64\n"),
];

const XML: [(&str, &str); 16] = [
    ("a.xml", "<c><password><![CDATA[VALUE]]></password></c>\n"),
    ("a.xml", "<c><password>\n  <![CDATA[VALUE]]>\n</password></c>\n"),
    ("a.plist", "<dict>\n\t<key>ApiSecret</key>\n\t<string>VALUE</string>\n</dict>\n"),
    ("a.plist", "<dict><key>ApiSecret</key><string>VALUE</string></dict>\n"),
    ("res/values/strings.xml", "<resources>\n  <string name=\"api_secret\" translatable=\"false\">VALUE</string>\n</resources>\n"),
    ("a.resx", "<root>\n  <data name=\"ApiSecret\" xml:space=\"preserve\">\n    <value>VALUE</value>\n  </data>\n</root>\n"),
    ("a.xml", "<properties>\n<entry key=\"db.password\">VALUE</entry>\n</properties>\n"),
    ("a.xml", "<entry key=\"db.password\"><![CDATA[VALUE]]></entry>\n"),
    ("a.xml", "<bean>\n<property name=\"password\" value=\"VALUE\"/>\n</bean>\n"),
    ("a.xml", "<bean>\n<property name=\"password\"\n          value=\"VALUE\"/>\n</bean>\n"),
    ("a.xml", "<bean>\n<property value=\"VALUE\" name=\"password\"/>\n</bean>\n"),
    ("a.xml", "<bean>\n<property name=\"password\">\n<value>VALUE</value>\n</property>\n</bean>\n"),
    ("hibernate.cfg.xml", "<property name=\"connection.password\">VALUE</property>\n"),
    ("core-site.xml", "<property>\n<name>fs.s3a.secret.key</name>\n<value>VALUE</value>\n</property>\n"),
    ("web.xml", "<init-param>\n<param-name>dbPassword</param-name>\n<param-value>VALUE</param-value>\n</init-param>\n"),
    ("a.settings", "<Setting Name=\"ApiSecret\" Scope=\"User\">\n  <Value Profile=\"(Default)\">VALUE</Value>\n</Setting>\n"),
];

const QUOTES: [(&str, &str); 22] = [
    ("a.pl", "my $password = q{VALUE};\n"),
    ("a.pl", "my %c = (password => qq(VALUE));\n"),
    ("a.pl", "my $password = q/VALUE/;\n"),
    ("a.pl", "my $password = <<\"END\";\nVALUE\nEND\n"),
    ("a.rb", "password = %q(VALUE)\n"),
    ("a.rb", "password = %Q[VALUE]\n"),
    ("a.rb", "passwords = %w(VALUE)\n"),
    ("a.rb", "password = <<~EOS.strip\n  VALUE\nEOS\n"),
    ("a.php", "<?php\n$password = <<<EOT\nVALUE\nEOT;\n"),
    ("a.php", "<?php\n$password = <<<'EOT'\n  VALUE\n  EOT;\n"),
    ("a.sh", "PASSWORD=$(cat <<EOF\nVALUE\nEOF\n)\n"),
    ("a.tf", "password = <<-EOT\n  VALUE\nEOT\n"),
    ("a.lua", "local password = [[VALUE]]\n"),
    ("a.lua", "local password = [==[VALUE]==]\n"),
    ("a.ps1", "$password = @\"\nVALUE\n\"@\n"),
    ("A.java", "String password = \"\"\"\n    VALUE\"\"\";\n"),
    ("a.rs", "let password = r##\"VALUE\"##;\n"),
    ("a.cpp", "const char* password = R\"x(VALUE)x\";\n"),
    ("a.sql", "password := q'[VALUE]';\n"),
    ("a.js", "const password =\n    \"VALUE\";\n"),
    ("a.py", "password = (\n    'VALUE'\n)\n"),
    ("a.rs", "const PASSWORD: &str =\n    \"VALUE\";\n"),
];

#[test]
fn values_of_yaml_are_read_in_each_style() {
    written(&YAML).iter().for_each(|(path, text, value)| is_found(path, text, value));
}

#[test]
fn values_of_xml_are_read_behind_what_names_them() {
    written(&XML).iter().for_each(|(path, text, value)| is_found(path, text, value));
}

#[test]
fn values_are_read_in_each_kind_of_quotes() {
    written(&QUOTES).iter().for_each(|(path, text, value)| is_found(path, text, value));
}

#[test]
fn what_is_no_value_of_one_line_is_left_alone() {
    let drawn = fill("{alnum:16}", 5);
    for (path, text) in [
        ("a.yaml", format!("password: |\n  a text of many words\n  and {drawn}\n")),
        ("a.yaml", format!("password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  {}\n", fill("{hex:80}", 1))),
        ("a.yaml", "password: >-\n  ${DB_PASSWORD}\nport: 1\n".to_owned()),
        ("a.yaml", "password: >-\nport: k3Jd82hQs0PqLm4x\n".to_owned()),
        ("a.yaml", "password: !!binary Y2hhbmdlbWU=\n".to_owned()),
        ("a.yaml", "token:\n  description: the token\n".to_owned()),
        ("a.xml", "<password><![CDATA[]]></password>\n".to_owned()),
        ("a.xml", "<password><![CDATA[${db.password}]]></password>\n".to_owned()),
        ("a.plist", "<key>Password</key>\n<string>$(DB_PASSWORD)</string>\n".to_owned()),
        ("res/values/strings.xml", "<string name=\"password\">Password</string>\n<string name=\"hint_password\">Your password</string>\n".to_owned()),
        ("a.html", "<a name=\"api-key\">API key</a> <input name=\"password\" type=\"password\">\n".to_owned()),
        ("a.xml", format!("<property name=\"password\"/>\n<property name=\"id\" value=\"{drawn}\"/>\n")),
        ("a.js", "const key = q(firstName);\nconst token =\n    \"a sentence of words\" + x;\n".to_owned()),
        ("a.lua", "local keys = [[alpha]]\n".to_owned()),
        ("a.py", "key = [[1, 2], [3, 4]]\n".to_owned()),
        ("a.sh", "PASSWORD=$(cat <<EOF\n${PASSWORD}\nEOF\n)\n".to_owned()),
        ("a.rb", "tokens = %w(alpha beta gamma)\n".to_owned()),
    ] {
        is_quiet(path, &text);
    }
}

#[test]
fn a_commit_of_them_is_refused_and_so_is_one_that_changes_the_value() {
    for (path, way, line) in [("a.yaml", "password: >-\n  VALUE\nport: 1\n", 2), ("a.plist", "<key>ApiSecret</key>\n<string>VALUE</string>\n", 2)] {
        let repo = Repo::guarded();
        repo.accept(path, way.replace("VALUE", "${SECRET}"));
        repo.stage(path, way.replace("VALUE", &fill("{alnum:16}", 4)));
        let told = repo.refuses(&["commit", "-q", "-m", "work"]);
        assert!(told.contains(&format!("{path}:{line}:")), "{told}");
        repo.stage(path, way.replace("VALUE", &token(1)));
        assert!(repo.refuses(&["commit", "-q", "-m", "work"]).contains(&format!("{path}:{line}:")));
    }
}
