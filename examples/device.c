/* device.c: a small device: the program's own libuv loop, one thread, all memory from an allocator
 * with a cap, the options of preset=device, the CQL compiled in. It makes its table, stores 1,000
 * readings, however often the connection is lost in between, reads them back, then shows what
 * happens when the memory is used up: a status, and a session that goes on.
 *
 *   device [cql://HOST[:PORT] [MILLISECONDS_BETWEEN_READINGS [CAP_IN_BYTES]]] */
#include <cqlnative/cql.h>
#include <cqlnative/uv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define READINGS 1000
#define NOTE_BYTES 400
#define OPTIONS                                                                                    \
    "preset=device&reconnect_base=500&reconnect_max=2000&connect_timeout=5000&request_timeout=5000"
#define RETRY_MS 500
#define PATIENCE_MS (5 * 60 * 1000)
#define DEFAULT_CAP (384 * 1024)

static const char *const schema[] = {
    "CREATE KEYSPACE IF NOT EXISTS device"
    " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TABLE IF NOT EXISTS device.readings"
    " (sensor text, number int, celsius double, note text, PRIMARY KEY (sensor, number))",
};
#define INSERT "INSERT INTO device.readings (sensor, number, celsius, note) VALUES (?, ?, ?, ?)"
#define SELECT "SELECT number, celsius, note FROM device.readings WHERE sensor = 'roof'"

enum step { CONNECTING, MAKING, PREPARING, WRITING, READING, FULL, AFTER };

struct app {
    cql_allocator memory; /* outlives every object made with it */
    size_t used, peak, cap;
    uv_timer_t timer;
    cql_session *session;
    cql_prepared *insert;
    cql_statement *stmt;
    enum step step;
    size_t made; /* statements of the schema */
    int32_t number;
    long pace_ms, outages;
    uint64_t failing_since; /* 0: all is well */
    long rows;
    double sum;
    bool failed, finished;
};

/* --- memory: never more than the cap, counted with a header that keeps each block's size --------- */
union header {
    size_t size;
    max_align_t align;
};

static void *capped_realloc(void *context, void *block, size_t size)
{
    struct app *app = context;
    union header *old = block ? (union header *)block - 1 : NULL;
    size_t before = old ? old->size : 0;
    if (size > app->cap || app->used - before > app->cap - size)
        return NULL;
    union header *made = realloc(old, sizeof *made + size);
    if (!made)
        return NULL;
    made->size = size;
    app->used += size - before;
    if (app->used > app->peak)
        app->peak = app->used;
    return made + 1;
}

static void *capped_malloc(void *context, size_t size)
{
    return capped_realloc(context, NULL, size);
}

static void capped_free(void *context, void *block)
{
    union header *old = block ? (union header *)block - 1 : NULL;
    if (!old)
        return;
    ((struct app *)context)->used -= old->size;
    free(old);
}

/* --- the steps, one after the other -------------------------------------------------------------- */
static void go_on(struct app *app);

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void go_on_in(struct app *app, long ms)
{
    uv_timer_start(&app->timer, on_timer, (uint64_t)ms, 0);
}

static void finish(struct app *app, const char *why)
{
    if (app->finished)
        return;
    app->finished = true;
    if (why) {
        fprintf(stderr, "%s\n", why);
        app->failed = true;
    }
    uv_close((uv_handle_t *)&app->timer, NULL);
    cql_prepared_unref(app->insert);
    cql_statement_free(app->stmt);
    /* The loop goes on until the session has closed its connections. With the memory used up it may not be
     * possible to close it; to free it always is. */
    if (cql_session_close(app->session, NULL, NULL) != CQL_OK) {
        cql_session_free(app->session);
        app->session = NULL;
    }
}

/* What failed is done again after a while: everything here may be repeated. */
static void try_again(struct app *app, const char *why)
{
    uint64_t now = uv_now(app->timer.loop);
    if (!app->failing_since) {
        app->failing_since = now;
        app->outages++;
        printf("outage: %s\n", why);
    }
    if (now - app->failing_since > PATIENCE_MS)
        finish(app, why);
    else
        go_on_in(app, RETRY_MS);
}

/* The step before is done. */
static void step_done(struct app *app)
{
    if (app->failing_since)
        printf("back after %.1f s\n", (double)(uv_now(app->timer.loop) - app->failing_since) / 1000);
    app->failing_since = 0;
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    struct app *app = user;
    if (err) {
        try_again(app, cql_error_text(err));
        return;
    }
    printf("connected, protocol v%d\n", cql_session_protocol_version(s));
    step_done(app);
    app->step = MAKING;
    go_on_in(app, 0);
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *prepared, void *user)
{
    struct app *app = user;
    (void)s;
    if (err) {
        try_again(app, cql_error_text(err));
        return;
    }
    step_done(app);
    app->insert = cql_prepared_ref(prepared);
    app->stmt = cql_prepared_bind(prepared);
    if (!app->stmt) {
        finish(app, cql_status_text(CQL_NO_MEMORY));
        return;
    }
    cql_statement_set_idempotent(app->stmt, true);
    app->step = WRITING;
    go_on_in(app, 0);
}

static void take_rows(struct app *app, const cql_result *res)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        app->sum += cql_rows_double(&rows, 1);
        app->rows += cql_rows_str(&rows, 2).len == NOTE_BYTES;
    }
    if (cql_rows_status(&rows) != CQL_OK)
        finish(app, cql_status_text(cql_rows_status(&rows)));
}

/* One page read: the next one, or all is read. */
static void page_read(struct app *app, const cql_result *res)
{
    take_rows(app, res);
    if (cql_result_has_more(res)) {
        if (cql_statement_set_paging_state(app->stmt, cql_result_paging_state(res)) != CQL_OK)
            finish(app, "the place in the rows cannot be kept");
        return;
    }
    printf("%ld readings read, %.2f degrees on average\n", app->rows,
           app->rows ? app->sum / (double)app->rows : 0.0);
    cql_statement_free(app->stmt);
    app->stmt = NULL;
    app->step = FULL;
    if (app->rows != READINGS)
        finish(app, "readings are missing");
}

/* A reading is stored, a statement of the schema done, a page read. */
static void answered(struct app *app, const cql_result *res)
{
    switch (app->step) {
    case MAKING:
        if (++app->made == CQL_COUNT(schema))
            app->step = PREPARING;
        break;
    case WRITING:
        if (++app->number % 100 == 0)
            printf("%d readings stored\n", (int)app->number);
        if (app->number < READINGS)
            break;
        cql_statement_free(app->stmt);
        app->stmt = NULL;
        app->step = READING;
        break;
    case READING:
        page_read(app, res);
        break;
    default:
        printf("the session goes on\n");
        finish(app, NULL);
        break;
    }
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    struct app *app = user;
    (void)s;
    if (app->finished)
        return;
    if (app->step == FULL) {
        printf("memory full: %s\n", err ? cql_error_text(err) : "all rows in spite of it");
        if (!err || cql_error_status(err) != CQL_NO_MEMORY)
            finish(app, "the cap was not felt");
        app->step = AFTER;
    } else if (err) {
        try_again(app, cql_error_text(err));
        return;
    } else {
        step_done(app);
        answered(app, res);
    }
    if (!app->finished)
        go_on_in(app, app->step == WRITING ? app->pace_ms : 0);
}

static cql_status store(struct app *app)
{
    static char note[NOTE_BYTES + 1];
    memset(note, 'n', NOTE_BYTES);
    cql_status st = cql_statement_bind(app->stmt,
                                       CQL_VALUES(cql_value_text("roof"), cql_value_int32(app->number),
                                                  cql_value_double(20.0 + app->number % 50 / 10.0),
                                                  cql_value_text(note)),
                                       NULL);
    return st == CQL_OK ? cql_session_execute(app->session, app->stmt, on_answer, app) : st;
}

/* The page size is the preset's, and the place in the rows the statement's. FULL asks for all rows in
 * one page, which is more than the cap has room for. */
static cql_status read_rows(struct app *app)
{
    cql_status st = CQL_OK;
    if (!app->stmt)
        st = cql_statement_new(SELECT, 0, &app->memory, &app->stmt);
    if (st == CQL_OK && app->step == FULL)
        st = cql_statement_set_page_size(app->stmt, 10 * READINGS);
    return st == CQL_OK ? cql_session_execute(app->session, app->stmt, on_answer, app) : st;
}

static cql_status begin_step(struct app *app)
{
    switch (app->step) {
    case CONNECTING:
        return cql_session_connect(app->session, on_connected, app);
    case MAKING:
        return cql_session_query(app->session, schema[app->made], on_answer, app);
    case PREPARING:
        return cql_session_prepare(app->session, INSERT, on_prepared, app);
    case WRITING:
        return store(app);
    case READING:
    case FULL:
        return read_rows(app);
    default:
        return cql_session_query(app->session, "SELECT key FROM system.local", on_answer, app);
    }
}

static void go_on(struct app *app)
{
    cql_status st = app->finished ? CQL_OK : begin_step(app);
    if (st != CQL_OK)
        try_again(app, cql_status_text(st));
}

static cql_status begin(struct app *app, uv_loop_t *loop, const char *address, cql_error **err)
{
    char url[512];
    cql_options *o = NULL;
    const char *mark = strchr(address, '?') ? "&" : strchr(address + strlen("cql://"), '/') ? "?" : "/?";
    int len = snprintf(url, sizeof url, "%s%s%s", address, mark, OPTIONS);
    if (len < 0 || (size_t)len >= sizeof url)
        return CQL_TOO_LARGE;
    cql_status st = cql_options_new(&app->memory, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, url, err);
    if (st == CQL_OK)
        st = cql_session_new_uv(loop, o, &app->session, err);
    cql_options_free(o); /* the session has a copy */
    return st;
}

static int threads_of_this_process(void)
{
    char line[128];
    int threads = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "Threads:", 8) == 0)
            threads = (int)strtol(line + 8, NULL, 10);
    if (f)
        fclose(f);
    return threads;
}

static void report(const struct app *app)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld outages; peak memory %zu bytes of %zu for the library, %ld kB resident; threads: %d\n",
           app->outages, app->peak, app->cap, usage.ru_maxrss, threads_of_this_process());
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1";
    struct app app = {.pace_ms = argc > 2 ? strtol(argv[2], NULL, 10) : 0,
                      .cap = argc > 3 ? strtoul(argv[3], NULL, 10) : DEFAULT_CAP};
    cql_error *err = NULL;
    uv_loop_t loop;

    app.memory = (cql_allocator){&app, capped_malloc, capped_realloc, capped_free};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strncmp(url, "cql://", 6) != 0 || app.pace_ms < 0 || argc > 4) {
        fprintf(stderr, "usage: device [cql://HOST[:PORT] [MILLISECONDS_BETWEEN_READINGS [CAP_IN_BYTES]]]\n");
        return 2;
    }
    if (uv_loop_init(&loop) != 0)
        return 1;
    uv_timer_init(&loop, &app.timer);
    app.timer.data = &app;
    cql_status st = begin(&app, &loop, url, &err);
    if (st == CQL_OK) {
        go_on(&app);
    } else {
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
        uv_close((uv_handle_t *)&app.timer, NULL);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    report(&app);
    cql_session_free(app.session);
    cql_error_unref(err);
    uv_run(&loop, UV_RUN_DEFAULT);
    bool clean = uv_loop_close(&loop) == 0 && app.used == 0;
    if (!clean)
        fprintf(stderr, "%zu bytes are left\n", app.used);
    return st != CQL_OK || app.failed || !clean;
}
