//! Each decoder takes back what its encoder made, wherever that stands, and points at it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

/// What stands in the text when one layer is undone.
fn decoded(text: &[u8]) -> Vec<Encoded> {
    all(text, Language::Other, &mut Work::of(text.len()))
}

fn all(text: &[u8], language: Language, work: &mut Work) -> Vec<Encoded> {
    let mut found = Vec::new();
    runs(text, language, 1, &mut Finds { touches: &|_| true, work, from: 0, hand_on: &mut |encoded, _| found.push(encoded) });
    found
}

/// The encodings under which `wanted` shows up, with the place in the text that is pointed at.
fn shown(text: &[u8], wanted: &[u8]) -> Vec<(&'static str, String)> {
    let mut shown = Vec::new();
    for encoded in decoded(text) {
        if let Some(at) = memchr::memmem::find(&encoded.bytes, wanted)
            && let Some(place) = encoded.place(&(at..at + wanted.len()), false)
        {
            shown.push((encoded.how, String::from_utf8_lossy(&text[place]).into_owned()));
        }
    }
    shown
}

fn names(text: &[u8], wanted: &str) -> Vec<&'static str> {
    shown(text, wanted.as_bytes()).into_iter().map(|(how, _)| how).collect()
}

fn compressed(text: &[u8], gzip: bool) -> Vec<u8> {
    use flate2::Compression;
    use std::io::Write as _;
    if gzip {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    } else {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }
}

fn each(text: &str, encode: impl Fn(char) -> String) -> String {
    text.chars().map(encode).collect()
}

type Encode = fn(char) -> String;

/// Encoders that stand for each character alone.
const BY_LETTER: [(&str, Encode); 14] = [
    ("percent", |c| format!("%{:02X}", c as u32)),
    ("escapes", |c| format!("\\x{:02x}", c as u32)),
    ("escapes", |c| format!("\\u{:04x}", c as u32)),
    ("escapes", |c| format!("\\u{{{:x}}}", c as u32)),
    ("escapes", |c| format!("\\x{{{:X}}}", c as u32)),
    ("escapes", |c| format!("\\U{:08x}", c as u32)),
    ("escapes", |c| format!("\\{:03o}", c as u32)),
    ("html", |c| format!("&#{};", c as u32)),
    ("html", |c| format!("&#x{:X};", c as u32)),
    ("html", |c| format!("&#x{:06x};", c as u32)),
    ("utf-16", |c| format!("{c}\0")),
    ("utf-16", |c| format!("\0{c}")),
    ("utf-32", |c| format!("{c}\0\0\0")),
    ("utf-32", |c| format!("\0\0\0{c}")),
];

fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_escaped_letter_by_letter_reads_as_it_was(inner in "[a-zA-Z0-9_:/@ -]{8,40}", before in "[a-z =(,]{0,12}[=( ]", after in "[ ;)\n][a-z ;\n]{0,12}") {
        for (how, encode) in BY_LETTER {
            let written = each(&inner, encode);
            let text = format!("{before}\"{written}\"{after}");
            let found = shown(text.as_bytes(), inner.as_bytes());
            prop_assert!(found.iter().any(|(name, place)| *name == how && place.contains(written.trim_matches('\0'))), "{} {:?} {:?}", how, text, found);
        }
    }

    #[test]
    fn bytes_in_base64_of_any_kind_read_as_they_were(drawn in prop::collection::vec(any::<u8>(), 14..90), before in "[a-z]{0,8}[ =\"(]", indent in "[ ]{0,8}") {
        let inner = [&drawn[..7], b"a text", &drawn[7..]].concat();
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            let one = engine.encode(&inner);
            let text = format!("{before}{one}\"\n");
            prop_assert!(decoded(text.as_bytes()).iter().any(|encoded| encoded.bytes == inner), "{one}");
        }
        for width in [20, 32, 64, 76] {
            for end in ["\n", "\r\n"] {
                let one = STANDARD.encode(&inner);
                let lines: Vec<_> = one.as_bytes().chunks(width).map(|line| format!("{indent}{}", String::from_utf8_lossy(line))).collect();
                let text = format!("data: |{end}{}{end}{end}next: 1{end}", lines.join(end));
                prop_assert!(decoded(text.as_bytes()).iter().any(|encoded| encoded.bytes == inner), "{text}");
            }
        }
    }

    #[test]
    fn hexadecimal_digits_read_as_bytes(drawn in prop::collection::vec(any::<u8>(), 10..40), upper in any::<bool>()) {
        let inner = [&drawn[..5], b"a text", &drawn[5..]].concat();
        let digits: String = inner.iter().map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") }).collect();
        let text = format!("x = {digits};");
        prop_assert!(decoded(text.as_bytes()).iter().any(|encoded| encoded.bytes == inner));
    }

    #[test]
    fn what_is_compressed_reads_as_it_was(inner in prop::collection::vec(any::<u8>(), 20..400)) {
        for gzip in [true, false] {
            let packed = compressed(&inner, gzip);
            prop_assert!(decoded(&packed).iter().any(|encoded| encoded.bytes == inner));
        }
    }

    #[test]
    fn a_text_in_quoted_printable_reads_as_it_was(inner in "[a-zA-Z0-9=_ .:-]{60,160}[a-z=]") {
        let mut lines = vec![String::new()];
        for c in inner.chars() {
            let written = if c == '=' { "=3D".to_owned() } else { c.to_string() };
            let last = lines.len() - 1;
            if lines[last].len() + written.len() > 75 {
                lines.push(written);
            } else {
                lines[last].push_str(&written);
            }
        }
        prop_assume!(lines.len() > 1 || inner.contains('='));
        for end in ["=\n", "=\r\n"] {
            let text = format!("Subject: x\n\n{}\n\n-- \n", lines.join(end));
            prop_assert_eq!(names(text.as_bytes(), &inner), ["quoted-printable"], "{}", text);
        }
    }

    #[test]
    fn a_json_text_in_json_reads_as_it_was(key in "[a-z_]{3,10}", value in "[a-zA-Z0-9/\"\\\\]{4,30}", layers in 1..4usize) {
        let inner = serde_json::json!({ key: value, "b": 1 }).to_string();
        let mut text = inner.clone();
        for _ in 0..layers {
            text = serde_json::json!({ "body": text }).to_string();
        }
        let mut layer = text.into_bytes();
        for _ in 0..layers {
            layer = decoded(&layer).into_iter().find(|encoded| encoded.how == "escapes").map(|encoded| encoded.bytes).unwrap_or_default();
        }
        prop_assert!(memchr::memmem::find(&layer, inner.as_bytes()).is_some(), "{}", String::from_utf8_lossy(&layer));
    }

    #[test]
    fn a_literal_in_pieces_reads_as_one(pieces in prop::collection::vec("[a-zA-Z0-9_-]{4,12}", 2..5), indent in "[ ]{0,4}") {
        let whole = pieces.concat();
        for between in [
            "\" + \"", "\"+\n    \"", "\" +\r\n  \"", "\" . \"", "\" .. \"", "\" & _\n \"", "\" & \"", "\" || \"", "\" <> \"", "\" ++ \"", "\" \\\n  \"",
            "\"\n    \"", "\" \"", "\" + b\"", "\" + \\\n \"", "' + '", "'\n  '", "' . \"\" . '", "\" ~ \"",
        ] {
            let (open, close) = (between.trim_end().chars().last().unwrap(), between.chars().next().unwrap());
            let text = format!("{indent}x = {open}{}{close};\n", pieces.join(between));
            let found = shown(text.as_bytes(), whole.as_bytes());
            let expression = text.trim_end_matches(";\n").trim_start_matches(' ').trim_start_matches("x = ");
            prop_assert!(found.iter().any(|(how, place)| *how == "pieces" && place == expression), "{text} {found:?}");
        }
    }

    #[test]
    fn a_list_of_pieces_reads_as_one(pieces in prop::collection::vec("[a-zA-Z0-9_-]{4,12}", 2..5)) {
        let whole = pieces.concat();
        let list = |quote: &str| pieces.iter().map(|piece| format!("{quote}{piece}{quote}")).collect::<Vec<_>>().join(", ");
        for text in [
            format!("x = [{}].join('')", list("\"")),
            format!("x = [\n{},\n].join(\"\");", list("'")),
            format!("x = ''.join([{}])", list("'")),
            format!("x = \"\".join(({}))", list("\"")),
            format!("$x = implode('', [{}]);", list("'")),
            format!("$x = implode(array({}));", list("'")),
            format!("SELECT CONCAT({})", list("'")),
            format!("x = \"\".concat({})", list("\"")),
            format!("x = `{}`", pieces.iter().map(|piece| format!("${{\"{piece}\"}}")).collect::<String>()),
            format!("x = `{}${{'{}'}}`", pieces[..pieces.len() - 1].concat(), pieces[pieces.len() - 1]),
            format!("x = \"{}#{{'{}'}}\"", pieces[..pieces.len() - 1].concat(), pieces[pieces.len() - 1]),
            format!("x = \"{}\";", pieces.join("\\\n")),
            format!("export x={}\n", pieces.join("\\\r\n   ")),
        ] {
            prop_assert!(names(text.as_bytes(), &whole).contains(&"pieces"), "{text}");
        }
    }

    #[test]
    fn any_bytes_are_read_within_bounds(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\"'`\\+.=&#${}[]()%\n\r u0x3D;join".to_vec())], 0..300)) {
        for encoded in decoded(&bytes) {
            prop_assert!(encoded.range.end <= bytes.len());
            for at in 0..encoded.bytes.len() {
                if let Some(place) = encoded.place(&(at..at + 1), false) {
                    prop_assert!(encoded.range.start <= place.start && place.end <= encoded.range.end && place.start <= place.end);
                }
            }
        }
    }

    #[test]
    fn any_parts_of_lists_calls_and_dumps_are_read_within_bounds(parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..40)) {
        let text = parts.concat();
        for encoded in all(text.as_bytes(), Language::Yaml, &mut Work::of(text.len())) {
            prop_assert!(encoded.range.end <= text.len());
            for at in 0..encoded.bytes.len() {
                if let Some(place) = encoded.place(&(at..at + 1), false) {
                    prop_assert!(encoded.range.start <= place.start && place.end <= encoded.range.end && place.start <= place.end, "{text}");
                }
            }
        }
        for at in 0..text.len() {
            lines_of_run(text.as_bytes(), &(at..at), 0);
        }
    }
}

const PARTS: [&str; 40] = [
    "'a'",
    "'\\0'",
    "'",
    "\"",
    ",",
    ", ",
    "\n",
    " ",
    "103",
    "0x67",
    "chr(103)",
    "chr(",
    " + ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "%s",
    "{}",
    "{1}",
    "format(",
    ".format(",
    " % ",
    ".append(",
    "new ",
    ";\n",
    "concat",
    ".join(\"\")",
    "join(\"\", ",
    "[]string",
    "array(",
    "00000000: 6768 705f  gh\n",
    "00000004  61 62  |ab|\n",
    "000000",
    "!!binary",
    " |\n",
    "password = ",
    "cGFzc3dvcmQ=",
];

#[test]
fn names_that_happen_to_be_base64_are_not_decoded() {
    for name in ["getConfigurationOfTheWholeServer", "INTERNAL_SERVER_ERROR_MESSAGES", "org/apache/commons/collections/iterators"] {
        assert_eq!(decoded(name.as_bytes()).len(), 0, "{name}");
    }
}

#[test]
fn each_encoding_is_found_inside_other_text() {
    let inner = "user:correct horse battery";
    let plain = STANDARD.encode(inner);
    assert_eq!(shown(format!("a = '{plain}';").as_bytes(), inner.as_bytes()), [("base64", plain.trim_end_matches('=').to_owned())]);
}

#[test]
fn an_escape_is_pointed_at_by_letter() {
    let text = br#"x = "say \u0067hp_1234\u002fab ok" # more"#;
    assert_eq!(shown(text, b"ghp_1234/ab"), [("escapes", r"\u0067hp_1234\u002fab".to_owned())]);
    let text = b"<a href=\"?a=1&amp;token=abc&quot;\">";
    assert_eq!(shown(text, b"&token"), [("html", "&amp;token".to_owned())]);
}

#[test]
fn a_pair_of_surrogates_is_one_letter() {
    assert_eq!(names(br#""\ud83d\ude00 ok""#, "\u{1f600} ok"), ["escapes"]);
    assert_eq!(names(br#""\ud83d ok""#, "\u{fffd} ok"), ["escapes"]);
}

#[test]
fn a_run_at_any_place_of_the_text_is_seen() {
    let run = STANDARD.encode("eighteen bytes txt");
    for before in 0..40 {
        let text = format!("{}{run}", " ".repeat(before));
        assert_eq!(decoded(text.as_bytes()).len(), 1, "{before}");
    }
}

#[test]
fn sentences_and_statements_are_not_joined() {
    for text in [
        "raise Error(\"the first part \" + \"of a message\")",
        "x = [\"alpha\", \"beta\", \"gamma\"]",
        "{\"alpha\": \"beta\", \"gamma\": \"delta\"}",
        "x = \"\"\"a text\nof lines\"\"\"",
        "x = \"alpha\" + name + \"gamma\"",
        "x = [\"alpha\", \"beta\"].join(\", \")",
        "f(\" + \", 'more of it')",
        "gcc -o a.o \\\n  -c a.c",
    ] {
        assert!(decoded(text.as_bytes()).iter().all(|encoded| encoded.how != "pieces"), "{text}");
    }
}

#[test]
fn a_bomb_ends_at_the_limit_and_that_is_known() {
    let bomb = compressed(&vec![b'a'; 40 << 20], true);
    let mut work = Work::of(bomb.len());
    let found = all(&bomb, Language::Other, &mut work);
    assert!(work.is_spent);
    assert!(found.iter().map(|encoded| encoded.bytes.len()).sum::<usize>() <= TIMES * bomb.len() + FREE);
}

#[test]
fn a_list_of_numbers_is_the_text_that_its_bytes_are() {
    let list: Vec<String> = b"one secret key of many\n".iter().map(|b| format!("{b:#04x}")).collect();
    let lines: Vec<String> = list.chunks(12).map(|line| line.join(", ")).collect();
    let text = format!("unsigned char key[] = {{\n  {}\n}};\nint size = 0x17;\n", lines.join(",\n  "));
    let found = shown(text.as_bytes(), b"secret key");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].0 == "numbers" && found[0].1.starts_with("0x73, 0x65") && found[0].1.trim_end().trim_end_matches(',').ends_with("0x79"),
        "{found:?}"
    );
    for other in ["0x", "{ 0x41, 0x42 }", "0x12345678, 0x41, 0x41", &"0x00, ".repeat(40), &"0x41414141, ".repeat(40)] {
        assert_eq!(names(other.as_bytes(), "A"), [""; 0], "{other}");
    }
}

proptest! {
    #[test]
    fn zones_of_many_parts_cover_those_of_each(
        lines in prop::collection::vec(prop::sample::select(vec!["12, 13,\n", "x = [\n", "y\n", "\n", "QUJDREVGR0hJSktMTU5PUFFS\n"]), 1..30),
        picked in prop::collection::btree_set(0usize..200, 1..8),
    ) {
        let text = lines.concat();
        let places: Vec<_> = picked.into_iter().map(|at| at.min(text.len())).collect();
        let mut parts: Vec<_> = places.chunks(2).map(|pair| pair[0]..pair[pair.len() - 1]).collect();
        parts.dedup_by(|later, earlier| later.start <= earlier.end);
        let all = zones(text.as_bytes(), Parts(&parts));
        prop_assert!(all.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?}", all);
        for part in &parts {
            let alone = lines_of_run(text.as_bytes(), part, 0);
            prop_assert!(all.iter().any(|zone| zone.start <= alone.start && alone.end <= zone.end), "{:?} {:?} {:?}", part, alone, all);
        }
    }
}
