/* Turns of the loop: mail comes in, deferred calls run, time passes, dirty links are flushed. */
#include "net/loop.h"

#include "net/link.h"

static void arm(cqln_loop *loop)
{
    uint64_t next = cqln_wheel_next(&loop->wheel);
    if (next == loop->armed)
        return;
    loop->armed = next;
    loop->io->ops->timer_at(loop->io, next);
}

static void on_timer(void *user)
{
    cqln_loop *loop = user;
    uint64_t now = cqln_loop_now(loop);
    cqln_wheel_item *item;
    loop->armed = UINT64_MAX;
    while ((item = cqln_wheel_due(&loop->wheel, now)) != NULL) {
        cqln_deadline *d = CQLN_CONTAINER(item, cqln_deadline, item);
        d->fn(d);
    }
    arm(loop);
}

static void run_deferred(cqln_loop *loop)
{
    cqln_list now; /* what is deferred meanwhile waits for the next turn */
    cqln_list_init(&now);
    cqln_list_move(&now, &loop->deferred);
    cqln_list *node;
    while ((node = cqln_list_pop(&now)) != NULL) {
        cqln_deferred *d = CQLN_CONTAINER(node, cqln_deferred, link);
        d->fn(d);
    }
}

static void on_woken(void *user)
{
    cqln_loop *loop = user;
    cqln_mpsc_node *node = cqln_mpsc_take(&loop->mailbox);
    while (node) {
        cqln_mpsc_node *next = node->next;
        cqln_mail *m = CQLN_CONTAINER(node, cqln_mail, node);
        m->fn(m);
        node = next;
    }
    run_deferred(loop);
}

static void on_turn(void *user)
{
    cqln_loop *loop = user;
    cqln_list *node;
    while ((node = cqln_list_pop(&loop->dirty)) != NULL)
        cqln_link_flush(CQLN_CONTAINER(node, cqln_link, dirty));
    loop->us = 0;
}

static void on_ended(void *user)
{
    cqln_loop *loop = user;
    loop->ended(loop->user);
}

void cqln_loop_init(cqln_loop *loop, cqln_io *io, const cql_allocator *al, const cqln_log *log,
                    void (*ended)(void *user), void *user)
{
    static const cqln_io_events events = {on_turn, on_woken, on_timer, on_ended};
    loop->io = io;
    loop->al = al;
    loop->log = log;
    loop->us = 0;
    loop->armed = UINT64_MAX;
    loop->late = 0;
    loop->ended = ended;
    loop->user = user;
    loop->filter = NULL;
    loop->filter_user = NULL;
    cqln_wheel_init(&loop->wheel, io->ops->now(io));
    cqln_list_init(&loop->dirty);
    cqln_list_init(&loop->deferred);
    cqln_mpsc_init(&loop->mailbox);
    io->events = &events;
    io->user = loop;
}

uint64_t cqln_loop_read_us(cqln_loop *loop)
{
    loop->us = loop->io->ops->now_us(loop->io);
    loop->ms = cqln_loop_now(loop);
    return loop->us;
}

/* Apart, as the next one: written out with long offsets they are larger than the calls. */
__attribute__((noinline)) void cqln_deadline_init(cqln_deadline *d, void (*fn)(cqln_deadline *d))
{
    cqln_wheel_item_init(&d->item);
    d->fn = fn;
}

void cqln_deadline_set(cqln_loop *loop, cqln_deadline *d, uint64_t at)
{
    cqln_wheel_remove(&loop->wheel, &d->item);
    cqln_wheel_add(&loop->wheel, &d->item, at ? at : 1);
    if (at < loop->armed) {
        loop->armed = at;
        loop->io->ops->timer_at(loop->io, at);
    }
}

void cqln_deadline_clear(cqln_loop *loop, cqln_deadline *d)
{
    cqln_wheel_remove(&loop->wheel, &d->item);
}

__attribute__((noinline)) void cqln_deferred_init(cqln_deferred *d, void (*fn)(cqln_deferred *d))
{
    cqln_list_init(&d->link);
    d->fn = fn;
}

void cqln_loop_defer(cqln_loop *loop, cqln_deferred *d)
{
    if (!cqln_list_empty(&d->link))
        return;
    bool first = cqln_list_empty(&loop->deferred);
    cqln_list_push(&loop->deferred, &d->link);
    if (first)
        loop->io->ops->wake(loop->io);
}

void cqln_loop_post(cqln_loop *loop, cqln_mail *m)
{
    if (cqln_mpsc_push(&loop->mailbox, &m->node))
        loop->io->ops->wake(loop->io);
}

bool cqln_loop_busy(const cqln_loop *loop)
{
    return !cqln_list_empty(&loop->dirty) || !cqln_list_empty(&loop->deferred);
}
