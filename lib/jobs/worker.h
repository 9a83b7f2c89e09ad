/* worker.h: the worker and the jobs it looks at or holds. Everything here belongs to the stepping
 * thread but the members of cql_job that are marked as shared. */
#ifndef CQLJOB_WORKER_H
#define CQLJOB_WORKER_H

#include "jobs/hub.h"
#include "jobs/memo.h"
#include "jobs/move.h"
#include "jobs/watch.h"

typedef struct cqljob_pool cqljob_pool;

/* What a job object is going through, in this order. */
typedef enum cqljob_phase {
    CQLJOB_LOOKING, /* its row is being read */
    CQLJOB_CLAIMING,
    CQLJOB_RECLAIMING, /* an expired lease is being ended; the object goes afterwards */
    CQLJOB_SWEEPING,   /* its index row is being removed; the object goes afterwards */
    CQLJOB_MINDING,    /* before that: jobs that wait for it are looked after */
    CQLJOB_HELD,       /* claimed, the handler has it */
    CQLJOB_ENDING,     /* the verdict is being written */
    CQLJOB_OVER        /* no longer in the worker's list */
} cqljob_phase;

/* Of the one operation that a job object may have under way. */
typedef enum cqljob_op { CQLJOB_OP_NONE, CQLJOB_OP_REQUEST, CQLJOB_OP_MOVE } cqljob_op;

typedef enum cqljob_verdict {
    CQLJOB_VERDICT_NONE,
    CQLJOB_VERDICT_COMPLETE,
    CQLJOB_VERDICT_FAIL,
    CQLJOB_VERDICT_GIVE_BACK
} cqljob_verdict;

/* What is looked at often stands first, what is large last. */
struct cql_job {
    cqljob_hub *hub; /* one reference */

    /* the stepping thread's */
    cql_worker *w;
    char *id;
    cql_job_info *info; /* as it was read; owns all texts but the claim's */
    cql_job *next;
    int64_t due_at;
    int64_t lease_from; /* steady time before the newest claim or renewal was sent */
    int64_t renew_at;
    int64_t retry_at;
    cqljob_phase phase;
    cqljob_verdict verdict;
    int32_t due_bucket;

    /* the operation under way */
    cqljob_op op;
    cqljob_moved moved;
    cqljob_outcome outcome;
    bool renewing; /* the move is a renewal */
    bool asking;   /* the request is for the job's own back-off */
    bool asked;    /* and it was answered */

    bool index_behind;
    bool gone;      /* somebody else has it, for certain */
    bool redo;      /* read the row before anything else is written */
    bool announced; /* the loss was told */

    /* shared, under hub->lock */
    bool lost;
    bool answered; /* the handler gave it up */
    bool renew_asked;
    int64_t token;
    size_t refs; /* the worker's list, the handler, an operation under way */

    cql_job_info *answer; /* of the operation */
    cql_error *err;
    int64_t op_started;
    char *claim;
    cql_job *prev;
    int64_t retry_wait;
    int64_t again_at; /* RETRY: for the event */
    int64_t force_at; /* stopping: when its handler is waited for no longer; 0: not yet told */
    uint32_t page_number; /* of the page at hand when it was looked at */
    const cql_job_info *shown; /* what the handler sees: does not change while it has it */
    cql_str verdict_text;
    cqljob_mail op_mail;
    cql_job_backoff own_backoff;
    cql_job_info now; /* as it is: the texts of info, newest token */
    cqljob_request rq;
    cqljob_indexes indexes;
    cqljob_mover mover;

    /* shared, under hub->lock */
    cql_job_handler on_lost;
    void *on_lost_user;

    /* written by the handler's side before the mail is posted */
    cqljob_mail verdict_mail;
    cqljob_verdict said;
    char *said_text;
    size_t said_len;
};

/* A page of scheduled_jobs on its way or being walked. */
typedef struct cqljob_pager {
    cqljob_mail mail;
    cqljob_hub *hub; /* one reference while under way */
    cqljob_outcome outcome;
    cqljob_key *keys;
    size_t count;
    char *page;
    size_t page_len;
    cql_error *err;
    cql_status no_memory;
    cqljob_request rq;
} cqljob_pager;

typedef struct cqljob_scan {
    cqljob_key *keys;
    size_t count;
    size_t at;
    int64_t *from;     /* for each bucket: rows due earlier are gone or in the memo */
    int64_t page_from; /* the times of the page at hand */
    int64_t page_until;
    int64_t next_ms; /* when the next sweep begins */
    int32_t bucket;  /* the one being walked */
    uint32_t done;   /* buckets begun so far */
    bool sweeping;   /* between the first bucket and the end of the last */
    bool visiting;   /* a bucket */
    bool looked;     /* at a job of this page */
    bool worth;      /* and there was something to do for it */
    bool found;      /* this sweep claimed or took back something */
    bool contested; /* this sweep lost a claim to another worker, could not finish one, or left rows */
    bool failed;
    unsigned misses;      /* rows of this page that another worker had taken since it was read */
    uint32_t page_number; /* marks what a page had */
    char *page;           /* where the page ended; NULL: the bucket's last */
    size_t page_len;
    int64_t slice_ms;     /* servers refused to read more at once; 0: they did not */
    cqljob_pager *flying; /* the page on its way */
    int64_t due_ms;       /* when a job is due that this worker put off; 0: none known */
    int64_t idle_ms;
    int64_t open_at;    /* of this bucket: the first row that is not old and known */
    uint32_t walk_page; /* number of the first page of this walk */
    uint32_t start;     /* the bucket begun with */
    size_t turn;        /* where in the page the walk begins */
    int64_t walk_from;  /* what the pages at hand were asked from */
    int64_t visit_from; /* where the visit of this bucket began */
    int64_t sweep_ms;   /* wall time when the sweep began */
    int64_t page_ms;
    unsigned rounds; /* sweeps that were complete */
} cqljob_scan;

typedef struct cqljob_worker_settings {
    size_t concurrency;
    int64_t lease_ms;
    int64_t poll_ms;
    cql_job_backoff retry;
    int64_t recurring_ms; /* 0: leaves them to others */
    int64_t retention_s;  /* 0: for ever */
    int64_t stop_ms;
    int32_t batch;
    bool drain;
    bool manual_renew;
    void (*on_event)(void *user, const cql_worker_event *event);
    void *user;
} cqljob_worker_settings;

/* What is done from time to time (chores.c). Steady times. */
typedef struct cqljob_chores {
    bool ready; /* the marks of the buckets are known */
    bool marks_flying, look_flying, recur_flying;
    int64_t marks_at;
    int64_t low_at;
    uint32_t low_bucket;
    int64_t look_at;
    int64_t recur_at;
} cqljob_chores;

enum { CQLJOB_TOLD_TYPES = 32 };

struct cql_worker {
    cql_jobs *jobs;
    cqljob_hub *hub;
    cql_job *first; /* every job object that is not over */
    size_t looking; /* of them: not yet held */
    size_t held;
    bool stopping;
    bool drained;
    bool trouble;
    unsigned told_count;
    cqljob_scan scan;
    cqljob_worker_settings set;
    cqljob_chores chores;
    cqljob_memo memo;
    cqljob_watch *watch;
    cqljob_pool *pool;
    char *name;
    uint64_t random;
    int64_t trouble_ms; /* when something failed last */
    int64_t stop_at; /* steady time when handlers are not waited for any more */
    unsigned stops_seen;
    uint64_t told_types[CQLJOB_TOLD_TYPES]; /* hashes of types without a handler, newest over oldest */
};

/* --- worker.c */
int64_t cqljob_worker_now(const cql_worker *w);  /* steady milliseconds */
int64_t cqljob_worker_wall(const cql_worker *w); /* since 1970 */
uint64_t cqljob_worker_random(cql_worker *w);
void cqljob_worker_event(cql_worker *w, cql_worker_event_kind kind, const cql_job *job,
                         const char *text, const cql_error *err);
void cqljob_worker_trouble(cql_worker *w, const cql_error *err);
/* Something worked. Said once nothing has failed for a while, so that requests which fail by turns
 * do not make it say so each time. */
void cqljob_worker_resumed(cql_worker *w);
/* A job that is due has no handler here: said once for each type (of very many, again at times). */
void cqljob_worker_unhandled(cql_worker *w, const cql_job *job);
cqljob_facts cqljob_job_facts(const cql_job *job);

/* --- scan.c: finding work */
/* Starts what may be started: pages, looks, claims. */
void cqljob_scan_pump(cql_worker *w);
/* Steady time at which cqljob_scan_pump has something to do; INT64_MAX: when an answer comes. */
int64_t cqljob_scan_deadline(const cql_worker *w);
void cqljob_scan_free(cql_worker *w);
/* How far a look goes back for rows that should not be there any more. */
#define CQLJOB_DEEP_BACK_MS (INT64_C(7) * 86400000)
/* A job will be due at that steady time: looks then. */
void cqljob_scan_expect(cql_worker *w, int64_t due_ms);

/* --- scanrow.c: one row that a page had */
/* Milliseconds until a row of which little is known is looked at again. */
enum { CQLJOB_SCAN_SOON = 5000 };
/* Not looked at again before. */
void cqljob_scan_remember(const cql_job *job, int64_t ms);
/* The operation of a job that is not held yet has ended. */
void cqljob_scan_answer(cql_job *job);
/* A held job has ended well, so its row is gone. */
void cqljob_scan_forget(const cql_job *job);

/* --- chores.c: marks, recurring jobs, what the fleet does together */
void cqljob_chores_tick(cql_worker *w);
int64_t cqljob_chores_deadline(const cql_worker *w);

/* --- held.c: jobs this worker holds */
enum { CQLJOB_TOLD_MS = 4000 }; /* what a handler gets that was told to stop at the end of a stop */
/* A claim went through: hands the job to its handler. */
void cqljob_held_begin(cql_job *job);
/* The operation of a held job has ended. */
void cqljob_held_answer(cql_job *job);
/* Renewals, lapses and repeats that are due now; gives back when forced. */
void cqljob_held_tick(cql_job *job, bool forced);
/* When cqljob_held_tick has something to do. */
int64_t cqljob_held_deadline(const cql_job *job);

/* --- job.c: the object */
cql_job *cqljob_job_new(cql_worker *w, const char *id);
void cqljob_job_ref(cql_job *job);
void cqljob_job_unref(cql_job *job);
/* Takes it from the worker's list, with the list's reference. */
void cqljob_job_over(cql_job *job);
/* Starts job->rq or job->mover.move; the answer comes as mail to cqljob_scan_answer or
 * cqljob_held_answer. Any status but CQL_OK: nothing was started. */
cql_status cqljob_job_request(cql_job *job);
cql_status cqljob_job_move(cql_job *job);
/* Looks after the jobs that wait for this one, which has ended (job->info). */
cql_status cqljob_job_mind(cql_job *job);

/* --- pool.c: threads for handlers that block */
/* NULL when memory is out. At most `most` threads, made when needed. */
/* False in a build that starts no threads. */
bool cqljob_pool_possible(void);
cqljob_pool *cqljob_pool_new(const cql_allocator *al, size_t most);
/* Calls fn(job, user) on one of its threads. CQL_NO_MEMORY, CQL_SYSTEM (no thread could be made and
 * there is none). */
cql_status cqljob_pool_run(cqljob_pool *pool, cql_job_handler fn, cql_job *job, void *user);
/* Waits for what runs. NULL is fine. */
void cqljob_pool_free(cqljob_pool *pool);

#endif
