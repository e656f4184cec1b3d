// What the rules of the grammar are made of: the words and scopes that they share, and the forms that they have.

/** A name without backticks, and any name. */
export const BARE = "[[:alpha:]_][[:alpha:]0-9_]*";
export const NAME = `(?:${BARE}|\`[^\`\\n]+\`)`;
/** Where a statement begins: at the start of a line, or after what opens the block or ends the statement before. */
export const FIRST = "(?:^|(?<=[{;]))\\s*";
/** Where a word may begin: not within a name, and not as a member or an attribute. */
export const BEGIN = "(?<![[:alpha:]0-9_`@.])";
export const NUMBER = "[0-9](?:_?[0-9])*(?:\\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?%?";
/** One of the words, and no longer word that begins like it. */
export const word = (...words) => `(?:${words.join("|")})(?![[:alpha:]0-9_])`;
/** The words that begin a clause or are operators: no unit and no schedule is called so. */
export const CLAUSE = word(
  "when", "by", "near", "check", "at", "stratify", "seed", "per", "over", "keep", "like", "against", "warmup", "decay", "floor",
  "accumulate", "because", "from", "without", "else", "as", "and", "or", "not", "in", "is", "match", "matches",
);
/** The beginning of a declaration: what was not closed before it ends there. Nothing in a block looks like it. */
export const NEXT_DECLARATION =
  `^(?=(?:source|clean|policy|dataset|model|train)\\s+${NAME}\\s*\\{|(?:label|template)\\s+${NAME}\\s*:|` +
  `let\\s+${NAME}\\s*=|fn\\s+${NAME}\\s*\\(|test\\s+${NAME}\\s*"|evaluate\\s+${NAME}\\s+on\\b|use\\s*")`;
/** The end of a statement that may go on after a comma. */
export const STATEMENT_END = `(?=[;}])|(?<![,\\s])\\s*$|^\\s*$|${NEXT_DECLARATION}`;
/** The end of what ends with its block, or with its line where it has none. */
export const BLOCK_END = `(?<=\\})|$|${NEXT_DECLARATION}`;

export const DECLARATION = "storage.type.declaration";
export const STATEMENT = "keyword.other.statement";
export const CLAUSE_WORD = "keyword.other.clause";
export const CONDITION = "keyword.control.conditional";
export const DROP = "keyword.control.drop";
/** A name that is declared, or that refers to a declaration. */
export const DECLARED = "entity.name.type";
export const FIELD = "variable.other.member";
export const VALUE = "variable.other.enummember";
/** A word out of a closed list. */
export const OPTION = "constant.language";
export const FUNCTION = "entity.name.function";

const scope = (name) => `${name}.annot`;
const captures = (names) =>
  Object.fromEntries(names.flatMap((name, at) => (name ? [[String(at + 1), { name: scope(name) }]] : [])));

/** A token of one scope. */
export const token = (match, name) => ({ name: scope(name), match });
/** A token of several parts. */
export const parts = (match, ...names) => ({ match, captures: captures(names) });
/** A region between a beginning and an end. */
export const region = ({ name, begin, opens = [], end, closes = [], inside }) => ({
  ...(name && { name: scope(name) }),
  begin,
  ...(opens.length > 0 && { beginCaptures: captures(opens) }),
  end,
  ...(closes.length > 0 && { endCaptures: captures(closes) }),
  patterns: inside,
});
export const include = (...names) => names.map((name) => ({ include: `#${name}` }));

export const bracketed = (open, close, kind, name, inside) =>
  region({
    name,
    begin: `(${open})`,
    opens: [`punctuation.section.${kind}.begin`],
    end: `(${close})|${NEXT_DECLARATION}`,
    closes: [`punctuation.section.${kind}.end`],
    inside,
  });
export const block = (of, inside) => bracketed("\\{", "\\}", "block", `meta.block.${of}`, inside);

/** A declaration, up to the end of its block or of its line. */
export const declaration = (begin, opens, inside, end = BLOCK_END) =>
  region({ name: "meta.declaration", begin: `^\\s*${begin}`, opens, end, inside: [...inside, ...include("common")] });
/** A declaration of the form `word name { … }`. */
export const named = (kind, inside) =>
  declaration(`(${word(kind)})\\s*(${NAME})?`, [DECLARATION, DECLARED], [block(kind, inside)]);

/** The first word of a statement. */
export const first = (match, name) => parts(`${FIRST}(${match})`, name);
/** Words that begin statements. */
export const statements = (...words) => first(word(...words), STATEMENT);
/** Words that begin clauses; a field of the same name in an expression is known by what follows it. */
export const clauses = (...words) => token(`${BEGIN}${word(...words)}(?!\\s*[:=(.])`, CLAUSE_WORD);
/** Statements of a word and a value out of a closed list. */
export const options = (...words) => parts(`${FIRST}(${word(...words)})\\s+(${NAME})`, STATEMENT, OPTION);
/** Statements of a word and a list of names. */
export const listing = (name, ...words) =>
  statementRegion(word(...words), [token(NAME, name), token(",", "punctuation.separator")]);
export const statementRegion = (begin, inside) =>
  region({
    begin: `${FIRST}(${begin})`,
    opens: [STATEMENT],
    end: STATEMENT_END,
    inside: [...include("comment"), ...inside],
  });
/** A statement whose clauses may stand in lines of their own: it ends where one of the words begins another. */
export const longStatement = (begin, opens, words, inside) =>
  region({
    begin: `${FIRST}${begin}`,
    opens,
    end: `(?=[;}])|^(?=\\s*${word(...words)})|${NEXT_DECLARATION}`,
    inside: [...include("comment"), ...inside],
  });
/** A word and a name after it. */
export const pair = (match, name, second) => parts(`${BEGIN}(${match})\\s+(${NAME})`, name, second);
