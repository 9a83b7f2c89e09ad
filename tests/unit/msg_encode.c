/* Requests, byte for byte. Those marked "server" were accepted by real servers. */
#include "msg_help.h"

#include "base/alloc.h"
#include "msg/front.h"

static cqln_writer wr;

static int set_up(void **state)
{
    (void)state;
    cqln_writer_init(&wr, cqln_alloc_default(), SIZE_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cqln_writer_fini(&wr);
    return 0;
}

static cql_str str(const char *s)
{
    return cql_str_of(s);
}

/* What was written is one envelope whose header is right; forgets it. */
static void assert_wrote(const char *golden)
{
    assert_int_equal(wr.status, CQL_OK);
    assert_hex(wr.data, wr.len, golden);
    assert_int_equal(cqln_load_u32(wr.data + 5), wr.len - CQLN_FRAME_HEADER);
    cqln_writer_reset(&wr);
}

static void options_has_no_body(void **state)
{
    (void)state;
    assert_int_equal(cqln_encode_options(&wr, 4), CQL_OK);
    assert_wrote("04 00 0000 05 00000000");
    assert_int_equal(cqln_encode_options(&wr, 5), CQL_OK);
    assert_wrote("05 00 0000 05 00000000");
}

static void startup_is_a_string_map(void **state)
{
    (void)state;
    cqln_encode_startup(&wr, 4, NULL, NULL, NULL);
    assert_wrote("04 00 0000 01 00000016"
                 "0001"                                          /* one pair */
                 "000b 43514c5f56455253494f4e 0005 332e302e30"); /* CQL_VERSION 3.0.0 */
    cqln_encode_startup(&wr, 5, "lz4", "lib", "1.2");
    assert_wrote("05 00 0000 01 0000004f"
                 "0004"                                            /* four pairs */
                 "000b 43514c5f56455253494f4e 0005 332e302e30"     /* CQL_VERSION 3.0.0 */
                 "000b 434f4d5052455353494f4e 0003 6c7a34"         /* COMPRESSION lz4 */
                 "000b 4452495645525f4e414d45 0003 6c6962"         /* DRIVER_NAME lib */
                 "000e 4452495645525f56455253494f4e 0003 312e32"); /* DRIVER_VERSION 1.2 */
}

static void auth_response_carries_a_token_or_null(void **state)
{
    (void)state;
    cqln_encode_auth_response(&wr, 4, (cql_str){"\0u\0pw", 5});
    assert_wrote("04 00 0000 0f 00000009  00000005 00 75 00 7077");
    cqln_encode_auth_response(&wr, 5, (cql_str){"", 0});
    assert_wrote("05 00 0000 0f 00000004  00000000"); /* empty is not null */
    cqln_encode_auth_response(&wr, 5, (cql_str){NULL, 0});
    assert_wrote("05 00 0000 0f 00000004  ffffffff");
}

static void register_lists_the_kinds(void **state)
{
    (void)state;
    cqln_encode_register(&wr, 4, CQLN_EVENT_TOPOLOGY | CQLN_EVENT_STATUS | CQLN_EVENT_SCHEMA);
    assert_wrote("04 00 0000 0b 00000031  0003"
                 "000f 544f504f4c4f47595f4348414e4745" /* TOPOLOGY_CHANGE */
                 "000d 5354415455535f4348414e4745"     /* STATUS_CHANGE */
                 "000d 534348454d415f4348414e4745");   /* SCHEMA_CHANGE */
    cqln_encode_register(&wr, 5, CQLN_EVENT_STATUS);
    assert_wrote("05 00 0000 0b 00000011  0001  000d 5354415455535f4348414e4745");
    cqln_encode_register(&wr, 5, 0);
    assert_wrote("05 00 0000 0b 00000002  0000");
}

static void query_without_options(void **state)
{
    const cqln_query_options o = {.consistency = 1};
    (void)state;
    /* server: SELECT key FROM system.local at ONE, here with stream 0 */
    cqln_encode_query(&wr, 5, str("SELECT key FROM system.local"), &o, NULL);
    assert_wrote("05 00 0000 07 00000026"
                 "0000001c 53454c454354206b65792046524f4d2073797374656d2e6c6f63616c"
                 "0001 00000000");
    cqln_encode_query(&wr, 4, str("SELECT key FROM system.local"), &o, NULL);
    assert_wrote("04 00 0000 07 00000023"
                 "0000001c 53454c454354206b65792046524f4d2073797374656d2e6c6f63616c"
                 "0001 00");
    const cqln_values_bytes none = {0, {NULL, 0}};
    cqln_encode_query(&wr, 4, str("Q"), &o, &none); /* no values: no flag */
    assert_wrote("04 00 0000 07 00000008  00000001 51  0001 00");
}

static void query_options_come_in_the_order_of_the_protocol(void **state)
{
    /* server: values, page size, serial consistency, timestamp and keyspace together */
    const cqln_query_options o = {.consistency = 4,
                                  .serial_consistency = 9,
                                  .skip_metadata = true,
                                  .tracing = true,
                                  .has_timestamp = true,
                                  .page_size = 5000,
                                  .timestamp = -2,
                                  .paging_state = {"PS", 2},
                                  .keyspace = {"ks", 2}};
    const cqln_values_bytes values = {2, {"\0\0\0\1a\xff\xff\xff\xff", 9}};
    (void)state;
    cqln_encode_query(&wr, 5, str("Q"), &o, &values);
    assert_wrote("05 02 0000 07 0000002e"
                 "00000001 51"
                 "0004"                      /* QUORUM */
                 "000000bf"                  /* flags */
                 "0002 00000001 61 ffffffff" /* values: 'a', null */
                 "00001388"                  /* page size */
                 "00000002 5053"             /* paging state */
                 "0009"                      /* serial: LOCAL_SERIAL */
                 "fffffffffffffffe"          /* timestamp */
                 "0002 6b73");               /* keyspace */
    cqln_encode_query(&wr, 4, str("Q"), &o, &values);
    assert_wrote("04 02 0000 07 00000027"
                 "00000001 51  0004  3f" /* no keyspace below v5 */
                 "0002 00000001 61 ffffffff  00001388  00000002 5053  0009  fffffffffffffffe");
}

static void page_size_minus_one_is_sent(void **state)
{
    const cqln_query_options o = {.consistency = 1, .page_size = -1};
    (void)state;
    cqln_encode_query(&wr, 4, str("Q"), &o, NULL);
    assert_wrote("04 00 0000 07 0000000c  00000001 51  0001 04 ffffffff");
}

static void prepare_has_a_keyspace_on_v5_only(void **state)
{
    (void)state;
    cqln_encode_prepare(&wr, 4, str("Q"), str("ks"));
    assert_wrote("04 00 0000 09 00000005  00000001 51");
    cqln_encode_prepare(&wr, 5, str("Q"), str("ks"));
    assert_wrote("05 00 0000 09 0000000d  00000001 51  00000001 0002 6b73");
    cqln_encode_prepare(&wr, 5, str("Q"), str(""));
    assert_wrote("05 00 0000 09 00000009  00000001 51  00000000");
}

static void execute_carries_the_metadata_id_on_v5_only(void **state)
{
    const cqln_query_options o = {.consistency = 6, .skip_metadata = true};
    const cqln_values_bytes values = {1, {"\0\0\0\1a", 5}};
    (void)state;
    cqln_encode_execute(&wr, 4, str("0123456789abcdef"), str("M"), &o, &values);
    assert_wrote("04 00 0000 0a 0000001c"
                 "0010 30313233343536373839616263646566"
                 "0006 03  0001 00000001 61");
    cqln_encode_execute(&wr, 5, str("id"), str("fedcba9876543210"), &o, &values);
    assert_wrote("05 00 0000 0a 00000023"
                 "0002 6964  0010 66656463626139383736353433323130"
                 "0006 00000003  0001 00000001 61");
    cqln_encode_execute(&wr, 5, str("id"), str(""), &o, NULL);
    assert_wrote("05 00 0000 0a 0000000c  0002 6964  0000  0006 00000002");
}

/* Through a front: as cqln_encode_execute writes it, into as much room as the front asks for. */
static void assert_front_is_like_execute(uint8_t version, size_t id_len, size_t metadata_len, size_t size,
                                         cqln_tail tail, bool skip)
{
    static const char id[] = "0123456789abcdef0123456789abcdef", metadata[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const uint8_t values[100] = {0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t out[CQLN_FRONT_MAX + sizeof values + CQLN_FRONT_TAIL];
    cqln_front f;
    cqln_query_options o = {.consistency = 6, .skip_metadata = skip};
    cqln_values_bytes v = {(uint16_t)(size ? 3 : 0), {(const char *)values, size}};
    cql_str with = {version >= 5 ? metadata : NULL, version >= 5 ? metadata_len : 0};
    o.page_size = tail == CQLN_TAIL_PAGE ? 5000 : 0;
    o.has_timestamp = tail == CQLN_TAIL_TIME;
    o.timestamp = 0x0102030405060708;
    assert_int_equal(cqln_encode_execute(&wr, version, (cql_str){id, id_len}, with, &o, &v), CQL_OK);
    assert_true(cqln_front_make(&f, version, (cql_str){id, id_len}, with, &o, v.count, tail));
    memset(out, 0xee, sizeof out);
    assert_true(cqln_front_bound(size) <= sizeof out);
    uint8_t *end = cqln_front_put(&f, out, values, size);
    if (tail == CQLN_TAIL_PAGE)
        memcpy(end, &f.page, sizeof f.page);
    else if (tail == CQLN_TAIL_TIME)
        cqln_store_u64(end, (uint64_t)o.timestamp);
    assert_int_equal(f.beside + size, wr.len);
    assert_int_equal((size_t)(end - out) + f.tail, wr.len);
    assert_memory_equal(out, wr.data, wr.len);
    cqln_writer_reset(&wr);
}

static void a_front_and_values_are_an_execute(void **state)
{
    (void)state;
    static const size_t ids[] = {1, 10, 16, 20}, sizes[] = {0, 7, 8, 12, 16, 31, 32, 33, 100};
    static const cqln_tail tails[] = {CQLN_TAIL_NONE, CQLN_TAIL_PAGE, CQLN_TAIL_TIME};
    for (uint8_t version = 4; version <= 5; version++)
        for (size_t i = 0; i < CQL_COUNT(ids); i++)
            for (size_t k = 0; k < CQL_COUNT(sizes); k++)
                for (size_t t = 0; t < 2 * CQL_COUNT(tails); t++)
                    assert_front_is_like_execute(version, ids[i], 16, sizes[k], tails[t / 2], t % 2);
    assert_front_is_like_execute(5, 16, 0, 12, CQLN_TAIL_PAGE, false);
}

static void an_id_that_no_front_has_room_for_is_refused(void **state)
{
    (void)state;
    static const char id[CQLN_FRONT_MAX] = {'x'};
    cqln_front f;
    cqln_query_options o = {.consistency = 1};
    for (size_t len = 0; len < sizeof id; len++) {
        bool made = cqln_front_make(&f, 5, (cql_str){id, len}, (cql_str){id, 16}, &o, 1, CQLN_TAIL_PAGE);
        assert_int_equal(made, 9 + 2 + len + 2 + 16 + 2 + 4 + 2 <= CQLN_FRONT_MAX);
        assert_true(!made || f.len <= CQLN_FRONT_MAX);
    }
}

static void batch_holds_both_kinds_of_entries(void **state)
{
    const cqln_query_options o = {.consistency = 1,
                                  .serial_consistency = 8,
                                  .has_timestamp = true,
                                  .timestamp = 7,
                                  .page_size = 100,
                                  .paging_state = {"x", 1},
                                  .keyspace = {"k", 1}};
    const cqln_values_bytes v = {1, {"\0\0\0\1a", 5}};
    cqln_writer entries;
    (void)state;
    cqln_writer_init(&entries, cqln_alloc_default(), SIZE_MAX);
    cqln_encode_batch_query_entry(&entries, str("Q"), NULL);
    cqln_encode_batch_prepared_entry(&entries, str("id"), &v);
    assert_hex(entries.data, entries.len,
               "00 00000001 51  0000"             /* a query without values */
               "01 0002 6964  0001 00000001 61"); /* a prepared one with one */
    cql_str bytes = {(const char *)entries.data, entries.len};
    cqln_encode_batch(&wr, 4, 1, 2, bytes, &o);
    assert_wrote("04 00 0000 0d 00000024"
                 "01 0002" /* unlogged, two entries */
                 "00 00000001 51 0000  01 0002 6964 0001 00000001 61"
                 "0001 30" /* ONE; serial and timestamp only */
                 "0008 0000000000000007");
    cqln_encode_batch(&wr, 5, 0, 0, (cql_str){NULL, 0}, &o);
    assert_wrote("05 00 0000 0d 00000016"
                 "00 0000  0001 000000b0  0008 0000000000000007  0001 6b");
    cqln_writer_fini(&entries);
}

static void strings_that_do_not_fit_are_refused(void **state)
{
    static char big[65537];
    const cql_str too_long = {big, 65536};
    const cql_str fits = {big, 65535};
    cqln_query_options o = {.consistency = 1};
    (void)state;
    memset(big, 'a', sizeof big);
    assert_int_equal(cqln_encode_execute(&wr, 4, too_long, str(""), &o, NULL), CQL_TOO_LARGE);
    assert_int_equal(wr.len, 0);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_execute(&wr, 5, str("i"), too_long, &o, NULL), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_execute(&wr, 4, fits, too_long, &o, NULL), CQL_OK);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_prepare(&wr, 5, str("Q"), too_long), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    o.keyspace = too_long;
    assert_int_equal(cqln_encode_query(&wr, 5, str("Q"), &o, NULL), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_batch(&wr, 5, 0, 0, str(""), &o), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_query(&wr, 4, str("Q"), &o, NULL), CQL_OK);
    cqln_writer_reset(&wr);
    cqln_encode_batch_prepared_entry(&wr, too_long, NULL);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    big[65536] = '\0';
    assert_int_equal(cqln_encode_startup(&wr, 4, NULL, big, "1"), CQL_TOO_LARGE);
}

static void bodies_over_two_gib_are_refused(void **state)
{
    /* Lengths only: the check comes before any byte is read. */
    const cql_str huge = {"", (size_t)INT32_MAX - 3};
    const cql_str beyond = {"", (size_t)INT32_MAX + 1};
    cqln_query_options o = {.consistency = 1};
    (void)state;
    assert_int_equal(cqln_encode_query(&wr, 4, huge, &o, NULL), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_query(&wr, 4, beyond, &o, NULL), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_prepare(&wr, 4, huge, str("")), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_auth_response(&wr, 4, beyond), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    assert_int_equal(cqln_encode_batch(&wr, 4, 0, 1, huge, &o), CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    cqln_encode_batch_query_entry(&wr, huge, NULL);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    o.paging_state = beyond;
    assert_int_equal(cqln_encode_query(&wr, 4, str("Q"), &o, NULL), CQL_TOO_LARGE);
    assert_int_equal(wr.len, 0);
}

static void a_failure_stays(void **state)
{
    const cqln_query_options o = {.consistency = 1};
    (void)state;
    cqln_encode_options(&wr, 4);
    size_t before = wr.len;
    wr.status = CQL_TOO_LARGE;
    assert_int_equal(cqln_encode_options(&wr, 4), CQL_TOO_LARGE);
    assert_int_equal(cqln_encode_query(&wr, 4, str("Q"), &o, NULL), CQL_TOO_LARGE);
    assert_int_equal(wr.len, before);
}

static cql_status encode_all(const cql_allocator *al, void *user)
{
    const cqln_query_options o = {.consistency = 1};
    const cqln_values_bytes v = {1, {"\0\0\0\1a", 5}};
    cqln_writer w;
    (void)user;
    cql_status st = CQL_OK;
    for (int which = 0; which < 9 && !st; which++) {
        cqln_writer_init(&w, al, SIZE_MAX);
        switch (which) {
        case 0:
            cqln_encode_options(&w, 5);
            break;
        case 1:
            cqln_encode_startup(&w, 5, "lz4", "a", "b");
            break;
        case 2:
            cqln_encode_auth_response(&w, 5, str("t"));
            break;
        case 3:
            cqln_encode_register(&w, 5, 7);
            break;
        case 4:
            cqln_encode_query(&w, 5, str("Q"), &o, &v);
            break;
        case 5:
            cqln_encode_prepare(&w, 5, str("Q"), str("k"));
            break;
        case 6:
            cqln_encode_execute(&w, 5, str("i"), str("m"), &o, &v);
            break;
        case 7:
            cqln_encode_batch(&w, 5, 0, 0, str(""), &o);
            break;
        default:
            cqln_encode_batch_query_entry(&w, str("Q"), &v);
            break;
        }
        st = w.status;
        assert_true(st == CQL_OK || w.len == 0);
        cqln_writer_fini(&w);
    }
    return st;
}

static void every_encoder_notices_that_memory_is_out(void **state)
{
    (void)state;
    assert_int_equal(failmalloc_each(encode_all, NULL, false), 9);
}

#define with_writer(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_writer(options_has_no_body),
        with_writer(startup_is_a_string_map),
        with_writer(auth_response_carries_a_token_or_null),
        with_writer(register_lists_the_kinds),
        with_writer(query_without_options),
        with_writer(query_options_come_in_the_order_of_the_protocol),
        with_writer(page_size_minus_one_is_sent),
        with_writer(prepare_has_a_keyspace_on_v5_only),
        with_writer(execute_carries_the_metadata_id_on_v5_only),
        with_writer(a_front_and_values_are_an_execute),
        with_writer(an_id_that_no_front_has_room_for_is_refused),
        with_writer(batch_holds_both_kinds_of_entries),
        with_writer(strings_that_do_not_fit_are_refused),
        with_writer(bodies_over_two_gib_are_refused),
        with_writer(a_failure_stays),
        with_writer(every_encoder_notices_that_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
