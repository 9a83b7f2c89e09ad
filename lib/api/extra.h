/* extra.h: what few statements say: a keyspace or a clock of their own, a payload, names for values,
 * values that stay where they are. Made when the first of them is set; statements without one pay a
 * single test. */
#ifndef CQLN_API_EXTRA_H
#define CQLN_API_EXTRA_H

#include "msg/request.h"

#include <cqlnative/statement.h>

/* A value whose bytes are the program's until the request is made. In the statement's wire form it is
 * its length alone; it counts only while the statement still has that length there. */
typedef struct cqln_piece {
    uint32_t marker;
    uint32_t len;
    const void *ptr;
} cqln_piece;

typedef struct cqln_extra {
    const cql_allocator *al;
    char *keyspace; /* NULL: the connection's */
    bool has_now;
    int32_t now; /* seconds since the epoch */
    uint16_t payload_count;
    cqln_writer payload; /* that many [string] [bytes] */
    char **names;        /* of each marker; NULL: none is named */
    uint32_t named;
    cqln_piece *pieces;
    uint32_t piece_count;
    uint32_t piece_cap;
} cqln_extra;

/* The extra of a statement or batch, made when it has none; NULL when memory is out. */
cqln_extra *cqln_extra_make(cqln_extra **slot, const cql_allocator *al);
void cqln_extra_free(cqln_extra *x, uint32_t markers);

/* What statements and batches share. */
cql_status cqln_extra_set_keyspace(cqln_extra **slot, const cql_allocator *al, const char *keyspace);
cql_status cqln_extra_set_now(cqln_extra **slot, const cql_allocator *al, int64_t now);
cql_status cqln_extra_add_payload(cqln_extra **slot, const cql_allocator *al, const char *name,
                                  const void *bytes, size_t len);
/* Puts keyspace, now and payload into the options of a request. CQL_UNSUPPORTED for what the version
 * cannot say. */
cql_status cqln_extra_fill(const cqln_extra *x, uint8_t version, cqln_query_options *o);

/* Binding by name where no prepared statement tells the names: the value gets the first marker that
 * has this name or none. */
cql_status cqln_extra_bind_named(cql_statement *s, const char *name, cql_value v);
/* --- borrowed values (borrow.c) ------------------------------------------------------------------- */
/* The piece that stands for this marker's value now, NULL when the value is in the wire form. */
const cqln_piece *cqln_extra_piece(const cql_statement *s, size_t marker);
/* Has it values that are not in its wire form? */
bool cqln_extra_has_pieces(const cql_statement *s);
/* The whole values, with the pieces in their places and, when named, the names. Appended to wr. */
cql_status cqln_extra_write_values(const cql_statement *s, bool named, cqln_writer *wr);
/* Puts the pieces into an envelope whose values begin at `at` in short form. */
cql_status cqln_extra_splice(const cql_statement *s, cqln_writer *env, size_t at);

#endif
