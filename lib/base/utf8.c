/* UTF-8 validation. */
#include "base/utf8.h"

static bool follows(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* What a first byte says of the length; 0 for a byte that starts no character. */
static size_t length_announced(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t cqln_utf8_next(cql_str text, uint32_t *code)
{
    if (text.len == 0)
        return 0;
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t n = length_announced(p[0]);
    if (n == 0 || n > text.len)
        return 0;
    static const uint32_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = p[0] & first_bits[n];
    for (size_t i = 1; i < n; i++) {
        if (!follows(p[i]))
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    bool overlong = (n == 3 && c < 0x800) || (n == 4 && c < 0x10000);
    if (overlong || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
        return 0;
    if (code)
        *code = c;
    return n;
}

bool cqln_utf8_valid(cql_str text)
{
    while (text.len) {
        size_t n = cqln_utf8_next(text, NULL);
        if (n == 0)
            return false;
        text.ptr += n;
        text.len -= n;
    }
    return true;
}

size_t cqln_utf8_whole(cql_str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t back = 1;
    while (back <= 3 && back <= text.len && follows(p[text.len - back]))
        back++;
    if (back > 3 || back > text.len)
        return text.len;
    return length_announced(p[text.len - back]) > back ? text.len - back : text.len;
}
