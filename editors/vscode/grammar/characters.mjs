// Comments, names, numbers, strings with the Jinja in them, and regexes.

import {
  BARE, NUMBER, CLAUSE, token, parts, region, include, block,
} from "./parts.mjs";

const strings = (long, short) => ({
  patterns: [
    region({
      name: "string.quoted.triple",
      begin: '(""")',
      opens: ["punctuation.definition.string.begin"],
      end: '(""")',
      closes: ["punctuation.definition.string.end"],
      inside: include(...long),
    }),
    region({
      name: "string.quoted.double",
      begin: '(")',
      opens: ["punctuation.definition.string.begin"],
      end: '(")|$',
      closes: ["punctuation.definition.string.end"],
      inside: include(...short),
    }),
  ],
});

/** Jinja, which ends with the string around it whatever it holds. */
const jinja = (stringEnd) => {
  const mark = "punctuation.section.embedded";
  const code = (begin, opens, end) =>
    region({
      name: "meta.embedded.jinja",
      begin,
      opens,
      end: `(${end})|${stringEnd}`,
      closes: [`${mark}.end`],
      inside: include("jinja-inside"),
    });
  return {
    patterns: [
      region({ name: "comment.block.jinja", begin: "\\{#", end: `#\\}|${stringEnd}`, inside: [] }),
      code("(\\{\\{[-+]?)", [`${mark}.begin`], "[-+]?\\}\\}"),
      code(`(\\{%[-+]?)\\s*(${BARE})?`, [`${mark}.begin`, "keyword.control.jinja"], "[-+]?%\\}"),
    ],
  };
};
const jinjaString = (kind, begin, end) =>
  region({
    name: `string.quoted.${kind}.jinja`,
    begin: `(${begin})`,
    opens: ["punctuation.definition.string.begin"],
    end: `(${end})|(?=(?<!\\\\)")|$`,
    closes: ["punctuation.definition.string.end"],
    inside: [],
  });

export const characters = {
  comment: {
    patterns: [
      region({
        name: "comment.line.documentation",
        begin: "(///)(?!/)",
        opens: ["punctuation.definition.comment"],
        end: "$",
        inside: [],
      }),
      region({
        name: "comment.line.double-slash",
        begin: "(//)",
        opens: ["punctuation.definition.comment"],
        end: "$",
        inside: [],
      }),
    ],
  },
  name: {
    patterns: [token("`[^`\\n]+`", "variable.other.quoted"), token(BARE, "variable.other")],
  },
  number: token(`(?<![[:alpha:]0-9_])${NUMBER}`, "constant.numeric"),
  quantity: {
    patterns: [
      parts(
        `(?<![[:alpha:]0-9_])(-?${NUMBER})[ \\t]+(?!${CLAUSE})(${BARE})`,
        "constant.numeric",
        "keyword.other.unit",
      ),
      token(`(?<![[:alpha:]0-9_])-?${NUMBER}`, "constant.numeric"),
    ],
  },
  escape: {
    patterns: [
      token('\\\\(?:u\\{[0-9a-fA-F]{1,6}\\}|[ntr\\\\"])', "constant.character.escape"),
      token("\\\\.", "invalid.illegal.escape"),
    ],
  },
  string: strings(["escape"], ["escape"]),
  "template-text": strings(["jinja-long", "escape"], ["jinja-short", "escape"]),
  "jinja-short": jinja('(?=(?<!\\\\)")|$'),
  "jinja-long": jinja('(?=""")'),
  "jinja-inside": {
    patterns: [
      jinjaString("double", '\\\\"', '\\\\"'),
      jinjaString("double", '"(?!"")', '"'),
      jinjaString("single", "'", "'"),
      token("\\b[0-9]+(?:\\.[0-9]+)?\\b", "constant.numeric.jinja"),
      token("(?<![.\\w])(?:true|false|none|True|False|None)\\b", "constant.language.jinja"),
      token("(?<![.\\w])(?:if|else|elif|for|in|is|and|or|not|recursive)\\b", "keyword.control.jinja"),
      parts(`(\\|)\\s*(${BARE})`, "keyword.operator.pipe.jinja", "entity.name.function.jinja"),
      parts(`(\\.)(${BARE})`, "punctuation.accessor.jinja", "variable.other.member.jinja"),
      token(`${BARE}(?=\\()`, "entity.name.function.jinja"),
      token(BARE, "variable.other.jinja"),
      token("[-+*/%~=!<>]+", "keyword.operator.jinja"),
      token("[,:()\\[\\]{}|]", "punctuation.jinja"),
    ],
  },
  // A `/` after an operand divides; after an operator or one of these words it begins a regex.
  division: parts(
    '(?<=[[:alpha:]0-9_)\\]`"%])(?<!\\band)(?<!\\bor)(?<!\\bnot)(?<!\\bin)(?<!\\bwhen)(?<!\\belse)(?<!\\bmatches)' +
      "\\s*(/)(?!/)",
    "keyword.operator.arithmetic",
  ),
  regex: region({
    name: "string.regexp",
    begin: "(/)(?!/)(?=(?:\\[\\^?\\]?(?:\\\\.|[^\\]\\\\])*\\]|\\\\.|[^/\\\\])+/)",
    opens: ["punctuation.definition.string.begin"],
    end: "(/)([a-z]*)|$",
    closes: ["punctuation.definition.string.end", "keyword.other.regex-flags"],
    inside: include("regex-inside"),
  }),
  "regex-inside": {
    patterns: [
      token("\\\\[bBAz]|[\\^$]", "keyword.control.anchor.regexp"),
      token("\\\\(?:[pP]\\{[^}]*\\}|x\\{[^}]*\\}|.)", "constant.character.escape.regexp"),
      region({
        name: "constant.other.character-class.set.regexp",
        begin: "(\\[\\^?)\\]?",
        opens: ["punctuation.definition.character-class.regexp"],
        end: "(\\])|$",
        closes: ["punctuation.definition.character-class.regexp"],
        inside: [token("\\\\.", "constant.character.escape.regexp")],
      }),
      token("\\(\\?(?:P?<[^>]*>|[a-z-]*:?)|[()]", "punctuation.definition.group.regexp"),
      token("[*+?]\\??|\\{[0-9]+(?:,[0-9]*)?\\}\\??", "keyword.operator.quantifier.regexp"),
      token("\\|", "keyword.operator.or.regexp"),
    ],
  },
};
