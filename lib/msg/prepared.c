/* RESULT of kind PREPARED (native_protocol section 4.2.5.4).
 *
 *   [short bytes] id  [short bytes] result metadata id, v5
 *   bind:   [int] flags  [int] columns  [int] k  k x [short] index  [column descriptions]
 *   result: as in ROWS
 */
#include "msg/metadata.h"

typedef struct bind_head {
    bool global;
    uint32_t columns;
    uint32_t pk_count;
    cql_str pk;
    cql_str descriptions;
} bind_head;

static cql_str read_view(cqln_reader *rd, size_t n)
{
    const uint8_t *p = cqln_read_bytes(rd, n);
    cql_str view = {(const char *)p, p ? n : 0};
    return view;
}

static void read_bind_head(cqln_reader *rd, bind_head *out)
{
    uint32_t flags = cqln_read_u32(rd);
    out->global = flags & CQLN_ROWS_GLOBAL_SPEC;
    out->columns = cqln_read_u32(rd);
    out->pk_count = cqln_read_u32(rd);
    /* More markers than the [short] before their values can count are those of no statement. */
    if (flags & ~(uint32_t)CQLN_ROWS_GLOBAL_SPEC || out->columns > CQLN_COLUMNS_MAX ||
        out->pk_count > cqln_reader_left(rd) / 2)
        rd->failed = true;
    if (rd->failed)
        return;
    out->pk = read_view(rd, (size_t)out->pk_count * 2);
    const uint8_t *from = rd->at;
    cqln_skip_columns(rd, out->global, out->columns);
    if (!rd->failed)
        out->descriptions = (cql_str){(const char *)from, (size_t)(rd->at - from)};
}

/* False when bit i of the marks was set before. */
static bool mark(uint8_t *marks, uint16_t i)
{
    uint8_t bit = (uint8_t)(1u << (i % 8));
    bool fresh = !(marks[i / 8] & bit);
    marks[i / 8] |= bit;
    return fresh;
}

/* Partition key markers. An index that names no marker, or one twice, makes the statement one
 * without a routing key, not one that fails: the server would still execute it. */
static cql_status read_pk(cqln_metadata *m, const bind_head *head)
{
    if (head->pk_count == 0 || head->pk_count > head->columns)
        return CQL_OK;
    uint16_t *index = cqln_arena_array(&m->arena, head->pk_count, sizeof *index);
    uint8_t *marks = cqln_arena_alloc(&m->arena, head->columns / 8 + 1);
    if (!index || !marks)
        return CQL_NO_MEMORY;
    cqln_reader rd;
    cqln_reader_init(&rd, head->pk.ptr, head->pk.len);
    for (uint32_t i = 0; i < head->pk_count; i++) {
        index[i] = cqln_read_u16(&rd);
        if (index[i] >= head->columns || !mark(marks, index[i]))
            return CQL_OK;
    }
    m->pk_index = index;
    m->pk_count = head->pk_count;
    return CQL_OK;
}

static cql_status build_bind(const cql_allocator *al, const bind_head *head, cqln_metadata **out)
{
    cqln_metadata *m = cqln_metadata_new(al, head->descriptions.len + head->pk.len);
    if (!m)
        return CQL_NO_MEMORY;
    cqln_reader rd;
    cqln_reader_init(&rd, head->descriptions.ptr, head->descriptions.len);
    cql_status st = cqln_metadata_read_columns(m, &rd, head->global, head->columns);
    if (!st)
        st = read_pk(m, head);
    if (st) {
        cqln_metadata_unref(m);
        return st;
    }
    *out = m;
    return CQL_OK;
}

cql_status cqln_decode_prepared(cqln_reader *rd, uint8_t version, const cql_allocator *al,
                                cqln_prepared_head *out)
{
    *out = (cqln_prepared_head){0};
    cqln_prepared_head p = {0};
    bind_head bind = {0};
    cqln_rows_head result = {0};
    p.id = cqln_read_short_bytes(rd);
    if (version >= 5)
        p.metadata_id = cqln_read_short_bytes(rd);
    read_bind_head(rd, &bind);
    cqln_read_result_metadata(rd, &result);
    if (rd->failed)
        return CQL_MALFORMED;
    cql_status st = build_bind(al, &bind, &p.bind);
    if (st)
        return st;
    result.new_metadata_id = p.metadata_id;
    st = cqln_metadata_from_rows(al, &result, &p.result);
    if (st) {
        cqln_metadata_unref(p.bind);
        return st;
    }
    *out = p;
    return CQL_OK;
}
