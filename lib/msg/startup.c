/* OPTIONS and STARTUP (native_protocol sections 4.1.1 and 4.1.3). STARTUP's body is a [string map];
 * it is never compressed, and on v5 never in a segment. */
#include "msg/encode.h"

typedef struct startup_pair {
    const char *key;
    const char *value; /* NULL: not sent */
} startup_pair;

cql_status cqln_encode_options(cqln_writer *wr, uint8_t version)
{
    uint8_t *p = cqln_envelope_open(wr, 0);
    return p ? cqln_envelope_close(wr, version, 0, CQLN_OP_OPTIONS, p) : wr->status;
}

cql_status cqln_encode_startup(cqln_writer *wr, uint8_t version, const char *compression,
                               const char *driver_name, const char *driver_version)
{
    const startup_pair pairs[] = {
        {"CQL_VERSION", "3.0.0"},
        {"COMPRESSION", compression},
        {"DRIVER_NAME", driver_name},
        {"DRIVER_VERSION", driver_version},
    };
    uint64_t bound = 2;
    uint16_t count = 0;
    for (size_t i = 0; i < CQL_COUNT(pairs); i++) {
        if (!pairs[i].value)
            continue;
        size_t len = strlen(pairs[i].value);
        if (len > CQLN_STRING_MAX)
            return cqln_encode_too_large(wr);
        bound += 4 + strlen(pairs[i].key) + len;
        count++;
    }
    uint8_t *p = cqln_envelope_open(wr, bound);
    if (!p)
        return wr->status;
    p = cqln_put_u16(p, count);
    for (size_t i = 0; i < CQL_COUNT(pairs); i++) {
        if (pairs[i].value) {
            p = cqln_put_string(p, cql_str_of(pairs[i].key));
            p = cqln_put_string(p, cql_str_of(pairs[i].value));
        }
    }
    return cqln_envelope_close(wr, version, 0, CQLN_OP_STARTUP, p);
}
