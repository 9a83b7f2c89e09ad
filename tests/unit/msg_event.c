/* What stands before a message, EVENT, SCHEMA_CHANGE, SUPPORTED, AUTHENTICATE and the tokens. */
#include "msg_help.h"

static bool is(cql_str s, const char *text)
{
    return cql_str_equal(s, cql_str_of(text));
}

/* --- prefix ---------------------------------------------------------------------------------- */

typedef struct prefix_sample {
    uint8_t flags;
    cqln_prefix out;
    size_t left;
} prefix_sample;

static cql_status decode_prefix(const uint8_t *body, size_t len, const cql_allocator *al,
                                void *user)
{
    prefix_sample *s = user;
    cqln_reader rd;
    (void)al;
    cqln_reader_init(&rd, body, len);
    cql_status st = cqln_decode_prefix(&rd, s->flags, &s->out);
    s->left = cqln_reader_left(&rd);
    if (!st) {
        msg_touch(s->out.warnings_bytes);
        msg_touch(s->out.payload_bytes);
        if (s->out.trace_id)
            msg_touch((cql_str){(const char *)s->out.trace_id, 16});
    }
    return st;
}

#define TRACE    "000102030405060708090a0b0c0d0e0f"
#define WARNINGS "0002 0003 6f6e65 0000"
#define PAYLOAD  "0002 0001 6b 00000002 cafe  0001 6e ffffffff"

static void no_flag_takes_nothing(void **state)
{
    prefix_sample s = {.flags = 0};
    (void)state;
    assert_int_equal(decode_prefix((const uint8_t *)"ab", 2, NULL, &s), CQL_OK);
    assert_int_equal(s.left, 2);
    assert_null(s.out.trace_id);
    s.flags = 0xf0 | CQLN_FLAG_BETA; /* flags that mean nothing here */
    assert_int_equal(decode_prefix((const uint8_t *)"ab", 2, NULL, &s), CQL_OK);
    assert_int_equal(s.left, 2);
}

static void trace_warnings_and_payload_come_in_this_order(void **state)
{
    prefix_sample s = {.flags = CQLN_FLAG_TRACING | CQLN_FLAG_WARNING | CQLN_FLAG_PAYLOAD};
    hex h = hex_bytes(TRACE WARNINGS PAYLOAD "00000001");
    (void)state;
    assert_int_equal(decode_prefix(h.data, h.len, NULL, &s), CQL_OK);
    assert_int_equal(s.left, 4);
    assert_hex(s.out.trace_id, 16, TRACE);
    assert_int_equal(s.out.warnings, 2);
    assert_hex(s.out.warnings_bytes.ptr, s.out.warnings_bytes.len, "0003 6f6e65 0000");
    assert_int_equal(s.out.payload_entries, 2);
    assert_hex(s.out.payload_bytes.ptr, s.out.payload_bytes.len,
               "0001 6b 00000002 cafe  0001 6e ffffffff");
    hex_free(&h);
    msg_torture(TRACE WARNINGS PAYLOAD, decode_prefix, &s);
}

static void each_part_alone_is_cut_safely(void **state)
{
    static const struct {
        uint8_t flags;
        const char *golden;
    } parts[] = {{CQLN_FLAG_TRACING, TRACE},
                 {CQLN_FLAG_WARNING, WARNINGS},
                 {CQLN_FLAG_PAYLOAD, PAYLOAD},
                 {CQLN_FLAG_TRACING | CQLN_FLAG_PAYLOAD, TRACE PAYLOAD},
                 {CQLN_FLAG_WARNING | CQLN_FLAG_PAYLOAD, WARNINGS PAYLOAD}};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(parts); i++) {
        prefix_sample s = {.flags = parts[i].flags};
        msg_torture(parts[i].golden, decode_prefix, &s);
    }
}

static void the_wrong_order_is_malformed(void **state)
{
    prefix_sample s = {.flags = CQLN_FLAG_TRACING | CQLN_FLAG_WARNING | CQLN_FLAG_PAYLOAD};
    hex h = hex_bytes(PAYLOAD WARNINGS TRACE);
    (void)state;
    assert_int_equal(decode_prefix(h.data, h.len, NULL, &s), CQL_MALFORMED);
    hex_free(&h);
}

/* --- events ---------------------------------------------------------------------------------- */

static cql_status decode_event(const uint8_t *body, size_t len, const cql_allocator *al, void *user)
{
    cqln_event *e = user;
    cqln_reader rd;
    (void)al;
    cqln_reader_init(&rd, body, len);
    cql_status st = cqln_decode_event(&rd, e);
    if (!st) {
        msg_touch(e->change);
        msg_touch(e->schema.target);
        msg_touch(e->schema.keyspace);
        msg_touch(e->schema.name);
    }
    return st;
}

static cqln_event event(const char *golden, hex *keep)
{
    cqln_event e;
    msg_torture(golden, decode_event, &e);
    *keep = hex_bytes(golden);
    assert_int_equal(decode_event(keep->data, keep->len, NULL, &e), CQL_OK);
    return e;
}

#define TOPOLOGY "000f 544f504f4c4f47595f4348414e4745"
#define STATUS   "000d 5354415455535f4348414e4745"
#define SCHEMA   "000d 534348454d415f4348414e4745"
#define UP       "0002 5550"

static void node_events_carry_an_address(void **state)
{
    hex h;
    (void)state;
    /* server: NEW_NODE 127.0.0.33 port 9142 */
    cqln_event e = event(TOPOLOGY "0008 4e45575f4e4f4445 04 7f000021 000023b6", &h);
    assert_int_equal(e.kind, CQLN_EV_TOPOLOGY);
    assert_true(is(e.change, "NEW_NODE"));
    assert_int_equal(e.address.len, 4);
    assert_hex(e.address.address, 4, "7f000021");
    assert_int_equal(e.address.port, 9142);
    hex_free(&h);
    e = event(STATUS UP "10 20010db8000000000000000000000001 00002352", &h);
    assert_int_equal(e.kind, CQLN_EV_STATUS);
    assert_true(is(e.change, "UP"));
    assert_int_equal(e.address.len, 16);
    assert_int_equal(e.address.port, 9042);
    hex_free(&h);
}

static void schema_events_name_their_object(void **state)
{
    hex h;
    (void)state;
    cqln_event e = event(SCHEMA "0007 43524541544544 0008 4b45595350414345 0002 6b73", &h);
    assert_int_equal(e.kind, CQLN_EV_SCHEMA);
    assert_true(is(e.change, "CREATED"));
    assert_true(is(e.schema.target, "KEYSPACE"));
    assert_true(is(e.schema.keyspace, "ks"));
    assert_int_equal(e.schema.name.len, 0);
    hex_free(&h);
    e = event(SCHEMA "0007 55504441544544 0005 5441424c45 0002 6b73 0001 74", &h);
    assert_true(is(e.schema.target, "TABLE"));
    assert_true(is(e.schema.name, "t"));
    hex_free(&h);
    e = event(SCHEMA "0007 44524f50504544 0008 46554e4354494f4e 0002 6b73 0001 66"
                     "0002 0003 696e74 0004 74657874",
              &h);
    assert_true(is(e.schema.target, "FUNCTION"));
    assert_true(is(e.schema.name, "f"));
    hex_free(&h);
}

static cqln_event event_only(const char *text, cql_status expected)
{
    cqln_event e = {.kind = CQLN_EV_UNKNOWN};
    hex h = hex_bytes(text);
    assert_int_equal(decode_event(h.data, h.len, NULL, &e), expected);
    hex_free(&h);
    return e;
}

static void what_is_not_known_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(event_only("0003 4e4557 0102", CQL_OK).kind, CQLN_EV_UNKNOWN);
    /* an unknown change of a known kind is handed on as it is */
    assert_int_equal(event_only(STATUS "0003 4d4548 04 7f000001 00002352", CQL_OK).kind,
                     CQLN_EV_STATUS);
    /* an address that is none: length 5, a port of 65,536, a negative port */
    assert_int_equal(event_only(STATUS UP "05 7f00000100 00002352", CQL_OK).kind, CQLN_EV_UNKNOWN);
    assert_int_equal(event_only(STATUS UP "04 7f000001 00010000", CQL_OK).kind, CQLN_EV_UNKNOWN);
    assert_int_equal(event_only(STATUS UP "04 7f000001 ffffffff", CQL_OK).kind, CQLN_EV_UNKNOWN);
    assert_int_equal(event_only(STATUS UP "04 7f000001 0000ffff", CQL_OK).address.port, 65535);
    /* an unknown target keeps its keyspace, so that it can be refreshed */
    cqln_event e = event_only(SCHEMA "0001 58 0003 4e4557 0002 6b73", CQL_OK);
    assert_int_equal(e.kind, CQLN_EV_SCHEMA);
    assert_int_equal(e.schema.keyspace.len, 2);
    assert_int_equal(event_only(SCHEMA "0001 58 0003 4e4557 0009", CQL_OK).schema.keyspace.len, 0);
    event_only(STATUS UP "05 7f000001", CQL_MALFORMED); /* cut in an address of 5 bytes */
    event_only(SCHEMA "0001 58 0008 46554e4354494f4e 0000 0000 ffff", CQL_MALFORMED);
}

/* --- supported ------------------------------------------------------------------------------- */

static cql_status decode_supported(const uint8_t *body, size_t len, const cql_allocator *al,
                                   void *user)
{
    cqln_reader rd;
    (void)al;
    cqln_supported *s = user;
    cqln_reader_init(&rd, body, len);
    cql_status st = cqln_decode_supported(&rd, s);
    if (!st)
        msg_touch(s->release_hint);
    return st;
}

static void supported_of_a_real_server(void **state)
{
    /* Cassandra 5.0 */
    static const char golden[] =
        "0003"
        "0011 50524f544f434f4c5f56455253494f4e53 0004" /* PROTOCOL_VERSIONS */
        "0004 332f7633 0004 342f7634 0004 352f7635 0009 362f76362d62657461"
        "000b 434f4d5052455353494f4e 0002 0006 736e61707079 0003 6c7a34" /* COMPRESSION */
        "000b 43514c5f56455253494f4e 0001 0005 332e342e37";              /* CQL_VERSION */
    cqln_supported s;
    (void)state;
    msg_torture(golden, decode_supported, &s);
    hex h = hex_bytes(golden);
    assert_int_equal(decode_supported(h.data, h.len, NULL, &s), CQL_OK);
    assert_true(s.lz4);
    assert_true(s.versions_known);
    assert_int_equal(s.versions, 1u << 3 | 1u << 4 | 1u << 5); /* 6 is beta */
    assert_true(is(s.release_hint, "3.4.7"));
    hex_free(&h);
}

static cqln_supported supported_only(const char *text)
{
    cqln_supported s;
    hex h = hex_bytes(text);
    assert_int_equal(decode_supported(h.data, h.len, NULL, &s), CQL_OK);
    s.release_hint = (cql_str){NULL, 0};
    hex_free(&h);
    return s;
}

#define VERSIONS    "0011 50524f544f434f4c5f56455253494f4e53"
#define COMPRESSION "000b 434f4d5052455353494f4e"

static void supported_without_the_usual_keys(void **state)
{
    (void)state;
    cqln_supported s = supported_only("0000");
    assert_false(s.lz4);
    assert_false(s.versions_known);
    s = supported_only("0001 0003 4e4557 0001 0001 78"); /* an unknown key */
    assert_false(s.versions_known);
    s = supported_only("0002" COMPRESSION "0001 0003 4c5a34" COMPRESSION "0000"); /* LZ4, twice */
    assert_true(s.lz4);
    s = supported_only("0001" VERSIONS "0001 0009 352f76352d62657461"); /* 5/v5-beta, 3.11 */
    assert_true(s.versions_known);
    assert_int_equal(s.versions, 0);
    /* not numbers, too large ones, DSE's, nothing */
    s = supported_only("0001" VERSIONS "0007 0000 0002 7634 0003 78 2f 34 0006 363566 2f 76 35"
                       "0005 36352f 7636 0004 39393939 0001 34");
    assert_int_equal(s.versions, 1u << 4); /* "4" */
}

/* --- log-in ---------------------------------------------------------------------------------- */

static cql_status decode_authenticate(const uint8_t *body, size_t len, const cql_allocator *al,
                                      void *user)
{
    cqln_reader rd;
    (void)al;
    cqln_reader_init(&rd, body, len);
    cql_status st = cqln_decode_authenticate(&rd, user);
    if (!st)
        msg_touch(*(cql_str *)user);
    return st;
}

static cql_status decode_token(const uint8_t *body, size_t len, const cql_allocator *al, void *user)
{
    cqln_reader rd;
    (void)al;
    cqln_reader_init(&rd, body, len);
    cql_status st = cqln_decode_auth_token(&rd, user);
    if (!st)
        msg_touch(*(cql_str *)user);
    return st;
}

static void log_in_messages(void **state)
{
    cql_str s;
    (void)state;
    msg_torture("0003 612e42", decode_authenticate, &s);
    msg_torture("0000", decode_authenticate, &s);
    msg_torture("00000002 0102", decode_token, &s);
    assert_int_equal(decode_token((const uint8_t *)"\xff\xff\xff\xff", 4, NULL, &s), CQL_OK);
    assert_null(s.ptr);
    assert_int_equal(decode_token((const uint8_t *)"\0\0\0\0", 4, NULL, &s), CQL_OK);
    assert_non_null(s.ptr);
    assert_int_equal(s.len, 0);
    msg_torture("ffffffff", decode_token, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_flag_takes_nothing),
        cmocka_unit_test(trace_warnings_and_payload_come_in_this_order),
        cmocka_unit_test(each_part_alone_is_cut_safely),
        cmocka_unit_test(the_wrong_order_is_malformed),
        cmocka_unit_test(node_events_carry_an_address),
        cmocka_unit_test(schema_events_name_their_object),
        cmocka_unit_test(what_is_not_known_is_passed_over),
        cmocka_unit_test(supported_of_a_real_server),
        cmocka_unit_test(supported_without_the_usual_keys),
        cmocka_unit_test(log_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
