/* What examples/outbox has brought to the tables: all readings, exactly, with write times that rise as
 * their numbers do, and the last of them in the row that every one of them wrote.
 *
 *   outbox_probe URL READINGS */
#include <cqlnative/cql.h>
#include <stdio.h>
#include <stdlib.h>

static cql_result *ask(cql_session *s, const char *cql)
{
    cql_result *res = NULL;
    cql_error *err = NULL;
    if (cql_session_query_wait(s, cql, &res, &err) != CQL_OK) {
        printf("%s\n", cql_error_text(err));
        exit(1);
    }
    return res;
}

/* Where it differs; -1: nowhere. */
static int32_t check_rows(const cql_result *res, int32_t wanted)
{
    cql_rows rows;
    int64_t last_time = 0;
    int32_t i = 0;
    cql_rows_init(&rows, res);
    for (; cql_rows_next(&rows); i++) {
        int64_t time = cql_rows_int64(&rows, 2);
        double value = i / 10.0, got = cql_rows_double(&rows, 1);
        if (cql_rows_int32(&rows, 0) != i || got < value || got > value || time <= last_time)
            return i;
        last_time = time;
    }
    return i == wanted && cql_rows_status(&rows) == CQL_OK ? -1 : i;
}

int main(int argc, char **argv)
{
    cql_session *s = NULL;
    cql_error *err = NULL;
    if (argc != 3)
        return 2;
    int32_t wanted = (int32_t)strtol(argv[2], NULL, 10);
    if (cql_session_open_wait(argv[1], &s, &err) != CQL_OK) {
        printf("%s\n", cql_error_text(err));
        return 1;
    }
    cql_result *res = ask(s, "SELECT seq, value, WRITETIME(value) FROM cql_outbox.readings "
                             "WHERE device = 'pump 7'");
    int32_t differs = check_rows(res, wanted);
    cql_result_unref(res);
    cql_rows rows;
    res = ask(s, "SELECT seq FROM cql_outbox.latest WHERE device = 'pump 7'");
    cql_rows_init(&rows, res);
    int32_t last = cql_rows_next(&rows) ? cql_rows_int32(&rows, 0) : -1;
    cql_result_unref(res);
    cql_session_free(s);
    if (differs >= 0 || last != wanted - 1) {
        printf("reading %d is not as it should be; the latest is %d\n", differs, last);
        return 1;
    }
    printf("all %d readings are there, in order; the latest is %d\n", wanted, last);
    return 0;
}
