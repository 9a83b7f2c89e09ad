/* gate.h: waiting for something that the session's loop brings about, in any of its modes. */
#ifndef CQLN_API_GATE_H
#define CQLN_API_GATE_H

#include "api/session.h"

typedef struct cqln_gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
} cqln_gate;

static inline bool cqln_gate_init(cqln_gate *g)
{
    if (pthread_mutex_init(&g->lock, NULL) != 0)
        return false;
    if (pthread_cond_init(&g->changed, NULL) == 0)
        return true;
    pthread_mutex_destroy(&g->lock);
    return false;
}

static inline void cqln_gate_fini(cqln_gate *g)
{
    pthread_cond_destroy(&g->changed);
    pthread_mutex_destroy(&g->lock);
}

static inline void cqln_gate_lock(cqln_gate *g)
{
    pthread_mutex_lock(&g->lock);
}

static inline void cqln_gate_unlock(cqln_gate *g)
{
    pthread_mutex_unlock(&g->lock);
}

/* Locked: what is waited for may have come. */
static inline void cqln_gate_notify(cqln_gate *g)
{
    pthread_cond_broadcast(&g->changed);
}

/* Locked before and after; what is waited for must be looked at again behind it. In the driven mode it
 * turns the loop meanwhile. */
static inline void cqln_gate_wait(cqln_gate *g, cql_session *s)
{
    if (s->mode != CQLN_MODE_DRIVEN) {
        pthread_cond_wait(&g->changed, &g->lock);
        return;
    }
    cqln_gate_unlock(g);
    cqln_session_turn(s, -1);
    cqln_gate_lock(g);
}

#endif
