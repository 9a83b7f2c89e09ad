/* look.c: a snapshot, sorted and looked up. Every kind of thing begins with its keyspace's name, so that one
 * search serves all. */
#include "metadata/model.h"

#include <stdlib.h>
#include <string.h>

/* --- life ------------------------------------------------------------------------------------------ */

cql_metadata *cqlmd_new(const cql_allocator *al)
{
    cqlmd_arena arena;
    cqlmd_arena_init(&arena, al);
    cql_metadata *m = cqlmd_zalloc(&arena.al, sizeof *m);
    if (!m)
        return NULL;
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        cqlmd_free(&arena.al, m);
        return NULL;
    }
    m->refs = 1;
    m->arena = arena;
    return m;
}

void cqlmd_clear(cql_metadata *m)
{
    cqlmd_list *lists[] = {&m->keyspaces, &m->tables, &m->columns,   &m->indexes,
                           &m->udts,      &m->fields, &m->functions, &m->aggregates};
    cql_allocator al = m->arena.al;
    for (size_t i = 0; i < CQL_COUNT(lists); i++)
        cqlmd_list_fini(&m->arena, lists[i]);
    cqlmd_arena_fini(&m->arena);
    cqlmd_arena_init(&m->arena, &al);
}

cql_metadata *cql_metadata_ref(const cql_metadata *borrowed)
{
    cql_metadata *m = (cql_metadata *)(uintptr_t)borrowed; /* counting changes nothing that can be seen */
    if (!m)
        return NULL;
    (void)pthread_mutex_lock(&m->lock);
    m->refs++;
    (void)pthread_mutex_unlock(&m->lock);
    return m;
}

void cql_metadata_unref(cql_metadata *m)
{
    if (!m)
        return;
    (void)pthread_mutex_lock(&m->lock);
    bool last = --m->refs == 0;
    (void)pthread_mutex_unlock(&m->lock);
    if (!last)
        return;
    cqlmd_clear(m);
    (void)pthread_mutex_destroy(&m->lock);
    cql_allocator al = m->arena.al;
    cqlmd_free(&al, m);
}

/* --- order ----------------------------------------------------------------------------------------- */

static int then(int first, int second)
{
    return first ? first : second;
}

static int by_keyspace(const void *a, const void *b)
{
    const cql_keyspace_info *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int by_table(const void *a, const void *b)
{
    const cql_table_info *x = a, *y = b;
    return then(strcmp(x->keyspace, y->keyspace), strcmp(x->name, y->name));
}

static int by_column(const void *a, const void *b)
{
    const cql_column_info *x = a, *y = b;
    int c = then(strcmp(x->keyspace, y->keyspace), strcmp(x->table, y->table));
    c = then(c, (int)x->kind - (int)y->kind);
    c = then(c, (x->position > y->position) - (x->position < y->position));
    return then(c, strcmp(x->name, y->name));
}

static int by_index(const void *a, const void *b)
{
    const cql_index_info *x = a, *y = b;
    int c = then(strcmp(x->keyspace, y->keyspace), strcmp(x->table, y->table));
    return then(c, strcmp(x->name, y->name));
}

static int by_udt(const void *a, const void *b)
{
    const cqlmd_udt *x = a, *y = b;
    return then(strcmp(x->info.keyspace, y->info.keyspace), strcmp(x->info.name, y->info.name));
}

static int by_function(const void *a, const void *b)
{
    const cql_function_info *x = a, *y = b;
    int c = then(strcmp(x->keyspace, y->keyspace), strcmp(x->name, y->name));
    return then(c, strcmp(x->argument_types, y->argument_types));
}

static int by_aggregate(const void *a, const void *b)
{
    const cql_aggregate_info *x = a, *y = b;
    int c = then(strcmp(x->keyspace, y->keyspace), strcmp(x->name, y->name));
    return then(c, strcmp(x->argument_types, y->argument_types));
}

static void sort(cqlmd_list *list, size_t size, int (*order)(const void *, const void *))
{
    if (list->count > 1)
        qsort(list->items, list->count, size, order);
}

void cqlmd_sort(cql_metadata *m)
{
    sort(&m->keyspaces, sizeof(cql_keyspace_info), by_keyspace);
    sort(&m->tables, sizeof(cql_table_info), by_table);
    sort(&m->columns, sizeof(cql_column_info), by_column);
    sort(&m->indexes, sizeof(cql_index_info), by_index);
    sort(&m->udts, sizeof(cqlmd_udt), by_udt);
    sort(&m->functions, sizeof(cql_function_info), by_function);
    sort(&m->aggregates, sizeof(cql_aggregate_info), by_aggregate);
}

/* --- search ---------------------------------------------------------------------------------------- */

/* The two names that every item begins with: its keyspace, and the table, type or function. */
typedef struct item_names {
    const char *keyspace;
    const char *name;
} item_names;

_Static_assert(offsetof(cql_table_info, name) == offsetof(item_names, name), "names first");
_Static_assert(offsetof(cql_column_info, table) == offsetof(item_names, name), "names first");
_Static_assert(offsetof(cql_index_info, table) == offsetof(item_names, name), "names first");
_Static_assert(offsetof(cqlmd_udt, info.name) == offsetof(item_names, name), "names first");
_Static_assert(offsetof(cql_function_info, name) == offsetof(item_names, name), "names first");
_Static_assert(offsetof(cql_aggregate_info, name) == offsetof(item_names, name), "names first");

static item_names names_at(const cqlmd_list *list, size_t size, size_t i)
{
    item_names n;
    memcpy(&n, (const char *)list->items + i * size, sizeof n);
    return n;
}

/* Item i among those of the keyspace (and of that name, unless it is NULL); NULL past the end. */
static const void *nth(const cqlmd_list *list, size_t size, const char *keyspace, const char *name, size_t i)
{
    size_t low = 0, high = list->count;
    if (!keyspace)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        item_names n = names_at(list, size, middle);
        int c = strcmp(n.keyspace, keyspace);
        if (c == 0 && name)
            c = strcmp(n.name, name);
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (i >= list->count - low)
        return NULL;
    item_names n = names_at(list, size, low + i);
    if (strcmp(n.keyspace, keyspace) != 0 || (name && strcmp(n.name, name) != 0))
        return NULL;
    return (const char *)list->items + (low + i) * size;
}

static bool give(const void *item, void *out, size_t size)
{
    if (item && out)
        memcpy(out, item, size);
    return item != NULL;
}

bool cql_metadata_keyspace_at(const cql_metadata *m, size_t i, cql_keyspace_info *out)
{
    if (!m || i >= m->keyspaces.count)
        return false;
    return give((const cql_keyspace_info *)m->keyspaces.items + i, out, sizeof *out);
}

bool cql_metadata_keyspace(const cql_metadata *m, const char *name, cql_keyspace_info *out)
{
    cql_keyspace_info k = {.name = name};
    if (!m || !name || !m->keyspaces.count)
        return false;
    return give(bsearch(&k, m->keyspaces.items, m->keyspaces.count, sizeof k, by_keyspace), out, sizeof k);
}

bool cql_metadata_table_at(const cql_metadata *m, const char *keyspace, size_t i, cql_table_info *out)
{
    return m && give(nth(&m->tables, sizeof *out, keyspace, NULL, i), out, sizeof *out);
}

bool cql_metadata_table(const cql_metadata *m, const char *keyspace, const char *name, cql_table_info *out)
{
    return m && name && give(nth(&m->tables, sizeof *out, keyspace, name, 0), out, sizeof *out);
}

bool cql_metadata_column_at(const cql_metadata *m, const char *keyspace, const char *table, size_t i,
                            cql_column_info *out)
{
    return m && table && give(nth(&m->columns, sizeof *out, keyspace, table, i), out, sizeof *out);
}

bool cql_metadata_column(const cql_metadata *m, const char *keyspace, const char *table, const char *name,
                         cql_column_info *out)
{
    cql_column_info c;
    if (!name)
        return false;
    for (size_t i = 0; cql_metadata_column_at(m, keyspace, table, i, &c); i++)
        if (strcmp(c.name, name) == 0)
            return give(&c, out, sizeof c);
    return false;
}

bool cql_metadata_index_at(const cql_metadata *m, const char *keyspace, const char *table, size_t i,
                           cql_index_info *out)
{
    return m && give(nth(&m->indexes, sizeof *out, keyspace, table, i), out, sizeof *out);
}

bool cql_metadata_udt_at(const cql_metadata *m, const char *keyspace, size_t i, cql_udt_info *out)
{
    return m && give(nth(&m->udts, sizeof(cqlmd_udt), keyspace, NULL, i), out, sizeof *out);
}

bool cql_metadata_udt(const cql_metadata *m, const char *keyspace, const char *name, cql_udt_info *out)
{
    return m && name && give(nth(&m->udts, sizeof(cqlmd_udt), keyspace, name, 0), out, sizeof *out);
}

bool cql_metadata_udt_field(const cql_metadata *m, const char *keyspace, const char *name, size_t i,
                            const char **field, const char **type)
{
    const cqlmd_udt *u = m && name ? nth(&m->udts, sizeof *u, keyspace, name, 0) : NULL;
    if (!u || i >= u->info.fields)
        return false;
    const cqlmd_field *f = (const cqlmd_field *)m->fields.items + u->first + i;
    *field = f->name;
    *type = f->type;
    return true;
}

bool cql_metadata_function_at(const cql_metadata *m, const char *keyspace, size_t i, cql_function_info *out)
{
    return m && give(nth(&m->functions, sizeof *out, keyspace, NULL, i), out, sizeof *out);
}

bool cql_metadata_aggregate_at(const cql_metadata *m, const char *keyspace, size_t i, cql_aggregate_info *out)
{
    return m && give(nth(&m->aggregates, sizeof *out, keyspace, NULL, i), out, sizeof *out);
}
