/* ERROR (native_protocol section 9): [int] code, [string] message, and what the code adds. */
#include "msg/response.h"

enum {
    CODE_UNAVAILABLE = 0x1000,
    CODE_WRITE_TIMEOUT = 0x1100,
    CODE_READ_TIMEOUT = 0x1200,
    CODE_READ_FAILURE = 0x1300,
    CODE_FUNCTION_FAILURE = 0x1400,
    CODE_WRITE_FAILURE = 0x1500,
    CODE_CAS_WRITE_UNKNOWN = 0x1700,
    CODE_ALREADY_EXISTS = 0x2400,
    CODE_UNPREPARED = 0x2500
};

enum { REASON_MIN = 1 + 4 + 2 }; /* the smallest entry of a failure map: [inetaddr] [short] */

/* A number of nodes: never negative. */
static int32_t read_count(cqln_reader *rd)
{
    int32_t n = cqln_read_i32(rd);
    if (n < 0)
        rd->failed = true;
    return n;
}

/* [consistency] [int] received [int] block for */
static void read_acknowledged(cqln_reader *rd, cqln_server_error *e)
{
    e->consistency = cqln_read_u16(rd);
    e->received = read_count(rd);
    e->required = read_count(rd);
}

/* [int] n, n x ([inetaddr] [short]). The same address may come twice: it carries no port. */
static void read_reason_map(cqln_reader *rd, cqln_server_error *e)
{
    e->failures = read_count(rd);
    if (rd->failed || (size_t)e->failures > cqln_reader_left(rd) / REASON_MIN) {
        rd->failed = true;
        return;
    }
    const uint8_t *from = rd->at;
    for (int32_t i = 0; i < e->failures && !rd->failed; i++) {
        cqln_read_inetaddr(rd);
        cqln_read_u16(rd);
    }
    if (!rd->failed)
        e->reasons = (cql_str){(const char *)from, (size_t)(rd->at - from)};
}

static void read_failures(cqln_reader *rd, uint8_t version, cqln_server_error *e)
{
    read_acknowledged(rd, e);
    if (version >= 5)
        read_reason_map(rd, e);
    else
        e->failures = read_count(rd);
}

static void read_unavailable(cqln_reader *rd, cqln_server_error *e)
{
    e->consistency = cqln_read_u16(rd);
    e->required = read_count(rd);
    e->received = read_count(rd);
}

static void read_write_timeout(cqln_reader *rd, uint8_t version, cqln_server_error *e)
{
    read_acknowledged(rd, e);
    e->write_type = cqln_read_string(rd);
    if (version >= 5 && cql_str_equal(e->write_type, (cql_str){"CAS", 3}))
        e->contentions = cqln_read_u16(rd);
}

static void read_object(cqln_reader *rd, cqln_server_error *e)
{
    e->keyspace = cqln_read_string(rd);
    e->table = cqln_read_string(rd);
}

static void read_arguments(cqln_reader *rd, cqln_server_error *e)
{
    const uint8_t *list = rd->at;
    uint16_t n = cqln_skip_string_list(rd);
    if (rd->failed)
        return;
    e->argument_count = n;
    e->arguments = (cql_str){(const char *)list + 2, (size_t)(rd->at - list) - 2};
}

static void read_detail(cqln_reader *rd, uint8_t version, cqln_server_error *e)
{
    switch (e->code) {
    case CODE_UNAVAILABLE:
        read_unavailable(rd, e);
        break;
    case CODE_WRITE_TIMEOUT:
        read_write_timeout(rd, version, e);
        break;
    case CODE_READ_TIMEOUT:
        read_acknowledged(rd, e);
        e->data_present = cqln_read_u8(rd) != 0;
        break;
    case CODE_READ_FAILURE:
        read_failures(rd, version, e);
        e->data_present = cqln_read_u8(rd) != 0;
        break;
    case CODE_WRITE_FAILURE:
        read_failures(rd, version, e);
        e->write_type = cqln_read_string(rd);
        break;
    case CODE_CAS_WRITE_UNKNOWN:
        read_acknowledged(rd, e);
        break;
    case CODE_FUNCTION_FAILURE:
        read_object(rd, e);
        read_arguments(rd, e);
        break;
    case CODE_ALREADY_EXISTS:
        read_object(rd, e);
        break;
    case CODE_UNPREPARED:
        e->unprepared_id = cqln_read_short_bytes(rd);
        break;
    default: /* nothing behind the message, or nothing that this version knows */
        break;
    }
}

cql_status cqln_decode_error(cqln_reader *rd, uint8_t version, cqln_server_error *out)
{
    cqln_server_error e = {0};
    e.code = cqln_read_u32(rd);
    e.message = cqln_read_string(rd);
    if (!rd->failed)
        read_detail(rd, version, &e);
    if (rd->failed)
        return CQL_MALFORMED;
    *out = e;
    return CQL_OK;
}
