/* store.h: what the trainer calls, and what the dashboard asks. */
#ifndef TRAINMETRICS_STORE_H
#define TRAINMETRICS_STORE_H

#include "common/app.h"
#include "trainmetrics/config.h"

enum { RUNS_OPEN = 64, STORE_PAGE = 500 };

typedef struct train_metric {
    cql_uuid run;
    int64_t at_ms;
    int32_t epoch;
    double train_loss, train_accuracy, val_loss, val_accuracy, learning_rate;
    unsigned has; /* one bit for each of the five */
} train_metric;

typedef struct train_topology {
    cql_uuid run;
    int64_t at_ms;
    int32_t epoch, input_size, output_size, hidden_units, total_parameters;
    const char *json;
} train_topology;

typedef struct train_run {
    cql_uuid run;
    int64_t at_ms;
    const char *status, *dataset, *config;
    double loss, accuracy;
    unsigned has; /* 1 loss, 2 accuracy */
} train_run;

/* Times of one run, so that two metrics of one millisecond do not become one row. */
typedef struct run_clock {
    cql_uuid run;
    int64_t given, used;
    bool open; /* started here and not ended */
} run_clock;

typedef struct store {
    app app;
    train_config config;
    cql_prepared *metric_insert, *topology_insert;
    cql_statement *metric_row, *topology_row;
    cql_writer *metrics, *topologies;
    run_clock clocks[RUNS_OPEN];
    size_t clock_count, oldest;
    uint64_t stored, failed;
} store;

/* Connects and says so in the documented words; 0 or an exit code. */
int store_open(store *s, tool_args *args);
void store_close(store *s);

/* What blocks waits for room (app_add); the other gives CQL_WOULD_BLOCK when the buffer is full. */
cql_status store_metrics(store *s, const train_metric *m);
cql_status store_metrics_wait(store *s, const train_metric *m);
cql_status store_topology(store *s, const train_topology *t);
cql_status store_run_start(store *s, const train_run *r);
cql_status store_run_end(store *s, const train_run *r);
/* Sends and waits for what is buffered (app_flush). */
cql_status store_flush(store *s);
/* Runs that were started here and not ended become failed. */
cql_status store_end_open_runs(store *s);

/* Rows as a JSON array of objects; NULL with *st and s->app.err. Yours: cJSON_Delete. */
cJSON *store_rows(store *s, const char *cql, cql_values values, size_t limit, cql_status *st);
cJSON *store_history(store *s, const cql_uuid *run, size_t limit, cql_status *st);
cJSON *store_range(store *s, const cql_uuid *run, int64_t from, int64_t to, size_t limit,
                   cql_status *st);
cJSON *store_epoch(store *s, const cql_uuid *run, int32_t epoch, cql_status *st);
cJSON *store_run(store *s, const cql_uuid *run, cql_status *st);
/* Newest first. */
cJSON *store_runs(store *s, size_t limit, cql_status *st);
cJSON *store_count(store *s, cql_status *st);

#endif
