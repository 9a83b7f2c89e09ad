/* The common part of EXECUTEs. */
#include "msg/front.h"

#include "msg/encode.h"

/* Consistency, the flags of v5, and the number of values. */
enum { BESIDE_IDS = CQLN_FRAME_HEADER + 2 + 2 + 2 + 4 + 2 };

bool cqln_front_make(cqln_front *f, uint8_t version, cql_str id, cql_str metadata_id,
                     const cqln_query_options *o, uint16_t values, cqln_tail tail)
{
    memset(f, 0, sizeof *f);
    if (id.len + metadata_id.len > CQLN_FRONT_MAX - BESIDE_IDS)
        return false;
    uint8_t *p = cqln_put_string(f->bytes + CQLN_FRAME_HEADER, id);
    if (version >= 5)
        p = cqln_put_string(p, metadata_id);
    uint8_t *options = p;
    uint32_t flags = (o->skip_metadata ? CQLN_OPTION_SKIP_METADATA : 0) |
                     (values ? CQLN_OPTION_VALUES : 0) |
                     (tail == CQLN_TAIL_PAGE   ? CQLN_OPTION_PAGE_SIZE
                      : tail == CQLN_TAIL_TIME ? CQLN_OPTION_TIMESTAMP
                                               : 0);
    p = cqln_put_consistency(p, version, o->consistency);
    if (values)
        p = cqln_put_u16(p, values);
    cqln_put_flags(options, version, flags);
    f->bytes[0] = version;
    f->bytes[4] = CQLN_OP_EXECUTE;
    f->len = (uint32_t)(p - f->bytes);
    f->beside = f->len + (uint32_t)tail;
    f->tail = tail;
    cqln_store_u32((uint8_t *)&f->page, (uint32_t)o->page_size);
    return true;
}
