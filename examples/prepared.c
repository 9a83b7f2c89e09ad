/* prepared.c: prepares a statement once, runs it with different values, and reads a result page by
 * page. The calls block, and drive the session.
 *
 *   prepared [cql://HOST[:PORT]/?loop_threads=0] */
#include <cqlnative/cql.h>
#include <stdio.h>

#define ROWS 1000
#define PAGE 100

static const char *const schema[] = {
    "CREATE KEYSPACE IF NOT EXISTS cql_examples"
    " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TABLE IF NOT EXISTS cql_examples.readings"
    " (sensor text, at timestamp, celsius double, note text, PRIMARY KEY (sensor, at))",
};

static cql_status insert_readings(cql_session *s, cql_error **err)
{
    cql_prepared *insert = NULL;
    cql_statement *stmt = NULL;
    cql_status st = cql_session_prepare_wait(
        s, "INSERT INTO cql_examples.readings (sensor, at, celsius, note) VALUES (?, ?, ?, ?)",
        &insert, err);
    if (st == CQL_OK && !(stmt = cql_prepared_bind(insert)))
        st = CQL_NO_MEMORY;
    for (int64_t i = 0; st == CQL_OK && i < ROWS; i++) {
        /* A marker that is not set leaves its column as it is, and no tombstone. */
        st = cql_statement_bind(stmt,
                                CQL_VALUES(cql_value_text("roof"),
                                           cql_value_timestamp(1700000000000 + i * 60000),
                                           cql_value_double(20.0 + (double)(i % 50) / 10),
                                           i % 10 ? cql_value_unset() : cql_value_text("checked")),
                                err);
        if (st == CQL_OK)
            st = cql_session_execute_wait(s, stmt, NULL, err);
    }
    cql_statement_free(stmt);
    cql_prepared_unref(insert);
    return st;
}

/* Adds up one page. The types are checked once, after the loop. */
static cql_status add_page(const cql_result *res, long *count, long *notes, double *sum)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        *sum += cql_rows_double(&rows, 0);
        *notes += !cql_rows_is_null(&rows, 1);
        ++*count;
    }
    return cql_rows_status(&rows);
}

static cql_status read_readings(cql_session *s, cql_error **err)
{
    cql_prepared *select = NULL;
    cql_statement *stmt = NULL;
    long count = 0, notes = 0, pages = 0;
    double sum = 0;
    bool more = true;
    cql_status st = cql_session_prepare_wait(
        s, "SELECT celsius, note FROM cql_examples.readings WHERE sensor = ?", &select, err);
    if (st == CQL_OK && !(stmt = cql_prepared_bind(select)))
        st = CQL_NO_MEMORY;
    if (st == CQL_OK)
        st = cql_statement_bind_text(stmt, 0, "roof");
    if (st == CQL_OK)
        st = cql_statement_set_page_size(stmt, PAGE);
    while (st == CQL_OK && more) {
        cql_result *res = NULL;
        st = cql_session_execute_wait(s, stmt, &res, err);
        if (st == CQL_OK)
            st = add_page(res, &count, &notes, &sum);
        more = st == CQL_OK && cql_result_has_more(res);
        if (more)
            st = cql_statement_set_paging_state(stmt, cql_result_paging_state(res));
        cql_result_unref(res);
        pages++;
    }
    if (st == CQL_OK)
        printf("%ld readings on %ld pages, %ld with a note, %.2f degrees on average\n", count,
               pages, notes, count ? sum / (double)count : 0.0);
    cql_statement_free(stmt);
    cql_prepared_unref(select);
    return st;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    cql_error *err = NULL;
    cql_session *s = NULL;

    cql_status st = cql_session_open_wait(url, &s, &err);
    for (size_t i = 0; st == CQL_OK && i < CQL_COUNT(schema); i++)
        st = cql_session_query_wait(s, schema[i], NULL, &err);
    if (st == CQL_OK)
        st = insert_readings(s, &err);
    if (st == CQL_OK)
        st = read_readings(s, &err);
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_session_free(s);
    cql_error_unref(err);
    return st != CQL_OK;
}
