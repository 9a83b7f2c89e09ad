/* The program's own authenticator: when it is asked, what it may say, and that it hears of the end. */
#include "conn_help.h"

#include <cqlnative/auth.h>

typedef struct script {
    const char *initial;
    const char *reply; /* to every challenge */
    cql_status status; /* of the function that `fails` names */
    int fails;         /* 0: none, 1: initial, 2: challenge, 3: success */
    int challenges;
    int successes;
    int ended;
    char heard[64];
} script;

static cql_status on_initial(void *self, cql_auth *a)
{
    script *s = self;
    assert_true(cql_str_equal(cql_auth_class(a), cql_str_of("org.example.Ticket")));
    assert_true(cql_str_equal(cql_auth_host(a), cql_str_of("10.0.0.1:9042")));
    assert_true(cql_auth_encrypted(a));
    assert_null(cql_auth_state(a));
    cql_auth_set_state(a, s);
    if (s->initial)
        assert_int_equal(cql_auth_respond(a, s->initial, strlen(s->initial)), CQL_OK);
    return s->fails == 1 ? s->status : CQL_OK;
}

static cql_status on_challenge(void *self, cql_auth *a, cql_str token)
{
    script *s = self;
    assert_ptr_equal(cql_auth_state(a), s);
    s->challenges++;
    snprintf(s->heard, sizeof s->heard, "%.*s", (int)token.len, token.len ? token.ptr : "");
    assert_int_equal(cql_auth_respond(a, "thrown away", 11), CQL_OK);
    cql_status st = cql_auth_respond(a, s->reply, strlen(s->reply));
    return s->fails == 2 ? s->status : st;
}

static cql_status on_success(void *self, cql_auth *a, cql_str token)
{
    script *s = self;
    (void)a;
    s->successes++;
    snprintf(s->heard, sizeof s->heard, "%.*s", (int)token.len, token.len ? token.ptr : "");
    return s->fails == 3 ? s->status : CQL_OK;
}

static void on_ended(void *self, cql_auth *a)
{
    script *s = self;
    assert_ptr_equal(cql_auth_state(a), s);
    s->ended++;
}

static cql_authenticator table(script *s)
{
    return (cql_authenticator){sizeof(cql_authenticator), s, on_initial, on_challenge, on_success,
                               on_ended};
}

/* Up to where the server asks; the authenticator was called. */
static void begin(wire_end *w, const cql_authenticator *a, uint8_t version)
{
    wire_init(w, version);
    w->config.authenticator = a;
    w->config.auth_allowed = true;
    w->config.encrypted = true;
    w->config.host = cql_str_of("10.0.0.1:9042");
    wire_ask_for_password(w, "org.example.Ticket");
}

static void expect_token(wire_end *w, const char *text)
{
    heard_request r = wire_request(w, CQLN_OP_AUTH_RESPONSE);
    assert_hex(r.body, r.frame.length, text);
}

static void tokens_go_to_and_fro(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        script s = {.initial = "hi", .reply = "yes"};
        const cql_authenticator a = table(&s);
        wire_end w;
        begin(&w, &a, version);
        wire_no_event(&w);
        w.framed = version == 5;
        if (version == 4) { /* before the switch to segments nothing was taken off the wire */
            wire_request(&w, CQLN_OP_OPTIONS);
            wire_request(&w, CQLN_OP_STARTUP);
            expect_token(&w, "00000002 6869");
        }
        respond_auth_challenge(&w.say, version, 0, "who?");
        wire_say(&w);
        wire_no_event(&w);
        assert_string_equal(s.heard, "who?");
        if (version == 4)
            expect_token(&w, "00000003 796573");
        assert_int_equal(s.ended, 0);
        respond_auth_success(&w.say, version, 0, "bye");
        wire_say(&w);
        wire_event(&w, CQLN_CONN_EV_READY);
        assert_string_equal(s.heard, "bye");
        assert_int_equal(s.successes, 1);
        assert_int_equal(s.ended, 1);
        wire_fini(&w);
        assert_int_equal(s.ended, 1);
    }
}

static void an_empty_token_is_one_too(void **state)
{
    script s = {.reply = ""};
    const cql_authenticator a = table(&s);
    wire_end w;
    (void)state;
    begin(&w, &a, 4);
    wire_no_event(&w);
    wire_request(&w, CQLN_OP_OPTIONS);
    wire_request(&w, CQLN_OP_STARTUP);
    expect_token(&w, "00000000");
    wire_fini(&w);
    assert_int_equal(s.ended, 1); /* also where the connection ends first */
}

static void it_can_give_up_at_every_step(void **state)
{
    (void)state;
    for (int step = 1; step <= 3; step++) {
        script s = {.initial = "a", .reply = "b", .fails = step, .status = CQL_NOT_FOUND};
        const cql_authenticator a = table(&s);
        wire_end w;
        begin(&w, &a, 4);
        if (step > 1) {
            wire_no_event(&w);
            respond_auth_challenge(&w.say, 4, 0, "x");
            wire_say(&w);
        }
        if (step > 2) {
            wire_no_event(&w);
            respond_auth_success(&w.say, 4, 0, NULL);
            wire_say(&w);
        }
        wire_closed(&w, CQL_AUTH_FAILED,
                    step == 3 ? "authenticator refused the server: not found"
                              : "authenticator gave up: not found");
        wire_fini(&w);
        assert_int_equal(s.ended, 1);
    }
}

static void it_is_not_asked_where_secrets_must_not_go(void **state)
{
    script s = {.initial = "a"};
    const cql_authenticator a = table(&s);
    wire_end w;
    (void)state;
    wire_init(&w, 4);
    w.config.authenticator = &a;
    w.config.auth_allowed = false;
    wire_ask_for_password(&w, "org.example.Ticket");
    wire_closed(&w, CQL_AUTH_FAILED, "use TLS (tls=verify-full)");
    wire_fini(&w);
    assert_int_equal(s.ended, 0);
}

static void challenges_are_bounded_and_refusals_told(void **state)
{
    script s = {.initial = "a", .reply = "b"};
    cql_authenticator a = table(&s);
    wire_end w;
    (void)state;
    begin(&w, &a, 4);
    for (int i = 0; i < 17; i++) {
        wire_no_event(&w);
        respond_auth_challenge(&w.say, 4, 0, "again");
        wire_say(&w);
    }
    wire_closed(&w, CQL_AUTH_FAILED, "more than 16 challenges");
    wire_fini(&w);
    assert_int_equal(s.challenges, 16);

    begin(&w, &a, 4);
    respond_error(&w.say, 4, 0, 0x100, "no such ticket", NULL, 0);
    wire_say(&w);
    wire_closed(&w, CQL_SERVER_BAD_CREDENTIALS,
                "the server refused the program's authenticator: no such ticket");
    wire_fini(&w);

    a.challenge = NULL;
    begin(&w, &a, 4);
    respond_auth_challenge(&w.say, 4, 0, "why?");
    wire_say(&w);
    wire_closed(&w, CQL_AUTH_FAILED, "which the program's authenticator does not answer");
    wire_fini(&w);
}

static void more_classes_can_get_the_password(void **state)
{
    static const struct {
        const char *names;
        bool good;
    } cases[] = {{"org.example.Ticket", true},      {"a, org.example.Ticket ,b", true},
                 {" org.example.Ticket", true},     {"org.example", false},
                 {"org.example.TicketOffice", false}, {",,", false}, {"", false}};
    wire_end w;
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        wire_with(&w, 4, WITH_AUTH);
        w.config.auth_classes = cases[i].names;
        wire_ask_for_password(&w, "org.example.Ticket");
        if (cases[i].good)
            wire_no_event(&w);
        else
            wire_closed(&w, CQL_AUTH_FAILED, "the option auth_classes can name it");
        wire_fini(&w);
    }
}

static cql_status copy_initial(void *self, cql_auth *a)
{
    (void)self;
    return cql_auth_respond(a, "token", 5);
}

static cql_status log_in(const cql_allocator *al, void *user)
{
    static const cql_authenticator a = {sizeof a, NULL, copy_initial, NULL, NULL, NULL};
    cqln_conn_config config = *(const cqln_conn_config *)user;
    config.authenticator = &a;
    cqln_conn *c = NULL;
    cqln_conn_event ev;
    config.al = al;
    cql_status st = cqln_conn_new(&config, &c);
    if (st)
        return st;
    cqln_writer say;
    cqln_writer_init(&say, cqln_alloc_default(), SIZE_MAX);
    respond_supported(&say, 4, 0, "4/v4", NULL);
    respond_authenticate(&say, 4, 0, "org.example.Ticket");
    cqln_conn_start(c, 1);
    uint8_t *ptr;
    size_t cap;
    cqln_conn_space(c, &ptr, &cap);
    assert_true(cap == 0 || cap >= say.len); /* 0: there was no memory to begin with */
    if (cap)
        memcpy(ptr, say.data, say.len);
    cqln_conn_commit(c, cap ? say.len : 0, 1);
    while (cqln_conn_next(c, &ev))
        st = cqln_conn_fault_of(c)->status;
    cqln_writer_fini(&say);
    cqln_conn_free(c);
    return st;
}

static void memory_that_fails_is_told(void **state)
{
    wire_end w;
    (void)state;
    wire_init(&w, 4);
    w.config.auth_allowed = true;
    w.config.read_buffer = 4096;
    assert_true(failmalloc_each(log_in, &w.config, false) > 4);
    wire_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_go_to_and_fro),
        cmocka_unit_test(an_empty_token_is_one_too),
        cmocka_unit_test(it_can_give_up_at_every_step),
        cmocka_unit_test(it_is_not_asked_where_secrets_must_not_go),
        cmocka_unit_test(challenges_are_bounded_and_refusals_told),
        cmocka_unit_test(more_classes_can_get_the_password),
        cmocka_unit_test(memory_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
