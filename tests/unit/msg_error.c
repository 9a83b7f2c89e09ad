/* ERROR: every code on both versions. Extras marked "server" are what real servers sent. */
#include "msg_help.h"

typedef struct sample {
    uint8_t version;
    cqln_server_error out;
} sample;

static cql_status decode(const uint8_t *body, size_t len, const cql_allocator *al, void *user)
{
    sample *s = user;
    cqln_reader rd;
    (void)al;
    cqln_reader_init(&rd, body, len);
    cql_status st = cqln_decode_error(&rd, s->version, &s->out);
    if (!st) {
        const cqln_server_error *e = &s->out;
        msg_touch(e->message);
        msg_touch(e->write_type);
        msg_touch(e->keyspace);
        msg_touch(e->table);
        msg_touch(e->unprepared_id);
        msg_touch(e->reasons);
    }
    return st;
}

/* Decodes a golden body after it was put through everything. The views go with the body, so those
 * that a test looks at are compared while it is there. */
static cqln_server_error golden(uint8_t version, const char *text, hex *keep)
{
    sample s = {.version = version};
    msg_torture(text, decode, &s);
    *keep = hex_bytes(text);
    assert_int_equal(decode(keep->data, keep->len, NULL, &s), CQL_OK);
    return s.out;
}

static bool is(cql_str s, const char *text)
{
    return cql_str_equal(s, cql_str_of(text));
}

static void codes_without_extras_keep_code_and_text(void **state)
{
    static const uint32_t codes[] = {0x0000, 0x000a, 0x0100, 0x1001, 0x1002, 0x1003,    0x1600,
                                     0x2000, 0x2100, 0x2200, 0x2300, 0x7777, 0xffffffff};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(codes); i++) {
        char text[64];
        hex h;
        snprintf(text, sizeof text, "%08x 0002 6f6f", codes[i]);
        cqln_server_error e = golden(4 + (i & 1), text, &h);
        assert_int_equal(e.code, codes[i]);
        assert_true(is(e.message, "oo"));
        assert_int_equal(e.reasons.len + e.write_type.len + e.keyspace.len, 0);
        hex_free(&h);
    }
}

static void the_status_of_a_code_never_overflows(void **state)
{
    (void)state;
    assert_int_equal(cqln_server_status(0x2200), CQL_SERVER_INVALID);
    assert_int_equal(CQL_SERVER_CODE(cqln_server_status(0x7777)), 0x7777);
    assert_int_equal(cqln_server_status(0xffffffff), CQL_SERVER_ERROR);
    assert_int_equal(cqln_server_status(0x80000000), CQL_SERVER_ERROR);
    assert_int_equal(CQL_SERVER_CODE(cqln_server_status(0x7ffeffff)), 0x7ffeffff);
}

static void unavailable(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e = golden(4, "00001000 0000  0004 00000002 00000001", &h); /* server */
    assert_int_equal(e.consistency, 4);
    assert_int_equal(e.required, 2);
    assert_int_equal(e.received, 1);
    hex_free(&h);
}

static void write_timeout(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e =
        golden(4, "00001100 0000  0005 00000001 00000002 0006 53494d504c45", &h); /* server */
    assert_int_equal(e.consistency, 5);
    assert_int_equal(e.received, 1);
    assert_int_equal(e.required, 2);
    assert_true(is(e.write_type, "SIMPLE"));
    hex_free(&h);
    e = golden(5, "00001100 0000  0008 00000001 00000002 0003 434153 0007", &h); /* server: CAS */
    assert_true(is(e.write_type, "CAS"));
    assert_int_equal(e.contentions, 7);
    hex_free(&h);
    e = golden(4, "00001100 0000  0008 00000001 00000002 0003 434153", &h); /* server */
    assert_int_equal(e.contentions, 0);
    hex_free(&h);
    e = golden(5, "00001100 0000  ffff 00000000 00000001 0003 4e4557", &h); /* unknown type kept */
    assert_true(is(e.write_type, "NEW"));
    assert_int_equal(e.consistency, 0xffff);
    hex_free(&h);
}

static void read_timeout(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e = golden(5, "00001200 0000  0005 00000001 00000002 01", &h); /* server */
    assert_int_equal(e.received, 1);
    assert_int_equal(e.required, 2);
    assert_true(e.data_present);
    hex_free(&h);
    e = golden(4, "00001200 0000  0005 00000001 00000002 00", &h);
    assert_false(e.data_present);
    hex_free(&h);
}

static void read_failure(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e =
        golden(4, "00001300 0000  0001 00000000 00000001 00000001 00", &h); /* server */
    assert_int_equal(e.failures, 1);
    assert_int_equal(e.reasons.len, 0);
    hex_free(&h);
    e = golden(5,
               "00001300 0000  0002 00000000 00000002  00000002"
               "04 0a000001 0002"                         /* 10.0.0.1: timeout */
               "10 20010db8000000000000000000000001 0001" /* 2001:db8::1: tombstones */
               "01",                                      /* data present */
               &h);
    assert_int_equal(e.failures, 2);
    assert_int_equal(e.reasons.len, 7 + 19);
    assert_true(e.data_present);
    hex_free(&h);
}

static void write_failure(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e = golden(
        5, "00001500 0000  0002 00000000 00000002 00000001 04 0a000001 0002  0006 53494d504c45",
        &h);
    assert_int_equal(e.failures, 1);
    assert_true(is(e.write_type, "SIMPLE"));
    hex_free(&h);
    e = golden(4, "00001500 0000  0002 00000000 00000002 00000001  0003 434443", &h);
    assert_true(is(e.write_type, "CDC"));
    hex_free(&h);
    /* The same address twice: on v5 it has no port, so two nodes of one host look like that. */
    e = golden(5,
               "00001500 0000  0002 00000000 00000002 00000002 04 0a000001 0002 04 0a000001 0000"
               "0004 56494557",
               &h);
    assert_int_equal(e.failures, 2);
    hex_free(&h);
}

static void cas_write_unknown(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e = golden(5, "00001700 0000  0008 00000001 00000002", &h);
    assert_int_equal(e.consistency, 8);
    assert_int_equal(e.received, 1);
    assert_int_equal(e.required, 2);
    hex_free(&h);
}

static void function_failure(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e = golden(4, "00001400 0000  0002 6b73 0001 66 0002 0003 696e74 0000", &h);
    assert_true(is(e.keyspace, "ks"));
    assert_true(is(e.table, "f"));
    hex_free(&h);
}

static void already_exists(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e = golden(4, "00002400 0000  0007 70726f746f5f61 0000", &h); /* server */
    assert_true(is(e.keyspace, "proto_a"));
    assert_int_equal(e.table.len, 0);
    hex_free(&h);
    e = golden(5, "00002400 0000  0000 0000", &h);
    assert_int_equal(e.keyspace.len, 0);
    hex_free(&h);
}

static void unprepared(void **state)
{
    hex h;
    (void)state;
    cqln_server_error e = golden(4, "00002500 0000  0004 deadbeef", &h);
    assert_int_equal(e.unprepared_id.len, 4);
    assert_hex(e.unprepared_id.ptr, 4, "deadbeef");
    hex_free(&h);
    e = golden(5, "00002500 0000  0000", &h);
    assert_int_equal(e.unprepared_id.len, 0);
    hex_free(&h);
}

static void malformed(uint8_t version, const char *text)
{
    sample s = {.version = version};
    hex h = hex_bytes(text);
    assert_int_equal(decode(h.data, h.len, NULL, &s), CQL_MALFORMED);
    hex_free(&h);
}

static void counts_that_cannot_be_are_malformed(void **state)
{
    (void)state;
    malformed(4, "00001000 0000  0004 ffffffff 00000001");             /* negative required */
    malformed(4, "00001200 0000  0005 80000000 00000002 01");          /* negative received */
    malformed(4, "00001300 0000  0001 00000000 00000001 ffffffff 00"); /* negative failures */
    malformed(5, "00001300 0000  0001 00000000 00000001 ffffffff 00"); /* negative map */
    malformed(5, "00001300 0000  0001 00000000 00000001 7fffffff 04 0a000001 0002 00");
    malformed(5, "00001300 0000  0001 00000000 00000001 00000001 05 0a00000100 0002 00");
    malformed(5, "00001300 0000  0001 00000000 00000001 00000001 00 0002 00000000000000");
    malformed(4, "00002000 ffff 61"); /* text beyond the body */
    malformed(4, "00002500 0000  ffff 61");
    malformed(4, "00001400 0000  0002 6b73 0001 66 ffff 0003 696e74");
}

static void bytes_behind_the_end_are_ignored(void **state)
{
    sample s = {.version = 4};
    hex h = hex_bytes("00002200 0001 78  00 01 02 03 04");
    (void)state;
    assert_int_equal(decode(h.data, h.len, NULL, &s), CQL_OK);
    assert_int_equal(s.out.code, 0x2200);
    hex_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_without_extras_keep_code_and_text),
        cmocka_unit_test(the_status_of_a_code_never_overflows),
        cmocka_unit_test(unavailable),
        cmocka_unit_test(write_timeout),
        cmocka_unit_test(read_timeout),
        cmocka_unit_test(read_failure),
        cmocka_unit_test(write_failure),
        cmocka_unit_test(cas_write_unknown),
        cmocka_unit_test(function_failure),
        cmocka_unit_test(already_exists),
        cmocka_unit_test(unprepared),
        cmocka_unit_test(counts_that_cannot_be_are_malformed),
        cmocka_unit_test(bytes_behind_the_end_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
