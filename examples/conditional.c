/* conditional.c: takes a seat with a conditional update, and says who has it when it is taken.
 *
 *   conditional [cql://HOST[:PORT]/?loop_threads=0] */
#include <cqlnative/cql.h>
#include <stdio.h>

static const char *const schema[] = {
    ("CREATE KEYSPACE IF NOT EXISTS cql_examples"
     " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"),
    "CREATE TABLE IF NOT EXISTS cql_examples.guests"
    " (show uuid, seat int, guest text, PRIMARY KEY (show, seat))",
};

/* Rows that are written under conditions are written under conditions alone: a plain write beside them has
 * another clock, and may win although it came first. Here each run has a show of its own. */
static cql_status take_seat(cql_session *s, cql_uuid show, const char *guest, cql_error **err)
{
    cql_statement *stmt = NULL;
    cql_result *res = NULL;
    cql_rows rows;
    bool applied = false;
    cql_status st = cql_statement_new(
        "UPDATE cql_examples.guests SET guest = ? WHERE show = ? AND seat = 12 IF guest = null", 2,
        NULL, &stmt);
    if (st == CQL_OK)
        st = cql_statement_bind(stmt, CQL_VALUES(cql_value_text(guest), cql_value_uuid(show)), err);
    if (st == CQL_OK)
        st = cql_statement_set_serial_consistency(stmt, CQL_CONSISTENCY_LOCAL_SERIAL);
    if (st == CQL_OK)
        st = cql_session_execute_wait(s, stmt, &res, err);
    if (st == CQL_OK)
        st = cql_result_conditional(res, &applied, &rows);
    if (st == CQL_OK && applied)
        printf("%s has the seat\n", guest);
    else if (st == CQL_OK && cql_rows_next(&rows)) /* column 0 is [applied] */
        printf("%s has not, it belongs to %s\n", guest, cql_rows_cstr(&rows, 1));
    cql_result_unref(res);
    cql_statement_free(stmt);
    return st;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_uuid show = cql_uuid_random();

    cql_status st = cql_session_open_wait(url, &s, &err);
    for (size_t i = 0; st == CQL_OK && i < CQL_COUNT(schema); i++)
        st = cql_session_query_wait(s, schema[i], NULL, &err);
    if (st == CQL_OK)
        st = take_seat(s, show, "Ada", &err);
    if (st == CQL_OK)
        st = take_seat(s, show, "Grace", &err);
    if (st != CQL_OK) {
        /* Only a failure that may have been applied leaves open whether the seat is taken. */
        fprintf(stderr, "%s%s\n", err ? cql_error_text(err) : cql_status_text(st),
                err && cql_error_maybe_applied(err) ? " (it may have been applied)" : "");
    }
    cql_session_free(s);
    cql_error_unref(err);
    return st != CQL_OK;
}
