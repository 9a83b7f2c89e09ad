/* What a session tells about itself on real sockets: metrics and hooks. */
#include "mocksession.h"

#include <cqlnative/routing.h>

#include <poll.h>
#include <pthread.h>

static void count_what_happens(const char *mode)
{
    cql_latency l;
    cql_session *s = open_session(mode);
    assert_int_equal(metric_of(s, CQL_METRIC_REQUESTS), 0);
    for (int i = 0; i < 30; i++)
        assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 2", NULL, NULL), CQL_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(cql_session_query_wait(s, "syntax", NULL, NULL), CQL_SERVER_SYNTAX_ERROR);
    for (int i = 0; i < 2000 && metric_of(s, CQL_METRIC_IN_FLIGHT); i++)
        poll(NULL, 0, 1); /* it is shown at the end of a read, the callback came before that */
    cql_metrics *m = cql_session_metrics(s);
    assert_int_equal(cql_metrics_nodes(m), 3);
    assert_int_equal(cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_REQUESTS), 35);
    assert_int_equal(cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_ERROR_REFUSED), 5);
    assert_int_equal(cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_IN_FLIGHT), 0);
    assert_int_equal(cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_QUEUED), 0);
    assert_true(cql_metrics_latency(m, CQL_METRICS_SESSION, &l));
    assert_int_equal(l.count, 30);
    assert_true(l.max_us > 0 && l.p50_us <= l.p99_us && l.p99_us <= l.max_us);
    uint64_t requests = 0, refused = 0, connections = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(strstr(cql_metrics_node(m, i), "127.9.0."));
        requests += cql_metrics_value(m, i, CQL_METRIC_REQUESTS);
        refused += cql_metrics_value(m, i, CQL_METRIC_ERROR_REFUSED);
        connections += cql_metrics_value(m, i, CQL_METRIC_CONNECTIONS);
        assert_true(cql_metrics_value(m, i, CQL_METRIC_OPENED) >= 1);
        assert_true(cql_metrics_value(m, i, CQL_METRIC_BYTES_IN) > 100);
        assert_true(cql_metrics_value(m, i, CQL_METRIC_BYTES_OUT) > 100);
    }
    assert_int_equal(requests, 35);
    assert_int_equal(refused, 5);
    assert_int_equal(connections,
                     cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_CONNECTIONS));
    close_session(s);
    assert_int_equal(cql_metrics_nodes(m), 3); /* it outlives its session */
    assert_string_equal(cql_metrics_node(m, 3), "");
    assert_true(cql_metrics_prometheus(m, NULL, 0) > 1000);
    cql_metrics_free(m);
    cql_metrics_free(NULL);
    assert_null(cql_session_metrics(NULL));
}

static void own_thread_counts(void **state)
{
    (void)state;
    count_what_happens("loop_threads=1");
}

static void driven_counts(void **state)
{
    (void)state;
    count_what_happens("loop_threads=0");
}

static void count_call(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)s;
    (void)err;
    (void)res;
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void requests_under_way_are_seen(void **state)
{
    (void)state;
    atomic_uint calls = 0;
    cql_session *s = open_session(
        "loop_threads=1&max_pending_requests=8&max_requests_per_connection=1&max_connections_per_host=1");
    hold_nodes();
    unsigned sent = 0;
    while (cql_session_query(s, "SELECT * FROM t rows 2", count_call, &calls) == CQL_OK)
        sent++;
    assert_int_equal(sent, 8);
    uint64_t in_flight = 0, queued = 0;
    for (int i = 0; i < PATIENCE_MS && (in_flight == 0 || queued == 0); i++, poll(NULL, 0, 1)) {
        in_flight = metric_of(s, CQL_METRIC_IN_FLIGHT);
        queued = metric_of(s, CQL_METRIC_QUEUED);
    }
    let_nodes_go();
    assert_true(in_flight >= 1 && in_flight <= 8);
    assert_true(queued >= 1 && queued <= 8);
    assert_true(metric_of(s, CQL_METRIC_REFUSED) >= 1);
    wait_for(&calls, 8);
    close_session(s);
}

static void time_outs_and_losses_are_counted(void **state)
{
    (void)state;
    cql_error *err = NULL;
    cql_session *s = open_session("loop_threads=1&request_timeout=30&reconnect_base=10");
    hold_nodes();
    assert_int_equal(cql_session_query_wait(s, "INSERT INTO t", NULL, &err), CQL_TIMEOUT);
    let_nodes_go();
    assert_int_equal(strncmp(cql_error_host(err), "127.9.0.", 8), 0); /* the node that was asked */
    cql_error_unref(err);
    assert_int_equal(metric_of(s, CQL_METRIC_ERROR_TIMEOUT), 1);
    mockserver_cut(&server);
    for (int i = 0; i < PATIENCE_MS && metric_of(s, CQL_METRIC_LOST) < 3; i++)
        poll(NULL, 0, 1);
    assert_true(metric_of(s, CQL_METRIC_LOST) >= 3);
    for (int i = 0; i < PATIENCE_MS && metric_of(s, CQL_METRIC_CONNECTIONS) < 3; i++)
        poll(NULL, 0, 1);
    assert_true(metric_of(s, CQL_METRIC_OPENED) >= 6);
    close_session(s);
}

static void snapshot_without_memory_is_none(void **state)
{
    (void)state;
    char url[200];
    cql_options *o = NULL;
    cql_session *s = NULL;
    failmalloc memory;
    failmalloc_init(&memory);
    snprintf(url, sizeof url, "cql://%s/?loop_threads=0&connect_timeout=60s", mockserver_host(&server, 0));
    assert_int_equal(cql_options_new(&memory.al, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    assert_int_equal(cql_session_connect_wait(s, NULL), CQL_OK);
    memory.fail_at = memory.requests + 1;
    assert_null(cql_session_metrics(s));
    cql_metrics *m = cql_session_metrics(s);
    assert_int_equal(cql_metrics_nodes(m), 3);
    close_session(s);
    cql_options_free(o);
    assert_true(memory.live > 0); /* the allocator is still in use: the snapshot outlives all else */
    cql_metrics_free(m);
    assert_int_equal(memory.live, 0);
}

/* --- hooks ------------------------------------------------------------------------------------------ */

typedef struct tracer {
    atomic_uint starts, attempts, ends, errors, wrong;
    const char *kind;
    char cql[80];
} tracer;

typedef struct span {
    uint64_t id;
    unsigned attempts;
} span;

static void on_start(void *self, const cql_request_note *note, void **slot)
{
    tracer *t = self;
    span *sp = calloc(1, sizeof *sp);
    sp->id = note->id;
    t->wrong += *slot != NULL || note->host[0] || note->attempt || note->elapsed_us;
    t->kind = note->kind;
    snprintf(t->cql, sizeof t->cql, "%.*s", (int)note->cql.len, note->cql.ptr);
    *slot = sp;
    t->starts++;
}

static void on_attempt(void *self, const cql_request_note *note, void **slot)
{
    tracer *t = self;
    span *sp = *slot;
    t->wrong += sp->id != note->id || note->attempt != ++sp->attempts ||
                strncmp(note->host, "127.9.0.", 8) != 0;
    t->wrong += !cql_str_equal(note->cql, cql_str_of(t->cql));
    t->attempts++;
}

static void on_end(void *self, const cql_request_note *note, void **slot)
{
    tracer *t = self;
    span *sp = *slot;
    t->wrong += sp->id != note->id || note->attempt != sp->attempts;
    t->wrong += (note->err != NULL) != (note->status != CQL_OK);
    t->wrong += !cql_str_equal(note->cql, cql_str_of(t->cql));
    t->errors += note->err != NULL;
    t->ends++;
    free(sp);
}

static void hooks_frame_every_request(void **state)
{
    (void)state;
    static const char *const modes[] = {"loop_threads=1", "loop_threads=0"};
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        tracer t = {.starts = 0};
        cql_prepared *p = NULL;
        cql_batch *b = NULL;
        const cql_request_hooks hooks = {.size = sizeof hooks,
                                         .self = &t,
                                         .start = on_start,
                                         .attempt = on_attempt,
                                         .end = on_end};
        cql_options *o = options(modes[i]);
        assert_int_equal(cql_options_set_request_hooks(o, &hooks), CQL_OK);
        cql_session *s = open_with(o);
        assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 2", NULL, NULL), CQL_OK);
        assert_string_equal(t.kind, "query");
        assert_int_equal(cql_session_query_wait(s, "syntax", NULL, NULL), CQL_SERVER_SYNTAX_ERROR);
        assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &p, NULL),
                         CQL_OK);
        assert_string_equal(t.kind, "prepare");
        cql_statement *st = cql_prepared_bind(p);
        cql_statement_bind_int32(st, 0, 7);
        assert_int_equal(cql_session_execute_wait(s, st, NULL, NULL), CQL_OK);
        assert_string_equal(t.kind, "execute");
        assert_int_equal(cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &b), CQL_OK);
        assert_int_equal(cql_batch_add(b, st), CQL_OK);
        assert_int_equal(cql_session_execute_batch_wait(s, b, NULL, NULL), CQL_OK);
        assert_string_equal(t.kind, "batch");
        cql_batch_free(b);
        cql_statement_free(st);
        cql_prepared_unref(p);
        close_session(s);
        assert_int_equal(t.starts, 5);
        assert_int_equal(t.ends, 5);
        assert_true(t.attempts >= 5); /* a statement is prepared again on a node that lacks it */
        assert_int_equal(t.errors, 1);
        assert_int_equal(t.wrong, 0);
    }
}

/* Runs one of a new batch with two members, of which the first decides. */
static void run_batch(cql_session *s, const cql_statement *first, const cql_statement *second)
{
    cql_batch *b = NULL;
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_add_payload(b, "key", "value", 5), CQL_OK);
    if (first)
        assert_int_equal(cql_batch_add(b, first), CQL_OK);
    if (second)
        assert_int_equal(cql_batch_add(b, second), CQL_OK);
    assert_int_equal(cql_session_execute_batch_wait(s, b, NULL, NULL), CQL_OK);
    cql_batch_free(b);
}

static void hooks_tell_the_text(void **state)
{
    (void)state;
    static const char insert[] = "INSERT INTO t (k) VALUES (1)", find[] = "SELECT v FROM t WHERE echo = ?";
    tracer t = {.starts = 0};
    cql_prepared *p = NULL;
    cql_statement *text = NULL;
    const cql_request_hooks hooks = {.size = sizeof hooks,
                                     .self = &t,
                                     .start = on_start,
                                     .attempt = on_attempt,
                                     .end = on_end};
    cql_options *o = options("loop_threads=1");
    assert_int_equal(cql_options_set_request_hooks(o, &hooks), CQL_OK);
    cql_session *s = open_with(o);
    assert_int_equal(cql_statement_new(insert, 0, NULL, &text), CQL_OK);
    assert_int_equal(cql_session_execute_wait(s, text, NULL, NULL), CQL_OK);
    assert_string_equal(t.cql, insert);
    assert_int_equal(cql_statement_add_payload(text, "a name", "some bytes", 10), CQL_OK);
    assert_int_equal(cql_statement_add_payload(text, "null", NULL, 0), CQL_OK);
    assert_int_equal(cql_session_execute_wait(s, text, NULL, NULL), CQL_OK);
    assert_string_equal(t.cql, insert);
    assert_int_equal(cql_session_prepare_wait(s, find, &p, NULL), CQL_OK);
    assert_string_equal(t.cql, find);
    assert_int_equal(cql_session_query_wait(s, insert, NULL, NULL), CQL_OK);
    cql_statement *bound = cql_prepared_bind(p);
    assert_int_equal(cql_statement_bind_int32(bound, 0, 7), CQL_OK);
    assert_int_equal(cql_session_execute_wait(s, bound, NULL, NULL), CQL_OK);
    assert_string_equal(t.cql, find);
    run_batch(s, text, bound);
    assert_string_equal(t.cql, insert);
    run_batch(s, bound, text);
    assert_string_equal(t.cql, find);
    run_batch(s, NULL, NULL);
    assert_string_equal(t.cql, "");
    cql_statement_free(text);
    cql_statement_free(bound);
    cql_prepared_unref(p);
    close_session(s);
    assert_int_equal(t.wrong, 0);
}

static void hooks_of_another_size_are_refused(void **state)
{
    (void)state;
    cql_options *o = NULL;
    cql_request_hooks hooks = {.size = 8};
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_options_set_request_hooks(o, &hooks), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_options_set_request_hooks(NULL, NULL), CQL_BAD_ARGUMENT);
    cql_options_free(o);
}

/* --- nodes ------------------------------------------------------------------------------------------ */

typedef struct watch {
    pthread_mutex_t lock;
    char lines[16000]; /* events and log, in order */
    unsigned wrong;
    const char *broken; /* the translator answers nonsense for this one */
} watch;

static void keep(watch *w, const char *prefix, const char *text)
{
    pthread_mutex_lock(&w->lock);
    size_t len = strlen(w->lines);
    if (len + strlen(prefix) + strlen(text) + 3 < sizeof w->lines)
        snprintf(w->lines + len, sizeof w->lines - len, "%s%s\n", prefix, text);
    pthread_mutex_unlock(&w->lock);
}

static unsigned seen(watch *w, const char *text)
{
    unsigned n = 0;
    pthread_mutex_lock(&w->lock);
    for (const char *at = w->lines; (at = strstr(at, text)) != NULL; at++)
        n++;
    pthread_mutex_unlock(&w->lock);
    return n;
}

static void wait_seen(watch *w, const char *text, unsigned times)
{
    for (int i = 0; i < PATIENCE_MS && seen(w, text) < times; i++)
        poll(NULL, 0, 1);
    if (seen(w, text) < times)
        fail_msg("\"%s\" did not come %u times:\n%s", text, times, w->lines);
}

static void on_node(void *user, cql_session *s, cql_node_event event, const cql_host_info *host)
{
    static const char *const names[] = {"added ", "up ", "down ", "removed "};
    watch *w = user;
    keep(w, names[event], host->address);
    pthread_mutex_lock(&w->lock);
    w->wrong += s == NULL || strcmp(host->data_center, "datacenter1") != 0;
    w->wrong += (event == CQL_NODE_DOWN) != (event != CQL_NODE_REMOVED && host->reason[0] != '\0');
    pthread_mutex_unlock(&w->lock);
}

static void on_log(void *user, cql_log_level level, cql_str text)
{
    char line[600];
    snprintf(line, sizeof line, "%d %.*s", (int)level, (int)text.len, text.ptr);
    keep(user, "log ", line);
}

static bool translate(void *user, const char *from, char *to, size_t size)
{
    watch *w = user;
    if (w->broken && strcmp(from, w->broken) == 0)
        return snprintf(to, size, "nowhere") > 0;
    if (strncmp(from, "10.", 3) != 0)
        return false;
    return snprintf(to, size, "127.%s", from + 3) > 0;
}

static cql_session *open_watched(watch *w)
{
    cql_options *o = options("refresh_interval=1s&reconnect_base=10");
    memset(w->lines, 0, sizeof w->lines);
    pthread_mutex_init(&w->lock, NULL);
    cql_options_on_node_event(o, on_node, w);
    cql_options_set_log(o, on_log, w, CQL_LOG_INFO);
    cql_options_set_address_translator(o, translate, w);
    return open_with(o);
}

/* --- what must never be told ------------------------------------------------------------------------- */

/* What the error says, if there is one; it is freed. */
static void keep_error(watch *w, cql_error *err)
{
    char line[600];
    if (!err)
        return;
    snprintf(line, sizeof line, "%s: %s (%s)", cql_status_name(cql_error_status(err)), cql_error_text(err),
             cql_error_host(err));
    keep(w, "error ", line);
    cql_error_unref(err);
}

static void fail_to_log_in(watch *w, const char *more)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_options *o = options(more);
    cql_options_set_log(o, on_log, w, CQL_LOG_TRACE);
    assert_int_equal(cql_options_set_credentials(o, "cassandra", "canary-refused"), CQL_OK);
    assert_null(cql_options_value(o, "password"));
    assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
    cql_options_free(o);
    assert_int_not_equal(cql_session_connect_wait(s, &err), CQL_OK);
    keep_error(w, err);
    cql_session_free(s);
}

/* Alone, in a batch, and into its time-out. */
static void run_in_every_way(watch *w, cql_session *s, const char *text)
{
    cql_error *err = NULL;
    cql_statement *st = NULL;
    cql_batch *b = NULL;
    assert_int_equal(cql_statement_new(text, 1, NULL, &st), CQL_OK);
    assert_int_equal(cql_statement_bind_text(st, 0, "canary-value"), CQL_OK);
    cql_session_execute_wait(s, st, NULL, &err);
    keep_error(w, err);
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_add(b, st), CQL_OK);
    err = NULL;
    cql_session_execute_batch_wait(s, b, NULL, &err);
    keep_error(w, err);
    cql_batch_free(b);
    cql_statement_set_timeout(st, 20);
    hold_nodes();
    err = NULL;
    cql_session_execute_wait(s, st, NULL, &err);
    let_nodes_go();
    keep_error(w, err);
    cql_statement_free(st);
}

static void keep_metrics(watch *w, cql_session *s)
{
    static char text[60000];
    cql_metrics *m = cql_session_metrics(s);
    assert_true(cql_metrics_prometheus(m, text, sizeof text) < sizeof text);
    cql_metrics_free(m);
    assert_null(strstr(text, "canary"));
    keep(w, "metrics ", strstr(text, "# HELP") ? "told" : "not told");
}

/* Neither passwords nor bound values nor statements stand in a log at its most talkative, in errors or among the
 * metrics, whatever fails. */
static void secrets_are_told_nowhere(void **state)
{
    static const char *const modes[] = {"loop_threads=1&protocol=4&reconnect_base=10",
                                        "loop_threads=0&reconnect_base=10"};
    static watch w;
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        memset(&w, 0, sizeof w);
        pthread_mutex_init(&w.lock, NULL);
        pthread_mutex_lock(&server.lock);
        for (size_t n = 0; n < server.mc.count; n++)
            server.mc.nodes[n].want_login = true;
        pthread_mutex_unlock(&server.lock);
        fail_to_log_in(&w, modes[i]);
        cql_options *o = options(modes[i]);
        cql_options_set_log(o, on_log, &w, CQL_LOG_TRACE);
        assert_int_equal(cql_options_set_credentials(o, "cassandra", "secret"), CQL_OK);
        cql_session *s = open_with(o);
        run_in_every_way(&w, s, "INSERT INTO t (v) VALUES (?)");
        run_in_every_way(&w, s, "syntax CREATE ROLE r WITH PASSWORD = 'canary-role' ?");
        mockserver_cut(&server);
        run_in_every_way(&w, s, "INSERT INTO t (v) VALUES (?)");
        keep_metrics(&w, s);
        close_session(s);
        assert_true(seen(&w, "log 4 connected to ") >= 2);
        assert_int_equal(seen(&w, "error CQL_SERVER_BAD_CREDENTIALS"), 1);
        assert_true(seen(&w, "error CQL_SERVER_SYNTAX_ERROR") >= 1);
        assert_true(seen(&w, "error CQL_TIMEOUT") >= 1);
        assert_true(seen(&w, "error ") >= 5);
        assert_int_equal(seen(&w, "metrics told"), 1);
        assert_int_equal(seen(&w, "canary"), 0);
        assert_int_equal(seen(&w, "secret"), 0);
        assert_int_equal(seen(&w, "CREATE ROLE"), 0);
        pthread_mutex_destroy(&w.lock);
    }
}

/* Index of a node that others speak of: not the one whose tables the session reads. */
static size_t spoken_of(void)
{
    const mocknode *reads = NULL;
    for (int i = 0; i < 10000 && !reads; i++, poll(NULL, 0, 1)) {
        pthread_mutex_lock(&server.lock);
        for (size_t c = 0; c < server.count; c++)
            reads = server.conns[c].registered ? server.conns[c].node : reads;
        pthread_mutex_unlock(&server.lock);
    }
    assert_non_null(reads);
    return reads == &server.mc.nodes[2] ? 1 : 2;
}

static void let_in(size_t node, bool member)
{
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[node].member = member;
    pthread_mutex_unlock(&server.lock);
}

/* No event of the server comes here: what changed is found by reading the tables again. */
static void nodes_are_told_as_they_come_and_go(void **state)
{
    (void)state;
    static watch w;
    char line[100];
    w = (watch){.wrong = 0};
    cql_session *s = open_watched(&w);
    wait_seen(&w, "added 127.9.0.", 3);
    wait_seen(&w, "\nup 127.9.0.", 3);
    wait_seen(&w, "is up", 3);
    mockserver_cut(&server);
    wait_seen(&w, "down 127.9.0.", 3);
    wait_seen(&w, "\nup 127.9.0.", 6);
    size_t leaver = spoken_of();
    snprintf(line, sizeof line, "removed %s", mockserver_host(&server, leaver));
    let_in(leaver, false);
    wait_seen(&w, line, 1);
    let_in(leaver, true);
    wait_seen(&w, "added 127.9.0.", 4);
    wait_seen(&w, "\nup 127.9.0.", 7);
    close_session(s);
    assert_int_equal(seen(&w, "removed "), 1);
    assert_int_equal(seen(&w, "log 3 node"), seen(&w, "joined") + seen(&w, "is up") + seen(&w, " left"));
    assert_int_equal(seen(&w, "joined"), seen(&w, "\nadded ") + (strncmp(w.lines, "added", 5) == 0));
    assert_int_equal(seen(&w, "is up"), seen(&w, "\nup "));
    assert_int_equal(seen(&w, " left"), 1);
    assert_int_equal(seen(&w, "log 2 node"), seen(&w, "\ndown "));
    assert_int_equal(w.wrong, 0);
    pthread_mutex_destroy(&w.lock);
}

static void note_sent(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)res;
    assert_non_null(err);
    *(uint64_t *)user = metric_of(s, CQL_METRIC_BYTES_OUT);
}

/* Counters of the session never fall, also while the connections of the node are being closed. */
static void a_node_that_goes_takes_no_count_away(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0&refresh_interval=1s&request_timeout=3s&retry=none");
    cql_statement *st = NULL;
    uint64_t before = 0, then = 0;
    cql_execute_options o = {.size = sizeof o, .host = mockserver_host(&server, 2)};
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[2].stalled = true;
    server.mc.nodes[2].member = false;
    pthread_mutex_unlock(&server.lock);
    assert_int_equal(cql_statement_new("SELECT", 0, NULL, &st), CQL_OK);
    assert_int_equal(cql_session_execute_with(s, st, &o, NULL, note_sent, &then), CQL_OK);
    cql_statement_free(st);
    while (!then) {
        uint64_t now = metric_of(s, CQL_METRIC_BYTES_OUT);
        assert_true(now >= before);
        before = now;
        assert_int_equal(cql_session_drive(s, 100), CQL_OK);
    }
    assert_true(then >= before);
    assert_true(metric_of(s, CQL_METRIC_BYTES_OUT) >= before);
    close_session(s);
}

static void addresses_are_translated(void **state)
{
    (void)state;
    static watch w;
    char broken[80];
    w = (watch){.wrong = 0};
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[1].address.bytes[0] = 10; /* what the tables show is not where it listens */
    server.mc.nodes[2].address.bytes[0] = 10;
    snprintf(broken, sizeof broken, "%s", mockserver_host(&server, 2));
    w.broken = broken;
    pthread_mutex_unlock(&server.lock);
    cql_session *s = open_watched(&w);
    wait_seen(&w, "\nup 127.9.0.1", 1);
    wait_seen(&w, "\nup 127.9.0.2", 1);
    wait_seen(&w, "the address translator gave \"nowhere\" for 10.9.0.3", 1);
    wait_seen(&w, "rows of the peers table left out: 1", 1);
    cql_hosts *hosts = cql_session_hosts(s);
    assert_int_equal(cql_hosts_count(hosts), 2);
    cql_hosts_free(hosts);
    wait_seen(&w, "for 10.9.0.3", 3); /* read again and again, */
    assert_int_equal(seen(&w, "rows of the peers table"), 1); /* said once */
    close_session(s);
    assert_int_equal(w.wrong, 0);
    pthread_mutex_destroy(&w.lock);
}

/* --- traces ---------------------------------------------------------------------------------------- */

static void a_trace_is_waited_for_as_long_as_it_is_said(void **state)
{
    (void)state;
    static const char *const modes[] = {"loop_threads=0", "loop_threads=1"};
    for (size_t m = 0; m < CQL_COUNT(modes); m++) {
        cql_session *s = open_session(modes[m]);
        cql_trace *trace = NULL;
        cql_error *err = NULL;
        pthread_mutex_lock(&server.lock);
        for (size_t i = 0; i < 3; i++)
            server.mc.nodes[i].mute = true;
        pthread_mutex_unlock(&server.lock);
        assert_int_equal(cql_session_trace_wait(s, cql_uuid_random(), 200, &trace, &err), CQL_NOT_FOUND);
        assert_null(trace);
        assert_non_null(strstr(cql_error_text(err), "in time"));
        cql_error_unref(err);
        pthread_mutex_lock(&server.lock);
        for (size_t i = 0; i < 3; i++)
            server.mc.nodes[i].mute = false;
        pthread_mutex_unlock(&server.lock);
        cql_session_free(s);
    }
}

/* Looks until both writes of the row are there, and as long as there are more events than before. */
static void a_trace_without_its_coordinator_is_not_complete(void **state)
{
    (void)state;
    static const char *const modes[] = {"loop_threads=0", "loop_threads=1"};
    for (size_t m = 0; m < CQL_COUNT(modes); m++) {
        cql_trace *trace = NULL;
        cql_trace_info info;
        cql_trace_event step;
        cql_str value;
        cql_session *s = open_session(modes[m]);
        pthread_mutex_lock(&server.lock);
        server.mc.session_looks = server.mc.event_looks = 0;
        pthread_mutex_unlock(&server.lock);
        assert_int_equal(cql_session_trace_wait(s, cql_uuid_random(), PATIENCE_MS, &trace, NULL), CQL_OK);
        close_session(s);
        pthread_mutex_lock(&server.lock);
        unsigned session_looks = server.mc.session_looks, event_looks = server.mc.event_looks;
        pthread_mutex_unlock(&server.lock);
        assert_int_equal(session_looks, 4);
        assert_int_equal(event_looks, 3);
        cql_trace_info_of(trace, &info);
        assert_int_equal(info.coordinator.len, 4);
        assert_memory_equal(info.coordinator.bytes, ((const uint8_t[]){127, 9, 0}), 3);
        assert_int_equal(info.client.len, 4);
        assert_int_equal(info.duration_us, 777);
        assert_int_equal(info.started_at_ms, 1000);
        assert_true(cql_str_equal(info.command, cql_str_of("QUERY")));
        assert_int_equal(cql_trace_parameter(trace, "page_size", &value), CQL_OK);
        assert_true(cql_str_equal(value, cql_str_of("5000")));
        assert_int_equal(cql_trace_parameter(trace, "query", &value), CQL_NO_SUCH_NAME);
        assert_int_equal(cql_trace_event_count(trace), 2);
        assert_int_equal(cql_trace_event_at(trace, 1, &step), CQL_OK);
        assert_int_equal(step.source_elapsed_us, 11);
        assert_true(cql_str_equal(step.activity, cql_str_of("Read 1 live row")));
        assert_int_equal(cql_trace_event_at(trace, 2, &step), CQL_OUT_OF_RANGE);
        cql_trace_free(trace);
    }
}

static void explain_on(const char *mode)
{
    cql_session *s = open_session(mode);
    cql_prepared *p = NULL;
    cql_statement *plain, *unbound;
    cql_plan *plan = NULL;
    cql_plan_node n;
    assert_int_equal(cql_statement_new("SELECT echo", 0, NULL, &plain), CQL_OK);
    assert_int_equal(cql_session_explain_wait(s, plain, &plan, NULL), CQL_OK);
    assert_int_equal(cql_plan_count(plan), 3);
    assert_true(cql_plan_at(plan, 0, &n));
    assert_non_null(strstr(cql_plan_text(plan), "127.9.0."));
    cql_plan_free(plan);
    assert_int_equal(cql_session_prepare_wait(s, "SELECT echo ?", &p, NULL), CQL_OK);
    unbound = cql_prepared_bind(p);
    assert_int_equal(cql_session_explain_wait(s, unbound, &plan, NULL), CQL_UNBOUND);
    assert_null(plan);
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    assert_int_equal(cql_session_explain_wait(s, plain, &plan, NULL), CQL_BAD_STATE);
    assert_null(plan);
    cql_statement_free(unbound);
    cql_statement_free(plain);
    cql_prepared_unref(p);
    cql_session_free(s);
}

static void a_way_is_explained_in_every_mode(void **state)
{
    (void)state;
    explain_on("loop_threads=0");
    explain_on("loop_threads=1");
    explain_on("loop_threads=3");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_three, stop_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(own_thread_counts),
        CASE(a_way_is_explained_in_every_mode),
        CASE(driven_counts),
        CASE(requests_under_way_are_seen),
        CASE(time_outs_and_losses_are_counted),
        CASE(snapshot_without_memory_is_none),
        CASE(hooks_frame_every_request),
        CASE(hooks_tell_the_text),
        CASE(hooks_of_another_size_are_refused),
        CASE(secrets_are_told_nowhere),
        CASE(nodes_are_told_as_they_come_and_go),
        CASE(a_node_that_goes_takes_no_count_away),
        CASE(addresses_are_translated),
        CASE(a_trace_is_waited_for_as_long_as_it_is_said),
        CASE(a_trace_without_its_coordinator_is_not_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
