/* alloc.h: memory comes from the session's allocator table, never from malloc directly. */
#ifndef CQLN_BASE_ALLOC_H
#define CQLN_BASE_ALLOC_H

#include <cqlnative/base.h>

/* The C library's functions as a table; static storage. */
const cql_allocator *cqln_alloc_default(void);

/* NULL when memory is out. A size of 0 gives a block of 1 byte, so that NULL always means failure. */
void *cqln_alloc(const cql_allocator *al, size_t size);
void *cqln_alloc_zero(const cql_allocator *al, size_t size);
/* count * size with the product checked; NULL also when it overflows. */
void *cqln_alloc_array(const cql_allocator *al, size_t count, size_t size);
void *cqln_realloc(const cql_allocator *al, void *block, size_t size);
void *cqln_realloc_array(const cql_allocator *al, void *block, size_t count, size_t size);
void cqln_free(const cql_allocator *al, void *block);

/* Copies with a NUL added; NULL when memory is out. */
char *cqln_strdup(const cql_allocator *al, cql_str text);

/* *out = a * b or a + b; false when it overflows. */
bool cqln_mul_size(size_t a, size_t b, size_t *out);
bool cqln_add_size(size_t a, size_t b, size_t *out);

/* Overwrites secrets; not optimised away. */
void cqln_wipe(void *block, size_t size);

#endif
