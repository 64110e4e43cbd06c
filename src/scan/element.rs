//! What an element of XML holds: behind its name, behind a name in an attribute (`<entry key="password">value</entry>`), or
//! behind another element that names it (`<key>password</key><string>value</string>`).

use std::ops::Range;

/// The attributes of an element are shorter.
const LONGEST_ATTRIBUTES: usize = 200;
/// Elements that name and hold one value stand this close.
const LONGEST_GAP: usize = 80;
/// Longer names of elements are none.
const LONGEST_TAG: usize = 60;
const CDATA: &[u8] = b"<![CDATA[";

/// What stands in a CDATA section that begins here and is all that its element holds.
pub(super) fn cdata(text: &[u8], at: usize, longest: usize) -> Option<Range<usize>> {
    let start = at + text.get(at..)?.starts_with(CDATA).then_some(CDATA.len())?;
    let inside = &text[start..text.len().min(start + longest)];
    let end = memchr::memmem::find(inside, b"]]>")?;
    let behind = &text[start + end + b"]]>".len()..];
    behind[..behind.len().min(LONGEST_GAP)].trim_ascii_start().starts_with(b"</").then(|| {
        let value = inside[..end].trim_ascii();
        let blanks = end - inside[..end].trim_ascii_start().len();
        start + blanks..start + blanks + value.len()
    })
}

/// The place where the value begins of the element that an attribute names: the name's quote ends at `end`.
pub(super) fn named(text: &[u8], name: &Range<usize>, end: usize) -> Option<usize> {
    naming_attribute(text, name)?;
    let content = end_of_tag(text, end)?;
    let inner = past_blanks(text, content);
    let value = opened(text, inner).filter(|tag| is_value(&text[tag.clone()])).and_then(|tag| end_of_tag(text, tag.end));
    value.or(Some(content)).filter(|&value| is_closed(text, value))
}

/// The value in an attribute in front of the one with the name, and its quote.
pub(super) fn value_before(text: &[u8], name: &Range<usize>) -> Option<(Range<usize>, u8)> {
    let attribute = naming_attribute(text, name)?;
    let low = attribute.saturating_sub(LONGEST_ATTRIBUTES);
    let before = text[low..attribute].trim_ascii_end();
    let (&quote, value) = before.split_last().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    let open = memchr::memrchr(quote, value)?;
    let is_value = value[..open].ends_with(b" value=") || value[..open].ends_with(b" Value=");
    is_value.then_some((low + open + 1..low + value.len(), quote))
}

/// Where the attribute begins whose value is this name, if it is one that names.
fn naming_attribute(text: &[u8], name: &Range<usize>) -> Option<usize> {
    let before = &text[..name.start.checked_sub(1).filter(|&quote| matches!(text[quote], b'"' | b'\''))?];
    [&b"name="[..], b"Name=", b"key=", b"Key="].iter().find_map(|attribute| before.strip_suffix(*attribute)).map(<[u8]>::len)
}

/// The place where the value begins that the next element holds: `</key>` stands at `end`.
pub(super) fn next(text: &[u8], end: usize) -> Option<usize> {
    let tag = text.get(end..)?.strip_prefix(b"</")?;
    let length = tag.iter().take(LONGEST_TAG).take_while(|b| is_of_tag(b)).count();
    let names = ends_with(&tag[..length], b"name") || ends_with(&tag[..length], b"key");
    let closed = names && tag.get(length) == Some(&b'>');
    let next = past_blanks(text, closed.then_some(end + 2 + length + 1)?);
    let value = opened(text, next).filter(|tag| is_value(&text[tag.clone()])).and_then(|tag| end_of_tag(text, tag.end))?;
    is_closed(text, value).then_some(value)
}

/// Is what stands here content of one line with the end of an element behind it?
fn is_closed(text: &[u8], at: usize) -> bool {
    /// Longer ones are texts.
    const LONGEST: usize = 4096;
    let content = &text[at..text.len().min(at + LONGEST)];
    if content.trim_ascii_start().starts_with(CDATA) {
        return true;
    }
    let end = content.iter().position(|b| matches!(b, b'<' | b'\n'));
    end.is_some_and(|end| content[end..].starts_with(b"</"))
}

/// The name of the element that opens here.
fn opened(text: &[u8], at: usize) -> Option<Range<usize>> {
    let tag = text.get(at..)?.strip_prefix(b"<")?;
    let length = tag.iter().take(LONGEST_TAG).take_while(|b| is_of_tag(b)).count();
    (length > 0).then_some(at + 1..at + 1 + length)
}

/// `string`, `value`, `param-value`
fn is_value(tag: &[u8]) -> bool {
    ends_with(tag, b"string") || ends_with(tag, b"value")
}

fn ends_with(tag: &[u8], end: &[u8]) -> bool {
    tag.len().checked_sub(end.len()).is_some_and(|at| tag[at..].eq_ignore_ascii_case(end))
}

fn is_of_tag(b: &u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.')
}

/// Behind the attributes that stand here, where the element holds something.
pub(super) fn end_of_tag(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..text.len().min(at + LONGEST_ATTRIBUTES))?;
    let end = rest.iter().position(|b| matches!(b, b'>' | b'<' | b'\n'))?;
    (rest[end] == b'>' && !rest[..end].ends_with(b"/")).then_some(at + end + 1)
}

fn past_blanks(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take(LONGEST_GAP).take_while(|b| b.is_ascii_whitespace()).count()
}
