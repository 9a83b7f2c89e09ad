/* holds.h: how the requests of one thread hold their prepared statements, without locked instructions.
 *
 * A request holds the statement it was made from, and most requests are made from few statements. Each
 * entry holds one statement once for all and counts on its own by how much the statement's true number
 * of holders is larger (or smaller) than its counter says; the difference is put right when the entry is
 * needed for another statement. */
#ifndef CQLN_CLUSTER_HOLDS_H
#define CQLN_CLUSTER_HOLDS_H

#include "meta/prepared.h"
#include "msg/front.h"

enum { CQLN_HOLDS = 8 };

/* How the statement is executed when nothing is said of the execution: made, and used, by api/usual.h. */
typedef struct cqln_usual {
    const cqln_metadata *newest; /* its result metadata when this was made; with another this is out of date */
    cqln_metadata *known; /* what answers are read with; NULL: they bring their own */
    uint64_t keyspace;    /* where that of all rows is on all nodes it may go to any; 1: never */
    int32_t key; /* the marker that is the whole partition key, where its hash says all of the way; -1: there is none */
    cqln_front front;
} cqln_usual;

/* Stands in for the metadata of a statement whose usual is not made: no statement has it. */
extern const cqln_metadata cqln_usual_none;

typedef struct cqln_hold {
    cql_prepared *prepared;
    int32_t owed;
    cqln_usual usual;
} cqln_hold;

/* All zero: empty. One thread at a time. */
typedef struct cqln_holds {
    cqln_hold entries[CQLN_HOLDS];
} cqln_holds;

/* Makes the entry that of p, p held once by it. */
void cqln_holds_turn(cqln_hold *e, cql_prepared *p);
/* Empties it; what is still held is from here on counted by the statements themselves. */
void cqln_holds_fini(cqln_holds *h);

static inline cqln_hold *cqln_holds_entry(cqln_holds *h, const cql_prepared *p)
{
    return &h->entries[((uintptr_t)p >> 6) % CQLN_HOLDS];
}

/* One holder more. Ends with cqln_holds_drop on the same thread, and with nothing else. */
static inline cql_prepared *cqln_holds_take(cqln_holds *h, cql_prepared *p)
{
    cqln_hold *e = cqln_holds_entry(h, p);
    if (e->prepared != p)
        cqln_holds_turn(e, p);
    e->owed++;
    return p;
}

static inline void cqln_holds_drop(cqln_holds *h, cql_prepared *p)
{
    cqln_hold *e = cqln_holds_entry(h, p);
    if (e->prepared == p)
        e->owed--;
    else
        cql_prepared_unref(p);
}

#endif
