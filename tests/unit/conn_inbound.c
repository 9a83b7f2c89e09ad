/* Bytes in on v4: every split, bodies of every size, blocks and their reuse, lz4, the allocation
 * law. */
#include "conn_help.h"

static void open_v4(wire_end *w, size_t read_buffer)
{
    wire_init(w, 4);
    w->config.read_buffer = read_buffer;
    w->pull = true;
    wire_open(w);
    w->pull = false;
}

static void three_answers_arrive_the_same_in_every_split(void **state)
{
    static const size_t sizes[] = {4, 0, 33};
    cqln_writer bytes;
    uint8_t *body = wire_pattern(64, 1);
    (void)state;
    cqln_writer_init(&bytes, cqln_alloc_default(), SIZE_MAX);
    for (int16_t i = 0; i < 3; i++)
        respond_body(&bytes, 4, (int16_t)(i + 1), CQLN_OP_RESULT, body + i, sizes[i]);
    for (size_t a = 0; a <= bytes.len; a++) {
        for (size_t b = a; b <= bytes.len; b++) {
            wire_end w;
            cqln_conn_event ev;
            open_v4(&w, 64);
            for (int i = 0; i < 3; i++)
                wire_submit(&w, &w);
            size_t cuts[] = {0, a, b, bytes.len};
            size_t got = 0;
            for (int part = 0; part < 3; part++) {
                wire_feed(&w, bytes.data + cuts[part], cuts[part + 1] - cuts[part]);
                while (cqln_conn_next(w.conn, &ev)) {
                    assert_int_equal(ev.kind, CQLN_CONN_EV_RESPONSE);
                    assert_int_equal(ev.stream, got + 1);
                    assert_int_equal(ev.len, sizes[got]);
                    assert_memory_equal(ev.body, body + got, ev.len);
                    got++;
                }
            }
            assert_int_equal(got, 3);
            wire_fini(&w);
        }
    }
    free(body);
    cqln_writer_fini(&bytes);
}

static void bodies_around_every_limit_arrive(void **state)
{
    static const size_t buffers[] = {64, 100, 4096};
    static const size_t sizes[] = {0,        1,
                                   54,       55,
                                   56,       57,
                                   91,       92,
                                   4086,     4087,
                                   4088,     4096,
                                   5000,     65536,
                                   131072,   1048575,
                                   1048576,  1048577,
                                   2097151,  2097153,
                                   3000000,  (4u << 20) - 1,
                                   4u << 20, (4u << 20) + 1};
    static const size_t steps[] = {0, 1000, 7};
    (void)state;
    for (size_t b = 0; b < CQL_COUNT(buffers); b++) {
        for (size_t s = 0; s < CQL_COUNT(steps); s++) {
            wire_end w;
            open_v4(&w, buffers[b]);
            w.step = steps[s];
            for (size_t i = 0; i < CQL_COUNT(sizes); i++) {
                if (steps[s] == 7 && sizes[i] > 200000)
                    continue;
                uint8_t *body = wire_pattern(sizes[i], (unsigned)i);
                wire_send_body(&w, body, sizes[i]);
                cqln_conn_event ev = wire_take_body(&w, body, sizes[i]);
                assert_int_equal(ev.block != NULL, sizes[i] + 9 > buffers[b]);
                wire_no_event(&w);
                free(body);
            }
            wire_fini(&w);
        }
    }
}

static void a_large_body_is_received_in_its_place(void **state)
{
    wire_end w;
    uint8_t *p;
    size_t cap;
    (void)state;
    open_v4(&w, 128);
    int16_t stream = wire_submit(&w, &w);
    uint8_t head[9] = {0x84, 0, 0, (uint8_t)stream, 8, 0, 0, 0x10, 0};
    wire_feed(&w, head, 9);
    wire_no_event(&w);
    cqln_conn_space(w.conn, &p, &cap);
    assert_int_equal(cap, 4096); /* exactly the body: bytes behind it must not get in */
    memset(p, 7, cap);
    cqln_conn_commit(w.conn, cap, w.now);
    cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_RESPONSE);
    assert_ptr_equal(ev.body, p);
    assert_int_equal(ev.len, 4096);
    assert_non_null(ev.block);
    wire_fini(&w);
}

static void a_body_that_is_kept_stays_as_it_was(void **state)
{
    enum { SIZE = 10000, PAGES = 20 };
    cqln_rcbuf *kept[PAGES];
    const uint8_t *at[PAGES];
    wire_end w;
    (void)state;
    open_v4(&w, 512);
    for (unsigned i = 0; i < PAGES; i++) {
        uint8_t *body = wire_pattern(SIZE, i);
        wire_send_body(&w, body, SIZE);
        cqln_conn_event ev = wire_take_body(&w, body, SIZE);
        kept[i] = cqln_rcbuf_ref(ev.block);
        at[i] = ev.body;
        free(body);
    }
    wire_fini(&w); /* also longer than the connection */
    for (unsigned i = 0; i < PAGES; i++) {
        uint8_t *body = wire_pattern(SIZE, i);
        assert_memory_equal(at[i], body, SIZE);
        free(body);
        cqln_rcbuf_unref(kept[i]);
    }
}

/* Pages of 5,000 rows, the one before kept while the next comes: no allocation once it runs. */
static void pages_cost_no_allocation_in_the_steady_state(void **state)
{
    enum { SIZE = 600000 };
    failmalloc f;
    wire_end w;
    uint8_t *body = wire_pattern(SIZE, 5);
    cqln_rcbuf *page = NULL;
    (void)state;
    failmalloc_init(&f);
    wire_init(&w, 4);
    w.config.al = &f.al;
    wire_open(&w);
    size_t before = 0;
    for (int i = 0; i < 50; i++) {
        if (i == 5)
            before = atomic_load(&f.requests);
        wire_send_body(&w, body, SIZE);
        cqln_conn_event ev = wire_take_body(&w, body, SIZE);
        cqln_rcbuf *next = cqln_rcbuf_ref(ev.block);
        cqln_rcbuf_unref(page);
        page = next;
    }
    assert_int_equal(atomic_load(&f.requests), before);
    cqln_rcbuf_unref(page);
    free(body);
    wire_fini(&w);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void small_requests_cost_no_allocation(void **state)
{
    failmalloc f;
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        failmalloc_init(&f);
        wire_init(&w, version);
        w.config.al = &f.al;
        wire_open(&w);
        size_t before = 0;
        for (int i = 0; i < 500; i++) {
            if (i == 10)
                before = atomic_load(&f.requests);
            for (int k = 0; k < 32; k++)
                respond_void(&w.say, version, wire_submit(&w, &w));
            wire_listen(&w);
            wire_say(&w);
            for (int k = 0; k < 32; k++)
                wire_event(&w, CQLN_CONN_EV_RESPONSE);
            wire_no_event(&w);
        }
        assert_int_equal(atomic_load(&f.requests), before);
        wire_fini(&w);
    }
}

/* Two bodies above what is kept between answers: they come and go with their event. */
static void huge_bodies_are_not_kept(void **state)
{
    enum { SIZE = 5 << 20 };
    failmalloc f;
    wire_end w;
    uint8_t *body = wire_pattern(SIZE, 5);
    (void)state;
    failmalloc_init(&f);
    wire_init(&w, 4);
    w.config.al = &f.al;
    wire_open(&w);
    wire_submit(&w, &w);
    wire_submit(&w, &w);
    size_t before = atomic_load(&f.live);
    for (int i = 0; i < 3; i++) {
        wire_send_body(&w, body, SIZE);
        cqln_conn_event ev = wire_take_body(&w, body, SIZE);
        cqln_rcbuf *kept = i == 1 ? cqln_rcbuf_ref(ev.block) : NULL;
        wire_no_event(&w);
        if (kept) {
            assert_memory_equal(cqln_rcbuf_data(kept), body, SIZE);
            cqln_rcbuf_unref(kept);
        }
        assert_int_equal(atomic_load(&f.live), before);
    }
    free(body);
    wire_fini(&w);
}

static void memory_follows_the_bytes_not_the_announcement(void **state)
{
    enum { BODY = 64 << 20 };
    largest l;
    wire_end w;
    uint8_t *part = wire_pattern(65536, 0);
    (void)state;
    largest_init(&l);
    wire_init(&w, 4);
    w.config.al = &l.al;
    wire_open(&w);
    int16_t stream = wire_submit(&w, &w);
    uint8_t head[9] = {0x84, 0, 0, (uint8_t)stream, 8, BODY >> 24, (BODY >> 16) & 0xff, 0, 0};
    wire_feed(&w, head, 9);
    size_t came = 0;
    while (came < 20 << 20) {
        wire_feed(&w, part, 65536);
        came += 65536;
        wire_no_event(&w);
        size_t law = 2 * came > 1 << 20 ? 2 * came : 1 << 20;
        assert_true(l.size <= law + 4096);
    }
    free(part);
    wire_fini(&w);
}

static void the_limit_of_a_body_is_exact(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        wire_end w;
        wire_init(&w, 4);
        w.config.max_body = 10000;
        wire_open(&w);
        uint8_t *body = wire_pattern(10001, 3);
        wire_send_body(&w, body, 10000 + (size_t)over);
        if (over)
            assert_int_equal(wire_event(&w, CQLN_CONN_EV_RESPONSE).opcode, CQLN_CONN_UNREAD);
        else
            wire_take_body(&w, body, 10000);
        free(body);
        wire_fini(&w);
    }
}

/* Whoever does not pull gets a larger buffer, not a lost byte. */
static void answers_that_are_not_pulled_pile_up(void **state)
{
    wire_end w;
    uint8_t *body = wire_pattern(200, 9);
    (void)state;
    open_v4(&w, 256);
    for (int i = 0; i < 60; i++)
        respond_body(&w.say, 4, wire_submit(&w, &w), CQLN_OP_RESULT, body, 200);
    wire_listen(&w);
    wire_say(&w);
    for (int i = 0; i < 60; i++)
        wire_take_body(&w, body, 200);
    wire_no_event(&w);
    /* also behind a large body that nobody took */
    uint8_t *large = wire_pattern(70000, 1);
    respond_body(&w.say, 4, wire_submit(&w, &w), CQLN_OP_RESULT, large, 70000);
    wire_feed(&w, w.say.data, 9);
    wire_no_event(&w);
    wire_feed(&w, w.say.data + 9, w.say.len - 9);
    w.say.len = 0;
    respond_body(&w.say, 4, wire_submit(&w, &w), CQLN_OP_RESULT, body, 200);
    wire_listen(&w);
    wire_say(&w);
    wire_take_body(&w, large, 70000);
    wire_take_body(&w, body, 200);
    wire_no_event(&w);
    free(large);
    free(body);
    wire_fini(&w);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Behind a whole answer lies the beginning of another: what is missing of it fits, and no read is for less than a
 * quarter of the buffer, which stays as it is. */
static void room_for(size_t lead, size_t have, size_t whole)
{
    enum { BUFFER = 400 };
    static const uint8_t body[BUFFER];
    largest l;
    wire_end w;
    uint8_t *p;
    size_t cap;
    largest_init(&l);
    wire_init(&w, 4);
    w.config.al = &l.al;
    w.config.read_buffer = BUFFER;
    wire_open(&w);
    int16_t first = wire_submit(&w, &w), second = wire_submit(&w, &w);
    wire_listen(&w);
    respond_body(&w.say, 4, first, CQLN_OP_RESULT, body, lead - CQLN_FRAME_HEADER);
    respond_body(&w.say, 4, second, CQLN_OP_RESULT, body, whole - CQLN_FRAME_HEADER);
    l.size = 0;
    wire_feed(&w, w.say.data, lead + have);
    wire_take_body(&w, body, lead - CQLN_FRAME_HEADER);
    wire_no_event(&w);
    cqln_conn_space(w.conn, &p, &cap);
    size_t known = have < CQLN_FRAME_HEADER ? CQLN_FRAME_HEADER : whole;
    assert_true(cap >= known - have && cap >= least(BUFFER / 4, BUFFER - have));
    assert_true(cap <= BUFFER);
    w.pull = true;
    wire_feed(&w, w.say.data + lead + have, whole - have);
    w.say.len = 0;
    wire_take_body(&w, body, whole - CQLN_FRAME_HEADER);
    assert_int_equal(l.size, 0);
    wire_fini(&w);
}

static void there_is_room_for_the_rest_of_what_began(void **state)
{
    static const size_t wholes[] = {CQLN_FRAME_HEADER, 25, 100, 300, 400};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(wholes); i++)
        for (size_t lead = CQLN_FRAME_HEADER; lead < 390; lead += 3)
            for (size_t have = 0; have < wholes[i] && lead + have <= 400; have++)
                room_for(lead, have, wholes[i]);
}

/* --- memory ---------------------------------------------------------------------------------- */

typedef struct out_of_memory {
    uint8_t version;
    bool lz4;
    const uint8_t *body;
} out_of_memory;

enum { OOM_BODY = 2500000 };

/* Opens, asks, gets a large answer. */
static cql_status large_answer(const cql_allocator *al, void *user)
{
    const out_of_memory *o = user;
    cqln_conn_event ev;
    wire_end w;
    cql_status st = CQL_OK;
    wire_init(&w, o->version);
    w.config.lz4 = w.server_lz4 = o->lz4;
    wire_open(&w);
    cqln_conn *usual = w.conn;
    /* The same again on the allocator that fails; the handshake has its own test. */
    w.config.al = al;
    st = cqln_conn_new(&w.config, &w.conn);
    if (!st) {
        cqln_conn_start(w.conn, 0);
        w.framed = false;
        w.lz4 = false;
        respond_supported(&w.say, o->version, 0, NULL, o->lz4 ? "lz4" : NULL);
        respond_ready(&w.say, o->version, 0);
        wire_say(&w);
        while (cqln_conn_next(w.conn, &ev) && ev.kind != CQLN_CONN_EV_CLOSED) {
        }
        w.framed = o->version == 5;
        w.lz4 = o->lz4;
        int16_t stream = 0;
        uint8_t *q = wire_query(&w, 3000);
        st = cqln_conn_submit(w.conn, q, 3000, &w, &stream);
        free(q);
        if (st == CQL_BAD_STATE)
            st = cqln_conn_fault_of(w.conn)->status;
        if (!st) {
            respond_body(&w.say, o->version, stream, CQLN_OP_RESULT, o->body, OOM_BODY);
            w.pull = true;
            wire_say(&w);
            bool got = false, passed_over = false;
            while (cqln_conn_next(w.conn, &ev)) {
                passed_over |= ev.opcode == CQLN_CONN_UNREAD && ev.status == CQL_NO_MEMORY;
                got |= ev.kind == CQLN_CONN_EV_RESPONSE && ev.len == OOM_BODY && ev.body &&
                       memcmp(ev.body, o->body, OOM_BODY) == 0;
            }
            if (!got)
                st = passed_over ? CQL_NO_MEMORY : cqln_conn_fault_of(w.conn)->status;
        }
        cqln_conn_free(w.conn);
    }
    w.conn = usual;
    wire_fini(&w);
    return st;
}

static void a_large_answer_survives_that_memory_is_out(void **state)
{
    uint8_t *body = wire_pattern(OOM_BODY, 4);
    (void)state;
    for (int i = 0; i < 4; i++) {
        out_of_memory o = {i & 1 ? 5 : 4, i & 2, body};
        assert_true(failmalloc_each(large_answer, &o, true) > 8);
    }
    free(body);
}

/* Two pages are kept, a third begins, and then the two are given back: one of the three goes. */
static void blocks_that_come_back_late_are_not_hoarded(void **state)
{
    enum { SIZE = 20000 };
    failmalloc f;
    wire_end w;
    cqln_rcbuf *kept[2];
    uint8_t *body = wire_pattern(SIZE, 6);
    (void)state;
    failmalloc_init(&f);
    wire_init(&w, 4);
    w.config.al = &f.al;
    wire_open(&w);
    for (int i = 0; i < 2; i++) {
        wire_send_body(&w, body, SIZE);
        kept[i] = cqln_rcbuf_ref(wire_take_body(&w, body, SIZE).block);
    }
    int16_t stream = wire_submit(&w, &w);
    wire_listen(&w);
    respond_body(&w.say, 4, stream, CQLN_OP_RESULT, body, SIZE);
    wire_feed(&w, w.say.data, 5000);
    wire_no_event(&w);
    cqln_rcbuf_unref(kept[0]);
    cqln_rcbuf_unref(kept[1]);
    size_t live = atomic_load(&f.live);
    w.pull = true;
    wire_feed(&w, w.say.data + 5000, w.say.len - 5000);
    wire_take_body(&w, body, SIZE);
    wire_no_event(&w);
    assert_int_equal(atomic_load(&f.live), live - 1);
    free(body);
    wire_fini(&w);
    assert_int_equal(atomic_load(&f.live), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_answers_arrive_the_same_in_every_split),
        cmocka_unit_test(bodies_around_every_limit_arrive),
        cmocka_unit_test(a_large_body_is_received_in_its_place),
        cmocka_unit_test(a_body_that_is_kept_stays_as_it_was),
        cmocka_unit_test(pages_cost_no_allocation_in_the_steady_state),
        cmocka_unit_test(small_requests_cost_no_allocation),
        cmocka_unit_test(huge_bodies_are_not_kept),
        cmocka_unit_test(memory_follows_the_bytes_not_the_announcement),
        cmocka_unit_test(the_limit_of_a_body_is_exact),
        cmocka_unit_test(answers_that_are_not_pulled_pile_up),
        cmocka_unit_test(there_is_room_for_the_rest_of_what_began),
        cmocka_unit_test(a_large_answer_survives_that_memory_is_out),
        cmocka_unit_test(blocks_that_come_back_late_are_not_hoarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
