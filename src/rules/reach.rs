//! How far can a match reach? Measured on the pattern, so that a keyword's hit is looked at no farther around than needed.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The most line ends that a match can hold, but for its first and last byte, which in many patterns only say that a token
/// begins or ends there.
pub(super) fn inner_line_ends(pattern: &Hir) -> u32 {
    let is_edge = |part: &&Hir| part.properties().maximum_len().is_some_and(|length| length <= 1);
    match pattern.kind() {
        HirKind::Capture(capture) => inner_line_ends(&capture.sub),
        HirKind::Alternation(parts) => parts.iter().map(inner_line_ends).max().unwrap_or(0),
        HirKind::Concat(parts) => {
            let from = usize::from(parts.first().as_ref().is_some_and(is_edge));
            let to = parts.len() - usize::from(parts.last().as_ref().is_some_and(is_edge));
            parts[from..to.max(from)].iter().map(line_ends).fold(0, u32::saturating_add)
        }
        _ => line_ends(pattern),
    }
}

fn line_ends(pattern: &Hir) -> u32 {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.iter().map(|&b| u32::from(b == b'\n')).sum(),
        HirKind::Class(class) => u32::from(bytes_of(class).any(|(first, last)| (first..=last).contains(&b'\n'))),
        HirKind::Repetition(repetition) => line_ends(&repetition.sub).saturating_mul(repetition.max.unwrap_or(u32::MAX)),
        HirKind::Capture(capture) => line_ends(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(line_ends).fold(0, u32::saturating_add),
        HirKind::Alternation(parts) => parts.iter().map(line_ends).max().unwrap_or(0),
    }
}

/// Within how many bytes of a match's beginning a keyword ends in every match; `None` where the pattern does not show it.
pub(super) fn keyword_within(pattern: &Hir, keywords: &[impl AsRef<str>]) -> Option<u32> {
    let keywords: Vec<Vec<u8>> = keywords.iter().map(|keyword| keyword.as_ref().to_ascii_lowercase().into_bytes()).collect();
    within(pattern, &keywords).and_then(|most| u32::try_from(most).ok())
}

fn within(pattern: &Hir, keywords: &[Vec<u8>]) -> Option<usize> {
    match pattern.kind() {
        HirKind::Capture(capture) => within(&capture.sub, keywords),
        HirKind::Repetition(repetition) if repetition.min > 0 => within(&repetition.sub, keywords),
        HirKind::Alternation(parts) => parts.iter().map(|part| within(part, keywords)).try_fold(0, |most, part| Some(most.max(part?))),
        HirKind::Concat(parts) => in_sequence(parts, keywords),
        HirKind::Literal(_) | HirKind::Class(_) => in_sequence(std::slice::from_ref(pattern), keywords),
        _ => None,
    }
}

/// A keyword is spelled out by neighbours that take one letter each, or one of the parts holds one.
fn in_sequence(parts: &[Hir], keywords: &[Vec<u8>]) -> Option<usize> {
    let mut before = 0usize;
    let mut spelled: Vec<u8> = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => spelled.extend(literal.0.to_ascii_lowercase()),
            HirKind::Class(class) => match letter(class) {
                Some(letter) => spelled.push(letter),
                None => spelled.clear(),
            },
            HirKind::Look(_) | HirKind::Empty => {}
            _ => {
                if let Some(inside) = within(part, keywords) {
                    return Some(before.saturating_add(inside));
                }
                spelled.clear();
            }
        }
        before = before.checked_add(part.properties().maximum_len()?)?;
        if keywords.iter().any(|keyword| spelled.windows(keyword.len()).any(|part| part == keyword.as_slice())) {
            return Some(before);
        }
    }
    None
}

/// The letter that the class takes, in either case.
fn letter(class: &Class) -> Option<u8> {
    let mut letters = bytes_of(class).map(|(first, last)| (first == last).then(|| first.to_ascii_lowercase()));
    let first = letters.next()??;
    letters.all(|letter| letter == Some(first)).then_some(first)
}

/// Up to four bytes, the rest zero.
pub(super) type Bytes = [u8; 4];

/// Signs, one of which stands in every match: up to two sets of them, the rarest first. Zeros are no set.
pub(super) fn needed(pattern: &Hir) -> [Bytes; 2] {
    let mut sets = needed_sets(pattern);
    sets.sort_unstable_by_key(|&set| (frequency(set), set));
    sets.dedup();
    [sets.first().copied().unwrap_or_default(), sets.get(1).copied().unwrap_or_default()]
}

fn needed_sets(pattern: &Hir) -> Vec<Bytes> {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => literal.0.iter().filter_map(|&b| set_of(std::iter::once((b, b)))).collect(),
        HirKind::Class(class) => set_of(bytes_of(class)).into_iter().collect(),
        HirKind::Repetition(repetition) if repetition.min == 0 => Vec::new(),
        HirKind::Repetition(repetition) => needed_sets(&repetition.sub),
        HirKind::Capture(capture) => needed_sets(&capture.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(needed_sets).collect(),
        HirKind::Alternation(parts) => {
            // One of the rarest sets of each way.
            let rarest = parts.iter().map(|part| needed_sets(part).into_iter().min_by_key(|&set| frequency(set)));
            let both = |a: Option<Bytes>, b: Option<Bytes>| set_of(signs(a?).chain(signs(b?)).map(|b| (b, b)));
            rarest.reduce(both).flatten().into_iter().collect()
        }
    }
}

/// The signs of these ranges, if they are few and nothing else is among them.
pub(super) fn set_of(ranges: impl Iterator<Item = (u8, u8)>) -> Option<Bytes> {
    let mut bytes = [0; 4];
    let mut length = 0;
    for b in ranges.flat_map(|(first, last)| first..=last) {
        if !b.is_ascii_punctuation() || b == b'_' {
            return None;
        }
        if !bytes.contains(&b) {
            *bytes.get_mut(length)? = b;
            length += 1;
        }
    }
    bytes[..length].sort_unstable();
    (length > 0).then_some(bytes)
}

pub(super) fn signs(set: Bytes) -> impl Iterator<Item = u8> {
    set.into_iter().take_while(|&b| b != 0)
}

/// About how often one of the signs stands among 1,000 bytes of code.
fn frequency(set: Bytes) -> u32 {
    let of = |b| match b {
        b'.' | b',' | b'(' | b')' | b'"' | b'\'' | b'=' => 25,
        b':' | b'/' | b'-' | b';' | b'*' => 12,
        b'{' | b'}' | b'[' | b']' | b'<' | b'>' => 7,
        _ => 2,
    };
    signs(set).map(of).sum()
}

pub(super) fn bytes_of(class: &Class) -> impl Iterator<Item = (u8, u8)> + '_ {
    let (bytes, unicode) = match class {
        Class::Bytes(class) => (Some(class), None),
        Class::Unicode(class) => (None, Some(class)),
    };
    let byte = |c: char| u8::try_from(u32::from(c)).unwrap_or(u8::MAX);
    let unicode = unicode.into_iter().flat_map(|class| class.ranges()).map(move |range| (byte(range.start()), byte(range.end())));
    bytes.into_iter().flat_map(|class| class.ranges()).map(|range| (range.start(), range.end())).chain(unicode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pattern: &str) -> Hir {
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(pattern).unwrap()
    }

    #[test]
    fn line_ends_at_the_edges_do_not_count() {
        for (pattern, expected) in [("(?:^|[^a])token[^a]", 0), (r"a\s{0,3}b", 3), (r"a\sb|c", 1), ("[^\"]{2,9}", 9), ("(?s:a.*b)", u32::MAX)] {
            assert_eq!(inner_line_ends(&parse(pattern)), expected, "{pattern}");
        }
    }

    #[test]
    fn the_rarest_signs_that_every_match_holds_are_known() {
        for (pattern, expected) in [
            (r"[?&](?:token|key)=[^&]{3,9}", [*b"&?\0\0", *b"=\0\0\0"]),
            (r#"(?:getenv\(|environ\[)["']x{0,9}"#, [*b"([\0\0", *b"\"'\0\0"]),
            (r"(?:a=|b)c:?", [[0; 4]; 2]),
            (r"[a-z ]{3}(?:\$x){0,2}", [[0; 4]; 2]),
        ] {
            assert_eq!(needed(&parse(pattern)), expected, "{pattern}");
        }
    }

    #[test]
    fn a_keyword_is_within_the_longest_way_to_its_end() {
        for (pattern, expected) in [
            ("[a-z]{0,40}(?i:key)[a-z]{1,99}", Some(43)),
            ("(?:get|environ)[a-z]{1,99}key", Some(7 + 99 + 3)),
            ("(?:getkey|mykeys)x{1,99}", Some(6)),
            ("a{0,9}(b|(?:key){1,2}x)?key", Some(9 + 7 + 3)),
            ("x+key", None),
            (r"\bkey\b", Some(3)),
        ] {
            assert_eq!(keyword_within(&parse(pattern), &["KEY"]), expected, "{pattern}");
        }
    }
}
