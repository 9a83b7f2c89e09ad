/* Batches: members are kept in wire form, with a hold on the prepared statements among them. */
#include "api/routing.h"

#include "meta/conditional.h"

#include <cqlnative/profile.h>
#include <string.h>

enum { MEMBERS_MAX = 65535 };

static const size_t entries_max = (size_t)1 << 28;

cql_status cql_batch_new(cql_batch_type type, const cql_allocator *al, cql_batch **out)
{
    if (!out || (unsigned)type > CQL_BATCH_COUNTER)
        return CQL_BAD_ARGUMENT;
    if (!al)
        al = cqln_alloc_default();
    cql_batch *b = cqln_alloc_zero(al, sizeof *b);
    if (!b)
        return CQL_NO_MEMORY;
    b->al = al;
    b->type = type;
    cqln_writer_init(&b->entries, al, entries_max);
    cqln_execution_init(&b->ex);
    *out = b;
    return CQL_OK;
}

void cql_batch_clear(cql_batch *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->member_count; i++)
        cql_prepared_unref(b->members[i]);
    b->member_count = 0;
    b->count = 0;
    b->members_idempotent = CQLN_IDEMPOTENT_UNSAID;
    b->conditional = false;
    cqln_routing_clear(b);
    cqln_writer_reset(&b->entries);
}

void cql_batch_free(cql_batch *b)
{
    if (!b)
        return;
    cql_batch_clear(b);
    cqln_free(b->al, b->members);
    cqln_writer_fini(&b->entries);
    cqln_extra_free(b->ex.extra, 0);
    cqln_routing_free(b->al, b->ex.routing);
    cqln_free(b->al, b);
}

size_t cql_batch_count(const cql_batch *b)
{
    return b->count;
}

size_t cql_batch_bytes(const cql_batch *b)
{
    return b->entries.len;
}

/* Each prepared statement once: enough to find it by id when a node forgot it. */
static cql_status hold(cql_batch *b, cql_prepared *p)
{
    for (size_t i = 0; i < b->member_count; i++)
        if (b->members[i] == p)
            return CQL_OK;
    if (b->member_count == b->member_cap) {
        size_t cap = b->member_cap ? b->member_cap * 2 : 4;
        cql_prepared **grown = cqln_realloc_array(b->al, b->members, cap, sizeof *grown);
        if (!grown)
            return CQL_NO_MEMORY;
        b->members = grown;
        b->member_cap = cap;
    }
    b->members[b->member_count++] = cql_prepared_ref(p);
    return CQL_OK;
}

cql_status cql_batch_add(cql_batch *b, const cql_statement *s)
{
    if (!b || !s)
        return CQL_BAD_ARGUMENT;
    if (s->unbound)
        return CQL_UNBOUND;
    if (s->ex.extra && s->ex.extra->named)
        return CQL_UNSUPPORTED; /* the protocol has no names in a batch that work */
    if (b->count >= MEMBERS_MAX)
        return CQL_TOO_LARGE;
    cql_status st = s->prepared ? hold(b, s->prepared) : CQL_OK;
    if (st)
        return st;
    size_t before = b->entries.len;
    cqln_values_bytes values = cqln_statement_values(s);
    cqln_writer whole;
    cqln_writer_init(&whole, b->al, entries_max);
    if (cqln_extra_has_pieces(s)) {
        st = cqln_extra_write_values(s, false, &whole);
        values.bytes = (cql_str){(const char *)whole.data, whole.len};
    }
    if (st)
        cqln_writer_fail(&b->entries, st);
    else if (s->prepared)
        cqln_encode_batch_prepared_entry(&b->entries, s->prepared->id, &values);
    else
        cqln_encode_batch_query_entry(&b->entries, cql_str_of(s->cql), &values);
    cqln_writer_fini(&whole);
    st = b->entries.status ? b->entries.status : cqln_routing_add(b, s);
    if (st) { /* the batch stays as it was */
        b->entries.status = CQL_OK;
        b->entries.len = before;
        return st;
    }
    if (b->count == 0 || s->ex.idempotent < b->members_idempotent)
        b->members_idempotent = s->ex.idempotent;
    if (s->prepared ? s->prepared->conditional : cqln_cql_conditional(cql_str_of(s->cql)))
        b->conditional = true;
    b->count++;
    return CQL_OK;
}

void cql_batch_set_consistency(cql_batch *b, cql_consistency level)
{
    if (!b)
        return;
    b->ex.consistency = (int32_t)level;
}

cql_status cql_batch_set_serial_consistency(cql_batch *b, cql_consistency level)
{
    if (!b || (level != CQL_CONSISTENCY_SERIAL && level != CQL_CONSISTENCY_LOCAL_SERIAL))
        return CQL_BAD_ARGUMENT;
    b->ex.serial_consistency = (int32_t)level;
    return CQL_OK;
}

void cql_batch_set_idempotent(cql_batch *b, bool idempotent)
{
    if (!b)
        return;
    b->ex.idempotent = idempotent ? CQLN_IDEMPOTENT_YES : CQLN_IDEMPOTENT_NO;
}

void cql_batch_set_timestamp(cql_batch *b, int64_t unix_us)
{
    if (!b)
        return;
    b->ex.has_timestamp = true;
    b->ex.timestamp = unix_us;
}

void cql_batch_set_retry_policy(cql_batch *b, const cql_retry_policy *policy)
{
    if (!b)
        return;
    b->ex.retry_policy = policy;
}

void cql_batch_set_speculative(cql_batch *b, bool speculative)
{
    if (!b)
        return;
    b->ex.steady = !speculative;
}

void cql_batch_set_timeout(cql_batch *b, uint32_t timeout_ms)
{
    if (!b)
        return;
    b->ex.timeout_ms = timeout_ms;
}

cql_status cql_batch_set_keyspace(cql_batch *b, const char *keyspace)
{
    if (!b)
        return CQL_BAD_ARGUMENT;
    return cqln_extra_set_keyspace(&b->ex.extra, b->al, keyspace);
}

cql_status cql_batch_set_now(cql_batch *b, int64_t unix_seconds)
{
    return b ? cqln_extra_set_now(&b->ex.extra, b->al, unix_seconds) : CQL_BAD_ARGUMENT;
}

cql_status cql_batch_add_payload(cql_batch *b, const char *name, const void *bytes, size_t len)
{
    return b ? cqln_extra_add_payload(&b->ex.extra, b->al, name, bytes, len) : CQL_BAD_ARGUMENT;
}

void cql_batch_set_tracing(cql_batch *b, bool tracing)
{
    if (!b)
        return;
    b->ex.tracing = tracing;
}

cql_status cql_batch_set_profile(cql_batch *b, const cql_profile *profile)
{
    return b ? cqln_execution_set_profile(&b->ex, profile) : CQL_BAD_ARGUMENT;
}
