/* buf.h: a block that grows. */
#ifndef CQLOX_BUF_H
#define CQLOX_BUF_H

#include "seat/memory.h"

/* What is in it stays when it grows. */
typedef struct cqlox_buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
} cqlox_buf;

/* Room for `cap` bytes in all. CQL_NO_MEMORY leaves it as it was. */
cql_status cqlox_buf_reserve(cqlox_buf *b, const cql_allocator *al, size_t cap);

#endif
