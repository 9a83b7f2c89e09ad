/* encode.h: what the request encoders share: an envelope whose size is known before it is written,
 * and stores that move a pointer. One bounds check an envelope instead of one a field. */
#ifndef CQLN_MSG_ENCODE_H
#define CQLN_MSG_ENCODE_H

#include "msg/request.h"

enum { CQLN_STRING_MAX = 65535 }; /* [string], [short bytes] */

/* Room for an envelope with a body of that size, its header written (stream 0). The caller fills
 * exactly body bytes. NULL, and wr->status set, when the body is over 2^31-1 or memory is out. */
uint8_t *cqln_envelope_begin(cqln_writer *wr, uint8_t version, uint8_t flags, cqln_opcode opcode,
                             uint64_t body);
/* Makes the writer fail: a field does not fit its length. Returns wr->status. */
cql_status cqln_encode_too_large(cqln_writer *wr);

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

static inline uint8_t *cqln_put_long_string(uint8_t *p,
                                            cql_str s) /* also [bytes] that are not null */
{
    return cqln_put_raw(cqln_put_u32(p, (uint32_t)s.len), s);
}

/* The query parameters behind the statement: size, then bytes. cqln_options_fit is false when a
 * string is too long for its notation. Values may be NULL. */
bool cqln_options_fit(uint8_t version, const cqln_query_options *o);
uint64_t cqln_options_size(uint8_t version, const cqln_query_options *o,
                           const cqln_values_bytes *values);
uint8_t *cqln_put_options(uint8_t *p, uint8_t version, const cqln_query_options *o,
                          const cqln_values_bytes *values);
/* BATCH: the same without values, page size and paging state. */
uint64_t cqln_batch_options_size(uint8_t version, const cqln_query_options *o);
uint8_t *cqln_put_batch_options(uint8_t *p, uint8_t version, const cqln_query_options *o);

static inline uint8_t cqln_request_flags(const cqln_query_options *o)
{
    return o->tracing ? CQLN_FLAG_TRACING : 0;
}

#endif
