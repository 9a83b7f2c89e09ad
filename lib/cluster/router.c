/* Tokens, replicas and distances: brought up to date after every discovery. What is not known, broken or
 * too large costs the knowledge of replicas, never the use of the nodes. */
#include "cluster/router.h"

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/slots.h"
#include "cluster/team.h"

#include <stdio.h>
#include <string.h>

enum { NODE_TOKENS = 4096 };

/* --- allow and deny lists ------------------------------------------------------------------------- */

static cql_str next_word(cql_str *text)
{
    while (text->len && (text->ptr[0] == ',' || text->ptr[0] == ' '))
        *text = (cql_str){text->ptr + 1, text->len - 1};
    cql_str word = {text->ptr, 0};
    while (word.len < text->len && text->ptr[word.len] != ',' && text->ptr[word.len] != ' ')
        word.len++;
    if (word.len)
        *text = (cql_str){text->ptr + word.len, text->len - word.len};
    return word;
}

/* An address, or the host id of a node behind a proxy. */
static bool parse_rule(cql_str word, cqln_address *out)
{
    cql_uuid id;
    cql_str host;
    uint16_t port;
    if (cql_uuid_parse(word, &id) == CQL_OK) {
        *out = cqln_address_of_id(&id);
        return true;
    }
    return cqln_split_host_port(word, &host, &port) && cqln_address_parse(out, host, port);
}

/* What is no address is left out, with a word in the log. */
static cql_status parse_rules(cqln_cluster *c, const char *option, const char *text,
                              cqln_host_rules *out)
{
    cql_str rest = cql_str_of(text), word;
    while ((word = next_word(&rest)).len) {
        cqln_host_rule rule;
        if (!parse_rule(word, &rule.address)) {
            char shown[100];
            cqln_escape(shown, sizeof shown, word);
            CQLN_LOG(c->loop.log, CQL_LOG_WARN, "option %s: \"%s\" is no address", option, shown);
            continue;
        }
        cqln_host_rule *grown =
            cqln_realloc_array(c->al, out->rules, out->count + 1, sizeof *grown);
        if (!grown)
            return CQL_NO_MEMORY;
        out->rules = grown;
        out->rules[out->count++] = rule;
    }
    return CQL_OK;
}

static bool named(const cqln_host_rules *r, const cqln_address *a)
{
    for (size_t i = 0; i < r->count; i++) {
        cqln_address rule = r->rules[i].address;
        if (rule.port == 0 && !rule.is_id)
            rule.port = a->port;
        if (cqln_address_equal(&rule, a))
            return true;
    }
    return false;
}

/* --- life ----------------------------------------------------------------------------------------- */

cql_status cqln_router_init(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    r->random = cqln_rand_next(&c->rand);
    r->age = 1;
    r->levels = c->config->used_hosts_per_remote_dc || c->config->balancing.plan;
    r->peers.load = cqln_router_load;
    r->peers.context = c;
    cql_status st = parse_rules(c, "allow_hosts", c->config->allow_hosts, &r->allow);
    return st ? st : parse_rules(c, "deny_hosts", c->config->deny_hosts, &r->deny);
}

void cqln_router_turn(cqln_cluster *c)
{
    c->router.age += c->router.age == UINT32_MAX ? 2 : 1; /* never 0 */
    cqln_cluster_settle(c);
}

/* Of the ring that is used; taken over. */
static void set_map(cqln_cluster *c, cqln_tokenmap *map)
{
    cqln_router *r = &c->router;
    cqln_tokenmap_unref(r->map);
    r->map = map;
    r->last_mark = 0;
    atomic_store_explicit(&r->whole_mark, 0, memory_order_relaxed);
    r->quick = map && c->config->replica_choice == CQLN_CHOICE_LEAST_BUSY &&
               !c->config->balancing.plan;
    atomic_store_explicit(&r->partitioner, (uint8_t)(map ? r->ring->partitioner : 0),
                          memory_order_relaxed);
    cqln_router_turn(c);
}

void cqln_router_use(cqln_cluster *c, cqln_ring *ring, cqln_tokenmap *map)
{
    pthread_mutex_lock(&c->view_lock);
    cqln_ring *old = c->router.ring;
    c->router.ring = ring;
    pthread_mutex_unlock(&c->view_lock);
    cqln_ring_unref(old);
    set_map(c, map);
}

cqln_ring *cqln_router_ring(cqln_cluster *c)
{
    pthread_mutex_lock(&c->view_lock);
    cqln_ring *r = c->router.ring ? cqln_ring_ref(c->router.ring) : NULL;
    pthread_mutex_unlock(&c->view_lock);
    return r;
}

static void drop_map(cqln_cluster *c)
{
    set_map(c, NULL);
    c->router.keyspace_mark = 0;
}

static void drop_ring(cqln_cluster *c)
{
    cqln_router_use(c, NULL, NULL);
    c->router.keyspace_mark = 0;
    c->router.ring_mark = 0;
}

static const uint32_t none_in_flight = 0;

static void set_near(cqln_router *r, uint32_t count)
{
    if (!r->near)
        return; /* no node is known yet */
    for (uint32_t i = 0; i < count; i++)
        r->near[i] = r->heads[r->peers.ready[i]];
    r->near_count = count ? count : 1;
    if (count == 0)
        r->near[0] = (cqln_head){NULL, &none_in_flight};
}

static void set_lone(cqln_cluster *c, cqln_link *link)
{
    if (link == c->router.lone)
        return;
    c->router.lone = link;
    cqln_router_turn(c);
}

void cqln_router_forget(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    drop_ring(c);
    r->peers.count = 0;
    set_lone(c, NULL);
    memset(r->peers.ends, 0, sizeof r->peers.ends);
    set_near(r, 0);
}

void cqln_router_fini(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    cqln_router_forget(c);
    cql_result_unref(r->keyspaces);
    cqln_free(c->al, r->nodes);
    cqln_free(c->al, r->peers.peer);
    cqln_free(c->al, r->peers.ready);
    cqln_free(c->al, r->shown);
    cqln_free(c->al, r->heads);
    cqln_free(c->al, r->near);
    cqln_free(c->al, r->allow.rules);
    cqln_free(c->al, r->deny.rules);
}

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

/* --- how far -------------------------------------------------------------------------------------- */

static cqln_near plain_distance(cqln_cluster *c, const cqln_node *n)
{
    const cqln_config *config = c->config;
    if (!c->local_dc || !n->data_center[0] || strcmp(n->data_center, c->local_dc) == 0)
        return config->local_rack && strcmp(n->rack, config->local_rack) == 0 ? CQLN_NEAR_RACK
                                                                                : CQLN_NEAR_LOCAL;
    uint32_t used = 0;
    for (const cqln_node *m = c->nodes; m && m != n; m = m->next)
        used += !m->removed && m->near == CQLN_NEAR_REMOTE &&
                strcmp(m->data_center, n->data_center) == 0;
    return used < config->used_hosts_per_remote_dc ? CQLN_NEAR_REMOTE : CQLN_NEAR_IGNORED;
}

bool cqln_router_denied(const cqln_cluster *c, const cqln_address *a)
{
    const cqln_router *r = &c->router;
    return (c->config->allow_hosts && !named(&r->allow, a)) || named(&r->deny, a);
}

static cql_distance distance_of(cqln_near near)
{
    return near <= CQLN_NEAR_LOCAL     ? CQL_DISTANCE_LOCAL
           : near == CQLN_NEAR_REMOTE ? CQL_DISTANCE_REMOTE
                                      : CQL_DISTANCE_IGNORED;
}

static cql_balancing_node show(const cqln_cluster *c, const cqln_node *n)
{
    return (cql_balancing_node){
        .size = sizeof(cql_balancing_node),
        .address = n->address_text,
        .data_center = n->data_center,
        .rack = n->rack,
        .host_id = n->host_id,
        .distance = distance_of(n->near),
        .local_rack = c->config->local_rack && strcmp(n->rack, c->config->local_rack) == 0,
        .up = n->usable > 0,
        .slow = n->slow,
    };
}

static void ask_distance(cqln_cluster *c, cqln_node *n)
{
    const cql_balancing_policy *policy = &c->config->balancing;
    if (!policy->distance)
        return;
    cql_balancing_node seen = show(c, n);
    switch (policy->distance(policy->self, &seen)) {
    case CQL_DISTANCE_LOCAL:
        n->near = seen.local_rack ? CQLN_NEAR_RACK : CQLN_NEAR_LOCAL;
        break;
    case CQL_DISTANCE_REMOTE:
        n->near = CQLN_NEAR_REMOTE;
        break;
    case CQL_DISTANCE_IGNORED:
        n->near = CQLN_NEAR_IGNORED;
        break;
    }
}

static void set_distances(cqln_cluster *c)
{
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (n->removed)
            continue;
        if (cqln_router_denied(c, &n->address)) {
            n->near = CQLN_NEAR_IGNORED;
        } else {
            n->near = plain_distance(c, n);
            ask_distance(c, n);
        }
        n->local = n->near != CQLN_NEAR_IGNORED;
        cqln_slots_suit(n);
        if (!n->local)
            cqln_slots_leave(n, "the node is not one of those that are used");
    }
}

/* --- nodes by index ------------------------------------------------------------------------------- */

static bool room_for(cqln_cluster *c, uint32_t count)
{
    cqln_router *r = &c->router;
    if (count <= r->node_cap)
        return true;
    size_t cap = (size_t)count + 8;
    cqln_node **nodes = cqln_realloc_array(c->al, r->nodes, cap, sizeof *nodes);
    r->nodes = nodes ? nodes : r->nodes;
    cqln_peer *peer = cqln_realloc_array(c->al, r->peers.peer, cap, sizeof *peer);
    r->peers.peer = peer ? peer : r->peers.peer;
    uint16_t *ready = cqln_realloc_array(c->al, r->peers.ready, cap, sizeof *ready);
    r->peers.ready = ready ? ready : r->peers.ready;
    cql_balancing_node *shown = cqln_realloc_array(c->al, r->shown, cap, sizeof *shown);
    r->shown = shown ? shown : r->shown;
    cqln_head *heads = cqln_realloc_array(c->al, r->heads, cap, sizeof *heads);
    r->heads = heads ? heads : r->heads;
    cqln_head *near = cqln_realloc_array(c->al, r->near, cap, sizeof *near);
    r->near = near ? near : r->near;
    if (!nodes || !peer || !ready || !shown || !heads || !near)
        return false;
    r->node_cap = (uint32_t)cap;
    return true;
}

static uint32_t list_nodes(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    uint32_t count = 0;
    for (cqln_node *n = c->nodes; n; n = n->next)
        count += !n->removed;
    if (count > CQLN_RING_MEMBERS || !room_for(c, count))
        return 0;
    count = 0;
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (n->removed)
            continue;
        n->index = count;
        r->nodes[count++] = n;
    }
    return count;
}

/* How near nodes can be. */
static cqln_near nearest(const cqln_cluster *c)
{
    return c->config->local_rack ? CQLN_NEAR_RACK : CQLN_NEAR_LOCAL;
}

/* Is it as good a choice as any? */
static bool likely(const cqln_cluster *c, const cqln_peer *p)
{
    return p->near == nearest(c) && p->up && !p->slow && !p->room;
}

cqln_link *cqln_router_of_two(cqln_cluster *c, uint32_t one, uint32_t other)
{
    const cqln_router *r = &c->router;
    if (!likely(c, &r->peers.peer[one]) || !likely(c, &r->peers.peer[other]))
        return NULL;
    bool less = cqln_router_load(c, other) < cqln_router_load(c, one);
    return cqln_nodes_pick(c, r->nodes[less ? other : one], NULL);
}

static void set_head(cqln_cluster *c, uint32_t index)
{
    cqln_router *r = &c->router;
    const cqln_peer *p = &r->peers.peer[index];
    const cqln_slot *sole = r->nodes[index]->sole;
    bool simple = sole && likely(c, p);
    r->heads[index] = (cqln_head){simple ? sole->link : NULL,
                                  simple ? cqln_conn_in_flight_at(sole->link->conn) : &none_in_flight};
}

void cqln_router_set_heads(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    for (uint32_t i = 0; i < r->peers.count; i++)
        set_head(c, i);
    set_near(r, r->peers.ends[nearest(c)]);
}

void cqln_router_recount(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    uint32_t at = 0;
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const cqln_node *n = r->nodes[i];
        r->peers.peer[i] = (cqln_peer){(uint8_t)n->near, n->usable > 0 && n->local, n->slow, n->room};
        r->shown[i] = show(c, n);
    }
    for (uint8_t near = CQLN_NEAR_RACK; near <= CQLN_NEAR_REMOTE; near++) {
        for (uint32_t i = 0; i < r->peers.count; i++)
            if (r->peers.peer[i].up && r->peers.peer[i].near == near)
                r->peers.ready[at++] = (uint16_t)i;
        r->peers.ends[near] = at;
    }
    cqln_router_set_heads(c);
    bool one = c->ready_count == 1 && c->ready[0]->near <= CQLN_NEAR_LOCAL;
    const cqln_slot *lone = one && !c->config->balancing.plan ? c->ready[0]->sole : NULL;
    set_lone(c, lone ? lone->link : NULL);
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
                                   n->token_count, n->near == nearest(c)};
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
    set_map(c, m);
    r->keyspace_mark = st == CQL_NO_MEMORY ? 0 : mark;
}

void cqln_router_unlist(cqln_cluster *c)
{
    c->router.peers.count = 0;
    c->router.last_mark = 0;
    cqln_router_turn(c);
}

void cqln_router_refresh(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    set_distances(c);
    cqln_router_unlist(c);
    r->peers.count = list_nodes(c);
    atomic_store_explicit(&r->single, r->peers.count == 1 && !r->levels, memory_order_relaxed);
    cqln_router_turn(c);
    if (r->peers.count == 0)
        drop_ring(c);
    cqln_nodes_recount(c);
    if (cqln_team_follows(c)) {
        cqln_team_adopt(c);
        return;
    }
    if (r->peers.count == 0 || !c->config->token_aware)
        return;
    refresh_ring(c);
    refresh_map(c);
}

cql_error *cqln_router_check(cqln_cluster *c)
{
    char seen[300] = "", *at = seen;
    for (const cqln_node *n = c->nodes; n; n = n->next) {
        if (n->local)
            return NULL;
        size_t room = sizeof seen - (size_t)(at - seen);
        int made = snprintf(at, room, "%s%s", at == seen ? "" : ", ", n->address_text);
        if (made > 0 && (size_t)made < room)
            at += made;
    }
    cqln_error_info info = {.status = CQL_BAD_ARGUMENT};
    return cqln_error_make(c->al, &info, NULL, 0,
                           "none of the cluster's nodes may be used: the options allow_hosts, "
                           "deny_hosts or the balancing policy leave out all of: %s",
                           seen);
}
