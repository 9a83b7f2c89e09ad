/* value.c: tagged values: the scalars from C types to wire form and back (native_protocol section
 * 6). These run for every bound value and every cell that is read: no loops, no calls, no memory.
 */
#include "types/value.h"

#include "types/varnum.h"

static const uint32_t date_epoch = UINT32_C(1) << 31;

/* --- making values ---------------------------------------------------------------------------- */

static cql_value inside(cql_type_id type, uint32_t len)
{
    cql_value v;
    v.type = (uint16_t)type;
    v.state = CQL_VALUE_SET;
    v.inside = 1;
    v.len = len;
    return v;
}

static cql_value without_bytes(cql_value_state state)
{
    cql_value v = inside(CQL_TYPE_CUSTOM, 0);
    v.state = (uint8_t)state;
    v.u.ptr = NULL;
    v.inside = 0;
    return v;
}

static cql_value of_u8(cql_type_id type, uint8_t n)
{
    cql_value v = inside(type, 1);
    v.u.bytes[0] = n;
    return v;
}

static cql_value of_u16(cql_type_id type, uint16_t n)
{
    cql_value v = inside(type, 2);
    cqln_store_u16(v.u.bytes, n);
    return v;
}

static cql_value of_u32(cql_type_id type, uint32_t n)
{
    cql_value v = inside(type, 4);
    cqln_store_u32(v.u.bytes, n);
    return v;
}

static cql_value of_u64(cql_type_id type, uint64_t n)
{
    cql_value v = inside(type, 8);
    cqln_store_u64(v.u.bytes, n);
    return v;
}

static cql_value borrowed(cql_type_id type, const void *bytes, size_t len)
{
    cql_value v;
    v.type = (uint16_t)type;
    v.state = CQL_VALUE_SET;
    v.inside = 0;
    /* Too long for the wire either way; the check at the bind sees it. */
    v.len = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
    v.u.ptr = bytes;
    if (!bytes) {
        v.state = CQL_VALUE_NULL;
        v.len = 0;
    }
    return v;
}

cql_value cql_value_null(void)
{
    return without_bytes(CQL_VALUE_NULL);
}

cql_value cql_value_unset(void)
{
    return without_bytes(CQL_VALUE_UNSET);
}

cql_value cql_value_bool(bool v)
{
    return of_u8(CQL_TYPE_BOOLEAN, v ? 1 : 0);
}

cql_value cql_value_int8(int8_t v)
{
    return of_u8(CQL_TYPE_TINYINT, (uint8_t)v);
}

cql_value cql_value_int16(int16_t v)
{
    return of_u16(CQL_TYPE_SMALLINT, (uint16_t)v);
}

cql_value cql_value_int32(int32_t v)
{
    return of_u32(CQL_TYPE_INT, (uint32_t)v);
}

cql_value cql_value_int64(int64_t v)
{
    return of_u64(CQL_TYPE_BIGINT, (uint64_t)v);
}

cql_value cql_value_float(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return of_u32(CQL_TYPE_FLOAT, bits);
}

cql_value cql_value_double(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return of_u64(CQL_TYPE_DOUBLE, bits);
}

cql_value cql_value_timestamp(int64_t unix_ms)
{
    return of_u64(CQL_TYPE_TIMESTAMP, (uint64_t)unix_ms);
}

cql_value cql_value_date(int32_t unix_days)
{
    return of_u32(CQL_TYPE_DATE, (uint32_t)unix_days + date_epoch);
}

cql_value cql_value_time(int64_t nanos_of_day)
{
    return of_u64(CQL_TYPE_TIME, (uint64_t)nanos_of_day);
}

cql_value cql_value_duration(cql_duration d)
{
    cql_value v = inside(CQL_TYPE_DURATION, 0);
    v.len = (uint32_t)cqln_duration_store(v.u.bytes, &d);
    return v;
}

cql_value cql_value_uuid(cql_uuid v)
{
    cql_value out = inside(CQL_TYPE_UUID, sizeof v.bytes);
    memcpy(out.u.bytes, v.bytes, sizeof v.bytes);
    return out;
}

cql_value cql_value_inet(cql_inet v)
{
    /* Any other length is made one that no bind takes. */
    cql_value out = inside(CQL_TYPE_INET, v.len == 4 || v.len == 16 ? v.len : 1);
    memcpy(out.u.bytes, v.bytes, sizeof v.bytes);
    return out;
}

cql_value cql_value_text(const char *nul_terminated)
{
    return borrowed(CQL_TYPE_TEXT, nul_terminated, nul_terminated ? strlen(nul_terminated) : 0);
}

cql_value cql_value_str(cql_str text)
{
    return borrowed(CQL_TYPE_TEXT, text.ptr, text.len);
}

cql_value cql_value_blob(const void *bytes, size_t len)
{
    return borrowed(CQL_TYPE_BLOB, bytes, len);
}

cql_value cql_value_varint(const void *bytes, size_t len)
{
    return borrowed(CQL_TYPE_VARINT, bytes, len);
}

cql_value cql_value_varint64(int64_t v)
{
    cql_value out = inside(CQL_TYPE_VARINT, 0);
    out.len = (uint32_t)cqln_varint_store(out.u.bytes, v);
    return out;
}

cql_value cql_value_decimal64(int64_t unscaled, int32_t scale)
{
    cql_value out = inside(CQL_TYPE_DECIMAL, 0);
    cqln_store_u32(out.u.bytes, (uint32_t)scale);
    out.len = 4 + (uint32_t)cqln_varint_store(out.u.bytes + 4, unscaled);
    return out;
}

cql_value cql_value_raw(cql_type_id type, const void *bytes, size_t len)
{
    return borrowed(type, bytes, len);
}

cql_value cqln_value_view(const cql_type *type, const uint8_t *bytes, size_t len)
{
    return borrowed((cql_type_id)type->id, bytes, len);
}

/* Big-endian two's complement, as all of them are. */
static bool widen_integer(uint16_t to, cql_value *v)
{
    int64_t n;
    if (!cqln_varint_to_i64(cql_value_bytes(v), &n))
        return false;
    if (to == CQL_TYPE_SMALLINT && v->len < 2)
        *v = cql_value_int16((int16_t)n);
    else if (to == CQL_TYPE_INT && v->len < 4)
        *v = cql_value_int32((int32_t)n);
    else if ((to == CQL_TYPE_BIGINT || to == CQL_TYPE_COUNTER) && v->len < 8)
        *v = of_u64((cql_type_id)to, (uint64_t)n);
    else if (to == CQL_TYPE_VARINT)
        *v = cql_value_varint64(n);
    else
        return false;
    return true;
}

bool cqln_value_widen(const cql_type *type, cql_value *v)
{
    const cql_type *from = cqln_type_scalar(v->type);
    float single;
    if (!from || v->len != from->fixed)
        return false;
    switch (v->type) {
    case CQL_TYPE_TINYINT:
    case CQL_TYPE_SMALLINT:
    case CQL_TYPE_INT:
    case CQL_TYPE_BIGINT:
        return widen_integer(type->id, v);
    case CQL_TYPE_FLOAT:
        if (type->id != CQL_TYPE_DOUBLE || cql_value_as_float(v, &single) != CQL_OK)
            return false;
        *v = cql_value_double((double)single);
        return true;
    default:
        return false;
    }
}

/* --- reading values --------------------------------------------------------------------------- */

/* The checks that all typed reads share but for the length. */
static inline cql_status readable(const cql_value *v, const void *out, uint16_t type)
{
    if (!v || !out)
        return CQL_BAD_ARGUMENT;
    if (v->state != CQL_VALUE_SET)
        return CQL_IS_NULL;
    return v->type == type ? CQL_OK : CQL_TYPE_MISMATCH;
}

static inline cql_status readable_fixed(const cql_value *v, const void *out, uint16_t type,
                                        uint32_t len)
{
    cql_status st = readable(v, out, type);
    if (st)
        return st;
    return v->len == len ? CQL_OK : CQL_BAD_VALUE;
}

bool cql_value_is_null(const cql_value *v)
{
    return !v || v->state != CQL_VALUE_SET;
}

bool cql_value_is_empty(const cql_value *v)
{
    return v && v->state == CQL_VALUE_SET && v->len == 0;
}

cql_str cql_value_bytes(const cql_value *v)
{
    if (cql_value_is_null(v))
        return (cql_str){NULL, 0};
    return (cql_str){(const char *)cqln_value_ptr(v), v->len};
}

cql_status cql_value_as_bool(const cql_value *v, bool *out)
{
    cql_status st = readable_fixed(v, out, CQL_TYPE_BOOLEAN, 1);
    if (st)
        return st;
    *out = cqln_value_ptr(v)[0] != 0;
    return CQL_OK;
}

/* tinyint, smallint and int, as long as that is at most `longest` bytes. */
static cql_status read_integer(const cql_value *v, const void *out, uint32_t longest, int32_t *n)
{
    if (!v || !out)
        return CQL_BAD_ARGUMENT;
    if (v->state != CQL_VALUE_SET)
        return CQL_IS_NULL;
    uint32_t len = v->type == CQL_TYPE_INT ? 4 : v->type == CQL_TYPE_SMALLINT ? 2 : 1;
    if (len > longest || (len == 1 && v->type != CQL_TYPE_TINYINT))
        return CQL_TYPE_MISMATCH;
    if (v->len != len)
        return CQL_BAD_VALUE;
    const uint8_t *p = cqln_value_ptr(v);
    *n = len == 4 ? (int32_t)cqln_load_u32(p) : len == 2 ? (int16_t)cqln_load_u16(p) : (int8_t)p[0];
    return CQL_OK;
}

cql_status cql_value_as_int8(const cql_value *v, int8_t *out)
{
    int32_t n;
    cql_status st = read_integer(v, out, 1, &n);
    if (st == CQL_OK)
        *out = (int8_t)n;
    return st;
}

cql_status cql_value_as_int16(const cql_value *v, int16_t *out)
{
    int32_t n;
    cql_status st = read_integer(v, out, 2, &n);
    if (st == CQL_OK)
        *out = (int16_t)n;
    return st;
}

cql_status cql_value_as_int32(const cql_value *v, int32_t *out)
{
    int32_t n;
    cql_status st = read_integer(v, out, 4, &n);
    if (st == CQL_OK)
        *out = n;
    return st;
}

cql_status cql_value_as_int64(const cql_value *v, int64_t *out)
{
    if (!v || !out)
        return CQL_BAD_ARGUMENT;
    if (v->state != CQL_VALUE_SET)
        return CQL_IS_NULL;
    switch (v->type) {
    case CQL_TYPE_BIGINT:
    case CQL_TYPE_COUNTER:
    case CQL_TYPE_TIMESTAMP:
    case CQL_TYPE_TIME:
        break;
    case CQL_TYPE_VARINT:
        return cqln_varint_to_i64(cql_value_bytes(v), out) ? CQL_OK : CQL_BAD_VALUE;
    default: {
        int32_t shorter;
        cql_status st = read_integer(v, out, 4, &shorter);
        if (st == CQL_OK)
            *out = shorter;
        return st;
    }
    }
    if (v->len != 8)
        return CQL_BAD_VALUE;
    int64_t n = (int64_t)cqln_load_u64(cqln_value_ptr(v));
    if (v->type == CQL_TYPE_TIME && !cqln_time_in_range(n))
        return CQL_BAD_VALUE;
    *out = n;
    return CQL_OK;
}

cql_status cql_value_as_float(const cql_value *v, float *out)
{
    cql_status st = readable_fixed(v, out, CQL_TYPE_FLOAT, 4);
    if (st)
        return st;
    uint32_t bits = cqln_load_u32(cqln_value_ptr(v));
    memcpy(out, &bits, sizeof bits);
    return CQL_OK;
}

cql_status cql_value_as_double(const cql_value *v, double *out)
{
    if (v && out && v->type == CQL_TYPE_FLOAT) {
        float single;
        cql_status st = cql_value_as_float(v, &single);
        if (st == CQL_OK)
            *out = (double)single;
        return st;
    }
    cql_status st = readable_fixed(v, out, CQL_TYPE_DOUBLE, 8);
    if (st)
        return st;
    uint64_t bits = cqln_load_u64(cqln_value_ptr(v));
    memcpy(out, &bits, sizeof bits);
    return CQL_OK;
}

cql_status cql_value_as_date(const cql_value *v, int32_t *unix_days)
{
    cql_status st = readable_fixed(v, unix_days, CQL_TYPE_DATE, 4);
    if (st)
        return st;
    *unix_days = (int32_t)(cqln_load_u32(cqln_value_ptr(v)) - date_epoch);
    return CQL_OK;
}

cql_status cql_value_as_duration(const cql_value *v, cql_duration *out)
{
    cql_status st = readable(v, out, CQL_TYPE_DURATION);
    if (st)
        return st;
    return cqln_duration_load(cql_value_bytes(v), out) ? CQL_OK : CQL_BAD_VALUE;
}

cql_status cql_value_as_uuid(const cql_value *v, cql_uuid *out)
{
    if (v && v->type == CQL_TYPE_TIMEUUID) {
        cql_status st = readable_fixed(v, out, CQL_TYPE_TIMEUUID, sizeof out->bytes);
        if (st)
            return st;
    } else {
        cql_status st = readable_fixed(v, out, CQL_TYPE_UUID, sizeof out->bytes);
        if (st)
            return st;
    }
    memcpy(out->bytes, cqln_value_ptr(v), sizeof out->bytes);
    return CQL_OK;
}

cql_status cql_value_as_inet(const cql_value *v, cql_inet *out)
{
    cql_status st = readable(v, out, CQL_TYPE_INET);
    if (st)
        return st;
    if (v->len != 4 && v->len != 16)
        return CQL_BAD_VALUE;
    memset(out, 0, sizeof *out);
    out->len = (uint8_t)v->len;
    memcpy(out->bytes, cqln_value_ptr(v), v->len);
    return CQL_OK;
}

cql_status cql_value_as_str(const cql_value *v, cql_str *out)
{
    if (!v || !out)
        return CQL_BAD_ARGUMENT;
    if (v->state != CQL_VALUE_SET)
        return CQL_IS_NULL;
    switch (v->type) {
    case CQL_TYPE_TEXT:
    case CQL_TYPE_ASCII:
    case CQL_TYPE_BLOB:
    case CQL_TYPE_CUSTOM:
        *out = cql_value_bytes(v);
        return CQL_OK;
    default:
        return CQL_TYPE_MISMATCH;
    }
}

cql_status cql_value_as_decimal(const cql_value *v, int32_t *scale, cql_str *unscaled)
{
    cql_status st = readable(v, scale, CQL_TYPE_DECIMAL);
    if (st)
        return st;
    if (!unscaled)
        return CQL_BAD_ARGUMENT;
    if (v->len < 5)
        return CQL_BAD_VALUE;
    const uint8_t *p = cqln_value_ptr(v);
    *scale = (int32_t)cqln_load_u32(p);
    *unscaled = (cql_str){(const char *)p + 4, v->len - 4};
    return CQL_OK;
}

cql_status cql_value_as_decimal64(const cql_value *v, int64_t *unscaled, int32_t *scale)
{
    int32_t digits = 0;
    cql_str number;
    int64_t n = 0;
    if (!unscaled || !scale)
        return CQL_BAD_ARGUMENT;
    cql_status st = cql_value_as_decimal(v, &digits, &number);
    if (st)
        return st;
    if (!cqln_varint_to_i64(number, &n))
        return CQL_BAD_VALUE;
    *unscaled = n;
    *scale = digits;
    return CQL_OK;
}
