//! Histories that are generated: the same seed gives the same one.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::support::Repo;

/// A history with merges, renames, type changes, folders that become files, submodules, names of all kinds.
pub struct History {
    random: u64,
    stream: Vec<u8>,
    commits: Vec<Files>,
}

/// Path to mode and object, as `git fast-import` names it.
type Files = BTreeMap<&'static [u8], (&'static str, String)>;

const PATHS: [&[u8]; 18] = [
    b"a",
    b"b.txt",
    b"d",
    b"d/x",
    b"d/y",
    b"d/deep/er/z",
    b"d-",
    b"d.txt",
    b"d0",
    b"sp ace",
    b"q\"uote",
    b"new\nline",
    b"tab\there",
    b"caf\xe9",
    b"\xff\xfe/bin",
    b"-dash",
    b"\xc3\xbcmlaut",
    b"trail ",
];
const MODES: [&str; 5] = ["100644", "100644", "100755", "120000", "160000"];
const BLOBS: u64 = 25;
const SUBMODULE: &str = "1234567890123456789012345678901234567890";

impl History {
    /// The repository that holds it.
    pub fn generate(seed: u64) -> Repo {
        Self::of_texts(seed, |blob| format!("line\nblob {blob} of {seed}\n"))
    }

    /// The repository that holds it, with these texts.
    pub fn of_texts(seed: u64, text: impl Fn(u64) -> String) -> Repo {
        let mut history = Self { random: seed, stream: Vec::new(), commits: Vec::new() };
        for blob in 1..=BLOBS {
            let text = text(blob);
            write!(history.stream, "blob\nmark :{blob}\ndata {}\n{text}\n", text.len()).unwrap();
        }
        (0..40).for_each(|_| history.commit());
        let last = history.mark(history.commits.len() - 1);
        for (name, commit) in [(&b"refs/heads/main"[..], last), (b"refs/heads/caf\xe9", history.any()), (b"refs/for/main", history.any())] {
            history.stream.extend([b"reset ", name, b"\nfrom ", commit.as_bytes(), b"\n\n"].concat());
        }
        for side in ["refs/heads/side/one", "refs/meta/config", "refs/notes/commits", "refs/remotes/origin/main"] {
            let commit = history.any();
            write!(history.stream, "reset {side}\nfrom {commit}\n\n").unwrap();
        }
        let tag = history.any();
        write!(history.stream, "tag v1\nfrom {tag}\ntagger T <t@example.org> 1700000000 +0000\ndata 4\nv 1\n\n").unwrap();
        let repo = Repo::new();
        feed(&repo, &["fast-import", "--quiet"], &history.stream);
        repo.git(&["tag", "-a", "-m", "a tag of a tag", "v2", "v1"]).expect(0);
        repo.git(&["tag", "-a", "-m", "a tag of a folder", "tree", "main^{tree}"]).expect(0);
        let blob = feed(&repo, &["hash-object", "-w", "--stdin"], b"only a ref holds it");
        repo.git(&["update-ref", "refs/tags/blob", &blob]).expect(0);
        repo.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]).expect(0);
        history.stage(&repo, &blob);
        repo
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % end
    }

    fn mark(&self, commit: usize) -> String {
        format!(":{}", BLOBS as usize + 1 + commit)
    }

    fn any(&mut self) -> String {
        let commit = self.below(self.commits.len() as u64) as usize;
        self.mark(commit)
    }

    fn commit(&mut self) {
        let count = self.commits.len();
        let recent = |history: &mut Self| count - 1 - history.below(6.min(count as u64)) as usize;
        let (mut files, mut parents) = (Files::new(), Vec::new());
        if count > 0 && self.below(12) > 0 {
            parents = (0..[1, 1, 1, 2, 3][self.below(5) as usize]).map(|_| recent(self)).collect();
            parents.dedup();
            files = self.commits[parents[0]].clone();
        }
        let others: Vec<_> = parents.iter().skip(1).flat_map(|&other| self.commits[other].clone()).collect();
        for (path, file) in others {
            if self.below(2) == 0 {
                put(&mut files, path, file);
            }
        }
        for _ in 0..1 + self.below(3) {
            self.change(&mut files);
        }
        let mark = self.mark(count);
        write!(self.stream, "commit refs/heads/work\nmark {mark}\ncommitter C <c{count}@example.org> 1700000000 +0000\ndata 3\nc{}\n", count % 10)
            .unwrap();
        for (at, &parent) in parents.iter().enumerate() {
            writeln!(self.stream, "{} {}", if at == 0 { "from" } else { "merge" }, self.mark(parent)).unwrap();
        }
        if parents.is_empty() && count > 0 {
            // Without `from` fast-import would go on from the branch: a new root needs the branch reset first.
            let text = String::from_utf8(self.stream.split_off(self.stream.len() - tail(&self.stream))).unwrap();
            write!(self.stream, "reset refs/heads/work\n\n{text}").unwrap();
        }
        self.stream.extend(b"deleteall\n");
        for (path, (mode, object)) in &files {
            writeln!(self.stream, "M {mode} {object} {}", quoted(path)).unwrap();
        }
        self.stream.push(b'\n');
        self.commits.push(files);
    }

    fn change(&mut self, files: &mut Files) {
        let path = PATHS[self.below(PATHS.len() as u64) as usize];
        let known = files.keys().copied().nth(self.below(1 + files.len() as u64) as usize);
        match (self.below(4), known) {
            (0, Some(gone)) => {
                files.remove(gone);
            }
            (1, Some(from)) => {
                let file = files.remove(from).unwrap();
                put(files, path, file);
            }
            _ => {
                let mode = MODES[self.below(MODES.len() as u64) as usize];
                let object = if mode == "160000" { SUBMODULE.to_owned() } else { format!(":{}", 1 + self.below(BLOBS)) };
                put(files, path, (mode, object));
            }
        }
    }

    /// An index that differs in every way, and a merge that is under way.
    fn stage(&mut self, repo: &Repo, blob: &str) {
        repo.git(&["read-tree", "HEAD"]).expect(0);
        let mut lines = Vec::new();
        for _ in 0..6 {
            let path = PATHS[self.below(PATHS.len() as u64) as usize];
            let mode = MODES[self.below(MODES.len() as u64) as usize];
            let (mode, id) = if self.below(4) == 0 { ("0", "0".repeat(40)) } else { (mode, blob.to_owned()) };
            lines.extend([format!("{mode} {id}\t").as_bytes(), path, b"\0"].concat());
        }
        feed(repo, &["update-index", "-z", "--add", "--replace", "--index-info"], &lines);
        repo.write("intended", "to be added");
        repo.git(&["add", "--intent-to-add", "intended"]).expect(0);
        fs::write(repo.path().join(".git/MERGE_HEAD"), repo.ask(&["rev-parse", "refs/heads/side/one"]) + "\n").unwrap();
    }
}

/// Length of the last commit's command in the stream.
fn tail(stream: &[u8]) -> usize {
    let at = stream.windows(7).rposition(|window| window == b"commit ").unwrap();
    stream.len() - at
}

/// Puts a file in place; a folder of that name goes, and so does a file where a folder is needed.
fn put(files: &mut Files, path: &'static [u8], file: (&'static str, String)) {
    let inside = |outer: &[u8], inner: &[u8]| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(b"/"));
    files.retain(|other, _| !inside(path, other) && !inside(other, path));
    files.insert(path, file);
}

fn quoted(path: &[u8]) -> String {
    let octal: String = path.iter().map(|b| format!("\\{b:03o}")).collect();
    format!("\"{octal}\"")
}

/// Runs git with this input and gives what it prints.
#[track_caller]
pub fn feed(repo: &Repo, arguments: &[&str], input: &[u8]) -> String {
    let mut command = repo.command("git");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
