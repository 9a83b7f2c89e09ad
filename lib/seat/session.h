/* session.h: what a module takes from the session that it stands on, beside sending: the clocks, one timer,
 * and waiting. Modules reach them through tables of functions, so that a test can be in their place; these
 * are the functions for a real session. */
#ifndef CQLSEAT_SESSION_H
#define CQLSEAT_SESSION_H

#include <cqlnative/session.h>

/* The first member of what a module keeps for its session, so that a pointer to either is one to both. */
typedef struct cqlseat_session {
    cql_session *s;
    cql_timer *timer;
    const cql_allocator *al;
} cqlseat_session;

/* self: a cqlseat_session, or what begins with one. */
uint64_t cqlseat_now_ms(void *self);  /* never goes back */
int64_t cqlseat_epoch_us(void *self); /* of the calendar */
void cqlseat_timer(void *self, int ms);
cql_status cqlseat_may_wait(void *self);
cql_status cqlseat_turn(void *self, int ms);

#endif
