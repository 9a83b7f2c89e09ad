/* Text from outside made fit for one line of a terminal or a log, and formatting into a fixed block. */
#include "base/error.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* Characters that end a line, drive a terminal or turn the direction of the text round. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static void put_hex(char *out, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'x';
    out[2] = digits[byte >> 4];
    out[3] = digits[byte & 15];
}

/* Bytes at its start that stand for themselves: printable ASCII, which nearly every text is made of. */
static size_t printable(cql_str text)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] >= 0x20 && text.ptr[n] < 0x7f)
        n++;
    return n;
}

/* Walks over the text as far as its escaped form fits into cap with a NUL; writes when out is set. Cuts
 * between characters only, never inside an escape. */
static size_t escape(char *out, size_t cap, cql_str text)
{
    size_t len = 0;
    while (text.len) {
        uint32_t code = 0;
        size_t n = printable(text);
        if (n > cap - 1 - len)
            n = cap - 1 - len;
        bool plain = n > 0;
        if (n == 0) {
            n = cqln_utf8_next(text, &code);
            plain = n > 0 && !is_control(code);
        }
        if (n == 0)
            n = 1;
        size_t room = plain ? n : 4 * n;
        if (room > cap - 1 - len)
            break;
        if (out && plain)
            memcpy(out + len, text.ptr, n);
        for (size_t i = 0; out && !plain && i < n; i++)
            put_hex(out + len + 4 * i, (unsigned char)text.ptr[i]);
        len += room;
        text.ptr += n;
        text.len -= n;
    }
    return len;
}

size_t cqln_escape(char *out, size_t cap, cql_str text)
{
    if (cap == 0)
        return 0;
    size_t len = escape(out, cap, text);
    out[len] = '\0';
    return len;
}

size_t cqln_escaped_size(size_t cap, cql_str text)
{
    return cap ? escape(NULL, cap, text) + 1 : 0;
}

cql_str cqln_format(char *out, size_t cap, const char *format, va_list args)
{
    int made = vsnprintf(out, cap, format, args);
    cql_str text = {out, 0};
    if (made < 0) {
        out[0] = '\0';
        return text;
    }
    text.len = (size_t)made;
    if (text.len >= cap) {
        text.len = cap - 1;
        text.len = cqln_utf8_whole(text);
        out[text.len] = '\0';
    }
    return text;
}
