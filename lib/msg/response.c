/* What may stand before any message in a response body (native_protocol section 2.2): trace id,
 * warnings, custom payload, in this order. */
#include "msg/response.h"

enum { TRACE_ID_SIZE = 16 };

static cql_str view_between(const uint8_t *from, const uint8_t *to)
{
    cql_str view = {(const char *)from, (size_t)(to - from)};
    return view;
}

/* [bytes map]: [short] n, n x [string] [bytes]. */
static uint16_t skip_bytes_map(cqln_reader *rd)
{
    uint16_t n = cqln_read_u16(rd);
    for (uint16_t i = 0; i < n && !rd->failed; i++) {
        cql_str value;
        cqln_read_string(rd);
        cqln_read_nbytes(rd, &value);
    }
    return n;
}

static void read_warnings(cqln_reader *rd, cqln_prefix *out)
{
    const uint8_t *list = rd->at;
    out->warnings = cqln_skip_string_list(rd);
    if (!rd->failed)
        out->warnings_bytes = view_between(list + 2, rd->at);
}

static void read_payload(cqln_reader *rd, cqln_prefix *out)
{
    const uint8_t *map = rd->at;
    out->payload_entries = skip_bytes_map(rd);
    if (!rd->failed)
        out->payload_bytes = view_between(map + 2, rd->at);
}

cql_status cqln_decode_prefix_parts(cqln_reader *rd, uint8_t flags, cqln_prefix *out)
{
    cqln_prefix prefix = {0};
    if (flags & CQLN_FLAG_TRACING)
        prefix.trace_id = cqln_read_bytes(rd, TRACE_ID_SIZE);
    if (flags & CQLN_FLAG_WARNING)
        read_warnings(rd, &prefix);
    if (flags & CQLN_FLAG_PAYLOAD)
        read_payload(rd, &prefix);
    if (rd->failed)
        return CQL_MALFORMED;
    *out = prefix;
    return CQL_OK;
}
