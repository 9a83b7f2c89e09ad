/* front.h: what the EXECUTEs of one statement have in common: header, ids, consistency, flags and the number of
 * values (native_protocol sections 2 and 4.1.6). Made once, and from then on copied in one piece. */
#ifndef CQLN_MSG_FRONT_H
#define CQLN_MSG_FRONT_H

#include "msg/request.h"

enum { CQLN_FRONT_HALF = 32, CQLN_FRONT_MAX = 2 * CQLN_FRONT_HALF, CQLN_FRONT_TAIL = 8 };

/* What stands behind the values; its size is that of the tail. */
typedef enum cqln_tail {
    CQLN_TAIL_NONE = 0,
    CQLN_TAIL_PAGE = 4, /* of the rows that are asked for */
    CQLN_TAIL_TIME = 8  /* of the write */
} cqln_tail;

typedef struct cqln_front {
    uint8_t bytes[CQLN_FRONT_MAX];
    uint32_t len;
    uint32_t beside; /* of an envelope, what is no value: the front and the tail */
    cqln_tail tail;
    uint32_t page; /* rows, in the order of the wire */
} cqln_front;

/* The metadata id is of v5 alone. page_size: with CQLN_TAIL_PAGE. False, and nothing of use made, when the ids are
 * longer than any server is known to give. */
bool cqln_front_make(cqln_front *f, uint8_t version, cql_str id, cql_str metadata_id,
                     const cqln_query_options *o, uint16_t values, cqln_tail tail);

/* Room for the whole envelope, of `values` bytes of values. */
static inline size_t cqln_front_bound(size_t values)
{
    return CQLN_FRONT_MAX + values + CQLN_FRONT_TAIL;
}

/* The envelope at p, where that much room is, but for its tail, which the caller writes. Returns the place for that. */
static inline uint8_t *cqln_front_put(const cqln_front *f, uint8_t *p, const uint8_t *values, size_t size)
{
    uint32_t len = f->len, beside = f->beside; /* for all that compilers know, f may be what is written */
    memcpy(p, f->bytes, CQLN_FRONT_HALF); /* by halves: no length to look at, and on v4 one is mostly enough */
    if (len > CQLN_FRONT_HALF)
        memcpy(p + CQLN_FRONT_HALF, f->bytes + CQLN_FRONT_HALF, CQLN_FRONT_HALF);
    uint8_t *end = p + len;
    cqln_copy(end, values, size);
    cqln_store_u32(p + 5, (uint32_t)(beside + size - CQLN_FRAME_HEADER));
    return end + size;
}

#endif
