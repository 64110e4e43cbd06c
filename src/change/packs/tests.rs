//! Packs that git made, and damaged ones.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use sha1::Digest;

use super::*;

/// Each object of a repository as git itself reads it.
type Objects = BTreeMap<String, (Kind, Vec<u8>)>;

#[test]
fn every_packed_object_is_read_as_git_reads_it() {
    for (delta_base_offset, by_id) in [("true", false), ("false", true)] {
        let folder = tempfile::tempdir().unwrap();
        let objects = history(folder.path(), delta_base_offset);
        let packs = Packs::open(&object_folders(&folder.path().join("objects")));
        let mut forms = [0, 0, 0];
        for (at, (hex, (kind, bytes))) in objects.iter().enumerate() {
            let id = ObjectId::from_hex(hex.as_bytes()).unwrap();
            let place = packs.find(id.as_bytes().try_into().unwrap(), &mut packs.state.borrow_mut()).unwrap();
            match packs.entry(place).unwrap().form {
                Form::Whole(_) => forms[0] += 1,
                Form::From(_) => forms[1] += 1,
                Form::FromId(_) => forms[2] += 1,
            }
            let size = bytes.len() as u64;
            assert_eq!(packs.header(id), Some((*kind, size)), "{hex}");
            assert_eq!(whole(&packs, id, size), Some((*kind, bytes.clone())), "{hex}");
            let below = |packs: &Packs| packs.read(id, size.checked_sub(1)?);
            assert!(matches!(below(&packs), Some(UpTo::Larger(..))) || size == 0, "{hex}");
            if at % 8 > 0 {
                continue;
            }
            // Nothing is at hand here.
            let fresh = || Packs::open(&object_folders(&folder.path().join("objects")));
            assert_eq!(whole(&fresh(), id, size), Some((*kind, bytes.clone())), "{hex}");
            let larger = below(&fresh());
            assert!(larger.map_or(size == 0, |read| matches!(read, UpTo::Larger(k, s) if (k, s) == (*kind, size))), "{hex}");
        }
        assert!(forms[0] > 50 && forms[1 + usize::from(by_id)] > 300 && forms[2 - usize::from(by_id)] == 0, "{forms:?}");
        assert!(packs.read(ObjectId::from_bytes(&[7; 20]).unwrap(), u64::MAX).is_none());
    }
}

#[test]
fn the_packs_of_alternates_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.git"), folder.path().join("new.git"));
    let accepted = history(&old, "true");
    fs::create_dir_all(new.join("objects/info")).unwrap();
    fs::write(new.join("objects/info/alternates"), "# where the rest is\n../../old.git/objects\n").unwrap();
    let objects = history(&new, "true");
    assert!(objects.len() > accepted.len(), "git sees both");
    let packs = Packs::open(&object_folders(&new.join("objects")));
    assert_eq!(packs.packs.len(), 2);
    for (hex, (kind, bytes)) in objects {
        let id = ObjectId::from_hex(hex.as_bytes()).unwrap();
        assert!(packs.holds(id));
        assert_eq!(whole(&packs, id, u64::MAX), Some((kind, bytes)), "{hex}");
    }
}

#[test]
fn of_damaged_data_nothing_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let objects = history(folder.path(), "true");
    let objects_folder = folder.path().join("objects");
    let packs = Packs::open(&object_folders(&objects_folder));
    let mut entries: Vec<_> = objects
        .iter()
        .map(|(hex, object)| {
            let id = ObjectId::from_hex(hex.as_bytes()).unwrap();
            (packs.find(id.as_bytes().try_into().unwrap(), &mut packs.state.borrow_mut()).unwrap().1, id, object)
        })
        .collect();
    entries.sort_unstable_by_key(|(offset, ..)| *offset);
    let file = list(&objects_folder.join("pack")).find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap();
    let sound = fs::read(&file).unwrap();
    let ends = entries.iter().skip(1).map(|(offset, ..)| *offset).chain([sound.len() - 20]);
    let mut shared = 0;
    for (at, ((offset, id, _), end)) in entries.iter().zip(ends).enumerate().filter(|(at, _)| at % 19 == 0) {
        // The last bytes of an entry are its check sum; those before it are the compressed data.
        let place = if at % 2 == 0 { end - 1 - at / 2 % 4 } else { offset.midpoint(end).max(end - 8) };
        let mut damaged = sound.clone();
        damaged[place] ^= 1 << (at % 8);
        fs::remove_file(&file).unwrap();
        fs::write(&file, damaged).unwrap();
        let packs = Packs::open(&object_folders(&objects_folder));
        assert!(packs.read(*id, u64::MAX).is_none(), "{id} was read though the byte at {place} is damaged");
        // Another object is read right, or, where it rests on the damaged one, not at all.
        for (_, other, (kind, bytes)) in entries.iter().skip(at % 9).step_by(9) {
            match whole(&packs, *other, u64::MAX) {
                Some(read) => assert_eq!(read, (*kind, bytes.clone()), "{other}"),
                None => shared += 1,
            }
        }
    }
    assert!(shared > 50, "hardly an object rests on another one");
    for damaged in [&sound[..sound.len() / 2], &sound[..0], b"PACK\0\0\0\x02"] {
        fs::remove_file(&file).unwrap();
        fs::write(&file, damaged).unwrap();
        let packs = Packs::open(&object_folders(&objects_folder));
        assert!(entries.iter().all(|(_, id, _)| packs.read(*id, u64::MAX).is_none()));
    }
}

#[test]
fn a_small_object_that_rests_on_a_huge_one_is_left_to_git() {
    for (size, is_huge) in [(LARGEST_BASE, false), (LARGEST_BASE + 1, true)] {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q", "--bare", "."], b"");
        // A chain of two: the first byte twice, and of that the first byte.
        let twice = [number(size), vec![2, 0x90, 1, 0x90, 1]].concat();
        git(folder.path(), &["index-pack", "--stdin"], &pack_of(&vec![b'z'; size as usize], &[&twice, &[2, 1, 0x90, 1]]));
        for small in [&b"z"[..], b"zz"] {
            let hex = git(folder.path(), &["hash-object", "--stdin"], small);
            let id = ObjectId::from_hex(hex.trim_ascii_end()).unwrap();
            let packs = Packs::open(&object_folders(&folder.path().join("objects")));
            match packs.read(id, 100).unwrap() {
                UpTo::Whole(object) => assert!(!is_huge && object.bytes == small),
                UpTo::Larger(kind, length) => assert!(is_huge && (kind, length) == (Kind::Blob, small.len() as u64)),
            }
        }
    }
}

/// A pack of a blob and of differences, each from the entry before it.
fn pack_of(base: &[u8], differences: &[&[u8]]) -> Vec<u8> {
    let mut pack = [&b"PACK\0\0\0\x02\0\0\0"[..], &[1 + differences.len() as u8]].concat();
    let mut before = None;
    for content in [base].iter().chain(differences) {
        let at = pack.len();
        let (low, high) = (content.len() & 0b1111, content.len() >> 4);
        let (kind, more) = (if before.is_some() { 6 } else { 3 }, u8::from(high > 0) << 7);
        pack.push(more | kind << 4 | low as u8);
        pack.extend(if high > 0 { number(high as u64) } else { Vec::new() });
        if let Some(before) = before.replace(at) {
            // How far back, the highest seven bits first; each byte but the last counts one more.
            let mut distance = at - before;
            let mut bytes = vec![distance as u8 & 0x7f];
            while distance > 0x7f {
                distance = (distance >> 7) - 1;
                bytes.insert(0, 0x80 | distance as u8);
            }
            pack.extend(bytes);
        }
        let mut writer = flate2::write::ZlibEncoder::new(&mut pack, flate2::Compression::best());
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
    }
    let sum = sha1::Sha1::digest(&pack);
    pack.extend_from_slice(&sum);
    pack
}

/// In groups of seven bits, the lowest first.
fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(0x80 | value as u8);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[test]
fn the_cache_holds_no_more_than_it_may() {
    let mut cache = Cache::default();
    for at in 0..2000 {
        let object = Arc::new(Object { kind: Kind::Blob, bytes: vec![0; 100_000] });
        cache.put((0, at), &object);
        assert!(cache.get((0, at)).is_some());
        assert!((cache.young.len() + cache.old.len()) * 100_000 <= CACHE_BYTES);
        // What is asked for stays.
        assert!(cache.get((0, 0)).is_some());
    }
}

fn whole(packs: &Packs, id: ObjectId, limit: u64) -> Option<(Kind, Vec<u8>)> {
    match packs.read(id, limit)? {
        UpTo::Whole(object) => Some((object.kind, object.bytes.clone())),
        UpTo::Larger(..) => None,
    }
}

/// A bare repository with one pack: files that change in many commits, so that long chains of differences arise.
fn history(folder: &Path, delta_base_offset: &str) -> Objects {
    git(folder, &["init", "-q", "--bare", "."], b"");
    let mut stream = Vec::new();
    let mut lines: Vec<String> = (0..300).map(|at| format!("line {at} of {}, {}", folder.display(), "x".repeat(at % 50))).collect();
    for at in 0..250 {
        write!(stream, "commit refs/heads/main\ncommitter C <c@d> {} +0000\ndata 3\nc{}\n", 1_700_000_000 + at, at % 10).unwrap();
        lines[at * 7 % 300] = format!("changed in {at} {}", "y".repeat(at % 30));
        for (path, text) in [("long", lines.join("\n")), ("folder/short", format!("{at}\n")), ("empty", String::new())] {
            write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
        }
        write!(stream, "M 100644 inline many/{at}\ndata 5\nmany\n\n").unwrap();
    }
    write!(stream, "tag v1\nfrom refs/heads/main\ntagger T <t@e> 1700000000 +0000\ndata 4\nv 1\n\n").unwrap();
    git(folder, &["fast-import", "--quiet"], &stream);
    let delta_base_offset = format!("repack.useDeltaBaseOffset={delta_base_offset}");
    git(folder, &["-c", &delta_base_offset, "repack", "-q", "-a", "-d", "-f", "-l", "--depth=200", "--window=20"], b"");
    let all = git(folder, &["cat-file", "--batch", "--batch-all-objects"], b"");
    let (mut objects, mut rest) = (Objects::new(), all.as_slice());
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let head: Vec<_> = std::str::from_utf8(&rest[..end]).unwrap().split(' ').collect();
        let kind = match head[1] {
            "blob" => Kind::Blob,
            "tree" => Kind::Tree,
            "commit" => Kind::Commit,
            _ => Kind::Tag,
        };
        let size: usize = head[2].parse().unwrap();
        objects.insert(head[0].to_owned(), (kind, rest[end + 1..end + 1 + size].to_vec()));
        rest = &rest[end + 1 + size + 1..];
    }
    objects
}

fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    fs::create_dir_all(folder).unwrap();
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1").env_remove("XDG_CONFIG_HOME");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    output.stdout
}
