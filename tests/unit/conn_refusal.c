/* Versions that are refused or not offered, and servers that are none. */
#include "conn_help.h"

/* --- versions -------------------------------------------------------------------------------- */

typedef struct refusal_row {
    uint8_t ours;
    uint8_t header;
    uint32_t code;
    const char *text;
    uint8_t server_version;
} refusal_row;

static const refusal_row refusals[] = {
    {5, 4, 0x0a,
     "Invalid or unsupported protocol version (5); supported versions are (3/v3, 4/v4, 5/v5-beta)",
     4},
    {5, 5, 0x0a,
     "Invalid or unsupported protocol version (5); supported versions are (3/v3, 4/v4, 5/v5-beta)",
     4},
    {5, 4, 0x0a,
     "Invalid or unsupported protocol version (5); the lowest supported version is 3 and the "
     "greatest is 4",
     4},
    {5, 3, 0x0a, "Invalid or unsupported protocol version: 5", 3},
    {4, 3, 0x00, "io.netty: Invalid or unsupported protocol version: 4", 3},
    {4, 2, 0x00, "Invalid or unsupported protocol version: 4", 2},
    {5, 5, 0x0a, "Beta version of the protocol used (5/v5-beta), but USE_BETA flag is unset", 0},
    {4, 6, 0x0a,
     "Invalid or unsupported protocol version (4); supported versions are (5/v5, 6/v6, 7/v7-beta)",
     6},
    {4, 5, 0x0a, "Invalid or unsupported protocol version (4); supported versions are ()", 0},
    {4, 5, 0x0a, "Invalid or unsupported protocol version (4); supported versions are (", 0},
    {5, 4, 0x0a, "Invalid or unsupported protocol version", 4},
};

static void refused_versions_are_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * CQL_COUNT(refusals); i++) {
        const refusal_row *r = &refusals[i / 2];
        wire_end w;
        wire_init(&w, r->ours);
        w.step = i % 2;
        wire_start(&w);
        wire_request(&w, CQLN_OP_OPTIONS);
        respond_error(&w.say, r->header, 0, r->code, r->text, NULL, 0);
        wire_say(&w);
        wire_closed(&w, CQL_BAD_VERSION, "refused protocol version");
        assert_int_equal(cqln_conn_fault_of(w.conn)->server_version, r->server_version);
        wire_fini(&w);
    }
}

static void a_version_refused_at_startup_counts_too(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 5);
    wire_start(&w);
    respond_supported(&w.say, 5, 0, NULL, NULL);
    wire_say(&w);
    wire_no_event(&w);
    respond_error(&w.say, 4, 0, 0x0a, refusals[0].text, NULL, 0);
    wire_say(&w);
    wire_closed(&w, CQL_BAD_VERSION, "5/v5-beta");
    wire_fini(&w);
}

static void other_errors_are_no_refusal_of_the_version(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 5);
    wire_start(&w);
    respond_error(&w.say, 5, 0, 0x1002, "Invalid or unsupported protocol version", NULL, 0);
    wire_say(&w);
    wire_closed(&w, CQL_SERVER_IS_BOOTSTRAPPING, "the server refused the connection");
    wire_fini(&w);
    wire_init(&w, 5);
    wire_start(&w);
    respond_error(&w.say, 5, 0, 0x0a, "no such thing", NULL, 0);
    wire_say(&w);
    wire_closed(&w, CQL_SERVER_PROTOCOL_ERROR, "no such thing");
    wire_fini(&w);
}

static void a_version_that_is_not_offered_is_not_tried(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 5, 0);
    wire_start(&w);
    wire_request(&w, CQLN_OP_OPTIONS);
    respond_supported(&w.say, 5, 0, "3/v3,4/v4,5/v5-beta", "lz4");
    wire_say(&w);
    wire_closed(&w, CQL_BAD_VERSION, "it offers: 3, 4");
    assert_int_equal(cqln_conn_fault_of(w.conn)->server_version, 4);
    const uint8_t *p;
    size_t n;
    assert_false(cqln_conn_output(w.conn, &p, &n)); /* no STARTUP */
    wire_fini(&w);
    wire_with(&w, 4, 0);
    wire_start(&w);
    respond_supported(&w.say, 4, 0, "6/v6-beta", "lz4");
    wire_say(&w);
    wire_closed(&w, CQL_BAD_VERSION, "none that is final");
    assert_int_equal(cqln_conn_fault_of(w.conn)->server_version, 0);
    wire_fini(&w);
}

/* --- servers that are none ------------------------------------------------------------------- */

static void other_protocols_are_told_from_ours(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *words;
    } servers[] = {
        {"HTTP/1.1 400 Bad Request\r\n", 26, "sent \"HTTP/1.1 400 Bad\""},
        {"H", 1, "does not speak the CQL protocol"},
        {"\x15\x03\x03\x00\x02\x02\x32", 7, "looks like TLS"},
        {"SSH-2.0-OpenSSH_9.2\r\n", 21, "sent \"SSH-2.0-OpenSSH_\""},
        {"\0\0\0\0", 4, "\\x00"},
    };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(servers); i++) {
        wire_end w;
        wire_init(&w, 5);
        w.step = 1;
        wire_start(&w);
        for (size_t at = 0; at < servers[i].n && i != 0 && i != 3; at++)
            wire_feed(&w, servers[i].bytes + at, 1);
        w.step = 0;
        if (i == 0 || i == 3)
            wire_feed(&w, servers[i].bytes, servers[i].n);
        wire_closed(&w, CQL_MALFORMED, servers[i].words);
        wire_fini(&w);
    }
}

static void an_answer_of_another_version_is_malformed(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 5);
    wire_start(&w);
    respond_supported(&w.say, 4, 0, "4/v4", NULL);
    wire_say(&w);
    wire_closed(&w, CQL_MALFORMED, "protocol version 4 on a connection of version 5");
    wire_fini(&w);
}

static void segments_before_the_switch_are_malformed(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 5);
    wire_start(&w);
    respond_supported(&w.say, 5, 0, "5/v5", NULL);
    wire_say(&w);
    wire_no_event(&w);
    w.framed = true; /* too early */
    respond_ready(&w.say, 5, 0);
    wire_say(&w);
    wire_closed(&w, CQL_MALFORMED, "version byte 09");
    wire_fini(&w);
}

static void envelopes_behind_the_switch_are_not_read_as_such(void **state)
{
    for (int auth = 0; auth < 2; auth++) {
        wire_end w;
        (void)state;
        wire_with(&w, 5, auth ? WITH_AUTH : 0);
        wire_start(&w);
        respond_supported(&w.say, 5, 0, "5/v5", NULL);
        if (auth)
            respond_authenticate(&w.say, 5, 0, "org.apache.cassandra.auth.PasswordAuthenticator");
        else
            respond_ready(&w.say, 5, 0);
        respond_auth_success(&w.say, 5, 0, NULL); /* raw: the server forgot to switch */
        wire_say(&w);
        if (!auth)
            wire_event(&w, CQLN_CONN_EV_READY);
        wire_closed(&w, CQL_BAD_CHECKSUM, "the checksum of its header is wrong");
        wire_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_versions_are_recognised),
        cmocka_unit_test(a_version_refused_at_startup_counts_too),
        cmocka_unit_test(other_errors_are_no_refusal_of_the_version),
        cmocka_unit_test(a_version_that_is_not_offered_is_not_tried),
        cmocka_unit_test(other_protocols_are_told_from_ours),
        cmocka_unit_test(an_answer_of_another_version_is_malformed),
        cmocka_unit_test(segments_before_the_switch_are_malformed),
        cmocka_unit_test(envelopes_behind_the_switch_are_not_read_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
