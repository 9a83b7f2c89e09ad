/* Tokens and replicas: what discovery found becomes a ring, and the placements of keyspaces on it. What is not
 * known, broken or too large costs the knowledge of replicas, never the use of the nodes. */
#include "cluster/quick.h"

#include <string.h>

enum { NODE_TOKENS = 4096 };

/* --- what discovery found ------------------------------------------------------------------------- */

void cqln_router_take_partitioner(cqln_cluster *c, cql_str class_name)
{
    c->router.ring_partitioner = cqln_partitioner_of(class_name);
}

void cqln_router_take_tokens(cqln_cluster *c, cqln_node *n, const cql_value *tokens,
                             const cql_type *type)
{
    cql_items it;
    cql_value item;
    cql_str bytes = cql_value_bytes(tokens);
    uint64_t mark = (uint64_t)cqln_murmur3(bytes.ptr, bytes.len) | 1;
    bool usable = type && (type->id == CQL_TYPE_SET || type->id == CQL_TYPE_LIST) &&
                  cql_items_init(&it, type, tokens) == CQL_OK;
    if (!usable || cql_value_is_null(tokens) || it.count == 0) {
        n->token_count = 0;
        n->token_mark = 0;
        return;
    }
    if (n->token_mark == mark)
        return;
    uint32_t max = it.count < NODE_TOKENS ? it.count : NODE_TOKENS;
    cqln_token *room = cqln_realloc_array(c->al, n->tokens, max, sizeof *room);
    n->token_count = 0;
    n->token_mark = 0;
    if (!room)
        return;
    n->tokens = room;
    while (n->token_count < max && cql_items_next(&it, NULL, &item))
        n->token_count += cqln_token_parse(c->router.ring_partitioner, cql_value_bytes(&item),
                                           &n->tokens[n->token_count]);
    n->token_mark = mark;
}

void cqln_router_take_keyspaces(cqln_cluster *c, const cql_result *res)
{
    cql_result *kept = cql_result_ref(res);
    if (!kept)
        return; /* the older rows serve on */
    cql_result_unref(c->router.keyspaces);
    c->router.keyspaces = kept;
}

/* --- ring and placements -------------------------------------------------------------------------- */

static uint64_t mix(uint64_t sum, uint64_t v)
{
    return (sum ^ v) * 0x9e3779b97f4a7c15u + (sum >> 29);
}

static uint64_t mix_text(uint64_t sum, const char *text)
{
    return mix(sum, (uint64_t)cqln_murmur3(text, strlen(text)));
}

static uint64_t mark_of_nodes(const cqln_router *r)
{
    uint64_t sum = r->ring_partitioner;
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const cqln_node *n = r->nodes[i];
        sum = mix(mix(mix_text(mix_text(sum, n->data_center), n->rack), n->token_mark), n->id);
        sum = mix(sum, n->near);
    }
    return sum | 1;
}

static cql_status make_ring(cqln_cluster *c, cqln_ring **out)
{
    cqln_router *r = &c->router;
    cqln_member *members = cqln_alloc_array(c->al, r->peers.count, sizeof *members);
    *out = NULL;
    if (!members)
        return CQL_NO_MEMORY;
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const cqln_node *n = r->nodes[i];
        members[i] = (cqln_member){cql_str_of(n->data_center), cql_str_of(n->rack), n->tokens,
                                   n->token_count, n->near == cqln_router_nearest(c)};
    }
    cql_status st = cqln_ring_new(c->al, r->ring_partitioner, members, r->peers.count, out);
    cqln_free(c->al, members);
    return st;
}

static void refresh_ring(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    uint64_t mark = mark_of_nodes(r);
    cqln_ring *ring;
    if (mark == r->ring_mark)
        return;
    r->keyspace_mark = 0;
    r->ring_mark = mark;
    cql_status st = make_ring(c, &ring);
    cqln_router_use(c, ring, NULL);
    if (st)
        CQLN_LOG(c->loop.log, st == CQL_UNSUPPORTED ? CQL_LOG_INFO : CQL_LOG_WARN,
                 "requests go to nodes in turn, not to replicas: the ring of tokens is not known "
                 "(partitioner %s; %s)",
                 cqln_partitioner_name(r->ring_partitioner), cql_status_text(st));
}

static bool read_replication(const cql_value *v, const cql_type *type, cqln_replication *out)
{
    cql_items it;
    cql_value key, value;
    cqln_replication_init(out);
    if (!type || type->id != CQL_TYPE_MAP || cql_value_is_null(v) ||
        cql_items_init(&it, type, v) != CQL_OK)
        return false;
    while (cql_items_next(&it, &key, &value))
        cqln_replication_add(out, cql_value_bytes(&key), cql_value_bytes(&value));
    cqln_replication_end(out);
    return cql_items_status(&it) == CQL_OK;
}

static cql_status fill_map(cqln_router *r, cqln_tokenmap *m)
{
    const cql_result *res = r->keyspaces;
    size_t name, rule;
    cql_rows rows;
    cql_status st = CQL_OK;
    if (cql_result_column_index(res, "keyspace_name", &name) != CQL_OK ||
        cql_result_column_index(res, "replication", &rule) != CQL_OK)
        return CQL_MALFORMED;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        cqln_replication rep;
        cql_value v = cql_rows_value(&rows, rule);
        if (!read_replication(&v, cql_result_column_type(res, rule), &rep))
            continue;
        cql_status one = cqln_tokenmap_add(m, cql_rows_str(&rows, name), &rep, r->map);
        if (one == CQL_NO_MEMORY)
            return one;
        st = one ? one : st;
    }
    return st;
}

static uint64_t mark_of_keyspaces(const cqln_router *r)
{
    const cql_str rows = r->keyspaces->rows.rows;
    return mix(r->ring_mark, (uint64_t)cqln_murmur3(rows.ptr, rows.len)) | 1;
}

static void drop_map(cqln_cluster *c)
{
    cqln_router_set_map(c, NULL);
    c->router.keyspace_mark = 0;
}

static void refresh_map(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    cqln_tokenmap *m;
    if (!r->ring || !r->keyspaces) {
        drop_map(c);
        return;
    }
    uint64_t mark = mark_of_keyspaces(r);
    if (mark == r->keyspace_mark)
        return;
    cql_status st = cqln_tokenmap_new(r->ring, cql_result_row_count(r->keyspaces), &m);
    if (st == CQL_OK)
        st = fill_map(r, m);
    if (st)
        CQLN_LOG(c->loop.log, CQL_LOG_WARN, "the replicas of some keyspaces are not known: %s",
                 cql_status_text(st));
    cqln_router_set_map(c, m);
    r->keyspace_mark = st == CQL_NO_MEMORY ? 0 : mark;
}

void cqln_router_place(cqln_cluster *c)
{
    refresh_ring(c);
    refresh_map(c);
}
