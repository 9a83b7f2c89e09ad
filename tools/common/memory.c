/* Memory for the tools: checked sizes, and one way to end when there is none. */
#include "config.h"

#include "common/memory.h"

#include "common/exit_code.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *block)
{
    if (!block) {
        fputs("out of memory\n", stderr);
        exit(TOOL_EXIT_FAILED);
    }
    return block;
}

void *tool_alloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *tool_grow(void *block, size_t *capacity, size_t wanted, size_t size)
{
    if (wanted <= *capacity)
        return block;
    size_t doubled = *capacity <= SIZE_MAX / 2 ? *capacity * 2 : SIZE_MAX;
    size_t count = doubled > wanted ? doubled : wanted;
    if (count < 8)
        count = 8;
    void *grown = checked(count <= SIZE_MAX / size ? realloc(block, count * size) : NULL);
    *capacity = count;
    return grown;
}

char *tool_copy_str(cql_str text)
{
    char *copy = tool_alloc(text.len + 1, 1);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

char *tool_copy(const char *text)
{
    cql_str view = {text, strlen(text)};
    return tool_copy_str(view);
}

char *tool_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int length = vasprintf(&text, format, args);
    va_end(args);
    return checked(length < 0 ? NULL : text);
}

void tool_wipe(void *block, size_t size)
{
    volatile unsigned char *at = block;
    while (at && size--)
        *at++ = 0;
}
