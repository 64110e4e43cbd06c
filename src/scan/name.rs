//! Does this name say that its value is a credential? `dbPass` and `client-secret` do, `max_tokens` and `token_url` do not.
//!
//! A name is read part by part, so that `secretary` holds no secret and `compass` no password. Words beside the sensitive
//! one may take its sense away: some wherever they stand (`hashed_password`), some only behind it (`token_url`).

use super::holds::{List, holds};

/// What a name says its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Password,
    Secret,
    Token,
    Key,
    /// A connection string or a bundle of credentials.
    Other,
}

/// The parts of a name, in lower case: split at everything but letters and digits, and at humps (`APIKey`, `dbPass`).
pub(super) fn parts(name: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
    for (at, &b) in name.iter().enumerate() {
        if !b.is_ascii_alphanumeric() {
            parts.push(Vec::new());
            continue;
        }
        let before = at.checked_sub(1).map(|at| name[at]);
        let after = name.get(at + 1);
        let hump = b.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit() && after.is_some_and(u8::is_ascii_lowercase)
                    || before.is_ascii_uppercase() && after.is_some_and(u8::is_ascii_lowercase) && !is_plural_end(name, at)
            });
        if hump {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(b.to_ascii_lowercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// `IDs`: the small `s` ends the capitals before it and begins nothing.
fn is_plural_end(name: &[u8], at: usize) -> bool {
    name.get(at + 1) == Some(&b's') && !name.get(at + 2).is_some_and(u8::is_ascii_lowercase)
}

/// False for most names at the price of a glance: the words that [`last_sensitive`] knows begin like this.
fn may_be_sensitive(name: &[u8]) -> bool {
    const BEGINNINGS: [&[u8; 2]; 12] = [b"pa", b"pw", b"ps", b"se", b"to", b"ke", b"cr", b"co", b"au", b"be", b"jw", b"ds"];
    name.windows(2).any(|two| BEGINNINGS.contains(&&[two[0] | 0x20, two[1] | 0x20]))
}

/// What kind of credential a variable, key or field of this name holds; `None` where it holds none.
pub(super) fn is_sensitive(name: &[u8]) -> Option<Kind> {
    // The shells' working directory.
    if matches!(name, b"PWD" | b"OLDPWD" | b"$PWD") {
        return None;
    }
    if !may_be_sensitive(name) {
        return None;
    }
    let parts = parts(name);
    let (kind, end) = last_sensitive(&parts)?;
    let spoiled = parts.iter().any(|part| ANYWHERE.has(part) || ANYWHERE_BEGINS.iter().any(|word| part.starts_with(word)))
        || parts[end..].iter().any(|part| BEHIND.has(part) || part.ends_with(b"name") || BEHIND_BEGINS.iter().any(|word| part.starts_with(word)))
        // The name under which a password is kept; a `secret_key` is one itself.
        || kind == Kind::Token && end.checked_sub(2).is_some_and(|before| TOKEN_FRONTS.has(&parts[before]))
        || kind != Kind::Key && parts.get(end).is_some_and(|part| part == b"key" || part == b"keys");
    (!spoiled).then_some(kind)
}

/// The last sensitive word of the name and the number of parts up to its end.
fn last_sensitive(parts: &[Vec<u8>]) -> Option<(Kind, usize)> {
    (0..parts.len()).rev().find_map(|at| {
        let before = at.checked_sub(1).map(|at| parts[at].as_slice());
        let kind = of_part(&parts[at]).or_else(|| of_pair(before?, &parts[at]))?;
        Some((kind, at + 1))
    })
}

fn of_part(part: &[u8]) -> Option<Kind> {
    // `password1`, `token2`: a number makes no other word of it.
    let part = without_number(part);
    let holds = |word: &str| holds(part, word.as_bytes());
    let ends = |word: &str| part.ends_with(word.as_bytes());
    if ["password", "passwd", "passphrase", "passcode", "passwort", "contrasena"].iter().any(|word| holds(word)) {
        // `passwordless` is the opposite, and a `passwordfile` holds it.
        return (!ends("less") && !ends("file")).then_some(Kind::Password);
    }
    if matches!(part, b"pass" | b"pwd" | b"pw" | b"psw")
        || MISSPELT.has(part)
        || SHORT_PASSWORDS.iter().any(|short| part.strip_suffix(*short).is_some_and(|front| GLUED.has(front)))
    {
        return Some(Kind::Password);
    }
    if part.strip_suffix(b"key").is_some_and(|head| !head.is_empty() && KEY_FRONTS.iter().any(|front| head.ends_with(front))) {
        return Some(Kind::Key);
    }
    if ends("token") || matches!(part, b"bearer" | b"authorization" | b"jwt") {
        return Some(Kind::Token);
    }
    if ends("secret") || part == b"secrets" {
        return Some(Kind::Secret);
    }
    let bundle = holds("credential") || matches!(part, b"creds" | b"cred" | b"dsn") || ends("connectionstring") || ends("connstr");
    bundle.then_some(Kind::Other)
}

fn of_pair(before: &[u8], part: &[u8]) -> Option<Kind> {
    match without_number(part) {
        b"key" | b"keys" if KEY_FRONTS.has(before) => Some(Kind::Key),
        b"pat" if matches!(before, b"github" | b"gh" | b"gitlab" | b"azure" | b"ado" | b"devops" | b"git") => Some(Kind::Token),
        b"string" | b"str" if matches!(before, b"connection" | b"conn") => Some(Kind::Other),
        b"code" | b"phrase" if before == b"pass" => Some(Kind::Password),
        _ => None,
    }
}

fn without_number(part: &[u8]) -> &[u8] {
    let end = part.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    &part[..end]
}

const SHORT_PASSWORDS: [&[u8]; 3] = [b"pass", b"pwd", b"pw"];

/// `password` as people write it in a hurry, or to have it shorter.
static MISSPELT: List = List::new("pswd psswd psswrd pssword psswword paswd pasword paswword passwrd passord pasword passwrod pwrd");

/// What people glue before `pass`, `pwd` and `pw` without a hump.
static GLUED: List = List::new(
    "\
    db my user root admin mysql pg sql smtp mail email ftp ssh bind ldap redis login proxy http key store old new rabbit \
    mongo",
);

/// What makes a `key` a secret one.
static KEY_FRONTS: List = List::new(
    "\
    api access auth private priv signing sign encryption encrypt decryption session secret master service account crypto \
    cipher hmac jwt ssh rsa aes deploy subscription",
);

/// These words take the sense out of a sensitive name wherever they stand.
static ANYWHERE: List = List::new(
    "\
    tokens csrf xsrf min max num public pub is has had should can show hide toggle forgot reset require required use uses \
    enable enabled disable disabled allow allowed need needs missing validate validates invalid wrong incorrect no without md5 sha sha1 sha256 \
    sha512 crypt crypted encrypted bcrypt scrypt argon2 pbkdf2 publishable",
);

/// The same for words that begin so.
const ANYWHERE_BEGINS: [&[u8]; 6] = [b"hash", b"encod", b"redact", b"mask", b"tokeniz", b"sanitiz"];

/// These words take the sense out of a sensitive word before them.
static BEHIND: List = List::new(
    "\
    url urls uri uris endpoint endpoints host hostname server path paths file files filename filepath dir directory folder \
    name names id ids field fields header headers label labels type types length len size ttl count counter limit limits \
    policy policies regex regexp pattern patterns error errors err exception message msg title placeholder prompt hint help \
    desc description strength score arn ref refs reference version versions set ok exists present changed match matches \
    valid validator validation input manager service store storage provider factory encoder generator rotation age format \
    column col table page view form button env var index idx position pos offset kind class stream bucket client issuer \
    audience scope scopes duration lifetime timeout interval at time date status state mode scheme algorithm algo method mechanism range span loc location line lines lineno parser lexer symbol address usage budget \
    checksum digest encryption hashing hasher",
);

/// Tokens that open nothing: places in a list, signals between threads, pieces of text.
static TOKEN_FRONTS: List = List::new(
    "\
    cache page paging pagination next prev previous continuation continue starting resume sync acquire cancel cancellation abort stop eos bos \
    pad unk special idempotency request change sort design semantic syntax parse lexer completion reservation deletion snapshot delta",
);

/// The same for words that begin so.
const BEHIND_BEGINS: [&[u8]; 3] = [b"expir", b"config", b"option"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_humps_and_separators() {
        let table = [
            ("dbTokenUrl_x-Y", "db token url x y"),
            ("APIKey", "api key"),
            ("OAuth2Token", "o auth2 token"),
            ("accessKeyIDs", "access key ids"),
            ("DB_PASSWD", "db passwd"),
            ("spring.datasource.password", "spring datasource password"),
            ("", ""),
        ];
        for (name, expected) in table {
            let parts: Vec<String> = parts(name.as_bytes()).into_iter().map(|part| String::from_utf8(part).unwrap()).collect();
            assert_eq!(parts.join(" "), expected, "{name}");
        }
    }

    #[test]
    fn sensitive_names_are_told_by_kind() {
        let table: [(Kind, &[&str]); 5] = [
            (
                Kind::Password,
                &["password", "DB_PASSWD", "dbPass", "bind_pw", "userPwd", "rootpw", "PGPASSWORD", "sshPassphrase", "pass", "newPassword"],
            ),
            (Kind::Secret, &["secret", "client-secret", "clientSecret", "JWT_SECRET", "appsecret", "SECRETS", "secretValue"]),
            (
                Kind::Token,
                &["authToken", "GITHUB_TOKEN", "id_token", "accesstoken", "bearer", "GITHUB_PAT", "session.token", "token1", "Authorization"],
            ),
            (
                Kind::Key,
                &[
                    "apiKey",
                    "APIKEY",
                    "api-key",
                    "private_key",
                    "SECRET_KEY",
                    "AWS_SECRET_ACCESS_KEY",
                    "signingKey",
                    "myApiKey2",
                    "cryptoKey",
                    "ENCRYPTION_KEY",
                ],
            ),
            (Kind::Other, &["connection_string", "connStr", "SENTRY_DSN", "credentials", "aws_creds"]),
        ];
        for (kind, names) in table {
            for name in names {
                assert_eq!(is_sensitive(name.as_bytes()), Some(kind), "{name}");
            }
        }
    }

    #[test]
    fn words_beside_a_sensitive_one_take_its_sense_away() {
        let harmless = "max_tokens token_url password_length secret_name public_key hashed_password compass keyboard passive secretary accessKeyId \
            AWS_ACCESS_KEY_ID tokenizer TOKENIZERS_PARALLELISM PWD OLDPWD bypass PASSWORD_MIN_LENGTH passwordSet IncorrectPasswordError _passwordMD5 \
            csrfToken token_expires_at hasToken showPassword resetPassword secretArn password_file token_type passwordless prompt_tokens key auth user \
            cert author tokenKey cancellationToken nextPageToken next_token cache_token token_range starting_token CRED_TABLENAME passwordScheme ValidateStoredCredentials passport passenger tokenCount apiKeyHeader primaryKey foreign_key cacheKey bearer_format";
        for name in harmless.split_whitespace() {
            assert_eq!(is_sensitive(name.as_bytes()), None, "{name}");
        }
    }
}
