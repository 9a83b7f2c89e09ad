/* sink.c: bounded text output. */
#include "types/sink.h"

#include "base/utf8.h"

#include <string.h>

void cqln_sink_init(cqln_sink *out, char *buf, size_t cap)
{
    out->buf = buf;
    out->cap = buf ? cap : 0;
    out->len = 0;
    out->escape = false;
}

static void put_plain(cqln_sink *out, const char *text, size_t len)
{
    /* The last byte of the buffer is for the NUL. */
    if (len && out->len + 1 < out->cap) {
        size_t room = out->cap - 1 - out->len;
        memcpy(out->buf + out->len, text, len < room ? len : room);
    }
    out->len += len;
}

void cqln_sink_put(cqln_sink *out, const void *text, size_t len)
{
    const char *p = text;
    size_t from = 0;
    for (size_t i = 0; out->escape && i < len; i++) {
        if (p[i] != '"' && p[i] != '\\')
            continue;
        put_plain(out, p + from, i - from);
        put_plain(out, "\\", 1);
        from = i;
    }
    put_plain(out, p + from, len - from);
}

void cqln_sink_char(cqln_sink *out, char c)
{
    cqln_sink_put(out, &c, 1);
}

void cqln_sink_text(cqln_sink *out, const char *nul_terminated)
{
    cqln_sink_put(out, nul_terminated, strlen(nul_terminated));
}

void cqln_sink_hex(cqln_sink *out, cql_str bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = (uint8_t)bytes.ptr[i];
        const char pair[2] = {digits[c >> 4], digits[c & 0x0f]};
        cqln_sink_put(out, pair, sizeof pair);
    }
}

void cqln_sink_int(cqln_sink *out, int64_t n, unsigned width)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    if (n < 0)
        cqln_sink_char(out, '-');
    do
        digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    for (size_t have = sizeof digits - at; have < width; have++)
        cqln_sink_char(out, '0');
    cqln_sink_put(out, digits + at, sizeof digits - at);
}

cql_status cqln_sink_end(cqln_sink *out, cql_status st, size_t *len)
{
    if (st)
        out->len = 0;
    else if (len)
        *len = out->len;
    if (out->cap == 0)
        return st;
    size_t end = out->len;
    if (end > out->cap - 1)
        end = cqln_utf8_whole((cql_str){out->buf, out->cap - 1});
    out->buf[end] = '\0';
    return st;
}
