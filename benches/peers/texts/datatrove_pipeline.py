"""datatrove_pipeline.py FOLDER OUT WORK: cleaning, exact deduplication in its three steps, and writing, two local tasks each.

A task reads whole files, so FOLDER holds the input in two halves. Its writer leaves one file for each task.
"""
import sys
from pathlib import Path

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup.exact_dedup import (
    ExactDedupConfig,
    ExactDedupFilter,
    ExactDedupSignature,
    ExactFindDedups,
)
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.formatters.base import BaseFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter


class Tidy(BaseFormatter):
    """Whitespace collapsed, letters made small."""

    name = "tidy"

    def format(self, text: str) -> str:
        return " ".join(text.split()).lower()


def text_of(document: Document) -> str:
    return document.text


def long_enough(document: Document) -> bool:
    return len(document.text) >= 20


def turns(_writer, document: Document) -> dict:
    user = {"role": "user", "content": document.text}
    return {"messages": [user, {"role": "assistant", "content": document.metadata["topic"]}]}


def main() -> None:
    source, out, work = sys.argv[1:4]

    def run(name, *pipeline, tasks=2):
        logs = f"{work}/logs/{name}"
        LocalPipelineExecutor(pipeline=list(pipeline), tasks=tasks, workers=tasks, logging_dir=logs).run()

    config = ExactDedupConfig(content_getter=text_of)
    clean = JsonlReader(f"{work}/clean", compression=None)
    run(
        "clean",
        JsonlReader(source, compression=None),
        Tidy(),
        LambdaFilter(long_enough),
        JsonlWriter(f"{work}/clean", compression=None),
    )
    run("signatures", clean, ExactDedupSignature(f"{work}/signatures", config=config))
    run("find", ExactFindDedups(f"{work}/signatures", f"{work}/found", config=config), tasks=1)
    run(
        "filter",
        clean,
        ExactDedupFilter(f"{work}/found", config=config),
        JsonlWriter(out, compression=None, adapter=turns),
    )


if __name__ == "__main__":
    Path(sys.argv[3]).mkdir(parents=True, exist_ok=True)
    main()
