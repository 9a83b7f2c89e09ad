/* check.c: values in wire form against a type: at the bind, and for bytes that users hand in. */
#include "types/check.h"

#include "types/coll.h"
#include "types/items.h"
#include "types/varnum.h"

/* Bits above 0x7f in any of the bytes? */
static bool is_ascii(const uint8_t *p, size_t len)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < len; i++)
        seen |= p[i];
    return seen < 0x80;
}

static bool continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes of the character at p of `left` bytes as the servers take it, 0 when it is none. They let
 * through two forms that strict UTF-8 does not have, c0 80 for NUL and surrogates, so a text that
 * was read can be bound again. */
static size_t character(const uint8_t *p, size_t left)
{
    uint8_t c = p[0];
    if (c < 0x80)
        return 1;
    if (left < 2 || !continuation(p[1]))
        return 0;
    if (c >= 0xc0 && c < 0xe0)
        return c >= 0xc2 || (c == 0xc0 && p[1] == 0x80) ? 2 : 0;
    if (left < 3 || !continuation(p[2]))
        return 0;
    if (c >= 0xe0 && c < 0xf0)
        return c > 0xe0 || p[1] >= 0xa0 ? 3 : 0;
    if (left < 4 || !continuation(p[3]))
        return 0;
    return (c == 0xf0 && p[1] >= 0x90) || (c > 0xf0 && c < 0xf4) || (c == 0xf4 && p[1] < 0x90) ? 4
                                                                                               : 0;
}

static const uint64_t high_bits = UINT64_C(0x8080808080808080);

/* Eight bytes as they lie. */
static inline uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline bool eight_are_ascii(const uint8_t *p)
{
    return !(word_at(p) & high_bits);
}

/* Of 8 to 32 bytes: are all plain characters? Words that may overlap. */
static inline bool short_is_ascii(const uint8_t *p, size_t len)
{
    const uint8_t *last = p + len - 8;
    uint64_t seen = word_at(p) | word_at(last);
    if (len > 16)
        seen |= word_at(p + 8) | word_at(last - 8);
    return !(seen & high_bits);
}

bool cqln_text_wellformed(cql_str text)
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    const uint8_t *end = p + text.len;
    if (text.len >= 8 && text.len <= 32 && short_is_ascii(p, text.len))
        return true;
    while (p < end) {
        /* Eight plain characters at once, the last eight again with those before: most text is that. */
        while (end - p >= 8 && eight_are_ascii(p))
            p += 8;
        if (text.len >= 8 && end - p < 8 && eight_are_ascii(end - 8))
            return true;
        if (p == end)
            return true;
        size_t n = character(p, (size_t)(end - p));
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

bool cqln_value_readable(const cql_type *type, cql_str bytes)
{
    cql_duration ignored;
    if (bytes.len == 0)
        return true;
    if (type->fixed && type->fixed != bytes.len)
        return false;
    switch (type->id) {
    case CQL_TYPE_TIME:
        return cqln_time_in_range((int64_t)cqln_load_u64((const uint8_t *)bytes.ptr));
    case CQL_TYPE_DECIMAL:
        return bytes.len > 4;
    case CQL_TYPE_INET:
        return bytes.len == 4 || bytes.len == 16;
    case CQL_TYPE_DURATION:
        return cqln_duration_load(bytes, &ignored);
    default:
        return true;
    }
}

/* Not empty. */
static bool scalar_wellformed(const cql_type *type, cql_str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    if (!cqln_value_readable(type, bytes))
        return false;
    switch (type->id) {
    case CQL_TYPE_TIMEUUID:
        return p[6] >> 4 == 1;
    case CQL_TYPE_ASCII:
        return is_ascii(p, bytes.len);
    case CQL_TYPE_TEXT:
        return cqln_text_wellformed(bytes);
    default:
        return true;
    }
}

/* The elements of a collection, one by one. Depth is bounded by the type's. */
static bool elements_wellformed(const cql_type *type, cql_str bytes)
{
    cql_items it;
    cql_value key;
    cql_value element;
    bool optional = type->id == CQL_TYPE_TUPLE || type->id == CQL_TYPE_UDT;
    if (cqln_items_over(&it, type, bytes))
        return false;
    while (cql_items_next(&it, &key, &element)) {
        uint32_t i = it.index - 1;
        if (element.state != CQL_VALUE_SET) {
            if (!optional)
                return false;
            if (it.at == it.end)
                return true; /* all further fields are null too; there may be very many */
            continue;
        }
        const cql_type *of = cqln_items_type(type, i);
        if (type->id == CQL_TYPE_MAP &&
            (key.state != CQL_VALUE_SET ||
             cqln_value_wellformed(type->items[0], cql_value_bytes(&key))))
            return false;
        if (cqln_value_wellformed(of, cql_value_bytes(&element)))
            return false;
    }
    return it.status == CQL_OK && it.at == it.end;
}

cql_status cqln_value_wellformed(const cql_type *type, cql_str bytes)
{
    bool ok;
    if (bytes.len == 0)
        ok = type->empty_ok;
    else if (type->id < CQL_TYPE_LIST)
        ok = scalar_wellformed(type, bytes);
    else
        ok = elements_wellformed(type, bytes);
    return ok ? CQL_OK : CQL_BAD_VALUE;
}

bool cqln_type_takes(uint16_t column, uint16_t value)
{
    if (column == value)
        return true;
    switch (value) {
    case CQL_TYPE_BIGINT:
        return column == CQL_TYPE_COUNTER || column == CQL_TYPE_TIMESTAMP ||
               column == CQL_TYPE_TIME;
    case CQL_TYPE_TEXT:
        return column == CQL_TYPE_ASCII;
    case CQL_TYPE_UUID:
        return column == CQL_TYPE_TIMEUUID;
    case CQL_TYPE_BLOB:
        return column == CQL_TYPE_CUSTOM;
    default:
        return false;
    }
}

cqln_fit cqln_fit_of(const cql_type *type)
{
    bool varies = type->id == CQL_TYPE_BLOB || type->id == CQL_TYPE_TEXT;
    cql_value v = {.type = type->id, .state = CQL_VALUE_SET, .inside = type->plain ? 1 : 0};
    cqln_fit fit = {.head = UINT32_MAX, .len = type->plain};
    if (type->plain || varies)
        memcpy(&fit.head, &v, sizeof fit.head);
    fit.int64 = type->id == CQL_TYPE_BIGINT || type->id == CQL_TYPE_TIMESTAMP ||
                type->id == CQL_TYPE_COUNTER;
    return fit;
}

cql_status cqln_value_check(const cql_type *type, const cql_value *v)
{
    /* Most values that are bound are numbers of the very type. */
    if (v->state == CQL_VALUE_SET && v->type == type->id && type->plain && v->len == type->plain)
        return CQL_OK;
    if (v->state != CQL_VALUE_SET)
        return v->state == CQL_VALUE_UNBOUND ? CQL_UNBOUND : CQL_OK;
    if (!cqln_type_takes(type->id, v->type))
        return CQL_TYPE_MISMATCH;
    if (v->len > INT32_MAX)
        return CQL_TOO_LARGE;
    if (v->inside == 2 && !cqln_shape_fits(v->u.built.shape, type))
        return CQL_TYPE_MISMATCH;
    return cqln_value_wellformed(type, cql_value_bytes(v));
}

cql_status cqln_value_fit(const cql_type *type, cql_value *v)
{
    cql_status st = cqln_value_check(type, v);
    return st == CQL_TYPE_MISMATCH && cqln_value_widen(type, v) ? CQL_OK : st;
}
