/* internal.h: the connection's inside, shared by the files of this folder. */
#ifndef CQLN_CONN_INTERNAL_H
#define CQLN_CONN_INTERNAL_H

#include "base/error.h"
#include "conn/conn.h"
#include "conn/streams.h"
#include "wire/compress.h"
#include "wire/segment.h"

#include <cqlnative/auth.h>

enum {
    CQLN_READ_BUFFER_MIN = 64,
    CQLN_BODY_MAX = 256 << 20,  /* the protocol's limit: over it a length is nonsense */
    CQLN_BLOCK_STEP = 1 << 20,  /* a body's block begins with at most this much */
    CQLN_BLOCK_KEEP = 4 << 20,  /* larger blocks are not kept for the next body */
    CQLN_SPARES = 2,            /* one at the program, one being filled */
    CQLN_OUT_KEEP = 256 << 10,  /* an emptied output buffer over this is given back after a burst */
    CQLN_OUT_IDLE = 16 << 10,   /* and on an idle connection over this */
    CQLN_LZ4_BODY_MIN = 512,    /* v4: smaller bodies are not worth trying */
    CQLN_LZ4_SEGMENT_MIN = 128, /* v5: nor are smaller payloads */
    CQLN_LIFE_BYTES = 16 << 10, /* of an unfinished envelope that count as a sign of life */
    CQLN_AUTH_ROUNDS = 16,
    CQLN_STREAM_EVENT = -1
};

typedef enum cqln_phase {
    CQLN_PHASE_NEW,
    CQLN_PHASE_OPTIONS,
    CQLN_PHASE_STARTUP,
    CQLN_PHASE_AUTH,
    CQLN_PHASE_REGISTER,
    CQLN_PHASE_USE,
    CQLN_PHASE_DONE
} cqln_phase;

/* An envelope that is put together in a block of its own: too large for the read buffer (unframed),
 * or cut over several segments (v5). */
typedef struct cqln_gather {
    bool active;
    uint8_t header_len; /* of header; 9 once it is whole */
    uint8_t header[CQLN_FRAME_HEADER];
    cql_status unread; /* not CQL_OK: why there is no room for the body, which is passed over */
    cqln_rcbuf *block; /* NULL while the body is empty, and for one that is passed over */
    uint8_t *data;     /* of block */
    size_t cap;
    size_t filled;
    size_t want; /* length of the body */
} cqln_gather;

/* Bytes at..end of the buffer have come and are not consumed. On v5, while `in_segment` is set,
 * `at` is the start of a segment whose checksums are right, next_at its end, and pay_at..pay_end
 * what is left of its payload: places in the buffer, or in `scratch` when it was decompressed. */
typedef struct cqln_inbound {
    uint8_t *buf;
    size_t cap;
    size_t at;
    size_t end;
    size_t need; /* bytes from `at` on that the next step wants */
    bool framed; /* v5 behind READY or AUTHENTICATE */
    bool in_segment;
    bool in_scratch;
    size_t pay_at;
    size_t pay_end;
    size_t next_at;
    uint8_t *scratch; /* decompressed bodies and payloads of at most CQLN_SEGMENT_MAX bytes */
    size_t scratch_cap;
    cqln_gather gather;
    cqln_rcbuf *given; /* block of the last event, too large to be kept */
    cqln_rcbuf *spare[CQLN_SPARES];
    uint64_t received; /* bytes since the start, for messages */
} cqln_inbound;

typedef struct cqln_outbuf {
    cqln_writer wr;
    size_t sent;
    bool secret;   /* holds credentials: wiped when emptied */
    uint8_t roomy; /* times in a row that it was emptied and little of it had been used */
} cqln_outbuf;

/* buf[open] gathers; the other one is being written as long as it is not empty. On v5 segment_at is
 * where the header of the open segment will be, and room for its trailer is always reserved. */
typedef struct cqln_outbound {
    cqln_outbuf buf[2];
    unsigned open;
    bool framed;
    bool in_segment;
    bool plain_segment; /* holds credentials: not compressed, so that no copy is made */
    size_t segment_at;
    size_t limit;     /* length up to which the open buffer takes envelopes as they are */
    uint8_t *scratch; /* for a compressed payload */
} cqln_outbound;

/* A log-in by the program's own authenticator. */
struct cql_auth {
    cqln_conn *conn; /* NULL: none is under way */
    cql_str class_name; /* owned */
    char *token;        /* of the next AUTH_RESPONSE; wiped when it goes */
    size_t token_len;
    void *state; /* the program's */
};

struct cqln_conn {
    cqln_conn_state state;
    cqln_phase phase;
    uint8_t version_byte; /* of every answer */
    uint64_t result_mask; /* which bits of the first eight bytes of a header, loaded as they lie, */
    uint64_t result_head; /* have to be these in a RESULT without flags */
    bool compressed;      /* lz4 agreed */
    bool lost;            /* the transport ended; what has come is still handed out */
    bool close_told;
    bool trim; /* give back what a busy connection keeps, at the next chance */
    uint8_t auth_rounds;
    cql_auth auth;
    bool auth_plain_first; /* the authenticator wants the mechanism's name first */
    bool unasked;          /* there are credentials, and the server let us in without */
    bool probing;          /* a heartbeat is unanswered */
    bool probe_grace;      /* its verdict was put off once, because the caller came late */
    uint32_t progress;     /* bytes since the last sign of life */
    uint64_t read_at;      /* time of the last commit */
    uint64_t alive_at;     /* time of the last sign of life */
    uint64_t probe_at;
    uint64_t unanswered_at; /* when a request was last given up */
    size_t max_body;
    size_t max_output;
    cqln_streams streams;
    cqln_outbound out;
    cqln_inbound in;
    cqln_log log;
    cqln_conn_config config;
    cqln_conn_fault fault;
};

#define CQLN_LIKELY(x)   __builtin_expect(!!(x), 1)
#define CQLN_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Kept out of the functions that every request goes through. */
#define CQLN_SLOW __attribute__((noinline))

/* --- conn.c: the end ------------------------------------------------------------------------- */
/* Ends the connection; the first reason stays. Texts from outside have to be escaped before. */
void cqln_conn_die(cqln_conn *c, cql_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for bytes that make no sense, which also go to the log: at most 64, and none while
 * somebody logs in. */
void cqln_conn_die_bytes(cqln_conn *c, cql_status status, const uint8_t *bytes, size_t n,
                         const char *format, ...) __attribute__((format(printf, 5, 6)));
/* An ERROR that ends the connection. `what` is put before the server's text. */
void cqln_conn_die_server(cqln_conn *c, const cqln_server_error *e, const char *what);
/* Place of the unconsumed bytes in the stream of the connection. */
uint64_t cqln_conn_offset(const cqln_conn *c);

/* --- inbound.c ------------------------------------------------------------------------------- */
cql_status cqln_inbound_init(cqln_conn *c);
void cqln_inbound_fini(cqln_conn *c);
/* The next whole envelope, without kind and owner; false when there is none, or the connection
 * died. */
bool cqln_inbound_next(cqln_conn *c, cqln_conn_event *ev);
/* True when part of an envelope has come. have and want: bytes, want 0 when unknown. */
bool cqln_inbound_partial(const cqln_conn *c, size_t *have, size_t *want);

/* --- segments.c: v5 -------------------------------------------------------------------------- */
bool cqln_segments_next(cqln_conn *c, cqln_conn_event *ev);

/* --- blocks.c: where bodies go that are not slices of the read buffer ------------------------ */
/* Begins the body of the gathered header. Without room for it it will be passed over, or the connection
 * died. */
void cqln_gather_body(cqln_conn *c, size_t want, size_t coming);
/* Makes room for n more bytes of it; false when it is passed over, or the connection died. */
bool cqln_gather_room(cqln_conn *c, size_t n);
/* Hands the gathered envelope out. */
bool cqln_gather_deliver(cqln_conn *c, cqln_conn_event *ev);
/* A block with at least cap bytes, one holder; NULL when memory is out. */
cqln_rcbuf *cqln_block_take(cqln_conn *c, size_t cap);
/* Keeps the holder's share of a delivered block until the next event, and longer if it is of use.
 */
void cqln_block_keep(cqln_conn *c, cqln_rcbuf *b);
/* Room of n bytes (at most CQLN_SEGMENT_MAX) for something decompressed. NULL: out of memory. */
uint8_t *cqln_scratch(cqln_conn *c, size_t n);
void cqln_blocks_drop(cqln_conn *c);

/* Fills the event from a header and judges it; false when the connection died. *len: of the body.
 */
bool cqln_header_refused(cqln_conn *c, const uint8_t *p, const cqln_conn_event *ev, uint32_t len);

enum {
    CQLN_ANSWERS = 1 << CQLN_OP_ERROR | 1 << CQLN_OP_READY | 1 << CQLN_OP_AUTHENTICATE |
                   1 << CQLN_OP_SUPPORTED | 1 << CQLN_OP_RESULT | 1 << CQLN_OP_EVENT |
                   1 << CQLN_OP_AUTH_CHALLENGE | 1 << CQLN_OP_AUTH_SUCCESS
};

/* Is it what a request gets, also one that was given up? Then it concerns nobody else that there is no room
 * for it. */
static inline bool cqln_answers_request(const cqln_conn *c, int16_t stream, uint8_t opcode)
{
    return c->state == CQLN_CONN_OPEN && opcode != CQLN_OP_EVENT &&
           cqln_streams_awaited(&c->streams, stream);
}

static inline void cqln_unread(cqln_conn_event *ev, cql_status why, size_t len)
{
    ev->opcode = CQLN_CONN_UNREAD;
    ev->flags = 0;
    ev->status = why;
    ev->body = NULL;
    ev->len = len;
    ev->block = NULL;
}

/* An answer to a request may be over max_body (*len tells): it is to be passed over. */
static inline bool cqln_header_read(cqln_conn *c, const uint8_t *p, cqln_conn_event *ev,
                                    uint32_t *len)
{
    ev->version = p[0] & 0x7f;
    ev->flags = p[1];
    ev->stream = (int16_t)cqln_load_u16(p + 2);
    ev->opcode = p[4];
    *len = cqln_load_u32(p + 5);
    if (CQLN_LIKELY(p[0] == c->version_byte && *len <= c->max_body && ev->opcode < 32 &&
                    (CQLN_ANSWERS >> ev->opcode & 1)))
        return true;
    return !cqln_header_refused(c, p, ev, *len);
}

/* Where the bytes of whole envelopes are: in the payload of a checked segment, or plainly in the
 * buffer. Takes the next one when all of it is there and it is what nearly all are, a RESULT without flags;
 * false sends the caller to cqln_inbound_next, which judges everything again. */
static inline bool cqln_inbound_quick(cqln_conn *c, cqln_conn_event *ev)
{
    cqln_inbound *in = &c->in;
    bool segment = in->in_segment;
    size_t *at = segment ? &in->pay_at : &in->at;
    size_t have = (segment ? in->pay_end : in->end) - *at;
    if (have < CQLN_FRAME_HEADER || (!segment && (in->framed || in->gather.active)))
        return false;
    const uint8_t *p = (in->in_scratch ? in->scratch : in->buf) + *at;
    uint32_t len = cqln_load_u32(p + 5);
    uint64_t head;
    memcpy(&head, p, sizeof head);
    if ((head & c->result_mask) != c->result_head || len > have - CQLN_FRAME_HEADER ||
        len > c->max_body)
        return false;
    ev->version = c->config.version;
    ev->flags = 0;
    ev->stream = (int16_t)cqln_load_u16(p + 2);
    ev->opcode = CQLN_OP_RESULT;
    ev->body = p + CQLN_FRAME_HEADER;
    ev->len = len;
    ev->block = NULL;
    *at += CQLN_FRAME_HEADER + (size_t)len;
    c->alive_at = c->read_at;
    return true;
}

/* --- outbound.c ------------------------------------------------------------------------------ */
void cqln_outbound_init(cqln_conn *c);
void cqln_outbound_fini(cqln_conn *c);
/* Queues an envelope under a stream id. secret: it holds credentials. CQL_NO_MEMORY. */
cql_status cqln_outbound_put(cqln_conn *c, const uint8_t *envelope, size_t len, uint16_t stream,
                             bool secret);
/* From here on in segments. */
void cqln_outbound_frame(cqln_conn *c);
/* Gives back memory of empty buffers. */
void cqln_outbound_trim(cqln_conn *c);

/* --- handshake.c, login.c, refusal.c --------------------------------------------------------- */
/* An envelope during the handshake; true when it makes an event (ready). */
bool cqln_handshake_answer(cqln_conn *c, cqln_conn_event *ev);
/* "the answer to STARTUP": what the handshake waits for. Static. */
const char *cqln_handshake_waits_for(const cqln_conn *c);
/* Sends what an encoder made, then frees it. */
void cqln_handshake_send(cqln_conn *c, cqln_writer *wr, bool secret);
/* Log-in: AUTHENTICATE, AUTH_CHALLENGE, and an ERROR while it goes on. */
void cqln_login_begin(cqln_conn *c, cql_str class_name);
void cqln_login_challenge(cqln_conn *c, cql_str token);
void cqln_login_success(cqln_conn *c, cql_str token);
void cqln_login_refused(cqln_conn *c, const cqln_server_error *e);
void cqln_login_send(cqln_conn *c, cql_str token, bool secret);

/* --- exchange.c: the program's own authenticator --------------------------------------------- */
void cqln_exchange_begin(cqln_conn *c, cql_str class_name);
void cqln_exchange_challenge(cqln_conn *c, cql_str token);
void cqln_exchange_success(cqln_conn *c, cql_str token);
/* Also when the connection ends first; twice is harmless. */
void cqln_exchange_end(cqln_conn *c);
/* True when an ERROR says that the protocol version is not spoken. *server_version: the highest
 * stable version that it names, 0 when none. header: version byte of the ERROR without the
 * direction bit. */
bool cqln_refusal_of_version(const cqln_server_error *e, uint8_t header, uint8_t ours,
                             uint8_t *server_version);

/* --- heartbeat.c ----------------------------------------------------------------------------- */
/* An envelope on stream 0 of an open connection. */
void cqln_heartbeat_answer(cqln_conn *c, const cqln_conn_event *ev);

#endif
