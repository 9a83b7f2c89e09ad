/* coll_floats.c: many floats at once into a builder. */
#include "types/coll.h"

void cqln_floats_store(uint8_t *out, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, from + i, sizeof bits);
        cqln_store_u32(out + 4 * i, bits);
    }
}

/* The first element goes the usual way, which finds out whether floats may come at all. */
cql_status cql_collection_add_floats(cql_collection *c, const float *v, size_t n)
{
    if (!c || (!v && n))
        return CQL_BAD_ARGUMENT;
    if (c->type != CQL_TYPE_VECTOR && c->type != CQL_TYPE_LIST && c->type != CQL_TYPE_SET)
        return CQL_BAD_STATE;
    if (n == 0)
        return CQL_OK;
    if (n > INT32_MAX / 8)
        return CQL_TOO_LARGE;
    if (!cqln_writer_reserve(&c->bytes, 4 + 8 * n)) {
        cql_status st = c->bytes.status;
        c->bytes.status = CQL_OK; /* what is there stays good */
        return st;
    }
    float first;
    memcpy(&first, v, sizeof first); /* it may lie at an odd address, in a struct that is packed */
    cql_status st = cql_collection_add(c, cql_value_float(first));
    if (st)
        return st;
    if (c->type == CQL_TYPE_VECTOR) {
        cqln_floats_store(c->bytes.data + c->bytes.len, v + 1, n - 1);
        c->bytes.len += 4 * (n - 1);
    }
    for (size_t i = 1; c->type != CQL_TYPE_VECTOR && i < n; i++) {
        cqln_write_u32(&c->bytes, 4);
        cqln_write_u32(&c->bytes, 0);
        cqln_floats_store(c->bytes.data + c->bytes.len - 4, v + i, 1);
    }
    c->count += (uint32_t)(n - 1);
    if (c->type != CQL_TYPE_VECTOR)
        cqln_writer_patch_u32(&c->bytes, 0, c->count);
    return CQL_OK;
}

cql_status cql_value_as_floats(const cql_value *v, const cql_type *type, float *out, size_t n)
{
    if (!v || !type || !out)
        return CQL_BAD_ARGUMENT;
    if (type->id != CQL_TYPE_VECTOR || type->items[0]->id != CQL_TYPE_FLOAT || type->dimension != n)
        return CQL_TYPE_MISMATCH;
    if (v->state != CQL_VALUE_SET)
        return CQL_IS_NULL;
    if (v->type != CQL_TYPE_VECTOR)
        return CQL_TYPE_MISMATCH;
    if (v->len != n * sizeof(float))
        return CQL_BAD_VALUE;
    cqln_floats_load(out, cqln_value_ptr(v), n);
    return CQL_OK;
}
