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
