/* Bytes in, v5: segments (native_protocol_v5 section 2). Nothing of a segment is looked at before
 * its checksums are right: the header's before its lengths are used, the payload's before an
 * envelope of it is handed out.
 *
 * A self-contained segment holds whole envelopes, which are handed out in place. Any other holds a
 * slice of one envelope; slices follow each other and are gathered in a block. */
#include "conn/internal.h"

static bool bad_segment(cqln_conn *c, cql_status st, const char *what)
{
    const cqln_inbound *in = &c->in;
    cqln_conn_die_bytes(c, st, in->buf + in->at, in->end - in->at, "segment at byte %llu: %s",
                        (unsigned long long)cqln_conn_offset(c), what);
    return false;
}

static void end_segment(cqln_inbound *in)
{
    in->at = in->next_at;
    in->in_segment = false;
    in->in_scratch = false;
}

/* A segment whose bytes are all there; false when more have to come, or the connection died. */
static bool whole_segment(cqln_conn *c, cqln_segment *seg, const uint8_t **payload)
{
    cqln_inbound *in = &c->in;
    size_t header = c->compressed ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER;
    size_t have = in->end - in->at;
    in->need = header;
    if (have < header)
        return false;
    const uint8_t *p = in->buf + in->at;
    if (CQLN_UNLIKELY(cqln_segment_decode(p, c->compressed, seg) != CQL_OK))
        return bad_segment(c, CQL_BAD_CHECKSUM, "the checksum of its header is wrong");
    size_t total = header + seg->payload + CQLN_SEGMENT_TRAILER;
    in->need = total;
    if (have < total)
        return false;
    *payload = p + header;
    if (CQLN_UNLIKELY(!cqln_segment_trailer_ok(*payload, seg->payload, *payload + seg->payload)))
        return bad_segment(c, CQL_BAD_CHECKSUM, "the checksum of its payload is wrong");
    in->next_at = in->at + total;
    c->alive_at = c->read_at;
    return true;
}

static bool inflate_to(cqln_conn *c, const cqln_segment *seg, const uint8_t *payload, uint8_t *out)
{
    if (cqln_lz4_decompress(payload, seg->payload, out, seg->plain))
        return true;
    return bad_segment(c, CQL_MALFORMED, "its lz4 payload does not decompress");
}

/* The payload as plain bytes, in place or in the scratch. NULL: the connection died. */
static const uint8_t *plain_payload(cqln_conn *c, const cqln_segment *seg, const uint8_t *payload)
{
    if (!seg->compressed)
        return payload;
    uint8_t *out = cqln_scratch(c, seg->plain);
    if (!out) {
        cqln_conn_die(c, CQL_NO_MEMORY, "out of memory for a segment of %u bytes", seg->plain);
        return NULL;
    }
    return inflate_to(c, seg, payload, out) ? out : NULL;
}

static bool begin_payload(cqln_conn *c, const cqln_segment *seg, const uint8_t *payload)
{
    cqln_inbound *in = &c->in;
    if (in->gather.active && seg->plain > 0)
        return bad_segment(c, CQL_MALFORMED,
                           "it is self-contained, but the envelope before it is not complete");
    const uint8_t *plain = plain_payload(c, seg, payload);
    if (!plain)
        return false;
    in->in_segment = true;
    in->in_scratch = seg->compressed;
    in->pay_at = seg->compressed ? 0 : (size_t)(payload - in->buf);
    in->pay_end = in->pay_at + seg->plain;
    return true;
}

/* --- slices ---------------------------------------------------------------------------------- */

/* Takes what is missing of the envelope's header. */
static bool slice_header(cqln_conn *c, const uint8_t **p, size_t *n)
{
    cqln_gather *g = &c->in.gather;
    size_t take = (size_t)(CQLN_FRAME_HEADER - g->header_len);
    if (take > *n)
        take = *n;
    memcpy(g->header + g->header_len, *p, take);
    g->header_len = (uint8_t)(g->header_len + take);
    *p += take;
    *n -= take;
    g->active = true;
    if (g->header_len < CQLN_FRAME_HEADER)
        return true;
    cqln_conn_event ev;
    uint32_t len;
    if (!cqln_header_read(c, g->header, &ev, &len))
        return false;
    cqln_gather_body(c, len, *n);
    return true;
}

static bool slice_fits(cqln_conn *c, size_t n)
{
    const cqln_gather *g = &c->in.gather;
    if (n <= g->want - g->filled)
        return true;
    return bad_segment(c, CQL_MALFORMED, "it holds more than the rest of its envelope");
}

/* A compressed slice whose place in the body is known goes there without a detour, or nowhere. */
static bool slice_inflated(cqln_conn *c, const cqln_segment *seg, const uint8_t *payload)
{
    cqln_gather *g = &c->in.gather;
    if (!slice_fits(c, seg->plain))
        return false;
    if (cqln_gather_room(c, seg->plain) && !inflate_to(c, seg, payload, g->data + g->filled))
        return false;
    g->filled += seg->plain;
    return true;
}

static bool slice_copied(cqln_conn *c, const cqln_segment *seg, const uint8_t *payload)
{
    cqln_gather *g = &c->in.gather;
    const uint8_t *p = plain_payload(c, seg, payload);
    size_t n = seg->plain;
    if (!p)
        return false;
    if (g->header_len < CQLN_FRAME_HEADER && !slice_header(c, &p, &n))
        return false;
    if (n == 0)
        return true;
    if (!slice_fits(c, n))
        return false;
    if (cqln_gather_room(c, n))
        memcpy(g->data + g->filled, p, n);
    g->filled += n;
    return true;
}

/* Adds a slice; true when the envelope is complete and in ev. */
static bool add_slice(cqln_conn *c, const cqln_segment *seg, const uint8_t *payload,
                      cqln_conn_event *ev)
{
    cqln_gather *g = &c->in.gather;
    bool header_known = g->active && g->header_len == CQLN_FRAME_HEADER;
    if (seg->plain == 0)
        return false;
    bool added = seg->compressed && header_known ? slice_inflated(c, seg, payload)
                                                 : slice_copied(c, seg, payload);
    return added && g->header_len == CQLN_FRAME_HEADER && g->filled == g->want &&
           cqln_gather_deliver(c, ev);
}

/* --- envelopes ------------------------------------------------------------------------------- */

/* The next envelope of the open payload. The compression flag means nothing here: segments are what
 * is compressed on v5. */
static bool payload_envelope(cqln_conn *c, cqln_conn_event *ev)
{
    cqln_inbound *in = &c->in;
    const uint8_t *p = (in->in_scratch ? in->scratch : in->buf) + in->pay_at;
    size_t have = in->pay_end - in->pay_at;
    uint32_t len;
    if (CQLN_UNLIKELY(have < CQLN_FRAME_HEADER))
        return bad_segment(c, CQL_MALFORMED, "an envelope is cut at its end");
    if (CQLN_UNLIKELY(!cqln_header_read(c, p, ev, &len)))
        return false;
    if (CQLN_UNLIKELY(len > have - CQLN_FRAME_HEADER))
        return bad_segment(c, CQL_MALFORMED, "an envelope is cut at its end");
    in->pay_at += CQLN_FRAME_HEADER + (size_t)len;
    ev->body = p + CQLN_FRAME_HEADER;
    ev->len = len;
    ev->block = NULL;
    if (CQLN_UNLIKELY(len > c->max_body))
        cqln_unread(ev, CQL_TOO_LARGE, len);
    return true;
}

bool cqln_segments_next(cqln_conn *c, cqln_conn_event *ev)
{
    cqln_inbound *in = &c->in;
    for (;;) {
        if (in->in_segment) {
            if (in->pay_at < in->pay_end)
                return payload_envelope(c, ev);
            end_segment(in);
        }
        cqln_segment seg;
        const uint8_t *payload = NULL; /* compilers that build for size do not see that it is set */
        if (!whole_segment(c, &seg, &payload))
            return false;
        if (CQLN_LIKELY(seg.self_contained)) {
            if (!begin_payload(c, &seg, payload))
                return false;
            continue;
        }
        bool complete = add_slice(c, &seg, payload, ev);
        if (c->state == CQLN_CONN_DEAD)
            return false;
        in->at = in->next_at;
        if (complete)
            return true;
    }
}
