/* loop.h: what one session keeps per loop: deadlines, links with output, deferred calls, the mailbox. */
#ifndef CQLN_NET_LOOP_H
#define CQLN_NET_LOOP_H

#include "base/list.h"
#include "base/log.h"
#include "base/mpsc.h"
#include "base/wheel.h"
#include "net/filter.h"
#include "net/io.h"

/* A point in time with a function; embedded in what waits. */
typedef struct cqln_deadline cqln_deadline;
struct cqln_deadline {
    cqln_wheel_item item;
    void (*fn)(cqln_deadline *d);
};

/* Something to be called in the next turn of the loop, never from where it was asked for. */
typedef struct cqln_deferred cqln_deferred;
struct cqln_deferred {
    cqln_list link;
    void (*fn)(cqln_deferred *d);
};

/* Something that another thread asks the loop's thread to do; embedded in what it is about. */
typedef struct cqln_mail cqln_mail;
struct cqln_mail {
    cqln_mpsc_node node;
    void (*fn)(cqln_mail *m);
};

typedef struct cqln_loop cqln_loop;
struct cqln_loop {
    cqln_io *io;
    const cql_allocator *al;
    const cqln_log *log;
    uint64_t us;        /* cqln_loop_us read it in this turn; 0: not yet */
    uint64_t ms;        /* cqln_loop_now as of then */
    uint64_t armed;     /* when the io's timer comes; UINT64_MAX: not armed */
    cqln_list dirty;    /* links with bytes to write */
    cqln_list deferred;
    cqln_mpsc mailbox;
    uint64_t late; /* answers that came after their request had been given up */
    void (*ended)(void *user);
    void *user;
    /* Makes the filter of a connection to this address (*out NULL: none is wanted). why:
     * CQLN_FILTER_REASON bytes for what failed. NULL: no connection has a filter. */
    cql_status (*filter)(void *filter_user, const cqln_address *to, cqln_filter **out,
                         char *why);
    void *filter_user;
    /* Where a connection to this address really goes. NULL: to itself. */
    cql_status (*dial)(void *dial_user, const cqln_address *to, cqln_address *real, char *why);
    /* Whether somebody was there; set with dial. */
    void (*dialled)(void *dial_user, const cqln_address *real, bool there);
    void *dial_user;
    cqln_wheel wheel; /* large, so last */
};

/* io is the caller's; ended comes when the io let go of everything. */
void cqln_loop_init(cqln_loop *loop, cqln_io *io, const cql_allocator *al, const cqln_log *log,
                    void (*ended)(void *user), void *user);

static inline uint64_t cqln_loop_now(cqln_loop *loop)
{
    return loop->io->ops->now(loop->io);
}

/* Microseconds, monotonic; read once in a turn, and at each call from outside the turns. */
uint64_t cqln_loop_read_us(cqln_loop *loop);
static inline uint64_t cqln_loop_us(cqln_loop *loop)
{
    return loop->us && loop->io->inside ? loop->us : cqln_loop_read_us(loop);
}

/* The same in a handler of the loop's, where `us` is always of this turn. */
static inline uint64_t cqln_loop_turn_us(cqln_loop *loop)
{
    return loop->us ? loop->us : cqln_loop_read_us(loop);
}

void cqln_deadline_init(cqln_deadline *d, void (*fn)(cqln_deadline *d));
/* at: milliseconds; replaces an earlier setting. */
void cqln_deadline_set(cqln_loop *loop, cqln_deadline *d, uint64_t at);
void cqln_deadline_clear(cqln_loop *loop, cqln_deadline *d);

void cqln_deferred_init(cqln_deferred *d, void (*fn)(cqln_deferred *d));
/* Asking twice calls once. */
void cqln_loop_defer(cqln_loop *loop, cqln_deferred *d);

/* m->fn(m) runs on the loop's thread, in a later turn, in the order of the calls. [any thread] */
void cqln_loop_post(cqln_loop *loop, cqln_mail *m);
/* Is there something to do without waiting? */
bool cqln_loop_busy(const cqln_loop *loop);

#endif
