/* mpsc.h: a lock-free queue with many producers and one consumer (intrusive). */
#ifndef CQLN_BASE_MPSC_H
#define CQLN_BASE_MPSC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct cqln_mpsc_node {
    struct cqln_mpsc_node *next;
} cqln_mpsc_node;

/* Producers push onto a stack with one compare-and-swap; the consumer takes all of it with one
 * exchange and turns it round, so that items come in the order in which they were pushed. */
typedef struct cqln_mpsc {
    _Atomic(cqln_mpsc_node *) head;
} cqln_mpsc;

void cqln_mpsc_init(cqln_mpsc *q);
/* True when the queue was empty before: the consumer has to be woken. [any thread] */
bool cqln_mpsc_push(cqln_mpsc *q, cqln_mpsc_node *node);
/* All items, oldest first, linked by `next`; NULL when there are none. Consumer only. */
cqln_mpsc_node *cqln_mpsc_take(cqln_mpsc *q);

#endif
