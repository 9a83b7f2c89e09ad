/*
 * The system tables that a driver reads before its first request: one node and one keyspace.
 */
#ifndef BENCH_SYSTABLES_H
#define BENCH_SYSTABLES_H

#include "buf.h"

/* A bound value of a QUERY; p is NULL for null. */
typedef struct bound {
    const uint8_t *p;
    size_t size;
} bound;

/* Where the first node says it is, and how many there are: the others on the next addresses. Call it
 * once, before the first query. */
void systables_init(const char *address, unsigned port, unsigned nodes);

/*
 * Answers SELECT <* or columns> FROM <system table> [WHERE column = literal-or-? [AND …]].
 * On success NULL and the body of a RESULT in `body`; else a text that says what was not
 * understood.
 */
const char *systables_select(const char *cql, size_t n, const bound *values, size_t count,
                             buf *body);

#endif
