/* The training store on two buffered writers: rows of a run are one partition, so they go in batches. */
#include "trainmetrics/store.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = STORE_PAGE, BATCHES_MAX = 10 };

/* --- opening --------------------------------------------------------------------------------------- */

static void on_flushed(void *user, const cql_writer_flushed *info)
{
    store *s = user;
    app_warnings(&s->app, info->res);
    if (info->again && info->attempts == 1)
        fprintf(stderr, "WARNING: not stored yet: %s\n", cql_error_text(info->err));
    else if (!info->err)
        fprintf(stderr, "DEBUG: Stored %zu metrics to Cassandra\n", info->rows);
}

static void on_topology(void *user, const cql_writer_flushed *info)
{
    store *s = user;
    app_warnings(&s->app, info->res);
}

static void on_row(cql_writer *w, const cql_error *err, void *user)
{
    store *s = user;
    (void)w;
    if (!err) {
        s->stored++;
        return;
    }
    if (s->failed++ == 0 && !tool_interrupted()) /* then store_flush tells */
        tool_report(s->app.name, err, s->app.schema);
}

static cql_status prepare(store *s, const char *pattern, cql_prepared **p, cql_statement **row)
{
    cql_status st =
        cql_session_prepare_wait(s->app.s, app_cql(pattern, s->config.keyspace), p, &s->app.err);
    if (st == CQL_OK && !(*row = cql_prepared_bind(*p)))
        st = CQL_NO_MEMORY;
    return st;
}

static cql_status make_writers(store *s)
{
    cql_writer_options o = {.size = sizeof o,
                            .group_rows = (uint32_t)s->config.batch_size,
                            .flush_ms = (uint32_t)s->config.flush_interval * 1000,
                            .max_rows = (uint32_t)s->config.batch_size * BATCHES_MAX,
                            .consistency = (int)s->config.write,
                            .on_flushed = on_flushed,
                            .user = s};
    cql_status st = prepare(s,
                            "INSERT INTO %K.training_metrics (run_id, timestamp, epoch, train_loss, "
                            "train_accuracy, val_loss, val_accuracy, learning_rate) "
                            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?",
                            &s->metric_insert, &s->metric_row);
    if (st == CQL_OK)
        st = prepare(s,
                     "INSERT INTO %K.network_topology (run_id, timestamp, epoch, input_size, "
                     "output_size, hidden_units, total_parameters, topology_json) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?",
                     &s->topology_insert, &s->topology_row);
    if (st == CQL_OK)
        st = cql_writer_new(s->app.s, &o, &s->metrics, &s->app.err);
    o.on_flushed = on_topology;
    return st == CQL_OK ? cql_writer_new(s->app.s, &o, &s->topologies, &s->app.err) : st;
}

static void set_number(const char *option, const char *unit, long n)
{
    char text[40];
    snprintf(text, sizeof text, "%ld%s", n, unit);
    app_default(option, text, true);
}

/* The settings as those of the session; what the command line says comes before them. */
static void use_settings(store *s)
{
    const train_config *c = &s->config;
    tool_credentials *login = &s->app.connection.credentials;
    set_number("port", "", c->port);
    set_number("connect_timeout", "s", c->connect_timeout);
    set_number("request_timeout", "s", c->request_timeout);
    set_number("max_connections_per_host", "", c->pool_size);
    app_default("consistency", cql_consistency_name((int)c->read), true);
    app_default("contact_points", c->contact_points, true);
    if (!train_config_has_login(c) || login->user)
        return;
    login->user = tool_copy(c->username);
    if (!login->password)
        login->password = tool_copy(c->password);
}

int store_open(store *s, tool_args *args)
{
    const train_config *c = &s->config;
    use_settings(s);
    int code = app_open(&s->app, args);
    if (code == TOOL_EXIT_DENIED)
        tool_remark(s->app.name, "the log-in is that of CASSANDRA_USERNAME and CASSANDRA_PASSWORD, or of "
                                 "auth_provider in the file");
    if (code)
        return code;
    fprintf(stderr, "INFO: Cassandra connection established: %.*s:%ld\n",
            (int)strcspn(c->contact_points, ",:"), c->contact_points, c->port);
    cql_status st = make_writers(s); /* names a keyspace or table that is missing */
    if (st != CQL_OK)
        return app_report(&s->app, st);
    fprintf(stderr,
            "INFO: Using keyspace: %s\nINFO: Cassandra integration initialized\n"
            "INFO: Juniper Canopy started with Cassandra storage\n",
            c->keyspace);
    return 0;
}

void store_close(store *s)
{
    cql_writer_free(s->metrics);
    cql_writer_free(s->topologies);
    cql_statement_free(s->metric_row);
    cql_statement_free(s->topology_row);
    cql_prepared_unref(s->metric_insert);
    cql_prepared_unref(s->topology_insert);
    app_free(&s->app);
}

/* --- writing --------------------------------------------------------------------------------------- */

static run_clock *clock_of(store *s, const cql_uuid *run)
{
    for (size_t i = 0; i < s->clock_count; i++)
        if (memcmp(s->clocks[i].run.bytes, run->bytes, sizeof run->bytes) == 0)
            return &s->clocks[i];
    run_clock *c = &s->clocks[s->clock_count < RUNS_OPEN ? s->clock_count++
                                                          : s->oldest++ % RUNS_OPEN];
    *c = (run_clock){*run, INT64_MIN, INT64_MIN, false};
    return c;
}

/* The time if nothing of this run has it, else the next that is free. */
static int64_t own_time(run_clock *c, int64_t at)
{
    if (at < c->given)
        return at;
    c->given = at;
    c->used = at > c->used ? at : c->used + 1;
    return c->used;
}

static cql_value real(double v, unsigned has, unsigned bit)
{
    return has & 1u << bit ? cql_value_double(v) : cql_value_unset();
}

static cql_status bind_metric(store *s, const train_metric *m)
{
    run_clock *c = clock_of(s, &m->run), before = *c;
    cql_status st = cql_statement_bind(
        s->metric_row,
        CQL_VALUES(cql_value_uuid(m->run), cql_value_timestamp(own_time(c, m->at_ms)),
                   cql_value_int32(m->epoch), real(m->train_loss, m->has, 0),
                   real(m->train_accuracy, m->has, 1), real(m->val_loss, m->has, 2),
                   real(m->val_accuracy, m->has, 3), real(m->learning_rate, m->has, 4),
                   cql_value_int32((int32_t)s->config.ttl_metrics)),
        &s->app.err);
    if (st != CQL_OK)
        *c = before;
    return st;
}

cql_status store_metrics(store *s, const train_metric *m)
{
    cql_status st = bind_metric(s, m);
    return st == CQL_OK ? cql_writer_add(s->metrics, s->metric_row, on_row, s) : st;
}

cql_status store_metrics_wait(store *s, const train_metric *m)
{
    cql_status st = bind_metric(s, m);
    return st == CQL_OK ? app_add(&s->app, s->metrics, s->metric_row, on_row, s) : st;
}

cql_status store_topology(store *s, const train_topology *t)
{
    cql_status st = cql_statement_bind(
        s->topology_row,
        CQL_VALUES(cql_value_uuid(t->run), cql_value_timestamp(t->at_ms),
                   cql_value_int32(t->epoch), cql_value_int32(t->input_size),
                   cql_value_int32(t->output_size), cql_value_int32(t->hidden_units),
                   cql_value_int32(t->total_parameters),
                   t->json ? cql_value_text(t->json) : cql_value_unset(),
                   cql_value_int32((int32_t)s->config.ttl_topology)),
        &s->app.err);
    return st == CQL_OK ? app_add(&s->app, s->topologies, s->topology_row, on_row, s) : st;
}

static cql_value text(const char *v)
{
    return v ? cql_value_text(v) : cql_value_unset();
}

static cql_status write_run(store *s, const char *pattern, cql_values values)
{
    char cql[512];
    snprintf(cql, sizeof cql, "%s", app_cql(pattern, s->config.keyspace));
    s->app.level = (int)s->config.write;
    cql_status st = app_execute(&s->app, cql, values, NULL);
    s->app.level = 0;
    return st;
}

cql_status store_run_start(store *s, const train_run *r)
{
    clock_of(s, &r->run)->open = true;
    return write_run(s,
                     "INSERT INTO %K.training_runs (run_id, start_time, status, dataset_name, "
                     "config_json) VALUES (?, ?, ?, ?, ?) USING TTL ?",
                     CQL_VALUES(cql_value_uuid(r->run), cql_value_timestamp(r->at_ms),
                                cql_value_text(r->status ? r->status : "running"), text(r->dataset),
                                text(r->config), cql_value_int32((int32_t)s->config.ttl_runs)));
}

cql_status store_run_end(store *s, const train_run *r)
{
    clock_of(s, &r->run)->open = false;
    return write_run(s,
                     "UPDATE %K.training_runs USING TTL ? SET end_time = ?, status = ?, "
                     "final_loss = ?, final_accuracy = ? WHERE run_id = ?",
                     CQL_VALUES(cql_value_int32((int32_t)s->config.ttl_runs),
                                cql_value_timestamp(r->at_ms),
                                cql_value_text(r->status ? r->status : "completed"),
                                real(r->loss, r->has, 0), real(r->accuracy, r->has, 1),
                                cql_value_uuid(r->run)));
}

cql_status store_flush(store *s)
{
    cql_status st = app_flush(&s->app, s->metrics);
    return st == CQL_OK ? app_flush(&s->app, s->topologies) : st;
}

cql_status store_end_open_runs(store *s)
{
    cql_status st = CQL_OK;
    for (size_t i = 0; i < s->clock_count && st == CQL_OK; i++)
        if (s->clocks[i].open)
            st = store_run_end(s, &(train_run){.run = s->clocks[i].run, .at_ms = app_now_ms(),
                                               .status = "failed"});
    return st;
}

/* --- reading --------------------------------------------------------------------------------------- */

typedef struct rows_into {
    cJSON *array;
    size_t limit;
} rows_into;

static bool add_row(cql_rows *rows, const cql_result *res, void *user)
{
    rows_into *into = user;
    cJSON_AddItemToArray(into->array, app_row_json(rows, res));
    return --into->limit > 0;
}

cJSON *store_rows(store *s, const char *pattern, cql_values values, size_t limit, cql_status *st)
{
    char cql[512];
    rows_into into = {cJSON_CreateArray(), limit};
    snprintf(cql, sizeof cql, "%s", app_cql(pattern, s->config.keyspace));
    *st = app_each_row(&s->app, cql, values, PAGE, add_row, &into);
    if (*st == CQL_OK)
        return into.array;
    cJSON_Delete(into.array);
    return NULL;
}

cJSON *store_history(store *s, const cql_uuid *run, size_t limit, cql_status *st)
{
    return store_rows(s, "SELECT * FROM %K.training_metrics WHERE run_id = ?",
                      CQL_VALUES(cql_value_uuid(*run)), limit, st);
}

cJSON *store_range(store *s, const cql_uuid *run, int64_t from, int64_t to, size_t limit,
                   cql_status *st)
{
    return store_rows(s,
                      "SELECT * FROM %K.training_metrics WHERE run_id = ? AND timestamp >= ? AND "
                      "timestamp < ?",
                      CQL_VALUES(cql_value_uuid(*run), cql_value_timestamp(from),
                                 cql_value_timestamp(to)),
                      limit, st);
}

/* Filtering within one partition; over the table it would be refused, and rightly. */
cJSON *store_epoch(store *s, const cql_uuid *run, int32_t epoch, cql_status *st)
{
    return store_rows(s,
                      "SELECT * FROM %K.training_metrics WHERE run_id = ? AND epoch = ? "
                      "ALLOW FILTERING",
                      CQL_VALUES(cql_value_uuid(*run), cql_value_int32(epoch)), 1000, st);
}

cJSON *store_run(store *s, const cql_uuid *run, cql_status *st)
{
    return store_rows(s, "SELECT * FROM %K.training_runs WHERE run_id = ?",
                      CQL_VALUES(cql_value_uuid(*run)), 1, st);
}

static int newest_first(const void *a, const void *b)
{
    const cJSON *x = cJSON_GetObjectItem(*(cJSON *const *)a, "start_time");
    const cJSON *y = cJSON_GetObjectItem(*(cJSON *const *)b, "start_time");
    const char *xs = x && x->valuestring ? x->valuestring : "";
    const char *ys = y && y->valuestring ? y->valuestring : "";
    return strcmp(ys, xs);
}

/* tool_json_raw keeps the value's text with its quotes, so times sort as texts. */
cJSON *store_runs(store *s, size_t limit, cql_status *st)
{
    cJSON *all = store_rows(s, "SELECT * FROM %K.training_runs", (cql_values){NULL, 0}, SIZE_MAX, st);
    if (!all)
        return NULL;
    size_t n = (size_t)cJSON_GetArraySize(all);
    cJSON **items = malloc((n + 1) * sizeof *items);
    cJSON *sorted = cJSON_CreateArray();
    for (size_t i = 0; items && i < n; i++)
        items[i] = cJSON_DetachItemFromArray(all, 0);
    if (items)
        qsort(items, n, sizeof *items, newest_first);
    for (size_t i = 0; items && i < n; i++)
        if (i < limit)
            cJSON_AddItemToArray(sorted, items[i]);
        else
            cJSON_Delete(items[i]);
    free(items);
    cJSON_Delete(all);
    return sorted;
}

cJSON *store_count(store *s, cql_status *st)
{
    return store_rows(s, "SELECT count(*) FROM %K.training_metrics", (cql_values){NULL, 0}, 1, st);
}
