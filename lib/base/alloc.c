/* The allocator table, checked sizes, wiping. */
#include "base/alloc.h"

#include "config.h"

#include <stdlib.h>
#include <string.h>

static void *default_malloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *default_realloc(void *context, void *block, size_t size)
{
    (void)context;
    return realloc(block, size);
}

static void default_free(void *context, void *block)
{
    (void)context;
    free(block);
}

const cql_allocator *cqln_alloc_default(void)
{
    static const cql_allocator table = {NULL, default_malloc, default_realloc, default_free};
    return &table;
}

bool cqln_mul_size(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool cqln_add_size(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

void *cqln_alloc(const cql_allocator *al, size_t size)
{
    return al->malloc_fn(al->context, size ? size : 1);
}

void *cqln_alloc_zero(const cql_allocator *al, size_t size)
{
    void *block = cqln_alloc(al, size);
    if (block)
        memset(block, 0, size ? size : 1);
    return block;
}

void *cqln_alloc_array(const cql_allocator *al, size_t count, size_t size)
{
    size_t bytes;
    return cqln_mul_size(count, size, &bytes) ? cqln_alloc(al, bytes) : NULL;
}

void *cqln_realloc(const cql_allocator *al, void *block, size_t size)
{
    return al->realloc_fn(al->context, block, size ? size : 1);
}

void *cqln_realloc_array(const cql_allocator *al, void *block, size_t count, size_t size)
{
    size_t bytes;
    return cqln_mul_size(count, size, &bytes) ? cqln_realloc(al, block, bytes) : NULL;
}

void cqln_free(const cql_allocator *al, void *block)
{
    if (block)
        al->free_fn(al->context, block);
}

char *cqln_strdup(const cql_allocator *al, cql_str text)
{
    size_t bytes;
    if (!cqln_add_size(text.len, 1, &bytes))
        return NULL;
    char *copy = cqln_alloc(al, bytes);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

void cqln_wipe(void *block, size_t size)
{
    if (!block || !size)
        return;
#ifdef HAVE_EXPLICIT_BZERO
    explicit_bzero(block, size);
#else
    volatile unsigned char *p = block;
    while (size--)
        *p++ = 0;
#endif
}
