/* EXECUTE (native_protocol section 4.1.6): [short bytes] id; v5: [short bytes] result metadata id;
 * query parameters. */
#include "msg/encode.h"

cql_status cqln_encode_execute(cqln_writer *wr, uint8_t version, cql_str id, cql_str metadata_id,
                               const cqln_query_options *o, const cqln_values_bytes *values)
{
    return cqln_put_execute(wr, version, id, metadata_id, o, values);
}
