/* poll.c: a session beside the descriptors of a program that has its own poll. Nothing runs until
 * cql_session_drive is called; the session says when that is.
 *
 *   poll [cql://HOST[:PORT]]      reads CQL from standard input, a statement a line; prints the
 *                                 rows, each answer's as it comes */
#include <cqlnative/cql.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST 100 /* requests under way from which on no more input is read */

struct app {
    cql_session *session;
    char line[4096];
    size_t used;
    int open_requests;
    bool too_long; /* the rest of such a line is no statement */
    bool connected, input_ended, failed;
};

static void report(struct app *app, const cql_error *err)
{
    fprintf(stderr, "%s\n", cql_error_text(err));
    app->failed = true;
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    struct app *app = user;
    (void)s;
    app->connected = err == NULL;
    if (err)
        report(app, err);
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    struct app *app = user;
    cql_rows rows;
    (void)s;
    app->open_requests--;
    if (err) {
        report(app, err);
        return;
    }
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        for (size_t i = 0; i < cql_result_column_count(res); i++)
            printf("%s%s", i ? "\t" : "", cql_rows_cstr(&rows, i));
        putchar('\n');
    }
    if (cql_rows_status(&rows) != CQL_OK)
        fprintf(stderr, "%s\n", cql_status_text(cql_rows_status(&rows)));
}

static void send_line(struct app *app, const char *cql)
{
    if (!*cql)
        return;
    cql_status st = cql_session_query(app->session, cql, on_answer, app);
    if (st == CQL_OK) {
        app->open_requests++;
        return;
    }
    fprintf(stderr, "%s\n", cql_status_text(st));
    app->failed = true;
}

static void read_input(struct app *app)
{
    char *newline;
    ssize_t got = read(STDIN_FILENO, app->line + app->used, sizeof app->line - 1 - app->used);
    if (got <= 0) {
        app->input_ended = true;
        app->line[app->used] = '\0';
        if (!app->too_long)
            send_line(app, app->line); /* a last line without its end */
        return;
    }
    app->used += (size_t)got;
    app->line[app->used] = '\0';
    while ((newline = strchr(app->line, '\n')) != NULL) {
        *newline = '\0';
        if (!app->too_long)
            send_line(app, app->line);
        app->too_long = false;
        app->used -= (size_t)(newline + 1 - app->line);
        memmove(app->line, newline + 1, app->used + 1);
    }
    if (app->used == sizeof app->line - 1) {
        if (!app->too_long)
            fprintf(stderr, "a line is too long\n");
        app->used = 0;
        app->too_long = app->failed = true;
    }
}

/* The program's loop: its own descriptor and the session's. */
static void run(struct app *app)
{
    bool input = false; /* standard input counts once the session is up */
    while (!app->input_ended || app->open_requests) {
        struct pollfd fds[] = {{cql_session_fd(app->session), POLLIN, 0},
                               {input && !app->input_ended ? STDIN_FILENO : -1, POLLIN, 0}};
        int ready = poll(fds, 2, cql_session_deadline(app->session));
        if (ready > 0 && fds[1].revents)
            read_input(app);
        if ((ready < 0 && errno != EINTR) || cql_session_drive(app->session, 0) != CQL_OK) {
            app->failed = true;
            break;
        }
        if (!app->connected && app->failed)
            break;
        input = app->connected && app->open_requests < MOST;
    }
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/";
    struct app app = {.session = NULL};
    cql_error *err = NULL;
    cql_options *o = NULL;

    cql_status st = cql_options_new(NULL, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, url, &err);
    if (st == CQL_OK)
        st = cql_options_set(o, "loop_threads", "0", &err);
    if (st == CQL_OK)
        st = cql_session_new(o, &app.session, &err);
    if (st == CQL_OK)
        st = cql_session_connect(app.session, on_connected, &app);
    if (st == CQL_OK)
        run(&app);
    else
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_session_free(app.session);
    cql_options_free(o);
    cql_error_unref(err);
    return st != CQL_OK || app.failed;
}
