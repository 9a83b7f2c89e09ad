/* The CQL lexer. Comments begin with two dashes or two slashes and end with the line, or with
 * slash-star, which does not nest. Strings: '…' with '' inside, "…" with "" inside, $$…$$ with
 * nothing special inside. */
#include "schema/lexer.h"

#include "schema/mem.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_part(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

static char peek(const cqlsch_lexer *lx, size_t ahead)
{
    return ahead < lx->text.len - lx->at ? lx->text.ptr[lx->at + ahead] : '\0';
}

static bool at_end(const cqlsch_lexer *lx)
{
    return lx->at >= lx->text.len;
}

/* Moves over n bytes. Continuation bytes of UTF-8 do not count as columns. */
static void skip(cqlsch_lexer *lx, size_t n)
{
    for (; n; n--, lx->at++) {
        unsigned char c = (unsigned char)lx->text.ptr[lx->at];
        if (c == '\n') {
            lx->place.line++;
            lx->place.column = 1;
        } else if ((c & 0xc0) != 0x80) {
            lx->place.column++;
        }
    }
}

/* A byte-order mark: at the start of a text, or where texts were joined. */
static bool at_mark(const cqlsch_lexer *lx)
{
    return lx->text.len - lx->at >= 3 && memcmp(lx->text.ptr + lx->at, "\xef\xbb\xbf", 3) == 0;
}

void cqlsch_lexer_init(cqlsch_lexer *lx, cql_str text)
{
    *lx = (cqlsch_lexer){.text = text, .place = {1, 1}};
    if (at_mark(lx))
        lx->at = 3;
    else if (text.len >= 2 &&
             (memcmp(text.ptr, "\xff\xfe", 2) == 0 || memcmp(text.ptr, "\xfe\xff", 2) == 0))
        lx->problem = CQLSCH_UTF16;
}

/* Bytes of the UTF-8 character at the lexer's place; 0 when it is none. */
static size_t utf8_length(const cqlsch_lexer *lx)
{
    static const struct {
        unsigned char mask, lead, low, high; /* low, high: range of the second byte */
        size_t len;
    } forms[] = {
        {0x80, 0x00, 0x00, 0xff, 1}, {0xe0, 0xc0, 0x80, 0xbf, 2}, {0xff, 0xe0, 0xa0, 0xbf, 3},
        {0xff, 0xed, 0x80, 0x9f, 3}, {0xf0, 0xe0, 0x80, 0xbf, 3}, {0xff, 0xf0, 0x90, 0xbf, 4},
        {0xff, 0xf4, 0x80, 0x8f, 4}, {0xf8, 0xf0, 0x80, 0xbf, 4},
    };
    const unsigned char *p = (const unsigned char *)lx->text.ptr + lx->at;
    size_t left = lx->text.len - lx->at;
    if (p[0] == 0xc0 || p[0] == 0xc1 || p[0] > 0xf4)
        return 0;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        if ((p[0] & forms[i].mask) != forms[i].lead)
            continue;
        if (forms[i].len > left)
            return 0;
        if (forms[i].len > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
            return 0;
        for (size_t k = 2; k < forms[i].len; k++) {
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        }
        return forms[i].len;
    }
    return 0;
}

/* Moves over one character of any kind; false (and the problem set) when it is not text. */
static bool skip_char(cqlsch_lexer *lx)
{
    if (lx->text.ptr[lx->at] == '\0') {
        lx->problem = CQLSCH_NUL_BYTE;
        return false;
    }
    size_t len = utf8_length(lx);
    if (!len) {
        lx->problem = CQLSCH_NOT_UTF8;
        return false;
    }
    skip(lx, len);
    return true;
}

static bool skip_line_comment(cqlsch_lexer *lx)
{
    while (!at_end(lx) && peek(lx, 0) != '\n' && peek(lx, 0) != '\r') {
        if (!skip_char(lx))
            return false;
    }
    return true;
}

static bool skip_block_comment(cqlsch_lexer *lx)
{
    cqlsch_lexer start = *lx;
    skip(lx, 2);
    while (!at_end(lx)) {
        if (peek(lx, 0) == '*' && peek(lx, 1) == '/') {
            skip(lx, 2);
            return true;
        }
        if (!skip_char(lx))
            return false;
    }
    *lx = start;
    lx->problem = CQLSCH_OPEN_COMMENT;
    return false;
}

/* White space and comments; false when a comment has no end or is no text. */
static bool skip_blank(cqlsch_lexer *lx)
{
    while (!at_end(lx)) {
        char c = peek(lx, 0);
        char next = peek(lx, 1);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            skip(lx, 1);
        } else if (at_mark(lx)) {
            skip(lx, 3);
        } else if ((c == '-' && next == '-') || (c == '/' && next == '/')) {
            if (!skip_line_comment(lx))
                return false;
        } else if (c == '/' && next == '*') {
            if (!skip_block_comment(lx))
                return false;
        } else {
            break;
        }
    }
    return true;
}

/* '…' and "…"; a doubled quote stands for itself. */
static bool skip_quoted(cqlsch_lexer *lx, char quote, cqlsch_problem open)
{
    cqlsch_lexer start = *lx;
    skip(lx, 1);
    while (!at_end(lx)) {
        if (peek(lx, 0) != quote) {
            if (!skip_char(lx))
                return false;
        } else if (peek(lx, 1) == quote) {
            skip(lx, 2);
        } else {
            skip(lx, 1);
            return true;
        }
    }
    *lx = start;
    lx->problem = open;
    return false;
}

static bool skip_dollar(cqlsch_lexer *lx)
{
    cqlsch_lexer start = *lx;
    skip(lx, 2);
    while (!at_end(lx)) {
        if (peek(lx, 0) == '$' && peek(lx, 1) == '$') {
            skip(lx, 2);
            return true;
        }
        if (!skip_char(lx))
            return false;
    }
    *lx = start;
    lx->problem = CQLSCH_OPEN_DOLLAR;
    return false;
}

/* Digits, letters, one point between digits, a sign after an exponent's e. */
static void skip_number(cqlsch_lexer *lx)
{
    bool hex = peek(lx, 0) == '0' && (peek(lx, 1) == 'x' || peek(lx, 1) == 'X');
    bool point = false;
    for (;;) {
        char c = peek(lx, 0);
        char next = peek(lx, 1);
        if (!hex && !point && c == '.' && is_digit(next)) {
            point = true;
            skip(lx, 2);
        } else if (!hex && (c == 'e' || c == 'E') && (next == '-' || next == '+') &&
                   is_digit(peek(lx, 2))) {
            skip(lx, 2);
        } else if (is_part(c)) {
            skip(lx, 1);
        } else {
            return;
        }
    }
}

/* The token that begins at the lexer's place, which is not blank and not the end. */
static cqlsch_token_kind scan(cqlsch_lexer *lx)
{
    char c = peek(lx, 0);
    if (is_letter(c)) {
        while (is_part(peek(lx, 0)))
            skip(lx, 1);
        return CQLSCH_WORD;
    }
    if (is_digit(c)) {
        skip_number(lx);
        return CQLSCH_NUMBER;
    }
    if (c == '\'')
        return skip_quoted(lx, c, CQLSCH_OPEN_STRING) ? CQLSCH_STRING : CQLSCH_BAD;
    if (c == '"')
        return skip_quoted(lx, c, CQLSCH_OPEN_NAME) ? CQLSCH_NAME : CQLSCH_BAD;
    if (c == '$' && peek(lx, 1) == '$')
        return skip_dollar(lx) ? CQLSCH_STRING : CQLSCH_BAD;
    return skip_char(lx) ? CQLSCH_PUNCT : CQLSCH_BAD;
}

cqlsch_token cqlsch_lex(cqlsch_lexer *lx)
{
    cqlsch_token t = {.kind = CQLSCH_BAD};
    bool fine = lx->problem == CQLSCH_NO_PROBLEM && skip_blank(lx);
    t.offset = lx->at;
    t.place = lx->place;
    if (fine)
        t.kind = at_end(lx) ? CQLSCH_END : scan(lx);
    if (t.kind == CQLSCH_BAD)
        t.place = lx->place;
    t.text = cqlsch_sub(lx->text, t.offset, lx->at);
    return t;
}

const char *cqlsch_problem_text(cqlsch_problem problem)
{
    switch (problem) {
    case CQLSCH_NO_PROBLEM:
        return "";
    case CQLSCH_OPEN_STRING:
        return "the string that begins here has no end";
    case CQLSCH_OPEN_NAME:
        return "the quoted name that begins here has no end";
    case CQLSCH_OPEN_DOLLAR:
        return "the $$ string that begins here has no end";
    case CQLSCH_OPEN_COMMENT:
        return "the comment that begins here has no end";
    case CQLSCH_NUL_BYTE:
        return "a NUL byte, which CQL cannot hold";
    case CQLSCH_NOT_UTF8:
        return "bytes that are not UTF-8; save the file as UTF-8";
    case CQLSCH_UTF16:
        return "the text is UTF-16; save the file as UTF-8";
    }
    return "";
}

bool cqlsch_problem_open(cqlsch_problem problem)
{
    return problem == CQLSCH_OPEN_STRING || problem == CQLSCH_OPEN_NAME ||
           problem == CQLSCH_OPEN_DOLLAR || problem == CQLSCH_OPEN_COMMENT;
}

bool cqlsch_is_word(const cqlsch_token *t, const char *word)
{
    return t->kind == CQLSCH_WORD && cqlsch_same_word(t->text, word);
}

bool cqlsch_is_punct(const cqlsch_token *t, char c)
{
    return t->kind == CQLSCH_PUNCT && t->text.len == 1 && t->text.ptr[0] == c;
}
