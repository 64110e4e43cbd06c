//! What a regex cannot say: one function for each named check of the rules.

use std::ops::Range;

use serde_json::Value;

use super::code::Line;
use super::decode;
use super::language::Language;
use super::logged::{self, Calls};
use super::manifest::Manifest;
use super::state::Marked;
use super::{features, jwt, literal, plausible, published};
use crate::finding::{Doubt, Family};
use crate::rules::shape::{base32_of_sha256, bech32_is_right, in_base, nkey_is_right};
use crate::rules::{Check, Rule};

/// What a check says of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is no finding.
    Drop,
    /// It is one, as sure as the rule says.
    Keep,
    /// It is one, as sure as the rule says, and goes on to this byte of the text.
    KeepTo(usize),
    /// It is surely one: a checksum or a structure fits.
    Proven,
    /// It is surely one, and opens something up to this second of Unix time.
    ProvenUntil(i64),
    /// It is hardly one: a checksum does not fit.
    Doubtful,
}

/// A match and what stands around it.
pub(super) struct Context<'a> {
    /// The whole text.
    pub(super) text: &'a [u8],
    /// The credential, or the whole match where the rule holds none.
    pub(super) value: Range<usize>,
    /// The whole match.
    pub(super) matched: Range<usize>,
    pub(super) language: Language,
}

impl<'a> Context<'a> {
    fn value(&self) -> &'a [u8] {
        &self.text[self.value.clone()]
    }

    /// The part of the match before the value: name, operator, quote.
    fn before(&self) -> &'a [u8] {
        &self.text[self.matched.start..self.value.start]
    }

    fn is_commented(&self, line: &mut Line) -> bool {
        line.is_commented(self.text, self.value.start, self.language)
    }

    /// The byte after the value.
    fn next(&self) -> Option<u8> {
        self.text.get(self.value.end).copied()
    }
}

/// What the checks of one rule found out about the text so far. Matches come from the first to the last.
#[derive(Default)]
pub(super) struct Progress {
    line: Line,
    calls: Calls,
    manifest: Manifest,
    marked: Marked,
}

/// Runs the rule's check. A literal credential that is plainly made up for documentation is dropped by every rule.
pub(super) fn judge(rule: &Rule, context: &Context<'_>, progress: &mut Progress) -> Outcome {
    let value = context.value();
    let check = rule.text().check;
    if rule.family() == Family::Secret
        && !matches!(
            check,
            Some(Check::Plausible | Check::Literal | Check::UrlPassword | Check::BasicAuth | Check::PrivateKey | Check::KubernetesSecret)
        )
        && plausible::is_made_up(value)
        // Chance brings `xXxX` into one of some ten thousand tokens; who makes one up does not reckon its checksum.
        && !check.is_some_and(|check| sum_is_right(check, value).unwrap_or(false))
    {
        return Outcome::Drop;
    }
    if rule.family() == Family::Secret && (published::is_published(value) || is_struck_out(&context.text[context.value.end..])) {
        return Outcome::Drop;
    }
    match check {
        // A binding is read and weighed before any pattern: see `generic`.
        None | Some(Check::Assignment) => Outcome::Keep,
        Some(check @ (Check::Crc32Base62 | Check::Sha256Base32 | Check::Crc32Base36 | Check::Crc32Hex | Check::Bech32 | Check::NatsSeed)) => {
            sum(sum_is_right(check, value).unwrap_or(false))
        }
        Some(Check::AwsKeyId) => aws_key_id(value),
        Some(Check::Jwt) => jwt::judge(value),
        Some(Check::Base64Json) => base64_json(value),
        Some(Check::BasicAuth) => basic_auth(value),
        Some(Check::UrlPassword) => url_password(context),
        Some(Check::PrivateKey) => private_key(context),
        Some(Check::KubernetesSecret) => keep_if(progress.manifest.is_secret_value(context.text, context.matched.clone(), context.value.clone())),
        Some(Check::StateMark) => keep_if(literal::is_used(value) && progress.marked.holds(context.text, &context.value)),
        Some(Check::Random) => keep_if(plausible::looks_drawn(value)),
        Some(Check::Token) => keep_if(plausible::looks_drawn(value) && features::is_wordless(value) && plausible::has_usual_length(value)),
        Some(Check::Plausible) => keep_if(plausible::is_credential(context.before(), value, context.next(), context.language)),
        // What a program runs with is no comment.
        Some(Check::Literal) if !literal::is_used(value) || context.language.quotes_text() && context.is_commented(&mut progress.line) => {
            Outcome::Drop
        }
        Some(Check::Literal) if rule.family() == Family::Handling && literal::is_documentation(value) => Outcome::Doubtful,
        Some(Check::Literal) => Outcome::Keep,
        Some(Check::RealLiteral) => keep_if(literal::is_real(value)),
        Some(Check::Logged) => {
            let printed = progress.calls.prints_credential(context.text, context.matched.clone(), context.language);
            printed.map_or(Outcome::Drop, Outcome::KeepTo)
        }
        Some(Check::Code) => keep_if(!context.is_commented(&mut progress.line)),
        Some(Check::WritesSecret) => writes_secret(context, &mut progress.line),
        // Two versions or two files are compared for these, or the whole file is looked at: see `across` and `keystore`.
        Some(Check::IgnoreLost | Check::OwnValue | Check::KeyStore) => Outcome::Drop,
    }
}

/// Whether the checksum in the value is right; `None` for a check that is about something else.
fn sum_is_right(check: Check, value: &[u8]) -> Option<bool> {
    Some(match check {
        Check::Crc32Base62 => split_tail(value, 6).is_some_and(|(head, tail)| crc32_base62(after_prefix(head), tail)),
        Check::Sha256Base32 => sha256_base32(value),
        Check::Crc32Base36 => {
            split_tail(value, 7).is_some_and(|(head, tail)| in_base(crc32fast::hash(head), 36, 7).as_bytes().eq_ignore_ascii_case(tail))
        }
        Check::Crc32Hex => split_tail(value, 8).is_some_and(|(head, tail)| format!("{:08X}", crc32fast::hash(head)).as_bytes() == tail),
        Check::Bech32 => std::str::from_utf8(value).is_ok_and(bech32_is_right),
        Check::NatsSeed => nkey_is_right(value),
        _ => return None,
    })
}

/// `…-####`, `…****`: the rest of the value was struck out before it was written down.
fn is_struck_out(rest: &[u8]) -> bool {
    /// Fewer may be the signs of a language: `**` in Markdown, `...` in a sentence.
    const SHORTEST: usize = 4;
    let rest = if matches!(rest.first(), Some(b'-' | b'_' | b'.')) { &rest[1..] } else { rest };
    rest.first().is_some_and(|&sign| matches!(sign, b'#' | b'*') && rest.iter().take(SHORTEST).filter(|&&b| b == sign).count() == SHORTEST)
}

/// What a check says with [`Outcome::Doubtful`].
pub(super) fn doubt(check: Check) -> Option<Doubt> {
    match check {
        Check::Crc32Base62 | Check::Sha256Base32 | Check::Crc32Base36 | Check::Crc32Hex | Check::Bech32 | Check::NatsSeed | Check::Base64Json => {
            Some(Doubt::Checksum)
        }
        Check::AwsKeyId => Some(Doubt::Account),
        Check::Jwt => Some(Doubt::Unsigned),
        Check::UrlPassword => Some(Doubt::Local),
        Check::Assignment => Some(Doubt::Likely),
        Check::Literal => Some(Doubt::Documentation),
        _ => None,
    }
}

/// The match ends with the file's name, inside the call: what follows is written.
fn writes_secret(context: &Context<'_>, line: &mut Line) -> Outcome {
    if context.is_commented(line) {
        return Outcome::Drop;
    }
    // A match that names what is written ends with `open("file"`, and its name was asked already.
    let matched = &context.text[context.matched.clone()];
    if memchr::memmem::find(matched, b"dump(").is_some() && !matched.ends_with(b"dump(") {
        return Outcome::Keep;
    }
    keep_if(logged::takes_credential(context.text, context.matched.end, context.language))
}

fn keep_if(holds: bool) -> Outcome {
    if holds { Outcome::Keep } else { Outcome::Drop }
}

/// A right checksum is one chance in four thousand million; a wrong one is a hand-made example. Neither is silent.
fn sum(right: bool) -> Outcome {
    if right { Outcome::Proven } else { Outcome::Doubtful }
}

fn split_tail(value: &[u8], tail: usize) -> Option<(&[u8], &[u8])> {
    value.len().checked_sub(tail).map(|at| value.split_at(at))
}

/// The body after the vendor's prefix, which ends with the first underscore.
fn after_prefix(value: &[u8]) -> &[u8] {
    value.iter().position(|&b| b == b'_').map_or(value, |at| &value[at + 1..])
}

fn crc32_base62(body: &[u8], tail: &[u8]) -> bool {
    in_base(crc32fast::hash(body), 62, 6).as_bytes() == tail
}

fn sha256_base32(value: &[u8]) -> bool {
    // The value ends with 8 characters of checksum and 8 more.
    split_tail(value, 16).is_some_and(|(head, tail)| base32_of_sha256(head).as_bytes().eq_ignore_ascii_case(&tail[..8]))
}

/// The 16 characters after the type are base32 of ten bytes; bits 1 to 40 are the account's number.
fn aws_key_id(value: &[u8]) -> Outcome {
    let Some(body) = value.get(4..20) else { return Outcome::Drop };
    let mut account = 0u64;
    for &b in &body[..10] {
        let digit = match b {
            b'A'..=b'Z' => b - b'A',
            b'2'..=b'7' => b - b'2' + 26,
            _ => return Outcome::Doubtful, // newer ids use all of base36: no account can be read
        };
        account = account << 5 | u64::from(digit);
    }
    // The first 6 of 10 bytes, without the highest bit, shifted by 7; an account has 12 digits.
    let account = (account >> 2 & 0x7fff_ffff_ff80) >> 7;
    if account > 999_999_999_999 { Outcome::Doubtful } else { Outcome::Keep }
}

fn base64_json(value: &[u8]) -> Outcome {
    let body = after_prefix(value);
    let end = body.iter().position(|&b| b == b'_').unwrap_or(body.len());
    let json = decode::base64(&body[..end]).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    sum(json.is_some_and(|json| json.is_object()))
}

fn basic_auth(value: &[u8]) -> Outcome {
    let Some(decoded) = decode::base64(value) else { return Outcome::Drop };
    let Some(colon) = decoded.iter().position(|&b| b == b':') else { return Outcome::Drop };
    let (user, password) = (&decoded[..colon], &decoded[colon + 1..]);
    let text = decoded.iter().all(|b| b.is_ascii_graphic() || *b == b' ' || !b.is_ascii());
    keep_if(text && !password.is_empty() && !plausible::is_placeholder_password(user, password))
}

/// Hosts that only the own machine answers to.
const LOCAL_HOSTS: [&[u8]; 4] = [b"localhost", b"127.0.0.1", b"[::1]", b"0.0.0.0"];

fn url_password(context: &Context<'_>) -> Outcome {
    let before = context.before();
    let user_end = before.len().saturating_sub(1); // the colon
    let user_start = memchr::memmem::rfind(before, b"//").map_or(0, |at| at + 2);
    let user = before.get(user_start..user_end).unwrap_or_default();
    let password = context.value();
    if plausible::is_reference(password) || plausible::is_placeholder_password(user, password) || names_itself(password) {
        return Outcome::Drop;
    }
    let host = &context.text[(context.value.end + 1).min(context.text.len())..];
    if LOCAL_HOSTS.iter().any(|local| host.starts_with(local)) && user == password { Outcome::Doubtful } else { Outcome::Keep }
}

/// `MY_TOKEN` in capitals tells a reader what to put there; `x-oauth-basic` says that the user's name is the credential.
fn names_itself(password: &[u8]) -> bool {
    let shouted = password.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'-'));
    let names = [&b"PASS"[..], b"PW", b"TOKEN", b"SECRET", b"KEY"];
    password.starts_with(b"x-oauth-") || shouted && names.iter().any(|name| memchr::memmem::find(password, name).is_some())
}

/// A key's body has at least this many characters of base64: the smallest real ones (Ed25519 in PKCS#8) have 64.
const SMALLEST_BODY: usize = 60;
/// Between its two lines a shorter one stands too: a seed alone, or what is left of a key.
const SMALLEST_WHOLE: usize = 40;
/// An RSA key of 16,384 bits has about 12,800 characters; with headers, quotes and indentation this is room enough.
const LONGEST_ARMOUR: usize = 32 << 10;

/// `openssh-key` in base64.
const OPENSSH_MAGIC: &[u8] = b"b3BlbnNzaC1rZX";

/// Headers of an armour (`Proc-Type`, `Comment`) and broken lines are shorter than this; a longer gap ends the body.
const LONGEST_GAP: usize = 256;

/// The match is the first line of the armour; the body follows it up to the last line, another key or the text's end.
fn private_key(context: &Context<'_>) -> Outcome {
    let start = context.value.end;
    let rest = &context.text[start..context.text.len().min(start + LONGEST_ARMOUR)];
    let next = memchr::memmem::find(rest, b"-----BEGIN").unwrap_or(rest.len());
    let footer = memchr::memmem::find(&rest[..next], b"-----END");
    let body = &rest[..footer.unwrap_or(next)];
    let is_openssh = memchr::memmem::find(context.value(), b" OPENSSH ").is_some();
    if is_openssh && memchr::memmem::find(&body[..body.len().min(LONGEST_GAP)], OPENSSH_MAGIC).is_none() {
        return Outcome::Drop; // every such key begins with the name of its format
    }
    // An encoded line end (`\n`) leaves its letter before the next line, which does not matter to a count.
    let runs = body.split(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')));
    let (mut total, mut end) = (0, start);
    for run in runs.filter(|run| run.len() >= 16 && is_mixed(run)) {
        let run_start = start + (run.as_ptr() as usize - body.as_ptr() as usize);
        if run_start - end > LONGEST_GAP {
            break;
        }
        total += run.len();
        end = run_start + run.len();
    }
    let smallest = if footer.is_some() { SMALLEST_WHOLE } else { SMALLEST_BODY };
    if total < smallest || plausible::distinct(body) < 20 {
        return Outcome::Drop; // a header in a parser or in documentation
    }
    let line_end = |at: usize| memchr::memmem::find(&rest[at + 5..], b"-----").map_or(at, |close| at + 5 + close + 5);
    Outcome::KeepTo(footer.map_or(end, |at| start + line_end(at)))
}

/// Lines of base64 hold letters of both cases and digits; long names in code hardly do.
fn is_mixed(run: &[u8]) -> bool {
    run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_uppercase) && run.iter().any(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::shape::fill;

    #[test]
    fn checksums_tell_right_from_wrong() {
        type CheckOf = fn(&[u8]) -> bool;
        let table: [(&str, CheckOf); 4] = [
            ("ghp_{crc32:30}", |v| split_tail(v, 6).is_some_and(|(head, tail)| crc32_base62(after_prefix(head), tail))),
            ("{sum-sha:github_pat_{alnum:22}_{alnum:43}}", sha256_base32),
            ("{sum-36:glpat-{alnum:27}.01.ab}", |v| {
                split_tail(v, 7).is_some_and(|(head, tail)| in_base(crc32fast::hash(head), 36, 7).as_bytes().eq_ignore_ascii_case(tail))
            }),
            ("{sum-hex:ATATT3{alnum:180}=}", |v| {
                split_tail(v, 8).is_some_and(|(head, tail)| format!("{:08X}", crc32fast::hash(head)).as_bytes() == tail)
            }),
        ];
        for (shape, check) in table {
            for seed in 0..20 {
                let mut token = fill(shape, seed).into_bytes();
                assert!(check(&token), "{shape}");
                token[12] ^= 1;
                assert!(!check(&token), "{shape}");
            }
        }
    }
}
