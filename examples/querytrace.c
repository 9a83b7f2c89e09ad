/* querytrace.c: runs a traced query and prints what the nodes did for it.
 *
 *   querytrace [cql://HOST[:PORT]/?loop_threads=0] ["CQL"] */
#include <cqlnative/cql.h>
#include <stdio.h>

static void print_trace(const cql_trace *trace)
{
    cql_trace_info info;
    cql_trace_event e;
    char node[64], text[160];
    cql_trace_info_of(trace, &info);
    cql_value request = cql_value_str(info.request);
    cql_value_print(&request, NULL, text, sizeof text, NULL); /* escapes what a terminal would obey */
    printf("%s: %d us\n", text, (int)info.duration_us);
    for (size_t i = 0; cql_trace_event_at(trace, i, &e) == CQL_OK; i++) {
        cql_value source = cql_value_inet(e.source);
        cql_value activity = cql_value_str(e.activity);
        cql_value_print(&source, NULL, node, sizeof node, NULL);
        cql_value_print(&activity, NULL, text, sizeof text, NULL);
        printf("%8d us  %-12s %s\n", (int)e.source_elapsed_us, node, text);
    }
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    const char *cql = argc > 2 ? argv[2] : "SELECT release_version FROM system.local";
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_statement *stmt = NULL;
    cql_result *res = NULL;
    cql_trace *trace = NULL;
    cql_uuid id;

    cql_status st = cql_session_open_wait(url, &s, &err);
    if (st == CQL_OK)
        st = cql_statement_new(cql, 0, NULL, &stmt);
    if (st == CQL_OK) {
        cql_statement_set_tracing(stmt, true);
        st = cql_session_execute_wait(s, stmt, &res, &err);
    }
    if (st == CQL_OK && cql_result_tracing_id(res, &id))
        st = cql_session_trace_wait(s, id, 10000, &trace, &err);
    if (trace)
        print_trace(trace);
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_trace_free(trace);
    cql_result_unref(res);
    cql_statement_free(stmt);
    cql_session_free(s);
    cql_error_unref(err);
    return st != CQL_OK;
}
