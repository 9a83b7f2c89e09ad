/* prometheus.h: a run's figures in the text format of Prometheus, for the textfile collector. */
#ifndef PING_PROMETHEUS_H
#define PING_PROMETHEUS_H

#include "ping/node.h"

#include <stdio.h>

void ping_prometheus(FILE *out, const ping_node *nodes, size_t count);
/* The same into a file, which is replaced as a whole; "-" is standard output. False after a message. */
bool ping_prometheus_to(const char *path, const ping_node *nodes, size_t count);

#endif
