/* exit_code.h: one table of exit codes for all tools.
 *
 *   if (cql_session_connect_wait(s, &err) != CQL_OK)
 *       return tool_exit_of_connect(err);
 *   if (cql_session_query_wait(s, cql, &res, &err) != CQL_OK)
 *       return tool_exit_of_statement(err); */
#ifndef TOOL_EXIT_CODE_H
#define TOOL_EXIT_CODE_H

#include <cqlnative/error.h>

typedef enum tool_exit {
    TOOL_EXIT_OK = 0,        /* fine */
    TOOL_EXIT_FAILED = 1,    /* a statement, probe or job failed */
    TOOL_EXIT_USAGE = 2,     /* the command line cannot be followed */
    TOOL_EXIT_UNREACHED = 3, /* not ready or not reachable in time */
    TOOL_EXIT_DIFFERS = 4,   /* verification found differences */
    TOOL_EXIT_DENIED = 5     /* authentication or TLS */
} tool_exit;

/* The code for a session that could not be set up: DENIED when the log-in or TLS was refused (by
 * any of the nodes tried), USAGE for an option that cannot be, else UNREACHED. */
tool_exit tool_exit_of_connect(const cql_error *err);
/* The code for a request of a session that was up: as above for log-in, TLS and no node left to
 * ask, DIFFERS for a schema that differs, else FAILED. */
tool_exit tool_exit_of_statement(const cql_error *err);

#endif
