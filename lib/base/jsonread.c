/* jsonread.c: one scanner that steps over a value; everything else is a walk with it. */
#include "base/jsonread.h"

#include "base/utf8.h"

#include <string.h>

/* What is left. */
typedef struct scan {
    const char *at;
    const char *end;
} scan;

static void skip_space(scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool take(scan *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool take_word(scan *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

static size_t take_digits(scan *s)
{
    const char *from = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return (size_t)(s->at - from);
}

static bool skip_number(scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && take_digits(s) == 0)
        return false;
    if (take(s, '.') && take_digits(s) == 0)
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            (void)take(s, '-');
        return take_digits(s) > 0;
    }
    return true;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_hex4(scan *s, uint32_t *out)
{
    uint32_t v = 0;
    if (s->end - s->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = hex_of(*s->at++);
        if (digit < 0)
            return false;
        v = v << 4 | (uint32_t)digit;
    }
    *out = v;
    return true;
}

static bool skip_string(scan *s)
{
    uint32_t code;
    if (!take(s, '"'))
        return false;
    while (s->at < s->end) {
        char c = *s->at++;
        if (c == '"')
            return true;
        if ((unsigned char)c < 0x20)
            return false;
        if (c != '\\')
            continue;
        if (s->at == s->end)
            return false;
        c = *s->at++;
        if (c == 'u' ? !take_hex4(s, &code) : !strchr("\"\\/bfnrt", c) || c == '\0')
            return false;
    }
    return false;
}

/* Steps over one value. The depth is a number, not the stack: opening brackets are kept as bits. */
static bool skip_value(scan *s)
{
    uint32_t objects = 0; /* one bit a level: 1 for an object */
    unsigned depth = 0;
    for (;;) {
        bool opened = false;
        skip_space(s);
        if (take(s, '{')) {
            opened = true;
            objects = objects << 1 | 1;
        } else if (take(s, '[')) {
            opened = true;
            objects <<= 1;
        } else if (s->at < s->end && *s->at == '"') {
            if (!skip_string(s))
                return false;
        } else if (!take_word(s, "true") && !take_word(s, "false") && !take_word(s, "null") &&
                   !skip_number(s)) {
            return false;
        }
        if (opened && ++depth > CQLN_JSON_DEPTH)
            return false;
        /* Behind a value, or behind a bracket that opened: closing brackets, then a comma. */
        bool first = opened;
        for (;;) {
            skip_space(s);
            if (depth == 0)
                return true;
            if (take(s, objects & 1 ? '}' : ']')) {
                objects >>= 1;
                depth--;
                first = false;
                continue;
            }
            break;
        }
        if (!first && !take(s, ','))
            return false;
        if (objects & 1) {
            skip_space(s);
            if (!skip_string(s))
                return false;
            skip_space(s);
            if (!take(s, ':'))
                return false;
        }
    }
}

/* The next value of a well-formed text. */
static cql_str next_value(scan *s)
{
    skip_space(s);
    cql_str v = {s->at, 0};
    scan one = *s;
    if (!skip_value(&one))
        one.at = s->end;
    s->at = one.at;
    v.len = (size_t)(one.at - v.ptr);
    while (v.len && (v.ptr[v.len - 1] == ' ' || v.ptr[v.len - 1] == '\t' ||
                     v.ptr[v.len - 1] == '\n' || v.ptr[v.len - 1] == '\r'))
        v.len--;
    return v;
}

bool cqln_json_check(cql_str text, cql_str *root)
{
    scan s = {text.ptr, text.ptr + text.len};
    if (text.len == 0 || text.len > CQLN_JSON_MAX || !cqln_utf8_valid(text) ||
        !skip_value(&s))
        return false;
    if (s.at != s.end)
        return false;
    s.at = text.ptr;
    *root = next_value(&s);
    return true;
}

bool cqln_json_member(cql_str object, const char *name, cql_str *value)
{
    scan s = {object.ptr, object.ptr + object.len};
    size_t len = strlen(name);
    if (!take(&s, '{'))
        return false;
    do {
        skip_space(&s);
        const char *from = s.at + 1;
        if (!skip_string(&s))
            return false;
        bool found = (size_t)(s.at - 1 - from) == len && memcmp(from, name, len) == 0;
        skip_space(&s);
        (void)take(&s, ':');
        cql_str v = next_value(&s);
        if (found) {
            *value = v;
            return true;
        }
        skip_space(&s);
    } while (take(&s, ','));
    return false;
}

bool cqln_json_item(cql_str array, size_t i, cql_str *value)
{
    scan s = {array.ptr, array.ptr + array.len};
    if (!take(&s, '['))
        return false;
    skip_space(&s);
    if (take(&s, ']'))
        return false;
    do {
        cql_str v = next_value(&s);
        if (i-- == 0) {
            *value = v;
            return true;
        }
        skip_space(&s);
    } while (take(&s, ','));
    return false;
}

/* --- strings and numbers --------------------------------------------------------------------------- */

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n] | c);
    return n;
}

/* Behind a backslash. 0: half a pair, or a NUL. */
static uint32_t unescape(scan *s)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = *s->at++;
    uint32_t code = 0, low = 0;
    if (c != 'u') {
        const char *at = strchr(from, c);
        return at ? (unsigned char)to[at - from] : 0;
    }
    if (!take_hex4(s, &code))
        return 0;
    if (code < 0xd800 || code > 0xdfff)
        return code;
    if (code > 0xdbff || !take(s, '\\') || !take(s, 'u') || !take_hex4(s, &low) || low < 0xdc00 ||
        low > 0xdfff)
        return 0;
    return 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
}

cql_status cqln_json_string(cql_str value, char *out, size_t cap)
{
    char bytes[4];
    size_t len = 0;
    if (value.len < 2 || value.ptr[0] != '"')
        return CQL_TYPE_MISMATCH;
    scan s = {value.ptr + 1, value.ptr + value.len - 1};
    while (s.at < s.end) {
        size_t n = 1;
        bytes[0] = *s.at++;
        if (bytes[0] == '\\') {
            uint32_t c = unescape(&s);
            if (c == 0)
                return CQL_BAD_VALUE;
            n = put_utf8(c, bytes);
        }
        if (cap - len <= n)
            return CQL_TOO_LARGE;
        memcpy(out + len, bytes, n);
        len += n;
    }
    if (cap == 0)
        return CQL_TOO_LARGE;
    out[len] = '\0';
    return CQL_OK;
}

bool cqln_json_number(cql_str value, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    if (value.len == 0 || value.len > 10)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    if (v > max)
        return false;
    *out = (uint32_t)v;
    return true;
}

bool cqln_json_is_null(cql_str value)
{
    return value.len == 4 && memcmp(value.ptr, "null", 4) == 0;
}
