//! What does a JSON web token say of itself? Whether it is signed, for how long it holds, and whether it is a sample.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Sha256, Sha384, Sha512};

use super::check::Outcome;

/// Sample subjects of the pages on which people learn what a JWT is.
const SAMPLE_SUBJECTS: [&str; 2] = ["1234567890", "1234567891"];

/// Secrets with which those pages sign what they show.
const SAMPLE_SECRETS: [&str; 6] = [
    "your-256-bit-secret",
    "your-384-bit-secret",
    "your-512-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "a-string-secret-at-least-384-bits-long-which-is-48-bytes",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
];

/// Tokens that a person or program would send: header and payload are JSON objects, and somebody signed them.
pub(super) fn judge(token: &[u8]) -> Outcome {
    let mut parts = token.splitn(3, |&b| b == b'.');
    let mut object = || {
        let decoded = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        serde_json::from_slice::<Value>(&decoded).ok().filter(Value::is_object)
    };
    let (Some(header), Some(payload)) = (object(), object()) else { return Outcome::Drop };
    let signature = parts.next().unwrap_or_default();
    if header.get("alg").is_none() && header.get("enc").is_none() && header.get("typ").is_none() {
        return Outcome::Drop;
    }
    let says = |key: &str, what: &str| payload.get(key).and_then(Value::as_str) == Some(what);
    // A role `anon` is handed to every browser on purpose; a sample subject is from a tutorial.
    if says("role", "anon") || SAMPLE_SUBJECTS.iter().any(|sample| says("sub", sample)) {
        return Outcome::Drop;
    }
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if algorithm.eq_ignore_ascii_case("none") {
        return Outcome::Doubtful;
    }
    if signature.is_empty() || is_signed_for_show(token, signature, algorithm) {
        return Outcome::Drop;
    }
    payload.get("exp").and_then(seconds).map_or(Outcome::Proven, Outcome::ProvenUntil)
}

/// RFC 7519 allows parts of a second.
fn seconds(exp: &Value) -> Option<i64> {
    exp.as_i64().or_else(|| exp.as_f64().map(|seconds| seconds as i64))
}

/// True where the signature shows that the secret is one that everyone can read.
fn is_signed_for_show(token: &[u8], signature: &[u8], algorithm: &str) -> bool {
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let signed = memchr::memrchr(b'.', token).map_or(token, |dot| &token[..dot]);
    SAMPLE_SECRETS.iter().any(|secret| match algorithm {
        "HS256" => Hmac::<Sha256>::new_from_slice(secret.as_bytes()).is_ok_and(|mac| mac.chain_update(signed).verify_slice(&signature).is_ok()),
        "HS384" => Hmac::<Sha384>::new_from_slice(secret.as_bytes()).is_ok_and(|mac| mac.chain_update(signed).verify_slice(&signature).is_ok()),
        "HS512" => Hmac::<Sha512>::new_from_slice(secret.as_bytes()).is_ok_and(|mac| mac.chain_update(signed).verify_slice(&signature).is_ok()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str, secret: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_token_says_how_much_it_is_worth() {
        const HS256: &str = r#"{"alg":"HS256"}"#;
        let unsigned_header = HS256.replace("HS256", "none");
        let table = [
            (HS256, r#"{"user":7}"#, "a secret of somebody", Outcome::Proven),
            (HS256, r#"{"user":7,"exp":1500000000}"#, "a secret of somebody", Outcome::ProvenUntil(1_500_000_000)),
            (HS256, r#"{"user":7,"exp":1500000000.5}"#, "a secret of somebody", Outcome::ProvenUntil(1_500_000_000)),
            (HS256, r#"{"user":7,"exp":"soon"}"#, "a secret of somebody", Outcome::Proven),
            (HS256, r#"{"user":7}"#, "your-256-bit-secret", Outcome::Drop),
            (HS256, r#"{"sub":"1234567890"}"#, "a secret of somebody", Outcome::Drop),
            (HS256, r#"{"role":"anon"}"#, "a secret of somebody", Outcome::Drop),
            (HS256, "no json", "a secret of somebody", Outcome::Drop),
            (&unsigned_header, r#"{"user":7}"#, "a secret of somebody", Outcome::Doubtful),
        ];
        for (header, payload, secret, expected) in table {
            assert_eq!(judge(token(header, payload, secret).as_bytes()), expected, "{header} {payload} {secret}");
        }
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(&unsigned_header), URL_SAFE_NO_PAD.encode(r#"{"user":7}"#));
        assert_eq!(judge(unsigned.as_bytes()), Outcome::Doubtful);
        let cut = format!("{}.{}.", URL_SAFE_NO_PAD.encode(HS256), URL_SAFE_NO_PAD.encode(r#"{"user":7}"#));
        assert_eq!(judge(cut.as_bytes()), Outcome::Drop);
    }
}
