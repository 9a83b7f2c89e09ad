/* A link moves bytes and time between the machine and the io, and events to its owner. */
#include "net/link.h"

static inline void count_bytes(_Atomic(uint64_t) *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static void show_in_flight(cqln_link *link, uint32_t now)
{
    if (!link->traffic || now == link->shown)
        return;
    uint32_t sum = atomic_load_explicit(&link->traffic->in_flight, memory_order_relaxed);
    atomic_store_explicit(&link->traffic->in_flight, sum + now - link->shown,
                          memory_order_relaxed);
    link->shown = now;
}

static void set_deadline(cqln_link *link)
{
    uint64_t at = link->ready ? cqln_conn_deadline(link->conn) : link->give_up_at;
    if (at != UINT64_MAX)
        cqln_deadline_set(link->loop, &link->deadline, at);
}

/* A goodbye where the filter has one and the transport is free; nobody waits for it. */
static void say_goodbye(cqln_link *link)
{
    cqln_filter *f = link->filter;
    const uint8_t *bytes;
    size_t len;
    if (!f || f->state == CQLN_FILTER_OPENING || link->writing || !link->stream)
        return;
    f->ops->finish(f);
    if (f->ops->output(f, &bytes, &len))
        (void)link->loop->io->ops->write(link->stream, bytes, len);
}

static void begin_close(cqln_link *link)
{
    if (link->closing)
        return;
    say_goodbye(link);
    link->closing = true;
    cqln_list_remove(&link->dirty);
    cqln_deadline_clear(link->loop, &link->deadline);
    if (link->stream)
        link->loop->io->ops->close(link->stream);
    else
        cqln_loop_defer(link->loop, &link->finish);
}

static void mark_dirty(cqln_link *link)
{
    if (!link->closing && cqln_conn_has_output(link->conn) && cqln_list_empty(&link->dirty))
        cqln_list_push(&link->loop->dirty, &link->dirty);
}

static void mark_filter_dirty(cqln_link *link)
{
    if (!link->closing && !link->writing && link->filter->ops->has_output(link->filter) &&
        cqln_list_empty(&link->dirty))
        cqln_list_push(&link->loop->dirty, &link->dirty);
}

/* Hands events on until there are no more or the link is closing. */
static void pump(cqln_link *link)
{
    cqln_conn_event ev;
    while (!link->closing && cqln_conn_next(link->conn, &ev)) {
        switch (ev.kind) {
        case CQLN_CONN_EV_RESPONSE:
            link->events->response(link, &ev);
            break;
        case CQLN_CONN_EV_READY:
            link->ready = true;
            set_deadline(link);
            link->events->ready(link);
            break;
        case CQLN_CONN_EV_PUSH:
            link->events->push(link, &ev);
            break;
        case CQLN_CONN_EV_LATE:
            link->loop->late++;
            if (link->events->late)
                link->events->late(link, &ev);
            break;
        case CQLN_CONN_EV_CLOSED:
            begin_close(link);
            break;
        }
    }
    mark_dirty(link); /* the machine's own requests: handshake, heartbeat */
}

/* What was being waited for when the connect time-out came. */
static const char *too_late(const cqln_link *link)
{
    if (!link->stream)
        return "no connection within the connect time-out";
    if (link->filter && !link->started)
        return "no connection and TLS handshake within the connect time-out: a server that does not "
               "speak TLS on this port may stay silent";
    return "no answer within the connect time-out";
}

static void tell_dialled(cqln_link *link, bool there)
{
    const cqln_loop *loop = link->loop;
    link->reached = there;
    if (loop->dialled)
        loop->dialled(loop->dial_user, &link->real, there);
}

static void on_deadline(cqln_deadline *d)
{
    cqln_link *link = CQLN_CONTAINER(d, cqln_link, deadline);
    uint64_t now = cqln_loop_now(link->loop);
    bool late = !link->ready && now >= link->give_up_at;
    if (late && !link->reached)
        tell_dialled(link, false);
    if (late)
        cqln_conn_transport_lost(link->conn, CQL_TIMEOUT, too_late(link));
    else
        cqln_conn_tick(link->conn, now);
    pump(link);
    if (!link->closing)
        set_deadline(link);
}

void cqln_link_orphan(cqln_link *link, int16_t stream)
{
    cqln_conn_orphan(link->conn, stream);
    if (!link->closing && cqln_conn_unanswered(link->conn, cqln_loop_now(link->loop)))
        set_deadline(link);
}

/* --- through a filter ------------------------------------------------------------------------------ */

/* The filter's own handshake, its end or its failure reach the machine. */
static void filter_moved(cqln_link *link)
{
    cqln_filter *f = link->filter;
    if (f->state == CQLN_FILTER_FAILED)
        cqln_conn_transport_lost(link->conn, f->status, f->reason);
    else if (f->state == CQLN_FILTER_ENDED)
        cqln_conn_transport_lost(link->conn, CQL_CLOSED, "the server closed the connection");
    else if (f->state == CQLN_FILTER_OPEN && !link->started)
        cqln_conn_start(link->conn, cqln_loop_now(link->loop));
    link->started = f->state != CQLN_FILTER_OPENING;
    pump(link);
    mark_filter_dirty(link);
}

static void filter_received(cqln_link *link, size_t n)
{
    cqln_filter *f = link->filter;
    uint64_t now = cqln_loop_now(link->loop);
    f->ops->commit(f, n);
    while (!link->closing) {
        uint8_t *ptr;
        size_t cap;
        cqln_conn_space(link->conn, &ptr, &cap);
        n = f->ops->read(f, ptr, cap);
        if (n == 0)
            break;
        cqln_conn_commit(link->conn, n, now);
        pump(link);
    }
    if (!link->closing)
        filter_moved(link);
}

/* Moves what the machine has to say into the filter, as much as that takes at once. */
static void fill_filter(cqln_link *link)
{
    cqln_filter *f = link->filter;
    const uint8_t *bytes;
    size_t len;
    while (f->state == CQLN_FILTER_OPEN && cqln_conn_output(link->conn, &bytes, &len)) {
        size_t n = f->ops->write(f, bytes, len);
        if (n == 0)
            return;
        link->sealed++;
        cqln_conn_sent(link->conn, n);
    }
}

/* As without a filter: one write for all that was submitted in a turn, several only for very much. */
static void flush_filter(cqln_link *link)
{
    cqln_filter *f = link->filter;
    const uint8_t *bytes;
    size_t len;
    for (;;) {
        fill_filter(link);
        if (!f->ops->output(f, &bytes, &len))
            break;
        if (link->traffic)
            count_bytes(&link->traffic->out, len);
        if (!link->loop->io->ops->write(link->stream, bytes, len)) {
            link->writing = len;
            break;
        }
        f->ops->sent(f);
    }
    if (f->state == CQLN_FILTER_FAILED)
        filter_moved(link);
}

/* --- what the stream says -------------------------------------------------------------------------- */

static void on_connected(void *user, cql_status st, const char *reason)
{
    cqln_link *link = user;
    if (link->closing)
        return;
    tell_dialled(link, st == CQL_OK);
    if (st) {
        cqln_conn_transport_lost(link->conn, st, reason);
    } else if (link->filter) {
        link->filter->ops->start(link->filter);
        filter_moved(link);
        return;
    } else {
        cqln_conn_start(link->conn, cqln_loop_now(link->loop));
    }
    pump(link);
}

static void on_space(void *user, uint8_t **ptr, size_t *cap)
{
    cqln_link *link = user;
    if (link->filter)
        link->filter->ops->space(link->filter, ptr, cap);
    else
        cqln_conn_space(link->conn, ptr, cap);
}

static void on_received(void *user, size_t n)
{
    cqln_link *link = user;
    if (link->closing)
        return;
    if (link->traffic)
        count_bytes(&link->traffic->in, n);
    if (link->filter) {
        filter_received(link, n);
    } else {
        cqln_conn_commit(link->conn, n, cqln_loop_now(link->loop));
        pump(link);
    }
    if (!link->closing) {
        show_in_flight(link, cqln_conn_in_flight(link->conn));
        link->events->idle(link);
    }
}

static void on_written(void *user)
{
    cqln_link *link = user;
    size_t len = link->writing;
    link->writing = 0;
    if (link->closing)
        return;
    if (!link->filter) {
        cqln_conn_sent(link->conn, len);
        mark_dirty(link);
        return;
    }
    link->filter->ops->sent(link->filter);
    if (cqln_list_empty(&link->dirty)) /* the filter takes so much at once: the machine may hold more */
        cqln_list_push(&link->loop->dirty, &link->dirty);
}

static void on_lost(void *user, cql_status st, const char *reason)
{
    cqln_link *link = user;
    if (link->closing)
        return;
    if (link->filter)
        reason = link->filter->ops->lost(link->filter, &st, reason);
    cqln_conn_transport_lost(link->conn, st, reason);
    pump(link);
}

/* Answers that were already here when the link was closed still reach their owners; the closed event
 * at their end makes the machine hand out the others. */
static void finish(cqln_link *link)
{
    cqln_conn_event ev;
    while (cqln_conn_next(link->conn, &ev))
        if (ev.kind == CQLN_CONN_EV_RESPONSE)
            link->events->response(link, &ev);
    show_in_flight(link, 0);
    link->events->closed(link);
    cqln_conn_free(link->conn);
    if (link->filter)
        link->filter->ops->free(link->filter);
    cqln_free(link->loop->al, link->stamps);
    cqln_free(link->loop->al, link);
}

static void on_closed(void *user)
{
    finish(user);
}

static void on_finish(cqln_deferred *d)
{
    finish(CQLN_CONTAINER(d, cqln_link, finish));
}

void cqln_link_flush(cqln_link *link)
{
    const uint8_t *bytes;
    size_t len;
    if (link->closing || link->writing || !link->stream)
        return;
    show_in_flight(link, cqln_conn_in_flight(link->conn));
    if (link->filter) {
        flush_filter(link);
        return;
    }
    while (cqln_conn_output(link->conn, &bytes, &len)) {
        link->sealed++;
        if (link->traffic)
            count_bytes(&link->traffic->out, len);
        if (!link->loop->io->ops->write(link->stream, bytes, len)) {
            link->writing = len;
            return;
        }
        cqln_conn_sent(link->conn, len);
    }
}

/* False when a filter is wanted and cannot be had: then the link ends in the next turn. */
static bool make_filter(cqln_link *link)
{
    cqln_loop *loop = link->loop;
    char why[CQLN_FILTER_REASON] = "";
    if (!loop->filter)
        return true;
    cql_status st = loop->filter(loop->filter_user, &link->address, &link->filter, why);
    if (!st)
        return true;
    cqln_conn_transport_lost(link->conn, st, why);
    begin_close(link);
    return false;
}

/* False when nobody knows where to connect to: then the link ends in the next turn. */
static bool find_way(cqln_link *link)
{
    cqln_loop *loop = link->loop;
    char why[CQLN_FILTER_REASON] = "";
    link->real = link->address;
    cql_status st =
        loop->dial ? loop->dial(loop->dial_user, &link->address, &link->real, why) : CQL_OK;
    if (!st)
        return true;
    cqln_conn_transport_lost(link->conn, st, why);
    begin_close(link);
    return false;
}

cql_status cqln_link_open(cqln_loop *loop, const cqln_address *to, const cqln_conn_config *config,
                          uint32_t timeout_ms, const cqln_link_events *events, void *user,
                          cqln_link **out)
{
    static const cqln_stream_events stream_events = {on_connected, on_space, on_received,
                                                     on_written,   on_lost,  on_closed};
    cqln_link *link = cqln_alloc_zero(loop->al, sizeof *link);
    if (!link)
        return CQL_NO_MEMORY;
    link->loop = loop;
    link->events = events;
    link->user = user;
    link->address = *to;
    cqln_address_print(to, link->address_text);
    link->host = cql_str_of(link->address_text);
    cqln_list_init(&link->dirty);
    cqln_deadline_init(&link->deadline, on_deadline);
    cqln_deferred_init(&link->finish, on_finish);
    cqln_conn_config with_host = *config;
    with_host.host = link->host;
    link->stamps = cqln_alloc_array(loop->al, (size_t)config->max_streams + 1, sizeof *link->stamps);
    cql_status st = link->stamps ? cqln_conn_new(&with_host, &link->conn) : CQL_NO_MEMORY;
    if (st)
        goto fail_link;
    link->give_up_at = cqln_loop_now(loop) + timeout_ms;
    *out = link;
    if (!find_way(link) || !make_filter(link))
        return CQL_OK; /* the closed event says why */
    st = loop->io->ops->connect(loop->io, &link->real, &stream_events, link, &link->stream);
    if (st && loop->io->why) {
        cqln_conn_transport_lost(link->conn, st, loop->io->why);
        begin_close(link);
        return CQL_OK;
    }
    if (st)
        goto fail_conn;
    set_deadline(link);
    return CQL_OK;
fail_conn:
    *out = NULL;
    if (link->filter)
        link->filter->ops->free(link->filter);
    cqln_conn_free(link->conn);
fail_link:
    cqln_free(loop->al, link->stamps);
    cqln_free(loop->al, link);
    return st;
}

void cqln_link_fail(cqln_link *link, cql_status st, const char *reason)
{
    if (link->closing)
        return;
    cqln_conn_transport_lost(link->conn, st, reason);
    begin_close(link);
}

void cqln_link_close(cqln_link *link, const char *reason)
{
    cqln_link_fail(link, CQL_CLOSED, reason);
}
