//! The hook managers themselves, set up by the README's examples: each blocks what leakstop blocks, and lets the rest pass.
//! They are installed below `target/` on first use, so the first run needs the network, Python 3 and npm.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::documents::with_before;
use crate::readme::{self, file};
use crate::support::{LEAKSTOP, Repo, token};

/// The README's headings of this module.
pub const MANAGERS: [&str; 3] = ["pre-commit and prek", "husky", "lefthook"];

/// The versions whose ways are known.
const FROM_PYPI: [&str; 2] = ["pre-commit==4.7.0", "prek==0.5.11"];
const FROM_NPM: [&str; 2] = ["husky@9.1.7", "lefthook@2.2.2"];

#[test]
fn pre_commit_blocks_and_passes() {
    let app = App::new(&python_tools());
    app.follow("pre-commit and prek", |text| text.to_owned());
    app.blocks_and_passes();
}

#[test]
fn prek_blocks_and_passes() {
    let app = App::new(&python_tools());
    app.follow("pre-commit and prek", |text| text.replace("pre-commit install", "prek install"));
    app.blocks_and_passes();
}

#[test]
fn husky_blocks_and_passes() {
    let app = App::new(&node_tools());
    app.follow("husky", ToOwned::to_owned);
    app.blocks_and_passes();
}

#[test]
fn lefthook_blocks_and_passes() {
    let app = App::new(&node_tools());
    app.follow("lefthook", ToOwned::to_owned);
    app.blocks_and_passes();
}

#[test]
fn both_frameworks_accept_the_manifest() {
    let tools = python_tools();
    for framework in ["pre-commit", "prek"] {
        let mut command = Command::new(tools.join(framework));
        let output = command.args(["validate-manifest", ".pre-commit-hooks.yaml"]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{framework}: {}", told(&output));
    }
}

/// A repository of somebody who uses a hook manager, and a server without hooks.
struct App {
    repo: Repo,
    server: Repo,
    /// Where the frameworks find our manifest.
    manifest: Repo,
    tools: PathBuf,
}

impl App {
    fn new(tools: &Path) -> Self {
        let (repo, server, manifest) = (Repo::new(), Repo::bare(), Repo::new());
        manifest.accept(".pre-commit-hooks.yaml", file(".pre-commit-hooks.yaml"));
        repo.accept(".gitignore", "node_modules\n");
        repo.has_remote(&server);
        repo.git(&["push", "-q", "origin", "main"]).expect(0);
        // What `npm install --save-dev husky` leaves behind.
        repo.write("package.json", "{ \"private\": true }\n");
        if let Some(modules) = tools.parent().filter(|folder| folder.ends_with("node_modules")) {
            std::os::unix::fs::symlink(modules, repo.path().join("node_modules")).unwrap();
        }
        Self { repo, server, manifest, tools: tools.to_owned() }
    }

    /// Does what the README says under a heading: writes the files and runs the commands, in order.
    fn follow(&self, heading: &str, adapt: impl Fn(&str) -> String) {
        for block in readme::under(heading) {
            if block.language == "sh" {
                let output = self.run("sh", &["-ec", &adapt(&block.text)]);
                assert!(output.status.success(), "{}", told(&output));
                continue;
            }
            let address = self.manifest.path().to_str().unwrap();
            let text = block.text.replace("ADDRESS", address).replace("REVISION", &self.manifest.ask(&["rev-parse", "HEAD"]));
            let name = text.lines().next().unwrap().strip_prefix("# ").expect("a file begins with its name");
            self.repo.write(name, &text);
        }
        self.repo.git(&["add", "-A"]).expect(0);
    }

    fn blocks_and_passes(&self) {
        let passed = self.run("git", &["commit", "-m", "Use a hook manager"]);
        assert!(passed.status.success(), "a clean commit is refused: {}", told(&passed));
        let clean = self.repo.ask(&["rev-parse", "HEAD"]);
        assert_eq!(self.repo.ask(&["log", "-1", "--format=%s"]), "Use a hook manager");
        assert!(self.run("git", &["push", "origin", "main"]).status.success());
        assert_eq!(self.server.ask(&["rev-parse", "main"]), clean);

        self.repo.stage("deploy.py", format!("token = \"{}\"\n", token(1)));
        self.refuses(&["commit", "-m", "Deploy"]);
        assert_eq!(self.repo.ask(&["rev-parse", "HEAD"]), clean);

        self.repo.stage("deploy.py", "token = read()\n");
        self.refuses(&["commit", "-m", &format!("Deploy with {}", token(2))]);
        assert_eq!(self.repo.ask(&["rev-parse", "HEAD"]), clean);

        self.repo.accept("deploy.py", format!("token = \"{}\"\n", token(3)));
        self.refuses(&["push", "origin", "main"]);
        assert_eq!(self.server.ask(&["rev-parse", "main"]), clean);
    }

    #[track_caller]
    fn refuses(&self, git: &[&str]) {
        let output = self.run("git", git);
        assert!(!output.status.success(), "{git:?} passed: {}", told(&output));
        let told = told(&output);
        assert!(told.contains("github-pat-classic") && told.contains("leakstop: blocked: 1 blocking"), "{git:?} failed for another cause: {told}");
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = self.repo.command(program);
        for switch in ["HUSKY", "LEFTHOOK", "SKIP", "PREK_SKIP"] {
            command.env_remove(switch);
        }
        let path = with_before(&[Path::new(LEAKSTOP).parent().unwrap(), &self.tools]);
        // npx must take what is there and fetch nothing.
        command.args(arguments).env("PATH", path).env("npm_config_offline", "true").env("npm_config_update_notifier", "false").output().unwrap()
    }
}

/// The folder with `pre-commit` and `prek`.
fn python_tools() -> PathBuf {
    static DONE: OnceLock<PathBuf> = OnceLock::new();
    let install = |folder: &Path| {
        let venv = folder.join("venv");
        must(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv), "make a Python environment (python3 with venv)");
        must(Command::new(venv.join("bin/pip")).args(["install", "--quiet"]).args(FROM_PYPI), "install from PyPI");
    };
    DONE.get_or_init(|| installed("python-tools", &FROM_PYPI, install).join("venv/bin")).clone()
}

/// The folder with `husky` and `lefthook`.
fn node_tools() -> PathBuf {
    static DONE: OnceLock<PathBuf> = OnceLock::new();
    let install = |folder: &Path| {
        fs::write(folder.join("package.json"), "{ \"private\": true }\n").unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]).args(FROM_NPM).current_dir(folder);
        must(&mut npm, "install from the npm registry (Node with npm)");
    };
    DONE.get_or_init(|| installed("node-tools", &FROM_NPM, install).join("node_modules/.bin")).clone()
}

/// A folder below `target/` that holds these packages; it is filled once and kept.
fn installed(name: &str, packages: &[&str], install: impl Fn(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    // Another process may run the same tests.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let stamp = folder.join("installed");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
        return folder;
    }
    install(&folder);
    fs::write(stamp, wanted).unwrap();
    folder
}

fn must(command: &mut Command, purpose: &str) {
    let asks = format!("cannot {purpose}; these tests drive the real hook managers and need the network on their first run");
    let output = command.output().unwrap_or_else(|e| panic!("{asks}: {e}"));
    assert!(output.status.success(), "{asks}: {}", told(&output));
}

fn told(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
