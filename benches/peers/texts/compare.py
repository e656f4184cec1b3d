"""compare.py WORK RUNS ANNOTC PYTHON: runs each tool RUNS times in turn, checks what it wrote, prints medians."""
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

work, runs, annotc, python = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
here = Path(__file__).parent
source = work / "texts.jsonl"
env = {**os.environ, "POLARS_MAX_THREADS": "2", "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

# A tool's command, its output, and what of it has to be equal: the bytes, or the texts where order and choice among equals differ.
tools = {
    "annotc": ([annotc, "build", "spec.annot", "--jobs", "2", "--out", "out", "--cache", "cache"],
               "out/texts_by_topic/messages/train.jsonl", "bytes"),
    "polars": ([python, here / "polars_lazy.py", source, "out.jsonl"], "out.jsonl", "bytes"),
    "datasets": ([python, here / "datasets_map.py", source, "out.jsonl", "cache"], "out.jsonl", "bytes"),
    "datatrove": ([python, here / "datatrove_pipeline.py", work / "halves", "out", "work"], "out", "texts"),
}


def texts(path):
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    lines = (line for file in files for line in file.open(encoding="utf-8"))
    return sorted(json.loads(line)["messages"][0]["content"] for line in lines)


def digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run(name):
    command, out, _ = tools[name]
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if name == "annotc":
        shutil.copy(work / "spec.annot", folder)
        os.link(source, folder / "texts.jsonl")
    start = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
        # The processor time is that of the process and those it waited for; the peak is the greatest of one process.
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{name} failed: see {folder / 'log'}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


measured = {name: [] for name in tools}
for _ in range(runs):
    for name in tools:
        measured[name].append(run(name))
expected, expected_texts = digest(work / "annotc" / tools["annotc"][1]), None
for name, (_, out, equal) in tools.items():
    if equal == "bytes":
        same = digest(work / name / out) == expected
    else:
        expected_texts = expected_texts or texts(work / "annotc" / tools["annotc"][1])
        same = texts(work / name / out) == expected_texts
    if not same:
        sys.exit(f"{name} wrote something else")
records = sum(1 for _ in source.open("rb"))
print(f"{records} texts, {source.stat().st_size / 1e6:.0f} MB, median of {runs} runs; all outputs are equal")
print(f"{'tool':<10} {'wall s':>8} {'times annotc':>13} {'CPU s':>8} {'peak MiB':>9}")
ours = statistics.median(wall for wall, *_ in measured["annotc"])
for name, rows in measured.items():
    wall, cpu, peak = (statistics.median(column) for column in zip(*rows))
    print(f"{name:<10} {wall:8.2f} {wall / ours:13.1f} {cpu:8.2f} {peak:9.0f}")
