/* scan.c: scalars from text, in the forms in which they are printed and CQL writes them. */
#include "types/scan.h"

#include "types/check.h"
#include "types/hex.h"
#include "types/scan_number.h"
#include "types/varnum.h"

#include <arpa/inet.h>
#include <cqlnative/time.h>
#include <cqlnative/uuid.h>
#include <sys/socket.h>

enum { INET_TEXT = 64 };

static bool take(cql_str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    text->ptr++;
    text->len--;
    return true;
}

static bool take_word(cql_str *text, const char *word)
{
    size_t n = strlen(word);
    if (text->len < n || memcmp(text->ptr, word, n) != 0)
        return false;
    text->ptr += n;
    text->len -= n;
    return true;
}

/* --- dates and times -------------------------------------------------------------------------------- */

static bool take_date(cql_str *text, cql_civil *out)
{
    uint64_t year, month, day;
    bool minus = take(text, '-');
    if (!minus)
        take(text, '+'); /* in front of years over 9999 */
    if (!cqln_scan_digits(text, 1, 10, &year) || !take(text, '-') ||
        !cqln_scan_digits(text, 1, 2, &month) || !take(text, '-') ||
        !cqln_scan_digits(text, 1, 2, &day))
        return false;
    out->year = minus ? -(int64_t)year : (int64_t)year;
    out->month = (unsigned)month;
    out->day = (unsigned)day;
    return true;
}

/* .123 as nanoseconds: up to nine digits. */
static bool take_fraction(cql_str *text, unsigned *nanos)
{
    uint64_t n;
    *nanos = 0;
    if (!take(text, '.'))
        return true;
    size_t before = text->len;
    if (!cqln_scan_digits(text, 1, 9, &n))
        return false;
    for (size_t digits = before - text->len; digits < 9; digits++)
        n *= 10;
    *nanos = (unsigned)n;
    return true;
}

/* 13:30[:54[.234567891]] */
static bool take_clock(cql_str *text, cql_civil *out)
{
    uint64_t hour, minute, second = 0;
    unsigned nanos = 0;
    if (!cqln_scan_digits(text, 1, 2, &hour) || !take(text, ':') ||
        !cqln_scan_digits(text, 1, 2, &minute))
        return false;
    if (take(text, ':') &&
        (!cqln_scan_digits(text, 1, 2, &second) || !take_fraction(text, &nanos)))
        return false;
    out->hour = (unsigned)hour;
    out->minute = (unsigned)minute;
    out->second = (unsigned)second;
    out->nanosecond = nanos;
    return hour < 24 && minute < 60 && second < 60;
}

/* Z, +01, +0100, +01:00; nothing is UTC. */
static bool take_zone(cql_str *text, int64_t *offset_ms)
{
    uint64_t hours, minutes = 0;
    *offset_ms = 0;
    if (text->len == 0 || take(text, 'Z'))
        return true;
    bool west = text->ptr[0] == '-';
    if ((!take(text, '+') && !take(text, '-')) || !cqln_scan_digits(text, 2, 2, &hours))
        return false;
    if ((take(text, ':') || text->len) && !cqln_scan_digits(text, 2, 2, &minutes))
        return false;
    if (hours > 18 || minutes > 59)
        return false;
    *offset_ms = (int64_t)(hours * 60 + minutes) * 60000 * (west ? -1 : 1);
    return true;
}

static bool scan_timestamp(cql_str text, int64_t *out)
{
    cql_civil c = {0};
    int64_t offset = 0;
    if (cqln_scan_i64(text, out))
        return true;
    if (!take_date(&text, &c))
        return false;
    if ((take(&text, ' ') || take(&text, 'T')) && !take_clock(&text, &c))
        return false;
    return take_zone(&text, &offset) && text.len == 0 && cql_timestamp_from_civil(&c, out) == CQL_OK &&
           !__builtin_sub_overflow(*out, offset, out);
}

/* Or the number on the wire, in which the epoch is 2^31. */
static bool scan_date(cql_str text, int32_t *out)
{
    cql_civil c = {0};
    int64_t raw;
    if (cqln_scan_i64(text, &raw)) {
        *out = (int32_t)((uint32_t)raw ^ UINT32_C(0x80000000));
        return raw >= 0 && raw <= UINT32_MAX;
    }
    return take_date(&text, &c) && text.len == 0 && cql_date_from_civil(&c, out) == CQL_OK;
}

/* Or nanoseconds of the day. */
static bool scan_time(cql_str text, int64_t *out)
{
    cql_civil c = {0};
    if (cqln_scan_i64(text, out))
        return cqln_time_in_range(*out);
    if (!take_clock(&text, &c) || text.len)
        return false;
    *out = ((int64_t)c.hour * 3600 + c.minute * 60 + c.second) * INT64_C(1000000000) + c.nanosecond;
    return true;
}

/* --- the rest ------------------------------------------------------------------------------------------- */

static cql_status put_hex(cql_str text, cqln_writer *out)
{
    if ((!take_word(&text, "0x") && !take_word(&text, "0X")) || text.len % 2)
        return CQL_BAD_VALUE;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = cqln_hex_digit(text.ptr[i]);
        int low = cqln_hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return CQL_BAD_VALUE;
        cqln_write_u8(out, (uint8_t)(high << 4 | low));
    }
    return out->status;
}

/* An IPv4 address within IPv6 is the IPv4 address, as the servers have it: as a key it would be another one. */
static cql_status put_inet(cql_str text, cqln_writer *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char buf[INET_TEXT];
    uint8_t bytes[16];
    if (text.len == 0 || text.len >= sizeof buf || memchr(text.ptr, '\0', text.len))
        return CQL_BAD_VALUE;
    memcpy(buf, text.ptr, text.len);
    buf[text.len] = '\0';
    if (inet_pton(AF_INET, buf, bytes) == 1)
        cqln_write_bytes(out, bytes, 4);
    else if (inet_pton(AF_INET6, buf, bytes) != 1)
        return CQL_BAD_VALUE;
    else if (memcmp(bytes, mapped, sizeof mapped) == 0)
        cqln_write_bytes(out, bytes + sizeof mapped, 4);
    else
        cqln_write_bytes(out, bytes, 16);
    return out->status;
}

static bool is_word(cql_str text, const char *lower)
{
    if (text.len != strlen(lower))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] | 0x20) != lower[i])
            return false;
    return true;
}

static cql_status put(const cql_value *v, cqln_writer *out)
{
    cql_str bytes = cql_value_bytes(v);
    cqln_write_bytes(out, bytes.ptr, bytes.len);
    return out->status;
}

static cql_status put_integer(const cql_type *type, cql_str text, cqln_writer *out)
{
    int64_t v;
    int64_t limit = type->fixed == 8 ? INT64_MAX : (INT64_C(1) << (type->fixed * 8 - 1)) - 1;
    if (!cqln_scan_i64(text, &v) || v > limit || v < -limit - 1)
        return CQL_BAD_VALUE;
    uint8_t all[8];
    cqln_store_u64(all, (uint64_t)v);
    cqln_write_bytes(out, all + 8 - type->fixed, type->fixed);
    return out->status;
}

static cql_status put_moment(const cql_type *type, cql_str text, cqln_writer *out)
{
    int64_t wide = 0;
    int32_t days = 0;
    cql_duration d = {0, 0, 0};
    cql_value v;
    bool ok;
    switch (type->id) {
    case CQL_TYPE_DATE:
        ok = scan_date(text, &days);
        v = cql_value_date(days);
        break;
    case CQL_TYPE_TIME:
        ok = scan_time(text, &wide);
        v = cql_value_time(wide);
        break;
    case CQL_TYPE_DURATION:
        ok = cqln_scan_duration(text, &d);
        v = cql_value_duration(d);
        break;
    default:
        ok = scan_timestamp(text, &wide);
        v = cql_value_timestamp(wide);
        break;
    }
    return ok ? put(&v, out) : CQL_BAD_VALUE;
}

static cql_status put_uuid(const cql_type *type, cql_str text, cqln_writer *out)
{
    cql_uuid u;
    cql_status st = cql_uuid_parse(text, &u);
    if (st)
        return st;
    if (type->id == CQL_TYPE_TIMEUUID && cql_uuid_version(&u) != 1)
        return CQL_BAD_VALUE;
    cqln_write_bytes(out, u.bytes, sizeof u.bytes);
    return out->status;
}

static cql_status put_float(const cql_type *type, cql_str text, cqln_writer *out)
{
    double d;
    bool single = type->id == CQL_TYPE_FLOAT;
    if (!cqln_scan_double(text, single, &d))
        return CQL_BAD_VALUE;
    cql_value v = single ? cql_value_float((float)d) : cql_value_double(d);
    return put(&v, out);
}

cql_status cqln_scan_scalar(const cql_type *type, cql_str text, cqln_writer *out)
{
    switch (type->id) {
    case CQL_TYPE_ASCII:
    case CQL_TYPE_TEXT:
        if (text.len && cqln_value_wellformed(type, text))
            return CQL_BAD_VALUE;
        cqln_write_bytes(out, text.ptr, text.len);
        return out->status;
    case CQL_TYPE_BOOLEAN:
        if (!is_word(text, "true") && !is_word(text, "false"))
            return CQL_BAD_VALUE;
        cqln_write_u8(out, (text.ptr[0] | 0x20) == 't');
        return out->status;
    case CQL_TYPE_TINYINT:
    case CQL_TYPE_SMALLINT:
    case CQL_TYPE_INT:
    case CQL_TYPE_BIGINT:
    case CQL_TYPE_COUNTER:
        return put_integer(type, text, out);
    case CQL_TYPE_VARINT:
        return cqln_scan_varint(text, out);
    case CQL_TYPE_DECIMAL:
        return cqln_scan_decimal(text, out);
    case CQL_TYPE_FLOAT:
    case CQL_TYPE_DOUBLE:
        return put_float(type, text, out);
    case CQL_TYPE_DATE:
    case CQL_TYPE_TIME:
    case CQL_TYPE_TIMESTAMP:
    case CQL_TYPE_DURATION:
        return put_moment(type, text, out);
    case CQL_TYPE_UUID:
    case CQL_TYPE_TIMEUUID:
        return put_uuid(type, text, out);
    case CQL_TYPE_INET:
        return put_inet(text, out);
    case CQL_TYPE_BLOB:
    case CQL_TYPE_CUSTOM:
        return put_hex(text, out);
    default:
        return CQL_UNSUPPORTED;
    }
}
