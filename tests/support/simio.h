/* simio.h: the io seam over a simulated network, clock and random source. One thread, one seed, one
 * run: the same seed gives the same run. Nodes are those of a mockcluster.
 *
 * Bytes travel with a delay drawn per chunk, in order per direction. Faults: a node that is down
 * refuses, a frozen one accepts and keeps silent until thawed, a cut ends all its connections. */
#ifndef TESTS_SUPPORT_SIMIO_H
#define TESTS_SUPPORT_SIMIO_H

#include "base/list.h"
#include "base/rand.h"
#include "mocknode.h"
#include "net/io.h"

typedef struct simhost {
    bool down;   /* refuses connections */
    bool slams;  /* accepts connections and ends them at once */
    unsigned most; /* serves so many connections at once, and ends the others; 0: all */
    bool frozen; /* accepts, reads nothing, answers nothing */
    uint32_t delay_ms; /* added to every chunk from it */
} simhost;

typedef struct simio {
    cqln_io io; /* first */
    mockcluster *mc;
    simhost hosts[MOCK_NODES];
    cqln_rand rand;
    uint64_t now;        /* milliseconds */
    int64_t wall_ahead;  /* of the wall clock, microseconds; */
    int64_t wall_step;   /* so much more at each look at it */
    uint64_t timer;      /* UINT64_MAX: not set */
    uint64_t timers;     /* that fired */
    uint64_t order;      /* events at one time happen in the order in which they were made */
    bool woken;
    bool ended;
    bool inside;         /* a handler is on the stack */
    uint32_t max_delay;  /* of a chunk, milliseconds */
    uint32_t max_chunk;  /* bytes delivered at once */
    uint32_t max_late;   /* how long an answer that is out of order stays behind, milliseconds */
    size_t send_room;    /* bytes that a write takes at once; the rest follows later */
    cqln_list streams;
    cqln_list events;    /* sorted by time */
    size_t named;        /* the node that host names lead to; second.test: the one behind it,
                          * both.test: to both */
    const char *lost_name; /* that does not resolve; NULL: none but unknown.test. slow.test takes 10 s, and
                            * for never.test no look-up can begin */
    uint64_t connects;
    uint64_t writes; /* of the client */
    uint64_t lost;
} simio;

void simio_init(simio *s, mockcluster *mc, uint64_t seed);
void simio_fini(simio *s);
/* One event, or the next point in time at which there is one; false when nothing is left to happen
 * before `until`. */
bool simio_step(simio *s, uint64_t until);
/* Steps until the time has come. */
void simio_run(simio *s, uint64_t until);
/* Ends every connection to a node, with a reset. */
void simio_cut(simio *s, size_t node);
/* Pushes a schema event on all of them. */
void simio_schema_event(simio *s, const char *change, const char *target, const char *keyspace,
                        const char *name);
/* Pushes an event about a node on all registered connections. */
void simio_event(simio *s, const char *type, const char *change, size_t node);

#endif
