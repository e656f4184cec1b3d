#!/usr/bin/env bash
# A training step with all layers kept, and one that computes them again: processor time and peak memory, side by side.
#   MODELS=…/models benches/recompute.sh [THREADS] [ROUNDS] [STEPS]
# MODELS holds minilm-l6 and llama-chat. Medians of ROUNDS blocks of STEPS steps, both in turn. OURS names a benchmark `training` that
# is built already; without it one is.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${MODELS:?name the folder that holds minilm-l6 and llama-chat}"
threads=${1:-1} rounds=${2:-7} steps=${3:-3}
export ANNOTC_CACHE=${ANNOTC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/annotc}
: "${OURS:=$(cargo build --locked --release --bench training --message-format=json |
    python3 -c 'import json, sys; print(next(m["executable"] for m in map(json.loads, sys.stdin) if m.get("executable") and m["target"]["name"] == "training"))')}"
case_of() { # MODEL TASK BATCH LENGTH
    for tune in all lora; do
        echo "$1, $3×$4, $tune, $threads thread(s)"
        local told="$MODELS/$1 $2 $tune $3 $4 $threads"
        python3 benches/training/compare.py "$rounds" "$steps" "kept=exec $OURS $told" "again=exec $OURS $told recompute"
    done
}
case_of minilm-l6 classify 8 128
case_of llama-chat generate 4 256
