/* A free stack over chunks of records. */
#include "base/pool.h"

enum { CHUNK = 64, ALIGN = 16 };

typedef struct header {
    uint32_t index;
    _Atomic(uint32_t) next;       /* index + 1 of the one below on the free stack, 0: the last */
    _Atomic(uint32_t) generation; /* odd while taken */
    uint32_t spare;
} header;

static header *header_at(cqln_pool *p, uint32_t index)
{
    return (header *)(void *)(p->chunks[index / CHUNK] + (size_t)(index % CHUNK) * p->stride);
}

static header *header_of(const void *record)
{
    return (header *)((uintptr_t)record - sizeof(header));
}

cql_status cqln_pool_init(cqln_pool *p, const cql_allocator *al, size_t record_size, uint32_t max)
{
    size_t chunks = ((size_t)max + CHUNK - 1) / CHUNK;
    p->al = al;
    p->stride = (sizeof(header) + record_size + ALIGN - 1) / ALIGN * ALIGN;
    p->max = max;
    atomic_init(&p->free, 0);
    atomic_init(&p->grown, 0);
    p->chunks = cqln_alloc_array(al, chunks ? chunks : 1, sizeof *p->chunks);
    if (!p->chunks)
        return CQL_NO_MEMORY;
    if (pthread_mutex_init(&p->growing, NULL) != 0) {
        cqln_free(al, p->chunks);
        p->chunks = NULL;
        return CQL_SYSTEM;
    }
    return CQL_OK;
}

void cqln_pool_fini(cqln_pool *p)
{
    if (!p->chunks)
        return;
    for (uint32_t i = 0; i < atomic_load(&p->grown); i++)
        cqln_free(p->al, p->chunks[i]);
    cqln_free(p->al, p->chunks);
    p->chunks = NULL;
    pthread_mutex_destroy(&p->growing);
}

static void push(cqln_pool *p, header *h)
{
    uint64_t top = atomic_load_explicit(&p->free, memory_order_relaxed);
    uint64_t mine;
    do {
        atomic_store_explicit(&h->next, (uint32_t)top, memory_order_relaxed);
        mine = ((top >> 32) + 1) << 32 | (h->index + 1u);
    } while (!atomic_compare_exchange_weak_explicit(&p->free, &top, mine, memory_order_release,
                                                    memory_order_relaxed));
}

static header *pop(cqln_pool *p)
{
    uint64_t top = atomic_load_explicit(&p->free, memory_order_acquire);
    for (;;) {
        uint32_t index = (uint32_t)top;
        if (index == 0)
            return NULL;
        header *h = header_at(p, index - 1);
        uint64_t below = ((top >> 32) + 1) << 32 |
                         atomic_load_explicit(&h->next, memory_order_relaxed);
        if (atomic_compare_exchange_weak_explicit(&p->free, &top, below, memory_order_acquire,
                                                  memory_order_acquire))
            return h;
    }
}

/* One more chunk; its first record goes to the caller, the others onto the stack. */
static header *grow(cqln_pool *p)
{
    header *mine = NULL;
    pthread_mutex_lock(&p->growing);
    uint32_t chunk = atomic_load_explicit(&p->grown, memory_order_relaxed);
    mine = pop(p); /* another thread may have grown it while this one waited */
    uint32_t first = chunk * CHUNK;
    if (!mine && first < p->max) {
        uint32_t count = p->max - first < CHUNK ? p->max - first : CHUNK;
        uint8_t *block = cqln_alloc_zero(p->al, (size_t)count * p->stride);
        if (block) {
            p->chunks[chunk] = block;
            atomic_store_explicit(&p->grown, chunk + 1, memory_order_release);
            for (uint32_t i = count; i-- > 0;) {
                header *h = header_at(p, first + i);
                h->index = first + i;
                if (i == 0)
                    mine = h;
                else
                    push(p, h);
            }
        }
    }
    pthread_mutex_unlock(&p->growing);
    return mine;
}

void *cqln_pool_take(cqln_pool *p)
{
    header *h = pop(p);
    if (!h)
        h = grow(p);
    if (!h)
        return NULL;
    atomic_fetch_add_explicit(&h->generation, 1, memory_order_relaxed);
    return h + 1;
}

void cqln_pool_put(cqln_pool *p, void *record)
{
    header *h = header_of(record);
    atomic_fetch_add_explicit(&h->generation, 1, memory_order_relaxed);
    push(p, h);
}

uint64_t cqln_pool_handle(cqln_pool *p, const void *record)
{
    header *h = header_of(record);
    (void)p;
    return (uint64_t)atomic_load_explicit(&h->generation, memory_order_relaxed) << 32 | h->index;
}

void *cqln_pool_at(cqln_pool *p, uint32_t i)
{
    if (i >= p->max || i / CHUNK >= atomic_load_explicit(&p->grown, memory_order_acquire))
        return NULL;
    return header_at(p, i) + 1;
}

void *cqln_pool_find(cqln_pool *p, uint64_t handle)
{
    void *record = cqln_pool_at(p, (uint32_t)handle);
    uint32_t generation = (uint32_t)(handle >> 32);
    if (!record || generation % 2 == 0)
        return NULL;
    header *h = header_of(record);
    return atomic_load_explicit(&h->generation, memory_order_relaxed) == generation ? record : NULL;
}
