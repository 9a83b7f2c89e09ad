/* memo.c: a plain array: it holds about as many rows as there are jobs that run at the time. */
#include "jobs/memo.h"

#include "jobs/memory.h"

#include <string.h>

void cqljob_memo_free(cqljob_memo *m, const cql_allocator *al)
{
    cqljob_free(al, m->rows);
    memset(m, 0, sizeof *m);
}

cqljob_memo_row *cqljob_memo_find(const cqljob_memo *m, const char *id, int64_t due_at)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->rows[i].due_at == due_at && !strcmp(m->rows[i].id, id))
            return &m->rows[i];
    return NULL;
}

bool cqljob_memo_keep(cqljob_memo *m, const cql_allocator *al, const char *id, int32_t bucket,
                      int64_t due_at, int64_t check_ms)
{
    cqljob_memo_row *row = cqljob_memo_find(m, id, due_at);
    void *block = m->rows;
    size_t len = strlen(id);

    if (!row) {
        if (len >= CQLJOB_MEMO_ID || cqljob_grow(al, &block, &m->cap, m->count + 1,
                                                 CQLJOB_MEMO_MOST, sizeof m->rows[0]))
            return false;
        m->rows = block;
        row = &m->rows[m->count++];
        memset(row, 0, sizeof *row);
        memcpy(row->id, id, len + 1);
        row->due_at = due_at;
    }
    row->bucket = bucket;
    row->check_ms = check_ms;
    row->by_page = row->swept = false;
    return true;
}

void cqljob_memo_drop(cqljob_memo *m, cqljob_memo_row *row)
{
    *row = m->rows[--m->count];
}

void cqljob_memo_unseen(cqljob_memo *m, int32_t bucket, int64_t from, int64_t until, uint32_t first,
                        uint32_t last)
{
    for (size_t i = 0; i < m->count;) {
        cqljob_memo_row *row = &m->rows[i];

        if (row->bucket == bucket && row->due_at >= from && row->due_at <= until &&
            last - row->seen > last - first)
            cqljob_memo_drop(m, row);
        else
            i++;
    }
}

void cqljob_memo_passed(cqljob_memo *m, int32_t bucket, int64_t from)
{
    for (size_t i = 0; i < m->count;) {
        cqljob_memo_row *row = &m->rows[i];

        if (row->swept && row->bucket == bucket && row->due_at < from)
            cqljob_memo_drop(m, row);
        else
            i++;
    }
}

cqljob_memo_row *cqljob_memo_first(const cqljob_memo *m, const int64_t *from)
{
    cqljob_memo_row *first = NULL;

    for (size_t i = 0; i < m->count; i++) {
        cqljob_memo_row *row = &m->rows[i];

        if (row->by_page && row->due_at >= from[row->bucket])
            continue;
        if (!first || row->check_ms < first->check_ms)
            first = row;
    }
    return first;
}

int64_t cqljob_memo_oldest(const cqljob_memo *m, int32_t bucket)
{
    int64_t oldest = INT64_MAX;

    for (size_t i = 0; i < m->count; i++)
        if (m->rows[i].bucket == bucket && m->rows[i].due_at < oldest)
            oldest = m->rows[i].due_at;
    return oldest;
}
