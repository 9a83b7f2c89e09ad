/* Where a statement would be sent, as an object for people. */
#include "api/routing.h"
#include "api/wait.h"

#include "base/error.h"

typedef struct explaining {
    cqln_mail mail;
    cql_session *s;
    cqln_route route;
    const cql_profile *profile;
    cql_plan_cb cb;
    void *user;
} explaining;

static void on_explain(cqln_mail *m)
{
    explaining e = *CQLN_CONTAINER(m, explaining, mail);
    cqln_cluster *c = &e.s->cluster;
    cql_error *err = NULL;
    cqln_free(e.s->al, CQLN_CONTAINER(m, explaining, mail));
    cql_plan *plan = cqln_router_explain(c, &e.route, e.profile);
    if (!plan)
        cqln_fail(&err, e.s->al, CQL_NO_MEMORY, "no memory for the plan");
    e.cb(e.s, err, plan, e.user);
    cql_error_unref(err);
    cqln_cluster_leave(c);
}

cql_status cql_session_explain(cql_session *s, const cql_statement *stmt, cql_plan_cb cb,
                               void *user)
{
    if (!s || !stmt || !cb)
        return CQL_BAD_ARGUMENT;
    if (cqln_cluster_state_of(&s->cluster) != CQLN_CLUSTER_CONNECTED)
        return CQL_BAD_STATE;
    if (stmt->unbound)
        return CQL_UNBOUND;
    explaining *e = cqln_alloc_zero(s->al, sizeof *e);
    if (!e)
        return CQL_NO_MEMORY;
    e->mail.fn = on_explain;
    e->s = s;
    e->cb = cb;
    e->user = user;
    e->profile = stmt->ex.place;
    cqln_route_level(&s->cluster, stmt->ex.consistency, &e->route);
    cqln_route_statement(&s->cluster, stmt, &e->route);
    if (cqln_cluster_send(&s->cluster, &e->mail))
        return CQL_OK;
    cqln_free(s->al, e);
    return CQL_BAD_STATE;
}

static void on_plan(cql_session *s, const cql_error *err, cql_plan *plan, void *user)
{
    (void)s;
    cqln_wait_end(user, err, plan);
}

cql_status cql_session_explain_wait(cql_session *s, const cql_statement *stmt, cql_plan **out,
                                    cql_error **err)
{
    cqln_waiter w;
    if (!out)
        return cqln_fail_null(err, "out");
    *out = NULL;
    cql_status st = cqln_wait_begin(s, &w, err);
    if (st == CQL_OK)
        st = cqln_wait_for(&w, cql_session_explain(s, stmt, on_plan, &w), err);
    *out = st == CQL_OK ? w.got : NULL;
    return st;
}
