/* core.c: opening and closing a job store, its settings, handlers and errors. */
#include "jobs/core.h"
#include "jobs/worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1024, HANDLERS_MAX = 10000, TYPE_MAX = 255, KEYSPACE_MAX = 48 };

cql_error *cqljob_error(const cql_jobs *jobs, cql_status st, const cql_error *cause,
                        const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return cql_error_make(jobs ? &jobs->al : NULL, st, cause, text);
}

cql_error *cqljob_status_error(const cql_jobs *jobs, cql_status st, const char *what)
{
    return cqljob_error(jobs, st, NULL, "%s: %s", what, cql_status_text(st));
}

void cqljob_keep_first(const cql_jobs *jobs, cql_error **place, cql_status st, const cql_error *err,
                       const char *what)
{
    if (!*place)
        *place = err ? cql_error_ref(err) : cqljob_status_error(jobs, st, what);
}

void cqljob_keep_newest(cql_error **place, const cql_error *err)
{
    cql_error_unref(*place);
    *place = cql_error_ref(err);
}

int64_t cqljob_wall_ms(const cql_jobs *jobs)
{
    return cqljob_now_us(jobs) / 1000;
}

cqljob_facts cqljob_facts_now(const cql_jobs *jobs)
{
    return (cqljob_facts){cqljob_now_us(jobs), jobs->set.buckets, -1, false};
}

cql_status cqljob_give(cql_error **err, cql_error *made)
{
    cql_status st = cql_error_status(made);

    if (!err) {
        cql_error_unref(made);
        return st;
    }
    cql_error_unref(*err);
    *err = made;
    return st;
}

cql_status cqljob_check_id(const char *id)
{
    cql_uuid uuid;

    return cql_uuid_parse(cql_str_of(id), &uuid);
}

/* --- settings --------------------------------------------------------------------------------- */
static cql_status refuse(cql_error **err, const char *text)
{
    return cqljob_give(err, cql_error_make(NULL, CQL_BAD_ARGUMENT, NULL, text));
}

/* The text between double quotes in CQL may be anything but a quote; servers take words only. */
static bool is_keyspace(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > KEYSPACE_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return true;
}

static void settings_standard(cqljob_settings *set)
{
    memset(set, 0, sizeof *set);
    set->keyspace = "jobsharp";
    set->buckets = 10;
    set->consistency = CQL_CONSISTENCY_LOCAL_QUORUM;
    set->serial = CQL_CONSISTENCY_LOCAL_SERIAL;
    set->grace_ms = 120 * 1000;
    set->max_bytes = 1024 * 1024;
    set->max_retries = 3;
}

static cql_status read_consistency(cqljob_settings *set, const cql_jobs_options *o, cql_error **err)
{
    bool serial = o->serial_consistency == CQL_CONSISTENCY_SERIAL ||
                  o->serial_consistency == CQL_CONSISTENCY_LOCAL_SERIAL;

    if (o->consistency < 0 || o->consistency > CQL_CONSISTENCY_LOCAL_ONE ||
        o->consistency == CQL_CONSISTENCY_SERIAL || o->consistency == CQL_CONSISTENCY_LOCAL_SERIAL)
        return refuse(err, "consistency: a level for plain reads and writes is needed");
    if (o->serial_consistency && !serial)
        return refuse(err, "serial_consistency: SERIAL or LOCAL_SERIAL");
    if (o->consistency)
        set->consistency = (cql_consistency)o->consistency;
    if (o->serial_consistency)
        set->serial = (cql_consistency)o->serial_consistency;
    return CQL_OK;
}

cql_status cqljob_settings_read(cqljob_settings *set, const cql_jobs_options *from, cql_error **err)
{
    cql_jobs_options o;
    cql_status st;

    settings_standard(set);
    if (!from)
        return CQL_OK;
    if (!cqljob_take_sized(&o, sizeof o, from))
        return refuse(err, "size: must be sizeof(cql_jobs_options)");
    if (o.keyspace && !is_keyspace(o.keyspace))
        return refuse(err, "keyspace: 1 to 48 letters, digits and _");
    if (o.buckets > 1000)
        return refuse(err, "buckets: 1 to 1000");
    if (o.grace_s > 86400)
        return refuse(err, "grace_s: 1 to 86400");
    if (o.max_bytes > 64 * 1024 * 1024)
        return refuse(err, "max_bytes: up to 64 MiB");
    if (o.max_retries < -1 || o.max_retries > 1000000)
        return refuse(err, "max_retries: -1 to 1000000");
    st = read_consistency(set, &o, err);
    if (st)
        return st;
    set->keyspace = o.keyspace ? o.keyspace : set->keyspace;
    set->buckets = o.buckets ? o.buckets : set->buckets;
    set->timeout_ms = o.timeout_ms;
    set->grace_ms = o.grace_s ? (int64_t)o.grace_s * 1000 : set->grace_ms;
    set->max_bytes = o.max_bytes ? o.max_bytes : set->max_bytes;
    if (o.max_retries)
        set->max_retries = o.max_retries < 0 ? 0 : o.max_retries;
    set->on_warning = o.on_warning;
    set->user = o.user;
    return CQL_OK;
}

/* --- life ------------------------------------------------------------------------------------- */
cql_status cqljob_jobs_make(const cql_allocator *al, const cqljob_store *store,
                            const cqljob_settings *set, cql_jobs **out)
{
    cql_jobs *jobs = cqljob_zalloc(al, sizeof *jobs);
    char *keyspace = cqljob_copy(al, cql_str_of(set->keyspace));

    if (!jobs || !keyspace)
        goto fail_memory;
    if (pthread_mutex_init(&jobs->lock, NULL))
        goto fail_memory;
    jobs->al = *al;
    jobs->store = *store;
    jobs->set = *set;
    jobs->keyspace = keyspace;
    jobs->set.keyspace = keyspace;
    jobs->refs = 1;
    *out = jobs;
    return CQL_OK;

fail_memory:
    cqljob_free(al, keyspace);
    cqljob_free(al, jobs);
    store->free(store->self);
    *out = NULL;
    return CQL_NO_MEMORY;
}

cql_jobs *cqljob_ref(cql_jobs *jobs)
{
    (void)pthread_mutex_lock(&jobs->lock);
    jobs->refs++;
    (void)pthread_mutex_unlock(&jobs->lock);
    return jobs;
}

static void jobs_free(cql_jobs *jobs)
{
    cql_allocator al = jobs->al;

    jobs->store.free(jobs->store.self);
    for (size_t i = 0; i < jobs->handler_count; i++)
        cqljob_free(&al, jobs->handlers[i].type);
    cqljob_free(&al, jobs->handlers);
    (void)pthread_mutex_destroy(&jobs->lock);
    cqljob_free(&al, jobs->keyspace);
    cqljob_free(&al, jobs);
}

void cqljob_unref(cql_jobs *jobs)
{
    bool last;

    (void)pthread_mutex_lock(&jobs->lock);
    last = --jobs->refs == 0;
    (void)pthread_mutex_unlock(&jobs->lock);
    if (last)
        jobs_free(jobs);
}

void *cqljob_task_new(cql_jobs *jobs, size_t size)
{
    cql_jobs **task = cqljob_zalloc(&jobs->al, size);

    if (task)
        *task = cqljob_ref(jobs);
    return task;
}

void cqljob_task_free(void *task)
{
    cql_jobs *jobs = *(cql_jobs **)task;

    cqljob_free(&jobs->al, task);
    cqljob_unref(jobs);
}

void cql_jobs_free(cql_jobs *jobs)
{
    if (jobs)
        cqljob_unref(jobs);
}

/* --- handlers --------------------------------------------------------------------------------- */
static bool is_for(const cqljob_handler *h, cql_str type)
{
    return h->type && cql_str_equal(cql_str_of(h->type), type);
}

const cqljob_handler *cqljob_handler_for(const cql_jobs *jobs, cql_str type)
{
    const cqljob_handler *rest = NULL;

    for (size_t i = 0; i < jobs->handler_count; i++) {
        if (is_for(&jobs->handlers[i], type))
            return &jobs->handlers[i];
        if (!jobs->handlers[i].type)
            rest = &jobs->handlers[i];
    }
    return rest;
}

static cqljob_handler *handler_place(cql_jobs *jobs, const char *type)
{
    for (size_t i = 0; i < jobs->handler_count; i++) {
        cqljob_handler *h = &jobs->handlers[i];

        if (type ? is_for(h, cql_str_of(type)) : !h->type)
            return h;
    }
    return NULL;
}

static cql_status handler_add(cql_jobs *jobs, const char *type, cqljob_handler **out)
{
    void *block = jobs->handlers;
    char *copy = NULL;
    cql_status st = cqljob_grow(&jobs->al, &block, &jobs->handler_cap, jobs->handler_count + 1,
                                HANDLERS_MAX, sizeof jobs->handlers[0]);

    if (st)
        return st;
    jobs->handlers = block;
    if (type) {
        copy = cqljob_copy(&jobs->al, cql_str_of(type));
        if (!copy)
            return CQL_NO_MEMORY;
    }
    *out = &jobs->handlers[jobs->handler_count++];
    memset(*out, 0, sizeof **out);
    (*out)->type = copy;
    return CQL_OK;
}

static cql_status handle(cql_jobs *jobs, const char *type, cql_job_handler fn, void *user,
                         bool blocking)
{
    cqljob_handler *place;
    cql_status st = CQL_OK;

    if (!fn || (type && (!type[0] || strlen(type) > TYPE_MAX)))
        return CQL_BAD_ARGUMENT;
    (void)pthread_mutex_lock(&jobs->lock);
    place = handler_place(jobs, type);
    if (jobs->hubs)
        st = CQL_BAD_STATE;
    else if (!place)
        st = handler_add(jobs, type, &place);
    if (!st) {
        place->fn = fn;
        place->user = user;
        place->blocking = blocking;
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    return st;
}

cql_status cql_jobs_set_backoff(cql_jobs *jobs, const char *type, const cql_job_backoff *backoff)
{
    cqljob_handler *place;
    cql_status st = CQL_OK;

    if (!cqljob_backoff_is_sound(backoff))
        return CQL_BAD_ARGUMENT;
    (void)pthread_mutex_lock(&jobs->lock);
    place = handler_place(jobs, type);
    if (jobs->hubs)
        st = CQL_BAD_STATE;
    else if (!place)
        st = CQL_NOT_FOUND;
    else
        place->backoff = *backoff;
    (void)pthread_mutex_unlock(&jobs->lock);
    return st;
}

cql_status cql_jobs_handle(cql_jobs *jobs, const char *type, cql_job_handler fn, void *user)
{
    return handle(jobs, type, fn, user, false);
}

cql_status cql_jobs_handle_blocking(cql_jobs *jobs, const char *type, cql_job_handler fn,
                                    void *user)
{
    if (!cqljob_pool_possible())
        return CQL_UNSUPPORTED;
    return handle(jobs, type, fn, user, true);
}
