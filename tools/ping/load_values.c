/* Which statements a load takes, and the values for their markers. */
#include "ping/load.h"
#include "ping/query.h"

#include <stdio.h>
#include <string.h>

bool ping_may_repeat(const char *cql)
{
    static const char *const words[] = {"SELECT", "INSERT", "UPDATE", "DELETE"};
    return ping_begins_with(cql, words, CQL_COUNT(words));
}

/* A number spread over 128 bits, always the same for the same number. */
static cql_uuid uuid_of(uint64_t number, int version)
{
    cql_uuid u;
    uint64_t x = number * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u;
    for (size_t i = 0; i < 16; i++) {
        x ^= x >> 29;
        x *= 0xbf58476d1ce4e5b9u;
        u.bytes[i] = (uint8_t)(x >> 56);
    }
    u.bytes[6] = (uint8_t)((u.bytes[6] & 0x0f) | version << 4);
    u.bytes[8] = (uint8_t)((u.bytes[8] & 0x3f) | 0x80);
    return u;
}

static cql_status number_value(cql_type_id id, uint64_t number, cql_value *out)
{
    switch (id) {
    case CQL_TYPE_TINYINT:
        *out = cql_value_int8((int8_t)(number & 0x7f));
        return CQL_OK;
    case CQL_TYPE_SMALLINT:
        *out = cql_value_int16((int16_t)(number & 0x7fff));
        return CQL_OK;
    case CQL_TYPE_INT:
        *out = cql_value_int32((int32_t)(number & 0x7fffffff));
        return CQL_OK;
    case CQL_TYPE_BIGINT:
    case CQL_TYPE_COUNTER:
        *out = cql_value_int64((int64_t)number);
        return CQL_OK;
    case CQL_TYPE_TIMESTAMP:
        *out = cql_value_timestamp((int64_t)number);
        return CQL_OK;
    case CQL_TYPE_DATE:
        *out = cql_value_date((int32_t)(number & 0xffff));
        return CQL_OK;
    case CQL_TYPE_TIME:
        *out = cql_value_time((int64_t)(number % 86400000000000u));
        return CQL_OK;
    case CQL_TYPE_FLOAT:
        *out = cql_value_float((float)number);
        return CQL_OK;
    case CQL_TYPE_DOUBLE:
        *out = cql_value_double((double)number);
        return CQL_OK;
    case CQL_TYPE_BOOLEAN:
        *out = cql_value_bool(number & 1);
        return CQL_OK;
    case CQL_TYPE_UUID:
        *out = cql_value_uuid(uuid_of(number, 4));
        return CQL_OK;
    case CQL_TYPE_TIMEUUID:
        *out = cql_value_uuid(uuid_of(number, 1));
        return CQL_OK;
    default:
        return CQL_BAD_ARGUMENT;
    }
}

cql_status ping_fill_markers(cql_statement *stmt, const cql_prepared *prepared, uint64_t number,
                             const cql_type **type)
{
    char text[32];
    snprintf(text, sizeof text, "key-%llu", (unsigned long long)number);
    *type = NULL;
    for (size_t i = 0; i < cql_prepared_marker_count(prepared); i++) {
        const cql_type *t = cql_prepared_marker_type(prepared, i);
        cql_type_id id = cql_type_of(t);
        cql_value v;
        cql_status st = CQL_OK;
        if (id == CQL_TYPE_TEXT || id == CQL_TYPE_ASCII)
            v = cql_value_text(text);
        else if (id == CQL_TYPE_BLOB)
            v = cql_value_blob(text, strlen(text));
        else
            st = number_value(id, number, &v);
        if (st != CQL_OK) {
            *type = t;
            return st;
        }
        st = cql_statement_bind_value(stmt, i, v);
        if (st != CQL_OK)
            return st;
    }
    return CQL_OK;
}
