// Parses every specification of the repository, and every whole example in its documents that is no example of a
// mistake; then looks at what the highlight query finds in them.
//
//     node test/examples.mjs TREE_SITTER LIBRARY

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [treeSitter, library] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../../..");
const queries = resolve(here, "../queries");
const folder = mkdtempSync(join(tmpdir(), "annot-"));
process.on("exit", () => rmSync(folder, { recursive: true }));

/** Files of the repository, new ones included. */
function filesWith(ending) {
  const listing = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "--", `*${ending}`], { cwd: root });
  return listing.toString().split("\n").filter(Boolean).map((file) => join(root, file));
}

/** The whole files among the fenced examples of a document, without those under the heading `Fails`. */
function examplesIn(document) {
  const text = readFileSync(document, "utf8").replace(/^## Fails\n[^]*?(?=^## )/gm, "");
  return [...text.matchAll(/^```annot\n(annot 1\n[^]*?)^```$/gm)].map((found) => found[1]);
}

function run(command, paths, ...options) {
  const list = join(folder, "paths");
  writeFileSync(list, paths.join("\n") + "\n");
  const language = ["--lib-path", library, "--lang-name", "annot", "--paths", list];
  return spawnSync(treeSitter, [command, ...options, ...language], { encoding: "utf8", maxBuffer: 1 << 28 });
}

const mistakes = [];

// Those of tests/diagnostics are wrong on purpose.
const specifications = filesWith(".annot").filter((file) => !file.includes("/tests/diagnostics/"));
const examples = filesWith(".md").flatMap((document) =>
  examplesIn(document).map((example, number) => {
    const path = join(folder, `${document.replaceAll(/[^\w.]/g, "_")}.${number}.annot`);
    writeFileSync(path, example);
    return path;
  }),
);
if (specifications.length === 0 || examples.length === 0) mistakes.push("no specification or no example was found");
const parsed = run("parse", [...specifications, ...examples], "--quiet");
if (parsed.status !== 0) mistakes.push(parsed.stdout + parsed.stderr);

for (const query of ["folds", "indents", "injections", "locals", "tags"]) {
  const found = run("query", specifications, join(queries, `${query}.scm`), "--captures");
  if (found.status !== 0 || !found.stdout.includes("capture:")) mistakes.push(`${query}.scm: ${found.stderr}`);
}

/** The captures of the highlight query, by the place where they begin. */
function highlights(path) {
  const found = run("query", [path], join(queries, "highlights.scm"), "--captures");
  if (found.status !== 0) mistakes.push(found.stderr);
  const captures = new Map();
  for (const [, name, start, end] of found.stdout.matchAll(/- ([\w.]+), start: \((.*?)\), end: \((.*?)\)/g)) {
    const nodes = captures.get(start) ?? new Map();
    if (nodes.has(end) && nodes.get(end) !== name) {
      mistakes.push(`${path}:${start}: both ${name} and ${nodes.get(end)}`);
    }
    captures.set(start, nodes.set(end, name));
  }
  return captures;
}

/** Whether a capture of the name begins at a place. */
function has(captures, place, name) {
  return [...(captures.get(place)?.values() ?? [])].some((found) => found.startsWith(name));
}

const declaration = /^(annot|source|label|clean|policy|template|dataset|model|train|evaluate|test|use|let|fn) /;
for (const path of specifications) {
  const captures = highlights(path);
  readFileSync(path, "utf8").split("\n").forEach((line, row) => {
    const comment = line.match(/^\s*\/\//);
    if (comment && !has(captures, `${row}, ${line.indexOf("/")}`, "comment")) mistakes.push(`${path}: ${line}`);
    if (declaration.test(line) && !has(captures, `${row}, 0`, "keyword")) mistakes.push(`${path}: ${line}`);
    const text = line.match(/^[^"/]*(?=")/);
    if (text && !has(captures, `${row}, ${Buffer.byteLength(text[0])}`, "string")) {
      if (!/^\s*"""/.test(line)) mistakes.push(`${path}:${row}: no string in ${line}`);
    }
  });
}

if (mistakes.length > 0) {
  console.error(mistakes.join("\n"));
  process.exit(1);
}
console.log(`${specifications.length} specifications and ${examples.length} examples are parsed and highlighted`);
