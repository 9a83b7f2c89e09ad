/* watch.c: a small table with a few places for each key. */
#include "jobs/watch.h"

#include "jobs/rules.h"

enum { PLACES = 8 };

static uint64_t key_of(cql_str id, int64_t mark)
{
    char bytes[8];
    uint64_t hash;

    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)mark >> (8 * i));
    hash = cqljob_hash(cqljob_hash(CQLJOB_HASH, id), (cql_str){bytes, sizeof bytes});
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
