/* memory.h: memory of the outbox, through the session's allocator. */
#ifndef CQLOX_MEMORY_H
#define CQLOX_MEMORY_H

#include <cqlnative/base.h>

/* Cleared; NULL when memory is out. */
void *cqlox_zalloc(const cql_allocator *al, size_t size);
void cqlox_free(const cql_allocator *al, void *block);

/* A block that grows; what is in it stays. */
typedef struct cqlox_buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
} cqlox_buf;

/* Room for `cap` bytes in all. CQL_NO_MEMORY leaves it as it was. */
cql_status cqlox_buf_reserve(cqlox_buf *b, const cql_allocator *al, size_t cap);

#endif
