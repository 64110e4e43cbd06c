//! What may reach a terminal: colours only where wanted, and no byte of repository content that could steer it.

use std::fmt::Write as _;
use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The styles of a report.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// For what blocks.
    pub block: Style,
    /// For what warns.
    pub warn: Style,
    /// For what is fine.
    pub good: Style,
    /// For what stands out without judging.
    pub strong: Style,
    /// For what is of less weight.
    pub faint: Style,
}

impl Palette {
    /// Styles for a stream, or none.
    pub fn new(choice: ColorChoice, stream: &impl IsTerminal) -> Self {
        let colours = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb") && stream.is_terminal()
            }
        };
        if colours { Self::coloured() } else { Self::plain() }
    }

    /// No styles at all.
    pub fn plain() -> Self {
        let none = Style::new();
        Self { block: none, warn: none, good: none, strong: none, faint: none }
    }

    fn coloured() -> Self {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        Self {
            block: colour(AnsiColor::Red).bold(),
            warn: colour(AnsiColor::Yellow).bold(),
            good: colour(AnsiColor::Green).bold(),
            strong: Style::new().bold(),
            faint: Style::new().dimmed(),
        }
    }
}

/// Text for people from bytes of a repository: control characters, bidirectional and invisible characters and bytes that
/// are no UTF-8 are shown as escapes, so that a path or a ref name can neither steer a terminal nor look like another.
///
/// So are the words by which a build server takes commands from a log: `::error::` (GitHub) where a line may begin, and
/// `##[group]` and `##vso[…]` (GitHub, Azure) anywhere.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid();
        for (at, c) in text.char_indices() {
            // Writing to a string cannot fail.
            if is_deceptive(c) {
                let _ = write!(out, "{}", c.escape_default());
            } else if begins_command(&out, &text[at..]) {
                let _ = write!(out, "{}", c.escape_unicode());
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// True where `rest` would be taken for a command after `before`. The report breaks lines at spaces and indents them, and
/// build servers overlook indentation.
fn begins_command(before: &str, rest: &str) -> bool {
    match rest.as_bytes() {
        [b':', b':', ..] => before.chars().next_back().is_none_or(char::is_whitespace),
        [b'#', b'#', rest @ ..] => rest.iter().find(|b| !b.is_ascii_alphanumeric()) == Some(&b'['),
        _ => false,
    }
}

/// Control characters, line separators, and what Unicode says has no width or turns the direction of text.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_that_steers_a_terminal_passes() {
        assert_eq!(escape(b"a\x1b[31m\r\n\x07b"), "a\\u{1b}[31m\\r\\n\\u{7}b");
        assert_eq!(escape(b"::error::x ::y a::b"), "\\u{3a}:error::x \\u{3a}:y a::b");
        assert_eq!(escape(b"a##[x] ##vso[y] ###[ ## ["), "a\\u{23}#[x] \\u{23}#vso[y] #\\u{23}#[ ## [");
        assert_eq!(escape("x\u{202e}y\u{200b}z\u{9b}".as_bytes()), "x\\u{202e}y\\u{200b}z\\u{9b}");
        assert_eq!(escape(b"caf\xc3\xa9 \xff"), "café \\xff");
    }
}
