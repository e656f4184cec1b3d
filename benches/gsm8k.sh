#!/usr/bin/env bash
# Perplexity of held-out answers of GSM8K before and after some steps of instruction tuning, by annotc's own `evaluate`.
#   ANNOTC_DATA=…/data benches/gsm8k.sh [JOBS]
# ANNOTC_DATA holds gsm8k/test.jsonl; the decoder is looked for at ../models/llama-chat from there. Nine problems of ten are
# trained on and one is held out, by their keyed hashes. ANNOTC is the program that is measured, by default a release build of this
# tree. PACK=off trains without packing, STEPS=292 two epochs.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${ANNOTC_DATA:?name the folder that holds gsm8k/}"
jobs=${1:-2}
if [ -z "${ANNOTC:-}" ]; then
    cargo build --locked --release
    ANNOTC=$PWD/target/release/annotc
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
sed -e "s/^  pack   on$/  pack   ${PACK:-on}/" -e "s/^  steps  50$/  steps  ${STEPS:-50}/" benches/gsm8k.annot >"$out/gsm8k.annot"
python3 - "$out" "$jobs" "$ANNOTC" <<'PY'
import json, resource, subprocess, sys, time
out, jobs, annotc = sys.argv[1:]
start = time.monotonic()
subprocess.run([annotc, "build", f"{out}/gsm8k.annot", "--out", f"{out}/build", "--no-cache", "--jobs", jobs], check=True)
wall, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
provenance = json.load(open(f"{out}/build/after/provenance.json"))
figures = {run: json.load(open(f"{out}/build/{run}/evaluation/arithmetic.test.json")) for run in ("before", "after")}
perplexity = {run: figure["metrics"]["perplexity"] for run, figure in figures.items()}
data, settings = provenance["data"], provenance["settings"]
print(f"perplexity of {figures['after']['records']} held-out answers: {perplexity['before']:.1f} before, {perplexity['after']:.2f} after "
      f"{settings['steps']} steps over {data['records']} records ({data['dropped']} too long); pack {settings['pack']}; {wall:.0f} s wall, "
      f"{used.ru_utime + used.ru_stime:.0f} s CPU, peak {used.ru_maxrss / 1024:.0f} MiB, {jobs} threads, all included")
PY
