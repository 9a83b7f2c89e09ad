/* lexer.h: the tokens of CQL as the server's own grammar cuts them. Works over text that it does
 * not copy; knows line and column of everything. */
#ifndef CQLSCH_LEXER_H
#define CQLSCH_LEXER_H

#include <cqlnative/base.h>

typedef enum cqlsch_token_kind {
    CQLSCH_END,    /* of the text */
    CQLSCH_WORD,   /* identifier or keyword without quotes */
    CQLSCH_NAME,   /* "quoted identifier" */
    CQLSCH_STRING, /* 'text' or $$text$$ */
    CQLSCH_NUMBER, /* number, 0x blob, and what begins like one (a UUID's first part, 1h30m) */
    CQLSCH_PUNCT,  /* one character of anything else */
    CQLSCH_BAD     /* see cqlsch_lexer.problem */
} cqlsch_token_kind;

typedef enum cqlsch_problem {
    CQLSCH_NO_PROBLEM,
    CQLSCH_OPEN_STRING,
    CQLSCH_OPEN_NAME,
    CQLSCH_OPEN_DOLLAR,
    CQLSCH_OPEN_COMMENT,
    CQLSCH_NUL_BYTE,
    CQLSCH_NOT_UTF8,
    CQLSCH_UTF16
} cqlsch_problem;

/* Where something is: both count from 1; columns are characters, not bytes. */
typedef struct cqlsch_place {
    uint32_t line;
    uint32_t column;
} cqlsch_place;

typedef struct cqlsch_token {
    cqlsch_token_kind kind;
    cql_str text; /* as written, quotes included */
    size_t offset;
    cqlsch_place place;
} cqlsch_token;

typedef struct cqlsch_lexer {
    cql_str text;
    size_t at;
    cqlsch_place place;
    cqlsch_problem problem;
} cqlsch_lexer;

/* A byte-order mark at the start is passed over. */
void cqlsch_lexer_init(cqlsch_lexer *lx, cql_str text);
/* The next token; white space and comments are passed over. After CQLSCH_BAD (the token's place is
 * where the unfinished thing begins) the lexer stays where it is and says CQLSCH_BAD again. */
cqlsch_token cqlsch_lex(cqlsch_lexer *lx);
/* "the string that begins here has no end" and the like. Static storage. */
const char *cqlsch_problem_text(cqlsch_problem problem);
/* True when more text could mend it: what an interactive reader waits for. */
bool cqlsch_problem_open(cqlsch_problem problem);

bool cqlsch_is_word(const cqlsch_token *t, const char *word);
bool cqlsch_is_punct(const cqlsch_token *t, char c);

#endif
