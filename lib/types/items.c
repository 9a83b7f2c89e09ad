/* items.c: walks the elements of list, set, map, tuple, UDT and vector values without a copy.
 *
 *   list, set   [int] n, n times [bytes]
 *   map         [int] n, n times [bytes] key [bytes] value
 *   tuple, UDT  [bytes] for each field; fields missing at the end are null, since the type may have
 *               got fields after the value was written
 *   vector      elements without length when the server counts their type as fixed, else each
 * behind its length as [unsigned vint] */
#include "types/items.h"

#include "wire/notation.h"

static bool is_tuple(const cql_type *type)
{
    return type->id == CQL_TYPE_TUPLE || type->id == CQL_TYPE_UDT;
}

/* Sets the count from the bytes; false when they cannot hold that many. */
static bool counted(cql_items *it, const cql_type *type)
{
    cqln_reader rd = {.at = it->at, .end = it->end};
    if (is_tuple(type)) {
        it->count = type->count;
        return true;
    }
    if (type->id == CQL_TYPE_VECTOR) {
        uint64_t each = type->items[0]->packed;
        it->count = type->dimension;
        size_t left = cqln_reader_left(&rd);
        return each ? left == each * type->dimension : left >= type->dimension;
    }
    int32_t count = cqln_read_i32(&rd);
    size_t each = type->id == CQL_TYPE_MAP ? 8 : 4;
    if (rd.failed || count < 0 || (size_t)count > cqln_reader_left(&rd) / each)
        return false;
    it->at = rd.at;
    it->count = (uint32_t)count;
    return count > 0 || it->at == it->end;
}

cql_status cqln_items_over(cql_items *it, const cql_type *type, cql_str bytes)
{
    memset(it, 0, sizeof *it);
    it->type = type;
    it->at = (const uint8_t *)bytes.ptr;
    it->end = it->at + bytes.len;
    if (!counted(it, type)) {
        it->count = 0;
        it->status = CQL_MALFORMED;
    }
    return it->status;
}

cql_status cql_items_init(cql_items *it, const cql_type *type, const cql_value *v)
{
    if (!it)
        return CQL_BAD_ARGUMENT;
    memset(it, 0, sizeof *it);
    if (!type || !v)
        return it->status = CQL_BAD_ARGUMENT;
    it->type = type;
    if (type->id < CQL_TYPE_LIST)
        return it->status = CQL_TYPE_MISMATCH;
    if (v->state != CQL_VALUE_SET)
        return CQL_OK;
    if (v->type != type->id)
        return it->status = CQL_TYPE_MISMATCH;
    return cqln_items_over(it, type, cql_value_bytes(v));
}

/* [bytes] as a value; what a negative length means depends on where it stands. */
static cql_value next_bytes(cqln_reader *rd, const cql_type *type, bool any_negative_is_null)
{
    int32_t len = cqln_read_i32(rd);
    if (len < 0) {
        if (len != -1 && !any_negative_is_null)
            rd->failed = true;
        return cqln_value_view(type, NULL, 0);
    }
    const uint8_t *p = cqln_read_bytes(rd, (size_t)len);
    return cqln_value_view(type, p, (size_t)len);
}

static cql_value next_in_vector(cqln_reader *rd, const cql_type *type)
{
    uint64_t len = type->packed ? type->packed : cqln_read_uvint(rd);
    if (len > cqln_reader_left(rd))
        rd->failed = true;
    const uint8_t *p = cqln_read_bytes(rd, (size_t)len);
    return cqln_value_view(type, p, (size_t)len);
}

static cql_value next_in_tuple(cqln_reader *rd, const cql_type *type)
{
    if (cqln_reader_left(rd) == 0)
        return cqln_value_view(type, NULL, 0);
    return next_bytes(rd, type, true);
}

bool cql_items_next(cql_items *it, cql_value *key, cql_value *element)
{
    if (!it || !element || it->count == 0 || it->status)
        return false;
    const cql_type *type = it->type;
    const cql_type *of = cqln_items_type(type, it->index);
    cqln_reader rd = {.at = it->at, .end = it->end};
    cql_value k = cql_value_null();
    cql_value e;
    if (is_tuple(type)) {
        e = next_in_tuple(&rd, of);
    } else if (type->id == CQL_TYPE_VECTOR) {
        e = next_in_vector(&rd, of);
    } else {
        if (type->id == CQL_TYPE_MAP)
            k = next_bytes(&rd, type->items[0], false);
        e = next_bytes(&rd, of, false);
    }
    if (rd.failed) {
        it->status = CQL_MALFORMED;
        it->count = 0;
        return false;
    }
    it->at = rd.at;
    it->count--;
    it->index++;
    /* Tuples and UDTs may have got fields that this type does not have yet; nothing may follow the
     * elements of the others. */
    if (it->count == 0 && it->at != it->end && !is_tuple(type))
        it->status = CQL_MALFORMED;
    if (key)
        *key = k;
    *element = e;
    return true;
}

cql_status cql_items_status(const cql_items *it)
{
    return it ? it->status : CQL_BAD_ARGUMENT;
}

cql_status cql_value_field(const cql_value *v, const cql_type *type, const char *name, cql_value *out)
{
    cql_items it;
    cql_value field = cql_value_null();
    size_t i = 0;
    if (!out)
        return CQL_BAD_ARGUMENT;
    cql_status st = cql_type_field_index(type, name, &i);
    if (!st)
        st = cql_items_init(&it, type, v);
    if (st)
        return st;
    while (it.index <= i && cql_items_next(&it, NULL, &field))
        ;
    if (!it.status)
        *out = field;
    return it.status;
}
