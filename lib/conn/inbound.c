/* Bytes in: the read buffer, and envelopes outside segments (v4; v5 up to READY or AUTHENTICATE).
 *
 *   buf:  0 .. consumed .. at .. not yet consumed .. end .. room .. cap
 *
 * An envelope that fits the buffer is handed out in place. A larger one is received straight into a
 * block of its own; one that finds no room goes through the buffer and is gone. Bytes move only in
 * cqln_conn_space. */
#include "conn/internal.h"

enum { BUFFER_STEP = 4096 };

cql_status cqln_inbound_init(cqln_conn *c)
{
    size_t cap = c->config.read_buffer;
    c->in.cap = cap > CQLN_READ_BUFFER_MIN ? cap : CQLN_READ_BUFFER_MIN;
    c->in.buf = cqln_alloc(c->config.al, c->in.cap);
    return c->in.buf ? CQL_OK : CQL_NO_MEMORY;
}

void cqln_inbound_fini(cqln_conn *c)
{
    cqln_inbound *in = &c->in;
    cqln_blocks_drop(c);
    cqln_rcbuf_unref(in->gather.block);
    cqln_free(c->config.al, in->scratch);
    cqln_free(c->config.al, in->buf);
}

/* --- room ------------------------------------------------------------------------------------ */

/* True while bytes of the transport go straight into a body's block. */
static inline bool receiving_body(const cqln_inbound *in)
{
    const cqln_gather *g = &in->gather;
    return g->active && !in->framed && g->filled < g->want && !g->unread;
}

static void compact(cqln_inbound *in)
{
    size_t shift = in->at;
    memmove(in->buf, in->buf + shift, in->end - shift);
    in->at = 0;
    in->end -= shift;
    if (!in->in_segment)
        return;
    in->next_at -= shift;
    if (!in->in_scratch) {
        in->pay_at -= shift;
        in->pay_end -= shift;
    }
}

static bool resize(cqln_conn *c, size_t cap)
{
    uint8_t *larger = cqln_realloc(c->config.al, c->in.buf, cap);
    if (!larger)
        return false;
    c->in.buf = larger;
    c->in.cap = cap;
    return true;
}

/* A quiet connection keeps its configured read buffer only. */
static void trim(cqln_conn *c)
{
    cqln_inbound *in = &c->in;
    c->trim = false;
    cqln_blocks_drop(c);
    cqln_free(c->config.al, in->scratch);
    in->scratch = NULL;
    in->scratch_cap = 0;
    size_t cap = c->config.read_buffer;
    if (cap >= CQLN_READ_BUFFER_MIN && in->cap > cap)
        resize(c, cap); /* when that fails the larger one stays */
    cqln_outbound_trim(c);
}

/* The buffer is empty, or holds the beginning of something that does not fit behind it. */
static bool make_room(cqln_conn *c)
{
    cqln_inbound *in = &c->in;
    if (in->at > 0 && (in->cap - in->at < in->need || in->cap - in->end < in->cap / 4))
        compact(in);
    size_t cap = in->cap;
    if (in->need > cap)
        cap = (in->need + BUFFER_STEP - 1) / BUFFER_STEP * BUFFER_STEP;
    else if (in->end == cap)
        cap = 2 * cap; /* full of answers that nobody has pulled yet */
    if (cap == in->cap || resize(c, cap))
        return true;
    cqln_conn_die(c, CQL_NO_MEMORY, "out of memory for a read buffer of %zu bytes", cap);
    return false;
}

void cqln_conn_space(cqln_conn *c, uint8_t **ptr, size_t *cap)
{
    cqln_inbound *in = &c->in;
    *ptr = in->buf;
    *cap = 0;
    if (CQLN_UNLIKELY(c->state == CQLN_CONN_DEAD))
        return;
    if (CQLN_UNLIKELY(receiving_body(in)) && cqln_gather_room(c, 1)) {
        cqln_gather *g = &in->gather;
        size_t limit = g->cap < g->want ? g->cap : g->want;
        *ptr = g->data + g->filled;
        *cap = limit - g->filled;
        return;
    }
    if (CQLN_UNLIKELY(c->state == CQLN_CONN_DEAD)) /* for want of that room */
        return;
    if (in->at == in->end && !in->in_segment) {
        in->at = 0;
        in->end = 0;
        if (CQLN_UNLIKELY(c->trim) && !in->gather.active)
            trim(c);
    }
    if (CQLN_UNLIKELY(in->at > 0 || in->need > in->cap || in->end == in->cap) && !make_room(c))
        return;
    *ptr = in->buf + in->end;
    *cap = in->cap - in->end;
}

void cqln_conn_commit(cqln_conn *c, size_t n, uint64_t now)
{
    cqln_inbound *in = &c->in;
    if (n == 0 || c->state == CQLN_CONN_DEAD)
        return;
    in->received += n;
    c->read_at = now;
    /* A byte now and then is no sign of life; whole envelopes are, and steady progress in a long
     * one. */
    c->progress += (uint32_t)n;
    if (c->progress >= CQLN_LIFE_BYTES) {
        c->progress = 0;
        c->alive_at = now;
    }
    if (CQLN_UNLIKELY(receiving_body(in)))
        in->gather.filled += n;
    else
        in->end += n;
}

/* --- headers --------------------------------------------------------------------------------- */

static void refuse_version_byte(cqln_conn *c, const uint8_t *p)
{
    unsigned version = p[0] & 0x7f;
    if (!(p[0] & 0x80))
        cqln_conn_die_bytes(c, CQL_MALFORMED, p, CQLN_FRAME_HEADER,
                            "malformed envelope at byte %llu: version byte %02x is not one of an "
                            "answer",
                            (unsigned long long)cqln_conn_offset(c), p[0]);
    else
        cqln_conn_die_bytes(c, CQL_MALFORMED, p, CQLN_FRAME_HEADER,
                            "malformed envelope at byte %llu: protocol version %u on a connection "
                            "of version %u",
                            (unsigned long long)cqln_conn_offset(c), version, c->config.version);
}

bool cqln_header_refused(cqln_conn *c, const uint8_t *p, const cqln_conn_event *ev, uint32_t len)
{
    unsigned long long at = (unsigned long long)cqln_conn_offset(c);
    bool other_version = p[0] != c->version_byte;
    bool starting = c->phase == CQLN_PHASE_OPTIONS || c->phase == CQLN_PHASE_STARTUP;
    /* The refusal of a version has the header of a version that the server speaks. */
    if (other_version && !(starting && (p[0] & 0x80) && ev->opcode == CQLN_OP_ERROR)) {
        refuse_version_byte(c, p);
        return true;
    }
    if (ev->opcode >= 32 || !(CQLN_ANSWERS >> ev->opcode & 1)) {
        cqln_conn_die_bytes(c, CQL_MALFORMED, p, CQLN_FRAME_HEADER,
                            "malformed envelope at byte %llu: opcode %02x is no answer (stream %d)",
                            at, ev->opcode, ev->stream);
        return true;
    }
    if (len > INT32_MAX) {
        cqln_conn_die_bytes(c, CQL_MALFORMED, p, CQLN_FRAME_HEADER,
                            "malformed envelope at byte %llu: negative body length (%s, stream %d)",
                            at, cqln_opcode_name(ev->opcode), ev->stream);
        return true;
    }
    bool passed_over = len <= CQLN_BODY_MAX && cqln_answers_request(c, ev->stream, ev->opcode);
    if (len > c->max_body && !passed_over) {
        c->fault.stream = ev->stream;
        cqln_conn_die_bytes(
            c, CQL_TOO_LARGE, p, CQLN_FRAME_HEADER,
            "the server announced a body of %u bytes (%s, stream %d, at byte %llu), "
            "over the limit of %zu (option max_response_bytes)",
            len, cqln_opcode_name(ev->opcode), ev->stream, at, c->max_body);
        return true;
    }
    return false;
}

/* The first byte of a connection tells whether the other side speaks the protocol at all. */
static void check_first_byte(cqln_conn *c)
{
    cqln_inbound *in = &c->in;
    if (in->at == in->end || c->phase != CQLN_PHASE_OPTIONS)
        return;
    const uint8_t *p = in->buf + in->at;
    if (p[0] & 0x80)
        return;
    char text[64];
    size_t n = in->end - in->at < 16 ? in->end - in->at : 16;
    cqln_escape(text, sizeof text, (cql_str){(const char *)p, n});
    bool tls = p[0] == 0x15 || p[0] == 0x16; /* TLS alert, handshake */
    cqln_conn_die_bytes(c, CQL_MALFORMED, p, in->end - in->at,
                        "the server does not speak the CQL protocol on this port: it %s \"%s\"",
                        tls ? "looks like TLS (option tls=verify-full speaks it) and sent" : "sent",
                        text);
}

/* --- bodies ---------------------------------------------------------------------------------- */

static bool bad_lz4(cqln_conn *c, const cqln_conn_event *ev, const char *what)
{
    cqln_conn_die(c, CQL_MALFORMED, "malformed lz4 body (%s, stream %d, before byte %llu): %s",
                  cqln_opcode_name(ev->opcode), ev->stream, (unsigned long long)cqln_conn_offset(c),
                  what);
    return false;
}

/* Plain it is too much: no news for others than who waits for it. A small one may be of consequence to others: what
 * answers a USE changed the keyspace of the connection. */
static bool no_room(cqln_conn *c, cqln_conn_event *ev, cql_status st, size_t plain)
{
    bool large = st == CQL_TOO_LARGE || plain > CQLN_SEGMENT_MAX;
    if (large && cqln_answers_request(c, ev->stream, ev->opcode)) {
        cqln_unread(ev, st, plain);
        return true;
    }
    cqln_conn_die(c, st, "no room for a body of %zu bytes (lz4, stream %d; option max_response_bytes: %zu)",
                  plain, ev->stream, c->max_body);
    return false;
}

/* Where a decompressed body goes: the scratch, or a block when it is large. */
static uint8_t *inflate_room(cqln_conn *c, const cqln_conn_event *ev, size_t plain,
                             cqln_rcbuf **block)
{
    if (plain <= CQLN_SEGMENT_MAX)
        return cqln_scratch(c, plain);
    if (ev->block)
        cqln_rcbuf_ref(ev->block); /* so that it is not taken as the room itself */
    *block = cqln_block_take(c, plain);
    if (ev->block)
        cqln_rcbuf_unref(ev->block);
    return *block ? cqln_rcbuf_data(*block) : NULL;
}

/* v4: a 4-byte length and a block (native_protocol_v4 section 5). */
static bool inflate(cqln_conn *c, cqln_conn_event *ev)
{
    size_t plain;
    if (!c->compressed)
        return bad_lz4(c, ev, "compression was not agreed");
    if (ev->len == 0)
        return true;
    cql_status st = cqln_lz4_v4_length(ev->body, ev->len, c->max_body, &plain);
    if (st == CQL_TOO_LARGE)
        return no_room(c, ev, st, cqln_load_u32(ev->body));
    if (st)
        return bad_lz4(c, ev, "the announced length cannot be");
    cqln_rcbuf *block = NULL;
    uint8_t *out = inflate_room(c, ev, plain, &block);
    if (!out)
        return no_room(c, ev, CQL_NO_MEMORY, plain);
    bool whole = cqln_lz4_decompress(ev->body + 4, ev->len - 4, out, plain);
    if (block)
        cqln_block_keep(c, block);
    if (!whole)
        return bad_lz4(c, ev, "it does not decompress to the announced length");
    ev->body = out;
    ev->len = plain;
    ev->block = block;
    return true;
}

static inline bool deliver(cqln_conn *c, cqln_conn_event *ev)
{
    c->alive_at = c->read_at;
    return CQLN_LIKELY(!(ev->flags & CQLN_FLAG_COMPRESSION)) || inflate(c, ev);
}

static void pass_over(cqln_inbound *in)
{
    cqln_gather *g = &in->gather;
    size_t n = in->end - in->at;
    if (n > g->want - g->filled)
        n = g->want - g->filled;
    g->filled += n;
    in->at += n;
}

static bool whole_gathered(cqln_conn *c, cqln_conn_event *ev)
{
    cqln_gather *g = &c->in.gather;
    if (g->unread)
        pass_over(&c->in);
    if (g->filled < g->want)
        return false;
    return cqln_gather_deliver(c, ev) && deliver(c, ev);
}

/* The body of the header at `at` is larger than the buffer, or than the limit. */
static CQLN_SLOW bool begin_large(cqln_conn *c, size_t len, cqln_conn_event *ev)
{
    cqln_inbound *in = &c->in;
    cqln_gather *g = &in->gather;
    memcpy(g->header, in->buf + in->at, CQLN_FRAME_HEADER);
    g->header_len = CQLN_FRAME_HEADER;
    in->at += CQLN_FRAME_HEADER;
    in->need = 0;
    size_t have = in->end - in->at;
    cqln_gather_body(c, len, have);
    if (c->state == CQLN_CONN_DEAD)
        return false;
    if (!g->unread) {
        memcpy(g->data, in->buf + in->at, have);
        g->filled = have;
        in->at = in->end;
    }
    return whole_gathered(c, ev);
}

bool cqln_inbound_next(cqln_conn *c, cqln_conn_event *ev)
{
    cqln_inbound *in = &c->in;
    if (in->framed)
        return cqln_segments_next(c, ev);
    if (CQLN_UNLIKELY(in->gather.active))
        return whole_gathered(c, ev);
    size_t have = in->end - in->at;
    if (have < CQLN_FRAME_HEADER) {
        in->need = CQLN_FRAME_HEADER;
        check_first_byte(c);
        return false;
    }
    const uint8_t *p = in->buf + in->at;
    uint32_t len;
    if (CQLN_UNLIKELY(c->phase == CQLN_PHASE_OPTIONS))
        check_first_byte(c);
    if (c->state == CQLN_CONN_DEAD || !cqln_header_read(c, p, ev, &len))
        return false;
    size_t total = CQLN_FRAME_HEADER + (size_t)len;
    if (have < total || CQLN_UNLIKELY(len > c->max_body)) {
        in->need = total;
        return (total > in->cap || len > c->max_body) && begin_large(c, len, ev);
    }
    in->at += total;
    ev->body = p + CQLN_FRAME_HEADER;
    ev->len = len;
    ev->block = NULL;
    return deliver(c, ev);
}

bool cqln_inbound_partial(const cqln_conn *c, size_t *have, size_t *want)
{
    const cqln_inbound *in = &c->in;
    if (in->gather.active) {
        *have = in->gather.filled + in->gather.header_len;
        *want = in->gather.header_len < CQLN_FRAME_HEADER ? 0 : in->gather.want + CQLN_FRAME_HEADER;
        return true;
    }
    *have = in->end - in->at;
    *want = in->need > CQLN_FRAME_HEADER ? in->need : 0;
    return *have > 0;
}
