"""Makes the fixtures under tests/fixtures/metrics/ with the libraries that our figures must equal.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install scikit-learn seqeval sacrebleu rouge-score scipy
    /tmp/peers/bin/python benches/peers/make_metrics.py

Each file says which version of which library made it. A prediction of null is a record that never reached the model: for
scikit-learn it is a value of its own that is left out of `labels`, so that it is a false negative and nobody's false
positive.
"""

import json
import pathlib
import random
import re
import string
import warnings

import numpy
import sacrebleu
import scipy
import sklearn
from rouge_score import rouge_scorer
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from scipy import stats
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as default_spans
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_spans
from seqeval.scheme import IOB2, IOBES
from sklearn import metrics
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

FOLDER = pathlib.Path(__file__).parents[2] / "tests/fixtures/metrics"


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


def classification():
    cases = [
        case(3, [0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]),
        case(2, [0, 0, 0, 0], [0, 0, 0, 0]),
        case(4, [0, 0, 1], [3, 0, 1]),
        drawn(1, 5, 200, 0.7),
        drawn(2, 7, 150, 0.5, lost=0.2),
        drawn(3, 9, 60, 0.6, lost=0.1, used=[1, 4, 8]),
        drawn(4, 2, 31, 0.0),
    ]
    write("classification", f"scikit-learn {sklearn.__version__}", cases)


def multi_label():
    def one(values, gold, predicted):
        def matrix(rows):
            return numpy.array([[int(value in row) for value in range(values)] for row in rows])

        true, pred = matrix(gold), matrix(predicted)
        report = metrics.classification_report(true, pred, output_dict=True, zero_division=0)

        def scores(row):
            return {"precision": row["precision"], "recall": row["recall"], "f1": row["f1-score"]}

        jaccard = {
            kind: float(metrics.jaccard_score(true, pred, average=kind, zero_division=0))
            for kind in ["micro", "macro", "weighted", "samples"]
        }
        return {
            "values": values,
            "gold": gold,
            "predicted": predicted,
            "each": [scores(report[str(value)]) for value in range(values)],
            "support": [int(report[str(value)]["support"]) for value in range(values)],
            **{kind: scores(report[f"{kind} avg"]) for kind in ["micro", "macro", "weighted", "samples"]},
            "subset_accuracy": float(accuracy_score(true, pred)),
            "hamming_loss": float(metrics.hamming_loss(true, pred)),
            "jaccard": jaccard,
        }

    rng = random.Random(5)

    def row(share):
        return [value for value in range(6) if rng.random() < share]

    cases = [
        one(3, [[0, 1], [2], [], [1]], [[0], [2, 1], [], []]),
        one(4, [[0], [0, 1], [3]], [[0], [1], [0]]),
        one(2, [[], []], [[], [1]]),
        one(6, [row(0.3) for _ in range(40)], [row(0.3) for _ in range(40)]),
    ]
    write("multi_label", f"scikit-learn {sklearn.__version__}", cases)


def spans():
    def figures(function, gold, predicted, **more):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            p, r, f, s = function(gold, predicted, average=None, zero_division=0, **more)
            averages = {}
            for kind in ["micro", "macro", "weighted"]:
                precision, recall, f1, _ = function(gold, predicted, average=kind, zero_division=0, **more)
                averages[kind] = {"precision": float(precision), "recall": float(recall), "f1": float(f1)}
        each = zip(p.tolist(), r.tolist(), f.tolist(), s.tolist())
        each = [{"precision": p, "recall": r, "f1": f, "support": int(s)} for p, r, f, s in each]
        return {"each": each, **averages}

    def one(scheme, gold, predicted):
        gold, predicted = ([sentence.split() for sentence in side] for side in (gold, predicted))
        return {
            "scheme": "iob2" if scheme is IOB2 else "iobes",
            "gold": gold,
            "predicted": predicted,
            "default": figures(default_spans, gold, predicted),
            "strict": figures(strict_spans, gold, predicted, scheme=scheme),
        }

    def tags(rng, prefixes):
        kinds = ["PER", "ORG", "creative-work"]
        return " ".join(rng.choice(["O", "O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in kinds)]) for _ in range(9))

    def sentence(rng):
        """Tags that keep to IOB2, as those of true spans do."""
        tags = []
        while len(tags) < 9:
            kind, length = rng.choice(["O", "PER", "ORG", "creative-work"]), rng.randint(1, 3)
            tags += [kind] if kind == "O" else [f"B-{kind}", *[f"I-{kind}"] * (length - 1)]
        return tags[:9]

    def misread(rng, tags):
        """The same tags, of which a model writes some as others: often a word that begins a span as one that goes on."""
        def one(tag):
            return tag.replace("B-", "I-") if rng.random() < 0.4 else rng.choice([tag, tag, tag, "O", "I-PER", "B-ORG"])

        return [one(tag) for tag in tags]

    def pair(seed):
        rng = random.Random(seed)
        gold = [sentence(rng) for _ in range(14)]
        return [[" ".join(tags) for tags in side] for side in (gold, [misread(rng, tags) for tags in gold])]

    rng = random.Random(11)
    cases = [
        one(IOB2, ["B-PER I-PER O B-LOC"], ["B-PER I-PER O B-LOC"]),
        # An entity at the end of a sentence and one at the start of the next; I- without B-; a kind never predicted.
        one(IOB2, ["O B-PER", "B-PER I-PER O", "B-ORG O O"], ["O I-PER", "I-PER I-PER O", "O O O"]),
        one(IOB2, ["B-A B-A I-A O", "B-A I-B O O"], ["B-A I-A I-A O", "B-A I-B I-B O"]),
        one(IOB2, ["B I O B"], ["B O O B"]),
        one(IOB2, ["B-PER O"], ["O O"]),
        one(IOBES, ["B-PER E-PER O S-LOC", "S-ORG B-PER I-PER E-PER"], ["B-PER E-PER O B-LOC", "S-ORG I-PER I-PER E-PER"]),
        one(IOBES, ["S-A S-A O", "B-A I-A E-A"], ["S-A E-A O", "B-A I-A I-A"]),
        one(IOB2, [tags(rng, "BI") for _ in range(12)], [tags(rng, "BI") for _ in range(12)]),
        one(IOBES, [tags(rng, "BIES") for _ in range(12)], [tags(rng, "BIES") for _ in range(12)]),
        # True spans keep to the scheme, predicted tags do not: what the evaluation of a tagger meets.
        one(IOB2, ["B-PER I-PER O B-PER"], ["B-PER I-PER O I-PER"]),
        one(IOB2, *pair(17)),
        one(IOB2, *pair(18)),
    ]
    write("spans", "seqeval 1.2.2", cases)


def regression():
    def one(gold, predicted):
        constant = len(set(gold)) == 1 or len(set(predicted)) == 1
        return {
            "gold": gold,
            "predicted": predicted,
            "mae": float(metrics.mean_absolute_error(gold, predicted)),
            "mse": float(metrics.mean_squared_error(gold, predicted)),
            "rmse": float(metrics.root_mean_squared_error(gold, predicted)),
            "r2": float(metrics.r2_score(gold, predicted)) if len(gold) > 1 else None,
            "pearson": None if constant else float(stats.pearsonr(gold, predicted).statistic),
            "spearman": None if constant else float(stats.spearmanr(gold, predicted).statistic),
        }

    rng = random.Random(3)
    gold = [round(rng.gauss(0, 2), 3) for _ in range(40)]
    cases = [
        one([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 2.5, 5.0]),
        one([1.0, 2.0, 2.0, 3.0, 3.0, 3.0], [2.0, 2.0, 1.0, 3.0, 5.0, 3.0]),
        one([2.0, 2.0, 2.0], [1.0, 2.0, 4.0]),
        one([2.0, 2.0], [2.0, 2.0]),
        one([3.0], [1.0]),
        one([1e6, 1e6 + 1, 1e6 + 2], [1e6 + 2, 1e6 + 1, 1e6]),
        one(gold, [round(value + rng.gauss(0, 1), 3) for value in gold]),
    ]
    write("regression", f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}", cases)


# Written for the project: a prediction and its references.
TEXTS = [
    ("The chain of the bicycle was replaced.", ["The chain of the bicycle was replaced."]),
    ("We replaced the chain, and the brakes (both) too.", ["We have replaced the chain and both brakes."]),
    ("", ["There is no answer."]),
    ("An answer to nothing", [""]),
    ("", [""]),
    ("Yes", ["Yes"]),
    ("yes, it does", ["No, it does not"]),
    ("Die Gangschaltung läuft wieder – für 1.250,50 € & mehr!", ["Die Gangschaltung läuft wieder für 1.250,50 €."]),
    ("自転車は直りました。", ["自転車が直りました。"]),
    ("It costs 3.50-4.00, i.e. less than 5% of $100.", ["It costs 3.50 - 4.00, that is less than 5 % of 100 $."]),
    ("a &quot;quoted&quot; word &amp; a tag &lt;b&gt;", ['a "quoted" word & a tag <b>']),
    ("the the the the", ["the cat the dog"]),
    ("(brackets) [and] more...  spaces\there ", ["(brackets) [and] more… spaces here"]),
    ("one line\nanother line\n", ["another line\none line"]),
    ("The wheel is true.\nThe tyre is new.\n\nThe bill is paid.", ["The tyre is new.\nThe wheel was trued.\nThe bill is paid."]),
    ("She rode home on the repaired bike.", ["She rode the repaired bike home.", "On the repaired bike she rode home."]),
    ("Ready on Friday 😀!", ["Ready on Friday 😀!"]),
    ("x", ["y"]),
]


def generation():
    bleu = sacrebleu.BLEU()
    chrf, chrf_plus_plus = sacrebleu.CHRF(), sacrebleu.CHRF(word_order=2)
    tokenizer = Tokenizer13a()
    kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = rouge_scorer.RougeScorer(kinds, use_stemmer=False)
    cases = []
    for prediction, references in TEXTS:
        rouge = scorer.score_multi(references, prediction)
        cases.append(
            {
                "prediction": prediction,
                "references": references,
                "tokens": tokenizer(prediction.rstrip()).split(),
                "bleu": sacrebleu.sentence_bleu(prediction, references).score,
                "chrf": chrf.sentence_score(prediction, references).score,
                "chrf_plus_plus": chrf_plus_plus.sentence_score(prediction, references).score,
                "rouge": {kind: list(map(float, rouge[kind])) for kind in kinds},
                "squad_exact_match": any(squad(prediction) == squad(reference) for reference in references),
            }
        )

    def corpus(of):
        predictions = [prediction for prediction, _ in of]
        most = max(len(references) for _, references in of)
        references = [[refs[at] if at < len(refs) else None for _, refs in of] for at in range(most)]
        return {
            "records": [TEXTS.index(text) for text in of],
            "bleu": bleu.corpus_score(predictions, references).score,
            "chrf": chrf.corpus_score(predictions, references).score,
            "chrf_plus_plus": chrf_plus_plus.corpus_score(predictions, references).score,
        }

    groups = [corpus(TEXTS), corpus(TEXTS[:3]), corpus(TEXTS[5:6]), corpus([TEXTS[2], TEXTS[4]]), corpus(TEXTS[17:])]
    squads = [
        ("The Cat's  a-mat, an ark!", squad("The Cat's  a-mat, an ark!")),
        ("ÜBER the_a «an» A", squad("ÜBER the_a «an» A")),
        ("a\u0301 tha\tthe\u00a0an", squad("a\u0301 tha\tthe\u00a0an")),
        ("...", squad("...")),
    ]
    made_with = f"sacrebleu {sacrebleu.__version__}, rouge-score 0.1.2, SQuAD 1.1's normalization"
    write("generation", made_with, cases, corpora=groups, normalized=squads)


def squad(text):
    """`normalize_answer` of SQuAD 1.1's official evaluation script."""
    text = "".join(character for character in text.lower() if character not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def calibration():
    """Guo et al. 2017 over equal-width bins (low, high]; no library of ours has it, so numpy counts it bin by bin."""

    def one(confidences, right, bins=15):
        confidence, correct = numpy.array(confidences), numpy.array(right, dtype=float)
        edges = numpy.arange(bins + 1) / bins
        total = 0.0
        for at in range(bins):
            low, high = edges[at], edges[at + 1]
            inside = (confidence > low) & (confidence <= high)
            if at == 0:
                inside |= confidence == 0
            if inside.any():
                total += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
        return {"confidence": confidences, "right": right, "ece": float(total)}

    rng = random.Random(9)
    drawn = [round(rng.random(), 4) for _ in range(120)]
    cases = [
        one([0.9, 0.8, 0.6, 0.95], [True, True, False, True]),
        one([0.0, 1.0, 0.2, 0.4, 0.8], [False, True, True, False, True]),
        one(drawn, [rng.random() < value * 0.8 for value in drawn]),
    ]
    write("calibration", f"numpy {numpy.__version__}", cases)


def comparison():
    pairs = [(0, 0), (1, 0), (0, 6), (5, 5), (3, 12), (40, 65), (700, 612), (9000, 8700)]
    cases = []
    for only_first, only_second in pairs:
        n = only_first + only_second
        p = stats.binomtest(only_first, n, 0.5).pvalue if n else 1.0
        cases.append({"only_first": only_first, "only_second": only_second, "p": float(p)})
    values = [3.0, 1.0, 2.5, 7.0, 7.0, -2.0, 0.25]
    shares = [0.0, 0.025, 0.1, 0.5, 0.9, 0.975, 1.0]
    percentiles = {"values": values, "shares": shares, "expected": numpy.quantile(values, shares).tolist()}
    write("comparison", f"scipy {scipy.__version__}, numpy {numpy.__version__}", cases, percentiles=percentiles)


def write(name, made_with, cases, **more):
    FOLDER.mkdir(parents=True, exist_ok=True)
    content = {"made_with": made_with, "cases": cases, **more}
    text = json.dumps(content, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    classification()
    multi_label()
    spans()
    regression()
    generation()
    calibration()
    comparison()
