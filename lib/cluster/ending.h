/* ending.h: the end of a request that went well, as nearly all do: inline where answers come in. */
#ifndef CQLN_CLUSTER_ENDING_H
#define CQLN_CLUSTER_ENDING_H

#include "cluster/record.h"

/* The record goes back before the callback, which may fill its place at once; the statement stays, since the result
 * reads its metadata. What is beside the answer is the caller's: hooks, and a result that the request held. */
static inline __attribute__((always_inline)) void
cqln_request_end_well(cqln_request *req, const cql_result *res, cqln_took took)
{
    cqln_cluster *c = req->cluster;
    cql_result_cb cb = req->cb.result;
    void *user = req->user;
    cql_prepared *prepared = req->prepared;
    cqln_meter_took(c->meter, took);
    if (!c->alone) {
        cqln_record_end(c, false, req);
        if (cb)
            cb(c->session, NULL, res, user);
        cql_prepared_unref(prepared);
        return;
    }
    cqln_record_end(c, true, req);
    if (cb)
        cb(c->session, NULL, res, user);
    if (prepared)
        cqln_holds_drop(&c->holds, prepared);
}

/* The same for a straight one. */
static inline __attribute__((always_inline)) void
cqln_request_end_straight(cqln_request *req, const cql_result *res, cqln_took took)
{
    cqln_cluster *c = req->cluster;
    cql_result_cb cb = req->cb.result;
    void *user = req->user;
    cql_prepared *prepared = req->prepared;
    cqln_meter_took(c->meter, took);
    cqln_record_end_straight(c, req);
    if (cb)
        cb(c->session, NULL, res, user);
    cqln_holds_drop(&c->holds, prepared);
}

#endif
