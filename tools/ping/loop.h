/* loop.h: turns the sessions of all targets in one thread until every one is finished. */
#ifndef PING_LOOP_H
#define PING_LOOP_H

#include "ping/node.h"

/* Returns when all nodes are finished or a signal came (tool_interrupted tells). */
void ping_run(ping_node *nodes, size_t count);
/* The exit code of a finished run: 0 all probes answered, 1 some, 3 or 5 none. */
tool_exit ping_exit_code(const ping_node *nodes, size_t count);

#endif
