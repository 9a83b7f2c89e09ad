/* Routing keys: given by hand, of several columns, of batches. */
#include "api/routing.h"

#include "api/options.h"
#include "api/session.h"
#include "base/error.h"
#include "meta/conditional.h"

#include <string.h>

enum { KEY_MAX = 65535, KEY_INSIDE = 512 };

/* --- by hand -------------------------------------------------------------------------------------- */

static cqln_routing *routing_of(const cql_allocator *al, cqln_execution *ex)
{
    if (!ex->routing)
        ex->routing = cqln_alloc_zero(al, sizeof *ex->routing);
    cqln_execution_say(ex, CQLN_SAID_COMMON);
    return ex->routing;
}

void cqln_routing_free(const cql_allocator *al, cqln_routing *r)
{
    if (r)
        cqln_free(al, r->key);
    cqln_free(al, r);
}

/* Room for a key of that size; a batch that is filled again and again asks for none. */
static uint8_t *key_room(const cql_allocator *al, cqln_execution *ex, size_t len)
{
    cqln_routing *r = routing_of(al, ex);
    if (!r || r->cap >= len)
        return r ? r->key : NULL;
    uint8_t *grown = cqln_realloc(al, r->key, len);
    if (grown) {
        r->key = grown;
        r->cap = len;
    }
    return grown;
}

static cql_status set_key(const cql_allocator *al, cqln_execution *ex, const void *key, size_t len,
                          bool by_hand)
{
    if (!key && len)
        return CQL_BAD_ARGUMENT;
    if (len > KEY_MAX)
        return CQL_TOO_LARGE;
    if (!key_room(al, ex, len ? len : 1))
        return CQL_NO_MEMORY;
    if (len)
        memmove(ex->routing->key, key, len);
    ex->routing->len = len;
    ex->routing->has_token = false;
    ex->routing->key_by_hand = by_hand && len > 0;
    return CQL_OK;
}

cql_status cqln_routing_copy(cql_statement *to, const cql_statement *from)
{
    const cqln_routing *r = from->ex.routing;
    if (!r)
        return CQL_OK;
    cql_status st = set_key(to->al, &to->ex, r->key, r->len, r->key_by_hand);
    if (st)
        return st;
    to->ex.routing->token = r->token;
    to->ex.routing->has_token = r->has_token;
    to->ex.routing->keyspace_mark = r->keyspace_mark;
    to->ex.routing->keyspace_by_hand = r->keyspace_by_hand;
    return CQL_OK;
}

static cql_status set_keyspace(const cql_allocator *al, cqln_execution *ex, const char *keyspace)
{
    cqln_routing *r = routing_of(al, ex);
    if (!r)
        return CQL_NO_MEMORY;
    r->keyspace_mark = cqln_keyspace_mark(cql_str_of(keyspace));
    r->keyspace_by_hand = r->keyspace_mark != 0;
    return CQL_OK;
}

cql_status cql_statement_set_routing_key(cql_statement *s, const void *key, size_t len)
{
    return s ? set_key(s->al, &s->ex, key, len, true) : CQL_BAD_ARGUMENT;
}

cql_status cql_statement_set_routing_token(cql_statement *s, int64_t token)
{
    cqln_routing *r = s ? routing_of(s->al, &s->ex) : NULL;
    if (!r)
        return s ? CQL_NO_MEMORY : CQL_BAD_ARGUMENT;
    r->len = 0;
    r->key_by_hand = false;
    r->has_token = true;
    r->token = cqln_token_number(token);
    return CQL_OK;
}

cql_status cql_statement_set_routing_keyspace(cql_statement *s, const char *keyspace)
{
    return s ? set_keyspace(s->al, &s->ex, keyspace) : CQL_BAD_ARGUMENT;
}

cql_status cql_batch_set_routing_key(cql_batch *b, const void *key, size_t len)
{
    return b ? set_key(b->al, &b->ex, key, len, true) : CQL_BAD_ARGUMENT;
}

cql_status cql_batch_set_routing_keyspace(cql_batch *b, const char *keyspace)
{
    return b ? set_keyspace(b->al, &b->ex, keyspace) : CQL_BAD_ARGUMENT;
}

/* [short] length, bytes, 0 */
static uint8_t *put_part(uint8_t *at, cql_str bytes)
{
    cqln_store_u16(at, (uint16_t)bytes.len);
    if (bytes.len)
        memcpy(at + 2, bytes.ptr, bytes.len);
    at[2 + bytes.len] = 0;
    return at + bytes.len + 3;
}

static cql_status check_values(cql_values values, size_t *total)
{
    *total = 0;
    if (values.count == 0 || !values.ptr)
        return CQL_BAD_ARGUMENT;
    for (size_t i = 0; i < values.count; i++) {
        if (cql_value_is_null(&values.ptr[i]))
            return CQL_IS_NULL;
        *total += cql_value_bytes(&values.ptr[i]).len + 3;
        if (*total > KEY_MAX + 3)
            return CQL_TOO_LARGE;
    }
    return CQL_OK;
}

cql_status cql_statement_set_routing_values(cql_statement *s, cql_values values)
{
    size_t total;
    if (!s)
        return CQL_BAD_ARGUMENT;
    cql_status st = check_values(values, &total);
    if (st)
        return st;
    if (values.count == 1) {
        cql_str only = cql_value_bytes(&values.ptr[0]);
        return cql_statement_set_routing_key(s, only.ptr, only.len);
    }
    uint8_t *key = cqln_alloc(s->al, total);
    if (!key)
        return CQL_NO_MEMORY;
    uint8_t *at = key;
    for (size_t i = 0; i < values.count; i++)
        at = put_part(at, cql_value_bytes(&values.ptr[i]));
    st = cql_statement_set_routing_key(s, key, total);
    cqln_free(s->al, key);
    return st;
}

/* --- of a statement ------------------------------------------------------------------------------- */

/* Bytes of the i-th partition key column; false for one that is null or not set. */
static bool key_part(const cql_statement *s, uint32_t i, cql_str *out)
{
    uint32_t marker = s->prepared->bind->pk_index[i];
    const uint8_t *at = s->values + s->offsets[marker];
    uint32_t len = cqln_load_u32(at);
    *out = (cql_str){(const char *)at + 4, len};
    return len <= KEY_MAX && s->offsets[marker + 1] - s->offsets[marker] == len + 4;
}

/* Bytes of the whole key, 0: it has none. */
static size_t key_length(const cql_statement *s)
{
    size_t sum = 0;
    cql_str part = {NULL, 0};
    if (!s->prepared)
        return 0;
    uint32_t count = s->prepared->bind->pk_count;
    for (uint32_t i = 0; i < count; i++) {
        if (!key_part(s, i, &part))
            return 0;
        sum += part.len + 3;
    }
    return count == 1 ? part.len : sum <= KEY_MAX ? sum : 0;
}

static void write_key(const cql_statement *s, uint8_t *out)
{
    uint32_t count = s->prepared->bind->pk_count;
    cql_str part;
    for (uint32_t i = 0; i < count; i++) {
        key_part(s, i, &part);
        if (count == 1)
            memcpy(out, part.ptr, part.len);
        else
            out = put_part(out, part);
    }
}

static void take_token(uint8_t partitioner, const void *key, size_t len, uint64_t keyspace,
                       cqln_route *out)
{
    out->token = cqln_token_of((cqln_partitioner)partitioner, key, len);
    out->keyspace_mark = keyspace;
    out->has_token = true;
}

/* Keys that are longer than the stack should hold have memory of their own for a moment. */
static void route_by_values(const cql_statement *s, uint8_t partitioner, uint64_t keyspace,
                            cqln_route *out)
{
    uint8_t inside[KEY_INSIDE];
    size_t len = key_length(s);
    if (len == 0)
        return;
    uint8_t *key = len <= sizeof inside ? inside : cqln_alloc(s->al, len);
    if (!key)
        return;
    write_key(s, key);
    take_token(partitioner, key, len, keyspace, out);
    if (key != inside)
        cqln_free(s->al, key);
}

void cqln_route_slowly(cqln_cluster *c, const cql_statement *s, uint8_t partitioner,
                       cqln_route *out)
{
    const cqln_routing *r = s->ex.routing;
    uint64_t keyspace = s->prepared ? s->prepared->keyspace_mark : 0;
    (void)c;
    if (r && r->keyspace_mark)
        keyspace = r->keyspace_mark;
    else if (!s->prepared && s->ex.extra && s->ex.extra->keyspace)
        keyspace = cqln_keyspace_mark(cql_str_of(s->ex.extra->keyspace));
    if (s->prepared)
        out->conditional = out->conditional || s->prepared->conditional;
    else if (r && r->len)
        out->conditional = out->conditional || cqln_cql_conditional(cql_str_of(s->cql));
    if (r && r->has_token) {
        out->token = r->token;
        out->keyspace_mark = keyspace;
        out->has_token = partitioner == CQLN_PARTITIONER_MURMUR3;
    } else if (r && r->len)
        take_token(partitioner, r->key, r->len, keyspace, out);
    else
        route_by_values(s, partitioner, keyspace, out);
}

/* --- of a batch ----------------------------------------------------------------------------------- */

cql_status cqln_routing_add(cql_batch *b, const cql_statement *s)
{
    const cqln_routing *own = s->ex.routing;
    size_t len = own && own->len ? own->len : key_length(s);
    bool has_key = (b->ex.routing && b->ex.routing->len) || len == 0;
    uint8_t *key = has_key ? NULL : key_room(b->al, &b->ex, len);
    if (!has_key && !key)
        return CQL_NO_MEMORY;
    if (has_key)
        return CQL_OK;
    if (own && own->len)
        memcpy(key, own->key, len);
    else
        write_key(s, key);
    b->ex.routing->len = len;
    b->ex.routing->key_by_hand = false;
    if (!b->ex.routing->keyspace_by_hand)
        b->ex.routing->keyspace_mark = own && own->keyspace_mark ? own->keyspace_mark
                                       : s->prepared             ? s->prepared->keyspace_mark
                                                                 : 0;
    return CQL_OK;
}

void cqln_routing_clear(cql_batch *b)
{
    cqln_routing *r = b->ex.routing;
    if (!r)
        return;
    if (!r->key_by_hand)
        r->len = 0;
    if (!r->keyspace_by_hand)
        r->keyspace_mark = 0;
}

void cqln_route_batch(cqln_cluster *c, const cql_batch *b, cqln_route *out)
{
    const cqln_routing *r = b->ex.routing;
    uint8_t partitioner = atomic_load_explicit(&c->router.partitioner, memory_order_relaxed);
    cqln_route_level(c, b->ex.consistency, out);
    out->conditional = out->conditional || b->conditional;
    if (partitioner && r && r->len)
        take_token(partitioner, r->key, r->len, r->keyspace_mark, out);
}

/* --- options -------------------------------------------------------------------------------------- */

cql_status cql_options_set_balancing_policy(cql_options *o, const cql_balancing_policy *policy)
{
    if (!o || (policy && policy->size < sizeof *policy))
        return CQL_BAD_ARGUMENT;
    o->config.balancing = policy ? *policy : (cql_balancing_policy){0};
    return CQL_OK;
}
