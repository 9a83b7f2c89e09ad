/* memory.c: memory through the session's allocator, and the few text checks the tables need. */
#include "jobs/memory.h"

#include <stdlib.h>
#include <string.h>

void *cqljob_alloc(const cql_allocator *al, size_t size)
{
    return al->malloc_fn(al->context, size ? size : 1);
}

void *cqljob_zalloc(const cql_allocator *al, size_t size)
{
    void *block = cqljob_alloc(al, size);

    if (block)
        memset(block, 0, size);
    return block;
}

void cqljob_free(const cql_allocator *al, void *block)
{
    al->free_fn(al->context, block);
}

cql_status cqljob_grow(const cql_allocator *al, void **block, size_t *cap, size_t want,
                       size_t limit, size_t element)
{
    size_t room = *cap ? *cap : 8;
    void *bigger;

    if (want <= *cap)
        return CQL_OK;
    if (want > limit || limit > SIZE_MAX / element)
        return CQL_TOO_LARGE;
    while (room < want)
        room = room > limit / 2 ? limit : room * 2;
    bigger = al->realloc_fn(al->context, *block, room * element);
    if (!bigger)
        return CQL_NO_MEMORY;
    *block = bigger;
    *cap = room;
    return CQL_OK;
}

char *cqljob_copy(const cql_allocator *al, cql_str text)
{
    char *copy = cqljob_alloc(al, text.len + 1);

    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    return copy;
}

bool cqljob_take_sized(void *out, size_t size, const void *given)
{
    size_t known = given ? *(const size_t *)given : sizeof known;

    memset(out, 0, size);
    if (known < sizeof known || known > 4096)
        return false;
    if (given)
        memcpy(out, given, known < size ? known : size);
    return true;
}

static void *standard_malloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *standard_realloc(void *context, void *block, size_t size)
{
    (void)context;
    return realloc(block, size);
}

static void standard_free(void *context, void *block)
{
    (void)context;
    free(block);
}

const cql_allocator *cqljob_standard_allocator(void)
{
    static const cql_allocator standard = {NULL, standard_malloc, standard_realloc, standard_free};

    return &standard;
}

/* Bytes of the well-formed character at p, 0 when there is none. The second byte's range rules out
 * overlong forms, surrogates and what lies beyond U+10FFFF. */
static size_t character(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        n = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        n = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    if (p[0] == 0xed)
        high = 0x9f;
    if (p[0] == 0xf0)
        low = 0x90;
    if (p[0] == 0xf4)
        high = 0x8f;
    if (left < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return n;
}

bool cqljob_is_utf8(cql_str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;

    for (size_t i = 0; i < text.len;) {
        size_t n = character(p + i, text.len - i);

        if (!n)
            return false;
        i += n;
    }
    return true;
}

void cqljob_mend_utf8(char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = character((const unsigned char *)text + i, len - i);

        if (!n)
            text[i] = '?';
        i += n ? n : 1;
    }
}

size_t cqljob_cut_utf8(cql_str text, size_t cap)
{
    size_t at = text.len;

    if (at > cap) {
        at = cap;
        while (at && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
            at--;
    }
    return at;
}
