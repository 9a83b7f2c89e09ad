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

/* What prepared statements get: nothing, or a last page whose metadata is known. False when the body is anything else;
 * what every result has is set then all the same, but for its kind. */
static inline __attribute__((always_inline)) bool
cqln_result_plain(cql_result *res, const cql_allocator *al, cql_str host, const uint8_t *body, size_t len,
                  uint8_t flags, cqln_rcbuf *block, cqln_metadata *known)
{
    /* Only what is looked at whatever the kind and the flags: the rest is most of it. */
    atomic_init(&res->refs, 0);
    res->al = al;
    res->schema_agreed = true;
    res->metadata = NULL;
    res->rows.flags = 0;
    res->rows.has_paging_state = false;
    res->rows.row_count = 0;
    res->prefix.trace_id = NULL;
    res->prefix.warnings = 0;
    res->prefix.payload_entries = 0;
    res->host = host;
    res->body = body;
    res->len = len;
    res->block = block;
    res->scratch = NULL;
    if (flags || len < 4)
        return false;
    uint32_t kind = cqln_load_u32(body);
    res->kind = (cql_result_kind)kind;
    if (kind == CQLN_RESULT_VOID)
        return true;
    if (kind != CQLN_RESULT_ROWS || !known ||
        !cqln_rows_plain_head(body + 4, len - 4, &res->rows) ||
        res->rows.column_count != known->count)
        return false;
    res->metadata = known;
    return true;
}
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
