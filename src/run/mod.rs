//! Tells the story of each command in order.

mod across;
mod audit;
mod baseline;
mod blobs;
mod disk;
mod doctor;
mod examine;
mod exceptions;
mod explain;
mod failure;
mod finding_maker;
mod gate;
mod history;
mod import;
mod information;
mod layers;
mod merge;
mod moves;
mod output;
mod packed;
mod progress;
mod recorded;
mod remembered;
mod rule_check;
mod scheduler;
mod settings;
mod setup;
mod spool;
mod time;
mod weakened;

pub use failure::Failure;
pub use progress::clear_progress;
pub use recorded::failed;

use std::time::Instant;

use crate::cli::{Cli, Command, Hook, RulesCommand};
use crate::judge::Status;
use gate::Session;

/// Does what was asked.
///
/// # Errors
/// Whatever kept leakstop from doing its job: exit code 2.
pub fn run(cli: &Cli, started: Instant) -> Result<Status, Failure> {
    let ended = told(cli, started);
    if let Err(failure) = &ended {
        failure.is_recorded();
    }
    ended
}

fn told(cli: &Cli, started: Instant) -> Result<Status, Failure> {
    let session = Session { global: &cli.global, started };
    match &cli.command {
        Command::Hook(Hook::PreCommit { .. }) => session.index("hook pre-commit"),
        Command::Hook(Hook::PreMergeCommit { .. }) => session.index("hook pre-merge-commit"),
        Command::Hook(Hook::PreApplypatch) => session.index("hook pre-applypatch"),
        Command::Hook(Hook::CommitMsg { file }) => session.message(file),
        Command::Hook(Hook::PrePush { remote, url }) => session.pre_push(remote, url),
        Command::Hook(Hook::PreReceive { backend }) => session.pre_receive(*backend),
        Command::Hook(Hook::Update { reference, old, new }) => session.update(reference, old, new),
        Command::Scan(scan) if scan.staged => session.index("scan --staged"),
        Command::Scan(scan) if scan.history => session.history(scan),
        Command::Scan(scan) if scan.stdin => session.standard_input(scan.path.as_deref()),
        Command::Scan(scan) => match &scan.range {
            Some(range) => session.range(range),
            None => session.files(&scan.paths, scan.no_ignore),
        },
        Command::Merge(call) => merge::merge(call, &cli.global),
        Command::Install(install) => setup::install(install, &cli.global),
        Command::Uninstall(install) => setup::uninstall(install, &cli.global),
        Command::Allow(allow) => exceptions::allow(allow, &cli.global),
        Command::Baseline(command) => baseline::baseline(command, &cli.global),
        Command::Import(call) => import::import(call, &cli.global),
        Command::Explain(call) => explain::explain(call, &cli.global),
        Command::Rules(RulesCommand::Check { file }) => rule_check::check(file.as_deref(), &cli.global),
        Command::Rules(rules) => information::rules(rules, &cli.global),
        Command::Audit(command) => audit::audit(command, &cli.global),
        Command::Config(config) => information::config(config, &cli.global),
        Command::Doctor(asked) => doctor::doctor(asked, &cli.global),
        Command::Completions { shell } => information::completions(*shell),
        Command::Man => information::man(),
    }
}
