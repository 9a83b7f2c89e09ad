/* jobstore.c: see jobstore.h. */
#include "jobstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_US = 2000000, LATE_US = 8000000, STALE_US = 30000, MARKS = 64 };
#define BEGIN_US INT64_C(1700000000000000)

typedef struct index_row {
    int table; /* 0: scheduled_jobs, 1: jobs_by_state, 2: job_links, 3: job_backoff */
    cql_job_backoff backoff;
    int32_t part;
    int64_t at;
    char *id;
    char *of;        /* of a link */
    int64_t put_us;  /* newest write */
    int64_t drop_us; /* newest removal; it wins over a write of the same time */
} index_row;

typedef struct job_row {
    char *id;
    cql_job_info *now;    /* NULL: not there */
    cql_job_info *before; /* what a reader that is a little behind may still see */
    int64_t changed_us;
} job_row;

typedef struct flight {
    struct flight *next;
    jobstore_client *client;
    /* a copy of the request: it may be applied after its answer */
    cqljob_request rq;
    cqljob_change change;
    cqljob_indexes indexes;
    cql_job_info *job;
    char *texts[4];
    char *of[CQLJOB_INDEX_MAX];
    cql_job_backoff backoff;
    cqljob_answer_fn fn;
    void *user;
    int64_t apply_us;  /* INT64_MAX: never or done */
    int64_t answer_us; /* INT64_MAX: done */
    bool applied;
    bool half; /* a conditional write that the next serial request finishes */
    cqljob_outcome outcome;
    cql_status trouble;
    cqljob_answer kept; /* made when it was applied */
    int64_t tally[CQLJOB_STATES];
    cql_recurring_list *recurring; /* one: to be written */
    char *page;
} flight;

struct jobstore {
    int64_t time_us;
    uint64_t random;
    int slower;
    index_row *rows;
    size_t row_count, row_cap;
    job_row *jobs;
    size_t job_count, job_cap;
    flight *flights;
    int64_t counts[CQLJOB_STATES];
    cqljob_mark marks[MARKS];
    size_t mark_count;
    size_t tombstones; /* that pages of scheduled_jobs passed */
    cql_recurring_list *recurring;
    jobstore_change_fn on_change;
    void *on_change_user;
};

static void *must(void *block)
{
    if (!block) {
        (void)fputs("jobstore: out of memory\n", stderr);
        exit(1);
    }
    return block;
}

static char *copy(cql_str text)
{
    char *out = must(malloc(text.len + 1));

    if (text.len)
        memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return out;
}

uint64_t jobstore_random(jobstore *db)
{
    uint64_t x = db->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    db->random = x;
    return (x * UINT64_C(2685821657736338717)) >> 16;
}

/* --- tables ----------------------------------------------------------------------------------- */
static index_row *row_at(jobstore *db, int table, int32_t part, int64_t at, const char *id,
                         cql_str of)
{
    index_row *row;

    for (size_t i = 0; i < db->row_count; i++) {
        row = &db->rows[i];
        if (row->table == table && row->part == part && row->at == at && !strcmp(row->id, id) &&
            cql_str_equal(cql_str_of(row->of), of))
            return row;
    }
    if (db->row_count == db->row_cap) {
        db->row_cap = db->row_cap ? db->row_cap * 2 : 64;
        db->rows = must(realloc(db->rows, db->row_cap * sizeof *db->rows));
    }
    row = &db->rows[db->row_count++];
    memset(row, 0, sizeof *row);
    row->table = table;
    row->part = part;
    row->at = at;
    row->id = copy(cql_str_of(id));
    row->of = copy(of);
    row->put_us = row->drop_us = INT64_MIN;
    return row;
}

static bool is_alive(const index_row *row)
{
    return row->put_us != INT64_MIN && row->put_us > row->drop_us;
}

static void write_row(jobstore *db, const cqljob_index *w, const char *id)
{
    static const struct {
        int table;
        bool put;
    } kinds[] = {[CQLJOB_PUT_STATE] = {1, true},    [CQLJOB_DROP_STATE] = {1, false},
                 [CQLJOB_PUT_DUE] = {0, true},      [CQLJOB_DROP_DUE] = {0, false},
                 [CQLJOB_PUT_LINK] = {2, true},     [CQLJOB_DROP_LINK] = {2, false},
                 [CQLJOB_PUT_BACKOFF] = {3, true},  [CQLJOB_DROP_BACKOFF] = {3, false}};
    bool put = kinds[w->kind].put;
    index_row *row = row_at(db, kinds[w->kind].table, w->part, w->at, id, w->of);
    int64_t *when = put ? &row->put_us : &row->drop_us;

    if (w->write_us > *when)
        *when = w->write_us;
    if (put && w->backoff)
        row->backoff = *w->backoff;
}

static job_row *job_at(jobstore *db, const char *id, bool make)
{
    for (size_t i = 0; i < db->job_count; i++)
        if (!strcmp(db->jobs[i].id, id))
            return &db->jobs[i];
    if (!make)
        return NULL;
    if (db->job_count == db->job_cap) {
        db->job_cap = db->job_cap ? db->job_cap * 2 : 64;
        db->jobs = must(realloc(db->jobs, db->job_cap * sizeof *db->jobs));
    }
    db->jobs[db->job_count] = (job_row){copy(cql_str_of(id)), NULL, NULL, 0};
    return &db->jobs[db->job_count++];
}

static cql_job_info *copy_job(const cql_job_info *job)
{
    return must(cqljob_info_new(cqljob_standard_allocator(), job));
}

/* now is taken. */
static void set_job(jobstore *db, job_row *row, cql_job_info *now)
{
    cql_job_info_free(row->before);
    row->before = row->now;
    row->now = now;
    row->changed_us = db->time_us;
}

static cql_job_info *changed(const cql_job_info *old, const cqljob_change *c)
{
    cql_job_info job = *old;

    job.state = c->state;
    if (c->sets & CQLJOB_SET_TOKEN)
        job.executed_at = c->token;
    if (c->sets & CQLJOB_SET_TIME)
        job.scheduled_at = c->scheduled_at;
    if (c->sets & CQLJOB_SET_RETRIES)
        job.retry_count = c->retry_count;
    if (c->sets & CQLJOB_SET_ERROR)
        job.error_message = c->error_message;
    if (c->sets & CQLJOB_SET_RESULT)
        job.result = job.claim = c->result;
    if (job.state == CQL_JOB_PROCESSING)
        job.result = (cql_str){NULL, 0};
    else
        job.claim = (cql_str){NULL, 0};
    return copy_job(&job);
}

/* --- applying --------------------------------------------------------------------------------- */
static cqljob_outcome apply_change(jobstore *db, const flight *f)
{
    job_row *row = job_at(db, f->rq.id.ptr, false);

    if (!row || !cqljob_change_can_be(&f->change, row->now))
        return CQLJOB_REFUSED;
    set_job(db, row, f->change.remove ? NULL : changed(row->now, &f->change));
    if (db->on_change)
        db->on_change(db->on_change_user, row->id, &f->change);
    return CQLJOB_DONE;
}

static cqljob_outcome apply_insert(jobstore *db, flight *f)
{
    job_row *row = job_at(db, f->job->id.ptr, true);

    if (row->now) {
        f->kept.job = copy_job(row->now);
        return CQLJOB_REFUSED;
    }
    set_job(db, row, copy_job(f->job));
    return CQLJOB_DONE;
}

static cqljob_outcome apply_get(jobstore *db, flight *f)
{
    job_row *row = job_at(db, f->rq.id.ptr, false);
    const cql_job_info *seen = row ? row->now : NULL;

    if (row && db->random && !f->rq.serial && db->time_us - row->changed_us < STALE_US &&
        jobstore_random(db) % 4 == 0)
        seen = row->before;
    if (!seen)
        return CQLJOB_REFUSED;
    f->kept.job = copy_job(seen);
    return CQLJOB_DONE;
}

static int by_key(const void *a, const void *b)
{
    const index_row *x = *(const index_row *const *)a, *y = *(const index_row *const *)b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* The live rows of a partition within a time, in order. */
static index_row **partition(jobstore *db, int table, const cqljob_request *rq, size_t *count)
{
    index_row **found = must(calloc(db->row_count + 1, sizeof(index_row *)));
    size_t n = 0;

    for (size_t i = 0; i < db->row_count; i++) {
        index_row *row = &db->rows[i];

        if (row->table == table && row->part == rq->part && is_alive(row) &&
            (table == 2 ? cql_str_equal(cql_str_of(row->of), rq->id)
                        : row->at >= rq->from_ms && row->at <= rq->until_ms))
            found[n++] = row;
    }
    qsort(found, n, sizeof *found, by_key);
    *count = n;
    return found;
}

static bool is_after(const index_row *row, const char *page)
{
    char text[128];

    (void)snprintf(text, sizeof text, "%020lld %s", (long long)row->at, row->id);
    return strcmp(text, page) > 0;
}

/* What a server steps over to find the rows of a page, the last of which is at `until`. */
static void pass_tombstones(jobstore *db, const cqljob_request *rq, int64_t until)
{
    for (size_t i = 0; i < db->row_count; i++) {
        const index_row *row = &db->rows[i];

        if (row->table == 0 && row->part == rq->part && !is_alive(row) && row->at <= until &&
            row->at >= rq->from_ms && (!rq->page.len || is_after(row, rq->page.ptr)))
            db->tombstones++;
    }
}

size_t jobstore_tombstones(const jobstore *db)
{
    return db->tombstones;
}

static cqljob_outcome apply_page(jobstore *db, flight *f)
{
    int table = f->rq.verb == CQLJOB_DUE ? 0 : f->rq.verb == CQLJOB_LIST ? 1 : 2;
    size_t n, first = 0, size;
    index_row **rows = partition(db, table, &f->rq, &n);
    cqljob_key *keys;
    char *at;

    while (f->rq.page.len && first < n && !is_after(rows[first], f->rq.page.ptr))
        first++;
    n -= first;
    if (n > (size_t)f->rq.page_size) {
        char text[128];

        n = (size_t)f->rq.page_size;
        (void)snprintf(text, sizeof text, "%020lld %s", (long long)rows[first + n - 1]->at,
                       rows[first + n - 1]->id);
        f->page = copy(cql_str_of(text));
    }
    if (f->rq.verb == CQLJOB_DUE)
        pass_tombstones(db, &f->rq, f->page ? rows[first + n - 1]->at : f->rq.until_ms);
    size = n * sizeof *keys + 1;
    for (size_t i = 0; i < n; i++)
        size += strlen(rows[first + i]->id) + 1;
    keys = must(malloc(size));
    at = (char *)(keys + n);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(rows[first + i]->id) + 1;

        memcpy(at, rows[first + i]->id, len);
        keys[i] = (cqljob_key){.at = rows[first + i]->at, .id = at};
        at += len;
    }
    free(rows);
    f->kept.keys = keys;
    f->kept.key_count = n;
    return CQLJOB_DONE;
}

static cqljob_outcome apply_backoff(const jobstore *db, flight *f)
{
    for (size_t i = 0; i < db->row_count; i++)
        if (db->rows[i].table == 3 && is_alive(&db->rows[i]) &&
            cql_str_equal(cql_str_of(db->rows[i].id), f->rq.id)) {
            f->kept.backoff = db->rows[i].backoff;
            return CQLJOB_DONE;
        }
    return CQLJOB_REFUSED;
}

/* All in one page. */
static cqljob_outcome apply_batch(jobstore *db, flight *f)
{
    size_t n = 0, size = 1;
    cqljob_key *keys;
    char *at;

    for (size_t i = 0; i < db->job_count; i++)
        size += strlen(db->jobs[i].id) + 1 + sizeof *keys;
    keys = must(calloc(1, size));
    at = (char *)(keys + db->job_count);
    for (size_t i = 0; i < db->job_count; i++) {
        const cql_job_info *job = db->jobs[i].now;
        size_t len = strlen(db->jobs[i].id) + 1;

        if (!job || !cql_str_equal(job->batch_id, f->rq.id))
            continue;
        memcpy(at, db->jobs[i].id, len);
        keys[n++] = (cqljob_key){.at = job->created_at, .id = at};
        at += len;
    }
    f->kept.keys = keys;
    f->kept.key_count = n;
    return CQLJOB_DONE;
}

static cqljob_outcome apply_mark(jobstore *db, flight *f)
{
    if (f->rq.verb == CQLJOB_PUT_MARK) {
        size_t i = 0;

        while (i < db->mark_count && (db->marks[i].kind != f->rq.mark.kind ||
                                      db->marks[i].part != f->rq.mark.part))
            i++;
        if (i == MARKS)
            return CQLJOB_FAILED;
        db->marks[i] = f->rq.mark;
        db->mark_count = i < db->mark_count ? db->mark_count : i + 1;
        return CQLJOB_DONE;
    }
    f->kept.keys = must(calloc(MARKS, sizeof f->kept.keys[0]));
    for (size_t i = 0; i < db->mark_count; i++)
        if (db->marks[i].kind == f->rq.part)
            f->kept.keys[f->kept.key_count++] =
                (cqljob_key){.at = db->marks[i].at, .part = db->marks[i].part};
    return CQLJOB_DONE;
}

/* --- recurring_jobs */
static cql_recurring_list *copies(const cql_recurring_list *from, cql_str id, bool leave_out)
{
    cql_recurring_list *list = must(cqljob_recurring_list_new(cqljob_standard_allocator()));

    for (size_t i = 0; i < cql_recurring_list_count(from); i++) {
        const cql_recurring_info *r = cql_recurring_list_at(from, i);

        if (!id.ptr || cql_str_equal(r->id, id) != leave_out)
            if (cqljob_recurring_list_add(list, r))
                must(NULL);
    }
    return list;
}

static cqljob_outcome apply_recurring(jobstore *db, flight *f)
{
    cql_str all = {NULL, 0};
    cql_str id = f->rq.verb >= CQLJOB_R_INSERT && f->rq.verb < CQLJOB_R_DELETE
                     ? cql_recurring_list_at(f->recurring, 0)->id
                     : f->rq.id;
    cql_recurring_list *found = copies(db->recurring, f->rq.verb == CQLJOB_R_LIST ? all : id, false);
    size_t n = cql_recurring_list_count(found);
    bool is_there = n > 0;
    bool moves = f->rq.verb == CQLJOB_R_UPDATE || f->rq.verb == CQLJOB_R_NEXT;
    cql_recurring_list *now;
    cql_recurring_info row;

    if (f->rq.verb == CQLJOB_R_LIST || f->rq.verb == CQLJOB_R_GET) {
        f->kept.recurring = found;
        return is_there || f->rq.verb == CQLJOB_R_LIST ? CQLJOB_DONE : CQLJOB_REFUSED;
    }
    is_there = is_there &&
               (!moves || cql_recurring_list_at(found, 0)->next_execution == f->rq.until_ms);
    if (is_there == (f->rq.verb == CQLJOB_R_INSERT)) {
        cql_recurring_list_free(found);
        return CQLJOB_REFUSED;
    }
    now = copies(db->recurring, id, true);
    if (f->rq.verb != CQLJOB_R_DELETE) {
        row = *cql_recurring_list_at(f->rq.verb == CQLJOB_R_NEXT ? found : f->recurring, 0);
        row.next_execution = cql_recurring_list_at(f->recurring, 0)->next_execution;
        row.last_execution = cql_recurring_list_at(f->recurring, 0)->last_execution;
        if (cqljob_recurring_list_add(now, &row))
            must(NULL);
    }
    cql_recurring_list_free(found);
    cql_recurring_list_free(db->recurring);
    db->recurring = now;
    return CQLJOB_DONE;
}

static cqljob_outcome apply(jobstore *db, flight *f);

static bool is_serial(const cqljob_request *rq)
{
    return rq->verb == CQLJOB_INSERT || rq->verb == CQLJOB_CHANGE ||
           (rq->verb == CQLJOB_GET && rq->serial);
}

/* What servers do first for a serial request: what is half done for that job is done. */
static void finish_halves(jobstore *db, cql_str id)
{
    for (flight *f = db->flights; f; f = f->next)
        if (f->half && cql_str_equal(f->rq.id, id)) {
            f->half = false;
            (void)apply(db, f);
        }
}

static cqljob_outcome apply(jobstore *db, flight *f)
{
    if (is_serial(&f->rq))
        finish_halves(db, f->rq.id);
    switch (f->rq.verb) {
    case CQLJOB_CHECK:
        return CQLJOB_DONE;
    case CQLJOB_GET:
        return apply_get(db, f);
    case CQLJOB_INSERT:
        return apply_insert(db, f);
    case CQLJOB_CHANGE:
        return apply_change(db, f);
    case CQLJOB_INDEX:
        for (size_t i = 0; i < f->indexes.count; i++)
            write_row(db, &f->indexes.rows[i], f->rq.id.ptr);
        return CQLJOB_DONE;
    case CQLJOB_DUE:
    case CQLJOB_LIST:
    case CQLJOB_LINKS:
        return apply_page(db, f);
    case CQLJOB_COUNT:
        f->kept.count = db->counts[f->rq.part];
        return CQLJOB_DONE;
    case CQLJOB_TALLY:
        for (int i = 0; i < CQLJOB_STATES; i++)
            db->counts[i] += f->tally[i];
        return CQLJOB_DONE;
    case CQLJOB_BACKOFF:
        return apply_backoff(db, f);
    case CQLJOB_BATCH:
        return apply_batch(db, f);
    case CQLJOB_MARKS:
    case CQLJOB_PUT_MARK:
        return apply_mark(db, f);
    case CQLJOB_R_LIST:
    case CQLJOB_R_GET:
    case CQLJOB_R_INSERT:
    case CQLJOB_R_UPDATE:
    case CQLJOB_R_NEXT:
    case CQLJOB_R_DELETE:
        return apply_recurring(db, f);
    }
    return CQLJOB_FAILED;
}

/* --- answering -------------------------------------------------------------------------------- */
static void flight_free(flight *f)
{
    cql_job_info_free(f->job);
    cql_job_info_free(f->kept.job);
    free(f->kept.keys);
    cql_recurring_list_free(f->kept.recurring);
    cql_recurring_list_free(f->recurring);
    free(f->page);
    for (int i = 0; i < 4; i++)
        free(f->texts[i]);
    for (int i = 0; i < CQLJOB_INDEX_MAX; i++)
        free(f->of[i]);
    free(f);
}

static bool is_conditional(const flight *f)
{
    return f->rq.verb == CQLJOB_INSERT || f->rq.verb == CQLJOB_CHANGE ||
           f->rq.verb >= CQLJOB_R_INSERT;
}

/* The keys as a block of the client's allocator: the client frees what it takes. */
static cql_status keys_for(flight *f, cqljob_answer *a)
{
    size_t head = f->kept.key_count * sizeof f->kept.keys[0];
    size_t size = head;
    char *block;

    for (size_t i = 0; i < f->kept.key_count; i++)
        size += f->kept.keys[i].id ? strlen(f->kept.keys[i].id) + 1 : 0;
    block = cqljob_alloc(f->client->al, size + 1);
    if (!block)
        return CQL_NO_MEMORY;
    a->keys = (cqljob_key *)(void *)block;
    a->key_count = f->kept.key_count;
    for (size_t i = 0, at = head; i < a->key_count; i++) {
        size_t len = f->kept.keys[i].id ? strlen(f->kept.keys[i].id) + 1 : 0;

        a->keys[i] = f->kept.keys[i];
        if (!len)
            continue;
        a->keys[i].id = block + at;
        memcpy(a->keys[i].id, f->kept.keys[i].id, len);
        at += len;
    }
    return CQL_OK;
}

/* Of characters of three bytes, more than fit anywhere. */
static const char *long_words(void)
{
    static char text[1500];

    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    return text;
}

static void answer(flight *f)
{
    cqljob_answer a = {.outcome = f->outcome};
    cql_error *err = NULL;
    cql_status st = f->trouble;

    f->answer_us = INT64_MAX;
    if (!st && f->kept.keys)
        st = keys_for(f, &a);
    if (st) {
        bool open = is_conditional(f) && (st == CQL_TIMEOUT || st == CQL_SERVER_WRITE_TIMEOUT);

        a.outcome = open ? CQLJOB_UNKNOWN : CQLJOB_FAILED;
        err = cql_error_make(NULL, st, NULL, st == CQL_SERVER_INVALID ? long_words() : cql_status_text(st));
        a.err = err;
    } else {
        a.job = f->kept.job;
        f->kept.job = NULL;
        a.count = f->kept.count;
        a.backoff = f->kept.backoff;
        a.recurring = f->kept.recurring;
        f->kept.recurring = NULL;
        if (f->page)
            a.page = cql_str_of(f->page);
    }
    f->fn(f->user, &a);
    cql_recurring_list_free(a.recurring);
    cql_job_info_free(a.job);
    cqljob_free(f->client->al, a.keys);
    cql_error_unref(err);
}

static flight *due_flight(jobstore *db, int64_t until, int64_t *when)
{
    flight *found = NULL;

    *when = INT64_MAX;
    for (flight *f = db->flights; f; f = f->next) {
        int64_t next = f->apply_us < f->answer_us ? f->apply_us : f->answer_us;

        if (next < *when && next <= until) {
            found = f;
            *when = next;
        }
    }
    return found;
}

static void unlink_flight(jobstore *db, flight *f)
{
    for (flight **at = &db->flights; *at; at = &(*at)->next)
        if (*at == f) {
            *at = f->next;
            return;
        }
}

static void advance(jobstore *db, flight *f)
{
    if (f->apply_us <= f->answer_us && f->apply_us != INT64_MAX) {
        cqljob_outcome outcome = apply(db, f);

        f->apply_us = INT64_MAX;
        if (!f->trouble)
            f->outcome = outcome;
    } else if (f->answer_us != INT64_MAX) {
        answer(f);
    }
    if (f->apply_us == INT64_MAX && f->answer_us == INT64_MAX && !f->half) {
        unlink_flight(db, f);
        flight_free(f);
    }
}

int64_t jobstore_next(const jobstore *db)
{
    int64_t when = INT64_MAX;

    for (const flight *f = db->flights; f; f = f->next) {
        int64_t next = f->apply_us < f->answer_us ? f->apply_us : f->answer_us;

        when = next < when ? next : when;
    }
    return when;
}

void jobstore_run_until(jobstore *db, int64_t time_us)
{
    flight *f;
    int64_t when;

    while ((f = due_flight(db, time_us, &when)) != NULL) {
        if (when > db->time_us)
            db->time_us = when;
        advance(db, f);
    }
    if (time_us > db->time_us)
        db->time_us = time_us;
}

void jobstore_settle(jobstore *db, int seconds)
{
    int64_t end = db->time_us + (int64_t)seconds * 1000000;

    while (jobstore_next(db) <= end)
        jobstore_run_until(db, jobstore_next(db));
}

/* --- sending ---------------------------------------------------------------------------------- */
static cql_str keep(flight *f, int slot, cql_str text)
{
    if (!text.ptr)
        return text;
    f->texts[slot] = copy(text);
    return (cql_str){f->texts[slot], text.len};
}

static void copy_request(flight *f, const cqljob_request *rq)
{
    f->rq = *rq;
    f->rq.id = keep(f, 0, rq->id);
    f->rq.page = keep(f, 1, rq->page);
    if (rq->verb == CQLJOB_CHANGE) {
        f->change = *rq->change;
        f->change.error_message = keep(f, 2, rq->change->error_message);
        f->change.result = keep(f, 3, rq->change->result);
    }
    if (rq->verb == CQLJOB_INDEX) {
        f->indexes = *rq->indexes;
        for (size_t i = 0; i < f->indexes.count; i++) {
            cqljob_index *w = &f->indexes.rows[i];

            if (w->of.ptr) {
                f->of[i] = copy(w->of);
                w->of.ptr = f->of[i];
            }
            if (w->backoff) {
                f->backoff = *w->backoff;
                w->backoff = &f->backoff;
            }
        }
    }
    if (rq->verb == CQLJOB_TALLY)
        memcpy(f->tally, rq->tally, sizeof f->tally);
    if (rq->recurring) {
        f->recurring = must(cqljob_recurring_list_new(cqljob_standard_allocator()));
        if (rq->verb >= CQLJOB_R_INSERT && rq->verb < CQLJOB_R_DELETE &&
            cqljob_recurring_list_add(f->recurring, rq->recurring))
            must(NULL);
    }
    if (rq->verb == CQLJOB_INSERT)
        f->job = copy_job(rq->job);
}

static int64_t delay(jobstore *db, int64_t most_us)
{
    int64_t us = db->random ? 1000 + (int64_t)(jobstore_random(db) % (uint64_t)most_us) : 1000;

    return us * db->slower;
}

static bool is_read(cqljob_verb verb)
{
    return verb != CQLJOB_INSERT && verb != CQLJOB_CHANGE && verb != CQLJOB_INDEX &&
           verb != CQLJOB_TALLY && verb != CQLJOB_PUT_MARK && verb < CQLJOB_R_INSERT;
}

static void set_fate(jobstore *db, flight *f, jobstore_fate fate)
{
    int64_t now = db->time_us;

    f->apply_us = now + delay(db, 20000);
    f->answer_us = f->apply_us + (db->random ? delay(db, 20000) : 0);
    f->trouble = CQL_OK;
    switch (fate) {
    case JOBSTORE_OK:
    case JOBSTORE_BLOCKED:
        return;
    case JOBSTORE_HALF:
        f->half = true;
        f->apply_us = INT64_MAX;
        break;
    case JOBSTORE_DROPPED:
        f->apply_us = INT64_MAX;
        break;
    case JOBSTORE_SILENT:
        break;
    case JOBSTORE_LATE:
        f->apply_us = now + TIMEOUT_US + delay(db, LATE_US);
        break;
    case JOBSTORE_BUSY:
        if (db->random && jobstore_random(db) % 2)
            f->apply_us = INT64_MAX;
        f->trouble = is_read(f->rq.verb) ? CQL_SERVER_READ_TIMEOUT : CQL_SERVER_WRITE_TIMEOUT;
        f->answer_us = now + TIMEOUT_US;
        return;
    case JOBSTORE_REFUSED:
    case JOBSTORE_GARBLED:
        f->apply_us = INT64_MAX;
        f->trouble = fate == JOBSTORE_GARBLED ? CQL_MALFORMED : CQL_SERVER_UNAVAILABLE;
        return;
    case JOBSTORE_INVALID:
        f->apply_us = INT64_MAX;
        f->trouble = CQL_SERVER_INVALID;
        return;
    }
    f->trouble = CQL_TIMEOUT;
    f->answer_us = now + TIMEOUT_US;
}

static cql_status send(void *self, const cqljob_request *rq, cqljob_answer_fn fn, void *user)
{
    jobstore_client *c = self;
    jobstore_fate fate = JOBSTORE_OK;
    flight *f;
    flight **last = &c->db->flights;

    if (c->dead)
        return CQL_CLOSED;
    if (rq->verb != CQLJOB_TALLY && rq->verb != CQLJOB_MARKS && rq->verb != CQLJOB_PUT_MARK &&
        rq->verb != CQLJOB_R_LIST)
        c->sent++;
    if (c->fate && rq->verb != CQLJOB_TALLY)
        fate = c->fate(c, rq, c->user);
    if (c->dead)
        return CQL_CLOSED;
    if (fate == JOBSTORE_BLOCKED)
        return CQL_WOULD_BLOCK;
    f = must(calloc(1, sizeof *f));
    f->client = c;
    f->fn = fn;
    f->user = user;
    copy_request(f, rq);
    set_fate(c->db, f, fate);
    while (*last)
        last = &(*last)->next;
    *last = f;
    return CQL_OK;
}

/* --- clients ---------------------------------------------------------------------------------- */
static int64_t now_us(void *self)
{
    jobstore_client *c = self;

    return c->db->time_us + c->ahead_us;
}

static int64_t steady_ms(void *self)
{
    jobstore_client *c = self;

    return (c->db->time_us - BEGIN_US) / 1000;
}

static cql_status may_wait(void *self)
{
    (void)self;
    return CQL_OK;
}

static bool is_driven(void *self)
{
    (void)self;
    return true;
}

static cql_status turn(void *self, int timeout_ms)
{
    jobstore_client *c = self;
    int64_t next = jobstore_next(c->db);
    int64_t end = c->db->time_us + (int64_t)timeout_ms * 1000;

    jobstore_run_until(c->db, next < end ? next : end);
    return CQL_OK;
}

static void free_nothing(void *self)
{
    (void)self;
}

void jobstore_client_init(jobstore_client *c, jobstore *db)
{
    memset(c, 0, sizeof *c);
    c->db = db;
}

cql_jobs *jobstore_open(jobstore_client *c, const cql_allocator *al)
{
    cqljob_store store = {c, send, now_us, steady_ms, may_wait, is_driven, turn, free_nothing};
    cqljob_settings set;
    cql_jobs *jobs;

    c->al = al ? al : cqljob_standard_allocator();
    if (cqljob_settings_read(&set, NULL, NULL) || cqljob_jobs_make(c->al, &store, &set, &jobs))
        return NULL;
    return jobs;
}

jobstore *jobstore_new(uint64_t seed)
{
    jobstore *db = must(calloc(1, sizeof *db));

    db->time_us = BEGIN_US;
    db->slower = 1;
    db->random = seed ? seed * UINT64_C(0x9e3779b97f4a7c15) | 1 : 0;
    return db;
}

void jobstore_slow(jobstore *db, int times)
{
    db->slower = times;
}

void jobstore_free(jobstore *db)
{
    while (db->flights) {
        flight *f = db->flights;

        db->flights = f->next;
        if (f->answer_us != INT64_MAX) {
            f->client->dead = true;
            f->trouble = CQL_CLOSED;
            answer(f);
        }
        flight_free(f);
    }
    for (size_t i = 0; i < db->row_count; i++) {
        free(db->rows[i].id);
        free(db->rows[i].of);
    }
    cql_recurring_list_free(db->recurring);
    for (size_t i = 0; i < db->job_count; i++) {
        free(db->jobs[i].id);
        cql_job_info_free(db->jobs[i].now);
        cql_job_info_free(db->jobs[i].before);
    }
    free(db->rows);
    free(db->jobs);
    free(db);
}

/* --- looking inside --------------------------------------------------------------------------- */
int64_t jobstore_time(const jobstore *db)
{
    return db->time_us;
}

const cql_job_info *jobstore_job(const jobstore *db, const char *id)
{
    for (size_t i = 0; i < db->job_count; i++)
        if (!strcmp(db->jobs[i].id, id))
            return db->jobs[i].now;
    return NULL;
}

static size_t count_rows(const jobstore *db, int table, const char *id, int part)
{
    size_t n = 0;

    for (size_t i = 0; i < db->row_count; i++) {
        const index_row *row = &db->rows[i];

        if (row->table == table && (part < 0 || row->part == part) && is_alive(row) &&
            (!id || !strcmp(row->id, id)))
            n++;
    }
    return n;
}

size_t jobstore_due_rows(const jobstore *db, const char *id, int part)
{
    return count_rows(db, 0, id, part);
}

size_t jobstore_link_rows(const jobstore *db, const char *id)
{
    return count_rows(db, 2, id, -1) + count_rows(db, 3, id, -1);
}

int64_t jobstore_counter(const jobstore *db, int state)
{
    return db->counts[state];
}

const cql_recurring_list *jobstore_recurring(const jobstore *db)
{
    return db->recurring;
}

size_t jobstore_state_rows(const jobstore *db, const char *id, int state)
{
    return count_rows(db, 1, id, state);
}

size_t jobstore_jobs(const jobstore *db, int state)
{
    size_t n = 0;

    for (size_t i = 0; i < db->job_count; i++)
        if (db->jobs[i].now && (state < 0 || db->jobs[i].now->state == state))
            n++;
    return n;
}

void jobstore_put_due(jobstore *db, int bucket, int64_t at_ms, const char *id)
{
    cqljob_index w = {
        .kind = CQLJOB_PUT_DUE, .part = bucket, .at = at_ms, .write_us = db->time_us};

    write_row(db, &w, id);
}

void jobstore_put_state(jobstore *db, int state, int64_t at_ms, const char *id)
{
    cqljob_index w = {
        .kind = CQLJOB_PUT_STATE, .part = state, .at = at_ms, .write_us = db->time_us};

    write_row(db, &w, id);
}

void jobstore_put_job(jobstore *db, const cql_job_info *job)
{
    set_job(db, job_at(db, job->id.ptr, true), copy_job(job));
}

void jobstore_on_change(jobstore *db, jobstore_change_fn fn, void *user)
{
    db->on_change = fn;
    db->on_change_user = user;
}
