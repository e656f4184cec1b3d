"""Makes tests/fixtures/metrics/classification.json with scikit-learn, the reference for our figures.

    python3 benches/peers/make_metrics.py

A prediction of null is a record that never reached the model: for scikit-learn it is a value of its own that is left
out of `labels`, so that it is a false negative and nobody's false positive.
"""

import json
import pathlib
import random

import sklearn
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support


def case(values, gold, predicted):
    lost = values
    pred = [lost if p is None else p for p in predicted]
    occurring = sorted({v for v in gold + pred if v != lost})

    def average(kind):
        p, r, f, _ = precision_recall_fscore_support(gold, pred, labels=occurring, average=kind, zero_division=0)
        return {"precision": float(p), "recall": float(r), "f1": float(f)}

    every = list(range(values))
    p, r, f, s = precision_recall_fscore_support(gold, pred, labels=every, average=None, zero_division=0)
    return {
        "values": values,
        "gold": gold,
        "predicted": predicted,
        "accuracy": float(accuracy_score(gold, pred)),
        "micro": average("micro"),
        "macro": average("macro"),
        "weighted": average("weighted"),
        "precision": p.tolist(),
        "recall": r.tolist(),
        "f1": f.tolist(),
        "support": s.tolist(),
        "confusion": confusion_matrix(gold, pred, labels=every).tolist(),
    }


def drawn(seed, values, records, right, lost=0.0, used=None):
    rng = random.Random(seed)
    pool = list(range(values)) if used is None else used
    gold = [rng.choice(pool) for _ in range(records)]
    predicted = []
    for value in gold:
        if rng.random() < lost:
            predicted.append(None)
        elif rng.random() < right:
            predicted.append(value)
        else:
            predicted.append(rng.choice(pool))
    return case(values, gold, predicted)


cases = [
    case(3, [0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]),
    case(2, [0, 0, 0, 0], [0, 0, 0, 0]),
    case(4, [0, 0, 1], [3, 0, 1]),
    drawn(1, 5, 200, 0.7),
    drawn(2, 7, 150, 0.5, lost=0.2),
    drawn(3, 9, 60, 0.6, lost=0.1, used=[1, 4, 8]),
    drawn(4, 2, 31, 0.0),
]
out = pathlib.Path(__file__).parents[2] / "tests/fixtures/metrics/classification.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps({"made_with": f"scikit-learn {sklearn.__version__}", "cases": cases}) + "\n")
