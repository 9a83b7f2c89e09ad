/* Stream ids: exhaustion, orphans, late and unknown answers, owners handed out. */
#include "conn_help.h"

typedef struct request {
    int16_t stream;
    unsigned answers;
} request;

static void open_with(wire_end *w, uint8_t version, uint32_t streams)
{
    wire_init(w, version);
    w->config.max_streams = streams;
    wire_open(w);
}

static void answer(wire_end *w, int16_t stream)
{
    respond_void(&w->say, w->config.version, stream);
    wire_say(w);
}

static cql_status try_submit(wire_end *w, void *owner)
{
    int16_t stream;
    uint8_t *q = wire_query(w, 40);
    cql_status st = cqln_conn_submit(w->conn, q, 40, owner, &stream);
    free(q);
    return st;
}

static void all_ids_are_used_and_none_is_zero(void **state)
{
    static bool seen[32768];
    wire_end w;
    (void)state;
    open_with(&w, 4, 32767);
    assert_int_equal(cqln_conn_free_streams(w.conn), 32767);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 32767; i++) {
        int16_t stream = wire_submit(&w, &w);
        assert_true(stream > 0);
        assert_false(seen[stream]);
        seen[stream] = true;
    }
    assert_int_equal(try_submit(&w, &w), CQL_NO_STREAM);
    assert_int_equal(cqln_conn_in_flight(w.conn), 32767);
    assert_int_equal(cqln_conn_free_streams(w.conn), 0);
    wire_listen(&w);
    answer(&w, 17);
    wire_event(&w, CQLN_CONN_EV_RESPONSE);
    assert_int_equal(wire_submit(&w, &w), 17);
    wire_fini(&w);
}

static void a_single_stream_is_enough(void **state)
{
    wire_end w;
    (void)state;
    open_with(&w, 5, 1);
    for (int i = 0; i < 100; i++) {
        int16_t stream = wire_submit(&w, &w);
        assert_int_equal(stream, 1);
        assert_int_equal(try_submit(&w, &w), CQL_NO_STREAM);
        wire_listen(&w);
        answer(&w, stream);
        wire_event(&w, CQLN_CONN_EV_RESPONSE);
    }
    wire_fini(&w);
}

static void answers_find_their_owner_in_any_order(void **state)
{
    request r[50];
    wire_end w;
    (void)state;
    open_with(&w, 5, 64);
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < CQL_COUNT(r); i++) {
            r[i].stream = wire_submit(&w, &r[i]);
            r[i].answers = 0;
        }
        wire_listen(&w);
        for (size_t i = 0; i < CQL_COUNT(r); i++)
            respond_void(&w.say, 5, r[(i * 37 + (size_t)round) % CQL_COUNT(r)].stream);
        wire_say(&w);
        for (size_t i = 0; i < CQL_COUNT(r); i++) {
            cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_RESPONSE);
            request *owner = ev.owner;
            assert_int_equal(owner->stream, ev.stream);
            owner->answers++;
        }
        for (size_t i = 0; i < CQL_COUNT(r); i++)
            assert_int_equal(r[i].answers, 1);
        wire_no_event(&w);
        assert_int_equal(cqln_conn_in_flight(w.conn), 0);
    }
    wire_fini(&w);
}

static void an_error_gives_its_id_back(void **state)
{
    wire_end w;
    (void)state;
    open_with(&w, 4, 8);
    for (int i = 0; i < 1000; i++) {
        int16_t stream = wire_submit(&w, &w);
        wire_listen(&w);
        respond_error(&w.say, 4, stream, 0x2200, "no", NULL, 0);
        wire_say(&w);
        cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_RESPONSE);
        assert_int_equal(ev.opcode, CQLN_OP_ERROR);
    }
    assert_int_equal(cqln_conn_free_streams(w.conn), 8);
    wire_fini(&w);
}

static void a_late_answer_reaches_nobody(void **state)
{
    wire_end w;
    request slow;
    request other;
    (void)state;
    open_with(&w, 4, 3);
    slow.stream = wire_submit(&w, &slow);
    cqln_conn_orphan(w.conn, slow.stream);
    assert_int_equal(cqln_conn_orphans(w.conn), 1);
    assert_int_equal(cqln_conn_in_flight(w.conn), 1);
    assert_int_equal(cqln_conn_free_streams(w.conn), 2);
    for (int i = 0; i < 40000; i++) {
        int16_t stream = wire_submit(&w, &other);
        assert_int_not_equal(stream, slow.stream);
        wire_listen(&w);
        w.heard.len = w.heard_at = 0;
        answer(&w, stream);
        assert_ptr_equal(wire_event(&w, CQLN_CONN_EV_RESPONSE).owner, &other);
    }
    answer(&w, slow.stream);
    cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_LATE);
    assert_null(ev.owner);
    assert_int_equal(ev.stream, slow.stream);
    assert_int_equal(cqln_conn_orphans(w.conn), 0);
    assert_int_equal(cqln_conn_free_streams(w.conn), 3);
    assert_int_equal(wire_submit(&w, &other), slow.stream); /* free again */
    wire_fini(&w);
}

static void orphans_hold_their_ids(void **state)
{
    wire_end w;
    int16_t streams[4];
    (void)state;
    open_with(&w, 5, 4);
    for (int i = 0; i < 4; i++)
        streams[i] = wire_submit(&w, &w);
    for (int i = 0; i < 4; i++)
        cqln_conn_orphan(w.conn, streams[i]);
    assert_int_equal(cqln_conn_orphans(w.conn), 4);
    assert_int_equal(try_submit(&w, &w), CQL_NO_STREAM);
    wire_listen(&w);
    answer(&w, streams[2]);
    wire_event(&w, CQLN_CONN_EV_LATE);
    assert_int_equal(wire_submit(&w, &w), streams[2]);
    wire_fini(&w);
}

static void orphaning_twice_or_nothing_is_harmless(void **state)
{
    wire_end w;
    (void)state;
    open_with(&w, 4, 4);
    int16_t stream = wire_submit(&w, &w);
    cqln_conn_orphan(w.conn, stream);
    cqln_conn_orphan(w.conn, stream);
    cqln_conn_orphan(w.conn, 0);
    cqln_conn_orphan(w.conn, -1);
    cqln_conn_orphan(w.conn, 3); /* free */
    cqln_conn_orphan(w.conn, 32767);
    assert_int_equal(cqln_conn_orphans(w.conn), 1);
    assert_int_equal(cqln_conn_in_flight(w.conn), 1);
    wire_fini(&w);
}

static void answers_that_nobody_waits_for_end_the_connection(void **state)
{
    static const int16_t streams[] = {2, 3, 4, 5, 32767, -2, -32768};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(streams); i++) {
        char words[32];
        wire_end w;
        open_with(&w, i % 2 ? 5 : 4, 4);
        assert_int_equal(wire_submit(&w, &w), 1);
        assert_int_equal(wire_submit(&w, &w), 2);
        wire_listen(&w);
        answer(&w, 2);
        wire_event(&w, CQLN_CONN_EV_RESPONSE); /* 2 is free again: another answer is one too many */
        answer(&w, streams[i]);
        snprintf(words, sizeof words, "RESULT on stream %d,", streams[i]);
        wire_closed(&w, CQL_UNEXPECTED, words);
        wire_fini(&w);
    }
}

static void a_second_answer_to_an_orphan_ends_the_connection(void **state)
{
    wire_end w;
    (void)state;
    open_with(&w, 5, 4);
    int16_t stream = wire_submit(&w, &w);
    wire_listen(&w);
    cqln_conn_orphan(w.conn, stream);
    answer(&w, stream);
    answer(&w, stream);
    wire_event(&w, CQLN_CONN_EV_LATE);
    wire_closed(&w, CQL_UNEXPECTED, "which no request waits on");
    wire_fini(&w);
}

static void owners_are_handed_out_once(void **state)
{
    request r[10];
    wire_end w;
    (void)state;
    open_with(&w, 4, 16);
    for (size_t i = 0; i < CQL_COUNT(r); i++) {
        r[i].stream = wire_submit(&w, &r[i]);
        r[i].answers = 0;
    }
    assert_null(cqln_conn_take_owner(w.conn)); /* not while it is open */
    wire_listen(&w);
    answer(&w, r[4].stream);
    wire_event(&w, CQLN_CONN_EV_RESPONSE);
    cqln_conn_orphan(w.conn, r[7].stream);
    cqln_conn_transport_lost(w.conn, CQL_CLOSED, "reset");
    wire_closed(&w, CQL_CLOSED, "reset");
    cqln_conn_orphan(w.conn, r[9].stream); /* given up between the end and the handing out */
    for (request *owner; (owner = cqln_conn_take_owner(w.conn)) != NULL;)
        owner->answers++;
    for (size_t i = 0; i < CQL_COUNT(r); i++)
        assert_int_equal(r[i].answers, i != 4 && i != 7 && i != 9);
    assert_null(cqln_conn_take_owner(w.conn));
    assert_int_equal(cqln_conn_in_flight(w.conn), 0);
    assert_int_equal(cqln_conn_orphans(w.conn), 0);
    wire_fini(&w);
}

static void limits_of_the_table_are_kept(void **state)
{
    static const uint32_t asked[] = {0, 1, 32767, 32768, 4000000000u};
    static const uint32_t given[] = {1, 1, 32767, 32767, 32767};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(asked); i++) {
        wire_end w;
        open_with(&w, 4, asked[i]);
        assert_int_equal(cqln_conn_free_streams(w.conn), given[i]);
        wire_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ids_are_used_and_none_is_zero),
        cmocka_unit_test(a_single_stream_is_enough),
        cmocka_unit_test(answers_find_their_owner_in_any_order),
        cmocka_unit_test(an_error_gives_its_id_back),
        cmocka_unit_test(a_late_answer_reaches_nobody),
        cmocka_unit_test(orphans_hold_their_ids),
        cmocka_unit_test(orphaning_twice_or_nothing_is_harmless),
        cmocka_unit_test(answers_that_nobody_waits_for_end_the_connection),
        cmocka_unit_test(a_second_answer_to_an_orphan_ends_the_connection),
        cmocka_unit_test(owners_are_handed_out_once),
        cmocka_unit_test(limits_of_the_table_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
