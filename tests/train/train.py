#!/usr/bin/env python3
"""Learn src/scan/model.bin from labelled source code.

  cargo run --release --example features FOLDER > rows.jsonl
  train.py rows.jsonl labels.tsv model.bin

labels.tsv holds one line of a file a row: path (as in rows.jsonl), line number, and 1 for a credential, 0 for none, - to leave
the line out. Lines that are not listed count as none. Prints precision and recall, cross-validated over the first folder of the
paths (a repository each), then learns from everything. Wants scikit-learn 1.4 or newer.

The shipped model was learned from the development half of CredData (repositories in which the true values were replaced by
random letters), with a copy of each password line in which a password as people choose them stands instead, and from the source
of the crates in a local cargo registry, every binding of which counts as none.
"""
import json, struct, sys

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

LEAF = 255


def load(rows_file, labels_file):
    labels = {}
    with open(labels_file, encoding="utf8") as f:
        for row in f:
            path, line, label = row.rstrip("\n").split("\t")
            labels[path, int(line)] = label
    features, truth, groups = [], [], []
    with open(rows_file, encoding="utf8") as f:
        for row in map(json.loads, f):
            label = labels.get((row["path"], row["line"]), "0")
            if label != "-":
                features.append(row["features"])
                truth.append(label == "1")
                groups.append(row["path"].split("/")[0])
    return np.array(features, dtype=np.float32), np.array(truth), np.array(groups)


def learn(features, truth):
    model = HistGradientBoostingClassifier(
        max_iter=220, max_leaf_nodes=15, learning_rate=0.08, min_samples_leaf=25, l2_regularization=2.0, random_state=1
    )
    return model.fit(features, truth)


def cross_validate(features, truth, groups):
    chance = np.zeros(len(truth))
    for train, test in GroupKFold(5).split(features, truth, groups):
        chance[test] = learn(features[train], truth[train]).predict_proba(features[test])[:, 1]
    for least in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        chosen = chance >= least
        right = (chosen & truth).sum()
        print("from %.1f on: precision %.3f, recall %.3f" % (least, right / max(1, chosen.sum()), right / truth.sum()))


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


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    features, truth, groups = load(sys.argv[1], sys.argv[2])
    print("%d bindings, %d credentials, %d repositories" % (len(truth), truth.sum(), len(set(groups))))
    cross_validate(features, truth, groups)
    write(learn(features, truth), sys.argv[3])


if __name__ == "__main__":
    main()
