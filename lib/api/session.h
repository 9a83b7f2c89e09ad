/* session.h: the session object from the inside. */
#ifndef CQLN_API_SESSION_H
#define CQLN_API_SESSION_H

#include "cluster/cluster.h"

#include <config.h>
#include <cqlnative/session.h>
#include <pthread.h>

typedef enum cqln_session_mode {
    CQLN_MODE_THREAD,
    CQLN_MODE_DRIVEN,
    CQLN_MODE_CALLER
} cqln_session_mode;

/* A close that somebody asked for. */
typedef struct cqln_closer {
    cqln_mail mail;
    struct cqln_closer *next;
    cql_session *session;
    cql_session_cb cb;
    void *user;
} cqln_closer;

typedef struct cqln_loops cqln_loops;

struct cql_session {
    cqln_loops *loops; /* further ones, each with a thread (loops.h); NULL: none */
    const cql_allocator *al;
    cqln_session_mode mode; /* any thread reads it: not beside `turning`, as compilers read neighbours as one */
    cqln_io *io;
    unsigned turning;  /* driven: depth of turns on the stack */
    bool running; /* the thread has taken the loop over */
    bool closed;
    bool free_asked;   /* by the program, while that was not yet possible */
    cqln_cluster cluster;
    cqln_config config;
    cqln_bundle *bundle; /* NULL: none */
    cqln_secure *secure; /* NULL: no TLS */
    pthread_t thread;
    pthread_mutex_t lock; /* over `running`, `closed`, `line`, `drain_*` and what waiters wait for */
    pthread_cond_t changed;
    _Atomic(bool) connecting;
    cqln_mail connect_mail;
    cql_session_cb connect_cb;
    void *connect_user;
    cqln_closer *closers;
    /* Those that need no memory: of a free, and of all who wait for the end. */
    cqln_closer freeing, waiting;
    _Atomic(bool) waited; /* the latter is on its way */
    cqln_list timers; /* those of the program, under `lock` */
    cqln_list line;   /* blocking calls that wait for room (room.h) */
    cql_drain_cb drain_cb; /* of the program */
    void *drain_user;
    uint64_t turned_ms; /* driven: when the last turn ended */
    bool drain_next; /* the program is told before who is first in line */
};

/* Has it a thread of its own, so that others wait asleep? Without one who waits turns the loop, or may not wait. */
static inline bool cqln_session_threaded(const cql_session *s)
{
    return CQLN_THREADS && s->mode == CQLN_MODE_THREAD;
}

/* On the loop: the program's connect callback, CQL_CANCELLED when it closes already. */
void cqln_session_connected(cql_session *s);
/* Opens the bundle that the session's config names and sets what follows from it. What is wrong with it or beside
 * it: a status with why (CQLN_FILTER_REASON bytes). */
cql_status cqln_session_open_bundle(cql_session *s, const cql_options *o, char *why);
/* One turn of a driven session. */
void cqln_session_turn(cql_session *s, int timeout_ms);
/* Frees the timers that are still there; the loop is at its end. */
void cqln_session_drop_timers(cql_session *s);
/* Where a call that turned a driven session returns: was it freed inside a callback, it is closed and gone
 * after this. */
void cqln_session_end_freed(cql_session *s);
/* Frees everything; the loop is at its end. */
void cqln_session_destroy(cql_session *s);

#endif
