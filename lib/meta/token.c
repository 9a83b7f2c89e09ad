/* Tokens of the three partitioners, and their texts. */
#include "meta/token.h"

#include "base/bytes.h"
#include "base/md5.h"

#include <stdio.h>

static const uint64_t sign_bit = (uint64_t)1 << 63;

static cql_str last_part(cql_str name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '.')
            return (cql_str){name.ptr + i, name.len - i};
    return name;
}

cqln_partitioner cqln_partitioner_of(cql_str class_name)
{
    cql_str last = last_part(class_name);
    if (cql_str_equal(last, cql_str_of("Murmur3Partitioner")))
        return CQLN_PARTITIONER_MURMUR3;
    if (cql_str_equal(last, cql_str_of("RandomPartitioner")))
        return CQLN_PARTITIONER_RANDOM;
    if (cql_str_equal(last, cql_str_of("ByteOrderedPartitioner")))
        return CQLN_PARTITIONER_BYTES;
    return CQLN_PARTITIONER_UNKNOWN;
}

const char *cqln_partitioner_name(cqln_partitioner p)
{
    switch (p) {
    case CQLN_PARTITIONER_MURMUR3:
        return "Murmur3Partitioner";
    case CQLN_PARTITIONER_RANDOM:
        return "RandomPartitioner";
    case CQLN_PARTITIONER_BYTES:
        return "ByteOrderedPartitioner";
    case CQLN_PARTITIONER_UNKNOWN:
        break;
    }
    return "unknown";
}

/* --- of keys -------------------------------------------------------------------------------------- */

/* The digest as a signed number, without its sign: 2^127 is the largest. */
static cqln_token token_random(const void *key, size_t len)
{
    uint8_t digest[16];
    cqln_md5(key, len, digest);
    cqln_token t = {cqln_load_u64(digest), cqln_load_u64(digest + 8)};
    if (t.hi & sign_bit) {
        t.lo = 0 - t.lo;
        t.hi = ~t.hi + (t.lo == 0);
    }
    return t;
}

static cqln_token token_bytes(const void *key, size_t len)
{
    uint8_t front[16] = {0};
    memcpy(front, key, len < sizeof front ? len : sizeof front);
    return (cqln_token){cqln_load_u64(front), cqln_load_u64(front + 8)};
}

cqln_token cqln_token_of(cqln_partitioner p, const void *key, size_t len)
{
    switch (p) {
    case CQLN_PARTITIONER_MURMUR3:
        return cqln_token_murmur3(key, len);
    case CQLN_PARTITIONER_RANDOM:
        return token_random(key, len);
    case CQLN_PARTITIONER_BYTES:
        return token_bytes(key, len);
    case CQLN_PARTITIONER_UNKNOWN:
        break;
    }
    return (cqln_token){0, 0};
}

/* --- texts ---------------------------------------------------------------------------------------- */

/* *t = *t * 10 + digit; false beyond 128 bits. */
static bool add_digit(cqln_token *t, unsigned digit)
{
    uint64_t low = (t->lo & 0xffffffffu) * 10 + digit;
    uint64_t mid = (t->lo >> 32) * 10 + (low >> 32);
    uint64_t carry = mid >> 32;
    if (t->hi > (UINT64_MAX - carry) / 10)
        return false;
    t->hi = t->hi * 10 + carry;
    t->lo = mid << 32 | (low & 0xffffffffu);
    return true;
}

static bool parse_digits(cql_str text, cqln_token *out)
{
    cqln_token t = {0, 0};
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9' ||
            !add_digit(&t, (unsigned)(text.ptr[i] - '0')))
            return false;
    *out = t;
    return true;
}

static bool parse_murmur3(cql_str text, cqln_token *out)
{
    cqln_token t;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (negative)
        text = (cql_str){text.ptr + 1, text.len - 1};
    if (!parse_digits(text, &t) || t.hi || t.lo > sign_bit - (negative ? 0 : 1))
        return false;
    *out = (cqln_token){(negative ? 0 - t.lo : t.lo) ^ sign_bit, 0};
    return true;
}

static bool parse_random(cql_str text, cqln_token *out)
{
    cqln_token t;
    bool before_all = cql_str_equal(text, cql_str_of("-1")); /* the partitioner's smallest token */
    if (before_all)
        t = (cqln_token){0, 0};
    else if (!parse_digits(text, &t) || cqln_token_compare(t, (cqln_token){sign_bit, 0}) > 0)
        return false;
    *out = t;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_bytes(cql_str text, cqln_token *out)
{
    uint8_t front[16] = {0};
    if (text.len % 2)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        if (i / 2 < sizeof front)
            front[i / 2] = (uint8_t)(high * 16 + low);
    }
    *out = token_bytes(front, sizeof front);
    return true;
}

bool cqln_token_parse(cqln_partitioner p, cql_str text, cqln_token *out)
{
    switch (p) {
    case CQLN_PARTITIONER_MURMUR3:
        return parse_murmur3(text, out);
    case CQLN_PARTITIONER_RANDOM:
        return parse_random(text, out);
    case CQLN_PARTITIONER_BYTES:
        return parse_bytes(text, out);
    case CQLN_PARTITIONER_UNKNOWN:
        break;
    }
    return false;
}

/* Divides by ten, gives the rest. */
static unsigned take_digit(cqln_token *t)
{
    uint32_t words[4] = {(uint32_t)(t->hi >> 32), (uint32_t)t->hi, (uint32_t)(t->lo >> 32),
                         (uint32_t)t->lo};
    uint64_t rest = 0;
    for (size_t i = 0; i < 4; i++) {
        rest = rest << 32 | words[i];
        words[i] = (uint32_t)(rest / 10);
        rest %= 10;
    }
    t->hi = (uint64_t)words[0] << 32 | words[1];
    t->lo = (uint64_t)words[2] << 32 | words[3];
    return (unsigned)rest;
}

static void print_decimal(cqln_token t, char out[CQLN_TOKEN_TEXT])
{
    char digits[CQLN_TOKEN_TEXT];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + take_digit(&t));
    while (t.hi || t.lo);
    memcpy(out, digits + at, sizeof digits - at);
}

void cqln_token_print(cqln_partitioner p, cqln_token t, char out[CQLN_TOKEN_TEXT])
{
    switch (p) {
    case CQLN_PARTITIONER_MURMUR3:
        snprintf(out, CQLN_TOKEN_TEXT, "%lld", (long long)(t.hi ^ sign_bit));
        return;
    case CQLN_PARTITIONER_RANDOM:
        print_decimal(t, out);
        return;
    case CQLN_PARTITIONER_BYTES:
        snprintf(out, CQLN_TOKEN_TEXT, "%016llx%016llx", (unsigned long long)t.hi,
                 (unsigned long long)t.lo);
        return;
    case CQLN_PARTITIONER_UNKNOWN:
        break;
    }
    out[0] = '\0';
}
