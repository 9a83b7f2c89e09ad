/* The row cursor: walks the cells of a ROWS body in place. A row is checked once, when it is stepped
 * on; a getter is then a load and a byte swap. */
#include "cluster/scratch.h"
#include "cluster/result.h"
#include "types/value.h"

#include <string.h>

enum { OFFSETS = 44 }; /* cells of a row whose places are kept; later ones are walked to */

typedef struct cursor {
    cql_result *res;
    const uint8_t *next; /* behind the current row; beside nothing else that a step writes: two words stored as one
                          * are late, and the next step begins with this one */
    const uint8_t *end;
    const uint8_t *row;  /* the first cell of the current row */
    const cqln_column *columns;
    uint32_t count; /* columns */
    uint32_t left;  /* rows still to come */
    uint32_t kept;  /* cells of each row whose places are kept */
    uint32_t quick; /* the same while a row is current, else 0: one comparison tells a getter all */
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
    c->kept = 0;
    c->quick = 0;
    c->columns = NULL;
    c->next = NULL;
    c->end = NULL;
    if (!res || res->kind != CQL_RESULT_ROWS || !res->metadata)
        return;
    c->next = (const uint8_t *)res->rows.rows.ptr;
    c->end = c->next + res->rows.rows.len;
    c->left = res->rows.row_count;
    c->count = res->metadata->count;
    c->kept = c->count < OFFSETS ? c->count : OFFSETS;
    c->columns = res->metadata->columns;
}

/* No row is current any more; `left` says whether for good. */
static bool no_row(cursor *c)
{
    c->row = NULL;
    c->quick = 0;
    return false;
}

static __attribute__((noinline)) bool malformed(cursor *c)
{
    c->left = 0;
    fail(c, CQL_MALFORMED, SIZE_MAX);
    return no_row(c);
}

/* Steps over the cell at *pos. False when its length does not lie within the body or is no length.
 * Where the cell ends is looked at by the next step, or at the end of the row: *pos cannot wrap. */
static inline bool step(const uint8_t *row, uint64_t room, uint64_t *pos)
{
    if (*pos + 4 > room)
        return false;
    uint32_t len = cqln_load_u32(row + *pos);
    *pos += 4;
    if ((int32_t)len < 0)
        return len == UINT32_MAX;
    *pos += len;
    return true;
}

/* The row from its cell i on, at pos, cell by cell. */
static __attribute__((noinline)) bool walk(cursor *c, const uint8_t *row, uint64_t room, uint32_t i,
                                           uint64_t pos)
{
    for (; i < c->count; i++) {
        if (i < c->kept)
            c->offsets[i] = (uint32_t)pos;
        if (!step(row, room, &pos))
            return malformed(c);
    }
    if (pos > room)
        return malformed(c);
    c->row = row;
    c->next = row + pos;
    c->quick = c->kept;
    return true;
}

/* While a cell ends where another length can follow, one comparison tells all that is to be known of
 * it: the length is no null, not negative, and within the body. What fails that is left to walk(). */
bool cql_rows_next(cql_rows *rows)
{
    cursor *c = of(rows);
    if (c->left == 0)
        return no_row(c);
    c->left--;
    if (__builtin_expect(c->res->scratch != NULL, 0))
        cqln_scratch_reset(c->res->al, &c->res->scratch);
    const uint8_t *row = c->next;
    uint64_t room = (uint64_t)(c->end - row);
    uint64_t pos = 0;
    uint32_t i = 0, kept = c->kept;
    if (__builtin_expect(room >= 4, 1)) {
        uint64_t last = room - 4; /* where the last length can be */
        for (; i < kept; i++) {
            c->offsets[i] = (uint32_t)pos;
            uint64_t value = pos + 4;
            __asm__("" : "+r"(value)); /* ready before the length is: one sum of three would begin with it */
            uint64_t behind = value + cqln_load_u32(row + pos);
            if (__builtin_expect(behind > last, 0)) {
                if (behind != room || i + 1 < c->count)
                    return walk(c, row, room, i, pos);
                pos = room; /* the last cell of the body */
                i = kept;
                break;
            }
            pos = behind;
        }
    }
    if (__builtin_expect(i < c->count, 0))
        return walk(c, row, room, i, pos);
    c->row = row;
    c->next = row + pos;
    c->quick = kept;
    return true;
}

const cql_result *cqln_rows_result(const cql_rows *rows)
{
    return of_const(rows)->res;
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

/* The length field of a cell whose place is kept: column < c->quick. A getter does the common case from
 * here and leaves all else to a function of its own, so that it needs neither stack nor registers. */
static inline const uint8_t *quick_cell(const cursor *c, size_t column)
{
    return c->row + c->offsets[column];
}

/* A cell whose place is not kept, walked to: the row was checked as a whole. */
static __attribute__((noinline)) bool far_cell(const cursor *c, size_t column,
                                               const uint8_t **bytes, int32_t *len)
{
    if (!c->row || column >= c->count)
        return false;
    uint64_t pos = c->offsets[OFFSETS - 1];
    for (size_t i = OFFSETS - 1; i < column; i++)
        step(c->row, UINT64_MAX, &pos);
    *len = (int32_t)cqln_load_u32(c->row + pos);
    *bytes = c->row + pos + 4;
    return *len >= 0;
}

/* Bytes of a cell: false when the column is out of range, no row is current, or the cell is null. */
static inline bool cell(const cursor *c, size_t column, const uint8_t **bytes, int32_t *len)
{
    if (__builtin_expect(column >= c->quick, 0))
        return far_cell(c, column, bytes, len);
    const uint8_t *at = quick_cell(c, column);
    *len = (int32_t)cqln_load_u32(at);
    *bytes = at + 4;
    return *len >= 0;
}

static __attribute__((noinline)) void no_cell(cursor *c, size_t column)
{
    fail(c, column >= c->count ? CQL_OUT_OF_RANGE : !c->row ? CQL_BAD_STATE : CQL_IS_NULL, column);
}

/* The bytes for a typed getter; a cell that is not there is a failure of the cursor. */
static inline bool typed_cell(cursor *c, size_t column, const uint8_t **bytes, int32_t *len)
{
    if (cell(c, column, bytes, len))
        return true;
    no_cell(c, column);
    return false;
}

static inline uint64_t type_id(const cursor *c, size_t column)
{
    return c->columns[column].type_id;
}

/* Types of which any eight bytes are an integer. */
static inline bool eight_byte_integer(uint64_t id)
{
    const uint32_t mask = 1u << CQL_TYPE_BIGINT | 1u << CQL_TYPE_TIMESTAMP | 1u << CQL_TYPE_COUNTER |
                          1u << CQL_TYPE_TIME;
    return id < 32 && mask >> id & 1;
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
        fail(c, type_id(c, column) == CQL_TYPE_BOOLEAN ? CQL_BAD_VALUE : CQL_TYPE_MISMATCH, column);
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
        if (len == 8)
            return (int64_t)cqln_load_u64(bytes);
        break;
    default:
        fail(c, CQL_TYPE_MISMATCH, column);
        return 0;
    }
    fail(c, CQL_BAD_VALUE, column);
    return 0;
}

static __attribute__((noinline)) int64_t int64_slowly(cursor *c, size_t column)
{
    const uint8_t *bytes;
    int32_t len;
    return typed_cell(c, column, &bytes, &len) ? other_integer(c, column, bytes, len) : 0;
}

int64_t cql_rows_int64(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    if (column < c->quick) {
        const uint8_t *at = quick_cell(c, column);
        if (cqln_load_u32(at) == 8 && eight_byte_integer(type_id(c, column)))
            return (int64_t)cqln_load_u64(at + 4);
    }
    return int64_slowly(c, column);
}

static __attribute__((noinline)) int32_t int32_slowly(cursor *c, size_t column)
{
    const uint8_t *bytes;
    int32_t len;
    if (!typed_cell(c, column, &bytes, &len))
        return 0;
    uint64_t id = type_id(c, column);
    if (id != CQL_TYPE_INT && id != CQL_TYPE_SMALLINT && id != CQL_TYPE_TINYINT) {
        fail(c, CQL_TYPE_MISMATCH, column);
        return 0;
    }
    return (int32_t)other_integer(c, column, bytes, len);
}

int32_t cql_rows_int32(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    if (column < c->quick) {
        const uint8_t *at = quick_cell(c, column);
        if (cqln_load_u32(at) == 4 && type_id(c, column) == CQL_TYPE_INT)
            return (int32_t)cqln_load_u32(at + 4);
    }
    return int32_slowly(c, column);
}

double cql_rows_double(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    const uint8_t *bytes;
    int32_t len;
    if (!typed_cell(c, column, &bytes, &len))
        return 0;
    uint64_t id = type_id(c, column);
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
    uint64_t id = type_id(c, column);
    if (id != CQL_TYPE_UUID && id != CQL_TYPE_TIMEUUID)
        fail(c, CQL_TYPE_MISMATCH, column);
    else if (len != 16)
        fail(c, CQL_BAD_VALUE, column);
    else
        memcpy(uuid.bytes, bytes, 16);
    return uuid;
}

static __attribute__((noinline)) cql_str str_slowly(cursor *c, size_t column)
{
    const uint8_t *bytes;
    int32_t len;
    if (cell(c, column, &bytes, &len))
        return (cql_str){(const char *)bytes, (size_t)len};
    if (column >= c->count)
        fail(c, CQL_OUT_OF_RANGE, column);
    return (cql_str){NULL, 0};
}

cql_str cql_rows_str(cql_rows *rows, size_t column)
{
    cursor *c = of(rows);
    if (column < c->quick) {
        const uint8_t *at = quick_cell(c, column);
        int32_t len = (int32_t)cqln_load_u32(at);
        if (len >= 0)
            return (cql_str){(const char *)at + 4, (size_t)len};
    }
    return str_slowly(c, column);
}

/* Text as it is, where printing would escape. */
static bool give_text(const cql_type *type, const cql_value *v, char *out, size_t *len)
{
    if (v->state != CQL_VALUE_SET || (type->id != CQL_TYPE_TEXT && type->id != CQL_TYPE_ASCII))
        return false;
    cql_str bytes = cql_value_bytes(v);
    *len = bytes.len;
    if (out && bytes.len)
        memcpy(out, bytes.ptr, bytes.len);
    if (out)
        out[bytes.len] = '\0';
    return true;
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
    bool as_is = give_text(type, &v, NULL, &len);
    cql_status st = as_is ? CQL_OK : cql_value_print(&v, type, NULL, 0, &len);
    char *text = st ? NULL : cqln_scratch_alloc(c->res->al, &c->res->scratch, len + 1);
    if (st || !text) {
        fail(c, st ? st : CQL_NO_MEMORY, column);
        return "";
    }
    if (!give_text(type, &v, text, &len))
        cql_value_print(&v, type, text, len + 1, &len);
    return text;
}
