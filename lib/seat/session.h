/* session.h: what a module takes from the session that it stands on, beside sending: the clocks, one timer,
 * and waiting. Modules reach them through a table of functions, so that a test can be in their place. */
#ifndef CQLSEAT_SESSION_H
#define CQLSEAT_SESSION_H

#include <cqlnative/session.h>

typedef struct cqlseat_port {
    void *self;
    const cql_allocator *al;
    uint64_t (*now_ms)(void *self);  /* never goes back */
    int64_t (*epoch_us)(void *self); /* of the calendar */
    void (*timer)(void *self, int ms);
    void (*end)(void *self); /* no timer call any more, then what stands here is freed */
    cql_status (*may_wait)(void *self);
    cql_status (*turn)(void *self, int ms);
    bool driven;
} cqlseat_port;

struct cqlseat;

/* The first member of what a module keeps for its session, so that a pointer to either is one to both. */
typedef struct cqlseat_session {
    cql_session *s;
    cql_timer *timer;
    const cql_allocator *al;
    struct cqlseat *seat; /* what stands on it; NULL: not made yet */
    cql_timer_cb on_gone; /* the last call: frees all */
} cqlseat_session;

/* Makes one, with `size` bytes in all of which the rest is zero, and the port to it. */
cql_status cqlseat_session_new(cql_session *s, size_t size, cql_timer_cb on_gone, cqlseat_port *out);
/* Its end, also of one that nothing stands on. */
void cqlseat_session_end(void *self);

#endif
