/* Bytes out: two buffers that take turns. One gathers requests; the other is being written and does
 * not move. v5 packs the envelopes of one flush into self-contained segments and cuts larger ones.
 *
 *   v5, open buffer:  done segments | room for a header | envelopes ..  (room for the trailer)
 *                                   ^ segment_at */
#include "conn/internal.h"

#include <assert.h>

enum { ROOMY_TIMES = 16 };

void cqln_outbound_init(cqln_conn *c)
{
    for (int i = 0; i < 2; i++)
        cqln_writer_init(&c->out.buf[i].wr, c->config.al, SIZE_MAX);
}

static void wipe(cqln_outbuf *b)
{
    if (b->secret)
        cqln_wipe(b->wr.data, b->wr.cap);
    b->secret = false;
}

void cqln_outbound_fini(cqln_conn *c)
{
    for (int i = 0; i < 2; i++) {
        wipe(&c->out.buf[i]);
        cqln_writer_fini(&c->out.buf[i].wr);
    }
    cqln_free(c->config.al, c->out.scratch);
}

/* --- gathering ------------------------------------------------------------------------------- */

static inline bool room(cqln_writer *wr, size_t n)
{
    if (CQLN_LIKELY(wr->cap - wr->len >= n))
        return true;
    if (cqln_writer_reserve(wr, n))
        return true;
    wr->status = CQL_OK; /* this request fails, not those after it */
    return false;
}

static inline void append(cqln_writer *wr, const uint8_t *bytes, size_t n)
{
    memcpy(wr->data + wr->len, bytes, n);
    wr->len += n;
}

static size_t segment_header(const cqln_conn *c)
{
    return c->compressed ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER;
}

/* The payload compressed in its place; its new length, 0 when it stays as it is. */
static uint32_t deflate_segment(cqln_conn *c, uint8_t *payload, uint32_t n)
{
    cqln_outbound *o = &c->out;
    if (n < CQLN_LZ4_SEGMENT_MIN || o->plain_segment)
        return 0;
    if (!o->scratch)
        o->scratch = cqln_alloc(c->config.al, CQLN_SEGMENT_MAX);
    if (!o->scratch)
        return 0; /* it goes uncompressed then */
    size_t small = cqln_lz4_compress(payload, n, o->scratch, n - 1);
    if (small)
        memcpy(payload, o->scratch, small);
    return (uint32_t)small;
}

/* Header and checksums around what was put behind segment_at. The room is there. */
static void close_segment(cqln_conn *c, bool self_contained)
{
    cqln_outbound *o = &c->out;
    cqln_writer *wr = &o->buf[o->open].wr;
    uint8_t *header = wr->data + o->segment_at;
    uint8_t *payload = header + segment_header(c);
    uint32_t n = (uint32_t)(wr->data + wr->len - payload);
    uint32_t plain = 0;
    if (c->compressed) {
        uint32_t small = deflate_segment(c, payload, n);
        if (small) {
            plain = n;
            n = small;
        }
    }
    cqln_segment_encode(header, c->compressed, n, plain, self_contained);
    cqln_segment_trailer(payload, n, payload + n);
    wr->len = (size_t)(payload - wr->data) + n + CQLN_SEGMENT_TRAILER;
    o->in_segment = false;
    o->plain_segment = false;
}

static void open_segment(cqln_conn *c)
{
    cqln_outbound *o = &c->out;
    cqln_writer *wr = &o->buf[o->open].wr;
    o->segment_at = wr->len;
    wr->len += segment_header(c);
    o->in_segment = true;
}

static bool payload_has_room(const cqln_conn *c, size_t n)
{
    const cqln_outbound *o = &c->out;
    size_t used = o->buf[o->open].wr.len - o->segment_at - segment_header(c);
    return n <= CQLN_SEGMENT_MAX - used;
}

/* An envelope over 131,071 bytes: slices of one segment each, not self-contained. The first holds
 * the header of the envelope; nothing else is in the last. */
static cql_status put_slices(cqln_conn *c, const uint8_t *envelope, size_t len, uint16_t stream)
{
    cqln_outbound *o = &c->out;
    cqln_writer *wr = &o->buf[o->open].wr;
    size_t slices = (len + CQLN_SEGMENT_MAX - 1) / CQLN_SEGMENT_MAX;
    size_t around = segment_header(c) + CQLN_SEGMENT_TRAILER;
    /* The open segment's trailer has its room reserved; it is counted again here, not used up. */
    if (!room(wr, len + slices * around + CQLN_SEGMENT_TRAILER))
        return CQL_NO_MEMORY;
    if (o->in_segment)
        close_segment(c, true);
    for (size_t at = 0; at < len;) {
        size_t n = len - at < CQLN_SEGMENT_MAX ? len - at : CQLN_SEGMENT_MAX;
        open_segment(c);
        append(wr, envelope + at, n);
        if (at == 0)
            cqln_store_u16(wr->data + wr->len - n + CQLN_FRAME_STREAM_AT, stream);
        close_segment(c, false);
        at += n;
    }
    return CQL_OK;
}

static cql_status put_framed(cqln_conn *c, const uint8_t *envelope, size_t len, uint16_t stream)
{
    cqln_outbound *o = &c->out;
    cqln_writer *wr = &o->buf[o->open].wr;
    if (CQLN_UNLIKELY(len > CQLN_SEGMENT_MAX))
        return put_slices(c, envelope, len, stream);
    if (!room(wr, len + CQLN_SEGMENT_HEADER_LZ4 + 2 * CQLN_SEGMENT_TRAILER))
        return CQL_NO_MEMORY;
    if (o->in_segment && !payload_has_room(c, len))
        close_segment(c, true);
    if (!o->in_segment)
        open_segment(c);
    append(wr, envelope, len);
    cqln_store_u16(wr->data + wr->len - len + CQLN_FRAME_STREAM_AT, stream);
    return CQL_OK;
}

/* v4: the body as lz4. True when that is how it went out. */
static bool put_deflated(cqln_conn *c, const uint8_t *envelope, size_t len, uint16_t stream)
{
    cqln_outbound *o = &c->out;
    cqln_writer *wr = &o->buf[o->open].wr;
    size_t before = wr->len;
    if (!room(wr, len))
        return false;
    append(wr, envelope, CQLN_FRAME_HEADER);
    if (!cqln_lz4_v4_body(wr, envelope + CQLN_FRAME_HEADER, len - CQLN_FRAME_HEADER)) {
        wr->status = CQL_OK;
        wr->len = before;
        return false;
    }
    uint8_t *p = wr->data + before;
    p[1] |= CQLN_FLAG_COMPRESSION;
    cqln_store_u16(p + CQLN_FRAME_STREAM_AT, stream);
    cqln_store_u32(p + 5, (uint32_t)(wr->len - before - CQLN_FRAME_HEADER));
    return true;
}

static bool worth_deflating(const uint8_t *envelope, size_t len)
{
    return len >= CQLN_FRAME_HEADER + CQLN_LZ4_BODY_MIN && envelope[4] != CQLN_OP_STARTUP;
}

static cql_status put_plain(cqln_conn *c, const uint8_t *envelope, size_t len, uint16_t stream)
{
    cqln_writer *wr = &c->out.buf[c->out.open].wr;
    if (!room(wr, len))
        return CQL_NO_MEMORY;
    append(wr, envelope, len);
    cqln_store_u16(wr->data + wr->len - len + CQLN_FRAME_STREAM_AT, stream);
    return CQL_OK;
}

static cql_status put(cqln_conn *c, const uint8_t *envelope, size_t len, uint16_t stream)
{
    if (c->out.framed)
        return put_framed(c, envelope, len, stream);
    if (c->compressed && worth_deflating(envelope, len) && put_deflated(c, envelope, len, stream))
        return CQL_OK;
    return put_plain(c, envelope, len, stream);
}

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t unsent(const cqln_outbuf *b)
{
    return b->wr.len - b->sent;
}

/* How far an envelope may simply be appended: on v4 while memory lasts, on v5 to the end of the
 * open segment, and on both while no more than max_output waits. As long as nothing else changes, what
 * the other buffer holds only becomes less, so the limit stays on the safe side. */
static void set_limit(cqln_conn *c)
{
    cqln_outbound *o = &c->out;
    const cqln_writer *wr = &o->buf[o->open].wr;
    size_t other = unsent(&o->buf[o->open ^ 1]);
    size_t limit = c->max_output > other ? c->max_output - other : 0;
    if (!o->framed) {
        limit = least(limit, c->compressed ? wr->len : wr->cap);
    } else if (o->in_segment) {
        limit = least(limit, wr->cap - CQLN_SEGMENT_TRAILER); /* its room is reserved by every put */
        limit = least(limit, o->segment_at + segment_header(c) + CQLN_SEGMENT_MAX);
    } else {
        limit = 0;
    }
    o->limit = limit > wr->len ? limit : wr->len;
}

void cqln_outbound_frame(cqln_conn *c)
{
    c->out.framed = true;
    set_limit(c);
}

cql_status cqln_outbound_put(cqln_conn *c, const uint8_t *envelope, size_t len, uint16_t stream,
                             bool secret)
{
    cql_status st;
    if (!secret) {
        st = put(c, envelope, len, stream);
    } else {
        /* Credentials are not compressed: that would leave a copy. */
        c->out.buf[c->out.open].secret = true;
        c->out.plain_segment = c->out.framed;
        st = c->out.framed ? put_framed(c, envelope, len, stream)
                           : put_plain(c, envelope, len, stream);
    }
    set_limit(c);
    return st;
}

/* --- requests -------------------------------------------------------------------------------- */

/* Where the open buffer's limit ends the short way: all that may stand against it, one by one. */
static CQLN_SLOW cql_status submit_beyond(cqln_conn *c, const uint8_t *envelope, size_t len,
                                          void *owner, int16_t *stream)
{
    size_t queued = unsent(&c->out.buf[0]) + unsent(&c->out.buf[1]);
    if (queued && (len > c->max_output || queued > c->max_output - len))
        return CQL_WOULD_BLOCK;
    uint16_t id = cqln_streams_acquire(&c->streams, owner);
    if (id == 0)
        return CQL_NO_STREAM;
    cql_status st = cqln_outbound_put(c, envelope, len, id, false);
    if (st) {
        void *back;
        cqln_streams_release(&c->streams, id, &back);
        return st;
    }
    *stream = (int16_t)id;
    return CQL_OK;
}

cql_status cqln_conn_submit(cqln_conn *c, const uint8_t *envelope, size_t len, void *owner,
                            int16_t *stream)
{
    if (CQLN_UNLIKELY(c->state != CQLN_CONN_OPEN || c->lost))
        return CQL_BAD_STATE;
    cqln_writer *wr = &c->out.buf[c->out.open].wr;
    if (CQLN_UNLIKELY(len > c->out.limit - wr->len))
        return submit_beyond(c, envelope, len, owner, stream);
    uint16_t id = cqln_streams_acquire(&c->streams, owner);
    if (CQLN_UNLIKELY(id == 0))
        return CQL_NO_STREAM;
    uint8_t *p = wr->data + wr->len;
    wr->len += len;
    *stream = (int16_t)id;
    memcpy(p, envelope, len);
    cqln_store_u16(p + CQLN_FRAME_STREAM_AT, id);
    return CQL_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

bool cqln_conn_has_output(const cqln_conn *c)
{
    return c->state != CQLN_CONN_DEAD && !c->lost && c->out.buf[c->out.open].wr.len > 0;
}

bool cqln_conn_output(cqln_conn *c, const uint8_t **ptr, size_t *len)
{
    cqln_outbound *o = &c->out;
    cqln_outbuf *writing = &o->buf[o->open ^ 1];
    if (CQLN_UNLIKELY(c->state == CQLN_CONN_DEAD || c->lost))
        return false;
    if (writing->wr.len == 0) {
        writing = &o->buf[o->open];
        if (writing->wr.len == 0)
            return false;
        if (o->in_segment)
            close_segment(c, true);
        o->open ^= 1;
        set_limit(c);
    }
    *ptr = writing->wr.data + writing->sent;
    *len = writing->wr.len - writing->sent;
    return true;
}

static void give_back(cqln_conn *c, cqln_outbuf *b)
{
    cqln_writer_fini(&b->wr);
    cqln_writer_init(&b->wr, c->config.al, SIZE_MAX);
    b->roomy = 0;
}

/* A buffer that grew in a burst is given back when it was hardly used for a while. */
static void emptied(cqln_conn *c, cqln_outbuf *b)
{
    bool roomy = b->wr.cap > CQLN_OUT_KEEP && b->wr.len < b->wr.cap / 4;
    b->roomy = roomy ? (uint8_t)(b->roomy + 1) : 0;
    wipe(b);
    b->wr.len = 0;
    b->sent = 0;
    if (CQLN_UNLIKELY(b->roomy >= ROOMY_TIMES))
        give_back(c, b);
}

void cqln_conn_sent(cqln_conn *c, size_t n)
{
    cqln_outbuf *writing = &c->out.buf[c->out.open ^ 1];
    assert(n <= writing->wr.len - writing->sent);
    writing->sent += n;
    if (writing->sent == writing->wr.len && n > 0)
        emptied(c, writing);
}

void cqln_outbound_trim(cqln_conn *c)
{
    for (int i = 0; i < 2; i++) {
        cqln_outbuf *b = &c->out.buf[i];
        if (b->wr.len == 0 && b->wr.cap > CQLN_OUT_IDLE)
            give_back(c, b);
    }
    cqln_free(c->config.al, c->out.scratch);
    c->out.scratch = NULL;
    set_limit(c);
}
