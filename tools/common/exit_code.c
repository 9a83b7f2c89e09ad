/* Errors of the library as exit codes. */
#include "common/exit_code.h"

static bool is_denied(cql_status st)
{
    return st == CQL_AUTH_FAILED || st == CQL_SERVER_BAD_CREDENTIALS || st == CQL_TLS_FAILED;
}

static bool was_denied(const cql_error *err)
{
    if (is_denied(cql_error_status(err)))
        return true;
    for (size_t i = 0; i < cql_error_tried_count(err); i++) {
        const char *host, *reason;
        cql_status st;
        if (cql_error_tried(err, i, &host, &st, &reason) == CQL_OK && is_denied(st))
            return true;
    }
    return false;
}

static bool is_misuse(cql_status st)
{
    return (int)st >= 1 && (int)st <= 99;
}

tool_exit tool_exit_of_connect(const cql_error *err)
{
    cql_status st = cql_error_status(err);
    if (was_denied(err))
        return TOOL_EXIT_DENIED;
    if (st == CQL_NO_MEMORY || st == CQL_SYSTEM)
        return TOOL_EXIT_FAILED;
    return is_misuse(st) ? TOOL_EXIT_USAGE : TOOL_EXIT_UNREACHED;
}

tool_exit tool_exit_of_statement(const cql_error *err)
{
    cql_status st = cql_error_status(err);
    if (was_denied(err))
        return TOOL_EXIT_DENIED;
    if (st == CQL_NO_HOST || st == CQL_RESOLVE_FAILED || st == CQL_CONNECT_FAILED)
        return TOOL_EXIT_UNREACHED;
    return st == CQL_SCHEMA_DIFFERS ? TOOL_EXIT_DIFFERS : TOOL_EXIT_FAILED;
}
