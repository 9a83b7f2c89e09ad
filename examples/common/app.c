/* Session, statements and reports of the examples. */
#include "common/app.h"

#include "common/memory.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURN_MS = 200, STOP_US = 20 * 1000000 };

/* --- the session ----------------------------------------------------------------------------------- */

void app_init(app *a, const char *name, const char *schema, const char *hosts_name)
{
    const char *hosts = hosts_name ? getenv(hosts_name) : NULL;
    memset(a, 0, sizeof *a);
    a->name = name;
    a->schema = schema;
    if (hosts && *hosts)
        setenv("CQL_CONTACT_POINTS", hosts, 0);
    tool_connection_init(&a->connection);
    tool_catch_interrupts();
}

void app_default(const char *option, const char *value, bool force)
{
    char name[64] = "CQL_";
    size_t n = strlen(name);
    for (; *option && n + 1 < sizeof name; option++)
        name[n++] = (char)toupper((unsigned char)*option);
    name[n] = 0;
    setenv(name, value, force);
}

int app_open(app *a, tool_args *args)
{
    cql_options *o = tool_connection_build(&a->connection, args);
    if (!o)
        return args->exit_code;
    cql_status st = cql_options_set(o, "loop_threads", "0", &a->err);
    if (st == CQL_OK)
        st = cql_session_new(o, &a->s, &a->err);
    cql_options_free(o);
    if (st == CQL_OK)
        st = cql_session_connect_wait(a->s, &a->err);
    if (st == CQL_OK)
        return 0;
    app_report(a, st);
    return a->err ? (int)tool_exit_of_connect(a->err) : TOOL_EXIT_FAILED;
}

int app_report(app *a, cql_status st)
{
    if (!a->err)
        a->err = cql_error_make(NULL, st, NULL, cql_status_text(st));
    tool_report(a->name, a->err, a->schema);
    return (int)tool_exit_of_statement(a->err);
}

void app_free(app *a)
{
    cql_session_free(a->s);
    cql_error_unref(a->err);
    tool_connection_free(&a->connection);
    for (size_t i = 0; i < CQL_COUNT(a->lines); i++)
        free(a->lines[i]);
}

void app_warnings(app *a, const cql_result *res)
{
    if (!res)
        return;
    for (size_t i = 0; i < cql_result_warning_count(res); i++) {
        cql_str text = cql_result_warning(res, i);
        size_t k = 0;
        while (k < CQL_COUNT(a->lines) && a->lines[k] &&
               !cql_str_equal(cql_str_of(a->lines[k]), text))
            k++;
        if (k == CQL_COUNT(a->lines) || a->lines[k])
            continue;
        a->lines[k] = strndup(text.ptr, text.len);
        tool_remark(a->name, "warning from the server: %.*s", (int)text.len, text.ptr);
    }
}

/* --- statements ------------------------------------------------------------------------------------ */

static cql_status bind(app *a, const char *cql, cql_values values, cql_statement **out)
{
    cql_prepared *p = NULL;
    *out = NULL;
    cql_status st = cql_session_prepare_wait(a->s, cql, &p, &a->err);
    if (st == CQL_OK && !(*out = cql_prepared_bind(p)))
        st = CQL_NO_MEMORY;
    if (st == CQL_OK)
        st = cql_statement_bind(*out, values, &a->err);
    if (st == CQL_OK)
        cql_statement_set_idempotent(*out, true);
    if (st == CQL_OK && a->level)
        cql_statement_set_consistency(*out, (cql_consistency)a->level);
    cql_prepared_unref(p);
    return st;
}

cql_status app_execute(app *a, const char *cql, cql_values values, cql_result **res)
{
    cql_statement *stmt;
    cql_result *own = NULL;
    cql_status st = bind(a, cql, values, &stmt);
    if (st == CQL_OK)
        st = cql_session_execute_wait(a->s, stmt, &own, &a->err);
    app_warnings(a, own);
    if (res)
        *res = own;
    else
        cql_result_unref(own);
    cql_statement_free(stmt);
    return st;
}

cql_status app_each_row(app *a, const char *cql, cql_values values, int32_t page, app_row_fn fn,
                        void *user)
{
    cql_statement *stmt;
    bool more = true;
    cql_status st = bind(a, cql, values, &stmt);
    if (st == CQL_OK)
        st = cql_statement_set_page_size(stmt, page);
    while (st == CQL_OK && more) {
        cql_result *res = NULL;
        cql_rows rows;
        if (tool_interrupted()) {
            st = CQL_CANCELLED;
            break;
        }
        st = cql_session_execute_wait(a->s, stmt, &res, &a->err);
        if (st != CQL_OK)
            break;
        app_warnings(a, res);
        cql_rows_init(&rows, res);
        more = cql_result_has_more(res);
        while (cql_rows_next(&rows))
            if (!fn(&rows, res, user)) {
                more = false;
                break;
            }
        st = cql_rows_status(&rows);
        if (st == CQL_OK && more)
            st = cql_statement_set_paging_state(stmt, cql_result_paging_state(res));
        cql_result_unref(res);
    }
    cql_statement_free(stmt);
    return st;
}

cJSON *app_row_json(cql_rows *rows, const cql_result *res)
{
    cJSON *line = tool_json_object(NULL);
    for (size_t i = 0; i < cql_result_column_count(res); i++) {
        cql_value v = cql_rows_value(rows, i);
        cql_str name = cql_result_column_name(res, i);
        char *json = tool_value_json(&v, cql_result_column_type(res, i));
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)name.len, name.ptr);
        tool_json_raw(line, key, json);
        free(json);
    }
    return line;
}

/* --- writers --------------------------------------------------------------------------------------- */

void app_flushed(app *a, const cql_writer_flushed *info, unsigned attempts)
{
    app_warnings(a, info->res);
    if (!info->err)
        a->waiting = false;
    if (!info->again || info->attempts < attempts || a->waiting)
        return;
    a->waiting = true;
    tool_remark(a->name, "waiting for the servers: %s", cql_error_text(info->err));
}

cql_status app_add(app *a, cql_writer *w, const cql_statement *row, cql_writer_cb cb, void *user)
{
    cql_status st;
    while ((st = cql_writer_add(w, row, cb, user)) == CQL_WOULD_BLOCK && !tool_interrupted()) {
        struct pollfd session = {.fd = cql_session_fd(a->s), .events = POLLIN};
        (void)tool_poll(&session, 1, cql_session_deadline(a->s));
        (void)cql_session_drive(a->s, 0);
    }
    return st == CQL_WOULD_BLOCK ? CQL_CANCELLED : st;
}

static void on_drained(cql_writer *w, const cql_error *err, void *user)
{
    (void)w;
    (void)err;
    ((app *)user)->flushes--;
}

static cql_status not_stored(app *a, cql_writer *w)
{
    cql_writer_stats stats;
    char text[100];
    cql_writer_read_stats(w, &stats);
    snprintf(text, sizeof text, "stopped; %zu rows are not stored: the servers do not take them",
             stats.rows_held);
    cql_error_unref(a->err);
    a->err = cql_error_make(NULL, CQL_CANCELLED, NULL, text);
    return CQL_CANCELLED;
}

cql_status app_flush(app *a, cql_writer *w)
{
    uint64_t stopped = 0; /* when the signal was seen */
    a->flushes++;
    cql_status st = cql_writer_flush(w, on_drained, a);
    if (st != CQL_OK)
        a->flushes--;
    while (st == CQL_OK && a->flushes) {
        (void)cql_session_drive(a->s, TURN_MS);
        if (!tool_interrupted())
            continue;
        if (!stopped)
            stopped = app_ticks_us();
        else if (app_ticks_us() - stopped > STOP_US)
            st = not_stored(a, w);
    }
    return st;
}

/* --- names ----------------------------------------------------------------------------------------- */

bool app_is_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > 48 || !isalpha((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_')
            return false;
    return true;
}

const char *app_cql(const char *pattern, const char *keyspace)
{
    static char text[1024];
    size_t n = 0;
    for (const char *at = pattern; *at && n + 50 < sizeof text; at++)
        if (at[0] == '%' && at[1] == 'K') {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", keyspace);
            at++;
        } else {
            text[n++] = *at;
        }
    text[n] = 0;
    return text;
}

/* --- time ------------------------------------------------------------------------------------------ */

int64_t app_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t app_ticks_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool app_time(const char *text, int64_t *ms)
{
    char *end;
    cql_civil at = {0};
    int used = 0;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (*text && !*end) {
        *ms = n;
        return errno == 0;
    }
    if (sscanf(text, "%4" SCNd64 "-%2u-%2uT%2u:%2u:%2u%n", &at.year, &at.month, &at.day, &at.hour,
               &at.minute, &at.second, &used) != 6 &&
        sscanf(text, "%4" SCNd64 "-%2u-%2u%n", &at.year, &at.month, &at.day, &used) != 3)
        return false;
    if (text[used] && strcmp(text + used, "Z") != 0)
        return false;
    return cql_timestamp_from_civil(&at, ms) == CQL_OK; /* the 30th of February is none */
}
