/* wait.h: what the blocking calls of modules share. */
#ifndef CQLSEAT_WAIT_H
#define CQLSEAT_WAIT_H

#include <cqlnative/error.h>
#include <pthread.h>
#include <time.h>

/* Why a call that blocks is refused where the session must not wait. */
#define CQLSEAT_NO_WAITING                                                                             \
    "a call that blocks is not possible here: this is the thread that would have to do the work; use " \
    "the call with a callback"

/* Puts an error of this status and text into *err, whose old one is given back; err may be NULL. Gives st. */
cql_status cqlseat_fail(const cql_allocator *al, cql_status st, const char *text, cql_error **err);
/* When a wait for a condition by the steady clock (os/steady.h) is to give up. */
struct timespec cqlseat_from_now(uint32_t ms);
/* Sleeps until woken, at most ms. With the lock. False: the time is over. */
bool cqlseat_sleep(pthread_cond_t *changed, pthread_mutex_t *lock, uint32_t ms);

#endif
