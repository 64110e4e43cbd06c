#!/usr/bin/env python3
"""How much memory does a hostile push take, and is a deadline kept? `python3 tests/bench/memory.py [--binary leakstop] [SCENE…]`

Each scene is a bare repository that holds what was pushed and no ref yet. Its pre-receive hook runs three times: alone, while its
anonymous memory is looked at every few milliseconds (mapped packs do not count: they are git's pages), with git as the reader,
and with a deadline in the middle of its time. Exit code 1: it takes more than 100 MB, or it ends more than 100 ms after the deadline.
Only the standard library and git are needed. The repositories are made below target/memory and taken away again; the largest
scenes need 4 GB there.
"""

import argparse
import hashlib
import io
import os
import random
import shutil
import string
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
WORK = TOP / "target" / "memory"

# What is promised.
MEMORY = 100_000_000
LATE = 0.1

PROSE = b"the quick brown fox jumps over the lazy dog, and so on and on and on\n"
COMMIT = b"commit refs/heads/x\ncommitter A <a@example.org> %d +0000\ndata 1\nm\n"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--binary", type=Path, default=TOP / "target/release/leakstop", help="the program to be measured (%(default)s)")
    options.add_argument("scenes", nargs="*", help=", ".join(SCENES))
    options = options.parse_args()
    for name in [name for name in os.environ if name.startswith(("GIT_", "LEAKSTOP_", "XDG_"))]:
        del os.environ[name]
    os.environ.update(GIT_CONFIG_NOSYSTEM="1", HOME=str(WORK))
    missed = 0
    print(f"{'scene':<22} {'reader':<6} {'code':>4} {'seconds':>8} {'anonymous':>10} {'all':>10}   deadline, ended after")
    for name in options.scenes or SCENES:
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        make, code = SCENES[name]
        lines = make()
        for reader in ["git2", "git"]:
            missed += measure(options.binary.resolve(), name, reader, code, lines)
    shutil.rmtree(WORK, ignore_errors=True)
    sys.exit(1 if missed else 0)


def measure(program, name, reader, code, lines):
    """Runs the hook; says whether something promised does not hold."""
    (WORK / "x.git/leakstop.toml").write_text("")
    ended, seconds, anonymous, everything = run(program, reader, lines)
    told, late = "", 0.0
    if seconds > 0.4:
        deadline = int(seconds * 500)
        (WORK / "x.git/leakstop.toml").write_text(f"[limits]\ndeadline_ms = {deadline}\n")
        cut, after, more, _ = run(program, reader, lines)
        anonymous, late = max(anonymous, more), after - deadline / 1000
        told = f"{deadline} ms, {after * 1000:.0f} ms" + ("" if cut == 2 else f", and exit code {cut}")
    bad = ended not in code or anonymous > MEMORY or late > LATE
    print(f"{name:<22} {reader:<6} {ended:>4} {seconds:>8.2f} {anonymous / 1e6:>7.1f} MB {everything / 1e6:>7.1f} MB   {told}{'   MISSED' if bad else ''}", flush=True)
    return bad


def run(program, reader, lines):
    environment = dict(os.environ, GIT_DIR=".")
    with open(WORK / "input", "wb") as file:
        file.write(lines)
    begin = time.monotonic()
    with open(WORK / "input", "rb") as given, open(WORK / "said", "wb") as said:
        child = subprocess.Popen([program, "hook", "pre-receive", "--backend", reader], cwd=WORK / "x.git", env=environment, stdin=given, stderr=said)
    anonymous = everything = 0
    while child.poll() is None:
        try:
            status = Path(f"/proc/{child.pid}/status").read_text()
            values = dict(line.split(":", 1) for line in status.splitlines() if line.startswith(("RssAnon", "VmHWM")))
            anonymous = max(anonymous, int(values["RssAnon"].split()[0]) * 1024)
            everything = max(everything, int(values["VmHWM"].split()[0]) * 1024)
        except (OSError, KeyError, ValueError):
            pass
        time.sleep(0.003)
    return child.returncode, time.monotonic() - begin, anonymous, everything


# ---- scenes: each makes x.git and gives the lines that git would write to the hook


def token(seed):
    """The shape of a GitHub token; whether its check sum is right decides no scene."""
    choose = random.Random(seed)
    return ("ghp" + "_" + "".join(choose.choices(string.ascii_letters + string.digits, k=36))).encode()


def git(*arguments, give=None):
    return subprocess.run(["git", "-C", WORK / "x.git", *arguments], input=give, check=True, stdout=subprocess.PIPE).stdout


def imported(parts, *options):
    """What `git fast-import` makes of the parts; gives the lines for all refs, and takes the refs away."""
    subprocess.run(["git", "init", "-q", "--bare", WORK / "x.git"], check=True)
    child = subprocess.Popen(["git", *options, "-C", WORK / "x.git", "fast-import", "--quiet", "--force"], stdin=subprocess.PIPE)
    for part in parts:
        child.stdin.write(part)
    child.stdin.close()
    assert child.wait() == 0
    return taken()


def taken():
    lines, deletions = b"", b""
    for line in git("for-each-ref", "--format=%(objectname) %(refname)").splitlines():
        lines += b"0" * 40 + b" " + line + b"\n"
        deletions += b"delete " + line.split(b" ", 1)[1] + b"\n"
    git("update-ref", "--stdin", give=deletions)
    return lines


def one_file(name, parts, size):
    yield b"blob\nmark :1\ndata %d\n" % size
    yield from parts
    yield b"\n" + COMMIT % 1700000000 + b"M 100644 :1 " + name + b"\n"


def held(name, content):
    return imported(one_file(name, [content], len(content)))


def long_line():
    choose = random.Random(1)
    words = ["".join(choose.choices(string.ascii_lowercase, k=choose.randint(2, 9))) for _ in range(5000)]
    text = bytearray()
    while len(text) < 100_000_000:
        text += " ".join(choose.choices(words, k=5000)).encode() + b" "
    return held(b"long.txt", bytes(text) + b"key = " + token(1))


def packs_to_little():
    part = PROSE * 10_000
    count = 600_000_000 // len(part)
    return imported(one_file(b"big.txt", (part for _ in range(count)), count * len(part)))


def delta_chain():
    """300 versions of 4 MB, each of them one line away from the one before: 1.2 GB by way of a few MB."""
    choose = random.Random(2)
    lines = [b"line %d of the file: %x\n" % (at, choose.getrandbits(160)) for at in range(65_000)]

    def versions():
        for at in range(300):
            lines[at * 200] = b"changed in version %d: %x\n" % (at, choose.getrandbits(160))
            text = b"".join(lines)
            yield COMMIT % (1700000000 + at) + b"M 100644 inline a.txt\ndata %d\n" % len(text) + text + b"\n"

    subprocess.run(["git", "init", "-q", "--bare", WORK / "x.git"], check=True)
    child = subprocess.Popen(["git", "-C", WORK / "x.git", "fast-import", "--quiet", "--depth=400"], stdin=subprocess.PIPE)
    for part in versions():
        child.stdin.write(part)
    child.stdin.close()
    assert child.wait() == 0
    return taken()


def large_delta():
    """Two versions of 600 MB of which one is kept as its difference from the other."""
    part = PROSE * 10_000
    count = 600_000_000 // len(part)

    def versions():
        for at in range(2):
            yield COMMIT % (1700000000 + at) + b"M 100644 inline a.txt\ndata %d\n" % (count * len(part) + at)
            yield from (part for _ in range(count))
            yield b"." * at + b"\n"

    tip = imported(versions(), "-c", "core.bigFileThreshold=2g").split()[1].decode()
    git("update-ref", "refs/heads/x", tip)
    git("-c", "core.bigFileThreshold=2g", "-c", "pack.threads=1", "repack", "-adfq")
    return taken()


def small_on_huge():
    """A file of a line, kept as its difference from 600 MB that nothing names."""
    line = b"key = sk_" + b"live_" + token(1)[-24:] + b"\n"  # a key of Stripe, which has no check sum
    huge = line + PROSE * (600_000_000 // len(PROSE))
    subprocess.run(["git", "init", "-q", "--bare", WORK / "x.git"], check=True)
    difference = number(len(huge)) + number(len(line)) + bytes([0x90, len(line)])
    whole, distance = entry(3, len(huge)) + zlib.compress(huge, 1), []
    rest = len(whole)
    while not distance or rest:
        rest -= len(distance) > 0
        distance.insert(0, (0x80 if distance else 0) | rest & 0x7F)
        rest >>= 7
    small = entry(6, len(difference)) + bytes(distance) + zlib.compress(difference)
    pack = b"PACK" + (2).to_bytes(4, "big") + (2).to_bytes(4, "big") + whole + small
    git("index-pack", "--stdin", give=pack + hashlib.sha1(pack).digest())
    blob = git("hash-object", "--stdin", give=line).strip().decode()
    return imported([COMMIT % 1700000000 + b"M 100644 " + blob.encode() + b" a.txt\n"])


def number(value):
    """In groups of seven bits, the lowest first."""
    return bytes([0x80 | value & 0x7F]) + number(value >> 7) if value > 0x7F else bytes([value])


def entry(kind, size):
    """The head of an entry of a pack."""
    first = kind << 4 | size & 15
    return bytes([0x80 | first]) + number(size >> 4) if size > 15 else bytes([first])


def million_files():
    def files():
        yield COMMIT % 1700000000
        for at in range(1_000_000):
            text = b"value = %d\n" % at
            yield b"M 100644 inline d%03d/e%02d/file%d.py\ndata %d\n" % (at // 1000, at // 20 % 50, at, len(text)) + text + b"\n"

    return imported(files())


def million_entries_in_one_folder():
    subprocess.run(["git", "init", "-q", "--bare", WORK / "x.git"], check=True)
    blob = git("hash-object", "-w", "--stdin", give=b"x = 1\n").strip()
    tree = git("mktree", give=b"".join(b"100644 blob %s\tf%06d\n" % (blob, at) for at in range(1_000_000))).strip()
    git("update-ref", "refs/heads/x", git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit-tree", "-m", "m", tree.decode()).decode().strip())
    return taken()


def zipped(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return out.getvalue()


def zip_bomb():
    inner = zipped([("zeros", bytes(400 << 20))])
    return held(b"bomb.zip", zipped([(f"{at}.zip", inner) for at in range(30)]))


def zip_of_noise():
    noise = random.Random(3).randbytes(1 << 20)
    return held(b"film.jar", zipped([(f"{at}.bin", random.Random(at).randbytes(1 << 20)) for at in range(40)] + [("a.txt", noise[:10])]))


def zip_of_a_million_names():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for at in range(250_000):
            file.writestr(zipfile.ZipInfo(f"{at}"), b"")
    return held(b"names.zip", out.getvalue())


def refs():
    def commits():
        for at in range(3000):
            text = b"value = %d\n" % at
            yield b"commit refs/heads/b%d\ncommitter A <a@example.org> %d +0000\ndata 1\nm\n" % (at, 1700000000 + at)
            yield b"M 100644 inline f%d.py\ndata %d\n" % (at, len(text)) + text + b"\n"

    return imported(commits())


def many_hits():
    return held(b"hits.txt", b" ".join(token(at) for at in range(200_000)))


def many_short_runs():
    """Each line holds something encoded, and nothing that matters."""
    return held(b"many.txt", b"a=3Db\n" * 2_500_000)


def many_files_with_hits():
    def files():
        yield COMMIT % 1700000000
        for file in range(200):
            text = b"\n".join(token(file * 2000 + at) for at in range(2000))
            yield b"M 100644 inline f%d.txt\ndata %d\n" % (file, len(text)) + text + b"\n"

    return imported(files())


def slow_text():
    return held(b"a.py", b"key='" * 2_000_000)


SCENES = {
    "long_line": (long_line, [0, 1]),
    "packs_to_little": (packs_to_little, [0]),
    "delta_chain": (delta_chain, [0]),
    "large_delta": (large_delta, [0]),
    "small_on_huge": (small_on_huge, [1]),
    "million_files": (million_files, [0]),
    "million_in_one_folder": (million_entries_in_one_folder, [0]),
    "zip_bomb": (zip_bomb, [1]),
    "zip_of_noise": (zip_of_noise, [0]),
    "zip_of_many_names": (zip_of_a_million_names, [1]),
    "refs": (refs, [0]),
    "many_hits": (many_hits, [1]),
    "many_short_runs": (many_short_runs, [0]),
    "many_files_with_hits": (many_files_with_hits, [1]),
    "slow_text": (slow_text, [0, 1]),
}

if __name__ == "__main__":
    main()
