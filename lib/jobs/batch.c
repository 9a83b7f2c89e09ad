/* batch.c: the jobs of a batch, many on the way at a time, then the one that waits for them. */
#include "jobs/enqueue.h"

#include <string.h>

enum { AT_ONCE = 64, MOST = 100000 };

typedef struct batch batch;

typedef struct member {
    batch *of;
    size_t at;
} member;

struct batch {
    cql_jobs *jobs;
    char id[CQL_UUID_TEXT_SIZE];
    cql_job_info **made; /* in order; the last is the continuation's */
    cql_job_spec *specs; /* of all, with copies of their texts */
    char *texts;
    member *members;
    size_t count; /* members */
    bool then;
    size_t sent, flying, stored;
    cql_error *err;
    cql_job_list_cb cb;
    void *user;
};

static void fill(batch *b);

static void batch_free(batch *b)
{
    const cql_allocator *al = &b->jobs->al;

    for (size_t i = 0; b->made && i < b->count + 1; i++)
        cql_job_info_free(b->made[i]);
    cqljob_free(al, b->made);
    cqljob_free(al, b->specs);
    cqljob_free(al, b->texts);
    cqljob_free(al, b->members);
    cql_error_unref(b->err);
    cqljob_task_free(b);
}

static void keep_error(batch *b, cql_status st, const cql_error *err)
{
    if (!b->err)
        b->err = cqljob_error(b->jobs, err ? cql_error_status(err) : st, err,
                              "batch %s: %zu of %zu jobs were stored before this: %s", b->id,
                              b->stored, b->count + b->then,
                              err ? cql_error_text(err) : cql_status_text(st));
}

static void finish(batch *b)
{
    cql_job_list *list = b->err ? NULL : cqljob_list_new(&b->jobs->al);

    if (!b->err && !list)
        keep_error(b, CQL_NO_MEMORY, NULL);
    for (size_t i = 0; !b->err && i < b->count + b->then; i++) {
        cql_status st = cqljob_list_add(list, b->made[i]);

        b->made[i] = NULL;
        if (st)
            keep_error(b, st, NULL);
    }
    b->cb(b->jobs, b->err, b->err ? NULL : list, b->user);
    cql_job_list_free(list);
    batch_free(b);
}

static void stored(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    member *m = user;
    batch *b = m->of;

    b->flying--;
    if (job) {
        b->stored++;
        b->made[m->at] = cqljob_info_new(&jobs->al, job);
    }
    if (err || !b->made[m->at])
        keep_error(b, CQL_NO_MEMORY, err);
    fill(b);
}

/* The continuation goes only when all members are in. */
static bool may_send(const batch *b)
{
    if (b->err || b->sent == b->count + b->then)
        return false;
    return b->sent < b->count ? b->flying < AT_ONCE : b->flying == 0;
}

static void fill(batch *b)
{
    while (may_send(b)) {
        member *m = &b->members[b->sent];
        cql_status st = cql_jobs_enqueue(b->jobs, &b->specs[b->sent], stored, m);

        if (st == CQL_WOULD_BLOCK && b->flying)
            return;
        if (st) {
            keep_error(b, st, NULL);
            break;
        }
        b->sent++;
        b->flying++;
    }
    if (!b->flying && (b->err || b->sent == b->count + b->then))
        finish(b);
}

/* --- beginning -------------------------------------------------------------------------------- */
static size_t text_size(const cql_job_spec *spec)
{
    return strlen(spec->type) + 1 + spec->arguments.len + (spec->id ? strlen(spec->id) + 1 : 0);
}

static char *put(char *at, const char *from, size_t len, const char **place)
{
    *place = at;
    if (len)
        memcpy(at, from, len);
    return at + len;
}

/* The specs with copies of their texts, and the batch they belong to. */
static char *copy_spec(batch *b, size_t i, const cql_job_spec *from, char *at)
{
    cql_job_spec *to = &b->specs[i];

    memset(to, 0, sizeof *to);
    memcpy(to, from, from->size < sizeof *to ? from->size : sizeof *to);
    to->size = sizeof *to;
    at = put(at, to->type, strlen(to->type) + 1, &to->type);
    if (to->id)
        at = put(at, to->id, strlen(to->id) + 1, &to->id);
    if (to->arguments.ptr)
        at = put(at, to->arguments.ptr, to->arguments.len, &to->arguments.ptr);
    to->batch_id = i < b->count ? b->id : NULL;
    to->after_batch_id = i < b->count ? NULL : b->id;
    return at;
}

static cql_status check(const cql_jobs *jobs, const cql_job_spec *spec)
{
    const char *why;
    cql_status st = cqljob_enqueue_check(jobs, spec, &why);

    if (!st && (spec->batch_id || spec->parent_id || spec->after_batch_id))
        return CQL_BAD_ARGUMENT;
    return st;
}

static cql_status copy_all(batch *b, const cql_job_spec *members, const cql_job_spec *then)
{
    const cql_allocator *al = &b->jobs->al;
    size_t size = 1;
    char *at;

    for (size_t i = 0; i < b->count; i++)
        size += text_size(&members[i]);
    size += then ? text_size(then) : 0;
    b->texts = cqljob_alloc(al, size);
    b->specs = cqljob_zalloc(al, (b->count + 1) * sizeof b->specs[0]);
    b->made = cqljob_zalloc(al, (b->count + 1) * sizeof(cql_job_info *));
    b->members = cqljob_zalloc(al, (b->count + 1) * sizeof b->members[0]);
    if (!b->texts || !b->specs || !b->made || !b->members)
        return CQL_NO_MEMORY;
    at = b->texts;
    for (size_t i = 0; i < b->count + b->then; i++) {
        at = copy_spec(b, i, i < b->count ? &members[i] : then, at);
        b->members[i] = (member){b, i};
    }
    return CQL_OK;
}

/* The first member is sent by the caller's thread: what it says is the call's answer. The rest
 * follow from its answer, on the session's loop. */
static cql_status send_first(batch *b)
{
    cql_status st;

    b->sent = b->flying = 1;
    st = cql_jobs_enqueue(b->jobs, &b->specs[0], stored, &b->members[0]);
    if (st)
        batch_free(b);
    return st;
}

cql_status cql_jobs_enqueue_batch(cql_jobs *jobs, const char *batch_id,
                                  const cql_job_spec *members, size_t count,
                                  const cql_job_spec *then, cql_job_list_cb cb, void *user)
{
    cql_status st = count == 0 || count > MOST ? CQL_BAD_ARGUMENT : CQL_OK;
    batch *b;

    if (!st && batch_id && cqljob_check_id(batch_id))
        st = CQL_BAD_VALUE;
    for (size_t i = 0; i < count && !st; i++)
        st = check(jobs, &members[i]);
    if (!st && then)
        st = check(jobs, then);
    if (st)
        return st;
    b = cqljob_task_new(jobs, sizeof *b);
    if (!b)
        return CQL_NO_MEMORY;
    b->count = count;
    b->then = then != NULL;
    b->cb = cb;
    b->user = user;
    if (batch_id) {
        memcpy(b->id, batch_id, CQL_UUID_TEXT_SIZE);
    } else {
        cql_uuid id = cql_uuid_random();

        cql_uuid_print(&id, b->id);
    }
    st = copy_all(b, members, then);
    if (st) {
        batch_free(b);
        return st;
    }
    return send_first(b);
}
