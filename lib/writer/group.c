/* group.c: groups of rows, found by partition key. */
#include "writer/core.h"

#include <string.h>

/* --- queues ---------------------------------------------------------------------------------------- */

void cqlwr_push(cqlwr_queue *q, cqlwr_group *g)
{
    g->next = NULL;
    g->prev = q->last;
    if (q->last)
        q->last->next = g;
    else
        q->first = g;
    q->last = g;
}

void cqlwr_push_first(cqlwr_queue *q, cqlwr_group *g)
{
    g->prev = NULL;
    g->next = q->first;
    if (q->first)
        q->first->prev = g;
    else
        q->last = g;
    q->first = g;
}

void cqlwr_remove(cqlwr_queue *q, cqlwr_group *g)
{
    if (g->prev)
        g->prev->next = g->next;
    else
        q->first = g->next;
    if (g->next)
        g->next->prev = g->prev;
    else
        q->last = g->prev;
    g->next = g->prev = NULL;
}

cqlwr_group *cqlwr_pop(cqlwr_queue *q)
{
    cqlwr_group *g = q->first;
    if (g)
        cqlwr_remove(q, g);
    return g;
}

/* --- groups ---------------------------------------------------------------------------------------- */

void cqlwr_group_free(cqlwr_group *g)
{
    const cql_allocator *al = g->w->seat.port.al;
    cql_error_unref(g->err);
    cql_batch_free(g->batch);
    cqlseat_free(al, g->acks);
    cqlseat_free(al, g);
}

static cqlwr_group *make(cql_writer *w)
{
    cqlwr_group *g = cqlwr_pop(&w->spare);
    if (g) {
        w->spare_count--;
        return g;
    }
    g = cqlseat_zalloc(w->seat.port.al, sizeof *g);
    if (!g)
        return NULL;
    g->w = w;
    if (cql_batch_new(CQL_BATCH_UNLOGGED, w->seat.port.al, &g->batch)) {
        cqlseat_free(w->seat.port.al, g);
        return NULL;
    }
    cql_batch_set_idempotent(g->batch, !w->o.not_idempotent);
    if (w->o.consistency)
        cql_batch_set_consistency(g->batch, (cql_consistency)w->o.consistency);
    cql_batch_set_timeout(g->batch, w->o.timeout_ms);
    return g;
}

static uint64_t hash_of(const uint8_t *key, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ key[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

/* Tables of one keyspace with one key are one mutation to the server: which table does not matter. */
static cqlwr_group *find(cql_writer *w, const uint8_t *key, size_t len, uint64_t hash)
{
    for (cqlwr_group *g = w->table[hash % CQLWR_BUCKETS]; g; g = g->same_hash)
        if (g->hash == hash && g->key_len == len && memcmp(g->key, key, len) == 0)
            return g;
    return NULL;
}

static cqlwr_group *open_group(cql_writer *w)
{
    cqlwr_group *g = make(w);
    if (!g)
        return NULL;
    g->opened = w->seat.port.now_ms(w->seat.port.self);
    g->seq = ++w->seq;
    w->live++;
    cqlwr_push(&w->open, g);
    return g;
}

cqlwr_group *cqlwr_group_for(cql_writer *w, const cql_statement *row)
{
    uint8_t key[CQLWR_KEY_MAX];
    size_t len = 0;
    if (w->o.grouping == CQL_WRITER_BY_ROW || w->o.group_rows == 1 ||
        cql_statement_partition_key(row, key, sizeof key, &len) != CQL_OK)
        return open_group(w);
    uint64_t hash = hash_of(key, len);
    cqlwr_group *g = find(w, key, len, hash);
    if (g)
        return g;
    g = open_group(w);
    if (!g)
        return NULL;
    g->keyed = true;
    g->hash = hash;
    g->key_len = len;
    memcpy(g->key, key, len);
    g->same_hash = w->table[hash % CQLWR_BUCKETS];
    w->table[hash % CQLWR_BUCKETS] = g;
    return g;
}

static void leave_table(cqlwr_group *g)
{
    cqlwr_group **at = &g->w->table[g->hash % CQLWR_BUCKETS];
    while (*at != g)
        at = &(*at)->same_hash;
    *at = g->same_hash;
    g->same_hash = NULL;
    g->keyed = false;
}

cql_status cqlwr_group_add(cqlwr_group *g, const cql_statement *row, cql_writer_cb cb, void *user)
{
    cql_writer *w = g->w;
    size_t before = cql_batch_bytes(g->batch);
    void *acks = g->acks;
    cql_status st = cqlseat_grow(w->seat.port.al, &acks, &g->ack_cap, g->count + 1, sizeof *g->acks);
    if (st)
        return st;
    g->acks = acks;
    st = cql_batch_add(g->batch, row);
    if (st)
        return st;
    g->acks[g->count++] = (cqlwr_ack){cb, user};
    w->stats.rows_held++;
    w->stats.bytes_held += cql_batch_bytes(g->batch) - before;
    return CQL_OK;
}

void cqlwr_group_seal(cqlwr_group *g)
{
    cql_writer *w = g->w;
    if (g->keyed)
        leave_table(g);
    cqlwr_remove(&w->open, g);
    if (g->count) {
        cqlwr_push(&w->ready, g);
    } else {
        w->live--;
        cqlwr_group_release(g);
    }
}

void cqlwr_group_release(cqlwr_group *g)
{
    cql_writer *w = g->w;
    cql_error_unref(g->err);
    g->err = NULL;
    g->count = 0;
    g->attempts = 0;
    g->renewals = 0;
    g->timed = false;
    cql_batch_clear(g->batch);
    if (w->spare_count > 2 * (size_t)w->o.max_in_flight) {
        cqlwr_group_free(g);
        return;
    }
    w->spare_count++;
    cqlwr_push_first(&w->spare, g);
}
