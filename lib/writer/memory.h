/* memory.h: memory of the buffered writer, through the session's allocator. */
#ifndef CQLWR_MEMORY_H
#define CQLWR_MEMORY_H

#include <cqlnative/base.h>

/* Cleared; NULL when memory is out. */
void *cqlwr_zalloc(const cql_allocator *al, size_t size);
void cqlwr_free(const cql_allocator *al, void *block);
/* At least `want` elements: doubles *cap. CQL_NO_MEMORY leaves all as it was. */
cql_status cqlwr_grow(const cql_allocator *al, void **block, size_t *cap, size_t want,
                      size_t element);

#endif
