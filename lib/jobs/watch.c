/* watch.c: a small table with a few places for each key. */
#include "jobs/watch.h"

enum { PLACES = 8 };

static uint64_t mix(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * UINT64_C(1099511628211);
}

static uint64_t key_of(cql_str id, int64_t mark)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < id.len; i++)
        hash = mix(hash, (unsigned char)id.ptr[i]);
    for (int shift = 0; shift < 64; shift += 8)
        hash = mix(hash, (unsigned char)((uint64_t)mark >> shift));
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

int64_t cqljob_watch_see(cqljob_watch *watch, cql_str id, int64_t mark, int64_t steady_ms)
{
    uint64_t key = key_of(id, mark);
    size_t start = (size_t)(key % (CQLJOB_WATCH_SIZE / PLACES)) * PLACES;
    size_t oldest = start;

    for (size_t i = start; i < start + PLACES; i++) {
        if (watch->seen[i].key == key) {
            watch->seen[i].last_ms = steady_ms;
            return steady_ms - watch->seen[i].first_ms;
        }
        if (!watch->seen[i].key) {
            if (watch->seen[oldest].key)
                oldest = i;
        } else if (watch->seen[oldest].key &&
                   watch->seen[i].last_ms < watch->seen[oldest].last_ms) {
            oldest = i;
        }
    }
    watch->seen[oldest].key = key;
    watch->seen[oldest].first_ms = watch->seen[oldest].last_ms = steady_ms;
    return 0;
}
