#!/usr/bin/env bash
# Builds, trains and evaluates specs/banking with the official data and model, and prints accuracy and cost.
#   ANNOTC_DATA=…/data benches/banking.sh [JOBS]
# ANNOTC_DATA holds banking77/train.csv and banking77/test.csv; the model is looked for at ../models/minilm-l6 from there.
# TUNE, EPOCHS and RATE take the place of the spec's own, as in the run with adapters:
#   TUNE='lora { rank 16; alpha 32; targets "*" }' EPOCHS=4 RATE=2e-3 ANNOTC_DATA=…/data benches/banking.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${ANNOTC_DATA:?name the folder that holds banking77/}"
jobs=${1:-2}
cargo build --locked
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
spec=$out/banking.annot
sed -e "s/^  tune   all$/  tune   ${TUNE:-all}/" -e "s/^  epochs 1$/  epochs ${EPOCHS:-1}/" \
  -e "s/^  rate   1e-4 /  rate   ${RATE:-1e-4} /" specs/banking/banking.annot >"$spec"
python3 - "$out" "$jobs" <<'PY'
import json, resource, subprocess, sys, time
out, jobs = sys.argv[1], sys.argv[2]
start = time.monotonic()
subprocess.run(["target/debug/annotc", "build", f"{out}/banking.annot", "--out", f"{out}/build", "--jobs", jobs], check=True)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
import glob
figures = json.load(open(next(iter(glob.glob(f"{out}/build/*/evaluation/*.json")))))
steps = [json.loads(line) for line in open(next(iter(glob.glob(f"{out}/build/*/metrics.jsonl"))))]
cpu = used.ru_utime + used.ru_stime
print(f"accuracy {figures['metrics']['accuracy']:.4f} over {figures['records']} records, {len(steps)} steps, "
      f"{wall:.0f} s wall, {cpu:.0f} s CPU, {cpu / len(steps):.3f} s CPU a step (evaluation included), "
      f"peak {used.ru_maxrss / 1024:.0f} MiB, {jobs} threads")
PY
