/* cli.h: the command line of cqlping, read and checked.
 *
 *   ping_cli line = {0};
 *   tool_args a;
 *   ping_cli_read(&line, &a, argc, argv);   (a.ended: help was printed, or it cannot be followed)
 *   tool_connection_free(&line.connection); */
#ifndef PING_CLI_H
#define PING_CLI_H

#include "common/args.h"
#include "common/connection.h"
#include "ping/config.h"
#include "ping/load.h"

typedef struct ping_cli {
    ping_config config;
    tool_connection connection;
    ping_load_spec load;
    tool_args *args;
    const char *query;
    const char *prometheus;
    bool doctor, latency, watch;
} ping_cli;

void ping_cli_read(ping_cli *line, tool_args *a, int argc, char **argv);
/* Whether --nagios is there, also behind what cannot be followed. */
bool ping_cli_wants_nagios(int argc, char **argv);

#endif
