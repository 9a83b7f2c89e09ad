/* Results and the row cursor: every kind decoded, kept beyond its buffer, and cut. */
#include "cluster/result.h"
#include "msg_help.h"
#include "unit.h"

#include "base/alloc.h"

enum { BODY_MAX = 2048, WIDE = 50 };

/* flags 3: one table spec, another page; columns a int, b text; rows (1,'x'), (null,''). */
static const char rows_hex[] =
    "00000002 00000003 00000002 00000003 616263 0002 6b73 0001 74 0001 61 0009 0001 62 000d"
    "00000002  00000004 00000001 00000001 78  ffffffff 00000000";

static cql_status decode(cql_result *res, const void *body, size_t len, uint8_t flags,
                         cqln_metadata *known, cqln_metadata **fresh)
{
    return cqln_result_decode(res, cqln_alloc_default(), body, len, flags, NULL, known, fresh);
}

static bool is(cql_str s, const char *text)
{
    return cql_str_equal(s, cql_str_of(text));
}

/* Decodes, keeps, destroys the buffer, and gives the kept result. */
static cql_result *kept(const char *hex_text, uint8_t flags)
{
    hex h = hex_bytes(hex_text);
    cql_result res;
    cqln_metadata *fresh;
    assert_int_equal(decode(&res, h.data, h.len, flags, NULL, &fresh), CQL_OK);
    cql_result *k = cql_result_ref(&res);
    assert_non_null(k);
    cqln_result_done(&res);
    cqln_metadata_unref(fresh);
    memset(h.data, 0xee, h.len);
    hex_free(&h);
    return k;
}

static void rows_are_read_from_a_kept_result(void **state)
{
    (void)state;
    cql_rows rows;
    cql_result *k = kept(rows_hex, 0);
    assert_int_equal(cql_result_row_count(k), 2);
    assert_true(cql_result_has_more(k) && is(cql_result_paging_state(k), "abc"));
    assert_true(is(cql_result_column_name(k, 1), "b") && is(cql_result_keyspace(k), ""));
    cql_rows_init(&rows, k);
    assert_true(cql_rows_next(&rows));
    assert_int_equal(cql_rows_int32(&rows, 0), 1);
    assert_true(is(cql_rows_str(&rows, 1), "x"));
    assert_true(cql_rows_next(&rows));
    assert_true(cql_rows_is_null(&rows, 0) && !cql_rows_is_null(&rows, 1));
    assert_null(cql_rows_str(&rows, 0).ptr);
    assert_int_equal(cql_rows_status(&rows), CQL_OK);
    assert_false(cql_rows_next(&rows));
    assert_int_equal(cql_rows_status(&rows), CQL_OK);
    cql_result_unref(k);
}

/* The connection's own text of it may be gone. */
static void a_kept_result_has_its_host(void **state)
{
    (void)state;
    char host[] = "127.0.0.1:9042";
    hex h = hex_bytes(rows_hex);
    cql_result res;
    cqln_metadata *fresh;
    assert_int_equal(decode(&res, h.data, h.len, 0, NULL, &fresh), CQL_OK);
    res.host = cql_str_of(host);
    cql_result *k = cql_result_ref(&res);
    cqln_result_done(&res);
    cqln_metadata_unref(fresh);
    memset(host, 'x', sizeof host - 1);
    hex_free(&h);
    assert_true(is(cql_result_host(k), "127.0.0.1:9042"));
    cql_result_unref(k);
}

static void a_column_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    cql_rows rows;
    cql_result *k = kept(rows_hex, 0);
    cql_rows_init(&rows, k);
    assert_true(cql_rows_next(&rows));
    assert_null(cql_rows_str(&rows, 2).ptr);
    assert_int_equal(cql_rows_status(&rows), CQL_OUT_OF_RANGE);
    cql_result_unref(k);
}

static void prefix_is_kept_with_every_kind(void **state)
{
    (void)state;
    cql_uuid id;
    cql_result *k = kept("000102030405060708090a0b0c0d0e0f  0001 0004 6f75 6368"
                         "0001 0001 6b 00000001 76  00000001", 2 | 8 | 4);
    assert_int_equal(cql_result_kind_of(k), CQL_RESULT_VOID);
    assert_int_equal(cql_result_warning_count(k), 1);
    assert_true(is(cql_result_warning(k, 0), "ouch"));
    assert_true(cql_result_tracing_id(k, &id) && id.bytes[15] == 15);
    assert_hex(k->prefix.payload_bytes.ptr, k->prefix.payload_bytes.len, "0001 6b 00000001 76");
    assert_int_equal(cql_result_row_count(k), 0);
    assert_false(cql_result_has_more(k));
    cql_result_unref(k);
}

static void other_kinds_are_kept(void **state)
{
    (void)state;
    cql_result *k = kept("00000003 0004 50726f64", 0);
    assert_true(is(cql_result_keyspace(k), "Prod"));
    assert_int_equal(cql_result_warning_count(k), 0);
    cql_result_unref(k);
    k = kept("00000005 0007 43524541544544 0005 5441424c45 0002 6b73 0001 74", 0);
    assert_true(is(k->schema.change, "CREATED") && is(k->schema.target, "TABLE") &&
                is(k->schema.keyspace, "ks") && is(k->schema.name, "t"));
    assert_true(is(cql_result_keyspace(k), ""));
    assert_int_equal(cql_result_column_count(k), 0);
    cql_result_unref(k);
}

/* A cut in the head is malformed at once, one in the cells when the cursor comes to it. */
static void cut(const uint8_t *bytes, size_t len, void *user)
{
    cql_result res;
    cqln_metadata *fresh;
    cql_rows rows;
    size_t *ends = user;
    if (decode(&res, bytes, len, 0, NULL, &fresh) != CQL_OK) {
        ends[0]++;
        return;
    }
    cql_rows_init(&rows, &res);
    while (cql_rows_next(&rows))
        continue;
    assert_int_equal(cql_rows_status(&rows), CQL_MALFORMED);
    assert_false(cql_rows_next(&rows));
    ends[1]++;
    cqln_result_done(&res);
    cqln_metadata_unref(fresh);
}

static void no_cut_passes_as_whole(void **state)
{
    (void)state;
    size_t ends[2] = {0, 0};
    hex h = hex_bytes(rows_hex);
    guard_each_cut(h.data, h.len, cut, ends);
    assert_int_equal(ends[0] + ends[1], h.len);
    assert_true(ends[0] > 0 && ends[1] > 0);
    hex_free(&h);
}

static void hostile_cell_lengths_are_malformed(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0xfffffffe, 0x80000000, 0x7fffffff, 6, 0x00010000};
    for (size_t i = 0; i < CQL_COUNT(lengths); i++) {
        hex h = hex_bytes(rows_hex);
        cql_result res;
        cqln_metadata *fresh;
        cql_rows rows;
        cqln_store_u32(h.data + h.len - 4, lengths[i]); /* the last cell's; nothing is behind it */
        assert_int_equal(decode(&res, h.data, h.len, 0, NULL, &fresh), CQL_OK);
        cql_rows_init(&rows, &res);
        assert_true(cql_rows_next(&rows));
        assert_false(cql_rows_next(&rows));
        assert_int_equal(cql_rows_status(&rows), CQL_MALFORMED);
        assert_int_equal(cql_rows_int32(&rows, 0), 0);
        cqln_metadata_unref(fresh);
        hex_free(&h);
    }
}

/* More columns than places that a cursor keeps; column i of row r holds i + r, every seventh is null. */
static size_t wide_body(uint8_t *to)
{
    uint8_t *p = to;
    cqln_store_u32(p, CQLN_RESULT_ROWS);
    cqln_store_u32(p + 4, CQLN_ROWS_GLOBAL_SPEC);
    cqln_store_u32(p + 8, WIDE);
    p += 12 + hex_decode("0002 6b73 0001 74", p + 12, 16);
    for (int i = 0; i < WIDE; i++)
        p += hex_decode("0001 63 0009", p, 8);
    cqln_store_u32(p, 2);
    p += 4;
    for (uint32_t cell = 0; cell < 2 * WIDE; cell++) {
        bool null = cell % WIDE % 7 == 6;
        cqln_store_u32(p, null ? UINT32_MAX : 4);
        cqln_store_u32(p + 4, cell % WIDE + cell / WIDE);
        p += null ? 4 : 8;
    }
    return (size_t)(p - to);
}

static void wide_rows_are_read_to_their_end(void **state)
{
    (void)state;
    uint8_t body[BODY_MAX];
    cql_result res;
    cqln_metadata *fresh;
    cql_rows rows;
    assert_int_equal(decode(&res, body, wide_body(body), 0, NULL, &fresh), CQL_OK);
    cql_rows_init(&rows, &res);
    for (int32_t r = 0; r < 2; r++) {
        assert_true(cql_rows_next(&rows));
        for (size_t i = WIDE; i-- > 0;) {
            assert_int_equal(cql_rows_is_null(&rows, i), i % 7 == 6);
            if (i % 7 != 6)
                assert_int_equal(cql_rows_int32(&rows, i), (int32_t)i + r);
        }
    }
    assert_false(cql_rows_next(&rows));
    assert_int_equal(cql_rows_status(&rows), CQL_OK);
    cqln_result_done(&res);
    cqln_metadata_unref(fresh);
}

/* Two rows of which each cell is empty or, by its bit, null: nothing is behind the last length, and the sanitizer sees
 * to it that nothing is read there. */
static void the_last_cells_may_be_empty_or_null(void **state)
{
    (void)state;
    enum { COLUMNS = 3 };
    for (uint32_t nulls = 0; nulls < 1u << 2 * COLUMNS; nulls++) {
        uint8_t *body = malloc(BODY_MAX), *p = body;
        cqln_store_u32(p, CQLN_RESULT_ROWS);
        cqln_store_u32(p + 4, CQLN_ROWS_GLOBAL_SPEC);
        cqln_store_u32(p + 8, COLUMNS);
        p += 12 + hex_decode("0002 6b73 0001 74", p + 12, 16);
        for (int i = 0; i < COLUMNS; i++)
            p += hex_decode("0001 63 000d", p, 8);
        cqln_store_u32(p, 2);
        p += 4;
        for (int i = 0; i < 2 * COLUMNS; i++, p += 4)
            cqln_store_u32(p, nulls >> i & 1 ? UINT32_MAX : 0);
        cql_result res;
        cqln_metadata *fresh;
        cql_rows rows;
        uint8_t *exact = malloc((size_t)(p - body)); /* the sanitizer guards its end */
        memcpy(exact, body, (size_t)(p - body));
        assert_int_equal(decode(&res, exact, (size_t)(p - body), 0, NULL, &fresh), CQL_OK);
        cql_rows_init(&rows, &res);
        for (int r = 0; r < 2; r++) {
            assert_true(cql_rows_next(&rows));
            for (size_t i = 0; i < COLUMNS; i++)
                assert_int_equal(cql_rows_is_null(&rows, i), nulls >> (r * COLUMNS + (int)i) & 1);
        }
        assert_false(cql_rows_next(&rows));
        assert_int_equal(cql_rows_status(&rows), CQL_OK);
        cqln_result_done(&res);
        cqln_metadata_unref(fresh);
        free(exact);
        free(body);
    }
}

/* What the server leaves out is taken from what is known, if it has as many columns. */
static void known_metadata_must_fit(void **state)
{
    (void)state;
    cql_result res, bare;
    cqln_metadata *known, *fresh;
    cql_rows rows;
    hex full = hex_bytes(rows_hex);
    hex two = hex_bytes("00000002 00000004 00000002 00000001 00000004 00000009 00000001 79");
    hex three = hex_bytes("00000002 00000004 00000003 00000001 ffffffff ffffffff ffffffff");
    assert_int_equal(decode(&res, full.data, full.len, 0, NULL, &known), CQL_OK);
    assert_int_equal(decode(&bare, two.data, two.len, 0, known, &fresh), CQL_OK);
    assert_null(fresh);
    cql_rows_init(&rows, &bare);
    assert_true(cql_rows_next(&rows));
    assert_int_equal(cql_rows_int32(&rows, 0), 9);
    assert_int_equal(decode(&bare, three.data, three.len, 0, known, &fresh), CQL_MALFORMED);
    assert_int_equal(decode(&bare, two.data, two.len, 0, NULL, &fresh), CQL_MALFORMED);
    cqln_metadata_unref(known);
    hex_free(&full);
    hex_free(&two);
    hex_free(&three);
}

/* A page as it comes: its body in a block that may be larger than it, its metadata the statement's. */
static void a_kept_page_costs_its_body_and_little_more(void **state)
{
    (void)state;
    enum { PAGE = 700000, FIXED = 4096 };
    static const size_t more[] = {0, 100, 2048, 4096, PAGE};
    cql_result res;
    cqln_metadata *known = NULL;
    cqln_metadata *fresh;
    hex full = hex_bytes(rows_hex);
    assert_int_equal(decode(&res, full.data, full.len, 0, NULL, &known), CQL_OK);
    for (size_t i = 0; i < CQL_COUNT(more); i++) {
        msg_meter m;
        msg_meter_init(&m);
        cqln_rcbuf *block = cqln_rcbuf_new(&m.al, PAGE + more[i]);
        uint8_t *p = cqln_rcbuf_data(block);
        hex head = hex_bytes("00000002 00000004 00000002 00000001 ffffffff 000aae48");
        memset(p, 'x', PAGE);
        memcpy(p, head.data, head.len);
        size_t own = m.bytes;
        assert_int_equal(cqln_result_decode(&res, &m.al, p, PAGE, 0, block, known, &fresh), CQL_OK);
        assert_null(fresh);
        cql_result *k = cql_result_ref(&res);
        bool shares = !cqln_rcbuf_sole(block);
        assert_true(m.bytes - own + (shares ? own : 0) <= PAGE + FIXED);
        cqln_rcbuf_unref(block);
        cql_rows rows;
        cql_rows_init(&rows, k);
        assert_true(cql_rows_next(&rows));
        cql_str text = cql_rows_str(&rows, 1);
        assert_true(text.len == PAGE - 24 && text.ptr[0] == 'x' && text.ptr[text.len - 1] == 'x');
        cql_result_unref(k);
        assert_int_equal(m.live, 0);
        hex_free(&head);
    }
    cqln_metadata_unref(known);
    hex_free(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_from_a_kept_result),
        cmocka_unit_test(a_kept_result_has_its_host),
        cmocka_unit_test(a_column_that_is_not_there_is_an_error),
        cmocka_unit_test(prefix_is_kept_with_every_kind),
        cmocka_unit_test(other_kinds_are_kept),
        cmocka_unit_test(no_cut_passes_as_whole),
        cmocka_unit_test(hostile_cell_lengths_are_malformed),
        cmocka_unit_test(wide_rows_are_read_to_their_end),
        cmocka_unit_test(the_last_cells_may_be_empty_or_null),
        cmocka_unit_test(known_metadata_must_fit),
        cmocka_unit_test(a_kept_page_costs_its_body_and_little_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
