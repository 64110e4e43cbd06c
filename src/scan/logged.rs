//! Does this call print a credential? It does when an argument, or what is interpolated into its text, is a variable or a
//! field with a sensitive name. The name inside the text is no harm, and neither is what a function makes of the value.
//! It is long because each kind of language has its own way to print, and all of them share what is no value.

use std::cell::OnceCell;
use std::ops::Range;

use super::code::{self, Code, Line};
use super::language::Language;
use super::{flow, name};

/// Functions and methods that give back what they are given, as text.
const TRANSPARENT: &str = "str string String repr format sprintf Sprintf Sprint Sprintln printf print println concat join stringify dumps dump \
    to_string toString to_s to_str as_str inspect json_encode to_json toJson decode encode trim strip unwrap unwrap_or_default expose byte bytes \
    expose_secret get_secret_value getValue get_value value valueOf clone to_owned upper lower upcase downcase toUpperCase toLowerCase \
    replace text ToString Value await expect as_ref to_vec dict Debug debug serialize";

/// Functions that give the value of a variable named by their text.
const GETTERS: &str = "getenv Getenv env fetch getProperty GetEnvironmentVariable LookupEnv var get_env getEnv environ get config prop";

/// First words of functions that hand out a credential.
const GIVERS: &str = "get fetch read load generate gen create make decrypt resolve retrieve issue sign new current";

/// What stands between an object and its field.
const JOINTS: [&[u8]; 6] = [b"?.", b"->", b"::", b"!.", b"&.", b"."];

/// Folders of texts and types: what follows is a label.
const LABELS: &str = "messages message msg labels label strings string i18n errors error err translations texts types type fields field keys \
    columns selectors schema constants const enum enums Errors Messages Strings Labels Types Fields Keys Constants r R";

/// So much of a file tells what it is about.
const HEAD: usize = 16 << 10;

/// What was found out about a text on the way to a call, for the calls behind it.
#[derive(Default)]
pub(super) struct Calls {
    /// Where calls end that were looked at and print nothing.
    ends: Vec<usize>,
    line: Line,
    about_syntax: OnceCell<bool>,
}

/// At least so much is looked at of a call that stands inside others which print nothing: of each a quarter of the one
/// around it. The outer ones have seen it already, if not as their own argument.
const LEAST: usize = code::LONGEST / 128;

impl Calls {
    /// Where the call whose name stands at `start..at` ends, when it prints a credential.
    pub(super) fn prints_credential(&mut self, text: &[u8], name: Range<usize>, language: Language) -> Option<usize> {
        if self.line.is_commented(text, name.start, language) || self.line.is_in_text(text, name.start, language) {
            return None;
        }
        // `$(echo …)` is taken up and `<(printf …)` is read: neither is shown.
        if code::is_shell(language) && matches!(text.get(name.start.wrapping_sub(1)..=name.start), Some(b"$(" | b"<(")) {
            return None;
        }
        // Calls that nest in each other are read once for each of them: the deeper, the less of them.
        self.ends.retain(|&end| end > name.end);
        let longest = (code::LONGEST >> (2 * self.ends.len().min(8))).max(LEAST);
        let code = code::arguments(text, name.end, language, longest)?;
        let end = (code.start + code.bytes.len()).max(name.end);
        let walk = || Walk { text, code: &code, language, about_syntax: &self.about_syntax };
        if code::is_shell(language) && shell(&code, language) || !code::is_shell(language) && walk().found() {
            return Some(end);
        }
        self.ends.push(end);
        None
    }
}

/// Is one of the arguments that follow `at`, inside a call, a credential?
pub(super) fn takes_credential(text: &[u8], at: usize, language: Language) -> bool {
    let code = code::rest_of_call(text, at, language);
    Walk { text, code: &code, language, about_syntax: &OnceCell::new() }.found()
}

/// A shell prints what stands after `$`, unless it goes into a pipe or a file. Make writes `$(X)` where shells write `${X}`.
fn shell(code: &Code, language: Language) -> bool {
    let bytes = &code.bytes;
    let statement = &bytes[..end_of_command(bytes)];
    let mut at = 0;
    while let Some(dollar) = memchr::memchr(b'$', &statement[at..]).map(|found| at + found) {
        at = dollar + 1;
        let braced = matches!((statement.get(at), language), (Some(b'{'), _) | (Some(b'('), Language::Make));
        if braced {
            at += 1;
        }
        let begin = at;
        while statement.get(at).is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'_') {
            at += 1;
        }
        let variable = &statement[begin..at];
        // `${X:+set}`, `${X:0:4}`, `${X%%*}` and `${#X}` say little of X; `${X:-y}` is X.
        let whole =
            !braced || matches!(statement.get(at), Some(b'}' | b')')) || statement[at..].starts_with(b":-") || statement[at..].starts_with(b":?");
        if whole && variable.len() > 1 && name::is_sensitive(variable).is_some() {
            return goes_to_terminal(&bytes[statement.len()..]);
        }
    }
    false
}

/// The command's own words end before a pipe, a redirection or the next command.
fn end_of_command(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| matches!(b, b'|' | b'>' | b'&' | b';' | b'\n')).unwrap_or(bytes.len())
}

/// `rest` is what follows a command: nothing, another command, or where its output goes.
fn goes_to_terminal(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    match rest {
        [b'|', b'|', ..] | [b'&', b'&', ..] | [b';', ..] | [] => true,
        [b'>', ..] => rest[1..].trim_ascii_start().starts_with(b"&2") || rest[1..].trim_ascii_start().starts_with(b"/dev/std"),
        [b'|', ..] => {
            let filter = rest[1..].trim_ascii_start();
            // These filters print what they read.
            let prints = ["tee", "rev", "cat", "xxd", "hexdump", "od", "fold", "base64"].iter().any(|name| filter.starts_with(name.as_bytes()));
            prints && end_of_command(filter) == filter.len()
        }
        _ => true,
    }
}

struct Walk<'a> {
    text: &'a [u8],
    code: &'a Code,
    language: Language,
    about_syntax: &'a OnceCell<bool>,
}

/// An identifier with all before its dots.
struct Path<'a> {
    components: Vec<&'a [u8]>,
    start: usize,
    end: usize,
}

impl<'a> Walk<'a> {
    fn found(&self) -> bool {
        let bytes = &self.code.bytes;
        // For each open bracket: does what stands in it get lost in a function?
        let mut lost: Vec<bool> = Vec::new();
        let mut inside = 0usize;
        let mut next_is_lost = false;
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'(' | b'[' | b'{' => {
                    inside += usize::from(next_is_lost);
                    lost.push(std::mem::take(&mut next_is_lost));
                    at += 1;
                }
                b')' | b']' | b'}' => {
                    inside -= usize::from(lost.pop().unwrap_or(false));
                    at += 1;
                }
                b if is_word(b) => {
                    let path = self.path(at);
                    at = path.end.max(at + 1);
                    let call = bytes[at..].trim_ascii_start().first() == Some(&b'(');
                    if call {
                        next_is_lost = !self.is_transparent(&path);
                    }
                    if inside == 0 && self.is_credential(&path, call) {
                        return true;
                    }
                }
                _ => at += 1,
            }
        }
        false
    }

    fn path(&self, start: usize) -> Path<'a> {
        let bytes = &self.code.bytes;
        let mut components = Vec::new();
        let mut at = start;
        loop {
            let begin = at;
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
            components.push(&bytes[begin..at]);
            // A text in brackets names a field: `config["password"]`.
            while let Some((key, end)) = self.key(at) {
                components.push(key);
                at = end;
            }
            let joint = JOINTS.iter().find(|joint| bytes[at..].starts_with(joint));
            match joint {
                Some(joint) if bytes.get(at + joint.len()).is_some_and(|&b| is_word(b)) => at += joint.len(),
                _ => break,
            }
        }
        Path { components, start, end: at }
    }

    fn key(&self, at: usize) -> Option<(&'a [u8], usize)> {
        let bytes = &self.code.bytes;
        let rest = bytes[at..].strip_prefix(b"[")?;
        let quote = *rest.first().filter(|b| matches!(b, b'"' | b'\'' | b'`' | b':'))?;
        /// No field has a longer name.
        const LONGEST_KEY: usize = 200;
        let close = memchr::memchr(b']', &rest[..rest.len().min(LONGEST_KEY)])?;
        let inner = self.text.get(self.code.start + at + 2..self.code.start + at + 1 + close)?;
        Some((inner.strip_suffix(&[quote]).unwrap_or(inner), at + 1 + close + 1))
    }

    fn is_transparent(&self, path: &Path<'_>) -> bool {
        path.components.last().is_some_and(|last| is_one_of(TRANSPARENT, last))
    }

    fn is_credential(&self, path: &Path<'_>, call: bool) -> bool {
        let bytes = &self.code.bytes;
        let (mut names, after) = (path.components.as_slice(), &bytes[path.end..]);
        if call {
            let Some((last, before)) = names.split_last() else { return false };
            if is_one_of(GETTERS, last) && self.first_text(path.end).is_some_and(|text| name::is_sensitive(text).is_some()) {
                return true;
            }
            if !is_one_of(TRANSPARENT, last) || before.is_empty() {
                return self.gives(last);
            }
            // Every character is replaced: a mask.
            if *last == b"replace" && after.trim_ascii_start().starts_with(b"(/./g") {
                return false;
            }
            names = before;
        }
        while let [before @ .., last] = names {
            if before.is_empty() || !is_one_of(TRANSPARENT, last) {
                break;
            }
            names = before;
        }
        let Some((last, before)) = names.split_last() else { return false };
        if name::is_sensitive(last).is_none() || before.iter().any(|name| is_one_of(LABELS, name)) || self.is_type(last, before) {
            return false;
        }
        let at = self.code.start + path.start;
        if is_bare_token(last) && self.is_about_syntax() || names.len() == 1 && flow::holds_nothing_secret(self.text, at, last) {
            return false;
        }
        (call || is_value_before(after, self.language)) && is_value_after(&bytes[..path.start])
    }

    /// A class or an enumeration's member, in the languages that write fields with a small letter.
    fn is_type(&self, last: &[u8], before: &[&[u8]]) -> bool {
        let pascal = last.first().is_some_and(u8::is_ascii_uppercase) && last.iter().any(u8::is_ascii_lowercase);
        let fields = matches!(self.language, Language::Go | Language::CSharp | Language::PowerShell) && !before.is_empty();
        pascal && !fields && !last.starts_with(b"$")
    }

    /// `getPassword()` hands one out, `validateToken()` does not.
    fn gives(&self, function: &[u8]) -> bool {
        let parts = name::parts(function);
        let Some(first) = parts.first() else { return false };
        let starts_so = is_one_of(GIVERS, first) || parts.len() == 1;
        let constructor = function.first().is_some_and(u8::is_ascii_uppercase) && !matches!(self.language, Language::Go | Language::CSharp);
        starts_so && !constructor && name::is_sensitive(function).is_some() && !(is_bare_token(function) && self.is_about_syntax())
    }

    /// The text that is the first argument of the call whose parenthesis follows `at`.
    fn first_text(&self, at: usize) -> Option<&'a [u8]> {
        let from = self.code.start + at;
        let rest = self.text.get(from..)?.trim_ascii_start().strip_prefix(b"(")?.trim_ascii_start();
        let quote = *rest.first().filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
        let end = memchr::memchr(quote, &rest[1..])?;
        rest.get(1..1 + end)
    }

    /// In a compiler a token is a word.
    fn is_about_syntax(&self) -> bool {
        // The head of a file tells what it is about.
        let head = &self.text[..self.text.len().min(HEAD)];
        let holds = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let words = ["okenize", "exer", "TokenKind", "TokenType", "ext_token", "extToken", "oken_stream", "okenStream", "Token::", "yntax"];
        *self.about_syntax.get_or_init(|| {
            // A parser of arguments is no compiler.
            holds("arser") && !["clap", "argparse", "ArgumentParser", "OptionParser", "bodyParser", "body-parser"].iter().any(|word| holds(word))
                || words.iter().any(|word| holds(word))
        })
    }
}

/// `token`, `self.token`, `next_token`: credentials have a first name more often than not.
fn is_bare_token(name: &[u8]) -> bool {
    let parts = name::parts(name);
    match parts.as_slice() {
        [only] => only == b"token",
        [front, last] => {
            last == b"token" && is_one_of("next current cur prev previous peek last first start end unexpected expected sub open close get", front)
        }
        _ => false,
    }
}

/// Does what follows leave the value a value? A comparison, a slice or a question about it do not.
fn is_value_before(after: &[u8], language: Language) -> bool {
    let direct = after.first().copied().unwrap_or(0);
    if direct == b'[' || direct == b'?' && language == Language::Ruby {
        return false;
    }
    let after = after.trim_ascii_start();
    let starts = |what: &[u8]| after.starts_with(what);
    if starts(b"?") {
        return [&b"?."[..], b"??", b"?:", b"?)", b"?,"].iter().any(|operator| starts(operator));
    }
    if starts(b":") {
        return starts(b":?") || starts(b":#"); // Rust's format, else a key
    }
    let compares =
        [&b"=="[..], b"!=", b"is ", b"in ", b"not ", b"instanceof ", b"&&", b"and ", b"=~", b"<=", b">=", b"> ", b"< ", b"-eq ", b"-ne ", b"-is"];
    let assigns = starts(b"=") && !starts(b"=>");
    let is_key = starts(b"=>") && language != Language::Php;
    !assigns && !is_key && !compares.iter().any(|operator| starts(operator))
}

/// Does what stands before make a question of it?
fn is_value_after(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let word_start = before.iter().rposition(|b| !b.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    !before.ends_with(b"!")
        && !before.ends_with(b"==")
        && !before.ends_with(b"!=")
        && !["-eq", "-ne", "-not"].iter().any(|operator| before.ends_with(operator.as_bytes()))
        && !is_one_of("if unless when not typeof new defined in is instanceof sizeof", &before[word_start..])
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'@') || !b.is_ascii()
}

/// True when `words`, which blanks part, hold `word`.
fn is_one_of(words: &str, word: &[u8]) -> bool {
    let words = words.as_bytes();
    let parts = |b: Option<&u8>| b.is_none_or(|b| *b == b' ');
    let stands_alone = |at: usize| parts(at.checked_sub(1).and_then(|before| words.get(before))) && parts(words.get(at + word.len()));
    !word.is_empty() && memchr::memmem::find_iter(words, word).any(stands_alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prints(language: Language, statement: &str) -> bool {
        let at = statement.find('@').unwrap();
        Calls::default().prints_credential(statement.replacen('@', "", 1).as_bytes(), 0..at, language).is_some()
    }

    #[test]
    fn a_credential_in_an_argument_or_in_an_interpolation_is_printed() {
        let table = [
            (Language::Python, "print@(f\"key {api_key}\")"),
            (Language::Python, "logging.info@(\"x %s\", user.password)"),
            (Language::Python, "print@(os.environ[\"API_KEY\"])"),
            (Language::Python, "print@(os.getenv('API_KEY'))"),
            (Language::JavaScript, "console.log@(`t ${process.env.API_TOKEN}`)"),
            (Language::JavaScript, "console.log@(getPassword())"),
            (Language::JavaScript, "console.log@({ user, password })"),
            (Language::JavaScript, "console.log@('t', JSON.stringify({ apiKey }))"),
            (Language::Go, "log.Printf@(\"x %s\", cfg.Password)"),
            (Language::Kotlin, "Log.i@(\"a\", \"b $password\")"),
            (Language::Ruby, "puts@ \"t #{auth_token}\""),
            (Language::Php, "echo@ \"x $dbPassword\";"),
            (Language::Rust, "println!@(\"{api_key}\")"),
            (Language::Swift, "print@(\"x \\(accessToken)\")"),
            (Language::Shell, "echo@ \"key: $API_KEY\""),
            (Language::Shell, "echo@ ${API_KEY} >&2"),
            (Language::Shell, "echo@ $API_KEY | rev"),
            (Language::PowerShell, "Write-Host@ \"x $ApiKey\""),
        ];
        for (language, statement) in table {
            assert!(prints(language, statement), "{statement}");
        }
    }

    #[test]
    fn presence_length_and_masks_are_fine() {
        let table = [
            (Language::Python, "print@(\"password\")"),
            (Language::Python, "print@(len(token), bool(api_key), api_key is not None, api_key[:4])"),
            (Language::Python, "logger.info@(\"x\", password=\"***\")"),
            (Language::Python, "print@('token' if token else 'none', mask(password))"),
            (Language::JavaScript, "console.log@('token:', !!apiKey, apiKey.length, apiKey ? 'set' : 'unset')"),
            (Language::JavaScript, "console.log@(redact('password', password), apiKey.replace(/./g, '*'))"),
            (Language::JavaScript, "console.log@({password: crypt(pw)}, messages.password)"),
            (Language::JavaScript, "console.log@(apiKey == null, typeof apiKey)"),
            (Language::Ruby, "puts@ api_key.empty?"),
            (Language::Rust, "println!@(\"{}\", api_key.is_some())"),
            (Language::Rust, "println!@(\"{token:?}\"); struct Lexer;"),
            (Language::Shell, "echo@ \"$TOKEN\" | docker login --password-stdin"),
            (Language::Shell, "echo@ \"${TOKEN:+set} ${#TOKEN}\""),
            (Language::Shell, "echo@ \"token=$TOKEN\" >> \"$GITHUB_OUTPUT\""),
            (Language::Shell, "echo@ '$TOKEN' $TOKEN_URL"),
            (Language::Java, "log.info@(\"a\" + tokenUrl, IncorrectPasswordError)"),
        ];
        for (language, statement) in table {
            assert!(!prints(language, statement), "{statement}");
        }
    }
}
