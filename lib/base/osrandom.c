/* osrandom.c: random bytes and the wall clock of the system, for UUIDs only. */
#include "config.h"

#include "base/osrandom.h"

#include "base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

#ifdef HAVE_GETRANDOM
/* Bytes that could not be filled. */
static size_t from_getrandom(uint8_t *at, size_t size)
{
    while (size > 0) {
        ssize_t n = getrandom(at, size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += n;
        size -= (size_t)n;
    }
    return size;
}
#else
static size_t from_getrandom(uint8_t *at, size_t size)
{
    (void)at;
    return size;
}
#endif

static size_t from_device(uint8_t *at, size_t size)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return size;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += n;
        size -= (size_t)n;
    }
    close(fd);
    return size;
}

/* A system without either source: at least two calls, two processes and two starts differ. */
static void from_clock(uint8_t *at, size_t size)
{
    static _Atomic(uint64_t) calls;
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    seed ^= (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)&now;
    seed +=
        atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) * UINT64_C(0x9e3779b97f4a7c15);
    cqln_rand r;
    cqln_rand_seed(&r, seed);
    while (size > 0) {
        uint64_t word = cqln_rand_next(&r);
        size_t n = size < sizeof word ? size : sizeof word;
        memcpy(at, &word, n);
        at += n;
        size -= n;
    }
}

void cqln_os_random(void *block, size_t size)
{
    uint8_t *at = block;
    size_t left = from_getrandom(at, size);
    if (left > 0)
        left = from_device(at + (size - left), left);
    if (left > 0)
        from_clock(at + (size - left), left);
}

int64_t cqln_os_unix_ticks(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 10000000 + now.tv_nsec / 100;
}

void cqln_os_at_fork(void (*child)(void))
{
    pthread_atfork(NULL, NULL, child);
}
