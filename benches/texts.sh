#!/usr/bin/env bash
# The same work by annotc and its peers on the same texts, side by side: cleaning, exact deduplication, rendering, writing.
#   benches/texts.sh [MEGABYTES] [RUNS]
# 355 MB are a million texts. Needs Python; the peers are installed into a virtual environment, PEERS or a temporary one. ANNOTC is the
# program that is measured, by default a release build of this tree. Medians of RUNS runs into fresh folders; two threads or processes each.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${1:-355} runs=${2:-5}
if [ -z "${ANNOTC:-}" ]; then
    cargo build --locked --release
    ANNOTC=$PWD/target/release/annotc
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${PEERS:-}" ]; then
    PEERS=$work/peers
    python3 -m venv "$PEERS"
    "$PEERS/bin/pip" -q install -r benches/peers/texts/requirements.txt
fi
python3 benches/generate_texts.py "$work/texts.jsonl" "$megabytes" --clean
mkdir "$work/halves"
split -n l/2 --additional-suffix=.jsonl "$work/texts.jsonl" "$work/halves/half"
cp benches/peers/texts/spec.annot "$work/"
python3 benches/peers/texts/compare.py "$work" "$runs" "$ANNOTC" "$PEERS/bin/python"
