#!/usr/bin/env python3
"""Does the gate last? `python3 tests/bench/endurance.py [--pushes 10000] [--kills 300]`

Four clients at once push to one bare repository behind `git daemon`, again and again; every tenth push holds a secret somewhere.
Each secret has to be refused and all else accepted, while the rate, the memory of the hook, the open files of the server and what is
left in temporary folders stay as they were. Then pushes are cut off: the hook, the client or the server is killed (-9) at a random
moment. After each the repository is sound and no secret can be reached from a ref. The audit is on all the time: it has to verify,
to say of each push what git said, and to show a hook that was killed as unfinished. Exit code 1: something of that does not hold.

Only the standard library and git are needed; Linux, since it looks into /proc. All is made anew below target/endurance.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CLIENTS = 4
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# A planted secret stands in one of these places.
PLACES = ["file", "message", "path", "earlier commit", "tag", "author"]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--binary", type=Path, default=TOP / "target" / "release" / "leakstop", help="the program (%(default)s)")
    options.add_argument("--pushes", type=int, default=10_000, help="how many pushes (%(default)s)")
    options.add_argument("--kills", type=int, default=300, help="how many pushes are cut off (%(default)s)")
    options.add_argument("--minutes", type=float, default=1e9, help="after so long no further pushes; the figures say how many there were")
    options.add_argument("--without-audit", action="store_true", help="to see what the audit costs")
    options.add_argument("--seed", type=int, default=1, help="of what is pushed and killed (%(default)s)")
    options.add_argument("--work", type=Path, default=TOP / "target" / "endurance", help="where (%(default)s)")
    options = options.parse_args()
    scene = Scene(options.work, options.binary.resolve(), not options.without_audit)
    try:
        report = {"began": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())}
        report["pushes"] = endure(scene, options.pushes, options.seed, time.monotonic() + 60 * options.minutes)
        report["kills"] = cut_off(scene, options.kills, options.seed)
        report["at the end"] = scene.whole()
    finally:
        scene.daemon.kill()
        scene.daemon.wait()
    report["wrong"] = scene.wrong
    (options.work / "endurance.json").write_text(json.dumps(report, indent=2) + "\n")
    print(f"\n{len(scene.wrong)} wrong; all figures are in {options.work / 'endurance.json'}")
    for wrong in scene.wrong[:20]:
        print(f"  {wrong}")
    sys.exit(1 if scene.wrong else 0)


# ---- the two halves


def endure(scene, pushes, seed, end):
    """All clients push at once; in between the clock stops and is read."""
    steps = []
    step = max(pushes // 20, CLIENTS)
    clients = [Client(scene, number, seed) for number in range(CLIENTS)]
    done = 0
    while done < pushes and time.monotonic() < end:
        each = min(step, pushes - done) // CLIENTS or 1
        started = time.monotonic()
        together(lambda client: [client.push() for _ in range(each)], clients)
        seconds = time.monotonic() - started
        done += each * CLIENTS
        steps.append({"pushes": done, "a second": round(each * CLIENTS / seconds, 1)} | scene.measured())
        print(" ".join(f"{name} {value};" for name, value in steps[-1].items()), flush=True)
        if scene.audit:
            check_pushes(scene, done)
    # git tidies up beside all this (`gc --auto`), for a while longer than the pushes take.
    for _ in range(1200):
        steps[-1]["processes"] = len(scene.processes())
        if steps[-1]["processes"] == 0:
            break
        time.sleep(0.1)
    for client in clients:
        tip = scene.git("rev-parse", f"refs/heads/client-{client.number}")
        scene.check(tip == client.tip, f"client {client.number} was told that {client.tip} is accepted, and the ref holds {tip}")
    planted, clean = (sum(client.counts[what] for client in clients) for what in ("planted", "clean"))
    first, last = steps[min(1, len(steps) - 1)], steps[-1]
    for what, more in [("hook kB", 1.25), ("daemon files", 1.5), ("daemon kB", 1.5), ("processes", 2)]:
        # A single one more is no growth.
        scene.check(last[what] <= first[what] * more + 2, f"{what} grew from {first[what]} to {last[what]}")
    scene.check(last["temporary"] == 0, f"{last['temporary']} files or folders are left in temporary folders")
    return {"planted, all refused": planted, "clean, all accepted": clean, "steps": steps}


def check_pushes(scene, done):
    """Of each push the audit holds what git said, once."""
    runs = scene.audited()
    told, scene.told = scene.told, {}
    for push, status in told.items():
        known = [run.get("status", "unfinished") for run in runs if run["push"] == push]
        scene.check(known == [status], f"git said of {push} that it is {status}, and the audit says {known}")
    others = [run["push"] for run in runs if run["push"] not in told]
    scene.check(not others, f"the audit tells of {len(others)} pushes that nobody made, {others[:1]}")
    scene.check(scene.stats()["unfinished"] == 0, f"after {done} pushes some are unfinished")


def check_cut_off(scene, client, what, push, moved, code, told, hit_hook):
    """What the audit says of a push that was cut off goes with what git says and with what the repository holds."""
    runs = [run for run in scene.audited() if run["push"] == push]
    scene.check(len(runs) <= 1, f"{what}: the audit holds it {len(runs)} times")
    status = runs[0].get("status", "unfinished") if runs else "never received"
    if moved or code == 0:
        scene.check(status in ("clean", "warned"), f"{what}: it took effect, and the audit says {status}")
    if b"leakstop: blocked" in told:
        scene.check(status == "blocked", f"{what}: it was refused, and the audit says {status}")
    if hit_hook:
        return {"unfinished": "hook: unfinished in the audit", "never received": "hook: killed before its first entry"}.get(status, "hook: killed after its verdict was written")
    return f"others: {status} in the audit"


def cut_off(scene, kills, seed):
    """One push after the other is cut off. What the client hears may be anything; what the repository holds may not."""
    chance = random.Random(seed + 1000)
    client = Client(scene, 100, seed)
    client.push(planted=None)
    audit = {}
    counts = {"hook": 0, "client": 0, "server": 0, "came too late": 0, "took effect": 0}
    lengths = [client.timed() for _ in range(3)]
    length = sorted(lengths)[1]
    if scene.audit:
        scene.audited()
    unfinished = 0
    for at in range(kills):
        victim = chance.choice(["hook", "client", "server"])
        place = chance.choice(PLACES) if chance.random() < 0.5 else None
        commit, ref, _ = client.make(place, lines=4000)
        before = scene.refs()
        process = client.start(commit, ref)
        hit = kill(scene, victim, process, chance.random() * length)
        told = process.communicate()[1]
        scene.is_idle()
        counts[victim if hit else "came too late"] += 1
        after = scene.refs()
        moved = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        scene.check(moved <= {ref}, f"kill {at} of the {victim}: refs {moved} moved")
        scene.check(not (place and moved), f"kill {at} of the {victim}: {ref} holds a secret ({place})")
        if moved:
            counts["took effect"] += 1
            client.tip = commit if ref.startswith("refs/heads/") else client.tip
        if scene.audit:
            push = (ref, commit)
            happened = check_cut_off(scene, client, f"kill {at} of the {victim}", push, moved, process.returncode, told, hit and victim == "hook")
            audit[happened] = audit.get(happened, 0) + 1
            unfinished += "unfinished" in happened
        sound = scene.fsck("--connectivity-only")
        scene.check(not sound, f"kill {at} of the {victim}: git fsck says {sound}")
        if at % 50 == 49:
            print(f"{at + 1} cut off: {counts}", flush=True)
    client.push(planted=None)
    client.push(planted="file")
    if scene.audit:
        scene.audited()
        stats = scene.stats()
        scene.check(stats["unfinished"] == unfinished, f"`audit stats` counts {stats['unfinished']} as unfinished, and {unfinished} were seen")
        counts["audit"] = audit | {"stats": stats}
    return counts


def together(what, clients):
    problems = []

    def run(client):
        try:
            what(client)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def kill(scene, victim, client, delay):
    """Ends one process some time after the push began, or after its victim did, without a chance to clean up. False when it was gone."""
    if victim == "client":
        time.sleep(delay)
        hit = client.poll() is None
        client.kill()
        return hit
    wanted = {"hook": lambda name, words: name == scene.program.name[:15], "server": lambda name, words: b"receive-pack" in words}[victim]
    found = lambda: [pid for pid, name, words in scene.processes() if wanted(name, words)]
    while client.poll() is None and not found():
        time.sleep(0.001)
    time.sleep(delay / (3 if victim == "hook" else 1))
    hit = False
    for pid in found():
        try:
            os.kill(pid, signal.SIGKILL)
            hit = True
        except ProcessLookupError:
            pass
    return hit


# ---- who takes part


class Scene:
    """The server's side, and what is wrong with it."""

    def __init__(self, work, program, audited):
        shutil.rmtree(work, ignore_errors=True)
        self.program = program
        self.work, self.server, self.temporary = work, work / "server.git", work / "tmp"
        self.temporary.mkdir(parents=True)
        self.wrong, self.secrets, self.lock = [], [], threading.Lock()
        for name in [name for name in os.environ if name.startswith(("GIT_", "LEAKSTOP_", "XDG_"))]:
            del os.environ[name]
        home = work / "home"
        home.mkdir()
        (home / ".gitconfig").write_text("[user]\n name = Ann\n email = ann@example.org\n[init]\n defaultBranch = main\n[safe]\n directory = *\n")
        os.environ.update(HOME=str(home), GIT_CONFIG_NOSYSTEM="1", LC_ALL="C", TMPDIR=str(self.temporary))
        subprocess.run(["git", "init", "-q", "--bare", str(self.server)], check=True)
        subprocess.run([str(program), "install", "--server", str(self.server)], check=True, stdout=subprocess.DEVNULL)
        self.audit, self.audit_read, self.runs, self.told = None, 0, {}, {}
        if audited:
            self.audit = work / "audit.jsonl"
            (self.server / "leakstop.toml").write_text(f'[audit]\nfile = "{self.audit}"\n')
        hook = self.server / "hooks" / "pre-receive"
        # What the hook needs is written down by a program that waits for it.
        self.memory = work / "memory"
        installed = work / "installed" / "pre-receive"  # it goes by its name
        installed.parent.mkdir()
        shutil.copy(hook, installed)
        timer = shutil.which("time") or sys.exit("this needs the program `time` (Debian: apt-get install time)")
        hook.write_text(f"#!/bin/sh\nexec {timer} -q -a -o '{self.memory}' -f '%M %e' '{installed}' \"$@\"\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # Not by way of `git`, which would start it as a child.
        daemon = Path(subprocess.run(["git", "--exec-path"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()) / "git-daemon"
        serve = [str(daemon), "--listen=127.0.0.1", f"--port={self.port}", "--export-all", "--enable=receive-pack", "--reuseaddr",
                 f"--base-path={work}", "--max-connections=64", str(self.server)]
        self.daemon = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=open(work / "daemon.log", "wb"))
        time.sleep(0.5)

    def git(self, *arguments):
        made = subprocess.run(["git", *arguments], cwd=self.server, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return made.stdout.strip()

    def check(self, holds, otherwise):
        if not holds:
            with self.lock:
                self.wrong.append(otherwise)
            print(f"WRONG: {otherwise}", flush=True)

    def audited(self):
        """The runs of which entries were written since the last call; the chain has to hold."""
        verify = subprocess.run([str(self.program), "audit", "verify", str(self.audit)], capture_output=True, text=True)
        self.check(verify.returncode == 0, f"`audit verify` ended with {verify.returncode}: {verify.stdout[-500:]}{verify.stderr[-500:]}")
        with self.audit.open("rb") as file:
            file.seek(self.audit_read)
            new = file.read()
        new = new[:new.rfind(b"\n") + 1]
        self.audit_read += len(new)
        changed = {}
        self.check(not any(secret.encode() in new for secret in self.secrets), "the audit holds a secret")
        for line in new.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # torn by a kill, which `verify` has told from one that was altered
            if entry["event"] == "received":
                [moved] = entry["refs"]
                self.runs[entry["seq"]] = changed[entry["seq"]] = {"push": (moved["name"], moved["new"])}
            else:
                run = changed[entry["of"]] = self.runs[entry["of"]]
                run["status"] = entry.get("status", "failed")
        return list(changed.values())

    def stats(self):
        stats = subprocess.run([str(self.program), "audit", "stats", str(self.audit), "--format", "json"], capture_output=True, text=True)
        self.check(stats.returncode == 0, f"`audit stats` ended with {stats.returncode}: {stats.stderr[-500:]}")
        return json.loads(stats.stdout)["stats"]

    def refs(self):
        return dict(line.split()[::-1] for line in self.git("for-each-ref", "--format=%(objectname) %(refname)").splitlines())

    def fsck(self, *arguments):
        made = subprocess.run(["git", "fsck", "--no-dangling", "--no-progress", *arguments], cwd=self.server, capture_output=True, text=True)
        lines = [line for line in (made.stdout + made.stderr).splitlines() if not line.startswith(("dangling", "unreachable", "notice"))]
        return "; ".join(lines[:3]) or (f"exit code {made.returncode}" if made.returncode else "")

    def processes(self):
        """All that belong to the server: id, name, words of the command."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    if os.readlink(folder / "cwd").startswith(str(self.server)):
                        found.append((int(folder.name), (folder / "comm").read_text().strip(), (folder / "cmdline").read_bytes()))
                except OSError:
                    pass  # it has ended
        return found

    def is_idle(self):
        """Waits for the end of all that a push began. git may tidy up for long after one (`gc --auto`), which is no push."""
        began = [b"receive-pack", b"index-pack", b"unpack-objects", b"rev-list"]
        for _ in range(4000):
            if not [pid for pid, name, words in self.processes() if name == self.program.name[:15] or any(word in words for word in began)]:
                return
            time.sleep(0.005)
        self.check(False, "processes of a push did not end within 20 s")

    def measured(self):
        """Growth would show here."""
        self.is_idle()
        lines = self.memory.read_text().split("\n")[:-1] if self.memory.exists() else []
        self.memory.write_text("")
        used = [line.split() for line in lines if len(line.split()) == 2]
        status = Path(f"/proc/{self.daemon.pid}/status").read_text()
        resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
        ours = [path for path in self.temporary.iterdir()] + [path for path in self.server.glob("objects/*tmp*")] + [path for path in self.server.glob("objects/*incoming*")]
        return {
            "hook kB": max((int(kilobytes) for kilobytes, _ in used), default=0),
            "hook ms": round(1000 * sum(float(seconds) for _, seconds in used) / max(len(used), 1), 1),
            "daemon kB": int(resident), "daemon files": len(os.listdir(f"/proc/{self.daemon.pid}/fd")), "processes": len(self.processes()), "temporary": len(ours),
        }

    def whole(self):
        """Everything that refs reach, looked through for each secret that was ever pushed."""
        self.is_idle()
        told = self.fsck("--full")
        self.check(not told, f"git fsck --full says {told}")
        reach = f"git rev-list --objects --no-object-names --all | git cat-file --batch --buffer > '{self.work}/reached'; git for-each-ref >> '{self.work}/reached'"
        subprocess.run(["sh", "-c", reach], cwd=self.server, check=True)
        reached = (self.work / "reached").read_bytes()
        known = [secret for secret in self.secrets if secret.encode() in reached]
        self.check(not known, f"{len(known)} secrets can be reached")
        (self.work / "reached").unlink()
        objects = dict(line.split(": ") for line in self.git("count-objects", "-v").splitlines())
        return {"secrets": len(self.secrets), "reached": len(known), "bytes": len(reached), "objects": objects, "refs": len(self.refs()), "fsck": told or "sound"}


class Client:
    """Makes commits without a git process, and pushes them with one."""

    def __init__(self, scene, number, seed):
        self.scene, self.number, self.random = scene, number, random.Random(seed * 1000 + number)
        self.folder = scene.work / f"client-{number}.git"
        subprocess.run(["git", "init", "-q", "--bare", str(self.folder)], check=True)
        (self.folder / "config").open("a").write("[gc]\n auto = 0\n[push]\n default = nothing\n")
        self.address = f"git://127.0.0.1:{scene.port}/server.git"
        self.tip, self.files, self.made = None, {}, 0
        self.counts = {"planted": 0, "clean": 0}

    def push(self, planted=...):
        if planted is ...:
            planted = self.random.choice(PLACES) if self.random.random() < 0.1 else None
        commit, ref, kept = self.make(planted, lines=self.random.randrange(5, 200))
        process = self.start(commit, ref)
        told = process.communicate()[1].decode(errors="replace")
        accepted = process.returncode == 0
        with self.scene.lock:
            self.scene.told[ref, commit] = "clean" if accepted else "blocked"
        if planted:
            self.counts["planted"] += 1
            self.scene.check(not accepted, f"a secret in a {planted} was accepted as {ref}")
            self.scene.check("leakstop: blocked" in told, f"a secret in a {planted} was not refused by leakstop: {told[-300:]}")
        else:
            self.counts["clean"] += 1
            self.scene.check(accepted, f"a clean push was refused: {told[-600:]}")
            if accepted and ref.startswith("refs/heads/client-"):
                self.tip, self.files = commit, kept

    def timed(self):
        commit, ref, kept = self.make(None, lines=4000)
        started = time.monotonic()
        self.start(commit, ref).communicate()
        if ref.startswith("refs/heads/client-"):
            self.tip, self.files = commit, kept
        return time.monotonic() - started

    def start(self, commit, ref):
        push = ["git", "push", "-q", self.address, f"+{commit}:{ref}"]
        return subprocess.Popen(push, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def make(self, planted, lines):
        """A commit (or two, or a tag), the ref it goes to, and the files it leaves."""
        self.made += 1
        ref, files, secret = f"refs/heads/client-{self.number}", dict(self.files), self.secret() if planted else ""
        if planted and planted != "tag" and self.random.random() < 0.2:
            ref = f"refs/heads/try-{self.number}-{self.made}"
        text = "".join(f"value_{at} = {self.random.randrange(10**9)}\n" for at in range(lines))
        name = f"file{self.random.randrange(40):02}.py"
        parent = self.tip
        if planted == "earlier commit":
            parent = self.commit(files | {name: self.store("blob", f"key = '{secret}'\n{text}")}, parent, "Try")
        files[name] = self.store("blob", f"key = '{secret}'\n{text}" if planted == "file" else text)
        kept = dict(files)
        if planted == "path":
            files[f"{secret}.txt"] = files[name]
        author = f"Ann <{secret}@example.org>" if planted == "author" else "Ann <ann@example.org>"
        message = f"Change {self.made}\n\nThe key is {secret}" if planted == "message" else f"Change {self.made}"
        commit = self.commit(files, parent, message, author)
        if planted == "tag":
            ref = f"refs/tags/{self.number}-{self.made}"
            text = f"object {commit}\ntype commit\ntag {self.made}\ntagger Ann <ann@example.org> 1700000000 +0000\n\nThe key is {secret}\n"
            commit = self.store("tag", text)
        return commit, ref, kept

    def commit(self, files, parent, message, author="Ann <ann@example.org>"):
        entries = b"".join(b"100644 " + name.encode() + b"\0" + bytes.fromhex(files[name]) for name in sorted(files))
        tree = self.store("tree", entries)
        parents = f"parent {parent}\n" if parent else ""
        when = 1_700_000_000 + self.made
        return self.store("commit", f"tree {tree}\n{parents}author {author} {when} +0000\ncommitter Ann <ann@example.org> {when} +0000\n\n{message}\n")

    def store(self, kind, content):
        content = content.encode() if isinstance(content, str) else content
        whole = b"%s %d\0" % (kind.encode(), len(content)) + content
        name = hashlib.sha1(whole).hexdigest()
        file = self.folder / "objects" / name[:2] / name[2:]
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(whole, 1))
        return name

    def secret(self):
        """A GitHub token with a right checksum."""
        entropy = "".join(self.random.choice(LETTERS) for _ in range(30))
        rest, check = zlib.crc32(entropy.encode()), ""
        while rest:
            rest, digit = divmod(rest, 62)
            check = LETTERS[digit] + check
        secret = "ghp_" + entropy + check.rjust(6, "0")
        with self.scene.lock:
            self.scene.secrets.append(secret)
        return secret


if __name__ == "__main__":
    main()
