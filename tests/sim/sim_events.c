/* Events of the cluster, and what happens without them, over the simulated network. */
#include "api/options.h"
#include "failmalloc.h"
#include "simio.h"
#include "unit.h"

#include "cluster/cluster.h"

#include <string.h>

typedef struct world {
    failmalloc memory;
    mockcluster mc;
    simio io;
    cql_options *options;
    cqln_cluster c;
    bool connected;
    bool closed;
    cql_status refused; /* why it is not connected */
    unsigned schema[CQL_SCHEMA_MISSED + 1];
    char last[100];
    unsigned nodes[CQL_NODE_REMOVED + 1];
} world;

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    world *w = user;
    (void)s;
    w->connected = err == NULL;
    w->refused = err ? cql_error_status(err) : CQL_OK;
    if (w->refused == CQL_NO_MEMORY)
        assert_non_null(strstr(cql_error_text(err), "out of memory"));
}

static void on_closed(void *user)
{
    ((world *)user)->closed = true;
}

static void on_schema(void *user, cql_session *s, const cql_schema_note *note)
{
    world *w = user;
    (void)s;
    w->schema[note->event]++;
    snprintf(w->last, sizeof w->last, "%.*s %.*s.%.*s", (int)note->target.len,
             note->target.len ? note->target.ptr : "", (int)note->keyspace.len,
             note->keyspace.len ? note->keyspace.ptr : "", (int)note->name.len,
             note->name.len ? note->name.ptr : "");
}

static void on_node(void *user, cql_session *s, cql_node_event event, const cql_host_info *host)
{
    (void)s;
    (void)host;
    ((world *)user)->nodes[event]++;
}

static int begin(void **state)
{
    static world w;
    memset(&w, 0, sizeof w);
    failmalloc_init(&w.memory);
    mockcluster_init(&w.mc, 2);
    simio_init(&w.io, &w.mc, 7);
    *state = &w;
    if (cql_options_new(&w.memory.al, &w.options) != CQL_OK)
        return 1;
    cql_options_on_node_event(w.options, on_node, &w);
    return cql_options_parse(w.options,
                             "cql://seed.test/?connect_timeout=300&reconnect_base=10&"
                             "reconnect_max=100&refresh_interval=10m",
                             NULL) != CQL_OK;
}

static void start(world *w)
{
    assert_int_equal(cqln_cluster_init(&w->c, &w->io.io, &w->memory.al, &w->options->config, w),
                     CQL_OK);
    cqln_cluster_connect(&w->c, on_connected, w);
    simio_run(&w->io, w->io.now + 2000);
    assert_true(w->connected);
}

static int end(void **state)
{
    world *w = *state;
    cqln_cluster_close(&w->c, on_closed, w);
    for (int i = 0; i < 100 && !w->closed; i++)
        simio_run(&w->io, w->io.now + 100);
    cqln_cluster_fini(&w->c);
    cql_options_free(w->options);
    bool clean = w->closed && w->memory.live == 0;
    simio_fini(&w->io);
    mockcluster_fini(&w->mc);
    return !clean;
}

/* A world that nothing was begun in. */
static int end_unused(world *w)
{
    cql_options_free(w->options);
    simio_fini(&w->io);
    mockcluster_fini(&w->mc);
    return w->memory.live != 0;
}

static void schema_events_reach_the_program(void **state)
{
    world *w = *state;
    cql_options_on_schema_event(w->options, on_schema, w);
    start(w);
    simio_schema_event(&w->io, "CREATED", "TABLE", "ks", "t");
    simio_run(&w->io, w->io.now + 100);
    assert_int_equal(w->schema[CQL_SCHEMA_CREATED], 1);
    assert_string_equal(w->last, "TABLE ks.t");
    simio_schema_event(&w->io, "UPDATED", "KEYSPACE", "ks", "");
    simio_schema_event(&w->io, "DROPPED", "TYPE", "ks", "u");
    simio_schema_event(&w->io, "FROBBED", "TYPE", "ks", "u");
    simio_run(&w->io, w->io.now + 100);
    assert_int_equal(w->schema[CQL_SCHEMA_UPDATED], 1);
    assert_int_equal(w->schema[CQL_SCHEMA_DROPPED], 1);
    assert_int_equal(w->schema[CQL_SCHEMA_OTHER], 1);
    assert_int_equal(w->schema[CQL_SCHEMA_MISSED], 0);
}

static void a_lost_control_connection_is_told_as_missed_events(void **state)
{
    world *w = *state;
    cql_options_on_schema_event(w->options, on_schema, w);
    start(w);
    simio_cut(&w->io, 0);
    simio_cut(&w->io, 1);
    simio_run(&w->io, w->io.now + 2000);
    assert_int_equal(w->schema[CQL_SCHEMA_MISSED], 1);
    assert_string_equal(w->last, " .");
    simio_schema_event(&w->io, "CREATED", "TABLE", "ks", "t");
    simio_run(&w->io, w->io.now + 100);
    assert_int_equal(w->schema[CQL_SCHEMA_CREATED], 1);
}

static void nobody_asks_for_schema_events_that_nobody_hears(void **state)
{
    world *w = *state;
    start(w);
    simio_schema_event(&w->io, "CREATED", "TABLE", "ks", "t"); /* one that comes all the same */
    simio_run(&w->io, w->io.now + 100);
    assert_int_equal(w->schema[CQL_SCHEMA_CREATED], 0);
    assert_true(w->c.ready_count == 2);
}

/* reliability R42: events are hints, and any number of them within a second is one look at the tables. */
static void a_flood_of_events_is_one_refresh(void **state)
{
    world *w = *state;
    start(w);
    uint64_t before = w->mc.nodes[0].requests + w->mc.nodes[1].requests;
    for (int i = 0; i < 10000; i++) {
        if (i % 3 == 0)
            simio_schema_event(&w->io, "UPDATED", "KEYSPACE", "mock", "");
        else
            simio_event(&w->io, i % 2 ? "TOPOLOGY_CHANGE" : "STATUS_CHANGE", i % 2 ? "NEW_NODE" : "DOWN",
                        (size_t)i % 2);
        if (i % 100 == 0)
            simio_run(&w->io, w->io.now + 8);
    }
    simio_run(&w->io, w->io.now + 5000);
    uint64_t asked = w->mc.nodes[0].requests + w->mc.nodes[1].requests - before;
    assert_in_range(asked, 2, 4); /* two queries each, one refresh per second at most */
    assert_int_equal(w->nodes[CQL_NODE_DOWN], 0);
}

static void count_warnings(void *user, cql_log_level level, cql_str text)
{
    (void)text;
    *(unsigned *)user += level <= CQL_LOG_WARN;
}

/* It is told once, with what each node said, and when it is over; not with each attempt. */
static void a_long_outage_does_not_fill_the_log(void **state)
{
    world *w = *state;
    unsigned warnings = 0;
    cql_options_set_log(w->options, count_warnings, &warnings, CQL_LOG_WARN);
    start(w);
    assert_int_equal(warnings, 0);
    for (size_t i = 0; i < 2; i++) {
        w->io.hosts[i].down = true;
        simio_cut(&w->io, i);
    }
    simio_run(&w->io, w->io.now + 600000);
    assert_in_range(warnings, 3, 12);
    w->io.hosts[0].down = w->io.hosts[1].down = false;
    simio_run(&w->io, w->io.now + 60000);
    assert_int_equal(w->c.ready_count, 2);
    unsigned before = warnings;
    w->io.hosts[0].down = true;
    simio_cut(&w->io, 0);
    simio_run(&w->io, w->io.now + 5000);
    assert_true(warnings > before); /* the next one is told again */
}

/* Each answer takes a tenth of a second. On the control connection: OPTIONS, STARTUP, REGISTER, all tables at once; on
 * the next one OPTIONS and STARTUP. */
static void connecting_takes_six_answers_behind_each_other(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "connect_timeout", "2s", NULL), CQL_OK);
    w->io.hosts[0].delay_ms = w->io.hosts[1].delay_ms = 100;
    assert_int_equal(cqln_cluster_init(&w->c, &w->io.io, &w->memory.al, &w->options->config, w),
                     CQL_OK);
    uint64_t began = w->io.now;
    cqln_cluster_connect(&w->c, on_connected, w);
    while (!w->connected && w->io.now < began + 2000)
        simio_run(&w->io, w->io.now + 1);
    assert_in_range(w->io.now - began, 600, 690);
}

/* An idle session sleeps: in ten minutes it wakes for the heartbeats of its connections (30 s) and to read the tables. */
static void an_idle_session_is_woken_for_its_heartbeats_alone(void **state)
{
    world *w = *state;
    start(w);
    simio_run(&w->io, w->io.now + 60000);
    uint64_t before = w->io.timers;
    simio_run(&w->io, w->io.now + 600000);
    assert_in_range(w->io.timers - before, 20, 90);
}

/* What happens while the tables are being read may have come too late for that: they are read again. */
static void an_event_during_a_slow_refresh_is_not_lost(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "connect_timeout", "20s", NULL), CQL_OK);
    start(w);
    w->io.hosts[0].delay_ms = 3000;
    simio_event(&w->io, "STATUS_CHANGE", "UP", 1);
    simio_run(&w->io, w->io.now + 3000 + 1000 + 3000 + 100); /* the peers are on their way */
    w->mc.nodes[2].member = true;
    simio_event(&w->io, "TOPOLOGY_CHANGE", "NEW_NODE", 2);
    simio_run(&w->io, w->io.now + 20000);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 3);
}

/* However long the next attempt is off: what a node is told to be is looked at at once. */
static void a_node_that_is_said_to_be_up_is_tried_at_once(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "reconnect_base", "1h", NULL), CQL_OK);
    assert_int_equal(cql_options_set(w->options, "reconnect_max", "1h", NULL), CQL_OK);
    start(w);
    w->io.hosts[1].down = true;
    simio_cut(&w->io, 1);
    simio_run(&w->io, w->io.now + 60000);
    w->io.hosts[1].down = false;
    simio_run(&w->io, w->io.now + 60000);
    assert_int_equal(w->c.ready_count, 1);
    simio_event(&w->io, "STATUS_CHANGE", "UP", 1);
    simio_run(&w->io, w->io.now + 100);
    assert_int_equal(w->c.ready_count, 2);
}

/* A node joins and its event is lost: the next reading of the tables finds it all the same. */
static void a_lost_event_heals(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "refresh_interval", "2s", NULL), CQL_OK);
    start(w);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 2);
    w->mc.nodes[2].member = true;
    w->mc.nodes[1].member = false;
    simio_run(&w->io, w->io.now + 3000);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 3);
    assert_int_equal(w->nodes[CQL_NODE_REMOVED], 1);
    assert_int_equal(w->nodes[CQL_NODE_UP], 3);
    assert_int_equal(w->nodes[CQL_NODE_DOWN], 0);
}

/* reliability R52: the whole cluster moves to other addresses; only its name leads there. */
static void names_are_resolved_again_when_every_node_is_gone(void **state)
{
    world *w = *state;
    start(w);
    for (size_t i = 0; i < 2; i++) {
        w->mc.nodes[i].member = false;
        w->mc.nodes[i + 2].member = true;
        w->io.hosts[i].down = true;
        simio_cut(&w->io, i);
    }
    w->io.named = 2;
    simio_run(&w->io, w->io.now + 5000);
    assert_int_equal(w->c.ready_count, 2);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 4);
    assert_int_equal(w->nodes[CQL_NODE_REMOVED], 2);
    for (const cqln_node *n = w->c.nodes; n; n = n->next)
        if (!n->removed)
            assert_true(cqln_address_equal(&n->address, &w->mc.nodes[2].address) ||
                        cqln_address_equal(&n->address, &w->mc.nodes[3].address));
}

/* The contact points are gone for good, and the nodes are not tried for long: they are asked as control connections. */
static void nodes_beside_the_contact_points_are_asked_too(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "reconnect_max", "1h", NULL), CQL_OK);
    start(w);
    for (size_t i = 0; i < 2; i++) {
        w->io.hosts[i].down = true;
        simio_cut(&w->io, i);
    }
    simio_run(&w->io, w->io.now + 3600000);
    w->io.hosts[1].down = false;
    simio_run(&w->io, w->io.now + 40000);
    assert_int_equal(w->c.ready_count, 1);
}

/* An address, or what a name leads to, may be another cluster's by now: that is not taken for this one. */
static void hear_of_another(void *user, cql_log_level level, cql_str text)
{
    const char words[] = "it belongs to the cluster \"another\", the session to \"mock cluster\"";
    char line[400];
    snprintf(line, sizeof line, "%.*s", (int)text.len, text.ptr);
    *(unsigned *)user += level == CQL_LOG_WARN && strstr(line, "127.9.0.3") && strstr(line, words);
}

static void another_cluster_is_not_taken_for_this_one(void **state)
{
    world *w = *state;
    unsigned told = 0;
    cql_options_set_log(w->options, hear_of_another, &told, CQL_LOG_WARN);
    start(w);
    for (size_t i = 0; i < 2; i++) {
        w->io.hosts[i].down = true;
        simio_cut(&w->io, i);
    }
    w->mc.nodes[2].member = true;
    w->mc.nodes[2].cluster_name = "another";
    w->io.named = 2;
    simio_run(&w->io, w->io.now + 5000);
    assert_true(w->mc.nodes[2].connects > 0);
    assert_true(told > 0);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 2);
    assert_int_equal(w->nodes[CQL_NODE_REMOVED], 0);
    w->mc.nodes[2].member = false;
    w->io.hosts[0].down = w->io.hosts[1].down = false;
    simio_run(&w->io, w->io.now + 5000);
    assert_int_equal(w->c.ready_count, 2);
}

/* The same where the old addresses swallow what is sent there: names come before them. */
static void names_come_before_nodes_that_are_silent(void **state)
{
    world *w = *state;
    w->mc.count = 8;
    for (size_t i = 0; i < 8; i++)
        w->mc.nodes[i].member = true;
    assert_int_equal(cql_options_set(w->options, "connect_timeout", "2s", NULL), CQL_OK);
    assert_int_equal(cql_options_set(w->options, "heartbeat", "500", NULL), CQL_OK);
    assert_int_equal(cql_options_set(w->options, "heartbeat_timeout", "500", NULL), CQL_OK);
    start(w);
    assert_int_equal(w->c.ready_count, 8);
    for (size_t i = 0; i < 8; i++) {
        w->mc.nodes[i].member = false;
        w->io.hosts[i].frozen = true;
    }
    w->mc.nodes[8].member = w->mc.nodes[9].member = true;
    w->io.named = 8;
    simio_run(&w->io, w->io.now + 6000);
    assert_int_equal(w->c.ready_count, 2);
}

/* Servers with two ports tell of the one without TLS, in their tables and in events. */
static void where_tls_has_a_port_of_its_own_all_nodes_are_found_there(void **state)
{
    world *w = *state;
    w->options->config.tls = CQLN_TLS_VERIFY_FULL; /* what is asked for; nothing is encrypted here */
    w->mc.told_port = 9042;
    for (size_t i = 0; i < MOCK_NODES; i++)
        w->mc.nodes[i].address.port = 9142;
    start(w);
    assert_int_equal(w->c.ready_count, 2);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 2);
    w->io.hosts[1].down = true;
    simio_cut(&w->io, 1);
    simio_event(&w->io, "STATUS_CHANGE", "DOWN", 1);
    simio_run(&w->io, w->io.now + 200);
    bool said = false;
    for (const cqln_node *n = w->c.nodes; n; n = n->next)
        said = said || n->said_down;
    assert_true(said);
    w->io.hosts[1].down = false;
    simio_run(&w->io, w->io.now + 2000);
    assert_int_equal(w->c.ready_count, 2);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 2);
}

/* Without TLS ports are what the tables say, and so they are where something stands between. */
static void ports_are_what_the_tables_say(void **state)
{
    world *w = *state;
    w->mc.told_port = 9042;
    w->mc.nodes[0].address.port = 9142; /* the first one answers there as well, by the seed's name */
    start(w);
    assert_int_equal(w->c.ready_count, 2);
    for (const cqln_node *n = w->c.nodes; n; n = n->next)
        assert_int_equal(n->address.port, cqln_address_equal(&n->address, &w->mc.nodes[0].address) ? 9142 : 9042);
}

/* Only peers_v2 knows of ports: an error that passes is no reason to read the older table from then on. */
static void a_busy_server_still_has_its_tables(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "refresh_interval", "2s", NULL), CQL_OK);
    w->mc.nodes[1].address.port = 9999;
    start(w);
    assert_int_equal(w->c.ready_count, 2);
    w->mc.nodes[0].peers_error = 0x1001;
    simio_run(&w->io, w->io.now + 2500);
    w->mc.nodes[0].peers_error = 0;
    simio_run(&w->io, w->io.now + 5000);
    assert_int_equal(w->nodes[CQL_NODE_REMOVED], 0);
    assert_int_equal(w->c.ready_count, 2);
}

/* A server may be replaced by a newer one that has more tables. */
static void a_server_that_was_upgraded_is_asked_for_ports(void **state)
{
    world *w = *state;
    w->mc.nodes[0].peers_v2 = false;
    start(w);
    w->mc.nodes[0].peers_v2 = true;
    w->mc.nodes[1].address.port = 9999;
    simio_cut(&w->io, 1);
    simio_cut(&w->io, 0);
    simio_run(&w->io, w->io.now + 5000);
    assert_int_equal(w->c.ready_count, 2);
}

static void a_server_without_that_table_is_asked_for_the_older_one(void **state)
{
    world *w = *state;
    w->mc.nodes[0].peers_v2 = w->mc.nodes[1].peers_v2 = false;
    start(w);
    assert_int_equal(w->c.ready_count, 2);
}

/* A row of the peers table, as far as it is there. */
typedef struct row {
    const char *peer, *native; /* addresses; NULL: null */
    int32_t port;              /* -1: null */
    const char *dc, *rack;
    uint8_t host_id; /* its last byte; 0: null */
    const char *goes_by; /* NULL: the row is left out */
} row;

static void put_inet(cqln_writer *cells, const char *text)
{
    cqln_address a;
    if (!text) {
        cqln_write_u32(cells, UINT32_MAX);
        return;
    }
    assert_true(cqln_address_parse(&a, cql_str_of(text), 1));
    cqln_write_u32(cells, a.len);
    cqln_write_bytes(cells, a.bytes, a.len);
}

static void put_text(cqln_writer *cells, const char *text)
{
    cqln_write_u32(cells, text ? (uint32_t)strlen(text) : UINT32_MAX);
    if (text)
        cqln_write_bytes(cells, text, strlen(text));
}

static void put_row(cqln_writer *cells, const row *r)
{
    uint8_t id[16] = {[15] = r->host_id};
    put_inet(cells, r->peer);
    put_inet(cells, r->native);
    cqln_write_u32(cells, r->port < 0 ? UINT32_MAX : 4);
    if (r->port >= 0)
        cqln_write_u32(cells, (uint32_t)r->port);
    put_text(cells, r->dc);
    put_text(cells, r->rack);
    cqln_write_u32(cells, r->host_id ? 16 : UINT32_MAX);
    cqln_write_bytes(cells, id, r->host_id ? 16 : 0);
    cqln_write_u32(cells, UINT32_MAX); /* its tokens */
}

static const row rows[] = {
    {"127.9.0.2", "127.9.1.2", 9043, "datacenter1", "r", 2, "127.9.1.2:9043"},
    {"127.9.1.3", NULL, 9042, "datacenter1", "r", 3, "127.9.1.3:9042"},
    {"127.9.1.4", "0.0.0.0", 9042, "datacenter1", "r", 4, "127.9.1.4:9042"},
    {"127.9.1.5", "::", 9042, "datacenter1", "r", 5, "127.9.1.5:9042"},
    {"127.9.0.6", "127.9.1.6", -1, "datacenter1", "r", 6, "127.9.1.6:9042"},
    {"127.9.0.7", "127.9.1.7", 0, "datacenter1", "r", 7, "127.9.1.7:9042"},
    {"127.9.0.8", "127.9.1.8", 70000, "datacenter1", "r", 8, "127.9.1.8:9042"},
    {NULL, "2001:db8::9", 9042, "datacenter1", "r", 9, "[2001:db8::9]:9042"},
    {NULL, "::ffff:127.9.1.10", 9042, "datacenter1", "r", 10, "127.9.1.10:9042"},
    {"127.9.1.11", "127.9.1.2", 9043, "datacenter1", "r", 11, "127.9.1.2:9043"}, /* one node, not two */
    {"127.9.0.12", "127.9.1.12", 9042, NULL, "r", 12, NULL},
    {"127.9.0.13", "127.9.1.13", 9042, "datacenter1", NULL, 13, NULL},
    {"127.9.0.14", "127.9.1.14", 9042, "datacenter1", "", 14, NULL},
    {"127.9.0.15", "127.9.1.15", 9042, "datacenter1", "r", 0, NULL},
    {"224.0.0.1", "239.0.0.1", 9042, "datacenter1", "r", 16, NULL},
    {NULL, NULL, 9042, "datacenter1", "r", 17, NULL},
    {NULL, NULL, -1, NULL, NULL, 0, NULL},
};

/* The body of a RESULT with these rows; the older table has no port of its own and calls the address otherwise. */
static cql_str body_of_rows(cqln_writer *answer, bool older)
{
    const respond_column columns[] = {
        {"peer", CQL_TYPE_INET}, {older ? "rpc_address" : "native_address", CQL_TYPE_INET},
        {older ? "any_number" : "native_port", CQL_TYPE_INT}, {"data_center", CQL_TYPE_TEXT},
        {"rack", CQL_TYPE_TEXT}, {"host_id", CQL_TYPE_UUID}, {"tokens", CQL_TYPE_SET}};
    respond_table t = {"system", "peers", columns, CQL_COUNT(columns)};
    cqln_writer cells;
    cqln_writer_init(&cells, cqln_alloc_default(), 1 << 16);
    for (size_t i = 0; i < CQL_COUNT(rows); i++)
        put_row(&cells, &rows[i]);
    respond_rows(answer, 5, 0, &t, true, NULL, CQL_COUNT(rows), (cql_str){(const char *)cells.data, cells.len});
    cqln_writer_fini(&cells);
    return (cql_str){(const char *)answer->data + CQLN_FRAME_HEADER, answer->len - CQLN_FRAME_HEADER};
}

static const char *goes_by(const row *r, bool older)
{
    return older && r->goes_by && r->port == 9043 ? "127.9.1.2:9042" : r->goes_by;
}

/* Broken rows are left out one by one; what is only not said is made up for. */
static void rows_of_peers_are_taken_as_far_as_they_go(void **state)
{
    world *w = *state;
    for (int older = 0; older < 2; older++) {
        cqln_writer answer;
        unsigned expected = 1, there = 0;
        cqln_writer_init(&answer, cqln_alloc_default(), 1 << 16);
        w->mc.planned_peers = body_of_rows(&answer, older);
        start(w);
        for (size_t i = 0; i < CQL_COUNT(rows); i++) {
            const char *address = goes_by(&rows[i], older);
            expected += address && rows[i].host_id != 11;
            if (address && !cqln_node_find(&w->c, address))
                fail_msg("row %zu: %s is not there", i, address);
        }
        for (const cqln_node *n = w->c.nodes; n; n = n->next)
            there += !n->removed;
        assert_int_equal(there, expected);
        assert_int_equal(end(state), 0);
        cqln_writer_fini(&answer);
        assert_int_equal(begin(state), 0);
        w = *state;
    }
    start(w);
}

/* Contact point, tables and events, beside a node with an IPv4 address. */
static void nodes_may_have_addresses_of_either_kind(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(i + 1)};
        cqln_address_from_bytes(&w->mc.nodes[i].address, ip, 16, 9042);
    }
    w->mc.nodes[2].member = true;
    assert_int_equal(cql_options_set_contact_points(w->options, "[2001:db8::1]:9042", NULL), CQL_OK);
    assert_int_equal(cql_options_set(w->options, "deny_hosts", "2001:db8::7,127.9.0.9", NULL), CQL_OK);
    start(w);
    assert_int_equal(w->c.ready_count, 3);
    const cqln_node *second = cqln_node_find(&w->c, "[2001:db8::2]:9042");
    assert_non_null(second);
    w->io.hosts[1].down = true;
    simio_cut(&w->io, 1);
    simio_event(&w->io, "STATUS_CHANGE", "DOWN", 1);
    simio_run(&w->io, w->io.now + 200);
    assert_true(second->said_down);
    w->io.hosts[1].down = false;
    simio_event(&w->io, "STATUS_CHANGE", "UP", 1);
    simio_run(&w->io, w->io.now + 200);
    assert_false(second->said_down);
    assert_int_equal(w->c.ready_count, 3);
}

/* What was handed out stays as it was, whatever becomes of the nodes meanwhile. */
static void a_picture_that_was_taken_does_not_change(void **state)
{
    world *w = *state;
    cql_host_info info;
    w->mc.replication = "class=SimpleStrategy replication_factor=1";
    start(w);
    cql_hosts *before = cqln_cluster_view(&w->c);
    cqln_ring *ring = cqln_router_ring(&w->c);
    assert_non_null(ring);
    w->mc.nodes[1].member = false;
    w->mc.nodes[2].member = true;
    simio_event(&w->io, "TOPOLOGY_CHANGE", "NEW_NODE", 2);
    simio_run(&w->io, w->io.now + 3000);
    w->io.hosts[0].down = true;
    simio_cut(&w->io, 0);
    simio_run(&w->io, w->io.now + 50);
    cql_hosts *after = cqln_cluster_view(&w->c);
    cqln_ring *other = cqln_router_ring(&w->c);
    assert_int_equal(cql_hosts_count(before), 2);
    for (size_t i = 0; cql_hosts_at(before, i, &info); i++) {
        assert_string_equal(info.address, i ? "127.9.0.2:9042" : "127.9.0.1:9042");
        assert_true(info.up && info.connections > 0);
    }
    assert_int_equal(cql_hosts_count(after), 2);
    for (size_t i = 0; cql_hosts_at(after, i, &info); i++)
        assert_int_equal(info.up, strcmp(info.address, "127.9.0.3:9042") == 0);
    assert_ptr_not_equal(ring, other);
    assert_int_equal(ring->members, 2);
    cqln_ring_unref(ring);
    cqln_ring_unref(other);
    cql_hosts_free(before);
    cql_hosts_free(after);
}

/* The row of a node is incomplete for a while: as long as the node answers it stays what it was. */
static void a_node_whose_row_is_broken_stays_while_it_answers(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "refresh_interval", "2s", NULL), CQL_OK);
    start(w);
    w->mc.nodes[1].data_center[0] = '\0';
    simio_run(&w->io, w->io.now + 5000);
    assert_int_equal(w->nodes[CQL_NODE_REMOVED], 0);
    assert_int_equal(w->c.ready_count, 2);
    w->io.hosts[1].down = true;
    simio_cut(&w->io, 1);
    simio_run(&w->io, w->io.now + 5000);
    assert_int_equal(w->nodes[CQL_NODE_REMOVED], 1);
}

/* A name that is not resolved for once says nothing of the nodes it led to. */
static void a_name_that_is_lost_takes_no_node_with_it(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "contact_points", "seed.test,second.test", NULL), CQL_OK);
    assert_int_equal(cql_options_set(w->options, "discovery", "false", NULL), CQL_OK);
    assert_int_equal(cql_options_set(w->options, "refresh_interval", "2s", NULL), CQL_OK);
    start(w);
    assert_int_equal(w->c.ready_count, 2);
    w->io.lost_name = "second.test";
    for (size_t i = 0; i < 2; i++) {
        w->io.hosts[i].down = true;
        simio_cut(&w->io, i);
    }
    simio_run(&w->io, w->io.now + 5000);
    w->io.hosts[0].down = w->io.hosts[1].down = false;
    simio_run(&w->io, w->io.now + 10000);
    assert_int_equal(w->c.ready_count, 2);
    assert_int_equal(w->nodes[CQL_NODE_REMOVED], 0);
}

/* Without discovery names are all there is. While one of their nodes answers they are left alone. */
static void names_alone_are_resolved_again_too(void **state)
{
    world *w = *state;
    assert_int_equal(cql_options_set(w->options, "discovery", "false", NULL), CQL_OK);
    assert_int_equal(cql_options_set(w->options, "refresh_interval", "2s", NULL), CQL_OK);
    start(w);
    assert_int_equal(w->c.ready_count, 1);
    w->io.named = 2;
    simio_run(&w->io, w->io.now + 10000);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 1);
    w->io.hosts[0].down = true;
    simio_cut(&w->io, 0);
    simio_run(&w->io, w->io.now + 5000);
    assert_int_equal(w->c.ready_count, 1);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 2);
    assert_int_equal(w->nodes[CQL_NODE_REMOVED], 1);
}

/* Reached by another address than it goes by, and in its own table of peers. */
static void a_node_that_lists_itself_is_one_node(void **state)
{
    world *w = *state;
    w->mc.nodes[2].member = true;
    w->mc.nodes[2].host_id = w->mc.nodes[0].host_id;
    start(w);
    assert_int_equal(w->nodes[CQL_NODE_ADDED], 2);
    assert_int_equal(w->c.ready_count, 2);
}

/* Translates no address, but is asked. */
static bool keep_address(void *user, const char *from, char *to, size_t size)
{
    (void)user;
    (void)from;
    (void)to;
    (void)size;
    return false;
}

/* One life of a cluster in which the n-th request for memory fails; false when there were fewer. */
static bool life_with_failure(world *w, size_t n)
{
    void *state = w;
    assert_int_equal(begin(&state), 0);
    w = state;
    cql_options_on_schema_event(w->options, on_schema, w);
    cql_options_set_address_translator(w->options, keep_address, NULL);
    w->memory.fail_at = w->memory.requests + n;
    cql_status st =
        cqln_cluster_init(&w->c, &w->io.io, &w->memory.al, &w->options->config, w);
    if (st) {
        assert_int_equal(st, CQL_NO_MEMORY);
        cql_options_free(w->options);
        assert_int_equal(w->memory.live, 0);
        simio_fini(&w->io);
        mockcluster_fini(&w->mc);
        return true;
    }
    cqln_cluster_connect(&w->c, on_connected, w);
    simio_run(&w->io, w->io.now + 500);
    simio_schema_event(&w->io, "CREATED", "TABLE", "ks", "t");
    w->mc.nodes[1].member = false;
    w->mc.nodes[2].member = true;
    simio_event(&w->io, "TOPOLOGY_CHANGE", "NEW_NODE", 2);
    simio_run(&w->io, w->io.now + 1500);
    simio_cut(&w->io, 0);
    simio_run(&w->io, w->io.now + 1500);
    bool met = w->memory.requests >= w->memory.fail_at;
    if (w->connected)
        assert_true(w->c.ready_count >= 2); /* in use again, whatever failed */
    else
        assert_int_equal(w->refused, CQL_NO_MEMORY);
    assert_true(w->nodes[CQL_NODE_ADDED] <= 4 && w->nodes[CQL_NODE_REMOVED] <= 2);
    assert_int_equal(end(&state), 0);
    return met;
}

static void every_allocation_may_fail(void **state)
{
    size_t n = 1;
    assert_int_equal(end_unused(*state), 0);
    while (life_with_failure(*state, n))
        n++;
    assert_true(n > 50);
    assert_int_equal(begin(state), 0); /* for the end of the test */
    start(*state);
}

#define EVENT_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENT_TEST(schema_events_reach_the_program),
        EVENT_TEST(a_lost_control_connection_is_told_as_missed_events),
        EVENT_TEST(nobody_asks_for_schema_events_that_nobody_hears),
        EVENT_TEST(a_flood_of_events_is_one_refresh),
        EVENT_TEST(a_long_outage_does_not_fill_the_log),
        EVENT_TEST(connecting_takes_six_answers_behind_each_other),
        EVENT_TEST(an_idle_session_is_woken_for_its_heartbeats_alone),
        EVENT_TEST(an_event_during_a_slow_refresh_is_not_lost),
        EVENT_TEST(a_node_that_is_said_to_be_up_is_tried_at_once),
        EVENT_TEST(a_lost_event_heals),
        EVENT_TEST(nodes_beside_the_contact_points_are_asked_too),
        EVENT_TEST(another_cluster_is_not_taken_for_this_one),
        EVENT_TEST(names_come_before_nodes_that_are_silent),
        EVENT_TEST(where_tls_has_a_port_of_its_own_all_nodes_are_found_there),
        EVENT_TEST(ports_are_what_the_tables_say),
        EVENT_TEST(a_busy_server_still_has_its_tables),
        EVENT_TEST(a_server_that_was_upgraded_is_asked_for_ports),
        EVENT_TEST(a_server_without_that_table_is_asked_for_the_older_one),
        EVENT_TEST(rows_of_peers_are_taken_as_far_as_they_go),
        EVENT_TEST(nodes_may_have_addresses_of_either_kind),
        EVENT_TEST(a_picture_that_was_taken_does_not_change),
        EVENT_TEST(a_node_whose_row_is_broken_stays_while_it_answers),
        EVENT_TEST(a_name_that_is_lost_takes_no_node_with_it),
        EVENT_TEST(names_alone_are_resolved_again_too),
        EVENT_TEST(a_node_that_lists_itself_is_one_node),
        EVENT_TEST(names_are_resolved_again_when_every_node_is_gone),
        EVENT_TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
