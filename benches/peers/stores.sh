#!/usr/bin/env bash
# Object stores that others have written, and what annotc makes of them: sources that are read there, outputs that are
# published there, a connection that is cut in the middle of it.
#   benches/peers/stores.sh [ANNOTC]
# ANNOTC is one with the feature `cloud`; it is built where none is named. The emulators are installed into a folder that
# goes with the script: `moto` for S3, `azurite` for Azure, `gcp-storage-emulator` for Google.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
cd "$here/../.."
if [ $# -gt 0 ]; then
  annotc=$(realpath "$1")
else
  CARGO_TARGET_DIR="$PWD/target-cluster" cargo build --locked --features cluster,cloud
  annotc="$PWD/target-cluster/debug/annotc"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'moto[server]==5.2.5' 'gcp-storage-emulator==2026.7.19' azure-storage-blob
npm install --silent --no-audit --no-fund --prefix "$work/npm" azurite@3.35.0
"$work/venv/bin/pip" list 2>/dev/null | grep -E '^(moto|gcp-storage-emulator|boto3|azure-storage-blob) '
echo "azurite $("$work/npm/node_modules/.bin/azurite-blob" --version)"
"$work/venv/bin/python" "$here/stores.py" "$work" "$annotc"
