/* watch.h: --watch: what a session learns of its cluster, a line each as it comes. */
#ifndef PING_WATCH_H
#define PING_WATCH_H

#include "ping/config.h"

#include <cqlnative/options.h>

/* Connects and prints events until a signal comes, nobody reads, or config->count events were printed;
 * gives the exit code. options are changed: the events are asked for there. */
int ping_watch(const ping_config *config, cql_options *options);

#endif
