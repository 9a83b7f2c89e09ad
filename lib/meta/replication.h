/* replication.h: how a keyspace copies its rows, from the map in system_schema.keyspaces. */
#ifndef CQLN_META_REPLICATION_H
#define CQLN_META_REPLICATION_H

#include "base/alloc.h"

typedef enum cqln_strategy {
    CQLN_STRATEGY_UNKNOWN = 0, /* a class that is not known here, or numbers that are none */
    CQLN_STRATEGY_LOCAL,       /* each node has rows of its own */
    CQLN_STRATEGY_EVERYWHERE,  /* every node has every row */
    CQLN_STRATEGY_SIMPLE,
    CQLN_STRATEGY_TOPOLOGY
} cqln_strategy;

enum { CQLN_REPLICATION_DCS = 64, CQLN_COPIES_MAX = 65535 };

typedef struct cqln_copies {
    cql_str dc;         /* empty with the simple strategy */
    uint16_t all;       /* "3/1": 3, */
    uint16_t transient; /* and 1 of them does not have every row */
} cqln_copies;

/* dc views borrow from what was added. */
typedef struct cqln_replication {
    cqln_strategy strategy;
    uint32_t count;
    cqln_copies copies[CQLN_REPLICATION_DCS];
} cqln_replication;

void cqln_replication_init(cqln_replication *r);
/* One pair of the map: "class", or the number of copies. Pairs come in any order. */
void cqln_replication_add(cqln_replication *r, cql_str key, cql_str value);
/* After the last pair: settles what the pairs mean together. */
void cqln_replication_end(cqln_replication *r);
bool cqln_replication_equal(const cqln_replication *a, const cqln_replication *b);
/* "SimpleStrategy 3", "NetworkTopologyStrategy dc1:3 dc2:2". */
void cqln_replication_print(const cqln_replication *r, char *out, size_t cap);

#endif
