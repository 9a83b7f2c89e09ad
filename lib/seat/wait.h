/* wait.h: what the blocking calls of modules share. */
#ifndef CQLSEAT_WAIT_H
#define CQLSEAT_WAIT_H

#include "seat/session.h"

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
/* What stands on a port: the lock over all of it, who holds it, and its timer. */
typedef struct cqlseat cqlseat;
struct cqlseat {
    size_t holds;      /* the program, requests under way, calls under way */
    uint64_t armed;    /* what the timer is set for; UINT64_MAX: it is not */
    uint64_t timer_at; /* when the timer call comes, while it is armed */
    pthread_mutex_t lock;
    cqlseat_port port;
    void (*do_due)(cqlseat *seat); /* what the timer is for; with the lock */
    pthread_cond_t changed;        /* somebody who waits is to look again */
};

/* With one hold. False: no memory. */
bool cqlseat_init(cqlseat *seat, const cqlseat_port *port, void (*do_due)(cqlseat *seat));
void cqlseat_fini(cqlseat *seat);
/* Sets the timer for this time, if it is not to come sooner. With the lock. */
void cqlseat_arm(cqlseat *seat, uint64_t next);
/* Called by the port when the time has come. Without the lock. */
void cqlseat_on_timer(cqlseat *seat);
/* Gives a hold back and unlocks; the last one ends what stands here. */
void cqlseat_drop_and_unlock(cqlseat *seat);
/* The beginning of a call that blocks: CQL_WRONG_THREAD, with the error. */
cql_status cqlseat_begin_wait(cqlseat *seat, cql_error **err);
/* One step of waiting, of at most ms; does what the loop should have done where it is over: else the program
 * would be called on this thread. With the lock, which it gives back meanwhile. */
cql_status cqlseat_step(cqlseat *seat, uint32_t ms);

/* Sleeps until woken, at most ms. With the lock. False: the time is over. */
bool cqlseat_sleep(pthread_cond_t *changed, pthread_mutex_t *lock, uint32_t ms);

#endif
