/* Log-in: who gets the password, in which words it is refused, and that no copy of it stays. */
#include "conn_help.h"

static const char dse_authenticator[] = "com.datastax.bdp.cassandra.auth.DseAuthenticator";

static void a_password_that_is_missing_is_asked_for(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 5);
    wire_ask_for_password(&w, wire_password_authenticator);
    wire_closed(&w, CQL_AUTH_FAILED, "authentication is required by the server");
    wire_fini(&w);
}

static void a_password_is_not_sent_where_it_must_not(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 5, WITH_AUTH);
    w.config.auth_allowed = false;
    wire_ask_for_password(&w, wire_password_authenticator);
    wire_closed(&w, CQL_AUTH_FAILED, "not sent over an unencrypted connection");
    wire_fini(&w);
    wire_with(&w, 4, WITH_AUTH);
    wire_ask_for_password(&w, "org.example.Give\x1bMe");
    wire_closed(&w, CQL_AUTH_FAILED, "org.example.Give\\x1bMe is not known");
    wire_fini(&w);
    wire_with(&w, 4, WITH_AUTH);
    wire_ask_for_password(&w, "");
    wire_closed(&w, CQL_AUTH_FAILED, "nothing was sent");
    wire_fini(&w);
}

static void wrong_password(wire_end *w, uint32_t code, const char *text, cql_status status,
                           const char *words)
{
    wire_with(w, 5, WITH_AUTH);
    wire_ask_for_password(w, wire_password_authenticator);
    wire_no_event(w);
    w->framed = true;
    respond_error(&w->say, 5, 0, code, text, NULL, 0);
    wire_say(w);
    wire_closed(w, status, words);
    assert_null(strstr(cqln_conn_fault_of(w->conn)->detail, "secret"));
    wire_fini(w);
}

static void a_wrong_password_names_the_user_only(void **state)
{
    wire_end w;
    (void)state;
    wrong_password(&w, 0x100, "Provided username user and/or password are incorrect",
                   CQL_SERVER_BAD_CREDENTIALS, "the server refused user \"user\" (error 0x0100): Provided");
    wrong_password(&w, 0x100, "no, secret is wrong", CQL_SERVER_BAD_CREDENTIALS,
                   "its text is not shown");
    wrong_password(&w, 0x100, "wrong: secret", CQL_SERVER_BAD_CREDENTIALS, "its text is not shown");
    wrong_password(&w, 0x100, "secret", CQL_SERVER_BAD_CREDENTIALS, "its text is not shown");
    wrong_password(&w, 0x1001, "busy", CQL_SERVER_OVERLOADED,
                   "log-in of user \"user\" failed: busy");
}

static void dse_wants_the_mechanism_first(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 4, WITH_AUTH);
    wire_ask_for_password(&w, dse_authenticator);
    wire_no_event(&w);
    wire_request(&w, CQLN_OP_OPTIONS);
    wire_request(&w, CQLN_OP_STARTUP);
    heard_request r = wire_request(&w, CQLN_OP_AUTH_RESPONSE);
    assert_hex(r.body, r.frame.length, "00000005 504c41494e"); /* PLAIN */
    respond_auth_challenge(&w.say, 4, 0, "PLAIN-START");
    wire_say(&w);
    wire_no_event(&w);
    r = wire_request(&w, CQLN_OP_AUTH_RESPONSE);
    assert_hex(r.body, r.frame.length, "0000000c 00 75736572 00 736563726574");
    respond_auth_success(&w.say, 4, 0, "token");
    wire_say(&w);
    wire_event(&w, CQLN_CONN_EV_READY);
    wire_fini(&w);
    wire_with(&w, 4, WITH_AUTH);
    wire_ask_for_password(&w, dse_authenticator);
    respond_auth_challenge(&w.say, 4, 0, "GSSAPI-START");
    wire_say(&w);
    wire_closed(&w, CQL_AUTH_FAILED, "does not offer a password");
    wire_fini(&w);
}

static void challenges_come_to_an_end(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 4, WITH_AUTH);
    wire_ask_for_password(&w, wire_password_authenticator);
    wire_no_event(&w);
    for (int i = 0; i < 16; i++) {
        respond_auth_challenge(&w.say, 4, 0, i % 2 ? "again" : NULL);
        wire_say(&w);
        wire_no_event(&w);
    }
    respond_auth_challenge(&w.say, 4, 0, "again");
    wire_say(&w);
    wire_closed(&w, CQL_AUTH_FAILED, "more than 16 challenges");
    wire_fini(&w);
}

static void credentials_that_nobody_asks_for_are_kept(void **state)
{
    wire_end w;
    (void)state;
    wire_with(&w, 4, WITH_AUTH);
    wire_start(&w);
    respond_supported(&w.say, 4, 0, "4/v4", NULL);
    respond_ready(&w.say, 4, 0);
    wire_say(&w);
    wire_event(&w, CQLN_CONN_EV_READY);
    wire_fini(&w);
}

/* An allocator that looks for the password in every block that is given back. */
typedef struct spy {
    cql_allocator al;
    int found;
} spy;

typedef union spy_block {
    size_t size;
    max_align_t align;
} spy_block;

static void spy_look(spy *s, const spy_block *b)
{
    const char *p = (const char *)(b + 1);
    for (size_t i = 0; i + 6 <= b->size; i++)
        s->found += memcmp(p + i, "secret", 6) == 0;
}

static void *spy_malloc(void *context, size_t size)
{
    (void)context;
    spy_block *b = calloc(1, sizeof *b + size);
    if (!b)
        return NULL;
    b->size = size;
    return b + 1;
}

static void spy_free(void *context, void *block)
{
    if (!block)
        return;
    spy_block *b = (spy_block *)block - 1;
    spy_look(context, b);
    free(b);
}

static void *spy_realloc(void *context, void *block, size_t size)
{
    spy_block *to = spy_malloc(context, size);
    if (!to || !block)
        return to;
    const spy_block *from = (const spy_block *)block - 1;
    memcpy(to, block, from->size < size ? from->size : size);
    spy_free(context, block);
    return to;
}

static void no_copy_of_the_password_is_given_back(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        spy s = {.al = {&s, spy_malloc, spy_realloc, spy_free}};
        wire_end w;
        wire_with(&w, i & 1 ? 5 : 4, WITH_AUTH | WITH_KEYSPACE | (i & 2 ? WITH_LZ4 : 0));
        w.config.al = &s.al;
        if (i & 4) {
            wire_ask_for_password(&w, wire_password_authenticator);
            wire_no_event(&w); /* the password is queued, and nobody ever writes it */
        } else {
            wire_open(&w);
            for (int k = 0; k < 50; k++)
                wire_submit(&w, &w);
        }
        wire_fini(&w);
        assert_int_equal(s.found, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_that_is_missing_is_asked_for),
        cmocka_unit_test(a_password_is_not_sent_where_it_must_not),
        cmocka_unit_test(a_wrong_password_names_the_user_only),
        cmocka_unit_test(dse_wants_the_mechanism_first),
        cmocka_unit_test(challenges_come_to_an_end),
        cmocka_unit_test(credentials_that_nobody_asks_for_are_kept),
        cmocka_unit_test(no_copy_of_the_password_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
