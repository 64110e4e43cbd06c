//! Calls that put a literal together from pieces: `["ab", "cd"].join("")`, `"{}{}".format("ab", "cd")`, `"%s%s" % ("ab", "cd")`,
//! `String.Concat("ab", "cd")`, `.append("ab").append("cd")`.
//!
//! Each is known by the word in front of its parenthesis, and looked for at its first literal.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::joined::{MOST_PIECES, join, literal_at, literal_before};
use super::{Finds, skip};

/// A list of pieces is no longer than this.
const LONGEST_LIST: usize = 2 << 10;
/// Of what is read of lists, one byte in so many counts as decoded.
const CHARGED: usize = 4;
/// Nor is a name with all that it is a member of.
const LONGEST_NAME: usize = 60;
/// `Authorization: Bearer {}{}`
const LONGEST_PHRASE: usize = 100;
/// What stands in front of a chain of calls: `new StringBuilder("ab")`.
const LONGEST_RECEIVER: usize = 200;

/// Reads the call whose first literal opens at `quote`, if it is such a one; gives the place up to which it was read.
pub(super) fn at(text: &[u8], quote: usize, finds: &mut Finds<'_>) -> usize {
    // `join(["a"`, `implode(array("a"`
    const DEEPEST: u8 = 3;
    if text[..quote].last() == Some(&b'[') {
        list(text, quote - 1, finds);
    }
    let mut end = quote;
    for _ in 0..DEEPEST {
        let low = end.saturating_sub(LONGEST_NAME);
        end = low + text[low..end].trim_ascii_end().len();
        let Some(open) = end.checked_sub(1).filter(|&open| matches!(text[open], b'(' | b'[' | b'{')) else { break };
        if text[open] == b'('
            && let Some(read) = call(text, open, finds)
        {
            return read;
        }
        let before = text[..open].strip_suffix(b" ").unwrap_or(&text[..open]);
        end = match before.last() {
            Some(b'y' | b'g' | b']') => {
                let front = |opener: &&[u8]| before.strip_suffix(opener.strip_suffix(b"(").unwrap_or(opener));
                let Some(front) = OPENERS.iter().find_map(front) else { break };
                front.len()
            }
            Some(b'(' | b'[' | b'{' | b'\n' | b' ' | b',') => before.len(),
            _ => break,
        };
    }
    quote
}

/// Reads the call with this parenthesis; `None` where it puts nothing together.
fn call(text: &[u8], open: usize, finds: &mut Finds<'_>) -> Option<usize> {
    let before = &text[..open];
    let tail: [u8; 4] = before.last_chunk().copied()?;
    let ends = |words: &[&[u8]]| words.iter().find(|word| before.ends_with(word)).map(|word| open - word.len());
    match &tail {
        b"join" | b"Join" => joined(text, open - 4, open, finds),
        b"ncat" | b"cat!" => concatenated(text, ends(&[b"concat", b"Concat", b"concat!"])?, open, finds),
        b"rmat" | b"mat!" => ends(&[b"format", b"Format", b"format!"]).map(|_| formatted(text, open, finds))?,
        b"intf" => formatted(text, open, finds),
        b"NCAT" | b"lode" | b"ste0" => ends(&[b"CONCAT", b"implode", b"paste0"]).map(|_| arguments(text, open, finds))?,
        b"pend" => return ends(&[b".append", b".Append"]).map(|_| appended(text, open, finds)),
        [.., b'%'] | [.., b'%', b' '] => modulo(text, open, finds),
        _ => return None,
    }
    Some(open)
}

/// `["a", "b"].join`, as Ruby writes it, and `["a", "b"].concat()`.
fn list(text: &[u8], open: usize, finds: &mut Finds<'_>) {
    let Some((close, pieces)) = literals(text, open, finds) else { return };
    let behind = &text[close + 1..];
    let joins = behind.starts_with(b".concat()") || behind.strip_prefix(b".join").is_some_and(|rest| !rest.starts_with(b"("));
    if joins {
        join(text, pieces[0].start - 1..pieces[pieces.len() - 1].end + 1, &pieces, finds);
    }
}

/// May a chain of calls go on in the line below this one?
pub(super) fn goes_on(line: &[u8]) -> bool {
    static CALLS: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["ppend(", "Builder("].map(Finder::new));
    matches!(line.trim_ascii_end().last(), Some(b')' | b';')) && CALLS.iter().any(|call| call.find(line).is_some())
}

/// `["a", "b"].join("")`, `"".join(["a", "b"])`, `join("", ["a", "b"])`, `String.join("", "a", "b")`,
/// `strings.Join([]string{"a", "b"}, "")`
fn joined(text: &[u8], name: usize, open: usize, finds: &mut Finds<'_>) {
    let receiver = name.checked_sub(1).filter(|&dot| text[dot] == b'.');
    match receiver.and_then(|dot| dot.checked_sub(1)).map(|at| text[at]) {
        // What joins the pieces is nothing.
        Some(b']' | b')') if text[open..].starts_with(b"(\"\")") || text[open..].starts_with(b"('')") => list_before(text, name - 1, finds),
        Some(b'"' | b'\'') => {
            let Some(first) = literal_before(text, name - 2).filter(Range::is_empty) else { return };
            let Some((close, pieces)) = literals(text, open, finds) else { return };
            join(text, first.start - 1..close.min(pieces[pieces.len() - 1].end + 1), &pieces, finds);
        }
        _ if text[open..].starts_with(b"(\"\",") || text[open..].starts_with(b"('',") => arguments(text, open, finds),
        _ => {
            let Some((close, pieces)) = opened(text, open + 1).and_then(|list| literals(text, list, finds)) else { return };
            let behind = &text[close + 1..];
            let joins_nothing = behind.strip_prefix(b",").is_some_and(|rest| rest.strip_prefix(b" ").unwrap_or(rest).starts_with(b"\"\")"));
            if joins_nothing {
                join(text, callee(text, open)..pieces[pieces.len() - 1].end + 1, &pieces, finds);
            }
        }
    }
}

/// `"a".concat("b")`, `concat("a", "b")`, `concat!("a", "b")`, `String.Concat("a", "b")`
fn concatenated(text: &[u8], name: usize, open: usize, finds: &mut Finds<'_>) {
    const OWNERS: [&[u8]; 4] = [b"string", b"String", b"table", b"str"];
    let receiver = name.checked_sub(1).filter(|&dot| text[dot] == b'.');
    let Some(dot) = receiver else { return arguments(text, open, finds) };
    match dot.checked_sub(1).map(|at| text[at]) {
        Some(b'"' | b'\'') => {
            let Some(first) = literal_before(text, dot - 1) else { return };
            let Some((close, pieces)) = literals(text, open, finds) else { return };
            let pieces = [vec![first.clone()], pieces].concat();
            join(text, first.start - 1..close.min(pieces[pieces.len() - 1].end + 1), &pieces, finds);
        }
        _ if OWNERS.iter().any(|owner| text[..dot].ends_with(owner)) => arguments(text, open, finds),
        _ => {}
    }
}

/// All literals in the parentheses, one after the other.
fn arguments(text: &[u8], open: usize, finds: &mut Finds<'_>) {
    if let Some((_, pieces)) = literals(text, open, finds) {
        // What opens a list inside of the parentheses hides the name that the whole is bound to.
        let first = pieces[0].start - 1;
        let start = if first == open + 1 { first } else { callee(text, open) };
        join(text, start..pieces[pieces.len() - 1].end + 1, &pieces, finds);
    }
}

/// The list that ends at `end`, with its bracket.
fn list_before(text: &[u8], end: usize, finds: &mut Finds<'_>) {
    let low = end.saturating_sub(LONGEST_LIST);
    let open = memchr::memrchr2(b'[', b'(', &text[low..end - 1]).map(|open| low + open);
    if let Some((close, pieces)) = open.and_then(|open| literals(text, open, finds))
        && close + 1 == end
    {
        join(text, pieces[0].start - 1..pieces[pieces.len() - 1].end + 1, &pieces, finds);
    }
}

/// `"{}{}".format("a", "b")`, `format!("{}{}", "a", "b")`, `sprintf("%s%s", "a", "b")`
fn formatted(text: &[u8], open: usize, finds: &mut Finds<'_>) {
    let start = callee(text, open);
    let of_literal = text[start..].starts_with(b".") && start > 0 && matches!(text[start - 1], b'"' | b'\'');
    let Some((_, literals)) = literals(text, open, finds) else { return };
    let (template, given) = match (of_literal, literals.split_first()) {
        (true, _) => (literal_before(text, start - 1), literals.as_slice()),
        (false, Some((first, given))) => (Some(first.clone()), given),
        (false, None) => return,
    };
    let Some(template) = template else { return };
    let start = if of_literal { template.start - 1 } else { start };
    fill(text, start, template, given, finds);
}

/// `"%s%s" % ("a", "b")`
fn modulo(text: &[u8], open: usize, finds: &mut Finds<'_>) {
    let without = |text: &'_ [u8]| text.len() - usize::from(text.ends_with(b" "));
    let Some(before) = text[..without(&text[..open])].strip_suffix(b"%") else { return };
    let before = &before[..without(before)];
    if !matches!(before.last(), Some(b'"' | b'\'')) {
        return;
    }
    let Some(template) = literal_before(text, before.len() - 1) else { return };
    if let Some((_, given)) = literals(text, open, finds) {
        fill(text, template.start - 1, template, &given, finds);
    }
}

/// Reads the template of the expression that begins at `start` with each place filled in. Longer ones with blanks are
/// messages.
fn fill(text: &[u8], start: usize, template: Range<usize>, given: &[Range<usize>], finds: &mut Finds<'_>) {
    let Some(last) = given.last() else { return };
    let mut pieces = Vec::new();
    let (mut from, mut at, mut next) = (template.start, template.start, 0);
    while at < template.end && pieces.len() < MOST_PIECES {
        let Some((length, index)) = placeholder(&text[at..template.end]) else {
            at += 1;
            continue;
        };
        let Some(piece) = given.get(index.unwrap_or(next)) else { return };
        next += 1;
        pieces.extend([from..at, piece.clone()]);
        at += length;
        from = at;
    }
    pieces.push(from..template.end);
    let is_message = text[template].contains(&b' ') && pieces.iter().map(ExactSizeIterator::len).sum::<usize>() > LONGEST_PHRASE;
    if next > 0 && !is_message {
        join(text, start..last.end + 1, &pieces, finds);
    }
}

/// `{}`, `{0}`, `%s`, `%v`, `%1$s`: how long it is, and which of the values it stands for if it says so.
fn placeholder(text: &[u8]) -> Option<(usize, Option<usize>)> {
    let digit = |b: Option<&u8>| b.filter(|b| b.is_ascii_digit()).map(|b| usize::from(b - b'0'));
    match text {
        [b'{', b'}', ..] => Some((2, None)),
        [b'{', number, b'}', ..] => digit(Some(number)).map(|number| (3, Some(number))),
        [b'%', b's' | b'v', ..] => Some((2, None)),
        [b'%', number, b'$', b's', ..] => digit(Some(number)).and_then(|number| number.checked_sub(1)).map(|number| (4, Some(number))),
        _ => None,
    }
}

/// `new StringBuilder("a").append("b").append("c")`, also as statements one after the other; gives the place where it ends.
fn appended(text: &[u8], open: usize, finds: &mut Finds<'_>) -> usize {
    let dot = open - b".append".len();
    let mut pieces = Vec::new();
    let mut end = open;
    let mut next = Some(open);
    while let Some(open) = next.filter(|_| pieces.len() < MOST_PIECES) {
        let Some(piece) = only_literal(text, open) else { break };
        end = skip(text, piece.end + 1, |b| b == b' ') + 1;
        pieces.push(piece);
        next = next_append(text, end);
    }
    let Some(last) = pieces.last().map(|last| last.end + 1) else { return open + 1 };
    let low = dot.saturating_sub(LONGEST_RECEIVER);
    let receiver = low + text[low..dot].trim_ascii_end().len();
    let mut start = receiver;
    if text[low..receiver].ends_with(b")")
        && let Some(paren) = memchr::memrchr(b'(', &text[low..receiver]).map(|paren| low + paren)
    {
        pieces.splice(0..0, only_literal(text, paren));
        start = callee(text, paren);
        start -= if text[..start].ends_with(b"new ") { b"new ".len() } else { 0 };
    }
    if pieces.len() > 1 {
        join(text, start..last, &pieces, finds);
    }
    end
}

/// The literal that is all there is in the parentheses.
fn only_literal(text: &[u8], open: usize) -> Option<Range<usize>> {
    let quote = skip(text, open + 1, |b| b == b' ');
    let piece = matches!(text.get(quote), Some(b'"' | b'\'')).then(|| literal_at(text, quote)).flatten()?;
    (text.get(skip(text, piece.end + 1, |b| b == b' ')) == Some(&b')')).then_some(piece)
}

/// The parenthesis of the next call in the chain, `.append(` or `; name.append(`.
fn next_append(text: &[u8], end: usize) -> Option<usize> {
    let far = |at: usize| text.len().min(at + LONGEST_NAME);
    let blanks = |at: usize| at + text[at..far(at)].iter().take_while(|b| b.is_ascii_whitespace()).count();
    let mut at = blanks(end.min(text.len()));
    if text.get(at) == Some(&b';') {
        at = blanks(at + 1);
        at += text[at..far(at)].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    }
    let rest = &text[at..];
    (rest.starts_with(b".append(") || rest.starts_with(b".Append(")).then_some(at + b".append".len())
}

/// Where the name of the called begins, with all that it is a member of.
fn callee(text: &[u8], open: usize) -> usize {
    let low = open.saturating_sub(LONGEST_NAME);
    let of_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'!');
    open - text[low..open].iter().rev().take_while(|b| of_name(b)).count()
}

/// The bracket of a list that is an argument: `[]string{`, `new[] {`, `{`, `[`.
fn opened(text: &[u8], at: usize) -> Option<usize> {
    let start = skip(text, at, |b| b == b' ');
    let word = OPENERS.iter().find(|opener| text[start..].starts_with(opener)).map_or(0, |opener| opener.len());
    let open = skip(text, start + word, |b| b == b' ');
    matches!(text.get(open), Some(b'{' | b'[')).then_some(open)
}

/// What goes before the bracket of a list.
const OPENERS: [&[u8]; 6] = [b"array(", b"[]string", b"new[]", b"new []", b"new string[]", b"new String[]"];

/// The literals of a list that opens at `open`, and the place of the bracket that closes it; nothing if anything else is in it.
fn literals(text: &[u8], open: usize, finds: &mut Finds<'_>) -> Option<(usize, Vec<Range<usize>>)> {
    let mut end = open + 1;
    let list = if finds.work.is_spent { None } else { read_literals(text, &mut end) };
    // A list within lists is read with each of them: that is charged like what is decoded.
    finds.work.takes((end - open) / CHARGED);
    list
}

/// The same from `place` on, which becomes the place up to which it was read.
fn read_literals(text: &[u8], place: &mut usize) -> Option<(usize, Vec<Range<usize>>)> {
    let high = text.len().min(*place + LONGEST_LIST);
    let mut pieces = Vec::new();
    while *place < high && pieces.len() < MOST_PIECES {
        match text[*place] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b'(' | b'{' => *place += 1,
            b'"' | b'\'' | b'`' => {
                let piece = literal_at(text, *place)?;
                *place = piece.end + 1;
                pieces.push(piece);
            }
            b']' | b')' | b'}' => return (!pieces.is_empty()).then_some((*place, pieces)),
            _ => *place += OPENERS.iter().find(|opener| text[*place..high].starts_with(opener))?.len(),
        }
    }
    None
}
