#!/usr/bin/env bash
# Finds the near-duplicates of generated texts (100,000 unless told otherwise) with annotc, rensa and datasketch, side by side:
# seconds of wall time and of processor time from texts in memory to the numbers of the duplicates, and how right they are.
#   benches/near.sh [TEXTS] [THRESHOLD] [JOBS] [RUNS]
# Medians of RUNS runs; datasketch, which takes long, runs once. The peers are installed by pip into a virtual environment, PEERS
# or a temporary one.
set -euo pipefail
cd "$(dirname "$0")/.."
texts=${1:-100000} threshold=${2:-0.85} jobs=${3:-2} runs=${4:-5}
export RAYON_NUM_THREADS=$jobs
ours=$(cargo build --locked --release --bench near --message-format=json |
    python3 -c 'import json, sys; print(next(m["executable"] for m in map(json.loads, sys.stdin) if m.get("executable") and m["target"]["name"] == "near"))')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${PEERS:-}" ]; then
    PEERS=$work/peers
    python3 -m venv "$PEERS"
    "$PEERS/bin/pip" install --quiet rensa==0.5.0 datasketch==2.0.0
fi
python3 benches/near/generate.py "$work/texts.jsonl" "$texts"
median() { # NAME RUNS COMMAND…: the tool writes what it found to $work/NAME
    local name=$1 times=$2
    shift 2
    for _ in $(seq "$times"); do "$@"; done | python3 -c "
import statistics, sys
runs = [[float(figure) for figure in line.split()] for line in sys.stdin]
wall, cpu = (statistics.median(column) for column in zip(*runs))
print(f'{\"$name\":28} {wall:8.2f} s wall {cpu:8.2f} s processor  median of {len(runs)}')"
}
peer="$PEERS/bin/python benches/peers/near"
median annotc "$runs" "$ours" "$work/texts.jsonl" "$threshold" "$jobs" "$work/annotc"
for way in pairs matrix hashes; do
    median "rensa-$way" "$runs" $peer/with_rensa.py "$work/texts.jsonl" "$threshold" "$work/rensa-$way" "$way"
done
median datasketch 1 $peer/with_datasketch.py "$work/texts.jsonl" "$threshold" "$work/datasketch"
python3 benches/near/truth.py "$work/texts.jsonl" "$threshold" "$work"/{annotc,rensa-pairs,rensa-matrix,rensa-hashes,datasketch}
