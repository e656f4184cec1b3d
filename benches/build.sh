#!/usr/bin/env bash
# Measures a build of generated texts (200 MB unless told otherwise): MB/s, records/s, peak memory.
#   benches/build.sh [MEGABYTES] [JOBS] [RUNS]
# Median of RUNS runs into a fresh output folder and a fresh cache; peak memory is the greatest resident set that the kernel saw.
# ANNOTC is the program that is measured, by default a release build of this tree.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${1:-200} jobs=${2:-2} runs=${3:-3}
if [ -z "${ANNOTC:-}" ]; then
    cargo build --locked --release
    ANNOTC=$PWD/target/release/annotc
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 benches/generate_texts.py "$work/texts.jsonl" "$megabytes"
cp benches/build.annot "$work/"
python3 - "$work" "$jobs" "$runs" "$ANNOTC" <<'PY'
import json, os, resource, shutil, statistics, subprocess, sys, time
work, jobs, runs, annotc = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
size = os.path.getsize(f"{work}/texts.jsonl")
seconds, cpu = [], []
for _ in range(runs):
    for left in ("build", "cache"):
        shutil.rmtree(f"{work}/{left}", ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run([annotc, "build", f"{work}/build.annot", "--jobs", jobs, "--cache", f"{work}/cache"], check=True,
                   stderr=subprocess.DEVNULL)
    seconds.append(time.monotonic() - start)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
steps = json.load(open(f"{work}/build/texts_by_topic/manifest.json"))["steps"]
records = steps[0]["in"]
wall = statistics.median(seconds)
print(f"{size/1e6:.0f} MB, {records} records, {jobs} jobs, median of {runs} runs: {wall:.2f} s wall, "
      f"{statistics.median(cpu):.2f} s CPU, {size/1e6/wall:.1f} MB/s, {records/wall:.0f} records/s, peak {peak:.0f} MiB")
PY
