/* The in-flight table: set-up, orphans, and handing out what is left. */
#include "conn/streams.h"

cql_status cqln_streams_init(cqln_streams *s, const cql_allocator *al, uint32_t max)
{
    *s = (cqln_streams){0};
    if (max < 1)
        max = 1;
    if (max > CQLN_STREAMS_MAX)
        max = CQLN_STREAMS_MAX;
    s->owners = cqln_alloc_array(al, (size_t)max + 1, sizeof *s->owners);
    s->link = cqln_alloc_array(al, (size_t)max + 1, sizeof *s->link);
    if (!s->owners || !s->link) {
        cqln_streams_fini(s, al);
        return CQL_NO_MEMORY;
    }
    s->max = (uint16_t)max;
    return CQL_OK;
}

void cqln_streams_fini(cqln_streams *s, const cql_allocator *al)
{
    cqln_free(al, s->owners);
    cqln_free(al, s->link);
    *s = (cqln_streams){0};
}

void *cqln_streams_owner(const cqln_streams *s, int16_t id)
{
    bool taken = id > 0 && id <= s->fresh && s->link[id] == CQLN_STREAM_TAKEN;
    return taken ? s->owners[id] : NULL;
}

bool cqln_streams_orphan(cqln_streams *s, int16_t id)
{
    if (id <= 0 || (uint16_t)id > s->fresh || s->link[id] != CQLN_STREAM_TAKEN)
        return false;
    s->link[id] = CQLN_STREAM_ORPHAN;
    s->owners[id] = NULL;
    s->orphans++;
    return true;
}

void *cqln_streams_drain(cqln_streams *s)
{
    /* From the top down; what was looked at is cut off, so the whole walk is linear. */
    while (s->fresh > 0) {
        uint16_t id = s->fresh--;
        if (s->link[id] < CQLN_STREAM_ORPHAN)
            continue;
        s->in_flight--;
        if (s->link[id] == CQLN_STREAM_ORPHAN) {
            s->orphans--;
            continue;
        }
        return s->owners[id];
    }
    s->top = 0;
    return NULL;
}
