/* discover.h: the nodes of a cluster, for --all. */
#ifndef PING_DISCOVER_H
#define PING_DISCOVER_H

#include "common/target.h"

#include <cqlnative/options.h>

/* Connects with these options and adds "address:port" of every node to *found. The exit code; other
 * than 0 after a message. */
int ping_discover(const cql_options *options, tool_targets *found);

#endif
