#!/usr/bin/env bash
# Fills corpus/spec with every specification of the repository, right and wrong ones, each under the hash of its text, and
# spec.dict with the words and signs of the grammar.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p corpus/spec
find ../specs ../tests/corpus ../tests/diagnostics ../src/semantic/cases -name '*.annot' -not -path '*/build/*' -print0 |
  while IFS= read -r -d '' path; do
    cp "$path" "corpus/spec/$(sha1sum "$path" | cut -d ' ' -f 1)"
  done
grep -oE '"[^"\\[:space:]]+"' ../grammar/annot.pest | LC_ALL=C sort -u > spec.dict
echo "$(find corpus/spec -type f | wc -l) texts in fuzz/corpus/spec"
