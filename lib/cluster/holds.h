/* holds.h: how the requests of one thread hold their prepared statements, without locked instructions.
 *
 * A request holds the statement it was made from, and most requests are made from few statements. Each
 * entry holds one statement once for all and counts on its own by how much the statement's true number
 * of holders is larger (or smaller) than its counter says; the difference is put right when the entry is
 * needed for another statement. */
#ifndef CQLN_CLUSTER_HOLDS_H
#define CQLN_CLUSTER_HOLDS_H

#include "meta/placement.h"
#include "meta/prepared.h"
#include "msg/front.h"

enum { CQLN_HOLDS = 8 };

/* What says where its requests go. */
typedef enum cqln_way {
    CQLN_WAY_LONG,     /* all there is to know of a statement */
    CQLN_WAY_NONE,     /* nothing: there is one node */
    CQLN_WAY_ANYWHERE, /* nothing: each node has all of its rows */
    CQLN_WAY_REPLICA   /* the hash of one marker, of nodes that are alike the load */
} cqln_way;

/* How the statement is executed when nothing is said of the execution: made, and used, by api/usual.h. */
typedef struct cqln_usual {
    const cqln_metadata *newest; /* its result metadata when this was made; with another this is out of date */
    cqln_metadata *known; /* what answers are read with; NULL: they bring their own */
    const cqln_placement *placement; /* CQLN_WAY_REPLICA: where its rows are */
    uint32_t age;  /* of the router, when this was made; at another this is out of date */
    uint16_t key;  /* CQLN_WAY_REPLICA: the marker that is the whole partition key */
    uint8_t way;   /* cqln_way */
    cqln_front front;
} cqln_usual;

/* Stands in for the metadata of a statement whose usual is not made: no statement has it. */
extern const cqln_metadata cqln_usual_none;

typedef struct cqln_hold {
    cql_prepared *prepared;
    cqln_usual usual;
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
    const size_t size = sizeof(cqln_hold);
    uintptr_t at = size == 128 ? ((uintptr_t)p << 1) & (CQLN_HOLDS - 1) * size /* the same, in fewer steps */
                               : ((uintptr_t)p >> 6) % CQLN_HOLDS * size;
    return (cqln_hold *)(void *)((char *)h->entries + at);
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
