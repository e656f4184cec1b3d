// What the grammar cannot say by itself: whether a newline ends a statement, and how far strings, numbers and comments
// reach.
//
// The scanner keeps the open brackets on a stack, of which the innermost decides. Inside `( )`, `[ ]` and a record's
// `{ }` a newline is white space; in a block it ends the statement, unless the next line, comments aside, goes on with it.

#include "next_line.h"
#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"

#include <string.h>

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

// Reads a newline, with the blank lines after it. One that cannot stand here is a token all the same, so that the
// parser sees the mistake instead of a character that it may skip.
static bool scan_newline(Scanner *scanner, TSLexer *lexer, const bool *valid) {
    while (lexer->lookahead == '\n') {
        advance(lexer);
        lexer->mark_end(lexer);
        advance_blanks(lexer, false);
    }
    bool commented;
    enum TokenType made = next_line_makes(lexer, &commented);
    if (made == LINE_DECLARATION) {
        scanner->depth = 0;
    } else if (newline_is_free(scanner)) {
        made = CONTINUATION;
    } else {
        // After a mistake every token is valid; a word that can begin a statement then does.
        bool begins = valid[RECOVERING] && (made == LINE_BY || made == LINE_SEED || made == LINE_KEEP);
        bool taken = made == CONTINUATION ? valid[OPERATOR_LINE] : valid[made] && !begins;
        if (!taken) {
            made = NEWLINE;
        } else if (made >= LINE_WHEN && (commented || valid[RECOVERING])) {
            // The newline before a comment leaves the clause's token to the newline after it.
            made = CONTINUATION;
        }
    }
    lexer->result_symbol = made;
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
