//! The shorthands that patterns share.

/// Longest pattern after expansion, in bytes; a longer one is a mistake.
const MAX_PATTERN: usize = 8 << 10;

/// Fills in the shorthands that patterns share:
/// `@assign(WORDS)` a name that holds one of the words (`x_key`, `X API key`), then an assignment, a colon, a call's
/// parenthesis or a comma, up to and with the opening quote; `@of(VENDORS)` a vendor's name and, near after it, a name that
/// ends like that of a credential (`mixpanel_api_secret`, `mixpanel: { token`), then the same up to the quote;
/// `@of(VENDORS;WORDS)` with these words for the credential instead of the usual ones; `@gap` blanks with at most one line end
/// among them; `@end` the end of a token, where no further letter, digit or `_` follows.
///
/// # Errors
/// An unclosed shorthand or a pattern of unreasonable length.
pub(super) fn expand(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('@') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(words) = after.strip_prefix("assign(") {
            let end = closing(words).ok_or("`@assign(` is not closed")?;
            out.push_str(r"(?i:");
            out.push_str(&words[..end]);
            out.push_str(ASSIGN);
            out.push_str(OPERATOR);
            rest = &words[end + 1..];
        } else if let Some(vendors) = after.strip_prefix("of(") {
            let end = closing(vendors).ok_or("`@of(` is not closed")?;
            let (names, words) = vendors[..end].split_once(';').unwrap_or((&vendors[..end], CREDENTIAL));
            for part in [r"(?i:", names, NEAR, words, NAME_END, OPERATOR] {
                out.push_str(part);
            }
            rest = &vendors[end + 1..];
        } else if let Some(after) = after.strip_prefix("gap") {
            out.push_str(GAP);
            rest = after;
        } else if let Some(after) = after.strip_prefix("end") {
            out.push_str(END);
            rest = after;
        } else {
            out.push('@');
            rest = after;
        }
    }
    out.push_str(rest);
    if out.len() > MAX_PATTERN { Err(format!("the pattern has {} bytes, at most {MAX_PATTERN} are allowed", out.len())) } else { Ok(out) }
}

/// Place of the parenthesis that closes the shorthand; the words may hold groups of their own.
fn closing(words: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, b) in words.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

const ASSIGN: &str = r")[0-9A-Za-z_.\-]{0,40}(?i:[ \t](?:api|access|auth|bot|client|app|secret|key|token|password|is)){0,3}";
/// Between a vendor's name and the credential's: `mixpanel.api_secret`, `"mixpanel": {"secret"`, also over a line's end.
const NEAR: &str = r#")(?:[0-9A-Za-z_ .\-"'\[\]:{(=>\t]{0,24}|[0-9A-Za-z_ .\-"'\[\]:{(=>\t]{0,8}\r?\n[0-9A-Za-z_ .\-"'\[\]:{(=>\t]{0,16})(?i:(?:"#;
const CREDENTIAL: &str = "key|token|secret|passw(?:or)?d|pwd|pat|auth|credentials?";
/// How the name may go on: in `token_url` and `key_id` it is not the credential that follows.
const NAME_END: &str = r")(?:[_.\-]?api)?(?:[_.\-]?(?:key|token|value|string|default|prod|production|live|dev|test|staging|[0-9]{1,2}))?)";
const OPERATOR: &str = r#"[ \t]{0,3}\\?["'`\])}]{0,3}[ \t]{0,10}(?:=>|[:?]=|={1,3}|:{1,2}|->|<-|,|\(|>|\|\||\?\?)[ \t]{0,10}[\[({]?\\?["'`]{0,3}"#;
/// A match that crosses few line ends is looked for on few lines; `\s{0,20}` could cross 20 of them.
const GAP: &str = r"[ \t]{0,8}(?:\r?\n[ \t]{0,32})?";
const END: &str = r"(?:[^0-9A-Za-z_]|\z)";
