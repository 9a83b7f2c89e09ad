/* Prepared statements on the way: the answer to a prepare, and preparing again on a node that forgot. */
#include "cluster/cluster.h"
#include "cluster/lessons.h"

#include <stdio.h>

enum { ROUNDS_MAX = 3 };

void cqln_request_prepared(cqln_request *req, cqln_link *link, cqln_reader *rd)
{
    cqln_cluster *c = req->cluster;
    cqln_prepared_head head;
    cql_prepared *prepared;
    cql_str keyspace = req->in_keyspace.len ? req->in_keyspace : cql_str_of(c->keyspace);
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
    prepared = cqln_lessons_keep(c, prepared, req->last);
    cqln_request_succeed_prepared(req, prepared);
    cql_prepared_unref(prepared);
}

cql_prepared *cqln_request_statement(const cqln_request *req, cql_str id)
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
    char a[33], b[33], why[200] = "its markers have other types now, since its table was made anew: prepare it "
                                  "and bind its values again";
    print_id(a, was);
    print_id(b, now);
    if (now.len)
        snprintf(why, sizeof why,
                 "preparing it again gave id %s instead of %s; the usual cause is a USE after it was "
                 "prepared: qualify its tables with their keyspace",
                 b, a);
    cqln_request_failed(req, cqln_report_local(req->cluster, CQL_PREPARED_CHANGED, req, why));
}

static const cql_prepared *find_retired(const cqln_request *req)
{
    if (req->prepared && cqln_prepared_retired(req->prepared))
        return req->prepared;
    for (size_t i = 0; i < req->member_count; i++)
        if (cqln_prepared_retired(req->members[i]))
            return req->members[i];
    return NULL;
}

bool cqln_request_outdated(cqln_request *req)
{
    const cql_prepared *p = find_retired(req);
    if (p)
        fail_changed(req, p->id, (cql_str){NULL, 0});
    return p != NULL;
}

static void send_to(cqln_request *req, cqln_link *link)
{
    if (cqln_link_usable(link) &&
        cqln_link_submit(link, req->env.data, req->env.len, req, &req->stream, &req->mark) ==
            CQL_OK) {
        req->link = link;
        req->state = CQLN_REQUEST_SENT;
        return;
    }
    cqln_request_place(req);
}

/* The same node knows it again: the request goes to the very link, or to another of the node's. On v5 the
 * metadata goes by the id inside the request, so what was known when it was made stays right. */
static void send_again(cqln_request *req, cqln_link *link)
{
    if (req->known && req->known->id.len == 0)
        req->known = cqln_prepared_result(req->prepared);
    send_to(req, link); /* to another node it would have to be taught there as well */
}

void cqln_request_taught(cqln_request *req, cqln_link *link, const cqln_lesson_end *end)
{
    cqln_cluster *c = req->cluster;
    if (end->refused) {
        cqln_request_refused(req, link, &end->error);
    } else if (end->status == CQL_OK) {
        send_again(req, link);
    } else if (end->status == CQL_PREPARED_CHANGED) {
        fail_changed(req, end->prepared->id, end->new_id);
    } else if (end->answered) {
        cqln_request_failed(req, cqln_report_local(c, end->status, req,
                                                   end->status == CQL_MALFORMED
                                                       ? "its answer to a prepare is malformed"
                                                       : "its answer to a prepare"));
    } else if (cqln_cluster_state_of(c) == CQLN_CLUSTER_CLOSING) {
        cqln_request_failed(req, cqln_report_local(c, CQL_CANCELLED, req,
                                                   "the session was closed"));
    } else { /* the link is gone or silent; the request itself never ran there */
        req->attempts++;
        cqln_request_place(req);
    }
}

void cqln_request_reprepare(cqln_request *req, cqln_link *link, const cqln_server_error *e)
{
    cqln_cluster *c = req->cluster;
    cql_prepared *p = cqln_request_statement(req, e->unprepared_id);
    size_t rounds = ROUNDS_MAX + req->member_count;
    if (p && req->reprepared == ROUNDS_MAX && cqln_request_as_text(req, cqln_conn_version(link->conn))) {
        send_to(req, link);
        return;
    }
    if (!p || req->reprepared >= (rounds < UINT8_MAX ? rounds : UINT8_MAX)) {
        cqln_request_failed(req, cqln_report_server(c, e, link->host, req));
        return;
    }
    req->reprepared++;
    cql_status st = cqln_lessons_await(req, link, p);
    if (st)
        cqln_request_failed(req, cqln_report_local(c, st, req, "preparing it again"));
}
