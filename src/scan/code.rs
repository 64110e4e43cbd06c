//! What of a call or a statement is code? Text in quotes and comments are blanked, what is interpolated into text is kept.
//!
//! One small lexer for all languages, from a place that is known to be code: it knows quotes, escapes, comments and
//! interpolations, joins continued lines and ends with the call's parenthesis or with the statement. It does not parse.

use super::language::Language;

/// A longer call is data; its beginning says what there is to say.
pub(super) const LONGEST: usize = 4 << 10;
/// Interpolations nest in source that people read twice at most; more is hostile.
const DEEPEST: u8 = 4;

/// The stretch of text that a call or statement covers.
pub(super) struct Code {
    /// Where it begins in the text.
    pub(super) start: usize,
    /// As long as the stretch, with spaces for all that is not code. Quotes stay.
    pub(super) bytes: Vec<u8>,
}

/// How text in quotes takes up the value of a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interpolation {
    None,
    /// `{name}`
    Braces,
    /// `${name}`
    DollarBraces,
    /// `$name` and `${name}`
    Dollar,
    /// `#{name}`
    HashBraces,
    /// `\(name)`
    BackslashParenthesis,
}

/// The arguments of the call whose name ends at `at`, or the rest of the statement where the language writes calls without
/// parentheses; not more than `longest` bytes of it. `None` where neither follows.
pub(super) fn arguments(text: &[u8], at: usize, language: Language, longest: usize) -> Option<Code> {
    let gap = text[at..].iter().take(longest).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let start = at + gap;
    let call = text.get(start) == Some(&b'(') && !is_shell(language);
    if !call && !has_bare_calls(language) {
        return None;
    }
    let start = if call { start + 1 } else { start };
    Some(read(text, start, language, if call { Stop::Close } else { Stop::Statement }, longest))
}

/// What follows `at` up to the end of the call that it stands in.
pub(super) fn rest_of_call(text: &[u8], at: usize, language: Language) -> Code {
    read(text, at, language, Stop::Close, LONGEST)
}

fn read(text: &[u8], start: usize, language: Language, stop: Stop, longest: usize) -> Code {
    let end = text.len().min(start + longest);
    let mut lexer = Lexer { text, at: start, start, end, language, bytes: vec![b' '; end - start], last: 0 };
    lexer.code(stop, 0);
    let length = lexer.at.min(end) - start;
    lexer.bytes.truncate(length);
    Code { start, bytes: lexer.bytes }
}

/// Shells and the formats that hold their scripts.
pub(super) fn is_shell(language: Language) -> bool {
    matches!(language, Language::Shell | Language::Yaml | Language::Dockerfile | Language::Make | Language::Markdown | Language::Other)
}

fn has_bare_calls(language: Language) -> bool {
    is_shell(language) || matches!(language, Language::Ruby | Language::Php | Language::PowerShell | Language::C | Language::Groovy | Language::Sql)
}

/// What is known of the line that a place stands on. Places are asked for from the first to the last, so that a line of
/// megabytes is read once.
#[derive(Default)]
pub(super) struct Line {
    start: usize,
    at: usize,
    /// The quote of a text that has begun and not ended, and whether the next byte of it is escaped.
    open: Option<u8>,
    escaped: bool,
}

impl Line {
    /// True when the line up to `at` begins a comment.
    pub(super) fn is_commented(&mut self, text: &[u8], at: usize, language: Language) -> bool {
        self.read_to(text, at, language);
        let before = text[self.start..at].trim_ascii_start();
        let hash = !matches!(
            language,
            Language::C
                | Language::Rust
                | Language::JavaScript
                | Language::Go
                | Language::Java
                | Language::Groovy
                | Language::Kotlin
                | Language::Scala
                | Language::CSharp
        );
        before.starts_with(b"//")
            || before.starts_with(b"/*")
            || before.starts_with(b"* ")
            || before.starts_with(b"--")
            || hash && before.starts_with(b"#")
    }

    /// True when a text in quotes began on the same line before `at` and has not ended.
    pub(super) fn is_in_text(&mut self, text: &[u8], at: usize, language: Language) -> bool {
        if is_shell(language) {
            return false; // scripts stand in quotes there
        }
        self.read_to(text, at, language);
        self.open.is_some()
    }

    fn read_to(&mut self, text: &[u8], at: usize, language: Language) {
        let known = if self.at <= at { self.at } else { 0 };
        match memchr::memrchr(b'\n', &text[known..at]) {
            Some(newline) => *self = Self::at(known + newline + 1),
            None if known == 0 => *self = Self::at(0),
            None => {}
        }
        let characters = matches!(language, Language::Rust | Language::C | Language::Go | Language::Java | Language::Kotlin | Language::Scala);
        for &b in &text[self.at..at] {
            match self.open {
                _ if self.escaped => self.escaped = false,
                Some(_) if b == b'\\' => self.escaped = true,
                Some(quote) if b == quote => self.open = None,
                Some(_) => {}
                None if b == b'"' || b == b'\'' && !characters => self.open = Some(b),
                None => {}
            }
        }
        self.at = at;
    }

    fn at(start: usize) -> Self {
        Self { start, at: start, ..Self::default() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// At the bracket that closes one opened before.
    Close,
    /// At the end of the line, unless it goes on.
    Statement,
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    start: usize,
    end: usize,
    language: Language,
    bytes: Vec<u8>,
    /// The last byte of code that is no blank.
    last: u8,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text[..self.end].get(self.at + ahead).copied().unwrap_or(0)
    }

    fn keep(&mut self) {
        if !self.text[self.at].is_ascii_whitespace() {
            self.last = self.text[self.at];
        }
        self.bytes[self.at - self.start] = self.text[self.at];
        self.at += 1;
    }

    fn code(&mut self, stop: Stop, nesting: u8) {
        let mut depth = 0u32;
        while self.at < self.end {
            match self.peek(0) {
                b'"' | b'\'' | b'`' if self.opens_string() => self.string(nesting),
                b'/' if self.peek(1) == b'/' && !is_shell(self.language) && self.language != Language::Python => self.skip_line(),
                b'#' if self.hash_comments() => self.skip_line(),
                b'(' | b'[' | b'{' => {
                    depth += 1;
                    self.keep();
                }
                b')' | b']' | b'}' => {
                    if depth == 0 {
                        return;
                    }
                    depth -= 1;
                    self.keep();
                }
                b'\\' if self.peek(1) == b'\n' => self.at += 2,
                b'\n' | b';' if stop == Stop::Statement && depth == 0 && !self.goes_on() => return,
                _ => self.keep(),
            }
        }
    }

    /// A line that ends with a comma or an operator goes on.
    fn goes_on(&self) -> bool {
        self.peek(0) == b'\n' && !is_shell(self.language) && matches!(self.last, b',' | b'+' | b'.')
    }

    fn skip_line(&mut self) {
        while self.at < self.end && self.peek(0) != b'\n' {
            self.at += 1;
        }
    }

    fn hash_comments(&self) -> bool {
        let spaced = self.at == 0 || matches!(self.text[self.at - 1], b' ' | b'\t' | b'\n');
        spaced && (is_shell(self.language) || matches!(self.language, Language::Python | Language::Ruby | Language::Php | Language::PowerShell))
    }

    fn opens_string(&self) -> bool {
        use Language::{C, CSharp, Go, Java, JavaScript, Kotlin, Rust, Scala, Shell};
        match self.peek(0) {
            // A lifetime is no character.
            b'\'' if matches!(self.language, Rust | C | Go | Java | Kotlin | Scala | CSharp) => self.peek(1) == b'\\' || self.peek(2) == b'\'',
            b'`' => matches!(self.language, JavaScript | Go) && self.language != Shell,
            _ => true,
        }
    }

    fn string(&mut self, nesting: u8) {
        let quote = self.peek(0);
        let interpolation = self.interpolation(quote);
        let triple = self.peek(1) == quote && self.peek(2) == quote && quote != b'`';
        let width = if triple { 3 } else { 1 };
        for _ in 0..width {
            self.keep();
        }
        while self.at < self.end {
            let b = self.peek(0);
            if b == quote && (!triple || self.peek(1) == quote && self.peek(2) == quote) {
                (0..width).for_each(|_| {
                    if self.at < self.end {
                        self.keep()
                    }
                });
                return;
            }
            if b == b'\n' && !triple && !self.spans_lines(quote) {
                return; // an unclosed quote, an apostrophe in a comment
            }
            let opening = match interpolation {
                Interpolation::Braces if b == b'{' && self.peek(1) == b'{' => {
                    self.at += 2;
                    continue;
                }
                Interpolation::Braces if b == b'{' => 1,
                Interpolation::DollarBraces | Interpolation::Dollar if b == b'$' && matches!(self.peek(1), b'{') => 2,
                Interpolation::Dollar if b == b'$' && self.peek(1) == b'(' => 2,
                Interpolation::Dollar if b == b'{' && self.peek(1) == b'$' => 1,
                Interpolation::Dollar if b == b'$' => {
                    self.variable();
                    continue;
                }
                Interpolation::HashBraces if b == b'#' && self.peek(1) == b'{' => 2,
                Interpolation::BackslashParenthesis if b == b'\\' && self.peek(1) == b'(' => 2,
                _ => 0,
            };
            if opening > 0 && nesting < DEEPEST {
                let from = self.at;
                self.at += opening;
                // Shells write what belongs to the variable inside the braces.
                if is_shell(self.language) {
                    self.bytes[from - self.start] = b'$';
                    self.bytes[from + 1 - self.start] = self.text[from + 1];
                } else {
                    self.bytes[from - self.start] = b'(';
                }
                self.code(Stop::Close, nesting + 1);
                self.last = b')';
                if self.at < self.end {
                    self.bytes[self.at - self.start] = if is_shell(self.language) { self.text[self.at] } else { b')' };
                    self.at += 1;
                }
            } else if b == b'\\' {
                self.at += 2;
            } else {
                self.at += 1;
            }
        }
        self.at = self.at.min(self.end);
    }

    fn variable(&mut self) {
        self.keep();
        while self.at < self.end && (self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_') {
            self.keep();
        }
        // PHP and Kotlin differ here: only the former reads on after an arrow.
        if self.language == Language::Php && self.peek(0) == b'-' && self.peek(1) == b'>' {
            self.keep();
            self.variable();
        }
    }

    fn spans_lines(&self, quote: u8) -> bool {
        quote == b'`' || is_shell(self.language) || matches!(self.language, Language::Ruby | Language::Php | Language::PowerShell | Language::Rust)
    }

    fn interpolation(&self, quote: u8) -> Interpolation {
        let before = &self.text[..self.at];
        let prefix = before.iter().rev().take(2).take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'$' | b'@'));
        let has = |wanted: &[u8]| prefix.clone().any(|b| wanted.contains(&b.to_ascii_lowercase()));
        match self.language {
            Language::Python if has(b"ft") => Interpolation::Braces,
            Language::CSharp if has(b"$") => Interpolation::Braces,
            Language::Rust => Interpolation::Braces,
            Language::JavaScript if quote == b'`' => Interpolation::DollarBraces,
            Language::Scala if has(b"sf") => Interpolation::Dollar,
            Language::Kotlin => Interpolation::Dollar,
            Language::Groovy if quote == b'"' => Interpolation::Dollar,
            Language::Php | Language::PowerShell if quote == b'"' => Interpolation::Dollar,
            Language::Ruby if quote == b'"' => Interpolation::HashBraces,
            Language::Swift => Interpolation::BackslashParenthesis,
            _ if is_shell(self.language) && quote == b'"' => Interpolation::Dollar,
            _ => Interpolation::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, language: Language) -> String {
        let at = text.find('@').map_or(0, |at| at + 1);
        let code = arguments(text.as_bytes(), at, language, LONGEST).unwrap();
        String::from_utf8(code.bytes).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn text_is_blanked_and_what_is_interpolated_is_kept() {
        let table = [
            (Language::Python, "(f\"a {token} {{b}}\", x) # c", "f\"(token) \", x"),
            (Language::Python, "('password', \"token\")\nnext", "' ', \" \""),
            (Language::JavaScript, "(`pw ${a.pw} it's`, 'pw') // c", "` (a.pw) `, ' '"),
            (Language::Go, "(\"token %s\",\n\ttoken) }", "\" \", token"),
            (Language::Kotlin, "(\"a $password ${b.c}\")", "\" $password (b.c)\""),
            (Language::Ruby, " \"x #{token} y\"\nnext", "\" (token) \""),
            (Language::Ruby, " 'a',\n  token\nnext", "' ', token"),
            (Language::Swift, "(\"x \\(token) y\")", "\" (token) \""),
            (Language::Rust, "(\"{token:?} {{x}} {}\", y, 'a')", "\"(token:?) ( )\", y, ' '"),
            (Language::CSharp, "($\"{token}\" + \"{x}\")", "$\"(token)\" + \" \""),
            (Language::Php, " \"a $x->pw b {$y}\" . $z;\n", "\" $x->pw ( $y)\" . $z"),
            (Language::Shell, " \"a $TOKEN ${B:+x}\" '$C' # d\nnext", "\" $TOKEN ${B:+x}\" ' '"),
        ];
        for (language, text, expected) in table {
            let expected: String = expected.split_whitespace().collect();
            assert_eq!(code(text, language).split_whitespace().collect::<String>(), expected, "{text}");
        }
    }

    #[test]
    fn a_sink_inside_a_text_is_told_from_a_call() {
        for (text, inside) in
            [("write(\"print", true), ("write('a\\'b print", true), ("f(\"a\", 'b'); print", false), ("it = \"it's\"; print", false)]
        {
            assert_eq!(Line::default().is_in_text(text.as_bytes(), text.len(), Language::Python), inside, "{text}");
            let mut line = Line::default();
            let step_by_step = (0..=text.len()).map(|at| line.is_in_text(text.as_bytes(), at, Language::Python)).last();
            assert_eq!(step_by_step, Some(inside), "{text}");
        }
    }

    #[test]
    fn hostile_text_ends() {
        for text in ["(((((((((", "\"${\"${\"${\"${\"${\"${", "(\"\\", "(`${", "('", "(\"\"\""] {
            for language in [Language::JavaScript, Language::Python, Language::Shell, Language::Rust, Language::Kotlin] {
                let _ = arguments(text.as_bytes(), 0, language, LONGEST);
            }
        }
    }
}
