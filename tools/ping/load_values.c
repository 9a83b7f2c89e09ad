/* Which statements a load takes, and the values for their markers: simple ones at once, others by way of
 * their text. */
#include "common/memory.h"
#include "ping/load.h"
#include "ping/query.h"

#include <stdio.h>
#include <stdlib.h>
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

/* --- everything else, by way of its text ----------------------------------------------------------- */
typedef struct text_of {
    char *text;
    size_t len, capacity;
} text_of;

static void put(text_of *t, const char *more)
{
    size_t n = strlen(more);
    t->text = tool_grow(t->text, &t->capacity, t->len + n + 1, 1);
    memcpy(t->text + t->len, more, n + 1);
    t->len += n;
}

static bool put_value(text_of *t, const cql_type *type, uint64_t number);

static bool put_all(text_of *t, const cql_type *type, uint64_t number, const char *between)
{
    for (size_t i = 0; i < cql_type_count(type); i++) {
        put(t, i ? between : "");
        if (!put_value(t, cql_type_at(type, i), number))
            return false;
    }
    return true;
}

/* In double quotes, which any name may stand in. */
static void put_name(text_of *t, cql_str name)
{
    char letter[3] = "";
    put(t, "\"");
    for (size_t i = 0; i < name.len; i++) {
        letter[0] = name.ptr[i];
        letter[1] = letter[0] == '"' ? '"' : '\0';
        put(t, letter);
    }
    put(t, "\"");
}

static bool put_fields(text_of *t, const cql_type *type, uint64_t number)
{
    for (size_t i = 0; i < cql_type_count(type); i++) {
        put(t, i ? ", " : "");
        put_name(t, cql_type_field(type, i));
        put(t, ": ");
        if (!put_value(t, cql_type_at(type, i), number))
            return false;
    }
    return true;
}

static bool put_vector(text_of *t, const cql_type *type, uint64_t number)
{
    for (uint32_t i = 0; i < cql_type_dimension(type); i++) {
        put(t, i ? ", " : "");
        if (!put_value(t, cql_type_at(type, 0), number + i))
            return false;
    }
    return true;
}

static bool put_nested(text_of *t, const cql_type *type, uint64_t number)
{
    static const struct {
        cql_type_id id;
        const char *open, *close;
    } forms[] = {{CQL_TYPE_LIST, "[", "]"},  {CQL_TYPE_SET, "{", "}"}, {CQL_TYPE_MAP, "{", "}"},
                 {CQL_TYPE_TUPLE, "(", ")"}, {CQL_TYPE_UDT, "{", "}"}, {CQL_TYPE_VECTOR, "[", "]"}};
    cql_type_id id = cql_type_of(type);
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        if (forms[i].id != id)
            continue;
        put(t, forms[i].open);
        bool fine = id == CQL_TYPE_UDT      ? put_fields(t, type, number)
                    : id == CQL_TYPE_VECTOR ? put_vector(t, type, number)
                                            : put_all(t, type, number, id == CQL_TYPE_MAP ? ": " : ", ");
        put(t, forms[i].close);
        return fine;
    }
    return false; /* a type of the server's own */
}

static bool put_value(text_of *t, const cql_type *type, uint64_t number)
{
    unsigned long long n = number;
    char text[128] = "";
    cql_value v;
    switch (cql_type_of(type)) {
    case CQL_TYPE_TEXT:
    case CQL_TYPE_ASCII:
        snprintf(text, sizeof text, "'key-%llu'", n);
        break;
    case CQL_TYPE_BLOB:
        snprintf(text, sizeof text, "0x%016llx", n);
        break;
    case CQL_TYPE_VARINT:
        snprintf(text, sizeof text, "%llu", n);
        break;
    case CQL_TYPE_DECIMAL:
        snprintf(text, sizeof text, "%llu.5", n);
        break;
    case CQL_TYPE_DURATION:
        snprintf(text, sizeof text, "%llus", n);
        break;
    case CQL_TYPE_INET:
        snprintf(text, sizeof text, "10.%llu.%llu.%llu", n >> 16 & 255, n >> 8 & 255, n & 255);
        break;
    default:
        if (number_value(cql_type_of(type), number, &v) != CQL_OK)
            return put_nested(t, type, number);
        if (cql_value_print(&v, type, text, sizeof text, NULL) != CQL_OK)
            return false;
        break;
    }
    put(t, text);
    return true;
}

static cql_status bind_by_text(cql_statement *stmt, size_t marker, const cql_type *type, uint64_t number)
{
    text_of t = {0};
    size_t len = 0;
    void *bytes = NULL;
    cql_status st = CQL_BAD_ARGUMENT;
    if (put_value(&t, type, number)) {
        cql_str text = {t.text, t.len};
        st = cql_value_parse(type, text, NULL, 0, &len);
        if (st == CQL_TOO_LARGE || st == CQL_OK) {
            bytes = tool_alloc(len + 1, 1);
            st = cql_value_parse(type, text, bytes, len + 1, &len);
        }
    }
    if (st == CQL_OK)
        st = cql_statement_bind_value(stmt, marker, cql_value_raw(cql_type_of(type), bytes, len));
    free(bytes);
    free(t.text);
    return st;
}

static cql_status bind_one(cql_statement *stmt, size_t marker, const cql_type *type, uint64_t number)
{
    char text[32];
    cql_type_id id = cql_type_of(type);
    cql_value v;
    snprintf(text, sizeof text, "key-%llu", (unsigned long long)number);
    if (id == CQL_TYPE_TEXT || id == CQL_TYPE_ASCII)
        v = cql_value_text(text);
    else if (id == CQL_TYPE_BLOB)
        v = cql_value_blob(text, strlen(text));
    else if (number_value(id, number, &v) != CQL_OK)
        return bind_by_text(stmt, marker, type, number);
    return cql_statement_bind_value(stmt, marker, v);
}

cql_status ping_fill_markers(cql_statement *stmt, const cql_prepared *prepared, uint64_t number,
                             const cql_type **type)
{
    *type = NULL;
    for (size_t i = 0; i < cql_prepared_marker_count(prepared); i++) {
        const cql_type *t = cql_prepared_marker_type(prepared, i);
        cql_status st = bind_one(stmt, i, t, number);
        if (st == CQL_BAD_ARGUMENT)
            *type = t;
        if (st != CQL_OK)
            return st;
    }
    return CQL_OK;
}
