/* hub.h: where a worker is reached from other threads. Answers of the store and verdicts of
 * handlers are posted here as mail; the worker takes it in cql_worker_step, so that all it decides
 * is decided on one thread. The hub outlives the worker: what comes too late is discarded. */
#ifndef CQLJOB_HUB_H
#define CQLJOB_HUB_H

#include "jobs/core.h"

/* Part of the object it is about. Exactly one of deliver and discard is called for each post. */
typedef struct cqljob_mail {
    struct cqljob_mail *next;
    void (*deliver)(cql_worker *w, struct cqljob_mail *mail); /* on the stepping thread */
    void (*discard)(struct cqljob_mail *mail);                /* the worker is gone; any thread */
} cqljob_mail;

struct cqljob_hub {
    pthread_mutex_t lock;
    size_t refs;
    cql_jobs *jobs;
    cqljob_hub *next;    /* in jobs->hubs, under jobs->lock */
    unsigned stop_round; /* the newest cql_jobs_stop that reached it, under jobs->lock */
    unsigned waking;     /* calls of on_wake under way */
    unsigned stops;      /* calls of cql_worker_stop */
    bool closed;
    bool woken; /* on_wake was called and the worker has not stepped since */
    cqljob_mail *first;
    cqljob_mail *last;
    cql_worker *worker;
    void (*on_wake)(cql_worker *w, void *user);
    void *user;
    pthread_cond_t quiet; /* nobody calls on_wake any more */
};

/* Makes the hub of a worker and enters it with its store; one reference. NULL: no memory. */
cqljob_hub *cqljob_hub_new(cql_jobs *jobs, cql_worker *w, void (*on_wake)(cql_worker *, void *),
                           void *user);
/* The worker goes: nothing is delivered after this. Not from inside on_wake. Keeps the ref. */
void cqljob_hub_close(cqljob_hub *hub);
void cqljob_hub_ref(cqljob_hub *hub);
void cqljob_hub_unref(cqljob_hub *hub);
/* [any thread] for all below */
void cqljob_hub_post(cqljob_hub *hub, cqljob_mail *mail);
void cqljob_hub_wake(cqljob_hub *hub);
void cqljob_hub_stop(cqljob_hub *hub);
/* Takes all mail, oldest first; from now on a post wakes again. *stops: calls of stop so far. */
cqljob_mail *cqljob_hub_take(cqljob_hub *hub, unsigned *stops);
/* True when something was posted since. */
bool cqljob_hub_has_mail(cqljob_hub *hub);

#endif
