#!/usr/bin/env bash
# One training step by annotc, by PyTorch and by onnxruntime-training, side by side: an encoder and a decoder, all weights and adapters.
#   MODELS=…/models benches/training.sh [THREADS] [ROUNDS] [STEPS]
# MODELS holds minilm-l6 and llama-chat. Medians of ROUNDS blocks of STEPS steps, the tools in turn. PyTorch, transformers and
# PEFT are installed by pip into a virtual environment, PEERS or a temporary one; onnxruntime-training, which wants older libraries, into
# another: ORTTRAIN or a temporary one (Python 3.8 to 3.11).
set -euo pipefail
cd "$(dirname "$0")/.."
: "${MODELS:?name the folder that holds minilm-l6 and llama-chat}"
threads=${1:-1} rounds=${2:-7} steps=${3:-5}
export ANNOTC_CACHE=${ANNOTC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/annotc}
export OMP_NUM_THREADS=$threads
ours=$(cargo build --locked --release --bench training --message-format=json |
    python3 -c 'import json, sys; print(next(m["executable"] for m in map(json.loads, sys.stdin) if m.get("executable") and m["target"]["name"] == "training"))')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${PEERS:-}" ]; then
    PEERS=$work/peers
    python3 -m venv "$PEERS"
    "$PEERS/bin/pip" install --quiet --requirement benches/peers/training/requirements.txt
fi
if [ -z "${ORTTRAIN:-}" ]; then
    ORTTRAIN=$work/orttraining
    python3 -m venv "$ORTTRAIN"
    "$ORTTRAIN/bin/pip" install --quiet --requirement benches/peers/training/orttraining.txt
fi
case_of() { # MODEL TASK BATCH LENGTH
    for tune in all lora; do
        echo "$1, $3×$4, $tune, $threads thread(s)"
        local told="$MODELS/$1 $2 $tune $3 $4 $threads"
        python3 benches/training/compare.py "$rounds" "$steps" "annotc=exec $ours $told" \
            "PyTorch=exec $PEERS/bin/python benches/peers/training/with_torch.py $told" \
            "onnxruntime-training=exec $ORTTRAIN/bin/python benches/peers/training/with_orttraining.py $told"
    done
}
case_of minilm-l6 classify 8 128
case_of llama-chat generate 4 256
