// What the grammar cannot say by itself: whether a newline ends a statement, and how far strings, numbers and comments
// reach.
//
// The scanner keeps the open brackets on a stack. Inside `( )`, `[ ]` and a record's `{ }` a newline is white space; in a
// block it ends the statement, unless the next line that is no comment goes on with it. The innermost bracket decides.

#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"

#include <string.h>

// The order is that of `externals` in `grammar.js`.
enum TokenType {
    NEWLINE,
    CONTINUATION,
    LINE_WHEN,
    LINE_BY,
    LINE_NEAR,
    LINE_AT,
    LINE_STRATIFY,
    LINE_SEED,
    LINE_PER,
    LINE_OVER,
    LINE_WARMUP,
    LINE_FLOOR,
    LINE_ACCUMULATE,
    LINE_BECAUSE,
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
    "when", "by",    "near",   "at",    "stratify",   "seed",    "per",
    "over", "warmup", "floor", "accumulate", "because", "else",
};
enum { CLAUSE_COUNT = sizeof CLAUSE_WORDS / sizeof *CLAUSE_WORDS };

// The words that are operators between or behind operands. `not` is one only before `in`.
static const char *const OPERATOR_WORDS[] = {"and", "or", "in", "is", "matches", "match"};
enum { OPERATOR_COUNT = sizeof OPERATOR_WORDS / sizeof *OPERATOR_WORDS };

// Longer than every word of the tables.
enum { WORD_SIZE = 16 };

enum Bracket { PAREN, SQUARE, RECORD, BLOCK };

// The language allows 64 levels; a deeper bracket is not remembered.
enum { DEEPEST = 128 };

typedef struct {
    uint8_t depth;
    uint8_t open[DEEPEST];
} Scanner;

void *tree_sitter_annot_external_scanner_create(void) { return ts_calloc(1, sizeof(Scanner)); }

void tree_sitter_annot_external_scanner_destroy(void *payload) { ts_free(payload); }

unsigned tree_sitter_annot_external_scanner_serialize(void *payload, char *buffer) {
    const Scanner *scanner = payload;
    memcpy(buffer, scanner->open, scanner->depth);
    return scanner->depth;
}

void tree_sitter_annot_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
    Scanner *scanner = payload;
    scanner->depth = (uint8_t)length;
    if (length > 0) memcpy(scanner->open, buffer, length);
}

static void push(Scanner *scanner, enum Bracket bracket) {
    if (scanner->depth < DEEPEST) scanner->open[scanner->depth++] = (uint8_t)bracket;
}

static bool is_brace(uint8_t bracket) { return bracket == RECORD || bracket == BLOCK; }

// Forgets the bracket that a closing sign ends. A `}` also ends brackets inside it that were never closed; a `)` or `]`
// without its partner ends nothing.
static void pop(Scanner *scanner, enum TokenType closing) {
    if (closing == CLOSE_BRACE) {
        while (scanner->depth > 0 && !is_brace(scanner->open[scanner->depth - 1])) scanner->depth--;
        if (scanner->depth > 0) scanner->depth--;
        return;
    }
    uint8_t partner = closing == CLOSE_PAREN ? PAREN : SQUARE;
    if (scanner->depth > 0 && scanner->open[scanner->depth - 1] == partner) scanner->depth--;
}

static bool newline_is_free(const Scanner *scanner) {
    return scanner->depth > 0 && scanner->open[scanner->depth - 1] != BLOCK;
}

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

// Reads digits, between which single underscores may stand; whether there were any, and no underscore after them.
static bool read_digits(TSLexer *lexer) {
    bool digit = false;
    while (is_digit(lexer->lookahead) || (digit && lexer->lookahead == '_')) {
        digit = lexer->lookahead != '_';
        advance(lexer);
    }
    return digit;
}

// Reads a number and its `%`; `token` is what it is, and as a token it ends where its last character was read. A number
// ends before a point that no digit follows: `1..3` is a range.
static bool read_number(TSLexer *lexer, enum TokenType *token) {
    *token = NUMBER;
    if (!read_digits(lexer)) return false;
    lexer->mark_end(lexer);
    if (lexer->lookahead == '.') {
        advance(lexer);
        if (!is_digit(lexer->lookahead)) return true;
        if (!read_digits(lexer)) return false;
    }
    if (lexer->lookahead == 'e' || lexer->lookahead == 'E') {
        advance(lexer);
        if (lexer->lookahead == '+' || lexer->lookahead == '-') advance(lexer);
        if (!read_digits(lexer)) return false;
    }
    if (lexer->lookahead == '%') {
        advance(lexer);
        *token = PERCENT;
    }
    lexer->mark_end(lexer);
    return *token == PERCENT || !is_name_char(lexer->lookahead);
}

static bool scan_number(TSLexer *lexer, const bool *valid) {
    enum TokenType token;
    bool whole = read_number(lexer, &token);
    lexer->result_symbol = token;
    return whole && valid[token];
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

// What a line makes of the newline before it: `NEWLINE`, `CONTINUATION`, or the token of its clause word.
static enum TokenType word_makes(TSLexer *lexer) {
    char word[WORD_SIZE];
    read_word(lexer, word);
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

// Looks beyond blank lines and comments at the line that comes next. `commented` says whether there was a comment.
static enum TokenType next_line_makes(TSLexer *lexer, bool *commented) {
    *commented = false;
    for (;;) {
        advance_blanks(lexer, true);
        if (lexer->lookahead != '/') break;
        advance(lexer);
        unsigned slashes = read_comment(lexer);
        if (slashes == 1) return CONTINUATION;
        if (slashes == 3) return NEWLINE;
        *commented = true;
    }
    return is_name_char(lexer->lookahead) ? word_makes(lexer) : sign_continues(lexer) ? CONTINUATION : NEWLINE;
}

// Reads a newline, with the blank lines after it. One that cannot stand here is a token all the same, so that the parser
// sees the mistake instead of a character that it may skip.
static bool scan_newline(const Scanner *scanner, TSLexer *lexer, const bool *valid) {
    while (lexer->lookahead == '\n') {
        advance(lexer);
        lexer->mark_end(lexer);
        advance_blanks(lexer, false);
    }
    lexer->result_symbol = CONTINUATION;
    if (newline_is_free(scanner)) return true;
    bool commented;
    enum TokenType made = next_line_makes(lexer, &commented);
    bool taken = made == CONTINUATION ? valid[OPERATOR_LINE] : valid[made];
    // After a mistake every token is valid; a word that can begin a statement then does.
    if (valid[RECOVERING] && (made == LINE_BY || made == LINE_SEED)) taken = false;
    if (!taken) {
        lexer->result_symbol = NEWLINE;
    } else if (made < LINE_WHEN || !(commented || valid[RECOVERING])) {
        lexer->result_symbol = made;
    }
    // Else a clause follows, but the newline before a comment leaves its token to the newline after the comment.
    return true;
}

// The text of a string up to an escape or the closing quotes.
static bool scan_text(TSLexer *lexer, bool is_long) {
    bool some = false;
    lexer->result_symbol = is_long ? LONG_TEXT_CONTENT : TEXT_CONTENT;
    while (!lexer->eof(lexer)) {
        lexer->mark_end(lexer);
        if (lexer->lookahead == '\\' || (!is_long && lexer->lookahead == '\n')) return some;
        if (lexer->lookahead == '"') {
            if (!is_long) return some;
            unsigned quotes = 0;
            for (; lexer->lookahead == '"' && quotes < 3; quotes++) advance(lexer);
            if (quotes == 3) return some;
        } else {
            advance(lexer);
        }
        some = true;
    }
    lexer->mark_end(lexer);
    return some;
}

static bool scan_comment(TSLexer *lexer, const bool *valid) {
    advance(lexer);
    unsigned slashes = read_comment(lexer);
    lexer->mark_end(lexer);
    lexer->result_symbol = slashes == 3 ? DOC_COMMENT : COMMENT;
    return slashes > 1 && valid[lexer->result_symbol];
}

static bool scan_bracket(Scanner *scanner, TSLexer *lexer, const bool *valid) {
    enum TokenType token;
    switch (lexer->lookahead) {
        case '(': token = OPEN_PAREN; break;
        case ')': token = CLOSE_PAREN; break;
        case '[': token = OPEN_SQUARE; break;
        case ']': token = CLOSE_SQUARE; break;
        case '{': token = valid[OPEN_BLOCK] ? OPEN_BLOCK : OPEN_RECORD; break;
        case '}': token = CLOSE_BRACE; break;
        default: return false;
    }
    if (!valid[token]) return false;
    advance(lexer);
    switch (token) {
        case OPEN_PAREN: push(scanner, PAREN); break;
        case OPEN_SQUARE: push(scanner, SQUARE); break;
        case OPEN_BLOCK: push(scanner, BLOCK); break;
        case OPEN_RECORD: push(scanner, RECORD); break;
        default: pop(scanner, token); break;
    }
    lexer->result_symbol = token;
    return true;
}

bool tree_sitter_annot_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
    Scanner *scanner = payload;
    if (!valid[RECOVERING] && (valid[TEXT_CONTENT] || valid[LONG_TEXT_CONTENT])) {
        return scan_text(lexer, valid[LONG_TEXT_CONTENT]);
    }
    while (is_blank(lexer->lookahead)) lexer->advance(lexer, true);
    if (lexer->lookahead == '\n') return scan_newline(scanner, lexer, valid);
    if (lexer->lookahead == '/') return scan_comment(lexer, valid);
    if (is_digit(lexer->lookahead)) return scan_number(lexer, valid);
    return scan_bracket(scanner, lexer, valid);
}
