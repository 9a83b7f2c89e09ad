/* Placement as SimpleStrategy and NetworkTopologyStrategy do it.
 *
 * Going round the ring backwards, each owner that is met moves to the front of a list; the list is then
 * always in the order in which the members come when one goes forwards from here. One such list over all
 * members serves SimpleStrategy. For NetworkTopologyStrategy each data centre has one of its members, and
 * one of its racks with the member of each that comes first, so that finding the first member of a rack
 * that has no copy yet does not mean walking over all that have. Each position then costs as many steps as
 * it has copies, however the tokens and racks lie. */
#include "meta/placement.h"

#include <stdatomic.h>
#include <string.h>

enum { NONE = CQLN_MEMBER_NONE };

/* Lists over numbers 0..n-1, linked through two arrays; several heads may share them. */
typedef struct lists {
    uint16_t *next;
    uint16_t *prev;
} lists;

typedef struct walk {
    const cqln_ring *ring;
    lists all;     /* members, one list */
    uint16_t first;
    lists in_dc;   /* members, a list for each data centre */
    uint16_t *dc_first;
    lists racks;   /* racks, a list for each data centre */
    uint16_t *dc_rack;
    uint16_t *rack_member; /* the member of each rack that comes first */
    uint32_t *rack_mark;   /* the position for which the rack was used last */
} walk;

static void to_front(lists *l, uint16_t *head, uint16_t i)
{
    if (*head == i)
        return;
    if (l->prev[i] != NONE) { /* it is in the list, and not in front */
        l->next[l->prev[i]] = l->next[i];
        if (l->next[i] != NONE)
            l->prev[l->next[i]] = l->prev[i];
    }
    l->next[i] = *head;
    l->prev[i] = NONE;
    if (*head != NONE)
        l->prev[*head] = i;
    *head = i;
}

static uint16_t *numbers(const cql_allocator *al, size_t n)
{
    uint16_t *out = cqln_alloc_array(al, n + 1, sizeof *out);
    if (out)
        memset(out, 0xff, (n + 1) * sizeof *out); /* all NONE */
    return out;
}

static void walk_fini(walk *w, const cql_allocator *al)
{
    cqln_free(al, w->all.next);
    cqln_free(al, w->all.prev);
    cqln_free(al, w->in_dc.next);
    cqln_free(al, w->in_dc.prev);
    cqln_free(al, w->dc_first);
    cqln_free(al, w->racks.next);
    cqln_free(al, w->racks.prev);
    cqln_free(al, w->dc_rack);
    cqln_free(al, w->rack_member);
    cqln_free(al, w->rack_mark);
}

static bool walk_init(walk *w, const cqln_ring *r, const cql_allocator *al)
{
    *w = (walk){.ring = r, .first = NONE};
    w->all = (lists){numbers(al, r->members), numbers(al, r->members)};
    w->in_dc = (lists){numbers(al, r->members), numbers(al, r->members)};
    w->dc_first = numbers(al, r->dc_count);
    w->racks = (lists){numbers(al, r->rack_count), numbers(al, r->rack_count)};
    w->dc_rack = numbers(al, r->dc_count);
    w->rack_member = numbers(al, r->rack_count);
    w->rack_mark = cqln_alloc_array(al, r->rack_count + (size_t)1, sizeof *w->rack_mark);
    bool ok = w->all.next && w->all.prev && w->in_dc.next && w->in_dc.prev && w->dc_first &&
              w->racks.next && w->racks.prev && w->dc_rack && w->rack_member && w->rack_mark;
    if (ok)
        memset(w->rack_mark, 0xff, (r->rack_count + (size_t)1) * sizeof *w->rack_mark);
    return ok;
}

/* One position back. */
static void walk_step(walk *w, uint32_t position)
{
    uint16_t member = w->ring->owner[position];
    uint16_t dc = w->ring->dc_of[member], rack = w->ring->rack_of[member];
    to_front(&w->all, &w->first, member);
    to_front(&w->in_dc, &w->dc_first[dc], member);
    to_front(&w->racks, &w->dc_rack[dc], rack);
    w->rack_member[rack] = member;
}

/* --- the strategies: each gives the number of members it put ---------------------------------------- */

/* Full copies on so many nodes: where there are fewer than copies, it is the transient ones that are left out. */
static uint32_t full_copies(const cqln_copies *c, uint32_t nodes)
{
    uint32_t full = c->all > c->transient ? c->all - c->transient : 0;
    return full < nodes ? full : nodes;
}

static uint32_t put_simple(const walk *w, const cqln_copies *c, uint16_t *out, uint32_t room)
{
    uint32_t nodes = 0, n = 0;
    for (uint32_t i = 0; i < w->ring->dc_count; i++)
        nodes += w->ring->dc_nodes[i];
    uint32_t want = full_copies(c, nodes);
    for (uint16_t m = w->first; m != NONE && n < want && n < room; m = w->all.next[m])
        out[n++] = m;
    return n;
}

/* As many members of racks that have a copy already are taken as copies outnumber the racks, the first
 * that come; everything else is one member for each further rack. */
static uint32_t put_in_dc(walk *w, uint32_t dc, uint32_t mark, const cqln_copies *c, uint16_t *out,
                          uint32_t room)
{
    const cqln_ring *r = w->ring;
    uint32_t want = full_copies(c, r->dc_nodes[dc]);
    uint32_t repeats = c->all > r->dc_racks[dc] ? c->all - r->dc_racks[dc] : 0;
    uint32_t n = 0;
    want = want < room ? want : room;
    uint16_t m = repeats ? w->dc_first[dc] : (uint16_t)NONE;
    for (; m != NONE && n < want; m = w->in_dc.next[m]) {
        bool met = w->rack_mark[r->rack_of[m]] == mark;
        if (met && repeats == 0)
            break;
        repeats -= met;
        w->rack_mark[r->rack_of[m]] = mark;
        out[n++] = m;
    }
    for (uint16_t rack = w->dc_rack[dc]; rack != NONE && n < want; rack = w->racks.next[rack]) {
        if (w->rack_mark[rack] == mark)
            continue;
        w->rack_mark[rack] = mark;
        out[n++] = w->rack_member[rack];
    }
    return n;
}

static bool find_dc(const cqln_ring *r, cql_str name, uint32_t *out)
{
    for (uint32_t i = 0; i < r->dc_count; i++) {
        if (cql_str_equal(r->dc_names[i], name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void put_position(walk *w, const cqln_placement *p, const uint32_t *dcs, uint32_t position)
{
    uint16_t *out = p->replicas + (size_t)position * p->width;
    uint32_t n = 0;
    if (p->replication.strategy == CQLN_STRATEGY_SIMPLE)
        n = put_simple(w, &p->replication.copies[0], out, p->width);
    for (uint32_t i = 0; i < p->replication.count && dcs; i++)
        if (dcs[i] != UINT32_MAX)
            n += put_in_dc(w, dcs[i], position, &p->replication.copies[i], out + n, p->width - n);
    while (n < p->width)
        out[n++] = NONE;
}

/* --- building -------------------------------------------------------------------------------------- */

/* Copies for each position, were there room; also finds the data centres by number. */
static uint64_t copies_wanted(const cqln_ring *r, const cqln_replication *rep,
                              uint32_t dcs[CQLN_REPLICATION_DCS])
{
    uint64_t sum = 0;
    if (rep->strategy == CQLN_STRATEGY_SIMPLE)
        return rep->copies[0].all < r->members ? rep->copies[0].all : r->members;
    for (uint32_t i = 0; i < rep->count; i++) {
        if (!find_dc(r, rep->copies[i].dc, &dcs[i])) {
            dcs[i] = UINT32_MAX;
            continue;
        }
        uint32_t nodes = r->dc_nodes[dcs[i]];
        sum += rep->copies[i].all < nodes ? rep->copies[i].all : nodes;
    }
    return sum;
}

static uint32_t put_near(const cqln_placement *p, uint32_t position, uint16_t *out)
{
    const uint16_t *at = cqln_placement_at(p, position);
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->width && at[i] != NONE; i++) {
        if (!p->ring->near[at[i]])
            continue;
        n++;
        if (out)
            out[n] = at[i];
    }
    if (out) {
        out[0] = (uint16_t)n;
        out[n + 1] = n ? out[1] : NONE;
    }
    return n;
}

static cql_status build_near(cqln_placement *p)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < p->ring->positions; i++) {
        uint32_t n = put_near(p, i, NULL);
        most = n > most ? n : most;
    }
    p->stride = most + 2;
    p->near = cqln_alloc_array(p->al, (size_t)p->ring->positions + 1, p->stride * sizeof *p->near);
    if (!p->near)
        return CQL_NO_MEMORY;
    for (uint32_t i = 0; i <= p->ring->positions; i++)
        put_near(p, i < p->ring->positions ? i : 0, p->near + (size_t)i * p->stride);
    return CQL_OK;
}

static cql_status build(cqln_placement *p)
{
    uint32_t dcs[CQLN_REPLICATION_DCS];
    const cqln_ring *r = p->ring;
    walk w;
    uint64_t width = copies_wanted(r, &p->replication, dcs);
    if (width == 0)
        return CQL_OK;
    if (width > CQLN_PLACEMENT_ENTRIES / r->positions)
        width = CQLN_PLACEMENT_ENTRIES / r->positions;
    p->width = (uint32_t)width;
    p->replicas = cqln_alloc_array(p->al, r->positions, p->width * sizeof *p->replicas);
    bool ok = walk_init(&w, r, p->al) && p->replicas;
    for (uint32_t i = r->positions; ok && i > 0; i--)
        walk_step(&w, i - 1); /* once round, so that the last position knows what follows it */
    for (uint32_t i = r->positions; ok && i > 0; i--) {
        walk_step(&w, i - 1);
        put_position(&w, p, p->replication.strategy == CQLN_STRATEGY_TOPOLOGY ? dcs : NULL, i - 1);
    }
    walk_fini(&w, p->al);
    p->whole = ok && p->width == r->members && p->replicas[p->width - 1] != NONE;
    return ok ? build_near(p) : CQL_NO_MEMORY;
}

static bool keep_replication(cqln_placement *p, const cqln_replication *r)
{
    size_t size = 1;
    for (uint32_t i = 0; i < r->count; i++)
        size += r->copies[i].dc.len;
    char *at = p->names = cqln_alloc(p->al, size);
    if (!at)
        return false;
    p->replication = *r;
    for (uint32_t i = 0; i < r->count; i++) {
        cql_str *dc = &p->replication.copies[i].dc;
        if (dc->len)
            memcpy(at, dc->ptr, dc->len);
        dc->ptr = at;
        at += dc->len;
    }
    return true;
}

cql_status cqln_placement_new(cqln_ring *ring, const cqln_replication *r, cqln_placement **out)
{
    *out = NULL;
    cqln_placement *p = cqln_alloc_zero(ring->al, sizeof *p);
    if (!p)
        return CQL_NO_MEMORY;
    atomic_init(&p->refs, 1);
    p->al = ring->al;
    p->ring = cqln_ring_ref(ring);
    cql_status st = keep_replication(p, r) ? CQL_OK : CQL_NO_MEMORY;
    p->everywhere = r->strategy == CQLN_STRATEGY_EVERYWHERE;
    if (st == CQL_OK && (r->strategy == CQLN_STRATEGY_SIMPLE || r->strategy == CQLN_STRATEGY_TOPOLOGY))
        st = build(p);
    if (st) {
        cqln_placement_unref(p);
        return st;
    }
    *out = p;
    return CQL_OK;
}

cqln_placement *cqln_placement_ref(cqln_placement *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void cqln_placement_unref(cqln_placement *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    cqln_ring_unref(p->ring);
    cqln_free(p->al, p->replicas);
    cqln_free(p->al, p->near);
    cqln_free(p->al, p->names);
    cqln_free(p->al, p);
}
