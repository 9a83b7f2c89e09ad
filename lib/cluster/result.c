/* Results: decoding the head of a RESULT, keeping a borrowed one. */
#include "cluster/result.h"

#include "cluster/scratch.h"

#include <string.h>

enum { BLOCK_SLACK = 2048 };

static cql_status decode_rows(cql_result *res, cqln_reader *rd, cqln_metadata *known,
                              cqln_metadata **fresh)
{
    cql_status st = cqln_decode_rows_head(rd, &res->rows);
    if (st)
        return st;
    if (res->rows.flags & CQLN_ROWS_NO_METADATA) {
        if (res->rows.column_count == 0 && res->rows.row_count == 0)
            return CQL_OK;
        if (!known || known->count != res->rows.column_count)
            return CQL_MALFORMED;
        res->metadata = known;
        return CQL_OK;
    }
    st = cqln_metadata_from_rows(res->al, &res->rows, fresh);
    if (st == CQL_OK)
        res->metadata = *fresh;
    return st;
}

static __attribute__((noinline)) cql_status decode_any(cql_result *res, uint8_t flags,
                                                       cqln_metadata *known, cqln_metadata **fresh)
{
    cqln_reader rd;
    cqln_reader_init(&rd, res->body, res->len);
    cql_status st = flags ? cqln_decode_prefix(&rd, flags, &res->prefix) : CQL_OK;
    if (st)
        return st;
    uint32_t kind = cqln_read_u32(&rd);
    if (rd.failed)
        return CQL_MALFORMED;
    res->kind = (cql_result_kind)kind;
    switch (kind) {
    case CQLN_RESULT_VOID:
        return CQL_OK;
    case CQLN_RESULT_ROWS:
        return decode_rows(res, &rd, known, fresh);
    case CQLN_RESULT_SET_KEYSPACE:
        res->keyspace = cqln_read_string(&rd);
        return rd.failed ? CQL_MALFORMED : CQL_OK;
    case CQLN_RESULT_SCHEMA_CHANGE:
        return cqln_decode_schema_change(&rd, &res->schema);
    default:
        return CQL_MALFORMED;
    }
}

cql_status cqln_result_decode(cql_result *res, const cql_allocator *al, const uint8_t *body, size_t len,
                              uint8_t flags, cqln_rcbuf *block, cqln_metadata *known,
                              cqln_metadata **fresh)
{
    *fresh = NULL;
    return cqln_result_plain(res, al, (cql_str){NULL, 0}, body, len, flags, block, known)
               ? CQL_OK
               : decode_any(res, flags, known, fresh);
}

static void rebase(cql_str *view, const uint8_t *from, size_t len, const uint8_t *to)
{
    const uint8_t *p = (const uint8_t *)view->ptr;
    if (p && p >= from && p <= from + len)
        view->ptr = (const char *)(to + (p - from));
}

/* Points the views that the kind and the flags gave a copied result into the copy of the body. */
static void rebase_all(cql_result *res, const uint8_t *to)
{
    const uint8_t *from = res->body;
    cql_str *rows[] = {&res->rows.paging_state, &res->rows.new_metadata_id, &res->rows.columns,
                       &res->rows.rows};
    cql_str *schema[] = {&res->schema.change, &res->schema.target, &res->schema.keyspace,
                         &res->schema.name};
    for (size_t i = 0; res->kind == CQL_RESULT_ROWS && i < CQL_COUNT(rows); i++)
        rebase(rows[i], from, res->len, to);
    for (size_t i = 0; res->kind == CQL_RESULT_SCHEMA_CHANGE && i < CQL_COUNT(schema); i++)
        rebase(schema[i], from, res->len, to);
    if (res->kind == CQL_RESULT_SET_KEYSPACE)
        rebase(&res->keyspace, from, res->len, to);
    if (res->prefix.warnings)
        rebase(&res->prefix.warnings_bytes, from, res->len, to);
    if (res->prefix.payload_entries)
        rebase(&res->prefix.payload_bytes, from, res->len, to);
    if (res->prefix.trace_id)
        res->prefix.trace_id = to + (res->prefix.trace_id - from);
    res->body = to;
}

/* A block is used for bodies of any size: one that is much larger than this body is left to the others,
 * so that what a program keeps is the bytes it reads. */
static bool block_fits(const cql_result *res)
{
    return res->block && cqln_rcbuf_cap(res->block) <= res->len + BLOCK_SLACK;
}

static cql_result *keep(const cql_result *borrowed)
{
    bool share = block_fits(borrowed);
    size_t copied = share ? 0 : borrowed->len;
    size_t size = sizeof(cql_result) + borrowed->host.len + 1;
    if (!cqln_add_size(size, copied, &size))
        return NULL;
    cql_result *res = cqln_alloc(borrowed->al, size);
    if (!res)
        return NULL;
    char *at = (char *)(res + 1);
    memcpy(res, borrowed, sizeof *res);
    atomic_init(&res->refs, 1);
    res->scratch = NULL;
    if (borrowed->host.len)
        memcpy(at, borrowed->host.ptr, borrowed->host.len);
    at[borrowed->host.len] = '\0';
    res->host.ptr = at;
    at += borrowed->host.len + 1;
    res->block = share ? borrowed->block : NULL;
    if (share) {
        cqln_rcbuf_ref(res->block);
    } else if (copied) {
        memcpy(at, borrowed->body, copied);
        rebase_all(res, (const uint8_t *)at);
    }
    if (res->metadata)
        cqln_metadata_ref(res->metadata);
    return res;
}

cql_result *cql_result_ref(const cql_result *res)
{
    if (!res)
        return NULL;
    cql_result *mutable_res = (cql_result *)(uintptr_t)res;
    if (atomic_load_explicit(&mutable_res->refs, memory_order_relaxed) == 0)
        return keep(res);
    atomic_fetch_add_explicit(&mutable_res->refs, 1, memory_order_relaxed);
    return mutable_res;
}

void cqln_result_drop_scratch(cql_result *res)
{
    cqln_scratch_free(res->al, res->scratch);
    res->scratch = NULL;
}

void cql_result_unref(cql_result *res)
{
    if (!res || atomic_fetch_sub_explicit(&res->refs, 1, memory_order_acq_rel) != 1)
        return;
    cqln_result_done(res);
    cqln_metadata_unref(res->metadata);
    cqln_rcbuf_unref(res->block);
    cqln_free(res->al, res);
}
