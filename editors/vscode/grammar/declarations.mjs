// Declarations and the statements in their blocks.

import {
  NEXT_DECLARATION, NAME, FIRST, BEGIN, NUMBER, word, CLAUSE, STATEMENT_END, BLOCK_END, DECLARATION, STATEMENT,
  CLAUSE_WORD, CONDITION,
  DROP, DECLARED, FIELD, VALUE, OPTION, FUNCTION, token, parts, region, include, block, declaration, named,
  first, statements, clauses, options, listing, statementRegion, longStatement, pair,
} from "./parts.mjs";

const label = (kinds, inside) =>
  declaration(
    `(${word("label")})\\s+(${NAME})\\s*(:)\\s*(${word(...kinds)})`,
    [DECLARATION, DECLARED, "punctuation.separator", "support.type"],
    inside,
    `$|(?=;)|${NEXT_DECLARATION}`,
  );

/** The words that begin the statements of a data set. */
const DATASET = [
  "from", "purpose", "clean", "label", "policy", "sample", "take", "balance", "mix", "weight", "split", "write",
];

/** The words that begin the statements of a `clean` block. */
const CLEAN = ["set", "drop", "dedup", "decontaminate", "pack"];

export const declarations = {
  edition: parts(`^\\s*(${word("annot")})\\s+([0-9]+)`, DECLARATION, "constant.numeric"),
  import: region({
    begin: `^\\s*(${word("use")})(?=\\s*")`,
    opens: ["keyword.control.import"],
    end: STATEMENT_END,
    inside: [
      ...include("comment", "string"),
      token(BEGIN + word("as"), CLAUSE_WORD),
      token(NAME, DECLARED),
      token("[,:]", "punctuation.separator"),
    ],
  }),
  constant: parts(
    `^\\s*(${word("let")})\\s+(${NAME})\\s*(=)?`,
    DECLARATION,
    "variable.other.constant",
    "keyword.operator.assignment",
  ),
  function: region({
    name: "meta.function.parameters",
    begin: `^\\s*(${word("fn")})\\s+(${NAME})\\s*(\\()`,
    opens: [DECLARATION, FUNCTION, "punctuation.section.parameters.begin"],
    end: `(\\))|${NEXT_DECLARATION}`,
    closes: ["punctuation.section.parameters.end"],
    inside: [
      ...include("comment"),
      parts(`(${NAME})\\s*(:)`, "variable.parameter", "punctuation.separator"),
      token(",", "punctuation.separator"),
      ...include("type"),
    ],
  }),
  source: named("source", [
    ...include("comment"),
    region({
      begin: `${FIRST}(${word("fields")})`,
      opens: [STATEMENT],
      end: BLOCK_END,
      inside: include("fields"),
    }),
    region({
      begin: `${FIRST}(${word("format")})\\s*(${NAME})?`,
      opens: [STATEMENT, OPTION],
      end: `${BLOCK_END}|(?=[;}])`,
      inside: include("comment", "settings"),
    }),
    options("on_bad_row"),
    statements("path", "annotations", "license", "origin", "consent", "row"),
    ...include("common"),
  ]),
  label: {
    patterns: [
      label(["json"], include("fields")),
      label(
        ["scale"],
        [
          block("constraints", [
            first(word("when"), CONDITION),
            token(BEGIN + word("require"), STATEMENT),
            ...include("expression"),
          ]),
        ],
      ),
      label(
        ["choice", "choices", "spans", "number", "flag", "text", "rank", "preference"],
        [
          ...include("comment", "values"),
          parts(
            `(${word("from")})\\s+(${NAME})\\s*(\\.)\\s*(${NAME})`,
            CLAUSE_WORD,
            DECLARED,
            "punctuation.accessor",
            FIELD,
          ),
          token(BEGIN + word("from"), CLAUSE_WORD),
          pair(word("over"), CLAUSE_WORD, FIELD),
          pair(word("overlap"), CLAUSE_WORD, OPTION),
        ],
      ),
      declaration(`(${word("label")})\\s*(${NAME})?`, [DECLARATION, DECLARED], include("values")),
    ],
  },
  clean: named("clean", [
    ...include("comment"),
    parts(`${FIRST}(${word("set")})\\s+(${NAME})\\s*(=)(?!=)`, STATEMENT, FIELD, "keyword.operator.assignment"),
    longStatement(`(${word("dedup")})`, [STATEMENT], CLEAN, [
      region({
        begin: `${BEGIN}(${word("keep")})\\s+(${word("best")})\\s+(${word("by")})`,
        opens: [CLAUSE_WORD, CLAUSE_WORD, CLAUSE_WORD],
        end: `(?=[;}])|^(?=\\s*${word(...CLEAN)})|${NEXT_DECLARATION}`,
        inside: include("expression"),
      }),
      ...include("quantity"),
      parts(
        `${BEGIN}(${word("lines", "sentences", "substrings")})\\s+(${word("of")})\\s+(${NAME})`,
        CLAUSE_WORD,
        CLAUSE_WORD,
        FIELD,
      ),
      parts(`${BEGIN}(${word("at")})\\s+(${word("least")})(?=\\s+[0-9])`, CLAUSE_WORD, CLAUSE_WORD),
      parts(`${BEGIN}(${word("keep")})\\s+(${word("first", "longest")})`, CLAUSE_WORD, CLAUSE_WORD),
      token(`${BEGIN}${word("over")}(?=\\s+[0-9])`, CLAUSE_WORD),
      pair(word("like"), CLAUSE_WORD, OPTION),
      token(`${BEGIN}${word("exactly", "near")}(?=\\s*(?:[0-9;}]|${word("keep")}|//|$))`, CLAUSE_WORD),
      token(NAME, FIELD),
      token(",", "punctuation.separator"),
    ]),
    longStatement(`(${word("decontaminate")})\\s+(${NAME})`, [STATEMENT, FIELD], CLEAN, [
      ...include("string", "quantity"),
      token(BEGIN + word("against", "by"), CLAUSE_WORD),
      parts(`(${NAME})\\s*(\\.)\\s*(${NAME})`, DECLARED, "punctuation.accessor", FIELD),
      token(",", "punctuation.separator"),
    ]),
    parts(
      `${FIRST}(${word("pack")})(?:\\s+(${NAME}))?(?:[ \\t]+(${word("of")})\\s+(${NAME}))?`,
      STATEMENT,
      OPTION,
      CLAUSE_WORD,
      FIELD,
    ),
    clauses("near"),
    statements("set", "drop"),
    ...include("settings", "expression"),
  ]),
  policy: named("policy", [
    ...include("comment"),
    statementRegion(word("redact"), [
      ...include("attribute"),
      region({
        begin: "(:)",
        opens: ["punctuation.separator"],
        end: `(?=[;}])|(?=(?<![,\\s])\\s*$)|^\\s*$|${NEXT_DECLARATION}`,
        inside: [...include("comment"), token(NAME, OPTION), token(",", "punctuation.separator")],
      }),
      token(NAME, FIELD),
      token(",", "punctuation.separator"),
    ]),
    parts(`${FIRST}(${word("allow")})\\s+(${word("license", "personal")})`, STATEMENT, STATEMENT),
    statementRegion(word("keep"), [
      ...include("quantity"),
      token(BEGIN + word("for", "from"), CLAUSE_WORD),
      token(NAME, FIELD),
    ]),
    statementRegion(word("pack"), [token("\\.", "punctuation.accessor"), token(NAME, OPTION)]),
    statements("forbid", "allow", "require", "k_anonymous"),
    pair(word("per"), CLAUSE_WORD, DECLARED),
    token(`${BEGIN}${word("over")}(?=\\s*\\()`, CLAUSE_WORD),
    clauses("because"),
    ...include("else-drop", "expression"),
  ]),
  template: declaration(
    `(${word("template")})\\s*(${NAME})?\\s*(:)?\\s*(${NAME})?`,
    [DECLARATION, DECLARED, "punctuation.separator", "support.type"],
    [
      block("template", [
        ...include("comment"),
        parts(
          `${FIRST}(?:(${word("mute")})\\s+)?` +
            `(${word("system", "user", "assistant", "prompt", "completion", "chosen", "rejected", "text")})`,
          "keyword.other.modifier",
          STATEMENT,
        ),
        parts(
          `${FIRST}(?:(${word("mute")})\\s+)?(${word("turns")})\\s+(${NAME})`,
          "keyword.other.modifier",
          STATEMENT,
          FIELD,
        ),
        ...include("template-text", "common"),
      ]),
    ],
  ),
  dataset: named("dataset", [
    ...include("comment"),
    listing(DECLARED, "from", "clean", "policy"),
    region({
      name: "meta.block.label-sources",
      begin: `${FIRST}(${word("label")})\\s+(${NAME})\\s*(\\{)`,
      opens: [STATEMENT, DECLARED, "punctuation.section.block.begin"],
      end: `(\\})|${NEXT_DECLARATION}`,
      closes: ["punctuation.section.block.end"],
      inside: [
        ...include("comment"),
        parts(`${FIRST}(${word("from")})\\s+(${word("annotations", "rule")})(?=\\s*")`, STATEMENT, CLAUSE_WORD),
        parts(`${FIRST}(${word("from")})\\s+(${word("model")})\\s+(${NAME})`, STATEMENT, CLAUSE_WORD, DECLARED),
        options("resolve"),
        token(`${BEGIN}${word("vote")}(?=\\s*(?:[;}]|//|$))`, CLAUSE_WORD),
        statements("from", "require"),
        ...include("else-drop", "expression"),
      ],
    }),
    parts(`${FIRST}(${word("label")})\\s+(${NAME})`, STATEMENT, DECLARED),
    longStatement(`(${word("sample", "take", "balance", "mix", "weight")})`, [STATEMENT], DATASET, [
      ...include("quantity"),
      pair(word("per"), CLAUSE_WORD, FIELD),
      parts(`${BEGIN}(${word("at")})\\s+(${word("most")})(?=\\s+[0-9])`, CLAUSE_WORD, CLAUSE_WORD),
      token(`${BEGIN}${word("seed")}(?=\\s+[0-9])`, CLAUSE_WORD),
      token(`${NAME}(?=\\s+[0-9])`, DECLARED),
      token(NAME, FIELD),
      token(",", "punctuation.separator"),
    ]),
    longStatement(
      `(${word("split")})(?:\\s+(${word("as")})\\s+(${NAME}))?`,
      [STATEMENT, CLAUSE_WORD, FIELD],
      DATASET,
      [
        ...include("string", "number"),
        parts(
          `${BEGIN}(${word("by")})\\s+(${word("time")})\\s+(?!${word("by", "near", "check", "stratify", "seed")})(${NAME})`,
          CLAUSE_WORD,
          CLAUSE_WORD,
          FIELD,
        ),
        pair(word("by", "check", "stratify"), CLAUSE_WORD, FIELD),
        pair(word("like"), CLAUSE_WORD, OPTION),
        token(`${BEGIN}${word("near", "seed")}(?=\\s+[0-9])`, CLAUSE_WORD),
        pair(word("from"), CLAUSE_WORD, DECLARED),
        token(`${BEGIN}${word("from", "before")}(?=\\s*")`, CLAUSE_WORD),
        token(`${NAME}(?=\\s+(?:${word("from", "before")}|[0-9]))`, VALUE),
        token(NAME, DECLARED),
        token(",", "punctuation.separator"),
      ],
    ),
    region({
      begin: `${FIRST}(${word("write")})\\s*(${NAME})?`,
      opens: [STATEMENT, OPTION],
      end: `${BLOCK_END}|(?=[;}])`,
      inside: [
        ...include("comment", "settings"),
        pair(word("from"), CLAUSE_WORD, DECLARED),
        pair(word("as"), CLAUSE_WORD, "variable.other.constant"),
        ...include("common"),
      ],
    }),
    statements("purpose", "label"),
    ...include("else-drop", "expression"),
  ]),
  model: named("model", [
    ...include("comment"),
    options("new", "pooling"),
    statements("onnx", "new", "pooling"),
    ...include("settings", "common"),
  ]),
  train: named("train", [
    ...include("comment"),
    parts(`${FIRST}(${word("model", "data")})\\s+(${NAME})`, STATEMENT, DECLARED),
    parts(
      `${FIRST}(${word("task")})\\s+(${word("classify", "regress")})\\s+(${NAME})\\s+(${word("from")})\\s+(${NAME})`,
      STATEMENT,
      STATEMENT,
      DECLARED,
      CLAUSE_WORD,
      FIELD,
    ),
    parts(`${FIRST}(${word("task")})\\s+(${word("tag")})\\s+(${NAME})`, STATEMENT, STATEMENT, DECLARED),
    parts(
      `${FIRST}(${word("task")})\\s+(${word("generate", "prefer", "embed")})\\s+(${word("from")})\\s+(${NAME})`,
      STATEMENT,
      STATEMENT,
      CLAUSE_WORD,
      DECLARED,
    ),
    parts(
      `${FIRST}(${word("rate")})\\s+(${NUMBER})(?:[ \\t]+(?!${CLAUSE})(${NAME}))?`,
      STATEMENT,
      "constant.numeric",
      OPTION,
    ),
    parts(`${FIRST}(${word("keep")})\\s+(${word("best")})`, STATEMENT, CLAUSE_WORD),
    parts(`${FIRST}(${word("stop")})\\s+(${word("after")})`, STATEMENT, CLAUSE_WORD),
    parts(`${FIRST}(${word("validate")})(?:\\s+(${word("every")}))?`, STATEMENT, CLAUSE_WORD),
    parts(`${FIRST}(${word("checkpoint")})\\s+(${word("every")})`, STATEMENT, CLAUSE_WORD),
    parts(`${BEGIN}(${word("without")})\\s+(${word("gain")})`, CLAUSE_WORD, CLAUSE_WORD),
    ...include("else-drop"),
    parts(`${BEGIN}(${word("else")})\\s+(${word("keep")})\\s+(${NAME})`, CONDITION, CLAUSE_WORD, OPTION),
    pair(word("else"), CONDITION, OPTION),
    options("tune", "optimizer", "device", "shuffle", "pack", "recompute", "precision", "weights"),
    statements(
      "model", "data", "task", "tune", "length", "epochs", "steps", "batch", "rate", "optimizer", "clip", "shuffle",
      "seed", "stop", "keep", "pack", "recompute", "precision", "weights", "smooth", "beta",
      "device",
    ),
    token(BEGIN + word("accumulate", "warmup", "decay", "floor", "by"), CLAUSE_WORD),
    ...include("settings", "quantity", "expression"),
  ]),
  evaluate: declaration(
    `(${word("evaluate")})\\s*(${NAME})?(?:\\s+(${word("on")})\\s+(${NAME})(?:\\s*(\\.)\\s*(${NAME}))?)?`,
    [DECLARATION, DECLARED, CLAUSE_WORD, DECLARED, "punctuation.accessor", VALUE],
    [
      block("evaluate", [
        ...include("comment"),
        listing(OPTION, "report"),
        options("generate"),
        statements("by", "generate", "require"),
        token(`${BEGIN}${word("at")}(?=\\s*\\[)`, CLAUSE_WORD),
        ...include("settings", "expression"),
      ]),
    ],
  ),
  test: declaration(
    `(${word("test")})\\s*(${NAME})?`,
    [DECLARATION, DECLARED],
    [
      ...include("comment", "string"),
      block("test", [
        ...include("comment"),
        parts(`${FIRST}(${word("expect")})\\s+(${word("drop", "quarantine")})`, STATEMENT, DROP),
        statements("given", "expect"),
        ...include("expression"),
      ]),
    ],
  ),
};
