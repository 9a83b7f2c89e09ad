/* buf.c: a block that grows, in memory of the session's allocator. */
#include "outbox/buf.h"

cql_status cqlox_buf_reserve(cqlox_buf *b, const cql_allocator *al, size_t cap)
{
    size_t room = b->cap ? b->cap : 256;
    if (cap <= b->cap)
        return CQL_OK;
    while (room < cap && room <= SIZE_MAX / 2)
        room *= 2;
    room = room < cap ? cap : room;
    uint8_t *bigger = al->realloc_fn(al->context, b->ptr, room);
    if (!bigger)
        return CQL_NO_MEMORY;
    b->ptr = bigger;
    b->cap = room;
    return CQL_OK;
}
