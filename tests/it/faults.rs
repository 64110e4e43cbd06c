//! Whatever fails while a secret is on its way, the exit is never 0: each call of the system that leakstop makes fails in turn,
//! and each call of git dies, lies or answers short. `LEAKSTOP_FAULTS=1000000` steps through all calls; without it a sample
//! is taken.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::support::{LEAKSTOP, Repo, assert_redacted, token};

/// Of each kind of call so many fail, spread over the run.
const SAMPLE: usize = 4;
/// A run takes a tenth of a second; one that waits for what never comes is a failure, too.
const PATIENCE: Duration = Duration::from_secs(60);
const BACKENDS: [&str; 2] = ["git2", "git"];

/// Compiles a helper in C; libgit2 is compiled by the same compiler when leakstop is built.
fn compiled(source: &str, name: &str, options: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults").join(source);
    // Under another name first: a second run of the tests may be using it.
    let new = folder.join(format!("{name}.{}", std::process::id()));
    let output = Command::new("cc").args(["-O1", "-o"]).arg(&new).args(options).arg(&source).arg("-ldl").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = folder.join(name);
    fs::rename(new, &file).unwrap();
    file
}

pub fn process_faults() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| compiled("process.c", "process-faults.so", &["-shared", "-fPIC"]))
}

fn git_faults() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("git-faults");
        fs::create_dir_all(&folder).unwrap();
        compiled("git.c", "git-faults/git", &[]);
        folder
    })
}

/// A token whose checksum is wrong: by default it warns. So a run that overlooks the configuration, which says "block", ends
/// with 0 as surely as one that overlooks the token.
fn doubtful(seed: u64) -> String {
    let right = token(seed);
    let last = if right.ends_with('a') { 'b' } else { 'a' };
    format!("{}{last}", &right[..right.len() - 1])
}

const STRICT: &str = "[level]\nlow_confidence = \"block\"\n";

/// A hook that is about to see a secret.
struct Scene {
    repo: Repo,
    arguments: Vec<String>,
    input: String,
    /// Of the variable `LEAKSTOP_BACKEND`.
    backend: &'static str,
}

/// Makes a scene for one way to read git.
type Make = fn(&'static str) -> Scene;

/// How a run ended.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    signal: Option<i32>,
    told: String,
}

impl Scene {
    fn new(repo: Repo, arguments: &[&str], input: String, backend: &'static str) -> Self {
        let scene = Self { repo, arguments: arguments.iter().map(ToString::to_string).collect(), input, backend };
        let whole = scene.run(|_| {});
        assert_eq!(whole.code, Some(1), "nothing fails, and yet: {}", whole.told);
        scene
    }

    fn commit(backend: &'static str) -> Self {
        let repo = history();
        repo.stage("a.txt", format!("key = {}\n", doubtful(1)));
        repo.stage("b.txt", "hello\n");
        Self::new(repo, &["hook", "pre-commit"], String::new(), backend)
    }

    fn message(backend: &'static str) -> Self {
        let repo = history();
        repo.write(".git/COMMIT_EDITMSG", format!("work\n\nuse {}\n", doubtful(2)));
        Self::new(repo, &["hook", "commit-msg", ".git/COMMIT_EDITMSG"], String::new(), backend)
    }

    fn push(backend: &'static str) -> Self {
        let repo = history();
        repo.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]).expect(0);
        let (old, new) = with_new_commits(&repo);
        Self::new(repo, &["hook", "pre-push", "origin", "nowhere"], format!("refs/heads/main {new} refs/heads/main {old}\n"), backend)
    }

    fn receive(backend: &'static str) -> Self {
        let client = history();
        let server = Repo::bare();
        server.write("leakstop.toml", STRICT);
        server.git(&["config", "receive.unpackLimit", "1"]).expect(0);
        client.has_remote(&server);
        client.git(&["push", "-q", "origin", "main"]).expect(0);
        let (old, new) = with_new_commits(&client);
        // What only a hidden ref reaches is new all the same.
        client.git(&["push", "-q", "origin", "main:refs/hidden/1"]).expect(0);
        server.git(&["config", "transfer.hideRefs", "refs/hidden"]).expect(0);
        Self::new(server, &["hook", "pre-receive", "--backend", backend], format!("{old} {new} refs/heads/main\n"), backend)
    }

    fn all() -> [(&'static str, Make); 4] {
        [("commit", Self::commit), ("message", Self::message), ("push", Self::push), ("receive", Self::receive)]
    }

    fn run(&self, prepare: impl FnOnce(&mut Command)) -> Outcome {
        self.run_by(self.repo.command(LEAKSTOP), prepare)
    }

    /// With so many kilobytes of addresses for leakstop and for each git that it starts.
    fn run_within(&self, kilobytes: usize) -> Outcome {
        let mut command = self.repo.command("sh");
        command.args(["-c", &format!("ulimit -v {kilobytes} && exec \"$0\" \"$@\""), LEAKSTOP]);
        self.run_by(command, |_| {})
    }

    fn run_by(&self, mut command: Command, prepare: impl FnOnce(&mut Command)) -> Outcome {
        command.args(&self.arguments).env("LEAKSTOP_BACKEND", self.backend).env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let said = self.repo.beside("said");
        command.stderr(fs::File::create(&said).unwrap());
        prepare(&mut command);
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(self.input.as_bytes());
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begin.elapsed() > PATIENCE {
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        assert!(begin.elapsed() < PATIENCE, "it hangs: {command:?}");
        Outcome { code: status.code(), signal: status.signal(), told: String::from_utf8_lossy(&fs::read(&said).unwrap()).into_owned() }
    }
}

/// A few commits in a pack, with the strict configuration in the last one.
fn history() -> Repo {
    let repo = Repo::new();
    for at in 0..3 {
        repo.accept(&format!("dir/file{at}"), format!("line {at}\n").repeat(50));
    }
    repo.accept(".leakstop.toml", STRICT);
    repo.git(&["gc", "-q"]).expect(0);
    repo
}

/// A secret that comes and goes again; the ids before and after.
fn with_new_commits(repo: &Repo) -> (String, String) {
    let old = repo.head();
    repo.accept("a.txt", format!("key = {}\n", doubtful(3)));
    repo.accept("b.txt", "hello\n");
    (old, repo.accept("a.txt", "key = gone\n"))
}

/// At most so many numbers from 1 to `count`: the first, the last, and evenly between.
fn sample(count: usize) -> Vec<usize> {
    let most = std::env::var("LEAKSTOP_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(SAMPLE);
    if count <= most { (1..=count).collect() } else { (0..most).map(|at| 1 + at * (count - 1) / (most - 1)).collect() }
}

mod of_the_system {
    use super::*;

    /// The kinds of calls, with what they may fail with: not found is no failure but an answer.
    const KINDS: [(&str, &[i32]); 10] = [
        ("open", &[13, 24, 5]),
        ("read", &[5]),
        ("map", &[12]),
        ("write", &[28, 32]),
        ("alloc", &[12]),
        ("stat", &[13, 5]),
        ("list", &[5, 13]),
        ("thread", &[11]),
        ("spawn", &[11, 24]),
        ("sync", &[5, 28]),
    ];

    fn counts(scene: &Scene) -> Vec<(String, usize)> {
        let file = scene.repo.beside("counts");
        let _ = fs::remove_file(&file);
        scene.run(|command| {
            command.env("LD_PRELOAD", process_faults()).env("FAULT_COUNTS", &file);
        });
        let text = fs::read_to_string(&file).expect("the helper was not loaded");
        text.lines().map(|line| line.split_once(' ').unwrap()).map(|(kind, count)| (kind.to_owned(), count.parse().unwrap())).collect()
    }

    fn never_passes(name: &str, make: Make) {
        let mut runs = 0;
        for backend in BACKENDS {
            let scene = make(backend);
            let counts = counts(&scene);
            for (kind, errors) in KINDS {
                let count = counts.iter().find(|(known, _)| known == kind).unwrap().1;
                for (number, at) in sample(count).into_iter().enumerate() {
                    for how in ["once", "forever"] {
                        let error = errors[number % errors.len()];
                        let outcome = scene.run(|command| {
                            command.env("LD_PRELOAD", process_faults()).env("FAULT_KIND", kind).env("FAULT_AT", at.to_string());
                            command.env("FAULT_ON", how).env("FAULT_ERRNO", error.to_string());
                        });
                        let what = format!("{name} by {backend}: {kind} {at} of {count} fails {how} with {error}");
                        assert_ne!(outcome.code, Some(0), "{what}: {}", outcome.told);
                        // A process that cannot get memory is ended by a signal; anything else ends by itself.
                        assert!(kind == "alloc" || outcome.code.is_some_and(|code| code == 1 || code == 2), "{what}: {outcome:?}");
                        for seed in 1..=3 {
                            assert_redacted(&outcome.told, &doubtful(seed));
                        }
                        runs += 1;
                    }
                }
            }
            for (number, at) in sample(counts.iter().find(|(kind, _)| kind == "read").unwrap().1).into_iter().enumerate() {
                let signal = [9, 4, 6, 15][number % 4];
                let outcome = scene.run(|command| {
                    command.env("LD_PRELOAD", process_faults()).env("FAULT_KIND", "kill").env("FAULT_AT", at.to_string());
                    command.env("FAULT_ERRNO", signal.to_string());
                });
                // Threads read in another order each time, so that the call may not come.
                assert!(outcome.signal == Some(signal) || outcome.code == Some(1), "{name} by {backend}, killed at read {at}: {outcome:?}");
                runs += 1;
            }
        }
        assert!(runs > 50, "{runs} runs: the calls were not counted");
    }

    #[test]
    fn a_commit_never_passes() {
        never_passes("commit", Scene::commit);
    }

    #[test]
    fn a_message_never_passes() {
        never_passes("message", Scene::message);
    }

    #[test]
    fn a_push_never_leaves() {
        never_passes("push", Scene::push);
    }

    #[test]
    fn a_push_is_never_received() {
        never_passes("receive", Scene::receive);
    }

    /// An answer that was given stands in the audit, whatever fails, and what was written is a chain.
    #[test]
    fn no_answer_is_given_that_the_audit_does_not_hold() {
        let scene = Scene::receive("git2");
        let file = scene.repo.beside("audit.jsonl");
        let (mut kept, mut answered) = (0, 0);
        // The same push is refused, and then passes.
        for (level, right) in [("block", 1), ("allow", 0)] {
            let config = format!("[level]\nlow_confidence = \"{level}\"\n[server]\nrepository_config = \"ignore\"\n");
            scene.repo.write("leakstop.toml", format!("{config}[audit]\nfile = \"{}\"\n", file.display()));
            assert_eq!(scene.run(|_| {}).code, Some(right));
            let counts = counts(&scene);
            for (kind, errors) in KINDS {
                let count = counts.iter().find(|(known, _)| known == kind).unwrap().1;
                for at in sample(count) {
                    for how in ["once", "forever"] {
                        let error = errors[at % errors.len()];
                        let outcome = scene.run(|command| {
                            command.env("LD_PRELOAD", process_faults()).env("FAULT_KIND", kind).env("FAULT_AT", at.to_string());
                            command.env("FAULT_ON", how).env("FAULT_ERRNO", error.to_string());
                        });
                        let what = format!("{kind} {at} of {count} fails {how} with {error}: {outcome:?}");
                        scene.repo.leakstop(&["audit", "verify", file.to_str().unwrap()]).expect(0);
                        let text = fs::read_to_string(&file).unwrap();
                        let new: Vec<_> = text.lines().skip(kept).collect();
                        kept = text.lines().count();
                        // What is allowed may be refused all the same where something fails; nothing else changes.
                        let given = outcome.code.filter(|code| *code != 2);
                        assert!(given.is_none_or(|code| code == right) || outcome.code == Some(1), "{what}");
                        if let Some(code) = given {
                            let told = new.last().is_some_and(|last| last.contains("\"decided\"") && last.contains(&format!("\"exit\":{code},")));
                            assert!(told, "{what}\n{}", new.join("\n"));
                            answered += 1;
                        }
                    }
                }
            }
        }
        assert!(answered > 5, "hardly a run came to an answer");
    }

    /// Memory runs out at each step in turn: wherever the ladder's next rung gives out, nothing passes.
    #[test]
    fn where_memory_runs_out_nothing_passes() {
        /// The program alone is larger; less starts nothing at all.
        const LEAST: usize = 4 << 10;
        /// Enough for all of these scenes.
        const MOST: usize = 1 << 20;
        for (name, make) in Scene::all() {
            for backend in BACKENDS {
                let scene = make(backend);
                // From which rung on does it hold? Between that and nothing lie all the steps.
                let (mut short, mut enough) = (LEAST, MOST);
                assert_eq!(scene.run_within(enough).code, Some(1), "{name} by {backend}");
                while enough - short > 256 {
                    let middle = (short + enough) / 2;
                    *(if scene.run_within(middle).code == Some(1) { &mut enough } else { &mut short }) = middle;
                }
                let count = std::env::var("LEAKSTOP_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(3 * SAMPLE);
                let mut failed = 0;
                for rung in 0..count {
                    let limit = LEAST + (enough + (4 << 10) - LEAST) * rung / count;
                    let outcome = scene.run_within(limit);
                    assert_ne!(outcome.code, Some(0), "{name} by {backend} within {limit} kB: {}", outcome.told);
                    failed += usize::from(outcome.code != Some(1));
                    for seed in 1..=3 {
                        assert_redacted(&outcome.told, &doubtful(seed));
                    }
                }
                assert!(failed > count / 2, "{name} by {backend}: memory ran out {failed} times of {count} only");
            }
        }
    }

    /// The scenes above can fail: a fault that hits nothing leaves the run as it is, and a weaker policy lets it pass.
    #[test]
    fn the_scenes_hang_on_the_configuration() {
        let scene = Scene::commit("git2");
        scene.repo.accept(".leakstop.toml", "");
        scene.repo.stage("a.txt", format!("key = {}\n", doubtful(1)));
        assert_eq!(scene.run(|_| {}).code, Some(0));
    }
}

mod of_git {
    use super::*;

    /// Runs with a git whose call number `at` goes wrong; gives the outcome and the number of calls.
    fn run(scene: &Scene, at: usize, mode: &str, byte: usize) -> (Outcome, usize) {
        let calls = scene.repo.beside("calls");
        let _ = fs::remove_file(&calls);
        let path = std::env::var("PATH").unwrap();
        let real = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file()).unwrap();
        let outcome = scene.run(|command| {
            command.env("PATH", format!("{}:{path}", git_faults().display())).env("GIT_FAULT_REAL", real).env("GIT_FAULT_CALLS", &calls);
            command.env("GIT_FAULT_AT", at.to_string()).env("GIT_FAULT_MODE", mode).env("GIT_FAULT_BYTE", byte.to_string());
        });
        (outcome, fs::read(&calls).map_or(0, |calls| calls.len()))
    }

    #[test]
    fn one_that_dies_lies_or_answers_short_lets_nothing_pass() {
        for (name, make) in Scene::all() {
            let scene = make("git");
            let (whole, count) = run(&scene, 0, "exit", 0);
            assert!(whole.code == Some(1) && count > 2, "{name}: {count} calls, {whole:?}");
            for at in 1..=count {
                // Within the first answer: what git says of an object's own bytes is believed.
                for (mode, bytes) in [("exit", &[0][..]), ("kill", &[0]), ("die", &[0, 30, 300]), ("cut", &[0, 30, 300]), ("garble", &[0, 30])] {
                    for &byte in bytes {
                        let (outcome, _) = run(&scene, at, mode, byte);
                        let what = format!("{name}: call {at} of {count}: {mode} at byte {byte}");
                        assert!(matches!(outcome.code, Some(1 | 2)), "{what}: {outcome:?}");
                        for seed in 1..=3 {
                            assert_redacted(&outcome.told, &doubtful(seed));
                        }
                    }
                }
            }
        }
    }
}
