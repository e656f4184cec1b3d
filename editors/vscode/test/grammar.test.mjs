// The TextMate grammar, by the engine that VS Code uses.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { written } from "../grammar/annot.mjs";

const require = createRequire(import.meta.url);
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");
const { OnigScanner, OnigString, loadWASM } = require("vscode-oniguruma");

const root = fileURLToPath(new URL("../../..", import.meta.url));
const file = fileURLToPath(new URL("../syntaxes/annot.tmLanguage.json", import.meta.url));

await loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new OnigScanner(patterns),
    createOnigString: (text) => new OnigString(text),
  }),
  loadGrammar: async () => parseRawGrammar(readFileSync(file, "utf8"), file),
});
const grammar = await registry.loadGrammar("source.annot");

/** The tokens of a text, line by line, with the region in which each line begins. */
function tokens(text) {
  let stack = INITIAL;
  return text.split(/\r?\n/).map((line) => {
    const begins = stack;
    const found = grammar.tokenizeLine(line, stack);
    stack = found.ruleStack;
    const inLine = found.tokens.map(({ startIndex, endIndex, scopes }) => ({
      text: line.slice(startIndex, endIndex),
      scopes: scopes.slice(1).map((scope) => scope.replace(/\.annot$/, "")),
    }));
    return { line, begins, tokens: inLine.filter((token) => token.text.trim() !== "") };
  });
}

/** The innermost scope of a token. */
const innermost = (token) => token.scopes.at(-1) ?? "";

test("the grammar's file is what its source makes", () => {
  assert.equal(readFileSync(file, "utf8"), `${written()}\n`, "run `npm run grammar`");
});

test("in every specification each token has a scope, and each declaration begins outside all others", () => {
  const paths = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "--", "*.annot"], { cwd: root });
  // Those of tests/diagnostics are wrong on purpose.
  const specifications = paths.toString().split("\n").filter((path) => path && !path.startsWith("tests/diagnostics/"));
  assert.ok(specifications.length > 3, "specifications are found");
  for (const path of specifications) {
    for (const { line, begins, tokens: found } of tokens(readFileSync(join(root, path), "utf8"))) {
      for (const token of found) {
        const bare = token.scopes.every((scope) => scope.startsWith("meta."));
        assert.ok(!bare && !innermost(token).startsWith("invalid"), `${path}: \`${token.text}\` in: ${line}`);
      }
      if (/^(source|label|clean|policy|template|dataset|model|train|evaluate|test|use|let|fn)\b/.test(line)) {
        assert.ok(begins === INITIAL || begins.depth === 1, `${path}: a region does not end before: ${line}`);
      }
    }
  }
});

test("what is not closed ends where the next declaration begins", () => {
  const broken = [
    "source s {\n  fields { a: list<{",
    "label l: choice {",
    'clean c {\n  drop "x" when f([',
    "dataset d {\n  split a from b,",
    "dataset d {\n  label x = y match {",
    "fn f(",
    "let x = (",
    "test t",
  ];
  for (const part of broken) {
    const [last] = tokens(`${part}\nclean c { }`).slice(-1);
    assert.equal(innermost(last.tokens[0]), "storage.type.declaration", part);
    assert.equal(innermost(last.tokens[1]), "entity.name.type", part);
  }
});

/** A text; then tokens in order, each with its innermost scope. */
const CASES = [
  ["annot 1", ["annot", "storage.type.declaration"], ["1", "constant.numeric"]],
  ["/// a `b`", ["a `b`", "comment.line.documentation"]],
  ["//// a", ["// a", "comment.line.double-slash"]],
  [
    'use "a.annot": house, bank as base',
    ["use", "keyword.control.import"],
    ["a.annot", "string.quoted.double"],
    ["house", "entity.name.type"],
    ["as", "keyword.other.clause"],
  ],
  [
    "source text {\n  fields { from: string? @personal(email); `a b`: list<{ of: int }> }\n}",
    ["source", "storage.type.declaration"],
    ["text", "entity.name.type"],
    ["fields", "keyword.other.statement"],
    ["from", "variable.other.member"],
    ["string", "support.type"],
    ["?", "keyword.operator.nullable"],
    ["personal", "entity.other.attribute-name"],
    ["email", "constant.language"],
    ["`a b`", "variable.other.member"],
    ["list", "support.type"],
    ["of", "variable.other.member"],
  ],
  [
    'label size: choice {\n  /// Why.\n  small "Small\\n\\q" key "s"\n}',
    ["choice", "support.type"],
    ["///", "punctuation.definition.comment"],
    ["small", "variable.other.enummember"],
    ["\\n", "constant.character.escape"],
    ["\\q", "invalid.illegal.escape"],
    ["key", "keyword.other.clause"],
  ],
  ["label s: spans over text { A } overlap no", ["over", "keyword.other.clause"], ["overlap", "keyword.other.clause"]],
  [
    "clean c { pack gopher_quality of body { min_doc_words 20; min_stop_words off } }",
    ["pack", "keyword.other.statement"],
    ["gopher_quality", "constant.language"],
    ["of", "keyword.other.clause"],
    ["body", "variable.other.member"],
    ["20", "constant.numeric"],
  ],
  [
    `clean c {
  set near = f(text) / 2
  drop "x" when text matches /a[/]\\b|b+/i and not true
  dedup exactly, text exactly
  dedup lines of text
  dedup lines near 0.85 like datatrove
    keep best by words(text)
  decontaminate text against "a.jsonl", held.question by 13 words
}`,
    ["set", "keyword.other.statement"],
    ["near", "variable.other.member"],
    ["f", "entity.name.function"],
    ["/", "keyword.operator.arithmetic"],
    ["when", "keyword.control.conditional"],
    ["matches", "keyword.operator.word"],
    ["a", "string.regexp"],
    ["\\b", "keyword.control.anchor.regexp"],
    ["+", "keyword.operator.quantifier.regexp"],
    ["i", "keyword.other.regex-flags"],
    ["true", "constant.language"],
    ["exactly", "variable.other.member"],
    ["exactly", "keyword.other.clause"],
    ["dedup", "keyword.other.statement"],
    ["lines", "keyword.other.clause"],
    ["text", "variable.other.member"],
    ["lines", "variable.other.member"],
    ["near", "keyword.other.clause"],
    ["0.85", "constant.numeric"],
    ["like", "keyword.other.clause"],
    ["datatrove", "constant.language"],
    ["best", "keyword.other.clause"],
    ["words", "entity.name.function"],
    ["decontaminate", "keyword.other.statement"],
    ["against", "keyword.other.clause"],
    ["held", "entity.name.type"],
    ["question", "variable.other.member"],
    ["words", "keyword.other.unit"],
  ],
  [
    `policy p {
  redact @personal, note: email
  keep for 24 months from opened
  forbid "x" when a
    else drop
}`,
    ["@", "punctuation.definition.attribute"],
    ["personal", "entity.other.attribute-name"],
    ["note", "variable.other.member"],
    ["email", "constant.language"],
    ["24", "constant.numeric"],
    ["months", "keyword.other.unit"],
    ["opened", "variable.other.member"],
    ["else", "keyword.control.conditional"],
    ["drop", "keyword.control.drop"],
  ],
  [
    `template t: chat { user "{{ text | default(\\"a\\") }} {% if a.b %}{# c #}"; mute assistant """
{{ "x" }}
""" }`,
    ["chat", "support.type"],
    ["user", "keyword.other.statement"],
    ["{{", "punctuation.section.embedded.begin"],
    ["text", "variable.other.jinja"],
    ["default", "entity.name.function.jinja"],
    ["a", "string.quoted.double.jinja"],
    ["if", "keyword.control.jinja"],
    ["b", "variable.other.member.jinja"],
    ["c", "comment.block.jinja"],
    ["mute", "keyword.other.modifier"],
    ["x", "string.quoted.double.jinja"],
    ["}", "punctuation.section.block.end"],
  ],
  ['template t: chat { user "{{ text"; turns history }', ["turns", "keyword.other.statement"]],
  [
    `dataset d {
  label mood = stars match { 1, good => bad; else => drop }
  split test from a, train 90%
    by text near 0.85
    seed 7
  write messages from t as n
}`,
    ["mood", "entity.name.type"],
    ["match", "keyword.control.match"],
    ["good", "variable.other.enummember"],
    ["=>", "keyword.operator.arrow"],
    ["drop", "keyword.control.drop"],
    ["test", "variable.other.enummember"],
    ["a", "entity.name.type"],
    ["train", "variable.other.enummember"],
    ["90%", "constant.numeric"],
    ["by", "keyword.other.clause"],
    ["seed", "keyword.other.clause"],
    ["write", "keyword.other.statement"],
    ["messages", "constant.language"],
  ],
  [
    `dataset d {
  mix web 70%, books 30%
  balance mood at most 3 times
  take 9 per mood
    seed 7
  split train before "2024-01-01", test from "2024-01-01" by time at
  write jsonl
}`,
    ["mix", "keyword.other.statement"],
    ["web", "entity.name.type"],
    ["30%", "constant.numeric"],
    ["balance", "keyword.other.statement"],
    ["mood", "variable.other.member"],
    ["most", "keyword.other.clause"],
    ["times", "keyword.other.unit"],
    ["per", "keyword.other.clause"],
    ["seed", "keyword.other.clause"],
    ["train", "variable.other.enummember"],
    ["before", "keyword.other.clause"],
    ["time", "keyword.other.clause"],
    ["at", "variable.other.member"],
    ["write", "keyword.other.statement"],
  ],
  [
    `train r {
  rate 3e-4 cosine warmup 10%
  length 64 tokens else keep start
  optimizer adamw { betas [0.9, 0.999] }
}`,
    ["3e-4", "constant.numeric"],
    ["cosine", "constant.language"],
    ["warmup", "keyword.other.clause"],
    ["tokens", "keyword.other.unit"],
    ["keep", "keyword.other.clause"],
    ["adamw", "constant.language"],
    ["betas", "variable.other.property"],
  ],
  [
    "evaluate r on d.test {\n  by words(text) at [10]\n  require gap(f1.macro, by gender) <= 5%\n}",
    ["on", "keyword.other.clause"],
    ["test", "variable.other.enummember"],
    ["at", "keyword.other.clause"],
    ["macro", "variable.other.member"],
    ["by", "keyword.other.clause"],
    ["<=", "keyword.operator.comparison"],
  ],
  [
    'evaluate r on d.test {\n  generate sampled { top_k 50; stop "#" }\n}',
    ["generate", "keyword.other.statement"],
    ["sampled", "constant.language"],
    ["top_k", "variable.other.property"],
  ],
  ['test c "x" {\n  expect drop "y"\n}', ["expect", "keyword.other.statement"], ["drop", "keyword.control.drop"]],
];

test("chosen tokens have their scopes", () => {
  for (const [text, ...expected] of CASES) {
    const found = tokens(text).flatMap((line) => line.tokens);
    let at = 0;
    for (const [word, scope] of expected) {
      const matches = (token) => token.text.trim() === word && innermost(token) === scope;
      const next = found.findIndex((token, index) => index >= at && matches(token));
      assert.ok(next >= 0, `\`${word}\` is not ${scope} in:\n${text}\n${JSON.stringify(found.slice(at), null, 1)}`);
      at = next + 1;
    }
  }
});
