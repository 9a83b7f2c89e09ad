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
    pthread_mutex_t lock; /* guards what follows */
    cql_prepared *prepared[CQLJOB_STATEMENTS];
    uint64_t since[CQLJOB_STATEMENTS]; /* the number of the preparing that each is of */
    uint64_t preparings;
} cqlstore;

/* A request under way. */
typedef struct call {
    cqlstore *store;
    const cqljob_request *rq;
    cqljob_answer_fn fn;
    void *user;
    cqljob_statement preparing;
    uint64_t seen; /* preparings before it was sent */
    bool anew;     /* it was sent again, with what was prepared anew */
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
/* One holder more. What was prepared anew takes the place of what was there, which is never empty again. */
static cql_prepared *prepared_for(cqlstore *store, cqljob_statement which)
{
    cql_prepared *prepared;

    (void)pthread_mutex_lock(&store->lock);
    prepared = cql_prepared_ref(store->prepared[which]);
    (void)pthread_mutex_unlock(&store->lock);
    return prepared;
}

/* With the lock. */
static bool is_good(const call *c, cqljob_statement which)
{
    return c->store->prepared[which] && !(c->anew && c->store->since[which] <= c->seen);
}

static bool is_prepared(const call *c, cqljob_statement which)
{
    bool good;

    (void)pthread_mutex_lock(&c->store->lock);
    good = is_good(c, which);
    (void)pthread_mutex_unlock(&c->store->lock);
    return good;
}

static void keep_prepared(call *c, const cql_prepared *prepared)
{
    cqlstore *store = c->store;
    cql_prepared *left = cql_prepared_ref(prepared);

    (void)pthread_mutex_lock(&store->lock);
    if (!is_good(c, c->preparing)) {
        cql_prepared *old = store->prepared[c->preparing];

        store->prepared[c->preparing] = left;
        store->since[c->preparing] = ++store->preparings;
        left = old;
    }
    (void)pthread_mutex_unlock(&store->lock);
    cql_prepared_unref(left);
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
    keep_prepared(c, prepared);
    st = proceed(c);
    if (st)
        answer_failure(c, CQLJOB_FAILED, st, "job store: the request was not sent");
}

/* --- verbs ------------------------------------------------------------------------------------ */
/* How an answer is read. */
typedef enum reading {
    READ_NOTHING,
    READ_JOB,     /* none: REFUSED */
    READ_APPLIED, /* not: REFUSED */
    READ_STORED,  /* the same, with the row that is there */
    READ_KEYS,
    READ_MARKS,
    READ_COUNT,
    READ_BACKOFF,
    READ_RECURRING
} reading;

static const struct verb {
    uint8_t statement; /* but of CHANGE and INDEX: see statements_of */
    uint8_t reading;
    bool conditional;
    bool paged;
} verbs[] = {
    [CQLJOB_CHECK] = {CQLJOB_S_COUNT, READ_NOTHING, false, false},
    [CQLJOB_GET] = {CQLJOB_S_GET, READ_JOB, false, false},
    [CQLJOB_INSERT] = {CQLJOB_S_INSERT, READ_STORED, true, false},
    [CQLJOB_CHANGE] = {CQLJOB_S_UPDATE, READ_APPLIED, true, false},
    [CQLJOB_INDEX] = {CQLJOB_S_PUT_STATE, READ_NOTHING, false, false},
    [CQLJOB_DUE] = {CQLJOB_S_DUE, READ_KEYS, false, true},
    [CQLJOB_LIST] = {CQLJOB_S_LIST, READ_KEYS, false, true},
    [CQLJOB_COUNT] = {CQLJOB_S_COUNT, READ_COUNT, false, false},
    [CQLJOB_TALLY] = {CQLJOB_S_TALLY, READ_NOTHING, false, false},
    [CQLJOB_LINKS] = {CQLJOB_S_LINKS, READ_KEYS, false, true},
    [CQLJOB_BACKOFF] = {CQLJOB_S_BACKOFF, READ_BACKOFF, false, false},
    [CQLJOB_BATCH] = {CQLJOB_S_BATCH, READ_KEYS, false, true},
    [CQLJOB_MARKS] = {CQLJOB_S_MARKS, READ_MARKS, false, false},
    [CQLJOB_PUT_MARK] = {CQLJOB_S_PUT_MARK, READ_NOTHING, false, false},
    [CQLJOB_R_LIST] = {CQLJOB_S_R_LIST, READ_RECURRING, false, true},
    [CQLJOB_R_GET] = {CQLJOB_S_R_GET, READ_RECURRING, false, false},
    [CQLJOB_R_INSERT] = {CQLJOB_S_R_INSERT, READ_APPLIED, true, false},
    [CQLJOB_R_UPDATE] = {CQLJOB_S_R_UPDATE, READ_APPLIED, true, false},
    [CQLJOB_R_NEXT] = {CQLJOB_S_R_NEXT, READ_APPLIED, true, false},
    [CQLJOB_R_DELETE] = {CQLJOB_S_R_DELETE, READ_APPLIED, true, false},
};

_Static_assert((int)CQLJOB_S_DROP_BACKOFF == (int)CQLJOB_DROP_BACKOFF, "an index row's kind is its statement");

static cqljob_statement statement_of(const cqljob_request *rq)
{
    if (rq->verb == CQLJOB_CHANGE && rq->change->remove)
        return CQLJOB_S_DELETE;
    return (cqljob_statement)verbs[rq->verb].statement;
}

/* A bit for each statement that the request needs prepared. */
static unsigned statements_of(const cqljob_request *rq)
{
    unsigned bits = 0;

    if (rq->verb == CQLJOB_CHECK)
        return (1U << CQLJOB_STATEMENTS) - 1;
    if (rq->verb != CQLJOB_INDEX)
        return 1U << statement_of(rq);
    for (size_t i = 0; i < rq->indexes->count; i++)
        bits |= 1U << rq->indexes->rows[i].kind;
    return bits;
}

static bool is_conditional(const call *c)
{
    return verbs[c->rq->verb].conditional;
}

/* --- answers of the server -------------------------------------------------------------------- */
static void pass_warnings(const cqlstore *store, const cql_result *res)
{
    if (!store->set.on_warning)
        return;
    for (size_t i = 0; i < cql_result_warning_count(res); i++)
        store->set.on_warning(store->set.user, cql_result_warning(res, i));
}

/* Whatever is not clearly a refusal counts as open: a serial read settles it. A node that finds too few
 * replicas alive may find it before the first round, or before the last, when the write is agreed upon. */
bool cqljob_is_open(const cql_error *err)
{
    switch ((int)cql_error_status(err)) {
    case CQL_SERVER_UNAVAILABLE:
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
    const struct verb *verb = &verbs[rq->verb];
    bool applied = verb->conditional && cql_result_applied(res);
    cql_status st = CQL_OK;

    if (verb->paged && cql_result_has_more(res))
        a->page = cql_result_paging_state(res);
    if (verb->conditional && !applied)
        a->outcome = CQLJOB_REFUSED;
    switch (verb->reading) {
    case READ_STORED:
        return applied ? CQL_OK : read_one_job(store, res, a);
    case READ_JOB:
        return read_one_job(store, res, a);
    case READ_RECURRING:
        st = cqljob_read_recurring(&store->al, res, &a->recurring);
        if (!st && rq->verb == CQLJOB_R_GET && cql_recurring_list_count(a->recurring) == 0)
            a->outcome = CQLJOB_REFUSED;
        return st;
    case READ_BACKOFF:
        st = cqljob_read_backoff(res, &a->backoff);
        if (st != CQL_NOT_FOUND)
            return st;
        a->outcome = CQLJOB_REFUSED;
        return CQL_OK;
    case READ_KEYS:
    case READ_MARKS:
        return cqljob_read_keys(&store->al, res, verb->reading == READ_MARKS, &a->keys,
                                &a->key_count);
    case READ_COUNT:
        return read_count(res, &a->count);
    default:
        return CQL_OK;
    }
}

/* The servers have the statement under another id: what ends so did not run, but an earlier attempt of it may have. */
static bool has_stale(const call *c, const cql_error *err)
{
    return cql_error_status(err) == CQL_PREPARED_CHANGED && !cql_error_maybe_applied(err) && !c->anew;
}

/* With what was prepared since it was sent, by itself or by another. */
static void send_anew(call *c)
{
    cql_status st;

    c->anew = true;
    st = proceed(c);
    if (st)
        answer_failure(c, CQLJOB_FAILED, st, "job store: the request was not sent again");
}

static void on_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    call *c = user;
    cqljob_answer a = {.outcome = CQLJOB_DONE};
    cql_status st;

    (void)s;
    if (err && has_stale(c, err)) {
        send_anew(c);
        return;
    }
    if (err) {
        answer_error(c, is_conditional(c) && cqljob_is_open(err) ? CQLJOB_UNKNOWN : CQLJOB_FAILED,
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
    answer_failure(c, is_conditional(c) ? CQLJOB_UNKNOWN : CQLJOB_FAILED, st,
                   verbs[c->rq->verb].reading == READ_JOB
                       ? "job store: the row of the job cannot be read (it has no state, or columns of other types)"
                       : "job store: the answer cannot be read");
}

/* --- sending ---------------------------------------------------------------------------------- */
static cql_statement *bind(cqlstore *store, cqljob_statement which)
{
    cql_prepared *prepared = prepared_for(store, which);
    cql_statement *stmt = prepared ? cql_prepared_bind(prepared) : NULL;

    cql_prepared_unref(prepared);
    if (!stmt)
        return NULL;
    cql_statement_set_consistency(stmt, store->set.consistency);
    cql_statement_set_timeout(stmt, store->set.timeout_ms);
    return stmt;
}

static cql_status send_statement(call *c, cqljob_statement which)
{
    const cqljob_request *rq = c->rq;
    const void *const sources[CQLJOB_SOURCES] = {rq, rq->job, rq->change, rq->recurring};
    cql_statement *stmt = bind(c->store, which);
    cql_status st = CQL_OK;

    if (!stmt)
        return CQL_NO_MEMORY;
    cql_statement_set_idempotent(stmt, !is_conditional(c));
    if (is_conditional(c))
        st = cql_statement_set_serial_consistency(stmt, c->store->set.serial);
    if (rq->serial || rq->verb == CQLJOB_R_GET)
        cql_statement_set_consistency(stmt, c->store->set.serial);
    if (!st)
        st = cqljob_statement_bind(stmt, which, sources);
    if (!st && verbs[rq->verb].paged) {
        st = cql_statement_set_page_size(stmt, rq->page_size);
        if (!st)
            st = cql_statement_set_paging_state(stmt, rq->page);
    }
    if (!st)
        st = cql_session_execute(c->store->s, stmt, on_result, c);
    cql_statement_free(stmt);
    return st;
}

static cql_status add_row(cqlstore *store, cql_batch *batch, cqljob_statement which,
                          const void *const sources[CQLJOB_SOURCES])
{
    cql_statement *stmt = bind(store, which);
    cql_status st;

    if (!stmt)
        return CQL_NO_MEMORY;
    st = cqljob_statement_bind(stmt, which, sources);
    if (!st)
        st = cql_batch_add(batch, stmt);
    cql_statement_free(stmt);
    return st;
}

static cql_status add_tally(const call *c, cql_batch *batch)
{
    cql_status st = CQL_OK;

    for (int32_t i = 0; i < CQLJOB_STATES && !st; i++) {
        cqljob_count count = {c->rq->tally[i], i, c->store->shard};
        const void *const sources[CQLJOB_SOURCES] = {[CQLJOB_OF_TALLY] = &count};

        if (count.by)
            st = add_row(c->store, batch, CQLJOB_S_TALLY, sources);
    }
    return st;
}

static cql_status add_indexes(const call *c, cql_batch *batch)
{
    const cqljob_indexes *indexes = c->rq->indexes;
    cql_status st = CQL_OK;

    for (size_t i = 0; i < indexes->count && !st; i++) {
        const cqljob_index *row = &indexes->rows[i];
        const void *const sources[CQLJOB_SOURCES] = {[CQLJOB_OF_REQUEST] = c->rq,
                                                     [CQLJOB_OF_INDEX] = row,
                                                     [CQLJOB_OF_BACKOFF] = row->backoff};

        st = add_row(c->store, batch, (cqljob_statement)row->kind, sources);
    }
    return st;
}

/* Counters as one batch, and index rows as one: one request, and each write of a row repeats
 * harmlessly. */
static cql_status send_batch(call *c)
{
    cqlstore *store = c->store;
    bool indexes = c->rq->verb == CQLJOB_INDEX;
    cql_batch *batch;
    cql_status st =
        cql_batch_new(indexes ? CQL_BATCH_UNLOGGED : CQL_BATCH_COUNTER, &store->al, &batch);

    if (st)
        return st;
    cql_batch_set_consistency(batch, store->set.consistency);
    cql_batch_set_timeout(batch, store->set.timeout_ms);
    cql_batch_set_idempotent(batch, indexes);
    st = indexes ? add_indexes(c, batch) : add_tally(c, batch);
    if (!st)
        st = cql_session_execute_batch(store->s, batch, on_result, c);
    cql_batch_free(batch);
    return st;
}

static void note_prepared(call *c)
{
    (void)pthread_mutex_lock(&c->store->lock);
    c->seen = c->store->preparings;
    (void)pthread_mutex_unlock(&c->store->lock);
}

/* CHECK: all is prepared by now; the tables are to answer too. What is not even sent, for the types of its markers or since
 * the session knows that it is another one now, was prepared when the tables were others. */
static cql_status execute(call *c)
{
    bool batch = c->rq->verb == CQLJOB_INDEX || c->rq->verb == CQLJOB_TALLY;
    cql_status st;

    note_prepared(c);
    st = batch ? send_batch(c) : send_statement(c, statement_of(c->rq));
    if (st != CQL_PREPARED_CHANGED && st != CQL_TYPE_MISMATCH)
        return st; /* c may be answered, and gone */
    if (c->anew)
        return st;
    c->anew = true;
    return proceed(c);
}

/* Prepares what is missing, one statement after the other, then executes. */
static cql_status proceed(call *c)
{
    unsigned bits = statements_of(c->rq);

    for (int i = 0; i < CQLJOB_STATEMENTS; i++) {
        if (!(bits & (1U << i)) || is_prepared(c, (cqljob_statement)i))
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
