/* wheel.h: a hashed timing wheel: a deadline is set and taken back at the cost of a list operation. */
#ifndef CQLN_BASE_WHEEL_H
#define CQLN_BASE_WHEEL_H

#include "base/list.h"

#include <stddef.h>
#include <stdint.h>

enum { CQLN_WHEEL_SLOTS = 512, CQLN_WHEEL_TICK_MS = 8 };

typedef struct cqln_wheel_item {
    cqln_list link;
    uint64_t deadline; /* milliseconds; 0: not in the wheel */
} cqln_wheel_item;

typedef struct cqln_wheel {
    cqln_list slots[CQLN_WHEEL_SLOTS];
    uint64_t used[CQLN_WHEEL_SLOTS / 64]; /* one bit a slot that is not empty */
    uint64_t ticked;                      /* the first tick that has not passed in full */
    cqln_list expired;                    /* due, not handed out yet */
    size_t count;
} cqln_wheel;

/* The wheel must not be moved or copied afterwards. `now` never goes back from call to call. */
void cqln_wheel_init(cqln_wheel *w, uint64_t now);
void cqln_wheel_item_init(cqln_wheel_item *item);

static inline uint64_t cqln_wheel_tick(uint64_t time)
{
    return time / CQLN_WHEEL_TICK_MS;
}

static inline size_t cqln_wheel_slot(uint64_t tick)
{
    return (size_t)(tick % CQLN_WHEEL_SLOTS);
}

/* Adds an item that is not in the wheel; deadline > 0, and may have passed already. */
void cqln_wheel_add(cqln_wheel *w, cqln_wheel_item *item, uint64_t deadline);
/* Takes it out; harmless when it is not in. */
void cqln_wheel_remove(cqln_wheel *w, cqln_wheel_item *item);
/* Takes out one item whose deadline is <= now; NULL when there is none. Call until NULL. */
cqln_wheel_item *cqln_wheel_due(cqln_wheel *w, uint64_t now);
/* A time at which to look again: the end of the tick of the earliest deadline, so that nobody who has nothing to do is
 * woken; later than the last `now` unless something is due. UINT64_MAX when empty. */
uint64_t cqln_wheel_next(const cqln_wheel *w);

#endif
