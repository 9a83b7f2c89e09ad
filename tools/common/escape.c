/* Escapes, widths and UTF-8 for text that came from elsewhere. */
#include "config.h"

#include "common/escape.h"

#include "common/memory.h"

#include <string.h>

typedef struct code_range {
    int32_t first, last;
} code_range;

/* Invisible marks that could make a terminal show something else than what is there. */
static const code_range hidden[] = {
    {0x00ad, 0x00ad}, {0x061c, 0x061c}, {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f},
    {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe00ff},
};
static const code_range combining[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200c, 0x200d},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};
static const code_range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe4f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static bool in_ranges(int32_t code, const code_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static bool follows(const char *at, size_t left, size_t count)
{
    if (left <= count)
        return false;
    for (size_t i = 1; i <= count; i++)
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return false;
    return true;
}

int32_t tool_read_utf8(const char *at, size_t left, size_t *length)
{
    static const int32_t least[4] = {0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)*at;
    size_t more = lead < 0x80 ? 0 : (lead & 0xe0) == 0xc0 ? 1 : (lead & 0xf0) == 0xe0 ? 2 : 3;
    *length = 1;
    if (more == 0)
        return lead;
    if (lead < 0xc2 || lead > 0xf4 || !follows(at, left, more))
        return -1;
    int32_t code = lead & (0x3f >> more);
    for (size_t i = 1; i <= more; i++)
        code = code << 6 | ((unsigned char)at[i] & 0x3f);
    if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return -1;
    *length = more + 1;
    return code;
}

static void put_code(FILE *out, const char *at, size_t length, int32_t code)
{
    if (code < 0)
        fprintf(out, "\\x%02x", (unsigned char)*at);
    else if (code == '\n')
        fputs("\\n", out);
    else if (code == '\t')
        fputs("\\t", out);
    else if (code == '\r')
        fputs("\\r", out);
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        fprintf(out, "\\x%02x", (unsigned)code);
    else if (in_ranges(code, hidden, CQL_COUNT(hidden)))
        fprintf(out, "\\u%04x", (unsigned)code);
    else
        fwrite(at, 1, length, out);
}

void tool_put_escaped(FILE *out, cql_str text)
{
    size_t length;
    for (size_t i = 0; i < text.len; i += length) {
        int32_t code = tool_read_utf8(text.ptr + i, text.len - i, &length);
        put_code(out, text.ptr + i, length, code);
    }
}

char *tool_escaped(cql_str text)
{
    char *copy = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&copy, &size);
    if (out) {
        tool_put_escaped(out, text);
        fclose(out);
    }
    return copy ? copy : tool_copy("");
}

size_t tool_text_width(const char *text)
{
    size_t width = 0, length, left = strlen(text);
    for (; left; text += length, left -= length) {
        int32_t code = tool_read_utf8(text, left, &length);
        if (in_ranges(code, combining, CQL_COUNT(combining)))
            continue;
        width += in_ranges(code, wide, CQL_COUNT(wide)) ? 2 : 1;
    }
    return width;
}

char *tool_valid_utf8(cql_str text)
{
    char *copy = tool_alloc(text.len * 3 + 1, 1);
    size_t length, used = 0;
    for (size_t i = 0; i < text.len; i += length) {
        int32_t code = tool_read_utf8(text.ptr + i, text.len - i, &length);
        const char *from = code < 0 ? "\xef\xbf\xbd" : text.ptr + i;
        size_t bytes = code < 0 ? 3 : length;
        memcpy(copy + used, from, bytes);
        used += bytes;
    }
    return copy;
}
