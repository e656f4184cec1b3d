// Expressions, options, types and the values of labels.

import {
  NEXT_DECLARATION, BARE, NAME, FIRST, BEGIN, word, CLAUSE_WORD, CONDITION, DROP, FIELD, VALUE, OPTION, FUNCTION,
  token, parts, region, include, bracketed, block, first,
} from "./parts.mjs";

export const expressions = {
  // What may stand anywhere; declarations end with it, so that nothing is left without a scope.
  common: {
    patterns: [
      ...include("comment", "string", "number"),
      token("[(){}\\[\\]]", "punctuation.section"),
      token("[,;:]", "punctuation.separator"),
      token("\\.\\.", "keyword.operator.range"),
      token("\\.", "punctuation.accessor"),
      token("=>|[=<>?+*/-]", "keyword.operator"),
      ...include("name"),
    ],
  },
  expression: {
    patterns: [
      ...include("comment", "string", "division", "regex", "number", "match"),
      token(BEGIN + word("true", "false", "null"), "constant.language"),
      token(BEGIN + word("and", "or", "not", "in", "is", "matches"), "keyword.operator.word"),
      token(BEGIN + word("when", "else"), CONDITION),
      token(`${BEGIN}${word("by")}(?=\\s+[[:alpha:]_\`"])`, CLAUSE_WORD),
      parts(`(\\|>)\\s*(${NAME})`, "keyword.operator.pipe", FUNCTION),
      parts(`(?<!\\.)(\\.)\\s*(${NAME})`, "punctuation.accessor", FIELD),
      token(`${NAME}(?=\\s*\\()`, FUNCTION),
      ...include("record"),
      bracketed("\\[", "\\]", "list", "meta.list", include("expression")),
      bracketed("\\(", "\\)", "group", "meta.group", include("expression")),
      token("=>", "keyword.operator.arrow"),
      token("==|!=|<=|>=|<|>", "keyword.operator.comparison"),
      token("\\?\\?", "keyword.operator.coalesce"),
      token("[-+*]", "keyword.operator.arithmetic"),
      token("=", "keyword.operator.assignment"),
      token("[,;:]", "punctuation.separator"),
      ...include("name"),
    ],
  },
  record: bracketed("\\{", "\\}", "record", "meta.record", [
    parts(`(${NAME})\\s*(:)`, FIELD, "punctuation.separator"),
    ...include("expression"),
  ]),
  match: region({
    name: "meta.block.match",
    begin: `${BEGIN}(${word("match")})\\s*(\\{)`,
    opens: ["keyword.control.match", "punctuation.section.block.begin"],
    end: `(\\})|${NEXT_DECLARATION}`,
    closes: ["punctuation.section.block.end"],
    inside: [
      parts(`(=>)\\s*(${word("drop")})`, "keyword.operator.arrow", DROP),
      token(`${BEGIN}${NAME}(?<!\\belse)(?<!\\btrue)(?<!\\bfalse)(?=\\s*(?:,[^;{}\\n]*)?=>)`, VALUE),
      ...include("expression"),
    ],
  }),
  "else-drop": parts(`${BEGIN}(${word("else")})\\s+(${word("drop")})`, CONDITION, DROP),
  settings: block("settings", [
    first(NAME, "variable.other.property"),
    ...include("comment", "string", "quantity"),
    token(NAME, OPTION),
    token("[\\[\\]]", "punctuation.section"),
    token("[,;]", "punctuation.separator"),
  ]),
};

export const types = {
  type: {
    patterns: [
      parts(`${BEGIN}(list)\\s*(<)`, "support.type", "punctuation.definition.typeparameters"),
      bracketed("\\{", "\\}", "record", "meta.type.record", [
        parts(`(${NAME})\\s*(:)`, FIELD, "punctuation.separator"),
        token(",", "punctuation.separator"),
        ...include("comment", "type"),
      ]),
      token(">", "punctuation.definition.typeparameters"),
      token("\\?", "keyword.operator.nullable"),
      token(NAME, "support.type"),
    ],
  },
  attribute: {
    patterns: [
      region({
        name: "meta.attribute",
        begin: `(@)\\s*(${BARE})\\s*(\\()`,
        opens: [
          "punctuation.definition.attribute",
          "entity.other.attribute-name",
          "punctuation.section.arguments.begin",
        ],
        end: `(\\))|${NEXT_DECLARATION}`,
        closes: ["punctuation.section.arguments.end"],
        inside: [...include("comment", "string"), token(NAME, OPTION), token(",", "punctuation.separator")],
      }),
      parts(`(@)\\s*(${BARE})`, "punctuation.definition.attribute", "entity.other.attribute-name"),
    ],
  },
  fields: block("fields", [
    ...include("comment", "attribute"),
    parts(`${FIRST}(${NAME})\\s*(:)`, FIELD, "punctuation.separator"),
    ...include("type"),
    token("[,;:]", "punctuation.separator"),
  ]),
  values: block("values", [
    ...include("comment"),
    first(NAME, VALUE),
    token(`${BEGIN}${word("key")}(?=\\s*")`, CLAUSE_WORD),
    ...include("string", "values"),
    token(";", "punctuation.separator"),
  ]),
};
