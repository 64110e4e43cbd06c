#!/usr/bin/env python3
"""How long do the hooks take beside git itself and beside other scanners? `python3 tests/bench/run.py`

Whole processes are timed in turns, so that what else the machine does falls on all. The figures are medians, in milliseconds, with
the ratio and its target. They go to the terminal, to target/bench.json, and as plots to target/plots. Exit code 1: a target is
missed, or a line is bent. The parts are `targets` (beside git), `peers` (other scanners, installed by peers.py) and `lines` (what
one thing more costs, lines.py); `--only` leaves out the others. All but `peers` need the standard library and git alone. The
repositories are made anew each time, always the same, below target/bench.
"""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import lines
import peers

TOP = Path(__file__).resolve().parents[2]
WORK = TOP / "target" / "bench"
# Sources of which another history is made, where cargo keeps them.
CRATES = sorted((Path.home() / ".cargo" / "registry" / "src").glob("*"))

# What is promised: at most so many times git's own time, and so many bytes of memory for a push.
TINY, LARGE, HUGE, PUSH = 2.0, 1.5, 1.5, 1.5
PUSH_MEMORY = 150_000_000

NEW_FILE = b"def connect(settings):\n    return Client(settings.host, token=settings.read('token'))\n"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--binary", type=Path, help="measure this program instead of building one")
    options.add_argument("--commits", type=int, default=3000, help="how many commits are pushed (%(default)s)")
    options.add_argument("--print-history", type=int, metavar="COMMITS", help="print the history that is pushed, for `git fast-import`, and do no more")
    options.add_argument("--print-local", metavar="FOLDER", type=Path, help="print a history of the files in a folder, in the same way")
    options.add_argument("--only", choices=["targets", "peers", "lines"], action="append", help="do this part; may be repeated")
    options = options.parse_args()
    if options.print_history:
        return sys.stdout.buffer.writelines(history(options.print_history))
    if options.print_local:
        return sys.stdout.buffer.writelines(local_history(options.print_local))
    parts = options.only or ["targets", "peers", "lines"]
    program = options.binary.resolve() if options.binary else build()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    empty_environment()
    report = {"program": version(program), "git": version("git"), "machine": f"{platform.platform()}, {os.cpu_count()} processors"}
    missed = []
    if "targets" in parts:
        report["results"] = [
            commit(program, "commit, 3 files", files=3, rounds=60, target=TINY),
            commit(program, "commit, 3500 files", files=3500, rounds=40, target=LARGE),
            huge_index(program, 100_000, rounds=40),
            push(program, options.commits, rounds=7),
        ]
        missed += show(report["results"])
    bench = sys.modules[__name__]
    if "peers" in parts:
        report["peers"] = peers.race_all(bench, program, TOP / "target" / "peers")
    if "lines" in parts:
        report["lines"] = lines.measure(bench, program, options.commits, TOP / "target" / "plots")
        missed += [line for line in report["lines"] if "bent" in line["judged"].values()]
    (TOP / "target" / "bench.json").write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(1 if missed else 0)


def build():
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=TOP, check=True)
    folder = os.environ.get("CARGO_TARGET_DIR", TOP / "target")
    return TOP / folder / "release" / "leakstop"


def empty_environment():
    """Neither the user's nor the machine's git settings count, nor our own."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "LEAKSTOP_", "XDG_"))]:
        del os.environ[name]
    home = WORK / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n name = Ann\n email = ann@example.org\n[init]\n defaultBranch = main\n[gc]\n auto = 0\n")
    os.environ.update(HOME=str(home), GIT_CONFIG_NOSYSTEM="1", LC_ALL="C")


# ---- what is measured


def commit(program, name, files, rounds, target):
    """One staged file in a repository of so many files."""
    folder = WORK / f"commit-{files}"
    git(WORK, "init", "-q", str(folder))
    words = Words(files)
    for at in range(files):
        file = folder / f"module{at % 50:02}" / f"part{at // 50 % 7}" / f"file{at:04}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(words.text(30))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "base")
    git(folder, "repack", "-a", "-d", "-q")  # a repository of some size was cloned, so its objects are packed
    (folder / "new.py").write_bytes(NEW_FILE)
    git(folder, "add", "-A")
    # As git calls a hook.
    environment = os.environ | {"GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": "", "GIT_EXEC_PATH": exec_path()}
    ours = Command([program, "hook", "pre-commit"], folder, environment)
    theirs = Command(["git", "diff", "--cached", "--raw"], folder, os.environ)
    return compare(name, "git diff --cached --raw", ours, theirs, rounds, target)


def huge_index(program, files, rounds):
    """One staged file beside so many others, none of which is checked out: a hook looks at the index alone."""
    folder = WORK / "huge-index"
    git(WORK, "init", "-q", str(folder))
    words = Words(files)
    blobs = [store(folder, words.text(30)) for _ in range(50)]
    lines = "".join(f"100644 {blobs[at % 50]}\tmodule{at % 500:03}/part{at // 500 % 20}/file{at:06}.py\n" for at in range(files))
    subprocess.run(["git", "update-index", "--index-info"], cwd=folder, input=lines.encode(), check=True)
    git(folder, "commit", "-q", "-m", "base")
    git(folder, "repack", "-a", "-d", "-q")
    git(folder, "update-index", "--add", "--cacheinfo", f"100644,{store(folder, NEW_FILE)},new.py")
    environment = os.environ | {"GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": "", "GIT_EXEC_PATH": exec_path()}
    ours = Command([program, "hook", "pre-commit"], folder, environment)
    theirs = Command(["git", "diff-index", "--cached", "--raw", "-z", "HEAD"], folder, os.environ)
    return compare(f"commit, {files} files", "git diff-index --cached --raw -z HEAD", ours, theirs, rounds, HUGE)


def push(program, commits, rounds):
    """A push of many commits, as `git receive-pack` presents it to the hook: one pack in quarantine, the refs unmoved."""
    source, server = WORK / "source", WORK / "server.git"
    git(WORK, "init", "-q", "--bare", str(source))
    # Another process makes it: the memory that this one once had would count as that of the processes it starts.
    writer = subprocess.Popen([sys.executable, __file__, "--print-history", str(200 + commits)], stdout=subprocess.PIPE)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=source, stdin=writer.stdout, check=True)
    if writer.wait() != 0:
        sys.exit("the history could not be made")
    base = read(source, "rev-parse", f"main~{commits}")
    tip = read(source, "rev-parse", "main")
    git(WORK, "init", "-q", "--bare", str(server))
    git(source, "push", "-q", str(server), f"{base}:refs/heads/main")
    quarantine = server / "objects" / "tmp_objdir-incoming-bench"
    (quarantine / "pack").mkdir(parents=True)
    environment = os.environ | {
        "GIT_DIR": ".",
        "GIT_QUARANTINE_PATH": str(quarantine),
        "GIT_OBJECT_DIRECTORY": str(quarantine),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(server / "objects"),
        "GIT_PUSH_OPTION_COUNT": "0",
    }
    packed = ["git", "pack-objects", "--revs", "--thin", "--stdout", "--delta-base-offset", "--no-reuse-delta", "-q"]
    pack = WORK / "pushed.pack"
    with open(pack, "wb") as out:
        subprocess.run(packed, cwd=source, input=f"{tip}\n^{base}\n".encode(), stdout=out, check=True)
    with open(pack, "rb") as sent:
        subprocess.run(["git", "index-pack", "--stdin", "--fix-thin"], cwd=server, env=environment, stdin=sent, stdout=subprocess.DEVNULL, check=True)
    ours = Command([program, "hook", "pre-receive"], server, environment, f"{base} {tip} refs/heads/main\n".encode())
    pipe = f"git rev-list --objects --no-object-names {tip} --not --all | git cat-file --batch --buffer > /dev/null"
    theirs = Command(["sh", "-c", pipe], server, environment)
    name = f"push, {commits} commits, {pack.stat().st_size / 1e6:.1f} MB"
    return compare(name, "git rev-list --objects | git cat-file --batch", ours, theirs, rounds, PUSH, PUSH_MEMORY)


def compare(name, peer, ours, theirs, rounds, target, memory_target=None):
    for command in (ours, theirs):  # once to fill the caches
        command.run()
    pairs = [(ours.run(), theirs.run()) for _ in range(rounds)]
    our_time, their_time, our_cpu, their_cpu = (statistics.median(run[side][what] for run in pairs) for what in (0, 1) for side in (0, 1))
    memory = max(run[0][2] for run in pairs)
    ratio = our_time / their_time
    return {
        "name": name, "peer": peer, "rounds": rounds, "ours_ms": round(our_time, 2), "peer_ms": round(their_time, 2),
        "ours_cpu_ms": round(our_cpu, 2), "peer_cpu_ms": round(their_cpu, 2), "ratio": round(ratio, 2), "target": target, "memory_bytes": memory, "memory_target": memory_target,
        "met": ratio <= target and (memory_target is None or memory <= memory_target),
    }


class Command:
    """A process to be timed. It has to end well: a hook that finds something does other work than one that does not."""

    def __init__(self, arguments, folder, environment, text=b"", ends=frozenset({0})):
        self.ends = ends
        self.arguments = [str(argument) for argument in arguments]
        self.program = shutil.which(self.arguments[0])
        self.folder, self.environment = folder, environment
        self.input = WORK / "input" / str(id(self))
        self.input.parent.mkdir(exist_ok=True)
        self.input.write_bytes(text)

    def run(self):
        """Milliseconds, milliseconds of processor time, and the most bytes in memory at once."""
        read_end, write_end = os.pipe()
        os.write(write_end, self.input.read_bytes())
        os.close(write_end)
        # The folder is entered before the clock starts; posix_spawn costs the least and the same for both.
        os.chdir(self.folder)
        actions = [(os.POSIX_SPAWN_DUP2, read_end, 0), (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
        actions.append((os.POSIX_SPAWN_OPEN, 2, str(WORK / "errors"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        started = time.perf_counter()
        process = os.posix_spawn(self.program, self.arguments, self.environment, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        elapsed = time.perf_counter() - started
        os.close(read_end)
        if os.waitstatus_to_exitcode(status) not in self.ends:
            sys.exit(f"{' '.join(self.arguments)} ended with {os.waitstatus_to_exitcode(status)}:\n{(WORK / 'errors').read_text()[-1500:]}")
        return elapsed * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def show(results):
    print(f"\n{'':<32} {'leakstop':>10} {'git':>10} {'ratio':>7} {'target':>7} {'memory':>9} {'processor time':>22}")
    for result in results:
        memory = f"{result['memory_bytes'] / 1e6:.0f} MB"
        cpu = f"{result['ours_cpu_ms']:.1f} : {result['peer_cpu_ms']:.1f} ms"
        mark = "" if result["met"] else "  missed"
        print(f"{result['name']:<32} {result['ours_ms']:>7.1f} ms {result['peer_ms']:>7.1f} ms {result['ratio']:>7.2f} {result['target']:>7.1f} {memory:>9} {cpu:>22}{mark}")
    print("\nbeside: " + "; ".join(dict.fromkeys(result["peer"] for result in results)))
    print(f"memory of a push: at most {PUSH_MEMORY / 1e6:.0f} MB")
    return [result for result in results if not result["met"]]


# ---- what it is measured on


class Words:
    """Text like that of a program, the same for the same seed. It names secrets as often as code does, and holds none: of the
    lines of Python's library 3.7 % name a password, a key, a token or the like, of 3,000 files of Rust crates 2.1 %."""

    NAMES = "client config connect count data default entry error event field file filter handle host index item limit line list \
        loader message method name node number object option order output owner page parent path pattern port query reader \
        record request response result root rule score server session setting source state status step stream table target task \
        text time total tree type update user value version view width worker writer".split()
    SECRET_NAMES = "key password secret token".split()
    LINES = [
        "def {0}_{1}({2}, {3}=None):", "    {0} = self.{1}.{2}({3})", "    if {0} is None or {0}.{1} > {n}:", "        raise {C}Error('no {0} for {1}')",
        "    return {0}.{1}[{n}]", "", "    # The {0} of the {1} comes from its {2}, not from the {3}.", "    for {0} in {1}.{2}s():",
        "        self.{0}_{1}.append({2})", "class {C}{D}({D}):", "    '''Keeps the {0} of each {1} until the {2} is done.'''", "import {0}.{1}",
        "    {0}: {1} = {2}({n}, {n})", "",
    ]
    RARE_LINES = [
        "{0}_{1} = os.environ['{U}_{V}']", "    logger.info('{0} %d of %d', {n}, {n})", "    assert {0}.digest == '{h}'",
        "    url = 'https://{0}.example.org/{1}/{2}?{3}={n}'", "    password = settings.read('{0}_{1}')", "    headers['Authorization'] = self.{0}.token()",
    ]

    def __init__(self, seed, secret_names=0.011, rare_lines=0.035):
        self.random = random.Random(seed)
        self.secret_names, self.rare_lines = secret_names, rare_lines

    def pick(self, usual, rare, share):
        return self.random.choice(rare if self.random.random() < share else usual)

    def line(self):
        names = [self.pick(self.NAMES, self.SECRET_NAMES, self.secret_names) for _ in range(4)]
        line = self.pick(self.LINES, self.RARE_LINES, self.rare_lines)
        digest = f"{self.random.getrandbits(160):040x}" if "{h}" in line else ""
        upper = [name.upper() for name in names]
        return line.format(*names, n=self.random.randrange(1000), C=names[0].title(), D=names[1].title(), U=upper[2], V=upper[3], h=digest)

    def text(self, lines):
        return ("\n".join(self.line() for _ in range(lines)) + "\n").encode()


def history(commits):
    """A stream for `git fast-import`: 400 files of 20 to 600 lines; each commit changes a few lines in one to four of them."""
    words = Words(1)
    files = {f"src/{words.random.choice(Words.NAMES)}{at % 20}/file{at:03}.py": words.text(words.random.randrange(20, 600)).decode().split("\n") for at in range(400)}
    paths = list(files)
    for at in range(commits):
        message = f"Change {at}: {words.line().strip()}\n".encode()
        yield b"commit refs/heads/main\ncommitter Ann <ann@example.org> %d +0000\ndata %d\n%s" % (1_600_000_000 + 600 * at, len(message), message)
        for path in paths if at == 0 else words.random.sample(paths, words.random.randrange(1, 5)):
            lines = files[path]
            for _ in range(words.random.randrange(1, 6) if at else 0):
                place = words.random.randrange(len(lines))
                lines[place:place + words.random.randrange(3)] = [words.line() for _ in range(words.random.randrange(1, 4))]
            text = "\n".join(lines).encode()
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text)


def local_history(folder, most=1500, commits=1200):
    """The same of real texts: of each file below the folder a part of its lines is there at first, then commits bring and take some."""
    chance = random.Random(3)
    suffixes = {".py", ".rs", ".c", ".h", ".md", ".toml", ".json"}
    files = [file for file in sorted(folder.rglob("*")) if file.suffix in suffixes and file.is_file() and file.stat().st_size < 200_000]
    texts = {}
    for file in chance.sample(files, min(most, len(files))):
        path, text = str(file.relative_to(folder)).encode(), file.read_bytes()
        if b"\0" not in text and path.isascii() and not set(path) & set(b'" \\\n'):
            texts[path] = text.split(b"\n")
    parts = {path: (len(lines_) // 3, len(lines_)) for path, lines_ in texts.items()}
    paths = sorted(parts)
    for at in range(commits):
        yield b"commit refs/heads/main\ncommitter Ann <ann@example.org> %d +0000\ndata 7\nChange\n" % (1_600_000_000 + 600 * at)
        for path in paths if at == 0 else chance.sample(paths, chance.randrange(1, 12)):
            begin, end = parts[path]
            if chance.random() < 0.7:
                begin = max(0, begin - chance.randrange(9))
            else:
                end = max(begin, end - chance.randrange(9))
            parts[path] = (begin, end)
            text = b"\n".join(texts[path][begin:end])
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(text), text)


# ---- git


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def store(folder, text):
    """The id of a new object with this text."""
    made = subprocess.run(["git", "hash-object", "-w", "--stdin"], cwd=folder, input=text, stdout=subprocess.PIPE, check=True)
    return made.stdout.decode().strip()


def read(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def exec_path():
    return read(WORK, "--exec-path")


def version(program):
    return subprocess.run([str(program), "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


if __name__ == "__main__":
    main()
