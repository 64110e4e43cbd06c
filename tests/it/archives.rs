//! What is packed in a file is read as if it stood beside it; what cannot be read is listed and judged.
//!
//! It is long because each way to pack is a scene, and they share what packs.

use std::io::Write as _;
use std::process::Command;

use leakstop::rules::shape;
use serde_json::Value;

use crate::support::{Repo, assert_redacted, token};

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];

/// A file of `entries`, packed by Python as `kind`, which is a statement that gives `out` from `entries`.
fn packed(kind: &str, entries: &[(&str, &[u8])]) -> Vec<u8> {
    const ZIP: &str = "
import io, sys, struct, zipfile, tarfile, gzip, bz2, lzma
data, entries, at = sys.stdin.buffer.read(), [], 0
while at < len(data):
    name, body = struct.unpack_from('>II', data, at)
    at += 8
    entries.append((data[at:at + name].decode(), data[at + name:at + name + body]))
    at += name + body
def zipped(method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as z:
        for name, body in entries: z.writestr(name, body)
    return out.getvalue()
def tarred(mode='w', format=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=format) as t:
        for name, body in entries:
            info = tarfile.TarInfo(name); info.size = len(body); t.addfile(info, io.BytesIO(body))
    return out.getvalue()
";
    let mut input = Vec::new();
    for (name, body) in entries {
        input.extend_from_slice(&(name.len() as u32).to_be_bytes());
        input.extend_from_slice(&(body.len() as u32).to_be_bytes());
        input.extend_from_slice(name.as_bytes());
        input.extend_from_slice(body);
    }
    let script = format!("{ZIP}\nsys.stdout.buffer.write({kind})");
    let mut child =
        Command::new("python3").args(["-c", &script]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && !output.stdout.is_empty(), "{kind}");
    output.stdout
}

/// A settings file with a token on its third line.
fn settings(seed: u64) -> Vec<u8> {
    format!("[main]\nname = caf\n  key = {}\n", token(seed)).into_bytes()
}

const HELLO: (&str, &[u8]) = ("README", b"hello\n");

/// The unread parts of a report, as `path: why`.
fn unread(report: &Value) -> Vec<String> {
    report["unread"].as_array().unwrap().iter().map(|one| format!("{}: {}", one["path"].as_str().unwrap(), one["why"].as_str().unwrap())).collect()
}

mod what_is_packed {
    use super::*;

    #[track_caller]
    fn is_found_at(place: &str, name: &str, bytes: &[u8]) {
        let repo = Repo::started();
        repo.stage(name, bytes);
        let told = repo.refuses(&COMMIT);
        assert!(told.contains(&format!("{place}  ghp_****")), "{name}: {told}");
        assert_redacted(&told, &token(1));
    }

    #[test]
    fn a_secret_is_refused_at_its_line_in_the_inner_file() {
        let settings = settings(1);
        let entries = [HELLO, ("conf/a.ini", settings.as_slice())];
        for kind in
            ["zipped()", "zipped(zipfile.ZIP_BZIP2)", "b'#!/usr/bin/env python3\\n' + zipped()", "tarred()", "tarred('w', tarfile.GNU_FORMAT)"]
        {
            is_found_at("lib/a.whl!conf/a.ini:3:9", "lib/a.whl", &packed(kind, &entries));
        }
        for kind in ["tarred('w:gz')", "tarred('w:bz2')", "tarred('w:xz')", "gzip.compress(tarred()[:9000]) + gzip.compress(tarred()[9000:])"] {
            is_found_at("a.tgz!conf/a.ini:3:9", "a.tgz", &packed(kind, &entries));
        }
    }

    #[test]
    fn a_compressed_file_is_known_by_its_first_bytes() {
        let settings = settings(1);
        for kind in ["gzip.compress(entries[0][1])", "bz2.compress(entries[0][1])", "lzma.compress(entries[0][1])"] {
            let bytes = packed(kind, &[("a", settings.as_slice())]);
            is_found_at("a.ini.gz!a.ini:3:9", "a.ini.gz", &bytes);
            is_found_at("picture.png!picture.png:3:9", "picture.png", &bytes);
        }
    }

    #[test]
    fn an_archive_in_an_archive_is_read() {
        let inner = packed("zipped()", &[("a.ini", &settings(1))]);
        let middle = packed("tarred('w:gz')", &[("lib/in.jar", &inner)]);
        is_found_at("out.zip!m.tgz!lib/in.jar!a.ini:3:9", "out.zip", &packed("zipped()", &[("m.tgz", &middle)]));
    }

    #[test]
    fn the_name_of_an_inner_file_is_read_and_not_told() {
        let repo = Repo::started();
        let name = format!("keys/{}.txt", token(1));
        for kind in ["zipped()", "tarred('w:gz')"] {
            repo.stage("a.bin", packed(kind, &[(&name, b"password = nothing\n"), HELLO]));
            let told = repo.refuses(&COMMIT);
            assert!(told.contains("GitHub personal access token"), "{told}");
            assert_redacted(&told, &token(1));
        }
    }

    #[test]
    fn the_strings_of_a_compiled_module_are_read() {
        let text = format!("KEY = \"{}\"\ndef f(): return None\n", token(1));
        let compiled = "__import__('importlib._bootstrap_external', fromlist=['x'])._code_to_timestamp_pyc(compile(entries[0][1], 'a', 'exec'))";
        let module = packed(compiled, &[("a.py", text.as_bytes())]);
        let repo = Repo::started();
        repo.stage("__pycache__/a.cpython-313.pyc", &module);
        let told = repo.refuses(&COMMIT);
        assert!(told.contains("__pycache__/a.cpython-313.pyc!constants:"), "{told}");
        assert_redacted(&told, &token(1));
        repo.stage("__pycache__/a.cpython-313.pyc", packed(compiled, &[("a.py", b"KEY = 'nothing of interest'\n")]));
        repo.takes(&COMMIT);
    }

    #[test]
    fn the_text_of_an_inner_file_is_read_in_its_encoding_and_by_its_name() {
        let wide: Vec<u8> = format!("\u{feff}one\r\nkey {}\r\n", token(1)).encode_utf16().flat_map(u16::to_le_bytes).collect();
        is_found_at("a.zip!b.reg:2:5", "a.zip", &packed("zipped()", &[("b.reg", &wide)]));
        let repo = Repo::started();
        repo.stage("app.jar", packed("zipped()", &[(".netrc", shape::fill("machine h.example.org login ann password {alnum:14}\n", 1).as_bytes())]));
        assert!(repo.refuses(&COMMIT).contains("app.jar!.netrc:1:42"));
    }

    #[test]
    fn a_text_that_only_looks_packed_is_read_as_it_is() {
        is_found_at("a.txt:2:1", "a.txt", format!("PK\u{3}\u{4}\n{}\n", token(1)).as_bytes());
    }

    #[test]
    fn a_push_is_refused_for_what_it_packs() {
        let server = Repo::server();
        let repo = Repo::with_remote(&server);
        repo.accept("a.docx", packed("zipped()", &[("word/document.xml", format!("<t>{}</t>\n", token(1)).as_bytes())]));
        assert!(repo.push_is_refused(&server, &["main"]).contains("a.docx!word/document.xml:1:4"));
    }

    #[test]
    fn what_was_packed_there_before_is_not_new() {
        let repo = Repo::guarded();
        let old = settings(1);
        repo.accept("a.jar", packed("zipped()", &[("a.ini", &old)]));
        repo.stage("a.jar", packed("zipped()", &[("a.ini", &old), HELLO]));
        repo.takes(&COMMIT);
        repo.stage("a.jar", packed("zipped()", &[("a.ini", &old), ("b.ini", &settings(2))]));
        let told = repo.refuses(&COMMIT);
        assert!(told.contains("a.jar!b.ini:3:9") && !told.contains("a.jar!a.ini"), "{told}");
    }

    #[test]
    fn an_allowed_path_covers_what_is_packed_in_it_and_no_file_of_a_similar_name() {
        let repo = Repo::started();
        repo.accept(".leakstop.toml", "[paths]\nallow = [\"vendor/a.zip\"]\n");
        repo.stage("vendor/a.zip", packed("zipped()", &[("a.ini", &settings(1))]));
        repo.git(&COMMIT).expect(0);
        repo.stage("vendor/a.zip!b.ini", settings(2));
        repo.refuses(&COMMIT);
    }
}

mod what_is_unread {
    use super::*;

    fn scanned(bytes: &[u8], limits: &str, code: i32) -> Value {
        let repo = Repo::new();
        repo.write("a.bin", bytes);
        repo.write(".leakstop.toml", limits);
        repo.report(&["scan", "a.bin"], code)
    }

    #[test]
    fn a_damaged_archive_is_listed_and_read_as_far_as_it_goes() {
        let zip = packed("zipped()", &[("a.ini", &settings(1))]);
        assert_eq!(unread(&scanned(&zip[..zip.len() - 30], "", 0)), ["a.bin: it cannot be unpacked: it is damaged or cut"]);
        let gzip = packed("gzip.compress(b''.join(b for _, b in entries))", &[("a", &settings(1)), ("b", &vec![b'x'; 100_000])]);
        let report = scanned(&gzip[..gzip.len() - 12], "", 1);
        assert_eq!(unread(&report), ["a.bin!a.bin: it cannot be unpacked: it is damaged or cut"]);
        assert_eq!(report["findings"][0]["path"], "a.bin!a.bin");
        let tar = packed("tarred()", &[("a.ini", &settings(1)), ("b", &[b'x'; 5000])]);
        let report = scanned(&tar[..4000], "", 1);
        assert_eq!((unread(&report).len(), report["findings"][0]["path"].as_str()), (1, Some("a.bin!a.ini")));
    }

    #[test]
    fn an_encrypted_entry_is_listed() {
        // The flag alone says that it is encrypted.
        let mut zip = packed("zipped(zipfile.ZIP_STORED)", &[("a.ini", b"hello")]);
        let directory = memchr::memmem::find(&zip, b"PK\x01\x02").unwrap();
        zip[6] |= 1;
        zip[directory + 8] |= 1;
        assert_eq!(unread(&scanned(&zip, "", 0)), ["a.bin!a.ini: it is encrypted"]);
    }

    #[test]
    fn what_no_code_here_unpacks_is_listed() {
        for (magic, program) in [
            (&b"7z\xbc\xaf\x27\x1c...."[..], "7-Zip"),
            (b"Rar!\x1a\x07\x01\0....", "RAR"),
            (b"\x28\xb5\x2f\xfd....", "zstd"),
            (b"\x04\x22\x4d\x18....", "LZ4"),
            (b"LZIP\x01....", "lzip"),
            (b"\x1f\x9d\x90....", "compress"),
            (b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0....", "LZMA"),
            (b"MSCF\0\0\0\0....", "Cabinet"),
            (b"\xed\xab\xee\xdb....", "RPM"),
            (b"!<arch>\ndebian-binary   ....", "Debian package"),
        ] {
            assert_eq!(unread(&scanned(magic, "", 0)), [format!("a.bin: it is packed by {program}, which leakstop does not read")]);
        }
    }

    #[test]
    fn each_limit_is_told_by_its_name() {
        let many: Vec<(String, Vec<u8>)> = (0..30).map(|at| (format!("f{at}"), vec![b'x'; 1000])).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(name, body)| (name.as_str(), body.as_slice())).collect();
        let zip = packed("zipped()", &many);
        for (limits, told) in [
            ("[limits]\narchive_entries = 10\n", "a.bin: it holds more than 10 entries (`limits.archive_entries`); the others were not read"),
            ("[limits]\narchive_bytes = 4500\n", "a.bin!f4: it unpacks to more than `limits.archive_bytes` lets through; the rest was not read"),
        ] {
            assert_eq!(unread(&scanned(&zip, limits, 0)), [told]);
        }
        let zeros = packed("gzip.compress(bytes(20 << 20))", &[HELLO]);
        let told = "a.bin!a.bin: it unpacks to more than `limits.archive_ratio` lets through; the rest was not read";
        assert_eq!(unread(&scanned(&zeros, "[limits]\narchive_ratio = 2\n", 0)), [told]);
        let tar = packed("tarred('w:gz')", &[("a", &vec![0; 9 << 20])]);
        let report = scanned(&tar, "[limits]\narchive_ratio = 2\n", 0);
        assert!(unread(&report)[0].contains("`limits.archive_ratio`"), "{report}");
    }

    #[test]
    fn a_fourth_archive_inside_is_listed() {
        let mut bytes = packed("zipped()", &[("a.ini", &settings(1))]);
        for _ in 0..3 {
            bytes = packed("zipped()", &[("in.zip", &bytes)]);
        }
        assert_eq!(unread(&scanned(&bytes, "", 0)), ["a.bin!in.zip!in.zip!in.zip: it is an archive below 3 others"]);
    }

    #[test]
    fn a_push_with_something_unread_is_refused_and_a_commit_is_warned() {
        let server = Repo::server();
        let repo = Repo::with_remote(&server);
        let zip = packed("zipped()", &[("a.txt", b"hello")]);
        repo.accept("a.zip", &zip[..zip.len() - 30]);
        assert!(repo.push_is_refused(&server, &["main"]).contains("a.zip: it cannot be unpacked"));
        repo.leakstop(&["install"]).expect(0);
        repo.stage("b.zip", &zip[..zip.len() - 40]);
        let told = repo.git(&COMMIT).expect(0).err;
        assert!(told.contains("b.zip: it cannot be unpacked"), "{told}");
    }

    #[test]
    fn a_bomb_costs_little() {
        let began = std::time::Instant::now();
        let inner = packed("gzip.compress(bytes(90 << 20))", &[HELLO]);
        let many: Vec<(String, &[u8])> = (0..40).map(|at| (format!("f{at}.gz"), inner.as_slice())).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(name, body)| (name.as_str(), *body)).collect();
        let report = scanned(&packed("zipped()", &many), "", 0);
        assert!(unread(&report).iter().any(|line| line.contains("`limits.archive_")), "{report}");
        assert!(began.elapsed().as_secs() < 120, "{:?}", began.elapsed());
    }

    #[test]
    fn what_is_compressed_in_base64_is_unpacked_up_to_a_limit() {
        let wrap = |bytes: &[u8]| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(bytes)
        };
        let small = packed("gzip.compress(entries[0][1])", &[("a", &settings(1))]);
        let report = scanned(wrap(&small).as_bytes(), "", 1);
        assert_eq!(report["findings"][0]["decoded"], serde_json::json!(["base64", "gzip"]));
        let bomb = packed("gzip.compress(bytes(50 << 20))", &[HELLO]);
        let report = scanned(wrap(&bomb).as_bytes(), "", 0);
        assert!(unread(&report)[0].starts_with("a.bin: more stands encoded in it than"), "{report}");
    }
}

/// Archives that are too large to be held, and entries that are.
mod what_is_large {
    use super::*;

    /// Bytes that nothing packs any smaller, without a line.
    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8 | 0x80
        };
        (0..length).map(|_| next()).collect()
    }

    /// What a hook says of `bytes` staged as `name`, with each way to read git.
    #[track_caller]
    fn is_refused_at(place: &str, name: &str, bytes: &[u8]) {
        is_refused_by(&["git2", "git"], place, name, bytes);
    }

    #[track_caller]
    fn is_refused_by(backends: &[&str], place: &str, name: &str, bytes: &[u8]) {
        for backend in backends {
            let repo = Repo::new();
            repo.stage(name, bytes);
            let mut hook = repo.command(crate::support::LEAKSTOP);
            let ended = crate::support::ended(hook.args(["hook", "pre-commit"]).env("LEAKSTOP_BACKEND", backend)).expect(1);
            assert!(ended.err.contains(&format!("{place}  ghp_****")), "{name} by {backend}: {}", ended.err);
            assert!(!ended.err.contains("not read"), "{name} by {backend}: {}", ended.err);
        }
    }

    #[test]
    fn an_archive_that_is_too_large_to_be_held_is_unpacked() {
        let (noise, settings) = (noise(17 << 20, 3), settings(1));
        let entries = [("media/film", noise.as_slice()), ("conf/a.ini", settings.as_slice())];
        is_refused_at("lib/a.jar!conf/a.ini:3:9", "lib/a.jar", &packed("zipped()", &entries));
        is_refused_by(&["git2"], "lib/a!conf/a.ini:3:9", "lib/a", &packed("b'#!/usr/bin/env python3\\n' + zipped()", &entries));
        is_refused_by(&["git2"], "a.tgz!conf/a.ini:3:9", "a.tgz", &packed("tarred('w:gz')", &entries));
        let repo = Repo::new();
        repo.write("lib/a.jar", packed("zipped()", &entries));
        let report = repo.report(&["scan"], 1);
        assert_eq!(report["findings"][0]["path"], "lib/a.jar!conf/a.ini");
        assert_eq!(unread(&report), [""; 0]);
    }

    #[test]
    fn an_entry_that_is_too_large_to_be_held_is_read_in_parts() {
        let lines: String =
            (0..150_000u64).map(|at| format!("line {at} of the log: {:x} took {} ms, and so on and on\n", at * at * 7919, at % 997)).collect();
        let text = [lines.into_bytes(), format!("  key = {}\n", token(1)).into_bytes()].concat();
        assert!(text.len() > 8 << 20, "it would be held");
        is_refused_at("a.zip!a.log:150001:9", "a.zip", &packed("zipped()", &[HELLO, ("a.log", &text)]));
        is_refused_by(&["git2"], "a.log.gz!a.log:150001:9", "a.log.gz", &packed("gzip.compress(entries[0][1])", &[("a.log", &text)]));
        // A layer in an image: a tar file in a tar file.
        let layer = packed("tarred()", &[("big", &text), ("etc/a.ini", &settings(1))]);
        is_refused_by(&["git2"], "image.tar!layer.tar!etc/a.ini:3:9", "image.tar", &packed("tarred()", &[("layer.tar", &layer)]));
        is_refused_by(&["git2"], "image.tgz!layer.tar!etc/a.ini:3:9", "image.tgz", &packed("tarred('w:gz')", &[("layer.tar", &layer)]));
    }

    #[test]
    fn nothing_stays_behind_and_without_a_folder_for_temporary_files_memory_has_to_do() {
        let (noise, settings) = (noise(17 << 20, 3), settings(1));
        let repo = Repo::new();
        repo.stage("a.zip", packed("zipped()", &[("film", noise.as_slice()), ("a.ini", settings.as_slice())]));
        let folder = repo.beside("tmp");
        std::fs::create_dir(&folder).unwrap();
        for place in [folder.clone(), repo.beside("nowhere")] {
            let mut hook = repo.command(crate::support::LEAKSTOP);

            let ended = crate::support::ended(hook.args(["hook", "pre-commit"]).env("TMPDIR", place)).expect(1);

            assert!(ended.err.contains("a.zip!a.ini:3:9"), "{}", ended.err);
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn what_follows_the_end_of_a_tar_file_is_read() {
        is_refused_at("a.tgz!a.ini:3:9", "a.tgz", &packed("gzip.compress(tarred() + tarred())", &[("a.ini", &settings(1))]));
        let (first, second) = (packed("tarred()", &[HELLO]), packed("tarred()", &[("a.ini", &settings(1))]));
        let joined = packed("gzip.compress(entries[0][1])", &[("a", &[first, second].concat())]);
        is_refused_at("a.tgz!a.ini:3:9", "a.tgz", &joined);
    }

    #[test]
    fn a_long_name_in_a_tar_file_is_read() {
        let long = format!("{}a.ini", "folder/".repeat(60));
        for kind in ["tarred()", "tarred('w', tarfile.GNU_FORMAT)"] {
            let repo = Repo::new();
            repo.write("a.tar", packed(kind, &[(&long, &settings(1))]));
            assert_eq!(repo.report(&["scan"], 1)["findings"][0]["path"], format!("a.tar!{long}"), "{kind}");
        }
    }
}

#[test]
fn texts_that_stand_compressed_in_a_document_or_a_pack_are_read() {
    const STREAM: &str = "import zlib; text = zlib.compress(entries[0][1]);";
    let text = settings(21);
    let document = |kind: &str| packed(&format!("b'')\n{STREAM}\nsys.stdout.buffer.write({kind}"), &[("page", &text)]);
    let pdf = document(r"b'%PDF-1.7\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n' + text + b'\nendstream\n%%EOF\n'");
    let chunk = r"(lambda kind, body: struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body)))";
    let png = document(&format!(r"b'\x89PNG\r\n\x1a\n' + {chunk}(b'IDAT', zlib.compress(bytes(999))) + {chunk}(b'zTXt', b'Comment\0\0' + text)"));
    let other = Repo::new();
    other.accept("settings.ini", &text);
    other.git(&["bundle", "create", "-q", "all.bundle", "--all"]).expect(0);
    let bundle = std::fs::read(other.path().join("all.bundle")).unwrap();
    let blob = other.ask(&["rev-parse", "HEAD:settings.ini"]);
    let loose = std::fs::read(other.path().join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    for (name, bytes) in [("a.pdf", pdf), ("a.png", png), ("all.bundle", bundle), ("object", loose)] {
        let repo = Repo::guarded();
        repo.stage(name, bytes);
        let told = repo.refuses(&COMMIT);
        assert!(told.contains(&format!("{name}!stream ")) && told.contains(":3:9"), "{told}");
        assert_redacted(&told, &token(21));
    }
}
