/* PREPARE (native_protocol section 4.1.5): [long string] cql; v5: [int] flags, [string] keyspace
 * with flag 1. */
#include "msg/encode.h"

enum { PREPARE_KEYSPACE = 0x01 };

cql_status cqln_encode_prepare(cqln_writer *wr, uint8_t version, cql_str cql, cql_str keyspace)
{
    if (cql.len > INT32_MAX || (version >= 5 && keyspace.len > CQLN_STRING_MAX))
        return cqln_encode_too_large(wr);
    uint8_t *p = cqln_envelope_open(wr, 10 + (uint64_t)cql.len + keyspace.len);
    if (!p)
        return wr->status;
    p = cqln_put_long_string(p, cql);
    if (version >= 5) {
        p = cqln_put_u32(p, keyspace.len ? PREPARE_KEYSPACE : 0);
        if (keyspace.len)
            p = cqln_put_string(p, keyspace);
    }
    return cqln_envelope_close(wr, version, 0, CQLN_OP_PREPARE, p);
}
