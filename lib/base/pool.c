/* The lock-free pool of records. */
#include "base/pool.h"

#include <string.h>

typedef cqln_pool_header header;

static uint32_t chunk_count(uint32_t max)
{
    return max / CQLN_POOL_CHUNK + (max % CQLN_POOL_CHUNK != 0);
}

static const header *header_of(const void *record)
{
    return (const header *)record - 1;
}

/* The header of a record there is. The chunk was published before its first index was. */
static header *header_at(cqln_pool *p, uint32_t index)
{
    uint8_t *chunk =
        atomic_load_explicit(&p->chunks[index / CQLN_POOL_CHUNK], memory_order_acquire);
    return (header *)(void *)(chunk + (index % CQLN_POOL_CHUNK) * p->stride);
}

cql_status cqln_pool_init(cqln_pool *p, const cql_allocator *al, size_t record_size,
                          uint32_t max_records)
{
    if (max_records == 0)
        return CQL_BAD_ARGUMENT;
    size_t stride, chunk;
    if (!cqln_add_size(record_size, sizeof(header) + alignof(max_align_t) - 1, &stride))
        return CQL_TOO_LARGE;
    stride &= ~(alignof(max_align_t) - 1);
    if (!cqln_mul_size(stride, CQLN_POOL_CHUNK, &chunk) || max_records == UINT32_MAX)
        return CQL_TOO_LARGE;
    memset(p, 0, sizeof *p);
    p->chunks = cqln_alloc_array(al, chunk_count(max_records), sizeof *p->chunks);
    if (!p->chunks)
        return CQL_NO_MEMORY;
    for (uint32_t i = 0; i < chunk_count(max_records); i++)
        atomic_init(&p->chunks[i], NULL);
    p->al = al;
    atomic_init(&p->head, 0);
    atomic_init(&p->ready, 0);
    p->max = max_records;
    p->stride = stride;
    if (pthread_mutex_init(&p->growing, NULL) != 0) {
        cqln_free(al, p->chunks);
        return CQL_SYSTEM;
    }
    return CQL_OK;
}

void cqln_pool_fini(cqln_pool *p)
{
    for (uint32_t i = 0; i < chunk_count(p->max); i++)
        cqln_free(p->al, atomic_load_explicit(&p->chunks[i], memory_order_acquire));
    cqln_free(p->al, p->chunks);
    p->chunks = NULL;
    pthread_mutex_destroy(&p->growing);
}

static uint64_t head_of(uint64_t before, uint32_t first)
{
    return ((before >> 32) + 1) << 32 | first;
}

/* Puts the free records from `first` to `last`, which are linked already, on the stack. */
static void push_chain(cqln_pool *p, uint32_t first, header *last)
{
    uint64_t head = atomic_load_explicit(&p->head, memory_order_relaxed);
    do {
        atomic_store_explicit(&last->next, (uint32_t)head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&p->head, &head, head_of(head, first + 1),
                                                    memory_order_release, memory_order_relaxed));
}

/* When another thread takes the record first, the `next` read here is worthless, but then the tag has
 * changed and so the exchange fails. */
static header *pop(cqln_pool *p)
{
    uint64_t head = atomic_load_explicit(&p->head, memory_order_acquire);
    for (;;) {
        uint32_t first = (uint32_t)head;
        if (first == 0)
            return NULL;
        header *h = header_at(p, first - 1);
        uint32_t next = atomic_load_explicit(&h->next, memory_order_relaxed);
        if (atomic_compare_exchange_weak_explicit(&p->head, &head, head_of(head, next),
                                                  memory_order_acquire, memory_order_acquire))
            return h;
    }
}

/* Sets up the next chunk; its first record is the caller's, the others go on the stack. */
static header *add_chunk(cqln_pool *p)
{
    uint32_t first = atomic_load_explicit(&p->ready, memory_order_relaxed);
    uint32_t count = p->max - first < CQLN_POOL_CHUNK ? p->max - first : CQLN_POOL_CHUNK;
    if (count == 0)
        return NULL;
    uint8_t *chunk = cqln_alloc_zero(p->al, count * p->stride);
    if (!chunk)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        header *h = (header *)(void *)(chunk + i * p->stride);
        h->index = first + i;
        atomic_init(&h->generation, 1);
        atomic_init(&h->next, first + i + 2); /* the last one's is set by push_chain */
    }
    atomic_store_explicit(&p->chunks[first / CQLN_POOL_CHUNK], chunk, memory_order_release);
    atomic_store_explicit(&p->ready, first + count, memory_order_release);
    if (count > 1)
        push_chain(p, first + 1, header_at(p, first + count - 1));
    return header_at(p, first);
}

void *cqln_pool_take(cqln_pool *p)
{
    header *h = pop(p);
    if (!h) {
        pthread_mutex_lock(&p->growing);
        h = pop(p);
        if (!h)
            h = add_chunk(p);
        pthread_mutex_unlock(&p->growing);
    }
    return h ? h + 1 : NULL;
}

void cqln_pool_put(cqln_pool *p, void *record)
{
    header *h = (header *)record - 1;
    cqln_pool_reuse(record);
    push_chain(p, h->index, h);
}

void *cqln_pool_at(cqln_pool *p, uint32_t index)
{
    if (index >= atomic_load_explicit(&p->ready, memory_order_acquire))
        return NULL;
    return header_at(p, index) + 1;
}

uint32_t cqln_pool_index(const void *record)
{
    return header_of(record)->index;
}

uint32_t cqln_pool_generation(const void *record)
{
    return atomic_load_explicit(&header_of(record)->generation, memory_order_acquire);
}

void *cqln_pool_find(cqln_pool *p, uint32_t index, uint32_t generation)
{
    void *record = cqln_pool_at(p, index);
    return record && cqln_pool_generation(record) == generation ? record : NULL;
}
