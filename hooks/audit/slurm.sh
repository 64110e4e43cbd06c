#!/bin/sh
# Scans a repository's whole history with the tasks of a Slurm array:
#
#   sbatch --array=1-8 --output=REPORTS/%A-%a.log hooks/audit/slurm.sh REPOSITORY REPORTS
#   leakstop merge REPORTS/shard-*.json
#
# Both folders have to be seen by all nodes, and no ref of the repository may move meanwhile: `merge` refuses reports about
# different states. A task that is requeued goes on where it was, as long as $XDG_STATE_HOME lasts. A task ends well when its
# report is written, whatever is found; what is found ends `merge` with 1, and a report that is missing with 2.
#SBATCH --job-name=leakstop
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem=1G
set -eu
repository=$1
reports=$2
umask 077
mkdir -p "$reports"
reports=$(cd "$reports" && pwd)
# Other arrays have other numbers, and gaps are refused by `--shard auto`.
shard=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN + 1))
rm -f "$reports/shard-$shard.json"
cd "$repository"
leakstop scan --history --since-last --shard auto --format json --output "$reports/shard-$shard.json" || [ $? -eq 1 ]
