/* memo.h: rows of scheduled_jobs that a worker has seen and need not look at yet: their jobs run
 * elsewhere, or nobody here can run them. It looks at such a job again at `check_ms`, and its
 * sweeps can begin behind rows that are old and known. */
#ifndef CQLJOB_MEMO_H
#define CQLJOB_MEMO_H

#include <cqlnative/base.h>

enum { CQLJOB_MEMO_MOST = 16384, CQLJOB_MEMO_ID = 40 };

typedef struct cqljob_memo_row {
    char id[CQLJOB_MEMO_ID];
    int32_t bucket;
    int64_t due_at;
    int64_t check_ms; /* steady time */
    uint32_t seen;    /* the newest page that had it */
    bool by_page;     /* only if a page that is read after check_ms has it */
    bool swept;       /* and it was removed: sweeps may begin behind it, and then it is dropped */
} cqljob_memo_row;

typedef struct cqljob_memo {
    cqljob_memo_row *rows;
    size_t count, cap;
} cqljob_memo;

void cqljob_memo_free(cqljob_memo *m, const cql_allocator *al);
/* Enters a row or changes it. False: no room, no memory or too long an id. */
bool cqljob_memo_keep(cqljob_memo *m, const cql_allocator *al, const char *id, int32_t bucket,
                      int64_t due_at, int64_t check_ms);
static inline bool cqljob_memo_is_full(const cqljob_memo *m)
{
    return m->count >= CQLJOB_MEMO_MOST;
}
/* NULL: not known. Good until the next call that changes the memo. */
cqljob_memo_row *cqljob_memo_find(const cqljob_memo *m, const char *id, int64_t due_at);
void cqljob_memo_drop(cqljob_memo *m, cqljob_memo_row *row);
/* Drops what a walk over the bucket should have met and has not, on its pages number first to last. */
void cqljob_memo_unseen(cqljob_memo *m, int32_t bucket, int64_t from, int64_t until, uint32_t first,
                        uint32_t last);
/* Drops what was swept and is due before `from`, so that no page will tell whether it is gone. */
void cqljob_memo_passed(cqljob_memo *m, int32_t bucket, int64_t from);
/* The row to look at first, leaving out those that wait for a page; NULL: none. from: for each bucket
 * where its pages begin; what is before that is on none. */
cqljob_memo_row *cqljob_memo_first(const cqljob_memo *m, const int64_t *from);
/* The earliest due_at of a bucket; INT64_MAX: none. */
int64_t cqljob_memo_oldest(const cqljob_memo *m, int32_t bucket);

#endif
