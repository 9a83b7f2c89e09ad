/* RESULT of kind ROWS (native_protocol section 4.2.5.2).
 *
 *   [int] flags  [int] columns  [paging state]  [new metadata id]  [column descriptions]
 *   [int] rows   rows x columns [bytes]
 */
#include "msg/metadata.h"

enum {
    ROWS_FLAGS = CQLN_ROWS_GLOBAL_SPEC | CQLN_ROWS_HAS_MORE | CQLN_ROWS_NO_METADATA |
                 CQLN_ROWS_METADATA_CHANGED
};

static void read_optional_fields(cqln_reader *rd, cqln_rows_head *out)
{
    if (out->flags & CQLN_ROWS_HAS_MORE) {
        cql_str state = {NULL, 0};
        /* A null or empty state cannot be sent back: there is no next page to ask for. */
        out->has_paging_state = cqln_read_nbytes(rd, &state) && state.len > 0;
        if (out->has_paging_state)
            out->paging_state = state;
    }
    if (out->flags & CQLN_ROWS_METADATA_CHANGED)
        out->new_metadata_id = cqln_read_short_bytes(rd);
}

void cqln_read_result_metadata(cqln_reader *rd, cqln_rows_head *out)
{
    out->flags = cqln_read_u32(rd);
    out->column_count = cqln_read_u32(rd);
    if (out->flags & ~(uint32_t)ROWS_FLAGS)
        rd->failed = true; /* a flag that is not known may add a field that is not known */
    if (out->flags & (CQLN_ROWS_HAS_MORE | CQLN_ROWS_METADATA_CHANGED))
        read_optional_fields(rd, out);
    if (out->flags & CQLN_ROWS_NO_METADATA) {
        if (out->column_count > CQLN_COLUMNS_MAX)
            rd->failed = true;
        return;
    }
    const uint8_t *from = rd->at;
    cqln_skip_columns(rd, out->flags & CQLN_ROWS_GLOBAL_SPEC, out->column_count);
    if (!rd->failed)
        out->columns = (cql_str){(const char *)from, (size_t)(rd->at - from)};
}

/* Kept out of the function below, which every page goes through. */
static __attribute__((noinline)) cql_status any_head(cqln_reader *rd, cqln_rows_head *out)
{
    cqln_rows_head head = {0};
    cqln_read_result_metadata(rd, &head);
    head.row_count = cqln_read_u32(rd);
    size_t left = cqln_reader_left(rd);
    if (rd->failed || !cqln_cells_fit(head.row_count, head.column_count, left))
        return CQL_MALFORMED;
    head.rows = (cql_str){(const char *)rd->at, left};
    rd->at = rd->end;
    *out = head;
    return CQL_OK;
}

cql_status cqln_decode_rows_head(cqln_reader *rd, cqln_rows_head *out)
{
    if (rd->failed || !cqln_rows_plain_head(rd->at, cqln_reader_left(rd), out))
        return any_head(rd, out);
    rd->at = rd->end;
    return CQL_OK;
}

cql_status cqln_metadata_from_rows(const cql_allocator *al, const cqln_rows_head *head,
                                   cqln_metadata **out)
{
    *out = NULL;
    cqln_metadata *m = cqln_metadata_new(al, head->columns.len + head->new_metadata_id.len);
    if (!m)
        return CQL_NO_MEMORY;
    cql_status st = CQL_OK;
    if (!(head->flags & CQLN_ROWS_NO_METADATA)) {
        cqln_reader rd;
        cqln_reader_init(&rd, head->columns.ptr, head->columns.len);
        st = cqln_metadata_read_columns(m, &rd, head->flags & CQLN_ROWS_GLOBAL_SPEC,
                                        head->column_count);
    }
    if (!st && head->new_metadata_id.len) {
        m->id = cqln_arena_str(&m->arena, head->new_metadata_id);
        if (!m->id.ptr)
            st = CQL_NO_MEMORY;
    }
    if (st) {
        cqln_metadata_unref(m);
        return st;
    }
    *out = m;
    return CQL_OK;
}
