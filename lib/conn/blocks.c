/* Blocks: where a body goes that is no slice of the read buffer. Memory follows the bytes that
 * came, not the length that was announced; blocks whose users gave them back are used again. A body
 * that may not be so large, or finds no memory, is passed over: only its request fails. */
#include "conn/internal.h"

/* --- blocks ---------------------------------------------------------------------------------- */

static cqln_rcbuf *take_spare(cqln_inbound *in, size_t cap)
{
    int best = -1;
    for (int i = 0; i < CQLN_SPARES; i++) {
        if (!in->spare[i] || !cqln_rcbuf_sole(in->spare[i]))
            continue;
        if (best < 0 || cqln_rcbuf_cap(in->spare[best]) < cap)
            best = i;
    }
    if (best < 0)
        return NULL;
    cqln_rcbuf *b = in->spare[best];
    in->spare[best] = NULL;
    return b;
}

cqln_rcbuf *cqln_block_take(cqln_conn *c, size_t cap)
{
    cqln_rcbuf *b = take_spare(&c->in, cap);
    if (!b)
        return cqln_rcbuf_new(c->config.al, cap);
    if (cqln_rcbuf_cap(b) >= cap)
        return b;
    cqln_rcbuf_unref(b); /* nothing in it has to be kept */
    return cqln_rcbuf_new(c->config.al, cap);
}

void cqln_block_keep(cqln_conn *c, cqln_rcbuf *b)
{
    cqln_inbound *in = &c->in;
    if (cqln_rcbuf_cap(b) > CQLN_BLOCK_KEEP) {
        cqln_rcbuf_unref(in->given);
        in->given = b;
        return;
    }
    int place = -1;
    for (int i = 0; i < CQLN_SPARES && place < 0; i++) {
        if (!in->spare[i])
            place = i;
    }
    for (int i = 0; i < CQLN_SPARES && place < 0; i++) {
        if (!cqln_rcbuf_sole(in->spare[i]))
            place = i; /* somebody keeps it: no use to us */
    }
    if (place < 0)
        place = 0;
    cqln_rcbuf_unref(in->spare[place]);
    in->spare[place] = b;
}

void cqln_blocks_drop(cqln_conn *c)
{
    cqln_inbound *in = &c->in;
    cqln_rcbuf_unref(in->given);
    in->given = NULL;
    for (int i = 0; i < CQLN_SPARES; i++) {
        cqln_rcbuf_unref(in->spare[i]);
        in->spare[i] = NULL;
    }
}

uint8_t *cqln_scratch(cqln_conn *c, size_t n)
{
    cqln_inbound *in = &c->in;
    if (n <= in->scratch_cap && in->scratch)
        return in->scratch;
    size_t cap = 2 * n < CQLN_SEGMENT_MAX ? 2 * n : CQLN_SEGMENT_MAX;
    cqln_free(c->config.al, in->scratch); /* nothing in it is in use any more */
    in->scratch = cqln_alloc(c->config.al, cap);
    in->scratch_cap = in->scratch ? cap : 0;
    return in->scratch;
}

/* --- gathering ------------------------------------------------------------------------------- */

/* What a block is to hold when `filled` bytes came and `coming` are here: at most 1 MiB, or twice
 * what has come, and never more than the body. */
static size_t block_size(size_t want, size_t filled, size_t coming)
{
    size_t cap = 2 * filled > CQLN_BLOCK_STEP ? 2 * filled : CQLN_BLOCK_STEP;
    if (cap > want)
        cap = want;
    return cap < filled + coming ? filled + coming : cap;
}

static void out_of_memory(cqln_conn *c, size_t cap)
{
    cqln_gather *g = &c->in.gather;
    cqln_rcbuf_unref(g->block);
    g->block = NULL;
    if (cqln_answers_request(c, (int16_t)cqln_load_u16(g->header + CQLN_FRAME_STREAM_AT),
                             g->header[CQLN_FRAME_OPCODE_AT]))
        g->unread = CQL_NO_MEMORY;
    else
        cqln_conn_die(c, CQL_NO_MEMORY, "out of memory for %zu bytes of a response body", cap);
}

void cqln_gather_body(cqln_conn *c, size_t want, size_t coming)
{
    cqln_gather *g = &c->in.gather;
    g->filled = 0;
    g->want = want;
    g->block = NULL;
    g->data = NULL;
    g->cap = 0;
    g->active = true;
    g->unread = want > c->max_body ? CQL_TOO_LARGE : CQL_OK;
    if (want == 0 || g->unread)
        return;
    size_t cap = block_size(want, 0, coming);
    g->block = cqln_block_take(c, cap);
    if (!g->block) {
        out_of_memory(c, cap);
        return;
    }
    g->data = cqln_rcbuf_data(g->block);
    g->cap = cqln_rcbuf_cap(g->block);
}

bool cqln_gather_room(cqln_conn *c, size_t n)
{
    cqln_gather *g = &c->in.gather;
    if (g->unread || c->state == CQLN_CONN_DEAD)
        return false;
    if (n <= g->cap - g->filled)
        return true;
    size_t cap = block_size(g->want, g->filled, n);
    cqln_rcbuf *larger = cqln_rcbuf_grow(g->block, g->filled, cap);
    if (!larger) {
        out_of_memory(c, cap);
        return false;
    }
    g->block = larger;
    g->data = cqln_rcbuf_data(larger);
    g->cap = cqln_rcbuf_cap(larger);
    return true;
}

bool cqln_gather_deliver(cqln_conn *c, cqln_conn_event *ev)
{
    cqln_gather *g = &c->in.gather;
    uint32_t len;
    if (!cqln_header_read(c, g->header, ev, &len))
        return false;
    ev->body = g->block ? g->data : g->header;
    ev->len = g->want;
    ev->block = g->block;
    if (g->block)
        cqln_block_keep(c, g->block);
    if (g->unread)
        cqln_unread(ev, g->unread, g->want);
    g->block = NULL;
    g->active = false;
    g->header_len = 0;
    return true;
}
