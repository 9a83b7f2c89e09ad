/* The row cursor: walks the cells of a ROWS body in place. A row is checked once, when it is stepped
 * on; a getter is then a load and a byte swap. */
#include "cluster/scratch.h"
#include "cluster/result.h"
#include "types/value.h"

#include <string.h>

enum { OFFSETS = 44 }; /* cells of a row whose places are kept; later ones are walked to */

typedef struct cursor {
    cql_result *res;
    const uint8_t *row;  /* the first cell of the current row */
    const uint8_t *next; /* behind the current row */
    const uint8_t *end;
    const cqln_column *columns;
    uint32_t count; /* columns */
    uint32_t left;  /* rows still to come */
    int32_t status;
    uint32_t failed_column;
    uint32_t offsets[OFFSETS];
} cursor;

_Static_assert(sizeof(cursor) <= sizeof(cql_rows), "cql_rows has room for a cursor");

static cursor *of(cql_rows *rows)
{
    return (cursor *)(void *)rows->opaque;
}

static const cursor *of_const(const cql_rows *rows)
{
    return (const cursor *)(const void *)rows->opaque;
}

static void fail(cursor *c, cql_status st, size_t column)
{
    if (c->status)
        return;
    c->status = st;
    c->failed_column = (uint32_t)column;
}

void cql_rows_init(cql_rows *rows, const cql_result *res)
{
    cursor *c = of(rows);
    c->res = (cql_result *)(uintptr_t)res;
    c->status = CQL_OK;
    c->failed_column = UINT32_MAX;
    c->row = NULL;
    c->left = 0;
    c->count = 0;
    c->columns = NULL;
    c->next = NULL;
    c->end = NULL;
    if (!res || res->kind != CQL_RESULT_ROWS || !res->metadata)
        return;
    c->next = (const uint8_t *)res->rows.rows.ptr;
    c->end = c->next + res->rows.rows.len;
    c->left = res->rows.row_count;
    c->count = res->metadata->count;
    c->columns = res->metadata->columns;
}

/* The end of a cell, NULL when it does not fit. A negative length is, without its sign, longer than any
 * body. */
static inline const uint8_t *skip_cell(const uint8_t *at, const uint8_t *end)
{
    size_t left = (size_t)(end - at);
    if (__builtin_expect(left < 4, 0))
        return NULL;
    uint32_t len = cqln_load_u32(at);
    if (__builtin_expect(len <= left - 4, 1))
        return at + 4 + len;
    return len == UINT32_MAX ? at + 4 : NULL;
}

static bool malformed(cursor *c)
{
    c->row = NULL;
    c->left = 0;
    fail(c, CQL_MALFORMED, SIZE_MAX);
    return false;
}

bool cql_rows_next(cql_rows *rows)
{
    cursor *c = of(rows);
    const uint8_t *at = c->next;
    const uint8_t *end = c->end;
    if (c->left == 0) {
        c->row = NULL;
        return false;
    }
    if (c->res->scratch)
        cqln_scratch_reset(c->res->al, &c->res->scratch);
    const uint8_t *row = at;
    uint32_t kept = c->count < OFFSETS ? c->count : OFFSETS;
    uint32_t i = 0;
    for (; i < kept && at; i++) {
        c->offsets[i] = (uint32_t)(at - row);
        at = skip_cell(at, end);
    }
    for (; i < c->count && at; i++)
        at = skip_cell(at, end);
    if (!at)
        return malformed(c);
    c->row = row;
    c->next = at;
    c->left--;
    return true;
}

cql_status cql_rows_status(const cql_rows *rows)
{
    return (cql_status)of_const(rows)->status;
}

size_t cql_rows_failed_column(const cql_rows *rows)
{
    uint32_t column = of_const(rows)->failed_column;
    return column == UINT32_MAX ? SIZE_MAX : column;
}

/* --- cells --------------------------------------------------------------------------------------- */

/* The length field of a cell of the current row, which was checked as a whole. */
static const uint8_t *place(const cursor *c, size_t column)
{
    if (column < OFFSETS)
        return c->row + c->offsets[column];
    const uint8_t *at = c->row + c->offsets[OFFSETS - 1];
    for (size_t i = OFFSETS - 1; i < column; i++) {
        int32_t len = (int32_t)cqln_load_u32(at);
        at += 4 + (len > 0 ? len : 0);
    }
    return at;
}

/* Bytes of a cell: false when the column is out of range, no row is current, or the cell is null. */
static inline bool cell(const cursor *c, size_t column, const uint8_t **bytes, int32_t *len)
{
    if (!c->row || column >= c->count)
        return false;
    const uint8_t *at = place(c, column);
    *len = (int32_t)cqln_load_u32(at);
    *bytes = at + 4;
    return *len >= 0;
}

/* The bytes for a typed getter; a cell that is not there is a failure of the cursor. */
static inline bool typed_cell(cursor *c, size_t column, const uint8_t **bytes, int32_t *len)
{
    if (cell(c, column, bytes, len))
        return true;
    fail(c, column >= c->count ? CQL_OUT_OF_RANGE : !c->row ? CQL_BAD_STATE : CQL_IS_NULL, column);
    return false;
}

static inline uint16_t type_id(const cursor *c, size_t column)
{
    return c->columns[column].type->id;
}

bool cql_rows_is_null(const cql_rows *rows, size_t column)
{
    const uint8_t *bytes;
    int32_t len;
    return !cell(of_const(rows), column, &bytes, &len);
}

cql_value cql_rows_value(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    const uint8_t *bytes;
    int32_t len;
    if (column >= c->count) {
        fail(c, CQL_OUT_OF_RANGE, column);
        return cql_value_null();
    }
    if (!cell(c, column, &bytes, &len))
        return cqln_value_view(c->columns[column].type, NULL, 0);
    return cqln_value_view(c->columns[column].type, bytes, (size_t)len);
}

bool cql_rows_bool(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    const uint8_t *bytes;
    int32_t len;
    if (!typed_cell(c, column, &bytes, &len))
        return false;
    if (type_id(c, column) != CQL_TYPE_BOOLEAN || len != 1) {
        fail(c, len != 1 ? CQL_BAD_VALUE : CQL_TYPE_MISMATCH, column);
        return false;
    }
    return bytes[0] != 0;
}

static int64_t other_integer(cursor *c, size_t column, const uint8_t *bytes, int32_t len)
{
    int64_t wide;
    switch (type_id(c, column)) {
    case CQL_TYPE_INT:
        if (len == 4)
            return (int32_t)cqln_load_u32(bytes);
        break;
    case CQL_TYPE_SMALLINT:
        if (len == 2)
            return (int16_t)cqln_load_u16(bytes);
        break;
    case CQL_TYPE_TINYINT:
        if (len == 1)
            return (int8_t)bytes[0];
        break;
    case CQL_TYPE_VARINT:
        if (cqln_varint_to_i64((cql_str){(const char *)bytes, (size_t)len}, &wide))
            return wide;
        break;
    case CQL_TYPE_BIGINT:
    case CQL_TYPE_COUNTER:
    case CQL_TYPE_TIMESTAMP:
    case CQL_TYPE_TIME:
        break; /* of the wrong length */
    default:
        fail(c, CQL_TYPE_MISMATCH, column);
        return 0;
    }
    fail(c, CQL_BAD_VALUE, column);
    return 0;
}

int64_t cql_rows_int64(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    const uint8_t *bytes;
    int32_t len;
    if (!typed_cell(c, column, &bytes, &len))
        return 0;
    uint16_t id = type_id(c, column);
    if (len == 8 && (id == CQL_TYPE_BIGINT || id == CQL_TYPE_TIMESTAMP || id == CQL_TYPE_COUNTER ||
                     id == CQL_TYPE_TIME))
        return (int64_t)cqln_load_u64(bytes);
    return other_integer(c, column, bytes, len);
}

int32_t cql_rows_int32(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    const uint8_t *bytes;
    int32_t len;
    if (!typed_cell(c, column, &bytes, &len))
        return 0;
    uint16_t id = type_id(c, column);
    if (id == CQL_TYPE_INT && len == 4)
        return (int32_t)cqln_load_u32(bytes);
    if (id != CQL_TYPE_INT && id != CQL_TYPE_SMALLINT && id != CQL_TYPE_TINYINT) {
        fail(c, CQL_TYPE_MISMATCH, column);
        return 0;
    }
    return (int32_t)other_integer(c, column, bytes, len);
}

double cql_rows_double(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    const uint8_t *bytes;
    int32_t len;
    if (!typed_cell(c, column, &bytes, &len))
        return 0;
    uint16_t id = type_id(c, column);
    if (id == CQL_TYPE_DOUBLE && len == 8) {
        uint64_t bits = cqln_load_u64(bytes);
        double d;
        memcpy(&d, &bits, sizeof d);
        return d;
    }
    if (id == CQL_TYPE_FLOAT && len == 4) {
        uint32_t bits = cqln_load_u32(bytes);
        float f;
        memcpy(&f, &bits, sizeof f);
        return (double)f;
    }
    fail(c, id == CQL_TYPE_DOUBLE || id == CQL_TYPE_FLOAT ? CQL_BAD_VALUE : CQL_TYPE_MISMATCH,
         column);
    return 0;
}

cql_uuid cql_rows_uuid(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    const uint8_t *bytes;
    int32_t len;
    cql_uuid uuid;
    memset(&uuid, 0, sizeof uuid);
    if (!typed_cell(c, column, &bytes, &len))
        return uuid;
    uint16_t id = type_id(c, column);
    if (id != CQL_TYPE_UUID && id != CQL_TYPE_TIMEUUID)
        fail(c, CQL_TYPE_MISMATCH, column);
    else if (len != 16)
        fail(c, CQL_BAD_VALUE, column);
    else
        memcpy(uuid.bytes, bytes, 16);
    return uuid;
}

cql_str cql_rows_str(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    const uint8_t *bytes;
    int32_t len;
    if (cell(c, column, &bytes, &len))
        return (cql_str){(const char *)bytes, (size_t)len};
    if (column >= c->count)
        fail(c, CQL_OUT_OF_RANGE, column);
    return (cql_str){NULL, 0};
}

const char *cql_rows_cstr(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    if (column >= c->count || !c->row) {
        fail(c, column >= c->count ? CQL_OUT_OF_RANGE : CQL_BAD_STATE, column);
        return "";
    }
    const cql_type *type = c->columns[column].type;
    cql_value v = cql_rows_value(rows, column);
    size_t len = 0;
    cql_status st = cql_value_print(&v, type, NULL, 0, &len);
    char *text = st ? NULL : cqln_scratch_alloc(c->res->al, &c->res->scratch, len + 1);
    if (st || !text) {
        fail(c, st ? st : CQL_NO_MEMORY, column);
        return "";
    }
    cql_value_print(&v, type, text, len + 1, &len);
    return text;
}
