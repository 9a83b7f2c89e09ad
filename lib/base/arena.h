/* arena.h: a bump allocator for things that are freed together (decoded metadata, snapshots). */
#ifndef CQLN_BASE_ARENA_H
#define CQLN_BASE_ARENA_H

#include "base/alloc.h"

typedef struct cqln_arena {
    const cql_allocator *al;
    struct cqln_arena_block *blocks;
    uint8_t *at;
    uint8_t *end;
    size_t total; /* bytes asked for so far */
    size_t max;   /* cap on total */
    bool capped;  /* the cap refused something */
} cqln_arena;

/* Takes no memory until the first use. max 0: no cap. */
void cqln_arena_init(cqln_arena *a, const cql_allocator *al, size_t max);
void cqln_arena_fini(cqln_arena *a);
/* Aligned for any type, zeroed; NULL when memory or the cap is out. */
void *cqln_arena_alloc(cqln_arena *a, size_t size);
void *cqln_arena_array(cqln_arena *a, size_t count, size_t size);
/* A copy with a NUL behind it; ptr NULL when memory is out. */
cql_str cqln_arena_str(cqln_arena *a, cql_str text);

#endif
