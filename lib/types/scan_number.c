/* scan_number.c: integers, floats, big integers and decimals from text. */
#include "types/scan_number.h"

#include <locale.h>
#include <stdlib.h>

enum { DIGITS_MAX = 1234, BYTES_MAX = 516, FLOAT_TEXT = 400 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool cqln_scan_digits(cql_str *text, size_t least, size_t most, uint64_t *out)
{
    size_t n = 0;
    uint64_t v = 0;
    while (n < text->len && n < most && is_digit(text->ptr[n])) {
        uint64_t digit = (uint64_t)(text->ptr[n] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
        n++;
    }
    if (n < least || n == 0)
        return false;
    text->ptr += n;
    text->len -= n;
    *out = v;
    return true;
}

static bool take_sign(cql_str *text)
{
    bool minus = text->len > 0 && text->ptr[0] == '-';
    if (minus || (text->len > 0 && text->ptr[0] == '+')) {
        text->ptr++;
        text->len--;
    }
    return minus;
}

bool cqln_scan_i64(cql_str text, int64_t *out)
{
    uint64_t v;
    bool minus = take_sign(&text);
    if (!cqln_scan_digits(&text, 1, SIZE_MAX, &v) || text.len)
        return false;
    if (v > (uint64_t)INT64_MAX + (minus ? 1 : 0))
        return false;
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

/* Digits, a point, an exponent: nothing else that strtod would take. */
static bool is_float_text(cql_str text)
{
    bool digits = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        digits = digits || is_digit(c);
        if (!is_digit(c) && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E')
            return false;
    }
    return digits && text.len < FLOAT_TEXT;
}

static bool is_word(cql_str text, const char *lower)
{
    size_t i = 0;
    while (i < text.len && lower[i] && (text.ptr[i] | 0x20) == lower[i])
        i++;
    return i == text.len && !lower[i];
}

/* NaN and Infinity, in letters of either case. */
static bool scan_word(cql_str text, double *out)
{
    bool minus = take_sign(&text);
    double infinity = (double)__builtin_inf();
    *out = is_word(text, "nan") ? (double)__builtin_nan("") : minus ? -infinity : infinity;
    return is_word(text, "nan") || is_word(text, "infinity");
}

bool cqln_scan_double(cql_str text, bool single, double *out)
{
    char buf[FLOAT_TEXT + 1];
    if (scan_word(text, out))
        return true;
    if (!is_float_text(text))
        return false;
    memcpy(buf, text.ptr, text.len);
    buf[text.len] = '\0';
    char *point = memchr(buf, '.', text.len);
    if (point)
        *point = localeconv()->decimal_point[0]; /* what strtod reads in this program */
    char *end;
    double v = single ? (double)strtof(buf, &end) : strtod(buf, &end);
    if (*end)
        return false;
    *out = v;
    return true;
}

/* --- big integers ----------------------------------------------------------------------------------- */

/* Magnitude of decimal digits, big-endian at the end of `to`; where it begins. */
static size_t magnitude(cql_str digits, uint8_t to[BYTES_MAX])
{
    size_t from = BYTES_MAX - 1;
    memset(to, 0, BYTES_MAX);
    for (size_t i = 0; i < digits.len; i++) {
        unsigned carry = (unsigned)(digits.ptr[i] - '0');
        for (size_t k = BYTES_MAX; k-- > from;) {
            carry += to[k] * 10u;
            to[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry)
            to[--from] = (uint8_t)carry;
    }
    return from;
}

/* Two's complement of what begins at `from`; where it begins then. */
static size_t complement(uint8_t to[BYTES_MAX], size_t from, bool minus)
{
    unsigned carry = 1;
    from--; /* room for the sign */
    for (size_t k = BYTES_MAX; minus && k-- > from;) {
        carry += (uint8_t)~to[k];
        to[k] = (uint8_t)carry;
        carry >>= 8;
    }
    while (from < BYTES_MAX - 1 && ((to[from] == 0 && to[from + 1] < 0x80) ||
                                    (to[from] == 0xff && to[from + 1] >= 0x80)))
        from++;
    return from;
}

static cql_status put_number(cql_str digits, bool minus, cqln_writer *out)
{
    uint8_t bytes[BYTES_MAX];
    while (digits.len > 1 && digits.ptr[0] == '0') {
        digits.ptr++;
        digits.len--;
    }
    if (digits.len > DIGITS_MAX)
        return CQL_TOO_LARGE;
    size_t from = complement(bytes, magnitude(digits, bytes), minus);
    cqln_write_bytes(out, bytes + from, BYTES_MAX - from);
    return out->status;
}

cql_status cqln_scan_varint(cql_str text, cqln_writer *out)
{
    bool minus = take_sign(&text);
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.ptr[i]))
            return CQL_BAD_VALUE;
    return text.len ? put_number(text, minus, out) : CQL_BAD_VALUE;
}

/* The digits of a decimal without its point and the zeros in front; how many, with those zeros,
 * stood behind the point. */
static bool join_digits(cql_str text, char digits[DIGITS_MAX + 1], size_t *n, int64_t *behind)
{
    bool point = false;
    bool any = false;
    *n = 0;
    *behind = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(text.ptr[i]) || *n == DIGITS_MAX)
            return false;
        any = true;
        *behind += point;
        if (*n > 0 || text.ptr[i] != '0')
            digits[(*n)++] = text.ptr[i];
    }
    if (*n == 0)
        digits[(*n)++] = '0';
    return any;
}

cql_status cqln_scan_decimal(cql_str text, cqln_writer *out)
{
    char digits[DIGITS_MAX + 1];
    size_t n;
    int64_t scale;
    int64_t exponent = 0;
    bool minus = take_sign(&text);
    cql_str number = text;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != 'e' && text.ptr[i] != 'E')
            continue;
        number.len = i;
        if (!cqln_scan_i64((cql_str){text.ptr + i + 1, text.len - i - 1}, &exponent))
            return CQL_BAD_VALUE;
        break;
    }
    if (!join_digits(number, digits, &n, &scale) ||
        __builtin_sub_overflow(scale, exponent, &scale) || scale < INT32_MIN || scale > INT32_MAX)
        return CQL_BAD_VALUE;
    cqln_write_u32(out, (uint32_t)(int32_t)scale);
    return put_number((cql_str){digits, n}, minus, out);
}
