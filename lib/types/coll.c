/* coll.c: the builder of list, set, map, tuple, UDT and vector values (the forms are drawn in
 * items.c).
 *
 * Adding has three steps: look whether the element may come, make room for all that will be
 * written, write. Only the last one changes the collection and it cannot fail, so a refused element
 * leaves everything as it was. */
#include "types/coll.h"

#include "wire/notation.h"

enum { LENGTH_MAX = 9, SHAPE_HEAD_MAX = 3, FIELDS_MAX = 65535 };

static bool has_fields(const cql_collection *c)
{
    return c->type == CQL_TYPE_TUPLE || c->type == CQL_TYPE_UDT;
}

static bool has_count(const cql_collection *c)
{
    return c->type == CQL_TYPE_LIST || c->type == CQL_TYPE_SET || c->type == CQL_TYPE_MAP;
}

cql_status cql_collection_new(cql_type_id type, const cql_allocator *al, cql_collection **out)
{
    if (!out)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    switch (type) {
    case CQL_TYPE_LIST:
    case CQL_TYPE_SET:
    case CQL_TYPE_MAP:
    case CQL_TYPE_TUPLE:
    case CQL_TYPE_UDT:
    case CQL_TYPE_VECTOR:
        break;
    default:
        return CQL_BAD_ARGUMENT;
    }
    if (!al)
        al = cqln_alloc_default();
    cql_collection *c = cqln_alloc_zero(al, sizeof *c);
    if (!c)
        return CQL_NO_MEMORY;
    c->al = *al;
    c->type = (uint16_t)type;
    cqln_writer_init(&c->bytes, &c->al, INT32_MAX);
    cqln_writer_init(&c->shape[0], &c->al, INT32_MAX);
    cqln_writer_init(&c->shape[1], &c->al, INT32_MAX);
    *out = c;
    return CQL_OK;
}

void cql_collection_clear(cql_collection *c)
{
    if (!c)
        return;
    cqln_writer_reset(&c->bytes);
    cqln_writer_reset(&c->shape[0]);
    cqln_writer_reset(&c->shape[1]);
    c->half = false;
    c->depth = 0;
    c->count = 0;
    c->packed = 0;
}

void cql_collection_free(cql_collection *c)
{
    if (!c)
        return;
    cqln_writer_fini(&c->bytes);
    cqln_writer_fini(&c->shape[0]);
    cqln_writer_fini(&c->shape[1]);
    cql_allocator al = c->al;
    cqln_free(&al, c);
}

/* --- elements --------------------------------------------------------------------------------- */

/* What is to be added: the value and the head of its shape. */
typedef struct newcomer {
    const cql_value *v;
    const cql_collection *built; /* NULL for all but values of a builder */
    uint8_t head[SHAPE_HEAD_MAX];
    uint8_t head_len;
    uint8_t any;     /* shapes of unknown things behind the head: of an empty list or map */
    uint32_t packed; /* bytes in a vector that needs no lengths, else 0 */
} newcomer;

static void set_head(newcomer *e, uint8_t first, uint8_t second, uint8_t len)
{
    e->head[0] = first;
    e->head[1] = second;
    e->head_len = len;
}

static bool is_collection(uint16_t id)
{
    return id == CQL_TYPE_LIST || id == CQL_TYPE_SET || id == CQL_TYPE_MAP ||
           id == CQL_TYPE_TUPLE || id == CQL_TYPE_UDT || id == CQL_TYPE_VECTOR;
}

/* Bytes that a vector needs for each of these when they have no lengths, else 0. */
static uint32_t packed_size(const cql_collection *c)
{
    return c->type == CQL_TYPE_VECTOR && c->packed ? (uint32_t)c->bytes.len : 0;
}

/* Works out what v is. CQL_BAD_ARGUMENT for an unknown type id. */
static cql_status describe(newcomer *e, const cql_value *v)
{
    memset(e, 0, sizeof *e);
    e->v = v;
    if (v->state == CQL_VALUE_NULL) {
        set_head(e, CQLN_SHAPE_ANY, 0, 1);
        return CQL_OK;
    }
    const cql_type *scalar = cqln_type_scalar(v->type);
    if (scalar || v->type == CQL_TYPE_CUSTOM) {
        set_head(e, (uint8_t)v->type, 0, 1);
        e->packed = scalar ? scalar->packed : 0;
        return CQL_OK;
    }
    if (!is_collection(v->type))
        return CQL_BAD_ARGUMENT;
    uint8_t code = cqln_shape_code(v->type);
    if (v->inside != 2) {
        set_head(e, CQLN_SHAPE_RAW, code, 2);
        return CQL_OK;
    }
    const cql_collection *c = v->u.built.shape;
    e->built = c;
    e->packed = packed_size(c);
    set_head(e, code, 0, 1);
    if (has_fields(c)) {
        cqln_store_u16(e->head + 1, (uint16_t)c->count);
        e->head_len = 3;
    } else if (c->count == 0) {
        e->any = c->type == CQL_TYPE_MAP ? 2 : 1;
    }
    return CQL_OK;
}

static size_t shape_len(const newcomer *e)
{
    size_t below = e->built ? e->built->shape[0].len + e->built->shape[1].len : 0;
    return e->head_len + e->any + below;
}

static void write_shape(cqln_writer *wr, const newcomer *e)
{
    static const uint8_t unknown[2] = {CQLN_SHAPE_ANY, CQLN_SHAPE_ANY};
    cqln_write_bytes(wr, e->head, e->head_len);
    cqln_write_bytes(wr, unknown, e->any);
    for (int i = 0; e->built && i < 2; i++)
        cqln_write_bytes(wr, e->built->shape[i].data, e->built->shape[i].len);
}

/* A vector has all its elements with lengths or all without. */
static cql_status may_come_in_vector(const cql_collection *c, const newcomer *e)
{
    if (e->head[0] == CQLN_SHAPE_RAW && e->head[1] == CQLN_SHAPE_VECTOR)
        return CQL_BAD_ARGUMENT; /* its bytes do not say which of the two it is */
    if (c->count > 0 && e->packed != c->packed)
        return CQL_TYPE_MISMATCH;
    return e->packed && e->v->len != e->packed ? CQL_BAD_VALUE : CQL_OK;
}

static cql_status may_come(const cql_collection *c, const newcomer *e)
{
    const cql_value *v = e->v;
    if (v->state == CQL_VALUE_NULL)
        return has_fields(c) ? CQL_OK : CQL_IS_NULL;
    if (v->len > INT32_MAX)
        return CQL_TOO_LARGE;
    if (e->built && (e->built == c || e->built->depth + 2 > CQLN_TYPE_DEPTH))
        return e->built == c ? CQL_BAD_ARGUMENT : CQL_TOO_LARGE;
    if (has_fields(c) && c->count >= FIELDS_MAX)
        return CQL_TOO_LARGE;
    return c->type == CQL_TYPE_VECTOR ? may_come_in_vector(c, e) : CQL_OK;
}

/* The first two steps for an element whose shape belongs to slot 0 or 1. */
static cql_status look(const cql_collection *c, const cql_value *v, newcomer *e)
{
    if (v->state == CQL_VALUE_UNBOUND)
        return CQL_UNBOUND;
    if (v->state == CQL_VALUE_UNSET)
        return CQL_BAD_ARGUMENT;
    cql_status st = describe(e, v);
    return st ? st : may_come(c, e);
}

static cql_status reserve(cqln_writer *wr, size_t n)
{
    if (cqln_writer_reserve(wr, n))
        return CQL_OK;
    cql_status st = wr->status;
    wr->status = CQL_OK; /* what is there stays good */
    return st;
}

/* Writes the shape of e behind the others of its slot, where it can be compared; the caller either
 * keeps or drops it. Fields keep all shapes, the others what all of them say together: room for
 * that is made here too. */
static cql_status place_shape(cql_collection *c, int slot, const newcomer *e, size_t *old_len)
{
    cqln_writer *wr = &c->shape[slot];
    size_t len = shape_len(e);
    *old_len = wr->len;
    bool alone = has_fields(c) || *old_len == 0;
    cql_status st = reserve(wr, alone ? len : 2 * len + *old_len);
    if (st)
        return st;
    write_shape(wr, e);
    if (alone || cqln_shape_match(wr->data, wr->data + *old_len))
        return CQL_OK;
    wr->len = *old_len;
    return CQL_TYPE_MISMATCH;
}

static void settle_shape(cql_collection *c, int slot, size_t old_len)
{
    cqln_writer *wr = &c->shape[slot];
    size_t len = wr->len - old_len;
    if (has_fields(c) || old_len == 0)
        return;
    if (len == old_len && memcmp(wr->data, wr->data + len, len) == 0) {
        wr->len = old_len;
        return;
    }
    uint8_t *merged = wr->data + wr->len;
    wr->len = cqln_shape_merge(merged, wr->data, wr->data + old_len);
    memmove(wr->data, merged, wr->len);
}

/* The bytes of an element behind its length. Room was made. */
static void write_element(cql_collection *c, const newcomer *e)
{
    cql_str bytes = cql_value_bytes(e->v);
    if (has_count(c) && c->bytes.len == 0)
        cqln_write_u32(&c->bytes, 0);
    if (e->v->state == CQL_VALUE_NULL)
        cqln_write_u32(&c->bytes, UINT32_MAX);
    else if (c->type != CQL_TYPE_VECTOR)
        cqln_write_u32(&c->bytes, e->v->len);
    else if (!e->packed)
        cqln_write_uvint(&c->bytes, e->v->len);
    cqln_write_bytes(&c->bytes, bytes.ptr, bytes.len);
    if (e->built && e->built->depth + 1 > c->depth)
        c->depth = e->built->depth + 1;
    else if (e->head[0] == CQLN_SHAPE_RAW && c->depth == 0)
        c->depth = 1;
}

static size_t room_for(const newcomer *e)
{
    return (size_t)LENGTH_MAX + e->v->len;
}

static void count_one(cql_collection *c)
{
    c->count++;
    if (has_count(c))
        cqln_writer_patch_u32(&c->bytes, 0, c->count);
}

static cql_status add_one(cql_collection *c, const cql_value *v, int slot)
{
    newcomer e;
    size_t old_len;
    cql_status st = look(c, v, &e);
    if (!st)
        st = reserve(&c->bytes, 4 + room_for(&e));
    if (!st)
        st = place_shape(c, slot, &e, &old_len);
    if (st)
        return st;
    settle_shape(c, slot, old_len);
    c->packed = e.packed;
    write_element(c, &e);
    return CQL_OK;
}

cql_status cql_collection_add(cql_collection *c, cql_value element)
{
    if (!c)
        return CQL_BAD_ARGUMENT;
    cql_status st = add_one(c, &element, c->half ? 1 : 0);
    if (st)
        return st;
    if (c->type == CQL_TYPE_MAP)
        c->half = !c->half;
    if (!c->half)
        count_one(c);
    return CQL_OK;
}

cql_status cql_collection_add_pair(cql_collection *c, cql_value key, cql_value value)
{
    if (!c)
        return CQL_BAD_ARGUMENT;
    if (c->type != CQL_TYPE_MAP || c->half)
        return CQL_BAD_STATE;
    newcomer k;
    newcomer v;
    size_t keys_len;
    size_t values_len;
    cql_status st = look(c, &key, &k);
    if (!st)
        st = look(c, &value, &v);
    if (!st)
        st = reserve(&c->bytes, 4 + room_for(&k) + room_for(&v));
    if (!st)
        st = place_shape(c, 0, &k, &keys_len);
    if (st)
        return st;
    st = place_shape(c, 1, &v, &values_len);
    if (st) {
        c->shape[0].len = keys_len;
        return st;
    }
    settle_shape(c, 0, keys_len);
    settle_shape(c, 1, values_len);
    write_element(c, &k);
    write_element(c, &v);
    count_one(c);
    return CQL_OK;
}

/* Element e takes the place of field i. Room was made. */
static void put_field(cql_collection *c, size_t i, const newcomer *e)
{
    cqln_writer *bytes = &c->bytes, *shape = &c->shape[0];
    size_t at = 0, shape_at = 0, end = bytes->len, shape_end = shape->len;
    for (; i > 0; i--) {
        at += cqln_bytes_size(bytes->data + at);
        shape_at += cqln_shape_size(shape->data + shape_at);
    }
    write_element(c, e);
    cqln_writer_move_back(bytes, at, cqln_bytes_size(bytes->data + at), end);
    write_shape(shape, e);
    cqln_writer_move_back(shape, shape_at, cqln_shape_size(shape->data + shape_at), shape_end);
}

cql_status cql_collection_set_field(cql_collection *c, const cql_type *type, const char *name,
                                    cql_value value)
{
    newcomer e;
    size_t i = 0;
    if (!c || c->type != CQL_TYPE_UDT)
        return c ? CQL_BAD_STATE : CQL_BAD_ARGUMENT;
    cql_status st = cql_type_field_index(type, name, &i);
    if (!st)
        st = cqln_value_fit(type->items[i], &value);
    if (!st)
        st = look(c, &value, &e);
    while (!st && c->count < type->count)
        st = cql_collection_add(c, cql_value_null());
    if (!st)
        st = reserve(&c->bytes, 2 * room_for(&e));
    if (!st)
        st = reserve(&c->shape[0], 2 * shape_len(&e));
    if (!st)
        put_field(c, i, &e);
    return st;
}

cql_value cql_value_collection(const cql_collection *c)
{
    static const uint8_t no_elements[4] = {0};
    cql_value v = cql_value_null();
    if (!c || c->half) {
        v.state = CQL_VALUE_UNBOUND;
        return v;
    }
    v.type = c->type;
    v.state = CQL_VALUE_SET;
    v.inside = 2;
    v.u.built.ptr = c->bytes.data;
    v.u.built.shape = c;
    v.len = (uint32_t)c->bytes.len;
    if (c->count == 0) {
        v.u.built.ptr = no_elements;
        v.len = has_count(c) ? 4 : 0;
    }
    return v;
}
