/* shape.c: comparing and showing the types that builders keep of their elements. Shapes are made by us and nest
 * no deeper than CQLN_TYPE_DEPTH, so they are trusted. */
#include "types/check.h"
#include "types/coll.h"

/* The number of shapes behind a code, and how many bytes the head takes. */
static uint32_t parts(const uint8_t *p, size_t *head)
{
    *head = 1;
    switch (p[0]) {
    case CQL_TYPE_LIST:
    case CQL_TYPE_SET:
    case CQLN_SHAPE_VECTOR:
        return 1;
    case CQL_TYPE_MAP:
        return 2;
    case CQL_TYPE_TUPLE:
    case CQL_TYPE_UDT:
        *head = 3;
        return cqln_load_u16(p + 1);
    case CQLN_SHAPE_RAW:
        *head = 2;
        return 0;
    default:
        return 0;
    }
}

size_t cqln_shape_size(const uint8_t *p)
{
    size_t n;
    uint32_t count = parts(p, &n);
    for (uint32_t i = 0; i < count; i++)
        n += cqln_shape_size(p + n);
    return n;
}

bool cqln_shape_match(const uint8_t *a, const uint8_t *b)
{
    if (a[0] == CQLN_SHAPE_ANY || b[0] == CQLN_SHAPE_ANY)
        return true;
    if (a[0] == CQLN_SHAPE_RAW)
        return a[1] == (b[0] == CQLN_SHAPE_RAW ? b[1] : b[0]);
    if (b[0] == CQLN_SHAPE_RAW)
        return a[0] == b[1];
    if (a[0] != b[0])
        return false;
    size_t at;
    size_t bt;
    uint32_t count = parts(a, &at);
    uint32_t other = parts(b, &bt);
    /* Tuples and UDTs may leave fields away at their end. */
    for (uint32_t i = 0; i < count && i < other; i++) {
        if (!cqln_shape_match(a + at, b + bt))
            return false;
        at += cqln_shape_size(a + at);
        bt += cqln_shape_size(b + bt);
    }
    return true;
}

static size_t copy(uint8_t *out, const uint8_t *p)
{
    size_t n = cqln_shape_size(p);
    memcpy(out, p, n);
    return n;
}

size_t cqln_shape_merge(uint8_t *out, const uint8_t *a, const uint8_t *b)
{
    if (a[0] == CQLN_SHAPE_ANY || (a[0] == CQLN_SHAPE_RAW && b[0] != CQLN_SHAPE_ANY))
        return copy(out, b);
    if (b[0] == CQLN_SHAPE_ANY || b[0] == CQLN_SHAPE_RAW)
        return copy(out, a);
    size_t at;
    size_t bt;
    uint32_t count = parts(a, &at);
    uint32_t other = parts(b, &bt);
    size_t n = at;
    memcpy(out, count >= other ? a : b, n);
    for (uint32_t i = 0; i < count || i < other; i++) {
        size_t in_a = i < count ? cqln_shape_size(a + at) : 0;
        size_t in_b = i < other ? cqln_shape_size(b + bt) : 0;
        if (in_a && in_b)
            n += cqln_shape_merge(out + n, a + at, b + bt);
        else
            n += copy(out + n, in_a ? a + at : b + bt);
        at += in_a;
        bt += in_b;
    }
    return n;
}

static bool fits(const uint8_t *p, const cql_type *type)
{
    if (p[0] == CQLN_SHAPE_ANY)
        return true;
    uint8_t code = cqln_shape_code(type->id);
    if (p[0] == CQLN_SHAPE_RAW)
        return p[1] == code;
    size_t at;
    uint32_t count = parts(p, &at);
    if (count == 0 && at == 1)
        return cqln_type_takes(type->id, p[0]);
    if (p[0] != code)
        return false;
    for (uint32_t i = 0; i < count && i < type->count; i++) {
        if (!fits(p + at, type->items[i]))
            return false;
        at += cqln_shape_size(p + at);
    }
    return true;
}

bool cqln_shape_fits(const cql_collection *c, const cql_type *type)
{
    const uint8_t *p = c->shape[0].data;
    if (c->count == 0)
        return true;
    if (c->type == CQL_TYPE_MAP)
        return fits(p, type->items[0]) && fits(c->shape[1].data, type->items[1]);
    if (c->type != CQL_TYPE_TUPLE && c->type != CQL_TYPE_UDT)
        return fits(p, type->items[0]);
    for (uint32_t i = 0; i < c->count && i < type->count; i++) {
        if (!fits(p, type->items[i]))
            return false;
        p += cqln_shape_size(p);
    }
    return true;
}

/* Where the next shape begins. */
static const uint8_t *print(cqln_sink *out, const uint8_t *p)
{
    size_t head;
    uint32_t count = parts(p, &head);
    uint8_t code = p[0] == CQLN_SHAPE_RAW ? p[1] : p[0];
    cql_type_id id = code == CQLN_SHAPE_VECTOR ? CQL_TYPE_VECTOR : (cql_type_id)code;
    cqln_sink_text(out, code == CQLN_SHAPE_ANY ? "?" : cql_type_id_name(id));
    p += head;
    for (uint32_t i = 0; i < count; i++) {
        cqln_sink_text(out, i ? ", " : "<");
        p = print(out, p);
    }
    if (count)
        cqln_sink_char(out, '>');
    return p;
}

void cqln_shape_print(cqln_sink *out, const cql_collection *c)
{
    const char *between = "<";
    cqln_sink_text(out, cql_type_id_name((cql_type_id)c->type));
    for (int slot = 0; slot < 2; slot++) {
        const uint8_t *p = c->shape[slot].data;
        const uint8_t *end = p + c->shape[slot].len;
        for (; p < end; between = ", ") {
            cqln_sink_text(out, between);
            p = print(out, p);
        }
    }
    if (between[0] == ',')
        cqln_sink_char(out, '>');
}
