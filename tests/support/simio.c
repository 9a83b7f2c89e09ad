/* The simulated io: one sorted list of things to come. */
#include "simio.h"

#include <stdlib.h>
#include <string.h>

typedef enum event_kind {
    EVENT_CONNECT,  /* the outcome of a connect */
    EVENT_TO_NODE,  /* bytes reach the node */
    EVENT_TO_CLIENT,
    EVENT_WRITTEN,  /* a spilled write is done */
    EVENT_LOST,     /* the connection ends under the client */
    EVENT_CLOSED,   /* the client's close is done */
    EVENT_RELEASE,  /* an answer that the node held back goes out */
    EVENT_LOOKUP
} event_kind;

typedef struct event {
    cqln_list link;
    uint64_t at;
    uint64_t order;
    event_kind kind;
    struct cqln_stream *stream;
    struct cqln_lookup *lookup;
    uint8_t *bytes;
    size_t len;
    uint64_t seen; /* to the node: bytes from it that the client had when it wrote these */
} event;

struct cqln_stream {
    cqln_list link;
    simio *s;
    size_t node; /* index; MOCK_NODES: nobody has that address */
    const cqln_stream_events *ev;
    void *user;
    mockconn conn;
    bool connected;
    bool closing;
    bool dead;             /* nothing passes any more */
    bool releasing;        /* a release is on its way */
    uint64_t seen;         /* bytes that reached the client */
    uint64_t to_node_at;   /* the last delivery, so that order is kept */
    uint64_t to_client_at;
};

struct cqln_lookup {
    cqln_lookup_cb cb;
    void *user;
    uint16_t port;
    bool second;
    bool both;
};

/* --- the list of things to come ------------------------------------------------------------------- */

static event *add_event(simio *s, event_kind kind, uint64_t at, cqln_stream *stream)
{
    event *e = calloc(1, sizeof *e);
    e->at = at;
    e->order = s->order++;
    e->kind = kind;
    e->stream = stream;
    cqln_list *before = s->events.prev; /* most events are later than all others */
    while (before != &s->events && CQLN_CONTAINER(before, event, link)->at > at)
        before = before->prev;
    e->link.prev = before;
    e->link.next = before->next;
    before->next->prev = &e->link;
    before->next = &e->link;
    return e;
}

static void free_event(event *e)
{
    cqln_list_remove(&e->link);
    free(e->bytes);
    free(e);
}

static void drop_events_of(simio *s, const cqln_stream *stream, bool all)
{
    for (cqln_list *l = s->events.next; l != &s->events;) {
        event *e = CQLN_CONTAINER(l, event, link);
        l = l->next;
        if (e->stream == stream && (all || e->kind != EVENT_CLOSED))
            free_event(e);
    }
}

static uint64_t delay(simio *s)
{
    return 1 + cqln_rand_below(&s->rand, s->max_delay);
}

/* Bytes in chunks, each later than the one before it. */
static void send_chunks(simio *s, cqln_stream *st, event_kind kind, const uint8_t *bytes, size_t len,
                        uint64_t *last)
{
    while (len) {
        size_t n = 1 + (size_t)cqln_rand_below(&s->rand, s->max_chunk);
        if (n > len)
            n = len;
        uint64_t at = s->now + delay(s);
        if (kind == EVENT_TO_CLIENT && st->node < MOCK_NODES)
            at += s->hosts[st->node].delay_ms;
        if (at < *last)
            at = *last;
        *last = at;
        event *e = add_event(s, kind, at, st);
        e->bytes = malloc(n);
        memcpy(e->bytes, bytes, n);
        e->len = n;
        e->seen = st->seen;
        bytes += n;
        len -= n;
    }
}

/* --- the io --------------------------------------------------------------------------------------- */

static simio *of(cqln_io *io)
{
    return (simio *)io;
}

static uint64_t io_now(cqln_io *io)
{
    return of(io)->now;
}

static uint64_t io_now_us(cqln_io *io)
{
    return of(io)->now * 1000;
}

static int64_t io_wall(cqln_io *io)
{
    simio *s = of(io);
    s->wall_ahead += s->wall_step;
    return (int64_t)s->now * 1000 + 1700000000000000 + s->wall_ahead;
}

static uint64_t io_random(cqln_io *io)
{
    return cqln_rand_next(&of(io)->rand);
}

static bool io_on_loop(cqln_io *io)
{
    (void)io;
    return true;
}

static void io_wake(cqln_io *io)
{
    of(io)->woken = true;
}

static void io_timer_at(cqln_io *io, uint64_t at)
{
    of(io)->timer = at;
}

static cql_status io_connect(cqln_io *io, const cqln_address *to, const cqln_stream_events *ev,
                             void *user, cqln_stream **out)
{
    simio *s = of(io);
    cqln_stream *st = calloc(1, sizeof *st);
    st->s = s;
    st->ev = ev;
    st->user = user;
    st->node = MOCK_NODES;
    for (size_t i = 0; i < MOCK_NODES; i++)
        if (cqln_address_equal(&s->mc->nodes[i].address, to))
            st->node = i;
    cqln_list_push(&s->streams, &st->link);
    s->connects++;
    add_event(s, EVENT_CONNECT, s->now + delay(s), st);
    *out = st;
    return CQL_OK;
}

static bool io_write(cqln_stream *st, const uint8_t *bytes, size_t len)
{
    simio *s = st->s;
    s->writes++;
    if (st->dead)
        return true; /* the loss is on its way */
    send_chunks(s, st, EVENT_TO_NODE, bytes, len, &st->to_node_at);
    if (len <= s->send_room)
        return true;
    add_event(s, EVENT_WRITTEN, s->now + delay(s), st);
    return false;
}

static void io_close(cqln_stream *st)
{
    if (st->closing)
        return;
    st->closing = true;
    st->dead = true;
    drop_events_of(st->s, st, false);
    add_event(st->s, EVENT_CLOSED, st->s->now, st);
}

static cql_status io_resolve(cqln_io *io, const char *host, uint16_t port, cqln_lookup_cb cb,
                             void *user, cqln_lookup **out)
{
    simio *s = of(io);
    if (strcmp(host, "never.test") == 0)
        return CQL_SYSTEM;
    cqln_lookup *l = calloc(1, sizeof *l);
    l->cb = cb;
    l->user = user;
    bool lost = strcmp(host, "unknown.test") == 0 || (s->lost_name && strcmp(host, s->lost_name) == 0);
    l->port = lost ? 0 : port;
    l->second = strcmp(host, "second.test") == 0;
    l->both = strcmp(host, "both.test") == 0;
    uint64_t ms = strcmp(host, "slow.test") == 0 ? 10000 : delay(s);
    add_event(s, EVENT_LOOKUP, s->now + ms, NULL)->lookup = l;
    *out = l;
    return CQL_OK;
}

static void io_forget(cqln_lookup *l)
{
    l->cb = NULL;
}

static void io_end(cqln_io *io)
{
    of(io)->ended = true;
}

void simio_init(simio *s, mockcluster *mc, uint64_t seed)
{
    static const cqln_io_ops ops = {io_now,     io_wall,  io_random, io_on_loop, io_wake,   io_timer_at,
                                    io_connect, io_write, io_close,  io_resolve, io_forget, io_end,
                                    io_now_us};
    memset(s, 0, sizeof *s);
    s->io.ops = &ops;
    s->mc = mc;
    s->now = 1000;
    s->timer = UINT64_MAX;
    s->max_delay = 3;
    s->max_chunk = 4096;
    s->max_late = 30;
    s->send_room = 1 << 16;
    cqln_rand_seed(&s->rand, seed);
    cqln_list_init(&s->streams);
    cqln_list_init(&s->events);
}

static void free_stream(cqln_stream *st)
{
    cqln_list_remove(&st->link);
    if (st->connected)
        mockconn_fini(&st->conn);
    free(st);
}

void simio_fini(simio *s)
{
    while (!cqln_list_empty(&s->events)) {
        event *e = CQLN_CONTAINER(s->events.next, event, link);
        free(e->lookup);
        free_event(e);
    }
    while (!cqln_list_empty(&s->streams))
        free_stream(CQLN_CONTAINER(s->streams.next, cqln_stream, link));
}

/* --- what happens --------------------------------------------------------------------------------- */

static void lose(simio *s, cqln_stream *st, uint64_t at)
{
    if (st->dead)
        return;
    st->dead = true;
    drop_events_of(s, st, false);
    add_event(s, EVENT_LOST, at, st);
}

static void flush_node(simio *s, cqln_stream *st)
{
    if (st->conn.out.len) {
        send_chunks(s, st, EVENT_TO_CLIENT, st->conn.out.data, st->conn.out.len,
                    &st->to_client_at);
        cqln_writer_reset(&st->conn.out);
    }
    if (st->conn.broken) {
        lose(s, st, s->now + delay(s));
    } else if (st->conn.late.len && !st->releasing) {
        st->releasing = true;
        add_event(s, EVENT_RELEASE, s->now + 1 + cqln_rand_below(&s->rand, s->max_late), st);
    }
}

static unsigned served(const simio *s, size_t node)
{
    unsigned n = 0;
    for (cqln_list *l = s->streams.next; l != &s->streams; l = l->next) {
        const cqln_stream *st = CQLN_CONTAINER(l, cqln_stream, link);
        n += st->node == node && st->connected && !st->dead && !st->closing;
    }
    return n;
}

static void on_connect(simio *s, cqln_stream *st)
{
    if (st->node >= MOCK_NODES || s->hosts[st->node].down) {
        st->ev->connected(st->user, CQL_CONNECT_FAILED, "connection refused");
        return;
    }
    unsigned most = s->hosts[st->node].most;
    bool full = most && served(s, st->node) >= most;
    mockconn_init(&st->conn, &s->mc->nodes[st->node]);
    st->connected = true;
    if (s->hosts[st->node].slams || full)
        lose(s, st, s->now + 1);
    st->ev->connected(st->user, CQL_OK, "");
}

static void deliver(cqln_stream *st, const uint8_t *bytes, size_t len)
{
    while (len && !st->closing) {
        uint8_t *room;
        size_t cap;
        st->ev->space(st->user, &room, &cap);
        size_t n = len < cap ? len : cap;
        memcpy(room, bytes, n);
        st->seen += n;
        st->ev->received(st->user, n);
        bytes += n;
        len -= n;
    }
}

static void on_lookup(simio *s, cqln_lookup *l)
{
    if (l->cb && l->port && l->both) {
        const cqln_address both[] = {s->mc->nodes[s->named].address, s->mc->nodes[s->named + 1].address};
        l->cb(l->user, both, 2, "");
    } else if (l->cb && l->port)
        l->cb(l->user, &s->mc->nodes[s->named + l->second].address, 1, "");
    else if (l->cb)
        l->cb(l->user, NULL, 0, "unknown node or service");
    free(l);
}

static void happen(simio *s, event *e)
{
    cqln_stream *st = e->stream;
    switch (e->kind) {
    case EVENT_CONNECT:
        if (st->node < MOCK_NODES && s->hosts[st->node].frozen)
            break; /* accepted by the kernel at best: no answer ever comes */
        on_connect(s, st);
        break;
    case EVENT_TO_NODE:
        st->conn.seen = e->seen;
        mockconn_feed(&st->conn, e->bytes, e->len);
        flush_node(s, st);
        break;
    case EVENT_RELEASE:
        st->releasing = false;
        mockconn_release(&st->conn);
        flush_node(s, st);
        break;
    case EVENT_TO_CLIENT:
        deliver(st, e->bytes, e->len);
        break;
    case EVENT_WRITTEN:
        st->ev->written(st->user);
        break;
    case EVENT_LOST:
        s->lost++;
        st->ev->lost(st->user, CQL_CLOSED, "connection reset by peer");
        break;
    case EVENT_CLOSED:
        st->ev->closed(st->user);
        drop_events_of(s, st, true);
        free_stream(st);
        break;
    case EVENT_LOOKUP:
        on_lookup(s, e->lookup);
        break;
    }
}

/* Bytes to and from a frozen node wait until it is thawed. */
static bool held(simio *s, const event *e)
{
    return e->stream && e->stream->node < MOCK_NODES && s->hosts[e->stream->node].frozen &&
           (e->kind == EVENT_TO_NODE || e->kind == EVENT_TO_CLIENT || e->kind == EVENT_RELEASE);
}

static event *first_event(simio *s)
{
    for (cqln_list *l = s->events.next; l != &s->events; l = l->next) {
        event *e = CQLN_CONTAINER(l, event, link);
        if (!held(s, e))
            return e;
    }
    return NULL;
}

bool simio_step(simio *s, uint64_t until)
{
    if (s->ended) {
        s->ended = false;
        s->io.events->ended(s->io.user);
        return false;
    }
    if (s->woken) {
        s->woken = false;
        s->io.events->woken(s->io.user);
        s->io.events->turn(s->io.user);
        return true;
    }
    s->io.events->turn(s->io.user);
    event *e = first_event(s);
    uint64_t next = e ? e->at : UINT64_MAX;
    if (s->timer < next || (s->timer == next && s->timer <= s->now)) {
        if (s->timer > until)
            return false;
        if (s->timer > s->now)
            s->now = s->timer;
        s->timer = UINT64_MAX;
        s->timers++;
        s->io.events->timer(s->io.user);
        return true;
    }
    if (!e || next > until)
        return false;
    if (next > s->now)
        s->now = next;
    event copy = *e;
    cqln_list_remove(&e->link);
    free(e);
    happen(s, &copy);
    free(copy.bytes);
    return true;
}

void simio_run(simio *s, uint64_t until)
{
    while (simio_step(s, until))
        continue;
    if (s->now < until)
        s->now = until;
}

void simio_cut(simio *s, size_t node)
{
    for (cqln_list *l = s->streams.next; l != &s->streams; l = l->next) {
        cqln_stream *st = CQLN_CONTAINER(l, cqln_stream, link);
        if (st->node == node)
            lose(s, st, s->now);
    }
}

void simio_schema_event(simio *s, const char *change, const char *target, const char *keyspace,
                        const char *name)
{
    for (cqln_list *l = s->streams.next; l != &s->streams; l = l->next) {
        cqln_stream *st = CQLN_CONTAINER(l, cqln_stream, link);
        if (!st->connected || st->dead)
            continue;
        mockconn_schema_event(&st->conn, change, target, keyspace, name);
        flush_node(s, st);
    }
}

void simio_event(simio *s, const char *type, const char *change, size_t node)
{
    for (cqln_list *l = s->streams.next; l != &s->streams; l = l->next) {
        cqln_stream *st = CQLN_CONTAINER(l, cqln_stream, link);
        if (!st->connected || st->dead)
            continue;
        mockconn_event(&st->conn, type, change, &s->mc->nodes[node].address);
        flush_node(s, st);
    }
}
