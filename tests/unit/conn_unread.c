/* Answers for which there is no room: too large, or memory is out. They are passed over as they come; who waits
 * for one is told, and the connection goes on. */
#include "conn_help.h"

enum { LIMIT = 70000, SEEN_MAX = 16 };

/* What came in order; bodies are compared as they come. */
typedef struct seen {
    size_t count;
    cqln_conn_event ev[SEEN_MAX];
    const uint8_t *body; /* of every answer that is read: its first bytes */
} seen;

static void pull(wire_end *w, seen *s)
{
    cqln_conn_event ev;
    while (cqln_conn_next(w->conn, &ev)) {
        assert_true(s->count < SEEN_MAX);
        if (ev.body)
            assert_memory_equal(ev.body, s->body, ev.len);
        s->ev[s->count++] = ev;
    }
}

/* As a loop does: space, commit, all events. */
static void feed(wire_end *w, seen *s, const uint8_t *p, size_t n)
{
    size_t part;
    for (; n > 0 && (part = wire_give(w, p, n)) > 0; p += part, n -= part)
        pull(w, s);
    pull(w, s);
}

/* w->say in the framing of the connection. */
static void to_wire(wire_end *w, cqln_writer *out)
{
    cqln_writer_init(out, cqln_alloc_default(), SIZE_MAX);
    if (w->framed)
        respond_frame(out, w->say.data, w->say.len, w->lz4, 0);
    for (size_t at = 0; !w->framed && at < w->say.len;) {
        const uint8_t *p = w->say.data + at;
        size_t n = CQLN_FRAME_HEADER + (size_t)cqln_load_u32(p + 5);
        if (w->lz4 && !w->raw_bodies)
            respond_deflated(out, p, n);
        else
            cqln_write_bytes(out, p, n);
        at += n;
    }
    w->say.len = 0;
}

static void say(wire_end *w, seen *s)
{
    cqln_writer out;
    to_wire(w, &out);
    feed(w, s, out.data, out.len);
    cqln_writer_fini(&out);
}

/* Of `how` bit 0: v5, 1: lz4, 2: which the server does not use. */
static void open_limit(wire_end *w, int how, size_t limit, const cql_allocator *al)
{
    wire_init(w, how & 1 ? 5 : 4);
    w->config.lz4 = w->server_lz4 = how & 2;
    w->raw_bodies = how & 4;
    w->config.max_body = limit;
    if (al)
        w->config.al = al;
    wire_open(w);
}

static void open_limited(wire_end *w, int how, const cql_allocator *al)
{
    open_limit(w, how, LIMIT, al);
}

static void answer(wire_end *w, int16_t stream, const uint8_t *body, size_t n)
{
    respond_body(&w->say, w->config.version, stream, CQLN_OP_RESULT, body, n);
}

static void expect_read(const cqln_conn_event *ev, int16_t stream, size_t n)
{
    assert_int_equal(ev->kind, CQLN_CONN_EV_RESPONSE);
    assert_int_equal(ev->opcode, CQLN_OP_RESULT);
    assert_int_equal(ev->stream, stream);
    assert_int_equal(ev->len, n);
}

/* n: of the plain body; one of v4 may be judged by its length as lz4. */
static void expect_unread(const cqln_conn_event *ev, cqln_conn_event_kind kind, cql_status st,
                          int16_t stream, size_t n)
{
    assert_int_equal(ev->kind, kind);
    assert_int_equal(ev->opcode, CQLN_CONN_UNREAD);
    assert_int_equal(ev->status, st);
    assert_int_equal(ev->stream, stream);
    assert_true(ev->len == n || (ev->version == 4 && ev->len > LIMIT && ev->len < n));
    assert_null(ev->body);
    assert_null(ev->block);
    assert_int_equal(ev->flags, 0);
}

/* --- too large ------------------------------------------------------------------------------------ */

/* Between two answers of the same size as ever; plain, lz4, segments, in steps. */
static void only_the_answer_that_is_too_large_is_lost(void **state)
{
    static const size_t sizes[] = {LIMIT, LIMIT + 1, 110000, 131062, 131063, 400000, 5000000};
    static const size_t steps[] = {0, 1000, 4093};
    uint8_t *body = wire_pattern(5000000, 7);
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(sizes) * CQL_COUNT(steps) * 8; i++) {
        size_t n = sizes[i / 8 % CQL_COUNT(sizes)];
        largest l;
        wire_end w;
        seen s = {.body = body};
        largest_init(&l);
        open_limited(&w, (int)(i % 8), &l.al);
        w.step = steps[i / 8 / CQL_COUNT(sizes)];
        int owners[4];
        int16_t streams[4];
        for (int k = 0; k < 4; k++)
            streams[k] = wire_submit(&w, &owners[k]);
        wire_listen(&w);
        answer(&w, streams[2], body, 100);
        answer(&w, streams[0], body, n);
        answer(&w, streams[1], body, LIMIT);
        answer(&w, streams[3], body, 30);
        say(&w, &s);
        assert_int_equal(s.count, 4);
        expect_read(&s.ev[0], streams[2], 100);
        if (n == LIMIT)
            expect_read(&s.ev[1], streams[0], n);
        else
            expect_unread(&s.ev[1], CQLN_CONN_EV_RESPONSE, CQL_TOO_LARGE, streams[0], n);
        assert_ptr_equal(s.ev[1].owner, &owners[0]);
        expect_read(&s.ev[2], streams[1], LIMIT);
        expect_read(&s.ev[3], streams[3], 30);
        assert_int_equal(cqln_conn_in_flight(w.conn), 0);
        assert_int_equal(wire_submit(&w, &w), streams[3]); /* all are free, the last one first */
        assert_true(l.size < 300000); /* a segment, and the like again from the handshake */
        wire_fini(&w);
    }
    free(body);
}

/* Also when its request is given up before or while it comes. */
static void an_answer_that_nobody_wants_any_more_is_passed_over(void **state)
{
    enum { SIZE = 300000 };
    uint8_t *body = wire_pattern(SIZE, 7);
    (void)state;
    for (int i = 0; i < 8; i++) {
        wire_end w;
        cqln_writer out;
        seen s = {.body = body};
        open_limited(&w, i & 3, NULL);
        int16_t stream = wire_submit(&w, &w);
        wire_listen(&w);
        answer(&w, stream, body, SIZE);
        to_wire(&w, &out);
        size_t before = i & 4 ? out.len / 2 : 0;
        feed(&w, &s, out.data, before);
        assert_int_equal(s.count, 0);
        cqln_conn_orphan(w.conn, stream);
        assert_int_equal(cqln_conn_free_streams(w.conn), w.config.max_streams - 1);
        feed(&w, &s, out.data + before, out.len - before);
        assert_int_equal(s.count, 1);
        expect_unread(&s.ev[0], CQLN_CONN_EV_LATE, CQL_TOO_LARGE, stream, SIZE);
        assert_int_equal(cqln_conn_free_streams(w.conn), w.config.max_streams);
        cqln_writer_fini(&out);
        wire_fini(&w);
    }
    free(body);
}

/* What no request waits for, and what no server means, is no reason to read on. */
static void what_no_request_waits_for_still_ends_the_connection(void **state)
{
    static const struct {
        int16_t stream;
        uint8_t opcode;
        uint32_t len;
        cql_status status;
    } rows[] = {
        {1, CQLN_OP_RESULT, (256u << 20) + 1, CQL_TOO_LARGE},
        {1, CQLN_OP_RESULT, INT32_MAX, CQL_TOO_LARGE},
        {1, CQLN_OP_RESULT, 0x80000000, CQL_MALFORMED},
        {1, CQLN_OP_EVENT, LIMIT + 1, CQL_TOO_LARGE},
        {1, 0x21, LIMIT + 1, CQL_MALFORMED},
        {2, CQLN_OP_RESULT, LIMIT + 1, CQL_TOO_LARGE},
        {64, CQLN_OP_RESULT, LIMIT + 1, CQL_TOO_LARGE},
        {32767, CQLN_OP_RESULT, LIMIT + 1, CQL_TOO_LARGE},
        {0, CQLN_OP_SUPPORTED, LIMIT + 1, CQL_TOO_LARGE},
        {-1, CQLN_OP_EVENT, LIMIT + 1, CQL_TOO_LARGE},
        {-2, CQLN_OP_RESULT, LIMIT + 1, CQL_TOO_LARGE},
    };
    (void)state;
    for (size_t i = 0; i < 2 * CQL_COUNT(rows); i++) {
        wire_end w;
        cqln_writer out;
        uint8_t head[CQLN_FRAME_HEADER] = {0};
        open_limited(&w, i & 1, NULL);
        wire_submit(&w, &w); /* stream 1 */
        wire_listen(&w);
        head[0] = (uint8_t)(0x80 | w.config.version);
        cqln_store_u16(head + CQLN_FRAME_STREAM_AT, (uint16_t)rows[i / 2].stream);
        head[CQLN_FRAME_OPCODE_AT] = rows[i / 2].opcode;
        cqln_store_u32(head + 5, rows[i / 2].len);
        cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
        if (w.framed)
            respond_segment(&out, head, sizeof head, false, false, true);
        else
            cqln_write_bytes(&out, head, sizeof head);
        wire_feed(&w, out.data, out.len);
        wire_closed(&w, rows[i / 2].status, "");
        cqln_writer_fini(&out);
        wire_fini(&w);
    }
}

static void an_answer_of_the_handshake_is_not_passed_over(void **state)
{
    uint8_t head[CQLN_FRAME_HEADER] = {0x84, 0, 0, 0, CQLN_OP_SUPPORTED, 0, 2, 0, 0};
    wire_end w;
    (void)state;
    wire_init(&w, 4);
    w.config.max_body = LIMIT;
    wire_start(&w);
    wire_listen(&w);
    wire_feed(&w, head, sizeof head);
    wire_closed(&w, CQL_TOO_LARGE, "over the limit of 70000");
    wire_fini(&w);
}

/* --- segments that are passed over are looked at all the same -------------------------------------- */

/* In the middle of an answer that is passed over: 200,000 bytes, of which 50,009 of the envelope came. */
static void begin_slices(wire_end *w, seen *s, uint8_t *envelope, bool lz4)
{
    cqln_writer out;
    open_limited(w, lz4 ? 3 : 1, NULL);
    int16_t stream = wire_submit(w, w);
    wire_listen(w);
    envelope[0] = 0x85;
    cqln_store_u16(envelope + CQLN_FRAME_STREAM_AT, (uint16_t)stream);
    envelope[CQLN_FRAME_OPCODE_AT] = CQLN_OP_RESULT;
    cqln_store_u32(envelope + 5, 200000);
    cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
    respond_segment(&out, envelope, 50009, false, lz4, true);
    feed(w, s, out.data, out.len);
    assert_int_equal(s->count, 0);
    cqln_writer_fini(&out);
}

static void segments_that_are_passed_over_are_checked(void **state)
{
    static const struct {
        size_t n;
        bool self_contained;
        size_t spoil; /* the byte of the segment, from its end, that is changed; 0: none */
        cql_status status;
        const char *words;
    } rows[] = {
        {50000, false, 100, CQL_BAD_CHECKSUM, "of its payload is wrong"},
        {50000, false, 1, CQL_BAD_CHECKSUM, "of its payload is wrong"},
        {100, true, 0, CQL_MALFORMED, "not complete"},
        {131071, false, 0, CQL_OK, NULL},
    };
    uint8_t *envelope = calloc(1, 400000);
    (void)state;
    assert_non_null(envelope);
    for (size_t i = 0; i < 2 * CQL_COUNT(rows); i++) {
        wire_end w;
        seen s = {0};
        cqln_writer out;
        begin_slices(&w, &s, envelope, i & 1);
        cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
        respond_segment(&out, envelope + 50009, rows[i / 2].n, rows[i / 2].self_contained, w.lz4, true);
        if (rows[i / 2].spoil)
            out.data[out.len - (rows[i / 2].spoil < out.len / 2 ? rows[i / 2].spoil : 5)] ^= 1;
        feed(&w, &s, out.data, out.len);
        if (rows[i / 2].status) {
            assert_int_equal(s.count, 1);
            w.closed_early = true;
            wire_closed(&w, rows[i / 2].status, rows[i / 2].words);
        } else { /* 18,929 bytes are missing: one more is too many */
            assert_int_equal(s.count, 0);
            out.len = 0;
            respond_segment(&out, envelope, 18930, false, w.lz4, true);
            feed(&w, &s, out.data, out.len);
            assert_int_equal(s.count, 1);
            w.closed_early = true;
            wire_closed(&w, CQL_MALFORMED, "more than the rest of its envelope");
        }
        assert_ptr_equal(cqln_conn_take_owner(w.conn), &w);
        cqln_writer_fini(&out);
        wire_fini(&w);
    }
    free(envelope);
}

/* An lz4 body that says it is too large may say so wrongly; one that cannot be as large lies. */
static void an_lz4_body_is_not_decompressed_to_be_passed_over(void **state)
{
    static const uint8_t packed[300] = {0, 1, 0x11, 0x71, 0xff}; /* 70,001 bytes, of what is no lz4 */
    wire_end w;
    seen s = {0};
    (void)state;
    for (int lie = 0; lie < 2; lie++) {
        open_limited(&w, 2 | 4, NULL);
        int16_t stream = wire_submit(&w, &w);
        wire_listen(&w);
        size_t at = respond_begin(&w.say, 4, CQLN_FLAG_COMPRESSION, stream, CQLN_OP_RESULT);
        cqln_write_bytes(&w.say, packed, lie ? 200 : sizeof packed);
        respond_end(&w.say, at);
        s.count = 0;
        say(&w, &s);
        assert_int_equal(s.count, 1);
        if (lie) {
            w.closed_early = true;
            wire_closed(&w, CQL_MALFORMED, "announced length");
        } else {
            expect_unread(&s.ev[0], CQLN_CONN_EV_RESPONSE, CQL_TOO_LARGE, stream, 70001);
        }
        wire_fini(&w);
    }
}

static void the_end_while_one_is_passed_over_is_told(void **state)
{
    uint8_t *body = wire_pattern(200000, 1);
    (void)state;
    for (int how = 0; how < 4; how++) {
        wire_end w;
        cqln_writer out;
        seen s = {0};
        open_limited(&w, how, NULL);
        w.raw_bodies = true;
        answer(&w, wire_submit(&w, &w), body, 200000);
        wire_listen(&w);
        to_wire(&w, &out);
        feed(&w, &s, out.data, out.len - 10);
        assert_int_equal(s.count, 0);
        cqln_conn_transport_lost(w.conn, CQL_CLOSED, "gone");
        wire_closed(&w, CQL_CLOSED, "gone in the middle of an answer: truncated");
        assert_ptr_equal(cqln_conn_take_owner(w.conn), &w);
        cqln_writer_fini(&out);
        wire_fini(&w);
    }
    free(body);
}

/* It is no silence: the server is busy with it. */
static void bytes_that_are_passed_over_are_a_sign_of_life(void **state)
{
    uint8_t *body = wire_pattern(1000000, 1);
    wire_end w;
    cqln_writer out;
    seen s = {0};
    (void)state;
    open_limited(&w, 0, NULL);
    answer(&w, wire_submit(&w, &w), body, 1000000);
    wire_listen(&w);
    to_wire(&w, &out);
    for (size_t at = 0; at + 20000 < out.len; at += 20000) {
        w.now += w.config.heartbeat_ms - 1;
        feed(&w, &s, out.data + at, 20000);
        cqln_conn_tick(w.conn, w.now);
        assert_false(cqln_conn_has_output(w.conn));
    }
    cqln_writer_fini(&out);
    wire_fini(&w);
    free(body);
}

/* --- memory is out --------------------------------------------------------------------------------- */

/* An allocator with no block over a size. */
typedef struct tight {
    cql_allocator al;
    size_t most;
} tight;

static void *tight_malloc(void *context, size_t size)
{
    return size > ((tight *)context)->most ? NULL : malloc(size);
}

static void *tight_realloc(void *context, void *p, size_t size)
{
    return size > ((tight *)context)->most ? NULL : realloc(p, size);
}

static void tight_free(void *context, void *p)
{
    (void)context;
    free(p);
}

/* At its beginning, or when its block has to grow. */
static void an_answer_without_memory_is_the_only_one_that_is_lost(void **state)
{
    static const size_t most[] = {300000, 1100000, 3000000};
    enum { SIZE = 10000000 };
    uint8_t *body = wire_pattern(SIZE, 7);
    (void)state;
    for (size_t i = 0; i < 8 * CQL_COUNT(most); i++) {
        wire_end w;
        seen s = {.body = body};
        tight t = {.al = {.context = &t, .malloc_fn = tight_malloc, .realloc_fn = tight_realloc, .free_fn = tight_free},
                   .most = most[i / 8]};
        open_limit(&w, (int)(i % 8), SIZE, &t.al);
        int16_t first = wire_submit(&w, &w), large = wire_submit(&w, &s), last = wire_submit(&w, &w);
        wire_listen(&w);
        answer(&w, first, body, 1000);
        answer(&w, large, body, SIZE);
        answer(&w, last, body, 60000);
        say(&w, &s);
        assert_int_equal(s.count, 3);
        expect_read(&s.ev[0], first, 1000);
        expect_unread(&s.ev[1], CQLN_CONN_EV_RESPONSE, CQL_NO_MEMORY, large, SIZE);
        assert_ptr_equal(s.ev[1].owner, &s);
        expect_read(&s.ev[2], last, 60000);
        wire_fini(&w);
    }
    free(body);
}

/* It may say that the connection has another keyspace now, which nobody would know. */
static void a_small_answer_without_memory_ends_the_connection(void **state)
{
    enum { SIZE = 5000 };
    uint8_t *body = wire_pattern(SIZE, 7);
    (void)state;
    for (int how = 2; how < 4; how++) {
        wire_end w;
        seen s = {.body = body};
        tight t = {.al = {.context = &t, .malloc_fn = tight_malloc, .realloc_fn = tight_realloc, .free_fn = tight_free},
                   .most = SIZE_MAX};
        open_limit(&w, how, LIMIT, &t.al);
        int16_t stream = wire_submit(&w, &w);
        wire_listen(&w);
        t.most = SIZE - 1;
        answer(&w, stream, body, SIZE);
        say(&w, &s);
        assert_int_equal(s.count, 1);
        w.closed_early = true;
        wire_closed(&w, CQL_NO_MEMORY, "");
        assert_ptr_equal(cqln_conn_take_owner(w.conn), &w);
        wire_fini(&w);
    }
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_answer_that_is_too_large_is_lost),
        cmocka_unit_test(an_answer_that_nobody_wants_any_more_is_passed_over),
        cmocka_unit_test(what_no_request_waits_for_still_ends_the_connection),
        cmocka_unit_test(an_answer_of_the_handshake_is_not_passed_over),
        cmocka_unit_test(segments_that_are_passed_over_are_checked),
        cmocka_unit_test(an_lz4_body_is_not_decompressed_to_be_passed_over),
        cmocka_unit_test(the_end_while_one_is_passed_over_is_told),
        cmocka_unit_test(bytes_that_are_passed_over_are_a_sign_of_life),
        cmocka_unit_test(an_answer_without_memory_is_the_only_one_that_is_lost),
        cmocka_unit_test(a_small_answer_without_memory_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
