/* Prepared statements on the way: the answer to a prepare, and preparing again on a node that forgot. */
#include "cluster/cluster.h"
#include "cluster/inner.h"

#include <stdio.h>

enum { ROUNDS_MAX = 3 };

void cqln_request_prepared(cqln_request *req, cqln_link *link, cqln_reader *rd)
{
    cqln_cluster *c = req->cluster;
    cqln_prepared_head head;
    cql_prepared *prepared;
    cql_str keyspace = cql_str_of(c->keyspace);
    cql_status st = cqln_decode_prepared(rd, cqln_conn_version(link->conn), c->al, &head);
    if (st) {
        cqln_request_fail(req, cqln_report_local(c, st, req, "its answer to a prepare is malformed"));
        return;
    }
    st = cqln_prepared_new(c->al, req->cql, keyspace, &head, &prepared);
    if (st) {
        cqln_metadata_unref(head.bind);
        cqln_metadata_unref(head.result);
        cqln_request_fail(req, cqln_report_local(c, st, req, NULL));
        return;
    }
    cqln_request_succeed_prepared(req, prepared);
    cql_prepared_unref(prepared);
}

static cql_prepared *statement_with(const cqln_request *req, cql_str id)
{
    if (req->prepared && cql_str_equal(req->prepared->id, id))
        return req->prepared;
    for (size_t i = 0; i < req->member_count; i++)
        if (cql_str_equal(req->members[i]->id, id))
            return req->members[i];
    return NULL;
}

static void print_id(char out[2 * 16 + 1], cql_str id)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = id.len < 16 ? id.len : 16;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[(uint8_t)id.ptr[i] >> 4];
        out[2 * i + 1] = digits[(uint8_t)id.ptr[i] & 15];
    }
    out[2 * n] = '\0';
}

static void fail_changed(cqln_request *req, cql_str was, cql_str now)
{
    char a[33], b[33], why[200];
    print_id(a, was);
    print_id(b, now);
    snprintf(why, sizeof why,
             "preparing it again gave id %s instead of %s; the usual cause is a USE after it was "
             "prepared: qualify its tables with their keyspace",
             b, a);
    cqln_request_fail(req, cqln_report_local(req->cluster, CQL_PREPARED_CHANGED, req, why));
}

/* The same node knows it again: the request goes to the very link. */
static void send_again(cqln_request *req, cqln_link *link)
{
    req->known = req->prepared && req->known ? cqln_prepared_result(req->prepared) : req->known;
    if (cqln_link_usable(link) &&
        cqln_link_submit(link, req->env.data, req->env.len, req, &req->stream, &req->mark) ==
            CQL_OK) {
        req->link = link;
        req->state = CQLN_REQUEST_SENT;
        return;
    }
    cqln_request_place(req);
}

static void take_prepared(cqln_request *req, cqln_link *link, cqln_reader *rd, cql_prepared *asked)
{
    cqln_prepared_head head;
    cql_status st = cqln_decode_prepared(rd, cqln_conn_version(link->conn), req->cluster->al, &head);
    if (st) {
        cqln_request_fail(req, cqln_report_local(req->cluster, st, req,
                                                 "its answer to a prepare is malformed"));
        return;
    }
    if (!cql_str_equal(asked->id, head.id)) {
        fail_changed(req, asked->id, head.id);
        cqln_metadata_unref(head.bind);
        cqln_metadata_unref(head.result);
        return;
    }
    const cqln_metadata *newest = cqln_prepared_result(asked);
    bool same = newest && newest->count == head.result->count &&
                newest->id.len && cql_str_equal(newest->id, head.result->id);
    if (same)
        cqln_metadata_unref(head.result);
    else
        cqln_prepared_update(asked, head.result);
    cqln_metadata_unref(head.bind);
    send_again(req, link);
}

static void on_prepare_error(cqln_request *req, cqln_link *link, const cqln_conn_event *ev)
{
    cqln_server_error e;
    cqln_prefix prefix;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    if (cqln_decode_prefix(&rd, ev->flags, &prefix) == CQL_OK &&
        cqln_decode_error(&rd, ev->version, &e) == CQL_OK)
        cqln_request_fail(req, cqln_report_server(req->cluster, &e, link->host, req));
    else
        cqln_request_fail(req, cqln_report_local(req->cluster, CQL_MALFORMED, req,
                                                 "its answer to a prepare is malformed"));
}

static void on_prepared_again(void *user, cql_status st, cqln_link *link, const cqln_conn_event *ev)
{
    cqln_request *req = user;
    cql_prepared *asked = req->again;
    cqln_prefix prefix;
    cqln_reader rd;
    req->inner = NULL;
    if (st) { /* the link is gone or silent; the request itself never ran */
        if (cqln_cluster_state_of(req->cluster) == CQLN_CLUSTER_CLOSING)
            cqln_request_fail(req, cqln_report_local(req->cluster, CQL_CANCELLED, req,
                                                     "the session was closed"));
        else
            cqln_request_place(req);
        return;
    }
    cqln_reader_init(&rd, ev->body, ev->len);
    if (ev->opcode == CQLN_OP_RESULT && cqln_decode_prefix(&rd, ev->flags, &prefix) == CQL_OK &&
        cqln_read_u32(&rd) == CQLN_RESULT_PREPARED && !rd.failed)
        take_prepared(req, link, &rd, asked);
    else
        on_prepare_error(req, link, ev);
}

void cqln_request_reprepare(cqln_request *req, cqln_link *link, const cqln_server_error *e)
{
    cqln_cluster *c = req->cluster;
    cqln_writer env;
    cql_prepared *p = statement_with(req, e->unprepared_id);
    if (!p || req->reprepared++ >= ROUNDS_MAX) {
        cqln_request_fail(req, cqln_report_server(c, e, link->host, req));
        return;
    }
    req->again = p;
    cqln_writer_init(&env, c->al, (size_t)1 << 28);
    cqln_encode_prepare(&env, cqln_conn_version(link->conn), p->cql, (cql_str){NULL, 0});
    cql_status st = cqln_inner_send(&c->loop, link, &env, c->config->request_timeout,
                                    on_prepared_again, req, &req->inner);
    if (st)
        cqln_request_fail(req, cqln_report_local(c, st, req, "preparing it again"));
}
