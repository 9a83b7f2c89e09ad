/* Spans of requests, printed as lines: where a tracer such as OpenTelemetry would hang its own. Each
 * span is a child of what its thread was doing when it executed the statement.
 *
 * trace cql://host/ */
#include <cqlnative/cql.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tracer keeps per thread: here only a name. */
static _Thread_local const char *current = "main";

typedef struct span {
    const char *parent;
    char hosts[200];
} span;

/* On the thread that executes: its current context becomes the parent. */
static void on_start(void *self, const cql_request_note *note, void **slot)
{
    span *sp = calloc(1, sizeof *sp);
    (void)self;
    (void)note;
    if (sp)
        sp->parent = current;
    *slot = sp; /* without memory the request goes without a span */
}

static void on_attempt(void *self, const cql_request_note *note, void **slot)
{
    span *sp = *slot;
    (void)self;
    if (!sp)
        return;
    size_t len = strlen(sp->hosts);
    snprintf(sp->hosts + len, sizeof sp->hosts - len, "%s%s", len ? " " : "", note->host);
}

static void on_end(void *self, const cql_request_note *note, void **slot)
{
    span *sp = *slot;
    FILE *out = self;
    if (!sp)
        return;
    fprintf(out,
            "span: db.operation.name=%s db.query.text=\"%.*s\" parent=%s server.address=\"%s\" us=%" PRIu64
            "%s%s\n",
            note->kind, (int)note->cql.len, note->cql.ptr, sp->parent, sp->hosts, note->elapsed_us,
            note->err ? " error.type=" : "", note->err ? cql_status_name(note->status) : "");
    free(sp);
}

static cql_status run(cql_session *s, cql_error **err)
{
    current = "reading";
    cql_status st =
        cql_session_query_wait(s, "SELECT release_version FROM system.local", NULL, err);
    if (st)
        return st;
    current = "failing"; /* an error is a span too */
    st = cql_session_query_wait(s, "SELECT nothing FROM system.local", NULL, NULL);
    return st == CQL_SERVER_INVALID ? CQL_OK : CQL_UNEXPECTED;
}

int main(int argc, char **argv)
{
    const cql_request_hooks hooks = {.size = sizeof hooks,
                                     .self = stdout,
                                     .start = on_start,
                                     .attempt = on_attempt,
                                     .end = on_end};
    cql_error *err = NULL;
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_status st = cql_options_new(NULL, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, argc > 1 ? argv[1] : "cql://127.0.0.1/", &err);
    if (st == CQL_OK)
        st = cql_options_set_request_hooks(o, &hooks);
    if (st == CQL_OK)
        st = cql_session_new(o, &s, &err);
    if (st == CQL_OK)
        st = cql_session_connect_wait(s, &err);
    if (st == CQL_OK)
        st = run(s, &err);
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_error_unref(err);
    cql_options_free(o);
    cql_session_close_wait(s);
    cql_session_free(s);
    return st != CQL_OK;
}
