/* The queue of many producers. No node is looked into before it is taken, and all are taken at once, so
 * a node that comes back with the same address does no harm. */
#include "base/mpsc.h"

void cqln_mpsc_init(cqln_mpsc *q)
{
    atomic_init(&q->head, NULL);
}

bool cqln_mpsc_push(cqln_mpsc *q, cqln_mpsc_node *node)
{
    cqln_mpsc_node *old = atomic_load_explicit(&q->head, memory_order_relaxed);
    do {
        node->next = old;
    } while (!atomic_compare_exchange_weak_explicit(&q->head, &old, node, memory_order_release,
                                                    memory_order_relaxed));
    return old == NULL;
}

cqln_mpsc_node *cqln_mpsc_take(cqln_mpsc *q)
{
    if (!atomic_load_explicit(&q->head, memory_order_relaxed))
        return NULL;
    cqln_mpsc_node *newest = atomic_exchange_explicit(&q->head, NULL, memory_order_acquire);
    cqln_mpsc_node *oldest = NULL;
    while (newest) {
        cqln_mpsc_node *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}
