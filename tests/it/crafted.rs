//! Pushes that no git client makes: what a hand-made client says, and objects that git takes in and never writes itself.

use leakstop::rules::shape;

use crate::support::{Ended, Repo, assert_redacted, ended_with, started, token};

const NONE: &str = "0000000000000000000000000000000000000000";
const PERSON: &str = "A <a@b.example> 1700000000 +0000";

fn object(repo: &Repo, kind: &str, text: &[u8]) -> String {
    let mut command = repo.command("git");
    ended_with(command.args(["hash-object", "-w", "--literally", "-t", kind, "--stdin"]), text).expect(0).out.trim().to_owned()
}

/// Speaks the protocol of a push: each command is (claimed old value, new value, ref); gives what the server answered.
fn push_by_hand(repo: &Repo, server: &Repo, commands: &[(&str, &str, &str)]) -> Ended {
    let listed = repo.ask(&["rev-list", "--objects", "--no-object-names", "--all", "--not", "--remotes"]) + "\n";
    let packed =
        repo.command("git").args(["pack-objects", "-q", "--stdout"]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn();
    let mut packed = packed.unwrap();
    std::io::Write::write_all(&mut packed.stdin.take().unwrap(), listed.as_bytes()).unwrap();
    let pack = packed.wait_with_output().unwrap().stdout;
    let mut said = Vec::new();
    for (at, (old, new, name)) in commands.iter().enumerate() {
        let line = format!("{old} {new} {name}{}", if at == 0 { "\0 report-status delete-refs" } else { "" });
        said.extend(format!("{:04x}{line}", line.len() + 4).into_bytes());
    }
    said.extend(b"0000");
    said.extend(pack);
    ended_with(repo.command("git").arg("receive-pack").arg(server.path()), &said)
}

#[test]
fn what_a_pusher_claims_to_have_been_there_is_not_known() {
    let (server, repo) = started();
    let secret = token(1);
    let commit = repo.accept("deploy.py", format!("token = \"{secret}\"\n"));
    let later = repo.accept("deploy.py", "token = None\n");
    for claim in [(commit.as_str(), NONE, "refs/heads/gone"), (&commit, &later, "refs/heads/gone"), (&later, &later, "refs/heads/gone")] {
        for new in [&commit, &later] {
            let before = server.contents();
            let ended = push_by_hand(&repo, &server, &[claim, (NONE, new, "refs/heads/x")]);
            assert!(ended.err.contains("leakstop: blocked: "), "{claim:?} {}\n{}", ended.out, ended.err);
            assert_redacted(&ended.err, &secret);
            assert_eq!(server.contents(), before, "something of it stays on the server");
        }
    }
}

#[test]
fn a_pusher_may_claim_whatever_stands_on_the_server() {
    let (server, repo) = started();
    let before = repo.head();
    let commit = repo.accept("more", "fine\n");
    let ended = push_by_hand(&repo, &server, &[(&before, &commit, "refs/heads/main")]);
    assert!(ended.err.contains("leakstop: passed: nothing found (read 1 commit, "), "{}\n{}", ended.out, ended.err);
    assert_eq!(server.ask(&["rev-parse", "main"]), commit);
}

/// Pushes a commit of these headers, which is refused; in them `EVIL` is a tree with a secret and `GOOD` one without.
#[track_caller]
fn is_refused(headers: &str, secret: &str) {
    let (server, repo) = started();
    let parent = repo.head();
    let good = repo.ask(&["rev-parse", "HEAD^{tree}"]);
    let blob = object(&repo, "blob", format!("token = \"{}\"\n", token(1)).as_bytes());
    let evil = {
        let id: Vec<u8> = (0..blob.len()).step_by(2).map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap()).collect();
        object(&repo, "tree", &[b"100644 deploy.py\0".as_slice(), &id].concat())
    };
    let headers = headers.replace("EVIL", &evil).replace("GOOD", &good).replace("PARENT", &parent).replace("PERSON", PERSON);
    let commit = object(&repo, "commit", format!("{headers}\n\nsubject\n").as_bytes());
    let told = repo.push_is_refused(&server, &[&format!("{commit}:refs/heads/x")]);
    assert_redacted(&told, secret);
}

#[test]
fn the_tree_of_a_commit_is_the_first_that_it_names() {
    let secret = token(1);
    is_refused("tree EVIL\ntree GOOD\nparent PARENT\nauthor PERSON\ncommitter PERSON", &secret);
    is_refused("tree EVIL\nparent PARENT\ntree GOOD\nauthor PERSON\ncommitter PERSON", &secret);
}

#[test]
fn what_stands_behind_a_persons_address_is_read() {
    let secret = token(2);
    is_refused(&format!("tree GOOD\nparent PARENT\nauthor A <a@b.example> {secret} 1700000000 +0000\ncommitter PERSON"), &secret);
    is_refused(&format!("tree GOOD\nparent PARENT\nauthor PERSON\ncommitter PERSON {secret}"), &secret);
}

#[test]
fn what_calls_itself_a_signature_is_read() {
    let secret = token(3);
    let people = "tree GOOD\nparent PARENT\nauthor PERSON\ncommitter PERSON";
    is_refused(&format!("{people}\ngpgsig {secret}"), &secret);
    is_refused(&format!("{people}\ngpgsig-note {secret}"), &secret);
    let armor = format!("-----BEGIN PGP SIGNATURE-----\n Comment: {secret}\n \n iQEzBAABCAAdFiEE\n =abcd\n -----END PGP SIGNATURE-----");
    is_refused(&format!("{people}\ngpgsig {armor}"), &secret);
    for kind in ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
        let key = shape::fill(&format!("{{pem:{kind}}}"), 3);
        is_refused(&format!("{people}\ngpgsig {}", key.trim_end().replace('\n', "\n ")), &key);
    }
}

#[test]
fn the_name_of_an_empty_folder_is_read() {
    let (server, repo) = started();
    let secret = token(4);
    let empty = object(&repo, "tree", b"");
    let id: Vec<u8> = (0..empty.len()).step_by(2).map(|at| u8::from_str_radix(&empty[at..at + 2], 16).unwrap()).collect();
    let tree = object(&repo, "tree", &[format!("40000 {secret}\0").as_bytes(), &id].concat());
    let parent = repo.head();
    let commit = object(&repo, "commit", format!("tree {tree}\nparent {parent}\nauthor {PERSON}\ncommitter {PERSON}\n\nsubject\n").as_bytes());
    let told = repo.push_is_refused(&server, &[&format!("{commit}:refs/heads/x")]);
    assert_redacted(&told, &secret);
}

/// A password that is one by its name alone.
fn password() -> String {
    leakstop::rules::shape::fill("{alnum:16}", 7)
}

#[test]
fn a_value_that_gets_its_name_in_a_second_commit_is_new() {
    let value = password();
    for (path, first, second) in [
        ("a.py", format!("x = \"{value}\"\n"), format!("password = \"{value}\"\n")),
        (".env", format!("# {value}\n"), format!("DB_PASSWORD={value}\n")),
        ("c.yml", format!("a: {value}\n"), format!("a: {value}\npassword: {value}\n")),
        ("k.yml", format!("env:\n- name: LABEL\n  value: {value}\n"), format!("env:\n- name: DB_PASSWORD\n  value: {value}\n")),
    ] {
        let (server, repo) = started();
        repo.leakstop(&["install"]).expect(0);
        repo.accept(path, &first);
        repo.stage(path, &second);
        let told = repo.refuses(&["commit", "-m", "name it"]);
        assert_redacted(&told, &value);
        repo.git(&["commit", "-q", "--no-verify", "-m", "name it"]).expect(0);
        repo.push_is_refused(&server, &["main"]);
        repo.leakstop(&["scan", "--history"]).expect(1);
        repo.stage(path, second + "# more\n");
        repo.takes(&["commit", "-q", "-m", "another line"]);
    }
}

#[test]
fn a_line_beside_an_old_secret_may_change_after_its_exception_ran_out() {
    let (server, repo) = started();
    repo.leakstop(&["install"]).expect(0);
    let lines: String = (0..400).map(|line| format!("line {line} of a long file\n")).collect();
    let old = format!("{lines}password = \"{}\"\n", password());
    repo.accept("a.py", &old);
    let fingerprint = repo.report(&["scan"], 1)["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    repo.accept(
        ".leakstop.toml",
        format!("[[allow]]\nfingerprint = \"{fingerprint}\"\nowner = \"ann\"\nreason = \"old\"\nexpires = \"2026-01-01\"\n"),
    );
    server.git(&["fetch", "-q", repo.path().to_str().unwrap(), "+refs/heads/main:refs/heads/main"]).expect(0);
    repo.stage("a.py", format!("{old}x = 1\n"));
    repo.takes(&["commit", "-q", "-m", "another line"]);
    repo.push_passes(&["main"]);
}

#[test]
fn a_signature_of_random_bytes_is_no_finding() {
    use base64::Engine as _;
    let (server, repo) = started();
    let drawn = (0..566u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8 | u8::from(at % 5 == 0) << 7);
    let bytes: Vec<u8> = std::iter::once(0x89).chain(drawn).collect();
    let digits = base64::engine::general_purpose::STANDARD.encode(bytes);
    let body: String = digits.as_bytes().chunks(64).map(|line| format!("\n {}", String::from_utf8_lossy(line))).collect();
    let (tree, parent) = (repo.ask(&["rev-parse", "HEAD^{tree}"]), repo.head());
    let text = |body: &str| {
        format!(
            "tree {tree}\nparent {parent}\nauthor {PERSON}\ncommitter {PERSON}\n\
             gpgsig -----BEGIN PGP SIGNATURE-----\n {body}\n =abcd\n -----END PGP SIGNATURE-----\n\nsubject\n"
        )
    };
    let signed = object(&repo, "commit", text(&body).as_bytes());
    repo.push_passes(&[&format!("{signed}:refs/heads/signed")]);
    let secret = token(5);
    let hidden = base64::engine::general_purpose::STANDARD.encode(format!("this is no signature, {secret} stands in it and much more"));
    let hidden: String = hidden.as_bytes().chunks(64).map(|line| format!("\n {}", String::from_utf8_lossy(line))).collect();
    let commit = object(&repo, "commit", text(&hidden).as_bytes());
    repo.push_is_refused(&server, &[&format!("{commit}:refs/heads/x")]);
}
