/* Connecting that cannot succeed, over the simulated network: it ends, in time, and says why. And to which node. */
#include "api/options.h"
#include "failmalloc.h"
#include "simio.h"
#include "unit.h"

#include "cluster/cluster.h"

#include <stdio.h>
#include <string.h>

typedef struct world {
    failmalloc memory;
    mockcluster mc;
    simio io;
    cql_options *options;
    cqln_cluster c;
    unsigned calls;
    cql_error *error;
    bool closed;
} world;

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    world *w = user;
    (void)s;
    w->calls++;
    w->error = cql_error_ref(err);
}

static void on_closed(void *user)
{
    ((world *)user)->closed = true;
}

static int begin(void **state)
{
    static world w;
    memset(&w, 0, sizeof w);
    failmalloc_init(&w.memory);
    mockcluster_init(&w.mc, 2);
    simio_init(&w.io, &w.mc, 1);
    *state = &w;
    return cql_options_new(&w.memory.al, &w.options) != CQL_OK ||
           cql_options_set(w.options, "connect_timeout", "300", NULL) != CQL_OK;
}

static void connect_to(world *w, const char *hosts, const char *discovery)
{
    assert_int_equal(cql_options_set_contact_points(w->options, hosts, NULL), CQL_OK);
    assert_int_equal(cql_options_set(w->options, "discovery", discovery, NULL), CQL_OK);
    assert_int_equal(cqln_cluster_init(&w->c, &w->io.io, &w->memory.al, &w->options->config, w),
                     CQL_OK);
    cqln_cluster_connect(&w->c, on_connected, w);
    simio_run(&w->io, w->io.now + 2000);
    assert_int_equal(w->calls, 1);
}

static int end(void **state)
{
    world *w = *state;
    cqln_cluster_close(&w->c, on_closed, w);
    for (int i = 0; i < 100 && !w->closed; i++)
        simio_run(&w->io, w->io.now + 100);
    cql_error_unref(w->error);
    cqln_cluster_fini(&w->c);
    cql_options_free(w->options);
    bool clean = w->closed && w->calls == 1 && w->memory.live == 0;
    simio_fini(&w->io);
    mockcluster_fini(&w->mc);
    return !clean;
}

static void expect_text(const world *w, const char *wanted)
{
    assert_non_null(w->error);
    if (!strstr(cql_error_text(w->error), wanted))
        fail_msg("'%s' lacks '%s'", cql_error_text(w->error), wanted);
}

static void an_unknown_name_ends_the_connect(void **state)
{
    connect_to(*state, "unknown.test", "true");
    expect_text(*state, "unknown.test");
}

static void so_it_does_without_discovery(void **state)
{
    connect_to(*state, "unknown.test", "false");
    expect_text(*state, "unknown.test");
}

static void one_known_name_is_enough(void **state)
{
    world *w = *state;
    connect_to(w, "unknown.test,127.9.0.1", "false");
    assert_null(w->error);
}

static void a_name_of_two_addresses_needs_one_that_answers(void **state)
{
    world *w = *state;
    w->io.hosts[0].down = true;
    connect_to(w, "both.test", "false");
    assert_null(w->error);
    assert_int_equal(w->c.ready_count, 1);
}

static void a_name_that_is_resolved_too_slowly_is_given_up(void **state)
{
    connect_to(*state, "slow.test", "true");
    expect_text(*state, "slow.test: the name was not resolved in time");
}

static void a_slow_name_keeps_nobody_from_a_known_one(void **state)
{
    world *w = *state;
    connect_to(w, "slow.test,127.9.0.1", "true");
    assert_null(w->error);
    simio_run(&w->io, w->io.now + 20000); /* its answer comes to nobody */
}

static void a_look_up_that_cannot_begin_is_named(void **state)
{
    connect_to(*state, "never.test", "true");
    expect_text(*state, "never.test: ");
}

static void a_refused_connection_waited_for_nothing(void **state)
{
    world *w = *state;
    w->io.hosts[0].down = true;
    connect_to(w, "127.9.0.1", "false");
    expect_text(w, "127.9.0.1");
    assert_null(strstr(cql_error_text(w->error), "waiting"));
}

/* A large cluster on a small limit: what to change is said. */
static void tables_that_are_too_large_are_named(void **state)
{
    static const char rows[70000];
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "max_response_bytes", "65536", NULL), CQL_OK);
    w->mc.planned_peers = (cql_str){rows, sizeof rows};
    connect_to(w, "127.9.0.1", "true");
    expect_text(w, "the peers table is larger than the option max_response_bytes allows");
}

static void a_frozen_node_is_given_up_in_time(void **state)
{
    world *w = *state;
    w->io.hosts[0].frozen = true;
    uint64_t began = w->io.now;
    connect_to(w, "127.9.0.1", "false");
    expect_text(w, "within the connect time-out");
    assert_true(w->io.now - began <= 2000);
}

/* What it serves is enough to be connected, however early it ends the others. */
static void a_server_that_takes_few_connections_takes_requests(void **state)
{
    world *w = *state;
    w->io.hosts[0].most = 3; /* one is for control */
    w->mc.nodes[1].member = false;
    assert_int_equal(cql_options_set(w->options, "connections_per_host", "8", NULL), CQL_OK);
    connect_to(w, "127.9.0.1", "true");
    if (w->error)
        fail_msg("%s", cql_error_text(w->error));
    assert_int_equal(cqln_node_find(&w->c, "127.9.0.1:9042")->usable, 2);
}

/* The first requests find all the connections there that a node always has. */
static void connected_means_that_all_connections_are_there(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "connections_per_host", "4", NULL), CQL_OK);
    assert_int_equal(cql_options_set_contact_points(w->options, "127.9.0.1", NULL), CQL_OK);
    assert_int_equal(cqln_cluster_init(&w->c, &w->io.io, &w->memory.al, &w->options->config, w), CQL_OK);
    cqln_cluster_connect(&w->c, on_connected, w);
    while (!w->calls && w->io.now < 3000)
        simio_step(&w->io, 3000);
    assert_int_equal(w->calls, 1);
    assert_null(w->error);
    assert_int_equal(w->c.ready_count, 2);
    for (const cqln_node *n = w->c.nodes; n; n = n->next)
        assert_int_equal(n->usable, 4);
}

/* One node is set up otherwise than the rest, and is the first contact point: it is told, and done without. */
static void one_node_that_wants_a_password_keeps_nobody_out(void **state)
{
    world *w = *state;
    w->mc.nodes[0].want_login = true;
    connect_to(w, "127.9.0.1,127.9.0.2", "true");
    if (w->error)
        fail_msg("%s", cql_error_text(w->error));
    const cqln_node *n = cqln_node_find(&w->c, "127.9.0.1:9042");
    assert_int_equal(n->usable, 0);
    assert_int_equal(n->last_status, CQL_AUTH_FAILED);
    assert_int_equal(cqln_node_find(&w->c, "127.9.0.2:9042")->usable, 1);
}

static void a_wrong_password_is_refused_once(void **state)
{
    world *w = *state;
    w->mc.nodes[0].want_login = true;
    assert_int_equal(cql_options_set_credentials(w->options, "cassandra", "wrong"), CQL_OK);
    connect_to(w, "127.9.0.1", "false");
    expect_text(w, "cassandra");
    assert_null(strstr(cql_error_text(w->error), "wrong"));
    assert_int_equal(w->io.connects, 1);
}

/* The status is the cause that all nodes name, also where it shows behind the log-in alone. */
static void count_line(void *user, cql_log_level level, cql_str line)
{
    unsigned *counts = user;
    if (line.len > 21 && memcmp(line.ptr + line.len - 21, "does not ask for them", 21) == 0)
        counts[level == CQL_LOG_WARN ? 0 : 1]++;
}

/* A server that is open to everybody may be meant to be closed: R151. Once, however often it is connected to. */
static void credentials_that_no_server_wants_are_warned_of_once(void **state)
{
    world *w = *state;
    unsigned counts[2] = {0, 0};
    cql_options_set_log(w->options, count_line, counts, CQL_LOG_TRACE);
    assert_int_equal(cql_options_set_credentials(w->options, "cassandra", "secret"), CQL_OK);
    connect_to(w, "127.9.0.1", "true");
    assert_null(w->error);
    for (int i = 0; i < 4; i++) {
        simio_cut(&w->io, (size_t)i % 2);
        simio_run(&w->io, w->io.now + 5000);
    }
    assert_true(w->io.connects > 6);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 0);
}

/* Where they are wanted there is nothing to warn of. */
static void credentials_that_are_wanted_are_not_warned_of(void **state)
{
    world *w = *state;
    unsigned counts[2] = {0, 0};
    cql_options_set_log(w->options, count_line, counts, CQL_LOG_TRACE);
    w->mc.nodes[0].want_login = w->mc.nodes[1].want_login = true;
    assert_int_equal(cql_options_set_credentials(w->options, "cassandra", "secret"), CQL_OK);
    connect_to(w, "127.9.0.1", "true");
    assert_null(w->error);
    assert_int_equal(counts[0] + counts[1], 0);
}

static void a_keyspace_that_is_not_there_is_said(void **state)
{
    world *w = *state;
    w->mc.nodes[0].error_code = w->mc.nodes[1].error_code = 0x2200;
    assert_int_equal(cql_options_set_keyspace(w->options, "nosuch"), CQL_OK);
    connect_to(w, "127.9.0.1", "true");
    assert_int_equal(cql_error_status(w->error), CQL_SERVER_INVALID);
    expect_text(w, "cannot connect: 127.9.0.");
    expect_text(w, "cannot use keyspace \"nosuch\"");
}

/* --- where the control connections of many sessions are -------------------------------------------- */

enum { SESSIONS = 60, PLACES = 4 };

static size_t place(const world *w)
{
    const cqln_link *link = cqln_control_link(w->c.control);
    for (size_t i = 0; link && i < PLACES; i++)
        if (cqln_address_equal(&link->address, &w->mc.nodes[i].address))
            return i;
    fail_msg("no control connection");
    return 0;
}

/* How many sessions have it on each node, and how many when that one is gone. The last node is of another data centre. */
static void count_places(const char *local_dc, unsigned first[PLACES], unsigned then[PLACES])
{
    memset(first, 0, PLACES * sizeof *first);
    memset(then, 0, PLACES * sizeof *then);
    for (unsigned seed = 0; seed < SESSIONS; seed++) {
        void *state;
        assert_int_equal(begin(&state), 0);
        world *w = state;
        mockcluster_fini(&w->mc);
        mockcluster_init(&w->mc, PLACES);
        snprintf(w->mc.nodes[PLACES - 1].data_center, sizeof w->mc.nodes[0].data_center, "far");
        cqln_rand_seed(&w->io.rand, seed);
        if (local_dc)
            assert_int_equal(cql_options_set(w->options, "local_dc", local_dc, NULL), CQL_OK);
        assert_int_equal(cql_options_set(w->options, "used_hosts_per_remote_dc", "1", NULL), CQL_OK);
        connect_to(w, "127.9.0.1,127.9.0.2,127.9.0.3", "true");
        size_t at = place(w);
        first[at]++;
        w->io.hosts[at].down = true;
        simio_cut(&w->io, at);
        simio_run(&w->io, w->io.now + 1000);
        then[place(w)]++;
        assert_int_equal(end(&state), 0);
    }
}

static void control_connections_are_spread(void **state)
{
    unsigned first[PLACES], then[PLACES];
    (void)state;
    count_places("datacenter1", first, then);
    for (size_t i = 0; i < PLACES - 1; i++) {
        assert_in_range(first[i], SESSIONS / 3 - SESSIONS / 6, SESSIONS / 3 + SESSIONS / 6);
        assert_in_range(then[i], SESSIONS / 3 - SESSIONS / 6, SESSIONS / 3 + SESSIONS / 6);
    }
    assert_int_equal(then[PLACES - 1], 0);
}

/* The data centre is that of the first contact point: their order says something then. */
static void without_a_data_centre_contact_points_are_tried_in_order(void **state)
{
    unsigned first[PLACES], then[PLACES];
    (void)state;
    count_places(NULL, first, then);
    assert_int_equal(first[0], SESSIONS);
    for (size_t i = 1; i < PLACES - 1; i++)
        assert_in_range(then[i], SESSIONS / 2 - SESSIONS / 6, SESSIONS / 2 + SESSIONS / 6);
}

#define CONNECT_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECT_TEST(an_unknown_name_ends_the_connect),
        CONNECT_TEST(so_it_does_without_discovery),
        CONNECT_TEST(one_known_name_is_enough),
        CONNECT_TEST(a_name_of_two_addresses_needs_one_that_answers),
        CONNECT_TEST(a_name_that_is_resolved_too_slowly_is_given_up),
        CONNECT_TEST(a_slow_name_keeps_nobody_from_a_known_one),
        CONNECT_TEST(a_look_up_that_cannot_begin_is_named),
        CONNECT_TEST(a_refused_connection_waited_for_nothing),
        CONNECT_TEST(tables_that_are_too_large_are_named),
        CONNECT_TEST(a_frozen_node_is_given_up_in_time),
        CONNECT_TEST(a_server_that_takes_few_connections_takes_requests),
        CONNECT_TEST(connected_means_that_all_connections_are_there),
        CONNECT_TEST(one_node_that_wants_a_password_keeps_nobody_out),
        CONNECT_TEST(a_wrong_password_is_refused_once),
        CONNECT_TEST(credentials_that_no_server_wants_are_warned_of_once),
        CONNECT_TEST(credentials_that_are_wanted_are_not_warned_of),
        CONNECT_TEST(a_keyspace_that_is_not_there_is_said),
        cmocka_unit_test(control_connections_are_spread),
        cmocka_unit_test(without_a_data_centre_contact_points_are_tried_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
