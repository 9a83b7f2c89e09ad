/* link.h: one connection at work: the machine of lib/conn on a stream of the io, with its time. */
#ifndef CQLN_NET_LINK_H
#define CQLN_NET_LINK_H

#include "conn/conn.h"
#include "net/filter.h"
#include "net/loop.h"

#include <stdatomic.h>

typedef struct cqln_link cqln_link;

/* What goes over a link or several; written on the loop's thread, read on any. */
typedef struct cqln_traffic {
    _Atomic(uint64_t) in;  /* bytes */
    _Atomic(uint64_t) out;
    _Atomic(uint32_t) in_flight; /* requests, as of the end of the last read or write */
} cqln_traffic;

/* All on the loop's thread. A handler may submit, orphan and close anything. */
typedef struct cqln_link_events {
    void (*ready)(cqln_link *link);
    void (*response)(cqln_link *link, const cqln_conn_event *event);
    void (*push)(cqln_link *link, const cqln_conn_event *event);
    void (*idle)(cqln_link *link); /* after a read was worked off: streams may be free again */
    /* The end: once, in a turn after the cause, also when connecting failed. Owners whose answers
     * never came are taken with cqln_conn_take_owner(link->conn); the link is gone afterwards. */
    void (*closed)(cqln_link *link);
    /* An answer whose request was given up; NULL: nobody wants to know. */
    void (*late)(cqln_link *link, const cqln_conn_event *event);
} cqln_link_events;

struct cqln_link {
    cqln_list dirty; /* in the loop's list while it has bytes to write */
    cqln_loop *loop;
    cqln_conn *conn;
    cqln_stream *stream;
    cqln_filter *filter; /* NULL: bytes go as they are */
    const cqln_link_events *events;
    void *user;
    cqln_deadline deadline;  /* connecting, handshake, heartbeat */
    cqln_deferred finish;    /* for links that never got a stream */
    uint64_t give_up_at;     /* connect and handshake together */
    uint64_t sealed;         /* count of flushes: what was submitted before may have left */
    cql_str host;   /* view of address_text */
    uint32_t *stamps;      /* by stream id: when it was taken, in microseconds that wrap */
    cqln_traffic *traffic; /* NULL: not counted; set right after cqln_link_open */
    uint32_t shown;        /* its part of traffic->in_flight */
    size_t writing; /* bytes of the conn, or of the filter, that the transport still holds */
    bool reached;   /* the stream: somebody is there */
    bool started;   /* the machine: the filter's handshake is done */
    bool closing;
    bool ready;
    cqln_address address;
    cqln_address real; /* where the stream goes: differs when the loop says so */
    char address_text[CQLN_ADDRESS_TEXT];
};

/* Begins to connect. CQL_NO_MEMORY, or what the io says; then there is no link and no event. */
cql_status cqln_link_open(cqln_loop *loop, const cqln_address *to, const cqln_conn_config *config,
                          uint32_t timeout_ms, const cqln_link_events *events, void *user,
                          cqln_link **out);
/* Ends it; the fault is CQL_CLOSED with this reason unless it had one already. The closed event
 * follows. Closing twice is harmless. */
void cqln_link_close(cqln_link *link, const char *reason);
/* The same with another status than CQL_CLOSED. */
void cqln_link_fail(cqln_link *link, cql_status st, const char *reason);
/* Takes requests? */
static inline bool cqln_link_usable(const cqln_link *link)
{
    return link->ready && !link->closing;
}

/* As cqln_conn_submit, and the bytes leave at the end of this turn. *mark: see cqln_link_written. now_us: of
 * cqln_loop_us. */
static inline cql_status cqln_link_submit_at(cqln_link *link, const uint8_t *envelope, size_t len,
                                             void *owner, int16_t *stream, uint64_t *mark,
                                             uint32_t now_us)
{
    cql_status st = cqln_conn_submit(link->conn, envelope, len, owner, stream);
    if (st)
        return st;
    *mark = link->sealed;
    link->stamps[*stream] = now_us;
    if (cqln_list_empty(&link->dirty))
        cqln_list_push(&link->loop->dirty, &link->dirty);
    return CQL_OK;
}

static inline cql_status cqln_link_submit(cqln_link *link, const uint8_t *envelope, size_t len,
                                          void *owner, int16_t *stream, uint64_t *mark)
{
    return cqln_link_submit_at(link, envelope, len, owner, stream, mark,
                               (uint32_t)cqln_loop_us(link->loop));
}

/* Nobody waits for the answer on this stream any more; the server may owe it because it is gone. */
void cqln_link_orphan(cqln_link *link, int16_t stream);

/* How long the answer to this stream took, in the handler of its response. */
static inline uint32_t cqln_link_took_us(const cqln_link *link, int16_t stream)
{
    return (uint32_t)cqln_loop_us(link->loop) - link->stamps[stream];
}

/* May the bytes submitted with this mark have left? */
static inline bool cqln_link_written(const cqln_link *link, uint64_t mark)
{
    return link->sealed != mark;
}

/* Writes what is queued; the loop calls it once a turn. */
void cqln_link_flush(cqln_link *link);

#endif
