/* QUERY (native_protocol section 4.1.4): [long string] cql, query parameters. */
#include "msg/encode.h"

cql_status cqln_encode_query(cqln_writer *wr, uint8_t version, cql_str cql,
                             const cqln_query_options *o, const cqln_values_bytes *values)
{
    if (cql.len > INT32_MAX || !cqln_options_fit(version, o))
        return cqln_encode_too_large(wr);
    uint8_t *p = cqln_envelope_open(wr, 4 + (uint64_t)cql.len + cqln_options_bound(o, values));
    if (!p)
        return wr->status;
    p = cqln_put_long_string(cqln_put_payload(p, o), cql);
    p = cqln_put_options(p, version, o, values);
    return cqln_envelope_close(wr, version, cqln_request_flags(o), CQLN_OP_QUERY, p);
}
