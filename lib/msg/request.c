/* What the request encoders share and what is not on the way of every request. */
#include "msg/encode.h"

cql_status cqln_encode_too_large(cqln_writer *wr)
{
    if (!wr->status)
        wr->status = CQL_TOO_LARGE;
    return wr->status;
}

uint8_t *cqln_envelope_grow(cqln_writer *wr, uint64_t bound)
{
    if (bound > INT32_MAX) {
        cqln_encode_too_large(wr);
        return NULL;
    }
    if (!cqln_writer_reserve(wr, CQLN_FRAME_HEADER + (size_t)bound))
        return NULL;
    return wr->data + wr->len + CQLN_FRAME_HEADER;
}
