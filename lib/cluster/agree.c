/* Schema agreement: asks one node for its schema version and those it knows of its peers, until there
 * is only one. */
#include "cluster/cluster.h"
#include "cluster/inner.h"
#include "cluster/tell.h"

#include <string.h>

enum { POLL_MS = 200 };

typedef struct agree {
    cqln_cluster *c;
    char host[CQLN_ADDRESS_TEXT]; /* the node to ask, as long as it is there */
    cqln_inner *inner;
    cqln_agree_cb cb;
    void *user;
    uint64_t end_at;
    cqln_deadline poll;
    cql_uuid version;
    bool once;
    bool no_v2;
} agree;

static void ask_local(agree *a);

static void end(agree *a, cql_status st)
{
    cqln_cluster *c = a->c;
    cqln_agree_cb cb = a->cb;
    void *user = a->user;
    cqln_deadline_clear(&c->loop, &a->poll);
    cqln_free(c->al, a);
    cb(user, st);
    c->waits--;
    cqln_cluster_check(c);
}

static void poll_later(agree *a)
{
    uint64_t now = cqln_loop_now(&a->c->loop);
    if (now >= a->end_at || cqln_cluster_state_of(a->c) == CQLN_CLUSTER_CLOSING)
        end(a, CQL_NOT_AGREED);
    else
        cqln_deadline_set(&a->c->loop, &a->poll, now + POLL_MS);
}

/* A node that hangs is not waited for beyond the end. A time-out of 0 is one look. */
static uint32_t patience(const agree *a)
{
    uint64_t now = cqln_loop_now(&a->c->loop), most = a->c->config->request_timeout;
    uint64_t left = a->end_at > now ? a->end_at - now : 1;
    return (uint32_t)(a->once || left > most ? most : left);
}

static void on_poll(cqln_deadline *d)
{
    ask_local(CQLN_CONTAINER(d, agree, poll));
}

static bool is_down(const cqln_node *n)
{
    return n->usable == 0 && (n->said_down || (n->local && n->tried && n->last_status != CQL_OK));
}

/* Versions of nodes that are down are old and do not count. The row names no port: any will do, but where addresses
 * are translated with theirs. */
static bool row_is_down(cqln_cluster *c, const cql_value *address)
{
    cql_inet inet;
    cqln_address a;
    if (cql_value_as_inet(address, &inet) != CQL_OK ||
        !cqln_address_from_bytes(&a, inet.bytes, inet.len, (uint16_t)c->config->port) ||
        !cqln_translate(c, &a))
        return true;
    bool down = false;
    for (const cqln_node *n = c->nodes; n; n = n->next) {
        const cqln_address *own = cqln_node_heard(n);
        if (!c->config->translate)
            a.port = own->port;
        if (n->removed || !cqln_address_equal(&a, own))
            continue;
        if (!is_down(n))
            return false;
        down = true;
    }
    return down;
}

/* First column: client address; second: schema version. */
static bool rows_agree(agree *a, const cql_result *res)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        cql_value address = cql_rows_value(&rows, 0);
        cql_value v = cql_rows_value(&rows, 1);
        cql_uuid version;
        if (cql_value_as_uuid(&v, &version) != CQL_OK || row_is_down(a->c, &address))
            continue;
        if (memcmp(&version, &a->version, sizeof version) != 0)
            return false;
    }
    return true;
}

static bool decode(agree *a, const cqln_conn_event *ev, cql_result *res, cqln_metadata **fresh)
{
    *fresh = NULL;
    return ev->opcode == CQLN_OP_RESULT &&
           cqln_result_decode(res, a->c->al, ev->body, ev->len, ev->flags, ev->block, NULL,
                              fresh) == CQL_OK &&
           res->kind == CQL_RESULT_ROWS && res->metadata;
}

static void ask_peers(agree *a, cqln_link *link);

static void on_peers(void *user, cql_status st, cqln_link *link, const cqln_conn_event *ev)
{
    agree *a = user;
    cql_result res;
    cqln_metadata *fresh = NULL;
    a->inner = NULL;
    if (st == CQL_OK && ev->opcode == CQLN_OP_ERROR && !a->no_v2) {
        a->no_v2 = true;
        ask_peers(a, link);
        return;
    }
    bool agreed = st == CQL_OK && decode(a, ev, &res, &fresh) && rows_agree(a, &res);
    cqln_metadata_unref(fresh);
    if (agreed)
        end(a, CQL_OK);
    else
        poll_later(a);
}

static void ask_peers(agree *a, cqln_link *link)
{
    const char *cql = a->no_v2 ? "SELECT rpc_address, schema_version FROM system.peers"
                               : "SELECT native_address, schema_version FROM system.peers_v2";
    if (cqln_inner_query(&a->c->loop, link, cql, patience(a), on_peers, a, &a->inner) != CQL_OK)
        poll_later(a);
}

static void on_local(void *user, cql_status st, cqln_link *link, const cqln_conn_event *ev)
{
    agree *a = user;
    cql_result res;
    cql_rows rows;
    cqln_metadata *fresh = NULL;
    bool ok = false;
    a->inner = NULL;
    if (st == CQL_OK && decode(a, ev, &res, &fresh)) {
        cql_rows_init(&rows, &res);
        if (cql_rows_next(&rows)) {
            cql_value v = cql_rows_value(&rows, 0);
            ok = cql_value_as_uuid(&v, &a->version) == CQL_OK;
        }
    }
    cqln_metadata_unref(fresh);
    if (ok)
        ask_peers(a, link);
    else
        poll_later(a);
}

static void ask_local(agree *a)
{
    cqln_node *node = cqln_node_find(a->c, a->host);
    cqln_link *link = node ? cqln_nodes_pick(a->c, node, NULL) : NULL;
    if (!link)
        link = cqln_control_link(a->c->control);
    if (!link)
        link = cqln_nodes_pick(a->c, NULL, NULL);
    if (!link || cqln_inner_query(&a->c->loop, link,
                                  "SELECT schema_version FROM system.local WHERE key='local'",
                                  patience(a), on_local, a, &a->inner) != CQL_OK)
        poll_later(a);
}

cql_status cqln_agree(cqln_cluster *c, cqln_link *link, uint32_t timeout_ms, cqln_agree_cb cb,
                      void *user)
{
    agree *a = cqln_alloc_zero(c->al, sizeof *a);
    if (!a)
        return CQL_NO_MEMORY;
    a->c = c;
    if (link)
        memcpy(a->host, link->address_text, sizeof a->host);
    a->cb = cb;
    a->user = user;
    a->end_at = cqln_loop_now(&c->loop) + timeout_ms;
    a->once = timeout_ms == 0;
    cqln_deadline_init(&a->poll, on_poll);
    c->waits++;
    cqln_deadline_set(&c->loop, &a->poll, cqln_loop_now(&c->loop) + 1);
    return CQL_OK;
}
