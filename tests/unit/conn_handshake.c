/* Handshakes: every way to open a connection, and every way in which that fails. */
#include "conn_help.h"

static void opens_in_every_combination_and_step(void **state)
{
    static const size_t steps[] = {0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 17, 64};
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        for (int with = 0; with < COMBINATIONS; with++) {
            for (size_t i = 0; i < CQL_COUNT(steps); i++) {
                wire_end w;
                wire_with(&w, version, with);
                w.step = steps[i];
                wire_open(&w);
                int16_t stream = wire_submit(&w, &w);
                heard_request r = wire_request(&w, CQLN_OP_QUERY);
                assert_int_equal(r.frame.stream, stream);
                respond_void(&w.say, version, stream);
                wire_say(&w);
                cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_RESPONSE);
                assert_ptr_equal(ev.owner, &w);
                assert_int_equal(ev.opcode, CQLN_OP_RESULT);
                assert_int_equal(ev.len, 4);
                wire_fini(&w);
            }
        }
    }
}

/* --- what is sent ---------------------------------------------------------------------------- */

/* The bytes on the wire, before anything takes them apart. */
static void assert_output(wire_end *w, const char *golden)
{
    const uint8_t *p;
    size_t n;
    assert_true(cqln_conn_output(w->conn, &p, &n));
    assert_hex(p, n, golden);
    cqln_conn_sent(w->conn, n);
    assert_false(cqln_conn_output(w->conn, &p, &n));
}

static void every_request_has_its_bytes_on_v4(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 4, WITH_AUTH | WITH_EVENTS);
    w.config.keyspace = cql_str_of("my\"ks");
    wire_start(&w);
    assert_output(&w, "04 00 0000 05 00000000");
    respond_supported(&w.say, 4, 0, "4/v4", NULL);
    wire_say(&w);
    wire_no_event(&w);
    assert_output(&w, "04 00 0000 01 0000003c  0003"
                      "000b 43514c5f56455253494f4e 0005 332e302e30"
                      "000b 4452495645525f4e414d45 0004 74657374"
                      "000e 4452495645525f56455253494f4e 0001 31");
    respond_authenticate(&w.say, 4, 0, "org.apache.cassandra.auth.PasswordAuthenticator");
    wire_say(&w);
    wire_no_event(&w);
    assert_output(&w, "04 00 0000 0f 00000010  0000000c 00 75736572 00 736563726574");
    respond_auth_success(&w.say, 4, 0, NULL);
    wire_say(&w);
    wire_no_event(&w);
    assert_output(&w, "04 00 0000 0b 00000020  0002"
                      "000d 5354415455535f4348414e4745 000d 534348454d415f4348414e4745");
    respond_ready(&w.say, 4, 0);
    wire_say(&w);
    wire_no_event(&w);
    /* USE "my""ks" at ONE */
    assert_output(&w, "04 00 0000 07 00000013  0000000c 55534520 22 6d79 2222 6b73 22  0001 00");
    respond_set_keyspace(&w.say, 4, 0, "my\"ks");
    wire_say(&w);
    wire_event(&w, CQLN_CONN_EV_READY);
    wire_fini(&w);
}

static void v5_frames_everything_behind_authenticate(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 5, WITH_AUTH);
    wire_start(&w);
    assert_output(&w, "05 00 0000 05 00000000");
    respond_supported(&w.say, 5, 0, "5/v5", NULL);
    wire_say(&w);
    wire_no_event(&w);
    wire_request(&w, CQLN_OP_STARTUP); /* raw */
    respond_authenticate(&w.say, 5, 0, "org.apache.cassandra.auth.PasswordAuthenticator");
    wire_say(&w); /* raw */
    wire_no_event(&w);
    w.framed = true;
    heard_request r = wire_request(&w, CQLN_OP_AUTH_RESPONSE); /* in a segment */
    assert_hex(r.body, r.frame.length, "0000000c 00 75736572 00 736563726574");
    respond_auth_success(&w.say, 5, 0, NULL);
    wire_say(&w); /* in a segment */
    wire_event(&w, CQLN_CONN_EV_READY);
    wire_fini(&w);
}

static void one_request_is_in_flight_at_a_time(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 5, WITH_AUTH | WITH_EVENTS | WITH_KEYSPACE);
    wire_start(&w);
    wire_request(&w, CQLN_OP_OPTIONS);
    assert_true(wire_silent(&w));
    int16_t stream;
    uint8_t *q = wire_query(&w, 40);
    assert_int_equal(cqln_conn_submit(w.conn, q, 40, &w, &stream), CQL_BAD_STATE);
    free(q);
    assert_int_equal(cqln_conn_deadline(w.conn), UINT64_MAX); /* no heartbeat before it is open */
    cqln_conn_tick(w.conn, w.now + 1000000);
    assert_true(wire_silent(&w));
    respond_supported(&w.say, 5, 0, "5/v5", NULL);
    wire_say(&w);
    wire_no_event(&w);
    wire_request(&w, CQLN_OP_STARTUP);
    assert_true(wire_silent(&w));
    wire_fini(&w);
}

static void lz4_is_used_when_both_sides_want_it(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        wire_end w;
        wire_init(&w, i & 1 ? 5 : 4);
        w.config.lz4 = i & 2;
        w.server_lz4 = i & 4;
        wire_open(&w);
        assert_int_equal(cqln_conn_compressed(w.conn), (i & 6) == 6);
        assert_int_equal(cqln_conn_version(w.conn), w.config.version);
        wire_fini(&w);
    }
}

static void v5_ready_may_carry_the_compression_flag(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 5, WITH_LZ4);
    wire_start(&w);
    respond_supported(&w.say, 5, 0, "5/v5", "lz4");
    wire_say(&w);
    wire_no_event(&w);
    hex h = hex_bytes("85 01 0000 02 00000005  00000000 00"); /* the empty body as lz4 */
    wire_feed(&w, h.data, h.len);
    hex_free(&h);
    wire_event(&w, CQLN_CONN_EV_READY);
    wire_fini(&w);
}

static void warnings_and_trailing_bytes_are_passed_over(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 4, WITH_KEYSPACE);
    wire_start(&w);
    respond_supported(&w.say, 4, 0, NULL, NULL); /* no versions listed */
    wire_say(&w);
    wire_no_event(&w);
    respond_body(&w.say, 4, 0, CQLN_OP_READY, "more", 4);
    wire_say(&w);
    wire_no_event(&w);
    size_t at = respond_begin(&w.say, 4, CQLN_FLAG_WARNING, 0, CQLN_OP_RESULT);
    cqln_write_u16(&w.say, 1);
    cqln_write_string(&w.say, cql_str_of("careful"));
    cqln_write_u32(&w.say, CQLN_RESULT_SET_KEYSPACE);
    cqln_write_string(&w.say, cql_str_of("ks"));
    cqln_write_u32(&w.say, 99);
    respond_end(&w.say, at);
    wire_say(&w);
    wire_event(&w, CQLN_CONN_EV_READY);
    wire_fini(&w);
}

static void events_before_ready_are_passed_over(void **state)
{
    static const uint8_t address[] = {127, 0, 0, 1};
    wire_end w;
    (void)state;
    wire_with(&w, 5, WITH_EVENTS | WITH_KEYSPACE);
    wire_start(&w);
    respond_supported(&w.say, 5, 0, "5/v5", NULL);
    respond_ready(&w.say, 5, 0);
    wire_say(&w);
    wire_no_event(&w);
    w.framed = true;
    respond_node_event(&w.say, 5, "STATUS_CHANGE", "UP", address, 4, 9042);
    respond_ready(&w.say, 5, 0);
    respond_node_event(&w.say, 5, "STATUS_CHANGE", "DOWN", address, 4, 9042);
    respond_set_keyspace(&w.say, 5, 0, "ks");
    respond_node_event(&w.say, 5, "STATUS_CHANGE", "UP", address, 4, 9042);
    wire_say(&w);
    wire_event(&w, CQLN_CONN_EV_READY);
    cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_PUSH);
    assert_int_equal(ev.opcode, CQLN_OP_EVENT);
    wire_no_event(&w);
    wire_fini(&w);
}

/* --- the transport ends ---------------------------------------------------------------------- */

static void a_lost_transport_says_what_was_waited_for(void **state)
{
    (void)state;
    for (int phase = 0; phase < 5; phase++) {
        for (uint8_t version = 4; version <= 5; version++) {
            wire_end w;
            wire_with(&w, version, WITH_AUTH | WITH_EVENTS | WITH_KEYSPACE);
            wire_to_phase(&w, phase);
            cqln_conn_transport_lost(w.conn, CQL_TIMEOUT, "nothing came for 5 s");
            cqln_conn_transport_lost(w.conn, CQL_CLOSED, "again");
            wire_closed(&w, CQL_TIMEOUT, wire_phase_words[phase]);
            assert_non_null(strstr(cqln_conn_fault_of(w.conn)->detail, "nothing came for 5 s"));
            wire_fini(&w);
        }
    }
}

static void a_server_that_closes_at_once_may_speak_something_else(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 4);
    wire_start(&w);
    cqln_conn_transport_lost(w.conn, CQL_CLOSED, NULL);
    wire_closed(&w, CQL_CLOSED, "may not speak the CQL protocol");
    wire_fini(&w);
}

static void ready_is_never_told_after_the_transport_was_lost(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 4);
    wire_start(&w);
    respond_supported(&w.say, 4, 0, "4/v4", NULL);
    respond_ready(&w.say, 4, 0);
    wire_say(&w); /* the whole handshake has come, nobody pulled it */
    cqln_conn_transport_lost(w.conn, CQL_CLOSED, "reset");
    wire_closed(&w, CQL_CLOSED, "reset");
    wire_fini(&w);
}

/* --- refusals and nonsense ------------------------------------------------------------------- */

static void a_keyspace_that_is_not_there_is_named(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 5, 0);
    w.config.keyspace = cql_str_of("no\nsuch");
    wire_start(&w);
    respond_supported(&w.say, 5, 0, "5/v5", NULL);
    respond_ready(&w.say, 5, 0);
    wire_say(&w);
    wire_no_event(&w);
    w.framed = true;
    respond_error(&w.say, 5, 0, 0x2200, "Keyspace 'no such' does not exist", NULL, 0);
    wire_say(&w);
    wire_closed(&w, CQL_SERVER_INVALID,
                "cannot use keyspace \"no\\x0asuch\": Keyspace 'no such' does not exist");
    wire_fini(&w);
}

static void refused_registration_ends_the_connection(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 4, WITH_AUTH | WITH_EVENTS | WITH_KEYSPACE);
    wire_to_phase(&w, 3);
    respond_error(&w.say, 4, 0, 0x0a, "unknown type", NULL, 0);
    wire_say(&w);
    wire_closed(&w, CQL_SERVER_PROTOCOL_ERROR, "refused to send events: unknown type");
    wire_fini(&w);
}

/* What each phase takes, by opcode. */
static bool belongs(int phase, uint8_t opcode)
{
    switch (opcode) {
    case CQLN_OP_ERROR:
        return true;
    case CQLN_OP_SUPPORTED:
        return phase == 0;
    case CQLN_OP_READY:
        return phase == 1 || phase == 3;
    case CQLN_OP_AUTHENTICATE:
        return phase == 1;
    case CQLN_OP_AUTH_CHALLENGE:
    case CQLN_OP_AUTH_SUCCESS:
        return phase == 2;
    case CQLN_OP_RESULT:
        return phase == 4;
    default:
        return false;
    }
}

static void any_other_answer_ends_the_handshake(void **state)
{
    static const uint8_t opcodes[] = {0x00, 0x02, 0x03, 0x06, 0x08, 0x0c, 0x0e, 0x10};
    (void)state;
    for (int phase = 0; phase < 5; phase++) {
        for (size_t i = 0; i < CQL_COUNT(opcodes); i++) {
            for (int stream = 0; stream < 2; stream++) {
                wire_end w;
                wire_with(&w, 5, WITH_AUTH | WITH_EVENTS | WITH_KEYSPACE);
                wire_to_phase(&w, phase);
                if (belongs(phase, opcodes[i]) && stream == 0) {
                    wire_fini(&w);
                    continue;
                }
                respond_body(&w.say, 5, (int16_t)stream, opcodes[i], "", 0);
                wire_say(&w);
                wire_closed(&w, CQL_UNEXPECTED, wire_phase_words[phase]);
                wire_fini(&w);
            }
        }
    }
}

/* Every answer of the handshake cut at every length: the envelope is whole, its body too short. */
static void answers_that_are_too_short_are_malformed(void **state)
{
    static const struct {
        int phase;
        uint8_t opcode;
        const char *body;
    } answers[] = {
        {0, CQLN_OP_SUPPORTED, "0001 0001 61 0001 0001 62"},
        {0, CQLN_OP_ERROR, "00002200 0001 78"},
        {1, CQLN_OP_AUTHENTICATE, "0003 612e42"},
        {2, CQLN_OP_AUTH_CHALLENGE, "00000001 61"},
        {2, CQLN_OP_AUTH_SUCCESS, "00000001 61"},
        {2, CQLN_OP_ERROR, "00001000 0000 0001 00000001 00000001"},
        {4, CQLN_OP_RESULT, "00000003"},
    };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(answers); i++) {
        hex h = hex_bytes(answers[i].body);
        for (size_t n = 0; n < h.len; n++) {
            wire_end w;
            wire_with(&w, 5, WITH_AUTH | WITH_EVENTS | WITH_KEYSPACE);
            wire_to_phase(&w, answers[i].phase);
            respond_body(&w.say, 5, 0, answers[i].opcode, h.data, n);
            wire_say(&w);
            wire_closed(&w, CQL_MALFORMED, "malformed");
            wire_fini(&w);
        }
        hex_free(&h);
    }
}

static void use_must_set_the_keyspace(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 5, WITH_AUTH | WITH_EVENTS | WITH_KEYSPACE);
    wire_to_phase(&w, 4);
    respond_void(&w.say, 5, 0);
    wire_say(&w);
    wire_closed(&w, CQL_UNEXPECTED, "answered USE with a RESULT of kind 1");
    wire_fini(&w);
}

/* --- memory ---------------------------------------------------------------------------------- */

/* Sends what is in w->say and pulls all events; true when ready was among them. */
static bool say_and_pull(wire_end *w)
{
    cqln_conn_event ev;
    bool is_ready = false;
    wire_say(w);
    while (cqln_conn_next(w->conn, &ev))
        is_ready |= ev.kind == CQLN_CONN_EV_READY;
    return is_ready;
}

static cql_status whole_handshake(const cql_allocator *al, void *user)
{
    const int *with = user;
    wire_end w;
    wire_with(&w, (uint8_t)(*with >> 8), *with & 0xff);
    w.config.al = al;
    cql_status st = cqln_conn_new(&w.config, &w.conn);
    if (st) {
        assert_null(w.conn);
        wire_fini(&w);
        return st;
    }
    uint8_t v = w.config.version;
    cqln_conn_start(w.conn, w.now);
    respond_supported(&w.say, v, 0, "4/v4,5/v5", w.server_lz4 ? "lz4" : NULL);
    say_and_pull(&w);
    w.lz4 = w.server_lz4;
    respond_authenticate(&w.say, v, 0, wire_password_authenticator);
    say_and_pull(&w);
    w.framed = v == 5;
    respond_auth_success(&w.say, v, 0, NULL);
    respond_ready(&w.say, v, 0);
    respond_set_keyspace(&w.say, v, 0, "ks");
    if (!say_and_pull(&w)) {
        assert_int_equal(cqln_conn_state_of(w.conn), CQLN_CONN_DEAD);
        st = cqln_conn_fault_of(w.conn)->status;
    }
    wire_fini(&w);
    return st;
}

static void a_handshake_survives_that_memory_is_out(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        int with =
            (i & 1 ? 5 : 4) << 8 | WITH_AUTH | WITH_EVENTS | WITH_KEYSPACE | (i & 2 ? WITH_LZ4 : 0);
        assert_true(failmalloc_each(whole_handshake, &with, true) > 8);
    }
}

static void a_prefix_that_is_too_short_is_malformed(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 4, 0);
    wire_start(&w);
    size_t at = respond_begin(&w.say, 4, CQLN_FLAG_TRACING, 0, CQLN_OP_SUPPORTED);
    cqln_write_u32(&w.say, 0);
    respond_end(&w.say, at);
    wire_say(&w);
    wire_closed(&w, CQL_MALFORMED, "malformed SUPPORTED as the answer to OPTIONS");
    wire_fini(&w);
}

static void an_event_before_the_registration_is_unexpected(void **state)
{
    static const uint8_t address[] = {127, 0, 0, 1};
    wire_end w;
    (void)state;
    wire_with(&w, 4, WITH_EVENTS);
    wire_start(&w);
    respond_node_event(&w.say, 4, "STATUS_CHANGE", "UP", address, 4, 9042);
    wire_say(&w);
    wire_closed(&w, CQL_UNEXPECTED, "EVENT on stream -1 as the answer to OPTIONS");
    wire_fini(&w);
}

static void a_user_without_a_password_sends_an_empty_one(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 4, WITH_AUTH);
    w.config.password = NULL;
    wire_ask_for_password(&w, wire_password_authenticator);
    wire_no_event(&w);
    wire_request(&w, CQLN_OP_OPTIONS);
    wire_request(&w, CQLN_OP_STARTUP);
    heard_request r = wire_request(&w, CQLN_OP_AUTH_RESPONSE);
    assert_hex(r.body, r.frame.length, "00000006 00 75736572 00");
    respond_error(&w.say, 4, 0, 0x100, "no", NULL, 0);
    wire_say(&w);
    wire_closed(&w, CQL_SERVER_BAD_CREDENTIALS, "the server refused user \"user\" (error 0x0100): no");
    wire_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_in_every_combination_and_step),
        cmocka_unit_test(every_request_has_its_bytes_on_v4),
        cmocka_unit_test(v5_frames_everything_behind_authenticate),
        cmocka_unit_test(one_request_is_in_flight_at_a_time),
        cmocka_unit_test(lz4_is_used_when_both_sides_want_it),
        cmocka_unit_test(v5_ready_may_carry_the_compression_flag),
        cmocka_unit_test(warnings_and_trailing_bytes_are_passed_over),
        cmocka_unit_test(events_before_ready_are_passed_over),
        cmocka_unit_test(a_lost_transport_says_what_was_waited_for),
        cmocka_unit_test(a_server_that_closes_at_once_may_speak_something_else),
        cmocka_unit_test(ready_is_never_told_after_the_transport_was_lost),
        cmocka_unit_test(a_keyspace_that_is_not_there_is_named),
        cmocka_unit_test(refused_registration_ends_the_connection),
        cmocka_unit_test(any_other_answer_ends_the_handshake),
        cmocka_unit_test(answers_that_are_too_short_are_malformed),
        cmocka_unit_test(use_must_set_the_keyspace),
        cmocka_unit_test(a_handshake_survives_that_memory_is_out),
        cmocka_unit_test(a_prefix_that_is_too_short_is_malformed),
        cmocka_unit_test(an_event_before_the_registration_is_unexpected),
        cmocka_unit_test(a_user_without_a_password_sends_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
