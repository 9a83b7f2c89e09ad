/* cqlstore.c: one request of the store as one CQL statement (or batch of index rows), prepared when
 * it is first needed. Answers come on the session's loop; nothing here waits. */
#include "jobs/cqlstore.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SHARDS = 16 };

typedef struct cqlstore {
    cql_session *s;
    cql_allocator al;
    cqljob_settings set;
    char *keyspace; /* what set.keyspace is */
    char *texts[CQLJOB_STATEMENTS];
    int32_t shard; /* which of the counters' rows this store writes */
    pthread_mutex_t lock; /* guards prepared */
    cql_prepared *prepared[CQLJOB_STATEMENTS];
} cqlstore;

/* A request under way. */
typedef struct call {
    cqlstore *store;
    const cqljob_request *rq;
    cqljob_answer_fn fn;
    void *user;
    cqljob_statement preparing;
} call;

static cql_status proceed(call *c);

/* --- answering -------------------------------------------------------------------------------- */
/* The store may be gone after fn. */
static void answer(call *c, cqljob_answer *a)
{
    cql_allocator al = c->store->al;

    c->fn(c->user, a);
    cql_job_info_free(a->job);
    cqljob_free(&al, a->keys);
    cql_recurring_list_free(a->recurring);
    cqljob_free(&al, c);
}

static bool has(const char *text, const char *part)
{
    return text && strstr(text, part) != NULL;
}

/* What makes a missing keyspace or table known by any of the servers' wordings. NULL: it is
 * neither. */
static const char *missing_what(const cql_error *err)
{
    const char *text = cql_error_server_message(err);

    if (cql_error_status(err) != CQL_SERVER_INVALID)
        return NULL;
    if ((has(text, "eyspace") && (has(text, "does not exist") || has(text, "doesn't exist"))) ||
        has(text, "unconfigured keyspace"))
        return "keyspace";
    if (has(text, "unconfigured table") || has(text, "unconfigured columnfamily") ||
        (has(text, "able") && has(text, "does not exist")))
        return "table";
    return NULL;
}

static cql_error *explain(const cqlstore *store, const cql_error *err)
{
    const char *what = missing_what(err);
    char text[512];

    if (!what)
        return cql_error_ref(err);
    (void)snprintf(text, sizeof text,
                   "%s not found: the job tables of keyspace %s are not there (%s); make them with "
                   "`cqljobs init%s%s`",
                   what, store->set.keyspace, cql_error_server_message(err),
                   strcmp(store->set.keyspace, "jobsharp") ? " --keyspace " : "",
                   strcmp(store->set.keyspace, "jobsharp") ? store->set.keyspace : "");
    return cql_error_make(&store->al, cql_error_status(err), err, text);
}

static void answer_error(call *c, cqljob_outcome outcome, const cql_error *err)
{
    cql_error *told = explain(c->store, err);
    cqljob_answer a = {.outcome = outcome, .err = told};

    answer(c, &a);
    cql_error_unref(told);
}

static void answer_failure(call *c, cqljob_outcome outcome, cql_status st, const char *what)
{
    char text[256];
    cql_error *err;
    cqljob_answer a = {.outcome = outcome};

    (void)snprintf(text, sizeof text, "%s: %s", what, cql_status_text(st));
    err = cql_error_make(&c->store->al, st, NULL, text);
    a.err = err;
    answer(c, &a);
    cql_error_unref(err);
}

/* --- preparing -------------------------------------------------------------------------------- */
static const cql_prepared *prepared_for(cqlstore *store, cqljob_statement which)
{
    const cql_prepared *prepared;

    (void)pthread_mutex_lock(&store->lock);
    prepared = store->prepared[which]; /* once there, it stays until the store goes */
    (void)pthread_mutex_unlock(&store->lock);
    return prepared;
}

static cql_status keep_prepared(cqlstore *store, cqljob_statement which,
                                const cql_prepared *prepared)
{
    cql_prepared *kept = cql_prepared_ref(prepared);

    if (!kept)
        return CQL_NO_MEMORY;
    (void)pthread_mutex_lock(&store->lock);
    if (!store->prepared[which]) {
        store->prepared[which] = kept;
        kept = NULL;
    }
    (void)pthread_mutex_unlock(&store->lock);
    cql_prepared_unref(kept);
    return CQL_OK;
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *prepared,
                        void *user)
{
    call *c = user;
    cql_status st;

    (void)s;
    if (err) {
        answer_error(c, CQLJOB_FAILED, err);
        return;
    }
    st = keep_prepared(c->store, c->preparing, prepared);
    if (!st)
        st = proceed(c);
    if (st)
        answer_failure(c, CQLJOB_FAILED, st, "job store: the request was not sent");
}

/* --- binding ---------------------------------------------------------------------------------- */
static cql_value moment(int64_t ms)
{
    return ms == CQL_JOB_NO_TIME ? cql_value_null() : cql_value_timestamp(ms);
}

static cql_value text(cql_str t)
{
    return t.ptr ? cql_value_str(t) : cql_value_null();
}

static cql_value text_or_unset(cql_str t)
{
    return t.ptr ? cql_value_str(t) : cql_value_unset();
}

static cql_value if_set(const cqljob_change *c, unsigned flag, cql_value v)
{
    return (c->sets & flag) ? v : cql_value_unset();
}

static cql_status bind_insert(cql_statement *stmt, const cql_job_info *job)
{
    return cql_statement_bind(
        stmt,
        CQL_VALUES(text(job->id), text(job->type), text(job->arguments),
                   cql_value_int32(job->state), moment(job->created_at), moment(job->scheduled_at),
                   cql_value_int32(job->retry_count), cql_value_int32(job->max_retry_count),
                   text_or_unset(job->batch_id), text_or_unset(job->parent_job_id)),
        NULL);
}

static cql_status bind_change(cql_statement *stmt, cql_str id, const cqljob_change *c)
{
    if (c->remove)
        return cql_statement_bind(
            stmt, CQL_VALUES(text(id), cql_value_int32(c->from_state), moment(c->from_token)),
            NULL);
    return cql_statement_bind(
        stmt,
        CQL_VALUES(cql_value_int32(c->state), if_set(c, CQLJOB_SET_TOKEN, moment(c->token)),
                   if_set(c, CQLJOB_SET_TIME, moment(c->scheduled_at)),
                   if_set(c, CQLJOB_SET_RETRIES, cql_value_int32(c->retry_count)),
                   if_set(c, CQLJOB_SET_ERROR, text(c->error_message)),
                   if_set(c, CQLJOB_SET_RESULT, text(c->result)), text(id),
                   cql_value_int32(c->from_state), moment(c->from_token)),
        NULL);
}

static cql_status bind_index(cql_statement *stmt, cql_str id, const cqljob_index *row)
{
    cql_value write = cql_value_int64(row->write_us);
    cql_value part = cql_value_int32(row->part);
    cql_value at = cql_value_timestamp(row->at);

    switch (row->kind) {
    case CQLJOB_PUT_STATE:
    case CQLJOB_PUT_DUE:
        return cql_statement_bind(stmt, CQL_VALUES(part, at, text(id), write), NULL);
    case CQLJOB_DROP_STATE:
    case CQLJOB_DROP_DUE:
        return cql_statement_bind(stmt, CQL_VALUES(write, part, at, text(id)), NULL);
    case CQLJOB_PUT_LINK:
        return cql_statement_bind(stmt, CQL_VALUES(text(row->of), part, text(id), write), NULL);
    case CQLJOB_DROP_LINK:
        return cql_statement_bind(stmt, CQL_VALUES(write, text(row->of), part, text(id)), NULL);
    case CQLJOB_PUT_BACKOFF:
        return cql_statement_bind(stmt,
                                  CQL_VALUES(text(id), cql_value_int32(row->backoff->kind),
                                             cql_value_int64(row->backoff->delay_ms),
                                             cql_value_int64(row->backoff->most_ms),
                                             cql_value_int32((int32_t)row->backoff->jitter_percent),
                                             write),
                                  NULL);
    case CQLJOB_DROP_BACKOFF:
        return cql_statement_bind(stmt, CQL_VALUES(write, text(id)), NULL);
    }
    return CQL_BAD_ARGUMENT;
}

static cql_status bind_recurring(cql_statement *stmt, const cqljob_request *rq)
{
    const cql_recurring_info *r = rq->recurring;

    if (rq->verb == CQLJOB_R_INSERT)
        return cql_statement_bind(
            stmt,
            CQL_VALUES(text(r->id), text(r->cron), text(r->type), text(r->arguments),
                       cql_value_int32(r->max_retry_count), cql_value_bool(r->is_enabled),
                       moment(r->next_execution), moment(r->last_execution),
                       moment(r->created_at)),
            NULL);
    return cql_statement_bind(
        stmt,
        CQL_VALUES(text(r->cron), text(r->type), text(r->arguments),
                   cql_value_int32(r->max_retry_count), cql_value_bool(r->is_enabled),
                   moment(r->next_execution), moment(r->last_execution), moment(r->created_at),
                   text(r->id), moment(rq->until_ms)),
        NULL);
}

static cqljob_statement statement_of(cqljob_index_kind kind)
{
    switch (kind) {
    case CQLJOB_PUT_STATE:
        return CQLJOB_S_PUT_STATE;
    case CQLJOB_DROP_STATE:
        return CQLJOB_S_DROP_STATE;
    case CQLJOB_PUT_DUE:
        return CQLJOB_S_PUT_DUE;
    case CQLJOB_DROP_DUE:
        return CQLJOB_S_DROP_DUE;
    case CQLJOB_PUT_LINK:
        return CQLJOB_S_PUT_LINK;
    case CQLJOB_DROP_LINK:
        return CQLJOB_S_DROP_LINK;
    case CQLJOB_PUT_BACKOFF:
        return CQLJOB_S_PUT_BACKOFF;
    case CQLJOB_DROP_BACKOFF:
        return CQLJOB_S_DROP_BACKOFF;
    }
    return CQLJOB_S_PUT_STATE;
}

/* --- answers of the server -------------------------------------------------------------------- */
static void pass_warnings(const cqlstore *store, const cql_result *res)
{
    if (!store->set.on_warning)
        return;
    for (size_t i = 0; i < cql_result_warning_count(res); i++)
        store->set.on_warning(store->set.user, cql_result_warning(res, i));
}

/* A conditional write of which nobody can say whether it went through. Whatever is not clearly a
 * refusal counts as open: a serial read settles it. */
static bool is_open(const cql_error *err)
{
    switch ((int)cql_error_status(err)) {
    case CQL_SERVER_WRITE_TIMEOUT:
    case CQL_SERVER_READ_TIMEOUT:
    case CQL_SERVER_WRITE_FAILURE:
    case CQL_SERVER_READ_FAILURE:
    case CQL_SERVER_CAS_WRITE_UNKNOWN:
    case CQL_SERVER_ERROR:
    case CQL_TIMEOUT:
    case CQL_CANCELLED:
        return true;
    default:
        return cql_error_maybe_applied(err);
    }
}

static bool is_conditional(const cqljob_request *rq)
{
    switch (rq->verb) {
    case CQLJOB_INSERT:
    case CQLJOB_CHANGE:
    case CQLJOB_R_INSERT:
    case CQLJOB_R_UPDATE:
    case CQLJOB_R_DELETE:
        return true;
    default:
        return false;
    }
}

static bool is_paged(const cqljob_request *rq)
{
    switch (rq->verb) {
    case CQLJOB_DUE:
    case CQLJOB_LIST:
    case CQLJOB_LINKS:
    case CQLJOB_BATCH:
    case CQLJOB_R_LIST:
        return true;
    default:
        return false;
    }
}

static cql_status read_count(const cql_result *res, int64_t *count)
{
    cql_rows rows;

    cql_rows_init(&rows, res);
    *count = 0;
    while (cql_rows_next(&rows))
        if (!cql_rows_is_null(&rows, 0))
            *count += cql_rows_int64(&rows, 0);
    return cql_rows_status(&rows);
}

static cql_status read_recurring(const cqlstore *store, const cqljob_request *rq,
                                 const cql_result *res, cqljob_answer *a)
{
    cql_status st = cqljob_read_recurring(&store->al, res, &a->recurring);

    if (!st && rq->verb == CQLJOB_R_GET && cql_recurring_list_count(a->recurring) == 0)
        a->outcome = CQLJOB_REFUSED;
    return st;
}

static cql_status read_one_job(const cqlstore *store, const cql_result *res, cqljob_answer *a)
{
    cql_rows rows;

    cql_rows_init(&rows, res);
    if (cql_rows_next(&rows))
        return cqljob_read_job(&store->al, res, &rows, &a->job);
    a->outcome = CQLJOB_REFUSED;
    return cql_rows_status(&rows);
}

static cql_status read_answer(const cqlstore *store, const cqljob_request *rq,
                              const cql_result *res, cqljob_answer *a)
{
    cql_status st;

    if (is_paged(rq) && cql_result_has_more(res))
        a->page = cql_result_paging_state(res);
    switch (rq->verb) {
    case CQLJOB_GET:
        return read_one_job(store, res, a);
    case CQLJOB_INSERT:
        if (cql_result_applied(res))
            return CQL_OK;
        a->outcome = CQLJOB_REFUSED;
        return read_one_job(store, res, a);
    case CQLJOB_CHANGE:
        a->outcome = cql_result_applied(res) ? CQLJOB_DONE : CQLJOB_REFUSED;
        return CQL_OK;
    case CQLJOB_R_INSERT:
    case CQLJOB_R_UPDATE:
    case CQLJOB_R_DELETE:
        a->outcome = cql_result_applied(res) ? CQLJOB_DONE : CQLJOB_REFUSED;
        return CQL_OK;
    case CQLJOB_R_LIST:
    case CQLJOB_R_GET:
        return read_recurring(store, rq, res, a);
    case CQLJOB_BACKOFF:
        st = cqljob_read_backoff(res, &a->backoff);
        if (st == CQL_NOT_FOUND)
            a->outcome = CQLJOB_REFUSED;
        return st == CQL_NOT_FOUND ? CQL_OK : st;
    case CQLJOB_MARKS:
        return cqljob_read_marks(&store->al, res, &a->keys, &a->key_count);
    case CQLJOB_DUE:
    case CQLJOB_LIST:
    case CQLJOB_LINKS:
    case CQLJOB_BATCH:
        return cqljob_read_keys(&store->al, res, &a->keys, &a->key_count);
    case CQLJOB_COUNT:
        return read_count(res, &a->count);
    case CQLJOB_CHECK:
    case CQLJOB_INDEX:
    case CQLJOB_TALLY:
    case CQLJOB_PUT_MARK:
        break;
    }
    return CQL_OK;
}

static void on_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    call *c = user;
    cqljob_answer a = {.outcome = CQLJOB_DONE};
    cql_status st;

    (void)s;
    if (err) {
        answer_error(c, is_conditional(c->rq) && is_open(err) ? CQLJOB_UNKNOWN : CQLJOB_FAILED,
                     err);
        return;
    }
    pass_warnings(c->store, res);
    st = read_answer(c->store, c->rq, res, &a);
    if (!st) {
        answer(c, &a);
        return;
    }
    /* A refusal whose row cannot be read was a refusal all the same, but no caller could go on. */
    answer_failure(c, is_conditional(c->rq) ? CQLJOB_UNKNOWN : CQLJOB_FAILED, st,
                   "job store: the answer cannot be read");
}

/* --- sending ---------------------------------------------------------------------------------- */
static cql_statement *bind(cqlstore *store, cqljob_statement which)
{
    cql_statement *stmt = cql_prepared_bind(prepared_for(store, which));

    if (!stmt)
        return NULL;
    cql_statement_set_consistency(stmt, store->set.consistency);
    cql_statement_set_timeout(stmt, store->set.timeout_ms);
    return stmt;
}

static cql_status bind_request(cql_statement *stmt, const cqljob_request *rq)
{
    cql_value part = cql_value_int32(rq->part);

    switch (rq->verb) {
    case CQLJOB_INSERT:
        return bind_insert(stmt, rq->job);
    case CQLJOB_CHANGE:
        return bind_change(stmt, rq->id, rq->change);
    case CQLJOB_R_INSERT:
    case CQLJOB_R_UPDATE:
        return bind_recurring(stmt, rq);
    case CQLJOB_DUE:
    case CQLJOB_LIST:
        return cql_statement_bind(stmt,
                                  CQL_VALUES(part, cql_value_timestamp(rq->from_ms),
                                             cql_value_timestamp(rq->until_ms)),
                                  NULL);
    case CQLJOB_LINKS:
        return cql_statement_bind(stmt, CQL_VALUES(text(rq->id), part), NULL);
    case CQLJOB_PUT_MARK:
        return cql_statement_bind(stmt,
                                  CQL_VALUES(cql_value_int32(rq->mark.kind),
                                             cql_value_int32(rq->mark.part), moment(rq->mark.at)),
                                  NULL);
    case CQLJOB_GET:
    case CQLJOB_BACKOFF:
    case CQLJOB_BATCH:
    case CQLJOB_R_GET:
    case CQLJOB_R_DELETE:
        return cql_statement_bind(stmt, CQL_VALUES(text(rq->id)), NULL);
    case CQLJOB_COUNT:
    case CQLJOB_CHECK:
    case CQLJOB_MARKS:
        return cql_statement_bind(stmt, CQL_VALUES(part), NULL);
    case CQLJOB_R_LIST:
    case CQLJOB_INDEX:
    case CQLJOB_TALLY:
        break;
    }
    return CQL_OK;
}

static cql_status send_statement(call *c, cqljob_statement which)
{
    const cqljob_request *rq = c->rq;
    cql_statement *stmt = bind(c->store, which);
    cql_status st = CQL_OK;

    if (!stmt)
        return CQL_NO_MEMORY;
    cql_statement_set_idempotent(stmt, !is_conditional(rq));
    if (is_conditional(rq))
        st = cql_statement_set_serial_consistency(stmt, c->store->set.serial);
    if (rq->serial || rq->verb == CQLJOB_R_GET)
        cql_statement_set_consistency(stmt, c->store->set.serial);
    if (!st)
        st = bind_request(stmt, rq);
    if (!st && is_paged(rq)) {
        st = cql_statement_set_page_size(stmt, rq->page_size);
        if (!st)
            st = cql_statement_set_paging_state(stmt, rq->page);
    }
    if (!st)
        st = cql_session_execute(c->store->s, stmt, on_result, c);
    cql_statement_free(stmt);
    return st;
}

static cql_status add_tally(cqlstore *store, cql_batch *batch, int32_t state, int64_t by)
{
    cql_statement *stmt = bind(store, CQLJOB_S_TALLY);
    cql_status st;

    if (!stmt)
        return CQL_NO_MEMORY;
    st = cql_statement_bind(stmt,
                            CQL_VALUES(cql_value_int64(by), cql_value_int32(state),
                                       cql_value_int32(store->shard)),
                            NULL);
    if (!st)
        st = cql_batch_add(batch, stmt);
    cql_statement_free(stmt);
    return st;
}

static cql_status send_tally(call *c)
{
    cqlstore *store = c->store;
    cql_batch *batch;
    cql_status st = cql_batch_new(CQL_BATCH_COUNTER, &store->al, &batch);

    if (st)
        return st;
    cql_batch_set_consistency(batch, store->set.consistency);
    cql_batch_set_timeout(batch, store->set.timeout_ms);
    for (int32_t i = 0; i < CQLJOB_STATES && !st; i++)
        if (c->rq->tally[i])
            st = add_tally(store, batch, i, c->rq->tally[i]);
    if (!st)
        st = cql_session_execute_batch(store->s, batch, on_result, c);
    cql_batch_free(batch);
    return st;
}

static cql_status add_index(cqlstore *store, cql_batch *batch, cql_str id, const cqljob_index *row)
{
    cql_statement *stmt = bind(store, statement_of(row->kind));
    cql_status st;

    if (!stmt)
        return CQL_NO_MEMORY;
    st = bind_index(stmt, id, row);
    if (!st)
        st = cql_batch_add(batch, stmt);
    cql_statement_free(stmt);
    return st;
}

/* Index rows go together in one unlogged batch: one request, and each write repeats harmlessly. */
static cql_status send_indexes(call *c)
{
    cqlstore *store = c->store;
    const cqljob_indexes *indexes = c->rq->indexes;
    cql_batch *batch;
    cql_status st = cql_batch_new(CQL_BATCH_UNLOGGED, &store->al, &batch);

    if (st)
        return st;
    cql_batch_set_consistency(batch, store->set.consistency);
    cql_batch_set_timeout(batch, store->set.timeout_ms);
    cql_batch_set_idempotent(batch, true);
    for (size_t i = 0; i < indexes->count && !st; i++)
        st = add_index(store, batch, c->rq->id, &indexes->rows[i]);
    if (!st)
        st = cql_session_execute_batch(store->s, batch, on_result, c);
    cql_batch_free(batch);
    return st;
}

static cql_status execute(call *c)
{
    unsigned bits;
    int which = 0;

    if (c->rq->verb == CQLJOB_INDEX)
        return send_indexes(c);
    if (c->rq->verb == CQLJOB_TALLY)
        return send_tally(c);
    if (c->rq->verb == CQLJOB_CHECK) /* all is prepared by now; the tables are to answer too */
        return send_statement(c, CQLJOB_S_COUNT);
    for (bits = cqljob_statements_for(c->rq); !(bits & 1U); bits >>= 1)
        which++;
    return send_statement(c, (cqljob_statement)which);
}

/* Prepares what is missing, one statement after the other, then executes. */
static cql_status proceed(call *c)
{
    unsigned bits = cqljob_statements_for(c->rq);

    for (int i = 0; i < CQLJOB_STATEMENTS; i++) {
        if (!(bits & (1U << i)) || prepared_for(c->store, (cqljob_statement)i))
            continue;
        c->preparing = (cqljob_statement)i;
        return cql_session_prepare(c->store->s, c->store->texts[i], on_prepared, c);
    }
    return execute(c);
}

static cql_status store_send(void *self, const cqljob_request *rq, cqljob_answer_fn fn, void *user)
{
    cqlstore *store = self;
    call *c = cqljob_zalloc(&store->al, sizeof *c);
    cql_status st;

    if (!c)
        return CQL_NO_MEMORY;
    c->store = store;
    c->rq = rq;
    c->fn = fn;
    c->user = user;
    st = proceed(c);
    if (st)
        cqljob_free(&store->al, c);
    return st;
}

/* --- time, waiting, life ---------------------------------------------------------------------- */
static int64_t store_now_us(void *self)
{
    struct timespec ts;

    (void)self;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t store_steady_ms(void *self)
{
    struct timespec ts;

    (void)self;
#ifdef CLOCK_BOOTTIME
    if (clock_gettime(CLOCK_BOOTTIME, &ts)) /* goes on while the machine sleeps */
#endif
        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static cql_status store_may_wait(void *self)
{
    cqlstore *store = self;

    return cql_session_may_wait(store->s);
}

static bool store_is_driven(void *self)
{
    cqlstore *store = self;

    return cql_session_fd(store->s) >= 0;
}

static cql_status store_turn(void *self, int timeout_ms)
{
    cqlstore *store = self;

    return cql_session_drive(store->s, timeout_ms);
}

static void store_free(void *self)
{
    cqlstore *store = self;
    cql_allocator al = store->al;

    for (int i = 0; i < CQLJOB_STATEMENTS; i++) {
        cql_prepared_unref(store->prepared[i]);
        cqljob_free(&al, store->texts[i]);
    }
    (void)pthread_mutex_destroy(&store->lock);
    cqljob_free(&al, store->keyspace);
    cqljob_free(&al, store);
}

static cql_status fill_texts(cqlstore *store, const char *keyspace)
{
    store->keyspace = cqljob_copy(&store->al, cql_str_of(keyspace));
    store->set.keyspace = store->keyspace;
    for (int i = 0; i < CQLJOB_STATEMENTS && store->keyspace; i++) {
        store->texts[i] = cqljob_statement_text(&store->al, (cqljob_statement)i, keyspace);
        if (!store->texts[i])
            return CQL_NO_MEMORY;
    }
    return store->keyspace ? CQL_OK : CQL_NO_MEMORY;
}

/* Spreads the processes over a few rows of each counter. */
static int32_t random_shard(void)
{
    cql_uuid id = cql_uuid_random();

    return (int32_t)(id.bytes[0] % SHARDS);
}

cql_status cqljob_cqlstore_new(cql_session *s, const cql_allocator *al, const cqljob_settings *set,
                               cqljob_store *out)
{
    cqlstore *store = cqljob_zalloc(al, sizeof *store);

    if (!store)
        return CQL_NO_MEMORY;
    if (pthread_mutex_init(&store->lock, NULL)) {
        cqljob_free(al, store);
        return CQL_NO_MEMORY;
    }
    store->s = s;
    store->al = *al;
    store->set = *set;
    store->shard = random_shard();
    if (fill_texts(store, set->keyspace)) {
        store_free(store);
        return CQL_NO_MEMORY;
    }
    *out = (cqljob_store){store,          store_send,      store_now_us, store_steady_ms,
                          store_may_wait, store_is_driven, store_turn,   store_free};
    return CQL_OK;
}
