/* REGISTER (native_protocol section 4.1.8): [string list] of event types. */
#include "msg/encode.h"

static const struct {
    unsigned bit;
    const char *name;
} event_types[] = {
    {CQLN_EVENT_TOPOLOGY, "TOPOLOGY_CHANGE"},
    {CQLN_EVENT_STATUS, "STATUS_CHANGE"},
    {CQLN_EVENT_SCHEMA, "SCHEMA_CHANGE"},
};

cql_status cqln_encode_register(cqln_writer *wr, uint8_t version, unsigned kinds)
{
    uint64_t bound = 2;
    uint16_t count = 0;
    for (size_t i = 0; i < CQL_COUNT(event_types); i++) {
        if (kinds & event_types[i].bit) {
            bound += 2 + strlen(event_types[i].name);
            count++;
        }
    }
    uint8_t *p = cqln_envelope_open(wr, bound);
    if (!p)
        return wr->status;
    p = cqln_put_u16(p, count);
    for (size_t i = 0; i < CQL_COUNT(event_types); i++) {
        if (kinds & event_types[i].bit)
            p = cqln_put_string(p, cql_str_of(event_types[i].name));
    }
    return cqln_envelope_close(wr, version, 0, CQLN_OP_REGISTER, p);
}
