/* structs.c: writes structs and reads rows back into an array of them, by one description.
 *
 *   structs [cql://HOST[:PORT]/?loop_threads=0] */
#include <cqlnative/cql.h>
#include <stdio.h>

#define EPOCHS 100

struct metric {
    cql_uuid run;
    int64_t at_ms;
    int32_t epoch;
    double train_loss, val_loss;
    bool has_val_loss;
};

static const cql_field metric_fields[] = {
    CQL_FIELD(struct metric, run, "run_id"),
    CQL_FIELD(struct metric, at_ms, "timestamp"),
    CQL_FIELD(struct metric, epoch, "epoch"),
    CQL_FIELD(struct metric, train_loss, "train_loss"),
    CQL_FIELD_OPT(struct metric, val_loss, has_val_loss, "val_loss"),
};

static const char *const schema[] = {
    "CREATE KEYSPACE IF NOT EXISTS cql_examples"
    " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TABLE IF NOT EXISTS cql_examples.metrics"
    " (run_id uuid, timestamp timestamp, epoch int, train_loss double, val_loss double,"
    "  PRIMARY KEY (run_id, timestamp))",
};

static cql_status write_metrics(cql_session *s, cql_uuid run, cql_error **err)
{
    cql_prepared *insert = NULL;
    cql_statement *stmt = NULL;
    cql_status st = cql_session_prepare_wait(
        s,
        "INSERT INTO cql_examples.metrics (run_id, timestamp, epoch, train_loss, val_loss)"
        " VALUES (?, ?, ?, ?, ?)",
        &insert, err);
    if (st == CQL_OK && !(stmt = cql_prepared_bind(insert)))
        st = CQL_NO_MEMORY;
    for (int32_t i = 0; st == CQL_OK && i < EPOCHS; i++) {
        struct metric m = {.run = run, .at_ms = 1700000000000 + i, .epoch = i};
        m.train_loss = 2.0 / (1 + i);
        m.val_loss = 2.5 / (1 + i);
        m.has_val_loss = i % 10 == 9; /* the others are null */
        st = cql_statement_bind_struct(stmt, metric_fields, CQL_COUNT(metric_fields), &m, err);
        if (st == CQL_OK)
            st = cql_session_execute_wait(s, stmt, NULL, err);
    }
    cql_statement_free(stmt);
    cql_prepared_unref(insert);
    return st;
}

static cql_status read_metrics(cql_session *s, cql_uuid run, cql_error **err)
{
    static struct metric out[1000];
    cql_statement *stmt = NULL;
    cql_result *res = NULL;
    cql_rows rows;
    size_t count = 0, validated = 0;
    cql_status st =
        cql_statement_new("SELECT * FROM cql_examples.metrics WHERE run_id = ?", 1, NULL, &stmt);
    if (st == CQL_OK)
        st = cql_statement_bind_uuid(stmt, 0, run);
    if (st == CQL_OK)
        st = cql_session_execute_wait(s, stmt, &res, err);
    if (st == CQL_OK) {
        cql_rows_init(&rows, res);
        st = cql_rows_scan(&rows, metric_fields, CQL_COUNT(metric_fields), out, sizeof out[0],
                           CQL_COUNT(out), &count, err);
    }
    for (size_t i = 0; i < count; i++)
        validated += out[i].has_val_loss;
    if (st == CQL_OK && count)
        printf("%zu epochs, %zu of them validated, loss from %.2f to %.2f\n", count, validated,
               out[0].train_loss, out[count - 1].train_loss);
    cql_result_unref(res);
    cql_statement_free(stmt);
    return st;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_uuid run = cql_uuid_random();

    cql_status st = cql_session_open_wait(url, &s, &err);
    for (size_t i = 0; st == CQL_OK && i < CQL_COUNT(schema); i++)
        st = cql_session_query_wait(s, schema[i], NULL, &err);
    if (st == CQL_OK)
        st = write_metrics(s, run, &err);
    if (st == CQL_OK)
        st = read_metrics(s, run, &err);
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_session_free(s);
    cql_error_unref(err);
    return st != CQL_OK;
}
