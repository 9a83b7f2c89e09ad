/* v4 bodies as lz4: every size, lies, limits, and what they cost. */
#include "conn_help.h"

static void open_lz4(wire_end *w, const cql_allocator *al)
{
    wire_init(w, 4);
    w->config.lz4 = w->server_lz4 = true;
    if (al)
        w->config.al = al;
    wire_open(w);
}

static void lz4_bodies_of_every_size_arrive(void **state)
{
    static const size_t sizes[] = {0,     1,      3,      4,      511,    512,     4086,   4100,
                                   65536, 131071, 131072, 200000, 262144, 1048577, 5 << 20};
    static const size_t steps[] = {0, 13, 1000};
    (void)state;
    for (size_t s = 0; s < CQL_COUNT(steps); s++) {
        wire_end w;
        open_lz4(&w, NULL);
        w.step = steps[s];
        for (size_t i = 0; i < 3 * CQL_COUNT(sizes); i++) {
            size_t n = sizes[i / 3];
            uint8_t *body = wire_pattern(n, (unsigned)i);
            for (size_t k = 0; i % 3 == 1 && k < n; k++)
                body[k] = (uint8_t)(rand() & 0xff); /* does not shrink */
            w.raw_bodies = i % 3 == 2;              /* the server may leave one as it is */
            wire_send_body(&w, body, n);
            wire_take_body(&w, body, n);
            wire_no_event(&w);
            free(body);
        }
        wire_fini(&w);
    }
}

static void an_lz4_body_without_bytes_is_empty(void **state)
{
    wire_end w;
    (void)state;
    open_lz4(&w, NULL);
    int16_t stream = wire_submit(&w, &w);
    uint8_t head[9] = {0x84, 1, 0, (uint8_t)stream, 8, 0, 0, 0, 0};
    wire_feed(&w, head, 9);
    assert_int_equal(wire_event(&w, CQLN_CONN_EV_RESPONSE).len, 0);
    wire_fini(&w);
}

static void lz4_pages_cost_no_allocation_in_the_steady_state(void **state)
{
    enum { SIZE = 600000 };
    failmalloc f;
    wire_end w;
    uint8_t *body = malloc(SIZE);
    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (uint8_t)(rand() & 15); /* shrinks to a half */
    failmalloc_init(&f);
    open_lz4(&w, &f.al);
    size_t before = 0;
    for (int i = 0; i < 30; i++) {
        if (i == 6)
            before = atomic_load(&f.requests);
        wire_send_body(&w, body, SIZE);
        cqln_conn_event ev = wire_take_body(&w, body, SIZE);
        assert_non_null(ev.block);
    }
    assert_int_equal(atomic_load(&f.requests), before);
    free(body);
    wire_fini(&w);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void lz4_bodies_that_lie_end_the_connection(void **state)
{
    static const struct {
        const char *body;
        cql_status status;
        const char *words;
    } lies[] = {
        {"00", CQL_MALFORMED, "announced length"}, /* under 4 bytes */
        {"000000", CQL_MALFORMED, "announced length"},
        {"ffffffff 00", CQL_MALFORMED, "announced length"},   /* negative */
        {"7fffffff 1061", CQL_MALFORMED, "announced length"}, /* more than it can hold */
        {"00001000 1061", CQL_MALFORMED, "announced length"},
        {"00000000 1061", CQL_MALFORMED, "does not decompress"}, /* nothing, but there are bytes */
        {"00000002 1061", CQL_MALFORMED, "does not decompress"}, /* one byte too many stated */
        {"00000003 206162", CQL_MALFORMED, "does not decompress"},
        {"00000001 206162", CQL_MALFORMED, "does not decompress"}, /* one too few */
        {"00000005 ff", CQL_MALFORMED, "does not decompress"},
        {"00000010 1f61ffff00", CQL_MALFORMED, "does not decompress"}, /* offset beyond the start */
    };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(lies); i++) {
        wire_end w;
        open_lz4(&w, NULL);
        int16_t stream = wire_submit(&w, &w);
        hex h = hex_bytes(lies[i].body);
        size_t at = respond_begin(&w.say, 4, CQLN_FLAG_COMPRESSION, stream, CQLN_OP_RESULT);
        cqln_write_bytes(&w.say, h.data, h.len);
        respond_end(&w.say, at);
        w.raw_bodies = true;
        wire_say(&w);
        wire_closed(&w, lies[i].status, lies[i].words);
        hex_free(&h);
        wire_fini(&w);
    }
}

static void an_lz4_body_over_the_limit_is_not_decompressed(void **state)
{
    largest l;
    wire_end w;
    uint8_t *body = calloc(1, 1 << 20);
    (void)state;
    assert_non_null(body);
    largest_init(&l);
    wire_init(&w, 4);
    w.config.al = &l.al;
    w.config.lz4 = w.server_lz4 = true;
    w.config.max_body = (1 << 20) - 1;
    wire_open(&w);
    wire_send_body(&w, body, 1 << 20); /* some 4 KiB on the wire */
    cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_RESPONSE);
    assert_int_equal(ev.opcode, CQLN_CONN_UNREAD);
    assert_int_equal(ev.status, CQL_TOO_LARGE);
    assert_int_equal(ev.len, 1 << 20);
    assert_true(l.size < 100000);
    free(body);
    wire_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lz4_bodies_of_every_size_arrive),
        cmocka_unit_test(an_lz4_body_without_bytes_is_empty),
        cmocka_unit_test(lz4_pages_cost_no_allocation_in_the_steady_state),
        cmocka_unit_test(lz4_bodies_that_lie_end_the_connection),
        cmocka_unit_test(an_lz4_body_over_the_limit_is_not_decompressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
