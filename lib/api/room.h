/* room.h: a blocking call that finds the session full waits in line until there is room. Who is first in the line
 * has a place kept when a request ends, so that it gets one beside programs that fill the queue from callbacks. What
 * goes on from callbacks is parked instead, on the loop that it belongs to; places go to both in turn. */
#ifndef CQLN_API_ROOM_H
#define CQLN_API_ROOM_H

#include "api/session.h"

/* Sends, with so much time left for the request. */
typedef cql_status (*cqln_room_fn)(void *user, uint32_t left_ms);

/* Is somebody in line? Who comes now belongs behind them. */
static inline bool cqln_room_has_line(const cql_session *s)
{
    return atomic_load_explicit(&s->cluster.in_line, memory_order_relaxed);
}

/* Waits for room and sends: what that gave, CQL_TIMEOUT when there was none in time (timeout_ms 0: the option
 * request_timeout), CQL_SYSTEM. On a thread that may wait. */
cql_status cqln_room_wait(cql_session *s, uint32_t timeout_ms, cqln_room_fn send, void *user);
/* The drain callback of the session's clusters (user): who is first in line and the program are told. */
void cqln_room_drained(cql_session *s, void *user);
/* Something has changed for who is first in line: the session closes. */
void cqln_room_wake(cql_session *s);

/* Of what waits for room without blocking. */
typedef struct cqln_parked {
    cqln_list at;
    void (*go_on)(struct cqln_parked *parked);
} cqln_parked;

/* A request on c was refused with CQL_WOULD_BLOCK: go_on comes when there is room, which is kept for it, or c closes. It
 * may park again. All on c's loop; the close waits for it. */
void cqln_room_park(cqln_cluster *c, cqln_parked *parked);
/* All that are parked go on: c closes. */
void cqln_room_unpark_all(cqln_cluster *c);

#endif
