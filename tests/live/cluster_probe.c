/* cluster_probe URL KEYSPACE: a new keyspace on three nodes, steady load on a cluster to which things happen, and afterwards a count of what
 * became of every single request. The script that makes things happen says so on standard input:
 *
 *   mark TEXT   what follows belongs to TEXT
 *   alter       another column, then without it, while `SELECT *` goes on
 *   evict N     N statements more than one node remembers, each executed three times
 *   dial NODE   say "accepts NODE" when it takes connections again after it refused one
 *   whole       say "whole" when each node reads rows at ALL, so that all nodes see all others
 *   clients     say how many connections of the load each node counts, and then "counted"
 *   end         no more load; count, and end with 1 if anything is wrong
 *
 * On standard output, at the millisecond: what was marked, with what the session holds then of memory and the program of
 * descriptors, nodes that came up and went down, and failed attempts to reach them for another reason than the one
 * before. In the end a line for each mark and a line for each rule:
 *   - each callback came once, and by its time-out;
 *   - rows, appends and conditional inserts that were acknowledged are there, read at ALL;
 *   - no append is there twice, nor any that was answered "not applied";
 *   - a counter stands between what was acknowledged and that plus what is in doubt.
 * The file that PROBE_OPS names gets a line for each request; see write_ops.
 *
 * PROBE_CONSISTENCY (quorum) is the level of the load, PROBE_REPLICATION (three copies in each data centre) that
 * of its keyspace. */
#include "cluster_side.h"

#include <cqlnative/cql.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPS_MAX = 1200000, MARKS_MAX = 256, NODES_MAX = SIDE_NODES, TEXT_MAX = SIDE_TEXT };
enum { PER_LIST = 40, LATE_MS = 100 };
enum { INSERT, READ, APPEND, COUNT, LWT, KINDS };
enum { OPEN, OK, NOT_APPLIED, IN_DOUBT };

typedef struct op {
    struct probe *p;
    uint64_t at;
    uint32_t took;
    cql_status status;
    side_way way;
    uint8_t kind;
    bool idempotent;
    _Atomic uint8_t outcome;
    _Atomic uint8_t calls;
} op;

typedef struct segment {
    char text[TEXT_MAX];
    uint64_t at;
    size_t first; /* operation */
} segment;

typedef struct known_node {
    char address[TEXT_MAX];
    char data_center[TEXT_MAX];
    char reason[160];
    bool up;
    bool seen;
} known_node;

typedef struct probe {
    const char *url;
    const char *keyspace;
    cql_session *s;
    cql_prepared *statements[KINDS];
    op *ops;
    size_t count;
    _Atomic size_t ended;
    size_t refused;
    segment marks[MARKS_MAX];
    size_t mark_count;
    known_node nodes[NODES_MAX];
    size_t node_count;
    uint64_t begin;
    uint64_t next_op;
    uint64_t timeout_ms;
    int broken; /* rules */
    _Atomic int wrong_rows;
    _Atomic int errors_shown;
    unsigned evicted_failures;
    unsigned disagreed;
    char dialled[TEXT_MAX];
} probe;

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void tell(const probe *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(const probe *p, const char *format, ...)
{
    va_list args;
    flockfile(stdout); /* the session's thread and the one that asks tell as well */
    printf("%llu ", (unsigned long long)(now_ms() - p->begin));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    funlockfile(stdout);
}

static void die(cql_status st, cql_error *err, const char *what)
{
    if (st == CQL_OK)
        return;
    fprintf(stderr, "cluster_probe: %s: %s\n", what, err ? cql_error_text(err) : cql_status_text(st));
    exit(1);
}

static void rule(probe *p, bool holds, const char *what, uint64_t count)
{
    tell(p, "%s %llu %s", holds ? "holds" : "BROKEN", (unsigned long long)count, what);
    p->broken += !holds;
}

/* --- the load ------------------------------------------------------------------------------------- */

static const char *const TABLES[] = {
    "CREATE TABLE IF NOT EXISTS rows (id int PRIMARY KEY, v int)",
    "CREATE TABLE IF NOT EXISTS lists (id int PRIMARY KEY, v list<int>)",
    "CREATE TABLE IF NOT EXISTS counts (id int PRIMARY KEY, v counter)",
    "CREATE TABLE IF NOT EXISTS once (id int PRIMARY KEY, v int)",
};

static const char *const STATEMENTS[KINDS] = {
    "INSERT INTO rows (id, v) VALUES (?, ?)",
    "SELECT * FROM rows WHERE id = ?",
    "UPDATE lists SET v = v + ? WHERE id = ?",
    "UPDATE counts SET v = v + 1 WHERE id = ?",
    "INSERT INTO once (id, v) VALUES (?, ?) IF NOT EXISTS",
};

/* Six writes and reads of ten that may be repeated, two that may not, one conditional. */
static const uint8_t MIX[] = {INSERT, READ, INSERT, APPEND, INSERT, READ, LWT, INSERT, COUNT, READ};

/* Changes of the schema take their time on a machine that has little. */
static cql_statement *patient(const char *cql)
{
    cql_statement *st = NULL;
    die(cql_statement_new(cql, 0, NULL, &st), NULL, cql);
    cql_statement_set_timeout(st, 60000);
    return st;
}

static void run(cql_session *s, const char *cql)
{
    cql_result *res = NULL;
    cql_error *err = NULL;
    cql_statement *st = patient(cql);
    die(cql_session_execute_wait(s, st, &res, &err), err, cql);
    cql_statement_free(st);
    cql_result_unref(res);
}

static void prepare_all(probe *p)
{
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++)
        run(p->s, TABLES[i]);
    for (int i = 0; i < KINDS; i++) {
        cql_error *err = NULL;
        die(cql_session_prepare_wait(p->s, STATEMENTS[i], &p->statements[i], &err), err,
            STATEMENTS[i]);
    }
}

static uint32_t number_of(const op *o)
{
    return (uint32_t)(o - o->p->ops);
}

/* The row of an insert that was answered before, or none: whatever columns the table has, `id` is that
 * asked for and `v` twice as much. */
static void check_row(op *o, const cql_result *res)
{
    cql_rows rows;
    size_t id, v;
    cql_rows_init(&rows, res);
    if (cql_result_column_index(res, "id", &id) || cql_result_column_index(res, "v", &v))
        atomic_fetch_add(&o->p->wrong_rows, 1);
    else
        while (cql_rows_next(&rows))
            if (cql_rows_int32(&rows, v) != 2 * cql_rows_int32(&rows, id))
                atomic_fetch_add(&o->p->wrong_rows, 1);
    if (cql_rows_status(&rows))
        atomic_fetch_add(&o->p->wrong_rows, 1);
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    op *o = user;
    (void)s;
    o->took = (uint32_t)(now_ms() - o->at);
    o->status = err ? cql_error_status(err) : CQL_OK;
    atomic_fetch_add(&o->calls, 1);
    if (res && o->kind == READ)
        check_row(o, res);
    if (err && atomic_fetch_add(&o->p->errors_shown, 1) < 200)
        tell(o->p, "error kind %d after %u ms: %s", o->kind, o->took, cql_error_text(err));
    atomic_store(&o->outcome, res ? OK : cql_error_maybe_applied(err) ? IN_DOUBT : NOT_APPLIED);
    atomic_fetch_add(&o->p->ended, 1);
}

static cql_statement *statement_of(const op *o)
{
    cql_statement *st = cql_prepared_bind(o->p->statements[o->kind]);
    int32_t n = (int32_t)number_of(o);
    switch (o->kind) {
    case APPEND: {
        cql_collection *list = NULL;
        die(cql_collection_new(CQL_TYPE_LIST, NULL, &list), NULL, "a list");
        cql_collection_add(list, cql_value_int32(n));
        cql_statement_bind_value(st, 0, cql_value_collection(list));
        cql_statement_bind_int32(st, 1, n / (10 * PER_LIST));
        cql_collection_free(list);
        break;
    }
    case COUNT:
        cql_statement_bind_int32(st, 0, n % 7);
        break;
    case READ:
        cql_statement_bind_int32(st, 0, n > 1000 ? n - 1000 + n % 10 : 0);
        break;
    default:
        cql_statement_bind_int32(st, 0, n);
        cql_statement_bind_int32(st, 1, 2 * n);
        break;
    }
    cql_statement_set_idempotent(st, o->idempotent);
    return st;
}

static void submit(probe *p)
{
    op *o = &p->ops[p->count];
    o->p = p;
    o->kind = MIX[p->count % sizeof MIX];
    o->idempotent = o->kind == INSERT || o->kind == READ;
    o->at = now_ms();
    memset(&o->way, 0, sizeof o->way);
    cql_statement *st = statement_of(o);
    side_next(&o->way);
    cql_status status = cql_session_execute(p->s, st, on_answer, o);
    side_next(NULL);
    cql_statement_free(st);
    if (status == CQL_OK)
        p->count++;
    else if (status == CQL_WOULD_BLOCK)
        p->refused++;
    else
        die(status, NULL, "execute");
}

/* --- what happens meanwhile ----------------------------------------------------------------------- */

static void mark(probe *p, const char *text)
{
    if (p->mark_count == MARKS_MAX)
        return;
    segment *m = &p->marks[p->mark_count++];
    snprintf(m->text, sizeof m->text, "%s", text);
    m->at = now_ms();
    m->first = p->count;
    tell(p, "mark %s", text);
    cql_metrics *metrics = cql_session_metrics(p->s);
    tell(p, "connects failed %llu, processor %llu ms",
         (unsigned long long)cql_metrics_value(metrics, CQL_METRICS_SESSION, CQL_METRIC_CONNECT_FAILED),
         (unsigned long long)clock() * 1000 / CLOCKS_PER_SEC);
    cql_metrics_free(metrics);
    tell(p, "holds memory %llu, descriptors %u", (unsigned long long)side_memory(), side_descriptors());
}

static known_node *node_of(probe *p, const char *address)
{
    for (size_t i = 0; i < p->node_count; i++)
        if (strcmp(p->nodes[i].address, address) == 0)
            return &p->nodes[i];
    if (p->node_count == NODES_MAX)
        return NULL;
    known_node *n = &p->nodes[p->node_count++];
    memset(n, 0, sizeof *n);
    snprintf(n->address, sizeof n->address, "%s", address);
    return n;
}

static void look(probe *p)
{
    cql_host_info info;
    cql_hosts *hosts = cql_session_hosts(p->s);
    for (size_t i = 0; i < p->node_count; i++)
        p->nodes[i].seen = false;
    for (size_t i = 0; cql_hosts_at(hosts, i, &info); i++) {
        known_node *n = node_of(p, info.address);
        if (!n)
            continue;
        n->seen = true;
        snprintf(n->data_center, sizeof n->data_center, "%s", info.data_center);
        if (n->up != info.up)
            tell(p, "%s %s%s%s", info.up ? "up" : "down", info.address, info.up ? "" : ": ", info.reason);
        else if (!info.up && strcmp(n->reason, info.reason) != 0)
            tell(p, "tried %s: %s", info.address, info.reason);
        n->up = info.up;
        snprintf(n->reason, sizeof n->reason, "%s", info.reason);
    }
    cql_hosts_free(hosts);
    for (size_t i = 0; i < p->node_count; i++)
        if (!p->nodes[i].seen) {
            tell(p, "gone %s", p->nodes[i].address);
            p->nodes[i] = p->nodes[--p->node_count];
        }
}

/* The same load for a while, from between two steps of something else. */
static void keep_going(probe *p, uint64_t ms)
{
    uint64_t until = now_ms() + ms, looked = 0;
    do {
        uint64_t now = now_ms();
        for (; p->next_op <= now && p->count < OPS_MAX; p->next_op += 5)
            submit(p);
        if (side_accepts())
            tell(p, "accepts %s", p->dialled);
        if (now >= looked + 50) {
            look(p);
            looked = now;
        }
        usleep(2000);
    } while (now_ms() < until);
}

static void on_changed(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)s;
    if (err)
        fprintf(stderr, "cluster_probe: ALTER: %s\n", cql_error_text(err));
    atomic_store((atomic_int *)user, res && cql_result_schema_agreed(res) ? 1 : 2);
}

/* A schema change while the load goes on, and a second and a half after it. */
static void change(probe *p, const char *cql)
{
    atomic_int done = 0;
    cql_statement *st = patient(cql);
    die(cql_session_execute(p->s, st, on_changed, &done), NULL, cql);
    cql_statement_free(st);
    while (!atomic_load(&done))
        keep_going(p, 20);
    p->disagreed += atomic_load(&done) == 2;
    keep_going(p, 1500);
}

static void alter(probe *p)
{
    for (int i = 0; i < 3; i++) {
        change(p, "ALTER TABLE rows ADD (aa text, zz int)");
        change(p, "ALTER TABLE rows DROP (aa, zz)");
    }
    tell(p, "altered");
}

static void evict(probe *p, unsigned n)
{
    cql_prepared **all = calloc(n, sizeof *all);
    unsigned failures = 0;
    for (unsigned i = 0; all && i < n; i++) {
        char cql[160];
        cql_error *err = NULL;
        snprintf(cql, sizeof cql, "SELECT v AS v%u FROM rows WHERE id = ?", i);
        die(cql_session_prepare_wait(p->s, cql, &all[i], &err), err, cql);
        keep_going(p, 0);
    }
    for (unsigned i = 0; all && i < 3 * n; i++) {
        cql_statement *st = cql_prepared_bind(all[i % n]);
        cql_error *err = NULL;
        cql_result *res = NULL;
        cql_statement_bind_int32(st, 0, (int32_t)i);
        cql_statement_set_idempotent(st, true);
        if (cql_session_execute_wait(p->s, st, &res, &err) != CQL_OK) {
            tell(p, "evicted statement: %s", cql_error_text(err));
            failures++;
        }
        cql_error_unref(err);
        cql_result_unref(res);
        cql_statement_free(st);
        keep_going(p, 0);
    }
    for (unsigned i = 0; all && i < n; i++)
        cql_prepared_unref(all[i]);
    free(all);
    p->evicted_failures += failures;
    tell(p, "evicted");
}

static void say_line(void *user, const char *line)
{
    tell(user, "%s", line);
}

static void ask_nodes(probe *p, const char *keyspace)
{
    side_question q = {.url = p->url, .keyspace = keyspace, .say = say_line, .user = p};
    look(p);
    for (; q.count < p->node_count; q.count++) {
        memcpy(q.nodes[q.count], p->nodes[q.count].address, TEXT_MAX);
        memcpy(q.data_centers[q.count], p->nodes[q.count].data_center, TEXT_MAX);
    }
    side_ask(&q);
}

static void dial(probe *p, const char *address)
{
    snprintf(p->dialled, sizeof p->dialled, "%s", address);
    side_dial(address);
}

/* One line from the script, if there is one. False at the end. */
static bool obey(probe *p)
{
    static char line[TEXT_MAX];
    static size_t have;
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&in, 1, 0) > 0) {
        ssize_t n = read(STDIN_FILENO, line + have, 1);
        if (n <= 0)
            return false;
        if (line[have] != '\n') {
            have += have < sizeof line - 2;
            continue;
        }
        line[have] = '\0';
        have = 0;
        if (strcmp(line, "end") == 0)
            return false;
        if (strncmp(line, "mark ", 5) == 0)
            mark(p, line + 5);
        else if (strcmp(line, "alter") == 0)
            alter(p);
        else if (strncmp(line, "evict ", 6) == 0)
            evict(p, (unsigned)strtoul(line + 6, NULL, 10));
        else if (strncmp(line, "dial ", 5) == 0)
            dial(p, line + 5);
        else if (strcmp(line, "whole") == 0)
            ask_nodes(p, p->keyspace);
        else if (strcmp(line, "clients") == 0)
            ask_nodes(p, NULL);
    }
    return true;
}

/* --- what became of it ---------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void describe(const probe *p, const segment *m, size_t last)
{
    size_t n = last - m->first, ok = 0, failed = 0, doubt = 0, once_failed = 0;
    uint32_t *took = calloc(n + 1, sizeof *took);
    for (size_t i = m->first; took && i < last; i++) {
        const op *o = &p->ops[i];
        took[i - m->first] = o->took;
        ok += o->outcome == OK;
        doubt += o->outcome == IN_DOUBT && !o->idempotent;
        once_failed += o->outcome == NOT_APPLIED && !o->idempotent;
        failed += o->outcome != OK && o->idempotent;
    }
    if (took)
        qsort(took, n, sizeof *took, by_size);
    tell(p,
         "segment %s: requests %zu ok %zu, idempotent failed %zu, others refused %zu in doubt %zu; "
         "p50 %u p99 %u max %u ms",
         m->text, n, ok, failed, once_failed, doubt, took && n ? took[n / 2] : 0,
         took && n ? took[n * 99 / 100] : 0, took && n ? took[n - 1] : 0);
    free(took);
}

typedef void (*row_fn)(probe *p, cql_rows *rows, const cql_result *res, uint8_t *seen);

/* Every row at ALL; again from the start when a node does not answer yet. */
static bool scan_once(probe *p, const char *cql, row_fn each, uint8_t *seen)
{
    cql_statement *st = NULL;
    cql_error *err = NULL;
    cql_result *res = NULL;
    bool more = true, fine = true;
    die(cql_statement_new(cql, 0, NULL, &st), NULL, cql);
    cql_statement_set_consistency(st, CQL_CONSISTENCY_ALL);
    cql_statement_set_page_size(st, 500);
    cql_statement_set_idempotent(st, true);
    while (more && fine) {
        cql_rows rows;
        fine = cql_session_execute_wait(p->s, st, &res, &err) == CQL_OK;
        more = fine && cql_result_has_more(res);
        if (fine) {
            cql_rows_init(&rows, res);
            while (cql_rows_next(&rows))
                each(p, &rows, res, seen);
            fine = cql_rows_status(&rows) == CQL_OK;
            cql_statement_set_paging_state(st, cql_result_paging_state(res));
        } else {
            tell(p, "reading back: %s", cql_error_text(err));
        }
        cql_error_unref(err);
        cql_result_unref(res);
        res = NULL;
        err = NULL;
    }
    cql_statement_free(st);
    return fine;
}

static void scan(probe *p, const char *cql, row_fn each, uint8_t *seen)
{
    for (int i = 0; i < 60; i++) {
        memset(seen, 0, OPS_MAX);
        if (scan_once(p, cql, each, seen))
            return;
        sleep(1);
    }
    rule(p, false, "a table could not be read at ALL within a minute", 1);
}

static void see(uint8_t *seen, int32_t id)
{
    if (id >= 0 && id < OPS_MAX && seen[id] < 255)
        seen[id]++;
}

static void see_row(probe *p, cql_rows *rows, const cql_result *res, uint8_t *seen)
{
    (void)p;
    (void)res;
    see(seen, cql_rows_int32(rows, 0));
}

static void see_list(probe *p, cql_rows *rows, const cql_result *res, uint8_t *seen)
{
    cql_value list = cql_rows_value(rows, 1), element;
    cql_items it;
    (void)p;
    if (cql_value_is_null(&list) || cql_items_init(&it, cql_result_column_type(res, 1), &list))
        return;
    while (cql_items_next(&it, NULL, &element)) {
        int32_t id = -1;
        cql_value_as_int32(&element, &id);
        see(seen, id);
    }
}

static uint64_t counted[7];

static void see_count(probe *p, cql_rows *rows, const cql_result *res, uint8_t *seen)
{
    (void)p;
    (void)res;
    (void)seen;
    int32_t id = cql_rows_int32(rows, 0);
    if (id >= 0 && id < 7)
        counted[id] = (uint64_t)cql_rows_int64(rows, 1);
}

/* What stands in `seen` against what was answered to the requests of that kind. */
static void compare(probe *p, int kind, const uint8_t *seen, const char *name)
{
    uint64_t lost = 0, twice = 0, denied = 0, acknowledged = 0;
    char text[120];
    for (size_t i = 0; i < p->count; i++) {
        const op *o = &p->ops[i];
        if (o->kind != kind)
            continue;
        acknowledged += o->outcome == OK;
        lost += o->outcome == OK && !seen[i];
        twice += seen[i] > 1;
        denied += o->outcome == NOT_APPLIED && seen[i];
    }
    snprintf(text, sizeof text, "%s of %llu that were acknowledged and are lost", name,
             (unsigned long long)acknowledged);
    rule(p, lost == 0, text, lost);
    snprintf(text, sizeof text, "%s that are there twice", name);
    rule(p, twice == 0, text, twice);
    snprintf(text, sizeof text, "%s that are there although the error said \"not applied\"", name);
    rule(p, denied == 0, text, denied);
}

static void compare_counts(probe *p)
{
    uint64_t least[7] = {0}, most[7] = {0};
    for (size_t i = 0; i < p->count; i++) {
        const op *o = &p->ops[i];
        if (o->kind != COUNT)
            continue;
        least[i % 7] += o->outcome == OK;
        most[i % 7] += o->outcome == OK || o->outcome == IN_DOUBT;
    }
    uint64_t low = 0, high = 0;
    for (int i = 0; i < 7; i++) {
        low += counted[i] < least[i];
        high += counted[i] > most[i];
    }
    rule(p, high == 0, "counters above what was sent", high);
    /* A counter's shard can go back where a killed node lost the end of its commit log; a script that starts
     * its nodes with such a log says so. */
    if (getenv("PROBE_COUNTERS"))
        rule(p, low == 0, "counters below what was acknowledged", low);
}

static void verify(probe *p)
{
    static uint8_t seen[OPS_MAX];
    uint64_t not_once = 0, late = 0;
    for (size_t i = 0; i < p->count; i++) {
        not_once += p->ops[i].calls != 1;
        late += p->ops[i].took > p->timeout_ms + LATE_MS;
    }
    for (size_t i = 0; i < p->mark_count; i++)
        describe(p, &p->marks[i], i + 1 < p->mark_count ? p->marks[i + 1].first : p->count);
    rule(p, not_once == 0, "requests whose callback did not come exactly once", not_once);
    tell(p, "late %llu of %zu requests more than %d ms behind their time-out",
         (unsigned long long)late, p->count, LATE_MS);
    rule(p, p->wrong_rows == 0, "rows read wrong", (uint64_t)p->wrong_rows);
    rule(p, p->evicted_failures == 0, "statements that failed since their node had forgotten them",
         p->evicted_failures);
    rule(p, p->disagreed == 0, "schema changes without agreement", p->disagreed);
    scan(p, "SELECT id FROM rows", see_row, seen);
    compare(p, INSERT, seen, "rows");
    scan(p, "SELECT id FROM once", see_row, seen);
    compare(p, LWT, seen, "conditional inserts");
    scan(p, "SELECT id, v FROM lists", see_list, seen);
    compare(p, APPEND, seen, "appends");
    scan(p, "SELECT id, v FROM counts", see_count, seen);
    compare_counts(p);
}

/* A line for each request: when it was begun and how long it took, ms; its kind; 1 if it may be repeated;
 * ok, refused or doubt; the server's code of its error, 0 for one of this side, - for none; the microseconds until it
 * was sent for the last time; how often it was; where to. */
static void write_ops(const probe *p)
{
    static const char *const outcomes[] = {"open", "ok", "refused", "doubt"};
    const char *path = getenv("PROBE_OPS");
    FILE *f = path ? fopen(path, "w") : NULL;
    for (size_t i = 0; f && i < p->count; i++) {
        const op *o = &p->ops[i];
        char code[12] = "-";
        if (o->status)
            snprintf(code, sizeof code, "%04x",
                     CQL_SERVER_CODE(o->status) < 0 ? 0u : (unsigned)CQL_SERVER_CODE(o->status));
        fprintf(f, "%llu %u %d %d %s %s %u %d %s\n", (unsigned long long)(o->at - p->begin), o->took,
                o->kind, o->idempotent, outcomes[o->outcome], code, o->way.sent_us, o->way.attempts,
                side_node(o->way.node));
    }
    if (f && fclose(f) != 0)
        tell(p, "the requests could not be written down");
}

/* How the connections to each node are protected, and how many handshakes it took. */
static void tell_tls(const probe *p)
{
    cql_tls_stats stats = {.size = sizeof stats};
    cql_tls_facts f = {.size = sizeof f};
    for (size_t i = 0; i < p->node_count; i++)
        if (cql_session_tls_facts(p->s, p->nodes[i].address, &f) == CQL_OK)
            tell(p, "tls %s %s %s names %s%s%s", p->nodes[i].address, f.version, f.cipher, f.names,
                 f.chain_verified ? ", chain verified" : "", f.name_verified ? ", name verified" : "");
    if (cql_session_tls_stats(p->s, &stats) == CQL_OK && stats.handshakes)
        tell(p, "tls handshakes %llu, resumed %llu, failed %llu", (unsigned long long)stats.handshakes,
             (unsigned long long)stats.resumed, (unsigned long long)stats.failed);
}

static void finish(probe *p)
{
    tell_tls(p);
    write_ops(p);
    cql_metrics *m = cql_session_metrics(p->s);
    tell(p, "retries %llu, prepared again %llu, connections opened %llu lost %llu, refused %zu",
         (unsigned long long)cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_RETRIES),
         (unsigned long long)cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_REPREPARES),
         (unsigned long long)cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_OPENED),
         (unsigned long long)cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_LOST), p->refused);
    cql_metrics_free(m);
    for (int i = 0; i < KINDS; i++)
        cql_prepared_unref(p->statements[i]);
    cql_session_free(p->s);
    tell(p, "%s", p->broken ? "BROKEN" : "all holds");
}

/* What the session hears of nodes, with the time of it. */
static void on_log(void *user, cql_log_level level, cql_str text)
{
    (void)level;
    if (text.len > 7 && memcmp(text.ptr, "event: ", 7) == 0)
        tell(user, "%.*s", (int)text.len, text.ptr);
}

/* A session with the consistency that the counting needs; keyspace may be NULL. */
static cql_session *open_session(probe *p, const char *url, const char *keyspace)
{
    cql_options *o = NULL;
    cql_error *err = NULL;
    cql_session *s = NULL;
    die(cql_options_new(keyspace ? &side_counted : NULL, &o), NULL, "options");
    die(cql_options_from_environment(o, &err), err, "environment");
    die(cql_options_parse(o, url, &err), err, url);
    const char *level = getenv("PROBE_CONSISTENCY");
    die(cql_options_set(o, "consistency", level ? level : "quorum", &err), err, "consistency");
    die(cql_options_set(o, "application", "cluster_probe", &err), err, "application");
    if (keyspace) {
        die(cql_options_set_keyspace(o, keyspace), NULL, keyspace);
        cql_options_set_log(o, on_log, p, CQL_LOG_INFO);
        side_watch(o);
    }
    p->timeout_ms = strtoull(cql_options_value(o, "request_timeout"), NULL, 10);
    die(cql_session_new(o, &s, &err), err, "session");
    die(cql_session_connect_wait(s, &err), err, "connect");
    cql_options_free(o);
    return s;
}

static void make_keyspace(probe *p, const char *url, const char *keyspace)
{
    char cql[256];
    cql_session *s = open_session(p, url, NULL);
    snprintf(cql, sizeof cql, "DROP KEYSPACE IF EXISTS %s", keyspace);
    run(s, cql);
    const char *copies = getenv("PROBE_REPLICATION");
    snprintf(cql, sizeof cql,
             "CREATE KEYSPACE %s WITH replication = {'class': 'NetworkTopologyStrategy', %s}",
             keyspace, copies ? copies : "'replication_factor': 3");
    run(s, cql);
    cql_session_free(s);
}

int main(int argc, char **argv)
{
    static probe p;
    if (argc != 3) {
        fprintf(stderr, "usage: cluster_probe URL KEYSPACE\n");
        return 2;
    }
    p.ops = calloc(OPS_MAX, sizeof *p.ops);
    if (!p.ops)
        return 1;
    p.begin = now_ms();
    p.url = argv[1];
    p.keyspace = argv[2];
    make_keyspace(&p, argv[1], argv[2]);
    p.s = open_session(&p, argv[1], argv[2]);
    prepare_all(&p);
    p.next_op = now_ms();
    mark(&p, "calm");
    while (obey(&p) && p.count < OPS_MAX)
        keep_going(&p, 20);
    side_ask(NULL);
    for (int i = 0; i < 600 && p.ended < p.count; i++)
        usleep(100000);
    verify(&p);
    finish(&p);
    free(p.ops);
    return p.broken ? 1 : 0;
}
