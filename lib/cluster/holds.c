/* Prepared statements held by one thread's requests. */
#include "cluster/holds.h"

const cqln_metadata cqln_usual_none = {0};

/* The entry's own hold keeps the statement alive meanwhile, whichever sign the difference has. */
static void settle(cqln_hold *e)
{
    if (!e->prepared)
        return;
    cqln_prepared_count(e->prepared, e->owed);
    cql_prepared_unref(e->prepared);
    e->prepared = NULL;
    e->owed = 0;
}

void cqln_holds_turn(cqln_hold *e, cql_prepared *p)
{
    settle(e);
    e->prepared = cql_prepared_ref(p);
    e->usual.newest = &cqln_usual_none;
}

void cqln_holds_fini(cqln_holds *h)
{
    for (int i = 0; i < CQLN_HOLDS; i++)
        settle(&h->entries[i]);
}
