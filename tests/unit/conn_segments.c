/* Bytes in on v5: segments packed and cut in every way, checksums, lz4. */
#include "conn_help.h"

static void open_v5(wire_end *w, bool lz4)
{
    wire_init(w, 5);
    w->config.lz4 = w->server_lz4 = lz4;
    wire_open(w);
}

/* One segment straight to the client. */
static void feed_segment(wire_end *w, const uint8_t *payload, size_t n, bool self_contained)
{
    cqln_writer out;
    cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
    respond_segment(&out, payload, n, self_contained, w->lz4, true);
    wire_feed(w, out.data, out.len);
    cqln_writer_fini(&out);
}

/* An answer to a new request, as an envelope in `out`. */
static void make_answer(wire_end *w, cqln_writer *out, const uint8_t *body, size_t n)
{
    int16_t stream = wire_submit(w, w);
    wire_listen(w);
    respond_body(out, 5, stream, CQLN_OP_RESULT, body, n);
}

static void segments_of_a_real_server_are_read(void **state)
{
    wire_end w;
    (void)state;
    open_v5(&w, false);
    /* An OPTIONS envelope in its segment is the vector that a server took; as an answer its
     * direction is wrong, which shows that the segment was opened. */
    hex h = hex_bytes("090002 a4c8c1 050000010500000000 b5557486");
    wire_feed(&w, h.data, h.len);
    wire_closed(&w, CQL_MALFORMED, "version byte 05 is not one of an answer");
    hex_free(&h);
    wire_fini(&w);
    open_v5(&w, true);
    h = hex_bytes(
        "360026010467194aff1b05000002070000008a0000008053454c454354206b65792046524f4d20737973"
        "74656d2e6c6f63616c2001005060000100000000cd495e6a");
    wire_feed(&w, h.data, h.len);
    wire_closed(&w, CQL_MALFORMED, "version byte 05 is not one of an answer");
    hex_free(&h);
    wire_fini(&w);
}

static void several_envelopes_in_one_segment_arrive_in_every_step(void **state)
{
    static const size_t steps[] = {0, 1, 2, 5, 6, 8, 9, 13, 100};
    uint8_t *body = wire_pattern(5000, 3);
    (void)state;
    for (size_t i = 0; i < 2 * CQL_COUNT(steps); i++) {
        wire_end w;
        open_v5(&w, i % 2);
        w.step = steps[i / 2];
        for (size_t k = 0; k < 20; k++)
            make_answer(&w, &w.say, body + k, k * k);
        wire_say(&w);
        for (size_t k = 0; k < 20; k++)
            wire_take_body(&w, body + k, k * k);
        wire_no_event(&w);
        wire_fini(&w);
    }
    free(body);
}

/* Whole envelopes and slices of large ones in turns, in segments of many sizes. */
static void packed_and_cut_envelopes_arrive_mixed(void **state)
{
    static const size_t slices[] = {9, 10, 50, 1000, 131054, 131071};
    static const size_t sizes[] = {0, 500, 131061, 131062, 131063, 40, 300000, 7, 1100000, 1};
    uint8_t *body = wire_pattern(1100000 + CQL_COUNT(sizes), 8);
    (void)state;
    for (size_t i = 0; i < 4 * CQL_COUNT(slices); i++) {
        wire_end w;
        cqln_writer out;
        size_t slice = slices[i / 4];
        open_v5(&w, i % 2);
        w.step = i & 2 ? 3000 : 0;
        cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
        for (size_t k = 0; k < CQL_COUNT(sizes); k++) {
            if (slice >= 1000 || sizes[k] < 10000)
                make_answer(&w, &out, body + k, sizes[k]);
        }
        cqln_writer wire;
        cqln_writer_init(&wire, cqln_alloc_default(), SIZE_MAX);
        respond_frame(&wire, out.data, out.len, w.lz4, slice);
        size_t got = 0;
        for (size_t at = 0; at < wire.len;) {
            uint8_t *p;
            size_t cap;
            cqln_conn_event ev;
            cqln_conn_space(w.conn, &p, &cap);
            size_t n = wire.len - at < cap ? wire.len - at : cap;
            if (w.step && n > w.step)
                n = w.step;
            memcpy(p, wire.data + at, n);
            cqln_conn_commit(w.conn, n, w.now);
            at += n;
            while (cqln_conn_next(w.conn, &ev)) {
                assert_int_equal(ev.kind, CQLN_CONN_EV_RESPONSE);
                while (slice < 1000 && sizes[got] >= 10000)
                    got++;
                assert_int_equal(ev.len, sizes[got]);
                assert_memory_equal(ev.body, body + got, sizes[got]);
                got++;
            }
        }
        assert_int_equal(got, CQL_COUNT(sizes));
        cqln_writer_fini(&wire);
        cqln_writer_fini(&out);
        wire_fini(&w);
    }
    free(body);
}

/* One envelope over two and over three segments, cut at every place, also inside its header. */
static void an_envelope_may_be_cut_anywhere(void **state)
{
    uint8_t *body = wire_pattern(24, 1);
    (void)state;
    for (int lz4 = 0; lz4 < 2; lz4++) {
        for (size_t a = 0; a <= 33; a++) {
            for (size_t b = a; b <= 33; b++) {
                wire_end w;
                cqln_writer out;
                open_v5(&w, lz4);
                cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
                make_answer(&w, &out, body, 24);
                assert_int_equal(out.len, 33);
                feed_segment(&w, out.data, a, false);
                feed_segment(&w, out.data + a, b - a, false);
                feed_segment(&w, out.data + b, 33 - b, false);
                wire_take_body(&w, body, 24);
                wire_no_event(&w);
                /* and the connection goes on */
                make_answer(&w, &w.say, body, 5);
                wire_say(&w);
                wire_take_body(&w, body, 5);
                cqln_writer_fini(&out);
                wire_fini(&w);
            }
        }
    }
    free(body);
}

static void an_empty_segment_is_nothing(void **state)
{
    (void)state;
    for (int lz4 = 0; lz4 < 2; lz4++) {
        wire_end w;
        uint8_t *body = wire_pattern(200, 1);
        cqln_writer out;
        open_v5(&w, lz4);
        cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
        make_answer(&w, &out, body, 200);
        feed_segment(&w, NULL, 0, true);
        wire_no_event(&w);
        feed_segment(&w, out.data, 100, false);
        feed_segment(&w, NULL, 0, false);
        feed_segment(&w, NULL, 0, true);
        feed_segment(&w, out.data + 100, out.len - 100, false);
        wire_take_body(&w, body, 200);
        free(body);
        cqln_writer_fini(&out);
        wire_fini(&w);
    }
}

static void padding_bits_of_a_header_are_ignored(void **state)
{
    wire_end w;
    uint8_t body[4] = {0, 0, 0, 1};
    cqln_writer out;
    (void)state;
    open_v5(&w, false);
    cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
    make_answer(&w, &w.say, body, 4);
    respond_frame(&out, w.say.data, w.say.len, false, 0);
    out.data[2] |= 0xfc; /* bits 18 to 23 */
    uint32_t crc = cqln_crc24(out.data, 3);
    out.data[3] = (uint8_t)crc;
    out.data[4] = (uint8_t)(crc >> 8);
    out.data[5] = (uint8_t)(crc >> 16);
    wire_feed(&w, out.data, out.len);
    wire_take_body(&w, body, 4);
    cqln_writer_fini(&out);
    wire_fini(&w);
}

static void every_flipped_bit_is_noticed(void **state)
{
    uint8_t *body = wire_pattern(40, 2);
    memset(body, 7, 30); /* so that lz4 shrinks it */
    (void)state;
    for (int lz4 = 0; lz4 < 2; lz4++) {
        for (size_t bit = 0;; bit++) {
            wire_end w;
            cqln_writer out;
            open_v5(&w, lz4);
            cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
            make_answer(&w, &w.say, body, 40);
            make_answer(&w, &w.say, body, 40);
            respond_frame(&out, w.say.data, w.say.len, lz4, 0);
            bool done = bit >= out.len * 8;
            if (!done) {
                out.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
                wire_feed(&w, out.data, out.len);
                /* no envelope of it is handed out, however good it looks */
                wire_closed(&w, CQL_BAD_CHECKSUM, "checksum");
                assert_non_null(cqln_conn_take_owner(w.conn));
            }
            cqln_writer_fini(&out);
            wire_fini(&w);
            if (done)
                break;
        }
    }
    free(body);
}

static void a_header_with_a_wrong_checksum_is_not_waited_for(void **state)
{
    wire_end w;
    uint8_t header[6];
    (void)state;
    open_v5(&w, false);
    cqln_segment_encode(header, false, 131071, 0, true);
    header[0] ^= 1;
    wire_feed(&w, header, 6); /* the payload never comes */
    wire_closed(&w, CQL_BAD_CHECKSUM, "its header is wrong");
    wire_fini(&w);
}

static void malformed_segment(bool lz4, const uint8_t *first, size_t n1, bool sc1,
                              const uint8_t *second, size_t n2, bool sc2, const char *words)
{
    wire_end w;
    open_v5(&w, lz4);
    for (int i = 0; i < 3; i++)
        wire_submit(&w, &w);
    feed_segment(&w, first, n1, sc1);
    if (second) {
        wire_no_event(&w);
        feed_segment(&w, second, n2, sc2);
    }
    wire_closed(&w, CQL_MALFORMED, words);
    wire_fini(&w);
}

static void segments_that_break_the_packing_rules_end_the_connection(void **state)
{
    cqln_writer a;
    uint8_t *body = wire_pattern(100, 2);
    (void)state;
    cqln_writer_init(&a, cqln_alloc_default(), SIZE_MAX);
    respond_body(&a, 5, 1, CQLN_OP_RESULT, body, 100);
    size_t one = a.len;
    respond_body(&a, 5, 2, CQLN_OP_RESULT, body, 100);
    for (int lz4 = 0; lz4 < 2; lz4++) {
        for (size_t cut = 1; cut < one; cut++) {
            /* an envelope cut at the end of a self-contained segment */
            malformed_segment(lz4, a.data, cut, true, NULL, 0, false, "cut at its end");
            /* a whole segment between the slices of one envelope */
            malformed_segment(lz4, a.data, cut, false, a.data + one, one, true, "not complete");
            /* the last slice carries more than the rest of its envelope */
            malformed_segment(lz4, a.data, cut, false, a.data + cut, one - cut + 1, false,
                              "more than the rest");
            malformed_segment(lz4, a.data, cut, false, a.data + cut, 2 * one - cut, false,
                              "more than the rest");
        }
        malformed_segment(lz4, a.data, one + 1, false, NULL, 0, false, "more than the rest");
    }
    free(body);
    cqln_writer_fini(&a);
}

static void whole_envelopes_before_a_cut_one_are_handed_out(void **state)
{
    wire_end w;
    uint8_t *body = wire_pattern(100, 2);
    cqln_writer a;
    (void)state;
    open_v5(&w, false);
    cqln_writer_init(&a, cqln_alloc_default(), SIZE_MAX);
    make_answer(&w, &a, body, 100);
    make_answer(&w, &a, body, 100);
    feed_segment(&w, a.data, a.len - 1, true);
    wire_take_body(&w, body, 100); /* its checksum was right */
    wire_closed(&w, CQL_MALFORMED, "cut at its end");
    assert_ptr_equal(cqln_conn_take_owner(w.conn), &w);
    free(body);
    cqln_writer_fini(&a);
    wire_fini(&w);
}

static void a_body_over_the_limit_is_refused_in_slices_too(void **state)
{
    wire_end w;
    uint8_t head[20] = {0x85, 0, 0, 1, 8, 0x10, 0, 0, 1};
    (void)state;
    open_v5(&w, false);
    wire_submit(&w, &w);
    feed_segment(&w, head, sizeof head, false);
    wire_closed(&w, CQL_TOO_LARGE, "over the limit of 67108864");
    wire_fini(&w);
    open_v5(&w, false);
    wire_submit(&w, &w);
    head[5] = 0xff;
    feed_segment(&w, head, sizeof head, false);
    wire_closed(&w, CQL_MALFORMED, "negative body length");
    wire_fini(&w);
}

static void lz4_payloads_that_lie_end_the_connection(void **state)
{
    uint8_t payload[64];
    (void)state;
    for (uint32_t plain = 1; plain < 3000; plain = plain * 3 + 1) {
        for (int slice = 0; slice < 3; slice++) {
            wire_end w;
            uint8_t header[8];
            uint8_t trailer[4];
            open_v5(&w, true);
            wire_submit(&w, &w);
            if (slice == 2) { /* behind a slice that told the header */
                uint8_t head[9] = {0x85, 0, 0, 1, 8, 0, 0, 0xff, 0xff};
                feed_segment(&w, head, 9, false);
            }
            memset(payload, 0xff, sizeof payload);
            cqln_segment_encode(header, true, sizeof payload, plain, slice == 0);
            cqln_segment_trailer(payload, sizeof payload, trailer);
            wire_feed(&w, header, 8);
            wire_feed(&w, payload, sizeof payload);
            wire_feed(&w, trailer, 4);
            wire_closed(&w, CQL_MALFORMED, "lz4 payload does not decompress");
            wire_fini(&w);
        }
    }
}

static void slices_cost_no_allocation_in_the_steady_state(void **state)
{
    enum { SIZE = 600000 };
    failmalloc f;
    uint8_t *body = malloc(SIZE);
    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (uint8_t)(rand() & 15);
    for (int lz4 = 0; lz4 < 2; lz4++) {
        wire_end w;
        cqln_rcbuf *page = NULL;
        size_t before = 0;
        failmalloc_init(&f);
        wire_init(&w, 5);
        w.config.al = &f.al;
        w.config.lz4 = w.server_lz4 = lz4;
        wire_open(&w);
        for (int i = 0; i < 30; i++) {
            if (i == 6)
                before = atomic_load(&f.requests);
            make_answer(&w, &w.say, body, SIZE);
            w.pull = true;
            wire_say(&w);
            w.pull = false;
            cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_RESPONSE);
            assert_int_equal(ev.len, SIZE);
            assert_memory_equal(ev.body, body, SIZE);
            cqln_rcbuf *next = cqln_rcbuf_ref(ev.block); /* the page before is held meanwhile */
            cqln_rcbuf_unref(page);
            page = next;
        }
        assert_int_equal(atomic_load(&f.requests), before);
        cqln_rcbuf_unref(page);
        wire_fini(&w);
        assert_int_equal(atomic_load(&f.live), 0);
    }
    free(body);
}

/* Whoever does not pull: what has come moves and grows, and nothing of it is lost. */
static void answers_that_are_not_pulled_pile_up(void **state)
{
    uint8_t *body = wire_pattern(2000, 4);
    (void)state;
    for (int lz4 = 0; lz4 < 2; lz4++) {
        wire_end w;
        size_t given = 0;
        size_t taken = 0;
        open_v5(&w, lz4);
        for (int round = 0; round < 12; round++) {
            for (int i = 0; i < 4; i++, given++) /* four in a segment */
                make_answer(&w, &w.say, body + given, 900);
            wire_say(&w);
            wire_take_body(&w, body + taken, 900); /* and only one is taken */
            taken++;
        }
        while (taken < given) {
            wire_take_body(&w, body + taken, 900);
            taken++;
        }
        wire_no_event(&w);
        wire_fini(&w);
    }
    free(body);
}

static void an_empty_body_may_come_in_slices(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 9; cut++) {
        wire_end w;
        cqln_writer out;
        open_v5(&w, cut & 1);
        cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
        make_answer(&w, &out, NULL, 0);
        feed_segment(&w, out.data, cut, false);
        if (cut < 9)
            wire_no_event(&w);
        feed_segment(&w, out.data + cut, 9 - cut, false);
        assert_int_equal(wire_event(&w, CQLN_CONN_EV_RESPONSE).len, 0);
        wire_no_event(&w);
        cqln_writer_fini(&out);
        wire_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_of_a_real_server_are_read),
        cmocka_unit_test(several_envelopes_in_one_segment_arrive_in_every_step),
        cmocka_unit_test(packed_and_cut_envelopes_arrive_mixed),
        cmocka_unit_test(an_envelope_may_be_cut_anywhere),
        cmocka_unit_test(an_empty_segment_is_nothing),
        cmocka_unit_test(padding_bits_of_a_header_are_ignored),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(a_header_with_a_wrong_checksum_is_not_waited_for),
        cmocka_unit_test(segments_that_break_the_packing_rules_end_the_connection),
        cmocka_unit_test(whole_envelopes_before_a_cut_one_are_handed_out),
        cmocka_unit_test(a_body_over_the_limit_is_refused_in_slices_too),
        cmocka_unit_test(lz4_payloads_that_lie_end_the_connection),
        cmocka_unit_test(slices_cost_no_allocation_in_the_steady_state),
        cmocka_unit_test(answers_that_are_not_pulled_pile_up),
        cmocka_unit_test(an_empty_body_may_come_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
