/* Rows to structs: each cell by the kind of its member, types checked once before the first row. */
#include "api/statement.h"
#include "base/error.h"
#include "types/value.h"

#include <cqlnative/fields.h>
#include <stdio.h>
#include <string.h>

enum { FIELDS_MAX = 1024, MEMBER_SHOWN = 64 };

static const char *const kind_names[] = {
    "nothing",   "bool",    "an integer", "an unsigned integer", "a float or double",
    "cql_uuid",  "cql_inet", "cql_duration", "char[]",           "unsigned char[]",
    "float[]",   "cql_str", "const char *", "cql_value"};

static const char *kind_name(const cql_field *f)
{
    return (unsigned)f->kind < CQL_COUNT(kind_names) ? kind_names[f->kind] : kind_names[0];
}

/* "an integer of 4 bytes", "float[3]". */
static const char *member_text(const cql_field *f, char out[MEMBER_SHOWN])
{
    if (f->kind == CQL_FIELD_FLOATS)
        snprintf(out, MEMBER_SHOWN, "float[%zu]", f->size / sizeof(float));
    else
        snprintf(out, MEMBER_SHOWN, "%s of %zu bytes", kind_name(f), f->size);
    return out;
}

static uint32_t bit(cql_type_id id)
{
    return (unsigned)id < 32 ? 1u << (unsigned)id : 0;
}

static bool is_float_vector(const cql_type *type, size_t size)
{
    return type->id == CQL_TYPE_VECTOR && type->items[0]->id == CQL_TYPE_FLOAT &&
           type->dimension == size / sizeof(float);
}

/* May a column of this type go into the member, and come from it? */
static bool kind_takes(const cql_field *f, const cql_type *type)
{
    const uint32_t text = bit(CQL_TYPE_TEXT) | bit(CQL_TYPE_ASCII);
    const uint32_t integers = bit(CQL_TYPE_TINYINT) | bit(CQL_TYPE_SMALLINT) | bit(CQL_TYPE_INT) |
                              bit(CQL_TYPE_BIGINT) | bit(CQL_TYPE_COUNTER) |
                              bit(CQL_TYPE_VARINT) | bit(CQL_TYPE_TIMESTAMP) |
                              bit(CQL_TYPE_TIME) | bit(CQL_TYPE_DATE);
    uint32_t is = type->id < 32 ? 1u << type->id : 0;
    switch (f->kind) {
    case CQL_FIELD_BOOL:
        return type->id == CQL_TYPE_BOOLEAN;
    case CQL_FIELD_INT:
    case CQL_FIELD_UINT:
        return (is & integers) != 0;
    case CQL_FIELD_FLOAT:
        return (is & (bit(CQL_TYPE_FLOAT) | bit(CQL_TYPE_DOUBLE))) != 0;
    case CQL_FIELD_UUID:
        return (is & (bit(CQL_TYPE_UUID) | bit(CQL_TYPE_TIMEUUID))) != 0;
    case CQL_FIELD_INET:
        return type->id == CQL_TYPE_INET;
    case CQL_FIELD_DURATION:
        return type->id == CQL_TYPE_DURATION;
    case CQL_FIELD_CHARS:
    case CQL_FIELD_CSTR:
        return (is & text) != 0;
    case CQL_FIELD_BYTES:
        return type->id == CQL_TYPE_BLOB;
    case CQL_FIELD_STR:
        return (is & (text | bit(CQL_TYPE_BLOB))) != 0;
    case CQL_FIELD_FLOATS:
        return is_float_vector(type, f->size);
    case CQL_FIELD_VALUE:
        return true;
    }
    return false;
}

/* Is the description itself possible? */
static bool field_sound(const cql_field *f)
{
    static const size_t sizes[] = {[CQL_FIELD_BOOL] = sizeof(bool),
                                   [CQL_FIELD_UUID] = sizeof(cql_uuid),
                                   [CQL_FIELD_INET] = sizeof(cql_inet),
                                   [CQL_FIELD_DURATION] = sizeof(cql_duration),
                                   [CQL_FIELD_STR] = sizeof(cql_str),
                                   [CQL_FIELD_CSTR] = sizeof(const char *),
                                   [CQL_FIELD_VALUE] = sizeof(cql_value)};
    if (!f->name || f->kind < CQL_FIELD_BOOL || f->kind > CQL_FIELD_VALUE || f->size == 0)
        return false;
    switch (f->kind) {
    case CQL_FIELD_INT:
    case CQL_FIELD_UINT:
        return f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8;
    case CQL_FIELD_FLOAT:
        return f->size == sizeof(float) || f->size == sizeof(double);
    case CQL_FIELD_FLOATS:
        return f->size % sizeof(float) == 0;
    case CQL_FIELD_CHARS:
    case CQL_FIELD_BYTES:
        return true;
    default:
        return f->size == sizes[f->kind];
    }
}

static cql_status check_fields(const cql_field *fields, size_t n, const cql_allocator *al,
                               cql_error **err)
{
    if (!fields || n == 0 || n > FIELDS_MAX)
        return cqln_fail(err, al, CQL_BAD_ARGUMENT, "a struct needs 1 to %d fields", FIELDS_MAX);
    for (size_t i = 0; i < n; i++)
        if (!field_sound(&fields[i]))
            return cqln_fail(err, al, CQL_BAD_ARGUMENT,
                             "field \"%s\": no kind of member that can be read or bound (%s, %zu "
                             "bytes)",
                             fields[i].name ? fields[i].name : "", kind_name(&fields[i]),
                             fields[i].size);
    return CQL_OK;
}

/* --- integers -------------------------------------------------------------------------------------- */

/* Any integer column to 64 bits. False when the bytes are no value of the type, or no 64 bits. */
static bool load_integer(const cql_type *type, cql_str bytes, int64_t *out)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    if (type->id == CQL_TYPE_VARINT)
        return cqln_varint_to_i64(bytes, out);
    if (bytes.len != type->fixed)
        return false;
    switch (bytes.len) {
    case 1:
        *out = (int8_t)p[0];
        return true;
    case 2:
        *out = (int16_t)cqln_load_u16(p);
        return true;
    case 4:
        *out = type->id == CQL_TYPE_DATE ? (int64_t)cqln_load_u32(p) - INT64_C(0x80000000)
                                         : (int32_t)cqln_load_u32(p);
        return true;
    default:
        *out = (int64_t)cqln_load_u64(p);
        return true;
    }
}

static bool fits_member(const cql_field *f, int64_t v)
{
    if (f->kind == CQL_FIELD_UINT)
        return v >= 0 && (f->size == 8 || (uint64_t)v >> (f->size * 8) == 0);
    if (f->size == 8)
        return true;
    int64_t limit = INT64_C(1) << (f->size * 8 - 1);
    return v >= -limit && v < limit;
}

static void store_member(void *to, size_t size, int64_t v)
{
    int8_t v8 = (int8_t)v;
    int16_t v16 = (int16_t)v;
    int32_t v32 = (int32_t)v;
    switch (size) {
    case 1:
        memcpy(to, &v8, 1);
        break;
    case 2:
        memcpy(to, &v16, 2);
        break;
    case 4:
        memcpy(to, &v32, 4);
        break;
    default:
        memcpy(to, &v, 8);
        break;
    }
}

/* False for an unsigned member that no signed 64 bits hold. */
static bool load_member(const cql_field *f, const void *from, int64_t *out)
{
    bool is_signed = f->kind == CQL_FIELD_INT;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    switch (f->size) {
    case 1:
        memcpy(&u8, from, 1);
        *out = is_signed ? (int8_t)u8 : (int64_t)u8;
        return true;
    case 2:
        memcpy(&u16, from, 2);
        *out = is_signed ? (int16_t)u16 : (int64_t)u16;
        return true;
    case 4:
        memcpy(&u32, from, 4);
        *out = is_signed ? (int32_t)u32 : (int64_t)u32;
        return true;
    default:
        memcpy(out, from, 8);
        return is_signed || *out >= 0;
    }
}

/* --- reading --------------------------------------------------------------------------------------- */

static cql_status read_integer(const cql_field *f, const cql_type *type, cql_str bytes, void *to)
{
    int64_t v;
    if (!load_integer(type, bytes, &v) || !fits_member(f, v))
        return CQL_BAD_VALUE;
    store_member(to, f->size, v);
    return CQL_OK;
}

static cql_status read_float(const cql_field *f, const cql_value *v, void *to)
{
    double d;
    float narrow;
    if (cql_value_as_float(v, &narrow) == CQL_OK)
        d = (double)narrow;
    else if (cql_value_as_double(v, &d) == CQL_OK)
        narrow = (float)d;
    else
        return CQL_BAD_VALUE;
    if (f->size == sizeof narrow)
        memcpy(to, &narrow, sizeof narrow);
    else
        memcpy(to, &d, sizeof d);
    return CQL_OK;
}

/* A member may lie at an odd address. */
static cql_status read_duration(const cql_value *v, void *to)
{
    cql_duration duration;
    cql_status st = cql_value_as_duration(v, &duration);
    if (st == CQL_OK)
        memcpy(to, &duration, sizeof duration);
    return st;
}

static cql_status read_text(const cql_field *f, cql_str text, void *to)
{
    if (text.len >= f->size)
        return CQL_TOO_LARGE;
    if (text.len)
        memcpy(to, text.ptr, text.len);
    memset((char *)to + text.len, 0, f->size - text.len);
    return CQL_OK;
}

/* A cell that is not null. */
static cql_status read_cell(const cql_field *f, const cql_type *type, const cql_value *v, void *to)
{
    cql_str bytes = cql_value_bytes(v);
    bool flag;
    switch (f->kind) {
    case CQL_FIELD_BOOL:
        if (cql_value_as_bool(v, &flag))
            return CQL_BAD_VALUE;
        memcpy(to, &flag, sizeof flag);
        return CQL_OK;
    case CQL_FIELD_INT:
    case CQL_FIELD_UINT:
        return read_integer(f, type, bytes, to);
    case CQL_FIELD_FLOAT:
        return read_float(f, v, to);
    case CQL_FIELD_UUID:
        return cql_value_as_uuid(v, to);
    case CQL_FIELD_INET:
        return cql_value_as_inet(v, to);
    case CQL_FIELD_DURATION:
        return read_duration(v, to);
    case CQL_FIELD_CHARS:
        return read_text(f, bytes, to);
    case CQL_FIELD_BYTES:
        if (bytes.len != f->size)
            return CQL_BAD_VALUE;
        memcpy(to, bytes.ptr, bytes.len);
        return CQL_OK;
    case CQL_FIELD_FLOATS:
        return cql_value_as_floats(v, type, to, f->size / sizeof(float));
    case CQL_FIELD_STR:
        memcpy(to, &bytes, sizeof bytes);
        return CQL_OK;
    case CQL_FIELD_VALUE:
        memcpy(to, v, sizeof *v);
        return CQL_OK;
    case CQL_FIELD_CSTR:
        break;
    }
    return CQL_TYPE_MISMATCH;
}

static void say_present(const cql_field *f, char *record, bool present)
{
    if (f->present != CQL_FIELD_ALWAYS)
        memcpy(record + f->present, &present, sizeof present);
}

static cql_status read_field(cql_rows *rows, const cql_field *f, size_t column,
                             const cql_type *type, char *record)
{
    cql_value v = cql_rows_value(rows, column);
    char *to = record + f->offset;
    bool null = v.state != CQL_VALUE_SET;
    if (null && f->kind != CQL_FIELD_VALUE) {
        if (f->present == CQL_FIELD_ALWAYS)
            return CQL_IS_NULL;
        memset(to, 0, f->size);
        say_present(f, record, false);
        return CQL_OK;
    }
    say_present(f, record, !null);
    if (null) {
        memcpy(to, &v, sizeof v);
        return CQL_OK;
    }
    return read_cell(f, type, &v, to);
}

/* Columns of all fields, and their types compared with the members'. */
static cql_status match_columns(const cql_result *res, const cql_field *fields, size_t n,
                                size_t *columns, cql_error **err)
{
    char name[200], member[MEMBER_SHOWN];
    size_t len;
    for (size_t i = 0; i < n; i++) {
        if (cql_result_column_index(res, fields[i].name, &columns[i]))
            return cqln_fail(err, res->al, CQL_NO_SUCH_NAME, "the result has no column \"%s\"",
                             fields[i].name);
        const cql_type *type = cql_result_column_type(res, columns[i]);
        if (fields[i].kind == CQL_FIELD_CSTR || !kind_takes(&fields[i], type)) {
            cql_type_print(type, name, sizeof name, &len);
            return cqln_fail(err, res->al, CQL_TYPE_MISMATCH,
                             "column \"%s\" is %s, which does not go into %s", fields[i].name,
                             name, member_text(&fields[i], member));
        }
    }
    return CQL_OK;
}

static cql_status explain_cell(const cql_result *res, const cql_field *f, size_t column, size_t row,
                               cql_status st, cql_error **err)
{
    char name[200], member[MEMBER_SHOWN];
    size_t len;
    cql_type_print(cql_result_column_type(res, column), name, sizeof name, &len);
    return cqln_fail(err, res->al, st, "row %zu, column \"%s\" (%s): %s: it does not go into %s",
                     row + 1, f->name, name, cql_status_text(st), member_text(f, member));
}

static cql_status scan(cql_rows *rows, const cql_result *res, const cql_field *fields, size_t n,
                       const size_t *columns, char *out, size_t stride, size_t cap, size_t *count,
                       cql_error **err)
{
    for (; *count < cap && cql_rows_next(rows); (*count)++) {
        char *record = out + *count * stride;
        for (size_t i = 0; i < n; i++) {
            const cql_type *type = res->metadata->columns[columns[i]].type;
            cql_status st = read_field(rows, &fields[i], columns[i], type, record);
            if (st)
                return explain_cell(res, &fields[i], columns[i], *count, st, err);
        }
    }
    cql_status st = cql_rows_status(rows);
    return st == CQL_MALFORMED ? cqln_fail(err, res->al, st, "the rows are malformed") : CQL_OK;
}

cql_status cql_rows_scan(cql_rows *rows, const cql_field *fields, size_t n, void *out,
                         size_t stride, size_t cap, size_t *count, cql_error **err)
{
    size_t columns[FIELDS_MAX];
    size_t done = 0;
    if (count)
        *count = 0;
    const cql_result *res = rows ? cqln_rows_result(rows) : NULL;
    if (!res || (!out && cap))
        return cqln_fail_null(err, res ? "out" : "rows");
    cql_status st = check_fields(fields, n, res->al, err);
    if (st == CQL_OK && res->metadata)
        st = match_columns(res, fields, n, columns, err);
    if (st || !res->metadata)
        return st;
    st = scan(rows, res, fields, n, columns, out, stride, cap, &done, err);
    if (count)
        *count = done;
    return st;
}

/* --- binding --------------------------------------------------------------------------------------- */

/* What an integer member is sent as: what the marker asks for, else what its size says. */
static cql_type_id integer_type(const cql_field *f, const cql_type *type)
{
    static const cql_type_id by_size[] = {[1] = CQL_TYPE_TINYINT, [2] = CQL_TYPE_SMALLINT,
                                          [4] = CQL_TYPE_INT, [8] = CQL_TYPE_BIGINT};
    return type ? (cql_type_id)type->id : by_size[f->size];
}

static cql_status integer_value(const cql_field *f, const cql_type *type, const void *from,
                                cql_value *out)
{
    int64_t v;
    if (!load_member(f, from, &v))
        return CQL_BAD_VALUE;
    switch (integer_type(f, type)) {
    case CQL_TYPE_TINYINT:
        *out = cql_value_int8((int8_t)v);
        return v == (int8_t)v ? CQL_OK : CQL_BAD_VALUE;
    case CQL_TYPE_SMALLINT:
        *out = cql_value_int16((int16_t)v);
        return v == (int16_t)v ? CQL_OK : CQL_BAD_VALUE;
    case CQL_TYPE_INT:
        *out = cql_value_int32((int32_t)v);
        return v == (int32_t)v ? CQL_OK : CQL_BAD_VALUE;
    case CQL_TYPE_DATE:
        *out = cql_value_date((int32_t)v);
        return v == (int32_t)v ? CQL_OK : CQL_BAD_VALUE;
    case CQL_TYPE_VARINT:
        *out = cql_value_varint64(v);
        return CQL_OK;
    default:
        *out = cql_value_int64(v);
        return CQL_OK;
    }
}

static cql_value float_value(const cql_field *f, const cql_type *type, const void *from)
{
    float narrow;
    double wide;
    if (f->size == sizeof narrow) {
        memcpy(&narrow, from, sizeof narrow);
        wide = (double)narrow;
    } else {
        memcpy(&wide, from, sizeof wide);
        narrow = (float)wide;
    }
    bool as_float = type ? type->id == CQL_TYPE_FLOAT : f->size == sizeof narrow;
    return as_float ? cql_value_float(narrow) : cql_value_double(wide);
}

static cql_status bind_floats(cql_statement *s, const cql_field *f, size_t index, const void *from)
{
    cql_collection *c;
    size_t n = f->size / sizeof(float);
    cql_status st = cql_collection_new(CQL_TYPE_VECTOR, s->al, &c);
    if (st)
        return st;
    st = cql_collection_add_floats(c, from, n);
    if (st == CQL_OK)
        st = cql_statement_bind_value(s, index, cql_value_collection(c));
    cql_collection_free(c);
    return st;
}

static cql_value fixed_value(const cql_field *f, const void *from)
{
    bool flag;
    cql_uuid uuid;
    cql_inet inet;
    cql_duration duration;
    cql_value v;
    switch (f->kind) {
    case CQL_FIELD_BOOL:
        memcpy(&flag, from, sizeof flag);
        return cql_value_bool(flag);
    case CQL_FIELD_UUID:
        memcpy(&uuid, from, sizeof uuid);
        return cql_value_uuid(uuid);
    case CQL_FIELD_INET:
        memcpy(&inet, from, sizeof inet);
        return cql_value_inet(inet);
    case CQL_FIELD_DURATION:
        memcpy(&duration, from, sizeof duration);
        return cql_value_duration(duration);
    default:
        memcpy(&v, from, sizeof v);
        return v;
    }
}

static cql_value text_value(const cql_field *f, const cql_type *type, const void *from)
{
    cql_str str;
    const char *text;
    switch (f->kind) {
    case CQL_FIELD_CHARS:
        return cql_value_str((cql_str){from, strnlen(from, f->size)});
    case CQL_FIELD_CSTR:
        memcpy(&text, from, sizeof text);
        return cql_value_text(text);
    case CQL_FIELD_BYTES:
        return cql_value_blob(from, f->size);
    default:
        memcpy(&str, from, sizeof str);
        return type && type->id == CQL_TYPE_BLOB ? cql_value_blob(str.ptr, str.len)
                                                 : cql_value_str(str);
    }
}

static bool is_absent(const cql_field *f, const char *record)
{
    bool present = true;
    if (f->present != CQL_FIELD_ALWAYS)
        memcpy(&present, record + f->present, sizeof present);
    return !present;
}

static cql_status bind_field(cql_statement *s, const cql_field *f, size_t index,
                             const cql_type *type, const char *record)
{
    cql_value v;
    const void *from = record + f->offset;
    if (is_absent(f, record))
        return cql_statement_bind_value(s, index, cql_value_null());
    if (type && !kind_takes(f, type))
        return CQL_TYPE_MISMATCH;
    switch (f->kind) {
    case CQL_FIELD_INT:
    case CQL_FIELD_UINT: {
        cql_status st = integer_value(f, type, from, &v);
        if (st)
            return st;
        break;
    }
    case CQL_FIELD_FLOAT:
        v = float_value(f, type, from);
        break;
    case CQL_FIELD_FLOATS:
        return bind_floats(s, f, index, from);
    case CQL_FIELD_CHARS:
    case CQL_FIELD_BYTES:
    case CQL_FIELD_STR:
    case CQL_FIELD_CSTR:
        v = text_value(f, type, from);
        break;
    default:
        v = fixed_value(f, from);
        break;
    }
    return cql_statement_bind_value(s, index, v);
}

static cql_status explain_bind(const cql_statement *s, const cql_field *f, const cql_type *type,
                               cql_status st, cql_error **err)
{
    char name[200] = "any type", member[MEMBER_SHOWN];
    size_t len;
    if (type)
        cql_type_print(type, name, sizeof name, &len);
    return cqln_fail(err, s->al, st, "field \"%s\": %s: the marker takes %s, the member is %s",
                     f->name, cql_status_text(st), name, member_text(f, member));
}

/* Every marker of that name; CQL_NO_SUCH_NAME when there is none. */
static cql_status bind_by_name(cql_statement *s, const cql_field *f, const char *record,
                               cql_error **err)
{
    cql_str wanted = cql_str_of(f->name);
    bool found = false;
    for (size_t i = 0; i < s->markers; i++) {
        const cqln_column *column = &s->prepared->bind->columns[i];
        if (!cql_str_equal(column->name, wanted))
            continue;
        found = true;
        cql_status st = bind_field(s, f, i, column->type, record);
        if (st)
            return explain_bind(s, f, column->type, st, err);
    }
    if (found)
        return CQL_OK;
    return cqln_fail(err, s->al, CQL_NO_SUCH_NAME, "the statement has no marker \"%s\"", f->name);
}

cql_status cql_statement_bind_struct(cql_statement *s, const cql_field *fields, size_t n,
                                     const void *record, cql_error **err)
{
    if (!s || !record)
        return cqln_fail_null(err, s ? "record" : "stmt");
    cql_status st = check_fields(fields, n, s->al, err);
    if (st)
        return st;
    if (!s->prepared && n > s->markers)
        return cqln_fail(err, s->al, CQL_OUT_OF_RANGE, "%zu fields for %u markers", n, s->markers);
    for (size_t i = 0; i < n && st == CQL_OK; i++) {
        if (s->prepared) {
            st = bind_by_name(s, &fields[i], record, err);
        } else {
            st = bind_field(s, &fields[i], i, NULL, record);
            if (st)
                st = explain_bind(s, &fields[i], NULL, st, err);
        }
    }
    return st;
}
