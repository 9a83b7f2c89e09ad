/* Runs one statement over all its pages. */
#include "ping/query.h"

#include "common/exit_code.h"
#include "common/report.h"
#include "common/rows.h"

#include <cqlnative/session.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *at)
{
    for (;;) {
        while (isspace((unsigned char)*at))
            at++;
        if (strncmp(at, "--", 2) == 0 || strncmp(at, "//", 2) == 0) {
            at += strcspn(at, "\n");
        } else if (strncmp(at, "/*", 2) == 0) {
            const char *end = strstr(at + 2, "*/");
            at = end ? end + 2 : at + strlen(at);
        } else {
            return at;
        }
    }
}

bool ping_begins_with(const char *cql, const char *const *words, size_t count)
{
    const char *at = skip_blanks(cql);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(words[i]);
        if (strncasecmp(at, words[i], length) == 0 && !isalnum((unsigned char)at[length]) &&
            at[length] != '_')
            return true;
    }
    return false;
}

bool ping_is_read_only(const char *cql)
{
    static const char *const words[] = {"SELECT", "DESCRIBE", "DESC", "LIST"};
    return ping_begins_with(cql, words, CQL_COUNT(words));
}

static cql_status print_page(tool_row_table *table, const cql_result *res)
{
    tool_print_warnings(PING_NAME, res);
    if (table)
        return tool_row_table_add(table, res);
    return tool_print_rows_json(stdout, res);
}

/* All pages; the error of the failing one in *err. */
static cql_status run_pages(cql_session *s, cql_statement *stmt, tool_row_table *table,
                            cql_error **err)
{
    bool more = true;
    while (more) {
        cql_result *res = NULL;
        cql_status st = cql_session_execute_wait(s, stmt, &res, err);
        if (st == CQL_OK)
            st = print_page(table, res);
        more = st == CQL_OK && cql_result_has_more(res);
        if (more)
            st = cql_statement_set_paging_state(stmt, cql_result_paging_state(res));
        cql_result_unref(res);
        if (st != CQL_OK)
            return st;
    }
    return CQL_OK;
}

static int run(const ping_config *config, cql_session *s, const char *cql)
{
    cql_error *err = NULL;
    cql_statement *stmt = NULL;
    tool_row_table *table = config->output == PING_JSON ? NULL : tool_row_table_new();
    cql_status st = cql_statement_new(cql, 0, NULL, &stmt);
    if (st == CQL_OK)
        st = run_pages(s, stmt, table, &err);
    if (st == CQL_OK && table)
        tool_row_table_print(table, stdout);
    tool_row_table_free(table);
    cql_statement_free(stmt);
    tool_exit code = st == CQL_OK ? TOOL_EXIT_OK
                     : err        ? tool_exit_of_statement(err)
                                  : TOOL_EXIT_FAILED;
    if (err)
        tool_report(PING_NAME, err, NULL);
    else if (st != CQL_OK)
        tool_fail(PING_NAME, "the answer cannot be shown: %s", cql_status_text(st));
    cql_error_unref(err);
    return (int)code;
}

int ping_query(const ping_config *config, const cql_options *options, const char *cql)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    int code;
    if (cql_session_new(options, &s, &err) == CQL_OK && cql_session_connect_wait(s, &err) == CQL_OK)
        code = run(config, s, cql);
    else
        code = err ? (int)tool_exit_of_connect(err) : TOOL_EXIT_FAILED;
    if (err)
        tool_report(PING_NAME, err, NULL);
    cql_session_free(s);
    cql_error_unref(err);
    return code;
}
