/* A copy of a statement, for what goes on executing it after the program's call: pages. */
#include "api/routing.h"

#include <string.h>

static cql_status copy_extra(cql_statement *to, const cql_statement *from)
{
    const cqln_extra *x = from->ex.extra;
    if (!x)
        return CQL_OK;
    cqln_extra *copy = cqln_extra_make(&to->ex.extra, to->al);
    if (!copy)
        return CQL_NO_MEMORY;
    copy->has_now = x->has_now;
    copy->now = x->now;
    copy->payload_count = x->payload_count;
    cqln_write_bytes(&copy->payload, x->payload.data, x->payload.len);
    if (copy->payload.status)
        return copy->payload.status;
    if (x->keyspace && !(copy->keyspace = cqln_strdup(to->al, cql_str_of(x->keyspace))))
        return CQL_NO_MEMORY;
    if (!x->names)
        return CQL_OK;
    copy->names = cqln_alloc_zero(to->al, from->markers * sizeof *copy->names);
    for (uint32_t i = 0; copy->names && i < from->markers; i++) {
        if (!x->names[i])
            continue;
        copy->names[i] = cqln_strdup(to->al, cql_str_of(x->names[i]));
        if (!copy->names[i])
            return CQL_NO_MEMORY;
        copy->named++;
    }
    return copy->names ? CQL_OK : CQL_NO_MEMORY;
}

/* The whole values, borrowed ones too: the program may take those away. */
static cql_status copy_values(cql_statement *to, const cql_statement *from)
{
    cqln_writer wr;
    cqln_writer_init(&wr, to->al, INT32_MAX);
    cql_status st = cqln_extra_write_values(from, false, &wr);
    if (st == CQL_OK && wr.len > to->cap) {
        uint8_t *grown = cqln_realloc(to->al, to->values, wr.len);
        if (grown) {
            to->values = grown;
            to->cap = wr.len;
        } else {
            st = CQL_NO_MEMORY;
        }
    }
    uint32_t at = 0;
    for (uint32_t i = 0; st == CQL_OK && i < to->markers; i++) {
        to->offsets[i] = at;
        uint32_t len = cqln_load_u32(wr.data + at);
        at += 4 + (len <= INT32_MAX ? len : 0);
    }
    if (st == CQL_OK) {
        to->offsets[to->markers] = at;
        if (wr.len)
            memcpy(to->values, wr.data, wr.len);
        memcpy(to->bound, from->bound, from->markers);
        to->unbound = from->unbound;
    }
    cqln_writer_fini(&wr);
    return st;
}

cql_statement *cqln_statement_copy(const cql_statement *from)
{
    cql_statement *to = NULL;
    if (from->prepared)
        to = cql_prepared_bind(from->prepared);
    else if (cql_statement_new(from->cql, from->markers, from->al, &to) != CQL_OK)
        to = NULL;
    if (!to)
        return NULL;
    to->ex = from->ex;
    to->ex.extra = NULL;
    to->ex.routing = NULL;
    cql_str state = {from->paging_state, from->paging_state_len};
    if (copy_values(to, from) == CQL_OK && copy_extra(to, from) == CQL_OK &&
        cqln_routing_copy(to, from) == CQL_OK &&
        cql_statement_set_paging_state(to, state) == CQL_OK)
        return to;
    cql_statement_free(to);
    return NULL;
}
