/* jobs.h: durable jobs on Cassandra, shared by any number of workers: enqueue, look, claim, run.
 *
 * The tables are those of JobSharp (cql/jobsharp.cql). A job runs at least once: a worker claims it
 * by a conditional update that writes a token (the column executed_at), holds it under a lease that
 * it renews, and can finish it only while its token stands. Tokens of one job strictly rise,
 * whatever the clocks do, so that a late result is always told from a good one. doc/jobs.md has the
 * states, who may change them, and what is assumed of clocks.
 *
 * Calls without _wait never block; their callback comes exactly once, on the session's loop, and
 * never from inside the call. The _wait twins return CQL_WRONG_THREAD where they would hang the
 * loop, and wait for room in the session's queue for as long as a request may take. The others give
 * CQL_WOULD_BLOCK where it is full at once, and as the error of their callback where another part of the
 * program has filled it before they were through: repeat them as after any other error. Text that is stored
 * must be UTF-8 (CQL_BAD_VALUE) and within max_bytes (CQL_TOO_LARGE);
 * arguments and results are otherwise not looked at. */
#ifndef CQLNATIVE_JOBS_H
#define CQLNATIVE_JOBS_H

#include <cqlnative/session.h>

CQL_BEGIN

/* A job store: one keyspace seen through one session. Callbacks under way keep it. */
typedef struct cql_jobs cql_jobs;

/* The numbers stand in the tables. CREATED and FAILED are never entered by this module. */
typedef enum cql_job_state {
    CQL_JOB_CREATED = 0,
    CQL_JOB_SCHEDULED = 1,  /* waits for its time; also a job that waits for its retry */
    CQL_JOB_PROCESSING = 2, /* claimed by a worker */
    CQL_JOB_SUCCEEDED = 3,  /* ended: result is set */
    CQL_JOB_FAILED = 4,
    CQL_JOB_CANCELLED = 5,             /* ended: never run, or not again */
    CQL_JOB_ABANDONED = 6,             /* ended: every run failed, error_message is set */
    CQL_JOB_AWAITING_CONTINUATION = 7, /* waits for its parent */
    CQL_JOB_AWAITING_BATCH = 8         /* waits for the members of its batch */
} cql_job_state;

/* Lower-case name ("awaiting-batch"), "unknown" for other numbers. Static storage. [any thread] */
CQL_API const char *cql_job_state_name(int state);
/* Reads a name, either case, or a number; CQL_NO_SUCH_NAME. [any thread] */
CQL_API cql_status cql_job_state_parse(cql_str text, cql_job_state *out);
/* True for SUCCEEDED, CANCELLED and ABANDONED. [any thread] */
CQL_API bool cql_job_state_is_final(int state);

#define CQL_JOB_NO_TIME INT64_MIN /* a time that is not set */

/* A job as it is stored. Made by the library, which may add members at the end. Texts are followed
 * by a NUL that is not counted; ptr is NULL where nothing is stored. Times are milliseconds since
 * the epoch or CQL_JOB_NO_TIME. */
typedef struct cql_job_info {
    cql_str id;
    cql_str type;
    cql_str arguments;
    int32_t state; /* cql_job_state */
    int32_t retry_count;
    int32_t max_retry_count;
    bool was_there; /* answers of enqueue: stored before under this id; this is that job */
    int64_t created_at;
    int64_t scheduled_at;
    int64_t executed_at; /* the token of the newest claim */
    cql_str error_message;
    cql_str result;
    cql_str claim; /* in state 2: who holds it, as JSON; the column is that of result */
    cql_str batch_id;
    cql_str parent_job_id;
    bool parent_ended; /* answers of enqueue: it waits for a job that has ended without success */
} cql_job_info;

/* Frees what a _wait call handed over; NULL is fine. [any thread] */
CQL_API void cql_job_info_free(cql_job_info *info);

/* Several jobs in the order of the question. */
typedef struct cql_job_list cql_job_list;
CQL_API size_t cql_job_list_count(const cql_job_list *list);
/* Job i, borrowed from the list; NULL past the end. [any thread] */
CQL_API const cql_job_info *cql_job_list_at(const cql_job_list *list, size_t i);
CQL_API void cql_job_list_free(cql_job_list *list);

/* Exactly one of err and job is set; both are borrowed for the call. */
typedef void (*cql_job_cb)(cql_jobs *jobs, const cql_error *err, const cql_job_info *job,
                           void *user);
typedef void (*cql_job_list_cb)(cql_jobs *jobs, const cql_error *err, const cql_job_list *list,
                                void *user);
typedef void (*cql_job_count_cb)(cql_jobs *jobs, const cql_error *err, int64_t count, void *user);
/* err is NULL when it went well. */
typedef void (*cql_jobs_cb)(cql_jobs *jobs, const cql_error *err, void *user);

/* --- opening ---------------------------------------------------------------------------------- */
typedef struct cql_jobs_options {
    size_t size;            /* sizeof(cql_jobs_options) */
    const char *keyspace;   /* NULL: "jobsharp" */
    uint32_t buckets;       /* of scheduled_jobs, 1 to 1000, equal for all workers; 0: 10 */
    int consistency;        /* cql_consistency; 0: LOCAL_QUORUM */
    int serial_consistency; /* 0: LOCAL_SERIAL. Workers in several data centres need SERIAL. */
    uint32_t timeout_ms;    /* of one request; 0: the session's */
    uint32_t grace_s;       /* after which an index row without its job is removed; 0: 120 */
    size_t max_bytes;       /* of arguments and of a result; 0: 1 MiB */
    int32_t max_retries;    /* of jobs that do not say it; 0: 3, -1: none */
    /* Gets the warnings that servers attach to answers, and the ids of jobs that lists leave out since
     * their rows cannot be read; NULL: nobody. On the session's loop. */
    void (*on_warning)(void *user, cql_str text);
    void *user; /* of on_warning */
} cql_jobs_options;

/* Opens the store in a keyspace (NULL: "jobsharp") with the standard options. Sends nothing: a
 * missing keyspace shows in the first call that does. The session must outlive the store and every
 * callback. Yours: free with cql_jobs_free. CQL_BAD_ARGUMENT, CQL_NO_MEMORY. [any thread] */
CQL_API cql_status cql_jobs_new(cql_session *s, const char *keyspace, cql_jobs **out);
/* The same with options (copied). CQL_BAD_ARGUMENT names the member. */
CQL_API cql_status cql_jobs_new_with(cql_session *s, const cql_jobs_options *options,
                                     cql_jobs **out, cql_error **err);
/* Frees; NULL is fine. Calls under way still get their callbacks. Free its workers first.
 * [any thread] */
CQL_API void cql_jobs_free(cql_jobs *jobs);
/* Prepares every statement that the store uses, so that a missing keyspace or table shows at once
 * (CQL_SERVER_INVALID, the text names the command that makes it). */
CQL_API cql_status cql_jobs_check(cql_jobs *jobs, cql_jobs_cb cb, void *user);
CQL_API cql_status cql_jobs_check_wait(cql_jobs *jobs, cql_error **err);

/* --- jobs ------------------------------------------------------------------------------------- */
typedef enum cql_backoff_kind {
    CQL_BACKOFF_UNSET = 0,
    CQL_BACKOFF_FIXED = 1,
    CQL_BACKOFF_EXPONENTIAL = 2 /* twice as long with each retry */
} cql_backoff_kind;

/* How long a failed job waits for its next run. The job's own wins over that of its type
 * (cql_jobs_set_backoff), and that over the worker's. */
typedef struct cql_job_backoff {
    int kind;                /* cql_backoff_kind; the rest counts only when it is set */
    uint32_t delay_ms;       /* before the first retry; 0: 30,000 */
    uint32_t most_ms;        /* of EXPONENTIAL; 0: an hour */
    uint32_t jitter_percent; /* 0 to 100: up to so much shorter or longer, at random */
} cql_job_backoff;

typedef struct cql_job_spec {
    size_t size;         /* sizeof(cql_job_spec) */
    const char *type;    /* which handler; 1 to 255 bytes */
    cql_str arguments;   /* stored as it is */
    const char *id;      /* a UUID as text; NULL: a random one. The same id again stores nothing. */
    int64_t at_ms;       /* not before this time; 0, or a time that is past: now */
    int32_t max_retries; /* 0: the store's, -1: none */
    /* At most one of the next three, each a UUID as text or NULL. */
    const char *batch_id;       /* a member of that batch */
    const char *parent_id;      /* runs when that job has succeeded */
    const char *after_batch_id; /* runs when all members of that batch have ended */
    cql_job_backoff backoff;    /* its own */
} cql_job_spec;

/* Stores a job. CQL_OK: cb is called once. The spec is copied. A job that was stored before under
 * the same id is left alone and answered with was_there. CQL_NOT_FOUND in err: the parent is not
 * there, or the batch has no members: store them first. A parent that has succeeded, or a batch
 * whose members have all ended, makes the job due at once. CQL_OUTCOME_UNKNOWN in err: it may have
 * been stored; repeat it with the same id. [any thread] CQL_BAD_ARGUMENT, CQL_BAD_VALUE,
 * CQL_TOO_LARGE, CQL_NO_MEMORY, and what cql_session_execute gives. */
CQL_API cql_status cql_jobs_enqueue(cql_jobs *jobs, const cql_job_spec *spec, cql_job_cb cb,
                                    void *user);
/* *out may be NULL; else it is yours, free with cql_job_info_free. */
CQL_API cql_status cql_jobs_enqueue_wait(cql_jobs *jobs, const cql_job_spec *spec,
                                         cql_job_info **out, cql_error **err);
/* Reads one job. CQL_NOT_FOUND in err. [any thread] */
CQL_API cql_status cql_jobs_get(cql_jobs *jobs, const char *id, cql_job_cb cb, void *user);
CQL_API cql_status cql_jobs_get_wait(cql_jobs *jobs, const char *id, cql_job_info **out,
                                     cql_error **err);
/* Lists up to limit jobs (1 to 100,000; 0: 100) of a state, oldest first. Index rows that the job
 * itself contradicts are left out and removed; a job that cannot be read is left out with a warning.
 * [any thread] */
CQL_API cql_status cql_jobs_list(cql_jobs *jobs, cql_job_state state, uint32_t limit,
                                 cql_job_list_cb cb, void *user);
CQL_API cql_status cql_jobs_list_wait(cql_jobs *jobs, cql_job_state state, uint32_t limit,
                                      cql_job_list **out, cql_error **err);
/* How many jobs are in a state, from counters that every program keeps up as it goes: no scan. What
 * a process did in the moment before it was killed may be missing, and so is what other programs
 * wrote; cql_jobs_recount puts that right. Never below 0. [any thread] */
CQL_API cql_status cql_jobs_count(cql_jobs *jobs, cql_job_state state, cql_job_count_cb cb,
                                  void *user);
CQL_API cql_status cql_jobs_count_wait(cql_jobs *jobs, cql_job_state state, int64_t *count,
                                       cql_error **err);
/* Cancels a job that has not started or waits for its retry; answers the job as it then is.
 * CQL_BAD_STATE in err: it runs or has ended. CQL_NOT_FOUND. CQL_OUTCOME_UNKNOWN. [any thread] */
CQL_API cql_status cql_jobs_cancel(cql_jobs *jobs, const char *id, cql_job_cb cb, void *user);
CQL_API cql_status cql_jobs_cancel_wait(cql_jobs *jobs, const char *id, cql_error **err);
/* Waits until this store's share of the counters is stored: call it before the session is closed,
 * at the end of a program. Done by cql_jobs_run_wait when it ends. CQL_BAD_STATE: another such call
 * is under way. [any thread] */
CQL_API cql_status cql_jobs_flush(cql_jobs *jobs, cql_jobs_cb cb, void *user);
CQL_API cql_status cql_jobs_flush_wait(cql_jobs *jobs, cql_error **err);
/* Counts the rows of jobs_by_state, which takes as long as there are rows, and sets the counter to
 * that: exact where nothing changes meanwhile. [any thread] */
CQL_API cql_status cql_jobs_recount(cql_jobs *jobs, cql_job_state state, cql_job_count_cb cb,
                                    void *user);
CQL_API cql_status cql_jobs_recount_wait(cql_jobs *jobs, cql_job_state state, int64_t *count,
                                         cql_error **err);
/* Lets a job that was abandoned or cancelled run again, now and with all its retries; answers the
 * job as it then is. CQL_BAD_STATE in err: it waits, runs or has succeeded. [any thread] */
CQL_API cql_status cql_jobs_retry(cql_jobs *jobs, const char *id, cql_job_cb cb, void *user);
CQL_API cql_status cql_jobs_retry_wait(cql_jobs *jobs, const char *id, cql_error **err);
/* Removes a job that does not run, with its index rows; answers the job as it was. CQL_BAD_STATE in
 * err: a worker holds it, or other jobs wait for it (parent_id), which then wait for ever: cancel or
 * delete those first. CQL_NOT_FOUND. CQL_OUTCOME_UNKNOWN. [any thread] */
CQL_API cql_status cql_jobs_delete(cql_jobs *jobs, const char *id, cql_job_cb cb, void *user);
CQL_API cql_status cql_jobs_delete_wait(cql_jobs *jobs, const char *id, cql_error **err);

/* --- batches ---------------------------------------------------------------------------------- */
/* Stores the jobs of a batch, many at a time, then the job that is to run when all have ended (then,
 * may be NULL). batch_id: a UUID as text; NULL: a random one; it is in each answer. The list has the
 * members in their order and the continuation last. An error says how many were stored; repeating
 * the call with the same batch_id and ids completes the batch. 1 to 100,000 members. [any thread] */
CQL_API cql_status cql_jobs_enqueue_batch(cql_jobs *jobs, const char *batch_id,
                                          const cql_job_spec *members, size_t count,
                                          const cql_job_spec *then, cql_job_list_cb cb, void *user);
CQL_API cql_status cql_jobs_enqueue_batch_wait(cql_jobs *jobs, const char *batch_id,
                                               const cql_job_spec *members, size_t count,
                                               const cql_job_spec *then, cql_job_list **out,
                                               cql_error **err);
/* Up to limit jobs (1 to 100,000; 0: 100) whose batch_id this is, in no order. Asks all nodes: by an
 * index of the table. [any thread] */
CQL_API cql_status cql_jobs_list_batch(cql_jobs *jobs, const char *batch_id, uint32_t limit,
                                       cql_job_list_cb cb, void *user);
CQL_API cql_status cql_jobs_list_batch_wait(cql_jobs *jobs, const char *batch_id, uint32_t limit,
                                            cql_job_list **out, cql_error **err);

/* --- clean-up --------------------------------------------------------------------------------- */
typedef struct cql_cleanup_options {
    size_t size;          /* sizeof(cql_cleanup_options) */
    int64_t older_than_s; /* created so many seconds ago or earlier; 0: whatever their age */
    unsigned states;      /* bit 1 << state of those to remove; 0: all three final ones */
    uint32_t limit;       /* at most so many; 0: all */
} cql_cleanup_options;

/* Deletes jobs that have ended, with all their rows; answers how many, beside an error as well: one
 * that cannot be deleted is not in the way of the others. Jobs that are stored while it
 * is at work are left, and those that ended without success while others wait for them.
 * CQL_BAD_ARGUMENT: a state that is not final. [any thread] */
CQL_API cql_status cql_jobs_cleanup(cql_jobs *jobs, const cql_cleanup_options *options,
                                    cql_job_count_cb cb, void *user);
CQL_API cql_status cql_jobs_cleanup_wait(cql_jobs *jobs, const cql_cleanup_options *options,
                                         int64_t *count, cql_error **err);

/* --- recurring jobs --------------------------------------------------------------------------- */
/* The first time after after_ms (milliseconds since the epoch, UTC) that a cron expression of five
 * fields names: minute, hour, day of month, month, day of week (0 and 7 are Sunday). Numbers, *,
 * lists, ranges and steps; when day and weekday are both limited (neither begins with *) either will
 * do, else both must. CQL_BAD_VALUE: it is none, or names no time; *why (may be NULL) then says what is
 * wrong, static storage. [any thread] */
CQL_API cql_status cql_cron_next(const char *cron, int64_t after_ms, int64_t *next_ms,
                                 const char **why);

/* A row of recurring_jobs. Texts and times as in cql_job_info. */
typedef struct cql_recurring_info {
    cql_str id;
    cql_str cron;
    cql_str type;
    cql_str arguments;
    int32_t max_retry_count;
    bool is_enabled;
    int64_t next_execution;
    int64_t last_execution;
    int64_t created_at;
} cql_recurring_info;

typedef struct cql_recurring_list cql_recurring_list;
/* Entries of a list; their indexes go from 0. [any thread] */
CQL_API size_t cql_recurring_list_count(const cql_recurring_list *list);
/* Borrowed from the list; NULL past the end. [any thread] */
CQL_API const cql_recurring_info *cql_recurring_list_at(const cql_recurring_list *list, size_t i);
CQL_API void cql_recurring_list_free(cql_recurring_list *list);
/* Exactly one of err and list is set; both are borrowed for the call. */
typedef void (*cql_recurring_list_cb)(cql_jobs *jobs, const cql_error *err,
                                      const cql_recurring_list *list, void *user);

typedef struct cql_recurring_spec {
    size_t size;         /* sizeof(cql_recurring_spec) */
    const char *id;      /* any text of 1 to 255 bytes */
    const char *cron;    /* five fields, see cql_cron_next */
    const char *type;    /* of the jobs it makes */
    cql_str arguments;   /* of the jobs it makes */
    int32_t max_retries; /* of the jobs it makes; 0: the store's, -1: none */
    bool disabled;
} cql_recurring_spec;

/* Stores a recurring job, or changes the one of that id: creation and last execution stay, the next
 * execution is worked out anew. Workers turn each occurrence into an ordinary job, once over all of
 * them; after a time without workers one job makes up for all that was missed. CQL_BAD_VALUE (err of
 * the _wait twin: why the expression is refused), else as cql_jobs_enqueue. [any thread] */
CQL_API cql_status cql_jobs_recurring_set(cql_jobs *jobs, const cql_recurring_spec *spec,
                                          cql_jobs_cb cb, void *user);
CQL_API cql_status cql_jobs_recurring_set_wait(cql_jobs *jobs, const cql_recurring_spec *spec,
                                               cql_error **err);
/* Removes one; jobs that it made stay. CQL_NOT_FOUND. [any thread] */
CQL_API cql_status cql_jobs_recurring_remove(cql_jobs *jobs, const char *id, cql_jobs_cb cb,
                                             void *user);
CQL_API cql_status cql_jobs_recurring_remove_wait(cql_jobs *jobs, const char *id, cql_error **err);
/* Lets one rest, or go on with its next time from now. CQL_NOT_FOUND. [any thread] */
CQL_API cql_status cql_jobs_recurring_enable(cql_jobs *jobs, const char *id, bool enabled,
                                             cql_jobs_cb cb, void *user);
CQL_API cql_status cql_jobs_recurring_enable_wait(cql_jobs *jobs, const char *id, bool enabled,
                                                  cql_error **err);
/* All of them, in no order. [any thread] */
CQL_API cql_status cql_jobs_recurring_list(cql_jobs *jobs, cql_recurring_list_cb cb, void *user);
CQL_API cql_status cql_jobs_recurring_list_wait(cql_jobs *jobs, cql_recurring_list **out,
                                                cql_error **err);

/* --- handlers --------------------------------------------------------------------------------- */
/* A job that this process has claimed. The handler owns it until it calls exactly one of
 * cql_job_complete, cql_job_complete_str, cql_job_fail and cql_job_give_back; then it is gone. All
 * calls on it are [any thread], one thread at a time. */
typedef struct cql_job cql_job;

/* Called on the thread that steps the worker. May finish the job at once or later, must
 * not block. */
typedef void (*cql_job_handler)(cql_job *job, void *user);

/* Names the handler of a type (copied; NULL: of every type that has none of its own). Replaces an
 * earlier one. Call it before the worker starts. CQL_NO_MEMORY, CQL_BAD_ARGUMENT, CQL_BAD_STATE (a
 * worker exists). A worker claims only jobs that have a handler, and tells of the others once for
 * each type (CQL_WORKER_UNHANDLED). */
CQL_API cql_status cql_jobs_handle(cql_jobs *jobs, const char *type, cql_job_handler fn,
                                   void *user);
/* The same for a handler that blocks: it is called on a thread of the worker's own pool, one thread
 * for each job that runs, at most `concurrency`. CQL_UNSUPPORTED: this build starts no threads. */
CQL_API cql_status cql_jobs_handle_blocking(cql_jobs *jobs, const char *type, cql_job_handler fn,
                                            void *user);

/* How failed jobs of a type wait (copied; type as in cql_jobs_handle, which must have named it). As
 * cql_jobs_handle; CQL_NOT_FOUND: that type has no handler. */
CQL_API cql_status cql_jobs_set_backoff(cql_jobs *jobs, const char *type,
                                        const cql_job_backoff *backoff);

/* The job as it was claimed; lives as long as the job. */
CQL_API const cql_job_info *cql_job_info_of(const cql_job *job);
/* The token of the claim as it now stands: hand it to what the job writes to elsewhere, which can
 * then refuse an older one. It rises with every renewal. */
CQL_API int64_t cql_job_token(const cql_job *job);
/* True once the claim is known to be lost, or its lease ran out with no renewal getting through:
 * stop working, somebody else may have begun. The job must still be given up with one of the calls
 * below. */
CQL_API bool cql_job_is_lost(const cql_job *job);
/* Called once when the claim is lost, or when a worker that is being stopped will give the job back
 * in a moment (4 s): stop what you do and give the job up. On the thread that steps the worker; not
 * after the handler gave the job up. */
CQL_API void cql_job_on_lost(cql_job *job, cql_job_handler fn, void *user);

/* The job succeeded; result (NULL: none) is copied. CQL_BAD_VALUE (not UTF-8), CQL_TOO_LARGE and
 * CQL_NO_MEMORY leave the job with the caller. An event tells whether the result was accepted. */
CQL_API cql_status cql_job_complete(cql_job *job, const char *result);
CQL_API cql_status cql_job_complete_str(cql_job *job, cql_str result);
/* This run failed: the job is tried again after the retry delay or, after its last try, abandoned.
 * The text is copied, cut at 4 KiB, and bytes that are not UTF-8 become '?'. CQL_NO_MEMORY leaves
 * the job with the caller. */
CQL_API cql_status cql_job_fail(cql_job *job, const char *why);
/* Puts the job back, due now: it does not count as a retry. Never fails. */
CQL_API void cql_job_give_back(cql_job *job);
/* Asks for the lease to be renewed now. Workers renew by themselves unless manual_renew is set. */
CQL_API void cql_job_renew(cql_job *job);

/* --- workers ---------------------------------------------------------------------------------- */
/* A worker uses its session's queue as all others do, and tries again while it is full. Where other parts
 * of the program keep it full for most of a lease (lease_s), renewals do not get through and its jobs are
 * lost to other workers: give it a session of its own there. */
typedef struct cql_worker cql_worker;

typedef enum cql_worker_event_kind {
    CQL_WORKER_CLAIMED = 1,
    CQL_WORKER_SUCCEEDED = 2,
    CQL_WORKER_RETRY = 3,     /* this run failed; at_ms: when it is tried again */
    CQL_WORKER_ABANDONED = 4, /* this run failed and it was the last */
    CQL_WORKER_GIVEN_BACK = 5,
    CQL_WORKER_CLAIM_LOST = 6, /* the outcome of this run was refused, or the lease ran out */
    CQL_WORKER_RECLAIMED = 7,  /* took back a job whose worker let its lease run out */
    CQL_WORKER_TROUBLE = 8,    /* the store cannot be reached; said once until it works again */
    CQL_WORKER_RESUMED = 9,
    CQL_WORKER_UNKNOWN = 10,  /* an outcome could not be settled; the lease will */
    CQL_WORKER_UNHANDLED = 11 /* a job is due whose type has no handler here (err: CQL_NOT_FOUND); it
                                 is left to other workers. Said once for each type. */
} cql_worker_event_kind;

/* Borrowed for the call. */
typedef struct cql_worker_event {
    cql_worker_event_kind kind;
    const cql_job_info *job; /* as it was read or claimed; NULL for TROUBLE and RESUMED */
    int64_t token;           /* of the claim concerned */
    int64_t at_ms;           /* RETRY: when it runs again */
    const char *text;        /* the reason of RETRY, ABANDONED, CLAIM_LOST; else "" */
    const cql_error *err;    /* TROUBLE, UNKNOWN, UNHANDLED; else NULL */
} cql_worker_event;

typedef struct cql_worker_options {
    size_t size;             /* sizeof(cql_worker_options) */
    uint32_t concurrency;    /* jobs at once, 1 to 10,000; 0: 10 */
    uint32_t lease_s;        /* equal for all workers, 1 to 86,400; 0: 300 */
    uint32_t poll_ms;        /* between two looks when there is nothing to do; 0: 5000 */
    uint32_t retry_delay_ms; /* before a failed job is tried again; 0: 30,000 */
    uint32_t stop_s;         /* how long a stop waits for handlers before giving back; 0: 30 */
    uint32_t batch;          /* index rows read at once; 0: 100 */
    bool drain;              /* end by itself once no job is due and none runs here */
    bool manual_renew;       /* only cql_job_renew renews */
    const char *name; /* shown while it holds a job; letters, digits and . _ : @ / -, up to 64
                         bytes; NULL: the process id */
    void (*on_event)(void *user, const cql_worker_event *event); /* on the stepping thread */
    void (*on_wake)(cql_worker *w, void *user); /* see cql_worker_step; any thread, no lock held */
    void *user;                                 /* of on_event and on_wake */
    cql_job_backoff retry;      /* wins over retry_delay_ms when its kind is set */
    uint32_t recurring_poll_ms; /* between two looks at recurring jobs; 0: 60,000 */
    bool no_recurring;          /* leave recurring jobs to other workers */
    uint32_t retention_s;       /* jobs that ended are deleted at that age, once an hour; 0: never */
} cql_worker_options;

/* Runs a worker on this thread until cql_jobs_stop was called or, with drain, nothing is left to
 * do. options may be NULL. on_wake must be NULL. For sessions with their own thread and driven
 * ones. CQL_BAD_ARGUMENT, CQL_NO_MEMORY, CQL_SYSTEM (no thread), CQL_WRONG_THREAD. */
CQL_API cql_status cql_jobs_run_wait(cql_jobs *jobs, const cql_worker_options *options,
                                     cql_error **err);
/* Stops every worker of this store gracefully: no new claims, handlers get stop_s to finish, then
 * their jobs are given back. Not for signal handlers. [any thread] */
CQL_API void cql_jobs_stop(cql_jobs *jobs);

/* The same in pieces, for programs with a loop of their own; works with every kind of session.
 * A worker does nothing by itself: it acts in cql_worker_step, which never blocks. Call it on one
 * thread, at first at once, then whenever the milliseconds it returned have passed (-1: no limit)
 * or on_wake was called. on_wake must not step; it tells the loop to. */
CQL_API cql_status cql_worker_new(cql_jobs *jobs, const cql_worker_options *options,
                                  cql_worker **out, cql_error **err);
CQL_API int cql_worker_step(cql_worker *w);
/* As cql_jobs_stop, for this worker. A second call gives back what still runs. [any thread] */
CQL_API void cql_worker_stop(cql_worker *w);
/* True when a stopped or drained worker has nothing left to do. On the stepping thread. */
CQL_API bool cql_worker_is_finished(const cql_worker *w);
/* Jobs that are held now, handlers and their last writes included. On the stepping thread. */
CQL_API size_t cql_worker_running(const cql_worker *w);
/* Frees; NULL is fine. Jobs that it still holds are lost to their lease; handlers may still give
 * them up, which then does nothing. Waits for blocking handlers that run. On the stepping thread,
 * not from inside a handler. */
CQL_API void cql_worker_free(cql_worker *w);

CQL_END
#endif
