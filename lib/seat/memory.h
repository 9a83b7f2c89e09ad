/* memory.h: memory of a module, through its session's allocator. */
#ifndef CQLSEAT_MEMORY_H
#define CQLSEAT_MEMORY_H

#include <cqlnative/base.h>

/* Cleared; NULL when memory is out. */
void *cqlseat_zalloc(const cql_allocator *al, size_t size);
void cqlseat_free(const cql_allocator *al, void *block);
/* At least `want` elements: doubles *cap. CQL_NO_MEMORY leaves all as it was. */
cql_status cqlseat_grow(const cql_allocator *al, void **block, size_t *cap, size_t want,
                        size_t element);

#endif
