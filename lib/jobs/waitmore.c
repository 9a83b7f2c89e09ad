/* waitmore.c: the blocking twins of batches, clean-up and recurring jobs. */
#include "jobs/recurring.h"
#include "jobs/wait.h"
#include "seat/wait.h"

cql_status cql_jobs_cleanup_wait(cql_jobs *jobs, const cql_cleanup_options *options,
                                 int64_t *count, cql_error **err)
{
    cqljob_wait *w;
    cql_status st = cqljob_wait_begin(jobs, &w, err);

    if (st)
        return st;
    do
        st = cql_jobs_cleanup(jobs, options, cqljob_keep_count, w);
    while (st && cqljob_wait_again(w, st)); /* what was begun may have deleted some */
    return cqljob_wait_count(w, st, count, err);
}

cql_status cql_jobs_enqueue_batch_wait(cql_jobs *jobs, const char *batch_id,
                                       const cql_job_spec *members, size_t count,
                                       const cql_job_spec *then, cql_job_list **out,
                                       cql_error **err)
{
    cqljob_wait *w;
    cql_status st = cqljob_wait_begin(jobs, &w, err);

    if (out)
        *out = NULL;
    if (st)
        return st;
    do
        st = cql_jobs_enqueue_batch(jobs, batch_id, members, count, then, cqljob_keep_list, w);
    while (st && cqljob_wait_again(w, st)); /* what was begun may have stored some */
    return cqljob_wait_list(w, st, out, err);
}

cql_status cql_jobs_list_batch_wait(cql_jobs *jobs, const char *batch_id, uint32_t limit,
                                    cql_job_list **out, cql_error **err)
{
    cqljob_wait *w;
    cql_status st;

    if (!out)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: out is NULL", err);
    *out = NULL;
    st = cqljob_wait_begin(jobs, &w, err);
    if (st)
        return st;
    do
        st = cql_jobs_list_batch(jobs, batch_id, limit, cqljob_keep_list, w);
    while (cqljob_wait_again(w, st));
    return cqljob_wait_list(w, st, out, err);
}

/* --- recurring jobs --------------------------------------------------------------------------- */
cql_status cql_jobs_recurring_set_wait(cql_jobs *jobs, const cql_recurring_spec *spec,
                                       cql_error **err)
{
    const char *why;
    cqljob_wait *w;
    cql_status st;

    if (!jobs)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: the job store is NULL", err);
    st = cqljob_recurring_check(jobs, spec, &why);
    if (st)
        return cqljob_give(err, cqljob_error(jobs, st, NULL, "recurring job: %s", why));
    st = cqljob_wait_begin(jobs, &w, err);
    if (st)
        return st;
    do
        st = cql_jobs_recurring_set(jobs, spec, cqljob_keep_nothing, w);
    while (cqljob_wait_again(w, st));
    return cqljob_wait_nothing(w, st, err);
}

cql_status cql_jobs_recurring_remove_wait(cql_jobs *jobs, const char *id, cql_error **err)
{
    cqljob_wait *w;
    cql_status st = cqljob_wait_begin(jobs, &w, err);

    if (st)
        return st;
    do
        st = cql_jobs_recurring_remove(jobs, id, cqljob_keep_nothing, w);
    while (cqljob_wait_again(w, st));
    return cqljob_wait_nothing(w, st, err);
}

cql_status cql_jobs_recurring_enable_wait(cql_jobs *jobs, const char *id, bool enabled,
                                          cql_error **err)
{
    cqljob_wait *w;
    cql_status st = cqljob_wait_begin(jobs, &w, err);

    if (st)
        return st;
    do
        st = cql_jobs_recurring_enable(jobs, id, enabled, cqljob_keep_nothing, w);
    while (cqljob_wait_again(w, st));
    return cqljob_wait_nothing(w, st, err);
}

static void keep_recurring(cql_jobs *jobs, const cql_error *err, const cql_recurring_list *list,
                           void *user)
{
    cqljob_wait *w = user;

    if (list)
        w->recurring = cqljob_recurring_list_new(&jobs->al);
    if (list && (!w->recurring || cqljob_recurring_list_join(w->recurring, list)))
        cqljob_wait_lacks(w);
    else
        cqljob_wait_done(w, err);
}

cql_status cql_jobs_recurring_list_wait(cql_jobs *jobs, cql_recurring_list **out, cql_error **err)
{
    cqljob_wait *w;
    cql_status st;

    if (!out)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: out is NULL", err);
    *out = NULL;
    st = cqljob_wait_begin(jobs, &w, err);
    if (st)
        return st;
    do
        st = cql_jobs_recurring_list(jobs, keep_recurring, w);
    while (cqljob_wait_again(w, st));
    st = cqljob_wait_end(w, st, err);
    if (!st) {
        *out = w->recurring;
        w->recurring = NULL;
    }
    cqljob_wait_free(w);
    return st;
}
