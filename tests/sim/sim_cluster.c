/* Seeded simulation of control connection, pools, requests, retries and speculation over a network that
 * fails: nodes crash, refuse, freeze, lose connections and prepared statements, answer late, twice, out
 * of order or with errors, move to other addresses, change the schema, lose events; requests are
 * cancelled and time out. After every step these must hold:
 *   - each request's callback came at most once, and by its deadline;
 *   - queues and connections are within their bounds, and nothing waits that could be sent, or never can be;
 *   - no stream id was used again before its answer had come.
 * And after every run:
 *   - each callback came;
 *   - every answer belongs to its request (the server echoes the value that was bound);
 *   - a write that is not idempotent ran at most once, one that was acknowledged at least once, and one
 *     whose error says "not applied" never;
 *   - after the faults end, the cluster serves every request again;
 *   - after closing, nothing is left: no connection, no memory.
 *
 * sim_cluster [SEEDS [FIRST]]: a failing seed is printed and can be run alone. Over 100 seeds and more
 * every kind of fault and of answer to it must have occurred. */
#include "api/options.h"
#include "api/usual.h"
#include "failmalloc.h"
#include "simio.h"

#include "base/error.h"
#include "cluster/slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 400, OPS = 1200, SLACK_MS = 2 * CQLN_WHEEL_TICK_MS + 2, FAULT_EVERY = 40 };

typedef struct op {
    struct world *w;
    uint32_t value;
    uint8_t kind;
    bool idempotent;
    bool started;
    bool cancelled;
    unsigned calls;
    uint64_t submitted;
    uint32_t timeout_ms;
    bool ok;
    bool maybe_applied;
    uint64_t handle;
    char error[200]; /* its text */
} op;

enum { OP_ECHO, OP_INSERT, OP_QUERY, OP_BATCH, OP_CREATE, OP_USE, OP_KINDS };

/* What must not be zero in the end. */
#define TOTALS(X)                                                                                  \
    X(runs) X(requests) X(ok) X(errors) X(timeouts) X(cancelled) X(no_host) X(server_errors)       \
    X(refused) X(drains) X(connects) X(lost) X(retries) X(unaffordable) X(speculations)            \
    X(races_won) X(late_answers) X(reprepares) X(grown) X(shrunk) X(replaced) X(crashes)           \
    X(refusals) X(freezes) X(cuts) X(forgets) X(delays) X(events) X(events_lost) X(removals)       \
    X(moves) X(overloads) X(farewells) X(alters) X(disagreements) X(reordered) X(doubled) X(evicted)          \
    X(to_replicas) X(anywhere) X(bound) X(straight)

typedef struct totals {
#define FIELD(name) uint64_t name;
    TOTALS(FIELD)
#undef FIELD
    uint64_t steps;
} totals;

typedef struct world {
    uint64_t seed;
    failmalloc memory;
    mockcluster mc;
    simio io;
    cql_options *options;
    cqln_cluster c;
    cqln_rand rand;
    cql_prepared *echo;
    cql_prepared *insert;
    op ops[OPS];
    size_t op_count;
    size_t first_open; /* all requests before it have ended */
    cql_retry_policy own_policy;
    bool connected;
    bool closed;
    bool healed; /* no faults any more: no request may fail */
    unsigned prepared_calls;
    totals *t;
} world;

static void die(const world *w, const char *what, const op *o)
{
    fprintf(stderr, "seed %llu: %s (request %u, kind %d, at %llu ms)\n",
            (unsigned long long)w->seed, what, o ? o->value : 0, o ? o->kind : -1,
            (unsigned long long)w->io.now);
    if (o && o->error[0])
        fprintf(stderr, "its error: %s\n", o->error);
    fprintf(stderr, "run it alone: sim_cluster 1 %llu\n", (unsigned long long)w->seed);
    exit(1);
}

/* --- callbacks ------------------------------------------------------------------------------------ */

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    world *w = user;
    (void)s;
    if (err)
        die(w, cql_error_text(err), NULL);
    w->connected = true;
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *p, void *user)
{
    cql_prepared **out = user;
    (void)s;
    (void)err;
    *out = cql_prepared_ref(p);
}

static void check_value(const op *o, const cql_result *res)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows) || cql_rows_int32(&rows, 0) != (int32_t)o->value)
        die(o->w, "an answer reached the wrong request", o);
    if (cql_rows_status(&rows))
        die(o->w, "a result could not be read", o);
}

static void count_error(totals *t, cql_status st)
{
    t->errors++;
    t->timeouts += st == CQL_TIMEOUT;
    t->cancelled += st == CQL_CANCELLED;
    t->no_host += st == CQL_NO_HOST;
    t->server_errors += CQL_SERVER_CODE(st) >= 0;
}

static void on_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    op *o = user;
    world *w = o->w;
    (void)s;
    if (++o->calls != 1)
        die(w, "a callback came twice", o);
    if ((err != NULL) == (res != NULL))
        die(w, "error and result are not exactly one", o);
    if (o->kind != OP_CREATE && w->io.now > o->submitted + o->timeout_ms + SLACK_MS)
        die(w, "a callback came after its deadline", o);
    if (err && (cql_error_status(err) == CQL_MALFORMED || cql_error_status(err) == CQL_UNEXPECTED))
        die(w, cql_error_text(err), o);
    if (err) {
        o->maybe_applied = cql_error_maybe_applied(err);
        snprintf(o->error, sizeof o->error, "%s", cql_error_text(err));
        count_error(w->t, cql_error_status(err));
        return;
    }
    o->ok = true;
    w->t->ok++;
    if (o->kind == OP_ECHO)
        check_value(o, res);
}

/* --- requests ------------------------------------------------------------------------------------- */

/* Half of the time what the session's option says by itself is left unsaid. */
static bool is_said(const world *w, const op *o)
{
    return o->value % 4 < 2 || o->idempotent != (w->c.config->idempotent != 0);
}

static cql_statement *make_statement(world *w, const op *o)
{
    cql_statement *st = cql_prepared_bind(o->kind == OP_ECHO ? w->echo : w->insert);
    cql_statement_bind_int32(st, 0, (int32_t)o->value);
    if (is_said(w, o))
        cql_statement_set_idempotent(st, o->idempotent);
    if (o->value % 16 == 0)
        cql_statement_set_retry_policy(st, &w->own_policy);
    if (o->value % 16 == 1)
        cql_statement_set_speculative(st, false);
    return st;
}

static cql_status encode(world *w, op *o, cqln_request *req)
{
    cql_statement *st = NULL;
    cql_batch *b = NULL;
    cql_status status;
    switch (o->kind) {
    case OP_ECHO:
    case OP_INSERT:
        st = make_statement(w, o);
        status = cqln_encode_statement(&w->c, st, req);
        break;
    case OP_BATCH:
        st = cql_prepared_bind(w->insert);
        cql_statement_bind_int32(st, 0, (int32_t)o->value);
        cql_batch_new(CQL_BATCH_UNLOGGED, &w->memory.al, &b);
        cql_batch_add(b, st);
        if (is_said(w, o))
            cql_batch_set_idempotent(b, o->idempotent);
        if (o->value % 8 == 0)
            cql_batch_set_retry_policy(b, cql_retry_fall_through());
        status = cqln_encode_batch_request(&w->c, b, req);
        break;
    case OP_CREATE:
        return cqln_encode_text(&w->c, cql_str_of("CREATE TABLE t (k int PRIMARY KEY)"), req);
    case OP_USE:
        return cqln_encode_text(&w->c, cql_str_of(o->value % 2 ? "USE \"one\"" : "USE \"two\""),
                                req);
    default:
        return cqln_encode_text(&w->c, cql_str_of("SELECT * FROM t rows 25"), req);
    }
    cql_statement_free(st);
    cql_batch_free(b);
    return status;
}

static void note_started(world *w, op *o, uint32_t timeout_ms)
{
    o->timeout_ms = timeout_ms;
    o->submitted = w->io.now;
    o->started = true;
    w->op_count++;
    w->t->requests++;
}

/* As cql_session_execute does it, where it can: true when that is so. */
static bool submit_straight(world *w, op *o)
{
    if (o->kind != OP_ECHO && o->kind != OP_INSERT)
        return false;
    cql_statement *st = make_statement(w, o);
    cqln_hold *e = cqln_holds_entry(&w->c.holds, st->prepared);
    bool fits = cqln_usual_fits(&w->c, e, st);
    if (fits && cqln_execute_usual(&w->c, st, e, on_result, o) == CQL_OK) {
        note_started(w, o, TIMEOUT_MS);
        w->t->straight++;
    } else if (fits) {
        w->t->refused++;
    }
    cql_statement_free(st);
    return fits;
}

static void submit(world *w)
{
    op *o = &w->ops[w->op_count];
    cqln_request *req;
    memset(o, 0, sizeof *o);
    o->w = w;
    o->value = (uint32_t)w->op_count;
    uint64_t draw = cqln_rand_below(&w->rand, 100);
    o->kind = draw < 45 ? OP_ECHO : draw < 80 ? OP_INSERT : draw < 90 ? OP_QUERY : draw < 98 ? OP_BATCH
              : draw < 99 ? OP_CREATE : OP_USE;
    o->idempotent = cqln_rand_below(&w->rand, 2) == 0;
    if (cqln_rand_below(&w->rand, 2) == 0 && submit_straight(w, o)) {
        if (o->calls)
            die(w, "a callback came from inside the call that registered it", o);
        return;
    }
    if (cqln_request_begin(&w->c, &req) != CQL_OK) {
        w->t->refused++;
        return;
    }
    if (encode(w, o, req) != CQL_OK)
        die(w, "a request could not be encoded", o);
    w->t->to_replicas += req->route.has_token;
    w->t->anywhere += req->route.anywhere;
    note_started(w, o, cqln_rand_below(&w->rand, 4) == 0 && !w->healed ? 20 : TIMEOUT_MS);
    req->timeout_ms = o->timeout_ms;
    req->cb.result = on_result;
    req->user = o;
    if (o->value % 32 == 7 && !w->healed) { /* not in the list of nodes, perhaps */
        req->bound |= CQLN_BOUND_HOST;
        cqln_address_print(&w->mc.nodes[o->value / 7 % w->mc.count].address, req->only_host);
        w->t->bound++;
    }
    o->handle = cqln_request_handle(req);
    cqln_request_start(req);
    if (o->calls)
        die(w, "a callback came from inside the call that registered it", o);
}

static void cancel_one(world *w)
{
    op *o = &w->ops[cqln_rand_below(&w->rand, w->op_count ? w->op_count : 1)];
    if (w->op_count && o->started && !o->calls)
        cqln_request_cancel(&w->c, o->handle);
}

/* --- faults --------------------------------------------------------------------------------------- */

static void crash(world *w, size_t node)
{
    simhost *h = &w->io.hosts[node];
    h->down = !h->down;
    if (!h->down)
        return;
    w->t->crashes++;
    mocknode_forget(&w->mc.nodes[node]);
    simio_cut(&w->io, node);
}

static void tell(world *w, const char *type, const char *change, size_t node)
{
    if (cqln_rand_below(&w->rand, 3) == 0) {
        w->t->events_lost++;
        return;
    }
    w->t->events++;
    simio_event(&w->io, type, change, node);
}

/* To another address and back; whoever wants to reach the old one is refused. */
static void move(world *w, size_t node)
{
    mocknode *n = &w->mc.nodes[node];
    n->address.bytes[2] = n->address.bytes[2] ? 0 : 1;
    w->t->moves++;
    simio_cut(&w->io, node);
    tell(w, "TOPOLOGY_CHANGE", "NEW_NODE", node);
}

/* v4 servers forget a statement when its table changes. */
static void alter(world *w)
{
    w->mc.columns = 3 - w->mc.columns;
    w->t->alters++;
    for (size_t i = 0; i < w->mc.count; i++) {
        w->mc.nodes[i].schema_version.bytes[0]++;
        if (w->mc.nodes[i].max_version < 5)
            mocknode_forget(&w->mc.nodes[i]);
    }
}

/* All nodes refuse for their load, or none does any more. */
static void overload(world *w)
{
    uint32_t code = w->mc.nodes[0].error_code ? 0 : 0x1001;
    w->t->overloads += code != 0;
    for (size_t i = 0; i < w->mc.count; i++)
        w->mc.nodes[i].error_code = code;
}

/* A node says that it shuts down, and does so the next time. */
static void say_farewell(world *w, size_t node)
{
    mocknode *n = &w->mc.nodes[node];
    n->leaving = !n->leaving;
    w->t->farewells += n->leaving;
    if (!n->leaving)
        simio_cut(&w->io, node);
}

static void inject_rare(world *w, size_t node)
{
    mocknode *n = &w->mc.nodes[node];
    switch (cqln_rand_below(&w->rand, 9)) {
    case 0:
        n->member = !n->member;
        w->t->removals += !n->member;
        tell(w, "TOPOLOGY_CHANGE", n->member ? "NEW_NODE" : "REMOVED_NODE", node);
        break;
    case 1:
        move(w, node);
        break;
    case 2:
        alter(w);
        break;
    case 3:
        n->schema_version.bytes[1]++;
        w->t->disagreements++;
        break;
    case 4:
        n->late_every = n->late_every ? 0 : 1 + (uint32_t)cqln_rand_below(&w->rand, 8);
        break;
    case 5:
        n->twice_every = n->twice_every ? 0 : 5 + (uint32_t)cqln_rand_below(&w->rand, 100);
        break;
    case 6:
        overload(w);
        break;
    case 7:
        say_farewell(w, node);
        break;
    default:
        n->most_statements = n->most_statements ? 0 : 1;
        break;
    }
}

static void inject(world *w)
{
    static const uint32_t codes[] = {0, 0, 0x1000, 0x1001, 0x1002, 0x0000, 0x1100, 0x1200, 0x2200};
    size_t node = (size_t)cqln_rand_below(&w->rand, w->mc.count);
    simhost *h = &w->io.hosts[node];
    switch (cqln_rand_below(&w->rand, 12)) {
    case 0:
        crash(w, node);
        break;
    case 1:
        h->down = !h->down; /* what is connected stays */
        w->t->refusals += h->down;
        break;
    case 2:
        h->frozen = !h->frozen;
        w->t->freezes += h->frozen;
        break;
    case 3:
        simio_cut(&w->io, node);
        w->t->cuts++;
        break;
    case 4:
        mocknode_forget(&w->mc.nodes[node]);
        w->t->forgets++;
        break;
    case 5:
        w->mc.nodes[node].error_code = codes[cqln_rand_below(&w->rand, CQL_COUNT(codes))];
        break;
    case 6:
        h->delay_ms = (uint32_t)cqln_rand_below(&w->rand, 60);
        w->t->delays += h->delay_ms > 0;
        break;
    case 7:
        tell(w, "STATUS_CHANGE", h->down ? "DOWN" : "UP", node);
        break;
    case 8:
    case 9:
        cancel_one(w);
        break;
    default:
        inject_rare(w, node);
        break;
    }
}

static void heal(world *w)
{
    for (size_t i = 0; i < w->mc.count; i++) {
        w->io.hosts[i].down = false;
        w->io.hosts[i].frozen = false;
        w->io.hosts[i].delay_ms = 0;
        mocknode *n = &w->mc.nodes[i];
        n->error_code = 0;
        n->leaving = false;
        n->member = true;
        n->late_every = 0;
        n->twice_every = 0;
        n->most_statements = 0;
        n->schema_version = w->mc.nodes[0].schema_version;
        if (n->address.bytes[2])
            simio_cut(&w->io, i);
        n->address.bytes[2] = 0;
        simio_event(&w->io, "STATUS_CHANGE", "UP", i);
    }
}

/* --- after every step ------------------------------------------------------------------------------ */

static void check_nodes(const world *w)
{
    const cqln_config *config = w->c.config;
    for (const cqln_node *n = w->c.nodes; n; n = n->next) {
        if (n->want > n->slot_count || n->want < n->core)
            die(w, "a node wants more connections than it may have, or fewer than it must", NULL);
        for (uint32_t i = 0; i < n->slot_count; i++)
            if (n->slots[i].link && cqln_conn_in_flight(n->slots[i].link->conn) >
                                        config->max_requests_per_connection)
                die(w, "more requests are in flight on a connection than may be", NULL);
    }
}

/* A node may be found before it is listed, but it is not connected to until it can also be chosen. */
static void check_ready(const world *w)
{
    const cqln_router *r = &w->c.router;
    for (uint32_t i = 0; i < w->c.ready_count; i++) {
        const cqln_node *n = w->c.ready[i];
        if (!n->removed && (n->index >= r->peers.count || r->nodes[n->index] != n))
            die(w, "a node has connections and cannot be chosen", NULL);
    }
}

/* only NULL: on any node. */
static bool a_stream_is_free(const world *w, const cqln_node *only)
{
    for (uint32_t k = 0; k < w->c.ready_count; k++) {
        const cqln_node *n = w->c.ready[k];
        for (uint32_t i = 0; i < n->slot_count; i++)
            if ((!only || n == only) && cqln_slot_usable(&n->slots[i]) &&
                cqln_conn_free_streams(n->slots[i].link->conn) > 0)
                return true;
    }
    return false;
}

/* An attempt that is under way ends, and with it the wait. */
static bool somebody_tries(const world *w, const cqln_node *only)
{
    for (const cqln_node *n = w->c.nodes; n; n = n->next)
        if ((!only || n == only) && cqln_slots_any(n))
            return true;
    return false;
}

static void check_waiting(const world *w)
{
    for (cqln_list *at = w->c.waiting.next; at != &w->c.waiting; at = at->next) {
        cqln_request *req = CQLN_CONTAINER(at, cqln_request, queue);
        const op *o = req->is_prepare ? NULL : req->user;
        if (a_stream_is_free(w, req->only))
            die(w, "a request waits although a stream is free", o);
        if (!cqln_router_hope(req) && !somebody_tries(w, req->only))
            die(w, "a request waits for what is lost", o);
    }
}

static void check_step(world *w)
{
    w->t->steps++;
    if (!w->io.woken)
        check_waiting(w);
    check_ready(w);
    if (w->c.pending > w->c.config->max_pending_requests)
        die(w, "the queue is over its bound", NULL);
    if (w->mc.reused)
        die(w, "a stream id was used again before its answer had come", NULL);
    check_nodes(w);
    while (w->first_open < w->op_count && w->ops[w->first_open].calls)
        w->first_open++;
    if (w->first_open < w->op_count) {
        const op *o = &w->ops[w->first_open];
        if (o->kind != OP_CREATE && w->io.now > o->submitted + o->timeout_ms + SLACK_MS)
            die(w, "a deadline passed without a callback", o);
    }
}

static void run_until(world *w, uint64_t until)
{
    while (simio_step(&w->io, until))
        check_step(w);
    if (w->io.now < until)
        w->io.now = until;
}

/* --- a run ---------------------------------------------------------------------------------------- */

static void set(world *w, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    if (cql_options_set(w->options, name, text, NULL) != CQL_OK)
        die(w, name, NULL);
}

static void set_word(world *w, const char *name, uint64_t draw, const char *first,
                     const char *second, const char *rest)
{
    if (cql_options_set(w->options, name, draw == 0 ? first : draw == 1 ? second : rest, NULL) !=
        CQL_OK)
        die(w, name, NULL);
}

/* Says "again" to everything: what it may not have, the library must refuse. */
static cql_retry_verdict always(void *self, const cql_retry_info *info)
{
    (void)self;
    return info->retries % 2 ? CQL_RETRY_SAME_HOST : CQL_RETRY_NEXT_HOST;
}

static void on_drain(cql_session *s, void *user)
{
    (void)s;
    ((world *)user)->t->drains++;
}

static void make_world(world *w, uint64_t seed, totals *t)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->t = t;
    w->own_policy = (cql_retry_policy){sizeof w->own_policy, NULL, always};
    failmalloc_init(&w->memory);
    cqln_rand_seed(&w->rand, seed);
    mockcluster_init(&w->mc, 1 + (size_t)cqln_rand_below(&w->rand, 5));
    if (seed % 3 == 2) /* every node has every row */
        w->mc.replication = "class=SimpleStrategy replication_factor=5";
    simio_init(&w->io, &w->mc, seed);
    w->io.max_delay = 1 + (uint32_t)cqln_rand_below(&w->rand, 8);
    w->io.max_chunk = 1 + (uint32_t)cqln_rand_below(&w->rand, 600);
    w->io.send_room = 1 + (size_t)cqln_rand_below(&w->rand, 4000);
    if (cqln_rand_below(&w->rand, 4) == 0)
        for (size_t i = 0; i < MOCK_NODES; i++)
            w->mc.nodes[i].max_version = 4;
    if (cqln_rand_below(&w->rand, 4) == 0)
        for (size_t i = 0; i < MOCK_NODES; i++)
            w->mc.nodes[i].peers_v2 = false;
    if (cql_options_new(&w->memory.al, &w->options) != CQL_OK)
        die(w, "no options", NULL);
    cql_options_set_contact_points(w->options, "127.9.0.1,127.9.0.2", NULL);
    set(w, "connections_per_host", 1 + cqln_rand_below(&w->rand, 3));
    set(w, "max_connections_per_host", 1 + cqln_rand_below(&w->rand, 5));
    set(w, "connection_grow_requests", 1 + cqln_rand_below(&w->rand, 20));
    set(w, "connection_idle_timeout", 100);
    set_word(w, "speculation", cqln_rand_below(&w->rand, 3), "off", "constant", "percentile");
    set(w, "speculation_delay", 5 + cqln_rand_below(&w->rand, 40));
    set(w, "speculation_percentile", 50 + cqln_rand_below(&w->rand, 50));
    set(w, "speculation_max", 1 + cqln_rand_below(&w->rand, 4));
    cql_options_set(w->options, "idempotent", w->seed / 2 % 2 ? "true" : "false", NULL);
    set_word(w, "retry", cqln_rand_below(&w->rand, 6), "none", "default", "default");
    set(w, "retry_budget", cqln_rand_below(&w->rand, 2) ? cqln_rand_below(&w->rand, 20) : 1000);
    set(w, "max_prepared", cqln_rand_below(&w->rand, 3));
    set_word(w, "reconnect_policy", cqln_rand_below(&w->rand, 2), "constant", "exponential", "");
    set(w, "max_requests_per_connection", 1 + cqln_rand_below(&w->rand, 40));
    set(w, "max_pending_requests", 20 + cqln_rand_below(&w->rand, 200));
    set(w, "request_timeout", TIMEOUT_MS);
    set(w, "read_buffer", 4096);
    set(w, "reconnect_base", 10);
    set(w, "reconnect_max", 200);
    set(w, "connect_timeout", 300);
    set(w, "heartbeat", 200);
    set(w, "heartbeat_timeout", 100);
    set(w, "refresh_interval", 1000);
    set(w, "schema_agreement_timeout", 500);
    if (cqln_rand_below(&w->rand, 3) == 0)
        cql_options_set(w->options, "compression", "lz4", NULL);
}

static void start_cluster(world *w)
{
    if (cqln_cluster_init(&w->c, &w->io.io, &w->memory.al, &w->options->config, w) != CQL_OK)
        die(w, "no cluster", NULL);
    w->c.drain_cb = on_drain;
    w->c.drain_user = w;
    if (w->seed % 2) /* as a driven session, and one on the program's own loop; else as one with a thread */
        cqln_cluster_alone(&w->c);
    cqln_cluster_connect(&w->c, on_connected, w);
    run_until(w, w->io.now + 2000);
    if (!w->connected)
        die(w, "not connected within 2 s", NULL);
}

static void prepare(world *w, const char *cql, cql_prepared **out)
{
    cqln_request *req;
    if (cqln_request_begin(&w->c, &req) != CQL_OK)
        die(w, "prepare was refused", NULL);
    cql_str text = cql_str_of(cql);
    cqln_encode_prepare(&req->env, (uint8_t)w->c.version, text, (cql_str){NULL, 0});
    req->is_prepare = true;
    req->cb.prepared = on_prepared;
    req->user = out;
    req->cql = (cql_str){(const char *)req->env.data + CQLN_FRAME_HEADER + 4, text.len};
    cqln_request_start(req);
    run_until(w, w->io.now + 500);
    if (!*out)
        die(w, "prepare did not answer", NULL);
}

static void check_writes(const world *w)
{
    for (size_t i = 0; i < w->op_count; i++) {
        const op *o = &w->ops[i];
        unsigned ran = w->mc.executed[o->value];
        if (o->calls != 1)
            die(w, "a callback never came", o);
        if (o->kind != OP_INSERT && o->kind != OP_BATCH)
            continue;
        if (!o->idempotent && ran > 1)
            die(w, "a write that is not idempotent ran twice", o);
        if (o->ok && ran == 0)
            die(w, "an acknowledged write never ran", o);
        if (!o->ok && !o->maybe_applied && ran > 0)
            die(w, "an error said \"not applied\", but it ran", o);
    }
}

static void check_healed(const world *w)
{
    for (const cqln_node *n = w->c.nodes; n; n = n->next)
        if (!n->removed && n->usable < n->core)
            die(w, "a node lacks connections after the faults ended", NULL);
}

static void serve_again(world *w)
{
    heal(w);
    run_until(w, w->io.now + 4000);
    check_healed(w);
    w->healed = true;
    size_t first = w->op_count;
    while (w->op_count < first + 20 && w->op_count < OPS) {
        size_t before = w->op_count;
        submit(w);
        if (w->op_count == before)
            die(w, "a request was refused after the faults ended", NULL);
        run_until(w, w->io.now + 30);
    }
    run_until(w, w->io.now + 1000);
    for (size_t i = first; i < w->op_count; i++)
        if (!w->ops[i].ok)
            die(w, "a request failed after the faults ended", &w->ops[i]);
}

static void on_closed(void *user)
{
    ((world *)user)->closed = true;
}

/* What was begun has ended one way, and nothing is under way any more. */
static void check_meter(const world *w, const cqln_meter *m, uint64_t begun)
{
    uint64_t ended = 0;
    for (int i = 0; i < CQLN_METER_BUCKETS; i++)
        ended += m->buckets[i];
    for (int i = CQL_METRIC_ERROR_TIMEOUT; i < CQL_METRIC_COUNT; i++)
        ended += m->values[i];
    if (m->values[CQL_METRIC_REQUESTS] != begun || ended != begun)
        die(w, "the metrics have lost or invented a request", NULL);
    for (const cqln_node *n = w->c.nodes; n; n = n->next)
        if (n->meter->traffic.in_flight != 0)
            die(w, "the metrics show a request under way after the end", NULL);
}

static void count_run(world *w)
{
    totals *t = w->t;
    const cqln_counts *n = &w->c.counts;
    cqln_counter *metrics = w->c.meter->values;
    t->connects += w->io.connects;
    t->lost += w->io.lost;
    t->retries += metrics[CQL_METRIC_RETRIES];
    t->unaffordable += n->unaffordable;
    t->speculations += metrics[CQL_METRIC_SPECULATIONS];
    t->races_won += n->races_won;
    t->reprepares += metrics[CQL_METRIC_REPREPARES];
    t->grown += n->grown;
    t->shrunk += n->shrunk;
    t->replaced += n->replaced;
    t->late_answers += w->c.loop.late;
    for (size_t i = 0; i < MOCK_NODES; i++) {
        t->reordered += w->mc.nodes[i].reordered;
        t->doubled += w->mc.nodes[i].doubled;
        t->evicted += w->mc.nodes[i].evicted;
    }
}

/* Records that are free hold nothing over from requests that were not straight: those that are rely on it. */
static void check_records(const world *w)
{
    for (const cqln_request *req = w->c.spare; req; req = req->way.spare) {
        const char *rest = (const char *)&req->only;
        for (size_t i = 0; i < offsetof(cqln_request, env) - offsetof(cqln_request, only); i++)
            if (rest[i])
                die(w, "a free record is not at rest", NULL);
        if (req->env.status || req->env.cap > CQLN_ENV_KEPT)
            die(w, "a free record is not at rest", NULL);
    }
}

static void end_world(world *w)
{
    cqln_cluster_close(&w->c, on_closed, w);
    for (int i = 0; i < 100 && !w->closed; i++)
        run_until(w, w->io.now + 100);
    if (!w->closed)
        die(w, "closing did not end within 10 s", NULL);
    if (!cqln_list_empty(&w->io.streams))
        die(w, "a connection was left open", NULL);
    check_writes(w);
    check_records(w);
    check_meter(w, w->c.meter, w->op_count + 2); /* and two that prepared */
    count_run(w);
    cql_prepared_unref(w->echo);
    cql_prepared_unref(w->insert);
    cqln_cluster_fini(&w->c);
    cql_options_free(w->options);
    if (w->memory.live)
        die(w, "memory was left behind", NULL);
    simio_fini(&w->io);
    mockcluster_fini(&w->mc);
}

static void run_seed(uint64_t seed, totals *t)
{
    static world w;
    make_world(&w, seed, t);
    start_cluster(&w);
    bool keyed = seed % 3 != 1; /* the marker is the partition key: there are replicas to choose from */
    prepare(&w, keyed ? "SELECT * FROM by_key WHERE echo = ?" : "SELECT * FROM t WHERE echo = ?", &w.echo);
    prepare(&w, keyed ? "INSERT INTO by_key (v) VALUES (?)" : "INSERT INTO t (v) VALUES (?)", &w.insert);
    while (w.op_count < OPS - 40) {
        unsigned burst = 1 + (unsigned)cqln_rand_below(&w.rand, 30);
        for (unsigned i = 0; i < burst && w.op_count < OPS - 40; i++)
            submit(&w);
        if (cqln_rand_below(&w.rand, 100) < FAULT_EVERY)
            inject(&w);
        run_until(&w, w.io.now + cqln_rand_below(&w.rand, 40));
    }
    run_until(&w, w.io.now + 1000);
    serve_again(&w);
    end_world(&w);
    t->runs++;
}

/* Sanitizers make a seed take ten times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SEEDS = 150 };
#else
enum { SEEDS = 1000 };
#endif
enum { SEEDS_SLOWER = 100 };

/* Seeds beyond the usual ones that once found something; they run too when no seeds are named.
 * 2236: the main attempt was submitted again in the turn in which another attempt's answer ended the request;
 * the error said "not applied", and then the main attempt's bytes left.
 * 21022: a discovery that was cut off left a node that was connected to but in no plan. */
static const uint64_t found_before[] = {2236, 21022};

int main(int argc, char **argv)
{
    static totals t;
    uint64_t usual = getenv("CQL_TESTS_SLOWER") ? SEEDS_SLOWER : SEEDS; /* as under valgrind */
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : usual;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    bool complete = true;
    for (uint64_t i = 0; i < seeds; i++)
        run_seed(first + i, &t);
    for (size_t i = 0; argc == 1 && i < CQL_COUNT(found_before); i++)
        run_seed(found_before[i], &t);
#define SHOW(field)                                                                                \
    printf("%-14s %llu\n", #field, (unsigned long long)t.field);                                   \
    complete = complete && t.field > 0;
    TOTALS(SHOW)
    printf("%-14s %llu\n", "steps", (unsigned long long)t.steps);
    if (!complete && seeds >= 100) {
        fprintf(stderr, "one of these never happened: the simulation does not test it\n");
        return 1;
    }
    return 0;
}
