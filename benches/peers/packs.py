"""Asks datatrove's filters and annotc's packs about the same texts, and compares the reasons for which they drop them.

    pip install datatrove spacy pyarrow
    python3 benches/peers/packs.py FILE.jsonl [ANNOTC]

FILE.jsonl holds one object with a `text` on each line; a blank text is left out.
"""

import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import pyarrow.parquet
from datatrove.data import Document
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.filters.c4_filters import C4QualityFilter
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter

FILTERS = {
    "gopher_quality": GopherQualityFilter(),
    "gopher_repetition": GopherRepetitionFilter(),
    "c4": C4QualityFilter(),
    "fineweb": FineWebQualityFilter(),
}

SPEC = """annot 1
source docs { path "docs.jsonl"; license "CC0-1.0"; fields { text: string } }
""" + "".join(
    f"clean k_{name} {{ pack {name} }}\ndataset {name} {{ from docs; clean k_{name}; split train 100%; write jsonl }}\n"
    for name in FILTERS
)


def theirs(name, text):
    """The reason, or None, and the text as the filter leaves it."""
    document = Document(text=text, id="0")
    try:
        result = FILTERS[name].filter(document)
    except ZeroDivisionError:
        return "division by zero", text
    return (result[1] if isinstance(result, tuple) else None), document.text


def main():
    lines = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    annotc = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "target/debug/annotc").resolve()
    texts = [text for text in (json.loads(line)["text"] for line in lines) if text.strip()]
    # Equal texts are one to a set; an annotc record has no number but its line.
    texts = list(dict.fromkeys(texts))
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "docs.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        (work / "spec.annot").write_text(SPEC, encoding="utf-8")
        command = [annotc, "build", "spec.annot", "--cache", work / "cache"]
        subprocess.run(command, cwd=work, check=True, stderr=subprocess.DEVNULL)
        print(f"{len(texts)} texts, {sum(map(len, texts)) / 1e6:.1f} million characters")
        for name in FILTERS:
            audit = pyarrow.parquet.read_table(work / "build" / name / "audit" / "records.parquet").to_pylist()
            ours = {row["line"]: row["rule"] if row["verdict"] == "dropped" else None for row in audit}
            other = {line: theirs(name, text)[0] for line, text in enumerate(texts, 1)}
            same = sum(ours[line] == other[line] for line in other)
            verdict = sum((ours[line] is None) == (other[line] is None) for line in other)
            differ = collections.Counter((other[line], ours[line]) for line in other if ours[line] != other[line])
            print(f"{name}: the same verdict for {verdict}, the same reason for {same}; (theirs, ours): {dict(differ)}")
        kept = [json.loads(line)["text"] for line in (work / "build/c4/jsonl/train.jsonl").read_text().splitlines()]
        left = {text for reason, text in (theirs("c4", text) for text in texts) if reason is None}
        print(f"c4: {sum(text in left for text in kept)} of {len(kept)} kept texts are those that the filter leaves")


main()
