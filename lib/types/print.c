/* print.c: values as text in the form of cqlsh. */
#include "types/print.h"

#include "types/check.h"
#include "types/datetime.h"
#include "types/inet.h"
#include "types/items.h"
#include "types/number_text.h"
#include "types/print_text.h"
#include "types/varnum.h"

static const cql_type opaque = {.id = CQL_TYPE_CUSTOM, .empty_ok = true};

cql_status cqln_print_type_of(const cql_value *v, const cql_type *type, const char *buf, size_t cap,
                              const cql_type **out)
{
    if (!v || (!buf && cap))
        return CQL_BAD_ARGUMENT;
    if (type && v->state == CQL_VALUE_SET && !cqln_type_takes(type->id, v->type))
        return CQL_TYPE_MISMATCH;
    if (!type)
        type = cqln_type_scalar(v->type);
    if (!type && v->type == CQL_TYPE_CUSTOM)
        type = &opaque;
    *out = type;
    return type || v->state != CQL_VALUE_SET ? CQL_OK : CQL_BAD_ARGUMENT;
}

cql_status cqln_print_missing(cqln_printer *p, const cql_items *it, const cql_value *element)
{
    bool backed = element->state == CQL_VALUE_SET || it->at != it->end;
    if (!backed && ++p->missing > CQLN_PRINT_MISSING_MAX)
        return CQL_TOO_LARGE;
    return CQL_OK;
}

/* --- scalars ---------------------------------------------------------------------------------- */

static void print_number(cqln_sink *out, const cql_type *type, const uint8_t *p)
{
    uint32_t bits32;
    uint64_t bits64;
    float f;
    double d;
    switch (type->id) {
    case CQL_TYPE_TINYINT:
        cqln_sink_int(out, (int8_t)p[0], 1);
        break;
    case CQL_TYPE_SMALLINT:
        cqln_sink_int(out, (int16_t)cqln_load_u16(p), 1);
        break;
    case CQL_TYPE_INT:
        cqln_sink_int(out, (int32_t)cqln_load_u32(p), 1);
        break;
    case CQL_TYPE_FLOAT:
        bits32 = cqln_load_u32(p);
        memcpy(&f, &bits32, sizeof f);
        cqln_print_float(out, f);
        break;
    case CQL_TYPE_DOUBLE:
        bits64 = cqln_load_u64(p);
        memcpy(&d, &bits64, sizeof d);
        cqln_print_double(out, d);
        break;
    default: /* bigint, counter */
        cqln_sink_int(out, (int64_t)cqln_load_u64(p), 1);
        break;
    }
}

static void print_uuid(cqln_sink *out, const uint8_t *p)
{
    cql_uuid u;
    char text[CQL_UUID_TEXT_SIZE];
    memcpy(u.bytes, p, sizeof u.bytes);
    cql_uuid_print(&u, text);
    cqln_sink_put(out, text, sizeof text - 1);
}

bool cqln_print_scalar(cqln_sink *out, const cql_type *type, cql_str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    cql_duration d = {0, 0, 0};
    switch (type->id) {
    case CQL_TYPE_BOOLEAN:
        cqln_sink_text(out, p[0] ? "True" : "False");
        return true;
    case CQL_TYPE_UUID:
    case CQL_TYPE_TIMEUUID:
        print_uuid(out, p);
        return true;
    case CQL_TYPE_TIMESTAMP:
        cqln_print_timestamp(out, (int64_t)cqln_load_u64(p));
        return true;
    case CQL_TYPE_DATE:
        cqln_print_date(out, (int64_t)cqln_load_u32(p) - (INT64_C(1) << 31));
        return true;
    case CQL_TYPE_TIME:
        cqln_print_time(out, (int64_t)cqln_load_u64(p));
        return true;
    case CQL_TYPE_DURATION:
        cqln_duration_load(bytes, &d);
        cqln_print_duration(out, &d);
        return true;
    case CQL_TYPE_INET:
        cqln_print_inet(out, bytes);
        return true;
    case CQL_TYPE_VARINT:
        return cqln_print_varint(out, bytes);
    case CQL_TYPE_DECIMAL:
        return cqln_print_decimal(out, (int32_t)cqln_load_u32(p),
                                  (cql_str){bytes.ptr + 4, bytes.len - 4}, bytes);
    default:
        print_number(out, type, p);
        return true;
    }
}

/* --- anything --------------------------------------------------------------------------------- */

static bool has_quotes(uint16_t id)
{
    return id == CQL_TYPE_TIMESTAMP || id == CQL_TYPE_INET;
}

static void print_leaf(cqln_printer *p, const cql_type *type, cql_str bytes, bool nested)
{
    cqln_sink *out = &p->out;
    bool quotes = nested && (bytes.len == 0 || has_quotes(type->id));
    switch (type->id) {
    case CQL_TYPE_TEXT:
    case CQL_TYPE_ASCII:
        cqln_print_text(out, bytes, nested);
        return;
    case CQL_TYPE_BLOB:
    case CQL_TYPE_CUSTOM:
        cqln_sink_text(out, "0x");
        cqln_sink_hex(out, bytes);
        return;
    default:
        break;
    }
    if (quotes)
        cqln_sink_char(out, '\'');
    if (bytes.len)
        cqln_print_scalar(out, type, bytes);
    if (quotes)
        cqln_sink_char(out, '\'');
}

static const char *brackets(uint16_t id)
{
    switch (id) {
    case CQL_TYPE_LIST:
    case CQL_TYPE_VECTOR:
        return "[]";
    case CQL_TYPE_TUPLE:
        return "()";
    default:
        return "{}";
    }
}

static bool is_plain_name(cql_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (i > 0 && ((c >= '0' && c <= '9') || c == '_'))))
            return false;
    }
    return name.len > 0;
}

/* In double quotes where CQL would read another name. */
static void print_field(cqln_sink *out, cql_str name)
{
    if (is_plain_name(name)) {
        cqln_sink_put(out, name.ptr, name.len);
        return;
    }
    cqln_sink_char(out, '"');
    for (const char *quote; (quote = memchr(name.ptr, '"', name.len));) {
        size_t n = (size_t)(quote - name.ptr);
        cqln_print_text(out, (cql_str){name.ptr, n}, false);
        cqln_sink_text(out, "\"\"");
        name = (cql_str){quote + 1, name.len - n - 1};
    }
    cqln_print_text(out, name, false);
    cqln_sink_char(out, '"');
}

static cql_status print_items(cqln_printer *p, const cql_type *type, cql_str bytes)
{
    cql_items it;
    cql_value key;
    cql_value element;
    const char *pair = brackets(type->id);
    cql_status st = cqln_items_over(&it, type, bytes);
    if (st)
        return st;
    cqln_sink_char(&p->out, pair[0]);
    while (cql_items_next(&it, &key, &element)) {
        uint32_t i = it.index - 1;
        st = cqln_print_missing(p, &it, &element);
        if (i > 0)
            cqln_sink_text(&p->out, ", ");
        if (!st && type->id == CQL_TYPE_MAP)
            st = cqln_print_value(p, type->items[0], &key, true);
        else if (!st && type->id == CQL_TYPE_UDT && type->fields)
            print_field(&p->out, type->fields[i]);
        if (type->id == CQL_TYPE_MAP || type->id == CQL_TYPE_UDT)
            cqln_sink_text(&p->out, ": ");
        if (!st)
            st = cqln_print_value(p, cqln_items_type(type, i), &element, true);
        if (st)
            return st;
    }
    cqln_sink_char(&p->out, pair[1]);
    return it.status;
}

cql_status cqln_print_value(cqln_printer *p, const cql_type *type, const cql_value *v, bool nested)
{
    if (v->state != CQL_VALUE_SET) {
        cqln_sink_text(&p->out, v->state == CQL_VALUE_UNSET ? "unset" : "null");
        return CQL_OK;
    }
    cql_str bytes = cql_value_bytes(v);
    if (type->id >= CQL_TYPE_LIST)
        return print_items(p, type, bytes);
    if (!cqln_value_readable(type, bytes))
        return CQL_MALFORMED;
    print_leaf(p, type, bytes, nested);
    return CQL_OK;
}

cql_status cql_value_print(const cql_value *v, const cql_type *type, char *buf, size_t cap,
                           size_t *len)
{
    cqln_printer p = {.missing = 0};
    cqln_sink_init(&p.out, buf, cap);
    cql_status st = cqln_print_type_of(v, type, buf, cap, &type);
    if (!st)
        st = cqln_print_value(&p, type, v, false);
    return cqln_sink_end(&p.out, st, len);
}
