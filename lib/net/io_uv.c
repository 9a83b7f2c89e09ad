/* libuv under the io seam: handles of the loop itself. Streams are in stream_uv.c. */
#include "net/uv_parts.h"

#include "net/io_uv.h"

#include <pthread.h>
#include <time.h>

static uint64_t io_now(cqln_io *base)
{
    uv_parts *io = (uv_parts *)base;
    if (!io->base.inside) /* called from outside the loop's turns: its clock is as old as the last turn */
        uv_update_time(io->loop);
    return uv_now(io->loop);
}

static uint64_t io_now_us(cqln_io *base)
{
    (void)base;
    return uv_hrtime() / 1000;
}

static int64_t io_wall_us(cqln_io *base)
{
    struct timespec ts;
    (void)base;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static uint64_t io_random(cqln_io *base)
{
    uint64_t seed = 0;
    (void)base;
    if (uv_random(NULL, NULL, &seed, sizeof seed, 0, NULL) != 0)
        seed = uv_hrtime();
    return seed;
}

static bool io_on_loop(cqln_io *base)
{
    uv_parts *io = (uv_parts *)base;
    return pthread_equal(io->thread, pthread_self()) != 0;
}

static void io_wake(cqln_io *base)
{
    uv_async_send(&((uv_parts *)base)->async);
}

static void on_async(uv_async_t *handle)
{
    uv_parts *io = handle->data;
    io->base.inside++;
    io->base.events->woken(io->base.user);
    io->base.inside--;
}

static void on_prepare(uv_prepare_t *handle)
{
    uv_parts *io = handle->data;
    io->base.inside++;
    io->base.events->turn(io->base.user);
    io->base.inside--;
}

static void on_timer(uv_timer_t *handle)
{
    uv_parts *io = handle->data;
    io->base.inside++;
    io->base.events->timer(io->base.user);
    io->base.inside--;
}

static void on_limit(uv_timer_t *handle)
{
    (void)handle; /* its only work was to end the wait */
}

static void io_timer_at(cqln_io *base, uint64_t at)
{
    uv_parts *io = (uv_parts *)base;
    if (at == UINT64_MAX) {
        uv_timer_stop(&io->timer);
        return;
    }
    uint64_t now = io_now(base);
    uv_timer_start(&io->timer, on_timer, at > now ? at - now : 0, 0);
}

static void on_handle_closed(uv_handle_t *handle)
{
    uv_parts *io = handle->data;
    if (--io->open_handles == 0)
        io->base.events->ended(io->base.user);
}

void cqln_uv_close(uv_parts *io, uv_handle_t *handle)
{
    handle->data = io;
    uv_close(handle, on_handle_closed);
}

static void io_end(cqln_io *base)
{
    uv_parts *io = (uv_parts *)base;
    cqln_uv_close(io, (uv_handle_t *)&io->async);
    cqln_uv_close(io, (uv_handle_t *)&io->prepare);
    cqln_uv_close(io, (uv_handle_t *)&io->timer);
    if (io->own)
        cqln_uv_close(io, (uv_handle_t *)&io->limit);
}

cql_status cqln_io_uv_start(cqln_io *base)
{
    uv_parts *io = (uv_parts *)base;
    if (uv_async_init(io->loop, &io->async, on_async) != 0)
        return CQL_SYSTEM;
    uv_prepare_init(io->loop, &io->prepare);
    uv_timer_init(io->loop, &io->timer);
    io->open_handles = 3;
    if (io->own) {
        uv_timer_init(io->loop, &io->limit);
        io->open_handles++;
        io->limit.data = io;
    }
    io->async.data = io;
    io->prepare.data = io;
    io->timer.data = io;
    uv_prepare_start(&io->prepare, on_prepare);
    uv_unref((uv_handle_t *)&io->prepare);
    uv_unref((uv_handle_t *)&io->timer);
    return CQL_OK;
}

cql_status cqln_io_uv_new(const cql_allocator *al, void *uv_loop, cqln_io **out)
{
    static const cqln_io_ops ops = {io_now,     io_wall_us,      io_random,       io_on_loop,
                                    io_wake,    io_timer_at,     cqln_uv_connect, cqln_uv_write,
                                    cqln_uv_shut, cqln_uv_resolve, cqln_uv_forget,  io_end,
                                    io_now_us};
    uv_parts *io = cqln_alloc_zero(al, sizeof *io);
    if (!io)
        return CQL_NO_MEMORY;
    io->base.ops = &ops;
    io->al = al;
    io->own = uv_loop == NULL;
    io->loop = uv_loop ? uv_loop : &io->own_loop;
    io->thread = pthread_self();
    if (io->own && uv_loop_init(&io->own_loop) != 0) {
        cqln_free(al, io);
        return CQL_SYSTEM;
    }
    *out = &io->base;
    return CQL_OK;
}

void cqln_io_uv_from(cqln_io *base, const cqln_address *from)
{
    ((uv_parts *)base)->from = *from;
}

void cqln_io_uv_free(cqln_io *base)
{
    uv_parts *io = (uv_parts *)base;
    if (!io)
        return;
    if (io->own) {
        while (uv_loop_close(&io->own_loop) == UV_EBUSY)
            uv_run(&io->own_loop, UV_RUN_ONCE); /* lookups that could not be cancelled */
    }
    cqln_free(io->al, io);
}

void cqln_io_uv_adopt(cqln_io *base)
{
    ((uv_parts *)base)->thread = pthread_self();
}

bool cqln_io_uv_turn(cqln_io *base, int timeout_ms)
{
    uv_parts *io = (uv_parts *)base;
    if (timeout_ms > 0) {
        uv_update_time(io->loop);
        uv_timer_start(&io->limit, on_limit, (uint64_t)timeout_ms, 0);
    }
    bool more = uv_run(io->loop, timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE) != 0;
    if (timeout_ms > 0)
        uv_timer_stop(&io->limit);
    io->base.inside++; /* what the handlers of this turn queued must not wait for the next call */
    io->base.events->turn(io->base.user);
    io->base.inside--;
    return more;
}

void cqln_io_uv_run(cqln_io *base)
{
    uv_run(((uv_parts *)base)->loop, UV_RUN_DEFAULT);
}

int cqln_io_uv_fd(cqln_io *base)
{
    return uv_backend_fd(((uv_parts *)base)->loop);
}

int cqln_io_uv_timeout(cqln_io *base)
{
    return uv_backend_timeout(((uv_parts *)base)->loop);
}
