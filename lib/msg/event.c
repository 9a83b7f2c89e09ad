/* EVENT (native_protocol section 4.2.6): [string] type; TOPOLOGY_CHANGE and STATUS_CHANGE: [string]
 * change, [inet]; SCHEMA_CHANGE: see schema_change.c. */
#include "msg/response.h"

enum { PORT_MAX = 65535 };

/* [inet]. False, and nothing failed, when the bytes are there but name no address: such an event is
 * passed over; one that is cut short is malformed. */
static bool read_address(cqln_reader *rd, cqln_inet_port *out)
{
    cqln_reader whole = *rd;
    uint8_t len = cqln_read_u8(&whole);
    cqln_read_bytes(&whole, len);
    uint32_t port = cqln_read_u32(&whole);
    if (whole.failed) {
        rd->failed = true;
        return false;
    }
    if ((len != 4 && len != 16) || port > PORT_MAX)
        return false;
    *out = cqln_read_inet(rd);
    return !rd->failed;
}

static void read_node_event(cqln_reader *rd, int kind, cqln_event *e)
{
    e->change = cqln_read_string(rd);
    if (read_address(rd, &e->address))
        e->kind = kind == CQLN_EV_TOPOLOGY ? CQLN_EV_TOPOLOGY : CQLN_EV_STATUS;
}

static void read_schema_event(cqln_reader *rd, cqln_event *e)
{
    if (cqln_decode_schema_change(rd, &e->schema)) {
        rd->failed = true;
        return;
    }
    e->change = e->schema.change;
    e->kind = CQLN_EV_SCHEMA;
}

cql_status cqln_decode_event(cqln_reader *rd, cqln_event *out)
{
    cqln_event e = {.kind = CQLN_EV_UNKNOWN};
    cql_str type = cqln_read_string(rd);
    if (cql_str_equal(type, cql_str_of("TOPOLOGY_CHANGE")))
        read_node_event(rd, CQLN_EV_TOPOLOGY, &e);
    else if (cql_str_equal(type, cql_str_of("STATUS_CHANGE")))
        read_node_event(rd, CQLN_EV_STATUS, &e);
    else if (cql_str_equal(type, cql_str_of("SCHEMA_CHANGE")))
        read_schema_event(rd, &e);
    if (rd->failed)
        return CQL_MALFORMED;
    *out = e;
    return CQL_OK;
}
