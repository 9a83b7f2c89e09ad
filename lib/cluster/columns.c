/* Whole columns into arrays of the caller: one walk over the cells, no cursor. */
#include "cluster/result.h"
#include "types/value.h"

#include <string.h>

/* --- the walk --------------------------------------------------------------------------------------- */

typedef struct walk {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t columns;
    uint32_t column;
} walk;

/* The end of a cell, NULL when it does not fit; *len is UINT32_MAX for null. */
static inline const uint8_t *step(const uint8_t *at, const uint8_t *end, uint32_t *len)
{
    size_t left = (size_t)(end - at);
    if (left < 4)
        return NULL;
    *len = cqln_load_u32(at);
    if (*len == UINT32_MAX)
        return at + 4;
    return *len <= left - 4 ? at + 4 + *len : NULL;
}

/* The column's cell of the next row; false when the bytes are malformed. */
static inline bool walk_row(walk *w, const uint8_t **cell, uint32_t *len)
{
    const uint8_t *at = w->at;
    uint32_t other;
    for (uint32_t i = 0; i < w->columns; i++) {
        const uint8_t *from = at;
        uint32_t *wanted = i == w->column ? len : &other;
        at = step(at, w->end, wanted);
        if (!at)
            return false;
        if (i == w->column)
            *cell = from + 4;
    }
    w->at = at;
    return true;
}

/* Stores a cell that is not null as element i. False: it is no value of the type. */
typedef bool (*store_fn)(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t dimension);

typedef struct column_kind {
    store_fn store;
    size_t width; /* bytes of an element of the array, which a null makes zero */
    size_t dimension;
} column_kind;

static cql_status read_column(const cql_result *res, size_t column, const column_kind *kind,
                              void *out, bool *nulls, size_t cap, size_t *count)
{
    size_t rows = res->rows.row_count < cap ? res->rows.row_count : cap;
    const uint8_t *cells = (const uint8_t *)res->rows.rows.ptr;
    walk w = {cells, cells + res->rows.rows.len, res->metadata->count, (uint32_t)column};
    for (size_t i = 0; i < rows; i++) {
        const uint8_t *cell = NULL;
        uint32_t len = 0;
        if (!walk_row(&w, &cell, &len))
            return CQL_MALFORMED;
        bool null = len == UINT32_MAX;
        if (nulls)
            nulls[i] = null;
        else if (null)
            return CQL_IS_NULL;
        if (null)
            memset((char *)out + i * kind->width, 0, kind->width);
        else if (!kind->store(out, i, cell, len, kind->dimension))
            return CQL_BAD_VALUE;
    }
    if (count)
        *count = rows;
    return CQL_OK;
}

static bool store_1_as_bool(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len == 1)
        ((bool *)out)[i] = cell[0] != 0;
    return len == 1;
}

static bool store_1_as_32(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len == 1)
        ((int32_t *)out)[i] = (int8_t)cell[0];
    return len == 1;
}

static bool store_2_as_32(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len == 2)
        ((int32_t *)out)[i] = (int16_t)cqln_load_u16(cell);
    return len == 2;
}

static bool store_4_as_32(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len == 4)
        ((int32_t *)out)[i] = (int32_t)cqln_load_u32(cell);
    return len == 4;
}

/* Days are sent moved by 2^31, which is the highest bit the other way round. */
static bool store_date(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len == 4)
        ((int32_t *)out)[i] = (int32_t)(cqln_load_u32(cell) ^ UINT32_C(0x80000000));
    return len == 4;
}

static bool store_8_as_64(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len == 8)
        ((int64_t *)out)[i] = (int64_t)cqln_load_u64(cell);
    return len == 8;
}

static bool store_double(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len != 8)
        return false;
    uint64_t bits = cqln_load_u64(cell);
    memcpy((double *)out + i, &bits, sizeof bits);
    return true;
}

static bool store_float_as_double(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len != 4)
        return false;
    uint32_t bits = cqln_load_u32(cell);
    float f;
    memcpy(&f, &bits, sizeof f);
    ((double *)out)[i] = (double)f;
    return true;
}

static bool store_uuid(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    (void)n;
    if (len == 16)
        memcpy((cql_uuid *)out + i, cell, 16);
    return len == 16;
}

static bool store_floats(void *out, size_t i, const uint8_t *cell, uint32_t len, size_t n)
{
    if (len != n * sizeof(float))
        return false;
    cqln_floats_load((float *)out + i * n, cell, n);
    return true;
}

/* The type of the column; NULL, and the status, when it cannot be read. */
static const cql_type *type_of(const cql_result *res, size_t column, const void *out, size_t cap,
                               cql_status *st)
{
    *st = CQL_BAD_ARGUMENT;
    if (!res || (!out && cap))
        return NULL;
    *st = CQL_OUT_OF_RANGE;
    const cql_type *type = cql_result_column_type(res, column);
    if (type)
        *st = CQL_TYPE_MISMATCH;
    return type;
}

cql_status cql_result_column_bool(const cql_result *res, size_t column, bool *out, bool *nulls,
                                  size_t cap, size_t *count)
{
    cql_status st;
    const column_kind kind = {store_1_as_bool, sizeof *out, 0};
    const cql_type *type = type_of(res, column, out, cap, &st);
    if (!type || type->id != CQL_TYPE_BOOLEAN)
        return st;
    return read_column(res, column, &kind, out, nulls, cap, count);
}

cql_status cql_result_column_int32(const cql_result *res, size_t column, int32_t *out, bool *nulls,
                                   size_t cap, size_t *count)
{
    cql_status st;
    const cql_type *type = type_of(res, column, out, cap, &st);
    if (!type)
        return st;
    column_kind kind = {NULL, sizeof *out, 0};
    if (type->id == CQL_TYPE_INT)
        kind.store = store_4_as_32;
    else if (type->id == CQL_TYPE_DATE)
        kind.store = store_date;
    else if (type->id == CQL_TYPE_SMALLINT)
        kind.store = store_2_as_32;
    else if (type->id == CQL_TYPE_TINYINT)
        kind.store = store_1_as_32;
    return kind.store ? read_column(res, column, &kind, out, nulls, cap, count) : st;
}

cql_status cql_result_column_int64(const cql_result *res, size_t column, int64_t *out, bool *nulls,
                                   size_t cap, size_t *count)
{
    cql_status st;
    const column_kind kind = {store_8_as_64, sizeof *out, 0};
    const cql_type *type = type_of(res, column, out, cap, &st);
    if (!type || (type->id != CQL_TYPE_BIGINT && type->id != CQL_TYPE_COUNTER &&
                  type->id != CQL_TYPE_TIMESTAMP && type->id != CQL_TYPE_TIME))
        return st;
    return read_column(res, column, &kind, out, nulls, cap, count);
}

cql_status cql_result_column_double(const cql_result *res, size_t column, double *out, bool *nulls,
                                    size_t cap, size_t *count)
{
    cql_status st;
    const cql_type *type = type_of(res, column, out, cap, &st);
    if (!type || (type->id != CQL_TYPE_DOUBLE && type->id != CQL_TYPE_FLOAT))
        return st;
    const column_kind kind = {
        type->id == CQL_TYPE_DOUBLE ? store_double : store_float_as_double, sizeof *out, 0};
    return read_column(res, column, &kind, out, nulls, cap, count);
}

cql_status cql_result_column_uuid(const cql_result *res, size_t column, cql_uuid *out, bool *nulls,
                                  size_t cap, size_t *count)
{
    cql_status st;
    const column_kind kind = {store_uuid, sizeof *out, 0};
    const cql_type *type = type_of(res, column, out, cap, &st);
    if (!type || (type->id != CQL_TYPE_UUID && type->id != CQL_TYPE_TIMEUUID))
        return st;
    return read_column(res, column, &kind, out, nulls, cap, count);
}

cql_status cql_result_column_floats(const cql_result *res, size_t column, float *out,
                                    size_t dimension, bool *nulls, size_t cap, size_t *count)
{
    cql_status st;
    const cql_type *type = type_of(res, column, out, cap, &st);
    if (!type || type->id != CQL_TYPE_VECTOR || type->items[0]->id != CQL_TYPE_FLOAT ||
        type->dimension != dimension)
        return st;
    const column_kind kind = {store_floats, dimension * sizeof *out, dimension};
    return read_column(res, column, &kind, out, nulls, cap, count);
}
