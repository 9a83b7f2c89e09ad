/* core.h: the store object and what all its operations share. */
#ifndef CQLJOB_CORE_H
#define CQLJOB_CORE_H

#include "jobs/memory.h"
#include "jobs/record.h"
#include "jobs/store.h"

#include <pthread.h>

typedef struct cqljob_hub cqljob_hub;

/* A handler and the type it is for (NULL: every other). */
typedef struct cqljob_handler {
    char *type;
    cql_job_handler fn;
    void *user;
    bool blocking;
    cql_job_backoff backoff;
} cqljob_handler;

/* Settings with the standard values filled in. */
typedef struct cqljob_settings {
    const char *keyspace;
    uint32_t buckets;
    cql_consistency consistency;
    cql_consistency serial;
    uint32_t timeout_ms;
    int64_t grace_ms;
    size_t max_bytes;
    int32_t max_retries;
    void (*on_warning)(void *user, cql_str text);
    void *user;
} cqljob_settings;

struct cql_jobs {
    cql_allocator al;
    pthread_mutex_t lock; /* guards what stands behind the handlers, and refs */
    size_t refs;
    cqljob_settings set;
    cqljob_store store;
    char *keyspace;           /* what set.keyspace is */
    cqljob_handler *handlers; /* fixed once a worker exists */
    size_t handler_count;
    size_t handler_cap;
    cqljob_hub *hubs; /* of the workers there are */
    unsigned stop_round;
    bool tally_flying;
    size_t under_way; /* moves and enqueues, for the tally */
    int64_t tally_ms; /* when it was sent last */
    cql_jobs_cb flush_cb; /* somebody waits for the tally */
    void *flush_user;
    int64_t tally[CQLJOB_STATES];
    int64_t waiting_from[CQLJOB_STATES]; /* where the next look at those that wait begins */
};

/* Reads options into settings; CQL_BAD_ARGUMENT names the member. */
cql_status cqljob_settings_read(cqljob_settings *set, const cql_jobs_options *o, cql_error **err);
/* A store object over any store, which is taken (also when it fails). */
cql_status cqljob_jobs_make(const cql_allocator *al, const cqljob_store *store,
                            const cqljob_settings *set, cql_jobs **out);
cql_jobs *cqljob_ref(cql_jobs *jobs);
void cqljob_unref(cql_jobs *jobs);
/* What is under way for a store: a struct whose first member is the store, of which it has a reference. The
 * rest is zeroed; NULL: memory is out. */
void *cqljob_task_new(cql_jobs *jobs, size_t size);
/* Frees it and gives the reference back. What it owns goes before. */
void cqljob_task_free(void *task);
const cqljob_handler *cqljob_handler_for(const cql_jobs *jobs, cql_str type);

static inline int64_t cqljob_now_us(const cql_jobs *jobs)
{
    return jobs->store.now_us(jobs->store.self);
}

static inline int64_t cqljob_steady_ms(const cql_jobs *jobs)
{
    return jobs->store.steady_ms(jobs->store.self);
}

/* Milliseconds since 1970. */
int64_t cqljob_wall_ms(const cql_jobs *jobs);

/* To the store; CQL_OK: fn is called once, later. What may be sent twice is sent again while servers
 * are too busy for it (send.c). */
cql_status cqljob_send(const cql_jobs *jobs, const cqljob_request *rq, cqljob_answer_fn fn,
                       void *user);

/* A row that is there and cannot be read, as a stray write of another program leaves it: no trouble of the store. */
static inline bool cqljob_is_unreadable(const cqljob_answer *a)
{
    return a->outcome == CQLJOB_FAILED && a->err && cql_error_status(a->err) == CQL_MALFORMED;
}

/* The facts for a plan, of a job whose row in scheduled_jobs is where this module puts it. */
cqljob_facts cqljob_facts_now(const cql_jobs *jobs);

/* An error with a text; cause may be NULL. Never NULL. Yours. */
cql_error *cqljob_error(const cql_jobs *jobs, cql_status st, const cql_error *cause,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "what: the text of the status". */
cql_error *cqljob_status_error(const cql_jobs *jobs, cql_status st, const char *what);
/* Keeps the first error of several: err, or where that is NULL one of the status. */
void cqljob_keep_first(const cql_jobs *jobs, cql_error **place, cql_status st, const cql_error *err,
                       const char *what);
/* Keeps the newest; NULL: none. */
void cqljob_keep_newest(cql_error **place, const cql_error *err);
/* Hands made over, or releases it when err is NULL; returns its status. */
cql_status cqljob_give(cql_error **err, cql_error *made);

/* --- tally.c: counters of states; -1: no state. Each begin has its end. */
void cqljob_tally_begin(cql_jobs *jobs);
void cqljob_tally_end(cql_jobs *jobs, int32_t from, int32_t to);
/* Sends what there is, if it is time for it. Not CQL_OK: it was not sent, and is kept. */
cql_status cqljob_tally_flush(cql_jobs *jobs);

/* CQL_BAD_VALUE unless text is a UUID in its usual form. */
cql_status cqljob_check_id(const char *id);

#endif
