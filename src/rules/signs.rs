//! Can a text hold a match of a rule? Asked of the signs that every match has, before a regex is compiled or run.

use super::format::RuleData;
use super::lead::{self, Lead};
use super::reach::Bytes;

/// False when no match can lie in the text: every match has a row of bytes of one kind, or certain signs, and the text
/// has not.
pub(super) fn may_match(rule: &RuleData<'_>, text: &[u8]) -> bool {
    let has_one = |&signs: &Bytes| signs[0] == 0 || find(signs, text).is_some();
    rule.needed.iter().all(has_one)
        && rule.lead.as_ref().is_none_or(|lead| has_lead(lead, text))
        && rule.row.as_ref().is_none_or(|row| row.stands_in(text))
}

/// True where the text has it. Each byte is looked at once.
fn has_lead(lead: &Lead, text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(from) = find(lead.from, &text[at..]) {
        at += from + 1;
        while let Some(&b) = text.get(at) {
            if b != 0 && lead.to.contains(&b) {
                return true;
            }
            if !lead::holds(&lead.through, b) {
                break;
            }
            at += 1;
        }
    }
    false
}

/// The first place of one of the signs.
fn find(signs: Bytes, text: &[u8]) -> Option<usize> {
    match signs {
        [0, ..] => None,
        [a, 0, ..] => memchr::memchr(a, text),
        [a, b, 0, _] => memchr::memchr2(a, b, text),
        [a, b, c, 0] => memchr::memchr3(a, b, c, text),
        [a, b, c, d] => match memchr::memchr3(a, b, c, text) {
            Some(at) => memchr::memchr(d, &text[..at]).or(Some(at)),
            None => memchr::memchr(d, text),
        },
    }
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::Hir;

    use super::*;
    use crate::rules::proof;

    fn parse(pattern: &str) -> Option<Hir> {
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(pattern).ok()
    }

    #[test]
    fn the_way_from_sign_to_sign_is_known() {
        let stands = |pattern: &str, text: &str| parse(pattern).and_then(|hir| lead::lead(&hir)).map(|lead| has_lead(&lead, text.as_bytes()));
        let assigned = r#"[(,\s]\w{0,9}key\w{0,9}[ \t]{0,4}=[ \t]{0,8}[bru]?["'][^"']{2,90}["']"#;
        assert_eq!(stands(assigned, "call(key = b\"x"), Some(true));
        assert_eq!(stands(assigned, "call(key=settings.read('key'))"), Some(false));
        assert_eq!(stands(assigned, "a == b, c = (d, 'e')"), Some(false));
        assert_eq!(stands(assigned, "a == 'b'"), Some(true));
        assert_eq!(stands(r"getenv\(x{2}", "getenv(x"), None);
        assert_eq!(stands(r#"(?:get\(|of\[)["']"#, "get('"), Some(true));
        assert_eq!(stands(r#"(?:get\(|of\[)["']"#, "get(of['"), Some(true));
        assert_eq!(stands(r#"(?:get\(|of\[)["']"#, "get(of, '"), Some(false));
        assert_eq!(stands("a=b|c:d", "a=b"), None);
    }

    proptest::proptest! {
        #[test]
        fn every_match_has_it(pattern in "[a-c=(,]{0,3}(=|:)[ab ]{0,2}(['\"]|[({])[a-c]?[,;]", seed in 0u64..1000) {
            let Some(hir) = parse(&pattern) else { return Ok(()) };
            let Some(lead) = lead::lead(&hir) else { return Ok(()) };
            for sample in proof::samples(&hir, 1 + seed as usize % 20) {
                proptest::prop_assert!(has_lead(&lead, &sample), "{pattern} {lead:?} {sample:?}");
            }
        }
    }
}
