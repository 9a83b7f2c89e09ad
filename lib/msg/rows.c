/* RESULT of kind ROWS (native_protocol section 4.2.5.2).
 *
 *   [int] flags  [int] columns  [paging state]  [new metadata id]  [column descriptions]
 *   [int] rows   rows x columns [bytes]
 */
#include "msg/metadata.h"

enum {
    ROWS_FLAGS = CQLN_ROWS_GLOBAL_SPEC | CQLN_ROWS_HAS_MORE | CQLN_ROWS_NO_METADATA |
                 CQLN_ROWS_METADATA_CHANGED,
    CELL_MIN = 4,   /* the length of a [bytes] */
    PLAIN_HEAD = 12 /* flags, columns, rows */
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

/* Can rows times columns cells be in that many bytes? */
static bool cells_fit(uint32_t rows, uint32_t columns, size_t left)
{
    uint64_t cells = (uint64_t)rows * columns;
    if (rows > INT32_MAX)
        return false;
    return rows == 0 || (cells > 0 && cells <= left / CELL_MIN);
}

/* A last page without metadata, which is what prepared statements get: three numbers and the cells.
 * False, and nothing taken, when it is anything else. */
static bool plain_head(cqln_reader *rd, cqln_rows_head *out)
{
    if (rd->failed || cqln_reader_left(rd) < PLAIN_HEAD ||
        cqln_load_u32(rd->at) != CQLN_ROWS_NO_METADATA)
        return false;
    uint32_t columns = cqln_load_u32(rd->at + 4);
    uint32_t rows = cqln_load_u32(rd->at + 8);
    size_t left = cqln_reader_left(rd) - PLAIN_HEAD;
    if (columns > CQLN_COLUMNS_MAX || !cells_fit(rows, columns, left))
        return false;
    /* Field by field: clearing the whole of it would cost as much as all the rest. */
    out->flags = CQLN_ROWS_NO_METADATA;
    out->column_count = columns;
    out->has_paging_state = false;
    out->paging_state = (cql_str){NULL, 0};
    out->new_metadata_id = (cql_str){NULL, 0};
    out->columns = (cql_str){NULL, 0};
    out->row_count = rows;
    out->rows = (cql_str){(const char *)rd->at + PLAIN_HEAD, left};
    rd->at = rd->end;
    return true;
}

/* Kept out of the function below, which every page goes through. */
static __attribute__((noinline)) cql_status any_head(cqln_reader *rd, cqln_rows_head *out)
{
    cqln_rows_head head = {0};
    cqln_read_result_metadata(rd, &head);
    head.row_count = cqln_read_u32(rd);
    size_t left = cqln_reader_left(rd);
    if (rd->failed || !cells_fit(head.row_count, head.column_count, left))
        return CQL_MALFORMED;
    head.rows = (cql_str){(const char *)rd->at, left};
    rd->at = rd->end;
    *out = head;
    return CQL_OK;
}

cql_status cqln_decode_rows_head(cqln_reader *rd, cqln_rows_head *out)
{
    return plain_head(rd, out) ? CQL_OK : any_head(rd, out);
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
