/* pages.c: reads every row of a table without thinking of pages; the next page is fetched while this one
 * is read.
 *
 *   pages [cql://HOST[:PORT]/?loop_threads=0] */
#include <cqlnative/cql.h>
#include <stdio.h>

#define ROWS 1000
#define PAGE 64

static const char *const schema[] = {
    "CREATE KEYSPACE IF NOT EXISTS cql_examples"
    " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TABLE IF NOT EXISTS cql_examples.steps (walk int, step int, PRIMARY KEY (walk, step))",
};

static cql_status write_steps(cql_session *s, cql_error **err)
{
    cql_statement *stmt = NULL;
    cql_batch *batch = NULL;
    cql_status st = cql_statement_new(
        "INSERT INTO cql_examples.steps (walk, step) VALUES (?, ?)", 2, NULL, &stmt);
    if (st == CQL_OK)
        st = cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &batch);
    for (int32_t i = 0; st == CQL_OK && i < ROWS; i++) {
        st = cql_statement_bind(stmt, CQL_VALUES(cql_value_int32(1), cql_value_int32(i)), err);
        if (st == CQL_OK)
            st = cql_batch_add(batch, stmt);
        if (st == CQL_OK && (i + 1) % 100 == 0) {
            st = cql_session_execute_batch_wait(s, batch, NULL, err);
            cql_batch_clear(batch);
        }
    }
    cql_batch_free(batch);
    cql_statement_free(stmt);
    return st;
}

static cql_status read_steps(cql_session *s, cql_error **err)
{
    cql_statement *stmt = NULL;
    cql_pages *pages = NULL;
    cql_rows rows;
    long count = 0, sum = 0;
    cql_status st = cql_statement_new("SELECT step FROM cql_examples.steps WHERE walk = 1", 0, NULL,
                                      &stmt);
    if (st == CQL_OK)
        st = cql_pages_new(s, stmt, PAGE, &pages);
    while (st == CQL_OK && (st = cql_pages_next_wait(pages, &rows, err)) == CQL_OK) {
        while (cql_rows_next(&rows)) {
            sum += cql_rows_int32(&rows, 0);
            count++;
        }
        st = cql_rows_status(&rows);
    }
    if (st == CQL_DONE) {
        printf("%ld steps, their sum is %ld\n", count, sum);
        st = CQL_OK;
    }
    cql_pages_free(pages);
    cql_statement_free(stmt);
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
        st = write_steps(s, &err);
    if (st == CQL_OK)
        st = read_steps(s, &err);
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_session_free(s);
    cql_error_unref(err);
    return st != CQL_OK;
}
