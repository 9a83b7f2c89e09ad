/* What is told of nodes: each is compared with what was told of it last. */
#include "cluster/tell.h"

#include "cluster/team.h"
#include "cluster/view.h"

#include <string.h>

enum { QUIET_MS = 10000 };

/* A node that left. Its texts are behind it. */
struct cqln_gone {
    cqln_gone *next;
    cql_host_info info;
};

static void say(cqln_cluster *c, cql_node_event event, const cql_host_info *h)
{
    static const char *const words[] = {"joined", "is up", "is down", "left"};
    if (cqln_team_follows(c))
        return; /* the first loop tells it */
    if (event == CQL_NODE_DOWN)
        CQLN_LOG(c->loop.log, CQL_LOG_WARN, "node %s is down: %s", h->address, h->reason);
    else
        CQLN_LOG(c->loop.log, CQL_LOG_INFO, "node %s (%s, %s) %s", h->address, h->data_center,
                 h->rack, words[event]);
    if (c->config->node_event)
        c->config->node_event(c->config->node_event_user, c->session, event, h);
}

static cql_host_info info_of(const cqln_node *n)
{
    return (cql_host_info){
        .address = n->address_text,
        .data_center = n->data_center,
        .rack = n->rack,
        .release_version = n->release,
        .host_id = n->host_id,
        .up = n->usable > 0,
        .connections = n->usable,
        .reason = n->usable ? "" : n->last_reason,
    };
}

/* The next thing to be told of a node; false when all was. */
static bool next_event(cqln_node *n, cql_node_event *event)
{
    if (n->removed)
        return false;
    if (!n->told_added) {
        n->told_added = true;
        *event = CQL_NODE_ADDED;
        return true;
    }
    bool failed = n->tried && n->usable == 0 && n->last_status != CQL_OK;
    if (n->usable > 0 && !n->told_up) {
        n->told_up = true;
        n->told_down = false;
        *event = CQL_NODE_UP;
        return true;
    }
    if (failed && !n->told_down) {
        n->told_down = true;
        n->told_up = false;
        *event = CQL_NODE_DOWN;
        return true;
    }
    return false;
}

/* One at a time, from the front each time: the program may do anything in between. */
static bool tell_one(cqln_cluster *c)
{
    cql_node_event event;
    cqln_gone *g = c->gone;
    if (g) {
        c->gone = g->next;
        say(c, CQL_NODE_REMOVED, &g->info);
        cqln_free(c->al, g);
        return true;
    }
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (!next_event(n, &event))
            continue;
        cql_host_info info = info_of(n);
        say(c, event, &info);
        return true;
    }
    return false;
}

static void on_telling(cqln_deferred *d)
{
    cqln_cluster *c = CQLN_CONTAINER(d, cqln_cluster, telling);
    while (cqln_cluster_state_of(c) < CQLN_CLUSTER_CLOSING && tell_one(c)) {
    }
}

void cqln_tell_init(cqln_cluster *c)
{
    cqln_deferred_init(&c->telling, on_telling);
}

void cqln_tell_soon(cqln_cluster *c)
{
    if (cqln_cluster_state_of(c) < CQLN_CLUSTER_CLOSING)
        cqln_loop_defer(&c->loop, &c->telling);
}

static const char *put(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

void cqln_tell_removed(cqln_node *n)
{
    cqln_cluster *c = n->cluster;
    cqln_gone **at = &c->gone;
    if (!n->told_added)
        return;
    size_t text = strlen(n->address_text) + strlen(n->data_center) + strlen(n->rack) +
                  strlen(n->release) + 4;
    cqln_gone *g = cqln_alloc_zero(c->al, sizeof *g + text);
    if (!g) {
        CQLN_LOG(c->loop.log, CQL_LOG_WARN, "node %s left, and no memory to tell it",
                 n->address_text);
        return;
    }
    char *texts = (char *)(g + 1);
    g->info = (cql_host_info){
        .address = put(&texts, n->address_text),
        .data_center = put(&texts, n->data_center),
        .rack = put(&texts, n->rack),
        .release_version = put(&texts, n->release),
        .host_id = n->host_id,
        .reason = "the node was removed from the cluster",
    };
    while (*at)
        at = &(*at)->next;
    *at = g;
    cqln_tell_soon(c);
}

void cqln_tell_fini(cqln_cluster *c)
{
    while (c->gone) {
        cqln_gone *g = c->gone;
        c->gone = g->next;
        cqln_free(c->al, g);
    }
}

void cqln_tell_failure(cqln_node *n, const char *reason)
{
    cqln_cluster *c = n->cluster;
    uint64_t now = cqln_loop_now(&c->loop);
    if (cqln_team_follows(c)) {
        CQLN_LOG(c->loop.log, CQL_LOG_DEBUG, "connection to %s (loop %u): %s", n->address_text,
                 (unsigned)c->number, reason);
        return;
    }
    if (n->said_at && now - n->said_at < QUIET_MS) {
        n->unsaid++;
        return;
    }
    if (n->unsaid)
        CQLN_LOG(c->loop.log, CQL_LOG_WARN, "connection to %s: %s (and %u more failures before)",
                 n->address_text, reason, (unsigned)n->unsaid);
    else
        CQLN_LOG(c->loop.log, CQL_LOG_WARN, "connection to %s: %s", n->address_text, reason);
    n->said_at = now ? now : 1;
    n->unsaid = 0;
}

/* --- schema --------------------------------------------------------------------------------------- */

static cql_schema_event schema_event_of(cql_str change)
{
    static const char *const words[] = {"CREATED", "UPDATED", "DROPPED"};
    for (int i = 0; i < (int)CQL_COUNT(words); i++)
        if (cql_str_equal(change, cql_str_of(words[i])))
            return (cql_schema_event)i;
    return CQL_SCHEMA_OTHER;
}

void cqln_tell_schema(cqln_cluster *c, const cqln_schema_change *change)
{
    cql_schema_note note = {.event = CQL_SCHEMA_MISSED};
    if (!c->config->schema_event || cqln_cluster_state_of(c) >= CQLN_CLUSTER_CLOSING)
        return;
    if (change) {
        note.event = schema_event_of(change->change);
        note.target = change->target;
        note.keyspace = change->keyspace;
        note.name = change->name;
    }
    c->config->schema_event(c->config->schema_event_user, c->session, &note);
}

/* --- addresses ------------------------------------------------------------------------------------ */

bool cqln_translate(const cqln_cluster *c, cqln_address *a)
{
    char from[CQLN_ADDRESS_TEXT], to[CQLN_ADDRESS_TEXT];
    cql_str host;
    uint16_t port;
    cqln_address out;
    if (!c->config->translate) {
        if (a->port == c->told_port)
            a->port = c->tls_port;
        return true;
    }
    cqln_address_print(a, from);
    memset(to, 0, sizeof to);
    if (!c->config->translate(c->config->translate_user, from, to, sizeof to))
        return true;
    to[sizeof to - 1] = '\0';
    if (!cqln_split_host_port(cql_str_of(to), &host, &port) ||
        !cqln_address_parse(&out, host, port ? port : a->port) || !cqln_address_usable(&out)) {
        CQLN_LOG(c->loop.log, CQL_LOG_WARN, "the address translator gave \"%s\" for %s: no address",
                 to, from);
        return false;
    }
    *a = out;
    return true;
}
