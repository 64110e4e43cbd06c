//! Which shard is meant: as it was written, or as the scheduler says that started this process. Nobody gets a part of a scan
//! without asking for it: a variable of a scheduler alone changes nothing.

use std::ffi::OsString;

use crate::change::Shard;

use super::Failure;
use super::exceptions::usage;

/// A scheduler by the variables that it sets.
struct Scheduler {
    name: &'static str,
    index: &'static str,
    /// The index of the first one.
    first: First,
    /// How many there are, where it says so.
    total: Option<&'static str>,
}

enum First {
    Is(u32),
    /// This variable says it.
    In(&'static str),
}

const SCHEDULERS: [Scheduler; 5] = [
    // An Indexed Job does not tell its pods how many there are.
    Scheduler { name: "Kubernetes", index: "JOB_COMPLETION_INDEX", first: First::Is(0), total: None },
    Scheduler { name: "Slurm", index: "SLURM_ARRAY_TASK_ID", first: First::In("SLURM_ARRAY_TASK_MIN"), total: Some("SLURM_ARRAY_TASK_COUNT") },
    Scheduler { name: "GitLab", index: "CI_NODE_INDEX", first: First::Is(1), total: Some("CI_NODE_TOTAL") },
    Scheduler { name: "Buildkite", index: "BUILDKITE_PARALLEL_JOB", first: First::Is(0), total: Some("BUILDKITE_PARALLEL_JOB_COUNT") },
    Scheduler { name: "CircleCI", index: "CIRCLE_NODE_INDEX", first: First::Is(0), total: Some("CIRCLE_NODE_TOTAL") },
];

/// Reads `K/N`, `auto` or `auto/N`.
pub(super) fn shard(asked: &str, variable: impl Fn(&str) -> Option<OsString>) -> Result<Shard, Failure> {
    let wrong = |why: String| usage(why, "write `--shard K/N` with K from 1 to N, or `--shard auto/N` under a scheduler");
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    let (index, total) = match asked.split_once('/') {
        Some((index, total)) => {
            let total = number(total).ok_or_else(|| wrong(format!("`{}` is no shard", asked.escape_debug())))?;
            (index, Some(total))
        }
        None => (asked, None),
    };
    if index != "auto" {
        let shard = number(index).zip(total).and_then(|(index, total)| Shard::new(index, total));
        return shard.ok_or_else(|| wrong(format!("`{}` is no shard", asked.escape_debug())));
    }
    let set: Vec<_> = SCHEDULERS.iter().filter(|scheduler| variable(scheduler.index).is_some_and(|value| !value.is_empty())).collect();
    let [scheduler] = set[..] else {
        let names: Vec<_> = set.iter().map(|scheduler| scheduler.name).collect();
        return Err(wrong(match names[..] {
            [] => "no scheduler says which shard this is".to_owned(),
            _ => format!("{} each say which shard this is", names.join(" and ")),
        }));
    };
    let read = |name: &str| {
        let value = variable(name).unwrap_or_default();
        value.to_str().and_then(number).ok_or_else(|| wrong(format!("{} sets no number as {name}", scheduler.name)))
    };
    let first = match scheduler.first {
        First::Is(first) => first,
        First::In(name) => read(name)?,
    };
    let told = scheduler.total.map(read).transpose()?;
    let total = match (told, total) {
        (Some(told), Some(total)) if told != total => {
            return Err(wrong(format!("{} says that there are {told} shards, `--shard` {total}", scheduler.name)));
        }
        (Some(total), _) | (None, Some(total)) => total,
        (None, None) => return Err(wrong(format!("{} does not say how many shards there are", scheduler.name))),
    };
    let index = read(scheduler.index)?.checked_sub(first).and_then(|index| index.checked_add(1));
    // An array with gaps has an index beyond their number.
    index
        .and_then(|index| Shard::new(index, total))
        .ok_or_else(|| wrong(format!("{} counts its tasks in steps or with gaps, so they are no shards 1 to {total}", scheduler.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(asked: &str, variables: &[(&str, &str)]) -> String {
        match shard(asked, |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())) {
            Ok(shard) => shard.to_string(),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn a_shard_is_what_was_written_or_what_the_scheduler_says() {
        for (asked, variables, expected) in [
            ("2/3", &[][..], "2/3"),
            ("2/3", &[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")], "2/3"),
            ("auto", &[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")], "1/2"),
            ("auto/2", &[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "2")], "2/2"),
            ("auto/4", &[("JOB_COMPLETION_INDEX", "0")], "1/4"),
            ("auto/4", &[("JOB_COMPLETION_INDEX", "3")], "4/4"),
            ("auto", &[("SLURM_ARRAY_TASK_ID", "7"), ("SLURM_ARRAY_TASK_MIN", "5"), ("SLURM_ARRAY_TASK_COUNT", "4")], "3/4"),
            ("auto", &[("BUILDKITE_PARALLEL_JOB", "1"), ("BUILDKITE_PARALLEL_JOB_COUNT", "2")], "2/2"),
            ("auto", &[("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "1")], "1/1"),
        ] {
            assert_eq!(told(asked, variables), expected, "{asked} {variables:?}");
        }
    }

    #[test]
    fn what_says_no_shard_is_refused() {
        for (asked, variables, expected) in [
            ("0/3", &[][..], "`0/3` is no shard"),
            ("4/3", &[], "`4/3` is no shard"),
            ("3", &[], "`3` is no shard"),
            ("+1/3", &[], "`+1/3` is no shard"),
            ("auto/0", &[("JOB_COMPLETION_INDEX", "0")], "Kubernetes counts its tasks in steps or with gaps, so they are no shards 1 to 0"),
            ("auto", &[], "no scheduler says which shard this is"),
            ("auto", &[("JOB_COMPLETION_INDEX", "0")], "Kubernetes does not say how many shards there are"),
            ("auto/2", &[("JOB_COMPLETION_INDEX", "0"), ("CI_NODE_INDEX", "1")], "Kubernetes and GitLab each say which shard this is"),
            ("auto/3", &[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")], "GitLab says that there are 2 shards, `--shard` 3"),
            ("auto", &[("CI_NODE_INDEX", "1")], "GitLab sets no number as CI_NODE_TOTAL"),
            (
                "auto",
                &[("SLURM_ARRAY_TASK_ID", "9"), ("SLURM_ARRAY_TASK_MIN", "1"), ("SLURM_ARRAY_TASK_COUNT", "3")],
                "Slurm counts its tasks in steps or with gaps, so they are no shards 1 to 3",
            ),
        ] {
            assert_eq!(told(asked, variables), expected, "{asked} {variables:?}");
        }
    }
}
