/* Handshakes: every way to open a connection, and every way in which that fails. */
#include "conn_help.h"

#include <string.h>

enum { WITH_LZ4 = 1, WITH_AUTH = 2, WITH_EVENTS = 4, WITH_KEYSPACE = 8, COMBINATIONS = 16 };

static void set_up(wire_end *w, uint8_t version, int with)
{
    wire_init(w, version);
    w->config.lz4 = with & WITH_LZ4;
    w->server_lz4 = with & WITH_LZ4;
    if (with & WITH_AUTH) {
        w->config.user = "user";
        w->config.password = "secret";
    }
    if (with & WITH_EVENTS)
        w->config.event_kinds = CQLN_EVENT_SCHEMA | CQLN_EVENT_STATUS;
    if (with & WITH_KEYSPACE)
        w->config.keyspace = cql_str_of("ks");
}

static void opens_in_every_combination_and_step(void **state)
{
    static const size_t steps[] = {0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 17, 64};
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        for (int with = 0; with < COMBINATIONS; with++) {
            for (size_t i = 0; i < CQL_COUNT(steps); i++) {
                wire_end w;
                set_up(&w, version, with);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_in_every_combination_and_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
