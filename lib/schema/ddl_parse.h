/* ddl_parse.h: the token cursor that the DDL readers share. */
#ifndef CQLSCH_DDL_PARSE_H
#define CQLSCH_DDL_PARSE_H

#include "schema/ddl.h"

typedef struct cqlsch_cursor {
    cqlsch_mem *mem;
    cql_str text;
    cqlsch_lexer lexer;
    cqlsch_token token; /* the current one */
    size_t last_end;    /* end of the token before it */
    const char *why;    /* what was not understood first; NULL while all was */
} cqlsch_cursor;

void cqlsch_cursor_init(cqlsch_cursor *c, cqlsch_mem *mem, cql_str text);
void cqlsch_next(cqlsch_cursor *c);
/* Notes what was not understood, once. */
void cqlsch_lost(cqlsch_cursor *c, const char *what);
/* Steps over the word or character when it is the current token. */
bool cqlsch_accept(cqlsch_cursor *c, const char *word);
bool cqlsch_accept_punct(cqlsch_cursor *c, char punct);
/* The same, and lost when it is not. */
bool cqlsch_expect_punct(cqlsch_cursor *c, char punct);
/* Steps over the comma before another one of several. */
bool cqlsch_more(cqlsch_cursor *c);
/* An identifier as the server would know it: lower case unless quoted. */
cql_str cqlsch_take_name(cqlsch_cursor *c);
/* [keyspace.]name */
void cqlsch_take_full_name(cqlsch_cursor *c, cql_str *keyspace, cql_str *name);
/* A type, in the words of the text. */
cql_str cqlsch_take_type(cqlsch_cursor *c);
/* A column of this name, with nothing else known of it, at the end of those of `o`; NULL when memory is out. */
cqlsch_column *cqlsch_take_column(cqlsch_cursor *c, cqlsch_object *o);
/* Options after WITH, up to the end. Clustering order is put into the columns of `o`. */
void cqlsch_take_options(cqlsch_cursor *c, cqlsch_object *o);
/* The body and options of CREATE TABLE; the current token is the bracket. */
void cqlsch_take_table(cqlsch_cursor *c, cqlsch_ddl *out);
/* The bracket behind PRIMARY KEY; columns that are not there yet are added without a type. */
void cqlsch_take_view_key(cqlsch_cursor *c, cqlsch_object *o);

/* --- in ddl_derived.c ------------------------------------------------------------------------- */
/* What stands behind the name of a view, a function, an aggregate or a trigger. */
void cqlsch_take_derived(cqlsch_cursor *c, cqlsch_object *o);
/* What of that belongs to the name. `named`: arguments have names. */
void cqlsch_take_distinction(cqlsch_cursor *c, cqlsch_object *o, bool named);

#endif
