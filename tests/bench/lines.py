"""What does one thing more cost: a byte, a file, a commit, a ref, a rule? Points of lines that should be straight or flat.

Processor time counts, so that what else the machine does counts for little. `bench` is run.py, which makes repositories and times.
"""

import os
import statistics
import subprocess
import sys

import plots

RULE = """[[rule]]
id = "own-{at}"
title = "A token of team {at}"
risk = "It opens what team {at} has."
fix = "Take it out."
severity = "high"
keywords = ["tk{at}_"]
pattern = '''\\btk{at}_(?<secret>[0-9a-z]{{20}})\\b'''
examples = ["tk{at}_{{loweralnum:20}}"]
"""


def measure(bench, program, commits, folder):
    """Measures all lines and draws each into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, unit, points in [
        ("staged bytes", "MB staged", staged_bytes(bench, program)),
        ("files in the repository", "thousand files, one of them staged", files_in_repository(bench, program)),
        ("commits pushed", "commits", commits_pushed(bench, program, commits)),
        ("refs on the server", "thousand refs, one commit pushed", refs_on_server(bench, program)),
        ("own rules", "rules, one small file staged", own_rules(bench, program)),
    ]:
        line = {"name": name, "unit": unit, "points": [{"x": x, "time": round(cpu, 2), "memory": round(memory / 1e6, 2)} for x, (cpu, memory) in points]}
        line["judged"] = plots.judge(line)
        plots.draw(line, line["judged"], folder / f"{name.replace(' ', '-')}.svg")
        told = ", ".join(f"{point['x']:g}: {point['time']:.1f} ms {point['memory']:.0f} MB" for point in line["points"])
        print(f"{name}: time {line['judged']['time']}, memory {line['judged']['memory']} ({told})", flush=True)
        made.append(line)
    return made


def of_runs(command, rounds=5):
    """Processor time of the middle one, memory of the largest."""
    command.run()
    runs = [command.run() for _ in range(rounds)]
    return statistics.median(run[1] for run in runs), max(run[2] for run in runs)


def at_commit(bench, program, folder, *arguments):
    environment = os.environ | {"GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": "", "GIT_EXEC_PATH": bench.exec_path()}
    return bench.Command([program, *arguments, "hook", "pre-commit"], folder, environment)


def at_push(bench, program, folder, line):
    return bench.Command([program, "hook", "pre-receive"], folder, os.environ | {"GIT_DIR": "."}, line.encode())


def staged_bytes(bench, program):
    folder = bench.WORK / "staged-bytes"
    bench.git(bench.WORK, "init", "-q", str(folder))
    bench.git(folder, "commit", "-q", "--allow-empty", "-m", "base")
    words, files = bench.Words(5), 0
    text = words.text(10_000)
    for megabytes in (1, 5, 10, 20, 40):
        for at in range(files, megabytes * 10):
            begin = (at * 7919) % (len(text) - 100_000)
            (folder / f"file{at:04}.py").write_bytes(text[begin:begin + 100_000])
        files = megabytes * 10
        bench.git(folder, "add", "-A")
        yield megabytes, of_runs(at_commit(bench, program, folder))


def files_in_repository(bench, program):
    for thousands in (1, 10, 25, 50, 100):
        folder = bench.WORK / f"files-{thousands}"
        bench.git(bench.WORK, "init", "-q", str(folder))
        blob = bench.store(folder, b"nothing\n")
        index = "".join(f"100644 {blob}\tmodule{at % 500:03}/part{at // 500 % 20}/file{at:06}.py\n" for at in range(thousands * 1000))
        subprocess.run(["git", "update-index", "--index-info"], cwd=folder, input=index.encode(), check=True)
        bench.git(folder, "commit", "-q", "-m", "base")
        bench.git(folder, "update-index", "--add", "--cacheinfo", f"100644,{bench.store(folder, bench.NEW_FILE)},new.py")
        yield thousands, of_runs(at_commit(bench, program, folder))


def commits_pushed(bench, program, commits):
    folder = bench.WORK / "commits-pushed"
    bench.git(bench.WORK, "init", "-q", "--bare", str(folder))
    writer = subprocess.Popen([sys.executable, bench.__file__, "--print-history", str(commits + 1)], stdout=subprocess.PIPE)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, stdin=writer.stdout, check=True)
    writer.wait()
    bench.git(folder, "repack", "-a", "-d", "-q")
    tip = bench.read(folder, "rev-parse", "main")
    for part in (1, 2, 3, 4):
        base = bench.read(folder, "rev-parse", f"{tip}~{commits * part // 4}")
        bench.git(folder, "update-ref", "refs/heads/main", base)
        yield commits * part // 4, of_runs(at_push(bench, program, folder, f"{base} {tip} refs/heads/main\n"), 3)


def refs_on_server(bench, program):
    folder = bench.WORK / "refs-on-server"
    bench.git(bench.WORK, "init", "-q", "--bare", str(folder))
    blob = bench.store(folder, bench.NEW_FILE)
    made = subprocess.run(["git", "mktree"], cwd=folder, input=f"100644 blob {blob}\ta.py\n".encode(), stdout=subprocess.PIPE, check=True)
    tree = made.stdout.decode().strip()
    base, refs = bench.read(folder, "commit-tree", tree, "-m", "base"), 0
    for thousands in (1, 5, 12, 25, 50):
        # Each ref has a commit of its own, as topics have.
        stream = "".join(
            f"commit refs/heads/topic-{at:06}\ncommitter A <a@example.org> {1_600_000_000 + at} +0000\ndata 1\nc\nfrom {base}\nM 100644 inline a{at % 100}.py\ndata 2\n{at % 10}\n\n"
            for at in range(refs, thousands * 1000))
        subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream.encode(), check=True)
        refs = thousands * 1000
        bench.git(folder, "pack-refs", "--all")
        bench.git(folder, "repack", "-a", "-d", "-q")
        new = bench.read(folder, "commit-tree", tree, "-p", base, "-m", f"new {thousands}")
        yield thousands, of_runs(at_push(bench, program, folder, f"{'0' * 40} {new} refs/heads/new\n"))


def own_rules(bench, program):
    folder = bench.WORK / "own-rules"
    bench.git(bench.WORK, "init", "-q", str(folder))
    (folder / "new.py").write_bytes(bench.NEW_FILE)
    bench.git(folder, "add", "-A")
    for number in (0, 500, 1000, 2500, 5000):
        file = bench.WORK / f"rules-{number}.toml"
        file.write_text("".join(RULE.format(at=at) for at in range(number)))
        yield number, of_runs(at_commit(bench, program, folder, "--config", str(file)))
