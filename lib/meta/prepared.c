/* Prepared statements and the versions of their result metadata. */
#include "meta/prepared.h"

#include "meta/conditional.h"
#include "meta/tokenmap.h"

#include <string.h>

/* count(*) does not change its columns; any other star may. */
static bool has_star(cql_str cql)
{
    for (size_t i = 0; i < cql.len; i++)
        if (cql.ptr[i] == '*' && !(i > 0 && cql.ptr[i - 1] == '('))
            return true;
    return false;
}

static cql_str copy_into(char **at, cql_str from)
{
    cql_str to = {*at, from.len};
    if (from.len)
        memcpy(*at, from.ptr, from.len);
    (*at)[from.len] = '\0';
    *at += from.len + 1;
    return to;
}

/* With the lock, or while nobody else knows it. */
static void publish(cql_prepared *p, cqln_metadata *newest)
{
    atomic_store_explicit(&p->result, cqln_prepared_retired(p) ? NULL : newest, memory_order_release);
}

static void update(cql_prepared *p, cqln_metadata *newer)
{
    if (p->version_count == CQLN_PREPARED_VERSIONS) {
        cqln_metadata_unref(newer);
        publish(p, NULL);
        return;
    }
    p->versions[p->version_count++] = newer;
    publish(p, newer);
}

/* Only what adds to a counter has a value of that type. */
static bool counts(const cqln_metadata *bind)
{
    for (uint32_t i = 0; i < bind->count; i++)
        if (bind->columns[i].type->id == CQL_TYPE_COUNTER)
            return true;
    return false;
}

cql_status cqln_prepared_new(const cql_allocator *al, cql_str cql, cql_str keyspace,
                             const cqln_prepared_head *head, cql_prepared **out)
{
    uint32_t markers = head->bind->count;
    size_t size = sizeof(cql_prepared) + markers * sizeof(cqln_fit) + cql.len + keyspace.len +
                  head->id.len + 3;
    cql_prepared *p = cqln_alloc_zero(al, size);
    if (!p)
        return CQL_NO_MEMORY;
    if (pthread_mutex_init(&p->learning, NULL) != 0) {
        cqln_free(al, p);
        return CQL_NO_MEMORY;
    }
    for (uint32_t i = 0; i < markers; i++)
        p->fits[i] = cqln_fit_of(head->bind->columns[i].type);
    char *at = (char *)&p->fits[markers];
    p->al = al;
    p->cql = copy_into(&at, cql);
    p->keyspace = copy_into(&at, keyspace);
    p->id = copy_into(&at, head->id);
    p->select_star = has_star(cql);
    p->conditional = cqln_cql_conditional(cql);
    p->repeatable = cqln_cql_repeatable(cql) && !counts(head->bind);
    if (markers)
        p->keyspace_mark = cqln_keyspace_mark(
            head->bind->columns[head->bind->pk_count ? head->bind->pk_index[0] : 0].keyspace);
    p->bind = head->bind;
    atomic_init(&p->refs, 1);
    atomic_init(&p->retired, false);
    atomic_init(&p->result, NULL);
    update(p, head->result);
    *out = p;
    return CQL_OK;
}

void cqln_prepared_update(cql_prepared *p, cqln_metadata *newer)
{
    pthread_mutex_lock(&p->learning);
    update(p, newer);
    pthread_mutex_unlock(&p->learning);
}

static cqln_metadata *find_version(const cql_prepared *p, const cqln_metadata *m)
{
    for (uint32_t i = p->version_count; i-- > 0;) {
        cqln_metadata *old = p->versions[i];
        if (cql_str_equal(old->id, m->id) && (m->id.len || cqln_metadata_same(old, m)))
            return old;
    }
    return NULL;
}

void cqln_prepared_learn(cql_prepared *p, cqln_metadata *m)
{
    pthread_mutex_lock(&p->learning);
    cqln_metadata *old = find_version(p, m);
    if (old)
        publish(p, old);
    else
        update(p, cqln_metadata_ref(m));
    pthread_mutex_unlock(&p->learning);
}

void cqln_prepared_distrust(cql_prepared *p)
{
    atomic_store_explicit(&p->result, NULL, memory_order_release);
}

bool cqln_prepared_fits(const cql_prepared *p, const cqln_metadata *bind)
{
    if (bind->count != p->bind->count)
        return false;
    for (uint32_t i = 0; i < bind->count; i++)
        if (!cqln_type_fits(p->bind->columns[i].type, bind->columns[i].type))
            return false;
    return true;
}

void cqln_prepared_retire(cql_prepared *p, bool retired)
{
    pthread_mutex_lock(&p->learning);
    atomic_store_explicit(&p->retired, retired, memory_order_release);
    publish(p, NULL);
    pthread_mutex_unlock(&p->learning);
}

cql_prepared *cql_prepared_ref(const cql_prepared *prepared)
{
    cql_prepared *p = (cql_prepared *)(uintptr_t)prepared;
    if (p)
        atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void cql_prepared_unref(cql_prepared *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    cqln_metadata_unref(p->bind);
    for (uint32_t i = 0; i < p->version_count; i++)
        cqln_metadata_unref(p->versions[i]);
    pthread_mutex_destroy(&p->learning);
    cqln_free(p->al, p);
}

cql_str cql_prepared_cql(const cql_prepared *p)
{
    return p->cql;
}

cql_str cql_prepared_keyspace(const cql_prepared *p)
{
    return p->keyspace;
}

size_t cql_prepared_marker_count(const cql_prepared *p)
{
    return p->bind->count;
}

cql_str cql_prepared_marker_name(const cql_prepared *p, size_t i)
{
    return i < p->bind->count ? p->bind->columns[i].name : (cql_str){NULL, 0};
}

const cql_type *cql_prepared_marker_type(const cql_prepared *p, size_t i)
{
    return i < p->bind->count ? p->bind->columns[i].type : NULL;
}
