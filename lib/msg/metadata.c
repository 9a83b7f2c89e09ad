/* Column descriptions: stepping over them, building them, and their counted holder. */
#include "msg/metadata.h"

#include <stdatomic.h>

/* The largest object that a byte of description can become is a collection type: 2 bytes of
 * [option] for a descriptor of some 100. Few columns may do so; many, which no table has, may not: there
 * memory is at most eight times the bytes and a constant, in which all markers that a statement can
 * have find room, however short their names are. */
enum { FEW_PER_BYTE = 80, FEW_BASE = 4096, MANY_PER_BYTE = 8, MANY_BASE = 1 << 22 };

void cqln_skip_columns(cqln_reader *rd, bool global, uint32_t count)
{
    if (global) {
        cqln_read_string(rd);
        cqln_read_string(rd);
    }
    if (count > cqln_reader_left(rd) / CQLN_COLUMN_MIN)
        rd->failed = true;
    for (uint32_t i = 0; i < count && !rd->failed; i++) {
        if (!global) {
            cqln_read_string(rd);
            cqln_read_string(rd);
        }
        cqln_read_string(rd);
        if (!cqln_type_skip(rd))
            rd->failed = true;
    }
}

cqln_metadata *cqln_metadata_new(const cql_allocator *al, size_t bytes)
{
    size_t few;
    size_t many;
    if (!cqln_mul_size(bytes, FEW_PER_BYTE, &few) || !cqln_add_size(few, FEW_BASE, &few) ||
        !cqln_mul_size(bytes, MANY_PER_BYTE, &many) || !cqln_add_size(many, MANY_BASE, &many))
        return NULL;
    size_t cap = few < many ? few : many;
    cqln_metadata *m = cqln_alloc_zero(al, sizeof *m);
    if (!m)
        return NULL;
    atomic_init(&m->refs, 1);
    cqln_arena_init(&m->arena, al, cap);
    return m;
}

cqln_metadata *cqln_metadata_ref(cqln_metadata *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void cqln_metadata_unref(cqln_metadata *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    const cql_allocator *al = m->arena.al;
    cqln_arena_fini(&m->arena);
    cqln_free(al, m);
}

/* Copies a name; one that equals the column before shares its copy. */
static bool keep(cqln_metadata *m, cql_str name, cql_str before, cql_str *out)
{
    if (before.ptr && cql_str_equal(name, before)) {
        *out = before;
        return true;
    }
    *out = cqln_arena_str(&m->arena, name);
    return out->ptr != NULL;
}

static cql_status read_column(cqln_metadata *m, cqln_reader *rd, bool own_spec,
                              const cqln_column *before, cqln_column *out)
{
    out->keyspace = before->keyspace;
    out->table = before->table;
    if (own_spec) {
        if (!keep(m, cqln_read_string(rd), before->keyspace, &out->keyspace) ||
            !keep(m, cqln_read_string(rd), before->table, &out->table))
            return CQL_NO_MEMORY;
    }
    out->name = cqln_arena_str(&m->arena, cqln_read_string(rd));
    if (!out->name.ptr)
        return CQL_NO_MEMORY;
    if (rd->failed)
        return CQL_MALFORMED;
    cql_status st = cqln_type_read(rd, &m->arena, &out->type);
    if (st == CQL_OK)
        out->type_id = out->type->id;
    return st;
}

static cql_status read_columns(cqln_metadata *m, cqln_reader *rd, bool global, uint32_t count)
{
    cqln_column before = {0};
    if (global) {
        before.keyspace = cqln_arena_str(&m->arena, cqln_read_string(rd));
        before.table = cqln_arena_str(&m->arena, cqln_read_string(rd));
        if (!before.keyspace.ptr || !before.table.ptr)
            return CQL_NO_MEMORY;
    }
    if (rd->failed || count > cqln_reader_left(rd) / CQLN_COLUMN_MIN)
        return CQL_MALFORMED;
    if (count == 0)
        return CQL_OK;
    cqln_column *columns = cqln_arena_array(&m->arena, count, sizeof *columns);
    if (!columns)
        return CQL_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        cql_status st = read_column(m, rd, !global, &before, &columns[i]);
        if (st)
            return st;
        before = columns[i];
    }
    m->columns = columns;
    m->count = count;
    return CQL_OK;
}

bool cqln_metadata_same(const cqln_metadata *a, const cqln_metadata *b)
{
    if (a == b)
        return true;
    if (a->count != b->count || a->pk_count != b->pk_count)
        return false;
    for (uint32_t i = 0; i < a->pk_count; i++)
        if (a->pk_index[i] != b->pk_index[i])
            return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const cqln_column *x = &a->columns[i], *y = &b->columns[i];
        if (!cql_str_equal(x->name, y->name) || !cql_str_equal(x->table, y->table) ||
            !cql_str_equal(x->keyspace, y->keyspace) || !cqln_type_same(x->type, y->type))
            return false;
    }
    return true;
}

cql_status cqln_metadata_read_columns(cqln_metadata *m, cqln_reader *rd, bool global,
                                      uint32_t count)
{
    cql_status st = read_columns(m, rd, global, count);
    return st == CQL_NO_MEMORY && m->arena.capped ? CQL_MALFORMED : st;
}
