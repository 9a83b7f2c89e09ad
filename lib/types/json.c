/* json.c: values as JSON. Numbers are numbers as long as they can be written as digits, NaN and the
 * infinities are null as the servers have it, everything that JSON has no form for is the text that
 * print.c makes of it. */
#include "base/utf8.h"
#include "types/check.h"
#include "types/items.h"
#include "types/print.h"

#include <math.h>

static void put_unicode_escape(cqln_sink *out, uint32_t code)
{
    const char bytes[2] = {(char)(code >> 8), (char)code};
    cqln_sink_text(out, "\\u");
    cqln_sink_hex(out, (cql_str){bytes, 2});
}

static void put_escape(cqln_sink *out, uint32_t code)
{
    switch (code) {
    case '"':
        cqln_sink_text(out, "\\\"");
        break;
    case '\\':
        cqln_sink_text(out, "\\\\");
        break;
    case '\n':
        cqln_sink_text(out, "\\n");
        break;
    case '\r':
        cqln_sink_text(out, "\\r");
        break;
    case '\t':
        cqln_sink_text(out, "\\t");
        break;
    default:
        put_unicode_escape(out, code);
        break;
    }
}

/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
static void put_string(cqln_sink *out, cql_str text)
{
    cqln_sink_char(out, '"');
    while (text.len) {
        uint32_t code = 0;
        size_t n = cqln_utf8_next(text, &code);
        if (n == 0) {
            put_unicode_escape(out, 0xfffd);
            n = 1;
        } else if (code < 0x20 || code == '"' || code == '\\' || (code >= 0x7f && code < 0xa0)) {
            put_escape(out, code);
        } else {
            cqln_sink_put(out, text.ptr, n);
        }
        text.ptr += n;
        text.len -= n;
    }
    cqln_sink_char(out, '"');
}

static bool is_text(uint16_t id)
{
    return id == CQL_TYPE_TEXT || id == CQL_TYPE_ASCII;
}

/* A value in its text form between quotes; for everything but text. */
static cql_status put_as_text(cqln_printer *p, const cql_type *type, const cql_value *v)
{
    bool outer = p->out.escape;
    cqln_sink_char(&p->out, '"');
    p->out.escape = true;
    cql_status st = cqln_print_value(p, type, v, false);
    p->out.escape = outer;
    cqln_sink_char(&p->out, '"');
    return st;
}

static bool is_finite(const cql_value *v)
{
    float f = 0;
    double d = 0;
    if (v->type == CQL_TYPE_FLOAT && cql_value_as_float(v, &f) == CQL_OK)
        return isfinite(f);
    if (v->type == CQL_TYPE_DOUBLE && cql_value_as_double(v, &d) == CQL_OK)
        return isfinite(d);
    return true;
}

/* Digits as they are; a number that has none gets quotes around its hex form, for which the text is
 * made twice. */
static cql_status put_number(cqln_printer *p, const cql_type *type, const cql_value *v)
{
    cqln_sink nowhere;
    cql_str bytes = cql_value_bytes(v);
    if (!is_finite(v)) {
        cqln_sink_text(&p->out, "null");
        return CQL_OK;
    }
    cqln_sink_init(&nowhere, NULL, 0);
    if (!cqln_print_scalar(&nowhere, type, bytes))
        return put_as_text(p, type, v);
    cqln_print_scalar(&p->out, type, bytes);
    return CQL_OK;
}

static cql_status put_leaf(cqln_printer *p, const cql_type *type, const cql_value *v)
{
    cql_str bytes = cql_value_bytes(v);
    if (!cqln_value_readable(type, bytes))
        return CQL_MALFORMED;
    if (is_text(type->id)) {
        put_string(&p->out, bytes);
        return CQL_OK;
    }
    if (bytes.len == 0)
        return put_as_text(p, type, v);
    switch (type->id) {
    case CQL_TYPE_BOOLEAN:
        cqln_sink_text(&p->out, bytes.ptr[0] ? "true" : "false");
        return CQL_OK;
    case CQL_TYPE_TINYINT:
    case CQL_TYPE_SMALLINT:
    case CQL_TYPE_INT:
    case CQL_TYPE_BIGINT:
    case CQL_TYPE_COUNTER:
    case CQL_TYPE_FLOAT:
    case CQL_TYPE_DOUBLE:
    case CQL_TYPE_VARINT:
    case CQL_TYPE_DECIMAL:
        return put_number(p, type, v);
    default:
        return put_as_text(p, type, v);
    }
}

static cql_status put_value(cqln_printer *p, const cql_type *type, const cql_value *v);

/* The name of a member: keys that are no text are written as print.c does. */
static cql_status put_key(cqln_printer *p, const cql_type *type, const cql_value *key)
{
    if (!is_text(type->id) || key->state != CQL_VALUE_SET)
        return put_as_text(p, type, key);
    put_string(&p->out, cql_value_bytes(key));
    return CQL_OK;
}

static cql_status put_items(cqln_printer *p, const cql_type *type, cql_str bytes)
{
    cql_items it;
    cql_value key;
    cql_value element;
    bool object = type->id == CQL_TYPE_MAP || type->id == CQL_TYPE_UDT;
    cql_status st = cqln_items_over(&it, type, bytes);
    if (st)
        return st;
    cqln_sink_char(&p->out, object ? '{' : '[');
    while (cql_items_next(&it, &key, &element)) {
        uint32_t i = it.index - 1;
        st = cqln_print_missing(p, &it, &element);
        if (i > 0)
            cqln_sink_text(&p->out, ", ");
        if (!st && type->id == CQL_TYPE_MAP)
            st = put_key(p, type->items[0], &key);
        else if (!st && object)
            put_string(&p->out, cql_type_field(type, i));
        if (object)
            cqln_sink_text(&p->out, ": ");
        if (!st)
            st = put_value(p, cqln_items_type(type, i), &element);
        if (st)
            return st;
    }
    cqln_sink_char(&p->out, object ? '}' : ']');
    return it.status;
}

static cql_status put_value(cqln_printer *p, const cql_type *type, const cql_value *v)
{
    if (v->state != CQL_VALUE_SET) {
        cqln_sink_text(&p->out, "null");
        return CQL_OK;
    }
    if (type->id >= CQL_TYPE_LIST)
        return put_items(p, type, cql_value_bytes(v));
    return put_leaf(p, type, v);
}

cql_status cql_value_print_json(const cql_value *v, const cql_type *type, char *buf, size_t cap,
                                size_t *len)
{
    cqln_printer p = {.missing = 0};
    cqln_sink_init(&p.out, buf, cap);
    cql_status st = cqln_print_type_of(v, type, buf, cap, &type);
    if (!st)
        st = put_value(&p, type, v);
    return cqln_sink_end(&p.out, st, len);
}
