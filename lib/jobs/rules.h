/* rules.h: what may happen to a job and what has to be written for it. Pure: no I/O, no clock.
 *
 * The row in `jobs` is the truth and changes only by conditional updates. Index rows
 * (jobs_by_state, scheduled_jobs) are written before the job changes and removed after it did, so
 * that a crash leaves one index row too many and never one too few.
 *
 * Index rows carry write times that are made from the job and not from a clock: 1000 times the
 * token of its newest claim (before the first claim: its creation) plus the step within that claim.
 * Writes to one job's index rows are thereby ordered as the job's own history is, whichever process
 * with whichever clock makes them and however late they arrive; and whoever reads the job may
 * remove an index row that contradicts it, with the write time of the state it read, and cannot
 * remove a row that a later step has written. */
#ifndef CQLJOB_RULES_H
#define CQLJOB_RULES_H

#include <cqlnative/jobs.h>

/* A hash that is the same everywhere and for ever (FNV-1a), of texts one after the other: `so_far` begins
 * with CQLJOB_HASH. */
#define CQLJOB_HASH UINT64_C(14695981039346656037)
uint64_t cqljob_hash(uint64_t so_far, cql_str text);
/* Bucket of a job in scheduled_jobs. */
int32_t cqljob_bucket(cql_str id, uint32_t buckets);

/* The token of a new claim or renewal: now, but above every earlier one and above the creation.
 * False when the row holds a time beyond which none is left. */
bool cqljob_next_token(const cql_job_info *job, int64_t now_ms, int64_t *token);

/* Write time (microseconds) of index rows that belong to the job as it stands. */
int64_t cqljob_write_time(const cql_job_info *job);

/* --- a conditional change of one row of `jobs` ------------------------------------------------ */
enum {
    CQLJOB_SET_TOKEN = 1,
    CQLJOB_SET_TIME = 2,
    CQLJOB_SET_RETRIES = 4,
    CQLJOB_SET_ERROR = 8,
    CQLJOB_SET_RESULT = 16
};

/* IF state = from_state AND executed_at = from_token. Texts are borrowed; ptr NULL stores null. */
typedef struct cqljob_change {
    int32_t from_state;
    int64_t from_token; /* CQL_JOB_NO_TIME: null */
    bool remove;        /* the row is deleted, nothing below applies */
    unsigned sets;      /* which of the members below, beside state, are written */
    int32_t state;
    int64_t token;
    int64_t scheduled_at;
    int32_t retry_count;
    cql_str error_message;
    cql_str result; /* or the claim, while the state is 2 */
} cqljob_change;

/* True when the row is just what the change makes of it: it was applied. */
bool cqljob_change_is_done(const cqljob_change *change, const cql_job_info *job);
/* True when the condition of the change holds for the row. */
bool cqljob_change_can_be(const cqljob_change *change, const cql_job_info *job);

/* --- index rows ------------------------------------------------------------------------------- */
typedef enum cqljob_index_kind {
    CQLJOB_PUT_STATE,
    CQLJOB_DROP_STATE,
    CQLJOB_PUT_DUE,
    CQLJOB_DROP_DUE,
    CQLJOB_PUT_LINK,  /* part: cqljob_link_kind, of: what the job is linked to */
    CQLJOB_DROP_LINK, /* the same */
    CQLJOB_PUT_BACKOFF,
    CQLJOB_DROP_BACKOFF
} cqljob_index_kind;

/* What a row of job_links says of its job. */
typedef enum cqljob_link_kind {
    CQLJOB_LINK_CHILD,  /* waits for the job `of` */
    CQLJOB_LINK_MEMBER, /* belongs to the batch `of` */
    CQLJOB_LINK_THEN    /* waits for the batch `of` */
} cqljob_link_kind;

typedef struct cqljob_index {
    cqljob_index_kind kind;
    int32_t part; /* the state, the bucket or the kind of link */
    int64_t at;   /* created_at or scheduled_at */
    int64_t write_us;
    cql_str of;                     /* borrowed */
    const cql_job_backoff *backoff; /* borrowed */
} cqljob_index;

enum { CQLJOB_INDEX_MAX = 6 };

typedef struct cqljob_indexes {
    cqljob_index rows[CQLJOB_INDEX_MAX];
    size_t count;
} cqljob_indexes;

/* --- moves: index rows to write, the change, index rows to write after it --------------------- */
typedef struct cqljob_move {
    cqljob_indexes before;
    cqljob_change change;
    cqljob_indexes after;
    bool ends;        /* the job ends: what waits for it is looked at before `after` */
    cql_str batch_id; /* of the job that ends; borrowed */
} cqljob_move;

/* Facts a plan needs beside the job. */
typedef struct cqljob_facts {
    int64_t now_us;
    uint32_t buckets;
    int32_t due_bucket; /* where the scheduled_jobs row was found; -1: where this module puts it */
    bool index_behind;  /* the index rows of the claim may not have been written */
} cqljob_facts;

/* Rows of a new job in state 1, 7 or 8. backoff: its own, or NULL; borrowed, as the job is. */
void cqljob_plan_enqueue(cqljob_indexes *rows, const cql_job_info *job, uint32_t buckets,
                         const cql_job_backoff *backoff);
/* What the new job is linked to; written once it is stored, so that no link leads to nothing. then: it
 * waits, or waited, for the members of its batch. */
void cqljob_plan_links(cqljob_indexes *rows, const cql_job_info *job, bool then);
/* A job that waited for others becomes due. */
void cqljob_plan_release(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts);
/* A job that ended runs again; false when no token is left for it. */
bool cqljob_plan_retry(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts);
bool cqljob_backoff_is_sound(const cql_job_backoff *b);
/* Milliseconds that a job waits after its run number `run` (from 1) failed. */
int64_t cqljob_backoff_ms(const cql_job_backoff *b, int32_t run, uint64_t random);
/* job: in state 1 as it was read; claim: the note that tells this claim from every other one. */
void cqljob_plan_claim(cqljob_move *m, const cql_job_info *job, int64_t token, cql_str claim);
/* job: in state 2, executed_at and claim being those of the claim; so for the next three. */
void cqljob_plan_renew(cqljob_move *m, const cql_job_info *job, int64_t token);
void cqljob_plan_complete(cqljob_move *m, const cql_job_info *job, cql_str result,
                          const cqljob_facts *facts);
void cqljob_plan_give_back(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts);
/* A run that failed: again after delay_ms, or never when retries are used up. True: again. */
bool cqljob_plan_fail(cqljob_move *m, const cql_job_info *job, cql_str why, int64_t delay_ms,
                      const cqljob_facts *facts);
/* A job whose lease ran out: waits at once for another worker, or is abandoned. True: waits. */
bool cqljob_plan_reclaim(cqljob_move *m, const cql_job_info *job, cql_str why,
                         const cqljob_facts *facts);
void cqljob_plan_cancel(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts);
void cqljob_plan_delete(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts);

/* --- what to do about a row of scheduled_jobs that is due ------------------------------------- */
typedef enum cqljob_sight {
    CQLJOB_SEE_CLAIM,   /* may be claimed */
    CQLJOB_SEE_RUNNING, /* somebody holds it, or it waits for something else */
    CQLJOB_SEE_EXPIRED, /* held, but the lease ran out */
    CQLJOB_SEE_STALE,   /* the job has another time: remove the row */
    CQLJOB_SEE_ENDED,   /* the job has ended: remove the row once what waits for it was looked at */
    CQLJOB_SEE_ORPHAN   /* there is no job: remove the row once that lasted the grace period */
} cqljob_sight;

/* job: NULL when there is none. seen_ms: how long this worker has seen the row unchanged by its own
 * steady clock; it makes leases end also where clocks disagree. */
cqljob_sight cqljob_look(const cql_job_info *job, int64_t row_at, int64_t now_ms, int64_t lease_ms,
                         int64_t seen_ms);
/* True for a row of a job that has ended which a retry that is under way may have put: it has a later time
 * than the job, or any other where the job was cancelled. It is left alone for the grace period. */
bool cqljob_is_next_row(const cql_job_info *job, int64_t row_at);
/* Index writes that remove a stale row, and put the right one for a job that still waits. */
void cqljob_plan_sweep(cqljob_indexes *rows, const cql_job_info *job, int32_t bucket,
                       int64_t row_at, int64_t now_us, uint32_t buckets);
/* The same for a row of jobs_by_state; job NULL: there is none. until_us: what was written with a clock
 * before that time goes as well, where the job has ended or is not there. */
void cqljob_plan_sweep_state(cqljob_indexes *rows, const cql_job_info *job, int32_t state,
                             int64_t row_at, int64_t until_us);

#endif
