/* connect.c: asks a question and prints the answer. The calls block; the session is driven by them,
 * so there is no thread but this one.
 *
 *   connect [cql://HOST[:PORT]/?loop_threads=0] */
#include <cqlnative/cql.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_result *res = NULL;
    cql_rows rows;

    if (cql_session_open_wait(url, &s, &err) == CQL_OK &&
        cql_session_query_wait(s, "SELECT cluster_name, release_version FROM system.local", &res,
                               &err) == CQL_OK) {
        cql_rows_init(&rows, res);
        while (cql_rows_next(&rows))
            printf("%s runs %s\n", cql_rows_cstr(&rows, 0), cql_rows_cstr(&rows, 1));
    }
    if (err)
        fprintf(stderr, "%s\n", cql_error_text(err)); /* what failed, where, why, what to do */
    cql_result_unref(res);
    cql_session_free(s); /* closes it first; NULL is fine */
    int failed = err != NULL;
    cql_error_unref(err);
    return failed;
}
