/* Requests over simulated nodes with tokens: each goes to a replica of its key while one is up, spread over
 * them; placement follows the cluster; policies and lists of the program are obeyed. Time and network are
 * those of simio.c: nothing here depends on the machine. */
#include "unit.h"

#include "api/options.h"
#include "api/routing.h"
#include "api/statement.h"
#include "simio.h"

#include "base/error.h"
#include "cluster/quick.h"

enum { NODES = 6, KEYS = 600 };

typedef struct world {
    failmalloc memory;
    mockcluster mc;
    simio io;
    cql_options *options;
    cqln_cluster c;
    cql_prepared *select;
    cql_prepared *insert;
    char connect_error[300];
    char error[300]; /* the last */
    bool connected, closed;
    unsigned answers, errors;
    cql_status last;
} world;

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    world *w = user;
    (void)s;
    w->connected = !err;
    if (err)
        snprintf(w->connect_error, sizeof w->connect_error, "%s", cql_error_text(err));
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *p, void *user)
{
    (void)s;
    (void)err;
    *(cql_prepared **)user = cql_prepared_ref(p);
}

static void on_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    world *w = user;
    (void)s;
    (void)res;
    w->answers += !err;
    w->errors += err != NULL;
    w->last = err ? cql_error_status(err) : CQL_OK;
    snprintf(w->error, sizeof w->error, "%s", err ? cql_error_text(err) : "");
}

static void make(world *w, size_t nodes)
{
    memset(w, 0, sizeof *w);
    failmalloc_init(&w->memory);
    mockcluster_init(&w->mc, nodes);
    simio_init(&w->io, &w->mc, 7);
    w->io.max_delay = 2;
    w->io.max_chunk = 100000;
    w->io.send_room = 100000;
    assert_int_equal(cql_options_new(&w->memory.al, &w->options), CQL_OK);
    cql_options_set_contact_points(w->options, "127.9.0.1", NULL);
}

static void set(world *w, const char *name, const char *value)
{
    assert_int_equal(cql_options_set(w->options, name, value, NULL), CQL_OK);
}

static void prepare(world *w, const char *cql, cql_prepared **out)
{
    cqln_request *req;
    assert_int_equal(cqln_request_begin(&w->c, &req), CQL_OK);
    cql_str text = cql_str_of(cql);
    cqln_encode_prepare(&req->env, (uint8_t)w->c.version, text, (cql_str){NULL, 0});
    req->is_prepare = true;
    req->cb.prepared = on_prepared;
    req->user = out;
    req->cql = (cql_str){(const char *)req->env.data + CQLN_FRAME_HEADER + 4, text.len};
    cqln_request_start(req);
    simio_run(&w->io, w->io.now + 500);
    assert_non_null(*out);
}

static void start(world *w)
{
    assert_int_equal(
        cqln_cluster_init(&w->c, &w->io.io, &w->memory.al, &w->options->config, w), CQL_OK);
    cqln_cluster_connect(&w->c, on_connected, w);
    simio_run(&w->io, w->io.now + 8000);
}

static void start_and_prepare(world *w)
{
    start(w);
    assert_string_equal(w->connect_error, "");
    assert_true(w->connected);
    prepare(w, "SELECT v FROM by_key WHERE echo = ?", &w->select);
    prepare(w, "INSERT INTO by_key (v) VALUES (?) IF NOT EXISTS", &w->insert);
}

static void on_closed(void *user)
{
    ((world *)user)->closed = true;
}

static void end(world *w)
{
    cqln_cluster_close(&w->c, on_closed, w);
    simio_run(&w->io, w->io.now + 10000);
    assert_true(w->closed);
    cql_prepared_unref(w->select);
    cql_prepared_unref(w->insert);
    cqln_cluster_fini(&w->c);
    cql_options_free(w->options);
    assert_int_equal(w->memory.live, 0);
    simio_fini(&w->io);
    mockcluster_fini(&w->mc);
}

/* --- who must have a key, found another way: the tokens of the mock are in order -------------------- */

static size_t owner_of(const world *w, uint32_t key)
{
    uint8_t bytes[4];
    cqln_store_u32(bytes, key);
    int64_t token = cqln_murmur3(bytes, 4);
    for (size_t i = 0; i < w->mc.count; i++)
        if (token <= strtoll(w->mc.nodes[i].token, NULL, 10))
            return i;
    return 0;
}

static void count_before(const world *w, uint64_t before[MOCK_NODES])
{
    for (size_t i = 0; i < MOCK_NODES; i++)
        before[i] = w->mc.nodes[i].requests;
}

static size_t one_that_got_it(const world *w, const uint64_t before[MOCK_NODES])
{
    size_t found = MOCK_NODES;
    uint64_t sum = 0;
    for (size_t i = 0; i < MOCK_NODES; i++) {
        if (w->mc.nodes[i].requests > before[i])
            found = i;
        sum += w->mc.nodes[i].requests - before[i];
    }
    assert_int_equal(sum, 1);
    return found;
}

static void run_statement(world *w, const cql_statement *st)
{
    cqln_request *req;
    unsigned before = w->answers + w->errors;
    assert_int_equal(cqln_request_begin(&w->c, &req), CQL_OK);
    assert_int_equal(cqln_encode_statement(&w->c, st, req), CQL_OK);
    req->cb.result = on_result;
    req->user = w;
    cqln_request_start(req);
    simio_run(&w->io, w->io.now + 10);
    assert_int_equal(w->answers + w->errors, before + 1);
}

/* The node that answered the request with that key. */
static size_t ask(world *w, const cql_prepared *p, uint32_t key)
{
    uint64_t before[MOCK_NODES];
    cql_statement *st = cql_prepared_bind(p);
    cql_statement_bind_int32(st, 0, (int32_t)key);
    count_before(w, before);
    run_statement(w, st);
    cql_statement_free(st);
    return one_that_got_it(w, before);
}

/* How far behind the owner it stands on the ring. */
static size_t rank(const world *w, uint32_t key, size_t node)
{
    return (node + w->mc.count - owner_of(w, key)) % w->mc.count;
}

/* --- tests ---------------------------------------------------------------------------------------- */

static void requests_go_to_replicas_evenly(void **state)
{
    (void)state;
    static const char *const choices[] = {"least_busy", "shuffle"};
    for (size_t k = 0; k < 2; k++) {
        world w;
        unsigned by_rank[3] = {0};
        make(&w, NODES);
        set(&w, "replica_choice", choices[k]);
        w.mc.replication = "class=SimpleStrategy replication_factor=3";
        start_and_prepare(&w);
        for (uint32_t key = 0; key < KEYS; key++) {
            size_t at = rank(&w, key, ask(&w, w.select, key));
            assert_true(at < 3);
            by_rank[at]++;
        }
        for (size_t i = 0; i < 3; i++)
            assert_in_range(by_rank[i], KEYS / 3 - KEYS / 10, KEYS / 3 + KEYS / 10);
        end(&w);
    }
}

static void conditional_statements_go_to_the_owner(void **state)
{
    (void)state;
    world w;
    make(&w, NODES);
    start_and_prepare(&w);
    for (uint32_t key = 0; key < 100; key++)
        assert_int_equal(rank(&w, key, ask(&w, w.insert, key)), 0);
    cql_statement *st = cql_prepared_bind(w.select); /* and so do reads at a serial level */
    cql_statement_set_consistency(st, CQL_CONSISTENCY_SERIAL);
    for (uint32_t key = 0; key < 50; key++) {
        uint64_t before[MOCK_NODES];
        cql_statement_bind_int32(st, 0, (int32_t)key);
        count_before(&w, before);
        run_statement(&w, st);
        assert_int_equal(rank(&w, key, one_that_got_it(&w, before)), 0);
    }
    cql_statement_free(st);
    end(&w);
}

static void without_token_awareness_nodes_take_turns(void **state)
{
    (void)state;
    world w;
    unsigned count[MOCK_NODES] = {0};
    make(&w, NODES);
    set(&w, "token_aware", "false");
    start_and_prepare(&w);
    for (uint32_t key = 0; key < KEYS; key++)
        count[ask(&w, w.select, 5)]++;
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(count[i], KEYS / NODES);
    end(&w);
}

static void an_unreadable_keyspace_table_costs_no_request(void **state)
{
    (void)state;
    static const char *const maps[] = {NULL, "class=OwnStrategy x=1", "class=SimpleStrategy",
                                       "class=SimpleStrategy replication_factor=0", ""};
    for (size_t i = 0; i < CQL_COUNT(maps); i++) {
        world w;
        make(&w, 3);
        w.mc.replication = maps[i];
        if (i == 4)
            snprintf(w.mc.nodes[1].token, sizeof w.mc.nodes[1].token, "no token");
        start_and_prepare(&w);
        for (uint32_t key = 0; key < 30; key++)
            ask(&w, w.select, key);
        assert_int_equal(w.errors, 0);
        end(&w);
    }
}

static void a_replica_that_is_down_leaves_its_share_to_the_others(void **state)
{
    (void)state;
    world w;
    unsigned by_rank[3] = {0};
    make(&w, NODES);
    w.mc.replication = "class=SimpleStrategy replication_factor=3";
    start_and_prepare(&w);
    w.io.hosts[2].down = true;
    simio_cut(&w.io, 2);
    simio_run(&w.io, w.io.now + 100);
    for (uint32_t key = 0; key < KEYS; key++) {
        if (owner_of(&w, key) != 2)
            continue;
        size_t at = rank(&w, key, ask(&w, w.select, key));
        assert_in_range(at, 1, 2);
        by_rank[at]++;
    }
    assert_true(by_rank[1] > by_rank[2] / 2 && by_rank[2] > by_rank[1] / 2);
    assert_int_equal(w.errors, 0);
    end(&w);
}

/* Replicas are read at the two numbers without another look. Each is the first of two as often as any, and each two are
 * drawn together. */
static void two_draws_are_below_their_bound_and_differ(void **state)
{
    (void)state;
    uint64_t ends[] = {0, 1, 0xffffffff, 0xffffffff00000000u, UINT64_MAX};
    cqln_router r = {.random = 7};
    for (uint32_t count = 1; count <= 9; count++) {
        unsigned seen[9][9] = {{0}}, first[9] = {0};
        for (uint32_t i = 0; i < 20000; i++) {
            uint32_t a, b;
            cqln_draw_two(i < CQL_COUNT(ends) ? ends[i] : cqln_router_draw(&r), count, &a, &b);
            assert_true(a < count && b < count);
            assert_true(a != b || count == 1);
            first[a]++;
            seen[a][b]++;
        }
        for (uint32_t a = 0; a < count; a++) {
            assert_true(first[a] > 18000 / count && first[a] < 22000 / count);
            for (uint32_t b = 0; b < count; b++)
                assert_true(a == b || seen[a][b] + seen[b][a] > 36000 / (count * (count - 1)));
        }
    }
}

static void two_replicas_are_drawn_as_two_numbers_are(void **state)
{
    (void)state;
    cqln_router r = {.random = 7};
    for (uint16_t count = 1; count <= 5; count++) {
        uint16_t near[7] = {count, 10, 11, 12, 13, 14, 0};
        unsigned seen[5][5] = {{0}};
        near[count + 1] = near[1];
        for (uint32_t i = 0; i < 20000; i++) {
            uint32_t a, b;
            cqln_draw_near(cqln_router_draw(&r), near, &a, &b);
            assert_true(a >= 10 && a < 10u + count && b >= 10 && b < 10u + count);
            assert_true(a != b || count == 1);
            seen[a - 10][b - 10]++;
        }
        for (uint32_t a = 0; a < count; a++)
            for (uint32_t b = 0; b < a; b++)
                assert_true(seen[a][b] + seen[b][a] > 36000u / (count * (count - 1u)));
    }
}

/* The one connection that all requests take without a choice comes and goes with the other nodes. */
static void a_node_that_is_alone_is_found_at_once(void **state)
{
    (void)state;
    world w;
    make(&w, 3);
    start_and_prepare(&w);
    assert_null(w.c.router.lone);
    for (size_t i = 1; i < 3; i++) {
        w.io.hosts[i].down = true;
        simio_cut(&w.io, i);
    }
    simio_run(&w.io, w.io.now + 100);
    assert_non_null(w.c.router.lone);
    for (uint32_t key = 0; key < 30; key++)
        assert_int_equal(ask(&w, w.select, key), 0);
    w.io.hosts[1].down = false;
    simio_run(&w.io, w.io.now + 120000);
    assert_null(w.c.router.lone);
    simio_cut(&w.io, 0);
    w.io.hosts[0].down = true;
    simio_run(&w.io, w.io.now + 100);
    for (uint32_t key = 0; key < 30; key++)
        assert_int_equal(ask(&w, w.select, key), 1);
    assert_int_equal(w.errors, 0);
    end(&w);
}

static bool makes_token(world *w)
{
    cqln_request *req;
    cql_statement *st = cql_prepared_bind(w->select);
    cql_statement_bind_int32(st, 0, 1);
    assert_int_equal(cqln_request_begin(&w->c, &req), CQL_OK);
    assert_int_equal(cqln_encode_statement(&w->c, st, req), CQL_OK);
    bool made = req->route.has_token;
    cqln_request_abandon(req);
    cql_statement_free(st);
    return made;
}

static void tokens_are_made_where_there_is_a_choice(void **state)
{
    (void)state;
    world w;
    make(&w, 2);
    w.mc.nodes[1].member = false;
    start_and_prepare(&w);
    assert_false(makes_token(&w));
    ask(&w, w.select, 5);
    w.mc.nodes[1].member = true;
    simio_event(&w.io, "TOPOLOGY_CHANGE", "NEW_NODE", 1);
    simio_run(&w.io, w.io.now + 2500);
    assert_true(makes_token(&w));
    for (uint32_t key = 0; key < 60; key++)
        ask(&w, w.select, key);
    w.mc.nodes[1].member = false;
    simio_event(&w.io, "TOPOLOGY_CHANGE", "REMOVED_NODE", 1);
    simio_run(&w.io, w.io.now + 2500);
    assert_false(makes_token(&w));
    ask(&w, w.select, 5);
    assert_int_equal(w.errors, 0);
    end(&w);
}

/* Where every node has every row, requests go to any of them without a token, but for those that must keep
 * the order of the ring; and to replicas alone as soon as one node has not every row any more. */
static void where_all_nodes_have_all_rows_nothing_is_hashed(void **state)
{
    (void)state;
    world w;
    unsigned by_node[MOCK_NODES] = {0};
    make(&w, 3);
    w.mc.replication = "class=SimpleStrategy replication_factor=3";
    start_and_prepare(&w);
    ask(&w, w.select, 1);
    assert_false(makes_token(&w));
    for (uint32_t key = 0; key < KEYS; key++)
        by_node[ask(&w, w.select, key)]++;
    for (size_t i = 0; i < 3; i++)
        assert_in_range(by_node[i], KEYS / 3 - KEYS / 10, KEYS / 3 + KEYS / 10);
    for (uint32_t key = 0; key < 30; key++)
        assert_int_equal(rank(&w, key, ask(&w, w.insert, key)), 0);
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
    simio_run(&w.io, w.io.now + 100);
    for (uint32_t key = 0; key < 60; key++)
        assert_int_not_equal(ask(&w, w.select, key), 1);
    w.io.hosts[1].down = false;
    w.mc.replication = "class=SimpleStrategy replication_factor=1";
    simio_event(&w.io, "TOPOLOGY_CHANGE", "MOVED_NODE", 0);
    simio_run(&w.io, w.io.now + 120000);
    assert_true(makes_token(&w));
    for (uint32_t key = 0; key < 60; key++)
        assert_int_equal(rank(&w, key, ask(&w, w.select, key)), 0);
    assert_true(makes_token(&w));
    assert_int_equal(w.errors, 0);
    end(&w);
}

static void altered_replication_and_new_nodes_are_followed(void **state)
{
    (void)state;
    world w;
    bool wide = false;
    make(&w, NODES);
    w.mc.replication = "class=SimpleStrategy replication_factor=1";
    set(&w, "refresh_interval", "1h");
    start_and_prepare(&w);
    for (uint32_t key = 0; key < 100; key++)
        assert_int_equal(rank(&w, key, ask(&w, w.select, key)), 0);
    w.mc.replication = "class=SimpleStrategy replication_factor=2";
    simio_event(&w.io, "TOPOLOGY_CHANGE", "MOVED_NODE", 0);
    simio_run(&w.io, w.io.now + 2500);
    for (uint32_t key = 0; key < 100; key++) {
        size_t at = rank(&w, key, ask(&w, w.select, key));
        assert_true(at < 2);
        wide = wide || at == 1;
    }
    assert_true(wide);
    w.mc.nodes[0].member = false; /* its rows are now the next one's */
    simio_event(&w.io, "TOPOLOGY_CHANGE", "REMOVED_NODE", 3);
    w.mc.nodes[3].member = false;
    simio_run(&w.io, w.io.now + 2500);
    for (uint32_t key = 0; key < 100; key++)
        if (owner_of(&w, key) == 3)
            assert_in_range(rank(&w, key, ask(&w, w.select, key)), 1, 2);
    w.mc.replication = "class=SimpleStrategy replication_factor=1"; /* told as a change of the schema alone */
    simio_schema_event(&w.io, "UPDATED", "KEYSPACE", "mock", "");
    simio_run(&w.io, w.io.now + 2500);
    for (uint32_t key = 0; key < 100; key++)
        if (owner_of(&w, key) != 0 && owner_of(&w, key) != 3)
            assert_int_equal(rank(&w, key, ask(&w, w.select, key)), 0);
    assert_int_equal(w.errors, 0);
    end(&w);
}

static void ask_locally(world *w)
{
    cql_statement *st = cql_prepared_bind(w->select);
    cql_statement_bind_int32(st, 0, 1);
    cql_statement_set_consistency(st, CQL_CONSISTENCY_LOCAL_QUORUM);
    cql_statement_set_timeout(st, 5);
    run_statement(w, st);
    cql_statement_free(st);
}

static void racks_come_first_and_remote_nodes_last(void **state)
{
    (void)state;
    world w;
    make(&w, NODES);
    w.mc.replication = "class=NetworkTopologyStrategy datacenter1=2 far=1";
    for (size_t i = 3; i < NODES; i++)
        snprintf(w.mc.nodes[i].data_center, sizeof w.mc.nodes[i].data_center, "far");
    snprintf(w.mc.nodes[1].rack, sizeof w.mc.nodes[1].rack, "rack2");
    set(&w, "local_dc", "datacenter1");
    set(&w, "local_rack", "rack2");
    set(&w, "used_hosts_per_remote_dc", "2");
    set(&w, "consistency", "one");
    start_and_prepare(&w);
    /* two racks: one replica is always the only node of rack2 */
    for (uint32_t key = 0; key < 60; key++)
        assert_int_equal(ask(&w, w.select, key), 1);
    for (size_t i = 0; i < 3; i++) {
        w.io.hosts[i].down = true;
        simio_cut(&w.io, i);
    }
    simio_run(&w.io, w.io.now + 200);
    for (uint32_t key = 0; key < 60; key++)
        assert_in_range(ask(&w, w.select, key), 3, 4);
    /* a level that counts local replicas only does not go there */
    ask_locally(&w);
    assert_int_equal(w.errors, 1);
    end(&w);
}

/* Unless it is asked for. */
static void local_levels_may_mean_another_data_centre(void **state)
{
    (void)state;
    world w;
    make(&w, 2);
    snprintf(w.mc.nodes[1].data_center, sizeof w.mc.nodes[1].data_center, "far");
    set(&w, "local_dc", "datacenter1");
    set(&w, "used_hosts_per_remote_dc", "1");
    set(&w, "remote_dcs_for_local_levels", "true");
    start_and_prepare(&w);
    w.io.hosts[0].down = true;
    simio_cut(&w.io, 0);
    simio_run(&w.io, w.io.now + 200);
    uint64_t before = w.mc.nodes[1].requests;
    ask_locally(&w);
    assert_int_equal(w.errors, 0);
    assert_int_equal(w.mc.nodes[1].requests, before + 1);
    end(&w);
}

static unsigned connections(const world *w, size_t node)
{
    char address[CQLN_ADDRESS_TEXT];
    cqln_address_print(&w->mc.nodes[node].address, address);
    for (const cqln_node *n = w->c.nodes; n; n = n->next)
        if (strcmp(n->address_text, address) == 0)
            return n->usable;
    return 0;
}

static void burden(world *w, unsigned count)
{
    cql_statement *st = cql_prepared_bind(w->select);
    cql_statement_bind_int32(st, 0, 1);
    for (unsigned i = 0; i < count; i++) {
        cqln_request *req;
        assert_int_equal(cqln_request_begin(&w->c, &req), CQL_OK);
        assert_int_equal(cqln_encode_statement(&w->c, st, req), CQL_OK);
        req->cb.result = on_result;
        req->user = w;
        cqln_request_start(req);
    }
    cql_statement_free(st);
}

static void place_far(world *w, const char *core, const char *most)
{
    make(w, 2);
    snprintf(w->mc.nodes[1].data_center, sizeof w->mc.nodes[1].data_center, "far");
    set(w, "local_dc", "datacenter1");
    set(w, "consistency", "one");
    set(w, "used_hosts_per_remote_dc", "1");
    set(w, "connections_per_host", "2");
    set(w, "max_connections_per_host", "4");
    set(w, "connections_per_remote_host", core);
    set(w, "max_connections_per_remote_host", most);
    set(w, "connection_grow_requests", "4");
    set(w, "connection_idle_timeout", "1000");
    start_and_prepare(w);
}

/* Other data centres may have fewer connections, or more; where nothing is said, as many. */
static void far_nodes_have_connections_as_is_said_for_them(void **state)
{
    (void)state;
    static const struct {
        const char *core, *most;
        unsigned at_rest, under_load;
    } cases[] = {{"0", "0", 2, 4}, {"1", "3", 1, 3}, {"3", "6", 3, 6}, {"3", "1", 3, 3}, {"0", "1", 2, 2}};
    for (size_t k = 0; k < CQL_COUNT(cases); k++) {
        world w;
        place_far(&w, cases[k].core, cases[k].most);
        assert_int_equal(connections(&w, 0), 2);
        assert_int_equal(connections(&w, 1), cases[k].at_rest);
        w.io.hosts[0].down = true;
        simio_cut(&w.io, 0);
        simio_run(&w.io, w.io.now + 100);
        w.io.hosts[1].delay_ms = 20;
        for (unsigned i = 0; i < 40; i++) {
            burden(&w, 60);
            simio_run(&w.io, w.io.now + 10);
        }
        assert_int_equal(connections(&w, 1), cases[k].under_load);
        simio_run(&w.io, w.io.now + 20000);
        assert_int_equal(connections(&w, 1), cases[k].at_rest);
        assert_int_equal(w.errors, 0);
        end(&w);
    }
}

/* The nodes that they may have, but not the others, do not answer, and are lost then. */
static void lose_what_they_wait_for(size_t node, const cql_profile *profile)
{
    world w;
    cqln_request *req;
    make(&w, 2);
    snprintf(w.mc.nodes[1].data_center, sizeof w.mc.nodes[1].data_center, "far");
    set(&w, "local_dc", "datacenter1");
    set(&w, "used_hosts_per_remote_dc", "1");
    set(&w, "max_requests_per_connection", "4");
    set(&w, "max_connections_per_host", "1");
    start_and_prepare(&w);
    w.mc.nodes[node].stalled = true;
    cql_statement *st = cql_prepared_bind(w.select);
    cql_statement_bind_int32(st, 0, 1);
    cql_statement_set_consistency(st, CQL_CONSISTENCY_LOCAL_QUORUM);
    assert_int_equal(cql_statement_set_profile(st, profile), CQL_OK);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(cqln_request_begin(&w.c, &req), CQL_OK);
        assert_int_equal(cqln_encode_statement(&w.c, st, req), CQL_OK);
        req->cb.result = on_result;
        req->user = &w;
        cqln_request_start(req);
    }
    simio_run(&w.io, w.io.now + 20);
    assert_int_equal(w.errors, 0);
    w.io.hosts[node].down = true;
    simio_cut(&w.io, node);
    simio_run(&w.io, w.io.now + 20);
    assert_int_equal(w.errors, 9);
    assert_int_equal(w.last, CQL_NO_HOST);
    cql_statement_free(st);
    end(&w);
}

/* Nodes far away answer; but who may only have near ones hears of their end at once, and the other way round. */
static void who_waits_for_some_nodes_hears_that_they_are_lost(void **state)
{
    (void)state;
    const cql_profile far = {.size = sizeof far, .local_dc = "far"};
    lose_what_they_wait_for(0, NULL);
    lose_what_they_wait_for(1, &far);
}

/* The node that is chosen for the key in few steps; NULL: none is. One of the replicas, then. */
static const cqln_node *quickly(world *w, uint32_t key)
{
    cqln_request *req;
    cqln_wish wish;
    const cqln_node *node = NULL;
    bool found = false;
    cql_statement *st = cql_prepared_bind(w->select);
    cql_statement_bind_int32(st, 0, (int32_t)key);
    assert_int_equal(cqln_request_begin(&w->c, &req), CQL_OK);
    assert_int_equal(cqln_encode_statement(&w->c, st, req), CQL_OK);
    const cqln_link *link = cqln_router_quick(req);
    if (link) {
        node = ((const cqln_slot *)link->user)->node;
        cqln_router_wish(&w->c, &req->route, &wish);
        for (uint32_t i = 0; i < wish.replica_count; i++)
            found = found || wish.replicas[i] == node->index;
        assert_true(found || req->route.anywhere);
    }
    cqln_request_abandon(req);
    cql_statement_free(st);
    return node;
}

static void place_nodes(world *w, size_t from, size_t to, const char *dc, const char *rack)
{
    for (size_t i = from; i < to; i++) {
        snprintf(w->mc.nodes[i].data_center, sizeof w->mc.nodes[i].data_center, "%s", dc);
        snprintf(w->mc.nodes[i].rack, sizeof w->mc.nodes[i].rack, "%s", rack);
    }
}

/* Also where replicas are in several data centres and racks, and nodes have several connections. */
static void the_first_choice_takes_few_steps(void **state)
{
    (void)state;
    static const struct {
        const char *replication;
        const char *rack;
        const char *connections;
        unsigned nodes; /* that may be chosen: a bit each */
    } cases[] = {
        {"class=SimpleStrategy replication_factor=2", "", "1", 0x3f},
        {"class=NetworkTopologyStrategy near=2 far=2", "", "1", 0x0f},
        {"class=NetworkTopologyStrategy near=2 far=1", "a", "1", 0x03},
        {"class=NetworkTopologyStrategy near=1 far=2", "", "2", 0x0f},
        {"class=NetworkTopologyStrategy near=4 far=2", "", "2", 0x0f}, /* each node has each row */
    };
    for (size_t k = 0; k < CQL_COUNT(cases); k++) {
        world w;
        unsigned seen = 0, unknown = 0;
        make(&w, NODES);
        w.mc.replication = cases[k].replication;
        if (k > 0) {
            place_nodes(&w, 0, 2, "near", "a");
            place_nodes(&w, 2, 4, "near", "b");
            place_nodes(&w, 4, NODES, "far", "a");
            set(&w, "local_dc", "near");
        }
        if (cases[k].rack[0])
            set(&w, "local_rack", cases[k].rack);
        set(&w, "connections_per_host", cases[k].connections);
        start_and_prepare(&w);
        for (uint32_t key = 0; key < 200; key++) {
            const cqln_node *n = quickly(&w, key);
            assert_non_null(n);
            unsigned bit = 1u << (n->address_text[strlen("127.9.0.")] - '1');
            assert_true(bit & cases[k].nodes);
            seen |= bit;
        }
        assert_int_equal(seen, cases[k].nodes);
        w.io.hosts[0].down = true; /* then it is for the plan to find another one */
        simio_cut(&w.io, 0);
        simio_run(&w.io, w.io.now + 100);
        for (uint32_t key = 0; key < 200; key++) {
            const cqln_node *n = quickly(&w, key);
            unknown += !n;
            assert_true(!n || strcmp(n->address_text, "127.9.0.1:9042") != 0);
            assert_int_not_equal(ask(&w, w.select, key), 0);
        }
        assert_in_range(unknown, k == CQL_COUNT(cases) - 1 ? 0 : 1, 199);
        assert_int_equal(w.errors, 0);
        end(&w);
    }
}

/* Two nodes with two connections each: the less busy node, and there the less busy connection. */
static void connections_of_a_node_share_its_requests(void **state)
{
    (void)state;
    world w;
    make(&w, 2);
    set(&w, "connections_per_host", "2");
    start_and_prepare(&w);
    cql_statement *st = cql_prepared_bind(w.select);
    cql_statement_bind_int32(st, 0, 1);
    for (unsigned i = 0; i < 40; i++) {
        cqln_request *req;
        assert_int_equal(cqln_request_begin(&w.c, &req), CQL_OK);
        assert_int_equal(cqln_encode_statement(&w.c, st, req), CQL_OK);
        req->cb.result = on_result;
        req->user = &w;
        cqln_request_start(req);
    }
    for (const cqln_node *n = w.c.nodes; n; n = n->next) {
        assert_int_equal(n->usable, 2);
        for (uint32_t i = 0; i < n->slot_count; i++)
            if (n->slots[i].link)
                assert_in_range(cqln_conn_in_flight(n->slots[i].link->conn), 9, 11);
    }
    simio_run(&w.io, w.io.now + 20);
    assert_int_equal(w.answers, 40);
    cql_statement_free(st);
    end(&w);
}

static void lists_decide_who_is_used(void **state)
{
    (void)state;
    world w;
    make(&w, NODES);
    set(&w, "deny_hosts", "127.9.0.3, 127.9.0.4:9042,127.9.0.5:1");
    start_and_prepare(&w);
    for (uint32_t key = 0; key < 200; key++) {
        size_t node = ask(&w, w.select, key);
        assert_true(node != 2 && node != 3);
    }
    end(&w);
    make(&w, NODES);
    set(&w, "allow_hosts", "127.9.0.2");
    start_and_prepare(&w);
    for (uint32_t key = 0; key < 20; key++)
        assert_int_equal(ask(&w, w.select, key), 1);
    for (size_t i = 0; i < 2; i++) {
        w.io.hosts[i].down = true; /* the only contact point, and the only node that is used */
        simio_cut(&w.io, i);
    }
    simio_run(&w.io, w.io.now + 300000);
    for (size_t i = 2; i < NODES; i++)
        assert_int_equal(w.mc.nodes[i].connects, 0);
    w.io.hosts[1].down = false;
    simio_run(&w.io, w.io.now + 60000);
    assert_int_equal(ask(&w, w.select, 1), 1);
    end(&w);
    make(&w, 3);
    set(&w, "allow_hosts", "127.9.9.9");
    start(&w);
    assert_false(w.connected);
    assert_non_null(strstr(w.connect_error, "allow_hosts"));
    assert_non_null(strstr(w.connect_error, "127.9.0.2:9042"));
    end(&w);
}

/* --- a policy of the program ----------------------------------------------------------------------- */

typedef struct chooser {
    unsigned asked;
    size_t replicas;
    bool nobody;
} chooser;

/* The last replica, then nonsense that must be passed over. */
static size_t last_replica(void *self, const cql_balancing_query *q, uint16_t *order, size_t cap)
{
    chooser *ch = self;
    ch->asked++;
    ch->replicas = q->replica_count;
    if (ch->nobody || q->replica_count == 0 || cap < 3)
        return 0;
    order[0] = 60000;
    order[1] = q->replicas[q->replica_count - 1];
    order[2] = order[1];
    assert_int_equal(q->in_flight(q, order[1]), 0);
    assert_int_equal(q->latency_us(q, 1000), 0);
    return 3;
}

static cql_distance not_the_first(void *self, const cql_balancing_node *node)
{
    (void)self;
    return strcmp(node->address, "127.9.0.1:9042") == 0 ? CQL_DISTANCE_IGNORED
                                                         : CQL_DISTANCE_LOCAL;
}

static void a_policy_of_the_program_is_obeyed(void **state)
{
    (void)state;
    world w;
    chooser ch = {0, 0, false};
    cql_balancing_policy mine = {sizeof mine, &ch, not_the_first, NULL};
    make(&w, NODES);
    w.mc.replication = "class=SimpleStrategy replication_factor=2";
    assert_int_equal(cql_options_set_balancing_policy(w.options, &mine), CQL_OK);
    start_and_prepare(&w);
    for (uint32_t key = 0; key < 100; key++)
        assert_int_not_equal(ask(&w, w.select, key), 0);
    end(&w);
    mine = (cql_balancing_policy){sizeof mine, &ch, NULL, last_replica};
    make(&w, NODES);
    w.mc.replication = "class=SimpleStrategy replication_factor=3";
    assert_int_equal(cql_options_set_balancing_policy(w.options, &mine), CQL_OK);
    ch.nobody = false;
    start(&w);
    assert_true(w.connected);
    /* a prepare has no key, so this policy has no node for it: it fails at once */
    cqln_request *req;
    cql_prepared *none = NULL;
    assert_int_equal(cqln_request_begin(&w.c, &req), CQL_OK);
    cqln_encode_prepare(&req->env, (uint8_t)w.c.version, cql_str_of("SELECT 1"), (cql_str){NULL, 0});
    req->is_prepare = true;
    req->cb.prepared = on_prepared;
    req->user = &none;
    cqln_request_start(req);
    simio_run(&w.io, w.io.now + 10);
    assert_null(none);
    cql_statement *st;
    assert_int_equal(cql_statement_new("SELECT v FROM t rows 1", 0, &w.memory.al, &st), CQL_OK);
    assert_int_equal(cql_statement_set_routing_keyspace(st, "mock"), CQL_OK);
    for (int32_t key = 0; key < 50; key++) {
        uint64_t before[MOCK_NODES];
        assert_int_equal(
            cql_statement_set_routing_values(st, CQL_VALUES(cql_value_int32(key))), CQL_OK);
        count_before(&w, before);
        run_statement(&w, st);
        assert_int_equal(rank(&w, (uint32_t)key, one_that_got_it(&w, before)), 2);
    }
    assert_int_equal(ch.replicas, 3);
    cql_statement_free(st);
    end(&w);
    mine.size = 4;
    make(&w, 1);
    assert_int_equal(cql_options_set_balancing_policy(w.options, &mine), CQL_BAD_ARGUMENT);
    start_and_prepare(&w);
    end(&w);
}

static void start_select(world *w, uint32_t key)
{
    cqln_request *req;
    cql_statement *st = cql_prepared_bind(w->select);
    cql_statement_bind_int32(st, 0, (int32_t)key);
    assert_int_equal(cqln_request_begin(&w->c, &req), CQL_OK);
    assert_int_equal(cqln_encode_statement(&w->c, st, req), CQL_OK);
    cql_statement_free(st);
    req->cb.result = on_result;
    req->user = w;
    cqln_request_start(req);
}

/* Nodes join, and the n-th request for memory of that reading fails; false when there were fewer. */
static bool join_with_failure(size_t n)
{
    world w;
    make(&w, 2);
    set(&w, "request_timeout", "2000");
    start_and_prepare(&w);
    for (size_t i = 2; i < MOCK_NODES; i++)
        w.mc.nodes[i].member = true;
    simio_event(&w.io, "TOPOLOGY_CHANGE", "NEW_NODE", 2);
    simio_run(&w.io, w.io.now + 500);
    w.memory.fail_at = w.memory.requests + n;
    simio_run(&w.io, w.io.now + 1000);
    bool met = w.memory.requests >= w.memory.fail_at;
    w.memory.fail_at = 0;
    for (uint32_t key = 0; key < 10; key++)
        start_select(&w, key);
    simio_run(&w.io, w.io.now + 100);
    assert_int_equal(w.answers, 10);
    end(&w);
    return met;
}

static void memory_that_is_out_while_nodes_join_costs_no_request(void **state)
{
    size_t n = 1;
    (void)state;
    while (join_with_failure(n))
        n++;
    assert_true(n > 50);
}

/* --- slow nodes, plans ----------------------------------------------------------------------------- */

static void slow_nodes_come_last(void **state)
{
    (void)state;
    world w;
    unsigned slow = 0;
    make(&w, 3);
    w.mc.replication = "class=SimpleStrategy replication_factor=3";
    set(&w, "latency_awareness", "true");
    start_and_prepare(&w);
    uint64_t now = w.io.io.ops->now_us(&w.io.io) - 1000000;
    for (unsigned i = 0; i < 200; i++, now += 5000)
        for (size_t n = 0; n < 3; n++)
            cqln_router_note_answer(&w.c, w.c.router.nodes[n], n == 1 ? 9000 : 1000, now);
    size_t slow_node = w.c.router.nodes[1]->address.bytes[3] - 1u;
    for (uint32_t key = 0; key < 30; key++)
        slow += ask(&w, w.select, key) == slow_node;
    assert_int_equal(slow, 0);
    cqln_route route = {.has_token = false};
    cql_plan *plan = cqln_router_explain(&w.c, &route, NULL);
    assert_non_null(plan);
    assert_non_null(strstr(cql_plan_text(plan), "slow"));
    cql_plan_free(plan);
    end(&w);
}

/* The same seen from outside: it gets its share until it is known, and then nothing. */
static void a_node_that_answers_slowly_is_found_out(void **state)
{
    (void)state;
    static const struct {
        const char *exclusion;
        bool avoided;
    } cases[] = {{"150", true}, {"1000", false}};
    for (size_t k = 0; k < CQL_COUNT(cases); k++) {
        world w;
        unsigned early = 0, late = 0;
        make(&w, 3);
        w.mc.replication = "class=SimpleStrategy replication_factor=3";
        set(&w, "latency_awareness", "true");
        set(&w, "latency_exclusion", cases[k].exclusion);
        start_and_prepare(&w);
        w.io.hosts[1].delay_ms = 5;
        for (uint32_t key = 0; key < 100; key++)
            early += ask(&w, w.select, key) == 1;
        for (uint32_t key = 0; key < 300; key++)
            ask(&w, w.select, key);
        for (uint32_t key = 0; key < 100; key++)
            late += ask(&w, w.select, key) == 1;
        assert_true(early > 0);
        assert_int_equal(late == 0, cases[k].avoided);
        end(&w);
    }
}

static void a_clock_that_is_set_makes_no_node_slow(void **state)
{
    (void)state;
    world w;
    make(&w, 3);
    w.mc.replication = "class=SimpleStrategy replication_factor=3";
    set(&w, "latency_awareness", "true");
    start_and_prepare(&w);
    w.io.wall_step = 3600 * (int64_t)1000000;
    for (uint32_t key = 0; key < 300; key++) {
        if (key == 150)
            w.io.wall_step = -w.io.wall_step;
        ask(&w, w.select, key);
    }
    for (size_t n = 0; n < 3; n++) {
        assert_true(w.c.router.nodes[n]->pace.answers > 50);
        assert_in_range(w.c.router.nodes[n]->pace.mean_us, 1000, 20000);
    }
    end(&w);
}

static void plans_name_every_node_with_its_reason(void **state)
{
    (void)state;
    world w;
    cql_plan_node n;
    make(&w, NODES);
    for (size_t i = 4; i < NODES; i++)
        snprintf(w.mc.nodes[i].data_center, sizeof w.mc.nodes[i].data_center, "far");
    set(&w, "deny_hosts", "127.9.0.2");
    start_and_prepare(&w);
    cql_statement *st = cql_prepared_bind(w.select);
    cqln_route route = {.has_token = false};
    cql_statement_bind_int32(st, 0, 3);
    cqln_route_statement(&w.c, st, &route);
    assert_true(route.has_token);
    cql_plan *plan = cqln_router_explain(&w.c, &route, NULL);
    assert_non_null(plan);
    assert_int_equal(cql_plan_count(plan), NODES);
    assert_string_equal(cql_plan_keyspace(plan), "mock");
    assert_string_equal(cql_plan_replication(plan), "SimpleStrategy 2");
    assert_string_equal(cql_plan_token(plan), "9010454139840013625");
    unsigned tried = 0, replicas = 0;
    for (size_t i = 0; cql_plan_at(plan, i, &n); i++) {
        tried += n.tried;
        replicas += n.replica;
        assert_true(n.reason[0]);
    }
    assert_int_equal(tried, 3);
    assert_int_equal(replicas, 2);
    assert_non_null(strstr(cql_plan_text(plan), "left out by allow_hosts or deny_hosts"));
    assert_non_null(strstr(cql_plan_text(plan), "used_hosts_per_remote_dc"));
    assert_non_null(strstr(cql_plan_json(plan), "\"replication\":\"SimpleStrategy 2\""));
    assert_non_null(strstr(cql_plan_summary(plan), "replicas in the local data centre"));
    assert_false(cql_plan_at(plan, NODES, &n));
    cql_plan_free(plan);
    cql_statement_free(st);
    end(&w);
}

/* --- profiles ------------------------------------------------------------------------------------- */

static const cql_profile far_away = {.size = sizeof far_away, .consistency = CQL_CONSISTENCY_LOCAL_QUORUM, .local_dc = "far"};

/* Nodes 3 to 5 are far away. */
static void place_near_and_far(world *w, const char *used)
{
    make(w, NODES);
    w->mc.replication = "class=NetworkTopologyStrategy datacenter1=2 far=2";
    place_nodes(w, 3, NODES, "far", "rack1");
    set(w, "local_dc", "datacenter1");
    set(w, "used_hosts_per_remote_dc", used);
}

static cql_statement *profiled(const world *w, const cql_profile *p, uint32_t key)
{
    cql_statement *st = cql_prepared_bind(w->select);
    cql_statement_bind_int32(st, 0, (int32_t)key);
    assert_int_equal(cql_statement_set_profile(st, p), CQL_OK);
    return st;
}

static size_t ask_as(world *w, const cql_profile *p, uint32_t key)
{
    uint64_t before[MOCK_NODES];
    cql_statement *st = profiled(w, p, key);
    count_before(w, before);
    run_statement(w, st);
    cql_statement_free(st);
    return one_that_got_it(w, before);
}

static void take_down(world *w, size_t node)
{
    w->io.hosts[node].down = true;
    simio_cut(&w->io, node);
    simio_run(&w->io, w->io.now + 200);
}

static void a_profile_keeps_to_its_data_centre(void **state)
{
    (void)state;
    world w;
    unsigned got[NODES] = {0};
    place_near_and_far(&w, "100");
    start_and_prepare(&w);
    for (uint32_t key = 0; key < KEYS; key++) {
        size_t node = ask_as(&w, &far_away, key), nearer = 0;
        got[node]++;
        for (size_t i = 3; i < NODES; i++) /* two of the three have the row: those that come first on the ring */
            nearer += rank(&w, key, i) < rank(&w, key, node);
        assert_in_range(nearer, 0, 1);
        assert_in_range(ask(&w, w.select, key), 0, 2); /* and those without it stay near */
    }
    for (size_t i = 0; i < NODES; i++)
        assert_in_range(got[i], i < 3 ? 0 : KEYS / 8, i < 3 ? 0 : KEYS / 2);
    take_down(&w, 3);
    for (uint32_t key = 0; key < 60; key++)
        assert_in_range(ask_as(&w, &far_away, key), 4, 5);
    take_down(&w, 4);
    for (uint32_t key = 0; key < 60; key++)
        assert_int_equal(ask_as(&w, &far_away, key), 5);
    end(&w);
}

static void a_request_fails_when_its_data_centre_does(void **state)
{
    (void)state;
    world w;
    place_near_and_far(&w, "1");
    start_and_prepare(&w);
    size_t far = ask_as(&w, &far_away, 1);
    assert_in_range(far, 3, 5);
    cql_statement *st = profiled(&w, &far_away, 1);
    cql_statement_set_idempotent(st, true);
    w.mc.nodes[far].error_code = 0x1001; /* no other node of the data centre is used */
    run_statement(&w, st);
    assert_int_equal(w.last, CQL_SERVER_OVERLOADED);
    take_down(&w, far);
    run_statement(&w, st); /* at once, and no near node gets it */
    assert_int_equal(w.last, CQL_NO_HOST);
    cql_statement_free(st);
    end(&w);
}

static void without_a_key_the_nodes_of_a_profile_take_turns(void **state)
{
    (void)state;
    world w;
    unsigned got[NODES] = {0};
    cql_statement *st;
    place_near_and_far(&w, "100");
    start_and_prepare(&w);
    assert_int_equal(cql_statement_new("SELECT v FROM t rows 1", 0, &w.memory.al, &st), CQL_OK);
    assert_int_equal(cql_statement_set_profile(st, &far_away), CQL_OK);
    for (int i = 0; i < 90; i++) {
        uint64_t before[MOCK_NODES];
        count_before(&w, before);
        run_statement(&w, st);
        got[one_that_got_it(&w, before)]++;
    }
    for (size_t i = 0; i < NODES; i++)
        assert_in_range(got[i], i < 3 ? 0 : 20, i < 3 ? 0 : 40);
    take_down(&w, 4); /* the others share what it had */
    memset(got, 0, sizeof got);
    for (int i = 0; i < 90; i++) {
        uint64_t before[MOCK_NODES];
        count_before(&w, before);
        run_statement(&w, st);
        got[one_that_got_it(&w, before)]++;
    }
    assert_in_range(got[3], 35, 55);
    assert_in_range(got[5], 35, 55);
    cql_statement_free(st);
    end(&w);
}

static void a_profile_that_the_session_cannot_serve_says_why(void **state)
{
    (void)state;
    world w;
    cql_profile unknown = {.size = sizeof unknown, .local_dc = "moon"};
    place_near_and_far(&w, "0");
    start_and_prepare(&w);
    cql_statement *st = profiled(&w, &far_away, 1);
    run_statement(&w, st);
    assert_int_equal(w.last, CQL_NO_HOST);
    assert_non_null(strstr(w.error, "\"far\" of the profile: the session uses none of its nodes"));
    assert_non_null(strstr(w.error, "used_hosts_per_remote_dc"));
    assert_int_equal(cql_statement_set_profile(st, &unknown), CQL_OK);
    run_statement(&w, st);
    assert_int_equal(w.last, CQL_NO_HOST);
    assert_non_null(strstr(w.error, "no node in the data centre \"moon\" of the profile: no node of it is known"));
    assert_int_equal(cql_statement_set_profile(st, NULL), CQL_OK);
    run_statement(&w, st);
    assert_int_equal(w.last, CQL_OK);
    cql_statement_free(st);
    end(&w);
}

static void a_request_races_within_its_data_centre(void **state)
{
    (void)state;
    world w;
    cql_profile p = far_away;
    uint64_t before[MOCK_NODES];
    p.idempotent = 1;
    place_near_and_far(&w, "100");
    set(&w, "speculation", "constant");
    set(&w, "speculation_delay", "2");
    start_and_prepare(&w);
    w.io.hosts[3].delay_ms = 200;
    count_before(&w, before);
    for (uint32_t key = 0; key < 60; key++) {
        cql_statement *st = profiled(&w, &p, key);
        run_statement(&w, st); /* within 10 ms */
        assert_int_equal(w.last, CQL_OK);
        cql_statement_free(st);
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(w.mc.nodes[i].requests, before[i]);
    assert_true(w.c.meter->values[CQL_METRIC_SPECULATIONS] > 0);
    end(&w);
}

static void a_profile_has_a_policy_of_its_own(void **state)
{
    (void)state;
    world w;
    chooser ch = {0, 0, false};
    const cql_balancing_policy mine = {.size = sizeof mine, .self = &ch, .plan = last_replica};
    const cql_profile p = {.size = sizeof p, .balancing = &mine};
    make(&w, NODES);
    w.mc.replication = "class=SimpleStrategy replication_factor=3";
    start_and_prepare(&w);
    for (uint32_t key = 0; key < 60; key++)
        assert_int_equal(rank(&w, key, ask_as(&w, &p, key)), 2);
    unsigned asked = ch.asked;
    assert_true(asked >= 60);
    for (uint32_t key = 0; key < 60; key++)
        assert_in_range(rank(&w, key, ask(&w, w.select, key)), 0, 2);
    assert_int_equal(ch.asked, asked); /* of those without it nobody asks */
    ch.nobody = true;
    cql_statement *st = profiled(&w, &p, 1);
    run_statement(&w, st);
    assert_int_equal(w.last, CQL_NO_HOST);
    cql_statement_free(st);
    end(&w);
}

static void the_plan_of_a_profile_is_explained(void **state)
{
    (void)state;
    world w;
    cql_plan_node n;
    cqln_route route = {.has_token = false};
    place_near_and_far(&w, "2");
    start_and_prepare(&w);
    cql_statement *st = profiled(&w, &far_away, 3);
    cqln_route_statement(&w.c, st, &route);
    cql_plan *plan = cqln_router_explain(&w.c, &route, &far_away);
    assert_non_null(plan);
    assert_int_equal(cql_plan_count(plan), NODES);
    for (size_t i = 0; cql_plan_at(plan, i, &n); i++) {
        assert_int_equal(n.tried, i < 2);
        assert_true(!n.tried || strcmp(n.data_center, "far") == 0);
    }
    assert_string_equal(cql_plan_summary(plan), "nodes of the data centre \"far\" alone, as the profile says");
    assert_non_null(strstr(cql_plan_text(plan), "not in the data centre of the profile"));
    assert_non_null(strstr(cql_plan_text(plan), "used_hosts_per_remote_dc")); /* the third node of it */
    cql_plan_free(plan);
    cql_statement_free(st);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_go_to_replicas_evenly),
        cmocka_unit_test(conditional_statements_go_to_the_owner),
        cmocka_unit_test(without_token_awareness_nodes_take_turns),
        cmocka_unit_test(an_unreadable_keyspace_table_costs_no_request),
        cmocka_unit_test(a_replica_that_is_down_leaves_its_share_to_the_others),
        cmocka_unit_test(two_draws_are_below_their_bound_and_differ),
        cmocka_unit_test(two_replicas_are_drawn_as_two_numbers_are),
        cmocka_unit_test(a_node_that_is_alone_is_found_at_once),
        cmocka_unit_test(tokens_are_made_where_there_is_a_choice),
        cmocka_unit_test(where_all_nodes_have_all_rows_nothing_is_hashed),
        cmocka_unit_test(altered_replication_and_new_nodes_are_followed),
        cmocka_unit_test(racks_come_first_and_remote_nodes_last),
        cmocka_unit_test(local_levels_may_mean_another_data_centre),
        cmocka_unit_test(far_nodes_have_connections_as_is_said_for_them),
        cmocka_unit_test(who_waits_for_some_nodes_hears_that_they_are_lost),
        cmocka_unit_test(the_first_choice_takes_few_steps),
        cmocka_unit_test(connections_of_a_node_share_its_requests),
        cmocka_unit_test(lists_decide_who_is_used),
        cmocka_unit_test(a_policy_of_the_program_is_obeyed),
        cmocka_unit_test(memory_that_is_out_while_nodes_join_costs_no_request),
        cmocka_unit_test(slow_nodes_come_last),
        cmocka_unit_test(a_node_that_answers_slowly_is_found_out),
        cmocka_unit_test(a_clock_that_is_set_makes_no_node_slow),
        cmocka_unit_test(plans_name_every_node_with_its_reason),
        cmocka_unit_test(a_profile_keeps_to_its_data_centre),
        cmocka_unit_test(a_request_fails_when_its_data_centre_does),
        cmocka_unit_test(without_a_key_the_nodes_of_a_profile_take_turns),
        cmocka_unit_test(a_profile_that_the_session_cannot_serve_says_why),
        cmocka_unit_test(a_request_races_within_its_data_centre),
        cmocka_unit_test(a_profile_has_a_policy_of_its_own),
        cmocka_unit_test(the_plan_of_a_profile_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
