/* encode.h: what the request encoders share: one bounds check an envelope instead of one a field.
 * An encoder asks for the most that its fields can take, stores them through a pointer that moves,
 * and closes the envelope, which writes the header. */
#ifndef CQLN_MSG_ENCODE_H
#define CQLN_MSG_ENCODE_H

#include "msg/request.h"

enum {
    CQLN_STRING_MAX = 65535, /* [string], [short bytes] */
    CQLN_OPTIONS_FIXED =
        40 /* consistency, flags and every field of fixed size, with length words */
};

/* Slow way of cqln_envelope_open: memory has to grow, or something failed before. */
__attribute__((cold)) uint8_t *cqln_envelope_grow(cqln_writer *wr, uint64_t bound);
/* Makes the writer fail: a field does not fit its length. Returns wr->status. */
cql_status cqln_encode_too_large(cqln_writer *wr);

/* Room for a body of at most `bound` bytes: where it begins. NULL, and wr->status set, when the
 * bound is over 2^31-1 or memory is out. */
static inline uint8_t *cqln_envelope_open(cqln_writer *wr, uint64_t bound)
{
    if (wr->status || bound + CQLN_FRAME_HEADER > wr->cap - wr->len)
        return cqln_envelope_grow(wr, bound);
    return wr->data + wr->len + CQLN_FRAME_HEADER;
}

/* The body ends at `end`; writes the header, with stream 0. */
static inline cql_status cqln_envelope_close(cqln_writer *wr, uint8_t version, uint8_t flags,
                                             cqln_opcode opcode, const uint8_t *end)
{
    uint8_t *p = wr->data + wr->len;
    size_t total = (size_t)(end - p);
    p[0] = version;
    p[1] = flags;
    p[2] = 0;
    p[3] = 0;
    p[4] = (uint8_t)opcode;
    cqln_store_u32(p + 5, (uint32_t)(total - CQLN_FRAME_HEADER));
    wr->len += total;
    return CQL_OK;
}

static inline uint8_t *cqln_put_u16(uint8_t *p, uint16_t v)
{
    cqln_store_u16(p, v);
    return p + 2;
}

static inline uint8_t *cqln_put_u32(uint8_t *p, uint32_t v)
{
    cqln_store_u32(p, v);
    return p + 4;
}

static inline uint8_t *cqln_put_raw(uint8_t *p, cql_str s)
{
    if (s.len)
        memcpy(p, s.ptr, s.len);
    return p + s.len;
}

static inline uint8_t *cqln_put_string(uint8_t *p, cql_str s) /* also [short bytes] */
{
    return cqln_put_raw(cqln_put_u16(p, (uint16_t)s.len), s);
}

/* [short bytes] of an id: 16 bytes from every server that is known, so no call for the copy. */
static inline uint8_t *cqln_put_id(uint8_t *p, cql_str id)
{
    p = cqln_put_u16(p, (uint16_t)id.len);
    if (id.len != 16)
        return cqln_put_raw(p, id);
    memcpy(p, id.ptr, 16);
    return p + 16;
}

static inline uint8_t *cqln_put_long_string(uint8_t *p,
                                            cql_str s) /* also [bytes] that are not null */
{
    return cqln_put_raw(cqln_put_u32(p, (uint32_t)s.len), s);
}

/* --- query parameters (native_protocol section 4.1.4) --------------------------------------------
 *   [consistency] flags(v4 byte, v5 int)
 *       [values] [page_size] [paging_state] [serial consistency] [timestamp] [keyspace, v5]
 *       [now in seconds, v5]
 * BATCH has them without values, page size and paging state. */
enum {
    CQLN_OPTION_VALUES = 0x01,
    CQLN_OPTION_SKIP_METADATA = 0x02,
    CQLN_OPTION_PAGE_SIZE = 0x04,
    CQLN_OPTION_PAGING_STATE = 0x08,
    CQLN_OPTION_SERIAL = 0x10,
    CQLN_OPTION_TIMESTAMP = 0x20,
    CQLN_OPTION_NAMES = 0x40,
    CQLN_OPTION_KEYSPACE = 0x80,
    CQLN_OPTION_NOW = 0x100
};

/* False when a string is too long for its notation. */
static inline bool cqln_options_fit(uint8_t version, const cqln_query_options *o)
{
    return o->paging_state.len <= INT32_MAX && o->payload.len <= INT32_MAX &&
           (version < 5 || o->keyspace.len <= CQLN_STRING_MAX);
}

static inline uint64_t cqln_options_bound(const cqln_query_options *o,
                                          const cqln_values_bytes *values)
{
    return CQLN_OPTIONS_FIXED + (uint64_t)o->paging_state.len + o->keyspace.len + o->payload.len +
           (values ? values->bytes.len : 0);
}

/* The flags stand before the fields and are known behind them: each field is looked at once, and
 * the flags are put in at the end. */
static inline uint8_t *cqln_put_consistency(uint8_t *p, uint8_t version, uint16_t consistency)
{
    return cqln_put_u16(p, consistency) + (version >= 5 ? 4 : 1);
}

static inline void cqln_put_flags(uint8_t *consistency, uint8_t version, uint32_t flags)
{
    if (version >= 5)
        cqln_store_u32(consistency + 2, flags);
    else
        consistency[2] = (uint8_t)flags;
}

/* The fields that BATCH has too. */
static inline uint8_t *cqln_put_shared(uint8_t *p, uint8_t version, const cqln_query_options *o,
                                       uint32_t *flags)
{
    if (o->serial_consistency) {
        *flags |= CQLN_OPTION_SERIAL;
        p = cqln_put_u16(p, o->serial_consistency);
    }
    if (o->has_timestamp) {
        *flags |= CQLN_OPTION_TIMESTAMP;
        cqln_store_u64(p, (uint64_t)o->timestamp);
        p += 8;
    }
    if (o->keyspace.len && version >= 5) {
        *flags |= CQLN_OPTION_KEYSPACE;
        p = cqln_put_string(p, o->keyspace);
    }
    if (o->has_now && version >= 5) {
        *flags |= CQLN_OPTION_NOW;
        p = cqln_put_u32(p, (uint32_t)o->now_in_seconds);
    }
    return p;
}

static inline uint8_t *cqln_put_options(uint8_t *begin, uint8_t version,
                                        const cqln_query_options *o,
                                        const cqln_values_bytes *values)
{
    uint8_t *p = cqln_put_consistency(begin, version, o->consistency);
    uint32_t flags = o->skip_metadata ? CQLN_OPTION_SKIP_METADATA : 0;
    if (values && values->count) {
        flags |= CQLN_OPTION_VALUES | (o->named ? (uint32_t)CQLN_OPTION_NAMES : 0);
        p = cqln_put_raw(cqln_put_u16(p, values->count), values->bytes);
    }
    if (o->page_size) {
        flags |= CQLN_OPTION_PAGE_SIZE;
        p = cqln_put_u32(p, (uint32_t)o->page_size);
    }
    if (o->paging_state.len) {
        flags |= CQLN_OPTION_PAGING_STATE;
        p = cqln_put_long_string(p, o->paging_state);
    }
    p = cqln_put_shared(p, version, o, &flags);
    cqln_put_flags(begin, version, flags);
    return p;
}

static inline uint8_t cqln_request_flags(const cqln_query_options *o)
{
    return (uint8_t)((o->tracing ? CQLN_FLAG_TRACING : 0) |
                     (o->payload_count ? CQLN_FLAG_PAYLOAD : 0));
}

/* The custom payload stands before everything else in the body: [bytes map]. */
static inline uint8_t *cqln_put_payload(uint8_t *p, const cqln_query_options *o)
{
    if (o->payload_count)
        p = cqln_put_raw(cqln_put_u16(p, o->payload_count), o->payload);
    return p;
}

/* The whole EXECUTE. Here, so that where a statement is executed the compiler sees which options are
 * never set and makes neither them nor the tests for them. */
static inline cql_status cqln_put_execute(cqln_writer *wr, uint8_t version, cql_str id,
                                          cql_str metadata_id, const cqln_query_options *o,
                                          const cqln_values_bytes *values)
{
    if (id.len > CQLN_STRING_MAX || (version >= 5 && metadata_id.len > CQLN_STRING_MAX) ||
        !cqln_options_fit(version, o))
        return cqln_encode_too_large(wr);
    uint64_t bound = 4 + (uint64_t)id.len + metadata_id.len + cqln_options_bound(o, values);
    uint8_t *p = cqln_envelope_open(wr, bound);
    if (!p)
        return wr->status;
    p = cqln_put_id(cqln_put_payload(p, o), id);
    if (version >= 5)
        p = cqln_put_id(p, metadata_id);
    p = cqln_put_options(p, version, o, values);
    return cqln_envelope_close(wr, version, cqln_request_flags(o), CQLN_OP_EXECUTE, p);
}

#endif
