//! Git LFS: the report says what no hook can read.

use std::io::Write as _;

use sha1::Digest;

use crate::support::{Repo, ended_with};

#[test]
fn what_a_git_lfs_pointer_stands_for_is_told_in_one_line_and_blocks_only_on_demand() {
    let pointer = |size: u32| format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {size}\n", "5e".repeat(32));
    let (server, repo) = (Repo::server(), Repo::guarded());
    repo.stage("a.bin", pointer(1));
    repo.stage("b.bin", pointer(2));
    repo.stage("text.txt", format!("{}more", pointer(3).repeat(20)));
    let line = "warning  2 files are Git LFS pointers: the content is not in git and was not read";
    let report = repo.report(&["scan", "--staged"], 0);
    let unread: Vec<_> = report["unread"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!((unread, report["status"].as_str().unwrap()), (vec!["a.bin", "b.bin"], "warned"));
    let commit = repo.git(&["commit", "-qm", "pointers"]).expect(0);
    assert!(commit.err.contains(line), "{}", commit.err);
    repo.has_remote(&server);
    let push = repo.git(&["push", "-q", "origin", "main"]).expect(0);
    assert!(push.err.contains(line), "{}", push.err);
    server.write("leakstop.toml", "[unread]\nlfs = \"block\"\n");
    let refused = repo.git(&["push", "-q", "--no-verify", "origin", "main:refs/heads/other"]).expect(0);
    assert!(!refused.err.contains("blocked"), "what is on the server already is not new: {}", refused.err);
    repo.accept("c.bin", pointer(4));
    let refused = repo.git(&["push", "-q", "--no-verify", "origin", "main"]).expect(1);
    assert!(refused.err.contains("blocked  1 file is a Git LFS pointer"), "{}", refused.err);
}

/// What rests on an object too large to be held is read in another way, and has to be taken for the same.
#[test]
fn a_pointer_that_is_kept_as_its_difference_from_a_huge_text_is_one() {
    let repo = Repo::new();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n", "5e".repeat(32));
    let mut huge = pointer.clone().into_bytes();
    huge.resize((48 << 20) + 1, b'z');
    let id = |text: &[u8]| ended_with(repo.command("git").args(["hash-object", "--stdin"]), text).expect(0).out.trim().to_owned();
    let base = id(&huge);
    let base: Vec<u8> = (0..base.len()).step_by(2).map(|at| u8::from_str_radix(&base[at..at + 2], 16).unwrap()).collect();
    // Copy as much from the beginning as the pointer is long.
    let difference = [number(huge.len()), number(pointer.len()), vec![0x90, pointer.len() as u8]].concat();
    let mut pack = b"PACK\0\0\0\x02\0\0\0\x02".to_vec();
    for (kind, before, content) in [(3, &[][..], &huge), (7, &base, &difference)] {
        pack.push(0x80 | kind << 4 | (content.len() & 0b1111) as u8);
        pack.extend(number(content.len() >> 4));
        pack.extend_from_slice(before);
        let mut writer = flate2::write::ZlibEncoder::new(&mut pack, flate2::Compression::fast());
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
    }
    let sum = sha1::Sha1::digest(&pack);
    pack.extend_from_slice(&sum);
    ended_with(repo.command("git").args(["index-pack", "--stdin"]), &pack).expect(0);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},film.mp4", id(pointer.as_bytes()))]).expect(0);
    repo.git(&["commit", "-q", "--no-verify", "-m", "film"]).expect(0);
    let ended = repo.leakstop(&["scan", "--history"]).expect(0);
    assert!(ended.out.contains("1 file is a Git LFS pointer"), "{}", ended.out);
}

/// In groups of seven bits, the lowest first.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(0x80 | value as u8);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
