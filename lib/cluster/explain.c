/* The plan of a request as an object for people: built on the loop's thread, read on any. */
#include "base/error.h"
#include "cluster/cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SUMMARY_MAX = 300, REPLICATION_MAX = 400, ORDER_MAX = 1024 };

struct cql_plan {
    const cql_allocator *al;
    size_t count;
    cql_plan_node *rows;
    char *strings; /* of the rows */
    char token[CQLN_TOKEN_TEXT];
    char *keyspace;
    char replication[REPLICATION_MAX];
    char summary[SUMMARY_MAX];
    cqln_writer text;
    cqln_writer json;
};

/* --- text ----------------------------------------------------------------------------------------- */

static void put(cqln_writer *wr, const char *text)
{
    cqln_write_bytes(wr, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void putf(cqln_writer *wr, const char *format, ...)
{
    char line[600];
    va_list args;
    va_start(args, format);
    cql_str made = cqln_format(line, sizeof line, format, args);
    va_end(args);
    cqln_write_bytes(wr, made.ptr, made.len);
}

/* Names come from the server and were escaped when they were taken: only quotes are left to do. */
static void put_json(cqln_writer *wr, const char *name, const char *value)
{
    putf(wr, "\"%s\":\"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            cqln_write_u8(wr, '\\');
        cqln_write_u8(wr, (uint8_t)*value);
    }
    put(wr, "\"");
}

static const char *word(bool is)
{
    return is ? "true" : "false";
}

static const char *distance_word(cql_distance d)
{
    static const char *const words[] = {"local", "remote", "ignored"};
    return words[d];
}

static void write_text(cql_plan *p)
{
    cqln_writer *wr = &p->text;
    if (p->token[0])
        putf(wr, "token %s in keyspace %s (%s)\n", p->token, p->keyspace, p->replication);
    putf(wr, "%s\n", p->summary);
    for (size_t i = 0; i < p->count; i++) {
        const cql_plan_node *n = &p->rows[i];
        if (n->tried)
            putf(wr, "%3zu. ", i + 1);
        else
            put(wr, "  -  ");
        putf(wr, "%-21s %s/%s: %s, %u in flight", n->address, n->data_center, n->rack, n->reason,
             n->in_flight);
        if (n->latency_us)
            putf(wr, ", %llu us a request", (unsigned long long)n->latency_us);
        put(wr, "\n");
    }
    cqln_write_u8(wr, 0);
}

static void write_json_row(cqln_writer *wr, const cql_plan_node *n)
{
    put(wr, "{");
    put_json(wr, "address", n->address);
    put(wr, ",");
    put_json(wr, "data_center", n->data_center);
    put(wr, ",");
    put_json(wr, "rack", n->rack);
    put(wr, ",");
    put_json(wr, "distance", distance_word(n->distance));
    putf(wr, ",\"replica\":%s,\"up\":%s,\"tried\":%s,\"in_flight\":%u,\"latency_us\":%llu,",
         word(n->replica), word(n->up), word(n->tried), n->in_flight,
         (unsigned long long)n->latency_us);
    put_json(wr, "reason", n->reason);
    put(wr, "}");
}

static void write_json(cql_plan *p)
{
    cqln_writer *wr = &p->json;
    put(wr, "{");
    put_json(wr, "token", p->token);
    put(wr, ",");
    put_json(wr, "keyspace", p->keyspace);
    put(wr, ",");
    put_json(wr, "replication", p->replication);
    put(wr, ",");
    put_json(wr, "summary", p->summary);
    put(wr, ",\"nodes\":[");
    for (size_t i = 0; i < p->count; i++) {
        if (i)
            put(wr, ",");
        write_json_row(wr, &p->rows[i]);
    }
    put(wr, "]}");
    cqln_write_u8(wr, 0);
}

/* --- what it goes by ------------------------------------------------------------------------------ */

static const char *why_no_replicas(cqln_cluster *c, const cqln_route *route,
                                   const cqln_keyspace *k)
{
    if (!c->config->token_aware)
        return "the option token_aware is off";
    if (!c->router.ring)
        return "the ring of tokens is not known";
    if (c->router.peers.count < 2)
        return "there is one node only";
    if (!route->has_token)
        return "the statement has no known routing key";
    if (!k)
        return "the keyspace is not known";
    if (k->placement->everywhere)
        return "every node has every row";
    return "the keyspace has no replicas on the ring";
}

static void describe(cqln_cluster *c, const cqln_route *route, const cql_profile *profile,
                     const cqln_keyspace *k, bool replicas, char out[SUMMARY_MAX])
{
    static const char *const choices[] = {"the less busy of two replicas drawn at random",
                                          "a replica drawn at random",
                                          "the replicas in the order of the ring"};
    const cqln_config *config = c->config;
    const char *local = c->local_dc ? c->local_dc : "";
    if (profile && profile->local_dc)
        snprintf(out, SUMMARY_MAX, "nodes of the data centre \"%s\" alone, as the profile says", profile->local_dc);
    else if (profile || config->balancing.plan)
        snprintf(out, SUMMARY_MAX, "the order is that of the program's policy");
    else if (!replicas)
        snprintf(out, SUMMARY_MAX, "nodes of the local data centre \"%s\" in turn: %s", local,
                 why_no_replicas(c, route, k));
    else
        snprintf(out, SUMMARY_MAX, "replicas in the local data centre \"%s\" first: %s%s", local,
                 choices[route->conditional ? CQLN_CHOICE_RING : config->replica_choice],
                 route->conditional ? ", since it is a conditional statement" : "");
}

static const char *place_words(const cqln_reason *why, bool everywhere)
{
    static const char *const replica[] = {"replica in the local rack",
                                          "replica in the local data centre",
                                          "replica in a remote data centre", "replica"};
    static const char *const other[] = {"no replica, in the local rack",
                                        "no replica, in the local data centre",
                                        "no replica, in a remote data centre", "no replica"};
    static const char *const any[] = {"in the local rack", "in the local data centre",
                                      "in a remote data centre", "ignored"};
    return everywhere ? any[why->near] : why->replica ? replica[why->near] : other[why->near];
}

static const char *why_not(cqln_cluster *c, const cqln_node *n, const cqln_wish *wish,
                           const cql_profile *profile)
{
    if (profile && profile->local_dc && strcmp(n->data_center, profile->local_dc) != 0)
        return "not in the data centre of the profile";
    if (cqln_router_denied(c, &n->address))
        return "left out by allow_hosts or deny_hosts";
    if (n->near == CQLN_NEAR_IGNORED && c->config->balancing.distance)
        return "ignored by the program's policy";
    if (n->near == CQLN_NEAR_IGNORED)
        return "in a remote data centre that is not used (option used_hosts_per_remote_dc)";
    if (n->usable == 0)
        return n->last_reason[0] ? n->last_reason : "down: no connection yet";
    if (n->near == CQLN_NEAR_REMOTE && wish->local_only)
        return "remote, and the consistency level is local (option remote_dcs_for_local_levels)";
    return "not named by the program's policy";
}

/* --- building ------------------------------------------------------------------------------------- */

typedef struct builder {
    cqln_cluster *c;
    cql_plan *plan;
    const cql_profile *profile; /* NULL: none says which nodes */
    cqln_wish wish;
    char *at; /* in plan->strings */
    size_t room;
} builder;

static const char *keep(builder *b, const char *text)
{
    size_t n = strlen(text);
    n = n < b->room - 1 ? n : b->room - 1;
    char *copy = memcpy(b->at, text, n);
    copy[n] = '\0';
    b->at += n + 1;
    b->room -= n + 1;
    return copy;
}

static size_t string_room(const cqln_router *r)
{
    size_t sum = 1;
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const cqln_node *n = r->nodes[i];
        sum += strlen(n->address_text) + strlen(n->data_center) + strlen(n->rack) + 300;
    }
    return sum;
}

static bool is_replica(const builder *b, uint32_t node)
{
    for (uint32_t i = 0; i < b->wish.replica_count; i++)
        if (b->wish.replicas[i] == node)
            return true;
    return false;
}

static void add_row(builder *b, uint32_t node, bool tried, const char *reason)
{
    const cqln_node *n = b->c->router.nodes[node];
    cql_plan_node *row = &b->plan->rows[b->plan->count++];
    row->address = keep(b, n->address_text);
    row->data_center = keep(b, n->data_center);
    row->rack = keep(b, n->rack);
    row->distance = n->near <= CQLN_NEAR_LOCAL     ? CQL_DISTANCE_LOCAL
                    : n->near == CQLN_NEAR_REMOTE ? CQL_DISTANCE_REMOTE
                                                  : CQL_DISTANCE_IGNORED;
    row->replica = is_replica(b, node);
    row->up = n->usable > 0;
    row->tried = tried;
    row->in_flight = cqln_router_load(b->c, node);
    row->latency_us = n->pace.mean_us;
    row->reason = keep(b, reason);
}

static bool has_row(const builder *b, uint32_t node)
{
    const char *address = b->c->router.nodes[node]->address_text;
    for (size_t i = 0; i < b->plan->count; i++)
        if (strcmp(b->plan->rows[i].address, address) == 0)
            return true;
    return false;
}

static void add_own(builder *b)
{
    cqln_plan plan;
    cqln_reason why;
    uint32_t node;
    cqln_plan_begin(&plan, &b->c->router.peers, &b->wish);
    while (cqln_plan_next(&plan, &node, &why)) {
        char reason[120];
        snprintf(reason, sizeof reason, "%s%s", place_words(&why, b->wish.replica_count == 0),
                 why.slow ? ", slow" : "");
        add_row(b, node, true, reason);
    }
}

static void add_policys(builder *b, const cqln_route *route)
{
    uint16_t order[ORDER_MAX];
    bool center = b->profile && b->profile->local_dc;
    size_t n = cqln_router_ask(b->c, b->profile, route, 0, order, ORDER_MAX);
    for (size_t i = 0; i < n; i++)
        if (order[i] < b->c->router.peers.count && b->c->router.peers.peer[order[i]].up &&
            !has_row(b, order[i]))
            add_row(b, order[i], true,
                    center ? "in the data centre of the profile" : "named by the program's policy");
}

static void add_rest(builder *b)
{
    for (uint32_t i = 0; i < b->c->router.peers.count; i++)
        if (!has_row(b, i))
            add_row(b, i, false, why_not(b->c, b->c->router.nodes[i], &b->wish, b->profile));
}

static void add_key(builder *b, const cqln_route *route, const cqln_keyspace *k)
{
    cql_plan *p = b->plan;
    const cqln_router *r = &b->c->router;
    if (route->has_token && r->ring)
        cqln_token_print(r->ring->partitioner, route->token, p->token);
    if (k)
        cqln_replication_print(&k->placement->replication, p->replication, sizeof p->replication);
    describe(b->c, route, b->profile, k, b->wish.replica_count > 0, p->summary);
}

static bool make_room(builder *b, const cqln_keyspace *k)
{
    const cqln_router *r = &b->c->router;
    const cql_allocator *al = b->c->al;
    cql_plan *p = cqln_alloc_zero(al, sizeof *p);
    b->plan = p;
    if (!p)
        return false;
    p->al = al;
    cqln_writer_init(&p->text, al, (size_t)1 << 28);
    cqln_writer_init(&p->json, al, (size_t)1 << 28);
    b->room = string_room(r);
    b->at = p->strings = cqln_alloc(al, b->room);
    p->rows = cqln_alloc_array(al, r->peers.count, sizeof *p->rows);
    size_t name = k ? cqln_escaped_size(400, k->name) : 1;
    p->keyspace = cqln_alloc_zero(al, name);
    if (p->keyspace && k)
        cqln_escape(p->keyspace, name, k->name);
    return p->strings && p->rows && p->keyspace;
}

cql_plan *cqln_router_explain(cqln_cluster *c, const cqln_route *route, const cql_profile *profile)
{
    const cqln_keyspace *k = cqln_router_keyspace(c, route);
    builder b = {.c = c, .profile = profile};
    if (!make_room(&b, k)) {
        cql_plan_free(b.plan);
        return NULL;
    }
    cqln_router_wish(c, route, &b.wish);
    if (profile || c->config->balancing.plan)
        add_policys(&b, route);
    else
        add_own(&b);
    add_rest(&b);
    add_key(&b, route, k);
    write_text(b.plan);
    write_json(b.plan);
    if (b.plan->text.status || b.plan->json.status) {
        cql_plan_free(b.plan);
        return NULL;
    }
    return b.plan;
}

/* --- reading -------------------------------------------------------------------------------------- */

void cql_plan_free(cql_plan *p)
{
    if (!p)
        return;
    cqln_free(p->al, p->rows);
    cqln_free(p->al, p->strings);
    cqln_free(p->al, p->keyspace);
    cqln_writer_fini(&p->text);
    cqln_writer_fini(&p->json);
    cqln_free(p->al, p);
}

size_t cql_plan_count(const cql_plan *p)
{
    return p->count;
}

bool cql_plan_at(const cql_plan *p, size_t i, cql_plan_node *out)
{
    if (i >= p->count)
        return false;
    *out = p->rows[i];
    return true;
}

const char *cql_plan_token(const cql_plan *p)
{
    return p->token;
}

const char *cql_plan_keyspace(const cql_plan *p)
{
    return p->keyspace;
}

const char *cql_plan_replication(const cql_plan *p)
{
    return p->replication;
}

const char *cql_plan_summary(const cql_plan *p)
{
    return p->summary;
}

const char *cql_plan_text(const cql_plan *p)
{
    return (const char *)p->text.data;
}

const char *cql_plan_json(const cql_plan *p)
{
    return (const char *)p->json.data;
}
