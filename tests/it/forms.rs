//! Credentials in the forms that programs keep them in: found whole, once, and with what the form itself says of them.

use leakstop::rules::shape::fill;
use serde_json::Value;

use crate::support::Repo;

/// What a scan of one file tells: rule, verdict, line, reason and message of each finding.
fn told(path: &str, bytes: impl AsRef<[u8]>) -> Vec<Row> {
    let repo = Repo::new();
    repo.write(path, bytes.as_ref());
    let ended = repo.leakstop(&["scan", "--no-ignore", "--format", "json", "."]);
    assert!(ended.code < 2, "{}", ended.err);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let row = |finding: &Value| Row {
        rule: text(finding, "rule"),
        verdict: text(finding, "verdict"),
        confidence: text(finding, "confidence"),
        line: finding["line"].as_u64(),
        says: format!("{} {}", text(finding, "reason"), text(finding, "message")),
    };
    report["findings"].as_array().unwrap().iter().map(row).collect()
}

#[derive(Debug)]
struct Row {
    rule: String,
    verdict: String,
    confidence: String,
    line: Option<u64>,
    says: String,
}

fn rules(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.rule.as_str()).collect()
}

#[test]
fn an_id_joins_the_finding_of_its_secret() {
    let rows = told("a.env.txt", fill("AWS_ACCESS_KEY_ID=AKIA{base32:16}\nregion=eu\nAWS_SECRET_ACCESS_KEY={b64:40}\n", 3));
    assert_eq!(rules(&rows), ["aws-secret-access-key"], "{rows:?}");
    assert_eq!((rows[0].line, rows[0].confidence.as_str()), (Some(3), "high"));
    assert!(rows[0].says.contains("Its id stands beside it on line 1."), "{rows:?}");

    let rows = told("a.py", fill("client = Client(\n    'AC{hex:32}',\n    twilio_auth_token='{hex:32}')\n", 3));
    assert_eq!(rules(&rows), ["twilio-auth-token"], "{rows:?}");
    assert!(rows[0].says.contains("Its id stands beside it on line 2."), "{rows:?}");
}

#[test]
fn an_id_alone_or_far_away_is_told_by_itself() {
    let rows = told("a.txt", fill("AWS_ACCESS_KEY_ID=AKIA{base32:16}\n", 3));
    assert_eq!(rules(&rows), ["aws-access-key-id"]);
    let apart = "# a line between\n".repeat(40);
    let rows = told("a.txt", fill(&format!("AWS_ACCESS_KEY_ID=AKIA{{base32:16}}\n{apart}AWS_SECRET_ACCESS_KEY={{b64:40}}\n"), 3));
    assert_eq!(rules(&rows), ["aws-access-key-id", "aws-secret-access-key"]);
}

#[test]
fn two_pairs_are_two_findings() {
    let pair = "aws_access_key_id = AKIA{base32:16}\naws_secret_access_key = {b64:40}\n\n";
    let rows = told("profiles.txt", fill(&format!("[a]\n{pair}[b]\n{pair}"), 3));
    assert_eq!(rules(&rows), ["aws-secret-access-key", "aws-secret-access-key"], "{rows:?}");
    assert!(rows[0].says.contains("on line 2.") && rows[1].says.contains("on line 6."), "{rows:?}");
}

#[test]
fn a_token_that_has_expired_warns_and_one_that_holds_blocks() {
    let token = |exp: &str| fill(&format!("auth = \"{{jwt:{{\"user\":\"{{alnum:12}}\",\"exp\":{exp}}}}}\"\n"), 5);
    let over = told("a.py", token("1500000000"));
    assert_eq!((rules(&over), over[0].verdict.as_str(), over[0].confidence.as_str()), (vec!["jwt"], "warn", "low"));
    assert!(over[0].says.contains("the token has expired"), "{over:?}");
    let holds = told("a.py", token("4000000000"));
    assert_eq!((rules(&holds), holds[0].verdict.as_str(), holds[0].confidence.as_str()), (vec!["jwt"], "block", "high"));
}

#[test]
fn a_token_that_nobody_signed_warns() {
    let rows = told("a.py", fill("auth = \"{base64url:{\"alg\":\"none\"}}.{base64url:{\"user\":\"{alnum:12}\"}}.\"\n", 5));
    assert_eq!((rules(&rows), rows[0].verdict.as_str()), (vec!["jwt"], "warn"));
    assert!(rows[0].says.contains("the token is not signed"), "{rows:?}");
}

#[test]
fn filezilla_gives_its_passwords() {
    let servers = fill(
        "<FileZilla3><Servers><Server>\n<User>me</User>\n<Pass encoding=\"base64\">{base64:{alnum:12}}</Pass>\n</Server></Servers></FileZilla3>\n",
        2,
    );
    assert_eq!(rules(&told("sitemanager.xml", &servers)), ["filezilla-password"]);
    assert_eq!(rules(&told("backup/old.xml", &servers)), ["filezilla-password"]);
    let crypt = fill("<Pass encoding=\"crypt\" pubkey=\"{b64:43}=\">{b64:80}</Pass>\n", 2);
    assert!(!rules(&told("sitemanager.xml", crypt)).contains(&"filezilla-password"));
}

#[test]
fn terraform_state_gives_what_it_hides_on_the_screen() {
    let state = fill(
        "{\"outputs\": {\n\"name\": {\"value\": \"app\", \"type\": \"string\"},\n\"db\": {\"value\": \"{lower:9}\", \"type\": \"string\", \"sensitive\": true}},\n\
         \"resources\": [{\"type\": \"random_password\", \"instances\": [{\"attributes\": {\"length\": 16,\n\"result\": \"{alnum:16}\"}}]},\n\
         {\"type\": \"aws_db_instance\", \"instances\": [{\"attributes\": {\"port\": 5432,\n\"password\": \"{lower:9}\"}}]}]}\n",
        2,
    );
    let rows = told("infra/terraform.tfstate", state);
    let inside: Vec<_> = rows.iter().filter_map(|row| Some((row.line?, row.verdict.as_str()))).collect();
    assert_eq!(inside, [(3, "block"), (5, "block"), (7, "block")], "{rows:?}");
}

#[test]
fn the_arguments_of_an_assistants_server_are_read() {
    let args = |args: &str| fill(&format!("{{\"mcpServers\": {{\"a\": {{\"command\": \"npx\", \"args\": [{args}]}}}}}}\n"), 2);
    for arguments in ["\"--api-key\", \"{alnum:20}\"", "\"--header\", \"Authorization: Bearer {alnum:30}\"", "\"-H\", \"X-Api-Key: {alnum:24}\""] {
        let rows = told(".cursor/mcp.json", args(arguments));
        assert!(rows.iter().any(|row| row.verdict == "block"), "{arguments}: {rows:?}");
    }
    let codex = fill("[mcp_servers.a]\ncommand = \"npx\"\nargs = [\"--api-key\", \"{alnum:20}\"]\n", 2);
    assert!(told(".codex/config.toml", codex).iter().any(|row| row.verdict == "block"));
    for arguments in [
        "\"--api-key\", \"${API_KEY}\"",
        "\"--header\", \"Authorization: Bearer ${TOKEN}\"",
        "\"--header\", \"Accept: application/json\"",
        "\"--port\", \"8080\"",
    ] {
        assert_eq!(rules(&told(".cursor/mcp.json", args(arguments))), [""; 0], "{arguments}");
    }
}

#[test]
fn a_key_store_is_known_by_its_bytes_whatever_it_is_called() {
    let java = |tag: u8| [&b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01\0\0\0"[..], &[tag], b"\0\x01a\0\0\0\0\0\0\0\0\0\x05X.509\0\0\0\x03abc"].concat();
    let database = b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01\0\x03\0rest".to_vec();
    let pkcs8 = [&b"\x30\x82\x01\x10\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"[..], &[7; 256]].concat();
    for (what, bytes) in [("java", java(1)), ("KeePass", database), ("pkcs8", pkcs8)] {
        assert_eq!(rules(&told("assets/blob.bin", &bytes)), ["file-key-store-content"], "{what}");
    }
    // Known by its name too, it is told once.
    assert_eq!(rules(&told("release.jks", java(1))), ["file-key-store"]);
    // A list of certificates to trust, a class, a program, a picture, a database.
    let ordinary: [&[u8]; 5] =
        [&java(2), b"\xca\xfe\xba\xbe\0\0\0\x34\0\x10", b"\x7fELF\x02\x01\x01\0\0\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"SQLite format 3\0"];
    for bytes in ordinary {
        assert_eq!(rules(&told("assets/blob.bin", bytes)), [""; 0], "{bytes:x?}");
    }
}

#[test]
fn a_committed_key_store_is_told_by_the_hook() {
    let repo = Repo::started();
    repo.stage("assets/blob.bin", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01\0\x03\0rest".as_slice());
    let ended = repo.leakstop(&["scan", "--staged", "--format", "json"]);
    assert!(ended.out.contains("file-key-store-content"), "{}", ended.out);
}
