//! How languages quote a value other than with quotation marks on the line of its name: block scalars of YAML, here-documents,
//! `q{…}`, `%q(…)`, `[[…]]`, raw strings, and a literal that stands alone on the line below.
//!
//! A value is one line; what is longer is a text. Each is told by the signs right behind what binds it.

use std::ops::Range;

use super::plausible;

/// A value with what quotes it.
pub(super) struct Quoted {
    pub(super) value: Range<usize>,
    /// `None` where it stands bare; any other sign counts as a single quote.
    pub(super) quote: Option<u8>,
}

/// Longer values are texts.
const LONGEST: usize = 4096;
/// The line of the name is not longer than this in front of the value, nor a delimiter with what follows it.
const BESIDE: usize = 200;
/// In front of a value stands no longer tag, anchor or delimiter.
const LONGEST_WORD: usize = 40;

/// The value that begins here, where a sign other than a quotation mark opens it.
pub(super) fn value(text: &[u8], at: usize) -> Option<Quoted> {
    let rest = text.get(at..)?;
    match *rest.first()? {
        b'|' | b'>' => block(text, at),
        b'\r' | b'\n' => below(text, at),
        b'(' if matches!(rest.get(1), Some(b'\r' | b'\n')) => literal_below(text, at + 1),
        b'q' | b'%' => delimited(text, at),
        b'[' => long_bracket(text, at),
        b'<' | b'$' => here_document(text, at),
        b'@' => here_string(text, at),
        b'r' | b'R' => raw(text, at),
        _ => None,
    }
}

/// Where a value of YAML begins behind an anchor and a tag that says it is a text: `&name !!str value`. `None` where it is
/// encoded: [`super::decode`] reads it.
pub(super) fn past_tags(text: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..2 {
        let rest = text.get(at..)?;
        if !matches!(rest.first(), Some(b'!' | b'&')) {
            break;
        }
        let word = 1 + rest[1..].iter().take(LONGEST_WORD).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'!' | b'_' | b'-')).count();
        let blanks = rest[word..].iter().take(LONGEST_WORD).take_while(|b| **b == b' ').count();
        if &rest[..word] == b"!!binary" {
            return None;
        }
        if blanks == 0 || rest[0] == b'!' && &rest[..word] != b"!!str" {
            break;
        }
        at += word + blanks;
    }
    Some(at)
}

/// `|-`, `>2`, `>- # why`, and below it one line, deeper than the one that the name stands on.
fn block(text: &[u8], at: usize) -> Option<Quoted> {
    let head = line(text, at)?;
    let signs = text[at + 1..head.end].iter().take_while(|b| matches!(b, b'+' | b'-' | b'0'..=b'9')).count();
    let behind = text[at + 1 + signs..head.end].trim_ascii();
    if signs > 2 || !(behind.is_empty() || behind.starts_with(b"#")) {
        return None;
    }
    let value = line_below(text, head.end)?;
    let (indent, depth) = (indent_of(text, at)?, value.start - start_of_line(text, value.start)?);
    let goes_on = line_below(text, value.end).is_some_and(|next| !next.is_empty() && indent_of(text, next.start).is_some_and(|next| next >= depth));
    (depth > indent && !value.is_empty() && !goes_on).then_some(Quoted { value, quote: None })
}

/// A value on the next line: a literal, or a bare word as no statement is.
fn below(text: &[u8], at: usize) -> Option<Quoted> {
    literal_below(text, at).or_else(|| {
        let value = line_below(text, at)?;
        let is_entry = text[..at].last() == Some(&b':');
        let depth = value.start - start_of_line(text, value.start)?;
        let ends = line_below(text, value.end).is_none_or(|next| next.is_empty() || indent_of(text, next.start).is_none_or(|next| next < depth));
        (is_entry && depth > indent_of(text, at)? && ends && is_word(&text[value.clone()])).then_some(Quoted { value, quote: None })
    })
}

/// A literal that is all of the line below, but for what ends a statement or goes on with a list.
fn literal_below(text: &[u8], at: usize) -> Option<Quoted> {
    let line = line_below(text, at)?;
    let quote = *text.get(line.start)?;
    if !matches!(quote, b'"' | b'\'' | b'`') || line.start == start_of_line(text, line.start)? {
        return None;
    }
    let inside = line.start + 1..line.end;
    let close = inside.start + memchr::memrchr(quote, &text[inside.clone()])?;
    let ended = text[close + 1..line.end].iter().all(|b| matches!(b, b';' | b',' | b')' | b' '));
    let value = inside.start..close;
    (ended && memchr::memchr2(quote, b'\\', &text[value.clone()]).is_none()).then_some(Quoted { value, quote: Some(quote) })
}

/// Letters and digits mixed, and signs that make no expression of them.
fn is_word(word: &[u8]) -> bool {
    const SHORTEST: usize = 10;
    word.len() >= SHORTEST
        && word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/' | b'=' | b'!' | b'@' | b'#' | b'%' | b'^' | b'*'))
        && word[0].is_ascii_alphanumeric()
        && word.iter().filter(|b| b.is_ascii_digit()).count() >= 2
        && word.iter().any(u8::is_ascii_alphabetic)
        && (plausible::looks_drawn(word) || plausible::is_human_password(word))
}

/// `q{…}`, `qq(…)` of Perl, `%q(…)`, `%Q[…]`, `%w(…)`, `%(…)` of Ruby, `q'[…]'` of Oracle.
fn delimited(text: &[u8], at: usize) -> Option<Quoted> {
    let rest = &text[at..];
    let letters = rest[1..].iter().take(2).take_while(|b| matches!(b, b'q' | b'Q' | b'w' | b'W')).count();
    let open = at + 1 + letters + usize::from(rest[0] == b'q' && rest.get(1) == Some(&b'\''));
    let close = match text.get(open)? {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        b'<' => b'>',
        sign @ (b'/' | b'|' | b'!' | b'#') if letters > 0 || rest[0] == b'q' => *sign,
        _ => return None,
    };
    let inside = line(text, open + 1)?;
    let value = inside.start..inside.start + memchr::memchr(close, &text[inside])?;
    let content = &text[value.clone()];
    // `q(name)` may be a call.
    let is_name = rest[0] == b'q' && close == b')' && content.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.' | b'$'));
    (!is_name && !content.iter().any(u8::is_ascii_whitespace) && !content.contains(&text[open])).then_some(Quoted { value, quote: Some(b'\'') })
}

/// `[[…]]` and `[=[…]=]` of Lua.
fn long_bracket(text: &[u8], at: usize) -> Option<Quoted> {
    let level = text[at + 1..].iter().take(LONGEST_WORD).take_while(|b| **b == b'=').count();
    let open = at + 1 + level;
    (text.get(open) == Some(&b'[')).then_some(())?;
    let inside = line(text, open + 1)?;
    let close = [b"]".as_slice(), &text[at + 1..open], b"]"].concat();
    let value = inside.start..inside.start + memchr::memmem::find(&text[inside], &close)?;
    // Lists of lists, and the conditions of shells.
    let is_list = text[value.clone()].iter().any(|b| matches!(b, b'[' | b'"' | b'\'' | b',') || b.is_ascii_whitespace());
    (!is_list).then_some(Quoted { value, quote: Some(b'\'') })
}

/// `<<EOT`, `<<~'EOT'`, `<<<EOT`, `$(cat <<EOT`: one line, and the word that ends it.
fn here_document(text: &[u8], at: usize) -> Option<Quoted> {
    let head = line(text, at)?;
    let rest = &text[head.clone()];
    let rest = rest.strip_prefix(b"$(cat").map_or(rest, <[u8]>::trim_ascii_start);
    let rest = rest.strip_prefix(b"<<")?;
    let rest = rest.strip_prefix(b"<").unwrap_or(rest);
    let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"~")).unwrap_or(rest);
    let rest = rest.strip_prefix(b"'").or_else(|| rest.strip_prefix(b"\"")).unwrap_or(rest);
    let word = rest.iter().take(LONGEST_WORD).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    if word == 0 || rest[0].is_ascii_digit() || rest.len() > BESIDE {
        return None;
    }
    let value = line_below(text, head.end)?;
    let end = line_below(text, value.end)?;
    let ended = text[end].starts_with(&rest[..word]);
    (ended && !value.is_empty()).then_some(Quoted { value, quote: Some(b'\'') })
}

/// `@"` of PowerShell, a line, and `"@`.
fn here_string(text: &[u8], at: usize) -> Option<Quoted> {
    let head = line(text, at)?;
    let close: &[u8] = match text[head.clone()].trim_ascii_end() {
        b"@\"" => b"\"@",
        b"@'" => b"'@",
        _ => return None,
    };
    let value = line_below(text, head.end)?;
    let end = line_below(text, value.end)?;
    text[end].starts_with(close).then_some(Quoted { value, quote: Some(close[0]) })
}

/// `r#"…"#` of Rust, `R"x(…)x"` of C++.
fn raw(text: &[u8], at: usize) -> Option<Quoted> {
    let inside = line(text, at + 1)?;
    let rest = &text[inside.clone()];
    let (open, close) = if text[at] == b'r' {
        let level = rest.iter().take_while(|b| **b == b'#').count();
        (level > 0 && rest.get(level) == Some(&b'"')).then(|| (level + 1, [b"\"", &rest[..level]].concat()))?
    } else {
        let word = rest.strip_prefix(b"\"")?.iter().take(LONGEST_WORD).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        (rest.get(word + 1) == Some(&b'(')).then(|| (word + 2, [b")", &rest[1..=word], b"\""].concat()))?
    };
    let value = inside.start + open..inside.start + open + memchr::memmem::find(&rest[open..], &close)?;
    Some(Quoted { value, quote: Some(b'"') })
}

/// From here to the end of the line.
fn line(text: &[u8], at: usize) -> Option<Range<usize>> {
    let high = text.len().min(at + LONGEST);
    let end = memchr::memchr(b'\n', text.get(at..high)?).map_or(high, |newline| at + newline);
    (end < high || high == text.len()).then_some(at..end)
}

/// What stands on the line below the one that ends at `end`, without blanks around it.
fn line_below(text: &[u8], end: usize) -> Option<Range<usize>> {
    let newline = end + text.get(end..)?.iter().take(BESIDE).take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
    (text.get(newline) == Some(&b'\n')).then_some(())?;
    let line = line(text, newline + 1)?;
    let content = &text[line.clone()];
    let start = line.start + (content.len() - content.trim_ascii_start().len());
    Some(start..start + content.trim_ascii().len())
}

fn start_of_line(text: &[u8], at: usize) -> Option<usize> {
    let low = at.saturating_sub(BESIDE);
    memchr::memrchr(b'\n', &text[low..at]).map(|newline| low + newline + 1).or_else(|| (low == 0).then_some(0))
}

/// How deep the line is indented on which this place lies.
fn indent_of(text: &[u8], at: usize) -> Option<usize> {
    let start = start_of_line(text, at)?;
    Some(text[start..at].iter().take_while(|b| matches!(b, b' ' | b'\t')).count())
}
