/* What few statements say: kept aside, so that the others do not pay for it. */
#include "api/extra.h"

#include "api/statement.h"

#include <string.h>

enum { PAYLOAD_MAX = 65535 };

static const size_t payload_bytes_max = (size_t)1 << 24;

cqln_extra *cqln_extra_make(cqln_extra **slot, const cql_allocator *al)
{
    if (*slot)
        return *slot;
    cqln_extra *x = cqln_alloc_zero(al, sizeof *x);
    if (!x)
        return NULL;
    x->al = al;
    cqln_writer_init(&x->payload, al, payload_bytes_max);
    *slot = x;
    return x;
}

static void drop_names(cqln_extra *x, uint32_t markers)
{
    for (uint32_t i = 0; x->names && i < markers; i++)
        cqln_free(x->al, x->names[i]);
    cqln_free(x->al, x->names);
    x->names = NULL;
    x->named = 0;
}

void cqln_extra_free(cqln_extra *x, uint32_t markers)
{
    if (!x)
        return;
    drop_names(x, markers);
    cqln_writer_fini(&x->payload);
    cqln_free(x->al, x->keyspace);
    cqln_free(x->al, x->pieces);
    cqln_free(x->al, x);
}

/* --- keyspace, clock, payload --------------------------------------------------------------------- */

cql_status cqln_extra_set_keyspace(cqln_extra **slot, const cql_allocator *al, const char *keyspace)
{
    size_t len = keyspace ? strlen(keyspace) : 0;
    if (len > UINT16_MAX)
        return CQL_TOO_LARGE;
    cqln_extra *x = cqln_extra_make(slot, al);
    char *copy = x && len ? cqln_strdup(al, cql_str_of(keyspace)) : NULL;
    if (!x || (len && !copy))
        return CQL_NO_MEMORY;
    cqln_free(al, x->keyspace);
    x->keyspace = copy;
    return CQL_OK;
}

cql_status cqln_extra_set_now(cqln_extra **slot, const cql_allocator *al, int64_t now)
{
    if (now < INT32_MIN || now > INT32_MAX)
        return CQL_BAD_VALUE;
    cqln_extra *x = cqln_extra_make(slot, al);
    if (!x)
        return CQL_NO_MEMORY;
    x->has_now = true;
    x->now = (int32_t)now;
    return CQL_OK;
}

cql_status cqln_extra_add_payload(cqln_extra **slot, const cql_allocator *al, const char *name,
                                  const void *bytes, size_t len)
{
    if (!name || (!bytes && len))
        return CQL_BAD_ARGUMENT;
    size_t name_len = strlen(name);
    if (name_len > UINT16_MAX || len > INT32_MAX)
        return CQL_TOO_LARGE;
    cqln_extra *x = cqln_extra_make(slot, al);
    if (!x)
        return CQL_NO_MEMORY;
    if (x->payload_count == PAYLOAD_MAX)
        return CQL_TOO_LARGE;
    if (!cqln_writer_reserve(&x->payload, 2 + name_len + 4 + len)) {
        cql_status st = x->payload.status;
        x->payload.status = CQL_OK; /* what is there stays good */
        return st;
    }
    cqln_write_u16(&x->payload, (uint16_t)name_len);
    cqln_write_bytes(&x->payload, name, name_len);
    cqln_write_u32(&x->payload, bytes ? (uint32_t)len : UINT32_MAX);
    cqln_write_bytes(&x->payload, bytes, len);
    x->payload_count++;
    return CQL_OK;
}

cql_status cqln_extra_fill(const cqln_extra *x, uint8_t version, cqln_query_options *o)
{
    if (version < 5 && (x->keyspace || x->has_now))
        return CQL_UNSUPPORTED;
    o->keyspace = cql_str_of(x->keyspace);
    o->has_now = x->has_now;
    o->now_in_seconds = x->now;
    o->payload_count = x->payload_count;
    o->payload = (cql_str){(const char *)x->payload.data, x->payload.len};
    return CQL_OK;
}

cql_status cql_statement_set_keyspace(cql_statement *s, const char *keyspace)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
    return cqln_extra_set_keyspace(&s->ex.extra, s->al, keyspace);
}

cql_status cql_statement_set_now(cql_statement *s, int64_t unix_seconds)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
    return cqln_extra_set_now(&s->ex.extra, s->al, unix_seconds);
}

cql_status cql_statement_add_payload(cql_statement *s, const char *name, const void *bytes,
                                     size_t len)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
    return cqln_extra_add_payload(&s->ex.extra, s->al, name, bytes, len);
}

/* --- names ---------------------------------------------------------------------------------------- */

static bool is_named(const cqln_extra *x, uint32_t marker, const char *name)
{
    return x->names[marker] && strcmp(x->names[marker], name) == 0;
}

static cql_status name_marker(cqln_extra *x, uint32_t marker, const char *name)
{
    x->names[marker] = cqln_strdup(x->al, cql_str_of(name));
    if (!x->names[marker])
        return CQL_NO_MEMORY;
    x->named++;
    return CQL_OK;
}

cql_status cqln_extra_bind_named(cql_statement *s, const char *name, cql_value v)
{
    if (strlen(name) > UINT16_MAX)
        return CQL_TOO_LARGE;
    cqln_extra *x = cqln_extra_make(&s->ex.extra, s->al);
    if (!x)
        return CQL_NO_MEMORY;
    if (!x->names && s->markers) {
        x->names = cqln_alloc_zero(s->al, s->markers * sizeof *x->names);
        if (!x->names)
            return CQL_NO_MEMORY;
    }
    uint32_t i = 0;
    while (i < s->markers && x->names[i] && !is_named(x, i, name))
        i++;
    if (i == s->markers)
        return cqln_misfit_name(s, name); /* every marker has another name */
    cql_status st = x->names[i] ? CQL_OK : name_marker(x, i, name);
    return st ? st : cql_statement_bind_value(s, i, v);
}

/* --- the wire form with all that belongs in it ---------------------------------------------------- */

cql_status cqln_extra_write_values(const cql_statement *s, bool named, cqln_writer *wr)
{
    for (uint32_t i = 0; i < s->markers; i++) {
        const cqln_piece *piece = cqln_extra_piece(s, i);
        if (named) {
            size_t len = strlen(s->ex.extra->names[i]);
            cqln_write_u16(wr, (uint16_t)len);
            cqln_write_bytes(wr, s->ex.extra->names[i], len);
        }
        cqln_write_bytes(wr, s->values + s->offsets[i], s->offsets[i + 1] - s->offsets[i]);
        if (piece)
            cqln_write_bytes(wr, piece->ptr, piece->len);
    }
    return wr->status;
}
