/* varnum.c: durations and varints between wire form and C types. */
#include "types/varnum.h"

#include "wire/notation.h"

size_t cqln_duration_store(uint8_t out[CQLN_DURATION_MAX], const cql_duration *d)
{
    size_t n = 0;
    uint8_t vint[9];
    const int64_t parts[3] = {d->months, d->days, d->nanos};
    for (int i = 0; i < 3; i++) {
        size_t len = cqln_store_vint(vint, parts[i]);
        memcpy(out + n, vint, len); /* 5 at most for the two of 32 bits */
        n += len;
    }
    return n;
}

static bool one_sign(int64_t a, int64_t b, int64_t c)
{
    bool negative = a < 0 || b < 0 || c < 0;
    bool positive = a > 0 || b > 0 || c > 0;
    return !(negative && positive);
}

bool cqln_duration_load(cql_str bytes, cql_duration *out)
{
    cqln_reader rd;
    cqln_reader_init(&rd, bytes.ptr, bytes.len);
    int64_t months = cqln_read_vint(&rd);
    int64_t days = cqln_read_vint(&rd);
    int64_t nanos = cqln_read_vint(&rd);
    if (rd.failed || cqln_reader_left(&rd) > 0)
        return false;
    if (months != (int32_t)months || days != (int32_t)days || !one_sign(months, days, nanos))
        return false;
    *out = (cql_duration){.months = (int32_t)months, .days = (int32_t)days, .nanos = nanos};
    return true;
}

bool cqln_varint_to_i64(cql_str bytes, int64_t *out)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    size_t len = bytes.len;
    if (len == 0)
        return false;
    uint8_t fill = p[0] & 0x80 ? 0xff : 0;
    /* Numbers need not be minimal: more than 8 bytes fit when the rest only repeats the sign. */
    for (; len > 8; p++, len--)
        if (p[0] != fill || (p[1] & 0x80) != (fill & 0x80))
            return false;
    uint64_t n = fill ? UINT64_MAX : 0;
    for (size_t i = 0; i < len; i++)
        n = n << 8 | p[i];
    *out = (int64_t)n;
    return true;
}

size_t cqln_varint_store(uint8_t out[CQLN_VARINT64_MAX], int64_t v)
{
    uint8_t all[CQLN_VARINT64_MAX];
    size_t from = 0;
    cqln_store_u64(all, (uint64_t)v);
    /* A leading byte goes when the next one has the same sign. */
    while (from < sizeof all - 1 && ((all[from] == 0 && all[from + 1] < 0x80) ||
                                     (all[from] == 0xff && all[from + 1] >= 0x80)))
        from++;
    memcpy(out, all + from, sizeof all - from);
    return sizeof all - from;
}
