/* EXECUTE (native_protocol section 4.1.6): [short bytes] id; v5: [short bytes] result metadata id;
 * query parameters. */
#include "msg/encode.h"

cql_status cqln_encode_execute(cqln_writer *wr, uint8_t version, cql_str id, cql_str metadata_id,
                               const cqln_query_options *o, const cqln_values_bytes *values)
{
    if (id.len > CQLN_STRING_MAX || (version >= 5 && metadata_id.len > CQLN_STRING_MAX) ||
        !cqln_options_fit(version, o))
        return cqln_encode_too_large(wr);
    uint64_t bound = 4 + (uint64_t)id.len + metadata_id.len + cqln_options_bound(o, values);
    uint8_t *p = cqln_envelope_open(wr, bound);
    if (!p)
        return wr->status;
    p = cqln_put_id(p, id);
    if (version >= 5)
        p = cqln_put_id(p, metadata_id);
    p = cqln_put_options(p, version, o, values);
    return cqln_envelope_close(wr, version, cqln_request_flags(o), CQLN_OP_EXECUTE, p);
}
