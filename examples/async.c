/* async.c: writes a lot: prepared, asynchronous, bounded. The session has a thread of its own, on
 * which the callbacks run; this thread submits rows and waits whenever the queue is full.
 *
 *   async [cql://HOST[:PORT]] [ROWS] */
#include <cqlnative/cql.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct load {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool room;     /* the queue takes requests again */
    long answered; /* callbacks that came */
    long failed;
    cql_error *first_error;
};

/* On the session's thread, once for each row. err is borrowed: cql_error_ref keeps it. */
static void written(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    struct load *load = user;
    (void)s;
    (void)res;
    pthread_mutex_lock(&load->lock);
    load->answered++;
    load->failed += err != NULL;
    if (err && !load->first_error)
        load->first_error = cql_error_ref(err);
    pthread_cond_signal(&load->changed);
    pthread_mutex_unlock(&load->lock);
}

/* On the session's thread, when a full queue has room again. */
static void room_again(cql_session *s, void *user)
{
    struct load *load = user;
    (void)s;
    pthread_mutex_lock(&load->lock);
    load->room = true;
    pthread_cond_signal(&load->changed);
    pthread_mutex_unlock(&load->lock);
}

/* Submits one row; waits as long as the queue is full. */
static cql_status submit(cql_session *s, const cql_statement *stmt, struct load *load)
{
    for (;;) {
        pthread_mutex_lock(&load->lock);
        load->room = false;
        pthread_mutex_unlock(&load->lock);
        cql_status st = cql_session_execute(s, stmt, written, load);
        if (st != CQL_WOULD_BLOCK)
            return st;
        pthread_mutex_lock(&load->lock);
        while (!load->room)
            pthread_cond_wait(&load->changed, &load->lock);
        pthread_mutex_unlock(&load->lock);
    }
}

static cql_status write_rows(cql_session *s, cql_statement *stmt, long rows, struct load *load,
                             cql_error **err)
{
    long submitted = 0;
    cql_status st = CQL_OK;
    while (st == CQL_OK && submitted < rows) {
        char text[32];
        snprintf(text, sizeof text, "row %ld", submitted);
        st = cql_statement_bind(stmt, CQL_VALUES(cql_value_int64(submitted), cql_value_text(text)),
                                err);
        if (st == CQL_OK)
            st = submit(s, stmt, load);
        submitted += st == CQL_OK;
    }
    pthread_mutex_lock(&load->lock);
    while (load->answered < submitted)
        pthread_cond_wait(&load->changed, &load->lock);
    pthread_mutex_unlock(&load->lock);
    return st;
}

static const char *const schema[] = {
    "CREATE KEYSPACE IF NOT EXISTS cql_examples"
    " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TABLE IF NOT EXISTS cql_examples.numbers (n bigint PRIMARY KEY, name text)",
};

static cql_status run(const char *url, long rows, struct load *load, cql_error **err)
{
    cql_session *s = NULL;
    cql_prepared *insert = NULL;
    cql_statement *stmt = NULL;

    cql_status st = cql_session_open_wait(url, &s, err);
    for (size_t i = 0; st == CQL_OK && i < CQL_COUNT(schema); i++)
        st = cql_session_query_wait(s, schema[i], NULL, err);
    if (st == CQL_OK)
        st = cql_session_on_drain(s, room_again, load);
    if (st == CQL_OK)
        st = cql_session_prepare_wait(s, "INSERT INTO cql_examples.numbers (n, name) VALUES (?, ?)",
                                      &insert, err);
    if (st == CQL_OK && !(stmt = cql_prepared_bind(insert))) /* one buffer, reused for every row */
        st = CQL_NO_MEMORY;
    if (st == CQL_OK) {
        cql_statement_set_idempotent(stmt, true); /* may be sent again after an unclear failure */
        st = write_rows(s, stmt, rows, load, err);
    }
    cql_statement_free(stmt);
    cql_prepared_unref(insert);
    cql_session_free(s);
    return st;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?max_pending_requests=256";
    long rows = argc > 2 ? strtol(argv[2], NULL, 10) : 10000;
    struct load load = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    cql_error *err = NULL;

    cql_status st = run(url, rows, &load, &err);
    const cql_error *told = err ? err : load.first_error;
    if (st != CQL_OK || load.failed)
        fprintf(stderr, "%s\n", told ? cql_error_text(told) : cql_status_text(st));
    printf("%ld rows written, %ld failed\n", load.answered - load.failed, load.failed);
    cql_error_unref(load.first_error);
    cql_error_unref(err);
    return st != CQL_OK || load.failed != 0;
}
