//! What the scenes share: repositories in temporary folders, the program, and tokens made from shapes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use leakstop::rules::shape;
use tempfile::TempDir;

/// The program under test.
pub const LEAKSTOP: &str = env!("CARGO_BIN_EXE_leakstop");

/// Names the way to read git for all scenes; see `both.rs`.
pub const READER: &str = "LEAKSTOP_TEST_READER";

/// A GitHub token with a right checksum.
pub fn token(seed: u64) -> String {
    shape::fill("ghp_{crc32:30}", seed)
}

/// Fails the test if `text` holds eight bytes in a row of the secret.
#[track_caller]
pub fn assert_redacted(text: &str, secret: &str) {
    for window in secret.as_bytes().windows(8) {
        assert!(memchr::memmem::find(text.as_bytes(), window).is_none(), "a part of the secret is told:\n{text}");
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn ended(command: &mut Command) -> Ended {
    Ended::of(command.output().unwrap())
}

/// Runs a command that is given `input` to read.
#[track_caller]
pub fn ended_with(command: &mut Command, input: &[u8]) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that ends before it has read everything closes the pipe; the scene looks at its exit code.
    let _ = child.stdin.take().unwrap().write_all(input);
    Ended::of(child.wait_with_output().unwrap())
}

/// How a command ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }
}

/// A command that sees neither the user's nor the machine's git, nor our own configuration.
pub fn command(program: impl AsRef<OsStr>, folder: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("GIT_") || name_text.starts_with("LEAKSTOP_") || name_text.starts_with("XDG_") {
            command.env_remove(&name);
        }
    }
    for (name, value) in
        [("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_AUTHOR_DATE", "1700000000 +0000"), ("GIT_COMMITTER_DATE", "1700000000 +0000"), ("LC_ALL", "C")]
    {
        command.env(name, value);
    }
    // `both.rs` runs the scenes a second time with the other way to read git.
    if let Some(backend) = std::env::var_os(READER) {
        command.env("LEAKSTOP_BACKEND", backend);
    }
    command.env("HOME", home).env("GIT_TERMINAL_PROMPT", "0").env("GIT_EDITOR", ":").current_dir(folder).stdin(Stdio::null());
    command
}

/// A repository with a work tree, or a bare one.
pub struct Repo {
    folder: TempDir,
    root: PathBuf,
    home: PathBuf,
}

impl Repo {
    /// An empty repository on the branch `main`.
    pub fn new() -> Self {
        Self::init(&[])
    }

    /// An empty bare repository.
    pub fn bare() -> Self {
        Self::init(&["--bare"])
    }

    /// `git init` with further options.
    pub fn init(options: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("leakstop-it").tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        fs::write(
            home.join(".gitconfig"),
            "[user]\nname = Ann\nemail = ann@example.org\n[init]\ndefaultBranch = main\n[advice]\ndetachedHead = false\n",
        )
        .unwrap();
        let root = folder.path().join("repo");
        fs::create_dir(&root).unwrap();
        let repo = Self { folder, root, home };
        let mut arguments = vec!["init", "-q", "-b", "main"];
        arguments.extend(options);
        repo.git(&arguments).expect(0);
        repo
    }

    /// A repository that is already there, with a home of its own.
    pub fn at(root: PathBuf) -> Self {
        Self { root, ..Self::new() }
    }

    /// The root of the work tree, or the bare repository.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// A folder beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command in the repository.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        command(program, &self.root, &self.home)
    }

    /// Runs git.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command("git").args(arguments).output().unwrap())
    }

    /// What git prints, without the last newline.
    #[track_caller]
    pub fn ask(&self, arguments: &[&str]) -> String {
        self.git(arguments).expect(0).out.trim_end().to_owned()
    }

    /// Runs git with a further variable in its environment, which the hooks then see.
    #[track_caller]
    pub fn git_with(&self, variable: (&str, &str), arguments: &[&str]) -> Ended {
        Ended::of(self.command("git").env(variable.0, variable.1).args(arguments).output().unwrap())
    }

    /// Runs leakstop.
    #[track_caller]
    pub fn leakstop(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(LEAKSTOP).args(arguments).output().unwrap())
    }

    /// Runs leakstop with text on its standard input.
    #[track_caller]
    pub fn leakstop_with(&self, arguments: &[&str], input: &[u8]) -> Ended {
        ended_with(self.command(LEAKSTOP).args(arguments), input)
    }

    /// Writes a file of the work tree.
    #[track_caller]
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Writes and stages a file.
    #[track_caller]
    pub fn stage(&self, path: &str, text: impl AsRef<[u8]>) {
        self.write(path, text);
        self.git(&["add", "-f", "--", path]).expect(0);
    }

    /// Writes, stages and commits a file past all hooks; gives the commit's id.
    #[track_caller]
    pub fn accept(&self, path: &str, text: impl AsRef<[u8]>) -> String {
        self.stage(path, text);
        self.git(&["commit", "-q", "--no-verify", "-m", &format!("add {path}")]).expect(0);
        self.ask(&["rev-parse", "HEAD"])
    }

    /// A guarded work tree with one accepted commit.
    #[track_caller]
    pub fn started() -> Self {
        let repo = Self::guarded();
        repo.accept("README", "hello\n");
        repo
    }

    /// The commit at HEAD, or nothing before the first.
    #[track_caller]
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "-q", "--verify", "HEAD"]).out.trim_end().to_owned()
    }

    /// Runs a git command that must be refused by a hook that found something; gives what was told.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str]) -> String {
        self.refuses_command(self.command("git").args(arguments))
    }

    /// As [`Repo::refuses`], for a command with more to it.
    #[track_caller]
    pub fn refuses_command(&self, command: &mut Command) -> String {
        let before = self.head();
        let ended = ended(command);
        assert!(ended.code != 0 && ended.err.contains("leakstop: blocked: "), "{} {}\n{}", ended.code, ended.out, ended.err);
        assert_eq!(self.head(), before, "refused, and yet committed");
        ended.err
    }

    /// Runs a git command that must make a commit without a word from leakstop beside its verdict.
    #[track_caller]
    pub fn takes(&self, arguments: &[&str]) {
        self.takes_command(self.command("git").args(arguments));
    }

    /// As [`Repo::takes`], for a command with more to it.
    #[track_caller]
    pub fn takes_command(&self, command: &mut Command) {
        let before = self.head();
        let ended = ended(command).expect(0);
        assert_ne!(self.head(), before, "nothing was committed");
        let verdicts: Vec<_> = ended.err.lines().filter(|line| line.starts_with("leakstop: ")).collect();
        assert!(!verdicts.is_empty() && verdicts.iter().all(|line| line.starts_with("leakstop: passed: nothing found ")), "{}", ended.err);
    }

    /// Pushes, which the server must refuse without keeping anything; gives the server's words without `remote: `.
    #[track_caller]
    pub fn push_is_refused(&self, server: &Repo, refspecs: &[&str]) -> String {
        let before = server.contents();
        let mut arguments = vec!["push", "-q", "--no-verify", "origin"];
        arguments.extend(refspecs);
        let ended = self.git(&arguments);
        assert!(ended.code != 0 && ended.err.contains("remote: leakstop: blocked: "), "{} {}\n{}", ended.code, ended.out, ended.err);
        assert!(ended.err.contains("pre-receive hook declined"), "{}", ended.err);
        assert_eq!(server.contents(), before, "refused, and yet something is left on the server");
        remote_lines(&ended.err)
    }

    /// Pushes, which the server must accept with nothing found.
    #[track_caller]
    pub fn push_passes(&self, refspecs: &[&str]) -> String {
        let mut arguments = vec!["push", "-q", "--no-verify", "origin"];
        arguments.extend(refspecs);
        let ended = self.git(&arguments).expect(0);
        assert!(ended.err.contains("remote: leakstop: passed: nothing found "), "{}", ended.err);
        remote_lines(&ended.err)
    }

    /// Every file of a bare repository with its bytes, and every ref.
    #[track_caller]
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.display().to_string(), fs::read(&path).unwrap());
                }
            }
        }
        found.insert("refs".to_owned(), self.ask(&["for-each-ref"]).into_bytes());
        found
    }

    /// A clone of `server` beside nothing else, past all hooks.
    #[track_caller]
    pub fn with_remote(server: &Repo) -> Self {
        let repo = Self::new();
        repo.has_remote(server);
        repo
    }

    /// Installs the hooks of a work tree.
    #[track_caller]
    pub fn guarded() -> Self {
        let repo = Self::new();
        repo.leakstop(&["install"]).expect(0);
        repo
    }

    /// A bare repository whose pushes are checked.
    #[track_caller]
    pub fn server() -> Self {
        let repo = Self::bare();
        repo.leakstop(&["install", "--server", "."]).expect(0);
        #[cfg(unix)]
        if let Ok(reader) = std::env::var(READER) {
            repo.is_read_by(&reader);
        }
        repo
    }

    /// Makes the server's hook read git in this way alone (`git2` or `git`). The variable `LEAKSTOP_BACKEND` does it for the
    /// hooks of a work tree, and counts for nothing on a server.
    #[cfg(unix)]
    #[track_caller]
    pub fn is_read_by(&self, backend: &str) {
        use std::os::unix::fs::PermissionsExt;
        let hook = self.root.join("hooks/pre-receive");
        fs::write(&hook, format!("#!/bin/sh\nexec '{LEAKSTOP}' hook pre-receive --backend {backend}\n")).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Names this repository's remote.
    #[track_caller]
    pub fn has_remote(&self, server: &Repo) {
        self.git(&["remote", "add", "origin", server.path().to_str().unwrap()]).expect(0);
    }

    /// The JSON report of a leakstop command that ends with `code`.
    #[track_caller]
    pub fn report(&self, arguments: &[&str], code: i32) -> serde_json::Value {
        let file = self.beside("report.json");
        let mut all = arguments.to_vec();
        all.extend(["--format", "json", "--output", file.to_str().unwrap()]);
        self.leakstop(&all).expect(code);
        serde_json::from_slice(&fs::read(&file).unwrap()).unwrap()
    }
}

/// What the server said, without git's `remote: `.
fn remote_lines(err: &str) -> String {
    err.lines().filter_map(|line| line.strip_prefix("remote: ")).map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A guarded server that has accepted `main` with one file, and a work tree that pushes to it without hooks of its own.
#[track_caller]
pub fn started() -> (Repo, Repo) {
    let server = Repo::server();
    let repo = Repo::with_remote(&server);
    repo.accept("README", "hello\n");
    repo.push_passes(&["main"]);
    (server, repo)
}
