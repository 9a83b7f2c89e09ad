/* Discovery: rows of the system tables become nodes. Broken rows are left out, never trusted. */
#include "cluster/discover.h"

#include "cluster/inner.h"
#include "cluster/tell.h"

#include <stdio.h>
#include <string.h>

enum { NODES_MAX = CQLN_RING_MEMBERS - 1 }; /* beside the one that is asked */

/* All are asked at once, and looked at in this order when the last answer has come. */
typedef enum part { LOCAL, PEERS, KEYSPACES, PARTS } part;

typedef struct question {
    cqln_discover *of;
    cqln_inner *inner; /* under way */
    cql_result *rows;  /* its answer */
} question;

struct cqln_discover {
    cqln_cluster *c;
    question questions[PARTS];
    cqln_discover_cb cb;
    void *user;
    bool old_peers; /* the server of this connection has no peers_v2 */
    cql_uuid own;   /* the node that is asked */
    uint64_t name_mark; /* of the cluster's name; 0: not known */
    unsigned left_out; /* rows of the peers table that could not be used, at the last reading */
};

static const char local_cql[] = "SELECT * FROM system.local WHERE key='local'";
static const char peers_v2_cql[] = "SELECT * FROM system.peers_v2";
static const char peers_cql[] = "SELECT * FROM system.peers";
static const char keyspaces_cql[] =
    "SELECT keyspace_name, replication FROM system_schema.keyspaces";

static const char *const unread[PARTS] = {"system.local could not be read",
                                          "the peers table could not be read",
                                          "the keyspaces could not be read"};
static const char *const too_large[PARTS] = {
    "system.local is larger than the option max_response_bytes allows",
    "the peers table is larger than the option max_response_bytes allows",
    "the keyspaces are larger than the option max_response_bytes allows"};
static const char *const not_understood[PARTS] = {"system.local could not be understood",
                                                  "the peers table could not be understood", NULL};

static const char no_memory[] = "out of memory for its node";

static void drop(cqln_discover *d)
{
    for (int i = 0; i < PARTS; i++) {
        question *q = &d->questions[i];
        cqln_inner_forget(q->inner);
        cql_result_unref(q->rows);
        q->inner = NULL;
        q->rows = NULL;
    }
}

static void end(cqln_discover *d, cql_status st, const char *why)
{
    cqln_discover_cb cb = d->cb;
    drop(d);
    d->cb = NULL;
    cb(d->user, st, why);
}

/* --- cells by name ------------------------------------------------------------------------------- */

static cql_value cell(cql_rows *rows, const cql_result *res, const char *name)
{
    size_t i;
    if (cql_result_column_index(res, name, &i) != CQL_OK)
        return cql_value_null();
    return cql_rows_value(rows, i);
}

static cql_str text_cell(cql_rows *rows, const cql_result *res, const char *name)
{
    cql_value v = cell(rows, res, name);
    cql_str s = {NULL, 0};
    cql_value_as_str(&v, &s);
    return s;
}

static bool address_cell(cql_rows *rows, const cql_result *res, const char *name, uint16_t port,
                         cqln_address *out)
{
    cql_value v = cell(rows, res, name);
    cql_inet inet;
    return cql_value_as_inet(&v, &inet) == CQL_OK &&
           cqln_address_from_bytes(out, inet.bytes, inet.len, port) && cqln_address_usable(out);
}

static uint16_t port_cell(cql_rows *rows, const cql_result *res, const char *name, uint16_t otherwise)
{
    cql_value v = cell(rows, res, name);
    int32_t port;
    if (cql_value_as_int32(&v, &port) != CQL_OK || port <= 0 || port > 65535)
        return otherwise;
    return (uint16_t)port;
}

/* False for rows that are only half there: a node that is just joining, or a ghost of one that left. */
static bool common_cells(cql_rows *rows, const cql_result *res, cqln_node_info *info)
{
    cql_value id = cell(rows, res, "host_id");
    info->data_center = text_cell(rows, res, "data_center");
    info->rack = text_cell(rows, res, "rack");
    info->release = text_cell(rows, res, "release_version");
    return cql_value_as_uuid(&id, &info->host_id) == CQL_OK && info->data_center.len &&
           info->rack.len;
}

static void take_tokens(cqln_cluster *c, cqln_node *n, cql_rows *rows, const cql_result *res)
{
    size_t i;
    cql_value v = cell(rows, res, "tokens");
    bool there = cql_result_column_index(res, "tokens", &i) == CQL_OK;
    if (n)
        cqln_router_take_tokens(c, n, &v, there ? cql_result_column_type(res, i) : NULL);
}

/* --- peers --------------------------------------------------------------------------------------- */

/* Behind a proxy a node goes by its host id; what the tables call it is kept for events. */
static const char *go_by_id(cqln_node_info *info)
{
    info->heard = info->address;
    info->address = cqln_address_of_id(&info->host_id);
    return cqln_address_usable(&info->address) ? NULL : "a host id";
}

/* What a row lacks, NULL when it is whole. */
static const char *read_peer(cqln_discover *d, cql_rows *rows, const cql_result *res,
                             const cqln_address *own, cqln_node_info *info)
{
    uint16_t otherwise = own->is_id ? (uint16_t)d->c->config->port : own->port;
    uint16_t port = port_cell(rows, res, "native_port", otherwise);
    memset(info, 0, sizeof *info);
    if (!address_cell(rows, res, "native_address", port, &info->address) &&
        !address_cell(rows, res, "rpc_address", port, &info->address) &&
        !address_cell(rows, res, "peer", port, &info->address) && !own->is_id)
        return "an address that can be used";
    if (!common_cells(rows, res, info)) {
        if (cqln_address_usable(&info->address) && cqln_translate(d->c, &info->address))
            cqln_node_keep(d->c, &info->address);
        return "a host id, a data centre or a rack";
    }
    if (own->is_id)
        return go_by_id(info);
    return cqln_translate(d->c, &info->address) ? NULL : "an address that is translated";
}

/* Rows stay broken for long: the log says it when their number changes. */
static void report_left_out(cqln_discover *d, unsigned count, const char *what)
{
    if (count != d->left_out && count > 0)
        CQLN_LOG(d->c->loop.log, CQL_LOG_WARN,
                 "rows of the peers table left out: %u; the first lacks %s", count, what);
    d->left_out = count;
}

static void put_peers(cqln_discover *d, const cql_result *res, const cqln_address *own)
{
    cql_rows rows;
    unsigned count = 0, left_out = 0;
    const char *first = "";
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows) && count++ < NODES_MAX) {
        cqln_node_info info;
        const char *lacks = read_peer(d, &rows, res, own, &info);
        if (lacks && left_out++ == 0)
            first = lacks;
        bool itself = !lacks && (cqln_address_equal(&info.address, own) ||
                                 memcmp(&info.host_id, &d->own, sizeof d->own) == 0);
        if (!lacks && !itself)
            take_tokens(d->c, cqln_node_put(d->c, &info), &rows, res);
    }
    report_left_out(d, left_out, first);
}

/* --- local --------------------------------------------------------------------------------------- */

static void keep_name(cqln_cluster *c, cql_str name)
{
    if (!c->cluster_name && name.len) {
        pthread_mutex_lock(&c->view_lock);
        c->cluster_name = cqln_strdup(c->al, name);
        pthread_mutex_unlock(&c->view_lock);
    }
}

/* Addresses are given to others, and names lead elsewhere: what the session was connected to it stays with. */
static bool same_cluster(cqln_discover *d, cql_str name)
{
    uint64_t mark = (uint64_t)cqln_murmur3(name.ptr, name.len) | 1;
    if (name.len == 0)
        return true;
    if (d->name_mark == 0 || cqln_cluster_state_of(d->c) == CQLN_CLUSTER_CONNECTING)
        d->name_mark = mark;
    return d->name_mark == mark;
}

/* Servers with a port of its own for TLS tell of the other one. Only where the node was reached by the very address
 * that it has in the tables, with nothing between, does its port say where the others speak TLS. */
static void note_ports(cqln_cluster *c, cql_rows *rows, const cql_result *res, const cqln_address *reached)
{
    cqln_address own;
    if (c->config->tls == CQLN_TLS_OFF || !address_cell(rows, res, "rpc_address", reached->port, &own) ||
        !cqln_address_equal(&own, reached))
        return;
    c->told_port = port_cell(rows, res, "rpc_port", reached->port);
    c->tls_port = reached->port;
}

/* NULL, or what is wrong. The control node keeps the address over which it was reached: its own idea of it may be
 * wrong. */
static const char *put_local(cqln_discover *d, const cql_result *res, const cqln_link *link, char why[200])
{
    cqln_node_info info;
    cql_rows rows;
    memset(&info, 0, sizeof info);
    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows) || !common_cells(&rows, res, &info))
        return not_understood[LOCAL];
    cql_str name = text_cell(&rows, res, "cluster_name");
    if (!same_cluster(d, name)) {
        snprintf(why, 200, "it belongs to the cluster \"%.*s\", the session to \"%.64s\"",
                 name.len < 64 ? (int)name.len : 64, name.ptr,
                 d->c->cluster_name ? d->c->cluster_name : "");
        return why;
    }
    if (link->address.is_id) {
        uint16_t port = port_cell(&rows, res, "rpc_port", (uint16_t)d->c->config->port);
        (void)address_cell(&rows, res, "rpc_address", port, &info.address);
        if (go_by_id(&info))
            return not_understood[LOCAL];
    } else {
        info.address = link->address;
        note_ports(d->c, &rows, res, &link->address);
    }
    d->own = info.host_id;
    keep_name(d->c, name);
    if (!d->c->local_dc && !d->c->config->local_dc)
        d->c->local_dc = cqln_strdup(d->c->al, info.data_center);
    cqln_router_take_partitioner(d->c, text_cell(&rows, res, "partitioner"));
    cqln_node *n = cqln_node_put(d->c, &info);
    take_tokens(d->c, n, &rows, res);
    return n ? NULL : no_memory;
}

/* --- questions and answers -------------------------------------------------------------------------- */

/* A server before 4.0 does not know the table. Errors of a server that is busy, or stops, say nothing of that. */
static bool lacks_table(const cqln_conn_event *ev)
{
    enum { SERVER_ERROR = 0, FIRST_REFUSAL = 0x2000 };
    cqln_server_error e;
    cqln_prefix prefix;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    return cqln_decode_prefix(&rd, ev->flags, &prefix) == CQL_OK &&
           cqln_decode_error(&rd, ev->version, &e) == CQL_OK &&
           (e.code == SERVER_ERROR || e.code >= FIRST_REFUSAL);
}

static cql_status rows_of(cqln_discover *d, const cqln_conn_event *ev, cql_result **out)
{
    cql_result res;
    cqln_metadata *fresh = NULL;
    if (ev->opcode != CQLN_OP_RESULT)
        return CQL_MALFORMED;
    cql_status st =
        cqln_result_decode(&res, d->c->al, ev->body, ev->len, ev->flags, ev->block, NULL, &fresh);
    if (st == CQL_OK && (res.kind != CQL_RESULT_ROWS || !res.metadata))
        st = CQL_MALFORMED;
    if (st == CQL_OK && !(*out = cql_result_ref(&res)))
        st = CQL_NO_MEMORY;
    cqln_metadata_unref(fresh);
    return st;
}

static void conclude(cqln_discover *d, const cqln_link *link)
{
    char why[200];
    cqln_nodes_unsee(d->c);
    const char *wrong = put_local(d, d->questions[LOCAL].rows, link, why);
    if (wrong) {
        end(d, wrong == no_memory ? CQL_NO_MEMORY : CQL_MALFORMED, wrong);
        return;
    }
    put_peers(d, d->questions[PEERS].rows, &link->address);
    /* Which nodes have which rows. Without it requests go to nodes in turn: no reason to fail. */
    if (d->questions[KEYSPACES].rows)
        cqln_router_take_keyspaces(d->c, d->questions[KEYSPACES].rows);
    else if (d->c->config->token_aware)
        CQLN_LOG(d->c->loop.log, CQL_LOG_WARN,
                 "system_schema.keyspaces could not be read: replicas are not known");
    end(d, CQL_OK, "");
}

static cql_status ask(cqln_discover *d, cqln_link *link, part which);

static void on_answer(void *user, cql_status st, cqln_link *link, const cqln_conn_event *ev)
{
    question *q = user;
    cqln_discover *d = q->of;
    part which = (part)(q - d->questions);
    q->inner = NULL;
    if (st == CQL_OK && which == PEERS && ev->opcode == CQLN_OP_ERROR && !d->old_peers &&
        lacks_table(ev)) {
        d->old_peers = true;
        st = ask(d, link, PEERS);
        if (st == CQL_OK)
            return;
    }
    if (st) {
        end(d, st, st == CQL_TOO_LARGE ? too_large[which] : unread[which]);
        return;
    }
    st = rows_of(d, ev, &q->rows);
    if (st && not_understood[which]) {
        end(d, st, not_understood[which]);
        return;
    }
    for (int i = 0; i < PARTS; i++)
        if (d->questions[i].inner)
            return;
    conclude(d, link);
}

static cql_status ask(cqln_discover *d, cqln_link *link, part which)
{
    static const char *const texts[PARTS] = {local_cql, peers_v2_cql, keyspaces_cql};
    const char *cql = which == PEERS && d->old_peers ? peers_cql : texts[which];
    question *q = &d->questions[which];
    q->of = d;
    return cqln_inner_query(&d->c->loop, link, cql, d->c->config->connect_timeout, on_answer, q,
                            &q->inner);
}

/* --- life ---------------------------------------------------------------------------------------- */

cqln_discover *cqln_discover_new(cqln_cluster *c)
{
    cqln_discover *d = cqln_alloc_zero(c->al, sizeof *d);
    if (d)
        d->c = c;
    return d;
}

void cqln_discover_free(cqln_discover *d)
{
    if (d)
        cqln_free(d->c->al, d);
}

cql_status cqln_discover_run(cqln_discover *d, cqln_link *link, cqln_discover_cb cb, void *user)
{
    if (d->cb)
        return CQL_OK;
    d->cb = cb;
    d->user = user;
    cql_status st = ask(d, link, LOCAL);
    if (st == CQL_OK)
        st = ask(d, link, PEERS);
    if (st == CQL_OK && d->c->config->token_aware)
        st = ask(d, link, KEYSPACES);
    if (st)
        cqln_discover_stop(d);
    return st;
}

bool cqln_discover_running(const cqln_discover *d)
{
    return d->cb != NULL;
}

void cqln_discover_stop(cqln_discover *d)
{
    drop(d);
    d->cb = NULL;
    d->old_peers = false;
}
