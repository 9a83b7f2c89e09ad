/* watch.h: how long a worker has been seeing a thing unchanged, by its own steady clock. It ends
 * the leases of jobs whose worker's clock was ahead, and the grace of index rows without a job. A
 * fixed table: what has not been looked at for longest makes room, which can only prolong waits. */
#ifndef CQLJOB_WATCH_H
#define CQLJOB_WATCH_H

#include <cqlnative/base.h>

enum { CQLJOB_WATCH_SIZE = 1024 };

typedef struct cqljob_watch {
    struct {
        uint64_t key; /* 0: free */
        int64_t first_ms;
        int64_t last_ms;
    } seen[CQLJOB_WATCH_SIZE];
} cqljob_watch;

/* Notes that `id` was seen with this mark (a token, a time) and tells for how many milliseconds
 * already. Another mark is another thing; marks never return to what they were, so what is the same
 * twice was the same in between. */
int64_t cqljob_watch_see(cqljob_watch *watch, cql_str id, int64_t mark, int64_t steady_ms);

#endif
