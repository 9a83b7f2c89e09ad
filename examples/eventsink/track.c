/* Which records are done, without a gap. */
#include "eventsink/sink.h"

void tracker_init(tracker *t, sink *s, int32_t partition, int64_t next, int64_t bytes)
{
    t->s = s;
    t->partition = partition;
    t->next = next;
    t->bytes = bytes;
    t->saved = next;
    t->first = t->count = 0;
}

track_slot *tracker_add(tracker *t, int64_t next, int64_t bytes)
{
    if (t->count == SINK_WINDOW)
        return NULL;
    track_slot *slot = &t->slots[(t->first + t->count++) % SINK_WINDOW];
    *slot = (track_slot){t, next, bytes, false};
    return slot;
}

void track_done(track_slot *slot)
{
    tracker *t = slot->t;
    slot->done = true;
    while (t->count && t->slots[t->first].done) {
        t->next = t->slots[t->first].next;
        t->bytes = t->slots[t->first].bytes;
        t->first = (t->first + 1) % SINK_WINDOW;
        t->count--;
    }
}
