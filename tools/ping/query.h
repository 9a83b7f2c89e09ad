/* query.h: one read-only statement, its rows as a table or as JSON lines. */
#ifndef PING_QUERY_H
#define PING_QUERY_H

#include "ping/config.h"

#include <cqlnative/options.h>
#include <stddef.h>

/* Is the first word, comments before it aside, one of these (upper case; any case counts)? */
bool ping_begins_with(const char *cql, const char *const *words, size_t count);
/* True for SELECT, DESCRIBE and LIST, comments before them aside: the statements that change
 * nothing. The server refuses a second statement behind the first. */
bool ping_is_read_only(const char *cql);
/* Connects, runs the statement, prints all pages; gives the exit code. */
int ping_query(const ping_config *config, const cql_options *options, const char *cql);

#endif
