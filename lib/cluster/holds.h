/* holds.h: how the requests of one thread hold their prepared statements, without locked instructions.
 *
 * A request holds the statement it was made from, and most requests are made from few statements. Each
 * entry holds one statement once for all and counts on its own by how much the statement's true number
 * of holders is larger (or smaller) than its counter says; the difference is put right when the entry is
 * needed for another statement. */
#ifndef CQLN_CLUSTER_HOLDS_H
#define CQLN_CLUSTER_HOLDS_H

#include "meta/prepared.h"

enum { CQLN_HOLDS = 8 };

typedef struct cqln_hold {
    cql_prepared *prepared;
    int32_t owed;
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
