// The TextMate grammar of the `.annot` language, from which `npm run grammar` writes `annot.tmLanguage.json`.
//
// A TextMate grammar reads line by line and knows no tree. It takes a declaration as a region from its first word to
// the end of its block, and in each block only the words of that block as keywords, so that a field may be called
// `text`, `from` or `train`. Where a statement goes on in the next line, only a few regions follow it.

import { characters } from "./characters.mjs";
import { declarations } from "./declarations.mjs";
import { expressions, types } from "./expressions.mjs";
import { include } from "./parts.mjs";

export const grammar = {
  name: "annot",
  scopeName: "source.annot",
  fileTypes: ["annot"],
  patterns: include("comment", ...Object.keys(declarations), "expression"),
  repository: { ...declarations, ...types, ...expressions, ...characters },
};

/** The grammar as the file holds it: what fits a line stands in one. */
export function written(value = grammar, indent = "") {
  const line = JSON.stringify(value);
  if (typeof value !== "object" || line.length + indent.length <= 120) return line;
  const inner = `${indent}  `;
  const items = Array.isArray(value)
    ? value.map((item) => inner + written(item, inner))
    : Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${written(item, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${items.join(",\n")}\n${indent}${close}`;
}
