//! What value is bound to a name? Reads the syntax around a sensitive word: assignments, map entries, arguments, setters,
//! comparisons, attributes and elements, command-line flags, SQL clauses, and pairs of `name:` and `value:` lines.
//!
//! It knows no language's grammar but the shapes they share; whether a value is a literal at all is for the caller to judge
//! from [`Assignment::quote`] and the language. Work for each word is bounded, so a text costs linear time.
//!
//! It is long because one cursor reads all shapes: apart they would each repeat how blanks, quotes and ends are told.

use std::ops::Range;

use super::{element, name, plausible, quoting};

/// How name and value are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bind {
    /// `=`, `:=`, `<-`
    Assign,
    /// `:`, `=>`, `->`
    Entry,
    /// `==`, `!=`
    Compare,
    /// `name(value`, as in a setter or constructor
    Call,
    /// `"name", value`
    Comma,
    /// `<name>value<`
    Element,
    /// `--name value`, `PASSWORD 'value'`
    Space,
    /// `name: X` and below it `value: Y`
    NextLine,
}

/// A name with the value bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    /// The whole identifier around the sensitive word.
    pub(super) name: Range<usize>,
    /// The value without its quotes.
    pub(super) value: Range<usize>,
    pub(super) bind: Bind,
    /// The quote around the value, if any.
    pub(super) quote: Option<u8>,
    /// True when the value's quote is escaped: it stands in a string itself.
    pub(super) escaped: bool,
    /// True when the name is quoted.
    pub(super) name_quoted: bool,
}

/// Longer identifiers are no names.
const LONGEST_NAME: usize = 80;
/// Longer values are texts or data, into which the vendors' rules and the decoders look.
const LONGEST_VALUE: usize = 4096;
/// A literal in front of a comparison ends this close to the name's beginning.
const LONGEST_LITERAL_BEFORE: usize = 200;
/// In a netrc file the words before a password stand this close.
const NETRC_LINE: usize = 200;
/// Between a name and its value stand at most so many blanks.
const LONGEST_GAP: usize = 40;

/// What binds a value, longer signs first.
const SIGNS: [(&[u8], Bind); 13] = [
    (b"===", Bind::Compare),
    (b"!==", Bind::Compare),
    (b"==", Bind::Compare),
    (b"!=", Bind::Compare),
    (b"=>", Bind::Entry),
    (b":=", Bind::Assign),
    (b"::", Bind::Entry),
    (b"->", Bind::Entry),
    (b"<-", Bind::Assign),
    (b"||=", Bind::Assign),
    (b"+=", Bind::Assign),
    (b"?=", Bind::Assign),
    (b"=", Bind::Assign),
];

/// The value without quotes that was read last: the names in it are bound to parts of it, which end where it ends.
#[derive(Clone, Copy, Default)]
pub(super) struct Bare {
    start: usize,
    end: usize,
}

/// Reads what is bound to the name around the word at `word`.
pub(super) fn at(text: &[u8], word: Range<usize>, bare: &mut Bare) -> Option<Assignment> {
    let name = name_around(text, word)?;
    let mut cursor = Cursor { text, at: name.end };
    let name_quoted = cursor.skip_closers();
    let Some((bind, mut value)) = cursor.operator(&name, name_quoted) else {
        return compared_before(text, name.clone()).or_else(|| element_before(text, name));
    };
    let (range, quote, escaped) = value.value(bind, bare)?;
    let value = without_object(text, without_scheme(text, without_inner_quotes(text, range)));
    Some(Assignment { name, value, bind, quote, escaped, name_quoted })
}

/// `"Bearer value"`: the first word says how the rest is sent.
fn without_scheme(text: &[u8], value: Range<usize>) -> Range<usize> {
    const SCHEMES: [&[u8]; 3] = [b"bearer ", b"token ", b"apikey "];
    let is = |scheme: &&&[u8]| text[value.clone()].get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let Some(scheme) = SCHEMES.iter().find(is) else { return value };
    let rest = &text[value.start + scheme.len()..value.end];
    // More words are a sentence.
    if rest.is_empty() || rest.contains(&b' ') { value } else { value.end - rest.len()..value.end }
}

/// `'"value"'`: generators of code quote once for themselves and once for the code they write.
fn without_inner_quotes(text: &[u8], value: Range<usize>) -> Range<usize> {
    let quoted = value.len() > 4 && matches!(text[value.start], b'"' | b'\'') && text[value.end - 1] == text[value.start];
    if quoted { value.start + 1..value.end - 1 } else { value }
}

/// `"{\"user\":\"me\",\"value\":\"…\"}"`: an object in a string, in which one member was drawn at random. That one is the value.
fn without_object(text: &[u8], value: Range<usize>) -> Range<usize> {
    /// Larger ones are data.
    const LONGEST: usize = 512;
    const MEMBERS: usize = 8;
    let object = &text[value.clone()];
    if object.len() > LONGEST || !object.starts_with(b"{") || !object.ends_with(b"}") {
        return value;
    }
    let quotes: Vec<usize> = memchr::memchr_iter(b'"', object).take(4 * MEMBERS + 1).collect();
    let end = |close: usize| close - usize::from(object[close - 1] == b'\\');
    let strings: Vec<Range<usize>> = quotes.chunks_exact(2).map(|pair| pair[0] + 1..end(pair[1]).max(pair[0] + 1)).collect();
    let mut drawn = strings.iter().filter(|string| is_drawn_word(&object[string.start..string.end]));
    match (drawn.next(), drawn.next()) {
        (Some(only), None) if strings.len() <= 2 * MEMBERS => value.start + only.start..value.start + only.end,
        _ => value,
    }
}

/// Letters and digits in an order that chance makes, and long enough to be sure of it.
fn is_drawn_word(word: &[u8]) -> bool {
    const SHORTEST: usize = 16;
    word.len() >= SHORTEST
        && word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/' | b'='))
        && plausible::looks_drawn(word)
}

/// A literal of many lines may begin and end on lines of its own.
fn without_blanks(text: &[u8], value: Range<usize>) -> Range<usize> {
    let inside = &text[value.clone()];
    let start = value.start + (inside.len() - inside.trim_ascii_start().len());
    start..(value.start + inside.trim_ascii_end().len()).max(start)
}

/// `"value" == name`: the literal stands first, so that a forgotten `=` does not assign.
fn compared_before(text: &[u8], name: Range<usize>) -> Option<Assignment> {
    let low = name.start.saturating_sub(LONGEST_LITERAL_BEFORE);
    let before = text[low..name.start].trim_ascii_end();
    let before = before
        .strip_suffix(b"===")
        .or_else(|| before.strip_suffix(b"!=="))
        .or_else(|| before.strip_suffix(b"=="))
        .or_else(|| before.strip_suffix(b"!="))?;
    let before = before.trim_ascii_end();
    let quote = *before.last().filter(|b| matches!(b, b'"' | b'\''))?;
    let literal = &before[..before.len() - 1];
    let open = memchr::memrchr(quote, literal).filter(|&open| !literal[open..].contains(&b'\n'))?;
    let value = low + open + 1..low + literal.len();
    Some(Assignment { name, value, bind: Bind::Compare, quote: Some(quote), escaped: false, name_quoted: false })
}

/// `<property value="value" name="name"/>`
fn element_before(text: &[u8], name: Range<usize>) -> Option<Assignment> {
    let (value, quote) = element::value_before(text, &name)?;
    Some(Assignment { name, value, bind: Bind::Element, quote: Some(quote), escaped: false, name_quoted: true })
}

fn name_around(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let belongs = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$');
    let before = text[..word.start].iter().rev().take(LONGEST_NAME + 1).take_while(|b| belongs(b)).count();
    let after = text[word.end..].iter().take(LONGEST_NAME + 1).take_while(|b| belongs(b)).count();
    if before > LONGEST_NAME || after > LONGEST_NAME {
        return None;
    }
    let (mut start, mut end) = (word.start - before, word.end + after);
    // A full stop ends a sentence rather than a name, and dashes in front mark a flag.
    while end > word.end && matches!(text[end - 1], b'.' | b'-' | b'$') {
        end -= 1;
    }
    while start < word.start && matches!(text[start], b'.' | b'-') {
        start += 1;
    }
    Some(start..end)
}

#[derive(Clone)]
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, what: &[u8]) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn blanks(&mut self) -> usize {
        let count = self.rest().iter().take(LONGEST_GAP).take_while(|b| matches!(b, b' ' | b'\t')).count();
        self.at += count;
        count
    }

    /// Content of an element may begin on the next line; true where it does.
    fn newlines(&mut self) -> bool {
        let count = self.rest().iter().take(LONGEST_GAP).take_while(|b| b.is_ascii_whitespace()).count();
        let passed = self.rest()[..count].contains(&b'\n');
        self.at += count;
        passed
    }

    /// Is what stands here one line of content with the end of an element behind it?
    fn is_closed(&self) -> bool {
        let rest = &self.rest()[..self.rest().len().min(LONGEST_VALUE)];
        let line = rest.iter().position(|b| matches!(b, b'<' | b'\n')).unwrap_or(rest.len());
        rest[line..].trim_ascii_start().starts_with(b"</")
    }

    /// Passes the end of a quoted or bracketed name; true when it was quoted.
    fn skip_closers(&mut self) -> bool {
        let mut quoted = false;
        for _ in 0..4 {
            if matches!(self.peek(), b'\\') && matches!(self.text.get(self.at + 1), Some(b'"' | b'\'')) {
                self.at += 2;
                quoted = true;
            } else if matches!(self.peek(), b'"' | b'\'' | b'`') {
                self.at += 1;
                quoted = true;
            } else if matches!(self.peek(), b']' | b'?' | b'!') && self.text.get(self.at + 1) != Some(&b'=') {
                self.at += 1;
            } else {
                break;
            }
        }
        quoted
    }

    /// Reads what binds the value; gives the place where the value begins.
    fn operator(&self, name: &Range<usize>, name_quoted: bool) -> Option<(Bind, Cursor<'a>)> {
        let mut c = self.clone();
        let gap = c.blanks();
        let signs: &[(&[u8], Bind)] = if matches!(c.peek(), b'=' | b'!' | b':' | b'-' | b'<' | b'|' | b'+' | b'?') { &SIGNS } else { &[] };
        for &(sign, bind) in signs {
            if c.take(sign) {
                return Some((bind, c));
            }
        }
        if c.take(b":") {
            // `name: string = value`, `name: String? = value`
            let mut typed = c.clone();
            typed.blanks();
            let word = typed
                .rest()
                .iter()
                .take(LONGEST_NAME)
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'?' | b'<' | b'>' | b'&' | b'\'' | b'[' | b']'))
                .count();
            typed.at += word;
            typed.blanks();
            if word > 0 && typed.peek() == b'=' && typed.text.get(typed.at + 1) != Some(&b'=') {
                typed.at += 1;
                return Some((Bind::Assign, typed));
            }
            return Some((Bind::Entry, c));
        }
        if name_quoted && gap <= 1 && c.take(b",") {
            return Some((Bind::Comma, c));
        }
        let mut attribute = c.clone();
        if name_quoted && (attribute.newlines() || gap > 0) && [&b"value="[..], b"Value=", b"content="].iter().any(|next| attribute.take(next)) {
            return Some((Bind::Element, attribute));
        }
        if !name_quoted && gap == 0 && c.take(b"(") {
            return Some((Bind::Call, c));
        }
        if !name_quoted && let Some(content) = c.element(name) {
            return Some((Bind::Element, content));
        }
        let content = if name_quoted { element::named(self.text, name, self.at) } else { element::next(self.text, self.at) };
        if let Some(at) = content {
            return Some((Bind::Element, Cursor { text: self.text, at }));
        }
        // `token - "value"`, as people write lists.
        if gap > 0 && c.rest().starts_with(b"- ") && matches!(c.rest().get(2), Some(b'"' | b'\'')) {
            c.at += 2;
            return Some((Bind::Entry, c));
        }
        let token = || c.token_line(name).filter(|_| name::is_sensitive(&self.text[name.clone()]).is_some());
        if let Some(value) = c.value_line().or_else(token) {
            return Some((Bind::NextLine, value));
        }
        // A cell of a table.
        if let Some(cell) = c.cell().filter(Cursor::begins_with_drawn_word) {
            return Some((Bind::Space, cell));
        }
        if gap > 0 && !name_quoted {
            return self.after_space(name, c);
        }
        None
    }

    /// The content of the element with this name: `<name>`, `<x:name attribute="…">`.
    fn element(&self, name: &Range<usize>) -> Option<Cursor<'a>> {
        let before = self.text[..name.start].iter().rev().take(LONGEST_NAME);
        let opens = before.copied().find(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-' | b'.'))) == Some(b'<');
        if !opens {
            return None;
        }
        element::end_of_tag(self.text, self.at).map(|at| Cursor { text: self.text, at })
    }

    /// Flags, SQL clauses, `netrc` words, and typed declarations: `password string = "x"`.
    fn after_space(&self, name: &Range<usize>, mut c: Cursor<'a>) -> Option<(Bind, Cursor<'a>)> {
        let flag = name.start > 0 && self.text[name.start - 1] == b'-';
        if flag || matches!(c.peek(), b'"' | b'\'') {
            return Some((Bind::Space, c));
        }
        let word =
            c.rest().iter().take(LONGEST_NAME).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'*' | b'[' | b']')).count();
        let mut typed = c.clone();
        typed.at += word;
        let gap = typed.blanks();
        let words = &c.rest()[..word];
        if gap > 0 && [b"by", b"to", b"is"].iter().any(|word| words.eq_ignore_ascii_case(*word)) {
            let states = words.eq_ignore_ascii_case(b"is");
            let mut quoted = typed.clone();
            quoted.take(b"\\");
            if matches!(quoted.peek(), b'"' | b'\'') {
                return Some((Bind::Space, quoted));
            }
            return (states && typed.begins_with_mixed_word()).then_some((Bind::Space, typed));
        }
        if word > 0 && typed.peek() == b'=' && !matches!(typed.text.get(typed.at + 1), Some(b'=' | b'~')) {
            typed.at += 1;
            return Some((Bind::Assign, typed));
        }
        // In a netrc file the words stand side by side.
        let low = name.start.saturating_sub(NETRC_LINE);
        let line_start = memchr::memrchr(b'\n', &self.text[low..name.start]).map_or(low, |at| low + at + 1);
        let line = &self.text[line_start..name.start];
        if memchr::memmem::find(line, b"login ").is_some() || memchr::memmem::find(line, b"machine ").is_some() {
            c.take(b"\\");
            return Some((Bind::Space, c));
        }
        c.begins_with_drawn_word().then_some((Bind::Space, c))
    }

    /// Prose does not quote: there a value is a long word in which letters and digits alternate.
    fn begins_with_mixed_word(&self) -> bool {
        const SHORTEST: usize = 10;
        let word = self.rest().iter().take(LONGEST_NAME).take_while(|b| b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b',' | b';')).count();
        let word = &self.rest()[..word];
        word.len() >= SHORTEST && word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic)
    }

    /// `api key 8363e3ca…`: a long word of letters and digits right behind the name, and nothing else in it.
    fn begins_with_drawn_word(&self) -> bool {
        const SHORTEST: usize = 16;
        let word = self.rest().iter().take(LONGEST_NAME).take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
        let ended = self.rest().get(word).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`'));
        let word = &self.rest()[..word];
        ended && word.len() >= SHORTEST && word.iter().filter(|b| b.is_ascii_digit()).count() >= 3 && word.iter().any(u8::is_ascii_alphabetic)
    }

    /// `value:` on the line below a name, as in Kubernetes' `env`.
    fn value_line(&self) -> Option<Cursor<'a>> {
        let mut c = self.clone();
        c.take(b"\r");
        c.take(b",");
        if !c.take(b"\n") {
            return None;
        }
        c.blanks();
        c.take(b"\"");
        if !(c.take(b"value") || c.take(b"Value")) {
            return None;
        }
        c.take(b"\"");
        c.blanks();
        c.take(b":").then_some(c)
    }

    /// `# The secret of the client` and, on the line below, a token and nothing else. Long data has such lines too, many of them,
    /// and no blank before what looks like a name.
    fn token_line(&self, name: &Range<usize>) -> Option<Cursor<'a>> {
        /// The rest of the words above; and the tokens that services hand out.
        const REST: usize = 40;
        const LENGTHS: std::ops::RangeInclusive<usize> = 32..=128;
        let of_token = |line: &[u8]| {
            let body =
                line.iter().take(LENGTHS.end() + 1).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/')).count();
            body + line[body..].iter().take(2).take_while(|b| **b == b'=').count()
        };
        let rest = self.rest();
        let words = rest.iter().take(REST + 1).take_while(|b| b.is_ascii_alphabetic() || matches!(b, b' ' | b'.' | b':' | b'\r')).count();
        let is_phrase = name.start.checked_sub(1).is_some_and(|before| self.text[before] == b' ');
        if rest.get(words) != Some(&b'\n') || !is_phrase {
            return None;
        }
        let line = &rest[words + 1..];
        let length = of_token(line);
        let behind = line[length..].strip_prefix(b"\r").unwrap_or(&line[length..]);
        let alone = behind.is_empty() || behind.strip_prefix(b"\n").is_some_and(|below| of_token(below) < *LENGTHS.start());
        (LENGTHS.contains(&length) && alone && plausible::looks_drawn(&line[..length])).then_some(Cursor { text: self.text, at: self.at + words + 1 })
    }

    /// The cell behind the one with the name, in a table of Markdown.
    fn cell(&self) -> Option<Cursor<'a>> {
        let mut c = self.clone();
        let found = c.take(b"|");
        c.blanks();
        found.then_some(c)
    }

    /// Reads the value: its range, quote, and whether that is escaped.
    fn value(&mut self, bind: Bind, bare: &mut Bare) -> Option<(Range<usize>, Option<u8>, bool)> {
        self.blanks();
        if bind == Bind::Element && !matches!(self.peek(), b'"' | b'\'') {
            let is_below = self.newlines();
            if let Some(value) = element::cdata(self.text, self.at, LONGEST_VALUE) {
                return (!value.is_empty()).then_some((value, None, false));
            }
            if is_below && !self.is_closed() {
                return None; // `<name>` in prose stands for a value, and the next line goes on without it
            }
            let ends = |b: &u8| matches!(b, b'<' | b'\n' | b'\r');
            let rest = &self.rest()[..self.rest().len().min(LONGEST_VALUE)];
            let end = rest.iter().position(ends).map_or(self.text.len(), |length| self.at + length);
            return self.unquoted(end);
        }
        if matches!(bind, Bind::Assign | Bind::Entry) {
            self.at = quoting::past_tags(self.text, self.at)?;
            if let Some(quoted) = quoting::value(self.text, self.at) {
                return (!quoted.value.is_empty()).then_some((quoted.value, quoted.quote, false));
            }
        }
        self.wrappers();
        let escaped = self.take(b"\\\\\\") || self.take(b"\\");
        let quote = self.peek();
        if matches!(quote, b'"' | b'\'' | b'`') {
            self.at += 1;
            let triple = self.rest().starts_with(&[quote, quote]);
            if triple {
                self.at += 2;
            }
            let (value, quote, escaped) = self.quoted(quote, escaped, triple)?;
            return Some((if triple { without_blanks(self.text, value) } else { value }, quote, escaped));
        }
        if bind == Bind::Call && !escaped {
            return self.returned();
        }
        if escaped || bind == Bind::Comma {
            return None; // an expression
        }
        if !(bare.start..bare.end).contains(&self.at) {
            let ends =
                |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b',' | b';' | b'<' | b'>' | b'&' | b')' | b'}' | b']' | b'|');
            let end = self.rest().iter().position(ends).map_or(self.text.len(), |length| self.at + length);
            *bare = Bare { start: self.at, end };
        }
        self.unquoted(bare.end).or_else(|| self.scrambled())
    }

    /// `func apiToken() string { return "…" }`: what a function of that name does first is to return a literal.
    fn returned(&self) -> Option<(Range<usize>, Option<u8>, bool)> {
        /// Parameters and types are longer seldom.
        const FAR: usize = 120;
        const RETURN: &[u8] = b"return ";
        let rest = &self.rest()[..self.rest().len().min(FAR)];
        let found = memchr::memmem::find(rest, RETURN)?;
        let between = &rest[..found];
        let is_head =
            between.contains(&b')') && !between.contains(&b';') && !between.contains(&b'=') && between.iter().any(|b| matches!(b, b'{' | b':'));
        let mut literal = Cursor { text: self.text, at: self.at + found + RETURN.len() };
        literal.blanks();
        let quote = literal.peek();
        (is_head && matches!(quote, b'"' | b'\'' | b'`')).then(|| Cursor { text: self.text, at: literal.at + 1 })?.quoted(quote, false, false)
    }

    /// Calls and literals' prefixes in front of a string: `Some("`, `new X("`, `[]byte("`, `b'`, `@"`, `$'`.
    fn wrappers(&mut self) {
        for _ in 0..3 {
            let length = self
                .rest()
                .iter()
                .take(LONGEST_NAME)
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'[' | b']' | b'!' | b'@' | b'$' | b'&' | b'*'))
                .count();
            let mut c = self.clone();
            c.at += length;
            let prefix = length <= 2 && matches!(c.peek(), b'"' | b'\'' | b'`');
            if prefix {
                self.at = c.at;
                return;
            }
            if self.rest()[..length].eq_ignore_ascii_case(b"new") {
                c.blanks();
                self.at = c.at;
                continue;
            }
            if matches!(c.peek(), b'(' | b'[' | b'{')
                && (length == 0 || matches!(c.text.get(c.at + 1), Some(b'"' | b'\'' | b'`' | b'b' | b'@')))
                && c.text.get(c.at + 1) != Some(&c.peek())
            {
                c.at += 1;
                c.blanks();
                self.at = c.at;
                continue;
            }
            return;
        }
    }

    fn quoted(&self, quote: u8, escaped: bool, triple: bool) -> Option<(Range<usize>, Option<u8>, bool)> {
        let rest = &self.rest()[..self.rest().len().min(LONGEST_VALUE)];
        let mut at = 0;
        while at < rest.len() {
            match rest[at] {
                b'\\' if escaped && rest.get(at + 1) == Some(&quote) => return Some((self.at..self.at + at, Some(quote), true)),
                b'\\' if escaped && rest[at..].starts_with(b"\\\\\\") => return Some((self.at..self.at + at, Some(quote), true)),
                b'\\' => at += 2,
                b if b == quote && (!triple || rest[at..].starts_with(&[quote; 3])) => return Some((self.at..self.at + at, Some(quote), escaped)),
                b'\n' if !triple => return None,
                _ => at += 1,
            }
        }
        None
    }

    fn unquoted(&self, end: usize) -> Option<(Range<usize>, Option<u8>, bool)> {
        if end - self.at > LONGEST_VALUE {
            return None;
        }
        let value = self.text[self.at..end].trim_ascii_end();
        // An open brace without quotes begins a map or a place that a template fills in.
        (!value.is_empty() && !value.contains(&b'{')).then_some((self.at..self.at + value.len(), None, false))
    }

    /// Signs as no language puts them are a password up to the next blank, whatever they are.
    fn scrambled(&self) -> Option<(Range<usize>, Option<u8>, bool)> {
        /// Nobody types a longer one.
        const LONGEST: usize = 128;
        let word = self.rest().iter().take(LONGEST + 1).take_while(|b| b.is_ascii_graphic()).count();
        let value = &self.rest()[..word];
        let end = value.iter().rposition(|b| !matches!(b, b',' | b';' | b'"' | b'\'' | b'`')).map_or(0, |at| at + 1);
        (word <= LONGEST && plausible::is_scramble(&value[..end])).then_some((self.at..self.at + end, None, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::shape::fill;

    fn read(text: &str, word: &str) -> Option<(String, String, Bind)> {
        let at = text.find(word).unwrap();
        let found = super::at(text.as_bytes(), at..at + word.len(), &mut Bare::default())?;
        Some((text[found.name].to_owned(), text[found.value].to_owned(), found.bind))
    }

    #[test]
    fn every_common_syntax_gives_name_and_value() {
        for (text, word, name, value, bind) in [
            ("db_password = \"abc def\"", "pass", "db_password", "abc def", Bind::Assign),
            ("export API_KEY=abc123 \\", "KEY", "API_KEY", "abc123", Bind::Assign),
            ("  'password' => 'tyf\\'x',", "pass", "password", "tyf\\'x", Bind::Entry),
            ("{\"token\": \"x1\"}", "token", "token", "x1", Bind::Entry),
            ("\"{\\\"token\\\":\\\"x1\\\"}\"", "token", "token", "x1", Bind::Entry),
            ("const apiSecret: string = 'x1';", "Secret", "apiSecret", "x1", Bind::Assign),
            ("conn.setAppKey(\"x1\")", "Key", "conn.setAppKey", "x1", Bind::Call),
            ("getenv(\"PGPASSWORD\", \"x1\")", "PASS", "PGPASSWORD", "x1", Bind::Comma),
            ("password = Some(\"x1\"),", "pass", "password", "x1", Bind::Assign),
            ("var key = []byte(\"x1\")", "key", "key", "x1", Bind::Assign),
            ("if password == b'x1':", "pass", "password", "x1", Bind::Compare),
            ("<password>x1</password>", "pass", "password", "x1", Bind::Element),
            ("<add key=\"Password\" value=\"x1\"/>", "Pass", "Password", "x1", Bind::Element),
            ("mysql --password x1 -u", "pass", "password", "x1", Bind::Space),
            ("ALTER USER a IDENTIFIED BY 'x1'", "IDENTIFIED", "IDENTIFIED", "x1", Bind::Space),
            ("ALTER USER a PASSWORD 'x1'", "PASS", "PASSWORD", "x1", Bind::Space),
            ("- name: DB_PASSWORD\n  value: x1\n", "PASS", "DB_PASSWORD", "x1", Bind::NextLine),
            ("machine h login u password x1", "pass", "password", "x1", Bind::Space),
            ("http://h/?token=x1&b=2", "token", "token", "x1", Bind::Assign),
            ("if (\"x1\" == password) {", "pass", "password", "x1", Bind::Compare),
            ("my token - 'x1'", "token", "token", "x1", Bind::Entry),
            ("<a:password type=\"y\" >x1</a:password>", "pass", "password", "x1", Bind::Element),
            ("<myToken>\n    x1\n</myToken>", "Token", "myToken", "x1", Bind::Element),
            ("f('A', 'API_KEY', '\"x1yz\"')", "KEY", "API_KEY", "x1yz", Bind::Comma),
            ("my api key a1b2c3d4e5f6a7b8 is", "key", "key", "a1b2c3d4e5f6a7b8", Bind::Space),
            ("its password is x1y2z3w4v5", "pass", "password", "x1y2z3w4v5", Bind::Space),
            ("auth = \"Bearer x1y\"", "auth", "auth", "x1y", Bind::Assign),
            ("func getToken() string { return \"x1\" }", "Token", "getToken", "x1", Bind::Call),
            ("def api_key(self):\n    return 'x1'\n", "key", "api_key", "x1", Bind::Call),
            ("password string = \"x1\"", "pass", "password", "x1", Bind::Assign),
        ] {
            let found = read(text, word).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.0.as_str(), found.1.as_str(), found.2), (name, value, bind), "{text}");
        }
    }

    #[test]
    fn a_drawn_value_is_read_where_a_plain_word_is_not() {
        let (token, scramble) = (fill("{alnum:32}", 7), fill("{lower:1}{{{lower:1}}{lower:2})p${{lower:1}]n(o[f>-_$#{lower:1}}}", 7));
        for (text, value, bind) in
            [(format!("# The secret of it\n{token}\n"), &token, Bind::NextLine), (format!("secret = {scramble},\n"), &scramble, Bind::Assign)]
        {
            assert_eq!(read(&text, "secret"), Some(("secret".to_owned(), value.clone(), bind)), "{text}");
        }
        for text in [format!("the secret of it:\n{token} and more\n"), format!("\tsecret\n{token}\n{token}\n")] {
            assert_eq!(read(&text, "secret"), None, "{text}");
        }
    }

    #[test]
    fn what_binds_nothing_is_nothing() {
        for text in ["the password is wrong", "password", "password)", "setToken(other)", "\"password\", value", "token \"unclosed\n\""] {
            let word = if text.contains("oken") { "oken" } else { "pass" };
            assert_eq!(read(text, word), None, "{text}");
        }
    }

    #[test]
    fn the_one_drawn_member_of_an_object_in_a_string_is_the_value() {
        let drawn = fill("{hex:32}", 7);
        for (text, value) in [
            (format!("\"apiToken\": \"{{\\\"user\\\":\\\"anna\\\",\\\"mark\\\":\\\"{drawn}\\\"}}\""), drawn.clone()),
            (format!("apiToken = '{{\"user\": \"anna\", \"mark\": \"{drawn}\"}}'"), drawn.clone()),
            ("apiToken = '{\"user\": \"anna\"}'".to_owned(), "{\"user\": \"anna\"}".to_owned()),
        ] {
            let found = read(&text, "Token").unwrap();
            assert_eq!(found.1, value, "{text}");
        }
    }
}
