//! The job files of `hooks/audit`, run as their schedulers would run them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::readme::file;
use crate::support::{Ended, LEAKSTOP, Repo, ended, token};

/// Where the README shows the commands.
pub const HEADING: &str = "An audit of a whole history";

/// A repository with things to find, and the folder that takes the reports.
fn planted() -> (Repo, PathBuf) {
    let repo = Repo::new();
    for seed in 0..12 {
        let key = if seed % 3 == 0 { format!("key = \"{}\"\n", token(seed)) } else { format!("clean {seed}\n") };
        repo.accept(&format!("f{seed}.txt"), key);
    }
    let reports = repo.beside("reports");
    fs::create_dir(&reports).unwrap();
    (repo, reports)
}

/// Runs a script in `folder` with leakstop on the path and what a scheduler sets.
#[track_caller]
fn run(repo: &Repo, folder: &Path, script: &str, variables: &[(&str, &str)]) -> Ended {
    let programs = Path::new(LEAKSTOP).parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut command = repo.command("sh");
    command.args(["-e", "-c", script]).current_dir(folder).env("PATH", path).envs(variables.iter().copied());
    ended(&mut command)
}

/// The reports of this folder joined are the report of the whole.
#[track_caller]
fn make_a_whole(repo: &Repo, reports: &Path) {
    let timeless = |text: &str| {
        let mut report: Value = serde_json::from_str(text).unwrap();
        report["stats"].as_object_mut().unwrap().remove("elapsed_ms");
        report
    };
    let merged = run(repo, reports, "leakstop merge --format json shard-*.json", &[]).expect(1);
    let whole = repo.leakstop(&["scan", "--history", "--format", "json"]).expect(1);
    assert_eq!(timeless(&merged.out), timeless(&whole.out));
}

/// The lines of a YAML file between the one that begins with `from` and the one that begins with `to`, indentation aside.
fn between(text: &str, from: &str, to: &str) -> String {
    let lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with(from)).skip(1);
    let found: Vec<_> = lines.take_while(|line| !line.starts_with(to)).filter(|line| !line.starts_with('#')).collect();
    assert!(!found.is_empty(), "nothing stands between {from} and {to}");
    found.join(" ")
}

#[test]
fn the_commands_of_the_readme_work_as_they_stand() {
    let (repo, _) = planted();
    let [block] = &crate::readme::under(HEADING)[..] else { panic!("there is one example") };
    let [resumed, shard, merge] = block.text.lines().collect::<Vec<_>>()[..] else { panic!("{}", block.text) };
    run(&repo, repo.path(), resumed, &[]).expect(1);
    for index in 1..=8 {
        let shard = shard.replace("2/8", &format!("{index}/8")).replace("shard-2", &format!("shard-{index}"));
        assert!([0, 1].contains(&run(&repo, repo.path(), &shard, &[]).code), "{shard}");
    }
    run(&repo, repo.path(), merge, &[]).expect(1);
    make_a_whole(&repo, repo.path());
}

#[test]
fn the_tasks_of_a_slurm_array_make_a_whole() {
    let (repo, reports) = planted();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/audit/slurm.sh");
    let call = format!("sh '{}' '{}' '{}'", script.display(), repo.path().display(), reports.display());
    for task in ["5", "6", "7"] {
        let variables = [("SLURM_ARRAY_TASK_ID", task), ("SLURM_ARRAY_TASK_MIN", "5"), ("SLURM_ARRAY_TASK_COUNT", "3")];
        run(&repo, &reports, &call, &variables).expect(0);
    }
    make_a_whole(&repo, &reports);
    let alone = [("SLURM_ARRAY_TASK_ID", "9"), ("SLURM_ARRAY_TASK_MIN", "1"), ("SLURM_ARRAY_TASK_COUNT", "2")];
    run(&repo, &reports, &call, &alone).expect(1);
}

#[test]
fn the_pods_of_an_indexed_job_make_a_whole() {
    let (repo, reports) = planted();
    let job = file("hooks/audit/kubernetes.yaml");
    let script = between(&job, "- >-", "workingDir:").replace("/repository", &repo.path().display().to_string());
    let script = script.replace("/reports", &reports.display().to_string());
    assert!(job.contains("completions: 8\n") && job.contains("parallelism: 8\n") && script.contains("--shard auto/8"));
    for index in ["0", "1", "2", "3", "4", "5", "6", "7"] {
        let state = reports.join("state").display().to_string();
        run(&repo, repo.path(), &script, &[("JOB_COMPLETION_INDEX", index), ("XDG_STATE_HOME", &state)]).expect(0);
    }
    make_a_whole(&repo, &reports);
}

#[test]
fn the_jobs_of_gitlab_make_a_whole() {
    let (repo, _) = planted();
    let job = file("hooks/audit/gitlab-ci.yml");
    let script = between(&job, "script:", "artifacts:");
    let script = script.strip_prefix("- ").unwrap();
    assert!(job.contains("parallel: 4\n"));
    for index in ["1", "2", "3", "4"] {
        run(&repo, repo.path(), script, &[("CI_NODE_INDEX", index), ("CI_NODE_TOTAL", "4")]).expect(0);
    }
    make_a_whole(&repo, repo.path());
    assert!(job.ends_with("- leakstop merge shard-*.json\n"));
}

#[test]
fn the_jobs_of_github_make_a_whole() {
    let (repo, _) = planted();
    let job = file("hooks/audit/github.yml");
    let script = job.lines().find_map(|line| line.trim().strip_prefix("- run: leakstop scan")).unwrap();
    assert!(job.contains("shard: [1, 2, 3, 4]\n"));
    for index in ["1", "2", "3", "4"] {
        run(&repo, repo.path(), &format!("leakstop scan{}", script.replace("${{ matrix.shard }}", index)), &[]).expect(0);
    }
    make_a_whole(&repo, repo.path());
    assert!(job.ends_with("- run: leakstop merge shard-*.json\n"));
}
