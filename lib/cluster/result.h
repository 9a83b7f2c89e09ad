/* result.h: the result object: an answer of the server with what is needed to read it. */
#ifndef CQLN_CLUSTER_RESULT_H
#define CQLN_CLUSTER_RESULT_H

#include "base/rcbuf.h"
#include "meta/prepared.h"

#include <cqlnative/result.h>

/* A borrowed result (refs 0) lives on the stack of whoever calls the user; its views point into the
 * connection's buffer. A kept one owns everything: its body is a copy or a counted block. */
struct cql_result {
    _Atomic(uint32_t) refs; /* 0: borrowed */
    const cql_allocator *al;
    cql_result_kind kind;
    bool schema_agreed;
    cqln_metadata *metadata; /* NULL: no columns. Counted only in a kept result */
    cqln_rows_head rows;
    cqln_prefix prefix;
    cqln_schema_change schema;
    cql_str keyspace;
    cql_str host;
    const uint8_t *body;
    size_t len;
    cqln_rcbuf *block; /* counted in a kept result */
    struct cqln_scratch *scratch; /* copies made for cql_rows_cstr */
};

/* Decodes a RESULT body (behind nothing: the prefix too). `known` is the metadata to use when the
 * server left it out, NULL when there is none. *fresh gets metadata decoded from this body, which the
 * caller releases after the result is done with; NULL when `known` serves. CQL_MALFORMED also when the
 * number of columns is not that of `known`. */
cql_status cqln_result_decode(cql_result *res, const cql_allocator *al, const uint8_t *body, size_t len,
                              uint8_t flags, cqln_rcbuf *block, cqln_metadata *known,
                              cqln_metadata **fresh);
void cqln_result_drop_scratch(cql_result *res);
/* The result that a cursor walks over; NULL: none. */
const cql_result *cqln_rows_result(const cql_rows *rows);
/* Frees what reading a borrowed result made. */
static inline void cqln_result_done(cql_result *res)
{
    if (res->scratch)
        cqln_result_drop_scratch(res);
}

#endif
