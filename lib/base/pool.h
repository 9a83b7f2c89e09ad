/* pool.h: records of one size that many threads take and put back without a lock and, once grown,
 * without the allocator. Records stay where they are until the pool ends. */
#ifndef CQLN_BASE_POOL_H
#define CQLN_BASE_POOL_H

#include "base/alloc.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct cqln_pool {
    const cql_allocator *al;
    size_t stride;         /* header and record, aligned */
    uint32_t max;          /* records */
    _Atomic(uint64_t) free; /* top of the free stack: tag << 32 | index + 1, so that a record that was
                             * taken and put meanwhile is not mistaken for an unchanged stack */
    _Atomic(uint32_t) grown; /* chunks there are */
    uint8_t **chunks;
    pthread_mutex_t growing;
} cqln_pool;

cql_status cqln_pool_init(cqln_pool *p, const cql_allocator *al, size_t record_size, uint32_t max);
/* All records must be back, or no longer used. */
void cqln_pool_fini(cqln_pool *p);

/* A record; zeroed the first time it is handed out, later as it was put back. NULL when `max` are out
 * or memory is. [any thread] */
void *cqln_pool_take(cqln_pool *p);
void cqln_pool_put(cqln_pool *p, void *record); /* [any thread] */

/* A number for a taken record that no other one has had or will have for 2^31 rounds of its place;
 * and the record of such a number, NULL once it was put back. [any thread] */
uint64_t cqln_pool_handle(cqln_pool *p, const void *record);
void *cqln_pool_find(cqln_pool *p, uint64_t handle);
/* Record i for walking over all of them, taken or not; NULL past the end. */
void *cqln_pool_at(cqln_pool *p, uint32_t i);

#endif
