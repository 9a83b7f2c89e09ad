/* pool.c: threads for handlers that block. One is made when a job finds none idle, up to the limit;
 * beyond it jobs wait their turn, which cannot be while the worker holds no more jobs than that. */
#include "jobs/worker.h"
#include "os/thread.h"

typedef struct errand {
    struct errand *next;
    cql_job_handler fn;
    cql_job *job;
    void *user;
} errand;

struct cqljob_pool {
    cql_allocator al;
    pthread_mutex_t lock;
    pthread_cond_t work;
    errand *first;
    errand *last;
    pthread_t *threads;
    size_t count;
    size_t most;
    size_t idle;
    bool closing;
};

static void *serve(void *user)
{
    cqljob_pool *pool = user;

    (void)pthread_mutex_lock(&pool->lock);
    for (;;) {
        errand *e = pool->first;

        if (e) {
            pool->first = e->next;
            if (!pool->first)
                pool->last = NULL;
            (void)pthread_mutex_unlock(&pool->lock);
            e->fn(e->job, e->user);
            cqljob_free(&pool->al, e);
            (void)pthread_mutex_lock(&pool->lock);
        } else if (pool->closing) {
            break;
        } else {
            pool->idle++;
            (void)pthread_cond_wait(&pool->work, &pool->lock);
            pool->idle--;
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

bool cqljob_pool_possible(void)
{
    return true;
}

cqljob_pool *cqljob_pool_new(const cql_allocator *al, size_t most)
{
    cqljob_pool *pool = cqljob_zalloc(al, sizeof *pool);

    if (!pool)
        return NULL;
    pool->al = *al;
    pool->most = most;
    pool->threads = cqljob_zalloc(al, most * sizeof pool->threads[0]);
    if (!pool->threads)
        goto fail_block;
    if (pthread_mutex_init(&pool->lock, NULL))
        goto fail_block;
    if (pthread_cond_init(&pool->work, NULL))
        goto fail_mutex;
    return pool;

fail_mutex:
    (void)pthread_mutex_destroy(&pool->lock);
fail_block:
    cqljob_free(al, pool->threads);
    cqljob_free(al, pool);
    return NULL;
}

static size_t queued(const cqljob_pool *pool)
{
    size_t n = 0;

    for (const errand *e = pool->first; e; e = e->next)
        n++;
    return n;
}

cql_status cqljob_pool_run(cqljob_pool *pool, cql_job_handler fn, cql_job *job, void *user)
{
    errand *e = cqljob_zalloc(&pool->al, sizeof *e);
    cql_status st = CQL_OK;

    if (!e)
        return CQL_NO_MEMORY;
    e->fn = fn;
    e->job = job;
    e->user = user;
    (void)pthread_mutex_lock(&pool->lock);
    if (queued(pool) >= pool->idle && pool->count < pool->most) {
        if (cqlos_thread_start(&pool->threads[pool->count], serve, pool) == 0)
            pool->count++;
        else if (pool->count == 0)
            st = CQL_SYSTEM;
    }
    if (!st) {
        if (pool->last)
            pool->last->next = e;
        else
            pool->first = e;
        pool->last = e;
        (void)pthread_cond_signal(&pool->work);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    if (st)
        cqljob_free(&pool->al, e);
    return st;
}

void cqljob_pool_free(cqljob_pool *pool)
{
    cql_allocator al;

    if (!pool)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    (void)pthread_cond_broadcast(&pool->work);
    (void)pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->count; i++)
        (void)pthread_join(pool->threads[i], NULL);
    (void)pthread_cond_destroy(&pool->work);
    (void)pthread_mutex_destroy(&pool->lock);
    al = pool->al;
    cqljob_free(&al, pool->threads);
    cqljob_free(&al, pool);
}
