//! However a file is written, what stands in it is found at its line and column, and what stood there before is not new.

use leakstop::rules::shape;

use crate::support::{Repo, assert_redacted, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];

/// A text in UTF-16 or UTF-32: bytes of a unit, and whether the lowest comes first.
fn wide(text: &str, width: usize, little: bool) -> Vec<u8> {
    let unit = |value: u32| {
        let bytes = if little { value.to_le_bytes() } else { value.to_be_bytes() };
        if little { bytes[..width].to_vec() } else { bytes[4 - width..].to_vec() }
    };
    match width {
        2 => text.encode_utf16().flat_map(|value| unit(value.into())).collect(),
        _ => text.chars().flat_map(|c| unit(c.into())).collect(),
    }
}

const WIDE: [(usize, bool); 4] = [(2, true), (2, false), (4, true), (4, false)];

mod wide_text {
    use super::*;

    #[test]
    fn a_secret_is_refused_at_the_place_it_has_in_utf_8() {
        for (width, little) in WIDE {
            for mark in ["\u{feff}", ""] {
                let repo = Repo::started();
                repo.stage("a.ini", wide(&format!("{mark}[main]\r\nname = caf\u{e9}\r\nkey = {}\r\n", token(1)), width, little));
                let told = repo.refuses(&COMMIT);
                assert!(told.contains("a.ini:3:7  ghp_****  (40 characters)"), "{width} {little} {mark:?}\n{told}");
                assert_redacted(&told, &token(1));
            }
        }
    }

    #[test]
    fn a_password_without_a_shape_is_bound_to_its_name() {
        let repo = Repo::started();
        repo.stage("a.py", wide(&shape::fill("\u{feff}db_password = \"{alnum:14}\"\n", 1), 2, true));
        assert!(repo.refuses(&COMMIT).contains("a.py:1:16"));
    }

    #[test]
    fn what_stood_there_before_is_not_new() {
        for (width, little) in WIDE {
            let repo = Repo::guarded();
            let text = |more: &str| wide(&format!("\u{feff}key = {}\r\n{more}\r\n", token(1)), width, little);
            repo.accept("a.txt", text("one"));
            repo.stage("a.txt", text("two"));
            repo.takes(&COMMIT);
            repo.stage("a.txt", text(&token(2)));
            assert!(repo.refuses(&COMMIT).contains("a.txt:2:1 "));
        }
    }

    #[test]
    fn writing_a_file_in_another_encoding_brings_nothing_in() {
        let repo = Repo::guarded();
        let text = format!("key = {}\n", token(1));
        repo.accept("a.txt", &text);
        for bytes in [wide(&text, 2, true), wide(&format!("\u{feff}{text}"), 4, false), format!("\u{feff}{text}").into_bytes()] {
            repo.stage("a.txt", bytes);
            repo.takes(&COMMIT);
        }
    }

    #[test]
    fn a_longer_value_does_not_hide_a_shorter_one() {
        let repo = Repo::guarded();
        repo.accept("a.txt", wide(&format!("\u{feff}key = x{}\n", token(1)), 2, true));
        repo.stage("a.txt", wide(&format!("\u{feff}key = {}\n", token(1)), 2, true));
        repo.refuses(&COMMIT);
    }

    #[test]
    fn a_server_reads_it_too() {
        let server = Repo::server();
        let repo = Repo::with_remote(&server);
        repo.accept("a.txt", wide(&format!("\u{feff}one\ntwo {}\n", token(1)), 2, false));
        assert!(repo.push_is_refused(&server, &["main"]).contains("a.txt:2:5"));
    }

    #[test]
    fn what_is_mixed_cut_or_wrong_hides_nothing() {
        let key = format!("key = {}\n", token(1));
        let marked = wide("\u{feff}hello\n", 2, true);
        for (what, bytes) in [
            ("single bytes behind wide ones", [&marked, key.as_bytes()].concat()),
            ("wide bytes behind single ones", [b"hello to all\n".as_slice(), &wide(&key, 2, true)].concat()),
            ("wide bytes behind many single ones", ["hello to all\n".repeat(99).as_bytes(), &wide(&key, 2, false)].concat()),
            ("an odd byte in front", [&[7], wide(&key, 2, true).as_slice()].concat()),
            ("an odd byte behind", [wide(&key, 2, false).as_slice(), &[7]].concat()),
            ("a lone surrogate", [marked.as_slice(), &[0, 0xdc], &wide(&key, 2, true)].concat()),
            ("another order than the mark says", [&[0xff, 0xfe], wide(&key, 2, false).as_slice()].concat()),
            ("a program around it", [&[0x7f, b'E', 0, 1, 2, 0, 3, 0x90].repeat(40), wide(&key, 2, true).as_slice()].concat()),
        ] {
            let repo = Repo::started();
            repo.stage("a.txt", bytes);
            assert!(repo.refuses(&COMMIT).contains("ghp_****"), "{what}");
        }
    }
}

mod other_bytes {
    use super::*;

    #[track_caller]
    fn is_found_at(place: &str, bytes: &[u8]) {
        let repo = Repo::started();
        repo.stage("a.txt", bytes);
        let told = repo.refuses(&COMMIT);
        assert!(told.contains(&format!("a.txt:{place}  ghp_****")), "{told}");
    }

    #[test]
    fn a_zero_anywhere_hides_nothing() {
        let key = format!("key = {}", token(1));
        is_found_at("1:8", format!("\0{key}\n").as_bytes());
        is_found_at("1:7", format!("{key}\0\n").as_bytes());
        is_found_at("2:7", format!("{}\n{key}", "\0".repeat(9000)).as_bytes());
        is_found_at("2:7", format!("a\0b\n{key}\nc\0").as_bytes());
        is_found_at("2:1", format!("\0\0\n{}\0\0\0", token(1)).as_bytes());
    }

    #[test]
    fn bytes_of_latin_1_count_one_each() {
        is_found_at("2:8", &[b"caf\xe9\n\xe9key = ", token(1).as_bytes(), b"\n"].concat());
    }

    #[test]
    fn every_kind_of_line_end_counts_lines() {
        for end in ["\n", "\r\n", "\r"] {
            is_found_at("3:7", ["one", "two", &format!("key = {}", token(1)), ""].join(end).as_bytes());
        }
    }

    #[test]
    fn a_text_needs_no_last_line_end() {
        is_found_at("2:1", format!("one\n{}", token(1)).as_bytes());
        is_found_at("1:1", token(1).as_bytes());
    }

    #[test]
    fn a_mark_of_utf_8_counts_as_no_column() {
        is_found_at("1:1", format!("\u{feff}{}\n", token(1)).as_bytes());
    }

    #[test]
    fn a_rule_that_looks_at_lines_sees_those_of_an_old_mac() {
        let repo = Repo::started();
        repo.stage(".netrc", shape::fill("# hosts\rmachine a.example.org\rlogin ann\rpassword {alnum:14}\r", 1));
        assert!(repo.refuses(&COMMIT).contains(".netrc:4:10"));
    }
}

/// A secret in another guise: it is refused, and pointed at where it stands.
mod guises {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    #[track_caller]
    fn is_found_at(place: &str, name: &str, text: impl AsRef<[u8]>) {
        let repo = Repo::started();
        repo.stage(name, text);
        let told = repo.refuses(&COMMIT);
        assert!(told.contains(&format!("{name}:{place}  ghp_****  (40 characters")), "{told}");
        assert_redacted(&told, &token(1));
    }

    fn each(text: &str, write: impl Fn(char) -> String) -> String {
        text.chars().map(write).collect()
    }

    #[test]
    fn escapes_are_undone() {
        let token = token(1);
        is_found_at("1:6", "a.js", format!("x = '{}';\n", each(&token, |c| format!("\\x{:02x}", c as u32))));
        is_found_at("1:6", "a.js", format!("x = '{}';\n", each(&token, |c| format!("\\u{:04X}", c as u32))));
        is_found_at("1:8", "a.c", format!("c = u8\"{}\";\n", each(&token, |c| format!("\\{:03o}", c as u32))));
        is_found_at("2:4", "a.html", format!("<html>\n<p>{}</p>\n", each(&token, |c| format!("&#{};", c as u32))));
        is_found_at("2:10", "a.html", format!("<html>\n<p a=\"?t={}\">\n", token.replacen('g', "&#103;", 1)));
        is_found_at("3:7", "a.eml", format!("Subject: x\n\nkey =3D {}=\n{}\n", &token[..20], &token[20..]).replace("key =3D ", "key=3D"));
        is_found_at("1:18", "a.json", format!("{{\"a\": \"{{\\\"b\\\": \\\"{}\\\"}}\"}}\n", token.replace("ghp_", "ghp\\u005f")));
        is_found_at("1:14", "a.json", format!("{{\"a\": \"line\\n{token}\\n\"}}\n"));
        let numbers: Vec<_> = token.bytes().map(|b| format!("{b:#04x}")).collect();
        is_found_at("2:3", "a.h", format!("unsigned char t[] = {{\n  {}\n}};\n", numbers.join(", ")));
        is_found_at("2:7", "a.md", format!("# Setup\nUse:  {}\n", token.replace('_', "\\_")));
    }

    #[test]
    fn layers_of_encodings_are_undone() {
        let token = token(1);
        let utf16: Vec<u8> = format!("$t = '{token}'; Invoke-Thing $t").encode_utf16().flat_map(u16::to_le_bytes).collect();
        is_found_at("1:28", "a.ps1", format!("powershell -EncodedCommand {}\n", STANDARD.encode(utf16)));
        is_found_at("1:5", "a.txt", format!("a = {}\n", URL_SAFE_NO_PAD.encode(STANDARD.encode(each(&token, |c| format!("%{:02x}", c as u32))))));
        let wrapped = STANDARD.encode(format!("first line\n{token}\nlast line\n"));
        let lines: Vec<_> = wrapped.as_bytes().chunks(24).map(|line| format!("    {}", String::from_utf8_lossy(line))).collect();
        is_found_at("2:5", "a.yaml", format!("data: |\n{}\nnext: 1\n", lines.join("\n")));
    }

    #[test]
    fn a_literal_in_pieces_is_refused_at_its_expression() {
        let token = token(1);
        let (a, rest) = token.split_at(3);
        let (b, c) = rest.split_at(12);
        for (name, text) in [
            ("a.py", format!("x = \"{a}\" + \"{b}\" + \"{c}\"\n")),
            ("a.py", format!("x = \"{a}\" \"{b}\" \\\n    \"{c}\"\n")),
            ("a.php", format!("$x= '{a}' . '{b}' . '{c}';\n")),
            ("a.lua", format!("x = \"{a}\" .. \"{b}\" .. \"{c}\"\n")),
            ("a.vb", format!("x = \"{a}\" & _\n  \"{b}\" & \"{c}\"\n")),
            ("a.js", format!("x =['{a}','{b}', '{c}'].join('')\n")),
            ("a.py", format!("x = '{a}'\n    '{b}{c}'\n")),
            ("a.py", format!("x = '{a}'  # the first\n    '{b}'\n    # the last\n    '{c}'\n")),
            ("a.js", format!("x = \"{a}\" + // the first\n  \"{b}\" /* and */ + \"{c}\";\n")),
            ("a.sql", format!("x = '{a}' || -- the first\n  '{b}' || '{c}';\n")),
        ] {
            is_found_at("1:5", name, text);
        }
        is_found_at("1:9", "a.js", format!("x = `${{'{a}'}}{b}{c}`\n"));
        is_found_at("1:6", "a.c", format!("x = \"{a}{b}\\\n{c}\";\n"));
        is_found_at("1:13", "a.rs", format!("x = concat!(\"{a}\", \"{b}\", \"{c}\");\n"));
        is_found_at("1:13", "a.R", format!("x <- paste0(\"{a}\", \"{b}\", \"{c}\")\n"));
        is_found_at("1:10", "a.tf", format!("x = join(\"\", [\"{a}\", \"{b}\", \"{c}\"])\n"));
    }

    #[test]
    fn a_right_checksum_counts_for_more_than_letters_that_look_made_up() {
        let body = shape::fill("{alnum:9}XxxX{alnum:17}", 3);
        let (mut rest, mut tail) = (crc32fast::hash(body.as_bytes()), Vec::new());
        for _ in 0..6 {
            tail.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[rest as usize % 62]);
            rest /= 62;
        }
        tail.reverse();
        let repo = Repo::started();
        repo.stage("a.txt", format!("ghp_{body}{}\n", String::from_utf8(tail).unwrap()));
        repo.refuses(&COMMIT);
    }

    #[test]
    fn characters_that_nobody_sees_hide_nothing() {
        let token = token(1);
        let (a, b) = token.split_at(9);
        for sign in ["\u{ad}", "\u{200b}", "\u{200d}", "\u{202e}", "\u{2060}", "\u{feff}"] {
            is_found_at("1:5", "a.txt", format!("x = {a}{sign}{b}\n"));
            is_found_at("2:9", "a.md", format!("# Über\n„x“={a}{sign}{b}\n"));
        }
        let repo = Repo::started();
        repo.stage("a.py", shape::fill("pass\u{200b}word = \"{alnum:16}\"\n", 1));
        repo.refuses(&COMMIT);
        repo.git(&["rm", "-qf", "a.py"]).expect(0);
        repo.stage("b.py", shape::fill("x = \"{alnum:16}\"  # \u{1f469}\u{200d}\u{1f4bb} می\u{200c}خواهم\n", 1));
        repo.takes(&COMMIT);
    }

    #[test]
    fn a_password_in_pieces_is_bound_to_its_name() {
        let repo = Repo::started();
        repo.stage("a.py", shape::fill("import os\ndb_password = (\n    \"{alnum:7}\"\n    \"{alnum:7}\"\n)\n", 1));
        let told = repo.refuses(&COMMIT);
        assert!(told.contains("a.py:3:5") && told.contains("(14 characters"), "{told}");
    }

    #[test]
    fn the_last_piece_alone_is_new() {
        let repo = Repo::guarded();
        let token = token(1);
        let text = |last: &str| {
            format!("{}x = \"{}\" +\n    \"{}\" +\n    \"{last}\"\n{}", "# one\n".repeat(900), &token[..10], &token[10..20], "# two\n".repeat(900))
        };
        repo.accept("a.py", text("none"));
        repo.stage("a.py", text(&token[20..]));
        assert!(repo.refuses(&COMMIT).contains("a.py:901:5"));
    }
}
