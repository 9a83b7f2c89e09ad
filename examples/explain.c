/* explain.c: to which nodes a request would go, and why.
 *
 *   explain [cql://HOST[:PORT]/?loop_threads=0] [KEYSPACE.TABLE COLUMN VALUE]
 *
 * Prints the plan of SELECT * FROM KEYSPACE.TABLE WHERE COLUMN = VALUE, COLUMN being the partition key, of
 * type text; without them that of a query without a key. */
#include <cqlnative/cql.h>
#include <stdio.h>

static cql_status make_statement(cql_session *s, char **args, cql_statement **out, cql_error **err)
{
    char cql[300];
    cql_prepared *prepared = NULL;
    if (!args)
        return cql_statement_new("SELECT release_version FROM system.local", 0, NULL, out);
    /* Names cannot be markers: these come from whoever runs this program. Values always can. */
    int len = snprintf(cql, sizeof cql, "SELECT * FROM %s WHERE %s = ?", args[0], args[1]);
    if (len < 0 || (size_t)len >= sizeof cql)
        return CQL_TOO_LARGE;
    cql_status st = cql_session_prepare_wait(s, cql, &prepared, err);
    if (st == CQL_OK && !(*out = cql_prepared_bind(prepared)))
        st = CQL_NO_MEMORY;
    if (st == CQL_OK)
        st = cql_statement_bind_text(*out, 0, args[2]);
    cql_prepared_unref(prepared);
    return st;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_statement *stmt = NULL;
    cql_plan *plan = NULL;

    if (argc != 1 && argc != 2 && argc != 5) {
        fprintf(stderr, "usage: explain [URL [KEYSPACE.TABLE COLUMN VALUE]]\n");
        return 2;
    }
    cql_status st = cql_session_open_wait(url, &s, &err);
    if (st == CQL_OK)
        st = make_statement(s, argc == 5 ? argv + 2 : NULL, &stmt, &err);
    if (st == CQL_OK)
        st = cql_session_explain_wait(s, stmt, &plan, &err);
    if (st == CQL_OK)
        printf("%s%s\n", cql_plan_text(plan), cql_plan_json(plan));
    else
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_plan_free(plan);
    cql_statement_free(stmt);
    cql_session_free(s);
    cql_error_unref(err);
    return st != CQL_OK;
}
