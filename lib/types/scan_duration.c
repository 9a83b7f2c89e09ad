/* scan_duration.c: durations from text, in the forms that the servers take: 1y2mo3d4h5m6s7ms8us9ns, and of ISO 8601
 * P1Y2M3DT4H5M6S, P3W and P0001-02-03T04:05:06. Units come once each and in this order. */
#include "types/scan.h"
#include "types/scan_number.h"

typedef struct unit {
    const char *name;
    uint8_t field; /* 0 months, 1 days, 2 nanoseconds */
    uint64_t size;
} unit;

static const unit units[] = {{"y", 0, 12},
                             {"mo", 0, 1},
                             {"w", 1, 7},
                             {"d", 1, 1},
                             {"h", 2, UINT64_C(3600000000000)},
                             {"m", 2, UINT64_C(60000000000)},
                             {"s", 2, UINT64_C(1000000000)},
                             {"ms", 2, 1000000},
                             {"us", 2, 1000},
                             {"ns", 2, 1}};

enum { WEEK = 2, UNITS = CQL_COUNT(units), ISO_PARTS = 6, ISO_TIME = 3 };

/* Where the parts of the long ISO forms are among the units, and what ends each. */
static const uint8_t iso_units[ISO_PARTS] = {0, 1, 3, 4, 5, 6};
static const char iso_letters[] = "YMDHMS";
static const char iso_marks[] = "--T::";

typedef struct span {
    uint64_t sums[3];
    size_t next; /* the first unit that may still come */
} span;

static bool add(span *d, uint64_t n, size_t at)
{
    uint64_t product;
    uint64_t *sum;
    if (at < d->next || at >= UNITS)
        return false;
    sum = &d->sums[units[at].field];
    d->next = at + 1;
    return !__builtin_mul_overflow(n, units[at].size, &product) &&
           !__builtin_add_overflow(*sum, product, sum);
}

static void step(cql_str *text, size_t n)
{
    text->ptr += n;
    text->len -= n;
}

static bool take(cql_str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    step(text, 1);
    return true;
}

/* Letters of either case up to the next digit, the first of µs as u or as the micro sign; UNITS when they are none. */
static size_t take_unit(cql_str *text)
{
    char name[3] = "";
    size_t len = 0;
    size_t at = 0;
    if (text->len >= 2 && memcmp(text->ptr, "\xc2\xb5", 2) == 0) {
        name[len++] = 'u';
        step(text, 2);
    }
    for (; text->len && (text->ptr[0] < '0' || text->ptr[0] > '9'); step(text, 1)) {
        if (len == 2)
            return UNITS;
        name[len++] = (char)(text->ptr[0] | 0x20);
    }
    while (at < UNITS && strcmp(units[at].name, name) != 0)
        at++;
    return at;
}

static bool scan_units(cql_str text, span *d)
{
    uint64_t n;
    do
        if (!cqln_scan_digits(&text, 1, SIZE_MAX, &n) || !add(d, n, take_unit(&text)))
            return false;
    while (text.len);
    return true;
}

/* Behind the P: 0001-02-03T04:05:06 */
static bool scan_iso_marks(cql_str text, span *d)
{
    uint64_t n;
    for (size_t i = 0; i < ISO_PARTS; i++) {
        size_t width = i == 0 ? 4 : 2;
        if (!cqln_scan_digits(&text, width, width, &n) || !add(d, n, iso_units[i]) ||
            (iso_marks[i] && !take(&text, iso_marks[i])))
            return false;
    }
    return text.len == 0;
}

/* Behind the P: 1Y2M3DT4H5M6S, any of them, or 3W alone. */
static bool scan_iso_letters(cql_str text, span *d)
{
    uint64_t n;
    bool clock = false;
    cql_str week = text;
    if (cqln_scan_digits(&week, 1, SIZE_MAX, &n) && cql_str_equal(week, cql_str_of("W")))
        return add(d, n, WEEK);
    while (text.len) {
        if (!clock && take(&text, 'T')) {
            clock = true;
            continue;
        }
        size_t at = clock ? ISO_TIME : 0;
        size_t end = clock ? ISO_PARTS : ISO_TIME;
        if (!cqln_scan_digits(&text, 1, SIZE_MAX, &n))
            return false;
        while (at < end && !take(&text, iso_letters[at]))
            at++;
        if (at == end || !add(d, n, iso_units[at]))
            return false;
    }
    return true;
}

bool cqln_scan_duration(cql_str text, cql_duration *out)
{
    span d = {{0, 0, 0}, 0};
    bool minus = take(&text, '-');
    bool ok;
    if (!take(&text, 'P'))
        ok = scan_units(text, &d);
    else if (text.len && memchr(text.ptr, '-', text.len))
        ok = scan_iso_marks(text, &d);
    else
        ok = scan_iso_letters(text, &d);
    /* One more than the servers read where there is a minus: what they store and is printed is read again. */
    uint64_t more = minus ? 1 : 0;
    if (!ok || d.sums[0] > INT32_MAX + more || d.sums[1] > INT32_MAX + more ||
        d.sums[2] > INT64_MAX + more)
        return false;
    out->months = (int32_t)(minus ? 0 - d.sums[0] : d.sums[0]);
    out->days = (int32_t)(minus ? 0 - d.sums[1] : d.sums[1]);
    out->nanos = (int64_t)(minus ? 0 - d.sums[2] : d.sums[2]);
    return true;
}
