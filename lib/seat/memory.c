/* memory.c: memory through the session's allocator. */
#include "seat/memory.h"

#include <string.h>

void *cqlseat_zalloc(const cql_allocator *al, size_t size)
{
    void *block = al->malloc_fn(al->context, size);
    if (block)
        memset(block, 0, size);
    return block;
}

void cqlseat_free(const cql_allocator *al, void *block)
{
    al->free_fn(al->context, block);
}

cql_status cqlseat_grow(const cql_allocator *al, void **block, size_t *cap, size_t want,
                        size_t element)
{
    size_t room = *cap ? *cap : 1;
    if (want <= *cap)
        return CQL_OK;
    while (room < want)
        room *= 2;
    void *bigger = al->realloc_fn(al->context, *block, room * element);
    if (!bigger)
        return CQL_NO_MEMORY;
    *block = bigger;
    *cap = room;
    return CQL_OK;
}
