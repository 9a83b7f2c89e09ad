/* What several threads share: the queue of many producers, the pool, counted objects. Meant to be run
 * under the thread sanitizer too. */
#include "unit.h"

#include "base/error.h"
#include "base/list.h"
#include "base/mpsc.h"
#include "base/pool.h"
#include "base/rcbuf.h"

#include <pthread.h>
#include <sched.h>

enum { THREADS = 8, PUSHES = 3000, ROUNDS = 3000 };

typedef struct job {
    cqln_mpsc_node node;
    unsigned producer;
    unsigned number;
} job;

typedef struct producer {
    pthread_t thread;
    cqln_mpsc *q;
    atomic_uint *wakes;
    unsigned id;
    job jobs[PUSHES];
} producer;

static void *produce(void *arg)
{
    producer *p = arg;
    for (unsigned i = 0; i < PUSHES; i++) {
        p->jobs[i].producer = p->id;
        p->jobs[i].number = i;
        if (cqln_mpsc_push(p->q, &p->jobs[i].node))
            atomic_fetch_add(p->wakes, 1);
    }
    return NULL;
}

static void queue_gives_all_in_the_order_of_each_producer(void **state)
{
    (void)state;
    static producer producers[THREADS];
    cqln_mpsc q;
    cqln_mpsc_init(&q);
    atomic_uint wakes = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        producers[i].q = &q;
        producers[i].wakes = &wakes;
        producers[i].id = i;
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    unsigned expected[THREADS] = {0};
    unsigned taken = 0, batches = 0;
    while (taken < THREADS * PUSHES) {
        cqln_mpsc_node *node = cqln_mpsc_take(&q);
        batches += node != NULL;
        if (!node)
            sched_yield();
        for (; node; node = node->next, taken++) {
            job *j = CQLN_CONTAINER(node, job, node);
            assert_int_equal(j->number, expected[j->producer]);
            expected[j->producer]++;
        }
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(producers[i].thread, NULL);
    assert_null(cqln_mpsc_take(&q));
    assert_int_equal(atomic_load(&wakes), batches); /* one wake for each edge from empty */
}

static void queue_of_one_thread(void **state)
{
    (void)state;
    cqln_mpsc q;
    cqln_mpsc_init(&q);
    cqln_mpsc_node n[3];
    assert_null(cqln_mpsc_take(&q));
    assert_true(cqln_mpsc_push(&q, &n[0]));
    assert_false(cqln_mpsc_push(&q, &n[1]));
    assert_false(cqln_mpsc_push(&q, &n[2]));
    cqln_mpsc_node *first = cqln_mpsc_take(&q);
    assert_ptr_equal(first, &n[0]);
    assert_ptr_equal(first->next, &n[1]);
    assert_ptr_equal(first->next->next, &n[2]);
    assert_null(first->next->next->next);
    assert_true(cqln_mpsc_push(&q, &n[1]));
}

typedef struct record {
    _Atomic unsigned owner; /* 0: free */
    uint32_t payload[5];    /* plain memory: the sanitizer sees two owners at once */
} record;

static void pool_hands_out_each_record_once(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cqln_pool p;
    assert_int_equal(cqln_pool_init(&p, &f.al, sizeof(record), 300), CQL_OK);
    assert_int_equal(atomic_load(&f.requests), 1);
    assert_null(cqln_pool_at(&p, 0));
    record *taken[300];
    for (uint32_t i = 0; i < 300; i++) {
        taken[i] = cqln_pool_take(&p);
        assert_non_null(taken[i]);
        assert_int_equal((uintptr_t)taken[i] % _Alignof(max_align_t), 0);
        assert_int_equal(atomic_load(&taken[i]->owner), 0);
        atomic_store(&taken[i]->owner, 1);
        memset(taken[i]->payload, 0xff, sizeof taken[i]->payload);
        assert_true(cqln_pool_index(taken[i]) < 300);
        assert_ptr_equal(cqln_pool_at(&p, cqln_pool_index(taken[i])), taken[i]);
    }
    assert_null(cqln_pool_take(&p)); /* 300 = two chunks and a short one */
    assert_null(cqln_pool_at(&p, 300));
    assert_null(cqln_pool_at(&p, UINT32_MAX));
    for (uint32_t i = 0; i < 300; i++)
        cqln_pool_put(&p, taken[i]);
    record *again = cqln_pool_take(&p);
    assert_ptr_equal(again, taken[299]);
    assert_int_equal(again->payload[0], UINT32_MAX); /* as it was put back */
    cqln_pool_fini(&p);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void pool_generation_ends_a_handle(void **state)
{
    (void)state;
    cqln_pool p;
    assert_int_equal(cqln_pool_init(&p, cqln_alloc_default(), 1, 1), CQL_OK);
    void *a = cqln_pool_take(&p);
    uint32_t index = cqln_pool_index(a), generation = cqln_pool_generation(a);
    assert_int_not_equal(generation, 0);
    assert_ptr_equal(cqln_pool_find(&p, index, generation), a);
    assert_null(cqln_pool_find(&p, index, 0));
    assert_null(cqln_pool_find(&p, index + 1, generation));
    cqln_pool_put(&p, a);
    assert_null(cqln_pool_find(&p, index, generation));
    assert_ptr_equal(cqln_pool_take(&p), a);
    assert_int_not_equal(cqln_pool_generation(a), generation);
    for (int i = 0; i < 3; i++) { /* also past the last number there is */
        ((cqln_pool_header *)a - 1)->generation = UINT32_MAX - 2 + (uint32_t)i % 2 * 2;
        generation = cqln_pool_generation(a);
        cqln_pool_reuse(a);
        assert_int_not_equal(cqln_pool_generation(a), generation);
        assert_int_not_equal(cqln_pool_generation(a), 0);
    }
    cqln_pool_fini(&p);
}

static void pool_refuses_impossible_sizes(void **state)
{
    (void)state;
    cqln_pool p;
    assert_int_equal(cqln_pool_init(&p, cqln_alloc_default(), 8, 0), CQL_BAD_ARGUMENT);
    assert_int_equal(cqln_pool_init(&p, cqln_alloc_default(), SIZE_MAX, 1), CQL_TOO_LARGE);
    assert_int_equal(cqln_pool_init(&p, cqln_alloc_default(), SIZE_MAX / 100, 1), CQL_TOO_LARGE);
    assert_int_equal(cqln_pool_init(&p, cqln_alloc_default(), 8, UINT32_MAX), CQL_TOO_LARGE);
}

static cql_status use_pool(const cql_allocator *al, void *user)
{
    (void)user;
    cqln_pool p;
    cql_status st = cqln_pool_init(&p, al, 100, 1000);
    if (st != CQL_OK)
        return st;
    void *got[2 * CQLN_POOL_CHUNK];
    for (size_t i = 0; i < CQL_COUNT(got); i++) {
        got[i] = cqln_pool_take(&p);
        if (!got[i])
            st = CQL_NO_MEMORY;
    }
    for (size_t i = 0; i < CQL_COUNT(got); i++) {
        if (got[i])
            cqln_pool_put(&p, got[i]);
    }
    if (st == CQL_NO_MEMORY && !cqln_pool_take(&p)) /* what there is can be had again */
        assert_int_equal(atomic_load(&p.ready), 0);
    cqln_pool_fini(&p);
    return st;
}

static void pool_reports_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(failmalloc_each(use_pool, NULL, false), 3);
}

static void pool_of_any_size_gives_just_as_many(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 127, 128, 129, 130, 255, 256, 257, 258};
    for (size_t i = 0; i < CQL_COUNT(sizes); i++) {
        cqln_pool p;
        assert_int_equal(cqln_pool_init(&p, cqln_alloc_default(), 4, sizes[i]), CQL_OK);
        for (uint32_t n = 0; n < sizes[i]; n++)
            assert_non_null(cqln_pool_take(&p));
        assert_null(cqln_pool_take(&p));
        cqln_pool_fini(&p);
    }
}

/* What a slow thread saw is told from the same record on top again: the head never comes back. */
static void pool_head_never_repeats(void **state)
{
    (void)state;
    cqln_pool p;
    assert_int_equal(cqln_pool_init(&p, cqln_alloc_default(), 4, 10), CQL_OK);
    cqln_pool_put(&p, cqln_pool_take(&p));
    uint64_t seen[100];
    for (size_t i = 0; i < CQL_COUNT(seen); i++) {
        seen[i] = atomic_load(&p.head);
        for (size_t k = 0; k < i; k++)
            assert_true(seen[k] != seen[i]);
        assert_int_equal((uint32_t)seen[i], (uint32_t)seen[0]);
        cqln_pool_put(&p, cqln_pool_take(&p));
    }
    cqln_pool_fini(&p);
}

typedef struct worker {
    pthread_t thread;
    cqln_pool *pool;
    unsigned id;
    unsigned refused;
    unsigned clashes;
} worker;

/* Relaxed, so that only the pool itself puts one owner's writes before the next one's. */
static unsigned change_owner(record *r, unsigned owner)
{
    return atomic_exchange_explicit(&r->owner, owner, memory_order_relaxed);
}

/* Holds up to eight records; each belongs to nobody else meanwhile. */
static void *take_and_put(void *arg)
{
    worker *me = arg;
    record *held[8] = {NULL};
    for (unsigned i = 0; i < ROUNDS; i++) {
        record **slot = &held[(i * 7 + me->id) % 8];
        if (*slot) {
            me->clashes += (*slot)->payload[2] != me->id * 100000 + (*slot)->payload[3];
            me->clashes += change_owner(*slot, 0) != me->id;
            cqln_pool_put(me->pool, *slot);
            *slot = NULL;
            continue;
        }
        *slot = cqln_pool_take(me->pool);
        if (!*slot) {
            me->refused++;
            continue;
        }
        me->clashes += change_owner(*slot, me->id) != 0;
        me->clashes += cqln_pool_at(me->pool, cqln_pool_index(*slot)) != *slot;
        (*slot)->payload[3] = i;
        (*slot)->payload[2] = me->id * 100000 + i;
    }
    for (size_t i = 0; i < 8; i++) {
        if (held[i]) {
            change_owner(held[i], 0);
            cqln_pool_put(me->pool, held[i]);
        }
    }
    return NULL;
}

static void run_workers(uint32_t max_records, bool may_refuse)
{
    failmalloc f;
    failmalloc_init(&f);
    cqln_pool p;
    assert_int_equal(cqln_pool_init(&p, &f.al, sizeof(record), max_records), CQL_OK);
    worker workers[THREADS] = {0};
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].pool = &p;
        workers[i].id = i + 1;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, take_and_put, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].clashes, 0);
        if (!may_refuse)
            assert_int_equal(workers[i].refused, 0);
    }
    uint32_t ready = atomic_load(&p.ready);
    for (uint32_t i = 0; i < ready; i++) /* every record is free again, none was lost */
        assert_non_null(cqln_pool_take(&p));
    if (ready == max_records)
        assert_null(cqln_pool_take(&p));
    cqln_pool_fini(&p);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void pool_of_enough_records_serves_eight_threads(void **state)
{
    (void)state;
    run_workers(8 * THREADS, false);
    run_workers(100000, false);
}

static void pool_of_few_records_serves_eight_threads(void **state)
{
    (void)state;
    run_workers(5, true);
    run_workers(1, true);
}

/* All threads empty the pool at once: growth by many chunks from every side. */
static void *take_many(void *arg)
{
    worker *me = arg;
    for (unsigned i = 0; i < 500; i++) {
        record *r = cqln_pool_take(me->pool);
        if (!r) {
            me->refused++;
            continue;
        }
        me->clashes += change_owner(r, me->id) != 0;
    }
    return NULL;
}

static void pool_grows_from_any_thread(void **state)
{
    (void)state;
    cqln_pool p;
    assert_int_equal(cqln_pool_init(&p, cqln_alloc_default(), sizeof(record), 500 * THREADS - 100),
                     CQL_OK);
    worker workers[THREADS] = {0};
    unsigned refused = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].pool = &p;
        workers[i].id = i + 1;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, take_many, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].clashes, 0);
        refused += workers[i].refused;
    }
    assert_int_equal(refused, 100);
    cqln_pool_fini(&p);
}

typedef struct shared {
    cqln_rcbuf *block;
    cql_error *err;
} shared;

static void *hold_and_drop(void *arg)
{
    shared *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        cqln_rcbuf_unref(cqln_rcbuf_ref(s->block));
        cql_error_unref(cql_error_ref(s->err));
    }
    /* Reading them comes before whoever frees them. */
    bool intact = cqln_rcbuf_data(s->block)[9] == '9' && strcmp(cql_error_text(s->err), "x") == 0;
    cqln_rcbuf_unref(s->block);
    cql_error_unref(s->err);
    return intact ? s : NULL;
}

static void counted_objects_are_freed_by_the_last_thread(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cqln_error_info info = {.status = CQL_CLOSED};
    shared s = {cqln_rcbuf_new(&f.al, 10), cqln_error_make(&f.al, &info, NULL, 0, "x")};
    memcpy(cqln_rcbuf_data(s.block), "0123456789", 10);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        cqln_rcbuf_ref(s.block);
        cql_error_ref(s.err);
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_drop, &s), 0);
    }
    cqln_rcbuf_unref(s.block);
    cql_error_unref(s.err);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, &s);
    }
    assert_int_equal(atomic_load(&f.live), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_of_one_thread),
        cmocka_unit_test(queue_gives_all_in_the_order_of_each_producer),
        cmocka_unit_test(pool_hands_out_each_record_once),
        cmocka_unit_test(pool_generation_ends_a_handle),
        cmocka_unit_test(pool_refuses_impossible_sizes),
        cmocka_unit_test(pool_reports_want_of_memory),
        cmocka_unit_test(pool_of_any_size_gives_just_as_many),
        cmocka_unit_test(pool_head_never_repeats),
        cmocka_unit_test(pool_of_enough_records_serves_eight_threads),
        cmocka_unit_test(pool_of_few_records_serves_eight_threads),
        cmocka_unit_test(pool_grows_from_any_thread),
        cmocka_unit_test(counted_objects_are_freed_by_the_last_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
