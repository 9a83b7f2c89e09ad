/*
 * A library to preload that counts allocations and system calls where libc's callers make them.
 *
 * Preloading sees every caller in the process (the library, libuv, OpenSSL) and costs a few
 * nanoseconds a call, so that the batches that form while it counts are those of a real run; a
 * tracer that stops the process at each call would change them. Calls that libc makes inside itself
 * are not seen: of those only the futex of a contended lock matters here, and waits and wakes are
 * counted at the functions that make them.
 */
#include "interpose.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_FD = 4096, EARLY = 4096 };

static struct {
    atomic_uint_fast64_t allocs, socket_reads, socket_writes, other_reads, other_writes;
    atomic_uint_fast64_t turns, polls, sleeps, wakes, others, locks;
} counts;

static atomic_bool is_socket[MAX_FD];

#define COUNT(what) atomic_fetch_add_explicit(&counts.what, 1, memory_order_relaxed)
#define LOAD(what)  .what = atomic_load_explicit(&counts.what, memory_order_relaxed)

void bench_counts_now(bench_counts *out)
{
    *out = (bench_counts){
        LOAD(allocs),       LOAD(socket_reads), LOAD(socket_writes), LOAD(other_reads),
        LOAD(other_writes), LOAD(turns),        LOAD(polls),         LOAD(sleeps),
        LOAD(wakes),        LOAD(others),       LOAD(locks),
    };
}

static void count_read(int fd)
{
    if (fd >= 0 && fd < MAX_FD && is_socket[fd])
        COUNT(socket_reads);
    else
        COUNT(other_reads);
}

static void count_write(int fd)
{
    if (fd >= 0 && fd < MAX_FD && is_socket[fd])
        COUNT(socket_writes);
    else
        COUNT(other_writes);
}

/*
 * The function behind ours. A data pointer becomes a function pointer by copying it, which is what
 * POSIX means and ISO C has no cast for. Racing threads store the same value.
 */
#define NEXT(result, name, ...)                                                                    \
    static result (*volatile next_##name)(__VA_ARGS__);                                            \
    static void find_##name(void)                                                                  \
    {                                                                                              \
        void *found = dlsym(RTLD_NEXT, #name);                                                     \
        result (*fn)(__VA_ARGS__);                                                                 \
        memcpy(&fn, &found, sizeof fn);                                                            \
        next_##name = fn;                                                                          \
    }

#define FIND(name)                                                                                 \
    if (!next_##name)                                                                              \
    find_##name()

/* ---- memory ---- */

NEXT(void *, malloc, size_t)
NEXT(void *, calloc, size_t, size_t)
NEXT(void *, realloc, void *, size_t)
NEXT(void, free, void *)
NEXT(int, posix_memalign, void **, size_t, size_t)
NEXT(void *, aligned_alloc, size_t, size_t)

/* dlsym may allocate before we have found the allocator: that comes from here and is never freed.
 */
static _Alignas(max_align_t) unsigned char early[EARLY];
static size_t early_used;
static atomic_bool finding;

static void *early_alloc(size_t n)
{
    n = (n + 15) & ~(size_t)15;
    if (n > EARLY - early_used)
        return NULL;
    early_used += n;
    return early + early_used - n;
}

static int is_early(const void *p)
{
    return (const unsigned char *)p >= early && (const unsigned char *)p < early + EARLY;
}

static size_t early_left(const void *p)
{
    return (size_t)(early + EARLY - (const unsigned char *)p);
}

static void find_memory(void)
{
    finding = true;
    find_malloc();
    find_calloc();
    find_realloc();
    find_free();
    finding = false;
}

void *malloc(size_t n)
{
    if (!next_malloc && finding)
        return early_alloc(n);
    if (!next_malloc)
        find_memory();
    COUNT(allocs);
    return next_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    if (!next_calloc && finding)
        return early_alloc(n * size); /* two small numbers of the loader's */
    if (!next_calloc)
        find_memory();
    COUNT(allocs);
    return next_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    if (!next_realloc)
        find_memory();
    COUNT(allocs);
    if (is_early(p)) {
        void *copy = next_malloc(n);
        if (copy)
            memcpy(copy, p, n < early_left(p) ? n : early_left(p));
        return copy;
    }
    return next_realloc(p, n);
}

void free(void *p)
{
    if (!p || is_early(p))
        return;
    if (!next_free)
        find_memory();
    next_free(p);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
    FIND(posix_memalign);
    COUNT(allocs);
    return next_posix_memalign(p, alignment, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    FIND(aligned_alloc);
    COUNT(allocs);
    return next_aligned_alloc(alignment, n);
}

/* ---- sockets ---- */

NEXT(int, socket, int, int, int)

int socket(int domain, int type, int protocol)
{
    FIND(socket);
    int fd = next_socket(domain, type, protocol);
    if (fd >= 0 && fd < MAX_FD)
        is_socket[fd] = (type & 0xf) == SOCK_STREAM && domain != AF_UNIX;
    return fd;
}

#define READER(result, name, params, args)                                                         \
    result name params                                                                             \
    {                                                                                              \
        FIND(name);                                                                                \
        count_read(fd);                                                                            \
        return next_##name args;                                                                   \
    }

#define WRITER(result, name, params, args)                                                         \
    result name params                                                                             \
    {                                                                                              \
        FIND(name);                                                                                \
        count_write(fd);                                                                           \
        return next_##name args;                                                                   \
    }

NEXT(ssize_t, read, int, void *, size_t)
NEXT(ssize_t, readv, int, const struct iovec *, int)
NEXT(ssize_t, recv, int, void *, size_t, int)
NEXT(ssize_t, recvmsg, int, struct msghdr *, int)
NEXT(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *)
NEXT(ssize_t, write, int, const void *, size_t)
NEXT(ssize_t, writev, int, const struct iovec *, int)
NEXT(ssize_t, send, int, const void *, size_t, int)
NEXT(ssize_t, sendmsg, int, const struct msghdr *, int)
NEXT(ssize_t, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t)

READER(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
READER(ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n))
READER(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
READER(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
READER(ssize_t, recvfrom,
       (int fd, void *p, size_t n, int flags, struct sockaddr *sa, socklen_t *size),
       (fd, p, n, flags, sa, size))
WRITER(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRITER(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WRITER(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
WRITER(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
WRITER(ssize_t, sendto,
       (int fd, const void *p, size_t n, int flags, const struct sockaddr *sa, socklen_t size),
       (fd, p, n, flags, sa, size))

/* ---- waiting ---- */

NEXT(int, epoll_wait, int, struct epoll_event *, int, int)
NEXT(int, epoll_pwait, int, struct epoll_event *, int, int, const sigset_t *)
NEXT(int, epoll_ctl, int, int, int, struct epoll_event *)
NEXT(int, poll, struct pollfd *, nfds_t, int)
NEXT(long, syscall, long, long, long, long, long, long, long)

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
    FIND(epoll_wait);
    COUNT(turns);
    return next_epoll_wait(fd, events, n, timeout);
}

int epoll_pwait(int fd, struct epoll_event *events, int n, int timeout, const sigset_t *mask)
{
    FIND(epoll_pwait);
    COUNT(turns);
    return next_epoll_pwait(fd, events, n, timeout, mask);
}

int epoll_ctl(int fd, int op, int target, struct epoll_event *event)
{
    FIND(epoll_ctl);
    COUNT(polls);
    return next_epoll_ctl(fd, op, target, event);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    FIND(poll);
    COUNT(turns);
    return next_poll(fds, n, timeout);
}

/* Six words are passed on whatever the call takes, as libc's own does. */
long syscall(long number, ...)
{
    long a[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    FIND(syscall);
    COUNT(others);
    return next_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

NEXT(int, pthread_mutex_lock, pthread_mutex_t *)
NEXT(int, pthread_mutex_trylock, pthread_mutex_t *)
NEXT(int, pthread_rwlock_rdlock, pthread_rwlock_t *)
NEXT(int, pthread_rwlock_wrlock, pthread_rwlock_t *)

#define LOCK(name, type)                                                                           \
    int name(type *lock)                                                                           \
    {                                                                                              \
        FIND(name);                                                                                \
        COUNT(locks);                                                                              \
        return next_##name(lock);                                                                  \
    }

LOCK(pthread_mutex_lock, pthread_mutex_t)
LOCK(pthread_mutex_trylock, pthread_mutex_t)
LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)

/*
 * glibc keeps two versions of the condition functions with different layouts, and a plain look-up
 * may find the old one; the versions are asked for by name where there are two.
 */
static void *find_condition(const char *name)
{
#if defined(__GLIBC__) && defined(__x86_64__)
    void *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    if (found)
        return found;
#endif
    return dlsym(RTLD_NEXT, name);
}

#define CONDITION(name, counter, params, args)                                                     \
    int name params                                                                                \
    {                                                                                              \
        static int(*volatile next) params;                                                         \
        if (!next) {                                                                               \
            void *found = find_condition(#name);                                                   \
            int(*fn) params;                                                                       \
            memcpy(&fn, &found, sizeof fn);                                                        \
            next = fn;                                                                             \
        }                                                                                          \
        COUNT(counter);                                                                            \
        return next args;                                                                          \
    }

CONDITION(pthread_cond_wait, sleeps, (pthread_cond_t * c, pthread_mutex_t *m), (c, m))
CONDITION(pthread_cond_timedwait, sleeps,
          (pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *t), (c, m, t))
CONDITION(pthread_cond_signal, wakes, (pthread_cond_t * c), (c))
CONDITION(pthread_cond_broadcast, wakes, (pthread_cond_t * c), (c))
CONDITION(sem_wait, sleeps, (sem_t * s), (s))
CONDITION(sem_post, wakes, (sem_t * s), (s))
