/* routing_probe.c: which node got a request, and did it need others? The servers' traces tell.
 *
 *   routing_probe make URL REPLICATION   the keyspace live_routing with its tables and rows
 *   routing_probe KIND URL COUNT         runs COUNT traced requests, one line each: the node that got it,
 *                                        how many steps other nodes had in it or messages they were sent,
 *                                        the first of its plan
 *   routing_probe rows URL PARTS         reads the whole table range by range, PARTS of them or more: the keys
 *
 * REPLICATION is a CQL map. KIND: single (a key of one column), several (of two), hand (an unprepared
 * statement whose key is told), batch, insert, once (INSERT … IF NOT EXISTS),
 * range (the rows of a range of tokens); plain is single without a
 * trace, and prints the first of the plan alone. */
#include <cqlnative/cql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 60, TRACE_MS = 20000 };

typedef struct probe {
    cql_session *s;
    const char *kind;
    cql_prepared *prepared;
    cql_token_range ranges[1000];
    size_t range_count;
    cql_error *err;
} probe;

static cql_status run_text(probe *p, const char *cql)
{
    cql_result *res = NULL;
    cql_status st = cql_session_query_wait(p->s, cql, &res, &p->err);
    cql_result_unref(res);
    return st;
}

/* --- making ---------------------------------------------------------------------------------------- */

static cql_status fill(probe *p)
{
    char cql[200];
    cql_status st = CQL_OK;
    for (int i = 0; i < ROWS && st == CQL_OK; i++) {
        snprintf(cql, sizeof cql, "INSERT INTO live_routing.one (k, v) VALUES ('key %d', %d)", i, i);
        st = run_text(p, cql);
        snprintf(cql, sizeof cql, "INSERT INTO live_routing.two (a, b, v) VALUES ('%d', %d, 1)", i, -i);
        if (st == CQL_OK)
            st = run_text(p, cql);
    }
    return st;
}

static cql_status make(probe *p, const char *replication)
{
    static const char *const tables[] = {
        "CREATE TABLE live_routing.one (k text PRIMARY KEY, v int)"
        " WITH read_repair = 'NONE' AND speculative_retry = 'NEVER'",
        "CREATE TABLE live_routing.two (a text, b int, v int, PRIMARY KEY ((a, b)))"
        " WITH read_repair = 'NONE' AND speculative_retry = 'NEVER'",
    };
    char cql[300];
    cql_status st = run_text(p, "DROP KEYSPACE IF EXISTS live_routing");
    snprintf(cql, sizeof cql, "CREATE KEYSPACE live_routing WITH replication = %s", replication);
    if (st == CQL_OK)
        st = run_text(p, cql);
    for (size_t i = 0; i < 2 && st == CQL_OK; i++)
        st = run_text(p, tables[i]);
    return st == CQL_OK ? fill(p) : st;
}

/* --- requests -------------------------------------------------------------------------------------- */

static bool is_kind(const probe *p, const char *kind)
{
    return strcmp(p->kind, kind) == 0;
}

static const char *text_of(const probe *p)
{
    if (is_kind(p, "several"))
        return "SELECT v FROM live_routing.two WHERE b = ? AND a = ?";
    if (is_kind(p, "insert") || is_kind(p, "batch"))
        return "INSERT INTO live_routing.one (v, k) VALUES (?, ?)";
    if (is_kind(p, "range") || is_kind(p, "rows"))
        return "SELECT k FROM live_routing.one WHERE token(k) > ? AND token(k) <= ?";
    if (is_kind(p, "once"))
        return "INSERT INTO live_routing.one (v, k) VALUES (?, ?) IF NOT EXISTS";
    return "SELECT v FROM live_routing.one WHERE k = ?";
}

static cql_status bind_range(const cql_token_range *r, cql_statement *stmt)
{
    cql_status st = cql_statement_bind_int64(stmt, 0, r->after);
    if (st == CQL_OK)
        st = cql_statement_bind_int64(stmt, 1, r->upto);
    return st ? st : cql_statement_set_routing_token(stmt, r->upto);
}

/* Of two columns: the second marker is the first column of the key, so that their order counts. */
static cql_status bind(const probe *p, int i, cql_statement *stmt)
{
    char key[32];
    bool two = is_kind(p, "several");
    if (is_kind(p, "range"))
        return bind_range(&p->ranges[(size_t)i * 7 % p->range_count], stmt); /* here and there */
    snprintf(key, sizeof key, two ? "%d" : "key %d", i);
    if (is_kind(p, "single") || is_kind(p, "plain"))
        return cql_statement_bind_text(stmt, 0, key);
    cql_status st = cql_statement_bind_int32(stmt, 0, two ? -i : i);
    return st ? st : cql_statement_bind_text(stmt, 1, key);
}

static cql_status told_by_hand(int i, cql_statement **out)
{
    char cql[100], key[32];
    snprintf(key, sizeof key, "key %d", i);
    snprintf(cql, sizeof cql, "SELECT v FROM live_routing.one WHERE k = '%s'", key);
    cql_status st = cql_statement_new(cql, 0, NULL, out);
    if (st == CQL_OK)
        st = cql_statement_set_routing_keyspace(*out, "live_routing");
    return st ? st : cql_statement_set_routing_values(*out, CQL_VALUES(cql_value_text(key)));
}

static cql_status make_statement(const probe *p, int i, cql_statement **out)
{
    if (is_kind(p, "hand"))
        return told_by_hand(i, out);
    *out = cql_prepared_bind(p->prepared);
    return *out ? bind(p, i, *out) : CQL_NO_MEMORY;
}

static cql_status run_batch(probe *p, const cql_statement *stmt, cql_result **res)
{
    cql_batch *batch = NULL;
    cql_status st = cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &batch);
    if (st == CQL_OK)
        st = cql_batch_add(batch, stmt);
    if (st == CQL_OK)
        st = cql_batch_add(batch, stmt);
    if (st == CQL_OK) {
        cql_batch_set_tracing(batch, true);
        st = cql_session_execute_batch_wait(p->s, batch, res, &p->err);
    }
    cql_batch_free(batch);
    return st;
}

/* The node's name without its port. */
static void print_first(const cql_plan *plan)
{
    cql_plan_node first;
    if (plan && cql_plan_at(plan, 0, &first))
        printf("%.*s", (int)strcspn(first.address, ":"), first.address);
    printf("\n");
}

/* A step of another node, or a message to one: nodes write their steps down on their own, later. */
static bool is_of_others(const cql_trace_info *info, const cql_trace_event *e)
{
    static const char sending[] = "Sending ";
    return e->source.len != info->coordinator.len ||
           memcmp(e->source.bytes, info->coordinator.bytes, e->source.len) != 0 ||
           (e->activity.len >= sizeof sending &&
            memcmp(e->activity.ptr, sending, sizeof sending - 1) == 0);
}

static void print_trace(const cql_trace *trace)
{
    cql_trace_info info;
    cql_trace_event e;
    int others = 0;
    char node[64];
    cql_trace_info_of(trace, &info);
    for (size_t i = 0; cql_trace_event_at(trace, i, &e) == CQL_OK; i++)
        others += is_of_others(&info, &e);
    cql_value v = cql_value_inet(info.coordinator);
    cql_value_print(&v, NULL, node, sizeof node, NULL);
    printf("%s %d ", node, others);
}

static cql_status trace_one(probe *p, int i)
{
    cql_statement *stmt = NULL;
    cql_result *res = NULL;
    cql_trace *trace = NULL;
    cql_plan *plan = NULL;
    cql_uuid id;
    cql_status st = make_statement(p, i, &stmt);
    if (st == CQL_OK)
        st = cql_session_explain_wait(p->s, stmt, &plan, &p->err);
    if (st == CQL_OK) {
        cql_statement_set_tracing(stmt, !is_kind(p, "plain"));
        st = is_kind(p, "batch") ? run_batch(p, stmt, &res)
                                 : cql_session_execute_wait(p->s, stmt, &res, &p->err);
    }
    if (st == CQL_OK && !is_kind(p, "plain"))
        st = cql_result_tracing_id(res, &id)
                 ? cql_session_trace_wait(p->s, id, TRACE_MS, &trace, &p->err)
                 : CQL_NOT_FOUND;
    if (trace)
        print_trace(trace);
    if (st == CQL_OK)
        print_first(plan);
    cql_plan_free(plan);
    cql_trace_free(trace);
    cql_result_unref(res);
    cql_statement_free(stmt);
    return st;
}

/* --- a whole table ---------------------------------------------------------------------------------- */

static cql_status print_keys(probe *p, const cql_statement *stmt)
{
    cql_pages *pages = NULL;
    cql_rows rows;
    cql_status st = cql_pages_new(p->s, stmt, 2, &pages);
    while (st == CQL_OK && (st = cql_pages_next_wait(pages, &rows, &p->err)) == CQL_OK)
        while (cql_rows_next(&rows))
            printf("%s\n", cql_rows_cstr(&rows, 0));
    cql_pages_free(pages);
    return st == CQL_DONE ? CQL_OK : st;
}

static cql_status print_ranges(probe *p)
{
    cql_statement *stmt = NULL;
    cql_status st = cql_session_prepare_wait(p->s, text_of(p), &p->prepared, &p->err);
    if (st == CQL_OK && !(stmt = cql_prepared_bind(p->prepared)))
        st = CQL_NO_MEMORY;
    for (size_t i = 0; i < p->range_count && st == CQL_OK; i++) {
        st = bind_range(&p->ranges[i], stmt);
        st = st ? st : print_keys(p, stmt);
    }
    cql_statement_free(stmt);
    return st;
}

static cql_status cut(probe *p, int parts)
{
    return cql_session_token_ranges(p->s, (size_t)parts, p->ranges, CQL_COUNT(p->ranges),
                                    &p->range_count);
}

static cql_status trace_all(probe *p, int count)
{
    cql_status st = is_kind(p, "range") ? cut(p, count) : CQL_OK;
    if (!is_kind(p, "hand") && st == CQL_OK)
        st = cql_session_prepare_wait(p->s, text_of(p), &p->prepared, &p->err);
    for (int i = 0; i < count && st == CQL_OK; i++)
        st = trace_one(p, is_kind(p, "once") ? i / 3 : i); /* each key three times */
    return st;
}

static cql_status run(probe *p, const char *last)
{
    if (is_kind(p, "make"))
        return make(p, last);
    if (!is_kind(p, "rows"))
        return trace_all(p, atoi(last));
    cql_status st = cut(p, atoi(last));
    return st ? st : print_ranges(p);
}

int main(int argc, char **argv)
{
    probe p = {.kind = argc > 1 ? argv[1] : ""};
    if (argc != 4) {
        fprintf(stderr, "usage: routing_probe make URL REPLICATION | rows URL PARTS | KIND URL COUNT\n");
        return 2;
    }
    cql_status st = cql_session_open_wait(argv[2], &p.s, &p.err);
    if (st == CQL_OK)
        st = run(&p, argv[3]);
    if (st != CQL_OK)
        fprintf(stderr, "routing_probe: %s\n", p.err ? cql_error_text(p.err) : cql_status_text(st));
    cql_error_unref(p.err);
    cql_prepared_unref(p.prepared);
    cql_session_free(p.s);
    return st != CQL_OK;
}
