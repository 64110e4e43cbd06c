//! A repository made only to see whether a hook that is not ours reaches leakstop: real git commits, merges and pushes a canary
//! there, on top of the same commit and with that one hook. A hook manager may put the work tree in order for its own
//! purposes, so it must not be let loose on the user's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::canary::temporary;
use super::child::{Git, LOCAL_VARIABLES, cannot_start, failed, path_from};
use super::error::ChangeError;
use super::place::GitPlace;

/// What hook managers read in the work tree.
const MANAGER_FILES: [&str; 9] = [
    ".pre-commit-config.yaml",
    ".pre-commit-config.yml",
    "prek.toml",
    "lefthook.yml",
    ".lefthook.yml",
    "lefthook.yaml",
    "lefthook.toml",
    ".overcommit.yml",
    "package.json",
];
/// The canary's file.
const FILE: &str = "leakstop-canary-7c1f.txt";

/// What git said when it was told to record the canary.
pub struct Attempt {
    /// True when git did it.
    pub recorded: bool,
    /// All that was printed.
    pub said: Vec<u8>,
}

/// Lets git run `hook` of the repository at `place` on `canary`.
///
/// # Errors
/// The scratch repository cannot be made.
pub fn attempt(place: &GitPlace, hook: &str, canary: &str) -> Result<Attempt, ChangeError> {
    let scratch = Scratch::new(place, hook)?;
    scratch.attempt(hook, canary).map_err(|source| ChangeError::Git { what: "the canary's scratch repository", source })
}

struct Scratch {
    folder: TempDir,
    git: Git,
}

impl Scratch {
    fn new(place: &GitPlace, hook: &str) -> Result<Self, ChangeError> {
        let folder = temporary()?;
        let git = Git::At(folder.path().join("work"));
        let scratch = Self { folder, git };
        scratch.fill(place, hook).map_err(|source| ChangeError::Git { what: "the canary's scratch repository", source })?;
        Ok(scratch)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same commit at HEAD, by the same objects, the files of hook managers, and the one hook.
    fn fill(&self, place: &GitPlace, hook: &str) -> Result<(), git2::Error> {
        let io = |error: std::io::Error| failed(error.to_string());
        let (origin, work) = (Git::At(place.git_dir.clone()), self.path("work"));
        std::fs::create_dir(&work).map_err(io)?;
        let format = if place.sha256 { "--object-format=sha256" } else { "--object-format=sha1" };
        self.git.ask(&["init", "--quiet", "--template=", format], b"")?;
        let objects = place.git_dir.join(path_from(origin.line(&["rev-parse", "--git-path", "objects"])?));
        let objects = std::path::absolute(objects).map_err(io)?;
        let info = work.join(".git/objects/info");
        std::fs::create_dir_all(&info).map_err(io)?;
        std::fs::write(info.join("alternates"), [objects.as_os_str().as_encoded_bytes(), b"\n"].concat()).map_err(io)?;
        let head = origin.run(&["rev-parse", "--quiet", "--verify", "HEAD^{commit}"], b"")?;
        let head = if head.succeeded() { String::from_utf8_lossy(&head.out).trim_end().to_owned() } else { self.first_commit()? };
        self.git.ask(&["update-ref", "HEAD", &head], b"")?;
        self.git.ask(&["read-tree", "HEAD"], b"")?;
        for file in MANAGER_FILES {
            // Most are not there.
            self.git.run(&["checkout-index", "--quiet", "--", file], b"")?;
        }
        self.write_hook(&place.hooks.join(hook), hook).map_err(io)
    }

    fn first_commit(&self) -> Result<String, git2::Error> {
        let tree = self.made(&["mktree"], b"")?;
        self.commit(&tree, None)
    }

    /// A hook that runs the one that is to be tried, by its own path, from which it may find what belongs to it.
    fn write_hook(&self, real: &Path, hook: &str) -> std::io::Result<()> {
        let folder = self.path("hooks");
        std::fs::create_dir(&folder)?;
        let file = folder.join(hook);
        let real = real.display().to_string();
        std::fs::write(&file, format!("#!/bin/sh\nexec '{}' \"$@\"\n", real.replace('\'', r"'\''")))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    fn attempt(&self, hook: &str, canary: &str) -> Result<Attempt, git2::Error> {
        match hook {
            "commit-msg" => self.user_git(&["commit", "--allow-empty", "-m", canary.trim_end()]),
            "pre-push" => {
                let bare = self.path("remote");
                let bare = bare.to_str().ok_or_else(|| failed("the temporary folder's name is not UTF-8".to_owned()))?;
                let format = self.git.line(&["rev-parse", "--show-object-format"])?;
                let format = format!("--object-format={}", String::from_utf8_lossy(&format));
                self.git.ask(&["init", "--quiet", "--bare", "--template=", &format, bare], b"")?;
                self.user_git(&["push", bare, &format!("{}:refs/heads/leakstop-canary", self.canary_commit(canary)?)])
            }
            "pre-merge-commit" => self.user_git(&["merge", "--no-ff", "--no-edit", &self.canary_commit(canary)?]),
            _ => {
                let blob = self.made(&["hash-object", "-w", "--stdin"], canary.as_bytes())?;
                self.git.ask(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{FILE}")], b"")?;
                // A hook manager compares the work tree with the index.
                std::fs::write(self.path("work").join(FILE), canary).map_err(|e| failed(e.to_string()))?;
                self.user_git(&["commit", "-m", "canary"])
            }
        }
    }

    /// A commit on top of HEAD that adds the canary.
    fn canary_commit(&self, canary: &str) -> Result<String, git2::Error> {
        let blob = self.made(&["hash-object", "-w", "--stdin"], canary.as_bytes())?;
        let listed = self.git.ask(&["ls-tree", "HEAD"], b"")?;
        let tree = self.made(&["mktree"], &[listed, format!("100644 blob {blob}\t{FILE}\n").into_bytes()].concat())?;
        let head = self.made(&["rev-parse", "HEAD"], b"")?;
        self.commit(&tree, Some(&head))
    }

    fn commit(&self, tree: &str, parent: Option<&str>) -> Result<String, git2::Error> {
        let parent = parent.map(|id| format!("parent {id}\n")).unwrap_or_default();
        let who = "leakstop <leakstop@localhost> 1 +0000";
        let text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\ncanary\n");
        self.made(&["hash-object", "-w", "-t", "commit", "--stdin"], text.as_bytes())
    }

    fn made(&self, arguments: &[&str], input: &[u8]) -> Result<String, git2::Error> {
        Ok(String::from_utf8_lossy(&self.git.ask(arguments, input)?).trim_end().to_owned())
    }

    /// git as the user runs it, but for the one hook.
    fn user_git(&self, arguments: &[&str]) -> Result<Attempt, git2::Error> {
        let mut command = Command::new("git");
        for name in LOCAL_VARIABLES {
            command.env_remove(name);
        }
        let hooks = format!("core.hooksPath={}", self.path("hooks").display());
        for setting in [hooks.as_str(), "user.name=leakstop", "user.email=leakstop@localhost", "commit.gpgSign=false", "push.gpgSign=false"] {
            command.args(["-c", setting]);
        }
        command.args(arguments).current_dir(self.path("work")).env("GIT_EDITOR", ":").env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
        let output = command.output().map_err(|e| cannot_start(&e))?;
        Ok(Attempt { recorded: output.status.success(), said: [output.stdout, output.stderr].concat() })
    }
}
