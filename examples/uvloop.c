/* uvloop.c: a session in a program that has a libuv loop, with an allocator of its own. The library
 * makes no thread; everything happens on the loop.
 *
 *   uvloop [cql://HOST[:PORT]] */
#include <cqlnative/cql.h>
#include <cqlnative/uv.h>
#include <stdio.h>
#include <stdlib.h>

#define TICK_MS 200
#define QUERIES 5

struct app {
    cql_allocator memory; /* outlives every object made with it */
    uv_timer_t timer;     /* the program's own work, to show that nothing blocks it */
    cql_session *session;
    int asked, answered;
    bool finished, failed;
    size_t blocks; /* memory in use by the library */
};

static void *counted_malloc(void *context, size_t size)
{
    void *block = malloc(size);
    ((struct app *)context)->blocks += block != NULL;
    return block;
}

static void *counted_realloc(void *context, void *block, size_t size)
{
    void *grown = realloc(block, size);
    ((struct app *)context)->blocks += grown && !block;
    return grown;
}

static void counted_free(void *context, void *block)
{
    ((struct app *)context)->blocks -= block != NULL;
    free(block);
}

static void finish(struct app *app, const cql_error *err)
{
    if (err) {
        fprintf(stderr, "%s\n", cql_error_text(err));
        app->failed = true;
    }
    if (app->finished)
        return;
    app->finished = true;
    uv_timer_stop(&app->timer);
    uv_close((uv_handle_t *)&app->timer, NULL);
    /* The loop goes on until the session has closed its connections. Freeing it closes it too, and needs no
     * memory: what to do when closing fails, since an open session would keep the loop turning. */
    if (cql_session_close(app->session, NULL, NULL) != CQL_OK) {
        cql_session_free(app->session);
        app->session = NULL;
    }
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    struct app *app = user;
    cql_rows rows;
    (void)s;
    if (err) {
        finish(app, err);
        return;
    }
    cql_rows_init(&rows, res);
    if (cql_rows_next(&rows))
        printf("server time %s\n", cql_rows_cstr(&rows, 0));
    if (++app->answered == QUERIES)
        finish(app, NULL);
}

static void on_tick(uv_timer_t *timer)
{
    struct app *app = timer->data;
    if (app->asked == QUERIES)
        return;
    cql_status st = cql_session_query(app->session, "SELECT toTimestamp(now()) FROM system.local",
                                      on_answer, app);
    if (st == CQL_OK)
        app->asked++;
    else if (st != CQL_WOULD_BLOCK)
        fprintf(stderr, "%s\n", cql_status_text(st));
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    struct app *app = user;
    if (err) {
        finish(app, err);
        return;
    }
    printf("connected, protocol v%d\n", cql_session_protocol_version(s));
    if (uv_timer_start(&app->timer, on_tick, 0, TICK_MS) != 0) {
        app->failed = true;
        finish(app, NULL);
    }
}

static cql_status begin(struct app *app, uv_loop_t *loop, const char *url, cql_error **err)
{
    cql_options *o = NULL;
    cql_status st = cql_options_new(&app->memory, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, url, err);
    if (st == CQL_OK)
        st = cql_session_new_uv(loop, o, &app->session, err);
    cql_options_free(o); /* the session has a copy */
    if (st == CQL_OK)
        st = cql_session_connect(app->session, on_connected, app);
    return st;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/";
    struct app app = {.memory = {&app, counted_malloc, counted_realloc, counted_free}};
    cql_error *err = NULL;
    uv_loop_t loop;

    if (uv_loop_init(&loop) != 0)
        return 1;
    uv_timer_init(&loop, &app.timer);
    app.timer.data = &app;
    cql_status st = begin(&app, &loop, url, &err);
    if (st != CQL_OK) {
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
        uv_close((uv_handle_t *)&app.timer, NULL);
        cql_session_free(app.session); /* an open one would keep the loop turning */
        app.session = NULL;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    cql_session_free(app.session);
    cql_error_unref(err);
    uv_run(&loop, UV_RUN_DEFAULT);
    bool clean = uv_loop_close(&loop) == 0 && app.blocks == 0;
    printf("%d answers, %zu blocks of memory left\n", app.answered, app.blocks);
    return st != CQL_OK || app.failed || !clean;
}
