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

/// A list of the value's characters, each written so.
fn list(value: &str, between: &str, each: impl Fn(char) -> String) -> String {
    value.chars().map(each).collect::<Vec<_>>().join(between)
}

#[test]
fn lists_of_characters_and_of_numbers_are_read_as_the_text_they_are() {
    let values = VALUES.iter().zip(3..).map(|(shape, seed)| fill(shape, seed)).chain([token(5)]);
    for value in values {
        let characters = list(&value, ", ", |c| format!("'{c}'"));
        let decimals = list(&value, ", ", |c| (c as u32).to_string());
        let hexadecimals = list(&value, ", ", |c| format!("{:#04x}", c as u32));
        let wrapped =
            |list: &str| list.split(", ").collect::<Vec<_>>().chunks(6).map(|line| format!("    {},\n", line.join(", "))).collect::<String>();
        for (path, text) in [
            ("A.java", format!("char[] password = new char[]{{{characters}}};\n")),
            ("A.java", format!("private char[] password = {{\n{}}};\n", wrapped(&characters))),
            ("a.go", format!("var password = string([]byte{{{characters}}})\n")),
            ("a.c", format!("static const char password[] = {{{characters}, '\\0'}};\n")),
            ("a.rs", format!("let password: String = [{characters}].iter().collect();\n")),
            ("a.go", format!("password := []byte{{{decimals}}}\n")),
            ("a.go", format!("password := []byte{{{hexadecimals}}}\n")),
            ("a.py", format!("password = bytes([{}]).decode()\n", decimals.replace(' ', ""))),
            ("a.py", format!("password = bytes([\n{}])\n", wrapped(&decimals))),
            ("a.py", format!("password = {}\n", list(&value, " + ", |c| format!("chr({})", c as u32)))),
            ("a.js", format!("const password = String.fromCharCode(\n{});\n", wrapped(&decimals))),
            ("a.js", format!("setPassword(String.fromCharCode({decimals}));\n")),
            ("a.json", format!("{{\n  \"password\": [{decimals}]\n}}\n")),
            ("a.rs", format!("let password: [u8; 16] = [{decimals}];\n")),
        ] {
            is_found(path, &text, &value);
        }
    }
}

#[test]
fn lists_that_are_no_text_are_left_alone() {
    let drawn = fill("{alnum:16}", 5);
    for (path, text) in [
        ("a.py", format!("sizes = [{}]\n", list(&drawn, ", ", |c| (c as u32).to_string()))),
        ("a.py", format!("key_sizes = [{}]\n", list(&drawn, ", ", |c| (c as u32 + 140).to_string()))),
        ("a.py", "keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']\n".to_owned()),
        ("a.js", "const keys = ['q', 'w', 'e', 'r', 't', 'y', 'u', 'i', 'o', 'p']\n".to_owned()),
        ("a.csv", "key,a,b\n".to_owned() + &"72,81,90,104\n".repeat(40)),
        ("a.go", format!("var secret = []byte{{{}}}\n", ["0"; 16].join(", "))),
    ] {
        is_quiet(path, &text);
    }
}

const PIECES: [(&str, &str); 23] = [
    ("a.py", "token = \"{}{}\".format(\"ONE\", \"TWO\")\n"),
    ("a.py", "token = '{1}{0}'.format('TWO', 'ONE')\n"),
    ("a.py", "token = \"%s%s\" % (\"ONE\", \"TWO\")\n"),
    ("a.py", "token = \"ONE{}\".format(\n    \"TWO\",\n)\n"),
    ("A.java", "String token = new StringBuilder().append(\"ONE\").append(\"TWO\").toString();\n"),
    ("A.java", "String token = new StringBuilder(\"ONE\").append(\"TWO\").toString();\n"),
    ("A.java", "String token = new StringBuilder()\n    .append(\"ONE\")\n    .append(\"TWO\")\n    .toString();\n"),
    ("A.java", "String token = String.format(\"%s%s\", \"ONE\", \"TWO\");\n"),
    ("A.java", "String token = String.join(\"\", \"ONE\", \"TWO\");\n"),
    ("A.java", "String token = \"ONE\".concat(\"TWO\");\n"),
    ("a.rs", "let token = format!(\"{}{}\", \"ONE\", \"TWO\");\n"),
    ("a.rs", "let token = concat!(\"ONE\", \"TWO\");\n"),
    ("a.rs", "let token = [\"ONE\", \"TWO\"].concat();\n"),
    ("a.go", "token := fmt.Sprintf(\"%s%s\", \"ONE\", \"TWO\")\n"),
    ("a.go", "token := strings.Join([]string{\"ONE\", \"TWO\"}, \"\")\n"),
    ("A.cs", "var token = String.Concat(\"ONE\", \"TWO\");\n"),
    ("A.cs", "var token = string.Format(\"{0}{1}\", \"ONE\", \"TWO\");\n"),
    ("A.cs", "var token = string.Join(\"\", new[] { \"ONE\", \"TWO\" });\n"),
    ("a.js", "const token = [\"ONE\", \"TWO\"].join(\"\");\n"),
    ("a.rb", "token = ['ONE', 'TWO'].join\n"),
    ("a.php", "<?php\n$token = sprintf(\"%s%s\", \"ONE\", \"TWO\");\n"),
    ("a.lua", "local token = table.concat({\"ONE\", \"TWO\"})\n"),
    ("a.tf", "locals {\n  token = format(\"%s%s\", \"ONE\", \"TWO\")\n}\n"),
];

#[test]
fn what_a_call_puts_together_is_read_as_one() {
    for (path, way) in PIECES {
        for value in [fill(VALUES[0], 4), fill(VALUES[2], 5), token(6)] {
            let (one, two) = value.split_at(value.len() / 2);
            is_found(path, &way.replace("ONE", one).replace("TWO", two), &value);
        }
    }
    // Statements, of which none names what they make.
    let value = token(7);
    let (one, two) = value.split_at(20);
    is_found("A.java", &format!("StringBuilder sb = new StringBuilder();\nsb.append(\"{one}\");\nsb.append(\"{two}\");\n"), &value);
}

#[test]
fn what_calls_put_together_of_words_is_left_alone() {
    for (path, text) in [
        ("a.py", "token_message = \"{} {}\".format(\"the token\", \"has expired\")\n"),
        ("a.go", "key := fmt.Sprintf(\"%s/%s\", \"users\", \"profile\")\n"),
        ("a.go", "key := fmt.Sprintf(\"%s%s\", prefix, \"k3Jd82hQs0PqLm4x\")\n"),
        ("A.java", "sb.append(\"password\").append('=').append(password);\n"),
        ("A.java", "String key = String.join(\"-\", \"alpha\", \"beta\");\n"),
    ] {
        is_quiet(path, text);
    }
}

/// The bytes as `xxd` and as `hexdump -C` print them.
fn dumps(bytes: &[u8]) -> [String; 2] {
    let (mut xxd, mut hexdump) = (String::new(), String::new());
    for (at, row) in bytes.chunks(16).enumerate() {
        let text: String = row.iter().map(|b| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '.' }).collect();
        let pairs: String = row.chunks(2).map(|pair| pair.iter().map(|b| format!("{b:02x}")).collect::<String>() + " ").collect();
        let halves: Vec<String> = row.chunks(8).map(|half| half.iter().map(|b| format!("{b:02x} ")).collect()).collect();
        xxd += &format!("{:08x}: {pairs:<40} {text}\n", at * 16);
        hexdump += &format!("{:08x}  {:<49} |{text}|\n", at * 16, halves.join(" "));
    }
    hexdump += &format!("{:08x}\n", bytes.len());
    [xxd, hexdump]
}

#[test]
fn hex_dumps_and_base32_are_read() {
    let token = token(3);
    for dump in dumps(format!("# settings\nkey = {token}\nmore = 1\n").as_bytes()) {
        is_found("notes.txt", &dump, &token);
        is_found("a.md", &format!("```\n{dump}```\n"), &token);
    }
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = token.bytes().map(|b| format!("{b:08b}")).collect();
    let base32: String =
        bits.as_bytes().chunks(5).map(|five| char::from(alphabet[five.iter().fold(0, |sum, b| sum * 2 + usize::from(b - b'0'))])).collect();
    is_found("a.txt", &format!("x = \"{base32}\"\n"), &token);
}

#[test]
fn dumps_of_other_things_are_left_alone() {
    let bytes: Vec<u8> = (0..=255).cycle().take(600).map(|b: u8| b.wrapping_mul(37)).collect();
    for dump in dumps(&bytes) {
        is_quiet("notes.txt", &dump);
    }
    is_quiet("a.txt", &fill("x = \"{base32:64}\"\n000000 deadbeef\n0000: 00\n", 3));
}

#[test]
fn what_a_state_of_terraform_marks_is_read() {
    let state = |attributes: &str, marks: &str| {
        format!(
            "{{\n  \"version\": 4,\n  \"resources\": [{{\n    \"type\": \"x_y\",\n    \"instances\": [{{\n      \"attributes\": {{\n{attributes}\n      }},\n      \"sensitive_attributes\": [{marks}]\n    }}]\n  }}]\n}}\n"
        )
    };
    let mark = |name: &str| format!("{{\n\"type\": \"get_attr\",\n\"value\": \"{name}\"\n}}");
    let first = "{\"type\": \"index\", \"value\": {\"value\": 0, \"type\": \"number\"}}";
    for value in [fill(VALUES[0], 3), fill("{lower:9}", 3), fill(VALUES[1], 3)] {
        let plain = format!("\"id\": \"{}\",\n\"content\": \"{value}\",\n\"size\": 3", fill("{alnum:16}", 9));
        is_found("infra/terraform.tfstate", &state(&plain, &format!("[{}]", mark("content"))), &value);
        let nested = format!("\"site\": [\n{{\"name\": \"x\",\n\"value\": \"{value}\"}}]");
        is_found("terraform.tfstate", &state(&nested, &format!("[{}, {first}, {}]", mark("site"), mark("value"))), &value);
        let whole = format!("\"data\": {{\n\"one\": \"{value}\"}}");
        is_found("terraform.tfstate", &state(&whole, &format!("[{}]", mark("data"))), &value);
        is_quiet("terraform.tfstate", &state(&plain, &format!("[{}]", mark("other"))));
        is_quiet("terraform.tfstate", &state("\"content\": \"\",\n\"size\": null", &format!("[{}],[{}]", mark("content"), mark("size"))));
    }
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
