/* Whatever a server sends that it must not: the connection ends with a reason, once, and nothing
 * else happens. And the ends that are nobody's fault. */
#include "conn_help.h"

static void open_plain(wire_end *w, uint8_t version)
{
    wire_init(w, version);
    wire_open(w);
}

/* An envelope as it is, in a segment on v5. */
static void feed_envelope(wire_end *w, const void *bytes, size_t n)
{
    cqln_writer out;
    if (!w->framed) {
        wire_feed(w, bytes, n);
        return;
    }
    cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
    respond_segment(&out, bytes, n, true, w->lz4, false);
    wire_feed(w, out.data, out.len);
    cqln_writer_fini(&out);
}

typedef struct fault_row {
    const char *v4; /* the envelope; on v5 the first byte is one higher */
    cql_status status;
    const char *words;
} fault_row;

static const fault_row faults[] = {
    {"04 00 0001 08 00000000", CQL_MALFORMED, "is not one of an answer"}, /* a request */
    {"83 00 0001 08 00000000", CQL_MALFORMED, "on a connection of version"},
    {"86 00 0001 00 00000000", CQL_MALFORMED,
     "on a connection of version"}, /* an ERROR, too late */
    {"84 00 0001 04 00000000", CQL_MALFORMED, "opcode 04 is no answer"},
    {"84 00 0001 01 00000000", CQL_MALFORMED, "opcode 01 is no answer"},
    {"84 00 0001 05 00000000", CQL_MALFORMED, "opcode 05 is no answer"},
    {"84 00 0001 07 00000000", CQL_MALFORMED, "opcode 07 is no answer"},
    {"84 00 0001 09 00000000", CQL_MALFORMED, "opcode 09 is no answer"},
    {"84 00 0001 0a 00000000", CQL_MALFORMED, "opcode 0a is no answer"},
    {"84 00 0001 0b 00000000", CQL_MALFORMED, "opcode 0b is no answer"},
    {"84 00 0001 0d 00000000", CQL_MALFORMED, "opcode 0d is no answer"},
    {"84 00 0001 0f 00000000", CQL_MALFORMED, "opcode 0f is no answer"},
    {"84 00 0001 11 00000000", CQL_MALFORMED, "opcode 11 is no answer"},
    {"84 00 0001 28 00000000", CQL_MALFORMED,
     "opcode 28 is no answer"}, /* 0x28: 8 by its low bits */
    {"84 00 0001 ff 00000000", CQL_MALFORMED, "opcode ff is no answer"},
    {"84 00 0001 08 80000000", CQL_MALFORMED, "negative body length"},
    {"84 00 0001 08 ffffffff", CQL_MALFORMED, "negative body length"},
    {"84 00 0001 08 10000001", CQL_TOO_LARGE, "over the limit of 67108864"},
    {"84 00 0002 08 04000001", CQL_TOO_LARGE, "over the limit of 67108864"},
    {"84 00 0001 08 7fffffff", CQL_TOO_LARGE, "over the limit of 67108864"},
    {"84 00 0000 08 00000000", CQL_UNEXPECTED, "on stream 0, which nothing waits on"},
    {"84 00 0000 06 00000000", CQL_UNEXPECTED, "SUPPORTED on stream 0"},
    {"84 00 0000 00 00000000", CQL_MALFORMED, "malformed ERROR on stream 0"},
    {"84 00 0000 00 00000008 0000000a 0002 6f6f", CQL_SERVER_PROTOCOL_ERROR,
     "of the connection: oo"},
    {"84 00 0000 00 00000008 00001001 0002 6f6f", CQL_SERVER_OVERLOADED, "of the connection: oo"},
    {"84 00 0000 00 00000008 ffffffff 0002 6f6f", CQL_SERVER_ERROR, "of the connection: oo"},
    {"84 00 0000 00 00000007 0000000a 0001 1b", CQL_SERVER_PROTOCOL_ERROR, "\\x1b"},
    {"84 00 ffff 08 00000000", CQL_UNEXPECTED, "RESULT on stream -1"},
    {"84 00 ffff 00 00000008 0000000a 0002 6f6f", CQL_UNEXPECTED, "ERROR on stream -1"},
    {"84 00 0001 0c 00000000", CQL_UNEXPECTED, "EVENT on stream 1"},
    {"84 00 0000 0c 00000000", CQL_UNEXPECTED, "EVENT on stream 0"},
    {"84 00 0002 08 00000000", CQL_UNEXPECTED, "which no request waits on"},
};

static void envelopes_that_must_not_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4 * CQL_COUNT(faults); i++) {
        const fault_row *f = &faults[i / 4];
        wire_end w;
        open_plain(&w, i & 1 ? 5 : 4);
        w.step = i & 2 ? 1 : 0;
        wire_submit(&w, &w); /* stream 1 */
        wire_listen(&w);
        hex h = hex_bytes(f->v4);
        if (h.data[0] == 0x84 && w.config.version == 5)
            h.data[0] = 0x85;
        feed_envelope(&w, h.data, h.len);
        hex_free(&h);
        wire_closed(&w, f->status, f->words);
        assert_ptr_equal(cqln_conn_take_owner(w.conn), &w);
        assert_null(cqln_conn_take_owner(w.conn));
        wire_fini(&w);
    }
}

static void flags_that_mean_nothing_are_ignored(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        for (uint8_t version = 4; version <= 5; version++) {
            wire_end w;
            if (flags & CQLN_FLAG_COMPRESSION && version == 4)
                continue;
            open_plain(&w, version);
            int16_t stream = wire_submit(&w, &w);
            wire_listen(&w);
            size_t at = respond_begin(&w.say, version, (uint8_t)flags, stream, CQLN_OP_RESULT);
            cqln_write_u32(&w.say, 1);
            respond_end(&w.say, at);
            wire_say(&w);
            cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_RESPONSE);
            assert_int_equal(ev.flags, flags);
            assert_int_equal(ev.version, version);
            wire_fini(&w);
        }
    }
}

static void compression_that_was_not_agreed_is_malformed(void **state)
{
    wire_end w;
    (void)state;
    open_plain(&w, 4);
    int16_t stream = wire_submit(&w, &w);
    wire_listen(&w);
    size_t at = respond_begin(&w.say, 4, CQLN_FLAG_COMPRESSION, stream, CQLN_OP_RESULT);
    cqln_write_u32(&w.say, 0);
    cqln_write_u8(&w.say, 0);
    respond_end(&w.say, at);
    wire_say(&w);
    wire_closed(&w, CQL_MALFORMED, "compression was not agreed");
    wire_fini(&w);
}

static void events_that_nobody_asked_for_are_ignored(void **state)
{
    static const uint8_t address[] = {127, 0, 0, 1};
    wire_end w;
    (void)state;
    open_plain(&w, 4);
    respond_node_event(&w.say, 4, "STATUS_CHANGE", "UP", address, 4, 9042);
    wire_say(&w);
    wire_no_event(&w);
    assert_int_equal(cqln_conn_state_of(w.conn), CQLN_CONN_OPEN);
    wire_fini(&w);
}

static void events_are_pushed(void **state)
{
    static const uint8_t address[] = {10, 1, 2, 3};
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        wire_init(&w, version);
        w.config.event_kinds = CQLN_EVENT_STATUS;
        wire_open(&w);
        respond_node_event(&w.say, version, "STATUS_CHANGE", "UP", address, 4, 9042);
        respond_schema_event(&w.say, version, "CREATED", "TABLE", "ks", "t");
        wire_say(&w);
        for (int i = 0; i < 2; i++) {
            cqln_conn_event ev = wire_event(&w, CQLN_CONN_EV_PUSH);
            assert_int_equal(ev.stream, -1);
            assert_null(ev.owner);
            cqln_reader rd;
            cqln_event e;
            cqln_reader_init(&rd, ev.body, ev.len);
            assert_int_equal(cqln_decode_event(&rd, &e), CQL_OK);
            assert_int_equal(e.kind, i ? CQLN_EV_SCHEMA : CQLN_EV_STATUS);
        }
        wire_no_event(&w);
        wire_fini(&w);
    }
}

/* --- the transport ends ---------------------------------------------------------------------- */

static void answers_that_came_whole_are_handed_out_before_the_end(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        wire_end w;
        open_plain(&w, version);
        int16_t a = wire_submit(&w, &a);
        int16_t b = wire_submit(&w, &b);
        wire_listen(&w);
        respond_void(&w.say, version, a);
        respond_void(&w.say, version, b);
        wire_say(&w);
        cqln_conn_transport_lost(w.conn, CQL_CLOSED, "connection reset by peer");
        cqln_conn_transport_lost(w.conn, CQL_SYSTEM, "told twice");
        assert_false(cqln_conn_has_output(w.conn));
        assert_int_equal(cqln_conn_deadline(w.conn), UINT64_MAX);
        int16_t c;
        uint8_t *q = wire_query(&w, 40);
        assert_int_equal(cqln_conn_submit(w.conn, q, 40, &w, &c), CQL_BAD_STATE);
        free(q);
        assert_ptr_equal(wire_event(&w, CQLN_CONN_EV_RESPONSE).owner, &a);
        assert_ptr_equal(wire_event(&w, CQLN_CONN_EV_RESPONSE).owner, &b);
        wire_closed(&w, CQL_CLOSED, "connection reset by peer");
        assert_null(cqln_conn_take_owner(w.conn));
        wire_fini(&w);
    }
}

/* Cut at every byte: in the header, in the body, in a block of its own, in a segment. */
static void an_answer_that_is_cut_is_told_as_truncated(void **state)
{
    static const size_t sizes[] = {4, 100, 5000};
    (void)state;
    for (size_t i = 0; i < 2 * CQL_COUNT(sizes); i++) {
        uint8_t version = i % 2 ? 5 : 4;
        cqln_writer out;
        cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
        uint8_t *body = calloc(1, 5000);
        assert_non_null(body);
        respond_body(&out, version, 1, CQLN_OP_RESULT, body, sizes[i / 2]);
        cqln_writer whole;
        cqln_writer_init(&whole, cqln_alloc_default(), SIZE_MAX);
        if (version == 5)
            respond_frame(&whole, out.data, out.len, false, 0);
        else
            cqln_write_bytes(&whole, out.data, out.len);
        for (size_t n = 0; n < whole.len; n += n < 300 ? 1 : 61) {
            wire_end w;
            open_plain(&w, version);
            wire_submit(&w, &w);
            wire_feed(&w, whole.data, n);
            wire_no_event(&w);
            cqln_conn_transport_lost(w.conn, CQL_CLOSED, "end of stream");
            wire_closed(&w, CQL_CLOSED, n ? "truncated" : "end of stream");
            assert_ptr_equal(cqln_conn_take_owner(w.conn), &w);
            wire_fini(&w);
        }
        free(body);
        cqln_writer_fini(&out);
        cqln_writer_fini(&whole);
    }
}

static void nothing_goes_in_or_out_after_the_end(void **state)
{
    wire_end w;
    const uint8_t *p;
    uint8_t *to;
    size_t n;
    (void)state;
    open_plain(&w, 4);
    wire_submit(&w, &w);
    cqln_conn_transport_lost(w.conn, CQL_CLOSED, NULL);
    wire_closed(&w, CQL_CLOSED, "connection closed");
    assert_false(cqln_conn_output(w.conn, &p, &n));
    cqln_conn_space(w.conn, &to, &n);
    assert_int_equal(n, 0);
    cqln_conn_commit(w.conn, 10, w.now);
    cqln_conn_tick(w.conn, UINT64_MAX);
    cqln_conn_transport_lost(w.conn, CQL_TIMEOUT, "later");
    cqln_conn_event ev;
    assert_false(cqln_conn_next(w.conn, &ev));
    assert_int_equal(cqln_conn_fault_of(w.conn)->status, CQL_CLOSED);
    wire_fini(&w);
}

static void a_write_that_was_under_way_may_still_be_reported(void **state)
{
    wire_end w;
    const uint8_t *p;
    size_t n;
    (void)state;
    open_plain(&w, 5);
    wire_submit(&w, &w);
    assert_true(cqln_conn_output(w.conn, &p, &n));
    cqln_conn_transport_lost(w.conn, CQL_CLOSED, "reset");
    wire_closed(&w, CQL_CLOSED, "reset");
    assert_int_equal(p[n - 1] ^ p[n - 1], 0); /* the memory is still there */
    cqln_conn_sent(w.conn, n);
    wire_fini(&w);
}

static void free_takes_null_and_any_state(void **state)
{
    wire_end w;
    (void)state;
    cqln_conn_free(NULL);
    wire_init(&w, 4);
    assert_int_equal(cqln_conn_new(&w.config, &w.conn), CQL_OK); /* never started */
    wire_fini(&w);
    wire_init(&w, 4);
    wire_start(&w);
    cqln_conn_start(w.conn, 5); /* a second start changes nothing */
    wire_request(&w, CQLN_OP_OPTIONS);
    assert_true(wire_silent(&w));
    wire_fini(&w);
}

static void a_reason_of_any_length_fits(void **state)
{
    static char reason[5000];
    wire_end w;
    (void)state;
    memset(reason, '\n', sizeof reason - 1);
    open_plain(&w, 4);
    wire_feed(&w, "\x84", 1);
    cqln_conn_transport_lost(w.conn, CQL_CLOSED, reason);
    wire_closed(&w, CQL_CLOSED, "truncated");
    wire_fini(&w);
}

/* --- the log --------------------------------------------------------------------------------- */

static char logged[1200];
static int log_lines;

static void take_line(void *user, cql_log_level level, cql_str text)
{
    (void)user;
    assert_int_equal(level, CQL_LOG_WARN);
    log_lines++;
    snprintf(logged, sizeof logged, "%.*s", (int)text.len, text.ptr);
}

static void nonsense_is_logged_with_its_bytes_but_never_in_a_log_in(void **state)
{
    const cqln_log log = {take_line, NULL, CQL_LOG_WARN};
    wire_end w;
    (void)state;
    wire_init(&w, 4);
    w.config.log = &log;
    wire_open(&w);
    log_lines = 0;
    hex h = hex_bytes("84 00 0001 ff 00000000");
    wire_feed(&w, h.data, h.len);
    wire_closed(&w, CQL_MALFORMED, "opcode ff");
    assert_int_equal(log_lines, 1);
    assert_non_null(strstr(logged, "bytes: 84000001ff00000000"));
    wire_fini(&w);
    wire_init(&w, 4);
    w.config.log = &log;
    w.config.user = "user";
    w.config.password = "secret";
    wire_start(&w);
    respond_supported(&w.say, 4, 0, "4/v4", NULL);
    respond_authenticate(&w.say, 4, 0, "org.apache.cassandra.auth.PasswordAuthenticator");
    wire_say(&w);
    wire_feed(&w, h.data, h.len);
    log_lines = 0;
    wire_closed(&w, CQL_MALFORMED, "opcode ff");
    assert_int_equal(log_lines, 0);
    hex_free(&h);
    wire_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_that_must_not_be),
        cmocka_unit_test(flags_that_mean_nothing_are_ignored),
        cmocka_unit_test(compression_that_was_not_agreed_is_malformed),
        cmocka_unit_test(events_that_nobody_asked_for_are_ignored),
        cmocka_unit_test(events_are_pushed),
        cmocka_unit_test(answers_that_came_whole_are_handed_out_before_the_end),
        cmocka_unit_test(an_answer_that_is_cut_is_told_as_truncated),
        cmocka_unit_test(nothing_goes_in_or_out_after_the_end),
        cmocka_unit_test(a_write_that_was_under_way_may_still_be_reported),
        cmocka_unit_test(free_takes_null_and_any_state),
        cmocka_unit_test(a_reason_of_any_length_fits),
        cmocka_unit_test(nonsense_is_logged_with_its_bytes_but_never_in_a_log_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
