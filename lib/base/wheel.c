/* The timing wheel. An item sits in the slot of its deadline's tick, whatever the round, so the slots
 * that are passed may hold items of later rounds, which stay. `used` mirrors which slots hold any. */
#include "base/wheel.h"

#include <assert.h>

static void mark(cqln_wheel *w, size_t slot)
{
    uint64_t bit = UINT64_C(1) << (slot % 64);
    if (cqln_list_empty(&w->slots[slot]))
        w->used[slot / 64] &= ~bit;
    else
        w->used[slot / 64] |= bit;
}

void cqln_wheel_init(cqln_wheel *w, uint64_t now)
{
    for (size_t i = 0; i < CQLN_WHEEL_SLOTS; i++)
        cqln_list_init(&w->slots[i]);
    for (size_t i = 0; i < CQLN_WHEEL_SLOTS / 64; i++)
        w->used[i] = 0;
    w->ticked = cqln_wheel_tick(now + 1);
    cqln_list_init(&w->expired);
    w->count = 0;
}

void cqln_wheel_item_init(cqln_wheel_item *item)
{
    cqln_list_init(&item->link);
    item->deadline = 0;
}

void cqln_wheel_add(cqln_wheel *w, cqln_wheel_item *item, uint64_t deadline)
{
    assert(item->deadline == 0 && deadline > 0);
    item->deadline = deadline;
    w->count++;
    uint64_t tick = cqln_wheel_tick(deadline);
    if (tick < w->ticked) {
        cqln_list_push(&w->expired, &item->link);
        return;
    }
    size_t slot = cqln_wheel_slot(tick);
    cqln_list_push(&w->slots[slot], &item->link);
    w->used[slot / 64] |= UINT64_C(1) << (slot % 64);
}

/* An item that had expired was in no slot; looking at its slot again does no harm. */
void cqln_wheel_remove(cqln_wheel *w, cqln_wheel_item *item)
{
    if (item->deadline == 0)
        return;
    cqln_list_remove(&item->link);
    size_t slot = cqln_wheel_slot(cqln_wheel_tick(item->deadline));
    if (cqln_list_empty(&w->slots[slot]))
        w->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    item->deadline = 0;
    w->count--;
}

static void sweep_slot(cqln_wheel *w, size_t slot, uint64_t now)
{
    if (!(w->used[slot / 64] >> (slot % 64) & 1))
        return;
    cqln_list *head = &w->slots[slot];
    for (cqln_list *at = head->next, *next; at != head; at = next) {
        next = at->next;
        if (CQLN_CONTAINER(at, cqln_wheel_item, link)->deadline > now)
            continue;
        cqln_list_remove(at);
        cqln_list_push(&w->expired, at);
    }
    mark(w, slot);
}

/* Ends with `ticked` at the first tick that has not passed in full: part of it may be due later. */
static void sweep(cqln_wheel *w, uint64_t now)
{
    uint64_t last = cqln_wheel_tick(now);
    uint64_t tick = w->ticked;
    if (last < tick)
        return;
    if (last - tick >= CQLN_WHEEL_SLOTS)
        tick = last - CQLN_WHEEL_SLOTS + 1;
    for (; w->count > 0 && tick <= last; tick++)
        sweep_slot(w, cqln_wheel_slot(tick), now);
    w->ticked = cqln_wheel_tick(now + 1);
}

cqln_wheel_item *cqln_wheel_due(cqln_wheel *w, uint64_t now)
{
    if (cqln_list_empty(&w->expired))
        sweep(w, now);
    cqln_list *link = cqln_list_pop(&w->expired);
    if (!link)
        return NULL;
    cqln_wheel_item *item = CQLN_CONTAINER(link, cqln_wheel_item, link);
    item->deadline = 0;
    w->count--;
    return item;
}

/* The earliest deadline in a slot that holds any. */
static uint64_t earliest_in(const cqln_wheel *w, size_t slot)
{
    const cqln_list *head = &w->slots[slot];
    uint64_t best = UINT64_MAX;
    for (cqln_list *at = head->next; at != head; at = at->next) {
        uint64_t deadline = CQLN_CONTAINER(at, cqln_wheel_item, link)->deadline;
        best = deadline < best ? deadline : best;
    }
    return best;
}

/* Slots are passed in the order of their ticks, so the first deadline of this round is the earliest; those of later
 * rounds count where there is none. */
static uint64_t earliest(const cqln_wheel *w)
{
    enum { WORDS = CQLN_WHEEL_SLOTS / 64 };
    size_t start = cqln_wheel_slot(w->ticked);
    uint64_t behind = ~UINT64_C(0) << (start % 64), best = UINT64_MAX;
    for (size_t i = 0; i <= WORDS; i++) {
        size_t word = (start / 64 + i) % WORDS;
        uint64_t bits = w->used[word] & (i == 0 ? behind : i == WORDS ? ~behind : ~UINT64_C(0));
        for (; bits; bits &= bits - 1) {
            uint64_t at = earliest_in(w, word * 64 + (size_t)__builtin_ctzll(bits));
            if (cqln_wheel_tick(at) - w->ticked < CQLN_WHEEL_SLOTS)
                return at;
            best = at < best ? at : best;
        }
    }
    return best;
}

/* The end of the tick, so that one look serves all of it. */
uint64_t cqln_wheel_next(const cqln_wheel *w)
{
    if (w->count == 0)
        return UINT64_MAX;
    if (!cqln_list_empty(&w->expired))
        return 1;
    return cqln_wheel_tick(earliest(w)) * CQLN_WHEEL_TICK_MS + CQLN_WHEEL_TICK_MS - 1;
}
