//! What was asked? One declaration feeds the parser, the help, the completions and the man page.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::change::Backend;
use crate::terminal::ColorChoice;

/// Blocks commits and pushes that bring in secrets or unsafe secret handling.
///
/// Exit codes: 0 nothing blocks, 1 findings block, 2 leakstop could not do its job (and nothing passes).
#[derive(Debug, Parser)]
#[command(name = "leakstop", version, max_term_width = 100)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Debug, Args)]
pub struct Global {
    /// Use this configuration alone, instead of the machine's, the user's and the repository's
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How the report looks
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Write the report to a file
    #[arg(long, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// Say only what blocks
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say also what was allowed, and why
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
    /// One JSON document a line
    Jsonl,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Act as a git hook
    #[command(subcommand)]
    Hook(Hook),
    /// Scan files, the index, a range of commits or the whole history
    Scan(Scan),
    /// Join the reports of all shards of one scan, and refuse what does not make a whole
    Merge(Merge),
    /// Put hooks in place
    Install(Install),
    /// Take hooks away and restore what was there
    Uninstall(Install),
    /// Allow a finding: somebody answers for it, with a reason and until a day
    Allow(Allow),
    /// Accept old findings together: what the last commit holds already
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Take over exceptions and rules of another scanner
    Import(Import),
    /// Say why a line is found, or why it is not
    Explain(Explain),
    /// Look at the rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Look at what was decided, and whether somebody altered that
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prove that the gate would stop a secret right now, or say what is in the way
    Doctor(Doctor),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

/// The git hooks.
#[derive(Debug, Subcommand)]
pub enum Hook {
    /// What the index adds to HEAD
    PreCommit {
        /// File names that a hook manager passes; the index is the truth, so they are ignored
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        files: Vec<OsString>,
    },
    /// What a merge adds to all of its parents
    PreMergeCommit {
        /// Ignored, as in pre-commit
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        files: Vec<OsString>,
    },
    /// What a patch that `git am` applied adds to HEAD
    PreApplypatch,
    /// The message as git will store it
    CommitMsg {
        /// The file that git passes
        file: PathBuf,
    },
    /// What a push takes to a remote; reads lines from standard input
    PrePush {
        /// Name of the remote, or its address again
        remote: OsString,
        /// Address of the remote
        url: OsString,
    },
    /// What a push brings into this repository; reads lines from standard input
    PreReceive {
        /// Read git in this way alone; for tests
        #[arg(long, hide = true)]
        backend: Option<Backend>,
    },
    /// What one ref of a push brings into this repository
    Update {
        /// Name of the ref
        reference: OsString,
        /// Id before
        old: String,
        /// Id after
        new: String,
    },
}

/// `scan`
#[derive(Debug, Args)]
pub struct Scan {
    /// Files and folders; the current folder if nothing is named
    pub paths: Vec<PathBuf>,
    /// What the index adds to HEAD
    #[arg(long, group = "source", conflicts_with = "paths")]
    pub staged: bool,
    /// What the commits in a range bring in
    #[arg(long, group = "source", value_name = "A..B", conflicts_with = "paths")]
    pub range: Option<String>,
    /// Everything that any ref reaches
    #[arg(long, group = "source", conflicts_with = "paths")]
    pub history: bool,
    /// Only one part of the history, the same for everyone: `K/N`, or `auto` (`auto/N`) as a scheduler says
    #[arg(long, requires = "history", conflicts_with_all = ["staged", "range", "stdin", "paths"], value_name = "K/N")]
    pub shard: Option<String>,
    /// Read only what the last such scan did not get to, or did not know; the report is that of the whole
    #[arg(long, requires = "history", conflicts_with_all = ["staged", "range", "stdin", "paths"])]
    pub since_last: bool,
    /// Standard input
    #[arg(long, group = "source", conflicts_with = "paths")]
    pub stdin: bool,
    /// The path that standard input stands for, which decides the rules that apply
    #[arg(long, requires = "stdin", value_name = "NAME")]
    pub path: Option<PathBuf>,
    /// Read everything: what git ignores too, and git's own folder
    #[arg(long)]
    pub no_ignore: bool,
}

/// `merge`
#[derive(Debug, Args)]
pub struct Merge {
    /// The JSON reports of `scan --history --shard`, one of each shard
    #[arg(required = true)]
    pub reports: Vec<PathBuf>,
}

/// `install` and `uninstall`
#[derive(Debug, Args)]
pub struct Install {
    /// A bare repository, whose pushes are to be checked
    #[arg(long, value_name = "DIR")]
    pub server: Option<PathBuf>,
    /// Only this hook; may be repeated
    #[arg(long = "hook", value_name = "NAME")]
    pub hooks: Vec<String>,
}

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// A bare repository, whose pushes are checked
    #[arg(long, value_name = "DIR")]
    pub server: Option<PathBuf>,
}

/// `allow`
#[derive(Debug, Args)]
pub struct Allow {
    /// As the report shows it
    pub fingerprint: String,
    /// Who answers for it
    #[arg(long)]
    pub owner: String,
    /// Why it is no danger
    #[arg(long)]
    pub reason: String,
    /// Last day on which it holds, like 2027-03-31
    #[arg(long, value_name = "DATE")]
    pub expires: String,
    /// Only in paths that match this glob
    #[arg(long, value_name = "GLOB")]
    pub path: Option<String>,
}

/// `baseline`
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Add what is found in the last commit and nobody answers for yet
    Write(BaselineWrite),
    /// Take away what is not found any more
    Prune,
    /// Say what is not found any more, and whether the baseline still holds; exit code 1 if something is stale
    Check,
}

/// `baseline write`
#[derive(Debug, Args)]
pub struct BaselineWrite {
    /// Who answers for it; needed the first time
    #[arg(long)]
    pub owner: Option<String>,
    /// Why it is accepted; needed the first time
    #[arg(long)]
    pub reason: Option<String>,
    /// Last day on which it holds, like 2027-03-31; needed the first time
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// Also what only older commits hold
    #[arg(long)]
    pub history: bool,
}

/// `import`
#[derive(Debug, Args)]
pub struct Import {
    /// A `.gitleaksignore`, a `.gitleaks.toml` or a `.secrets.baseline`
    pub file: PathBuf,
    /// Who answers for the exceptions
    #[arg(long)]
    pub owner: String,
    /// Why they are no danger
    #[arg(long)]
    pub reason: String,
    /// Last day on which they hold, like 2027-03-31
    #[arg(long, value_name = "DATE")]
    pub expires: String,
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// A file, or a line of it
    #[arg(value_name = "FILE[:LINE]")]
    pub place: OsString,
}

/// `rules`
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// One line a rule
    List,
    /// All about one rule
    Show {
        /// Its id
        id: String,
    },
    /// Try your own rules: examples, counterexamples, keywords, cost. Exit code 1 when one does not hold
    Check {
        /// A configuration, or a file of rules; all configuration that applies here if nothing is named
        file: Option<PathBuf>,
    },
}

/// `config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read all configuration that applies here, and say where it comes from
    Check,
}

/// `audit`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Say whether any entry was altered, removed or put in. Exit code 1 when one was
    Verify {
        /// What is read
        #[command(flatten)]
        from: AuditFiles,
        /// A head that was noted elsewhere: the entry must be there still
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
        /// So many entries were there at least
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
    /// Count runs, findings and exceptions, and print the head
    Stats {
        /// What is read
        #[command(flatten)]
        from: AuditFiles,
    },
    /// Move the file away; the next one goes on from its head
    Rotate {
        /// Where to, on the same file system
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

/// The files of an audit.
#[derive(Debug, Args)]
pub struct AuditFiles {
    /// The files of one audit, the oldest first; the one that is configured here if nothing is named
    pub files: Vec<PathBuf>,
    /// The key that the entries were written with; the configured one if nothing is named
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// The hooks that a copy or a link of the binary can be named after.
const HOOKS: [&str; 7] = ["pre-commit", "pre-merge-commit", "pre-applypatch", "commit-msg", "pre-push", "pre-receive", "update"];

/// The arguments as those of `leakstop hook NAME`, when the program was started under a hook's name.
pub fn as_hook(mut arguments: impl Iterator<Item = OsString>) -> Option<Vec<OsString>> {
    let program = arguments.next()?;
    let name = Path::new(&program).file_name()?.to_str()?;
    let name = name.strip_suffix(".exe").unwrap_or(name);
    if !HOOKS.contains(&name) {
        return None;
    }
    let mut call: Vec<OsString> = vec!["leakstop".into(), "hook".into(), name.into()];
    call.extend(arguments);
    Some(call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declaration_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_binary_named_after_a_hook_is_that_hook() {
        let call = as_hook(["/srv/x.git/hooks/update", "refs/heads/a", "1", "2"].into_iter().map(OsString::from));
        assert_eq!(call.unwrap(), ["leakstop", "hook", "update", "refs/heads/a", "1", "2"]);
        assert!(as_hook([OsString::from("/usr/bin/leakstop")].into_iter()).is_none());
    }
}
