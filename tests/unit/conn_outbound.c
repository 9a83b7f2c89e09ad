/* Bytes out: what is written, when it may move, how it is packed, and what it costs. */
#include "conn_help.h"

static void open_version(wire_end *w, uint8_t version, bool lz4)
{
    wire_init(w, version);
    w->config.lz4 = w->server_lz4 = lz4;
    w->config.max_streams = 32767;
    wire_open(w);
}

static int16_t submit(wire_end *w, size_t len)
{
    int16_t stream = 0;
    uint8_t *q = wire_query(w, len);
    assert_int_equal(cqln_conn_submit(w->conn, q, len, w, &stream), CQL_OK);
    free(q);
    return stream;
}

/* The next query that was heard is the one of that length and stream. */
static void heard(wire_end *w, size_t len, int16_t stream)
{
    heard_request r = wire_request(w, CQLN_OP_QUERY);
    uint8_t *q = wire_query(w, len);
    assert_int_equal(r.frame.stream, stream);
    assert_int_equal(r.frame.length, len - 9);
    assert_memory_equal(r.body, q + 9, len - 9);
    free(q);
}

static void a_request_has_its_bytes(void **state)
{
    static const struct {
        uint8_t version;
        const char *golden;
    } rows[] = {
        {4, "04 00 0001 07 00000008 00000001 61 0001 00"},
        {5, "140002 5a8e8e 05 00 0001 07 0000000b 00000001 61 0001 00000000 00000000"},
    };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        const uint8_t *p;
        size_t n;
        wire_end w;
        open_version(&w, rows[i].version, false);
        submit(&w, rows[i].version == 4 ? 17 : 20);
        assert_true(cqln_conn_has_output(w.conn));
        assert_true(cqln_conn_output(w.conn, &p, &n));
        assert_false(cqln_conn_has_output(w.conn));
        if (rows[i].version == 4) {
            assert_hex(p, n, rows[i].golden);
        } else {
            assert_int_equal(n, 6 + 20 + 4);
            assert_hex(p, 3, "140002"); /* 20 bytes, self-contained */
            uint32_t crc = cqln_crc24(p, 3);
            assert_int_equal(p[3] | p[4] << 8 | p[5] << 16, crc);
            assert_hex(p + 6, 20, "05 00 0001 07 0000000b 00000001 61 0001 00000000");
            assert_true(cqln_segment_trailer_ok(p + 6, 20, p + 26));
        }
        cqln_conn_sent(w.conn, n);
        assert_false(cqln_conn_output(w.conn, &p, &n));
        wire_fini(&w);
    }
}

static void the_vector_that_servers_accepted_is_what_is_sent(void **state)
{
    /* SELECT key FROM system.local at ONE; stream 2, as it was recorded */
    static const char text[] = "SELECT key FROM system.local";
    const cqln_query_options o = {.consistency = 1};
    (void)state;
    for (int lz4 = 0; lz4 < 2; lz4++) {
        wire_end w;
        const uint8_t *p;
        size_t n;
        int16_t stream;
        cqln_writer wr;
        open_version(&w, 5, lz4);
        wire_submit(&w, &w); /* takes stream 1 */
        wire_listen(&w);
        cqln_writer_init(&wr, cqln_alloc_default(), SIZE_MAX);
        cqln_encode_query(&wr, 5, cql_str_of(text), &o, NULL);
        assert_int_equal(cqln_conn_submit(w.conn, wr.data, wr.len, &w, &stream), CQL_OK);
        assert_int_equal(stream, 2);
        assert_true(cqln_conn_output(w.conn, &p, &n));
        assert_hex(
            p, n,
            lz4 ? "2f000000044146d0"
                  "0500000207000000260000001c53454c454354206b65792046524f4d2073797374656d2e6c6f"
                  "63616c000100000000 47b8a6eb"
                : "2f0002acf306"
                  "0500000207000000260000001c53454c454354206b65792046524f4d2073797374656d2e6c6f"
                  "63616c000100000000 47b8a6eb");
        cqln_conn_sent(w.conn, n);
        cqln_writer_fini(&wr);
        wire_fini(&w);
    }
}

static void one_flush_is_one_write(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        int16_t streams[300];
        open_version(&w, version, false);
        for (int round = 0; round < 5; round++) {
            unsigned writes = w.writes;
            size_t bytes = w.wire_out;
            for (int i = 0; i < 300; i++)
                streams[i] = submit(&w, 40 + (size_t)i % 50);
            wire_listen(&w);
            assert_int_equal(w.writes, writes + 1);
            size_t plain = 0;
            for (int i = 0; i < 300; i++) {
                heard(&w, 40 + (size_t)i % 50, streams[i]);
                plain += 40 + (size_t)i % 50;
            }
            assert_true(wire_silent(&w));
            assert_int_equal(w.wire_out - bytes,
                             version == 4 ? plain : plain + 10); /* one segment */
        }
        wire_fini(&w);
    }
}

/* What was handed out does not move or change while requests come, however many. */
static void memory_that_was_handed_out_is_stable(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        wire_end w;
        const uint8_t *p;
        size_t n;
        open_version(&w, i & 1 ? 5 : 4, i & 2);
        submit(&w, 5000);
        assert_true(cqln_conn_output(w.conn, &p, &n));
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, p, n);
        for (int k = 0; k < 500; k++) {
            const uint8_t *again;
            size_t left;
            submit(&w, 1000);
            assert_true(cqln_conn_output(w.conn, &again, &left)); /* the same, not the new ones */
            assert_ptr_equal(again, p);
            assert_int_equal(left, n);
        }
        assert_memory_equal(p, copy, n);
        size_t done = 0;
        while (done < n) { /* taken in pieces */
            const uint8_t *rest;
            size_t left;
            assert_true(cqln_conn_output(w.conn, &rest, &left));
            assert_ptr_equal(rest, p + done);
            assert_int_equal(left, n - done);
            assert_memory_equal(rest, copy + done, left);
            size_t part = left < 7 ? left : 7;
            cqln_conn_sent(w.conn, part);
            done += part;
            if (done % 49 == 0)
                wire_submit(&w, &w);
        }
        assert_true(cqln_conn_output(w.conn, &p, &n));
        assert_true(n > 500); /* the others, all of them */
        free(copy);
        wire_fini(&w);
    }
}

static void sent_of_nothing_is_harmless(void **state)
{
    wire_end w;
    const uint8_t *p;
    size_t n;
    (void)state;
    open_version(&w, 4, false);
    cqln_conn_sent(w.conn, 0);
    submit(&w, 40);
    assert_true(cqln_conn_output(w.conn, &p, &n));
    cqln_conn_sent(w.conn, 0);
    assert_true(cqln_conn_output(w.conn, &p, &n));
    assert_int_equal(n, 40);
    wire_fini(&w);
}

/* --- v5 packing ------------------------------------------------------------------------------ */

static void envelopes_around_the_size_of_a_segment(void **state)
{
    static const size_t sizes[] = {20,     131069, 131070, 131071,  131072,      131073,
                                   262141, 262142, 262143, 1000000, 5 * 1048576, 5242000};
    (void)state;
    for (size_t i = 0; i < 2 * CQL_COUNT(sizes); i++) {
        wire_end w;
        open_version(&w, 5, i % 2);
        int16_t before = submit(&w, 33);
        int16_t large = submit(&w, sizes[i / 2]);
        int16_t after = submit(&w, 34);
        heard(&w, 33, before); /* the helper checks the rules of packing */
        heard(&w, sizes[i / 2], large);
        heard(&w, 34, after);
        assert_true(wire_silent(&w));
        wire_fini(&w);
    }
}

static void slices_are_as_the_protocol_wants_them(void **state)
{
    wire_end w;
    const uint8_t *p;
    size_t n;
    (void)state;
    open_version(&w, 5, false);
    submit(&w, 131072);
    assert_true(cqln_conn_output(w.conn, &p, &n));
    assert_int_equal(n, 131072 + 2 * 10);
    assert_hex(p, 3, "ffff01");               /* 131,071 bytes, not self-contained */
    assert_hex(p + 131071 + 10, 3, "010000"); /* 1 byte, not self-contained */
    cqln_conn_sent(w.conn, n);
    submit(&w, 131071);
    assert_true(cqln_conn_output(w.conn, &p, &n));
    assert_int_equal(n, 131071 + 10);
    assert_hex(p, 3, "ffff03"); /* whole: self-contained */
    wire_fini(&w);
}

static void full_segments_are_followed_by_others(void **state)
{
    for (int lz4 = 0; lz4 < 2; lz4++) {
        wire_end w;
        int16_t streams[2000];
        (void)state;
        open_version(&w, 5, lz4);
        for (int i = 0; i < 2000; i++)
            streams[i] = submit(&w, 500 + (size_t)i % 100);
        for (int i = 0; i < 2000; i++)
            heard(&w, 500 + (size_t)i % 100, streams[i]);
        assert_true(wire_silent(&w));
        wire_fini(&w);
    }
}

/* Exactly filling a segment, then one more. */
static void a_segment_is_filled_to_the_last_byte(void **state)
{
    wire_end w;
    const uint8_t *p;
    size_t n;
    (void)state;
    open_version(&w, 5, false);
    submit(&w, 131071 - 40);
    submit(&w, 40);
    assert_true(cqln_conn_output(w.conn, &p, &n));
    assert_int_equal(n, 131071 + 10);
    assert_hex(p, 3, "ffff03");
    cqln_conn_sent(w.conn, n);
    submit(&w, 131071 - 40);
    submit(&w, 41);
    assert_true(cqln_conn_output(w.conn, &p, &n));
    assert_int_equal(n, 131071 - 40 + 41 + 20);
    wire_fini(&w);
}

/* --- lz4 ------------------------------------------------------------------------------------- */

static void lz4_shrinks_what_is_large_and_shrinks(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        open_version(&w, version, true);
        size_t bytes = w.wire_out;
        int16_t s = submit(&w, 20000); /* a repeating text */
        heard(&w, 20000, s);
        assert_true(w.wire_out - bytes < 10000);
        bytes = w.wire_out;
        s = submit(&w, 100); /* too small to try */
        heard(&w, 100, s);
        assert_int_equal(w.wire_out - bytes, version == 4 ? 100 : 112);
        /* what does not shrink goes as it is */
        uint8_t *q = wire_query(&w, 5000);
        for (size_t i = 13; i < 4990; i++)
            q[i] = (uint8_t)(rand() & 0xff);
        bytes = w.wire_out;
        assert_int_equal(cqln_conn_submit(w.conn, q, 5000, &w, &s), CQL_OK);
        heard_request r = wire_request(&w, CQLN_OP_QUERY);
        assert_memory_equal(r.body, q + 9, 5000 - 9);
        assert_int_equal(w.wire_out - bytes, version == 4 ? 5000 : 5012);
        free(q);
        wire_fini(&w);
    }
}

/* --- limits ---------------------------------------------------------------------------------- */

static void the_queue_has_a_limit_but_takes_one_request_of_any_size(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        int16_t stream;
        wire_init(&w, version);
        w.config.max_output = 1000;
        wire_open(&w);
        submit(&w, 5000); /* larger than the limit, but nothing else waits */
        uint32_t used = cqln_conn_in_flight(w.conn);
        uint8_t *q = wire_query(&w, 100);
        assert_int_equal(cqln_conn_submit(w.conn, q, 100, &w, &stream), CQL_WOULD_BLOCK);
        assert_int_equal(cqln_conn_in_flight(w.conn), used); /* no id was lost */
        const uint8_t *p;
        size_t n;
        assert_true(cqln_conn_output(w.conn, &p, &n));
        assert_int_equal(cqln_conn_submit(w.conn, q, 100, &w, &stream), CQL_WOULD_BLOCK);
        cqln_conn_sent(w.conn, n - 1);
        assert_int_equal(cqln_conn_submit(w.conn, q, 100, &w, &stream), CQL_OK);
        cqln_conn_sent(w.conn, 1);
        int taken = 0;
        while (cqln_conn_submit(w.conn, q, 100, &w, &stream) == CQL_OK)
            taken++;
        assert_in_range(taken, 7, 9);
        assert_true(cqln_conn_output(w.conn, &p, &n));
        cqln_conn_sent(w.conn, n);
        submit(&w, 600);
        assert_true(cqln_conn_output(w.conn, &p, &n)); /* what is being written counts */
        taken = 0;
        while (cqln_conn_submit(w.conn, q, 100, &w, &stream) == CQL_OK)
            taken++;
        assert_in_range(taken, 2, 4);
        free(q);
        wire_fini(&w);
    }
}

static void a_heartbeat_goes_out_whatever_waits(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 4);
    w.config.max_output = 100;
    wire_open(&w);
    submit(&w, 100);
    cqln_conn_tick(w.conn, cqln_conn_deadline(w.conn));
    wire_request(&w, CQLN_OP_QUERY);
    wire_request(&w, CQLN_OP_OPTIONS);
    wire_fini(&w);
}

static void a_burst_does_not_keep_its_memory(void **state)
{
    failmalloc f;
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        failmalloc_init(&f);
        wire_init(&w, version);
        w.config.al = &f.al;
        wire_open(&w);
        submit(&w, 4 << 20);
        wire_listen(&w);
        size_t live = atomic_load(&f.live);
        bool given_back = false;
        for (int i = 0; i < 100; i++) { /* small ones, for a while */
            respond_void(&w.say, version, submit(&w, 40));
            wire_listen(&w);
            wire_say(&w);
            wire_event(&w, CQLN_CONN_EV_RESPONSE);
            given_back |= atomic_load(&f.live) < live;
        }
        assert_true(given_back);
        wire_fini(&w);
    }
}

static void a_request_that_finds_no_memory_leaves_nothing_behind(void **state)
{
    failmalloc f;
    (void)state;
    for (int i = 0; i < 8; i++) {
        uint8_t version = i & 1 ? 5 : 4;
        wire_end w;
        int16_t stream;
        failmalloc_init(&f);
        wire_init(&w, version);
        w.config.al = &f.al;
        w.config.lz4 = w.server_lz4 = i & 2;
        wire_open(&w);
        size_t len = i & 4 ? 900000 : 9000;
        int16_t first = submit(&w, 50);
        uint8_t *q = wire_query(&w, len);
        f.fail_at = atomic_load(&f.requests) + 1;
        f.fail_after = true;
        cql_status st = cqln_conn_submit(w.conn, q, len, &w, &stream);
        assert_int_equal(st, CQL_NO_MEMORY);
        assert_int_equal(cqln_conn_in_flight(w.conn), 1);
        f.fail_at = 0;
        f.fail_after = false;
        int16_t second = submit(&w, len); /* the next one is not hurt */
        heard(&w, 50, first);
        heard(&w, len, second);
        assert_true(wire_silent(&w));
        free(q);
        wire_fini(&w);
    }
}

static void without_memory_for_lz4_a_segment_goes_as_it_is(void **state)
{
    failmalloc f;
    wire_end w;
    (void)state;
    failmalloc_init(&f);
    wire_init(&w, 5);
    w.config.al = &f.al;
    w.config.lz4 = w.server_lz4 = true;
    wire_open(&w);
    int16_t stream = submit(&w, 2000);
    f.fail_at = atomic_load(&f.requests) + 1;
    f.fail_after = true;
    size_t bytes = w.wire_out;
    heard(&w, 2000, stream);
    assert_int_equal(w.wire_out - bytes, 2000 + 12);
    f.fail_at = 0;
    bytes = w.wire_out;
    stream = submit(&w, 2000);
    heard(&w, 2000, stream);
    assert_true(w.wire_out - bytes < 1500); /* and compressed again when there is some */
    wire_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_its_bytes),
        cmocka_unit_test(the_vector_that_servers_accepted_is_what_is_sent),
        cmocka_unit_test(one_flush_is_one_write),
        cmocka_unit_test(memory_that_was_handed_out_is_stable),
        cmocka_unit_test(sent_of_nothing_is_harmless),
        cmocka_unit_test(envelopes_around_the_size_of_a_segment),
        cmocka_unit_test(slices_are_as_the_protocol_wants_them),
        cmocka_unit_test(full_segments_are_followed_by_others),
        cmocka_unit_test(a_segment_is_filled_to_the_last_byte),
        cmocka_unit_test(lz4_shrinks_what_is_large_and_shrinks),
        cmocka_unit_test(the_queue_has_a_limit_but_takes_one_request_of_any_size),
        cmocka_unit_test(a_heartbeat_goes_out_whatever_waits),
        cmocka_unit_test(a_burst_does_not_keep_its_memory),
        cmocka_unit_test(a_request_that_finds_no_memory_leaves_nothing_behind),
        cmocka_unit_test(without_memory_for_lz4_a_segment_goes_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
