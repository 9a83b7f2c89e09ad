/* fire.c: occurrences of recurring jobs become jobs. Any number of workers may do it at once: the
 * id of the job is made of the recurring job's id and the time, and it is stored only if it is not
 * there; then the row moves on, if it is still as it was read. A crash in between leaves a job that
 * is there already when the next worker comes. */
#include "jobs/cron.h"
#include "jobs/recurring.h"

#include <string.h>


typedef struct firing {
    cql_jobs *jobs;
    cql_recurring_list *list;
    size_t at;
    int64_t next_ms;
    cql_error *err;
    cqljob_fire_fn fn;
    void *user;
    cqljob_request rq;
    cql_recurring_info row;
    char id[CQL_UUID_TEXT_SIZE];
} firing;

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
        hash ^= hash >> 29;
    }
    return hash;
}

void cqljob_occurrence_id(cql_str recurring, int64_t at_ms, char out[CQL_UUID_TEXT_SIZE])
{
    uint64_t half[2] = {UINT64_C(14695981039346656037), UINT64_C(0x9e3779b97f4a7c15)};
    unsigned char time[8];
    cql_uuid id;

    for (int i = 0; i < 8; i++)
        time[i] = (unsigned char)((uint64_t)at_ms >> (8 * i));
    for (int h = 0; h < 2; h++) {
        half[h] = mix(mix(half[h], recurring.ptr, recurring.len), time, sizeof time);
        half[h] = (half[h] ^ half[h] >> 32) * UINT64_C(0xd6e8feb86659fd93);
        half[h] ^= half[h] >> 32;
        for (int i = 0; i < 8; i++)
            id.bytes[8 * h + i] = (uint8_t)(half[h] >> (8 * i));
    }
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x80); /* version 8: made by a rule of our own */
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    cql_uuid_print(&id, out);
}

static void finish(firing *f)
{
    f->fn(f->user, f->err, f->next_ms);
    cql_recurring_list_free(f->list);
    cql_error_unref(f->err);
    cqljob_task_free(f);
}

static void keep_error(firing *f, cql_status st, const cql_error *err)
{
    cqljob_keep_first(f->jobs, &f->err, st, err, "recurring jobs");
}

static void next(firing *f);

static void expect(firing *f, int64_t at_ms)
{
    if (at_ms != CQL_JOB_NO_TIME && at_ms < f->next_ms)
        f->next_ms = at_ms;
}

/* Refused: another worker moved it on. */
static void moved_on(void *user, cqljob_answer *a)
{
    firing *f = user;

    if (a->outcome == CQLJOB_FAILED || a->outcome == CQLJOB_UNKNOWN)
        keep_error(f, CQL_UNEXPECTED, a->err);
    else
        expect(f, f->row.next_execution);
    next(f);
}

static void move_on(firing *f)
{
    const cql_recurring_info *r = cql_recurring_list_at(f->list, f->at - 1);
    int64_t at;
    cql_status st;

    f->row = *r;
    f->row.last_execution = r->next_execution;
    f->row.next_execution = CQL_JOB_NO_TIME;
    if (!cql_cron_next(r->cron.ptr, cqljob_wall_ms(f->jobs), &at, NULL))
        f->row.next_execution = at;
    memset(&f->rq, 0, sizeof f->rq);
    f->rq.verb = CQLJOB_R_NEXT; /* the rest may be another's by now */
    f->rq.id = r->id;
    f->rq.recurring = &f->row;
    f->rq.until_ms = r->next_execution;
    st = cqljob_send(f->jobs, &f->rq, moved_on, f);
    if (!st)
        return;
    keep_error(f, st, NULL);
    finish(f);
}

static void stored(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    firing *f = user;

    (void)jobs;
    (void)job;
    if (!err) {
        move_on(f);
        return;
    }
    keep_error(f, CQL_UNEXPECTED, err); /* the next look tries again */
    next(f);
}

static bool is_due(const cql_recurring_info *r, int64_t now_ms)
{
    return r->is_enabled && r->next_execution != CQL_JOB_NO_TIME && r->next_execution <= now_ms &&
           r->type.len && r->cron.ptr;
}

static cql_status fire(firing *f, const cql_recurring_info *r)
{
    cql_job_spec spec = {.size = sizeof spec, .type = r->type.ptr, .id = f->id};

    spec.arguments = r->arguments;
    spec.max_retries = r->max_retry_count > 0 ? r->max_retry_count : -1;
    cqljob_occurrence_id(r->id, r->next_execution, f->id);
    return cql_jobs_enqueue(f->jobs, &spec, stored, f);
}

static void next(firing *f)
{
    int64_t now = cqljob_wall_ms(f->jobs);

    while (f->at < cql_recurring_list_count(f->list)) {
        const cql_recurring_info *r = cql_recurring_list_at(f->list, f->at++);
        cql_status st;

        if (!is_due(r, now)) {
            if (r->is_enabled)
                expect(f, r->next_execution);
            continue;
        }
        st = fire(f, r);
        if (!st)
            return;
        keep_error(f, st, NULL);
    }
    finish(f);
}

static void on_list(cql_jobs *jobs, const cql_error *err, const cql_recurring_list *list,
                    void *user)
{
    firing *f = user;
    cql_status st;

    if (err) {
        keep_error(f, CQL_UNEXPECTED, err);
        finish(f);
        return;
    }
    f->list = cqljob_recurring_list_new(&jobs->al);
    st = f->list ? cqljob_recurring_list_join(f->list, list) : CQL_NO_MEMORY;
    if (st) {
        keep_error(f, st, NULL);
        finish(f);
        return;
    }
    next(f);
}

cql_status cqljob_fire(cql_jobs *jobs, cqljob_fire_fn fn, void *user)
{
    firing *f = cqljob_task_new(jobs, sizeof *f);
    cql_status st;

    if (!f)
        return CQL_NO_MEMORY;
    f->next_ms = INT64_MAX;
    f->fn = fn;
    f->user = user;
    st = cql_jobs_recurring_list(jobs, on_list, f);
    if (st)
        cqljob_task_free(f);
    return st;
}
