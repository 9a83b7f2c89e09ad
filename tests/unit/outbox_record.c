/* The bytes of an outbox file, both ways, and every one of them changed. */
#include "outbox_help.h"

static void the_checksum_is_that_of_zip_files(void **state)
{
    (void)state;
    assert_int_equal(cqlox_crc(0, (const uint8_t *)"123456789", 9), 0xcbf43926);
    assert_int_equal(cqlox_crc(cqlox_crc(0, (const uint8_t *)"1234", 4), (const uint8_t *)"56789", 5),
                     0xcbf43926);
    assert_int_equal(cqlox_crc(0, NULL, 0), 0);
}

static void a_header_has_these_bytes(void **state)
{
    (void)state;
    uint8_t bytes[CQLOX_HEADER];
    cqlox_header h = {0x0102, 0x1122334455667788}, back;
    cqlox_header_write(bytes, &h);
    assert_hex(bytes, 28, "63716c6f75740001 0000000000000102 1122334455667788 00000000");
    assert_true(cqlox_header_read(bytes, &back));
    assert_int_equal(back.first_seq, h.first_seq);
    assert_int_equal(back.last_us, h.last_us);
    for (size_t i = 0; i < sizeof bytes * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(cqlox_header_read(bytes, &back));
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    h.first_seq = 0;
    cqlox_header_write(bytes, &h);
    assert_false(cqlox_header_read(bytes, &back));
}

static void a_statement_has_these_bytes(void **state)
{
    (void)state;
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st = {.kind = CQLOX_STATEMENT, .seq = 7, .timestamp_us = 9, .consistency = 6,
                          .keyspace = "k", .cql = "X ?", .cql_len = 3};
    cql_values v = CQL_VALUES(cql_value_int32(258), cql_value_null(), cql_value_unset());
    assert_int_equal(cqlox_statement_write(&b, outbox_memory(), &st, v), CQL_OK);
    assert_hex(b.ptr, 4, "00000039");
    assert_hex(b.ptr + 8, b.len - 8,
               "01 0000000000000007 0000000000000009 0006 00000001 6b 00 00000003 58203f 00 0003"
               "0009 00000004 00000102 0000 ffffffff 0000 fffffffe");
    cqlox_record_renumber(b.ptr, 8);
    assert_true(cqlox_record_read(b.ptr, b.len, &st));
    assert_int_equal(st.seq, 8);
    assert_string_equal(st.keyspace, "k");
    cqlseat_free(outbox_memory(), b.ptr);
}

static void a_mark_has_these_bytes(void **state)
{
    (void)state;
    uint8_t mark[CQLOX_MARK];
    cqlox_statement st;
    cqlox_done_write(mark, 3);
    assert_hex(mark, 4, "00000009");
    assert_hex(mark + 8, 9, "02 0000000000000003");
    assert_true(cqlox_record_read(mark, sizeof mark, &st));
    assert_int_equal(st.kind, CQLOX_DONE);
    assert_int_equal(st.seq, 3);
}

static void read_cut(const uint8_t *bytes, size_t len, void *user)
{
    cqlox_statement st;
    assert_true(cqlox_record_read(bytes, len, &st) == (len == ((cqlox_buf *)user)->len));
}

static void a_changed_or_cut_record_is_damaged(void **state)
{
    (void)state;
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st;
    outbox_record(&b, 5, 77);
    assert_true(cqlox_record_read(b.ptr, b.len, &st));
    assert_int_equal(outbox_number(&st), 77);
    for (size_t i = 0; i < b.len * 8; i++) {
        b.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(cqlox_record_read(b.ptr, b.len, &st));
        b.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    guard_each_cut(b.ptr, b.len, read_cut, &b);
    cqlseat_free(outbox_memory(), b.ptr);
}

/* A body that a program wrote wrongly, with a right checksum. */
static bool reads(const char *text)
{
    uint8_t record[200];
    cqlox_statement st;
    size_t len = hex_decode(text, record + CQLOX_PREFIX, sizeof record - CQLOX_PREFIX);
    cqlox_put_be(record, 4, len);
    cqlox_record_renumber(record, 1);
    guard g;
    guard_init(&g, sizeof record);
    len += CQLOX_PREFIX;
    bool good = cqlox_record_read(guard_place(&g, record, len), len, &st);
    guard_fini(&g);
    return good;
}

#define START "01 0000000000000001 0000000000000009 0006 "

static void a_body_that_cannot_be_is_damaged(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "03 0000000000000001",                                          /* no such kind */
        "02 0000000000000001 00",                                       /* a mark with more */
        START "00000000 00 00000001 58 00 0001 0009 00000004 0000",     /* value cut */
        START "00000000 00 00000001 58 00 0001",                        /* no value */
        START "00000000 00 00000001 58 00 0000 00",                     /* bytes behind it */
        START "00000000 00 00000001 58 01 0000",                        /* text without its end */
        START "00000000 00 00000002 5800 00 0000",                      /* an end inside a text */
        START "00000000 00 7fffffff 58 00 0000",                        /* a text longer than all */
        START "ffffffff 00 00000001 58 00 0000",
        START "00000000 00 00000001 58 00 0001 0009 7fffffff 00000000", /* a value longer than all */
        "01 0000000000000001 0000000000000009 000b 00000000 00 00000001 58 00 0000", /* level 11 */
    };
    assert_true(reads(START "00000000 00 00000001 58 00 0000"));
    assert_true(reads(START "00000000 00 00000001 58 00 0001 0009 00000004 00000102"));
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        if (reads(bad[i]))
            fail_msg("read: %s", bad[i]);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st = {.kind = CQLOX_STATEMENT, .keyspace = "", .cql = "X", .cql_len = 1};
    cql_value unbound = cql_value_null();
    unbound.state = CQL_VALUE_UNBOUND;
    assert_int_equal(cqlox_statement_write(&b, outbox_memory(), &st, CQL_VALUES(unbound)), CQL_UNBOUND);
    cql_value large = cql_value_blob("", 1);
    large.len = CQLOX_BODY_MAX;
    assert_int_equal(cqlox_statement_write(&b, outbox_memory(), &st, CQL_VALUES(large)), CQL_TOO_LARGE);
    cql_values many = {&unbound, CQLOX_VALUES_MAX + 1};
    assert_int_equal(cqlox_statement_write(&b, outbox_memory(), &st, many), CQL_TOO_LARGE);
    assert_null(b.ptr);
    failmalloc f;
    failmalloc_init(&f);
    f.fail_at = 1;
    assert_int_equal(cqlox_statement_write(&b, &f.al, &st, (cql_values){NULL, 0}), CQL_NO_MEMORY);
}

static void a_length_that_cannot_be_is_none(void **state)
{
    (void)state;
    uint8_t prefix[CQLOX_PREFIX] = {0};
    static const uint32_t bad[] = {0, 1, 8, CQLOX_BODY_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        cqlox_put_be(prefix, 4, bad[i]);
        assert_int_equal(cqlox_prefix_read(prefix), 0);
    }
    cqlox_put_be(prefix, 4, CQLOX_BODY_MAX);
    assert_int_equal(cqlox_prefix_read(prefix), CQLOX_BODY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_that_of_zip_files),
        cmocka_unit_test(a_header_has_these_bytes),
        cmocka_unit_test(a_statement_has_these_bytes),
        cmocka_unit_test(a_mark_has_these_bytes),
        cmocka_unit_test(a_changed_or_cut_record_is_damaged),
        cmocka_unit_test(a_body_that_cannot_be_is_damaged),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(a_length_that_cannot_be_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
