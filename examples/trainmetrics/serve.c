/* GET /api/metrics/history?run_id=ID[&limit=N], /api/metrics/range?run_id=ID&start=T&end=T, /api/runs,
 * /api/runs/ID. One thread: the HTTP server is turned, then the session. */
#include "trainmetrics/serve.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

enum { TURN_MS = 50, LIMIT = 1000, LIMIT_MAX = 100000, RUNS = 100, IDLE_S = 30 };

static enum MHD_Result reply(struct MHD_Connection *c, unsigned code, const char *text)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, "Content-Type", "application/json");
    enum MHD_Result done = MHD_queue_response(c, code, r);
    MHD_destroy_response(r);
    return done;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned code, const char *why)
{
    char text[1200];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "error", why);
    if (!cJSON_PrintPreallocated(o, text, sizeof text, 0))
        snprintf(text, sizeof text, "{}");
    cJSON_Delete(o);
    return reply(c, code, text);
}

/* rows are taken over; NULL: st failed. */
static enum MHD_Result reply_rows(store *s, struct MHD_Connection *c, cJSON *rows, cql_status st,
                                  bool single, bool must_be)
{
    if (!rows) {
        enum MHD_Result done =
            refuse(c, 503, s->app.err ? cql_error_text(s->app.err) : cql_status_text(st));
        cql_error_unref(s->app.err);
        s->app.err = NULL;
        return done;
    }
    enum MHD_Result done;
    char *text = cJSON_PrintUnformatted(single && rows->child ? rows->child : rows);
    if (!rows->child && must_be)
        done = refuse(c, 404, "run not found");
    else
        done = text ? reply(c, 200, text) : MHD_NO;
    cJSON_free(text);
    cJSON_Delete(rows);
    return done;
}

static const char *query(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result metrics(store *s, struct MHD_Connection *c, bool range)
{
    cql_uuid run;
    cql_status st = CQL_OK;
    cJSON *rows;
    int64_t from, to;
    const char *id = query(c, "run_id"), *limit_text = query(c, "limit");
    const char *start = query(c, "start"), *end = query(c, "end");
    char *limit_end = NULL;
    long limit = limit_text ? strtol(limit_text, &limit_end, 10) : LIMIT;
    if (!id || cql_uuid_parse(cql_str_of(id), &run) != CQL_OK)
        return refuse(c, 400, "run_id is not a UUID");
    if ((limit_end && *limit_end) || limit < 1 || limit > LIMIT_MAX) /* an answer is built in memory */
        return refuse(c, 400, "limit is not a number of rows from 1 to 100000");
    if (!range) {
        rows = store_history(s, &run, (size_t)limit, &st);
        return reply_rows(s, c, rows, st, false, true);
    }
    if (!start || !end || !app_time(start, &from) || !app_time(end, &to))
        return refuse(c, 400, "start and end are milliseconds or 2026-01-15T10:00:00Z");
    rows = store_range(s, &run, from, to, (size_t)limit, &st);
    return reply_rows(s, c, rows, st, false, false);
}

static enum MHD_Result answer(void *user, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    static const char runs[] = "/api/runs/";
    store *s = user;
    cql_uuid run;
    cql_status st = CQL_OK;
    cJSON *rows;
    (void)version;
    (void)data;
    (void)size;
    (void)state;
    if (strcmp(method, "GET") != 0)
        return refuse(c, 405, "only GET is answered");
    if (strcmp(url, "/api/metrics/history") == 0)
        return metrics(s, c, false);
    if (strcmp(url, "/api/metrics/range") == 0)
        return metrics(s, c, true);
    if (strcmp(url, "/api/runs") == 0) {
        rows = store_runs(s, RUNS, &st);
        return reply_rows(s, c, rows, st, false, false);
    }
    if (strncmp(url, runs, sizeof runs - 1) != 0)
        return refuse(c, 404, "there is nothing here");
    if (cql_uuid_parse(cql_str_of(url + sizeof runs - 1), &run) != CQL_OK)
        return refuse(c, 400, "the run's id is not a UUID");
    rows = store_run(s, &run, &st);
    return reply_rows(s, c, rows, st, true, true);
}

int train_serve(store *s, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *d = MHD_start_daemon(MHD_NO_FLAG, port, NULL, NULL, answer, s,
                                            MHD_OPTION_SOCK_ADDR, &at,
                                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
                                            MHD_OPTION_END);
    if (!d) {
        tool_remark(s->app.name, "port %u cannot be listened on", (unsigned)port);
        return TOOL_EXIT_FAILED;
    }
    fprintf(stderr, "INFO: serving on http://127.0.0.1:%u\n", (unsigned)port);
    while (!tool_interrupted()) {
        (void)MHD_run_wait(d, TURN_MS);
        (void)cql_session_drive(s->app.s, 0);
    }
    MHD_stop_daemon(d);
    return TOOL_EXIT_OK;
}
