/* pool.h: records of one size that many threads take and put back without a lock.
 *
 * Free records form a stack linked by index. Its head is one 64-bit word, tag << 32 | index + 1, and the
 * tag rises with every change, so that a head that was taken and put back meanwhile is not mistaken for
 * the same. Records come in chunks that stay where they are until _fini; only the growth by a chunk takes
 * a mutex. */
#ifndef CQLN_BASE_POOL_H
#define CQLN_BASE_POOL_H

#include "base/alloc.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

enum {
    CQLN_POOL_CHUNK = 128, /* records */
    CQLN_POOL_NEXT = 2     /* from one generation to the next: odd ones, so that none is 0 */
};

/* In front of every record. `next` is read by threads that lose the race for it, hence atomic. */
typedef struct cqln_pool_header {
    alignas(max_align_t) uint32_t index;
    _Atomic uint32_t generation;
    _Atomic uint32_t next; /* index + 1 of the next free record, 0 at the end */
} cqln_pool_header;

typedef struct cqln_pool {
    const cql_allocator *al;
    _Atomic uint64_t head;
    _Atomic uint32_t ready; /* records in the chunks there are */
    uint32_t max;
    size_t stride; /* bytes from record to record, the header included */
    _Atomic(uint8_t *) *chunks;
    pthread_mutex_t growing;
} cqln_pool;

/* Takes no memory for records yet. CQL_BAD_ARGUMENT when max_records is 0, CQL_TOO_LARGE when a chunk
 * could not be addressed, CQL_NO_MEMORY. */
cql_status cqln_pool_init(cqln_pool *p, const cql_allocator *al, size_t record_size,
                          uint32_t max_records);
/* Frees all records, taken or not. No other thread may use the pool any more. */
void cqln_pool_fini(cqln_pool *p);

/* A record, aligned for any type; NULL when max_records are out or memory is. A record that is new is all
 * zero; one that was used before holds what it held when it was put back. [any thread] */
void *cqln_pool_take(cqln_pool *p);
/* Gives a record back; its generation rises. [any thread] */
void cqln_pool_put(cqln_pool *p, void *record);

/* Ends one use of a record and begins the next without giving it back: its generation rises. [any
 * thread], one at a time for one record */
static inline void cqln_pool_reuse(void *record)
{
    cqln_pool_header *h = (cqln_pool_header *)record - 1;
    uint32_t generation = atomic_load_explicit(&h->generation, memory_order_relaxed);
    atomic_store_explicit(&h->generation, generation + CQLN_POOL_NEXT, memory_order_release);
}

/* The record of an index, taken or free; NULL when no record has this index (yet). [any thread] */
void *cqln_pool_at(cqln_pool *p, uint32_t index);
uint32_t cqln_pool_index(const void *record);
/* Never 0; index and generation together name one use of a record. [any thread] */
uint32_t cqln_pool_generation(const void *record);
/* The record of (index, generation) while that use lasts, NULL when it has ended. Only a thread that
 * decides when the record is put back may rely on the answer for longer than the call. */
void *cqln_pool_find(cqln_pool *p, uint32_t index, uint32_t generation);

#endif
