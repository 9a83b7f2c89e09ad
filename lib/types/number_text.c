/* number_text.c: floats, big integers and decimals as text. */
#include "types/number_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- floats ----------------------------------------------------------------------------------- */

enum { DOUBLE_DIGITS = 17, FLOAT_DIGITS = 9 };

/* A number as 0.d1d2d3… times 10^point. */
typedef struct decimal_digits {
    char digits[DOUBLE_DIGITS];
    int count;
    int point;
} decimal_digits;

/* Reads back what printf wrote with %e. Its decimal point is that of the locale, of any length, so
 * everything that is no digit is stepped over. */
static void read_scientific(const char *text, decimal_digits *out)
{
    int exponent = 0;
    const char *p = text;
    out->count = 0;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && out->count < DOUBLE_DIGITS)
            out->digits[out->count++] = *p;
    bool negative = p[0] == 'e' && p[1] == '-';
    for (; *p; p++)
        if (*p >= '0' && *p <= '9')
            exponent = exponent * 10 + (*p - '0');
    out->point = (negative ? -exponent : exponent) + 1;
    while (out->count > 1 && out->digits[out->count - 1] == '0')
        out->count--;
}

/* The number that the digits stand for. They are read without a decimal point, so the locale has no
 * say. */
static double number_of(const decimal_digits *d, bool single)
{
    char text[64];
    snprintf(text, sizeof text, "%.*se%d", d->count, d->digits, d->point - d->count);
    return single ? (double)strtof(text, NULL) : strtod(text, NULL);
}

static void nearest(double v, int digits, decimal_digits *out)
{
    char text[64];
    snprintf(text, sizeof text, "%.*e", digits - 1, v);
    read_scientific(text, out);
}

/* One more in the last place. The digits are not all nines. */
static void count_up(decimal_digits *d)
{
    while (d->digits[d->count - 1] == '9')
        d->count--;
    d->digits[d->count - 1]++;
}

/* At a power of two the numbers above are twice as far apart as those below, so that digits which
 * are not the nearest may still read back: those right above, with one digit less. */
static void try_above(double v, bool single, decimal_digits *d)
{
    uint64_t bits;
    decimal_digits above = *d;
    memcpy(&bits, &v, sizeof bits);
    bool power_of_two = (bits & ((UINT64_C(1) << (DBL_MANT_DIG - 1)) - 1)) == 0;
    if (!power_of_two || d->count < (single ? FLOAT_DIGITS : DOUBLE_DIGITS))
        return;
    above.count--;
    count_up(&above);
    if (number_of(&above, single) == v)
        *d = above;
}

/* v is finite and not negative. */
static void shortest(double v, bool single, decimal_digits *out)
{
    int most = single ? FLOAT_DIGITS : DOUBLE_DIGITS;
    /* A number that has a form of up to 15 (6) digits gives it back at 15 (6), but for numbers so
     * small that they hold fewer digits than that. */
    int digits = single ? FLT_DIG : DBL_DIG;
    if (v < (single ? (double)FLT_MIN : DBL_MIN))
        digits = 1;
    nearest(v, digits, out);
    while (digits < most && number_of(out, single) != v)
        nearest(v, ++digits, out);
    try_above(v, single, out);
}

static void put_zeros(cqln_sink *out, int count)
{
    for (int i = 0; i < count; i++)
        cqln_sink_char(out, '0');
}

static void print_plain(cqln_sink *out, const decimal_digits *d)
{
    if (d->point <= 0) {
        cqln_sink_text(out, "0.");
        put_zeros(out, -d->point);
        cqln_sink_put(out, d->digits, (size_t)d->count);
    } else if (d->point >= d->count) {
        cqln_sink_put(out, d->digits, (size_t)d->count);
        put_zeros(out, d->point - d->count);
    } else {
        cqln_sink_put(out, d->digits, (size_t)d->point);
        cqln_sink_char(out, '.');
        cqln_sink_put(out, d->digits + d->point, (size_t)(d->count - d->point));
    }
}

static void print_scientific(cqln_sink *out, const decimal_digits *d)
{
    int exponent = d->point - 1;
    cqln_sink_put(out, d->digits, 1);
    if (d->count > 1) {
        cqln_sink_char(out, '.');
        cqln_sink_put(out, d->digits + 1, (size_t)d->count - 1);
    }
    cqln_sink_char(out, 'e');
    if (exponent > 0)
        cqln_sink_char(out, '+');
    cqln_sink_int(out, exponent, 2);
}

static void print_floating(cqln_sink *out, double v, bool single)
{
    enum { PLAIN_FROM = -3, PLAIN_TO = 16 };
    decimal_digits d;
    if (isnan(v)) {
        cqln_sink_text(out, "NaN");
        return;
    }
    if (signbit(v))
        cqln_sink_char(out, '-');
    if (isinf(v)) {
        cqln_sink_text(out, "Infinity");
        return;
    }
    shortest(v < 0 ? -v : v, single, &d);
    if (v == 0 || (d.point >= PLAIN_FROM && d.point <= PLAIN_TO))
        print_plain(out, &d);
    else
        print_scientific(out, &d);
}

void cqln_print_double(cqln_sink *out, double v)
{
    print_floating(out, v, false);
}

void cqln_print_float(cqln_sink *out, float v)
{
    print_floating(out, (double)v, true);
}

/* --- big integers ----------------------------------------------------------------------------- */

/* log10(256) is below 2.41. */
enum { DIGITS_MAX = CQLN_VARINT_TEXT_MAX * 241 / 100 + 2, LIMBS_MAX = CQLN_VARINT_TEXT_MAX / 4 };

typedef struct big_digits {
    char text[DIGITS_MAX];
    size_t at; /* first digit */
    bool negative;
} big_digits;

/* Without the bytes in front that only repeat the sign. */
static cql_str minimal(cql_str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    size_t skip = 0;
    while (skip + 1 < bytes.len && (p[skip] == 0 || p[skip] == 0xff) &&
           ((p[skip] ^ p[skip + 1]) & 0x80) == 0)
        skip++;
    return (cql_str){bytes.ptr + skip, bytes.len - skip};
}

/* The magnitude as 32-bit words, the least first; their number. */
static size_t magnitude_words(cql_str bytes, bool negative, uint32_t words[LIMBS_MAX + 1])
{
    size_t count = (bytes.len + 3) / 4;
    uint32_t carry = negative;
    memset(words, 0, count * sizeof *words);
    for (size_t i = 0; i < bytes.len; i++) {
        uint32_t byte = (uint8_t)bytes.ptr[bytes.len - 1 - i];
        if (negative) {
            byte = (byte ^ 0xff) + carry;
            carry = byte >> 8;
            byte &= 0xff;
        }
        words[i / 4] |= byte << (i % 4 * 8);
    }
    while (count > 0 && words[count - 1] == 0)
        count--;
    return count;
}

/* Divides in place; the remainder. */
static uint32_t divide(uint32_t *words, size_t *count, uint32_t by)
{
    uint64_t rest = 0;
    for (size_t i = *count; i-- > 0;) {
        rest = rest << 32 | words[i];
        words[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    while (*count > 0 && words[*count - 1] == 0)
        --*count;
    return (uint32_t)rest;
}

static bool to_digits(cql_str bytes, big_digits *out)
{
    const uint32_t billion = 1000000000;
    uint32_t words[LIMBS_MAX + 1];
    bytes = minimal(bytes);
    if (bytes.len == 0 || bytes.len > CQLN_VARINT_TEXT_MAX)
        return false;
    out->negative = (uint8_t)bytes.ptr[0] >= 0x80;
    size_t count = magnitude_words(bytes, out->negative, words);
    out->at = sizeof out->text;
    do {
        uint32_t nine = divide(words, &count, billion);
        for (int i = 0; i < 9 && (count > 0 || nine > 0 || i == 0); i++, nine /= 10)
            out->text[--out->at] = (char)('0' + nine % 10);
    } while (count > 0);
    return true;
}

static void print_hex(cqln_sink *out, cql_str bytes)
{
    cqln_sink_text(out, "0x");
    cqln_sink_hex(out, bytes);
}

bool cqln_print_varint(cqln_sink *out, cql_str bytes)
{
    big_digits d;
    if (!to_digits(bytes, &d)) {
        print_hex(out, bytes);
        return false;
    }
    if (d.negative)
        cqln_sink_char(out, '-');
    cqln_sink_put(out, d.text + d.at, sizeof d.text - d.at);
    return true;
}

/* --- decimals --------------------------------------------------------------------------------- */

/* digits[0].digits[1…]E±exponent */
static void print_exponent_form(cqln_sink *out, const char *digits, size_t count, int64_t exponent)
{
    cqln_sink_put(out, digits, 1);
    if (count > 1) {
        cqln_sink_char(out, '.');
        cqln_sink_put(out, digits + 1, count - 1);
    }
    cqln_sink_char(out, 'E');
    if (exponent >= 0)
        cqln_sink_char(out, '+');
    cqln_sink_int(out, exponent, 1);
}

bool cqln_print_decimal(cqln_sink *out, int32_t scale, cql_str unscaled, cql_str bytes)
{
    enum { SMALLEST_PLAIN = -6 };
    big_digits d;
    if (!to_digits(unscaled, &d)) {
        print_hex(out, bytes);
        return false;
    }
    const char *digits = d.text + d.at;
    size_t count = sizeof d.text - d.at;
    int64_t point = (int64_t)count - scale; /* digits before the decimal point */
    if (d.negative)
        cqln_sink_char(out, '-');
    if (scale < 0 || point - 1 < SMALLEST_PLAIN) {
        print_exponent_form(out, digits, count, point - 1);
    } else if (scale == 0) {
        cqln_sink_put(out, digits, count);
    } else if (point > 0) {
        cqln_sink_put(out, digits, (size_t)point);
        cqln_sink_char(out, '.');
        cqln_sink_put(out, digits + point, count - (size_t)point);
    } else {
        cqln_sink_text(out, "0.");
        put_zeros(out, (int)-point);
        cqln_sink_put(out, digits, count);
    }
    return true;
}
