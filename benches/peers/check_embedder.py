"""Trains an embedder with annotc and loads the folder with sentence-transformers, on the ONNX graph that annotc wrote.

    python benches/peers/check_embedder.py target/debug/annotc MODEL     # with sentence-transformers, optimum-onnx, onnxruntime

MODEL is an encoder's folder as Optimum exports it, or `new` for one that annotc makes. The vectors are compared with those that `annotc predict`
prints. Texts are written for this script.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
from sentence_transformers import SentenceTransformer

SPEC = """annot 1
source faq {{ path "faq.jsonl"; license "CC0-1.0"; fields {{ question: string; answer: string }} }}
template pair: completion {{ prompt "{{{{ question }}}}"; completion "{{{{ answer }}}}" }}
dataset desk {{ from faq; split train 100%; write jsonl }}
model base {{ {model}; pooling {pooling} }}
train finder {{
  model  base
  data   desk
  task   embed from pair
  length 32 tokens
  steps  6
  batch  16
  rate   1e-4
}}
"""

TEXTS = ["Who has a red cat?", "The red one of cat owners", "Wer hat eine grüne Henne?", "x"]


def pair(at):
    thing, colour = ["cat", "dog", "cow", "hen"][at % 4], ["red", "blue", "green", "black", "white"][at // 4 % 5]
    return {"question": f"Who has a {colour} {thing}?", "answer": f"The {colour} one of {thing} owners"}


def main(annotc, model):
    annotc = str(pathlib.Path(annotc).resolve())
    source = "new encoder { layers 1; hidden 32; heads 2; vocab 200 }" if model == "new" else f'onnx "{pathlib.Path(model).resolve()}"'
    for pooling in ("mean", "cls"):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "desk.annot").write_text(SPEC.format(model=source, pooling=pooling))
            (folder / "faq.jsonl").write_text("".join(json.dumps(pair(at)) + "\n" for at in range(80)))
            subprocess.run([annotc, "build", "desk.annot", "--jobs", "1"], cwd=folder, check=True, capture_output=True)
            texts = [part for text in TEXTS for part in ("--text", text)]
            told = subprocess.run([annotc, "predict", "build/finder", *texts], cwd=folder, check=True, capture_output=True)
            ours = numpy.array([json.loads(line)["vector"] for line in told.stdout.decode().splitlines()])
            library = SentenceTransformer(
                str(folder / "build/finder"), backend="onnx", local_files_only=True,
                model_kwargs={"provider": "CPUExecutionProvider", "file_name": "model.onnx", "export": False},
            )
            theirs = library.encode(TEXTS)
            difference = float(numpy.abs(ours - theirs).max())
            print(f"{pooling}: {ours.shape[1]} numbers, largest difference {difference:.1e}")
            assert ours.shape == theirs.shape and difference < 1e-5, (ours, theirs)


if __name__ == "__main__":
    main(*sys.argv[1:])
