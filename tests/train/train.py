#!/usr/bin/env python3
"""Learn src/scan/model.bin from labelled source code, in one command:

  tests/train/train.py CREDDATA CLEAN [--cross]

CREDDATA  the folder of CredData (Samsung/CredData) with `data/` and `meta/`, as its download script makes them
CLEAN     source code without credentials, every binding of which counts as none: the sources of the crates in a local cargo
          registry. Leave out what holds credentials to test a scanner with.
--cross   also measure the whole program, cross-validated: for each of five groups of repositories the model is learned from the
          others, the program built with it, and what it finds in the group counted. Builds six times.

Wants scikit-learn 1.4 or newer and cargo. Each password of CredData is learned once more with a password as people choose them in
its place, because there the true values were replaced by random letters.
"""
import argparse, collections, csv, json, os, random, re, struct, subprocess, sys, tempfile

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MODEL = os.path.join(ROOT, "src", "scan", "model.bin")
LEAF = 255
SETTINGS = dict(max_iter=220, max_leaf_nodes=15, learning_rate=0.08, min_samples_leaf=25, l2_regularization=2.0, random_state=1)

# Categories of CredData that name an id or a public value: lines that are nothing but these are left out.
NO_CREDENTIAL = {
    "UUID", "Salt", "Nonce", "Tencent WeChat API App ID", "Firebase Domain", "AWS S3 Bucket", "Twilio Credentials",
    "Salesforce Credentials", "API", "Dropbox App secret",
}
# So are lines with these and nothing of their own besides.
NO_SECRET, ANY = {"Salt", "Nonce", "Firebase Domain", "AWS S3 Bucket"}, {"Auth", "Key", "Token", "API", "Credential", "AWS Client ID", "AWS Multi"}
# So are keys that what stands before them calls public, public keys of NATS, and arrays of numbers.
PUBLIC = re.compile(r"consumer[ _-]?key|pub(lic)?[_-]?key|key[_-]?id\W|formkey|repo_?key|session_store|cursor|after:", re.I)
NKEY = re.compile(r"[A-RT-Z2-7][A-Z2-7]{55}")
NUMBERS = re.compile(r"[\s0-9a-fA-FxXuUlL(){}\[\]*/+-]*(,[\s0-9a-fA-FxXuUlL(){}\[\]*/+-]*){2,}")


def labels(creddata):
    """(path, line) to "1" for a credential, "-" for a line to leave out, and the categories of each."""
    out, kinds = {}, collections.defaultdict(set)
    for name in sorted(os.listdir(os.path.join(creddata, "meta"))):
        with open(os.path.join(creddata, "meta", name), newline="", encoding="utf8") as f:
            rows = [row for row in csv.DictReader(f) if row["GroundTruth"] == "T"]
        texts = {}
        for row in rows:
            path = row["FilePath"].split("/", 1)[1]
            if path not in texts:
                with open(os.path.join(creddata, "data", path), "rb") as f:
                    texts[path] = f.read().decode("utf8", "replace").split("\n")
            categories, first, last = set(row["Category"].split(":")), int(row["LineStart"]), int(row["LineEnd"])
            is_one = first == last and is_credential(row, categories, texts[path][first - 1])
            for line in range(first, last + 1):
                kinds[path, line] |= categories
                if is_one:
                    out[path, line] = "1"
                out.setdefault((path, line), "-")
    return out, kinds


def is_credential(row, categories, line):
    if categories <= NO_CREDENTIAL or "PEM Private Key" in categories:
        return False
    if categories & NO_SECRET and categories <= NO_SECRET | ANY:
        return False
    start, end = int(row["ValueStart"] or -1), int(row["ValueEnd"] or -1)
    if not 0 <= start < end:
        return True
    if line[:start].endswith("X-Amz-Credential="):
        return False  # the id in a signed URL
    public = "Key" in categories and categories <= {"Key", "Auth"} and PUBLIC.search(line[:start])
    return not (public or NUMBERS.fullmatch(line[start:end]) or NKEY.fullmatch(line[start:end]))


def bindings(folder):
    command = ["cargo", "run", "--quiet", "--release", "--example", "features", folder]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        rows = [json.loads(line) for line in child.stdout]
    if child.returncode:
        sys.exit("the features of %s could not be read" % folder)
    # In the order of the paths, so that the model does not depend on that of the folder.
    return sorted(rows, key=lambda row: (row["path"], row["line"], row["value"]))


class Human:
    """Passwords as people choose them."""

    NAMES = """anna peter maria john lucas emma oliver sofia daniel laura simon alex bella rocky tiger dragon monkey eagle falcon
        summer winter spring autumn monday berlin london paris tokyo texas""".split()
    WALKS = "qwerty asdfgh zxcvbn 1qaz2wsx qazwsx asdf1234 q1w2e3r4".split()
    WEAK = "password secret welcome letmein admin root master".split()
    SIGNS = {"a": "@", "o": "0", "e": "3", "i": "1", "s": "$"}

    def __init__(self):
        self.random = random.Random(5)
        with open(os.path.join(ROOT, "src", "scan", "words.txt")) as f:
            self.words = [word for word in f.read().split() if 4 <= len(word) <= 8]

    def word(self):
        return self.random.choice(self.words if self.random.random() < 0.5 else self.NAMES)

    def signs(self, word):
        return "".join(self.SIGNS.get(c, c) if self.random.random() < 0.5 else c for c in word)

    def make(self):
        choice, kind = self.random.choice, self.random.random()
        if kind < 0.25:
            return self.word().capitalize() + str(choice([1, 12, 123, 2019, 2020, 2023, 2024, 7, 99, 42])) + choice(["", "!", "#", "$", "?"])
        if kind < 0.45:
            return self.word() + choice(["", "-", "_", "."]) + self.word() + str(self.random.randrange(100))
        if kind < 0.6:
            return self.signs(self.word()) + str(self.random.randrange(1000))
        if kind < 0.72:
            return choice(self.NAMES) + choice(self.WALKS)
        if kind < 0.82:
            return self.word() + str(self.random.randrange(10, 9999))
        if kind < 0.9:
            return "-".join(choice(self.words) for _ in range(choice([3, 4])))
        return self.signs(choice(self.WEAK)) + str(self.random.randrange(1, 999)) + choice(["", "!", "@", "#"])


def humans(creddata, rows, truth, kinds):
    """The bindings of a copy of the files in which people's passwords stand where passwords stood."""
    human, places = Human(), collections.defaultdict(list)
    for row in rows:
        at = row["path"], row["line"]
        if truth.get(at) == "1" and "Password" in kinds[at] and 4 <= len(row["value"]) <= 24 and " " not in row["value"]:
            places[row["path"]].append(row)
    changed = set()
    with tempfile.TemporaryDirectory() as copy:
        for path, found in places.items():
            with open(os.path.join(creddata, "data", path), "rb") as f:
                lines = f.read().decode("utf8", "surrogateescape").split("\n")
            for row in found:
                if row["value"] in lines[row["line"] - 1]:
                    lines[row["line"] - 1] = lines[row["line"] - 1].replace(row["value"], human.make())
                    changed.add((path, row["line"]))
            os.makedirs(os.path.dirname(os.path.join(copy, path)), exist_ok=True)
            with open(os.path.join(copy, path), "wb") as f:
                f.write("\n".join(lines).encode("utf8", "surrogateescape"))
        return [row for row in bindings(copy) if (row["path"], row["line"]) in changed]


class Data:
    def __init__(self, creddata, clean):
        truth, kinds = labels(creddata)
        all_rows = bindings(os.path.join(creddata, "data"))
        rows = [row for row in all_rows if truth.get((row["path"], row["line"])) != "-"]
        self.features = table(rows)
        self.truth = np.array([(row["path"], row["line"]) in truth for row in rows])
        self.groups = repositories(rows)
        human = humans(creddata, all_rows, truth, kinds)
        self.human, self.human_groups = table(human), repositories(human)
        self.clean = table(bindings(clean))

    def learn(self, chosen, without=()):
        """From the chosen rows, and from people's passwords in any repository but those left out."""
        human = self.human[~np.isin(self.human_groups, list(without))]
        features = np.vstack([self.features[chosen], human, self.clean])
        truth = np.concatenate([self.truth[chosen], np.ones(len(human), bool), np.zeros(len(self.clean), bool)])
        # A made-up password says a little less than a true one.
        weights = np.concatenate([np.ones(chosen.sum()), np.full(len(human), 0.7), np.ones(len(self.clean))])
        model = HistGradientBoostingClassifier(**SETTINGS)
        return model.fit(features, truth, sample_weight=weights)


def table(rows):
    return np.array([row["features"] for row in rows], dtype=np.float32)


def repositories(rows):
    return np.array([row["path"].split("/")[0] for row in rows])


def write(model, file):
    """The form that src/scan/model.rs describes."""
    trees = [predictors[0].nodes for predictors in model._predictors]
    out = bytearray(struct.pack("<fH", float(model._baseline_prediction.ravel()[0]), len(trees)))
    for nodes in trees:
        out += struct.pack("<B", len(nodes))
        for node in nodes:
            if node["is_leaf"]:
                out += struct.pack("<BfBB", LEAF, node["value"], 0, 0)
            else:
                out += struct.pack("<BfBB", node["feature_idx"], node["num_threshold"], node["left"], node["right"])
    with open(file, "wb") as f:
        f.write(out)


def found(creddata, folders):
    """What the program finds below these folders: rows of (path, first line, last line, blocks)."""
    subprocess.run(["cargo", "build", "--quiet", "--release", "--bin", "leakstop"], cwd=ROOT, check=True)
    binary = os.path.join(os.path.abspath(ROOT), "target", "release", "leakstop")
    command = [binary, "scan", "--no-ignore", "--format", "json", *folders]
    report = subprocess.run(command, cwd=os.path.join(creddata, "data"), stdout=subprocess.PIPE)
    if report.returncode not in (0, 1):
        sys.exit("the scan of %s ended with %d" % (creddata, report.returncode))
    return [
        (f["path"].removeprefix("./"), f["line"] or 1, f["end_line"] or f["line"] or 1, f["verdict"] == "block")
        for f in json.loads(report.stdout)["findings"]
        if f["redacted"] is not None and f["verdict"] != "allow"
    ]


def figures(what, rows, truth):
    for level, chosen in (("block", [row for row in rows if row[3]]), ("block and warn", rows)):
        lines = {(path, line) for path, first, last, _ in chosen for line in range(first, last + 1)}
        right = sum(1 for at, label in truth.items() if label == "1" and at in lines)
        every = sum(1 for label in truth.values() if label == "1")
        wrong = len({row[:2] for row in chosen if not any((row[0], n) in truth for n in range(row[1], row[2] + 1))})
        precision, recall = right / max(1, right + wrong), right / every
        print("%s, %s: precision %.3f, recall %.3f, F1 %.3f" % (what, level, precision, recall, 2 * precision * recall / (precision + recall)))


def cross_validate(data, creddata):
    truth, _ = labels(creddata)
    folders = set(os.listdir(os.path.join(creddata, "data")))
    rows = []
    splits = list(GroupKFold(5).split(data.features, data.truth, data.groups))
    for number, (_, test) in enumerate(splits):
        held = set(data.groups[test])
        write(data.learn(~np.isin(data.groups, list(held)), held), MODEL)
        # Where nothing is bound there is nothing to learn; such folders go with the last group.
        rows += found(creddata, sorted(held if number < len(splits) - 1 else held | folders - set(data.groups)))
    figures("cross-validated", rows, truth)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("creddata")
    parser.add_argument("clean")
    parser.add_argument("--cross", action="store_true")
    arguments = parser.parse_args()
    data = Data(arguments.creddata, arguments.clean)
    print("%d bindings, %d of them credentials, %d repositories" % (len(data.truth), data.truth.sum(), len(set(data.groups))))
    if arguments.cross:
        cross_validate(data, arguments.creddata)
    write(data.learn(np.ones(len(data.truth), bool)), MODEL)
    if arguments.cross:
        figures("learned on the same", found(arguments.creddata, ["."]), labels(arguments.creddata)[0])


if __name__ == "__main__":
    main()
