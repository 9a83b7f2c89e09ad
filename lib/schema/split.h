/* split.h: cuts CQL text into what is sent one by one. The server takes exactly one statement a
 * request; the commands of cqlsh that schema files use are told apart here. */
#ifndef CQLSCH_SPLIT_H
#define CQLSCH_SPLIT_H

#include "schema/lexer.h"
#include "schema/mem.h"

typedef enum cqlsch_piece_kind {
    CQLSCH_STATEMENT,   /* goes to the server as it is */
    CQLSCH_DESCRIBE,    /* goes to the server; its rows are text to print */
    CQLSCH_SOURCE,      /* SOURCE 'file' */
    CQLSCH_CONSISTENCY, /* CONSISTENCY level */
    CQLSCH_UNSUPPORTED  /* another command of cqlsh */
} cqlsch_piece_kind;

typedef struct cqlsch_piece {
    cqlsch_piece_kind kind;
    cql_str text; /* first token to last, without the semicolon */
    cqlsch_place place;
    cql_str word; /* the first token */
    /* The second token of SOURCE and CONSISTENCY, quotes included; empty when there is none or when
     * a third follows. */
    cql_str argument;
    bool ended;  /* by a semicolon (or line end, for cqlsh commands), not by the end of the text */
    size_t next; /* offset in the text behind the piece and its semicolon */
} cqlsch_piece;

typedef struct cqlsch_splitter {
    cqlsch_lexer lexer;
    /* After CQL_BAD_CQL_FILE: what is wrong, where, and whether more text could mend it. */
    const char *problem;
    cqlsch_place problem_place;
    bool open;
} cqlsch_splitter;

void cqlsch_splitter_init(cqlsch_splitter *sp, cql_str text);
/* The next piece; empty ones are passed over. CQL_DONE at the end, CQL_BAD_CQL_FILE. */
cql_status cqlsch_split(cqlsch_splitter *sp, cqlsch_piece *out);
/* The text of a string or quoted name without its quotes, doubled ones made single; written over
 * `buffer`, which has room for text.len bytes. Other tokens come as they are. */
cql_str cqlsch_unquote(cql_str text, char *buffer);
/* What a token stands for: a string or quoted name as above, a word in lower case. Empty when memory is out. */
cql_str cqlsch_plain(cqlsch_mem *mem, const cqlsch_token *t);

#endif
