#!/usr/bin/env bash
# Checks the types, the grammar and the extension, and that a package holds what it needs. Needs Node 20 or newer.
set -euo pipefail
cd "$(dirname "$0")"

command -v npm >/dev/null || { echo "the VS Code extension: not tested, for npm is missing"; exit 0; }
npm ci --silent --no-audit --no-fund
npm test

# The packager has some 200 dependencies that nothing else needs, so it stands apart.
packager=3.9.2
tools=$(cd ../.. && pwd)/target/tools/vsce
if npm install --silent --no-audit --no-fund --prefix "$tools" "@vscode/vsce@$packager"; then
  "$tools/node_modules/.bin/vsce" ls | sort >"$tools/files"
  grep -v '^node_modules/' "$tools/files" | diff - <(printf '%s\n' LICENSE README.md language-configuration.json \
    package.json src/extension.js src/server.js syntaxes/annot.tmLanguage.json | sort)
  grep -q '^node_modules/vscode-languageclient/lib/node/main.js$' "$tools/files"
  echo "the package holds $(wc -l <"$tools/files") files"
else
  echo "the VS Code extension: packaging is not tested, for its packager cannot be installed"
fi
