/* streams.h: the in-flight table of a connection. The stream id is the place in the table; id 0 is
 * never given out: the handshake and the heartbeat use it, and errors that belong to no request
 * carry it. An orphan keeps its id until its answer came. */
#ifndef CQLN_CONN_STREAMS_H
#define CQLN_CONN_STREAMS_H

#include "base/alloc.h"

enum { CQLN_STREAMS_MAX = 32767 };

/* Free ids form a stack through `link`; ids above `fresh` were never used, so that making the table
 * touches no memory. */
typedef struct cqln_streams {
    void **owners;
    uint16_t *link; /* next free id (0: none), or one of the two marks */
    uint16_t top;   /* of the stack of free ids; 0: empty */
    uint16_t fresh; /* highest id used so far */
    uint16_t max;
    uint32_t in_flight; /* with orphans */
    uint32_t orphans;
} cqln_streams;

enum { CQLN_STREAM_TAKEN = 0xffff, CQLN_STREAM_ORPHAN = 0xfffe };

typedef enum cqln_stream_state {
    CQLN_STREAM_IS_FREE,
    CQLN_STREAM_IS_TAKEN,
    CQLN_STREAM_IS_ORPHAN
} cqln_stream_state;

/* max: 1..CQLN_STREAMS_MAX. */
cql_status cqln_streams_init(cqln_streams *s, const cql_allocator *al, uint32_t max);
void cqln_streams_fini(cqln_streams *s, const cql_allocator *al);
/* True when the id was taken; it is an orphan now. */
bool cqln_streams_orphan(cqln_streams *s, int16_t id);
/* Who waits for the answer on it; NULL: nobody. */
void *cqln_streams_owner(const cqln_streams *s, int16_t id);
/* One owner after the other that is still in flight, its id freed; NULL at the end. */
void *cqln_streams_drain(cqln_streams *s);

/* Is an answer on it still to come? */
static inline bool cqln_streams_awaited(const cqln_streams *s, int16_t id)
{
    return id > 0 && id <= s->fresh && s->link[id] >= CQLN_STREAM_ORPHAN;
}

/* An id, 0 when none is free. */
static inline uint16_t cqln_streams_acquire(cqln_streams *s, void *owner)
{
    uint16_t id = s->top;
    if (id)
        s->top = s->link[id];
    else if (s->fresh < s->max)
        id = ++s->fresh;
    else
        return 0;
    s->link[id] = CQLN_STREAM_TAKEN;
    s->owners[id] = owner;
    s->in_flight++;
    return id;
}

/* Gives an id back; what it was before, and its owner when it was taken. */
static inline cqln_stream_state cqln_streams_release(cqln_streams *s, uint16_t id, void **owner)
{
    if (id == 0 || id > s->fresh || s->link[id] < CQLN_STREAM_ORPHAN)
        return CQLN_STREAM_IS_FREE;
    bool orphan = s->link[id] == CQLN_STREAM_ORPHAN;
    *owner = s->owners[id];
    s->link[id] = s->top;
    s->top = id;
    s->in_flight--;
    if (!orphan)
        return CQLN_STREAM_IS_TAKEN;
    *owner = NULL;
    s->orphans--;
    return CQLN_STREAM_IS_ORPHAN;
}

#endif
