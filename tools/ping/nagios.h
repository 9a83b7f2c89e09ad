/* nagios.h: a run as one line and an exit code of Nagios plugins (0 OK, 1 WARNING, 2 CRITICAL,
 * 3 UNKNOWN). */
#ifndef PING_NAGIOS_H
#define PING_NAGIOS_H

#include "ping/node.h"

#include <stdio.h>

/* Prints the line; returns the code. Nothing answered: CRITICAL. Some probes lost, or the mean time
 * above --warning: WARNING; above --critical: CRITICAL. */
int ping_nagios(FILE *out, const ping_node *nodes, size_t count);
/* The line of a command line that cannot be followed, which standard error tells of: UNKNOWN. */
int ping_nagios_misused(FILE *out);

#endif
