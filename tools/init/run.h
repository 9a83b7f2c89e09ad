/* run.h: does what the command line asks for. */
#ifndef INIT_RUN_H
#define INIT_RUN_H

#include "init/say.h"

/* Reads the inputs, connects, works, reports. Returns the exit code. */
int init_run(const init_config *config, tool_connection *connection, tool_args *args);

/* --- for shell.c and status.c ----------------------------------------------------------------- */
/* The options of a run; opts->reached is set. */
cql_schema_options init_options(const init_config *config, const tool_connection *connection,
                                init_say *say);
/* The exit code of a finished run. */
int init_exit_of(cql_status st, const cql_error *err);

/* shell.c: reads statements from a terminal and runs each at its semicolon. */
int init_shell(const init_config *config, cql_session *s, cql_schema_options *opts, init_say *say,
               const char *keyspace);
/* The keyspace that a USE statement names, unquoted; NULL when it is none. Yours: free(). */
char *init_used_keyspace(const char *statement);

/* migrate.c: what of the folder was not applied yet. */
int init_migrate(const init_config *config, cql_session *s, const cql_schema_options *apply,
                 init_say *say);

/* status.c: cluster, nodes and schema agreement. */
void init_status(const init_config *config, cql_session *s);

#endif
