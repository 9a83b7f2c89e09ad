/* conn.h: one connection as a machine without I/O: bytes in, bytes out, the next deadline, the next
 * event. Whoever owns it moves the bytes and the time. One thread at a time; no clock, no sockets.
 *
 *      space/commit --> inbound (segments, envelopes) --> next(event)
 *      submit ------> outbound (segments, lz4) ------> output/sent
 *
 * User code never runs inside the machine: events are pulled, and whoever handles one may submit more
 * requests, orphan streams or drop the connection. */
#ifndef CQLN_CONN_CONN_H
#define CQLN_CONN_CONN_H

#include "base/log.h"
#include "base/rcbuf.h"
#include "msg/request.h"
#include "msg/response.h"

typedef struct cqln_conn cqln_conn;

/* Copied; what it points at is borrowed: the allocator until cqln_conn_free, texts until the ready or
 * the closed event. */
typedef struct cqln_conn_config {
    const cql_allocator *al;
    const cqln_log *log;
    uint8_t version;              /* 4 or 5 */
    bool lz4;                     /* ask for it when the server offers it */
    unsigned event_kinds;         /* CQLN_EVENT_ bits to register for; 0: none */
    cql_str keyspace;             /* USE it during the handshake; empty: none */
    const char *user;             /* NULL: no credentials */
    const char *password;
    bool encrypted;               /* the transport is; for messages and authenticators */
    bool auth_allowed;            /* may the credentials go over this transport? */
    const char *auth_classes;     /* more authenticators that get the password; commas between */
    const struct cql_authenticator *authenticator; /* in place of user and password; NULL: none */
    cql_str host;                 /* "address:port", for authenticators */
    const char *driver_name;
    const char *driver_version;
    uint32_t max_streams;         /* in-flight requests, 1..32767 */
    size_t read_buffer;           /* bytes to begin with; grows to one segment where v5 needs it */
    size_t max_body;              /* cap on a response body, decompressed */
    size_t max_output;            /* cap on bytes waiting to be written */
    uint32_t heartbeat_ms;        /* idle time before a probe; 0: none */
    uint32_t heartbeat_timeout_ms;
} cqln_conn_config;

typedef enum cqln_conn_state {
    CQLN_CONN_HANDSHAKE,
    CQLN_CONN_OPEN,
    CQLN_CONN_DEAD /* the closed event was made; nothing goes in or out any more */
} cqln_conn_state;

typedef enum cqln_conn_event_kind {
    CQLN_CONN_EV_READY,    /* the handshake is done */
    CQLN_CONN_EV_RESPONSE, /* an answer to `owner`; its stream id is free again */
    CQLN_CONN_EV_LATE,     /* an answer to an orphaned stream came and was dropped */
    CQLN_CONN_EV_PUSH,     /* an EVENT of the server */
    CQLN_CONN_EV_CLOSED    /* the last event; see cqln_conn_fault. Streams still in flight are the
                            * owner's to fail: cqln_conn_take_owner hands them out */
} cqln_conn_event_kind;

/* In place of the opcode of an answer that was passed over as it came, for want of room. */
enum { CQLN_CONN_UNREAD = 0xff };

typedef struct cqln_conn_event {
    cqln_conn_event_kind kind;
    uint8_t opcode;
    uint8_t flags;       /* of the header */
    uint8_t version;
    int16_t stream;
    cql_status status;   /* UNREAD: CQL_TOO_LARGE (its body is over max_body) or CQL_NO_MEMORY */
    void *owner;         /* what was given to submit */
    const uint8_t *body; /* good until the next call of next, space, commit or free; UNREAD: NULL */
    size_t len;          /* UNREAD: what it would have been, or was as lz4 */
    cqln_rcbuf *block;   /* the counted block that holds the body, NULL when it is a slice of the read
                          * buffer. Borrowed: ref it to keep the body without a copy */
} cqln_conn_event;

/* Why the connection ended, or the handshake failed. */
typedef struct cqln_conn_fault {
    cql_status status;    /* CQL_CLOSED, CQL_MALFORMED, CQL_BAD_CHECKSUM, CQL_BAD_VERSION,
                           * CQL_AUTH_FAILED, CQL_TIMEOUT, CQL_UNEXPECTED, CQL_NO_MEMORY,
                           * CQL_TOO_LARGE (a body over max_body that no request waits for, or beyond
                           * all measure) or a server status (bad credentials, invalid keyspace, …) */
    int16_t stream;       /* TOO_LARGE: of the answer that was; else 0 */
    char detail[512];     /* for people: what and where; escaped */
    uint8_t server_version; /* BAD_VERSION: highest stable version that the server named, 0 unknown;
                             * it may be above the one that was refused */
} cqln_conn_fault;

cql_status cqln_conn_new(const cqln_conn_config *config, cqln_conn **out);
void cqln_conn_free(cqln_conn *c); /* NULL is fine; wipes what held credentials */

/* The transport is up: queues OPTIONS. now: milliseconds. */
void cqln_conn_start(cqln_conn *c, uint64_t now);

/* --- bytes in ------------------------------------------------------------------------------------
 * Where the next bytes go (at least one byte of room unless dead), then how many came. A body too
 * large for the read buffer is received straight into its own block; one that a request waits for and
 * that is over max_body, or finds no memory, takes none. Pull all events before the next
 * space: a buffer full of answers that nobody took has to grow. */
void cqln_conn_space(cqln_conn *c, uint8_t **ptr, size_t *cap);
void cqln_conn_commit(cqln_conn *c, size_t n, uint64_t now);
/* The transport ended or failed: status and reason go into the fault. cqln_conn_next still hands out
 * the answers that had come whole (not in the handshake), then the closed event. */
void cqln_conn_transport_lost(cqln_conn *c, cql_status status, const char *reason);
/* The next event; false when there is none until more bytes or time come. */
bool cqln_conn_next(cqln_conn *c, cqln_conn_event *event);

/* --- bytes out ------------------------------------------------------------------------------- */
/* Queues a whole envelope as the encoders make them (copied; the stream id is put into the copy).
 * CQL_NO_STREAM: no id free. CQL_WOULD_BLOCK: max_output reached. CQL_BAD_STATE: not open.
 * CQL_NO_MEMORY. *stream is the id, for cqln_conn_orphan. A request into an empty queue always fits.
 * owner is not NULL. */
cql_status cqln_conn_submit(cqln_conn *c, const uint8_t *envelope, size_t len, void *owner,
                            int16_t *stream);
/* Bytes to be written now, in order; false when there are none. The memory is stable until
 * cqln_conn_sent has taken all of it; requests submitted meanwhile are gathered for the next call, so
 * one call per loop turn makes one write per loop turn. */
bool cqln_conn_output(cqln_conn *c, const uint8_t **ptr, size_t *len);
void cqln_conn_sent(cqln_conn *c, size_t n);
/* True when submit queued something that output has not handed out. */
bool cqln_conn_has_output(const cqln_conn *c);

/* --- streams --------------------------------------------------------------------------------- */
/* The owner gives up on its answer: the id stays taken until the answer comes (then
 * CQLN_CONN_EV_LATE), so that it cannot reach a later request. */
void cqln_conn_orphan(cqln_conn *c, int16_t stream);
uint32_t cqln_conn_in_flight(const cqln_conn *c); /* with orphans */
/* Where that number is, as long as the connection: read without a call. */
const uint32_t *cqln_conn_in_flight_at(const cqln_conn *c);
uint32_t cqln_conn_orphans(const cqln_conn *c);
uint32_t cqln_conn_free_streams(const cqln_conn *c);
/* Who waits for the answer on a stream; NULL: nobody. */
void *cqln_conn_owner(const cqln_conn *c, int16_t stream);
/* After the closed event: one owner after the other whose answer never came; NULL at the end. */
void *cqln_conn_take_owner(cqln_conn *c);

/* --- time and state -------------------------------------------------------------------------- */
/* When bytes last came; before any did: when it was started. */
uint64_t cqln_conn_heard_at(const cqln_conn *c);
/* When cqln_conn_tick wants to be called; UINT64_MAX: never. */
uint64_t cqln_conn_deadline(const cqln_conn *c);
/* A request was given up although its answer is still owed: with nothing else heard either, the next heartbeat comes
 * sooner. True when cqln_conn_deadline is another one by it. */
bool cqln_conn_unanswered(cqln_conn *c, uint64_t now);
/* Sends the heartbeat or declares the connection dead. Only reads count as a sign of life: a whole
 * envelope or segment, or steady progress in one; a byte now and then does not. A tick far behind its
 * time puts the verdict off once: read from the transport first, then tick. */
void cqln_conn_tick(cqln_conn *c, uint64_t now);
cqln_conn_state cqln_conn_state_of(const cqln_conn *c);
uint8_t cqln_conn_version(const cqln_conn *c);
/* Credentials are set, and the server did not ask for any. */
bool cqln_conn_unasked(const cqln_conn *c);
bool cqln_conn_compressed(const cqln_conn *c);
const cqln_conn_fault *cqln_conn_fault_of(const cqln_conn *c);

#endif
