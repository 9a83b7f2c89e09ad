/* A fetch is a stream, a filter on it, and the reader of the answer; it ends by closing the stream. */
#include "net/fetch.h"

#include "base/httpread.h"

#include <cqlnative/version.h>

#include <stdio.h>
#include <string.h>

enum { REQUEST_MAX = 600, PIECE = 4096 };

struct cqln_fetch {
    cqln_loop *loop;
    cqln_stream *stream;
    cqln_filter *filter;
    cqln_deadline deadline;
    cqln_fetch_cb cb;
    void *user;
    cqln_http http;
    cql_status status;
    char reason[CQLN_FILTER_REASON];
    char request[REQUEST_MAX];
    size_t request_len;
    size_t request_sent;
    bool writing; /* the transport still holds the filter's output */
    bool closing;
    char body[CQLN_FETCH_BODY_MAX];
};

static void end(cqln_fetch *f, cql_status st, const char *reason)
{
    if (f->closing)
        return;
    f->closing = true;
    f->status = st;
    (void)snprintf(f->reason, sizeof f->reason, "%s", reason);
    cqln_deadline_clear(f->loop, &f->deadline);
    f->loop->io->ops->close(f->stream);
}

static void end_bad(cqln_fetch *f)
{
    char why[CQLN_HTTP_WHY + 40];
    (void)snprintf(why, sizeof why, "its answer cannot be used: %s", f->http.why);
    end(f, CQL_MALFORMED, why);
}

/* --- bytes ----------------------------------------------------------------------------------------- */

static void send_request(cqln_fetch *f)
{
    while (f->request_sent < f->request_len) {
        size_t n = f->filter->ops->write(f->filter, (const uint8_t *)f->request + f->request_sent,
                                         f->request_len - f->request_sent);
        if (n == 0)
            return;
        f->request_sent += n;
    }
}

static void flush(cqln_fetch *f)
{
    const uint8_t *bytes;
    size_t len;
    while (!f->closing && !f->writing && f->filter->ops->output(f->filter, &bytes, &len)) {
        if (!f->loop->io->ops->write(f->stream, bytes, len)) {
            f->writing = true;
            return;
        }
        f->filter->ops->sent(f->filter);
    }
}

/* Looks at the filter's state, then at what it has to send: a refusal of the other side's certificate is
 * an alert that still leaves. */
static void moved(cqln_fetch *f)
{
    cqln_filter *filter = f->filter;
    if (f->closing)
        return;
    if (filter->state == CQLN_FILTER_OPEN)
        send_request(f);
    flush(f);
    if (filter->state == CQLN_FILTER_FAILED)
        end(f, filter->status, filter->reason);
    else if (filter->state != CQLN_FILTER_ENDED)
        return;
    else if (cqln_http_end(&f->http))
        end_bad(f);
    else
        end(f, CQL_OK, "");
}

static void read_answer(cqln_fetch *f)
{
    uint8_t piece[PIECE];
    size_t n;
    while (!f->closing && (n = f->filter->ops->read(f->filter, piece, sizeof piece)) > 0) {
        if (cqln_http_take(&f->http, piece, n))
            end_bad(f);
        else if (cqln_http_done(&f->http))
            end(f, CQL_OK, "");
    }
}

/* --- what the stream says -------------------------------------------------------------------------- */

static void on_connected(void *user, cql_status st, const char *reason)
{
    cqln_fetch *f = user;
    if (f->closing)
        return;
    if (st) {
        end(f, st, reason);
        return;
    }
    f->filter->ops->start(f->filter);
    moved(f);
}

static void on_space(void *user, uint8_t **ptr, size_t *cap)
{
    cqln_fetch *f = user;
    f->filter->ops->space(f->filter, ptr, cap);
}

static void on_received(void *user, size_t n)
{
    cqln_fetch *f = user;
    if (f->closing)
        return;
    f->filter->ops->commit(f->filter, n);
    read_answer(f);
    moved(f);
}

static void on_written(void *user)
{
    cqln_fetch *f = user;
    f->writing = false;
    f->filter->ops->sent(f->filter);
    moved(f);
}

/* Without the goodbye of TLS a body "to the end" could be any part of it. */
static void on_lost(void *user, cql_status st, const char *reason)
{
    cqln_fetch *f = user;
    if (f->closing)
        return;
    reason = f->filter->ops->lost(f->filter, &st, reason);
    end(f, st ? st : CQL_CLOSED, reason);
}

static void on_closed(void *user)
{
    cqln_fetch *f = user;
    f->cb(f->user, f->status, f->reason, f->http.code, (cql_str){f->body, f->http.len});
    f->filter->ops->free(f->filter);
    cqln_free(f->loop->al, f);
}

static void on_deadline(cqln_deadline *d)
{
    cqln_fetch *f = CQLN_CONTAINER(d, cqln_fetch, deadline);
    end(f, CQL_TIMEOUT,
        f->request_sent ? "it did not answer within the connect time-out"
                        : "no connection and TLS handshake within the connect time-out");
}

/* --- life ------------------------------------------------------------------------------------------ */

static bool write_request(cqln_fetch *f, const cqln_fetch_plan *plan)
{
    bool v6 = strchr(plan->host, ':') != NULL;
    int n = snprintf(f->request, sizeof f->request,
                     "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: libcqlnative/%s\r\n"
                     "Accept: application/json\r\nConnection: close\r\n\r\n",
                     plan->path, v6 ? "[" : "", plan->host, v6 ? "]" : "", (unsigned)plan->port,
                     CQL_VERSION_STRING);
    f->request_len = (size_t)n;
    return n > 0 && (size_t)n < sizeof f->request;
}

cql_status cqln_fetch_begin(cqln_loop *loop, const cqln_fetch_plan *plan, cqln_fetch_cb cb, void *user,
                            cqln_fetch **out)
{
    static const cqln_stream_events events = {on_connected, on_space, on_received,
                                              on_written,   on_lost,  on_closed};
    cqln_fetch *f = cqln_alloc_zero(loop->al, sizeof *f);
    cql_status st = CQL_NO_MEMORY;
    *out = NULL;
    if (!f)
        goto fail;
    f->loop = loop;
    f->filter = plan->filter;
    f->cb = cb;
    f->user = user;
    cqln_http_init(&f->http, f->body, sizeof f->body);
    cqln_deadline_init(&f->deadline, on_deadline);
    st = write_request(f, plan) ? CQL_OK : CQL_TOO_LARGE;
    if (st == CQL_OK)
        st = loop->io->ops->connect(loop->io, plan->to, &events, f, &f->stream);
    if (st)
        goto fail;
    cqln_deadline_set(loop, &f->deadline, cqln_loop_now(loop) + plan->timeout_ms);
    *out = f;
    return CQL_OK;
fail:
    plan->filter->ops->free(plan->filter);
    cqln_free(loop->al, f);
    return st;
}

void cqln_fetch_stop(cqln_fetch *f)
{
    end(f, CQL_CANCELLED, "it was not waited for");
}
