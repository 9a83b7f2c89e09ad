/* scratch.h: a chain of small blocks for text made while rows are read. */
#ifndef CQLN_CLUSTER_SCRATCH_H
#define CQLN_CLUSTER_SCRATCH_H

#include "base/alloc.h"

typedef struct cqln_scratch cqln_scratch;

/* size bytes that stay until reset or free; NULL when memory is out. *s is NULL to begin with. */
char *cqln_scratch_alloc(const cql_allocator *al, cqln_scratch **s, size_t size);
/* Gives all bytes out again; keeps the newest block. */
void cqln_scratch_reset(const cql_allocator *al, cqln_scratch **s);
void cqln_scratch_free(const cql_allocator *al, cqln_scratch *s);

#endif
