/* Response bodies. The first byte picks opcode and version, the second is the flags of the header;
 * the rest is the body. */
#include "fuzz.h"

#include "msg/response.h"

/* An allocator that counts: memory follows the bytes of the body. */
typedef struct meter {
    cql_allocator al;
    size_t bytes;
    size_t live;
} meter;

static void *meter_malloc(void *context, size_t size)
{
    meter *m = context;
    m->bytes += size;
    m->live++;
    return malloc(size);
}

static void *meter_realloc(void *context, void *block, size_t size)
{
    meter *m = context;
    m->bytes += size;
    if (!block)
        m->live++;
    return realloc(block, size);
}

static void meter_free(void *context, void *block)
{
    meter *m = context;
    if (block)
        m->live--;
    free(block);
}

static unsigned sum;

static void touch(cql_str s)
{
    for (size_t i = 0; i < s.len; i++)
        sum = sum * 31 + (unsigned char)s.ptr[i];
}

static void touch_metadata(const cqln_metadata *m)
{
    touch(m->id);
    for (uint32_t i = 0; i < m->count; i++) {
        touch(m->columns[i].keyspace);
        touch(m->columns[i].table);
        touch(m->columns[i].name);
        FUZZ_CHECK(m->columns[i].type);
        touch(m->columns[i].type->name);
    }
    for (uint32_t i = 0; i < m->pk_count; i++)
        FUZZ_CHECK(m->pk_index[i] < m->count);
}

static void one_error(cqln_reader *rd, uint8_t version)
{
    cqln_server_error e;
    if (cqln_decode_error(rd, version, &e))
        return;
    touch(e.message);
    touch(e.write_type);
    touch(e.keyspace);
    touch(e.table);
    touch(e.unprepared_id);
    touch(e.reasons);
    FUZZ_CHECK(e.failures >= 0 && e.required >= 0 && e.received >= 0);
    FUZZ_CHECK((int)cqln_server_status(e.code) >= 0x10000);
}

static void one_rows(cqln_reader *rd, const cql_allocator *al)
{
    cqln_rows_head head;
    cqln_metadata *m;
    if (cqln_decode_rows_head(rd, &head))
        return;
    touch(head.paging_state);
    touch(head.new_metadata_id);
    touch(head.columns);
    FUZZ_CHECK((uint64_t)head.row_count * head.column_count <= head.rows.len / 4);
    FUZZ_CHECK(head.row_count == 0 || head.column_count > 0);
    cql_status st = cqln_metadata_from_rows(al, &head, &m);
    FUZZ_CHECK(st == CQL_OK || st == CQL_MALFORMED);
    FUZZ_CHECK((st == CQL_OK) == (m != NULL));
    if (m)
        touch_metadata(m);
    cqln_metadata_unref(m);
}

static void one_prepared(cqln_reader *rd, uint8_t version, const cql_allocator *al)
{
    cqln_prepared_head p;
    cql_status st = cqln_decode_prepared(rd, version, al, &p);
    FUZZ_CHECK(st == CQL_OK || st == CQL_MALFORMED);
    FUZZ_CHECK((st == CQL_OK) == (p.bind != NULL) && (st == CQL_OK) == (p.result != NULL));
    if (st)
        return;
    touch(p.id);
    touch(p.metadata_id);
    touch_metadata(p.bind);
    touch_metadata(p.result);
    cqln_metadata_unref(p.bind);
    cqln_metadata_unref(p.result);
}

static void one_change(cqln_reader *rd)
{
    cqln_schema_change c;
    if (cqln_decode_schema_change(rd, &c))
        return;
    touch(c.change);
    touch(c.target);
    touch(c.keyspace);
    touch(c.name);
}

static void one_result(cqln_reader *rd, uint8_t version, const cql_allocator *al)
{
    switch (cqln_read_i32(rd)) {
    case CQLN_RESULT_ROWS:
        one_rows(rd, al);
        break;
    case CQLN_RESULT_PREPARED:
        one_prepared(rd, version, al);
        break;
    case CQLN_RESULT_SCHEMA_CHANGE:
        one_change(rd);
        break;
    case CQLN_RESULT_SET_KEYSPACE:
        touch(cqln_read_string(rd));
        break;
    default:
        break;
    }
}

static void one_event(cqln_reader *rd)
{
    cqln_event e;
    if (cqln_decode_event(rd, &e))
        return;
    touch(e.change);
    touch(e.schema.target);
    touch(e.schema.keyspace);
    touch(e.schema.name);
    if (e.kind == CQLN_EV_STATUS || e.kind == CQLN_EV_TOPOLOGY)
        FUZZ_CHECK(e.address.len == 4 || e.address.len == 16);
}

static void one_body(uint8_t opcode, uint8_t version, cqln_reader *rd, const cql_allocator *al)
{
    cqln_supported s;
    cql_str text = {NULL, 0};
    switch (opcode) {
    case CQLN_OP_ERROR:
        one_error(rd, version);
        break;
    case CQLN_OP_SUPPORTED:
        if (cqln_decode_supported(rd, &s) == CQL_OK)
            touch(s.release_hint);
        break;
    case CQLN_OP_AUTHENTICATE:
        if (cqln_decode_authenticate(rd, &text) == CQL_OK)
            touch(text);
        break;
    case CQLN_OP_AUTH_CHALLENGE:
    case CQLN_OP_AUTH_SUCCESS:
        if (cqln_decode_auth_token(rd, &text) == CQL_OK)
            touch(text);
        break;
    case CQLN_OP_EVENT:
        one_event(rd);
        break;
    case CQLN_OP_RESULT:
        one_result(rd, version, al);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint8_t version = data[0] & 0x80 ? 5 : 4;
    meter m = {.al = {&m, meter_malloc, meter_realloc, meter_free}};
    cqln_reader rd;
    cqln_prefix prefix;
    cqln_reader_init(&rd, data + 2, size - 2);
    if (cqln_decode_prefix(&rd, data[1], &prefix))
        return 0;
    touch(prefix.warnings_bytes);
    touch(prefix.payload_bytes);
    if (prefix.trace_id)
        touch((cql_str){(const char *)prefix.trace_id, 16});
    one_body(data[0] & 0x1f, version, &rd, &m.al);
    FUZZ_CHECK(m.live == 0);
    FUZZ_CHECK(m.bytes <= size * 100 + 16384);
    FUZZ_CHECK(m.bytes <= size * 8 + (1 << 22) + (1 << 17));
    return 0;
}
