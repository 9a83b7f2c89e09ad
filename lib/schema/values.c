/* When two ways of writing an option's value mean the same. */
#include "schema/compare.h"

enum { MAX_DIGITS = 40 };

cql_str cqlsch_short_class(cql_str name)
{
    size_t from = name.len;
    while (from && name.ptr[from - 1] != '.')
        from--;
    return cqlsch_sub(name, from, name.len);
}

/* A decimal number as sign, digits without outer zeros, and the power of ten of the last digit. */
typedef struct decimal {
    bool negative;
    char digits[MAX_DIGITS];
    size_t count;
    long power;
} decimal;

static bool read_exponent(cql_str text, size_t at, long *power)
{
    long exponent = 0;
    bool negative = at < text.len && text.ptr[at] == '-';
    if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
        at++;
    if (at == text.len)
        return false;
    for (; at < text.len; at++) {
        if (text.ptr[at] < '0' || text.ptr[at] > '9' || exponent > 10000)
            return false;
        exponent = exponent * 10 + (text.ptr[at] - '0');
    }
    *power += negative ? -exponent : exponent;
    return true;
}

static bool read_decimal(cql_str text, decimal *out)
{
    size_t at = 0;
    bool point = false;
    bool any = false;
    *out = (decimal){.negative = text.len && text.ptr[0] == '-'};
    if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+'))
        at++;
    for (; at < text.len && text.ptr[at] != 'e' && text.ptr[at] != 'E'; at++) {
        char c = text.ptr[at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || out->count == MAX_DIGITS)
            return false;
        any = true;
        out->power -= point ? 1 : 0;
        if (out->count || c != '0')
            out->digits[out->count++] = c;
    }
    if (!any || (at < text.len && !read_exponent(text, at + 1, &out->power)))
        return false;
    while (out->count && out->digits[out->count - 1] == '0') {
        out->count--;
        out->power++;
    }
    return true;
}

static bool same_number(cql_str a, cql_str b)
{
    decimal x;
    decimal y;
    if (!read_decimal(a, &x) || !read_decimal(b, &y) || x.count != y.count)
        return false;
    for (size_t i = 0; i < x.count; i++) {
        if (x.digits[i] != y.digits[i])
            return false;
    }
    return x.count == 0 || (x.negative == y.negative && x.power == y.power);
}

/* The number of "99p", "99.0PERCENTILE", "50ms" and the unit's first letter; false for other texts.
 */
static bool read_retry(cql_str text, cql_str *number, char *unit)
{
    size_t end = 0;
    while (end < text.len &&
           ((text.ptr[end] >= '0' && text.ptr[end] <= '9') || text.ptr[end] == '.'))
        end++;
    *number = cqlsch_sub(text, 0, end);
    cql_str rest = cqlsch_sub(text, end, text.len);
    bool percent = cqlsch_same_word(rest, "p") || cqlsch_same_word(rest, "percentile");
    *unit = percent ? 'p' : 'm';
    return end > 0 && (percent || cqlsch_same_word(rest, "ms"));
}

static bool is_none(cql_str text)
{
    return cqlsch_same_word(text, "none") || cqlsch_same_word(text, "never");
}

static bool same_retry(cql_str a, cql_str b)
{
    cql_str x;
    cql_str y;
    char unit_x;
    char unit_y;
    if (is_none(a) && is_none(b))
        return true;
    if (!read_retry(a, &x, &unit_x) || !read_retry(b, &y, &unit_y))
        return cqlsch_same_nocase(a, b);
    return unit_x == unit_y && same_number(x, y);
}

bool cqlsch_same_value(cql_str name, cql_str a, cql_str b)
{
    if (cqlsch_is(name, "comment"))
        return cql_str_equal(a, b);
    if (cqlsch_is(name, "class"))
        return cql_str_equal(cqlsch_short_class(a), cqlsch_short_class(b));
    if (cqlsch_is(name, "speculative_retry") ||
        cqlsch_is(name, "additional_write_policy"))
        return same_retry(a, b);
    return cqlsch_same_nocase(a, b) || same_number(a, b);
}

cql_str cqlsch_option_text(cqlsch_mem *mem, const cqlsch_option *option)
{
    cqlsch_text out;
    if (!option->is_map)
        return option->value;
    cqlsch_text_init(&out, mem);
    for (size_t i = 0; i < option->pairs.count; i++) {
        const cqlsch_pair *p = CQLSCH_AT(cqlsch_pair, &option->pairs, i);
        bool class_name = cqlsch_is(p->key, "class");
        cqlsch_text_add_c(&out, i ? ", " : "{");
        cqlsch_text_add(&out, cqlsch_quote(mem, p->key));
        cqlsch_text_add_c(&out, ": ");
        cqlsch_text_add(&out,
                        cqlsch_quote(mem, class_name ? cqlsch_short_class(p->value) : p->value));
    }
    cqlsch_text_add_c(&out, option->pairs.count ? "}" : "{}");
    return cqlsch_text_str(&out);
}
