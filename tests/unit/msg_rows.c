/* ROWS and PREPARED: heads, metadata, and what must not pass. */
#include "msg_help.h"

#include "base/alloc.h"

static bool is(cql_str s, const char *text)
{
    return cql_str_equal(s, cql_str_of(text));
}

/* --- rows ------------------------------------------------------------------------------------ */

static void touch_metadata(const cqln_metadata *m)
{
    msg_touch(m->id);
    for (uint32_t i = 0; i < m->count; i++) {
        msg_touch(m->columns[i].keyspace);
        msg_touch(m->columns[i].table);
        msg_touch(m->columns[i].name);
        assert_non_null(m->columns[i].type);
    }
    for (uint32_t i = 0; i < m->pk_count; i++)
        assert_true(m->pk_index[i] < m->count);
}

/* The cells one after the other, as a cursor reads them. */
static bool walk_cells(const cqln_rows_head *head)
{
    cqln_reader rd;
    cql_str cell;
    cqln_reader_init(&rd, head->rows.ptr, head->rows.len);
    for (uint64_t i = 0; i < (uint64_t)head->row_count * head->column_count; i++) {
        if (cqln_read_nbytes(&rd, &cell))
            msg_touch(cell);
    }
    return !rd.failed;
}

/* Head, cells, and metadata when it has columns. */
static cql_status decode_rows(const uint8_t *body, size_t len, const cql_allocator *al, void *user)
{
    cqln_rows_head *head = user;
    cqln_reader rd;
    cqln_reader_init(&rd, body, len);
    cql_status st = cqln_decode_rows_head(&rd, head);
    if (st)
        return st;
    msg_touch(head->paging_state);
    msg_touch(head->new_metadata_id);
    msg_touch(head->columns);
    msg_touch(head->rows);
    assert_true((uint64_t)head->row_count * head->column_count * 4 <= len);
    assert_true(head->row_count == 0 || head->column_count > 0);
    if (!walk_cells(head))
        return CQL_MALFORMED;
    cqln_metadata *m;
    st = cqln_metadata_from_rows(al, head, &m);
    if (st) {
        assert_null(m);
        return st;
    }
    touch_metadata(m);
    cqln_metadata_unref(m);
    return CQL_OK;
}

static cqln_rows_head rows(const char *golden, hex *keep)
{
    cqln_rows_head head;
    msg_torture(golden, decode_rows, &head);
    *keep = hex_bytes(golden);
    assert_int_equal(decode_rows(keep->data, keep->len, cqln_alloc_default(), &head), CQL_OK);
    return head;
}

/* keyspace ks, table t, columns a int, b list<text> */
#define GLOBAL_COLUMNS "0002 6b73 0001 74  0001 61 0009  0001 62 0020 000d"
#define TWO_ROWS                                                                                   \
    "00000002"                                                                                     \
    "00000004 00000001 ffffffff"                                                                   \
    "00000004 00000002 00000004 00000000"

static void rows_with_global_columns(void **state)
{
    hex h;
    (void)state;
    cqln_rows_head head = rows("00000001 00000002" GLOBAL_COLUMNS TWO_ROWS, &h);
    assert_int_equal(head.flags, CQLN_ROWS_GLOBAL_SPEC);
    assert_int_equal(head.column_count, 2);
    assert_int_equal(head.row_count, 2);
    assert_int_equal(head.rows.len, 12 + 16);
    assert_false(head.has_paging_state);
    cqln_metadata *m;
    assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_OK);
    hex_free(&h); /* everything was copied */
    assert_int_equal(m->count, 2);
    assert_true(is(m->columns[0].keyspace, "ks"));
    assert_true(is(m->columns[1].table, "t"));
    assert_true(is(m->columns[0].name, "a"));
    assert_int_equal(m->columns[0].type->id, CQL_TYPE_INT);
    assert_int_equal(m->columns[1].type->id, CQL_TYPE_LIST);
    assert_int_equal(m->columns[1].type->items[0]->id, CQL_TYPE_TEXT);
    assert_int_equal(m->id.len, 0);
    assert_ptr_equal(cqln_metadata_ref(m), m);
    cqln_metadata_unref(m);
    assert_true(is(m->columns[0].name, "a")); /* one holder is left */
    cqln_metadata_unref(m);
    cqln_metadata_unref(NULL);
}

static void rows_with_a_table_for_each_column(void **state)
{
    hex h;
    (void)state;
    cqln_rows_head head = rows("00000000 00000003"
                               "0002 6b73 0001 74 0001 61 0009"
                               "0002 6b73 0001 74 0001 62 0009" /* the same table */
                               "0001 78 0001 75 0001 63 0002"   /* another */
                               "00000000",
                               &h);
    cqln_metadata *m;
    assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_OK);
    assert_int_equal(m->count, 3);
    assert_ptr_equal(m->columns[0].keyspace.ptr, m->columns[1].keyspace.ptr); /* one copy */
    assert_true(is(m->columns[2].keyspace, "x"));
    assert_true(is(m->columns[2].table, "u"));
    assert_true(is(m->columns[2].name, "c"));
    cqln_metadata_unref(m);
    hex_free(&h);
}

static void rows_without_metadata_keep_the_count(void **state)
{
    hex h;
    (void)state;
    cqln_rows_head head = rows("00000004 00000002" TWO_ROWS, &h);
    assert_int_equal(head.column_count, 2);
    assert_int_equal(head.columns.len, 0);
    assert_int_equal(head.row_count, 2);
    cqln_metadata *m;
    assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_OK);
    assert_int_equal(m->count, 0); /* nothing is known of them */
    cqln_metadata_unref(m);
    hex_free(&h);
}

static void paging_state_comes_before_the_new_metadata_id(void **state)
{
    hex h;
    (void)state;
    /* server: flags 0x0b */
    cqln_rows_head head = rows("0000000b 00000002"
                               "00000003 505153"          /* paging state */
                               "0002 4d49" GLOBAL_COLUMNS /* new metadata id */
                               "00000000",
                               &h);
    assert_true(head.has_paging_state);
    assert_true(is(head.paging_state, "PQS"));
    assert_true(is(head.new_metadata_id, "MI"));
    cqln_metadata *m;
    assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_OK);
    assert_true(is(m->id, "MI"));
    assert_int_equal(m->count, 2);
    cqln_metadata_unref(m);
    hex_free(&h);
}

static cqln_rows_head rows_only(const char *text, cql_status expected)
{
    cqln_rows_head head = {0};
    hex h = hex_bytes(text);
    cql_status st = decode_rows(h.data, h.len, cqln_alloc_default(), &head);
    hex_free(&h);
    assert_int_equal(st, expected);
    return head;
}

static void a_paging_state_that_cannot_be_sent_is_none(void **state)
{
    (void)state;
    assert_false(rows_only("00000006 00000001 ffffffff 00000000", CQL_OK).has_paging_state);
    assert_false(rows_only("00000006 00000001 00000000 00000000", CQL_OK).has_paging_state);
    assert_true(rows_only("00000006 00000001 00000001 50 00000000", CQL_OK).has_paging_state);
}

static void counts_are_checked_against_the_bytes(void **state)
{
    (void)state;
    rows_only("00000004 00000001 00000001 ffffffff", CQL_OK);
    rows_only("00000004 00000001 00000002 ffffffff", CQL_MALFORMED); /* a cell is missing */
    rows_only("00000004 00000001 ffffffff ffffffff", CQL_MALFORMED); /* negative rows */
    rows_only("00000004 00000001 7fffffff ffffffff", CQL_MALFORMED);
    rows_only("00000004 ffffffff 00000001 ffffffff", CQL_MALFORMED); /* negative columns */
    rows_only("00000004 7fffffff 00000000", CQL_MALFORMED);
    rows_only("00000004 00010000 00000000", CQL_MALFORMED); /* more columns than a table can have */
    rows_only("00000004 0000ffff 00000000", CQL_OK);
    rows_only("00000004 00000000 00000001 ffffffff", CQL_MALFORMED); /* rows of no columns */
    rows_only("00000004 00000000 00000000", CQL_OK);
    rows_only("00000004 0000ffff 0000ffff ffffffff", CQL_MALFORMED); /* product beyond the body */
    rows_only("00000014 00000001 00000000", CQL_MALFORMED);          /* an unknown flag */
    rows_only("00000001 00000000 0000 0000 00000000", CQL_OK);       /* no columns at all */
    rows_only("00000001 00000002 0000 0000 0001 61 0009 00000000", CQL_MALFORMED);
    rows_only("00000001 3fffffff 0000 0000 0001 61 0009 00000000", CQL_MALFORMED);
}

static void unknown_types_are_opaque(void **state)
{
    hex h;
    (void)state;
    cqln_rows_head head =
        rows("00000001 00000002 0000 0000  0001 61 7fff  0001 62 0000 0003 612e42  00000000", &h);
    cqln_metadata *m;
    assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_OK);
    assert_int_equal(m->columns[0].type->id, CQL_TYPE_CUSTOM);
    assert_int_equal(m->columns[1].type->id, CQL_TYPE_CUSTOM);
    cqln_metadata_unref(m);
    hex_free(&h);
}

static void nesting_has_a_limit(void **state)
{
    cqln_writer wr;
    (void)state;
    for (size_t depth = 1; depth < 100000; depth = depth * 2) {
        cqln_rows_head head;
        cqln_writer_init(&wr, cqln_alloc_default(), SIZE_MAX);
        cqln_write_u32(&wr, CQLN_ROWS_GLOBAL_SPEC);
        cqln_write_u32(&wr, 1);
        cqln_write_u32(&wr, 0); /* two empty names */
        cqln_write_u16(&wr, 0); /* of the column */
        for (size_t i = 0; i < depth; i++)
            cqln_write_u16(&wr, CQL_TYPE_LIST);
        cqln_write_u16(&wr, CQL_TYPE_INT);
        cqln_write_u32(&wr, 0);
        cql_status st = decode_rows(wr.data, wr.len, cqln_alloc_default(), &head);
        assert_int_equal(st, depth <= CQLN_TYPE_DEPTH ? CQL_OK : CQL_MALFORMED);
        cqln_writer_fini(&wr);
    }
}

/* --- prepared -------------------------------------------------------------------------------- */

typedef struct prepared_sample {
    uint8_t version;
    uint32_t pk_count;
} prepared_sample;

static cql_status decode_prepared(const uint8_t *body, size_t len, const cql_allocator *al,
                                  void *user)
{
    prepared_sample *s = user;
    cqln_reader rd;
    cqln_prepared_head p;
    cqln_reader_init(&rd, body, len);
    cql_status st = cqln_decode_prepared(&rd, s->version, al, &p);
    if (st) {
        assert_null(p.bind);
        assert_null(p.result);
        return st;
    }
    msg_touch(p.id);
    msg_touch(p.metadata_id);
    touch_metadata(p.bind);
    touch_metadata(p.result);
    s->pk_count = p.bind->pk_count;
    cqln_metadata_unref(p.bind);
    cqln_metadata_unref(p.result);
    return CQL_OK;
}

/* INSERT INTO ks.t (a, b) VALUES (?, ?) with ((b, a)) as partition key */
#define BIND                                                                                       \
    "00000001 00000002"                                                                            \
    "00000002 0001 0000"                                                                           \
    "0002 6b73 0001 74  0001 61 0009  0001 62 000d"
#define NO_RESULT "00000004 00000000"
#define RESULT    "00000001 00000002" GLOBAL_COLUMNS

static void prepared_on_both_versions(void **state)
{
    prepared_sample v4 = {.version = 4};
    prepared_sample v5 = {.version = 5};
    (void)state;
    msg_torture("0002 6964" BIND NO_RESULT, decode_prepared, &v4);
    msg_torture("0002 6964" BIND RESULT, decode_prepared, &v4);
    msg_torture("0002 6964 0002 4d49" BIND RESULT, decode_prepared, &v5);
    hex h = hex_bytes("0002 6964 0002 4d49" BIND RESULT);
    cqln_reader rd;
    cqln_prepared_head p;
    cqln_reader_init(&rd, h.data, h.len);
    assert_int_equal(cqln_decode_prepared(&rd, 5, cqln_alloc_default(), &p), CQL_OK);
    assert_true(is(p.id, "id"));
    assert_true(is(p.metadata_id, "MI"));
    assert_int_equal(p.bind->count, 2);
    assert_int_equal(p.bind->pk_count, 2);
    assert_int_equal(p.bind->pk_index[0], 1);
    assert_int_equal(p.bind->pk_index[1], 0);
    assert_true(is(p.bind->columns[1].name, "b"));
    assert_int_equal(p.result->count, 2);
    assert_true(is(p.result->id, "MI"));
    cqln_metadata_unref(p.bind);
    cqln_metadata_unref(p.result);
    hex_free(&h);
}

static uint32_t prepared_only(const char *text, cql_status expected)
{
    prepared_sample s = {.version = 4};
    hex h = hex_bytes(text);
    assert_int_equal(decode_prepared(h.data, h.len, cqln_alloc_default(), &s), expected);
    hex_free(&h);
    return s.pk_count;
}

#define COLUMNS "0002 6b73 0001 74  0001 61 0009  0001 62 000d"

static void an_odd_partition_key_only_costs_the_routing(void **state)
{
    (void)state;
    assert_int_equal(
        prepared_only("0000 00000001 00000002 00000001 0001" COLUMNS NO_RESULT, CQL_OK), 1);
    assert_int_equal(prepared_only("0000 00000001 00000002 00000000" COLUMNS NO_RESULT, CQL_OK), 0);
    /* an index beyond the markers, the same twice, more than there are markers */
    assert_int_equal(
        prepared_only("0000 00000001 00000002 00000001 0002" COLUMNS NO_RESULT, CQL_OK), 0);
    assert_int_equal(
        prepared_only("0000 00000001 00000002 00000001 ffff" COLUMNS NO_RESULT, CQL_OK), 0);
    assert_int_equal(
        prepared_only("0000 00000001 00000002 00000002 0001 0001" COLUMNS NO_RESULT, CQL_OK), 0);
    assert_int_equal(
        prepared_only("0000 00000001 00000002 00000003 0000 0001 0000" COLUMNS NO_RESULT, CQL_OK),
        0);
    prepared_only("0000 00000001 00000002 ffffffff" COLUMNS NO_RESULT, CQL_MALFORMED);
    prepared_only("0000 00000001 00000002 7fffffff" COLUMNS NO_RESULT, CQL_MALFORMED);
    prepared_only("0000 00000003 00000002 00000000" COLUMNS NO_RESULT, CQL_MALFORMED); /* flag */
    prepared_only("0000 00000001 ffffffff 00000000" COLUMNS NO_RESULT, CQL_MALFORMED);
}

static cql_status decode_markers(const char *name, uint32_t count)
{
    prepared_sample s = {.version = 4};
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), SIZE_MAX);
    cqln_write_string(&wr, cql_str_of("id"));
    cqln_write_u32(&wr, CQLN_ROWS_GLOBAL_SPEC);
    cqln_write_u32(&wr, count);
    cqln_write_u32(&wr, 0);
    cqln_write_string(&wr, cql_str_of("ks"));
    cqln_write_string(&wr, cql_str_of("t"));
    for (uint32_t i = 0; i < count; i++) {
        cqln_write_string(&wr, cql_str_of(name));
        cqln_write_u16(&wr, CQL_TYPE_INT);
    }
    cqln_write_u32(&wr, CQLN_ROWS_NO_METADATA);
    cqln_write_u32(&wr, 0);
    cql_status st = decode_prepared(wr.data, wr.len, cqln_alloc_default(), &s);
    cqln_writer_fini(&wr);
    return st;
}

/* The longest IN (?, ?, ...) that a statement can have, be the name of its key short or long; one
 * more, and the [short] before the values could not count them. */
static void as_many_markers_as_there_can_be(void **state)
{
    static const char *const names[] = {"k", "partition_key"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(names); i++) {
        assert_int_equal(decode_markers(names[i], 65535), CQL_OK);
        assert_int_equal(decode_markers(names[i], 65536), CQL_MALFORMED);
    }
}

/* --- memory ---------------------------------------------------------------------------------- */

static cql_status build_rows(const cql_allocator *al, void *user)
{
    const hex *h = user;
    cqln_rows_head head;
    return decode_rows(h->data, h->len, al, &head);
}

static cql_status build_prepared(const cql_allocator *al, void *user)
{
    const hex *h = user;
    prepared_sample s = {.version = 5};
    return decode_prepared(h->data, h->len, al, &s);
}

static void nothing_leaks_when_memory_is_out(void **state)
{
    (void)state;
    hex r = hex_bytes("0000000b 00000002 00000003 505153 0002 4d49" GLOBAL_COLUMNS "00000000");
    assert_true(failmalloc_each(build_rows, &r, false) >= 2);
    hex_free(&r);
    hex p = hex_bytes("0002 6964 0002 4d49" BIND RESULT);
    assert_true(failmalloc_each(build_prepared, &p, false) >= 4);
    hex_free(&p);
}

/* Describes `count` columns without names of this type; what decoding them asked for. */
static cql_status decode_dense(const char *type_hex, int count, size_t *len, size_t *asked)
{
    cqln_writer wr;
    uint8_t type[16];
    size_t n = hex_decode(type_hex, type, sizeof type);
    cqln_writer_init(&wr, cqln_alloc_default(), SIZE_MAX);
    cqln_write_u32(&wr, CQLN_ROWS_GLOBAL_SPEC);
    cqln_write_u32(&wr, (uint32_t)count);
    cqln_write_u32(&wr, 0);
    for (int i = 0; i < count; i++) {
        cqln_write_u16(&wr, 0);
        cqln_write_bytes(&wr, type, n);
    }
    cqln_write_u32(&wr, 0);
    msg_meter m;
    cqln_rows_head head;
    msg_meter_init(&m);
    cql_status st = decode_rows(wr.data, wr.len, &m.al, &head);
    assert_int_equal(m.live, 0);
    *len = wr.len;
    *asked = m.bytes;
    cqln_writer_fini(&wr);
    return st;
}

/* The densest descriptions: many columns without names, and deep types. As many as a table may have are
 * decoded; a million bytes of them are not, and never is more memory asked for than eight times the
 * bytes and a constant. */
static void memory_follows_the_bytes(void **state)
{
    static const char *const types[] = {"0009",      "0020 0009",           "0021 0009 0009",
                                        "0031 0000", "0030 0000 0000 0000", "0000 0000"};
    enum { CONSTANT = (1 << 22) + (1 << 17) };
    (void)state;
    for (size_t t = 0; t < CQL_COUNT(types); t++) {
        size_t len, asked;
        assert_int_equal(decode_dense(types[t], 2000, &len, &asked), CQL_OK);
        assert_true(asked <= len * 80 + 16384);
        for (int count = 10000; count <= 160000; count *= 4) {
            cql_status st = decode_dense(types[t], count, &len, &asked);
            assert_true(st == CQL_OK || st == CQL_MALFORMED);
            assert_true(asked <= 8 * len + CONSTANT);
        }
    }
}

/* Enough columns for several blocks of the arena, none like the one before. */
static void write_many_columns(cqln_writer *wr, bool global)
{
    if (global)
        cqln_write_u32(wr, 0); /* two empty names */
    for (int i = 0; i < 1500; i++) {
        char name[64];
        snprintf(name, sizeof name, "a_name_of_some_length_for_column_%d", i);
        for (int k = global ? 2 : 0; k < 3; k++)
            cqln_write_string(wr, cql_str_of(name));
        cqln_write_u16(wr, CQL_TYPE_LIST);
        cqln_write_u16(wr, CQL_TYPE_INT);
    }
}

static void many_columns_survive_that_memory_is_out(void **state)
{
    (void)state;
    for (int global = 0; global < 2; global++) {
        cqln_writer wr;
        hex h;
        cqln_writer_init(&wr, cqln_alloc_default(), SIZE_MAX);
        cqln_write_u32(&wr, global ? CQLN_ROWS_GLOBAL_SPEC : 0);
        cqln_write_u32(&wr, 1500);
        write_many_columns(&wr, global);
        cqln_write_u32(&wr, 0);
        h = (hex){wr.data, wr.len};
        assert_true(failmalloc_each(build_rows, &h, false) > 3);
        cqln_writer_reset(&wr);
        cqln_write_u32(&wr, 0); /* both ids are empty */
        cqln_write_u32(&wr, global ? CQLN_ROWS_GLOBAL_SPEC : 0);
        cqln_write_u32(&wr, 1500);
        cqln_write_u32(&wr, 1500);
        for (uint16_t i = 0; i < 1500; i++)
            cqln_write_u16(&wr, i);
        write_many_columns(&wr, global);
        cqln_write_u32(&wr, CQLN_ROWS_NO_METADATA);
        cqln_write_u32(&wr, 0);
        h = (hex){wr.data, wr.len};
        assert_true(failmalloc_each(build_prepared, &h, false) > 5);
        cqln_writer_fini(&wr);
    }
}

/* Whoever builds metadata from a head that was put together wrongly gets no columns, and no crash.
 */
static void a_head_that_lies_makes_no_metadata(void **state)
{
    hex h = hex_bytes(GLOBAL_COLUMNS);
    cqln_metadata *m;
    (void)state;
    for (uint32_t count = 3; count < 40; count++) {
        cqln_rows_head head = {.flags = CQLN_ROWS_GLOBAL_SPEC,
                               .column_count = count,
                               .columns = {(const char *)h.data, h.len}};
        assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_MALFORMED);
        assert_null(m);
    }
    for (size_t len = 0; len < h.len; len++) {
        cqln_rows_head head = {.flags = CQLN_ROWS_GLOBAL_SPEC,
                               .column_count = 2,
                               .columns = {(const char *)h.data, len}};
        assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_MALFORMED);
    }
    hex_free(&h);
}

static void no_memory_is_asked_for_a_size_that_overflows(void **state)
{
    cqln_rows_head head = {.flags = CQLN_ROWS_NO_METADATA, .columns = {"", SIZE_MAX / 2}};
    cqln_metadata *m;
    (void)state;
    assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_NO_MEMORY);
    assert_null(m);
    head.columns.len = SIZE_MAX / 80; /* the product fits, the sum does not */
    assert_int_equal(cqln_metadata_from_rows(cqln_alloc_default(), &head, &m), CQL_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_with_global_columns),
        cmocka_unit_test(rows_with_a_table_for_each_column),
        cmocka_unit_test(rows_without_metadata_keep_the_count),
        cmocka_unit_test(paging_state_comes_before_the_new_metadata_id),
        cmocka_unit_test(a_paging_state_that_cannot_be_sent_is_none),
        cmocka_unit_test(counts_are_checked_against_the_bytes),
        cmocka_unit_test(unknown_types_are_opaque),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(prepared_on_both_versions),
        cmocka_unit_test(as_many_markers_as_there_can_be),
        cmocka_unit_test(an_odd_partition_key_only_costs_the_routing),
        cmocka_unit_test(nothing_leaks_when_memory_is_out),
        cmocka_unit_test(memory_follows_the_bytes),
        cmocka_unit_test(many_columns_survive_that_memory_is_out),
        cmocka_unit_test(a_head_that_lies_makes_no_metadata),
        cmocka_unit_test(no_memory_is_asked_for_a_size_that_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
