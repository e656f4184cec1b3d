#!/usr/bin/env bash
# Trains and evaluates benches/wnut.annot with the official data and model, and prints the F1 of the spans and the cost.
#   ANNOTC_DATA=…/data benches/wnut.sh [JOBS] [SEED…]
# ANNOTC_DATA holds wnut17/train.conll and wnut17/dev.conll; the model is looked for at ../models/minilm-l6 from there.
# ANNOTC is the binary, target/debug/annotc without it. PyTorch with the same recipe: benches/peers/wnut.py.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${ANNOTC_DATA:?name the folder that holds wnut17/}"
jobs=${1:-2}
shift || true
binary=${ANNOTC:-target/debug/annotc}
[ -n "${ANNOTC:-}" ] || cargo build --locked
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for seed in "${@:-1}"; do
  sed "s/^  seed      1$/  seed      $seed/" benches/wnut.annot >"$out/wnut.annot"
  python3 - "$binary" "$out" "$jobs" "$seed" <<'PY'
import json, resource, subprocess, sys, time
binary, out, jobs, seed = sys.argv[1:]
start = time.monotonic()
subprocess.run([binary, "build", f"{out}/wnut.annot", "--out", f"{out}/build", "--jobs", jobs], check=True)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
figures = json.load(open(f"{out}/build/tagger/evaluation/posts.dev.json"))
steps = [json.loads(line) for line in open(f"{out}/build/tagger/metrics.jsonl")]
f1, metrics = figures["metrics"]["f1"], figures["metrics"]
print(f"seed {seed}: f1 {f1['micro']:.4f} (precision {metrics['precision']['micro']:.4f}, recall {metrics['recall']['micro']:.4f}), "
      f"macro {f1['macro']:.4f}, over {figures['records']} records, {len(steps)} steps, last loss {steps[-1]['loss']:.4f}, "
      f"{wall:.0f} s wall, {used.ru_utime + used.ru_stime:.0f} s CPU, peak {used.ru_maxrss / 1024:.0f} MiB, {jobs} threads")
PY
done
