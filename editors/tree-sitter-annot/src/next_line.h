// The tokens of the scanner, and what the line after a newline makes of it.

#ifndef ANNOT_NEXT_LINE_H_
#define ANNOT_NEXT_LINE_H_

#include "tree_sitter/parser.h"

#include <string.h>

// The order is that of `externals` in `grammar.js`.
enum TokenType {
    NEWLINE,
    CONTINUATION,
    LINE_DECLARATION,
    LINE_WHEN,
    LINE_BY,
    LINE_NEAR,
    LINE_CHECK,
    LINE_AT,
    LINE_STRATIFY,
    LINE_SEED,
    LINE_PER,
    LINE_OVER,
    LINE_WARMUP,
    LINE_DECAY,
    LINE_FLOOR,
    LINE_ACCUMULATE,
    LINE_BECAUSE,
    LINE_KEEP,
    LINE_LIKE,
    LINE_AGAINST,
    LINE_ELSE,
    TEXT_CONTENT,
    LONG_TEXT_CONTENT,
    OPEN_PAREN,
    CLOSE_PAREN,
    OPEN_SQUARE,
    CLOSE_SQUARE,
    OPEN_BLOCK,
    OPEN_RECORD,
    CLOSE_BRACE,
    NUMBER,
    PERCENT,
    COMMENT,
    DOC_COMMENT,
    // Never made: valid where an expression is complete and an operator may follow.
    OPERATOR_LINE,
    // Stands in no rule, so it is valid only while the parser recovers from an error and takes every token.
    RECOVERING,
};

// The clause words, in the order of their tokens from `LINE_WHEN` on.
static const char *const CLAUSE_WORDS[] = {
    "when", "by",     "near",  "check", "at",         "stratify", "seed", "per",
    "over", "warmup", "decay", "floor",      "accumulate", "because", "keep",
    "like", "against", "else",
};
enum { CLAUSE_COUNT = sizeof CLAUSE_WORDS / sizeof *CLAUSE_WORDS };

// The words that are operators between or behind operands. `not` is one only before `in`.
static const char *const OPERATOR_WORDS[] = {"and", "or", "in", "is", "matches", "match"};
enum { OPERATOR_COUNT = sizeof OPERATOR_WORDS / sizeof *OPERATOR_WORDS };

// How a declaration begins: its word, a name except after `use`, and what the character after these is. Nothing in a
// block looks like it.
static const struct {
    const char *word;
    char next;
} DECLARATIONS[] = {
    {"source", '{'},  {"label", ':'}, {"clean", '{'}, {"policy", '{'}, {"template", ':'},
    {"dataset", '{'}, {"model", '{'}, {"train", '{'}, {"test", '"'},   {"evaluate", 'o'},
    {"let", '='},     {"fn", '('},    {"use", '"'},
};
enum { DECLARATION_COUNT = sizeof DECLARATIONS / sizeof *DECLARATIONS };

// Longer than every word of the tables.
enum { WORD_SIZE = 16 };

static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }

// Letters beyond ASCII are taken without a look at what they are: the grammar refuses what is none.
static bool is_name_char(int32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c > 127;
}

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

static void advance_blanks(TSLexer *lexer, bool newlines_too) {
    while (is_blank(lexer->lookahead) || (newlines_too && lexer->lookahead == '\n')) advance(lexer);
}

// Reads a word, of which `word` keeps as much as fits.
static void read_word(TSLexer *lexer, char word[WORD_SIZE]) {
    unsigned length = 0;
    while (is_name_char(lexer->lookahead)) {
        if (length < WORD_SIZE - 1) word[length++] = lexer->lookahead > 127 ? '?' : (char)lexer->lookahead;
        advance(lexer);
    }
    word[length] = '\0';
}

// Reads a string of either form, or a name in backticks.
static bool read_quoted(TSLexer *lexer) {
    int32_t quote = lexer->lookahead;
    advance(lexer);
    unsigned quotes = 1;
    if (quote == '"' && lexer->lookahead == '"') {
        advance(lexer);
        if (lexer->lookahead != '"') return true;
        advance(lexer);
        quotes = 3;
    }
    unsigned closing = 0;
    while (!lexer->eof(lexer) && (quotes == 3 || lexer->lookahead != '\n')) {
        int32_t c = lexer->lookahead;
        advance(lexer);
        closing = c == quote ? closing + 1 : 0;
        if (closing == quotes) return true;
        if (quote == '"' && c == '\\' && lexer->lookahead != '\n') advance(lexer);
    }
    return false;
}

// Reads a comment after its first slash, and gives the number of slashes that begin it; one is no comment.
static unsigned read_comment(TSLexer *lexer) {
    unsigned slashes = 1;
    for (; lexer->lookahead == '/'; slashes++) advance(lexer);
    while (slashes > 1 && !lexer->eof(lexer) && lexer->lookahead != '\n') advance(lexer);
    return slashes;
}

// Reads over a number, or over what only looks like one.
static void skip_number(TSLexer *lexer) {
    while (is_name_char(lexer->lookahead) || lexer->lookahead == '.' || lexer->lookahead == '%') {
        bool exponent = lexer->lookahead == 'e' || lexer->lookahead == 'E';
        advance(lexer);
        if (exponent && (lexer->lookahead == '+' || lexer->lookahead == '-')) advance(lexer);
    }
}

// Whether `patterns =>` stands behind a `-` that begins a line: then the line is the next arm of a `match`, and not a
// subtraction.
static bool minus_begins_arm(TSLexer *lexer) {
    char word[WORD_SIZE];
    for (;;) {
        advance_blanks(lexer, false);
        if (is_digit(lexer->lookahead)) {
            skip_number(lexer);
        } else if (lexer->lookahead == '"' || lexer->lookahead == '`') {
            if (!read_quoted(lexer)) return false;
        } else if (is_name_char(lexer->lookahead)) {
            read_word(lexer, word);
        } else {
            return false;
        }
        advance_blanks(lexer, false);
        if (lexer->lookahead != ',') break;
        advance(lexer);
        advance_blanks(lexer, true);
        if (lexer->lookahead == '-') advance(lexer);
    }
    if (lexer->lookahead != '=') return false;
    advance(lexer);
    return lexer->lookahead == '>';
}

// Whether the sign at hand is an operator that continues an expression.
static bool sign_continues(TSLexer *lexer) {
    int32_t sign = lexer->lookahead;
    advance(lexer);
    switch (sign) {
        case '+':
        case '*':
        case '<':
        case '>':
            return true;
        case '-':
            return !minus_begins_arm(lexer);
        case '.':
            return lexer->lookahead != '.';
        case '?':
            return lexer->lookahead == '?';
        case '=':
        case '!':
            return lexer->lookahead == '=';
        case '|':
            return lexer->lookahead == '>';
        default:
            return false;
    }
}

// Whether what follows a word shows that the word begins a declaration.
static bool begins_declaration(TSLexer *lexer, const char *word) {
    unsigned i = 0;
    while (i < DECLARATION_COUNT && strcmp(word, DECLARATIONS[i].word) != 0) i++;
    if (i == DECLARATION_COUNT) return false;
    advance_blanks(lexer, false);
    if (strcmp(word, "use") != 0) {
        char name[WORD_SIZE];
        if (lexer->lookahead != '`') {
            read_word(lexer, name);
        } else if (!read_quoted(lexer)) {
            return false;
        }
        advance_blanks(lexer, false);
    }
    return lexer->lookahead == DECLARATIONS[i].next;
}

// What a line that begins with a word makes of the newline before it.
static enum TokenType word_makes(TSLexer *lexer) {
    char word[WORD_SIZE];
    bool first = lexer->get_column(lexer) == 0;
    read_word(lexer, word);
    if (first && begins_declaration(lexer, word)) return LINE_DECLARATION;
    for (unsigned i = 0; i < OPERATOR_COUNT; i++) {
        if (strcmp(word, OPERATOR_WORDS[i]) == 0) return CONTINUATION;
    }
    for (unsigned i = 0; i < CLAUSE_COUNT; i++) {
        if (strcmp(word, CLAUSE_WORDS[i]) == 0) return (enum TokenType)(LINE_WHEN + i);
    }
    if (strcmp(word, "not") != 0) return NEWLINE;
    advance_blanks(lexer, false);
    read_word(lexer, word);
    return strcmp(word, "in") == 0 ? CONTINUATION : NEWLINE;
}

// What the next line makes of the newline before it: `NEWLINE`, `CONTINUATION`, or a token of its own. Looks beyond
// blank lines and comments; `commented` says whether there was one. Documentation ends a statement, whatever follows.
static enum TokenType next_line_makes(TSLexer *lexer, bool *commented) {
    bool documented = false;
    *commented = false;
    for (;;) {
        advance_blanks(lexer, true);
        if (lexer->lookahead != '/') break;
        advance(lexer);
        unsigned slashes = read_comment(lexer);
        if (slashes == 1) return documented ? NEWLINE : CONTINUATION;
        documented |= slashes == 3;
        *commented = true;
    }
    enum TokenType made = NEWLINE;
    if (is_name_char(lexer->lookahead)) {
        made = word_makes(lexer);
    } else if (sign_continues(lexer)) {
        made = CONTINUATION;
    }
    return documented && made != LINE_DECLARATION ? NEWLINE : made;
}

#endif
