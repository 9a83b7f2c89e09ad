/* read.c: one reading of system_schema, page by page from one node, with the schema's version before and after:
 * where they differ, what was read is of no single moment and is read again. */
#include "metadata/model.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_ROWS = 1000, TRIES = 8, HOST_MAX = 80, QUERY_MAX = 160 };

typedef struct reading {
    cql_session *s;
    cql_allocator al;
    cql_metadata *m;
    cql_statement *st;
    cqlmd_step step;
    unsigned tries;
    cql_uuid version;
    char host[HOST_MAX]; /* the node that is read; "" before its first answer */
    cql_metadata_cb cb;
    void *user;
    char keyspace[]; /* "" for all */
} reading;

static const char *const queries[CQLMD_STEPS] = {
    "SELECT schema_version FROM system.local WHERE key = 'local'",
    "SELECT * FROM system_schema.keyspaces",
    "SELECT * FROM system_schema.tables",
    "SELECT * FROM system_schema.views",
    "SELECT * FROM system_schema.columns",
    "SELECT * FROM system_schema.indexes",
    "SELECT * FROM system_schema.types",
    "SELECT * FROM system_schema.functions",
    "SELECT * FROM system_schema.aggregates",
    "SELECT schema_version FROM system.local WHERE key = 'local'",
};

static void on_page(cql_session *s, const cql_error *err, const cql_result *res, void *user);

static bool of_version(cqlmd_step step)
{
    return step == CQLMD_VERSION_BEFORE || step == CQLMD_VERSION_AFTER;
}

static void drop(reading *r)
{
    cql_allocator al = r->al;
    cql_statement_free(r->st);
    cql_metadata_unref(r->m);
    cqlmd_free(&al, r);
}

static void finish(reading *r, const cql_error *err)
{
    if (!err)
        cqlmd_sort(r->m);
    r->cb(r->s, err, err ? NULL : r->m, r->user);
    drop(r);
}

static void fail(reading *r, cql_status st, const char *text)
{
    cql_error *err = cql_error_make(&r->al, st, NULL, text);
    finish(r, err);
    cql_error_unref(err);
}

static cql_status make_statement(reading *r)
{
    char cql[QUERY_MAX];
    bool one = r->keyspace[0] && !of_version(r->step);
    cql_statement_free(r->st);
    r->st = NULL;
    (void)snprintf(cql, sizeof cql, "%s%s", queries[r->step], one ? " WHERE keyspace_name = ?" : "");
    cql_status st = cql_statement_new(cql, one ? 1 : 0, &r->al, &r->st);
    if (st == CQL_OK && one)
        st = cql_statement_bind_text(r->st, 0, r->keyspace);
    if (st != CQL_OK)
        return st;
    cql_statement_set_consistency(r->st, CQL_CONSISTENCY_ONE);
    cql_statement_set_idempotent(r->st, true);
    return cql_statement_set_page_size(r->st, PAGE_ROWS);
}

static cql_status send(reading *r)
{
    cql_execute_options o = {.size = sizeof o, .host = r->host[0] ? r->host : NULL};
    return cql_session_execute_with(r->s, r->st, &o, NULL, on_page, r);
}

static cql_status begin_step(reading *r)
{
    cql_status st = make_statement(r);
    return st == CQL_OK ? send(r) : st;
}

static cql_status begin_again(reading *r)
{
    r->tries++;
    r->step = CQLMD_VERSION_BEFORE;
    r->host[0] = '\0';
    cqlmd_clear(r->m);
    return begin_step(r);
}

/* The version in `out`, and whether there is one. */
static bool version_of(const cql_result *res, cql_uuid *out)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows))
        return false;
    *out = cql_rows_uuid(&rows, 0);
    return cql_rows_status(&rows) == CQL_OK;
}

/* True: the last step is done. */
static cql_status next_step(reading *r, const cql_result *res, bool *done)
{
    cql_uuid version;
    *done = false;
    if (of_version(r->step) && !version_of(res, &version))
        return CQL_MALFORMED;
    if (r->step == CQLMD_VERSION_BEFORE) {
        cql_str host = cql_result_host(res);
        (void)snprintf(r->host, sizeof r->host, "%.*s", (int)host.len, host.ptr);
        r->version = version;
    } else if (r->step == CQLMD_VERSION_AFTER) {
        *done = memcmp(&version, &r->version, sizeof version) == 0;
        if (*done)
            return CQL_OK;
        return r->tries < TRIES ? begin_again(r) : CQL_NOT_AGREED;
    }
    r->step = (cqlmd_step)(r->step + 1);
    return begin_step(r);
}

static void on_page(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    reading *r = user;
    cql_status st = CQL_OK;
    bool done = false;
    (void)s;
    if (err) { /* the node that is read went away: another one */
        bool again = r->host[0] && r->tries < TRIES && cql_error_status(err) != CQL_CANCELLED;
        if (!again || begin_again(r) != CQL_OK)
            finish(r, err);
        return;
    }
    if (!of_version(r->step))
        st = cqlmd_take(r->m, r->step, res);
    if (st == CQL_OK && cql_result_has_more(res)) {
        st = cql_statement_set_paging_state(r->st, cql_result_paging_state(res));
        if (st == CQL_OK)
            st = send(r);
    } else if (st == CQL_OK) {
        st = next_step(r, res, &done);
    }
    if (done)
        finish(r, NULL);
    else if (st != CQL_OK)
        fail(r, st, st == CQL_NOT_AGREED ? "the schema changed again and again while it was read"
                                         : "the schema could not be read");
}

cql_status cql_metadata_read(cql_session *s, const char *keyspace, cql_metadata_cb cb, void *user)
{
    if (!s || !cb)
        return CQL_BAD_ARGUMENT;
    const cql_allocator *al = cql_session_allocator(s);
    size_t len = keyspace ? strlen(keyspace) : 0;
    reading *r = cqlmd_zalloc(al, sizeof *r + len + 1);
    if (!r)
        return CQL_NO_MEMORY;
    r->s = s;
    r->al = *al;
    r->cb = cb;
    r->user = user;
    if (len)
        memcpy(r->keyspace, keyspace, len);
    r->m = cqlmd_new(al);
    cql_status st = r->m ? begin_step(r) : CQL_NO_MEMORY;
    if (st != CQL_OK)
        drop(r);
    return st;
}

/* --- blocking -------------------------------------------------------------------------------------- */

typedef struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
    cql_metadata *m;
    cql_error *err;
} waiting;

static void on_read(cql_session *s, const cql_error *err, const cql_metadata *m, void *user)
{
    waiting *w = user;
    (void)s;
    (void)pthread_mutex_lock(&w->lock);
    w->over = true;
    w->m = cql_metadata_ref(m);
    w->err = err ? cql_error_ref(err) : NULL;
    (void)pthread_cond_signal(&w->ended);
    (void)pthread_mutex_unlock(&w->lock);
}

static bool is_over(waiting *w)
{
    (void)pthread_mutex_lock(&w->lock);
    bool over = w->over;
    (void)pthread_mutex_unlock(&w->lock);
    return over;
}

static void wait_for(cql_session *s, waiting *w)
{
    if (cql_session_fd(s) >= 0) { /* driven: by this call */
        while (!is_over(w))
            (void)cql_session_drive(s, -1);
        return;
    }
    (void)pthread_mutex_lock(&w->lock);
    while (!w->over)
        (void)pthread_cond_wait(&w->ended, &w->lock);
    (void)pthread_mutex_unlock(&w->lock);
}

cql_status cql_metadata_read_wait(cql_session *s, const char *keyspace, cql_metadata **out, cql_error **err)
{
    waiting w = {.over = false};
    cql_status st = s && out ? cql_session_may_wait(s) : CQL_BAD_ARGUMENT;
    if (out)
        *out = NULL;
    if (st == CQL_OK && (pthread_mutex_init(&w.lock, NULL) || pthread_cond_init(&w.ended, NULL)))
        st = CQL_SYSTEM;
    if (st == CQL_OK)
        st = cql_metadata_read(s, keyspace, on_read, &w);
    if (st == CQL_OK) {
        wait_for(s, &w);
        st = w.m ? CQL_OK : w.err ? cql_error_status(w.err) : CQL_NO_MEMORY;
        *out = w.m;
    } else {
        w.err = cql_error_make(s ? cql_session_allocator(s) : NULL, st, NULL,
                               st == CQL_BAD_ARGUMENT ? "bad argument: session or out is NULL"
                                                      : "the schema cannot be read now");
    }
    if (err) {
        cql_error_unref(*err);
        *err = w.err;
    } else {
        cql_error_unref(w.err);
    }
    return st;
}
