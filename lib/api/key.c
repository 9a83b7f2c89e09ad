/* The partition key of a bound statement, as servers keep it. */
#include "api/statement.h"

#include "base/bytes.h"

#include <string.h>

enum { PART_HEAD = 2, PART_END = 1, PART_MAX = 65535 };

/* The bytes of a marker's value; CQL_UNBOUND when there is none. */
static cql_status part(const cql_statement *s, size_t marker, cql_str *out)
{
    if (marker >= s->markers)
        return CQL_NO_SUCH_NAME;
    const uint8_t *at = s->values + s->offsets[marker];
    uint32_t len = s->offsets[marker + 1] - s->offsets[marker];
    if (!s->bound[marker] || (int32_t)cqln_load_u32(at) < 0)
        return CQL_UNBOUND;
    *out = (cql_str){(const char *)at + 4, len - 4};
    return CQL_OK;
}

static cql_status single(const cql_statement *s, uint8_t *buf, size_t cap, size_t *len)
{
    cql_str value;
    cql_status st = part(s, s->prepared->bind->pk_index[0], &value);
    if (st)
        return st;
    *len = value.len;
    if (value.len > cap)
        return CQL_TOO_LARGE;
    if (value.len)
        memcpy(buf, value.ptr, value.len);
    return CQL_OK;
}

cql_status cql_statement_partition_key(const cql_statement *s, void *buf, size_t cap, size_t *len)
{
    if (!s || (!buf && cap) || !len)
        return CQL_BAD_ARGUMENT;
    *len = 0;
    if (!s->prepared || s->prepared->bind->pk_count == 0)
        return CQL_NO_SUCH_NAME;
    if (s->prepared->bind->pk_count == 1)
        return single(s, buf, cap, len);
    uint8_t *at = buf;
    size_t total = 0;
    for (uint32_t i = 0; i < s->prepared->bind->pk_count; i++) {
        cql_str value;
        cql_status st = part(s, s->prepared->bind->pk_index[i], &value);
        if (st)
            return st;
        if (value.len > PART_MAX)
            return CQL_TOO_LARGE;
        size_t need = PART_HEAD + value.len + PART_END;
        if (total + need <= cap) {
            cqln_store_u16(at + total, (uint16_t)value.len);
            if (value.len)
                memcpy(at + total + PART_HEAD, value.ptr, value.len);
            at[total + need - 1] = 0;
        }
        total += need;
    }
    *len = total;
    return total > cap ? CQL_TOO_LARGE : CQL_OK;
}
