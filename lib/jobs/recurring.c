/* recurring.c: the schedules of recurring jobs. A row changes by conditional updates on the time of
 * its next execution, as it was read serially; a lost answer is settled by reading again. */
#include "jobs/recurring.h"

#include "jobs/cron.h"

#include <string.h>

enum { TRIES = 6, ID_MAX = 255, PAGE = 1000 };

/* --- one schedule ----------------------------------------------------------------------------- */
typedef enum what { SET, REMOVE, ENABLE, DISABLE } what;

typedef struct order {
    cql_jobs *jobs;
    what what;
    cql_recurring_list *wanted; /* SET: one row, as it is to be; else its id */
    cql_recurring_list *found;
    bool writing;
    bool doubt;
    int tries;
    cql_jobs_cb cb;
    void *user;
    cqljob_request rq;
    cql_recurring_info row; /* to be written; texts are those of wanted and found */
} order;

static void on_answer(void *user, cqljob_answer *a);

static void order_free(order *o)
{
    cql_recurring_list_free(o->wanted);
    cql_recurring_list_free(o->found);
    cqljob_task_free(o);
}

static void finish(order *o, const cql_error *err)
{
    o->cb(o->jobs, err, o->user);
    order_free(o);
}

static void fail(order *o, cql_status st, const char *text)
{
    cql_error *err = cqljob_error(o->jobs, st, NULL, "recurring job %s: %s",
                                  cql_recurring_list_at(o->wanted, 0)->id.ptr, text);

    finish(o, err);
    cql_error_unref(err);
}

static cql_status send(order *o, cqljob_verb verb)
{
    memset(&o->rq, 0, sizeof o->rq);
    o->writing = verb != CQLJOB_R_GET;
    o->rq.verb = verb;
    o->rq.id = cql_recurring_list_at(o->wanted, 0)->id;
    o->rq.recurring = &o->row;
    if (verb == CQLJOB_R_UPDATE)
        o->rq.until_ms = cql_recurring_list_at(o->found, 0)->next_execution;
    return cqljob_send(o->jobs, &o->rq, on_answer, o);
}

static void go(order *o, cqljob_verb verb)
{
    cql_status st = send(o, verb);

    if (st)
        fail(o, o->doubt ? CQL_OUTCOME_UNKNOWN : st, cql_status_text(st));
}

static int64_t next_of(const order *o, cql_str cron)
{
    int64_t next;

    if (cql_cron_next(cron.ptr, cqljob_wall_ms(o->jobs), &next, NULL))
        return CQL_JOB_NO_TIME;
    return next;
}

/* What was read becomes what is to be written. */
static void write_row(order *o)
{
    const cql_recurring_info *old = cql_recurring_list_at(o->found, 0);

    o->row = *cql_recurring_list_at(o->what == SET || !old ? o->wanted : o->found, 0);
    if (o->what == REMOVE) {
        go(o, CQLJOB_R_DELETE);
        return;
    }
    if (o->what != SET)
        o->row.is_enabled = o->what == ENABLE;
    o->row.next_execution = next_of(o, o->row.cron);
    o->row.created_at = old ? old->created_at : cqljob_wall_ms(o->jobs);
    o->row.last_execution = old ? old->last_execution : CQL_JOB_NO_TIME;
    go(o, old ? CQLJOB_R_UPDATE : CQLJOB_R_INSERT);
}

static void took_row(order *o, cqljob_answer *a)
{
    cql_recurring_list_free(o->found);
    o->found = NULL;
    if (a->outcome == CQLJOB_UNKNOWN || a->outcome == CQLJOB_FAILED) {
        finish(o, a->err);
        return;
    }
    if (a->outcome == CQLJOB_DONE) {
        o->found = a->recurring;
        a->recurring = NULL;
    } else if (o->what == REMOVE && o->doubt) {
        finish(o, NULL); /* it is gone, as it was to be */
        return;
    } else if (o->what != SET) {
        fail(o, CQL_NOT_FOUND, "not found");
        return;
    }
    write_row(o);
}

static void on_answer(void *user, cqljob_answer *a)
{
    order *o = user;

    if (!o->writing) {
        took_row(o, a);
    } else if (a->outcome == CQLJOB_DONE) {
        finish(o, NULL);
    } else if (a->outcome == CQLJOB_FAILED && !o->doubt) {
        finish(o, a->err);
    } else { /* changed since it was read, or an answer was lost: all again from what there is */
        o->doubt = o->doubt || a->outcome == CQLJOB_UNKNOWN;
        if (o->tries++ < TRIES)
            go(o, CQLJOB_R_GET);
        else
            fail(o, o->doubt ? CQL_OUTCOME_UNKNOWN : CQL_BAD_STATE,
                 o->doubt ? "may or may not have been changed; repeat it" : "it keeps changing");
    }
}

static cql_status begin(cql_jobs *jobs, what w, const cql_recurring_info *wanted, cql_jobs_cb cb,
                        void *user)
{
    order *o = cqljob_task_new(jobs, sizeof *o);
    cql_status st = CQL_NO_MEMORY;

    if (!o)
        return CQL_NO_MEMORY;
    o->what = w;
    o->cb = cb;
    o->user = user;
    o->wanted = cqljob_recurring_list_new(&jobs->al);
    if (o->wanted)
        st = cqljob_recurring_list_add(o->wanted, wanted);
    if (!st)
        st = send(o, CQLJOB_R_GET);
    if (st)
        order_free(o);
    return st;
}

static bool is_id(const char *id)
{
    size_t n = id ? strlen(id) : 0;

    return n > 0 && n <= ID_MAX && cqljob_is_utf8(cql_str_of(id));
}

cql_status cqljob_recurring_check(const cql_jobs *jobs, const cql_recurring_spec *from,
                                  const char **why)
{
    cql_recurring_spec spec;
    int64_t next;

    *why = "size: must be sizeof(cql_recurring_spec)";
    if (!from || !cqljob_take_sized(&spec, sizeof spec, from))
        return CQL_BAD_ARGUMENT;
    *why = "id: 1 to 255 bytes of UTF-8";
    if (!is_id(spec.id))
        return CQL_BAD_ARGUMENT;
    *why = "type: 1 to 255 bytes of UTF-8";
    if (!is_id(spec.type))
        return CQL_BAD_ARGUMENT;
    *why = "max_retries: -1 or more";
    if (spec.max_retries < -1)
        return CQL_BAD_ARGUMENT;
    *why = "arguments: larger than max_bytes";
    if (spec.arguments.len > jobs->set.max_bytes)
        return CQL_TOO_LARGE;
    *why = "arguments: must be UTF-8";
    if (!cqljob_is_utf8(spec.arguments))
        return CQL_BAD_VALUE;
    return cql_cron_next(spec.cron, cqljob_wall_ms(jobs), &next, why);
}

cql_status cql_jobs_recurring_set(cql_jobs *jobs, const cql_recurring_spec *from, cql_jobs_cb cb,
                                  void *user)
{
    cql_recurring_spec spec;
    cql_recurring_info info;
    const char *why;
    cql_status st = cqljob_recurring_check(jobs, from, &why);

    if (st)
        return st;
    (void)cqljob_take_sized(&spec, sizeof spec, from);
    memset(&info, 0, sizeof info);
    info.id = cql_str_of(spec.id);
    info.cron = cql_str_of(spec.cron);
    info.type = cql_str_of(spec.type);
    info.arguments = spec.arguments.ptr ? spec.arguments : (cql_str){"", 0};
    info.max_retry_count = spec.max_retries < 0 ? 0 : spec.max_retries;
    if (spec.max_retries == 0)
        info.max_retry_count = jobs->set.max_retries;
    info.is_enabled = !spec.disabled;
    return begin(jobs, SET, &info, cb, user);
}

static cql_status by_id(cql_jobs *jobs, what w, const char *id, cql_jobs_cb cb, void *user)
{
    cql_recurring_info info;

    if (!is_id(id))
        return CQL_BAD_ARGUMENT;
    memset(&info, 0, sizeof info);
    info.id = cql_str_of(id);
    return begin(jobs, w, &info, cb, user);
}

cql_status cql_jobs_recurring_remove(cql_jobs *jobs, const char *id, cql_jobs_cb cb, void *user)
{
    return by_id(jobs, REMOVE, id, cb, user);
}

cql_status cql_jobs_recurring_enable(cql_jobs *jobs, const char *id, bool enabled, cql_jobs_cb cb,
                                     void *user)
{
    return by_id(jobs, enabled ? ENABLE : DISABLE, id, cb, user);
}

/* --- all of them ------------------------------------------------------------------------------ */
typedef struct listing {
    cql_jobs *jobs;
    char *page;
    cql_recurring_list *list;
    cql_recurring_list_cb cb;
    void *user;
    cqljob_request rq;
} listing;

static void listing_free(listing *l)
{
    cql_recurring_list_free(l->list);
    cqljob_free(&l->jobs->al, l->page);
    cqljob_task_free(l);
}

static void on_page(void *user, cqljob_answer *a)
{
    listing *l = user;
    cql_error *own = NULL;
    cql_status st = CQL_OK;

    if (a->outcome == CQLJOB_DONE)
        st = cqljob_recurring_list_join(l->list, a->recurring);
    if (!st && a->outcome == CQLJOB_DONE && a->page.len) {
        cqljob_free(&l->jobs->al, l->page);
        l->page = cqljob_copy(&l->jobs->al, a->page);
        l->rq.page = (cql_str){l->page, a->page.len};
        st = l->page ? cqljob_send(l->jobs, &l->rq, on_page, l) : CQL_NO_MEMORY;
        if (!st)
            return;
    }
    if (st)
        own = cqljob_status_error(l->jobs, st, "recurring jobs");
    l->cb(l->jobs, own ? own : a->err, own || a->err ? NULL : l->list, l->user);
    cql_error_unref(own);
    listing_free(l);
}

cql_status cql_jobs_recurring_list(cql_jobs *jobs, cql_recurring_list_cb cb, void *user)
{
    listing *l = cqljob_task_new(jobs, sizeof *l);
    cql_status st = CQL_NO_MEMORY;

    if (!l)
        return CQL_NO_MEMORY;
    l->rq.verb = CQLJOB_R_LIST;
    l->rq.page_size = PAGE;
    l->cb = cb;
    l->user = user;
    l->list = cqljob_recurring_list_new(&jobs->al);
    if (l->list)
        st = cqljob_send(jobs, &l->rq, on_page, l);
    if (st)
        listing_free(l);
    return st;
}
