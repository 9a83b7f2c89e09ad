/* The heartbeat: when it is sent, what counts as an answer, and when the connection is dead. */
#include "conn_help.h"

enum { IDLE = 30000, TIMEOUT = 10000 };

static void open_at(wire_end *w, uint8_t version)
{
    wire_init(w, version);
    wire_open(w);
    assert_int_equal(cqln_conn_deadline(w->conn), w->now + IDLE);
}

static void to_time(wire_end *w, uint64_t now)
{
    w->now = now;
    cqln_conn_tick(w->conn, now);
}

/* Goes to the probe and takes it. */
static void to_probe(wire_end *w)
{
    uint64_t due = cqln_conn_deadline(w->conn);
    to_time(w, due - 1);
    assert_true(wire_silent(w));
    to_time(w, due);
    heard_request r = wire_request(w, CQLN_OP_OPTIONS);
    assert_int_equal(r.frame.stream, 0);
    assert_true(wire_silent(w));
    assert_int_equal(cqln_conn_deadline(w->conn), due + TIMEOUT);
}

static void an_idle_connection_is_probed_again_and_again(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        open_at(&w, version);
        for (int i = 0; i < 5; i++) {
            to_probe(&w);
            w.now += 7;
            respond_supported(&w.say, version, 0, "4/v4", NULL);
            wire_say(&w);
            wire_no_event(&w);
            assert_int_equal(cqln_conn_deadline(w.conn), w.now + IDLE);
        }
        wire_fini(&w);
    }
}

static void silence_after_a_probe_is_death(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 5);
    wire_submit(&w, &w);
    wire_listen(&w);
    w.heard_at = w.heard.len;
    to_probe(&w); /* also with requests in flight */
    uint64_t due = cqln_conn_deadline(w.conn);
    to_time(&w, due - 1);
    wire_no_event(&w);
    to_time(&w, due);
    wire_closed(&w, CQL_TIMEOUT, "no answer to a heartbeat within 10000 ms (1 requests in flight)");
    assert_ptr_equal(cqln_conn_take_owner(w.conn), &w);
    wire_fini(&w);
}

static void answers_to_requests_put_the_probe_off(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 4);
    for (int i = 0; i < 20; i++) {
        w.now += IDLE - 1;
        int16_t stream = wire_submit(&w, &w);
        wire_listen(&w);
        w.heard_at = w.heard.len;
        respond_void(&w.say, 4, stream);
        wire_say(&w);
        wire_event(&w, CQLN_CONN_EV_RESPONSE);
        cqln_conn_tick(w.conn, w.now);
        assert_int_equal(cqln_conn_deadline(w.conn), w.now + IDLE);
    }
    assert_true(wire_silent(&w));
    wire_fini(&w);
}

static void writing_is_no_sign_of_life(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 4);
    uint64_t due = cqln_conn_deadline(w.conn);
    w.now += IDLE / 2;
    wire_submit(&w, &w);
    wire_listen(&w);
    assert_int_equal(cqln_conn_deadline(w.conn), due);
    wire_fini(&w);
}

static void other_answers_keep_a_probed_connection_alive(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 5);
    int16_t stream = wire_submit(&w, &w);
    wire_listen(&w);
    w.heard_at = w.heard.len;
    to_probe(&w);
    w.now += TIMEOUT - 1;
    respond_void(&w.say, 5, stream); /* the probe stays unanswered */
    wire_say(&w);
    wire_event(&w, CQLN_CONN_EV_RESPONSE);
    assert_int_equal(cqln_conn_deadline(w.conn), w.now + TIMEOUT);
    to_time(&w, w.now + TIMEOUT);
    wire_closed(&w, CQL_TIMEOUT, "heartbeat");
    wire_fini(&w);
}

static void an_error_answers_a_probe_too(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 4);
    to_probe(&w);
    respond_error(&w.say, 4, 0, 0x1001, "overloaded", NULL, 0);
    wire_say(&w);
    wire_no_event(&w);
    assert_int_equal(cqln_conn_state_of(w.conn), CQLN_CONN_OPEN);
    assert_int_equal(cqln_conn_deadline(w.conn), w.now + IDLE);
    wire_fini(&w);
}

static void a_protocol_error_on_stream_zero_is_fatal_all_the_same(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 5);
    to_probe(&w);
    respond_error(&w.say, 5, 0, 0x0a, "unrecoverable CRC mismatch", NULL, 0);
    wire_say(&w);
    wire_closed(&w, CQL_SERVER_PROTOCOL_ERROR, "unrecoverable CRC mismatch");
    wire_fini(&w);
}

/* A server that sends one byte a second of a body that never ends, whose beginning came at once. */
static void a_trickle_is_no_sign_of_life(void **state)
{
    static uint8_t beginning[20000];
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        open_at(&w, version);
        int16_t stream = wire_submit(&w, &w);
        wire_listen(&w);
        w.heard_at = w.heard.len;
        uint8_t head[] = {0x84, 0, 0, (uint8_t)stream, 8, 0, 1, 0, 0};
        uint8_t segment[6];
        cqln_segment_encode(segment, false, 100000, 0, true);
        if (version == 4)
            wire_feed(&w, head, sizeof head);
        else
            wire_feed(&w, segment, sizeof segment);
        wire_feed(&w, beginning, sizeof beginning);
        bool probed = false;
        while (cqln_conn_state_of(w.conn) == CQLN_CONN_OPEN) {
            assert_true(w.now < 1000 + IDLE + TIMEOUT + 1000);
            w.now += 1000;
            wire_feed(&w, "x", 1);
            wire_no_event(&w);
            cqln_conn_tick(w.conn, w.now);
            probed = probed || !wire_silent(&w);
        }
        assert_true(probed);
        wire_closed(&w, CQL_TIMEOUT, "heartbeat");
        wire_fini(&w);
    }
}

static void steady_progress_in_a_large_body_is_a_sign_of_life(void **state)
{
    enum { BODY = 60 << 20 };
    wire_end w;
    (void)state;
    open_at(&w, 4);
    int16_t stream = wire_submit(&w, &w);
    wire_listen(&w);
    w.heard_at = w.heard.len;
    uint8_t head[] = {0x84, 0, 0, (uint8_t)stream, 8, BODY >> 24, (BODY >> 16) & 0xff, 0, 0};
    uint8_t *part = calloc(1, 1 << 20);
    assert_non_null(part);
    wire_feed(&w, head, sizeof head);
    for (int i = 0; i < 60; i++) {
        w.now += 5000; /* five minutes in all */
        wire_feed(&w, part, 1 << 20);
        if (i < 59)
            wire_no_event(&w);
        cqln_conn_tick(w.conn, w.now);
        assert_true(wire_silent(&w));
    }
    assert_int_equal(wire_event(&w, CQLN_CONN_EV_RESPONSE).len, BODY);
    free(part);
    wire_fini(&w);
}

/* The program did not get to run: the answer may be waiting in the socket. */
static void a_late_tick_is_given_one_more_chance(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 4);
    to_probe(&w);
    to_time(&w, cqln_conn_deadline(w.conn) + 5000);
    wire_no_event(&w);
    assert_int_equal(cqln_conn_deadline(w.conn), w.now + 100);
    respond_supported(&w.say, 4, 0, "4/v4", NULL);
    wire_say(&w);
    wire_no_event(&w);
    assert_int_equal(cqln_conn_deadline(w.conn), w.now + IDLE);
    to_probe(&w);
    to_time(&w, cqln_conn_deadline(w.conn) + 5000);
    wire_no_event(&w);
    to_time(&w, cqln_conn_deadline(w.conn) + 5000); /* late again: once is enough */
    wire_closed(&w, CQL_TIMEOUT, "heartbeat");
    wire_fini(&w);
}

/* A connection that owes an answer and says nothing is asked after TIMEOUT, not after IDLE. */
static void an_answer_that_is_owed_brings_the_probe_forward(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 5);
    uint64_t began = w.now;
    wire_submit(&w, &w);
    wire_listen(&w);
    w.heard_at = w.heard.len;
    assert_true(cqln_conn_unanswered(w.conn, began + 2000));
    assert_int_equal(cqln_conn_deadline(w.conn), began + TIMEOUT);
    assert_false(cqln_conn_unanswered(w.conn, began + 3000)); /* nothing new: the deadline stays */
    assert_int_equal(cqln_conn_deadline(w.conn), began + TIMEOUT);
    to_probe(&w);
    assert_false(cqln_conn_unanswered(w.conn, w.now));
    to_time(&w, began + 2 * TIMEOUT);
    wire_closed(&w, CQL_TIMEOUT, "no answer to a heartbeat within 10000 ms");
    wire_fini(&w);
}

/* What comes afterwards, the answer itself or another one, is a sign of life: the calm is what it was. */
static void a_sign_of_life_puts_the_probe_back(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        open_at(&w, version);
        int16_t stream = wire_submit(&w, &w);
        wire_listen(&w);
        w.heard_at = w.heard.len;
        w.now += 2000;
        assert_true(cqln_conn_unanswered(w.conn, w.now));
        w.now += 10;
        respond_void(&w.say, version, stream);
        wire_say(&w);
        wire_event(&w, CQLN_CONN_EV_RESPONSE);
        assert_int_equal(cqln_conn_deadline(w.conn), w.now + IDLE);
        assert_true(cqln_conn_unanswered(w.conn, w.now + 1)); /* and the next one that is owed counts again */
        assert_int_equal(cqln_conn_deadline(w.conn), w.now + TIMEOUT);
        wire_fini(&w);
    }
}

static void what_is_owed_never_puts_a_probe_off(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 4);
    w.config.heartbeat_ms = TIMEOUT / 2;
    wire_open(&w);
    assert_true(cqln_conn_unanswered(w.conn, w.now + 1));
    assert_int_equal(cqln_conn_deadline(w.conn), w.now + TIMEOUT / 2);
    wire_fini(&w);
    wire_init(&w, 4);
    w.config.heartbeat_ms = 0;
    wire_open(&w);
    cqln_conn_unanswered(w.conn, w.now + 1);
    assert_int_equal(cqln_conn_deadline(w.conn), UINT64_MAX);
    wire_fini(&w);
}

static void without_a_heartbeat_there_is_no_deadline(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 5);
    w.config.heartbeat_ms = 0;
    wire_open(&w);
    assert_int_equal(cqln_conn_deadline(w.conn), UINT64_MAX);
    to_time(&w, UINT64_MAX);
    assert_true(wire_silent(&w));
    wire_no_event(&w);
    wire_fini(&w);
}

static void a_tick_before_its_time_does_nothing(void **state)
{
    wire_end w;
    (void)state;
    open_at(&w, 4);
    for (uint64_t t = 0; t < IDLE; t += 997)
        cqln_conn_tick(w.conn, w.now + t);
    assert_true(wire_silent(&w));
    wire_fini(&w);
}

/* What a busy connection took is given back once it is idle. */
static void an_idle_connection_keeps_little(void **state)
{
    failmalloc f;
    wire_end w;
    (void)state;
    failmalloc_init(&f);
    wire_init(&w, 5);
    w.config.al = &f.al;
    w.config.lz4 = w.server_lz4 = true;
    wire_open(&w);
    uint8_t *q = wire_query(&w, 40);
    int16_t stream;
    assert_int_equal(cqln_conn_submit(w.conn, q, 40, &w, &stream), CQL_OK);
    free(q);
    wire_listen(&w);
    size_t before = atomic_load(&f.live), bytes = atomic_load(&f.bytes);
    uint8_t *body = calloc(1, 3 << 20);
    assert_non_null(body);
    respond_body(&w.say, 5, stream, CQLN_OP_RESULT, body, 3 << 20);
    wire_say(&w);
    assert_int_equal(wire_event(&w, CQLN_CONN_EV_RESPONSE).len, 3 << 20);
    wire_no_event(&w);
    q = wire_query(&w, 1 << 20);
    assert_int_equal(cqln_conn_submit(w.conn, q, 1 << 20, &w, &stream), CQL_OK);
    wire_listen(&w);
    free(q);
    respond_void(&w.say, 5, stream);
    wire_say(&w);
    wire_event(&w, CQLN_CONN_EV_RESPONSE);
    wire_no_event(&w);
    assert_true(atomic_load(&f.live) > before);
    assert_true(atomic_load(&f.bytes) > bytes + (1 << 20));
    w.heard_at = w.heard.len;
    to_probe(&w);
    respond_supported(&w.say, 5, 0, "5/v5", NULL);
    wire_say(&w);
    wire_no_event(&w);
    uint8_t *p;
    size_t cap;
    cqln_conn_space(w.conn, &p, &cap);
    assert_int_equal(cap, w.config.read_buffer); /* grown for segments, and back again */
    assert_true(atomic_load(&f.live) <= before + 1);
    assert_true(atomic_load(&f.bytes) <= bytes + (8 << 10));
    free(body);
    wire_fini(&w);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void a_probe_without_memory_ends_the_connection(void **state)
{
    failmalloc f;
    wire_end w;
    (void)state;
    failmalloc_init(&f);
    wire_init(&w, 4);
    w.config.al = &f.al;
    wire_open(&w);
    f.fail_at = atomic_load(&f.requests) + 1;
    f.fail_after = true;
    to_time(&w, cqln_conn_deadline(w.conn));
    wire_closed(&w, CQL_NO_MEMORY, "cannot send a heartbeat");
    wire_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_is_probed_again_and_again),
        cmocka_unit_test(silence_after_a_probe_is_death),
        cmocka_unit_test(answers_to_requests_put_the_probe_off),
        cmocka_unit_test(writing_is_no_sign_of_life),
        cmocka_unit_test(other_answers_keep_a_probed_connection_alive),
        cmocka_unit_test(an_error_answers_a_probe_too),
        cmocka_unit_test(a_protocol_error_on_stream_zero_is_fatal_all_the_same),
        cmocka_unit_test(a_trickle_is_no_sign_of_life),
        cmocka_unit_test(steady_progress_in_a_large_body_is_a_sign_of_life),
        cmocka_unit_test(a_late_tick_is_given_one_more_chance),
        cmocka_unit_test(an_answer_that_is_owed_brings_the_probe_forward),
        cmocka_unit_test(a_sign_of_life_puts_the_probe_back),
        cmocka_unit_test(what_is_owed_never_puts_a_probe_off),
        cmocka_unit_test(without_a_heartbeat_there_is_no_deadline),
        cmocka_unit_test(a_tick_before_its_time_does_nothing),
        cmocka_unit_test(an_idle_connection_keeps_little),
        cmocka_unit_test(a_probe_without_memory_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
