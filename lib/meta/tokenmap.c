/* Keyspaces and their placements. */
#include "meta/tokenmap.h"

#include <stdatomic.h>
#include <string.h>

cql_status cqln_tokenmap_new(cqln_ring *ring, size_t keyspaces, cqln_tokenmap **out)
{
    uint32_t size = 8;
    *out = NULL;
    if (keyspaces > CQLN_KEYSPACES_MAX)
        return CQL_TOO_LARGE;
    while (size < 2 * keyspaces + 2) /* a look-up ends at a free place */
        size *= 2;
    cqln_tokenmap *m = cqln_alloc_zero(ring->al, sizeof *m);
    if (!m)
        return CQL_NO_MEMORY;
    atomic_init(&m->refs, 1);
    m->al = ring->al;
    m->ring = cqln_ring_ref(ring);
    m->mask = size - 1;
    m->table = cqln_alloc_zero(m->al, size * sizeof *m->table);
    if (!m->table) {
        cqln_tokenmap_unref(m);
        return CQL_NO_MEMORY;
    }
    *out = m;
    return CQL_OK;
}

static cqln_placement *find_alike(const cqln_tokenmap *m, const cqln_replication *r)
{
    for (uint32_t i = 0; m && i < m->placement_count; i++)
        if (cqln_replication_equal(&m->placements[i]->replication, r))
            return m->placements[i];
    return NULL;
}

static cql_status placement_for(cqln_tokenmap *m, const cqln_replication *r,
                                const cqln_tokenmap *older, cqln_placement **out)
{
    *out = find_alike(m, r);
    if (*out)
        return CQL_OK;
    if (m->placement_count == CQLN_PLACEMENTS_MAX)
        return CQL_TOO_LARGE;
    cqln_placement *p = older && older->ring == m->ring ? find_alike(older, r) : NULL;
    if (p)
        cqln_placement_ref(p);
    cql_status st = p ? CQL_OK : cqln_placement_new(m->ring, r, &p);
    if (st)
        return st;
    uint64_t entries = (uint64_t)p->width * m->ring->positions;
    if (m->entries + entries > CQLN_MAP_ENTRIES) {
        cqln_placement_unref(p);
        return CQL_TOO_LARGE;
    }
    m->entries += entries;
    m->placements[m->placement_count++] = p;
    *out = p;
    return CQL_OK;
}

cql_status cqln_tokenmap_add(cqln_tokenmap *m, cql_str keyspace, const cqln_replication *r,
                             const cqln_tokenmap *older)
{
    cqln_keyspace k = {.mark = cqln_keyspace_mark(keyspace)};
    if (k.mark == 0 || cqln_tokenmap_find(m, k.mark))
        return CQL_OK;
    if (2 * m->count + 2 > m->mask)
        return CQL_TOO_LARGE;
    k.name = (cql_str){cqln_strdup(m->al, keyspace), keyspace.len};
    if (!k.name.ptr)
        return CQL_NO_MEMORY;
    cql_status st = placement_for(m, r, older, &k.placement);
    if (st) {
        cqln_free(m->al, (char *)(uintptr_t)k.name.ptr);
        return st;
    }
    uint32_t i = (uint32_t)k.mark;
    while (m->table[i & m->mask].mark)
        i++;
    m->table[i & m->mask] = k;
    m->count++;
    return CQL_OK;
}

cqln_tokenmap *cqln_tokenmap_ref(cqln_tokenmap *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void cqln_tokenmap_unref(cqln_tokenmap *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; m->table && i <= m->mask; i++)
        cqln_free(m->al, (char *)(uintptr_t)m->table[i].name.ptr);
    for (uint32_t i = 0; i < m->placement_count; i++)
        cqln_placement_unref(m->placements[i]);
    cqln_ring_unref(m->ring);
    cqln_free(m->al, m->table);
    cqln_free(m->al, m);
}
