#!/usr/bin/env bash
# Generates the parser and tests it. Needs Rust, a C compiler and Node; installs the tree-sitter CLI under target/ where
# the machine has no such version.
set -euo pipefail
cd "$(dirname "$0")"

version=0.27.1
tools=$(cd ../.. && pwd)/target/tools
is_right() { "$1" --version 2>/dev/null | grep -qF " $version"; }

command -v node >/dev/null || { echo "tree-sitter-annot: not tested, for Node is missing"; exit 0; }
if is_right tree-sitter; then
  cli=tree-sitter
else
  cli=$tools/bin/tree-sitter
  # Built without optimisation and without its own JavaScript engine: it runs for seconds, and Node is here.
  is_right "$cli" || CARGO_PROFILE_DEV_DEBUG=0 nice cargo install --quiet --locked --debug --no-default-features \
    --root "$tools" --target-dir "$tools/build" "tree-sitter-cli@$version"
  rm -rf "$tools/build"
fi

"$cli" generate
"$cli" test
"$cli" build --output "$tools/annot.so"
node test/examples.mjs "$cli" "$tools/annot.so"
